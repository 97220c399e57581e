//! Clocks, exactly: held to a slow reckoning, minute by minute.

use model::record::{ClockStatus, Verdict};
use model::{Duration, Instant};
use proptest::prelude::*;
use serde_json::json;

use crate::desk::Desk;

const PACK: &str = "kind: Pack\nid: desk\nversion: 1.0.0\ntitle: Desk\nzone: Europe/Brussels\nroles: { agent: { title: Agent } }\n";
const WORKFLOW: &str = "kind: Workflow
id: incident
title: Incident
number: INC
see: { anyone: true }
edit: { agent: true }
fields:
  urgency: { options: { low: {}, high: {} }, default: low }
  escalated: { type: boolean, default: false, edit: {} }
create: { report: { to: working, permit: { anyone: true } } }
states:
  working: { category: open, transitions: { wait: { to: waiting, permit: { agent: true } }, resolve: { to: resolved, permit: { agent: true } } } }
  waiting: { category: waiting, transitions: { go-on: { to: working, permit: { agent: true } }, resolve: { to: resolved, permit: { agent: true } } } }
  resolved: { category: resolved, transitions: { reopen: { to: working, permit: { agent: true } }, close: { to: closed, permit: { agent: true } } } }
  closed: { category: closed }
anywhere:
  escalate: { from: { open: true }, set: { escalated: true } }
";
const CALENDAR: &str = "kind: Calendar
id: office
zone: Europe/Brussels
hours:
  mon: { day: \"08:00-12:00\", late: \"13:00-18:00\" }
  tue: { day: \"08:00-18:00\" }
  wed: { day: \"08:00-18:00\" }
  thu: { day: \"08:00-18:00\" }
  fri: { night: \"22:00-02:00\" }
  sun: { night: \"01:00-04:00\" }
holidays: { \"2026-04-01\": { name: A day off } }
";

fn level(goal: &str, change: &str, reopened: &str) -> String {
    format!(
        "kind: ServiceLevel
id: standard
type: sla
for: {{ incident: \"true\" }}
calendar: {{ named: office }}
targets:
  resolution:
    start: \"true\"
    pause: \"record.category == 'waiting'\"
    stop: \"record.category in ['resolved', 'closed']\"
    reopened: {reopened}
    change: {change}
    goal: {goal}
    warnings: {{ half: {{ percent: 50 }} }}
    breach: {{ do: escalate }}
tables:
  goals:
    hit: first
    gives: {{ goal: true }}
    rows:
      high: {{ when: \"urgency == 'high'\", then: {{ goal: PT2H }} }}
      rest: {{ when: \"true\", then: {{ goal: PT8H }} }}
"
    )
}

fn desk(goal: &str, change: &str, reopened: &str) -> Desk {
    let level = level(goal, change, reopened);
    Desk::new(&[
        ("pack.yaml", PACK),
        ("workflows/incident.yaml", WORKFLOW),
        ("calendars/office.yaml", CALENDAR),
        ("service-levels/standard.yaml", &level),
    ])
}

#[test]
fn a_goal_used_up_at_closing_time_is_due_then_and_met_then() {
    let mut desk = desk("{ business: PT5H }", "keep", "ignore");
    desk.at("2026-03-02T12:00:00Z");
    desk.create("eve", "incident", json!({})).expect("accepted");
    let clock = &desk.record().clocks[0];
    assert_eq!(
        clock.due.expect("known").to_string(),
        "2026-03-02T17:00:00Z"
    );
    assert_eq!(
        clock.breach_at.expect("known").to_string(),
        "2026-03-03T07:00:00Z"
    );
    let opening = "2026-03-03T07:00:00Z".parse().expect("valid");
    desk.wake_until(opening);
    desk.take("agent", "resolve", json!({})).expect("accepted");
    assert_eq!(
        desk.record().clocks[0].verdict(),
        Verdict::Met,
        "used up and no more"
    );
}

#[test]
fn a_pause_with_goal_left_moves_due_by_its_business_time_and_a_later_one_does_not() {
    let mut desk = desk("{ business: PT2H }", "keep", "ignore");
    desk.at("2026-03-03T08:00:00Z");
    desk.create("eve", "incident", json!({})).expect("accepted");
    desk.at("2026-03-03T09:00:00Z");
    desk.take("agent", "wait", json!({})).expect("accepted");
    assert_eq!(
        desk.record().clocks[0].due,
        None,
        "unknown while paused with goal left"
    );
    desk.at("2026-03-03T12:00:00Z");
    desk.take("agent", "go-on", json!({})).expect("accepted");
    let due = desk.record().clocks[0].due.expect("known");
    assert_eq!(due.to_string(), "2026-03-03T13:00:00Z");
    desk.wake_until("2026-03-03T14:00:00Z".parse().expect("valid"));
    assert_eq!(
        desk.record().clocks[0]
            .breached_at
            .expect("breached")
            .to_string(),
        "2026-03-03T13:00:00Z"
    );
    desk.take("agent", "wait", json!({})).expect("accepted");
    assert_eq!(desk.record().clocks[0].due, Some(due));
}

#[test]
fn a_clock_keeps_its_version_of_the_calendar() {
    let mut desk = desk("{ business: PT8H }", "restart", "ignore");
    desk.at("2026-03-03T08:00:00Z");
    desk.create("eve", "incident", json!({})).expect("accepted");
    let begun = desk.record().clocks[0].clone();
    let pinned = desk
        .definitions
        .calendars
        .get_mut("office")
        .expect("defined");
    pinned.digest = model::Digest::of(b"another version");
    desk.at("2026-03-03T09:00:00Z");
    let fields = json!({ "urgency": "high" })
        .as_object()
        .expect("an object")
        .clone();
    desk.run("agent", model::command::Action::Update { fields })
        .expect("accepted");
    assert_eq!(desk.record().clocks[0], begun);
}

#[test]
fn a_smaller_goal_that_is_used_up_is_breached_by_the_change() {
    let mut desk = desk("{ table: goals }", "keep", "ignore");
    desk.at("2026-03-03T08:00:00Z");
    desk.create("eve", "incident", json!({})).expect("accepted");
    desk.wake_until("2026-03-03T12:00:00Z".parse().expect("valid"));
    let update = model::command::Action::Update {
        fields: json!({ "urgency": "high" })
            .as_object()
            .expect("an object")
            .clone(),
    };
    desk.run("agent", update).expect("accepted");
    let clock = &desk.record().clocks[0];
    assert_eq!(
        clock.due.expect("known").to_string(),
        "2026-03-03T10:00:00Z",
        "the earliest instant at which it was used up"
    );
    assert_eq!(
        clock.breached_at.expect("breached").to_string(),
        "2026-03-03T12:00:00Z",
        "the change put it in the past"
    );
    let escalated = desk.record().field("escalated");
    assert_eq!(
        escalated,
        &model::Value::Boolean(true),
        "and the breach takes its transition"
    );
}

/// What people do, each so many minutes after the last thing.
#[derive(Clone, Debug)]
enum Deed {
    Wait,
    GoOn,
    Resolve,
    Reopen,
}

fn history() -> impl Strategy<Value = Vec<(u32, Deed)>> {
    let deed = prop_oneof![3 => Just(Deed::Wait), 4 => Just(Deed::GoOn), 1 => Just(Deed::Resolve), 1 => Just(Deed::Reopen)];
    prop::collection::vec((0..2_000u32, deed), 0..12)
}

/// The slow reckoning: minute by minute, what the calendar's hours say and what the state was.
#[derive(Default)]
struct Reckoning {
    elapsed: u64,
    due: Option<Instant>,
    breached: Option<Instant>,
    stopped: bool,
    paused: bool,
}

const MINUTE: i64 = 60_000;

impl Reckoning {
    fn pass(&mut self, from: Instant, to: Instant, goal: u64, open: &dyn Fn(Instant) -> bool) {
        let mut at = from.millis();
        while at < to.millis() {
            let now = Instant::from_millis(at);
            if !self.stopped && !self.paused && open(now) {
                if self.elapsed == goal && self.breached.is_none() {
                    self.breached = Some(now);
                }
                self.elapsed += 1;
                if self.elapsed == goal {
                    self.due = Some(Instant::from_millis(at + MINUTE));
                }
            }
            at += MINUTE;
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(120))]

    #[test]
    fn clocks_agree_with_a_slow_reckoning(
        start in 0..60 * 24 * 40u32,
        history in history(),
        goal in 1..1_500u64,
        continues in any::<bool>(),
    ) {
        let mut desk = desk(&format!("{{ business: PT{goal}M }}"), "keep", if continues { "continue" } else { "ignore" });
        let calendar = desk.definitions.calendars["office"].calendar.clone();
        let open = |at: Instant| calendar.is_open(at);
        // Around the change to summer time on 29 March, with its holiday on 1 April.
        let first: Instant = "2026-03-01T00:00:00Z".parse().expect("valid");
        desk.now = first.saturating_add(Duration::from_secs(u64::from(start) * 60));
        desk.create("eve", "incident", json!({})).expect("accepted");
        let mut reckoning = Reckoning::default();
        let mut now = desk.now;
        for (minutes, deed) in history {
            let then = now.saturating_add(Duration::from_secs(u64::from(minutes) * 60));
            reckoning.pass(now, then, goal, &open);
            // What is due at the very instant of a command comes after it.
            desk.wake_until(then);
            now = then;
            let name = match deed { Deed::Wait => "wait", Deed::GoOn => "go-on", Deed::Resolve => "resolve", Deed::Reopen => "reopen" };
            if desk.take("agent", name, json!({})).is_ok() {
                let state = desk.state().to_owned();
                reckoning.paused = state == "waiting";
                let resolved = state == "resolved";
                reckoning.stopped = if continues { resolved } else { reckoning.stopped || resolved };
            }
            let clock = &desk.record().clocks[0];
            prop_assert_eq!(clock.breached_at, reckoning.breached);
            if clock.status == ClockStatus::Stopped || clock.status == ClockStatus::Paused {
                prop_assert_eq!(clock.elapsed.millis(), reckoning.elapsed * 60_000);
            }
            if let Some(due) = reckoning.due {
                prop_assert_eq!(clock.due, Some(due));
            }
            prop_assert_eq!(clock.breached_at.is_some(), reckoning.elapsed > goal);
        }
    }
}
