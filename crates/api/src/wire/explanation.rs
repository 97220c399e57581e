//! Why a record is where it is, as clients see it; and what an actor may do with it now.

use engine::{Available, Explained, Explanation as EngineExplanation};
use model::id::{RecordId, StateId, TransitionId};
use model::{Digest, Instant};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

/// Why a record is where it is.
#[derive(Serialize, ToSchema)]
pub struct Explanation<'a> {
    /// The record.
    #[schema(value_type = String)]
    record: &'a RecordId,
    /// Where it stands, and what it waits for, in a sentence each.
    now: &'a [String],
    /// What was decided, oldest first.
    decisions: Vec<ExplainedDecision<'a>>,
}

/// One decision.
#[derive(Serialize, ToSchema)]
pub struct ExplainedDecision<'a> {
    /// When.
    #[schema(value_type = String, format = DateTime)]
    at: Instant,
    /// When it was due, where that was more than a second before.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    due: Option<Instant>,
    /// The record's version after it.
    version: u64,
    /// Who or what decided, such as `table priority`, `plugin skills-router` or a person.
    by: &'a str,
    /// What was decided, in a sentence.
    what: &'a str,
    /// The digest of the component that answered.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    component: Option<&'a Digest>,
    /// The digest of what it was asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    input: Option<&'a Digest>,
    /// How long it took, in microseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    duration_us: Option<u64>,
}

/// What an actor may do with a record now.
#[derive(Serialize, ToSchema)]
pub struct Transitions<'a> {
    /// The transitions, in the order of the workflow.
    transitions: Vec<Transition<'a>>,
}

/// A transition, or a way to begin, that is open to the actor.
#[derive(Serialize, ToSchema)]
pub struct Transition<'a> {
    /// Its name, as `/records/{id}/transitions/{name}`, or `create` of a new record, takes it.
    #[schema(value_type = String)]
    name: &'a TransitionId,
    /// What people see.
    title: &'a str,
    /// The state that it leads to; absent where the record stays.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    to: Option<&'a StateId>,
    /// The JSON Schema of its form.
    form: &'a Value,
    /// What still keeps the record from taking it, in words.
    unmet: &'a [String],
}

impl<'a> From<&'a EngineExplanation> for Explanation<'a> {
    fn from(explanation: &'a EngineExplanation) -> Self {
        Self {
            record: &explanation.record,
            now: &explanation.now,
            decisions: explanation
                .decisions
                .iter()
                .map(ExplainedDecision::from)
                .collect(),
        }
    }
}

impl<'a> From<&'a Explained> for ExplainedDecision<'a> {
    fn from(explained: &'a Explained) -> Self {
        Self {
            at: explained.at,
            due: explained.due,
            version: explained.version,
            by: &explained.by,
            what: &explained.what,
            component: explained.component.as_ref(),
            input: explained.input.as_ref(),
            duration_us: explained.micros,
        }
    }
}

impl<'a> From<&'a [Available]> for Transitions<'a> {
    fn from(available: &'a [Available]) -> Self {
        Self {
            transitions: available.iter().map(Transition::from).collect(),
        }
    }
}

impl<'a> From<&'a Available> for Transition<'a> {
    fn from(available: &'a Available) -> Self {
        Self {
            name: &available.name,
            title: &available.title,
            to: available.to.as_ref(),
            form: &available.form,
            unmet: &available.unmet,
        }
    }
}
