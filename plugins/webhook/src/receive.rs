//! Receives requests: verifies who sent them, and turns them into commands.

use servicewright_sdk::webhook::{self, Call, Reply, Request, Response};
use servicewright_sdk::{Error, log};

use crate::Webhook;
use crate::body::Body;
use crate::settings::{Receive, Settings};
use crate::signature;

impl webhook::Webhook for Webhook {
    fn receive(call: &Call, request: &Request) -> webhook::Result<Reply> {
        let settings: Settings = call.settings()?;
        let receive = settings
            .receive
            .as_ref()
            .ok_or_else(|| Error::misconfigured("`receive` does not say whom to believe"))?;
        if request.method != "POST" {
            let mut response = Response::text(405, "Send a POST.");
            response
                .headers
                .push(("allow".to_owned(), "POST".to_owned()));
            return Ok(Reply::new(response));
        }
        // Before anything is read out of the body: who sent it.
        if let Err(why) = genuine(&settings, receive, call, request)? {
            log::warn(format!("refused a request: {why}"));
            return Ok(Reply::new(Response::text(401, sentence(why))));
        }
        let body = match Body::read(&request.body) {
            Ok(body) => body,
            Err(error) => {
                return Ok(Reply::new(Response::text(400, sentence(error.message()))));
            }
        };
        let named = request.header(&settings.headers.delivery);
        // The body's own id comes first: unlike a header it is signed.
        let Some(delivery) = body.id.or(named.map(str::to_owned)) else {
            let why = "neither the body nor a header says which delivery this is";
            return Ok(Reply::new(Response::text(400, sentence(why))));
        };
        let response = Response {
            status: 200,
            headers: vec![("content-type".to_owned(), "application/json".to_owned())],
            body: serde_json::to_vec(&serde_json::json!({ "commands": body.commands.len() }))?,
        };
        Ok(Reply::new(response)
            .delivery(delivery)
            .commands(body.commands))
    }
}

fn genuine(
    settings: &Settings,
    receive: &Receive,
    call: &Call,
    request: &Request,
) -> webhook::Result<Result<(), &'static str>> {
    let names = &settings.headers;
    let timestamp = request.header(&names.timestamp);
    let signature = request.header(&names.signature);
    signature::check(receive, call.now, timestamp, signature, &request.body)
}

/// Words as a sentence.
fn sentence(words: &str) -> String {
    let mut letters = words.chars();
    match letters.next() {
        Some(first) => format!("{}{}.", first.to_uppercase(), letters.as_str()),
        None => String::new(),
    }
}
