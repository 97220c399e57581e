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

criterion_group!(benches, calculations);
criterion_main!(benches);
