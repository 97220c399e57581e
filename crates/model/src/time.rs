//! Instants and durations in whole milliseconds, and their text forms: RFC 3339 and ISO 8601.

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use thiserror::Error;

/// Milliseconds since 1970-01-01T00:00:00Z. Read and written as RFC 3339 where a person sees it,
/// as a number in the store.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Instant(i64);

/// A length of time in milliseconds, never negative.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Duration(u64);

/// A wait as definitions write it: days, whose length a zone or a calendar settles, and time.
/// `P1DT4H` is one day and four hours.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Period {
    /// Calendar days, or days of a calendar's `day`; weeks count as seven.
    pub days: u32,
    /// What comes on top of the days.
    pub time: Duration,
}

/// What is wrong with the text of an instant or a duration.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum TimeError {
    /// Not RFC 3339, or outside the years 1 to 9999.
    #[error("`{0}` is not an instant such as 2026-03-01T09:30:00Z")]
    Instant(String),
    /// Not an ISO 8601 duration of weeks, days, hours, minutes and seconds, or longer than 100 years.
    #[error(
        "`{0}` is not a duration such as PT8H, PT30M or P1D (months and years have no fixed length)"
    )]
    Duration(String),
}

const MIN_MILLIS: i64 = -62_135_596_800_000;
const MAX_MILLIS: i64 = 253_402_300_799_999;
const MAX_DURATION: u64 = 100 * 366 * 86_400_000;

impl Instant {
    /// The first instant of 1970, UTC.
    pub const EPOCH: Self = Self(0);

    /// The instant this many milliseconds after 1970 began.
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis)
    }

    /// The instant this many milliseconds after 1970 began; none outside the years 1 to 9999, where it
    /// could not be written as a date.
    pub fn from_foreign_millis(millis: i64) -> Option<Self> {
        (MIN_MILLIS..=MAX_MILLIS)
            .contains(&millis)
            .then_some(Self(millis))
    }

    /// Milliseconds since 1970 began.
    pub const fn millis(self) -> i64 {
        self.0
    }

    /// The same instant in `chrono`'s type, held within the years 1 to 9999.
    pub fn to_utc(self) -> DateTime<Utc> {
        DateTime::from_timestamp_millis(self.0.clamp(MIN_MILLIS, MAX_MILLIS)).unwrap_or_default()
    }

    /// From `chrono`'s type; what is finer than a millisecond is dropped.
    pub fn from_utc(time: DateTime<Utc>) -> Self {
        Self(time.timestamp_millis())
    }

    /// This much later; at the end of time if it would be past it.
    #[must_use]
    pub const fn saturating_add(self, duration: Duration) -> Self {
        Self(self.0.saturating_add_unsigned(duration.0))
    }

    /// From `earlier` to this; zero where it is not earlier.
    #[must_use]
    pub const fn since(self, earlier: Self) -> Duration {
        let span = self.0.saturating_sub(earlier.0);
        Duration(if span > 0 { span.unsigned_abs() } else { 0 })
    }

    /// RFC 3339 in UTC, whole seconds, rounded down: the form of reports.
    pub fn to_seconds_text(self) -> String {
        let floored = self.0.div_euclid(1000) * 1000;
        Self(floored)
            .to_utc()
            .to_rfc3339_opts(SecondsFormat::Secs, true)
    }
}

impl fmt::Display for Instant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_utc().to_rfc3339_opts(SecondsFormat::AutoSi, true))
    }
}

impl FromStr for Instant {
    type Err = TimeError;

    fn from_str(text: &str) -> Result<Self, TimeError> {
        let wrong = || TimeError::Instant(text.chars().take(60).collect());
        let time = DateTime::parse_from_rfc3339(text).map_err(|_| wrong())?;
        Self::from_foreign_millis(time.timestamp_millis()).ok_or_else(wrong)
    }
}

impl Duration {
    /// No time at all.
    pub const ZERO: Self = Self(0);

    /// A duration of this many milliseconds.
    pub const fn from_millis(millis: u64) -> Self {
        Self(millis)
    }

    /// A duration of this many milliseconds; none of more than a hundred years.
    pub fn from_foreign_millis(millis: u64) -> Option<Self> {
        (millis <= MAX_DURATION).then_some(Self(millis))
    }

    /// A duration of this many seconds.
    pub const fn from_secs(seconds: u64) -> Self {
        Self(seconds.saturating_mul(1000))
    }

    /// Its length in milliseconds.
    pub const fn millis(self) -> u64 {
        self.0
    }

    /// Its length in whole seconds, rounded down.
    pub const fn as_secs(self) -> u64 {
        self.0 / 1000
    }

    /// Both together; held at the longest there is.
    #[must_use]
    pub const fn saturating_add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }

    /// What is left when `other` is taken away; zero where nothing is.
    #[must_use]
    pub const fn saturating_sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }

    /// The standard library's type, for waiting.
    pub const fn to_std(self) -> std::time::Duration {
        std::time::Duration::from_millis(self.0)
    }
}

impl fmt::Display for Duration {
    /// ISO 8601 with days of 24 hours left as hours: `PT36H30M`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (seconds, millis) = (self.0 / 1000, self.0 % 1000);
        let (hours, minutes, rest) = (seconds / 3600, seconds % 3600 / 60, seconds % 60);
        f.write_str("PT")?;
        if hours > 0 {
            write!(f, "{hours}H")?;
        }
        if minutes > 0 {
            write!(f, "{minutes}M")?;
        }
        if millis > 0 {
            write!(f, "{rest}.{millis:03}S")?;
        } else if rest > 0 || self.0 == 0 {
            write!(f, "{rest}S")?;
        }
        Ok(())
    }
}

impl FromStr for Duration {
    type Err = TimeError;

    /// Weeks, days (of 24 hours), hours, minutes and seconds with up to three decimals.
    fn from_str(text: &str) -> Result<Self, TimeError> {
        parse_duration(text).ok_or_else(|| TimeError::Duration(text.chars().take(60).collect()))
    }
}

fn parse_duration(text: &str) -> Option<Duration> {
    let rest = text.strip_prefix('P')?;
    let (date, time) = match rest.split_once('T') {
        Some((date, time)) if !time.is_empty() => (date, time),
        Some(_) => return None,
        None => (rest, ""),
    };
    if date.is_empty() && time.is_empty() {
        return None;
    }
    let days = parse_parts(date, &[('W', 604_800_000), ('D', 86_400_000)])?;
    let clock = parse_parts(time, &[('H', 3_600_000), ('M', 60_000), ('S', 1000)])?;
    let total = days.checked_add(clock)?;
    Duration::from_foreign_millis(total)
}

/// Reads numbers each followed by one of the units, in the units' order, each at most once.
fn parse_parts(mut text: &str, units: &[(char, u64)]) -> Option<u64> {
    let mut total = 0u64;
    let mut units = units.iter();
    while !text.is_empty() {
        let end = text.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let (number, tail) = text.split_at(end);
        let letter = tail.chars().next()?;
        let (_, size) = units.find(|(unit, _)| *unit == letter)?;
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        if fraction.len() > 3 || (number.contains('.') && (letter != 'S' || fraction.is_empty())) {
            return None;
        }
        total = total.checked_add(whole.parse::<u64>().ok()?.checked_mul(*size)?)?;
        if !fraction.is_empty() {
            total = total.checked_add(format!("{fraction:0<3}").parse().ok()?)?;
        }
        text = &tail[letter.len_utf8()..];
    }
    Some(total)
}

impl Period {
    /// A period of time alone.
    pub const fn of_time(time: Duration) -> Self {
        Self { days: 0, time }
    }

    /// Its length where a day is this long.
    pub const fn with_day(self, day: Duration) -> Duration {
        Duration(day.0.saturating_mul(self.days as u64)).saturating_add(self.time)
    }
}

impl fmt::Display for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.days, self.time) {
            (0, time) => fmt::Display::fmt(&time, f),
            (days, Duration::ZERO) => write!(f, "P{days}D"),
            (days, time) => write!(f, "P{days}D{}", time.to_string().trim_start_matches('P')),
        }
    }
}

impl FromStr for Period {
    type Err = TimeError;

    fn from_str(text: &str) -> Result<Self, TimeError> {
        let whole: Duration = text.parse()?;
        let clock = match text.split_once('T') {
            Some((_, clock)) => format!("PT{clock}").parse()?,
            None => Duration::ZERO,
        };
        let days = whole.saturating_sub(clock).millis() / 86_400_000;
        Ok(Self {
            days: u32::try_from(days).unwrap_or(u32::MAX),
            time: clock,
        })
    }
}

impl Serialize for Period {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Period {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

impl schemars::JsonSchema for Period {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Duration".into()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        Duration::json_schema(generator)
    }
}

impl Serialize for Instant {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            serializer.collect_str(self)
        } else {
            serializer.serialize_i64(self.0)
        }
    }
}

impl<'de> Deserialize<'de> for Instant {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if deserializer.is_human_readable() {
            let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
            text.parse().map_err(serde::de::Error::custom)
        } else {
            i64::deserialize(deserializer).map(Self)
        }
    }
}

impl Serialize for Duration {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            serializer.collect_str(self)
        } else {
            serializer.serialize_u64(self.0)
        }
    }
}

impl<'de> Deserialize<'de> for Duration {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if deserializer.is_human_readable() {
            let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
            text.parse().map_err(serde::de::Error::custom)
        } else {
            u64::deserialize(deserializer).map(Self)
        }
    }
}

impl schemars::JsonSchema for Duration {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Duration".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "string",
            "pattern": "^P(?=.)([0-9]+W)?([0-9]+D)?(T(?=.)([0-9]+H)?([0-9]+M)?([0-9]+(\\.[0-9]{1,3})?S)?)?$",
            "description": "An ISO 8601 duration, such as PT8H, PT30M or P5D."
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{Duration, Instant};

    #[test]
    fn durations_read_back_what_they_print() {
        for (text, millis) in [
            ("PT8H", 28_800_000),
            ("PT1.5S", 1500),
            ("P1DT1M", 86_460_000),
            ("P2W", 1_209_600_000),
            ("PT0S", 0),
        ] {
            let duration: Duration = text.parse().expect(text);
            assert_eq!(duration.millis(), millis, "{text}");
            assert_eq!(duration.to_string().parse(), Ok(duration));
        }
    }

    #[test]
    fn what_has_no_fixed_length_or_order_is_refused() {
        for text in [
            "",
            "P",
            "PT",
            "8h",
            "P1M",
            "P1Y",
            "PT1M1H",
            "PT-1H",
            "PT1.2345S",
            "PT1.5H",
            "P200000W",
            "PT99999999999999999999H",
        ] {
            assert!(text.parse::<Duration>().is_err(), "{text}");
        }
    }

    #[test]
    fn instants_round_down_in_reports() {
        let instant: Instant = "2012-05-03T06:46:25.900Z".parse().expect("valid");
        assert_eq!(instant.to_seconds_text(), "2012-05-03T06:46:25Z");
        assert_eq!(instant.to_string(), "2012-05-03T06:46:25.900Z");
        assert_eq!(
            Instant::from_millis(-1).to_seconds_text(),
            "1969-12-31T23:59:59Z"
        );
    }
}
