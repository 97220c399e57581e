//! Bodies that ask for a change. A member that is not known here is refused.

use model::id::{CatalogueItemId, LinkKind, PersonId, RecordId, StageId, TransitionId, WorkflowId};
use serde::Deserialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

/// A record to begin.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewRecord {
    /// The kind of record.
    #[schema(value_type = String, example = "incident")]
    pub(crate) workflow: WorkflowId,
    /// The item of the catalogue that is asked for.
    #[serde(default)]
    #[schema(value_type = Option<String>, example = "laptop")]
    pub(crate) item: Option<CatalogueItemId>,
    /// The way to begin; the first that the actor may take without it.
    #[serde(default)]
    #[schema(value_type = Option<String>, example = "report")]
    pub(crate) create: Option<TransitionId>,
    /// For whom, where not for the actor.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub(crate) requester: Option<PersonId>,
    /// What the form of that way to begin asks for.
    #[serde(default)]
    #[schema(value_type = std::collections::BTreeMap<String, Value>)]
    pub(crate) fields: Map<String, Value>,
    /// A link that it begins with.
    #[serde(default)]
    pub(crate) link: Option<NewLink>,
}

/// A merge patch (RFC 7396) of a record's fields, its `assignee`, `team` and `requester`: what is
/// named changes, `null` clears. Fields stand under `fields`, or directly.
#[derive(Debug, Deserialize, ToSchema)]
pub struct RecordPatch {
    /// The fields that change.
    #[serde(default)]
    #[schema(value_type = std::collections::BTreeMap<String, Value>)]
    pub(crate) fields: Map<String, Value>,
    /// Fields by their own name, `assignee`, `team` and `requester`.
    #[serde(flatten)]
    #[schema(value_type = std::collections::BTreeMap<String, Value>)]
    pub(crate) others: Map<String, Value>,
}

/// A transition to take.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewTransition {
    /// What the transition's form asks for.
    #[serde(default)]
    #[schema(value_type = std::collections::BTreeMap<String, Value>)]
    pub(crate) input: Map<String, Value>,
}

/// A comment to add.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewComment {
    /// What.
    pub(crate) text: String,
    /// Whether the requester sees it. Internal comments take the right to edit the record.
    #[serde(default = "yes")]
    #[schema(default = true)]
    pub(crate) public: bool,
}

/// A link to make.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewLink {
    /// How, as the kind of link is called from this record.
    #[schema(value_type = String, example = "caused_by")]
    pub(crate) kind: LinkKind,
    /// To which record.
    #[schema(value_type = String, example = "PRB-7")]
    pub(crate) target: RecordId,
}

/// A vote to give in the open stage.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewVote {
    /// For or against.
    #[serde(default)]
    pub(crate) approves: Option<bool>,
    /// Neither, in the place of `approves`.
    #[serde(default)]
    pub(crate) abstains: bool,
    /// Why. Some stages want to know.
    #[serde(default)]
    pub(crate) comment: Option<String>,
    /// The stage, where the actor is asked in several.
    #[serde(default)]
    #[schema(value_type = Option<String>, example = "cab")]
    pub(crate) stage: Option<StageId>,
    /// In whose place, where the actor stands in for several.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub(crate) instead_of: Option<PersonId>,
}

/// A vote to take back, before its stage is decided.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RecalledVote {
    /// The stage, where the actor voted in several.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub(crate) stage: Option<StageId>,
}

/// A vote to hand on.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReassignedVote {
    /// To whom.
    #[schema(value_type = String)]
    pub(crate) to: PersonId,
    /// Whose, where not the actor's own: that takes their manager or an administrator.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub(crate) from: Option<PersonId>,
    /// The stage, where they are asked in several.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub(crate) stage: Option<StageId>,
    /// Why.
    #[serde(default)]
    pub(crate) comment: Option<String>,
}

/// A question to the requester, before a vote.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewQuestion {
    /// What. It is said on the record for all to see; what the requester says next answers it.
    pub(crate) question: String,
    /// The stage, where the actor is asked in several.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub(crate) stage: Option<StageId>,
}

/// Someone to follow the record, or no longer.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewWatcher {
    /// Who; the actor without it.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub(crate) person: Option<PersonId>,
    /// Whether they follow it.
    #[serde(default = "yes")]
    #[schema(default = true)]
    pub(crate) watches: bool,
}

/// Nothing to say: an empty object, or no body at all.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Nothing {}

const fn yes() -> bool {
    true
}
