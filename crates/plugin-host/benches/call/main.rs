//! What a decision costs through the port, beside a bare call of the same component with the same
//! look-ups, for a guest in each language. `cargo xtask bench --only call` builds the guests and runs it.

mod bare;
mod port;
mod question;

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::{Value as Json, json};

use crate::bare::Bare;
use crate::port::Port;

/// A guest that routes a record to whoever of a team has the least to do.
struct Guest {
    language: &'static str,
    component: PathBuf,
    /// What is done where the component is not there.
    missing: &'static str,
    settings: Json,
    warm_up: usize,
    calls: usize,
}

/// What a call may cost through the port, in calls on wasmtime alone of the same run.
const TARGETS: [(usize, &str, u32); 2] = [(50, "p50", 2), (99, "p99", 4)];

fn main() {
    // As in the server: each call is a span, with all that is recorded in it.
    tracing_subscriber::fmt().with_writer(std::io::sink).init();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    for guest in guests() {
        match std::fs::read(&guest.component) {
            Ok(component) => runtime.block_on(measure(&guest, &component)),
            Err(_) => println!(
                "decision call, {}: skipped, {}",
                guest.language, guest.missing
            ),
        }
    }
}

/// The guests: the shipped router in Rust, and what the templates of the other languages make.
fn guests() -> [Guest; 3] {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("..");
    let folder = |variable: &str, name: &str| {
        std::env::var_os(variable).map_or_else(|| target.join(name), PathBuf::from)
    };
    let (plugins, generated) = (
        folder("WRIGHT_PLUGINS", "plugins"),
        folder("WRIGHT_BENCH_GUESTS", "bench-guests"),
    );
    let interpreted = |language, file| Guest {
        language,
        component: generated.join(file),
        missing: "it is not built; `cargo xtask bench --only call` does it where the language is there",
        settings: json!({ "team": question::TEAM }),
        warm_up: 100,
        calls: 2_000,
    };
    [
        Guest {
            language: "Rust",
            component: plugins.join("skills-router.wasm"),
            missing: "skills-router is not built; `cargo xtask build --plugins` does it",
            settings: json!({ "default_team": question::TEAM }),
            warm_up: 500,
            calls: 5_000,
        },
        interpreted("JavaScript", "javascript.wasm"),
        interpreted("Python", "python.wasm"),
    ]
}

/// Calls one guest in both ways, and prints what that took.
async fn measure(guest: &Guest, component: &[u8]) {
    let (bare, size) = Bare::new(component, &guest.settings);
    println!(
        "{}: component {} KiB, compiled in {:?} to {} KiB",
        guest.language,
        component.len().div_ceil(1024),
        size.time,
        size.bytes.div_ceil(1024),
    );
    let port = Port::new(component, &guest.settings).await;
    // Taken in turns, so that what disturbs the machine disturbs both.
    let (mut bare_times, mut port_times) = (Vec::new(), Vec::new());
    for round in 0..guest.warm_up + guest.calls {
        let bare_time = bare.call().await;
        let port_time = port.call().await;
        if round >= guest.warm_up {
            bare_times.push(bare_time);
            port_times.push(port_time);
        }
    }
    for (share, name, target) in TARGETS {
        let (bare, port) = (at(&mut bare_times, share), at(&mut port_times, share));
        let ratio = port.as_secs_f64() / bare.as_secs_f64();
        println!(
            "decision call, {}, {name}: bare {bare:?}, through the port {port:?}, {ratio:.2} times (target {target})",
            guest.language
        );
    }
}

/// The time that this share of calls, in percent, stays within.
fn at(times: &mut [Duration], share: usize) -> Duration {
    times.sort_unstable();
    times[(times.len() * share / 100).min(times.len() - 1)]
}
