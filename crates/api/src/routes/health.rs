//! Whether the server lives, and whether it is ready for requests.

use std::time::Duration;

use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use model::Instant;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa::openapi::path::HttpMethod::Get;

use super::{Access, Route, json};
use crate::guard::NOT_READY;
use crate::{Api, Code, Problem};

const GROUP: &str = "health";

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::new(Get, "/health/live", live)
            .named("isLive", GROUP, "Whether the server lives")
            .open_to(Access::Anyone)
            .also_at(&["/api/v1/health/live"])
            .answers::<Health>(StatusCode::OK, "It does."),
        Route::new(Get, "/health/ready", ready)
            .named("isReady", GROUP, "Whether the server is ready for requests")
            .open_to(Access::Anyone)
            .also_at(&["/api/v1/health/ready"])
            .answers::<Health>(StatusCode::OK, "It is.")
            .refuses(&[Code::Unavailable]),
    ]
}

/// How the server is.
#[derive(Serialize, ToSchema)]
struct Health {
    /// `live` or `ready`.
    status: &'static str,
    /// Of a server that is ready: what the machine's clock shows, where it has jumped and is not
    /// believed.
    #[serde(skip_serializing_if = "Option::is_none")]
    doubted_clock: Option<DoubtedClock>,
}

/// A machine's clock that has jumped.
#[derive(Serialize, ToSchema)]
struct DoubtedClock {
    /// What it shows.
    #[schema(value_type = String, format = DateTime)]
    shows: Instant,
    /// The time that counts meanwhile: it went on from before the jump.
    #[schema(value_type = String, format = DateTime)]
    counts: Instant,
}

async fn live() -> Response {
    let health = Health {
        status: "live",
        doubted_clock: None,
    };
    json(StatusCode::OK, &health)
}

async fn ready(State(api): State<Api>) -> Result<Response, Problem> {
    let not_yet =
        |detail: &str| Problem::new(Code::Unavailable, detail).retry_after(Duration::from_secs(1));
    if api.stop().is_cancelled() {
        return Err(not_yet("the server is ending"));
    }
    if !api.engine().is_ready() {
        return Err(not_yet(NOT_READY));
    }
    let doubt = api.engine().clock_doubt();
    let health = Health {
        status: "ready",
        doubted_clock: doubt.map(|doubt| DoubtedClock {
            shows: doubt.wall,
            counts: doubt.trusted,
        }),
    };
    Ok(json(StatusCode::OK, &health))
}
