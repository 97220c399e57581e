//! Installing packs: checked whole, compiled, its bindings tried, then put in force at once.

use std::collections::BTreeMap;
use std::sync::Arc;

use definition::compile::{self, Definitions, Installable, Versioned};
use definition::pack::Pack;
use model::Digest;
use model::configuration::Provenance;
use model::definition::{Component, Plugin};
use model::id::{BindingId, PackId};
use model::journal::BoundPlugin;

use crate::engine::Engine;
use crate::error::EngineError;
use crate::library::told;
use crate::port::{BindingSetup, Brought, Commit, CommitError, Inspection, Supply};

/// A pack that was installed.
#[derive(Clone, Debug, serde::Serialize)]
pub struct InstalledReport {
    /// The pack.
    pub pack: PackId,
    /// Its version.
    pub version: String,
    /// Its digest.
    pub digest: Digest,
    /// The digest of everything in force now.
    pub configuration: Digest,
    /// Whether anything changed.
    pub changed: bool,
}

impl Engine {
    /// Puts a pack in force, in the place of an earlier version of it and of the packs it adapts.
    /// `supply` gives the component of a file name, and says of each who vouches for it.
    ///
    /// # Errors
    /// Everything that speaks against it; nothing is changed then.
    pub async fn install(
        &self,
        actor: &str,
        pack: &Pack,
        supply: &dyn Supply,
    ) -> Result<InstalledReport, EngineError> {
        let _alone = self.0.installing.lock().await;
        let mut installable = self.0.library.installable()?;
        let before = installable.digest;
        remove(&mut installable, pack);
        check_unclaimed(&installable, pack)?;
        let vetted = self.vetted(pack, supply)?;
        installable.add_pack(pack, |binding, _| {
            vetted.get(binding).map(|it| it.digest).unwrap_or_default()
        });
        let mut bindings = Vec::new();
        for (id, it) in &vetted {
            if let Some((installed, plugin)) = installable.bindings.get_mut(id) {
                installed.provenance = Some(it.provenance.clone());
                bindings.push(it.bound(id, plugin));
            }
        }
        let (mut blobs, signatures) = content(vetted);
        blobs.extend(canonical(pack));
        let configuration = serde_json::to_vec(&installable.configuration())
            .map_err(|error| EngineError::Install(vec![error.to_string()]))?;
        let digest = Digest::of(&configuration);
        let report = InstalledReport {
            pack: pack.id.clone(),
            version: pack.header.version.clone(),
            digest: pack.digest,
            configuration: digest,
            changed: digest != before,
        };
        if !report.changed {
            return Ok(report);
        }
        installable.digest = digest;
        let definitions = compile::definitions(&installable)
            .map_err(|faults| EngineError::Install(told(&faults)))?;
        let definitions = Arc::new(definitions);
        let fetch = |digest: &Digest| {
            blobs
                .iter()
                .find(|(of, _)| of == digest)
                .map(|(_, bytes)| bytes.clone())
        };
        self.set_up(&definitions, &fetch).await?;
        blobs.push((digest, configuration));
        let what = format!("installed {} {}", pack.id, pack.header.version);
        let commit = Commit::Configuration {
            at: self.now(),
            actor: actor.to_owned(),
            what,
            active: digest,
            bindings,
            blobs,
            signatures,
        };
        match self.0.store.commit(commit).await {
            Ok(committed) => {
                self.replace_definitions(definitions);
                self.committed(committed.position);
                Ok(report)
            }
            Err(error) => {
                // The bindings of before serve on; where even that fails, the store's fault is the news.
                let _ = self.set_up_bindings(&self.definitions()).await;
                Err(match error {
                    CommitError::Store(error) => error.into(),
                    error => EngineError::Busy(error.to_string()),
                })
            }
        }
    }

    /// Puts the bindings of these definitions to use.
    pub(crate) async fn set_up_bindings(
        &self,
        definitions: &Definitions,
    ) -> Result<(), EngineError> {
        self.set_up(definitions, &|_| None).await
    }

    async fn set_up(
        &self,
        definitions: &Definitions,
        new: &(dyn Fn(&Digest) -> Option<Vec<u8>> + Sync),
    ) -> Result<(), EngineError> {
        let mut bindings = Vec::new();
        for binding in definitions.bindings.values() {
            let digest = binding.installed.component;
            let component = match new(&digest) {
                Some(bytes) => bytes,
                None => self.0.store.blob(&digest)?.ok_or_else(|| {
                    EngineError::Installed(format!("the component {digest} is not stored"))
                })?,
            };
            bindings.push(BindingSetup {
                id: binding.id.clone(),
                plugin: binding.plugin.clone(),
                digest,
                component: component.into(),
            });
        }
        let set_up = self.0.plugins.set_up(bindings).await;
        set_up.map_err(|(binding, cause)| EngineError::Binding { binding, cause })
    }

    /// The components that a pack's bindings name, each with who vouches for it.
    fn vetted(
        &self,
        pack: &Pack,
        supply: &dyn Supply,
    ) -> Result<BTreeMap<BindingId, Vetted>, EngineError> {
        let (mut vetted, mut faults) = (BTreeMap::new(), Vec::new());
        for (binding, plugin) in &pack.plugins {
            let name = named(&plugin.value.component);
            let Some((brought, is_new)) = self.brought(&plugin.value, supply)? else {
                faults.push(format!(
                    "the binding `{binding}` names a component that is not there: {name}"
                ));
                continue;
            };
            match self.vet(brought, is_new, supply)? {
                Ok(it) => {
                    vetted.insert(binding.clone(), it);
                }
                Err(why) => faults.push(format!(
                    "the binding `{binding}` names a component that may not be used, {name}: {why}"
                )),
            }
        }
        if faults.is_empty() {
            Ok(vetted)
        } else {
            Err(EngineError::Install(faults))
        }
    }

    /// The component of a binding, and whether it is brought by the pack.
    fn brought(
        &self,
        plugin: &Plugin,
        supply: &dyn Supply,
    ) -> Result<Option<(Brought, bool)>, EngineError> {
        Ok(match &plugin.component {
            Component::File(file) => supply.component(file).map(|brought| (brought, true)),
            Component::Digest(digest) => self.0.store.blob(digest)?.map(|component| {
                let signatures = Vec::new();
                let brought = Brought {
                    component,
                    signatures,
                };
                (brought, false)
            }),
        })
    }

    /// Asks who vouches for a component, by the signatures that came with it or was kept before.
    fn vet(
        &self,
        brought: Brought,
        is_new: bool,
        supply: &dyn Supply,
    ) -> Result<Result<Vetted, String>, EngineError> {
        let Brought {
            component,
            mut signatures,
        } = brought;
        let digest = Digest::of(&component);
        signatures.extend(self.0.store.signature(&digest)?);
        let vouched = supply.vouch(&component, &signatures);
        Ok(vouched.map(|(provenance, signature)| Vetted {
            digest,
            component: is_new.then_some(component),
            provenance,
            signature,
        }))
    }

    /// Keeps a component and its signature, so that bindings can name it by digest; says who vouches
    /// for it.
    ///
    /// # Errors
    /// Where it is none, may not be used, or the store fails.
    pub async fn keep_component(
        &self,
        brought: Brought,
        supply: &dyn Supply,
    ) -> Result<(Inspection, Provenance), EngineError> {
        let refused = |why: String| EngineError::Install(vec![why]);
        let inspection = self
            .0
            .plugins
            .inspect(&brought.component)
            .map_err(|error| refused(crate::chain(&error)))?;
        let component = brought.component.clone();
        let vetted = self.vet(brought, false, supply)?;
        let vetted = vetted.map_err(|why| refused(format!("{}: {why}", inspection.digest)))?;
        let commit = Commit::Component {
            digest: inspection.digest,
            component,
            signature: vetted.signature,
        };
        self.0
            .store
            .commit(commit)
            .await
            .map_err(|error| EngineError::Busy(error.to_string()))?;
        Ok((inspection, vetted.provenance))
    }
}

/// A component that may be used.
struct Vetted {
    digest: Digest,
    /// The component, where it is brought.
    component: Option<Vec<u8>>,
    provenance: Provenance,
    signature: Option<Vec<u8>>,
}

impl Vetted {
    fn bound(&self, binding: &BindingId, plugin: &Plugin) -> BoundPlugin {
        BoundPlugin {
            binding: binding.clone(),
            component: self.digest,
            provenance: self.provenance.clone(),
            grants: plugin.grants.clone(),
        }
    }
}

/// Contents by digest.
type Contents = Vec<(Digest, Vec<u8>)>;

/// The components that are brought, and the signatures to be kept.
fn content(vetted: BTreeMap<BindingId, Vetted>) -> (Contents, Contents) {
    let (mut components, mut signatures) = (Vec::new(), Vec::new());
    for it in vetted.into_values() {
        components.extend(it.component.map(|component| (it.digest, component)));
        signatures.extend(it.signature.map(|signature| (it.digest, signature)));
    }
    (components, signatures)
}

fn named(component: &Component) -> String {
    match component {
        Component::File(file) => file.clone(),
        Component::Digest(digest) => digest.to_string(),
    }
}

/// Takes out what the pack replaces: its own earlier version, and the packs it adapts.
fn remove(installable: &mut Installable, pack: &Pack) {
    let goes = |id: &PackId| *id == pack.id || pack.chain.iter().any(|below| below.id == *id);
    installable.packs.retain(|id, _| !goes(id));
    installable
        .workflows
        .retain(|_, version| !goes(&version.pack));
    installable
        .service_levels
        .retain(|_, version| !goes(&version.pack));
    installable
        .calendars
        .retain(|_, version| !goes(&version.pack));
    installable.teams.retain(|_, version| !goes(&version.pack));
    installable
        .notices
        .retain(|_, version| !goes(&version.pack));
    installable
        .bindings
        .retain(|_, (installed, _)| !goes(&installed.pack));
}

/// Two packs with one id of a definition are refused, unless one extends the other.
fn check_unclaimed(installable: &Installable, pack: &Pack) -> Result<(), EngineError> {
    fn taken<'a, I: Ord + std::fmt::Display + 'a, T>(
        kind: &'static str,
        installed: &'a BTreeMap<I, Versioned<T>>,
        ids: impl Iterator<Item = &'a I>,
    ) -> Vec<String> {
        let both = ids.filter_map(|id| Some((id, installed.get(id)?)));
        both.map(|(id, version)| {
            format!(
                "the {kind} `{id}` is the pack {}'s: extend that pack to change it",
                version.pack
            )
        })
        .collect()
    }
    let mut faults = taken("workflow", &installable.workflows, pack.workflows.keys());
    faults.extend(taken(
        "service level",
        &installable.service_levels,
        pack.service_levels.keys(),
    ));
    faults.extend(taken(
        "calendar",
        &installable.calendars,
        pack.calendars.keys(),
    ));
    faults.extend(taken("team", &installable.teams, pack.teams.keys()));
    faults.extend(taken("notice", &installable.notices, pack.notices.keys()));
    let bindings = pack
        .plugins
        .keys()
        .filter_map(|id| Some((id, installable.bindings.get(id)?)));
    faults.extend(bindings.map(|(id, (installed, _))| {
        format!(
            "the binding `{id}` is the pack {}'s: extend that pack to change it",
            installed.pack
        )
    }));
    if faults.is_empty() {
        Ok(())
    } else {
        Err(EngineError::Install(faults))
    }
}

/// The canonical forms of a pack's definitions, by digest.
fn canonical(pack: &Pack) -> Vec<(Digest, Vec<u8>)> {
    let workflows = pack.workflows.values().map(|it| (it.digest, &it.canonical));
    let levels = pack
        .service_levels
        .values()
        .map(|it| (it.digest, &it.canonical));
    let calendars = pack.calendars.values().map(|it| (it.digest, &it.canonical));
    let teams = pack.teams.values().map(|it| (it.digest, &it.canonical));
    let notices = pack.notices.values().map(|it| (it.digest, &it.canonical));
    let plugins = pack.plugins.values().map(|it| (it.digest, &it.canonical));
    let all = workflows
        .chain(levels)
        .chain(calendars)
        .chain(teams)
        .chain(notices)
        .chain(plugins);
    all.map(|(digest, text)| (digest, text.clone().into_bytes()))
        .collect()
}
