//! What an issue, a change of it or a comment on it means, in the words of this side.

use std::collections::BTreeMap;

use counterpart::incoming::{Happened, Message};

use crate::payload::{Comment, Issue, Payload, project};
use crate::settings::Settings;
use crate::text::{LABEL, incoming, is_marked};

/// What a webhook means. Several things may have happened at once: an issue that gets the label while
/// it is moved is opened here, and then moved.
pub(crate) fn of_payload(settings: &Settings, payload: &Payload) -> Vec<Message> {
    let Some(issue) = payload.issue.as_ref().filter(|it| is_ours(settings, it)) else {
        return Vec::new();
    };
    let who = payload.user.as_ref().map(|user| user.display_name.as_str());
    match payload.event.as_str() {
        "jira:issue_created" | "jira:issue_updated" => {
            let changelog = payload.changelog.clone().unwrap_or_default();
            let is_moved = changelog.items.iter().any(|item| item.field == "status");
            let change = if changelog.id.is_empty() {
                payload.timestamp.to_string()
            } else {
                changelog.id
            };
            let opened = opened(settings, issue, who);
            let moved = is_moved.then(|| moved(settings, issue, who, &change));
            // Our own move may be reported late, when the record has moved on.
            let moved = moved.filter(|_| !is_own(settings, payload));
            // Data Center tells of a comment as a change of the issue too.
            let comment = payload.comment.as_ref();
            let said = comment.and_then(|comment| said(settings, issue, comment));
            opened
                .into_iter()
                .chain(said)
                .chain(moved.flatten())
                .collect()
        }
        "comment_created" => {
            let comment = payload.comment.as_ref();
            let said = comment.and_then(|comment| said(settings, issue, comment));
            said.into_iter().collect()
        }
        _ => Vec::new(),
    }
}

fn is_own(settings: &Settings, payload: &Payload) -> bool {
    let account = settings.account.as_deref();
    let user = payload.user.as_ref();
    account.is_some_and(|account| user.is_some_and(|user| user.is(account)))
}

/// Whether an issue is of a project that is listened to.
pub(crate) fn is_ours(settings: &Settings, issue: &Issue) -> bool {
    project(&issue.key).is_some_and(|project| settings.listens_to(project))
}

/// An issue that the desk wants to know of, unless it came from here.
pub(crate) fn opened(settings: &Settings, issue: &Issue, who: Option<&str>) -> Option<Message> {
    let labels = &issue.fields.labels;
    let wanted = settings.label.as_ref()?;
    let is_own = labels.iter().any(|label| label == LABEL);
    (labels.contains(wanted) && !is_own).then(|| Message {
        reference: issue.key.clone(),
        happened: Happened::Opened,
        id: format!("issue/{}/opened", issue.key),
        names: names(settings, issue, who),
    })
}

/// An issue that is in another status since this change.
pub(crate) fn moved(
    settings: &Settings,
    issue: &Issue,
    who: Option<&str>,
    change: &str,
) -> Option<Message> {
    let status = issue.fields.status.as_ref()?;
    Some(Message {
        reference: issue.key.clone(),
        happened: Happened::Moved(status.name.clone()),
        id: format!("issue/{}/{change}/{}", issue.key, status.name),
        names: names(settings, issue, who),
    })
}

fn said(settings: &Settings, issue: &Issue, comment: &Comment) -> Option<Message> {
    let text = incoming(&comment.body);
    if is_marked(&text) {
        return None;
    }
    let who = comment.author.as_ref().map(|it| it.display_name.as_str());
    let mut names = names(settings, issue, who);
    names.insert("text", text);
    Some(Message {
        reference: issue.key.clone(),
        happened: Happened::Commented,
        id: format!("comment/{}", comment.id),
        names,
    })
}

fn names(settings: &Settings, issue: &Issue, who: Option<&str>) -> BTreeMap<&'static str, String> {
    let fields = &issue.fields;
    let site = settings.site.trim_end_matches('/');
    let status = fields.status.as_ref().map(|status| status.name.clone());
    BTreeMap::from([
        ("key", issue.key.clone()),
        ("title", fields.summary.clone()),
        ("body", incoming(&fields.description)),
        ("url", format!("{site}/browse/{}", issue.key)),
        ("who", who.unwrap_or("Somebody").to_owned()),
        ("status", status.unwrap_or_default()),
    ])
}
