//! A vendor's afternoon, as docs/plugins.md tells it: a plugin is begun, tested natively and in the
//! sandbox, built, bound and asked. And what every template of a Rust plugin promises.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::{Value as Json, json};
use tempfile::TempDir;
use test_support::{Server, binary, repository};

use crate::packs;

#[tokio::test(flavor = "multi_thread")]
async fn a_plugin_goes_from_the_page_to_a_record_that_it_routed() {
    let page = fs::read_to_string(repository().join("docs/plugins.md")).expect("the page");
    let folder = tempfile::tempdir().expect("a folder");
    let plugin = begun(&folder, "quiet-router", "routing");

    // What the page shows is what the folder has.
    for (file, block) in [
        ("plugin.yaml", block(&page, "yaml", "# What this plugin")),
        ("src/lib.rs", block(&page, "rust", "//! Gives work")),
        (
            "tests/cases.yaml",
            block(&page, "yaml", "# What stands here"),
        ),
    ] {
        let text = fs::read_to_string(plugin.join(file)).expect("the file");
        assert!(text.starts_with(block), "{file} is not what the page shows");
    }

    // A page that promises another hook than the code has is found out, and no file is left.
    let manifest = fs::read_to_string(plugin.join("plugin.yaml")).expect("a manifest");
    let other = manifest.replace("{ routing", "{ approval");
    fs::write(plugin.join("plugin.yaml"), other).expect("written");
    let refused = wright(&plugin, &["build", "--format", "json"]);
    let said = String::from_utf8_lossy(&refused.stderr);
    assert!(
        !refused.status.success() && said.contains("says: approval"),
        "{said}"
    );
    let component = plugin.join("quiet-router.wasm");
    assert!(!component.exists());
    fs::write(plugin.join("plugin.yaml"), manifest).expect("written");

    let told = good(&wright(&plugin, &["build", "--format", "json"]));
    let told: Json = serde_json::from_str(&told).expect("JSON");
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

/// For every hook: the template compiles without a warning, and its tests pass as it was made.
#[test]
fn every_template_passes_its_own_tests() {
    let folder = tempfile::tempdir().expect("a folder");
    for hook in [
        "approval",
        "routing",
        "service-level",
        "delivery",
        "webhook",
        "schedule",
    ] {
        let plugin = begun(&folder, &format!("first-{hook}"), hook);
        let tested = beside(Command::new("cargo").arg("test").current_dir(&plugin));
        assert!(
            good(&tested).contains("test result: ok. 2 passed"),
            "{hook}"
        );
        let asked = good(&wright(&plugin, &["test"]));
        assert!(asked.contains("test result: ok."), "{hook}: {asked}");
    }
}

#[test]
fn a_case_that_fails_says_where_and_what_has_no_expectation_can_be_kept() {
    let folder = tempfile::tempdir().expect("a folder");
    let plugin = begun(&folder, "quiet-router", "routing");
    let cases = plugin.join("tests/cases.yaml");
    let right = fs::read_to_string(&cases).expect("cases");
    fs::write(&cases, right.replace("assignee: bob", "assignee: ann")).expect("written");
    let failed = wright(&plugin, &["test"]);
    let said = String::from_utf8_lossy(&failed.stdout).into_owned();
    assert_eq!(failed.status.code(), Some(1), "{said}");
    assert!(
        said.contains(r#"answer.assignment.assignee: expected "ann", found "bob""#)
            && said.contains("test result: FAILED. 2 passed; 1 failed"),
        "{said}"
    );

    let one = right.split_once("cases:").expect("cases").0.to_owned() + "cases: { kept: {} }\n";
    fs::write(&cases, &one).expect("written");
    let component = ["--component", "quiet-router.wasm"];
    let run = |more: &[&str]| wright(&plugin, &[&["test"], &component[..], more].concat());
    let said = String::from_utf8_lossy(&run(&[]).stdout).into_owned();
    assert!(said.contains("nothing is expected; it came to"), "{said}");
    assert!(good(&run(&["--update"])).contains("kept the answers"));
    assert!(good(&run(&[])).contains("1 passed; 0 failed"));
    fs::write(&cases, one.replace("open_records: 2", "open_records: 3")).expect("written");
    let said = String::from_utf8_lossy(&run(&[]).stdout).into_owned();
    assert!(said.contains("found \"bob has 3 open.\""), "{said}");

    // What is wrong with a file of cases is told with its place, before anything is built.
    fs::write(&cases, "cases: { odd: { record: { colour: red } } }\n").expect("written");
    let said = String::from_utf8_lossy(&run(&[]).stderr).into_owned();
    assert!(
        said.contains("case `odd`: record.colour: unknown field"),
        "{said}"
    );
}

#[test]
fn a_folder_that_is_in_use_is_left_alone() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::create_dir(folder.path().join("taken")).expect("a folder");
    fs::write(folder.path().join("taken/notes"), "mine").expect("written");
    for (name, hook, says) in [
        (
            "taken",
            "routing",
            "there is something in the folder taken already",
        ),
        ("Bad Name", "routing", "invalid value"),
        ("fresh", "rooting", "the hooks are approval, routing"),
    ] {
        let refused = wright(folder.path(), &["new", name, "--hook", hook]);
        let said = String::from_utf8_lossy(&refused.stderr);
        assert!(!refused.status.success() && said.contains(says), "{said}");
    }
    assert!(!folder.path().join("fresh").exists());
}

/// A plugin as `wright plugin new` makes it.
fn begun(folder: &TempDir, name: &str, hook: &str) -> PathBuf {
    good(&wright(folder.path(), &["new", name, "--hook", hook]));
    let plugin = folder.path().join(name);
    // The versions that this workspace is locked to, so that nothing new has to be fetched.
    fs::copy(repository().join("Cargo.lock"), plugin.join("Cargo.lock")).expect("copied");
    plugin
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

/// `wright plugin …` in a folder.
fn wright(folder: &Path, arguments: &[&str]) -> Output {
    let mut wright = Command::new(binary());
    beside(wright.arg("plugin").args(arguments).current_dir(folder))
}

/// Runs something that may run cargo, beside what is built here.
fn beside(command: &mut Command) -> Output {
    let target = binary().with_file_name("vendor");
    command
        .env("CARGO_TARGET_DIR", target)
        .output()
        .expect("it runs")
}

/// What something said that succeeded, without a warning.
fn good(output: &Output) -> String {
    let (said, complained) = (
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
    assert!(output.status.success(), "{said}{complained}");
    assert!(!complained.contains("warning"), "{complained}");
    said.into_owned()
}
