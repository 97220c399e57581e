//! Values, in both directions.

use model::Value;
use serde_json::Value as Json;

use super::{ENTRIES, bounded, instant, list, nonsense};
use crate::contract::v1::bindings::contract::types::{Field, Value as Guest};
use crate::failure::Stop;

pub(crate) fn to_guest(value: &Value) -> Guest {
    match value {
        Value::Null => Guest::Null,
        Value::Boolean(value) => Guest::Boolean(*value),
        Value::Integer(value) => Guest::Integer(*value),
        Value::Number(value) => Guest::Number(*value),
        Value::Text(value) => Guest::Text(value.clone()),
        Value::Instant(value) => Guest::Instant(value.millis()),
        Value::Texts(value) => Guest::Texts(value.clone()),
        Value::Json(value) => Guest::Json(value.to_string()),
    }
}

/// A value of a guest whose texts have at most so many bytes.
pub(crate) fn from_guest(value: Guest, limit: usize) -> Result<Value, Stop> {
    Ok(match value {
        Guest::Null => Value::Null,
        Guest::Boolean(value) => Value::Boolean(value),
        Guest::Integer(value) => Value::Integer(value),
        Guest::Number(value) if value.is_finite() => Value::Number(value),
        Guest::Number(_) => return Err(nonsense("it answered with a number that is not finite")),
        Guest::Text(value) => Value::Text(bounded("a text", value, limit)?),
        Guest::Instant(value) => Value::Instant(instant(value)?),
        Guest::Texts(values) => Value::Texts(list("texts", values, ENTRIES, |text| {
            bounded("a text", text, limit)
        })?),
        Guest::Json(text) => {
            let text = bounded("a JSON text", text, limit)?;
            let json = serde_json::from_str(&text)
                .map_err(|error| nonsense(format!("it answered with broken JSON: {error}")))?;
            Value::Json(json)
        }
    })
}

/// An attribute of the directory, in the narrowest type that holds it.
pub(crate) fn of_json(json: Json) -> Guest {
    match json {
        Json::Null => Guest::Null,
        Json::Bool(value) => Guest::Boolean(value),
        Json::String(value) => Guest::Text(value),
        Json::Number(number) => match (number.as_i64(), number.as_f64()) {
            (Some(value), _) => Guest::Integer(value),
            (None, Some(value)) if value.is_finite() => Guest::Number(value),
            _ => Guest::Json(number.to_string()),
        },
        Json::Array(values) if values.iter().all(Json::is_string) => {
            let text = |value: Json| match value {
                Json::String(text) => Some(text),
                _ => None,
            };
            Guest::Texts(values.into_iter().filter_map(text).collect())
        }
        other => Guest::Json(other.to_string()),
    }
}

pub(crate) fn fields<'a, Id: AsRef<str> + 'a>(
    values: impl IntoIterator<Item = (&'a Id, &'a Value)>,
) -> Vec<Field> {
    values
        .into_iter()
        .map(|(id, value)| Field {
            id: id.as_ref().to_owned(),
            value: to_guest(value),
        })
        .collect()
}
