//! The inbox of whoever asks: what they were told, and what of it they have read. Nobody has another
//! person's.

use axum::extract::State;
use axum::response::Response;
use engine::InboxQuery;
use http::StatusCode;
use tracing::Instrument as _;
use utoipa::openapi::path::HttpMethod::{Get, Post};

use super::{Route, json};
use crate::api::finished;
use crate::ask::{Asked, Change};
use crate::auth::Caller;
use crate::wire::inbox::{Inbox, ReadNotices, Unread};
use crate::wire::query::{self, NoticeId};
use crate::{Api, Problem};

const GROUP: &str = "inbox";

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::new(Get, "/api/v1/inbox", list)
            .named("listInbox", GROUP, "List what you were told")
            .query::<query::Inbox>()
            .answers::<Inbox<'_>>(StatusCode::OK, "A part of the inbox."),
        Route::new(Post, "/api/v1/inbox/read", read)
            .named("readInbox", GROUP, "Mark what you were told as read")
            .takes::<ReadNotices>()
            .answers::<Unread>(StatusCode::OK, "What is left to read."),
    ]
}

async fn list(
    State(api): State<Api>,
    caller: Caller,
    Asked(asked): Asked<query::Inbox>,
) -> Result<Response, Problem> {
    let query = InboxQuery {
        unread: asked.unread,
        record: asked.record,
        before: asked.cursor.map(|NoticeId(place)| place),
        limit: asked.limit.0,
    };
    let page = api
        .read(move |engine| engine.inbox(&caller.actor, &query))
        .await?;
    Ok(json(StatusCode::OK, &Inbox::from(&page)))
}

/// Marks. Once begun it is finished, even if nobody waits for it any more.
async fn read(State(api): State<Api>, change: Change<ReadNotices>) -> Result<Response, Problem> {
    let (change, body) = change.take();
    let actor = change.caller.actor;
    let through = body.through.map(|NoticeId(place)| place);
    let items: Vec<_> = body.items.iter().map(|NoticeId(place)| *place).collect();
    let engine = api.engine().clone();
    let work = async move { engine.mark_read(&actor, through, &items).await };
    let unread = finished(tokio::spawn(work.in_current_span()).await)??;
    Ok(json(StatusCode::OK, &Unread { unread }))
}
