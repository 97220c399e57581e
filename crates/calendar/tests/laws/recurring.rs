//! Dates that recur, written by rules of a few kinds and found again by looking at every day.

use chrono::{Datelike as _, Days, NaiveDate, Weekday};
use indexmap::IndexMap;
use model::definition::{Calendar as Definition, Date, Holiday, Recurring};
use model::id::RecurringId;
use proptest::prelude::*;

use crate::random::{dates, some_hours};

const WEEKDAYS: [&str; 7] = ["MO", "TU", "WE", "TH", "FR", "SA", "SU"];

/// Rules such as desks have, their parts by `;`.
fn rules() -> impl Strategy<Value = String> {
    let rule = prop_oneof![
        Just("FREQ=YEARLY".to_owned()),
        (1..=5_u32, 0..7_usize).prop_map(|(nth, day)| {
            let day = WEEKDAYS[day];
            format!("FREQ=MONTHLY;BYDAY={nth}{day}")
        }),
        (1..=31_u32).prop_map(|from_end| format!("FREQ=MONTHLY;BYMONTHDAY=-{from_end}")),
        (1..=12_u32, 0..7_usize).prop_map(|(month, day)| {
            let day = WEEKDAYS[day];
            format!("FREQ=YEARLY;BYMONTH={month};BYDAY=-1{day}")
        }),
        (1..=9_u32).prop_map(|weeks| format!("FREQ=WEEKLY;INTERVAL={weeks}")),
    ];
    (rule, 1..=40_u32).prop_map(|(rule, count)| format!("{rule};COUNT={count}"))
}

fn part<'r>(rule: &'r str, name: &str) -> Option<&'r str> {
    let mut parts = rule.split(';').filter_map(|part| part.split_once('='));
    parts.find(|(key, _)| *key == name).map(|(_, value)| value)
}

/// Whether a rule that begins on `first` names a date.
fn is_named(rule: &str, first: NaiveDate, date: NaiveDate) -> bool {
    let last_of_month = (date.with_day(1).expect("a first") + chrono::Months::new(1))
        .pred_opt()
        .expect("a date");
    let from_end = last_of_month.day() - date.day() + 1;
    let is_weekday = |name: &str| {
        let place = WEEKDAYS
            .iter()
            .position(|day| *day == name)
            .expect("a weekday");
        let weekday = Weekday::try_from(u8::try_from(place).expect("small")).expect("of seven");
        date.weekday() == weekday
    };
    match (
        part(rule, "BYDAY"),
        part(rule, "BYMONTHDAY"),
        part(rule, "INTERVAL"),
    ) {
        (Some(day), ..) if day.starts_with("-1") => {
            part(rule, "BYMONTH") == Some(&date.month().to_string())
                && from_end <= 7
                && is_weekday(&day[2..])
        }
        (Some(day), ..) => {
            let nth = (date.day() - 1) / 7 + 1;
            day[..1] == nth.to_string() && is_weekday(&day[1..])
        }
        (_, Some(day), _) => day == format!("-{from_end}"),
        (.., Some(weeks)) => {
            let weeks: i64 = weeks.parse().expect("a number");
            (date - first).num_days() % (7 * weeks) == 0
        }
        _ => (date.month(), date.day()) == (first.month(), first.day()),
    }
}

/// Up to three sets of dates that recur, each from the first date that its rule names.
pub(crate) fn recurring() -> impl Strategy<Value = IndexMap<RecurringId, Recurring>> {
    let one = (rules(), dates(), 1..=7_u16, some_hours(2)).prop_filter_map(
        "begins too late",
        |(repeats, near, days, hours)| {
            let mut from_there = near.naive().iter_days().take(2_000);
            let first = from_there.find(|day| is_named(&repeats, *day, *day))?;
            (first.year() < 2095).then(|| Recurring {
                name: None,
                first: Date::from_naive(first).expect("in range"),
                days,
                repeats,
                hours,
            })
        },
    );
    prop::collection::vec(one, 0..=3).prop_map(|all| {
        let named = (0..).zip(all).map(|(n, one)| {
            let id = RecurringId::new(&format!("r{n}")).expect("an id");
            (id, one)
        });
        named.collect()
    })
}

/// The same calendar with all its dates written singly: a single date counts more than one that recurs,
/// and of those that recur the one that is written first.
pub(crate) fn singly(definition: &Definition) -> Definition {
    let mut single = definition.clone();
    for (_, recurring) in single.recurring.drain(..) {
        let first = recurring.first.naive();
        let count = part(&recurring.repeats, "COUNT").expect("it is counted");
        let by_the_end = |day: &NaiveDate| day.year() <= 2099;
        let starts = first.iter_days().take_while(by_the_end);
        let starts = starts.filter(|day| is_named(&recurring.repeats, first, *day));
        for start in starts.take(count.parse().expect("a number")) {
            for after in 0..u64::from(recurring.days) {
                let date = Date::from_naive(start + Days::new(after)).expect("in range");
                single.holidays.entry(date).or_insert_with(|| Holiday {
                    name: None,
                    hours: recurring.hours.clone(),
                });
            }
        }
    }
    single
}
