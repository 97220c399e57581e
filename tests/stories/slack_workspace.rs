//! A Slack workspace, as far as its documented Web API goes: it knows its token and its channels, holds
//! messages to Block Kit, keeps them, and sends signed clicks on their buttons.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::{Value as Json, json};
use sha2::Sha256;
use tokio::net::TcpListener;

pub(crate) const TOKEN: &str = "xoxb-17653672481-19874698323-pdFZKVeTuE8sk7oOcHrzqqgy";
pub(crate) const SIGNING: &str = "8f742231b10e8888abcd99yyyzzz85a5";
pub(crate) const CHANNEL: &str = "C024BE91L";
pub(crate) const TEAM: &str = "T0123ABCD";

/// How long something that must come may take.
const PATIENCE: Duration = Duration::from_mins(1);

#[derive(Default)]
struct Kept {
    /// By their timestamps, which are their names.
    messages: BTreeMap<String, Json>,
    /// What was said to one user alone.
    whispers: Vec<Json>,
    /// How many of the next calls are one too many.
    busy: u32,
    /// How often that was said.
    refused: u32,
    clicks: u32,
}

pub(crate) struct Workspace {
    /// Such as `http://127.0.0.1:41234`.
    pub(crate) origin: String,
    kept: Arc<Mutex<Kept>>,
}

impl Workspace {
    pub(crate) async fn start() -> Self {
        let socket = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = socket.local_addr().expect("a bound address");
        let kept = Arc::<Mutex<Kept>>::default();
        let router = Router::new()
            .route("/api/{method}", axum::routing::post(call))
            .with_state(Arc::clone(&kept));
        tokio::spawn(async move { axum::serve(socket, router).await });
        Self {
            origin: format!("http://{address}"),
            kept,
        }
    }

    /// Answers so many of the next calls with 429.
    pub(crate) fn be_busy(&self, calls: u32) {
        locked(&self.kept).busy = calls;
    }

    /// How often it was too busy.
    pub(crate) fn refused(&self) -> u32 {
        locked(&self.kept).refused
    }

    /// All messages that stand in no thread, with their names.
    pub(crate) fn messages(&self) -> Vec<(String, Json)> {
        let kept = locked(&self.kept);
        let messages = kept.messages.iter();
        messages
            .filter(|(_, message)| message["thread_ts"].is_null())
            .map(|(ts, message)| (ts.clone(), message.clone()))
            .collect()
    }

    /// What was said to users alone.
    pub(crate) fn whispers(&self) -> Vec<Json> {
        locked(&self.kept).whispers.clone()
    }

    /// Waits until there is one message, and it is like this.
    pub(crate) async fn wait_for(&self, fits: impl Fn(&Json) -> bool) -> (String, Json) {
        let begun = Instant::now();
        loop {
            let messages = self.messages();
            if let [(ts, message)] = &messages[..]
                && fits(message)
            {
                return (ts.clone(), message.clone());
            }
            assert!(begun.elapsed() < PATIENCE, "no such message: {messages:#?}");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// What is sent when a user presses a button of a message: the body, and the headers that sign it.
    pub(crate) fn click(
        &self,
        ts: &str,
        user: &str,
        action: &str,
    ) -> (String, Vec<(String, String)>) {
        let mut kept = locked(&self.kept);
        kept.clicks += 1;
        let message = kept.messages[ts].clone();
        let button = buttons(&message)
            .into_iter()
            .find(|button| button["action_id"] == action)
            .expect("the message has this button");
        let payload = json!({
            "type": "block_actions",
            "user": { "id": user, "username": "somebody", "name": "somebody", "team_id": TEAM },
            "api_app_id": "A0123ABCD",
            "token": "9s8d9as89d8as9d8as989",
            "container": { "type": "message", "message_ts": ts, "channel_id": CHANNEL, "is_ephemeral": false },
            "trigger_id": "12321423423.333649436676.d8c1bb837935619ccad0f624c448ffb3",
            "team": { "id": TEAM, "domain": "example" },
            "channel": { "id": CHANNEL, "name": "changes" },
            "message": message,
            "response_url": format!("{}/actions/{TEAM}/1/x", self.origin),
            "actions": [{
                "action_id": action, "block_id": "agreement", "type": "button",
                "text": button["text"], "value": button["value"],
                "action_ts": format!("1548426417.{:06}", kept.clicks),
            }],
        });
        let body = format!("payload={}", form_encoded(&payload.to_string()));
        let headers = signed("application/x-www-form-urlencoded", &body, SIGNING);
        (body, headers)
    }
}

/// The headers with which Slack sends a body, signed with a secret now.
pub(crate) fn signed(kind: &str, body: &str, secret: &str) -> Vec<(String, String)> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    let now = now.expect("after 1970").as_secs();
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("any length");
    mac.update(format!("v0:{now}:{body}").as_bytes());
    let digits = mac.finalize().into_bytes();
    let digits = digits
        .iter()
        .fold(String::new(), |hex, byte| hex + &format!("{byte:02x}"));
    [
        ("content-type", kind.to_owned()),
        ("x-slack-request-timestamp", now.to_string()),
        ("x-slack-signature", format!("v0={digits}")),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .to_vec()
}

/// The buttons of a message.
pub(crate) fn buttons(message: &Json) -> Vec<Json> {
    let blocks = message["blocks"].as_array().into_iter().flatten();
    let elements = blocks.filter_map(|block| block["elements"].as_array());
    let all = elements
        .flatten()
        .filter(|element| element["type"] == "button");
    all.cloned().collect()
}

async fn call(
    State(kept): State<Arc<Mutex<Kept>>>,
    Path(method): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let mut kept = locked(&kept);
    if kept.busy > 0 {
        kept.busy -= 1;
        kept.refused += 1;
        let busy = r#"{"ok":false,"error":"ratelimited"}"#;
        let headers = [
            (header::RETRY_AFTER, "1"),
            (header::CONTENT_TYPE, "application/json"),
        ];
        return (StatusCode::TOO_MANY_REQUESTS, headers, busy).into_response();
    }
    let answer = match answer(&mut kept, &method, &headers, &body) {
        Ok(answer) => answer,
        Err(error) => json!({ "ok": false, "error": error }),
    };
    axum::Json(answer).into_response()
}

fn answer(
    kept: &mut Kept,
    method: &str,
    headers: &HeaderMap,
    body: &[u8],
) -> Result<Json, &'static str> {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    if text(header::AUTHORIZATION) != Some(&format!("Bearer {TOKEN}")) {
        return Err("invalid_auth");
    }
    if text(header::CONTENT_TYPE) != Some("application/json; charset=utf-8") {
        return Err("invalid_post_type");
    }
    let mut message: Json = serde_json::from_slice(body).map_err(|_| "invalid_json")?;
    if message["channel"] != CHANNEL {
        return Err("channel_not_found");
    }
    check(&message)?;
    match method {
        "chat.postMessage" => {
            if let Some(thread) = message["thread_ts"].as_str()
                && !kept.messages.contains_key(thread)
            {
                return Err("thread_not_found");
            }
            let ts = format!("1503435956.{:06}", kept.messages.len() + 1);
            message["ts"] = ts.as_str().into();
            kept.messages.insert(ts.clone(), message.clone());
            Ok(json!({ "ok": true, "channel": CHANNEL, "ts": ts, "message": message }))
        }
        "chat.update" => {
            let ts = message["ts"]
                .as_str()
                .ok_or("invalid_arguments")?
                .to_owned();
            let present = kept.messages.get_mut(&ts).ok_or("message_not_found")?;
            *present = message.clone();
            Ok(json!({ "ok": true, "channel": CHANNEL, "ts": ts, "text": message["text"] }))
        }
        "chat.postEphemeral" => {
            if !message["user"]
                .as_str()
                .is_some_and(|user| user.starts_with('U'))
            {
                return Err("user_not_in_channel");
            }
            kept.whispers.push(message);
            Ok(json!({ "ok": true, "message_ts": "1502210682.580145" }))
        }
        _ => Err("unknown_method"),
    }
}

/// Whether a message keeps to the parts and lengths of Block Kit, as far as they are used.
fn check(message: &Json) -> Result<(), &'static str> {
    if message["text"].as_str().is_none_or(str::is_empty) {
        return Err("no_text");
    }
    let blocks = message["blocks"].as_array();
    if blocks.is_some_and(|blocks| blocks.len() > 50) {
        return Err("invalid_blocks");
    }
    let fits = blocks
        .into_iter()
        .flatten()
        .all(|block| match block["type"].as_str() {
            Some("section") => {
                let fields = block["fields"].as_array();
                let text = &block["text"];
                (fields.is_some() || is_text(text, 3_000))
                    && (text.is_null() || is_text(text, 3_000))
                    && fields.is_none_or(|fields| (1..=10).contains(&fields.len()))
                    && fields
                        .into_iter()
                        .flatten()
                        .all(|field| is_text(field, 2_000))
            }
            Some("context") => block["elements"]
                .as_array()
                .is_some_and(|all| all.len() <= 10 && all.iter().all(|text| is_text(text, 2_000))),
            Some("actions") => block["elements"]
                .as_array()
                .is_some_and(|all| (1..=25).contains(&all.len()) && all.iter().all(is_button)),
            _ => false,
        });
    if fits { Ok(()) } else { Err("invalid_blocks") }
}

fn is_text(object: &Json, most: usize) -> bool {
    let kind = object["type"] == "mrkdwn" || object["type"] == "plain_text";
    let text = object["text"].as_str();
    kind && text.is_some_and(|text| (1..=most).contains(&text.chars().count()))
}

fn is_button(button: &Json) -> bool {
    let length = |name: &str| button[name].as_str().map_or(0, str::len);
    button["type"] == "button"
        && button["text"]["type"] == "plain_text"
        && is_text(&button["text"], 75)
        && (1..=255).contains(&length("action_id"))
        && length("value") <= 2_000
        && (button["style"].is_null()
            || button["style"] == "primary"
            || button["style"] == "danger")
}

/// As a form has it: letters and digits as they are, all else by its bytes.
fn form_encoded(text: &str) -> String {
    text.bytes().fold(String::new(), |encoded, byte| {
        if byte.is_ascii_alphanumeric() {
            encoded + &char::from(byte).to_string()
        } else {
            encoded + &format!("%{byte:02X}")
        }
    })
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
