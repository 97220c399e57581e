//! Calendars: the weekly hours, the holidays and the dates that recur, within which business time runs.
//!
//! Texts become types here ("22:00-06:00", "2026-12-24"), so that whoever holds a calendar holds
//! times that exist. Whether they make sense together is for the `calendar` crate, which compiles them.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use chrono::{Datelike, NaiveDate};
use indexmap::IndexMap;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use thiserror::Error;

use crate::Duration;
use crate::id::{HolidaysId, HoursId, RecurringId};

/// When a desk is open. What a calendar's file says below its header.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Calendar {
    /// What people call it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// The time zone whose clocks the hours are read on, by its IANA name, such as `Europe/Brussels`.
    pub zone: String,
    /// How much business time a business day is. Without it this calendar has no durations in days.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub day: Option<Duration>,
    /// The intervals of a week, by the weekday on which they open.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub hours: IndexMap<Weekday, IndexMap<HoursId, Hours>>,
    /// The holidays that are laid under it.
    #[serde(rename = "use", default, skip_serializing_if = "IndexMap::is_empty")]
    pub uses: IndexMap<HolidaysId, bool>,
    /// Dates whose intervals differ from those of their weekday. They count more than those of the
    /// holidays that it uses.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub holidays: BTreeMap<Date, Holiday>,
    /// Dates that recur and whose intervals differ from those of their weekday. A single date counts
    /// more; of those that recur, the one that is written first.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub recurring: IndexMap<RecurringId, Recurring>,
    /// Round the clock, every day; stands instead of `hours`.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub always: bool,
}

/// Holidays that several calendars use, such as those of a country. What their file says below its
/// header.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Holidays {
    /// What people call them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// The dates.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub holidays: BTreeMap<Date, Holiday>,
    /// Dates that recur. A single date counts more; of those that recur, the one that is written first.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub recurring: IndexMap<RecurringId, Recurring>,
}

/// A date on which other intervals open than its weekday has, or none.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Holiday {
    /// What people call it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The intervals that open on this date, all of them. Without any the date is closed.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub hours: IndexMap<HoursId, Hours>,
}

/// Dates that recur by a rule, up to the end of the year 2099: one or several in a row each time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Recurring {
    /// What people call them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The first date on which they begin.
    pub first: Date,
    /// How many dates in a row each time. Without it one.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    #[schemars(range(min = 1, max = 366))]
    pub days: u16,
    /// When they begin again: a recurrence rule of RFC 5545 by dates, such as `FREQ=YEARLY` or
    /// `FREQ=MONTHLY;BYDAY=2TU`.
    pub repeats: String,
    /// The intervals that open on each of these dates, all of them. Without any they are closed.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub hours: IndexMap<HoursId, Hours>,
}

const fn one() -> u16 {
    1
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "as serde calls it")]
const fn is_one(days: &u16) -> bool {
    *days == 1
}

/// A day of the week, Monday first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Weekday {
    /// Monday.
    Mon,
    /// Tuesday.
    Tue,
    /// Wednesday.
    Wed,
    /// Thursday.
    Thu,
    /// Friday.
    Fri,
    /// Saturday.
    Sat,
    /// Sunday.
    Sun,
}

impl Weekday {
    /// All seven, Monday first.
    pub const ALL: [Self; 7] = [
        Self::Mon,
        Self::Tue,
        Self::Wed,
        Self::Thu,
        Self::Fri,
        Self::Sat,
        Self::Sun,
    ];
}

// By hand: as a map's keys, schemars understands an `enum` of texts but not documented variants.
impl JsonSchema for Weekday {
    fn schema_name() -> Cow<'static, str> {
        "Weekday".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "enum": Self::ALL })
    }
}

/// An interval of local clock time, from a minute up to but not including another. One that closes
/// no later on the clock than it opens closes on the next day: `22:00-06:00`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Hours {
    from: u16,
    to: u16,
}

/// Why a text is not an interval of hours.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum HoursError {
    /// Not two times of day joined by `-`.
    #[error(
        "`{0}` is not an interval of two times, such as 08:00-12:00, 22:00-06:00 or 18:00-24:00"
    )]
    Malformed(String),
    /// Opens and closes at the same time, which could mean no time or a whole day.
    #[error("`{0}` opens and closes at the same time; a whole day is 00:00-24:00")]
    Empty(String),
}

const MINUTES_PER_DAY: u16 = 24 * 60;

impl Hours {
    /// Minutes after local midnight at which it opens: 0 to 1439.
    pub const fn from(self) -> u16 {
        self.from
    }

    /// Minutes after local midnight at which it closes, 0 to 1440, on the next day where
    /// [`closes_next_day`](Self::closes_next_day) holds.
    pub const fn to(self) -> u16 {
        self.to
    }

    /// Whether it goes over midnight.
    pub const fn closes_next_day(self) -> bool {
        self.to < self.from
    }
}

impl FromStr for Hours {
    type Err = HoursError;

    fn from_str(text: &str) -> Result<Self, HoursError> {
        let shown = || text.chars().take(40).collect::<String>();
        let (from, to) = text
            .split_once('-')
            .ok_or_else(|| HoursError::Malformed(shown()))?;
        let (Some(from), Some(to)) = (minute_of_day(from), minute_of_day(to)) else {
            return Err(HoursError::Malformed(shown()));
        };
        if from == to {
            return Err(HoursError::Empty(shown()));
        }
        if from == MINUTES_PER_DAY {
            return Err(HoursError::Malformed(shown()));
        }
        Ok(Self { from, to })
    }
}

/// Reads `HH:MM`, from `00:00` to `24:00`.
fn minute_of_day(text: &str) -> Option<u16> {
    let &[h1, h2, b':', m1, m2] = text.as_bytes() else {
        return None;
    };
    let digit = |byte: u8| byte.is_ascii_digit().then(|| u16::from(byte - b'0'));
    let (hour, minute) = (digit(h1)? * 10 + digit(h2)?, digit(m1)? * 10 + digit(m2)?);
    let total = hour * 60 + minute;
    (minute < 60 && total <= MINUTES_PER_DAY).then_some(total)
}

impl fmt::Display for Hours {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (from, to) = (self.from, self.to);
        write!(
            f,
            "{:02}:{:02}-{:02}:{:02}",
            from / 60,
            from % 60,
            to / 60,
            to % 60
        )
    }
}

/// A date of the local calendar, from 0001-01-01 to 9999-12-31.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Date(NaiveDate);

/// Why a text is not a date.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("`{0}` is not a date that exists, such as 2026-12-24")]
pub struct DateError(String);

impl Date {
    /// The same date in `chrono`'s type.
    pub const fn naive(self) -> NaiveDate {
        self.0
    }

    /// From `chrono`'s type; `None` outside the years 1 to 9999.
    pub fn from_naive(date: NaiveDate) -> Option<Self> {
        (1..=9999).contains(&date.year()).then_some(Self(date))
    }
}

impl FromStr for Date {
    type Err = DateError;

    fn from_str(text: &str) -> Result<Self, DateError> {
        let shape = text.len() == 10
            && text.bytes().enumerate().all(|(at, b)| {
                if at == 4 || at == 7 {
                    b == b'-'
                } else {
                    b.is_ascii_digit()
                }
            });
        shape
            .then(|| {
                NaiveDate::from_ymd_opt(
                    text[..4].parse().ok()?,
                    text[5..7].parse().ok()?,
                    text[8..].parse().ok()?,
                )
            })
            .flatten()
            .and_then(Self::from_naive)
            .ok_or_else(|| DateError(text.chars().take(40).collect()))
    }
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{:04}-{:02}-{:02}",
            self.0.year(),
            self.0.month(),
            self.0.day()
        )
    }
}

macro_rules! as_text {
    ($name:ident, $pattern:literal, $about:literal) => {
        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = smol_str::SmolStr::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }

        impl JsonSchema for $name {
            fn schema_name() -> Cow<'static, str> {
                stringify!($name).into()
            }

            fn inline_schema() -> bool {
                true
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!({ "type": "string", "pattern": $pattern, "description": $about })
            }
        }
    };
}

as_text!(
    Hours,
    "^([01][0-9]|2[0-3]):[0-5][0-9]-(([01][0-9]|2[0-3]):[0-5][0-9]|24:00)$",
    "Local clock times, such as 08:00-12:00, 22:00-06:00 or 18:00-24:00."
);
as_text!(
    Date,
    "^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$",
    "A date, such as 2026-12-24."
);

#[cfg(test)]
mod tests {
    use super::{Calendar, Date, Hours};

    #[test]
    fn hours_read_back_what_they_print() {
        for (text, from, to, overnight) in [
            ("08:00-12:00", 480, 720, false),
            ("22:00-06:00", 1320, 360, true),
            ("18:30-24:00", 1110, 1440, false),
            ("18:30-00:00", 1110, 0, true),
            ("00:00-24:00", 0, 1440, false),
        ] {
            let hours: Hours = text.parse().expect(text);
            assert_eq!(
                (hours.from(), hours.to(), hours.closes_next_day()),
                (from, to, overnight),
                "{text}"
            );
            assert_eq!(hours.to_string(), text);
        }
    }

    #[test]
    fn hours_that_are_none_are_refused_with_what_would_be_right() {
        for text in [
            "",
            "8:00-12:00",
            "08:00",
            "08:60-09:00",
            "24:00-25:00",
            "24:00-06:00",
            "08:00–12:00",
            "08:00-24:01",
        ] {
            let error = text.parse::<Hours>().expect_err(text).to_string();
            assert!(error.contains("such as 08:00-12:00"), "{error}");
        }
        let error = "08:00-08:00"
            .parse::<Hours>()
            .expect_err("opens and closes at once")
            .to_string();
        assert!(error.contains("a whole day is 00:00-24:00"), "{error}");
    }

    #[test]
    fn dates_are_days_that_exist() {
        for text in ["2024-02-29", "0001-01-01", "9999-12-31"] {
            assert_eq!(text.parse::<Date>().expect(text).to_string(), text);
        }
        for text in [
            "2026-02-29",
            "2026-13-01",
            "26-01-01",
            "2026-1-1",
            "0000-01-01",
            "+026-01-01",
            "2026-12-2é",
        ] {
            assert!(text.parse::<Date>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_calendar_reads_back_what_it_writes_and_knows_no_other_keys() {
        let text = r#"{"zone":"Europe/Brussels","day":"PT8H","hours":{"mon":{"noon":"13:00-17:00"}},"holidays":{"2026-12-24":{"name":"Christmas Eve","hours":{"morning":"08:00-12:00"}}}}"#;
        let calendar: Calendar = serde_json::from_str(text).expect("a calendar");
        assert_eq!(serde_json::to_string(&calendar).expect("plain data"), text);
        for wrong in [
            r#"{"zone":"UTC","hour":{}}"#,
            r#"{"zone":"UTC","hours":{"monday":{}}}"#,
            r#"{"always":true}"#,
        ] {
            assert!(serde_json::from_str::<Calendar>(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn dates_that_recur_keep_their_order_and_are_one_day_long_where_they_do_not_say() {
        let text = r#"{"zone":"UTC","recurring":{"patches":{"first":"2026-01-13","repeats":"FREQ=MONTHLY;BYDAY=2TU"},"freeze":{"name":"End of year","first":"2026-12-19","days":16,"repeats":"FREQ=YEARLY","hours":{"all-day":"00:00-24:00"}}}}"#;
        let calendar: Calendar = serde_json::from_str(text).expect("a calendar");
        let days = calendar.recurring.values().map(|recurring| recurring.days);
        assert_eq!(days.collect::<Vec<_>>(), [1, 16]);
        assert_eq!(serde_json::to_string(&calendar).expect("plain data"), text);
        for wrong in [
            r#"{"zone":"UTC","recurring":{"a":{"first":"2026-01-13"}}}"#,
            r#"{"zone":"UTC","recurring":{"a":{"repeats":"FREQ=DAILY"}}}"#,
            r#"{"zone":"UTC","recurring":{"a":{"first":"2026-01-13","repeats":"FREQ=DAILY","until":"2026-02-01"}}}"#,
        ] {
            assert!(serde_json::from_str::<Calendar>(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn its_schema_names_the_weekdays_and_the_form_of_dates_and_hours() {
        let schema = serde_json::to_string(&schemars::schema_for!(Calendar)).expect("plain data");
        for part in [
            "\"mon\"",
            "24:00",
            "[12][0-9]",
            "additionalProperties\":false",
        ] {
            assert!(schema.contains(part), "{part} in {schema}");
        }
    }
}
