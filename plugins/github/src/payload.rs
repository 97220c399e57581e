//! What GitHub sends about issues and their comments, as its page on webhook events has it: the parts
//! that are used.

use serde::Deserialize;

/// The events `issues` and `issue_comment`.
#[derive(Debug, Deserialize)]
pub(crate) struct Payload {
    pub(crate) action: String,
    pub(crate) issue: IssuePart,
    #[serde(default)]
    pub(crate) comment: Option<CommentPart>,
    /// With the action `labeled`: which.
    #[serde(default)]
    pub(crate) label: Option<LabelPart>,
    pub(crate) repository: RepositoryPart,
    #[serde(default)]
    pub(crate) sender: Option<UserPart>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct IssuePart {
    pub(crate) number: u64,
    #[serde(default)]
    pub(crate) title: String,
    #[serde(default)]
    pub(crate) body: Option<String>,
    #[serde(default)]
    pub(crate) html_url: String,
    #[serde(default)]
    pub(crate) labels: Vec<LabelPart>,
    #[serde(default)]
    pub(crate) updated_at: String,
    #[serde(default)]
    pub(crate) state_reason: Option<String>,
    /// There where the issue is a pull request.
    #[serde(default)]
    pub(crate) pull_request: Option<serde::de::IgnoredAny>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct CommentPart {
    pub(crate) id: u64,
    #[serde(default)]
    pub(crate) body: Option<String>,
    #[serde(default)]
    pub(crate) html_url: String,
}

#[derive(Debug, Deserialize)]
pub(crate) struct LabelPart {
    pub(crate) name: String,
}

#[derive(Debug, Deserialize)]
pub(crate) struct RepositoryPart {
    pub(crate) full_name: String,
}

#[derive(Debug, Deserialize)]
pub(crate) struct UserPart {
    pub(crate) login: String,
}
