//! The laws of merging, and what `--explain` shows.

#![allow(
    clippy::needless_raw_string_hashes,
    reason = "expect-test writes its texts so"
)]

use expect_test::expect;
use model::id::PackId;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::source::{FileId, emit, load};

fn load_text(sources: &mut Sources, pack: &str, text: &str) -> Node {
    let file: FileId = sources.add(&format!("{pack}.yaml"), PackId::new(pack).ok(), text);
    let mut diagnostics = Diagnostics::new();
    let documents = load(sources, file, &mut diagnostics);
    documents
        .unwrap_or_else(|| panic!("{diagnostics}"))
        .remove(0)
}

/// Lays one JSON value over another; the result, and what was found wrong.
fn merged(base: &Value, patch: &Value) -> (Value, Diagnostics) {
    let mut sources = Sources::new();
    let mut root = load_text(&mut sources, "base", &base.to_string());
    let patch = load_text(&mut sources, "patch", &patch.to_string());
    let mut diagnostics = Diagnostics::new();
    merge(
        DefinitionKind::Team,
        &mut root,
        &patch,
        &sources,
        &mut diagnostics,
    );
    (root.to_json(), diagnostics)
}

/// RFC 7396, section 2.
fn merge_patch(target: Value, patch: &Value) -> Value {
    let Value::Object(changes) = patch else {
        return patch.clone();
    };
    let Value::Object(mut target) = (if target.is_object() {
        target
    } else {
        json!({})
    }) else {
        unreachable!()
    };
    for (key, change) in changes {
        if change.is_null() {
            target.shift_remove(key);
        } else {
            let below = target.get(key).cloned().unwrap_or_default();
            target.insert(key.clone(), merge_patch(below, change));
        }
    }
    target.into()
}

/// Maps of maps with few keys, so that what is drawn twice often meets; `null` only where asked for.
fn trees(with_null: bool) -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        3 => (0..3i64).prop_map(Value::from),
        1 => Just(json!(["x", 1])),
        1 => Just(if with_null { Value::Null } else { json!("text") }),
    ];
    let map = |inner: BoxedStrategy<Value>| {
        prop::collection::vec(("[a-e]", inner), 0..4)
            .prop_map(|entries| Value::Object(entries.into_iter().collect()))
            .boxed()
    };
    map(leaf
        .boxed()
        .prop_recursive(3, 30, 4, move |inner| map(inner.boxed()))
        .boxed())
}

proptest! {
    #[test]
    fn an_empty_patch_changes_nothing(base in trees(false)) {
        let (after, diagnostics) = merged(&base, &json!({}));
        prop_assert!(diagnostics.is_empty());
        prop_assert_eq!(after.to_string(), base.to_string());
    }

    #[test]
    fn merging_twice_is_merging_once(base in trees(false), patch in trees(false)) {
        let (once, diagnostics) = merged(&base, &patch);
        prop_assert!(diagnostics.is_empty());
        let (twice, _) = merged(&once, &patch);
        prop_assert_eq!(twice.to_string(), once.to_string());
    }

    #[test]
    fn merging_is_that_of_the_standard_where_every_null_removes(base in trees(false), patch in trees(true)) {
        let (after, diagnostics) = merged(&base, &patch);
        if diagnostics.is_empty() {
            prop_assert_eq!(after.to_string(), merge_patch(base, &patch).to_string());
        } else {
            prop_assert!(diagnostics.iter().all(|found| found.rule == "removes-nothing" || found.rule == "null"));
        }
    }
}

#[test]
fn every_line_is_marked_with_its_pack() {
    let mut sources = Sources::new();
    let mut root = load_text(
        &mut sources,
        "itil",
        "kind: Notice\nid: resolved\nto: { requester: true }\nsubject: Done\ntext: |\n  Dear\n  all\n",
    );
    let patch = load_text(
        &mut sources,
        "ours",
        "kind: Notice\nid: resolved\nto: { watcher: true }\nsubject: \"{{ x }}\"\n",
    );
    let mut diagnostics = Diagnostics::new();
    merge(
        DefinitionKind::Notice,
        &mut root,
        &patch,
        &sources,
        &mut diagnostics,
    );
    assert!(diagnostics.is_empty());
    expect![[r#"
        itil | kind: Notice
        itil | id: resolved
        itil | to:
        itil |   requester: true
        ours |   watcher: true
        ours | subject: "{{ x }}"
        itil | text: |
        itil |   Dear
        itil |   all
    "#]]
    .assert_eq(&explain(&root, &sources));
    expect![[r#"
        kind: Notice
        id: resolved
        to:
          requester: true
          watcher: true
        subject: "{{ x }}"
        text: |
          Dear
          all
    "#]]
    .assert_eq(&emit(&root));
}
