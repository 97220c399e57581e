//! What comes from GitLab and what goes there.

use std::time::Duration;

use counterpart::outgoing::{is_marked, mark};
use serde_json::{Value as Json, json};
use servicewright_sdk::commands::{Command, Subject};
use servicewright_sdk::delivery::{Delivery as _, Event};
use servicewright_sdk::http::{Request as Sent, Response};
use servicewright_sdk::testing::{self, Desk};
use servicewright_sdk::webhook::{Reply, Request, Webhook as _};
use servicewright_sdk::{Category, Error, Fields, Record, Result};

use super::GitLab;
use crate::settings::Settings;

const ISSUE: &str = "acme/web/site#12";

fn settings() -> Json {
    json!({
        "token": "token",
        "account": "desk-bot",
        "secret": "webhook",
        "previous_secret": "old",
        "projects": { "acme/web/site": true, "acme/secret": false },
        "label": "desk",
        "receive": {
            "workflow": "incident",
            "fields": { "summary": { "text": "{title}", "at_most": 20 }, "description": "{body}" },
            "moves": {
                "closed": { "new": [{ "transition": "start" }] },
                "reopened": { "resolved": [{ "transition": "reopen" }] },
            },
        },
        "open": { "project": "acme/web/site", "labels": { "desk": true, "it": true, "no": false } },
    })
}

fn desk() -> Desk {
    Desk::new()
        .secret("webhook", b"GitLab's")
        .secret("old", b"former")
}

fn issue(action: &str) -> Json {
    json!({
        "object_kind": "issue",
        "event_type": "issue",
        "user": { "username": "root", "name": "Root" },
        "project": { "id": 1, "path_with_namespace": "acme/web/site" },
        "object_attributes": {
            "id": 301, "iid": 12, "action": action, "state": "opened",
            "title": "Anmeldung schlägt fehl: Umlaut", "description": "Seit heute früh.",
            "url": "https://gitlab.com/acme/web/site/-/issues/12",
            "updated_at": "2026-01-05 09:00:00 UTC",
        },
        "labels": [{ "id": 1, "title": "desk" }],
    })
}

fn note(text: &str) -> Json {
    json!({
        "object_kind": "note",
        "event_type": "note",
        "user": { "username": "root" },
        "project": { "path_with_namespace": "acme/web/site" },
        "object_attributes": {
            "id": 77, "action": "create", "note": text, "noteable_type": "Issue", "system": false,
            "url": "https://gitlab.com/acme/web/site/-/issues/12#note_77",
        },
        "issue": { "id": 301, "iid": 12, "title": "Anmeldung" },
    })
}

fn request(event: &str, body: &[u8]) -> Request {
    let mut request = Request::post("/", body);
    request.headers = vec![
        ("x-gitlab-event".to_owned(), event.to_owned()),
        ("x-gitlab-event-uuid".to_owned(), "13792a34".to_owned()),
        ("x-gitlab-token".to_owned(), "GitLab's".to_owned()),
    ];
    request
}

fn send(request: &Request, record: Option<Record>) -> Reply {
    let desk = match record {
        Some(record) => desk().referenced(ISSUE, record),
        None => desk(),
    };
    let _desk = desk.install();
    GitLab::receive(&testing::call(&settings()), request).unwrap()
}

fn receive(event: &str, body: &Json, record: Option<Record>) -> Reply {
    send(&request(event, body.to_string().as_bytes()), record)
}

fn record(state: &str, category: Category) -> Record {
    let mut record = testing::record("incident").with("summary", "Login fails");
    record.id = Some("INC-1".to_owned());
    record.state = state.to_owned();
    record.category = category;
    record
}

fn subject() -> Subject {
    Subject::reference(ISSUE)
}

#[test]
fn an_issue_with_the_label_becomes_one_record() {
    let fields = Fields::new()
        .with("description", "Seit heute früh.")
        .with("summary", "Anmeldung schläg […]");
    let created = Command::create("incident", fields).reference(ISSUE);
    for (event, action) in [
        ("Issue Hook", "open"),
        ("Confidential Issue Hook", "open"),
        ("Issue Hook", "update"),
    ] {
        let reply = receive(event, &issue(action), None);
        assert_eq!(reply.commands, std::slice::from_ref(&created));
        let id = "issue/acme/web/site#12/opened";
        assert_eq!(reply.delivery.as_deref(), Some(id));
    }
    let known = record("new", Category::Open);
    let reply = receive("Issue Hook", &issue("open"), Some(known));
    assert_eq!((reply.response.status, reply.commands), (202, Vec::new()));
}

#[test]
fn what_is_none_of_the_desk_s_business_changes_nothing() {
    let nothing = |event: &str, body: &Json| {
        let reply = receive(event, body, None);
        assert_eq!((reply.response.status, reply.commands.len()), (202, 0));
    };
    let mut body = issue("open");
    body["labels"] = json!([]);
    nothing("Issue Hook", &body);
    for elsewhere in ["acme/secret", "other/site", "a/../b"] {
        let mut body = issue("open");
        body["project"]["path_with_namespace"] = json!(elsewhere);
        nothing("Issue Hook", &body);
    }
    let mut body = issue("open");
    body["object_attributes"]["description"] = json!(format!("x\n\n{}", mark("INC-1")));
    nothing("Issue Hook", &body);
    nothing("Push Hook", &json!({}));
}

#[test]
fn a_comment_there_is_a_comment_here_unless_it_came_from_here() {
    let known = || Some(record("new", Category::Open));
    let said = |body: &Json| receive("Note Hook", body, known()).commands;
    let text = "root, https://gitlab.com/acme/web/site/-/issues/12#note_77:\n\nReproduced 🎉";
    let expected = [Command::comment(subject(), text)];
    assert_eq!(said(&note("Reproduced 🎉")), expected);
    let mut older = note("Reproduced 🎉");
    older["object_attributes"]
        .as_object_mut()
        .unwrap()
        .remove("action");
    assert_eq!(said(&older), expected);

    let ours = format!("**ada** in INC-1:\n\nOn it\n\n{}", mark("INC-1/2/0"));
    assert_eq!(said(&note(&ours)), []);
    for (name, value) in [
        ("action", json!("update")),
        ("noteable_type", json!("MergeRequest")),
        ("system", json!(true)),
    ] {
        let mut other = note("x");
        other["object_attributes"][name] = value;
        assert_eq!(said(&other), [], "{name}");
    }
    assert_eq!(receive("Note Hook", &note("x"), None).commands, []);
}

#[test]
fn closing_and_reopening_move_the_record_from_where_it_is() {
    let open = || Some(record("new", Category::Open));
    let reply = receive("Issue Hook", &issue("close"), open());
    let start = Command::transition(subject(), "start", Fields::new());
    assert_eq!(reply.commands, [start]);
    let resolved = || Some(record("resolved", Category::Resolved));
    let reply = receive("Issue Hook", &issue("reopen"), resolved());
    let reopen = Command::transition(subject(), "reopen", Fields::new());
    assert_eq!(reply.commands, [reopen]);
    assert_eq!(
        receive("Issue Hook", &issue("close"), resolved()).commands,
        []
    );
    let mut own = issue("close");
    own["user"]["username"] = json!("desk-bot");
    assert_eq!(receive("Issue Hook", &own, open()).commands, []);
}

#[test]
fn only_who_shows_the_token_is_believed() {
    let body = issue("open").to_string().into_bytes();
    let status = |token: Option<&str>| {
        let mut request = request("Issue Hook", &body);
        request.headers.truncate(2);
        let header = token.map(|token| ("x-gitlab-token".to_owned(), token.to_owned()));
        request.headers.extend(header);
        let reply = send(&request, None);
        assert_eq!(reply.commands.is_empty(), reply.response.status != 200);
        reply.response.status
    };
    assert_eq!(status(Some("GitLab's")), 200);
    assert_eq!(status(Some("former")), 200);
    for wrong in [None, Some(""), Some("GitLab"), Some("gitlab's")] {
        assert_eq!(status(wrong), 401, "{wrong:?}");
    }
    assert_eq!(
        send(&request("Issue Hook", b"hello"), None).response.status,
        400
    );
    let mut get = request("Issue Hook", b"{}");
    get.method = "GET".to_owned();
    assert_eq!(send(&get, None).response.status, 405);
}

fn event(kind: &str, references: &[&str]) -> Event {
    let commented = json!({ "text": "Wir sind dran", "public": true });
    let data = json!({ "data": { "actor": "ada", "change": { "commented": commented } } });
    let kind = format!("servicewright.record.{kind}");
    let record = record("resolved", Category::Resolved);
    let mut event = Event::new("INC-1/2/0", &kind, record, data.to_string());
    event.references = references.iter().map(|&name| name.to_owned()).collect();
    event
}

/// Delivers; gives the answer and what was sent.
fn deliver(
    event: &Event,
    attempt: u32,
    respond: impl Fn(&Sent) -> Response + 'static,
) -> (Result<Vec<Command>>, Vec<Sent>) {
    let desk = desk().respond(move |sent| Ok(respond(sent))).install();
    let mut call = testing::call(&settings());
    call.attempt = attempt;
    let answer = GitLab::deliver(&call, event);
    (answer, desk.sent())
}

fn body(sent: &Sent) -> Json {
    serde_json::from_slice(&sent.body).unwrap()
}

#[test]
fn a_record_becomes_one_issue_and_is_known_by_its_name() {
    let refer = Command::refer(Subject::id("INC-1"), "acme/web/site#34");
    let made = |_: &Sent| Response::new(201, r#"{ "id": 9, "iid": 34 }"#);
    let (answer, sent) = deliver(&event("created", &[]), 1, made);
    assert_eq!((answer, sent.len()), (Ok(vec![refer.clone()]), 1));
    let url = "https://gitlab.com/api/v4/projects/acme%2Fweb%2Fsite/issues";
    assert_eq!(
        (sent[0].method.as_str(), sent[0].url.as_str()),
        ("POST", url)
    );
    let authorization = (
        "authorization".to_owned(),
        "Bearer {{secret:token}}".to_owned(),
    );
    assert!(sent[0].headers.contains(&authorization));
    let asked = body(&sent[0]);
    assert_eq!(asked["title"], "INC-1: Login fails");
    assert_eq!(asked["labels"], "desk,it");
    assert!(is_marked(asked["description"].as_str().unwrap()));

    // An earlier attempt made it, and the answer was lost.
    let listed = json!([{ "iid": 35 }, { "iid": 34, "description": mark("INC-1") }]);
    let respond = move |_: &Sent| Response::new(200, listed.to_string());
    let (answer, sent) = deliver(&event("created", &[]), 2, respond);
    assert_eq!((answer, sent.len()), (Ok(vec![refer]), 1));
}

#[test]
fn what_the_requester_sees_is_said_there_once() {
    let said = event("commented", &["something else", ISSUE]);
    let (answer, sent) = deliver(&said, 1, |_| Response::new(201, "{}"));
    assert_eq!((answer, sent.len()), (Ok(Vec::new()), 1));
    let url = "https://gitlab.com/api/v4/projects/acme%2Fweb%2Fsite/issues/12/notes";
    assert_eq!(sent[0].url, url);
    let text = format!(
        "**ada** in INC-1:\n\nWir sind dran\n\n{}",
        mark("INC-1/2/0")
    );
    assert_eq!(body(&sent[0]), json!({ "body": text }));
    let listed = json!([{ "id": 1, "body": text }]).to_string();
    let respond = move |_: &Sent| Response::new(200, listed.clone());
    let (answer, sent) = deliver(&said, 3, respond);
    assert_eq!((answer, sent.len()), (Ok(Vec::new()), 1));
    assert_eq!(sent[0].method, "GET");
    let mut inside = said;
    inside.data = inside.data.replace("true", "false");
    let (answer, sent) = deliver(&inside, 1, |_| Response::new(500, ""));
    assert_eq!((answer, sent.len()), (Ok(Vec::new()), 0));
}

#[test]
fn an_issue_is_closed_with_its_record() {
    let moved = event("transitioned", &[ISSUE]);
    let (answer, sent) = deliver(&moved, 1, |_| Response::new(200, "{}"));
    assert_eq!((answer, sent.len()), (Ok(Vec::new()), 1));
    assert_eq!(sent[0].method, "PUT");
    assert_eq!(body(&sent[0]), json!({ "state_event": "close" }));
}

#[test]
fn a_limit_is_waited_for_and_a_wrong_token_is_a_matter_of_configuration() {
    let refused = |response: Response| {
        let respond = move |_: &Sent| response.clone();
        deliver(&event("transitioned", &[ISSUE]), 1, respond)
            .0
            .unwrap_err()
    };
    let limited = Response::new(429, "Retry later").with_header("Retry-After", "30");
    let after = Some(Duration::from_secs(30));
    assert!(matches!(refused(limited), Error::Unavailable { after: said, .. } if said == after));
    let down = refused(Response::new(503, ""));
    assert!(matches!(down, Error::Unavailable { after: None, .. }));
    let wrong = refused(Response::new(401, r#"{"message":"401 Unauthorized"}"#));
    assert!(matches!(wrong, Error::Misconfigured(_)));
    let invalid = refused(Response::new(400, "title is missing"));
    assert!(matches!(invalid, Error::InvalidInput(_)));
}

#[test]
fn the_schema_says_the_defaults_that_hold() {
    let schema: Json = serde_json::from_str(include_str!("../settings.schema.json")).unwrap();
    let default = |name: &str| schema["properties"][name]["default"].clone();
    let settings = Settings::default();
    assert_eq!(default("site"), settings.site);
    assert_eq!(default("timeout"), "PT10S");
    assert_eq!(settings.timeout.0, Duration::from_secs(10));
    assert_eq!(default("comments"), "public");
    let open = &schema["properties"]["open"]["properties"];
    let said: crate::settings::Open = serde_json::from_value(json!({ "project": "a/b" })).unwrap();
    assert_eq!(open["title"]["default"], said.title);
    assert_eq!(open["body"]["default"], said.body);
}

#[test]
fn where_none_is_named_all_are_listened_to_but_those_that_are_not() {
    let listens = |named: Json, to: &str| {
        let settings: Settings = serde_json::from_value(json!({ "projects": named })).unwrap();
        settings.listens_to(to)
    };
    assert!(listens(json!({}), "acme/web/site"));
    assert!(listens(json!({ "acme/web/site": true }), "ACME/WEB/SITE"));
    assert!(!listens(json!({ "acme/web/site": true }), "other/one"));
    assert!(!listens(json!({ "acme/web/site": false }), "acme/web/site"));
    assert!(listens(json!({ "acme/web/site": false }), "other/one"));
}
