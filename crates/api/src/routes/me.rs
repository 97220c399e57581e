//! What concerns whoever asks alone: what they prefer.

use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use model::directory::{Key, Thing as ModelThing, kind};
use model::id::{DirectoryId, DirectoryKind};
use tracing::Instrument as _;
use utoipa::openapi::path::HttpMethod::{Get, Put};

use super::{Route, json};
use crate::api::finished;
use crate::ask::Change;
use crate::auth::Caller;
use crate::wire::directory::Thing;
use crate::wire::preference::Preferences;
use crate::{Api, Code, Problem};

const GROUP: &str = "me";

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::new(Get, "/api/v1/me/preferences", read)
            .named("readPreferences", GROUP, "Read what you prefer")
            .answers::<Preferences>(
                StatusCode::OK,
                "What you prefer; empty where that is nothing.",
            ),
        Route::new(Put, "/api/v1/me/preferences", put)
            .named("putPreferences", GROUP, "Say what you prefer")
            .takes::<Preferences>()
            .answers::<Preferences>(StatusCode::OK, "What you prefer now.")
            .refuses(&[Code::Forbidden]),
    ]
}

/// Where the directory keeps what a caller prefers.
fn key(caller: &Caller) -> Result<Key, Problem> {
    let id = caller.actor.id();
    let kind = DirectoryKind::new(kind::PREFERENCE);
    match (kind, DirectoryId::new(id.as_str())) {
        (Ok(kind), Ok(id)) => Ok(Key { kind, id }),
        _ => Err(Problem::not_found("person", id.as_str())),
    }
}

async fn read(State(api): State<Api>, caller: Caller) -> Result<Response, Problem> {
    let found = api.engine().thing(&caller.actor, &key(&caller)?)?;
    let found = found.unwrap_or_default();
    Ok(json(StatusCode::OK, &Thing(&found)))
}

/// Keeps them. Once begun it is finished, even if nobody waits for it any more.
async fn put(State(api): State<Api>, change: Change<Preferences>) -> Result<Response, Problem> {
    let (change, preferences) = change.take();
    let caller = change.caller;
    let (key, thing) = (key(&caller)?, preferences.to_thing());
    let engine = api.engine().clone();
    let kept: ModelThing = thing.clone();
    let work = async move { engine.put_thing(&caller.actor, key, Some(thing)).await };
    finished(tokio::spawn(work.in_current_span()).await)??;
    Ok(json(StatusCode::OK, &Thing(&kept)))
}
