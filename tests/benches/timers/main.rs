//! A desk with a million pending timers: what it takes in memory, how long it takes to start, and how
//! late timers fire while the usual load runs. `cargo xtask bench --only timers` builds what it needs
//! and runs it; `WRIGHT_BENCH_TIMERS` says how many timers (1,000,000), `WRIGHT_BENCH_SECONDS` for how
//! long others come due under load (10).

#[path = "../desk/client.rs"]
mod client;
#[path = "../desk/figures.rs"]
mod figures;
mod fill;
#[path = "../../time/no_plugins.rs"]
mod no_plugins;

use std::path::Path;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use engine::port::Store as _;
use model::event::Event;
use model::journal::Item;
use reqwest::Method;
use store::RedbStore;
use test_support::{Answer, Server};

use crate::figures::{at, rate, resident_of};

/// How many people are at work while timers fire.
const CONNECTIONS: usize = 64;
/// So many timers come due in a second.
const DUE_A_SECOND: u64 = 500;
/// How long it may take from the last timer that is set until the server is under load.
const LEAD: Duration = Duration::from_secs(30);

fn main() {
    let number = |name: &str, default: u64| {
        std::env::var(name).map_or(default, |value| value.parse().expect("a number"))
    };
    let pending = number("WRIGHT_BENCH_TIMERS", 1_000_000);
    let load = Duration::from_secs(number("WRIGHT_BENCH_SECONDS", 10));

    let mut server = Server::start();
    let tokens: Vec<_> = (0..CONNECTIONS)
        .map(|number| server.token(&format!("agent-{number}"), "agent"))
        .collect();
    let ada = server.client("ada", "agent");
    assert!(server.stop().success(), "the server stops in order");
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    let due = DUE_A_SECOND * load.as_secs();
    let first = runtime.block_on(fill::fill(server.data(), pending, due));
    let before = last_position(server.data());

    let begun = Instant::now();
    server.restart();
    println!(
        "start: ready after {:?} with {pending} pending timers (target 2 s after a stop in order)",
        begun.elapsed()
    );
    let resident = || resident_of(&server.process_id().to_string());
    println!("memory: resident {} MiB at rest", resident());
    std::thread::sleep(first.saturating_sub(since_epoch() + Duration::from_secs(2)));
    let (done, mut times) =
        client::drive(&server.address(), &tokens, load + Duration::from_secs(4));
    println!(
        "load: {CONNECTIONS} connections: {:.0} acknowledged operations/s beside {DUE_A_SECOND} timers/s, p99 {:?}",
        rate(done, load + Duration::from_secs(4)),
        at(&mut times, 99)
    );
    println!(
        "memory: resident {} MiB after the load (target 400)",
        resident()
    );
    runtime.block_on(async {
        let path = "/api/v1/records?workflow=soon&category=open&limit=1";
        let open = || async { Answer::of(ada.request(Method::GET, path)).await.expect(200) };
        while !open().await["records"]
            .as_array()
            .is_some_and(Vec::is_empty)
        {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    });
    assert!(server.stop().success(), "the server stops in order");
    tell_lags(server.data(), before, due);
}

fn since_epoch() -> Duration {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    now.expect("it is later than 1970")
}

fn last_position(data: &Path) -> u64 {
    let store = RedbStore::open(data, store::Options::default()).expect("the store opens");
    store.position().expect("it is read")
}

/// How late each timer fired, by the journal.
fn tell_lags(data: &Path, before: u64, due: u64) {
    let store = RedbStore::open(data, store::Options::default()).expect("the store opens");
    let (mut after, mut lags, mut early) = (before, Vec::new(), 0);
    loop {
        let items = store.journal(after, 1_000).expect("it is read");
        let Some((position, _)) = items.last() else {
            break;
        };
        after = *position;
        for (_, item) in &items {
            let Item::Record { entry, .. } = item else {
                continue;
            };
            for event in &entry.events {
                if let Event::TimerFired { due, .. } = event {
                    early += u64::from(entry.command.at < *due);
                    lags.push(entry.command.at.since(*due).to_std());
                }
            }
        }
    }
    let fired = lags.len() as u64;
    let late = lags
        .iter()
        .filter(|lag| **lag > Duration::from_secs(1))
        .count();
    println!(
        "timers: {fired} fired of {due} that came due, {early} early, {late} later than a second; late by p50 {:?}, p99 {:?}, at most {:?} (target: within 1 s, none early, none lost)",
        at(&mut lags, 50),
        at(&mut lags, 99),
        at(&mut lags, 100)
    );
}
