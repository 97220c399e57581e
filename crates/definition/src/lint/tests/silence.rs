//! Warnings that a pack has judged to be right, and errors that nobody can.

use std::collections::BTreeMap;

use super::{lint, sound, told};
use crate::pack::Pack;

const IDLE: (&str, &str) = (
    "      resume: { to: new, permit: { agent: \"record.team == 'desk'\" } }",
    "      resume: { to: new }",
);

/// What is found in the sound pack with an idle transition, and these silences.
fn found(silence: &str) -> Vec<String> {
    let mut files = sound();
    let workflow = files.get_mut("workflows/incident.yaml").expect("there");
    assert!(workflow.contains(IDLE.0));
    *workflow = workflow.replace(IDLE.0, IDLE.1);
    let header = files.get_mut("pack.yaml").expect("there");
    header.push_str(silence);
    rules(&files)
}

fn rules(files: &BTreeMap<String, String>) -> Vec<String> {
    let pack = Pack::read(files).unwrap_or_else(|found| panic!("{}", told(files, &found)));
    let found = lint(&pack);
    let rules = found.iter();
    rules
        .map(|one| format!("{} {}", one.file, one.rule))
        .collect()
}

#[test]
fn a_warning_with_a_reason_is_not_told_at_its_place_or_below_it() {
    let idle = "workflows/incident.yaml idle-transition";
    assert_eq!(found(""), [idle]);
    for place in [
        "workflows/incident/states/waiting/transitions/resume",
        "workflows/incident/states/waiting/",
        "workflows/incident",
    ] {
        let silence = format!(
            "lint: {{ silence: {{ {place}: {{ idle-transition: A plugin takes it. }} }} }}\n"
        );
        assert_eq!(found(&silence), [""; 0], "{place}");
    }
    for place in ["workflows/incident/states/wait", "workflows/inc", "states"] {
        let silence = format!(
            "lint: {{ silence: {{ {place}: {{ idle-transition: A plugin takes it. }} }} }}\n"
        );
        assert_eq!(found(&silence), ["pack.yaml idle-silence", idle], "{place}");
    }
}

#[test]
fn a_silence_needs_a_rule_that_warns_and_a_reason() {
    for wrong in [
        "idle-transition: \" \"",
        "idle-transitions: It is so.",
        "dead-end: It is so.",
    ] {
        let silence = format!("lint: {{ silence: {{ workflows/incident: {{ {wrong} }} }} }}\n");
        let expected = [
            "pack.yaml silence",
            "workflows/incident.yaml idle-transition",
        ];
        assert_eq!(found(&silence), expected, "{wrong}");
    }
}

#[test]
fn an_adaptation_keeps_the_silences_of_its_base_and_may_take_them_out() {
    let mut base = sound();
    let workflow = base.get_mut("workflows/incident.yaml").expect("there");
    *workflow = workflow.replace(IDLE.0, IDLE.1);
    let header = base.get_mut("pack.yaml").expect("there");
    header.push_str(
        "lint: { silence: { workflows/incident: { idle-transition: A plugin takes it. } } }\n",
    );
    let digest = Pack::read(&base).expect("it reads").digest;
    let adapted = |lint: &str, patch: &str| {
        let mut files: BTreeMap<String, String> = base
            .iter()
            .map(|(path, text)| (format!("base/{path}"), text.clone()))
            .collect();
        let header = format!(
            "apiVersion: servicewright/v1\nkind: Pack\nid: ours\nversion: 1.0.0\ntitle: Ours\nextends: {{ pack: desk, version: 1.0.0, digest: \"{digest}\" }}\n{lint}"
        );
        files.insert("pack.yaml".to_owned(), header);
        let patch = format!("kind: Workflow\nid: incident\n{patch}");
        files.insert("workflows/incident.yaml".to_owned(), patch);
        rules(&files)
    };
    assert_eq!(adapted("", ""), [""; 0]);
    // Put right here, the base's silence has nothing to hide; that is the base's to know.
    let right = "states: { waiting: { transitions: { resume: { permit: { agent: true } } } } }\n";
    assert_eq!(adapted("", right), [""; 0]);
    let out = "lint: { silence: { workflows/incident: null } }\n";
    assert_eq!(
        adapted(out, ""),
        ["base/workflows/incident.yaml idle-transition"]
    );
}
