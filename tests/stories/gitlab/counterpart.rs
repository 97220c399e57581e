//! What stands in for GitLab: a project with issues and notes, its REST API as its pages have it, and its
//! webhooks, which tell of every change whoever made it.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post, put};
use serde_json::{Value as Json, json};
use tokio::net::TcpListener;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::until;

pub(crate) const TOKEN: &str = "glpat-of-the-desk";
pub(crate) const SECRET: &str = "what GitLab shows";
const PROJECT: &str = "acme/web/site";

/// How the next request that makes an issue goes wrong.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Fault {
    /// The rate limit, over in a second.
    Limited,
    /// It is done, and the answer does not say so.
    AnswerLost,
}

#[derive(Default)]
struct Kept {
    issues: BTreeMap<u64, Json>,
    notes: BTreeMap<u64, Vec<Json>>,
    /// Ids of notes, and what stands for the time.
    counter: u64,
    faults: VecDeque<Fault>,
    /// What was reported: event, body.
    delivered: Vec<(String, String)>,
    under_way: usize,
    desk: String,
}

type Shared = Arc<Mutex<Kept>>;

#[derive(Clone)]
struct Site {
    kept: Shared,
    reports: UnboundedSender<(String, String)>,
}

/// GitLab, as long as the story is told.
pub(crate) struct GitLab {
    pub(crate) origin: String,
    site: Site,
}

impl GitLab {
    pub(crate) async fn start() -> Self {
        let socket = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = socket.local_addr().expect("a bound address");
        let (reports, receiver) = unbounded_channel();
        let site = Site {
            kept: Shared::default(),
            reports,
        };
        tokio::spawn(report(Arc::clone(&site.kept), receiver));
        let router = Router::new()
            .route("/api/v4/projects/{id}/issues", get(list).post(create))
            .route("/api/v4/projects/{id}/issues/{iid}", put(change))
            .route(
                "/api/v4/projects/{id}/issues/{iid}/notes",
                post(note).get(notes),
            )
            .with_state(site.clone());
        tokio::spawn(async move { axum::serve(socket, router).await });
        Self {
            origin: format!("http://{address}"),
            site,
        }
    }

    pub(crate) fn reports_to(&self, address: String) {
        self.kept().desk = address;
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        locked(&self.site.kept)
    }

    /// Somebody opens an issue; returns once the desk has heard of it.
    pub(crate) async fn opens(&self, iid: u64, title: &str, labels: &[&str]) {
        self.site
            .open(iid, title, "Since this morning.", labels, "root");
        self.settled().await;
    }

    /// Somebody comments on an issue.
    pub(crate) async fn says(&self, iid: u64, text: &str) {
        self.site.say(iid, text, "root");
        self.settled().await;
    }

    /// Somebody closes an issue, or opens it again.
    pub(crate) async fn moves(&self, iid: u64, action: &str) {
        let state = if action == "closed" {
            "closed"
        } else {
            "opened"
        };
        self.site.set_state(iid, state, "root");
        self.settled().await;
    }

    pub(crate) fn fails_next(&self, faults: &[Fault]) {
        self.kept().faults.extend(faults);
    }

    pub(crate) fn issues(&self) -> Vec<Json> {
        self.kept().issues.values().cloned().collect()
    }

    pub(crate) fn comments(&self, iid: u64) -> Vec<String> {
        let kept = self.kept();
        let notes = kept.notes.get(&iid).into_iter().flatten();
        let text = |it: &Json| it["body"].as_str().unwrap_or_default().to_owned();
        notes.map(text).collect()
    }

    pub(crate) fn is_open(&self, iid: u64) -> bool {
        self.kept().issues[&iid]["state"] == "opened"
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

impl Site {
    fn open(&self, iid: u64, title: &str, text: &str, labels: &[&str], who: &str) -> Json {
        let issue = json!({
            "id": 300 + iid,
            "iid": iid,
            "title": title,
            "description": text,
            "state": "opened",
            "labels": labels,
            "web_url": format!("https://gitlab.com/{PROJECT}/-/issues/{iid}"),
            "updated_at": self.time(),
        });
        locked(&self.kept).issues.insert(iid, issue.clone());
        self.tell_of_issue("open", &issue, who);
        issue
    }

    fn say(&self, iid: u64, text: &str, who: &str) -> Json {
        let mut kept = locked(&self.kept);
        kept.counter += 1;
        let id = kept.counter;
        let note = json!({ "id": id, "body": text, "author": { "username": who } });
        kept.notes.entry(iid).or_default().push(note.clone());
        let issue = kept.issues[&iid].clone();
        drop(kept);
        let url = format!("https://gitlab.com/{PROJECT}/-/issues/{iid}#note_{id}");
        let about = json!({
            "id": id, "note": text, "noteable_type": "Issue", "action": "create",
            "system": false, "url": url,
        });
        let issue = json!({ "id": issue["id"], "iid": iid, "title": issue["title"] });
        let more = json!({ "object_kind": "note", "object_attributes": about, "issue": issue });
        self.tell("Note Hook", more, who);
        note
    }

    /// As the real one, tells nobody where nothing changed.
    fn set_state(&self, iid: u64, state: &str, who: &str) -> Json {
        let time = self.time();
        let mut kept = locked(&self.kept);
        let issue = kept.issues.get_mut(&iid).expect("an issue");
        let is_change = issue["state"] != state;
        if is_change {
            issue["state"] = json!(state);
            issue["updated_at"] = json!(time);
        }
        let issue = issue.clone();
        drop(kept);
        if is_change {
            let action = if state == "closed" { "close" } else { "reopen" };
            self.tell_of_issue(action, &issue, who);
        }
        issue
    }

    fn time(&self) -> String {
        let mut kept = locked(&self.kept);
        kept.counter += 1;
        format!(
            "2026-01-05 09:{:02}:{:02} UTC",
            kept.counter / 60,
            kept.counter % 60
        )
    }

    fn tell_of_issue(&self, action: &str, issue: &Json, who: &str) {
        let mut about = issue.clone();
        about["action"] = json!(action);
        about["url"] = issue["web_url"].clone();
        let labels = issue["labels"].as_array().into_iter().flatten();
        let labels: Vec<_> = labels
            .map(|label| json!({ "id": 1, "title": label }))
            .collect();
        let more = json!({ "object_kind": "issue", "object_attributes": about, "labels": labels });
        self.tell("Issue Hook", more, who);
    }

    fn tell(&self, event: &str, mut body: Json, who: &str) {
        body["user"] = json!({ "username": who, "name": "Somebody" });
        body["project"] = json!({ "id": 1, "path_with_namespace": PROJECT });
        locked(&self.kept).under_way += 1;
        let sent = self.reports.send((event.to_owned(), body.to_string()));
        sent.expect("reports are sent as long as the story is told");
    }
}

/// What the real one refuses before it looks at what is asked. The path is decoded by then.
fn refused(headers: &HeaderMap, project: &str) -> Option<Response> {
    let authorization = headers.get("authorization");
    let is_known = authorization.is_some_and(|it| it == &format!("Bearer {TOKEN}"));
    let refuse = |status: StatusCode, message: &str| {
        let body = json!({ "message": message });
        Some((status, body.to_string()).into_response())
    };
    if !is_known {
        return refuse(StatusCode::UNAUTHORIZED, "401 Unauthorized");
    }
    if project != PROJECT {
        return refuse(StatusCode::NOT_FOUND, "404 Project Not Found");
    }
    None
}

fn bad(why: &str) -> Response {
    (StatusCode::BAD_REQUEST, json!({ "error": why }).to_string()).into_response()
}

async fn create(
    State(site): State<Site>,
    Path(project): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    if let Some(refused) = refused(&headers, &project) {
        return refused;
    }
    let fault = locked(&site.kept).faults.pop_front();
    if matches!(fault, Some(Fault::Limited)) {
        return (
            StatusCode::TOO_MANY_REQUESTS,
            [("retry-after", "1")],
            "Retry later",
        )
            .into_response();
    }
    let asked: Json = serde_json::from_slice(&body).unwrap_or_default();
    let text = |name: &str| asked[name].as_str().unwrap_or_default();
    if text("title").is_empty() || text("title").chars().count() > 255 {
        return bad("title is missing");
    }
    let labels: Vec<&str> = text("labels")
        .split(',')
        .filter(|it| !it.is_empty())
        .collect();
    let last = locked(&site.kept).issues.keys().next_back().copied();
    let iid = last.unwrap_or_default() + 1;
    let issue = site.open(iid, text("title"), text("description"), &labels, "desk-bot");
    if matches!(fault, Some(Fault::AnswerLost)) {
        return StatusCode::BAD_GATEWAY.into_response();
    }
    (StatusCode::CREATED, issue.to_string()).into_response()
}

async fn list(
    State(site): State<Site>,
    Path(project): Path<String>,
    headers: HeaderMap,
) -> Response {
    if let Some(refused) = refused(&headers, &project) {
        return refused;
    }
    let kept = locked(&site.kept);
    let issues: Vec<_> = kept.issues.values().rev().take(100).collect();
    json!(issues).to_string().into_response()
}

async fn change(
    State(site): State<Site>,
    Path((project, iid)): Path<(String, u64)>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    if let Some(refused) = refused(&headers, &project) {
        return refused;
    }
    let asked: Json = serde_json::from_slice(&body).unwrap_or_default();
    let state = match asked["state_event"].as_str() {
        Some("close") => "closed",
        Some("reopen") => "opened",
        _ => return bad("state_event does not have a valid value"),
    };
    if !locked(&site.kept).issues.contains_key(&iid) {
        return StatusCode::NOT_FOUND.into_response();
    }
    site.set_state(iid, state, "desk-bot")
        .to_string()
        .into_response()
}

async fn note(
    State(site): State<Site>,
    Path((project, iid)): Path<(String, u64)>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    if let Some(refused) = refused(&headers, &project) {
        return refused;
    }
    let asked: Json = serde_json::from_slice(&body).unwrap_or_default();
    let text = asked["body"].as_str().unwrap_or_default();
    if text.is_empty() {
        return bad("body is missing");
    }
    if !locked(&site.kept).issues.contains_key(&iid) {
        return StatusCode::NOT_FOUND.into_response();
    }
    let note = site.say(iid, text, "desk-bot");
    (StatusCode::CREATED, note.to_string()).into_response()
}

async fn notes(
    State(site): State<Site>,
    Path((project, iid)): Path<(String, u64)>,
    headers: HeaderMap,
) -> Response {
    if let Some(refused) = refused(&headers, &project) {
        return refused;
    }
    let kept = locked(&site.kept);
    let notes = kept.notes.get(&iid).cloned().unwrap_or_default();
    json!(notes).to_string().into_response()
}

/// Sends what is reported to the desk, one after the other, as a webhook of the real one.
async fn report(kept: Shared, mut reports: UnboundedReceiver<(String, String)>) {
    let http = reqwest::Client::builder()
        .no_proxy()
        .build()
        .expect("a client");
    while let Some((event, body)) = reports.recv().await {
        let (address, number) = {
            let mut kept = locked(&kept);
            kept.delivered.push((event.clone(), body.clone()));
            (kept.desk.clone(), kept.delivered.len())
        };
        let sent = http
            .post(address)
            .header("user-agent", "GitLab/18.0.0")
            .header("content-type", "application/json")
            .header("x-gitlab-event", &event)
            .header(
                "x-gitlab-event-uuid",
                format!("13792a34-cac6-4fda-95a8-{number:012}"),
            )
            .header("x-gitlab-token", SECRET)
            .body(body)
            .send()
            .await;
        if let Ok(answer) = sent
            && !answer.status().is_success()
        {
            eprintln!("the desk answered {} to {event}", answer.status());
        }
        locked(&kept).under_way -= 1;
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
