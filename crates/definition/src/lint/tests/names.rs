//! Names that nothing has, expressions that mean nothing, fields that hold nothing.

#![expect(clippy::needless_raw_string_hashes, reason = "expect-test writes them")]

use expect_test::{Expect, expect};

use super::check;

#[test]
#[expect(clippy::too_many_lines, reason = "a list of cases")]
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
              not a template: unexpected `}`, expected end of variable block, in its line 1
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
