//! From what a process owner wrote to open stretches per day. An interval over midnight belongs to
//! the date on which it opens, so each day has its own and what the day before spills into it.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::Datelike as _;
use chrono_tz::{TZ_VARIANTS, Tz};
use model::Duration;
use model::definition::{Calendar as Definition, Date, Hours, Weekday};
use model::id::RecurringId;
use thiserror::Error;

use crate::local::{Day, LocalHours};
use crate::recurring::{self, RecurringError};
use crate::{Compiled, DAY};

pub(crate) const MAX_HOLIDAYS: usize = 10_000;
const MAX_RECURRING: usize = 50;
pub(crate) const MAX_INTERVALS: usize = 24;
const MINUTE: i64 = 60_000;

/// Why a calendar cannot be used.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum CalendarError {
    /// The zone's name is in no zone database.
    #[error("`{zone}` is not an IANA time zone, such as {example}")]
    Zone {
        /// The name given, shortened.
        zone: String,
        /// The zone that was probably meant, or any.
        example: &'static str,
    },
    /// Both round the clock and at certain hours.
    #[error("`always: true` stands instead of `hours`; remove one of them")]
    AlwaysWithHours,
    /// A business day of no time, or longer than a day.
    #[error("`day` is {0}; a business day has more than no time and at most PT24H")]
    Day(Duration),
    /// Too many intervals open on one weekday or date.
    #[error("{0} intervals open on {1}; at most {MAX_INTERVALS} may")]
    TooManyIntervals(usize, String),
    /// Too many holidays.
    #[error("{0} holidays; at most {MAX_HOLIDAYS} are allowed")]
    TooManyHolidays(usize),
    /// Too many rules.
    #[error("{0} entries in `recurring`; at most {MAX_RECURRING} are allowed")]
    TooManyRecurring(usize),
    /// Too many dates, single ones and those that recur.
    #[error(
        "{0} dates, single ones and those that recur by the end of {last}; at most {MAX_HOLIDAYS} are allowed: end rules by UNTIL or COUNT",
        last = recurring::LAST_YEAR
    )]
    TooManyDates(usize),
    /// Dates do not recur as they say.
    #[error("{error}")]
    Recurring {
        /// Which.
        id: RecurringId,
        /// Why.
        error: RecurringError,
    },
}

impl CalendarError {
    /// The keys of the definition that lead to what is wrong; none where it is more than one thing.
    pub fn path(&self) -> Vec<&str> {
        match self {
            Self::TooManyRecurring(_) | Self::TooManyDates(_) => vec!["recurring"],
            Self::Recurring { id, error } => vec!["recurring", id.as_str(), error.key()],
            _ => Vec::new(),
        }
    }
}

pub(crate) fn compile(definition: &Definition) -> Result<Compiled, CalendarError> {
    let zone = zone(&definition.zone)?;
    if definition.always && !definition.hours.is_empty() {
        return Err(CalendarError::AlwaysWithHours);
    }
    if let Some(day) = definition
        .day
        .filter(|day| !(1..=DAY.unsigned_abs()).contains(&day.millis()))
    {
        return Err(CalendarError::Day(day));
    }
    if definition.holidays.len() > MAX_HOLIDAYS {
        return Err(CalendarError::TooManyHolidays(definition.holidays.len()));
    }
    let week = weekly_openings(definition)?;
    let mut holidays = BTreeMap::new();
    for (date, holiday) in &definition.holidays {
        let openings = Openings::of(holiday.hours.values(), || date.to_string())?;
        holidays.insert(days_since_1970(*date), openings);
    }
    recur(definition, &mut holidays)?;
    let days: [Day; 7] =
        std::array::from_fn(|weekday| day(&week[(weekday + 6) % 7], &week[weekday]));
    let exceptions = exceptions(&week, &holidays);
    Ok(Compiled::new(
        zone,
        definition.day,
        Arc::new(LocalHours::new(days, exceptions)),
    ))
}

/// Adds the dates that recur, where nothing that counts more is said of them.
fn recur(
    definition: &Definition,
    holidays: &mut BTreeMap<i64, Openings>,
) -> Result<(), CalendarError> {
    if definition.recurring.len() > MAX_RECURRING {
        return Err(CalendarError::TooManyRecurring(definition.recurring.len()));
    }
    for (id, said) in &definition.recurring {
        let dates = recurring::dates(said).map_err(|error| CalendarError::Recurring {
            id: id.clone(),
            error,
        })?;
        let openings = Openings::of(said.hours.values(), || id.to_string())?;
        for date in dates {
            holidays
                .entry(days_since_1970(date))
                .or_insert_with(|| openings.clone());
        }
        if holidays.len() > MAX_HOLIDAYS {
            return Err(CalendarError::TooManyDates(holidays.len()));
        }
    }
    Ok(())
}

pub(crate) fn zone(name: &str) -> Result<Tz, CalendarError> {
    name.parse().map_err(|_| {
        let meant = TZ_VARIANTS.iter().map(|zone| zone.name()).find(|known| {
            let city = known.rsplit_once('/').map_or(*known, |(_, city)| city);
            known.eq_ignore_ascii_case(name) || city.eq_ignore_ascii_case(name)
        });
        CalendarError::Zone {
            zone: name.chars().take(60).collect(),
            example: meant.unwrap_or("Europe/Brussels"),
        }
    })
}

/// The intervals that open on a day: their stretches on it, and on the day after.
#[derive(Clone, Default)]
struct Openings {
    own: Vec<(i64, i64)>,
    spill: Vec<(i64, i64)>,
}

impl Openings {
    fn of<'a>(
        hours: impl ExactSizeIterator<Item = &'a Hours>,
        on: impl Fn() -> String,
    ) -> Result<Self, CalendarError> {
        if hours.len() > MAX_INTERVALS {
            return Err(CalendarError::TooManyIntervals(hours.len(), on()));
        }
        let mut openings = Self::default();
        for hours in hours {
            let (from, to) = (
                i64::from(hours.from()) * MINUTE,
                i64::from(hours.to()) * MINUTE,
            );
            if hours.closes_next_day() {
                openings.own.push((from, DAY));
                openings.spill.extend((to > 0).then_some((0, to)));
            } else {
                openings.own.push((from, to));
            }
        }
        Ok(openings)
    }
}

fn weekly_openings(definition: &Definition) -> Result<[Openings; 7], CalendarError> {
    let mut week: [Openings; 7] = Default::default();
    for (weekday, openings) in Weekday::ALL.into_iter().zip(&mut week) {
        if definition.always {
            openings.own.push((0, DAY));
        } else if let Some(hours) = definition.hours.get(&weekday) {
            *openings = Openings::of(hours.values(), || format!("{weekday:?}").to_lowercase())?;
        }
    }
    Ok(week)
}

fn day(before: &Openings, own: &Openings) -> Day {
    Day::union(own.own.iter().chain(&before.spill).copied().collect())
}

/// The days that differ from their weekday: holidays, and days after one where anything spills
/// over midnight, or would have without it.
fn exceptions(week: &[Openings; 7], holidays: &BTreeMap<i64, Openings>) -> Vec<(i64, Day)> {
    let plain = |number: i64| &week[weekday(number)];
    let opening = |number: i64| holidays.get(&number).unwrap_or_else(|| plain(number));
    let mut exceptions = Vec::with_capacity(holidays.len());
    for (&number, holiday) in holidays {
        exceptions.push((number, day(opening(number - 1), holiday)));
        let next = number + 1;
        if !holidays.contains_key(&next) && plain(number).spill != holiday.spill {
            exceptions.push((next, day(holiday, plain(next))));
        }
    }
    exceptions
}

fn days_since_1970(date: Date) -> i64 {
    i64::from(date.naive().num_days_from_ce()) - 719_163
}

/// 0 for Monday, of a number of days since 1970-01-01, which was a Thursday.
pub(crate) fn weekday(number: i64) -> usize {
    usize::try_from((number + 3).rem_euclid(7)).expect("0 to 6")
}

#[cfg(test)]
mod tests {
    use crate::Calendar;
    use model::definition::Calendar as Definition;

    fn refused(definition: serde_json::Value) -> String {
        let definition: Definition = serde_json::from_value(definition).expect("well-formed");
        Calendar::compile(&definition)
            .expect_err("refused")
            .to_string()
    }

    #[test]
    fn what_cannot_be_used_is_refused_with_what_would_be_right() {
        use serde_json::json;
        let many = |count: u32| {
            (0..count)
                .map(|n| (format!("h{n}"), json!("08:00-09:00")))
                .collect::<serde_json::Map<_, _>>()
        };
        for (definition, message) in [
            (
                json!({ "zone": "brussels" }),
                "`brussels` is not an IANA time zone, such as Europe/Brussels",
            ),
            (
                json!({ "zone": "america/new_york" }),
                "`america/new_york` is not an IANA time zone, such as America/New_York",
            ),
            (
                json!({ "zone": "UTC", "always": true, "hours": { "mon": { "all": "08:00-09:00" } } }),
                "`always: true` stands instead of `hours`; remove one of them",
            ),
            (
                json!({ "zone": "UTC", "day": "PT0S" }),
                "`day` is PT0S; a business day has more than no time and at most PT24H",
            ),
            (
                json!({ "zone": "UTC", "day": "P2D" }),
                "`day` is PT48H; a business day has more than no time and at most PT24H",
            ),
            (
                json!({ "zone": "UTC", "hours": { "tue": many(25) } }),
                "25 intervals open on tue; at most 24 may",
            ),
            (
                json!({ "zone": "UTC", "holidays": { "2026-01-01": { "hours": many(30) } } }),
                "30 intervals open on 2026-01-01; at most 24 may",
            ),
        ] {
            assert_eq!(refused(definition), message);
        }
    }

    #[test]
    fn where_dates_do_not_recur_is_told() {
        use serde_json::json;
        let weekly = json!({ "first": "2026-01-02", "days": 2, "repeats": "FREQ=WEEKLY" });
        let many = (0..51).map(|n| (format!("r{n}"), weekly.clone()));
        let many: serde_json::Map<_, _> = many.collect();
        let intervals = (0..25).map(|n| (format!("h{n}"), json!("08:00-09:00")));
        let intervals: serde_json::Map<_, _> = intervals.collect();
        for (recurring, path, message) in [
            (
                json!({ "a": weekly, "b": { "first": "2026-01-04", "days": 2, "repeats": "FREQ=WEEKLY" } }),
                &["recurring"][..],
                "15444 dates, single ones and those that recur by the end of 2099; at most 10000 are allowed: end rules by UNTIL or COUNT",
            ),
            (
                json!(many),
                &["recurring"],
                "51 entries in `recurring`; at most 50 are allowed",
            ),
            (
                json!({ "fine": weekly, "wrong": { "first": "2026-01-04", "repeats": "FREQ=HOURLY" } }),
                &["recurring", "wrong", "repeats"],
                "`FREQ=HOURLY` is about times of day; a rule here gives whole dates, by FREQ=DAILY, WEEKLY, MONTHLY or YEARLY, and `hours` says when they open",
            ),
            (
                json!({ "full": { "first": "2026-01-04", "repeats": "FREQ=YEARLY", "hours": intervals } }),
                &["recurring", "full", "hours"],
                "25 intervals open on each date; at most 24 may",
            ),
        ] {
            let definition = json!({ "zone": "UTC", "recurring": recurring });
            let definition: Definition = serde_json::from_value(definition).expect("well-formed");
            let error = Calendar::compile(&definition).expect_err("refused");
            assert_eq!(
                (error.path().as_slice(), error.to_string().as_str()),
                (path, message)
            );
        }
    }

    #[test]
    fn ten_thousand_holidays_are_the_most() {
        let first = chrono::NaiveDate::from_ymd_opt(2000, 1, 1).expect("a date");
        let mut holidays: serde_json::Map<_, _> = first
            .iter_days()
            .take(10_000)
            .map(|date| (date.to_string(), serde_json::json!({})))
            .collect();
        let body = |holidays: &serde_json::Map<_, _>| serde_json::json!({ "zone": "UTC", "holidays": holidays });
        let definition: Definition = serde_json::from_value(body(&holidays)).expect("well-formed");
        assert!(Calendar::compile(&definition).is_ok());
        holidays.insert("1999-12-31".to_owned(), serde_json::json!({}));
        assert_eq!(
            refused(body(&holidays)),
            "10001 holidays; at most 10000 are allowed"
        );
    }
}
