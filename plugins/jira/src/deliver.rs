//! Tells Jira what becomes of a record: an issue is made for it, commented on, and moved.

use counterpart::outgoing::{self, Comment, Told};
use counterpart::text::{clip, fill};
use serde_json::json;
use servicewright_sdk::Error;
use servicewright_sdk::commands::{Command, Subject};
use servicewright_sdk::delivery::{self, Call, Delivery, Event};

use crate::api::Api;
use crate::payload::project;
use crate::settings::{Comments, Open, Settings};
use crate::text::{LABEL, label_of, mark, marked};
use crate::{Jira, known};

/// What Jira takes, in characters.
const MAX_SUMMARY: usize = 255;

impl Delivery for Jira {
    fn deliver(call: &Call, event: &Event) -> delivery::Result<Vec<Command>> {
        let settings: Settings = call.settings()?;
        let mut names = event.references.iter();
        let key = names.find(|name| project(name).is_some());
        let told = outgoing::told(call, event, key.is_some())?;
        match (told, key) {
            (Some(Told::Open), _) => match &settings.open {
                Some(open) => make(&settings, open, call, event),
                None => Ok(Vec::new()),
            },
            (Some(Told::Comment(comment)), Some(key)) => say(&settings, &comment, key, call, event),
            (Some(Told::Moved), Some(key)) => {
                if let Some(status) = settings.statuses.get(&event.record.state) {
                    let api = Api::new(&settings, call.now)?;
                    // Before Jira knows it: it may be found there at once.
                    known::set(key, status);
                    api.take_to(key, status)?;
                }
                Ok(Vec::new())
            }
            _ => Ok(Vec::new()),
        }
    }
}

/// Makes an issue for a record, and has the record known by its key.
fn make(
    settings: &Settings,
    open: &Open,
    call: &Call,
    event: &Event,
) -> delivery::Result<Vec<Command>> {
    let record = &event.record;
    let id = record
        .id
        .as_deref()
        .ok_or_else(|| Error::invalid_input("the record has no number yet"))?;
    let api = Api::new(settings, call.now)?;
    let label = label_of(id);
    // An earlier attempt may have made it, and its answer been lost.
    let made = if call.attempt > 1 {
        let jql = format!("project = \"{}\" AND labels = \"{label}\"", open.project);
        api.search(&jql, None)?.issues.into_iter().next()
    } else {
        None
    };
    let key = if let Some(issue) = made {
        issue.key
    } else {
        let value_of = |name: &str| outgoing::value(record, name);
        let wanted = open.labels.iter().filter(|(_, wanted)| **wanted);
        let labels = wanted.map(|(label, _)| label.as_str());
        let labels: Vec<&str> = labels.chain([LABEL, label.as_str()]).collect();
        let summary = fill(&open.summary, value_of).replace(['\n', '\r'], " ");
        let description = fill(&open.description, value_of);
        api.create(&json!({
            "project": { "key": open.project },
            "issuetype": { "name": open.issue_type },
            "summary": clip(summary.trim(), MAX_SUMMARY),
            "description": crate::text::outgoing(settings.deployment, &description),
            "labels": labels,
        }))?
    };
    Ok(vec![Command::refer(Subject::id(id), key)])
}

/// Says on the issue what was said here.
fn say(
    settings: &Settings,
    comment: &Comment,
    key: &str,
    call: &Call,
    event: &Event,
) -> delivery::Result<Vec<Command>> {
    let is_told = match settings.comments {
        Comments::All => true,
        Comments::Public => comment.public,
        Comments::None => false,
    };
    if !is_told {
        return Ok(Vec::new());
    }
    let api = Api::new(settings, call.now)?;
    if call.attempt > 1 && api.has_comment(key, &mark(&event.id))? {
        return Ok(Vec::new());
    }
    let id = event.record.id.as_deref().unwrap_or_default();
    let text = format!("{} in {id}:\n\n{}", comment.who, comment.text);
    api.comment(key, &marked(&text, &event.id))?;
    Ok(Vec::new())
}
