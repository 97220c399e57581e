//! What the loader takes and refuses, and how it says so.

#![allow(
    clippy::needless_raw_string_hashes,
    reason = "expect-test writes its texts so"
)]

use std::collections::BTreeMap;
use std::sync::Arc;

use expect_test::{Expect, expect};
use model::definition::Team;
use model::id::PackId;
use proptest::prelude::*;
use serde::Deserialize;

use super::*;

/// Loads one file of the pack `itil`.
fn load_text(text: &str) -> (Sources, Option<Vec<Node>>, Diagnostics) {
    let mut sources = Sources::new();
    let file = sources.add("workflows/incident.yaml", PackId::new("itil").ok(), text);
    let mut diagnostics = Diagnostics::new();
    let documents = load(&sources, file, &mut diagnostics);
    (sources, documents, diagnostics)
}

#[expect(
    clippy::needless_pass_by_value,
    reason = "reads as expect![…] at each use"
)]
fn check(text: &str, expected: Expect) {
    let (_, documents, diagnostics) = load_text(text);
    match documents {
        Some(documents) => {
            let json: Vec<String> = documents
                .iter()
                .map(|node| node.to_json().to_string())
                .collect();
            expected.assert_eq(&json.join("\n"));
        }
        None => expected.assert_eq(&diagnostics.to_string()),
    }
}

#[test]
fn a_file_is_read_as_written() {
    check(
        "# A comment.\nid: incident\nfields:\n  b: { type: string, label: What is wrong? }\n  a: {}\nlist: [1, -2, 2.5, true, \"on\", 'it''s']\ntext: |\n  {{ record.id }}\n  on two lines\n---\nid: second\n",
        expect![[r#"
            {"id":"incident","fields":{"b":{"type":"string","label":"What is wrong?"},"a":{}},"list":[1,-2,2.5,true,"on","it's"],"text":"{{ record.id }}\non two lines\n"}
            {"id":"second"}"#]],
    );
}

#[test]
fn broken_yaml_is_shown_where_it_breaks() {
    check(
        "id: incident\nfields\n  a: {}\n",
        expect![[r#"
        error[syntax]: simple key expected ':'
         --> workflows/incident.yaml:2:1
          |
        2 | fields
          | ^
          = help: a line within a map reads `key: value`; is a `:` or a blank after it missing?"#]],
    );
    check(
        "id: incident\nfields: { a: { b: 1 }\nstates: {}\n",
        expect![[r#"
        error[syntax]: invalid indentation
         --> workflows/incident.yaml:3:1
          |
        3 | states: {}
          | ^
          = help: keys of one map stand in one column; is a quote or a bracket above not closed?"#]],
    );
    check(
        "title: \"Incident\nid: x\n",
        expect![[r#"
        error[syntax]: invalid indentation in multiline quoted scalar
         --> workflows/incident.yaml:2:1
          |
        2 | id: x
          | ^"#]],
    );
    check(
        "a:\n  b: 1\n c: 2\n",
        expect![[r#"
        error[syntax]: while parsing a block mapping, did not find expected key
         --> workflows/incident.yaml:3:2
          |
        3 |  c: 2
          |  ^
          = help: keys of one map stand in one column; is a quote or a bracket above not closed?"#]],
    );
    check(
        "a: b: c\n",
        expect![[r#"
        error[syntax]: mapping values are not allowed in this context
         --> workflows/incident.yaml:1:5
          |
        1 | a: b: c
          |     ^"#]],
    );
    check(
        "a: [1, 2}\n",
        expect![[r#"
        error[syntax]: mismatched bracket '[' closed by '}'
         --> workflows/incident.yaml:1:4
          |
        1 | a: [1, 2}
          |    ^"#]],
    );
    check(
        "- a\nb: c\n",
        expect![[r#"
        error[syntax]: while parsing a block collection, did not find expected '-' indicator
         --> workflows/incident.yaml:2:1
          |
        2 | b: c
          | ^"#]],
    );
}

#[test]
fn what_is_no_part_of_the_language_is_refused_together() {
    check(
        "base: &base { a: 1 }\nuse: *base\nagain: *nowhere\n<<: { x: 1 }\ntyped: !!str 5\n? [1]\n: 2\n7: seven\ntrue: x\n",
        expect![[r#"
            error[anchor]: anchors are not part of the language
             --> workflows/incident.yaml:1:13
              |
            1 | base: &base { a: 1 }
              |             ^
              = help: take the `&name` out

            error[alias]: aliases are not part of the language
             --> workflows/incident.yaml:2:6
              |
            2 | use: *base
              |      ^^^^^
              = help: write out what it stands for, or put it in quotes if a text beginning with `*` is meant

            error[alias]: aliases are not part of the language
             --> workflows/incident.yaml:3:8
              |
            3 | again: *nowhere
              |        ^^^^^^^^
              = help: write out what it stands for, or put it in quotes if a text beginning with `*` is meant

            error[key]: merge keys are not part of the language
             --> workflows/incident.yaml:4:1
              |
            4 | <<: { x: 1 }
              | ^^
              = help: write out what it stands for, or put shared parts into the pack that is extended

            error[tag]: the tag `!!str`: tags are not part of the language
             --> workflows/incident.yaml:5:14
              |
            5 | typed: !!str 5
              |              ^
              = help: take it out, or put a text beginning with `!` in quotes

            error[key]: a key must be text
             --> workflows/incident.yaml:6:3
              |
            6 | ? [1]
              |   ^

            error[key]: a key must be text
             --> workflows/incident.yaml:8:1
              |
            8 | 7: seven
              | ^
              = help: put it in quotes: "7"

            error[key]: a key must be text
             --> workflows/incident.yaml:9:1
              |
            9 | true: x
              | ^^^^
              = help: put it in quotes: "true""#]],
    );
    check(
        "%YAML 1.2\n---\na: 1\n",
        expect![[r#"
        error[syntax]: YAML directives are disallowed
         --> workflows/incident.yaml:1:1
          |
        1 | %YAML 1.2
          | ^"#]],
    );
}

#[test]
fn an_empty_value_is_not_null() {
    check(
        "states:\n  new:\n  old: null\nlist:\n  -\n  - 1\nflow: { a, b: }\n",
        expect![[r#"
            error[empty-value]: `new` has no value
             --> workflows/incident.yaml:2:3
              |
            2 |   new:
              |   ^^^
              = help: `null` removes, `{}` is the empty map, "" is the empty text

            error[empty-value]: the list has an empty item
             --> workflows/incident.yaml:5:4
              |
            5 |   -
              |    ^
              = help: `null` removes, `{}` is the empty map, "" is the empty text

            error[empty-value]: `a` has no value
             --> workflows/incident.yaml:7:9
              |
            7 | flow: { a, b: }
              |         ^
              = help: `null` removes, `{}` is the empty map, "" is the empty text

            error[empty-value]: `b` has no value
             --> workflows/incident.yaml:7:12
              |
            7 | flow: { a, b: }
              |            ^
              = help: a text with a comma wants quotes within brackets; `{}` is the empty map"#]],
    );
    check(
        "a: 1\n---\n",
        expect![[r#"
        error[empty-document]: an empty document
         --> workflows/incident.yaml:2:1
          |
        2 | ---
          | ^^^"#]],
    );
    check("", expect![[""]]);
}

#[test]
fn what_older_readers_take_otherwise_wants_quotes() {
    check(
        "switch: on\nagreed: yes\nat: 08:00\ncode: 010\nday: 2026-12-24\nnothing: ~\n",
        expect![[r#"
        error[ambiguous-value]: `on` without quotes is true or false to some YAML readers
         --> workflows/incident.yaml:1:9
          |
        1 | switch: on
          |         ^^
          = help: write `true`, or "on" if text is meant

        error[ambiguous-value]: `yes` without quotes is true or false to some YAML readers
         --> workflows/incident.yaml:2:9
          |
        2 | agreed: yes
          |         ^^^
          = help: write `true`, or "yes" if text is meant

        error[ambiguous-value]: `08:00` without quotes is a number in base 60 to some YAML readers
         --> workflows/incident.yaml:3:5
          |
        3 | at: 08:00
          |     ^^^^^
          = help: put it in quotes: "08:00"

        error[ambiguous-value]: `010` without quotes is an octal number to some YAML readers
         --> workflows/incident.yaml:4:7
          |
        4 | code: 010
          |       ^^^
          = help: put it in quotes: "010"

        error[ambiguous-value]: `2026-12-24` without quotes is a date to some YAML readers
         --> workflows/incident.yaml:5:6
          |
        5 | day: 2026-12-24
          |      ^^^^^^^^^^
          = help: put it in quotes: "2026-12-24"

        error[ambiguous-value]: `~` without quotes is null to some YAML readers
         --> workflows/incident.yaml:6:10
          |
        6 | nothing: ~
          |          ^
          = help: write `null` to remove, or "~" if text is meant"#]],
    );
    check(
        "on: { a: 1 }\n2026-12-24: {}\n",
        expect![[r#"
        error[ambiguous-key]: the key `on` without quotes is true or false to some YAML readers
         --> workflows/incident.yaml:1:1
          |
        1 | on: { a: 1 }
          | ^^
          = help: put it in quotes: "on"

        error[ambiguous-key]: the key `2026-12-24` without quotes is a date to some YAML readers
         --> workflows/incident.yaml:2:1
          |
        2 | 2026-12-24: {}
          | ^^^^^^^^^^
          = help: put it in quotes: "2026-12-24""#]],
    );
}

#[test]
fn twice_the_same_key_is_refused_naming_the_first() {
    check(
        "states:\n  new: { a: 1 }\n  done: {}\n  new: {}\n",
        expect![[r#"
        error[duplicate-key]: `new` stands here twice, first at workflows/incident.yaml:2:3
         --> workflows/incident.yaml:4:3
          |
        4 |   new: {}
          |   ^^^"#]],
    );
}

#[test]
fn characters_that_hide_are_refused() {
    check(
        "a:\n\tb: 1\n",
        expect![[r#"
        error[tab]: a tab
         --> workflows/incident.yaml:2:1
          |
        2 | �b: 1
          | ^
          = help: indent with spaces; within double quotes write `\t`"#]],
    );
    check(
        "a: \0\n",
        expect![[r#"
        error[control-character]: the character U+0000, which is not text
         --> workflows/incident.yaml:1:4
          |
        1 | a: �
          |    ^
          = help: take it out; within double quotes it can be written `\u0000`"#]],
    );
    check(
        "a: x\u{2028}y\n",
        expect![[r#"
        error[control-character]: the character U+2028, which is not text
         --> workflows/incident.yaml:1:5
          |
        1 | a: x�y
          |     ^
          = help: take it out; within double quotes it can be written `\u2028`"#]],
    );
    check("\u{feff}a: 1\r\nb: 2\r\n", expect![[r#"{"a":1,"b":2}"#]]);
}

#[test]
fn bounds_hold() {
    let deep = |depth: usize| format!("{}1{}", "[".repeat(depth), "]".repeat(depth));
    assert!(load_text(&deep(MAX_DEPTH)).1.is_some());
    check(
        &deep(MAX_DEPTH + 1),
        expect![[r#"
        error[too-deep]: maps and lists nest deeper than 32
         --> workflows/incident.yaml:1:33
          |
        1 | [[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]
          |                                 ^"#]],
    );
    check(
        &deep(200_000),
        expect![[r#"
        error[too-deep]: maps and lists nest deeper than 32
         --> workflows/incident.yaml:1:35
          |
        1 | [[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[
          |                                   ^"#]],
    );
    let steps: String = (0..40).fold(String::new(), |text, step| {
        text + &" ".repeat(step) + "a:\n"
    });
    check(
        &steps,
        expect![[r#"
        error[too-deep]: maps and lists nest deeper than 32
          --> workflows/incident.yaml:33:33
           |
        33 |                                 a:
           |                                 ^"#]],
    );
    check(
        &format!("[{}]", "1,".repeat(MAX_NODES)),
        expect![[r#"
        error[too-large]: the file holds more than 100000 keys and values
         --> workflows/incident.yaml:1:200000
          |
        1 | 1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,]
          |                                         ^"#]],
    );
    check(
        &"a".repeat(MAX_FILE_BYTES + 1),
        expect![[r#"
        error[too-large]: the file has 1048577 bytes; 1048576 is the most
         --> workflows/incident.yaml:1:1"#]],
    );
    let many = "a:\n".repeat(500);
    let (_, _, diagnostics) = load_text(&many);
    assert_eq!(
        (diagnostics.len(), diagnostics.iter().count()),
        (999, MAX_DIAGNOSTICS)
    );
    assert!(diagnostics.to_string().ends_with("and 899 more"));
}

fn many_keys() -> String {
    (0..100).fold(String::new(), |text, n| text + &format!("k{n}: {n}, "))
}

#[test]
fn a_long_line_is_shown_around_the_place() {
    let text = format!("{{ {} z: on, {} }}", "abcdefgh: 1, ", many_keys());
    check(
        &text,
        expect![[r#"
        error[ambiguous-value]: `on` without quotes is true or false to some YAML readers
         --> workflows/incident.yaml:1:20
          |
        1 | { abcdefgh: 1,  z: on, k0: 0, k1: 1, k2: 2, k3: 3, k4: 4, k5: 5, k6: 6, k7: 7, k8: 8, k9: 9, k10: 10, k11: 11, k12: 12,
          |                    ^^
          = help: write `true`, or "on" if text is meant"#]],
    );
    let text = format!("{{ {} z: on }}", many_keys());
    check(
        &text,
        expect![[r#"
        error[ambiguous-value]: `on` without quotes is true or false to some YAML readers
         --> workflows/incident.yaml:1:887
          |
        1 | k96: 96, k97: 97, k98: 98, k99: 99,  z: on }
          |                                         ^^
          = help: write `true`, or "on" if text is meant"#]],
    );
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "only read")]
struct Flow {
    title: String,
    number: u8,
    #[serde(default)]
    transitions: BTreeMap<String, Move>,
    #[serde(default)]
    choice: Option<Pick>,
    #[serde(default)]
    teams: Vec<Team>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "only read")]
struct Move {
    to: String,
    #[serde(default)]
    automatic: bool,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[expect(dead_code, reason = "only read")]
enum Pick {
    Team(String),
    ManagerOf(String),
    Percent(u32),
}

#[expect(
    clippy::needless_pass_by_value,
    reason = "reads as expect![…] at each use"
)]
fn check_read(text: &str, expected: Expect) {
    let (sources, documents, mut diagnostics) = load_text(text);
    let documents = documents.expect("the text is YAML");
    match read::<Flow>(&documents[0], &sources, &mut diagnostics) {
        Some(flow) => expected.assert_eq(&format!("{flow:?}")),
        None => expected.assert_eq(&diagnostics.to_string()),
    }
}

#[test]
fn what_fits_its_type_is_read() {
    check_read(
        "title: \"7\"\nnumber: 7\ntransitions: { start: { to: open, automatic: true } }\nchoice: { manager-of: requester }\nteams: [{ title: Desk }]\n",
        expect![[
            r#"Flow { title: "7", number: 7, transitions: {"start": Move { to: "open", automatic: true }}, choice: Some(ManagerOf("requester")), teams: [Team { title: "Desk", calendar: None, escalation: None }] }"#
        ]],
    );
}

#[test]
fn nearly_right_names_are_suggested_all_at_once() {
    check_read(
        "titel: Incident\nnumber: many\ntransitions:\n  start: { too: open }\n  stop: { to: 5, automatic: \"yes\" }\nchoice: { mangerof: requester }\nteams:\n  - { title: Desk, zone: UTC }\n  - {}\n",
        expect![[r#"
            error[unknown-key]: unknown key `titel`, did you mean `title`?
             --> workflows/incident.yaml:1:1
              |
            1 | titel: Incident
              | ^^^^^

            error[type]: expected a whole number from 0 to 255, found the text "many"
             --> workflows/incident.yaml:2:9
              |
            2 | number: many
              |         ^^^^

            error[unknown-key]: unknown key `too`, did you mean `to`?
             --> workflows/incident.yaml:4:12
              |
            4 |   start: { too: open }
              |            ^^^

            error[type]: expected text, found the number 5
             --> workflows/incident.yaml:5:15
              |
            5 |   stop: { to: 5, automatic: "yes" }
              |               ^
              = help: if text is meant, put it in quotes

            error[type]: expected `true` or `false`, found the text "yes"
             --> workflows/incident.yaml:5:29
              |
            5 |   stop: { to: 5, automatic: "yes" }
              |                             ^^^^^

            error[unknown-word]: unknown word `mangerof`, did you mean `manager-of`?
             --> workflows/incident.yaml:6:11
              |
            6 | choice: { mangerof: requester }
              |           ^^^^^^^^

            error[unknown-key]: unknown key `zone`
             --> workflows/incident.yaml:8:20
              |
            8 |   - { title: Desk, zone: UTC }
              |                    ^^^^
              = help: known here: `title`, `calendar`, `escalation`

            error[missing-key]: `title` is missing here
             --> workflows/incident.yaml:9:5
              |
            9 |   - {}
              |     ^^"#]],
    );
    check_read(
        "title: x\nnumber: 300\nchoice: { team: a, percent: 5 }\n",
        expect![[r#"
        error[value]: the number 300 does not fit: expected a whole number from 0 to 255
         --> workflows/incident.yaml:2:9
          |
        2 | number: 300
          |         ^^^

        error[choice]: this is a choice of exactly one key; found `team`, `percent`
         --> workflows/incident.yaml:3:9
          |
        3 | choice: { team: a, percent: 5 }
          |         ^^^^^^^^^^^^^^^^^^^^^^^"#]],
    );
    check_read(
        "title: x\nnumber: 3\nchoice: {}\n",
        expect![[r#"
        error[choice]: this is a choice of exactly one key; found none
         --> workflows/incident.yaml:3:9
          |
        3 | choice: {}
          |         ^^"#]],
    );
    check_read(
        "title: x\nnumber: 3\nchoice: team\ntransitions: []\n",
        expect![[r#"
        error[type]: `team` needs a value: `team: …`
         --> workflows/incident.yaml:3:9
          |
        3 | choice: team
          |         ^^^^

        error[type]: expected a map, found a list
         --> workflows/incident.yaml:4:14
          |
        4 | transitions: []
          |              ^^"#]],
    );
    check_read(
        "[]\n",
        expect![[r#"
        error[type]: expected a map, found a list
         --> workflows/incident.yaml:1:1
          |
        1 | []
          | ^^"#]],
    );
}

#[test]
fn a_byte_within_a_text_has_a_line_and_a_column() {
    let text = "plain: major == true\nsingle: 'a == ''b'' && x'\ndouble: \"a == \\\"é\\\" && x\"\nblock:\n  inner: |\n    first\n      second && x\nfolded: >\n  a\n  x\nlong: \"a\n  x\"\n";
    let (sources, documents, _) = load_text(text);
    let tree = Tree {
        root: documents.expect("YAML").remove(0),
        sources: Arc::new(sources),
    };
    let lines: Vec<&str> = text.lines().collect();
    for path in [
        &["plain"][..],
        &["single"],
        &["double"],
        &["block", "inner"],
    ] {
        let value = tree.root.at(path).and_then(Node::as_text).expect("a text");
        let last = value.trim_end().len() - 1;
        let position = tree.position_in(path, last);
        let line = lines[position.line as usize - 1].trim_end_matches(['"', '\'']);
        assert_eq!(position.column as usize, line.chars().count(), "{path:?}");
    }
    for path in [
        &["folded"][..],
        &["long"],
        &["nowhere"],
        &["block", "nowhere", "deeper"],
    ] {
        assert!(tree.position_in(path, 2).line > 0);
    }
    expect![[r#"
        error[expression]: unknown name `b`
         --> workflows/incident.yaml:2:15
          |
        2 | single: 'a == ''b'' && x'
          |               ^"#]]
    .assert_eq(
        &tree
            .error_in(&["single"], 5, "expression", "unknown name `b`")
            .to_string(),
    );
    expect![[r#"
        error[name]: the key
         --> workflows/incident.yaml:5:3
          |
        5 |   inner: |
          |   ^^^^^"#]]
    .assert_eq(
        &tree
            .error_at_key(&["block", "inner"], "name", "the key")
            .to_string(),
    );
    assert_eq!(
        tree.position(&["block", "nowhere"]).pack,
        PackId::new("itil").ok()
    );
}

/// Values as definitions hold them, with texts that are hard to write down.
fn values() -> impl Strategy<Value = serde_json::Value> {
    let text = prop_oneof![
        "[ -~éß€\n\"'\\\\]{0,12}",
        "(on|null|08:00|010|1e5|a: b|# c|- x|true| x|x |\\|)",
        any::<String>()
    ];
    let leaf = prop_oneof![
        any::<bool>().prop_map(serde_json::Value::from),
        any::<i64>().prop_map(serde_json::Value::from),
        (-1.0e9..1.0e9).prop_map(serde_json::Value::from),
        text.clone().prop_map(serde_json::Value::from),
    ];
    leaf.prop_recursive(5, 40, 5, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(serde_json::Value::from),
            prop::collection::vec((text.clone(), inner), 0..4)
                .prop_map(|entries| serde_json::Value::Object(entries.into_iter().collect())),
        ]
    })
}

fn to_node(value: &serde_json::Value, span: Span) -> Node {
    let kind = match value {
        serde_json::Value::Null => Kind::Null,
        serde_json::Value::Bool(value) => Kind::Boolean(*value),
        serde_json::Value::Number(number) => number.as_i64().map_or_else(
            || Kind::Number(number.as_f64().expect("finite")),
            Kind::Integer,
        ),
        serde_json::Value::String(text) => Kind::Text {
            value: text.clone(),
            style: Style::Plain,
        },
        serde_json::Value::Array(items) => {
            Kind::List(items.iter().map(|item| to_node(item, span)).collect())
        }
        serde_json::Value::Object(map) => Kind::Map(
            map.iter()
                .map(|(key, value)| {
                    (
                        key.clone(),
                        Entry {
                            key: span,
                            value: to_node(value, span),
                        },
                    )
                })
                .collect(),
        ),
    };
    Node { span, kind }
}

proptest! {
    #[test]
    fn what_is_written_reads_back(value in values()) {
        let mut sources = Sources::new();
        let span = Span::start_of(sources.add("x", None, ""));
        let text = emit(&to_node(&value, span));
        let (_, documents, diagnostics) = load_text(&text);
        prop_assert!(documents.is_some(), "{text}\n{diagnostics}");
        prop_assert_eq!(documents.expect("checked")[0].to_json(), value, "{}", text);
    }

    #[test]
    fn no_text_breaks_the_loader(text in prop_oneof![any::<String>(), "[-a:{}\\[\\]#|>&*!?'\", \n0-9~<.%@`]{0,60}"]) {
        let (sources, documents, diagnostics) = load_text(&text);
        prop_assert_eq!(documents.is_none(), !diagnostics.is_empty());
        let _ = diagnostics.to_string();
        for document in documents.unwrap_or_default() {
            let _ = read::<Flow>(&document, &sources, &mut Diagnostics::new());
            let again = load_text(&emit(&document)).1.expect("what is written reads back");
            prop_assert_eq!(again[0].to_json(), document.to_json());
            let tree = Tree { root: document, sources: Arc::new(sources.clone()) };
            for key in tree.root.as_map().into_iter().flat_map(|map| map.keys()) {
                for offset in 0..20 {
                    let _ = tree.position_in(&[key], offset);
                }
            }
        }
    }
}
