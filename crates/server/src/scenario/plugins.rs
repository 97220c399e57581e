//! The plugins of a scenario's desk: questions go to the real ones, what is told to the outside stays.

use std::collections::BTreeSet;
use std::sync::Arc;

use engine::port::{
    BindingSetup, Delivery, HttpRequest, InspectError, Inspection, IntegrationReply, Plugins,
    Staged, Surroundings, WebhookReply,
};
use futures::future::BoxFuture;
use model::definition::{Limits, Plugin};
use model::hook::{Call, Failure, FailureKind, Hook, Question, Reply};
use model::id::BindingId;
use model::{Digest, Duration};
use plugin_host::{CallLimits, WasmPlugins};

/// How long a call may take here: what is measured is what plugins answer, however busy the machine.
const PATIENCE: CallLimits = CallLimits {
    cpu: std::time::Duration::from_secs(5),
    wall: std::time::Duration::from_mins(1),
    memory: 256 << 20,
};

/// The plugins that all desks of a run share.
pub(super) struct Shared(WasmPlugins);

impl Shared {
    /// Puts the bindings that are asked for decisions to use; those that are only told things are not
    /// needed.
    ///
    /// # Errors
    /// Where the host does not start, or a binding cannot be put to use.
    pub(super) async fn set_up(
        bindings: Vec<(BindingId, Plugin, Vec<u8>)>,
        compiler: Option<plugin_host::Compiler>,
    ) -> anyhow::Result<Self> {
        let host = WasmPlugins::new(plugin_host::Options {
            pure: PATIENCE,
            breakers: false,
            compiler,
            ..plugin_host::Options::default()
        })?;
        let setups = bindings.into_iter().map(|(id, mut plugin, component)| {
            let memory_mib = plugin.limits.memory_mib;
            plugin.limits = Limits {
                cpu: Some(Duration::from_secs(PATIENCE.cpu.as_secs())),
                wall: Some(Duration::from_secs(PATIENCE.wall.as_secs())),
                memory_mib,
            };
            BindingSetup {
                id,
                plugin: Arc::new(plugin),
                digest: Digest::of(&component),
                component: component.into(),
                staged: Staged::default(),
            }
        });
        let set_up = host.set_up(setups.collect()).await;
        set_up.map_err(|(binding, cause)| {
            anyhow::Error::new(cause)
                .context(format!("the binding `{binding}` cannot be put to use"))
        })?;
        Ok(Self(host))
    }
}

/// Whether a binding is asked for decisions.
pub(super) fn decides(plugin: &Plugin) -> bool {
    let used = plugin.hooks.iter().filter(|(_, used)| **used);
    used.into_iter().any(|(hook, _)| hook.is_pure())
}

/// The plugins as one desk has them.
pub(super) struct OfDesk {
    pub(super) shared: Arc<Shared>,
    /// The bindings that give no answer here.
    pub(super) silent: BTreeSet<BindingId>,
}

impl Plugins for OfDesk {
    fn inspect(&self, component: &[u8]) -> Result<Inspection, InspectError> {
        self.shared.0.inspect(component)
    }

    /// They are set up once, for all desks.
    fn set_up(&self, _: Vec<BindingSetup>) -> BoxFuture<'_, Result<(), (BindingId, InspectError)>> {
        Box::pin(std::future::ready(Ok(())))
    }

    fn ask<'a>(
        &'a self,
        call: Call,
        question: &'a Question,
        around: Arc<dyn Surroundings>,
    ) -> BoxFuture<'a, Reply> {
        if !self.silent.contains(&question.binding) {
            return self.shared.0.ask(call, question, around);
        }
        let failure = Failure {
            kind: FailureKind::Missing,
            message: "the scenario says that it gives no answer".to_owned(),
            retry_after: None,
        };
        let reply = Reply {
            component: None,
            answer: Err(failure),
            micros: 0,
            lookups: Vec::new(),
        };
        Box::pin(std::future::ready(reply))
    }

    /// Nothing leaves the desk: the journal says who was to be told of what.
    fn deliver(
        &self,
        _: &BindingId,
        _: Call,
        _: Delivery,
        _: Arc<dyn Surroundings>,
    ) -> BoxFuture<'_, Result<IntegrationReply, Failure>> {
        Box::pin(std::future::ready(Ok(IntegrationReply::default())))
    }

    fn receive(
        &self,
        _: &BindingId,
        _: Call,
        _: HttpRequest,
        _: Arc<dyn Surroundings>,
    ) -> BoxFuture<'_, Result<WebhookReply, Failure>> {
        Box::pin(std::future::ready(Err(alone(Hook::Webhook))))
    }

    fn run_schedule(
        &self,
        _: &BindingId,
        _: Call,
        _: Arc<dyn Surroundings>,
    ) -> BoxFuture<'_, Result<IntegrationReply, Failure>> {
        Box::pin(std::future::ready(Err(alone(Hook::Schedule))))
    }
}

fn alone(hook: Hook) -> Failure {
    Failure {
        kind: FailureKind::Missing,
        message: format!("the hook {} has nothing to do in a scenario", hook.as_str()),
        retry_after: None,
    }
}
