//! The message about a record, in Slack's Block Kit, within its documented lengths: where the record
//! stands, the agreement that it waits for with its buttons, and what happened last.

use serde_json::{Value as Json, json};
use servicewright_sdk::delivery::Event;
use servicewright_sdk::{Instant, Record, Value};

use crate::event::Happening;
use crate::memory::{Approval, Told};
use crate::settings::Settings;
use crate::text;

/// Below the 3,000 that a section's text may have, for what stands around it.
const SECTION: usize = 2_800;
/// The title, in its section and in what notifications show.
const TITLE: usize = 300;
/// One of the fields of a section; Slack allows 2,000, a reader less.
const FIELD: usize = 300;
/// So many people are named; the rest are counted.
const MOST_NAMED: usize = 20;

/// The ids of the buttons, by which a click is known.
pub(crate) const APPROVE: &str = "approve";
pub(crate) const REJECT: &str = "reject";

/// The whole message.
pub(crate) fn of(
    settings: &Settings,
    told: &Told,
    happening: &Happening,
    event: &Event,
    now: Instant,
) -> Json {
    let record = &event.record;
    let id = record.id.as_deref().unwrap_or_default();
    let name = link(settings, id);
    let title = title(settings, record);
    let mut blocks = vec![
        section(&format!("*{name}* {title}")),
        json!({ "type": "section", "fields": fields(settings, record) }),
    ];
    if let Some(approval) = &told.approval {
        blocks.push(section(&agreement(settings, approval)));
        if approval.is_open() && settings.clicks.is_some() {
            blocks.push(buttons(id, approval));
        }
    }
    let line = happening.line(event);
    blocks.push(context(&format!("{line} · {}", date(now))));
    json!({ "text": format!("{id} {title}: {line}"), "blocks": blocks })
}

/// What is said below the message, where an update alone would pass unseen.
pub(crate) fn reply(
    settings: &Settings,
    told: &Told,
    happening: &Happening,
    event: &Event,
) -> Json {
    let line = happening.line(event);
    let text = match &told.approval {
        Some(approval) if happening.kind == "approval-asked" => agreement(settings, approval),
        _ => line,
    };
    json!({ "text": text })
}

fn section(text: &str) -> Json {
    json!({ "type": "section", "text": { "type": "mrkdwn", "text": text } })
}

fn context(text: &str) -> Json {
    json!({ "type": "context", "elements": [{ "type": "mrkdwn", "text": text }] })
}

fn link(settings: &Settings, id: &str) -> String {
    match settings.link_to(id) {
        Some(address) => text::link(&address, id),
        None => id.to_owned(),
    }
}

fn title(settings: &Settings, record: &Record) -> String {
    let title = record.fields.get::<Option<&str>>(&settings.title);
    text::line(title.ok().flatten().unwrap_or_default(), TITLE)
}

/// State, team, assignee and requester, and what the settings add: ten at most, which is Slack's bound.
fn fields(settings: &Settings, record: &Record) -> Vec<Json> {
    let field = |label: &str, value: &str| {
        let value = text::line(value, FIELD);
        let label = text::line(label, FIELD);
        json!({ "type": "mrkdwn", "text": format!("*{label}*\n{value}") })
    };
    let mut fields = vec![field("State", &record.state)];
    for (label, value) in [
        ("Team", &record.team),
        ("Assignee", &record.assignee),
        ("Requester", &record.requester),
    ] {
        if let Some(value) = value {
            fields.push(field(label, value));
        }
    }
    for (id, label) in &settings.fields {
        if let Some(value) = shown(record.fields.value(id)) {
            fields.push(field(label, &value));
        }
    }
    fields.truncate(10);
    fields
}

fn shown(value: &Value) -> Option<String> {
    Some(match value {
        Value::Boolean(true) => "yes".to_owned(),
        Value::Boolean(false) => "no".to_owned(),
        Value::Integer(number) => number.to_string(),
        Value::Number(number) => number.to_string(),
        Value::Text(text) => text.clone(),
        Value::Instant(instant) => instant.to_string(),
        Value::Texts(texts) => texts.join(", "),
        // JSON is for programs.
        _ => return None,
    })
}

/// Who is asked, who has voted, and how it ended.
fn agreement(settings: &Settings, approval: &Approval) -> String {
    let stage = text::plain(&approval.stage, 100);
    let mut lines = Vec::new();
    match &approval.ended {
        None => {
            let votes = match approval.needed {
                1 => "one vote is needed".to_owned(),
                needed => format!("{needed} votes are needed"),
            };
            lines.push(format!("*Waits for the agreement of {stage}*: {votes}."));
        }
        Some((outcome, reason)) => {
            let mut outcome = text::plain(outcome, 100);
            if let Some(first) = outcome.get_mut(..1) {
                first.make_ascii_uppercase();
            }
            lines.push(format!("*{outcome}*: {}", text::line(reason, FIELD)));
        }
    }
    if let Some(entitled) = &approval.entitled {
        let named = entitled.iter().take(MOST_NAMED);
        let named: Vec<String> = named.map(|person| who(settings, person)).collect();
        let more = match entitled.len().saturating_sub(MOST_NAMED) {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        lines.push(format!("Asked: {}{more}", named.join(", ")));
    }
    let mut units: usize = lines.iter().map(|line| line.encode_utf16().count()).sum();
    for cast in &approval.votes {
        let verb = if cast.approves {
            "approved"
        } else {
            "rejected"
        };
        let comment = match &cast.comment {
            Some(comment) => format!(": {}", text::line(comment, FIELD)),
            None => String::new(),
        };
        let line = format!("{} {verb}{comment}", who(settings, &cast.person));
        units += 1 + line.encode_utf16().count();
        if units > SECTION {
            lines.push("…".to_owned());
            break;
        }
        lines.push(line);
    }
    lines.join("\n")
}

/// A person, as Slack shows its own users where that is known.
fn who(settings: &Settings, person: &str) -> String {
    match settings.user_of(person) {
        Some(user) => format!("<@{user}>"),
        None => text::plain(person, 60),
    }
}

/// Two buttons that say which question they answer.
fn buttons(id: &str, approval: &Approval) -> Json {
    let value = json!({ "record": id, "stage": approval.stage, "round": approval.round });
    let button = |action: &str, words: &str, style: &str| {
        json!({
            "type": "button",
            "action_id": action,
            "style": style,
            "text": { "type": "plain_text", "text": words },
            "value": value.to_string(),
        })
    };
    json!({
        "type": "actions",
        "block_id": "agreement",
        "elements": [button(APPROVE, "Approve", "primary"), button(REJECT, "Reject", "danger")],
    })
}

/// A time that Slack shows in each reader's own zone.
fn date(now: Instant) -> String {
    let seconds = now.millis().div_euclid(1000);
    format!("<!date^{seconds}^{{date_short_pretty}} {{time}}|{now}>")
}
