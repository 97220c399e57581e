//! Receives what GitHub reports: whether it is GitHub, and what an event means.

use std::collections::BTreeMap;

use counterpart::incoming::{Happened, Intake, Message, take};
use counterpart::outgoing::is_marked;
use counterpart::text::{only_post, said};
use servicewright_sdk::signing::{from_hex, verify_hmac_sha256};
use servicewright_sdk::webhook::{self, Call, Reply, Request};
use servicewright_sdk::{Error, Result, log};

use crate::GitHub;
use crate::issue::{Issue, is_repository};
use crate::payload::Payload;
use crate::settings::Settings;

/// How the signature's header begins.
const SCHEME: &str = "sha256=";

impl webhook::Webhook for GitHub {
    fn receive(call: &Call, request: &Request) -> webhook::Result<Reply> {
        let settings: Settings = call.settings()?;
        let secret = settings
            .secret
            .as_ref()
            .ok_or_else(|| Error::misconfigured("`secret` does not say what GitHub signs with"))?;
        if request.method != "POST" {
            return Ok(only_post());
        }
        // Before anything is read out of the body: who sent it.
        if !is_genuine(secret, settings.previous_secret.as_ref(), request)? {
            let delivery = request
                .header("x-github-delivery")
                .unwrap_or("without an id");
            log::warn(format!(
                "refused the delivery {delivery:.64}: its signature does not fit"
            ));
            return Ok(said(401, "the signature does not fit"));
        }
        let event = request.header("x-github-event").unwrap_or_default();
        if !matches!(event, "issues" | "issue_comment") {
            return Ok(said(202, "nothing is done about this event"));
        }
        let payload: Payload = match serde_json::from_slice(&request.body) {
            Ok(payload) => payload,
            Err(error) => {
                let why = format!(
                    "the body is no event of GitHub's in JSON ({error}); the webhook's content type has to be application/json"
                );
                return Ok(said(400, &why));
            }
        };
        match (message(&settings, &payload), &settings.receive) {
            (Some(message), Some(intake)) => take(intake, &message),
            _ => Ok(said(202, "nothing is done about this event")),
        }
    }
}

/// Whether the request bears GitHub's signature: HMAC-SHA-256 of the body, in hexadecimal digits behind
/// `sha256=`.
fn is_genuine(secret: &str, previous: Option<&String>, request: &Request) -> Result<bool> {
    let signature = request
        .header("x-hub-signature-256")
        .and_then(|header| header.strip_prefix(SCHEME))
        .and_then(from_hex);
    let Some(signature) = signature else {
        return Ok(false);
    };
    if verify_hmac_sha256(secret, &request.body, &signature)? {
        return Ok(true);
    }
    previous.map_or(Ok(false), |secret| {
        verify_hmac_sha256(secret, &request.body, &signature)
    })
}

/// What an event means, in the words of this side; nothing where it is none of the desk's business.
fn message(settings: &Settings, payload: &Payload) -> Option<Message> {
    let repository = &payload.repository.full_name;
    let is_ours = is_repository(repository) && settings.listens_to(repository);
    if !is_ours || payload.issue.pull_request.is_some() {
        return None;
    }
    let reference = Issue {
        repository: repository.clone(),
        number: payload.issue.number,
    }
    .to_string();
    let (happened, id) = match &payload.comment {
        Some(comment) if payload.action == "created" => {
            let is_own = is_marked(comment.body.as_deref().unwrap_or_default());
            (!is_own).then(|| (Happened::Commented, format!("comment/{}", comment.id)))?
        }
        // A comment that was changed or deleted.
        Some(_) => return None,
        None => issue_event(settings, payload, &reference)?,
    };
    Some(Message {
        happened,
        id,
        names: names(payload, &reference),
        reference,
    })
}

fn issue_event(
    settings: &Settings,
    payload: &Payload,
    reference: &str,
) -> Option<(Happened, String)> {
    let issue = &payload.issue;
    let is_ours = |name: &str| {
        let label = settings.label.as_deref();
        label.is_some_and(|label| label.eq_ignore_ascii_case(name))
    };
    let moved = |to: &str| {
        // It may be reported late, when the record has moved on.
        let who = payload.sender.as_ref().map(|sender| &sender.login);
        if who.is_some() && who == settings.account.as_ref() {
            return None;
        }
        // What is signed, not the header with the delivery's id, which is not.
        let id = format!("issue/{reference}/{}/{}", payload.action, issue.updated_at);
        Some((Happened::Moved(to.to_owned()), id))
    };
    match payload.action.as_str() {
        "opened" | "labeled" => {
            let added = payload.label.as_ref().map(|label| &label.name);
            let is_wanted = match added {
                Some(added) => is_ours(added),
                None => issue.labels.iter().any(|label| is_ours(&label.name)),
            };
            let is_own = is_marked(issue.body.as_deref().unwrap_or_default());
            let id = format!("issue/{reference}/opened");
            (is_wanted && !is_own).then_some((Happened::Opened, id))
        }
        "closed" => {
            let moves = |intake: &Intake| intake.moves.contains_key("not_planned");
            let is_not_planned = issue.state_reason.as_deref() == Some("not_planned");
            if is_not_planned && settings.receive.as_ref().is_some_and(moves) {
                moved("not_planned")
            } else {
                moved("closed")
            }
        }
        "reopened" => moved("reopened"),
        _ => None,
    }
}

fn names(payload: &Payload, reference: &str) -> BTreeMap<&'static str, String> {
    let issue = &payload.issue;
    let comment = payload.comment.as_ref();
    let who = payload.sender.as_ref().map(|sender| sender.login.clone());
    let url = comment.map_or(&issue.html_url, |comment| &comment.html_url);
    let text = comment.and_then(|comment| comment.body.clone());
    BTreeMap::from([
        ("key", reference.to_owned()),
        ("title", issue.title.clone()),
        ("body", issue.body.clone().unwrap_or_default()),
        ("url", url.clone()),
        ("who", who.unwrap_or_else(|| "Somebody".to_owned())),
        ("text", text.unwrap_or_default()),
    ])
}
