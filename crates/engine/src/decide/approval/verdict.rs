//! What a plugin answers when it is asked who must agree, held against the desk.

use std::collections::BTreeSet;

use model::definition::{Outcome, Quorum, Rejects, Wait};
use model::hook::{Answer, ApproverAnswer, QuorumAnswer, StageAnswer, TimeLimitAnswer};
use model::id::{CalendarId, PersonId, RoleId, StageId};
use model::record::{ResolvedApprover, StagePlan};
use model::time::Period;

use super::super::Step;
use super::super::routing::{known_team, shown};
use super::Opening;

/// How many stages a plugin may ask for, and how many approvers in each.
const MOST_STAGES: usize = 20;
const MOST_APPROVERS: usize = 100;

/// Whether a verdict fits the desk.
pub(super) fn check(step: &Step<'_>, answer: &Answer) -> std::result::Result<Opening, String> {
    let reason = |text: &str| text.chars().take(2_000).collect::<String>();
    match answer {
        Answer::Approve { reason: why } => Ok(Opening::Decided(Outcome::Approved, reason(why))),
        Answer::Reject { reason: why } => Ok(Opening::Decided(Outcome::Rejected, reason(why))),
        Answer::Ask(stages) if stages.is_empty() || stages.len() > MOST_STAGES => Err(format!(
            "it asked for {} stages; 1 to {MOST_STAGES} are possible",
            stages.len()
        )),
        Answer::Ask(stages) => {
            let plans: Vec<StagePlan> = stages
                .iter()
                .map(|stage| check_stage(step, stage))
                .collect::<std::result::Result<_, _>>()?;
            let ids: BTreeSet<_> = plans.iter().map(|plan| &plan.id).collect();
            if ids.len() < plans.len() {
                return Err("two of its stages have one id".to_owned());
            }
            Ok(Opening::Stages(plans))
        }
        _ => Err("it answered something other than a verdict".to_owned()),
    }
}

fn check_stage(step: &Step<'_>, stage: &StageAnswer) -> std::result::Result<StagePlan, String> {
    let id = StageId::new(&stage.id).map_err(|error| error.to_string())?;
    if stage.approvers.is_empty() || stage.approvers.len() > MOST_APPROVERS {
        return Err(format!(
            "the stage {id} has {} approvers; 1 to {MOST_APPROVERS} are possible",
            stage.approvers.len()
        ));
    }
    let approvers = stage.approvers.iter().map(|approver| match approver {
        ApproverAnswer::User(person) => {
            let person = PersonId::new(person).map_err(|error| error.to_string())?;
            let known = step.ledger.person(&person).is_some();
            known
                .then(|| ResolvedApprover::Person(person.clone()))
                .ok_or_else(|| format!("there is no person `{person}`"))
        }
        ApproverAnswer::Team(team) => known_team(step.input.definitions, team)
            .map(ResolvedApprover::Team)
            .ok_or_else(|| format!("there is no team `{}`", shown(team))),
        ApproverAnswer::Role(role) => {
            let role = RoleId::new(role).map_err(|error| error.to_string())?;
            let known = step
                .input
                .definitions
                .packs
                .values()
                .any(|pack| pack.roles.contains_key(&role));
            known
                .then(|| ResolvedApprover::Role(role.clone()))
                .ok_or_else(|| format!("there is no role `{role}`"))
        }
    });
    let quorum = match stage.quorum {
        QuorumAnswer::All => Quorum::All(true),
        QuorumAnswer::Any => Quorum::Any(true),
        QuorumAnswer::Count(count @ 1..=1_000) => Quorum::Count(count),
        QuorumAnswer::Percent(percent @ 1..=100) => Quorum::Percent(percent),
        QuorumAnswer::Count(_) | QuorumAnswer::Percent(_) => {
            return Err(format!("the quorum of the stage {id} is out of range"));
        }
    };
    Ok(StagePlan {
        approvers: approvers.collect::<std::result::Result<_, String>>()?,
        quorum,
        rejects: Rejects::Final,
        timeout: stage
            .timeout
            .as_ref()
            .map(|limit| check_limit(step, limit))
            .transpose()?,
        allow_self: false,
        id,
    })
}

fn check_limit(step: &Step<'_>, limit: &TimeLimitAnswer) -> std::result::Result<Wait, String> {
    let period = Period::of_time(limit.duration);
    match &limit.calendar {
        None => Ok(Wait::Time(period)),
        Some(calendar) => {
            known_calendar(step, calendar).map(|calendar| Wait::Business { period, calendar })
        }
    }
}

/// A calendar that a plugin names, where it is one of the desk's.
pub(in crate::decide) fn known_calendar(
    step: &Step<'_>,
    calendar: &str,
) -> std::result::Result<CalendarId, String> {
    let known = step.input.definitions.calendars.get_key_value(calendar);
    known
        .map(|(id, _)| id.clone())
        .ok_or_else(|| format!("there is no calendar `{}`", shown(calendar)))
}
