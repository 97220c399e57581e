//! Slack's Web API: a method and its arguments in JSON, an answer that says `ok` or an error by name.

use std::time::Duration;

use serde_json::{Value as Json, json};
use servicewright_sdk::http::{Request, Response};
use servicewright_sdk::{Error, Result, log};

use crate::settings::Settings;

/// Slack wants a click answered within three seconds, which leaves no more for a call on the way.
const PATIENCE: Duration = Duration::from_secs(5);
/// Of what Slack says about an error, as much as this is worth keeping.
const MAX_DETAIL_CHARS: usize = 300;

/// A message that was posted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Posted {
    pub(crate) channel: String,
    pub(crate) ts: String,
}

/// Posts a message; below another one, where there is a thread.
///
/// # Errors
/// Where Slack does not take it.
pub(crate) fn post(
    settings: &Settings,
    channel: &str,
    thread: Option<&str>,
    mut message: Json,
) -> Result<Posted> {
    message["channel"] = channel.into();
    // What a title mentions is no reason to show a preview of it.
    message["unfurl_links"] = false.into();
    message["unfurl_media"] = false.into();
    if let Some(thread) = thread {
        message["thread_ts"] = thread.into();
    }
    let answer = call(settings, "chat.postMessage", &message)?;
    let answer = answer.map_err(|refusal| refusal.into_error("chat.postMessage"))?;
    let text = |name: &str| answer[name].as_str().map(str::to_owned);
    match (text("channel"), text("ts")) {
        (Some(channel), Some(ts)) => Ok(Posted { channel, ts }),
        _ => Err(Error::internal(
            "Slack took a message and did not say where it is",
        )),
    }
}

/// Puts a message in the place of one that was posted; false where that is gone or can no longer change.
///
/// # Errors
/// Where Slack does not take it.
pub(crate) fn update(settings: &Settings, place: &Posted, mut message: Json) -> Result<bool> {
    message["channel"] = place.channel.as_str().into();
    message["ts"] = place.ts.as_str().into();
    match call(settings, "chat.update", &message)? {
        Ok(_) => Ok(true),
        Err(refusal) if refusal.is_gone() => {
            log::info(format!("a message cannot be updated: {}", refusal.error));
            Ok(false)
        }
        Err(refusal) => Err(refusal.into_error("chat.update")),
    }
}

/// Says something that only one person sees.
///
/// # Errors
/// Where Slack does not take it.
pub(crate) fn whisper(settings: &Settings, channel: &str, user: &str, text: &str) -> Result<()> {
    let message = json!({ "channel": channel, "user": user, "text": text });
    match call(settings, "chat.postEphemeral", &message)? {
        Ok(_) => Ok(()),
        Err(refusal) => Err(refusal.into_error("chat.postEphemeral")),
    }
}

/// An error that Slack named.
struct Refusal {
    error: String,
    detail: String,
    after: Option<Duration>,
}

/// The answer, or what Slack has against it.
fn call(settings: &Settings, method: &str, arguments: &Json) -> Result<Result<Json, Refusal>> {
    let api = settings.api.trim_end_matches('/');
    let response = Request::post(format!("{api}/{method}"), serde_json::to_vec(arguments)?)
        .timeout(PATIENCE)
        .header("content-type", "application/json; charset=utf-8")
        .header(
            "authorization",
            format!("Bearer {{{{secret:{}}}}}", settings.token),
        )
        .send()?;
    check_status(method, &response)?;
    let Ok(answer) = serde_json::from_slice::<Json>(&response.body) else {
        let message = format!("Slack's answer to {method} is not JSON");
        return Err(Error::unavailable(message));
    };
    if answer["ok"] == true {
        return Ok(Ok(answer));
    }
    Ok(Err(Refusal {
        error: answer["error"]
            .as_str()
            .unwrap_or("no error named")
            .to_owned(),
        detail: detail(&answer),
        after: response.retry_after(),
    }))
}

fn check_status(method: &str, response: &Response) -> Result<()> {
    let status = response.status;
    let message = format!("Slack answered {status} to {method}");
    match status {
        200..=299 => Ok(()),
        408 | 429 | 500.. => Err(Error::Unavailable {
            message,
            after: response.retry_after(),
        }),
        _ => Err(Error::Misconfigured(format!(
            "{message}: check the setting `api`"
        ))),
    }
}

/// What Slack adds to an error: the scope that is needed, or which block is wrong.
fn detail(answer: &Json) -> String {
    let mut said: Vec<&str> = Vec::new();
    said.extend(answer["needed"].as_str());
    let messages = answer["response_metadata"]["messages"].as_array();
    said.extend(messages.into_iter().flatten().filter_map(Json::as_str));
    said.join("; ").chars().take(MAX_DETAIL_CHARS).collect()
}

impl Refusal {
    /// Whether the message is no longer there, or no longer to be changed.
    fn is_gone(&self) -> bool {
        let gone = [
            "message_not_found",
            "cant_update_message",
            "edit_window_closed",
            "thread_not_found",
        ];
        gone.contains(&self.error.as_str())
    }

    /// Whether trying again may help, and what else to do where not.
    fn into_error(self, method: &str) -> Error {
        let Self {
            error,
            detail,
            after,
        } = self;
        let detail = if detail.is_empty() {
            String::new()
        } else {
            format!(" ({detail})")
        };
        let message = format!("Slack refuses {method}: {error}{detail}");
        let hint = match error.as_str() {
            "ratelimited"
            | "rate_limited"
            | "fatal_error"
            | "internal_error"
            | "service_unavailable"
            | "request_timeout" => {
                return Error::Unavailable { message, after };
            }
            "invalid_blocks"
            | "invalid_blocks_format"
            | "msg_too_long"
            | "msg_blocks_too_long"
            | "no_text"
            | "invalid_json"
            | "json_not_object" => {
                return Error::InvalidInput(message);
            }
            "not_authed" | "invalid_auth" | "token_revoked" | "token_expired"
            | "account_inactive" => "check the secret with the bot token",
            "not_in_channel" => "invite the app to the channel",
            "channel_not_found" | "is_archived" => "check the channel in the settings",
            "missing_scope" => "give the app the scope `chat:write` and install it again",
            "user_not_in_channel" => "the person has to be in the channel",
            _ => "see Slack's page on this method",
        };
        Error::Misconfigured(format!("{message}: {hint}"))
    }
}
