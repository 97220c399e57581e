//! Scenarios over a small pack without plugins: what is told where, and what time does.

use std::collections::BTreeMap;

use definition::lint::lint;
use definition::pack::Pack;
use expect_test::{Expect, expect};

use super::report::Report;
use super::{Bench, fits};
use crate::pack_files::PackFiles;

const HEADER: &str = "apiVersion: servicewright/v1
kind: Pack
id: notes
version: 1.0.0
title: Notes
zone: Europe/Brussels
roles: { agent: { title: Agent } }
";

const NOTE: &str = "apiVersion: servicewright/v1
kind: Workflow
id: note
title: Note
number: NTE
see: { agent: true, requester: true }
edit: { agent: true }
fields:
  summary: { type: string, minLength: 1, maxLength: 200 }
  weight: { options: { light: {}, heavy: {} }, decided-by: weight }
tables:
  weight:
    hit: first
    gives: { weight: true }
    rows:
      long: { when: \"summary.size() > 20\", then: { weight: heavy } }
      rest: { when: \"true\", then: { weight: light } }
create:
  write:
    to: open
    permit: { anyone: true }
    form: { summary: { required: true } }
    effects: { copy: { create: { workflow: copy, link: copy_of, set: { summary: A copy } } } }
states:
  open:
    category: open
    transitions:
      finish: { to: done, permit: { agent: true } }
      settle: { to: done }
    timers:
      nudge: { wait: { time: PT1H }, repeat: true, effects: { tell: { notice: nudged } } }
      settle: { wait: { time: P1D }, do: settle }
  done: { category: closed, outcome: done }
---
apiVersion: servicewright/v1
kind: Workflow
id: copy
title: Copy
number: CPY
see: { agent: true, requester: true }
fields:
  summary: { type: string, minLength: 1, maxLength: 200 }
create:
  make: { to: made, permit: { anyone: true }, form: { summary: {} } }
states:
  made: { category: closed, outcome: done }
";

const NOTICE: &str = "apiVersion: servicewright/v1
kind: Notice
id: nudged
to: { requester: true }
subject: Still open
text: \"{{ summary }}\"
";

const OUTBOX: &str = "apiVersion: servicewright/v1
kind: Plugin
id: outbox
component: { file: webhook.wasm }
hooks: { delivery: true }
events: { created: { workflows: { note: true } } }
";

const DESK: &str = "kind: Scenario
id: desk
title: Two people
given:
  at: \"2026-03-28T09:00\"
  directory:
    user: { rita: { name: Rita }, ada: { name: Ada, roles: [agent] } }
---
";

/// The pack with these scenarios, which all begin at its desk.
async fn bench(scenarios: &str) -> (Bench, Pack) {
    bench_of(NOTE, scenarios).await
}

async fn bench_of(workflows: &str, scenarios: &str) -> (Bench, Pack) {
    let texts = [
        ("pack.yaml", HEADER.to_owned()),
        ("workflows/note.yaml", workflows.to_owned()),
        ("notices/nudged.yaml", NOTICE.to_owned()),
        ("plugins/outbox.yaml", OUTBOX.to_owned()),
        ("scenarios/all.yaml", format!("{DESK}{scenarios}")),
    ];
    let texts: BTreeMap<String, String> = texts
        .into_iter()
        .map(|(path, text)| (path.to_owned(), text))
        .collect();
    let pack = Pack::read(&texts).unwrap_or_else(|found| panic!("{found}"));
    let found = lint(&pack);
    assert!(!found.has_errors(), "{found}");
    let files = PackFiles {
        texts,
        ..PackFiles::default()
    };
    let bench = Bench::new(&pack, &files, None).await.expect("it is ready");
    (bench, pack)
}

async fn run(scenarios: &str) -> Report {
    bench(scenarios).await.0.run().await
}

async fn check(scenarios: &str, told: Expect) {
    told.assert_eq(&run(scenarios).await.told());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_as_expected_is_told_with_its_place_and_what_was_found() {
    let wrong = "kind: Scenario
id: wrong
title: Nothing is as it seems
given: { like: desk }
steps:
  write:
    as: rita
    do: { create: { workflow: note, fields: { summary: Milk } } }
    expect:
      state: done
      fields: { weight: heavy, summary: Milk }
      unset: { requester: true }
      notified: { nudged: true }
      told: { outbox: false }
      links: { copy_of: { copy: 2 } }
      may: { finish: true }
      seen: { ada: false }
  refused:
    as: rita
    do: { transition: { id: finish } }
    expect: { refused: not-found }
  never:
    as: rita
    do: { transition: { id: finish } }
  after-that:
    expect: { state: closed-for-ever }
"
    .replace("closed-for-ever", "open");
    check(
        &wrong,
        expect![[r#"
            FAIL wrong: Nothing is as it seems
                   scenarios/all.yaml:18:14: step `write`: state: expected `done`, found `open`
                   scenarios/all.yaml:19:25: step `write`: fields.weight: expected "heavy", found "light"
                   scenarios/all.yaml:20:27: step `write`: unset.requester: expected none, found "rita"
                   scenarios/all.yaml:21:27: step `write`: notified.nudged: expected true, found false
                   scenarios/all.yaml:22:23: step `write`: told.outbox: expected false, found true
                   scenarios/all.yaml:23:33: step `write`: links.copy_of.copy: expected 2, found 0
                   scenarios/all.yaml:25:20: step `write`: seen.ada: expected false, found true
                   scenarios/all.yaml:24:22: step `write`: may.finish: expected true, found false
                   scenarios/all.yaml:29:24: step `refused`: refused: expected `not-found`, but it is refused (forbidden): rita may not take `finish`: it takes the role `agent`
                   scenarios/all.yaml:32:9: step `never`: it is refused (forbidden): rita may not take `finish`: it takes the role `agent`

            0 passed; 1 failed; 0 skipped
        "#]],
    )
    .await;
}

/// A scenario that knows nothing of shelves, nor that notes are read before they are finished.
const UNAWARE: &str = "kind: Scenario
id: unaware
title: A note is finished
given: { like: GIVEN }
steps:
  write: { as: rita, do: { create: { workflow: note, via: write, fields: { summary: Milk } } }, expect: { state: open } }
  not-rita: { as: rita, do: { transition: { id: finish } }, expect: { refused: forbidden, state: open } }
  finish: { as: ada, do: { transition: { id: finish } }, expect: { state: done } }
---
kind: Scenario
id: aware
title: What a step says counts more
given: { like: GIVEN }
steps:
  write: { as: rita, do: { create: { workflow: note, via: write, fields: { summary: Milk, shelf: low } } }, expect: { fields: { shelf: low } } }
  read: { as: ada, do: { transition: { id: read } }, expect: { state: read } }
  finish: { as: ada, do: { transition: { id: finish } }, expect: { state: done } }
  too-late: { as: ada, do: { transition: { id: finish } }, expect: { refused: not-possible, state: done } }
---
kind: Scenario
id: habits
title: What is done besides
given:
  like: desk
  filled: { note: { shelf: high } }
  before: { note: { finish: read } }
";

#[tokio::test(flavor = "multi_thread")]
async fn what_all_steps_do_besides_is_said_where_scenarios_begin() {
    let adapted = NOTE
        .replace(
            "fields:\n  summary: { type: string, minLength: 1, maxLength: 200 }\n  weight",
            "fields:\n  shelf: { options: { high: {}, low: {} } }\n  summary: { type: string, minLength: 1, maxLength: 200 }\n  weight",
        )
        .replace(
            "form: { summary: { required: true } }",
            "form: { summary: { required: true }, shelf: { required: true } }",
        )
        .replace(
            "      finish: { to: done, permit: { agent: true } }\n",
            "      read: { to: read, permit: { agent: true } }\n",
        )
        .replace(
            "  done: {",
            "  read:\n    category: open\n    transitions: { finish: { to: done, permit: { agent: true } } }\n  done: {",
        );
    for (like, told) in [
        (
            "desk",
            expect![[r#"
                ok   aware: What a step says counts more
                FAIL unaware: A note is finished
                       scenarios/all.yaml:14:26: step `write`: it is refused (invalid): /shelf: it is required

                1 passed; 1 failed; 0 skipped
            "#]],
        ),
        (
            "habits",
            expect![[r#"
                ok   aware: What a step says counts more
                ok   unaware: A note is finished

                2 passed; 0 failed; 0 skipped
            "#]],
        ),
    ] {
        let scenarios = UNAWARE.replace("GIVEN", like);
        let (bench, _) = bench_of(&adapted, &scenarios).await;
        told.assert_eq(&bench.run().await.told());
    }
}

/// The clocks go forward in the night between.
const TIME: &str = "kind: Scenario
id: time
title: What is due happens when it is due
given: { like: desk }
steps:
  write: { as: rita, do: { create: { workflow: note, fields: { summary: Milk } } } }
  not-yet: { after: PT59M59S, expect: { notified: { nudged: false } } }
  nudged: { after: PT1S, expect: { notified: { nudged: { rita: true, ada: false } } } }
  again: { after: PT2H, expect: { notified: { nudged: 2 } } }
  nearly: { at: \"2026-03-29T08:59:59\", expect: { state: open, notified: { nudged: 19 } } }
  settled: { after: PT1S, expect: { state: done, category: closed, outcome: done } }
  over: { after: P30D, expect: { notified: { nudged: false } } }
";

#[tokio::test(flavor = "multi_thread")]
async fn whatever_is_due_happens_at_its_own_time() {
    let report = run(TIME).await;
    assert_eq!(report.failed(), 0, "{}", report.told());
    assert_eq!(run(TIME).await.told(), report.told(), "the same every time");
}

#[tokio::test(flavor = "multi_thread")]
async fn records_that_others_led_to_are_found_by_their_links() {
    let linked = "kind: Scenario
id: linked
title: A note is copied, and somebody leaves
given: { like: desk }
steps:
  write:
    as: rita
    do: { create: { workflow: note, via: write, fields: { summary: Milk } } }
    expect: { links: { copy_of: { copy: 1 } }, told: { outbox: true } }
  the-copy:
    record: { step: write, link: copy_of, workflow: copy }
    expect: { state: made, fields: { summary: A copy } }
  no-such-link:
    record: { step: write, link: part_of }
    expect: { state: made }
---
kind: Scenario
id: other
title: Another desk has other numbers and other people
given: { like: desk }
steps:
  leaves:
    do: { directory: { put: { user: { ada: { name: Ada } } } } }
  write:
    as: ada
    do: { create: { workflow: note, fields: { summary: Milk } } }
    expect: { may: { finish: false }, requester: ada }
";
    check(
        linked,
        expect![[r#"
            FAIL linked: A note is copied, and somebody leaves
                   scenarios/all.yaml:17:41: step `write`: links.copy_of.copy: expected 1, found 0
                   scenarios/all.yaml:19:13: step `the-copy`: NTE-1 has no such link `copy_of`
            ok   other: Another desk has other numbers and other people

            1 passed; 1 failed; 0 skipped
        "#]],
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_desk_that_never_comes_to_rest_is_given_up() {
    let endless = "kind: Scenario
id: endless
title: A year goes by
given: { like: desk }
steps:
  write: { as: rita, do: { create: { workflow: note, fields: { summary: Milk } } } }
  late: { at: \"2026-03-28T08:00\", expect: { state: open } }
";
    let report = run(endless).await;
    let told = report.told();
    assert!(
        told.contains("the step before is at 2026-03-28T09:00:00+01:00 already"),
        "{told}"
    );

    let note = NOTE.replace("settle: { wait: { time: P1D }, do: settle }", "");
    let note = note.replace("PT1H", "PT1S");
    let endless = endless.replace("at: \"2026-03-28T08:00\"", "after: P365D");
    let texts = [
        ("pack.yaml", HEADER.to_owned()),
        ("workflows/note.yaml", note),
        ("notices/nudged.yaml", NOTICE.to_owned()),
        ("scenarios/all.yaml", format!("{DESK}{endless}")),
    ];
    let texts = texts.map(|(path, text)| (path.to_owned(), text)).into();
    let pack = Pack::read(&texts).expect("a pack");
    let bench = Bench::new(&pack, &PackFiles::default(), None).await;
    let told = bench.expect("it is ready").run().await.told();
    assert!(
        told.contains("the definitions never come to rest"),
        "{told}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_skipped_says_why_and_takes_along_what_is_like_it() {
    let skipped = format!(
        "{}---
kind: Scenario
id: older
title: A desk of before
skip: The desk has moved.
given: {{ like: desk }}
---
{}",
        TIME.replace("id: time", "id: time\nskip: There is no time."),
        TIME.replace("like: desk", "like: older")
            .replace("id: time", "id: moved"),
    );
    check(
        &skipped,
        expect![[r"
            skip moved: The desk has moved.
            skip time: There is no time.

            0 passed; 0 failed; 2 skipped
        "]],
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn junit_has_a_case_for_each_scenario() {
    let scenarios = format!(
        "{TIME}---
kind: Scenario
id: skipped
title: Skipped
skip: \"<later> & \\\"never\\\"\"
given: {{ like: desk }}
steps: {{ wait: {{ after: P1D, expect: {{}} }} }}
---
kind: Scenario
id: wrong
title: Wrong
given: {{ like: desk }}
steps:
  write: {{ as: rita, do: {{ create: {{ workflow: note, fields: {{ summary: a < b & c }} }} }}, expect: {{ fields: {{ summary: \"a > b\" }} }} }}
"
    );
    let mut report = run(&scenarios).await;
    for (index, ran) in report.ran.iter_mut().enumerate() {
        ran.micros = 1_500 * index as u64;
    }
    expect![[r#"
        <?xml version="1.0" encoding="UTF-8"?>
        <testsuites tests="3" failures="1" errors="0" skipped="1" time="0.004500">
          <testsuite name="notes" tests="3" failures="1" errors="0" skipped="1" time="0.004500">
            <testcase name="skipped" classname="notes" file="scenarios/all.yaml" line="24" time="0.000000">
              <skipped message="&lt;later&gt; &amp; &quot;never&quot;"/>
            </testcase>
            <testcase name="time" classname="notes" file="scenarios/all.yaml" line="11" time="0.001500"/>
            <testcase name="wrong" classname="notes" file="scenarios/all.yaml" line="31" time="0.003000">
              <failure type="unmet" message="fields.summary: expected &quot;a &gt; b&quot;, found &quot;a &lt; b &amp; c&quot;">scenarios/all.yaml:34:119: step `write`: fields.summary: expected &quot;a &gt; b&quot;, found &quot;a &lt; b &amp; c&quot;</failure>
            </testcase>
          </testsuite>
        </testsuites>
    "#]]
    .assert_eq(&report.junit("notes"));
}

#[tokio::test(flavor = "multi_thread")]
async fn breaks_that_no_scenario_notices_are_told_with_their_line() {
    let (bench, pack) = bench(TIME).await;
    let report = bench.mutants(&pack).await.expect("the scenarios pass");
    expect![[r#"
        Workflow copy: 0 of 4 caught, 0.0 %
          permit opened to anyone        0 of 1 caught, 0.0 %
          permit removed                 0 of 3 caught, 0.0 %
          transition removed             none compiles
        Workflow note: 7 of 19 caught, 36.8 %
          effect removed                 1 of 2 caught, 50.0 %
          form not required              0 of 1 caught, 0.0 %
          permit opened to anyone        0 of 3 caught, 0.0 %
          permit removed                 1 of 5 caught, 20.0 %
          row removed                    0 of 2 caught, 0.0 %
          timer not repeated             1 of 1 caught, 100.0 %
          timer removed                  2 of 2 caught, 100.0 %
          timer twice as late            2 of 2 caught, 100.0 %
          transition removed             0 of 1 caught, 0.0 %

        no scenario noticed:
          workflows/note.yaml:40:8: permit removed: copy: see.agent
          workflows/note.yaml:40:21: permit removed: copy: see.requester
          workflows/note.yaml:40:1: permit opened to anyone: copy: see
          workflows/note.yaml:44:31: permit removed: copy: create.make.permit.anyone
          workflows/note.yaml:6:8: permit removed: note: see.agent
          workflows/note.yaml:6:21: permit removed: note: see.requester
          workflows/note.yaml:6:1: permit opened to anyone: note: see
          workflows/note.yaml:7:9: permit removed: note: edit.agent
          workflows/note.yaml:7:1: permit opened to anyone: note: edit
          workflows/note.yaml:16:7: row removed: note: tables.weight.rows.long
          workflows/note.yaml:17:7: row removed: note: tables.weight.rows.rest
          workflows/note.yaml:22:24: form not required: note: create.write.form.summary.required
          workflows/note.yaml:23:16: effect removed: note: create.write.effects.copy
          workflows/note.yaml:28:7: transition removed: note: states.open.transitions.finish
          workflows/note.yaml:28:37: permit removed: note: states.open.transitions.finish.permit.agent
          workflows/note.yaml:28:27: permit opened to anyone: note: states.open.transitions.finish.permit

        23 mutants: 7 of 23 caught, 30.4 %; 3 more do not compile
    "#]]
    .assert_eq(&report.told());
    assert!(report.reaches(10) && !report.reaches(90));
}

#[test]
fn a_star_stands_for_anything() {
    for (pattern, text, expected) in [
        ("incident-*", "incident-solved", true),
        ("*-solved", "incident-solved", true),
        ("*-so*d", "incident-solved", true),
        ("*", "incident", true),
        ("incident", "incident-solved", false),
        ("incident-*-x", "incident-solved", false),
        ("a*a", "a", false),
    ] {
        assert_eq!(fits(pattern, text), expected, "{pattern} {text}");
    }
}
