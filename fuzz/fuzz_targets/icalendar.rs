//! An iCalendar file, or a rule, as a stranger wrote it: read within its bounds, and what is told of it
//! lies within the dates asked for.
#![no_main]

use icalendar::{DateRule, Span, Window};

libfuzzer_sys::fuzz_target!(|text: &str| {
    let date = |text: &str| text.parse::<model::definition::Date>().expect("a date");
    if let Ok(rule) = text.parse::<DateRule>() {
        let (first, last) = (date("2026-01-01"), date("2099-12-31"));
        if let Ok(dates) = rule.dates(first, last) {
            assert!(dates[0] == first && dates.is_sorted());
            assert!(dates.last().is_some_and(|date| *date <= last));
        }
    }
    let window = Window {
        from: date("2025-01-01"),
        to: date("2028-01-01"),
    };
    let Ok(file) = icalendar::read(text, window, chrono_tz::Europe::Brussels) else {
        return;
    };
    for event in file.events {
        match event.span {
            Span::Days(from, to) => assert!(from < to && from < window.to && to > window.from),
            Span::Time(from, to) => assert!(from <= to),
        }
    }
});
