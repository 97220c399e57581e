//! Looks now and then for issues that Jira changed and did not report: those that became the desk's
//! business, and those that are in another status.
//!
//! A cursor says up to when all is known. Each run asks for what changed since, oldest first, as many
//! pages as a run may take, and moves the cursor as far as it came. What is found again changes nothing.

use std::time::Duration;

use counterpart::incoming::{Intake, commands};
use servicewright_sdk::commands::Command;
use servicewright_sdk::schedule::{self, Call, Schedule};
use servicewright_sdk::{Instant, Record, Result, directory, key_value, log};

use crate::api::Api;
use crate::message::{is_ours, moved, opened};
use crate::payload::Issue;
use crate::settings::Settings;
use crate::text::LABEL;
use crate::{Jira, known};

/// Where the cursor is kept.
const CURSOR: &str = "cursor";
/// How many pages of issues one run reads.
const MAX_PAGES: usize = 4;
/// How many commands one run gives, a few below what a call may.
const MAX_COMMANDS: usize = 80;
/// How far back the first run looks, and the longest that any looks back.
const FIRST: Duration = Duration::from_hours(1);
const LONGEST: Duration = Duration::from_hours(14 * 24);

impl Schedule for Jira {
    fn run(call: &Call) -> schedule::Result<Vec<Command>> {
        let settings: Settings = call.settings()?;
        let Some(intake) = &settings.receive else {
            return Ok(Vec::new());
        };
        let stored = key_value::get(CURSOR)?;
        let cursor = cursor(stored.as_deref(), call.now);
        let (commands, reached) = look(&settings, intake, cursor, call.now)?;
        let reached = reached.max(cursor).to_string();
        // Where another run was faster, its cursor stands.
        key_value::compare_and_set(CURSOR, stored.as_deref(), Some(reached.as_bytes()))?;
        log::debug(format!("looked from {cursor} to {reached}"));
        Ok(commands)
    }
}

fn cursor(stored: Option<&[u8]>, now: Instant) -> Instant {
    let text = stored.and_then(|bytes| std::str::from_utf8(bytes).ok());
    let cursor = text.and_then(|text| text.parse().ok());
    cursor.unwrap_or(now - FIRST).max(now - LONGEST).min(now)
}

/// What is to be done about what changed, and up to when all is known then.
fn look(
    settings: &Settings,
    intake: &Intake,
    since: Instant,
    now: Instant,
) -> Result<(Vec<Command>, Instant)> {
    let api = Api::new(settings, now)?;
    let Some(jql) = query(settings, since, now) else {
        return Ok((Vec::new(), now));
    };
    let mut done = Vec::new();
    let mut reached = since;
    let mut next = None;
    for _ in 0..MAX_PAGES {
        let page = api.search(&jql, next.as_ref())?;
        for issue in &page.issues {
            if done.len() >= MAX_COMMANDS {
                return Ok((done, reached));
            }
            done.extend(of_issue(settings, intake, issue)?);
            reached = updated(issue).unwrap_or(reached);
        }
        next = page.next;
        if next.is_none() {
            return Ok((done, now));
        }
    }
    Ok((done, reached))
}

/// The query for what changed since. Times in queries are in the time zone of the account and end at
/// the minute; a span before the present is neither.
fn query(settings: &Settings, since: Instant, now: Instant) -> Option<String> {
    let projects = settings.projects.iter().filter(|(_, listens)| **listens);
    let projects: Vec<_> = projects.map(|(key, _)| quoted(key)).collect();
    if projects.is_empty() {
        return None;
    }
    let labels: Vec<_> = settings
        .label
        .iter()
        .map(String::as_str)
        .chain([LABEL])
        .map(quoted)
        .collect();
    let minutes = now.since(since).as_secs() / 60 + 2;
    Some(format!(
        "project in ({}) AND labels in ({}) AND updated >= -{minutes}m ORDER BY updated ASC",
        projects.join(", "),
        labels.join(", ")
    ))
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

fn of_issue(settings: &Settings, intake: &Intake, issue: &Issue) -> Result<Vec<Command>> {
    if !is_ours(settings, issue) {
        return Ok(Vec::new());
    }
    let Some(record) = directory::referenced(&issue.key)? else {
        let message = opened(settings, issue, None);
        return Ok(message.map_or_else(Vec::new, |message| commands(intake, &message, None)));
    };
    let status = issue.fields.status.as_ref().map(|status| &status.name);
    let (Some(status), true) = (status, is_later(issue, &record)) else {
        return Ok(Vec::new());
    };
    if known::status(&issue.key)?.as_ref() == Some(status) {
        return Ok(Vec::new());
    }
    let message = moved(settings, issue, None, "found");
    let commands = message.map_or_else(Vec::new, |message| {
        commands(intake, &message, Some(&record))
    });
    if !commands.is_empty() {
        known::set(&issue.key, status);
    }
    Ok(commands)
}

/// Whether the issue changed after the record came into its state: or else it is Jira that has to be told.
fn is_later(issue: &Issue, record: &Record) -> bool {
    updated(issue).is_some_and(|updated| updated > record.state_since)
}

/// When an issue last changed. Jira writes the offset without a colon.
fn updated(issue: &Issue) -> Option<Instant> {
    let text = &issue.fields.updated;
    let at = text.len().checked_sub(5)?;
    let (time, offset) = text.split_at_checked(at)?;
    if offset.starts_with(['+', '-']) && !offset.contains(':') {
        return format!("{time}{}:{}", offset.get(..3)?, offset.get(3..)?)
            .parse()
            .ok();
    }
    text.parse().ok()
}
