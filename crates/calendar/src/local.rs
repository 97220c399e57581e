//! Open hours on the axis of local clock time, which knows no zones: a week that repeats, and the
//! days that differ from it. Milliseconds; a local time is as far from 1970-01-01T00:00 on a clock
//! as an instant is from it in UTC.

use crate::search;
use crate::{DAY, FIRST, TEN_YEARS};

const WEEK: i64 = 7 * DAY;
/// 1969-12-29T00:00, a Monday. Business time is counted from it, negative before it.
const MONDAY: i64 = -3 * DAY;

/// The open stretches of one day, disjoint and in order, none touching the next.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Day {
    stretches: Box<[Stretch]>,
    total: i64,
}

#[derive(Clone, Copy, Debug, PartialEq)]
struct Stretch {
    from: i64,
    to: i64,
    /// Open time of the day before `from`.
    before: i64,
}

impl Day {
    /// The union of stretches `(from, to)` within a day.
    pub(crate) fn union(mut stretches: Vec<(i64, i64)>) -> Self {
        stretches.sort_unstable();
        let mut merged: Vec<Stretch> = Vec::with_capacity(stretches.len());
        let mut total = 0;
        for (from, to) in stretches {
            match merged.last_mut() {
                Some(last) if from <= last.to => {
                    total += (to - last.to).max(0);
                    last.to = last.to.max(to);
                }
                _ => {
                    merged.push(Stretch {
                        from,
                        to,
                        before: total,
                    });
                    total += to - from;
                }
            }
        }
        Self {
            stretches: merged.into(),
            total,
        }
    }

    /// Open time of the day before a time of it.
    fn before(&self, time: i64) -> i64 {
        search::last(&self.stretches, |stretch| stretch.from < time).map_or(0, |stretch| {
            stretch.before + time.min(stretch.to) - stretch.from
        })
    }

    /// The earliest time of the day with this much open time, of which it has more than none and
    /// at most its total, before it.
    fn reach(&self, goal: i64) -> Option<i64> {
        search::last(&self.stretches, |stretch| stretch.before < goal)
            .map(|stretch| stretch.from + goal - stretch.before)
    }

    fn is_open(&self, time: i64) -> bool {
        search::last(&self.stretches, |stretch| stretch.from <= time)
            .is_some_and(|stretch| time < stretch.to)
    }
}

/// A day that differs from the same weekday of other weeks.
struct Exception {
    start: i64,
    /// Business time before `start`.
    before: i64,
    /// What to add, after this day and until the next exception, to the count of plain weeks.
    correction: i64,
    day: Day,
}

/// All open hours there are.
pub(crate) struct LocalHours {
    week: [Day; 7],
    /// Open time of a week before each of its days.
    week_before: [i64; 7],
    week_total: i64,
    exceptions: Box<[Exception]>,
}

impl LocalHours {
    /// From the days of a plain week, Monday first, and those that differ, by the number of days
    /// since 1970-01-01, in order.
    pub(crate) fn new(week: [Day; 7], exceptions: impl IntoIterator<Item = (i64, Day)>) -> Self {
        let mut week_before = [0; 7];
        let mut week_total = 0;
        for (before, day) in week_before.iter_mut().zip(&week) {
            *before = week_total;
            week_total += day.total;
        }
        let mut hours = Self {
            week,
            week_before,
            week_total,
            exceptions: Box::default(),
        };
        let mut correction = 0;
        hours.exceptions = exceptions
            .into_iter()
            .map(|(number, day)| {
                let start = number * DAY;
                let before = hours.plain_before(start) + correction;
                correction = before + day.total - hours.plain_before(start + DAY);
                Exception {
                    start,
                    before,
                    correction,
                    day,
                }
            })
            .collect();
        hours
    }

    /// Business time before a local time.
    pub(crate) fn before(&self, local: i64) -> i64 {
        match search::last(&self.exceptions, |exception| exception.start <= local) {
            None => self.plain_before(local),
            Some(exception) if local < exception.start + DAY => {
                exception.before + exception.day.before(local - exception.start)
            }
            Some(exception) => self.plain_before(local) + exception.correction,
        }
    }

    /// The earliest local time with this much business time before it.
    pub(crate) fn reach(&self, goal: i64) -> Option<i64> {
        match search::last(&self.exceptions, |exception| exception.before < goal) {
            None => self.plain_reach(goal),
            Some(exception) if goal <= exception.before + exception.day.total => exception
                .day
                .reach(goal - exception.before)
                .map(|time| exception.start + time),
            Some(exception) => self.plain_reach(goal - exception.correction),
        }
    }

    pub(crate) fn is_open(&self, local: i64) -> bool {
        match search::last(&self.exceptions, |exception| exception.start <= local) {
            Some(exception) if local < exception.start + DAY => {
                exception.day.is_open(local - exception.start)
            }
            _ => {
                let (_, weekday, time) = parts(local);
                self.week[weekday].is_open(time)
            }
        }
    }

    /// A local time within each closed stretch that may last ten years and then ends, weeks away
    /// from its edges.
    pub(crate) fn closed_for_years(&self) -> Vec<i64> {
        let plain_weeks_open = self.week_total > 0;
        let mut found = Vec::new();
        let mut note = |from: i64, to: i64| {
            if to - from >= TEN_YEARS - 20 * DAY {
                found.push(to - 30 * DAY);
            }
        };
        let (mut from, mut end) = (FIRST, FIRST);
        for exception in &self.exceptions {
            if plain_weeks_open && exception.start > end {
                note(from, end);
                from = exception.start;
            }
            end = exception.start + DAY;
            if exception.day.total > 0 {
                note(from, exception.start);
                from = end;
            }
        }
        if plain_weeks_open {
            note(from, end);
        }
        found
    }

    fn plain_before(&self, local: i64) -> i64 {
        let (week, weekday, time) = parts(local);
        week * self.week_total + self.week_before[weekday] + self.week[weekday].before(time)
    }

    fn plain_reach(&self, goal: i64) -> Option<i64> {
        // The goal may be used up exactly as a week ends, which is earlier than as the next begins.
        let week = (goal - 1).checked_div_euclid(self.week_total)?;
        let rest = goal - week * self.week_total;
        let weekday = self.week_before.iter().rposition(|before| *before < rest)?;
        let time = self.week[weekday].reach(rest - self.week_before[weekday])?;
        let day = i64::try_from(weekday).ok()? * DAY;
        week.checked_mul(WEEK)?.checked_add(MONDAY + day + time)
    }
}

/// A local time as week, weekday and time of day.
fn parts(local: i64) -> (i64, usize, i64) {
    let since = local - MONDAY;
    let weekday = since.rem_euclid(WEEK) / DAY;
    (
        since.div_euclid(WEEK),
        usize::try_from(weekday).expect("0 to 6"),
        since.rem_euclid(DAY),
    )
}
