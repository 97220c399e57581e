//! The outside world of a case: requests are answered in the order in which the case has them.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use indexmap::IndexMap;
use model::id::{BindingId, SecretId};
use plugin_host::{Exchange, SecretValue, Secrets};
use serde_json::{Value as Json, json};

use crate::case::{Case, ExchangeInput};

/// What the case under way says of the outside.
#[derive(Clone, Default)]
pub(crate) struct Outside(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    secrets: IndexMap<String, String>,
    answers: VecDeque<ExchangeInput>,
    sent: Vec<Json>,
}

impl Outside {
    /// From now on it is this case's.
    pub(crate) fn becomes(&self, case: &Case) {
        *self.state() = State {
            secrets: case.secrets.clone(),
            answers: case.http.iter().cloned().collect(),
            sent: Vec::new(),
        };
    }

    /// What went out, in order, and what was expected to go out and did not.
    pub(crate) fn told(&self) -> (Vec<Json>, Vec<Json>) {
        let state = self.state();
        let missing = state.answers.iter();
        let missing = missing.map(|exchange| {
            json!(format!(
                "{} {}",
                exchange.request.method, exchange.request.url
            ))
        });
        (state.sent.clone(), missing.collect())
    }

    pub(crate) fn exchange(&self) -> Exchange {
        let outside = self.clone();
        Arc::new(move |request| outside.state().answer(request))
    }

    pub(crate) fn secrets(&self) -> Secrets {
        let outside = self.clone();
        Arc::new(move |_: &BindingId, id: &SecretId| {
            let state = outside.state();
            let value = state.secrets.get(id.as_str())?;
            Some(SecretValue::new(value.as_bytes()))
        })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// The next answer, where it is to this request.
    fn answer(&mut self, request: &http::Request<Bytes>) -> Option<http::Response<Bytes>> {
        let (method, url) = (request.method().as_str(), request.uri().to_string());
        let is_next = |exchange: &ExchangeInput| {
            let expected = &exchange.request;
            let named = expected.url.parse::<http::Uri>();
            expected.method.eq_ignore_ascii_case(method)
                && named.is_ok_and(|named| named == *request.uri())
        };
        let body = self.blank(&String::from_utf8_lossy(request.body()));
        let body = serde_json::from_str(&body).unwrap_or(Json::String(body));
        let mut sent = json!({ "method": method, "url": self.blank(&url), "body": body });
        if sent["body"] == "" {
            sent.as_object_mut()?.shift_remove("body");
        }
        self.sent.push(sent);
        let exchange = self.answers.pop_front_if(|exchange| is_next(exchange))?;
        let answer = exchange.response;
        let mut response = http::Response::builder().status(answer.status);
        for (name, value) in &answer.headers {
            response = response.header(name, value);
        }
        response.body(answer.body.bytes().into()).ok()
    }

    /// What a file of answers keeps has no secrets in it, not even played ones.
    fn blank(&self, text: &str) -> String {
        let secrets = self.secrets.values().filter(|secret| !secret.is_empty());
        secrets.fold(text.to_owned(), |text, secret| {
            text.replace(secret, "[secret]")
        })
    }
}
