//! The log's own times as the clock. Many cases are under way at once, each at its own instant: so
//! the time belongs to the task that carries a step out, not to the process.

use std::future::Future;

use engine::port::Clock;
use model::Instant;

tokio::task_local! {
    static NOW: Instant;
}

/// A clock that shows the time of the step under way, and 1970 outside of any.
#[derive(Debug, Default)]
pub(super) struct LogClock;

impl Clock for LogClock {
    fn now(&self) -> Instant {
        NOW.try_with(|now| *now).unwrap_or(Instant::EPOCH)
    }
}

/// Carries a step out at this instant.
pub(super) fn at<F: Future>(now: Instant, step: F) -> impl Future<Output = F::Output> {
    NOW.scope(now, step)
}
