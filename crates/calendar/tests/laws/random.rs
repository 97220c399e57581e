//! Random calendars and instants, most of them where clocks change.

use chrono::DateTime;
use indexmap::IndexMap;
use model::definition::{Calendar as Definition, Date, Holiday, Hours, Weekday};
use model::id::HoursId;
use model::{Duration, Instant};
use proptest::prelude::*;

use crate::recurring::recurring;
use crate::{DAY, HOUR, MINUTE};

/// Zones with clocks that jump by half an hour or a whole day, that run at odd offsets, that
/// change at midnight, whose summer is southern or whose winter is the exception.
pub(crate) const ZONES: [&str; 12] = [
    "UTC",
    "Europe/Brussels",
    "America/New_York",
    "Australia/Lord_Howe",
    "Pacific/Apia",
    "Europe/Dublin",
    "Asia/Kathmandu",
    "America/Sao_Paulo",
    "Africa/Casablanca",
    "Asia/Gaza",
    "America/St_Johns",
    "Pacific/Kiritimati",
];

/// Instants at which something happens to a clock somewhere in [`ZONES`].
const EVENTFUL: [&str; 10] = [
    "2026-03-29T01:00:00Z",
    "2026-10-25T01:00:00Z",
    "2011-12-30T10:00:00Z",
    "2026-04-04T15:00:00Z",
    "2026-10-03T15:30:00Z",
    "2018-11-04T03:00:00Z",
    "2018-02-18T02:00:00Z",
    "2026-03-08T07:00:00Z",
    "1994-12-31T10:00:00Z",
    "2040-10-20T00:00:00Z",
];

pub(crate) fn near_eventful() -> impl Strategy<Value = i64> {
    let eventful = prop::sample::select(
        EVENTFUL
            .map(|text| text.parse::<Instant>().expect("an instant").millis())
            .to_vec(),
    );
    let anywhere = -315_619_200_000_i64..4_102_444_800_000;
    (
        prop_oneof![4 => eventful, 1 => anywhere],
        -4 * DAY..4 * DAY,
        prop_oneof![Just(HOUR), Just(MINUTE), Just(1)],
    )
        .prop_map(|(around, by, grid)| (around + by).div_euclid(grid) * grid)
}

fn hours() -> impl Strategy<Value = Hours> {
    let grid = prop_oneof![Just(60_u16), Just(30), Just(1)];
    (grid, 0_u16..1440, 0_u16..=1440).prop_filter_map(
        "opens and closes at once",
        |(grid, from, to)| {
            let (from, to) = (from / grid * grid, to / grid * grid);
            format!(
                "{:02}:{:02}-{:02}:{:02}",
                from / 60,
                from % 60,
                to / 60,
                to % 60
            )
            .parse()
            .ok()
        },
    )
}

pub(crate) fn some_hours(most: usize) -> impl Strategy<Value = IndexMap<HoursId, Hours>> {
    prop::collection::vec(hours(), 0..=most).prop_map(|hours| {
        (0..)
            .zip(hours)
            .map(|(n, hours)| (HoursId::new(&format!("h{n}")).expect("an id"), hours))
            .collect()
    })
}

/// A date around the eventful instants.
pub(crate) fn dates() -> impl Strategy<Value = Date> {
    near_eventful().prop_map(|near| {
        let near = DateTime::from_timestamp_millis(near).expect("an instant");
        Date::from_naive(near.date_naive()).expect("in range")
    })
}

/// Calendars with holidays, some of them half days and some that recur, around the eventful instants.
pub(crate) fn definitions() -> impl Strategy<Value = Definition> {
    let weekday = (prop::sample::select(Weekday::ALL.to_vec()), some_hours(3));
    let week = prop::collection::vec(weekday, 0..=7).prop_map(|days| days.into_iter().collect());
    let holiday =
        (dates(), some_hours(2)).prop_map(|(date, hours)| (date, Holiday { name: None, hours }));
    let holidays =
        prop::collection::vec(holiday, 0..12).prop_map(|days| days.into_iter().collect());
    (
        prop::sample::select(ZONES.to_vec()),
        week,
        holidays,
        recurring(),
        prop::bool::weighted(0.1),
    )
        .prop_map(|(zone, hours, holidays, recurring, always)| Definition {
            zone: zone.to_owned(),
            hours: if always { IndexMap::new() } else { hours },
            holidays,
            recurring,
            always,
            ..Definition::default()
        })
}

/// From milliseconds to years, and often a whole number of minutes, so that goals end at closings.
pub(crate) fn durations() -> impl Strategy<Value = Duration> {
    prop_oneof![
        0..5_000_i64,
        (0..600_i64).prop_map(|n| n * MINUTE),
        (0..400_i64).prop_map(|n| n * HOUR),
        0..2000 * DAY
    ]
    .prop_map(|millis| Duration::from_millis(millis.unsigned_abs()))
}

pub(crate) fn instants() -> impl Strategy<Value = Instant> {
    near_eventful().prop_map(Instant::from_millis)
}
