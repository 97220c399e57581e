//! The directory: people, organisations, contracts, services, the members of teams.

use axum::extract::{Request, State};
use axum::response::{IntoResponse as _, Response};
use http::StatusCode;
use model::directory::{Key, Thing as ModelThing};
use model::id::{DirectoryId, DirectoryKind};
use serde_json::Value;
use tracing::Instrument as _;
use utoipa::openapi::path::HttpMethod::{Delete, Get, Put};

use super::{Route, json};
use crate::api::finished;
use crate::ask::{Asked, At, value};
use crate::auth::Caller;
use crate::wire::directory::{ListedThing, Thing, Things};
use crate::wire::query;
use crate::{Api, Code, Problem};

const GROUP: &str = "directory";

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::new(Get, "/api/v1/directory/{kind}", list)
            .named("listThings", GROUP, "List the things of a kind")
            .query::<query::Things>()
            .answers::<Things<'_>>(StatusCode::OK, "A part of the list.")
            .refuses(&[Code::Forbidden, Code::NotFound]),
        Route::new(Get, "/api/v1/directory/{kind}/{id}", read)
            .named("readThing", GROUP, "Read a thing")
            .answers::<Thing<'_>>(StatusCode::OK, "Its attributes.")
            .refuses(&[Code::Forbidden, Code::NotFound]),
        Route::new(Put, "/api/v1/directory/{kind}/{id}", put)
            .named("putThing", GROUP, "Add a thing, or replace its attributes")
            .takes::<Thing<'_>>()
            .answers::<Thing<'_>>(StatusCode::OK, "Its attributes.")
            .refuses(&[Code::Forbidden, Code::NotFound]),
        Route::new(Delete, "/api/v1/directory/{kind}/{id}", delete)
            .named("deleteThing", GROUP, "Remove a thing")
            .answers_empty(StatusCode::NO_CONTENT, "It is removed, or was not there.")
            .refuses(&[Code::Forbidden, Code::NotFound]),
    ]
}

async fn list(
    State(api): State<Api>,
    caller: Caller,
    At(kind): At<DirectoryKind>,
    Asked(asked): Asked<query::Things>,
) -> Result<Response, Problem> {
    let limit = asked.limit.0;
    let of = kind.clone();
    let things = api
        .read(move |engine| engine.things(&caller.actor, &of, asked.cursor.as_ref(), limit))
        .await?;
    let next = if things.len() < limit {
        None
    } else {
        things.last().map(|(id, _)| id.to_string())
    };
    let things = things
        .iter()
        .map(|(id, thing)| ListedThing {
            id,
            attributes: Thing(thing),
        })
        .collect();
    Ok(json(
        StatusCode::OK,
        &Things {
            kind: &kind,
            things,
            next,
        },
    ))
}

async fn read(
    State(api): State<Api>,
    caller: Caller,
    At((kind, id)): At<(DirectoryKind, DirectoryId)>,
) -> Result<Response, Problem> {
    let key = Key { kind, id };
    match api.engine().thing(&caller.actor, &key)? {
        Some(thing) => Ok(json(StatusCode::OK, &Thing(&thing))),
        None => Err(Problem::not_found(key.kind.as_str(), key.id.as_str())),
    }
}

async fn put(
    State(api): State<Api>,
    caller: Caller,
    At((kind, id)): At<(DirectoryKind, DirectoryId)>,
    request: Request,
) -> Result<Response, Problem> {
    let (parts, body) = request.into_parts();
    let Value::Object(attributes) = value(&api, &parts, body).await? else {
        return Err(Problem::fault(
            "",
            "the attributes of a thing are a JSON object",
        ));
    };
    let thing = ModelThing(attributes);
    change(&api, caller, Key { kind, id }, Some(thing.clone())).await?;
    Ok(json(StatusCode::OK, &Thing(&thing)))
}

async fn delete(
    State(api): State<Api>,
    caller: Caller,
    At((kind, id)): At<(DirectoryKind, DirectoryId)>,
) -> Result<Response, Problem> {
    change(&api, caller, Key { kind, id }, None).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// Makes the change. Once begun it is finished, even if nobody waits for it any more.
async fn change(
    api: &Api,
    caller: Caller,
    key: Key,
    thing: Option<ModelThing>,
) -> Result<(), Problem> {
    let engine = api.engine().clone();
    let work = async move { engine.put_thing(&caller.actor, key, thing).await };
    finished(tokio::spawn(work.in_current_span()).await)??;
    Ok(())
}
