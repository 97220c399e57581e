//! Installing packs: checked whole, compiled, its bindings tried, then put in force at once.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use definition::compile::{self, Definitions, Installable, Versioned};
use definition::pack::Pack;
use model::Digest;
use model::configuration::Provenance;
use model::definition::{Component, Plugin};
use model::id::{BindingId, PackId};
use model::journal::BoundPlugin;

use crate::deploy;
use crate::engine::Engine;
use crate::error::EngineError;
use crate::library::told;
use crate::port::{
    BindingSetup, Brought, Candidate, Commit, CommitError, Inspection, Staged, Supply,
};
use crate::rejection::Rejection;

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
        let before = installable.bindings.clone();
        let below: Vec<PackId> = pack.chain.iter().map(|below| below.id.clone()).collect();
        remove(&mut installable, &pack.id, &below);
        check_unclaimed(&installable, pack)?;
        let vetted = self.vetted(pack, supply)?;
        installable.add_pack(pack, |binding, _| {
            vetted.get(binding).map(|it| it.digest).unwrap_or_default()
        });
        let mut news = News::default();
        for (id, it) in &vetted {
            if let Some((installed, plugin)) = installable.bindings.get_mut(id) {
                installed.provenance = Some(it.provenance.clone());
                if let Some((before, _)) = before.get(id) {
                    deploy::carry_over(before, installed);
                }
                let provenance = installed.provenance.clone();
                news.bindings.push(BoundPlugin {
                    binding: id.clone(),
                    component: installed.component,
                    provenance: provenance.unwrap_or(Provenance::Unsigned),
                    grants: plugin.grants.clone(),
                });
            }
        }
        news.add(vetted);
        let forms = pack.canonical_forms();
        news.blobs
            .extend(forms.map(|(digest, text)| (digest, text.as_bytes().to_vec())));
        let what = format!("installed {} {}", pack.id, pack.header.version);
        let (configuration, changed) = self
            .put_in_force(actor, what, installable, news, true)
            .await?;
        Ok(InstalledReport {
            pack: pack.id.clone(),
            version: pack.header.version.clone(),
            digest: pack.digest,
            configuration,
            changed,
        })
    }

    /// Puts all this in force in the place of what is: compiled, its bindings tried, then committed.
    /// Gives its digest, and whether anything changed. With `self_test`, components that take the
    /// place of others have to stand a call first. For whoever holds the lock on installing.
    pub(crate) async fn put_in_force(
        &self,
        actor: &str,
        what: String,
        mut installable: Installable,
        mut news: News,
        self_test: bool,
    ) -> Result<(Digest, bool), EngineError> {
        let configuration = serde_json::to_vec(&installable.configuration())
            .map_err(|error| EngineError::Install(vec![error.to_string()]))?;
        let digest = Digest::of(&configuration);
        if digest == installable.digest {
            return Ok((digest, false));
        }
        installable.digest = digest;
        let definitions = compile::definitions(&installable)
            .map_err(|faults| EngineError::Install(told(&faults)))?;
        let definitions = Arc::new(definitions);
        let fetch = |digest: &Digest| {
            news.blobs
                .iter()
                .find(|(of, _)| of == digest)
                .map(|(_, bytes)| bytes.clone())
        };
        self.set_up(&definitions, &fetch, self_test).await?;
        news.blobs.push((digest, configuration));
        let commit = Commit::Configuration {
            at: self.now(),
            actor: actor.to_owned(),
            what,
            active: digest,
            bindings: news.bindings,
            blobs: news.blobs,
            signatures: news.signatures,
        };
        match self.0.store.commit(commit).await {
            Ok(committed) => {
                self.replace_definitions(definitions);
                self.committed(committed.position);
                if self.link_keys().is_some() {
                    self.warn_of_missing_links().await;
                }
                Ok((digest, true))
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
        self.set_up(definitions, &|_| None, false).await
    }

    async fn set_up(
        &self,
        definitions: &Definitions,
        new: &(dyn Fn(&Digest) -> Option<Vec<u8>> + Sync),
        self_test: bool,
    ) -> Result<(), EngineError> {
        // Many bindings may be of one component: it is there once.
        let mut components: HashMap<Digest, Arc<[u8]>> = HashMap::new();
        let mut read = |digest: &Digest| -> Result<Arc<[u8]>, EngineError> {
            if let Some(component) = components.get(digest) {
                return Ok(Arc::clone(component));
            }
            let component = match new(digest) {
                Some(bytes) => bytes,
                None => self.0.store.blob(digest)?.ok_or_else(|| {
                    EngineError::Installed(format!("the component {digest} is not stored"))
                })?,
            };
            let component: Arc<[u8]> = component.into();
            components.insert(*digest, Arc::clone(&component));
            Ok(component)
        };
        let mut bindings = Vec::new();
        for binding in definitions.bindings.values() {
            let installed = &binding.installed;
            let deployment = installed.deployment.clone().unwrap_or_default();
            let canary = match deployment.canary {
                None => None,
                Some(canary) => Some(Candidate {
                    digest: canary.component,
                    component: read(&canary.component)?,
                    share: canary.share,
                    withdrawn: canary.withdrawn,
                }),
            };
            bindings.push(BindingSetup {
                id: binding.id.clone(),
                plugin: binding.plugin.clone(),
                digest: installed.component,
                component: read(&installed.component)?,
                staged: Staged {
                    canary,
                    quarantine: deployment.quarantine,
                    self_test,
                },
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

    /// The component of a digest that is stored, where it may be used.
    pub(crate) fn vet_stored(
        &self,
        digest: &Digest,
        supply: &dyn Supply,
    ) -> Result<Vetted, EngineError> {
        let component = self.0.store.blob(digest)?;
        let brought = Brought {
            component: component.ok_or_else(|| Rejection::not_found("component", digest))?,
            signatures: Vec::new(),
        };
        self.vet(brought, false, supply)?.map_err(|why| {
            Rejection::not_possible(format!("{digest} may not be used: {why}")).into()
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
pub(crate) struct Vetted {
    digest: Digest,
    /// The component, where it is brought.
    component: Option<Vec<u8>>,
    pub(crate) provenance: Provenance,
    signature: Option<Vec<u8>>,
}

/// What comes with another configuration.
#[derive(Default)]
pub(crate) struct News {
    /// The plugins that it binds, for the journal.
    pub(crate) bindings: Vec<BoundPlugin>,
    /// Content by digest.
    blobs: Vec<(Digest, Vec<u8>)>,
    /// Signatures by the digest of the component that each is of.
    signatures: Vec<(Digest, Vec<u8>)>,
}

impl News {
    /// Adds the components that are brought, and the signatures to be kept.
    fn add(&mut self, vetted: BTreeMap<BindingId, Vetted>) {
        for it in vetted.into_values() {
            let brought = it.component.map(|component| (it.digest, component));
            self.blobs.extend(brought);
            let signature = it.signature.map(|signature| (it.digest, signature));
            self.signatures.extend(signature);
        }
    }

    /// A component that is stored, put to use for a binding.
    pub(crate) fn stored(vetted: Vetted, binding: &BindingId, plugin: &Plugin) -> Self {
        let mut news = Self::default();
        news.also(vetted, binding, plugin);
        news
    }

    /// Adds a component that is stored, put to use for a binding.
    pub(crate) fn also(&mut self, vetted: Vetted, binding: &BindingId, plugin: &Plugin) {
        let signature = vetted.signature.map(|signature| (vetted.digest, signature));
        self.signatures.extend(signature);
        self.bindings.push(BoundPlugin {
            binding: binding.clone(),
            component: vetted.digest,
            provenance: vetted.provenance,
            grants: plugin.grants.clone(),
        });
    }
}

fn named(component: &Component) -> String {
    match component {
        Component::File(file) => file.clone(),
        Component::Digest(digest) => digest.to_string(),
    }
}

/// Takes out what a pack replaces: its own earlier version, and the packs it adapts.
pub(crate) fn remove(installable: &mut Installable, pack: &PackId, below: &[PackId]) {
    let goes = |id: &PackId| id == pack || below.contains(id);
    installable.packs.retain(|id, _| !goes(id));
    installable
        .workflows
        .retain(|_, version| !goes(&version.pack));
    installable
        .catalogue
        .retain(|_, item| !goes(&item.item.pack));
    installable
        .migrations
        .retain(|_, version| !goes(&version.pack));
    installable.translations.retain(|_, packs| {
        packs.retain(|version| !goes(&version.pack));
        !packs.is_empty()
    });
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
pub(crate) fn check_unclaimed(installable: &Installable, pack: &Pack) -> Result<(), EngineError> {
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
        "migration",
        &installable.migrations,
        pack.migrations.keys(),
    ));
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
    let items = pack
        .catalogue
        .keys()
        .filter_map(|id| Some((id, installable.catalogue.get(id)?)));
    faults.extend(items.map(|(id, item)| {
        format!(
            "the catalogue item `{id}` is the pack {}'s: extend that pack to change it",
            item.item.pack
        )
    }));
    if faults.is_empty() {
        Ok(())
    } else {
        Err(EngineError::Install(faults))
    }
}
