//! Clocks at the end of an entry: started, paused, resumed, stopped and set anew by what the record
//! is now. A condition holds from one entry of the record to the next.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use definition::compile::{ServiceLevel, Target};
use definition::expression::Expression;
use model::definition::{OnChange, OnReopen, OnUncovered, WarningPoint};
use model::event::{ClockKey, Event};
use model::id::WarningId;
use model::record::{Clock, ClockCalendar, ClockGoal, ClockStatus, Record};
use model::{Duration, Instant};

use super::promises::Promise;
use super::{Result, Step};
use crate::clock::{Calendars, Counted, add};
use crate::scope::Scope;

impl Step<'_> {
    /// Looks at every clock that the record has or should have.
    pub(super) fn look_at_clocks(&mut self) -> Result<()> {
        let ended = self.end_uncovered();
        let mut fresh = BTreeSet::new();
        if let Some(only) = self.only.clone() {
            self.start_clocks(&only.level, &ended, &mut fresh)?;
        } else {
            for level in self.input.definitions.service_levels.values() {
                if self.may_start(level) {
                    self.start_clocks(level, &ended, &mut fresh)?;
                }
            }
        }
        for place in 0..self.record.clocks.len() {
            let key = key(&self.record.clocks[place]);
            let is_fresh = fresh.contains(&key);
            if is_fresh || !ended.contains(&key) {
                self.look_at_clock(place, is_fresh)?;
            }
        }
        self.give_what_is_due();
        Ok(())
    }

    /// Whether a service level may have clocks to start. What it began on a record it goes through with,
    /// unless it says that it ends where it does not cover it any more.
    fn may_start(&mut self, level: &ServiceLevel) -> bool {
        let Some(covers) = level.covers.get(&self.input.workflow.id) else {
            return false;
        };
        let mut clocks = self.record.clocks.iter();
        let is_known = clocks.any(|clock| clock.service_level == level.id);
        (is_known && level.uncovered == OnUncovered::Continue)
            || self.clock_holds(covers, || format!("service level {}, for", level.id))
    }

    /// Starts the clocks of a service level that are not on the record yet.
    fn start_clocks(
        &mut self,
        level: &Arc<ServiceLevel>,
        ended: &BTreeSet<ClockKey>,
        fresh: &mut BTreeSet<ClockKey>,
    ) -> Result<()> {
        let only = self.only.as_ref().map(|only| only.target.clone());
        let mut starting = Vec::new();
        for target in level.targets.values() {
            let is_known = |clock: &Clock| {
                clock.service_level == level.id
                    && clock.target == target.id
                    && clock.status != ClockStatus::Cancelled
            };
            if only.as_ref().is_some_and(|only| *only != target.id)
                || self.record.clocks.iter().any(is_known)
            {
                continue;
            }
            let before = self.taken_over(level, target, ended);
            let goes_on = before.is_some() && target.change != OnChange::Restart;
            if goes_on || self.clock_holds(&target.start, || format!("target {}, start", target.id))
            {
                starting.push((target, before));
            }
        }
        if starting.is_empty() {
            return Ok(());
        }
        let targets: Vec<&Target> = starting.iter().map(|(target, _)| *target).collect();
        let promises = self.promises(level, &targets)?;
        for (target, before) in starting {
            let Some(promise) = promises.get(&target.id) else {
                continue;
            };
            let clock = match before {
                None => Some(new_clock(level, target, promise, self.now())),
                Some(before) => self.taking_over(level, target, promise, &before),
            };
            if let Some(clock) = clock {
                let key = key(&clock);
                // One that had stopped is judged by the new promise at once.
                let is_missed = clock.status == ClockStatus::Stopped && self.is_exceeded(&clock);
                self.set_clock(target, clock);
                if is_missed {
                    self.breach(&key, self.now());
                }
                fresh.insert(key);
            }
        }
        Ok(())
    }

    fn look_at_clock(&mut self, place: usize, is_fresh: bool) -> Result<()> {
        let clock = &self.record.clocks[place];
        let is_new = is_fresh || (clock.started_at == self.now() && self.is_set_now(clock));
        let Some(level) = self.level(clock) else {
            return Ok(());
        };
        let Some(target) = level.targets.get(&clock.target) else {
            return Ok(());
        };
        let is_over = match clock.status {
            ClockStatus::Stopped => target.reopened == OnReopen::Ignore,
            ClockStatus::Cancelled => true,
            ClockStatus::Running | ClockStatus::Paused => false,
        };
        if is_over {
            return Ok(());
        }
        let is_stopped = self.clock_holds(&target.stop, || format!("target {}, stop", target.id));
        let is_paused = target.pause.as_ref().is_some_and(|pause| {
            self.clock_holds(pause, || format!("target {}, pause", target.id))
        });
        match (self.record.clocks[place].status, is_stopped) {
            (ClockStatus::Stopped, true) | (ClockStatus::Cancelled, _) => {}
            (ClockStatus::Stopped, false) if target.reopened == OnReopen::Restart => {
                let promises = self.promises(&level, &[target])?;
                if let Some(promise) = promises.get(&target.id) {
                    let clock = new_clock(&level, target, promise, self.now());
                    self.set_clock(target, clock);
                    self.pause_where(place, &level, is_paused);
                }
            }
            (ClockStatus::Stopped, false) if is_paused => {
                let mut clock = self.record.clocks[place].clone();
                clock.status = ClockStatus::Paused;
                clock.since = self.now();
                self.set_clock(target, clock);
            }
            (ClockStatus::Stopped, false) => self.resume(place, target),
            (_, true) => self.stop(place),
            (_, false) => {
                if !is_new {
                    self.renew(place, &level, target)?;
                }
                self.pause_where(place, &level, is_paused);
            }
        }
        Ok(())
    }

    fn pause_where(&mut self, place: usize, level: &Arc<ServiceLevel>, is_paused: bool) {
        let clock = &self.record.clocks[place];
        match (clock.status, is_paused) {
            (ClockStatus::Running, true) => self.pause(place),
            (ClockStatus::Paused, false) => {
                if let Some(target) = level.targets.get(&clock.target) {
                    self.resume(place, target);
                }
            }
            _ => {}
        }
    }

    /// The warnings of a clock that are due by now.
    fn due_warnings(&self, place: usize) -> Vec<(WarningId, Instant)> {
        let due = self.record.clocks[place].warnings.iter();
        due.filter(|(_, at)| **at <= self.now())
            .map(|(id, at)| (id.clone(), *at))
            .collect()
    }

    fn pause(&mut self, place: usize) {
        let key_now = key(&self.record.clocks[place]);
        for (warning, at) in self.due_warnings(place) {
            self.warn(&key_now, &warning, at);
        }
        let clock = &self.record.clocks[place];
        let calendars = self.calendars(clock);
        let counted = Counted {
            clock,
            calendars: &calendars,
        };
        let elapsed = counted.elapsed(self.now());
        let due = match clock.goal {
            Some(ClockGoal::Within(goal)) if elapsed < goal => None,
            _ => counted.due(),
        };
        let clock = key(clock);
        self.emit(Event::ClockPaused {
            clock,
            elapsed,
            due,
        });
    }

    fn resume(&mut self, place: usize, target: &Target) {
        let mut clock = self.record.clocks[place].clone();
        clock.status = ClockStatus::Running;
        clock.since = self.now();
        let schedule = self.schedule(&clock, target);
        self.emit(Event::ClockResumed {
            clock: key(&clock),
            due: schedule.due,
            breach_at: schedule.breach_at,
            warnings: schedule.warnings,
        });
    }

    fn stop(&mut self, place: usize) {
        let clock = &self.record.clocks[place];
        let calendars = self.calendars(clock);
        let counted = Counted {
            clock,
            calendars: &calendars,
        };
        let elapsed = counted.elapsed(self.now());
        let due = counted.due().or_else(|| match clock.goal {
            // Paused with goal left: as it would be if it ran from here.
            Some(ClockGoal::Within(goal)) if clock.status == ClockStatus::Paused => {
                let current = calendars.last().and_then(Option::as_ref);
                add(current, self.now(), goal.saturating_sub(elapsed))
            }
            _ => None,
        });
        let is_exceeded = counted.is_exceeded(self.now());
        let key = key(clock);
        self.judge_to_the_end(place, is_exceeded);
        self.emit(Event::ClockStopped {
            clock: key,
            elapsed,
            due,
        });
    }

    /// Gives the warnings of a clock that ends, and notes its breach.
    pub(super) fn judge_to_the_end(&mut self, place: usize, is_exceeded: bool) {
        let clock = &self.record.clocks[place];
        let (key, was_breached) = (key(clock), clock.breached_at.is_some());
        let breach_at = clock.breach_at.filter(|at| *at < self.now());
        for (warning, at) in self.due_warnings(place) {
            self.warn(&key, &warning, at);
        }
        if is_exceeded && !was_breached {
            let at = breach_at.unwrap_or_else(|| self.now());
            self.breach(&key, at);
        }
    }

    /// Sets a clock, with what is due of it worked out.
    pub(super) fn set_clock(&mut self, target: &Target, mut clock: Clock) {
        let schedule = self.schedule(&clock, target);
        clock.due = schedule.due;
        clock.breach_at = schedule.breach_at;
        clock.warnings = schedule.warnings;
        self.emit(Event::ClockSet {
            clock: Box::new(clock),
        });
    }

    pub(super) fn schedule(&self, clock: &Clock, target: &Target) -> crate::clock::Schedule {
        let calendars = self.calendars(clock);
        let counted = Counted {
            clock,
            calendars: &calendars,
        };
        let own = target
            .warnings
            .iter()
            .map(|(id, warning)| (id.clone(), warning.point));
        let asked = clock.warn_at_percent.iter().filter_map(|percent| {
            Some((
                WarningId::new(&format!("at-{percent}")).ok()?,
                WarningPoint::Percent(*percent),
            ))
        });
        let points: Vec<_> = own.chain(asked).collect();
        counted.schedule(&points)
    }

    /// Gives the warnings that are due, and notes the breach that a change put in the past.
    fn give_what_is_due(&mut self) {
        let now = self.now();
        for place in 0..self.record.clocks.len() {
            let clock = &self.record.clocks[place];
            let until = self.told_until(clock);
            let key = key(clock);
            let mut due = self.due_warnings(place);
            due.retain(|(_, at)| *at <= until);
            let calendars = self.calendars(clock);
            let counts = matches!(clock.status, ClockStatus::Running | ClockStatus::Paused);
            let is_breached = counts
                && clock.breached_at.is_none()
                && (until == now || clock.breach_at.is_none_or(|at| at < until))
                && Counted {
                    clock,
                    calendars: &calendars,
                }
                .is_exceeded(now);
            let breach = clock
                .breach_at
                .filter(|at| *at < now && self.is_unchanged(clock))
                .unwrap_or(now);
            for (warning, at) in due {
                self.warn(&key, &warning, at);
            }
            if is_breached {
                self.breach(&key, breach);
            }
        }
    }

    /// Up to when what is due of a clock is told by this entry. Where it was woken for something, and
    /// the clock counts on as before, what is due later has a wake of its own, in its turn among all
    /// records.
    fn told_until(&self, clock: &Clock) -> Instant {
        let counts_on = |before: &Clock| {
            let told = Clock {
                warnings: clock.warnings.clone(),
                warned: clock.warned.clone(),
                breached_at: clock.breached_at,
                ..before.clone()
            };
            told == *clock
        };
        let before = self.input.record.map(|before| &before.clocks);
        self.woken_for
            .filter(|_| before.is_some_and(|clocks| clocks.iter().any(counts_on)))
            .unwrap_or(self.now())
    }

    /// Whether the clock is as it was before this entry, so that its breach was due at its own instant.
    fn is_unchanged(&self, clock: &Clock) -> bool {
        self.input
            .record
            .is_some_and(|before| before.clocks.contains(clock))
    }

    pub(super) fn warn(&mut self, key: &ClockKey, warning: &WarningId, at: Instant) {
        self.emit(Event::Warned {
            clock: key.clone(),
            warning: warning.clone(),
            at,
        });
        let level = self
            .record
            .clocks
            .iter()
            .find(|clock| self::key(clock) == *key)
            .and_then(|clock| self.level(clock));
        let effects = level
            .as_ref()
            .and_then(|level| level.targets.get(&key.target))
            .and_then(|target| target.warnings.get(warning))
            .map(|warning| warning.effects.clone());
        if let Some(effects) = effects {
            self.cause(&effects, &format!("warning {warning}"));
        }
    }

    /// Notes a breach, with its effects; its transition is taken once the clocks have been looked at.
    pub(super) fn breach(&mut self, key: &ClockKey, at: Instant) {
        self.emit(Event::Breached {
            clock: key.clone(),
            at,
        });
        self.escalations.push(key.clone());
        let level = self
            .record
            .clocks
            .iter()
            .find(|clock| self::key(clock) == *key)
            .and_then(|clock| self.level(clock));
        let effects = level
            .as_ref()
            .and_then(|level| level.targets.get(&key.target))
            .map(|target| target.breach_effects.clone());
        if let Some(effects) = effects {
            self.cause(&effects, &format!("breach of {}", key.target));
        }
    }

    /// The transition that a breach of this clock takes.
    pub(super) fn breach_transition(&self, key: &ClockKey) -> Option<model::id::TransitionId> {
        let clock = self
            .record
            .clocks
            .iter()
            .find(|clock| self::key(clock) == *key)?;
        self.level(clock)?
            .targets
            .get(&key.target)?
            .breach_transition
            .clone()
    }

    /// The version of its service level that a clock runs under.
    pub(super) fn level(&self, clock: &Clock) -> Option<Arc<ServiceLevel>> {
        let active = self
            .input
            .definitions
            .service_levels
            .get(&clock.service_level);
        active
            .filter(|level| level.digest == clock.definition)
            .cloned()
            .or_else(|| self.input.pinned.service_level(&clock.definition))
    }

    /// The versions of its calendars that a clock is counted in.
    pub(super) fn calendars(&self, clock: &Clock) -> Calendars {
        let one = |pinned: &ClockCalendar| {
            let active = self.input.definitions.calendars.get(&pinned.id);
            active
                .filter(|active| active.digest == pinned.digest)
                .map(|active| active.calendar.clone())
                .or_else(|| self.input.pinned.calendar(&pinned.digest))
                .map(|calendar| {
                    let zone = pinned.zone.as_ref().and_then(|zone| zone.parse().ok());
                    zone.map_or(calendar.clone(), |zone| calendar.in_zone(zone))
                })
        };
        clock
            .calendars
            .iter()
            .map(|calendar| calendar.as_ref().and_then(one))
            .collect()
    }

    /// The scope of clocks: without `now`, because they change only with the record.
    pub(super) fn clock_scope<'b>(&'b self, record: &'b Record) -> Scope<'b> {
        Scope {
            record,
            input: None,
            now: None,
            it: None,
            ..self.scope()
        }
    }

    pub(super) fn clock_holds(
        &mut self,
        expression: &Expression,
        place: impl FnOnce() -> String,
    ) -> bool {
        let result = expression.holds(&self.clock_scope(&self.record));
        result.unwrap_or_else(|error| {
            self.failed(place(), error.to_string());
            false
        })
    }

    fn is_set_now(&self, clock: &Clock) -> bool {
        self.events
            .iter()
            .any(|event| matches!(event, Event::ClockSet { clock: set } if key(set) == key(clock)))
    }
}

/// Which clock this is.
pub(super) fn key(clock: &Clock) -> ClockKey {
    ClockKey {
        service_level: clock.service_level.clone(),
        target: clock.target.clone(),
    }
}

pub(super) fn new_clock(
    level: &ServiceLevel,
    target: &Target,
    promise: &Promise,
    now: Instant,
) -> Clock {
    Clock {
        service_level: level.id.clone(),
        definition: level.digest,
        target: target.id.clone(),
        calendars: vec![promise.calendar.clone()],
        goal: promise.goal,
        reason: promise.reason.clone(),
        took_over: None,
        status: ClockStatus::Running,
        started_at: now,
        elapsed: Duration::ZERO,
        since: now,
        stretches: Vec::new(),
        due: None,
        breach_at: None,
        warnings: BTreeMap::new(),
        warned: std::collections::BTreeSet::new(),
        warn_at_percent: promise.warn_at_percent.clone(),
        breached_at: None,
    }
}

/// The clock with its present stretch ended and a new one begun.
pub(super) fn ended_stretch(clock: &Clock, now: Instant) -> Clock {
    let mut ended = clock.clone();
    if clock.status == ClockStatus::Running {
        if now > clock.since {
            let calendar =
                u16::try_from(clock.calendars.len().saturating_sub(1)).unwrap_or(u16::MAX);
            ended.stretches.push(model::record::Stretch {
                from: clock.since,
                to: now,
                calendar,
            });
        }
        ended.since = now;
    }
    ended
}
