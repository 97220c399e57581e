//! What differs between a record as it was and as it would have been: looked at after every command,
//! and at the end.

use std::collections::BTreeMap;

use definition::compile::Workflow;
use model::Instant;
use model::event::{ClockKey, Event};
use model::id::{FieldId, PersonId, StageId, StateId};
use model::journal::Decision;
use model::record::{Clock, ClockGoal, Record, Verdict};

use super::report::{Difference, Kind};

/// How long a value is told, in characters.
const TOLD: usize = 200;
/// How people and teams are told that are none.
const NONE: &str = "none";

/// The differences of one record, each once.
#[derive(Default)]
pub(super) struct Differences {
    found: BTreeMap<(Kind, String), Difference>,
    /// What differs now.
    present: Vec<(Kind, String)>,
}

/// A change that may be known already.
struct Seen<'s> {
    kind: Kind,
    what: &'s str,
    then: String,
    now: String,
}

/// What the tables and the workflow say of an entry, then and now.
#[derive(Clone, Copy, Default)]
pub(super) struct Reasons<'r> {
    pub(super) workflow: Option<&'r Workflow>,
    pub(super) then: &'r [Decision],
    pub(super) now: &'r [Decision],
}

impl Differences {
    /// Something that happened once, and is not looked at again.
    pub(super) fn happened(&mut self, difference: Difference) {
        let key = (difference.kind, difference.what.clone());
        self.found.entry(key).or_insert(difference);
    }

    /// Looks at what both records hold at this instant: fields, state, team and assignee.
    pub(super) fn look(&mut self, then: &Record, now: &Record, at: Instant, why: Reasons<'_>) {
        self.present.clear();
        if then.fields != now.fields {
            let mut fields: Vec<_> = then.fields.keys().chain(now.fields.keys()).collect();
            fields.sort_unstable();
            fields.dedup();
            for field in fields {
                let (before, after) = (then.field(field.as_str()), now.field(field.as_str()));
                if before != after {
                    let seen = Seen {
                        kind: Kind::Field,
                        what: field.as_str(),
                        then: told(&before.to_json()),
                        now: told(&after.to_json()),
                    };
                    self.see(seen, at, || why.of_field(field));
                }
            }
        }
        let mut other = |kind, what, then: Option<&str>, now: Option<&str>| {
            if then != now {
                let text = |it: Option<&str>| it.unwrap_or(NONE).to_owned();
                let (then, now) = (text(then), text(now));
                self.see(
                    Seen {
                        kind,
                        what,
                        then,
                        now,
                    },
                    at,
                    || why.of_route(kind),
                );
            }
        };
        let state = |record: &'_ Record| record.state.as_str().to_owned();
        let (before, after) = (state(then), state(now));
        other(Kind::State, "state", Some(&before), Some(&after));
        let team = |record: &Record| record.team.as_ref().map(ToString::to_string);
        let (before, after) = (team(then), team(now));
        other(Kind::Route, "team", before.as_deref(), after.as_deref());
        let assignee = |record: &Record| record.assignee.as_ref().map(ToString::to_string);
        let (before, after) = (assignee(then), assignee(now));
        other(Kind::Route, "assignee", before.as_deref(), after.as_deref());
    }

    fn see(&mut self, seen: Seen<'_>, at: Instant, why: impl FnOnce() -> Option<String>) {
        let key = (seen.kind, seen.what.to_owned());
        self.present.push(key.clone());
        if let Some(known) = self.found.get_mut(&key) {
            known.then = seen.then;
            known.now = seen.now;
            return;
        }
        let difference = Difference {
            kind: seen.kind,
            what: seen.what.to_owned(),
            at,
            then: seen.then,
            now: seen.now,
            lasts: false,
            shift_s: None,
            why: why(),
        };
        self.found.insert(key, difference);
    }

    /// Looks at what was promised, as it stands at the end.
    pub(super) fn look_at_clocks(&mut self, then: &Record, now: &Record) {
        for clock in &then.clocks {
            let other = now.clocks.iter().find(|it| key(it) == key(clock));
            self.look_at_clock(Some(clock), other);
        }
        for clock in &now.clocks {
            if then.clocks.iter().all(|it| key(it) != key(clock)) {
                self.look_at_clock(None, Some(clock));
            }
        }
    }

    fn look_at_clock(&mut self, then: Option<&Clock>, now: Option<&Clock>) {
        let Some(any) = now.or(then) else { return };
        let what = format!("{}/{}", any.service_level, any.target);
        let at = any.started_at;
        let why = now.and_then(of_clock);
        let mut differs = |kind, before: String, after: String, shift_s| {
            if before != after {
                self.happened(Difference {
                    kind,
                    what: what.clone(),
                    at,
                    then: before,
                    now: after,
                    lasts: true,
                    shift_s,
                    why: why.clone(),
                });
            }
        };
        differs(Kind::Goal, goal_told(then), goal_told(now), None);
        let verdict = |clock: Option<&Clock>| clock.map_or(NONE, |it| verdict_told(it.verdict()));
        let (before, after) = (verdict(then).to_owned(), verdict(now).to_owned());
        differs(Kind::Verdict, before, after, None);
        let due = |clock: Option<&Clock>| clock.and_then(|it| it.due);
        let text = |due: Option<Instant>| due.map_or(NONE.to_owned(), Instant::to_seconds_text);
        let shift = due(then).zip(due(now)).map(|(then, now)| {
            let millis = now.millis().saturating_sub(then.millis());
            millis.div_euclid(1_000)
        });
        differs(Kind::Due, text(due(then)), text(due(now)), shift);
    }

    /// All of them, in the order in which they began. Those that still are there, last.
    pub(super) fn finish(self) -> Vec<Difference> {
        let Self { found, present } = self;
        let mut all: Vec<_> = found
            .into_iter()
            .map(|(key, difference)| Difference {
                lasts: difference.lasts || present.contains(&key),
                ..difference
            })
            .collect();
        all.sort_by_key(|difference| (difference.at, difference.kind));
        all
    }

    pub(super) fn is_empty(&self) -> bool {
        self.found.is_empty()
    }
}

impl Reasons<'_> {
    /// The rows that gave a field.
    fn of_field(&self, field: &FieldId) -> Option<String> {
        let table = self.workflow?.fields.get(field)?.decided_by.as_ref()?;
        let row = |decisions: &[Decision]| {
            decisions.iter().rev().find_map(|decision| match decision {
                Decision::Table { table: of, row, .. } if of == table => {
                    Some(row.as_ref().map_or(NONE.to_owned(), ToString::to_string))
                }
                _ => None,
            })
        };
        let now = row(self.now)?;
        Some(match row(self.then) {
            Some(then) if then != now => {
                format!("the row `{now}` of the table `{table}`, then `{then}`")
            }
            _ => format!("the row `{now}` of the table `{table}`"),
        })
    }

    /// Why the record is with someone else: what a plugin answered.
    fn of_route(&self, kind: Kind) -> Option<String> {
        if kind != Kind::Route {
            return None;
        }
        self.now.iter().rev().find_map(|decision| match decision {
            Decision::Hook(hook) if hook.hook == model::hook::Hook::Routing => {
                Some(match &hook.failure {
                    None => format!("`{}` said so", hook.binding),
                    Some(failure) => {
                        format!("`{}` gave no answer: {}", hook.binding, failure.message)
                    }
                })
            }
            _ => None,
        })
    }
}

fn key(clock: &Clock) -> ClockKey {
    ClockKey {
        service_level: clock.service_level.clone(),
        target: clock.target.clone(),
    }
}

fn goal_told(clock: Option<&Clock>) -> String {
    let Some(clock) = clock else {
        return NONE.to_owned();
    };
    let calendar = clock.calendars.last().and_then(Option::as_ref);
    match clock.goal {
        None => "no goal".to_owned(),
        Some(ClockGoal::DueAt(at)) => format!("by {}", at.to_seconds_text()),
        Some(ClockGoal::Within(goal)) => match calendar {
            Some(calendar) => format!("{goal} in {}", calendar.id),
            None => goal.to_string(),
        },
    }
}

/// Why a clock is what it is: what gave its goal, and the calendar that it is counted in.
fn of_clock(clock: &Clock) -> Option<String> {
    let calendar = clock.calendars.last().and_then(Option::as_ref);
    let calendar = calendar.map(|calendar| format!("counted in the calendar `{}`", calendar.id));
    let parts: Vec<_> = clock.reason.iter().cloned().chain(calendar).collect();
    (!parts.is_empty()).then(|| parts.join(", "))
}

const fn verdict_told(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Met => "met",
        Verdict::Breached => "breached",
        Verdict::Running => "running",
    }
}

/// A value as people read it, as far as it fits a line.
fn told(value: &serde_json::Value) -> String {
    let text = match value {
        serde_json::Value::Null => NONE.to_owned(),
        serde_json::Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    if text.chars().nth(TOLD).is_none() {
        return text;
    }
    text.chars().take(TOLD).chain(['…']).collect()
}

/// The approvals that a record went through.
#[derive(Default)]
pub(super) struct Approvals {
    state: Option<StateId>,
    stages: Vec<Stage>,
    ended: Vec<(StateId, Instant, &'static str)>,
}

/// A stage as it opened.
struct Stage {
    state: StateId,
    id: StageId,
    at: Instant,
    asked: Vec<PersonId>,
    needed: u32,
}

impl Stage {
    fn told(&self) -> String {
        let people: Vec<_> = self.asked.iter().map(ToString::to_string).collect();
        let people = if people.is_empty() {
            "nobody".to_owned()
        } else {
            people.join(", ")
        };
        let text = format!("{} of {people}", self.needed);
        if text.chars().nth(TOLD).is_none() {
            return text;
        }
        text.chars().take(TOLD).chain(['…']).collect()
    }
}

impl Approvals {
    /// Takes note of what an entry did.
    pub(super) fn follow(&mut self, events: &[Event], at: Instant) {
        for event in events {
            match event {
                Event::Created { state, .. } | Event::Entered { to: state, .. } => {
                    self.state = Some(state.clone());
                }
                Event::StageOpened { approval } => {
                    let Some(state) = self.state.clone() else {
                        continue;
                    };
                    self.stages
                        .extend(approval.stages.iter().map(|stage| Stage {
                            state: state.clone(),
                            id: stage.plan.id.clone(),
                            at,
                            asked: stage.entitled.iter().cloned().collect(),
                            needed: stage.needed,
                        }));
                }
                Event::ApprovalEnded { outcome, .. } => {
                    if let Some(state) = self.state.clone() {
                        self.ended.push((state, at, outcome.as_str()));
                    }
                }
                _ => {}
            }
        }
    }

    /// Whether a stage was ever asked in a state.
    pub(super) fn asked(&self, state: &StateId, stage: &StageId) -> bool {
        let mut stages = self.stages.iter();
        stages.any(|it| it.state == *state && it.id == *stage)
    }

    /// Compares who was asked and what came of it. Of a record that diverged, only what it came to.
    pub(super) fn compare(then: &Self, now: &Self, whole: bool, into: &mut Differences) {
        let stages = |of: &Self| {
            nth(of
                .stages
                .iter()
                .map(|it| (format!("{}/{}", it.state, it.id), (it.told(), it.at))))
        };
        both(Kind::Approvers, &stages(then), &stages(now), whole, into);
        let ended = |of: &Self| {
            nth(of
                .ended
                .iter()
                .map(|(state, at, outcome)| (state.to_string(), ((*outcome).to_owned(), *at))))
        };
        both(Kind::Approval, &ended(then), &ended(now), whole, into);
    }
}

/// Each with how often the same came before it, from the second time on.
fn nth<T>(all: impl Iterator<Item = (String, T)>) -> BTreeMap<String, T> {
    let mut counts: BTreeMap<String, u32> = BTreeMap::new();
    let numbered = all.map(|(name, it)| {
        let count = counts.entry(name.clone()).or_default();
        *count += 1;
        let name = if *count == 1 {
            name
        } else {
            format!("{name} ({count})")
        };
        (name, it)
    });
    numbered.collect()
}

type Told = BTreeMap<String, (String, Instant)>;

fn both(kind: Kind, then: &Told, now: &Told, whole: bool, into: &mut Differences) {
    let mut differs = |what: &String,
                       then: Option<&(String, Instant)>,
                       now: Option<&(String, Instant)>| {
        let text = |it: Option<&(String, Instant)>| it.map_or(NONE.to_owned(), |it| it.0.clone());
        let at = now.or(then).map(|it| it.1);
        if let Some(at) = at.filter(|_| text(then) != text(now)) {
            into.happened(Difference {
                kind,
                what: what.clone(),
                at,
                then: text(then),
                now: text(now),
                lasts: true,
                shift_s: None,
                why: None,
            });
        }
    };
    for (what, before) in then {
        let after = now.get(what);
        if after.is_some() || whole {
            differs(what, Some(before), after);
        }
    }
    for (what, after) in now {
        if !then.contains_key(what) {
            differs(what, None, Some(after));
        }
    }
}
