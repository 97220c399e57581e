//! What is wrong with a definition, where, and what would be right; shown as compilers show it.

use std::fmt;

use serde::Serialize;

use super::{SourceFile, Span};

/// How many diagnostics are kept; of more, only their number.
pub const MAX_DIAGNOSTICS: usize = 100;

/// How much of a long line is shown around the place.
const EXCERPT_CHARS: usize = 120;

/// Whether a definition can be used in spite of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// It cannot.
    Error,
    /// It can, but is probably not what is meant.
    Warning,
}

/// One thing that is wrong, with its place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Diagnostic {
    /// Error or warning.
    pub severity: Severity,
    /// The rule that is broken, a kebab-case word that tools may match.
    pub rule: &'static str,
    /// What is wrong.
    pub message: String,
    /// The path of the file within the pack.
    pub file: String,
    /// The line, from 1.
    pub line: u32,
    /// The column in characters, from 1.
    pub column: u32,
    /// What would be right, where that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub help: Option<String>,
    #[serde(skip)]
    excerpt: Option<Box<Excerpt>>,
}

/// The part of the line to show, and what in it to underline, in characters.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Excerpt {
    text: String,
    offset: usize,
    length: usize,
}

impl Diagnostic {
    pub(super) fn at(
        file: &SourceFile,
        span: Span,
        severity: Severity,
        rule: &'static str,
        message: String,
    ) -> Self {
        Self {
            severity,
            rule,
            message,
            file: file.path.to_string(),
            line: span.line,
            column: span.column,
            help: None,
            excerpt: Excerpt::of(&file.text, span).map(Box::new),
        }
    }

    /// An error about a file as a whole, or one that is missing.
    pub fn of_file(path: &str, rule: &'static str, message: impl Into<String>) -> Self {
        let message = message.into();
        let (line, column) = (1, 1);
        let file = path.to_owned();
        Self {
            severity: Severity::Error,
            rule,
            message,
            file,
            line,
            column,
            help: None,
            excerpt: None,
        }
    }

    /// The same, saying what would be right.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// The same, suggesting a name, where there is one to suggest.
    #[must_use]
    pub fn suggest(self, name: Option<&str>) -> Self {
        match name {
            Some(name) => self.help(format!("did you mean `{name}`?")),
            None => self,
        }
    }
}

impl Excerpt {
    /// Looks no farther from the place than is shown: a file may be one line of a megabyte, with a
    /// fault at every other character.
    fn of(text: &str, span: Span) -> Option<Self> {
        const FARTHEST: usize = 4 * EXCERPT_CHARS;
        let start = span.start as usize;
        let from = text.floor_char_boundary(start.saturating_sub(FARTHEST));
        let to = text.floor_char_boundary(start.saturating_add(FARTHEST));
        let before = text.get(from..start)?;
        let before = before.rsplit('\n').next().unwrap_or_default();
        let after = text.get(start..to)?.lines().next().unwrap_or_default();
        if before.is_empty() && after.is_empty() && start == text.len() {
            return None;
        }
        let (reached, rest) = (before.chars().count(), after.chars().count());
        let skipped = if reached + rest <= EXCERPT_CHARS {
            0
        } else {
            reached.saturating_sub(EXCERPT_CHARS / 3)
        };
        let offset = reached - skipped;
        let line = before.chars().skip(skipped).chain(after.chars());
        let shown: String = line.take(EXCERPT_CHARS).collect();
        let spanned = after.get(..(span.end.max(span.start) - span.start) as usize);
        let length = spanned.unwrap_or(after).trim_end().chars().count();
        let length = length.min(EXCERPT_CHARS.saturating_sub(offset)).max(1);
        // Whatever the text holds, what is printed moves no cursor.
        let hidden = |c: char| c.is_control() || "\u{feff}\u{2028}\u{2029}".contains(c);
        let text = shown.trim_end_matches(' ').replace(hidden, "\u{fffd}");
        Some(Self {
            text,
            offset,
            length,
        })
    }
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let severity = match self.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
        };
        writeln!(f, "{severity}[{}]: {}", self.rule, self.message)?;
        let number = self.line.to_string();
        let margin = " ".repeat(number.len());
        write!(f, "{margin}--> {}:{}:{}", self.file, self.line, self.column)?;
        if let Some(excerpt) = &self.excerpt {
            let Excerpt {
                text,
                offset,
                length,
            } = &**excerpt;
            let (blank, carets) = (" ".repeat(*offset), "^".repeat(*length));
            write!(
                f,
                "\n{margin} |\n{number} | {text}\n{margin} | {blank}{carets}"
            )?;
        }
        if let Some(help) = &self.help {
            write!(f, "\n{margin} = help: {help}")?;
        }
        Ok(())
    }
}

/// Everything found wrong, up to [`MAX_DIAGNOSTICS`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Diagnostics {
    list: Vec<Diagnostic>,
    omitted: usize,
}

impl Diagnostics {
    /// Nothing wrong yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds one; past the bound it is only counted.
    pub fn push(&mut self, diagnostic: Diagnostic) {
        if self.list.len() < MAX_DIAGNOSTICS {
            self.list.push(diagnostic);
        } else {
            self.omitted += 1;
        }
    }

    /// Adds all of another collection.
    pub fn append(&mut self, other: Self) {
        self.omitted += other.omitted;
        for diagnostic in other.list {
            self.push(diagnostic);
        }
    }

    /// Whether nothing at all was found.
    pub const fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// How many were found, those not kept included.
    pub const fn len(&self) -> usize {
        self.list.len() + self.omitted
    }

    /// Whether there is an error among them.
    pub fn has_errors(&self) -> bool {
        self.omitted > 0
            || self
                .list
                .iter()
                .any(|diagnostic| diagnostic.severity == Severity::Error)
    }

    /// Those that were kept.
    pub fn iter(&self) -> std::slice::Iter<'_, Diagnostic> {
        self.list.iter()
    }

    /// Orders them by file and line, errors and warnings together.
    pub fn sort(&mut self) {
        self.list
            .sort_by(|a, b| (&a.file, a.line, a.column).cmp(&(&b.file, b.line, b.column)));
    }

    /// `value` if there is no error among them; else them, in order.
    pub fn into_result<T>(mut self, value: Option<T>) -> Result<T, Self> {
        match value {
            Some(value) if !self.has_errors() => Ok(value),
            _ => {
                self.sort();
                Err(self)
            }
        }
    }
}

impl<'a> IntoIterator for &'a Diagnostics {
    type Item = &'a Diagnostic;
    type IntoIter = std::slice::Iter<'a, Diagnostic>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl From<Diagnostic> for Diagnostics {
    fn from(diagnostic: Diagnostic) -> Self {
        Self {
            list: vec![diagnostic],
            omitted: 0,
        }
    }
}

impl fmt::Display for Diagnostics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, diagnostic) in self.list.iter().enumerate() {
            let gap = if index == 0 { "" } else { "\n\n" };
            write!(f, "{gap}{diagnostic}")?;
        }
        if self.omitted > 0 {
            write!(f, "\n\nand {} more", self.omitted)?;
        }
        Ok(())
    }
}

impl std::error::Error for Diagnostics {}
