//! The earliest window that is free: outside of every freeze, within all maintenance hours, and apart
//! from what is taken.
//!
//! A window that does not fit says where to look next: none that begins before the freeze that it
//! touches is over, before the hours that it leaves open again, or before what it meets has ended can
//! fit either. So each step goes to the latest of these instants, and the first window that nothing
//! speaks against is the earliest there is.

use model::{Duration, Instant};
use thiserror::Error;

use crate::Calendar;

/// How many steps are taken at most: a year of daily changes in some tens of calendars takes fewer.
const MOST_STEPS: usize = 20_000;

/// So much speaks against windows that it was not looked to the end.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[error("more than {MOST_STEPS} windows in a row are not free")]
pub struct TooMuch;

/// What a window has to keep to.
#[derive(Clone, Debug, Default)]
pub struct Bounds<'a> {
    /// Their open time is frozen: a window has none of it.
    pub freezes: Vec<&'a Calendar>,
    /// A window lies in the open time of each of them.
    pub maintenance: Vec<&'a Calendar>,
    /// From when until when others have what the window needs.
    pub taken: Vec<(Instant, Instant)>,
}

impl Bounds<'_> {
    /// The earliest instant from `after` on at which a window of this length can begin that ends by
    /// `until`; none where there is none.
    ///
    /// # Errors
    /// Where it is not found within 20,000 steps.
    pub fn earliest(
        &self,
        after: Instant,
        length: Duration,
        until: Instant,
    ) -> Result<Option<Instant>, TooMuch> {
        let mut from = after;
        for _ in 0..MOST_STEPS {
            let to = from.saturating_add(length);
            if to > until {
                return Ok(None);
            }
            match self.later(from, to, until) {
                Some(next) if next > from => from = next,
                found => return Ok(found),
            }
        }
        Err(TooMuch)
    }

    /// The first instant at which a window could begin, by what speaks against this one; its own where
    /// nothing does, and none where something always will.
    fn later(&self, from: Instant, to: Instant, until: Instant) -> Option<Instant> {
        let mut later = from;
        for freeze in &self.freezes {
            if freeze.between(from, to) > Duration::ZERO {
                let frozen = freeze.next_open(from)?;
                later = later.max(freeze.next_closed(frozen, until)?);
            }
        }
        for hours in &self.maintenance {
            if let Some(closed) = hours.next_closed(from, to) {
                later = later.max(hours.next_open(closed)?);
            }
        }
        let met = self.taken.iter().filter(|(a, b)| *a < to && from < *b);
        Some(met.fold(later, |later, (_, end)| later.max(*end)))
    }
}

#[cfg(test)]
mod tests {
    use model::{Duration, Instant};

    use super::{Bounds, TooMuch};

    #[test]
    fn what_was_not_looked_through_is_not_called_taken() {
        let minute = |at: i64| Instant::from_millis(at * 60_000);
        let taken = |count: i64| Bounds {
            taken: (0..count)
                .map(|it| (minute(2 * it), minute(2 * it + 1)))
                .collect(),
            ..Bounds::default()
        };
        let (length, until) = (Duration::from_secs(120), minute(100_000));
        let earliest = |count| taken(count).earliest(minute(0), length, until);
        assert_eq!(earliest(19_000), Ok(Some(minute(37_999))));
        assert_eq!(earliest(21_000), Err(TooMuch));
    }
}
