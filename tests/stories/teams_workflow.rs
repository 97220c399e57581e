//! A workflow of Microsoft Teams with the trigger "When a Teams webhook request is received": it knows the
//! signature in its address, takes messages with Adaptive Cards and posts them.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri, header};
use axum::response::{IntoResponse as _, Response};
use serde_json::{Value as Json, json};
use tokio::net::TcpListener;

/// With a character that has to be encoded in an address.
pub(crate) const SIG: &str = "AbC-dEf_gH1jKl+MnOpQrStUvWxYz0123456789abcd=";
const ENCODED: &str = "AbC-dEf_gH1jKl%2BMnOpQrStUvWxYz0123456789abcd%3D";
const PATH: &str = "/workflows/0123456789abcdef0123456789abcdef/triggers/manual/paths/invoke";

/// How long something that must come may take.
const PATIENCE: Duration = Duration::from_mins(1);

#[derive(Default)]
struct Kept {
    cards: Vec<Json>,
    busy: u32,
}

pub(crate) struct Workflow {
    /// Such as `http://127.0.0.1:41234`.
    pub(crate) origin: String,
    kept: Arc<Mutex<Kept>>,
}

impl Workflow {
    pub(crate) async fn start() -> Self {
        let socket = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = socket.local_addr().expect("a bound address");
        let kept = Arc::<Mutex<Kept>>::default();
        let router = Router::new()
            .fallback(trigger)
            .with_state(Arc::clone(&kept));
        tokio::spawn(async move { axum::serve(socket, router).await });
        Self {
            origin: format!("http://{address}"),
            kept,
        }
    }

    /// Answers so many of the next requests with 429.
    pub(crate) fn be_busy(&self, requests: u32) {
        locked(&self.kept).busy = requests;
    }

    /// Waits until so many cards are posted.
    pub(crate) async fn wait_for(&self, count: usize) -> Vec<Json> {
        let begun = Instant::now();
        loop {
            let cards = locked(&self.kept).cards.clone();
            if cards.len() >= count {
                return cards;
            }
            assert!(begun.elapsed() < PATIENCE, "only these cards: {cards:#?}");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}

async fn trigger(
    State(kept): State<Arc<Mutex<Kept>>>,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let mut kept = locked(&kept);
    if kept.busy > 0 {
        kept.busy -= 1;
        return (
            StatusCode::TOO_MANY_REQUESTS,
            [(header::RETRY_AFTER, "1")],
            "",
        )
            .into_response();
    }
    if uri.path() != PATH {
        return refusal(StatusCode::NOT_FOUND, "WorkflowNotFound");
    }
    let query = uri.query().unwrap_or_default();
    if !query
        .split('&')
        .any(|part| part == format!("sig={ENCODED}"))
    {
        return refusal(StatusCode::UNAUTHORIZED, "DirectApiAuthorizationRequired");
    }
    let content_type = headers.get(header::CONTENT_TYPE);
    let is_json = content_type.is_some_and(|kind| kind.as_bytes().starts_with(b"application/json"));
    let message = serde_json::from_slice::<Json>(&body).ok();
    let message = message.filter(|_| is_json && body.len() <= 28 * 1024);
    let Some(card) = message.and_then(|message| card(&message)) else {
        return refusal(StatusCode::BAD_REQUEST, "TriggerInputSchemaMismatch");
    };
    kept.cards.push(card);
    StatusCode::ACCEPTED.into_response()
}

fn refusal(status: StatusCode, code: &str) -> Response {
    let error = json!({ "error": { "code": code, "message": "The request was refused." } });
    (status, axum::Json(error)).into_response()
}

/// The card of a message, where it is one that Teams shows.
fn card(message: &Json) -> Option<Json> {
    let attachment = &message["attachments"][0];
    let card = &attachment["content"];
    let is_card = message["type"] == "message"
        && attachment["contentType"] == "application/vnd.microsoft.card.adaptive"
        && card["type"] == "AdaptiveCard"
        && card["version"] == "1.4";
    let body = card["body"].as_array().filter(|_| is_card)?;
    let fits = body.iter().all(|element| match element["type"].as_str() {
        Some("TextBlock") => element["text"].is_string(),
        Some("FactSet") => {
            let facts = element["facts"].as_array();
            facts.is_some_and(|facts| {
                let mut facts = facts.iter();
                facts.all(|fact| fact["title"].is_string() && fact["value"].is_string())
            })
        }
        _ => false,
    });
    let actions = card["actions"].as_array();
    let actions_fit = actions.into_iter().flatten().all(|action| {
        action["type"] == "Action.OpenUrl"
            && action["url"].is_string()
            && action["title"].is_string()
    });
    (fits && actions_fit).then(|| card.clone())
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
