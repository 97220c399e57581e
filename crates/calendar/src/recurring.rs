//! Dates that recur, told singly: up to the end of [`LAST_YEAR`], so that a calendar means the same
//! whenever it is read, and clocks that are pinned to it are judged alike for ever.

use icalendar::{DateRule, RuleError};
use model::definition::{Date, Recurring};
use thiserror::Error;

use crate::compile::{MAX_HOLIDAYS, MAX_INTERVALS};

/// The last year in which dates recur, in which also the zones' known changes of clocks end.
pub const LAST_YEAR: u16 = 2099;
/// The most dates in a row.
const MAX_DAYS: u16 = 366;

/// Why dates do not recur as they say.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum RecurringError {
    /// The rule is none.
    #[error("{0}")]
    Rule(RuleError),
    /// The rule and the first date do not agree.
    #[error("{0}")]
    First(RuleError),
    /// They begin too late.
    #[error("{0} is too late; dates recur up to the end of {LAST_YEAR}")]
    TooLate(Date),
    /// No dates in a row, or too many.
    #[error("{0} dates in a row; 1 to {MAX_DAYS} are allowed")]
    Days(u16),
    /// Too many intervals open on them.
    #[error("{0} intervals open on each date; at most {MAX_INTERVALS} may")]
    TooManyIntervals(usize),
    /// They begin again before they have ended.
    #[error(
        "{days} dates in a row from {from} go on when the rule begins again, on {again}; let `days` be fewer, or the rule give fewer dates"
    )]
    Overlap {
        /// How many in a row.
        days: u16,
        /// Where they begin.
        from: Date,
        /// Where they begin again.
        again: Date,
    },
    /// Too many dates.
    #[error(
        "the rule gives {0} dates by the end of {LAST_YEAR}; at most {MAX_HOLIDAYS} are allowed: end it by UNTIL or COUNT"
    )]
    TooMany(usize),
}

impl RecurringError {
    /// The key under which the fault stands.
    pub const fn key(&self) -> &'static str {
        match self {
            Self::Rule(_) | Self::TooMany(_) => "repeats",
            Self::First(_) | Self::TooLate(_) => "first",
            Self::Days(_) | Self::Overlap { .. } => "days",
            Self::TooManyIntervals(_) => "hours",
        }
    }
}

/// The dates on which they recur, in order: those of all repetitions that begin by the end of
/// [`LAST_YEAR`].
///
/// # Errors
/// Where the rule is none or does not give the first date, where there are too many intervals, dates in a
/// row or dates in all, or where they begin again before they have ended.
pub fn dates(recurring: &Recurring) -> Result<Vec<Date>, RecurringError> {
    let Recurring { first, days, .. } = *recurring;
    let last = format!("{LAST_YEAR}-12-31").parse().expect("a date");
    if first > last {
        return Err(RecurringError::TooLate(first));
    }
    if !(1..=MAX_DAYS).contains(&days) {
        return Err(RecurringError::Days(days));
    }
    if recurring.hours.len() > MAX_INTERVALS {
        return Err(RecurringError::TooManyIntervals(recurring.hours.len()));
    }
    let rule: DateRule = recurring.repeats.parse().map_err(RecurringError::Rule)?;
    let starts = rule.dates(first, last).map_err(|error| match error {
        RuleError::NotFirst { .. } | RuleError::TooEarly => RecurringError::First(error),
        error => RecurringError::Rule(error),
    })?;
    let lasts = i64::from(days);
    let overlap = starts
        .windows(2)
        .find(|pair| (pair[1].naive() - pair[0].naive()).num_days() < lasts);
    if let Some(&[from, again]) = overlap {
        return Err(RecurringError::Overlap { days, from, again });
    }
    let count = starts.len() * usize::from(days);
    if count > MAX_HOLIDAYS {
        return Err(RecurringError::TooMany(count));
    }
    let in_row = |start: Date| {
        let days = start.naive().iter_days().take(usize::from(days));
        days.filter_map(Date::from_naive)
    };
    Ok(starts.into_iter().flat_map(in_row).collect())
}

#[cfg(test)]
mod tests {
    use model::definition::{Date, Recurring};

    use super::dates;

    fn recurring(first: &str, days: u16, repeats: &str) -> Recurring {
        Recurring {
            name: None,
            first: first.parse().expect("a date"),
            days,
            repeats: repeats.to_owned(),
            hours: indexmap::IndexMap::new(),
        }
    }

    #[test]
    fn each_repetition_has_its_days_in_a_row_also_past_the_last_year() {
        let all = dates(&recurring("2097-12-31", 2, "FREQ=YEARLY")).expect("sound");
        let all: Vec<String> = all.iter().map(Date::to_string).collect();
        assert_eq!(
            all,
            [
                "2097-12-31",
                "2098-01-01",
                "2098-12-31",
                "2099-01-01",
                "2099-12-31",
                "2100-01-01"
            ]
        );
        let touching = dates(&recurring("2026-01-05", 7, "FREQ=WEEKLY;COUNT=3")).expect("sound");
        assert_eq!(touching.len(), 21);
    }

    #[test]
    fn what_does_not_recur_is_told_with_where_it_stands() {
        for (first, days, repeats, key, message) in [
            (
                "2026-01-13",
                1,
                "FREQ=MONTHLY;BYDAY=2TX",
                "repeats",
                "`BYDAY=2TX` cannot be; weekdays are MO to SU, counted as in 2TU or -1FR",
            ),
            (
                "2026-01-14",
                1,
                "FREQ=MONTHLY;BYDAY=2TU",
                "first",
                "the rule does not give 2026-01-14, with which it is to begin; the next that it gives is 2026-02-10",
            ),
            (
                "1812-01-14",
                1,
                "FREQ=YEARLY",
                "first",
                "dates recur from 1900-01-01 on",
            ),
            (
                "2100-01-01",
                1,
                "FREQ=YEARLY",
                "first",
                "2100-01-01 is too late; dates recur up to the end of 2099",
            ),
            (
                "2026-01-14",
                0,
                "FREQ=YEARLY",
                "days",
                "0 dates in a row; 1 to 366 are allowed",
            ),
            (
                "2026-01-14",
                367,
                "FREQ=YEARLY",
                "days",
                "367 dates in a row; 1 to 366 are allowed",
            ),
            (
                "2026-01-29",
                31,
                "FREQ=MONTHLY;BYMONTHDAY=-3",
                "days",
                "31 dates in a row from 2026-01-29 go on when the rule begins again, on 2026-02-26; let `days` be fewer, or the rule give fewer dates",
            ),
            (
                "2026-01-02",
                3,
                "FREQ=WEEKLY",
                "repeats",
                "the rule gives 11583 dates by the end of 2099; at most 10000 are allowed: end it by UNTIL or COUNT",
            ),
            (
                "2026-01-02",
                1,
                "FREQ=DAILY",
                "repeats",
                "the rule gives too many dates; end it by UNTIL or COUNT, or let it give fewer",
            ),
        ] {
            let error = dates(&recurring(first, days, repeats)).expect_err(message);
            assert_eq!((error.key(), error.to_string().as_str()), (key, message));
        }
    }
}
