//! Hears from Slack: finds out whether it is Slack, answers its test of the address, and takes clicks.

use servicewright_sdk::webhook::{self, Call, Reply, Request, Response};
use servicewright_sdk::{Error, log};

use serde::Deserialize;

use crate::click::{self, Outcome};
use crate::settings::{Clicks, Settings};
use crate::{Slack, api, signature};

/// What Slack sends to the address for events.
#[derive(Deserialize)]
struct Posted {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    challenge: Option<String>,
}

impl webhook::Webhook for Slack {
    fn receive(call: &Call, request: &Request) -> webhook::Result<Reply> {
        let settings: Settings = call.settings()?;
        let clicks = settings
            .clicks
            .as_ref()
            .ok_or_else(|| Error::misconfigured("`clicks` does not say whose clicks count"))?;
        if request.method != "POST" {
            let mut response = Response::text(405, "Send a POST.");
            let allow = ("allow".to_owned(), "POST".to_owned());
            response.headers.push(allow);
            return Ok(Reply::new(response));
        }
        // Before anything is read out of the body: who sent it.
        if let Err(why) = signature::check(clicks, call.now, request)? {
            log::warn(format!("refused a request: {why}"));
            return Ok(refusal(401, why));
        }
        let kind = request.header("content-type").unwrap_or_default();
        let kind = kind.split(';').next().unwrap_or_default().trim();
        let answered = match kind.to_ascii_lowercase().as_str() {
            "application/x-www-form-urlencoded" => interaction(&settings, clicks, request),
            "application/json" => Ok(posted(request)),
            _ => Ok(refusal(415, "Send a form or JSON, as Slack does.")),
        };
        match answered {
            Err(Error::InvalidInput(why)) => {
                Ok(refusal(400, &format!("The request is unclear: {why}.")))
            }
            other => other,
        }
    }
}

/// A click, in the field `payload` of a form.
fn interaction(settings: &Settings, clicks: &Clicks, request: &Request) -> webhook::Result<Reply> {
    let mut fields = form_urlencoded::parse(&request.body);
    let Some((_, payload)) = fields.find(|(name, _)| name == "payload") else {
        return Ok(refusal(400, "The form has no `payload`."));
    };
    let taken = Reply::new(Response::status(200));
    match click::answer(settings, clicks, &payload)? {
        Outcome::Nothing => Ok(taken),
        Outcome::Told {
            channel,
            user,
            text,
        } => {
            log::info(format!("a click of {user} does not count: {text}"));
            api::whisper(settings, &channel, &user, &text)?;
            Ok(taken)
        }
        Outcome::Vote { command, delivery } => Ok(taken.delivery(delivery).commands(vec![command])),
    }
}

/// Something for the address of events: the test whether it is ours, or an event, of which none is used.
fn posted(request: &Request) -> Reply {
    let Ok(Posted { kind, challenge }) = serde_json::from_slice(&request.body) else {
        return refusal(400, "The body is not one of Slack's.");
    };
    match (kind.as_str(), challenge) {
        ("url_verification", Some(challenge)) => Reply::new(Response::text(200, challenge)),
        ("url_verification", None) => refusal(400, "The test of the address has no challenge."),
        _ => Reply::new(Response::status(200)),
    }
}

fn refusal(status: u16, why: &str) -> Reply {
    Reply::new(Response::text(status, why))
}
