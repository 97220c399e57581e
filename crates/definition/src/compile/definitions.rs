//! Everything in force, compiled at once: as it is installed, and as a server starts on it.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::Arc;

use calendar::Calendar;
use model::Digest;
use model::configuration::{
    Configuration, Installed, InstalledBinding, InstalledItem, InstalledPack,
};
use model::definition;
use model::id::{
    BindingId, CalendarId, CatalogueItemId, LanguageTag, MigrationId, NoticeId, PackId,
    ServiceLevelId, TeamId, WorkflowId,
};

use serde::de::DeserializeOwned;
use thiserror::Error;

use super::catalogue::catalogue_item;
use super::escalation::team;
use super::fault::{Fault, Spot};
use super::migration::migration;
use super::names::{KnownWorkflow, Names, hooks};
use super::notice::{binding, notice};
use super::service_level::service_level;
use super::translation::{Translation, translation};
use super::types::{Definitions, PinnedCalendar, Workflow};
use super::workflow::workflow;
use crate::overlay::DefinitionKind;
use crate::pack::{Pack, Sourced, from_canonical};
use crate::source::Severity;

/// A definition with the pack it comes from and the digest of its canonical form.
#[derive(Clone, Debug, PartialEq)]
pub struct Versioned<T> {
    /// The pack.
    pub pack: PackId,
    /// The digest.
    pub digest: Digest,
    /// The definition.
    pub definition: T,
}

/// An item of the catalogue, with its workflow.
#[derive(Clone, Debug)]
pub struct InstallableItem {
    /// What it says of itself.
    pub item: Versioned<definition::CatalogueItem>,
    /// The digest of its workflow with the item laid over it.
    pub digest: Digest,
    /// That workflow.
    pub workflow: definition::Workflow,
}

/// Why stored definitions could not be read back.
#[derive(Debug, Error)]
pub enum StoredError {
    /// Nothing is stored under the digest.
    #[error("the {kind} `{id}` is not stored under its digest {digest}")]
    Missing {
        /// The kind of the definition.
        kind: &'static str,
        /// Its id.
        id: String,
        /// The digest.
        digest: Digest,
    },
    /// What is stored is of another shape.
    #[error("what is stored as the {kind} `{id}` ({digest}) cannot be read")]
    Unreadable {
        /// The kind of the definition.
        kind: &'static str,
        /// Its id.
        id: String,
        /// The digest.
        digest: Digest,
        /// What is wrong with it.
        source: serde_json::Error,
    },
}

/// Everything that is to be in force together.
#[derive(Clone, Debug, Default)]
pub struct Installable {
    /// The digest of the configuration.
    pub digest: Digest,
    /// The packs.
    pub packs: BTreeMap<PackId, InstalledPack>,
    /// The workflows.
    pub workflows: BTreeMap<WorkflowId, Versioned<definition::Workflow>>,
    /// The items of the catalogue.
    pub catalogue: BTreeMap<CatalogueItemId, InstallableItem>,
    /// The migrations.
    pub migrations: BTreeMap<MigrationId, Versioned<definition::Migration>>,
    /// The translations, of each language those of all packs.
    pub translations: BTreeMap<LanguageTag, Vec<Versioned<definition::Translation>>>,
    /// The service levels.
    pub service_levels: BTreeMap<ServiceLevelId, Versioned<definition::ServiceLevel>>,
    /// The calendars.
    pub calendars: BTreeMap<CalendarId, Versioned<definition::Calendar>>,
    /// The teams.
    pub teams: BTreeMap<TeamId, Versioned<definition::Team>>,
    /// The notices.
    pub notices: BTreeMap<NoticeId, Versioned<definition::Notice>>,
    /// The bindings.
    pub bindings: BTreeMap<BindingId, (InstalledBinding, Arc<definition::Plugin>)>,
}

impl Installable {
    /// What one pack brings. `component` says the digest of the component that a binding uses.
    pub fn of_pack(
        pack: &Pack,
        component: impl Fn(&BindingId, &definition::Plugin) -> Digest,
    ) -> Self {
        let mut all = Self::default();
        all.add_pack(pack, component);
        all
    }

    /// Adds what a pack brings; what is there already under the same id is replaced.
    pub fn add_pack(
        &mut self,
        pack: &Pack,
        component: impl Fn(&BindingId, &definition::Plugin) -> Digest,
    ) {
        fn versioned<'p, I: Clone + 'p, T: Clone + DeserializeOwned + 'p>(
            pack: &'p PackId,
            all: impl IntoIterator<Item = (&'p I, &'p Sourced<T>)>,
        ) -> impl Iterator<Item = (I, Versioned<T>)> {
            all.into_iter().map(|(id, it)| {
                let (pack, digest) = (pack.clone(), it.digest);
                (
                    id.clone(),
                    Versioned {
                        pack,
                        digest,
                        definition: as_stored(it),
                    },
                )
            })
        }
        let id = &pack.id;
        let below = pack
            .chain
            .iter()
            .map(|pack| pack.id.clone())
            .filter(|below| below != id);
        let roles = pack
            .header
            .roles
            .iter()
            .map(|(role, said)| (role.clone(), said.title.clone()));
        let installed = InstalledPack {
            version: pack.header.version.clone(),
            title: pack.header.title.clone(),
            digest: pack.digest,
            chain: below.collect(),
            zone: pack.header.zone.clone().unwrap_or_default(),
            language: pack.header.language.clone(),
            roles: roles.collect(),
        };
        self.packs.insert(id.clone(), installed);
        self.workflows.extend(versioned(id, &pack.workflows));
        let items = pack.catalogue.iter().map(|(of, it)| {
            let item = Versioned {
                pack: id.clone(),
                digest: it.item.digest,
                definition: it.item.value.clone(),
            };
            let (digest, workflow) = (it.workflow.digest, as_stored(&it.workflow));
            (
                of.clone(),
                InstallableItem {
                    item,
                    digest,
                    workflow,
                },
            )
        });
        self.catalogue.extend(items);
        self.migrations.extend(versioned(id, &pack.migrations));
        for (language, version) in versioned(id, &pack.translations) {
            self.translations.entry(language).or_default().push(version);
        }
        self.service_levels
            .extend(versioned(id, &pack.service_levels));
        self.calendars.extend(versioned(id, &pack.calendars));
        self.teams.extend(versioned(id, &pack.teams));
        self.notices.extend(versioned(id, &pack.notices));
        for (binding, it) in &pack.plugins {
            let component = component(binding, &it.value);
            let installed = InstalledBinding {
                pack: id.clone(),
                digest: it.digest,
                component,
                deployment: None,
                provenance: None,
            };
            self.bindings
                .insert(binding.clone(), (installed, Arc::new(as_stored(it))));
        }
    }

    /// What a configuration names, read back from where definitions are stored by digest in their
    /// canonical form.
    ///
    /// # Errors
    /// The first definition that is not there, or cannot be read as what it should be.
    pub fn stored(
        digest: Digest,
        configuration: &Configuration,
        read: impl Fn(&Digest) -> Option<String>,
    ) -> Result<Self, StoredError> {
        fn all<I: Ord + Clone + std::fmt::Display, T: DeserializeOwned>(
            kind: DefinitionKind,
            named: &BTreeMap<I, Installed>,
            read: &impl Fn(&Digest) -> Option<String>,
        ) -> Result<BTreeMap<I, Versioned<T>>, StoredError> {
            let each = named.iter().map(|(id, installed)| {
                let definition = one(kind, id, &installed.digest, read)?;
                let (pack, digest) = (installed.pack.clone(), installed.digest);
                Ok((
                    id.clone(),
                    Versioned {
                        pack,
                        digest,
                        definition,
                    },
                ))
            });
            each.collect()
        }
        let mut bindings = BTreeMap::new();
        for (id, installed) in &configuration.bindings {
            let plugin = one(DefinitionKind::Plugin, id, &installed.digest, &read)?;
            bindings.insert(id.clone(), (installed.clone(), Arc::new(plugin)));
        }
        let mut catalogue = BTreeMap::new();
        for (id, installed) in &configuration.catalogue {
            let item = stored_item(id, installed, &read)?;
            catalogue.insert(id.clone(), item);
        }
        let mut translations: BTreeMap<LanguageTag, Vec<_>> = BTreeMap::new();
        for (language, packs) in &configuration.translations {
            for installed in packs {
                let definition = one(
                    DefinitionKind::Translation,
                    language,
                    &installed.digest,
                    &read,
                )?;
                let (pack, digest) = (installed.pack.clone(), installed.digest);
                let version = Versioned {
                    pack,
                    digest,
                    definition,
                };
                translations
                    .entry(language.clone())
                    .or_default()
                    .push(version);
            }
        }
        Ok(Self {
            digest,
            catalogue,
            migrations: all(DefinitionKind::Migration, &configuration.migrations, &read)?,
            translations,
            packs: configuration.packs.clone(),
            workflows: all(DefinitionKind::Workflow, &configuration.workflows, &read)?,
            service_levels: all(
                DefinitionKind::ServiceLevel,
                &configuration.service_levels,
                &read,
            )?,
            calendars: all(DefinitionKind::Calendar, &configuration.calendars, &read)?,
            teams: all(DefinitionKind::Team, &configuration.teams, &read)?,
            notices: all(DefinitionKind::Notice, &configuration.notices, &read)?,
            bindings,
        })
    }

    /// The configuration that puts it in force.
    pub fn configuration(&self) -> Configuration {
        fn installed<I: Ord + Clone, T>(all: &BTreeMap<I, Versioned<T>>) -> BTreeMap<I, Installed> {
            let each = all.iter().map(|(id, version)| {
                let (pack, digest) = (version.pack.clone(), version.digest);
                (id.clone(), Installed { pack, digest })
            });
            each.collect()
        }
        let bindings = self
            .bindings
            .iter()
            .map(|(id, (installed, _))| (id.clone(), installed.clone()));
        let items = self.catalogue.iter().map(|(id, it)| {
            let installed = InstalledItem {
                pack: it.item.pack.clone(),
                digest: it.item.digest,
                workflow: it.digest,
            };
            (id.clone(), installed)
        });
        let translations = self.translations.iter().map(|(language, packs)| {
            let each = packs.iter().map(|version| {
                let (pack, digest) = (version.pack.clone(), version.digest);
                Installed { pack, digest }
            });
            (language.clone(), each.collect())
        });
        Configuration {
            packs: self.packs.clone(),
            workflows: installed(&self.workflows),
            catalogue: items.collect(),
            migrations: installed(&self.migrations),
            translations: translations.collect(),
            service_levels: installed(&self.service_levels),
            calendars: installed(&self.calendars),
            teams: installed(&self.teams),
            notices: installed(&self.notices),
            bindings: bindings.collect(),
        }
    }

    /// The names that its definitions may use of each other.
    pub fn names(&self) -> Names {
        let known = |(id, version): (&WorkflowId, &Versioned<definition::Workflow>)| {
            (id.clone(), KnownWorkflow::from(&version.definition))
        };
        Names {
            calendars: self.calendars.keys().cloned().collect(),
            teams: self.teams.keys().cloned().collect(),
            roles: self
                .packs
                .values()
                .flat_map(|pack| pack.roles.keys().cloned())
                .collect(),
            notices: self.notices.keys().cloned().collect(),
            bindings: self
                .bindings
                .iter()
                .map(|(id, (_, plugin))| (id.clone(), hooks(plugin)))
                .collect(),
            workflows: self.workflows.iter().map(known).collect(),
            lenient: false,
        }
    }

    /// The zone of calendar days of a pack.
    fn zone(&self, pack: &PackId) -> Option<chrono_tz::Tz> {
        self.packs.get(pack)?.zone.parse().ok()
    }
}

/// A stored definition.
fn one<T: DeserializeOwned>(
    kind: DefinitionKind,
    id: &impl std::fmt::Display,
    digest: &Digest,
    read: &impl Fn(&Digest) -> Option<String>,
) -> Result<T, StoredError> {
    let named = || (kind.as_str(), id.to_string(), *digest);
    let text = read(digest).ok_or_else(|| {
        let (kind, id, digest) = named();
        StoredError::Missing { kind, id, digest }
    })?;
    from_canonical(&text).map_err(|source| {
        let (kind, id, digest) = named();
        StoredError::Unreadable {
            kind,
            id,
            digest,
            source,
        }
    })
}

/// A stored item of the catalogue. What patches its workflow was laid over that as it was installed.
fn stored_item(
    id: &CatalogueItemId,
    installed: &InstalledItem,
    read: &impl Fn(&Digest) -> Option<String>,
) -> Result<InstallableItem, StoredError> {
    let kind = DefinitionKind::CatalogueItem;
    let mut whole: serde_json::Map<String, serde_json::Value> =
        one(kind, id, &installed.digest, read)?;
    whole.retain(|key, _| definition::CatalogueItem::KEYS.contains(&key.as_str()));
    let definition = serde_json::from_value(whole.into()).map_err(|source| {
        let (kind, id, digest) = (kind.as_str(), id.to_string(), installed.digest);
        StoredError::Unreadable {
            kind,
            id,
            digest,
            source,
        }
    })?;
    Ok(InstallableItem {
        item: Versioned {
            pack: installed.pack.clone(),
            digest: installed.digest,
            definition,
        },
        digest: installed.workflow,
        workflow: one(DefinitionKind::Workflow, id, &installed.workflow, read)?,
    })
}

/// Compiles everything that is to be in force.
///
/// # Errors
/// Everything that is wrong with any of the definitions, up to a hundred faults of each.
pub fn definitions(input: &Installable) -> Result<Definitions, Vec<Fault>> {
    let (definitions, faults) = compile_all(input);
    if faults.is_empty() {
        Ok(definitions)
    } else {
        Err(faults)
    }
}

/// Compiles what can be, beside everything that is wrong.
pub(crate) fn compile_all(input: &Installable) -> (Definitions, Vec<Fault>) {
    let names = input.names();
    let mut faults = Vec::new();
    let mut compiled = Definitions {
        digest: input.digest,
        packs: input.packs.clone(),
        teams: input
            .teams
            .iter()
            .map(|(id, team)| (id.clone(), team.definition.clone()))
            .collect(),
        ..Definitions::default()
    };
    let unzoned = input
        .packs
        .iter()
        .filter(|(_, pack)| pack.zone.parse::<chrono_tz::Tz>().is_err());
    for (id, pack) in unzoned {
        let message = format!(
            "`{}` is not an IANA time zone, such as Europe/Brussels",
            pack.zone
        );
        faults.push(fault(DefinitionKind::Pack, id.as_str(), "zone", message).at(&["zone"]));
    }
    for (id, version) in &input.calendars {
        match Calendar::compile(&version.definition) {
            Ok(calendar) => {
                let pinned = PinnedCalendar {
                    digest: version.digest,
                    calendar,
                };
                compiled.calendars.insert(id.clone(), pinned);
            }
            Err(error) => faults.push(
                fault(
                    DefinitionKind::Calendar,
                    id.as_str(),
                    "calendar",
                    error.to_string(),
                )
                .at(&error.path()),
            ),
        }
    }
    faults.extend(compile_workflows(input, &names, &mut compiled));
    faults.extend(compile_migrations(input, &names, &mut compiled));
    for (language, packs) in &input.translations {
        let mut spoken = Translation::default();
        for version in packs {
            match translation(language, &version.definition, input, &names) {
                Ok(of_pack) => spoken.add(of_pack),
                Err(found) => faults.extend(found),
            }
        }
        compiled.translations.insert(language.clone(), spoken);
    }
    let workflows: &BTreeMap<WorkflowId, Arc<Workflow>> = &compiled.workflows;
    let known = |id: &WorkflowId| workflows.get(id).map(Arc::as_ref);
    for (id, version) in &input.service_levels {
        let zone = input.zone(&version.pack).unwrap_or(chrono_tz::UTC);
        match service_level(id, version.digest, zone, &version.definition, known, &names) {
            Ok(level) => {
                compiled.service_levels.insert(id.clone(), Arc::new(level));
            }
            Err(found) => faults.extend(found),
        }
    }
    for (id, version) in &input.notices {
        match notice(id, &version.definition, &names) {
            Ok(notice) => {
                compiled.notices.insert(id.clone(), notice);
            }
            Err(found) => faults.extend(found),
        }
    }
    for (id, (installed, plugin)) in &input.bindings {
        match binding(id, installed, plugin, known, &names) {
            Ok(binding) => {
                compiled.bindings.insert(id.clone(), binding);
            }
            Err(found) => faults.extend(found),
        }
    }
    for (id, version) in &input.teams {
        match team(id, &version.definition, &names, known) {
            Ok(escalation) => {
                let escalation = escalation.map(|escalation| (id.clone(), escalation));
                compiled.escalations.extend(escalation);
            }
            Err(found) => faults.extend(found),
        }
    }
    compiled.names = names;
    (compiled, faults)
}

/// Compiles the workflows, and those of the catalogue's items.
fn compile_workflows(input: &Installable, names: &Names, compiled: &mut Definitions) -> Vec<Fault> {
    let mut faults = Vec::new();
    for (id, version) in &input.workflows {
        let zone = input.zone(&version.pack).unwrap_or(chrono_tz::UTC);
        match workflow(
            id,
            version.digest,
            &version.pack,
            zone,
            &version.definition,
            names,
        ) {
            Ok(workflow) => {
                compiled.workflows.insert(id.clone(), Arc::new(workflow));
            }
            Err(found) => faults.extend(found),
        }
    }
    for (id, it) in &input.catalogue {
        let zone = input.zone(&it.item.pack).unwrap_or(chrono_tz::UTC);
        match catalogue_item(id, it, zone, names) {
            Ok(item) => {
                compiled.catalogue.insert(id.clone(), Arc::new(item));
            }
            Err(found) => faults.extend(found),
        }
    }
    faults
}

/// Compiles the migrations. Those of one workflow are joined: that of an adaptation stands beside that
/// of its base, and each says what becomes of other things.
fn compile_migrations(
    input: &Installable,
    names: &Names,
    compiled: &mut Definitions,
) -> Vec<Fault> {
    let mut faults = Vec::new();
    for (id, version) in &input.migrations {
        let of = &version.definition.of;
        let known = |id: &WorkflowId| compiled.workflows.get(id).map(Arc::as_ref);
        match migration(id, version.digest, &version.definition, known, names) {
            Ok(Some(migration)) => match compiled.migrations.entry(of.clone()) {
                Entry::Vacant(free) => {
                    free.insert(Arc::new(migration));
                }
                Entry::Occupied(mut other) => {
                    for [map, key] in Arc::make_mut(other.get_mut()).join(migration) {
                        let message =
                            format!("another migration of `{of}` says too what becomes of `{key}`");
                        let kind = DefinitionKind::Migration;
                        let fault = fault(kind, id.as_str(), "migration", message);
                        faults.push(fault.at(&[&map, &key]));
                    }
                }
            },
            Ok(None) => {}
            Err(found) => faults.extend(found),
        }
    }
    faults
}

/// The definition as it is read back from its canonical form, so that what is installed behaves from
/// the first moment as it does after a restart: the order of what has no order is that form's.
fn as_stored<T: Clone + DeserializeOwned>(it: &Sourced<T>) -> T {
    from_canonical(&it.canonical).unwrap_or_else(|_| it.value.clone())
}

fn fault(kind: DefinitionKind, id: &str, rule: &'static str, message: String) -> Fault {
    Fault {
        kind,
        id: id.to_owned(),
        rule,
        severity: Severity::Error,
        path: Vec::new(),
        spot: Spot::Value,
        message,
        help: None,
    }
}
