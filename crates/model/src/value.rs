//! The value of one field or input, in the type that the workflow gives it.

use serde::{Deserialize, Serialize};

use crate::Instant;

/// What a field may hold. Its JSON form is the natural one; the store keeps the tagged one.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Value {
    /// Not set.
    #[default]
    Null,
    /// True or false.
    Boolean(bool),
    /// A whole number.
    Integer(i64),
    /// A number; never NaN nor infinite.
    Number(f64),
    /// Text: also an option's id, a reference's id, a calendar date.
    Text(String),
    /// An instant.
    Instant(Instant),
    /// Several texts, such as labels or the ids of affected services.
    Texts(Vec<String>),
    /// Anything else, as JSON.
    Json(serde_json::Value),
}

impl Value {
    /// Whether nothing is set.
    pub const fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }

    /// Its text, where it is one.
    pub fn as_text(&self) -> Option<&str> {
        if let Self::Text(text) = self {
            Some(text)
        } else {
            None
        }
    }

    /// Its natural JSON form: what the HTTP interface shows.
    pub fn to_json(&self) -> serde_json::Value {
        match self {
            Self::Null => serde_json::Value::Null,
            Self::Boolean(value) => (*value).into(),
            Self::Integer(value) => (*value).into(),
            Self::Number(value) => (*value).into(),
            Self::Text(value) => value.clone().into(),
            Self::Instant(value) => value.to_string().into(),
            Self::Texts(value) => value.clone().into(),
            Self::Json(value) => value.clone(),
        }
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}
