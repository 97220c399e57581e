//! Who is on call, the schedules of rotas, and the overrides by which people arrange them.

use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use engine::{OnCallQuery, ScheduleQuery};
use http::StatusCode;
use model::Duration;
use model::id::{DirectoryId, ShiftId};
use model::rota::Shift;
use tracing::Instrument as _;
use utoipa::openapi::path::HttpMethod::{Delete, Get, Put};

use super::{Route, json};
use crate::api::finished;
use crate::ask::{Asked, At, Change};
use crate::auth::Caller;
use crate::wire::on_call::{NewOverride, OnCallNow, Override, Schedule, Span};
use crate::wire::query;
use crate::{Api, Code, Problem};

const GROUP: &str = "on-call";
/// How much of a schedule is told where the query does not say.
const USUAL: Duration = Duration::from_secs(28 * 86_400);

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::new(Get, "/api/v1/on-call", now)
            .named("readOnCall", GROUP, "Who is on call, at any instant")
            .query::<query::OnCall>()
            .answers::<OnCallNow<'_>>(StatusCode::OK, "Who is on call by each rota.")
            .refuses(&[Code::NotFound]),
        Route::new(Get, "/api/v1/rotas/{id}/schedule", schedule)
            .named("readSchedule", GROUP, "Read a part of a rota's schedule")
            .query::<query::Schedule>()
            .answers::<Schedule<'_>>(StatusCode::OK, "Who is on call when.")
            .refuses(&[Code::NotFound, Code::Invalid]),
        Route::new(Put, "/api/v1/rotas/{id}/overrides/{override}", put_override)
            .named(
                "putOverride",
                GROUP,
                "Put somebody on call for a while, or take time over yourself",
            )
            .takes::<NewOverride>()
            .answers::<Override>(StatusCode::OK, "The override.")
            .refuses(&[Code::Forbidden, Code::NotFound, Code::NotPossible]),
        Route::new(
            Delete,
            "/api/v1/rotas/{id}/overrides/{override}",
            remove_override,
        )
        .named(
            "deleteOverride",
            GROUP,
            "Take an override away, or give back what you took over",
        )
        .answers_empty(StatusCode::NO_CONTENT, "It is removed, or was not there.")
        .refuses(&[Code::Forbidden, Code::NotFound]),
    ]
}

async fn now(
    State(api): State<Api>,
    caller: Caller,
    Asked(asked): Asked<query::OnCall>,
) -> Result<Response, Problem> {
    let at = asked.at.unwrap_or_else(|| api.engine().now());
    let query = OnCallQuery {
        team: asked.team,
        rota: asked.rota,
        after: asked.cursor,
        limit: asked.limit.0,
    };
    let (duties, next) = api
        .read(move |engine| engine.on_call(&caller.actor, at, &query))
        .await?;
    Ok(json(StatusCode::OK, &OnCallNow::of(at, &duties, next)))
}

async fn schedule(
    State(api): State<Api>,
    caller: Caller,
    At(rota): At<DirectoryId>,
    Asked(asked): Asked<query::Schedule>,
) -> Result<Response, Problem> {
    let query = stretch(&api, asked);
    let (from, to) = (query.from, query.to);
    let of = rota.clone();
    let found = api
        .read(move |engine| engine.schedule(&caller.actor, &of, &query))
        .await?;
    let told = Schedule {
        rota: &rota,
        title: found.title.as_deref(),
        team: &found.team,
        from,
        to,
        spans: found.spans.iter().map(Span::from).collect(),
    };
    Ok(json(StatusCode::OK, &told))
}

/// Lays an override. Once begun it is finished, even if nobody waits for it any more.
async fn put_override(
    State(api): State<Api>,
    At((rota, id)): At<(DirectoryId, ShiftId)>,
    change: Change<NewOverride>,
) -> Result<Response, Problem> {
    let (change, asked) = change.take();
    let actor = change.caller.actor;
    let person = asked.person.or_else(|| actor.person().cloned());
    let person = person.ok_or_else(|| Problem::fault("/person", "say who is on call then"))?;
    let shift = Shift {
        from: asked.from,
        to: asked.to,
        person,
        taken: false,
    };
    let engine = api.engine().clone();
    let work = async move { engine.put_override(&actor, &rota, &id, shift).await };
    let shift = finished(tokio::spawn(work.in_current_span()).await)??;
    Ok(json(StatusCode::OK, &Override::from(shift)))
}

async fn remove_override(
    State(api): State<Api>,
    caller: Caller,
    At((rota, id)): At<(DirectoryId, ShiftId)>,
) -> Result<Response, Problem> {
    let engine = api.engine().clone();
    let work = async move { engine.remove_override(&caller.actor, &rota, &id).await };
    finished(tokio::spawn(work.in_current_span()).await)??;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// The stretch that is asked for, where the query does not say from now.
pub(super) fn stretch(api: &Api, asked: query::Schedule) -> ScheduleQuery {
    let from = asked.from.unwrap_or_else(|| api.engine().now());
    ScheduleQuery {
        from,
        to: asked.to.unwrap_or_else(|| from.saturating_add(USUAL)),
        layer: asked.layer,
        person: asked.person,
    }
}
