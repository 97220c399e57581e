//! The bindings in use: each with its component, its grants and its limits, looked up for every call
//! and replaced all at once.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use engine::port::{BindingSetup, InspectError};
use model::Digest;
use model::definition::Plugin;
use model::hook::Hook;
use model::id::{BindingId, DirectoryKind, SecretId};
use tokio::sync::Semaphore;

use crate::breaker::Breaker;
use crate::capability::http::Origin;
use crate::deployed::Deployed;
use crate::figures::{Figures, HookFigures};
use crate::inspect::foreign_hooks;
use crate::limits::InForce;
use crate::lines::Lines;
use crate::link::Loaded;
use crate::manifest::Capabilities;
use crate::options::Options;

/// All bindings in use.
#[derive(Default)]
pub(crate) struct Active {
    pub(crate) bindings: HashMap<BindingId, Arc<Deployed>>,
}

/// A binding in use.
pub(crate) struct Bound {
    pub(crate) id: BindingId,
    pub(crate) digest: Digest,
    /// For log lines and spans.
    pub(crate) digest_text: String,
    pub(crate) loaded: Arc<Loaded>,
    /// As the guest is handed them.
    pub(crate) settings: String,
    pub(crate) granted: Granted,
    pub(crate) pure: InForce,
    pub(crate) integration: InForce,
    /// What the binding logged last, on this version and those before.
    pub(crate) lines: Arc<Lines>,
    /// How many calls of each kind it may have under way.
    pub(crate) pure_share: Semaphore,
    pub(crate) integration_share: Semaphore,
    hooks: Vec<(Hook, InUse)>,
    plugin: Arc<Plugin>,
}

/// What a binding may reach: what it grants, of what its plugin asks for.
#[derive(Debug, Default)]
pub(crate) struct Granted {
    pub(crate) http: Vec<Origin>,
    pub(crate) secrets: BTreeMap<SecretId, Secret>,
    pub(crate) directory: BTreeSet<DirectoryKind>,
    pub(crate) key_value: bool,
}

/// What may be done with a secret.
#[derive(Debug)]
pub(crate) struct Secret {
    pub(crate) origins: Vec<Origin>,
    pub(crate) url: bool,
    pub(crate) body: bool,
    pub(crate) sign: bool,
}

/// A hook that a binding is used for.
#[derive(Debug, Default)]
pub(crate) struct InUse {
    pub(crate) breaker: Breaker,
    pub(crate) figures: Figures,
}

impl Bound {
    /// Puts a binding to use on a component that is loaded, or says what keeps it from that.
    pub(crate) fn new(
        options: &Options,
        setup: &BindingSetup,
        loaded: Arc<Loaded>,
        lines: Arc<Lines>,
    ) -> Result<Self, InspectError> {
        let plugin = &setup.plugin;
        let used: Vec<Hook> = plugin
            .hooks
            .iter()
            .filter(|(_, used)| **used)
            .map(|(hook, _)| *hook)
            .collect();
        check_hooks(&used, &loaded, &setup.component)?;
        if let Some(manifest) = &loaded.manifest {
            manifest.check(plugin)?;
        }
        let asks = loaded.manifest.as_ref().map(|manifest| &manifest.asks);
        Ok(Self {
            id: setup.id.clone(),
            digest: setup.digest,
            digest_text: setup.digest.to_string(),
            settings: serde_json::Value::Object(plugin.settings.clone()).to_string(),
            granted: Granted::new(plugin, asks)?,
            pure: InForce::new(options, &plugin.limits, true),
            integration: InForce::new(options, &plugin.limits, false),
            pure_share: Semaphore::new(share(options)),
            integration_share: Semaphore::new(share(options)),
            hooks: used
                .into_iter()
                .map(|hook| (hook, InUse::default()))
                .collect(),
            plugin: Arc::clone(plugin),
            loaded,
            lines,
        })
    }

    /// Whether it is what this setup would make: then its breakers and figures go on.
    pub(crate) fn is(&self, setup: &BindingSetup) -> bool {
        self.digest == setup.digest && self.plugin == setup.plugin
    }

    /// What each hook has done.
    pub(crate) fn figures(&self) -> Vec<HookFigures> {
        let hooks = self.hooks().map(|(hook, in_use)| {
            let breaker = in_use.breaker.state();
            in_use.figures.of(&self.id, hook, self.digest, breaker)
        });
        hooks.collect()
    }

    /// Lets every hook be asked again at once.
    pub(crate) fn reset_breakers(&self) {
        self.hooks().for_each(|(_, in_use)| in_use.breaker.reset());
    }

    /// The hooks it is used for.
    pub(crate) fn hooks(&self) -> impl Iterator<Item = (Hook, &InUse)> {
        self.hooks.iter().map(|(hook, in_use)| (*hook, in_use))
    }

    /// A hook it is used for.
    pub(crate) fn in_use(&self, hook: Hook) -> Option<&InUse> {
        self.hooks()
            .find(|(of, _)| *of == hook)
            .map(|(_, in_use)| in_use)
    }

    pub(crate) const fn limits(&self, hook: Hook) -> InForce {
        if hook.is_pure() {
            self.pure
        } else {
            self.integration
        }
    }
}

impl Granted {
    fn new(plugin: &Plugin, asks: Option<&Capabilities>) -> Result<Self, InspectError> {
        let grants = &plugin.grants;
        let asked = |wanted: fn(&Capabilities) -> bool| asks.is_none_or(wanted);
        let directory = grants
            .directory
            .iter()
            .filter(|(kind, granted)| {
                **granted && asks.is_none_or(|asks| asks.directory.contains(*kind))
            })
            .map(|(kind, _)| kind.clone());
        let secrets = grants.secrets.iter().map(|(id, grant)| {
            let secret = Secret {
                origins: origins(&grant.hosts)?,
                url: grant.url,
                body: grant.body,
                sign: grant.sign && asked(|asks| asks.signing),
            };
            Ok((id.clone(), secret))
        });
        let http = origins(&grants.http)?;
        Ok(Self {
            http: if asked(|asks| asks.http) {
                http
            } else {
                Vec::new()
            },
            secrets: secrets.collect::<Result<_, InspectError>>()?,
            directory: directory.collect(),
            key_value: !grants.key_value.is_none() && asked(|asks| asks.key_value),
        })
    }
}

/// The origins that are granted, of those that a grant lists.
fn origins<'a>(
    listed: impl IntoIterator<Item = (&'a String, &'a bool)>,
) -> Result<Vec<Origin>, InspectError> {
    listed
        .into_iter()
        .filter(|(_, granted)| **granted)
        .map(|(origin, _)| Origin::parse(origin).map_err(InspectError::Settings))
        .collect()
}

/// A quarter of the calls of a kind that run at once.
fn share(options: &Options) -> usize {
    (options.concurrent_calls as usize / 8).max(1)
}

fn check_hooks(used: &[Hook], loaded: &Loaded, component: &[u8]) -> Result<(), InspectError> {
    let exported = &loaded.inspection.hooks;
    let Some(missing) = used.iter().find(|hook| !exported.contains(hook)) else {
        return Ok(());
    };
    let names: Vec<&str> = exported.iter().map(|hook| hook.as_str()).collect();
    let mut message = if names.is_empty() {
        "it exports no hook of this server's contract".to_owned()
    } else {
        format!("it exports {}", names.join(", "))
    };
    let foreign = foreign_hooks(component);
    if !foreign.is_empty() {
        message = format!("{message} (but {})", foreign.join(", "));
    }
    Err(InspectError::Hooks(format!(
        "{message}; the binding uses {}",
        missing.as_str()
    )))
}
