//! Which changes are standard, which the manager decides and which the board.

use std::time::Duration;

use serde_json::{Value as Json, json};
use servicewright_sdk::directory::Person;
use servicewright_sdk::testing::{self, Desk};
use servicewright_sdk::{Error, TimeLimit};

use super::*;

const DAY: Duration = Duration::from_hours(24);

fn desk() -> Desk {
    Desk::new()
        .person(Person::new("ann").manager("bea"))
        .person(Person::new("cai"))
        .calendar("freeze", [("2026-12-19T00:00:00Z", "2027-01-04T00:00:00Z")])
}

/// A change that nothing speaks against.
fn change() -> Record {
    let mut change = testing::record("normal-change")
        .with("kind", "network")
        .with("impact", "low")
        .with("affected", ["mail"])
        .with("planned_start", "2026-03-01T20:00:00Z")
        .with("planned_end", "2026-03-01T22:00:00Z");
    change.requester = Some("ann".to_owned());
    change
}

fn earlier(number: &str, outcome: &str, days_ago: u32) -> Record {
    let mut earlier = change().with("outcome", outcome);
    earlier.id = Some(number.to_owned());
    earlier.updated_at = testing::NOW - days_ago * DAY;
    earlier
}

fn decide_with(settings: &Json, desk: Desk, change: &Record) -> approval::Result<Verdict> {
    let _desk = desk.install();
    ChangeAdvisory::decide(&testing::call(settings), change, &Request::new("submit"))
}

fn decide(desk: Desk, change: &Record) -> Verdict {
    decide_with(&json!({}), desk, change).unwrap()
}

/// The stages by name, each with its reason.
fn stages(verdict: Verdict) -> Vec<(String, String)> {
    match verdict {
        Verdict::Ask(stages) => stages
            .into_iter()
            .map(|stage| (stage.id, stage.reason))
            .collect(),
        other => panic!("nobody is asked: {other:?}"),
    }
}

fn names(verdict: Verdict) -> Vec<String> {
    stages(verdict).into_iter().map(|(name, _)| name).collect()
}

#[test]
fn a_change_nothing_speaks_against_is_standard() {
    let reason = "A standard change: the impact is low, one service is affected, its window is \
                  clear of any freeze and none of its kind has failed in 180 days.";
    assert_eq!(
        decide(desk(), &change()),
        Verdict::Approve(reason.to_owned())
    );
}

#[test]
fn a_medium_impact_is_for_the_manager() {
    let verdict = decide(desk(), &change().with("impact", "medium"));
    let expected = Stage::new(
        "manager",
        [Approver::user("bea")],
        "The requester's manager is asked because the impact is medium.",
    )
    .quorum(Quorum::Any)
    .timeout(TimeLimit::of(3 * DAY));
    assert_eq!(verdict, Verdict::Ask(vec![expected]));
}

#[test]
fn a_high_impact_is_for_the_manager_and_then_half_of_the_board() {
    let Verdict::Ask(stages) = decide(desk(), &change().with("impact", "high")) else {
        panic!("nobody is asked");
    };
    let [manager, board] = stages.as_slice() else {
        panic!("not two stages: {stages:?}");
    };
    assert_eq!(manager.id, "manager");
    assert_eq!(board.approvers, [Approver::team("cab")]);
    assert_eq!(board.quorum, Quorum::Percent(50));
    assert_eq!(board.timeout, Some(TimeLimit::of(7 * DAY)));
    assert_eq!(
        board.reason,
        "The board is asked because the impact is high."
    );
}

#[test]
fn many_services_are_for_the_board() {
    let five = change().with("affected", ["mail", "crm", "erp", "web", "vpn"]);
    let asked = stages(decide(desk(), &five));
    assert_eq!(asked.len(), 2);
    assert_eq!(
        asked[1].1,
        "The board is asked because 5 services are affected."
    );
}

#[test]
fn a_window_that_touches_the_freeze_is_for_the_board() {
    let frozen = change()
        .with("planned_start", "2026-12-18T23:00:00Z")
        .with("planned_end", "2026-12-19T01:00:00Z");
    let asked = stages(decide(desk(), &frozen));
    assert_eq!(
        asked[1].1,
        "The board is asked because its window touches the calendar `freeze`."
    );
    // Ending as the freeze begins touches nothing.
    let before = frozen.with("planned_end", "2026-12-19T00:00:00Z");
    assert!(matches!(decide(desk(), &before), Verdict::Approve(_)));
}

#[test]
fn without_a_window_the_manager_is_asked() {
    let unplanned = change().with("planned_end", None::<&str>);
    assert_eq!(names(decide(desk(), &unplanned)), ["manager"]);
}

#[test]
fn past_failures_of_the_same_kind_count() {
    let once = desk().record(earlier("CHG-1", "backed-out", 10));
    assert_eq!(
        stages(decide(once, &change()))[0].1,
        "The requester's manager is asked because one of its kind has failed in 180 days."
    );
    let twice = desk()
        .record(earlier("CHG-1", "backed-out", 10))
        .record(earlier("CHG-2", "failed", 179));
    assert_eq!(names(decide(twice, &change())), ["manager", "cab"]);
}

#[test]
fn what_went_well_or_is_long_ago_or_of_another_kind_does_not_count() {
    let other_kind = earlier("CHG-3", "failed", 1).with("kind", "database");
    let desk = desk()
        .record(earlier("CHG-1", "successful", 1))
        .record(earlier("CHG-2", "failed", 181))
        .record(other_kind);
    assert!(matches!(decide(desk, &change()), Verdict::Approve(_)));
}

#[test]
fn the_workflows_own_rating_is_never_gone_below() {
    let asked = stages(decide(desk(), &change().with("risk", "high")));
    assert_eq!(
        asked[1].1,
        "The board is asked because the workflow rates its risk high."
    );
}

#[test]
fn where_the_manager_is_not_known_or_asks_the_stand_in_is_asked() {
    let mut of_cai = change().with("impact", "medium");
    let desk = || {
        let of_the_actor = Person::new("dan").manager("ann");
        desk().person(of_the_actor)
    };
    for requester in [Some("cai"), Some("dan"), Some("nobody-knows"), None] {
        of_cai.requester = requester.map(str::to_owned);
        let Verdict::Ask(stages) = decide(desk(), &of_cai) else {
            panic!("nobody is asked");
        };
        assert_eq!(stages[0].approvers, [Approver::role("change-manager")]);
    }
}

#[test]
fn where_the_manager_is_not_known_the_board_decides_alone() {
    let mut of_cai = change().with("impact", "high");
    of_cai.requester = Some("cai".to_owned());
    assert_eq!(names(decide(desk(), &of_cai)), ["cab"]);
}

#[test]
fn the_schema_says_the_defaults_that_hold() {
    let schema = include_str!("../settings.schema.json");
    let said: Settings = serde_json::from_value(testing::schema_defaults(schema)).unwrap();
    assert_eq!(format!("{said:?}"), format!("{:?}", Settings::default()));
}

#[test]
fn a_window_the_wrong_way_round_is_refused() {
    let backwards = change().with("planned_end", "2026-03-01T19:00:00Z");
    let error = decide_with(&json!({}), desk(), &backwards).unwrap_err();
    assert_eq!(
        error.message(),
        "the window ends at 2026-03-01T19:00:00Z, and begins only at 2026-03-01T20:00:00Z"
    );
}

#[test]
fn an_impact_that_is_missing_or_not_weighed_is_an_error_that_says_so() {
    let missing = change().with("impact", None::<&str>);
    let error = decide_with(&json!({}), desk(), &missing).unwrap_err();
    assert_eq!(
        error,
        Error::invalid_input("field `impact` must be a text, and is empty")
    );
    let unknown = change().with("impact", "cosmic");
    let error = decide_with(&json!({}), desk(), &unknown).unwrap_err();
    assert_eq!(
        error,
        Error::misconfigured("`points.impact` does not say what `cosmic` weighs")
    );
}

#[test]
fn a_desk_can_set_its_own_names_points_and_people() {
    let settings = json!({
        "fields": { "impact": "severity", "affected": "systems" },
        "points": { "impact": { "minor": 0, "major": 9 } },
        "freeze": false,
        "history": { "same": [] },
        "manager": { "timeout": "PT8H", "calendar": "office" },
        "board": { "team": "change-board", "quorum_percent": 75 },
        "thresholds": { "manager": 5, "board": 20 }
    });
    let change = testing::record("change").with("severity", "major");
    let verdict = decide_with(&settings, Desk::new(), &change).unwrap();
    let Verdict::Ask(stages) = verdict else {
        panic!("nobody is asked");
    };
    assert_eq!(stages.len(), 1);
    let office = TimeLimit::in_calendar(Duration::from_hours(8), "office");
    assert_eq!(stages[0].timeout, Some(office));
}
