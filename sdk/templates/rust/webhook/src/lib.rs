//! Turns signed requests into incidents: a POST with a summary and the sender's own id of it.

use schemars::JsonSchema;
use serde::Deserialize;
use servicewright_sdk::commands::Command;
use servicewright_sdk::webhook::{self, Call, Reply, Request, Response, Webhook};
use servicewright_sdk::{Fields, signing};

/// Settings of __NAME__
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Settings {
    /// The name of the secret that the sender signs with; the binding has to grant it with `sign`.
    secret: String,
}

servicewright_sdk::settings!(Settings);

/// What the sender says.
#[derive(Deserialize)]
struct Ticket {
    id: String,
    summary: String,
}

struct __TYPE__;

servicewright_sdk::export_webhook!(__TYPE__);

impl Webhook for __TYPE__ {
    fn receive(call: &Call, request: &Request) -> webhook::Result<Reply> {
        let settings: Settings = call.settings()?;
        let signature = request.header("x-signature").unwrap_or_default();
        let signature = signing::from_hex(signature).unwrap_or_default();
        // The sender is believed only by its signature, which covers the whole body.
        if !signing::verify_hmac_sha256(&settings.secret, &request.body, &signature)? {
            return Ok(Reply::new(Response::text(401, "The signature is wrong.")));
        }
        let ticket: Ticket = match serde_json::from_slice(&request.body) {
            Ok(ticket) => ticket,
            Err(error) => return Ok(Reply::new(Response::text(400, error.to_string()))),
        };
        let fields = Fields::new().with("summary", ticket.summary);
        let create = Command::create("incident", fields).reference(ticket.id.clone());
        Ok(Reply::new(Response::status(204))
            .delivery(ticket.id)
            .commands([create]))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use servicewright_sdk::signing;
    use servicewright_sdk::testing::{self, Desk};
    use servicewright_sdk::webhook::{Request, Webhook};

    use super::__TYPE__;

    #[test]
    fn only_what_is_signed_becomes_an_incident() {
        let _desk = Desk::new().secret("key", b"open sesame").install();
        let call = testing::call(&json!({ "secret": "key" }));
        let body = r#"{ "id": "T-1", "summary": "Printer on fire" }"#;
        let mut request = Request::post("/", body);
        let reply = __TYPE__::receive(&call, &request).expect("an answer");
        assert_eq!((reply.response.status, reply.commands.len()), (401, 0));

        let signature = signing::hmac_sha256("key", body.as_bytes()).expect("a signature");
        let signature = signing::to_hex(&signature);
        request.headers.push(("x-signature".to_owned(), signature));
        let reply = __TYPE__::receive(&call, &request).expect("an answer");
        assert_eq!((reply.response.status, reply.commands.len()), (204, 1));
    }
}
