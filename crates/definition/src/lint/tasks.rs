//! Tasks that cannot end well, and failures of tasks that nobody hears of.

use std::collections::BTreeMap;

use model::definition::Category;
use model::id::{StateId, WorkflowId};
use model::record::DONE;

use super::Rules;
use super::graph::Graph;
use super::moves::fills_no_form;
use crate::compile::{Tasks, Workflow};

pub(super) fn check(
    graph: &Graph<'_>,
    workflows: &BTreeMap<WorkflowId, std::sync::Arc<Workflow>>,
    rules: &mut Rules<'_>,
) {
    for (id, state) in &graph.workflow.states {
        let Some(tasks) = &state.tasks else { continue };
        nobody_hears(graph, id, tasks, rules);
        for (name, taken) in [("all", Some(&tasks.all)), ("failed", tasks.failed.as_ref())] {
            let transition = taken.and_then(|taken| graph.workflow.transition(id, taken.as_str()));
            if let Some(transition) = transition {
                let path = ["states", id.as_str(), "tasks", "then", name];
                fills_no_form("the end of tasks", transition, &path, rules);
            }
        }
        for (task, said) in &tasks.each {
            let ends_well = |workflow: &Workflow| {
                let mut states = workflow.states.values();
                states.any(|state| {
                    state.category == Category::Closed && state.outcome.as_deref() == Some(DONE)
                })
            };
            if workflows
                .get(&said.workflow)
                .is_some_and(|of| !ends_well(of))
            {
                let path = ["states", id.as_str(), "tasks", "each", task.as_str()];
                let message = format!(
                    "`{task}` never ends well: no closed state of `{}` has the outcome `{DONE}`",
                    said.workflow
                );
                rules.error("task-never-done", &path, message).help = Some(format!(
                    "give the state in which it ends well `outcome: {DONE}`"
                ));
            }
        }
    }
}

/// Without a transition for failures somebody must be able to move the record on.
fn nobody_hears(graph: &Graph<'_>, id: &StateId, tasks: &Tasks, rules: &mut Rules<'_>) {
    let by_people = graph.moves[id]
        .iter()
        .any(|step| step.to != id && !step.transition.permit.0.is_empty());
    if tasks.failed.is_none() && !by_people {
        let path = ["states", id.as_str(), "tasks", "then"];
        let message = format!("if a task does not end well, nothing ends the wait in `{id}`");
        rules.error("endless-wait", &path, message).help =
            Some("add `failed: …`, or a transition that someone may take".to_owned());
    }
}
