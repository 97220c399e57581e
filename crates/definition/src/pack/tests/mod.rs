//! What a pack is read into, and how a pack that cannot be read says so.

#![allow(
    clippy::needless_raw_string_hashes,
    clippy::too_many_lines,
    reason = "what is expected stands in full, as expect-test writes it"
)]

mod adapting;
mod holidays;

use std::collections::BTreeMap;
use std::path::Path;

use expect_test::{Expect, expect};

use super::*;

const PACK: &str = "kind: Pack\nid: itil\nversion: 1.0.0\ntitle: Practices\nzone: Europe/Brussels\nroles: { agent: { title: Agent } }\n";
const INCIDENT: &str = r#"apiVersion: servicewright/v1
kind: Workflow
id: incident
title: Incident
number: INC
fields:
  summary: { type: string, label: What is wrong? }
  impact: { options: { low: {}, high: {} }, default: low }
  priority: { options: { p1: {}, p4: {} }, decided-by: priority }
tables:
  priority:
    hit: first
    gives: { priority: true }
    rows:
      everything-down: { when: "impact == 'high'", then: { priority: p1 } }
      rest: { when: "true", then: { priority: p4 } }
create:
  report: { to: new, permit: { anyone: true }, form: { summary: { required: true } } }
states:
  new: { category: open, transitions: { start: { to: done, permit: { agent: true } } } }
  review:
    category: waiting
    approval:
      by: { plugin: advisory }
      stages:
        boss: { approvers: { boss: { manager-of: requester } }, quorum: { all: true }, timeout: { time: P3D } }
      then: { approved: close }
    transitions: { close: { to: done } }
    timers: { remind: { wait: { business: PT16H, calendar: office }, effects: { remind: { notice: waiting } } } }
  done: { category: closed, outcome: done }
"#;
/// Chain as in a group with a country: `group` on `itil`, `country` on `group`.
const GROUP_INCIDENT: &str = r#"kind: Workflow
id: incident
fields: { summary: { label: What happened? } }
states:
  new: { transitions: { start: null, triage: { to: triage, permit: { agent: true } } } }
  triage: { place: { after: new }, category: open, transitions: { start: { to: done, permit: { agent: true } } } }
tables: { priority: { rows: { vip: { place: { before: everything-down }, when: "requester_vip", then: { priority: p1 } } } } }
"#;
const COUNTRY_INCIDENT: &str = r#"kind: Workflow
id: incident
states: { triage: { transitions: { start: { require: { coded: { when: "cost_centre != null", say: Give it. } } } } } }
fields: { cost_centre: { type: string, pattern: "^[0-9]{4}$" }, impact: { options: { low: null } } }
"#;

type Files = BTreeMap<String, String>;

fn files(entries: &[(&str, &str)]) -> Files {
    entries
        .iter()
        .map(|(path, text)| ((*path).to_owned(), (*text).to_owned()))
        .collect()
}

fn base() -> Files {
    files(&[("pack.yaml", PACK), ("workflows/incident.yaml", INCIDENT)])
}

/// A pack of these files on a base, with the base's right digest.
fn extend(base: &Files, id: &str, own: &[(&str, &str)]) -> Files {
    let below = Pack::read(base).expect("the base is sound");
    let extends = format!(
        "{{ pack: {}, version: {}, digest: \"{}\" }}",
        below.id, below.header.version, below.digest
    );
    let header = format!("kind: Pack\nid: {id}\nversion: 2.0.0\ntitle: Ours\nextends: {extends}\n");
    let mut all: Files = base
        .iter()
        .map(|(path, text)| (format!("base/{path}"), text.clone()))
        .collect();
    all.insert("pack.yaml".to_owned(), header);
    all.extend(files(own));
    all
}

fn chain() -> Files {
    let group = extend(
        &base(),
        "group",
        &[("workflows/incident.yaml", GROUP_INCIDENT)],
    );
    extend(
        &group,
        "country",
        &[("workflows/incident.yaml", COUNTRY_INCIDENT)],
    )
}

#[expect(
    clippy::needless_pass_by_value,
    reason = "reads as expect![…] at each use"
)]
fn check(files: &Files, expected: Expect) {
    match Pack::read(files) {
        Ok(pack) => {
            let shown: Vec<String> = pack
                .trees()
                .map(|(kind, id, _)| format!("{kind} {id}"))
                .collect();
            expected.assert_eq(&shown.join("\n"));
        }
        Err(found) => expected.assert_eq(&found.to_string()),
    }
}

#[test]
fn a_pack_becomes_typed_definitions() {
    let pack = Pack::read(&base()).expect("sound");
    let incident = &pack.workflows["incident"];
    assert_eq!(incident.value.states.len(), 3);
    assert_eq!(pack.header.zone.as_deref(), Some("Europe/Brussels"));
    assert_eq!(pack.chain.len(), 1);
    let back: Workflow = from_canonical(&incident.canonical).expect("what is written reads back");
    assert_eq!(
        back.fields.keys().collect::<Vec<_>>(),
        incident.value.fields.keys().collect::<Vec<_>>()
    );
    assert_eq!(
        incident.digest,
        model::Digest::of(incident.canonical.as_bytes())
    );
}

#[test]
fn the_digest_is_of_what_is_said_not_of_how() {
    let digest = |incident: &str| {
        let pack = Pack::read(&files(&[
            ("pack.yaml", PACK),
            ("workflows/x.yaml", incident),
        ]))
        .expect("sound");
        (pack.digest, pack.workflows["incident"].digest)
    };
    let as_is = digest(INCIDENT);
    assert_eq!(
        digest(&format!(
            "# A comment.\n{}",
            INCIDENT.replace("apiVersion: servicewright/v1\n", "")
        )),
        as_is
    );
    assert_eq!(
        digest(
            &INCIDENT
                .replace("number: INC\n", "")
                .replace("states:", "number: \"INC\"\nstates:")
        ),
        as_is
    );
    assert_ne!(
        digest(&INCIDENT.replace("low: {}, high: {}", "high: {}, low: {}")),
        as_is,
        "options have an order"
    );
    assert_ne!(digest(&INCIDENT.replace("What is wrong?", "What?")), as_is);
    let automatic = |first: &str, second: &str| {
        let transitions = format!(
            "{{ z: {{ to: done, automatic: true }}, {first}, {second}, a: {{ to: done, permit: {{ agent: true }} }} }}"
        );
        digest(&INCIDENT.replace(
            "{ close: { to: done } }",
            &format!(
                "{{ close: {{ to: done }}, {} }}",
                &transitions[1..transitions.len() - 1]
            ),
        ))
    };
    let (x, y) = (
        "x: { to: done, automatic: true }",
        "b: { to: done, automatic: true }",
    );
    assert_ne!(
        automatic(x, y),
        automatic(y, x),
        "automatic transitions are tried in order"
    );
    let (x, y) = ("x: { to: done }", "b: { to: done }");
    assert_eq!(automatic(x, y), automatic(y, x), "others are not");
}

#[test]
fn what_stands_in_the_wrong_place_is_said() {
    check(
        &files(&[
            ("pack.yaml", PACK),
            ("README.md", "kind: Workflow"),
            ("mapping.yaml", "case: id\n"),
            ("incident.yaml", INCIDENT),
            ("workflow/x.yaml", INCIDENT),
            ("workflows/a/b.yaml", INCIDENT),
            ("workflows/c.yml", INCIDENT),
            ("workflows/d.yaml", "kind: Team\nid: desk\ntitle: Desk\n"),
            (
                "workflows/e.yaml",
                "kind: Workflw\nid: e\n---\nkind: Team\nid: f\n---\nid: Over There\nkind: Workflow\n---\n[]\n",
            ),
            ("workflows/f.yaml", "# nothing\n"),
            ("workflows/g.yaml", "apiVersion: v2\nkind: Workflow\n"),
            ("workflows/incident.yaml", INCIDENT),
            ("workflows/twin.yaml", INCIDENT),
            ("teams/broken.yaml", "kind: Team\nid: x\ntitle: \"Desk\n"),
        ]),
        expect![[r#"
            error[misplaced]: a Workflow stands in `workflows/`; here it would not be read
             --> incident.yaml:1:1

            error[syntax]: invalid indentation in multiline quoted scalar
             --> teams/broken.yaml:4:1

            error[misplaced]: unknown folder `workflow/`, did you mean `workflows/`?
             --> workflow/x.yaml:1:1

            error[misplaced]: definitions stand directly in `workflows/`, not in folders of it
             --> workflows/a/b.yaml:1:1

            error[misplaced]: a definition's file ends in `.yaml`
             --> workflows/c.yml:1:1

            error[header]: a Team stands in `teams/`, not in workflows/d.yaml
             --> workflows/d.yaml:1:7
              |
            1 | kind: Team
              |       ^^^^

            error[header]: unknown kind `Workflw`, did you mean `Workflow`?
             --> workflows/e.yaml:1:7
              |
            1 | kind: Workflw
              |       ^^^^^^^

            error[header]: a Team stands in `teams/`, not in workflows/e.yaml
             --> workflows/e.yaml:4:7
              |
            4 | kind: Team
              |       ^^^^

            error[header]: `Over There` is not the id of a workflow: up to 64 lower-case letters and digits, in words joined by `-`, a letter first
             --> workflows/e.yaml:7:5
              |
            7 | id: Over There
              |     ^^^^^^^^^^

            error[header]: a Workflow is a map
              --> workflows/e.yaml:10:1
               |
            10 | []
               | ^^

            error[empty-document]: the file holds no definition; here stands a Workflow
             --> workflows/f.yaml:1:1

            error[header]: `id` is missing
             --> workflows/g.yaml:1:1
              |
            1 | apiVersion: v2
              | ^^^^^^^^^^^^^^

            error[header]: the only `apiVersion` there is reads `servicewright/v1`
             --> workflows/g.yaml:1:13
              |
            1 | apiVersion: v2
              |             ^^

            error[duplicate-definition]: a second Workflow `incident`; the first stands at workflows/incident.yaml:3:5
             --> workflows/twin.yaml:3:5
              |
            3 | id: incident
              |     ^^^^^^^^"#]],
    );
    check(
        &files(&[("workflows/incident.yaml", INCIDENT)]),
        expect![[r#"
        error[missing-file]: `pack.yaml` is missing
         --> pack.yaml:1:1
          = help: a pack's header begins: `kind: Pack`, `id: my-pack`, `version: 1.0.0`, `title: …`"#]],
    );
    check(
        &files(&[("pack.yaml", "kind: Pack\nid: x\nversion: \"1.0\"\n")]),
        expect![[r#"
        error[value]: a version has three numbers, such as 1.0.0
         --> pack.yaml:3:10
          |
        3 | version: "1.0"
          |          ^^^^^"#]],
    );
    check(
        &files(&[("pack.yaml", "kind: Pack\nid: x\nversion: 1.0.0\ntitel: X\n")]),
        expect![[r#"
        error[unknown-key]: unknown key `titel`, did you mean `title`?
         --> pack.yaml:4:1
          |
        4 | titel: X
          | ^^^^^"#]],
    );
}

#[test]
fn what_does_not_fit_its_type_is_said_in_every_file_at_once() {
    check(
        &files(&[
            ("pack.yaml", PACK),
            (
                "workflows/incident.yaml",
                &INCIDENT
                    .replace("transitions: { close", "transtions: { close")
                    .replace("category: closed", "category: close"),
            ),
            (
                "teams/desk.yaml",
                "kind: Team\nid: desk\ntitle: Desk\ncalender: office\n",
            ),
            (
                "calendars/office.yaml",
                "kind: Calendar\nid: office\nzone: UTC\nhours: { mon: { all: \"8-12\" }, tue: null }\n",
            ),
        ]),
        expect![[r#"
            error[null]: `null` is never a value, and here is nothing that it could remove
             --> calendars/office.yaml:4:37
              |
            4 | hours: { mon: { all: "8-12" }, tue: null }
              |                                     ^^^^
              = help: leave the key out"#]],
    );
    check(
        &files(&[
            ("pack.yaml", PACK),
            (
                "workflows/incident.yaml",
                &INCIDENT
                    .replace("transitions: { close", "transtions: { close")
                    .replace("category: closed", "category: close")
                    .replace("PT16H", "16 hours"),
            ),
            (
                "teams/desk.yaml",
                "kind: Team\nid: desk\ntitle: Desk\ncalender: office\n",
            ),
            (
                "calendars/office.yaml",
                "kind: Calendar\nid: office\nzone: UTC\nhours: { mon: { all: \"8-12\" }, tues: {} }\n",
            ),
        ]),
        expect![[r#"
            error[value]: `8-12` is not an interval of two times, such as 08:00-12:00, 22:00-06:00 or 18:00-24:00
             --> calendars/office.yaml:4:22
              |
            4 | hours: { mon: { all: "8-12" }, tues: {} }
              |                      ^^^^^^

            error[unknown-word]: unknown word `tues`, did you mean `tue`?
             --> calendars/office.yaml:4:32
              |
            4 | hours: { mon: { all: "8-12" }, tues: {} }
              |                                ^^^^

            error[unknown-key]: unknown key `calender`, did you mean `calendar`?
             --> teams/desk.yaml:4:1
              |
            4 | calender: office
              | ^^^^^^^^

            error[unknown-key]: unknown key `transtions`, did you mean `transitions`?
              --> workflows/incident.yaml:28:5
               |
            28 |     transtions: { close: { to: done } }
               |     ^^^^^^^^^^

            error[value]: `16 hours` is not a duration such as PT8H, PT30M or P1D (months and years have no fixed length)
              --> workflows/incident.yaml:29:43
               |
            29 |     timers: { remind: { wait: { business: 16 hours, calendar: office }, effects: { remind: { notice: waiting } } } }
               |                                           ^^^^^^^^

            error[unknown-word]: unknown word `close`, did you mean `closed`?
              --> workflows/incident.yaml:30:21
               |
            30 |   done: { category: close, outcome: done }
               |                     ^^^^^"#]],
    );
}

#[test]
fn bounds_of_a_pack_hold() {
    let mut many = base();
    many.extend((0..MAX_FILES).map(|n| (format!("teams/t{n}.yaml"), String::new())));
    check(
        &many,
        expect![[r#"
        error[too-large]: the pack has 2002 files; 2000 is the most
         --> pack.yaml:1:1"#]],
    );
    let mut large = base();
    large.extend((0..33).map(|n| (format!("notes/{n}.md"), "x".repeat(1 << 20))));
    check(
        &large,
        expect![[r#"
        error[too-large]: the files of the pack have 34604216 bytes together; 33554432 is the most
         --> pack.yaml:1:1"#]],
    );
}

#[test]
fn the_packs_of_this_repository_are_sound() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../packs/itil");
    let pack = Pack::read(&crate::schema::tests::read_folder(&folder))
        .unwrap_or_else(|found| panic!("{found}"));
    assert!(pack.workflows.contains_key("incident"));
    for (kind, id, tree) in pack.trees() {
        let again = emit(&tree.root);
        let mut sources = Sources::new();
        let file = sources.add("again", None, &again);
        let documents =
            crate::source::load(&sources, file, &mut Diagnostics::new()).expect("reads back");
        assert_eq!(documents[0].to_json(), tree.root.to_json(), "{kind} {id}");
    }
}
