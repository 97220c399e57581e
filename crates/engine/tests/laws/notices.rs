//! Whom notices reach: the members of a team who are there, each in the language that they prefer, and
//! by which binding as they prefer, unless the notice is mandatory.

use model::event::{Event, EventKind};
use model::record::EffectCall;
use serde_json::json;

use crate::desk::Desk;

const PACK: &str = "apiVersion: servicewright/v1
kind: Pack
id: desk
version: 1.0.0
title: Desk
zone: UTC
language: en
roles: { agent: { title: Agent } }
";

const WORKFLOW: &str = r#"apiVersion: servicewright/v1
kind: Workflow
id: fault
title: Fault
number: FLT
see: { anyone: true }
edit: { agent: true }
fields:
  summary: { type: string, maxLength: 200 }
create:
  report: { title: Report, to: open, permit: { anyone: true }, form: { summary: {} } }
states:
  open:
    title: Open
    category: open
    transitions:
      call: { title: Call, permit: { agent: true }, effects: { tell: { notice: called } } }
      alarm: { title: Alarm, permit: { agent: true }, effects: { tell: { notice: alarmed } } }
      close: { title: Close, to: closed, permit: { agent: true } }
  closed: { title: Closed, category: closed, outcome: done }
"#;

const CALLED: &str = "apiVersion: servicewright/v1
kind: Notice
id: called
to: { team: true }
subject: \"{{ record.id }} calls\"
text: Come.
";

const TEAM: &str = "apiVersion: servicewright/v1
kind: Team
id: desk
title: Desk
";

const FRENCH: &str = "apiVersion: servicewright/v1
kind: Translation
id: fr
title: Français
notices: { called: { subject: \"{{ record.id }} appelle\" } }
";

fn binding(id: &str, events: &str) -> String {
    format!(
        "apiVersion: servicewright/v1
kind: Plugin
id: {id}
title: Channel
component: {{ file: webhook.wasm }}
hooks: {{ delivery: true }}
events: {events}
"
    )
}

/// A desk with a record that is with a team of three.
fn desk() -> Desk {
    let alarmed = CALLED
        .replace("id: called", "id: alarmed")
        .replace("subject", "mandatory: true\nsubject");
    let mut desk = Desk::new(&[
        ("pack.yaml", PACK),
        ("workflows/fault.yaml", WORKFLOW),
        ("notices/called.yaml", CALLED),
        ("notices/alarmed.yaml", &alarmed),
        ("teams/desk.yaml", TEAM),
        ("translations/fr.yaml", FRENCH),
        ("plugins/chat.yaml", &binding("chat", "{ notice: {} }")),
        (
            "plugins/mail.yaml",
            &binding("mail", "{ notice: {}, digest: {} }"),
        ),
    ]);
    desk.people("desk", &["ada", "carla", "dirk"]);
    desk.create("eve", "fault", json!({ "summary": "It smokes" }))
        .expect("accepted");
    let fields = json!({ "team": "desk" })
        .as_object()
        .expect("a map")
        .clone();
    desk.run("agent", model::command::Action::Update { fields })
        .expect("accepted");
    desk
}

/// Each notice that was told, with whom it went to.
fn told(desk: &Desk) -> Vec<String> {
    let told = desk.events.iter().filter_map(|event| match event {
        Event::Notified { to, subject, .. } => {
            let people: Vec<&str> = to.iter().map(AsRef::as_ref).collect();
            Some(format!("{subject}: {}", people.join(" ")))
        }
        _ => None,
    });
    told.collect()
}

/// The bindings that are told of notices.
fn delivered(desk: &Desk) -> Vec<&str> {
    let due = desk.events.iter().filter_map(|event| match event {
        Event::EffectDue {
            call:
                EffectCall::Deliver {
                    binding,
                    kind: EventKind::Notice,
                    ..
                },
            ..
        } => Some(binding.as_str()),
        _ => None,
    });
    due.collect()
}

fn away(from: &str, to: &str) -> serde_json::Value {
    json!({ "periods": { "leave": { "from": from, "to": to } } })
}

#[test]
fn a_team_is_told_without_those_who_are_away() {
    let mut desk = desk();
    let leave = away("2026-03-02T00:00:00Z", "2026-03-03T00:00:00Z");
    desk.put("absence", "carla", &leave);
    // Over by now: the end is no part of it.
    desk.put(
        "absence",
        "dirk",
        &away("2026-03-01T00:00:00Z", "2026-03-02T09:00:00Z"),
    );
    desk.take("agent", "call", json!({})).expect("accepted");
    assert_eq!(told(&desk), ["FLT-1 calls: ada dirk"]);
    // Where nobody is there, all are told: somebody has to be.
    desk.put("absence", "ada", &leave);
    desk.put("absence", "dirk", &leave);
    desk.take("agent", "call", json!({})).expect("accepted");
    assert_eq!(told(&desk), ["FLT-1 calls: ada carla dirk"]);
}

#[test]
fn the_language_that_someone_prefers_counts_more_than_the_directorys() {
    let mut desk = desk();
    desk.put("user", "dirk", &json!({ "name": "dirk", "language": "fr" }));
    desk.put("preference", "ada", &json!({ "language": "fr" }));
    desk.put("preference", "dirk", &json!({ "language": "en" }));
    desk.take("agent", "call", json!({})).expect("accepted");
    assert_eq!(
        told(&desk),
        ["FLT-1 appelle: ada", "FLT-1 calls: carla dirk"]
    );
}

#[test]
fn a_binding_with_nobody_left_to_tell_is_told_nothing() {
    let mut desk = desk();
    desk.take("agent", "call", json!({})).expect("accepted");
    assert_eq!(delivered(&desk), ["chat", "mail"]);
    assert!(
        !desk
            .events
            .iter()
            .any(|it| matches!(it, Event::Addressed { .. }))
    );
    for person in ["ada", "carla"] {
        desk.put("preference", person, &json!({ "default": "digest" }));
    }
    desk.put(
        "preference",
        "dirk",
        &json!({ "channels": { "mail": "never" } }),
    );
    desk.take("agent", "call", json!({})).expect("accepted");
    // By chat, which takes no digests, they are told at once.
    assert_eq!(delivered(&desk), ["chat"]);
    let addressed = desk.events.iter().find_map(|event| match event {
        Event::Addressed { ways, .. } => Some(json!(ways)),
        _ => None,
    });
    assert_eq!(
        addressed,
        Some(
            json!({ "ada": { "mail": "digest" }, "carla": { "mail": "digest" }, "dirk": { "mail": "never" } })
        )
    );
    desk.take("agent", "alarm", json!({})).expect("accepted");
    assert_eq!(delivered(&desk), ["chat", "mail"]);
    assert!(
        !desk
            .events
            .iter()
            .any(|it| matches!(it, Event::Addressed { .. }))
    );
}
