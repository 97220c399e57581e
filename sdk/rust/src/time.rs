//! Instants and spans as the contract has them: whole milliseconds, and ISO 8601 in settings.

use std::fmt;
use std::ops::{Add, Sub};
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Deserializer};

const DAY_MS: i64 = 86_400_000;

/// An instant, in milliseconds since 1970-01-01T00:00:00Z. Shown and read as RFC 3339, in UTC.
///
/// ```
/// use servicewright_sdk::Instant;
/// use std::time::Duration;
///
/// let start: Instant = "2026-11-20T09:30:00+01:00".parse()?;
/// assert_eq!((start + Duration::from_secs(60)).to_string(), "2026-11-20T08:31:00Z");
/// # Ok::<(), servicewright_sdk::NotATime>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Instant(i64);

impl Instant {
    /// The instant so many milliseconds after 1970-01-01T00:00:00Z.
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis)
    }

    /// Milliseconds since 1970-01-01T00:00:00Z; negative before it.
    pub const fn millis(self) -> i64 {
        self.0
    }

    /// How much time has passed since an earlier instant; nothing, if it was not earlier.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }
}

impl Add<Duration> for Instant {
    type Output = Self;

    fn add(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(millis(duration)))
    }
}

impl Sub<Duration> for Instant {
    type Output = Self;

    fn sub(self, duration: Duration) -> Self {
        Self(self.0.saturating_sub(millis(duration)))
    }
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

impl fmt::Display for Instant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = civil_from_days(self.0.div_euclid(DAY_MS));
        let in_day = self.0.rem_euclid(DAY_MS);
        let (hour, minute) = (in_day / 3_600_000, in_day / 60_000 % 60);
        let (second, milli) = (in_day / 1000 % 60, in_day % 1000);
        write!(
            f,
            "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}"
        )?;
        if milli != 0 {
            write!(f, ".{milli:03}")?;
        }
        f.write_str("Z")
    }
}

/// A text that is not the instant or span it was read as.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotATime {
    text: String,
    wanted: &'static str,
}

impl fmt::Display for NotATime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` is not {}", self.text, self.wanted)
    }
}

impl std::error::Error for NotATime {}

impl FromStr for Instant {
    type Err = NotATime;

    /// Reads RFC 3339, with `Z` or an offset. What is finer than milliseconds is cut off.
    fn from_str(text: &str) -> Result<Self, NotATime> {
        parse_rfc3339(text).map(Self).ok_or_else(|| NotATime {
            text: text.to_owned(),
            wanted: "an instant such as 2026-11-20T09:30:00Z",
        })
    }
}

fn parse_rfc3339(text: &str) -> Option<i64> {
    let bytes = text.as_bytes();
    let separators = [(4, b'-'), (7, b'-'), (13, b':'), (16, b':')];
    let well_formed = bytes.len() >= 20
        && text.is_ascii()
        && separators.iter().all(|&(at, c)| bytes[at] == c)
        && matches!(bytes[10], b'T' | b't' | b' ');
    if !well_formed {
        return None;
    }
    let (year, month, day) = (
        digits(&text[0..4])?,
        digits(&text[5..7])?,
        digits(&text[8..10])?,
    );
    let (hour, minute, second) = (
        digits(&text[11..13])?,
        digits(&text[14..16])?,
        digits(&text[17..19])?,
    );
    let days = days_from_civil(year, month, day);
    // A day beyond the end of its month comes back as another one.
    if civil_from_days(days) != (year, month, day) || hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    let (fraction, zone) = fraction_ms(&text[19..])?;
    let offset_minutes = offset_minutes(zone)?;
    let seconds = hour * 3600 + (minute - offset_minutes) * 60 + second;
    Some(days * DAY_MS + seconds * 1000 + fraction)
}

/// The milliseconds of a leading `.…`, and what follows it.
fn fraction_ms(text: &str) -> Option<(i64, &str)> {
    let Some(rest) = text.strip_prefix('.') else {
        return Some((0, text));
    };
    let length = rest.bytes().take_while(u8::is_ascii_digit).count();
    let padded = format!("{:0<3}", &rest[..length]);
    (length > 0).then_some((digits(&padded[..3])?, &rest[length..]))
}

fn offset_minutes(zone: &str) -> Option<i64> {
    if zone.eq_ignore_ascii_case("z") {
        return Some(0);
    }
    let sign = match zone.as_bytes().first()? {
        b'+' => 1,
        b'-' => -1,
        _ => return None,
    };
    if zone.len() != 6 || zone.as_bytes()[3] != b':' {
        return None;
    }
    let (hours, minutes) = (digits(&zone[1..3])?, digits(&zone[4..6])?);
    (hours < 24 && minutes < 60).then_some(sign * (hours * 60 + minutes))
}

fn digits(text: &str) -> Option<i64> {
    text.bytes()
        .all(|b| b.is_ascii_digit())
        .then(|| text.parse().ok())?
}

/// Days since 1970-01-01 of a date in the proleptic Gregorian calendar, counted in eras of
/// 400 years that begin in March, so that the leap day comes last.
fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let month_from_march = (month + 9) % 12;
    let day_of_year = (153 * month_from_march + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

/// The date of a number of days since 1970-01-01: the inverse of [`days_from_civil`].
fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = (month_from_march + 2) % 12 + 1;
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, month, day)
}

/// A span that settings give in ISO 8601, such as `PT4H` or `P1DT12H`. A day is 24 hours and a
/// week seven days; months and years have no fixed length and are refused.
///
/// ```
/// use servicewright_sdk::IsoDuration;
///
/// let span: IsoDuration = serde_json::from_str("\"PT1H30M\"")?;
/// assert_eq!(span.0.as_secs(), 5_400);
/// assert_eq!(span.to_string(), "PT1H30M");
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct IsoDuration(pub Duration);

impl FromStr for IsoDuration {
    type Err = NotATime;

    fn from_str(text: &str) -> Result<Self, NotATime> {
        parse_iso_duration(text).map(Self).ok_or_else(|| NotATime {
            text: text.to_owned(),
            wanted: "a duration such as PT4H or P2D",
        })
    }
}

fn parse_iso_duration(text: &str) -> Option<Duration> {
    let rest = text.strip_prefix('P')?;
    let (date, time) = match rest.split_once('T') {
        Some((_, "")) => return None,
        Some((date, time)) => (date, time),
        None => (rest, ""),
    };
    if date.is_empty() && time.is_empty() {
        return None;
    }
    let date = sum_units(date, &[('W', 604_800_000), ('D', 86_400_000)])?;
    let time = sum_units(time, &[('H', 3_600_000), ('M', 60_000), ('S', 1_000)])?;
    Some(Duration::from_millis(date.checked_add(time)?))
}

/// Adds up `number unit` pairs, whose units come in the order given and at most once each.
fn sum_units(mut text: &str, units: &[(char, u64)]) -> Option<u64> {
    let mut total = 0_u64;
    let mut units = units.iter();
    while !text.is_empty() {
        let end = text.find(|c: char| c.is_ascii_uppercase())?;
        let unit = text[end..].chars().next()?;
        let (_, unit_ms) = units.by_ref().find(|(name, _)| *name == unit)?;
        let (whole, fraction) = text[..end].split_once('.').unwrap_or((&text[..end], "0"));
        let whole = u64::try_from(digits(whole).filter(|_| !whole.is_empty())?).ok()?;
        let fraction = format!(".{fraction}");
        let (thousandths, _) = fraction_ms(&fraction).filter(|(_, rest)| rest.is_empty())?;
        let part = u64::try_from(thousandths).ok()? * unit_ms / 1000;
        total = total
            .checked_add(whole.checked_mul(*unit_ms)?)?
            .checked_add(part)?;
        text = &text[end + 1..];
    }
    Some(total)
}

impl fmt::Display for IsoDuration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ms = self.0.as_millis();
        if ms == 0 {
            return f.write_str("PT0S");
        }
        let (hours, minutes, ms) = (ms / 3_600_000, ms / 60_000 % 60, ms % 60_000);
        f.write_str("PT")?;
        if hours > 0 {
            write!(f, "{hours}H")?;
        }
        if minutes > 0 {
            write!(f, "{minutes}M")?;
        }
        match (ms / 1000, ms % 1000) {
            (0, 0) => Ok(()),
            (seconds, 0) => write!(f, "{seconds}S"),
            (seconds, millis) => write!(f, "{seconds}.{millis:03}S"),
        }
    }
}

impl<'de> Deserialize<'de> for IsoDuration {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// How long something may take.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TimeLimit {
    /// The span itself, in whole milliseconds.
    pub duration: Duration,
    /// The calendar of the pack that counts it; without one it is counted as time passes.
    pub calendar: Option<String>,
}

impl TimeLimit {
    /// Counted as time passes.
    pub const fn of(duration: Duration) -> Self {
        Self {
            duration,
            calendar: None,
        }
    }

    /// Counted in a calendar of the pack.
    pub fn in_calendar(duration: Duration, calendar: impl Into<String>) -> Self {
        Self {
            duration,
            calendar: Some(calendar.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Option<i64> {
        text.parse::<Instant>().ok().map(Instant::millis)
    }

    #[test]
    fn instants_are_read_from_rfc_3339() {
        assert_eq!(read("1970-01-01T00:00:00Z"), Some(0));
        assert_eq!(read("2000-02-29T12:00:00.25Z"), Some(951_825_600_250));
        assert_eq!(
            read("2026-11-20T00:30:00+01:00"),
            read("2026-11-19T23:30:00Z")
        );
        assert_eq!(read("1969-12-31T23:59:59Z"), Some(-1000));
        for wrong in [
            "2026-02-30T00:00:00Z",
            "2026-11-20",
            "2026-11-20T25:00:00Z",
            "2026-11-20T00:00:00",
            "2026-13-01T00:00:00Z",
            "2026-11-20T00:00:00.Z",
            "ééééééééééééééé",
        ] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn instants_are_shown_as_they_are_read() {
        for day in (-800_000..800_000).step_by(997) {
            let instant = Instant::from_millis(day * DAY_MS + 12_345_678);
            if (0..=9999).contains(&civil_from_days(day).0) {
                assert_eq!(instant.to_string().parse(), Ok(instant), "{instant}");
            }
        }
    }

    #[test]
    fn durations_are_read_from_iso_8601() {
        let read = |text: &str| text.parse::<IsoDuration>().ok().map(|d| d.0.as_millis());
        assert_eq!(read("PT4H"), Some(14_400_000));
        assert_eq!(read("P1W"), Some(604_800_000));
        assert_eq!(read("P1DT1H1M1.5S"), Some(90_061_500));
        for wrong in [
            "", "P", "PT", "4H", "P1M", "P1Y", "PT1S1H", "PT-1H", "PTH", "PT1.H",
        ] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_span_to_an_earlier_instant_is_nothing() {
        let early = Instant::from_millis(5);
        let late = Instant::from_millis(8);
        assert_eq!(late.since(early), Duration::from_millis(3));
        assert_eq!(early.since(late), Duration::ZERO);
    }
}
