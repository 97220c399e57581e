//! The laws of business time, over random calendars, zones and instants near changes of clocks.

mod free;
mod oracle;
mod random;
mod recurring;

use model::{Duration, Instant};
use proptest::prelude::*;
use servicewright_calendar::Calendar;

use oracle::Oracle;
use random::{definitions, durations, instants, near_eventful};
use recurring::singly;

const MINUTE: i64 = 60_000;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

fn compiled(definition: &model::definition::Calendar) -> Calendar {
    Calendar::compile(definition).expect("within bounds")
}

fn earlier(instant: Instant) -> Instant {
    Instant::from_millis(instant.millis() - 1)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, ..ProptestConfig::default() })]

    #[test]
    fn what_was_added_has_passed_and_not_a_moment_before(
        definition in definitions(), start in instants(), duration in durations(),
    ) {
        let calendar = compiled(&definition);
        if let Some(due) = calendar.add(start, duration) {
            prop_assert_eq!(calendar.between(start, due), duration);
            prop_assert!(due >= start);
            if duration > Duration::ZERO {
                prop_assert!(calendar.between(start, earlier(due)) < duration);
                prop_assert!(calendar.is_open(earlier(due)));
            }
        }
    }

    #[test]
    fn business_time_is_additive(
        definition in definitions(), a in instants(), b in instants(), c in instants(),
    ) {
        let calendar = compiled(&definition);
        let mut order = [a, b, c];
        order.sort();
        let [a, b, c] = order;
        prop_assert_eq!(calendar.between(a, b).saturating_add(calendar.between(b, c)), calendar.between(a, c));
        prop_assert_eq!(calendar.between(c, a), Duration::ZERO);
        prop_assert!(calendar.between(a, c) <= c.since(a));
    }

    #[test]
    fn adding_more_or_starting_later_is_never_due_earlier(
        definition in definitions(), a in instants(), b in instants(), d in durations(), e in durations(),
    ) {
        let calendar = compiled(&definition);
        let (first, second) = (a.min(b), a.max(b));
        if let (Some(early), Some(late)) = (calendar.add(first, d), calendar.add(second, d)) {
            prop_assert!(early <= late);
        }
        if let Some(both) = calendar.add(first, d.saturating_add(e)) {
            let one = calendar.add(first, d).expect("less comes if more does");
            prop_assert!(one <= both);
            prop_assert_eq!(calendar.add(one, e), Some(if e == Duration::ZERO { one } else { both }));
        }
    }

    #[test]
    fn the_next_opening_is_open_and_nothing_before_it_is(definition in definitions(), start in instants()) {
        let calendar = compiled(&definition);
        if let Some(open) = calendar.next_open(start) {
            prop_assert!(open >= start && calendar.is_open(open));
            prop_assert_eq!(calendar.between(start, open), Duration::ZERO);
        } else {
            let in_ten_years = Instant::from_millis(start.millis() + 3653 * DAY);
            prop_assert_eq!(calendar.between(start, in_ten_years), Duration::ZERO);
            prop_assert_eq!(calendar.add(start, Duration::from_millis(1)), None);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn business_time_is_what_counting_minutes_by_the_local_clock_says(
        definition in definitions(), start in near_eventful(), length in 0..12 * DAY, duration in durations(),
    ) {
        let (calendar, oracle) = (compiled(&definition), Oracle::new(&definition));
        let (from, end) = (Instant::from_millis(start), Instant::from_millis(start + length));
        prop_assert_eq!(calendar.between(from, end).millis(), oracle.between(start, start + length));
        prop_assert_eq!(calendar.is_open(from), oracle.is_open(start));
        let limit = start + 12 * DAY;
        let slow = oracle.add(start, duration.millis(), limit);
        let quick = calendar.add(from, duration).map(Instant::millis);
        prop_assert_eq!(quick.filter(|due| *due <= limit), slow.filter(|due| *due <= limit));
    }

    #[test]
    fn dates_that_recur_are_those_dates_written_singly(
        definition in definitions(), start in instants(), end in instants(), duration in durations(),
    ) {
        let (recurring, single) = (compiled(&definition), compiled(&singly(&definition)));
        prop_assert_eq!(recurring.between(start, end), single.between(start, end));
        prop_assert_eq!(recurring.add(start, duration), single.add(start, duration));
        prop_assert_eq!(recurring.is_open(start), single.is_open(start));
        prop_assert_eq!(recurring.next_open(start), single.next_open(start));
    }

    #[test]
    fn in_another_zone_it_is_the_calendar_of_that_zone(
        definition in definitions(), other in definitions(), start in instants(), duration in durations(),
    ) {
        let zone = other.zone.parse().expect("a zone");
        let moved = compiled(&definition).in_zone(zone);
        let written = compiled(&model::definition::Calendar { zone: other.zone, ..definition });
        prop_assert_eq!(moved.zone(), zone);
        prop_assert_eq!(moved.add(start, duration), written.add(start, duration));
        prop_assert_eq!(moved.is_open(start), written.is_open(start));
        let end = start.saturating_add(duration);
        prop_assert_eq!(moved.between(start, end), written.between(start, end));
    }
}
