//! GitHub's REST API, version 2022-11-28: the few requests that are made of it.

use std::time::Duration;

use counterpart::answer::refusal;
use serde::Deserialize;
use serde_json::{Value as Json, json};
use servicewright_sdk::http::Request;
use servicewright_sdk::{Error, Instant, Result};

use crate::issue::Issue;
use crate::settings::Settings;

const VERSION: &str = "2022-11-28";
/// As many as GitHub lists in one answer.
const PAGE: usize = 100;
/// How far back a comment of an earlier attempt may lie: longer than attempts are made.
const LOOK_BACK: Duration = Duration::from_hours(48);

/// The API, as the settings have it.
pub(crate) struct Api<'a> {
    url: &'a str,
    token: &'a str,
    timeout: Duration,
    now: Instant,
}

#[derive(Deserialize)]
struct Created {
    number: u64,
}

#[derive(Deserialize)]
struct Listed {
    #[serde(default)]
    number: u64,
    #[serde(default)]
    body: Option<String>,
}

impl<'a> Api<'a> {
    /// # Errors
    /// Where the settings name no token.
    pub(crate) fn new(settings: &'a Settings, now: Instant) -> Result<Self> {
        let token = settings.token.as_deref().ok_or_else(|| {
            Error::misconfigured("`token` does not say which secret is the access token")
        })?;
        Ok(Self {
            url: settings.api.trim_end_matches('/'),
            token,
            timeout: settings.timeout.0,
            now,
        })
    }

    /// Makes an issue; gives its number.
    pub(crate) fn create(&self, repository: &str, issue: &Json) -> Result<u64> {
        let path = format!("/repos/{repository}/issues");
        let answer = self.send("POST", &path, Some(issue), "a new issue")?;
        let created: Created = serde_json::from_slice(&answer)?;
        Ok(created.number)
    }

    /// The issue whose text has this mark, of the hundred latest.
    pub(crate) fn find(&self, repository: &str, mark: &str) -> Result<Option<u64>> {
        let path = format!(
            "/repos/{repository}/issues?state=all&sort=created&direction=desc&per_page={PAGE}"
        );
        let answer = self.send("GET", &path, None, "a look for an issue")?;
        let listed: Vec<Listed> = serde_json::from_slice(&answer)?;
        let mut listed = listed.into_iter();
        Ok(listed.find(|it| it.has(mark)).map(|it| it.number))
    }

    /// Says something about an issue.
    pub(crate) fn comment(&self, issue: &Issue, body: &str) -> Result<()> {
        let path = format!("{}/comments", path(issue));
        let body = json!({ "body": body });
        self.send("POST", &path, Some(&body), "a comment")?;
        Ok(())
    }

    /// Whether a comment with this mark was made lately.
    pub(crate) fn has_comment(&self, issue: &Issue, mark: &str) -> Result<bool> {
        let since = Instant::from_millis((self.now - LOOK_BACK).millis() / 1000 * 1000);
        let path = format!("{}/comments?since={since}&per_page={PAGE}", path(issue));
        let answer = self.send("GET", &path, None, "a look for a comment")?;
        let listed: Vec<Listed> = serde_json::from_slice(&answer)?;
        Ok(listed.iter().any(|it| it.has(mark)))
    }

    /// Opens or closes an issue. Where it is so already nothing happens there.
    pub(crate) fn set_open(&self, issue: &Issue, is_open: bool) -> Result<()> {
        let body = if is_open {
            json!({ "state": "open", "state_reason": "reopened" })
        } else {
            json!({ "state": "closed", "state_reason": "completed" })
        };
        self.send("PATCH", &path(issue), Some(&body), "a change of an issue")?;
        Ok(())
    }

    fn send(&self, method: &str, path: &str, body: Option<&Json>, doing: &str) -> Result<Vec<u8>> {
        let mut request = Request::new(method, format!("{}{path}", self.url))
            .timeout(self.timeout)
            .header("accept", "application/vnd.github+json")
            .header("x-github-api-version", VERSION)
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
        Err(refusal("GitHub", doing, &response, self.now))
    }
}

impl Listed {
    fn has(&self, mark: &str) -> bool {
        self.body.as_ref().is_some_and(|body| body.contains(mark))
    }
}

fn path(issue: &Issue) -> String {
    format!("/repos/{}/issues/{}", issue.repository, issue.number)
}
