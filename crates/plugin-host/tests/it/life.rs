//! What holds for every call, whoever is called: it knows its own world only, waits for room, and is
//! left alone when it keeps failing.

use std::sync::Arc;
use std::time::{Duration, Instant};

use engine::port::Plugins as _;
use model::hook::FailureKind;
use serde_json::json;
use servicewright_plugin_host::{BreakerState, Options};

use crate::support::{
    Desk, all_grants, binding, call, component, failure, host, host_with, hostile, question,
    reason, route, run,
};

/// What may pass until a call is over, on a machine that is busy with other tests.
const SOON: Duration = Duration::from_secs(5);

#[tokio::test(flavor = "multi_thread")]
async fn what_the_plugin_reports_is_handed_on() {
    let Some(component) = component("hostile") else {
        return;
    };
    let kinds = ["refuse", "later"].map(|what| hostile(&component, what));
    let host = host(kinds.into()).await;
    for (what, kind, says) in [
        ("refuse", FailureKind::InvalidInput, "nothing to go by"),
        ("later", FailureKind::Unavailable, "asleep"),
    ] {
        let failure = failure(&host, what).await;
        assert_eq!(failure.kind, kind);
        assert!(failure.message.contains(says), "{}", failure.message);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pure_hook_knows_only_its_call() {
    let Some(component) = component("hostile") else {
        return;
    };
    let kinds = ["clock", "chance", "environment", "remember"];
    let host = host(kinds.map(|what| hostile(&component, what)).into()).await;
    assert_eq!(reason(&host, "clock").await, "1700000000000");
    let chance = reason(&host, "chance").await;
    assert_eq!(reason(&host, "chance").await, chance);
    let mut other = call();
    other.seed += 1;
    let question = question("chance", model::hook::Ask::Route);
    let other = host
        .ask(other, &question, Desk::shared())
        .await
        .answer
        .unwrap();
    assert!(!format!("{other:?}").contains(&chance));
    assert_eq!(
        reason(&host, "environment").await,
        "0 variables, file false, socket false"
    );
    assert_eq!(reason(&host, "remember").await, "0");
    assert_eq!(reason(&host, "remember").await, "0", "nothing is left over");
}

#[tokio::test(flavor = "multi_thread")]
async fn look_ups_are_noted_and_held_to_the_grants() {
    let Some(component) = component("hostile") else {
        return;
    };
    let host = host(vec![
        hostile(&component, "members"),
        hostile(&component, "users"),
    ])
    .await;
    let reply = route(&host, "members").await;
    assert!(reply.answer.is_ok(), "{reply:?}");
    let noted = format!("{:?}", reply.lookups);
    assert!(
        noted.contains("members desk") && noted.contains("sha256:"),
        "{noted}"
    );
    assert_eq!(route(&host, "members").await.lookups, reply.lookups);

    let failure = failure(&host, "users").await;
    assert_eq!(failure.kind, FailureKind::Misconfigured);
    assert!(failure.message.contains("`user`"), "{}", failure.message);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_integration_has_what_it_was_granted() {
    let Some(component) = component("hostile") else {
        return;
    };
    let kinds = ["key-value", "sign", "not-a-number", "commands"];
    let mut bindings = kinds.map(|what| hostile(&component, what)).to_vec();
    let mut grants = all_grants();
    grants["secrets"] = json!({ "other": { "sign": true } });
    let more = json!({ "settings": { "do": "sign" }, "grants": grants });
    bindings.push(binding("unsigned", &component, &["schedule"], more));
    let host = host(bindings).await;
    let kept = run(&host, "key-value").await.unwrap();
    assert!(kept.contains("Some([120])"), "{kept}");
    // RFC 4231, test case 2.
    let signed = run(&host, "sign").await.unwrap();
    assert!(
        signed.contains("5bdcc146bf60754e6a042426089575c75a003f08"),
        "{signed}"
    );
    let unsigned = run(&host, "unsigned").await.unwrap_err();
    assert_eq!(unsigned.kind, FailureKind::Misconfigured);
    let nonsense = run(&host, "not-a-number").await.unwrap_err();
    assert_eq!(nonsense.kind, FailureKind::Refused, "{}", nonsense.message);
    let many = run(&host, "commands").await.unwrap_err();
    assert_eq!(many.kind, FailureKind::Limit, "{}", many.message);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_integration_runs_out_of_time_while_it_waits() {
    let Some(component) = component("hostile") else {
        return;
    };
    let sleeper = |id: &str, wall: &str| {
        let more = json!({
            "settings": { "do": "sleep" },
            "grants": all_grants(),
            "limits": { "wall": wall },
        });
        binding(id, &component, &["schedule"], more)
    };
    let bindings = vec![sleeper("patient", "PT0.6S"), sleeper("impatient", "PT0.1S")];
    let options = Options {
        concurrent_calls: 2,
        ..Options::default()
    };
    let host = host_with(options, bindings).await;
    let begun = Instant::now();
    // There is room for one of them: the other waits as long as it may.
    let (one, other) = futures::join!(run(&host, "patient"), run(&host, "impatient"));
    assert!(begun.elapsed() < SOON, "{:?}", begun.elapsed());
    assert_eq!(one.unwrap_err().kind, FailureKind::Timeout);
    assert_eq!(other.unwrap_err().kind, FailureKind::Busy);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_keeps_failing_is_left_alone() {
    let Some(component) = component("hostile") else {
        return;
    };
    let host = host(vec![
        hostile(&component, "trap"),
        hostile(&component, "answer"),
    ])
    .await;
    for _ in 0..5 {
        assert_eq!(failure(&host, "trap").await.kind, FailureKind::Trap);
    }
    let reply = route(&host, "trap").await;
    assert_eq!(reply.component, None, "nobody is asked");
    let failure = reply.answer.unwrap_err();
    assert_eq!(failure.kind, FailureKind::Unavailable);
    assert!(
        failure.message.contains("the impact is missing"),
        "{}",
        failure.message
    );
    assert!(failure.retry_after.is_some());
    assert_eq!(reason(&host, "answer").await, "record of incident");
    let figures = host.figures();
    let of = |binding: &str| {
        let found = figures
            .iter()
            .find(|figures| figures.binding.as_str() == binding);
        found.unwrap().clone()
    };
    assert_eq!((of("trap").calls, of("trap").failures), (6, 6));
    assert!(matches!(of("trap").breaker, BreakerState::Open { .. }));
    assert_eq!(of("answer").breaker, BreakerState::Closed);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_breakers_one_that_keeps_failing_is_asked_again() {
    let Some(component) = component("hostile") else {
        return;
    };
    let options = Options {
        breakers: false,
        ..Options::default()
    };
    let host = host_with(options, vec![hostile(&component, "trap")]).await;
    for _ in 0..20 {
        assert_eq!(failure(&host, "trap").await.kind, FailureKind::Trap);
    }
    assert_eq!(host.figures()[0].breaker, BreakerState::Closed);
}

#[tokio::test(flavor = "multi_thread")]
async fn many_calls_at_once_wait_for_room() {
    let Some(component) = component("hostile") else {
        return;
    };
    let options = Options {
        concurrent_calls: 4,
        ..Options::default()
    };
    let host = Arc::new(host_with(options, vec![hostile(&component, "answer")]).await);
    let calls = (0..300).map(|_| {
        let host = Arc::clone(&host);
        tokio::spawn(async move { reason(&host, "answer").await })
    });
    for answer in futures::future::join_all(calls).await {
        assert_eq!(answer.unwrap(), "record of incident");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_under_way_ends_on_the_component_it_began_with() {
    let Some(component) = component("hostile") else {
        return;
    };
    let more = json!({
        "settings": { "do": "sleep" },
        "grants": all_grants(),
        "limits": { "wall": "PT0.3S" },
    });
    let sleeper = binding("sleeper", &component, &["schedule"], more);
    let host = Arc::new(host(vec![sleeper]).await);
    let under_way = tokio::spawn({
        let host = Arc::clone(&host);
        async move { run(&host, "sleeper").await }
    });
    while host.figures().iter().all(|figures| figures.calls == 0) && !under_way.is_finished() {
        host.set_up(vec![hostile(&component, "answer")])
            .await
            .unwrap();
        tokio::task::yield_now().await;
        if host.figures()[0].binding.as_str() == "answer" {
            break;
        }
    }
    let missing = run(&host, "sleeper").await.unwrap_err();
    assert_eq!(missing.kind, FailureKind::Missing);
    let ended = under_way.await.unwrap().unwrap_err();
    assert!(matches!(
        ended.kind,
        FailureKind::Timeout | FailureKind::Missing
    ));
    assert_eq!(reason(&host, "answer").await, "record of incident");
}
