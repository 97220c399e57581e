//! What compiled definitions are like: orders, defaults, forms, and versions of before.

use std::collections::BTreeMap;
use std::sync::Arc;

use model::Digest;
use model::id::{PackId, WorkflowId};
use serde_json::json;

use super::{
    CalendarChoice, Computed, Definitions, Effect, Fault, Installable, Names, Right, Slot,
    Workflow, definitions, service_level, workflow,
};
use crate::expression::Type;
use crate::pack::Pack;

fn compile(source: &serde_json::Value, names: &Names) -> Result<Workflow, Vec<Fault>> {
    let id = WorkflowId::new("test").expect("an id");
    let pack = PackId::new("test").expect("an id");
    let source = serde_json::from_value(source.clone()).expect("a workflow");
    workflow(
        &id,
        Digest::default(),
        &pack,
        chrono_tz::UTC,
        &source,
        names,
    )
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
    let order: Vec<&str> = compiled.tables.keys().map(AsRef::as_ref).collect();
    assert_eq!(order, ["one", "two", "three"]);
    assert!(compiled.tables["three"].reads_beyond_fields);
    assert!(!compiled.tables["two"].reads_beyond_fields);
    assert_eq!(
        compiled.tables["two"]
            .reads
            .iter()
            .map(AsRef::as_ref)
            .collect::<Vec<_>>(),
        ["first"]
    );
    assert!(matches!(
        compiled.tables["one"].rows[0].then[0].1.literal(),
        Some(model::Value::Text(text)) if text == "x"
    ));
    let circle = faults(&json!({
        "fields": fields,
        "tables": { "three": table("third", "given"), "two": table("second", "first == 'x'"), "one": table("first", "second == 'x'") },
    }));
    assert_eq!(
        circle,
        ["Workflow test: tables.two: these tables wait for each other's decision: two → one → two"]
    );
}

#[test]
fn fields_are_computed_after_those_they_read_and_keep_their_order() {
    let compiled = sound(
        &json!({ "fields": {
        "total": { "type": "number", "value": "net + tax" },
        "tax": { "type": "number", "value": "double(net) * 0.2" },
        "net": { "type": "integer", "default": 5 },
    } })
        .clone(),
    );
    assert_eq!(
        compiled
            .computed
            .iter()
            .map(AsRef::as_ref)
            .collect::<Vec<_>>(),
        ["tax", "total"]
    );
    assert_eq!(
        compiled
            .fields
            .keys()
            .map(AsRef::as_ref)
            .collect::<Vec<_>>(),
        ["total", "tax", "net"]
    );
    assert_eq!(compiled.fields["net"].default, model::Value::Integer(5));
}

#[test]
fn a_form_refines_fields_and_asks_for_inputs_and_for_the_records_own() {
    let compiled = sound(&json!({
        "fields": {
            "summary": { "type": "string", "maxLength": 200, "label": "What?" },
            "impact": { "options": { "low": { "label": "One" }, "high": {} }, "default": "low" },
        },
        "create": { "begin": { "to": "open", "form": {
            "summary": { "required": true, "minLength": 3 },
            "impact": { "options": { "high": {} }, "default": "high" },
            "requester": { "label": "For whom?" },
            "why": { "type": "string" },
        }, "require": { "said": { "when": "input.why != null && input.requester != 'root' && input.impact == 'high'", "say": "Why?" } } } },
    }));
    let form = &compiled.create["begin"].form;
    assert_eq!(form["summary"].field.label, "What?");
    assert!(form["summary"].required && !form["impact"].required);
    assert!(form["summary"].field.accept(&json!("ab")).is_err());
    assert!(
        form["summary"]
            .field
            .accept(&json!("x".repeat(201)))
            .is_err()
    );
    assert!(form["impact"].field.accept(&json!("low")).is_err());
    assert_eq!(form["impact"].field.default, model::Value::from("high"));
    assert_eq!(form["requester"].slot, Some(Slot::Requester));
    assert_eq!(form["requester"].field.label, "For whom?");
    assert_eq!(form["why"].slot, None);
}

#[test]
fn a_form_makes_no_field_something_else() {
    let form = |asked: serde_json::Value| {
        faults(&json!({
            "fields": {
                "summary": { "type": "string" },
                "impact": { "options": { "low": {}, "high": {} } },
                "twice": { "type": "integer", "value": "2" },
            },
            "create": { "begin": { "to": "open", "form": asked } },
        }))
    };
    assert_eq!(
        form(json!({ "summary": { "type": "integer" } })),
        [
            "Workflow test: create.begin.form.summary.type: `summary` is text; a form can refine it, not make it something else"
        ]
    );
    assert_eq!(
        form(json!({ "impact": { "options": { "hihg": {} } } })),
        [
            "Workflow test: create.begin.form.impact.options.hihg: there is no option of the field `impact` `hihg` (did you mean `high`?)"
        ]
    );
    assert_eq!(
        form(json!({ "twice": {} })),
        ["Workflow test: create.begin.form.twice: `twice` is computed; no form can ask for it"]
    );
    assert_eq!(
        form(json!({ "record": { "type": "string" } })),
        [
            "Workflow test: create.begin.form.record: no input can be called `record`, which names something of every record or expression"
        ]
    );
}

#[test]
fn things_of_the_directory_are_set_by_their_ids_and_read_as_objects() {
    let parts = |set: &str| {
        json!({
            "fields": { "service": { "ref": "service" }, "other": { "ref": "service" }, "owner": { "type": "string", "value": "service.owner" } },
            "anywhere": { "move": { "permit": { "anyone": true }, "set": { "other": { "cel": set }, "assignee": { "cel": "actor.id" } } } },
        })
    };
    let compiled = sound(&parts("service.id"));
    assert!(matches!(
        compiled.anywhere["move"].set[1],
        (Slot::Assignee, Computed::Expression(_))
    ));
    assert_eq!(
        faults(&parts("service")),
        [
            "Workflow test: anywhere.move.set.other.cel: this gives an object (service), but text is wanted (its id is wanted: service.id)"
        ]
    );
    assert_eq!(
        compile(&with(&json!({ "fields": { "service": { "ref": "service" }, "x": { "type": "boolean", "value": "service.onwer == null" } } })), &Names::default())
            .expect_err("a slip")[0]
            .rule,
        "unknown-name"
    );
}

#[test]
fn a_version_of_before_may_name_what_has_gone() {
    let parts = with(&json!({
        "see": { "gone": true },
        "fields": { "due": { "type": "string", "format": "date-time" } },
        "routing": { "by": { "plugin": "gone" }, "fallback": { "team": "gone" } },
        "anywhere": { "move": {
            "permit": { "gone": "record.team == 'gone'" },
            "require": { "open": { "when": "!open('gone', due)", "say": "No." } },
            "effects": { "tell": { "notice": "gone" }, "make": { "create": { "workflow": "gone", "set": { "x": 1 } } } },
        } },
        "timers": { "late": { "wait": { "business": "PT1H", "calendar": "gone" }, "effects": { "tell": { "notice": "gone" } } } },
    }));
    let strict = compile(&parts, &Names::default()).expect_err("nothing of it is known");
    assert_eq!(strict.len(), 9, "{strict:?}");
    let names = Names::default().for_old_versions();
    let compiled = compile(&parts, &names).unwrap_or_else(|faults| panic!("{faults:?}"));
    assert!(matches!(compiled.see.0[0].right, Right::Role(_)));
    assert!(matches!(
        compiled.anywhere["move"].effects["make"],
        Effect::Create { .. }
    ));
}

#[test]
fn what_expressions_see_of_fields() {
    let compiled = sound(&json!({ "fields": {
        "impact": { "options": { "low": {} } },
        "several": { "type": "array", "ref": "service" },
        "asset": { "ref": "printer" },
        "day": { "type": "string", "format": "date" },
    } }));
    let seen = |field: &str| compiled.fields[field].term_type();
    assert_eq!(seen("impact"), Type::options(["low"]).nullable());
    assert_eq!(seen("several"), Type::Text.list().nullable());
    assert_eq!(seen("asset"), Type::Any);
    assert_eq!(seen("day"), Type::Text.nullable());
}

/// The shipped pack, its components told by their files' names.
fn shipped() -> Installable {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../packs/itil");
    let pack = Pack::read(&crate::lint::tests::folder(&root)).expect("the pack reads");
    Installable::of_pack(&pack, |id, _| Digest::of(id.as_str().as_bytes()))
}

fn compiled(installable: &Installable) -> Definitions {
    definitions(installable).unwrap_or_else(|faults| panic!("{faults:?}"))
}

#[test]
fn what_is_stored_compiles_to_what_was_installed() {
    let installable = shipped();
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../packs/itil");
    let pack = Pack::read(&crate::lint::tests::folder(&root)).expect("the pack reads");
    let stored: BTreeMap<Digest, String> = pack
        .canonical_forms()
        .map(|(digest, text)| (digest, text.to_owned()))
        .collect();
    let digest = Digest::of(b"configuration");
    let read = Installable::stored(digest, &installable.configuration(), |digest| {
        stored.get(digest).cloned()
    })
    .expect("all is stored");
    let (first, second) = (compiled(&installable), compiled(&read));
    assert_eq!(second.digest, digest);
    for (id, workflow) in &first.workflows {
        let again: &Arc<Workflow> = &second.workflows[id];
        assert_eq!(
            format!("{:?}", workflow.states),
            format!("{:?}", again.states)
        );
        assert_eq!(
            format!("{:?}", workflow.tables),
            format!("{:?}", again.tables)
        );
    }
    assert_eq!(first.service_levels.len(), second.service_levels.len());
    let missing = Installable::stored(digest, &installable.configuration(), |_| None)
        .expect_err("nothing is stored");
    assert!(
        missing
            .to_string()
            .contains("is not stored under its digest"),
        "{missing}"
    );
}

#[test]
fn clocks_of_an_old_service_level_outlive_the_fields_they_read() {
    let installable = shipped();
    let all = compiled(&installable);
    let (id, version) = installable
        .service_levels
        .iter()
        .find(|(id, _)| id.as_str() == "standard")
        .expect("shipped");
    let without_priority = sound(&json!({ "fields": { "other": { "type": "string" } } }));
    let incident = WorkflowId::new("incident").expect("an id");
    let changed = Workflow {
        id: incident,
        ..without_priority
    };
    let strict = service_level(
        id,
        version.digest,
        chrono_tz::UTC,
        &version.definition,
        |_| Some(&changed),
        &all.names,
    );
    assert!(strict.is_err());
    let names = all.names.clone().for_old_versions();
    let level = service_level(
        id,
        version.digest,
        chrono_tz::UTC,
        &version.definition,
        |_| Some(&changed),
        &names,
    )
    .unwrap_or_else(|faults| panic!("{faults:?}"));
    assert!(matches!(level.calendar, CalendarChoice::Expression(_)));
    assert_eq!(level.targets.len(), 2);
}

#[test]
fn what_is_larger_is_several_workflows() {
    let fields: serde_json::Map<_, _> = (0..501)
        .map(|n| (format!("f{n}"), json!({ "type": "string" })))
        .collect();
    assert_eq!(
        faults(&json!({ "fields": fields })),
        ["Workflow test: fields: the workflow has 501 fields; 500 is the most"]
    );
}
