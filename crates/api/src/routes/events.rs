//! The event stream: server-sent events, each `CloudEvents` JSON, resumable from any position of
//! the journal. A stream reads only as fast as its client, and ends when its token does.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::time::{Duration, Instant};

use axum::extract::State;
use axum::response::sse::Event;
use axum::response::{IntoResponse as _, Response, Sse};
use futures::stream;
use http::{HeaderMap, HeaderName, StatusCode};
use serde_json::Value;
use tokio::sync::{OwnedSemaphorePermit, watch};
use utoipa::ToSchema;
use utoipa::openapi::path::HttpMethod::Get;

use super::Route;
use crate::ask::Asked;
use crate::auth::{Caller, recognise};
use crate::wire::query;
use crate::{Api, Code, Problem, tag};

/// The header in which a client says how far it came.
const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");
/// Events read at once.
const BATCH: usize = 100;
/// How long a stream is silent before it shows that it still lives.
const KEEP_ALIVE: Duration = Duration::from_secs(15);
/// How long an actor's rights are taken as they were.
const RIGHTS_HOLD: Duration = Duration::from_secs(10);

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::new(Get, "/api/v1/events", events)
            .named(
                "readEvents",
                "events",
                "Hear of what happens to records that the actor may see",
            )
            .query::<query::Events>()
            .header(
                "Last-Event-ID",
                "The `id` of the last event that the client has; the stream goes on after it.",
            )
            .answers_as::<EventStream>(
                StatusCode::OK,
                "text/event-stream",
                "The stream: `id` is the position, `event` the type, `data` a CloudEvent.",
            )
            .refuses(&[Code::Overloaded]),
    ]
}

/// Server-sent events, each with a `CloudEvents` JSON as its data.
#[derive(ToSchema)]
#[expect(dead_code, reason = "it is there for its schema")]
struct EventStream(String);

async fn events(
    State(api): State<Api>,
    caller: Caller,
    Asked(asked): Asked<query::Events>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let last = tag::one(&headers, &LAST_EVENT_ID)?.filter(|last| !last.is_empty());
    let last = last.map(|last| {
        last.parse()
            .map_err(|_| Problem::new(Code::Malformed, "`Last-Event-ID` is the `id` of an event"))
    });
    let positions = api.engine().positions();
    let after = last
        .transpose()?
        .or(asked.after)
        .unwrap_or_else(|| *positions.borrow());
    let permit = api.streams().clone().try_acquire_owned().map_err(|_| {
        Problem::new(
            Code::Overloaded,
            "as many event streams are open as the server takes",
        )
        .retry_after(Duration::from_secs(5))
    })?;
    let tail = Tail {
        api,
        caller,
        recognised_at: Instant::now(),
        after,
        waiting: VecDeque::new(),
        is_behind: false,
        positions,
        _permit: permit,
    };
    let stream = stream::unfold(tail, async |mut tail| {
        let event = tail.next().await?;
        Some((Ok::<_, Infallible>(event), tail))
    });
    Ok(Sse::new(stream).into_response())
}

/// A stream under way.
struct Tail {
    api: Api,
    caller: Caller,
    recognised_at: Instant,
    /// The position up to which the journal was read.
    after: u64,
    /// What was read and not yet sent.
    waiting: VecDeque<Event>,
    /// Whether the client knows of an earlier position only, for want of events that it may see.
    is_behind: bool,
    positions: watch::Receiver<u64>,
    _permit: OwnedSemaphorePermit,
}

impl Tail {
    /// The next thing to send; none where the stream ends.
    async fn next(&mut self) -> Option<Event> {
        loop {
            if let Some(event) = self.waiting.pop_front() {
                return Some(event);
            }
            if self.api.stop().is_cancelled() {
                return None;
            }
            self.positions.borrow_and_update();
            let reached = self.after;
            self.read().await.ok()?;
            if self.after > reached {
                continue;
            }
            if self.is_behind {
                self.is_behind = false;
                // An event without data is not shown by clients; they take its id for the last one.
                return Some(Event::default().id(self.after.to_string()));
            }
            tokio::select! {
                changed = self.positions.changed() => changed.ok()?,
                () = self.api.stop().cancelled() => return None,
                () = tokio::time::sleep(KEEP_ALIVE) => return Some(Event::default().comment("")),
            }
        }
    }

    /// Reads on in the journal.
    async fn read(&mut self) -> Result<(), Problem> {
        if self.recognised_at.elapsed() > RIGHTS_HOLD {
            self.caller = recognise(self.api.engine(), self.caller.secret)?;
            self.recognised_at = Instant::now();
        }
        let (actor, after) = (self.caller.actor.clone(), self.after);
        let (events, reached) = self
            .api
            .read(move |engine| engine.events(&actor, after, BATCH))
            .await?;
        self.is_behind = match events.last() {
            Some((position, _)) => *position < reached,
            None => self.is_behind || reached > after,
        };
        self.after = reached;
        self.waiting.extend(
            events
                .iter()
                .map(|(position, event)| shown(*position, event)),
        );
        Ok(())
    }
}

fn shown(position: u64, event: &Value) -> Event {
    let shown = Event::default()
        .id(position.to_string())
        .data(event.to_string());
    match event["type"].as_str() {
        Some(kind) => shown.event(kind),
        None => shown,
    }
}
