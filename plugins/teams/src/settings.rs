//! What the process owner can set.

use std::collections::BTreeMap;

use serde::Deserialize;

/// Which workflow of Teams is told, and what of a record is shown.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Settings {
    url: String,
    /// Other addresses, by the workflow that records follow.
    #[serde(default)]
    urls: BTreeMap<String, String>,
    /// The address of a record for people, with `{id}` in the place of its number.
    #[serde(default)]
    link: Option<String>,
    /// The field that says in a line what a record is about.
    #[serde(default = "title")]
    pub(crate) title: String,
    /// Fields that are shown, and what to call them.
    #[serde(default)]
    pub(crate) fields: BTreeMap<String, String>,
}

fn title() -> String {
    "summary".to_owned()
}

impl Settings {
    /// Where cards about records of a workflow go.
    pub(crate) fn url_of(&self, workflow: &str) -> &str {
        self.urls.get(workflow).unwrap_or(&self.url)
    }

    /// Where people open a record.
    pub(crate) fn link_to(&self, record: &str) -> Option<String> {
        let link = self.link.as_ref()?;
        Some(link.replace("{id}", record))
    }
}
