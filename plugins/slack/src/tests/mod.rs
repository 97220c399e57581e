//! What goes to Slack and what comes from there, on a desk of the SDK.

mod clicking;
mod telling;

use serde_json::{Value as Json, json};
use servicewright_sdk::Category;
use servicewright_sdk::commands::Command;
use servicewright_sdk::delivery::{Delivery as _, Event};
use servicewright_sdk::http::{Request, Response};
use servicewright_sdk::testing::{self, Desk, Installed};
use servicewright_sdk::{Record, Result};

use super::Slack;

const SIGNING: &[u8] = b"8f742231b10e8888abcd99yyyzzz85a5";

fn settings() -> Json {
    json!({
        "channel": "C024BE91L",
        "channels": { "incident": "C0INCIDENT" },
        "link": "https://desk.example/records/{id}",
        "fields": { "risk": "Risk" },
        "people": { "U0CARLA": "carla", "U0DIRK": "dirk", "U0RITA": "rita" },
        "clicks": { "workspace": "T0001" }
    })
}

/// What Slack answers where all is well.
fn takes(request: &Request) -> Response {
    let asked: Json = serde_json::from_slice(&request.body).expect("JSON");
    let answer = json!({ "ok": true, "channel": asked["channel"], "ts": "1503435956.000247" });
    Response::new(200, answer.to_string())
}

fn desk() -> Installed {
    desk_with(|request| Ok(takes(request)))
}

fn desk_with(respond: impl Fn(&Request) -> Result<Response> + 'static) -> Installed {
    Desk::new()
        .secret("signing", SIGNING)
        .respond(respond)
        .install()
}

fn change(version: u64, state: &str) -> Record {
    let mut record = testing::record("normal-change")
        .with("summary", "Replace the core switch")
        .with("risk", "high");
    record.id = Some("CHG-7".to_owned());
    record.state = state.to_owned();
    record.version = version;
    record.requester = Some("ada".to_owned());
    record.category = match state {
        "cancelled" => Category::Closed,
        _ => Category::Waiting,
    };
    record
}

fn event(kind: &str, record: Record, change: &Json) -> Event {
    let data = json!({ "specversion": "1.0", "data": { "actor": "ada", "change": change } });
    let kind = format!("servicewright.record.{kind}");
    Event::new("e-1", &kind, record, data.to_string())
}

/// The event that a stage opened, for carla and dirk.
fn asked(version: u64) -> Event {
    let stage = json!({
        "plan": { "id": "cab", "approvers": [{ "team": "cab" }] },
        "opened_at": "2026-01-05T09:00:00Z", "needed": 2, "entitled": ["carla", "dirk"], "votes": {},
    });
    let opened =
        json!({ "stage-opened": { "approval": { "by": "change-advisory", "stage": stage } } });
    event("approval-asked", change(version, "authorise"), &opened)
}

fn voted(version: u64, person: &str) -> Event {
    let vote = json!({ "voted": { "stage": "cab", "person": person, "approves": true, "comment": "Sound <plan>" } });
    event("voted", change(version, "authorise"), &vote)
}

fn decided(version: u64) -> Event {
    let ended = json!({ "approval-ended": { "outcome": "approved", "reason": "2 of 2 approved" } });
    event("approval-decided", change(version, "scheduled"), &ended)
}

fn deliver(event: &Event) -> Result<Vec<Command>> {
    Slack::deliver(&testing::call(&settings()), event)
}

/// What was sent last: the method of Slack and its arguments.
fn last(desk: &Installed) -> (String, Json) {
    let sent = desk.sent();
    let request = sent.last().expect("something was sent");
    let (_, method) = request.url.rsplit_once('/').expect("an address");
    let arguments = serde_json::from_slice(&request.body).expect("JSON");
    (method.to_owned(), arguments)
}

/// The buttons of a message.
fn buttons(message: &Json) -> Vec<Json> {
    let blocks = message["blocks"].as_array().expect("blocks");
    let actions = blocks.iter().find(|block| block["type"] == "actions");
    let elements = actions.and_then(|block| block["elements"].as_array());
    elements.cloned().unwrap_or_default()
}
