//! What other records always fill into a form that nobody fills in by hand.
//!
//! Where a transition permits nobody and nothing takes it but effects on linked records, and each of
//! these gives a field a value that it has for certain, it makes no difference whether the form requires
//! that field: no run could tell the two apart.

use std::collections::BTreeSet;

use definition::compile::Installable;
use indexmap::IndexMap;
use model::definition::{EachEffect, Effect, Field, Setting, Transition, Workflow};
use model::id::{EffectName, FieldId, TransitionId};

/// What takes transitions in all workflows, by the transitions' names. Workflows whose transitions are
/// called alike are not told apart, which can only make less certain.
#[derive(Default)]
pub(super) struct Filled {
    /// Taken by timers, approvals, tasks and breaches, which fill in nothing.
    unfilled: BTreeSet<TransitionId>,
    /// Taken by effects on linked records, each with what it gives for certain.
    filled: Vec<(TransitionId, BTreeSet<FieldId>)>,
}

impl Filled {
    pub(super) fn of(installable: &Installable) -> Self {
        let workflows = installable.workflows.values();
        let workflows = workflows.map(|version| &version.definition);
        let items = installable.catalogue.values().map(|item| &item.workflow);
        let mut all = Self::of_workflows(workflows.chain(items));
        for level in installable.service_levels.values() {
            let breaches = level.definition.targets.values();
            let breaches = breaches.filter_map(|target| target.breach.as_ref());
            all.unfilled
                .extend(breaches.filter_map(|breach| breach.transition.clone()));
        }
        all
    }

    pub(super) fn of_workflows<'w>(workflows: impl IntoIterator<Item = &'w Workflow>) -> Self {
        let mut all = Self::default();
        workflows.into_iter().for_each(|it| all.workflow(it));
        all
    }

    /// Whether a field of this transition's form has a value however it is taken.
    pub(super) fn always(
        &self,
        id: &TransitionId,
        transition: &Transition,
        field: &FieldId,
    ) -> bool {
        let by_hand = transition.automatic || !transition.permit.is_empty();
        let mut takers = self.filled.iter().filter(|(taken, _)| taken == id);
        let mut fill = takers.clone().map(|(_, given)| given);
        !by_hand
            && !self.unfilled.contains(id)
            && takers.next().is_some()
            && fill.all(|given| given.contains(field))
    }

    fn workflow(&mut self, workflow: &Workflow) {
        let states = workflow.states.values();
        let own = states.clone().flat_map(|state| &state.transitions);
        for (_, transition) in workflow.create.iter().chain(&workflow.anywhere).chain(own) {
            self.effects(&transition.effects, Some(transition));
        }
        let timers = states.clone().flat_map(|state| state.timers.values());
        for timer in timers.chain(workflow.timers.values()) {
            self.effects(&timer.effects, None);
            self.unfilled.extend(timer.transition.clone());
        }
        for state in states {
            let approval = state.approval.iter();
            self.unfilled
                .extend(approval.flat_map(|it| it.then.values().cloned()));
            if let Some(tasks) = &state.tasks {
                self.unfilled.insert(tasks.then.all.clone());
                self.unfilled.extend(tasks.then.failed.clone());
                self.unfilled.extend(tasks.with_parent.clone());
            }
        }
    }

    fn effects(&mut self, effects: &IndexMap<EffectName, Effect>, cause: Option<&Transition>) {
        for effect in effects.values() {
            if let Effect::Each(each) = effect {
                let given = given(each, cause);
                self.filled.push((each.transition.clone(), given));
            }
        }
    }
}

/// What an effect gives for certain: what is written down, and what the form of the transition that causes
/// it requires.
fn given(each: &EachEffect, cause: Option<&Transition>) -> BTreeSet<FieldId> {
    let certain = |setting: &Setting| match setting {
        Setting::Literal(value) => !value.is_null(),
        Setting::Computed { cel } => {
            let name = cel.0.trim();
            let kept = cause.filter(|cause| !cause.set.contains_key(name));
            let asked: Option<&Field> = kept.and_then(|cause| cause.form.get(name));
            asked.is_some_and(|field| field.required && field.when.is_none())
        }
    };
    let given = each.set.iter().filter(|(_, setting)| certain(setting));
    given.map(|(field, _)| field.clone()).collect()
}
