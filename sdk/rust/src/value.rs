//! Values of fields, and reading them as the Rust type that is wanted.

use crate::{Error, Instant, Result};

/// What a field holds, in the type its workflow declares.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub enum Value {
    /// Not filled in.
    #[default]
    Null,
    /// True or false.
    Boolean(bool),
    /// A whole number.
    Integer(i64),
    /// A number; always finite.
    Number(f64),
    /// Text; also the id of an option or of what is referred to, and a calendar date.
    Text(String),
    /// An instant.
    Instant(Instant),
    /// Several texts, such as labels or the ids of affected services.
    Texts(Vec<String>),
    /// Anything else, as JSON text.
    Json(String),
}

impl Value {
    /// What it is, in words, for messages.
    fn kind(&self) -> &'static str {
        match self {
            Self::Null => "empty",
            Self::Boolean(_) => "a boolean",
            Self::Integer(_) => "an integer",
            Self::Number(_) => "a number",
            Self::Text(_) => "a text",
            Self::Instant(_) => "an instant",
            Self::Texts(_) => "a list of texts",
            Self::Json(_) => "JSON",
        }
    }
}

/// A Rust type that a field's value can be read as.
///
/// `Option<T>` reads an empty field as `None`; every other type takes it for an error.
pub trait FromValue<'a>: Sized {
    /// What is wanted, in words, for messages.
    const WANTED: &'static str;

    /// The value as this type, where it fits.
    fn from_value(value: &'a Value) -> Option<Self>;
}

impl<'a> FromValue<'a> for &'a Value {
    const WANTED: &'static str = "a value";

    fn from_value(value: &'a Value) -> Option<Self> {
        Some(value)
    }
}

impl<'a> FromValue<'a> for &'a str {
    const WANTED: &'static str = "a text";

    fn from_value(value: &'a Value) -> Option<Self> {
        match value {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }
}

impl FromValue<'_> for String {
    const WANTED: &'static str = "a text";

    fn from_value(value: &Value) -> Option<Self> {
        <&str>::from_value(value).map(Self::from)
    }
}

impl FromValue<'_> for bool {
    const WANTED: &'static str = "a boolean";

    fn from_value(value: &Value) -> Option<Self> {
        match value {
            Value::Boolean(value) => Some(*value),
            _ => None,
        }
    }
}

impl FromValue<'_> for i64 {
    const WANTED: &'static str = "an integer";

    fn from_value(value: &Value) -> Option<Self> {
        match value {
            Value::Integer(value) => Some(*value),
            _ => None,
        }
    }
}

impl FromValue<'_> for f64 {
    const WANTED: &'static str = "a number";

    fn from_value(value: &Value) -> Option<Self> {
        match value {
            Value::Number(value) => Some(*value),
            // Exact below 2^53, and as near as a number gets above it.
            #[expect(clippy::cast_precision_loss)]
            Value::Integer(value) => Some(*value as Self),
            _ => None,
        }
    }
}

impl FromValue<'_> for Instant {
    const WANTED: &'static str = "an instant";

    /// Also takes a text in RFC 3339, which is how forms and JSON give an instant.
    fn from_value(value: &Value) -> Option<Self> {
        match value {
            Value::Instant(value) => Some(*value),
            Value::Text(text) => text.parse().ok(),
            _ => None,
        }
    }
}

impl<'a> FromValue<'a> for &'a [String] {
    const WANTED: &'static str = "a list of texts";

    fn from_value(value: &'a Value) -> Option<Self> {
        match value {
            Value::Texts(texts) => Some(texts),
            _ => None,
        }
    }
}

impl FromValue<'_> for Vec<String> {
    const WANTED: &'static str = "a list of texts";

    /// Also takes JSON that is a list of texts.
    fn from_value(value: &Value) -> Option<Self> {
        match value {
            Value::Texts(texts) => Some(texts.clone()),
            Value::Json(json) => serde_json::from_str(json).ok(),
            _ => None,
        }
    }
}

impl<'a, T: FromValue<'a>> FromValue<'a> for Option<T> {
    const WANTED: &'static str = T::WANTED;

    fn from_value(value: &'a Value) -> Option<Self> {
        match value {
            Value::Null => Some(None),
            value => T::from_value(value).map(Some),
        }
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Self::Boolean(value)
    }
}

impl From<i64> for Value {
    fn from(value: i64) -> Self {
        Self::Integer(value)
    }
}

impl From<f64> for Value {
    /// A number that is not finite has no place in a record, and becomes `Null`.
    fn from(value: f64) -> Self {
        if value.is_finite() {
            Self::Number(value)
        } else {
            Self::Null
        }
    }
}

impl From<Instant> for Value {
    fn from(value: Instant) -> Self {
        Self::Instant(value)
    }
}

impl From<Vec<String>> for Value {
    fn from(texts: Vec<String>) -> Self {
        Self::Texts(texts)
    }
}

impl<const N: usize> From<[&str; N]> for Value {
    fn from(texts: [&str; N]) -> Self {
        Self::Texts(texts.map(str::to_owned).into())
    }
}

impl<T: Into<Value>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

impl From<serde_json::Value> for Value {
    /// The natural value: texts, numbers and lists of texts as such, all else as JSON text.
    fn from(json: serde_json::Value) -> Self {
        use serde_json::Value as Json;
        match json {
            Json::Null => Self::Null,
            Json::Bool(value) => Self::Boolean(value),
            Json::Number(number) => match (number.as_i64(), number.as_f64()) {
                (Some(integer), _) => Self::Integer(integer),
                (None, Some(number)) => number.into(),
                (None, None) => Self::Null,
            },
            Json::String(text) => Self::Text(text),
            Json::Array(items) if items.iter().all(Json::is_string) => Self::Texts(
                items
                    .into_iter()
                    .filter_map(|item| match item {
                        Json::String(text) => Some(text),
                        _ => None,
                    })
                    .collect(),
            ),
            other => Self::Json(other.to_string()),
        }
    }
}

/// Named values: the fields of a record, the input of a form, or facts.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Fields(Vec<(String, Value)>);

static NULL: Value = Value::Null;

impl Fields {
    /// None at all.
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// The value of this name; [`Value::Null`] where there is none.
    pub fn value(&self, id: &str) -> &Value {
        self.0
            .iter()
            .find_map(|(name, value)| (name == id).then_some(value))
            .unwrap_or(&NULL)
    }

    /// The value of this name, as the type wanted.
    ///
    /// ```
    /// use servicewright_sdk::Fields;
    ///
    /// let fields = Fields::new().with("impact", "high").with("cost", 1200);
    /// assert_eq!(fields.get::<&str>("impact")?, "high");
    /// assert_eq!(fields.get::<Option<i64>>("hours")?, None);
    /// let error = fields.get::<&str>("cost").unwrap_err();
    /// assert_eq!(error.message(), "field `cost` must be a text, and is an integer");
    /// # Ok::<(), servicewright_sdk::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::InvalidInput`] naming the field, where it is empty (unless an `Option` is wanted)
    /// or of another type.
    pub fn get<'a, T: FromValue<'a>>(&'a self, id: &str) -> Result<T> {
        let value = self.value(id);
        T::from_value(value).ok_or_else(|| {
            let (wanted, is) = (T::WANTED, value.kind());
            Error::InvalidInput(format!("field `{id}` must be {wanted}, and is {is}"))
        })
    }

    /// The same with one more value, in place of an earlier one of this name.
    #[must_use]
    pub fn with(mut self, id: impl Into<String>, value: impl Into<Value>) -> Self {
        self.set(id, value);
        self
    }

    /// Puts a value in, in place of an earlier one of this name.
    pub fn set(&mut self, id: impl Into<String>, value: impl Into<Value>) {
        let (id, value) = (id.into(), value.into());
        match self.0.iter_mut().find(|(name, _)| *name == id) {
            Some((_, place)) => *place = value,
            None => self.0.push((id, value)),
        }
    }

    /// Names and values, in their order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.0.iter().map(|(id, value)| (id.as_str(), value))
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }
}

impl IntoIterator for Fields {
    type Item = (String, Value);
    type IntoIter = std::vec::IntoIter<(String, Value)>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl<K: Into<String>, V: Into<Value>> FromIterator<(K, V)> for Fields {
    /// Of several values of one name the first counts.
    fn from_iter<I: IntoIterator<Item = (K, V)>>(fields: I) -> Self {
        Self(
            fields
                .into_iter()
                .map(|(id, value)| (id.into(), value.into()))
                .collect(),
        )
    }
}

impl<K: Into<String>, V: Into<Value>, const N: usize> From<[(K, V); N]> for Fields {
    fn from(fields: [(K, V); N]) -> Self {
        fields.into_iter().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_field_is_an_error_that_names_it_unless_an_option_is_wanted() {
        let fields = Fields::new().with("a", None::<i64>);
        assert_eq!(fields.get::<Option<&str>>("a"), Ok(None));
        assert_eq!(
            fields.get::<bool>("b").unwrap_err().message(),
            "field `b` must be a boolean, and is empty"
        );
    }

    #[test]
    fn an_instant_is_read_from_text_too() {
        let fields = Fields::new().with("start", "1970-01-01T00:00:01Z");
        assert_eq!(fields.get("start"), Ok(Instant::from_millis(1000)));
    }

    #[test]
    fn json_becomes_the_natural_value() {
        let json = serde_json::json!({ "a": 1, "b": 1.5, "c": ["x"], "d": { "e": [] }, "f": null });
        let fields: Fields = json
            .as_object()
            .unwrap()
            .iter()
            .map(|(id, value)| (id.as_str(), value.clone()))
            .collect();
        assert_eq!(fields.get("a"), Ok(1_i64));
        assert_eq!(fields.get("b"), Ok(1.5));
        assert_eq!(fields.get("c"), Ok(vec!["x".to_owned()]));
        assert_eq!(fields.value("d"), &Value::Json("{\"e\":[]}".to_owned()));
        assert_eq!(fields.value("f"), &Value::Null);
    }
}
