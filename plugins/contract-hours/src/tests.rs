//! Who is promised what.

use std::time::Duration;

use serde_json::{Value as Json, json};
use servicewright_sdk::directory::Person;
use servicewright_sdk::testing::{self, Desk};

use super::*;

fn desk() -> Desk {
    let mut important = Person::new("vera").organisation("acme");
    important.name = "Vera".to_owned();
    important.facts.set("vip", true);
    Desk::new()
        .person(Person::new("ann").organisation("acme"))
        .person(important)
        .person(Person::new("bob").organisation("walk-in"))
        .thing("organisation", "acme", [("contract", "c-1")])
        .thing("organisation", "night", [("contract", "c-2")])
        .thing("organisation", "walk-in", [("name", "Walk-in")])
        .thing("organisation", "lost", [("contract", "c-9")])
        .thing("contract", "c-1", [("tier", "gold")])
        .thing(
            "contract",
            "c-2",
            [("tier", "silver"), ("calendar", "nights")],
        )
}

fn incident(requester: &str, priority: &str) -> Record {
    let mut incident = testing::record("incident").with("priority", priority);
    incident.requester = Some(requester.to_owned());
    incident
}

fn targets_with(settings: &Json, record: &Record) -> service_level::Result<Vec<Target>> {
    let _desk = desk().install();
    let agreement = Agreement::new("contract", &["resolution"], "office");
    ContractHours::targets(&testing::call(settings), record, &agreement)
}

fn only_target(settings: &Json, record: &Record) -> Target {
    let mut targets = targets_with(settings, record).unwrap();
    assert_eq!(targets.len(), 1);
    targets.remove(0)
}

fn message(settings: &Json, record: &Record) -> String {
    targets_with(settings, record).unwrap_err().to_string()
}

#[test]
fn the_tier_and_the_priority_give_the_goal() {
    let target = only_target(&json!({}), &incident("ann", "p2"));
    assert_eq!(
        target,
        Target {
            id: "resolution".to_owned(),
            goal: Goal::within(Duration::from_hours(8), "office"),
            warn_at_percent: vec![50, 90],
            reason: "The resolution of p2 is due within PT8H of office: contract c-1 is gold."
                .to_owned(),
        }
    );
}

#[test]
fn only_what_is_asked_is_answered() {
    let _desk = desk().install();
    let call = testing::call(&json!({}));
    let record = incident("ann", "p1");
    let ask = |targets: &[&str]| {
        let agreement = Agreement::new("contract", targets, "office");
        ContractHours::targets(&call, &record, &agreement)
    };
    let ids = |targets: Vec<Target>| -> Vec<String> {
        targets.into_iter().map(|target| target.id).collect()
    };
    let both = ["response", "resolution"];
    assert_eq!(ids(ask(&both).unwrap()), both);
    assert_eq!(ids(ask(&["closure"]).unwrap()), [""; 0]);
}

#[test]
fn the_customer_of_the_record_comes_before_the_requesters_organisation() {
    let target = only_target(&json!({}), &incident("ann", "p1").with("customer", "night"));
    assert_eq!(target.goal, Goal::within(Duration::from_hours(8), "nights"));
}

#[test]
fn a_very_important_person_counts_as_a_priority_higher() {
    let target = only_target(&json!({}), &incident("vera", "p2"));
    assert_eq!(target.goal, Goal::within(Duration::from_hours(4), "office"));
    assert_eq!(
        target.reason,
        "The resolution of p2 counted as p1 is due within PT4H of office: contract c-1 is gold, and \
         Vera is very important."
    );
    // Nothing is above the highest.
    let highest = only_target(&json!({}), &incident("vera", "p1"));
    assert_eq!(highest.goal, target.goal);
    let settings = json!({ "vip": { "raise": 0, "calendar": "always" } });
    let target = only_target(&settings, &incident("vera", "p2"));
    assert_eq!(target.goal, Goal::within(Duration::from_hours(8), "always"));
}

#[test]
fn a_desk_sets_its_own_tiers_hours_and_warnings() {
    let settings = json!({
        "tiers": { "gold": {
            "urgent": { "resolution": "PT2H" },
            "any": { "resolution": "P1D" }
        } },
        "calendars": { "gold": "always" },
        "priority_field": "severity",
        "warn_at_percent": [80, 50, 80]
    });
    let record = |severity: &str| incident("ann", "p1").with("severity", severity);
    let target = only_target(&settings, &record("urgent"));
    assert_eq!(target.goal, Goal::within(Duration::from_hours(2), "always"));
    assert_eq!(target.warn_at_percent, [50, 80]);
    let target = only_target(&settings, &record("dull"));
    assert_eq!(
        target.goal,
        Goal::within(Duration::from_hours(24), "always")
    );
}

#[test]
fn without_a_contract_the_default_tier_applies_where_there_is_one() {
    assert_eq!(
        message(&json!({}), &incident("bob", "p1")),
        "invalid input: `walk-in` has no contract"
    );
    assert_eq!(
        message(&json!({}), &incident("nobody-knows", "p1")),
        "invalid input: nobody knows whose contract applies"
    );
    let target = only_target(&json!({ "default_tier": "bronze" }), &incident("bob", "p1"));
    assert_eq!(
        target.reason,
        "The resolution of p1 is due within PT16H of office: `walk-in` has no contract, so that \
         bronze applies."
    );
}

#[test]
fn what_is_not_settled_is_an_error_that_says_so() {
    assert_eq!(
        message(&json!({}), &incident("ann", "p1").with("customer", "lost")),
        "invalid input: the contract `c-9` is not in the directory"
    );
    assert_eq!(
        message(&json!({ "tiers": {} }), &incident("ann", "p1")),
        "misconfigured: `tiers` does not say what gold is"
    );
    assert_eq!(
        message(&json!({}), &incident("ann", "p9")),
        "misconfigured: `tiers.gold` does not say what p9 gets"
    );
    assert_eq!(
        message(
            &json!({}),
            &incident("ann", "p1").with("priority", None::<&str>)
        ),
        "invalid input: field `priority` must be a text, and is empty"
    );
}

#[test]
fn the_schema_says_the_defaults_that_hold() {
    let schema = include_str!("../settings.schema.json");
    let said: Settings = serde_json::from_value(testing::schema_defaults(schema)).unwrap();
    assert_eq!(format!("{said:?}"), format!("{:?}", Settings::default()));
}
