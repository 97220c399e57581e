//! The port itself: bindings are set up, asked, told and listened to.

use std::collections::HashMap;
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Instant as Clock;

use engine::port::{
    BindingSetup, Delivery, HttpRequest, InspectError, Inspection, IntegrationReply, LookupError,
    Member, Plugins, Surroundings, WebhookReply,
};
use futures::future::{BoxFuture, join_all};
use model::command::EffectDone;
use model::hook::{Call, Failure, FailureKind, Hook, Question, RecordView, Reply};
use model::id::{BindingId, DirectoryKind, FieldId};
use model::{Digest, Duration, Instant, Value};
use serde_json::{Map, Value as Json};
use tokio::sync::Semaphore;
use tracing::Instrument as _;
use wasmtime::Engine;
use wasmtime::component::Component;

use crate::active::{Active, Bound};
use crate::breaker::BreakerState;
use crate::call::{self, Ended, Input, Output, Place};
use crate::capability::http::{Client, Outgoing};
use crate::compiled::{Cache, deserialize};
use crate::compiler::compile_apart;
use crate::failure::failure;
use crate::guest::Circumstances;
use crate::inspect;
use crate::lane::Lane;
use crate::link::{Linkers, Loaded, describe};
use crate::manifest::Manifest;
use crate::options::{Error, Options};
use crate::runtime::{Ticker, engine};

/// How many components are compiled at once.
const COMPILERS: usize = 2;

/// Runs plugins on wasmtime.
///
/// Setting up may take seconds, as components are compiled; calls meanwhile go on with the bindings
/// before. Calls must be made within a tokio runtime.
pub struct WasmPlugins {
    options: Options,
    engine: Engine,
    linkers: Arc<Linkers>,
    cache: Option<Arc<Cache>>,
    client: Arc<Client>,
    ticker: Ticker,
    /// Room for calls of any kind, and for those of integrations, which may take long: they never
    /// have all of it.
    room: Semaphore,
    room_for_integrations: Semaphore,
    lane: Lane,
    active: RwLock<Arc<Active>>,
    setting_up: tokio::sync::Mutex<()>,
    /// Room for compilers: they take all the memory they are given.
    compiling: Semaphore,
}

/// What a hook of a binding has done since it was set up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HookFigures {
    /// The binding.
    pub binding: BindingId,
    /// The hook.
    pub hook: Hook,
    /// The component it runs on.
    pub component: Digest,
    /// How many calls were made.
    pub calls: u64,
    /// How many of them gave no answer.
    pub failures: u64,
    /// How long they took together, in microseconds.
    pub micros: u64,
    /// Whether it is being asked at present.
    pub breaker: BreakerState,
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
        let calls = options.concurrent_calls.max(2) as usize;
        Ok(Self {
            ticker: Ticker::start(&engine)?,
            engine,
            linkers: Arc::new(linkers),
            cache: cache.map(Arc::new),
            client: Arc::new(client),
            room: Semaphore::new(calls - calls / 2),
            room_for_integrations: Semaphore::new(calls / 2),
            lane: Lane::new(),
            active: RwLock::default(),
            setting_up: tokio::sync::Mutex::new(()),
            compiling: Semaphore::new(COMPILERS),
            options,
        })
    }

    /// What each hook in use has done, ordered by binding and hook.
    pub fn figures(&self) -> Vec<HookFigures> {
        let active = self.active();
        let mut figures: Vec<HookFigures> = active
            .bindings
            .values()
            .flat_map(|bound| {
                bound.hooks().map(|(hook, in_use)| HookFigures {
                    binding: bound.id.clone(),
                    hook,
                    component: bound.digest,
                    calls: in_use.calls.load(Ordering::Relaxed),
                    failures: in_use.failures.load(Ordering::Relaxed),
                    micros: in_use.micros.load(Ordering::Relaxed),
                    breaker: in_use.breaker.state(),
                })
            })
            .collect();
        figures.sort_by(|a, b| (&a.binding, a.hook).cmp(&(&b.binding, b.hook)));
        figures
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
            let bound = match before.bindings.get(&id).filter(|bound| bound.is(setup)) {
                Some(bound) => Arc::clone(bound),
                None => self
                    .bind(setup, Arc::clone(&loaded[&setup.digest]))
                    .await
                    .map_err(|error| (id.clone(), error))?,
            };
            if bindings.insert(id.clone(), bound).is_some() {
                let twice = InspectError::Settings("there are two bindings of this id".to_owned());
                return Err((id, twice));
            }
        }
        *self.active.write().unwrap_or_else(PoisonError::into_inner) =
            Arc::new(Active { bindings });
        Ok(())
    }

    /// Loads every component once: from the bindings before, the cache or the compiler.
    async fn load_all(
        &self,
        before: &Active,
        setups: &[BindingSetup],
    ) -> Result<HashMap<Digest, Arc<Loaded>>, (BindingId, InspectError)> {
        let mut loaded: HashMap<Digest, Arc<Loaded>> = before
            .bindings
            .values()
            .map(|bound| (bound.digest, Arc::clone(&bound.loaded)))
            .collect();
        let mut new: Vec<&BindingSetup> = Vec::new();
        for setup in setups {
            let known = loaded.contains_key(&setup.digest)
                || new.iter().any(|other| other.digest == setup.digest);
            if !known {
                new.push(setup);
            }
        }
        let loading = new.iter().map(|setup| self.load(setup));
        for (setup, result) in new.iter().zip(join_all(loading).await) {
            let component = result.map_err(|error| (setup.id.clone(), error))?;
            loaded.insert(setup.digest, Arc::new(component));
        }
        Ok(loaded)
    }

    /// Loads a component: looked at, then compiled where that was not done before, then linked.
    async fn load(&self, setup: &BindingSetup) -> Result<Loaded, InspectError> {
        let (engine, linkers) = (self.engine.clone(), Arc::clone(&self.linkers));
        let (bytes, digest) = (Arc::clone(&setup.component), setup.digest);
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
            None => self.compile(setup).await?,
        };
        on_own_thread(move || linkers.load(&component, inspection, manifest)).await
    }

    /// Compiles a component within the time there is for that.
    async fn compile(&self, setup: &BindingSetup) -> Result<Component, InspectError> {
        let started = Clock::now();
        let (engine, bytes, digest) = (self.engine.clone(), &setup.component, setup.digest);
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
            }
            deserialize(&engine, &compiled).map_err(|error| InspectError::Compile(describe(&error)))
        })
        .await
    }

    /// Puts a binding to use, once its component has shown that it starts within the limits.
    async fn bind(
        &self,
        setup: &BindingSetup,
        loaded: Arc<Loaded>,
    ) -> Result<Arc<Bound>, InspectError> {
        let bound = Arc::new(Bound::new(&self.options, setup, loaded)?);
        for (hook, _) in bound.hooks() {
            let Some(template) = bound.loaded.template(hook) else {
                continue;
            };
            let circumstances =
                self.circumstances(&bound, hook, Instant::EPOCH, 0, Arc::new(Nothing));
            call::try_out(self.place(&bound, hook), template, circumstances)
                .await
                .map_err(|failure| {
                    InspectError::Compile(format!("it does not start: {}", failure.message))
                })?;
        }
        Ok(bound)
    }

    fn place<'a>(&'a self, bound: &'a Bound, hook: Hook) -> Place<'a> {
        let (room, share) = if hook.is_pure() {
            (&self.room, &bound.pure_share)
        } else {
            (&self.room_for_integrations, &bound.integration_share)
        };
        Place {
            engine: &self.engine,
            ticker: &self.ticker,
            room,
            share,
            lane: &self.lane,
        }
    }

    fn circumstances(
        &self,
        bound: &Arc<Bound>,
        hook: Hook,
        now: Instant,
        seed: u64,
        around: Arc<dyn Surroundings>,
    ) -> Circumstances {
        let outgoing = Outgoing::new(
            Arc::clone(&self.client),
            Arc::clone(bound),
            Arc::clone(&self.options.secrets),
            !hook.is_pure(),
        );
        Circumstances {
            bound: Arc::clone(bound),
            hook,
            around,
            now,
            seed,
            limits: bound.limits(hook),
            outgoing,
        }
    }

    /// Makes one call, journals it in a span and in the figures, and minds the circuit breaker.
    async fn perform(
        &self,
        binding: &BindingId,
        hook: Hook,
        call: &Call,
        around: Arc<dyn Surroundings>,
        input: Input<'_>,
    ) -> Performed {
        let started = Clock::now();
        let active = self.active();
        let Some(bound) = active.bindings.get(binding) else {
            let message = format!("there is no binding `{binding}`");
            return Performed::missing(message);
        };
        let (Some(template), Some(in_use)) = (bound.loaded.template(hook), bound.in_use(hook))
        else {
            let message = format!("the binding `{binding}` is not used for {}", hook.as_str());
            return Performed::missing(message);
        };
        let span = tracing::info_span!(
            "plugin call",
            plugin = binding.as_str(),
            component = bound.digest_text,
            hook = hook.as_str(),
            attempt = call.attempt,
            micros = tracing::field::Empty,
            outcome = tracing::field::Empty,
        );
        let ended = match in_use.breaker.permit() {
            Err(failure) => Ended {
                result: Err(failure),
                lookups: Vec::new(),
            },
            Ok(permit) => {
                let circumstances = self.circumstances(bound, hook, call.now, call.seed, around);
                let place = self.place(bound, hook);
                let ended = call::run(place, template, circumstances, call, input)
                    .instrument(span.clone())
                    .await;
                permit.done(ended.result.as_ref().err());
                ended
            }
        };
        let micros = u64::try_from(started.elapsed().as_micros()).unwrap_or(u64::MAX);
        in_use.count(micros, ended.result.is_err());
        span.record("micros", micros);
        match &ended.result {
            Ok(_) => span.record("outcome", "answered"),
            Err(failure) => {
                let (kind, message) = (failure.kind, failure.message.as_str());
                span.in_scope(|| tracing::warn!(?kind, message, "a plugin gave no answer"));
                span.record("outcome", tracing::field::debug(kind))
            }
        };
        Performed {
            component: Some(bound.digest),
            ended,
            micros,
        }
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

/// A call and what came of it.
struct Performed {
    component: Option<Digest>,
    ended: Ended,
    micros: u64,
}

impl Performed {
    fn missing(message: String) -> Self {
        Self {
            component: None,
            ended: Ended {
                result: Err(failure(FailureKind::Missing, message)),
                lookups: Vec::new(),
            },
            micros: 0,
        }
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
}

/// Surroundings in which nothing can be looked up, for a component that is only tried out.
struct Nothing;

impl Surroundings for Nothing {
    fn thing(&self, _: &DirectoryKind, _: &str) -> Result<Option<Map<String, Json>>, LookupError> {
        Err(LookupError::Unavailable)
    }

    fn teams(&self) -> Result<Vec<String>, LookupError> {
        Err(LookupError::Unavailable)
    }

    fn members(&self, _: &str, _: Instant) -> Result<Vec<Member>, LookupError> {
        Err(LookupError::Unavailable)
    }

    fn linked(&self, _: &str, _: &str) -> Result<Vec<RecordView>, LookupError> {
        Err(LookupError::Unavailable)
    }

    fn alike(
        &self,
        _: &str,
        _: &[(FieldId, Value)],
        _: Instant,
    ) -> Result<Vec<RecordView>, LookupError> {
        Err(LookupError::Unavailable)
    }

    fn business_add(&self, _: &str, _: Instant, _: Duration) -> Result<Instant, LookupError> {
        Err(LookupError::Unavailable)
    }

    fn business_between(&self, _: &str, _: Instant, _: Instant) -> Result<Duration, LookupError> {
        Err(LookupError::Unavailable)
    }

    fn key_value(&self, _: &BindingId, _: &str) -> Result<Option<Vec<u8>>, LookupError> {
        Err(LookupError::Unavailable)
    }

    fn compare_and_set(
        &self,
        _: &BindingId,
        _: &str,
        _: Option<Vec<u8>>,
        _: Option<Vec<u8>>,
    ) -> BoxFuture<'_, Result<bool, LookupError>> {
        Box::pin(std::future::ready(Err(LookupError::Unavailable)))
    }

    fn keys(&self, _: &BindingId, _: &str, _: Option<&str>) -> Result<Vec<String>, LookupError> {
        Err(LookupError::Unavailable)
    }
}
