//! What goes out and what comes in.

use std::time::Duration;

use serde_json::{Value as Json, json};
use servicewright_sdk::commands::{Command, Subject};
use servicewright_sdk::delivery::{Delivery, Event};
use servicewright_sdk::http;
use servicewright_sdk::testing::{self, Desk, NOW};
use servicewright_sdk::webhook::{Reply, Request, Webhook as _};
use servicewright_sdk::{Error, Fields, Result};

use super::Webhook;
use crate::signature;

const EVENT: &str = r#"{"specversion":"1.0","id":"e-1","type":"servicewright.breached"}"#;

fn settings() -> Json {
    json!({
        "deliver": {
            "url": "https://hooks.example/in",
            "secret": "out",
            "headers": { "authorization": "Bearer {{secret:token}}" },
            "reference": "/ticket/number"
        },
        "receive": { "secret": "in", "previous_secret": "old" }
    })
}

fn desk() -> Desk {
    Desk::new()
        .secret("out", b"outgoing")
        .secret("in", b"incoming")
        .secret("old", b"former")
}

fn event() -> Event {
    let mut record = testing::record("incident");
    record.id = Some("INC-1042".to_owned());
    Event::new("e-1", "servicewright.breached", record, EVENT)
}

fn deliver(event: &Event, response: http::Response) -> (Result<Vec<Command>>, http::Request) {
    let desk = desk().respond(move |_| Ok(response.clone())).install();
    let answer = Webhook::deliver(&testing::call(&settings()), event);
    let mut sent = desk.sent();
    assert_eq!(sent.len(), 1);
    (answer, sent.remove(0))
}

fn header<'a>(request: &'a http::Request, name: &str) -> Option<&'a str> {
    let found = request.headers.iter().find(|(header, _)| header == name);
    found.map(|(_, value)| value.as_str())
}

#[test]
fn an_event_goes_out_as_a_signed_cloud_event() {
    let (answer, request) = deliver(&event(), http::Response::new(202, ""));
    assert_eq!(answer, Ok(Vec::new()));
    assert_eq!(request.method, "POST");
    assert_eq!(request.url, "https://hooks.example/in");
    assert_eq!(request.body, EVENT.as_bytes());
    assert_eq!(
        header(&request, "content-type"),
        Some("application/cloudevents+json; charset=utf-8")
    );
    assert_eq!(header(&request, "servicewright-delivery"), Some("e-1"));
    assert_eq!(
        header(&request, "servicewright-timestamp"),
        Some("1767603600")
    );
    assert_eq!(
        header(&request, "authorization"),
        Some("Bearer {{secret:token}}")
    );
    let _desk = desk().install();
    let expected = signature::sign("out", "1767603600", EVENT.as_bytes()).unwrap();
    assert_eq!(
        header(&request, "servicewright-signature"),
        Some(expected.as_str())
    );
}

#[test]
fn the_receivers_own_name_is_kept_and_sent_along() {
    let answer = r#"{ "ticket": { "number": 17 } }"#;
    let mut event = event();
    let (commands, _) = deliver(&event, http::Response::new(201, answer));
    let refer = Command::refer(Subject::id("INC-1042"), "17");
    assert_eq!(commands, Ok(vec![refer]));

    event.references = vec!["17".to_owned()];
    let (commands, request) = deliver(&event, http::Response::new(200, answer));
    assert_eq!(commands, Ok(Vec::new()));
    let body: Json = serde_json::from_slice(&request.body).unwrap();
    assert_eq!(body["reference"], "17");
    assert_eq!(body["id"], "e-1");
}

#[test]
fn what_may_pass_is_tried_again_and_what_will_not_is_given_up() {
    let status = |status, headers: &[(&str, &str)]| {
        let mut response = http::Response::new(status, "no");
        for (name, value) in headers {
            response = response.with_header(*name, *value);
        }
        deliver(&event(), response).0.unwrap_err()
    };
    assert_eq!(
        status(429, &[("Retry-After", "30")]),
        Error::Unavailable {
            message: "the receiver answered 429: no".to_owned(),
            after: Some(Duration::from_secs(30)),
        }
    );
    for passing in [408, 500, 503] {
        assert!(matches!(
            status(passing, &[]),
            Error::Unavailable { after: None, .. }
        ));
    }
    for lasting in [301, 400, 404, 410] {
        assert!(matches!(status(lasting, &[]), Error::InvalidInput(_)));
    }
}

/// A request signed now with the secret `in`.
fn signed(body: &Json) -> Request {
    signed_at(body, "in", NOW.millis() / 1000)
}

fn signed_at(body: &Json, secret: &str, seconds: i64) -> Request {
    let _desk = desk().install();
    let body = body.to_string().into_bytes();
    let signature = signature::sign(secret, &seconds.to_string(), &body).unwrap();
    let mut request = Request::post("/", body);
    request.headers = vec![
        ("servicewright-timestamp".to_owned(), seconds.to_string()),
        ("servicewright-signature".to_owned(), signature),
    ];
    request
}

fn receive(request: &Request) -> Reply {
    let _desk = desk().install();
    Webhook::receive(&testing::call(&settings()), request).unwrap()
}

fn refused(request: &Request) -> (u16, String) {
    let reply = receive(request);
    assert_eq!(reply.commands, []);
    assert_eq!(reply.delivery, None);
    let text = String::from_utf8(reply.response.body).unwrap();
    (reply.response.status, text)
}

#[test]
fn a_signed_request_becomes_commands() {
    let reply = receive(&signed(&json!({
        "id": "d-7",
        "commands": [
            {
                "create": { "workflow": "incident", "fields": { "summary": "Disk full", "size": 3 } },
                "reference": "alert-17"
            },
            { "comment": { "text": "Again", "public": true }, "reference": "alert-17" },
            { "transition": { "name": "start" }, "record": "INC-1", "on_behalf_of": "ann" },
            { "update": { "impact": "high" }, "record": "INC-1" },
            { "refer": "alert-18", "record": "INC-1" }
        ]
    })));
    let alert = || Subject::reference("alert-17");
    let number = || Subject::id("INC-1");
    let fields = Fields::new().with("summary", "Disk full").with("size", 3);
    assert_eq!(reply.response.status, 200);
    assert_eq!(reply.response.body, br#"{"commands":5}"#);
    assert_eq!(reply.delivery.as_deref(), Some("d-7"));
    assert_eq!(
        reply.commands,
        [
            Command::create("incident", fields).reference("alert-17"),
            Command::comment(alert(), "Again").public(),
            Command::transition(number(), "start", Fields::new()).on_behalf_of("ann"),
            Command::update(number(), [("impact", "high")]),
            Command::refer(number(), "alert-18"),
        ]
    );
}

#[test]
fn a_cloud_event_with_commands_is_taken_too() {
    let reply = receive(&signed(&json!({
        "specversion": "1.0",
        "id": "e-9",
        "source": "monitoring",
        "type": "alert.closed",
        "data": { "commands": [{ "transition": { "name": "resolve" }, "reference": "alert-17" }] }
    })));
    assert_eq!(reply.delivery.as_deref(), Some("e-9"));
    assert_eq!(reply.commands.len(), 1);
}

#[test]
fn the_delivery_may_be_named_in_a_header() {
    let mut request = signed(&json!({ "commands": [] }));
    assert_eq!(
        refused(&request),
        (
            400,
            "Neither the body nor a header says which delivery this is.".to_owned()
        )
    );
    let named = ("servicewright-delivery".to_owned(), "d-8".to_owned());
    request.headers.push(named);
    assert_eq!(receive(&request).delivery.as_deref(), Some("d-8"));
}

#[test]
fn a_request_signed_with_the_former_secret_still_counts() {
    let body = json!({ "id": "d-1", "commands": [] });
    let request = signed_at(&body, "old", NOW.millis() / 1000);
    assert_eq!(receive(&request).response.status, 200);
}

#[test]
fn a_request_that_is_not_genuine_is_refused_and_changes_nothing() {
    let body = json!({ "id": "d-1", "commands": [] });
    let seconds = NOW.millis() / 1000;
    let wrong = |why: &str| (401, why.to_owned());

    let mut changed = signed(&body);
    changed.body.push(b' ');
    assert_eq!(refused(&changed), wrong("The signature does not fit."));
    let other_secret = signed_at(&body, "out", seconds);
    assert_eq!(refused(&other_secret), wrong("The signature does not fit."));
    let mut no_digits = signed(&body);
    no_digits.headers[1].1 = "sha256=maybe".to_owned();
    assert_eq!(refused(&no_digits), wrong("The signature does not fit."));
    let mut unsigned = signed(&body);
    unsigned.headers.pop();
    assert_eq!(refused(&unsigned), wrong("The request has no signature."));
    unsigned.headers.clear();
    assert_eq!(refused(&unsigned), wrong("The request has no timestamp."));
    for off in [-301, 301] {
        let stale = signed_at(&body, "in", seconds + off);
        let why = "The timestamp is too far from the present.";
        assert_eq!(refused(&stale), wrong(why));
    }
    let just = signed_at(&body, "in", seconds - 300);
    assert_eq!(receive(&just).response.status, 200);
}

#[test]
fn a_body_that_does_not_fit_is_refused_and_says_where() {
    let why = |commands: Json| refused(&signed(&json!({ "id": "d-1", "commands": commands })));
    let comment = json!({ "text": "x" });
    let wrong = |why: &str| (400, why.to_owned());
    assert_eq!(
        why(json!([{ "comment": comment }])),
        wrong("`commands[0]` names no record.")
    );
    assert_eq!(
        why(json!([{ "create": { "workflow": "incident" } }])),
        wrong("`commands[0]` creates a record without a `reference` to know it by.")
    );
    assert_eq!(
        why(json!([{ "comment": comment, "refer": "a", "record": "INC-1" }])),
        wrong("`commands[0]` does several things, and may do one.")
    );
    assert_eq!(
        why(json!([{ "record": "INC-1" }])),
        wrong("`commands[0]` does nothing.")
    );
    let (status, text) = why(json!([{ "delete": true, "record": "INC-1" }]));
    assert_eq!(status, 400);
    assert!(text.contains("unknown field `delete`"), "{text}");
    let mut not_json = signed(&json!("hello"));
    assert_eq!(refused(&not_json).0, 400);
    not_json.method = "GET".to_owned();
    assert_eq!(refused(&not_json), (405, "Send a POST.".to_owned()));
}

#[test]
fn a_direction_that_is_not_set_up_is_a_matter_of_configuration() {
    let _desk = desk().install();
    let call = testing::call(&json!({}));
    let error = Webhook::deliver(&call, &event()).unwrap_err();
    assert_eq!(
        error,
        Error::misconfigured("`deliver` does not say where events go")
    );
    let error = Webhook::receive(&call, &Request::post("/", "")).unwrap_err();
    assert_eq!(
        error,
        Error::misconfigured("`receive` does not say whom to believe")
    );
}

#[test]
fn the_schema_says_the_defaults_that_hold() {
    let schema = include_str!("../settings.schema.json");
    let said: crate::settings::Settings =
        serde_json::from_value(testing::schema_defaults(schema)).unwrap();
    assert_eq!(
        format!("{said:?}"),
        format!("{:?}", crate::settings::Settings::default())
    );
}
