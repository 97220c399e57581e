//! What a field of a record is to hold, as the settings say it: a text with names in it, a choice by
//! such a text, or a plain value.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value as Json;
use servicewright_sdk::{Fields, Value};

use crate::text::{clip, fill};

/// How long a text for a field is, where the settings say nothing else, in characters.
const USUAL_LENGTH: usize = 4_000;

/// Fields by their ids, and what each is to hold.
pub type Mapping = BTreeMap<String, Source>;

/// What a field is to hold.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(untagged)]
pub enum Source {
    /// A text with names in braces.
    Text(String),
    /// The same, cut or turned into something else.
    Chosen(Chosen),
    /// This very value.
    Plain(Json),
}

/// A text with names in braces, and what is made of it.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Chosen {
    /// The text.
    pub text: String,
    /// How many characters it may have.
    #[serde(default)]
    pub at_most: Option<usize>,
    /// What stands for which text. A text that is not among them leaves `otherwise`.
    #[serde(default)]
    pub map: Option<BTreeMap<String, Json>>,
    /// What stands for an empty text, and for one that is not in `map`; without it the field is left
    /// alone.
    #[serde(default)]
    pub otherwise: Option<Json>,
}

impl Source {
    /// The value; none where the field is to be left alone.
    pub fn value(&self, value_of: &dyn Fn(&str) -> Option<String>) -> Option<Value> {
        match self {
            Self::Text(template) => non_empty(&fill(template, value_of), USUAL_LENGTH),
            Self::Plain(value) => Some(value.clone().into()),
            Self::Chosen(chosen) => chosen.value(value_of),
        }
    }
}

impl Chosen {
    fn value(&self, value_of: &dyn Fn(&str) -> Option<String>) -> Option<Value> {
        let text = fill(&self.text, value_of);
        let otherwise = || self.otherwise.clone().map(Value::from);
        match &self.map {
            Some(map) => map
                .get(text.trim())
                .cloned()
                .map(Value::from)
                .or_else(otherwise),
            None => non_empty(&text, self.at_most.unwrap_or(USUAL_LENGTH)).or_else(otherwise),
        }
    }
}

fn non_empty(text: &str, at_most: usize) -> Option<Value> {
    let text = text.trim();
    (!text.is_empty()).then(|| clip(text, at_most).into())
}

/// All fields that are to hold something.
pub fn of(mapping: &Mapping, value_of: &dyn Fn(&str) -> Option<String>) -> Fields {
    mapping
        .iter()
        .filter_map(|(id, source)| Some((id.clone(), source.value(value_of)?)))
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use servicewright_sdk::Fields;

    use super::{Mapping, of};

    fn check(mapping: serde_json::Value, expected: &Fields) {
        let mapping: Mapping = serde_json::from_value(mapping).unwrap();
        let value_of = |name: &str| match name {
            "title" => Some("Disk full".to_owned()),
            "severity" => Some("critical".to_owned()),
            _ => None,
        };
        assert_eq!(of(&mapping, &value_of), *expected);
    }

    #[test]
    fn a_field_holds_a_text_a_choice_or_a_value() {
        check(
            json!({
                "channel": "monitoring",
                "impact": { "text": "{severity}", "map": { "critical": "high" }, "otherwise": "low" },
                "major": true,
                "summary": { "text": "{title} again and again", "at_most": 12 },
            }),
            &Fields::new()
                .with("channel", "monitoring")
                .with("impact", "high")
                .with("major", true)
                .with("summary", "Disk ful […]"),
        );
    }

    #[test]
    fn what_is_not_known_leaves_a_field_alone_or_takes_what_is_said() {
        check(
            json!({
                "a": "{none}",
                "b": { "text": "{severity}", "map": { "page": "high" } },
                "c": { "text": "{none}", "otherwise": 3 },
                "d": { "text": "{severity}", "map": { "page": "high" }, "otherwise": "low" },
            }),
            &Fields::new().with("c", 3).with("d", "low"),
        );
    }
}
