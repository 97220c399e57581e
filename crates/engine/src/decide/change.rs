//! Changes under way: another goal, another calendar, another agreement, and what a target says
//! that these do to the time already used.

use std::collections::BTreeSet;
use std::sync::Arc;

use definition::compile::{ServiceLevel, Target};
use model::Duration;
use model::definition::{OnChange, OnUncovered};
use model::event::{ClockKey, Event};
use model::record::{Clock, ClockStatus};

use super::clocks::{ended_stretch, key, new_clock};
use super::promises::Promise;
use super::{Result, Step};
use crate::clock::Counted;

impl Step<'_> {
    /// Cancels the clocks of service levels that end where they do not cover the record any more. Gives
    /// these clocks, and those of the same service levels that had stopped before.
    pub(super) fn end_uncovered(&mut self) -> BTreeSet<ClockKey> {
        let mut ended = BTreeSet::new();
        if self.only.is_some() {
            return ended;
        }
        for place in 0..self.record.clocks.len() {
            let clock = &self.record.clocks[place];
            let key = key(clock);
            let level = self.level(clock);
            let Some(level) = level.filter(|level| level.uncovered == OnUncovered::Cancel) else {
                continue;
            };
            let covers = level.covers.get(&self.input.workflow.id);
            let place_named = || format!("service level {}, for", level.id);
            if covers.is_some_and(|covers| self.clock_holds(covers, place_named)) {
                continue;
            }
            self.cancel(place);
            ended.insert(key);
        }
        ended
    }

    fn cancel(&mut self, place: usize) {
        let clock = &self.record.clocks[place];
        if matches!(clock.status, ClockStatus::Stopped | ClockStatus::Cancelled) {
            return;
        }
        let calendars = self.calendars(clock);
        let counted = Counted {
            clock,
            calendars: &calendars,
        };
        let (elapsed, is_exceeded) = (counted.elapsed(self.now()), counted.is_exceeded(self.now()));
        let clock = key(clock);
        self.judge_to_the_end(place, is_exceeded);
        self.emit(Event::ClockCancelled { clock, elapsed });
    }

    /// The clock from which one of a target would take over: the last of the same target, of a service
    /// level of the same type, that was cancelled, or has stopped and is covered no more.
    pub(super) fn taken_over(
        &self,
        level: &ServiceLevel,
        target: &Target,
        ended: &BTreeSet<ClockKey>,
    ) -> Option<Clock> {
        let clocks = self.record.clocks.iter();
        let over = clocks.filter(|clock| {
            clock.target == target.id
                && (clock.status == ClockStatus::Cancelled || ended.contains(&key(clock)))
                && self.level(clock).is_some_and(|of| of.kind == level.kind)
        });
        over.max_by_key(|clock| clock.since).cloned()
    }

    /// The clock that takes over from one that ended; none where it would not have begun.
    pub(super) fn taking_over(
        &mut self,
        level: &Arc<ServiceLevel>,
        target: &Target,
        promise: &Promise,
        before: &Clock,
    ) -> Option<Clock> {
        let now = self.now();
        let taken = match target.change {
            OnChange::Restart => Some(new_clock(level, target, promise, now)),
            OnChange::Keep => {
                let mut kept = before.clone();
                kept.calendars.push(promise.calendar.clone());
                if kept.status == ClockStatus::Cancelled {
                    kept.status = ClockStatus::Running;
                    kept.since = now;
                }
                Some(kept)
            }
            OnChange::Recompute => self.relived(level, target, promise).or_else(|| {
                let counted = self.recounted(before, promise);
                (counted.status != ClockStatus::Cancelled).then_some(counted)
            }),
        };
        taken.map(|clock| Clock {
            service_level: level.id.clone(),
            definition: level.digest,
            // A service level that covers the record again goes on with its own clock.
            took_over: if before.service_level == level.id {
                before.took_over.clone()
            } else {
                Some(before.service_level.clone())
            },
            warned: match target.change {
                OnChange::Restart => BTreeSet::new(),
                OnChange::Keep | OnChange::Recompute => before.warned.clone(),
            },
            breached_at: None,
            ..promised(clock, promise)
        })
    }

    /// Looks whether the goal or the calendar is another one now, and does what the target says then.
    pub(super) fn renew(
        &mut self,
        place: usize,
        level: &Arc<ServiceLevel>,
        target: &Target,
    ) -> Result<()> {
        if !self.changes_promise || self.only.is_some() {
            return Ok(());
        }
        let promises = self.promises(level, &[target])?;
        let Some(promise) = promises.get(&target.id) else {
            return Ok(());
        };
        let clock = self.record.clocks[place].clone();
        let calendar = clock.calendars.last().cloned().flatten();
        // A clock keeps the version of its calendar for as long as it is counted in that calendar.
        let mut promise = promise.clone();
        if let (Some(pinned), Some(named)) = (&calendar, &mut promise.calendar)
            && pinned.id == named.id
        {
            named.digest = pinned.digest;
        }
        let promise = &promise;
        if clock.goal == promise.goal && calendar == promise.calendar {
            return Ok(());
        }
        let renewed = match target.change {
            OnChange::Restart => Clock {
                took_over: clock.took_over.clone(),
                ..new_clock(level, target, promise, self.now())
            },
            OnChange::Keep => self.kept(&clock, promise),
            OnChange::Recompute => self.recomputed(level, target, &clock, promise),
        };
        let renewed = promised(renewed, promise);
        let is_exceeded = self.is_exceeded(&renewed);
        let renewed = Clock {
            breached_at: renewed.breached_at.filter(|_| is_exceeded),
            ..renewed
        };
        self.set_clock(target, renewed);
        Ok(())
    }

    /// A clock whose time so far stays as it was counted, and goes on in the calendar of a promise.
    fn kept(&self, clock: &Clock, promise: &Promise) -> Clock {
        let calendars = self.calendars(clock);
        let elapsed = Counted {
            clock,
            calendars: &calendars,
        }
        .elapsed(self.now());
        let mut kept = ended_stretch(clock, self.now());
        kept.elapsed = elapsed;
        kept.calendars.push(promise.calendar.clone());
        kept
    }

    /// A clock whose time so far is counted again: by the conditions of its target over all that the
    /// journal shows, or, where that cannot be read, over the stretches in which it ran.
    fn recomputed(
        &mut self,
        level: &Arc<ServiceLevel>,
        target: &Target,
        clock: &Clock,
        promise: &Promise,
    ) -> Clock {
        match self.relived(level, target, promise) {
            Some(relived) => Clock {
                warned: clock.warned.clone(),
                breached_at: clock.breached_at,
                took_over: clock.took_over.clone(),
                ..relived
            },
            None => self.recounted(clock, promise),
        }
    }

    /// Whether more than the goal of a clock is used by now.
    pub(super) fn is_exceeded(&self, clock: &Clock) -> bool {
        let calendars = self.calendars(clock);
        let counted = Counted {
            clock,
            calendars: &calendars,
        };
        counted.is_exceeded(self.now())
    }

    /// A clock whose stretches so far are counted anew, all of them in the calendar of a promise.
    fn recounted(&self, clock: &Clock, promise: &Promise) -> Clock {
        let mut renewed = if clock.status == ClockStatus::Running {
            ended_stretch(clock, self.now())
        } else {
            clock.clone()
        };
        renewed.calendars = vec![promise.calendar.clone()];
        for stretch in &mut renewed.stretches {
            stretch.calendar = 0;
        }
        let calendars = self.calendars(&renewed);
        let calendar = calendars.last().and_then(Option::as_ref);
        let counted = renewed.stretches.iter();
        renewed.elapsed = counted.fold(Duration::ZERO, |sum, stretch| {
            let used = crate::clock::between(calendar, stretch.from, stretch.to);
            sum.saturating_add(used)
        });
        renewed
    }

    /// Counts every clock that runs or is paused anew, by the service level and the calendar in force. The
    /// journal keeps what it came to before beside what it comes to now.
    pub(super) fn recompute_clocks(&mut self) -> Result<()> {
        for place in 0..self.record.clocks.len() {
            let clock = self.record.clocks[place].clone();
            let levels = &self.input.definitions.service_levels;
            let Some(level) = levels.get(&clock.service_level).cloned() else {
                continue;
            };
            let counts = matches!(clock.status, ClockStatus::Running | ClockStatus::Paused);
            let Some(target) = level.targets.get(&clock.target).filter(|_| counts) else {
                continue;
            };
            let promises = self.promises(&level, &[target])?;
            let Some(promise) = promises.get(&target.id) else {
                continue;
            };
            let counted = promised(self.recomputed(&level, target, &clock, promise), promise);
            let is_exceeded = self.is_exceeded(&counted);
            let renewed = Clock {
                definition: level.digest,
                breached_at: counted.breached_at.filter(|_| is_exceeded),
                ..counted
            };
            if renewed != clock {
                self.set_clock(target, renewed);
            }
        }
        Ok(())
    }
}

/// A clock with what it is promised now.
fn promised(clock: Clock, promise: &Promise) -> Clock {
    Clock {
        goal: promise.goal,
        reason: promise.reason.clone(),
        warn_at_percent: promise.warn_at_percent.clone(),
        ..clock
    }
}
