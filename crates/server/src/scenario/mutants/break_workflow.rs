//! What can be broken in a workflow.

use indexmap::IndexMap;
use model::definition::{Approval, Field, Outcome, Permit, Timer, Transition, Wait, Workflow};
use model::id::{FieldId, StateId, TransitionId};
use model::time::Period;

use super::Break;
use super::filled::Filled;

/// A transition's place in its workflow.
enum Place {
    Create(TransitionId),
    State(StateId, TransitionId),
    Anywhere(TransitionId),
}

impl Place {
    fn path(&self) -> Vec<String> {
        match self {
            Self::Create(id) => path(&["create", id.as_str()]),
            Self::State(state, id) => path(&["states", state.as_str(), "transitions", id.as_str()]),
            Self::Anywhere(id) => path(&["anywhere", id.as_str()]),
        }
    }

    fn all<'w>(
        &self,
        workflow: &'w mut Workflow,
    ) -> Option<&'w mut IndexMap<TransitionId, Transition>> {
        match self {
            Self::Create(_) => Some(&mut workflow.create),
            Self::State(state, _) => {
                let state = workflow.states.get_mut(state)?;
                Some(&mut state.transitions)
            }
            Self::Anywhere(_) => Some(&mut workflow.anywhere),
        }
    }

    const fn id(&self) -> &TransitionId {
        match self {
            Self::Create(id) | Self::State(_, id) | Self::Anywhere(id) => id,
        }
    }
}

/// Collects breaks of one workflow.
struct Breaker<'w> {
    workflow: &'w Workflow,
    filled: &'w Filled,
    breaks: Vec<Break<Workflow>>,
}

/// Every way in which a workflow is broken, one thing at a time.
pub(super) fn breaks_of_workflow(workflow: &Workflow, filled: &Filled) -> Vec<Break<Workflow>> {
    let mut breaker = Breaker {
        workflow,
        filled,
        breaks: Vec::new(),
    };
    breaker.rights();
    breaker.tables();
    breaker.window();
    for id in workflow.create.keys() {
        let transition = &workflow.create[id];
        breaker.transition(&Place::Create(id.clone()), transition);
    }
    for (state, it) in &workflow.states {
        for (id, transition) in &it.transitions {
            let place = Place::State(state.clone(), id.clone());
            breaker.transition(&place, transition);
        }
        breaker.approval(state);
        breaker.tasks(state);
        for (id, timer) in &it.timers {
            let at = path(&["states", state.as_str(), "timers", id.as_str()]);
            breaker.timer(&at, timer, &|workflow| {
                let state = workflow.states.get_mut(state)?;
                Some(&mut state.timers)
            });
        }
    }
    for (id, transition) in &workflow.anywhere {
        breaker.transition(&Place::Anywhere(id.clone()), transition);
    }
    for (id, timer) in &workflow.timers {
        let at = path(&["timers", id.as_str()]);
        breaker.timer(&at, timer, &|workflow| Some(&mut workflow.timers));
    }
    breaker.breaks
}

impl Breaker<'_> {
    fn add(
        &mut self,
        kind: &'static str,
        path: Vec<String>,
        change: impl FnOnce(&mut Workflow) -> Option<()>,
    ) {
        let mut definition = self.workflow.clone();
        // What cannot be changed is no break.
        if change(&mut definition).is_some() && definition != *self.workflow {
            self.breaks.push(Break {
                kind,
                path,
                definition,
            });
        }
    }

    /// Who may see and change the records, outside transitions.
    fn rights(&mut self) {
        let workflow = self.workflow;
        self.permits(&["see"], &workflow.see, &|it| Some(&mut it.see));
        self.permits(&["edit"], &workflow.edit, &|it| Some(&mut it.edit));
        for (field, it) in &workflow.fields {
            let at = ["fields", field.as_str(), "override"];
            self.permits(&at, &it.overridden_by, &|it| {
                Some(&mut it.fields.get_mut(field)?.overridden_by)
            });
        }
        if workflow.routing.as_ref().is_some_and(|it| it.by.is_some()) {
            self.add(
                "routing decided by nobody",
                path(&["routing", "by"]),
                |it| {
                    it.routing.as_mut()?.by = None;
                    Some(())
                },
            );
        }
    }

    fn permits(
        &mut self,
        at: &[&str],
        permits: &IndexMap<String, Permit>,
        within: &dyn Fn(&mut Workflow) -> Option<&mut IndexMap<String, Permit>>,
    ) {
        for (right, permit) in permits {
            let at = path(&[at, &[right.as_str()]].concat());
            self.add("permit removed", at.clone(), |it| {
                within(it)?.shift_remove(right).map(drop)
            });
            if matches!(permit, Permit::When(_)) {
                self.add("permit without its condition", at, |it| {
                    *within(it)?.get_mut(right)? = Permit::Always(true);
                    Some(())
                });
            }
        }
        if !permits.is_empty() {
            self.add("permit opened to anyone", path(at), |it| {
                let permits = within(it)?;
                *permits = IndexMap::from([("anyone".to_owned(), Permit::Always(true))]);
                Some(())
            });
        }
    }

    fn tables(&mut self) {
        for (table, it) in &self.workflow.tables {
            for row in it.rows.keys() {
                let at = path(&["tables", table.as_str(), "rows", row.as_str()]);
                self.add("row removed", at, |it| {
                    it.tables.get_mut(table)?.rows.shift_remove(row).map(drop)
                });
            }
        }
    }

    fn window(&mut self) {
        let workflow = self.workflow;
        let Some(window) = &workflow.window else {
            return;
        };
        for field in window.affects.keys() {
            let at = path(&["window", "affects", field.as_str()]);
            self.add("window disturbs less", at, |it| {
                it.window.as_mut()?.affects.shift_remove(field).map(drop)
            });
        }
        for freeze in window.freezes.keys() {
            let at = path(&["window", "freezes", freeze.as_str()]);
            self.add("freeze removed", at, |it| {
                it.window.as_mut()?.freezes.shift_remove(freeze).map(drop)
            });
        }
    }

    fn transition(&mut self, place: &Place, transition: &Transition) {
        let at = place.path();
        let texts: Vec<&str> = at.iter().map(String::as_str).collect();
        let below = |more: &[&str]| path(&[&texts[..], more].concat());
        let id = place.id();
        self.add("transition removed", at.clone(), |it| {
            place.all(it)?.shift_remove(id).map(drop)
        });
        let at_permit = [&texts[..], &["permit"]].concat();
        self.permits(&at_permit, &transition.permit, &|it| {
            Some(&mut place.all(it)?.get_mut(id)?.permit)
        });
        for requirement in transition.require.keys() {
            let at = below(&["require", requirement.as_str()]);
            self.add("requirement removed", at, |it| {
                let transition = place.all(it)?.get_mut(id)?;
                transition.require.shift_remove(requirement).map(drop)
            });
        }
        // What has a default, or is filled in by whatever takes it, is never missing.
        let needs = |(field, asked): &(&FieldId, &Field)| {
            let own = self.workflow.fields.get(*field);
            let default = asked.default.is_some() || own.is_some_and(|own| own.default.is_some());
            asked.required && !default && !self.filled.always(id, transition, field)
        };
        let needed: Vec<&FieldId> = transition
            .form
            .iter()
            .filter(needs)
            .map(|(id, _)| id)
            .collect();
        for field in needed {
            let at = below(&["form", field.as_str(), "required"]);
            self.add("form not required", at, |it| {
                let transition = place.all(it)?.get_mut(id)?;
                transition.form.get_mut(field)?.required = false;
                Some(())
            });
        }
        for field in transition.set.keys() {
            let at = below(&["set", field.as_str()]);
            self.add("setting removed", at, |it| {
                let transition = place.all(it)?.get_mut(id)?;
                transition.set.shift_remove(field).map(drop)
            });
        }
        for effect in transition.effects.keys() {
            let at = below(&["effects", effect.as_str()]);
            self.add("effect removed", at, |it| {
                let transition = place.all(it)?.get_mut(id)?;
                transition.effects.shift_remove(effect).map(drop)
            });
        }
        self.add("not routed", below(&["route"]), |it| {
            place.all(it)?.get_mut(id)?.route = false;
            Some(())
        });
    }

    fn tasks(&mut self, id: &StateId) {
        let Some(tasks) = &self.workflow.states[id].tasks else {
            return;
        };
        let below = |more: &[&str]| path(&[&["states", id.as_str(), "tasks"], more].concat());
        for (task, said) in &tasks.each {
            self.add(
                "task not handed out",
                below(&["each", task.as_str()]),
                |it| {
                    let tasks = it.states.get_mut(id)?.tasks.as_mut()?;
                    tasks.each.values_mut().for_each(|other| {
                        other.needs.shift_remove(task);
                    });
                    tasks.each.shift_remove(task).map(drop)
                },
            );
            if said.when.is_some() {
                let at = below(&["each", task.as_str(), "when"]);
                self.add("task without its condition", at, |it| {
                    let tasks = it.states.get_mut(id)?.tasks.as_mut()?;
                    tasks.each.get_mut(task)?.when = None;
                    Some(())
                });
            }
            for needed in said.needs.keys() {
                let at = below(&["each", task.as_str(), "needs", needed.as_str()]);
                self.add("task not waited for", at, |it| {
                    let tasks = it.states.get_mut(id)?.tasks.as_mut()?;
                    tasks
                        .each
                        .get_mut(task)?
                        .needs
                        .shift_remove(needed)
                        .map(drop)
                });
            }
        }
        self.add(
            "tasks outlive their parent",
            below(&["with-parent"]),
            |it| {
                it.states.get_mut(id)?.tasks.as_mut()?.with_parent = None;
                Some(())
            },
        );
        self.add(
            "failed task not heard of",
            below(&["then", "failed"]),
            |it| {
                it.states.get_mut(id)?.tasks.as_mut()?.then.failed = None;
                Some(())
            },
        );
    }

    fn approval(&mut self, id: &StateId) {
        let state = &self.workflow.states[id];
        let Some(approval) = &state.approval else {
            return;
        };
        let below = |more: &[&str]| path(&[&["states", id.as_str(), "approval"], more].concat());
        if approval.by.is_some() {
            self.add("approval decided by no plugin", below(&["by"]), |it| {
                it.states.get_mut(id)?.approval.as_mut()?.by = None;
                Some(())
            });
        }
        for stage in approval.stages.keys() {
            self.add("stage removed", below(&["stages", stage.as_str()]), |it| {
                let approval = it.states.get_mut(id)?.approval.as_mut()?;
                approval.stages.shift_remove(stage).map(drop)
            });
        }
        for (outcome, transition) in &approval.then {
            if *outcome == Outcome::NobodyAsked && asks_somebody(approval) {
                continue;
            }
            let others = approval.then.values().chain(state.transitions.keys());
            let Some(other) = others.into_iter().find(|other| *other != transition) else {
                continue;
            };
            let word = serde_json::to_value(outcome).unwrap_or_default();
            let at = below(&["then", word.as_str().unwrap_or_default()]);
            self.add("approval led elsewhere", at, |it| {
                let approval = it.states.get_mut(id)?.approval.as_mut()?;
                *approval.then.get_mut(outcome)? = other.clone();
                Some(())
            });
        }
    }

    fn timer(
        &mut self,
        at: &[String],
        timer: &Timer,
        within: &dyn Fn(&mut Workflow) -> Option<&mut IndexMap<model::id::TimerId, Timer>>,
    ) {
        let Some(id) = at.last().cloned() else { return };
        let below = |more: &[&str]| {
            let texts: Vec<&str> = at.iter().map(String::as_str).collect();
            path(&[&texts[..], more].concat())
        };
        self.add("timer removed", at.to_vec(), |it| {
            within(it)?.shift_remove(id.as_str()).map(drop)
        });
        self.add("timer twice as late", below(&["wait"]), |it| {
            let timer = within(it)?.get_mut(id.as_str())?;
            match &mut timer.wait {
                Wait::Time(period) | Wait::Business { period, .. } => *period = twice(*period),
            }
            Some(())
        });
        self.add("timer not repeated", below(&["repeat"]), |it| {
            within(it)?.get_mut(id.as_str())?.repeat = false;
            Some(())
        });
        for effect in timer.effects.keys() {
            let at = below(&["effects", effect.as_str()]);
            self.add("effect removed", at, |it| {
                let timer = within(it)?.get_mut(id.as_str())?;
                timer.effects.shift_remove(effect).map(drop)
            });
        }
    }
}

/// Whether an approval never ends without anybody having been asked: one of its stages always applies, or
/// a plugin decides, in whose place it is unreachable.
fn asks_somebody(approval: &Approval) -> bool {
    let mut stages = approval.stages.values();
    approval.by.is_some() || stages.any(|stage| stage.when.is_none())
}

/// A period twice as long.
pub(super) const fn twice(period: Period) -> Period {
    Period {
        days: period.days.saturating_mul(2),
        time: period.time.saturating_add(period.time),
    }
}

pub(super) fn path(keys: &[&str]) -> Vec<String> {
    keys.iter().map(|key| (*key).to_owned()).collect()
}
