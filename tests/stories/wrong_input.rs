//! Wrong input, from strangers and from process owners alike: each is refused with words that say
//! what is wrong and where, and nothing changes.

use std::path::Path;
use std::process::Output;

use reqwest::Method;
use serde_json::{Value, json};
use test_support::{Answer, Client, Server};

use crate::packs;

fn call(fields: &Value) -> Value {
    json!({ "workflow": "incident", "create": "log", "fields": fields })
}

fn good() -> Value {
    json!({ "summary": "A noise", "category": "hardware", "impact": "low", "urgency": "low" })
}

/// Everything there is, to tell whether something changed.
async fn everything(ada: &Client) -> Value {
    let records = ada.get("/api/v1/records").await.expect(200).body;
    let packs = ada.get("/api/v1/packs").await.expect(200).body;
    json!([records, packs])
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_request_is_refused_and_nothing_changes() {
    let server = Server::start();
    let ada = server.client("ada", "agent");
    let number = ada.create("incident", "log", good()).await.id();
    let before = everything(&ada).await;
    let records = "/api/v1/records";

    let mut missing = good();
    missing.as_object_mut().expect("fields").remove("summary");
    let answer = ada.post(records, &call(&missing)).await.expect(422);
    assert_eq!(answer["code"], "invalid");
    assert_eq!(answer["errors"][0]["pointer"], "/fields/summary");

    let mut several = good();
    several["impact"] = json!("enormous");
    several["colour"] = json!("red");
    let answer = ada.post(records, &call(&several)).await.expect(422);
    let pointers: Vec<_> = answer["errors"]
        .as_array()
        .expect("errors")
        .iter()
        .map(|it| &it["pointer"])
        .collect();
    assert!(
        pointers.contains(&&json!("/fields/impact"))
            && pointers.contains(&&json!("/fields/colour")),
        "{pointers:?}"
    );

    let mut empty = good();
    empty["summary"] = json!("");
    let answer = ada.post(records, &call(&empty)).await.expect(422);
    assert_eq!(answer["errors"][0]["pointer"], "/fields/summary");

    let answer = ada.transition(&number, "resolve", json!({})).await;
    assert!(
        [404, 409].contains(&answer.status),
        "not from `new`: {}",
        answer.body
    );
    let answer = ada.transition(&number, "confirm-twice", json!({})).await;
    assert!(
        [404, 409].contains(&answer.status),
        "there is none such: {}",
        answer.body
    );
    let answer = ada.get("/api/v1/records/INC-999").await.expect(404);
    assert_eq!(answer["code"], "not-found");
    let answer = ada
        .post(records, &json!({ "workflow": "incident", "feilds": {} }))
        .await;
    assert!([400, 422].contains(&answer.status), "{}", answer.body);

    let deep = format!("{}1{}", "[".repeat(10_000), "]".repeat(10_000));
    let answer = raw(&ada, deep.into_bytes()).await.expect(400);
    assert!(
        answer["detail"]
            .as_str()
            .is_some_and(|said| said.contains("nested")),
        "{}",
        answer.body
    );
    let answer = raw(&ada, b"{\"workflow\":".to_vec()).await.expect(400);
    assert!(
        answer["detail"]
            .as_str()
            .is_some_and(|said| said.contains("line 1")),
        "{}",
        answer.body
    );

    let stale = ada
        .request(Method::PATCH, &format!("{records}/{number}"))
        .header("If-Match", "\"v7\"");
    let answer = Answer::of(stale.json(&json!({ "urgency": "high" })))
        .await
        .expect(409);
    assert_eq!(answer["code"], "version");

    let stranger = server.client_with("wright_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA");
    let answer = stranger.post(records, &call(&good())).await.expect(401);
    assert_eq!(answer.header("content-type"), "application/problem+json");

    assert_eq!(everything(&ada).await, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_of_a_hundred_megabytes_is_refused_without_being_kept() {
    let server = Server::start();
    let ada = server.client("ada", "agent");
    let body = vec![b' '; 100 << 20];
    // The answer may come, and the connection close, before all of it is sent.
    match Answer::try_of(
        ada.request(Method::POST, "/api/v1/records")
            .header("content-type", "application/json")
            .body(body),
    )
    .await
    {
        Ok(answer) => assert_eq!(answer.expect(413)["code"], "too-large"),
        Err(error) => assert!(error.is_request() || error.is_body(), "{error:?}"),
    }
    let _ = ada.get("/api/v1/workflows").await.expect(200);
}

async fn raw(client: &Client, body: Vec<u8>) -> Answer {
    let request = client
        .request(Method::POST, "/api/v1/records")
        .header("content-type", "application/json");
    Answer::of(request.body(body)).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_pack_is_refused_with_its_places_and_nothing_changes() {
    let server = Server::start();
    let ada = server.client("ada", "agent");
    let before = everything(&ada).await;
    let parentheses = format!("{}true{}", "(".repeat(100_000), ")".repeat(100_000));
    let cases: [(&str, String, &str); 7] = [
        (
            "a list that never closes",
            packs::WORKFLOW.replace("{ anyone: true }", "[ anyone"),
            "note.yaml",
        ),
        (
            "a tab",
            packs::WORKFLOW.replace("  done:", "\tdone:"),
            "note.yaml",
        ),
        (
            "a key twice",
            packs::WORKFLOW.replace("title: Note", "title: Note\ntitle: Notes"),
            "note.yaml",
        ),
        (
            "an expression of brackets",
            packs::WORKFLOW.replace("when: \"true\"", &format!("when: \"{parentheses}\"")),
            "note.yaml",
        ),
        (
            "an empty value",
            packs::WORKFLOW.replace("title: Note", "title:"),
            "note.yaml",
        ),
        (
            "a dead end",
            packs::WORKFLOW.replace("category: closed, outcome: done", "category: open"),
            "note.yaml",
        ),
        (
            "a state that is not there",
            packs::WORKFLOW.replace("to: done", "to: dnoe"),
            "did you mean `done`",
        ),
    ];
    for (what, workflow, said) in cases {
        let folder = packs::note(&workflow);
        let output = server.wright(&["pack", "install", path(folder.path())]);
        let errors = refused(&output, what);
        assert!(errors.contains(said), "{what}: {errors}");
        assert!(errors.len() < 20_000, "{what}: {} bytes", errors.len());
    }
    assert_eq!(everything(&ada).await, before);

    let folder = packs::note(packs::WORKFLOW);
    let output = server.wright(&["pack", "install", path(folder.path())]);
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let _ = ada
        .create("note", "write", json!({ "summary": "It works" }))
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_is_no_component_is_refused() {
    let server = Server::start();
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("plugin.wasm");
    for content in [&b""[..], b"#!/bin/sh\necho", b"\0asm\x01\0\0\0"] {
        std::fs::write(&file, content).expect("written");
        for command in ["inspect", "install"] {
            let output = server.wright(&["plugin", command, path(&file)]);
            let errors = refused(&output, command);
            assert!(errors.contains("not a WebAssembly component"), "{errors}");
        }
    }
    let output = server.wright(&["plugin", "inspect"]);
    assert_eq!(output.status.code(), Some(2), "used wrongly");
}

/// What a command said that was refused.
fn refused(output: &Output, what: &str) -> String {
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{what}: {errors}");
    assert!(
        output.stdout.is_empty(),
        "{what}: results belong to what succeeds"
    );
    assert!(!errors.contains("panicked"), "{what}: {errors}");
    errors
}

fn path(path: &Path) -> &str {
    path.to_str().expect("a path of text")
}
