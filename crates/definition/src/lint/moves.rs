//! Transitions that nobody takes, that nobody fills the form of, or that never end taking each
//! other.

use std::collections::BTreeSet;

use model::definition::Category;
use model::id::{StateId, TransitionId};

use super::Rules;
use super::graph::{Graph, Move};
use crate::compile::{Timer, Transition};

/// The most states of a circle that a message names.
const MOST_SHOWN: usize = 8;

pub(super) fn check(graph: &Graph<'_>, rules: &mut Rules<'_>) {
    idle(graph, rules);
    circles(graph, rules);
    for (id, state) in &graph.workflow.states {
        for (timer, said) in &state.timers {
            let path = ["states", id.as_str(), "timers", timer.as_str()];
            check_timer(said, &path, rules);
            let taken = said
                .transition
                .as_ref()
                .and_then(|to| graph.workflow.transition(id, to.as_str()));
            if let Some(transition) = taken {
                let path = ["states", id.as_str(), "timers", timer.as_str(), "do"];
                fills_no_form("a timer", transition, &path, rules);
            }
        }
    }
    for (timer, said) in &graph.workflow.timers {
        check_timer(said, &["timers", timer.as_str()], rules);
        let mut named = said.transition.iter().flat_map(|to| all_called(graph, to));
        if let Some(transition) = named.find(|transition| asked_in_vain(transition).is_some()) {
            fills_no_form(
                "a timer",
                transition,
                &["timers", timer.as_str(), "do"],
                rules,
            );
        }
    }
    for (create, said) in &graph.workflow.create {
        if said.permit.0.is_empty() {
            // Effects of other records, timers and plugins may begin one.
            let path = ["create", create.as_str()];
            let message = format!("nobody may begin with `{create}`");
            if graph
                .workflow
                .create
                .values()
                .all(|create| create.permit.0.is_empty())
            {
                rules.warning("permits-nobody", &path, message).help =
                    Some("add a `permit`".to_owned());
            }
        }
    }
}

/// All transitions of this name.
pub(super) fn all_called<'w>(
    graph: &Graph<'w>,
    id: &TransitionId,
) -> impl Iterator<Item = &'w Transition> {
    let own = graph
        .workflow
        .states
        .values()
        .filter_map(|state| state.transitions.get(id));
    own.chain(graph.workflow.anywhere.get(id))
}

/// What a form asks for that only a person can fill in.
fn asked_in_vain(transition: &Transition) -> Option<&str> {
    let mut asked = transition.form.values();
    asked
        .find(|asked| asked.required && asked.field.default.is_null())
        .map(|asked| asked.field.id.as_str())
}

/// Refuses a transition whose form must be filled in, where none of us is there to do it.
pub(super) fn fills_no_form(
    who: &str,
    transition: &Transition,
    path: &[&str],
    rules: &mut Rules<'_>,
) {
    if let Some(asked) = asked_in_vain(transition) {
        let message = format!(
            "{who} fills in no form, and `{}` requires `{asked}`",
            transition.id
        );
        rules.error("form-nobody-fills", path, message).help =
            Some("take a transition of its own, which sets what the form would ask".to_owned());
    }
}

fn check_timer(timer: &Timer, path: &[&str], rules: &mut Rules<'_>) {
    if timer.transition.is_none() && timer.effects.is_empty() {
        rules.warning(
            "idle-timer",
            path,
            "this timer does nothing: it has neither `do` nor `effects`",
        );
    }
}

/// Transitions that permit nobody and that nothing takes.
fn idle(graph: &Graph<'_>, rules: &mut Rules<'_>) {
    let mut taken: BTreeSet<&TransitionId> = BTreeSet::new();
    let mut dead: BTreeSet<&TransitionId> = BTreeSet::new();
    for (state, moves) in &graph.moves {
        let left = graph.category(state) == Some(Category::Closed)
            || moves.iter().any(|step| step.taken && step.to != *state);
        for step in moves {
            if step.own && !step.taken && left && graph.reachable.contains(state) {
                let path = [
                    "states",
                    state.as_str(),
                    "transitions",
                    step.transition.id.as_str(),
                ];
                nobody(step, &path, rules);
            }
            if !step.own {
                let set = if step.taken || !left {
                    &mut taken
                } else {
                    &mut dead
                };
                set.insert(&step.transition.id);
            }
        }
    }
    for id in dead.difference(&taken) {
        if let Some(transition) = graph.workflow.anywhere.get(*id) {
            let message = idle_message(transition);
            rules
                .warning("idle-transition", &["anywhere", id.as_str()], message)
                .help = Some(IDLE_HELP.to_owned());
        }
    }
}

const IDLE_HELP: &str = "add a `permit`, or let a timer, an approval or `automatic: true` take it";

fn idle_message(transition: &Transition) -> String {
    format!(
        "nobody is permitted to take `{}`, and nothing else takes it",
        transition.id
    )
}

fn nobody(step: &Move<'_>, path: &[&str], rules: &mut Rules<'_>) {
    let message = idle_message(step.transition);
    rules.warning("idle-transition", path, message).help = Some(IDLE_HELP.to_owned());
}

/// Automatic transitions that lead back to where they began.
fn circles(graph: &Graph<'_>, rules: &mut Rules<'_>) {
    let states = &graph.workflow.states;
    let edges = graph.edges(|step| step.transition.automatic);
    let behind: Vec<Vec<bool>> = (0..states.len()).map(|state| edges.behind(state)).collect();
    let mut told = vec![false; states.len()];
    for (index, start) in states.keys().enumerate() {
        if !behind[index][index] || told[index] {
            continue;
        }
        let circle = |other: &usize| behind[index][*other] && behind[*other][index];
        let circle: BTreeSet<usize> = (0..states.len()).filter(circle).collect();
        for other in &circle {
            told[*other] = true;
        }
        circle_through(graph, start, &circle, rules);
    }
    let mut told: BTreeSet<&TransitionId> = BTreeSet::new();
    for (state, moves) in &graph.moves {
        let stays = |step: &&Move<'_>| step.transition.automatic && step.to == *state;
        for step in moves.iter().filter(stays) {
            let once = step.own || told.insert(&step.transition.id);
            if once && (step.transition.set.is_empty() || step.transition.require.is_empty()) {
                let message = format!(
                    "`{}` is taken by itself again and again: it stays in `{state}`, and its requirements hold on",
                    step.transition.id
                );
                rules.error("automatic-circle", &place(state, step), message);
            }
        }
    }
}

fn circle_through(
    graph: &Graph<'_>,
    start: &StateId,
    circle: &BTreeSet<usize>,
    rules: &mut Rules<'_>,
) {
    let states = &graph.workflow.states;
    let goes_round = |from: &StateId, step: &Move<'_>| {
        let to = states.get_index_of(step.to);
        step.transition.automatic && step.to != from && to.is_some_and(|to| circle.contains(&to))
    };
    let Some(first) = graph.moves[start]
        .iter()
        .find(|step| goes_round(start, step))
    else {
        return;
    };
    let members: Vec<&StateId> = circle
        .iter()
        .filter_map(|index| Some(states.get_index(*index)?.0))
        .collect();
    let certain = members.iter().all(|state| {
        let mut moves = graph.moves[*state].iter();
        moves.any(|step| step.transition.require.is_empty() && goes_round(state, step))
    });
    let mut shown: Vec<&str> = members
        .iter()
        .take(MOST_SHOWN)
        .map(|state| state.as_str())
        .collect();
    if members.len() > MOST_SHOWN {
        shown.push("…");
    }
    let (shown, path) = (shown.join(", "), place(start, first));
    if certain {
        let message = format!(
            "records would go round for ever between {shown}: these automatic transitions require nothing"
        );
        rules.error("automatic-circle", &path, message);
    } else {
        let message = format!(
            "automatic transitions lead in a circle through {shown}; their requirements must never all hold together"
        );
        rules.warning("automatic-circle", &path, message);
    }
}

fn place<'p>(state: &'p StateId, step: &'p Move<'_>) -> Vec<&'p str> {
    let id = step.transition.id.as_str();
    if step.own {
        vec!["states", state.as_str(), "transitions", id]
    } else {
        vec!["anywhere", id]
    }
}
