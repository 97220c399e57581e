//! Keeps calling a function of the server that costs the guest nothing.

use servicewright_sdk::{Result, directory};

pub(crate) fn run() -> Result<String> {
    loop {
        std::hint::black_box(directory::teams()?);
    }
}
