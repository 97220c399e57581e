//! A record as clients see it. It is written from the record alone, so that the same version always
//! reads the same, whatever the time and whatever definitions are in force.

use std::collections::{BTreeMap, BTreeSet};

use model::definition::Category;
use model::id::{
    CatalogueItemId, EscalationStepId, FieldId, LinkKind, PersonId, RecordId, StateId, TaskId,
    TeamId, TimerId, WorkflowId,
};
use model::{Digest, Instant, Value};
use serde::ser::SerializeMap as _;
use serde::{Serialize, Serializer};
use utoipa::ToSchema;

use super::approval::Approval;
use super::clock::Clock;
use super::window::Window;

/// One incident, request, change, ….
#[derive(Serialize, ToSchema)]
pub struct Record<'a> {
    /// Its number.
    #[schema(value_type = String, example = "INC-1042")]
    id: &'a RecordId,
    /// Its workflow.
    #[schema(value_type = String, example = "incident")]
    workflow: &'a WorkflowId,
    /// The digest of the version of the workflow that it runs under.
    #[schema(value_type = String)]
    definition: &'a Digest,
    /// The text of its field `summary`, or `title`: what lists show.
    title: Option<&'a str>,
    /// The item of the catalogue that was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    item: Option<&'a CatalogueItemId>,
    /// The record that it is a task of.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    parent: Option<&'a RecordId>,
    /// Its state.
    #[schema(value_type = String, example = "in-progress")]
    state: &'a StateId,
    /// The part of its life that the state is in.
    #[schema(value_type = super::record::CategoryName)]
    category: Category,
    /// How it ended, where its state says so.
    #[serde(skip_serializing_if = "Option::is_none")]
    outcome: Option<&'a str>,
    /// Rises by one with every change; `"v7"` is the `ETag` of version 7.
    version: u64,
    /// Who asked for it.
    #[schema(value_type = Option<String>)]
    requester: Option<&'a PersonId>,
    /// Who works on it.
    #[schema(value_type = Option<String>)]
    assignee: Option<&'a PersonId>,
    /// The team it is with.
    #[schema(value_type = Option<String>)]
    team: Option<&'a TeamId>,
    /// When it was created.
    #[schema(value_type = String, format = DateTime)]
    created_at: Instant,
    /// When it last changed.
    #[schema(value_type = String, format = DateTime)]
    updated_at: Instant,
    /// When it entered its state.
    #[schema(value_type = String, format = DateTime)]
    state_since: Instant,
    /// Its fields that are set.
    #[schema(value_type = std::collections::BTreeMap<String, serde_json::Value>)]
    fields: Values<'a>,
    /// Decided fields that were set by hand.
    #[schema(value_type = Vec<String>)]
    overridden: &'a BTreeSet<FieldId>,
    /// The agreement that its state waits for.
    approval: Option<Approval<'a>>,
    /// Who was told that it waits to be acknowledged.
    #[serde(skip_serializing_if = "Option::is_none")]
    escalation: Option<Escalation<'a>>,
    /// The tasks that it handed out, by id.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    #[schema(value_type = std::collections::BTreeMap<String, Task<'a>>)]
    tasks: BTreeMap<&'a TaskId, Task<'a>>,
    /// The measures of its promises.
    clocks: Vec<Clock<'a>>,
    /// When its timers are due, by timer.
    #[schema(value_type = std::collections::BTreeMap<String, String>)]
    timers: &'a BTreeMap<TimerId, Instant>,
    /// When its work is planned, as far as that counts for others.
    #[serde(skip_serializing_if = "Option::is_none")]
    window: Option<Window<'a>>,
    /// Its links to other records.
    links: Vec<Link<'a>>,
    /// Who follows it.
    #[schema(value_type = Vec<String>)]
    watchers: &'a BTreeSet<PersonId>,
}

/// The part of a record's life that its state is in.
#[derive(ToSchema)]
#[schema(as = Category, rename_all = "kebab-case")]
#[expect(dead_code, reason = "it is there for its schema")]
pub(crate) enum CategoryName {
    /// Being worked on.
    Open,
    /// Waiting for someone or something.
    Waiting,
    /// Done, and not yet final.
    Resolved,
    /// Final.
    Closed,
}

/// A team's work that waits for somebody to acknowledge it.
#[derive(Serialize, ToSchema)]
pub struct Escalation<'a> {
    /// The team whose escalation it is.
    #[schema(value_type = String)]
    team: &'a TeamId,
    /// The step that is open.
    #[schema(value_type = String)]
    step: &'a EscalationStepId,
    /// How often the steps were gone through before.
    round: u32,
    /// Everyone who was told so far.
    #[schema(value_type = Vec<String>)]
    told: &'a BTreeSet<PersonId>,
    /// When it began.
    #[schema(value_type = String, format = DateTime)]
    since: Instant,
    /// When the next step is due.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    due: Option<Instant>,
}

impl<'a> From<&'a model::record::Escalation> for Escalation<'a> {
    fn from(open: &'a model::record::Escalation) -> Self {
        Self {
            team: &open.team,
            step: &open.step,
            round: open.round,
            told: &open.told,
            since: open.since,
            due: open.due,
        }
    }
}

/// A task that a record handed out.
#[derive(Serialize, ToSchema)]
pub struct Task<'a> {
    /// Its workflow.
    #[schema(value_type = String)]
    workflow: &'a WorkflowId,
    /// `waiting` for those that it needs, `open`, `ended`, or `dropped`: not waited for.
    #[schema(example = "open")]
    status: &'static str,
    /// Its own record, once that has begun.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    record: Option<&'a RecordId>,
    /// How it ended; `done` is success.
    #[serde(skip_serializing_if = "Option::is_none")]
    outcome: Option<&'a str>,
}

impl<'a> From<&'a model::record::Task> for Task<'a> {
    fn from(task: &'a model::record::Task) -> Self {
        Self {
            workflow: &task.workflow,
            status: task.status.as_str(),
            record: task.record.as_ref(),
            outcome: task.outcome.as_deref(),
        }
    }
}

/// A link to another record.
#[derive(Serialize, ToSchema)]
pub struct Link<'a> {
    /// How.
    #[schema(value_type = String, example = "caused_by")]
    kind: &'a LinkKind,
    /// To which.
    #[schema(value_type = String)]
    target: &'a RecordId,
    /// Whether it was made from the other side.
    inverse: bool,
}

/// A part of a list of records.
#[derive(Serialize, ToSchema)]
pub struct Records<'a> {
    /// The records.
    pub(crate) records: Vec<Record<'a>>,
    /// What to give as `cursor` for the next part; absent at the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) next: Option<String>,
}

/// What lists show of a record: the text of its field `summary`, or `title`.
pub(crate) fn title(record: &model::record::Record) -> Option<&str> {
    let text = |name: &str| record.fields.get(name).and_then(Value::as_text);
    text("summary").or_else(|| text("title"))
}

impl<'a> From<&'a model::record::Record> for Record<'a> {
    fn from(record: &'a model::record::Record) -> Self {
        Self {
            id: &record.id,
            workflow: &record.workflow,
            definition: &record.definition,
            title: title(record),
            item: record.item.as_ref(),
            parent: record.parent.as_ref().map(|of| &of.record),
            state: &record.state,
            category: record.category,
            outcome: record.outcome.as_deref(),
            version: record.version,
            requester: record.requester.as_ref(),
            assignee: record.assignee.as_ref(),
            team: record.team.as_ref(),
            created_at: record.created_at,
            updated_at: record.updated_at,
            state_since: record.state_since,
            fields: Values(&record.fields),
            overridden: &record.overridden,
            approval: record.approval.as_ref().map(Approval::from),
            escalation: record.escalation.as_ref().map(Escalation::from),
            tasks: record
                .tasks
                .iter()
                .map(|(id, task)| (id, Task::from(task)))
                .collect(),
            clocks: record.clocks.iter().map(Clock::from).collect(),
            timers: &record.timers,
            window: record.window.as_ref().map(Window::from),
            links: record.links.iter().map(Link::from).collect(),
            watchers: &record.watchers,
        }
    }
}

impl<'a> From<&'a model::record::Link> for Link<'a> {
    fn from(link: &'a model::record::Link) -> Self {
        Self {
            kind: &link.kind,
            target: &link.target,
            inverse: link.inverse,
        }
    }
}

/// Values in their natural JSON form.
struct Values<'a>(&'a BTreeMap<FieldId, Value>);

impl Serialize for Values<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (id, value) in self.0 {
            map.serialize_entry(id, &Natural(value))?;
        }
        map.end()
    }
}

/// A value in its natural JSON form, without copying it.
pub(crate) struct Natural<'a>(pub(crate) &'a Value);

impl Serialize for Natural<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Value::Null => serializer.serialize_unit(),
            Value::Boolean(value) => serializer.serialize_bool(*value),
            Value::Integer(value) => serializer.serialize_i64(*value),
            Value::Number(value) => serializer.serialize_f64(*value),
            Value::Text(value) => serializer.serialize_str(value),
            Value::Instant(value) => value.serialize(serializer),
            Value::Texts(value) => value.serialize(serializer),
            Value::Json(value) => value.serialize(serializer),
        }
    }
}
