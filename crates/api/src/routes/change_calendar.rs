//! The change calendar: what is planned, what a record's window meets, and when the next one is free.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use engine::{CalendarQuery, FreeQuery, Planned};
use http::{HeaderValue, StatusCode, header};
use icalendar::Written;
use model::Duration;
use model::id::RecordId;
use utoipa::openapi::path::HttpMethod::Get;

use super::on_call_files::CALENDAR;
use super::{Route, json};
use crate::ask::{Asked, At};
use crate::auth::Caller;
use crate::wire::query;
use crate::wire::window::{Calendar, FreeWindow, OfRecord};
use crate::{Api, Code, Problem};

const GROUP: &str = "change-calendar";
/// How much of it is told where the query does not say.
const USUAL: Duration = Duration::from_secs(28 * 86_400);

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::new(Get, "/api/v1/change-calendar", read)
            .named(
                "readChangeCalendar",
                GROUP,
                "Read a part of the change calendar",
            )
            .query::<query::ChangeCalendar>()
            .answers::<Calendar<'_>>(StatusCode::OK, "What is planned, and what is frozen.")
            .refuses(&[Code::Invalid]),
        Route::new(Get, "/api/v1/change-calendar.ics", export)
            .named(
                "exportChangeCalendar",
                GROUP,
                "Read a part of the change calendar as iCalendar",
            )
            .query::<query::ChangeCalendar>()
            .answers_as::<String>(
                StatusCode::OK,
                CALENDAR,
                "An event for each window and for each freeze.",
            )
            .refuses(&[Code::Invalid]),
        Route::new(Get, "/api/v1/change-calendar/earliest", earliest)
            .named(
                "findFreeWindow",
                GROUP,
                "Find the earliest window that is free",
            )
            .query::<query::FreeWindow>()
            .answers::<FreeWindow<'_>>(StatusCode::OK, "The window, where there is one.")
            .refuses(&[Code::NotFound, Code::Invalid, Code::NotPossible]),
        Route::new(Get, "/api/v1/records/{id}/window", of_record)
            .named(
                "readWindow",
                GROUP,
                "Read the planned window of a record, and what it meets",
            )
            .answers::<OfRecord<'_>>(StatusCode::OK, "The window, and what speaks against it.")
            .refuses(&[Code::NotFound, Code::NotPossible]),
    ]
}

async fn read(
    State(api): State<Api>,
    caller: Caller,
    Asked(asked): Asked<query::ChangeCalendar>,
) -> Result<Response, Problem> {
    let query = part(&api, asked);
    let (from, to) = (query.from, query.to);
    let found = api
        .read(move |engine| engine.change_calendar(&caller.actor, &query))
        .await?;
    Ok(json(StatusCode::OK, &Calendar::of(from, to, &found)))
}

async fn export(
    State(api): State<Api>,
    caller: Caller,
    Asked(asked): Asked<query::ChangeCalendar>,
) -> Result<Response, Problem> {
    let query = part(&api, asked);
    let now = api.engine().now();
    let found = api
        .read(move |engine| engine.change_calendar(&caller.actor, &query))
        .await?;
    let windows = found.windows.iter().enumerate();
    let windows = windows.map(|(place, planned)| written(place, planned));
    let freezes = found.freezes.iter().map(|freeze| Written {
        uid: format!(
            "{}.{}@freezes.servicewright",
            freeze.from.millis(),
            freeze.freeze
        ),
        summary: format!("Freeze: {}", freeze.freeze),
        description: String::new(),
        from: freeze.from,
        to: freeze.to,
        attendees: Vec::new(),
    });
    let events: Vec<_> = windows.chain(freezes).collect();
    let text = icalendar::write("Change calendar", now, &events);
    let mut response = (StatusCode::OK, text).into_response();
    let kind = HeaderValue::from_static("text/calendar; charset=utf-8");
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    Ok(response)
}

fn written(place: usize, planned: &Planned) -> Written {
    let affects: Vec<_> = planned
        .affects
        .iter()
        .map(|key| format!("{} {}", key.kind, key.id))
        .collect();
    let record = planned.record.as_deref();
    let (uid, summary) = match record {
        Some(record) => (
            record.id.to_string(),
            format!("{} ({})", record.id, record.state),
        ),
        None => (
            format!("{}.{place}", planned.from.millis()),
            "Planned".to_owned(),
        ),
    };
    Written {
        uid: format!("{uid}@windows.servicewright"),
        summary,
        description: affects.join(", "),
        from: planned.from,
        to: planned.to,
        attendees: Vec::new(),
    }
}

async fn earliest(
    State(api): State<Api>,
    caller: Caller,
    Asked(asked): Asked<query::FreeWindow>,
) -> Result<Response, Problem> {
    let query = FreeQuery {
        record: asked.record,
        workflow: asked.workflow,
        affects: asked.affects.0,
        length: asked.length,
        after: asked.after,
        until: asked.until,
    };
    let found = api
        .read(move |engine| engine.earliest_window(&caller.actor, &query))
        .await?;
    Ok(json(StatusCode::OK, &FreeWindow::from(&found)))
}

async fn of_record(
    State(api): State<Api>,
    caller: Caller,
    At(id): At<RecordId>,
) -> Result<Response, Problem> {
    let found = api
        .read(move |engine| engine.window_of(&caller.actor, &id))
        .await?;
    Ok(json(StatusCode::OK, &OfRecord::from(&found)))
}

/// The part that is asked for, from now where the query does not say.
fn part(api: &Api, asked: query::ChangeCalendar) -> CalendarQuery {
    let from = asked.from.unwrap_or_else(|| api.engine().now());
    CalendarQuery {
        from,
        to: asked.to.unwrap_or_else(|| from.saturating_add(USUAL)),
        affects: asked.affects.0,
    }
}
