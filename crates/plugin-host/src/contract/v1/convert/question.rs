//! What a guest is asked and told.

use engine::port::{Delivery, HttpRequest};
use model::Instant;
use model::definition::Category;
use model::hook::{Call, PastVote, RecordView};
use model::id::{CalendarId, FieldId, ServiceLevelId, TargetId};
use model::value::Value;
use std::collections::BTreeMap;

use super::value::fields;
use crate::active::Bound;
use crate::contract::v1::bindings::contract::types;
use crate::contract::v1::bindings::{approver, calculator, deliverer, receiver};

use approver::exports::servicewright::plugin::approval;
use calculator::exports::servicewright::plugin::service_level;
use deliverer::exports::servicewright::plugin::delivery;
use receiver::exports::servicewright::plugin::webhook;

pub(crate) fn call(call: &Call, bound: &Bound) -> types::Call {
    types::Call {
        id: call.id.clone(),
        attempt: call.attempt,
        now: call.now.millis(),
        seed: call.seed,
        actor: call.actor.clone(),
        settings: bound.settings.clone(),
        facts: vec![types::Field {
            id: "binding".to_owned(),
            value: types::Value::Text(bound.id.to_string()),
        }],
    }
}

pub(crate) fn record(record: &RecordView) -> types::RecordView {
    types::RecordView {
        id: record.id.as_ref().map(ToString::to_string),
        workflow: record.workflow.to_string(),
        state: record.state.clone(),
        category: match record.category {
            Category::Open => types::StateCategory::Open,
            Category::Waiting => types::StateCategory::Waiting,
            Category::Resolved => types::StateCategory::Resolved,
            Category::Closed => types::StateCategory::Closed,
        },
        version: record.version,
        requester: record.requester.as_ref().map(ToString::to_string),
        assignee: record.assignee.as_ref().map(ToString::to_string),
        team: record.team.clone(),
        opened_at: record.opened_at.millis(),
        updated_at: record.updated_at.millis(),
        state_since: record.state_since.millis(),
        fields: fields(&record.fields),
        facts: Vec::new(),
    }
}

pub(crate) fn approval(
    transition: &str,
    input: &BTreeMap<FieldId, Value>,
    votes: &[PastVote],
) -> approval::Request {
    approval::Request {
        transition: transition.to_owned(),
        input: fields(input),
        votes: votes.iter().map(vote).collect(),
    }
}

fn vote(vote: &PastVote) -> approval::Vote {
    approval::Vote {
        stage: vote.stage.to_string(),
        user: vote.person.to_string(),
        approves: vote.approves,
        at: Instant::millis(vote.at),
        reason: vote.comment.clone(),
    }
}

pub(crate) fn agreement(
    id: &ServiceLevelId,
    targets: &[TargetId],
    calendar: &CalendarId,
) -> service_level::Agreement {
    service_level::Agreement {
        id: id.to_string(),
        targets: targets.iter().map(ToString::to_string).collect(),
        calendar: calendar.to_string(),
        facts: Vec::new(),
    }
}

pub(crate) fn event(event: &Delivery) -> delivery::Event {
    delivery::Event {
        id: event.id.clone(),
        kind: event.kind.clone(),
        subject: record(&event.subject),
        references: event.references.clone(),
        data: event.data.clone(),
    }
}

pub(crate) fn request(request: HttpRequest) -> webhook::HttpRequest {
    webhook::HttpRequest {
        method: request.method,
        path: request.path,
        headers: request.headers,
        body: request.body,
    }
}
