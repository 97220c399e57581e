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

#[cfg(test)]
mod tests {
    use model::Digest;
    use model::id::{PackId, TeamId, WorkflowId};
    use serde_json::{Value as Json, json};

    use super::super::names::{KnownWorkflow, Names};
    use super::super::workflow;
    use super::{Workflow, team};

    fn alert(names: &Names) -> Workflow {
        let source = json!({
            "title": "Alert",
            "number": "ALR",
            "fields": { "priority": { "options": { "p1": {}, "p3": {} } } },
            "create": { "raise": { "to": "new" } },
            "states": {
                "new": { "category": "open", "transitions": { "declare": { "to": "major" } } },
                "major": { "category": "open" },
            },
        });
        let id = WorkflowId::new("alert").expect("an id");
        let pack = PackId::new("test").expect("an id");
        let source = serde_json::from_value(source).expect("a workflow");
        let zone = chrono_tz::UTC;
        workflow(&id, Digest::default(), &pack, zone, &source, names).expect("a workflow")
    }

    /// What is wrong with an escalation that has these parts beside the least that it needs.
    fn faults(parts: &Json) -> Vec<String> {
        let mut whole = json!({
            "for": { "alert": "priority == 'p1'" },
            "notice": "waits",
            "steps": { "first": { "whom": { "on-call": "desk" }, "within": { "time": "PT10M" } } },
        });
        for (key, part) in parts.as_object().expect("an object") {
            whole[key] = part.clone();
        }
        let names = Names {
            teams: [TeamId::new("desk").expect("an id")].into(),
            notices: ["waits".parse().expect("an id")].into(),
            workflows: [(
                WorkflowId::new("alert").expect("an id"),
                KnownWorkflow::default(),
            )]
            .into(),
            ..Names::default()
        };
        let alert = alert(&names);
        let source = json!({ "title": "Desk", "escalation": whole });
        let source = serde_json::from_value(source).expect("a team");
        let known = |id: &WorkflowId| (*id == alert.id).then_some(&alert);
        let id = TeamId::new("desk").expect("an id");
        match team(&id, &source, &names, known) {
            Ok(_) => Vec::new(),
            Err(faults) => faults.iter().map(ToString::to_string).collect(),
        }
    }

    #[test]
    fn an_escalation_is_held_to_what_there_is() {
        assert_eq!(faults(&json!({})), Vec::<String>::new());
        let end = json!({ "end": { "do": "declare" } });
        assert_eq!(faults(&end), Vec::<String>::new());
        for (parts, expected) in [
            (
                json!({ "for": { "alarm": "true" } }),
                "there is no workflow `alarm`",
            ),
            (json!({ "for": {} }), "it is for the records of no workflow"),
            (
                json!({ "for": { "alert": "priority == 'p2'" } }),
                "`p2` is not an option of priority",
            ),
            (
                json!({ "for": { "alert": "actor.id == 'ada'" } }),
                "`actor` is not known here",
            ),
            (json!({ "notice": "wait" }), "there is no notice `wait`"),
            (json!({ "steps": {} }), "an escalation that tells nobody"),
            (
                json!({ "steps": { "first": { "whom": { "team": "dsek" }, "within": { "time": "PT1M" } } } }),
                "there is no team `dsek`",
            ),
            (
                json!({ "steps": { "first": { "whom": { "user": "ada" }, "within": { "time": "PT0S" } } } }),
                "a wait of no time at all",
            ),
            (json!({ "repeat": 21 }), "21 more rounds; 20 is the most"),
            (
                json!({ "end": { "do": "decalre" } }),
                "there is no transition `decalre`",
            ),
        ] {
            let found = faults(&parts);
            assert!(
                found.first().is_some_and(|it| it.contains(expected)),
                "{parts}: {found:?}"
            );
        }
    }
}
