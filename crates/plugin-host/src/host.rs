//! The port itself: bindings are set up, asked, told and listened to.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Instant as Clock;

use engine::port::{
    BindingSetup, Candidate, Delivery, HttpRequest, Incident, InspectError, Inspection,
    IntegrationReply, Plugins, Staged, Surroundings, WebhookReply,
};
use futures::StreamExt as _;
use futures::future::BoxFuture;
use futures::stream;
use model::Digest;
use model::command::EffectDone;
use model::hook::{Call, Failure, FailureKind, Hook, Question, Reply};
use model::id::BindingId;
use tokio::sync::{Semaphore, mpsc};
use wasmtime::Engine;
use wasmtime::component::Component;

use crate::active::{Active, Bound};
use crate::call::{Input, Output};
use crate::caller::{Caller, Performed};
use crate::capability::http::Client;
use crate::compiled::{Cache, deserialize};
use crate::compiler::compile_apart;
use crate::deployed::{Deployed, Dispatcher};
use crate::failure::failure;
use crate::figures::HookFigures;
use crate::inspect;
use crate::lines::{Lines, LogLine};
use crate::link::{Linkers, Loaded, describe};
use crate::manifest::Manifest;
use crate::options::{Error, Options};
use crate::runtime::{Ticker, engine};
use crate::self_test;
use crate::trial::{Trial, TrialFigures};

/// How many components are compiled at once.
const COMPILERS: usize = 2;
/// How many components are loaded at once: each is read and looked at whole, in memory, on a thread of
/// its own.
const LOADERS: usize = 4;

/// Runs plugins on wasmtime.
///
/// Setting up may take seconds, as components are compiled; calls meanwhile go on with the bindings
/// before. Calls must be made within a tokio runtime.
pub struct WasmPlugins {
    options: Options,
    engine: Engine,
    linkers: Arc<Linkers>,
    cache: Option<Arc<Cache>>,
    dispatcher: Arc<Dispatcher>,
    incidents: tokio::sync::Mutex<mpsc::Receiver<Incident>>,
    active: RwLock<Arc<Active>>,
    setting_up: tokio::sync::Mutex<()>,
    /// Room for compilers: they take all the memory they are given.
    compiling: Semaphore,
}

impl WasmPlugins {
    /// A host without any bindings.
    ///
    /// # Errors
    /// Where the address space has no room for the pool of instances, the folder for compiled
    /// components cannot be written, or an extra authority is no certificate.
    pub fn new(options: Options) -> Result<Self, Error> {
        let engine = engine(&options)?;
        let linkers = Linkers::new(&engine).map_err(Error::Engine)?;
        let cache = options.cache.as_deref().map(Cache::open).transpose()?;
        let client = Client::new(&options).map_err(Error::Authority)?;
        let caller = Caller::new(&engine, Ticker::start(&engine)?, client, &options);
        let (dispatcher, incidents) = Dispatcher::new(caller);
        Ok(Self {
            engine,
            linkers: Arc::new(linkers),
            cache: cache.map(Arc::new),
            dispatcher: Arc::new(dispatcher),
            incidents: tokio::sync::Mutex::new(incidents),
            active: RwLock::default(),
            setting_up: tokio::sync::Mutex::new(()),
            compiling: Semaphore::new(COMPILERS),
            options,
        })
    }

    /// What each hook in use has done on the version in force, ordered by binding and hook.
    pub fn figures(&self) -> Vec<HookFigures> {
        let active = self.active();
        let bindings = active.bindings.values();
        let mut figures: Vec<_> = bindings.flat_map(|it| it.bound.figures()).collect();
        figures.sort_by(|a, b| (&a.binding, a.hook).cmp(&(&b.binding, b.hook)));
        figures
    }

    /// How the trials of versions go, ordered by binding.
    pub fn trials(&self) -> Vec<TrialFigures> {
        let active = self.active();
        let trials = active.bindings.values();
        let trials = trials.filter_map(|deployed| Some(deployed.trial.as_ref()?.figures()));
        let mut trials: Vec<_> = trials.collect();
        trials.sort_by(|a, b| a.binding.cmp(&b.binding));
        trials
    }

    /// Why a binding is not asked, where it is not.
    pub fn quarantine(&self, binding: &BindingId) -> Option<String> {
        let active = self.active();
        active
            .bindings
            .get(binding)?
            .quarantine()
            .map(str::to_owned)
    }

    /// What a binding logged after the line of this number, oldest first: the last lines, as far as
    /// they are kept. None where there is no such binding.
    pub fn lines(&self, binding: &BindingId, after: u64) -> Option<Vec<LogLine>> {
        Some(
            self.active()
                .bindings
                .get(binding)?
                .bound
                .lines
                .after(after),
        )
    }

    fn active(&self) -> Arc<Active> {
        let active = self.active.read().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(&active)
    }

    async fn replace(&self, setups: Vec<BindingSetup>) -> Result<(), (BindingId, InspectError)> {
        let _alone = self.setting_up.lock().await;
        let before = self.active();
        let loaded = self.load_all(&before, &setups).await?;
        let mut bindings = HashMap::with_capacity(setups.len());
        for setup in &setups {
            let id = setup.id.clone();
            let deployed = self
                .deploy(before.bindings.get(&id), setup, &loaded)
                .await
                .map_err(|error| (id.clone(), error))?;
            if bindings.insert(id.clone(), deployed).is_some() {
                let twice = InspectError::Settings("there are two bindings of this id".to_owned());
                return Err((id, twice));
            }
        }
        *self.active.write().unwrap_or_else(PoisonError::into_inner) =
            Arc::new(Active { bindings });
        Ok(())
    }

    /// Makes a binding ready as it is to be deployed, of what there is of it already where that fits.
    async fn deploy(
        &self,
        before: Option<&Arc<Deployed>>,
        setup: &BindingSetup,
        loaded: &HashMap<Digest, Arc<Loaded>>,
    ) -> Result<Arc<Deployed>, InspectError> {
        let lines = before.map(|deployed| Arc::clone(&deployed.bound.lines));
        let lines = lines.unwrap_or_default();
        let tried = before.and_then(|deployed| deployed.trial.as_ref());
        let present = before.into_iter().map(|deployed| &deployed.bound);
        // What was tried may be what is now in force.
        let mut known = present.chain(tried.map(|trial| &trial.bound));
        let bound = if let Some(bound) = known.find(|bound| bound.is(setup)) {
            Arc::clone(bound)
        } else {
            let bound = self.bind(setup, loaded, &lines).await?;
            let is_new = before.is_some_and(|before| before.bound.digest != setup.digest);
            if is_new && setup.staged.self_test {
                self_test::stand(&self.dispatcher.caller, &bound).await?;
            }
            bound
        };
        let trial = match &setup.staged.canary {
            Some(candidate) => Some(
                self.try_out(tried, setup, candidate, loaded, &lines)
                    .await?,
            ),
            None => None,
        };
        let goes_on = before.filter(|before| before.is(&bound, trial.as_ref(), setup));
        if let Some(deployed) = goes_on {
            return Ok(Arc::clone(deployed));
        }
        let deployed = Deployed::new(bound, trial, &setup.staged);
        let was_kept_away = before.is_some_and(|before| before.quarantine().is_some());
        if was_kept_away && deployed.quarantine().is_none() {
            deployed.bound.reset_breakers();
        }
        Ok(Arc::new(deployed))
    }

    /// Makes a version ready to be tried; one that is being tried already goes on.
    async fn try_out(
        &self,
        before: Option<&Arc<Trial>>,
        setup: &BindingSetup,
        candidate: &Candidate,
        loaded: &HashMap<Digest, Arc<Loaded>>,
        lines: &Arc<Lines>,
    ) -> Result<Arc<Trial>, InspectError> {
        let setup = BindingSetup {
            digest: candidate.digest,
            component: Arc::clone(&candidate.component),
            staged: Staged::default(),
            ..setup.clone()
        };
        if let Some(trial) = before.filter(|it| it.is(candidate) && it.bound.is(&setup)) {
            return Ok(Arc::clone(trial));
        }
        let bound = self.bind(&setup, loaded, lines).await?;
        Ok(Arc::new(Trial::new(bound, candidate)))
    }

    /// Loads every component once: from the bindings before, the cache or the compiler.
    async fn load_all(
        &self,
        before: &Active,
        setups: &[BindingSetup],
    ) -> Result<HashMap<Digest, Arc<Loaded>>, (BindingId, InspectError)> {
        let mut loaded: HashMap<Digest, Arc<Loaded>> = HashMap::new();
        for deployed in before.bindings.values() {
            let tried = deployed.trial.iter().map(|trial| &trial.bound);
            for bound in std::iter::once(&deployed.bound).chain(tried) {
                loaded.insert(bound.digest, Arc::clone(&bound.loaded));
            }
        }
        let mut new: Vec<(&BindingId, Digest, &Arc<[u8]>)> = Vec::new();
        let mut known: HashSet<Digest> = loaded.keys().copied().collect();
        for setup in setups {
            let tried = setup.staged.canary.iter();
            let tried = tried.map(|candidate| (&setup.id, candidate.digest, &candidate.component));
            let present = (&setup.id, setup.digest, &setup.component);
            for wanted in std::iter::once(present).chain(tried) {
                if known.insert(wanted.1) {
                    new.push(wanted);
                }
            }
        }
        let loading = new
            .iter()
            .map(|(_, digest, bytes)| self.load(*digest, bytes));
        let loading: Vec<_> = loading.collect();
        let mut loading = stream::iter(loading).buffered(LOADERS);
        for (id, digest, _) in new {
            // As many come out as were put in.
            let Some(result) = loading.next().await else {
                break;
            };
            let component = result.map_err(|error| (id.clone(), error))?;
            loaded.insert(digest, Arc::new(component));
        }
        Ok(loaded)
    }

    /// Loads a component: looked at, then compiled where that was not done before, then linked.
    async fn load(&self, digest: Digest, component: &Arc<[u8]>) -> Result<Loaded, InspectError> {
        let (engine, linkers) = (self.engine.clone(), Arc::clone(&self.linkers));
        let bytes = Arc::clone(component);
        let cache = self.cache.clone();
        let (inspection, manifest, known) = on_own_thread(move || {
            let inspection = inspect::inspect(&bytes)?;
            if inspection.digest != digest {
                return Err(InspectError::NotAComponent(format!(
                    "its digest is {}, not {digest}",
                    inspection.digest
                )));
            }
            let manifest = inspection.manifest.as_ref();
            let manifest = manifest.map(Manifest::read).transpose()?;
            let known = cache.and_then(|cache| cache.load(&engine, &digest));
            Ok((inspection, manifest, known))
        })
        .await?;
        let component = match known {
            Some(component) => component,
            None => self.compile(digest, component).await?,
        };
        on_own_thread(move || linkers.load(&component, inspection, manifest)).await
    }

    /// Compiles a component within the time there is for that.
    async fn compile(&self, digest: Digest, bytes: &Arc<[u8]>) -> Result<Component, InspectError> {
        let started = Clock::now();
        let engine = self.engine.clone();
        let compiled = if let Some(compiler) = &self.options.compiler {
            let _place = self.compiling.acquire().await;
            compile_apart(compiler, bytes, self.options.compile_time).await?
        } else {
            let (engine, bytes) = (engine.clone(), Arc::clone(bytes));
            on_own_thread(move || {
                let compiled = engine.precompile_component(&bytes);
                compiled.map_err(|error| InspectError::Compile(describe(&error)))
            })
            .await?
        };
        let millis = started.elapsed().as_millis();
        tracing::info!(component = %digest, millis, "a plugin was compiled");
        let cache = self.cache.clone();
        on_own_thread(move || {
            if let Some(cache) = cache {
                cache.store(&engine, &digest, &compiled);
                if let Some(component) = cache.load(&engine, &digest) {
                    return Ok(component);
                }
            }
            deserialize(&engine, &compiled).map_err(|error| InspectError::Compile(describe(&error)))
        })
        .await
    }

    /// Makes a binding of a component ready, once that has shown that it starts within the limits.
    async fn bind(
        &self,
        setup: &BindingSetup,
        loaded: &HashMap<Digest, Arc<Loaded>>,
        lines: &Arc<Lines>,
    ) -> Result<Arc<Bound>, InspectError> {
        let loaded = Arc::clone(&loaded[&setup.digest]);
        let bound = Bound::new(&self.options, setup, loaded, Arc::clone(lines))?;
        let bound = Arc::new(bound);
        self_test::start(&self.dispatcher.caller, &bound).await?;
        Ok(bound)
    }

    /// Makes one call to a binding in use.
    async fn perform(
        &self,
        binding: &BindingId,
        hook: Hook,
        call: &Call,
        around: Arc<dyn Surroundings>,
        input: Input<'_>,
    ) -> Performed {
        let active = self.active();
        let Some(deployed) = active.bindings.get(binding) else {
            let message = format!("there is no binding `{binding}`");
            return Performed::nobody(FailureKind::Missing, message);
        };
        self.dispatcher
            .perform(deployed, hook, call, around, input)
            .await
    }

    /// Makes a call to an integration that answers with commands.
    async fn command(
        &self,
        binding: &BindingId,
        hook: Hook,
        call: &Call,
        around: Arc<dyn Surroundings>,
        input: Input<'_>,
    ) -> Result<IntegrationReply, Failure> {
        let performed = self.perform(binding, hook, call, around, input).await;
        let Output::Commands(commands) = performed.ended.result? else {
            return Err(other_hook());
        };
        Ok(IntegrationReply {
            done: EffectDone {
                created: None,
                component: performed.component,
                micros: performed.micros,
            },
            commands,
        })
    }
}

/// Does what takes a while on a thread of its own.
async fn on_own_thread<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, InspectError> + Send + 'static,
) -> Result<T, InspectError> {
    let worked = tokio::task::spawn_blocking(work).await;
    worked.unwrap_or_else(|_| Err(InspectError::Compile("it made the server panic".to_owned())))
}

fn other_hook() -> Failure {
    failure(FailureKind::Internal, "the answer is that of another hook")
}

impl Plugins for WasmPlugins {
    fn inspect(&self, component: &[u8]) -> Result<Inspection, InspectError> {
        inspect::inspect(component)
    }

    fn set_up(
        &self,
        bindings: Vec<BindingSetup>,
    ) -> BoxFuture<'_, Result<(), (BindingId, InspectError)>> {
        Box::pin(self.replace(bindings))
    }

    fn ask<'a>(
        &'a self,
        call: Call,
        question: &'a Question,
        around: Arc<dyn Surroundings>,
    ) -> BoxFuture<'a, Reply> {
        Box::pin(async move {
            let (binding, hook) = (&question.binding, question.ask.hook());
            let input = Input::Question(question);
            let performed = self.perform(binding, hook, &call, around, input).await;
            Reply {
                component: performed.component,
                answer: performed.ended.result.and_then(|output| match output {
                    Output::Answer(answer) => Ok(answer),
                    _ => Err(other_hook()),
                }),
                micros: performed.micros,
                lookups: performed.ended.lookups,
            }
        })
    }

    fn deliver(
        &self,
        binding: &BindingId,
        call: Call,
        delivery: Delivery,
        around: Arc<dyn Surroundings>,
    ) -> BoxFuture<'_, Result<IntegrationReply, Failure>> {
        let binding = binding.clone();
        Box::pin(async move {
            let input = Input::Delivery(Box::new(delivery));
            self.command(&binding, Hook::Delivery, &call, around, input)
                .await
        })
    }

    fn receive(
        &self,
        binding: &BindingId,
        call: Call,
        request: HttpRequest,
        around: Arc<dyn Surroundings>,
    ) -> BoxFuture<'_, Result<WebhookReply, Failure>> {
        let binding = binding.clone();
        Box::pin(async move {
            let input = Input::Request(request);
            let performed = self
                .perform(&binding, Hook::Webhook, &call, around, input)
                .await;
            match performed.ended.result? {
                Output::Reply(reply) => Ok(reply),
                _ => Err(other_hook()),
            }
        })
    }

    fn run_schedule(
        &self,
        binding: &BindingId,
        call: Call,
        around: Arc<dyn Surroundings>,
    ) -> BoxFuture<'_, Result<IntegrationReply, Failure>> {
        let binding = binding.clone();
        Box::pin(async move {
            self.command(&binding, Hook::Schedule, &call, around, Input::Schedule)
                .await
        })
    }

    fn canary_failures(&self, binding: &BindingId) -> u64 {
        let active = self.active();
        let trial = active
            .bindings
            .get(binding)
            .and_then(|it| it.trial.as_ref());
        trial.map_or(0, |trial| trial.failures())
    }

    fn incident(&self) -> BoxFuture<'_, Incident> {
        Box::pin(async move {
            match self.incidents.lock().await.recv().await {
                Some(incident) => incident,
                // Whoever tells of them lives as long as this host.
                None => std::future::pending().await,
            }
        })
    }
}
