//! Scenarios: a pack's own tests, run through the real engine, store and plugins in virtual time.
//!
//! Each scenario has a desk of its own, in memory, under the pack's definitions ([`desk`]); the
//! plugins are compiled once and shared ([`plugins`]). [`plan`] gets a scenario ready, [`run`] takes
//! its steps with what all steps share ([`habits`]), [`check`] holds what came of them to what was expected, [`report`] tells of it all.
//! [`mutants`] breaks the definitions one thing at a time and sees whether anybody notices.

mod check;
mod desk;
mod habits;
mod mutants;
mod plan;
mod plugins;
mod report;
mod run;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Instant;

use anyhow::{Context as _, Result, anyhow};
use definition::compile::{self, Definitions, Installable};
use definition::pack::Pack;
use model::Digest;
use model::definition::Component;
use plugin_host::Compiler;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use crate::pack_files::PackFiles;
use plan::Plan;
use plugins::Shared;
use report::Ran;
pub(crate) use report::Report;

/// A pack with its plugins, on which scenarios can be run.
pub(crate) struct Bench {
    installable: Installable,
    definitions: Arc<Definitions>,
    plugins: Arc<Shared>,
    plans: Vec<Arc<Plan>>,
    skipped: Vec<Ran>,
}

impl Bench {
    /// Gets everything ready: compiles the definitions, and the plugins that decide.
    ///
    /// # Errors
    /// Where the definitions do not compile, or a plugin cannot be put to use.
    pub(crate) async fn new(
        pack: &Pack,
        files: &PackFiles,
        compiler: Option<Compiler>,
    ) -> Result<Self> {
        let mut bindings = Vec::new();
        for (id, it) in &pack.plugins {
            if !plugins::decides(&it.value) {
                continue;
            }
            let component = component(files, &it.value.component)
                .with_context(|| format!("the binding `{id}` cannot be asked"))?;
            bindings.push((id.clone(), it.value.clone(), component));
        }
        let installable = Installable::of_pack(pack, |id, _| {
            let bound = bindings.iter().find(|(of, ..)| of == id);
            bound.map_or_else(Digest::default, |(.., component)| Digest::of(component))
        });
        let definitions = compiled(&installable)?;
        let (skipped, plans) = plan::plans(pack)?
            .into_iter()
            .partition::<Vec<_>, _>(|plan| plan.skip.is_some());
        Ok(Self {
            installable,
            definitions,
            plugins: Arc::new(Shared::set_up(bindings, compiler).await?),
            plans: plans.into_iter().map(Arc::new).collect(),
            skipped: skipped.iter().map(Ran::skipped).collect(),
        })
    }

    /// Leaves only the scenarios whose id fits a pattern, in which `*` stands for anything.
    pub(crate) fn only(&mut self, pattern: &str) {
        self.plans.retain(|plan| fits(pattern, plan.id.as_str()));
        self.skipped.retain(|ran| fits(pattern, ran.id.as_str()));
    }

    /// Runs all scenarios, as many at a time as there are processors.
    pub(crate) async fn run(&self) -> Report {
        let mut ran = self.run_on(&self.definitions, &self.plans).await;
        ran.extend(self.skipped.iter().cloned());
        ran.sort_by(|a, b| a.id.cmp(&b.id));
        Report { ran }
    }

    async fn run_on(&self, definitions: &Arc<Definitions>, plans: &[Arc<Plan>]) -> Vec<Ran> {
        let places = Arc::new(Semaphore::new(at_once()));
        let mut running = JoinSet::new();
        for plan in plans {
            let (plan, definitions) = (plan.clone(), definitions.clone());
            let (plugins, places) = (self.plugins.clone(), places.clone());
            running.spawn(async move {
                let _place = places.acquire_owned().await;
                let begun = Instant::now();
                let outcome = run::run(&plan, definitions, plugins, false).await;
                Ran::of(&plan, outcome, begun.elapsed())
            });
        }
        running.join_all().await
    }
}

/// How many scenarios run at once.
fn at_once() -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZero::get)
}

fn compiled(installable: &Installable) -> Result<Arc<Definitions>> {
    compile::definitions(installable)
        .map(Arc::new)
        .map_err(|faults| {
            let faults: Vec<String> = faults.iter().take(20).map(ToString::to_string).collect();
            anyhow!("the definitions do not compile:\n{}", faults.join("\n"))
        })
}

fn component(files: &PackFiles, component: &Component) -> Result<Vec<u8>> {
    match component {
        Component::File(file) => {
            let found = files.component(file).map(<[u8]>::to_vec);
            found.with_context(|| {
                format!("`{file}` is neither in the folder `plugins`, nor does wright ship it")
            })
        }
        Component::Digest(digest) => Err(anyhow!(
            "its component {digest} is in a data folder only; to try it out, put it into the folder `plugins` and name the file"
        )),
    }
}

/// Whether a text fits a pattern, in which `*` stands for anything.
pub(crate) fn fits(pattern: &str, text: &str) -> bool {
    let Some((first, rest)) = pattern.split_once('*') else {
        return pattern == text;
    };
    let Some(mut text) = text.strip_prefix(first) else {
        return false;
    };
    let mut parts: Vec<&str> = rest.split('*').collect();
    let last = parts.pop().unwrap_or_default();
    for part in parts {
        match text.find(part) {
            Some(at) => text = &text[at + part.len()..],
            None => return false,
        }
    }
    text.ends_with(last)
}
