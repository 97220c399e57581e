//! What business time is on the days on which desks disagree: clock changes, half days, nights.

use model::{Duration, Instant};
use serde_json::{Value, json};
use servicewright_calendar::Calendar;

fn at(text: &str) -> Instant {
    text.parse().expect(text)
}

fn span(text: &str) -> Duration {
    text.parse().expect(text)
}

fn calendar(definition: Value) -> Calendar {
    Calendar::compile(&serde_json::from_value(definition).expect("well-formed"))
        .expect("within bounds")
}

fn office() -> Calendar {
    let day = json!({ "morning": "08:00-12:00", "noon": "13:00-17:00" });
    calendar(json!({
        "zone": "Europe/Brussels",
        "day": "PT8H",
        "hours": { "mon": day, "tue": day, "wed": day, "thu": day, "fri": day },
        "holidays": {
            "2026-12-24": { "name": "Christmas Eve", "hours": { "morning": "08:00-12:00" } },
            "2026-12-25": { "name": "Christmas" },
        },
    }))
}

fn every_day(zone: &str, hours: &str) -> Value {
    let day = json!({ "all": hours });
    json!({
        "zone": zone,
        "hours": { "mon": day, "tue": day, "wed": day, "thu": day, "fri": day, "sat": day, "sun": day },
    })
}

#[track_caller]
fn check_due(calendar: &Calendar, start: &str, add: &str, due: &str) {
    assert_eq!(
        calendar
            .add(at(start), span(add))
            .map(Instant::to_seconds_text)
            .as_deref(),
        Some(due)
    );
}

#[track_caller]
fn check_between(calendar: &Calendar, start: &str, end: &str, passed: &str) {
    assert_eq!(calendar.between(at(start), at(end)), span(passed));
}

#[test]
fn a_goal_used_up_at_closing_time_is_due_at_that_closing_time() {
    let office = office();
    // Friday 09:00 on a summer clock; noon closes at 17:00 local, 15:00 UTC.
    check_due(
        &office,
        "2026-06-05T07:00:00Z",
        "PT7H",
        "2026-06-05T15:00:00Z",
    );
    check_due(
        &office,
        "2026-06-05T07:00:00Z",
        "PT7H0.001S",
        "2026-06-08T06:00:00Z",
    );
    check_due(
        &office,
        "2026-06-05T07:00:00Z",
        "PT3H",
        "2026-06-05T10:00:00Z",
    );
    check_due(
        &office,
        "2026-06-06T07:00:00Z",
        "PT8H",
        "2026-06-08T15:00:00Z",
    );
    check_due(
        &office,
        "2026-06-06T07:00:00Z",
        "PT0S",
        "2026-06-06T07:00:00Z",
    );
    assert_eq!(office.day(), Some(span("PT8H")));
    assert_eq!(office.zone().name(), "Europe/Brussels");
}

#[test]
fn a_half_day_has_only_its_own_hours() {
    let office = office();
    check_between(
        &office,
        "2026-12-24T00:00:00Z",
        "2026-12-26T00:00:00Z",
        "PT4H",
    );
    check_due(
        &office,
        "2026-12-24T08:00:00Z",
        "PT4H",
        "2026-12-28T08:00:00Z",
    );
    check_due(
        &office,
        "2026-12-23T15:00:00Z",
        "PT8H",
        "2026-12-28T10:00:00Z",
    );
    assert_eq!(
        office.next_open(at("2026-12-24T11:00:00Z")),
        Some(at("2026-12-28T07:00:00Z"))
    );
    assert_eq!(
        office.next_open(at("2026-12-24T08:30:00.500Z")),
        Some(at("2026-12-24T08:30:00.500Z"))
    );
    assert!(!office.is_open(at("2026-12-24T12:30:00Z")));
}

#[test]
fn a_night_is_an_hour_shorter_or_longer_as_clocks_change() {
    let night = calendar(every_day("Europe/Brussels", "22:00-06:00"));
    check_between(
        &night,
        "2026-03-27T12:00:00Z",
        "2026-03-28T12:00:00Z",
        "PT8H",
    );
    check_between(
        &night,
        "2026-03-28T12:00:00Z",
        "2026-03-29T12:00:00Z",
        "PT7H",
    );
    check_between(
        &night,
        "2026-10-24T12:00:00Z",
        "2026-10-25T12:00:00Z",
        "PT9H",
    );
    check_due(
        &night,
        "2026-03-28T12:00:00Z",
        "PT7H",
        "2026-03-29T04:00:00Z",
    );
    check_due(
        &night,
        "2026-10-24T12:00:00Z",
        "PT9H",
        "2026-10-25T05:00:00Z",
    );
}

#[test]
fn skipped_local_time_does_not_exist_and_repeated_counts_twice() {
    let early = calendar(every_day("Europe/Brussels", "02:00-03:00"));
    check_between(
        &early,
        "2026-03-28T12:00:00Z",
        "2026-03-29T12:00:00Z",
        "PT0S",
    );
    check_between(
        &early,
        "2026-10-24T12:00:00Z",
        "2026-10-25T12:00:00Z",
        "PT2H",
    );
    let part = calendar(every_day("Europe/Brussels", "02:15-02:30"));
    check_between(
        &part,
        "2026-10-24T12:00:00Z",
        "2026-10-25T12:00:00Z",
        "PT30M",
    );
    // 02:15 to 02:30 comes at 00:15 and again at 01:15 UTC.
    check_due(
        &part,
        "2026-10-24T12:00:00Z",
        "PT15M",
        "2026-10-25T00:30:00Z",
    );
    check_due(
        &part,
        "2026-10-24T12:00:00Z",
        "PT20M",
        "2026-10-25T01:20:00Z",
    );
    let half_hour = calendar(every_day("Australia/Lord_Howe", "01:30-02:00"));
    check_between(
        &half_hour,
        "2026-04-04T12:00:00Z",
        "2026-04-05T00:00:00Z",
        "PT1H",
    );
    let skipped = calendar(every_day("Australia/Lord_Howe", "02:00-02:30"));
    check_between(
        &skipped,
        "2026-10-03T12:00:00Z",
        "2026-10-04T00:00:00Z",
        "PT0S",
    );
}

#[test]
fn a_date_that_was_never_there_has_no_hours() {
    // Samoa went from 29 to 31 December 2011 at midnight.
    let apia =
        calendar(json!({ "zone": "Pacific/Apia", "hours": { "fri": { "all": "00:00-24:00" } } }));
    check_between(
        &apia,
        "2011-12-25T00:00:00Z",
        "2012-01-05T00:00:00Z",
        "PT0S",
    );
    let always = calendar(json!({ "zone": "Pacific/Apia", "always": true }));
    check_between(
        &always,
        "2011-12-25T00:00:00Z",
        "2012-01-05T00:00:00Z",
        "P11D",
    );
}

#[test]
fn a_holiday_replaces_what_opens_on_it_and_not_what_opened_the_night_before() {
    let mut nights = every_day("UTC", "22:00-06:00");
    nights["holidays"] =
        json!({ "2026-05-01": {}, "2026-07-21": { "hours": { "day": "09:00-10:00" } } });
    let nights = calendar(nights);
    // The night that opened on 30 April still runs until 06:00; the next one does not open.
    check_between(
        &nights,
        "2026-05-01T00:00:00Z",
        "2026-05-02T00:00:00Z",
        "PT6H",
    );
    check_between(
        &nights,
        "2026-05-02T00:00:00Z",
        "2026-05-03T00:00:00Z",
        "PT2H",
    );
    check_between(
        &nights,
        "2026-07-21T00:00:00Z",
        "2026-07-22T00:00:00Z",
        "PT7H",
    );
    check_due(
        &nights,
        "2026-05-01T05:00:00Z",
        "PT2H",
        "2026-05-02T23:00:00Z",
    );

    let mut days = every_day("UTC", "09:00-17:00");
    days["holidays"] = json!({ "2026-05-01": { "hours": { "watch": "20:00-10:00" } } });
    let days = calendar(days);
    // The watch spills into 2 May and overlaps that day's own hours from 09:00: counted once.
    check_between(
        &days,
        "2026-05-01T00:00:00Z",
        "2026-05-02T00:00:00Z",
        "PT4H",
    );
    check_between(
        &days,
        "2026-05-02T00:00:00Z",
        "2026-05-03T00:00:00Z",
        "PT17H",
    );
}

#[test]
fn intervals_that_overlap_count_once() {
    let overlapping =
        json!({ "a": "08:00-12:00", "b": "11:00-15:00", "c": "12:30-13:00", "d": "15:00-16:00" });
    let desk = calendar(json!({ "zone": "UTC", "hours": { "mon": overlapping } }));
    check_between(
        &desk,
        "2026-06-01T00:00:00Z",
        "2026-06-02T00:00:00Z",
        "PT8H",
    );
    check_due(
        &desk,
        "2026-06-01T00:00:00Z",
        "PT8H",
        "2026-06-01T16:00:00Z",
    );
}

#[test]
fn round_the_clock_is_plain_time_but_for_holidays() {
    let always = calendar(json!({ "zone": "Europe/Brussels", "always": true }));
    check_due(
        &always,
        "2026-03-28T12:00:00Z",
        "P1D",
        "2026-03-29T12:00:00Z",
    );
    check_between(
        &always,
        "1900-01-01T00:00:00Z",
        "1900-01-01T00:00:01Z",
        "PT1S",
    );
    let closed =
        calendar(json!({ "zone": "UTC", "always": true, "holidays": { "2026-01-01": {} } }));
    check_between(
        &closed,
        "2025-12-31T00:00:00Z",
        "2026-01-03T00:00:00Z",
        "P2D",
    );
}

#[test]
fn a_freeze_is_a_calendar_of_dates_only() {
    let all = json!({ "hours": { "all": "00:00-24:00" } });
    let freeze = calendar(
        json!({ "zone": "UTC", "holidays": { "2026-12-24": all, "2026-12-25": all, "2034-12-24": all } }),
    );
    assert!(
        freeze.is_open(at("2026-12-25T23:59:59.999Z"))
            && !freeze.is_open(at("2026-12-26T00:00:00Z"))
    );
    check_due(
        &freeze,
        "2026-06-01T00:00:00Z",
        "P2D",
        "2026-12-26T00:00:00Z",
    );
    check_due(
        &freeze,
        "2026-06-01T00:00:00Z",
        "P3D",
        "2034-12-25T00:00:00Z",
    );
    assert_eq!(freeze.add(at("2026-06-01T00:00:00Z"), span("P3DT1S")), None);
}

#[test]
fn what_waits_ten_years_for_business_time_is_never_due() {
    let never = calendar(json!({ "zone": "Europe/Brussels" }));
    assert_eq!(never.add(at("2026-01-01T00:00:00Z"), span("PT1S")), None);
    assert_eq!(
        never.add(at("2026-01-01T00:00:00Z"), Duration::ZERO),
        Some(at("2026-01-01T00:00:00Z"))
    );
    assert_eq!(never.next_open(at("2026-01-01T00:00:00Z")), None);

    let all = json!({ "hours": { "all": "00:00-24:00" } });
    let rare =
        calendar(json!({ "zone": "UTC", "holidays": { "2020-01-01": all, "2040-01-01": all } }));
    assert_eq!(
        rare.add(at("2020-01-01T12:00:00Z"), span("PT12H")),
        Some(at("2020-01-02T00:00:00Z"))
    );
    assert_eq!(rare.add(at("2020-01-01T12:00:00Z"), span("PT13H")), None);
    assert_eq!(rare.next_open(at("2029-01-01T00:00:00Z")), None);
    assert_eq!(
        rare.next_open(at("2031-01-01T00:00:00Z")),
        Some(at("2040-01-01T00:00:00Z"))
    );
    check_due(
        &rare,
        "2031-01-01T00:00:00Z",
        "PT1H",
        "2040-01-01T01:00:00Z",
    );

    // Closed date by date for eleven years, in a week that is otherwise open.
    let first = chrono::NaiveDate::from_ymd_opt(2020, 1, 1).expect("a date");
    let closed: serde_json::Map<_, _> = first
        .iter_days()
        .take(4018)
        .map(|date| (date.to_string(), json!({})))
        .collect();
    let mut renovated = every_day("UTC", "09:00-17:00");
    renovated["holidays"] = closed.into();
    let renovated = calendar(renovated);
    check_due(
        &renovated,
        "2019-12-31T16:00:00Z",
        "PT1H",
        "2019-12-31T17:00:00Z",
    );
    assert_eq!(
        renovated.add(at("2019-12-31T16:00:00Z"), span("PT2H")),
        None
    );
    check_due(
        &renovated,
        "2022-01-01T00:00:00Z",
        "PT2H",
        "2031-01-01T11:00:00Z",
    );
}

#[test]
fn there_is_no_business_time_outside_the_years_of_the_calendar() {
    let always = calendar(json!({ "zone": "UTC", "always": true }));
    let end = at("9999-12-31T23:59:59.999Z");
    assert_eq!(always.add(end, Duration::from_millis(1)), None);
    assert_eq!(
        always.add(Instant::EPOCH, Duration::from_millis(u64::MAX)),
        None
    );
    let (least, most) = (
        Instant::from_millis(i64::MIN),
        Instant::from_millis(i64::MAX),
    );
    assert_eq!(
        always.between(least, most),
        end.since(at("0001-01-01T00:00:00Z"))
    );
    assert_eq!(always.between(end, most), Duration::ZERO);
    assert_eq!(
        (
            always.next_open(most),
            always.is_open(most),
            always.is_open(least)
        ),
        (None, false, false)
    );
    assert_eq!(always.next_open(least), Some(at("0001-01-01T00:00:00Z")));
    assert_eq!(always.add(most, Duration::from_millis(1)), None);
}
