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
    #[test]
    fn jitter_spreads_records_over_its_time_and_moves_no_record_twice(
        number in 1..100_000u64,
        jitter in 1..3_600u64,
        turns in 1..20u64,
    ) {
        let workflow = format!(
            "kind: Workflow
id: incident
title: Incident
number: INC
see: {{ anyone: true }}
create: {{ report: {{ to: new, permit: {{ anyone: true }} }} }}
states: {{ new: {{ category: open }} }}
timers: {{ nag: {{ wait: {{ time: PT1H }}, jitter: PT{jitter}S, repeat: true }} }}
"
        );
        let mut desk = Desk::new(&[("pack.yaml", PACK), ("workflows/incident.yaml", &workflow)]);
        desk.number = number;
        let begun = desk.now;
        desk.create("eve", "incident", json!({})).expect("accepted");
        let hour = Duration::from_secs(3600);
        let first = desk.record().next_due().expect("it is set");
        let spread = first.since(begun.saturating_add(hour));
        prop_assert!(first >= begun.saturating_add(hour), "never early");
        prop_assert!(spread < Duration::from_secs(jitter), "bounded");
        for turn in 1..=turns {
            desk.now = desk.record().next_due().expect("it is set again").saturating_add(Duration::from_millis(turn));
            prop_assert!(desk.run("timer", Action::Wake).expect("never refused"));
            let next = desk.record().next_due().expect("it is set again");
            prop_assert_eq!(next.since(first), Duration::from_secs(3600 * turn), "an hour each, without drift");
        }
    }
}

#[test]
fn jitter_fills_the_whole_of_its_time() {
    let workflow = "kind: Workflow\nid: incident\ntitle: Incident\nnumber: INC\nsee: { anyone: true }\ncreate: { report: { to: new, permit: { anyone: true } } }\nstates: { new: { category: open, timers: { nag: { wait: { time: PT1H }, jitter: PT10M } } } }\n";
    let mut tenths = [0; 10];
    for number in 1..=500 {
        let mut desk = Desk::new(&[("pack.yaml", PACK), ("workflows/incident.yaml", workflow)]);
        desk.number = number;
        let over = desk.now.saturating_add(Duration::from_secs(3600));
        desk.create("eve", "incident", json!({})).expect("accepted");
        let spread = desk.record().next_due().expect("it is set").since(over);
        tenths[usize::try_from(spread.millis() / 60_000).expect("a tenth")] += 1;
    }
    assert!(tenths.iter().all(|count| *count > 20), "{tenths:?}");
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
