//! What one field or input holds: its type in expressions, and its schema in forms.

use std::collections::BTreeSet;

use indexmap::IndexMap;
use model::Value;
use model::definition::FieldFormat;
use model::id::{DirectoryKind, FieldId, OptionId, TableId};
use regex::Regex;
use serde_json::json;

use super::accept::{MAX_ID, MAX_ITEM_CHARS, MAX_ITEMS, MAX_TEXT_CHARS};
use super::types::Permits;
use crate::expression::{Expression, Type};

/// A field of a workflow, or an input of a form.
#[derive(Clone, Debug)]
pub struct Field {
    /// Its id.
    pub id: FieldId,
    /// What people see.
    pub label: String,
    /// The definition, for forms and their schemas.
    pub source: model::definition::Field,
    /// What it holds.
    pub kind: FieldKind,
    /// What its text matches.
    pub pattern: Option<Regex>,
    /// What it holds where nobody says otherwise.
    pub default: Value,
    /// Computes it.
    pub value: Option<Expression>,
    /// The fields that `value` reads.
    pub reads: BTreeSet<FieldId>,
    /// The table that decides it.
    pub decided_by: Option<TableId>,
    /// Who may set it in place of the table.
    pub overridden_by: Permits,
    /// Who may change it outside forms; none is whoever may edit the record.
    pub edit: Option<Permits>,
}

/// What a field holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FieldKind {
    /// Text.
    Text,
    /// One of these options.
    Options(IndexMap<OptionId, String>),
    /// A calendar date.
    Date,
    /// An instant.
    Instant,
    /// A whole number.
    Integer,
    /// A number.
    Number,
    /// True or false.
    Boolean,
    /// Several texts.
    Texts,
    /// The id of a thing in the directory.
    Reference(DirectoryKind),
    /// The ids of several things.
    References(DirectoryKind),
    /// A JSON object.
    Object,
}

impl FieldKind {
    /// What expressions see of it, where it is set.
    pub(super) fn term_type(&self) -> Type {
        match self {
            Self::Text | Self::Date => Type::Text,
            Self::Options(options) => Type::options(options.keys().map(OptionId::as_str)),
            Self::Instant => Type::Instant,
            Self::Integer => Type::Integer,
            Self::Number => Type::Number,
            Self::Boolean => Type::Boolean,
            Self::Texts | Self::References(_) => Type::Text.list(),
            Self::Reference(kind) => thing(kind),
            Self::Object => Type::Any,
        }
    }

    /// What is given for it, by expressions and in forms, where it is set: things of the directory
    /// by their ids.
    pub(super) fn given_type(&self) -> Type {
        match self {
            Self::Reference(_) => Type::Text,
            other => other.term_type(),
        }
    }

    /// What it is called in messages.
    pub(super) fn name(&self) -> String {
        match self {
            Self::Text => "text".to_owned(),
            Self::Options(_) => "a choice of options".to_owned(),
            Self::Date => "a date".to_owned(),
            Self::Instant => "an instant".to_owned(),
            Self::Integer => "a whole number".to_owned(),
            Self::Number => "a number".to_owned(),
            Self::Boolean => "true or false".to_owned(),
            Self::Texts => "a list of texts".to_owned(),
            Self::Reference(kind) => format!("a reference to a {kind}"),
            Self::References(kind) => format!("a list of references, each to a {kind}"),
            Self::Object => "an object".to_owned(),
        }
    }
}

/// A thing of the directory as expressions see it: its id and what its kind declares. What kinds of
/// an organisation's own have is known to the directory only.
fn thing(kind: &DirectoryKind) -> Type {
    let built_in = model::directory::BUILT_IN
        .iter()
        .find(|(name, _)| *name == kind.as_str());
    let Some((_, attributes)) = built_in else {
        return Type::Any;
    };
    let attributes = attributes.iter().map(|name| (*name, Type::Any));
    Type::object(
        kind.as_str(),
        [("id", Type::Text)].into_iter().chain(attributes),
    )
}

impl Field {
    /// What expressions see of it: null where it is not set; a reference is an object with `id`
    /// and what its kind declares, several references are their ids.
    pub fn term_type(&self) -> Type {
        self.kind.term_type().nullable()
    }

    /// The JSON Schema of what it accepts, null aside, with what a form shows of it. A reference
    /// says by `x-directory` of which kind it is.
    pub fn schema(&self) -> serde_json::Value {
        let source = &self.source;
        let mut schema = match &self.kind {
            FieldKind::Text => self.text_schema(),
            FieldKind::Options(options) => {
                let choices = options
                    .iter()
                    .map(|(id, label)| json!({ "const": id, "title": label }));
                json!({ "type": "string", "oneOf": choices.collect::<Vec<_>>() })
            }
            FieldKind::Date => json!({ "type": "string", "format": "date" }),
            FieldKind::Instant => json!({ "type": "string", "format": "date-time" }),
            FieldKind::Integer => json!({
                "type": "integer",
                "minimum": source.minimum.map_or(json!(i64::MIN), number),
                "maximum": source.maximum.map_or(json!(i64::MAX), number),
            }),
            FieldKind::Number => {
                let mut schema = json!({ "type": "number" });
                if let Some(minimum) = source.minimum {
                    schema["minimum"] = number(minimum);
                }
                if let Some(maximum) = source.maximum {
                    schema["maximum"] = number(maximum);
                }
                schema
            }
            FieldKind::Boolean => json!({ "type": "boolean" }),
            FieldKind::Texts => json!({
                "type": "array",
                "maxItems": self.max_items(),
                "items": { "type": "string", "maxLength": MAX_ITEM_CHARS },
            }),
            FieldKind::Reference(kind) => {
                let mut schema = id_schema();
                schema["x-directory"] = json!(kind);
                schema
            }
            FieldKind::References(kind) => json!({
                "type": "array",
                "maxItems": self.max_items(),
                "items": id_schema(),
                "x-directory": kind,
            }),
            FieldKind::Object => json!({ "type": "object" }),
        };
        schema["title"] = json!(self.label);
        if let Some(help) = &source.help {
            schema["description"] = json!(help);
        }
        if !self.default.is_null() {
            schema["default"] = self.default.to_json();
        }
        if self.value.is_some() {
            schema["readOnly"] = json!(true);
        }
        schema
    }

    fn text_schema(&self) -> serde_json::Value {
        let mut schema = json!({ "type": "string", "maxLength": self.max_chars() });
        if let Some(least) = self.source.min_length {
            schema["minLength"] = json!(least);
        }
        if let Some(pattern) = &self.source.pattern {
            schema["pattern"] = json!(pattern);
        }
        match self.source.format {
            Some(FieldFormat::Email) => schema["format"] = json!("email"),
            Some(FieldFormat::Uri) => schema["format"] = json!("uri"),
            _ => {}
        }
        schema
    }

    /// The most characters that its text may have.
    pub(super) fn max_chars(&self) -> usize {
        self.source
            .max_length
            .map_or(MAX_TEXT_CHARS, |most| to_usize(most).min(MAX_TEXT_CHARS))
    }

    /// The most items that its list may have.
    pub(super) fn max_items(&self) -> usize {
        self.source
            .max_items
            .map_or(MAX_ITEMS, |most| to_usize(most).min(MAX_ITEMS))
    }
}

fn to_usize(number: u32) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

/// The schema of a directory id.
fn id_schema() -> serde_json::Value {
    json!({ "type": "string", "maxLength": MAX_ID, "pattern": "^\\S(.*\\S)?$" })
}

/// A bound as people write it: whole where it is whole.
fn number(bound: f64) -> serde_json::Value {
    #[expect(
        clippy::cast_possible_truncation,
        reason = "only where the number is whole and small enough to be exact"
    )]
    if bound.fract() == 0.0 && bound.abs() < 9e15 {
        json!(bound as i64)
    } else {
        json!(bound)
    }
}
