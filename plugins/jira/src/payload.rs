//! What Jira says about issues, in its webhooks and in its answers: the parts that are used.

use serde::Deserialize;
use serde_json::Value as Json;

/// A webhook of Jira.
#[derive(Debug, Deserialize)]
pub(crate) struct Payload {
    #[serde(rename = "webhookEvent")]
    pub(crate) event: String,
    /// When it was, in milliseconds since 1970.
    #[serde(default)]
    pub(crate) timestamp: i64,
    #[serde(default)]
    pub(crate) issue: Option<Issue>,
    #[serde(default)]
    pub(crate) user: Option<User>,
    #[serde(default)]
    pub(crate) comment: Option<Comment>,
    #[serde(default)]
    pub(crate) changelog: Option<Changelog>,
}

/// An issue.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Issue {
    pub(crate) key: String,
    #[serde(default)]
    pub(crate) fields: Fields,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Fields {
    pub(crate) summary: String,
    pub(crate) description: Json,
    pub(crate) labels: Vec<String>,
    pub(crate) status: Option<Named>,
    /// When the issue last changed, as `2026-01-05T09:00:00.000+0000`.
    pub(crate) updated: String,
}

#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Named {
    pub(crate) name: String,
}

#[derive(Clone, Debug, Deserialize)]
pub(crate) struct User {
    #[serde(default, rename = "displayName")]
    pub(crate) display_name: String,
    /// On Cloud.
    #[serde(default, rename = "accountId")]
    account_id: Option<String>,
    /// In a data center.
    #[serde(default)]
    name: Option<String>,
}

impl User {
    /// Whether this is the account of this id or name.
    pub(crate) fn is(&self, account: &str) -> bool {
        let names = [self.account_id.as_deref(), self.name.as_deref()];
        names.contains(&Some(account))
    }
}

#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Comment {
    pub(crate) id: String,
    #[serde(default)]
    pub(crate) body: Json,
    #[serde(default)]
    pub(crate) author: Option<User>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Changelog {
    pub(crate) id: String,
    pub(crate) items: Vec<Change>,
}

#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Change {
    #[serde(default)]
    pub(crate) field: String,
}

/// The project of an issue's key, where it is one: `OPS` of `OPS-12`.
pub(crate) fn project(key: &str) -> Option<&str> {
    let (project, number) = key.rsplit_once('-')?;
    let mut letters = project.chars();
    let begins_well = letters.next().is_some_and(|c| c.is_ascii_uppercase());
    let is_fit = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_';
    let is_number = !number.is_empty() && number.chars().all(|c| c.is_ascii_digit());
    (begins_well && letters.all(is_fit) && is_number && key.len() <= 100).then_some(project)
}

#[cfg(test)]
mod tests {
    use super::project;

    #[test]
    fn an_issue_is_known_by_its_key() {
        assert_eq!(project("OPS-12"), Some("OPS"));
        assert_eq!(project("A_1-7"), Some("A_1"));
        for other in [
            "ops-12",
            "OPS",
            "OPS-",
            "-1",
            "OPS-1/../x",
            "OPS-x",
            "a/b#1",
        ] {
            assert_eq!(project(other), None, "{other}");
        }
    }
}
