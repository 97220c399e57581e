//! States that no record comes to, and states that no record leaves.

use std::collections::BTreeMap;

use model::definition::Category;
use model::id::StateId;

use super::Rules;
use super::graph::Graph;
use crate::compile::State;

/// Says which states hold records fast, or where none does, which no record comes to: what lies
/// behind a dead end is no news. Gives whether there is such an end.
pub(super) fn check(graph: &Graph<'_>, rules: &mut Rules<'_>) -> bool {
    let states = &graph.workflow.states;
    let edges = graph.edges(|step| step.taken);
    let is_closed = |state: &State| state.category == Category::Closed;
    let closable = edges.leading_to(states.values().map(is_closed).collect());
    let open = |index: &usize| {
        let (id, state) = states.get_index(*index).expect("a state of the workflow");
        !is_closed(state) && graph.reachable.contains(id)
    };
    let mut behind: BTreeMap<usize, Vec<bool>> = BTreeMap::new();
    for index in (0..states.len()).filter(open) {
        let (id, state) = states.get_index(index).expect("a state of the workflow");
        undecided(graph, id, rules);
        if edges.ends(index) {
            no_way_out(id, state, rules);
        }
        if !closable[index] {
            behind.insert(index, edges.behind(index));
        }
    }
    for (index, reached) in &behind {
        // Told once for all states that lead to each other and nowhere else, at the first of them.
        let mut others = (0..states.len()).filter(|other| reached[*other]);
        let in_circle = reached[*index];
        if in_circle && others.all(|other| other >= *index && behind[&other][*index]) {
            let (id, _) = states.get_index(*index).expect("a state of the workflow");
            let message = format!(
                "no record in `{id}` is ever closed: none of its ways leads to a state with `category: closed`"
            );
            rules.error("dead-end", &["states", id.as_str()], message);
        }
    }
    let stuck = !behind.is_empty();
    for id in states
        .keys()
        .filter(|id| !stuck && !graph.reachable.contains(*id))
    {
        let message = format!(
            "no record comes to the state `{id}`: no transition that can be reached leads there"
        );
        rules.warning("unreachable-state", &["states", id.as_str()], message);
    }
    stuck
}

fn no_way_out(id: &StateId, state: &State, rules: &mut Rules<'_>) {
    let path = ["states", id.as_str()];
    if state.category == Category::Waiting {
        let message = format!(
            "nothing ends the wait in `{id}`: nobody takes a transition out of it, nor does a timer or an approval"
        );
        rules.error("endless-wait", &path, message);
    } else {
        let message = format!(
            "`{id}` is a dead end: nobody and nothing takes a transition out of it, and it is not closed"
        );
        rules.error("dead-end", &path, message).help =
            Some("add a transition, or give it `category: closed`".to_owned());
    }
}

/// A stage without a timeout waits for ever, where the state has no other way out.
fn undecided(graph: &Graph<'_>, id: &StateId, rules: &mut Rules<'_>) {
    let Some(approval) = &graph.workflow.states[id].approval else {
        return;
    };
    let others = graph.moves[id].iter().any(|step| {
        let timed = graph.workflow.states[id]
            .all_timers()
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
