//! Tasks: handed out as a state is entered, begun in their turn, joined by their ends.
//!
//! A record knows of its tasks what they told it, so that joining them reads no other record.

use std::collections::BTreeMap;

use definition::compile::{Computed, Task, Tasks};
use indexmap::IndexMap;
use model::definition::{Category, CreateEffect, Setting};
use model::event::Event;
use model::id::{FieldId, RecordId, TaskId, TransitionId, WorkflowId};
use model::record::{DONE, EffectCall, EffectKey, Task as Known, TaskOf, TaskStatus};
use serde_json::Map;

use super::{Result, Step};

impl<'a> Step<'a> {
    /// Hands out the tasks of the state that was just entered.
    pub(super) fn hand_out_tasks(&mut self) {
        let Some(tasks) = self.state_tasks() else {
            return;
        };
        let mut handed: BTreeMap<TaskId, WorkflowId> = BTreeMap::new();
        for task in tasks.each.values() {
            let place = || format!("task {}", task.id);
            if task
                .when
                .as_ref()
                .is_none_or(|when| self.holds(when, place))
            {
                handed.insert(task.id.clone(), task.workflow.clone());
            }
        }
        self.emit(Event::TasksSet { tasks: handed });
        self.begin_tasks(tasks);
    }

    /// The tasks of the state that the record is in.
    fn state_tasks(&self) -> Option<&'a Tasks> {
        let state = self.input.workflow.states.get(&self.record.state)?;
        state.tasks.as_ref()
    }

    /// Begins the tasks that need no others any more. One that was not handed out is no obstacle.
    fn begin_tasks(&mut self, tasks: &Tasks) {
        let is_met = |step: &Self, needed: &TaskId| {
            let task = step.record.tasks.get(needed);
            task.is_none_or(|task| task.outcome.as_deref() == Some(DONE))
        };
        for task in tasks.each.values() {
            let known = self.record.tasks.get(&task.id);
            let waits = known.is_some_and(|known| known.status == TaskStatus::Waiting);
            if waits && task.needs.iter().all(|needed| is_met(self, needed)) {
                self.begin_task(task);
            }
        }
    }

    fn begin_task(&mut self, task: &Task) {
        let place = format!("task {}", task.id);
        let create = CreateEffect {
            workflow: task.workflow.clone(),
            create: task.create.clone(),
            set: self.settings(&task.set, &place),
            link: None,
        };
        let call = EffectCall::Create {
            create,
            task: Some(task.id.clone()),
        };
        if let Some(effect) = self.due(call) {
            self.emit(Event::TaskOpened {
                task: task.id.clone(),
                effect,
            });
        }
    }

    /// Notes the record of a task that has begun. Where nobody waits for it any more, it ends as it would
    /// have with those that had begun.
    pub(super) fn task_begun(&mut self, id: &TaskId, effect: EffectKey, record: &RecordId) {
        let known = self.record.tasks.get(id);
        let Some(status) = known
            .filter(|known| known.begun == Some(effect))
            .map(|known| known.status)
        else {
            return;
        };
        self.emit(Event::TaskBegun {
            task: id.clone(),
            record: record.clone(),
        });
        if status == TaskStatus::Dropped {
            let mut states = self.input.workflow.states.values();
            let of = states.find_map(|state| {
                let tasks = state.tasks.as_ref()?;
                tasks.each.contains_key(id).then_some(tasks)
            });
            if let Some(taken) = of.and_then(|tasks| tasks.with_parent.clone()) {
                self.end_task(record, &taken);
            }
        }
    }

    /// Notes the end of a task that is waited for, and begins those that needed it.
    pub(super) fn task_ended(&mut self, of: &TaskOf, record: &RecordId, outcome: &str) {
        let known = self.record.tasks.get(&of.task);
        let waited_for = known
            .is_some_and(|known| known.begun == Some(of.begun) && known.status == TaskStatus::Open);
        if !waited_for {
            return;
        }
        self.emit(Event::TaskEnded {
            task: of.task.clone(),
            record: record.clone(),
            outcome: outcome.to_owned(),
        });
        if let Some(tasks) = self.state_tasks() {
            self.begin_tasks(tasks);
        }
    }

    /// Goes on where the tasks of the state say so: one has failed, or all have ended well.
    pub(super) fn join_tasks(&mut self) -> Result<bool> {
        let Some(tasks) = self.state_tasks() else {
            return Ok(false);
        };
        let ended = |task: &&Known| task.status == TaskStatus::Ended;
        let well = |task: &Known| task.outcome.as_deref() == Some(DONE);
        let mut all = self.record.tasks.iter();
        if let Some((id, task)) = all.find(|(_, task)| ended(task) && !well(task)) {
            let Some(failed) = &tasks.failed else {
                return Ok(false);
            };
            let outcome = task.outcome.as_deref().unwrap_or_default();
            let reason = format!("the task `{id}` ended with the outcome `{outcome}`");
            return self.follow(failed, &reason);
        }
        if self.record.tasks.values().all(|task| ended(&task)) {
            return self.follow(&tasks.all, "all tasks have ended");
        }
        Ok(false)
    }

    /// Goes on without the tasks of the state that is left: those that have begun take what the state
    /// says.
    pub(super) fn leave_tasks(&mut self) {
        let Some(tasks) = self.state_tasks() else {
            return;
        };
        let left: Vec<(TaskId, Option<RecordId>)> = self
            .record
            .tasks
            .iter()
            .filter(|(_, task)| matches!(task.status, TaskStatus::Waiting | TaskStatus::Open))
            .map(|(id, task)| (id.clone(), task.record.clone()))
            .collect();
        for (task, record) in left {
            self.emit(Event::TaskDropped { task });
            if let (Some(record), Some(taken)) = (record, &tasks.with_parent) {
                self.end_task(&record, taken);
            }
        }
    }

    fn end_task(&mut self, record: &RecordId, transition: &TransitionId) {
        self.due(EffectCall::Take {
            target: record.clone(),
            transition: transition.clone(),
            input: Map::new(),
        });
    }

    /// Tells the record that handed this one out how it ended, where it has.
    pub(super) fn tell_parent(&mut self) {
        if self.record.category != Category::Closed {
            return;
        }
        if let Some(of) = self.record.parent.clone() {
            let outcome = self.record.outcome.clone();
            let outcome = outcome.unwrap_or_else(|| Category::Closed.as_str().to_owned());
            self.due(EffectCall::TaskEnded { of, outcome });
        }
    }

    /// The settings of a record that is to begin, computed from this one.
    pub(super) fn settings(
        &mut self,
        set: &[(FieldId, Computed)],
        place: &str,
    ) -> IndexMap<FieldId, Setting> {
        let mut settings = IndexMap::new();
        for (field, computed) in set {
            let value = match computed {
                Computed::Literal(value) => Some(value.to_json()),
                Computed::Expression(expression) => self
                    .evaluate(expression, || format!("{place}, set {field}"))
                    .map(|term| term.to_json()),
            };
            settings.extend(value.map(|value| (field.clone(), Setting::Literal(value))));
        }
        settings
    }
}
