//! What the process owner can set.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Deserialize;
use servicewright_sdk::IsoDuration;

/// Which channels are told, what of a record is shown, and whose clicks count.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Settings {
    #[serde(default = "api")]
    pub(crate) api: String,
    /// The secret that is the bot token.
    #[serde(default = "token")]
    pub(crate) token: String,
    pub(crate) channel: String,
    /// Other channels, by workflow.
    #[serde(default)]
    pub(crate) channels: BTreeMap<String, String>,
    /// The address of a record for people, with `{id}` in the place of its number.
    #[serde(default)]
    pub(crate) link: Option<String>,
    /// The field that says in a line what a record is about.
    #[serde(default = "title")]
    pub(crate) title: String,
    /// Fields that are shown, and what to call them.
    #[serde(default)]
    pub(crate) fields: BTreeMap<String, String>,
    /// People of the desk, by their id in Slack.
    #[serde(default)]
    pub(crate) people: BTreeMap<String, String>,
    #[serde(default)]
    pub(crate) clicks: Option<Clicks>,
}

fn api() -> String {
    "https://slack.com/api".to_owned()
}

fn token() -> String {
    "token".to_owned()
}

fn title() -> String {
    "summary".to_owned()
}

/// Whose clicks count.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Clicks {
    /// User ids mean something within one workspace only.
    pub(crate) workspace: String,
    #[serde(default = "signing")]
    pub(crate) secret: String,
    /// How far Slack's clock may be off, and how late a request may be.
    #[serde(default = "five_minutes")]
    pub(crate) tolerance: IsoDuration,
}

fn signing() -> String {
    "signing".to_owned()
}

fn five_minutes() -> IsoDuration {
    IsoDuration(Duration::from_mins(5))
}

impl Settings {
    /// The channel that is told of records of a workflow.
    pub(crate) fn channel_of(&self, workflow: &str) -> &str {
        self.channels.get(workflow).unwrap_or(&self.channel)
    }

    /// Where people open a record.
    pub(crate) fn link_to(&self, record: &str) -> Option<String> {
        let link = self.link.as_ref()?;
        Some(link.replace("{id}", record))
    }

    /// The Slack user who is this person, where one is set down.
    pub(crate) fn user_of(&self, person: &str) -> Option<&str> {
        let mut people = self.people.iter();
        people
            .find(|(_, of)| *of == person)
            .map(|(user, _)| user.as_str())
    }
}
