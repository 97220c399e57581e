//! What was due while nobody looked is done in the order in which it was due, each for itself, with
//! both times on record.

use model::Duration;
use model::command::Action;
use model::event::Event;
use proptest::prelude::*;
use serde_json::json;

use crate::desk::Desk;

const PACK: &str = "kind: Pack\nid: desk\nversion: 1.0.0\ntitle: Desk\nzone: Europe/Brussels\nroles: { agent: { title: Agent } }\n";
const LEVEL: &str = "kind: ServiceLevel
id: standard
type: sla
for: { incident: \"true\" }
calendar: { named: office }
targets:
  resolution:
    start: \"true\"
    stop: \"record.category == 'closed'\"
    goal: { time: PT8H }
    warnings: { quarter: { percent: 25 }, half: { percent: 50 }, late: { left: PT1H } }
";
const CALENDAR: &str = "kind: Calendar\nid: office\nzone: Europe/Brussels\nalways: true\n";

fn desk(minutes: [u16; 3]) -> Desk {
    let [first, second, every] = minutes;
    let workflow = format!(
        "kind: Workflow
id: incident
title: Incident
number: INC
see: {{ anyone: true }}
create: {{ report: {{ to: new, permit: {{ anyone: true }} }} }}
states:
  new:
    category: open
    timers:
      first: {{ wait: {{ time: PT{first}M }} }}
      second: {{ wait: {{ time: PT{second}M }} }}
timers:
  nag: {{ wait: {{ time: PT{every}M }}, repeat: true }}
"
    );
    Desk::new(&[
        ("pack.yaml", PACK),
        ("workflows/incident.yaml", &workflow),
        ("service-levels/standard.yaml", LEVEL),
        ("calendars/office.yaml", CALENDAR),
    ])
}

/// What a wake did, and when that was due.
fn done(events: &[Event]) -> Vec<(model::Instant, String)> {
    let name = |event: &Event| match event {
        Event::TimerFired { timer, .. } => Some(timer.to_string()),
        Event::Warned { warning, .. } => Some(warning.to_string()),
        Event::Breached { .. } => Some("breach".to_owned()),
        _ => None,
    };
    let done = |event: &Event| Some((event.was_due()?, name(event)?));
    events.iter().filter_map(done).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn a_late_desk_does_the_same_as_one_in_time_and_in_the_same_order(
        minutes in [1..900u16, 1..900u16, 1000..2000u16],
        asleep in 1..1_000u64,
    ) {
        let (mut late, mut punctual) = (desk(minutes), desk(minutes));
        late.create("eve", "incident", json!({})).expect("accepted");
        punctual.create("eve", "incident", json!({})).expect("accepted");
        let until = late.now.saturating_add(Duration::from_secs(asleep * 60));

        let mut in_time = Vec::new();
        while let Some(due) = punctual.record().next_due().filter(|due| *due <= until) {
            punctual.now = due;
            prop_assert!(punctual.run("timer", Action::Wake).expect("never refused"));
            in_time.extend(done(&punctual.events));
        }

        late.now = until;
        let mut caught_up = Vec::new();
        while let Some(due) = late.record().next_due().filter(|due| *due <= until) {
            let after_next = late.record().due_after_next();
            prop_assert!(late.run("timer", Action::Wake).expect("never refused"));
            let now_done = done(&late.events);
            prop_assert!(now_done.iter().all(|(at, _)| at.since(due) == Duration::ZERO && due.since(*at) <= Duration::from_millis(1)), "a wake does what is due, and no more");
            prop_assert!(after_next.is_none_or(|next| due <= next));
            caught_up.extend(now_done);
        }
        in_time.sort();
        prop_assert!(caught_up.is_sorted_by_key(|(due, _)| *due), "{:?}", caught_up);
        caught_up.sort();
        prop_assert_eq!(caught_up, in_time);
    }
}
