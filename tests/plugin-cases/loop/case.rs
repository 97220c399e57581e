//! A loop that calls nobody, and so meets nothing but the processor's clock.

use servicewright_sdk::Result;

pub(crate) fn run() -> Result<String> {
    loop {
        std::hint::black_box(());
    }
}
