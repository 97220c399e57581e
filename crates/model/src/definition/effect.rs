//! Effects: what a step causes outside its record, delivered at least once.

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Setting;
use crate::id::{BindingId, FieldId, LinkKind, NoticeId, TransitionId, WorkflowId};

/// Something to be done outside.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(inline)]
pub enum Effect {
    /// A message to people.
    Notice(NoticeId),
    /// An event to one binding's delivery hook.
    Plugin(BindingId),
    /// A new record, linked to this one.
    Create(CreateEffect),
}

/// The record that an effect creates.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(inline)]
pub struct CreateEffect {
    /// Its workflow.
    pub workflow: WorkflowId,
    /// The way to begin; the first without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub create: Option<TransitionId>,
    /// Its fields, computed from this record.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub set: IndexMap<FieldId, Setting>,
    /// The kind of link from the new record to this one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link: Option<LinkKind>,
}
