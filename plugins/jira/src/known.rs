//! The status that an issue was last known to be in, whichever side took it there. What the desk finds by
//! itself is news only where it is another one: a status that the desk has set, and whose record has
//! moved on since, is none.

use servicewright_sdk::{Result, key_value, log};

/// The status that an issue was last known to be in.
pub(crate) fn status(key: &str) -> Result<Option<String>> {
    let bytes = key_value::get(&place(key))?;
    Ok(bytes.and_then(|bytes| String::from_utf8(bytes).ok()))
}

/// Remembers a status. Where there is no room any more, the rest is done without it.
pub(crate) fn set(key: &str, status: &str) {
    let set = key_value::update(&place(key), |_| Ok(Some(status.as_bytes().to_vec())));
    if let Err(error) = set {
        log::warn(format!("the status of {key} cannot be remembered: {error}"));
    }
}

fn place(key: &str) -> String {
    format!("status/{key}")
}
