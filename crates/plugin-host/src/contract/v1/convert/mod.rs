//! Between the model's words and the contract's. What goes out is trusted; what comes back is
//! measured, so that nothing of unbounded size or without meaning passes on.

pub(crate) mod answer;
pub(crate) mod commands;
pub(crate) mod question;
pub(crate) mod value;

use model::hook::{Failure, FailureKind};
use model::{Duration, Instant};

use super::bindings::contract::types::PluginError;
use crate::failure::{Stop, failure};

/// How long an id or a name in an answer may be, in bytes.
pub(crate) const NAME: usize = 1_000;
/// How long a sentence for people may be, in bytes.
pub(crate) const SENTENCE: usize = 4_000;
/// How long a text for a record may be, in bytes.
pub(crate) const TEXT: usize = 256 << 10;
/// How many entries a list may have.
pub(crate) const ENTRIES: usize = 500;

/// A text of at most so many bytes.
pub(crate) fn bounded(what: &str, text: String, limit: usize) -> Result<String, Stop> {
    if text.len() <= limit {
        return Ok(text);
    }
    let length = text.len();
    Err(too_much(format!(
        "it answered with {what} of {length} bytes, at most {limit} are allowed"
    )))
}

/// Converts a list of at most so many entries.
pub(crate) fn list<A, B>(
    what: &str,
    entries: Vec<A>,
    limit: usize,
    convert: impl FnMut(A) -> Result<B, Stop>,
) -> Result<Vec<B>, Stop> {
    if entries.len() <= limit {
        return entries.into_iter().map(convert).collect();
    }
    let length = entries.len();
    Err(too_much(format!(
        "it answered with {length} {what}, at most {limit} are allowed"
    )))
}

/// What the plugin itself says went wrong.
pub(crate) fn of_plugin(error: PluginError) -> Failure {
    match error {
        PluginError::InvalidInput(message) => failure(FailureKind::InvalidInput, message),
        PluginError::Misconfigured(message) => failure(FailureKind::Misconfigured, message),
        PluginError::Unavailable(retry) => Failure {
            retry_after: retry.after.map(Duration::from_millis),
            ..failure(FailureKind::Unavailable, retry.message)
        },
        PluginError::Internal(message) => failure(FailureKind::Internal, message),
    }
}

/// An instant that can be written as a date.
pub(crate) fn instant(millis: i64) -> Result<Instant, Stop> {
    Instant::from_foreign_millis(millis).ok_or_else(|| {
        nonsense(format!(
            "it answered with the instant {millis}, outside the years 1 to 9999"
        ))
    })
}

/// A duration that people could mean.
pub(crate) fn duration(millis: u64) -> Result<Duration, Stop> {
    Duration::from_foreign_millis(millis).ok_or_else(|| {
        nonsense(format!(
            "it answered with a duration of {millis} ms, which is more than a hundred years"
        ))
    })
}

fn too_much(message: String) -> Stop {
    Stop::new(FailureKind::Limit, message)
}

pub(crate) fn nonsense(message: impl Into<String>) -> Stop {
    Stop::new(FailureKind::Refused, message)
}
