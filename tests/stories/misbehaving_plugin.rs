//! A plugin that loops, allocates without end, traps or answers nonsense holds nobody up: its call
//! ends within its limits, the record goes where the workflow says without it, the history says why,
//! and everybody else's work goes on.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use test_support::{Client, Server};

use crate::packs;

/// What any call may take, well above the limits of a pure hook.
const LIMIT: Duration = Duration::from_secs(5);
/// What the server may hold at most.
const MEMORY: u64 = 600 << 20;

#[tokio::test(flavor = "multi_thread")]
async fn a_plugin_that_misbehaves_is_done_without() {
    let server = Server::start();
    let ada = server.client("ada", "agent");
    for (what, kind) in [
        ("loop", "timeout"),
        ("allocate", "memory"),
        ("trap", "trap"),
        ("recurse", "trap"),
        ("wrong-team", "no-such-team"),
        ("flood", "limit"),
        ("huge-answer", "limit"),
        ("enormous-answer", "limit"),
        // Whichever of the two is used up first.
        ("host-calls", "it "),
        ("resource-leak", "limit"),
        ("sleep", "trap"),
        ("exit", "trap"),
        ("request", "trap"),
    ] {
        let folder = packs::misrouted(what);
        let folder = folder.path().to_str().expect("a path of text");
        let installed = server.wright(&["pack", "install", folder]);
        let errors = String::from_utf8_lossy(&installed.stderr);
        assert!(installed.status.success(), "{what}: {errors}");

        let begun = Instant::now();
        let (note, incident) = tokio::join!(note(&ada), incident(&ada));
        assert!(begun.elapsed() < LIMIT, "{what} took {:?}", begun.elapsed());
        assert_eq!(incident["team"], "service-desk", "{what}: others go on");
        assert_eq!(note["team"], "writers", "{what}: the fallback");

        let history = ada.history(note["id"].as_str().expect("a number")).await;
        let decisions = history[0]["decisions"].as_array().expect("decisions");
        let asked = decisions.iter().find(|it| it["binding"] == "note-router");
        let asked = asked.unwrap_or_else(|| panic!("{what}: it was asked"));
        assert_eq!(asked["fallback"], true, "{what}");
        let next = self::incident(&ada).await;
        assert_eq!(next["team"], "service-desk", "after {what}");
        assert!(
            asked["answer"].is_null() || what == "wrong-team",
            "{what}: {asked}"
        );
        let failure = &asked["failure"];
        assert!(
            !failure["message"].as_str().unwrap_or_default().is_empty(),
            "{what}: {failure}"
        );
        let said = failure.to_string();
        assert!(said.contains(kind), "{what}: {said}");
    }
    assert!(server.wright(&["verify"]).status.success());
    let most = most_resident(&server);
    assert!(most < MEMORY, "the server held {most} bytes");
}

/// What the server held at most, in bytes, where the system tells it.
fn most_resident(server: &Server) -> u64 {
    let status = format!("/proc/{}/status", server.process_id());
    let status = std::fs::read_to_string(status).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
    kib.unwrap_or(0) << 10
}

async fn note(client: &Client) -> Value {
    client
        .create("note", "write", json!({ "summary": "Routed somehow" }))
        .await
        .body
}

async fn incident(client: &Client) -> Value {
    let fields =
        json!({ "summary": "A noise", "category": "other", "impact": "low", "urgency": "low" });
    client.create("incident", "log", fields).await.body
}
