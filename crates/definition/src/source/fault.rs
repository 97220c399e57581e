//! What does not fit its type, in the words of whoever writes definitions.

use std::fmt;

use serde::de::{Expected, Unexpected};

use super::{Diagnostic, Node, Sources, Span, nearest};

/// What does not fit, on its way up to where it is reported.
#[derive(Debug)]
pub(super) struct Fault {
    pub(super) rule: &'static str,
    message: Box<str>,
    help: Option<Box<str>>,
    span: Option<Span>,
    /// The keys down to it, the last first.
    pub(super) path: Vec<String>,
    pub(super) about: About,
}

/// The key that a fault is about, where it is not the one it stands at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum About {
    /// No other.
    Itself,
    /// A key that is missing.
    Missing(&'static str),
    /// The known key that was probably meant, which is then not reported as missing.
    Meant(&'static str),
}

impl Fault {
    pub(super) fn new(rule: &'static str, message: String) -> Self {
        Self {
            rule,
            message: message.into(),
            help: None,
            span: None,
            path: Vec::new(),
            about: About::Itself,
        }
    }

    /// The same, placed here if nothing placed it more exactly.
    pub(super) fn at(mut self, span: Span) -> Self {
        self.span.get_or_insert(span);
        self
    }

    pub(super) fn under(mut self, key: &str) -> Self {
        self.path.push(key.to_owned());
        self
    }

    pub(super) fn into_diagnostic(self, root: &Node, sources: &Sources) -> Diagnostic {
        let diagnostic = sources.error(self.span.unwrap_or(root.span), self.rule, self.message);
        match self.help {
            Some(help) => diagnostic.help(help),
            None => diagnostic,
        }
    }

    /// An unknown word, with the nearest that is known, or all of them where they are few.
    fn unknown(rule: &'static str, what: &str, word: &str, known: &'static [&'static str]) -> Self {
        const FEW: usize = 16;
        let short: String = word.chars().take(80).collect();
        let near = nearest(word, known.iter().copied());
        let (message, help) = match near {
            Some(near) => (
                format!("unknown {what} `{short}`, did you mean `{near}`?"),
                None,
            ),
            None if known.is_empty() => (format!("unknown {what} `{short}`"), None),
            None => {
                let listed: Vec<String> = known
                    .iter()
                    .take(FEW)
                    .map(|word| format!("`{word}`"))
                    .collect();
                let more = if known.len() > FEW { " and others" } else { "" };
                (
                    format!("unknown {what} `{short}`"),
                    Some(format!("known here: {}{more}", listed.join(", "))),
                )
            }
        };
        Self {
            help: help.map(Into::into),
            about: near.map_or(About::Itself, About::Meant),
            ..Self::new(rule, message)
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Fault {}

impl serde::de::Error for Fault {
    fn custom<T: fmt::Display>(message: T) -> Self {
        let message = message.to_string();
        // What serde says of an untagged enum names a Rust type; a reader of YAML knows its forms.
        match message.strip_prefix("data did not match any variant of untagged enum ") {
            Some("Permit") => Self::new(
                "type",
                "expected `true`, `false` or an expression in quotes".to_owned(),
            ),
            Some(_) => Self::new("type", "none of the forms that may stand here".to_owned()),
            None => Self::new("value", message),
        }
    }

    fn invalid_type(found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        let wanted = expected_words(&expected.to_string());
        let mut fault = Self::new(
            "type",
            format!("expected {wanted}, found {}", found_words(found)),
        );
        if wanted == "text" {
            fault.help = match found {
                Unexpected::Bool(_)
                | Unexpected::Signed(_)
                | Unexpected::Unsigned(_)
                | Unexpected::Float(_) => Some("if text is meant, put it in quotes".into()),
                _ => None,
            };
        }
        fault
    }

    fn invalid_value(found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        let wanted = expected_words(&expected.to_string());
        Self::new(
            "value",
            format!("{} does not fit: expected {wanted}", found_words(found)),
        )
    }

    fn unknown_field(key: &str, known: &'static [&'static str]) -> Self {
        Self::unknown("unknown-key", "key", key, known)
    }

    fn unknown_variant(word: &str, known: &'static [&'static str]) -> Self {
        Self::unknown("unknown-word", "word", word, known)
    }

    fn missing_field(key: &'static str) -> Self {
        Self {
            about: About::Missing(key),
            ..Self::new("missing-key", format!("`{key}` is missing here"))
        }
    }
}

fn expected_words(expected: &str) -> String {
    match expected {
        "a boolean" => "`true` or `false`".to_owned(),
        "a string" | "a borrowed string" | "string" | "a character" | "a variant identifier" => {
            "text".to_owned()
        }
        "i8" | "i16" | "i32" | "i64" | "isize" | "i128" => "a whole number".to_owned(),
        "u8" => "a whole number from 0 to 255".to_owned(),
        "u16" => "a whole number from 0 to 65535".to_owned(),
        "u32" | "u64" | "usize" | "u128" => "a whole number, not negative".to_owned(),
        "f32" | "f64" => "a number".to_owned(),
        "a sequence" => "a list".to_owned(),
        "variant identifier" | "field identifier" => "one of the known words".to_owned(),
        _ if expected.starts_with("struct ") => "a map".to_owned(),
        _ if expected.starts_with("enum ") => "one of the known words or a map".to_owned(),
        _ => expected.to_owned(),
    }
}

fn found_words(found: Unexpected<'_>) -> String {
    match found {
        Unexpected::Bool(value) => format!("`{value}`"),
        Unexpected::Signed(value) => format!("the number {value}"),
        Unexpected::Unsigned(value) => format!("the number {value}"),
        Unexpected::Float(value) => format!("the number {value}"),
        Unexpected::Str(text) if text.chars().count() > 60 => "a long text".to_owned(),
        Unexpected::Str(text) => format!("the text \"{text}\""),
        Unexpected::Unit | Unexpected::Option => "`null`".to_owned(),
        Unexpected::Seq => "a list".to_owned(),
        Unexpected::Map => "a map".to_owned(),
        other => other.to_string(),
    }
}
