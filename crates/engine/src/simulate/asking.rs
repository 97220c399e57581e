//! Answers of plugins in a simulation: the journaled one, where the binding has the same component and
//! the same settings and is asked the same; else the plugin is asked afresh, with the desk of then.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use definition::compile::Definitions;
use model::Digest;
use model::command::Command;
use model::definition::Plugin;
use model::hook::{Failure, FailureKind, Question, Reply};
use model::id::BindingId;
use model::journal::{self, Decision, Entry, HookDecision};
use tokio::runtime::Handle;
use tokio::sync::RwLock;

use super::chronicle::Chronicle;
use super::versions::{Version, Versions};
use crate::error::EngineError;
use crate::execute::call_for;
use crate::port::{BindingSetup, Plugins, Staged, Store};
use crate::replay::shown::Shown;

/// How many bindings are kept ready to be asked.
const BINDINGS: usize = 32;
/// How often a question is put where the answer does not come in time.
const TRIES: u32 = 3;
/// At how many moments before its entry a plugin may have looked.
const MOMENTS: usize = 50;

/// The plugins of a simulation.
pub(super) struct Asking {
    store: Arc<dyn Store>,
    plugins: Arc<dyn Plugins>,
    runtime: Handle,
    ready: RwLock<Ready>,
    /// How many answers were those of the journal.
    pub(super) journaled: AtomicU64,
    /// How many plugins were asked afresh.
    pub(super) afresh: AtomicU64,
    /// How many of those gave no answer.
    pub(super) failed: AtomicU64,
}

#[derive(Default)]
struct Ready {
    /// Bindings that can be asked.
    setups: HashMap<BindingId, BindingSetup>,
    /// Why bindings cannot be, by the component and the definition that were tried last.
    unfit: HashMap<BindingId, (Digest, Arc<Plugin>, String)>,
}

impl Ready {
    /// Whether a binding can be asked with this component and this definition.
    fn has(&self, wanted: &BindingSetup) -> bool {
        let known = self.setups.get(&wanted.id);
        known.is_some_and(|it| it.digest == wanted.digest && it.plugin == wanted.plugin)
    }
}

/// What is asked, and when.
#[derive(Clone, Copy)]
pub(super) struct Moment<'m> {
    pub(super) version: &'m Version,
    /// The entry of the journal that is done again, where it is one.
    pub(super) entry: Option<&'m Entry>,
    /// The last position before it.
    pub(super) before: u64,
}

impl Asking {
    pub(super) fn new(store: Arc<dyn Store>, plugins: Arc<dyn Plugins>, runtime: Handle) -> Self {
        Self {
            store,
            plugins,
            runtime,
            ready: RwLock::default(),
            journaled: AtomicU64::new(0),
            afresh: AtomicU64::new(0),
            failed: AtomicU64::new(0),
        }
    }

    /// The answer to a question. Called from a thread that may wait.
    pub(super) fn answer(
        &self,
        versions: &Versions,
        chronicle: &Chronicle,
        moment: Moment<'_>,
        command: &Command,
        question: &Question,
    ) -> Result<Reply, EngineError> {
        if let Some(reply) = journaled(moment, question) {
            self.journaled.fetch_add(1, Ordering::Relaxed);
            return Ok(reply);
        }
        let asking = self.ask(versions, chronicle, moment, command, question);
        let reply = self.runtime.block_on(asking)?;
        self.afresh.fetch_add(1, Ordering::Relaxed);
        if reply.answer.is_err() {
            self.failed.fetch_add(1, Ordering::Relaxed);
        }
        Ok(reply)
    }

    async fn ask(
        &self,
        versions: &Versions,
        chronicle: &Chronicle,
        moment: Moment<'_>,
        command: &Command,
        question: &Question,
    ) -> Result<Reply, EngineError> {
        let definitions = &moment.version.definitions;
        let Some(setup) = setup(definitions, &question.binding) else {
            let why = format!("there is no binding `{}`", question.binding);
            return Ok(none(FailureKind::Missing, why));
        };
        let Some(past) = &chronicle.past else {
            return Ok(none(FailureKind::Missing, "no plugin is asked".to_owned()));
        };
        let lookups = moment.entry.map(|entry| entry.lookups.clone());
        let call = call_for(question, command);
        let mut tried = 0;
        loop {
            let shown = Shown::new(
                self.store.clone(),
                past.clone(),
                definitions.clone(),
                lookups.clone().unwrap_or_default(),
                moment.before,
            );
            let shown = Arc::new(shown.looking_back(MOMENTS));
            // Nobody puts other bindings in the place of those that are asked.
            let ready = self.ready.read().await;
            if !ready.has(&setup) {
                drop(ready);
                if let Err(why) = self.make_ready(versions, &setup).await? {
                    return Ok(none(FailureKind::Missing, why));
                }
                continue;
            }
            let reply = self.plugins.ask(call.clone(), question, shown).await;
            drop(ready);
            tried += 1;
            let failure = reply.answer.as_ref().err();
            let passes = |failure: &Failure| {
                matches!(failure.kind, FailureKind::Timeout | FailureKind::Busy)
            };
            if tried >= TRIES || !failure.is_some_and(passes) {
                return Ok(reply);
            }
        }
    }

    /// Makes a binding ready with this component and this definition; says why it cannot be.
    async fn make_ready(
        &self,
        versions: &Versions,
        wanted: &BindingSetup,
    ) -> Result<Result<(), String>, EngineError> {
        let mut ready = self.ready.write().await;
        if ready.has(wanted) {
            return Ok(Ok(()));
        }
        let unfit = ready.unfit.get(&wanted.id);
        if let Some((.., why)) = unfit.filter(|it| it.0 == wanted.digest && it.1 == wanted.plugin) {
            return Ok(Err(why.clone()));
        }
        let Some(component) = versions.component(&wanted.digest)? else {
            return Ok(Err(format!(
                "the component {} is not stored",
                wanted.digest
            )));
        };
        if ready.setups.len() >= BINDINGS {
            ready.setups.clear();
        }
        let mut setups = ready.setups.clone();
        let setup = BindingSetup {
            component,
            ..wanted.clone()
        };
        setups.insert(wanted.id.clone(), setup);
        match self
            .plugins
            .set_up(setups.values().cloned().collect())
            .await
        {
            Ok(()) => {
                ready.setups = setups;
                Ok(Ok(()))
            }
            // Those that were ready before still are.
            Err((_, error)) => {
                let why = error.to_string();
                let tried = (wanted.digest, wanted.plugin.clone(), why.clone());
                ready.unfit.insert(wanted.id.clone(), tried);
                Ok(Err(why))
            }
        }
    }
}

/// How a binding is to be set up, its component still to be fetched; none where there is no such one.
fn setup(definitions: &Definitions, id: &BindingId) -> Option<BindingSetup> {
    let binding = definitions.bindings.get(id)?;
    Some(BindingSetup {
        id: id.clone(),
        plugin: binding.plugin.clone(),
        digest: binding.installed.component,
        component: Arc::from(Vec::new()),
        staged: Staged::default(),
    })
}

/// The answer of then, where the binding is what it was and is asked what it was.
fn journaled(moment: Moment<'_>, question: &Question) -> Option<Reply> {
    let entry = moment.entry?;
    if !moment.version.is_unchanged(&question.binding) {
        return None;
    }
    let hook = question.ask.hook();
    let mut decisions = entry
        .decisions
        .iter()
        .filter_map(|decision| match decision {
            Decision::Hook(it) if it.binding == question.binding && it.hook == hook => Some(it),
            _ => None,
        });
    let input = Digest::of(&journal::encode(question));
    decisions
        .find(|decision| decision.input == input)
        .map(reply)
}

fn reply(decision: &HookDecision) -> Reply {
    let answer = match (&decision.answer, &decision.failure) {
        (Some(answer), _) => Ok(answer.clone()),
        (None, Some(failure)) => Err(failure.clone()),
        (None, None) => Err(failure(
            FailureKind::Missing,
            "the journal has no answer".to_owned(),
        )),
    };
    Reply {
        component: decision.component,
        answer,
        micros: decision.micros,
        lookups: Vec::new(),
    }
}

const fn failure(kind: FailureKind, message: String) -> Failure {
    Failure {
        kind,
        message,
        retry_after: None,
    }
}

fn none(kind: FailureKind, why: String) -> Reply {
    Reply {
        component: None,
        answer: Err(failure(kind, why)),
        micros: 0,
        lookups: Vec::new(),
    }
}
