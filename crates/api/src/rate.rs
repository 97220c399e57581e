//! How often one actor may ask: a bucket each, which fills at a steady rate. Kept as one instant a
//! caller, the time at which their bucket will be full again (the generic cell rate algorithm).

use std::collections::HashMap;
use std::num::NonZeroU32;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Callers that are remembered at once. More are let pass unmeasured, rather than refused for what others do.
const MOST_CALLERS: usize = 100_000;

/// The buckets of all callers.
pub(crate) struct Rate {
    /// What one request takes from a bucket.
    each: Duration,
    /// What a full bucket holds: the requests of one second.
    full: Duration,
    callers: Mutex<HashMap<String, Instant>>,
}

impl Rate {
    /// So many requests a second for each caller, and as many at once after a pause.
    pub(crate) fn per_second(requests: NonZeroU32) -> Self {
        let full = Duration::from_secs(1);
        Self {
            each: full / requests.get(),
            full,
            callers: Mutex::default(),
        }
    }

    /// Counts a request of this caller.
    ///
    /// # Errors
    /// How long to wait, where their bucket is empty.
    pub(crate) fn admit(&self, caller: &str, now: Instant) -> Result<(), Duration> {
        // Whoever panicked held no more than these instants.
        let mut callers = self.callers.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(filled_at) = callers.get_mut(caller) {
            let next = (*filled_at).max(now) + self.each;
            let excess = next.saturating_duration_since(now + self.full);
            if !excess.is_zero() {
                return Err(excess);
            }
            *filled_at = next;
            return Ok(());
        }
        if callers.len() >= MOST_CALLERS {
            callers.retain(|_, filled_at| *filled_at > now);
        }
        if callers.len() < MOST_CALLERS {
            callers.insert(caller.to_owned(), now + self.each);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;
    use std::time::{Duration, Instant};

    use super::Rate;

    #[test]
    fn a_second_s_worth_may_come_at_once_and_then_at_the_rate() {
        let rate = Rate::per_second(NonZeroU32::new(10).expect("ten is not zero"));
        let start = Instant::now();
        for _ in 0..10 {
            assert_eq!(rate.admit("ada", start), Ok(()));
        }
        assert_eq!(rate.admit("ada", start), Err(Duration::from_millis(100)));
        assert_eq!(rate.admit("bea", start), Ok(()), "others are not held up");
        assert_eq!(
            rate.admit("ada", start + Duration::from_millis(100)),
            Ok(())
        );
        assert!(
            rate.admit("ada", start + Duration::from_millis(100))
                .is_err()
        );
    }
}
