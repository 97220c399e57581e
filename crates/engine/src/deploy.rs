//! Versions of a binding's component, in and out: one is tried on a share of the calls, put in force,
//! taken back, or nothing of it is asked at all. Each change is another configuration in force, with
//! its digest and its place in the journal, like the installation of a pack.

use model::Digest;
use model::configuration::{Canary, Deployment, InstalledBinding, Share};
use model::id::BindingId;

use crate::engine::Engine;
use crate::error::EngineError;
use crate::install::News;
use crate::port::{Incident, StoreError, Supply};
use crate::rejection::Rejection;

/// How many versions of before are remembered.
const EARLIER: usize = 10;
/// Who is named in the journal where nobody asked for it.
const SERVER: &str = "server";
/// How long what could not be kept waits until it is tried again.
const AGAIN: std::time::Duration = std::time::Duration::from_secs(5);

/// What is to be done about the versions of a binding.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Deploy {
    /// Try a version, which is stored, on a share of the calls.
    Canary {
        /// The digest of the component.
        component: Digest,
        /// The share of the calls.
        share: Share,
    },
    /// Put the version that is being tried in force.
    Promote {
        /// Even where it has failed.
        anyway: bool,
    },
    /// End the trial of a version where there is one; else put the version of before in force.
    Rollback,
    /// Ask the binding no more.
    Quarantine,
    /// Ask it again.
    Release,
}

/// How a binding is deployed now.
#[derive(Clone, Debug, serde::Serialize)]
pub struct DeployedReport {
    /// The binding.
    pub binding: BindingId,
    /// What was done.
    pub done: String,
    /// The digest of the component in force.
    pub component: Digest,
    /// The digest of everything in force now.
    pub configuration: Digest,
}

impl Engine {
    /// Changes how a binding is deployed, for the reason `why`. `supply` says who vouches for a component
    /// that is put to use by it, as it does for those of packs.
    ///
    /// # Errors
    /// Where it is refused, the component may not be used or does not fit the binding, or the store fails; nothing is
    /// changed then.
    pub async fn deploy(
        &self,
        actor: &str,
        binding: &BindingId,
        change: Deploy,
        why: Option<&str>,
        supply: &dyn Supply,
    ) -> Result<DeployedReport, EngineError> {
        if let Deploy::Canary { component, .. } = &change
            && self.0.store.blob(component)?.is_none()
        {
            return Err(Rejection::not_found("component", component).into());
        }
        if change == (Deploy::Promote { anyway: false }) {
            let failures = self.0.plugins.canary_failures(binding);
            if failures > 0 {
                let message = format!(
                    "the version that is being tried has failed {failures} times: look at `wright plugin list`, and use --anyway if it is to be in force all the same"
                );
                return Err(Rejection::not_possible(message).into());
            }
        }
        let reason = why.map(str::to_owned);
        self.change(actor, binding, why, Some(supply), |installed| {
            apply(installed, &change, reason)
        })
        .await
    }

    /// Changes what is installed of a binding, and puts that in force. Without `supply` it puts no
    /// component to use.
    async fn change(
        &self,
        actor: &str,
        binding: &BindingId,
        why: Option<&str>,
        supply: Option<&dyn Supply>,
        change: impl FnOnce(&mut InstalledBinding) -> Result<String, String> + Send,
    ) -> Result<DeployedReport, EngineError> {
        let _alone = self.0.installing.lock().await;
        let mut installable = self.0.library.installable()?;
        let Some((installed, plugin)) = installable.bindings.get_mut(binding) else {
            return Err(Rejection::not_found("binding", binding).into());
        };
        let before = installed.clone();
        let done = change(installed).map_err(Rejection::not_possible)?;
        let component = installed.component;
        let mut news = News::default();
        if let Some((used, supply)) = put_to_use(&before, installed).zip(supply) {
            let vetted = self.vet_stored(&used, supply)?;
            if used == component {
                installed.provenance = Some(vetted.provenance.clone());
            }
            news = News::stored(vetted, binding, plugin);
        }
        let what = match why {
            Some(why) => format!("{binding}: {done}, because: {why}"),
            None => format!("{binding}: {done}"),
        };
        let put = self.put_in_force(actor, what, installable, news, false);
        let (configuration, _) = put.await?;
        Ok(DeployedReport {
            binding: binding.clone(),
            done,
            component,
            configuration,
        })
    }

    /// Makes durable what the plugin host does by itself, as long as it is polled.
    pub(crate) async fn run_incidents(&self) {
        loop {
            let incident = self.0.plugins.incident().await;
            while let Err(error) = self.keep(&incident).await {
                tracing::error!(
                    error = &error as &dyn std::error::Error,
                    ?incident,
                    "it cannot be kept for the next start"
                );
                if !matches!(error, EngineError::Store(StoreError::Full)) {
                    break;
                }
                tokio::time::sleep(AGAIN).await;
            }
        }
    }

    async fn keep(&self, incident: &Incident) -> Result<(), EngineError> {
        let (binding, why) = match incident {
            Incident::CanaryWithdrawn { binding, why, .. }
            | Incident::Quarantined { binding, why, .. } => (binding, why.as_str()),
        };
        let changed = self.change(SERVER, binding, Some(why), None, |installed| {
            settle(installed, incident)
        });
        match changed.await {
            // An operator was faster.
            Err(EngineError::Rejected(_)) => Ok(()),
            changed => changed.map(|_| ()),
        }
    }
}

/// Makes a change, and says it in words for the journal.
fn apply(
    installed: &mut InstalledBinding,
    change: &Deploy,
    why: Option<String>,
) -> Result<String, String> {
    let mut deployment = installed.deployment.take().unwrap_or_default();
    let done = match change {
        Deploy::Canary { component, share } => {
            if *component == installed.component {
                return Err(format!("{component} is in force already"));
            }
            deployment.canary = Some(Canary {
                component: *component,
                share: *share,
                withdrawn: None,
            });
            format!("tries {component} on {share} of the calls")
        }
        Deploy::Promote { anyway } => {
            let Some(canary) = deployment.canary.take() else {
                return Err(
                    "no version is being tried: `wright plugin canary` begins with that".to_owned(),
                );
            };
            if let Some(why) = canary.withdrawn.filter(|_| !anyway) {
                return Err(format!(
                    "{} is tried no more: {why}; use --anyway if it is to be in force all the same",
                    canary.component
                ));
            }
            remember(&mut deployment.earlier, installed.component);
            put(installed, &mut deployment, canary.component);
            format!("put {} in force", canary.component)
        }
        Deploy::Rollback => match (deployment.canary.take(), deployment.earlier.pop()) {
            (Some(canary), before) => {
                deployment.earlier.extend(before);
                format!("ended the trial of {}", canary.component)
            }
            (None, Some(before)) => {
                let left = installed.component;
                put(installed, &mut deployment, before);
                format!("went back from {left} to {before}")
            }
            (None, None) => {
                return Err("there is no version of before to go back to".to_owned());
            }
        },
        Deploy::Quarantine => {
            deployment.quarantine = Some(why.unwrap_or_else(|| "an operator said so".to_owned()));
            "put in quarantine".to_owned()
        }
        Deploy::Release => {
            if deployment.quarantine.take().is_none() {
                return Err("it is not in quarantine".to_owned());
            }
            "released from quarantine".to_owned()
        }
    };
    installed.deployment = Some(deployment).filter(|settled| *settled != Deployment::default());
    Ok(done)
}

/// Settles what the plugin host did, if it is still about what is deployed.
fn settle(installed: &mut InstalledBinding, incident: &Incident) -> Result<String, String> {
    let past = || "it is past".to_owned();
    let deployment = installed.deployment.get_or_insert_default();
    match incident {
        Incident::CanaryWithdrawn { component, why, .. } => {
            let canary = deployment.canary.as_mut();
            let canary = canary.filter(|it| it.component == *component && it.withdrawn.is_none());
            canary.ok_or_else(past)?.withdrawn = Some(why.clone());
            Ok(format!("tries {component} no more"))
        }
        Incident::Quarantined { component, why, .. } => {
            if installed.component != *component || deployment.quarantine.is_some() {
                return Err(past());
            }
            deployment.quarantine = Some(why.clone());
            Ok("put in quarantine".to_owned())
        }
    }
}

/// The component that a change puts to use: in force, or on trial.
fn put_to_use(before: &InstalledBinding, now: &InstalledBinding) -> Option<Digest> {
    if now.component != before.component {
        return Some(now.component);
    }
    let canary = |it: &InstalledBinding| it.deployment.as_ref().and_then(|it| it.canary.clone());
    let tried = canary(now).filter(|tried| canary(before).as_ref() != Some(tried));
    tried.map(|tried| tried.component)
}

/// Puts a component in force, in the place of the pack's or as the pack's again.
fn put(installed: &mut InstalledBinding, deployment: &mut Deployment, component: Digest) {
    let packed = deployment.packed.take().unwrap_or(installed.component);
    deployment.packed = Some(packed).filter(|packed| *packed != component);
    installed.component = component;
}

fn remember(earlier: &mut Vec<Digest>, component: Digest) {
    earlier.retain(|known| *known != component);
    earlier.push(component);
    let too_many = earlier.len().saturating_sub(EARLIER);
    earlier.drain(..too_many);
}

/// What stays settled where a pack is installed anew: everything, where it brings the same component
/// as before; where it brings another one, that is in force, and what was before is remembered.
pub(crate) fn carry_over(before: &InstalledBinding, installed: &mut InstalledBinding) {
    let mut deployment = before.deployment.clone().unwrap_or_default();
    let packed = deployment.packed.unwrap_or(before.component);
    if packed == installed.component {
        if installed.component != before.component {
            installed.component = before.component;
            installed.provenance.clone_from(&before.provenance);
        }
        installed.deployment.clone_from(&before.deployment);
        return;
    }
    remember(&mut deployment.earlier, before.component);
    installed.deployment = Some(Deployment {
        earlier: deployment.earlier,
        ..Deployment::default()
    });
}

#[cfg(test)]
mod tests {
    use model::Digest;
    use model::configuration::{InstalledBinding, Share};
    use model::id::{BindingId, PackId};

    use super::{Deploy, EARLIER, Incident, apply, carry_over, settle};

    fn version(number: u8) -> Digest {
        Digest::of(&[number])
    }

    /// As a pack with this version brings it.
    fn packed(number: u8) -> InstalledBinding {
        InstalledBinding {
            pack: PackId::new("itil").unwrap(),
            digest: Digest::of(b"definition"),
            component: version(number),
            deployment: None,
            provenance: None,
        }
    }

    fn canary(number: u8) -> Deploy {
        Deploy::Canary {
            component: version(number),
            share: Share::try_from(10).unwrap(),
        }
    }

    fn done(installed: &mut InstalledBinding, change: &Deploy) -> String {
        apply(installed, change, None).unwrap()
    }

    /// Why it is not done; nothing is changed then.
    fn refused(installed: &InstalledBinding, change: &Deploy) -> String {
        apply(&mut installed.clone(), change, None).unwrap_err()
    }

    const PROMOTE: Deploy = Deploy::Promote { anyway: false };

    #[test]
    fn versions_go_forth_and_back_the_way_they_came() {
        let mut binding = packed(1);
        assert!(refused(&binding, &Deploy::Rollback).contains("no version of before"));
        assert!(refused(&binding, &PROMOTE).contains("no version is being tried"));
        assert!(refused(&binding, &canary(1)).contains("in force already"));
        for number in [2, 3] {
            done(&mut binding, &canary(number));
            assert_ne!(binding.component, version(number));
            done(&mut binding, &PROMOTE);
            assert_eq!(binding.component, version(number));
        }
        done(&mut binding, &Deploy::Rollback);
        assert_eq!(binding.component, version(2));
        done(&mut binding, &Deploy::Rollback);
        assert_eq!(binding, packed(1), "as if nothing had been");
    }

    #[test]
    fn a_rollback_ends_a_trial_first() {
        let mut binding = packed(1);
        done(&mut binding, &canary(2));
        done(&mut binding, &PROMOTE);
        done(&mut binding, &canary(3));
        let said = done(&mut binding, &Deploy::Rollback);
        assert!(said.contains("ended the trial"), "{said}");
        assert_eq!(binding.component, version(2));
        done(&mut binding, &Deploy::Rollback);
        assert_eq!(binding.component, version(1));
    }

    #[test]
    fn only_so_many_versions_are_remembered() {
        let mut binding = packed(0);
        for number in 1..=20 {
            done(&mut binding, &canary(number));
            done(&mut binding, &PROMOTE);
        }
        let deployment = binding.deployment.unwrap();
        assert_eq!(deployment.earlier.len(), EARLIER);
        assert_eq!(deployment.earlier.last(), Some(&version(19)));
        assert_eq!(deployment.packed, Some(version(0)));
    }

    #[test]
    fn a_version_that_was_withdrawn_is_promoted_only_anyway() {
        let mut binding = packed(1);
        done(&mut binding, &canary(2));
        let id = BindingId::new("router").unwrap();
        let withdrawn = |number| Incident::CanaryWithdrawn {
            binding: id.clone(),
            component: version(number),
            why: "it failed 5 times".to_owned(),
        };
        assert!(settle(&mut binding.clone(), &withdrawn(3)).is_err());
        settle(&mut binding, &withdrawn(2)).unwrap();
        assert!(settle(&mut binding.clone(), &withdrawn(2)).is_err());
        let why = refused(&binding, &PROMOTE);
        assert!(why.contains("it failed 5 times"), "{why}");
        done(&mut binding, &Deploy::Promote { anyway: true });
        assert_eq!(binding.component, version(2));
    }

    #[test]
    fn a_quarantine_is_of_the_version_that_failed() {
        let mut binding = packed(1);
        let incident = |number| Incident::Quarantined {
            binding: BindingId::new("router").unwrap(),
            component: version(number),
            why: "it traps".to_owned(),
        };
        assert!(settle(&mut binding.clone(), &incident(2)).is_err());
        settle(&mut binding, &incident(1)).unwrap();
        assert!(settle(&mut binding.clone(), &incident(1)).is_err());
        done(&mut binding, &Deploy::Release);
        assert_eq!(binding, packed(1));
        assert!(refused(&binding, &Deploy::Release).contains("not in quarantine"));
    }

    #[test]
    fn a_pack_with_the_same_component_leaves_what_is_settled() {
        let mut before = packed(1);
        done(&mut before, &canary(2));
        done(&mut before, &PROMOTE);
        done(&mut before, &Deploy::Quarantine);
        let mut again = packed(1);
        carry_over(&before, &mut again);
        assert_eq!(again, before);
    }

    #[test]
    fn a_pack_with_another_component_has_its_way_and_can_be_rolled_back() {
        let mut before = packed(1);
        done(&mut before, &canary(2));
        done(&mut before, &PROMOTE);
        done(&mut before, &Deploy::Quarantine);
        let mut new = packed(3);
        carry_over(&before, &mut new);
        assert_eq!(new.component, version(3));
        let deployment = new.deployment.clone().unwrap();
        assert_eq!((deployment.packed, deployment.quarantine), (None, None));
        done(&mut new, &Deploy::Rollback);
        assert_eq!(new.component, version(2));
        assert_eq!(new.deployment.unwrap().packed, Some(version(3)));
    }
}
