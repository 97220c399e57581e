//! What the linter says of scenarios, with one thing wrong in each.

use std::collections::BTreeMap;

use expect_test::{Expect, expect};

use super::{sound, told};
use crate::lint::lint;
use crate::pack::Pack;
use crate::scenario::beginning;

const SCENARIO: &str = "kind: Scenario
id: solved
title: An incident is resolved
given:
  at: \"2026-03-02T09:00\"
  directory:
    user: { rita: { name: Rita }, ada: { name: Ada, manager: rita, roles: [agent] } }
    team: { desk: { members: { ada: { shift: office } } } }
steps:
  report:
    as: rita
    do: { create: { workflow: incident, via: report, fields: { summary: Milk } } }
    expect: { state: new, team: desk, fields: { priority: p2 }, unset: { answer: true } }
  start:
    after: PT1H
    as: ada
    do: { transition: { id: start } }
    expect: { notified: { told: { rita: false } }, may: { resolve: true } }
  resolve:
    as: ada
    record: report
    do: { transition: { id: resolve, input: { answer: Bread } } }
    expect: { state: resolved, clocks: { standard/resolution: { verdict: met } } }
";

/// The sound pack with this scenario, in which each text is changed into another.
fn check(changes: &[(&str, &str)], expected: &Expect) {
    let mut scenario = SCENARIO.to_owned();
    for (old, new) in changes {
        assert_eq!(scenario.matches(old).count(), 1, "`{old}`");
        scenario = scenario.replace(old, new);
    }
    let mut files = sound();
    files.insert("scenarios/solved.yaml".to_owned(), scenario);
    let found = match Pack::read(&files) {
        Ok(pack) => lint(&pack),
        Err(found) => found,
    };
    expected.assert_eq(&told(&files, &found));
}

#[test]
fn nothing_is_said_of_a_scenario_that_names_what_exists() {
    check(&[], &expect![[""]]);
}

#[test]
fn names_that_do_not_exist_are_told_with_what_was_meant() {
    check(
        &[
            ("manager: rita", "manager: rob"),
            ("roles: [agent]", "roles: [agnet]"),
            ("{ shift: office }", "{ shift: offices }"),
            ("via: report", "via: reprot"),
            ("state: new", "state: newish"),
            ("priority: p2", "prority: p2"),
            ("unset: { answer", "unset: { answers"),
            ("id: start", "id: strat"),
            ("told: { rita", "told: { rito"),
            ("may: { resolve", "may: { resolved"),
            ("record: report", "record: reports"),
            ("standard/resolution", "standard/response"),
        ],
        &expect![[r#"
            error[unknown-name] scenarios/solved.yaml:7 at `rob, roles: [agnet] } }`
              there is no user in its directory `rob`
            error[unknown-name] scenarios/solved.yaml:7 at `agnet] } }`
              there is no role `agnet`
              help: did you mean `agent`?
            error[unknown-name] scenarios/solved.yaml:8 at `offices } } } }`
              there is no calendar `offices`
              help: did you mean `office`?
            error[unknown-name] scenarios/solved.yaml:12 at `reprot, fields: { summar`
              `incident` has no way to begin `reprot`
              help: did you mean `report`?
            error[unknown-name] scenarios/solved.yaml:13 at `newish, team: desk, fiel`
              there is no state `newish`
            error[unknown-name] scenarios/solved.yaml:13 at `prority: p2 }, unset: { `
              there is no field `prority`
              help: did you mean `priority`?
            error[unknown-name] scenarios/solved.yaml:13 at `answers: true } }`
              there is no field `answers`
              help: did you mean `answer`?
            error[unknown-name] scenarios/solved.yaml:17 at `strat } }`
              there is no transition `strat`
              help: did you mean `start`?
            error[unknown-name] scenarios/solved.yaml:18 at `rito: false } }, may: { `
              there is no user in its directory `rito`
              help: did you mean `rita`?
            error[unknown-name] scenarios/solved.yaml:18 at `resolved: true } }`
              there is no transition `resolved`
              help: did you mean `resolve`?
            error[unknown-name] scenarios/solved.yaml:21 at `reports`
              no step `reports` before it has created a record
              help: did you mean `report`?
            error[unknown-name] scenarios/solved.yaml:23 at `standard/response: { ver`
              there is no target of a service level `standard/response`
        "#]],
    );
}

#[test]
fn a_form_is_given_what_it_asks_for_unless_it_is_to_be_refused() {
    check(
        &[
            ("fields: { summary: Milk }", "fields: { sumary: Milk }"),
            ("input: { answer: Bread }", "input: { answers: Bread }"),
        ],
        &expect![[r#"
            error[unknown-name] scenarios/solved.yaml:12 at `sumary: Milk } } }`
              the form does not ask for `sumary`
              help: did you mean `summary`?
            error[unknown-name] scenarios/solved.yaml:22 at `answers: Bread } } }`
              the form does not ask for `answers`
              help: did you mean `answer`?
        "#]],
    );
    check(
        &[
            ("input: { answer: Bread }", "input: { answers: Bread }"),
            ("{ state: resolved,", "{ refused: invalid,"),
        ],
        &expect![[""]],
    );
}

#[test]
fn a_scenario_says_when_and_who_and_expects_something() {
    check(
        &[
            ("  at: \"2026-03-02T09:00\"\n", ""),
            ("    as: rita\n", ""),
            (
                "    after: PT1H\n",
                "    after: PT1H\n    at: \"2026-03-29T02:30\"\n",
            ),
        ],
        &expect![[r#"
            error[scenario] scenarios/solved.yaml:4 at `given:`
              it does not say when it begins
              help: write `given: { at: "2026-03-02T09:00" }`
            error[scenario] scenarios/solved.yaml:10 at `do: { create: { workflow`
              it does not say who does it
              help: write `as:` and a person of the directory
            error[scenario] scenarios/solved.yaml:14 at `at: "2026-03-29T02:30"`
              a step says `after` or `at`, not both
            error[scenario] scenarios/solved.yaml:14 at `"2026-03-29T02:30"`
              the clocks of the pack's zone skip this time
        "#]],
    );
    check(
        &[("at: \"2026-03-02T09:00\"", "at: \"2 March\"")],
        &expect![[r#"
            error[value] scenarios/solved.yaml:5 at `"2 March"`
              `2 March` is no moment such as 2026-03-02T09:00, or 2026-03-02T09:00:00+01:00 with an offset
        "#]],
    );
    check(
        &[("given:\n", "given:\n  like: sloved\n")],
        &expect![[r#"
        error[scenario] scenarios/solved.yaml:5 at `sloved`
          there is no scenario `sloved`
          help: did you mean `solved`?
    "#]],
    );
    check(
        &[
            (
                "    expect: { state: new, team: desk, fields: { priority: p2 }, unset: { answer: true } }\n",
                "",
            ),
            (
                "    expect: { notified: { told: { rita: false } }, may: { resolve: true } }\n",
                "",
            ),
            (
                "    expect: { state: resolved, clocks: { standard/resolution: { verdict: met } } }\n",
                "",
            ),
        ],
        &expect![[r#"
            warning[expects-nothing] scenarios/solved.yaml:9 at `steps:`
              it expects nothing, so that it can hardly fail
        "#]],
    );
}

#[test]
fn what_is_skipped_may_name_what_has_gone() {
    check(
        &[
            ("given:\n", "skip: Incidents have gone.\ngiven:\n"),
            ("workflow: incident", "workflow: gone"),
        ],
        &expect![[""]],
    );
}

/// An adaptation of the sound pack with this scenario.
fn adapted(patch: &str) -> Pack {
    let mut base = sound();
    base.insert("scenarios/solved.yaml".to_owned(), SCENARIO.to_owned());
    let digest = Pack::read(&base).expect("a pack").digest;
    let mut files: BTreeMap<String, String> = base
        .into_iter()
        .map(|(path, text)| (format!("base/{path}"), text))
        .collect();
    let header = format!(
        "kind: Pack\nid: ours\nversion: 1.0.0\ntitle: Ours\nextends: {{ pack: desk, version: 1.0.0, digest: \"{digest}\" }}\n"
    );
    files.insert("pack.yaml".to_owned(), header);
    files.insert("scenarios/solved.yaml".to_owned(), patch.to_owned());
    Pack::read(&files).unwrap_or_else(|found| panic!("{found}"))
}

#[test]
fn an_adaptation_changes_what_its_base_expects() {
    let pack = adapted(
        "kind: Scenario
id: solved
given: { directory: { user: { rob: { name: Rob } } } }
steps:
  start: { do: { comment: { text: Well } }, expect: { may: null } }
  look: { place: { after: report }, after: PT5M, expect: { state: new } }
",
    );
    let scenario = &pack.scenarios["solved"].value;
    let steps: Vec<_> = scenario.steps.keys().map(ToString::to_string).collect();
    assert_eq!(steps, ["report", "look", "start", "resolve"]);
    let start = serde_json::to_value(&scenario.steps["start"]).expect("plain data");
    let expected = serde_json::json!({
        "after": "PT1H", "as": "ada", "do": { "comment": { "text": "Well" } },
        "expect": { "notified": { "told": { "rita": false } } },
    });
    assert_eq!(start, expected, "what is done is replaced whole");
    let found = beginning(&pack.scenarios, scenario).expect("it begins");
    assert_eq!(found.directory["user"].len(), 3);
    assert!(lint(&pack).is_empty(), "{}", lint(&pack));
}

#[test]
fn scenarios_are_part_of_a_packs_digest() {
    let before = adapted("kind: Scenario\nid: solved\ntitle: Solved\n");
    let after = adapted("kind: Scenario\nid: solved\ntitle: Resolved\n");
    assert_ne!(before.digest, after.digest);
}
