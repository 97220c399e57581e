//! Jira's REST API: version 3 of Cloud, version 2 of Data Center. The few requests that are made of it.

use std::time::Duration;

use counterpart::answer::refusal;
use serde::Deserialize;
use serde_json::{Value as Json, json};
use servicewright_sdk::http::Request;
use servicewright_sdk::{Error, Instant, Result};

use crate::payload::{Comment, Issue, Named};
use crate::settings::{Deployment, Settings};
use crate::text::{incoming, outgoing};

/// How many issues are asked for at once.
const PAGE: usize = 100;
/// What of each.
const FIELDS: [&str; 5] = ["summary", "description", "labels", "status", "updated"];

/// The API, as the settings have it.
pub(crate) struct Api<'a> {
    site: &'a str,
    token: &'a str,
    deployment: Deployment,
    timeout: Duration,
    now: Instant,
}

/// Some issues, and where the next ones are.
pub(crate) struct Page {
    pub(crate) issues: Vec<Issue>,
    pub(crate) next: Option<Next>,
}

/// Where a search goes on.
#[derive(Clone, Debug)]
pub(crate) enum Next {
    Token(String),
    At(u64),
}

#[derive(Deserialize)]
struct Found {
    #[serde(default)]
    issues: Vec<Issue>,
    #[serde(default, rename = "nextPageToken")]
    next_page_token: Option<String>,
    #[serde(default, rename = "isLast")]
    is_last: Option<bool>,
    #[serde(default, rename = "startAt")]
    start_at: u64,
    #[serde(default)]
    total: u64,
}

#[derive(Deserialize)]
struct Created {
    key: String,
}

#[derive(Deserialize)]
struct Comments {
    #[serde(default)]
    comments: Vec<Comment>,
}

#[derive(Deserialize)]
struct Moves {
    fields: Status,
    #[serde(default)]
    transitions: Vec<Transition>,
}

#[derive(Deserialize)]
struct Status {
    status: Named,
}

#[derive(Deserialize)]
struct Transition {
    id: String,
    to: Named,
}

impl<'a> Api<'a> {
    /// # Errors
    /// Where the settings name no token.
    pub(crate) fn new(settings: &'a Settings, now: Instant) -> Result<Self> {
        let token = settings.token.as_deref().ok_or_else(|| {
            Error::misconfigured("`token` does not say which secret Jira is shown")
        })?;
        Ok(Self {
            site: settings.site.trim_end_matches('/'),
            token,
            deployment: settings.deployment,
            timeout: settings.timeout.0,
            now,
        })
    }

    /// Makes an issue; gives its key.
    pub(crate) fn create(&self, fields: &Json) -> Result<String> {
        let asked = json!({ "fields": fields });
        let answer = self.send("POST", "/issue", Some(&asked), "a new issue")?;
        let created: Created = serde_json::from_slice(&answer)?;
        Ok(created.key)
    }

    /// Says something about an issue.
    pub(crate) fn comment(&self, key: &str, text: &str) -> Result<()> {
        let body = json!({ "body": outgoing(self.deployment, text) });
        let path = format!("/issue/{key}/comment");
        self.send("POST", &path, Some(&body), "a comment")?;
        Ok(())
    }

    /// Whether one of the latest comments ends with this line.
    pub(crate) fn has_comment(&self, key: &str, mark: &str) -> Result<bool> {
        let path = format!("/issue/{key}/comment?orderBy=-created&maxResults={PAGE}");
        let answer = self.send("GET", &path, None, "a look for a comment")?;
        let found: Comments = serde_json::from_slice(&answer)?;
        let ends = |comment: &Comment| incoming(&comment.body).trim_end().ends_with(mark);
        Ok(found.comments.iter().any(ends))
    }

    /// Takes an issue into a status, where it is not in it already.
    ///
    /// # Errors
    /// Where its workflow has no way there from where it is.
    pub(crate) fn take_to(&self, key: &str, status: &str) -> Result<()> {
        let path = format!("/issue/{key}?fields=status&expand=transitions");
        let answer = self.send("GET", &path, None, "a look at an issue")?;
        let moves: Moves = serde_json::from_slice(&answer)?;
        let present = &moves.fields.status.name;
        if present.eq_ignore_ascii_case(status) {
            return Ok(());
        }
        let mut ways = moves.transitions.iter();
        let way = ways
            .find(|way| way.to.name.eq_ignore_ascii_case(status))
            .ok_or_else(|| {
                Error::misconfigured(format!(
                    "Jira has no transition of {key} from `{present}` to `{status}`: correct `statuses`, or Jira's workflow"
                ))
            })?;
        let asked = json!({ "transition": { "id": way.id } });
        let path = format!("/issue/{key}/transitions");
        self.send("POST", &path, Some(&asked), "a transition")?;
        Ok(())
    }

    /// Issues that a query finds, in its order, a page at a time.
    pub(crate) fn search(&self, jql: &str, from: Option<&Next>) -> Result<Page> {
        let mut asked = json!({ "jql": jql, "fields": FIELDS, "maxResults": PAGE });
        match from {
            Some(Next::Token(token)) => asked["nextPageToken"] = json!(token),
            Some(Next::At(at)) => asked["startAt"] = json!(at),
            None => {}
        }
        let path = match self.deployment {
            Deployment::Cloud => "/search/jql",
            Deployment::DataCenter => "/search",
        };
        let answer = self.send("POST", path, Some(&asked), "a search")?;
        let found: Found = serde_json::from_slice(&answer)?;
        let read = found.issues.len() as u64;
        let next = match self.deployment {
            Deployment::Cloud if found.is_last == Some(true) => None,
            Deployment::Cloud => found.next_page_token.map(Next::Token),
            Deployment::DataCenter => {
                let at = found.start_at.saturating_add(read);
                (read > 0 && at < found.total).then_some(Next::At(at))
            }
        };
        Ok(Page {
            issues: found.issues,
            next,
        })
    }

    fn send(&self, method: &str, path: &str, body: Option<&Json>, doing: &str) -> Result<Vec<u8>> {
        let (version, scheme) = match self.deployment {
            Deployment::Cloud => (3, "Basic"),
            Deployment::DataCenter => (2, "Bearer"),
        };
        let url = format!("{}/rest/api/{version}{path}", self.site);
        let mut request = Request::new(method, url)
            .timeout(self.timeout)
            .header("accept", "application/json")
            .header("user-agent", "servicewright")
            .header(
                "authorization",
                format!("{scheme} {{{{secret:{}}}}}", self.token),
            );
        if let Some(body) = body {
            request = request.header("content-type", "application/json");
            request.body = serde_json::to_vec(body)?;
        }
        let response = request.send()?;
        if response.is_success() {
            return Ok(response.body);
        }
        Err(refusal("Jira", doing, &response, self.now))
    }
}
