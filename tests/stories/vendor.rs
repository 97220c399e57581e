//! A vendor's afternoon, as docs/plugins.md tells it: the page's own files are built, tested by the
//! desk, bound and asked.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::{Value as Json, json};
use test_support::{Server, binary, repository};

use crate::packs;

#[tokio::test(flavor = "multi_thread")]
async fn a_plugin_goes_from_the_page_to_a_record_that_it_routed() {
    let page = fs::read_to_string(repository().join("docs/plugins.md")).expect("the page");
    let folder = tempfile::tempdir().expect("a folder");
    let plugin = folder.path();
    let sdk = repository().join("sdk/rust");
    let package = block(&page, "toml", "[package]");
    let package = package.replace("../servicewright/sdk/rust", sdk.to_str().expect("a path"));
    let manifest = block(&page, "yaml", "id: quiet-router");
    fs::create_dir(plugin.join("src")).expect("a folder");
    for (file, text) in [
        ("Cargo.toml", &*package),
        ("plugin.yaml", manifest),
        ("src/lib.rs", block(&page, "rust", "//! Gives work")),
    ] {
        fs::write(plugin.join(file), text).expect("written");
    }
    // The versions that this workspace is locked to, so that nothing new has to be fetched.
    fs::copy(repository().join("Cargo.lock"), plugin.join("Cargo.lock")).expect("copied");

    let tested = cargo(Command::new("cargo").arg("test").current_dir(plugin));
    let said = String::from_utf8_lossy(&tested.stderr);
    assert!(tested.status.success(), "{said}");

    // A page that promises another hook than the code has is found out, and no file is left.
    fs::write(
        plugin.join("plugin.yaml"),
        manifest.replace("routing", "approval"),
    )
    .expect("written");
    let refused = build(plugin);
    let said = String::from_utf8_lossy(&refused.stderr);
    assert!(
        !refused.status.success() && said.contains("says: approval"),
        "{said}"
    );
    let component = plugin.join("quiet-router.wasm");
    assert!(!component.exists());
    fs::write(plugin.join("plugin.yaml"), manifest).expect("written");

    let built = build(plugin);
    let said = String::from_utf8_lossy(&built.stderr);
    assert!(built.status.success(), "{said}");
    assert!(!said.contains("warning"), "{said}");
    let told: Json = serde_json::from_slice(&built.stdout).expect("JSON");
    assert_eq!(told["component"]["hooks"], json!(["routing"]));

    let binding = block(&page, "yaml", "apiVersion").replace("service-desk", "writers");
    let pack = packs::routed_by("quiet-router", &binding, &component);
    let server = Server::start();
    let installed = server.wright(&["pack", "install", pack.path().to_str().expect("a path")]);
    let said = String::from_utf8_lossy(&installed.stderr);
    assert!(installed.status.success(), "{said}");
    let ada = server.client("ada", "agent");
    let note = ada
        .create("note", "write", json!({ "summary": "Quiet" }))
        .await;
    assert_eq!(note.body["team"], "writers");
    let history = ada.history(&note.id()).await;
    let decision = history[0]["decisions"]
        .as_array()
        .and_then(|all| all.iter().find(|decision| decision["hook"] == "routing"));
    let decision = decision.expect("it was asked");
    assert_eq!(decision["component"], told["component"]["digest"]);
    assert_eq!(decision["reason"], "Nobody is in the team yet.");
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

fn build(plugin: &Path) -> Output {
    let mut wright = Command::new(binary());
    cargo(
        wright
            .args(["plugin", "build", "--format", "json"])
            .arg(plugin),
    )
}

/// Runs something that runs cargo, beside what is built here.
fn cargo(command: &mut Command) -> Output {
    let target = binary().with_file_name("vendor");
    command
        .env("CARGO_TARGET_DIR", target)
        .output()
        .expect("it runs")
}
