//! What is asked, out of the request: path and query in typed form, and bodies that ask for a
//! change, with the key under which it is carried out once and the version that it is meant for.

use axum::body::Body;
use axum::extract::{FromRequest, FromRequestParts, Path, Query, Request};
use engine::Executed;
use http::request::Parts;
use http::{HeaderMap, HeaderName, Method, header};
use http_body_util::BodyExt as _;
use model::Digest;
use model::command::{Action, IdempotencyKey};
use model::id::RecordId;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use serde_path_to_error::Segment;
use tracing::Instrument as _;

use crate::api::finished;
use crate::auth::Caller;
use crate::json::{self, Bounds};
use crate::linger::linger;
use crate::{Api, Code, Fault, Problem, tag};

/// The header of an idempotency key.
pub(crate) const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// The most characters of an idempotency key.
const MOST_KEY_CHARS: usize = 200;

/// What stands in the path. What is not spelled like an id cannot exist.
pub(crate) struct At<T>(pub(crate) T);

impl<T: DeserializeOwned + Send> FromRequestParts<Api> for At<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, api: &Api) -> Result<Self, Problem> {
        match Path::<T>::from_request_parts(parts, api).await {
            Ok(Path(value)) => Ok(Self(value)),
            Err(rejection) => {
                let said = rejection.body_text();
                let what = said.trim_start_matches("Invalid URL: ");
                Err(Problem::new(
                    Code::NotFound,
                    format!("there is no such address: {what}"),
                ))
            }
        }
    }
}

/// What stands in the query. What is not known there is refused, not passed over.
pub(crate) struct Asked<T>(pub(crate) T);

impl<T: DeserializeOwned> FromRequestParts<Api> for Asked<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &Api) -> Result<Self, Problem> {
        match Query::<T>::try_from_uri(&parts.uri) {
            Ok(Query(value)) => Ok(Self(value)),
            Err(rejection) => {
                let said = rejection.body_text();
                let what = said.trim_start_matches("Failed to deserialize query string: ");
                Err(Problem::new(
                    Code::Malformed,
                    format!("the query does not read: {what}"),
                ))
            }
        }
    }
}

impl FromRequestParts<Api> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &Api) -> Result<Self, Problem> {
        // The guard puts it there on every route that takes a token.
        parts.extensions.remove().ok_or_else(Problem::internal)
    }
}

/// A change that is asked for, and by whom.
pub(crate) struct Change<T> {
    /// Who asks.
    pub(crate) caller: Caller,
    /// The body.
    pub(crate) body: T,
    idempotency: Option<IdempotencyKey>,
    if_version: Option<u64>,
}

impl<T: DeserializeOwned> FromRequest<Api> for Change<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, api: &Api) -> Result<Self, Problem> {
        let (mut parts, body) = request.into_parts();
        let caller = Caller::from_request_parts(&mut parts, api).await?;
        let key = key(&parts.headers)?;
        let if_version = tag::if_match(&parts.headers)?;
        let value = value(api, &parts, body).await?;
        let idempotency = key.map(|key| {
            let actor = caller.actor.id();
            let asked = [
                actor.as_bytes(),
                parts.method.as_str().as_bytes(),
                parts.uri.path().as_bytes(),
                &json::canonical(&value),
            ];
            IdempotencyKey {
                key: format!("{actor}:{key}"),
                request: Digest::of_parts(&asked),
            }
        });
        let body = shaped(value)?;
        Ok(Self {
            caller,
            body,
            idempotency,
            if_version,
        })
    }
}

impl<T> Change<T> {
    /// The change without its body, and the body.
    pub(crate) fn take(self) -> (Change<()>, T) {
        let Self {
            caller,
            body,
            idempotency,
            if_version,
        } = self;
        (
            Change {
                caller,
                body: (),
                idempotency,
                if_version,
            },
            body,
        )
    }

    /// Has the engine carry it out. Once begun it is finished, even if nobody waits for it any more.
    pub(crate) async fn execute(
        self,
        api: &Api,
        target: Option<RecordId>,
        action: Action,
    ) -> Result<Executed, Problem> {
        let engine = api.engine().clone();
        let request = engine::Request {
            target,
            actor: self.caller.actor,
            action,
            idempotency: self.idempotency,
            if_version: self.if_version,
            languages: self.caller.languages,
        };
        let work = async move { engine.execute(request).await };
        Ok(finished(tokio::spawn(work.in_current_span()).await)??)
    }
}

/// The idempotency key, where there is one.
fn key(headers: &HeaderMap) -> Result<Option<&str>, Problem> {
    let Some(key) = tag::one(headers, &IDEMPOTENCY_KEY)? else {
        return Ok(None);
    };
    if key.is_empty() || key.len() > MOST_KEY_CHARS {
        let detail = format!("an `Idempotency-Key` has 1 to {MOST_KEY_CHARS} characters");
        return Err(Problem::new(Code::Malformed, detail));
    }
    Ok(Some(key))
}

/// The body as JSON; of a POST an empty object where there is no body at all.
pub(crate) async fn value(api: &Api, parts: &Parts, body: Body) -> Result<Value, Problem> {
    let is_typed = parts.headers.contains_key(header::CONTENT_TYPE);
    if is_typed {
        json_only(parts)?;
    }
    let text = read(api, &parts.headers, body).await?;
    if !is_typed {
        let has_nothing_to_say = text.is_empty() && parts.method == Method::POST;
        return if has_nothing_to_say {
            Ok(Value::Object(Map::new()))
        } else {
            Err(media_type())
        };
    }
    if text.is_empty() {
        return Err(Problem::new(
            Code::Malformed,
            "the body is empty, and is said to be JSON",
        ));
    }
    let limits = api.limits();
    let bounds = Bounds {
        depth: limits.json_depth,
        items: limits.json_items,
    };
    json::parse(&text, bounds)
        .map_err(|error| Problem::new(Code::Malformed, format!("the body does not read: {error}")))
}

/// The body, if it is within the limit.
pub(crate) async fn read(api: &Api, headers: &HeaderMap, body: Body) -> Result<Vec<u8>, Problem> {
    read_within(api.limits().body_bytes, headers, body).await
}

/// The body, if it has at most so many bytes.
pub(crate) async fn read_within(
    most: usize,
    headers: &HeaderMap,
    mut body: Body,
) -> Result<Vec<u8>, Problem> {
    let too_large = || Problem::new(Code::TooLarge, format!("a body has at most {most} bytes"));
    let announced = headers
        .get(header::CONTENT_LENGTH)
        .and_then(|length| length.to_str().ok()?.parse::<usize>().ok())
        .unwrap_or_default();
    if announced > most {
        // Who waits to be told to go on does not send it at all.
        if !headers.contains_key(header::EXPECT) {
            linger(body);
        }
        return Err(too_large());
    }
    let mut bytes = Vec::with_capacity(announced.min(16 * 1024));
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| Problem::new(Code::Malformed, "the body broke off"))?;
        let Ok(data) = frame.into_data() else {
            continue;
        };
        if bytes.len() + data.len() > most {
            linger(body);
            return Err(too_large());
        }
        bytes.extend_from_slice(&data);
    }
    Ok(bytes)
}

/// Refuses a body that is not said to be plain JSON in UTF-8.
fn json_only(parts: &Parts) -> Result<(), Problem> {
    let kind = tag::one(&parts.headers, &header::CONTENT_TYPE)?.unwrap_or_default();
    let mut pieces = kind.split(';').map(str::trim);
    let essence = pieces.next().unwrap_or_default();
    let is_json = essence.eq_ignore_ascii_case("application/json")
        || (parts.method == Method::PATCH
            && essence.eq_ignore_ascii_case("application/merge-patch+json"));
    let is_utf8 = pieces.all(|parameter| {
        parameter.split_once('=').is_none_or(|(name, value)| {
            !name.eq_ignore_ascii_case("charset")
                || value.trim_matches('"').eq_ignore_ascii_case("utf-8")
        })
    });
    let encoding = parts.headers.get(header::CONTENT_ENCODING);
    let is_plain = encoding.is_none_or(|encoding| encoding == "identity");
    if is_json && is_utf8 && is_plain {
        Ok(())
    } else {
        Err(media_type())
    }
}

fn media_type() -> Problem {
    Problem::new(
        Code::MediaType,
        "the body should be JSON in UTF-8: `Content-Type: application/json`",
    )
}

/// The value in the shape that the route takes, or what does not fit, at its place.
fn shaped<T: DeserializeOwned>(value: Value) -> Result<T, Problem> {
    // Lists would be taken for the members in their order.
    if !value.is_object() {
        return Err(Problem::fault("", "it should be a JSON object"));
    }
    serde_path_to_error::deserialize(value).map_err(|error| {
        let pointer = error
            .path()
            .iter()
            .fold(String::new(), |pointer, segment| match segment {
                Segment::Map { key } => pointer + "/" + &key.replace('~', "~0").replace('/', "~1"),
                Segment::Seq { index } => format!("{pointer}/{index}"),
                Segment::Enum { .. } | Segment::Unknown => pointer,
            });
        Problem::invalid(vec![Fault {
            pointer,
            message: error.inner().to_string(),
        }])
    })
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};
    use serde_json::{Value, json};

    use super::shaped;
    use crate::wire::command::NewRecord;

    fn check(value: Value, expected: &Expect) {
        let said = match shaped::<NewRecord>(value) {
            Ok(_) => "fits".to_owned(),
            Err(problem) => problem.detail().to_owned(),
        };
        expected.assert_eq(&said);
    }

    #[test]
    fn what_does_not_fit_is_named_at_its_place() {
        check(
            json!({ "workflow": "incident", "fields": {} }),
            &expect!["fits"],
        );
        check(json!({}), &expect!["the body: missing field `workflow`"]);
        check(json!([]), &expect!["the body: it should be a JSON object"]);
        check(
            json!({ "workflow": 7 }),
            &expect!["/workflow: invalid type: integer `7`, expected a string"],
        );
        check(
            json!({ "workflow": "No Such" }),
            &expect![
                "/workflow: `No Such` is not the id of a workflow: up to 64 lower-case letters and digits, in words joined by `-`, a letter first"
            ],
        );
        check(
            json!({ "workflow": "incident", "feilds": {} }),
            &expect![
                "/feilds: unknown field `feilds`, expected one of `workflow`, `item`, `create`, `requester`, `fields`, `link`"
            ],
        );
        check(
            json!({ "workflow": "incident", "link": { "kind": "caused_by", "target": "x" } }),
            &expect![
                "/link/target: `x` is not the number of a record: a prefix of 2 to 8 capitals, `-` and a number, such as INC-1042"
            ],
        );
    }
}
