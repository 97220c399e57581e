//! Receives what GitLab reports: whether it is GitLab, and what an event means.

use std::collections::BTreeMap;

use counterpart::incoming::{Happened, Message, take};
use counterpart::outgoing::is_marked;
use counterpart::text::{only_post, said};
use servicewright_sdk::signing::is_secret;
use servicewright_sdk::webhook::{self, Call, Reply, Request};
use servicewright_sdk::{Error, Result, log};

use crate::GitLab;
use crate::issue::{Issue, is_project};
use crate::payload::Payload;
use crate::settings::Settings;

impl webhook::Webhook for GitLab {
    fn receive(call: &Call, request: &Request) -> webhook::Result<Reply> {
        let settings: Settings = call.settings()?;
        let secret = settings.secret.as_ref().ok_or_else(|| {
            Error::misconfigured("`secret` does not say which token GitLab shows")
        })?;
        if request.method != "POST" {
            return Ok(only_post());
        }
        // Before anything is read out of the body: who sent it.
        if !is_genuine(secret, settings.previous_secret.as_ref(), request)? {
            let delivery = request.header("x-gitlab-event-uuid");
            log::warn(format!(
                "refused the delivery {:.64}: it does not show the secret token",
                delivery.unwrap_or("without an id")
            ));
            return Ok(said(401, "this needs the secret token that was agreed on"));
        }
        let event = request.header("x-gitlab-event").unwrap_or_default();
        let event = event.strip_prefix("Confidential ").unwrap_or(event);
        if !matches!(event, "Issue Hook" | "Note Hook") {
            return Ok(said(202, "nothing is done about this event"));
        }
        let payload: Payload = match serde_json::from_slice(&request.body) {
            Ok(payload) => payload,
            Err(error) => {
                let why = format!("the body is no event of GitLab's: {error}");
                return Ok(said(400, &why));
            }
        };
        match (message(&settings, &payload), &settings.receive) {
            (Some(message), Some(intake)) => take(intake, &message),
            _ => Ok(said(202, "nothing is done about this event")),
        }
    }
}

/// Whether the request shows the secret token. The token itself never comes here; the server compares.
fn is_genuine(secret: &str, previous: Option<&String>, request: &Request) -> Result<bool> {
    let Some(shown) = request.header("x-gitlab-token") else {
        return Ok(false);
    };
    if is_secret(secret, shown.as_bytes())? {
        return Ok(true);
    }
    previous.map_or(Ok(false), |secret| is_secret(secret, shown.as_bytes()))
}

/// What an event means, in the words of this side; nothing where it is none of the desk's business.
fn message(settings: &Settings, payload: &Payload) -> Option<Message> {
    let project = &payload.project.path_with_namespace;
    if !is_project(project) || !settings.listens_to(project) {
        return None;
    }
    let about = &payload.object_attributes;
    let is_note = payload.object_kind == "note";
    let number = if is_note {
        payload.issue.as_ref().map(|issue| issue.iid)
    } else {
        about.iid
    };
    let reference = Issue {
        project: project.clone(),
        number: number?,
    }
    .to_string();
    let (happened, id) = if is_note {
        note_event(payload)?
    } else {
        issue_event(settings, payload, &reference)?
    };
    Some(Message {
        happened,
        id,
        names: names(payload, &reference),
        reference,
    })
}

fn note_event(payload: &Payload) -> Option<(Happened, String)> {
    let note = &payload.object_attributes;
    let is_own = is_marked(note.note.as_deref().unwrap_or_default());
    // Versions before 16.11 name no action, and tell of new notes only.
    let is_new = note
        .action
        .as_deref()
        .is_none_or(|action| action == "create");
    let is_of_issue = note.noteable_type.as_deref() == Some("Issue");
    (is_new && is_of_issue && !is_own && !note.system)
        .then(|| (Happened::Commented, format!("comment/{}", note.id)))
}

fn issue_event(
    settings: &Settings,
    payload: &Payload,
    reference: &str,
) -> Option<(Happened, String)> {
    let issue = &payload.object_attributes;
    let action = issue.action.as_deref()?;
    match action {
        "open" | "update" => {
            let wanted = settings.label.as_deref()?;
            let is_wanted = payload.labels.iter().any(|label| label.title == wanted);
            let is_own = is_marked(issue.description.as_deref().unwrap_or_default());
            let id = format!("issue/{reference}/opened");
            (is_wanted && !is_own).then_some((Happened::Opened, id))
        }
        "close" | "reopen" => {
            // It may be reported late, when the record has moved on.
            let who = payload.user.as_ref().map(|user| &user.username);
            if who.is_some() && who == settings.account.as_ref() {
                return None;
            }
            let to = if action == "close" {
                "closed"
            } else {
                "reopened"
            };
            let id = format!("issue/{reference}/{action}/{}", issue.updated_at);
            Some((Happened::Moved(to.to_owned()), id))
        }
        _ => None,
    }
}

fn names(payload: &Payload, reference: &str) -> BTreeMap<&'static str, String> {
    let about = &payload.object_attributes;
    let of_note = payload.issue.as_ref().map(|issue| issue.title.clone());
    let title = of_note.or_else(|| about.title.clone());
    let who = payload.user.as_ref().map(|user| user.username.clone());
    BTreeMap::from([
        ("key", reference.to_owned()),
        ("title", title.unwrap_or_default()),
        ("body", about.description.clone().unwrap_or_default()),
        ("url", about.url.clone()),
        ("who", who.unwrap_or_else(|| "Somebody".to_owned())),
        ("text", about.note.clone().unwrap_or_default()),
    ])
}
