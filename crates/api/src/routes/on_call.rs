//! Who is on call, and the schedules of rotas.

use axum::extract::State;
use axum::response::Response;
use engine::{OnCallQuery, ScheduleQuery};
use http::StatusCode;
use model::Duration;
use model::id::DirectoryId;
use utoipa::openapi::path::HttpMethod::Get;

use super::{Route, json};
use crate::ask::{Asked, At};
use crate::auth::Caller;
use crate::wire::on_call::{OnCallNow, Schedule, Span};
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
