//! Cards: what they show, and what is said where the workflow does not take one.

use std::time::Duration;

use serde_json::{Value as Json, json};
use servicewright_sdk::commands::Command;
use servicewright_sdk::delivery::{Delivery as _, Event};
use servicewright_sdk::http::{Request, Response};
use servicewright_sdk::testing::{self, Desk};
use servicewright_sdk::{Error, Result};

use super::Teams;

const URL: &str = "https://prod-1.example/workflows/w1/triggers/manual/paths/invoke?api-version=2016-06-01&sig={{secret:sig}}";

fn settings() -> Json {
    json!({
        "url": URL,
        "urls": { "incident": "https://prod-2.example/x?sig={{secret:other}}" },
        "link": "https://desk.example/records/{id}",
        "fields": { "risk": "Risk", "affected": "Services" }
    })
}

fn event(kind: &str, change: &Json) -> Event {
    let mut record = testing::record("normal-change")
        .with("summary", "Replace the *core* switch")
        .with("risk", "high")
        .with("affected", ["network", "vpn"]);
    record.id = Some("CHG-7".to_owned());
    record.state = "authorise".to_owned();
    record.requester = Some("ada".to_owned());
    let data = json!({ "specversion": "1.0", "data": { "actor": "ada", "change": change } });
    let kind = format!("servicewright.record.{kind}");
    Event::new("e-1", &kind, record, data.to_string())
}

fn deliver(event: &Event, answer: Response) -> (Result<Vec<Command>>, Request) {
    let desk = Desk::new().respond(move |_| Ok(answer.clone())).install();
    let answer = Teams::deliver(&testing::call(&settings()), event);
    let mut sent = desk.sent();
    assert_eq!(sent.len(), 1);
    (answer, sent.remove(0))
}

/// The card that was sent.
fn card(event: &Event) -> Json {
    let (answer, request) = deliver(event, Response::new(202, ""));
    assert_eq!(answer, Ok(Vec::new()));
    let message: Json = serde_json::from_slice(&request.body).unwrap();
    assert_eq!(message["type"], "message");
    let attachment = &message["attachments"][0];
    assert_eq!(
        attachment["contentType"],
        "application/vnd.microsoft.card.adaptive"
    );
    attachment["content"].clone()
}

#[test]
fn an_event_becomes_a_card_with_facts_and_a_way_to_the_record() {
    let opened =
        json!({ "stage-opened": { "approval": { "stage": { "entitled": ["carla", "dirk"] } } } });
    let card = card(&event("approval-asked", &opened));
    assert_eq!(
        (&card["type"], &card["version"]),
        (&"AdaptiveCard".into(), &"1.4".into())
    );
    assert_eq!(
        card["body"][0]["text"],
        r"CHG-7 Replace the \*core\* switch"
    );
    assert_eq!(
        card["body"][1]["text"],
        "Waits for the agreement of carla, dirk"
    );
    assert_eq!(
        card["body"][2]["facts"],
        json!([
            { "title": "State", "value": "authorise" },
            { "title": "Requester", "value": "ada" },
            { "title": "Services", "value": "network, vpn" },
            { "title": "Risk", "value": "high" }
        ])
    );
    assert_eq!(
        card["actions"],
        json!([{ "type": "Action.OpenUrl", "title": "Decide CHG-7", "url": "https://desk.example/records/CHG-7" }])
    );
}

#[test]
fn each_kind_of_event_says_what_happened() {
    let said = |kind: &str, change: Json| card(&event(kind, &change))["body"][1]["text"].clone();
    let clock = json!({ "clock": { "service_level": "standard", "target": "resolution" } });
    for (kind, change, says) in [
        ("created", json!({ "created": {} }), "Opened by ada"),
        (
            "transitioned",
            json!({ "entered": {} }),
            "Moved to authorise by ada",
        ),
        (
            "commented",
            json!({ "commented": { "text": "See [x](y)" } }),
            r"ada wrote: See \[x\]\(y\)",
        ),
        (
            "voted",
            json!({ "voted": { "person": "dirk", "approves": false } }),
            "dirk rejected",
        ),
        (
            "approval-decided",
            json!({ "approval-ended": { "outcome": "rejected", "reason": "Too risky" } }),
            "Decided, rejected: Too risky",
        ),
        (
            "breached",
            json!({ "breached": clock }),
            "The time for resolution is over",
        ),
        (
            "warned",
            json!({ "warned": clock }),
            "Little time is left for resolution",
        ),
        (
            "notice",
            json!({ "notified": { "subject": "Please look" } }),
            "Please look",
        ),
        ("effect", Json::Null, "effect"),
    ] {
        assert_eq!(said(kind, change), says, "{kind}");
    }
}

#[test]
fn each_workflow_may_have_an_address_of_its_own_and_the_secret_stays_a_name() {
    let (_, request) = deliver(&event("created", &Json::Null), Response::new(202, ""));
    assert_eq!(request.url, URL);
    let mut incident = event("created", &Json::Null);
    incident.record.workflow = "incident".to_owned();
    let (_, request) = deliver(&incident, Response::new(202, ""));
    assert_eq!(request.url, "https://prod-2.example/x?sig={{secret:other}}");
}

#[test]
fn whatever_a_record_holds_the_message_is_no_longer_than_teams_takes() {
    let text = "*é*😀{{".repeat(20_000);
    let mut large = event("commented", &json!({ "commented": { "text": text } }));
    large.record = large
        .record
        .with("summary", text.clone())
        .with("risk", text.clone())
        .with("affected", text);
    let (_, request) = deliver(&large, Response::new(202, ""));
    assert!(request.body.len() < 28 * 1024, "{}", request.body.len());
}

#[test]
fn what_may_pass_is_tried_again_and_what_will_not_says_what_to_do() {
    let refused = |status: u16, body: &str| {
        let response = Response::new(status, body).with_header("Retry-After", "15");
        deliver(&event("created", &Json::Null), response)
            .0
            .unwrap_err()
    };
    assert_eq!(
        refused(429, ""),
        Error::Unavailable {
            message: "the workflow answered 429".to_owned(),
            after: Some(Duration::from_secs(15)),
        }
    );
    assert!(matches!(
        refused(502, "bad gateway"),
        Error::Unavailable { .. }
    ));
    let schema = r#"{"error":{"code":"TriggerInputSchemaMismatch","message":"The input body"}}"#;
    assert_eq!(
        refused(400, schema),
        Error::InvalidInput(format!("the workflow answered 400: {schema}"))
    );
    for (status, says) in [
        (401, "check the secret in the address"),
        (404, "the workflow is gone"),
        (302, "check the setting `url`"),
    ] {
        let Error::Misconfigured(message) = refused(status, "") else {
            panic!("{status} is a matter of configuration");
        };
        assert!(message.contains(says), "{message}");
    }
}

#[test]
fn the_schema_says_the_defaults_that_hold() {
    let schema: Json = serde_json::from_str(include_str!("../settings.schema.json")).unwrap();
    let mut said = json!({ "url": URL });
    let held: crate::settings::Settings = serde_json::from_value(said.clone()).unwrap();
    for (name, property) in schema["properties"].as_object().unwrap() {
        if let Some(default) = property.get("default") {
            said[name] = default.clone();
        }
    }
    let said: crate::settings::Settings = serde_json::from_value(said).unwrap();
    assert_eq!(format!("{said:?}"), format!("{held:?}"));
}
