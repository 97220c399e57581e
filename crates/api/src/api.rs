//! What the handlers share: the engine, the limits, the sign to stop; and the router over it.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use engine::Engine;
use http::HeaderMap;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tracing::Span;

use crate::rate::Rate;
use crate::routes::Access;
use crate::{Code, Problem, guard, routes};

/// Called with the span of each request before it is entered, and the request's headers, so that
/// the server can join it to the trace of whoever asked.
pub type Trace = Arc<dyn Fn(&Span, &HeaderMap) + Send + Sync>;

/// What one request, one actor and all together may take. Whatever goes past a limit is refused
/// with words that name it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The most bytes of a body.
    pub body_bytes: usize,
    /// How deep lists and objects of a body may nest.
    pub json_depth: usize,
    /// The most items of one list, and members of one object, of a body.
    pub json_items: usize,
    /// How long a request may take until its answer begins.
    pub timeout: Duration,
    /// How many requests may be under way at once.
    pub concurrent_requests: usize,
    /// How many of those that come without a token, to the addresses of bindings and to links, may be
    /// under way at once, beside the others.
    pub concurrent_hooks: usize,
    /// How many event streams may be open at once.
    pub streams: usize,
    /// How many requests a second one actor, or one binding's address, may make; none is any number.
    pub requests_per_second: Option<NonZeroU32>,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            body_bytes: 1024 * 1024,
            json_depth: 32,
            json_items: 10_000,
            timeout: Duration::from_secs(30),
            concurrent_requests: 1024,
            concurrent_hooks: 256,
            streams: 1024,
            requests_per_second: NonZeroU32::new(10_000),
        }
    }
}

/// What the handlers share. Clones share it.
#[derive(Clone)]
pub struct Api(Arc<Shared>);

struct Shared {
    engine: Engine,
    limits: Limits,
    stop: CancellationToken,
    trace: Option<Trace>,
    requests: Semaphore,
    hooks: Semaphore,
    streams: Arc<Semaphore>,
    rate: Option<Rate>,
}

impl Api {
    /// The interface to this engine. Once `stop` is cancelled, event streams end and the server says
    /// that it is not ready; requests under way are finished.
    pub fn new(
        engine: Engine,
        limits: Limits,
        stop: CancellationToken,
        trace: Option<Trace>,
    ) -> Self {
        Self(Arc::new(Shared {
            requests: Semaphore::new(limits.concurrent_requests.min(Semaphore::MAX_PERMITS)),
            hooks: Semaphore::new(limits.concurrent_hooks.min(Semaphore::MAX_PERMITS)),
            streams: Arc::new(Semaphore::new(limits.streams.min(Semaphore::MAX_PERMITS))),
            rate: limits.requests_per_second.map(Rate::per_second),
            engine,
            limits,
            stop,
            trace,
        }))
    }

    pub(crate) fn engine(&self) -> &Engine {
        &self.0.engine
    }

    pub(crate) fn limits(&self) -> &Limits {
        &self.0.limits
    }

    pub(crate) fn stop(&self) -> &CancellationToken {
        &self.0.stop
    }

    pub(crate) fn trace(&self) -> Option<&Trace> {
        self.0.trace.as_ref()
    }

    /// The places of requests under way. Strangers take none from those who have a token.
    pub(crate) fn places(&self, access: Access) -> &Semaphore {
        match access {
            Access::Binding | Access::Link => &self.0.hooks,
            Access::Anyone | Access::Token => &self.0.requests,
        }
    }

    pub(crate) fn streams(&self) -> &Arc<Semaphore> {
        &self.0.streams
    }

    /// Counts a request of this caller.
    pub(crate) fn admit(&self, caller: &str) -> Result<(), Problem> {
        let Some(rate) = &self.0.rate else {
            return Ok(());
        };
        rate.admit(caller, std::time::Instant::now())
            .map_err(|wait| {
                Problem::new(
                    Code::TooManyRequests,
                    "more requests a second than one actor may make",
                )
                .retry_after(wait)
            })
    }

    /// Reads from the engine, off the threads that serve connections: what takes more than a look
    /// at one record may take a while.
    pub(crate) async fn read<T: Send + 'static>(
        &self,
        read: impl FnOnce(&Engine) -> Result<T, engine::EngineError> + Send + 'static,
    ) -> Result<T, Problem> {
        let engine = self.engine().clone();
        let span = Span::current();
        let reading = tokio::task::spawn_blocking(move || span.in_scope(|| read(&engine)));
        Ok(finished(reading.await)??)
    }
}

/// What a task came to. A panic goes on in whoever waited for it.
pub(crate) fn finished<T>(result: Result<T, tokio::task::JoinError>) -> Result<T, Problem> {
    result.map_err(|error| match error.try_into_panic() {
        Ok(panic) => std::panic::resume_unwind(panic),
        Err(_) => Problem::new(Code::Unavailable, "the server is ending"),
    })
}

/// All routes over this state.
pub fn router(api: Api) -> Router {
    let mut router = Router::new();
    for route in routes::all() {
        for path in route.paths() {
            let gate = guard::Gate::new(api.clone(), &route);
            let layer = axum::middleware::from_fn_with_state(gate, guard::guard);
            router = router.route(path, route.handler().route_layer(layer));
        }
    }
    router
        .fallback(async || Problem::new(Code::NotFound, "there is nothing at this address"))
        .method_not_allowed_fallback(async |method: http::Method| {
            Problem::new(
                Code::MethodNotAllowed,
                format!("this address does not know {method}"),
            )
        })
        .with_state(api)
}
