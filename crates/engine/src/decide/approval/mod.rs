//! Approvals: stages opened one after the other or beside each other, and what ends them.
//!
//! How many approvals a stage needs is fixed as it opens. Only a vote approves, never a loss; a stage
//! that can no longer reach its number ends at once. Who may vote stands in `people`, votes and what
//! is done with them in `votes`.

mod people;
mod verdict;
mod votes;

use std::collections::{BTreeMap, BTreeSet};

use definition::compile::{Approval as Definition, Stage};
use model::Instant;
use model::definition::{ApprovalBy, Outcome, Quorum};
use model::event::Event;
use model::hook::Ask;
use model::id::{BindingId, PersonId, StageId, TimerId};
use model::record::{Approval, OpenStage, StagePlan};

pub(super) use verdict::known_calendar;

use super::{Result, Step};

/// Whom a stage tells something, while it does.
pub(super) struct Asked {
    pub(super) stage: StageId,
    pub(super) people: BTreeSet<PersonId>,
}

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
        match self.ask(binding, ask, |step, answer| verdict::check(step, answer))? {
            Some(Opening::Decided(outcome, reason)) => self.end_approval(outcome, reason),
            Some(Opening::Stages(plans)) => {
                let mut plans = plans.into_iter();
                if let Some(first) = plans.next() {
                    self.open_stages(Some(binding.clone()), vec![first], plans.collect());
                }
            }
            None => {
                // The plugin gave no answer: people are asked, and where no stage applies that is
                // for people to see too, never an approval.
                if !self.open_first(approval, 0) {
                    self.end_approval(
                        Outcome::Unreachable,
                        format!("{binding} gave no answer, and no stage of the workflow applies"),
                    );
                }
            }
        }
        Ok(())
    }

    /// Opens the definition's next stages that apply after `after` and those beside it, or ends the
    /// approval.
    fn open_next(&mut self, approval: &Definition, after: Option<&StageId>, nobody: &str) {
        let begin = after.map_or(0, |after| end_of_round(approval, after));
        if !self.open_first(approval, begin) {
            match after {
                None => self.end_approval(Outcome::NobodyAsked, nobody.to_owned()),
                Some(_) => self.end_approval(Outcome::Approved, "every stage approved".to_owned()),
            }
        }
    }

    /// Opens the first round from a place on of which a stage applies; says whether there is one.
    fn open_first(&mut self, approval: &Definition, mut begin: usize) -> bool {
        while let Some((first, _)) = approval.stages.get_index(begin) {
            let end = end_of_round(approval, first);
            let mut plans = Vec::new();
            for (id, stage) in approval.stages.iter().take(end).skip(begin) {
                if self.applies(id, stage) {
                    plans.push(self.plan(id, stage));
                }
            }
            if !plans.is_empty() {
                self.open_stages(None, plans, Vec::new());
                return true;
            }
            begin = end;
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

    /// Opens stages beside each other, and tells those who are asked.
    fn open_stages(&mut self, by: Option<BindingId>, plans: Vec<StagePlan>, next: Vec<StagePlan>) {
        let ids: Vec<StageId> = plans.iter().map(|plan| plan.id.clone()).collect();
        let stages = plans.into_iter().map(|plan| self.opened(plan)).collect();
        self.emit(Event::StageOpened {
            approval: Box::new(Approval { by, stages, next }),
        });
        for id in &ids {
            self.count_votes(id);
        }
        for id in &ids {
            let asked = self.open_stage(id).map(OpenStage::awaited);
            if let Some(asked) = asked {
                self.tell_asked(id, asked);
            }
        }
    }

    fn opened(&mut self, plan: StagePlan) -> OpenStage {
        let entitled = self.entitled(&plan, &BTreeMap::new());
        let (substitutes, look_at) = self.substitutes(&plan, &entitled);
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
        let said = self.stage_definition(&plan.id);
        let timers = said.map(|said| said.timers.values()).into_iter().flatten();
        let timers = timers
            .filter_map(|timer| Some((timer.id.clone(), self.timer_due(timer, self.now())?)))
            .collect();
        OpenStage {
            opened_at: self.now(),
            opened_in: self.record.version + 1,
            needed: needed.max(1),
            entitled,
            votes: BTreeMap::new(),
            due,
            reassigned: BTreeMap::new(),
            substitutes,
            look_at,
            timers,
            question: None,
            recalled: BTreeMap::new(),
            plan,
        }
    }

    /// What the definition says of a stage of the record's state.
    fn stage_definition<'s>(&self, id: &StageId) -> Option<&'s Stage>
    where
        Self: 's,
    {
        let workflow = self.input.workflow;
        let state = workflow.states.get(&self.record.state)?;
        state.approval.as_ref()?.stages.get(id)
    }

    /// A stage that is open.
    fn open_stage(&self, id: &StageId) -> Option<&OpenStage> {
        self.record.approval.as_ref()?.stage(id)
    }

    fn open_ids(&self) -> Vec<StageId> {
        let open = self.record.approval.iter().flat_map(|it| &it.stages);
        open.map(|stage| stage.plan.id.clone()).collect()
    }

    /// Causes what a stage causes for those who are asked.
    fn tell_asked(&mut self, id: &StageId, asked: BTreeSet<PersonId>) {
        let Some(said) = self.stage_definition(id).filter(|_| !asked.is_empty()) else {
            return;
        };
        self.asked = Some(Asked {
            stage: id.clone(),
            people: asked,
        });
        self.cause(&said.effects, &format!("stage {id}"));
        self.asked = None;
    }

    /// A stage that was not decided in time expires.
    pub(super) fn expire(&mut self, id: &StageId, due: Instant) {
        self.end_stage(
            id,
            Outcome::Expired,
            "it was not decided in time",
            Some(due),
        );
    }

    /// A timer of a stage fires: a reminder, an escalation.
    pub(super) fn fire_in_stage(
        &mut self,
        id: &StageId,
        timer: &TimerId,
        due: Instant,
    ) -> Result<()> {
        self.emit(Event::StageTimerFired {
            stage: id.clone(),
            timer: timer.clone(),
            due,
        });
        let said = self.stage_definition(id);
        let Some(said) = said.and_then(|said| said.timers.get(timer)) else {
            return Ok(());
        };
        self.asked = self.open_stage(id).map(|stage| Asked {
            stage: id.clone(),
            people: stage.awaited(),
        });
        self.cause(&said.effects, &format!("stage {id}, timer {timer}"));
        self.asked = None;
        if let Some(transition) = &said.transition {
            let reason = format!("the timer {timer} of the stage {id} was due");
            self.follow(transition, &reason)?;
        }
        if said.repeat
            && self.open_stage(id).is_some()
            && let Some(due) = self.due_again(said, due)
        {
            self.emit(Event::StageTimerSet {
                stage: id.clone(),
                timer: timer.clone(),
                due,
            });
        }
        Ok(())
    }

    /// Ends an open stage; others open, or the approval ends.
    fn end_stage(&mut self, id: &StageId, outcome: Outcome, reason: &str, due: Option<Instant>) {
        let Some(approval) = self.record.approval.clone() else {
            return;
        };
        self.emit(Event::StageEnded {
            stage: id.clone(),
            outcome,
            due,
        });
        let reason = format!("stage {id}: {reason}");
        if outcome != Outcome::Approved {
            self.end_approval(outcome, reason);
            return;
        }
        if approval.stages.len() > 1 {
            // Those beside it are still to be decided.
            return;
        }
        if approval.by.is_some() {
            let mut next = approval.next.into_iter();
            match next.next() {
                Some(plan) => self.open_stages(approval.by, vec![plan], next.collect()),
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
            Some(definition) => self.open_next(definition, Some(id), &reason),
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

/// The place after the stages that open with this one.
fn end_of_round(approval: &Definition, id: &StageId) -> usize {
    let place = approval.stages.get_index_of(id);
    let begin = place.map_or(0, |place| place + 1);
    let beside = approval.stages.values().skip(begin);
    begin + beside.take_while(|it| it.source.beside.is_some()).count()
}
