//! One call from the question to the figures: in a span of its own, minded by the breaker of its
//! hook, counted. What runs in between is in [`call`].

use std::sync::Arc;
use std::time::Instant as Clock;

use engine::port::Surroundings;
use model::hook::{Call, Failure, FailureKind, Hook};
use model::{Digest, Instant};
use tokio::sync::Semaphore;
use tracing::Instrument as _;
use wasmtime::Engine;

use crate::active::Bound;
use crate::call::{self, Ended, Input, Place};
use crate::capability::http::{Client, Outgoing};
use crate::failure::failure;
use crate::figures::outcome;
use crate::guest::Circumstances;
use crate::lane::Lane;
use crate::options::{Options, Secrets};
use crate::runtime::Ticker;

/// Makes calls.
pub(crate) struct Caller {
    engine: Engine,
    ticker: Ticker,
    client: Arc<Client>,
    secrets: Secrets,
    /// Room for calls of any kind, and for those of integrations, which may take long: they never
    /// have all of it.
    room: Semaphore,
    room_for_integrations: Semaphore,
    lane: Lane,
    breakers: bool,
}

/// A call and what came of it.
pub(crate) struct Performed {
    /// Who was asked; none where nobody was.
    pub(crate) component: Option<Digest>,
    pub(crate) ended: Ended,
    pub(crate) micros: u64,
    /// Why it is no use to ask this version again, once it is.
    pub(crate) hopeless: Option<String>,
}

impl Performed {
    /// Nobody was asked.
    pub(crate) fn nobody(kind: FailureKind, message: String) -> Self {
        Self {
            component: None,
            ended: Ended::without(failure(kind, message)),
            micros: 0,
            hopeless: None,
        }
    }
}

impl Caller {
    pub(crate) fn new(engine: &Engine, ticker: Ticker, client: Client, options: &Options) -> Self {
        let calls = options.concurrent_calls.max(2) as usize;
        Self {
            engine: engine.clone(),
            ticker,
            client: Arc::new(client),
            secrets: Arc::clone(&options.secrets),
            room: Semaphore::new(calls - calls / 2),
            room_for_integrations: Semaphore::new(calls / 2),
            lane: Lane::new(),
            breakers: options.breakers,
        }
    }

    pub(crate) fn place<'a>(&'a self, bound: &'a Bound, hook: Hook) -> Place<'a> {
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

    pub(crate) fn circumstances(
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
            Arc::clone(&self.secrets),
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

    /// Makes one call, tells of it in a span and in the figures, and minds the circuit breaker.
    pub(crate) async fn perform(
        &self,
        bound: &Arc<Bound>,
        hook: Hook,
        call: &Call,
        around: Arc<dyn Surroundings>,
        input: Input<'_>,
    ) -> Performed {
        let started = Clock::now();
        let (Some(template), Some(in_use)) = (bound.loaded.template(hook), bound.in_use(hook))
        else {
            let (binding, hook) = (&bound.id, hook.as_str());
            let message = format!("the binding `{binding}` is not used for {hook}");
            return Performed::nobody(FailureKind::Missing, message);
        };
        let span = tracing::info_span!(
            "plugin call",
            plugin = bound.id.as_str(),
            component = bound.digest_text,
            hook = hook.as_str(),
            attempt = i64::from(call.attempt),
            micros = tracing::field::Empty,
            cpu_micros = tracing::field::Empty,
            memory_bytes = tracing::field::Empty,
            outcome = tracing::field::Empty,
        );
        let (ended, hopeless, is_asked) = match in_use.breaker.permit() {
            Err(failure) => (Ended::without(failure), None, false),
            Ok(permit) => {
                let circumstances = self.circumstances(bound, hook, call.now, call.seed, around);
                let place = self.place(bound, hook);
                let ended = call::run(place, template, circumstances, call, input)
                    .instrument(span.clone())
                    .await;
                let hopeless = if self.breakers {
                    permit.done(ended.failure())
                } else {
                    None
                };
                (ended, hopeless, true)
            }
        };
        let micros = u64::try_from(started.elapsed().as_micros()).unwrap_or(u64::MAX);
        in_use.figures.count(micros, ended.failure());
        tell(&span, micros, &ended);
        if let Some(failure) = ended.failure() {
            let message = format!("no answer: {}", failure.message);
            bound.lines.add("warn", hook, &message);
        }
        Performed {
            component: is_asked.then_some(bound.digest),
            ended,
            micros,
            hopeless,
        }
    }
}

/// Says in the span how the call went. Numbers are signed: OpenTelemetry has no others, and takes those
/// for texts.
fn tell(span: &tracing::Span, micros: u64, ended: &Ended) {
    tracing::record_all!(
        span,
        micros = micros.cast_signed(),
        cpu_micros = ended.used.cpu_micros.cast_signed(),
        memory_bytes = ended.used.memory_bytes.cast_signed(),
        outcome = outcome(ended.failure())
    );
    if let Some(Failure { kind, message, .. }) = ended.failure() {
        span.in_scope(|| tracing::warn!(?kind, message, "a plugin gave no answer"));
    }
}
