//! Logs without end.

use servicewright_sdk::{Result, log};

pub(crate) fn run() -> Result<String> {
    loop {
        log::info("once more");
    }
}
