//! What events do to the open approval of a record: stages, votes, who may vote.

use model::Instant;
use model::definition::Choice;
use model::event::Event;
use model::hook::PastVote;
use model::id::StageId;
use model::record::{OpenStage, Record, Vote};

/// How many votes of rounds that ended a record keeps; its journal has them all.
const PAST_VOTES: usize = 100;

pub(super) fn apply(record: &mut Record, event: &Event, at: Instant) {
    match event {
        Event::StageOpened { approval } => {
            close(record);
            record.approval = Some((**approval).clone());
        }
        Event::StageEnded { stage, .. } => end(record, stage),
        Event::ApprovalEnded { .. } => close(record),
        Event::Voted { stage, .. }
        | Event::VoteRecalled { stage, .. }
        | Event::VoteReassigned { stage, .. }
        | Event::Entitled { stage, .. }
        | Event::Substituted { stage, .. }
        | Event::InformationAsked { stage, .. }
        | Event::InformationGiven { stage, .. }
        | Event::StageTimerSet { stage, .. }
        | Event::StageTimerFired { stage, .. } => {
            let stages = record.approval.iter_mut().flat_map(|it| &mut it.stages);
            for open in stages.filter(|open| open.plan.id == *stage) {
                change(open, event, at);
            }
        }
        _ => {}
    }
}

/// Ends the approval, and keeps its votes.
pub(super) fn close(record: &mut Record) {
    let stages = record.approval.take().map(|approval| approval.stages);
    for stage in stages.into_iter().flatten() {
        keep_votes(record, stage);
    }
}

fn end(record: &mut Record, id: &StageId) {
    let Some(approval) = &mut record.approval else {
        return;
    };
    let place = approval.stages.iter().position(|it| it.plan.id == *id);
    if let Some(place) = place {
        let stage = approval.stages.remove(place);
        keep_votes(record, stage);
    }
}

fn keep_votes(record: &mut Record, stage: OpenStage) {
    let id = stage.plan.id;
    let given = stage.votes.into_iter();
    let mut votes: Vec<_> = given
        .filter(|(_, vote)| vote.choice != Choice::Abstain)
        .map(|(person, vote)| PastVote {
            stage: id.clone(),
            person,
            approves: vote.choice == Choice::Approve,
            at: vote.at,
            comment: vote.comment,
        })
        .collect();
    votes.sort_by_key(|vote| vote.at);
    record.past_votes.extend(votes);
    let surplus = record.past_votes.len().saturating_sub(PAST_VOTES);
    record.past_votes.drain(..surplus);
}

fn change(stage: &mut OpenStage, event: &Event, at: Instant) {
    match event {
        Event::Voted {
            person,
            choice,
            by,
            comment,
            by_link,
            ..
        } => {
            let vote = Vote {
                choice: *choice,
                by: by.clone(),
                at,
                comment: comment.clone(),
                by_link: *by_link,
            };
            stage.votes.insert(person.clone(), vote);
        }
        Event::VoteRecalled { person, .. } => {
            stage.votes.remove(person);
            *stage.recalled.entry(person.clone()).or_default() += 1;
        }
        Event::VoteReassigned { from, to, .. } => {
            // Kept from who was asked first to who has the vote now.
            let first = stage.reassigned.iter().find(|(_, holder)| *holder == from);
            let first = first.map_or_else(|| from.clone(), |(first, _)| first.clone());
            if first == *to {
                stage.reassigned.remove(&first);
            } else {
                stage.reassigned.insert(first, to.clone());
            }
        }
        Event::Entitled { entitled, lost, .. } => {
            for person in lost {
                *stage.recalled.entry(person.clone()).or_default() += 1;
            }
            stage.entitled = entitled.iter().cloned().collect();
            let entitled = &stage.entitled;
            stage.votes.retain(|person, _| entitled.contains(person));
        }
        Event::Substituted {
            substitutes,
            look_at,
            ..
        } => {
            stage.substitutes.clone_from(substitutes);
            stage.look_at = *look_at;
        }
        Event::InformationAsked { question, .. } => stage.question = Some(question.clone()),
        Event::InformationGiven { due, .. } => {
            stage.question = None;
            stage.due = *due;
        }
        Event::StageTimerSet { timer, due, .. } => {
            stage.timers.insert(timer.clone(), *due);
        }
        Event::StageTimerFired { timer, .. } => {
            stage.timers.remove(timer);
        }
        _ => {}
    }
}
