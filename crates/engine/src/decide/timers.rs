//! Timers: set on entering a state or when their condition begins to hold, dropped when it ends, and
//! fired as commands of their own, the earliest first.

use definition::compile::Timer;
use model::event::{ClockKey, Event};
use model::id::{StageId, TimerId};
use model::record::{ClockStatus, OpenStage};
use model::{Digest, Duration, Instant};

use super::{Interrupt, Result, Step, clocks};
use crate::scope::Scope;

/// What is due of a record.
enum Due {
    Timer(TimerId),
    /// Somebody's absence begins or ends.
    Look,
    StageTimer(StageId, TimerId),
    Expiry(StageId),
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
        let stages = self.record.approval.iter().flat_map(|it| &it.stages);
        let stages = stages.flat_map(due_in_stage);
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
            .chain(stages)
            .chain(escalation)
            .chain(clocks)
            .filter(|(due, _)| *due <= now)
            .min_by_key(|(due, _)| *due);
        self.woken_for = earliest.as_ref().map(|(due, _)| *due);
        match earliest {
            None => Err(Interrupt::Nothing),
            Some((due, Due::Timer(timer))) => self.fire(&timer, due),
            Some((_, Due::Look)) => {
                self.look_at_entitlement();
                Ok(())
            }
            Some((due, Due::StageTimer(stage, timer))) => self.fire_in_stage(&stage, &timer, due),
            Some((due, Due::Expiry(stage))) => {
                self.expire(&stage, due);
                Ok(())
            }
            Some((due, Due::Escalation)) => self.escalation_due(due),
            Some((due, Due::Clock(key))) => {
                self.wake_clock(&key, due);
                Ok(())
            }
        }
    }

    /// The warnings that were due then are given, and a breach is noted.
    pub(super) fn wake_clock(&mut self, key: &ClockKey, due: Instant) {
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
            .filter(|(_, at)| **at <= due)
            .map(|(id, at)| (id.clone(), *at))
            .collect();
        let breach = clock.breach_at.filter(|at| {
            let counts = matches!(clock.status, ClockStatus::Running | ClockStatus::Paused);
            *at < due && clock.breached_at.is_none() && counts
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
        if timer.repeat
            && (self.record.state == state || workflow.timers.contains_key(id))
            && let Some(next) = self.due_again(timer, due)
        {
            self.emit(Event::TimerSet {
                timer: id.clone(),
                due: next,
            });
        }
        Ok(())
    }

    /// When a timer that was due then is due again: reckoned from when its wait was over, so that
    /// neither lateness nor jitter adds up.
    pub(super) fn due_again(&mut self, timer: &Timer, due: Instant) -> Option<Instant> {
        let spread = i64::try_from(self.spread(timer).millis()).unwrap_or_default();
        let over = Instant::from_millis(due.millis().saturating_sub(spread));
        let next = self.timer_due(timer, over);
        next.filter(|next| *next > self.now())
            .or_else(|| self.timer_due(timer, self.now()))
    }

    /// When a timer is due whose wait begins at `from`.
    pub(super) fn timer_due(&mut self, timer: &Timer, from: Instant) -> Option<Instant> {
        let over = self.wait_ends(&timer.wait, from)?;
        Some(over.saturating_add(self.spread(timer)))
    }

    /// How much later than its wait is over a timer of this record is due: always the same, by a number
    /// that the record and the timer give, and less than the jitter that the timer declares.
    fn spread(&self, timer: &Timer) -> Duration {
        let Some(jitter) = timer.jitter else {
            return Duration::ZERO;
        };
        let seed = Digest::of(format!("{} {}", self.record.id, timer.id).as_bytes());
        let share = seed.as_bytes()[..8].iter();
        let share = share.fold(0_u64, |share, byte| (share << 8) | u64::from(*byte));
        let spread = (u128::from(jitter.millis()) * u128::from(share)) >> 64;
        Duration::from_millis(u64::try_from(spread).unwrap_or(u64::MAX))
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
            if let Some(due) = self.timer_due(timer, self.now()) {
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

/// What is due of an open stage: who may vote is seen first, and it expires last.
fn due_in_stage(stage: &OpenStage) -> Vec<(Instant, Due)> {
    let id = &stage.plan.id;
    let look = stage.look_at.map(|at| (at, Due::Look));
    let timers = stage.timers.iter();
    let timers = timers.map(|(timer, at)| (*at, Due::StageTimer(id.clone(), timer.clone())));
    let expiry = stage.expires().map(|at| (at, Due::Expiry(id.clone())));
    look.into_iter().chain(timers).chain(expiry).collect()
}
