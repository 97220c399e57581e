//! What an approval waits for, and what was done about it, in sentences.

use model::command::Command;
use model::definition::{Choice, Outcome};
use model::event::Event;
use model::id::PersonId;
use model::record::OpenStage;

/// What an open stage waits for.
pub(super) fn waiting(stage: &OpenStage) -> String {
    let count = |choice| {
        let votes = stage.votes.values();
        votes.filter(|vote| vote.choice == choice).count()
    };
    let mut has = vec![count(Choice::Approve).to_string()];
    let others = [(Choice::Reject, "against"), (Choice::Abstain, "abstained")];
    for (choice, of) in others {
        match count(choice) {
            0 => {}
            number => has.push(format!("{number} {of}")),
        }
    }
    let silent = stage
        .entitled
        .iter()
        .filter(|person| !stage.votes.contains_key(*person));
    let asked: Vec<String> = silent
        .map(|person| match stage.substitutes.get(person) {
            Some(substitute) => format!("{person}, for whom {substitute} stands in"),
            None => person.to_string(),
        })
        .collect();
    let asks = match asked.as_slice() {
        [] => "nobody is left to vote".to_owned(),
        asked => format!("it still asks {}", listed(asked)),
    };
    let until = match (&stage.question, stage.expires()) {
        (Some(question), None) => {
            format!(" and stands still until {} is answered", question.person)
        }
        (_, Some(due)) => format!(" until {}", due.to_seconds_text()),
        (_, None) => String::new(),
    };
    format!(
        "It waits for the stage `{}`, which needs {} and has {}; {asks}{until}.",
        stage.plan.id,
        counted(stage.needed as usize, "approval"),
        has.join(", "),
    )
}

/// Who did what about an approval; none where the event is of something else.
pub(super) fn happened(event: &Event, command: &Command) -> Option<(String, String)> {
    let actor = || command.actor.id().to_string();
    let approval = || "approval".to_owned();
    Some(match event {
        Event::StageOpened { approval: opened } => {
            let stages: Vec<String> = opened.stages.iter().map(asks).collect();
            (approval(), format!("{}.", stages.join("; beside it, ")))
        }
        Event::Entitled {
            stage, entitled, ..
        } => {
            let who = listed(&texts(entitled.iter()));
            (
                approval(),
                format!("the stage `{stage}` asks {who} from now on."),
            )
        }
        Event::Substituted {
            stage, substitutes, ..
        } => {
            let each = substitutes.iter();
            let each: Vec<String> = each
                .map(|(person, substitute)| format!("{substitute} stands in for {person}"))
                .collect();
            let said = match each.as_slice() {
                [] => "nobody stands in for anybody".to_owned(),
                each => listed(each),
            };
            (
                approval(),
                format!("in the stage `{stage}`, {said} from now on."),
            )
        }
        Event::InformationAsked { stage, question } => {
            let held = if question.holds {
                " The stage stands still until the answer."
            } else {
                ""
            };
            (
                question.person.to_string(),
                format!(
                    "asked before voting in the stage `{stage}`: {}{held}",
                    question.text
                ),
            )
        }
        Event::InformationGiven { stage, due } => {
            let until = due.map_or_else(String::new, |due| {
                format!(", which waits until {} now", due.to_seconds_text())
            });
            (actor(), format!("answered in the stage `{stage}`{until}."))
        }
        Event::StageTimerFired { stage, timer, due } => {
            let due = due.to_seconds_text();
            let what = format!("the timer `{timer}` of the stage `{stage}` was due {due}.");
            (approval(), what)
        }
        Event::StageEnded {
            stage,
            outcome: Outcome::Expired,
            due: Some(due),
        } => {
            let due = due.to_seconds_text();
            let what = format!("the stage `{stage}` expired undecided, as was due {due}.");
            (approval(), what)
        }
        Event::ApprovalEnded { outcome, reason } => {
            (approval(), format!("{}: {reason}.", outcome.as_str()))
        }
        _ => return vote(event, command),
    })
}

/// What somebody did with a vote.
fn vote(event: &Event, command: &Command) -> Option<(String, String)> {
    let actor = || command.actor.id().to_string();
    Some(match event {
        Event::Voted {
            stage,
            person,
            choice,
            by,
            comment,
            by_link,
        } => {
            let instead = match by {
                Some(_) => format!(" in the place of {person}"),
                None => String::new(),
            };
            let link = if *by_link { " by link" } else { "" };
            let (done, comment) = (choice.done(), because(comment.as_deref()));
            (
                by.as_ref().unwrap_or(person).to_string(),
                format!("{done} in the stage `{stage}`{instead}{link}{comment}."),
            )
        }
        Event::VoteRecalled {
            stage,
            person,
            lost: true,
        } => (
            "approval".to_owned(),
            format!(
                "the vote given in the place of {person} in the stage `{stage}` no longer counts."
            ),
        ),
        Event::VoteRecalled { stage, person, .. } => {
            let actor = actor();
            let whose = if *person.as_str() == *actor {
                "their vote".to_owned()
            } else {
                format!("the vote of {person}")
            };
            (actor, format!("took back {whose} in the stage `{stage}`."))
        }
        Event::VoteReassigned {
            stage,
            from,
            to,
            comment,
        } => {
            let (actor, comment) = (actor(), because(comment.as_deref()));
            let whose = if *from.as_str() == *actor {
                "their vote".to_owned()
            } else {
                format!("the vote of {from}")
            };
            let what = format!("handed {whose} in the stage `{stage}` on to {to}{comment}.");
            (actor, what)
        }
        _ => return None,
    })
}

fn asks(stage: &OpenStage) -> String {
    let who = match stage.entitled.len() {
        0 => "nobody".to_owned(),
        1..=5 => listed(&texts(stage.entitled.iter())),
        more => format!("{more} people"),
    };
    let instead = stage.substitutes.iter();
    let instead =
        instead.map(|(person, substitute)| format!(", {substitute} in the place of {person}"));
    let until = stage.due.map_or_else(String::new, |due| {
        format!(", until {}", due.to_seconds_text())
    });
    format!(
        "the stage `{}` asks {who} for {}{}{until}",
        stage.plan.id,
        counted(stage.needed as usize, "approval"),
        instead.collect::<String>(),
    )
}

fn counted(number: usize, what: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {what}{plural}")
}

fn because(comment: Option<&str>) -> String {
    comment.map_or_else(String::new, |comment| format!(": {comment}"))
}

fn texts<'a>(people: impl Iterator<Item = &'a PersonId>) -> Vec<String> {
    people.map(ToString::to_string).collect()
}

/// `ada`, `ada and carla`, `ada, carla and dirk`.
fn listed(names: &[String]) -> String {
    match names {
        [] => "nobody".to_owned(),
        [one] => one.clone(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}
