//! Taking transitions: permit, form and requirements; then `set`, fields, tables, the state, and what
//! entering it brings.

use std::collections::BTreeMap;

use definition::compile::{FormField, Slot, State, Transition};
use model::Value;
use model::command::{Create, Who};
use model::event::{Event, SetBy};
use model::id::{PersonId, TransitionId};
use model::journal::Decision;
use serde_json::{Map, Value as Json};

use super::{Interrupt, Result, Step, has_right};
use crate::apply::begin;
use crate::rejection::{InputFault, Rejection};

impl Step<'_> {
    /// Begins a record, by the way named or the first that the actor may take.
    pub(super) fn create(&mut self, create: &Create) -> Result<()> {
        let workflow = self.input.workflow;
        self.check_offered(create)?;
        let requester = create
            .requester
            .clone()
            .or_else(|| self.actor().person().cloned());
        self.record.requester.clone_from(&requester);
        let way = match &create.via {
            Some(via) => workflow
                .create
                .get(via)
                .ok_or_else(|| Rejection::not_found("way to begin", via))?,
            None => workflow
                .create
                .values()
                .find(|way| self.may(&way.permit))
                .ok_or_else(|| self.forbidden("create", "a way to begin"))?,
        };
        if !self.may(&way.permit) {
            return Err(self
                .forbidden(&format!("begin by `{}`", way.id), &rights(way))
                .into());
        }
        let for_another =
            create.requester.is_some() && create.requester.as_ref() != self.actor().person();
        // A record that has not begun has nothing yet by which a condition could be judged.
        let edits = has_right(self.actor(), &self.record, &workflow.edit, |_| true);
        if for_another && !edits {
            return Err(self
                .forbidden("create for someone else", "a right to edit")
                .into());
        }
        let to = way.to.as_ref().and_then(|to| workflow.states.get(to));
        let to = to.ok_or_else(|| {
            Rejection::not_possible(format!("the way to begin `{}` leads to no state", way.id))
        })?;
        let created = Event::Created {
            workflow: workflow.id.clone(),
            definition: workflow.digest,
            via: way.id.clone(),
            state: to.id.clone(),
            category: to.category,
            outcome: to.outcome.clone(),
            requester,
            item: create.item.clone(),
            parent: create.parent.clone(),
        };
        self.record = begin(&self.record.id, &created, self.now())
            .ok_or_else(|| Rejection::not_possible("a record begins with its creation"))?;
        self.events.push(created);
        self.set_defaults();
        self.fill_form(way, &create.fields)?;
        self.check_requirements(way)?;
        // What may be refused has been; all that follows may name the record.
        if self.input.number.is_none() {
            return Err(Interrupt::Number);
        }
        self.changed.extend(workflow.fields.keys().cloned());
        self.carry_out(way, true)?;
        if let Some((kind, target)) = &create.link {
            self.link(kind, target)?;
        }
        if let Some((binding, reference)) = &create.reference {
            self.emit(Event::Referred {
                binding: binding.clone(),
                reference: reference.clone(),
            });
        }
        Ok(())
    }

    /// Holds an item of the catalogue to those whom it is offered.
    fn check_offered(&mut self, create: &Create) -> Result<()> {
        let Some(id) = &create.item else {
            return Ok(());
        };
        let definitions = self.input.definitions;
        let offer = definitions
            .catalogue
            .get(id)
            .and_then(|item| item.offer.as_ref());
        match offer.map(|offer| offer.holds(&self.scope())) {
            None | Some(Ok(true)) => Ok(()),
            Some(_) => Err(self
                .forbidden(
                    &format!("ask for `{id}`"),
                    "to be one of those whom it is offered",
                )
                .into()),
        }
    }

    /// Takes the transition that the actor names.
    pub(super) fn transition(
        &mut self,
        name: &TransitionId,
        input: &Map<String, Json>,
    ) -> Result<()> {
        let workflow = self.input.workflow;
        let state = self.record.state.clone();
        let Some(transition) = workflow.transition(&state, name.as_str()) else {
            let possible: Vec<_> = workflow
                .transitions(&state)
                .filter(|transition| !transition.permit.0.is_empty())
                .map(|transition| transition.id.to_string())
                .collect();
            let message = format!(
                "`{name}` is not possible in the state `{state}`; possible: {}",
                list(&possible)
            );
            return Err(Rejection::not_possible(message).into());
        };
        // Without a permit only workflows take it: its own, or another's by an effect.
        let by_workflow = self.actor().who == Who::Timer;
        if !by_workflow && (transition.permit.0.is_empty() || !self.may(&transition.permit)) {
            return Err(self
                .forbidden(&format!("take `{name}`"), &rights(transition))
                .into());
        }
        self.fill_form(transition, input)?;
        self.check_requirements(transition)?;
        self.carry_out(transition, false)
    }

    /// Takes a transition that follows by itself, where its requirements hold; says whether it did.
    pub(super) fn follow(&mut self, name: &TransitionId, reason: &str) -> Result<bool> {
        let workflow = self.input.workflow;
        let state = self.record.state.clone();
        let Some(transition) = workflow.transition(&state, name.as_str()) else {
            self.failed(
                format!("transition {name}"),
                format!("it does not leave the state `{state}` ({reason})"),
            );
            return Ok(false);
        };
        self.form = BTreeMap::new();
        if let Some(say) = self.unmet(transition) {
            self.failed(format!("transition {name}"), format!("{say} ({reason})"));
            return Ok(false);
        }
        self.decisions.push(Decision::Automatic {
            transition: name.clone(),
            reason: reason.to_owned(),
        });
        self.carry_out(transition, false)?;
        Ok(true)
    }

    /// Takes the first automatic transition whose requirements hold.
    pub(super) fn take_automatic(&mut self) -> Result<bool> {
        let workflow = self.input.workflow;
        let state = self.record.state.clone();
        let mut ready = None;
        for transition in workflow
            .transitions(&state)
            .filter(|transition| transition.automatic)
        {
            self.form = BTreeMap::new();
            let scope = self.scope();
            if transition
                .require
                .iter()
                .all(|requirement| requirement.when.holds(&scope).unwrap_or(false))
            {
                ready = Some(transition.id.clone());
                break;
            }
        }
        match ready {
            Some(transition) => self.follow(&transition, "its requirements hold"),
            None => Ok(false),
        }
    }

    /// What a transition does once it may be taken; `begins` where the record has just entered its state.
    fn carry_out(&mut self, transition: &Transition, begins: bool) -> Result<()> {
        self.set(transition);
        self.decide_fields();
        let entered = begins || self.enter(transition);
        if transition.route {
            self.route()?;
        }
        if entered {
            self.hand_out_tasks();
            self.open_approval(transition.id.as_str())?;
            self.tell_parent();
        }
        let place = format!("transition {}", transition.id);
        self.cause(&transition.effects, &place);
        Ok(())
    }

    /// Moves to where the transition leads; says whether that is another state. Staying restarts nothing.
    fn enter(&mut self, transition: &Transition) -> bool {
        let workflow = self.input.workflow;
        let via = transition.id.clone();
        let to = transition
            .to
            .as_ref()
            .filter(|to| **to != self.record.state)
            .and_then(|to| workflow.states.get(to));
        let Some(to) = to else {
            self.emit(Event::Stayed { via });
            return false;
        };
        self.leave();
        self.leave_tasks();
        self.come_to(to, via);
        // What ended before is of the state that was left.
        self.ended = None;
        true
    }

    /// Notes that the record is in another state now.
    pub(super) fn come_to(&mut self, to: &State, via: TransitionId) {
        self.emit(Event::Entered {
            via,
            from: self.record.state.clone(),
            to: to.id.clone(),
            category: to.category,
            outcome: to.outcome.clone(),
        });
        self.entered = true;
    }

    /// Fills in the form: every part is accepted, or all faults are told.
    fn fill_form(&mut self, transition: &Transition, input: &Map<String, Json>) -> Result<()> {
        let mut faults = Vec::new();
        let mut filled = Vec::new();
        self.form = BTreeMap::new();
        for name in input
            .keys()
            .filter(|name| !transition.form.contains_key(name.as_str()))
        {
            let asked: Vec<_> = transition.form.keys().map(ToString::to_string).collect();
            faults.push(InputFault::of(
                name,
                format!(
                    "`{}` does not ask for it; it asks for: {}",
                    transition.id,
                    list(&asked)
                ),
            ));
        }
        for (id, part) in &transition.form {
            let given = input.get(id.as_str()).filter(|json| !json.is_null());
            if !self.is_asked(part, &transition.id) {
                if given.is_some() {
                    let message = "it is not asked for here: the form asks for it under a condition that does not hold";
                    faults.push(InputFault::of(id.as_str(), message));
                }
                continue;
            }
            // A value that the form itself brings is put like one that was given.
            let (is_new, value) = match input.get(id.as_str()) {
                Some(json) => (true, part.field.accept(json)),
                None if part.slot.is_none() => (false, Ok(part.field.default.clone())),
                None if self.has_own_default(part) => (true, Ok(part.field.default.clone())),
                None => (false, Ok(self.present(part.slot.as_ref()))),
            };
            match value {
                Ok(value) if value.is_null() && part.required => {
                    faults.push(InputFault::of(id.as_str(), "it is required"));
                }
                Ok(value) => {
                    self.form.insert(id.clone(), value.clone());
                    filled.push((id, part.slot.as_ref(), is_new, value));
                }
                Err(message) => faults.push(InputFault::of(id.as_str(), message)),
            }
        }
        if !faults.is_empty() {
            return Err(Rejection::Invalid { faults }.into());
        }
        // A team takes its assignee along, so that it comes first.
        filled.sort_by_key(|(_, slot, ..)| !matches!(slot, Some(Slot::Team)));
        for (id, slot, is_given, value) in filled {
            if let (Some(slot), true) = (slot, is_given) {
                self.put(slot, value, SetBy::Form)
                    .map_err(|message| Rejection::Invalid {
                        faults: vec![InputFault::of(id.as_str(), message)],
                    })?;
            }
        }
        let faults: Vec<_> = self
            .window_fault(transition.form.keys())
            .into_iter()
            .collect();
        if !faults.is_empty() {
            return Err(Rejection::Invalid { faults }.into());
        }
        Ok(())
    }

    /// Whether a form asks for a field, going by what it was given before.
    fn is_asked(&mut self, part: &FormField, transition: &TransitionId) -> bool {
        part.when.iter().all(|when| {
            self.holds(when, || {
                format!("transition {transition}, form, {}", part.field.id)
            })
        })
    }

    /// Whether the form gives the field a default that is not the field's own.
    fn has_own_default(&self, part: &FormField) -> bool {
        let Some(Slot::Field(id)) = &part.slot else {
            return false;
        };
        let own = self
            .input
            .workflow
            .fields
            .get(id)
            .map(|field| &field.default);
        !part.field.default.is_null() && own != Some(&part.field.default)
    }

    fn present(&self, slot: Option<&Slot>) -> Value {
        let text = |id: Option<&str>| id.map_or(Value::Null, Value::from);
        match slot {
            None => Value::Null,
            Some(Slot::Field(field)) => self.record.field(field.as_str()).clone(),
            Some(Slot::Assignee) => text(self.record.assignee.as_ref().map(AsRef::as_ref)),
            Some(Slot::Team) => text(self.record.team.as_ref().map(AsRef::as_ref)),
            Some(Slot::Requester) => text(self.record.requester.as_ref().map(AsRef::as_ref)),
        }
    }

    fn check_requirements(&mut self, transition: &Transition) -> Result<()> {
        match self.unmet(transition) {
            Some(say) => Err(Interrupt::Reject(Rejection::not_possible(say))),
            None => Ok(()),
        }
    }

    /// What to tell of the requirements that do not hold; none where all do.
    fn unmet(&mut self, transition: &Transition) -> Option<String> {
        let scope = self.scope();
        let unmet: Vec<String> = transition
            .require
            .iter()
            .filter_map(|requirement| match requirement.when.holds(&scope) {
                Ok(true) => None,
                Ok(false) => Some(requirement.say.clone()),
                Err(error) => Some(format!(
                    "{} (`{}` could not be told: {error})",
                    requirement.say, requirement.id
                )),
            })
            .collect();
        (!unmet.is_empty()).then(|| unmet.join(" "))
    }

    pub(super) fn forbidden(&self, action: &str, right: &str) -> Rejection {
        let actor = match &self.actor().who {
            Who::Person(person) => person.to_string(),
            _ => self.actor().id().to_string(),
        };
        Rejection::Forbidden {
            actor,
            action: action.to_owned(),
            right: right.to_owned(),
        }
    }

    /// Follows, or no longer follows; oneself, or others for those who may edit.
    pub(super) fn watch(&mut self, person: &PersonId, watches: bool) -> Result<()> {
        if self.actor().person() != Some(person) && !self.may(&self.input.workflow.edit) {
            return Err(self.forbidden("let others watch", "a right to edit").into());
        }
        if self.record.watchers.len() >= 500 && watches {
            return Err(Rejection::not_possible("500 people watch it: no more can").into());
        }
        if self.record.watchers.contains(person) != watches {
            self.emit(Event::Watched {
                person: person.clone(),
                watches,
            });
        }
        Ok(())
    }

    /// Says something; what only agents see takes a right to edit.
    pub(super) fn comment(&mut self, text: &str, public: bool) -> Result<()> {
        if !public && !self.may(&self.input.workflow.edit) {
            return Err(self
                .forbidden("comment for agents only", "a right to edit")
                .into());
        }
        if text.trim().is_empty() || text.len() > 100_000 {
            let fault = InputFault::of("text", "a comment has 1 to 100,000 characters");
            return Err(Rejection::Invalid {
                faults: vec![fault],
            }
            .into());
        }
        self.emit(Event::Commented {
            text: text.to_owned(),
            public,
        });
        if public {
            self.answer_questions();
        }
        Ok(())
    }
}

/// What it takes to take a transition, for a refusal.
fn rights(transition: &Transition) -> String {
    let rights: Vec<String> = transition
        .permit
        .0
        .iter()
        .map(|permit| match &permit.right {
            definition::compile::Right::Anyone => "anyone".to_owned(),
            definition::compile::Right::Requester => "the requester".to_owned(),
            definition::compile::Right::Assignee => "the assignee".to_owned(),
            definition::compile::Right::Team => "a member of its team".to_owned(),
            definition::compile::Right::Watcher => "a watcher".to_owned(),
            definition::compile::Right::Role(role) => format!("the role `{role}`"),
        })
        .collect();
    if rights.is_empty() {
        "nobody: the workflow takes it by itself".to_owned()
    } else {
        rights.join(" or ")
    }
}

pub(super) fn list(names: &[String]) -> String {
    if names.is_empty() {
        "nothing".to_owned()
    } else {
        names.join(", ")
    }
}
