//! What compiled definitions are like: orders, defaults, forms, and versions of before.

use std::collections::BTreeMap;
use std::sync::Arc;

use model::Digest;
use model::id::{PackId, WorkflowId};
use serde_json::json;

use super::{
    CalendarChoice, Computed, Definitions, Effect, Fault, Installable, Names, Right, Slot, Workflow,
    definitions, service_level, workflow,
};
use crate::expression::Type;
use crate::pack::Pack;

fn compile(source: &serde_json::Value, names: &Names) -> Result<Workflow, Vec<Fault>> {
    let id = WorkflowId::new("test").expect("an id");
    let pack = PackId::new("test").expect("an id");
    let source = serde_json::from_value(source.clone()).expect("a workflow");
    workflow(&id, Digest::default(), &pack, chrono_tz::UTC, &source, names)
}

/// A workflow with these parts beside the least that it needs.
fn with(parts: &serde_json::Value) -> serde_json::Value {
    let mut whole = json!({
        "title": "Test",
        "number": "TST",
        "create": { "begin": { "to": "open" } },
        "states": { "open": { "category": "open" } },
    });
    for (key, part) in parts.as_object().expect("an object") {
        whole[key] = part.clone();
    }
    whole
}

fn sound(parts: &serde_json::Value) -> Workflow {
    compile(&with(parts), &Names::default()).unwrap_or_else(|faults| panic!("{faults:?}"))
}

fn faults(parts: &serde_json::Value) -> Vec<String> {
    let faults = compile(&with(parts), &Names::default()).expect_err("a fault");
    faults.iter().map(ToString::to_string).collect()
}

#[test]
fn tables_come_after_those_that_decide_what_they_read() {
    let table = |gives: &str, when: &str| {
        json!({
            "hit": "first",
            "gives": { gives: true },
            "rows": { "some": { "when": when, "then": { gives: "x" } }, "rest": { "when": "true", "then": { gives: "y" } } },
        })
    };
    let options = |table: &str| json!({ "options": { "x": {}, "y": {} }, "decided-by": table });
    let fields = json!({ "first": options("one"), "second": options("two"), "third": options("three"), "given": { "type": "boolean" } });
    let compiled = sound(&json!({
        "fields": fields,
        "tables": {
            "three": table("third", "second == 'x' && record.state == 'open'"),
            "two": table("second", "first == 'x'"),
            "one": table("first", "given"),
        },
    }));
    let order: Vec<&str> = compiled.tables.keys().map(|id| id.as_str()).collect();
    assert_eq!(order, ["one", "two", "three"]);
    assert!(compiled.tables["three"].reads_beyond_fields);
    assert!(!compiled.tables["two"].reads_beyond_fields);
    assert_eq!(compiled.tables["two"].reads.iter().map(|id| id.as_str()).collect::<Vec<_>>(), ["first"]);
    assert!(matches!(
        compiled.tables["one"].rows[0].then[0].1.literal(),
        Some(model::Value::Text(text)) if text == "x"
    ));
    let circle = faults(&json!({
        "fields": fields,
        "tables": { "three": table("third", "given"), "two": table("second", "first == 'x'"), "one": table("first", "second == 'x'") },
    }));
    assert_eq!(circle, ["Workflow test: tables.two: these tables wait for each other's decision: two → one → two"]);
}

#[test]
fn fields_are_computed_after_those_they_read_and_keep_their_order() {
    let compiled = sound(&json!({ "fields": {
        "total": { "type": "integer", "value": "net + tax" },
        "tax": { "type": "number", "value": "double(net) * 0.2" },
        "net": { "type": "integer", "default": 5 },
    } }).clone());
    assert_eq!(compiled.computed.iter().map(|id| id.as_str()).collect::<Vec<_>>(), ["tax", "total"]);
    assert_eq!(compiled.fields.keys().map(|id| id.as_str()).collect::<Vec<_>>(), ["total", "tax", "net"]);
    assert_eq!(compiled.fields["net"].default, model::Value::Integer(5));
}
