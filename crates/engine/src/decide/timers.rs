//! Timers: set on entering a state or when their condition begins to hold, dropped when it ends, and
//! fired as commands of their own, the earliest first.

use definition::compile::Timer;
use model::Instant;
use model::definition::Outcome;
use model::event::{ClockKey, Event};
use model::id::TimerId;
use model::record::ClockStatus;

use super::{Interrupt, Result, Step, clocks};
use crate::scope::Scope;

/// What is due of a record.
enum Due {
    Timer(TimerId),
    Stage,
    /// The next step of whom a team's work is brought to.
    Escalation,
    /// A warning or a breach; what it gives is given with every entry's look at the clocks.
    Clock(ClockKey),
}

impl Step<'_> {
    /// Does the earliest thing that is due; nothing where nothing is.
    pub(super) fn wake(&mut self) -> Result<()> {
        let now = self.now();
        let timers = self
            .record
            .timers
            .iter()
            .map(|(id, due)| (*due, Due::Timer(id.clone())));
        let stage = self
            .record
            .approval
            .iter()
            .filter_map(|approval| Some((approval.stage.due?, Due::Stage)));
        let clocks = self
            .record
            .clocks
            .iter()
            .filter_map(|clock| Some((clock.next_due()?, Due::Clock(clocks::key(clock)))));
        let escalation = self
            .record
            .escalation
            .iter()
            .filter_map(|escalation| Some((escalation.due?, Due::Escalation)));
        let earliest = timers
            .chain(stage)
            .chain(escalation)
            .chain(clocks)
            .filter(|(due, _)| *due <= now)
            .min_by_key(|(due, _)| *due);
        match earliest {
            None => Err(Interrupt::Nothing),
            Some((due, Due::Timer(timer))) => self.fire(&timer, due),
            Some((_, Due::Stage)) => {
                self.end_stage(Outcome::Expired, "it was not decided in time");
                Ok(())
            }
            Some((due, Due::Escalation)) => self.escalation_due(due),
            Some((_, Due::Clock(key))) => {
                self.wake_clock(&key);
                Ok(())
            }
        }
    }

    /// Warnings are given, and a breach is noted.
    fn wake_clock(&mut self, key: &ClockKey) {
        let now = self.now();
        let Some(clock) = self
            .record
            .clocks
            .iter()
            .find(|clock| clocks::key(clock) == *key)
        else {
            return;
        };
        let warnings: Vec<_> = clock
            .warnings
            .iter()
            .filter(|(_, at)| **at <= now)
            .map(|(id, at)| (id.clone(), *at))
            .collect();
        let breach = clock.breach_at.filter(|at| {
            *at < now && clock.breached_at.is_none() && clock.status != ClockStatus::Stopped
        });
        for (warning, at) in warnings {
            self.warn(key, &warning, at);
        }
        if let Some(at) = breach {
            self.breach(key, at);
        }
    }

    fn fire(&mut self, id: &TimerId, due: Instant) -> Result<()> {
        self.emit(Event::TimerFired {
            timer: id.clone(),
            due,
        });
        let workflow = self.input.workflow;
        let own = workflow
            .states
            .get(&self.record.state)
            .and_then(|state| state.timers.get(id));
        let Some(timer) = own.or_else(|| workflow.timers.get(id)) else {
            return Ok(());
        };
        let state = self.record.state.clone();
        if let Some(transition) = &timer.transition {
            self.follow(transition, &format!("the timer {id} was due"))?;
        }
        self.cause(&timer.effects, &format!("timer {id}"));
        if timer.repeat && (self.record.state == state || workflow.timers.contains_key(id)) {
            // The next one is reckoned from when this one was due, so that lateness does not add up.
            let next = self
                .wait_ends(&timer.wait, due)
                .filter(|next| *next > self.now());
            if let Some(next) = next.or_else(|| self.wait_ends(&timer.wait, self.now())) {
                self.emit(Event::TimerSet {
                    timer: id.clone(),
                    due: next,
                });
            }
        }
        Ok(())
    }

    /// Drops what the state that is being left had set.
    pub(super) fn leave(&mut self) {
        let workflow = self.input.workflow;
        let Some(state) = workflow.states.get(&self.record.state) else {
            return;
        };
        for timer in state.timers.keys() {
            if self.record.timers.contains_key(timer) {
                self.emit(Event::TimerCleared {
                    timer: timer.clone(),
                });
            }
        }
    }

    /// Sets the timers whose condition began to hold with this entry, and drops those whose ended.
    pub(super) fn look_at_timers(&mut self) {
        let workflow = self.input.workflow;
        let entered = self.entered;
        let own = workflow
            .states
            .get(&self.record.state)
            .map(|state| &state.timers);
        for timer in own.into_iter().flat_map(|timers| timers.values()) {
            self.look_at_timer(timer, entered);
        }
        let begins = self.input.record.is_none();
        for timer in workflow.timers.values() {
            self.look_at_timer(timer, begins);
        }
    }

    pub(super) fn look_at_timer(&mut self, timer: &Timer, is_fresh: bool) {
        let is_set = self.record.timers.contains_key(&timer.id);
        let (held, holds) = match &timer.condition {
            None => (!is_fresh, true),
            Some(condition) => {
                let before = self.input.record.filter(|_| !is_fresh);
                let held = before.is_some_and(|before| {
                    condition
                        .holds(&Scope {
                            record: before,
                            now: None,
                            it: None,
                            input: None,
                            ..self.scope()
                        })
                        .unwrap_or(false)
                });
                let now = condition.holds(&Scope {
                    now: None,
                    it: None,
                    input: None,
                    ..self.scope()
                });
                let holds = now.unwrap_or_else(|error| {
                    self.failed(format!("timer {}, while", timer.id), error.to_string());
                    false
                });
                (held, holds)
            }
        };
        if holds && !held && !is_set {
            if let Some(due) = self.wait_ends(&timer.wait, self.now()) {
                self.emit(Event::TimerSet {
                    timer: timer.id.clone(),
                    due,
                });
            }
        } else if !holds && is_set {
            self.emit(Event::TimerCleared {
                timer: timer.id.clone(),
            });
        }
    }
}
