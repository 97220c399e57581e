//! Plugins in JavaScript, as docs/plugins/javascript.md tells it: a project made of a template is built
//! and bound, a record is routed by it, alerts come in and messages go out. What goes wrong in one
//! stays within the limits that every plugin has.
//!
//! It takes Node.js, and the SDK's packages: `npm ci` in `sdk/javascript`, which `cargo xtask test` runs.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::{Duration, Instant};

use hmac::{Hmac, KeyInit as _, Mac as _};
use reqwest::Method;
use serde_json::{Value as Json, json};
use sha2::Sha256;
use tempfile::TempDir;
use test_support::{Answer, Client, Server, Setup, binary, repository};
use tokio::sync::Mutex;

use crate::listener::Listener;
use crate::packs;

/// What any call may take, well above the limits of a pure hook.
const LIMIT: Duration = Duration::from_secs(10);

/// One at a time: a component with an engine in it takes a whole machine to be built and compiled.
static ALONE: Mutex<()> = Mutex::const_new(());

/// Does with each record what its summary says, some of it bad.
const UNRULY: &str = r#"
import { InvalidInput, Unavailable, routing } from "@servicewright/sdk";

export const route = routing(async (call, record) => {
  const { team } = call.settings;
  switch (record.fields.summary) {
    case "refuse":
      throw new InvalidInput("nobody can work on that");
    case "wait":
      throw new Unavailable("the rota is not there", { after: "PT5M" });
    case "bug":
      return record.fields.rota.team;
    case "misfit":
      return { team, asignee: "ada", reason: "A slip." };
    case "loop":
      for (;;);
    case "allocate":
      for (const kept = []; ; ) kept.push(new Uint8Array(1 << 20).fill(1));
    case "hang":
      return new Promise(() => {});
    case "recurse":
      return (function again(n) {
        return 1 + again(n + 1);
      })(0);
  }
  console.log("routed", record.fields);
  const [now, random] = [new Date().toISOString() === call.now.toISOString(), Math.random()];
  return { team, reason: `It is now: ${now}. Chance: ${random}.` };
});
"#;

#[tokio::test(flavor = "multi_thread")]
async fn a_plugin_goes_from_its_template_to_a_record_that_it_routed() {
    let _alone = ALONE.lock().await;
    let Some(plugin) = project("routing") else {
        return;
    };
    the_page_shows_the_template(&plugin.path());
    let tested = Command::new("npm")
        .arg("test")
        .current_dir(plugin.path())
        .output()
        .expect("npm runs");
    assert!(tested.status.success(), "{}", said(&tested));

    let told = built(&plugin.path());
    assert_eq!(told["component"]["hooks"], json!(["routing"]));
    passes_its_cases(&plugin.path());
    let imports = told["component"]["imports"].as_array().expect("a list");
    // It gets its time and chance in the call, and nothing from WASI.
    let beyond = |name: &&Json| !name.to_string().contains("servicewright:plugin/");
    assert_eq!(imports.iter().find(beyond), None);

    let page = page();
    let binding = block(&page, "yaml", "apiVersion").replace("service-desk", "writers");
    let component = plugin.path().join("quiet-router.wasm");
    let pack = packs::routed_by("quiet-router", &binding, &component);
    let server = Server::start();
    install(&server, pack.path());
    let ada = server.client("ada", "agent");
    let (note, decision) = routed(&ada, "Quiet").await;
    assert_eq!(note["team"], "writers");
    assert_eq!(decision["component"], told["component"]["digest"]);
    assert_eq!(decision["reason"], "Nobody of the team is at work.");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_goes_wrong_in_it_ends_within_its_limits() {
    let _alone = ALONE.lock().await;
    let Some(plugin) = project("routing") else {
        return;
    };
    fs::write(plugin.path().join("src/plugin.js"), UNRULY).expect("written");
    built(&plugin.path());
    let page = page();
    let binding = block(&page, "yaml", "apiVersion").replace("service-desk", "editors");
    let component = plugin.path().join("quiet-router.wasm");
    let pack = packs::routed_by("quiet-router", &binding, &component);
    let editors = "apiVersion: servicewright/v1\nkind: Team\nid: editors\ntitle: Editors\n";
    fs::write(pack.path().join("teams/editors.yaml"), editors).expect("written");
    let server = Server::start();
    install(&server, pack.path());
    let ada = server.client("ada", "agent");

    let mut chances = Vec::new();
    for (summary, kind, message) in [
        ("refuse", "invalid-input", "nobody can work on that"),
        ("wait", "unavailable", "the rota is not there"),
        ("bug", "internal", "TypeError: "),
        ("misfit", "internal", "has `asignee`, which there is not"),
        ("fine", "", ""),
        ("loop", "timeout", "processor time"),
        ("allocate", "memory", "more memory"),
        ("hang", "trap", "gave up"),
        ("recurse", "internal", "too much recursion"),
        ("fine", "", ""),
    ] {
        let begun = Instant::now();
        let (note, decision) = routed(&ada, summary).await;
        assert!(begun.elapsed() < LIMIT, "{summary}: {:?}", begun.elapsed());
        if kind.is_empty() {
            assert_eq!(note["team"], "editors", "{decision}");
            let reason = decision["reason"].as_str().expect("a reason");
            assert!(
                reason.starts_with("It is now: true. Chance: 0."),
                "{reason}"
            );
            chances.push(reason.to_owned());
            continue;
        }
        assert_eq!(note["team"], "writers", "{summary}: the fallback");
        assert_eq!(decision["failure"]["kind"], kind, "{summary}: {decision}");
        let told = decision["failure"]["message"].as_str().unwrap_or_default();
        assert!(told.contains(message), "{summary}: {decision}");
    }
    assert_ne!(
        chances[0], chances[1],
        "chance follows from each call's seed"
    );
    assert!(server.wright(&["verify"]).status.success());
}

#[tokio::test(flavor = "multi_thread")]
async fn alerts_come_in_and_messages_go_out_of_one_component() {
    let _alone = ALONE.lock().await;
    let (Some(plugin), Some(other)) = (project("webhook"), project("delivery")) else {
        return;
    };
    let source = plugin.path().join("src");
    fs::rename(source.join("plugin.js"), source.join("receive.js")).expect("renamed");
    fs::copy(
        other.path().join("src/plugin.js"),
        source.join("deliver.js"),
    )
    .expect("copied");
    let both =
        "export { receive } from \"./receive.js\";\nexport { deliver } from \"./deliver.js\";\n";
    fs::write(source.join("plugin.js"), both).expect("written");
    let manifest = "id: quiet-router
version: 0.1.0
hooks: { webhook: true, delivery: true }
capabilities: { http: true, signing: true, commands: true }
";
    fs::write(plugin.path().join("plugin.yaml"), manifest).expect("written");
    fs::remove_file(plugin.path().join("settings.schema.json")).expect("removed");
    let told = built(&plugin.path());
    assert_eq!(told["component"]["hooks"], json!(["delivery", "webhook"]));

    let room = Listener::start().await;
    // Busy at first: it is told again, and knows by the key that it is the same.
    room.answer(&[axum::http::StatusCode::SERVICE_UNAVAILABLE]);
    let binding = format!(
        "apiVersion: servicewright/v1
kind: Plugin
id: quiet-router
title: Quiet router
component: {{ file: quiet-router.wasm }}
hooks: {{ webhook: true, delivery: true }}
events: {{ created: {{}} }}
settings: {{ secret: alerts, workflow: note, url: \"{origin}/room\" }}
grants:
  http: {{ \"{origin}\": true }}
  secrets: {{ alerts: {{ sign: true }} }}
  commands: {{ note: {{ create: true }} }}
",
        origin = room.origin
    );
    let component = plugin.path().join("quiet-router.wasm");
    let pack = packs::bound("quiet-router", &binding, &component);
    let server = Setup::new()
        .variable("WRIGHT_SECRET_QUIET_ROUTER__ALERTS", "a shared secret")
        .start();
    install(&server, pack.path());

    let alert = json!({ "id": "alert-17", "summary": "Disk full" }).to_string();
    for delivery in ["1", "2"] {
        let taken = send(&server, &alert, "a shared secret", delivery).await;
        assert_eq!(taken.expect(200).body, json!({ "accepted": "alert-17" }));
    }
    let forged = send(&server, &alert, "a guess", "3").await;
    assert_eq!(forged.expect(401).body, "The signature does not fit.");
    let found = server.client("ada", "agent").get("/api/v1/records").await;
    let found = found.expect(200).body["records"].clone();
    assert_eq!(found.as_array().map(Vec::len), Some(1), "{found}");

    room.wait_for("/room", |heard| heard.len() == 2).await;
    let heard = room.requests("/room");
    let message: Json = serde_json::from_slice(&heard[1].1).expect("JSON");
    let id = found[0]["id"].as_str().expect("a number");
    assert_eq!(
        message,
        json!({ "text": format!("{id} created: Disk full") })
    );
    assert_eq!(heard[0].0["idempotency-key"], heard[1].0["idempotency-key"]);
}

/// A project in a folder of its own.
struct Project(TempDir);

impl Project {
    fn path(&self) -> PathBuf {
        self.0.path().join("quiet-router")
    }
}

/// A project as `wright plugin new` makes it, with the packages that lie where the SDK is developed
/// instead of those that `npm install` would fetch; nothing where Node.js or they are missing.
fn project(hook: &str) -> Option<Project> {
    let sdk = repository().join("sdk/javascript");
    if Command::new("npm").arg("--version").output().is_err() {
        eprintln!("skipped: there is no npm here, which comes with Node.js 20 or later");
        return None;
    }
    if !sdk.join("node_modules").exists() {
        eprintln!("skipped: run `npm ci` in {} before", sdk.display());
        return None;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let made = Command::new(binary())
        .args([
            "plugin",
            "new",
            "quiet-router",
            "--lang",
            "js",
            "--hook",
            hook,
        ])
        .current_dir(folder.path())
        .output()
        .expect("it runs");
    assert!(made.status.success(), "{}", said(&made));
    let project = Project(folder);
    let packages = project.path().join("node_modules/@servicewright");
    fs::create_dir_all(&packages).expect("a folder");
    std::os::unix::fs::symlink(sdk, packages.join("sdk")).expect("a link");
    Some(project)
}

/// Asks the plugin what its cases say.
fn passes_its_cases(plugin: &Path) {
    let mut wright = Command::new(binary());
    let asked = wright.args(["plugin", "test", "--component", "quiet-router.wasm"]);
    let asked = asked.current_dir(plugin).output().expect("it runs");
    assert!(asked.status.success(), "{}", said(&asked));
    assert!(
        said(&asked).contains("test result: ok."),
        "{}",
        said(&asked)
    );
}

/// Builds the plugin without a word of warning, and returns what was told of it.
fn built(plugin: &Path) -> Json {
    let built = Command::new(binary())
        .args(["plugin", "build", "--format", "json"])
        .arg(plugin)
        .output()
        .expect("it runs");
    assert!(built.status.success(), "{}", said(&built));
    assert!(!said(&built).contains("warning"), "{}", said(&built));
    serde_json::from_slice(&built.stdout).expect("JSON")
}

fn install(server: &Server, pack: &Path) {
    let installed = server.wright(&["pack", "install", pack.to_str().expect("a path")]);
    assert!(installed.status.success(), "{}", said(&installed));
}

fn said(output: &Output) -> String {
    let (out, err) = (&output.stdout, &output.stderr);
    format!(
        "{}{}",
        String::from_utf8_lossy(out),
        String::from_utf8_lossy(err)
    )
}

/// Writes a note and returns it, with what its history says of the plugin that routed it.
async fn routed(client: &Client, summary: &str) -> (Json, Json) {
    let note = client
        .create("note", "write", json!({ "summary": summary }))
        .await;
    let history = client.history(&note.id()).await;
    let decisions = history[0]["decisions"].as_array().expect("decisions");
    let decision = decisions.iter().find(|it| it["binding"] == "quiet-router");
    (note.body, decision.expect("it was asked").clone())
}

async fn send(server: &Server, body: &str, secret: &str, delivery: &str) -> Answer {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("any length");
    mac.update(body.as_bytes());
    let digits = mac.finalize().into_bytes();
    let hex = digits
        .iter()
        .fold(String::new(), |hex, byte| hex + &format!("{byte:02x}"));
    let request = server
        .client_with("")
        .request(Method::POST, "/hooks/quiet-router")
        .header("x-signature", format!("sha256={hex}"))
        .header("x-delivery", delivery)
        .body(body.to_owned());
    Answer::of(request).await
}

fn page() -> String {
    fs::read_to_string(repository().join("docs/plugins/javascript.md")).expect("the page")
}

/// The page shows what the template makes, word for word.
fn the_page_shows_the_template(plugin: &Path) {
    let page = page();
    for (language, begins, file) in [
        ("yaml", "id: quiet-router", "plugin.yaml"),
        ("js", "// Gives work", "src/plugin.js"),
        ("js", "import assert", "test/plugin.test.js"),
    ] {
        let text = fs::read_to_string(plugin.join(file)).expect("the template");
        assert_eq!(block(&page, language, begins), text.trim_end(), "{file}");
    }
}

/// The first block of the page in a language that begins like this.
fn block<'a>(page: &'a str, language: &str, begins: &str) -> &'a str {
    let fence = format!("```{language}\n");
    let mut blocks = page.split(fence.as_str()).skip(1);
    let found = blocks.find(|block| block.starts_with(begins));
    let found = found.and_then(|block| block.split_once("\n```"));
    found.map_or_else(
        || panic!("the page has no such block: {begins}"),
        |(block, _)| block,
    )
}
