//! Digests that were given up: whose they are, and trying them again.

use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use model::id::PersonId;
use tracing::Instrument as _;
use utoipa::openapi::path::HttpMethod::{Get, Post};

use super::{Route, json};
use crate::api::finished;
use crate::ask::{Asked, At};
use crate::auth::Caller;
use crate::wire::digest::{Digest, Digests};
use crate::wire::query;
use crate::{Api, Code, Problem};

const GROUP: &str = "effects";

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::new(Get, "/api/v1/digests", list)
            .named("listDigests", GROUP, "List the digests that were given up")
            .query::<query::Digests>()
            .answers::<Digests<'_>>(StatusCode::OK, "A part of the list.")
            .refuses(&[Code::Forbidden]),
        Route::new(Post, "/api/v1/digests/{person}/redrive", redrive)
            .named(
                "redriveDigests",
                GROUP,
                "Try a person's digests again that were given up",
            )
            .answers::<Digests<'_>>(
                StatusCode::OK,
                "As they were given up: they are tried again within a minute.",
            )
            .refuses(&[Code::Forbidden, Code::NotFound]),
    ]
}

async fn list(
    State(api): State<Api>,
    caller: Caller,
    Asked(asked): Asked<query::Digests>,
) -> Result<Response, Problem> {
    let limit = asked.limit.0;
    let (given_up, next) = api
        .read(move |engine| engine.digests_given_up(&caller.actor, asked.cursor.as_ref(), limit))
        .await?;
    let digests = given_up.iter().map(Digest::from).collect();
    Ok(json(StatusCode::OK, &Digests { digests, next }))
}

/// Has them tried again. Once begun it is finished, even if nobody waits for it any more.
async fn redrive(
    State(api): State<Api>,
    caller: Caller,
    At(person): At<PersonId>,
) -> Result<Response, Problem> {
    let engine = api.engine().clone();
    let work = async move { engine.redrive_digests(&caller.actor, &person).await };
    let again = finished(tokio::spawn(work.in_current_span()).await)??;
    let digests = again.iter().map(Digest::from).collect();
    let next = None;
    Ok(json(StatusCode::OK, &Digests { digests, next }))
}
