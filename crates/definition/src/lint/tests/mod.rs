//! A sound pack, and what the linter says of it with one thing changed.

pub(crate) mod cases;
mod faulty;
mod names;
mod rules;
mod scenarios;
mod silence;
mod translations;

use std::collections::BTreeMap;
use std::fmt::Write;

use expect_test::{Expect, expect};

use super::lint;
use crate::pack::Pack;
use crate::source::{Diagnostics, Severity};

const INCIDENT: &str = r#"
apiVersion: servicewright/v1
kind: Workflow
id: incident
title: Incident
number: INC
see: { agent: true, requester: true }
edit: { agent: true }
fields:
  summary:  { type: string, maxLength: 200 }
  impact:   { options: { low: {}, high: {} }, default: low }
  priority: { options: { p1: {}, p2: {} }, decided-by: priority, override: { agent: true } }
  service:  { ref: service }
  minutes:  { type: integer, value: "impact == 'high' ? 60 : 15" }
  answer:   { type: string }
tables:
  priority:
    hit: first
    gives: { priority: true }
    rows:
      high: { when: "impact == 'high'", then: { priority: p1 } }
      rest: { when: "true", then: { priority: p2 } }
routing: { by: { plugin: router }, fallback: { team: desk } }
create:
  report: { to: new, permit: { anyone: true }, route: true, form: { summary: { required: true } } }
states:
  new:
    category: open
    transitions:
      start: { to: waiting, permit: { agent: true } }
  waiting:
    category: waiting
    transitions:
      resume: { to: new, permit: { agent: "record.team == 'desk'" } }
      resolve: { to: resolved, permit: { agent: true }, form: { answer: { required: true } }, effects: { tell: { notice: told } } }
    timers:
      remind: { wait: { business: P2D, calendar: office }, repeat: true, effects: { tell: { notice: told } } }
  resolved:
    category: resolved
    transitions:
      confirm: { to: closed, permit: { requester: true } }
    timers:
      settle: { wait: { time: P5D }, do: confirm }
  closed: { category: closed, outcome: done }
anywhere:
  hurry: { from: { open: true }, permit: { agent: true }, set: { impact: high } }
"#;

const CHANGE: &str = r"
apiVersion: servicewright/v1
kind: Workflow
id: change
title: Change
number: CHG
fields:
  reason: { type: string }
create:
  propose: { to: asked, permit: { agent: true }, form: { reason: {} } }
states:
  asked:
    category: waiting
    approval:
      stages:
        boss: { approvers: { boss: { manager-of: requester } }, quorum: { all: true }, timeout: { time: P3D } }
      then: { approved: go, rejected: stop, expired: stop, unreachable: stop, nobody-asked: stop }
    transitions:
      go: { to: closed }
      stop: { to: refused }
  closed: { category: closed, outcome: done }
  refused: { category: closed, outcome: refused }
";

const STANDARD: &str = r#"
apiVersion: servicewright/v1
kind: ServiceLevel
id: standard
type: sla
for: { incident: "impact == 'high'" }
calendar: { named: office }
tables:
  goals:
    hit: first
    gives: { goal: true }
    rows:
      p1:   { when: "priority == 'p1'", then: { goal: PT4H } }
      rest: { when: "true", then: { goal: P2D } }
targets:
  resolution:
    start: "true"
    pause: "record.category == 'waiting'"
    stop: "record.category in ['resolved', 'closed']"
    goal: { table: goals }
    breach: { do: hurry, effects: { tell: { notice: told } } }
"#;

const PACK: &str = r"
apiVersion: servicewright/v1
kind: Pack
id: desk
version: 1.0.0
title: Desk
zone: Europe/Brussels
roles: { agent: { title: Agent }, manager: { title: Manager } }
";

const OTHERS: [(&str, &str); 4] = [
    (
        "calendars/office.yaml",
        "apiVersion: servicewright/v1\nkind: Calendar\nid: office\nzone: Europe/Brussels\nday: PT8H\nhours: { mon: { all: \"08:00-16:00\" } }\n",
    ),
    (
        "teams/desk.yaml",
        "apiVersion: servicewright/v1\nkind: Team\nid: desk\ntitle: Desk\ncalendar: office\n",
    ),
    (
        "notices/told.yaml",
        "apiVersion: servicewright/v1\nkind: Notice\nid: told\nto: { requester: true, manager: true }\nsubject: \"{{ record.id }}\"\ntext: \"{{ summary }}\"\n",
    ),
    (
        "plugins/router.yaml",
        "apiVersion: servicewright/v1\nkind: Plugin\nid: router\ncomponent: { file: router.wasm }\nhooks: { routing: true }\n",
    ),
];

fn sound() -> BTreeMap<String, String> {
    let mut files: BTreeMap<String, String> = OTHERS
        .iter()
        .map(|(path, text)| ((*path).to_owned(), (*text).to_owned()))
        .collect();
    for (path, text) in [
        ("pack.yaml", PACK),
        ("workflows/incident.yaml", INCIDENT),
        ("workflows/change.yaml", CHANGE),
        ("service-levels/standard.yaml", STANDARD),
    ] {
        files.insert(path.to_owned(), text.trim_start().to_owned());
    }
    files
}

/// A few lines for each finding: what, where, what stands there, and what would be right.
fn told(files: &BTreeMap<String, String>, found: &Diagnostics) -> String {
    let mut lines = String::new();
    for one in found {
        let severity = if one.severity == Severity::Error {
            "error"
        } else {
            "warning"
        };
        let line = files[&one.file].lines().nth(one.line as usize - 1);
        let there = line
            .unwrap_or_default()
            .chars()
            .skip(one.column as usize - 1);
        let there: String = there.take(24).collect();
        let (rule, file, number, message) = (one.rule, &one.file, one.line, &one.message);
        let _ = writeln!(
            lines,
            "{severity}[{rule}] {file}:{number} at `{there}`\n  {message}"
        );
        if let Some(help) = &one.help {
            let _ = writeln!(lines, "  help: {help}");
        }
    }
    lines
}

/// Changes the sound pack, each change a text and what stands in its place, and lints it.
fn check(changes: &[(&str, &str)], expected: &Expect) {
    let mut files = sound();
    for (old, new) in changes {
        let places: usize = files.values().map(|text| text.matches(old).count()).sum();
        assert_eq!(places, 1, "`{old}` stands {places} times in the pack");
        for text in files.values_mut() {
            *text = text.replace(old, new);
        }
    }
    let told = match Pack::read(&files) {
        Ok(pack) => told(&files, &lint(&pack)),
        Err(found) => format!("not read:\n{}", told(&files, &found)),
    };
    expected.assert_eq(&told);
}

#[test]
fn nothing_is_said_of_a_sound_pack() {
    check(&[], &expect![[""]]);
}

#[test]
fn the_shipped_pack_is_sound() {
    let files = folder(&std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../packs/itil"));
    let pack = Pack::read(&files).expect("the pack reads");
    let found = lint(&pack);
    assert!(found.is_empty(), "{found}");
}

/// The definitions in a folder, by path.
pub(crate) fn folder(root: &std::path::Path) -> BTreeMap<String, String> {
    let mut files = BTreeMap::new();
    let mut next = vec![root.to_owned()];
    while let Some(directory) = next.pop() {
        for entry in std::fs::read_dir(&directory).expect("a folder of the repository") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                next.push(path);
            } else if path
                .extension()
                .is_some_and(|extension| extension == "yaml")
            {
                let name = path
                    .strip_prefix(root)
                    .expect("below")
                    .to_string_lossy()
                    .replace('\\', "/");
                files.insert(name, std::fs::read_to_string(&path).expect("text"));
            }
        }
    }
    files
}
