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

#[cfg(test)]
mod tests {
    use model::Value;
    use model::id::FieldId;
    use proptest::prelude::*;
    use serde_json::{Value as Json, json};

    use super::super::Names;
    use super::super::compiler::Compiler;
    use super::super::fields::stand_alone;
    use super::{Field, MAX_ITEMS, MAX_OBJECT_BYTES, MAX_TEXT_CHARS};
    use crate::expression::Term;
    use crate::overlay::DefinitionKind;

    fn field(definition: &Json) -> Field {
        let source = serde_json::from_value(definition.clone()).expect("a field");
        let names = Names::default();
        let mut compiler = Compiler::new(DefinitionKind::Workflow, "test", &names);
        let id = FieldId::new("field").expect("an id");
        let field = stand_alone(&mut compiler, &id, &source);
        compiler.into_result(field).expect("no fault")
    }

    /// Fields of every kind, with and without limits.
    fn fields() -> Vec<Field> {
        [
            json!({ "type": "string" }),
            json!({ "type": "string", "minLength": 2, "maxLength": 4 }),
            json!({ "type": "string", "pattern": "^[0-9]{4}$" }),
            json!({ "type": "string", "pattern": "\\d\\w" }),
            json!({ "type": "string", "format": "email" }),
            json!({ "type": "string", "format": "uri" }),
            json!({ "type": "string", "format": "date" }),
            json!({ "type": "string", "format": "date-time" }),
            json!({ "options": { "low": { "label": "One person" }, "high": {} } }),
            json!({ "type": "integer" }),
            json!({ "type": "integer", "minimum": 0, "maximum": 10 }),
            json!({ "type": "number" }),
            json!({ "type": "number", "minimum": -0.5, "maximum": 2.5 }),
            json!({ "type": "boolean" }),
            json!({ "type": "array" }),
            json!({ "type": "array", "maxItems": 2 }),
            json!({ "ref": "service" }),
            json!({ "type": "array", "ref": "service", "maxItems": 2 }),
            json!({ "type": "object" }),
        ]
        .iter()
        .map(field)
        .collect()
    }

    fn agree(field: &Field, json: &Json) -> Result<(), TestCaseError> {
        let schema = jsonschema::options()
            .should_validate_formats(true)
            .build(&field.schema())
            .expect("a schema");
        let accepted = field.accept(json);
        prop_assert_eq!(
            accepted.is_ok(),
            schema.is_valid(json),
            "{:?} of {} by {}",
            accepted,
            json,
            field.schema()
        );
        Ok(())
    }

    fn values() -> impl Strategy<Value = Json> {
        let text = prop_oneof![
            Just("low".to_owned()),
            Just("2026-12-24".to_owned()),
            Just("2026-02-30".to_owned()),
            Just("2026-03-01T09:30:00Z".to_owned()),
            Just("ada@desk.example".to_owned()),
            Just("https://desk.example/page?x=1".to_owned()),
            Just("mail-1".to_owned()),
            "[0-9]{3,5}",
            "[ a-z٣é]{0,6}",
        ];
        let leaf = prop_oneof![
            any::<bool>().prop_map(Json::from),
            any::<i64>().prop_map(Json::from),
            any::<u64>().prop_map(Json::from),
            (-3_i64..13).prop_map(Json::from),
            (-4.0..4.0).prop_map(|number: f64| json!(number)),
            (-4_i32..12).prop_map(|number| json!(f64::from(number))),
            text.prop_map(Json::from),
        ];
        leaf.prop_recursive(2, 8, 3, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Json::from),
                prop::collection::btree_map("[a-c]", inner, 0..3)
                    .prop_map(|members| Json::Object(members.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn a_form_and_the_server_take_the_same(json in values()) {
            for field in fields() {
                agree(&field, &json)?;
            }
        }

        #[test]
        fn what_is_accepted_is_accepted_again_as_it_is_shown(json in values()) {
            for field in fields() {
                if let Ok(value) = field.accept(&json) {
                    prop_assert_eq!(field.accept(&value.to_json()), Ok(value));
                }
            }
        }
    }

    #[test]
    fn null_is_not_set_whatever_the_field() {
        for field in fields() {
            assert_eq!(field.accept(&Json::Null), Ok(Value::Null));
        }
    }

    #[test]
    fn what_is_wrong_is_said_with_what_would_be_right() {
        let cases = [
            (
                json!({ "options": { "low": {}, "high": {} } }),
                json!("hihg"),
                "has no option `hihg`: it takes one of low, high; did you mean `high`?",
            ),
            (json!({ "type": "string" }), json!(3), "must be text, not 3"),
            (
                json!({ "type": "string", "maxLength": 3 }),
                json!("four"),
                "may have at most 3 characters, and has 4",
            ),
            (
                json!({ "type": "string", "minLength": 3 }),
                json!("né"),
                "must have at least 3 characters, and has 2",
            ),
            (
                json!({ "type": "string", "pattern": "^[0-9]{4}$" }),
                json!("12a4"),
                "must match the pattern ^[0-9]{4}$",
            ),
            (
                json!({ "type": "string", "format": "date" }),
                json!("2026-02-29"),
                "must be a date such as 2026-12-24, not `2026-02-29`",
            ),
            (
                json!({ "type": "string", "format": "date-time" }),
                json!("tomorrow"),
                "must be an instant such as 2026-03-01T09:30:00Z, not `tomorrow`",
            ),
            (
                json!({ "type": "integer", "maximum": 10 }),
                json!(11),
                "must be at most 10",
            ),
            (
                json!({ "type": "integer" }),
                json!(1.5),
                "must be a whole number of at most 64 bits",
            ),
            (
                json!({ "ref": "service" }),
                json!({ "id": "mail" }),
                "must be a reference to a service, not an object",
            ),
            (
                json!({ "type": "array", "maxItems": 1 }),
                json!(["a", "b"]),
                "may have at most 1 items, and has 2",
            ),
        ];
        for (definition, json, message) in cases {
            assert_eq!(field(&definition).accept(&json), Err(message.to_owned()));
        }
    }

    #[test]
    fn every_field_has_bounds_even_where_its_definition_gives_none() {
        let text = field(&json!({ "type": "string" }));
        assert!(text.accept(&"x".repeat(MAX_TEXT_CHARS).into()).is_ok());
        assert!(text.accept(&"x".repeat(MAX_TEXT_CHARS + 1).into()).is_err());
        let boundless = field(&json!({ "type": "string", "maxLength": 4_000_000_000_u32 }));
        assert!(
            boundless
                .accept(&"x".repeat(MAX_TEXT_CHARS + 1).into())
                .is_err()
        );
        let list = field(&json!({ "type": "array" }));
        assert!(list.accept(&vec!["x"; MAX_ITEMS + 1].into()).is_err());
        let object = field(&json!({ "type": "object" }));
        assert!(
            object
                .accept(&json!({ "x": "y".repeat(MAX_OBJECT_BYTES) }))
                .is_err()
        );
        let deep = (0..100).fold(json!(1), |inner, _| json!([inner]));
        assert!(object.accept(&json!({ "x": deep })).is_err());
    }

    #[test]
    fn things_of_the_directory_may_be_given_as_expressions_see_them() {
        let service = field(&json!({ "ref": "service" }));
        let thing = Term::map([("id", Term::from("mail")), ("owner", Term::from("ada"))]);
        assert_eq!(service.take(thing.clone()), Ok(Value::from("mail")));
        assert_eq!(service.take(Term::from("mail")), Ok(Value::from("mail")));
        let several = field(&json!({ "type": "array", "ref": "service" }));
        let both = Term::List(vec![thing, Term::from("web")]);
        assert_eq!(
            several.take(both),
            Ok(Value::Texts(vec!["mail".into(), "web".into()]))
        );
        assert_eq!(service.take(Term::Null), Ok(Value::Null));
    }
}
