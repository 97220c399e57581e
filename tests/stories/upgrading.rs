//! An adaptation of the itil pack is taken from 1.0.0 to 1.1.0: what the base changed arrives, what the
//! hospital said stays, and only where both did somebody is asked.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value as Json;
use tempfile::TempDir;
use test_support::{binary, copy_folder, repository};

/// Where both bases and the hospital say something, or the hospital's word hangs on what is gone.
const CONFLICTS: [(&str, &str); 8] = [
    ("notices/chase-vendor/subject", "changed"),
    (
        "service-levels/problems/tables/cause-goals/rows/high/then/goal",
        "changed",
    ),
    (
        "workflows/incident/states/in-progress/transitions/hand-to-vendor/title",
        "changed",
    ),
    (
        "workflows/problem/states/resolved/timers/proven/wait",
        "removed",
    ),
    (
        "workflows/problem/states/resolved/transitions/nothing-to-learn/title",
        "removed",
    ),
    ("workflows/release/edit/agent", "changed"),
    ("workflows/release/states/building/title", "changed"),
    (
        "workflows/release/states/building/transitions/tests-passed/permit/ward-manager",
        "removed",
    ),
];

/// What the new base says by itself now.
const NOT_NEEDED: [&str; 2] = [
    "service-levels/tasks/targets/done/goal",
    "workflows/incident/states/waiting-vendor/title",
];

/// What the hospital says alone.
const KEPT: [&str; 38] = [
    "calendars/business-hours/holidays/2026-10-18/name",
    "notices/chase-vendor/to/watcher",
    "pack/roles/ward-manager/title",
    "scenarios/incident-major/skip",
    "scenarios/incident-priorities/skip",
    "scenarios/incident-reported/skip",
    "scenarios/problem-cause-late/skip",
    "scenarios/problem-mended-quietly/skip",
    "scenarios/problem-mended/skip",
    "scenarios/task-done/skip",
    "service-levels/problems/tables/cause-goals/rows/rest/then/goal",
    "service-levels/tasks/targets/begun/goal",
    "teams/cab/title",
    "workflows/incident/fields/cost_centre/label",
    "workflows/incident/fields/cost_centre/pattern",
    "workflows/incident/fields/cost_centre/place",
    "workflows/incident/fields/cost_centre/type",
    "workflows/incident/fields/summary/maxLength",
    "workflows/incident/fields/supplier_reference/pattern",
    "workflows/incident/states/in-progress/transitions/call-ward/effects/tell/notice",
    "workflows/incident/states/in-progress/transitions/call-ward/form/note/required",
    "workflows/incident/states/in-progress/transitions/call-ward/form/note/type",
    "workflows/incident/states/in-progress/transitions/call-ward/form/supplier_reference",
    "workflows/incident/states/in-progress/transitions/call-ward/permit/agent",
    "workflows/incident/states/in-progress/transitions/call-ward/title",
    "workflows/incident/states/in-progress/transitions/hand-to-vendor/require/numbered/say",
    "workflows/incident/states/in-progress/transitions/hand-to-vendor/require/numbered/when",
    "workflows/incident/tables/priority/rows/low-impact-medium/then/priority",
    "workflows/incident/tables/priority/rows/ward/place",
    "workflows/incident/tables/priority/rows/ward/then/priority",
    "workflows/incident/tables/priority/rows/ward/when",
    "workflows/problem/fields/ward/label",
    "workflows/problem/fields/ward/type",
    "workflows/release/fields/downtime_of_wards/default",
    "workflows/release/fields/downtime_of_wards/label",
    "workflows/release/fields/downtime_of_wards/type",
    "workflows/supplier-contract/fields/contact/maxLength",
    "workflows/supplier-contract/fields/importance/options/low/label",
];

fn wright(arguments: &[&str]) -> Output {
    Command::new(binary())
        .args(arguments)
        .output()
        .expect("it runs")
}

fn json(output: &Output) -> Json {
    serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&output.stderr)))
}

/// The hospital's pack in a folder of its own.
fn hospital() -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    copy_folder(
        &repository().join("tests/adaptations/hospital"),
        folder.path(),
    );
    folder
}

fn files(folder: &Path) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        let name = path
            .file_name()
            .expect("a name")
            .to_string_lossy()
            .into_owned();
        if path.is_dir() {
            let below = files(&path).into_iter();
            found.extend(below.map(|(path, text)| (format!("{name}/{path}"), text)));
        } else {
            found.insert(name, fs::read_to_string(&path).expect("a text"));
        }
    }
    found
}

fn texts<'j>(report: &'j Json, list: &str, key: Option<&str>) -> BTreeSet<&'j str> {
    let list = report[list]
        .as_array()
        .unwrap_or_else(|| panic!("{list} of {report}"));
    let texts = list.iter().map(|one| key.map_or(one, |key| &one[key]));
    texts.map(|text| text.as_str().expect("a text")).collect()
}

#[test]
fn what_both_changed_is_asked_and_nothing_else() {
    let folder = hospital();
    let path = folder.path().to_str().expect("a path of text");
    let before = files(folder.path());
    let tried = wright(&[
        "--format",
        "json",
        "pack",
        "upgrade",
        path,
        "--to",
        "itil@1.1.0",
    ]);
    assert_eq!(tried.status.code(), Some(1), "there are conflicts");
    assert_eq!(
        files(folder.path()),
        before,
        "nothing moves before all is decided"
    );
    let report = json(&tried);
    let conflicts = report["conflicts"].as_array().expect("conflicts");
    let found: BTreeSet<(&str, &str)> = conflicts
        .iter()
        .map(|one| {
            (
                one["path"].as_str().expect("a path"),
                one["kind"].as_str().expect("a kind"),
            )
        })
        .collect();
    assert_eq!(found, BTreeSet::from(CONFLICTS));
    for conflict in conflicts {
        let is_changed = conflict["kind"] == "changed";
        for (side, wanted) in [("ours", true), ("old", is_changed), ("new", is_changed)] {
            let place = &conflict[side];
            let stands = place["line"].as_u64() > Some(0) && place["file"].is_string();
            assert!(stands || !wanted, "{side} of {conflict}");
        }
    }
    assert_eq!(
        texts(&report, "not_needed", Some("path")),
        BTreeSet::from(NOT_NEEDED)
    );
    assert_eq!(texts(&report, "kept", None), BTreeSet::from(KEPT));
    let renamed = texts(&report, "renamed", Some("path"));
    assert_eq!(
        renamed,
        BTreeSet::from(["workflows/incident/fields/vendor_reference"])
    );
}

#[test]
fn everything_arrives_and_everything_stays() {
    let folder = hospital();
    let path = folder.path().to_str().expect("a path of text");
    let mut arguments = vec![
        "--format",
        "json",
        "pack",
        "upgrade",
        path,
        "--to",
        "itil@1.1.0",
        "--prune",
    ];
    let takes: Vec<String> = CONFLICTS
        .iter()
        .map(|(path, kind)| {
            format!(
                "{}={path}",
                if *kind == "changed" { "ours" } else { "theirs" }
            )
        })
        .collect();
    for take in &takes {
        arguments.extend(["--take", take]);
    }
    let done = wright(&arguments);
    let report = json(&done);
    assert_eq!(
        done.status.code(),
        Some(0),
        "{}",
        report["scenarios"].as_str().unwrap_or("").to_owned() + &report.to_string()
    );
    assert_eq!(report["done"], true);

    let after = files(folder.path());
    let incident = &after["workflows/incident.yaml"];
    assert!(
        incident.contains("# Whoever stands at a bed comes first."),
        "{incident}"
    );
    assert!(incident.contains("# it has to fit a pager"), "{incident}");
    assert!(
        incident.contains("supplier_reference != 'unknown'"),
        "{incident}"
    );
    assert!(!incident.contains("vendor_reference"), "{incident}");
    assert!(
        !incident.contains("Waiting for the supplier"),
        "it was not needed: {incident}"
    );
    let chase = &after["notices/chase-vendor.yaml"];
    assert!(
        chase.contains("{{ supplier_reference }}: ask the vendor"),
        "{chase}"
    );
    assert!(after["notices/ward-called.yaml"].contains("{{ supplier_reference }}"));
    assert!(after["pack.yaml"].contains("version: 1.1.0"));

    let show = |id: &str| {
        let shown = wright(&["pack", "show", id, "--pack", path, "--explain"]);
        String::from_utf8(shown.stdout).expect("text")
    };
    let release = show("release");
    for line in [
        "title: Being tested",
        "title: In the workshop",
        "tests-failed:",
        "record.state == 'planning'",
        "downtime_of_wards:",
    ] {
        assert!(release.contains(line), "{line} is missing in {release}");
    }
    let problem = show("problem");
    assert!(
        problem.contains("review-due:") && !problem.contains("nothing-to-learn"),
        "{problem}"
    );
    assert!(show("supplier-contract").contains("personal_data:"));
    let linted = wright(&["pack", "lint", path]);
    assert!(
        linted.status.success(),
        "{}",
        String::from_utf8_lossy(&linted.stdout)
    );
    // Once more changes nothing.
    let again = wright(&["pack", "upgrade", path, "--to", "itil@1.1.0"]);
    assert!(again.status.success());
    assert_eq!(files(folder.path()), after);
}
