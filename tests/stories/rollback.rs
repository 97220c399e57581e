//! A new version of a pack turns out wrong, and the one before is put in force again: on a server that
//! runs and on data that none has open, in one step, and without a record losing what it began under.

use serde_json::{Value, json};
use tempfile::TempDir;
use test_support::{Client, Server};

use crate::packs::{self, WORKFLOW};

/// The pack of notes in another version, with another title for what finishes a note.
fn version(version: &str, title: &str) -> TempDir {
    let folder = packs::note(&WORKFLOW.replace("title: Finish", &format!("title: {title}")));
    let header = folder.path().join("pack.yaml");
    let text = std::fs::read_to_string(&header).expect("it has a header");
    let text = text.replace("version: 1.0.0", &format!("version: {version}"));
    std::fs::write(header, text).expect("written");
    folder
}

fn told(server: &Server, arguments: &[&str]) -> Value {
    let output = server.wright(&[arguments, &["--format", "json"]].concat());
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{arguments:?}: {errors}");
    serde_json::from_slice(&output.stdout).expect("JSON")
}

fn install(server: &Server, pack: &TempDir) -> Value {
    let folder = pack.path().to_str().expect("a path of text");
    told(server, &["pack", "install", folder])
}

/// Writes a note; gives its number, and what the move out of it is called.
async fn written(client: &Client) -> (String, String) {
    let note = client
        .create("note", "write", json!({ "summary": "A note" }))
        .await;
    let id = note.id();
    let title = finish(client, &id).await;
    (id, title)
}

async fn finish(client: &Client, id: &str) -> String {
    let path = format!("/api/v1/records/{id}/transitions");
    let answer = client.get(&path).await.expect(200).body;
    let moves = answer["transitions"]
        .as_array()
        .cloned()
        .unwrap_or_default();
    let finish = moves.iter().find(|it| it["name"] == "finish");
    let finish = finish.unwrap_or_else(|| panic!("{answer:#}"));
    finish["title"].as_str().expect("a title").to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_version_before_is_put_in_force_again_and_records_keep_theirs() {
    let mut server = Server::start();
    let (first, second) = (version("1.0.0", "Finish"), version("1.1.0", "Shred"));
    let installed = install(&server, &first);
    let refused = server.wright(&["pack", "rollback", "notes"]);
    let why = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(
        !refused.status.success() && why.contains("never in force in another version"),
        "{why}"
    );

    let ada = server.client("ada", "agent");
    let (old, title) = written(&ada).await;
    assert_eq!(title, "Finish");
    install(&server, &second);
    let (new, title) = written(&ada).await;
    assert_eq!(title, "Shred");

    // A server runs: it is asked.
    let back = told(&server, &["pack", "rollback", "notes"]);
    assert_eq!(back["version"], "1.0.0");
    assert_eq!(back["digest"], installed["digest"]);
    assert_eq!(
        back["configuration"], installed["configuration"],
        "all is as it was"
    );
    let (_, title) = written(&ada).await;
    assert_eq!(title, "Finish");
    assert_eq!(
        finish(&ada, &new).await,
        "Shred",
        "it keeps what it began under"
    );
    assert_eq!(finish(&ada, &old).await, "Finish");
    let history = told(&server, &["pack", "history"]);
    let changes = history["changes"].as_array().expect("changes");
    let last = changes.last().expect("the rollback");
    assert_eq!(last["what"], "rolled back notes from 1.1.0 to 1.0.0");
    assert_eq!(last["configuration"], installed["configuration"]);

    // None does: the folder is opened.
    server.stop();
    let again = told(&server, &["pack", "rollback", "notes"]);
    assert_eq!(again["version"], "1.1.0", "the rollback is rolled back");
    server.restart();
    let ada = server.client("ada", "agent");
    let (_, title) = written(&ada).await;
    assert_eq!(title, "Shred");
    assert!(server.wright(&["verify"]).status.success());
}
