//! Installing packs: checked whole, compiled, its bindings tried, then put in force at once.

use std::collections::BTreeMap;
use std::sync::Arc;

use definition::compile::{self, Definitions, Installable, Versioned};
use definition::pack::Pack;
use model::Digest;
use model::definition::{Component, Plugin};
use model::id::{BindingId, PackId};

use crate::deploy;
use crate::engine::Engine;
use crate::error::EngineError;
use crate::library::told;
use crate::port::{BindingSetup, Candidate, Commit, CommitError, Staged};

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
    /// `components` gives the component of a file name.
    ///
    /// # Errors
    /// Everything that speaks against it; nothing is changed then.
    pub async fn install(
        &self,
        actor: &str,
        pack: &Pack,
        components: &(dyn Fn(&str) -> Option<Vec<u8>> + Sync),
    ) -> Result<InstalledReport, EngineError> {
        let _alone = self.0.installing.lock().await;
        let mut installable = self.0.library.installable()?;
        let before = installable.bindings.clone();
        remove(&mut installable, pack);
        check_unclaimed(&installable, pack)?;
        let (digests, mut blobs) = self.components(pack, components)?;
        installable.add_pack(pack, |binding, _| {
            digests.get(binding).copied().unwrap_or_default()
        });
        for (id, (installed, _)) in &mut installable.bindings {
            if let Some((before, _)) = before.get(id).filter(|_| pack.plugins.contains_key(id)) {
                deploy::carry_over(before, installed);
            }
        }
        blobs.extend(canonical(pack));
        let what = format!("installed {} {}", pack.id, pack.header.version);
        let (configuration, changed) = self
            .put_in_force(actor, what, installable, blobs, true)
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
        mut blobs: Vec<(Digest, Vec<u8>)>,
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
            blobs
                .iter()
                .find(|(of, _)| of == digest)
                .map(|(_, bytes)| bytes.clone())
        };
        self.set_up(&definitions, &fetch, self_test).await?;
        blobs.push((digest, configuration));
        let commit = Commit::Configuration {
            at: self.now(),
            actor: actor.to_owned(),
            what,
            active: digest,
            blobs,
        };
        match self.0.store.commit(commit).await {
            Ok(committed) => {
                self.replace_definitions(definitions);
                self.committed(committed.position);
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
        let read = |digest: &Digest| -> Result<Arc<[u8]>, EngineError> {
            let component = match new(digest) {
                Some(bytes) => bytes,
                None => self.0.store.blob(digest)?.ok_or_else(|| {
                    EngineError::Installed(format!("the component {digest} is not stored"))
                })?,
            };
            Ok(component.into())
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

    /// The components that a pack's bindings name: their digests, and those that are new.
    #[expect(clippy::type_complexity, reason = "two results of one walk")]
    fn components(
        &self,
        pack: &Pack,
        components: &(dyn Fn(&str) -> Option<Vec<u8>> + Sync),
    ) -> Result<(BTreeMap<BindingId, Digest>, Vec<(Digest, Vec<u8>)>), EngineError> {
        let (mut digests, mut blobs, mut missing) = (BTreeMap::new(), Vec::new(), Vec::new());
        for (binding, plugin) in &pack.plugins {
            match self.component(&plugin.value, components)? {
                Some((digest, bytes)) => {
                    digests.insert(binding.clone(), digest);
                    blobs.extend(bytes.map(|bytes| (digest, bytes)));
                }
                None => missing.push(format!(
                    "the binding `{binding}` names a component that is not there: {}",
                    named(&plugin.value.component)
                )),
            }
        }
        if missing.is_empty() {
            Ok((digests, blobs))
        } else {
            Err(EngineError::Install(missing))
        }
    }

    #[expect(
        clippy::type_complexity,
        reason = "a digest, with the component where it is new"
    )]
    fn component(
        &self,
        plugin: &Plugin,
        components: &(dyn Fn(&str) -> Option<Vec<u8>> + Sync),
    ) -> Result<Option<(Digest, Option<Vec<u8>>)>, EngineError> {
        Ok(match &plugin.component {
            Component::File(file) => {
                components(file).map(|bytes| (Digest::of(&bytes), Some(bytes)))
            }
            Component::Digest(digest) => self.0.store.blob(digest)?.map(|_| (*digest, None)),
        })
    }

    /// Keeps a component, so that bindings can name it by digest.
    ///
    /// # Errors
    /// Where it is none, or the store fails.
    pub async fn keep_component(
        &self,
        bytes: Vec<u8>,
    ) -> Result<crate::port::Inspection, EngineError> {
        let inspection = self
            .0
            .plugins
            .inspect(&bytes)
            .map_err(|error| EngineError::Install(vec![crate::chain(&error)]))?;
        let commit = Commit::Blobs(vec![(inspection.digest, bytes)]);
        self.0
            .store
            .commit(commit)
            .await
            .map_err(|error| EngineError::Busy(error.to_string()))?;
        Ok(inspection)
    }
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
