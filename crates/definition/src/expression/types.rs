//! What expressions may name, and what kind of thing each name is.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::scan;

/// What a value is, as far as can be told before there is one.
#[derive(Clone, Debug, PartialEq)]
pub enum Type {
    /// Only null.
    Null,
    /// True or false.
    Boolean,
    /// A whole number.
    Integer,
    /// Any finite number.
    Number,
    /// Any text.
    Text,
    /// An instant: CEL's timestamp.
    Instant,
    /// A length of time: CEL's duration.
    Duration,
    /// Text that is one of these.
    Options(Vec<String>),
    /// Any number of one type.
    List(Box<Type>),
    /// Named members.
    Object(Object),
    /// Either null or this. Any field may be unset, so it is null that fails when evaluated, not
    /// the check, unless nothing but null is possible.
    Nullable(Box<Type>),
    /// Not known before it is evaluated.
    Any,
}

/// The type of what has named members, such as `record` or a service.
#[derive(Clone, Debug, PartialEq)]
pub struct Object {
    name: String,
    members: BTreeMap<String, Type>,
}

/// The names that an expression may use where it stands.
#[derive(Clone, Debug, Default)]
pub struct Scope {
    names: BTreeMap<String, Type>,
    calendars: BTreeSet<String>,
    now: bool,
}

impl Type {
    /// Text that is one of these.
    pub fn options<S: Into<String>>(ids: impl IntoIterator<Item = S>) -> Self {
        Self::Options(ids.into_iter().map(Into::into).collect())
    }

    /// An object, called `name` in messages, with these members.
    pub fn object<S: Into<String>>(
        name: impl Into<String>,
        members: impl IntoIterator<Item = (S, Self)>,
    ) -> Self {
        let members = members
            .into_iter()
            .map(|(member, kind)| (member.into(), kind))
            .collect();
        Self::Object(Object {
            name: name.into(),
            members,
        })
    }

    /// A list of this.
    #[must_use]
    pub fn list(self) -> Self {
        Self::List(Box::new(self))
    }

    /// This or null.
    #[must_use]
    pub fn nullable(self) -> Self {
        if matches!(self, Self::Null | Self::Nullable(_) | Self::Any) {
            self
        } else {
            Self::Nullable(Box::new(self))
        }
    }

    /// This without null.
    pub(super) fn core(&self) -> &Self {
        if let Self::Nullable(kind) = self {
            kind.core()
        } else {
            self
        }
    }

    pub(super) fn is_text(&self) -> bool {
        matches!(self.core(), Self::Text | Self::Options(_) | Self::Any)
    }

    pub(super) fn is_numeric(&self) -> bool {
        matches!(self.core(), Self::Integer | Self::Number | Self::Any)
    }

    /// Whether a list stands in it, at any depth.
    pub(super) fn holds_list(&self) -> bool {
        match self.core() {
            Self::List(_) => true,
            Self::Object(object) => object.members.values().any(Self::holds_list),
            _ => false,
        }
    }

    /// Whether what is of this type can be used where `wanted` is. That it may be null is no
    /// obstacle: what is computed from it may then be null too, or fail.
    pub(super) fn fits(&self, wanted: &Self) -> bool {
        match (self.core(), wanted.core()) {
            (Self::Any, _)
            | (_, Self::Any)
            | (Self::Integer, Self::Number)
            | (Self::Options(_), Self::Text)
            | (Self::Null, Self::Null) => true,
            (Self::Null, _) => matches!(wanted, Self::Nullable(_)),
            (Self::Options(found), Self::Options(wanted)) => {
                found.iter().all(|option| wanted.contains(option))
            }
            (Self::List(found), Self::List(wanted)) => found.fits(wanted),
            (Self::Object(found), Self::Object(wanted)) => {
                wanted.members.iter().all(|(member, kind)| {
                    found
                        .members
                        .get(member)
                        .is_some_and(|found| found.fits(kind))
                })
            }
            (found, wanted) => found == wanted,
        }
    }

    /// Whether `==` can ever hold between the two.
    pub(super) fn comparable(&self, other: &Self) -> bool {
        match (self.core(), other.core()) {
            (Self::Options(these), Self::Options(those)) => {
                these.iter().any(|option| those.contains(option))
            }
            (Self::Any | Self::Null, _)
            | (_, Self::Any | Self::Null)
            | (Self::Text | Self::Options(_), Self::Text | Self::Options(_))
            | (Self::Integer | Self::Number, Self::Integer | Self::Number) => true,
            (Self::List(these), Self::List(those)) => these.comparable(those),
            (Self::Object(this), Self::Object(that)) => this.name == that.name,
            (this, that) => this == that,
        }
    }

    /// The type of what is one or the other, if they have anything in common.
    pub(super) fn join(self, other: Self) -> Option<Self> {
        Some(match (self, other) {
            (Self::Any, _) | (_, Self::Any) => Self::Any,
            (Self::Null, kind) | (kind, Self::Null) => kind.nullable(),
            (Self::Nullable(this), that) | (that, Self::Nullable(this)) => {
                this.join(that)?.nullable()
            }
            (Self::Options(mut these), Self::Options(those)) => {
                let new: Vec<String> = those
                    .into_iter()
                    .filter(|option| !these.contains(option))
                    .collect();
                these.extend(new);
                Self::Options(these)
            }
            (Self::Text | Self::Options(_), Self::Text | Self::Options(_)) => Self::Text,
            (Self::Integer, Self::Number) | (Self::Number, Self::Integer) => Self::Number,
            (Self::List(these), Self::List(those)) => these.join(*those)?.list(),
            (this, that) if this == that => this,
            _ => return None,
        })
    }
}

impl Object {
    /// What it is called in messages.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its members and what each is.
    pub fn members(&self) -> &BTreeMap<String, Type> {
        &self.members
    }
}

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("null"),
            Self::Boolean => f.write_str("a boolean"),
            Self::Integer => f.write_str("an integer"),
            Self::Number => f.write_str("a number"),
            Self::Text => f.write_str("text"),
            Self::Instant => f.write_str("an instant"),
            Self::Duration => f.write_str("a duration"),
            Self::Options(ids) => match ids.as_slice() {
                [only] => write!(f, "`{only}`"),
                few if few.len() <= 5 => write!(f, "one of {}", few.join(", ")),
                many => write!(
                    f,
                    "one of {}, … ({} options)",
                    many[..4].join(", "),
                    many.len()
                ),
            },
            Self::List(of) => f.write_str(match of.core() {
                Self::Null | Self::Nullable(_) | Self::Any => "a list",
                Self::Boolean => "a list of booleans",
                Self::Integer => "a list of integers",
                Self::Number => "a list of numbers",
                Self::Text => "a list of texts",
                Self::Instant => "a list of instants",
                Self::Duration => "a list of durations",
                Self::Options(_) => "a list of options",
                Self::List(_) => "a list of lists",
                Self::Object(_) => "a list of objects",
            }),
            Self::Object(object) => write!(f, "an object ({})", object.name),
            Self::Nullable(kind) => kind.fmt(f),
            Self::Any => f.write_str("anything"),
        }
    }
}

impl Scope {
    /// A scope with no names, no calendars, and without `now`.
    pub fn new() -> Self {
        Self::default()
    }

    /// This scope with a name more.
    #[must_use]
    pub fn with(mut self, name: impl Into<String>, kind: Type) -> Self {
        self.add(name, kind);
        self
    }

    /// This scope with `now`, where what is computed may change with time alone.
    #[must_use]
    pub fn with_now(mut self) -> Self {
        self.now = true;
        self
    }

    /// This scope with calendars more, which `open` and `business` may name.
    #[must_use]
    pub fn with_calendars<S: Into<String>>(mut self, ids: impl IntoIterator<Item = S>) -> Self {
        self.calendars.extend(ids.into_iter().map(Into::into));
        self
    }

    /// Adds a name; one that is there already gets the new type.
    pub fn add(&mut self, name: impl Into<String>, kind: Type) {
        self.names.insert(name.into(), kind);
    }

    /// What the name stands for, if it is in scope.
    pub fn get(&self, name: &str) -> Option<&Type> {
        self.names.get(name)
    }

    /// Whether `now` may be read.
    pub fn allows_now(&self) -> bool {
        self.now
    }

    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.names
            .keys()
            .map(String::as_str)
            .chain(self.now.then_some("now"))
    }

    pub(super) fn calendars(&self) -> &BTreeSet<String> {
        &self.calendars
    }
}

/// Whether an expression can name it: a letter or `_`, then letters, digits and `_`, and no word
/// of CEL's own. Fields, inputs and link kinds must be so named.
pub fn is_usable_name(name: &str) -> bool {
    scan::is_identifier(name) && !RESERVED.contains(&name)
}

/// Words that CEL keeps for itself, and `now`, which this crate does.
const RESERVED: [&str; 22] = [
    "as",
    "break",
    "const",
    "continue",
    "else",
    "false",
    "for",
    "function",
    "if",
    "import",
    "in",
    "let",
    "loop",
    "namespace",
    "now",
    "null",
    "package",
    "return",
    "true",
    "var",
    "void",
    "while",
];

#[cfg(test)]
mod tests {
    use super::{Type, is_usable_name};

    #[test]
    fn names_that_cel_reads_otherwise_are_not_usable() {
        for name in ["cost_centre", "_x", "impact2", "duration"] {
            assert!(is_usable_name(name), "{name}");
        }
        for name in ["cost-centre", "2nd", "", "in", "now", "naïve", "a b"] {
            assert!(!is_usable_name(name), "{name}");
        }
    }

    #[test]
    fn a_list_of_options_fits_a_list_of_text_but_not_the_other_way_round() {
        let options = Type::options(["low", "high"]).list();
        assert!(options.fits(&Type::Text.list()));
        assert!(!Type::Text.list().fits(&options));
        assert!(Type::Null.fits(&Type::Text.nullable()));
        assert!(!Type::Null.fits(&Type::Text));
    }
}
