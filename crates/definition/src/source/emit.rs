//! Writes a tree as YAML that reads back as the same tree, line by line with each line's origin.

use std::fmt::Write as _;

use super::scalar::is_plain_text;
use super::{Kind, Node, Span};

/// Characters beside the controls that a file cannot hold as they are.
const UNPRINTABLE: [char; 5] = ['\u{feff}', '\u{2028}', '\u{2029}', '\u{fffe}', '\u{ffff}'];

/// The tree as YAML.
pub fn emit(node: &Node) -> String {
    emit_lines(node)
        .iter()
        .fold(String::new(), |text, (line, _)| text + line + "\n")
}

/// The lines of the tree as YAML, each with the span of what it shows: of the value where it
/// stands on that line, else of the key.
pub fn emit_lines(node: &Node) -> Vec<(String, Span)> {
    let mut lines = Vec::new();
    write_node(&mut lines, String::new(), "", node, node.span);
    lines
}

/// A text as it stands in YAML: without quotes where every reader then takes it as that text.
pub fn line_text(text: &str) -> String {
    if reads_plain(text) {
        return text.to_owned();
    }
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for character in text.chars() {
        match character {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\t' => quoted.push_str("\\t"),
            _ if character.is_control() || UNPRINTABLE.contains(&character) => {
                write!(quoted, "\\u{:04X}", u32::from(character))
                    .expect("a String takes every write");
            }
            _ => quoted.push(character),
        }
    }
    quoted.push('"');
    quoted
}

fn reads_plain(text: &str) -> bool {
    let inner = |c: char| c.is_alphanumeric() || " _-./()'!?+=*&@<>;%$^~".contains(c);
    text.starts_with(|c: char| c.is_alphabetic() || c.is_ascii_digit())
        && text.chars().all(inner)
        && !text.ends_with(' ')
        && !text.starts_with("---")
        && is_plain_text(text)
}

/// Writes `head` (a key with its colon, or a dash) and the node, the node's further lines
/// indented by `indent`.
fn write_node(
    lines: &mut Vec<(String, Span)>,
    head: String,
    indent: &str,
    node: &Node,
    head_span: Span,
) {
    let joined = |text: &str| {
        if head.is_empty() {
            text.to_owned()
        } else {
            format!("{head} {text}")
        }
    };
    match &node.kind {
        Kind::Map(map) if !map.is_empty() => {
            let within = open(lines, head, indent, head_span);
            for (key, entry) in map {
                let head = format!("{within}{}:", line_text(key));
                write_node(lines, head, &within, &entry.value, entry.key);
            }
        }
        Kind::List(items) if !items.is_empty() => {
            let within = open(lines, head, indent, head_span);
            for item in items {
                write_node(lines, format!("{within}-"), &within, item, item.span);
            }
        }
        Kind::Text { value, .. } if is_block(value) => {
            let body = value.strip_suffix('\n');
            lines.push((joined(if body.is_some() { "|" } else { "|-" }), node.span));
            for line in body.unwrap_or(value).split('\n') {
                let text = if line.is_empty() {
                    String::new()
                } else {
                    format!("{indent}  {line}")
                };
                lines.push((text, node.span));
            }
        }
        kind => lines.push((joined(&scalar(kind)), node.span)),
    }
}

/// Ends the line of a key or a dash; gives the indentation of what stands under it.
fn open(lines: &mut Vec<(String, Span)>, head: String, indent: &str, span: Span) -> String {
    if head.is_empty() {
        return indent.to_owned();
    }
    lines.push((head, span));
    format!("{indent}  ")
}

fn scalar(kind: &Kind) -> String {
    match kind {
        Kind::Null => "null".to_owned(),
        Kind::Boolean(value) => value.to_string(),
        Kind::Integer(value) => value.to_string(),
        Kind::Number(value) => {
            let text = value.to_string();
            if text.contains('.') {
                text
            } else {
                format!("{text}.0")
            }
        }
        Kind::Text { value, .. } => line_text(value),
        Kind::Map(_) => "{}".to_owned(),
        Kind::List(_) => "[]".to_owned(),
    }
}

/// Whether a text of several lines can stand as a `|` block.
fn is_block(text: &str) -> bool {
    let body = text.strip_suffix('\n').unwrap_or(text);
    body.contains('\n')
        && !body.ends_with('\n')
        && !body.starts_with([' ', '\n'])
        && body
            .lines()
            .all(|line| !line.ends_with(' ') && !line.chars().all(|c| c == ' ') || line.is_empty())
        && text
            .chars()
            .all(|c| c == '\n' || !(c.is_control() || UNPRINTABLE.contains(&c)))
}
