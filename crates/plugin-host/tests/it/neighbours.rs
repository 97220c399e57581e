//! What good plugins notice of bad ones: the same good calls alone and beside hostile ones, in one run.
//! A measurement, which passes whatever it finds: `cargo xtask soak hostile`.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use model::hook::Hook;
use serde_json::json;
use servicewright_plugin_host::WasmPlugins;

use crate::cases;
use crate::support::{Desk, all_grants, ask, binding, host};

/// How many calls are under way at once, and how many of them are good.
const IN_FLIGHT: usize = 64;
const GOOD: usize = 48;
/// How many good bindings there are.
const BINDINGS: usize = 4;
/// What the others do. The first fails in no way: it takes long and answers, so that no breaker helps.
const BAD: [&str; 10] = [
    "busy",
    "loop",
    "allocate",
    "recurse",
    "flood",
    "host-calls",
    "clock-calls",
    "resource-leak",
    "enormous-answer",
    "trap",
];
/// What the process may hold under load, in MiB.
const CAP: u64 = 400;

#[tokio::test(flavor = "multi_thread")]
#[ignore = "a measurement, for `cargo xtask soak hostile`"]
async fn good_calls_beside_hostile_ones() {
    let Some(component) = cases::rust() else {
        return;
    };
    let bind = |id: &str, what: &str, hook: &str| {
        let more = json!({ "settings": { "do": what }, "grants": all_grants() });
        binding(id, &component, &[hook], more)
    };
    let good = (0..BINDINGS).map(|n| bind(&format!("good-{n}"), "answer", "routing"));
    let bad = BAD.iter().flat_map(|what| {
        let hooks = ["routing", "schedule"].into_iter();
        hooks.map(move |hook| bind(&format!("{what}-{hook}"), what, hook))
    });
    let host = Arc::new(host(good.chain(bad).collect()).await);
    let seconds = std::env::var("WRIGHT_SOAK_SECONDS");
    let seconds = seconds.ok().and_then(|text| text.parse().ok()).unwrap_or(4);
    let part = Duration::from_secs(seconds) / 4;

    // So that neither has the warmer machine: alone, beside the others, alone.
    load(&host, part / 4, false).await;
    let before = resident_mib();
    let mut alone = load(&host, part, false).await.good;
    let mut mixed = load(&host, part * 2, true).await;
    alone.extend(load(&host, part, false).await.good);

    let (p50, p99) = (at(&mut alone, 50), at(&mut alone, 99));
    println!(
        "good calls alone, {GOOD} at once: {} calls, p50 {p50:?}, p99 {p99:?}",
        alone.len()
    );
    let (m50, m99) = (at(&mut mixed.good, 50), at(&mut mixed.good, 99));
    println!(
        "good calls beside {} hostile ones: {} calls, p50 {m50:?}, p99 {m99:?}",
        IN_FLIGHT - GOOD,
        mixed.good.len()
    );
    println!(
        "p99 beside hostile calls is {:.2} times p99 alone (target 2); p50 {:.2} times",
        m99.as_secs_f64() / p99.as_secs_f64(),
        m50.as_secs_f64() / p50.as_secs_f64()
    );
    println!("hostile calls, by how they ended: {:?}", mixed.bad);
    println!(
        "memory: resident {before} MiB before, {} MiB at most (cap {CAP})",
        mixed.most_mib
    );
}

/// What a load came to.
struct Load {
    good: Vec<Duration>,
    /// How many of the hostile calls ended how.
    bad: BTreeMap<String, u64>,
    most_mib: u64,
}

/// Keeps good calls under way for a while, and hostile ones beside them where that is wanted.
async fn load(host: &Arc<WasmPlugins>, time: Duration, hostile: bool) -> Load {
    let stop = Arc::new(AtomicBool::new(false));
    let most = Arc::new(AtomicU64::new(0));
    let good = (0..GOOD).map(|worker| {
        let (host, stop) = (Arc::clone(host), Arc::clone(&stop));
        tokio::spawn(async move {
            let (desk, id) = (Desk::shared(), format!("good-{}", worker % BINDINGS));
            let mut times = Vec::new();
            while !stop.load(Ordering::Relaxed) {
                let begun = Instant::now();
                ask(&host, Hook::Routing, &id, &desk)
                    .await
                    .expect("a good call");
                times.push(begun.elapsed());
            }
            times
        })
    });
    let good: Vec<_> = good.collect();
    let workers = if hostile { IN_FLIGHT - GOOD } else { 0 };
    let bad = (0..workers).map(|worker| {
        let (host, stop) = (Arc::clone(host), Arc::clone(&stop));
        tokio::spawn(async move {
            let (desk, mut ended) = (Desk::shared(), BTreeMap::new());
            let mut turn = worker;
            while !stop.load(Ordering::Relaxed) {
                let what = BAD[turn % BAD.len()];
                let hook = if turn % 2 == 0 {
                    Hook::Routing
                } else {
                    Hook::Schedule
                };
                turn += 1 + usize::from(turn.is_multiple_of(BAD.len()));
                let id = format!("{what}-{}", hook.as_str());
                let end = match ask(&host, hook, &id, &desk).await {
                    Ok(_) => format!("{what}: answered"),
                    Err(failure) => format!("{what}: {:?}", failure.kind),
                };
                *ended.entry(end).or_insert(0) += 1;
                tokio::task::yield_now().await;
            }
            ended
        })
    });
    let bad: Vec<_> = bad.collect();
    let until = Instant::now() + time;
    while Instant::now() < until {
        most.fetch_max(resident_mib(), Ordering::Relaxed);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    stop.store(true, Ordering::Relaxed);
    let mut load = Load {
        good: Vec::new(),
        bad: BTreeMap::new(),
        most_mib: 0,
    };
    for times in futures::future::join_all(good).await {
        load.good.extend(times.expect("no worker panics"));
    }
    for ended in futures::future::join_all(bad).await {
        for (end, count) in ended.expect("no worker panics") {
            *load.bad.entry(end).or_insert(0) += count;
        }
    }
    load.most_mib = most.load(Ordering::Relaxed);
    load
}

/// The time that this share of calls, in percent, stays within.
fn at(times: &mut [Duration], share: usize) -> Duration {
    times.sort_unstable();
    times[(times.len() * share / 100).min(times.len() - 1)]
}

/// What this process holds, in MiB, where the system tells it.
fn resident_mib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
    kib.unwrap_or(0) / 1024
}
