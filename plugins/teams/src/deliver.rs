//! Sends a card for each event to the webhook of a workflow.

use servicewright_sdk::commands::Command;
use servicewright_sdk::delivery::{self, Call, Delivery, Event};
use servicewright_sdk::http::{Request, Response};
use servicewright_sdk::{Error, Result, log};

use crate::settings::Settings;
use crate::{Teams, card};

/// Of a refusal, as much as this is worth keeping.
const MAX_EXPLANATION_CHARS: usize = 300;

impl Delivery for Teams {
    fn deliver(call: &Call, event: &Event) -> delivery::Result<Vec<Command>> {
        let settings: Settings = call.settings()?;
        let message = card::message(&settings, event)?;
        let url = settings.url_of(&event.record.workflow);
        let response = Request::post(url, serde_json::to_vec(&message)?)
            .header("content-type", "application/json")
            .send()?;
        check(&response)?;
        log::debug(format!("told {}: {}", event.id, response.status));
        Ok(Vec::new())
    }
}

/// Whether it was taken; where not, whether trying again may help, and what else to do.
fn check(response: &Response) -> Result<()> {
    let status = response.status;
    if response.is_success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&response.body);
    let said: String = said.trim().chars().take(MAX_EXPLANATION_CHARS).collect();
    let message = if said.is_empty() {
        format!("the workflow answered {status}")
    } else {
        format!("the workflow answered {status}: {said}")
    };
    Err(match status {
        408 | 429 | 500.. => Error::Unavailable {
            message,
            after: response.retry_after(),
        },
        400 | 413 => Error::InvalidInput(message),
        401 | 403 => Error::Misconfigured(format!(
            "{message}: check the secret in the address, and that anyone may trigger the workflow"
        )),
        404 | 410 => Error::Misconfigured(format!(
            "{message}: the workflow is gone, or the address is another one now"
        )),
        _ => Error::Misconfigured(format!("{message}: check the setting `url`")),
    })
}
