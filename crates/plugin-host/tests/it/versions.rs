//! Versions of a component: one is tried beside the one in force, one takes the place of another, and
//! one that keeps failing is left alone. Whatever the new one does, the old one's answers count.

use std::sync::Arc;
use std::time::Duration as StdDuration;

use engine::port::{
    BindingSetup, Candidate, Incident, InspectError, LookupError, Member, Plugins as _, Staged,
    Surroundings,
};
use futures::future::BoxFuture;
use model::configuration::Share;
use model::hook::{Answer, Ask, Call, FailureKind, Hook, RecordView};
use model::id::{BindingId, DirectoryKind, FieldId};
use model::{Digest, Duration, Instant, Value};
use serde_json::{Map, Value as Json, json};
use servicewright_plugin_host::{BreakerState, TrialFigures, WasmPlugins};
use test_support::guest;
use tokio::sync::Notify;

use crate::support::{Desk, binding, call, host, question};

fn component(bytes: Vec<u8>) -> Arc<[u8]> {
    bytes.into()
}

/// A router in force that answers `desk`.
fn present() -> BindingSetup {
    let component = component(guest::router("desk", "as ever"));
    binding("router", &component, &["routing"], json!({}))
}

/// The binding with another version that is tried on this share of the calls.
fn trying(setup: &BindingSetup, candidate: Vec<u8>, percent: u8) -> BindingSetup {
    let component = component(candidate);
    let canary = Candidate {
        digest: Digest::of(&component),
        component,
        share: Share::try_from(percent).unwrap(),
        withdrawn: None,
    };
    BindingSetup {
        staged: Staged {
            canary: Some(canary),
            ..Staged::default()
        },
        ..setup.clone()
    }
}

/// Asks for a team in a call of its own.
async fn ask(host: &WasmPlugins, number: u32) -> Answer {
    let call = Call {
        id: format!("call-{number}"),
        ..call()
    };
    let question = question("router", Ask::Route);
    let reply = host.ask(call, &question, Desk::shared()).await;
    reply.answer.expect("the version in force answers")
}

fn is_old(answer: &Answer) -> bool {
    matches!(answer, Answer::Assignment { reason, .. } if reason == "as ever")
}

/// How the trial goes, once so many calls were made on it: they are made beside the ones that count.
async fn tried(host: &WasmPlugins, calls: u64) -> TrialFigures {
    loop {
        let trial = host.trials().remove(0);
        if trial.same + trial.different + trial.answered + trial.failed + trial.skipped >= calls {
            return trial;
        }
        tokio::task::yield_now().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_of_a_version_that_is_tried_are_compared_and_do_not_count() {
    let other_reason = guest::router("desk", "for a better reason");
    let other_team = guest::router("network", "as ever");
    let host = host(vec![trying(&present(), other_reason, 100)]).await;
    assert!(is_old(&ask(&host, 0).await));
    let trial = tried(&host, 1).await;
    assert_eq!((trial.same, trial.different), (1, 0), "{trial:?}");

    let setups = vec![trying(&present(), other_team, 100)];
    host.set_up(setups).await.unwrap();
    for number in 0..30 {
        assert!(
            matches!(ask(&host, number).await, Answer::Assignment { team, .. } if team == "desk")
        );
        tried(&host, u64::from(number) + 1).await;
    }
    let trial = host.trials().remove(0);
    assert_eq!(
        (trial.same, trial.different, trial.failed),
        (0, 30, 0),
        "{trial:?}"
    );
    assert_eq!(trial.differences.len(), 20, "the last ones are kept");
    assert_eq!(trial.differences[19].what, "team");
    assert_eq!(trial.differences[19].record, "a new incident");
    assert!(!format!("{:?}", trial.differences).contains("network"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_share_of_the_calls_is_tried_the_same_ones_each_time() {
    let old = component(guest::poller());
    let setup = binding(
        "router",
        &old,
        &["schedule"],
        json!({ "grants": { "key-value": true } }),
    );
    let host = host(vec![trying(&setup, guest::waiting_poller(), 20)]).await;
    let router = BindingId::new("router").unwrap();
    let round = async || {
        let mut taken = Vec::new();
        for number in 0..100 {
            let call = Call {
                id: format!("call-{number}"),
                ..call()
            };
            let reply = host.run_schedule(&router, call, Desk::shared()).await;
            taken.push(reply.unwrap().done.component != Some(Digest::of(&old)));
        }
        taken
    };
    let first = round().await;
    let count = first.iter().filter(|taken| **taken).count();
    assert!((5..=40).contains(&count), "{count} of 100");
    assert_eq!(round().await, first);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_version_that_traps_is_withdrawn_and_nobody_notices() {
    let setup = trying(&present(), guest::trapping_router(), 100);
    let host = host(vec![setup.clone()]).await;
    for number in 0..10 {
        assert!(is_old(&ask(&host, number).await));
        tried(&host, u64::from(number.min(4)) + 1).await;
    }
    let router = BindingId::new("router").unwrap();
    let trial = host.trials().remove(0);
    assert_eq!(trial.failed, 5, "then it is left alone");
    assert_eq!(host.canary_failures(&router), 5);
    let why = trial.withdrawn.expect("it is tried no more");
    assert!(why.contains("failed 5 times"), "{why}");
    let expected = Incident::CanaryWithdrawn {
        binding: router,
        component: setup.staged.canary.as_ref().unwrap().digest,
        why,
    };
    assert_eq!(host.incident().await, expected);
    let figures = host.figures();
    assert_eq!((figures[0].calls, figures[0].failures), (10, 0));
    assert_eq!(figures[0].outcomes, [("answered", 10)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_integrations_call_is_made_again_where_the_version_that_is_tried_fails() {
    let old = component(guest::poller());
    let setup = binding("router", &old, &["schedule"], json!({}));
    let host = host(vec![trying(&setup, guest::trapping_poller(), 100)]).await;
    let router = BindingId::new("router").unwrap();
    let run = async |id: &str, attempt: u32| {
        let call = Call {
            id: id.to_owned(),
            attempt,
            ..call()
        };
        let reply = host.run_schedule(&router, call, Desk::shared()).await;
        reply.expect("it runs").done.component
    };
    assert_eq!(run("a", 1).await, Some(Digest::of(&old)), "nothing is lost");
    assert_eq!(host.trials()[0].failed, 1);
    assert_eq!(run("a", 2).await, Some(Digest::of(&old)));
    assert_eq!(
        host.trials()[0].failed,
        1,
        "a second attempt is safe at once"
    );

    let better = guest::waiting_poller();
    let digest = Digest::of(&better);
    let more = json!({ "grants": { "key-value": true } });
    let setup = binding("router", &old, &["schedule"], more);
    host.set_up(vec![trying(&setup, better, 100)])
        .await
        .unwrap();
    assert_eq!(run("b", 1).await, Some(digest));
    assert_eq!(host.trials()[0].answered, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_version_that_was_tried_goes_on_as_the_one_in_force() {
    let new = guest::router("network", "for a change");
    let host = host(vec![trying(&present(), new.clone(), 100)]).await;
    ask(&host, 0).await;
    tried(&host, 1).await;
    let setup = binding("router", &component(new), &["routing"], json!({}));
    host.set_up(vec![setup]).await.unwrap();
    assert!(!is_old(&ask(&host, 1).await));
    assert!(host.trials().is_empty());
    assert_eq!(host.figures()[0].calls, 2, "its figures go on");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_component_that_takes_the_place_of_another_has_to_stand_a_call() {
    let host = host(vec![present()]).await;
    let swap = |bytes: Vec<u8>| {
        let setup = binding("router", &component(bytes), &["routing"], json!({}));
        let staged = Staged {
            self_test: true,
            ..Staged::default()
        };
        vec![BindingSetup { staged, ..setup }]
    };
    let (_, error) = host
        .set_up(swap(guest::trapping_router()))
        .await
        .unwrap_err();
    assert!(matches!(error, InspectError::SelfTest(_)), "{error}");
    assert!(error.to_string().contains("at the hook routing"), "{error}");
    assert!(is_old(&ask(&host, 0).await), "nothing changed");
    let calls = host.figures()[0].calls;
    host.set_up(swap(guest::router("network", "new")))
        .await
        .unwrap();
    assert!(!is_old(&ask(&host, 1).await));
    assert_eq!(
        (calls, host.figures()[0].calls),
        (1, 1),
        "the trial call is none"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_under_way_ends_on_the_version_it_began_on() {
    let old = component(guest::waiting_poller());
    let more = json!({ "grants": { "key-value": true } });
    let setup = binding("router", &old, &["schedule"], more.clone());
    let host = Arc::new(host(vec![setup]).await);
    let gate = Arc::new(Gate::default());
    let router = BindingId::new("router").unwrap();
    let running = tokio::spawn({
        let (host, router, gate) = (Arc::clone(&host), router.clone(), Arc::clone(&gate));
        async move { host.run_schedule(&router, call(), gate).await }
    });
    gate.reached.notified().await;

    let new = component(guest::poller());
    let setup = binding("router", &new, &["schedule"], more);
    host.set_up(vec![setup]).await.unwrap();
    let next = host.run_schedule(&router, call(), Desk::shared()).await;
    assert_eq!(next.unwrap().done.component, Some(Digest::of(&new)));
    assert!(!running.is_finished());
    gate.open.notify_one();
    let ended = running.await.unwrap().expect("it ends well");
    assert_eq!(ended.done.component, Some(Digest::of(&old)));
}

#[tokio::test]
async fn a_binding_that_keeps_failing_is_left_alone_until_it_is_released() {
    let traps = component(guest::trapping_router());
    let setup = binding("router", &traps, &["routing"], json!({}));
    let host = host(vec![setup.clone()]).await;
    let failure = async || {
        let question = question("router", Ask::Route);
        let reply = host.ask(call(), &question, Desk::shared()).await;
        reply.answer.expect_err("it fails")
    };
    tokio::time::pause();
    for _ in 0..5 {
        assert_eq!(failure().await.kind, FailureKind::Trap);
    }
    for rest in [5, 10, 20] {
        assert_eq!(failure().await.kind, FailureKind::Unavailable);
        tokio::time::advance(StdDuration::from_secs(rest)).await;
        assert_eq!(failure().await.kind, FailureKind::Trap, "a probe");
    }
    tokio::time::advance(StdDuration::from_hours(1)).await;
    let left_alone = failure().await;
    assert_eq!(left_alone.kind, FailureKind::Unavailable);
    let said = &left_alone.message;
    assert!(said.contains("wright plugin release router"), "{said}");
    let router = BindingId::new("router").unwrap();
    let why = host.quarantine(&router).expect("in quarantine");
    let component = Digest::of(&traps);
    let binding = router.clone();
    let told = host.incident().await;
    assert_eq!(
        told,
        Incident::Quarantined {
            binding,
            component,
            why: why.clone()
        }
    );

    // As the engine does once it has made that durable; then an operator releases it.
    let kept = Staged {
        quarantine: Some(why),
        ..Staged::default()
    };
    let kept = BindingSetup {
        staged: kept,
        ..setup.clone()
    };
    host.set_up(vec![kept]).await.unwrap();
    assert_eq!(failure().await.kind, FailureKind::Unavailable);
    host.set_up(vec![setup]).await.unwrap();
    assert_eq!(host.quarantine(&router), None);
    assert_eq!(host.figures()[0].breaker, BreakerState::Closed);
    assert_eq!(failure().await.kind, FailureKind::Trap, "it is asked again");
}

#[tokio::test(flavor = "multi_thread")]
async fn figures_tell_how_long_calls_took_and_how_they_ended() {
    let traps = component(guest::trapping_router());
    let host = host(vec![
        present(),
        binding("traps", &traps, &["routing"], json!({})),
    ])
    .await;
    for number in 0..3 {
        ask(&host, number).await;
        let question = question("traps", Ask::Route);
        let reply = host.ask(call(), &question, Desk::shared()).await;
        assert!(reply.answer.is_err());
    }
    let figures = host.figures();
    assert_eq!(figures[0].outcomes, [("answered", 3)]);
    assert_eq!(figures[1].outcomes, [("trap", 3)]);
    for hook in figures {
        let (p50, p99) = (hook.p50_micros.unwrap(), hook.p99_micros.unwrap());
        assert!(
            p50 > 0 && p50 <= p99 && p99 <= hook.micros * 9 / 8 + 1,
            "{hook:?}"
        );
    }
    let lines = host.lines(&BindingId::new("traps").unwrap(), 0).unwrap();
    assert_eq!(lines.len(), 3);
    assert_eq!((lines[0].level, lines[0].hook), ("warn", Hook::Routing));
    assert!(lines[0].message.starts_with("no answer: "), "{lines:?}");
}

/// Surroundings in which a write waits until the gate is opened.
#[derive(Default)]
struct Gate {
    reached: Notify,
    open: Notify,
}

impl Surroundings for Gate {
    fn compare_and_set(
        &self,
        _: &BindingId,
        _: &str,
        _: Option<Vec<u8>>,
        _: Option<Vec<u8>>,
    ) -> BoxFuture<'_, Result<bool, LookupError>> {
        Box::pin(async {
            self.reached.notify_one();
            self.open.notified().await;
            Ok(true)
        })
    }

    fn thing(&self, _: &DirectoryKind, _: &str) -> Result<Option<Map<String, Json>>, LookupError> {
        Err(LookupError::Unavailable)
    }

    fn teams(&self) -> Result<Vec<String>, LookupError> {
        Err(LookupError::Unavailable)
    }

    fn members(&self, _: &str, _: Instant) -> Result<Vec<Member>, LookupError> {
        Err(LookupError::Unavailable)
    }

    fn linked(&self, _: &str, _: &str) -> Result<Vec<RecordView>, LookupError> {
        Err(LookupError::Unavailable)
    }

    fn alike(
        &self,
        _: &str,
        _: &[(FieldId, Value)],
        _: Instant,
    ) -> Result<Vec<RecordView>, LookupError> {
        Err(LookupError::Unavailable)
    }

    fn referenced(&self, _: &BindingId, _: &str) -> Result<Option<RecordView>, LookupError> {
        Err(LookupError::Unavailable)
    }

    fn business_add(&self, _: &str, _: Instant, _: Duration) -> Result<Instant, LookupError> {
        Err(LookupError::Unavailable)
    }

    fn business_between(&self, _: &str, _: Instant, _: Instant) -> Result<Duration, LookupError> {
        Err(LookupError::Unavailable)
    }

    fn key_value(&self, _: &BindingId, _: &str) -> Result<Option<Vec<u8>>, LookupError> {
        Err(LookupError::Unavailable)
    }

    fn keys(&self, _: &BindingId, _: &str, _: Option<&str>) -> Result<Vec<String>, LookupError> {
        Err(LookupError::Unavailable)
    }
}
