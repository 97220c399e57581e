//! Whatever a guest does, the call ends within its limits and says how, the next one is as if nothing
//! had been, and no secret is anywhere. The cases are those of `tests/plugin-cases`, one folder each.

use std::time::{Duration, Instant};

use engine::port::Plugins as _;
use model::hook::Hook;
use serde_json::json;

use crate::cases::{self, Servers};
use crate::said;
use crate::support::{Desk, SECRET, all_grants, ask, binding, host};

/// What may pass until a call is over, on a machine that is busy with other tests.
const SOON: Duration = Duration::from_secs(10);
/// What this process may hold at most meanwhile, compiled components and other tests included.
const MEMORY: u64 = 2 << 30;

/// Every case at this hook.
async fn at(hook: Hook) {
    said::listen();
    let servers = Servers::start().await;
    let Some(cases) = cases::at(hook, &servers) else {
        return;
    };
    assert!(cases.len() > 10, "the cases are there");
    let good = good(hook);
    let setups = cases.iter().map(|case| case.setup.clone());
    let host = host(setups.chain([good.clone()]).collect()).await;
    let desk = Desk::shared();
    let mut others = Vec::new();
    for case in &cases {
        let around = if case.slow_desk {
            Desk::slow()
        } else {
            desk.clone()
        };
        for _ in 0..2 {
            let begun = Instant::now();
            let happened = ask(&host, hook, &case.name, &around).await;
            let took = begun.elapsed();
            if !case.outcome.is(&happened) {
                others.push(format!("{}: {happened:?}", case.name));
            }
            let told = format!("{happened:?}");
            assert!(took < SOON, "{} took {took:?}", case.name);
            assert!(
                told.len() < 1 << 20,
                "{} tells {} bytes",
                case.name,
                told.len()
            );
            assert!(!told.contains(SECRET), "{}: {told}", case.name);
            assert!(resident() < MEMORY, "{}: {} bytes", case.name, resident());
            let good = ask(&host, hook, "good", &desk).await;
            assert!(good.is_ok(), "after {}: {good:?}", case.name);
        }
    }
    assert!(others.is_empty(), "not as their cases say: {others:#?}");
    // What is at fault is what the plugin was told to do, not the binding.
    let better = cases.iter().map(|case| {
        let mut better = good.clone();
        better.id = case.setup.id.clone();
        better
    });
    host.set_up(better.collect()).await.unwrap();
    for case in &cases {
        let good = ask(&host, hook, &case.name, &desk).await;
        assert!(good.is_ok(), "{} with other settings: {good:?}", case.name);
    }
    said::no_secret();
}

/// The same plugin, well-behaved.
fn good(hook: Hook) -> engine::port::BindingSetup {
    let component = cases::rust().expect("the cases are there");
    let more = json!({ "settings": { "do": "answer" }, "grants": all_grants() });
    binding("good", &component, &[hook.as_str()], more)
}

/// What this process holds, in bytes, where the system tells it.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
    kib.unwrap_or(0) << 10
}

#[tokio::test(flavor = "multi_thread")]
async fn a_router_ends_within_its_limits() {
    at(Hook::Routing).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_approver_ends_within_its_limits() {
    at(Hook::Approval).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_level_ends_within_its_limits() {
    at(Hook::ServiceLevel).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_delivery_ends_within_its_limits() {
    at(Hook::Delivery).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_ends_within_its_limits() {
    at(Hook::Webhook).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_schedule_ends_within_its_limits() {
    at(Hook::Schedule).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_set_up_says_why_and_changes_nothing() {
    let servers = Servers::start().await;
    let Some(refused) = cases::refused(&servers) else {
        return;
    };
    assert!(refused.len() > 10, "the cases are there");
    let host = host(vec![good(Hook::Routing)]).await;
    let desk = Desk::shared();
    for case in refused {
        let begun = Instant::now();
        let (_, error) = host.set_up(vec![case.setup.clone()]).await.unwrap_err();
        let (error, took) = (error.to_string(), begun.elapsed());
        assert!(case.is(&error), "{}: {error}", case.name);
        assert!(error.len() < 10_000, "{}: {} bytes", case.name, error.len());
        assert!(took < 3 * SOON, "{} took {took:?}", case.name);
        let good = ask(&host, Hook::Routing, "good", &desk).await;
        assert!(good.is_ok(), "after {}: {good:?}", case.name);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_value_is_whole_however_the_call_that_wrote_it_ended() {
    let Some(component) = cases::rust() else {
        return;
    };
    let more = json!({ "settings": { "do": "half-write" }, "grants": { "key-value": true } });
    let host = host(vec![binding("writer", &component, &["schedule"], more)]).await;
    let desk = Desk::shared();
    for written in [b'a', b'b', b'c'] {
        let ended = ask(&host, Hook::Schedule, "writer", &desk).await;
        assert!(ended.is_err(), "{ended:?}");
        assert_eq!(desk.value("half-write"), Some(vec![written; 64 << 10]));
    }
}
