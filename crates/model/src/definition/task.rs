//! Tasks: records of their own that a state hands out, and what follows once they have ended.

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Cel, Setting};
use crate::id::{FieldId, TaskId, TransitionId, WorkflowId};

/// The work that a state hands out on entering it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(inline)]
pub struct Tasks {
    /// The tasks. They begin at once, but for those that need others.
    pub each: IndexMap<TaskId, Task>,
    /// The transitions that follow.
    pub then: TasksThen,
    /// The transition that tasks which have not ended take where the record leaves the state
    /// before they have; without it they go on.
    #[serde(
        rename = "with-parent",
        default,
        skip_serializing_if = "Option::is_none"
    )]
    pub with_parent: Option<TransitionId>,
}

/// A task: a record that is begun for another.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(inline)]
pub struct Task {
    /// Its workflow.
    pub workflow: WorkflowId,
    /// The way to begin; the first without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub create: Option<TransitionId>,
    /// It is handed out only where this holds as the state is entered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub when: Option<Cel>,
    /// The tasks that must have ended well before it begins. One that is not handed out is no obstacle.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub needs: IndexMap<TaskId, bool>,
    /// What its way to begin asks for, computed from the record as the task begins.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub set: IndexMap<FieldId, Setting>,
}

/// What follows once tasks have ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(inline)]
pub struct TasksThen {
    /// The transition taken once every task has ended with the outcome `done`.
    pub all: TransitionId,
    /// The transition taken as soon as one has ended otherwise; without it the record waits for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failed: Option<TransitionId>,
}
