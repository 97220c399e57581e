//! How scenarios begin: what each shares with another, resolved, and where in time a moment lies.

use std::collections::{BTreeMap, BTreeSet};

use chrono::TimeZone as _;
use chrono_tz::Tz;
use indexmap::IndexMap;
use model::Instant;
use model::definition::{Moment, Scenario, Things};
use model::id::{BindingId, ScenarioId, TransitionId, WorkflowId};
use serde_json::{Map, Value as Json};
use thiserror::Error;

use crate::pack::Sourced;

/// How many scenarios may be like each other in a row.
pub const MAX_LIKE: usize = 8;
/// How many steps a scenario may have.
pub const MAX_STEPS: usize = 200;

/// How a scenario begins, with what it shares.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Beginning {
    /// When; none where neither it nor what it is like says so.
    pub at: Option<Moment>,
    /// Who and what is in the directory.
    pub directory: Things,
    /// The bindings that give no answer.
    pub silent: BTreeSet<BindingId>,
    /// What forms are filled in with where a step says nothing, by workflow and field.
    pub filled: BTreeMap<WorkflowId, Map<String, Json>>,
    /// What is taken before a transition that is not possible yet, by workflow and transition.
    pub before: BTreeMap<WorkflowId, BTreeMap<TransitionId, TransitionId>>,
    /// Why it is not run: it says so, or one that it is like.
    pub skip: Option<String>,
}

/// Why a scenario has no beginning.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum BeginningError {
    /// It is like one that does not exist.
    #[error("there is no scenario `{0}`")]
    Unknown(ScenarioId),
    /// It is like itself in the end, or like too many in a row.
    #[error("it is like itself, or like more than {MAX_LIKE} scenarios in a row")]
    Circular,
}

/// The beginning of a scenario: a thing that it says itself replaces the one that it shares.
///
/// # Errors
/// Where what it is like does not exist, or leads in a circle.
pub fn beginning(
    scenarios: &IndexMap<ScenarioId, Sourced<Scenario>>,
    scenario: &Scenario,
) -> Result<Beginning, BeginningError> {
    let mut layers = vec![scenario];
    while let Some(like) = layers.last().and_then(|it| it.given.like.as_ref()) {
        let next = scenarios.get(like);
        let next = next.ok_or_else(|| BeginningError::Unknown(like.clone()))?;
        layers.push(&next.value);
        if layers.len() > MAX_LIKE {
            return Err(BeginningError::Circular);
        }
    }
    let mut found = Beginning::default();
    for Scenario { skip, given, .. } in layers.into_iter().rev() {
        found.skip = skip.clone().or(found.skip);
        found.at = given.at.or(found.at);
        for (binding, silent) in &given.silent {
            if *silent {
                found.silent.insert(binding.clone());
            } else {
                found.silent.remove(binding);
            }
        }
        for (kind, things) in &given.directory {
            let kind = found.directory.entry(kind.clone()).or_default();
            let things = things.iter();
            kind.extend(things.map(|(id, thing)| (id.clone(), thing.clone())));
        }
        for (workflow, inputs) in &given.filled {
            let filled = found.filled.entry(workflow.clone()).or_default();
            filled.extend(inputs.clone());
        }
        for (workflow, transitions) in &given.before {
            let before = found.before.entry(workflow.clone()).or_default();
            before.extend(transitions.clone());
        }
    }
    Ok(found)
}

/// The instant of a moment: the earlier one where the clocks of the zone show it twice. None where
/// they never show it.
pub fn instant(moment: Moment, zone: Tz) -> Option<Instant> {
    match moment {
        Moment::Exact(instant) => Some(instant),
        Moment::Local(local) => {
            let at = zone.from_local_datetime(&local).earliest()?;
            Some(Instant::from_utc(at.to_utc()))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::instant;

    #[test]
    fn a_local_moment_is_what_the_clocks_of_the_zone_show() {
        let zone = "Europe/Brussels".parse().expect("a zone");
        for (moment, expected) in [
            ("2026-03-02T09:00", Some("2026-03-02T08:00:00Z")),
            ("2026-07-01T09:00", Some("2026-07-01T07:00:00Z")),
            ("2026-10-25T02:30", Some("2026-10-25T00:30:00Z")),
            ("2026-03-29T02:30", None),
            ("2026-03-02T09:00:00+05:00", Some("2026-03-02T04:00:00Z")),
        ] {
            let at = instant(moment.parse().expect("a moment"), zone);
            assert_eq!(at.map(|at| at.to_string()).as_deref(), expected, "{moment}");
        }
    }
}
