//! Definitions as text: files read into trees of nodes that know where they stand.
//!
//! The loader takes a strict part of YAML and refuses what a reader might understand otherwise
//! than another. What it gives keeps the span of every key and value, so that every later stage
//! can say where something is wrong.

mod diagnostic;
mod emit;
mod fault;
mod load;
mod locate;
mod read;
mod scalar;
mod suggest;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use indexmap::IndexMap;
use model::id::PackId;

pub use diagnostic::{Diagnostic, Diagnostics, MAX_DIAGNOSTICS, Severity};
pub use emit::{emit, emit_lines, line_text};
pub use load::{MAX_DEPTH, MAX_FILE_BYTES, MAX_NODES, load};
pub(crate) use locate::span_within;
pub use locate::{Position, Tree};
pub use read::read;
pub use suggest::nearest;

/// A file among the sources that were read together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FileId(u32);

/// Where a key or a value stands in its file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Span {
    /// The file.
    pub file: FileId,
    /// The line, from 1.
    pub line: u32,
    /// The column in characters, from 1.
    pub column: u32,
    /// The offset in bytes of its first byte.
    pub start: u32,
    /// The offset in bytes after its last byte.
    pub end: u32,
}

/// A value with the place where it was written.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    /// Where it stands.
    pub span: Span,
    /// What it is.
    pub kind: Kind,
}

/// What a node holds.
#[derive(Clone, Debug, PartialEq)]
pub enum Kind {
    /// `null`: in a merge patch, removes; nowhere a value.
    Null,
    /// `true` or `false`.
    Boolean(bool),
    /// A whole number.
    Integer(i64),
    /// A number with a fraction or an exponent, finite.
    Number(f64),
    /// Text.
    Text {
        /// The text, escapes undone.
        value: String,
        /// How it was written.
        style: Style,
    },
    /// A map, in the order written.
    Map(Map),
    /// A list.
    List(Vec<Node>),
}

/// The entries of a map by key, in the order written.
pub type Map = IndexMap<String, Entry>;

/// One entry of a map.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// Where the key stands.
    pub key: Span,
    /// The value.
    pub value: Node,
}

/// How a text was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// Without quotes.
    Plain,
    /// In single quotes.
    Single,
    /// In double quotes.
    Double,
    /// As a `|` block.
    Literal,
    /// As a `>` block.
    Folded,
}

/// A file that was read.
#[derive(Clone, Debug)]
pub struct SourceFile {
    /// Its path, as the pack's map of files names it.
    pub path: Arc<str>,
    /// The pack it belongs to; none while that is not known.
    pub pack: Option<PackId>,
    /// Its text.
    pub text: Arc<str>,
}

/// All files read together: what spans refer to.
#[derive(Clone, Debug, Default)]
pub struct Sources {
    files: Vec<SourceFile>,
}

impl Sources {
    /// No files yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a file and gives the id by which spans name it.
    pub fn add(&mut self, path: &str, pack: Option<PackId>, text: &str) -> FileId {
        let id = u32::try_from(self.files.len()).expect("packs hold far fewer than 2^32 files");
        self.files.push(SourceFile {
            path: path.into(),
            pack,
            text: text.into(),
        });
        FileId(id)
    }

    /// The file behind an id.
    pub fn file(&self, id: FileId) -> &SourceFile {
        &self.files[id.0 as usize]
    }

    /// The file of this path.
    pub fn find(&self, path: &str) -> Option<FileId> {
        let at = self.files.iter().position(|file| &*file.path == path)?;
        u32::try_from(at).ok().map(FileId)
    }

    /// Says which pack a file belongs to.
    pub fn set_pack(&mut self, id: FileId, pack: &PackId) {
        self.files[id.0 as usize].pack = Some(pack.clone());
    }

    /// The pack that what stands at this span comes from.
    pub fn pack(&self, span: Span) -> Option<&PackId> {
        self.file(span.file).pack.as_ref()
    }

    /// `path:line:column` of a span, for mention within a message.
    pub fn place(&self, span: Span) -> String {
        format!(
            "{}:{}:{}",
            self.file(span.file).path,
            span.line,
            span.column
        )
    }

    /// An error at this span.
    pub fn error(&self, span: Span, rule: &'static str, message: impl Into<String>) -> Diagnostic {
        let file = self.file(span.file);
        Diagnostic::at(file, span, Severity::Error, rule, message.into())
    }

    /// A warning at this span.
    pub fn warning(
        &self,
        span: Span,
        rule: &'static str,
        message: impl Into<String>,
    ) -> Diagnostic {
        let file = self.file(span.file);
        Diagnostic::at(file, span, Severity::Warning, rule, message.into())
    }
}

impl Span {
    /// The beginning of a file.
    pub const fn start_of(file: FileId) -> Self {
        Self {
            file,
            line: 1,
            column: 1,
            start: 0,
            end: 0,
        }
    }
}

impl Node {
    /// An empty map standing here.
    pub fn empty_map(span: Span) -> Self {
        Self {
            span,
            kind: Kind::Map(Map::new()),
        }
    }

    /// Its entries, where it is a map.
    pub const fn as_map(&self) -> Option<&Map> {
        if let Kind::Map(map) = &self.kind {
            Some(map)
        } else {
            None
        }
    }

    /// Its text, where it is one.
    pub fn as_text(&self) -> Option<&str> {
        if let Kind::Text { value, .. } = &self.kind {
            Some(value)
        } else {
            None
        }
    }

    /// The value of a key, where it is a map that has it.
    pub fn get(&self, key: &str) -> Option<&Self> {
        self.as_map()?.get(key).map(|entry| &entry.value)
    }

    /// The value at the end of a path of keys; a number in text steps into a list.
    pub fn at(&self, path: &[&str]) -> Option<&Self> {
        path.iter().try_fold(self, |node, step| match &node.kind {
            Kind::Map(map) => map.get(*step).map(|entry| &entry.value),
            Kind::List(items) => items.get(step.parse::<usize>().ok()?),
            _ => None,
        })
    }

    /// The same value as JSON, positions forgotten, order kept.
    pub fn to_json(&self) -> serde_json::Value {
        match &self.kind {
            Kind::Null => serde_json::Value::Null,
            Kind::Boolean(value) => (*value).into(),
            Kind::Integer(value) => (*value).into(),
            Kind::Number(value) => (*value).into(),
            Kind::Text { value, .. } => value.clone().into(),
            Kind::Map(map) => {
                let entries = map
                    .iter()
                    .map(|(key, entry)| (key.clone(), entry.value.to_json()));
                serde_json::Value::Object(entries.collect())
            }
            Kind::List(items) => items.iter().map(Self::to_json).collect(),
        }
    }
}
