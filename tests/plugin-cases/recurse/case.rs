//! Recurses until there is no more stack.

use servicewright_sdk::Result;

pub(crate) fn run() -> Result<String> {
    Ok(deeper(1).to_string())
}

#[allow(
    unconditional_recursion,
    reason = "that is what this is for: the stack has to end it"
)]
fn deeper(depth: u64) -> u64 {
    std::hint::black_box(deeper(std::hint::black_box(depth + 1)) + depth)
}
