//! What becomes of a group of alerts, from its first firing to its last resolution and beyond.

use serde_json::{Value as Json, json};
use servicewright_sdk::commands::{Action, Change, Command, Subject};
use servicewright_sdk::testing::{self, Desk, Installed};
use servicewright_sdk::webhook::{Reply, Request, Webhook as _};
use servicewright_sdk::{Category, Error, Fields, Record};

use super::Alertmanager;
use crate::settings::{GroupBy, Settings, usual_order};

const START: &str = "2026-01-05T08:00:00.123456789Z";
const START_MS: i64 = 1_767_600_000_123;
const LATER: &str = "2026-01-05T08:30:00Z";

fn settings() -> Json {
    json!({
        "authentication": { "bearer": { "token": "token", "previous_token": "old" } },
        "workflow": "incident",
        "fields": {
            "summary": { "text": "{labels.alertname}: {annotations.summary}", "at_most": 38 },
            "impact": {
                "text": "{labels.severity}",
                "map": { "critical": "high", "warning": "medium" },
                "otherwise": "low",
            },
        },
        "follow": { "impact": true },
        "team": "{labels.team}",
        "resolve": {
            "new": [
                { "transition": "start" },
                { "transition": "resolve", "input": { "resolution": "{count} firing." } },
            ],
        },
        "reopen": { "resolved": [{ "transition": "reopen" }] },
    })
}

fn with(name: &str, value: impl Into<Json>) -> Json {
    let mut settings = settings();
    settings[name] = value.into();
    settings
}

fn alert(fingerprint: &str, status: &str, start: &str, severity: &str) -> Json {
    json!({
        "status": status,
        "labels": { "alertname": "DiskFull", "severity": severity, "team": "infrastructure" },
        "annotations": { "summary": "Plattenplatz knapp auf db-3 🔥" },
        "startsAt": start,
        "endsAt": "0001-01-01T00:00:00Z",
        "generatorURL": "http://prometheus.example/graph",
        "fingerprint": fingerprint,
    })
}

fn firing(fingerprint: &str) -> Json {
    alert(fingerprint, "firing", START, "warning")
}

fn resolved(fingerprint: &str) -> Json {
    alert(fingerprint, "resolved", START, "warning")
}

fn notification(alerts: &[Json]) -> Json {
    let is_firing = alerts.iter().any(|alert| alert["status"] == "firing");
    json!({
        "version": "4",
        "groupKey": "{}/{team=\"infrastructure\"}:{alertname=\"DiskFull\"}",
        "truncatedAlerts": 0,
        "status": if is_firing { "firing" } else { "resolved" },
        "receiver": "desk",
        "groupLabels": { "alertname": "DiskFull" },
        "commonLabels": { "alertname": "DiskFull" },
        "commonAnnotations": {},
        "externalURL": "http://alertmanager.example",
        "alerts": alerts,
    })
}

fn request(body: &Json) -> Request {
    let mut request = Request::post("/", body.to_string());
    let token = ("authorization".to_owned(), "Bearer s3cret".to_owned());
    request.headers = vec![token];
    request
}

fn desk() -> Desk {
    Desk::new()
        .secret("token", b"s3cret")
        .secret("old", b"former")
}

fn send(settings: &Json, alerts: &[Json]) -> Reply {
    let call = testing::call(settings);
    Alertmanager::receive(&call, &request(&notification(alerts))).unwrap()
}

fn reference(since: i64) -> String {
    // The first 16 bytes of the SHA-256 of the group's key above.
    format!("{}@{since}", group())
}

fn group() -> String {
    use sha2::{Digest as _, Sha256};
    let digest = Sha256::digest("{}/{team=\"infrastructure\"}:{alertname=\"DiskFull\"}");
    format!(
        "group:{}",
        servicewright_sdk::signing::to_hex(&digest[..16])
    )
}

fn record(state: &str, category: Category) -> Record {
    let mut record = testing::record("incident");
    record.id = Some("INC-1".to_owned());
    record.state = state.to_owned();
    record.category = category;
    record
}

/// A desk that has heard these alerts of a group, whose record is now in this state.
fn told(settings: &Json, alerts: &[Json], state: &str, category: Category) -> Installed {
    let desk = desk()
        .referenced(&reference(START_MS), record(state, category))
        .install();
    // The record stands already: what was told is remembered, and no other is made.
    let key = group();
    let mut seen = crate::memory::Seen {
        reference: reference(START_MS),
        ..crate::memory::Seen::default()
    };
    let heard: Vec<_> = serde_json::from_value(json!(alerts)).unwrap();
    seen.tell(&heard);
    let worst = alerts
        .iter()
        .any(|alert| alert["labels"]["severity"] == "critical");
    let impact = if worst { "high" } else { "medium" };
    seen.followed = [("impact".to_owned(), json!(impact))].into();
    crate::memory::store(&key, None, Some(&seen)).unwrap();
    assert_eq!(settings["workflow"], "incident");
    desk
}

fn is_comment(command: &Command, part: &str) -> bool {
    matches!(&command.action, Action::Change(_, Change::Comment { text, public: false }) if text.contains(part))
}

#[test]
fn a_group_that_fires_becomes_one_record_for_its_team() {
    let _desk = desk().install();
    let reply = send(&settings(), &[firing("a1"), firing("b2")]);
    let fields = Fields::new()
        .with("impact", "medium")
        .with("summary", "DiskFull: Plattenplatz knapp auf d […]");
    let assign = Change::Assign {
        team: "infrastructure".to_owned(),
        assignee: None,
    };
    let reference = reference(START_MS);
    assert_eq!(reply.response.status, 200);
    assert_eq!(reply.delivery, None);
    assert_eq!(
        reply.commands,
        [
            Command::create("incident", fields).reference(&reference),
            Command::change(Subject::reference(&reference), assign),
        ]
    );
}

#[test]
fn each_alert_becomes_a_record_where_the_settings_say_so() {
    let _desk = desk().install();
    let settings = with("group_by", "alert");
    let reply = send(&settings, &[firing("a1"), firing("b2")]);
    let created = reply
        .commands
        .iter()
        .filter_map(|command| match &command.action {
            Action::Create { reference, .. } => reference.clone(),
            Action::Change(..) => None,
        });
    let created: Vec<_> = created.collect();
    let expected = ["a1", "b2"].map(|alert| format!("alert:{alert}@{START_MS}"));
    assert_eq!(created, expected);
}

#[test]
fn many_alerts_are_taken_in_parts() {
    let _desk = desk().install();
    let settings = with("group_by", "alert");
    let alerts: Vec<_> = (0..60).map(|n| firing(&format!("{n:016x}"))).collect();
    let first = send(&settings, &alerts);
    assert_eq!((first.response.status, first.commands.len()), (503, 90));
}

#[test]
fn what_was_told_already_is_not_told_again() {
    let settings = settings();
    let alerts = [firing("a1"), firing("b2")];
    let _desk = told(&settings, &alerts, "new", Category::Open);
    let reply = send(&settings, &alerts);
    assert_eq!((reply.response.status, reply.commands), (202, Vec::new()));
}

#[test]
fn a_change_within_the_group_is_a_comment() {
    let settings = settings();
    let _desk = told(&settings, &[firing("a1")], "new", Category::Open);
    let worse = alert("b2", "firing", LATER, "critical");
    let reply = send(&settings, &[firing("a1"), worse]);
    let [comment, update] = &reply.commands[..] else {
        panic!("{:?}", reply.commands);
    };
    assert!(is_comment(comment, "2 firing, 0 resolved"), "{comment:?}");
    assert!(is_comment(comment, LATER) && !is_comment(comment, START));
    let subject = Subject::reference(reference(START_MS));
    assert_eq!(*update, Command::update(subject, [("impact", "high")]));

    // One of two is over: no more than a comment.
    let reply = send(
        &settings,
        &[firing("a1"), alert("b2", "resolved", LATER, "critical")],
    );
    assert!(is_comment(&reply.commands[0], "- Resolved: Plattenplatz"));
    assert_eq!(reply.commands.len(), 2);
}

#[test]
fn a_group_that_is_over_resolves_its_record_from_where_it_is() {
    let settings = settings();
    let _desk = told(&settings, &[firing("a1")], "new", Category::Open);
    let reply = send(&settings, &[resolved("a1")]);
    let subject = || Subject::reference(reference(START_MS));
    let input = Fields::new().with("resolution", "0 firing.");
    assert!(is_comment(&reply.commands[0], "0 firing, 1 resolved"));
    assert_eq!(
        reply.commands[1..],
        [
            Command::transition(subject(), "start", Fields::new()),
            Command::transition(subject(), "resolve", input),
        ]
    );
    // Should a transition have been refused, it is tried again, and nothing is said twice.
    let again = send(&settings, &[resolved("a1")]);
    assert_eq!(again.commands, reply.commands[1..]);
}

#[test]
fn a_state_that_the_settings_do_not_name_is_left_to_people() {
    let settings = settings();
    let _desk = told(
        &settings,
        &[firing("a1")],
        "waiting-vendor",
        Category::Waiting,
    );
    let reply = send(&settings, &[resolved("a1")]);
    assert_eq!(reply.commands.len(), 1);
    assert_eq!(send(&settings, &[resolved("a1")]).commands, []);
}

#[test]
fn a_group_of_which_alerts_were_left_out_is_not_taken_for_resolved() {
    let settings = settings();
    let _desk = told(&settings, &[firing("a1")], "new", Category::Open);
    let mut body = notification(&[resolved("a1")]);
    body["truncatedAlerts"] = json!(3);
    let reply = Alertmanager::receive(&testing::call(&settings), &request(&body)).unwrap();
    let [comment] = &reply.commands[..] else {
        panic!("{:?}", reply.commands);
    };
    assert!(is_comment(comment, "3 more were left out"));
}

#[test]
fn a_new_firing_after_the_resolution_makes_a_new_record() {
    let settings = settings();
    let _desk = told(&settings, &[resolved("a1")], "resolved", Category::Resolved);
    let late = alert("a1", "firing", LATER, "warning");
    let reply = send(&settings, &[late]);
    let Action::Create { reference, .. } = &reply.commands[0].action else {
        panic!("{:?}", reply.commands);
    };
    assert_eq!(*reference, Some(self::reference(1_767_601_800_000)));
}

#[test]
fn a_new_firing_reopens_where_the_settings_say_so_and_know_how() {
    let settings = with("again", "reopen");
    let late = [alert("a1", "firing", LATER, "warning")];
    let desk = told(&settings, &[resolved("a1")], "resolved", Category::Resolved);
    let reply = send(&settings, &late);
    let subject = Subject::reference(reference(START_MS));
    assert_eq!(
        reply.commands[0],
        Command::transition(subject, "reopen", Fields::new())
    );
    assert!(is_comment(&reply.commands[1], "1 firing"));
    drop(desk);

    let _desk = told(&settings, &[resolved("a1")], "closed", Category::Closed);
    let reply = send(&settings, &late);
    assert!(matches!(reply.commands[0].action, Action::Create { .. }));
}

#[test]
fn what_somebody_resolved_by_hand_stays_resolved_while_the_same_alerts_fire() {
    let settings = settings();
    let alerts = [firing("a1"), firing("b2")];
    let _desk = told(&settings, &alerts, "resolved", Category::Resolved);
    assert_eq!(send(&settings, &alerts).commands, []);
    // One of them is over: still nothing new fires.
    assert_eq!(
        send(&settings, &[firing("a1"), resolved("b2")]).commands,
        []
    );
    let reply = send(
        &settings,
        &[firing("a1"), alert("c3", "firing", LATER, "warning")],
    );
    assert!(matches!(reply.commands[0].action, Action::Create { .. }));
}

#[test]
fn an_old_notification_sent_again_changes_nothing() {
    let settings = settings();
    // The group was resolved and forgotten; its record stands.
    let _desk = desk()
        .referenced(&reference(START_MS), record("resolved", Category::Resolved))
        .install();
    assert_eq!(send(&settings, &[firing("a1")]).commands, []);
    assert_eq!(send(&settings, &[resolved("a1")]).commands, []);
}

#[test]
fn groups_that_are_over_are_forgotten_by_and_by() {
    use servicewright_sdk::key_value;

    use crate::memory::{Seen, store};
    let settings = with("group_by", "alert");
    let _desk = desk().install();
    let _ = send(&settings, &[firing("00"), firing("0f")]);
    for n in 1..10 {
        let mut seen = Seen::default();
        let over: Vec<_> = serde_json::from_value(json!([resolved(&format!("{n:02}"))])).unwrap();
        seen.tell(&over);
        store(&format!("alert:{n:02}"), None, Some(&seen)).unwrap();
    }
    let _ = send(&settings, &[resolved("00")]);
    let kept = key_value::keys("alert:", None).unwrap();
    let expected = ["06", "07", "08", "09", "0f"].map(|alert| format!("alert:{alert}"));
    assert_eq!(kept, expected);
}

fn refused(header: Option<&str>) -> Reply {
    let mut request = request(&notification(&[firing("a1")]));
    request.headers = header
        .map(|value| ("authorization".to_owned(), value.to_owned()))
        .into_iter()
        .collect();
    let _desk = desk().install();
    let reply = Alertmanager::receive(&testing::call(&settings()), &request).unwrap();
    assert_eq!(reply.commands.is_empty(), reply.response.status == 401);
    reply
}

#[test]
fn only_who_has_the_token_is_believed() {
    for (header, status) in [
        (Some("Bearer s3cret"), 200),
        (Some("bearer former"), 200),
        (Some("Bearer s3cre"), 401),
        (Some("Bearer "), 401),
        (Some("s3cret"), 401),
        (Some("Basic czNjcmV0"), 401),
        (None, 401),
    ] {
        let reply = refused(header);
        assert_eq!(reply.response.status, status, "{header:?}");
    }
    let reply = refused(None);
    let challenge = (
        "www-authenticate".to_owned(),
        "Bearer realm=\"alertmanager\"".to_owned(),
    );
    assert!(reply.response.headers.contains(&challenge));
}

#[test]
fn only_who_has_name_and_password_is_believed() {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    let settings = with(
        "authentication",
        json!({ "basic": { "username": "alertmanager", "password": "token" } }),
    );
    for (shown, status) in [
        ("alertmanager:s3cret", 200),
        ("alertmanager:former", 401),
        ("someone:s3cret", 401),
        ("alertmanager", 401),
        ("", 401),
    ] {
        let _desk = desk().install();
        let mut request = request(&notification(&[firing("a1")]));
        request.headers[0].1 = format!("Basic {}", STANDARD.encode(shown));
        let reply = Alertmanager::receive(&testing::call(&settings), &request).unwrap();
        assert_eq!(reply.response.status, status, "{shown}");
    }
}

#[test]
fn what_is_no_notification_is_refused_and_says_why() {
    let why = |body: Json| {
        let _desk = desk().install();
        let call = testing::call(&settings());
        let reply = Alertmanager::receive(&call, &request(&body)).unwrap();
        assert_eq!((reply.response.status, reply.commands.len()), (400, 0));
        String::from_utf8(reply.response.body).unwrap()
    };
    let mut old = notification(&[firing("a1")]);
    old["version"] = json!("3");
    assert!(why(old).contains("version `3`"));
    assert!(why(json!({ "version": "4" })).contains("missing field `groupKey`"));
    assert!(why(notification(&[])).contains("no alerts"));
    assert!(why(notification(&[firing("../..")])).contains("fingerprint"));
    assert!(why(notification(&[alert("a1", "firing", "soon", "x")])).contains("startsAt"));
    let many: Vec<_> = (0..1_001).map(|n| firing(&format!("{n:x}"))).collect();
    assert!(why(notification(&many)).contains("max_alerts"));
    assert!(why(json!("hello")).contains("no notification"));
}

#[test]
fn a_secret_that_was_not_granted_is_a_matter_of_configuration() {
    let _desk = Desk::new().install();
    let call = testing::call(&settings());
    let body = notification(&[firing("a1")]);
    let error = Alertmanager::receive(&call, &request(&body)).unwrap_err();
    assert!(matches!(error, Error::Misconfigured(_)));
    let mut get = request(&body);
    get.method = "GET".to_owned();
    let reply = Alertmanager::receive(&call, &get).unwrap();
    assert_eq!(reply.response.status, 405);
}

#[test]
fn the_schema_says_the_defaults_that_hold() {
    let schema: Json = serde_json::from_str(include_str!("../settings.schema.json")).unwrap();
    let settings: Settings = serde_json::from_value(json!({
        "authentication": { "bearer": { "token": "t" } }, "workflow": "w", "fields": {},
    }))
    .unwrap();
    let default = |name: &str| schema["properties"][name]["default"].clone();
    assert_eq!(settings.group_by, GroupBy::Group);
    assert_eq!(default("group_by"), "group");
    assert_eq!(default("again"), "new");
    assert_eq!(default("order"), json!(usual_order()));
    for name in ["follow", "resolve", "reopen"] {
        assert_eq!(default(name), json!({}));
    }
}
