//! What came of asking, as JSON in the contract's words: what expectations and files of answers hold.

use engine::port::{IntegrationAction, IntegrationCommand, Subject, SubjectChange, WebhookReply};
use model::Value;
use model::hook::{Answer, Failure};
use serde_json::{Map, Value as Json, json};

/// An answer at a pure hook.
pub(crate) fn answer(answer: &Answer) -> Json {
    json!({ "answer": answer })
}

/// Why there is none.
pub(crate) fn failure(failure: &Failure) -> Json {
    json!({ "failure": failure })
}

/// What an integration asks for.
pub(crate) fn commands(commands: &[IntegrationCommand]) -> Json {
    let commands: Vec<Json> = commands.iter().map(command).collect();
    json!({ "commands": commands })
}

/// What a webhook answers and asks for.
pub(crate) fn reply(reply: &WebhookReply) -> Json {
    let mut outcome = commands(&reply.commands);
    let body = String::from_utf8_lossy(&reply.response.body).into_owned();
    let headers: Map<String, Json> = reply
        .response
        .headers
        .iter()
        .map(|(name, value)| (name.clone(), value.as_str().into()))
        .collect();
    outcome["response"] = json!({
        "status": reply.response.status,
        "headers": headers,
        "body": serde_json::from_str(&body).unwrap_or(Json::String(body)),
    });
    outcome["delivery"] = json!(reply.delivery);
    outcome
}

fn command(command: &IntegrationCommand) -> Json {
    let mut told = match &command.action {
        IntegrationAction::Create(new) => json!({ "create": {
            "workflow": new.workflow,
            "fields": fields(&new.fields),
            "reference": new.reference,
        } }),
        IntegrationAction::Change(subject, change) => {
            let mut told = self::change(change);
            told["record"] = self::subject(subject);
            told
        }
    };
    if let Some(person) = &command.on_behalf_of {
        told["on-behalf-of"] = json!(person);
    }
    told
}

fn change(change: &SubjectChange) -> Json {
    match change {
        SubjectChange::Transition { name, input } => {
            json!({ "transition": { "name": name, "input": fields(input) } })
        }
        SubjectChange::Update(changed) => json!({ "update": fields(changed) }),
        SubjectChange::Assign { team, assignee } => {
            json!({ "assign": { "team": team, "assignee": assignee } })
        }
        SubjectChange::Vote { approves, comment } => {
            json!({ "vote": { "approves": approves, "reason": comment } })
        }
        SubjectChange::Comment { text, public } => {
            json!({ "comment": { "text": text, "public": public } })
        }
        SubjectChange::Link { kind, target } => {
            json!({ "link": { "kind": kind, "target": subject(target) } })
        }
        SubjectChange::Refer(reference) => json!({ "refer": reference }),
    }
}

fn subject(subject: &Subject) -> Json {
    match subject {
        Subject::Id(id) => json!({ "id": id }),
        Subject::Reference(reference) => json!({ "reference": reference }),
    }
}

fn fields(fields: &[(String, Value)]) -> Json {
    let fields = fields.iter();
    fields
        .map(|(id, value)| (id.clone(), value.to_json()))
        .collect::<Map<_, _>>()
        .into()
}
