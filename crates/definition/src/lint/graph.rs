//! Where the records of a workflow can go, and what takes them there.

use std::collections::{BTreeMap, BTreeSet};

use model::definition::Category;
use model::id::{StateId, TransitionId};

use crate::compile::{Definitions, Transition, Workflow};

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
                .timers
                .values()
                .filter_map(|timer| timer.transition.as_ref());
            let taken: BTreeSet<&TransitionId> = approval
                .chain(timers)
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
        let begin = workflow
            .create
            .values()
            .filter_map(|create| create.to.as_ref());
        graph.reachable = graph.from(begin, |_| true);
        graph
    }

    /// The states that can be come to from these, over the moves that count; these included.
    pub(super) fn from(
        &self,
        begin: impl IntoIterator<Item = &'w StateId>,
        counts: impl Fn(&Move<'_>) -> bool,
    ) -> BTreeSet<&'w StateId> {
        let mut reached: BTreeSet<&StateId> = BTreeSet::new();
        let mut next: Vec<&StateId> = begin.into_iter().collect();
        while let Some(state) = next.pop() {
            if reached.insert(state) {
                let moves = self.moves.get(state).into_iter().flatten();
                next.extend(moves.filter(|step| counts(step)).map(|step| step.to));
            }
        }
        reached
    }

    /// The states from which records can come to be closed, the closed ones included.
    pub(super) fn closable(&self) -> BTreeSet<&'w StateId> {
        let is_closed = |state: &&StateId| self.category(state) == Some(Category::Closed);
        let mut closable: BTreeSet<&StateId> =
            self.moves.keys().copied().filter(is_closed).collect();
        loop {
            let before = closable.len();
            for (state, moves) in &self.moves {
                if moves
                    .iter()
                    .any(|step| step.taken && closable.contains(step.to))
                {
                    closable.insert(state);
                }
            }
            if closable.len() == before {
                return closable;
            }
        }
    }

    /// Where automatic transitions lead from each state, other than to itself.
    pub(super) fn automatic(&self) -> BTreeMap<&'w StateId, BTreeSet<&'w StateId>> {
        let each = self.moves.iter().map(|(state, moves)| {
            let steps = moves
                .iter()
                .filter(|step| step.transition.automatic && step.to != *state);
            (*state, steps.map(|step| step.to).collect())
        });
        each.collect()
    }

    pub(super) fn category(&self, state: &StateId) -> Option<Category> {
        self.workflow.states.get(state).map(|state| state.category)
    }
}

/// What timers of whatever state and breaches take.
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
    timers.chain(breaches).collect()
}
