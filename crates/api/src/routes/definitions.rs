//! What is installed: workflows, packs, bindings and calendars; and the OpenAPI document itself.

use std::sync::LazyLock;

use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use engine::{Engine, EngineError};
use http::{StatusCode, header};
use model::Digest;
use model::id::WorkflowId;
use serde_json::Value;
use utoipa::openapi::path::HttpMethod::Get;

use super::{Route, json};
use crate::ask::At;
use crate::auth::Caller;
use crate::wire::definition::{
    Binding, Bindings, Calendar, Calendars, Catalogue, CatalogueItem, Named, Pack, Packs,
    State as WireState, Workflow, WorkflowDetail, Workflows,
};
use crate::wire::explanation::Transition;
use crate::{Api, Code, Problem};

const GROUP: &str = "definitions";

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::new(Get, "/api/v1/workflows", workflows)
            .named("listWorkflows", GROUP, "List the workflows in force")
            .answers::<Workflows>(StatusCode::OK, "The workflows."),
        Route::new(Get, "/api/v1/workflows/{id}", workflow)
            .named("readWorkflow", GROUP, "Read a workflow with its definition")
            .spoken()
            .answers::<WorkflowDetail<'_>>(StatusCode::OK, "The workflow.")
            .refuses(&[Code::NotFound]),
        Route::new(Get, "/api/v1/catalogue", catalogue)
            .named(
                "listCatalogue",
                GROUP,
                "List what can be asked for, with the forms to ask by",
            )
            .spoken()
            .answers::<Catalogue<'_>>(StatusCode::OK, "What the actor is offered."),
        Route::new(Get, "/api/v1/packs", packs)
            .named("listPacks", GROUP, "List the packs in force")
            .answers::<Packs>(StatusCode::OK, "The packs."),
        Route::new(Get, "/api/v1/bindings", bindings)
            .named(
                "listBindings",
                GROUP,
                "List the plugins that are put to use",
            )
            .answers::<Bindings>(StatusCode::OK, "The bindings."),
        Route::new(Get, "/api/v1/calendars", calendars)
            .named("listCalendars", GROUP, "List the calendars in force")
            .answers::<Calendars>(StatusCode::OK, "The calendars."),
        Route::new(Get, "/api/openapi.json", document)
            .named("readDocument", GROUP, "Read this document")
            .answers::<Document>(StatusCode::OK, "The OpenAPI document."),
    ]
}

/// A workflow in force as clients see it.
macro_rules! wire_workflow {
    ($workflow:expr) => {
        Workflow {
            id: $workflow.id.to_string(),
            title: $workflow.title.clone(),
            practice: $workflow.practice.clone(),
            number: $workflow.number.clone(),
            pack: $workflow.pack.to_string(),
            digest: $workflow.digest.to_string(),
            create: $workflow
                .create
                .iter()
                .map(|(id, way)| Named {
                    id: id.to_string(),
                    title: way.title.clone(),
                })
                .collect(),
            states: $workflow
                .states
                .iter()
                .map(|(id, state)| WireState {
                    id: id.to_string(),
                    title: state.title.clone(),
                    category: state.category.as_str(),
                })
                .collect(),
        }
    };
}

/// An OpenAPI 3.1 document.
#[derive(utoipa::ToSchema)]
#[expect(dead_code, reason = "it is there for its schema")]
struct Document(std::collections::BTreeMap<String, Value>);

async fn workflows(State(api): State<Api>) -> Response {
    let definitions = api.engine().definitions();
    let workflows = definitions
        .workflows
        .values()
        .map(|workflow| wire_workflow!(workflow))
        .collect();
    json(StatusCode::OK, &Workflows { workflows })
}

async fn catalogue(State(api): State<Api>, caller: Caller) -> Result<Response, Problem> {
    let read = move |engine: &Engine| Ok(engine.catalogue(&caller.actor, &caller.languages));
    let offered = api.read(read).await?;
    let items = offered.iter().map(CatalogueItem::from).collect();
    Ok(json(StatusCode::OK, &Catalogue { items }))
}

async fn workflow(
    State(api): State<Api>,
    caller: Caller,
    At(id): At<WorkflowId>,
) -> Result<Response, Problem> {
    let definitions = api.engine().definitions();
    let Some(found) = definitions.workflows.get(&id) else {
        return Err(Problem::not_found("workflow", id.as_str()));
    };
    let digest = found.digest;
    let workflow = wire_workflow!(found);
    let read = move |engine: &Engine| {
        Ok((
            source(engine, digest)?,
            engine.ways_to_begin(&caller.actor, id.as_str(), &caller.languages)?,
        ))
    };
    let (definition, ways) = api.read(read).await?;
    let begin = ways.iter().map(Transition::from).collect();
    Ok(json(
        StatusCode::OK,
        &WorkflowDetail {
            workflow,
            begin,
            definition,
        },
    ))
}

/// The canonical form of a definition in force.
fn source(engine: &Engine, digest: Digest) -> Result<Value, EngineError> {
    Ok(engine.source(&digest)?.unwrap_or_default())
}

async fn packs(State(api): State<Api>) -> Response {
    let definitions = api.engine().definitions();
    let packs = definitions.packs.iter().map(|(id, pack)| Pack {
        id: id.to_string(),
        version: pack.version.clone(),
        title: pack.title.clone(),
        digest: pack.digest.to_string(),
        chain: pack.chain.iter().map(ToString::to_string).collect(),
        zone: pack.zone.clone(),
        roles: pack
            .roles
            .iter()
            .map(|(id, title)| (id.to_string(), title.clone()))
            .collect(),
    });
    json(
        StatusCode::OK,
        &Packs {
            packs: packs.collect(),
        },
    )
}

async fn bindings(State(api): State<Api>) -> Response {
    let definitions = api.engine().definitions();
    let bindings = definitions.bindings.values().map(|binding| Binding {
        id: binding.id.to_string(),
        title: binding.plugin.title.clone(),
        pack: binding.installed.pack.to_string(),
        digest: binding.installed.digest.to_string(),
        component: binding.installed.component.to_string(),
        hooks: binding
            .plugin
            .hooks
            .iter()
            .filter(|(_, used)| **used)
            .map(|(hook, _)| hook.as_str())
            .collect(),
        events: binding
            .plugin
            .events
            .keys()
            .map(|kind| kind.as_str())
            .collect(),
        canary: binding
            .installed
            .deployment
            .iter()
            .filter_map(|deployment| deployment.canary.as_ref())
            .find(|canary| canary.withdrawn.is_none())
            .map(|canary| canary.component.to_string()),
        quarantined: binding
            .installed
            .deployment
            .as_ref()
            .is_some_and(|deployment| deployment.quarantine.is_some()),
    });
    json(
        StatusCode::OK,
        &Bindings {
            bindings: bindings.collect(),
        },
    )
}

async fn calendars(State(api): State<Api>) -> Result<Response, Problem> {
    let definitions = api.engine().definitions();
    let pinned: Vec<_> = definitions
        .calendars
        .iter()
        .map(|(id, calendar)| (id.to_string(), calendar.digest))
        .collect();
    let calendars = api.read(move |engine| {
        let read = pinned.into_iter().map(|(id, digest)| {
            let definition = source(engine, digest)?;
            Ok(Calendar {
                id,
                digest: digest.to_string(),
                definition,
            })
        });
        read.collect::<Result<Vec<_>, EngineError>>()
    });
    Ok(json(
        StatusCode::OK,
        &Calendars {
            calendars: calendars.await?,
        },
    ))
}

async fn document() -> Response {
    static TEXT: LazyLock<String> = LazyLock::new(crate::document);
    ([(header::CONTENT_TYPE, "application/json")], TEXT.as_str()).into_response()
}
