//! A pack: a map of files becomes typed definitions, each with its digest and its merged tree.
//!
//! An adaptation carries the pack that it extends in `base/`, which may carry its own base in
//! turn. Reading goes in three steps, each finding all it can before the next would only find
//! consequences: every file is loaded and its header checked; the levels are laid over each other
//! from the bottom, each base's digest held to what `extends` says; the merged trees are read into
//! their types.

pub(crate) mod canonical;
mod catalogue;
pub(crate) mod chain;
mod fragments;
mod layout;
mod recurring;
pub(crate) mod renamed;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fmt::Display;
use std::str::FromStr;
use std::sync::Arc;

use indexmap::IndexMap;
use model::Digest;
use model::definition::{
    self, Calendar, CatalogueItem, Holidays, Migration, Notice, Plugin, Scenario, ServiceLevel,
    Team, Translation, Workflow,
};
use model::id::{
    BindingId, CalendarId, CatalogueItemId, FragmentId, HolidaysId, LanguageTag, MigrationId,
    NoticeId, PackId, ScenarioId, ServiceLevelId, TeamId, WorkflowId,
};
use serde::de::DeserializeOwned;

use crate::overlay::{DefinitionKind, HEADER, explain};
use crate::source::{Diagnostics, Kind, Node, Sources, Tree, emit, read};
use chain::{Merged, MergedPack};

pub use chain::MAX_CHAIN;
pub use renamed::Renames;

/// How many files a pack may have, its bases included.
pub const MAX_FILES: usize = 2_000;
/// How many bytes the files of a pack may have together, its bases included.
pub const MAX_PACK_BYTES: usize = 32 << 20;

/// A pack, with its bases laid under it.
#[derive(Clone, Debug)]
pub struct Pack {
    /// Its id.
    pub id: PackId,
    /// Its header; roles, zone, language and server are its bases' where it does not say otherwise.
    pub header: definition::Pack,
    /// It and what it stands on, the lowest base first, itself last.
    pub chain: Vec<PackRef>,
    /// Its workflows.
    pub workflows: IndexMap<WorkflowId, Sourced<Workflow>>,
    /// Its fragments, which are laid under the workflows that use them.
    pub fragments: IndexMap<FragmentId, Tree>,
    /// Its catalogue.
    pub catalogue: IndexMap<CatalogueItemId, Item>,
    /// Its migrations.
    pub migrations: IndexMap<MigrationId, Sourced<Migration>>,
    /// Its translations.
    pub translations: IndexMap<LanguageTag, Sourced<Translation>>,
    /// Its service levels.
    pub service_levels: IndexMap<ServiceLevelId, Sourced<ServiceLevel>>,
    /// Its calendars.
    pub calendars: IndexMap<CalendarId, Sourced<Calendar>>,
    /// Its holidays, which are laid under the calendars that use them.
    pub holidays: IndexMap<HolidaysId, Sourced<Holidays>>,
    /// Its teams.
    pub teams: IndexMap<TeamId, Sourced<Team>>,
    /// Its notices.
    pub notices: IndexMap<NoticeId, Sourced<Notice>>,
    /// Its bindings of plugins.
    pub plugins: IndexMap<BindingId, Sourced<Plugin>>,
    /// Its scenarios, which are no part of what is installed.
    pub scenarios: IndexMap<ScenarioId, Sourced<Scenario>>,
    /// What it and the packs below it call otherwise than their earlier versions did.
    pub renames: Renames,
    /// The header's merged tree.
    pub tree: Tree,
    /// The digest of its merged header and of all its definitions. It does not depend on comments,
    /// on the names of files, nor on whether `base/` holds a chain or the chain merged.
    pub digest: Digest,
}

/// An item of the catalogue.
#[derive(Clone, Debug)]
pub struct Item {
    /// What it says of itself; its tree is the whole item as written.
    pub item: Sourced<CatalogueItem>,
    /// Its workflow with the item laid over it.
    pub workflow: Sourced<Workflow>,
}

/// One pack of a chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PackRef {
    /// Its id.
    pub id: PackId,
    /// Its version.
    pub version: String,
    /// Its digest, its own bases included.
    pub digest: Digest,
}

/// A definition with where it was written.
#[derive(Clone, Debug)]
pub struct Sourced<T> {
    /// The definition.
    pub value: T,
    /// The digest of its canonical form.
    pub digest: Digest,
    /// Its canonical form: compact JSON, with `kind` and `id`.
    pub canonical: String,
    /// Its merged tree, header included; paths begin at its root.
    pub tree: Tree,
}

impl Pack {
    /// Reads a pack from its files, path to text. The paths are relative to the pack's folder and
    /// have `/` between their parts. What is no definition is passed over.
    ///
    /// # Errors
    /// Everything found wrong, up to [`crate::source::MAX_DIAGNOSTICS`]; more than [`MAX_FILES`]
    /// files, [`MAX_PACK_BYTES`] bytes or [`MAX_CHAIN`] packs on each other are refused.
    pub fn read(files: &BTreeMap<String, String>) -> Result<Self, Diagnostics> {
        let mut sources = Sources::new();
        let levels = chain::load(files, &mut sources)?;
        let merged = chain::merge(levels, &sources)?;
        typed(merged, &Arc::new(sources))
    }

    /// All its definitions, kind by kind, with their merged trees; the header is not among them. The
    /// tree of an item of the catalogue is that of its workflow with the item laid over it.
    pub fn trees(&self) -> impl Iterator<Item = (DefinitionKind, &str, &Tree)> {
        let workflows = self
            .workflows
            .iter()
            .map(|(id, it)| (DefinitionKind::Workflow, id.as_str(), &it.tree));
        let levels = self
            .service_levels
            .iter()
            .map(|(id, it)| (DefinitionKind::ServiceLevel, id.as_str(), &it.tree));
        let calendars = self
            .calendars
            .iter()
            .map(|(id, it)| (DefinitionKind::Calendar, id.as_str(), &it.tree));
        let holidays = self
            .holidays
            .iter()
            .map(|(id, it)| (DefinitionKind::Holidays, id.as_str(), &it.tree));
        let teams = self
            .teams
            .iter()
            .map(|(id, it)| (DefinitionKind::Team, id.as_str(), &it.tree));
        let notices = self
            .notices
            .iter()
            .map(|(id, it)| (DefinitionKind::Notice, id.as_str(), &it.tree));
        let plugins = self
            .plugins
            .iter()
            .map(|(id, it)| (DefinitionKind::Plugin, id.as_str(), &it.tree));
        let fragments = self
            .fragments
            .iter()
            .map(|(id, tree)| (DefinitionKind::Fragment, id.as_str(), tree));
        let items = self.catalogue.iter().map(|(id, it)| {
            let tree = &it.workflow.tree;
            (DefinitionKind::CatalogueItem, id.as_str(), tree)
        });
        let migrations = self
            .migrations
            .iter()
            .map(|(id, it)| (DefinitionKind::Migration, id.as_str(), &it.tree));
        let translations = self
            .translations
            .iter()
            .map(|(id, it)| (DefinitionKind::Translation, id.as_str(), &it.tree));
        let scenarios = self
            .scenarios
            .iter()
            .map(|(id, it)| (DefinitionKind::Scenario, id.as_str(), &it.tree));
        workflows
            .chain(fragments)
            .chain(items)
            .chain(migrations)
            .chain(translations)
            .chain(levels)
            .chain(calendars)
            .chain(holidays)
            .chain(teams)
            .chain(notices)
            .chain(plugins)
            .chain(scenarios)
    }

    /// The canonical forms that a store keeps of it, by digest: those of all definitions that can be in
    /// force, and of each item of the catalogue its workflow too.
    pub fn canonical_forms(&self) -> impl Iterator<Item = (Digest, &str)> {
        fn of<'p, I: 'p, T: 'p>(
            all: &'p IndexMap<I, Sourced<T>>,
        ) -> impl Iterator<Item = (Digest, &'p str)> {
            all.values().map(|it| (it.digest, it.canonical.as_str()))
        }
        let items = self.catalogue.values().flat_map(|it| {
            let (item, workflow) = (&it.item, &it.workflow);
            [
                (item.digest, item.canonical.as_str()),
                (workflow.digest, workflow.canonical.as_str()),
            ]
        });
        of(&self.workflows)
            .chain(items)
            .chain(of(&self.migrations))
            .chain(of(&self.translations))
            .chain(of(&self.service_levels))
            .chain(of(&self.calendars))
            .chain(of(&self.teams))
            .chain(of(&self.notices))
            .chain(of(&self.plugins))
    }

    /// The merged definitions of this id, of whatever kind, as YAML; `explained`, each line behind
    /// the pack it comes from. Empty where there is none.
    pub fn show(&self, id: &str, explained: bool) -> Vec<(DefinitionKind, String)> {
        let shown = |tree: &Tree| {
            if explained {
                explain(&tree.root, &tree.sources)
            } else {
                emit(&tree.root)
            }
        };
        self.trees()
            .filter(|(_, own, _)| *own == id)
            .map(|(kind, _, tree)| (kind, shown(tree)))
            .collect()
    }
}

/// Reads a definition back from its canonical form, such as a store keeps.
///
/// # Errors
/// Where the text is no canonical form of a `T`, so not one that this crate wrote.
pub fn from_canonical<T: DeserializeOwned>(canonical: &str) -> Result<T, serde_json::Error> {
    let mut map: serde_json::Map<String, serde_json::Value> = serde_json::from_str(canonical)?;
    for key in HEADER {
        map.shift_remove(key);
    }
    serde_json::from_value(map.into())
}

/// The third step: the merged trees become typed definitions.
fn typed(merged: MergedPack, sources: &Arc<Sources>) -> Result<Pack, Diagnostics> {
    let mut found = Diagnostics::new();
    let header: Option<definition::Pack> = read(&body(&merged.header), sources, &mut found);
    if header.is_some() && merged.header.get("zone").is_none() {
        let message = "`zone` is missing: the IANA zone of calendar days, such as Europe/Brussels";
        found.push(sources.error(merged.header.span, "missing-key", message));
    }
    if header.is_some() {
        renamed::check(&merged, sources, &mut found);
    }
    let mut shelf = Shelf {
        definitions: merged.definitions,
        sources,
        found: &mut found,
    };
    let workflows = shelf.take(DefinitionKind::Workflow);
    let fragments = shelf.trees(DefinitionKind::Fragment);
    let catalogue = shelf.items(&workflows);
    let migrations = shelf.take(DefinitionKind::Migration);
    let translations = shelf.take(DefinitionKind::Translation);
    let service_levels = shelf.take(DefinitionKind::ServiceLevel);
    let calendars = shelf.take(DefinitionKind::Calendar);
    let holidays = shelf.take(DefinitionKind::Holidays);
    let teams = shelf.take(DefinitionKind::Team);
    let notices = shelf.take(DefinitionKind::Notice);
    let plugins = shelf.take(DefinitionKind::Plugin);
    let scenarios = shelf.take(DefinitionKind::Scenario);
    let top = merged
        .chain
        .last()
        .expect("a chain has at least the pack itself")
        .clone();
    let pack = header.map(|header| Pack {
        id: top.id,
        header,
        chain: merged.chain,
        workflows,
        fragments,
        catalogue,
        migrations,
        translations,
        service_levels,
        calendars,
        holidays,
        teams,
        notices,
        plugins,
        scenarios,
        renames: merged.renames,
        tree: Tree {
            root: merged.header,
            sources: Arc::clone(sources),
        },
        digest: top.digest,
    });
    found.into_result(pack)
}

/// The merged definitions, from which those of one kind are taken at a time.
struct Shelf<'a> {
    definitions: Vec<Merged>,
    sources: &'a Arc<Sources>,
    found: &'a mut Diagnostics,
}

impl Shelf<'_> {
    fn take<I, T>(&mut self, kind: DefinitionKind) -> IndexMap<I, Sourced<T>>
    where
        I: FromStr<Err: Display> + Eq + std::hash::Hash,
        T: DeserializeOwned,
    {
        let mut taken = IndexMap::new();
        for merged in self
            .definitions
            .extract_if(.., |merged| merged.kind == kind)
        {
            let Some(value) = read(&body(&merged.root), self.sources, self.found) else {
                continue;
            };
            let Ok(id) = merged.id.parse() else { continue };
            let (digest, canonical) = (merged.digest, merged.canonical);
            let tree = Tree {
                root: merged.root,
                sources: Arc::clone(self.sources),
            };
            taken.insert(
                id,
                Sourced {
                    value,
                    digest,
                    canonical,
                    tree,
                },
            );
        }
        taken
    }
}

impl Shelf<'_> {
    /// The merged trees of a kind that has no type of its own.
    fn trees<I: FromStr<Err: Display> + Eq + std::hash::Hash>(
        &mut self,
        kind: DefinitionKind,
    ) -> IndexMap<I, Tree> {
        let merged = self
            .definitions
            .extract_if(.., |merged| merged.kind == kind);
        let each = merged.filter_map(|merged| {
            let sources = Arc::clone(self.sources);
            let root = merged.root;
            Some((merged.id.parse().ok()?, Tree { root, sources }))
        });
        each.collect()
    }
}

/// A definition without its header.
fn body(root: &Node) -> Node {
    let mut body = root.clone();
    if let Kind::Map(map) = &mut body.kind {
        map.retain(|key, _| !HEADER.contains(&key.as_str()));
    }
    body
}
