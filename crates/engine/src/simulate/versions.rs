//! What is in force in a simulation: at each time the packs of then, with the one that is tried in the
//! place of its earlier versions and of the packs that it adapts.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use calendar::Calendar;
use definition::compile::{Definitions, Installable, ServiceLevel, Workflow};
use definition::pack::Pack;
use model::Digest;
use model::configuration::InstalledBinding;
use model::definition::{Component, Plugin, RoutingBy};
use model::id::{BindingId, PackId};
use model::record::Record;

use crate::decide::Pinned;
use crate::deploy::carry_over;
use crate::error::EngineError;
use crate::install::{check_unclaimed, remove};
use crate::library::{Library, compiled};
use crate::port::{Store, StoreError};

/// How many versions of what is in force are kept compiled.
const VERSIONS: usize = 32;

/// The components that a pack brings, by the file names that its bindings use.
pub type Components = Arc<dyn Fn(&str) -> Option<Vec<u8>> + Send + Sync>;

/// What is in force under each digest that the journal names.
pub(super) struct Versions {
    store: Arc<dyn Store>,
    library: Library,
    pack: Pack,
    /// The component of each of the pack's bindings.
    components: BTreeMap<BindingId, Digest>,
    /// The components that the pack brings.
    brought: HashMap<Digest, Arc<[u8]>>,
    known: Mutex<HashMap<Digest, Arc<Version>>>,
}

/// What was in force, and what is in its place.
pub(super) struct Version {
    /// The bindings of then.
    recorded: BTreeMap<BindingId, (InstalledBinding, Arc<Plugin>)>,
    /// All that is in force now.
    pub(super) definitions: Arc<Definitions>,
}

impl Version {
    /// Whether a binding has the component and the settings that it had then, so that it answers the
    /// same to the same.
    pub(super) fn is_unchanged(&self, binding: &BindingId) -> bool {
        let now = self.definitions.bindings.get(binding);
        let both = self.recorded.get(binding).zip(now);
        both.is_some_and(|((installed, plugin), now)| {
            installed.component == now.installed.component && plugin.settings == now.plugin.settings
        })
    }
}

impl Versions {
    /// Tries a pack on what a store has in force.
    ///
    /// # Errors
    /// What would keep the pack from being installed there today.
    pub(super) fn new(
        store: Arc<dyn Store>,
        pack: Pack,
        supply: &Components,
    ) -> Result<Self, EngineError> {
        let mut components = BTreeMap::new();
        let mut brought = HashMap::new();
        let mut faults = Vec::new();
        for (id, plugin) in &pack.plugins {
            match &plugin.value.component {
                Component::File(file) => match supply(file) {
                    Some(component) => {
                        let digest = Digest::of(&component);
                        brought.insert(digest, component.into());
                        components.insert(id.clone(), digest);
                    }
                    None => faults.push(format!(
                        "the binding `{id}` names a component that is not there: {file}"
                    )),
                },
                Component::Digest(digest) => {
                    if store.blob(digest)?.is_none() {
                        faults.push(format!(
                            "the binding `{id}` names a component that is not there: {digest}"
                        ));
                    }
                    components.insert(id.clone(), *digest);
                }
            }
        }
        if !faults.is_empty() {
            return Err(EngineError::Install(faults));
        }
        let versions = Self {
            library: Library::new(store.clone()),
            store,
            pack,
            components,
            brought,
            known: Mutex::default(),
        };
        let (active, _) = versions.library.configuration()?;
        let mut installable = versions.installed_under(&active)?;
        versions.take_out(&mut installable);
        check_unclaimed(&installable, &versions.pack)?;
        versions.under(&active)?;
        Ok(versions)
    }

    /// Takes out what the pack that is tried replaces.
    fn take_out(&self, installable: &mut Installable) {
        let below: Vec<PackId> = self
            .pack
            .chain
            .iter()
            .map(|below| below.id.clone())
            .collect();
        remove(installable, &self.pack.id, &below);
    }

    /// What is in force in the place of what was under a digest.
    pub(super) fn under(&self, digest: &Digest) -> Result<Arc<Version>, EngineError> {
        let lock = || self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = lock().get(digest) {
            return Ok(known.clone());
        }
        let version = Arc::new(self.tried(digest)?);
        let mut known = lock();
        if known.len() >= VERSIONS {
            known.clear();
        }
        known.insert(*digest, version.clone());
        Ok(version)
    }

    fn installed_under(&self, digest: &Digest) -> Result<Installable, EngineError> {
        // Before anything was installed there was nothing.
        if *digest == Digest::default() {
            return Ok(Installable::default());
        }
        self.library.written_under(digest)
    }

    fn tried(&self, digest: &Digest) -> Result<Version, EngineError> {
        let mut installable = self.installed_under(digest)?;
        let recorded = installable.bindings.clone();
        self.take_out(&mut installable);
        installable.add_pack(&self.pack, |binding, _| {
            self.components.get(binding).copied().unwrap_or_default()
        });
        for id in self.components.keys() {
            if let Some((installed, _)) = installable.bindings.get_mut(id)
                && let Some((before, _)) = recorded.get(id)
            {
                installed.provenance.clone_from(&before.provenance);
                carry_over(before, installed);
            }
        }
        let configuration = serde_json::to_vec(&installable.configuration())
            .map_err(|error| EngineError::Install(vec![error.to_string()]))?;
        installable.digest = Digest::of(&configuration);
        let definitions = compiled(&installable)?;
        Ok(Version {
            recorded,
            definitions,
        })
    }

    /// The version of its workflow that a record runs under.
    pub(super) fn workflow_of(
        &self,
        definitions: &Definitions,
        record: &Record,
    ) -> Result<Arc<Workflow>, EngineError> {
        self.library.workflow_of(definitions, record)
    }

    /// A component: one that the pack brings, or one that is stored.
    pub(super) fn component(&self, digest: &Digest) -> Result<Option<Arc<[u8]>>, StoreError> {
        if let Some(component) = self.brought.get(digest) {
            return Ok(Some(component.clone()));
        }
        Ok(self.store.blob(digest)?.map(Into::into))
    }

    /// Whether any plugin may be asked under what is in force today.
    pub(super) fn asks_plugins(&self, digest: &Digest) -> Result<bool, EngineError> {
        let version = self.under(digest)?;
        let mut workflows = version.definitions.workflows.values();
        let by_members = |workflow: &Arc<Workflow>| {
            let by = workflow
                .routing
                .as_ref()
                .and_then(|routing| routing.by.as_ref());
            matches!(by, Some(RoutingBy::Members(_)))
        };
        if workflows.any(by_members) {
            return Ok(true);
        }
        let mut bindings = version.definitions.bindings.values();
        Ok(bindings.any(|binding| {
            let mut hooks = binding.plugin.hooks.iter();
            hooks.any(|(hook, used)| *used && hook.is_pure())
        }))
    }

    pub(super) const fn pack(&self) -> &Pack {
        &self.pack
    }
}

/// Versions that clocks are pinned to: those of the pack that is tried, then those that are stored.
pub(super) struct PinnedThen<'v> {
    pub(super) versions: &'v Versions,
    pub(super) definitions: &'v Definitions,
}

impl Pinned for PinnedThen<'_> {
    fn service_level(&self, digest: &Digest) -> Option<Arc<ServiceLevel>> {
        let mut levels = self.definitions.service_levels.values();
        let own = levels.find(|level| level.digest == *digest).cloned();
        let library = &self.versions.library;
        own.or_else(|| library.service_level(self.definitions, digest))
    }

    fn calendar(&self, digest: &Digest) -> Option<Calendar> {
        let mut calendars = self.definitions.calendars.values();
        let own = calendars.find(|pinned| pinned.digest == *digest);
        let own = own.map(|pinned| pinned.calendar.clone());
        own.or_else(|| self.versions.library.calendar(digest))
    }
}
