//! Where the records of a workflow can go, and what takes them there.

use std::collections::{BTreeMap, BTreeSet};

use indexmap::IndexMap;
use model::definition::Category;
use model::id::{StateId, TransitionId, WorkflowId};

use crate::compile::{Definitions, Effect, Stage, State, Transition, Workflow};

/// A workflow as states and moves.
pub(super) struct Graph<'w> {
    pub(super) workflow: &'w Workflow,
    /// The moves open in each state.
    pub(super) moves: BTreeMap<&'w StateId, Vec<Move<'w>>>,
    /// The states that records can come to.
    pub(super) reachable: BTreeSet<&'w StateId>,
}

/// A transition in a state.
pub(super) struct Move<'w> {
    pub(super) transition: &'w Transition,
    /// Where it leads; the state itself where it leads nowhere else.
    pub(super) to: &'w StateId,
    /// Whether it stands in the state, not under `anywhere`.
    pub(super) own: bool,
    /// Whether somebody or something takes it.
    pub(super) taken: bool,
}

impl<'w> Graph<'w> {
    pub(super) fn of(workflow: &'w Workflow, all: &'w Definitions) -> Self {
        let everywhere = taken_everywhere(workflow, all);
        let moves = workflow.states.iter().map(|(id, state)| {
            let approval = state
                .approval
                .iter()
                .flat_map(|approval| approval.then.values());
            let timers = state
                .all_timers()
                .filter_map(|timer| timer.transition.as_ref());
            let tasks = state.tasks.iter().flat_map(|tasks| {
                let failed = tasks.failed.as_ref();
                [&tasks.all].into_iter().chain(failed)
            });
            let taken: BTreeSet<&TransitionId> = approval
                .chain(timers)
                .chain(tasks)
                .chain(everywhere.iter().copied())
                .collect();
            let moves = workflow.transitions(id).map(|transition| Move {
                transition,
                to: transition.to.as_ref().unwrap_or(id),
                own: state.transitions.contains_key(&transition.id),
                taken: transition.automatic
                    || !transition.permit.0.is_empty()
                    || taken.contains(&transition.id),
            });
            (id, moves.collect())
        });
        let mut graph = Self {
            workflow,
            moves: moves.collect(),
            reachable: BTreeSet::new(),
        };
        let edges = graph.edges(|_| true);
        let begin = workflow
            .create
            .values()
            .filter_map(|create| create.to.as_ref());
        for begin in begin.filter_map(|state| workflow.states.get_index_of(state)) {
            let behind = edges.behind(begin);
            let reached = workflow.states.keys().enumerate();
            let reached = reached.filter(|(index, _)| *index == begin || behind[*index]);
            graph.reachable.extend(reached.map(|(_, state)| state));
        }
        graph
    }

    /// Where the moves that count lead, other than to where they begin.
    pub(super) fn edges(&self, counts: impl Fn(&Move<'_>) -> bool) -> Edges {
        let states = &self.workflow.states;
        let index = |state: &StateId| states.get_index_of(state);
        let each = states.keys().map(|state| {
            let steps = self.moves[state]
                .iter()
                .filter(|step| step.to != state && counts(step));
            let to: BTreeSet<usize> = steps.filter_map(|step| index(step.to)).collect();
            to.into_iter().collect()
        });
        Edges(each.collect())
    }

    pub(super) fn category(&self, state: &StateId) -> Option<Category> {
        self.workflow.states.get(state).map(|state| state.category)
    }
}

/// Moves between states, told by their place in the workflow.
pub(super) struct Edges(Vec<Vec<usize>>);

impl Edges {
    /// Which states lie behind a state; the state itself where the moves lead back.
    pub(super) fn behind(&self, state: usize) -> Vec<bool> {
        let mut reached = vec![false; self.0.len()];
        let mut next: Vec<usize> = self.0[state].clone();
        while let Some(state) = next.pop() {
            if !reached[state] {
                reached[state] = true;
                next.extend(self.0[state].iter().filter(|state| !reached[**state]));
            }
        }
        reached
    }

    /// The states from which one of these can be come to, these included.
    pub(super) fn leading_to(&self, mut these: Vec<bool>) -> Vec<bool> {
        loop {
            let before = these.iter().filter(|of_these| **of_these).count();
            for (state, to) in self.0.iter().enumerate() {
                these[state] |= to.iter().any(|to| these[*to]);
            }
            if these.iter().filter(|of_these| **of_these).count() == before {
                return these;
            }
        }
    }

    /// Whether nothing leads out of the state.
    pub(super) fn ends(&self, state: usize) -> bool {
        self.0[state].is_empty()
    }
}

/// What timers of whatever state, breaches and the ends of escalations take.
fn taken_everywhere<'w>(workflow: &'w Workflow, all: &'w Definitions) -> Vec<&'w TransitionId> {
    let timers = workflow
        .timers
        .values()
        .filter_map(|timer| timer.transition.as_ref());
    let levels = all
        .service_levels
        .values()
        .filter(|level| level.covers.contains_key(&workflow.id));
    let breaches = levels
        .flat_map(|level| level.targets.values())
        .filter_map(|target| target.breach_transition.as_ref());
    let escalations = all
        .escalations
        .values()
        .filter(|escalation| escalation.covers.contains_key(&workflow.id))
        .filter_map(|escalation| escalation.transition.as_ref());
    let others = all
        .workflows
        .values()
        .chain(all.catalogue.values().map(|item| &item.workflow));
    let by_others = others.flat_map(|other| taken_by(other, &workflow.id));
    timers
        .chain(breaches)
        .chain(escalations)
        .chain(by_others)
        .collect()
}

/// What the records of a workflow have the records of another take: tasks that go with their parent,
/// and effects on linked records.
fn taken_by<'w>(
    workflow: &'w Workflow,
    other: &'w WorkflowId,
) -> impl Iterator<Item = &'w TransitionId> {
    let tasks = workflow.states.values().filter_map(|state| {
        let tasks = state.tasks.as_ref()?;
        let hands_out = tasks.each.values().any(|task| task.workflow == *other);
        tasks.with_parent.as_ref().filter(|_| hands_out)
    });
    let effects = all_effects(workflow).filter_map(|effect| match effect {
        Effect::Each(each) => {
            let side = workflow.links.get(&each.link)?;
            side.to.contains(other).then_some(&each.transition)
        }
        _ => None,
    });
    tasks.chain(effects)
}

/// Everything that the steps and timers of a workflow cause.
pub(super) fn all_effects(workflow: &Workflow) -> impl Iterator<Item = &Effect> {
    let states = workflow.states.values();
    let of_transitions = states
        .clone()
        .map(|state| &state.transitions)
        .chain([&workflow.create, &workflow.anywhere])
        .flat_map(IndexMap::values)
        .flat_map(|transition| transition.effects.values());
    let of_timers = states
        .clone()
        .flat_map(State::all_timers)
        .chain(workflow.timers.values())
        .flat_map(|timer| timer.effects.values());
    let stages = states
        .flat_map(|state| &state.approval)
        .flat_map(|approval| approval.stages.values());
    let of_stages = stages.flat_map(Stage::all_effects);
    of_transitions.chain(of_timers).chain(of_stages)
}
