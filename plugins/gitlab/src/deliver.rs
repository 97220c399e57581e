//! Tells GitLab what becomes of a record: an issue is made for it, commented on, closed, opened again.

use counterpart::outgoing::{self, Comment, Told, is_open, mark, marked};
use counterpart::text::{clip, fill};
use serde_json::json;
use servicewright_sdk::Error;
use servicewright_sdk::commands::{Command, Subject};
use servicewright_sdk::delivery::{self, Call, Delivery, Event};

use crate::GitLab;
use crate::api::Api;
use crate::issue::Issue;
use crate::settings::{Comments, Open, Settings};

/// What GitLab takes, in characters.
const MAX_TITLE: usize = 255;
const MAX_BODY: usize = 100_000;

impl Delivery for GitLab {
    fn deliver(call: &Call, event: &Event) -> delivery::Result<Vec<Command>> {
        let settings: Settings = call.settings()?;
        let issue = event.references.iter().find_map(|name| Issue::named(name));
        let told = outgoing::told(call, event, issue.is_some())?;
        match (told, issue) {
            (Some(Told::Open), _) => match &settings.open {
                Some(open) => make(&settings, open, call, event),
                None => Ok(Vec::new()),
            },
            (Some(Told::Comment(comment)), Some(issue)) => {
                say(&settings, &comment, &issue, call, event)
            }
            (Some(Told::Moved), Some(issue)) => {
                let api = Api::new(&settings, call.now)?;
                api.set_open(&issue, is_open(event.record.category))?;
                Ok(Vec::new())
            }
            _ => Ok(Vec::new()),
        }
    }
}

/// Makes an issue for a record, and has the record known by its name.
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
    // An earlier attempt may have made it, and its answer been lost.
    let made = if call.attempt > 1 {
        api.find(&open.project, &mark(id))?
    } else {
        None
    };
    let value_of = |name: &str| outgoing::value(record, name);
    let labels = open.labels.iter().filter(|(_, wanted)| **wanted);
    let labels: Vec<&str> = labels.map(|(label, _)| label.as_str()).collect();
    let title = fill(&open.title, value_of).replace(['\n', '\r'], " ");
    let number = match made {
        Some(number) => number,
        None => api.create(
            &open.project,
            &json!({
                "title": clip(title.trim(), MAX_TITLE),
                "description": marked(&fill(&open.body, value_of), id, MAX_BODY),
                "labels": labels.join(","),
            }),
        )?,
    };
    let issue = Issue {
        project: open.project.clone(),
        number,
    };
    Ok(vec![Command::refer(Subject::id(id), issue.to_string())])
}

/// Says on the issue what was said here.
fn say(
    settings: &Settings,
    comment: &Comment,
    issue: &Issue,
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
    if call.attempt > 1 && api.has_comment(issue, &mark(&event.id))? {
        return Ok(Vec::new());
    }
    let id = event.record.id.as_deref().unwrap_or_default();
    let text = format!("**{}** in {id}:\n\n{}", comment.who, comment.text);
    api.comment(issue, &marked(&text, &event.id, MAX_BODY))?;
    Ok(Vec::new())
}
