//! The card about a record, in version 1.4 of Adaptive Cards, the latest that Teams shows everywhere: what
//! happened, where the record stands, and a way to open it.

use serde::Deserialize;
use serde_json::{Value as Json, json};
use servicewright_sdk::delivery::Event;
use servicewright_sdk::{OrInvalid, Record, Result, Value};

use crate::settings::Settings;
use crate::text;

/// In characters. The whole stays far below the 28 KB that Teams takes, whatever a record holds.
const TITLE: usize = 300;
const FACT: usize = 300;
const SAID: usize = 1_000;

#[derive(Deserialize)]
struct Data {
    data: Inner,
}

#[derive(Deserialize)]
struct Inner {
    #[serde(default)]
    actor: String,
    /// One entry: what changed, by name.
    #[serde(default)]
    change: Json,
}

/// The message that carries the card, as the workflow's trigger wants it.
///
/// # Errors
/// Where the event is not as this server writes it.
pub(crate) fn message(settings: &Settings, event: &Event) -> Result<Json> {
    let Data { data } = serde_json::from_str(&event.data).or_invalid("the event is unclear")?;
    let record = &event.record;
    let id = record.id.as_deref().unwrap_or_default();
    let title: Option<&str> = record.fields.get(&settings.title).ok().flatten();
    let title = text::line(title.unwrap_or_default(), TITLE);
    let block = |text: &str| json!({ "type": "TextBlock", "text": text, "wrap": true });
    let mut heading = block(format!("{id} {title}").trim());
    heading["weight"] = "Bolder".into();
    heading["size"] = "Medium".into();
    let mut card = json!({
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "body": [
            heading,
            block(&happened(event, &data)),
            { "type": "FactSet", "facts": facts(settings, record) },
        ],
        "msteams": { "width": "Full" },
    });
    if let Some(address) = settings.link_to(id) {
        let words = if is_asked(event) { "Decide" } else { "Open" };
        card["actions"] =
            json!([{ "type": "Action.OpenUrl", "title": format!("{words} {id}"), "url": address }]);
    }
    Ok(json!({
        "type": "message",
        "attachments": [{
            "contentType": "application/vnd.microsoft.card.adaptive",
            "contentUrl": null,
            "content": card,
        }],
    }))
}

fn kind(event: &Event) -> &str {
    let kind = event.kind.as_str();
    kind.rsplit_once('.').map_or(kind, |(_, kind)| kind)
}

fn is_asked(event: &Event) -> bool {
    kind(event) == "approval-asked"
}

/// What happened, in a line.
fn happened(event: &Event, data: &Inner) -> String {
    let actor = text::line(&data.actor, FACT);
    let change = |what: &str, name: &str| {
        let said = data.change[what][name].as_str().unwrap_or_default();
        text::line(said, SAID)
    };
    let promise = |what: &str| {
        let target = data.change[what]["clock"]["target"].as_str();
        text::line(target.unwrap_or("a goal"), FACT)
    };
    match kind(event) {
        "created" => format!("Opened by {actor}"),
        "transitioned" => {
            let state = text::line(&event.record.state, FACT);
            format!("Moved to {state} by {actor}")
        }
        "assigned" => format!("Assigned: {}", change("assigned", "reason")),
        "commented" => format!("{actor} wrote: {}", change("commented", "text")),
        "linked" => format!("Linked to {}", change("linked", "target")),
        "approval-asked" => asked(&data.change),
        "voted" => {
            let approves = data.change["voted"]["approves"] == true;
            let verb = if approves { "approved" } else { "rejected" };
            format!("{} {verb}", change("voted", "person"))
        }
        "approval-decided" => format!(
            "Decided, {}: {}",
            change("approval-ended", "outcome"),
            change("approval-ended", "reason")
        ),
        "warned" => format!("Little time is left for {}", promise("warned")),
        "breached" => format!("The time for {} is over", promise("breached")),
        "notice" => change("notified", "subject"),
        "updated" => format!("Changed by {actor}"),
        other => text::line(other, FACT),
    }
}

/// Whose agreement it waits for: as many names as a line takes.
fn asked(change: &Json) -> String {
    let entitled = change.pointer("/stage-opened/approval/stage/entitled");
    let entitled = entitled.and_then(Json::as_array);
    let names = entitled.into_iter().flatten().filter_map(Json::as_str);
    let names: Vec<&str> = names.take(100).collect();
    if names.is_empty() {
        return "Waits for an agreement".to_owned();
    }
    format!(
        "Waits for the agreement of {}",
        text::line(&names.join(", "), SAID)
    )
}

fn facts(settings: &Settings, record: &Record) -> Vec<Json> {
    let fact = |title: &str, value: &str| json!({ "title": text::line(title, FACT), "value": text::line(value, FACT) });
    let mut facts = vec![fact("State", &record.state)];
    for (title, value) in [
        ("Team", &record.team),
        ("Assignee", &record.assignee),
        ("Requester", &record.requester),
    ] {
        if let Some(value) = value {
            facts.push(fact(title, value));
        }
    }
    for (field, title) in &settings.fields {
        if let Some(value) = shown(record.fields.value(field)) {
            facts.push(fact(title, &value));
        }
    }
    facts
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
