//! States that no record comes to, and states that no record leaves.

use std::collections::BTreeSet;

use model::definition::Category;
use model::id::StateId;

use super::Rules;
use super::graph::Graph;

/// Says which states hold records fast, or where none does, which no record comes to: what lies
/// behind a dead end is no news. Gives whether there is such an end.
pub(super) fn check(graph: &Graph<'_>, rules: &mut Rules<'_>) -> bool {
    let closable = graph.closable();
    let mut stuck = false;
    for (id, state) in &graph.workflow.states {
        if graph.reachable.contains(id) && state.category != Category::Closed {
            stuck |= holds_fast(graph, id, state.category, &closable, rules);
            undecided(graph, id, rules);
        }
    }
    let unreachable = graph
        .workflow
        .states
        .keys()
        .filter(|id| !stuck && !graph.reachable.contains(id));
    for id in unreachable {
        let message = format!(
            "no record comes to the state `{id}`: no transition that can be reached leads there"
        );
        rules.warning("unreachable-state", &["states", id.as_str()], message);
    }
    stuck
}

fn holds_fast(
    graph: &Graph<'_>,
    id: &StateId,
    category: Category,
    closable: &BTreeSet<&StateId>,
    rules: &mut Rules<'_>,
) -> bool {
    let path = ["states", id.as_str()];
    let leaves = graph.moves[id]
        .iter()
        .any(|step| step.taken && step.to != id);
    if !leaves && category == Category::Waiting {
        let message = format!(
            "nothing ends the wait in `{id}`: nobody takes a transition out of it, nor does a timer or an approval"
        );
        rules.error("endless-wait", &path, message);
    } else if !leaves {
        let message = format!(
            "`{id}` is a dead end: nobody and nothing takes a transition out of it, and it is not closed"
        );
        rules.error("dead-end", &path, message).help =
            Some("add a transition, or give it `category: closed`".to_owned());
    } else if !closable.contains(id) && is_to_blame(graph, id, closable) {
        let message = format!(
            "no record in `{id}` is ever closed: none of its ways leads to a state with `category: closed`"
        );
        rules.error("dead-end", &path, message);
    } else {
        return false;
    }
    true
}

/// Whether the state is the first of those in which records go in circles, and no dead end that
/// is told of by itself lies on the way.
fn is_to_blame(graph: &Graph<'_>, id: &StateId, closable: &BTreeSet<&StateId>) -> bool {
    let states = &graph.workflow.states;
    let own = states.get_key_value(id).map(|(id, _)| id);
    let stuck = graph.from(own, |step| step.taken);
    let ends = |state: &&StateId| {
        let mut moves = graph.moves[*state].iter();
        moves.all(|step| !step.taken || step.to == *state)
    };
    let in_circle = |state: &&StateId| {
        stuck.contains(state) && graph.reachable.contains(state) && !closable.contains(state)
    };
    !stuck.iter().any(ends) && states.keys().find(in_circle) == Some(id)
}

/// A stage without a timeout waits for ever, where the state has no other way out.
fn undecided(graph: &Graph<'_>, id: &StateId, rules: &mut Rules<'_>) {
    let Some(approval) = &graph.workflow.states[id].approval else {
        return;
    };
    let others = graph.moves[id].iter().any(|step| {
        let timed = graph.workflow.states[id]
            .timers
            .values()
            .any(|timer| timer.transition.as_ref() == Some(&step.transition.id));
        step.to != id
            && (timed || !step.transition.permit.0.is_empty() || step.transition.automatic)
    });
    for (stage, said) in approval.stages.iter().filter(|_| !others) {
        if said.source.timeout.is_none() {
            let message =
                format!("if the votes of `{stage}` do not come, nothing ends the wait in `{id}`");
            rules
                .warning(
                    "endless-wait",
                    &["states", id.as_str(), "approval", "stages", stage.as_str()],
                    message,
                )
                .help = Some("add a `timeout`, or a transition that someone may take".to_owned());
        }
    }
}
