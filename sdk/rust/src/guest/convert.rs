//! Between the generated types and the SDK's own.

use std::time::Duration;

use super::bindings::shared::servicewright::plugin::{commands as wire_commands, types as wire};
use crate::commands::{Action, Change, Command, Subject};
use crate::{Call, Category, Error, Fields, Instant, Record, TimeLimit, Value};

pub(super) const fn instant(millis: i64) -> Instant {
    Instant::from_millis(millis)
}

/// Whole milliseconds; a span too long for the contract becomes the longest it has.
pub(super) fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

fn value(value: wire::Value) -> Value {
    match value {
        wire::Value::Null => Value::Null,
        wire::Value::Boolean(value) => Value::Boolean(value),
        wire::Value::Integer(value) => Value::Integer(value),
        wire::Value::Number(value) => Value::Number(value),
        wire::Value::Text(text) => Value::Text(text),
        wire::Value::Instant(millis) => Value::Instant(instant(millis)),
        wire::Value::Texts(texts) => Value::Texts(texts),
        wire::Value::Json(json) => Value::Json(json),
    }
}

fn value_out(value: Value) -> wire::Value {
    match value {
        Value::Null => wire::Value::Null,
        Value::Boolean(value) => wire::Value::Boolean(value),
        Value::Integer(value) => wire::Value::Integer(value),
        Value::Number(value) => wire::Value::Number(value),
        Value::Text(text) => wire::Value::Text(text),
        Value::Instant(instant) => wire::Value::Instant(instant.millis()),
        Value::Texts(texts) => wire::Value::Texts(texts),
        Value::Json(json) => wire::Value::Json(json),
    }
}

pub(super) fn fields(fields: Vec<wire::Field>) -> Fields {
    fields
        .into_iter()
        .map(|field| (field.id, value(field.value)))
        .collect()
}

pub(super) fn fields_out(fields: Fields) -> Vec<wire::Field> {
    fields
        .into_iter()
        .map(|(id, value)| wire::Field {
            id,
            value: value_out(value),
        })
        .collect()
}

pub(super) fn time_limit_out(limit: TimeLimit) -> wire::TimeLimit {
    wire::TimeLimit {
        duration: millis(limit.duration),
        calendar: limit.calendar,
    }
}

pub(super) fn call(call: wire::Call) -> Call {
    Call {
        id: call.id,
        attempt: call.attempt,
        now: instant(call.now),
        seed: call.seed,
        actor: call.actor,
        facts: fields(call.facts),
        settings: call.settings,
    }
}

pub(super) fn record(view: wire::RecordView) -> Record {
    Record {
        id: view.id,
        workflow: view.workflow,
        state: view.state,
        category: match view.category {
            wire::StateCategory::Open => Category::Open,
            wire::StateCategory::Waiting => Category::Waiting,
            wire::StateCategory::Resolved => Category::Resolved,
            wire::StateCategory::Closed => Category::Closed,
        },
        version: view.version,
        requester: view.requester,
        assignee: view.assignee,
        team: view.team,
        opened_at: instant(view.opened_at),
        updated_at: instant(view.updated_at),
        state_since: instant(view.state_since),
        fields: fields(view.fields),
        facts: fields(view.facts),
    }
}

pub(super) fn error(error: wire::PluginError) -> Error {
    match error {
        wire::PluginError::InvalidInput(message) => Error::InvalidInput(message),
        wire::PluginError::Misconfigured(message) => Error::Misconfigured(message),
        wire::PluginError::Unavailable(retry) => Error::Unavailable {
            message: retry.message,
            after: retry.after.map(Duration::from_millis),
        },
        wire::PluginError::Internal(message) => Error::Internal(message),
    }
}

pub(super) fn error_out(error: Error) -> wire::PluginError {
    match error {
        Error::InvalidInput(message) => wire::PluginError::InvalidInput(message),
        Error::Misconfigured(message) => wire::PluginError::Misconfigured(message),
        Error::Unavailable { message, after } => wire::PluginError::Unavailable(wire::Retry {
            message,
            after: after.map(millis),
        }),
        Error::Internal(message) => wire::PluginError::Internal(message),
    }
}

fn subject_out(subject: Subject) -> wire_commands::Subject {
    match subject {
        Subject::Id(id) => wire_commands::Subject::Id(id),
        Subject::Reference(reference) => wire_commands::Subject::Reference(reference),
    }
}

fn change_out(change: Change) -> wire_commands::Change {
    match change {
        Change::Transition { name, input } => {
            wire_commands::Change::Transition(wire_commands::Transition {
                name,
                input: fields_out(input),
            })
        }
        Change::Update(fields) => wire_commands::Change::Update(fields_out(fields)),
        Change::Assign { team, assignee } => {
            wire_commands::Change::Assign(wire_commands::Assignment { team, assignee })
        }
        Change::Vote { approves, reason } => {
            wire_commands::Change::Vote(wire_commands::Vote { approves, reason })
        }
        Change::Comment { text, public } => {
            wire_commands::Change::Comment(wire_commands::Comment { text, public })
        }
        Change::Link { kind, target } => wire_commands::Change::Link(wire_commands::Link {
            kind,
            target: subject_out(target),
        }),
        Change::Refer(reference) => wire_commands::Change::Refer(reference),
    }
}

pub(super) fn commands_out(commands: Vec<Command>) -> Vec<wire_commands::Command> {
    commands
        .into_iter()
        .map(|command| wire_commands::Command {
            on_behalf_of: command.on_behalf_of,
            action: match command.action {
                Action::Create {
                    workflow,
                    fields,
                    reference,
                } => wire_commands::Action::Create(wire_commands::NewRecord {
                    workflow,
                    fields: fields_out(fields),
                    reference,
                }),
                Action::Change(subject, change) => {
                    wire_commands::Action::Change((subject_out(subject), change_out(change)))
                }
            },
        })
        .collect()
}
