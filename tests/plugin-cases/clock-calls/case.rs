//! Calls WASI without end, which is cheaper than any call to the server.

use std::time::SystemTime;

use servicewright_sdk::Result;

pub(crate) fn run() -> Result<String> {
    loop {
        std::hint::black_box(SystemTime::now());
    }
}
