//! Effects that were given up, as operators see them.

use model::Instant;
use model::event::EventKind;
use model::id::{BindingId, LinkKind, RecordId, TaskId, TransitionId, WorkflowId};
use model::record::{EffectCall, EffectKey, PendingEffect};
use serde::Serialize;
use utoipa::ToSchema;

use super::query::EffectId;

/// A part of the effects that were given up.
#[derive(Serialize, ToSchema)]
pub struct Effects<'a> {
    /// The effects, in order of record.
    pub(crate) effects: Vec<Effect<'a>>,
    /// What to give as `cursor` for the next part; absent at the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) next: Option<String>,
}

/// Something that was to be done outside.
#[derive(Serialize, ToSchema)]
pub struct Effect<'a> {
    /// Its id, as `/effects/{id}/redrive` takes it.
    #[schema(example = "INC-1042.7.1")]
    id: String,
    /// The record that caused it.
    #[schema(value_type = String)]
    record: &'a RecordId,
    /// What was to be done.
    call: Call<'a>,
    /// How often it was tried.
    attempts: u32,
    /// What went wrong last.
    error: Option<&'a str>,
    /// When it would have been tried next.
    #[schema(value_type = String, format = DateTime)]
    next_at: Instant,
}

/// What an effect does.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Call<'a> {
    /// Tells a binding of an event.
    Deliver {
        /// The binding.
        #[schema(value_type = String)]
        binding: &'a BindingId,
        /// The kind of event.
        #[schema(value_type = String)]
        event: EventKind,
    },
    /// Creates a record.
    Create {
        /// Its workflow.
        #[schema(value_type = String)]
        workflow: &'a WorkflowId,
        /// The task that it is.
        #[serde(skip_serializing_if = "Option::is_none")]
        #[schema(value_type = Option<String>)]
        task: Option<&'a TaskId>,
    },
    /// Tells the other record of a link.
    LinkBack {
        /// How.
        #[schema(value_type = String)]
        kind: &'a LinkKind,
        /// The other record.
        #[schema(value_type = String)]
        target: &'a RecordId,
    },
    /// Has another record take a transition.
    Take {
        /// The other record.
        #[schema(value_type = String)]
        target: &'a RecordId,
        /// Which.
        #[schema(value_type = String)]
        transition: &'a TransitionId,
    },
    /// Tells the record whose task this one is that it has ended.
    TaskEnded {
        /// That record.
        #[schema(value_type = String)]
        record: &'a RecordId,
        /// Which of its tasks.
        #[schema(value_type = String)]
        task: &'a TaskId,
        /// How it ended.
        outcome: &'a str,
    },
}

impl<'a> Effect<'a> {
    /// An effect of a record.
    pub(crate) fn new(record: &'a RecordId, key: EffectKey, effect: &'a PendingEffect) -> Self {
        Self {
            id: EffectId(record.clone(), key).to_string(),
            record,
            call: Call::from(&effect.call),
            attempts: effect.attempts,
            error: effect.error.as_deref(),
            next_at: effect.next_at,
        }
    }
}

impl<'a> From<&'a EffectCall> for Call<'a> {
    fn from(call: &'a EffectCall) -> Self {
        match call {
            EffectCall::Deliver { binding, kind, .. } => Self::Deliver {
                binding,
                event: *kind,
            },
            EffectCall::Create { create, task } => Self::Create {
                workflow: &create.workflow,
                task: task.as_ref(),
            },
            EffectCall::LinkBack { kind, target, .. } => Self::LinkBack { kind, target },
            EffectCall::Take {
                target, transition, ..
            } => Self::Take { target, transition },
            EffectCall::TaskEnded { of, outcome } => Self::TaskEnded {
                record: &of.record,
                task: &of.task,
                outcome,
            },
        }
    }
}
