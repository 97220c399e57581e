//! Records: begin one, list them, read one, change its fields; its history and why it is where it is.

use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use engine::port::ListQuery;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use model::command::{Action, Create};
use model::id::RecordId;
use serde_json::{Map, Value};
use utoipa::openapi::path::HttpMethod;

use super::{Route, json};
use crate::ask::{Asked, At, Change};
use crate::auth::Caller;
use crate::wire::command::{NewRecord, RecordPatch};
use crate::wire::explanation::{Explanation, Transitions};
use crate::wire::history::{Entry, History};
use crate::wire::judged::ServiceLevels;
use crate::wire::query::{self, RecordCursor};
use crate::wire::record::{Record, Records};
use crate::{Api, Code, Fault, Problem, tag};

const GROUP: &str = "records";

pub(super) fn routes() -> Vec<Route> {
    use HttpMethod::{Get, Patch, Post};
    let seen = [Code::NotFound];
    vec![
        Route::new(Post, "/api/v1/records", create)
            .named("createRecord", GROUP, "Begin a record")
            .takes::<NewRecord>()
            .once()
            .spoken()
            .answers_tagged(StatusCode::CREATED, "The record.")
            .refuses(&[Code::Forbidden, Code::NotPossible]),
        Route::new(Get, "/api/v1/records", list)
            .named("listRecords", GROUP, "List records that the actor may see")
            .query::<query::Records>()
            .answers::<Records<'_>>(StatusCode::OK, "A part of the list.")
            .refuses(&[Code::Invalid]),
        Route::new(Get, "/api/v1/records/{id}", read)
            .named("readRecord", GROUP, "Read a record")
            .header(
                "If-None-Match",
                "The `ETag` of the version that the client has.",
            )
            .answers_tagged(StatusCode::OK, "The record.")
            .answers_empty(StatusCode::NOT_MODIFIED, "The client has this version.")
            .refuses(&seen),
        Route::new(Patch, "/api/v1/records/{id}", update)
            .named("updateRecord", GROUP, "Change fields of a record")
            .takes::<RecordPatch>()
            .changes_record(),
        Route::new(Get, "/api/v1/records/{id}/history", history)
            .named(
                "readHistory",
                GROUP,
                "Read what happened to a record, who asked for it, and what was decided",
            )
            .query::<query::History>()
            .answers::<History<'_>>(StatusCode::OK, "A part of the history, oldest first.")
            .refuses(&seen),
        Route::new(Get, "/api/v1/records/{id}/explanation", explain)
            .named("explainRecord", GROUP, "Read why a record is where it is")
            .answers::<Explanation<'_>>(
                StatusCode::OK,
                "Every decision that still stands, by what and from what.",
            )
            .refuses(&seen),
        Route::new(Get, "/api/v1/records/{id}/service-levels", service_levels)
            .named(
                "readServiceLevels",
                GROUP,
                "Read a record's promises as they were judged and as the definitions in force judge them",
            )
            .answers::<ServiceLevels<'_>>(StatusCode::OK, "The clocks, then and now.")
            .refuses(&[Code::NotFound, Code::NotPossible]),
        Route::new(Get, "/api/v1/records/{id}/transitions", available)
            .named(
                "listTransitions",
                GROUP,
                "List what the actor may do with a record now",
            )
            .spoken()
            .answers::<Transitions<'_>>(
                StatusCode::OK,
                "The transitions, each with the schema of its form.",
            )
            .refuses(&seen),
    ]
}

async fn create(State(api): State<Api>, change: Change<NewRecord>) -> Result<Response, Problem> {
    let (change, body) = change.take();
    let action = Action::Create(Create {
        workflow: body.workflow,
        item: body.item,
        parent: None,
        via: body.create,
        requester: body.requester,
        fields: body.fields,
        link: body.link.map(|link| (link.kind, link.target)),
        reference: None,
    });
    let executed = change
        .execute(&api, None, action)
        .await
        .map_err(|problem| {
            problem.placed(|pointer| match pointer.split('/').nth(1) {
                Some("workflow" | "create" | "link") => pointer.to_owned(),
                _ => format!("/fields{pointer}"),
            })
        })?;
    let mut response = answer(StatusCode::CREATED, &executed.record);
    let location = HeaderValue::try_from(format!("/api/v1/records/{}", executed.record.id))
        .expect("the number of a record is made of letters, digits and a hyphen");
    response.headers_mut().insert(header::LOCATION, location);
    Ok(response)
}

async fn list(
    State(api): State<Api>,
    caller: Caller,
    Asked(asked): Asked<query::Records>,
) -> Result<Response, Problem> {
    let filter = asked.filter;
    let query = ListQuery {
        workflow: asked.workflow,
        state: asked.state,
        category: asked.category,
        team: asked.team,
        assignee: asked.assignee,
        requester: asked.requester,
        sort: asked.sort.into(),
        limit: asked.limit.0,
        after: asked.cursor.map(|RecordCursor(at, id)| (at, id)),
    };
    let page = api
        .read(move |engine| engine.list(&caller.actor, &query, filter.as_deref()))
        .await?;
    let body = Records {
        records: page
            .records
            .iter()
            .map(|record| Record::from(record.as_ref()))
            .collect(),
        next: page.next.map(|(at, id)| RecordCursor(at, id).to_string()),
    };
    Ok(json(StatusCode::OK, &body))
}

async fn read(
    State(api): State<Api>,
    caller: Caller,
    At(id): At<RecordId>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let record = api.engine().record(&caller.actor, &id)?;
    if tag::is_known(&headers, record.version) {
        let mut response = StatusCode::NOT_MODIFIED.into_response();
        response
            .headers_mut()
            .insert(header::ETAG, tag::of_version(record.version));
        return Ok(response);
    }
    Ok(answer(StatusCode::OK, &record))
}

async fn update(
    State(api): State<Api>,
    At(id): At<RecordId>,
    change: Change<RecordPatch>,
) -> Result<Response, Problem> {
    let (
        change,
        RecordPatch {
            fields: under,
            others,
        },
    ) = change.take();
    let is_under = |pointer: &str, under: &Map<String, Value>| {
        let name = pointer
            .split('/')
            .nth(1)
            .unwrap_or_default()
            .replace("~1", "/")
            .replace("~0", "~");
        under.contains_key(&name)
    };
    let mut fields = under.clone();
    let mut twice = Vec::new();
    for (name, value) in others {
        if fields.insert(name.clone(), value).is_some() {
            let pointer = format!("/{}", name.replace('~', "~0").replace('/', "~1"));
            twice.push(Fault {
                pointer,
                message: "it stands under `fields` too".to_owned(),
            });
        }
    }
    if !twice.is_empty() {
        return Err(Problem::invalid(twice));
    }
    let executed = change
        .execute(&api, Some(id), Action::Update { fields })
        .await
        .map_err(|problem| {
            problem.placed(|pointer| {
                if is_under(pointer, &under) {
                    format!("/fields{pointer}")
                } else {
                    pointer.to_owned()
                }
            })
        })?;
    Ok(answer(StatusCode::OK, &executed.record))
}

async fn history(
    State(api): State<Api>,
    caller: Caller,
    At(id): At<RecordId>,
    Asked(asked): Asked<query::History>,
) -> Result<Response, Problem> {
    let limit = asked.limit.0;
    let record = id.clone();
    let (entries, edits) = api
        .read(move |engine| {
            let entries = engine.history(&caller.actor, &record, asked.after, limit)?;
            let record = engine.record(&caller.actor, &record)?;
            Ok((
                entries,
                engine.may_edit(&engine.definitions(), &caller.actor, &record)?,
            ))
        })
        .await?;
    let next = if entries.len() < limit {
        None
    } else {
        entries.last().map(|(_, entry)| entry.version)
    };
    let shown = entries
        .iter()
        .filter(|(_, entry)| edits || !is_internal(entry));
    let entries = shown
        .map(|(position, entry)| Entry::new(*position, entry))
        .collect();
    Ok(json(
        StatusCode::OK,
        &History {
            record: &id,
            entries,
            next,
        },
    ))
}

/// Whether an entry is an internal comment, for those only who may edit the record.
fn is_internal(entry: &model::journal::Entry) -> bool {
    matches!(entry.command.action, Action::Comment { public: false, .. })
}

async fn explain(
    State(api): State<Api>,
    caller: Caller,
    At(id): At<RecordId>,
) -> Result<Response, Problem> {
    let explanation = api
        .read(move |engine| engine.explain(&caller.actor, &id))
        .await?;
    Ok(json(StatusCode::OK, &Explanation::from(&explanation)))
}

async fn service_levels(
    State(api): State<Api>,
    caller: Caller,
    At(id): At<RecordId>,
) -> Result<Response, Problem> {
    let judged = api
        .read(move |engine| engine.judged_again(&caller.actor, &id))
        .await?;
    Ok(json(StatusCode::OK, &ServiceLevels::from(&judged)))
}

async fn available(
    State(api): State<Api>,
    caller: Caller,
    At(id): At<RecordId>,
) -> Result<Response, Problem> {
    let transitions = api
        .read(move |engine| engine.available(&caller.actor, &id, &caller.languages))
        .await?;
    Ok(json(
        StatusCode::OK,
        &Transitions::from(transitions.as_slice()),
    ))
}

/// A record with its tag.
pub(super) fn answer(status: StatusCode, record: &model::record::Record) -> Response {
    let mut response = json(status, &Record::from(record));
    response
        .headers_mut()
        .insert(header::ETAG, tag::of_version(record.version));
    response
}
