//! Events: what a record's life means to whoever is on call.

use std::time::Duration;

use serde_json::{Value as Json, json};
use servicewright_sdk::commands::Command;
use servicewright_sdk::delivery::{Delivery as _, Event};
use servicewright_sdk::http::{Request, Response};
use servicewright_sdk::testing::{self, Desk};
use servicewright_sdk::{Category, Error, Result};

use super::settings;
use crate::PagerDuty;

fn event(state: &str, category: Category, actor: &str) -> Event {
    let mut record = testing::record("incident")
        .with("summary", "Disk full")
        .with("priority", "p1")
        .with("impact", "high");
    record.id = Some("INC-7".to_owned());
    record.state = state.to_owned();
    record.category = category;
    record.team = Some("infrastructure".to_owned());
    let data = json!({ "specversion": "1.0", "data": { "actor": actor } });
    Event::new(
        "e-1",
        "servicewright.record.transitioned",
        record,
        data.to_string(),
    )
}

fn deliver(event: &Event, answer: Response) -> (Result<Vec<Command>>, Vec<Request>) {
    let desk = Desk::new().respond(move |_| Ok(answer.clone())).install();
    let mut call = testing::call(&settings());
    call.facts.set("binding", "pagerduty");
    (PagerDuty::deliver(&call, event), desk.sent())
}

fn taken() -> Response {
    let answer = json!({ "status": "success", "message": "Event processed", "dedup_key": "servicewright/INC-7" });
    Response::new(202, answer.to_string())
}

/// What was sent about a record in this state; nothing where nothing was.
fn sent(state: &str, category: Category) -> Option<Json> {
    let (answer, sent) = deliver(&event(state, category, "ada"), taken());
    assert_eq!(answer, Ok(Vec::new()));
    let body = sent.first().map(|request| &request.body)?;
    Some(serde_json::from_slice(body).unwrap())
}

#[test]
fn an_open_record_triggers_an_alert_that_says_what_it_is() {
    let (_, requests) = deliver(&event("new", Category::Open, "ada"), taken());
    assert_eq!(requests[0].url, "https://events.pagerduty.com/v2/enqueue");
    let placed = (
        "servicewright-secret-in-body".to_owned(),
        "routing-key /routing_key".to_owned(),
    );
    assert!(requests[0].headers.contains(&placed));
    let body: Json = serde_json::from_slice(&requests[0].body).unwrap();
    assert_eq!(
        body,
        json!({
            "routing_key": "",
            "event_action": "trigger",
            "dedup_key": "servicewright/INC-7",
            "payload": {
                "summary": "INC-7 Disk full",
                "source": "servicewright",
                "severity": "critical",
                "timestamp": testing::NOW.to_string(),
                "class": "incident",
                "group": "infrastructure",
                "custom_details": { "state": "new", "Impact": "high" }
            },
            "client": "Servicewright",
            "client_url": "https://desk.example/records/INC-7",
            "links": [{ "href": "https://desk.example/records/INC-7", "text": "INC-7" }]
        })
    );
}

#[test]
fn the_state_says_whether_it_is_triggered_acknowledged_or_resolved() {
    let action = |state, category| sent(state, category).map(|body| body["event_action"].clone());
    assert_eq!(action("new", Category::Open), Some("trigger".into()));
    assert_eq!(
        action("waiting-user", Category::Waiting),
        Some("trigger".into())
    );
    assert_eq!(
        action("in-progress", Category::Open),
        Some("acknowledge".into())
    );
    assert_eq!(
        action("resolved", Category::Resolved),
        Some("resolve".into())
    );
    assert_eq!(action("closed", Category::Closed), Some("resolve".into()));
    assert_eq!(action("parked", Category::Waiting), None);
    let resolved = sent("resolved", Category::Resolved).unwrap();
    assert!(resolved.get("payload").is_none(), "the key is enough");
}

#[test]
fn what_pagerduty_did_itself_is_not_told_back() {
    let (answer, sent) = deliver(
        &event("resolved", Category::Resolved, "binding:pagerduty"),
        taken(),
    );
    assert_eq!((answer, sent.len()), (Ok(Vec::new()), 0));
    let (_, sent) = deliver(&event("new", Category::Open, "binding:monitoring"), taken());
    assert_eq!(sent.len(), 1, "another binding is another system");
    let mut theirs = event("resolved", Category::Resolved, "ada");
    theirs.references = vec!["incident/PT4KHLK".to_owned(), "origin/PT4KHLK".to_owned()];
    let (answer, sent) = deliver(&theirs, taken());
    assert_eq!((answer, sent.len()), (Ok(Vec::new()), 0));
    theirs.references.pop();
    assert_eq!(deliver(&theirs, taken()).1.len(), 1);
}

#[test]
fn whatever_a_record_holds_the_event_keeps_to_pagerdutys_lengths() {
    let mut large = event("new", Category::Open, "ada");
    large.record = large
        .record
        .with("summary", "é".repeat(20_000))
        .with("impact", "😀".repeat(20_000))
        .with("priority", "unheard-of");
    let (_, sent) = deliver(&large, taken());
    let body: Json = serde_json::from_slice(&sent[0].body).unwrap();
    let payload = &body["payload"];
    assert_eq!(payload["summary"].as_str().unwrap().chars().count(), 1_024);
    assert_eq!(
        payload["custom_details"]["Impact"]
            .as_str()
            .unwrap()
            .chars()
            .count(),
        1_000
    );
    assert_eq!(payload["severity"], "error");
    assert!(sent[0].body.len() < 64 << 10);
}

#[test]
fn what_may_pass_is_tried_again_and_what_will_not_says_what_to_do() {
    let refused = |status: u16, body: &str| {
        let response = Response::new(status, body).with_header("Retry-After", "20");
        deliver(&event("new", Category::Open, "ada"), response)
            .0
            .unwrap_err()
    };
    assert_eq!(
        refused(429, ""),
        Error::Unavailable {
            message: "PagerDuty answered 429".to_owned(),
            after: Some(Duration::from_secs(20)),
        }
    );
    assert!(matches!(refused(503, "busy"), Error::Unavailable { .. }));
    let key = r#"{"status":"invalid event","message":"Event object is invalid","errors":["Length of 'routing_key' is incorrect (should be 32 characters)"]}"#;
    let Error::Misconfigured(message) = refused(400, key) else {
        panic!("the key is a matter of configuration");
    };
    assert!(
        message.ends_with("check the secret with the integration key"),
        "{message}"
    );
    let event = r#"{"status":"invalid event","errors":["'payload.severity' is invalid"]}"#;
    assert!(matches!(refused(400, event), Error::InvalidInput(_)));
    for status in [301, 403, 404] {
        assert!(
            matches!(refused(status, ""), Error::Misconfigured(_)),
            "{status}"
        );
    }
}

#[test]
fn a_direction_that_is_not_set_up_is_a_matter_of_configuration() {
    let _desk = Desk::new().install();
    let call = testing::call(&json!({}));
    let error = PagerDuty::deliver(&call, &event("new", Category::Open, "ada")).unwrap_err();
    assert_eq!(
        error,
        Error::misconfigured("`send` does not say what PagerDuty is told")
    );
}
