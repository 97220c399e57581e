//! An iCalendar file as a stranger wrote it: read within its bounds, and what is told of it lies within
//! the dates asked for.
#![no_main]

use icalendar::{Span, Window};

libfuzzer_sys::fuzz_target!(|text: &str| {
    let date = |text: &str| text.parse::<model::definition::Date>().expect("a date");
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
