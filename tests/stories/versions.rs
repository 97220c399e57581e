//! New versions of a plugin, in and out, while the desk works: one that traps on every call is noticed
//! and costs nobody anything, one that is better is put in force, and each step outlives the server.

use std::path::Path;
use std::time::{Duration, Instant};

use model::Digest;
use reqwest::Method;
use serde_json::{Value, json};
use tempfile::TempDir;
use test_support::{Answer, Client, Server, Setup, guest};

use crate::packs;

const BINDING: &str = "apiVersion: servicewright/v1
kind: Plugin
id: our-router
title: Our router
component: { file: our-router.wasm }
hooks: { routing: true }
";
/// How long a trial, which goes on beside the calls that count, may take to be seen.
const PATIENCE: Duration = Duration::from_secs(30);

/// A desk whose notes are routed by a plugin of this component.
fn desk(component: &[u8]) -> (Server, TempDir) {
    let files = tempfile::tempdir().expect("a folder");
    let file = files.path().join("router.wasm");
    std::fs::write(&file, component).expect("written");
    let pack = packs::routed_by("our-router", BINDING, &file);
    let server = Server::start();
    let folder = pack.path().to_str().expect("a path of text");
    told(&server, &["pack", "install", folder]);
    (server, pack)
}

/// A command on the data folder that succeeds.
fn told(server: &Server, arguments: &[&str]) -> Value {
    let output = server.wright(&[arguments, &["--format", "json"]].concat());
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{arguments:?}: {errors}");
    serde_json::from_slice(&output.stdout).expect("JSON")
}

/// Why a command is refused.
fn refused(server: &Server, arguments: &[&str]) -> String {
    let output = server.wright(arguments);
    assert!(!output.status.success(), "{arguments:?}");
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// The binding, as `wright plugin list` tells of it.
fn binding(server: &Server) -> Value {
    let listed = told(server, &["plugin", "list"]);
    let bindings = listed["bindings"].as_array().expect("bindings");
    let ours = bindings.iter().find(|it| it["id"] == "our-router");
    ours.expect("it is in force").clone()
}

/// The binding, once it is as it should be.
async fn once(server: &Server, fits: impl Fn(&Value) -> bool) -> Value {
    let begun = Instant::now();
    loop {
        let binding = binding(server);
        if fits(&binding) {
            return binding;
        }
        assert!(begun.elapsed() < PATIENCE, "{binding:#}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Writes a note, and gives what the routing hook decided.
async fn routed(client: &Client) -> Value {
    let note = client
        .create("note", "write", json!({ "summary": "Routed" }))
        .await;
    assert_eq!(note["team"], "writers", "the answer or the fallback");
    let history = client.history(&note.id()).await;
    let decisions = history[0]["decisions"].as_array().expect("decisions");
    let asked = decisions.iter().find(|it| it["binding"] == "our-router");
    asked.expect("it was asked").clone()
}

fn file(folder: &Path, name: &str, component: &[u8]) -> String {
    let file = folder.join(name);
    std::fs::write(&file, component).expect("written");
    file.to_str().expect("a path of text").to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_version_that_traps_on_every_call_is_noticed_and_costs_nobody_anything() {
    let old = guest::router("writers", "as ever");
    let traps = guest::trapping_router();
    let (old_digest, new_digest) = (Digest::of(&old).to_string(), Digest::of(&traps).to_string());
    let (mut server, files) = desk(&old);
    let ada = server.client("ada", "agent");
    let new = file(files.path(), "new.wasm", &traps);
    let canary = ["plugin", "canary", "our-router", &new, "--share", "100%"];
    let began = told(&server, &canary);
    assert_eq!(began["component"], *old_digest, "the old one is in force");

    let begun = Instant::now();
    let mut written = 0;
    while binding(&server)["canary"]["withdrawn"].is_null() {
        let decision = routed(&ada).await;
        assert_eq!(decision["component"], *old_digest);
        assert_eq!(decision["reason"], "as ever");
        assert_eq!(decision["fallback"], false);
        written += 1;
        assert!(begun.elapsed() < PATIENCE, "nobody noticed");
    }
    let seen = binding(&server);
    assert_eq!(seen["canary"]["component"], *new_digest);
    assert_eq!(seen["canary"]["failed"], 5);
    assert_eq!(seen["hooks"][0]["failures"], 0);
    assert_eq!(seen["hooks"][0]["calls"], written);
    let said = refused(&server, &["plugin", "promote", "our-router"]);
    assert!(said.contains("--anyway"), "{said}");
    let page = ada.get("/api/v1/records?workflow=note&limit=100").await;
    let notes = page["records"].as_array().expect("notes").len();
    assert_eq!(notes, written, "nothing was lost");
    assert!(server.wright(&["verify"]).status.success());

    // What the server did by itself outlives it, once it is durable.
    let root = server.client("root", "administrator");
    let begun = Instant::now();
    loop {
        let listed = root.get("/api/v1/bindings").await.expect(200).body;
        let bindings = listed["bindings"].as_array().expect("bindings").clone();
        let ours = bindings.iter().find(|it| it["id"] == "our-router");
        if ours.expect("it is in force")["canary"].is_null() {
            break;
        }
        assert!(begun.elapsed() < PATIENCE, "{bindings:#?}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    server.kill();
    server.restart();
    let after = binding(&server);
    let why = after["canary"]["withdrawn"].as_str().expect("withdrawn");
    assert!(why.contains("failed 5 times"), "{why}");
    assert_eq!(routed(&ada).await["component"], *old_digest);
    assert_eq!(binding(&server)["canary"]["failed"], 0, "it is left alone");
    told(&server, &["plugin", "rollback", "our-router"]);
    assert!(binding(&server)["canary"].is_null());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_version_is_tried_put_in_force_and_taken_back_and_each_step_outlives_the_server() {
    let old = guest::router("writers", "as ever");
    let better = guest::router("writers", "for a better reason");
    let (old_digest, new_digest) = (
        Digest::of(&old).to_string(),
        Digest::of(&better).to_string(),
    );
    let (mut server, files) = desk(&old);
    let ada = server.client("ada", "agent");
    let new = file(files.path(), "new.wasm", &better);
    let said = refused(&server, &["plugin", "promote", "our-router"]);
    assert!(said.contains("no version is being tried"), "{said}");
    let other = [
        "plugin",
        "canary",
        "our-router",
        &*format!("sha256:{:064}", 0),
    ];
    assert!(refused(&server, &other).contains("no component"));

    told(
        &server,
        &["plugin", "canary", "our-router", &new, "--share", "100%"],
    );
    assert_eq!(routed(&ada).await["component"], *old_digest);
    once(&server, |it| it["canary"]["same"] == 1).await;
    server.kill();
    server.restart();
    let tried = binding(&server);
    assert_eq!(tried["canary"]["component"], *new_digest);
    assert_eq!(tried["canary"]["share_percent"], 100);

    let why = ["--why", "the new rota"];
    told(
        &server,
        &[&["plugin", "promote", "our-router"][..], &why].concat(),
    );
    server.kill();
    server.restart();
    let decision = routed(&ada).await;
    assert_eq!(decision["component"], *new_digest);
    assert_eq!(decision["reason"], "for a better reason");
    let promoted = binding(&server);
    assert_eq!(promoted["packed"], *old_digest);
    assert_eq!(promoted["earlier"], json!([old_digest]));

    // The same pack again leaves what the operator settled.
    let pack = files.path().to_str().expect("a path of text");
    told(&server, &["pack", "install", pack]);
    assert_eq!(binding(&server)["component"], *new_digest);

    told(&server, &["plugin", "rollback", "our-router"]);
    server.kill();
    server.restart();
    assert_eq!(routed(&ada).await["component"], *old_digest);
    let said = refused(&server, &["plugin", "rollback", "our-router"]);
    assert!(said.contains("no version of before"), "{said}");
    assert!(server.wright(&["verify"]).status.success());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_binding_in_quarantine_is_not_asked_until_it_is_released() {
    let (mut server, _files) = desk(&guest::router("writers", "as ever"));
    let ada = server.client("ada", "agent");
    let why = ["--why", "it looks odd"];
    told(
        &server,
        &[&["plugin", "quarantine", "our-router"][..], &why].concat(),
    );
    for _ in 0..2 {
        let decision = routed(&ada).await;
        assert_eq!(decision["fallback"], true);
        let said = decision["failure"].to_string();
        assert!(said.contains("it looks odd"), "{said}");
        assert!(said.contains("wright plugin release our-router"), "{said}");
        assert_eq!(binding(&server)["quarantine"], "it looks odd");
        server.kill();
        server.restart();
    }
    told(&server, &["plugin", "release", "our-router"]);
    let decision = routed(&ada).await;
    assert_eq!(decision["fallback"], false);
    assert!(binding(&server)["quarantine"].is_null());
    let said = refused(&server, &["plugin", "release", "our-router"]);
    assert!(said.contains("not in quarantine"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pack_cannot_put_a_component_in_force_that_traps_on_an_empty_record() {
    let old = guest::router("writers", "as ever");
    let (server, files) = desk(&old);
    let bound = files.path().join("plugins/our-router.wasm");
    std::fs::write(bound, guest::trapping_router()).expect("written");
    let pack = files.path().to_str().expect("a path of text");
    let said = refused(&server, &["pack", "install", pack]);
    assert!(said.contains("does not stand a call"), "{said}");
    assert_eq!(binding(&server)["component"], Digest::of(&old).to_string());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_value_space_holds_what_is_granted_up_to_the_ceiling_and_its_log_says_so() {
    for (granted, ceiling) in [("1KiB", "16MiB"), ("64KiB", "1KiB")] {
        let bound = format!(
            "apiVersion: servicewright/v1
kind: Plugin
id: keeper
title: Keeper
component: {{ file: keeper.wasm }}
hooks: {{ webhook: true }}
grants: {{ key-value: {{ bytes: {granted}, keys: 4 }} }}
"
        );
        let pack = packs::beside("keeper", &bound, &guest::keeper());
        let server = Setup::new().arguments(&["--plugin-space", ceiling]).start();
        let folder = pack.path().to_str().expect("a path of text");
        told(&server, &["pack", "install", folder]);
        let stranger = server.client_with("");
        let keep = async |key: String| {
            let request = stranger.request(Method::POST, "/hooks/keeper");
            Answer::of(request.body(key)).await.status
        };
        for key in ["a", "b"] {
            assert_eq!(keep(key.to_owned()).await, 200);
        }
        assert_eq!(keep("x".repeat(900)).await, 200);
        assert_ne!(keep("y".repeat(200)).await, 200, "more than a KiB");
        assert_eq!(keep("c".to_owned()).await, 200);
        assert_ne!(keep("d".to_owned()).await, 200, "a fifth key");

        let logged = server.wright(&["plugin", "logs", "keeper", "--format", "json"]);
        let logged = String::from_utf8_lossy(&logged.stdout).into_owned();
        let last = logged.lines().last().expect("a line");
        let last: Value = serde_json::from_str(last).expect("JSON");
        assert_eq!(last["level"], "warn");
        let said = last["message"].as_str().expect("text");
        let expected = "the key-value space is full: it holds 1KiB and 4 keys";
        assert!(said.contains(expected), "{said}");
        let said = refused(&server, &["plugin", "logs", "nobody"]);
        assert!(said.contains("there is no binding `nobody`"), "{said}");
    }
}
