//! Which crate of the workspace may know which: the directions that docs/architecture.md promises.

#![cfg(test)]

use std::fmt::Write as _;

use expect_test::expect;

use crate::{shell, workspace};

/// The workspace's own edges, a line each; what only tests need is left out.
fn edges() -> String {
    let text = shell::output(workspace::cargo().args([
        "metadata",
        "--format-version",
        "1",
        "--no-deps",
        "--offline",
    ]))
    .expect("cargo describes the workspace");
    let metadata: serde_json::Value = serde_json::from_str(&text).expect("in JSON");
    let packages = metadata["packages"].as_array().expect("packages");
    let own = |name: &str| packages.iter().any(|package| package["name"] == name);
    let short = |name: &str| name.trim_start_matches("servicewright-").to_owned();
    let mut lines: Vec<String> = packages
        .iter()
        .filter_map(|package| {
            let name = package["name"].as_str().expect("a name");
            let mut known: Vec<_> = package["dependencies"]
                .as_array()
                .expect("dependencies")
                .iter()
                .filter(|dependency| dependency["kind"].is_null())
                .filter_map(|dependency| dependency["name"].as_str())
                .filter(|name| own(name))
                .map(short)
                .collect();
            known.sort();
            (!known.is_empty()).then(|| format!("{} -> {}", short(name), known.join(", ")))
        })
        .collect();
    lines.sort();
    lines.iter().fold(String::new(), |mut text, line| {
        let _ = writeln!(text, "{line}");
        text
    })
}

#[test]
fn crates_know_only_what_they_may() {
    expect![[r#"
        alertmanager -> counterpart, sdk
        api -> engine, icalendar, model
        calendar -> icalendar, model
        change-advisory -> sdk
        contract-hours -> sdk
        counterpart -> sdk
        definition -> calendar, model
        engine -> calendar, definition, model
        fuzz -> calendar, definition, engine, icalendar, model, plugin-host
        github -> counterpart, sdk
        gitlab -> counterpart, sdk
        hostile -> sdk
        icalendar -> model
        jira -> counterpart, sdk
        pagerduty -> sdk
        plugin-host -> engine, model
        plugin-registry -> model
        plugin-test -> calendar, engine, model, plugin-host
        server -> api, calendar, definition, engine, icalendar, model, plugin-build, plugin-host, plugin-registry, plugin-test, store
        skills-router -> sdk
        slack -> sdk
        store -> engine, model
        teams -> sdk
        webhook -> sdk
        xtask -> plugin-build
    "#]]
    .assert_eq(&edges());
}
