//! Reckoning in the calendars of the pack.

use std::time::Duration;

use crate::{Instant, Result, host};

/// When `duration` of business time after `start` is over.
///
/// # Errors
/// [`Error::Misconfigured`](crate::Error::Misconfigured) where the pack has no such calendar.
pub fn add(calendar: &str, start: Instant, duration: Duration) -> Result<Instant> {
    host::business_add(calendar, start, duration)
}

/// How much business time lies between two instants; none, unless `end` is the later.
///
/// # Errors
/// [`Error::Misconfigured`](crate::Error::Misconfigured) where the pack has no such calendar.
pub fn between(calendar: &str, start: Instant, end: Instant) -> Result<Duration> {
    host::business_between(calendar, start, end)
}
