//! Who gets which work, and what people are told about it.

use std::time::Duration;

use serde_json::{Value as Json, json};
use servicewright_sdk::testing::{self, Desk, NOW};

use super::*;

fn desk() -> Desk {
    let hour = Duration::from_hours(1);
    Desk::new()
        .member(
            "service-desk",
            Member::new("ann")
                .skills(["access", "software"])
                .open_records(4),
        )
        .member(
            "service-desk",
            Member::new("bea").skills(["access"]).open_records(2),
        )
        .member(
            "service-desk",
            Member::new("cai")
                .skills(["access"])
                .open_records(0)
                .on_shift(false),
        )
        .member(
            "network",
            Member::new("dan")
                .skills(["network", "firewall"])
                .open_records(1)
                .last_assigned_at(NOW - hour),
        )
        .member(
            "network",
            Member::new("eve")
                .skills(["network"])
                .open_records(1)
                .last_assigned_at(NOW - 2 * hour),
        )
        .thing("service", "mail", [("team", "network")])
}

fn incident() -> Record {
    testing::record("incident")
}

fn route_with(settings: &Json, desk: Desk, record: &Record) -> Assignment {
    let _desk = desk.install();
    SkillsRouter::route(&testing::call(settings), record).unwrap()
}

fn check(settings: &Json, record: &Record, team: &str, assignee: Option<&str>, reason: &str) {
    let expected = Assignment {
        team: team.to_owned(),
        assignee: assignee.map(str::to_owned),
        reason: reason.to_owned(),
    };
    assert_eq!(route_with(settings, desk(), record), expected);
}

#[test]
fn the_least_loaded_on_shift_gets_it() {
    check(
        &json!({}),
        &incident(),
        "service-desk",
        Some("bea"),
        "Team service-desk, since nothing says otherwise; of 2 people who may take it, on shift, \
         bea has the fewest open records, 2.",
    );
}

#[test]
fn a_category_that_somebody_knows_narrows_the_choice() {
    check(
        &json!({}),
        &incident().with("category", "software"),
        "service-desk",
        Some("ann"),
        "Team service-desk, since nothing says otherwise; ann is the only one who knows software, \
         on shift.",
    );
}

#[test]
fn a_category_that_only_another_team_knows_goes_there() {
    check(
        &json!({}),
        &incident().with("category", "network"),
        "network",
        Some("eve"),
        "Team network, since it has somebody who knows network; of 2 people who know network, on \
         shift, eve has the fewest open records, 1.",
    );
}

#[test]
fn a_category_that_nobody_knows_is_no_skill() {
    let routed = route_with(&json!({}), desk(), &incident().with("category", "other"));
    assert_eq!(routed.assignee.as_deref(), Some("bea"));
}

#[test]
fn the_team_of_the_service_sees_to_it_whatever_the_category() {
    let record = incident()
        .with("service", "mail")
        .with("category", "software");
    check(
        &json!({ "prefer": "round-robin" }),
        &record,
        "network",
        Some("eve"),
        "Team network, since it looks after the service; of 2 people who may take it, on shift, it \
         is the turn of eve.",
    );
}

#[test]
fn a_field_says_the_team_and_the_skills() {
    let settings = json!({
        "teams": { "category": { "network": "network" } },
        "skills": { "symptom": { "blocked": ["firewall"] } }
    });
    let record = incident()
        .with("category", "network")
        .with("symptom", "blocked");
    check(
        &settings,
        &record,
        "network",
        Some("dan"),
        "Team network, since category is network; dan is the only one who knows firewall and \
         network, on shift.",
    );
}

#[test]
fn a_needed_skill_leads_away_from_the_team_that_lacks_it() {
    let record = incident().with("skills", ["firewall"]);
    let routed = route_with(&json!({}), desk(), &record);
    assert_eq!(routed.team, "network");
    assert_eq!(routed.assignee.as_deref(), Some("dan"));
}

#[test]
fn a_skill_that_nobody_has_leaves_it_to_the_team() {
    check(
        &json!({}),
        &incident().with("skills", ["cobol"]),
        "service-desk",
        None,
        "Team service-desk, since nothing says otherwise, which has nobody who knows cobol.",
    );
}

#[test]
fn whoever_worked_on_it_last_goes_on_while_on_shift() {
    let mut reopened = incident();
    reopened.team = Some("service-desk".to_owned());
    reopened.assignee = Some("ann".to_owned());
    check(
        &json!({}),
        &reopened,
        "service-desk",
        Some("ann"),
        "ann worked on it last and is on shift.",
    );
    reopened.assignee = Some("cai".to_owned());
    let routed = route_with(&json!({}), desk(), &reopened);
    assert_eq!(routed.assignee.as_deref(), Some("bea"));
    reopened.assignee = Some("ann".to_owned());
    let routed = route_with(&json!({ "keep_assignee": false }), desk(), &reopened);
    assert_eq!(routed.assignee.as_deref(), Some("bea"));
}

#[test]
fn nobody_gets_what_they_asked_for_themselves() {
    let mut own = incident();
    own.requester = Some("bea".to_owned());
    let routed = route_with(&json!({}), desk(), &own);
    assert_eq!(routed.assignee.as_deref(), Some("ann"));
}

#[test]
fn with_nobody_on_shift_it_waits_unless_told_otherwise() {
    let night = || Desk::new().member("service-desk", Member::new("ann").on_shift(false));
    let routed = route_with(&json!({}), night(), &incident());
    assert_eq!(routed.assignee, None);
    assert_eq!(
        routed.reason,
        "Team service-desk, since nothing says otherwise, which has nobody on shift who may take it."
    );
    let routed = route_with(&json!({ "off_shift": "assign" }), night(), &incident());
    assert_eq!(routed.assignee.as_deref(), Some("ann"));
}

#[test]
fn whoever_has_enough_to_do_gets_no_more() {
    let routed = route_with(&json!({ "max_open_records": 2 }), desk(), &incident());
    assert_eq!(routed.assignee, None);
    assert_eq!(
        routed.reason,
        "Team service-desk, since nothing says otherwise, which has nobody with room for more who \
         may take it."
    );
}

#[test]
fn a_team_alone_can_be_asked_for() {
    check(
        &json!({ "assign": "team" }),
        &incident(),
        "service-desk",
        None,
        "Team service-desk, since nothing says otherwise.",
    );
}

#[test]
fn who_was_never_given_anything_comes_first_and_then_the_alphabet() {
    let hour = Duration::from_hours(1);
    let desk = || {
        Desk::new()
            .member("service-desk", Member::new("zoe"))
            .member("service-desk", Member::new("yan"))
            .member(
                "service-desk",
                Member::new("ann").last_assigned_at(NOW - hour),
            )
    };
    for prefer in ["least-loaded", "round-robin"] {
        let routed = route_with(&json!({ "prefer": prefer }), desk(), &incident());
        assert_eq!(routed.assignee.as_deref(), Some("yan"));
    }
}

#[test]
fn the_schema_says_the_defaults_that_hold() {
    let schema = include_str!("../settings.schema.json");
    let said: Settings = serde_json::from_value(testing::schema_defaults(schema)).unwrap();
    assert_eq!(format!("{said:?}"), format!("{:?}", Settings::default()));
}
