//! Effects: what a step causes outside its record, delivered at least once.

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Cel, Setting};
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
    /// A transition of each record that this one is linked to.
    Each(EachEffect),
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

/// The transition that an effect has linked records take.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(inline)]
pub struct EachEffect {
    /// The kind of link, as it is called from this record.
    pub link: LinkKind,
    /// For which of them, each being `it`; all without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub when: Option<Cel>,
    /// The transition that each takes.
    #[serde(rename = "do")]
    pub transition: TransitionId,
    /// What is filled into the transition's form, computed from this record and `it`.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub set: IndexMap<FieldId, Setting>,
}
