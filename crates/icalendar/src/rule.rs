//! A rule by which dates recur, read strictly: what a rule by dates may say, and nothing that would be
//! passed over or that readers of such rules understand differently.

use std::ops::RangeInclusive;
use std::str::FromStr;

use calcard::common::PartialDateTime;
use calcard::icalendar::{
    ICalendarDay, ICalendarFrequency, ICalendarMonth, ICalendarRecurrenceRule, ICalendarWeekday,
};
use chrono::{Datelike as _, NaiveDate};
use model::definition::Date;
use thiserror::Error;

use crate::moment::{Moment, midnight};
use crate::read::Reason;
use crate::repeat;

/// The longest rule read.
pub const MAX_CHARS: usize = 500;
/// The earliest year in which a rule may begin.
pub const FIRST_YEAR: i32 = 1900;
/// The largest `INTERVAL`.
pub const MAX_INTERVAL: u16 = 1_000;
/// The largest `COUNT`.
pub const MAX_COUNT: u32 = 20_000;

/// A recurrence rule (RFC 5545, 3.3.10) by dates: the parts `FREQ` from `DAILY` to `YEARLY`, `INTERVAL`,
/// `COUNT` or `UNTIL`, `BYMONTH`, `BYMONTHDAY`, `BYDAY`, `BYSETPOS` and `WKST`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DateRule(ICalendarRecurrenceRule);

/// Why a text is no rule by dates, or gives none.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum RuleError {
    /// It is too long.
    #[error("a rule has at most {MAX_CHARS} characters; this one has {0}")]
    TooLong(usize),
    /// It stands as in a file.
    #[error("leave out `RRULE:`; a rule begins with `FREQ=`")]
    Prefix,
    /// A part is none.
    #[error(
        "`{0}` is not a part of a rule, such as FREQ=MONTHLY or BYDAY=2TU; parts are joined by `;`"
    )]
    Malformed(String),
    /// A part stands twice.
    #[error("`{0}` stands twice; write its values in one list, joined by `,`")]
    Twice(&'static str),
    /// It does not say how often.
    #[error("`FREQ` is missing: FREQ=DAILY, WEEKLY, MONTHLY or YEARLY")]
    NoFrequency,
    /// It is about times of day.
    #[error(
        "`{0}` is about times of day; a rule here gives whole dates, by FREQ=DAILY, WEEKLY, MONTHLY or YEARLY, and `hours` says when they open"
    )]
    Times(String),
    /// A part that is not read here.
    #[error(
        "`{0}` is not read here; a rule has FREQ, INTERVAL, COUNT, UNTIL, BYMONTH, BYMONTHDAY, BYDAY, BYSETPOS and WKST"
    )]
    Unknown(String),
    /// A part's value cannot be.
    #[error("`{part}={value}` cannot be; {wanted}")]
    Value {
        /// The part.
        part: &'static str,
        /// Its value, shortened.
        value: String,
        /// What would be right.
        wanted: &'static str,
    },
    /// Parts that do not go together.
    #[error("{0}")]
    Together(&'static str),
    /// It begins too early.
    #[error("dates recur from {FIRST_YEAR}-01-01 on")]
    TooEarly,
    /// It does not give the date on which it begins.
    #[error("the rule does not give {first}, with which it is to begin{}", or_next(.next.as_ref()))]
    NotFirst {
        /// That date.
        first: Date,
        /// The first one after it that it does give.
        next: Option<Date>,
    },
    /// It makes no sense for other reasons.
    #[error("the rule is not understood")]
    NotUnderstood,
    /// It gives too many dates.
    #[error("the rule gives too many dates; end it by UNTIL or COUNT, or let it give fewer")]
    TooMany,
}

fn or_next(next: Option<&Date>) -> String {
    next.map_or_else(String::new, |date| {
        format!("; the next that it gives is {date}")
    })
}

impl DateRule {
    /// The dates that it gives from `first`, which is the first of them, up to and with `last`.
    ///
    /// # Errors
    /// Where it does not give `first`, begins before [`FIRST_YEAR`], or gives more dates by then than are
    /// told of a rule.
    pub fn dates(&self, first: Date, last: Date) -> Result<Vec<Date>, RuleError> {
        if first.naive().year() < FIRST_YEAR {
            return Err(RuleError::TooEarly);
        }
        let not_first = |next| RuleError::NotFirst { first, next };
        if last < first {
            return Err(not_first(None));
        }
        let start = Moment {
            local: midnight(first.naive()),
            zone: chrono_tz::UTC,
            is_date: true,
        };
        let end = midnight(last.naive());
        let starts = repeat::starts(&self.0, start, end).map_err(|reason| match reason {
            Reason::TooManyTimes => RuleError::TooMany,
            _ => RuleError::NotUnderstood,
        })?;
        let dates: Vec<Date> = starts
            .into_iter()
            .filter_map(|start| Date::from_naive(start.date()))
            .collect();
        match dates.first() {
            Some(given) if *given == first => Ok(dates),
            given => Err(not_first(given.copied())),
        }
    }
}

impl FromStr for DateRule {
    type Err = RuleError;

    fn from_str(text: &str) -> Result<Self, RuleError> {
        let length = text.chars().count();
        if length > MAX_CHARS {
            return Err(RuleError::TooLong(length));
        }
        if text.to_ascii_uppercase().starts_with("RRULE") {
            return Err(RuleError::Prefix);
        }
        let mut parts = Parts::default();
        for part in text.split(';') {
            let malformed = || RuleError::Malformed(part.chars().take(40).collect());
            let (name, value) = part.split_once('=').ok_or_else(malformed)?;
            parts.add(&name.to_ascii_uppercase(), &value.to_ascii_uppercase())?;
        }
        parts.together().map(Self)
    }
}

/// What has been read of a rule.
#[derive(Default)]
struct Parts {
    rule: ICalendarRecurrenceRule,
    seen: Vec<&'static str>,
}

const FREQUENCIES: [(&str, ICalendarFrequency); 4] = [
    ("DAILY", ICalendarFrequency::Daily),
    ("WEEKLY", ICalendarFrequency::Weekly),
    ("MONTHLY", ICalendarFrequency::Monthly),
    ("YEARLY", ICalendarFrequency::Yearly),
];
const WEEKDAYS: [(&str, ICalendarWeekday); 7] = [
    ("MO", ICalendarWeekday::Monday),
    ("TU", ICalendarWeekday::Tuesday),
    ("WE", ICalendarWeekday::Wednesday),
    ("TH", ICalendarWeekday::Thursday),
    ("FR", ICalendarWeekday::Friday),
    ("SA", ICalendarWeekday::Saturday),
    ("SU", ICalendarWeekday::Sunday),
];
/// The parts that are read.
const PARTS: [&str; 9] = [
    "FREQ",
    "INTERVAL",
    "COUNT",
    "UNTIL",
    "BYMONTH",
    "BYMONTHDAY",
    "BYDAY",
    "BYSETPOS",
    "WKST",
];

impl Parts {
    fn add(&mut self, name: &str, value: &str) -> Result<(), RuleError> {
        let Some(part) = PARTS.into_iter().find(|part| *part == name) else {
            let shown: String = name.chars().take(40).collect();
            return Err(match name {
                "BYHOUR" | "BYMINUTE" | "BYSECOND" => RuleError::Times(shown),
                _ => RuleError::Unknown(shown),
            });
        };
        if self.seen.contains(&part) {
            return Err(RuleError::Twice(part));
        }
        self.seen.push(part);
        let rule = &mut self.rule;
        let value = Value { part, value };
        match part {
            "FREQ" if matches!(value.value, "HOURLY" | "MINUTELY" | "SECONDLY") => {
                return Err(RuleError::Times(format!("FREQ={}", value.value)));
            }
            "FREQ" => {
                rule.freq = value.word(&FREQUENCIES, "DAILY, WEEKLY, MONTHLY or YEARLY is")?;
            }
            "INTERVAL" => rule.interval = Some(value.number(1..=MAX_INTERVAL, "1 to 1000 is")?),
            "COUNT" => rule.count = Some(value.number(1..=MAX_COUNT, "1 to 20000 is")?),
            "UNTIL" => rule.until = Some(value.date()?),
            "BYMONTH" => {
                let months = value.numbers(1..=12_u8, "months are 1 to 12")?;
                rule.bymonth = months
                    .into_iter()
                    .map(|month| ICalendarMonth::new(month, false))
                    .collect();
            }
            "BYMONTHDAY" => {
                rule.bymonthday =
                    value.numbers(-31..=31, "days are 1 to 31, or -1 to -31 from the end")?;
            }
            "BYDAY" => rule.byday = value.list(Value::day)?,
            "BYSETPOS" => {
                rule.bysetpos = value.numbers(
                    -366..=366,
                    "places are 1 to 366, or -1 to -366 from the end",
                )?;
            }
            _ => rule.wkst = Some(value.word(&WEEKDAYS, "MO to SU is")?),
        }
        Ok(())
    }

    /// The rule, if its parts go together.
    fn together(self) -> Result<ICalendarRecurrenceRule, RuleError> {
        let rule = self.rule;
        if !self.seen.contains(&"FREQ") {
            return Err(RuleError::NoFrequency);
        }
        let counted = rule.byday.iter().filter_map(|day| day.ordwk);
        let most = counted
            .clone()
            .map(i16::unsigned_abs)
            .max()
            .unwrap_or_default();
        let in_month = rule.freq == ICalendarFrequency::Monthly || !rule.bymonth.is_empty();
        let wrong = if rule.count.is_some() && rule.until.is_some() {
            "`COUNT` and `UNTIL` both end the rule; remove one of them"
        } else if rule.freq == ICalendarFrequency::Weekly && !rule.bymonthday.is_empty() {
            "`BYMONTHDAY` does not go with FREQ=WEEKLY; write FREQ=MONTHLY, or `BYDAY`"
        } else if most > 0 && rule.freq > ICalendarFrequency::Monthly {
            "a counted weekday, such as 2TU, goes with FREQ=MONTHLY or FREQ=YEARLY alone"
        } else if most > 0 && counted.clone().count() < rule.byday.len() {
            "`BYDAY` has either counted weekdays, such as 2TU, or plain ones, such as TU; write two rules"
        } else if in_month && counted.clone().any(|count| !(-4..=5).contains(&count)) {
            "a weekday of a month is counted from 1 to 5, or from -1 to -4 from the end"
        } else if !rule.bysetpos.is_empty() && rule.freq > ICalendarFrequency::Monthly {
            "`BYSETPOS` goes with FREQ=MONTHLY or FREQ=YEARLY alone"
        } else if !rule.bysetpos.is_empty()
            && rule.bymonth.is_empty()
            && rule.bymonthday.is_empty()
            && rule.byday.is_empty()
        {
            "`BYSETPOS` takes some of the dates of another part; add `BYDAY` or `BYMONTHDAY`"
        } else {
            return Ok(rule);
        };
        Err(RuleError::Together(wrong))
    }
}

/// The value of a part, or an item of its list.
#[derive(Clone, Copy)]
struct Value<'v> {
    part: &'static str,
    value: &'v str,
}

impl Value<'_> {
    fn refused(self, wanted: &'static str) -> RuleError {
        RuleError::Value {
            part: self.part,
            value: self.value.chars().take(40).collect(),
            wanted,
        }
    }

    fn word<T: Copy>(self, words: &[(&str, T)], wanted: &'static str) -> Result<T, RuleError> {
        let word = words.iter().find(|(word, _)| *word == self.value);
        word.map(|(_, meant)| *meant)
            .ok_or_else(|| self.refused(wanted))
    }

    fn number<T: FromStr + PartialOrd>(
        self,
        range: RangeInclusive<T>,
        wanted: &'static str,
    ) -> Result<T, RuleError> {
        let number = self
            .value
            .parse()
            .ok()
            .filter(|number| range.contains(number));
        number.ok_or_else(|| self.refused(wanted))
    }

    fn list<T>(self, read: impl Fn(Self) -> Result<T, RuleError>) -> Result<Vec<T>, RuleError> {
        let items = self.value.split(',').map(|value| Self { value, ..self });
        items.map(read).collect()
    }

    /// Numbers, none of which is zero.
    fn numbers<T: FromStr + PartialOrd + Default + Clone>(
        self,
        range: RangeInclusive<T>,
        wanted: &'static str,
    ) -> Result<Vec<T>, RuleError> {
        self.list(|item| {
            let number = item.number(range.clone(), wanted)?;
            if number == T::default() {
                return Err(item.refused(wanted));
            }
            Ok(number)
        })
    }

    /// A weekday, counted where a number stands before it.
    fn day(self) -> Result<ICalendarDay, RuleError> {
        let wanted = "weekdays are MO to SU, counted as in 2TU or -1FR";
        let at = self
            .value
            .len()
            .checked_sub(2)
            .filter(|at| self.value.is_char_boundary(*at));
        let (count, weekday) = self.value.split_at(at.ok_or_else(|| self.refused(wanted))?);
        let weekday = WEEKDAYS.iter().find(|(word, _)| *word == weekday);
        let (_, weekday) = *weekday.ok_or_else(|| self.refused(wanted))?;
        if count.is_empty() {
            return Ok(ICalendarDay {
                ordwk: None,
                weekday,
            });
        }
        let count = count
            .parse::<i16>()
            .ok()
            .filter(|count| *count != 0 && (-52..=53).contains(count));
        let ordwk = Some(count.ok_or_else(|| self.refused(wanted))?);
        Ok(ICalendarDay { ordwk, weekday })
    }

    fn date(self) -> Result<PartialDateTime, RuleError> {
        let wanted = "a date as in UNTIL=20301231 is";
        let digits = self.value.len() == 8 && self.value.bytes().all(|byte| byte.is_ascii_digit());
        let date = digits
            .then(|| NaiveDate::parse_from_str(self.value, "%Y%m%d").ok())
            .flatten();
        let date = date.ok_or_else(|| self.refused(wanted))?;
        Ok(repeat::written_date(date))
    }
}
