//! What stands in for Jira Cloud: a project with the simplest workflow, the REST API version 3 as its
//! pages have it, and webhooks, which tell of every change whoever made it.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::{Value as Json, json};
use sha2::Sha256;
use tokio::net::TcpListener;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::until;

/// Base64 of an address and a token.
pub(crate) const TOKEN: &str = "ZGVza0BleGFtcGxlLmNvbTp0aGUtdG9rZW4=";
pub(crate) const SECRET: &str = "what Jira signs with";
/// The desk's own account, as the page has it.
const ACCOUNT: &str = "5b10ac8d82e05b22cc7d4ef5";
const STATUSES: [(&str, &str); 3] = [("11", "To Do"), ("21", "In Progress"), ("31", "Done")];

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
    issues: BTreeMap<String, Json>,
    comments: BTreeMap<String, Vec<Json>>,
    counter: u64,
    faults: VecDeque<Fault>,
    delivered: Vec<String>,
    under_way: usize,
    is_silent: bool,
    desk: String,
}

type Shared = Arc<Mutex<Kept>>;

#[derive(Clone)]
struct Site {
    kept: Shared,
    reports: UnboundedSender<String>,
}

/// Jira, as long as the story is told.
pub(crate) struct Jira {
    pub(crate) origin: String,
    site: Site,
}

impl Jira {
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
            .route("/rest/api/3/issue", post(create))
            .route("/rest/api/3/issue/{key}", get(look))
            .route(
                "/rest/api/3/issue/{key}/comment",
                post(comment).get(comments),
            )
            .route("/rest/api/3/issue/{key}/transitions", post(transition))
            .route("/rest/api/3/search/jql", post(search))
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

    /// From now on its webhooks do not work.
    pub(crate) fn keeps_silent(&self) {
        self.kept().is_silent = true;
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        locked(&self.site.kept)
    }

    /// Somebody opens an issue; returns once the desk has heard of it.
    pub(crate) async fn opens(&self, key: &str, summary: &str, labels: &[&str]) {
        self.site.open(
            key,
            summary,
            &json!("Since this morning."),
            &json!(labels),
            "5b10a2844c20165700ede21g",
        );
        self.settled().await;
    }

    /// Somebody comments on an issue.
    pub(crate) async fn says(&self, key: &str, text: &str) {
        self.site.say(key, &json!(text), "5b10a2844c20165700ede21g");
        self.settled().await;
    }

    /// Somebody takes an issue to a status.
    pub(crate) async fn moves(&self, key: &str, status: &str) {
        self.site
            .set_status(key, status, "5b10a2844c20165700ede21g");
        self.settled().await;
    }

    pub(crate) fn fails_next(&self, faults: &[Fault]) {
        self.kept().faults.extend(faults);
    }

    pub(crate) fn issues(&self) -> Vec<Json> {
        self.kept().issues.values().cloned().collect()
    }

    /// The status of an issue; empty where there is none.
    pub(crate) fn status(&self, key: &str) -> String {
        let kept = self.kept();
        let issue = kept.issues.get(key).cloned().unwrap_or_default();
        issue["fields"]["status"]["name"]
            .as_str()
            .unwrap_or_default()
            .to_owned()
    }

    pub(crate) fn comments(&self, key: &str) -> Vec<String> {
        let kept = self.kept();
        let comments = kept.comments.get(key).into_iter().flatten();
        comments.map(|it| plain(&it["body"])).collect()
    }

    pub(crate) fn delivered(&self) -> Vec<String> {
        self.kept().delivered.clone()
    }

    /// Waits until all that was to be reported is, and answered.
    pub(crate) async fn settled(&self) {
        until("an end of reports", || self.kept().under_way == 0).await;
    }
}

/// The words of a text, which is a document where the API gave it.
fn plain(body: &Json) -> String {
    if let Some(text) = body.as_str() {
        return text.to_owned();
    }
    let paragraphs = body["content"].as_array().into_iter().flatten();
    let words = paragraphs.map(|paragraph| {
        let inside = paragraph["content"].as_array().into_iter().flatten();
        let text = |node: &Json| node["text"].as_str().unwrap_or("\n").to_owned();
        inside.map(text).collect::<String>()
    });
    words.collect::<Vec<_>>().join("\n\n")
}

impl Site {
    fn open(&self, key: &str, summary: &str, text: &Json, labels: &Json, who: &str) -> Json {
        let issue = json!({ "id": "10002", "key": key, "fields": {
            "summary": summary,
            "description": plain(text),
            "labels": labels,
            "status": { "id": "1", "name": "To Do" },
            "updated": time(),
        } });
        locked(&self.kept)
            .issues
            .insert(key.to_owned(), issue.clone());
        self.tell("jira:issue_created", &issue, who, &json!({}));
        issue
    }

    fn say(&self, key: &str, body: &Json, who: &str) -> Json {
        let mut kept = locked(&self.kept);
        kept.counter += 1;
        let id = kept.counter.to_string();
        let comment =
            json!({ "id": id, "body": body, "author": { "accountId": who, "displayName": "Mia" } });
        let comments = kept.comments.entry(key.to_owned()).or_default();
        comments.push(comment.clone());
        let issue = kept.issues[key].clone();
        drop(kept);
        // Webhooks have texts, whatever the API has.
        let mut told = comment.clone();
        told["body"] = json!(plain(body));
        self.tell("comment_created", &issue, who, &json!({ "comment": told }));
        comment
    }

    fn set_status(&self, key: &str, status: &str, who: &str) {
        let mut kept = locked(&self.kept);
        kept.counter += 1;
        let change = kept.counter.to_string();
        let issue = kept.issues.get_mut(key).expect("an issue");
        issue["fields"]["status"]["name"] = json!(status);
        issue["fields"]["updated"] = json!(time());
        let issue = issue.clone();
        drop(kept);
        let items = json!([{ "field": "status", "toString": status }]);
        let more = json!({ "changelog": { "id": change, "items": items } });
        self.tell("jira:issue_updated", &issue, who, &more);
    }

    fn tell(&self, event: &str, issue: &Json, who: &str, more: &Json) {
        let mut body = json!({
            "timestamp": 1_767_603_600_000_i64,
            "webhookEvent": event,
            "user": { "accountId": who, "displayName": "Mia" },
            "issue": issue,
        });
        for (name, value) in more.as_object().into_iter().flatten() {
            body[name] = value.clone();
        }
        let mut kept = locked(&self.kept);
        if kept.is_silent {
            return;
        }
        kept.under_way += 1;
        let sent = self.reports.send(body.to_string());
        sent.expect("reports are sent as long as the story is told");
    }
}

/// Now, as Jira writes it. What is looked for is what changed lately, so that it has to be the present.
fn time() -> String {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    let millis =
        i64::try_from(now.expect("after 1970").as_millis()).expect("before the year 292 million");
    let text = model::Instant::from_millis(millis).to_string();
    format!("{}+0000", text.trim_end_matches('Z'))
}

/// What the real one refuses before it looks at what is asked.
fn refused(headers: &HeaderMap) -> Option<Response> {
    let is = |header: &str, value: &str| headers.get(header).is_some_and(|it| it == value);
    if !is("authorization", &format!("Basic {TOKEN}")) {
        let why = "Client must be authenticated to access this resource.";
        return Some((StatusCode::UNAUTHORIZED, why).into_response());
    }
    None
}

fn invalid(field: &str, why: &str) -> Response {
    let body = json!({ "errorMessages": [], "errors": { field: why } });
    (StatusCode::BAD_REQUEST, body.to_string()).into_response()
}

/// Whether something is a document of version 1, as far as the desk writes them.
fn is_document(body: &Json) -> bool {
    let is_paragraph = |node: &Json| {
        let inside = node["content"].as_array();
        let is_word = |node: &Json| match node["type"].as_str() {
            Some("text") => node["text"].as_str().is_some_and(|text| !text.is_empty()),
            Some("hardBreak") => true,
            _ => false,
        };
        node["type"] == "paragraph" && inside.is_some_and(|nodes| nodes.iter().all(is_word))
    };
    let content = body["content"].as_array();
    body["type"] == "doc"
        && body["version"] == 1
        && content.is_some_and(|nodes| nodes.iter().all(is_paragraph))
}

async fn create(State(site): State<Site>, headers: HeaderMap, body: Bytes) -> Response {
    if let Some(refused) = refused(&headers) {
        return refused;
    }
    let fault = locked(&site.kept).faults.pop_front();
    if matches!(fault, Some(Fault::Limited)) {
        return (StatusCode::TOO_MANY_REQUESTS, [("retry-after", "1")]).into_response();
    }
    let asked: Json = serde_json::from_slice(&body).unwrap_or_default();
    let fields = &asked["fields"];
    let summary = fields["summary"].as_str().unwrap_or_default();
    if summary.is_empty() || summary.chars().count() > 255 || summary.contains('\n') {
        return invalid("summary", "The summary is invalid.");
    }
    if fields["project"]["key"] != "OPS" {
        return invalid("project", "valid project is required");
    }
    if fields["issuetype"]["name"] != "Task" {
        return invalid("issuetype", "Specify an issue type");
    }
    if !is_document(&fields["description"]) {
        return invalid(
            "description",
            "Operation value must be an Atlassian Document",
        );
    }
    let number = locked(&site.kept).issues.len() + 1;
    let key = format!("OPS-{number}");
    site.open(
        &key,
        summary,
        &fields["description"],
        &fields["labels"],
        ACCOUNT,
    );
    if matches!(fault, Some(Fault::AnswerLost)) {
        return StatusCode::BAD_GATEWAY.into_response();
    }
    let body = json!({ "id": "10002", "key": key, "self": "https://example.atlassian.net/x" });
    (StatusCode::CREATED, body.to_string()).into_response()
}

async fn look(State(site): State<Site>, Path(key): Path<String>, headers: HeaderMap) -> Response {
    if let Some(refused) = refused(&headers) {
        return refused;
    }
    let Some(mut issue) = locked(&site.kept).issues.get(&key).cloned() else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let ways = STATUSES.map(|(id, name)| json!({ "id": id, "name": name, "to": { "name": name } }));
    issue["transitions"] = json!(ways);
    issue.to_string().into_response()
}

async fn transition(
    State(site): State<Site>,
    Path(key): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    if let Some(refused) = refused(&headers) {
        return refused;
    }
    let asked: Json = serde_json::from_slice(&body).unwrap_or_default();
    let mut ways = STATUSES.iter();
    match ways.find(|(id, _)| asked["transition"]["id"] == *id) {
        Some((_, status)) => {
            site.set_status(&key, status, ACCOUNT);
            StatusCode::NO_CONTENT.into_response()
        }
        None => invalid("transition", "It is not valid"),
    }
}

async fn comment(
    State(site): State<Site>,
    Path(key): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    if let Some(refused) = refused(&headers) {
        return refused;
    }
    let asked: Json = serde_json::from_slice(&body).unwrap_or_default();
    if !is_document(&asked["body"]) {
        return invalid("comment", "Comment body is not valid!");
    }
    let comment = site.say(&key, &asked["body"], ACCOUNT);
    (StatusCode::CREATED, comment.to_string()).into_response()
}

async fn comments(
    State(site): State<Site>,
    Path(key): Path<String>,
    headers: HeaderMap,
) -> Response {
    if let Some(refused) = refused(&headers) {
        return refused;
    }
    let kept = locked(&site.kept);
    let comments = kept.comments.get(&key).cloned().unwrap_or_default();
    json!({ "comments": comments, "total": comments.len() })
        .to_string()
        .into_response()
}

/// Issues with one of the labels that a query names, one a page: as much JQL as the desk speaks.
async fn search(State(site): State<Site>, headers: HeaderMap, body: Bytes) -> Response {
    if let Some(refused) = refused(&headers) {
        return refused;
    }
    let asked: Json = serde_json::from_slice(&body).unwrap_or_default();
    let jql = asked["jql"].as_str().unwrap_or_default();
    let Some((_, labels)) = jql.split_once("AND labels ") else {
        return invalid("jql", "Unbounded JQL queries are not allowed here.");
    };
    let labels = labels.split(" AND ").next().unwrap_or_default();
    let is_wanted = |issue: &&Json| {
        let own = issue["fields"]["labels"].as_array().into_iter().flatten();
        let mut own = own.filter_map(Json::as_str);
        own.any(|label| labels.contains(&format!("\"{label}\"")))
    };
    let kept = locked(&site.kept);
    let found: Vec<&Json> = kept.issues.values().filter(is_wanted).collect();
    let token = asked["nextPageToken"].as_str();
    let at: usize = token
        .and_then(|token| token.parse().ok())
        .unwrap_or_default();
    let page: Vec<_> = found.iter().skip(at).take(1).collect();
    let is_last = at + 1 >= found.len();
    let mut answer = json!({ "issues": page, "isLast": is_last });
    if !is_last {
        answer["nextPageToken"] = json!((at + 1).to_string());
    }
    answer.to_string().into_response()
}

/// Sends what is reported to the desk, one after the other, as a webhook of the real one.
async fn report(kept: Shared, mut reports: UnboundedReceiver<String>) {
    let http = reqwest::Client::builder()
        .no_proxy()
        .build()
        .expect("a client");
    while let Some(body) = reports.recv().await {
        let address = {
            let mut kept = locked(&kept);
            kept.delivered.push(body.clone());
            kept.desk.clone()
        };
        let sent = http
            .post(address)
            .header("user-agent", "Atlassian Webhook HTTP Client")
            .header("content-type", "application/json; charset=UTF-8")
            .header("x-hub-signature", signature(SECRET, &body))
            .body(body)
            .send()
            .await;
        if let Ok(answer) = sent
            && !answer.status().is_success()
        {
            eprintln!("the desk answered {}", answer.status());
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
