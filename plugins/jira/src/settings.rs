//! What the process owner can set.

use std::collections::BTreeMap;
use std::time::Duration;

use counterpart::incoming::Intake;
use serde::Deserialize;
use servicewright_sdk::IsoDuration;

/// Which projects are joined to the desk, and what becomes of issues and records.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Settings {
    /// Where Jira is, such as `https://acme.atlassian.net`.
    pub(crate) site: String,
    #[serde(default)]
    pub(crate) deployment: Deployment,
    /// The secret that is shown with each request.
    #[serde(default)]
    pub(crate) token: Option<String>,
    /// Whose the token is.
    #[serde(default)]
    pub(crate) account: Option<String>,
    #[serde(default = "ten_seconds")]
    pub(crate) timeout: IsoDuration,
    /// The secret that Jira signs with.
    #[serde(default)]
    pub(crate) secret: Option<String>,
    /// The one before, for as long as Jira may still use it.
    #[serde(default)]
    pub(crate) previous_secret: Option<String>,
    /// The projects that are listened to, by their keys.
    pub(crate) projects: BTreeMap<String, bool>,
    /// Issues with this label become records.
    #[serde(default)]
    pub(crate) label: Option<String>,
    #[serde(default)]
    pub(crate) receive: Option<Intake>,
    #[serde(default)]
    pub(crate) open: Option<Open>,
    /// The status of the issue, by the state of the record.
    #[serde(default)]
    pub(crate) statuses: BTreeMap<String, String>,
    #[serde(default)]
    pub(crate) comments: Comments,
}

pub(crate) fn ten_seconds() -> IsoDuration {
    IsoDuration(Duration::from_secs(10))
}

impl Settings {
    /// Whether this project is listened to.
    pub(crate) fn listens_to(&self, project: &str) -> bool {
        self.projects.get(project) == Some(&true)
    }
}

/// Which Jira it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Deployment {
    /// REST API version 3, texts as documents, a token by `Basic`.
    #[default]
    Cloud,
    /// REST API version 2, texts as they are, a token by `Bearer`.
    DataCenter,
}

/// The issue that is made for a record.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Open {
    pub(crate) project: String,
    #[serde(rename = "type")]
    pub(crate) issue_type: String,
    #[serde(default = "usual_summary")]
    pub(crate) summary: String,
    #[serde(default = "usual_description")]
    pub(crate) description: String,
    #[serde(default)]
    pub(crate) labels: BTreeMap<String, bool>,
}

fn usual_summary() -> String {
    "{id}: {fields.summary}".to_owned()
}

fn usual_description() -> String {
    "{fields.description}".to_owned()
}

/// Which comments of the desk are told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Comments {
    #[default]
    Public,
    All,
    None,
}
