//! GitLab's REST API, version 4: the few requests that are made of it.

use std::time::Duration;

use counterpart::answer::refusal;
use serde::Deserialize;
use serde_json::{Value as Json, json};
use servicewright_sdk::http::Request;
use servicewright_sdk::{Error, Instant, Result};

use crate::issue::{Issue, encoded};
use crate::settings::Settings;

/// As many as GitLab lists in one answer.
const PAGE: usize = 100;

/// The API, as the settings have it.
pub(crate) struct Api<'a> {
    site: &'a str,
    token: &'a str,
    timeout: Duration,
    now: Instant,
}

#[derive(Deserialize)]
struct Made {
    iid: u64,
}

#[derive(Deserialize)]
struct ListedIssue {
    iid: u64,
    #[serde(default)]
    description: Option<String>,
}

#[derive(Deserialize)]
struct ListedNote {
    #[serde(default)]
    body: String,
}

impl<'a> Api<'a> {
    /// # Errors
    /// Where the settings name no token.
    pub(crate) fn new(settings: &'a Settings, now: Instant) -> Result<Self> {
        let token = settings.token.as_deref().ok_or_else(|| {
            Error::misconfigured("`token` does not say which secret is the access token")
        })?;
        Ok(Self {
            site: settings.site.trim_end_matches('/'),
            token,
            timeout: settings.timeout.0,
            now,
        })
    }

    /// Makes an issue; gives its number.
    pub(crate) fn create(&self, project: &str, issue: &Json) -> Result<u64> {
        let path = format!("/projects/{}/issues", encoded(project));
        let answer = self.send("POST", &path, Some(issue), "a new issue")?;
        let made: Made = serde_json::from_slice(&answer)?;
        Ok(made.iid)
    }

    /// The issue whose text has this mark, of the hundred latest.
    pub(crate) fn find(&self, project: &str, mark: &str) -> Result<Option<u64>> {
        let path = format!(
            "/projects/{}/issues?scope=all&order_by=created_at&sort=desc&per_page={PAGE}",
            encoded(project)
        );
        let answer = self.send("GET", &path, None, "a look for an issue")?;
        let listed: Vec<ListedIssue> = serde_json::from_slice(&answer)?;
        let has = |issue: &ListedIssue| {
            let text = issue.description.as_deref();
            text.is_some_and(|text| text.contains(mark))
        };
        Ok(listed.into_iter().find(has).map(|issue| issue.iid))
    }

    /// Says something about an issue.
    pub(crate) fn comment(&self, issue: &Issue, body: &str) -> Result<()> {
        let path = format!("{}/notes", path(issue));
        let body = json!({ "body": body });
        self.send("POST", &path, Some(&body), "a comment")?;
        Ok(())
    }

    /// Whether one of the latest comments has this mark.
    pub(crate) fn has_comment(&self, issue: &Issue, mark: &str) -> Result<bool> {
        let path = format!(
            "{}/notes?order_by=created_at&sort=desc&per_page={PAGE}",
            path(issue)
        );
        let answer = self.send("GET", &path, None, "a look for a comment")?;
        let listed: Vec<ListedNote> = serde_json::from_slice(&answer)?;
        Ok(listed.iter().any(|note| note.body.contains(mark)))
    }

    /// Opens or closes an issue. Where it is so already nothing happens there.
    pub(crate) fn set_open(&self, issue: &Issue, is_open: bool) -> Result<()> {
        let body = json!({ "state_event": if is_open { "reopen" } else { "close" } });
        self.send("PUT", &path(issue), Some(&body), "a change of an issue")?;
        Ok(())
    }

    fn send(&self, method: &str, path: &str, body: Option<&Json>, doing: &str) -> Result<Vec<u8>> {
        let mut request = Request::new(method, format!("{}/api/v4{path}", self.site))
            .timeout(self.timeout)
            .header("accept", "application/json")
            .header("user-agent", "servicewright")
            .header(
                "authorization",
                format!("Bearer {{{{secret:{}}}}}", self.token),
            );
        if let Some(body) = body {
            request = request.header("content-type", "application/json");
            request.body = serde_json::to_vec(body)?;
        }
        let response = request.send()?;
        if response.is_success() {
            return Ok(response.body);
        }
        Err(refusal("GitLab", doing, &response, self.now))
    }
}

fn path(issue: &Issue) -> String {
    format!(
        "/projects/{}/issues/{}",
        encoded(&issue.project),
        issue.number
    )
}
