//! What a calculation costs near and far, with few holidays and with many.

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use model::{Duration, Instant};
use serde_json::json;
use servicewright_calendar::Calendar;

fn office(holidays: usize) -> model::definition::Calendar {
    let day = json!({ "morning": "08:00-12:00", "noon": "13:00-17:00" });
    let first = chrono::NaiveDate::from_ymd_opt(2010, 1, 1).expect("a date");
    let holidays: serde_json::Map<_, _> = first
        .iter_days()
        .step_by(31)
        .take(holidays)
        .map(|date| (date.to_string(), json!({})))
        .collect();
    let definition = json!({
        "zone": "Europe/Brussels",
        "hours": { "mon": day, "tue": day, "wed": day, "thu": day, "fri": day },
        "holidays": holidays,
    });
    serde_json::from_value(definition).expect("well-formed")
}

fn calculations(criterion: &mut Criterion) {
    let start: Instant = "2012-05-03T06:46:25Z".parse().expect("an instant");
    for holidays in [0, 30, 10_000] {
        let definition = office(holidays);
        let calendar = Calendar::compile(&definition).expect("within bounds");
        for (name, hours) in [("8 hours", 8), ("a month", 180), ("fifty years", 100_000)] {
            let duration = Duration::from_secs(hours * 3600);
            let end = calendar.add(start, duration).expect("comes");
            criterion.bench_function(&format!("add {name}, {holidays} holidays"), |bencher| {
                bencher.iter(|| calendar.add(black_box(start), black_box(duration)));
            });
            criterion.bench_function(&format!("between {name}, {holidays} holidays"), |bencher| {
                bencher.iter(|| calendar.between(black_box(start), black_box(end)));
            });
        }
        criterion.bench_function(&format!("compile, {holidays} holidays"), |bencher| {
            bencher.iter(|| Calendar::compile(black_box(&definition)));
        });
    }
}

/// What a desk may freeze: the ends of years and months, the days of patches, Thanksgiving.
fn freezes() -> model::definition::Calendar {
    let all_day = json!({ "all-day": "00:00-24:00" });
    let freeze = |first: &str, days: u16, repeats: &str| json!({ "first": first, "days": days, "repeats": repeats, "hours": all_day });
    let definition = json!({ "zone": "Europe/Brussels", "recurring": {
        "year-end": freeze("2026-12-19", 16, "FREQ=YEARLY"),
        "month-end": freeze("2026-01-29", 3, "FREQ=MONTHLY;BYMONTHDAY=-3"),
        "patches": freeze("2026-01-13", 1, "FREQ=MONTHLY;BYDAY=2TU"),
        "thanksgiving": freeze("2026-11-26", 4, "FREQ=YEARLY;BYMONTH=11;BYDAY=4TH"),
    } });
    serde_json::from_value(definition).expect("well-formed")
}

fn recurring(criterion: &mut Criterion) {
    let definition = freezes();
    criterion.bench_function("compile, 4 sets of dates that recur", |bencher| {
        bencher.iter(|| Calendar::compile(black_box(&definition)));
    });
}

criterion_group!(benches, calculations, recurring);
criterion_main!(benches);
