//! What moves a record: transitions, comments, links, votes and watchers. Each answers with the
//! record as that very change left it.

use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use model::command::Action;
use model::definition::Choice;
use model::id::{RecordId, TransitionId};
use utoipa::openapi::path::HttpMethod::Post;

use super::Route;
use super::records::answer;
use crate::ask::{At, Change};
use crate::wire::command::{
    NewComment, NewLink, NewQuestion, NewTransition, NewVote, NewWatcher, ReassignedVote,
    RecalledVote,
};
use crate::{Api, Problem};

const GROUP: &str = "records";

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::new(Post, "/api/v1/records/{id}/transitions/{name}", transition)
            .named("takeTransition", GROUP, "Move a record")
            .takes::<NewTransition>()
            .changes_record(),
        Route::new(Post, "/api/v1/records/{id}/comments", comment)
            .named("addComment", GROUP, "Say something about a record")
            .takes::<NewComment>()
            .changes_record(),
        Route::new(Post, "/api/v1/records/{id}/links", link)
            .named("addLink", GROUP, "Link a record to another")
            .takes::<NewLink>()
            .changes_record(),
        Route::new(Post, "/api/v1/records/{id}/votes", vote)
            .named(
                "vote",
                GROUP,
                "Approve, reject or abstain, in a stage that is open",
            )
            .takes::<NewVote>()
            .changes_record(),
        Route::new(Post, "/api/v1/records/{id}/votes/recall", recall)
            .named(
                "recallVote",
                GROUP,
                "Take a vote back, before its stage is decided",
            )
            .takes::<RecalledVote>()
            .changes_record(),
        Route::new(Post, "/api/v1/records/{id}/votes/reassign", reassign)
            .named("reassignVote", GROUP, "Hand a vote on to somebody else")
            .takes::<ReassignedVote>()
            .changes_record(),
        Route::new(Post, "/api/v1/records/{id}/questions", question)
            .named(
                "askInformation",
                GROUP,
                "Ask the requester something before voting",
            )
            .takes::<NewQuestion>()
            .changes_record(),
        Route::new(Post, "/api/v1/records/{id}/watchers", watch)
            .named("watch", GROUP, "Have someone follow a record, or no longer")
            .takes::<NewWatcher>()
            .changes_record(),
    ]
}

async fn transition(
    State(api): State<Api>,
    At((id, name)): At<(RecordId, TransitionId)>,
    change: Change<NewTransition>,
) -> Result<Response, Problem> {
    let (change, body) = change.take();
    let action = Action::Transition {
        name,
        input: body.input,
    };
    let executed = change
        .execute(&api, Some(id), action)
        .await
        .map_err(|problem| problem.placed(|pointer| format!("/input{pointer}")))?;
    Ok(answer(StatusCode::OK, &executed.record))
}

async fn comment(
    State(api): State<Api>,
    At(id): At<RecordId>,
    change: Change<NewComment>,
) -> Result<Response, Problem> {
    let (change, body) = change.take();
    step(
        &api,
        id,
        change,
        Action::Comment {
            text: body.text,
            public: body.public,
        },
    )
    .await
}

async fn link(
    State(api): State<Api>,
    At(id): At<RecordId>,
    change: Change<NewLink>,
) -> Result<Response, Problem> {
    let (change, body) = change.take();
    let action = Action::Link {
        kind: body.kind,
        target: body.target,
        inverse: false,
    };
    step(&api, id, change, action).await
}

async fn vote(
    State(api): State<Api>,
    At(id): At<RecordId>,
    change: Change<NewVote>,
) -> Result<Response, Problem> {
    let (change, body) = change.take();
    let Some(choice) = Choice::told(body.approves, body.abstains) else {
        let message = "a vote says either `approves`, true or false, or `abstains: true`";
        return Err(Problem::fault("/approves", message));
    };
    let action = Action::Vote {
        choice,
        comment: body.comment,
        stage: body.stage,
        instead_of: body.instead_of,
        link: None,
    };
    step(&api, id, change, action).await
}

async fn recall(
    State(api): State<Api>,
    At(id): At<RecordId>,
    change: Change<RecalledVote>,
) -> Result<Response, Problem> {
    let (change, body) = change.take();
    step(&api, id, change, Action::RecallVote { stage: body.stage }).await
}

async fn reassign(
    State(api): State<Api>,
    At(id): At<RecordId>,
    change: Change<ReassignedVote>,
) -> Result<Response, Problem> {
    let (change, body) = change.take();
    let action = Action::ReassignVote {
        stage: body.stage,
        from: body.from,
        to: body.to,
        comment: body.comment,
    };
    step(&api, id, change, action).await
}

async fn question(
    State(api): State<Api>,
    At(id): At<RecordId>,
    change: Change<NewQuestion>,
) -> Result<Response, Problem> {
    let (change, body) = change.take();
    let action = Action::AskInformation {
        stage: body.stage,
        question: body.question,
    };
    step(&api, id, change, action).await
}

async fn watch(
    State(api): State<Api>,
    At(id): At<RecordId>,
    change: Change<NewWatcher>,
) -> Result<Response, Problem> {
    let (change, body) = change.take();
    let person = match body.person.as_ref().or(change.caller.actor.person()) {
        Some(person) => person.clone(),
        None => return Err(Problem::fault("/person", "say who is to follow the record")),
    };
    step(
        &api,
        id,
        change,
        Action::Watch {
            person,
            watches: body.watches,
        },
    )
    .await
}

async fn step(
    api: &Api,
    id: RecordId,
    change: Change<()>,
    action: Action,
) -> Result<Response, Problem> {
    let executed = change.execute(api, Some(id), action).await?;
    Ok(answer(StatusCode::OK, &executed.record))
}
