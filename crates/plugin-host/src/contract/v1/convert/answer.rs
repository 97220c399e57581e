//! What a guest answers at a pure hook, measured. Whether it fits the desk is for the engine to say.

use model::hook::{
    Answer, ApproverAnswer, GoalAnswer, QuorumAnswer, StageAnswer, TargetAnswer, TimeLimitAnswer,
};

use super::{ENTRIES, NAME, SENTENCE, bounded, duration, instant, list};
use crate::contract::v1::bindings::contract::types::TimeLimit;
use crate::contract::v1::bindings::{approver, calculator, router};
use crate::failure::Stop;

use approver::exports::servicewright::plugin::approval::{self, Verdict};
use calculator::exports::servicewright::plugin::service_level;
use router::exports::servicewright::plugin::routing;

/// How many stages an approval may have, and how many warnings a target.
const FEW: usize = 20;

pub(crate) fn assignment(assignment: routing::Assignment) -> Result<Answer, Stop> {
    Ok(Answer::Assignment {
        team: name(assignment.team)?,
        assignee: assignment.assignee.map(name).transpose()?,
        reason: reason(assignment.reason)?,
    })
}

pub(crate) fn verdict(verdict: Verdict) -> Result<Answer, Stop> {
    Ok(match verdict {
        Verdict::Approve(why) => Answer::Approve {
            reason: reason(why)?,
        },
        Verdict::Reject(why) => Answer::Reject {
            reason: reason(why)?,
        },
        Verdict::Ask(stages) => Answer::Ask(list("stages", stages, FEW, stage)?),
    })
}

fn stage(stage: approval::Stage) -> Result<StageAnswer, Stop> {
    Ok(StageAnswer {
        id: name(stage.id)?,
        approvers: list("approvers", stage.approvers, ENTRIES, approver)?,
        quorum: match stage.quorum {
            approval::Quorum::All => QuorumAnswer::All,
            approval::Quorum::Any => QuorumAnswer::Any,
            approval::Quorum::Count(count) => QuorumAnswer::Count(count),
            approval::Quorum::Percent(percent) => QuorumAnswer::Percent(percent),
        },
        timeout: stage.timeout.map(time_limit).transpose()?,
        reason: reason(stage.reason)?,
    })
}

fn approver(approver: approval::Approver) -> Result<ApproverAnswer, Stop> {
    Ok(match approver {
        approval::Approver::User(id) => ApproverAnswer::User(name(id)?),
        approval::Approver::Team(id) => ApproverAnswer::Team(name(id)?),
        approval::Approver::Role(id) => ApproverAnswer::Role(name(id)?),
    })
}

pub(crate) fn targets(targets: Vec<service_level::Target>) -> Result<Answer, Stop> {
    let targets = list("targets", targets, ENTRIES, |target| {
        Ok(TargetAnswer {
            target: name(target.id)?,
            goal: match target.goal {
                service_level::Goal::Within(limit) => GoalAnswer::Within(time_limit(limit)?),
                service_level::Goal::DueAt(at) => GoalAnswer::DueAt(instant(at)?),
            },
            warn_at_percent: list("warnings", target.warn_at_percent, FEW, Ok)?,
            reason: reason(target.reason)?,
        })
    })?;
    Ok(Answer::Targets(targets))
}

fn time_limit(limit: TimeLimit) -> Result<TimeLimitAnswer, Stop> {
    Ok(TimeLimitAnswer {
        duration: duration(limit.duration)?,
        calendar: limit.calendar.map(name).transpose()?,
    })
}

fn name(text: String) -> Result<String, Stop> {
    bounded("a name", text, NAME)
}

fn reason(text: String) -> Result<String, Stop> {
    bounded("a reason", text, SENTENCE)
}
