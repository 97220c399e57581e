//! A year of a desk's life in virtual time: 200 people in three zones, a thousand records a day,
//! everyone at work in their own hours, and on call by rotas around the clock. At its end every timer has
//! fired once and on time, every clock is as a slow reckoning from the journal has it, and what was
//! given to whoever was on call, or brought to them because nobody took it, went to the right one.
//!
//! Here it is five weeks with few records, and everything comes one after the other; `cargo xtask soak
//! year` runs all of it. Each record goes on in its own time there, half a day of all of them side by
//! side: so a year takes minutes.

mod check;
mod clocks;
mod course;
mod escalations;
mod life;
mod on_call;
mod people;
mod rotas;

use std::sync::Arc;
use std::time::Instant as StdInstant;

use model::{Duration, Instant};

use self::life::Life;
use self::people::Sites;
use crate::desk::Desk;
use crate::own_time::{self, OwnTime};

/// Five weeks over the changes of the clock in New York, Brussels and Sydney.
const SHORT: Span = Span {
    first: "2026-03-05T00:00:00Z",
    days: 35,
    records_a_day: 30,
    stretch: Duration::from_millis(1),
};

struct Span {
    first: &'static str,
    days: u32,
    records_a_day: u32,
    /// For how long records go on side by side before all are at the same time again.
    stretch: Duration,
}

#[tokio::test]
async fn every_timer_fires_once_and_on_time_and_every_clock_is_right() {
    let number = |name: &str, default| {
        std::env::var(name).map_or(default, |text| text.parse().expect("a number"))
    };
    let whole_year = std::env::var_os("WRIGHT_YEAR_DAYS").is_some();
    let span = Span {
        first: if whole_year {
            "2026-01-01T00:00:00Z"
        } else {
            SHORT.first
        },
        days: number("WRIGHT_YEAR_DAYS", SHORT.days),
        records_a_day: number("WRIGHT_YEAR_RECORDS", SHORT.records_a_day),
        stretch: if whole_year {
            Duration::from_secs(12 * 3_600)
        } else {
            SHORT.stretch
        },
    };
    let begun = StdInstant::now();
    let sites = Sites::new();
    let opening = async {
        let desk = Desk::open(Arc::new(OwnTime)).await;
        people::put(&desk, &sites).await;
        desk
    };
    let first: Instant = span.first.parse().expect("a time");
    let desk = own_time::at(first, opening).await;
    let mut life = Life::new(&desk, &sites, &span);
    life.run().await;
    let lived = begun.elapsed();
    let checking = StdInstant::now();
    let found = check::check(&desk, &sites, life.end, !whole_year);
    let checked = checking.elapsed();
    println!(
        "{} days, {} records: lived in {lived:.1?}, checked in {checked:.1?}\n{found:#?}",
        span.days, span.records_a_day
    );
    found.is_worth_something();
}
