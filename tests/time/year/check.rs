//! The journal of the year, gone through once: what each entry says is held against what a slow
//! reckoning from the entries before it expects.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use engine::port::Store as _;
use model::definition::{Category, Outcome};
use model::event::Event;
use model::id::{PersonId, RecordId};
use model::journal::{Entry, Item};
use model::{Duration, Instant, Value};
use sha2::Digest as _;

use super::clocks::Reckoned;
use super::escalations::Waiting;
use super::people::{SITES, Sites, ZONE};
use crate::desk::Desk;
use crate::minutes::days_later;

const HOUR: i64 = 3_600_000;
const BRUSSELS: usize = 0;
const NEW_YORK: usize = 1;
const SYDNEY: usize = 2;

/// How much there was to check.
#[derive(Debug, Default)]
pub(crate) struct Found {
    records: usize,
    entries: usize,
    pub(crate) fired: BTreeMap<String, usize>,
    expired: usize,
    pub(crate) warned: usize,
    pub(crate) breached: usize,
    clocks: usize,
    /// How often a record was given to whoever was on call, and how often that was nobody.
    pub(crate) routed: usize,
    pub(crate) given_to_nobody: usize,
    /// How often it had to be acknowledged, by step who was told, and how that ended.
    pub(crate) escalations: usize,
    pub(crate) told: BTreeMap<&'static str, usize>,
    pub(crate) acknowledged: usize,
    pub(crate) withdrawn: usize,
    pub(crate) in_vain: usize,
    still_set: usize,
}

impl Found {
    /// Whether everything that is to be checked came about.
    pub(crate) fn is_worth_something(&self) {
        let timers = [
            "auto-close",
            "begin",
            "chase",
            "remind",
            "silent",
            "untouched",
            "watch",
        ];
        let fired: Vec<_> = self.fired.keys().map(String::as_str).collect();
        assert_eq!(fired, timers, "every timer fired");
        assert!(self.expired > 0 && self.warned > 0 && self.breached > 0);
        assert!(self.routed > self.given_to_nobody && self.given_to_nobody > 0);
        let told: Vec<_> = self.told.keys().copied().collect();
        assert_eq!(told, ["everyone", "first", "lead", "second"]);
        assert!(self.acknowledged > 0 && self.withdrawn > 0 && self.in_vain > 0);
    }
}

/// What the journal has told of a record so far.
pub(crate) struct Story {
    last: Instant,
    pub(crate) workflow: String,
    pub(crate) site: usize,
    pub(crate) state: String,
    pub(crate) category: Category,
    pub(crate) requester: Option<PersonId>,
    pub(crate) team: Option<String>,
    pub(crate) assignee: Option<PersonId>,
    pub(crate) priority: String,
    /// What is set, and when it is due.
    timers: BTreeMap<String, Instant>,
    /// Timers of the state that have fired and are not set again.
    over: BTreeSet<String>,
    stage: Option<Instant>,
    pub(crate) clocks: Vec<Reckoned>,
    pub(crate) waiting: Option<Waiting>,
    /// Everyone was told, and nobody took it.
    pub(crate) in_vain: bool,
}

/// Goes through the journal, which is in order of time as a whole where everything came one after the
/// other, then looks at where every record stands.
pub(crate) fn check(desk: &Desk, sites: &Sites, end: Instant, is_in_order: bool) -> Found {
    let mut found = Found::default();
    let mut stories: HashMap<RecordId, Story> = HashMap::new();
    let mut last = Instant::EPOCH;
    for (_, item) in desk.journal() {
        assert!(
            item.at() >= last || !is_in_order,
            "the journal goes on in time"
        );
        last = item.at();
        if let Item::Record { id, entry, .. } = item {
            found.entries += 1;
            let story = stories.entry(id.clone()).or_insert_with(Story::begin);
            assert!(entry.command.at >= story.last, "{id}: its time goes on");
            story.last = entry.command.at;
            Page {
                sites,
                id: &id,
                entry: &entry,
                story,
                found: &mut found,
            }
            .check();
        }
    }
    found.records = stories.len();
    let stories: Vec<_> = stories.into_iter().collect();
    let check_part = |stories: &[(RecordId, Story)]| {
        let ends = stories
            .iter()
            .map(|(id, story)| story.check_end(desk, sites, id, end));
        ends.fold((0, 0), |all, one| (all.0 + one.0, all.1 + one.1))
    };
    std::thread::scope(|scope| {
        let parts = stories.chunks(stories.len().div_ceil(2));
        let parts: Vec<_> = parts
            .map(|part| scope.spawn(move || check_part(part)))
            .collect();
        for part in parts {
            let (still_set, clocks) = part.join().expect("everything is right");
            found.still_set += still_set;
            found.clocks += clocks;
        }
    });
    found
}

impl Story {
    fn begin() -> Self {
        Self {
            last: Instant::EPOCH,
            workflow: String::new(),
            site: 0,
            state: String::new(),
            category: Category::Open,
            requester: None,
            team: None,
            assignee: None,
            priority: String::new(),
            timers: BTreeMap::new(),
            over: BTreeSet::new(),
            stage: None,
            clocks: Vec::new(),
            waiting: None,
            in_vain: false,
        }
    }

    /// Looks at where the record stands at the end; how much is still set, and how many clocks it has.
    fn check_end(&self, desk: &Desk, sites: &Sites, id: &RecordId, end: Instant) -> (usize, usize) {
        let record = desk.store.record(id).expect("it is read");
        let record = record.expect("it is there");
        assert_eq!(
            record
                .timers
                .iter()
                .map(|(id, due)| (id.to_string(), *due))
                .collect::<BTreeMap<_, _>>(),
            self.timers,
            "{id}: its timers"
        );
        Waiting::check(
            self.waiting.as_ref(),
            self,
            sites,
            record.escalation.as_ref(),
        );
        let waiting = self.waiting.as_ref().map(|waiting| waiting.due);
        let due = self.timers.values().copied().chain(self.stage);
        let due: Vec<_> = due.chain(waiting).collect();
        for due in &due {
            assert!(
                *due >= end,
                "{id}: something was due at {due} and is not done"
            );
        }
        assert_eq!(record.clocks.len(), self.clocks.len(), "{id}: its clocks");
        for clock in &record.clocks {
            let reckoned = self.clocks.iter().find(|reckoned| reckoned.is_of(clock));
            let reckoned = reckoned.unwrap_or_else(|| panic!("{id}: {clock:?} is not expected"));
            reckoned.check(sites, id, clock, end);
        }
        (due.len(), record.clocks.len())
    }

    /// The timers that the definition wants now.
    fn wanted(&self) -> BTreeSet<String> {
        let of_state: &[&str] = match self.state.as_str() {
            "new" => &["untouched"],
            "waiting" => &["remind", "silent"],
            "resolved" => &["auto-close"],
            "fulfilling" => &["chase"],
            "scheduled" => &["begin"],
            _ => &[],
        };
        let watched = self.priority == "p1" && self.category == Category::Open;
        let watch: &[&str] = if watched { &["watch"] } else { &[] };
        let all = of_state.iter().chain(watch).map(|id| (*id).to_owned());
        all.filter(|id| !self.over.contains(id)).collect()
    }
}

/// An entry, and what is known when it is read.
pub(crate) struct Page<'p> {
    pub(crate) sites: &'p Sites,
    pub(crate) id: &'p RecordId,
    pub(crate) entry: &'p Entry,
    pub(crate) story: &'p mut Story,
    pub(crate) found: &'p mut Found,
}

impl Page<'_> {
    fn check(&mut self) {
        let at = self.entry.command.at;
        let mut given = Reckoned::pass(&mut self.story.clocks, self.sites, at);
        let had_to_be_taken = self.story.has_to_be_taken();
        let assignee = self.story.assignee.clone();
        for event in &self.entry.events {
            self.follow(event);
        }
        self.check_assignment(assignee.as_ref());
        self.check_waiting(had_to_be_taken);
        let set: BTreeSet<String> = self.story.timers.keys().cloned().collect();
        assert_eq!(set, self.story.wanted(), "{} at {at}: its timers", self.id);
        given.extend(Reckoned::turn(self.story, self.sites, at));
        self.hold_to(given);
    }

    /// What was due of clocks is told by this entry, all of it and at its own instant.
    fn hold_to(&mut self, mut expected: Vec<(String, Instant)>) {
        let told = self.entry.events.iter().filter_map(|event| match event {
            Event::Warned { clock, warning, at } => {
                Some((format!("{}/{warning}", clock.target), *at))
            }
            Event::Breached { clock, at } => Some((format!("{}/breach", clock.target), *at)),
            _ => None,
        });
        let mut told: Vec<_> = told.collect();
        told.sort();
        expected.sort();
        let at = self.entry.command.at;
        assert_eq!(told, expected, "{} at {at}: {:#?}", self.id, self.entry);
        for (name, _) in told {
            if name.ends_with("breach") {
                self.found.breached += 1;
            } else {
                self.found.warned += 1;
            }
        }
    }

    fn follow(&mut self, event: &Event) {
        let at = self.entry.command.at;
        match event {
            Event::Created {
                workflow,
                state,
                category,
                requester,
                ..
            } => {
                self.story.workflow = workflow.to_string();
                self.story.requester.clone_from(requester);
                self.story.state = state.to_string();
                self.story.category = *category;
            }
            Event::Entered { to, category, .. } => {
                self.story.state = to.to_string();
                self.story.category = *category;
                self.story.over.clear();
            }
            Event::FieldSet { field, value, .. } => self.field(field.as_str(), value),
            Event::Assigned { team, assignee, .. } => {
                self.story.team = team.as_ref().map(ToString::to_string);
                self.story.assignee.clone_from(assignee);
            }
            Event::Escalated { .. } => self.follow_escalated(event),
            Event::EscalationEnded { how, .. } => self.follow_end(how),
            Event::TimerSet { timer, due } => self.set(timer.as_str(), *due),
            Event::TimerCleared { timer } => {
                let was_set = self.story.timers.remove(timer.as_str());
                let due = was_set.expect("what is cleared was set");
                assert!(
                    due >= at,
                    "{}: {timer} was due at {due}, and cleared {at}",
                    self.id
                );
            }
            Event::TimerFired { timer, due } => {
                let was_set = self.story.timers.remove(timer.as_str());
                assert_eq!(
                    was_set,
                    Some(*due),
                    "{}: {timer} fires as it was set",
                    self.id
                );
                assert_eq!(at, *due, "{}: {timer} fires on time", self.id);
                self.story.over.insert(timer.to_string());
                *self.found.fired.entry(timer.to_string()).or_default() += 1;
            }
            Event::StageOpened { approval } => {
                let [stage] = &approval.stages[..] else {
                    panic!("{}: one stage opens after the other", self.id);
                };
                let expected = match stage.plan.id.as_str() {
                    "manager" => days_later(ZONE, at, 3),
                    _ => self.sites.minutes[BRUSSELS].add(at, 20 * HOUR),
                };
                assert_eq!(stage.due, Some(expected), "{}: its stage", self.id);
                self.story.stage = Some(expected);
            }
            Event::StageEnded { outcome, .. } => {
                let due = self.story.stage.take().expect("it was opened");
                if *outcome == Outcome::Expired {
                    assert_eq!(at, due, "{}: it expires on time", self.id);
                    self.found.expired += 1;
                } else {
                    assert!(at < due, "{}: it was decided in time", self.id);
                }
            }
            _ => {}
        }
    }

    fn field(&mut self, field: &str, value: &Value) {
        let Value::Text(text) = value else { return };
        match field {
            "site" => {
                let site = SITES.iter().position(|site| *site == text.as_str());
                self.story.site = site.expect("a site");
            }
            "priority" => self.story.priority.clone_from(text),
            _ => {}
        }
    }

    /// A timer is set for when the definition's wait is over, reckoned the slow way: from now, or from
    /// when the wait before it was over.
    fn set(&mut self, timer: &str, due: Instant) {
        let at = self.entry.command.at;
        let fires = self.entry.events.iter().any(
            |event| matches!(event, Event::TimerFired { timer: fired, .. } if fired.as_str() == timer),
        );
        let spread = match timer {
            "remind" => self.spread(timer, 600_000),
            _ => 0,
        };
        let begins = if fires {
            Instant::from_millis(at.millis() - spread)
        } else {
            at
        };
        let hours = &self.sites.minutes;
        let over = match timer {
            "untouched" => hours[BRUSSELS].add(begins, 6 * HOUR),
            "remind" => hours[NEW_YORK].add(begins, 8 * HOUR),
            "silent" => days_later(ZONE, begins, 7),
            "auto-close" => hours[SYDNEY].add(begins, 24 * HOUR),
            "chase" => hours[SYDNEY].add(begins, 9 * HOUR),
            "begin" => days_later(ZONE, begins, 2),
            "watch" => begins.saturating_add(Duration::from_secs(4 * 3600)),
            other => panic!("nobody knows the timer {other}"),
        };
        let expected = Instant::from_millis(over.millis() + spread);
        assert_eq!(due, expected, "{} at {at}: {timer} is set", self.id);
        let before = self.story.timers.insert(timer.to_owned(), due);
        assert_eq!(before, None, "{}: {timer} is set once", self.id);
        self.story.over.remove(timer);
    }

    /// How far a record is spread, by the first eight bytes of a hash as a share of the whole.
    fn spread(&self, timer: &str, jitter: u128) -> i64 {
        let hash = sha2::Sha256::digest(format!("{} {timer}", self.id));
        let share = u64::from_be_bytes(hash[..8].try_into().expect("eight bytes"));
        i64::try_from((jitter * u128::from(share)) >> 64).expect("few")
    }
}
