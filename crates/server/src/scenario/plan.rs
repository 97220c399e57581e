//! A scenario ready to be run: its beginning resolved, each part knowing where it was written.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context as _, Result, anyhow};
use chrono_tz::Tz;
use definition::pack::Pack;
use definition::scenario::{beginning, instant};
use definition::source::{Position, Tree};
use model::Instant;
use model::definition::{Moment, Scenario, Step, Things};
use model::directory::{Key, Thing};
use model::id::{BindingId, ScenarioId, StepId, TransitionId, WorkflowId};
use serde_json::{Map, Value as Json};

/// A scenario ready to be run.
pub(crate) struct Plan {
    /// Its id.
    pub(crate) id: ScenarioId,
    /// What it says.
    pub(crate) scenario: Scenario,
    /// The zone of its local times.
    pub(super) zone: Tz,
    /// When it begins.
    pub(super) begins: Instant,
    /// What is in the directory then.
    pub(super) directory: Vec<(Key, Thing)>,
    /// The bindings that give no answer.
    pub(super) silent: BTreeSet<BindingId>,
    /// What forms are filled in with where a step says nothing, by workflow and field.
    pub(super) filled: BTreeMap<WorkflowId, Map<String, Json>>,
    /// What is taken before a transition that is not possible yet, by workflow and transition.
    pub(super) before: BTreeMap<WorkflowId, BTreeMap<TransitionId, TransitionId>>,
    /// Why it is not run.
    pub(super) skip: Option<String>,
    /// Its text in canonical form.
    canonical: String,
    tree: Tree,
}

/// The scenarios of a pack that have steps, in order of id.
///
/// # Errors
/// Where one has no beginning; the linter says it better.
pub(crate) fn plans(pack: &Pack) -> Result<Vec<Plan>> {
    let zone = pack.header.zone.as_deref().unwrap_or_default();
    let zone: Tz = zone
        .parse()
        .map_err(|_| anyhow!("`{zone}` is not a time zone"))?;
    let mut plans = Vec::new();
    for (id, it) in &pack.scenarios {
        if it.value.steps.is_empty() {
            continue;
        }
        let about = || format!("the scenario `{id}` cannot begin");
        let found = beginning(&pack.scenarios, &it.value).with_context(about)?;
        let begins = found.at.and_then(|at| instant(at, zone));
        plans.push(Plan {
            id: id.clone(),
            scenario: it.value.clone(),
            zone,
            begins: begins.context("it does not say when").with_context(about)?,
            directory: keyed(&found.directory),
            silent: found.silent,
            filled: found.filled,
            before: found.before,
            skip: found.skip,
            canonical: it.canonical.clone(),
            tree: it.tree.clone(),
        });
    }
    plans.sort_by(|a, b| a.id.cmp(&b.id));
    Ok(plans)
}

/// Things by their address.
pub(super) fn keyed(things: &Things) -> Vec<(Key, Thing)> {
    let each = things.iter().flat_map(|(kind, all)| {
        all.iter().map(|(id, thing)| {
            let (kind, id) = (kind.clone(), id.clone());
            (Key { kind, id }, Thing(thing.clone()))
        })
    });
    each.collect()
}

impl Plan {
    /// Where a part of it was written.
    pub(super) fn position(&self, path: &[&str]) -> Position {
        self.tree.position(path)
    }

    /// When a step happens, after one at `before`; none where its time does not exist.
    pub(super) fn time_of(&self, step: &Step, before: Instant) -> Option<Instant> {
        match (step.at, step.after) {
            (Some(at), _) => instant(at, self.zone),
            (None, None) => Some(before),
            (None, Some(after)) => calendar::add_days(self.zone, before, after.days)
                .map(|at| at.saturating_add(after.time)),
        }
    }

    /// The instant of a moment that an expectation names.
    pub(super) fn instant(&self, moment: Moment) -> Option<Instant> {
        instant(moment, self.zone)
    }

    /// An instant as the clocks of the pack's zone show it.
    pub(super) fn shown(&self, at: Instant) -> String {
        let local = at.to_utc().with_timezone(&self.zone);
        local.format("%Y-%m-%dT%H:%M:%S%:z").to_string()
    }

    /// How many of these words it names.
    pub(super) fn names(&self, words: &[String]) -> usize {
        let named = |word: &&String| self.canonical.contains(&format!("\"{word}\""));
        words.iter().filter(named).count()
    }

    /// The steps, in order.
    pub(super) fn steps(&self) -> impl Iterator<Item = (&StepId, &Step)> {
        self.scenario.steps.iter()
    }
}
