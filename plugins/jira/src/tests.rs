//! What comes from Jira, what goes there, and what is looked for.

use std::time::Duration;

use serde_json::{Value as Json, json};
use servicewright_sdk::commands::{Command, Subject};
use servicewright_sdk::delivery::{Delivery as _, Event};
use servicewright_sdk::http::{Request as Sent, Response};
use servicewright_sdk::schedule::Schedule as _;
use servicewright_sdk::signing::{hmac_sha256, to_hex};
use servicewright_sdk::testing::{self, Desk, NOW};
use servicewright_sdk::webhook::{Reply, Request, Webhook as _};
use servicewright_sdk::{Category, Error, Fields, Record, Result, key_value};

use super::Jira;
use crate::settings::Settings;

fn settings() -> Json {
    json!({
        "site": "https://acme.atlassian.net/",
        "token": "token",
        "account": "5b99",
        "secret": "webhook",
        "previous_secret": "old",
        "projects": { "OPS": true, "SEC": false },
        "label": "desk",
        "receive": {
            "workflow": "incident",
            "fields": { "summary": { "text": "{title}", "at_most": 20 }, "description": "{body}" },
            "moves": { "Done": { "new": [{ "transition": "start" }] } },
        },
        "open": { "project": "OPS", "type": "Bug", "labels": { "it": true } },
        "statuses": { "resolved": "Done" },
    })
}

fn data_center() -> Json {
    let mut settings = settings();
    settings["deployment"] = json!("data-center");
    settings
}

fn desk() -> Desk {
    Desk::new()
        .secret("webhook", b"Jira's")
        .secret("old", b"former")
        .secret("other", b"a guess")
}

fn issue(key: &str, status: &str) -> Json {
    json!({ "id": "10001", "key": key, "fields": {
        "summary": "Anmeldung schlägt fehl: Umlaut",
        "description": "Seit heute früh.",
        "labels": ["bug", "desk"],
        "status": { "name": status },
        "updated": "2026-01-05T10:30:00.000+0100",
    } })
}

fn payload(event: &str) -> Json {
    json!({
        "timestamp": 1_767_603_600_000_i64,
        "webhookEvent": event,
        "user": { "accountId": "5b10", "displayName": "Mia Krystof" },
        "issue": issue("OPS-12", "Done"),
    })
}

fn moved() -> Json {
    let mut body = payload("jira:issue_updated");
    let items = json!([{ "field": "status", "fromString": "To Do", "toString": "Done" }]);
    body["changelog"] = json!({ "id": "10124", "items": items });
    body
}

fn commented(text: impl Into<Json>) -> Json {
    let mut body = payload("comment_created");
    let author = json!({ "displayName": "Mia Krystof" });
    body["comment"] = json!({ "id": "77", "body": text.into(), "author": author });
    body
}

fn signed(body: &[u8], secret: &str) -> Request {
    let _desk = desk().install();
    let signature = to_hex(&hmac_sha256(secret, body).unwrap());
    let mut request = Request::post("/", body);
    let header = ("x-hub-signature".to_owned(), format!("sha256={signature}"));
    request.headers = vec![header];
    request
}

fn receive_request(request: &Request, record: Option<Record>) -> Reply {
    let desk = match record {
        Some(record) => desk().referenced("OPS-12", record),
        None => desk(),
    };
    let _desk = desk.install();
    Jira::receive(&testing::call(&settings()), request).unwrap()
}

fn receive(body: &Json, record: Option<Record>) -> Reply {
    receive_request(&signed(body.to_string().as_bytes(), "webhook"), record)
}

fn record() -> Record {
    let mut record = testing::record("incident").with("summary", "Login fails");
    record.id = Some("INC-1".to_owned());
    record
}

fn subject() -> Subject {
    Subject::reference("OPS-12")
}

fn created() -> Command {
    let fields = Fields::new()
        .with("description", "Seit heute früh.")
        .with("summary", "Anmeldung schläg […]");
    Command::create("incident", fields).reference("OPS-12")
}

fn start() -> Command {
    Command::transition(subject(), "start", Fields::new())
}

#[test]
fn an_issue_with_the_label_becomes_one_record() {
    let reply = receive(&payload("jira:issue_created"), None);
    assert_eq!(reply.commands, [created()]);
    assert_eq!(reply.delivery.as_deref(), Some("issue/OPS-12/opened"));
    // It was given the label later.
    assert_eq!(
        receive(&payload("jira:issue_updated"), None).commands,
        [created()]
    );
    assert_eq!(
        receive(&payload("jira:issue_created"), Some(record())).commands,
        []
    );
}

#[test]
fn an_issue_from_elsewhere_or_from_here_is_not_opened() {
    let nothing = |body: &Json| {
        let reply = receive(body, None);
        assert_eq!((reply.response.status, reply.commands.len()), (202, 0));
    };
    for key in ["SEC-12", "HR-1", "../x-1"] {
        let mut body = payload("jira:issue_created");
        body["issue"]["key"] = json!(key);
        nothing(&body);
    }
    for labels in [
        json!(["bug"]),
        json!(["desk", "servicewright", "servicewright-INC-1"]),
    ] {
        let mut body = payload("jira:issue_created");
        body["issue"]["fields"]["labels"] = labels;
        nothing(&body);
    }
    nothing(&payload("jira:issue_deleted"));
    nothing(&json!({ "webhookEvent": "sprint_started", "timestamp": 1 }));
}

#[test]
fn a_status_moves_the_record_from_where_it_is() {
    let reply = receive(&moved(), Some(record()));
    assert_eq!(reply.commands, [start()]);
    let id = "issue/OPS-12/10124/Done/new";
    assert_eq!(reply.delivery.as_deref(), Some(id));
    let mut there = record();
    there.state = "resolved".to_owned();
    assert_eq!(receive(&moved(), Some(there)).commands, []);
    // Our own move, reported when the record has moved on.
    let mut own = moved();
    own["user"]["accountId"] = json!("5b99");
    assert_eq!(receive(&own, Some(record())).commands, []);
    // Something else of it was changed.
    assert_eq!(
        receive(&payload("jira:issue_updated"), Some(record())).commands,
        []
    );
}

#[test]
fn a_comment_there_is_a_comment_here_unless_it_came_from_here() {
    let text = "Mia Krystof, https://acme.atlassian.net/browse/OPS-12:\n\nReproduced 🎉";
    let expected = [Command::comment(subject(), text)];
    let reply = receive(&commented("Reproduced 🎉"), Some(record()));
    assert_eq!(reply.commands, expected);
    assert_eq!(reply.delivery.as_deref(), Some("comment/77"));
    let words = json!([{ "type": "text", "text": "Reproduced 🎉" }]);
    let document = json!({ "type": "doc", "version": 1, "content": [{ "type": "paragraph", "content": words }] });
    assert_eq!(
        receive(&commented(document), Some(record())).commands,
        expected
    );

    let ours = "ada in INC-1:\n\nOn it\n\nservicewright: INC-1/2/0";
    assert_eq!(receive(&commented(ours), Some(record())).commands, []);
    assert_eq!(receive(&commented("x"), None).commands, []);
}

#[test]
fn only_what_jira_signed_is_believed() {
    let body = payload("jira:issue_created").to_string().into_bytes();
    let status = |request: &Request| {
        let reply = receive_request(request, None);
        assert_eq!(reply.commands.is_empty(), reply.response.status != 200);
        reply.response.status
    };
    assert_eq!(status(&signed(&body, "webhook")), 200);
    assert_eq!(status(&signed(&body, "old")), 200);
    assert_eq!(status(&signed(&body, "other")), 401);
    let mut changed = signed(&body, "webhook");
    changed.body.push(b' ');
    assert_eq!(status(&changed), 401);
    for nonsense in ["", "sha256=zz", "sha1=00"] {
        let mut request = signed(&body, "webhook");
        request.headers[0].1 = nonsense.to_owned();
        assert_eq!(status(&request), 401, "{nonsense}");
    }
    assert_eq!(status(&Request::post("/", body)), 401);
    assert_eq!(status(&signed(b"hello", "webhook")), 400);
    let mut get = signed(b"{}", "webhook");
    get.method = "GET".to_owned();
    assert_eq!(status(&get), 405);
}

fn event(kind: &str, references: &[&str]) -> Event {
    let commented = json!({ "text": "Wir sind dran", "public": true });
    let data = json!({ "data": { "actor": "ada", "change": { "commented": commented } } });
    let kind = format!("servicewright.record.{kind}");
    let mut record = record();
    record.state = "resolved".to_owned();
    record.category = Category::Resolved;
    let mut event = Event::new("INC-1/2/0", &kind, record, data.to_string());
    event.references = references.iter().map(|&name| name.to_owned()).collect();
    event
}

/// Delivers; gives the answer and what was sent.
fn deliver(
    settings: &Json,
    event: &Event,
    attempt: u32,
    respond: impl Fn(&Sent) -> Response + 'static,
) -> (Result<Vec<Command>>, Vec<Sent>) {
    let desk = desk().respond(move |sent| Ok(respond(sent))).install();
    let mut call = testing::call(settings);
    call.attempt = attempt;
    let answer = Jira::deliver(&call, event);
    (answer, desk.sent())
}

fn body(sent: &Sent) -> Json {
    serde_json::from_slice(&sent.body).unwrap()
}

#[test]
fn a_record_becomes_an_issue_and_is_known_by_its_key() {
    let respond = |_: &Sent| Response::new(201, r#"{ "id": "1", "key": "OPS-34" }"#);
    let refer = Command::refer(Subject::id("INC-1"), "OPS-34");
    let (answer, sent) = deliver(&settings(), &event("created", &[]), 1, respond);
    assert_eq!((answer, sent.len()), (Ok(vec![refer.clone()]), 1));
    assert_eq!(sent[0].url, "https://acme.atlassian.net/rest/api/3/issue");
    let authorization = (
        "authorization".to_owned(),
        "Basic {{secret:token}}".to_owned(),
    );
    assert!(sent[0].headers.contains(&authorization));
    let fields = body(&sent[0])["fields"].clone();
    assert_eq!(fields["summary"], "INC-1: Login fails");
    assert_eq!(fields["project"], json!({ "key": "OPS" }));
    assert_eq!(fields["issuetype"], json!({ "name": "Bug" }));
    assert_eq!(
        fields["labels"],
        json!(["it", "servicewright", "servicewright-INC-1"])
    );
    assert_eq!(fields["description"]["type"], "doc");

    let (answer, sent) = deliver(&data_center(), &event("created", &[]), 1, respond);
    assert_eq!(answer, Ok(vec![refer]));
    assert_eq!(sent[0].url, "https://acme.atlassian.net/rest/api/2/issue");
    let authorization = (
        "authorization".to_owned(),
        "Bearer {{secret:token}}".to_owned(),
    );
    assert!(sent[0].headers.contains(&authorization));
    assert_eq!(body(&sent[0])["fields"]["description"], "");
}

#[test]
fn an_issue_that_an_earlier_attempt_made_is_found_again() {
    let respond = |sent: &Sent| {
        let jql = "project = \"OPS\" AND labels = \"servicewright-INC-1\"";
        assert_eq!(body(sent)["jql"], jql);
        let found = json!({ "issues": [issue("OPS-34", "To Do")], "isLast": true });
        Response::new(200, found.to_string())
    };
    let (answer, sent) = deliver(&settings(), &event("created", &[]), 2, respond);
    let refer = Command::refer(Subject::id("INC-1"), "OPS-34");
    assert_eq!((answer, sent.len()), (Ok(vec![refer]), 1));
}

#[test]
fn what_the_requester_sees_is_said_there_once() {
    let said = event("commented", &["OPS-12"]);
    let (answer, sent) = deliver(&settings(), &said, 1, |_| Response::new(201, "{}"));
    assert_eq!((answer, sent.len()), (Ok(Vec::new()), 1));
    let url = "https://acme.atlassian.net/rest/api/3/issue/OPS-12/comment";
    assert_eq!(sent[0].url, url);
    let document = body(&sent[0])["body"].clone();
    assert_eq!(
        document["content"][1]["content"][0]["text"],
        "Wir sind dran"
    );
    let last = &document["content"][2]["content"][0]["text"];
    assert_eq!(*last, "servicewright: INC-1/2/0");

    let listed = json!({ "comments": [{ "id": "1", "body": document }] }).to_string();
    let respond = move |_: &Sent| Response::new(200, listed.clone());
    let (answer, sent) = deliver(&settings(), &said, 3, respond);
    assert_eq!((answer, sent.len()), (Ok(Vec::new()), 1));
    assert_eq!(sent[0].method, "GET");

    let mut inside = said;
    inside.data = inside.data.replace("true", "false");
    let (answer, sent) = deliver(&settings(), &inside, 1, |_| Response::new(500, ""));
    assert_eq!((answer, sent.len()), (Ok(Vec::new()), 0));
}

/// What an issue can do next, in this status.
fn ways(status: &str) -> impl Fn(&Sent) -> Response + use<> {
    let ways = json!([{ "id": "11", "name": "Start", "to": { "name": "In Progress" } }, { "id": "31", "name": "Finish", "to": { "name": "Done" } }]);
    let answer = json!({ "fields": { "status": { "name": status } }, "transitions": ways });
    let answer = answer.to_string();
    move |sent| match sent.method.as_str() {
        "GET" => Response::new(200, answer.clone()),
        _ => Response::new(204, ""),
    }
}

#[test]
fn an_issue_is_taken_to_the_status_of_its_record() {
    let event = event("transitioned", &["OPS-12"]);
    let (answer, sent) = deliver(&settings(), &event, 1, ways("To Do"));
    assert_eq!((answer, sent.len()), (Ok(Vec::new()), 2));
    assert!(sent[1].url.ends_with("/issue/OPS-12/transitions"));
    assert_eq!(body(&sent[1]), json!({ "transition": { "id": "31" } }));
    // It is there already.
    let (answer, sent) = deliver(&settings(), &event, 1, ways("done"));
    assert_eq!((answer, sent.len()), (Ok(Vec::new()), 1));
    // It cannot get there.
    let mut other = settings();
    other["statuses"]["resolved"] = json!("Closed");
    let (answer, _) = deliver(&other, &event, 1, ways("To Do"));
    let error = answer.unwrap_err();
    assert!(
        error.message().contains("from `To Do` to `Closed`"),
        "{error}"
    );
}

#[test]
fn what_is_not_linked_or_named_is_not_told() {
    let mut settings = settings();
    settings["statuses"] = json!({ "closed": "Done" });
    for (kind, references) in [
        ("transitioned", &["OPS-12"][..]),
        ("transitioned", &["acme/website#1"]),
        ("commented", &[]),
        ("assigned", &["OPS-12"]),
    ] {
        let respond = |_: &Sent| Response::new(500, "");
        let (answer, sent) = deliver(&settings, &event(kind, references), 1, respond);
        assert_eq!((answer, sent.len()), (Ok(Vec::new()), 0), "{kind}");
    }
}

#[test]
fn a_busy_jira_is_left_alone_and_a_wrong_token_is_a_matter_of_configuration() {
    let refused = |response: Response| {
        let respond = move |_: &Sent| response.clone();
        let event = event("transitioned", &["OPS-12"]);
        deliver(&settings(), &event, 1, respond).0.unwrap_err()
    };
    let busy = Response::new(429, "").with_header("Retry-After", "25");
    let after = Some(Duration::from_secs(25));
    assert!(matches!(refused(busy), Error::Unavailable { after: said, .. } if said == after));
    let down = refused(Response::new(503, ""));
    assert!(matches!(down, Error::Unavailable { .. }));
    let wrong = refused(Response::new(401, "Client must be authenticated"));
    assert!(matches!(wrong, Error::Misconfigured(_)));
    let invalid = refused(Response::new(400, r#"{"errorMessages":["x"]}"#));
    assert!(matches!(invalid, Error::InvalidInput(_)));
}

#[test]
fn what_jira_did_not_report_is_found_page_by_page() {
    let mut mine = issue("OPS-12", "Done");
    mine["fields"]["updated"] = json!("2026-01-05T10:00:01.000+0100");
    let pages = [
        json!({ "issues": [issue("OPS-13", "To Do")], "nextPageToken": "more", "isLast": false }),
        json!({ "issues": [mine, issue("SEC-1", "Done")], "isLast": true }),
    ];
    let respond = move |sent: &Sent| {
        let is_first = body(sent)["nextPageToken"].is_null();
        Ok(Response::new(
            200,
            pages[usize::from(!is_first)].to_string(),
        ))
    };
    let desk = desk()
        .referenced("OPS-12", record())
        .respond(respond)
        .install();
    let call = testing::call(&settings());
    let commands = Jira::run(&call).unwrap();
    assert_eq!(commands.len(), 2, "{commands:?}");
    assert_eq!(commands[1], start());
    let sent = desk.sent();
    assert!(sent[0].url.ends_with("/rest/api/3/search/jql"));
    assert_eq!(
        body(&sent[0])["jql"],
        "project in (\"OPS\") AND labels in (\"desk\", \"servicewright\") AND updated >= -62m ORDER BY updated ASC"
    );
    assert_eq!(body(&sent[1])["nextPageToken"], "more");
    // All is known up to now: the next run looks back no further.
    assert_eq!(
        key_value::get("cursor"),
        Ok(Some(NOW.to_string().into_bytes()))
    );
    let _ = Jira::run(&call).unwrap();
    let jql = body(&desk.sent()[2])["jql"].to_string();
    assert!(jql.contains("updated >= -2m"), "{jql}");
}

#[test]
fn what_changed_here_last_is_not_taken_back() {
    // Jira's last change lies before the record came into its state.
    let found = json!({ "issues": [issue("OPS-12", "Done")], "startAt": 0, "total": 1 });
    let mut later = record();
    later.state_since = NOW + Duration::from_hours(1);
    let desk = desk()
        .referenced("OPS-12", later)
        .respond(move |_| Ok(Response::new(200, found.to_string())))
        .install();
    assert_eq!(Jira::run(&testing::call(&data_center())), Ok(Vec::new()));
    let sent = desk.sent();
    assert_eq!(sent.len(), 1);
    assert!(sent[0].url.ends_with("/rest/api/2/search"));
}

#[test]
fn a_status_that_was_set_from_here_is_no_news() {
    let found = json!({ "issues": [issue("OPS-12", "Done")], "isLast": true }).to_string();
    let respond = move |sent: &Sent| {
        let is_search = sent.url.ends_with("/search/jql");
        let answer = if is_search {
            Response::new(200, found.clone())
        } else {
            ways("To Do")(sent)
        };
        Ok(answer)
    };
    let mut earlier = record();
    earlier.state_since = NOW - Duration::from_hours(1);
    let _desk = desk()
        .referenced("OPS-12", earlier)
        .respond(respond)
        .install();
    let call = testing::call(&settings());
    let told = Jira::deliver(&call, &event("transitioned", &["OPS-12"]));
    assert_eq!(told, Ok(Vec::new()));
    assert_eq!(Jira::run(&call), Ok(Vec::new()));
    // Somebody else took it elsewhere and back.
    crate::known::set("OPS-12", "To Do");
    assert_eq!(Jira::run(&call), Ok(vec![start()]));
}

#[test]
fn a_run_takes_no_more_than_it_may_and_goes_on_from_there() {
    let many: Vec<_> = (0..100)
        .map(|n| issue(&format!("OPS-{n}"), "To Do"))
        .collect();
    let found = json!({ "issues": many, "nextPageToken": "more" });
    let _desk = desk()
        .respond(move |_| Ok(Response::new(200, found.to_string())))
        .install();
    let mut call = testing::call(&settings());
    call.now = NOW + Duration::from_hours(1);
    assert_eq!(Jira::run(&call).unwrap().len(), 80);
    let cursor = key_value::get("cursor").unwrap().unwrap();
    assert_eq!(cursor, b"2026-01-05T09:30:00Z");
}

#[test]
fn a_failed_search_leaves_the_cursor_where_it_was() {
    let _desk = desk().respond(|_| Ok(Response::new(502, ""))).install();
    assert!(Jira::run(&testing::call(&settings())).is_err());
    assert_eq!(key_value::get("cursor"), Ok(None));
}

#[test]
fn the_schema_says_the_defaults_that_hold() {
    let schema: Json = serde_json::from_str(include_str!("../settings.schema.json")).unwrap();
    let default = |name: &str| schema["properties"][name]["default"].clone();
    let settings =
        json!({ "site": "https://x", "projects": {}, "open": { "project": "A", "type": "Bug" } });
    let settings: Settings = serde_json::from_value(settings).unwrap();
    assert_eq!(default("timeout"), "PT10S");
    assert_eq!(settings.timeout.0, Duration::from_secs(10));
    assert_eq!(default("deployment"), "cloud");
    assert_eq!(settings.deployment, crate::settings::Deployment::Cloud);
    assert_eq!(default("comments"), "public");
    assert_eq!(settings.comments, crate::settings::Comments::Public);
    let said = settings.open.unwrap();
    let open = &schema["properties"]["open"]["properties"];
    assert_eq!(open["summary"]["default"], said.summary);
    assert_eq!(open["description"]["default"], said.description);
}
