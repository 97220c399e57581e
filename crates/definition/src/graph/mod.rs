//! A workflow as a graph: its states, what leads from each to the next, and who or what takes it there.
//!
//! [`Graph`] is what there is to draw, [`mermaid`](Graph::mermaid) writes it as text that other tools
//! draw, and [`svg`](Graph::svg) draws it, in layers from the ways to begin down to the ends.

mod layout;
mod mermaid;
mod svg;
#[cfg(test)]
mod tests;

use indexmap::IndexMap;
use model::definition::{Category, Outcome, State, Timer, Transition, Wait, Workflow};
use model::id::{StateId, TransitionId};
use model::time::Period;

pub use layout::TooLarge;

/// What there is to draw of a workflow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Graph {
    /// What people call it.
    pub title: String,
    /// The ways to begin, each what people call it and the place of the state that it leads to.
    pub begin: Vec<(String, usize)>,
    /// The states, in the order written.
    pub nodes: Vec<Node>,
    /// What leads from one state to another.
    pub edges: Vec<Edge>,
    /// What is open or runs in several states, a sentence each.
    pub anywhere: Vec<String>,
}

/// A state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    /// Its id.
    pub id: String,
    /// What people call it.
    pub title: String,
    /// Its part of a record's life.
    pub category: Category,
    /// What happens in it without leaving it, a line each.
    pub within: Vec<String>,
}

/// A way from one state to another. What leads the same way is one edge.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edge {
    /// The place of the state that it leaves.
    pub from: usize,
    /// The place of the state that it leads to.
    pub to: usize,
    /// The transitions, each with who takes it.
    pub steps: Vec<Step>,
}

/// A transition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// What people call it, and when it is taken by something else than people.
    pub label: String,
    /// Who or what takes it.
    pub by: By,
}

/// Who or what takes a transition.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum By {
    /// People.
    People,
    /// The end of an approval.
    Approval,
    /// The end of tasks.
    Tasks,
    /// A timer.
    Timer,
    /// Nobody: it is taken by itself, or by what other definitions say.
    Itself,
}

impl By {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::People,
        Self::Approval,
        Self::Tasks,
        Self::Timer,
        Self::Itself,
    ];

    /// What the legend calls it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::People => "by people",
            Self::Approval => "by approval",
            Self::Tasks => "once tasks have ended",
            Self::Timer => "after a time",
            Self::Itself => "by itself",
        }
    }
}

impl Graph {
    /// The graph of a workflow.
    pub fn of(workflow: &Workflow) -> Self {
        let place = |id: &StateId| workflow.states.get_index_of(id);
        let begin = workflow.create.iter().filter_map(|(id, create)| {
            let to = create.to.as_ref().and_then(place)?;
            Some((title(id.as_str(), create.title.as_ref()), to))
        });
        let mut edges: IndexMap<(usize, usize), Vec<Step>> = IndexMap::new();
        let mut nodes = Vec::new();
        for (from, (id, state)) in workflow.states.iter().enumerate() {
            let mut within = Vec::new();
            for (transition, said) in &state.transitions {
                let steps = steps(transition, said, state);
                match said.to.as_ref().and_then(place) {
                    Some(to) if to != from => edges.entry((from, to)).or_default().extend(steps),
                    _ => within.extend(steps.into_iter().map(|step| step.label)),
                }
            }
            within.extend(inside(state));
            let through = state.all_timers().filter_map(|(_, timer)| {
                let to = workflow.anywhere.get(timer.transition.as_ref()?)?;
                Some((timer, place(to.to.as_ref()?)?, to))
            });
            for (timer, to, transition) in through {
                let taken = timer.transition.as_ref().map_or("", |id| id.as_str());
                let label = title(taken, transition.title.as_ref());
                let label = format!("{label} {}", after(&timer.wait));
                let by = By::Timer;
                edges
                    .entry((from, to))
                    .or_default()
                    .push(Step { label, by });
            }
            nodes.push(Node {
                id: id.to_string(),
                title: title(id.as_str(), state.title.as_ref()),
                category: state.category,
                within,
            });
        }
        let edges = edges.into_iter();
        Self {
            title: workflow.title.clone(),
            begin: begin.collect(),
            nodes,
            edges: edges
                .map(|((from, to), steps)| Edge { from, to, steps })
                .collect(),
            anywhere: anywhere(workflow),
        }
    }
}

fn title(id: &str, title: Option<&String>) -> String {
    title.cloned().unwrap_or_else(|| {
        let mut words = id.replace(['-', '_'], " ");
        if let Some(first) = words.get_mut(..1) {
            first.make_ascii_uppercase();
        }
        words
    })
}

/// A transition of a state, once for people and once for whatever else takes it.
fn steps(id: &TransitionId, transition: &Transition, state: &State) -> Vec<Step> {
    let mut others = Vec::new();
    if let Some(approval) = &state.approval {
        let ends = approval.then.iter().filter(|(_, taken)| *taken == id);
        let ends: Vec<&str> = ends.map(|(outcome, _)| Outcome::as_str(*outcome)).collect();
        if !ends.is_empty() {
            others.push((ends.join(", "), By::Approval));
        }
    }
    if let Some(tasks) = &state.tasks {
        if tasks.then.all == *id {
            others.push(("all done".to_owned(), By::Tasks));
        }
        if tasks.then.failed.as_ref() == Some(id) {
            others.push(("one failed".to_owned(), By::Tasks));
        }
    }
    let timers = state.all_timers().map(|(_, timer)| timer);
    let timers = timers.filter(|timer| timer.transition.as_ref() == Some(id));
    others.extend(timers.map(|timer| (after(&timer.wait), By::Timer)));
    let title = title(id.as_str(), transition.title.as_ref());
    let by_people = !transition.permit.is_empty();
    let mut steps = Vec::new();
    if by_people || others.is_empty() {
        let by = if by_people { By::People } else { By::Itself };
        let label = title.clone();
        steps.push(Step { label, by });
    }
    steps.extend(others.into_iter().map(|(when, by)| {
        let label = if by_people {
            when
        } else {
            format!("{title} ({when})")
        };
        Step { label, by }
    }));
    steps
}

/// What happens in a state: who is asked, what is handed out, what comes after a time.
fn inside(state: &State) -> Vec<String> {
    let mut lines = Vec::new();
    for (id, _) in state.approval.iter().flat_map(|approval| &approval.stages) {
        lines.push(format!("asks {id}"));
    }
    for (id, task) in state.tasks.iter().flat_map(|tasks| &tasks.each) {
        lines.push(format!("hands out {id} ({})", task.workflow));
    }
    let reminders = state
        .all_timers()
        .filter(|(_, timer)| timer.transition.is_none());
    lines.extend(reminders.map(|(id, timer)| reminder(id.as_str(), timer)));
    lines
}

fn reminder(id: &str, timer: &Timer) -> String {
    let every = if timer.repeat { "again and again " } else { "" };
    format!("{id} {every}{}", after(&timer.wait))
}

fn after(wait: &Wait) -> String {
    match wait {
        Wait::Time(period) => format!("after {}", words(*period)),
        Wait::Business { period, .. } => format!("after {} of business time", words(*period)),
    }
}

/// A period as people say it: `2 days 4 hours`.
fn words(period: Period) -> String {
    let mut words = Vec::new();
    let mut count = String::new();
    let mut in_time = false;
    for character in period.to_string().chars() {
        let unit = match character {
            'T' => {
                in_time = true;
                continue;
            }
            'W' => "week",
            'D' => "day",
            'H' => "hour",
            'M' if in_time => "minute",
            'M' => "month",
            'Y' => "year",
            'S' => "second",
            digit if digit.is_ascii_digit() || digit == '.' => {
                count.push(digit);
                continue;
            }
            _ => continue,
        };
        let plural = if count == "1" { "" } else { "s" };
        words.push(format!("{count} {unit}{plural}"));
        count.clear();
    }
    words.join(" ")
}

/// What is open or runs in several states.
fn anywhere(workflow: &Workflow) -> Vec<String> {
    let transitions = workflow.anywhere.iter().map(|(id, said)| {
        let title = title(id.as_str(), said.title.as_ref());
        let from: Vec<&str> = said
            .from
            .iter()
            .filter(|(_, leaves)| **leaves)
            .map(|(from, _)| from.as_str())
            .collect();
        let from = if from.is_empty() {
            "every state".to_owned()
        } else {
            from.join(", ")
        };
        match &said.to {
            Some(to) => format!("{title}: from {from} to {to}"),
            None => format!("{title}: in {from}"),
        }
    });
    let timers = workflow
        .timers
        .iter()
        .map(|(id, timer)| match &timer.transition {
            Some(taken) => format!("{taken}: {}", reminder(id.as_str(), timer)),
            None => reminder(id.as_str(), timer),
        });
    transitions.chain(timers).collect()
}
