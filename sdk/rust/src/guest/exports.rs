//! What the server calls: one adapter per hook, from the generated trait to the SDK's.

use std::marker::PhantomData;

use super::bindings::shared::servicewright::plugin::{commands as wire_commands, types as wire};
use super::bindings::{approver, calculator, deliverer, poller, receiver, router};
use super::convert::{call, commands_out, error_out, fields, instant, record, time_limit_out};

type Answer<T> = Result<T, wire::PluginError>;

/// The `approval` hook of a component.
pub struct Approval<T>(PhantomData<T>);

mod wire_approval {
    pub(super) use super::approver::exports::servicewright::plugin::approval::*;
}

impl<T: crate::approval::Approval> wire_approval::Guest for Approval<T> {
    fn decide(
        wire_call: wire::Call,
        subject: wire::RecordView,
        request: wire_approval::Request,
    ) -> Answer<wire_approval::Verdict> {
        let request = crate::approval::Request {
            transition: request.transition,
            input: fields(request.input),
            votes: request.votes.into_iter().map(vote).collect(),
        };
        T::decide(&call(wire_call), &record(subject), &request)
            .map(verdict_out)
            .map_err(error_out)
    }
}

fn vote(vote: wire_approval::Vote) -> crate::approval::Vote {
    crate::approval::Vote {
        stage: vote.stage,
        user: vote.user,
        approves: vote.approves,
        at: instant(vote.at),
        reason: vote.reason,
    }
}

fn verdict_out(verdict: crate::approval::Verdict) -> wire_approval::Verdict {
    use crate::approval::Verdict;
    match verdict {
        Verdict::Approve(reason) => wire_approval::Verdict::Approve(reason),
        Verdict::Reject(reason) => wire_approval::Verdict::Reject(reason),
        Verdict::Ask(stages) => {
            wire_approval::Verdict::Ask(stages.into_iter().map(stage_out).collect())
        }
    }
}

fn stage_out(stage: crate::approval::Stage) -> wire_approval::Stage {
    use crate::approval::{Approver, Quorum};
    let approver = |approver| match approver {
        Approver::User(id) => wire_approval::Approver::User(id),
        Approver::Team(id) => wire_approval::Approver::Team(id),
        Approver::Role(id) => wire_approval::Approver::Role(id),
    };
    wire_approval::Stage {
        id: stage.id,
        approvers: stage.approvers.into_iter().map(approver).collect(),
        quorum: match stage.quorum {
            Quorum::All => wire_approval::Quorum::All,
            Quorum::Any => wire_approval::Quorum::Any,
            Quorum::Count(count) => wire_approval::Quorum::Count(count),
            Quorum::Percent(percent) => wire_approval::Quorum::Percent(percent),
        },
        timeout: stage.timeout.map(time_limit_out),
        reason: stage.reason,
    }
}

/// The `routing` hook of a component.
pub struct Routing<T>(PhantomData<T>);

mod wire_routing {
    pub(super) use super::router::exports::servicewright::plugin::routing::*;
}

impl<T: crate::routing::Routing> wire_routing::Guest for Routing<T> {
    fn route(wire_call: wire::Call, subject: wire::RecordView) -> Answer<wire_routing::Assignment> {
        T::route(&call(wire_call), &record(subject))
            .map(|assignment| wire_routing::Assignment {
                team: assignment.team,
                assignee: assignment.assignee,
                reason: assignment.reason,
            })
            .map_err(error_out)
    }
}

/// The `service-level` hook of a component.
pub struct ServiceLevel<T>(PhantomData<T>);

mod wire_service_level {
    pub(super) use super::calculator::exports::servicewright::plugin::service_level::*;
}

impl<T: crate::service_level::ServiceLevel> wire_service_level::Guest for ServiceLevel<T> {
    fn targets(
        wire_call: wire::Call,
        subject: wire::RecordView,
        agreement: wire_service_level::Agreement,
    ) -> Answer<Vec<wire_service_level::Target>> {
        let agreement = crate::service_level::Agreement {
            id: agreement.id,
            targets: agreement.targets,
            calendar: agreement.calendar,
            facts: fields(agreement.facts),
        };
        T::targets(&call(wire_call), &record(subject), &agreement)
            .map(|targets| targets.into_iter().map(target_out).collect())
            .map_err(error_out)
    }
}

fn target_out(target: crate::service_level::Target) -> wire_service_level::Target {
    use crate::service_level::Goal;
    wire_service_level::Target {
        id: target.id,
        goal: match target.goal {
            Goal::Within(limit) => wire_service_level::Goal::Within(time_limit_out(limit)),
            Goal::DueAt(at) => wire_service_level::Goal::DueAt(at.millis()),
        },
        warn_at_percent: target.warn_at_percent,
        reason: target.reason,
    }
}

/// The `delivery` hook of a component.
pub struct Delivery<T>(PhantomData<T>);

mod wire_delivery {
    pub(super) use super::deliverer::exports::servicewright::plugin::delivery::*;
}

impl<T: crate::delivery::Delivery> wire_delivery::Guest for Delivery<T> {
    fn deliver(
        wire_call: wire::Call,
        event: wire_delivery::Event,
    ) -> Answer<Vec<wire_commands::Command>> {
        let event = crate::delivery::Event {
            id: event.id,
            kind: event.kind,
            record: record(event.subject),
            references: event.references,
            data: event.data,
        };
        T::deliver(&call(wire_call), &event)
            .map(commands_out)
            .map_err(error_out)
    }
}

/// The `webhook` hook of a component.
pub struct Webhook<T>(PhantomData<T>);

mod wire_webhook {
    pub(super) use super::receiver::exports::servicewright::plugin::webhook::*;
}

impl<T: crate::webhook::Webhook> wire_webhook::Guest for Webhook<T> {
    fn receive(
        wire_call: wire::Call,
        request: wire_webhook::HttpRequest,
    ) -> Answer<wire_webhook::Reply> {
        let request = crate::webhook::Request {
            method: request.method,
            path: request.path,
            headers: request.headers,
            body: request.body,
        };
        T::receive(&call(wire_call), &request)
            .map(|reply| wire_webhook::Reply {
                response: wire_webhook::HttpResponse {
                    status: reply.response.status,
                    headers: reply.response.headers,
                    body: reply.response.body,
                },
                delivery: reply.delivery,
                commands: commands_out(reply.commands),
            })
            .map_err(error_out)
    }
}

/// The `schedule` hook of a component.
pub struct Schedule<T>(PhantomData<T>);

impl<T: crate::schedule::Schedule> poller::exports::servicewright::plugin::schedule::Guest
    for Schedule<T>
{
    fn run(wire_call: wire::Call) -> Answer<Vec<wire_commands::Command>> {
        T::run(&call(wire_call))
            .map(commands_out)
            .map_err(error_out)
    }
}
