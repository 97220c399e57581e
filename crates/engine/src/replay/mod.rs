//! Asking again what was decided: every question that a journal holds to a pure hook, put to the
//! component that answered it or to another one, with the settings, the time, the chance and the desk
//! of then. The journal is walked through once, in its order, and nothing is written.

pub(crate) mod past;
mod recent;
mod report;
pub(crate) mod shown;

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

use definition::compile::Definitions;
use model::definition::Plugin;
use model::hook::{Failure, FailureKind, Question, Reply};
use model::id::{BindingId, RecordId};
use model::journal::{self, Decision, Entry, HookDecision, Item, Lookup};
use model::{Digest, Instant};

use self::past::Past;
use self::report::{Again, Place};
use self::shown::Shown;
use crate::error::EngineError;
use crate::execute::call_for;
use crate::library::Library;
use crate::port::{BindingSetup, Plugins, Staged, Store};

pub use self::report::{Counts, Difference, Given, NotAsked, OfBinding, Reason, Replayed};

/// How many items of the journal are read at once.
const ITEMS: usize = 200;
/// How many sets of definitions are kept compiled.
const DEFINITIONS: usize = 8;
/// How many bindings are kept ready to be asked.
const BINDINGS: usize = 16;
/// How often a question is put where the answer does not come in time.
const TRIES: u32 = 3;

/// What is to be asked again.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    /// Only what this binding decided.
    pub binding: Option<BindingId>,
    /// This component in the place of those that decided.
    pub component: Option<Arc<[u8]>>,
    /// Only what was decided from then on.
    pub since: Option<Instant>,
}

/// Asks again what a store's journal holds, and compares the answers. The plugins are set up for it,
/// and should be nobody else's.
///
/// # Errors
/// Where the store fails, or the component that is wanted is none. What a single decision lacks is
/// told in the report.
pub async fn replay(
    store: Arc<dyn Store>,
    plugins: Arc<dyn Plugins>,
    wanted: Wanted,
) -> Result<Replayed, EngineError> {
    let component = match wanted.component {
        None => None,
        Some(component) => {
            let inspected = plugins.inspect(&component);
            let inspection =
                inspected.map_err(|error| EngineError::Install(vec![error.to_string()]))?;
            Some((inspection.digest, component))
        }
    };
    let replay = Replay {
        library: Library::new(store.clone()),
        past: Arc::new(Mutex::new(Past::new(store.clone()))),
        store,
        plugins,
        binding: wanted.binding,
        component,
        since: wanted.since,
        definitions: VecDeque::new(),
        ready: HashMap::new(),
        unfit: HashMap::new(),
        report: Replayed::default(),
    };
    replay.run().await
}

struct Replay {
    store: Arc<dyn Store>,
    plugins: Arc<dyn Plugins>,
    library: Library,
    past: Arc<Mutex<Past>>,
    binding: Option<BindingId>,
    component: Option<(Digest, Arc<[u8]>)>,
    since: Option<Instant>,
    /// Definitions that were in force, the last ones asked for.
    definitions: VecDeque<(Digest, Arc<Definitions>)>,
    /// Bindings that can be asked.
    ready: HashMap<BindingId, BindingSetup>,
    /// Why bindings cannot be, by the component and the definition that were tried last.
    unfit: HashMap<BindingId, (Digest, Arc<Plugin>, String)>,
    report: Replayed,
}

/// An entry, and where it stands.
#[derive(Clone, Copy)]
struct At<'a> {
    position: u64,
    record: &'a RecordId,
    entry: &'a Entry,
}

impl Replay {
    async fn run(mut self) -> Result<Replayed, EngineError> {
        // What is decided meanwhile is left for another time.
        let until = self.store.position()?;
        while self.report.position < until {
            let items = self.store.journal(self.report.position, ITEMS)?;
            if items.is_empty() {
                break;
            }
            for (position, item) in items {
                if position > until {
                    break;
                }
                if let Item::Record { id, entry, .. } = &item {
                    let at = At {
                        position,
                        record: id,
                        entry,
                    };
                    self.decisions(at).await?;
                }
                let mut past = self.past.lock().unwrap_or_else(PoisonError::into_inner);
                past.follow(position, &item)?;
                self.report.position = position;
            }
            // A long stretch without decisions does not keep others waiting.
            tokio::task::yield_now().await;
        }
        Ok(self.report)
    }

    /// Asks again what was decided in an entry.
    async fn decisions(&mut self, at: At<'_>) -> Result<(), EngineError> {
        if self.since.is_some_and(|since| at.entry.command.at < since) {
            return Ok(());
        }
        let mut lookups = at.entry.lookups.clone();
        for decision in &at.entry.decisions {
            let Decision::Hook(decision) = decision else {
                continue;
            };
            let is_wanted = |wanted: &BindingId| *wanted == decision.binding;
            if !decision.hook.is_pure() || !self.binding.as_ref().is_none_or(is_wanted) {
                continue;
            }
            let again = match self.ask(at, decision, &mut lookups).await? {
                Ok(answer) => compared(decision, answer),
                Err(why) => Again::NotAsked(why),
            };
            let place = Place {
                record: at.record,
                version: at.entry.version,
                position: at.position,
                at: at.entry.command.at,
                hook: decision.hook,
                binding: &decision.binding,
            };
            let other = self.component.as_ref().map(|(digest, _)| *digest);
            let component = decision.component.map(|then| other.unwrap_or(then));
            self.report.add(&place, component, again);
        }
        Ok(())
    }

    /// Asks again what was asked then. What the decision looked up is taken out of the look-ups of its
    /// entry, which are left for those after it.
    async fn ask(
        &mut self,
        at: At<'_>,
        decision: &HookDecision,
        lookups: &mut Vec<Lookup>,
    ) -> Result<Result<Given, NotAsked>, EngineError> {
        let component = match answered_by(decision) {
            Ok(component) => component,
            Err(why) => return Ok(Err(why)),
        };
        let Some(stored) = self.store.blob(&decision.input)? else {
            return Ok(Err(NotAsked::Question));
        };
        let Ok(question) = journal::decode::<Question>(&stored) else {
            return Ok(Err(NotAsked::Question));
        };
        let definitions = match self.definitions_of(&at.entry.configuration) {
            Ok(definitions) => definitions,
            Err(EngineError::Store(error)) => return Err(error.into()),
            Err(error) => return Ok(Err(NotAsked::Definitions(error.to_string()))),
        };
        if let Err(why) = self
            .make_ready(&definitions, &decision.binding, component)
            .await?
        {
            return Ok(Err(why));
        }
        let call = call_for(&question, &at.entry.command);
        let mut tried = 0;
        loop {
            let shown = Arc::new(Shown::new(
                self.store.clone(),
                self.past.clone(),
                definitions.clone(),
                lookups.clone(),
                at.position - 1,
            ));
            let reply = self
                .plugins
                .ask(call.clone(), &question, shown.clone())
                .await;
            tried += 1;
            let failure = reply.answer.as_ref().err();
            match failure.filter(|failure| depends_on_the_machine(failure.kind)) {
                Some(_) if tried < TRIES => {}
                Some(failure) => return Ok(Err(NotAsked::Time(failure.message.clone()))),
                None => return Ok(given(reply, &shown, lookups)),
            }
        }
    }

    /// The definitions in force then, compiled.
    fn definitions_of(&mut self, digest: &Digest) -> Result<Arc<Definitions>, EngineError> {
        if let Some((_, known)) = self.definitions.iter().find(|(of, _)| of == digest) {
            return Ok(known.clone());
        }
        let definitions = self.library.in_force_under(digest)?;
        if self.definitions.len() == DEFINITIONS {
            self.definitions.pop_front();
        }
        self.definitions.push_back((*digest, definitions.clone()));
        Ok(definitions)
    }

    /// Makes a binding ready as it was then, on the component that answered or on the one that is
    /// wanted.
    async fn make_ready(
        &mut self,
        definitions: &Definitions,
        id: &BindingId,
        answered: Digest,
    ) -> Result<Result<(), NotAsked>, EngineError> {
        let Some(binding) = definitions.bindings.get(id) else {
            return Ok(Err(NotAsked::Changing));
        };
        if binding.installed.component != answered {
            return Ok(Err(NotAsked::Changing));
        }
        let wanted = self.component.as_ref().map(|(digest, _)| *digest);
        let digest = wanted.unwrap_or(answered);
        let known = self.ready.get(id);
        if known.is_some_and(|known| known.digest == digest && known.plugin == binding.plugin) {
            return Ok(Ok(()));
        }
        let unfit = self.unfit.get(id);
        if let Some((_, _, why)) = unfit.filter(|it| it.0 == digest && it.1 == binding.plugin) {
            return Ok(Err(NotAsked::Unfit(why.clone())));
        }
        let component = match (&self.component, known) {
            (Some((_, component)), _) => component.clone(),
            (None, Some(known)) if known.digest == digest => known.component.clone(),
            (None, _) => match self.store.blob(&digest)? {
                Some(component) => component.into(),
                None => return Ok(Err(NotAsked::Component)),
            },
        };
        let setup = BindingSetup {
            id: id.clone(),
            plugin: binding.plugin.clone(),
            digest,
            component,
            staged: Staged::default(),
        };
        if self.ready.len() >= BINDINGS {
            self.ready.clear();
        }
        let mut ready = self.ready.clone();
        ready.insert(id.clone(), setup);
        let setups = ready.values().cloned().collect();
        match self.plugins.set_up(setups).await {
            Ok(()) => {
                self.ready = ready;
                Ok(Ok(()))
            }
            // Those that were ready before still are.
            Err((_, error)) => {
                let why = error.to_string();
                let tried = (digest, binding.plugin.clone(), why.clone());
                self.unfit.insert(id.clone(), tried);
                Ok(Err(NotAsked::Unfit(why)))
            }
        }
    }
}

/// The component that answered, where the answer can be had again.
fn answered_by(decision: &HookDecision) -> Result<Digest, NotAsked> {
    let failure = decision.failure.as_ref();
    let message = || failure.map_or_else(String::new, |failure| failure.message.clone());
    let Some(component) = decision.component else {
        return Err(NotAsked::Nobody(message()));
    };
    match failure.map(|failure| failure.kind) {
        Some(FailureKind::Busy | FailureKind::Missing) => Err(NotAsked::Nobody(message())),
        Some(FailureKind::Timeout | FailureKind::Memory | FailureKind::Limit) => {
            Err(NotAsked::Limit(message()))
        }
        _ => Ok(component),
    }
}

/// Whether another try, or another machine, may have another end.
const fn depends_on_the_machine(kind: FailureKind) -> bool {
    matches!(kind, FailureKind::Timeout | FailureKind::Busy)
}

/// What came of a question that was put again.
fn given(reply: Reply, shown: &Shown, lookups: &mut Vec<Lookup>) -> Result<Given, NotAsked> {
    if let Some(what) = shown.untold() {
        return Err(NotAsked::Lookup(what));
    }
    *lookups = shown::without(std::mem::take(lookups), &reply.lookups);
    Ok(match reply.answer {
        Ok(answer) => Given::Answer(answer),
        Err(failure) => Given::Failure(failure),
    })
}

/// Holds what is given now to what was given then. Whether the desk took the answer is not the
/// plugin's.
fn compared(decision: &HookDecision, now: Given) -> Again {
    let then = match (&decision.answer, &decision.failure) {
        (Some(answer), _) => Given::Answer(answer.clone()),
        (None, Some(failure)) => Given::Failure(failure.clone()),
        (None, None) => return Again::NotAsked(NotAsked::Nobody(String::new())),
    };
    let is_same = match (&then, &now) {
        (Given::Answer(then), Given::Answer(now)) => then == now,
        (Given::Failure(then), Given::Failure(now)) => is_same_failure(then, now),
        _ => false,
    };
    if is_same {
        Again::Identical
    } else {
        Again::Different { then, now }
    }
}

/// How a trap is told depends on the server; what a plugin says itself does not.
fn is_same_failure(then: &Failure, now: &Failure) -> bool {
    then == now || (then.kind == FailureKind::Trap && now.kind == FailureKind::Trap)
}
