//! The desk of the story: the plugins in each language, built, and the pack that they route for.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use tempfile::TempDir;
use test_support::{binary, repository};

use super::{good, routers};
use crate::packs;

/// A pack with a workflow for each language, whose notes are routed by the plugin in it, with these
/// settings among others.
pub(super) fn pack(components: &BTreeMap<&str, PathBuf>, settings: &str) -> TempDir {
    let pack = packs::note(packs::WORKFLOW);
    let put = |path: &str, text: &str| {
        let path = pack.path().join(path);
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        fs::write(path, text).expect("written");
    };
    for (language, component) in components {
        put(&format!("workflows/{language}.yaml"), &workflow(language));
        let binding = format!(
            "apiVersion: servicewright/v1
kind: Plugin
id: in-{language}
title: Rota
component: {{ file: {language}.wasm }}
hooks: {{ routing: true }}
settings: {{ team: writers, skill: heavy, calendar: office, {settings} }}
grants: {{ directory: {{ team: true, record: true }} }}
"
        );
        put(&format!("plugins/in-{language}.yaml"), &binding);
        let beside = pack.path().join(format!("plugins/{language}.wasm"));
        fs::copy(component, beside).expect("copied");
    }
    for team in ["writers", "editors"] {
        let head = "apiVersion: servicewright/v1\nkind: Team\n";
        put(
            &format!("teams/{team}.yaml"),
            &format!("{head}id: {team}\ntitle: The {team}\n"),
        );
    }
    for (calendar, hours) in [
        (
            "office",
            "hours: { mon: { day: \"08:00-16:00\" }, thu: { day: \"10:00-11:30\" } }",
        ),
        (
            "nights",
            "hours: { mon: { late: \"20:00-24:00\" }, sat: { early: \"00:00-08:00\" } }",
        ),
        ("daily", "always: true"),
    ] {
        let head = "apiVersion: servicewright/v1\nkind: Calendar\n";
        put(
            &format!("calendars/{calendar}.yaml"),
            &format!("{head}id: {calendar}\ntitle: {calendar}\nzone: UTC\nday: PT8H\n{hours}\n"),
        );
    }
    pack
}

/// Notes that are routed, and taken up again once they were finished.
fn workflow(language: &str) -> String {
    let number = language[..3].to_uppercase();
    packs::WORKFLOW
        .replace("id: note\n", &format!("id: {language}\n"))
        .replace("number: NTE", &format!("number: {number}"))
        .replace(
            "create:\n",
            &format!("links: {{ related: {{ to: {{ {language}: true }}, inverse: related }} }}\nrouting: {{ by: {{ plugin: in-{language} }}, fallback: {{ team: writers }} }}\ncreate:\n"),
        )
        .replace("to: open, permit", "to: open, route: true, permit")
        .replace(
            "transitions: { finish:",
            "transitions: { again: { title: Again, route: true, permit: { agent: true } }, finish:",
        )
        .replace(
            "category: closed, outcome: done }",
            "category: resolved, transitions: { resume: { title: Resume, to: open, permit: { agent: true } }, \
             close: { title: Close, to: gone, permit: { agent: true } } } }
  gone: { title: Gone, category: closed, outcome: done }",
        )
}

/// The plugin in each language, built; nothing where a language is not there.
pub(super) fn built(folder: &TempDir) -> Option<BTreeMap<&'static str, PathBuf>> {
    let sdk = repository().join("sdk/javascript");
    if !sdk.join("node_modules").exists() {
        println!("skipped: run `npm ci` in {} before", sdk.display());
        return None;
    }
    let python = "import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 11))";
    let python = Command::new("python3").args(["-c", python]).output();
    if !python.is_ok_and(|output| output.status.success()) {
        println!("skipped: there is no python3 of version 3.11 or later with venv and pip");
        return None;
    }
    let sources = [
        ("rust", "src/lib.rs", routers::RUST),
        ("javascript", "src/plugin.js", routers::JAVASCRIPT),
        ("python", "in_python.py", routers::PYTHON),
    ];
    let build = |(language, file, source): (_, _, &str)| {
        let plugin = begun(folder, language);
        if language == "javascript" {
            let packages = plugin.join("node_modules/@servicewright");
            fs::create_dir_all(&packages).expect("a folder");
            std::os::unix::fs::symlink(&sdk, packages.join("sdk")).expect("a link");
        }
        let manifest = format!("id: in-{language}\n{}", routers::MANIFEST);
        fs::write(plugin.join("plugin.yaml"), manifest).expect("written");
        fs::write(plugin.join("settings.schema.json"), routers::SCHEMA).expect("written");
        fs::write(plugin.join(file), source).expect("written");
        good(&wright(&plugin, &["plugin", "build"]));
        (language, plugin.join(format!("in-{language}.wasm")))
    };
    // Each waits for other things than the processor too.
    let built = std::thread::scope(|scope| {
        let building = sources.map(|of| scope.spawn(move || build(of)));
        building.map(|built| built.join().expect("it is built"))
    });
    Some(built.into())
}

/// A plugin as `wright plugin new` makes it.
fn begun(folder: &TempDir, language: &str) -> PathBuf {
    let name = format!("in-{language}");
    let new = [
        "plugin", "new", &name, "--hook", "routing", "--lang", language,
    ];
    good(&wright(folder.path(), &new));
    let plugin = folder.path().join(name);
    if language == "rust" {
        // The versions that this workspace is locked to, so that nothing new has to be fetched.
        fs::copy(repository().join("Cargo.lock"), plugin.join("Cargo.lock")).expect("copied");
    }
    plugin
}

/// `wright …` in a folder, beside what is built here.
fn wright(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(binary())
        .args(arguments)
        .current_dir(folder)
        .env("CARGO_TARGET_DIR", binary().with_file_name("vendor"))
        .output()
        .expect("it runs")
}
