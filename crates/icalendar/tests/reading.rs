//! What files say, told singly.

use chrono_tz::Tz;
use proptest::prelude::*;
use servicewright_icalendar::{Event, File, ReadError, Reason, Span, Window, read};

const BRUSSELS: Tz = Tz::Europe__Brussels;

fn window(from: &str, to: &str) -> Window {
    Window {
        from: from.parse().expect("a date"),
        to: to.parse().expect("a date"),
    }
}

fn file(events: &str) -> String {
    let text = format!(
        "BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:-//Example//Desk//EN\n{}\nEND:VCALENDAR\n",
        events.trim()
    );
    text.replace('\n', "\r\n")
}

fn event(lines: &str) -> String {
    format!(
        "BEGIN:VEVENT\nUID:one@desk.example\nSUMMARY:Shift\n{}\nEND:VEVENT\n",
        lines.trim()
    )
}

fn told(file: &File) -> Vec<String> {
    let line = |event: &Event| {
        let (from, to) = match event.span {
            Span::Days(from, to) => (from.to_string(), to.to_string()),
            Span::Time(from, to) => (from.to_string(), to.to_string()),
        };
        format!("{from} {to} {}", event.summary)
    };
    file.events.iter().map(line).collect()
}

/// What is told of events between two dates, and nothing skipped.
fn check(events: &str, from: &str, to: &str, expected: &[&str]) {
    let file = read(&file(events), window(from, to), BRUSSELS).expect("a calendar");
    assert_eq!(file.skipped, []);
    assert_eq!(told(&file), expected);
}

fn refused(lines: &str) -> Reason {
    let file = read(
        &file(&event(lines)),
        window("2026-01-01", "2027-01-01"),
        BRUSSELS,
    );
    let mut file = file.expect("a calendar");
    assert_eq!(file.events, [], "{lines}");
    assert_eq!(file.skipped.len(), 1, "{lines}");
    assert_eq!(file.skipped[0].uid, "one@desk.example");
    file.skipped.remove(0).reason
}

#[test]
fn holidays_are_whole_days() {
    check(
        "BEGIN:VEVENT
UID:newyear@holidays.example
DTSTART;VALUE=DATE:20000101
RRULE:FREQ=YEARLY
SUMMARY:New Year's Day
END:VEVENT
BEGIN:VEVENT
UID:labour@holidays.example
DTSTART;VALUE=DATE:20000101
RRULE:FREQ=YEARLY;BYMONTH=9;BYDAY=1MO
SUMMARY:Labor Day
END:VEVENT
BEGIN:VEVENT
UID:bridge@holidays.example
DTSTART;VALUE=DATE:20261224
DTEND;VALUE=DATE:20261227
SUMMARY:Christmas\\, and the days
  around it
END:VEVENT",
        "2026-01-01",
        "2027-01-02",
        &[
            "2026-01-01 2026-01-02 New Year's Day",
            "2026-09-07 2026-09-08 Labor Day",
            "2026-12-24 2026-12-27 Christmas, and the days around it",
            "2027-01-01 2027-01-02 New Year's Day",
        ],
    );
}

#[test]
fn a_nightly_shift_ends_at_the_same_time_when_the_clocks_are_changed() {
    check(
        &event(
            "DTSTART;TZID=Europe/Brussels:20260327T180000\nDTEND;TZID=Europe/Brussels:20260328T080000\nRRULE:FREQ=DAILY;COUNT=3",
        ),
        "2026-03-01",
        "2026-05-01",
        &[
            "2026-03-27T17:00:00Z 2026-03-28T07:00:00Z Shift",
            "2026-03-28T17:00:00Z 2026-03-29T06:00:00Z Shift",
            "2026-03-29T16:00:00Z 2026-03-30T06:00:00Z Shift",
        ],
    );
}

#[test]
fn times_that_a_change_of_the_clocks_skips_or_repeats_exist_once() {
    check(
        &event(
            "DTSTART;TZID=Europe/Brussels:20260328T023000\nDURATION:PT30M\nRRULE:FREQ=DAILY;COUNT=2",
        ),
        "2026-03-28",
        "2026-03-30",
        &[
            "2026-03-28T01:30:00Z 2026-03-28T02:00:00Z Shift",
            "2026-03-29T01:30:00Z 2026-03-29T01:30:00Z Shift",
        ],
    );
    check(
        &event("DTSTART;TZID=Europe/Brussels:20261025T023000\nDURATION:PT30M"),
        "2026-10-25",
        "2026-10-26",
        &["2026-10-25T00:30:00Z 2026-10-25T02:00:00Z Shift"],
    );
}

#[test]
fn the_end_of_a_rule_is_an_instant_on_the_clocks_of_its_start() {
    // 22:30 UTC is 23:30 in Brussels: the last start is included.
    check(
        &event(
            "DTSTART;TZID=Europe/Brussels:20261229T233000\nDURATION:PT1H\nRRULE:FREQ=DAILY;UNTIL=20261231T223000Z",
        ),
        "2026-12-31",
        "2027-02-01",
        &[
            "2026-12-30T22:30:00Z 2026-12-30T23:30:00Z Shift",
            "2026-12-31T22:30:00Z 2026-12-31T23:30:00Z Shift",
        ],
    );
    check(
        &event(
            "DTSTART;TZID=America/New_York:20260105T090000\nDURATION:PT1H\nRRULE:FREQ=WEEKLY;BYDAY=MO;UNTIL=20260112",
        ),
        "2026-01-01",
        "2026-02-01",
        &[
            "2026-01-05T14:00:00Z 2026-01-05T15:00:00Z Shift",
            "2026-01-12T14:00:00Z 2026-01-12T15:00:00Z Shift",
        ],
    );
}

#[test]
fn repetitions_are_left_out_added_moved_and_cancelled() {
    let series = event(
        "SEQUENCE:2\nDTSTART;TZID=Europe/Brussels:20260105T090000\nDTEND;TZID=Europe/Brussels:20260105T170000\nRRULE:FREQ=WEEKLY;COUNT=5\nEXDATE;TZID=Europe/Brussels:20260112T090000\nRDATE;TZID=Europe/Brussels:20260114T090000\nRDATE;VALUE=PERIOD:20260115T080000Z/PT2H",
    );
    let moved = event(
        "SEQUENCE:3\nRECURRENCE-ID:20260119T080000Z\nDTSTART:20260120T080000Z\nDTEND:20260120T100000Z",
    );
    let cancelled = event(
        "STATUS:CANCELLED\nRECURRENCE-ID;TZID=Europe/Brussels:20260126T090000\nDTSTART;TZID=Europe/Brussels:20260126T090000",
    );
    // Another series with a repetition at the same time is not touched.
    let other = event("DTSTART:20260119T080000Z\nDURATION:PT1H").replace("one@", "other@");
    check(
        &[series, moved, cancelled, other].concat(),
        "2026-01-01",
        "2026-03-01",
        &[
            "2026-01-05T08:00:00Z 2026-01-05T16:00:00Z Shift",
            "2026-01-14T08:00:00Z 2026-01-14T16:00:00Z Shift",
            "2026-01-15T08:00:00Z 2026-01-15T10:00:00Z Shift",
            "2026-01-19T08:00:00Z 2026-01-19T09:00:00Z Shift",
            "2026-01-20T08:00:00Z 2026-01-20T10:00:00Z Shift",
            "2026-02-02T08:00:00Z 2026-02-02T16:00:00Z Shift",
        ],
    );
}

#[test]
fn a_zone_is_found_by_what_the_file_tells_of_it() {
    let zone = "BEGIN:VTIMEZONE\nTZID:Romance Standard Time\nEND:VTIMEZONE\nBEGIN:VTIMEZONE\nTZID:/desk.example/ours\nX-LIC-LOCATION:Asia/Tokyo\nEND:VTIMEZONE\n";
    let windows = event("DTSTART;TZID=Romance Standard Time:20260105T090000\nDURATION:PT1H");
    let ours = event("DTSTART;TZID=/desk.example/ours:20260105T090000\nDURATION:PT1H");
    let floating = event("DTSTART:20260105T100000\nDURATION:PT1H");
    check(
        &[zone, &windows, &ours, &floating].concat(),
        "2026-01-01",
        "2026-02-01",
        &[
            "2026-01-05T00:00:00Z 2026-01-05T01:00:00Z Shift",
            "2026-01-05T08:00:00Z 2026-01-05T09:00:00Z Shift",
            "2026-01-05T09:00:00Z 2026-01-05T10:00:00Z Shift",
        ],
    );
}

#[test]
fn who_takes_part_is_told() {
    let text = file(&event(
        "DTSTART:20260105T090000Z\nATTENDEE;CN=Ada;ROLE=REQ-PARTICIPANT:mailto:ada@desk.example\nATTENDEE:mailto:ben@desk.example",
    ));
    let file = read(&text, window("2026-01-01", "2026-02-01"), BRUSSELS).expect("a calendar");
    let people = file.events[0].attendees.iter();
    let people: Vec<_> = people
        .map(|one| (one.name.as_deref(), &*one.address))
        .collect();
    assert_eq!(
        people,
        [
            (Some("Ada"), "mailto:ada@desk.example"),
            (None, "mailto:ben@desk.example")
        ]
    );
}

#[test]
fn what_cannot_be_read_is_told_and_spares_the_rest() {
    for (lines, reason) in [
        ("DESCRIPTION:Nothing else", Reason::NoStart),
        ("DTSTART;VALUE=DATE:20260230", Reason::Time),
        (
            "DTSTART;TZID=Mars/Olympus:20260101T090000",
            Reason::Zone("Mars/Olympus".to_owned()),
        ),
        (
            "DTSTART:20260101T090000Z\nDTEND:20260101T080000Z",
            Reason::Backwards,
        ),
        (
            "DTSTART:20260101T090000Z\nRRULE:FREQ=SOMETIMES",
            Reason::Rule,
        ),
        (
            "DTSTART:20260101T090000Z\nRRULE:FREQ=HOURLY",
            Reason::TooOften,
        ),
        (
            "DTSTART:20260101T090000Z\nRRULE:FREQ=DAILY;BYHOUR=1,2,3,4,5,6,7;BYMINUTE=1,2,3,4",
            Reason::TooOften,
        ),
        (
            "DTSTART:19000101T090000Z\nRRULE:FREQ=DAILY",
            Reason::TooManyTimes,
        ),
        (
            "DTSTART:20260101T090000Z\nRECURRENCE-ID;RANGE=THISANDFUTURE:20260102T090000Z",
            Reason::ThisAndFuture,
        ),
    ] {
        assert_eq!(refused(lines), reason, "{lines}");
    }
}

#[test]
fn files_past_the_bounds_are_refused() {
    let year = window("2026-01-01", "2027-01-01");
    let refused = |text: &str| read(text, year, BRUSSELS).expect_err("refused");
    assert_eq!(refused("kind: Calendar\n"), ReadError::NoCalendar);
    assert_eq!(
        refused(&" ".repeat((4 << 20) + 1)),
        ReadError::TooLong((4 << 20) + 1)
    );
    let bare = "BEGIN:VEVENT\nDTSTART:20260105T090000Z\nEND:VEVENT\n";
    assert_eq!(
        refused(&file(&bare.repeat(20_001))),
        ReadError::TooManyEvents
    );
    let daily = "BEGIN:VEVENT\nDTSTART:20260101\nRRULE:FREQ=DAILY\nEND:VEVENT\n";
    assert_eq!(
        refused(&file(&daily.repeat(501))),
        ReadError::TooManyRepeating
    );
    assert_eq!(refused(&file(&daily.repeat(500))), ReadError::TooManyTold);
}

#[test]
fn rules_that_never_come_true_end_soon() {
    let never = "BEGIN:VEVENT\nDTSTART:20260105T090000Z\nRRULE:FREQ=RULE;BYMONTH=2;BYMONTHDAY=30\nEND:VEVENT\n";
    for frequency in ["YEARLY", "MONTHLY", "WEEKLY", "DAILY"] {
        let text = file(&never.replace("RULE;", &format!("{frequency};")));
        let file = read(&text, window("2026-01-01", "2027-01-01"), BRUSSELS).expect("read");
        assert_eq!(file.events, [], "{frequency}");
    }
}

proptest! {
    #[test]
    fn a_weekly_rule_gives_what_counting_days_gives(
        first in 0..3_000i64,
        interval in 1..5u32,
        days in prop::collection::btree_set(0..7usize, 1..4),
        length in 0..1_000i64,
        count in 1..40usize,
    ) {
        use chrono::{Datelike as _, NaiveDate, TimeDelta};
        const NAMES: [&str; 7] = ["MO", "TU", "WE", "TH", "FR", "SA", "SU"];
        let start = NaiveDate::from_ymd_opt(2020, 1, 1).expect("a date") + TimeDelta::days(first);
        let weekday = |date: NaiveDate| usize::try_from(date.weekday().num_days_from_monday()).expect("0 to 6");
        let mut days = days;
        days.insert(weekday(start));
        let by_day: Vec<_> = days.iter().map(|day| NAMES[*day]).collect();
        let text = file(&event(&format!(
            "DTSTART;VALUE=DATE:{}\nRRULE:FREQ=WEEKLY;INTERVAL={interval};COUNT={count};BYDAY={}",
            start.format("%Y%m%d"), by_day.join(",")
        )));
        let to = start + TimeDelta::days(length);
        let asked = Window {
            from: model::definition::Date::from_naive(start).expect("a date"),
            to: model::definition::Date::from_naive(to).expect("a date"),
        };
        let found = read(&text, asked, BRUSSELS).expect("a calendar");
        let monday = start - TimeDelta::days(i64::try_from(weekday(start)).expect("0 to 6"));
        let expected: Vec<_> = start
            .iter_days()
            .take(20_000)
            .filter(|date| {
                let week = (*date - monday).num_days() / 7;
                days.contains(&weekday(*date)) && week % i64::from(interval) == 0
            })
            .take(count)
            .take_while(|date| *date < to)
            .map(|date| format!("{date} {} Shift", date + TimeDelta::days(1)))
            .collect();
        prop_assert_eq!(found.skipped, []);
        prop_assert_eq!(told(&File { events: found.events, skipped: Vec::new() }), expected);
    }

    #[test]
    fn no_text_is_too_much(
        lines in prop::collection::vec((
            prop::sample::select(vec![
                "BEGIN:VEVENT", "END:VEVENT", "DTSTART", "DTSTART;VALUE=DATE", "DTSTART;TZID=Europe/Brussels", "DTEND",
                "DURATION", "RRULE:FREQ=YEARLY", "RRULE:FREQ=MONTHLY;BYDAY=-1FR", "RRULE:FREQ=DAILY;BYSETPOS=1;BYHOUR=3",
                "EXDATE", "RDATE", "RDATE;VALUE=PERIOD", "RECURRENCE-ID", "UID", "SUMMARY", "STATUS", "BEGIN:VCALENDAR",
            ]),
            prop::sample::select(vec![
                "", ":", ":20260101", ":20260101T090000", ":99991231T235959Z", ":00010101T000000Z", ":P9999999W", ":-P1D",
                ":20260101T090000Z/PT1H", ";UNTIL=20260301", ";COUNT=0", ";INTERVAL=65535", ":CANCELLED", ":x",
            ]),
        ), 0..30),
    ) {
        let lines: Vec<String> = lines.into_iter().map(|(name, value)| format!("{name}{value}\n")).collect();
        let found = read(&file(&lines.concat()), window("2025-01-01", "2027-01-01"), BRUSSELS);
        for event in found.unwrap_or_default().events {
            let ends_late = match event.span {
                Span::Days(from, to) => from < to,
                Span::Time(from, to) => from <= to,
            };
            prop_assert!(ends_late);
        }
    }
}
