//! Takes a mebibyte after the other, and writes to each so that it is really there.

use servicewright_sdk::Result;

pub(crate) fn run() -> Result<String> {
    let mut kept: Vec<Vec<u8>> = Vec::new();
    loop {
        kept.push(vec![1; 1 << 20]);
        std::hint::black_box(&kept);
    }
}
