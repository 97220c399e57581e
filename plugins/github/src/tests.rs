//! What comes from GitHub and what goes there.

use std::time::Duration;

use counterpart::outgoing::{is_marked, mark};
use serde_json::{Value as Json, json};
use servicewright_sdk::commands::{Command, Subject};
use servicewright_sdk::delivery::{Delivery as _, Event};
use servicewright_sdk::http::{Request as Sent, Response};
use servicewright_sdk::signing::{hmac_sha256, to_hex};
use servicewright_sdk::testing::{self, Desk};
use servicewright_sdk::webhook::{Reply, Request, Webhook as _};
use servicewright_sdk::{Category, Error, Fields, Record, Result};

use super::GitHub;
use crate::settings::Settings;

const ISSUE: &str = "acme/website#12";

fn settings() -> Json {
    json!({
        "token": "token",
        "account": "desk-bot",
        "secret": "webhook",
        "previous_secret": "old",
        "repositories": { "acme/website": true, "acme/secret": false },
        "label": "desk",
        "receive": {
            "workflow": "incident",
            "fields": {
                "summary": { "text": "{title}", "at_most": 20 },
                "description": "{body}\n\n{url}",
            },
            "moves": {
                "closed": { "new": [{ "transition": "start" }] },
                "reopened": { "resolved": [{ "transition": "reopen", "input": { "what_remains": "{who}" } }] },
            },
        },
        "open": { "repository": "acme/website", "labels": { "desk": true, "no": false } },
    })
}

fn desk() -> Desk {
    Desk::new()
        .secret("webhook", b"GitHub's")
        .secret("old", b"former")
        .secret("other", b"a guess")
}

fn payload(action: &str) -> Json {
    json!({
        "action": action,
        "issue": {
            "number": 12,
            "title": "Anmeldung schlägt fehl: Umlaut",
            "body": "Seit heute früh.",
            "html_url": "https://github.com/acme/website/issues/12",
            "labels": [{ "name": "bug" }, { "name": "Desk" }],
            "updated_at": "2026-01-05T09:00:00Z",
            "user": { "login": "octocat" },
        },
        "repository": { "full_name": "acme/website" },
        "sender": { "login": "octocat" },
    })
}

fn comment(text: &str) -> Json {
    let mut body = payload("created");
    body["comment"] = json!({
        "id": 77,
        "body": text,
        "html_url": "https://github.com/acme/website/issues/12#issuecomment-77",
    });
    body
}

fn signed(event: &str, body: &[u8], secret: &str) -> Request {
    let _desk = desk().install();
    let signature = to_hex(&hmac_sha256(secret, body).unwrap());
    let mut request = Request::post("/", body);
    request.headers = vec![
        ("x-github-event".to_owned(), event.to_owned()),
        ("x-github-delivery".to_owned(), "72d3162e".to_owned()),
        (
            "x-hub-signature-256".to_owned(),
            format!("sha256={signature}"),
        ),
    ];
    request
}

fn receive_at(settings: &Json, request: &Request, record: Option<Record>) -> Reply {
    let desk = match record {
        Some(record) => desk().referenced(ISSUE, record),
        None => desk(),
    };
    let _desk = desk.install();
    GitHub::receive(&testing::call(settings), request).unwrap()
}

fn receive(event: &str, body: &Json, record: Option<Record>) -> Reply {
    let request = signed(event, body.to_string().as_bytes(), "webhook");
    receive_at(&settings(), &request, record)
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
        .with(
            "description",
            "Seit heute früh.\n\nhttps://github.com/acme/website/issues/12",
        )
        .with("summary", "Anmeldung schläg […]");
    let created = Command::create("incident", fields).reference(ISSUE);
    let reply = receive("issues", &payload("opened"), None);
    assert_eq!(reply.commands, std::slice::from_ref(&created));
    assert_eq!(
        reply.delivery.as_deref(),
        Some("issue/acme/website#12/opened")
    );

    let mut labeled = payload("labeled");
    labeled["label"] = json!({ "name": "desk" });
    assert_eq!(receive("issues", &labeled, None).commands, [created]);
    labeled["label"]["name"] = json!("bug");
    assert_eq!(receive("issues", &labeled, None).commands, []);

    let known = record("new", Category::Open);
    let reply = receive("issues", &payload("opened"), Some(known));
    assert_eq!((reply.response.status, reply.commands), (202, Vec::new()));
}

#[test]
fn an_issue_without_the_label_or_from_elsewhere_is_none_of_the_desk_s_business() {
    let nothing = |body: &Json| {
        let reply = receive("issues", body, None);
        assert_eq!((reply.response.status, reply.commands.len()), (202, 0));
    };
    let mut body = payload("opened");
    body["issue"]["labels"] = json!([{ "name": "bug" }]);
    nothing(&body);
    for elsewhere in ["acme/secret", "other/website", "a/../b"] {
        let mut body = payload("opened");
        body["repository"]["full_name"] = json!(elsewhere);
        nothing(&body);
    }
    let mut body = payload("opened");
    body["issue"]["pull_request"] = json!({ "url": "https://api.github.com/x" });
    nothing(&body);
    nothing(&payload("pinned"));
}

#[test]
fn a_comment_there_is_a_comment_here_unless_it_came_from_here() {
    let known = || Some(record("new", Category::Open));
    let reply = receive("issue_comment", &comment("Reproduced. 🎉"), known());
    let text =
        "octocat, https://github.com/acme/website/issues/12#issuecomment-77:\n\nReproduced. 🎉";
    assert_eq!(reply.commands, [Command::comment(subject(), text)]);
    assert_eq!(reply.delivery.as_deref(), Some("comment/77"));

    let ours = format!("**ada** in INC-1:\n\nOn it\n\n{}", mark("INC-1/2/0"));
    assert_eq!(
        receive("issue_comment", &comment(&ours), known()).commands,
        []
    );
    let mut edited = comment("x");
    edited["action"] = json!("edited");
    assert_eq!(receive("issue_comment", &edited, known()).commands, []);
    assert_eq!(receive("issue_comment", &comment("x"), None).commands, []);
}

#[test]
fn closing_and_reopening_move_the_record_from_where_it_is() {
    let open = || Some(record("new", Category::Open));
    let reply = receive("issues", &payload("closed"), open());
    let start = Command::transition(subject(), "start", Fields::new());
    assert_eq!(reply.commands, [start]);
    assert_eq!(
        reply.delivery.as_deref(),
        Some("issue/acme/website#12/closed/2026-01-05T09:00:00Z/new")
    );
    let resolved = || Some(record("resolved", Category::Resolved));
    assert_eq!(
        receive("issues", &payload("closed"), resolved()).commands,
        []
    );
    let reply = receive("issues", &payload("reopened"), resolved());
    let input = Fields::new().with("what_remains", "octocat");
    let reopen = Command::transition(subject(), "reopen", input);
    assert_eq!(reply.commands, [reopen]);

    // Our own close, reported when the record is open again.
    let mut own = payload("closed");
    own["sender"]["login"] = json!("desk-bot");
    assert_eq!(receive("issues", &own, open()).commands, []);

    // As good as closed, unless the settings have a way of its own for it.
    let mut not_planned = payload("closed");
    not_planned["issue"]["state_reason"] = json!("not_planned");
    assert_eq!(receive("issues", &not_planned, open()).commands.len(), 1);
    let mut settings = settings();
    settings["receive"]["moves"]["not_planned"] = json!({ "new": [{ "transition": "cancel" }] });
    let request = signed("issues", not_planned.to_string().as_bytes(), "webhook");
    let reply = receive_at(&settings, &request, open());
    let cancel = Command::transition(subject(), "cancel", Fields::new());
    assert_eq!(reply.commands, [cancel]);
}

#[test]
fn only_what_github_signed_is_believed() {
    let body = payload("opened").to_string().into_bytes();
    let status = |request: &Request| {
        let reply = receive_at(&settings(), request, None);
        assert_eq!(reply.commands.is_empty(), reply.response.status != 200);
        reply.response.status
    };
    assert_eq!(status(&signed("issues", &body, "webhook")), 200);
    assert_eq!(status(&signed("issues", &body, "old")), 200);
    assert_eq!(status(&signed("issues", &body, "other")), 401);
    let mut changed = signed("issues", &body, "webhook");
    changed.body.push(b' ');
    assert_eq!(status(&changed), 401);
    let mut unsigned = signed("issues", &body, "webhook");
    unsigned.headers.pop();
    assert_eq!(status(&unsigned), 401);
    for nonsense in ["", "sha256=", "sha256=zz", "sha1=00"] {
        let mut request = signed("issues", &body, "webhook");
        request.headers[2].1 = nonsense.to_owned();
        assert_eq!(status(&request), 401, "{nonsense}");
    }
}

#[test]
fn other_events_and_bodies_change_nothing() {
    let status = |event: &str, body: &[u8]| {
        let reply = receive_at(&settings(), &signed(event, body, "webhook"), None);
        assert_eq!(reply.commands, []);
        reply.response.status
    };
    assert_eq!(
        status("ping", br#"{ "zen": "Keep it logically awesome." }"#),
        202
    );
    assert_eq!(status("push", b"{}"), 202);
    assert_eq!(status("issues", b"payload=%7B%7D"), 400);
    assert_eq!(status("issues", b"{}"), 400);
    let mut get = signed("issues", b"{}", "webhook");
    get.method = "GET".to_owned();
    assert_eq!(receive_at(&settings(), &get, None).response.status, 405);
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
    let answer = GitHub::deliver(&call, event);
    (answer, desk.sent())
}

fn body(sent: &Sent) -> Json {
    serde_json::from_slice(&sent.body).unwrap()
}

#[test]
fn a_record_becomes_an_issue_and_is_known_by_its_name() {
    let created = |_: &Sent| Response::new(201, r#"{ "number": 34 }"#);
    let (answer, sent) = deliver(&event("created", &[]), 1, created);
    let refer = Command::refer(Subject::id("INC-1"), "acme/website#34");
    assert_eq!(answer, Ok(vec![refer]));
    let [sent] = &sent[..] else {
        panic!("{sent:?}")
    };
    assert_eq!(
        (sent.method.as_str(), sent.url.as_str()),
        ("POST", "https://api.github.com/repos/acme/website/issues")
    );
    for header in [
        ("accept", "application/vnd.github+json"),
        ("authorization", "Bearer {{secret:token}}"),
        ("user-agent", "servicewright"),
        ("x-github-api-version", "2022-11-28"),
    ] {
        let header = (header.0.to_owned(), header.1.to_owned());
        assert!(sent.headers.contains(&header), "{header:?}");
    }
    let body = body(sent);
    assert_eq!(body["title"], "INC-1: Login fails");
    assert_eq!(body["labels"], json!(["desk"]));
    assert!(is_marked(body["body"].as_str().unwrap()));
}

#[test]
fn an_issue_that_an_earlier_attempt_made_is_found_again() {
    let respond = |sent: &Sent| {
        assert_eq!(sent.method, "GET");
        let body = format!("text\n\n{}", mark("INC-1"));
        let listed = json!([{ "number": 35, "body": null }, { "number": 34, "body": body }]);
        Response::new(200, listed.to_string())
    };
    let (answer, sent) = deliver(&event("created", &[]), 2, respond);
    let refer = Command::refer(Subject::id("INC-1"), "acme/website#34");
    assert_eq!((answer, sent.len()), (Ok(vec![refer]), 1));
}

#[test]
fn what_the_requester_sees_is_said_there_once() {
    let said = event("commented", &["something else", ISSUE]);
    let (answer, sent) = deliver(&said, 1, |_| Response::new(201, "{}"));
    assert_eq!((answer, sent.len()), (Ok(Vec::new()), 1));
    let url = "https://api.github.com/repos/acme/website/issues/12/comments";
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
    assert!(
        sent[0]
            .url
            .starts_with(&format!("{url}?since=2026-01-03T09:00:00Z"))
    );

    let mut inside = said;
    inside.data = inside.data.replace("true", "false");
    let (answer, sent) = deliver(&inside, 1, |_| Response::new(500, ""));
    assert_eq!((answer, sent.len()), (Ok(Vec::new()), 0));
}

#[test]
fn an_issue_is_closed_with_its_record() {
    let moved = event("transitioned", &[ISSUE]);
    let (answer, sent) = deliver(&moved, 1, |_| Response::new(200, "{}"));
    assert_eq!(answer, Ok(Vec::new()));
    assert_eq!(sent[0].method, "PATCH");
    let closed = json!({ "state": "closed", "state_reason": "completed" });
    assert_eq!(body(&sent[0]), closed);
}

#[test]
fn what_is_not_linked_is_not_told() {
    for (kind, references) in [
        ("transitioned", &[][..]),
        ("commented", &["no issue"]),
        ("assigned", &[ISSUE]),
        ("created", &[ISSUE]),
    ] {
        let (answer, sent) = deliver(&event(kind, references), 1, |_| Response::new(500, ""));
        assert_eq!((answer, sent.len()), (Ok(Vec::new()), 0), "{kind}");
    }
}

#[test]
fn a_limit_is_waited_for_and_a_wrong_token_is_a_matter_of_configuration() {
    let refused = |response: Response| {
        let respond = move |_: &Sent| response.clone();
        deliver(&event("transitioned", &[ISSUE]), 1, respond)
            .0
            .unwrap_err()
    };
    let limited = Response::new(403, r#"{"message":"secondary rate limit"}"#);
    let Error::Unavailable { after, message } = refused(limited.with_header("retry-after", "30"))
    else {
        panic!("it may be tried again");
    };
    assert_eq!(after, Some(Duration::from_secs(30)));
    assert!(message.contains("secondary rate limit"), "{message}");
    assert!(matches!(
        refused(Response::new(502, "")),
        Error::Unavailable { after: None, .. }
    ));
    let unauthorised = refused(Response::new(401, r#"{"message":"Bad credentials"}"#));
    assert!(matches!(unauthorised, Error::Misconfigured(_)));
    assert!(
        unauthorised
            .message()
            .contains("check the address, the token")
    );
    let invalid = refused(Response::new(422, "Validation Failed"));
    assert!(matches!(invalid, Error::InvalidInput(_)));
}

#[test]
fn a_direction_that_is_not_set_up_is_a_matter_of_configuration() {
    let _desk = desk().install();
    let call = testing::call(&json!({}));
    let error = GitHub::receive(&call, &Request::post("/", "")).unwrap_err();
    assert!(error.message().contains("`secret`"), "{error}");
    let error = GitHub::deliver(&call, &event("transitioned", &[ISSUE])).unwrap_err();
    assert!(error.message().contains("`token`"), "{error}");
    // Nothing is to be made where the settings say nothing of it.
    let call = testing::call(&json!({ "token": "token" }));
    assert_eq!(
        GitHub::deliver(&call, &event("created", &[])),
        Ok(Vec::new())
    );
}

#[test]
fn the_schema_says_the_defaults_that_hold() {
    let schema: Json = serde_json::from_str(include_str!("../settings.schema.json")).unwrap();
    let default = |name: &str| schema["properties"][name]["default"].clone();
    let settings = Settings::default();
    assert_eq!(default("api"), settings.api);
    assert_eq!(default("timeout"), "PT10S");
    assert_eq!(settings.timeout.0, Duration::from_secs(10));
    assert_eq!(default("comments"), "public");
    let open = &schema["properties"]["open"]["properties"];
    let said: crate::settings::Open =
        serde_json::from_value(json!({ "repository": "a/b" })).unwrap();
    assert_eq!(open["title"]["default"], said.title);
    assert_eq!(open["body"]["default"], said.body);
    let intake: counterpart::incoming::Intake =
        serde_json::from_value(json!({ "workflow": "w" })).unwrap();
    let said = &schema["$defs"]["intake"]["properties"];
    assert_eq!(said["comment"]["default"], intake.comment);
    assert_eq!(said["public"]["default"], intake.public);
}

#[test]
fn where_none_is_named_all_are_listened_to_but_those_that_are_not() {
    let listens = |named: Json, to: &str| {
        let settings: Settings = serde_json::from_value(json!({ "repositories": named })).unwrap();
        settings.listens_to(to)
    };
    assert!(listens(json!({}), "acme/website"));
    assert!(listens(json!({ "acme/website": true }), "ACME/WEBSITE"));
    assert!(!listens(json!({ "acme/website": true }), "other/one"));
    assert!(!listens(json!({ "acme/website": false }), "acme/website"));
    assert!(listens(json!({ "acme/website": false }), "other/one"));
}
