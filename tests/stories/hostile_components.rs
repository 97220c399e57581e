//! A component that cannot be put to use: the pack that brings it is refused with a reason, within a
//! bounded time and without weighing on the server, and the desk goes on as it was.

use std::time::{Duration, Instant};

use serde_json::json;
use test_support::Setup;

use crate::assemble::assembled;
use crate::packs;

/// How long a compiler has, in seconds.
const COMPILING: &str = "45";
/// What refusing may take: as long as a compiler has, and some more on a busy machine.
const LIMIT: Duration = Duration::from_mins(3);

#[tokio::test(flavor = "multi_thread")]
async fn a_component_that_cannot_be_used_is_refused_and_the_desk_goes_on() {
    let server = Setup::new()
        .arguments(&["--plugin-compile-time", COMPILING])
        .start();
    let ada = server.client("ada", "agent");
    let cases = test_support::repository().join("tests/plugin-cases");
    for (case, says) in [
        ("compile-bomb", "does not compile"),
        ("many-instances", "instances"),
        ("ten-thousand-exports", "exceeds limit"),
        ("unknown-imports", "needs what this server does not have"),
        ("wrong-version", "servicewright:plugin/routing@9.0.0"),
        ("start-loop", "does not start"),
        ("huge-memory", "memory"),
    ] {
        let component = assembled(&cases.join(case)).expect("a case in text");
        let file = tempfile::NamedTempFile::new().expect("a file");
        std::fs::write(file.path(), &component).expect("written");
        let binding = "apiVersion: servicewright/v1
kind: Plugin
id: stranger
title: Stranger
component: { file: stranger.wasm }
hooks: { routing: true }
";
        let pack = packs::routed_by("stranger", binding, file.path());
        let begun = Instant::now();
        let folder = pack.path().to_str().expect("a path");
        let installing =
            tokio::task::block_in_place(|| server.wright(&["pack", "install", folder]));
        let said = String::from_utf8_lossy(&installing.stderr);
        assert!(!installing.status.success(), "{case}: {said}");
        assert!(said.contains(says), "{case}: {said}");
        assert!(begun.elapsed() < LIMIT, "{case} took {:?}", begun.elapsed());
        let fields =
            json!({ "summary": "A noise", "category": "other", "impact": "low", "urgency": "low" });
        let incident = ada.create("incident", "log", fields).await;
        assert_eq!(incident["team"], "service-desk", "after {case}");
    }
}
