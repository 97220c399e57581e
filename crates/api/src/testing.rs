//! An engine on an empty desk, for tests of what happens before and around it: one token, no
//! definitions, and records whose reading goes wrong.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::response::Response;
use engine::Engine;
use engine::port::{
    BindingSetup, Commit, CommitError, Committed, Delivery, DigestState, DueRecord, FoundThing,
    HttpRequest, InboxPlace, InboxRead, InboxRow, InspectError, Inspection, IntegrationReply,
    ListQuery, Load, Page, Plugins, Remembered, SealedSecret, Store, StoreError, Surroundings,
    SystemClock, TokenRecord, WebhookReply, Windows, WindowsQuery,
};
use futures::future::BoxFuture;
use http::{HeaderMap, Request, StatusCode};
use http_body_util::BodyExt as _;
use model::directory::{Key, Thing};
use model::hook::{Call, Failure, Question, Reply};
use model::id::{
    BindingId, DirectoryId, DirectoryKind, FieldId, PersonId, RecordId, RoleId, SecretId, TeamId,
    WorkflowId,
};
use model::journal::{Entry, Item};
use model::record::{EffectKey, Record};
use model::{Digest, Instant, Value};
use tokio_util::sync::CancellationToken;
use tower::ServiceExt as _;

use crate::{Api, Limits, router};

/// The one token of the desk.
pub(crate) const TOKEN: &str = "the-token-of-ada";
/// A record whose reading panics.
pub(crate) const PANICS: &str = "PANIC-1";
/// A record that the store cannot read.
pub(crate) const UNREADABLE: &str = "TORN-1";

/// The interface to an empty desk.
pub(crate) async fn desk(limits: Limits, stop: CancellationToken) -> Router {
    let opened = Engine::open(Arc::new(Empty), Arc::new(NoPlugins), Arc::new(SystemClock)).await;
    let engine = opened.unwrap_or_else(|error| panic!("an empty desk opens: {error}"));
    router(Api::new(engine, limits, stop, None))
}

/// What came back.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

impl Answer {
    /// The status and the detail of a refusal, or the whole text of anything else.
    pub(crate) fn said(&self) -> String {
        let problem: serde_json::Value = serde_json::from_str(&self.text).unwrap_or_default();
        match (problem["code"].as_str(), problem["detail"].as_str()) {
            (Some(code), Some(detail)) => format!("{} {code}: {detail}", self.status.as_u16()),
            _ => format!("{} {}", self.status.as_u16(), self.text),
        }
    }
}

/// Sends a request and reads the whole answer.
pub(crate) async fn send(desk: &Router, request: Request<Body>) -> Answer {
    let response: Response = desk
        .clone()
        .oneshot(request)
        .await
        .expect("the router answers everything");
    let (parts, body) = response.into_parts();
    let text = body.collect().await.expect("the body arrives").to_bytes();
    Answer {
        status: parts.status,
        headers: parts.headers,
        text: String::from_utf8_lossy(&text).into_owned(),
    }
}

/// A request with the token and a JSON body.
pub(crate) fn post(path: &str, body: impl Into<Body>) -> Request<Body> {
    let request = Request::post(path).header("authorization", format!("Bearer {TOKEN}"));
    request
        .header("content-type", "application/json")
        .body(body.into())
        .expect("a request")
}

/// A request with the token.
pub(crate) fn get(path: &str) -> Request<Body> {
    let request = Request::get(path).header("authorization", format!("Bearer {TOKEN}"));
    request.body(Body::empty()).expect("a request")
}

struct Empty;

type Read<T> = Result<T, StoreError>;

impl Store for Empty {
    fn is_ready(&self) -> bool {
        true
    }

    fn record(&self, id: &RecordId) -> Read<Option<Arc<Record>>> {
        match id.as_str() {
            PANICS => panic!("the handler trips over /etc/secret"),
            UNREADABLE => Err(StoreError::Failed {
                doing: "reading",
                cause: "no /srv/data/truth.redb".into(),
            }),
            _ => Ok(None),
        }
    }

    fn history(&self, _: &RecordId, _: u64, _: usize) -> Read<Vec<(u64, Entry)>> {
        Ok(Vec::new())
    }

    fn journal(&self, _: u64, _: usize) -> Read<Vec<(u64, Item)>> {
        Ok(Vec::new())
    }

    fn position(&self) -> Read<u64> {
        Ok(0)
    }

    fn reserve_number(&self, _: &str) -> Read<RecordId> {
        Err(StoreError::Closed)
    }

    fn remembered(&self, _: &str) -> Read<Option<Remembered>> {
        Ok(None)
    }

    fn commit(&self, _: Commit) -> BoxFuture<'static, Result<Committed, CommitError>> {
        Box::pin(async { Err(StoreError::Closed.into()) })
    }

    fn list(&self, _: &ListQuery) -> Read<Page> {
        Ok(Page::default())
    }

    fn due(&self, _: Instant, _: usize) -> Read<Vec<DueRecord>> {
        Ok(Vec::new())
    }

    fn effects_due(&self, _: Instant, _: usize) -> Read<Vec<DueRecord>> {
        Ok(Vec::new())
    }

    fn effects_dead(
        &self,
        _: Option<(RecordId, EffectKey)>,
        _: usize,
    ) -> Read<Vec<(RecordId, EffectKey)>> {
        Ok(Vec::new())
    }

    fn awaiting_approval(&self, _: Option<&RecordId>, _: usize) -> Read<Vec<RecordId>> {
        Ok(Vec::new())
    }

    fn by_reference(&self, _: &BindingId, _: &str) -> Read<Option<RecordId>> {
        Ok(None)
    }

    fn alike(&self, _: &WorkflowId, _: &[(FieldId, Value)], _: Instant) -> Read<Vec<Arc<Record>>> {
        Ok(Vec::new())
    }

    fn loads_of(&self, people: &[PersonId]) -> Read<Vec<Load>> {
        Ok(vec![(0, None); people.len()])
    }

    fn windows(&self, _: &WindowsQuery) -> Read<Windows> {
        Ok(Windows::default())
    }

    fn inbox(&self, _: &PersonId, _: Option<InboxPlace>, _: usize) -> Read<Vec<InboxRow>> {
        Ok(Vec::new())
    }

    fn inbox_read(&self, _: &PersonId) -> Read<InboxRead> {
        Ok(InboxRead::default())
    }

    fn digest(&self, _: &PersonId) -> Read<DigestState> {
        Ok(DigestState::default())
    }

    fn thing(&self, _: &Key) -> Read<Option<Arc<FoundThing>>> {
        Ok(None)
    }

    fn things(
        &self,
        _: &DirectoryKind,
        _: Option<&DirectoryId>,
        _: usize,
    ) -> Read<Vec<(DirectoryId, Thing)>> {
        Ok(Vec::new())
    }

    fn people_with_role(&self, _: &RoleId) -> Read<Vec<PersonId>> {
        Ok(Vec::new())
    }

    fn teams_of(&self, _: &PersonId) -> Read<Vec<TeamId>> {
        Ok(Vec::new())
    }

    fn blob(&self, _: &Digest) -> Read<Option<Vec<u8>>> {
        Ok(None)
    }

    fn signature(&self, _: &Digest) -> Read<Option<Vec<u8>>> {
        Ok(None)
    }

    fn active(&self) -> Read<Option<Digest>> {
        Ok(None)
    }

    fn key_value(&self, _: &BindingId, _: &str) -> Read<Option<Vec<u8>>> {
        Ok(None)
    }

    fn keys(&self, _: &BindingId, _: &str, _: Option<&str>, _: usize) -> Read<Vec<String>> {
        Ok(Vec::new())
    }

    fn token(&self, secret: &Digest) -> Read<Option<TokenRecord>> {
        Ok(
            (*secret == Digest::of(TOKEN.as_bytes())).then(|| TokenRecord {
                actor: PersonId::new("ada").expect("the id of a person"),
                roles: [RoleId::new("agent").expect("the id of a role")].into(),
                created_at: Instant::EPOCH,
                expires_at: None,
                title: "a test".to_owned(),
            }),
        )
    }

    fn sealed_secret(&self, _: &BindingId, _: &SecretId) -> Read<Option<SealedSecret>> {
        Ok(None)
    }

    fn sealed_secrets(
        &self,
        _: Option<(&BindingId, &SecretId)>,
        _: usize,
    ) -> Read<Vec<(BindingId, SecretId, SealedSecret)>> {
        Ok(Vec::new())
    }

    fn sealed_link_key(&self) -> Read<Option<SealedSecret>> {
        Ok(None)
    }
}

struct NoPlugins;

impl Plugins for NoPlugins {
    fn inspect(&self, _: &[u8]) -> Result<Inspection, InspectError> {
        Err(InspectError::NotAComponent(
            "there are no plugins here".to_owned(),
        ))
    }

    fn set_up(&self, _: Vec<BindingSetup>) -> BoxFuture<'_, Result<(), (BindingId, InspectError)>> {
        Box::pin(async { Ok(()) })
    }

    fn ask<'a>(
        &'a self,
        _: Call,
        _: &'a Question,
        _: Arc<dyn Surroundings>,
    ) -> BoxFuture<'a, Reply> {
        unreachable!("nothing is bound")
    }

    fn deliver(
        &self,
        _: &BindingId,
        _: Call,
        _: Delivery,
        _: Arc<dyn Surroundings>,
    ) -> BoxFuture<'_, Result<IntegrationReply, Failure>> {
        unreachable!("nothing is bound")
    }

    fn receive(
        &self,
        _: &BindingId,
        _: Call,
        _: HttpRequest,
        _: Arc<dyn Surroundings>,
    ) -> BoxFuture<'_, Result<WebhookReply, Failure>> {
        unreachable!("nothing is bound")
    }

    fn run_schedule(
        &self,
        _: &BindingId,
        _: Call,
        _: Arc<dyn Surroundings>,
    ) -> BoxFuture<'_, Result<IntegrationReply, Failure>> {
        unreachable!("nothing is bound")
    }
}
