//! Secrets at rest: an operator sets one while the server runs, it holds from the next call on, and
//! nothing in the data folder tells it, whatever happens to the server or its key.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::{Value, json};
use test_support::{Server, Setup, binary};

use crate::listener::Listener;
use crate::webhook::{pack, send, signature};

const VALUE: &str = "open sesame, says the weasel";

/// Runs a command with something on its standard input.
fn given(server: &Server, arguments: &[&str], input: &str) -> Output {
    let mut process = Command::new(binary())
        .args(arguments)
        .env("WRIGHT_DATA", server.data())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it runs");
    let mut pipe = process.stdin.take().expect("it is piped");
    pipe.write_all(input.as_bytes()).expect("it listens");
    drop(pipe);
    process.wait_with_output().expect("it ends")
}

#[track_caller]
fn done(output: &Output) -> String {
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// The files below a folder that hold these bytes.
fn holding(folder: &Path, wanted: &[u8]) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            found.extend(holding(&path, wanted));
        } else if let Ok(bytes) = std::fs::read(&path)
            && bytes.windows(wanted.len()).any(|part| part == wanted)
        {
            found.push(path);
        }
    }
    found
}

/// The secret is nowhere in the data folder, nor in what the server logged.
fn assert_hidden(server: &Server) {
    let encoded = BASE64.encode(VALUE);
    for text in [VALUE, encoded.trim_end_matches('=')] {
        assert_eq!(
            holding(server.data(), text.as_bytes()),
            Vec::<PathBuf>::new()
        );
        assert!(!server.log().contains(text));
    }
}

/// Whether a request that is signed with the secret is taken.
async fn is_taken(server: &Server, id: &str) -> bool {
    let body = json!({ "id": id, "commands": [] }).to_string();
    let answer = send(server, &body, &signature(&body, VALUE)).await;
    answer.status == 200
}

/// What a server says that cannot start on the folder.
fn refused(server: &Server, key: Option<&str>) -> String {
    let mut command = Command::new(binary());
    command
        .args(["serve", "--listen", "127.0.0.1:0", "--data"])
        .arg(server.data())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    if let Some(key) = key {
        command.args(["--secrets-key-file", key]);
    }
    let mut process = command.spawn().expect("it runs");
    // One that starts all the same says so, and is ended; one that does not ends by itself.
    let mut output = BufReader::new(process.stdout.take().expect("it is piped"));
    let mut line = String::new();
    let started = output.read_line(&mut line).expect("it can be read") > 0;
    if started {
        process.kill().expect("it can be ended");
    }
    let ended = process.wait_with_output().expect("it ends");
    assert!(!started, "{line}");
    String::from_utf8_lossy(&ended.stderr).into_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_that_is_set_holds_at_once_and_is_nowhere_to_be_read() {
    let outside = Listener::start().await;
    let keys = tempfile::tempdir().expect("a folder");
    let file = |name: &str| {
        let path = keys.path().join(name);
        path.to_str().expect("a path of text").to_owned()
    };
    let (key, other) = (file("key"), file("other"));
    for file in [&key, &other] {
        let made = Command::new(binary())
            .args(["secret", "key", file])
            .output();
        done(&made.expect("it runs"));
    }
    let mut server = Setup::new()
        .arguments(&["--secrets-key-file", &key])
        .start();
    let folder = pack(&outside.origin);
    done(&server.wright(&["pack", "install", folder.path().to_str().expect("a path")]));
    assert!(!is_taken(&server, "one").await, "there is no secret yet");

    let set = ["secret", "set", "monitoring", "incoming"];
    done(&given(&server, &set, &format!("{VALUE}\n")));
    assert!(is_taken(&server, "two").await, "without a restart");
    assert_hidden(&server);
    let listed = done(&server.wright(&["secret", "list", "--format", "json"]));
    let listed: Value = serde_json::from_str(&listed).expect("JSON");
    assert_eq!(listed["secrets"][0]["binding"], "monitoring");
    assert_eq!(listed["secrets"][0]["name"], "incoming");
    assert!(listed["secrets"][0]["set_at"].is_string());

    server.kill();
    assert_hidden(&server);
    let said = refused(&server, None);
    assert!(said.contains("--secrets-key-file"), "{said}");
    let said = refused(&server, Some(&other));
    assert!(said.contains("is sealed under the key"), "{said}");
    server.restart();
    assert!(is_taken(&server, "three").await);

    // Another key, while it runs; what the old one sealed is gone.
    done(&server.wright(&["secret", "rekey", &other]));
    assert!(is_taken(&server, "four").await);
    server.kill();
    let said = refused(&server, Some(&key));
    assert!(said.contains("is sealed under the key"), "{said}");
    std::fs::copy(&other, &key).expect("the new key in the place of the old");
    server.restart();
    assert!(is_taken(&server, "five").await);
    assert_hidden(&server);

    done(&server.wright(&["secret", "remove", "monitoring", "incoming"]));
    assert!(!is_taken(&server, "six").await);
    let again = server.wright(&["secret", "remove", "monitoring", "incoming"]);
    assert!(!again.status.success());
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_key_nothing_is_kept() {
    let server = Server::start();
    let set = ["secret", "set", "monitoring", "incoming"];
    let output = given(&server, &set, VALUE);
    assert!(!output.status.success());
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.contains("wright secret key"), "{said}");
    assert!(!said.contains(VALUE), "{said}");
    let output = given(&server, &set, "");
    assert!(!output.status.success(), "an empty one is none");
}
