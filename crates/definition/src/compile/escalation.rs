//! Escalations of teams: for which records, whom in which order, and what at the end.

use std::collections::BTreeMap;

use model::definition::{self, Whom};
use model::id::{TeamId, WorkflowId};

use super::compiler::Compiler;
use super::effects::{Around, effects};
use super::fault::{Fault, Spot};
use super::names::Names;
use super::service_level::Ground;
use super::types::{Escalation, Workflow};
use crate::overlay::DefinitionKind;

/// The most steps of an escalation.
const MAX_STEPS: usize = 20;
/// The most rounds after the first.
const MAX_REPEAT: u32 = 20;

/// Compiles a team: the escalation that it has.
///
/// # Errors
/// Everything that is wrong with it.
pub(super) fn team<'w>(
    id: &TeamId,
    source: &definition::Team,
    names: &Names,
    workflows: impl Fn(&WorkflowId) -> Option<&'w Workflow>,
) -> Result<Option<Escalation>, Vec<Fault>> {
    let mut compiler = Compiler::new(DefinitionKind::Team, id.as_str(), names);
    if let Some(calendar) = &source.calendar {
        compiler.calendar(&["calendar"], calendar);
    }
    let escalation = source.escalation.as_ref().map(|source| {
        compiler.within("escalation", |compiler| {
            escalation(compiler, source, workflows)
        })
    });
    compiler.into_result(Some(escalation))
}

fn escalation<'w>(
    compiler: &mut Compiler<'_>,
    source: &definition::Escalation,
    workflows: impl Fn(&WorkflowId) -> Option<&'w Workflow>,
) -> Escalation {
    let mut covered = Vec::new();
    let mut covers = BTreeMap::new();
    for (id, cel) in &source.covers {
        let names = compiler.names;
        match workflows(id) {
            Some(workflow) => {
                covered.push(workflow);
                let scope = workflow.record_scope(names);
                let when = compiler.condition(&["for", id.as_str()], cel, &scope);
                covers.extend(when.map(|when| (id.clone(), when)));
            }
            // A workflow that could not be compiled has faults of its own.
            None if names.workflows.contains_key(id) => {}
            None => {
                let known = names.workflows.keys().map(WorkflowId::as_str);
                let what = ("workflow", id.as_str());
                compiler.unknown(&["for", id.as_str()], Spot::Key, what, known);
            }
        }
    }
    if source.covers.is_empty() {
        compiler.key(
            &["for"],
            "covers-nothing",
            "it is for the records of no workflow",
        );
    }
    compiler.notice(&["notice"], &source.notice);
    steps(compiler, source);
    if source.repeat > MAX_REPEAT {
        let message = format!("{} more rounds; {MAX_REPEAT} is the most", source.repeat);
        compiler.value(&["repeat"], "value", message);
    }
    let ground = Ground::of(&covered, compiler.names);
    let effects = compiler.within("end", |compiler| {
        if let Some(transition) = &source.end.transition {
            super::service_level::somewhere(compiler, transition, &ground);
        }
        let around = Around {
            scope: &ground.full,
            links: None,
        };
        effects(compiler, &source.end.effects, around)
    });
    Escalation {
        covers,
        notice: source.notice.clone(),
        steps: source.steps.clone(),
        repeat: source.repeat,
        transition: source.end.transition.clone(),
        effects,
    }
}

fn steps(compiler: &mut Compiler<'_>, source: &definition::Escalation) {
    let count = source.steps.len();
    if count == 0 {
        compiler.key(&["steps"], "to-nobody", "an escalation that tells nobody");
    }
    if count > MAX_STEPS {
        let message = format!("{count} steps; {MAX_STEPS} is the most");
        compiler.key(&["steps"], "too-many", message);
    }
    for (id, step) in &source.steps {
        compiler.within("steps", |compiler| {
            compiler.within(id.as_str(), |compiler| {
                match &step.whom {
                    Whom::OnCall(team) => compiler.team(&["whom", "on-call"], team),
                    Whom::Team(team) => compiler.team(&["whom", "team"], team),
                    Whom::Role(role) => compiler.role(&["whom", "role"], role),
                    // People and rotas are data of the directory.
                    Whom::Rota(_) | Whom::User(_) => {}
                }
                compiler.wait("within", &step.within);
            });
        });
    }
}
