//! The desk under load: in process, over HTTP, at start and at rest, each beside the limit
//! measured in the same run, one fdatasync. `cargo xtask bench` builds what it needs and runs it.

/// As in the server.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

mod client;
mod figures;
mod http;
mod limit;
mod process;

use std::path::PathBuf;
use std::time::Duration;

/// What is measured, told by the environment: `WRIGHT_BENCH_RECORDS` records in the store (20,000),
/// `WRIGHT_BENCH_SECONDS` for each load (10).
pub(crate) struct Plan {
    pub(crate) records: u64,
    pub(crate) load: Duration,
    /// The folder of plugin components.
    pub(crate) plugins: PathBuf,
}

fn main() {
    let number = |name: &str, default: u64| {
        std::env::var(name)
            .ok()
            .and_then(|value| value.parse().ok())
            .unwrap_or(default)
    };
    let plan = Plan {
        records: number("WRIGHT_BENCH_RECORDS", 20_000),
        load: Duration::from_secs(number("WRIGHT_BENCH_SECONDS", 10)),
        plugins: std::env::var_os("WRIGHT_PLUGINS")
            .map_or_else(|| PathBuf::from("target/plugins"), PathBuf::from),
    };
    let sync = limit::fdatasync();
    println!("limit: one 4 KiB write and fdatasync: p50 {sync:?}");
    process::run(&plan, sync);
    http::run(&plan, sync);
}
