//! What became of each touch, for people and for programs.

use std::collections::BTreeSet;
use std::fmt::{self, Write as _};

use model::Digest;
use model::id::PackId;
use serde::Serialize;

use crate::pack::PackRef;
use crate::source::{Node, Sources, Span};

/// What became of each touch. Lists are in the order of their paths.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Report {
    /// The base that was extended.
    pub from: Version,
    /// The base that is extended now.
    pub to: Version,
    /// Touches that stay: the bases agree there.
    pub kept: Vec<String>,
    /// Touches that say what the new base says by itself.
    pub not_needed: Vec<NotNeeded>,
    /// Names that were carried over.
    pub renamed: Vec<Renamed>,
    /// Conflicts in which the adaptation's value was taken.
    pub taken_ours: Vec<String>,
    /// Conflicts in which the new base's value was taken.
    pub taken_theirs: Vec<String>,
    /// Conflicts that are left.
    pub conflicts: Vec<Conflict>,
    /// Definitions that are the adaptation's alone.
    pub own: Vec<String>,
}

/// A version of a pack.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Version {
    /// Its id.
    pub pack: PackId,
    /// Its version.
    pub version: String,
    /// Its digest.
    pub digest: Digest,
}

/// A place in a file: of the adaptation, of its `base/`, or of the new base.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Place {
    /// The path of the file within its pack.
    pub file: String,
    /// The line, from 1.
    pub line: u32,
    /// The column in characters, from 1.
    pub column: u32,
}

/// A touch that says what the new base says by itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct NotNeeded {
    /// Its path.
    pub path: String,
    /// Whether it is taken out.
    pub dropped: bool,
    /// Where it stands.
    #[serde(flatten)]
    pub place: Place,
}

/// A name that was carried over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Renamed {
    /// The path of what was renamed, as the old base has it.
    pub path: String,
    /// Its last key now.
    pub to: String,
    /// Where the adaptation named it.
    #[serde(flatten)]
    pub place: Place,
}

/// A touch that cannot stay without someone deciding.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Conflict {
    /// Its path.
    pub path: String,
    /// Why.
    pub kind: ConflictKind,
    /// What it is about: the path of what is gone, or the key to stand beside.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub about: Option<String>,
    /// What the old base says there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub old: Option<Value>,
    /// What the new base says there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub new: Option<Value>,
    /// What the adaptation says.
    pub ours: Value,
}

/// Why a touch is in conflict.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ConflictKind {
    /// The new base says something else there than the old one.
    Changed,
    /// The new base has now what only the adaptation had, and says something else.
    Added,
    /// The new base has it no more, or not that within which it stands.
    Removed,
    /// It is to stand beside a key that is gone.
    Place,
    /// It names what is gone.
    Reference,
    /// It names several things, which the new base calls differently.
    Ambiguous,
    /// It is to be renamed to what stands there already.
    Renamed,
}

/// A value and where it stands.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Value {
    /// The value; null removes.
    pub value: serde_json::Value,
    /// Where it stands.
    #[serde(flatten)]
    pub place: Place,
}

impl Report {
    pub(super) const fn new(from: Version, to: Version) -> Self {
        Self {
            from,
            to,
            kept: Vec::new(),
            not_needed: Vec::new(),
            renamed: Vec::new(),
            taken_ours: Vec::new(),
            taken_theirs: Vec::new(),
            conflicts: Vec::new(),
            own: Vec::new(),
        }
    }

    /// Orders all lists by path, so that the order of keys in files means nothing here either.
    pub(super) fn sort(&mut self) {
        let decided = self.taken_ours.iter().chain(&self.taken_theirs);
        let conflicts = self.conflicts.iter().map(|it| &it.path);
        let decided: BTreeSet<&String> = decided.chain(conflicts).collect();
        // A touch that is kept by its value may yet name what is gone.
        self.kept.retain(|path| !decided.contains(path));
        self.kept.sort();
        self.own.sort();
        self.taken_ours.sort();
        self.taken_theirs.sort();
        self.taken_ours.dedup();
        self.taken_theirs.dedup();
        self.not_needed.sort_by(|a, b| a.path.cmp(&b.path));
        let order = |place: &Place| (place.file.clone(), place.line, place.column);
        self.renamed.sort_by(|a, b| {
            a.path
                .cmp(&b.path)
                .then_with(|| order(&a.place).cmp(&order(&b.place)))
        });
        self.renamed.dedup();
        self.conflicts.sort_by(|a, b| {
            let about = a.about.cmp(&b.about);
            a.path
                .cmp(&b.path)
                .then(about)
                .then_with(|| order(&a.ours.place).cmp(&order(&b.ours.place)))
        });
        self.conflicts.dedup();
    }
}

impl Version {
    pub(super) fn of(pack: PackRef) -> Self {
        Self {
            pack: pack.id,
            version: pack.version,
            digest: pack.digest,
        }
    }
}

impl Place {
    pub(super) fn of(sources: &Sources, span: Span) -> Self {
        Self {
            file: sources.file(span.file).path.to_string(),
            line: span.line,
            column: span.column,
        }
    }
}

impl Value {
    pub(crate) fn of(sources: &Sources, node: &Node, span: Span) -> Self {
        Self {
            value: node.to_json(),
            place: Place::of(sources, span),
        }
    }

    /// The same of the new base, whose files were read as if they stood in `base/` already.
    pub(super) fn of_new_base(mut self) -> Self {
        if let Some(file) = self.place.file.strip_prefix("base/") {
            self.place.file = file.to_owned();
        }
        self
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.pack, self.version)
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.file, self.line, self.column)
    }
}

/// How long a value may be shown to people; programs get all of it.
const SHOWN_CHARS: usize = 200;

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = self.value.to_string();
        if text.chars().count() <= SHOWN_CHARS {
            return write!(f, "{text}  ({})", self.place);
        }
        let shown: String = text.chars().take(SHOWN_CHARS).collect();
        write!(f, "{shown}…  ({})", self.place)
    }
}

impl fmt::Display for Conflict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let about = self.about.as_deref().unwrap_or_default();
        let why = match self.kind {
            ConflictKind::Changed => "the new base changed it too".to_owned(),
            ConflictKind::Added => "the new base has it now, too".to_owned(),
            ConflictKind::Removed => format!("the new base has no `{about}` any more"),
            ConflictKind::Place => {
                format!("it is to stand beside `{about}`, which the new base has no more")
            }
            ConflictKind::Reference => {
                format!("it names `{about}`, which the new base has no more")
            }
            ConflictKind::Ambiguous => {
                format!("it names `{about}` and others, which have several names now")
            }
            ConflictKind::Renamed => format!(
                "`{about}` is called otherwise now, and what it is called stands there already"
            ),
        };
        writeln!(f, "{}: {why}", self.path)?;
        let base = |value: &Option<Value>| {
            value
                .as_ref()
                .map_or_else(|| "nothing".to_owned(), Value::to_string)
        };
        if !matches!(
            self.kind,
            ConflictKind::Place
                | ConflictKind::Reference
                | ConflictKind::Ambiguous
                | ConflictKind::Renamed
        ) {
            writeln!(f, "  old base  {}", base(&self.old))?;
            writeln!(f, "  new base  {}", base(&self.new))?;
        }
        write!(f, "  ours      {}", self.ours)
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut told = String::new();
        let _ = writeln!(told, "from {} to {}", self.from, self.to);
        for renamed in &self.renamed {
            let _ = writeln!(
                told,
                "renamed     {} is `{}` now  ({})",
                renamed.path, renamed.to, renamed.place
            );
        }
        for it in &self.not_needed {
            let dropped = if it.dropped { ", taken out" } else { "" };
            let _ = writeln!(told, "not needed  {}{dropped}  ({})", it.path, it.place);
        }
        for (what, paths) in [
            ("kept", &self.kept),
            ("ours", &self.taken_ours),
            ("theirs", &self.taken_theirs),
            ("own", &self.own),
        ] {
            for path in paths {
                let _ = writeln!(told, "{what:10}  {path}");
            }
        }
        for conflict in &self.conflicts {
            let _ = writeln!(told, "conflict    {conflict}");
        }
        let _ = write!(
            told,
            "{} kept, {} not needed, {} renamed, {} in conflict",
            self.kept.len(),
            self.not_needed.len(),
            self.renamed.len(),
            self.conflicts.len()
        );
        f.write_str(&told)
    }
}
