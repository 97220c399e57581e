//! Rules by which dates recur: what they give, held against a look at every single day.

use std::collections::BTreeSet;

use chrono::{Datelike as _, Days, NaiveDate, Weekday};
use model::definition::Date;
use proptest::prelude::*;
use servicewright_icalendar::{DateRule, RuleError};

fn date(text: &str) -> Date {
    text.parse().expect("a date")
}

fn dates(rule: &str, first: &str, last: &str) -> Result<Vec<String>, RuleError> {
    let dates = rule.parse::<DateRule>()?.dates(date(first), date(last))?;
    Ok(dates.iter().map(Date::to_string).collect())
}

/// The dates that a rule gives until the end of 2028.
fn check(rule: &str, first: &str, expected: &[&str]) {
    let given = dates(rule, first, "2028-12-31");
    let given: Vec<String> = given.unwrap_or_else(|error| panic!("{rule}: {error}"));
    assert_eq!(given, expected, "{rule}");
}

#[test]
fn freezes_as_desks_have_them() {
    check(
        "FREQ=YEARLY",
        "2026-12-19",
        &["2026-12-19", "2027-12-19", "2028-12-19"],
    );
    check(
        "FREQ=YEARLY;BYMONTH=11;BYDAY=4TH",
        "2026-11-26",
        &["2026-11-26", "2027-11-25", "2028-11-23"],
    );
    check(
        "FREQ=MONTHLY;BYMONTHDAY=-3;COUNT=4",
        "2027-12-29",
        &["2027-12-29", "2028-01-29", "2028-02-27", "2028-03-29"],
    );
    check(
        "FREQ=MONTHLY;BYDAY=2TU;UNTIL=20260414",
        "2026-01-13",
        &["2026-01-13", "2026-02-10", "2026-03-10", "2026-04-14"],
    );
    check(
        "FREQ=MONTHLY;INTERVAL=3;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1;COUNT=4",
        "2026-03-31",
        &["2026-03-31", "2026-06-30", "2026-09-30", "2026-12-31"],
    );
    check("FREQ=YEARLY", "2024-02-29", &["2024-02-29", "2028-02-29"]);
    check(
        "freq=monthly;bymonthday=13;byday=fr",
        "2026-02-13",
        &[
            "2026-02-13",
            "2026-03-13",
            "2026-11-13",
            "2027-08-13",
            "2028-10-13",
        ],
    );
}

fn refused(rule: &str) -> String {
    let error = rule.parse::<DateRule>().expect_err(rule);
    error.to_string()
}

#[test]
fn what_is_no_rule_by_dates_is_refused_with_what_to_write() {
    for (rule, message) in [
        (
            "",
            "`` is not a part of a rule, such as FREQ=MONTHLY or BYDAY=2TU; parts are joined by `;`",
        ),
        (
            "every month",
            "`every month` is not a part of a rule, such as FREQ=MONTHLY or BYDAY=2TU; parts are joined by `;`",
        ),
        (
            "RRULE:FREQ=YEARLY",
            "leave out `RRULE:`; a rule begins with `FREQ=`",
        ),
        (
            "BYMONTH=2",
            "`FREQ` is missing: FREQ=DAILY, WEEKLY, MONTHLY or YEARLY",
        ),
        (
            "FREQ=HOURLY",
            "`FREQ=HOURLY` is about times of day; a rule here gives whole dates, by FREQ=DAILY, WEEKLY, MONTHLY or YEARLY, and `hours` says when they open",
        ),
        (
            "FREQ=DAILY;BYHOUR=9",
            "`BYHOUR` is about times of day; a rule here gives whole dates, by FREQ=DAILY, WEEKLY, MONTHLY or YEARLY, and `hours` says when they open",
        ),
        (
            "FREQ=YEARLY;BYWEEKNO=20",
            "`BYWEEKNO` is not read here; a rule has FREQ, INTERVAL, COUNT, UNTIL, BYMONTH, BYMONTHDAY, BYDAY, BYSETPOS and WKST",
        ),
        (
            "FREQ=SOMETIMES",
            "`FREQ=SOMETIMES` cannot be; DAILY, WEEKLY, MONTHLY or YEARLY is",
        ),
        (
            "FREQ=DAILY;INTERVAL=0",
            "`INTERVAL=0` cannot be; 1 to 1000 is",
        ),
        ("FREQ=DAILY;COUNT=-1", "`COUNT=-1` cannot be; 1 to 20000 is"),
        (
            "FREQ=DAILY;UNTIL=20261231T120000Z",
            "`UNTIL=20261231T120000Z` cannot be; a date as in UNTIL=20301231 is",
        ),
        (
            "FREQ=DAILY;UNTIL=20260230",
            "`UNTIL=20260230` cannot be; a date as in UNTIL=20301231 is",
        ),
        (
            "FREQ=YEARLY;BYMONTH=13",
            "`BYMONTH=13` cannot be; months are 1 to 12",
        ),
        (
            "FREQ=MONTHLY;BYMONTHDAY=1,0",
            "`BYMONTHDAY=0` cannot be; days are 1 to 31, or -1 to -31 from the end",
        ),
        (
            "FREQ=MONTHLY;BYDAY=2XX",
            "`BYDAY=2XX` cannot be; weekdays are MO to SU, counted as in 2TU or -1FR",
        ),
        (
            "FREQ=MONTHLY;BYDAY=é",
            "`BYDAY=é` cannot be; weekdays are MO to SU, counted as in 2TU or -1FR",
        ),
    ] {
        assert_eq!(refused(rule), message, "{rule}");
    }
    let long = format!("FREQ=YEARLY;BYMONTH={}", vec!["1"; 300].join(","));
    assert_eq!(
        refused(&long),
        "a rule has at most 500 characters; this one has 619"
    );
}

#[test]
fn parts_that_do_not_go_together_are_refused_with_what_to_write() {
    for (rule, message) in [
        (
            "FREQ=MONTHLY;BYDAY=6MO",
            "a weekday of a month is counted from 1 to 5, or from -1 to -4 from the end",
        ),
        (
            "FREQ=WEEKLY;BYDAY=2TU",
            "a counted weekday, such as 2TU, goes with FREQ=MONTHLY or FREQ=YEARLY alone",
        ),
        (
            "FREQ=MONTHLY;BYDAY=2TU,FR",
            "`BYDAY` has either counted weekdays, such as 2TU, or plain ones, such as TU; write two rules",
        ),
        (
            "FREQ=WEEKLY;BYMONTHDAY=3",
            "`BYMONTHDAY` does not go with FREQ=WEEKLY; write FREQ=MONTHLY, or `BYDAY`",
        ),
        (
            "FREQ=MONTHLY;BYSETPOS=1",
            "`BYSETPOS` takes some of the dates of another part; add `BYDAY` or `BYMONTHDAY`",
        ),
        (
            "FREQ=WEEKLY;BYDAY=MO,TU;BYSETPOS=1",
            "`BYSETPOS` goes with FREQ=MONTHLY or FREQ=YEARLY alone",
        ),
        (
            "FREQ=DAILY;COUNT=3;UNTIL=20300101",
            "`COUNT` and `UNTIL` both end the rule; remove one of them",
        ),
        (
            "FREQ=DAILY;FREQ=DAILY",
            "`FREQ` stands twice; write its values in one list, joined by `,`",
        ),
    ] {
        assert_eq!(refused(rule), message, "{rule}");
    }
}

#[test]
fn it_begins_with_its_first_date_and_gives_no_more_than_is_told_of_a_rule() {
    let refused = |rule: &str, first: &str| {
        dates(rule, first, "2099-12-31")
            .expect_err(rule)
            .to_string()
    };
    let told = "the rule does not give 2026-01-14, with which it is to begin";
    assert_eq!(
        refused("FREQ=MONTHLY;BYDAY=2TU", "2026-01-14"),
        format!("{told}; the next that it gives is 2026-02-10")
    );
    assert_eq!(
        refused("FREQ=MONTHLY;BYDAY=1WE;BYMONTHDAY=30", "2026-01-14"),
        told
    );
    assert_eq!(
        refused("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30", "2026-01-14"),
        told
    );
    assert_eq!(refused("FREQ=DAILY;UNTIL=20260113", "2026-01-14"), told);
    assert_eq!(
        refused("FREQ=DAILY", "1899-12-31"),
        "dates recur from 1900-01-01 on"
    );
    assert_eq!(
        refused("FREQ=DAILY", "2026-01-01"),
        "the rule gives too many dates; end it by UNTIL or COUNT, or let it give fewer"
    );
}

const FREQUENCIES: [&str; 4] = ["DAILY", "WEEKLY", "MONTHLY", "YEARLY"];
const WEEKDAYS: [(&str, Weekday); 7] = [
    ("MO", Weekday::Mon),
    ("TU", Weekday::Tue),
    ("WE", Weekday::Wed),
    ("TH", Weekday::Thu),
    ("FR", Weekday::Fri),
    ("SA", Weekday::Sat),
    ("SU", Weekday::Sun),
];

/// A rule in parts, as somebody would think of it.
#[derive(Clone, Debug)]
struct Said {
    frequency: usize,
    interval: u32,
    months: BTreeSet<u32>,
    month_days: BTreeSet<i64>,
    /// Counted by zero where every one is meant.
    weekdays: BTreeSet<(i64, usize)>,
    places: BTreeSet<i64>,
    week_start: Option<usize>,
    count: Option<usize>,
    /// Days after the first one.
    until: Option<u64>,
}

fn list<T: std::fmt::Display>(name: &str, items: impl IntoIterator<Item = T>) -> Option<String> {
    let items: Vec<String> = items.into_iter().map(|item| item.to_string()).collect();
    (!items.is_empty()).then(|| format!("{name}={}", items.join(",")))
}

impl Said {
    fn text(&self, first: NaiveDate) -> String {
        let weekday = |(count, day): &(i64, usize)| match count {
            0 => WEEKDAYS[*day].0.to_owned(),
            count => format!("{count}{}", WEEKDAYS[*day].0),
        };
        let parts = [
            list("FREQ", [FREQUENCIES[self.frequency]]),
            list("INTERVAL", (self.interval > 1).then_some(self.interval)),
            list("BYMONTH", &self.months),
            list("BYMONTHDAY", &self.month_days),
            list("BYDAY", self.weekdays.iter().map(weekday)),
            list("BYSETPOS", &self.places),
            list("WKST", self.week_start.map(|day| WEEKDAYS[day].0)),
            list("COUNT", self.count),
            list(
                "UNTIL",
                self.until
                    .map(|days| (first + Days::new(days)).format("%Y%m%d")),
            ),
        ];
        parts.into_iter().flatten().collect::<Vec<_>>().join(";")
    }

    /// Which day, week, month or year a date is in, counted from some fixed one.
    fn period(&self, date: NaiveDate) -> i64 {
        let day = i64::from(date.num_days_from_ce());
        // Day 1 was a Monday.
        let week_start = i64::try_from(self.week_start.unwrap_or(0)).expect("small");
        match self.frequency {
            0 => day,
            1 => (day - 1 - week_start).div_euclid(7),
            2 => i64::from(date.year()) * 12 + i64::from(date.month0()),
            _ => i64::from(date.year()),
        }
    }

    /// Whether a date is one of those that its parts name, places left out.
    fn names(&self, date: NaiveDate, first: NaiveDate) -> bool {
        let from_end = i64::from(date.day()) - 1 - i64::from(length_of_month(date));
        let month_day = |wanted: &i64| *wanted == i64::from(date.day()) || *wanted == from_end;
        let by_default = self.month_days.is_empty() && self.weekdays.is_empty();
        (self.months.is_empty() || self.months.contains(&date.month()))
            && (self.month_days.is_empty() || self.month_days.iter().any(month_day))
            && (self.weekdays.is_empty()
                || self.weekdays.iter().any(|day| self.is_weekday(*day, date)))
            && match self.frequency {
                1 if by_default => date.weekday() == first.weekday(),
                2 if by_default => date.day() == first.day(),
                3 if by_default => {
                    date.day() == first.day()
                        && (!self.months.is_empty() || date.month() == first.month())
                }
                _ => true,
            }
    }

    fn is_weekday(&self, (count, day): (i64, usize), date: NaiveDate) -> bool {
        let in_year = self.frequency == 3 && self.months.is_empty();
        let (nth, length) = if in_year {
            (date.ordinal0(), if date.leap_year() { 366 } else { 365 })
        } else {
            (date.day0(), length_of_month(date))
        };
        let from_start = i64::from(nth / 7) + 1;
        let from_end = -(i64::from((length - 1 - nth) / 7) + 1);
        date.weekday() == WEEKDAYS[day].1 && [0, from_start, from_end].contains(&count)
    }

    /// Whether a date is at one of the places among those named in its period.
    fn is_at_place(&self, date: NaiveDate, first: NaiveDate) -> bool {
        if self.places.is_empty() {
            return true;
        }
        let start = NaiveDate::from_ymd_opt(
            date.year(),
            if self.frequency == 3 { 1 } else { date.month() },
            1,
        );
        let days = start.expect("a date").iter_days();
        let days = days.take_while(|day| self.period(*day) == self.period(date));
        let named: Vec<_> = days.filter(|day| self.names(*day, first)).collect();
        let at = named
            .iter()
            .position(|day| *day == date)
            .expect("it is named");
        let at = i64::try_from(at).expect("small");
        let length = i64::try_from(named.len()).expect("small");
        self.places.contains(&(at + 1)) || self.places.contains(&(at - length))
    }

    /// Every date that it gives, found by looking at each.
    fn given(&self, first: NaiveDate, last: NaiveDate) -> Vec<String> {
        let all = first.iter_days().take_while(|day| *day <= last);
        let given = all.filter(|day| {
            (self.period(*day) - self.period(first)) % i64::from(self.interval) == 0
                && self.names(*day, first)
                && self.is_at_place(*day, first)
                && self
                    .until
                    .is_none_or(|days| *day <= first + Days::new(days))
        });
        let most = self.count.unwrap_or(usize::MAX);
        given.take(most).map(|day| day.to_string()).collect()
    }
}

fn length_of_month(date: NaiveDate) -> u32 {
    let next = date
        .with_day(1)
        .expect("a first")
        .checked_add_months(chrono::Months::new(1));
    next.expect("a date").pred_opt().expect("a date").day()
}

fn rules() -> impl Strategy<Value = Said> {
    let weekdays = |counts: std::ops::RangeInclusive<i64>| {
        prop::collection::btree_set((counts, 0..7_usize), 0..4)
    };
    let counted = prop_oneof![3 => -4..=-1_i64, 3 => 1..=5_i64, 1 => -52..=53_i64];
    let counted = prop::collection::btree_set((counted, 0..7_usize), 1..4);
    let weekdays = prop_oneof![weekdays(0..=0), counted];
    let month_day = prop_oneof![1..=31_i64, -31..=-1_i64];
    let place = prop_oneof![1..=5_i64, -5..=-1_i64];
    (
        (0..4_usize, 1..=4_u32),
        prop::collection::btree_set(1..=12_u32, 0..4),
        prop::collection::btree_set(month_day, 0..5),
        weekdays,
        prop_oneof![2 => Just(BTreeSet::new()), 1 => prop::collection::btree_set(place, 1..3)],
        prop::option::of(0..7_usize),
        prop_oneof![2 => Just(None), 1 => (1..30_usize).prop_map(Some)],
        prop_oneof![2 => Just(None), 1 => (0..3_000_u64).prop_map(Some)],
    )
        .prop_map(
            |(
                (frequency, interval),
                months,
                mut month_days,
                mut weekdays,
                mut places,
                week_start,
                count,
                until,
            )| {
                if frequency == 1 {
                    month_days.clear();
                }
                if frequency < 2 {
                    weekdays = weekdays.into_iter().map(|(_, day)| (0, day)).collect();
                }
                if frequency != 3 || !months.is_empty() {
                    weekdays.retain(|(count, _)| (-4..=5).contains(count));
                }
                // Plain and counted weekdays do not stand together.
                let some_counted = weekdays.iter().any(|(count, _)| *count != 0);
                weekdays.retain(|(count, _)| *count != 0 || !some_counted);
                if frequency < 2
                    || (months.is_empty() && month_days.is_empty() && weekdays.is_empty())
                {
                    places.clear();
                }
                let until = until.filter(|_| count.is_none());
                Said {
                    frequency,
                    interval,
                    months,
                    month_days,
                    weekdays,
                    places,
                    week_start,
                    count,
                    until,
                }
            },
        )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, max_global_rejects: 100_000, ..ProptestConfig::default() })]

    #[test]
    fn a_rule_gives_what_a_look_at_every_day_finds(said in rules(), from in 0..2_500_u64) {
        let start = NaiveDate::from_ymd_opt(2020, 1, 1).expect("a date") + Days::new(from);
        let some_years = start + Days::new(1_500);
        // The first date from there on that it can begin with; in any period, as none came before.
        let mut days = start.iter_days().take_while(|day| *day <= some_years);
        let first = days.find(|day| said.names(*day, *day) && said.is_at_place(*day, *day));
        prop_assume!(first.is_some());
        let first = first.expect("assumed");
        let last = first + Days::new(3_700);
        let expected = said.given(first, last);
        prop_assert_eq!(dates(&said.text(first), &first.to_string(), &last.to_string()), Ok(expected));
    }

    #[test]
    fn whatever_is_written_is_a_rule_with_its_first_date_or_refused(
        text in "(FREQ=(DAILY|WEEKLY|MONTHLY|YEARLY)|(INTERVAL|COUNT|BYMONTH|BYMONTHDAY|BYDAY|BYSETPOS|WKST|UNTIL)=[-0-9,]{0,5}(MO|SU|20270101)?|\\PC{0,4})(;(BYMONTH|BYDAY|BYSETPOS)=[-0-9,]{0,4}(MO|FR)?){0,3}",
    ) {
        if let Ok(given) = dates(&text, "2026-01-01", "2040-12-31") {
            prop_assert_eq!(&given[0], "2026-01-01");
            prop_assert!(given.is_sorted());
        }
    }
}
