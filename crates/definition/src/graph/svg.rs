//! A graph as a drawing.

use std::fmt::Write as _;

use model::definition::Category;

use super::layout::{Layout, TooLarge, Vertex};
use super::mermaid::colours;
use super::{By, Edge, Graph, Node};

/// How wide a character is, and how high a line, of text of 12 points.
const CHARACTER: f64 = 6.4;
const LINE: f64 = 15.0;
/// The room around everything.
const MARGIN: f64 = 24.0;
/// How many characters of a label stand on a line.
const LABEL_CHARS: usize = 28;
/// How many characters of a sentence below the drawing stand on a line.
const NOTE_CHARS: usize = 110;

impl Graph {
    /// The graph as an SVG document, which refers to nothing outside.
    ///
    /// # Errors
    /// Where the workflow is too large to draw.
    pub fn svg(&self) -> Result<String, TooLarge> {
        let boxes: Vec<Vec<String>> = self.nodes.iter().map(lines_of).collect();
        let labels: Vec<Vec<(String, By)>> = self.edges.iter().map(labels_of).collect();
        let begin = self.begin.len();
        let first_label = begin + boxes.len();
        let mut sizes: Vec<(f64, f64)> = Vec::new();
        for (title, _) in &self.begin {
            sizes.push((width([title.as_str()]) + 28.0, 28.0));
        }
        for lines in &boxes {
            sizes.push((
                width(lines.iter().map(String::as_str)) + 30.0,
                height(lines.len()) + 16.0,
            ));
        }
        for lines in &labels {
            let texts = lines.iter().map(|(text, _)| text.as_str());
            sizes.push((width(texts) + 8.0, height(lines.len()) + 4.0));
        }
        let mut edges: Vec<(usize, usize)> = Vec::new();
        for (index, (_, to)) in self.begin.iter().enumerate() {
            edges.push((index, begin + to));
        }
        for (index, edge) in self.edges.iter().enumerate() {
            edges.push((begin + edge.from, first_label + index));
            edges.push((first_label + index, begin + edge.to));
        }
        let layout = Layout::of(&sizes, &edges)?;
        let mut drawing = Drawing::of(&layout, &self.title);
        drawing.ways(&layout, begin, &self.edges);
        for (vertex, (title, _)) in layout.vertices.iter().zip(&self.begin) {
            drawing.begin(vertex, title);
        }
        for ((vertex, node), lines) in layout.vertices[begin..].iter().zip(&self.nodes).zip(&boxes)
        {
            drawing.state(vertex, node, lines);
        }
        for (vertex, lines) in layout.vertices[first_label..].iter().zip(&labels) {
            drawing.label(vertex, lines);
        }
        drawing.legend(&self.edges);
        drawing.notes(&self.anywhere);
        Ok(drawing.finished())
    }
}

/// What stands in the box of a state.
fn lines_of(node: &Node) -> Vec<String> {
    let mut lines = wrapped(&node.title, LABEL_CHARS);
    for within in &node.within {
        lines.extend(wrapped(within, LABEL_CHARS));
    }
    lines
}

fn labels_of(edge: &Edge) -> Vec<(String, By)> {
    let steps = edge.steps.iter();
    steps
        .flat_map(|step| {
            let lines = wrapped(&step.label, LABEL_CHARS);
            lines.into_iter().map(|line| (line, step.by))
        })
        .collect()
}

/// A text in lines of about so many characters, broken between words.
fn wrapped(text: &str, most: usize) -> Vec<String> {
    let mut lines: Vec<String> = vec![String::new()];
    for word in text.split_whitespace() {
        let last = lines.last_mut().expect("one at least");
        if last.is_empty() {
            last.push_str(word);
        } else if last.chars().count() + word.chars().count() < most {
            last.push(' ');
            last.push_str(word);
        } else {
            lines.push(word.to_owned());
        }
    }
    lines
}

fn width<'t>(lines: impl IntoIterator<Item = &'t str>) -> f64 {
    let longest = lines.into_iter().map(|line| line.chars().count()).max();
    f64::from(u32::try_from(longest.unwrap_or(0)).unwrap_or(u32::MAX)) * CHARACTER
}

fn height(lines: usize) -> f64 {
    f64::from(u32::try_from(lines).unwrap_or(u32::MAX)) * LINE
}

/// The colour and the dashes of a way.
const fn style(by: By) -> (&'static str, &'static str, &'static str) {
    match by {
        By::People => ("#333333", "1.3", "none"),
        By::Approval => ("#2e7d32", "2.2", "none"),
        By::Tasks => ("#6a3fa0", "2.2", "none"),
        By::Timer => ("#a35c00", "1.5", "6 4"),
        By::Itself => ("#7a7a7a", "1.5", "2 4"),
    }
}

struct Drawing {
    body: String,
    width: f64,
    height: f64,
    title: String,
}

impl Drawing {
    fn of(layout: &Layout, title: &str) -> Self {
        let right = layout.vertices.iter().map(|it| it.x + it.width / 2.0);
        let bottom = layout.vertices.iter().map(|it| it.y + it.height);
        Self {
            body: String::new(),
            width: right.fold(0.0, f64::max),
            height: bottom.fold(0.0, f64::max) + 66.0,
            title: title.to_owned(),
        }
    }

    /// Lines from box to label and from label to box, the latter with an arrow.
    fn ways(&mut self, layout: &Layout, begin: usize, edges: &[Edge]) {
        for (index, way) in layout.ways.iter().enumerate() {
            let step = index.checked_sub(begin);
            let by = step
                .and_then(|index| edges[index / 2].steps.first())
                .map_or(By::People, |step| step.by);
            let arrow = step.is_none_or(|index| index % 2 == 1);
            let (colour, thick, dashes) = style(by);
            let marker = if arrow {
                format!(" marker-end=\"url(#to-{})\"", by as u8)
            } else {
                String::new()
            };
            let path = path(layout, &way.through);
            let _ = writeln!(
                self.body,
                "<path class=\"way\" d=\"{path}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"{thick}\" stroke-dasharray=\"{dashes}\"{marker}/>"
            );
        }
    }

    fn begin(&mut self, vertex: &Vertex, title: &str) {
        let (left, top) = corner(vertex);
        let (width, height) = (vertex.width, vertex.height);
        let _ = writeln!(
            self.body,
            "<rect x=\"{left:.1}\" y=\"{top:.1}\" width=\"{width:.1}\" height=\"{height:.1}\" rx=\"14\" fill=\"#ffffff\" stroke=\"#333333\"/>"
        );
        self.text(vertex.x, vertex.y + 18.5, title, "middle", "#1a1a1a", false);
    }

    fn state(&mut self, vertex: &Vertex, node: &Node, lines: &[String]) {
        let (left, top) = corner(vertex);
        let (width, height) = (vertex.width, vertex.height);
        let (fill, line) = colours(node.category);
        let thick = if node.category == Category::Closed {
            "2.5"
        } else {
            "1.3"
        };
        let _ = writeln!(
            self.body,
            "<rect x=\"{left:.1}\" y=\"{top:.1}\" width=\"{width:.1}\" height=\"{height:.1}\" rx=\"5\" fill=\"{fill}\" stroke=\"{line}\" stroke-width=\"{thick}\"/>"
        );
        let bold = wrapped(&node.title, LABEL_CHARS).len();
        for (nth, line) in lines.iter().enumerate() {
            let y = vertex.y + 20.0 + self::height(nth);
            let colour = if nth < bold { "#1a1a1a" } else { "#444444" };
            self.text(vertex.x, y, line, "middle", colour, nth < bold);
        }
    }

    fn label(&mut self, vertex: &Vertex, lines: &[(String, By)]) {
        let (left, top) = corner(vertex);
        let (width, height) = (vertex.width, vertex.height);
        let _ = writeln!(
            self.body,
            "<rect x=\"{left:.1}\" y=\"{top:.1}\" width=\"{width:.1}\" height=\"{height:.1}\" fill=\"#ffffff\"/>"
        );
        for (nth, (line, by)) in lines.iter().enumerate() {
            let y = vertex.y + 13.0 + self::height(nth);
            self.text(vertex.x, y, line, "middle", style(*by).0, false);
        }
    }

    /// What the colours mean, of those that are there.
    fn legend(&mut self, edges: &[Edge]) {
        let there = |by: By| {
            edges
                .iter()
                .flat_map(|edge| &edge.steps)
                .any(|step| step.by == by)
        };
        let y = self.height;
        let mut x = 0.0;
        for by in By::ALL.into_iter().filter(|by| there(*by)) {
            let (colour, thick, dashes) = style(by);
            let (left, right, up) = (x + MARGIN, x + MARGIN + 30.0, y + MARGIN - 4.0);
            let _ = writeln!(
                self.body,
                "<path d=\"M {left:.1} {up:.1} H {right:.1}\" stroke=\"{colour}\" stroke-width=\"{thick}\" stroke-dasharray=\"{dashes}\"/>"
            );
            self.text(x + 36.0, y - 34.0, by.as_str(), "start", "#1a1a1a", false);
            x += 36.0 + width([by.as_str()]) + 22.0;
        }
        self.width = self.width.max(x);
        self.height += 14.0;
    }

    /// What is open anywhere, below the drawing.
    fn notes(&mut self, notes: &[String]) {
        if notes.is_empty() {
            return;
        }
        self.height += 12.0;
        self.note("Anywhere", true);
        for note in notes {
            for line in wrapped(note, NOTE_CHARS) {
                self.note(&line, false);
            }
        }
    }

    fn note(&mut self, line: &str, bold: bool) {
        self.text(
            0.0,
            self.height - 34.0 + 4.0,
            line,
            "start",
            "#1a1a1a",
            bold,
        );
        self.width = self.width.max(width([line]));
        self.height += LINE + 1.0;
    }

    fn text(&mut self, x: f64, y: f64, text: &str, anchor: &str, colour: &str, bold: bool) {
        let (x, y) = (x + MARGIN, y + MARGIN + 34.0);
        let weight = if bold { " font-weight=\"600\"" } else { "" };
        let text = escaped(text);
        let _ = writeln!(
            self.body,
            "<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\" fill=\"{colour}\"{weight}>{text}</text>"
        );
    }

    fn finished(self) -> String {
        let title = escaped(&self.title);
        let width = self.width.max(self::width([self.title.as_str()]) * 1.4) + 2.0 * MARGIN;
        let height = self.height + 2.0 * MARGIN;
        let mut text = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width:.0}\" height=\"{height:.0}\" viewBox=\"0 0 {width:.0} {height:.0}\" role=\"img\" font-family=\"system-ui, 'DejaVu Sans', Arial, sans-serif\" font-size=\"12\">\n<title>{title}</title>\n<defs>\n"
        );
        for by in By::ALL {
            let (colour, ..) = style(by);
            let _ = writeln!(
                text,
                "<marker id=\"to-{}\" viewBox=\"0 0 8 8\" refX=\"7\" refY=\"4\" markerWidth=\"8\" markerHeight=\"8\" markerUnits=\"userSpaceOnUse\" orient=\"auto\"><path d=\"M 0 0 L 8 4 L 0 8 z\" fill=\"{colour}\"/></marker>",
                by as u8
            );
        }
        let _ = write!(
            text,
            "</defs>\n<rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>\n<text x=\"{MARGIN}\" y=\"{:.0}\" font-size=\"17\" font-weight=\"600\" fill=\"#1a1a1a\">{title}</text>\n{}</svg>\n",
            MARGIN + 8.0,
            self.body
        );
        text
    }
}

/// The upper left corner of a vertex, on the paper.
fn corner(vertex: &Vertex) -> (f64, f64) {
    (
        vertex.x - vertex.width / 2.0 + MARGIN,
        vertex.y + MARGIN + 34.0,
    )
}

/// A way through the edges of its vertices, in curves that leave and arrive upright.
fn path(layout: &Layout, through: &[usize]) -> String {
    let mut path = String::new();
    for pair in through.windows(2) {
        let (one, other) = (&layout.vertices[pair[0]], &layout.vertices[pair[1]]);
        let down = one.layer < other.layer;
        let edge = |vertex: &Vertex, lower: bool| {
            let y = vertex.y + if lower { vertex.height } else { 0.0 };
            (vertex.x + MARGIN, y + MARGIN + 34.0)
        };
        let (from, to) = (edge(one, down), edge(other, !down));
        if path.is_empty() {
            let _ = write!(path, "M {:.1} {:.1}", from.0, from.1);
        } else {
            let _ = write!(path, " L {:.1} {:.1}", from.0, from.1);
        }
        let middle = f64::midpoint(from.1, to.1);
        let _ = write!(
            path,
            " C {:.1} {middle:.1} {:.1} {middle:.1} {:.1} {:.1}",
            from.0, to.0, to.0, to.1
        );
    }
    path
}

fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            _ if character.is_control() => out.push(' '),
            _ => out.push(character),
        }
    }
    out
}
