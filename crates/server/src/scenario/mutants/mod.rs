//! The mutation run: one thing is broken at a time in a copy of the definitions, and the scenarios of
//! that workflow are run. A break that none of them notices is a gap in what they tell.
//!
//! The copies are made of typed definitions and compiled; nothing is read again, and the plugins stay
//! as they are. What does not compile is refused before anybody could run it, and is counted apart.

mod break_level;
mod break_workflow;
mod filled;
mod report;
#[cfg(test)]
mod tests;

use std::cmp::Reverse;
use std::collections::BTreeSet;
use std::sync::Arc;

use anyhow::{Result, bail};
use definition::compile::{self, Installable};
use definition::overlay::DefinitionKind;
use definition::pack::Pack;
use model::id::{CatalogueItemId, ServiceLevelId, WorkflowId};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::plan::Plan;
use super::plugins::Shared;
use super::report::Report;
use super::{Bench, at_once, run};
use break_level::breaks_of_level;
use break_workflow::breaks_of_workflow;
use filled::Filled;
pub(crate) use report::MutationReport;
use report::{Fate, Mutant};

/// How many mutants one run makes at most.
const MOST_MUTANTS: usize = 20_000;

/// A definition with one thing broken.
pub(super) struct Break<T> {
    /// What kind of break it is, in words.
    kind: &'static str,
    /// The keys that lead to what is broken.
    path: Vec<String>,
    /// The definition as it is then.
    definition: T,
}

/// Broken definitions of a pack, one at a time.
enum Broken {
    Workflow(WorkflowId, Box<Break<model::definition::Workflow>>),
    /// What an item of the catalogue changes of its workflow.
    Item(CatalogueItemId, Box<Break<model::definition::Workflow>>),
    Level(ServiceLevelId, Box<Break<model::definition::ServiceLevel>>),
}

impl Bench {
    /// Breaks one thing at a time, and sees which breaks the scenarios notice.
    ///
    /// # Errors
    /// Where a scenario fails as things are, or there are more things to break than are tried.
    pub(crate) async fn mutants(&self, pack: &Pack) -> Result<MutationReport> {
        let report = self.run().await;
        if report.failed() > 0 {
            bail!(
                "the scenarios fail as the definitions are; mend them first\n{}",
                report.told()
            );
        }
        let all = self.breaks();
        if all.len() > MOST_MUTANTS {
            bail!(
                "there are {} things to break; {MOST_MUTANTS} are the most",
                all.len()
            );
        }
        let places = Arc::new(Semaphore::new(at_once()));
        let mut running = JoinSet::new();
        for (index, broken) in all.into_iter().enumerate() {
            let place = places.clone().acquire_owned().await;
            let plans = self.concerned(&broken, &report);
            let installable = broken.put_into(self.installable.clone());
            let mutant = broken.mutant(pack);
            let plugins = self.plugins.clone();
            running.spawn(async move {
                let _place = place;
                let fate = fate(&installable, &plans, &plugins).await;
                (index, mutant.ended(fate))
            });
        }
        let mut mutants = running.join_all().await;
        mutants.sort_by_key(|(index, _)| *index);
        let mutants = mutants.into_iter().map(|(_, mutant)| mutant).collect();
        Ok(MutationReport { mutants })
    }

    /// The scenarios that could notice a break. Those that name what is broken, and are short, are
    /// likely to, and come first.
    fn concerned(&self, broken: &Broken, report: &Report) -> Vec<Arc<Plan>> {
        let had_records = |plan: &&Arc<Plan>| {
            let ran = report.ran.iter().find(|ran| ran.id == plan.id);
            ran.is_some_and(|ran| broken.concerns(&self.installable, &ran.outcome.workflows))
        };
        let mut plans: Vec<Arc<Plan>> = self.plans.iter().filter(had_records).cloned().collect();
        plans.sort_by_key(|plan| {
            let named = plan.names(broken.path());
            (Reverse(named), plan.scenario.steps.len())
        });
        plans
    }

    fn breaks(&self) -> Vec<Broken> {
        let mut all = Vec::new();
        let filled = Filled::of(&self.installable);
        for (id, version) in &self.installable.workflows {
            let breaks = breaks_of_workflow(&version.definition, &filled);
            all.extend(
                breaks
                    .into_iter()
                    .map(|it| Broken::Workflow(id.clone(), Box::new(it))),
            );
        }
        for (id, it) in &self.installable.catalogue {
            let common = self.installable.workflows.get(&it.item.definition.of);
            let common = common.map(|version| breaks_of_workflow(&version.definition, &filled));
            let common: BTreeSet<(&'static str, Vec<String>)> = common
                .into_iter()
                .flatten()
                .map(|it| (it.kind, it.path))
                .collect();
            let own = breaks_of_workflow(&it.workflow, &filled).into_iter();
            let own = own.filter(|it| !common.contains(&(it.kind, it.path.clone())));
            all.extend(own.map(|it| Broken::Item(id.clone(), Box::new(it))));
        }
        for (id, version) in &self.installable.service_levels {
            let breaks = breaks_of_level(&version.definition);
            all.extend(
                breaks
                    .into_iter()
                    .map(|it| Broken::Level(id.clone(), Box::new(it))),
            );
        }
        all
    }
}

/// What becomes of broken definitions.
async fn fate(installable: &Installable, plans: &[Arc<Plan>], plugins: &Arc<Shared>) -> Fate {
    let Ok(definitions) = compile::definitions(installable) else {
        return Fate::Refused;
    };
    let definitions = Arc::new(definitions);
    for plan in plans {
        let outcome = run::run(plan, definitions.clone(), plugins.clone(), true).await;
        if !outcome.unmet.is_empty() {
            return Fate::Caught;
        }
    }
    Fate::Survived
}

impl Broken {
    /// Whether a scenario with records of these workflows could notice.
    fn concerns(&self, installable: &Installable, workflows: &BTreeSet<WorkflowId>) -> bool {
        match self {
            Self::Workflow(id, _) => workflows.contains(id),
            Self::Item(id, _) => installable
                .catalogue
                .get(id)
                .is_some_and(|it| workflows.contains(&it.item.definition.of)),
            Self::Level(id, _) => installable.service_levels.get(id).is_some_and(|level| {
                let mut covers = level.definition.covers.keys();
                covers.any(|id| workflows.contains(id))
            }),
        }
    }

    fn path(&self) -> &[String] {
        match self {
            Self::Workflow(_, it) | Self::Item(_, it) => &it.path,
            Self::Level(_, it) => &it.path,
        }
    }

    fn put_into(&self, mut installable: Installable) -> Installable {
        match self {
            Self::Item(id, broken) => {
                if let Some(item) = installable.catalogue.get_mut(id) {
                    item.workflow = broken.definition.clone();
                }
            }
            Self::Workflow(id, broken) => {
                if let Some(version) = installable.workflows.get_mut(id) {
                    version.definition = broken.definition.clone();
                }
            }
            Self::Level(id, broken) => {
                if let Some(version) = installable.service_levels.get_mut(id) {
                    version.definition = broken.definition.clone();
                }
            }
        }
        installable
    }

    fn mutant(&self, pack: &Pack) -> Mutant {
        let (kind, id, what, path) = match self {
            Self::Workflow(id, it) => (DefinitionKind::Workflow, id.as_str(), it.kind, &it.path),
            Self::Item(id, it) => (
                DefinitionKind::CatalogueItem,
                id.as_str(),
                it.kind,
                &it.path,
            ),
            Self::Level(id, it) => (DefinitionKind::ServiceLevel, id.as_str(), it.kind, &it.path),
        };
        Mutant::new(pack, kind, id, what, path)
    }
}
