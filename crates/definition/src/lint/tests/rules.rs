//! What could run, and would leave records stuck.

#![expect(clippy::needless_raw_string_hashes, reason = "expect-test writes them")]

use expect_test::{Expect, expect};

use super::check;

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
fn timers_that_are_spread_over_more_than_they_wait() {
    let spread = |jitter: &'static str| {
        (
            "remind: { wait: { business: P2D, calendar: office }, ",
            jitter,
        )
    };
    let day = "remind: { wait: { business: P2D, calendar: office }, jitter: PT16H, ";
    check(&[spread(day)], &expect![[""]]);
    let longer = "remind: { wait: { business: P2D, calendar: office }, jitter: PT17H, ";
    check(
        &[spread(longer)],
        &expect![[r#"
        warning[wide-jitter] workflows/incident.yaml:36 at `jitter: PT17H, repeat: t`
          the spread `PT17H` is longer than the wait, which is PT16H
          help: spread it over less, or wait longer
    "#]],
    );
    let none = "remind: { wait: { business: P2D, calendar: office }, jitter: PT0S, ";
    check(
        &[spread(none)],
        &expect![[r#"
        error[no-time] workflows/incident.yaml:36 at `PT0S, repeat: true, effe`
          a spread over no time at all
    "#]],
    );
}

#[test]
fn the_largest_workflow_is_looked_through() {
    let header =
        "apiVersion: servicewright/v1\nkind: Workflow\nid: large\ntitle: Large\nnumber: LRG";
    let begin = "create: { begin: { to: s0, permit: { anyone: true } } }";
    let states: Vec<String> = (0..300)
        .map(|n| format!("  s{n}: {{ category: open }}"))
        .collect();
    let moves: Vec<String> = (0..999)
        .map(|n| format!("  to-{n}: {{ to: s{}, automatic: true }}", n % 300))
        .collect();
    let (states, moves) = (states.join("\n"), moves.join("\n"));
    let text = format!("{header}\n{begin}\nstates:\n{states}\nanywhere:\n{moves}\n");
    let mut files = super::sound();
    files.insert("workflows/large.yaml".to_owned(), text);
    let pack = crate::pack::Pack::read(&files).expect("reads");
    let found = crate::lint::lint(&pack);
    assert!(found.iter().any(|one| one.rule == "automatic-circle"));
    assert!(found.iter().any(|one| one.rule == "dead-end"));
}
