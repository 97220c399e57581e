//! What a guest can reach, one file per capability. Each runs within a call, checks the binding's
//! grants itself, and must not block: whatever waits is async, so that the call's time applies to it.

pub(crate) mod business_time;
pub(crate) mod directory;
pub(crate) mod http;
pub(crate) mod key_value;
pub(crate) mod log;
pub(crate) mod pure;
pub(crate) mod signing;
pub(crate) mod wasi;

use engine::port::LookupError;

use crate::contract::v1::bindings::contract::types::{self, PluginError, Retry};
use crate::guest::Guest;

/// How long an id, a name or a key may be that a guest hands over, in bytes.
const NAME: usize = 1_000;

// The contract's words have no functions of their own.
impl types::Host for Guest {}
impl crate::contract::v1::bindings::contract::commands::Host for Guest {}

/// The answer to a guest whose look-up failed.
fn refused(error: &LookupError) -> PluginError {
    match error {
        LookupError::Invalid(message) => PluginError::InvalidInput(message.clone()),
        LookupError::Unavailable => PluginError::Unavailable(Retry {
            message: error.to_string(),
            after: None,
        }),
    }
}

/// Refuses a name that is too long to be one.
fn named(what: &str, name: &str) -> Result<(), PluginError> {
    if name.len() <= NAME {
        return Ok(());
    }
    let length = name.len();
    Err(PluginError::InvalidInput(format!(
        "{what} of {length} bytes, at most {NAME} are allowed"
    )))
}
