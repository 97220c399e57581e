//! Takes one resource of WASI after the other, and gives none back.

use servicewright_sdk::Result;
use wasip2::http::types::Fields;

pub(crate) fn run() -> Result<String> {
    loop {
        std::mem::forget(Fields::new());
    }
}
