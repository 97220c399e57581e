//! Clicks: whose count, and that nothing else does anything.

use serde_json::{Value as Json, json};
use servicewright_sdk::commands::{Change, Command, Subject};
use servicewright_sdk::delivery::Delivery as _;
use servicewright_sdk::http::Response;
use servicewright_sdk::signing::{hmac_sha256, to_hex};
use servicewright_sdk::testing::{self, Installed, NOW};
use servicewright_sdk::webhook::{Reply, Request, Webhook as _};
use servicewright_sdk::{Error, Result};

use super::{asked, decided, deliver, desk, desk_with, last, settings, takes, voted};
use crate::Slack;

/// What Slack sends when somebody presses a button of the message.
fn payload(user: &str, action: &str) -> Json {
    json!({
        "type": "block_actions",
        "user": { "id": user, "username": "someone", "team_id": "T0001" },
        "api_app_id": "A0001",
        "container": { "type": "message", "message_ts": "1503435956.000247", "channel_id": "C024BE91L", "is_ephemeral": false },
        "trigger_id": "12466734323.1395872398",
        "team": { "id": "T0001", "domain": "example" },
        "channel": { "id": "C024BE91L", "name": "changes" },
        "response_url": "https://hooks.slack.com/actions/T0001/1/x",
        "actions": [{
            "type": "button", "action_id": action, "block_id": "agreement", "action_ts": "1548426417.840180",
            "text": { "type": "plain_text", "text": "Approve" },
            "value": json!({ "record": "CHG-7", "stage": "cab", "round": 3 }).to_string(),
        }],
    })
}

fn form(payload: &Json) -> Vec<u8> {
    let mut form = form_urlencoded::Serializer::new(String::new());
    form.append_pair("payload", &payload.to_string());
    form.finish().into_bytes()
}

fn signed(kind: &str, body: Vec<u8>) -> Request {
    signed_at(kind, body, NOW.millis() / 1000)
}

fn signed_at(kind: &str, body: Vec<u8>, seconds: i64) -> Request {
    let mut message = format!("v0:{seconds}:").into_bytes();
    message.extend_from_slice(&body);
    let signature = hmac_sha256("signing", &message).unwrap();
    let mut request = Request::post("/", body);
    request.headers = vec![
        ("content-type".to_owned(), kind.to_owned()),
        ("x-slack-request-timestamp".to_owned(), seconds.to_string()),
        (
            "x-slack-signature".to_owned(),
            format!("v0={}", to_hex(&signature)),
        ),
    ];
    request
}

const FORM: &str = "application/x-www-form-urlencoded";

fn receive(request: &Request) -> Result<Reply> {
    Slack::receive(&testing::call(&settings()), request)
}

fn click(payload: &Json) -> Reply {
    receive(&signed(FORM, form(payload))).unwrap()
}

/// A click that does not count: what only the one who clicked is told.
fn told(desk: &Installed, payload: &Json) -> String {
    let before = desk.sent().len();
    let reply = click(payload);
    assert_eq!((reply.response.status, reply.commands.len()), (200, 0));
    assert_eq!(desk.sent().len(), before + 1);
    let (method, message) = last(desk);
    assert_eq!(method, "chat.postEphemeral");
    assert_eq!(message["channel"], "C024BE91L");
    assert_eq!(message["user"], payload["user"]["id"]);
    message["text"].as_str().unwrap().to_owned()
}

#[test]
fn a_click_is_the_vote_of_whoever_clicked() {
    let desk = desk();
    deliver(&asked(3)).unwrap();
    for (action, approves) in [("approve", true), ("reject", false)] {
        let reply = click(&payload("U0CARLA", action));
        let vote = Change::Vote {
            approves,
            reason: Some("Voted by a button in Slack.".to_owned()),
        };
        let vote = Command::change(Subject::id("CHG-7"), vote).on_behalf_of("carla");
        assert_eq!(reply.commands, [vote]);
        assert_eq!(
            reply.delivery.as_deref(),
            Some("1548426417.840180/U0CARLA/CHG-7/3")
        );
        assert_eq!((reply.response.status, reply.response.body.len()), (200, 0));
    }
    assert_eq!(desk.sent().len(), 1, "nothing but the message went out");
}

#[test]
fn a_click_sent_again_is_the_same_delivery() {
    let _desk = desk();
    deliver(&asked(3)).unwrap();
    let first = click(&payload("U0CARLA", "approve"));
    let mut again = signed(FORM, form(&payload("U0CARLA", "approve")));
    again
        .headers
        .push(("x-slack-retry-num".to_owned(), "1".to_owned()));
    assert_eq!(receive(&again).unwrap(), first);
}

#[test]
fn whoever_the_desk_does_not_know_is_told_so() {
    let desk = desk();
    deliver(&asked(3)).unwrap();
    let why = told(&desk, &payload("U0STRANGER", "approve"));
    assert!(why.starts_with("The desk does not know you"), "{why}");
    // The same id in another workspace is somebody else.
    for at in ["/user/team_id", "/team/id"] {
        let mut elsewhere = payload("U0CARLA", "approve");
        *elsewhere.pointer_mut(at).unwrap() = "T0002".into();
        let why = told(&desk, &elsewhere);
        assert!(why.starts_with("The desk does not know you"), "{why}");
    }
}

#[test]
fn whoever_was_not_asked_or_has_voted_or_is_late_is_told_so() {
    let desk = desk();
    deliver(&asked(3)).unwrap();
    let why = told(&desk, &payload("U0RITA", "approve"));
    assert!(why.starts_with("You are not among those"), "{why}");
    deliver(&voted(4, "carla")).unwrap();
    let why = told(&desk, &payload("U0CARLA", "reject"));
    assert_eq!(why, "Your vote on CHG-7 has been counted already.");

    let late = "CHG-7 no longer waits for this agreement, so your click does not count.";
    let mut earlier = payload("U0DIRK", "approve");
    earlier["actions"][0]["value"] = r#"{"record":"CHG-7","stage":"cab","round":2}"#.into();
    assert_eq!(told(&desk, &earlier), late);
    let mut other_message = payload("U0DIRK", "approve");
    other_message["container"]["message_ts"] = "1.0".into();
    assert_eq!(told(&desk, &other_message), late);
    deliver(&decided(5)).unwrap();
    assert_eq!(told(&desk, &payload("U0DIRK", "approve")), late);
}

#[test]
fn where_the_desk_alone_knows_who_is_asked_it_decides() {
    let _desk = desk();
    let mut opened = asked(3);
    let many: Vec<String> = (0..501).map(|n| format!("approver-{n}")).collect();
    opened.data = opened
        .data
        .replace(r#"["carla","dirk"]"#, &json!(many).to_string());
    deliver(&opened).unwrap();
    assert_eq!(click(&payload("U0RITA", "approve")).commands.len(), 1);
}

#[test]
fn what_is_no_vote_is_taken_and_changes_nothing() {
    let desk = desk();
    deliver(&asked(3)).unwrap();
    let mut other = payload("U0CARLA", "open");
    assert_eq!(click(&other).commands, []);
    other["type"] = "view_submission".into();
    let reply = click(&other);
    assert_eq!((reply.response.status, reply.commands.len()), (200, 0));
    assert_eq!(desk.sent().len(), 1);
}

#[test]
fn slack_may_test_the_address() {
    let _desk = desk();
    let test =
        json!({ "token": "x", "challenge": "3eZbrw1aBm2rZgRNFdxV", "type": "url_verification" });
    let reply = receive(&signed("application/json", test.to_string().into_bytes())).unwrap();
    assert_eq!(
        (reply.response.status, &*reply.response.body),
        (200, &b"3eZbrw1aBm2rZgRNFdxV"[..])
    );
    let event =
        json!({ "type": "event_callback", "event_id": "Ev1", "event": { "type": "message" } });
    let reply = receive(&signed("application/json", event.to_string().into_bytes())).unwrap();
    assert_eq!((reply.response.status, reply.commands.len()), (200, 0));
}

fn refused(request: &Request) -> (u16, String) {
    let reply = receive(request).unwrap();
    assert_eq!((reply.commands.len(), &reply.delivery), (0, &None));
    (
        reply.response.status,
        String::from_utf8(reply.response.body).unwrap(),
    )
}

#[test]
fn a_request_that_is_not_slacks_is_refused_and_changes_nothing() {
    let desk = desk();
    deliver(&asked(3)).unwrap();
    let body = form(&payload("U0CARLA", "approve"));
    let wrong = |why: &str| (401, why.to_owned());
    let mut changed = signed(FORM, body.clone());
    changed.body.push(b'&');
    assert_eq!(refused(&changed), wrong("The signature does not fit."));
    for (signature, why) in [
        (
            "v0=zz",
            "The signature is not `v0=` and hexadecimal digits.",
        ),
        (
            "v1=00",
            "The signature is not `v0=` and hexadecimal digits.",
        ),
        ("v0=00", "The signature does not fit."),
        ("v0=", "The signature does not fit."),
    ] {
        let mut forged = signed(FORM, body.clone());
        forged.headers[2].1 = signature.to_owned();
        assert_eq!(refused(&forged), wrong(why), "{signature}");
    }
    let now = NOW.millis() / 1000;
    for off in [-301, 301] {
        let stale = signed_at(FORM, body.clone(), now + off);
        assert_eq!(
            refused(&stale),
            wrong("The timestamp is too far from the present.")
        );
    }
    let just = signed_at(FORM, body.clone(), now - 300);
    assert_eq!(receive(&just).unwrap().commands.len(), 1);
    let mut bare = signed(FORM, body);
    bare.headers.truncate(2);
    assert_eq!(refused(&bare), wrong("The request has no signature."));
    bare.headers.truncate(1);
    assert_eq!(refused(&bare), wrong("The request has no timestamp."));
    bare.method = "GET".to_owned();
    assert_eq!(refused(&bare), (405, "Send a POST.".to_owned()));
    assert_eq!(desk.sent().len(), 1);
}

#[test]
fn a_request_that_is_unclear_is_refused_and_says_why() {
    let _desk = desk();
    let status = |kind: &str, body: &str| refused(&signed(kind, body.as_bytes().to_vec())).0;
    assert_eq!(status(FORM, "a=b"), 400);
    assert_eq!(status(FORM, "payload=%7B"), 400);
    assert_eq!(status(FORM, "payload=%FF%FE"), 400);
    assert_eq!(status("application/json", "[]"), 400);
    assert_eq!(status("text/plain", "hello"), 415);
    let without = |at: &str| {
        let mut broken = payload("U0CARLA", "approve");
        *broken.pointer_mut(at).unwrap() = Json::Null;
        refused(&signed(FORM, form(&broken)))
    };
    for at in [
        "/user",
        "/container",
        "/actions/0/value",
        "/actions/0/action_ts",
    ] {
        let (status, why) = without(at);
        assert_eq!(status, 400, "{at}");
        assert!(why.starts_with("The request is unclear: "), "{why}");
    }
}

#[test]
fn a_word_that_cannot_be_said_is_a_failure_that_slack_shows() {
    let _desk = desk_with(|request| {
        Ok(if request.url.ends_with("chat.postEphemeral") {
            Response::new(429, "").with_header("retry-after", "3")
        } else {
            takes(request)
        })
    });
    deliver(&asked(3)).unwrap();
    let request = signed(FORM, form(&payload("U0STRANGER", "approve")));
    assert!(matches!(receive(&request), Err(Error::Unavailable { .. })));
}

#[test]
fn without_clicks_there_are_no_buttons_and_requests_are_a_matter_of_configuration() {
    let desk = desk();
    let mut settings = settings();
    settings.as_object_mut().unwrap().remove("clicks");
    let call = testing::call(&settings);
    Slack::deliver(&call, &asked(3)).unwrap();
    let error = Slack::receive(&call, &Request::post("/", "")).unwrap_err();
    assert_eq!(
        error,
        Error::misconfigured("`clicks` does not say whose clicks count")
    );
    assert_eq!(super::buttons(&last(&desk).1), Vec::<Json>::new());
}
