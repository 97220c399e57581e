//! Clocks that never stop, or never start.

use std::collections::BTreeMap;

use model::id::{StateId, WorkflowId};
use model::{Duration, Instant};

use super::Rules;
use super::graph::Graph;
use super::moves::{all_called, fills_no_form};
use crate::compile::ServiceLevel;
use crate::expression::{Expression, Term, Variables};

pub(super) fn check(
    level: &ServiceLevel,
    graphs: &BTreeMap<&WorkflowId, Graph<'_>>,
    rules: &mut Rules<'_>,
) {
    for (id, target) in &level.targets {
        let path = |key| ["targets", id.as_str(), key];
        let covered = || {
            level
                .covers
                .keys()
                .filter_map(|workflow| graphs.get(workflow))
        };
        let of = |graph: &Graph<'_>| {
            if level.covers.len() > 1 {
                format!(" of `{}`", graph.workflow.id)
            } else {
                String::new()
            }
        };
        if let Some(graph) = covered().find(|graph| !may_hold(&target.stop, graph)) {
            let message = format!(
                "nothing stops this clock: `stop` holds in no state{} that a record comes to",
                of(graph)
            );
            rules.error("endless-clock", &path("stop"), message);
        } else if let Some(graph) = covered().find(|graph| !may_hold(&target.start, graph)) {
            let message = format!(
                "this clock never starts: `start` holds in no state{} that a record comes to",
                of(graph)
            );
            rules.warning("clock-never-starts", &path("start"), message);
        }
        if let Some(taken) = &target.breach_transition {
            let path = ["targets", id.as_str(), "breach", "do"];
            for transition in covered().flat_map(|graph| all_called(graph, taken)).take(1) {
                fills_no_form("a breach", transition, &path, rules);
            }
        }
    }
}

/// Whether a condition may hold in some state that a record comes to. What depends on more than the
/// state and its category may.
fn may_hold(condition: &Expression, graph: &Graph<'_>) -> bool {
    graph.reachable.iter().any(|state| {
        let there = InState { graph, state };
        condition.holds(&there).unwrap_or(true)
    })
}

/// A record of which only its state is known.
struct InState<'g, 'w> {
    graph: &'g Graph<'w>,
    state: &'g StateId,
}

impl Variables for InState<'_, '_> {
    fn variable(&self, _: &str) -> Option<Term> {
        None
    }

    fn member(&self, name: &str, member: &str) -> Option<Term> {
        match (name, member) {
            ("record", "state") => Some(self.state.as_str().into()),
            ("record", "category") => Some(self.graph.category(self.state)?.as_str().into()),
            _ => None,
        }
    }

    fn open(&self, _: &str, _: Instant) -> Option<bool> {
        None
    }

    fn business(&self, _: &str, _: Instant, _: Instant) -> Option<Duration> {
        None
    }
}
