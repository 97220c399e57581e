//! A clock by which whatever is done has a time of its own, so that what comes one after the other can
//! be done side by side.

use std::future::Future;

use engine::port::Clock;
use model::Instant;

tokio::task_local! {
    static NOW: Instant;
}

/// The time of whatever asks; nothing else may ask.
pub(crate) struct OwnTime;

impl Clock for OwnTime {
    fn now(&self) -> Instant {
        NOW.get()
    }
}

/// Does something at an instant.
pub(crate) async fn at<T>(instant: Instant, doing: impl Future<Output = T>) -> T {
    NOW.scope(instant, doing).await
}
