//! What the process owner can set.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Deserialize;
use serde_json::{Map, Value as Json};
use servicewright_sdk::IsoDuration;

/// What PagerDuty is told, and what becomes of what it tells.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Settings {
    /// What this desk is called there.
    #[serde(default = "source")]
    pub(crate) source: String,
    #[serde(default)]
    pub(crate) send: Option<Send>,
    #[serde(default)]
    pub(crate) receive: Option<Receive>,
}

fn source() -> String {
    "servicewright".to_owned()
}

/// What PagerDuty is told.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Send {
    pub(crate) url: String,
    /// The secret that is the integration key.
    pub(crate) routing_key: String,
    /// The field that says in a line what a record is about.
    pub(crate) title: String,
    /// The field from which the severity follows, and how.
    pub(crate) priority: String,
    pub(crate) severities: BTreeMap<String, Severity>,
    /// What states mean, where their category does not say it.
    pub(crate) states: BTreeMap<String, Meaning>,
    pub(crate) fields: BTreeMap<String, String>,
    /// The address of a record for people, with `{id}` in the place of its number.
    pub(crate) link: Option<String>,
}

impl Default for Send {
    fn default() -> Self {
        Self {
            url: "https://events.pagerduty.com/v2/enqueue".to_owned(),
            routing_key: "routing-key".to_owned(),
            title: "summary".to_owned(),
            priority: "priority".to_owned(),
            severities: BTreeMap::new(),
            states: BTreeMap::new(),
            fields: BTreeMap::new(),
            link: None,
        }
    }
}

/// How bad it is, in PagerDuty's words.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Severity {
    Critical,
    Error,
    Warning,
    Info,
}

impl Severity {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Critical => "critical",
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Info => "info",
        }
    }
}

/// What a state means to whoever is on call.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Meaning {
    Trigger,
    Acknowledge,
    Resolve,
    Nothing,
}

/// What becomes of incidents.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Receive {
    pub(crate) secret: String,
    /// The one before, for as long as PagerDuty may still use it.
    #[serde(default)]
    pub(crate) previous_secret: Option<String>,
    /// How long ago the event may have happened.
    #[serde(default = "six_hours")]
    pub(crate) tolerance: IsoDuration,
    #[serde(default = "yes")]
    pub(crate) comments: bool,
    /// By what happened to the incident.
    #[serde(default)]
    pub(crate) transitions: BTreeMap<String, Transition>,
    #[serde(default)]
    pub(crate) create: Option<Create>,
}

fn six_hours() -> IsoDuration {
    IsoDuration(Duration::from_hours(6))
}

const fn yes() -> bool {
    true
}

/// A transition that a record takes.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Transition {
    pub(crate) name: String,
    #[serde(default)]
    pub(crate) input: Map<String, Json>,
}

/// How a record is made of an incident.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Create {
    pub(crate) workflow: String,
    #[serde(default = "title")]
    pub(crate) title: String,
    #[serde(default)]
    pub(crate) description: Option<String>,
    #[serde(default)]
    pub(crate) set: Map<String, Json>,
    #[serde(default)]
    pub(crate) urgencies: BTreeMap<String, Map<String, Json>>,
}

fn title() -> String {
    "summary".to_owned()
}
