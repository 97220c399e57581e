//! Receives what Jira reports: whether it is Jira, and what becomes of it.

use counterpart::incoming::{Happened, take};
use counterpart::text::{only_post, said};
use servicewright_sdk::signing::{from_hex, verify_hmac_sha256};
use servicewright_sdk::webhook::{self, Call, Reply, Request};
use servicewright_sdk::{Error, Result, log};

use crate::message::of_payload;
use crate::payload::Payload;
use crate::settings::Settings;
use crate::{Jira, known};

/// How the signature's header begins.
const SCHEME: &str = "sha256=";

impl webhook::Webhook for Jira {
    fn receive(call: &Call, request: &Request) -> webhook::Result<Reply> {
        let settings: Settings = call.settings()?;
        let secret = settings
            .secret
            .as_ref()
            .ok_or_else(|| Error::misconfigured("`secret` does not say what Jira signs with"))?;
        if request.method != "POST" {
            return Ok(only_post());
        }
        // Before anything is read out of the body: who sent it.
        if !is_genuine(secret, settings.previous_secret.as_ref(), request)? {
            let id = request.header("x-atlassian-webhook-identifier");
            log::warn(format!(
                "refused the delivery {:.64}: its signature does not fit",
                id.unwrap_or("without an id")
            ));
            return Ok(said(401, "the signature does not fit"));
        }
        let payload: Payload = match serde_json::from_slice(&request.body) {
            Ok(payload) => payload,
            Err(error) => {
                return Ok(said(
                    400,
                    &format!("the body is no webhook of Jira's: {error}"),
                ));
            }
        };
        let Some(intake) = &settings.receive else {
            return Ok(said(202, "nothing is done about this event"));
        };
        let mut reply = said(202, "nothing is done about this event");
        for message in of_payload(&settings, &payload) {
            let taken = take(intake, &message)?;
            if let Happened::Moved(status) = &message.happened
                && !taken.commands.is_empty()
            {
                known::set(&message.reference, status);
            }
            if reply.commands.is_empty() {
                reply = taken;
            } else {
                reply.commands.extend(taken.commands);
            }
        }
        Ok(reply)
    }
}

/// Whether the request bears Jira's signature: HMAC-SHA-256 of the body, in hexadecimal digits behind
/// `sha256=`.
fn is_genuine(secret: &str, previous: Option<&String>, request: &Request) -> Result<bool> {
    let signature = request
        .header("x-hub-signature")
        .and_then(|header| header.strip_prefix(SCHEME))
        .and_then(from_hex);
    let Some(signature) = signature else {
        return Ok(false);
    };
    if verify_hmac_sha256(secret, &request.body, &signature)? {
        return Ok(true);
    }
    previous.map_or(Ok(false), |secret| {
        verify_hmac_sha256(secret, &request.body, &signature)
    })
}
