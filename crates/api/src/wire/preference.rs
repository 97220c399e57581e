//! What a person prefers, as clients see it.

use std::collections::BTreeMap;

use model::definition::Weekday;
use model::directory::Thing;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

/// How a person hears of notices. Whatever they prefer, a notice is in their inbox, and one that its
/// definition calls mandatory goes by every binding.
#[derive(Debug, Default, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Preferences {
    /// The language that they read, such as `nl`; what the directory says of the person without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    language: Option<String>,
    /// The time zone that they live by, such as `Europe/Brussels`; the pack's without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "Europe/Brussels")]
    zone: Option<String>,
    /// How notices come by a binding of which nothing else is said; `at-once` without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    default: Option<Way>,
    /// How notices come by a binding, by its id.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    channels: BTreeMap<String, Way>,
    /// How single notices come, by their id. What is said here counts more than what is said of all.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    notices: BTreeMap<String, OfNotice>,
    /// When digests come; daily at 08:00 without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    digest: Option<DigestTimes>,
}

/// When digests come.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DigestTimes {
    /// How often; `hour` is on every full hour of UTC.
    every: Every,
    /// At which time of the local clock, of a day or week; `08:00` without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "08:00")]
    at: Option<String>,
    /// On which day of a week; `mon` without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, example = "mon")]
    on: Option<Weekday>,
}

/// How often digests come.
#[derive(Clone, Copy, Debug, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Every {
    /// Every hour.
    Hour,
    /// Once a day.
    Day,
    /// Once a week.
    Week,
}

/// How one notice comes to a person.
#[derive(Debug, Default, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OfNotice {
    /// By a binding of which nothing else is said here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    default: Option<Way>,
    /// By a binding, by its id.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    channels: BTreeMap<String, Way>,
}

/// How a person hears of something by a binding.
#[derive(Clone, Copy, Debug, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Way {
    /// As it happens.
    AtOnce,
    /// In a digest, together with what else comes. A binding that takes none is told at once instead.
    Digest,
    /// Not at all.
    Never,
}

impl Preferences {
    /// As the directory keeps them.
    pub(crate) fn to_thing(&self) -> Thing {
        match serde_json::to_value(self) {
            Ok(Value::Object(attributes)) => Thing(attributes),
            _ => Thing::default(),
        }
    }
}
