//! A merged definition as YAML, each line marked with the pack that wrote it.

use crate::source::{Node, Sources, emit_lines};

/// The merged tree, line by line, behind the id of the pack that each line comes from.
pub fn explain(node: &Node, sources: &Sources) -> String {
    let lines: Vec<(String, String)> = emit_lines(node)
        .into_iter()
        .map(|(line, span)| {
            (
                sources
                    .pack(span)
                    .map(ToString::to_string)
                    .unwrap_or_default(),
                line,
            )
        })
        .collect();
    let width = lines
        .iter()
        .map(|(pack, _)| pack.len())
        .max()
        .unwrap_or_default();
    lines.iter().fold(String::new(), |text, (pack, line)| {
        text + format!("{pack:width$} | {line}").trim_end() + "\n"
    })
}
