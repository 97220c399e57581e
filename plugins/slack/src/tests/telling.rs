//! Messages: what they show, when they are new, and what is said where Slack does not take one.

use std::cell::Cell;
use std::time::Duration;

use serde_json::{Value as Json, json};
use servicewright_sdk::Error;
use servicewright_sdk::http::Response;

use super::{asked, buttons, change, decided, deliver, desk, desk_with, event, last, takes, voted};

#[test]
fn a_record_has_one_message_which_is_brought_up_to_date() {
    let desk = desk();
    let created = json!({ "created": { "workflow": "normal-change" } });
    assert_eq!(
        deliver(&event("created", change(1, "assess"), &created)),
        Ok(vec![])
    );
    let request = &desk.sent()[0];
    assert_eq!(request.url, "https://slack.com/api/chat.postMessage");
    let header = |name: &str| {
        let found = request.headers.iter().find(|(key, _)| key == name);
        found.map(|(_, value)| value.as_str())
    };
    assert_eq!(header("authorization"), Some("Bearer {{secret:token}}"));
    assert_eq!(
        header("content-type"),
        Some("application/json; charset=utf-8")
    );
    let (_, message) = last(&desk);
    assert_eq!(message["channel"], "C024BE91L");
    assert_eq!(
        message["blocks"][0]["text"]["text"],
        "*<https://desk.example/records/CHG-7|CHG-7>* Replace the core switch"
    );
    let fields = message["blocks"][1]["fields"].to_string();
    assert!(
        fields.contains("*Risk*\\nhigh") && fields.contains("*State*\\nassess"),
        "{fields}"
    );
    assert_eq!(buttons(&message), Vec::<Json>::new());

    let moved = json!({ "entered": { "via": "submit", "from": "assess", "to": "authorise", "category": "waiting" } });
    deliver(&event("transitioned", change(2, "authorise"), &moved)).unwrap();
    let (method, message) = last(&desk);
    assert_eq!((desk.sent().len(), method.as_str()), (2, "chat.update"));
    assert_eq!(message["ts"], "1503435956.000247");
    let said = message["blocks"][2]["elements"][0]["text"]
        .as_str()
        .unwrap();
    assert!(
        said.starts_with("Moved to authorise by ada · <!date^1767603600^"),
        "{said}"
    );
}

#[test]
fn each_workflow_may_have_a_channel_of_its_own() {
    let desk = desk();
    let mut record = change(1, "new");
    record.workflow = "incident".to_owned();
    deliver(&event("created", record, &Json::Null)).unwrap();
    assert_eq!(last(&desk).1["channel"], "C0INCIDENT");
}

#[test]
fn a_stage_has_buttons_until_it_is_decided_and_then_shows_who_did() {
    let desk = desk();
    deliver(&asked(3)).unwrap();
    let (method, message) = last(&desk);
    assert_eq!(method, "chat.postMessage");
    let buttons_shown = buttons(&message);
    assert_eq!(buttons_shown[0]["action_id"], "approve");
    assert_eq!(buttons_shown[1]["action_id"], "reject");
    let value: Json = serde_json::from_str(buttons_shown[0]["value"].as_str().unwrap()).unwrap();
    assert_eq!(
        value,
        json!({ "record": "CHG-7", "stage": "cab", "round": 3 })
    );
    let asked_text = message["blocks"][2]["text"]["text"].as_str().unwrap();
    assert_eq!(
        asked_text,
        "*Waits for the agreement of cab*: 2 votes are needed.\nAsked: <@U0CARLA>, <@U0DIRK>"
    );

    // The same vote told twice is one vote.
    deliver(&voted(4, "carla")).unwrap();
    deliver(&voted(4, "carla")).unwrap();
    let (method, message) = last(&desk);
    assert_eq!(
        (method.as_str(), buttons(&message).len()),
        ("chat.update", 2)
    );
    deliver(&decided(5)).unwrap();
    let (_, message) = last(&desk);
    assert_eq!(buttons(&message), Vec::<Json>::new());
    assert_eq!(
        message["blocks"][2]["text"]["text"],
        "*Approved*: 2 of 2 approved\n<@U0CARLA> approved: Sound &lt;plan&gt;"
    );
}

#[test]
fn a_question_that_is_taken_back_loses_its_buttons() {
    let desk = desk();
    deliver(&asked(3)).unwrap();
    let back = json!({ "entered": { "via": "withdraw", "to": "draft" } });
    deliver(&event("transitioned", change(4, "draft"), &back)).unwrap();
    assert_eq!(buttons(&last(&desk).1), Vec::<Json>::new());
}

#[test]
fn news_is_said_in_the_thread_too() {
    let desk = desk();
    deliver(&asked(3)).unwrap();
    let comment = json!({ "commented": { "text": "See <!channel>", "public": false } });
    deliver(&event("commented", change(4, "authorise"), &comment)).unwrap();
    let (method, reply) = last(&desk);
    assert_eq!(
        (desk.sent().len(), method.as_str()),
        (3, "chat.postMessage")
    );
    assert_eq!(reply["thread_ts"], "1503435956.000247");
    assert_eq!(reply["text"], "ada wrote: See &lt;!channel&gt;");
}

#[test]
fn what_was_overtaken_changes_no_message() {
    let desk = desk();
    deliver(&decided(9)).unwrap();
    assert_eq!(deliver(&asked(3)), Ok(vec![]));
    assert_eq!(desk.sent().len(), 1);
}

#[test]
fn what_follows_a_close_still_finds_the_message() {
    let desk = desk();
    deliver(&asked(3)).unwrap();
    deliver(&event("transitioned", change(4, "cancelled"), &Json::Null)).unwrap();
    deliver(&event("updated", change(4, "cancelled"), &Json::Null)).unwrap();
    let methods: Vec<String> = desk
        .sent()
        .iter()
        .map(|request| request.url.rsplit('/').next().unwrap().to_owned())
        .collect();
    assert_eq!(methods, ["chat.postMessage", "chat.update", "chat.update"]);
}

#[test]
fn a_message_that_somebody_deleted_is_posted_again() {
    let desk = desk_with(|request| {
        Ok(if request.url.ends_with("chat.update") {
            Response::new(200, r#"{"ok":false,"error":"message_not_found"}"#)
        } else {
            takes(request)
        })
    });
    deliver(&asked(3)).unwrap();
    deliver(&voted(4, "carla")).unwrap();
    assert_eq!(
        (desk.sent().len(), last(&desk).0.as_str()),
        (3, "chat.postMessage")
    );
}

#[test]
fn whatever_a_record_holds_the_message_keeps_to_slacks_lengths() {
    let desk = desk();
    let mut opened = asked(3);
    let many: Vec<String> = (0..600).map(|n| format!("approver-<{n}>")).collect();
    opened.data = opened
        .data
        .replace(r#"["carla","dirk"]"#, &json!(many).to_string());
    opened.record = opened
        .record
        .with("summary", "😀 & <é>".repeat(2_000))
        .with("risk", "r".repeat(50_000));
    deliver(&opened).unwrap();
    for version in 4..80 {
        let mut vote = voted(version, &format!("approver-{version}"));
        vote.data = vote.data.replace("Sound <plan>", &"<&>".repeat(3_000));
        deliver(&vote).unwrap();
    }
    let (_, message) = last(&desk);
    let units = |text: &Json| text.as_str().unwrap().encode_utf16().count();
    assert!(units(&message["text"]) <= 4_000);
    let blocks = message["blocks"].as_array().unwrap();
    assert!(blocks.len() <= 50);
    for block in blocks {
        if block["type"] == "section" && block["fields"].is_null() {
            assert!(units(&block["text"]["text"]) <= 3_000, "{block}");
        }
        for field in block["fields"].as_array().into_iter().flatten() {
            assert!(units(&field["text"]) <= 2_000, "{field}");
        }
    }
    assert!(
        buttons(&message)
            .iter()
            .all(|button| units(&button["value"]) <= 2_000)
    );
}

#[test]
fn what_may_pass_is_tried_again_and_what_will_not_says_what_to_do() {
    let refused = |status: u16, body: &str, after: Option<&str>| {
        let mut response = Response::new(status, body);
        if let Some(after) = after {
            response = response.with_header("Retry-After", after);
        }
        let _desk = desk_with(move |_| Ok(response.clone()));
        deliver(&asked(3)).unwrap_err()
    };
    assert_eq!(
        refused(429, r#"{"ok":false,"error":"ratelimited"}"#, Some("30")),
        Error::Unavailable {
            message: "Slack answered 429 to chat.postMessage".to_owned(),
            after: Some(Duration::from_secs(30)),
        }
    );
    for body in [r#"{"ok":false,"error":"fatal_error"}"#, "<html>"] {
        assert!(
            matches!(refused(200, body, None), Error::Unavailable { .. }),
            "{body}"
        );
    }
    assert!(matches!(refused(503, "", None), Error::Unavailable { .. }));
    assert!(matches!(refused(404, "", None), Error::Misconfigured(_)));
    for (body, says) in [
        (
            r#"{"ok":false,"error":"channel_not_found"}"#,
            "check the channel in the settings",
        ),
        (
            r#"{"ok":false,"error":"not_in_channel"}"#,
            "invite the app to the channel",
        ),
        (
            r#"{"ok":false,"error":"invalid_auth"}"#,
            "check the secret with the bot token",
        ),
        (
            r#"{"ok":false,"error":"missing_scope","needed":"chat:write","provided":"x"}"#,
            "missing_scope (chat:write)",
        ),
    ] {
        let Error::Misconfigured(message) = refused(200, body, None) else {
            panic!("{body} is a matter of configuration");
        };
        assert!(message.contains(says), "{message}");
    }
    let blocks = r#"{"ok":false,"error":"invalid_blocks","response_metadata":{"messages":["[ERROR] must be shorter"]}}"#;
    assert_eq!(
        refused(200, blocks, None),
        Error::invalid_input(
            "Slack refuses chat.postMessage: invalid_blocks ([ERROR] must be shorter)"
        )
    );
}

#[test]
fn a_message_that_was_posted_is_not_posted_again_where_its_reply_failed() {
    let calls = Cell::new(0);
    let desk = desk_with(move |request| {
        calls.set(calls.get() + 1);
        Ok(if calls.get() == 3 {
            Response::new(503, "")
        } else {
            takes(request)
        })
    });
    deliver(&asked(3)).unwrap();
    let comment = json!({ "commented": { "text": "Well", "public": true } });
    let comment = event("commented", change(4, "authorise"), &comment);
    assert!(matches!(deliver(&comment), Err(Error::Unavailable { .. })));
    deliver(&comment).unwrap();
    let posted = |request: &&servicewright_sdk::http::Request| {
        let message: Json = serde_json::from_slice(&request.body).unwrap();
        request.url.ends_with("chat.postMessage") && message["thread_ts"].is_null()
    };
    assert_eq!(desk.sent().iter().filter(posted).count(), 1);
}

#[test]
fn the_schema_says_the_defaults_that_hold() {
    let schema: Json = serde_json::from_str(include_str!("../../settings.schema.json")).unwrap();
    let least = json!({ "channel": "C1", "clicks": { "workspace": "T1" } });
    let held: crate::settings::Settings = serde_json::from_value(least.clone()).unwrap();
    let mut said = least;
    for at in ["", "/clicks"] {
        let properties = if at.is_empty() {
            "/properties"
        } else {
            "/properties/clicks/properties"
        };
        let properties = schema.pointer(properties).unwrap().as_object().unwrap();
        for (name, property) in properties {
            if let Some(default) = property.get("default") {
                said.pointer_mut(at).unwrap()[name] = default.clone();
            }
        }
    }
    let said: crate::settings::Settings = serde_json::from_value(said).unwrap();
    assert_eq!(format!("{said:?}"), format!("{held:?}"));
}
