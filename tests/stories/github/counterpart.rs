//! What stands in for GitHub: repositories with issues and comments, its REST API as its pages have it,
//! and its webhooks, which tell of every change whoever made it.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, patch, post};
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::{Value as Json, json};
use sha2::Sha256;
use tokio::net::TcpListener;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::until;

pub(crate) const TOKEN: &str = "github_pat_of_the_desk";
pub(crate) const SECRET: &str = "what GitHub signs with";
const REPOSITORY: &str = "acme/website";
/// What GitHub takes, in characters.
const MAX_BODY: usize = 65_536;

/// How the next request that writes goes wrong.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Fault {
    /// A secondary rate limit, over in a second.
    Limited,
    /// It is done, and the answer does not say so.
    AnswerLost,
}

#[derive(Default)]
struct Kept {
    issues: BTreeMap<u64, Json>,
    comments: BTreeMap<u64, Vec<Json>>,
    /// Ids of comments, and what stands for the time.
    counter: u64,
    faults: VecDeque<Fault>,
    /// What was reported: event, body.
    delivered: Vec<(String, String)>,
    /// How many reports are still on their way.
    under_way: usize,
    desk: String,
}

type Shared = Arc<Mutex<Kept>>;

#[derive(Clone)]
struct Hub {
    kept: Shared,
    reports: UnboundedSender<(String, String)>,
}

/// GitHub, as long as the story is told.
pub(crate) struct GitHub {
    pub(crate) origin: String,
    hub: Hub,
}

impl GitHub {
    pub(crate) async fn start() -> Self {
        let socket = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = socket.local_addr().expect("a bound address");
        let (reports, receiver) = unbounded_channel();
        let hub = Hub {
            kept: Shared::default(),
            reports,
        };
        tokio::spawn(report(Arc::clone(&hub.kept), receiver));
        let router = Router::new()
            .route("/repos/{owner}/{name}/issues", get(list).post(create))
            .route("/repos/{owner}/{name}/issues/{number}", patch(change))
            .route(
                "/repos/{owner}/{name}/issues/{number}/comments",
                post(comment).get(comments),
            )
            .with_state(hub.clone());
        tokio::spawn(async move { axum::serve(socket, router).await });
        Self {
            origin: format!("http://{address}"),
            hub,
        }
    }

    pub(crate) fn reports_to(&self, address: String) {
        self.kept().desk = address;
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        locked(&self.hub.kept)
    }

    /// Somebody opens an issue; returns once the desk has heard of it.
    pub(crate) async fn opens(&self, number: u64, title: &str, labels: &[&str]) {
        self.hub.open(number, title, "Since this morning.", labels);
        self.settled().await;
    }

    /// Somebody comments on an issue.
    pub(crate) async fn says(&self, number: u64, text: &str) {
        self.hub.say(number, text, "octocat");
        self.settled().await;
    }

    /// Somebody closes an issue, or opens it again.
    pub(crate) async fn moves(&self, number: u64, action: &str) {
        let state = if action == "closed" { "closed" } else { "open" };
        self.hub.set_state(number, state, "octocat");
        self.settled().await;
    }

    pub(crate) fn fails_next(&self, faults: &[Fault]) {
        self.kept().faults.extend(faults);
    }

    pub(crate) fn issues(&self) -> Vec<Json> {
        self.kept().issues.values().cloned().collect()
    }

    pub(crate) fn comments(&self, number: u64) -> Vec<String> {
        let kept = self.kept();
        let comments = kept.comments.get(&number).into_iter().flatten();
        let text = |it: &Json| it["body"].as_str().unwrap_or_default().to_owned();
        comments.map(text).collect()
    }

    pub(crate) fn is_open(&self, number: u64) -> bool {
        self.kept().issues[&number]["state"] == "open"
    }

    pub(crate) fn delivered(&self) -> Vec<(String, String)> {
        self.kept().delivered.clone()
    }

    /// Waits until all that was to be reported is, and answered.
    pub(crate) async fn settled(&self) {
        until("an end of reports", || self.kept().under_way == 0).await;
    }

    pub(crate) async fn until(&self, what: &str, is_so: impl Fn(&Self) -> bool) {
        until(what, || is_so(self)).await;
    }
}

impl Hub {
    fn open(&self, number: u64, title: &str, body: &str, labels: &[&str]) -> Json {
        let labels: Vec<_> = labels.iter().map(|name| json!({ "name": name })).collect();
        let issue = json!({
            "number": number,
            "title": title,
            "body": body,
            "state": "open",
            "state_reason": null,
            "labels": labels,
            "html_url": format!("https://github.com/{REPOSITORY}/issues/{number}"),
            "updated_at": self.time(),
        });
        locked(&self.kept).issues.insert(number, issue.clone());
        self.tell("issues", "opened", &issue, "octocat", None);
        issue
    }

    fn say(&self, number: u64, text: &str, who: &str) -> Json {
        let mut kept = locked(&self.kept);
        kept.counter += 1;
        let id = kept.counter;
        let url = format!("https://github.com/{REPOSITORY}/issues/{number}#issuecomment-{id}");
        let comment = json!({ "id": id, "body": text, "html_url": url, "user": { "login": who } });
        kept.comments
            .entry(number)
            .or_default()
            .push(comment.clone());
        let issue = kept.issues[&number].clone();
        drop(kept);
        self.tell("issue_comment", "created", &issue, who, Some(&comment));
        comment
    }

    /// As the real one, tells nobody where nothing changed.
    fn set_state(&self, number: u64, state: &str, who: &str) -> Json {
        let time = self.time();
        let mut kept = locked(&self.kept);
        let issue = kept.issues.get_mut(&number).expect("an issue");
        let is_change = issue["state"] != state;
        if is_change {
            issue["state"] = json!(state);
            issue["updated_at"] = json!(time);
        }
        let issue = issue.clone();
        drop(kept);
        if is_change {
            let action = if state == "closed" {
                "closed"
            } else {
                "reopened"
            };
            self.tell("issues", action, &issue, who, None);
        }
        issue
    }

    fn time(&self) -> String {
        let mut kept = locked(&self.kept);
        kept.counter += 1;
        format!(
            "2026-01-05T09:{:02}:{:02}Z",
            kept.counter / 60,
            kept.counter % 60
        )
    }

    fn tell(&self, event: &str, action: &str, issue: &Json, who: &str, comment: Option<&Json>) {
        let mut body = json!({
            "action": action,
            "issue": issue,
            "repository": { "id": 1, "full_name": REPOSITORY },
            "sender": { "login": who, "type": "User" },
        });
        if let Some(comment) = comment {
            body["comment"] = comment.clone();
        }
        locked(&self.kept).under_way += 1;
        let sent = self.reports.send((event.to_owned(), body.to_string()));
        sent.expect("reports are sent as long as the story is told");
    }

    /// The fault that the next request that writes meets.
    fn fault(&self) -> Option<Fault> {
        locked(&self.kept).faults.pop_front()
    }
}

/// What the real one refuses before it looks at what is asked.
fn refused(headers: &HeaderMap, owner: &str, name: &str) -> Option<Response> {
    let is = |header: &str, value: &str| headers.get(header).is_some_and(|it| it == value);
    let refuse = |status: StatusCode, message: &str| {
        let body =
            json!({ "message": message, "documentation_url": "https://docs.github.com/rest" });
        Some((status, body.to_string()).into_response())
    };
    if !headers.contains_key("user-agent") {
        return refuse(
            StatusCode::FORBIDDEN,
            "Request forbidden by administrative rules.",
        );
    }
    if !is("authorization", &format!("Bearer {TOKEN}")) {
        return refuse(StatusCode::UNAUTHORIZED, "Bad credentials");
    }
    if !is("accept", "application/vnd.github+json") || !is("x-github-api-version", "2022-11-28") {
        return refuse(StatusCode::BAD_REQUEST, "Unsupported version");
    }
    if format!("{owner}/{name}") != REPOSITORY {
        return refuse(StatusCode::NOT_FOUND, "Not Found");
    }
    None
}

fn limited() -> Response {
    let body = json!({ "message": "You have exceeded a secondary rate limit." });
    let headers = [("retry-after", "1")];
    (StatusCode::FORBIDDEN, headers, body.to_string()).into_response()
}

fn invalid(field: &str) -> Response {
    let body = json!({ "message": "Validation Failed", "errors": [{ "field": field, "code": "invalid" }] });
    (StatusCode::UNPROCESSABLE_ENTITY, body.to_string()).into_response()
}

fn answer(fault: Option<Fault>, status: StatusCode, body: &Json) -> Response {
    match fault {
        Some(Fault::AnswerLost) => StatusCode::BAD_GATEWAY.into_response(),
        _ => (status, body.to_string()).into_response(),
    }
}

async fn create(
    State(hub): State<Hub>,
    Path((owner, name)): Path<(String, String)>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    if let Some(refused) = refused(&headers, &owner, &name) {
        return refused;
    }
    let fault = hub.fault();
    if matches!(fault, Some(Fault::Limited)) {
        return limited();
    }
    let asked: Json = serde_json::from_slice(&body).unwrap_or_default();
    let text = |name: &str| asked[name].as_str().unwrap_or_default();
    if text("title").is_empty() || text("title").chars().count() > 256 {
        return invalid("title");
    }
    if text("body").chars().count() > MAX_BODY {
        return invalid("body");
    }
    let labels = asked["labels"].as_array().into_iter().flatten();
    let labels: Vec<&str> = labels.filter_map(Json::as_str).collect();
    let last = locked(&hub.kept).issues.keys().next_back().copied();
    let number = last.unwrap_or_default() + 1;
    let issue = hub.open(number, text("title"), text("body"), &labels);
    answer(fault, StatusCode::CREATED, &issue)
}

async fn list(
    State(hub): State<Hub>,
    Path((owner, name)): Path<(String, String)>,
    headers: HeaderMap,
) -> Response {
    if let Some(refused) = refused(&headers, &owner, &name) {
        return refused;
    }
    let kept = locked(&hub.kept);
    let issues: Vec<_> = kept.issues.values().rev().take(100).collect();
    json!(issues).to_string().into_response()
}

async fn change(
    State(hub): State<Hub>,
    Path((owner, name, number)): Path<(String, String, u64)>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    if let Some(refused) = refused(&headers, &owner, &name) {
        return refused;
    }
    let asked: Json = serde_json::from_slice(&body).unwrap_or_default();
    let Some(state @ ("open" | "closed")) = asked["state"].as_str() else {
        return invalid("state");
    };
    if !locked(&hub.kept).issues.contains_key(&number) {
        return StatusCode::NOT_FOUND.into_response();
    }
    let issue = hub.set_state(number, state, "desk-bot");
    answer(hub.fault(), StatusCode::OK, &issue)
}

async fn comment(
    State(hub): State<Hub>,
    Path((owner, name, number)): Path<(String, String, u64)>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    if let Some(refused) = refused(&headers, &owner, &name) {
        return refused;
    }
    let asked: Json = serde_json::from_slice(&body).unwrap_or_default();
    let text = asked["body"].as_str().unwrap_or_default();
    if text.is_empty() || text.chars().count() > MAX_BODY {
        return invalid("body");
    }
    if !locked(&hub.kept).issues.contains_key(&number) {
        return StatusCode::NOT_FOUND.into_response();
    }
    let comment = hub.say(number, text, "desk-bot");
    answer(hub.fault(), StatusCode::CREATED, &comment)
}

async fn comments(
    State(hub): State<Hub>,
    Path((owner, name, number)): Path<(String, String, u64)>,
    headers: HeaderMap,
) -> Response {
    if let Some(refused) = refused(&headers, &owner, &name) {
        return refused;
    }
    let kept = locked(&hub.kept);
    let comments = kept.comments.get(&number).cloned().unwrap_or_default();
    json!(comments).to_string().into_response()
}

/// Sends what is reported to the desk, one after the other, as a webhook of the real one.
async fn report(kept: Shared, mut reports: UnboundedReceiver<(String, String)>) {
    let http = reqwest::Client::builder()
        .no_proxy()
        .build()
        .expect("a client");
    while let Some((event, body)) = reports.recv().await {
        let address = {
            let mut kept = locked(&kept);
            kept.delivered.push((event.clone(), body.clone()));
            kept.desk.clone()
        };
        let number = locked(&kept).delivered.len();
        let sent = http
            .post(address)
            .header("user-agent", "GitHub-Hookshot/044aadd")
            .header("content-type", "application/json")
            .header("x-github-event", &event)
            .header(
                "x-github-delivery",
                format!("72d3162e-cc78-11e3-81ab-{number:012}"),
            )
            .header("x-hub-signature-256", signature(SECRET, &body))
            .body(body)
            .send()
            .await;
        // The real one does not try again; what was refused shows in the story.
        if let Ok(answer) = sent
            && !answer.status().is_success()
        {
            eprintln!("the desk answered {} to {event}", answer.status());
        }
        locked(&kept).under_way -= 1;
    }
}

/// The header of a signature.
pub(crate) fn signature(secret: &str, body: &str) -> String {
    let mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("any length");
    let bytes = mac.chain_update(body).finalize().into_bytes();
    let digits = bytes.iter().map(|byte| format!("{byte:02x}"));
    format!("sha256={}", digits.collect::<String>())
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
