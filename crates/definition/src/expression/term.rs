//! What goes into an expression and comes out of it: a value without the evaluator's types.

use std::collections::BTreeMap;

use model::{Duration, Instant, Value};

use super::{EvaluationError, Type};

/// A value that an expression reads or gives.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Term {
    /// Not set.
    #[default]
    Null,
    /// True or false.
    Boolean(bool),
    /// A whole number.
    Integer(i64),
    /// Any other number.
    Number(f64),
    /// Text.
    Text(String),
    /// An instant.
    Instant(Instant),
    /// A length of time.
    Duration(Duration),
    /// Several values, in order.
    List(Vec<Term>),
    /// Named values.
    Map(BTreeMap<String, Term>),
}

impl Term {
    /// A list of texts.
    pub fn texts<S: Into<String>>(texts: impl IntoIterator<Item = S>) -> Self {
        Self::List(
            texts
                .into_iter()
                .map(|text| Self::Text(text.into()))
                .collect(),
        )
    }

    /// An object of these members.
    pub fn map<S: Into<String>>(members: impl IntoIterator<Item = (S, Self)>) -> Self {
        Self::Map(
            members
                .into_iter()
                .map(|(member, term)| (member.into(), term))
                .collect(),
        )
    }

    /// The value of a field of type `wanted`.
    ///
    /// Null is always given as null: whether a field may be unset is not decided here.
    ///
    /// # Errors
    /// When it is of another type, or text that is none of the options. A number without
    /// fraction passes as an integer.
    pub fn into_value(self, wanted: &Type) -> Result<Value, EvaluationError> {
        let value = match (self, wanted.core()) {
            (Self::Null, _) => Value::Null,
            (Self::Number(number), Type::Integer) if is_whole(number) => {
                Value::Integer(to_integer(number))
            }
            (Self::Integer(integer), Type::Number) => Value::Number(to_number(integer)),
            (Self::Text(text), Type::Options(options)) if !options.contains(&text) => {
                let shown: String = text.chars().take(60).collect();
                return Err(EvaluationError::WrongResult {
                    found: format!("`{shown}`"),
                    expected: wanted.to_string(),
                });
            }
            (Self::List(items), Type::List(of))
                if of.is_text() && items.iter().all(|item| item.fits(of)) =>
            {
                Value::Texts(items.into_iter().filter_map(Self::into_text).collect())
            }
            (term, core) if term.fits(core) => term.into_natural_value(),
            (term, _) => return Err(term.is_not(wanted)),
        };
        Ok(value)
    }

    /// The error that says that this is not what is wanted.
    pub(super) fn is_not(&self, wanted: &Type) -> EvaluationError {
        EvaluationError::WrongResult {
            found: self.describe().to_owned(),
            expected: wanted.to_string(),
        }
    }

    fn fits(&self, wanted: &Type) -> bool {
        match (self, wanted.core()) {
            (Self::Number(number), Type::Any | Type::Number) => number.is_finite(),
            (_, Type::Any)
            | (Self::Boolean(_), Type::Boolean)
            | (Self::Integer(_), Type::Integer)
            | (Self::Text(_), Type::Text)
            | (Self::Instant(_), Type::Instant)
            | (Self::Duration(_), Type::Duration) => true,
            (Self::Text(text), Type::Options(options)) => options.contains(text),
            (Self::List(items), Type::List(of)) => items.iter().all(|item| item.fits(of)),
            (Self::Map(members), Type::Object(object)) => {
                object.members().iter().all(|(member, kind)| {
                    members
                        .get(member)
                        .is_some_and(|term| *term == Self::Null || term.fits(kind))
                })
            }
            _ => false,
        }
    }

    fn into_text(self) -> Option<String> {
        if let Self::Text(text) = self {
            Some(text)
        } else {
            None
        }
    }

    fn into_natural_value(self) -> Value {
        match self {
            Self::Null => Value::Null,
            Self::Boolean(value) => Value::Boolean(value),
            Self::Integer(value) => Value::Integer(value),
            Self::Number(value) => Value::Number(value),
            Self::Text(value) => Value::Text(value),
            Self::Instant(value) => Value::Instant(value),
            Self::Duration(value) => Value::Text(value.to_string()),
            term @ (Self::List(_) | Self::Map(_)) => Value::Json(term.to_json()),
        }
    }

    /// Its natural JSON form: instants as RFC 3339, durations as ISO 8601.
    pub fn to_json(&self) -> serde_json::Value {
        match self {
            Self::Null => serde_json::Value::Null,
            Self::Boolean(value) => (*value).into(),
            Self::Integer(value) => (*value).into(),
            Self::Number(value) => (*value).into(),
            Self::Text(value) => value.clone().into(),
            Self::Instant(value) => value.to_string().into(),
            Self::Duration(value) => value.to_string().into(),
            Self::List(items) => items.iter().map(Self::to_json).collect(),
            Self::Map(members) => members
                .iter()
                .map(|(member, term)| (member.clone(), term.to_json()))
                .collect(),
        }
    }

    fn describe(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Boolean(_) => "a boolean",
            Self::Integer(_) => "an integer",
            Self::Number(number) if !number.is_finite() => "no finite number",
            Self::Number(_) => "a number",
            Self::Text(_) => "text",
            Self::Instant(_) => "an instant",
            Self::Duration(_) => "a duration",
            Self::List(_) => "a list",
            Self::Map(_) => "an object",
        }
    }
}

impl From<&Value> for Term {
    fn from(value: &Value) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Boolean(value) => Self::Boolean(*value),
            Value::Integer(value) => Self::Integer(*value),
            Value::Number(value) => Self::Number(*value),
            Value::Text(value) => Self::Text(value.clone()),
            Value::Instant(value) => Self::Instant(*value),
            Value::Texts(values) => Self::texts(values.iter().cloned()),
            Value::Json(value) => value.into(),
        }
    }
}

impl From<&serde_json::Value> for Term {
    /// Whole numbers become integers, so that `cost - 1500` is a subtraction of integers.
    fn from(value: &serde_json::Value) -> Self {
        match value {
            serde_json::Value::Null => Self::Null,
            serde_json::Value::Bool(value) => Self::Boolean(*value),
            serde_json::Value::Number(number) => number.as_i64().map_or_else(
                || Self::Number(number.as_f64().unwrap_or(f64::MAX)),
                Self::Integer,
            ),
            serde_json::Value::String(text) => Self::Text(text.clone()),
            serde_json::Value::Array(items) => Self::List(items.iter().map(Self::from).collect()),
            serde_json::Value::Object(members) => {
                Self::map(members.iter().map(|(name, value)| (name, value.into())))
            }
        }
    }
}

impl From<&str> for Term {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<bool> for Term {
    fn from(value: bool) -> Self {
        Self::Boolean(value)
    }
}

impl From<i64> for Term {
    fn from(value: i64) -> Self {
        Self::Integer(value)
    }
}

impl From<Instant> for Term {
    fn from(instant: Instant) -> Self {
        Self::Instant(instant)
    }
}

/// Up to here each whole number has a float of its own.
const EXACT: f64 = 9_007_199_254_740_992.0;

fn is_whole(number: f64) -> bool {
    number.fract() == 0.0 && number.abs() <= EXACT
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "only called within the range that is exact"
)]
fn to_integer(number: f64) -> i64 {
    number as i64
}

#[expect(
    clippy::cast_precision_loss,
    reason = "a field of numbers keeps what a float can"
)]
fn to_number(integer: i64) -> f64 {
    integer as f64
}

#[cfg(test)]
mod tests {
    use model::Value;
    use serde_json::json;

    use super::{Term, Type};

    #[test]
    fn terms_become_the_value_of_the_field_they_are_for() {
        let yes = |term: Term, wanted: &Type| term.into_value(wanted).expect("fits");
        assert_eq!(yes(Term::Integer(3), &Type::Number), Value::Number(3.0));
        assert_eq!(yes(Term::Number(3.0), &Type::Integer), Value::Integer(3));
        assert_eq!(
            yes(Term::texts(["a"]), &Type::Text.list()),
            Value::Texts(vec!["a".into()])
        );
        assert_eq!(yes(Term::Null, &Type::Text), Value::Null);
        assert_eq!(
            yes(Term::from(&json!({"a": [1, 2.5]})), &Type::Any),
            Value::Json(json!({"a": [1, 2.5]}))
        );
    }

    #[test]
    fn what_does_not_fit_is_refused_in_words() {
        let no = |term: Term, wanted: &Type| {
            term.into_value(wanted)
                .expect_err("does not fit")
                .to_string()
        };
        assert_eq!(
            no(Term::from("hgih"), &Type::options(["low", "high"])),
            "this gave `hgih`, but one of low, high is wanted"
        );
        assert_eq!(
            no(Term::Number(2.5), &Type::Integer),
            "this gave a number, but an integer is wanted"
        );
        assert_eq!(
            no(Term::Number(f64::INFINITY), &Type::Any),
            "this gave no finite number, but anything is wanted"
        );
    }
}
