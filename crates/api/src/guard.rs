//! What every request goes through before its handler: a span, the limits that protect the server,
//! who asks, and how often. And after it: a panic becomes an answer, and the span says how it ended.

use std::any::Any;
use std::panic::AssertUnwindSafe;
use std::time::{Duration, Instant};

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use futures::FutureExt as _;
use http::{HeaderValue, header};
use tracing::{Instrument as _, Span, field};

use crate::routes::{Access, Route};
use crate::{Api, Code, Problem, auth, vote_page};

/// Why nothing but health is answered.
pub(crate) const NOT_READY: &str =
    "the server is starting, or cannot reach its data; its log says which";

/// What the guard knows of the route that it stands before.
#[derive(Clone)]
pub(crate) struct Gate {
    api: Api,
    access: Access,
    path: &'static str,
}

impl Gate {
    pub(crate) fn new(api: Api, route: &Route) -> Self {
        Self {
            api,
            access: route.access(),
            path: route.path(),
        }
    }
}

/// The guard.
pub(crate) async fn guard(State(gate): State<Gate>, request: Request, next: Next) -> Response {
    let started = Instant::now();
    let access = gate.access;
    // Who holds a link can vote by it: its address is nobody else's to read.
    let path = match access {
        Access::Link => gate.path,
        _ => request.uri().path(),
    };
    let span = tracing::info_span!(
        "request",
        otel.name = field::Empty,
        otel.kind = "server",
        http.request.method = request.method().as_str(),
        http.route = gate.path,
        url.path = path,
        http.response.status_code = field::Empty,
        enduser.id = field::Empty,
    );
    if !span.is_disabled() {
        span.record("otel.name", format!("{} {}", request.method(), gate.path));
        if let Some(trace) = gate.api.trace() {
            trace(&span, request.headers());
        }
    }
    let answered = AssertUnwindSafe(admitted(gate, request, next)).catch_unwind();
    async move {
        let mut response = match answered.await {
            Ok(Ok(response)) => response,
            Ok(Err(problem)) => refusal(access, problem),
            Err(panic) => {
                tracing::error!(message = said(panic.as_ref()), "a handler panicked");
                refusal(access, Problem::internal())
            }
        };
        let status = response.status();
        Span::current().record("http.response.status_code", status.as_u16());
        let latency_us = u64::try_from(started.elapsed().as_micros()).unwrap_or(u64::MAX);
        if status.is_server_error() {
            tracing::warn!(
                status = status.as_u16(),
                latency_us,
                "a request was not served"
            );
        } else {
            tracing::debug!(status = status.as_u16(), latency_us, "answered");
        }
        let headers = response.headers_mut();
        headers.insert(
            header::X_CONTENT_TYPE_OPTIONS,
            HeaderValue::from_static("nosniff"),
        );
        // What an actor may see is nobody else's, and changes.
        headers
            .entry(header::CACHE_CONTROL)
            .or_insert(HeaderValue::from_static("no-store"));
        response
    }
    .instrument(span)
    .await
}

/// The answer of the handler, where the request may come to it.
async fn admitted(gate: Gate, mut request: Request, next: Next) -> Result<Response, Problem> {
    let Gate { api, access, .. } = gate;
    if access == Access::Anyone {
        return Ok(next.run(request).await);
    }
    let _permit = api.places(access).try_acquire().map_err(|_| {
        Problem::new(
            Code::Overloaded,
            "as many requests are under way as the server takes at once",
        )
        .retry_after(Duration::from_secs(1))
    })?;
    if !api.engine().is_ready() {
        let detail = NOT_READY;
        return Err(Problem::new(Code::Unavailable, detail).retry_after(Duration::from_secs(1)));
    }
    if access == Access::Token {
        let caller = auth::identify(api.engine(), request.headers())?;
        let id = caller.actor.id();
        Span::current().record("enduser.id", id.as_str());
        api.admit(&id)?;
        request.extensions_mut().insert(caller);
    }
    let timeout = api.limits().timeout;
    tokio::time::timeout(timeout, next.run(request))
        .await
        .map_err(|_| {
            let detail = format!("not done within {timeout:?}");
            Problem::new(Code::Timeout, detail).retry_after(Duration::from_secs(1))
        })
}

/// A refusal as whoever asks can read it: people, who followed a link, on a page.
fn refusal(access: Access, problem: Problem) -> Response {
    match access {
        Access::Link => vote_page::refused(&problem),
        _ => problem.into_response(),
    }
}

/// What a panic said, for the log.
fn said(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("no message")
}
