//! Ends in the middle of its writing: one value is written, the other one never.

use servicewright_sdk::{Result, key_value};

/// As large as a value may be.
const BYTES: usize = 64 << 10;

pub(crate) fn run() -> Result<String> {
    let before = key_value::get("half-write")?;
    let next = before.as_ref().map_or(b'a', |value| value[0] + 1);
    key_value::compare_and_set("half-write", before.as_deref(), Some(&vec![next; BYTES]))?;
    panic!("in the middle of it")
}
