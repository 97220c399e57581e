//! The life of a server: it stops in order, starts again where it was, serves commands meanwhile, and
//! leaves a folder of another owner or version alone.

use serde_json::{Value, json};
use test_support::{Server, Setup};

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_asked_to_stop_finishes_and_comes_back() {
    let mut server = Server::start();
    let ada = server.client("ada", "agent");
    let fields =
        json!({ "summary": "A noise", "category": "hardware", "impact": "low", "urgency": "low" });
    let number = ada.create("incident", "log", fields).await.id();
    let before = ada.record(&number).await;
    // A stream that is open does not keep it from stopping.
    let request = ada.request(reqwest::Method::GET, "/api/v1/events");
    let request = request.header("Last-Event-ID", "0");
    let stream = request.send().await.expect("a stream");
    assert_eq!(stream.status(), 200);
    assert!(server.stop().success());
    let rest = stream.text().await;
    assert!(
        rest.is_ok_and(|rest| rest.contains(&number)),
        "the stream ends in order"
    );

    assert!(
        server.wright(&["verify"]).status.success(),
        "the folder is free"
    );
    server.restart();
    assert_eq!(ada.record(&number).await, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn tokens_are_made_and_ended_while_it_runs_and_while_it_does_not() {
    let mut server = Server::start();
    let running = server.client("ada", "agent");
    let _ = running.get("/api/v1/workflows").await.expect(200);
    assert!(server.stop().success());
    let made = server.token("bram", "agent");
    server.restart();
    let bram = server.client_with(&made);
    let _ = bram.get("/api/v1/workflows").await.expect(200);

    let short = server.wright(&["token", "create", "--actor", "bram", "--expires", "PT0S"]);
    let short = String::from_utf8(short.stdout).expect("text");
    let _ = server
        .client_with(short.trim())
        .get("/api/v1/workflows")
        .await
        .expect(401);
    for entry in std::fs::read_dir(server.data()).expect("the folder") {
        let path = entry.expect("an entry").path();
        if path.is_file() {
            let bytes = std::fs::read(&path).expect("a file");
            let secret = made.as_bytes();
            assert!(
                !bytes.windows(secret.len()).any(|part| part == secret),
                "{}",
                path.display()
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_plugin_needs_can_be_seen_and_kept() {
    let server = Server::start();
    let listed = server.wright(&["plugin", "list", "--format", "json"]);
    let listed: Value = serde_json::from_slice(&listed.stdout).expect("JSON");
    let ids: Vec<_> = listed["bindings"]
        .as_array()
        .expect("bindings")
        .iter()
        .map(|it| &it["id"])
        .collect();
    assert_eq!(ids, ["change-advisory", "contract-hours", "skills-router"]);

    let again = server.wright(&["pack", "install", "itil", "--format", "json"]);
    let again: Value = serde_json::from_slice(&again.stdout).expect("JSON");
    assert_eq!(
        again["changed"], false,
        "what is in force already changes nothing"
    );
}

#[test]
fn secrets_that_others_may_read_are_refused() {
    use std::os::unix::fs::PermissionsExt as _;

    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("secrets.toml");
    std::fs::write(&file, "webhook.key = \"open sesame\"\n").expect("written");
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o644)).expect("a mode");
    let output = std::process::Command::new(test_support::binary())
        .args(["serve", "--listen", "127.0.0.1:0", "--secrets"])
        .arg(&file)
        .arg("--data")
        .arg(folder.path().join("data"))
        .output()
        .expect("it runs");
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(
        said.contains("chmod 600") && !said.contains("sesame"),
        "{said}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn settings_come_from_a_file_below_the_command_line() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("wright.toml");
    std::fs::write(&file, "listen = \"192.0.2.1:1\"\nlog = \"debug\"\n").expect("written");
    let file = file.to_str().expect("a path of text");
    // The address of the file cannot be listened on; the command line's goes before it.
    let server = Setup::new().arguments(&["--config", file]).start();
    let _ = server.client_with("").get("/health/live").await.expect(200);
}
