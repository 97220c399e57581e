//! A desk with a thousand bindings: how long its server takes to start, what it holds at rest, and what
//! each of them adds to that. Once they share a component, once each has one of its own.
//! `cargo xtask bench --only bound` builds what it needs and runs it.

mod packs;

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde_json::json;
use tempfile::TempDir;
use test_support::{Server, Setup};

use crate::packs::Bindings;

/// How many times a server is started, to take the median.
const STARTS: usize = 5;

fn main() {
    let bindings = std::env::var("WRIGHT_BENCH_BINDINGS").ok();
    let bindings = bindings.and_then(|it| it.parse().ok()).unwrap_or(1_000);
    let plugins = std::env::var_os("WRIGHT_PLUGINS");
    let plugins = plugins.map_or_else(|| PathBuf::from("target/plugins"), PathBuf::from);
    let Ok(component) = std::fs::read(plugins.join("skills-router.wasm")) else {
        println!(
            "bound: skipped, there is no skills-router; `cargo xtask build --plugins` makes it"
        );
        return;
    };
    for (what, distinct) in [("one component", false), ("a component each", true)] {
        let desk = Desk::new();
        measure(
            desk,
            bindings,
            what,
            &packs::of(bindings, &component, distinct),
        );
    }
}

/// A server on a folder of its own, which compiles everything once.
struct Desk {
    server: Server,
    _cache: TempDir,
}

impl Desk {
    fn new() -> Self {
        let cache = tempfile::tempdir().expect("a folder");
        Self {
            server: Setup::new().plugin_cache(cache.path()).start(),
            _cache: cache,
        }
    }

    /// The median of some starts, and what the last one holds then.
    fn start_again(&mut self) -> Rest {
        let mut times: Vec<Duration> = (0..STARTS)
            .map(|_| {
                assert!(self.server.stop().success(), "the server stops in order");
                let begun = Instant::now();
                self.server.restart();
                begun.elapsed()
            })
            .collect();
        times.sort_unstable();
        Rest {
            start: times[STARTS / 2],
            resident_kib: self.memory("VmRSS:"),
            own_kib: self.memory("RssAnon:"),
            peak_kib: self.memory("VmHWM:"),
        }
    }

    fn install(&self, folder: &Path) {
        let folder = folder.to_str().expect("a path");
        let installed = self.server.wright(&["pack", "install", folder]);
        let said = String::from_utf8_lossy(&installed.stderr);
        assert!(installed.status.success(), "{said}");
    }

    /// What Linux tells of the server's memory, in KiB.
    fn memory(&self, what: &str) -> u64 {
        let status = format!("/proc/{}/status", self.server.process_id());
        let status = std::fs::read_to_string(status).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix(what));
        let kib = line.and_then(|line| line.split_whitespace().next()?.parse().ok());
        kib.unwrap_or(0)
    }
}

/// A server that has just started.
struct Rest {
    start: Duration,
    resident_kib: u64,
    /// Of that, what is not mapped from files, which the system can take back.
    own_kib: u64,
    peak_kib: u64,
}

/// Puts the bindings in, and prints what comes of it.
fn measure(mut desk: Desk, bindings: usize, what: &str, packs: &[Bindings]) {
    let few = desk.start_again();
    println!(
        "bound: 4 plugins: ready again after {:?} (target 300 ms), resident {} MiB (target 80), of that its own {}, {} at most",
        few.start,
        few.resident_kib / 1024,
        few.own_kib / 1024,
        few.peak_kib / 1024
    );
    let times: Vec<Duration> = packs
        .iter()
        .map(|pack| {
            let begun = Instant::now();
            desk.install(pack.folder.path());
            begun.elapsed()
        })
        .collect();
    let (Some(first), Some(last)) = (times.first(), times.last()) else {
        return;
    };
    println!(
        "bound: {bindings} more, {what}: put in and compiled in {:?}, in {} packs, the first {first:?}, the last {last:?}; resident {} MiB then, {} at most",
        times.iter().sum::<Duration>(),
        times.len(),
        desk.memory("VmRSS:") / 1024,
        desk.memory("VmHWM:") / 1024
    );
    let many = desk.start_again();
    println!(
        "bound: {bindings} more, {what}: ready again after {:?}, resident {} MiB, of that its own {}, {} at most",
        many.start,
        many.resident_kib / 1024,
        many.own_kib / 1024,
        many.peak_kib / 1024
    );
    let each = many.start.saturating_sub(few.start) / u32::try_from(bindings).unwrap_or(u32::MAX);
    let kib = |many: u64, few: u64| many.saturating_sub(few) / bindings as u64;
    println!(
        "bound: {bindings} more, {what}: each adds {each:?} to the start and {} KiB, of that its own {}",
        kib(many.resident_kib, few.resident_kib),
        kib(many.own_kib, few.own_kib)
    );
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(ask(&desk.server, what, packs));
    assert!(desk.server.stop().success(), "the server stops in order");
}

/// Has some of them route a record each, which they have not done before.
async fn ask(server: &Server, what: &str, packs: &[Bindings]) {
    let ann = server.client("ann", "agent");
    for at in [0, packs.len() / 2, packs.len() - 1] {
        let workflow = &packs[at].workflow;
        let fields = json!({ "summary": "The printer prints nothing" });
        let note = ann.create(workflow, "write", fields).await;
        let history = ann.history(&note.id()).await;
        let decision = &history[0]["decisions"][0];
        assert_eq!(decision["fallback"], false, "{decision}");
        println!(
            "bound: {what}: {} was asked for the first time and answered in {} µs",
            decision["binding"], decision["duration_us"]
        );
    }
}
