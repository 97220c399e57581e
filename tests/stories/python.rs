//! A vendor's afternoon in Python, as docs/plugins/python.md tells it: a project as it is generated is
//! tested, built, bound and asked. What it raises, an endless loop and a memory bomb are as harmless
//! as in any other language.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use axum::http::StatusCode;
use hmac::{Hmac, KeyInit as _, Mac as _};
use reqwest::Method;
use serde_json::{Value as Json, json};
use sha2::Sha256;
use test_support::{Answer, Client, Server, Setup, binary, repository};

use crate::listener::Listener;
use crate::packs;

/// What any call may take, well above the limits of a pure hook.
const LIMIT: Duration = Duration::from_secs(5);

/// A router that does what its settings say, little of it good.
const MISBEHAVING: &str = r#""""Does what its settings say."""

from datetime import datetime, timezone

from servicewright_sdk import InvalidInput, routing


@routing.hook
def route(call, record):
    what = call.settings["do"]
    if what == "refuse":
        raise InvalidInput("the note has no author")
    if what == "stumble":
        return routing.Assignment(team=record.fields["author"], reason="x")
    if what == "forget":
        return None
    while what == "loop":
        pass
    kept = []
    while what == "allocate":
        kept.append(bytearray(1 << 20))
    is_now = datetime.now(timezone.utc) == call.now
    return routing.Assignment(team="writers", reason=f"{is_now}, {call.random().random() < 1}")
"#;

/// A plugin of two integrations, put to use.
const BINDING: &str = r#"apiVersion: servicewright/v1
kind: Plugin
id: quiet-router
title: Quiet router
component: { file: quiet-router.wasm }
hooks: { delivery: true, webhook: true }
events: { created: { workflows: { note: true } } }
settings: { url: "http://outside/told", secret: key, workflow: note }
grants:
  http: { "http://outside": true }
  secrets: { key: { sign: true } }
  commands: { note: { create: true } }
"#;

#[tokio::test(flavor = "multi_thread")]
async fn a_plugin_in_python_goes_from_its_template_to_a_record_that_it_routed() {
    if !python_is_there() {
        println!("skipped: there is no python3 of version 3.11 or later with venv and pip");
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let plugin = folder.path();
    generate(plugin, "routing");
    let mut tests = Command::new("python3");
    tests.args(["-W", "error", "-m", "unittest"]);
    let tested = tests.current_dir(plugin).output().expect("it runs");
    let said = String::from_utf8_lossy(&tested.stderr);
    assert!(tested.status.success(), "{said}");

    let page = fs::read_to_string(repository().join("docs/plugins/python.md")).expect("the page");
    for file in [
        "plugin.yaml",
        "quiet_router.py",
        "tests/test_quiet_router.py",
    ] {
        let text = fs::read_to_string(plugin.join(file)).expect("generated");
        assert!(page.contains(&text), "the page shows another {file}");
    }

    let told = built(plugin);
    assert_eq!(told["component"]["hooks"], json!(["routing"]));
    let mut wright = Command::new(binary());
    let cases = wright.args(["plugin", "test", "--component", "quiet-router.wasm"]);
    let cases = cases.current_dir(plugin).output().expect("it runs");
    let said = String::from_utf8_lossy(&cases.stdout);
    assert!(cases.status.success(), "{said}");
    let imports = told["component"]["imports"].to_string();
    assert!(
        imports.contains("servicewright:plugin/directory") && !imports.contains("wasi:http"),
        "it imports what its plugin.yaml asks for, and what Python itself needs: {imports}"
    );
    // What something else has built is given its manifest just so.
    let elsewhere = folder.path().join("elsewhere.wasm");
    let given = Command::new(binary())
        .args(["plugin", "build", "--format", "json"])
        .arg(plugin)
        .arg("--component")
        .arg(plugin.join("build/plugin.wasm"))
        .arg("--out")
        .arg(&elsewhere)
        .output()
        .expect("it runs");
    let said = String::from_utf8_lossy(&given.stderr);
    assert!(given.status.success(), "{said}");
    let component = plugin.join("quiet-router.wasm");
    let same = fs::read(&elsewhere).expect("written") == fs::read(&component).expect("written");
    assert!(same, "the same component with the same manifest");

    let server = Server::start();
    let ada = server.client("ada", "agent");
    install(&server, &component, "team: writers");
    let note = written(&ada).await;
    assert_eq!(note["team"], "writers");
    let decision = asked(&ada, &note).await;
    assert_eq!(decision["component"], told["component"]["digest"]);
    assert_eq!(decision["reason"], "Nobody is in the team yet.");

    fs::write(plugin.join("quiet_router.py"), MISBEHAVING).expect("written");
    fs::remove_file(plugin.join("settings.schema.json")).expect("removed");
    built(plugin);
    for (what, failure) in [
        ("refuse", "the note has no author"),
        ("stumble", "KeyError: 'author' (quiet_router.py, line 14)"),
        (
            "forget",
            "TypeError: the hook routing must return an Assignment",
        ),
        ("loop", "it used up its 50 ms of processor time"),
        ("allocate", "it asked for more memory than it may have"),
    ] {
        install(&server, &component, &format!("do: {what}"));
        let begun = Instant::now();
        let note = written(&ada).await;
        assert!(begun.elapsed() < LIMIT, "{what} took {:?}", begun.elapsed());
        assert_eq!(note["team"], "writers", "{what}: the fallback");
        let decision = asked(&ada, &note).await;
        assert_eq!(decision["fallback"], true, "{what}");
        let said = decision["failure"]["message"].as_str().unwrap_or_default();
        assert!(said.contains(failure), "{what}: {said}");
    }
    install(&server, &component, "do: well");
    let note = written(&ada).await;
    let decision = asked(&ada, &note).await;
    assert_eq!(decision["reason"], "True, True", "{decision}");
    assert!(server.wright(&["verify"]).status.success());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_integration_in_python_hears_from_outside_and_tells_what_became_of_it() {
    if !python_is_there() {
        println!("skipped: there is no python3 of version 3.11 or later with venv and pip");
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let plugin = folder.path();
    // Two templates in one plugin: a component may answer at several hooks.
    generate(plugin, "webhook");
    fs::rename(plugin.join("quiet_router.py"), plugin.join("alerts.py")).expect("renamed");
    generate(plugin, "delivery");
    let module = plugin.join("quiet_router.py");
    let code = fs::read_to_string(&module).expect("a text");
    fs::write(&module, format!("{code}\n\nimport alerts\n")).expect("written");
    fs::remove_file(plugin.join("settings.schema.json")).expect("removed");
    let manifest = "id: quiet-router
hooks: { delivery: true, webhook: true }
capabilities: { http: true, signing: true, commands: true }
";
    fs::write(plugin.join("plugin.yaml"), manifest).expect("written");
    let told = built(plugin);
    assert_eq!(told["component"]["hooks"], json!(["delivery", "webhook"]));

    let outside = Listener::start().await;
    // Busy at first.
    outside.answer(&[StatusCode::SERVICE_UNAVAILABLE]);
    let server = Setup::new()
        .variable("WRIGHT_SECRET_QUIET_ROUTER__KEY", "a key")
        .start();
    let binding = BINDING.replace("http://outside", &outside.origin);
    let pack = packs::bound("quiet-router", &binding, &plugin.join("quiet-router.wasm"));
    let installed = server.wright(&["pack", "install", pack.path().to_str().expect("a path")]);
    let said = String::from_utf8_lossy(&installed.stderr);
    assert!(installed.status.success(), "{said}");

    let alert = r#"{"id": "a-17", "summary": "Disk full"}"#;
    let mut mac = Hmac::<Sha256>::new_from_slice(b"a key").expect("any length");
    mac.update(alert.as_bytes());
    let digits = mac.finalize().into_bytes();
    let signature = digits
        .iter()
        .fold(String::new(), |hex, byte| hex + &format!("{byte:02x}"));
    let stranger = server.client_with("");
    let send = |signature: &str| {
        let request = stranger.request(Method::POST, "/hooks/quiet-router");
        Answer::of(
            request
                .body(alert)
                .header("x-signature", signature.to_owned()),
        )
    };
    let _ = send("00").await.expect(401);
    for _ in 0..2 {
        let _ = send(&signature).await.expect(204);
    }
    let heard = outside.wait_for("/told", |heard| heard.len() >= 2).await;
    let event: Json = serde_json::from_slice(&heard[1]).expect("JSON");
    let note = event["record"].as_str().expect("a number");
    let note = server.client("ada", "agent").record(note).await;
    assert_eq!(note["fields"]["summary"], "Disk full");
    let requests = outside.requests("/told");
    let of_call = |at: usize| requests[at].0["idempotency-key"].clone();
    assert_eq!(of_call(0), of_call(1), "it was tried again");
}

#[test]
fn what_is_wrong_with_a_plugin_in_python_is_said_before_anything_is_built() {
    if !python_is_there() {
        println!("skipped: there is no python3 of version 3.11 or later with venv and pip");
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let plugin = folder.path();
    generate(plugin, "approval");
    // As somebody's own environment, in which nothing was installed.
    let mut making = Command::new("python3");
    making.args(["-m", "venv", "--without-pip", ".venv"]);
    let made = making.current_dir(plugin).status().expect("it runs");
    assert!(made.success());
    let refused = build(plugin);
    let said = String::from_utf8_lossy(&refused.stderr);
    assert!(
        !refused.status.success() && said.contains("componentize-py is not installed"),
        "{said}"
    );
    fs::remove_dir_all(plugin.join("vendor")).expect("removed");
    let refused = build(plugin);
    let said = String::from_utf8_lossy(&refused.stderr);
    assert!(
        !refused.status.success() && said.contains("the SDK is missing"),
        "{said}"
    );
}

fn python_is_there() -> bool {
    Command::new("python3")
        .arg("-c")
        .arg("import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 11))")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

/// Puts what `wright plugin new` makes into a folder.
fn generate(plugin: &Path, hook: &str) {
    let folder = tempfile::tempdir().expect("a folder");
    let made = Command::new(binary())
        .args([
            "plugin",
            "new",
            "quiet-router",
            "--lang",
            "python",
            "--hook",
            hook,
        ])
        .current_dir(folder.path())
        .output()
        .expect("it runs");
    let said = String::from_utf8_lossy(&made.stderr);
    assert!(made.status.success(), "{said}");
    let made = folder.path().join("quiet-router");
    for file in files(&made) {
        let path = file.strip_prefix(&made).expect("it is in there");
        put(
            &plugin.join(path),
            &fs::read_to_string(&file).expect("a text"),
        );
    }
}

fn put(file: &Path, text: &str) {
    fs::create_dir_all(file.parent().expect("it is in a folder")).expect("a folder");
    fs::write(file, text).expect("written");
}

/// Every file in a folder and below, but for what Python leaves there.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_file() {
            found.push(path);
        } else if !path.ends_with("__pycache__") {
            found.extend(files(&path));
        }
    }
    found
}

fn build(plugin: &Path) -> Output {
    Command::new(binary())
        .args(["plugin", "build", "--format", "json"])
        .arg(plugin)
        .output()
        .expect("it runs")
}

/// Builds it, and returns what is told of the component.
fn built(plugin: &Path) -> Json {
    let built = build(plugin);
    let said = String::from_utf8_lossy(&built.stderr);
    assert!(built.status.success(), "{said}");
    assert!(!said.contains("arning"), "{said}");
    serde_json::from_slice(&built.stdout).expect("JSON")
}

/// Installs a pack whose notes it routes, with these settings.
fn install(server: &Server, component: &Path, settings: &str) {
    let binding = format!(
        "apiVersion: servicewright/v1
kind: Plugin
id: quiet-router
title: Quiet router
component: {{ file: quiet-router.wasm }}
hooks: {{ routing: true }}
settings: {{ {settings} }}
grants: {{ directory: {{ team: true }} }}
"
    );
    let pack = packs::routed_by("quiet-router", &binding, component);
    let installed = server.wright(&["pack", "install", pack.path().to_str().expect("a path")]);
    let said = String::from_utf8_lossy(&installed.stderr);
    assert!(installed.status.success(), "{settings}: {said}");
}

async fn written(client: &Client) -> Json {
    let fields = json!({ "summary": "Quiet" });
    client.create("note", "write", fields).await.body
}

/// What the history says of how a note was routed.
async fn asked(client: &Client, note: &Json) -> Json {
    let history = client.history(note["id"].as_str().expect("a number")).await;
    let decisions = history[0]["decisions"].as_array().expect("decisions");
    let decision = decisions.iter().find(|it| it["binding"] == "quiet-router");
    decision.expect("it was asked").clone()
}
