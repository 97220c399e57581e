//! Sleeps for longer than any call may take.

use std::time::Duration;

use servicewright_sdk::Result;

pub(crate) fn run() -> Result<String> {
    std::thread::sleep(Duration::from_mins(1));
    Ok("rested".to_owned())
}
