//! Approvals: stages opened one after the other, votes counted, and what ends them.
//!
//! How many approvals a stage needs is fixed as it opens. One person has one vote, and the requester
//! none unless the stage says so. Only a vote approves, never a loss; a stage that can no longer
//! reach its number ends at once.

use std::collections::BTreeSet;

use calendar::Calendar;
use definition::compile::{Approval as Definition, Stage};
use model::Instant;
use model::definition::{ApprovalBy, Approver, Outcome, Quorum, Rejects, Wait};
use model::event::Event;
use model::hook::{Answer, ApproverAnswer, Ask, QuorumAnswer, StageAnswer, TimeLimitAnswer};
use model::id::{BindingId, CalendarId, PersonId, RoleId, StageId};
use model::record::{Approval, OpenStage, ResolvedApprover, StagePlan};
use model::time::Period;

use super::routing::{known_team, shown};
use super::{Result, Step};
use crate::rejection::Rejection;

/// How many stages a plugin may ask for, and how many approvers in each.
const MOST_STAGES: usize = 20;
const MOST_APPROVERS: usize = 100;

/// What an approval opens with.
enum Opening {
    Decided(Outcome, String),
    Stages(Vec<StagePlan>),
}

impl Step<'_> {
    /// Opens the approval of the state that was just entered, by what is named, where it has one.
    pub(super) fn open_approval(&mut self, transition: &str) -> Result<()> {
        let workflow = self.input.workflow;
        let Some(approval) = workflow
            .states
            .get(&self.record.state)
            .and_then(|state| state.approval.as_ref())
        else {
            return Ok(());
        };
        let Some(ApprovalBy::Plugin(binding)) = &approval.by else {
            self.open_next(approval, None, "no stage applies");
            return Ok(());
        };
        let ask = Ask::Approve {
            transition: transition.to_owned(),
            input: self.form.clone(),
            votes: self.record.past_votes.clone(),
        };
        match self.ask(binding, ask, |step, answer| check_verdict(step, answer))? {
            Some(Opening::Decided(outcome, reason)) => self.end_approval(outcome, reason),
            Some(Opening::Stages(plans)) => {
                let mut plans = plans.into_iter();
                if let Some(first) = plans.next() {
                    self.open_stage(Some(binding.clone()), first, plans.collect());
                }
            }
            None => {
                // The plugin gave no answer: people are asked, and where no stage applies that is
                // for people to see too, never an approval.
                if !self.open_first(approval, None) {
                    self.end_approval(
                        Outcome::Unreachable,
                        format!("{binding} gave no answer, and no stage of the workflow applies"),
                    );
                }
            }
        }
        Ok(())
    }

    /// Opens the definition's next stage that applies after `after`, or ends the approval.
    fn open_next(&mut self, approval: &Definition, after: Option<&StageId>, nobody: &str) {
        if !self.open_first(approval, after) {
            match after {
                None => self.end_approval(Outcome::NobodyAsked, nobody.to_owned()),
                Some(_) => self.end_approval(Outcome::Approved, "every stage approved".to_owned()),
            }
        }
    }

    fn open_first(&mut self, approval: &Definition, after: Option<&StageId>) -> bool {
        let begin = after
            .and_then(|after| approval.stages.get_index_of(after))
            .map_or(0, |place| place + 1);
        for (id, stage) in approval.stages.iter().skip(begin) {
            if self.applies(id, stage) {
                let plan = self.plan(id, stage);
                self.open_stage(None, plan, Vec::new());
                return true;
            }
        }
        false
    }

    /// Whether a stage is asked. Where that cannot be told it is: a failure never spares an agreement.
    fn applies(&mut self, id: &StageId, stage: &Stage) -> bool {
        let Some(when) = &stage.when else { return true };
        match when.holds(&self.scope()) {
            Ok(holds) => holds,
            Err(error) => {
                self.failed(
                    format!("stage {id}"),
                    format!("{error}: the stage is asked"),
                );
                true
            }
        }
    }

    fn plan(&self, id: &StageId, stage: &Stage) -> StagePlan {
        StagePlan {
            id: id.clone(),
            approvers: stage
                .source
                .approvers
                .values()
                .map(|approver| self.resolve(approver))
                .collect(),
            quorum: stage.source.quorum,
            rejects: stage.source.rejects,
            timeout: stage.source.timeout.clone(),
            allow_self: stage.source.allow_self,
        }
    }

    fn resolve(&self, approver: &Approver) -> ResolvedApprover {
        let person = match approver {
            Approver::User(person) => Some(person.clone()),
            Approver::Team(team) => return ResolvedApprover::Team(team.clone()),
            Approver::Role(role) => return ResolvedApprover::Role(role.clone()),
            Approver::ManagerOf(of) => {
                let person = match of.as_str() {
                    "requester" => self.record.requester.clone(),
                    "assignee" => self.record.assignee.clone(),
                    field => self
                        .record
                        .field(field)
                        .as_text()
                        .and_then(|id| PersonId::new(id).ok()),
                };
                person
                    .and_then(|person| self.ledger.person(&person))
                    .and_then(|person| person.manager)
            }
            Approver::OwnerOf(field) => self.owner_of(field),
        };
        person.map_or(ResolvedApprover::Nobody, ResolvedApprover::Person)
    }

    fn owner_of(&self, field: &str) -> Option<PersonId> {
        let kind = self
            .input
            .workflow
            .fields
            .get(field)?
            .source
            .reference
            .as_ref()?;
        let thing = self
            .ledger
            .thing(kind.as_str(), self.record.field(field).as_text()?)?;
        PersonId::new(thing.text("owner")?).ok()
    }

    /// Who may vote: those the plan names who are in the directory, without the requester.
    fn entitled(&self, plan: &StagePlan) -> BTreeSet<PersonId> {
        let mut people = BTreeSet::new();
        for approver in &plan.approvers {
            match approver {
                ResolvedApprover::Person(person) => {
                    people.insert(person.clone());
                }
                ResolvedApprover::Team(team) => {
                    people.extend(self.ledger.roster(team).members.into_keys());
                }
                ResolvedApprover::Role(role) => people.extend(self.ledger.people_with_role(role)),
                ResolvedApprover::Nobody => {}
            }
        }
        people.retain(|person| {
            (plan.allow_self || self.record.requester.as_ref() != Some(person))
                && self.ledger.person(person).is_some()
        });
        people
    }

    fn open_stage(&mut self, by: Option<BindingId>, plan: StagePlan, next: Vec<StagePlan>) {
        let entitled = self.entitled(&plan);
        let asked = u32::try_from(entitled.len()).unwrap_or(u32::MAX);
        let needed = match plan.quorum {
            Quorum::All(_) => asked,
            Quorum::Any(_) => 1,
            Quorum::Count(count) => count,
            Quorum::Percent(percent) => {
                u32::try_from((u64::from(asked) * u64::from(percent)).div_ceil(100))
                    .unwrap_or(asked)
            }
        };
        let due = plan
            .timeout
            .clone()
            .and_then(|wait| self.wait_ends(&wait, self.now()));
        let stage = OpenStage {
            opened_at: self.now(),
            needed: needed.max(1),
            entitled,
            votes: std::collections::BTreeMap::new(),
            due,
            plan,
        };
        self.emit(Event::StageOpened {
            approval: Box::new(Approval { by, stage, next }),
        });
        self.count_votes();
    }

    /// Takes a vote.
    pub(super) fn vote(&mut self, approves: bool, comment: Option<&str>) -> Result<()> {
        self.look_at_entitlement();
        let Some(approval) = &self.record.approval else {
            return Err(Rejection::not_possible(
                "nothing waits for an approval: a decided stage takes no votes",
            )
            .into());
        };
        let stage = approval.stage.plan.id.clone();
        let Some(person) = self.actor().person().cloned() else {
            return Err(self.forbidden("vote", "being a person").into());
        };
        if !approval.stage.entitled.contains(&person) {
            return Err(self
                .forbidden("vote", &format!("being asked in the stage `{stage}`"))
                .into());
        }
        if approval.stage.votes.contains_key(&person) {
            return Err(Rejection::not_possible(format!(
                "{person} has voted in the stage `{stage}`"
            ))
            .into());
        }
        if comment.is_some_and(|comment| comment.len() > 10_000) {
            return Err(Rejection::not_possible(
                "a comment on a vote has at most 10,000 characters",
            )
            .into());
        }
        self.emit(Event::Voted {
            stage,
            person,
            approves,
            comment: comment.map(str::to_owned),
        });
        self.count_votes();
        Ok(())
    }

    /// Sees who may vote now: who left, or lost the right, loses the vote.
    pub(super) fn look_at_entitlement(&mut self) {
        let Some(approval) = &self.record.approval else {
            return;
        };
        let entitled = self.entitled(&approval.stage.plan);
        if entitled != approval.stage.entitled {
            let stage = approval.stage.plan.id.clone();
            self.emit(Event::Entitled {
                stage,
                entitled: entitled.into_iter().collect(),
            });
            self.count_votes();
        }
    }

    /// Ends the open stage where it is decided.
    fn count_votes(&mut self) {
        let Some(approval) = &self.record.approval else {
            return;
        };
        let stage = &approval.stage;
        let count = |approves| {
            stage
                .votes
                .values()
                .filter(|vote| vote.approves == approves)
                .count() as u64
        };
        let (approvals, rejections) = (count(true), count(false));
        let (entitled, needed) = (stage.entitled.len() as u64, u64::from(stage.needed));
        let outcome = if approvals >= needed {
            Outcome::Approved
        } else if rejections > 0 && stage.plan.rejects == Rejects::Final {
            Outcome::Rejected
        } else if entitled < needed {
            Outcome::Unreachable
        } else if entitled - rejections < needed {
            Outcome::Rejected
        } else {
            return;
        };
        let reason = match outcome {
            Outcome::Approved => format!("{approvals} of the {needed} needed approved"),
            Outcome::Rejected => {
                format!("{rejections} of {entitled} rejected, and {needed} approvals were needed")
            }
            _ => format!("{entitled} may vote, and {needed} approvals were needed"),
        };
        self.end_stage(outcome, &reason);
    }

    /// Ends the open stage; another one opens, or the approval ends.
    pub(super) fn end_stage(&mut self, outcome: Outcome, reason: &str) {
        let Some(approval) = self.record.approval.clone() else {
            return;
        };
        let stage = approval.stage.plan.id.clone();
        self.emit(Event::StageEnded {
            stage: stage.clone(),
            outcome,
        });
        let reason = format!("stage {stage}: {reason}");
        if outcome != Outcome::Approved {
            self.end_approval(outcome, reason);
            return;
        }
        if approval.by.is_some() {
            let mut next = approval.next.into_iter();
            match next.next() {
                Some(plan) => self.open_stage(approval.by, plan, next.collect()),
                None => self.end_approval(Outcome::Approved, reason),
            }
            return;
        }
        let workflow = self.input.workflow;
        match workflow
            .states
            .get(&self.record.state)
            .and_then(|state| state.approval.as_ref())
        {
            Some(definition) => self.open_next(definition, Some(&stage), &reason),
            None => self.end_approval(outcome, reason),
        }
    }

    fn end_approval(&mut self, outcome: Outcome, reason: String) {
        self.emit(Event::ApprovalEnded { outcome, reason });
        self.ended = Some(outcome);
    }

    /// Takes the transition that follows the end of an approval; says whether it did.
    pub(super) fn take_outcome(&mut self, outcome: Outcome) -> Result<bool> {
        let workflow = self.input.workflow;
        let approval = workflow
            .states
            .get(&self.record.state)
            .and_then(|state| state.approval.as_ref());
        let Some(transition) = approval
            .and_then(|approval| approval.then.get(&outcome))
            .cloned()
        else {
            self.failed(
                "approval".to_owned(),
                format!("no transition follows `{}`", outcome.as_str()),
            );
            return Ok(false);
        };
        self.follow(
            &transition,
            &format!("the approval ended: {}", outcome.as_str()),
        )
    }
}

/// Whether a verdict fits the desk.
fn check_verdict(step: &Step<'_>, answer: &Answer) -> std::result::Result<Opening, String> {
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
pub(super) fn known_calendar(
    step: &Step<'_>,
    calendar: &str,
) -> std::result::Result<CalendarId, String> {
    let known = step.input.definitions.calendars.get_key_value(calendar);
    known
        .map(|(id, _)| id.clone())
        .ok_or_else(|| format!("there is no calendar `{}`", shown(calendar)))
}

impl Step<'_> {
    /// When a wait that begins at `from` ends; none where it never does, and the journal says so.
    pub(super) fn wait_ends(&mut self, wait: &Wait, from: Instant) -> Option<Instant> {
        let ends = match wait {
            Wait::Time(period) => calendar::add_days(self.input.workflow.zone, from, period.days)
                .map(|at| at.saturating_add(period.time)),
            Wait::Business { period, calendar } => {
                let calendar = self
                    .input
                    .definitions
                    .calendars
                    .get(calendar)
                    .map(|pinned| &pinned.calendar);
                calendar.and_then(|calendar| calendar.add(from, length_in(calendar, *period)))
            }
        };
        if ends.is_none() {
            self.failed("wait".to_owned(), "it never ends: its calendar is not known, or has no business time within ten years".to_owned());
        }
        ends
    }
}

fn length_in(calendar: &Calendar, period: Period) -> model::Duration {
    crate::clock::length(Some(calendar), period)
}
