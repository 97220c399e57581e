//! Effects that were given up: what they are, and trying them again.

use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use model::command::Action;
use utoipa::openapi::path::HttpMethod::{Get, Post};

use super::{Route, json};
use crate::ask::{Asked, At, Change};
use crate::auth::Caller;
use crate::wire::command::Nothing;
use crate::wire::effect::{Effect, Effects};
use crate::wire::query::{self, EffectId};
use crate::{Api, Code, Problem};

const GROUP: &str = "effects";

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::new(Get, "/api/v1/effects", list)
            .named("listEffects", GROUP, "List the effects that were given up")
            .query::<query::Effects>()
            .answers::<Effects<'_>>(StatusCode::OK, "A part of the list.")
            .refuses(&[Code::Forbidden]),
        Route::new(Post, "/api/v1/effects/{id}/redrive", redrive)
            .named(
                "redriveEffect",
                GROUP,
                "Try an effect again that was given up",
            )
            .once()
            .answers::<Effect<'_>>(StatusCode::OK, "The effect, which is tried at once.")
            .refuses(&[Code::Forbidden, Code::NotFound, Code::NotPossible]),
    ]
}

async fn list(
    State(api): State<Api>,
    caller: Caller,
    Asked(asked): Asked<query::Effects>,
) -> Result<Response, Problem> {
    let limit = asked.limit.0;
    let after = asked.cursor.map(|EffectId(record, key)| (record, key));
    let dead = api
        .read(move |engine| engine.effects_dead(&caller.actor, after, limit))
        .await?;
    let next = if dead.len() < limit {
        None
    } else {
        dead.last()
    };
    let body = Effects {
        next: next.map(|(record, key, _)| EffectId(record.clone(), *key).to_string()),
        effects: dead
            .iter()
            .map(|(record, key, effect)| Effect::new(record, *key, effect))
            .collect(),
    };
    Ok(json(StatusCode::OK, &body))
}

async fn redrive(
    State(api): State<Api>,
    At(EffectId(record, effect)): At<EffectId>,
    change: Change<Nothing>,
) -> Result<Response, Problem> {
    let (change, Nothing {}) = change.take();
    let executed = change
        .execute(&api, Some(record), Action::Redrive { effect })
        .await?;
    let record = &executed.record;
    let pending = record.effects.get(&effect);
    let pending = pending.ok_or_else(|| Problem::not_found("effect", &effect.to_string()))?;
    Ok(json(
        StatusCode::OK,
        &Effect::new(&record.id, effect, pending),
    ))
}
