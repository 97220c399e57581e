//! Tasks: what a state hands out, in which order, and what follows.

use std::collections::{BTreeMap, BTreeSet};

use model::definition;
use model::id::{TaskId, TransitionId, WorkflowId};

use super::compiler::Compiler;
use super::effects::{begins_with, fill};
use super::fault::Spot;
use super::order::{Order, in_order};
use super::types::{Task, Tasks};
use crate::expression::Scope;

/// The most tasks of a state.
const MAX_TASKS: usize = 100;

/// Compiles the tasks of a state, standing at them.
pub(super) fn tasks(
    compiler: &mut Compiler<'_>,
    source: &definition::Tasks,
    scope: &Scope,
) -> Tasks {
    if source.each.is_empty() {
        compiler.key(&["each"], "tasks", "no task is handed out");
    }
    if source.each.len() > MAX_TASKS {
        let message = format!("a state hands out at most {MAX_TASKS} tasks");
        compiler.key(&["each"], "too-many", message);
    }
    let each: BTreeMap<TaskId, Task> = compiler.within("each", |compiler| {
        let each = source.each.iter().map(|(id, task_source)| {
            let task = compiler.within(id.as_str(), |compiler| {
                task(compiler, id, task_source, source, scope)
            });
            (id.clone(), task)
        });
        each.collect()
    });
    in_turn(compiler, &each);
    Tasks {
        each,
        all: source.then.all.clone(),
        failed: source.then.failed.clone(),
        with_parent: source.with_parent.clone(),
    }
}

fn task(
    compiler: &mut Compiler<'_>,
    id: &TaskId,
    source: &definition::Task,
    all: &definition::Tasks,
    scope: &Scope,
) -> Task {
    let needs: BTreeSet<TaskId> = source
        .needs
        .iter()
        .filter(|(_, needed)| **needed)
        .map(|(needed, _)| needed.clone())
        .collect();
    for needed in needs
        .iter()
        .filter(|needed| !all.each.contains_key(*needed))
    {
        let known = all.each.keys().map(TaskId::as_str);
        let below = ["needs", needed.as_str()];
        compiler.unknown(&below, Spot::Key, ("task", needed.as_str()), known);
    }
    let when = source
        .when
        .as_ref()
        .and_then(|cel| compiler.condition(&["when"], cel, scope));
    let mut set = Vec::new();
    if let Some(form) = begins_with(compiler, &source.workflow, source.create.as_ref()) {
        set = fill(compiler, &source.workflow, form, &source.set, scope);
    }
    if let Some(taken) = &all.with_parent {
        takes(compiler, &source.workflow, taken);
    }
    Task {
        id: id.clone(),
        workflow: source.workflow.clone(),
        create: source.create.clone(),
        when,
        needs,
        set,
    }
}

/// Holds what tasks take with their parent to what their workflow has.
fn takes(compiler: &mut Compiler<'_>, workflow: &WorkflowId, taken: &TransitionId) {
    let names = compiler.names;
    let known = names.workflows.get(workflow);
    if known.is_some_and(|known| !known.transitions.contains_key(taken)) {
        let message = format!(
            "the workflow `{workflow}` has no transition `{taken}`, which `with-parent` names"
        );
        compiler.value(&["workflow"], "unknown-name", message);
    }
}

/// Tasks that wait for each other would never begin.
fn in_turn(compiler: &mut Compiler<'_>, each: &BTreeMap<TaskId, Task>) {
    let before = each
        .values()
        .map(|task| (task.id.clone(), task.needs.clone()))
        .collect();
    if let Order::Circle(circle) = in_order(each.keys(), &before) {
        let shown: Vec<&str> = circle.iter().map(TaskId::as_str).collect();
        let message = format!("these tasks wait for each other: {}", shown.join(" → "));
        compiler.key(&["each", circle[0].as_str(), "needs"], "circular", message);
    }
}
