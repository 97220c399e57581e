//! What the process owner can set.

use std::collections::BTreeMap;

use counterpart::fields::{Mapping, Source};
use counterpart::steps::Steps;
use serde::Deserialize;

/// Whose alerts are believed, and what becomes of them.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Settings {
    pub(crate) authentication: Authentication,
    #[serde(default)]
    pub(crate) group_by: GroupBy,
    pub(crate) workflow: String,
    pub(crate) fields: Mapping,
    /// Fields that are set anew when the alerts say something else than before.
    #[serde(default)]
    pub(crate) follow: BTreeMap<String, bool>,
    #[serde(default)]
    pub(crate) team: Option<Source>,
    /// Of a label whose value differs, which counts most.
    #[serde(default = "usual_order")]
    pub(crate) order: BTreeMap<String, Vec<String>>,
    #[serde(default)]
    pub(crate) resolve: Steps,
    #[serde(default)]
    pub(crate) again: Again,
    #[serde(default)]
    pub(crate) reopen: Steps,
}

/// How Alertmanager shows that it is the one.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "lowercase", deny_unknown_fields)]
pub(crate) enum Authentication {
    Bearer {
        token: String,
        #[serde(default)]
        previous_token: Option<String>,
    },
    Basic {
        username: String,
        password: String,
        #[serde(default)]
        previous_password: Option<String>,
    },
}

/// What becomes one record.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum GroupBy {
    #[default]
    Group,
    Alert,
}

/// What becomes of a new firing once the record is resolved.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Again {
    #[default]
    New,
    Reopen,
}

pub(crate) fn usual_order() -> BTreeMap<String, Vec<String>> {
    let severities = ["critical", "error", "warning", "info"].map(str::to_owned);
    [("severity".to_owned(), severities.into())].into()
}
