//! A sound pack, and what the linter says of it with one thing changed.

use std::collections::BTreeMap;

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

const CHANGE: &str = r#"
apiVersion: servicewright/v1
kind: Workflow
id: change
title: Change
number: CHG
fields:
  reason: { type: string }
create:
  propose: { to: asked, permit: { agent: true } }
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
"#;

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

const PACK: &str = r#"
apiVersion: servicewright/v1
kind: Pack
id: desk
version: 1.0.0
title: Desk
zone: Europe/Brussels
roles: { agent: { title: Agent }, manager: { title: Manager } }
"#;

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

/// One line for each finding: what, where, what stands there, and what would be right.
fn told(files: &BTreeMap<String, String>, found: &Diagnostics) -> String {
    let mut lines = String::new();
    for one in found {
        let severity = if one.severity == Severity::Error {
            "error"
        } else {
            "warning"
        };
        let line = files[&one.file]
            .lines()
            .nth(one.line as usize - 1)
            .unwrap_or_default();
        let there: String = line
            .chars()
            .skip(one.column as usize - 1)
            .take(24)
            .collect();
        let (rule, file, number) = (one.rule, &one.file, one.line);
        lines += &format!(
            "{severity}[{rule}] {file}:{number} at `{there}`\n  {}\n",
            one.message
        );
        if let Some(help) = &one.help {
            lines += &format!("  help: {help}\n");
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
fn unknown_names() {
    let cases: [(&str, &str, Expect); 12] = [
        (
            "impact == 'high' ? 60",
            "impcat == 'high' ? 60",
            expect![[r#"
                error[unknown-name] workflows/incident.yaml:13 at `impcat == 'high' ? 60 : `
                  `impcat` is not known here; did you mean `impact`?
            "#]],
        ),
        (
            "then: { priority: p1 } }\n      rest",
            "then: { priority: p9 } }\n      rest",
            expect![[r#"
                error[wrong-value] workflows/incident.yaml:20 at `p9 } }`
                  `priority` has no option `p9`: it takes one of p1, p2; did you mean `p1`?
            "#]],
        ),
        (
            "fallback: { team: desk }",
            "fallback: { team: dsek }",
            expect![[r#"
                error[unknown-name] workflows/incident.yaml:22 at `dsek } }`
                  there is no team `dsek`
                  help: did you mean `desk`?
            "#]],
        ),
        (
            "by: { plugin: router }",
            "by: { plugin: ruoter }",
            expect![[r#"
                error[unknown-name] workflows/incident.yaml:22 at `ruoter }, fallback: { te`
                  there is no binding `ruoter`
                  help: did you mean `router`?
            "#]],
        ),
        (
            "start: { to: waiting,",
            "start: { to: wating,",
            expect![[r#"
                error[unknown-name] workflows/incident.yaml:29 at `wating, permit: { agent:`
                  there is no state `wating`
                  help: did you mean `waiting`?
            "#]],
        ),
        (
            "see: { agent: true,",
            "see: { agnet: true,",
            expect![[r#"
                error[unknown-name] workflows/incident.yaml:6 at `agnet: true, requester: `
                  there is no role or relation `agnet`
                  help: did you mean `agent`?
            "#]],
        ),
        (
            "do: confirm",
            "do: confrm",
            expect![[r#"
                error[unknown-name] workflows/incident.yaml:42 at `confrm }`
                  there is no transition in the state `resolved`: `confrm`
                  help: did you mean `confirm`?
            "#]],
        ),
        (
            "calendar: { named: office }",
            "calendar: { named: ofice }",
            expect![[r#"
                error[unknown-name] service-levels/standard.yaml:6 at `ofice }`
                  there is no calendar `ofice`
                  help: did you mean `office`?
            "#]],
        ),
        (
            "decided-by: priority",
            "decided-by: prioriti",
            expect![[r#"
                error[unknown-name] workflows/incident.yaml:11 at `prioriti, override: { ag`
                  there is no table `prioriti`
                  help: did you mean `priority`?
            "#]],
        ),
        (
            "form: { summary:",
            "form: { sumary:",
            expect![[r#"
                error[unknown-name] workflows/incident.yaml:24 at `sumary: { required: true`
                  there is no field `sumary`
                  help: did you mean `summary`?
            "#]],
        ),
        (
            "{ goal: PT4H } }\n      rest: { when: \"true\"",
            "{ goal: PT4H } }\n      rest: { when: \"ture\"",
            expect![[r#"
                error[unknown-name] service-levels/standard.yaml:13 at `ture", then: { goal: P2D`
                  `ture` is not known here
            "#]],
        ),
        (
            "do: hurry",
            "do: hury",
            expect![[r#"
            error[unknown-name] service-levels/standard.yaml:20 at `hury, effects: { tell: {`
              there is no transition `hury`
              help: did you mean `hurry`?
        "#]],
        ),
    ];
    for (old, new, expected) in cases {
        check(&[(old, new)], &expected);
    }
}

#[test]
fn expressions() {
    let cases: [(&str, &str, Expect); 5] = [
        (
            "for: { incident: \"impact == 'high'\" }",
            "for: { incident: \"impact == 'hihg'\" }",
            expect![[r#"
                error[unknown-name] service-levels/standard.yaml:5 at `'hihg'" }`
                  `hihg` is not an option of impact; did you mean `high`?
            "#]],
        ),
        (
            "agent: \"record.team == 'desk'\"",
            "agent: \"record.team == 3\"",
            expect![[r#"
                error[ill-typed] workflows/incident.yaml:33 at `record.team == 3" } }`
                  `==` cannot compare `desk` with an integer; numbers are written without quotes
            "#]],
        ),
        (
            "\"impact == 'high' ? 60 : 15\"",
            "\"impact == 'high' ? 60 : 'few'\"",
            expect![[r#"
                error[ill-typed] workflows/incident.yaml:13 at `'few'" }`
                  this gives `few`, but an integer is wanted
            "#]],
        ),
        (
            "agent: \"record.team == 'desk'\"",
            "agent: \"record.team = 'desk'\"",
            expect![[r#"
                error[expression-syntax] workflows/incident.yaml:33 at `= 'desk'" } }`
                  `=` does not compare; write `==`
            "#]],
        ),
        (
            "pause: \"record.category == 'waiting'\"",
            "pause: \"now > record.created_at\"",
            expect![[r#"
                error[ill-typed] service-levels/standard.yaml:17 at `now > record.created_at"`
                  `now` may not be read here: this changes only with the record
            "#]],
        ),
    ];
    for (old, new, expected) in cases {
        check(&[(old, new)], &expected);
    }
}

#[test]
fn states_that_no_record_comes_to_or_leaves() {
    let cases: [(&str, &str, Expect); 5] = [
        (
            "  closed: { category: closed, outcome: done }\nanywhere",
            "  parked: { category: open, transitions: { back: { to: new, permit: { agent: true } } } }\n  closed: { category: closed, outcome: done }\nanywhere",
            expect![[r#"
                warning[unreachable-state] workflows/incident.yaml:43 at `parked: { category: open`
                  no record comes to the state `parked`: no transition that can be reached leads there
            "#]],
        ),
        (
            "do: confirm }",
            "effects: { tell: { notice: told } } }\n      # ",
            expect![[""]],
        ),
        (
            "confirm: { to: closed, permit: { requester: true } }",
            "confirm: { to: new, permit: { requester: true } }",
            expect![[r#"
                error[dead-end] workflows/incident.yaml:26 at `new:`
                  no record in `new` is ever closed: none of its ways leads to a state with `category: closed`
            "#]],
        ),
        (
            "      start: { to: waiting, permit: { agent: true } }",
            "      start: { to: new, permit: { agent: true } }",
            expect![[r#"
                error[dead-end] workflows/incident.yaml:26 at `new:`
                  `new` is a dead end: nobody and nothing takes a transition out of it, and it is not closed
                  help: add a transition, or give it `category: closed`
            "#]],
        ),
        (
            "timeout: { time: P3D } }",
            "rejects: outvoted }",
            expect![[r#"
                warning[endless-wait] workflows/change.yaml:15 at `boss: { approvers: { bos`
                  if the votes of `boss` do not come, nothing ends the wait in `asked`
                  help: add a `timeout`, or a transition that someone may take
            "#]],
        ),
    ];
    for (old, new, expected) in cases {
        check(&[(old, new)], &expected);
    }
    check(
        &[
            (
                "      resume: { to: new, permit: { agent: \"record.team == 'desk'\" } }\n",
                "",
            ),
            (
                "resolve: { to: resolved, permit: { agent: true }, form: { answer: { required: true } }, effects",
                "resolve: { permit: { agent: true }, form: { answer: { required: true } }, effects",
            ),
        ],
        &expect![[r#"
            error[endless-wait] workflows/incident.yaml:30 at `waiting:`
              nothing ends the wait in `waiting`: nobody takes a transition out of it, nor does a timer or an approval
        "#]],
    );
    check(
        &[(
            "confirm: { to: closed, permit: { requester: true } }",
            "confirm: { permit: { requester: true } }",
        )],
        &expect![[r#"
            error[dead-end] workflows/incident.yaml:37 at `resolved:`
              `resolved` is a dead end: nobody and nothing takes a transition out of it, and it is not closed
              help: add a transition, or give it `category: closed`
        "#]],
    );
}

#[test]
fn tables_without_an_answer_and_rows_without_a_question() {
    let cases: [(&str, &str, Expect); 4] = [
        (
            "      rest: { when: \"true\", then: { priority: p2 } }\n",
            "",
            expect![[r#"
                error[no-last-resort] workflows/incident.yaml:19 at `rows:`
                  the table `priority` may give no answer: no row always holds
                  help: end it with a row `when: "true"`
            "#]],
        ),
        (
            "      high: { when: \"impact == 'high'\", then: { priority: p1 } }\n      rest: { when: \"true\", then: { priority: p2 } }\n",
            "      rest: { when: \"true\", then: { priority: p2 } }\n      high: { when: \"impact == 'high'\", then: { priority: p1 } }\n",
            expect![[r#"
                error[row-never-matches] workflows/incident.yaml:21 at `high: { when: "impact ==`
                  the row `high` never answers: `rest` before it always does
                  help: put it before `rest`; in an adaptation, `place: { before: rest }`
            "#]],
        ),
        (
            "      rest: { when: \"true\", then: { priority: p2 } }\n",
            "      again: { when: \"impact == 'high'\", then: { priority: p2 } }\n      rest: { when: \"true\", then: { priority: p2 } }\n",
            expect![[r#"
                error[row-never-matches] workflows/incident.yaml:21 at `again: { when: "impact =`
                  the row `again` never answers: one before it has the same condition
            "#]],
        ),
        (
            "      rest: { when: \"true\", then: { goal: P2D } }\n",
            "",
            expect![[r#"
                error[no-last-resort] service-levels/standard.yaml:11 at `rows:`
                  the table `goals` may give no answer: no row always holds
                  help: end it with a row `when: "true"`
            "#]],
        ),
    ];
    for (old, new, expected) in cases {
        check(&[(old, new)], &expected);
    }
}

#[test]
fn clocks_that_nothing_stops_or_starts() {
    let stop = "stop: \"record.category in ['resolved', 'closed']\"";
    let cases: [(&str, &str, Expect); 4] = [
        (
            stop,
            "stop: \"false\"",
            expect![[r#"
            error[endless-clock] service-levels/standard.yaml:18 at `stop: "false"`
              nothing stops this clock: `stop` holds in no state that a record comes to
        "#]],
        ),
        (
            stop,
            "stop: \"record.state == 'waiting' && record.category == 'open'\"",
            expect![[r#"
                error[endless-clock] service-levels/standard.yaml:18 at `stop: "record.state == '`
                  nothing stops this clock: `stop` holds in no state that a record comes to
            "#]],
        ),
        (
            stop,
            "stop: \"record.state == 'new' && answer != null\"",
            expect![[""]],
        ),
        (
            "start: \"true\"",
            "start: \"record.state == 'new' && record.category == 'closed'\"",
            expect![[r#"
                warning[clock-never-starts] service-levels/standard.yaml:16 at `start: "record.state == `
                  this clock never starts: `start` holds in no state that a record comes to
            "#]],
        ),
    ];
    for (old, new, expected) in cases {
        check(&[(old, new)], &expected);
    }
}

#[test]
fn approvals_that_lead_nowhere_or_can_be_gone_round() {
    let cases: [(&str, &str, Expect); 5] = [
        (
            ", unreachable: stop, nobody-asked: stop }",
            " }",
            expect![[r#"
                error[approval-outcome] workflows/change.yaml:16 at `then: { approved: go, re`
                  nothing follows an approval that ends as unreachable, nobody-asked
                  help: name a transition for each: `unreachable: …`
            "#]],
        ),
        (
            "      go: { to: closed }",
            "      go: { to: closed, form: { reason: { required: true } } }",
            expect![[r#"
                error[form-nobody-fills] workflows/change.yaml:16 at `approved: go, rejected: `
                  an approval fills in no form, and `go` requires `reason`
                  help: take a transition of its own, which sets what the form would ask
            "#]],
        ),
        (
            "      go: { to: closed }",
            "      go: { to: closed, permit: { agent: true } }",
            expect![[r#"
                warning[approval-bypass] workflows/change.yaml:16 at `approved: go, rejected: `
                  `go` follows approval, and people may take it without: it has a `permit`
                  help: let the approval take a transition of its own, without `permit`
            "#]],
        ),
        (
            "{ boss: { manager-of: requester } }",
            "{ boss: { role: agent } }",
            expect![[r#"
                warning[requester-among-approvers] workflows/change.yaml:15 at `approvers: { boss: { rol`
                  only `agent` may begin these records, and only `agent` is asked: a requester is among the approvers and may not vote
                  help: ask someone else too, or say `self: true`
            "#]],
        ),
        (
            "{ boss: { manager-of: requester } }",
            "{ boss: { manager-of: reason } }",
            expect![[r#"
                error[approval] workflows/change.yaml:15 at `reason } }, quorum: { al`
                  `reason` is text, which names no user of the directory
            "#]],
        ),
    ];
    for (old, new, expected) in cases {
        check(&[(old, new)], &expected);
    }
}

#[test]
fn transitions_that_nobody_takes_or_that_take_each_other() {
    let cases: [(&str, &str, Expect); 5] = [
        (
            "      resume: { to: new, permit: { agent: \"record.team == 'desk'\" } }",
            "      resume: { to: new }",
            expect![[r#"
                warning[idle-transition] workflows/incident.yaml:33 at `resume: { to: new }`
                  nobody is permitted to take `resume`, and nothing else takes it
                  help: add a `permit`, or let a timer, an approval or `automatic: true` take it
            "#]],
        ),
        (
            "      resume: { to: new, permit: { agent: \"record.team == 'desk'\" } }",
            "      resume: { to: new, automatic: true }",
            expect![[""]],
        ),
        (
            "settle: { wait: { time: P5D }, do: confirm }",
            "settle: { wait: { time: P5D } }",
            expect![[r#"
                warning[idle-timer] workflows/incident.yaml:42 at `settle: { wait: { time: `
                  this timer does nothing: it has neither `do` nor `effects`
            "#]],
        ),
        (
            "      confirm: { to: closed, permit: { requester: true } }",
            "      confirm: { to: closed, permit: { requester: true }, form: { stars: { type: integer, required: true } } }",
            expect![[r#"
                error[form-nobody-fills] workflows/incident.yaml:42 at `do: confirm }`
                  a timer fills in no form, and `confirm` requires `stars`
                  help: take a transition of its own, which sets what the form would ask
            "#]],
        ),
        (
            "permit: { anyone: true }",
            "permit: {}",
            expect![[r#"
            warning[permits-nobody] workflows/incident.yaml:24 at `report: { to: new, permi`
              nobody may begin with `report`
              help: add a `permit`
        "#]],
        ),
    ];
    for (old, new, expected) in cases {
        check(&[(old, new)], &expected);
    }
    check(
        &[
            (
                "      start: { to: waiting, permit: { agent: true } }",
                "      start: { to: waiting, automatic: true }",
            ),
            (
                "      resume: { to: new, permit: { agent: \"record.team == 'desk'\" } }",
                "      resume: { to: new, automatic: true }",
            ),
        ],
        &expect![[r#"
            error[automatic-circle] workflows/incident.yaml:29 at `start: { to: waiting, au`
              records would go round for ever between new, waiting: these automatic transitions require nothing
        "#]],
    );
    check(
        &[
            (
                "      start: { to: waiting, permit: { agent: true } }",
                "      start: { to: waiting, automatic: true, require: { high: { when: \"impact == 'high'\", say: Not yet. } } }",
            ),
            (
                "      resume: { to: new, permit: { agent: \"record.team == 'desk'\" } }",
                "      resume: { to: new, automatic: true, require: { low: { when: \"impact == 'low'\", say: Not yet. } } }",
            ),
        ],
        &expect![[r#"
            warning[automatic-circle] workflows/incident.yaml:29 at `start: { to: waiting, au`
              automatic transitions lead in a circle through new, waiting; their requirements must never all hold together
        "#]],
    );
    check(
        &[(
            "hurry: { from: { open: true }, permit: { agent: true },",
            "hurry: { from: { open: true }, automatic: true,",
        )],
        &expect![[r#"
            error[automatic-circle] workflows/incident.yaml:45 at `hurry: { from: { open: t`
              `hurry` is taken by itself again and again: it stays in `new`, and its requirements hold on
        "#]],
    );
}

#[test]
fn what_a_breach_takes_is_not_idle() {
    let nobody = (
        "  hurry: { from: { open: true }, permit: { agent: true },",
        "  hurry: { from: { open: true },",
    );
    check(&[nobody], &expect![[""]]);
    check(
        &[nobody, ("do: hurry, ", "")],
        &expect![[r#"
        warning[idle-transition] workflows/incident.yaml:45 at `hurry: { from: { open: t`
          nobody is permitted to take `hurry`, and nothing else takes it
          help: add a `permit`, or let a timer, an approval or `automatic: true` take it
    "#]],
    );
}

#[test]
fn business_days_of_unknown_length() {
    check(
        &[("day: PT8H\n", "")],
        &expect![[r#"
        error[no-business-day] service-levels/standard.yaml:13 at `goal: P2D } }`
          `P2D` counts in days, and the calendar `office` does not say how much a day is
          help: give the calendar a `day: PT8H`, or write hours
        error[no-business-day] workflows/incident.yaml:36 at `wait: { business: P2D, c`
          `P2D` counts in days, and the calendar `office` does not say how much a day is
          help: give the calendar a `day: PT8H`, or write hours
    "#]],
    );
}

#[test]
fn bindings_without_the_hook_and_numbers_taken_twice() {
    check(
        &[("hooks: { routing: true }", "hooks: { approval: true }")],
        &expect![[r#"
            error[missing-hook] workflows/incident.yaml:22 at `router }, fallback: { te`
              the binding `router` is not used for the hook `routing`
              help: its definition needs `hooks: { routing: true }`
        "#]],
    );
    check(
        &[("number: CHG", "number: INC")],
        &expect![[r#"
        error[duplicate-number] workflows/incident.yaml:5 at `number: INC`
          the records of `change` are numbered INC too
    "#]],
    );
    check(
        &[("number: CHG", "number: chg")],
        &expect![[r#"
        error[number] workflows/change.yaml:5 at `chg`
          `chg` cannot stand before a number
          help: 2 to 8 capital letters and digits, a letter first, such as INC
    "#]],
    );
}

#[test]
fn notices_that_name_what_no_record_has() {
    check(
        &[("{{ summary }}", "{{ sumary }}")],
        &expect![[r#"
        error[unknown-name] notices/told.yaml:6 at `text: "{{ sumary }}"`
          `sumary` is no field of the records that this notice is about
          help: did you mean `summary`?
    "#]],
    );
    check(
        &[("{{ record.id }}", "{{ record.nmber }}")],
        &expect![[r#"
        error[unknown-name] notices/told.yaml:5 at `subject: "{{ record.nmbe`
          `record.nmber` is no field of the records that this notice is about
    "#]],
    );
    check(
        &[("{{ summary }}", "{{ summary }")],
        &expect![[r#"
        error[notice-template] notices/told.yaml:6 at `text: "{{ summary }"`
          not a template, in its line 1: unexpected `}`, expected end of variable block
    "#]],
    );
}

#[test]
fn fields_that_hold_nothing_and_values_that_none_takes() {
    let cases: [(&str, &str, Expect); 8] = [
        (
            "default: low",
            "default: lwo",
            expect![[r#"
                error[wrong-value] workflows/incident.yaml:10 at `lwo }`
                  the default of `impact` has no option `lwo`: it takes one of low, high; did you mean `low`?
            "#]],
        ),
        (
            "set: { impact: high }",
            "set: { priority: p1 }",
            expect![[r#"
                error[set] workflows/incident.yaml:45 at `priority: p1 } }`
                  the table `priority` decides `priority`; a step cannot
            "#]],
        ),
        (
            "answer:   { type: string }",
            "answer:   { label: Answer }",
            expect![[r#"
                error[field] workflows/incident.yaml:14 at `answer:   { label: Answe`
                  nothing says what `answer` holds
                  help: give it a `type`, `options` or a `ref`
            "#]],
        ),
        (
            "answer:   { type: string }",
            "answer:   { type: string, pattern: \"[a\" }",
            expect![[r#"
                error[field] workflows/incident.yaml:14 at `"[a" }`
                  not a regular expression: unclosed character class
            "#]],
        ),
        (
            "answer:   { type: string }",
            "answer:   { type: string, maximum: 3 }",
            expect![[r#"
                error[field] workflows/incident.yaml:14 at `maximum: 3 }`
                  `maximum` means nothing for text
            "#]],
        ),
        (
            "service:  { ref: service }",
            "links:    { ref: service }",
            expect![[r#"
                error[reserved-name] workflows/incident.yaml:12 at `links:    { ref: service`
                  no field can be called `links`, which names something of every record or expression
            "#]],
        ),
        (
            "value: \"impact == 'high' ? 60 : 15\"",
            "value: \"minutes + 1\"",
            expect![[r#"
                error[circular] workflows/incident.yaml:13 at `"minutes + 1" }`
                  these fields compute each other: minutes → minutes
            "#]],
        ),
        (
            "wait: { time: P5D }",
            "wait: { time: PT0S }",
            expect![[r#"
                error[no-time] workflows/incident.yaml:42 at `PT0S }, do: confirm }`
                  a wait of no time at all
            "#]],
        ),
    ];
    for (old, new, expected) in cases {
        check(&[(old, new)], &expected);
    }
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
