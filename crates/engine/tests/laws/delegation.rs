//! Votes in the place of others: substitutes, votes handed on, recalled, abstained and put off.

use model::command::Action;
use model::definition::Choice;
use model::event::Event;
use model::id::{PersonId, StageId};
use proptest::prelude::*;
use serde_json::{Value as Json, json};
use servicewright_engine::Rejection;

use crate::desk::Desk;

const PACK: &str = "kind: Pack\nid: board\nversion: 1.0.0\ntitle: Board\nzone: UTC\nroles: { agent: { title: Agent } }\n";
const TEAM: &str = "kind: Team\nid: cab\ntitle: Board\n";
const ASKED: &str = "kind: Notice\nid: asked\nto: { approver: true }\nsubject: Your vote\ntext: '{{ approval.stage }}'\n";
const QUESTION: &str =
    "kind: Notice\nid: question\nto: { requester: true }\nsubject: A question\ntext: Say more.\n";

/// A desk whose changes need these stages.
fn desk(stages: &str) -> Desk {
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
      stages: {{ {stages} }}
      then: {{ approved: go, rejected: refuse, expired: late, unreachable: lost, nobody-asked: go }}
    transitions:
      go: {{ to: approved }}
      refuse: {{ to: rejected }}
      late: {{ to: expired }}
      lost: {{ to: unreachable }}
      remind: {{}}
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
        ("notices/asked.yaml", ASKED),
        ("notices/question.yaml", QUESTION),
    ]);
    desk.people("cab", &["ada", "ben", "cleo"]);
    for person in ["eve", "fay", "gus"] {
        desk.put("user", person, &json!({ "name": person }));
    }
    desk
}

const BOARD: &str = "board: { approvers: { cab: { team: cab } }, quorum: { all: true }, timeout: { time: P7D }, effects: { ask: { notice: asked } } }";

fn away(desk: &mut Desk, who: &str, from: &str, to: &str, substitute: &str) {
    let period = json!({ "from": from, "to": to, "substitute": substitute });
    desk.put("absence", who, &json!({ "periods": { "leave": period } }));
    if desk.record.is_some() {
        desk.directory_changed();
    }
}

fn told(desk: &mut Desk) -> Vec<String> {
    let events = std::mem::take(&mut desk.events);
    let told = events.into_iter().filter_map(|event| match event {
        Event::Notified { to, .. } => Some(to),
        _ => None,
    });
    told.flatten().map(|person| person.to_string()).collect()
}

fn person(id: &str) -> PersonId {
    PersonId::new(id).expect("an id")
}

#[test]
fn a_substitute_is_told_when_the_absence_begins_and_votes_for_the_absent() {
    let mut desk = desk(BOARD);
    away(
        &mut desk,
        "ada",
        "2026-03-03T08:00:00Z",
        "2026-03-05T08:00:00Z",
        "fay",
    );
    desk.create("eve", "change", json!({})).expect("accepted");
    assert_eq!(told(&mut desk), ["ada", "ben", "cleo"]);
    assert!(desk.vote("fay", true).is_err(), "nobody is away yet");
    let begins = "2026-03-03T08:00:00Z".parse().expect("valid");
    desk.wake_until(begins);
    assert_eq!(told(&mut desk), ["fay"], "told as the absence begins");
    desk.vote("fay", true).expect("stands in for ada");
    let votes = &desk.record().approval.as_ref().expect("open").stages[0].votes;
    assert_eq!(votes[&person("ada")].by, Some(person("fay")));
    assert!(desk.vote("fay", true).is_err(), "one person, one vote");
    assert!(desk.vote("ada", false).is_err(), "it was given for her");
    desk.vote("ben", true).expect("accepted");
    desk.vote("cleo", true).expect("accepted");
    assert_eq!(desk.state(), "approved");
}

#[test]
fn a_vote_given_for_another_is_lost_with_the_right_to_it() {
    let mut desk = desk(BOARD);
    desk.create("eve", "change", json!({})).expect("accepted");
    away(
        &mut desk,
        "ada",
        "2026-03-01T08:00:00Z",
        "2026-03-05T08:00:00Z",
        "fay",
    );
    desk.vote("fay", true).expect("stands in for ada");
    desk.put("absence", "ada", &Json::Null);
    desk.directory_changed();
    let stage = &desk.record().approval.as_ref().expect("open").stages[0];
    assert!(
        stage.votes.is_empty(),
        "the absence that gave the right is gone"
    );
    desk.vote("ada", true).expect("she votes herself");
}

#[test]
fn the_requester_votes_for_nobody_and_who_is_asked_stands_in_for_nobody() {
    let mut desk = desk(BOARD);
    desk.create("eve", "change", json!({})).expect("accepted");
    away(
        &mut desk,
        "ada",
        "2026-03-01T08:00:00Z",
        "2026-03-05T08:00:00Z",
        "eve",
    );
    assert!(matches!(
        desk.vote("eve", true),
        Err(Rejection::Forbidden { .. })
    ));
    away(
        &mut desk,
        "cleo",
        "2026-03-01T08:00:00Z",
        "2026-03-05T08:00:00Z",
        "ben",
    );
    desk.vote("ben", true).expect("for himself");
    assert!(desk.give("ben", Choice::Approve, Some("cleo")).is_err());
}

#[test]
fn a_vote_is_taken_back_and_given_anew_before_the_stage_is_decided() {
    let mut desk = desk(BOARD);
    desk.create("eve", "change", json!({})).expect("accepted");
    let recall = || Action::RecallVote { stage: None };
    assert!(desk.act("ada", recall()).is_err(), "there is none yet");
    desk.vote("ada", true).expect("accepted");
    desk.act("ada", recall()).expect("taken back");
    desk.vote("ben", true).expect("accepted");
    desk.vote("cleo", true).expect("accepted");
    assert_eq!(desk.state(), "authorise", "two of three");
    desk.vote("ada", false).expect("given anew");
    assert_eq!(desk.state(), "rejected");
    assert!(desk.act("ada", recall()).is_err(), "it is decided");
}

#[test]
fn a_vote_is_handed_on_by_whose_it_is_and_back() {
    let mut desk = desk(BOARD);
    desk.create("eve", "change", json!({})).expect("accepted");
    told(&mut desk);
    let hand = |from: Option<&str>, to: &str| Action::ReassignVote {
        stage: None,
        from: from.map(person),
        to: person(to),
        comment: Some("It is your system.".to_owned()),
    };
    for (who, from, to, why) in [
        ("fay", Some("ada"), "fay", "it is not hers"),
        ("ada", None, "eve", "to the requester"),
        ("ada", None, "ben", "to one who has a vote"),
        ("ada", None, "nobody-known", "to nobody"),
    ] {
        assert!(desk.act(who, hand(from, to)).is_err(), "{why}");
    }
    desk.act("ada", hand(None, "fay")).expect("handed on");
    assert_eq!(told(&mut desk), ["fay"]);
    assert!(desk.vote("ada", true).is_err(), "she has no vote any more");
    desk.act("fay", hand(None, "gus"))
        .expect("handed further on");
    desk.act("gus", hand(None, "ada")).expect("handed back");
    let stage = &desk.record().approval.as_ref().expect("open").stages[0];
    assert!(stage.reassigned.is_empty());
    for voter in ["ada", "ben", "cleo"] {
        desk.vote(voter, true).expect("accepted");
    }
    assert_eq!(desk.state(), "approved");
}

#[test]
fn who_abstains_is_no_longer_counted_on() {
    let mut desk = desk(
        "board: { approvers: { cab: { team: cab } }, quorum: { count: 2 }, rejects: outvoted, comment: { abstain: true } }",
    );
    desk.create("eve", "change", json!({})).expect("accepted");
    assert!(
        matches!(
            desk.give("ada", Choice::Abstain, None),
            Err(Rejection::Invalid { .. })
        ),
        "the stage wants to know why"
    );
    let abstain = || Action::Vote {
        choice: Choice::Abstain,
        comment: Some("I wrote it.".to_owned()),
        stage: None,
        instead_of: None,
        link: None,
    };
    desk.act("ada", abstain()).expect("accepted");
    assert_eq!(desk.state(), "authorise");
    desk.act("ben", abstain()).expect("accepted");
    assert_eq!(desk.state(), "unreachable", "one is left, two are needed");
}

#[test]
fn stages_beside_each_other_open_together_and_all_must_approve() {
    let stages = "
        boss: { approvers: { one: { user: ada } }, quorum: { all: true } },
        risk: { beside: boss, approvers: { one: { user: ben }, same: { user: ada } }, quorum: { any: true } },
        board: { approvers: { one: { user: cleo } }, quorum: { all: true } }";
    let mut desk = desk(stages);
    desk.create("eve", "change", json!({})).expect("accepted");
    let open = |desk: &Desk| -> Vec<String> {
        let stages = desk.record().approval.iter().flat_map(|it| &it.stages);
        stages.map(|stage| stage.plan.id.to_string()).collect()
    };
    assert_eq!(open(&desk), ["boss", "risk"]);
    assert!(
        desk.vote("ada", true).is_err(),
        "she is asked in two: which?"
    );
    let vote = |stage: &str| Action::Vote {
        choice: Choice::Approve,
        comment: None,
        stage: Some(StageId::new(stage).expect("an id")),
        instead_of: None,
        link: None,
    };
    desk.act("ada", vote("boss")).expect("accepted");
    assert_eq!(open(&desk), ["risk"]);
    desk.act("ben", vote("risk")).expect("accepted");
    assert_eq!(open(&desk), ["board"], "the second round is opened");
    desk.vote("cleo", true).expect("accepted");
    assert_eq!(desk.state(), "approved");
}

#[test]
fn a_question_holds_the_timeout_until_the_requester_answers() {
    let mut desk = desk(
        "board: { approvers: { cab: { team: cab } }, quorum: { any: true }, timeout: { time: PT10H }, information: { holds: true, effects: { tell: { notice: question } } } }",
    );
    desk.create("eve", "change", json!({})).expect("accepted");
    desk.at("2026-03-02T15:00:00Z");
    let ask = Action::AskInformation {
        stage: None,
        question: "Which servers?".to_owned(),
    };
    desk.act("ada", ask).expect("asked");
    assert_eq!(told(&mut desk), ["eve"]);
    assert_eq!(desk.record().next_due(), None, "it stands still");
    desk.at("2026-03-04T09:00:00Z");
    let answer = Action::Comment {
        text: "All of them.".to_owned(),
        public: true,
    };
    desk.act("eve", answer).expect("answered");
    let due = desk.record().next_due().expect("it goes on");
    assert_eq!(
        due.to_string(),
        "2026-03-04T13:00:00Z",
        "four hours were left"
    );
    desk.wake_until(due);
    assert_eq!(
        desk.state(),
        "expired",
        "and nothing is approved by silence"
    );
}

#[test]
fn reminders_go_to_those_who_have_not_voted_and_an_escalation_takes_its_transition() {
    let mut desk = desk(
        "board: { approvers: { cab: { team: cab } }, quorum: { all: true }, timeout: { time: P7D }, timers: { remind: { wait: { time: P1D }, repeat: true, do: remind, effects: { tell: { notice: asked } } }, escalate: { wait: { time: P3D }, do: lost } } }",
    );
    desk.create("eve", "change", json!({})).expect("accepted");
    desk.vote("ada", true).expect("accepted");
    let day = |day: u32| {
        format!("2026-03-{day:02}T09:00:00Z")
            .parse()
            .expect("valid")
    };
    desk.wake_until(day(3));
    assert_eq!(told(&mut desk), ["ben", "cleo"]);
    desk.vote("ben", true).expect("accepted");
    desk.wake_until(day(4));
    assert_eq!(told(&mut desk), ["cleo"]);
    assert_eq!(desk.state(), "authorise");
    desk.wake_until(day(5));
    assert_eq!(
        desk.state(),
        "unreachable",
        "the escalation's own transition"
    );
}

#[derive(Clone, Debug)]
enum Deed {
    Vote(usize, Choice),
    Recall(usize),
    Reassign(usize, usize),
    Away(usize, usize),
    Back(usize),
    Leave(usize),
    Join(usize),
}

fn deeds() -> impl Strategy<Value = Vec<Deed>> {
    let choice = prop_oneof![
        3 => Just(Choice::Approve),
        1 => Just(Choice::Reject),
        1 => Just(Choice::Abstain)
    ];
    let one = || 0..PEOPLE.len();
    let deed = prop_oneof![
        6 => (one(), choice).prop_map(|(person, choice)| Deed::Vote(person, choice)),
        1 => one().prop_map(Deed::Recall),
        2 => (one(), one()).prop_map(|(from, to)| Deed::Reassign(from, to)),
        2 => (one(), one()).prop_map(|(who, by)| Deed::Away(who, by)),
        1 => one().prop_map(Deed::Back),
        1 => one().prop_map(Deed::Leave),
        1 => one().prop_map(Deed::Join),
    ];
    prop::collection::vec(deed, 0..40)
}

const PEOPLE: [&str; 6] = ["ada", "ben", "cleo", "eve", "fay", "gus"];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    /// Whatever people do, only a vote approves; and when it does, so many different people approved as
    /// were needed when the stage opened, each for themselves or for one who is away, all of them known,
    /// none the requester. No final rejection aggregates to approved.
    #[test]
    fn only_votes_of_entitled_people_approve(deeds in deeds(), quorum in 0..4usize, outvoted in any::<bool>()) {
        let quorum = ["{ all: true }", "{ any: true }", "{ count: 2 }", "{ percent: 60 }"][quorum];
        let rejects = if outvoted { "outvoted" } else { "final" };
        let mut desk = desk(&format!("board: {{ approvers: {{ cab: {{ team: cab }} }}, quorum: {quorum}, rejects: {rejects} }}"));
        desk.create("eve", "change", json!({})).expect("accepted");
        let needed = desk.record().approval.as_ref().expect("open").stages[0].needed as usize;
        let (mut known, mut members) = (PEOPLE.to_vec(), vec!["ada", "ben", "cleo"]);
        // By whom each vote was given, and for whom, as the journal tells.
        let mut standing: Vec<(String, String, Choice)> = Vec::new();
        for deed in deeds {
            if desk.state() != "authorise" {
                break;
            }
            desk.events.clear();
            let mut is_approval = false;
            match deed {
                Deed::Vote(who, choice) => {
                    is_approval = choice == Choice::Approve;
                    let _ = desk.give(PEOPLE[who], choice, None);
                }
                Deed::Recall(who) => {
                    let _ = desk.act(PEOPLE[who], Action::RecallVote { stage: None });
                }
                Deed::Reassign(from, to) => {
                    let to = person(PEOPLE[to]);
                    let hand = Action::ReassignVote { stage: None, from: None, to, comment: None };
                    let _ = desk.act(PEOPLE[from], hand);
                }
                Deed::Away(who, by) if who != by => {
                    away(&mut desk, PEOPLE[who], "2026-01-01T00:00:00Z", "2027-01-01T00:00:00Z", PEOPLE[by]);
                }
                Deed::Away(..) => {}
                Deed::Back(who) => {
                    desk.put("absence", PEOPLE[who], &Json::Null);
                    desk.directory_changed();
                }
                Deed::Leave(who) => {
                    known.retain(|person| *person != PEOPLE[who]);
                    desk.put("user", PEOPLE[who], &Json::Null);
                    desk.directory_changed();
                }
                Deed::Join(who) => {
                    if !members.contains(&PEOPLE[who]) && known.contains(&PEOPLE[who]) {
                        members.push(PEOPLE[who]);
                    }
                    let team: serde_json::Map<_, _> = members.iter().map(|it| ((*it).to_owned(), json!({}))).collect();
                    desk.put("team", "cab", &json!({ "members": team }));
                    desk.directory_changed();
                }
            }
            for event in &desk.events {
                match event {
                    Event::Voted { person, choice, by, .. } => {
                        let by = by.as_ref().unwrap_or(person).to_string();
                        standing.push((by, person.to_string(), *choice));
                    }
                    Event::VoteRecalled { person, .. } => {
                        standing.retain(|(_, whose, _)| *whose != person.as_str());
                    }
                    Event::Entitled { entitled, .. } => {
                        standing.retain(|(_, whose, _)| entitled.iter().any(|it| *whose == it.as_str()));
                    }
                    _ => {}
                }
            }
            if desk.state() == "approved" {
                prop_assert!(is_approval, "only a vote approves");
                let approvals: Vec<_> = standing.iter().filter(|(.., choice)| *choice == Choice::Approve).collect();
                prop_assert!(approvals.len() >= needed);
                let mut given: Vec<_> = approvals.iter().map(|(by, ..)| by.as_str()).collect();
                given.sort_unstable();
                given.dedup();
                prop_assert_eq!(given.len(), approvals.len(), "one person, one vote");
                for by in given {
                    prop_assert!(known.contains(&by) && by != "eve");
                }
                let rejected = standing.iter().any(|(.., choice)| *choice == Choice::Reject);
                prop_assert!(outvoted || !rejected, "the first rejection is final");
            }
        }
    }
}
