//! The arithmetic of clocks: how much of a goal is used, when it is used up, when it is breached.
//!
//! A stretch is half open. `due` is the earliest instant at which the time used reaches the goal;
//! a clock is breached if and only if more than the goal is used.

use std::collections::BTreeMap;

use calendar::Calendar;
use model::definition::WarningPoint;
use model::id::WarningId;
use model::record::{Clock, ClockGoal, ClockStatus};
use model::time::Period;
use model::{Duration, Instant};

/// The calendars of a clock, in the order of [`Clock::calendars`]; none counts time as it passes.
pub(crate) type Calendars = Vec<Option<Calendar>>;

/// When things are due of a clock, as it stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Schedule {
    /// When the goal is used up.
    pub(crate) due: Option<Instant>,
    /// When it is breached, were it to run on.
    pub(crate) breach_at: Option<Instant>,
    /// When its warnings are to be given; those in the past are to be given now.
    pub(crate) warnings: BTreeMap<WarningId, Instant>,
}

/// A clock with the calendars it is counted in.
pub(crate) struct Counted<'a> {
    pub(crate) clock: &'a Clock,
    pub(crate) calendars: &'a Calendars,
}

impl Counted<'_> {
    /// The time used by `now`.
    pub(crate) fn elapsed(&self, now: Instant) -> Duration {
        match self.clock.status {
            ClockStatus::Running => {
                self.clock
                    .elapsed
                    .saturating_add(between(self.current(), self.clock.since, now))
            }
            ClockStatus::Paused | ClockStatus::Stopped | ClockStatus::Cancelled => {
                self.clock.elapsed
            }
        }
    }

    /// Whether more than the goal is used by `now`.
    pub(crate) fn is_exceeded(&self, now: Instant) -> bool {
        match self.clock.goal {
            None => false,
            Some(ClockGoal::Within(goal)) => self.elapsed(now) > goal,
            Some(ClockGoal::DueAt(due)) => now > due,
        }
    }

    /// The earliest instant at which `used` is used: in the stretches that ended, or in the one that
    /// runs; unknown where neither reaches it.
    pub(crate) fn instant_of(&self, used: Duration) -> Option<Instant> {
        if used == Duration::ZERO {
            return Some(self.clock.started_at);
        }
        if used > self.clock.elapsed {
            let left = used.saturating_sub(self.clock.elapsed);
            return (self.clock.status == ClockStatus::Running)
                .then(|| add(self.current(), self.clock.since, left))
                .flatten();
        }
        let mut before = Duration::ZERO;
        for stretch in &self.clock.stretches {
            let calendar = self
                .calendars
                .get(usize::from(stretch.calendar))
                .and_then(Option::as_ref);
            let after = before.saturating_add(between(calendar, stretch.from, stretch.to));
            if after >= used {
                return add(calendar, stretch.from, used.saturating_sub(before));
            }
            before = after;
        }
        Some(self.clock.since)
    }

    /// When the goal is used up; after the stop, as it would be without further pauses.
    pub(crate) fn due(&self) -> Option<Instant> {
        match self.clock.goal? {
            ClockGoal::DueAt(due) => Some(due),
            ClockGoal::Within(goal) => self.instant_of(goal),
        }
    }

    /// What is due of the clock as it stands, with these warnings among those not yet given.
    pub(crate) fn schedule(&self, points: &[(WarningId, WarningPoint)]) -> Schedule {
        let due = self.due();
        let is_fixed = matches!(self.clock.goal, Some(ClockGoal::DueAt(_)));
        let breach_at = match (self.clock.status, self.clock.goal) {
            (ClockStatus::Stopped | ClockStatus::Cancelled, _) | (_, None) => None,
            (_, Some(ClockGoal::DueAt(due))) => Some(due),
            (ClockStatus::Paused, _) => None,
            (ClockStatus::Running, _) => {
                due.and_then(|due| next_open(self.current(), due.max(self.clock.since)))
            }
        };
        let counts = self.clock.status == ClockStatus::Running
            || (is_fixed && self.clock.status == ClockStatus::Paused);
        let warnings = points
            .iter()
            .filter(|(id, _)| counts && !self.clock.warned.contains(id))
            .filter_map(|(id, point)| Some((id.clone(), self.warning_instant(*point)?)))
            .collect();
        Schedule {
            due,
            breach_at,
            warnings,
        }
    }

    fn warning_instant(&self, point: WarningPoint) -> Option<Instant> {
        match self.clock.goal? {
            ClockGoal::Within(goal) => {
                let used = match point {
                    WarningPoint::Percent(percent) => {
                        Duration::from_millis(share(goal.millis(), percent, 99))
                    }
                    WarningPoint::Left(left) => goal.saturating_sub(length(self.current(), left)),
                };
                self.instant_of(used)
            }
            ClockGoal::DueAt(due) => {
                let whole = due.since(self.clock.started_at).millis();
                let left = match point {
                    WarningPoint::Percent(percent) => whole - share(whole, percent, 0),
                    WarningPoint::Left(left) => left.with_day(Duration::from_secs(86_400)).millis(),
                };
                Some(Instant::from_millis(
                    due.millis().saturating_sub_unsigned(left),
                ))
            }
        }
    }

    fn current(&self) -> Option<&Calendar> {
        self.calendars.last().and_then(Option::as_ref)
    }
}

/// How long a period is in a calendar: its days are the calendar's own.
pub(crate) fn length(calendar: Option<&Calendar>, period: Period) -> Duration {
    let day = calendar
        .and_then(Calendar::day)
        .unwrap_or(Duration::from_secs(86_400));
    period.with_day(day)
}

/// The business time between two instants; time as it passes without a calendar.
pub(crate) fn between(calendar: Option<&Calendar>, from: Instant, to: Instant) -> Duration {
    calendar.map_or_else(|| to.since(from), |calendar| calendar.between(from, to))
}

/// The earliest instant at which so much business time has passed.
pub(crate) fn add(
    calendar: Option<&Calendar>,
    from: Instant,
    duration: Duration,
) -> Option<Instant> {
    match calendar {
        None => Some(from.saturating_add(duration)),
        Some(calendar) => calendar.add(from, duration),
    }
}

fn next_open(calendar: Option<&Calendar>, from: Instant) -> Option<Instant> {
    match calendar {
        None => Some(from),
        Some(calendar) => calendar.next_open(from),
    }
}

/// So many percent of a whole; `round` of 99 rounds up, of 0 down.
fn share(whole: u64, percent: u32, round: u128) -> u64 {
    let share = (u128::from(whole) * u128::from(percent) + round) / 100;
    u64::try_from(share).unwrap_or(u64::MAX)
}
