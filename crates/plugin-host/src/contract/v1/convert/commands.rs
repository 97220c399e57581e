//! What an integration asks the server to do, and replies to the outside.

use engine::port::{
    HttpReply, IntegrationAction, IntegrationCommand, NewRecord, Subject, SubjectChange,
    WebhookReply,
};
use model::Value;

use super::{ENTRIES, NAME, TEXT, bounded, list, nonsense, value};
use crate::contract::v1::bindings::contract::commands;
use crate::contract::v1::bindings::contract::types::Field;
use crate::contract::v1::bindings::receiver::exports::servicewright::plugin::webhook;
use crate::failure::Stop;

/// How many commands one call may give.
const COMMANDS: usize = 100;
/// How large the body of a reply may be, in bytes.
const BODY: usize = 8 << 20;

pub(crate) fn all(commands: Vec<commands::Command>) -> Result<Vec<IntegrationCommand>, Stop> {
    list("commands", commands, COMMANDS, |command| {
        Ok(IntegrationCommand {
            on_behalf_of: command.on_behalf_of.map(name).transpose()?,
            action: action(command.action)?,
        })
    })
}

pub(crate) fn reply(reply: webhook::Reply) -> Result<WebhookReply, Stop> {
    let webhook::HttpResponse {
        status,
        headers,
        body,
    } = reply.response;
    if !(200..=599).contains(&status) {
        return Err(nonsense(format!("it replied with status {status}")));
    }
    if body.len() > BODY {
        let length = body.len();
        return Err(super::too_much(format!(
            "it replied with a body of {length} bytes, at most {BODY} are allowed"
        )));
    }
    Ok(WebhookReply {
        response: HttpReply {
            status,
            headers: list("headers", headers, 100, |(name, value)| {
                Ok((self::name(name)?, bounded("a header", value, 8 << 10)?))
            })?,
            body,
        },
        delivery: reply.delivery.map(name).transpose()?,
        commands: all(reply.commands)?,
    })
}

fn action(action: commands::Action) -> Result<IntegrationAction, Stop> {
    Ok(match action {
        commands::Action::Create(new) => IntegrationAction::Create(NewRecord {
            workflow: name(new.workflow)?,
            fields: fields(new.fields)?,
            reference: new.reference.map(name).transpose()?,
        }),
        commands::Action::Change((target, change)) => {
            IntegrationAction::Change(subject(target)?, self::change(change)?)
        }
    })
}

fn change(change: commands::Change) -> Result<SubjectChange, Stop> {
    Ok(match change {
        commands::Change::Transition(transition) => SubjectChange::Transition {
            name: name(transition.name)?,
            input: fields(transition.input)?,
        },
        commands::Change::Update(values) => SubjectChange::Update(fields(values)?),
        commands::Change::Assign(assignment) => SubjectChange::Assign {
            team: name(assignment.team)?,
            assignee: assignment.assignee.map(name).transpose()?,
        },
        commands::Change::Vote(vote) => SubjectChange::Vote {
            approves: vote.approves,
            comment: vote.reason.map(text).transpose()?,
        },
        commands::Change::Comment(comment) => SubjectChange::Comment {
            text: text(comment.text)?,
            public: comment.public,
        },
        commands::Change::Link(link) => SubjectChange::Link {
            kind: name(link.kind)?,
            target: subject(link.target)?,
        },
        commands::Change::Refer(reference) => SubjectChange::Refer(name(reference)?),
    })
}

fn subject(subject: commands::Subject) -> Result<Subject, Stop> {
    Ok(match subject {
        commands::Subject::Id(id) => Subject::Id(name(id)?),
        commands::Subject::Reference(reference) => Subject::Reference(name(reference)?),
    })
}

fn fields(fields: Vec<Field>) -> Result<Vec<(String, Value)>, Stop> {
    list("fields", fields, ENTRIES, |field| {
        Ok((name(field.id)?, value::from_guest(field.value, TEXT)?))
    })
}

fn name(text: String) -> Result<String, Stop> {
    bounded("a name", text, NAME)
}

fn text(text: String) -> Result<String, Stop> {
    bounded("a text", text, TEXT)
}
