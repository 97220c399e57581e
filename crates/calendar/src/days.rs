//! Calendar days: the same time of day, so many days later, whatever the zone's clocks do between.

use chrono::{Datelike, Days, MappedLocalTime, NaiveDateTime, NaiveTime, TimeDelta, TimeZone, Utc};
use chrono_tz::Tz;
use model::Instant;
use model::definition::{Date, Weekday};

/// The instant at which the local clock shows the same time `days` days later: the earlier one where
/// it shows that time twice, and where it skips it, the instant at which it jumps past it. None past
/// the year 9999.
pub fn add_days(zone: Tz, from: Instant, days: u32) -> Option<Instant> {
    if days == 0 {
        return Some(from);
    }
    let local = from.to_utc().with_timezone(&zone).naive_local();
    let wanted = local.checked_add_days(Days::new(u64::from(days)))?;
    at_local(zone, wanted)
}

/// The next instant at which the local clock shows a time of day, in minutes after midnight, on a day of
/// the week where one is said; of times that come twice or not at all as in [`add_days`]. None past the
/// year 9999.
pub fn next_time(
    zone: Tz,
    weekday: Option<Weekday>,
    minutes: u32,
    after: Instant,
) -> Option<Instant> {
    let today = after.to_utc().with_timezone(&zone).date_naive();
    // In a week at the latest, or the day after where today's time has passed.
    let days = (0..=8).filter_map(|days| today.checked_add_days(Days::new(days)));
    let days = days.filter(|day| {
        let place = day.weekday().num_days_from_monday();
        weekday.is_none_or(|weekday| weekday as u32 == place)
    });
    let mut times = days.filter_map(|day| {
        let wanted = day.and_hms_opt(minutes / 60, minutes % 60, 0)?;
        at_local(zone, wanted)
    });
    times.find(|at| *at > after)
}

/// The instant at which the local clock shows a time: the earlier one where it does so twice, and where
/// it skips it, the instant at which it jumps past it.
fn at_local(zone: Tz, wanted: NaiveDateTime) -> Option<Instant> {
    let at = match zone.from_local_datetime(&wanted) {
        MappedLocalTime::Single(at) | MappedLocalTime::Ambiguous(at, _) => at.with_timezone(&Utc),
        MappedLocalTime::None => end_of_gap(zone, wanted)?,
    };
    Some(Instant::from_utc(at))
}

/// The instant at which a date begins on the local clock: its midnight, the earlier one where the clock
/// shows that twice, and where it skips it, the instant at which it jumps past it.
pub fn start_of_day(zone: Tz, date: Date) -> Option<Instant> {
    let midnight = date.naive().and_time(NaiveTime::MIN);
    let at = match zone.from_local_datetime(&midnight) {
        MappedLocalTime::Single(at) | MappedLocalTime::Ambiguous(at, _) => at.with_timezone(&Utc),
        MappedLocalTime::None => end_of_gap(zone, midnight)?,
    };
    Some(Instant::from_utc(at))
}

/// The first instant after a gap in local time: found between a time before the gap and one after it.
fn end_of_gap(zone: Tz, skipped: NaiveDateTime) -> Option<chrono::DateTime<Utc>> {
    // No zone skips more than a day at once.
    let before = zone
        .from_local_datetime(&(skipped - TimeDelta::hours(25)))
        .earliest()?;
    let (mut low, mut high) = (before.timestamp(), before.timestamp() + 50 * 3600);
    while high - low > 1 {
        let middle = low + (high - low) / 2;
        let shows = Utc
            .timestamp_opt(middle, 0)
            .single()?
            .with_timezone(&zone)
            .naive_local();
        if shows < skipped {
            low = middle;
        } else {
            high = middle;
        }
    }
    Utc.timestamp_opt(high, 0).single()
}

#[cfg(test)]
mod tests {
    use super::{add_days, start_of_day};

    #[test]
    fn a_date_begins_at_midnight_or_when_the_clock_has_jumped_past_it() {
        for (zone, date, expected) in [
            ("Europe/Brussels", "2026-03-29", "2026-03-28T23:00:00Z"),
            ("America/Sao_Paulo", "2018-11-04", "2018-11-04T03:00:00Z"),
            ("Pacific/Apia", "2011-12-30", "2011-12-30T10:00:00Z"),
        ] {
            let zone = zone.parse().expect("a known zone");
            let at = start_of_day(zone, date.parse().expect("a date"));
            let at = at.map(|at| at.to_string());
            assert_eq!(at.as_deref(), Some(expected), "{zone} {date}");
        }
    }

    #[test]
    fn a_day_later_the_clock_shows_the_same_time() {
        for (zone, from, days, expected) in [
            (
                "Europe/Brussels",
                "2026-03-28T09:00:00Z",
                1,
                "2026-03-29T08:00:00Z",
            ),
            (
                "Europe/Brussels",
                "2026-10-24T08:00:00Z",
                1,
                "2026-10-25T09:00:00Z",
            ),
            (
                "Europe/Brussels",
                "2026-03-28T01:30:00Z",
                1,
                "2026-03-29T01:00:00Z",
            ),
            (
                "Pacific/Apia",
                "2011-12-29T22:00:00Z",
                1,
                "2011-12-30T10:00:00Z",
            ),
            ("UTC", "2026-01-31T00:00:00Z", 30, "2026-03-02T00:00:00Z"),
        ] {
            let zone = zone.parse().expect("a known zone");
            let at = add_days(zone, from.parse().expect("valid"), days);
            assert_eq!(
                at.map(|at| at.to_string()).as_deref(),
                Some(expected),
                "{zone} {from}"
            );
        }
    }
}
