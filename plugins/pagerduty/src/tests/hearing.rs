//! Webhooks: what becomes of incidents, and that nothing else does anything.

use serde_json::{Value as Json, json};
use servicewright_sdk::commands::{Command, Subject};
use servicewright_sdk::signing::{hmac_sha256, to_hex};
use servicewright_sdk::testing::{self, Desk};
use servicewright_sdk::webhook::{Reply, Request, Webhook as _};
use servicewright_sdk::{Error, Fields};

use super::settings;
use crate::PagerDuty;

fn named(kind: &str, id: &str, summary: &str) -> Json {
    json!({ "type": format!("{kind}_reference"), "id": id, "summary": summary, "html_url": "https://acme.example/x", "self": "https://api.example/x" })
}

/// An event about an incident with this key.
fn told(what: &str, key: &str) -> Json {
    json!({ "event": {
        "id": "01BRB6ZP4M6T8ZG4X6BP63ZB9O",
        "event_type": format!("incident.{what}"),
        "resource_type": "incident",
        "occurred_at": "2026-01-05T08:59:30.169Z",
        "agent": named("user", "PLH1HKV", "Tenex"),
        "client": { "name": "PagerDuty" },
        "data": {
            "id": "PGR0VU2", "type": "incident", "html_url": "https://acme.pagerduty.com/incidents/PGR0VU2",
            "number": 2, "status": "triggered", "incident_key": key, "title": "A bump in the road",
            "service": named("service", "PF9KMXH", "API Service"),
            "assignees": [named("user", "PTUXL6G", "Maeve"), named("user", "P2", "Otto")],
            "escalation_policy": named("escalation_policy", "PUS0KTE", "Default"),
            "teams": [], "priority": named("priority", "PSO75BM", "P1"), "urgency": "high",
            "conference_bridge": null, "resolve_reason": null
        }
    } })
}

/// An event about something below an incident.
fn below(what: &str, more: &Json) -> Json {
    let mut event = told(what, "x");
    let mut data = json!({ "incident": named("incident", "PGR0VU2", "A bump"), "id": "P2LA89X" });
    for (name, value) in more.as_object().unwrap() {
        data[name] = value.clone();
    }
    event["event"]["data"] = data;
    event
}

fn desk() -> Desk {
    Desk::new()
        .secret("webhook", b"present")
        .secret("former", b"past")
}

fn signed(body: &Json, secrets: &[&str]) -> Request {
    let _desk = desk().secret("stranger", b"stranger").install();
    let body = body.to_string().into_bytes();
    let signatures: Vec<String> = secrets
        .iter()
        .map(|secret| format!("v1={}", to_hex(&hmac_sha256(secret, &body).unwrap())))
        .collect();
    let mut request = Request::post("/", body);
    let header = ("x-pagerduty-signature".to_owned(), signatures.join(","));
    request.headers.push(header);
    request
}

fn receive(request: &Request) -> Reply {
    let _desk = desk().install();
    PagerDuty::receive(&testing::call(&settings()), request).unwrap()
}

fn commands(body: &Json) -> Vec<Command> {
    let reply = receive(&signed(body, &["webhook"]));
    assert_eq!(reply.response.status, 200);
    assert_eq!(
        reply.delivery.as_deref(),
        Some("01BRB6ZP4M6T8ZG4X6BP63ZB9O")
    );
    reply.commands
}

fn theirs() -> Subject {
    Subject::reference("incident/PGR0VU2")
}

fn created() -> [Command; 2] {
    let fields = Fields::new()
        .with("channel", "monitoring")
        .with("impact", "high")
        .with("summary", "A bump in the road")
        .with(
            "description",
            "PagerDuty incident #2 of API Service: https://acme.pagerduty.com/incidents/PGR0VU2",
        );
    [
        Command::create("incident", fields).reference("incident/PGR0VU2"),
        Command::refer(theirs(), "origin/PGR0VU2"),
    ]
}

#[test]
fn an_incident_becomes_a_record_and_takes_it_along() {
    assert_eq!(commands(&told("triggered", "d3640")), created());
    // No order is promised: what comes first makes the record.
    let mut expected = created().to_vec();
    expected.push(Command::transition(theirs(), "start", Fields::new()));
    assert_eq!(commands(&told("acknowledged", "d3640")), expected);
    let input = Fields::new().with("resolution_code", "fixed");
    let resolve = Command::transition(theirs(), "resolve", input);
    assert_eq!(commands(&told("resolved", "d3640")), [resolve]);
}

#[test]
fn the_incident_of_a_record_here_is_linked_and_carries_back_what_people_do() {
    let record = || Subject::id("INC-7");
    let mut triggered = told("triggered", "servicewright/INC-7");
    triggered["event"]["agent"] = named("inbound_integration", "P1", "Events API");
    let seen = Command::comment(
        record(),
        "An incident in PagerDuty: https://acme.pagerduty.com/incidents/PGR0VU2",
    );
    let refer = Command::refer(record(), "incident/PGR0VU2");
    assert_eq!(commands(&triggered), [refer, seen]);
    let start = Command::transition(record(), "start", Fields::new());
    assert_eq!(
        commands(&told("acknowledged", "servicewright/INC-7")),
        [start]
    );
}

#[test]
fn what_this_desk_caused_does_not_come_back() {
    for agent in [named("inbound_integration", "P1", "Events API"), Json::Null] {
        let mut echo = told("resolved", "servicewright/INC-7");
        echo["event"]["agent"] = agent;
        assert_eq!(commands(&echo), []);
    }
    // The key of another desk is another desk's.
    let input = Fields::new().with("resolution_code", "fixed");
    let resolve = Command::transition(theirs(), "resolve", input);
    assert_eq!(
        commands(&told("resolved", "servicewright2/INC-7")),
        [resolve]
    );
}

#[test]
fn what_has_no_transition_is_noted() {
    let noted = |body: &Json| {
        let commands = commands(body);
        let [command] = &commands[..] else {
            panic!("one comment, and not {commands:?}");
        };
        command.clone()
    };
    let record = || Subject::id("INC-7");
    let key = "servicewright/INC-7";
    for (what, says) in [
        (
            "reassigned",
            "PagerDuty: reassigned to Maeve, Otto by Tenex",
        ),
        ("escalated", "PagerDuty: escalated to Maeve, Otto by Tenex"),
        ("delegated", "PagerDuty: delegated to Default by Tenex"),
        ("priority_updated", "PagerDuty: priority P1 by Tenex"),
        ("unacknowledged", "PagerDuty: unacknowledged by Tenex"),
        ("something_new", "PagerDuty: something_new by Tenex"),
    ] {
        assert_eq!(noted(&told(what, key)), Command::comment(record(), says));
    }
    for (what, more, says) in [
        (
            "annotated",
            json!({ "type": "incident_note", "content": "Swap it <b>" }),
            "Tenex noted in PagerDuty: Swap it <b>",
        ),
        (
            "status_update_published",
            json!({ "type": "incident_status_update", "message": "Soon" }),
            "Tenex told the stakeholders in PagerDuty: Soon",
        ),
        (
            "responder.added",
            json!({ "user": named("user", "P3", "Maeve"), "message": "Help" }),
            "PagerDuty: Tenex asked Maeve to help: Help",
        ),
        (
            "responder.replied",
            json!({ "user": named("user", "P3", "Maeve"), "state": "accepted", "message": "Yes" }),
            "PagerDuty: Maeve replied, accepted: Yes",
        ),
    ] {
        assert_eq!(noted(&below(what, &more)), Command::comment(theirs(), says));
    }
    let long = below("annotated", &json!({ "content": "é".repeat(50_000) }));
    let said = format!("{:?}", noted(&long));
    assert!(said.chars().count() < 4_300 && said.contains('…'));
}

#[test]
fn what_is_no_incident_is_taken_and_changes_nothing() {
    let ping = json!({ "event": {
        "id": "01BRB6ZP4M6T8ZG4X6BP63ZB9O", "event_type": "pagey.ping", "resource_type": "pagey",
        "occurred_at": "2026-01-05T09:00:00.000Z", "agent": null, "client": null,
        "data": { "message": "Hello from your friend Pagey!", "type": "ping" }
    } });
    assert_eq!(commands(&ping), []);
}

fn refused(request: &Request) -> (u16, String) {
    let reply = receive(request);
    assert_eq!((reply.commands.len(), &reply.delivery), (0, &None));
    let text = String::from_utf8(reply.response.body).unwrap();
    (reply.response.status, text)
}

#[test]
fn a_request_that_is_not_pagerdutys_is_refused_and_changes_nothing() {
    let body = told("triggered", "x");
    let wrong = |why: &str| (401, why.to_owned());
    let forged = signed(&body, &["stranger"]);
    assert_eq!(refused(&forged), wrong("The signature does not fit."));
    let mut changed = signed(&body, &["webhook"]);
    changed.body.push(b' ');
    assert_eq!(refused(&changed), wrong("The signature does not fit."));
    for signature in ["", "v1=", "v1=zz", "v0=00", ",,,"] {
        let mut request = signed(&body, &["webhook"]);
        signature.clone_into(&mut request.headers[0].1);
        assert_eq!(
            refused(&request),
            wrong("The signature does not fit."),
            "{signature}"
        );
    }
    let mut bare = signed(&body, &["webhook"]);
    bare.headers.clear();
    assert_eq!(refused(&bare), wrong("The request has no signature."));
    bare.method = "GET".to_owned();
    assert_eq!(refused(&bare), (405, "Send a POST.".to_owned()));
}

#[test]
fn while_a_secret_changes_one_of_several_signatures_is_enough() {
    let body = told("triggered", "x");
    for secrets in [
        &["stranger", "webhook"][..],
        &["former"],
        &["webhook", "stranger"],
    ] {
        assert_eq!(
            receive(&signed(&body, secrets)).commands.len(),
            2,
            "{secrets:?}"
        );
    }
}

#[test]
fn an_event_that_is_sent_again_much_later_is_refused() {
    let at = |time: &str| {
        let mut event = told("triggered", "x");
        event["event"]["occurred_at"] = time.into();
        signed(&event, &["webhook"])
    };
    assert_eq!(
        refused(&at("2026-01-05T02:59:59Z")),
        (401, "The event is too old.".to_owned())
    );
    assert_eq!(receive(&at("2026-01-05T03:00:00Z")).commands.len(), 2);
    assert_eq!(refused(&at("yesterday")).0, 400);
}

#[test]
fn a_body_that_does_not_fit_is_refused_and_says_why() {
    let why = |body: &Json| {
        let (status, why) = refused(&signed(body, &["webhook"]));
        assert_eq!(status, 400, "{why}");
        why
    };
    assert!(why(&json!([])).starts_with("The request is unclear: the body is not one of"));
    assert!(why(&json!({ "messages": [] })).contains("missing field `event`"));
    let mut empty = told("triggered", "x");
    empty["event"]["data"] = json!({});
    assert!(why(&empty).contains("the event tells of no incident"));
    empty["event"]["event_type"] = "incident.annotated".into();
    assert!(why(&empty).contains("the event belongs to no incident"));
}

#[test]
fn without_a_workflow_for_them_strange_incidents_are_left_alone() {
    let mut settings = settings();
    settings["receive"]
        .as_object_mut()
        .unwrap()
        .remove("create");
    let request = signed(&told("triggered", "x"), &["webhook"]);
    let _desk = desk().install();
    let reply = PagerDuty::receive(&testing::call(&settings), &request).unwrap();
    assert_eq!((reply.response.status, reply.commands.len()), (200, 0));
    let error = PagerDuty::receive(&testing::call(&json!({})), &request).unwrap_err();
    assert_eq!(
        error,
        Error::misconfigured("`receive` does not say whom to believe")
    );
}
