//! A shared token is compared by the server: the plugin learns whether it is the one, and no more.

use model::hook::FailureKind;

use crate::support::{component, failure, host, hostile, run};

#[tokio::test(flavor = "multi_thread")]
async fn a_token_is_the_secret_or_it_is_not() {
    let Some(component) = component("hostile") else {
        return;
    };
    let host = host(vec![hostile(&component, "compare")]).await;
    let said = run(&host, "compare").await.expect("an answer");
    assert!(said.contains("true false false"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_that_was_not_granted_is_not_compared_with() {
    let Some(component) = component("hostile") else {
        return;
    };
    let host = host(vec![hostile(&component, "compare-other")]).await;
    let failed = run(&host, "compare-other").await.expect_err("no grant");
    assert_eq!(failed.kind, FailureKind::Misconfigured);
    assert!(failed.message.contains("no signing with a secret `token`"));
    assert!(!failed.message.contains("hunter2"));
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_guesses_is_stopped_after_a_few() {
    let Some(component) = component("hostile") else {
        return;
    };
    let host = host(vec![hostile(&component, "guess")]).await;
    let failed = run(&host, "guess").await.expect_err("it is stopped");
    assert_eq!(failed.kind, FailureKind::Limit);
    let said = "more than 16 times whether something is a secret";
    assert!(failed.message.contains(said), "{}", failed.message);
    assert!(!failed.message.contains("Jefe"));
    // A pure hook has nothing to compare with, whatever is granted.
    let failed = failure(&host, "guess").await;
    assert_eq!(failed.kind, FailureKind::Trap);
}
