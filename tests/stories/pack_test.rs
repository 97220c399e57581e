//! A process owner tests a pack before anyone lives under it: the shipped scenarios pass, a break is
//! noticed and told with its place, and the report goes where tests are collected.

use std::process::{Command, Output};

use serde_json::Value;
use test_support::{binary, copy_folder, repository};

fn wright(arguments: &[&str]) -> Output {
    let output = Command::new(binary()).args(arguments).output();
    output.expect("wright runs")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn the_scenarios_of_the_shipped_pack_and_its_adaptations_pass() {
    for pack in ["packs/itil", "examples/volvo", "examples/monitoring"] {
        let folder = repository().join(pack);
        let folder = folder.to_str().expect("a path of text");
        let output = wright(&["pack", "test", folder, "--format", "json"]);
        let report: Value = serde_json::from_slice(&output.stdout)
            .unwrap_or_else(|_| panic!("{pack}: {}", text(&output.stderr)));
        assert!(output.status.success(), "{pack}: {report:#}");
        assert_eq!(report["failed"], 0, "{pack}");
        assert!(report["passed"].as_u64() > Some(20), "{pack}");
    }
}

#[test]
fn what_went_wrong_elsewhere_does_not_go_wrong_here() {
    let service_levels = [
        "weekend-and-pending",
        "agreement-switched-while-pending",
        "escalated-at-opening",
        "first-response-stays",
        "a-day-is-no-business-day",
        "dates-that-recur",
    ];
    let approvals = [
        "second-stage-is-opened",
        "substitute-is-told",
        "a-timeout-never-approves",
        "leaving-never-approves",
    ];
    let change_calendar = [
        "overlap-is-found-as-it-is-planned",
        "overlap-is-found-again-at-the-start",
        "freezes-of-all-of-a-service-and-of-its-site",
        "maintenance-hours-of-a-service-or-its-site",
    ];
    let packs = [
        ("tests/cases/service-levels", &service_levels[..]),
        ("tests/cases/approvals", &approvals[..]),
        ("tests/cases/change-calendar", &change_calendar[..]),
    ];
    for (pack, cases) in packs {
        let folder = repository().join(pack);
        let folder = folder.to_str().expect("a path of text");
        let linted = wright(&["pack", "lint", folder]);
        assert!(linted.status.success(), "{}", text(&linted.stdout));
        let output = wright(&["pack", "test", folder]);
        let told = text(&output.stdout);
        assert!(output.status.success(), "{told}{}", text(&output.stderr));
        for case in cases {
            assert!(told.contains(&format!("ok   {case}: ")), "{told}");
        }
    }
}

#[test]
fn a_break_is_noticed_and_told_where_it_was_expected_otherwise() {
    let folder = tempfile::tempdir().expect("a folder");
    let pack = folder.path().join("itil");
    copy_folder(&repository().join("packs/itil"), &pack);
    let file = pack.join("plugins/skills-router.yaml");
    let router = std::fs::read_to_string(&file).expect("a binding");
    // The plugin is asked: with another setting it gives another answer.
    let changed = router + "settings: { assign: team }\n";
    std::fs::write(&file, changed).expect("written");
    let junit = folder.path().join("report.xml");
    let output = wright(&[
        "pack",
        "test",
        pack.to_str().expect("a path of text"),
        "--only",
        "incident-l*",
        "--junit",
        junit.to_str().expect("a path of text"),
    ]);
    let told = text(&output.stdout);
    assert_eq!(output.status.code(), Some(1), "{told}");
    assert!(
        told.contains("FAIL incident-logged: ")
            && told.contains("scenarios/incident-logged.yaml:")
            && told.contains("step `log`: assignee: expected `bram`, found none"),
        "{told}"
    );
    assert!(told.ends_with("0 passed; 1 failed; 0 skipped\n"), "{told}");
    let xml = std::fs::read_to_string(&junit).expect("the report");
    assert!(
        xml.contains("<testcase name=\"incident-logged\" classname=\"itil\""),
        "{xml}"
    );
}

#[test]
fn a_pattern_that_fits_nothing_is_said() {
    let output = wright(&["pack", "test", "itil", "--only", "incidnet-*"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(
        text(&output.stderr).contains("no scenario of itil is called `incidnet-*`"),
        "{}",
        text(&output.stderr)
    );
}

#[test]
fn breaks_that_nobody_would_notice_fail_a_share_that_is_asked_for() {
    let arguments = [
        "pack",
        "test",
        "fitsm-light",
        "--only",
        "incident-mended",
        "--mutants",
    ];
    let output = wright(&arguments);
    let told = text(&output.stdout);
    assert!(output.status.success(), "{told}");
    assert!(
        told.contains("workflows/incident.yaml:") && told.contains("row removed"),
        "{told}"
    );
    let output = wright(&[&arguments[..], &["--at-least", "90"]].concat());
    assert_eq!(output.status.code(), Some(1));
}
