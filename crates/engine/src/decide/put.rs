//! Putting a record where another course of it has come to: what a simulation does with a record whose
//! own course is not possible any more. No transition is taken; what hangs on being there follows.

use model::event::{Event, SetBy};
use model::id::TransitionId;
use model::record::Record;

use super::{DecideError, Decided, Input, Interrupt, Outcome, Result, Step};
use crate::apply::begin;
use crate::directory::Ledger;
use crate::rejection::Rejection;

/// Decides what it takes to put the input's record where `other` is: its state, fields, requester, team
/// and assignee, and an approval where the other waits for one. The command is what could not be done.
///
/// # Errors
/// [`DecideError::Rejected`] where the workflow does not have the state; [`DecideError::Store`] where
/// the directory does not answer.
pub(crate) fn put(input: Input<'_>, other: &Record) -> std::result::Result<Outcome, DecideError> {
    let ledger = Ledger::new(input.directory);
    let result = Step::begin(input, &ledger).and_then(|step| step.put_at(other));
    if let Some(fault) = ledger.fault() {
        return Err(fault.into());
    }
    match result {
        Ok(decided) => Ok(Outcome::Decided(Box::new(decided))),
        Err(Interrupt::Ask(question)) => Ok(Outcome::Ask(question)),
        Err(Interrupt::Number) => Ok(Outcome::Number),
        Err(Interrupt::Nothing) => Ok(Outcome::Nothing),
        Err(Interrupt::Reject(rejection)) => Err(rejection.into()),
    }
}

impl Step<'_> {
    fn put_at(mut self, other: &Record) -> Result<Decided> {
        let workflow = self.input.workflow;
        let Some(to) = workflow.states.get(&other.state) else {
            let message = format!("the workflow has no state `{}`", other.state);
            return Err(Rejection::not_possible(message).into());
        };
        let via = TransitionId::new("put").expect("a valid id");
        let begins = self.input.record.is_none();
        if begins {
            let created = Event::Created {
                workflow: workflow.id.clone(),
                definition: workflow.digest,
                via: via.clone(),
                state: to.id.clone(),
                category: to.category,
                outcome: to.outcome.clone(),
                requester: other.requester.clone(),
                item: other.item.clone(),
                parent: other.parent.clone(),
            };
            self.record = begin(&other.id, &created, self.now())
                .ok_or_else(|| Rejection::not_possible("a record begins with its creation"))?;
            self.events.push(created);
        }
        self.put_values(other);
        let moves = self.record.state != other.state;
        if moves {
            self.leave();
            self.come_to(to, via);
        }
        // Its tasks went on as they did then.
        self.record.tasks.clone_from(&other.tasks);
        // Whoever was told then was told.
        self.record.escalation.clone_from(&other.escalation);
        self.put_approval(other, begins || moves)?;
        self.look_at_clocks()?;
        self.escalations.clear();
        self.look_at_window();
        self.look_at_timers();
        self.record.version += 1;
        self.record.updated_at = self.now();
        Ok(Decided {
            record: self.record,
            events: self.events,
            decisions: self.decisions,
            lookups: Vec::new(),
            questions: self.questions,
            windows_as_of: None,
        })
    }

    fn put_values(&mut self, other: &Record) {
        for field in self.input.workflow.fields.keys() {
            let value = other.field(field.as_str());
            if self.record.field(field.as_str()) != value {
                self.emit(Event::FieldSet {
                    field: field.clone(),
                    value: value.clone(),
                    by: SetBy::Edit,
                });
            }
        }
        if self.record.requester != other.requester {
            self.emit(Event::RequesterSet {
                requester: other.requester.clone(),
            });
        }
        if (&self.record.team, &self.record.assignee) != (&other.team, &other.assignee) {
            self.emit(Event::Assigned {
                team: other.team.clone(),
                assignee: other.assignee.clone(),
                reason: "as it was".to_owned(),
            });
        }
    }

    /// Waits for an approval if and only if the other does.
    fn put_approval(&mut self, other: &Record, entered: bool) -> Result<()> {
        let workflow = self.input.workflow;
        if other.approval.is_none() {
            self.record.approval = None;
            return Ok(());
        }
        let all = workflow.states.keys();
        let mut ways = all
            .flat_map(|state| workflow.transitions(state))
            .chain(workflow.create.values());
        let way = ways.find(|way| way.to.as_ref() == Some(&other.state));
        if let Some(way) = way.filter(|_| entered) {
            self.open_approval(way.id.as_str())?;
            // How it ends at once is of no use to a record that is where it was.
            self.ended = None;
        }
        Ok(())
    }
}
