//! Has the server read a list of a hundred thousand values, again and again.

use servicewright_sdk::{Fields, Instant, Result, directory};

pub(crate) fn run() -> Result<String> {
    let fields: Fields = (0..100_000)
        .map(|number| (number.to_string(), "x"))
        .collect();
    loop {
        // Refused each time, and each time read before that.
        std::hint::black_box(
            directory::alike("incident", fields.clone(), Instant::from_millis(0)).is_ok(),
        );
    }
}
