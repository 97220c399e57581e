//! A client of a server: one person's token, and what is asked with it.

use std::ops::Index;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use reqwest::Method;
use reqwest::header::HeaderMap;
use serde_json::Value;

/// How long an answer may take.
const ANSWERED: Duration = Duration::from_mins(1);

/// Asks a server in one person's name. Clones share connections.
#[derive(Clone)]
pub struct Client {
    address: Arc<Mutex<String>>,
    token: String,
    http: reqwest::Client,
}

impl Client {
    pub(crate) fn new(address: Arc<Mutex<String>>, token: &str) -> Self {
        let http = reqwest::Client::builder()
            .timeout(ANSWERED)
            .no_proxy()
            .build()
            .expect("a client needs nothing but memory");
        Self {
            address,
            token: token.to_owned(),
            http,
        }
    }

    /// A request to a path, such as `/api/v1/records`, with the token.
    pub fn request(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        let address = self.address.lock().unwrap_or_else(PoisonError::into_inner);
        let request = self.http.request(method, format!("{}{path}", *address));
        if self.token.is_empty() {
            request
        } else {
            request.bearer_auth(&self.token)
        }
    }

    /// Reads.
    pub async fn get(&self, path: &str) -> Answer {
        Answer::of(self.request(Method::GET, path)).await
    }

    /// Asks for something to be done.
    pub async fn post(&self, path: &str, body: &Value) -> Answer {
        Answer::of(self.request(Method::POST, path).json(body)).await
    }

    /// Asks for something to be done once under a key.
    pub async fn post_once(&self, path: &str, key: &str, body: &Value) -> Answer {
        let request = self
            .request(Method::POST, path)
            .header("Idempotency-Key", key);
        Answer::of(request.json(body)).await
    }

    /// Puts.
    pub async fn put(&self, path: &str, body: &Value) -> Answer {
        Answer::of(self.request(Method::PUT, path).json(body)).await
    }

    /// Removes.
    pub async fn delete(&self, path: &str) -> Answer {
        Answer::of(self.request(Method::DELETE, path)).await
    }

    /// Changes fields.
    pub async fn patch(&self, path: &str, body: &Value) -> Answer {
        Answer::of(self.request(Method::PATCH, path).json(body)).await
    }

    /// Begins a record, which must succeed.
    pub async fn create(&self, workflow: &str, create: &str, fields: Value) -> Answer {
        let body = serde_json::json!({ "workflow": workflow, "create": create, "fields": fields });
        self.post("/api/v1/records", &body).await.expect(201)
    }

    /// Takes a transition.
    pub async fn transition(&self, record: &str, name: &str, input: Value) -> Answer {
        let path = format!("/api/v1/records/{record}/transitions/{name}");
        self.post(&path, &serde_json::json!({ "input": input }))
            .await
    }

    /// A record, which must be there.
    pub async fn record(&self, record: &str) -> Value {
        self.get(&format!("/api/v1/records/{record}"))
            .await
            .expect(200)
            .body
    }

    /// The whole history of a record, oldest entry first.
    pub async fn history(&self, record: &str) -> Vec<Value> {
        let mut entries = Vec::new();
        let mut after = Value::from(0);
        loop {
            let path = format!("/api/v1/records/{record}/history?after={after}&limit=100");
            let mut part = self.get(&path).await.expect(200).body;
            if let Some(more) = part["entries"].as_array_mut() {
                entries.append(more);
            }
            after = part["next"].take();
            if after.is_null() {
                return entries;
            }
        }
    }
}

/// What the server answered. Indexing looks into the body.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body as JSON; text where it is none, null where there is none.
    pub body: Value,
}

impl Answer {
    /// The answer to a request.
    pub async fn of(request: reqwest::RequestBuilder) -> Self {
        match Self::try_of(request).await {
            Ok(answer) => answer,
            Err(error) => panic!("the server gave no answer: {error:?}"),
        }
    }

    /// The answer to a request, where there is one: a server may be killed meanwhile.
    ///
    /// # Errors
    /// Where there was none, or only a part.
    pub async fn try_of(request: reqwest::RequestBuilder) -> reqwest::Result<Self> {
        let response = request.send().await?;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let text = response.text().await?;
        let body = if text.is_empty() {
            Value::Null
        } else {
            serde_json::from_str(&text).unwrap_or(Value::String(text))
        };
        Ok(Self {
            status,
            headers,
            body,
        })
    }

    /// The answer, which must have this status.
    #[must_use]
    #[track_caller]
    pub fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "the server answered {}", self.body);
        self
    }

    /// A header as text; empty where it is absent.
    pub fn header(&self, name: &str) -> &str {
        let value = self.headers.get(name);
        value
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
    }

    /// The number of the record that was answered.
    #[track_caller]
    pub fn id(&self) -> String {
        self["id"]
            .as_str()
            .expect("a record has a number")
            .to_owned()
    }
}

impl Index<&str> for Answer {
    type Output = Value;

    fn index(&self, name: &str) -> &Value {
        &self.body[name]
    }
}
