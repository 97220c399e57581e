//! The earliest free window is free, and no minute before it would have been.

use model::{Duration, Instant};
use proptest::prelude::*;
use servicewright_calendar::{Bounds, Calendar};

use crate::oracle::Oracle;
use crate::random::{definitions, instants, near_eventful};
use crate::{DAY, HOUR, MINUTE};

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, ..ProptestConfig::default() })]

    #[test]
    fn the_next_closing_is_closed_and_nothing_before_it_is(
        definition in definitions(), start in instants(), length in 0..30 * DAY,
    ) {
        let calendar = Calendar::compile(&definition).expect("within bounds");
        let until = Instant::from_millis(start.millis() + length);
        if let Some(closed) = calendar.next_closed(start, until) {
            prop_assert!(start <= closed && closed < until && !calendar.is_open(closed));
            prop_assert_eq!(calendar.between(start, closed), closed.since(start));
        } else {
            prop_assert_eq!(calendar.between(start, until), until.since(start));
        }
    }
}

/// Whether a window is free, by looking at each of its minutes.
fn is_free(
    from: i64,
    length: i64,
    freezes: &[Oracle],
    maintenance: &[Oracle],
    taken: &[(Instant, Instant)],
) -> bool {
    let mut minutes = (0..length / MINUTE).map(|minute| from + minute * MINUTE);
    minutes.all(|at| {
        let is_taken = |(a, b): &(Instant, Instant)| a.millis() <= at && at < b.millis();
        !freezes.iter().any(|freeze| freeze.is_open(at))
            && maintenance.iter().all(|hours| hours.is_open(at))
            && !taken.iter().any(is_taken)
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 120, ..ProptestConfig::default() })]

    #[test]
    fn the_earliest_free_window_is_what_trying_each_minute_finds(
        freezes in prop::collection::vec(definitions(), 0..3),
        maintenance in prop::collection::vec(definitions(), 0..2),
        taken in prop::collection::vec((0..5_000_i64, 1..600_i64), 0..6),
        start in near_eventful(),
        length in 1..400_i64,
    ) {
        let start = start.div_euclid(MINUTE) * MINUTE;
        let (length, until) = (length * MINUTE, start + 3 * DAY + 5 * HOUR);
        let compiled = |of: &[_]| of.iter().map(|it| Calendar::compile(it).expect("within bounds")).collect::<Vec<_>>();
        let (frozen, open) = (compiled(&freezes), compiled(&maintenance));
        let taken: Vec<_> = taken
            .into_iter()
            .map(|(from, length)| (start + from * MINUTE, start + (from + length) * MINUTE))
            .map(|(from, to)| (Instant::from_millis(from), Instant::from_millis(to)))
            .collect();
        let bounds = Bounds {
            freezes: frozen.iter().collect(),
            maintenance: open.iter().collect(),
            taken: taken.clone(),
        };
        let length_of = Duration::from_millis(length.unsigned_abs());
        let quick = bounds.earliest(Instant::from_millis(start), length_of, Instant::from_millis(until));
        let freezes: Vec<_> = freezes.iter().map(Oracle::new).collect();
        let maintenance: Vec<_> = maintenance.iter().map(Oracle::new).collect();
        let mut tried = (0..=(until - length - start) / MINUTE).map(|minute| start + minute * MINUTE);
        let slow = tried.find(|from| is_free(*from, length, &freezes, &maintenance, &taken));
        prop_assert_eq!(quick.map(|it| it.map(Instant::millis)), Ok(slow));
    }
}
