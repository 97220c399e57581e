//! Exits, as a program would.

use servicewright_sdk::Result;

pub(crate) fn run() -> Result<String> {
    std::process::exit(3)
}
