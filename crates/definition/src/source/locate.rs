//! From a path within a definition, and an offset within a text, back to the line and column.

use std::sync::Arc;

use model::id::PackId;

use super::{Diagnostic, Kind, Node, Sources, Span, Style};

/// A place in a file of a pack.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Position {
    /// The path of the file within the pack.
    pub file: Arc<str>,
    /// The line, from 1.
    pub line: u32,
    /// The column in characters, from 1.
    pub column: u32,
    /// The pack that says what stands here.
    pub pack: Option<PackId>,
}

/// A tree together with the sources it was read from.
#[derive(Clone, Debug)]
pub struct Tree {
    /// The tree.
    pub root: Node,
    /// Its sources.
    pub sources: Arc<Sources>,
}

impl Tree {
    /// Where the value at this path stands: or, where the path leads nowhere, the deepest part of
    /// it that exists.
    pub fn position(&self, path: &[&str]) -> Position {
        self.to_position(self.value_span(path))
    }

    /// Where the byte at `offset` of the text at this path stands. Exact within texts on one line
    /// and `|` blocks; elsewhere where the text begins.
    pub fn position_in(&self, path: &[&str], offset: usize) -> Position {
        self.to_position(self.span_in(path, offset))
    }

    /// An error at the value at this path.
    pub fn error(
        &self,
        path: &[&str],
        rule: &'static str,
        message: impl Into<String>,
    ) -> Diagnostic {
        self.sources.error(self.value_span(path), rule, message)
    }

    /// An error at the key that the path ends with.
    pub fn error_at_key(
        &self,
        path: &[&str],
        rule: &'static str,
        message: impl Into<String>,
    ) -> Diagnostic {
        self.sources.error(self.key_span(path), rule, message)
    }

    /// An error at the byte at `offset` of the text at this path.
    pub fn error_in(
        &self,
        path: &[&str],
        offset: usize,
        rule: &'static str,
        message: impl Into<String>,
    ) -> Diagnostic {
        self.sources
            .error(self.span_in(path, offset), rule, message)
    }

    /// A warning at the key that the path ends with.
    pub fn warning(
        &self,
        path: &[&str],
        rule: &'static str,
        message: impl Into<String>,
    ) -> Diagnostic {
        self.sources.warning(self.key_span(path), rule, message)
    }

    /// A warning at the byte at `offset` of the text at this path.
    pub fn warning_in(
        &self,
        path: &[&str],
        offset: usize,
        rule: &'static str,
        message: impl Into<String>,
    ) -> Diagnostic {
        self.sources
            .warning(self.span_in(path, offset), rule, message)
    }

    fn to_position(&self, span: Span) -> Position {
        let file = self.sources.file(span.file);
        Position {
            file: file.path.clone(),
            line: span.line,
            column: span.column,
            pack: file.pack.clone(),
        }
    }

    fn value_span(&self, path: &[&str]) -> Span {
        (0..=path.len())
            .rev()
            .find_map(|length| self.root.at(&path[..length]))
            .unwrap_or(&self.root)
            .span
    }

    /// The span of the key that the path ends with, or else of the nearest thing above it.
    fn key_span(&self, path: &[&str]) -> Span {
        for length in (1..=path.len()).rev() {
            let (last, above) = path[..length]
                .split_last()
                .expect("the length is at least one");
            let entry = self
                .root
                .at(above)
                .and_then(Node::as_map)
                .and_then(|map| map.get(*last));
            if let Some(entry) = entry {
                return entry.key;
            }
        }
        self.value_span(path)
    }

    fn span_in(&self, path: &[&str], offset: usize) -> Span {
        let Some(node) = self.root.at(path) else {
            return self.value_span(path);
        };
        span_within(&self.sources, node, offset).unwrap_or(node.span)
    }
}

/// The place of one byte of a text, where it can be told.
pub(crate) fn span_within(sources: &Sources, node: &Node, offset: usize) -> Option<Span> {
    let Kind::Text { value, style } = &node.kind else {
        return None;
    };
    let before = value.get(..offset)?;
    let source = &sources.file(node.span.file).text;
    let raw = source.get(node.span.start as usize..node.span.end as usize)?;
    let skipped = match style {
        Style::Plain => (raw.trim_end() == value).then_some(offset)?,
        Style::Single => 1 + before.len() + before.matches('\'').count(),
        Style::Double => 1 + escaped_length(raw.get(1..)?, before.len())?,
        Style::Literal => return within_block(source, node.span, value, before),
        Style::Folded => return None,
    };
    let passed = raw.get(..skipped)?;
    if passed.contains('\n') {
        return None;
    }
    let start = node.span.start + to_u32(skipped);
    let column = node.span.column + to_u32(passed.chars().count());
    Some(Span {
        column,
        start,
        end: start + 1,
        ..node.span
    })
}

/// How many bytes of a double-quoted text spell its first `wanted` bytes.
fn escaped_length(raw: &str, wanted: usize) -> Option<usize> {
    let (mut read, mut meant) = (0, 0);
    while meant < wanted {
        let rest = &raw[read..];
        let character = rest.chars().next()?;
        if character != '\\' {
            read += character.len_utf8();
            meant += character.len_utf8();
            continue;
        }
        let (digits, width) = match rest.as_bytes().get(1)? {
            b'x' => (2, None),
            b'u' => (4, None),
            b'U' => (8, None),
            b'N' | b'_' => (0, Some(2)),
            b'L' | b'P' => (0, Some(3)),
            b'\n' | b'\r' => return None,
            _ => (0, Some(1)),
        };
        let width = match width {
            Some(width) => width,
            None => {
                char::from_u32(u32::from_str_radix(rest.get(2..2 + digits)?, 16).ok()?)?.len_utf8()
            }
        };
        read += 2 + digits;
        meant += width;
    }
    Some(read)
}

/// The place within a `|` block: as many lines below its first, indented as its lines are.
fn within_block(source: &str, span: Span, value: &str, before: &str) -> Option<Span> {
    let row = before.matches('\n').count();
    // The span begins with the content, or with the header on the line above it.
    let first = source.get(..span.start as usize)?.matches('\n').count();
    let headed = source.get(span.start as usize..)?.starts_with('|');
    let line_index = first + usize::from(headed) + row;
    let line = source.lines().nth(line_index)?;
    let meant = value.lines().nth(row)?;
    let indent = line.strip_suffix(meant)?.len();
    let in_line = before.rsplit('\n').next().unwrap_or_default();
    let start: usize = source
        .split_inclusive('\n')
        .take(line_index)
        .map(str::len)
        .sum::<usize>()
        + indent
        + in_line.len();
    Some(Span {
        file: span.file,
        line: to_u32(line_index + 1),
        column: to_u32(indent + in_line.chars().count() + 1),
        start: to_u32(start),
        end: to_u32(start + 1),
    })
}

fn to_u32(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}
