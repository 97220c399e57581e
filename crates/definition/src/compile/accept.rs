//! From JSON, as people, integrations and plugins give it, to the value of a field: held to the
//! field's own limits, and to some that every field has.

use std::sync::LazyLock;

use jsonschema::Validator;
use model::definition::{Date, FieldFormat};
use model::id::{DirectoryId, OptionId};
use model::{Instant, Value};
use serde_json::Value as Json;

use super::field::{Field, FieldKind};
use crate::expression::Term;
use crate::source::nearest;

/// The most characters of any text.
pub const MAX_TEXT_CHARS: usize = 100_000;
/// The most items of any list.
pub const MAX_ITEMS: usize = 1_000;
/// The most characters of an item of a list.
pub const MAX_ITEM_CHARS: usize = 1_000;
/// The most bytes of an object, written as JSON.
pub const MAX_OBJECT_BYTES: usize = 65_536;
/// How deep an object may nest.
const MAX_OBJECT_DEPTH: usize = 32;
/// The most characters of an id in the directory.
pub(super) const MAX_ID: usize = 200;
/// Up to here each whole number has a float of its own.
const EXACT: f64 = 9_007_199_254_740_992.0;

static EMAIL: LazyLock<Validator> = LazyLock::new(|| format("email"));
static URI: LazyLock<Validator> = LazyLock::new(|| format("uri"));

/// The same judge of a format that reads the schemas given to forms.
fn format(name: &str) -> Validator {
    jsonschema::options()
        .should_validate_formats(true)
        .build(&serde_json::json!({ "format": name }))
        .expect("the schema is a literal of this file")
}

impl Field {
    /// The value that this JSON means for the field; null is not set.
    ///
    /// # Errors
    /// What is wrong with it, as the rest of a sentence that begins with the field's name: of
    /// another type, none of the options, past a limit of the field, text of more than
    /// [`MAX_TEXT_CHARS`], a list of more than [`MAX_ITEMS`], an object of more than
    /// [`MAX_OBJECT_BYTES`].
    pub fn accept(&self, json: &Json) -> Result<Value, String> {
        if json.is_null() {
            return Ok(Value::Null);
        }
        let of_another_type = || Err(format!("must be {}, not {}", self.kind.name(), told(json)));
        match (&self.kind, json) {
            (FieldKind::Text, Json::String(text)) => self.text(text),
            (FieldKind::Options(options), Json::String(id)) => {
                if options.contains_key(id.as_str()) {
                    return Ok(Value::Text(id.clone()));
                }
                let ids = options.keys().map(OptionId::as_str);
                let list = ids.clone().take(20).collect::<Vec<_>>().join(", ");
                let more = if options.len() > 20 { ", …" } else { "" };
                let meant = nearest(id, ids)
                    .map_or_else(String::new, |near| format!("; did you mean `{near}`?"));
                Err(format!(
                    "has no option {}: it takes one of {list}{more}{meant}",
                    told(json)
                ))
            }
            (FieldKind::Date, Json::String(text)) => match text.parse::<Date>() {
                Ok(date) => Ok(Value::Text(date.to_string())),
                Err(_) => Err(format!(
                    "must be a date such as 2026-12-24, not {}",
                    told(json)
                )),
            },
            (FieldKind::Instant, Json::String(text)) => match text.parse::<Instant>() {
                Ok(instant) => Ok(Value::Instant(instant)),
                Err(_) => Err(format!(
                    "must be an instant such as 2026-03-01T09:30:00Z, not {}",
                    told(json)
                )),
            },
            (FieldKind::Integer, Json::Number(number)) => {
                let Some(integer) = number.as_i64().or_else(|| number.as_f64().and_then(whole))
                else {
                    return Err("must be a whole number of at most 64 bits".to_owned());
                };
                #[expect(
                    clippy::cast_precision_loss,
                    reason = "bounds are floats; beyond what those tell apart they are no bounds"
                )]
                self.within(integer as f64)?;
                Ok(Value::Integer(integer))
            }
            (FieldKind::Number, Json::Number(number)) => {
                let Some(number) = number.as_f64().filter(|number| number.is_finite()) else {
                    return Err("must be a finite number".to_owned());
                };
                self.within(number)?;
                Ok(Value::Number(number))
            }
            (FieldKind::Boolean, Json::Bool(value)) => Ok(Value::Boolean(*value)),
            (FieldKind::Texts, Json::Array(items)) => self.items(items, |item| match item {
                Json::String(text) if text.chars().count() > MAX_ITEM_CHARS => Err(format!(
                    "may have at most {MAX_ITEM_CHARS} characters in each item"
                )),
                Json::String(text) => Ok(text.clone()),
                other => Err(format!("must be a list of texts, not of {}", told(other))),
            }),
            (FieldKind::Reference(_), Json::String(id)) => Ok(Value::Text(reference(id)?)),
            (FieldKind::References(kind), Json::Array(items)) => {
                self.items(items, |item| match item {
                    Json::String(id) => reference(id),
                    other => Err(format!(
                        "must be a list of ids, each of a {kind}, not of {}",
                        told(other)
                    )),
                })
            }
            (FieldKind::Object, Json::Object(members)) => {
                if members
                    .values()
                    .any(|value| deeper(value, MAX_OBJECT_DEPTH - 1))
                {
                    return Err(format!("may nest at most {MAX_OBJECT_DEPTH} deep"));
                }
                let bytes = json.to_string().len();
                if bytes > MAX_OBJECT_BYTES {
                    return Err(format!(
                        "may have at most {MAX_OBJECT_BYTES} bytes, and has {bytes}"
                    ));
                }
                Ok(Value::Json(json.clone()))
            }
            _ => of_another_type(),
        }
    }

    /// The value that what an expression gave means for the field: a thing of the directory is
    /// given by its id or as the object that expressions see.
    ///
    /// # Errors
    /// Those of [`accept`](Self::accept).
    pub fn take(&self, term: Term) -> Result<Value, String> {
        let term = match (&self.kind, term) {
            (FieldKind::Reference(_), Term::Map(members)) => id_of(members),
            (FieldKind::References(_), Term::List(items)) => {
                let ids = items.into_iter().map(|item| match item {
                    Term::Map(members) => id_of(members),
                    other => other,
                });
                Term::List(ids.collect())
            }
            (_, term) => term,
        };
        self.accept(&term.to_json())
    }

    fn text(&self, text: &str) -> Result<Value, String> {
        let (least, most) = (self.source.min_length.unwrap_or(0), self.max_chars());
        let chars = text.chars().count();
        if chars > most {
            return Err(format!(
                "may have at most {most} characters, and has {chars}"
            ));
        }
        if usize::try_from(least).is_ok_and(|least| chars < least) {
            return Err(format!(
                "must have at least {least} characters, and has {chars}"
            ));
        }
        if let Some(pattern) = &self.pattern
            && !pattern.is_match(text)
        {
            let written = self.source.pattern.as_deref().unwrap_or_default();
            return Err(format!("must match the pattern {written}"));
        }
        let matches = |validator: &Validator| validator.is_valid(&Json::String(text.to_owned()));
        match self.source.format {
            Some(FieldFormat::Email) if !matches(&EMAIL) => {
                Err("must be an e-mail address such as ada@desk.example".to_owned())
            }
            Some(FieldFormat::Uri) if !matches(&URI) => {
                Err("must be a URI such as https://desk.example/page".to_owned())
            }
            _ => Ok(Value::Text(text.to_owned())),
        }
    }

    fn within(&self, number: f64) -> Result<(), String> {
        match (self.source.minimum, self.source.maximum) {
            (Some(least), _) if number < least => Err(format!("must be at least {least}")),
            (_, Some(most)) if number > most => Err(format!("must be at most {most}")),
            _ => Ok(()),
        }
    }

    fn items(
        &self,
        items: &[Json],
        each: impl Fn(&Json) -> Result<String, String>,
    ) -> Result<Value, String> {
        let most = self.max_items();
        if items.len() > most {
            return Err(format!(
                "may have at most {most} items, and has {}",
                items.len()
            ));
        }
        let items: Result<Vec<_>, _> = items.iter().map(each).collect();
        items.map(Value::Texts)
    }
}

fn id_of(mut members: std::collections::BTreeMap<String, Term>) -> Term {
    members.remove("id").unwrap_or_default()
}

fn reference(id: &str) -> Result<String, String> {
    match DirectoryId::new(id) {
        Ok(_) => Ok(id.to_owned()),
        Err(_) => Err(format!(
            "must be an id of 1 to {MAX_ID} printable characters without blanks at either end"
        )),
    }
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "only within the range that is exact"
)]
fn whole(number: f64) -> Option<i64> {
    (number.fract() == 0.0 && number.abs() <= EXACT).then_some(number as i64)
}

fn deeper(value: &Json, left: usize) -> bool {
    match value {
        Json::Array(items) => left == 0 || items.iter().any(|item| deeper(item, left - 1)),
        Json::Object(members) => left == 0 || members.values().any(|item| deeper(item, left - 1)),
        _ => false,
    }
}

/// A value as messages tell it: short, and nothing that could be long in full.
fn told(json: &Json) -> String {
    match json {
        Json::Null => "null".to_owned(),
        Json::Bool(value) => value.to_string(),
        Json::Number(number) => number.to_string(),
        Json::String(text) if text.chars().count() <= 60 => format!("`{text}`"),
        Json::String(text) => format!("`{}…`", text.chars().take(59).collect::<String>()),
        Json::Array(_) => "a list".to_owned(),
        Json::Object(_) => "an object".to_owned(),
    }
}
