//! One step, in its order: form, set, computed fields, tables, state, routing, timers, effects.

use expect_test::{Expect, expect};
use model::event::Event;
use model::hook::{Answer, Failure, FailureKind, Reply};
use serde_json::json;
use servicewright_engine::Rejection;

use crate::desk::Desk;

const PACK: &str = "kind: Pack\nid: desk\nversion: 1.0.0\ntitle: Desk\nzone: Europe/Brussels\nroles: { agent: { title: Agent } }\n";
const WORKFLOW: &str = "kind: Workflow
id: incident
title: Incident
number: INC
see: { anyone: true }
edit: { agent: true }
fields:
  summary: { type: string, minLength: 3, maxLength: 50 }
  impact: { options: { low: {}, high: {} }, default: low }
  priority: { options: { p1: {}, p3: {} }, decided-by: priority, override: { agent: true } }
  minutes: { type: integer, value: \"priority == 'p1' ? 60 : 15\" }
  resolution: { type: string, minLength: 10 }
  major: { type: boolean, default: false, edit: {} }
tables:
  priority:
    hit: first
    gives: { priority: true }
    rows:
      high: { when: \"impact == 'high'\", then: { priority: p1 } }
      rest: { when: \"true\", then: { priority: p3 } }
routing: { by: { plugin: router }, fallback: { team: desk } }
create:
  report: { to: new, permit: { anyone: true }, route: true, form: { summary: { required: true }, impact: {} } }
  shout: { to: new, permit: { agent: true }, form: { summary: { required: true }, impact: { default: high } } }
states:
  new: { category: open, transitions: { start: { to: working, permit: { agent: true }, set: { assignee: { cel: actor.id } } } } }
  working:
    category: open
    transitions:
      resolve:
        to: resolved
        permit: { assignee: true }
        require: { calm: { when: \"!major\", say: It is a major incident. } }
        form: { resolution: { required: true } }
        effects: { tell: { notice: resolved } }
  resolved:
    category: resolved
    transitions: { confirm: { to: closed, permit: { requester: true } }, reopen: { to: working, permit: { requester: true } } }
    timers: { auto-close: { wait: { time: P5D }, do: confirm } }
  closed: { category: closed }
anywhere:
  declare: { from: { open: true }, permit: { agent: true }, require: { not-yet: { when: \"!major\", say: It is one. } }, set: { major: true } }
timers: { cadence: { while: \"major && record.category == 'open'\", wait: { time: PT30M }, repeat: true } }
";
const NOTICE: &str = "kind: Notice\nid: resolved\nto: { requester: true }\nsubject: \"{{ record.id }} is resolved\"\ntext: \"{{ resolution }}\"\n";
const ROUTER: &str =
    "kind: Plugin\nid: router\ncomponent: { file: router.wasm }\nhooks: { routing: true }\n";

fn desk() -> Desk {
    let mut desk = Desk::new(&[
        ("pack.yaml", PACK),
        ("workflows/incident.yaml", WORKFLOW),
        ("notices/resolved.yaml", NOTICE),
        ("plugins/router.yaml", ROUTER),
        ("teams/desk.yaml", "kind: Team\nid: desk\ntitle: Desk\n"),
        (
            "teams/network.yaml",
            "kind: Team\nid: network\ntitle: Network\n",
        ),
    ]);
    desk.people("network", &["ada"]);
    desk
}

fn answer(team: &str, assignee: Option<&str>) -> Reply {
    let answer = Answer::Assignment {
        team: team.to_owned(),
        assignee: assignee.map(str::to_owned),
        reason: "they know it".to_owned(),
    };
    Reply {
        component: None,
        answer: Ok(answer),
        micros: 5,
        lookups: Vec::new(),
    }
}

fn begun() -> Desk {
    let mut desk = desk();
    desk.replies.push_back(answer("network", Some("ada")));
    desk.create(
        "eve",
        "incident",
        json!({ "summary": "No network", "impact": "high" }),
    )
    .expect("accepted");
    desk
}

fn check(result: Result<(), Rejection>, expected: &Expect) {
    let rejection = result.expect_err("refused");
    let text = match &rejection {
        Rejection::Invalid { faults } => faults.iter().fold(String::new(), |text, fault| {
            text + &fault.pointer + ": " + &fault.message + "\n"
        }),
        other => other.to_string(),
    };
    expected.assert_eq(&text);
}

#[test]
fn a_record_begins_decided_and_routed() {
    let desk = begun();
    let record = desk.record();
    assert_eq!(record.id.as_str(), "INC-1");
    assert_eq!(record.field("priority").as_text(), Some("p1"));
    assert_eq!(
        record.field("minutes"),
        &model::Value::Integer(60),
        "computed from what the table gave"
    );
    assert_eq!(record.team.as_ref().map(AsRef::as_ref), Some("network"));
    assert_eq!(record.assignee.as_ref().map(AsRef::as_ref), Some("ada"));
}

#[test]
fn a_form_brings_its_own_default() {
    let mut desk = desk();
    desk.create_by("agent", "incident", "shout", json!({ "summary": "Fire" }))
        .expect("accepted");
    assert_eq!(desk.record().field("impact").as_text(), Some("high"));
    assert_eq!(desk.record().field("priority").as_text(), Some("p1"));
}

#[test]
fn an_answer_that_does_not_fit_the_desk_is_refused_and_the_fallback_taken() {
    for reply in [answer("nobody-knows", None), answer("network", Some("eve"))] {
        let mut desk = desk();
        desk.replies.push_back(reply);
        desk.create("eve", "incident", json!({ "summary": "No network" }))
            .expect("accepted");
        assert_eq!(desk.record().team.as_ref().map(AsRef::as_ref), Some("desk"));
        assert_eq!(desk.record().assignee, None);
        let journaled = format!("{:?}", desk.decisions);
        assert!(journaled.contains("Refused"), "{journaled}");
    }
}

#[test]
fn a_plugin_that_fails_leads_to_the_fallback() {
    let mut desk = desk();
    let failure = Failure {
        kind: FailureKind::Timeout,
        message: "its time ran out".to_owned(),
        retry_after: None,
    };
    desk.replies.push_back(Reply {
        component: None,
        answer: Err(failure),
        micros: 50_000,
        lookups: Vec::new(),
    });
    desk.create("eve", "incident", json!({ "summary": "No network" }))
        .expect("accepted");
    assert_eq!(desk.record().team.as_ref().map(AsRef::as_ref), Some("desk"));
}

#[test]
fn a_form_tells_everything_that_is_wrong() {
    check(
        desk().create(
            "eve",
            "incident",
            json!({ "summary": "a", "impact": "hgih", "colour": "red" }),
        ),
        &expect![[r"
            /colour: `report` does not ask for it; it asks for: summary, impact
            /summary: must have at least 3 characters, and has 1
            /impact: has no option `hgih`: it takes one of low, high; did you mean `high`?
        "]],
    );
    check(
        desk().create("eve", "incident", json!({})),
        &expect![[r"
        /summary: it is required
    "]],
    );
}

#[test]
fn what_is_not_possible_is_told_with_what_is() {
    let mut desk = begun();
    check(
        desk.take("agent", "resolve", json!({})),
        &expect!["`resolve` is not possible in the state `new`; possible: start, declare"],
    );
    check(
        desk.take("eve", "start", json!({})),
        &expect!["eve may not take `start`: it takes the role `agent`"],
    );
}

#[test]
fn an_override_stays_until_it_is_cleared() {
    let mut desk = begun();
    let update = |fields: serde_json::Value| model::command::Action::Update {
        fields: fields.as_object().expect("an object").clone(),
    };
    desk.run("agent", update(json!({ "priority": "p3" })))
        .expect("accepted");
    desk.run("agent", update(json!({ "impact": "low" })))
        .expect("accepted");
    desk.run("agent", update(json!({ "impact": "high" })))
        .expect("accepted");
    assert_eq!(desk.record().field("priority").as_text(), Some("p3"));
    desk.run("agent", update(json!({ "priority": null })))
        .expect("accepted");
    assert_eq!(desk.record().field("priority").as_text(), Some("p1"));
    let refused = desk.run("eve", update(json!({ "impact": "low" })));
    assert!(matches!(refused, Err(Rejection::Forbidden { .. })));
}

#[test]
fn a_team_and_one_of_its_members_are_set_together_in_either_order() {
    for fields in [
        json!({ "assignee": "ada", "team": "network" }),
        json!({ "team": "network", "assignee": "ada" }),
    ] {
        let mut desk = desk();
        desk.replies.push_back(answer("desk", None));
        desk.create("eve", "incident", json!({ "summary": "No network" }))
            .expect("accepted");
        let fields = fields.as_object().expect("an object").clone();
        desk.run("agent", model::command::Action::Update { fields })
            .expect("accepted");
        assert_eq!(
            desk.record().team.as_ref().map(AsRef::as_ref),
            Some("network")
        );
        assert_eq!(
            desk.record().assignee.as_ref().map(AsRef::as_ref),
            Some("ada")
        );
    }
}

#[test]
fn a_life_from_start_to_close() {
    let mut desk = begun();
    desk.take("agent", "start", json!({})).expect("accepted");
    assert_eq!(
        desk.record().assignee.as_ref().map(AsRef::as_ref),
        Some("agent")
    );
    desk.take(
        "agent",
        "resolve",
        json!({ "resolution": "Plugged it in again." }),
    )
    .expect("accepted");
    let told = desk.events.iter().find_map(|event| match event {
        Event::Notified {
            subject, text, to, ..
        } => Some(format!("{to:?} {subject}: {text}")),
        _ => None,
    });
    assert_eq!(
        told.as_deref(),
        Some("[eve] INC-1 is resolved: Plugged it in again.")
    );
    let due = desk.record().next_due().expect("auto-close");
    assert_eq!(due.to_string(), "2026-03-07T09:00:00Z");
    desk.take("eve", "reopen", json!({})).expect("accepted");
    assert_eq!(
        desk.record().next_due(),
        None,
        "leaving the state drops its timer"
    );
    desk.take(
        "agent",
        "resolve",
        json!({ "resolution": "Replaced the cable." }),
    )
    .expect("accepted");
    let due = desk.record().next_due().expect("auto-close");
    desk.wake_until(due);
    assert_eq!(desk.state(), "closed");
}

#[test]
fn a_timer_runs_while_its_condition_holds_and_repeats() {
    let mut desk = begun();
    desk.take("agent", "declare", json!({})).expect("accepted");
    check(
        desk.take("agent", "declare", json!({})),
        &expect!["It is one."],
    );
    let start = desk.now;
    let later = |minutes: u64| start.saturating_add(model::Duration::from_secs(minutes * 60));
    assert_eq!(desk.record().next_due(), Some(later(30)));
    desk.wake_until(later(61));
    assert_eq!(
        desk.record().next_due(),
        Some(later(90)),
        "reckoned from when it was due"
    );
    desk.take("agent", "start", json!({})).expect("accepted");
    assert_eq!(
        desk.record().next_due(),
        Some(later(90)),
        "it goes on in another open state"
    );
    check(
        desk.take(
            "agent",
            "resolve",
            json!({ "resolution": "All is well again." }),
        ),
        &expect!["It is a major incident."],
    );
}
