//! Rotas as iCalendar: what is subscribed to, and what is read in.

use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::{IntoResponse as _, Response};
use engine::{ImportInto, Imported, Schedule, ScheduleQuery, Source, Span as EngineSpan, When};
use http::{HeaderValue, StatusCode, header};
use icalendar::{Attendee, Event, Span, Window, Written};
use model::definition::Date;
use model::id::{DirectoryId, LayerId};
use model::{Duration, Instant};
use tracing::Instrument as _;
use utoipa::openapi::path::HttpMethod::{Get, Put};

use super::on_call::stretch;
use super::{Route, json};
use crate::api::finished;
use crate::ask::{self, Asked, At};
use crate::auth::Caller;
use crate::wire::on_call::Imported as Answer;
use crate::wire::query;
use crate::{Api, Code, Fault, Problem};

const GROUP: &str = "on-call";
pub(super) const CALENDAR: &str = "text/calendar";
/// Spans at the ends are told whole where they are no longer than this, so that the same span has the
/// same name in every file.
const WHOLE: Duration = Duration::from_secs(32 * 86_400);
/// How many events of a file that could not be read are told.
const MOST_FAULTS: usize = 20;

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::new(Get, "/api/v1/rotas/{id}/schedule.ics", export)
            .named(
                "exportSchedule",
                GROUP,
                "A part of a rota's schedule as iCalendar",
            )
            .query::<query::Schedule>()
            .answers_as::<String>(
                StatusCode::OK,
                CALENDAR,
                "An event for each span in which somebody is on call.",
            )
            .refuses(&[Code::NotFound, Code::Invalid]),
        Route::new(Put, "/api/v1/rotas/{id}/overrides.ics", import_overrides)
            .named(
                "importOverrides",
                GROUP,
                "Read overrides of a rota from iCalendar, in the place of those read before",
            )
            .query::<query::Stretch>()
            .takes_as::<String>(CALENDAR)
            .answers::<Answer>(StatusCode::OK, "How many shifts were read.")
            .refuses(&[Code::Forbidden, Code::NotFound, Code::NotPossible]),
        Route::new(
            Put,
            "/api/v1/rotas/{id}/layers/{layer}/shifts.ics",
            import_layer,
        )
        .named(
            "importShifts",
            GROUP,
            "Read the shifts of a layer from iCalendar, in the place of all that it has",
        )
        .query::<query::Stretch>()
        .takes_as::<String>(CALENDAR)
        .answers::<Answer>(StatusCode::OK, "How many shifts were read.")
        .refuses(&[Code::Forbidden, Code::NotFound, Code::NotPossible]),
    ]
}

async fn export(
    State(api): State<Api>,
    caller: Caller,
    At(rota): At<DirectoryId>,
    Asked(asked): Asked<query::Schedule>,
) -> Result<Response, Problem> {
    let query = stretch(&api, asked);
    let (from, to) = (query.from, query.to);
    if to <= from {
        return Err(Problem::fault(
            "/to",
            format!("it is not after `from`, {from}"),
        ));
    }
    let wider = ScheduleQuery {
        from: Instant::from_millis(from.millis().saturating_sub(millis(WHOLE))),
        to: to.saturating_add(WHOLE),
        ..query
    };
    let now = api.engine().now();
    let id = rota.clone();
    let text = api
        .read(move |engine| {
            let mut schedule = engine.schedule(&caller.actor, &id, &wider)?;
            schedule
                .spans
                .retain(|span| span.from < to && from < span.to);
            let people = schedule
                .spans
                .iter()
                .filter_map(|span| span.on_call.as_ref());
            let names = engine.names_in_files(people.map(|on_call| &on_call.person))?;
            let title = schedule.title.clone().unwrap_or_else(|| id.to_string());
            let events = written(&schedule, &id, &title, &names);
            Ok(icalendar::write(&title, now, &events))
        })
        .await?;
    let mut response = (StatusCode::OK, text).into_response();
    let kind = HeaderValue::from_static("text/calendar; charset=utf-8");
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    Ok(response)
}

fn written(
    schedule: &Schedule,
    rota: &DirectoryId,
    title: &str,
    names: &std::collections::BTreeMap<model::id::PersonId, engine::Named>,
) -> Vec<Written> {
    let event = |span: &EngineSpan| {
        let on_call = span.on_call.as_ref()?;
        let named = names.get(&on_call.person)?;
        let by = match &on_call.by {
            Source::Layer(layer) => format!("layer {layer}"),
            Source::Override(shift) => format!("override {shift}"),
        };
        let instead = on_call.instead_of.as_ref();
        let instead = instead.map_or_else(String::new, |turn| format!(", instead of {turn}"));
        Some(Written {
            uid: format!("{}.{rota}@on-call.servicewright", span.from.millis()),
            summary: format!("{}: {title}", named.name),
            description: format!("{by}{instead}"),
            from: span.from,
            to: span.to,
            attendees: vec![Attendee {
                name: Some(named.name.clone()),
                address: named.address.clone(),
            }],
        })
    };
    schedule.spans.iter().filter_map(event).collect()
}

async fn import_overrides(
    State(api): State<Api>,
    caller: Caller,
    At(rota): At<DirectoryId>,
    Asked(asked): Asked<query::Stretch>,
    request: Request,
) -> Result<Response, Problem> {
    import(api, caller, rota, ImportInto::Overrides, asked, request).await
}

async fn import_layer(
    State(api): State<Api>,
    caller: Caller,
    At((rota, layer)): At<(DirectoryId, LayerId)>,
    Asked(asked): Asked<query::Stretch>,
    request: Request,
) -> Result<Response, Problem> {
    import(api, caller, rota, ImportInto::Layer(layer), asked, request).await
}

async fn import(
    api: Api,
    caller: Caller,
    rota: DirectoryId,
    into: ImportInto,
    asked: query::Stretch,
    request: Request,
) -> Result<Response, Problem> {
    let (parts, body) = request.into_parts();
    let text = calendar(&api, &parts, body).await?;
    let now = api.engine().now();
    let from = asked.from.unwrap_or(now);
    let to = asked
        .to
        .unwrap_or_else(|| from.saturating_add(Duration::from_secs(366 * 86_400)));
    let engine = api.engine().clone();
    let work = async move {
        let zone = engine.rota_zone(&caller.actor, &rota)?;
        let window = window(from, to)?;
        let file = icalendar::read(&text, window, zone)
            .map_err(|error| Problem::fault("", error.to_string()))?;
        if !file.skipped.is_empty() {
            return Err(unread(&file.skipped));
        }
        let events: Vec<_> = file.events.into_iter().map(imported).collect();
        let count = engine
            .import_shifts(&caller.actor, &rota, &into, &events)
            .await?;
        Ok(count)
    };
    let shifts = finished(tokio::spawn(work.in_current_span()).await)??;
    Ok(json(StatusCode::OK, &Answer { shifts }))
}

fn imported(event: Event) -> Imported {
    let addresses = event.attendees.into_iter().map(|attendee| attendee.address);
    Imported {
        uid: event.uid,
        who: addresses.chain([event.summary]).collect(),
        when: match event.span {
            Span::Time(from, to) => When::Time(from, to),
            Span::Days(from, to) => When::Days(from, to),
        },
    }
}

/// The dates that a stretch touches.
fn window(from: Instant, to: Instant) -> Result<Window, Problem> {
    let date = |at: Instant| Date::from_naive(at.to_utc().date_naive());
    let day = Duration::from_secs(86_400);
    let dates = date(from).zip(date(to.saturating_add(day)));
    let dates = dates.filter(|(from, to)| from < to);
    let (from, to) =
        dates.ok_or_else(|| Problem::fault("/to", "it is not after `from`".to_owned()))?;
    Ok(Window { from, to })
}

/// What of a file could not be read. Half of it is not taken: nobody would know which half.
fn unread(skipped: &[icalendar::Skipped]) -> Problem {
    let fault = |(place, skipped): (usize, &icalendar::Skipped)| Fault {
        pointer: format!("/events/{place}"),
        message: format!("`{}`: {}", skipped.summary, skipped.reason),
    };
    let faults = skipped.iter().enumerate().take(MOST_FAULTS).map(fault);
    Problem::invalid(faults.collect())
}

/// A body of iCalendar in UTF-8.
async fn calendar(api: &Api, parts: &http::request::Parts, body: Body) -> Result<String, Problem> {
    let kind = crate::tag::one(&parts.headers, &header::CONTENT_TYPE)?.unwrap_or_default();
    let essence = kind.split(';').next().unwrap_or_default().trim();
    if !essence.eq_ignore_ascii_case(CALENDAR) {
        return Err(Problem::new(
            Code::MediaType,
            "the body should be iCalendar in UTF-8: `Content-Type: text/calendar`",
        ));
    }
    let bytes = ask::read(api, &parts.headers, body).await?;
    String::from_utf8(bytes)
        .map_err(|_| Problem::new(Code::Malformed, "the body is no text in UTF-8"))
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.millis()).unwrap_or(i64::MAX)
}
