//! Clocks while goals, calendars and agreements change: held to a slow reckoning that knows nothing of the
//! engine, minute by minute on the clocks of a zone; and the journal judged again gives the same clocks.

use std::collections::BTreeSet;

use model::definition::OnChange;
use model::hook::{Question, Reply};
use model::id::RecordId;
use model::journal::Entry;
use model::record::{Clock, ClockStatus};
use model::{Duration, Instant};
use proptest::prelude::*;
use serde_json::json;
use servicewright_engine::decide::{Answers, JudgedClocks, Judging, judge};

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
  place: { options: { east: {}, west: {} }, default: east }
  contract: { options: { gold: {}, silver: {} }, default: gold }
create: { report: { to: working, permit: { anyone: true } } }
states:
  working: { category: open, transitions: { wait: { to: waiting, permit: { agent: true } }, resolve: { to: resolved, permit: { agent: true } } } }
  waiting: { category: waiting, transitions: { go-on: { to: working, permit: { agent: true } }, resolve: { to: resolved, permit: { agent: true } } } }
  resolved: { category: resolved, transitions: { reopen: { to: working, permit: { agent: true } }, close: { to: closed, permit: { agent: true } } } }
  closed: { category: closed }
";

/// Hours of a week, by weekday from Monday, in minutes of the day; and dates on which it is closed.
#[derive(Clone, Debug)]
struct Hours {
    zone: &'static str,
    days: Vec<Option<(u16, u16)>>,
    closed: Vec<u32>,
}

const ZONES: [&str; 6] = [
    "Europe/Brussels",
    "America/New_York",
    "Australia/Lord_Howe",
    "Asia/Kathmandu",
    "America/Sao_Paulo",
    "UTC",
];
const WEEKDAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

fn hours() -> impl Strategy<Value = Hours> {
    let day = prop::option::weighted(0.75, (0..90u16, 1..54u16));
    let days = prop::collection::vec(day, 7);
    let closed = prop::collection::vec(1..29u32, 0..4);
    (prop::sample::select(ZONES.to_vec()), days, closed).prop_map(|(zone, days, closed)| {
        let quarter = |(from, length): (u16, u16)| (from * 15, (from * 15 + length * 15).min(1440));
        Hours {
            zone,
            days: days.into_iter().map(|day| day.map(quarter)).collect(),
            closed,
        }
    })
}

impl Hours {
    fn yaml(&self, id: &str) -> String {
        let time = |minute: u16| format!("{:02}:{:02}", minute / 60, minute % 60);
        let days = self.days.iter().zip(WEEKDAYS).filter_map(|(day, name)| {
            let (from, to) = (*day)?;
            Some(format!(
                "  {name}: {{ day: \"{}-{}\" }}\n",
                time(from),
                time(to)
            ))
        });
        let days: Vec<_> = days.collect();
        // Somebody works at some time, so that there are hours to speak of.
        let days = if days.is_empty() {
            "  mon: { day: \"08:00-09:00\" }\n".to_owned()
        } else {
            days.concat()
        };
        let closed: BTreeSet<_> = self.closed.iter().collect();
        let closed: Vec<_> = closed
            .iter()
            .map(|day| format!("\"2026-03-{day:02}\": {{}}"))
            .collect();
        format!(
            "kind: Calendar\nid: {id}\nzone: {}\nhours:\n{days}holidays: {{ {} }}\n",
            self.zone,
            closed.join(", ")
        )
    }

    /// What the clocks of the zone show decides, and nothing else. A quarter of an hour at a time: no zone
    /// changes its clocks within one.
    fn is_open(&self, at: Instant) -> bool {
        let zone: chrono_tz::Tz = self.zone.parse().expect("a zone");
        let local = at.to_utc().with_timezone(&zone);
        let shown = local.format("%u %H %M %Y-%m-%d").to_string();
        let parts: Vec<&str> = shown.split(' ').collect();
        let number = |place: usize| parts[place].parse::<u16>().expect("a number");
        let minute = number(1) * 60 + number(2);
        let is_closed = self
            .closed
            .iter()
            .any(|day| parts[3] == format!("2026-03-{day:02}"));
        let mut days = self.days.clone();
        if days.iter().all(Option::is_none) {
            days[0] = Some((480, 540));
        }
        !is_closed
            && days[usize::from(number(0) - 1)]
                .is_some_and(|(from, to)| (from..to).contains(&minute))
    }
}

fn level(id: &str, change: &str, goals: (u32, u32)) -> String {
    format!(
        "kind: ServiceLevel
id: {id}
type: sla
for: {{ incident: \"contract == '{id}'\" }}
uncovered: cancel
calendar: {{ cel: \"place == 'west' ? 'west' : 'east'\" }}
targets:
  resolution:
    start: \"true\"
    pause: \"record.category == 'waiting'\"
    stop: \"record.category in ['resolved', 'closed']\"
    change: {change}
    goal: {{ table: goals }}
    warnings: {{ half: {{ percent: 50 }}, late: {{ left: PT15M }} }}
tables:
  goals:
    hit: first
    gives: {{ goal: true }}
    rows:
      high: {{ when: \"urgency == 'high'\", then: {{ goal: PT{}M }} }}
      rest: {{ when: \"true\", then: {{ goal: PT{}M }} }}
",
        goals.0, goals.1
    )
}

#[derive(Clone, Debug)]
struct World {
    east: Hours,
    west: Hours,
    gold: (u32, u32),
    silver: (u32, u32),
}

fn world() -> impl Strategy<Value = World> {
    let goals = || (1..40u32, 1..80u32).prop_map(|(high, low)| (high * 15, low * 15));
    (hours(), hours(), goals(), goals()).prop_map(|(east, west, gold, silver)| World {
        east,
        west,
        gold,
        silver,
    })
}

impl World {
    fn desk(&self, change: &str) -> Desk {
        Desk::new(&[
            ("pack.yaml", PACK),
            ("workflows/incident.yaml", WORKFLOW),
            ("calendars/east.yaml", &self.east.yaml("east")),
            ("calendars/west.yaml", &self.west.yaml("west")),
            (
                "service-levels/gold.yaml",
                &level("gold", change, self.gold),
            ),
            (
                "service-levels/silver.yaml",
                &level("silver", change, self.silver),
            ),
        ])
    }
}

/// What people do, each so many quarters of an hour after the last thing.
#[derive(Clone, Copy, Debug)]
enum Deed {
    Wait,
    GoOn,
    Resolve,
    Urgency(bool),
    Place(bool),
    Contract(bool),
}

fn history() -> impl Strategy<Value = Vec<(u32, Deed)>> {
    let deed = prop_oneof![
        4 => Just(Deed::Wait),
        4 => Just(Deed::GoOn),
        1 => Just(Deed::Resolve),
        3 => any::<bool>().prop_map(Deed::Urgency),
        3 => any::<bool>().prop_map(Deed::Place),
        3 => any::<bool>().prop_map(Deed::Contract),
    ];
    prop::collection::vec((0..140u32, deed), 0..14)
}

const QUARTER: i64 = 900_000;

/// The slow reckoning: quarter by quarter, what was open, and whether the clock was to run.
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is one thing that people change"
)]
struct Reckoning<'w> {
    world: &'w World,
    change: OnChange,
    /// Of each quarter since the record began: open in the east, in the west, and whether work went on.
    quarters: Vec<(bool, bool, bool)>,
    elapsed: u64,
    breached: Option<Instant>,
    warned: [bool; 2],
    paused: bool,
    stopped: bool,
    high: bool,
    west: bool,
    silver: bool,
    /// What each agreement came to once the clock had stopped under it; that stays.
    over: [Option<(u64, Option<Instant>)>; 2],
}

impl Reckoning<'_> {
    /// The goal, in quarters.
    fn goal(&self) -> u64 {
        let (high, low) = if self.silver {
            self.world.silver
        } else {
            self.world.gold
        };
        u64::from(if self.high { high } else { low } / 15)
    }

    fn pass(&mut self, from: Instant, to: Instant) {
        let mut at = from.millis();
        while at < to.millis() {
            let now = Instant::from_millis(at);
            let (east, west) = (self.world.east.is_open(now), self.world.west.is_open(now));
            let works = !self.stopped && !self.paused;
            self.quarters.push((east, west, works));
            if works && if self.west { west } else { east } {
                if self.elapsed == self.goal() && self.breached.is_none() {
                    self.breached = Some(now);
                }
                self.elapsed += 1;
            }
            self.warn();
            at += QUARTER;
        }
    }

    /// Warnings are due at half of the goal, rounded up, and a quarter before its end. They are given while
    /// the clock runs.
    fn warn(&mut self) {
        if !self.paused && !self.stopped {
            self.warned[0] |= self.elapsed * 2 >= self.goal();
            self.warned[1] |= self.elapsed + 1 >= self.goal();
        }
    }

    /// All that was worked, by the calendar of now.
    fn recomputed(&self) -> u64 {
        let open = |quarter: &&(bool, bool, bool)| {
            quarter.2 && if self.west { quarter.1 } else { quarter.0 }
        };
        self.quarters.iter().filter(open).count() as u64
    }

    /// Another agreement covers the record: it takes over, or what it came to before is what it came to.
    fn switched(&mut self, now: Instant) {
        let known = self.over[usize::from(self.silver)];
        match known {
            Some((elapsed, breached)) => (self.elapsed, self.breached) = (elapsed, breached),
            None => self.changed(true, now),
        }
        self.note();
    }

    fn note(&mut self) {
        if self.stopped {
            self.over[usize::from(self.silver)] = Some((self.elapsed, self.breached));
        }
    }

    /// Goal or calendar are others, or an agreement with these took over.
    fn changed(&mut self, takes_over: bool, now: Instant) {
        match self.change {
            OnChange::Keep => {}
            OnChange::Restart => {
                self.elapsed = 0;
                self.warned = [false; 2];
            }
            OnChange::Recompute => self.elapsed = self.recomputed(),
        }
        let is_exceeded = self.elapsed > self.goal();
        if takes_over {
            self.breached = is_exceeded.then_some(now);
        } else if is_exceeded {
            self.breached = self.breached.or(Some(now));
        } else {
            self.breached = None;
        }
    }
}

/// The clock of the agreement in force.
fn clock_of(desk: &Desk) -> &Clock {
    let contract = match desk.record().field("contract") {
        model::Value::Text(contract) => contract.as_str(),
        _ => "gold",
    };
    let mut clocks = desk.record().clocks.iter();
    clocks
        .find(|clock| clock.service_level.as_str() == contract)
        .expect("each agreement has one")
}

struct Nobody;

impl Answers for Nobody {
    fn answer(&self, _: &Entry, _: &Question) -> Option<Reply> {
        None
    }
}

pub(crate) fn judged(desk: &Desk, until: Instant) -> JudgedClocks {
    let id: RecordId = desk.record().id.clone();
    judge(Judging {
        id: &id,
        workflow: &desk.definitions.workflows["incident"],
        definitions: &desk.definitions,
        directory: desk,
        entries: &desk.past,
        answers: &Nobody,
        until,
    })
    .expect("a directory that answers")
}

fn update(desk: &mut Desk, field: &str, value: &str) {
    let fields = json!({ field: value })
        .as_object()
        .expect("an object")
        .clone();
    desk.run("agent", model::command::Action::Update { fields })
        .expect("accepted");
}

fn run(
    world: &World,
    change: OnChange,
    start: u32,
    history: &[(u32, Deed)],
) -> Result<(), TestCaseError> {
    let name = match change {
        OnChange::Keep => "keep",
        OnChange::Restart => "restart",
        OnChange::Recompute => "recompute",
    };
    let mut desk = world.desk(name);
    // March has changes of the clocks in New York and in Brussels; Lord Howe changes by half an hour in April.
    let first: Instant = "2026-03-01T00:00:00Z".parse().expect("valid");
    desk.now = first.saturating_add(Duration::from_secs(u64::from(start) * 900));
    desk.create("eve", "incident", json!({})).expect("accepted");
    let mut reckoning = Reckoning {
        world,
        change,
        quarters: Vec::new(),
        elapsed: 0,
        breached: None,
        warned: [false; 2],
        paused: false,
        stopped: false,
        high: false,
        west: false,
        silver: false,
        over: [None; 2],
    };
    reckoning.warn();
    let mut now = desk.now;
    for (quarters, deed) in history {
        let then = now.saturating_add(Duration::from_secs(u64::from(*quarters) * 900));
        reckoning.pass(now, then);
        desk.wake_until(then);
        now = then;
        match deed {
            Deed::Wait | Deed::GoOn | Deed::Resolve => {
                let name = match deed {
                    Deed::Wait => "wait",
                    Deed::GoOn => "go-on",
                    _ => "resolve",
                };
                if desk.take("agent", name, json!({})).is_ok() {
                    reckoning.paused = desk.state() == "waiting";
                    reckoning.stopped |= desk.state() == "resolved";
                    reckoning.note();
                }
            }
            Deed::Urgency(high) => {
                let changes = reckoning.high != *high;
                reckoning.high = *high;
                update(&mut desk, "urgency", if *high { "high" } else { "low" });
                let (one, other) = if reckoning.silver {
                    world.silver
                } else {
                    world.gold
                };
                if changes && one != other && !reckoning.stopped {
                    reckoning.changed(false, now);
                }
            }
            Deed::Place(west) => {
                let changes = reckoning.west != *west;
                reckoning.west = *west;
                update(&mut desk, "place", if *west { "west" } else { "east" });
                if changes && !reckoning.stopped {
                    reckoning.changed(false, now);
                }
            }
            Deed::Contract(silver) => {
                let changes = reckoning.silver != *silver;
                reckoning.silver = *silver;
                update(
                    &mut desk,
                    "contract",
                    if *silver { "silver" } else { "gold" },
                );
                if changes {
                    reckoning.switched(now);
                }
            }
        }
        reckoning.warn();
        let clock = clock_of(&desk);
        prop_assert_eq!(clock.breached_at, reckoning.breached, "{:?}", deed);
        if clock.status != ClockStatus::Running {
            prop_assert_eq!(clock.elapsed.millis(), reckoning.elapsed * 900_000);
        }
        let counts =
            |clock: &&Clock| matches!(clock.status, ClockStatus::Running | ClockStatus::Paused);
        let counting = desk.record().clocks.iter().filter(counts).count();
        prop_assert_eq!(
            counting,
            usize::from(!reckoning.stopped),
            "one agreement counts"
        );
    }
    at_the_end(&mut desk, change)
}

/// Warnings were given once, and the journal judged again gives the same clocks.
fn at_the_end(desk: &mut Desk, change: OnChange) -> Result<(), TestCaseError> {
    let mut warnings = 0;
    for entry in &desk.past {
        warnings += entry
            .events
            .iter()
            .filter(|event| matches!(event, model::event::Event::Warned { .. }))
            .count();
    }
    if change != OnChange::Restart {
        prop_assert!(
            warnings <= 2,
            "each warning is given once, whatever changes"
        );
        prop_assert_eq!(clock_of(desk).warned.len(), warnings);
    }
    // The journal judged again under the same definitions gives the same clocks, to the last stretch.
    let judged = judged(desk, desk.now);
    prop_assert_eq!(judged.notes, Vec::<String>::new());
    prop_assert_eq!(&judged.clocks, &desk.record().clocks);
    let later = desk.now.saturating_add(Duration::from_secs(86_400 * 20));
    desk.wake_until(later);
    let last = desk.past.last().expect("an entry").command.at;
    let rejudged = self::judged(desk, last);
    prop_assert_eq!(&rejudged.clocks, &desk.record().clocks);
    prop_assert_eq!(self::judged(desk, later).clocks, rejudged.clocks);
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn kept_time_is_counted_stretch_by_stretch(world in world(), start in 0..3_000u32, history in history()) {
        run(&world, OnChange::Keep, start, &history)?;
    }

    #[test]
    fn recomputed_time_is_that_of_the_whole_journal(world in world(), start in 0..3_000u32, history in history()) {
        run(&world, OnChange::Recompute, start, &history)?;
    }

    #[test]
    fn restarted_time_begins_at_nothing(world in world(), start in 0..3_000u32, history in history()) {
        run(&world, OnChange::Restart, start, &history)?;
    }
}

/// The quarters of an hour that are open between two instants.
fn open_quarters(hours: &Hours, from: Instant, to: Instant) -> usize {
    let quarters = (from.millis()..to.millis()).step_by(900_000);
    quarters
        .filter(|at| hours.is_open(Instant::from_millis(*at)))
        .count()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_pause_with_goal_left_moves_due_by_its_business_time_and_a_later_one_not_at_all(
        world in world(), start in 0..3_000u32, before in 0..300u32, pause in 0..600u32,
    ) {
        let mut desk = world.desk("keep");
        let first: Instant = "2026-03-01T00:00:00Z".parse().expect("valid");
        let begins = first.saturating_add(Duration::from_secs(u64::from(start) * 900));
        let pauses = begins.saturating_add(Duration::from_secs(u64::from(before) * 900));
        let goes_on = pauses.saturating_add(Duration::from_secs(u64::from(pause) * 900));
        desk.now = begins;
        desk.create("eve", "incident", json!({})).expect("accepted");
        let due = clock_of(&desk).due.expect("hours come every week");
        let goal = usize::try_from(world.gold.1 / 15).expect("small");
        prop_assert_eq!(open_quarters(&world.east, begins, due), goal, "the goal is used up when it is due");
        let last = Instant::from_millis(due.millis() - 900_000);
        prop_assert!(world.east.is_open(last), "and not before");
        desk.wake_until(pauses);
        desk.take("agent", "wait", json!({})).expect("accepted");
        let used = open_quarters(&world.east, begins, pauses);
        // The calendar is another one for a while in which nothing is counted: that changes nothing.
        update(&mut desk, "place", "west");
        prop_assert_eq!(clock_of(&desk).elapsed.millis(), used as u64 * 900_000);
        update(&mut desk, "place", "east");
        desk.wake_until(goes_on);
        desk.take("agent", "go-on", json!({})).expect("accepted");
        let moved = clock_of(&desk).due.expect("hours come every week");
        if used < goal {
            let paused = open_quarters(&world.east, pauses, goes_on);
            prop_assert_eq!(open_quarters(&world.east, due, moved), paused);
            prop_assert_eq!(open_quarters(&world.east, begins, moved), goal + paused);
        } else {
            prop_assert_eq!(moved, due);
        }
    }
}
