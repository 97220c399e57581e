//! Takes a mebibyte after the other, and writes to each.

use servicewright_sdk::Result;

pub(crate) fn run() -> Result<String> {
    let mut kept: Vec<Vec<u8>> = Vec::new();
    loop {
        let mut more = Vec::with_capacity(1 << 20);
        more.push(1);
        kept.push(more);
        std::hint::black_box(&kept);
    }
}
