//! Zones as spans of constant offset. `chrono-tz` answers what the offset is at an instant but not
//! when it changes, so the changes are looked for once per zone and kept.

use std::sync::{LazyLock, OnceLock};

use chrono::{DateTime, Offset as _, TimeZone as _};
use chrono_tz::{TZ_VARIANTS, Tz};

use crate::FIRST;

/// From `start` until the next, local clocks are `ahead` of UTC. Milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Offset {
    pub(crate) start: i64,
    pub(crate) ahead: i64,
}

/// The data of `chrono-tz` knows no change before 1844 and none after 2099, where it ends. Seconds.
const EARLIEST: i64 = -4_000_000_000;
const LATEST: i64 = 4_133_980_800;
/// Changes are almost a week apart at the least, so that this cannot step over two.
const STEP: i64 = 2 * 86_400;

type Found = OnceLock<Box<[Offset]>>;

/// By a zone's place in [`TZ_VARIANTS`].
static ZONES: LazyLock<Box<[Found]>> =
    LazyLock::new(|| TZ_VARIANTS.iter().map(|_| Found::new()).collect());

/// The offsets of a zone in order of time, the first from the first instant there is.
pub(crate) fn offsets(zone: Tz) -> &'static [Offset] {
    ZONES[zone as usize].get_or_init(|| find_offsets(zone))
}

/// How far ahead of UTC a zone's clocks are at an instant. Milliseconds.
pub(crate) fn ahead_at(zone: Tz, at: i64) -> i64 {
    let offsets = offsets(zone);
    let after = offsets.partition_point(|offset| offset.start <= at);
    offsets[after.saturating_sub(1)].ahead
}

fn find_offsets(zone: Tz) -> Box<[Offset]> {
    let mut current = seconds_ahead(zone, EARLIEST);
    let mut offsets = vec![Offset {
        start: FIRST,
        ahead: current * 1000,
    }];
    let mut at = EARLIEST;
    while at < LATEST {
        let next = at + STEP;
        let ahead = seconds_ahead(zone, next);
        if ahead != current {
            let (mut old, mut new) = (at, next);
            while new - old > 1 {
                let middle = i64::midpoint(old, new);
                if seconds_ahead(zone, middle) == current {
                    old = middle;
                } else {
                    new = middle;
                }
            }
            offsets.push(Offset {
                start: new * 1000,
                ahead: ahead * 1000,
            });
            current = ahead;
        }
        at = next;
    }
    offsets.into()
}

fn seconds_ahead(zone: Tz, at: i64) -> i64 {
    let utc = DateTime::from_timestamp(at, 0)
        .expect("between 1840 and 2101")
        .naive_utc();
    i64::from(zone.offset_from_utc_datetime(&utc).fix().local_minus_utc())
}

#[cfg(test)]
mod tests {
    use chrono_tz::{TZ_VARIANTS, Tz};

    use super::{EARLIEST, LATEST, offsets, seconds_ahead};

    fn agrees(zone: Tz, from: i64, to: i64, step: i64) {
        let table = offsets(zone);
        let mut index = 0;
        let mut at = from;
        while at < to {
            while table
                .get(index + 1)
                .is_some_and(|next| next.start <= at * 1000)
            {
                index += 1;
            }
            assert_eq!(
                table[index].ahead,
                seconds_ahead(zone, at) * 1000,
                "{zone} at {at}"
            );
            at += step;
        }
    }

    #[test]
    fn the_offsets_found_are_those_of_the_zone_at_every_hour() {
        for zone in [
            Tz::Europe__Brussels,
            Tz::Australia__Lord_Howe,
            Tz::Pacific__Apia,
            Tz::Asia__Gaza,
            Tz::America__Boa_Vista,
        ] {
            agrees(zone, EARLIEST, LATEST + 400 * 86_400, 3600);
        }
    }

    #[test]
    fn the_offsets_found_are_those_of_every_zone() {
        for (index, zone) in TZ_VARIANTS.iter().enumerate() {
            assert_eq!(*zone as usize, index);
            agrees(*zone, EARLIEST, LATEST, 86_400 + 3607);
        }
    }

    #[test]
    fn clocks_before_and_after_the_data_stand_as_at_its_ends() {
        for zone in TZ_VARIANTS {
            for (edge, outwards) in [(EARLIEST, -1), (LATEST, 1)] {
                for years in [1, 10, 100] {
                    let at = edge + outwards * years * 365 * 86_400;
                    assert_eq!(seconds_ahead(zone, edge), seconds_ahead(zone, at), "{zone}");
                }
            }
        }
    }
}
