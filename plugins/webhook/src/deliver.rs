//! Sends events: `CloudEvents` 1.0 over HTTP in structured mode, signed.

use serde_json::Value as Json;
use servicewright_sdk::commands::{Command, Subject};
use servicewright_sdk::delivery::{self, Call, Delivery, Event};
use servicewright_sdk::http::{Request, Response};
use servicewright_sdk::{Error, OrInvalid, log};

use crate::Webhook;
use crate::settings::{Deliver, Settings};
use crate::signature;

/// Of a refusal, as much as this is worth keeping.
const MAX_EXPLANATION_CHARS: usize = 200;

impl Delivery for Webhook {
    fn deliver(call: &Call, event: &Event) -> delivery::Result<Vec<Command>> {
        let settings: Settings = call.settings()?;
        let deliver = settings
            .deliver
            .as_ref()
            .ok_or_else(|| Error::misconfigured("`deliver` does not say where events go"))?;
        let response = request(&settings, deliver, call, event)?.send()?;
        if !response.is_success() {
            return Err(refusal(&response));
        }
        log::debug(format!("delivered {}: {}", event.id, response.status));
        Ok(reference(deliver, event, &response).into_iter().collect())
    }
}

fn request(
    settings: &Settings,
    deliver: &Deliver,
    call: &Call,
    event: &Event,
) -> delivery::Result<Request> {
    let body = body(event)?;
    let timestamp = signature::timestamp(call.now);
    let names = &settings.headers;
    let mut request = Request::post(&deliver.url, body)
        .timeout(deliver.timeout.0)
        .header(
            "content-type",
            "application/cloudevents+json; charset=utf-8",
        )
        .header(&names.delivery, &event.id)
        .header(&names.timestamp, &timestamp);
    if let Some(secret) = &deliver.secret {
        let signature = signature::sign(secret, &timestamp, &request.body)?;
        request = request.header(&names.signature, signature);
    }
    for (name, value) in &deliver.headers {
        request = request.header(name, value);
    }
    Ok(request)
}

/// The event, with the receiver's own name for the record as the extension attribute `reference`.
fn body(event: &Event) -> delivery::Result<Vec<u8>> {
    let Some(reference) = event.references.first() else {
        return Ok(event.data.clone().into_bytes());
    };
    let mut data: serde_json::Map<String, Json> =
        serde_json::from_str(&event.data).or_invalid("the event is no JSON object")?;
    data.insert("reference".to_owned(), Json::String(reference.clone()));
    Ok(serde_json::to_vec(&data)?)
}

/// Why it was not taken, and whether trying again may help.
fn refusal(response: &Response) -> Error {
    let body = String::from_utf8_lossy(&response.body);
    let said: String = body.trim().chars().take(MAX_EXPLANATION_CHARS).collect();
    let status = response.status;
    let message = if said.is_empty() {
        format!("the receiver answered {status}")
    } else {
        format!("the receiver answered {status}: {said}")
    };
    if status >= 500 || status == 429 || status == 408 {
        Error::Unavailable {
            message,
            after: response.retry_after(),
        }
    } else {
        Error::InvalidInput(message)
    }
}

/// Keeps the receiver's name for the record, where it gives one that is new.
fn reference(deliver: &Deliver, event: &Event, response: &Response) -> Option<Command> {
    let pointer = deliver.reference.as_deref()?;
    let id = event.record.id.as_deref()?;
    let answer: Json = serde_json::from_slice(&response.body).ok()?;
    let name = match answer.pointer(pointer)? {
        Json::String(name) => name.clone(),
        Json::Number(number) => number.to_string(),
        _ => return None,
    };
    let is_new = !name.is_empty() && !event.references.contains(&name);
    is_new.then(|| Command::refer(Subject::id(id), name))
}
