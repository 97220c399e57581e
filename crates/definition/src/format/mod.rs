//! One style for the files of packs: how they are indented and spaced, never what they say.
//!
//! The style is modest. Two spaces a level; no blanks at the ends of lines, no blank line at either end
//! of a file nor two in a row; `apiVersion`, `kind`, `id` and `title` first; `{ a: 1, b: 2 }`, `[a, b]`
//! and `{}` in flow; two blanks before a comment behind something, one after its `#`. Columns that an
//! author lined up stay, as do comments, quotes, line breaks and the order of everything else.
//!
//! A file is worked on line by line: [`lines`] tells what each line is, [`flow`] spaces maps and lists
//! between brackets. The result is read back; where it would say anything else than before, the file
//! stays as it is.

mod flow;
mod lines;
#[cfg(test)]
mod tests;

use thiserror::Error;

use crate::source::{Diagnostics, Node, Sources, load};
use lines::{Line, split};

/// The keys that a definition begins with, in this order.
const FIRST: [&str; 4] = ["apiVersion", "kind", "id", "title"];

/// Why a file is not formatted.
#[derive(Debug, Error)]
pub enum FormatError {
    /// It cannot be read.
    #[error("the file cannot be read, so it is not formatted")]
    Unreadable(#[source] Diagnostics),
    /// Formatted, it would say something else.
    #[error("the file is written in a way that cannot be formatted safely; it stays as it is")]
    Unsafe,
}

/// The text of a file in the style of all.
///
/// # Errors
/// Where it cannot be read, and where formatting would change what it says.
pub fn format(text: &str) -> Result<String, FormatError> {
    let before = documents(text).map_err(FormatError::Unreadable)?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let text = text.replace("\r\n", "\n");
    let mut formatted = styled(&text);
    // What moves may show what was hidden: a blank line, or a column.
    let again = styled(&formatted);
    if again != formatted {
        formatted = again;
    }
    match documents(&formatted) {
        Ok(after) if same(&before, &after) => Ok(formatted),
        _ => Err(FormatError::Unsafe),
    }
}

fn documents(text: &str) -> Result<Vec<Node>, Diagnostics> {
    let mut sources = Sources::new();
    let file = sources.add("file", None, text);
    let mut found = Diagnostics::new();
    load(&sources, file, &mut found).ok_or(found)
}

/// Whether two files say the same, the order of everything but the first keys included.
fn same(before: &[Node], after: &[Node]) -> bool {
    let told = |documents: &[Node]| -> Vec<String> {
        let each = documents.iter().map(|node| {
            let mut entries: Vec<_> = match node.to_json() {
                serde_json::Value::Object(map) => map.into_iter().collect(),
                other => return other.to_string(),
            };
            entries.sort_by_key(|(key, _)| rank(key));
            serde_json::Value::Object(entries.into_iter().collect()).to_string()
        });
        each.collect()
    };
    told(before) == told(after)
}

/// Where a key of the top level goes; those that go nowhere keep their order behind the others.
fn rank(key: &str) -> usize {
    FIRST
        .iter()
        .position(|first| *first == key)
        .unwrap_or(FIRST.len())
}

fn styled(text: &str) -> String {
    let mut lines = split(text);
    flow::space(&mut lines);
    lines::indent(&mut lines);
    header_first(&mut lines);
    let mut out = String::with_capacity(text.len());
    let mut blank = true;
    for line in &lines {
        let empty = line.text.is_empty() && !line.verbatim;
        if empty && blank {
            continue;
        }
        out.push_str(&line.text);
        out.push('\n');
        blank = empty;
    }
    let verbatim = lines.last().is_some_and(|line| line.verbatim);
    while !verbatim && out.ends_with("\n\n") {
        out.pop();
    }
    out
}

/// Moves the first keys of each document to its beginning, where each stands on one line.
fn header_first(lines: &mut [Line]) {
    let starts = |line: &Line| line.text.starts_with("---");
    let mut from = 0;
    while from < lines.len() {
        let end = lines[from + 1..]
            .iter()
            .position(starts)
            .map_or(lines.len(), |length| from + 1 + length);
        header_of(&mut lines[from..end]);
        from = end;
    }
}

fn header_of(lines: &mut [Line]) {
    let entries: Vec<usize> = (0..lines.len())
        .filter(|index| lines[*index].key.is_some() && lines[*index].depth == 0)
        .collect();
    let is_first = |index: usize| {
        let key = lines[index].key.as_deref().unwrap_or_default();
        FIRST.contains(&key)
    };
    // Only those that stand together at the beginning are put in order: what a comment between or
    // above them is about would be guessed otherwise.
    let first = match entries.first() {
        Some(first) if is_first(*first) => *first,
        _ => return,
    };
    let length = entries
        .iter()
        .enumerate()
        .take_while(|(nth, index)| **index == first + nth && is_first(**index))
        .count();
    // What goes on over several lines stays where it is.
    let goes_on = lines.get(first + length).is_some_and(|line| line.continues);
    let length = length - usize::from(goes_on);
    let header = &mut lines[first..first + length];
    header.sort_by_key(|line| rank(line.key.as_deref().unwrap_or_default()));
}
