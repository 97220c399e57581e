//! Tells another system what happened: each event as JSON in a POST.

use std::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;
use servicewright_sdk::Error;
use servicewright_sdk::commands::Command;
use servicewright_sdk::delivery::{self, Call, Delivery, Event};
use servicewright_sdk::http::Request;

/// Settings of __NAME__
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Settings {
    /// Where events go; the binding has to grant its host.
    url: String,
}

servicewright_sdk::settings!(Settings);

struct __TYPE__;

servicewright_sdk::export_delivery!(__TYPE__);

impl Delivery for __TYPE__ {
    fn deliver(call: &Call, event: &Event) -> delivery::Result<Vec<Command>> {
        let settings: Settings = call.settings()?;
        // The server puts the secret in on the way out, for the hosts that it is bound to.
        let response = Request::post(settings.url, event.data.clone())
            .header("content-type", "application/cloudevents+json")
            .header("authorization", "Bearer {{secret:token}}")
            .header("idempotency-key", call.id.clone())
            .timeout(Duration::from_secs(5))
            .send()?;
        if response.is_success() {
            return Ok(Vec::new());
        }
        let message = format!("the other side answered {}", response.status);
        Err(match response.status {
            // It may go better later, when the other side says or the server sees fit.
            429 | 500.. => Error::Unavailable {
                message,
                after: response.retry_after(),
            },
            _ => Error::misconfigured(message),
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use servicewright_sdk::delivery::{Delivery, Event};
    use servicewright_sdk::http::Response;
    use servicewright_sdk::testing::{self, Desk};

    use super::__TYPE__;

    #[test]
    fn an_event_is_posted() {
        let desk = Desk::new().respond(|_| Ok(Response::new(204, "")));
        let desk = desk.install();
        let call = testing::call(&json!({ "url": "https://other.example/events" }));
        let kind = "servicewright.record.created";
        let event = Event::new("event-1", kind, testing::record("incident"), "{}");
        let commands = __TYPE__::deliver(&call, &event).expect("an answer");
        assert!(commands.is_empty());
        assert_eq!(desk.sent().len(), 1);
    }
}
