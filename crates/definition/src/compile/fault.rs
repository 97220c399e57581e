//! What is wrong with a definition that could be read but means nothing that could run, told by its
//! path. Where the definition's text is at hand, the path leads to a line and column.

use std::fmt;

use crate::overlay::DefinitionKind;
use crate::source::{Diagnostic, Severity, Tree, nearest};

/// One thing that is wrong with a definition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The kind of the definition.
    pub kind: DefinitionKind,
    /// The id of the definition.
    pub id: String,
    /// The rule that is broken, a kebab-case word that tools may match.
    pub rule: &'static str,
    /// Whether the definition can be used in spite of it.
    pub severity: Severity,
    /// The keys that lead to the place, from the root of the definition.
    pub path: Vec<String>,
    /// What at the end of the path is wrong.
    pub spot: Spot,
    /// What is wrong.
    pub message: String,
    /// What would be right, where that is known.
    pub help: Option<String>,
}

/// What at the end of a path is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Spot {
    /// The value.
    Value,
    /// The key.
    Key,
    /// The byte at this offset of the text.
    Byte(usize),
}

impl Fault {
    /// The same, at the value at the end of this path.
    #[must_use]
    pub(crate) fn at(mut self, path: &[&str]) -> Self {
        self.path = path.iter().map(|key| (*key).to_owned()).collect();
        self
    }

    /// The same, saying what would be right.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// The same, suggesting the name that is nearest to the one written, where one is near.
    #[must_use]
    pub fn suggest<'a>(self, written: &str, known: impl IntoIterator<Item = &'a str>) -> Self {
        match nearest(written, known) {
            Some(name) => self.help(format!("did you mean `{name}`?")),
            None => self,
        }
    }

    /// The same, as one in spite of which the definition can be used.
    #[must_use]
    pub const fn warning(mut self) -> Self {
        self.severity = Severity::Warning;
        self
    }

    /// The diagnostic that shows it in the text it was read from.
    pub fn locate(&self, tree: &Tree) -> Diagnostic {
        let path: Vec<&str> = self.path.iter().map(String::as_str).collect();
        let mut diagnostic = match self.spot {
            Spot::Value => tree.error(&path, self.rule, &self.message),
            Spot::Key => tree.error_at_key(&path, self.rule, &self.message),
            Spot::Byte(offset) => tree.error_in(&path, offset, self.rule, &self.message),
        };
        diagnostic.severity = self.severity;
        diagnostic.help.clone_from(&self.help);
        diagnostic
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (kind, path) = (self.kind.as_str(), self.path.join("."));
        write!(f, "{kind} {}: {path}: {}", self.id, self.message)?;
        if let Some(help) = &self.help {
            write!(f, " ({help})")?;
        }
        Ok(())
    }
}

impl std::error::Error for Fault {}
