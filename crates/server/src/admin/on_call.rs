//! Who is on call, as over HTTP, a part at a time.

use anyhow::Result;
use api::wire::on_call::OnCallNow;
use engine::OnCallQuery;
use model::Instant;
use model::command::{Actor, Who};
use serde_json::Value;

use crate::desk::Running;

/// Who is on call at an instant, now without one, by a part of the rotas.
pub(super) async fn told(
    running: &Running,
    at: Option<Instant>,
    query: OnCallQuery,
) -> Result<Value> {
    let engine = running.engine.clone();
    let actor = Actor {
        who: Who::Operator,
        ..Actor::timer()
    };
    let at = at.unwrap_or_else(|| engine.now());
    let asked = move || engine.on_call(&actor, at, &query);
    let (duties, next) = tokio::task::spawn_blocking(asked).await??;
    Ok(serde_json::to_value(OnCallNow::of(at, &duties, next))?)
}
