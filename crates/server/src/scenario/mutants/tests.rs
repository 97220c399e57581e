//! What is not broken, as no run could tell the difference.

use model::definition::Workflow;
use serde_json::{Value as Json, json};

use super::break_workflow::breaks_of_workflow;
use super::filled::Filled;

fn workflow(said: Json) -> Workflow {
    serde_json::from_value(said).expect("a workflow")
}

/// A fault that is mended with its cause, which gives what it is told to.
fn fault_and_cause(how: &Json) -> [Workflow; 2] {
    let fault = json!({
        "title": "Fault", "number": "FLT", "create": {},
        "fields": { "cure": { "type": "string" } },
        "states": { "open": { "category": "open" }, "over": { "category": "closed", "outcome": "done" } },
        "anywhere": { "mended": { "to": "over", "form": { "cure": { "required": true } } } },
    });
    let cause = json!({
        "title": "Cause", "number": "CSE", "create": {},
        "fields": { "cure": { "type": "string" } },
        "links": { "causes": { "to": { "fault": true }, "inverse": "caused_by" } },
        "states": {
            "known": {
                "category": "open",
                "transitions": {
                    "mend": {
                        "to": "gone",
                        "permit": { "agent": true },
                        "form": { "cure": { "required": how["required"] } },
                        "effects": { "all": { "each": { "link": "causes", "do": "mended", "set": how["set"] } } },
                    },
                },
            },
            "gone": { "category": "closed", "outcome": "done" },
        },
    });
    [workflow(fault), workflow(cause)]
}

fn is_broken(workflow: &Workflow, filled: &Filled, kind: &str, path: &str) -> bool {
    let breaks = breaks_of_workflow(workflow, filled);
    breaks
        .iter()
        .any(|it| it.kind == kind && it.path.join(".") == path)
}

#[test]
fn a_form_that_others_always_fill_may_ask_less() {
    let cases = [
        // What is required there is a value here too.
        (
            json!({ "required": true, "set": { "cure": { "cel": "cure" } } }),
            false,
        ),
        (
            json!({ "required": true, "set": { "cure": "It was replaced." } }),
            false,
        ),
        // These may give none.
        (
            json!({ "required": false, "set": { "cure": { "cel": "cure" } } }),
            true,
        ),
        (
            json!({ "required": true, "set": { "cure": { "cel": "input.cure" } } }),
            true,
        ),
        (json!({ "required": true, "set": { "cure": null } }), true),
        (json!({ "required": true, "set": {} }), true),
    ];
    for (how, broken) in cases {
        let workflows = fault_and_cause(&how);
        let filled = Filled::of_workflows(&workflows);
        let found = is_broken(
            &workflows[0],
            &filled,
            "form not required",
            "anywhere.mended.form.cure.required",
        );
        assert_eq!(found, broken, "{how}");
    }
}

#[test]
fn a_form_that_people_or_time_leave_empty_is_broken() {
    let how = json!({ "required": true, "set": { "cure": "It was replaced." } });
    let path = "anywhere.mended.form.cure.required";
    let [mut fault, cause] = fault_and_cause(&how);
    let alone = Filled::of_workflows(&[fault.clone()]);
    assert!(
        is_broken(&fault, &alone, "form not required", path),
        "nothing takes it"
    );

    let timer = json!({ "wait": { "time": "PT1H" }, "do": "mended" });
    let timer = serde_json::from_value(timer).expect("a timer");
    let id = model::id::TimerId::new("later").expect("an id");
    fault.timers.insert(id, timer);
    let timed = Filled::of_workflows(&[fault.clone(), cause.clone()]);
    assert!(
        is_broken(&fault, &timed, "form not required", path),
        "a timer takes it"
    );

    let [mut fault, cause] = fault_and_cause(&how);
    let permit = serde_json::from_value(json!({ "agent": true })).expect("a permit");
    fault
        .anywhere
        .values_mut()
        .for_each(|it| it.permit.clone_from(&permit));
    let filled = Filled::of_workflows(&[fault.clone(), cause]);
    assert!(
        is_broken(&fault, &filled, "form not required", path),
        "an agent takes it"
    );
}

#[test]
fn an_approval_that_asks_somebody_in_any_case_has_one_way_less() {
    let boss = json!({ "approvers": { "boss": { "role": "boss" } }, "quorum": { "any": true } });
    let mut seldom = boss.clone();
    seldom["when"] = json!("dear");
    let plugin = json!({ "plugin": "advice" });
    let cases = [
        (json!({ "boss": boss }), Json::Null, false),
        (json!({ "boss": seldom }), Json::Null, true),
        (json!({ "boss": seldom }), plugin, false),
    ];
    for (stages, by, broken) in cases {
        let mut approval = json!({ "stages": stages, "then": {
            "approved": "go", "rejected": "stop", "expired": "stop", "unreachable": "stop", "nobody-asked": "stop",
        } });
        if !by.is_null() {
            approval["by"] = by;
        }
        let asked = workflow(json!({
            "title": "Wish", "number": "WSH", "create": {},
            "states": {
                "asked": {
                    "category": "waiting",
                    "approval": approval,
                    "transitions": { "go": { "to": "over" }, "stop": { "to": "over" } },
                },
                "over": { "category": "closed", "outcome": "done" },
            },
        }));
        let path = "states.asked.approval.then.";
        let led = |outcome: &str| {
            let path = format!("{path}{outcome}");
            is_broken(&asked, &Filled::default(), "approval led elsewhere", &path)
        };
        assert_eq!(led("nobody-asked"), broken, "{asked:?}");
        assert!(led("unreachable"));
    }
}
