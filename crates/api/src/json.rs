//! JSON from strangers: parsed within bounds on nesting and length, with members given twice
//! refused, and in a canonical form that does not depend on how it was written.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

/// How far a body may go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Bounds {
    /// Lists and objects inside each other.
    pub(crate) depth: usize,
    /// Items of one list, members of one object.
    pub(crate) items: usize,
}

/// Parses the whole of `text`. The error says what is wrong and at which line and column.
pub(crate) fn parse(text: &[u8], bounds: Bounds) -> Result<Value, serde_json::Error> {
    let mut deserializer = serde_json::Deserializer::from_slice(text);
    let value = Bounded {
        bounds,
        left: bounds.depth,
    }
    .deserialize(&mut deserializer)?;
    deserializer.end()?;
    Ok(value)
}

/// The value with members in order of name and no blanks: two texts that say the same give the same.
pub(crate) fn canonical(value: &Value) -> Vec<u8> {
    let mut text = Vec::new();
    write_canonical(value, &mut text);
    text
}

fn write_canonical(value: &Value, text: &mut Vec<u8>) {
    match value {
        Value::Object(members) => {
            let mut members: Vec<_> = members.iter().collect();
            members.sort_unstable_by_key(|(name, _)| name.as_str());
            text.push(b'{');
            for (place, (name, value)) in members.into_iter().enumerate() {
                if place > 0 {
                    text.push(b',');
                }
                write_plain(name, text);
                text.push(b':');
                write_canonical(value, text);
            }
            text.push(b'}');
        }
        Value::Array(items) => {
            text.push(b'[');
            for (place, item) in items.iter().enumerate() {
                if place > 0 {
                    text.push(b',');
                }
                write_canonical(item, text);
            }
            text.push(b']');
        }
        plain => write_plain(plain, text),
    }
}

fn write_plain<T: serde::Serialize + ?Sized>(value: &T, text: &mut Vec<u8>) {
    serde_json::to_writer(text, value).expect("JSON values are always JSON, and memory takes them");
}

/// Reads one value with so many levels left below it.
#[derive(Clone, Copy)]
struct Bounded {
    bounds: Bounds,
    left: usize,
}

impl Bounded {
    fn below<E: serde::de::Error>(self) -> Result<Self, E> {
        let left = self.left.checked_sub(1).ok_or_else(|| {
            E::custom(format_args!(
                "nested more than {} levels deep",
                self.bounds.depth
            ))
        })?;
        Ok(Self { left, ..self })
    }
}

impl<'de> DeserializeSeed<'de> for Bounded {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Bounded {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let below = self.below()?;
        let mut items = Vec::new();
        while let Some(item) = access.next_element_seed(below)? {
            if items.len() == self.bounds.items {
                return Err(A::Error::custom(format_args!(
                    "a list has more than {} items",
                    self.bounds.items
                )));
            }
            items.push(item);
        }
        Ok(items.into())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let below = self.below()?;
        let mut members = Map::new();
        while let Some(name) = access.next_key::<String>()? {
            if members.len() == self.bounds.items {
                return Err(A::Error::custom(format_args!(
                    "an object has more than {} members",
                    self.bounds.items
                )));
            }
            if members.contains_key(&name) {
                let name: String = name.chars().take(80).collect();
                return Err(A::Error::custom(format_args!("`{name}` is given twice")));
            }
            let value = access.next_value_seed(below)?;
            members.insert(name, value);
        }
        Ok(members.into())
    }
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use super::{Bounds, canonical, parse};

    const BOUNDS: Bounds = Bounds { depth: 3, items: 4 };

    fn check(text: &str, expected: &Expect) {
        let said = match parse(text.as_bytes(), BOUNDS) {
            Ok(value) => String::from_utf8(canonical(&value)).expect("JSON is UTF-8"),
            Err(error) => format!("refused: {error}"),
        };
        expected.assert_eq(&said);
    }

    #[test]
    fn what_says_the_same_has_one_canonical_form() {
        check(
            r#" {"b": [1, 2.5, null], "a": {"z":true,"y":"\u0041"}} "#,
            &expect![[r#"{"a":{"y":"A","z":true},"b":[1,2.5,null]}"#]],
        );
    }

    #[test]
    fn what_is_broken_is_refused_at_its_place() {
        check(
            "",
            &expect!["refused: EOF while parsing a value at line 1 column 0"],
        );
        check(
            "{\"a\":\n nope}",
            &expect!["refused: expected ident at line 2 column 3"],
        );
        check(
            "{} {}",
            &expect!["refused: trailing characters at line 1 column 4"],
        );
        check(
            r#"{"a":1e999}"#,
            &expect!["refused: number out of range at line 1 column 10"],
        );
    }

    #[test]
    fn bounds_hold_before_memory_or_stack_are_spent() {
        check("[[[0]]]", &expect!["[[[0]]]"]);
        check(
            "[[[[0]]]]",
            &expect!["refused: nested more than 3 levels deep at line 1 column 4"],
        );
        check(
            "[1,2,3,4,5]",
            &expect!["refused: a list has more than 4 items at line 1 column 11"],
        );
        check(
            r#"{"a":1,"b":2,"a":3}"#,
            &expect!["refused: `a` is given twice at line 1 column 16"],
        );
        let deep = "[".repeat(10_000) + &"]".repeat(10_000);
        check(
            &deep,
            &expect!["refused: nested more than 3 levels deep at line 1 column 4"],
        );
    }
}
