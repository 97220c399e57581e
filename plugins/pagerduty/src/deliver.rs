//! Tells PagerDuty what became of a record: an event of the Events API v2, which triggers, acknowledges
//! or resolves the alert of that record.

use serde::Deserialize;
use serde_json::{Map, Value as Json, json};
use servicewright_sdk::commands::Command;
use servicewright_sdk::delivery::{self, Call, Delivery, Event};
use servicewright_sdk::http::{Request, Response};
use servicewright_sdk::{Category, Error, OrInvalid, Record, Result, Value, log};

use crate::settings::{Meaning, Send, Settings, Severity};
use crate::{PagerDuty, cut, incident};

/// PagerDuty's bound for the summary of an event.
const SUMMARY_CHARS: usize = 1_024;
/// Of a detail, as much as somebody who was woken up reads.
const DETAIL_CHARS: usize = 1_000;
/// Of a refusal, as much as this is worth keeping.
const MAX_EXPLANATION_CHARS: usize = 300;

impl Delivery for PagerDuty {
    fn deliver(call: &Call, event: &Event) -> delivery::Result<Vec<Command>> {
        let settings: Settings = call.settings()?;
        let send = settings
            .send
            .as_ref()
            .ok_or_else(|| Error::misconfigured("`send` does not say what PagerDuty is told"))?;
        let record = &event.record;
        let Some(id) = record.id.as_deref() else {
            return Ok(Vec::new());
        };
        if is_own(call, event)? {
            log::debug(format!("{}: PagerDuty knows, it said so itself", event.id));
            return Ok(Vec::new());
        }
        if event
            .references
            .iter()
            .any(|name| incident::began_there(name))
        {
            log::debug(format!("{}: {id} began in PagerDuty", event.id));
            return Ok(Vec::new());
        }
        let action = match meaning(send, record) {
            Meaning::Trigger => "trigger",
            Meaning::Acknowledge => "acknowledge",
            Meaning::Resolve => "resolve",
            Meaning::Nothing => return Ok(Vec::new()),
        };
        let mut body = json!({
            // Filled in on the way out.
            "routing_key": "",
            "event_action": action,
            "dedup_key": incident::dedup_key(&settings.source, id),
        });
        if action == "trigger" {
            describe(&mut body, &settings, send, record, call);
        }
        let response = Request::post(&send.url, serde_json::to_vec(&body)?)
            .header("content-type", "application/json")
            .secret_in_body(&send.routing_key, "/routing_key")
            .send()?;
        check(&response)?;
        log::debug(format!("{}: {action} for {id}", event.id));
        Ok(Vec::new())
    }
}

/// Whether this binding caused it, on word from PagerDuty.
fn is_own(call: &Call, event: &Event) -> Result<bool> {
    #[derive(Deserialize)]
    struct Data {
        data: Inner,
    }
    #[derive(Deserialize)]
    struct Inner {
        #[serde(default)]
        actor: String,
    }
    let Data { data } = serde_json::from_str(&event.data).or_invalid("the event is unclear")?;
    let own: Option<&str> = call.facts.get("binding")?;
    Ok(own.is_some_and(|own| data.actor.strip_prefix("binding:") == Some(own)))
}

fn meaning(send: &Send, record: &Record) -> Meaning {
    let by_category = match record.category {
        Category::Open | Category::Waiting => Meaning::Trigger,
        Category::Resolved | Category::Closed => Meaning::Resolve,
    };
    send.states
        .get(&record.state)
        .copied()
        .unwrap_or(by_category)
}

/// What a trigger says beyond its key.
fn describe(body: &mut Json, settings: &Settings, send: &Send, record: &Record, call: &Call) {
    let id = record.id.as_deref().unwrap_or_default();
    let text = |field: &str| -> Option<&str> { record.fields.get(field).ok().flatten() };
    let title = text(&send.title).unwrap_or_default();
    let severity = text(&send.priority).and_then(|value| send.severities.get(value));
    let severity = severity.copied().unwrap_or(Severity::Error);
    body["payload"] = json!({
        "summary": cut(format!("{id} {title}").trim(), SUMMARY_CHARS),
        "source": settings.source,
        "severity": severity.as_str(),
        "timestamp": call.now.to_string(),
        "class": record.workflow,
        "custom_details": details(send, record),
    });
    if let Some(team) = &record.team {
        body["payload"]["group"] = team.as_str().into();
    }
    body["client"] = "Servicewright".into();
    if let Some(link) = &send.link {
        let link = link.replace("{id}", id);
        body["client_url"] = link.as_str().into();
        body["links"] = json!([{ "href": link, "text": id }]);
    }
}

fn details(send: &Send, record: &Record) -> Json {
    let mut details = Map::new();
    let own = [
        ("state", Some(&record.state)),
        ("requester", record.requester.as_ref()),
        ("assignee", record.assignee.as_ref()),
    ];
    for (name, value) in own {
        if let Some(value) = value {
            details.insert(name.to_owned(), cut(value, DETAIL_CHARS).into());
        }
    }
    for (field, label) in &send.fields {
        let shown = match record.fields.value(field) {
            Value::Boolean(value) => Json::from(*value),
            Value::Integer(value) => Json::from(*value),
            Value::Number(value) => Json::from(*value),
            Value::Text(value) => cut(value, DETAIL_CHARS).into(),
            Value::Instant(value) => value.to_string().into(),
            Value::Texts(values) => cut(&values.join(", "), DETAIL_CHARS).into(),
            _ => continue,
        };
        details.insert(label.clone(), shown);
    }
    Json::Object(details)
}

/// Whether it was taken; where not, whether trying again may help.
fn check(response: &Response) -> Result<()> {
    let status = response.status;
    if response.is_success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&response.body);
    let said = cut(said.trim(), MAX_EXPLANATION_CHARS);
    let message = if said.is_empty() {
        format!("PagerDuty answered {status}")
    } else {
        format!("PagerDuty answered {status}: {said}")
    };
    Err(match status {
        408 | 429 | 500.. => Error::Unavailable {
            message,
            after: response.retry_after(),
        },
        400 if said.contains("routing_key") => Error::Misconfigured(format!(
            "{message}: check the secret with the integration key"
        )),
        400 => Error::InvalidInput(message),
        _ => Error::Misconfigured(format!(
            "{message}: check the address and the integration key"
        )),
    })
}
