//! A PagerDuty account, as far as its documented Events API v2 and webhooks v3 go: it knows its
//! integration key, holds events to their shape, keeps one incident for each deduplication key, and signs
//! what it tells of them.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::{Value as Json, json};
use sha2::Sha256;
use tokio::net::TcpListener;

/// 32 characters, as they are.
pub(crate) const KEY: &str = "R00ABCDEFGHIJKLMNOPQRSTUVWXYZ012";
pub(crate) const WEBHOOK: &str = "PTLwGAhvPtUTIiCVrHAjKkhDdTKYTmfw";

/// How long something that must come may take.
const PATIENCE: Duration = Duration::from_mins(1);

#[derive(Default)]
struct Kept {
    /// By their deduplication keys: the incident's status, and the events that made it so.
    incidents: BTreeMap<String, (String, Vec<Json>)>,
    busy: u32,
    told: u32,
}

pub(crate) struct Account {
    /// Such as `http://127.0.0.1:41234`.
    pub(crate) origin: String,
    kept: Arc<Mutex<Kept>>,
}

impl Account {
    pub(crate) async fn start() -> Self {
        let socket = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = socket.local_addr().expect("a bound address");
        let kept = Arc::<Mutex<Kept>>::default();
        let router = Router::new()
            .route("/v2/enqueue", axum::routing::post(enqueue))
            .with_state(Arc::clone(&kept));
        tokio::spawn(async move { axum::serve(socket, router).await });
        Self {
            origin: format!("http://{address}"),
            kept,
        }
    }

    /// Answers so many of the next events with 429.
    pub(crate) fn be_busy(&self, events: u32) {
        locked(&self.kept).busy = events;
    }

    /// How many incidents there are.
    pub(crate) fn incidents(&self) -> usize {
        locked(&self.kept).incidents.len()
    }

    /// The events of an incident, of which there are none where there is no such incident.
    pub(crate) fn events(&self, key: &str) -> Vec<Json> {
        let kept = locked(&self.kept);
        let incident = kept.incidents.get(key);
        incident
            .map(|(_, events)| events.clone())
            .unwrap_or_default()
    }

    /// Waits until an incident has this status.
    pub(crate) async fn wait_for(&self, key: &str, status: &str) {
        let begun = Instant::now();
        loop {
            let incidents = locked(&self.kept).incidents.clone();
            if incidents
                .get(key)
                .is_some_and(|(present, _)| present == status)
            {
                return;
            }
            assert!(
                begun.elapsed() < PATIENCE,
                "{key} is not {status}: {incidents:#?}"
            );
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// What is told of an incident: the body, and the headers that sign it.
    pub(crate) fn tell(
        &self,
        what: &str,
        incident: &str,
        key: &str,
        agent: &Json,
    ) -> (String, Vec<(String, String)>) {
        let named = |kind: &str, id: &str, summary: &str| json!({ "type": format!("{kind}_reference"), "id": id, "summary": summary, "self": "https://api.pagerduty.com/x", "html_url": "https://acme.pagerduty.com/x" });
        let data = if what == "annotated" {
            json!({
                "incident": named("incident", incident, "The disk is full"), "id": "P2LA89X",
                "content": "The second disk is on its way.", "trimmed": false, "type": "incident_note",
            })
        } else {
            json!({
                "id": incident, "type": "incident", "self": format!("https://api.pagerduty.com/incidents/{incident}"),
                "html_url": format!("https://acme.pagerduty.com/incidents/{incident}"), "number": 2,
                "status": what, "incident_key": key, "created_at": "2026-04-09T15:16:27Z", "title": "The disk is full",
                "service": named("service", "PF9KMXH", "Storage"), "assignees": [named("user", "PTUXL6G", "Maeve")],
                "escalation_policy": named("escalation_policy", "PUS0KTE", "Default"), "teams": [],
                "priority": null, "urgency": "high", "conference_bridge": null, "resolve_reason": null,
            })
        };
        let mut kept = locked(&self.kept);
        kept.told += 1;
        let event = json!({ "event": {
            "id": format!("01BRB6ZP4M6T8ZG4X6BP63Z{:03}", kept.told), "event_type": format!("incident.{what}"),
            "resource_type": "incident", "occurred_at": now(), "agent": agent, "client": { "name": "PagerDuty" },
            "data": data,
        } });
        let body = event.to_string();
        let headers = signed(&body, &[WEBHOOK]);
        (body, headers)
    }
}

/// The person who acts in PagerDuty.
pub(crate) fn maeve() -> Json {
    json!({ "type": "user_reference", "id": "PTUXL6G", "summary": "Maeve", "self": "https://api.pagerduty.com/users/PTUXL6G", "html_url": "https://acme.pagerduty.com/users/PTUXL6G" })
}

/// The integration that acts on events.
pub(crate) fn integration() -> Json {
    json!({ "type": "inbound_integration_reference", "id": "PIN0001", "summary": "Events API V2", "self": "https://api.pagerduty.com/x", "html_url": "https://acme.pagerduty.com/x" })
}

/// The headers with which PagerDuty sends a body, signed with each of these secrets.
pub(crate) fn signed(body: &str, secrets: &[&str]) -> Vec<(String, String)> {
    let signatures: Vec<String> = secrets
        .iter()
        .map(|secret| {
            let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("any length");
            mac.update(body.as_bytes());
            let digits = mac.finalize().into_bytes();
            digits
                .iter()
                .fold("v1=".to_owned(), |hex, byte| hex + &format!("{byte:02x}"))
        })
        .collect();
    vec![
        ("content-type".to_owned(), "application/json".to_owned()),
        ("x-pagerduty-signature".to_owned(), signatures.join(",")),
        ("x-webhook-id".to_owned(), "PTESTID".to_owned()),
    ]
}

/// The time in UTC, as RFC 3339 has it, by the civil calendar.
fn now() -> String {
    let seconds = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .expect("after 1970")
        .as_secs();
    let millis = i64::try_from(seconds).expect("before the end of time") * 1_000;
    model::Instant::from_millis(millis).to_string()
}

async fn enqueue(
    State(kept): State<Arc<Mutex<Kept>>>,
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
    let content_type = headers.get(header::CONTENT_TYPE);
    let is_json = content_type.is_some_and(|kind| kind.as_bytes().starts_with(b"application/json"));
    let event: Json = match serde_json::from_slice(&body) {
        Ok(event) if is_json => event,
        _ => return invalid(&["Request body is not JSON".to_owned()]),
    };
    let errors = faults(&event);
    if !errors.is_empty() {
        return invalid(&errors);
    }
    let key = event["dedup_key"].as_str().unwrap_or_default().to_owned();
    let action = event["event_action"].as_str().unwrap_or_default();
    // Only a trigger makes an incident, and what is resolved begins anew.
    if action == "trigger" || kept.incidents.contains_key(&key) {
        let (status, events) = kept.incidents.entry(key.clone()).or_default();
        match (action, status.as_str()) {
            ("trigger", "" | "resolved") => "triggered".clone_into(status),
            ("acknowledge", "triggered") => "acknowledged".clone_into(status),
            ("resolve", _) => "resolved".clone_into(status),
            _ => {}
        }
        events.push(event);
    }
    let answer = json!({ "status": "success", "message": "Event processed", "dedup_key": key });
    (StatusCode::ACCEPTED, axum::Json(answer)).into_response()
}

fn invalid(errors: &[String]) -> Response {
    let answer = json!({ "status": "invalid event", "message": "Event object is invalid", "errors": errors });
    (StatusCode::BAD_REQUEST, axum::Json(answer)).into_response()
}

/// What is wrong with an event, by the documented fields.
fn faults(event: &Json) -> Vec<String> {
    let mut faults = Vec::new();
    let mut hold = |right: bool, fault: &str| {
        if !right {
            faults.push(fault.to_owned());
        }
    };
    let text = |value: &Json| value.as_str().map(str::to_owned);
    hold(
        event["routing_key"] == KEY,
        "Length of 'routing_key' is incorrect (should be 32 characters)",
    );
    let action = text(&event["event_action"]).unwrap_or_default();
    hold(
        ["trigger", "acknowledge", "resolve"].contains(&&*action),
        "'event_action' is invalid",
    );
    let key = text(&event["dedup_key"]);
    hold(
        key.is_some_and(|key| (1..=255).contains(&key.len())),
        "'dedup_key' is missing or too long",
    );
    if action == "trigger" {
        let payload = &event["payload"];
        let summary = text(&payload["summary"]).unwrap_or_default();
        hold(
            (1..=1_024).contains(&summary.chars().count()),
            "'payload.summary' is missing or blank",
        );
        hold(
            text(&payload["source"]).is_some_and(|source| !source.is_empty()),
            "'payload.source' is missing or blank",
        );
        let severity = text(&payload["severity"]).unwrap_or_default();
        hold(
            ["critical", "error", "warning", "info"].contains(&&*severity),
            "'payload.severity' is invalid",
        );
        let links = event["links"].as_array().cloned().unwrap_or_default();
        hold(
            links.iter().all(|link| link["href"].is_string()),
            "'links' is invalid",
        );
    }
    faults
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
