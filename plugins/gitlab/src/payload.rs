//! What GitLab sends about issues and their comments, as its page on webhook events has it: the parts
//! that are used.

use serde::Deserialize;

/// The object kinds `issue` and `note`.
#[derive(Debug, Deserialize)]
pub(crate) struct Payload {
    pub(crate) object_kind: String,
    pub(crate) project: ProjectPart,
    #[serde(default)]
    pub(crate) user: Option<UserPart>,
    pub(crate) object_attributes: Attributes,
    /// With a note on an issue: that issue.
    #[serde(default)]
    pub(crate) issue: Option<IssuePart>,
    #[serde(default)]
    pub(crate) labels: Vec<LabelPart>,
}

/// What it is about: an issue, or a note.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Attributes {
    pub(crate) id: u64,
    pub(crate) iid: Option<u64>,
    pub(crate) action: Option<String>,
    pub(crate) title: Option<String>,
    pub(crate) description: Option<String>,
    pub(crate) url: String,
    pub(crate) updated_at: String,
    pub(crate) note: Option<String>,
    pub(crate) noteable_type: Option<String>,
    /// Whether GitLab wrote the note itself: that a label was added, for one.
    pub(crate) system: bool,
}

#[derive(Debug, Deserialize)]
pub(crate) struct IssuePart {
    pub(crate) iid: u64,
    #[serde(default)]
    pub(crate) title: String,
}

#[derive(Debug, Deserialize)]
pub(crate) struct LabelPart {
    pub(crate) title: String,
}

#[derive(Debug, Deserialize)]
pub(crate) struct ProjectPart {
    pub(crate) path_with_namespace: String,
}

#[derive(Debug, Deserialize)]
pub(crate) struct UserPart {
    pub(crate) username: String,
}
