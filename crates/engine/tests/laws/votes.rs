//! Votes, exactly.

use proptest::prelude::*;
use serde_json::{Value as Json, json};
use servicewright_engine::Rejection;

use crate::desk::Desk;

const PACK: &str = "kind: Pack\nid: board\nversion: 1.0.0\ntitle: Board\nzone: UTC\nroles: { agent: { title: Agent } }\n";
const TEAM: &str = "kind: Team\nid: cab\ntitle: Board\n";

fn desk(quorum: &str, rejects: &str) -> Desk {
    let workflow = format!(
        "kind: Workflow
id: change
title: Change
number: CHG
see: {{ anyone: true }}
edit: {{ agent: true }}
fields: {{ summary: {{ type: string }} }}
create: {{ ask: {{ to: authorise, permit: {{ anyone: true }} }} }}
states:
  authorise:
    category: waiting
    approval:
      stages: {{ board: {{ approvers: {{ cab: {{ team: cab }} }}, quorum: {quorum}, rejects: {rejects}, timeout: {{ time: P7D }} }} }}
      then: {{ approved: go, rejected: refuse, expired: late, unreachable: lost, nobody-asked: go }}
    transitions:
      go: {{ to: approved }}
      refuse: {{ to: rejected }}
      late: {{ to: expired }}
      lost: {{ to: unreachable }}
  approved: {{ category: closed }}
  rejected: {{ category: closed }}
  expired: {{ category: closed }}
  unreachable: {{ category: closed }}
"
    );
    let mut desk = Desk::new(&[
        ("pack.yaml", PACK),
        ("workflows/change.yaml", &workflow),
        ("teams/cab.yaml", TEAM),
    ]);
    desk.people("cab", &["ada", "ben", "cleo", "dan"]);
    desk
}

#[test]
fn half_of_the_board_approves() {
    let mut desk = desk("{ percent: 50 }", "final");
    desk.create("eve", "change", json!({})).expect("accepted");
    assert_eq!(
        desk.record().approval.as_ref().expect("open").stages[0].needed,
        2
    );
    desk.vote("ada", true).expect("accepted");
    assert_eq!(desk.state(), "authorise");
    desk.vote("ben", true).expect("accepted");
    assert_eq!(desk.state(), "approved");
    assert!(
        matches!(desk.vote("cleo", true), Err(Rejection::NotPossible { .. })),
        "a decided stage takes no votes"
    );
}

#[test]
fn nobody_votes_twice_or_unasked_or_for_themselves() {
    let mut desk = desk("{ all: true }", "final");
    desk.create("ada", "change", json!({})).expect("accepted");
    assert!(
        matches!(desk.vote("ada", true), Err(Rejection::Forbidden { .. })),
        "the requester has no vote"
    );
    assert!(matches!(
        desk.vote("eve", true),
        Err(Rejection::Forbidden { .. })
    ));
    desk.vote("ben", true).expect("accepted");
    assert!(matches!(
        desk.vote("ben", true),
        Err(Rejection::NotPossible { .. })
    ));
    assert_eq!(
        desk.record().approval.as_ref().expect("open").stages[0].needed,
        3
    );
}

#[test]
fn nobody_takes_what_an_approval_is_to_take() {
    let mut desk = desk("{ any: true }", "final");
    desk.create("eve", "change", json!({})).expect("accepted");
    for who in ["eve", "agent", "binding:router"] {
        assert!(
            matches!(
                desk.take(who, "go", json!({})),
                Err(Rejection::Forbidden { .. })
            ),
            "{who}"
        );
    }
}

#[test]
fn the_first_rejection_ends_it_unless_it_may_be_outvoted() {
    let mut finally = desk("{ any: true }", "final");
    finally
        .create("eve", "change", json!({}))
        .expect("accepted");
    finally.vote("ada", false).expect("accepted");
    assert_eq!(finally.state(), "rejected");

    let mut outvoted = desk("{ count: 2 }", "outvoted");
    outvoted
        .create("eve", "change", json!({}))
        .expect("accepted");
    outvoted.vote("ada", false).expect("accepted");
    outvoted.vote("ben", false).expect("accepted");
    assert_eq!(outvoted.state(), "authorise");
    outvoted.vote("cleo", false).expect("accepted");
    assert_eq!(outvoted.state(), "rejected", "approval is out of reach");
}

#[test]
fn who_leaves_takes_the_vote_along_and_never_approves() {
    let mut desk = desk("{ all: true }", "final");
    desk.create("eve", "change", json!({})).expect("accepted");
    for person in ["ada", "ben", "cleo"] {
        desk.vote(person, true).expect("accepted");
    }
    desk.put("user", "dan", &Json::Null);
    desk.directory_changed();
    assert_eq!(
        desk.state(),
        "unreachable",
        "three of four approved, and the fourth can no longer"
    );
}

#[test]
fn a_stage_that_nobody_can_decide_is_unreachable_at_once() {
    let mut desk = desk("{ count: 5 }", "final");
    desk.create("eve", "change", json!({})).expect("accepted");
    assert_eq!(desk.state(), "unreachable");
}

#[test]
fn a_stage_that_is_not_decided_in_time_expires() {
    let mut desk = desk("{ any: true }", "final");
    desk.create("eve", "change", json!({})).expect("accepted");
    let due = desk.record().next_due().expect("a timeout");
    assert_eq!(due.to_string(), "2026-03-09T09:00:00Z");
    desk.wake_until(due);
    assert_eq!(desk.state(), "expired");
}

#[derive(Clone, Debug)]
enum Deed {
    Vote(usize, bool),
    Leave(usize),
    Join(usize),
}

fn deeds() -> impl Strategy<Value = Vec<Deed>> {
    let deed = prop_oneof![
        4 => (0..5usize, any::<bool>()).prop_map(|(person, approves)| Deed::Vote(person, approves)),
        1 => (0..5usize).prop_map(Deed::Leave),
        1 => (0..5usize).prop_map(Deed::Join),
    ];
    prop::collection::vec(deed, 0..25)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// Whatever people do, it is approved only by as many standing votes as were needed as it opened,
    /// each of someone who was entitled then and is still, and no final rejection stands.
    #[test]
    fn only_entitled_votes_approve(deeds in deeds(), quorum in 0..4usize, outvoted in any::<bool>()) {
        let quorum = ["{ all: true }", "{ any: true }", "{ count: 2 }", "{ percent: 60 }"][quorum];
        let mut desk = desk(quorum, if outvoted { "outvoted" } else { "final" });
        let people = ["ada", "ben", "cleo", "dan", "eve"];
        desk.create("eve", "change", json!({})).expect("accepted");
        let needed = desk.record().approval.as_ref().expect("open").stages[0].needed as usize;
        let mut members = vec!["ada", "ben", "cleo", "dan"];
        let mut standing: Vec<(&str, bool)> = Vec::new();
        for deed in deeds {
            if desk.state() != "authorise" {
                break;
            }
            match deed {
                Deed::Vote(person, approves) => {
                    let person = people[person];
                    let may = members.contains(&person) && person != "eve" && standing.iter().all(|(voter, _)| *voter != person);
                    prop_assert_eq!(desk.vote(person, approves).is_ok(), may);
                    if may {
                        standing.push((person, approves));
                    }
                }
                Deed::Leave(person) => {
                    members.retain(|member| *member != people[person]);
                    standing.retain(|(voter, _)| *voter != people[person]);
                    desk.people("cab", &members);
                    desk.directory_changed();
                }
                Deed::Join(person) => {
                    if !members.contains(&people[person]) {
                        members.push(people[person]);
                    }
                    desk.people("cab", &members);
                    desk.directory_changed();
                }
            }
            let approvals = standing.iter().filter(|(_, approves)| *approves).count();
            let rejections = standing.len() - approvals;
            let entitled = members.iter().filter(|member| **member != "eve").count();
            let expected = if approvals >= needed {
                "approved"
            } else if rejections > 0 && !outvoted {
                "rejected"
            } else if entitled < needed {
                "unreachable"
            } else if entitled - rejections < needed {
                "rejected"
            } else {
                "authorise"
            };
            prop_assert_eq!(desk.state(), expected);
        }
    }
}
