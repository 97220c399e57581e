//! Refusing a body that is too large, so that the refusal arrives. A connection closed with bytes
//! unread is reset, and many clients then lose the answer; so what is still coming is read and
//! dropped for a while after the answer has left, within bounds.

use std::time::Duration;

use axum::body::Body;
use http_body_util::BodyExt as _;
use tokio::sync::Semaphore;

const LONGEST: Duration = Duration::from_secs(5);
const MOST_BYTES: usize = 256 * 1024 * 1024;
/// How many bodies are dropped this way at once; beyond it connections are reset.
static PLACES: Semaphore = Semaphore::const_new(16);

/// Reads what is left of the body and drops it, while the answer goes out.
pub(crate) fn linger(mut body: Body) {
    let Ok(place) = PLACES.try_acquire() else {
        return;
    };
    tokio::spawn(async move {
        let _place = place;
        let dropping = async {
            let mut left = MOST_BYTES;
            while let Some(Ok(frame)) = body.frame().await {
                left = left.saturating_sub(frame.data_ref().map_or(0, bytes::Bytes::len));
                if left == 0 {
                    break;
                }
            }
        };
        // Whether it came to an end or not, nothing more is owed to the client.
        let _ = tokio::time::timeout(LONGEST, dropping).await;
    });
}
