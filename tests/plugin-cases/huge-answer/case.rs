//! Answers with one text of this many bytes.

use servicewright_sdk::Result;

pub(crate) fn run(bytes: usize) -> Result<String> {
    Ok("x".repeat(bytes))
}
