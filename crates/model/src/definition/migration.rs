//! Migrations: how records in flight come under another version of their workflow.

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Cel, Setting};
use crate::id::{FieldId, StateId, WorkflowId};

/// What becomes of the states and fields of earlier versions of a workflow. States and fields that both
/// versions have map themselves. Several migrations of one workflow count together.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Migration {
    /// What people call it.
    pub title: String,
    /// The workflow whose records it moves.
    pub of: WorkflowId,
    /// By the state that a record is in, the state that it comes to. What is computed reads the record
    /// as it is under its earlier version.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub states: IndexMap<StateId, MigratedState>,
    /// What fields of this version are given. What is computed reads the record as it is under its
    /// earlier version; where that has none of the fields that are read, nothing is given.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub fields: IndexMap<FieldId, Setting>,
    /// Fields of earlier versions that are let go, each with why. A record with any other field that
    /// this version does not have is not moved.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub drops: IndexMap<FieldId, String>,
    /// What becomes of running clocks.
    #[serde(default, skip_serializing_if = "MigratedClocks::is_keep")]
    pub clocks: MigratedClocks,
}

/// The state that a record comes to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum MigratedState {
    /// The one whose id the expression gives.
    Computed {
        /// The expression.
        cel: Cel,
    },
    /// Always this one.
    Named(StateId),
}

/// What becomes of the running clocks of a record that is moved.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(inline)]
pub enum MigratedClocks {
    /// They run on as they were promised.
    #[default]
    Keep,
    /// What has been used of them is counted anew, by the service level and the calendar in force.
    Recompute,
}

impl MigratedClocks {
    #[expect(
        clippy::trivially_copy_pass_by_ref,
        reason = "the signature that serde calls"
    )]
    fn is_keep(&self) -> bool {
        *self == Self::Keep
    }
}
