//! Definitions by digest: what is in force, and the older versions that records and clocks are pinned to.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, PoisonError};

use calendar::Calendar;
use definition::compile::{self, Definitions, Installable, ServiceLevel, Workflow};
use definition::pack::from_canonical;
use model::Digest;
use model::configuration::Configuration;
use model::id::{PackId, ServiceLevelId, WorkflowId};
use model::record::Record;

use crate::error::EngineError;
use crate::port::Store;

/// How many old versions of each kind are kept compiled.
const MOST_VERSIONS: usize = 500;

/// Reads definitions from the store and keeps them compiled.
pub(crate) struct Library {
    store: Arc<dyn Store>,
    workflows: Versions<Arc<Workflow>>,
    service_levels: Versions<Arc<ServiceLevel>>,
    calendars: Versions<Calendar>,
}

impl Library {
    pub(crate) fn new(store: Arc<dyn Store>) -> Self {
        Self {
            store,
            workflows: Versions::default(),
            service_levels: Versions::default(),
            calendars: Versions::default(),
        }
    }

    /// The configuration in force; an empty one where nothing is installed.
    pub(crate) fn configuration(&self) -> Result<(Digest, Configuration), EngineError> {
        let Some(digest) = self.store.active()? else {
            return Ok(Default::default());
        };
        Ok((digest, self.configuration_of(&digest)?))
    }

    /// What was in force under a digest, by the digests of its parts.
    pub(crate) fn configuration_of(&self, digest: &Digest) -> Result<Configuration, EngineError> {
        let text = self.text(digest)?;
        serde_json::from_str(&text).map_err(|error| EngineError::Installed(error.to_string()))
    }

    /// What is in force, as it was written.
    pub(crate) fn installable(&self) -> Result<Installable, EngineError> {
        let (digest, configuration) = self.configuration()?;
        self.written(digest, &configuration)
    }

    /// What was in force under a digest, as it was written.
    pub(crate) fn written_under(&self, digest: &Digest) -> Result<Installable, EngineError> {
        let configuration = self.configuration_of(digest)?;
        self.written(*digest, &configuration)
    }

    /// A configuration, as it was written.
    pub(crate) fn written(
        &self,
        digest: Digest,
        configuration: &Configuration,
    ) -> Result<Installable, EngineError> {
        let read = |digest: &Digest| self.text(digest).ok();
        Installable::stored(digest, configuration, read)
            .map_err(|error| EngineError::Installed(crate::chain(&error)))
    }

    /// What is in force, compiled.
    pub(crate) fn active(&self) -> Result<Arc<Definitions>, EngineError> {
        compiled(&self.installable()?)
    }

    /// What was in force under a digest, compiled.
    pub(crate) fn in_force_under(&self, digest: &Digest) -> Result<Arc<Definitions>, EngineError> {
        compiled(&self.written_under(digest)?)
    }

    /// The canonical form of a definition.
    pub(crate) fn text(&self, digest: &Digest) -> Result<String, EngineError> {
        let bytes = self
            .store
            .blob(digest)?
            .ok_or_else(|| EngineError::Installed(format!("{digest} is not stored")))?;
        String::from_utf8(bytes)
            .map_err(|_| EngineError::Installed(format!("{digest} is no definition")))
    }

    /// The version of its workflow that a record runs under.
    pub(crate) fn workflow_of(
        &self,
        definitions: &Definitions,
        record: &Record,
    ) -> Result<Arc<Workflow>, EngineError> {
        match definitions.in_force(&record.workflow, record.item.as_ref()) {
            Some(workflow) if workflow.digest == record.definition => Ok(workflow.clone()),
            _ => self.workflow(definitions, &record.workflow, &record.definition),
        }
    }

    /// A version of a workflow that a record is pinned to.
    pub(crate) fn workflow(
        &self,
        definitions: &Definitions,
        id: &WorkflowId,
        digest: &Digest,
    ) -> Result<Arc<Workflow>, EngineError> {
        if let Some(known) = self.workflows.get(digest) {
            return Ok(known);
        }
        let source = self.read(digest)?;
        let active = definitions.workflows.get(id);
        let zone = active.map_or(chrono_tz::UTC, |active| active.zone);
        let pack = active
            .map(|active| active.pack.clone())
            .or_else(|| definitions.packs.keys().next().cloned());
        let pack = pack.unwrap_or_else(|| PackId::new("removed").expect("a valid id"));
        let names = definitions.names.clone().for_old_versions();
        let compiled = compile::workflow(id, *digest, &pack, zone, &source, &names);
        let compiled =
            compiled.map_err(|faults| EngineError::Installed(told(&faults).join("; ")))?;
        Ok(self.workflows.keep(*digest, Arc::new(compiled)))
    }

    /// A version of a service level that a clock is pinned to; none where it does not compile any more.
    pub(crate) fn service_level(
        &self,
        definitions: &Definitions,
        digest: &Digest,
    ) -> Option<Arc<ServiceLevel>> {
        if let Some(known) = self.service_levels.get(digest) {
            return Some(known);
        }
        let text = self.text(digest).ok()?;
        let source = from_canonical(&text).ok()?;
        let header: Header = serde_json::from_str(&text).ok()?;
        let names = definitions.names.clone().for_old_versions();
        let known = |id: &WorkflowId| definitions.workflows.get(id).map(Arc::as_ref);
        let compiled =
            compile::service_level(&header.id, *digest, chrono_tz::UTC, &source, known, &names);
        let compiled = compiled
            .inspect_err(|faults| tracing::warn!(%digest, faults = ?told(faults), "an old service level does not compile"))
            .ok()?;
        Some(self.service_levels.keep(*digest, Arc::new(compiled)))
    }

    /// A version of a calendar that a clock is counted in.
    pub(crate) fn calendar(&self, digest: &Digest) -> Option<Calendar> {
        if let Some(known) = self.calendars.get(digest) {
            return Some(known);
        }
        let source = self.read(digest).ok()?;
        let compiled = Calendar::compile(&source).ok()?;
        Some(self.calendars.keep(*digest, compiled))
    }

    fn read<T: serde::de::DeserializeOwned>(&self, digest: &Digest) -> Result<T, EngineError> {
        from_canonical(&self.text(digest)?)
            .map_err(|error| EngineError::Installed(error.to_string()))
    }
}

#[derive(serde::Deserialize)]
struct Header {
    id: ServiceLevelId,
}

pub(crate) fn compiled(installable: &Installable) -> Result<Arc<Definitions>, EngineError> {
    let compiled = compile::definitions(installable)
        .map_err(|faults| EngineError::Installed(told(&faults).join("; ")))?;
    Ok(Arc::new(compiled))
}

/// What is wrong with definitions, a sentence each.
pub(crate) fn told(faults: &[compile::Fault]) -> Vec<String> {
    faults
        .iter()
        .take(20)
        .map(|fault| format!("{} `{}`: {}", fault.kind.as_str(), fault.id, fault.message))
        .collect()
}

/// Compiled versions by digest.
pub(crate) struct Versions<T>(Mutex<HashMap<Digest, T>>);

impl<T> Default for Versions<T> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<T: Clone> Versions<T>
where
    Digest: Hash,
{
    pub(crate) fn get(&self, digest: &Digest) -> Option<T> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(digest)
            .cloned()
    }

    pub(crate) fn keep(&self, digest: Digest, version: T) -> T {
        let mut versions = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if versions.len() >= MOST_VERSIONS {
            versions.clear();
        }
        versions.insert(digest, version.clone());
        version
    }
}
