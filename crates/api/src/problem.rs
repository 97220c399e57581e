//! A refusal as `application/problem+json` (RFC 9457). What is written here goes outside: never a
//! stack, a path or a secret. What an operator needs goes to the log instead.

use std::time::Duration;

use axum::response::{IntoResponse, Response};
use engine::port::StoreError;
use engine::{EngineError, Rejection};
use http::{HeaderMap, HeaderValue, header};
use serde::Serialize;
use utoipa::ToSchema;

use crate::Code;

/// A refusal on its way out.
#[derive(Debug)]
pub struct Problem {
    code: Code,
    detail: String,
    faults: Vec<Fault>,
    headers: HeaderMap,
}

/// What is wrong at one place of the input.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Fault {
    /// Where, as a JSON pointer into the body that was sent.
    #[schema(example = "/fields/summary")]
    pub pointer: String,
    /// What.
    pub message: String,
}

/// The body of a refusal.
#[derive(Serialize, ToSchema)]
#[schema(as = Problem)]
pub(crate) struct ProblemBody<'a> {
    /// The kind of problem: `urn:servicewright:problem:` and the code.
    r#type: String,
    /// The same for every problem of the kind.
    title: &'static str,
    /// The HTTP status.
    status: u16,
    /// The stable code to decide by.
    code: &'static str,
    /// What went wrong this time.
    detail: &'a str,
    /// The faults of the input, each at its place.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    #[schema(required = false)]
    errors: &'a [Fault],
}

impl Problem {
    /// A problem of this kind, with what went wrong this time.
    pub fn new(code: Code, detail: impl Into<String>) -> Self {
        Self {
            code,
            detail: detail.into(),
            faults: Vec::new(),
            headers: HeaderMap::new(),
        }
    }

    /// Its code.
    pub const fn code(&self) -> Code {
        self.code
    }

    /// What went wrong this time.
    pub fn detail(&self) -> &str {
        &self.detail
    }

    /// The headers of the answer.
    pub(crate) const fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    /// The input is not accepted, for one reason.
    pub(crate) fn fault(pointer: impl Into<String>, message: impl Into<String>) -> Self {
        let fault = Fault {
            pointer: pointer.into(),
            message: message.into(),
        };
        Self::invalid(vec![fault])
    }

    /// The input is not accepted.
    pub(crate) fn invalid(faults: Vec<Fault>) -> Self {
        let detail = match faults.as_slice() {
            [only] => format!("{}: {}", place(&only.pointer), only.message),
            more => format!("{} things are wrong with the input", more.len()),
        };
        let mut problem = Self::new(Code::Invalid, detail);
        problem.faults = faults;
        problem
    }

    /// There is no such thing.
    pub(crate) fn not_found(what: &str, id: &str) -> Self {
        let id: String = id.chars().take(200).collect();
        Self::new(Code::NotFound, format!("there is no {what} `{id}`"))
    }

    /// The server failed; what went wrong is in the log.
    pub(crate) fn internal() -> Self {
        Self::new(
            Code::Internal,
            "the server failed in a way it should not; its log says more",
        )
    }

    /// With a header on the answer.
    pub(crate) fn with_header(mut self, name: header::HeaderName, value: HeaderValue) -> Self {
        self.headers.insert(name, value);
        self
    }

    /// To be tried again after this long, in whole seconds, at least one.
    pub(crate) fn retry_after(self, wait: Duration) -> Self {
        let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
        self.with_header(header::RETRY_AFTER, HeaderValue::from(seconds.max(1)))
    }

    /// With the pointers of its faults turned into pointers into the whole body.
    pub(crate) fn placed(mut self, place: impl Fn(&str) -> String) -> Self {
        if !self.faults.is_empty() {
            for fault in &mut self.faults {
                fault.pointer = place(&fault.pointer);
            }
            self.detail = Self::invalid(self.faults.clone()).detail;
        }
        self
    }
}

/// A JSON pointer as a sentence begins with it.
fn place(pointer: &str) -> &str {
    if pointer.is_empty() {
        "the body"
    } else {
        pointer
    }
}

impl From<Rejection> for Problem {
    fn from(rejection: Rejection) -> Self {
        let code = match &rejection {
            Rejection::NotFound { .. } => Code::NotFound,
            Rejection::Forbidden { .. } => Code::Forbidden,
            Rejection::NotPossible { .. } => Code::NotPossible,
            Rejection::Invalid { .. } => Code::Invalid,
            Rejection::Version { .. } => Code::Version,
            Rejection::KeyReused => Code::Idempotency,
        };
        match rejection {
            Rejection::Invalid { faults } => Self::invalid(
                faults
                    .into_iter()
                    .map(|fault| Fault {
                        pointer: fault.pointer,
                        message: fault.message,
                    })
                    .collect(),
            ),
            other => Self::new(code, other.to_string()),
        }
    }
}

impl From<EngineError> for Problem {
    fn from(error: EngineError) -> Self {
        match error {
            EngineError::Rejected(rejection) => rejection.into(),
            EngineError::Busy(what) => {
                Self::new(Code::Overloaded, what).retry_after(Duration::from_secs(1))
            }
            EngineError::Store(StoreError::Full) => {
                tracing::error!("the disk is full");
                Self::new(Code::Unavailable, StoreError::Full.to_string())
                    .retry_after(Duration::from_secs(5))
            }
            EngineError::Store(error) => {
                tracing::error!(error = engine::chain(&error), "the store failed");
                Self::new(Code::Unavailable, "the server cannot reach its data")
                    .retry_after(Duration::from_secs(5))
            }
            EngineError::Plugin(message) => {
                tracing::warn!(message, "a plugin gave no answer");
                Self::new(
                    Code::Unavailable,
                    "the plugin that this is for gave no answer",
                )
                .retry_after(Duration::from_secs(5))
            }
            other => {
                tracing::error!(error = engine::chain(&other), "a request failed");
                Self::internal()
            }
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let body = ProblemBody {
            r#type: self.code.uri(),
            title: self.code.title(),
            status: self.code.status().as_u16(),
            code: self.code.as_str(),
            detail: &self.detail,
            errors: &self.faults,
        };
        let text = serde_json::to_vec(&body).expect("texts and numbers are always JSON");
        let mut response = (self.code.status(), text).into_response();
        let kind = HeaderValue::from_static("application/problem+json");
        response.headers_mut().insert(header::CONTENT_TYPE, kind);
        response.headers_mut().extend(self.headers);
        response
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use axum::response::IntoResponse;
    use expect_test::expect;
    use http_body_util::BodyExt as _;

    use super::{Fault, Problem};
    use crate::Code;

    async fn shown(problem: Problem) -> String {
        let response = problem.into_response();
        let head = format!("{} {:?}", response.status(), response.headers());
        let body = response
            .into_body()
            .collect()
            .await
            .expect("the body is in memory")
            .to_bytes();
        format!("{head}\n{}", String::from_utf8_lossy(&body))
    }

    #[tokio::test]
    async fn a_refusal_says_its_code_and_when_to_come_back() {
        let problem = Problem::new(Code::TooManyRequests, "slow down")
            .retry_after(Duration::from_millis(1200));
        expect![[r#"
            429 Too Many Requests {"content-type": "application/problem+json", "retry-after": "2"}
            {"type":"urn:servicewright:problem:too-many-requests","title":"Too many requests","status":429,"code":"too-many-requests","detail":"slow down"}"#]]
        .assert_eq(&shown(problem).await);
    }

    #[tokio::test]
    async fn faults_of_the_input_stand_at_their_places() {
        let fault = Fault {
            pointer: "/summary".into(),
            message: "is needed".into(),
        };
        let problem = Problem::invalid(vec![fault]).placed(|pointer| format!("/fields{pointer}"));
        expect![[r#"
            422 Unprocessable Entity {"content-type": "application/problem+json"}
            {"type":"urn:servicewright:problem:invalid","title":"The input is not accepted","status":422,"code":"invalid","detail":"/fields/summary: is needed","errors":[{"pointer":"/fields/summary","message":"is needed"}]}"#]]
        .assert_eq(&shown(problem).await);
    }
}
