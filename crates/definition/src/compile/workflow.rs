//! A workflow: fields, tables, routing, states, approvals and timers.

use indexmap::IndexMap;
use model::definition::{self, ApprovalBy, Approver, Category, Quorum};
use model::directory::kind;
use model::hook::Hook;
use model::id::{PackId, StageId, StateId, TimerId, TransitionId, WorkflowId};
use model::{Digest, Duration};

use super::compiler::Compiler;
use super::effects::effects;
use super::fault::{Fault, Spot};
use super::field::FieldKind;
use super::fields::{complete, fields, known_groups};
use super::links::links;
use super::names::Names;
use super::routing::routing;
use super::scope::Scopes;
use super::tables::tables;
use super::tasks::tasks;
use super::transitions::{Ground, Place, transitions};
use super::types::{Approval, Information, Stage, State, Timer, Workflow};
use super::window::window;
use crate::overlay::DefinitionKind;

/// The most fields of a workflow.
const MAX_FIELDS: usize = 500;
/// The most states of a workflow.
const MAX_STATES: usize = 300;
/// The most transitions of a workflow, ways to begin included.
const MAX_TRANSITIONS: usize = 1_000;

/// Compiles a version of a workflow. For a version that is not in force any more, of which records
/// are left, pass [names for old versions](Names::for_old_versions).
///
/// # Errors
/// Everything that is wrong with it, up to a hundred faults.
pub fn workflow(
    id: &WorkflowId,
    digest: Digest,
    pack: &PackId,
    zone: chrono_tz::Tz,
    source: &definition::Workflow,
    names: &Names,
) -> Result<Workflow, Vec<Fault>> {
    let mut compiler = Compiler::new(DefinitionKind::Workflow, id.as_str(), names);
    let workflow = is_bounded(&mut compiler, source)
        .then(|| assemble(&mut compiler, id, (digest, pack, zone), source));
    compiler.into_result(workflow)
}

/// What is larger is several workflows.
fn is_bounded(compiler: &mut Compiler<'_>, source: &definition::Workflow) -> bool {
    let in_states = source.states.values().map(|state| state.transitions.len());
    let transitions = source.create.len() + source.anywhere.len() + in_states.sum::<usize>();
    let mut bounded = true;
    for (key, what, count, most) in [
        ("fields", "fields", source.fields.len(), MAX_FIELDS),
        ("states", "states", source.states.len(), MAX_STATES),
        ("states", "transitions", transitions, MAX_TRANSITIONS),
    ] {
        if count > most {
            let message = format!("the workflow has {count} {what}; {most} is the most");
            compiler.key(&[key], "too-many", message);
            bounded = false;
        }
    }
    bounded
}

fn assemble(
    compiler: &mut Compiler<'_>,
    id: &WorkflowId,
    (digest, pack, zone): (Digest, &PackId, chrono_tz::Tz),
    source: &definition::Workflow,
) -> Workflow {
    if !model::id::is_prefix(&source.number) {
        let message = format!("`{}` cannot stand before a number", source.number);
        let fault = compiler
            .fault(&["number"], Spot::Value, "number", message)
            .help("2 to 8 capital letters and digits, a letter first, such as INC");
        compiler.push(fault);
    }
    if source.create.is_empty() {
        compiler.key(
            &["create"],
            "no-way-to-begin",
            "no record can begin: `create` is empty",
        );
    }
    let mut fields = fields(compiler, &source.fields);
    let states = source.states.keys().map(StateId::as_str);
    let links = links(compiler, id, source);
    let has_window = source.window.is_some();
    let scopes = Scopes::of(&fields, states, &links, has_window, compiler.names);
    known_groups(compiler, source);
    let computed = complete(compiler, &mut fields, &scopes);
    let tables = tables(compiler, source, &fields, &scopes);
    let routing = routing(compiler, source, &scopes);
    let window = window(compiler, source, &fields, &scopes);
    let ground = Ground {
        fields: &fields,
        states: &source.states,
        scopes: &scopes,
        groups: &source.groups,
        links: &links,
        routes: source.routing.is_some(),
    };
    let create = transitions(compiler, "create", &source.create, Place::Create, &ground);
    let anywhere = transitions(
        compiler,
        "anywhere",
        &source.anywhere,
        Place::Anywhere,
        &ground,
    );
    let states = compiler.within("states", |compiler| {
        let each = source.states.iter().map(|(id, source)| {
            let state =
                compiler.within(id.as_str(), |compiler| state(compiler, id, source, &ground));
            (id.clone(), state)
        });
        each.collect()
    });
    let timers = timers(compiler, &source.timers, &ground);
    let (see, edit) = (
        compiler.permits("see", &source.see, &scopes.full),
        compiler.permits("edit", &source.edit, &scopes.full),
    );
    let workflow = Workflow {
        id: id.clone(),
        digest,
        pack: pack.clone(),
        zone,
        title: source.title.clone(),
        practice: source.practice.as_ref().map(ToString::to_string),
        number: source.number.clone(),
        see,
        edit,
        groups: source.groups.clone(),
        links,
        fields,
        computed,
        window,
        tables,
        routing,
        create,
        states,
        anywhere,
        timers,
    };
    moves_that_exist(compiler, &workflow);
    workflow
}

fn state(
    compiler: &mut Compiler<'_>,
    id: &StateId,
    source: &definition::State,
    ground: &Ground<'_>,
) -> State {
    let namesake = Category::ALL
        .into_iter()
        .find(|category| category.as_str() == id.as_str());
    if namesake.is_some_and(|category| category != source.category) {
        let message =
            format!("a state called `{id}` has that category, or `from` would be read two ways");
        compiler.value(&["category"], "state-name", message);
    }
    if source.outcome.is_some() && source.category != Category::Closed {
        compiler.key(
            &["outcome"],
            "outcome",
            "only a closed state says how a record ended",
        );
    }
    let approval = source
        .approval
        .as_ref()
        .map(|source| compiler.within("approval", |compiler| approval(compiler, source, ground)));
    State {
        id: id.clone(),
        title: source.title.clone().unwrap_or_else(|| id.to_string()),
        category: source.category,
        outcome: source.outcome.clone(),
        approval,
        transitions: transitions(
            compiler,
            "transitions",
            &source.transitions,
            Place::State,
            ground,
        ),
        tasks: source.tasks.as_ref().map(|source| {
            compiler.within("tasks", |compiler| {
                tasks(compiler, source, &ground.scopes.full)
            })
        }),
        timers: timers(compiler, &source.timers, ground),
    }
}

fn approval(
    compiler: &mut Compiler<'_>,
    source: &definition::Approval,
    ground: &Ground<'_>,
) -> Approval {
    if let Some(ApprovalBy::Plugin(binding)) = &source.by {
        compiler.binding(&["by", "plugin"], binding, Hook::Approval);
    }
    if source.stages.is_empty() {
        compiler.key(
            &["stages"],
            "approval",
            "an approval needs a stage of its own, at least as a fallback",
        );
    }
    let stages = compiler.within("stages", |compiler| {
        rounds(compiler, &source.stages);
        let each = source.stages.iter().map(|(id, source)| {
            let stage = compiler.within(id.as_str(), |compiler| stage(compiler, source, ground));
            (id.clone(), stage)
        });
        each.collect()
    });
    let then = source
        .then
        .iter()
        .map(|(outcome, transition)| (*outcome, transition.clone()))
        .collect();
    Approval {
        by: source.by.clone(),
        stages,
        then,
    }
}

fn stage(compiler: &mut Compiler<'_>, source: &definition::Stage, ground: &Ground<'_>) -> Stage {
    let when = source
        .when
        .as_ref()
        .and_then(|cel| compiler.condition(&["when"], cel, &ground.scopes.full));
    if source.approvers.is_empty() {
        compiler.key(&["approvers"], "approval", "a stage that asks nobody");
    }
    for (id, approver) in &source.approvers {
        let below = |key| ["approvers", id.as_str(), key];
        match approver {
            Approver::User(_) => {}
            Approver::Team(team) => compiler.team(&below("team"), team),
            Approver::Role(role) => compiler.role(&below("role"), role),
            Approver::ManagerOf(of) => {
                let own = ["requester", "assignee"];
                person_or_thing(
                    compiler,
                    &below("manager-of"),
                    of,
                    &own,
                    Some(kind::USER),
                    ground,
                );
            }
            Approver::OwnerOf(of) => {
                person_or_thing(compiler, &below("owner-of"), of, &[], None, ground);
            }
        }
    }
    if let Quorum::All(false) | Quorum::Any(false) = source.quorum {
        compiler.value(
            &["quorum"],
            "approval",
            "a quorum is told by `all: true`, `any: true`, `count` or `percent`",
        );
    }
    if let Some(wait) = &source.timeout {
        compiler.wait("timeout", wait);
    }
    for (id, _) in source
        .timers
        .iter()
        .filter(|(_, it)| it.condition.is_some())
    {
        let message = "a stage's timer runs while the stage is open: it has no `while`";
        compiler.key(&["timers", id.as_str(), "while"], "approval", message);
    }
    let around = ground.around(&ground.scopes.full);
    Stage {
        when,
        effects: effects(compiler, &source.effects, around),
        information: source.information.as_ref().map(|it| Information {
            holds: it.holds,
            effects: compiler.within("information", |compiler| {
                effects(compiler, &it.effects, around)
            }),
        }),
        timers: timers(compiler, &source.timers, ground),
        source: source.clone(),
    }
}

/// Holds `beside` to what can be: a stage of the round right before it.
fn rounds(compiler: &mut Compiler<'_>, stages: &IndexMap<StageId, definition::Stage>) {
    let mut round: Vec<&StageId> = Vec::new();
    for (id, stage) in stages {
        match &stage.beside {
            None => round.clear(),
            Some(beside) if round.contains(&beside) => {}
            Some(beside) => {
                let message = if stages.contains_key(beside) {
                    format!(
                        "`{beside}` does not open right before it: stages that open beside each other stand together, the first one without `beside`"
                    )
                } else {
                    format!("there is no stage `{beside}` before it")
                };
                compiler.value(&[id.as_str(), "beside"], "approval", message);
            }
        }
        round.push(id);
    }
}

/// Holds what an approver is found by to a field that names such a thing.
fn person_or_thing(
    compiler: &mut Compiler<'_>,
    below: &[&str],
    name: &str,
    own: &[&str],
    wanted: Option<&str>,
    ground: &Ground<'_>,
) {
    if own.contains(&name) {
        return;
    }
    let fits = |kind: &FieldKind| match (kind, wanted) {
        (FieldKind::Reference(kind), Some(wanted)) => kind.as_str() == wanted,
        (FieldKind::Reference(_), None) => true,
        _ => false,
    };
    match ground.fields.get(name) {
        Some(field) if fits(&field.kind) => {}
        Some(field) => {
            let wanted = wanted.unwrap_or("thing");
            let message = format!(
                "`{name}` is {}, which names no {wanted} of the directory",
                field.kind.name()
            );
            compiler.value(below, "approval", message);
        }
        None => {
            let fields = ground.fields.values().filter(|field| fits(&field.kind));
            let known = fields
                .map(|field| field.id.as_str())
                .chain(own.iter().copied());
            compiler.unknown(below, Spot::Value, ("field", name), known);
        }
    }
}

fn timers(
    compiler: &mut Compiler<'_>,
    sources: &IndexMap<TimerId, definition::Timer>,
    ground: &Ground<'_>,
) -> IndexMap<TimerId, Timer> {
    compiler.within("timers", |compiler| {
        let each = sources.iter().map(|(id, source)| {
            let timer = compiler.within(id.as_str(), |compiler| {
                compiler.wait("wait", &source.wait);
                if source.jitter == Some(Duration::ZERO) {
                    compiler.value(&["jitter"], "no-time", "a spread over no time at all");
                }
                let condition = source.condition.as_ref();
                Timer {
                    id: id.clone(),
                    condition: condition
                        .and_then(|cel| compiler.condition(&["while"], cel, &ground.scopes.clock)),
                    wait: source.wait.clone(),
                    jitter: source.jitter,
                    repeat: source.repeat,
                    transition: source.transition.clone(),
                    effects: effects(
                        compiler,
                        &source.effects,
                        ground.around(&ground.scopes.full),
                    ),
                }
            });
            (id.clone(), timer)
        });
        each.collect()
    })
}

/// Holds what approvals and timers take to the transitions there are where they take them.
fn moves_that_exist(compiler: &mut Compiler<'_>, workflow: &Workflow) {
    for (id, state) in &workflow.states {
        let open: Vec<&str> = workflow
            .transitions(id)
            .map(|transition| transition.id.as_str())
            .collect();
        let what = format!("transition in the state `{id}`:");
        let mut taken = Vec::new();
        for (outcome, transition) in state.approval.iter().flat_map(|approval| &approval.then) {
            taken.push((
                vec!["states", id.as_str(), "approval", "then", outcome.as_str()],
                transition,
            ));
        }
        if let Some(tasks) = &state.tasks {
            let then = ["states", id.as_str(), "tasks", "then"];
            let all = (then.iter().copied().chain(["all"]).collect(), &tasks.all);
            let failed = tasks.failed.as_ref();
            let failed = failed.map(|to| (then.iter().copied().chain(["failed"]).collect(), to));
            taken.extend([all].into_iter().chain(failed));
        }
        for (timer, transition) in moves(&state.timers) {
            taken.push((
                vec!["states", id.as_str(), "timers", timer.as_str(), "do"],
                transition,
            ));
        }
        for (stage, said) in state.approval.iter().flat_map(|it| &it.stages) {
            let at = ["states", id.as_str(), "approval", "stages", stage.as_str()];
            for (timer, transition) in moves(&said.timers) {
                let path = [&at[..], &["timers", timer.as_str(), "do"]].concat();
                taken.push((path, transition));
            }
        }
        for (path, transition) in taken {
            if !open.contains(&transition.as_str()) {
                compiler.unknown(
                    &path,
                    Spot::Value,
                    (&what, transition.as_str()),
                    open.iter().copied(),
                );
            }
        }
    }
    let everywhere = workflow
        .states
        .values()
        .flat_map(|state| state.transitions.keys());
    let all: Vec<&str> = everywhere
        .chain(workflow.anywhere.keys())
        .map(TransitionId::as_str)
        .collect();
    for (timer, transition) in moves(&workflow.timers) {
        if !all.contains(&transition.as_str()) {
            let path = ["timers", timer.as_str(), "do"];
            compiler.unknown(
                &path,
                Spot::Value,
                ("transition", transition.as_str()),
                all.iter().copied(),
            );
        }
    }
}

fn moves(timers: &IndexMap<TimerId, Timer>) -> impl Iterator<Item = (&TimerId, &TransitionId)> {
    timers
        .iter()
        .filter_map(|(id, timer)| Some((id, timer.transition.as_ref()?)))
}
