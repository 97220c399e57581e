//! A graph as Mermaid, which many tools draw: wikis, code forges, editors.

use std::fmt::Write as _;

use model::definition::Category;

use super::{By, Graph};

impl Graph {
    /// The graph as a Mermaid flowchart.
    pub fn mermaid(&self) -> String {
        let mut text = format!(
            "---\ntitle: \"{}\"\n---\nflowchart TD\n",
            escaped(&self.title)
        );
        for (index, (title, _)) in self.begin.iter().enumerate() {
            let _ = writeln!(text, "  b{index}([\"{}\"]):::begin", escaped(title));
        }
        for (index, node) in self.nodes.iter().enumerate() {
            let mut label = format!("<b>{}</b>", escaped(&node.title));
            for line in &node.within {
                let _ = write!(label, "<br/>{}", escaped(line));
            }
            let class = node.category.as_str();
            let _ = writeln!(text, "  s{index}[\"{label}\"]:::{class}");
        }
        for (index, (_, to)) in self.begin.iter().enumerate() {
            let _ = writeln!(text, "  b{index} --> s{to}");
        }
        for edge in &self.edges {
            for step in &edge.steps {
                let (open, close) = match step.by {
                    By::People => ("--", "-->"),
                    By::Approval | By::Tasks => ("==", "==>"),
                    By::Timer | By::Itself => ("-.", ".->"),
                };
                let (from, label, to) = (edge.from, escaped(&step.label), edge.to);
                let _ = writeln!(text, "  s{from} {open} \"{label}\" {close} s{to}");
            }
        }
        if !self.anywhere.is_empty() {
            let lines: Vec<String> = self.anywhere.iter().map(|line| escaped(line)).collect();
            let lines = lines.join("<br/>");
            let _ = writeln!(
                text,
                "  anywhere[\"<b>Anywhere</b><br/>{lines}\"]:::anywhere"
            );
        }
        for category in Category::ALL {
            let (fill, line) = colours(category);
            let class = category.as_str();
            let _ = writeln!(
                text,
                "  classDef {class} fill:{fill},stroke:{line},color:#1a1a1a"
            );
        }
        text.push_str("  classDef begin fill:#ffffff,stroke:#1a1a1a,color:#1a1a1a\n");
        text.push_str(
            "  classDef anywhere fill:#ffffff,stroke:#8a8a8a,color:#1a1a1a,stroke-dasharray:4\n",
        );
        text
    }
}

/// The fill and the line of a state.
pub(super) const fn colours(category: Category) -> (&'static str, &'static str) {
    match category {
        Category::Open => ("#dcebfb", "#2f6fb0"),
        Category::Waiting => ("#fdeecb", "#a87a12"),
        Category::Resolved => ("#dff2dc", "#3f8a3a"),
        Category::Closed => ("#e4e4e4", "#6a6a6a"),
    }
}

/// A text as Mermaid takes it between quotes.
fn escaped(text: &str) -> String {
    text.chars().fold(String::new(), |mut out, character| {
        match character {
            '"' | '<' | '>' | '#' | '&' | ';' | '`' | '\\' => {
                let _ = write!(out, "#{};", u32::from(character));
            }
            _ if character.is_control() => out.push(' '),
            _ => out.push(character),
        }
        out
    })
}
