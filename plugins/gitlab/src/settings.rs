//! What the process owner can set.

use std::collections::BTreeMap;
use std::time::Duration;

use counterpart::incoming::Intake;
use serde::Deserialize;
use servicewright_sdk::IsoDuration;

/// Which projects are joined to the desk, and what becomes of issues and records.
#[derive(Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Settings {
    /// Where it is.
    pub(crate) site: String,
    /// The secret that is the access token.
    pub(crate) token: Option<String>,
    /// Whose the token is.
    pub(crate) account: Option<String>,
    pub(crate) timeout: IsoDuration,
    /// The secret token that GitLab shows.
    pub(crate) secret: Option<String>,
    /// The one before, for as long as GitLab may still use it.
    pub(crate) previous_secret: Option<String>,
    /// The projects that are listened to; all where none is named.
    pub(crate) projects: BTreeMap<String, bool>,
    /// Issues with this label become records.
    pub(crate) label: Option<String>,
    pub(crate) receive: Option<Intake>,
    pub(crate) open: Option<Open>,
    pub(crate) comments: Comments,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            site: "https://gitlab.com".to_owned(),
            token: None,
            account: None,
            timeout: IsoDuration(Duration::from_secs(10)),
            secret: None,
            previous_secret: None,
            projects: BTreeMap::new(),
            label: None,
            receive: None,
            open: None,
            comments: Comments::Public,
        }
    }
}

impl Settings {
    /// Whether this project is listened to.
    pub(crate) fn listens_to(&self, project: &str) -> bool {
        let mut named = self.projects.iter();
        let named = named.find(|(name, _)| name.eq_ignore_ascii_case(project));
        match named {
            Some((_, listens)) => *listens,
            None => !self.projects.values().any(|listens| *listens),
        }
    }
}

/// The issue that is made for a record.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Open {
    pub(crate) project: String,
    #[serde(default = "usual_title")]
    pub(crate) title: String,
    #[serde(default = "usual_body")]
    pub(crate) body: String,
    #[serde(default)]
    pub(crate) labels: BTreeMap<String, bool>,
}

fn usual_title() -> String {
    "{id}: {fields.summary}".to_owned()
}

fn usual_body() -> String {
    "{fields.description}".to_owned()
}

/// Which comments of the desk are told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Comments {
    Public,
    All,
    None,
}
