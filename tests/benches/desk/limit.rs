//! The limit of the disk: one 4 KiB write and fdatasync.

use std::io::{Seek, SeekFrom, Write};
use std::time::{Duration, Instant};

/// The median of 300.
pub(crate) fn fdatasync() -> Duration {
    let mut file = tempfile::tempfile().expect("a temporary file");
    let block = [7; 4096];
    let mut times: Vec<Duration> = (0..300)
        .map(|_| {
            let begun = Instant::now();
            file.seek(SeekFrom::Start(0)).expect("the file seeks");
            file.write_all(&block).expect("the file takes a block");
            file.sync_data().expect("the file syncs");
            begun.elapsed()
        })
        .collect();
    crate::figures::at(&mut times, 50)
}
