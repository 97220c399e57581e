//! Requests from outside, handed to the plugin of a binding. It finds out who sent them: there is
//! no token, and nothing of the answer may act in the name of this server.

use std::time::Duration;

use axum::extract::{Request, State};
use axum::response::{IntoResponse as _, Response};
use engine::port::{HttpReply, HttpRequest};
use http::request::Parts;
use http::{HeaderName, HeaderValue, StatusCode, header};
use model::id::BindingId;
use tracing::Instrument as _;
use utoipa::openapi::path::HttpMethod::Post;

use super::{Access, Route};
use crate::api::finished;
use crate::ask::{At, read};
use crate::{Api, Code, Problem};

/// The headers that a plugin may set, beside those that begin with `x-`.
const PASSED_ON: [HeaderName; 5] = [
    header::CONTENT_TYPE,
    header::CONTENT_LANGUAGE,
    header::RETRY_AFTER,
    header::ETAG,
    header::WWW_AUTHENTICATE,
];

/// How long a body may take: whoever sends it may be nobody we know, and holds a place meanwhile.
const BODY_TIME: Duration = Duration::from_secs(5);

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::new(Post, "/api/v1/hooks/{binding}/{*path}", receive)
            .named(
                "receiveWebhook",
                "hooks",
                "Hand a request from outside to a plugin",
            )
            .open_to(Access::Binding)
            .also_at(&[
                "/api/v1/hooks/{binding}",
                "/hooks/{binding}",
                "/hooks/{binding}/{*path}",
            ])
            .answers_empty(
                StatusCode::OK,
                "What the plugin answers, once what it asked for is durable.",
            )
            .refuses(&[Code::NotFound, Code::TooLarge]),
    ]
}

/// Where a request goes: the binding. What comes after it stays as it was sent.
#[derive(serde::Deserialize)]
struct Address {
    binding: BindingId,
}

async fn receive(
    State(api): State<Api>,
    At(Address { binding }): At<Address>,
    request: Request,
) -> Result<Response, Problem> {
    if !api.engine().definitions().bindings.contains_key(&binding) {
        return Err(Problem::not_found("binding", binding.as_str()));
    }
    api.admit(&format!("binding:{binding}"))?;
    let (parts, body) = request.into_parts();
    let reading = read(&api, &parts.headers, body);
    let body = tokio::time::timeout(BODY_TIME, reading)
        .await
        .map_err(|_| {
            Problem::new(Code::Timeout, format!("no whole body within {BODY_TIME:?}"))
        })??;
    let request = HttpRequest {
        method: parts.method.as_str().to_owned(),
        path: path_after(&parts, &binding),
        headers: headers(&parts),
        body,
    };
    let engine = api.engine().clone();
    let work = async move { engine.receive(&binding, request).await };
    reply(finished(tokio::spawn(work.in_current_span()).await)??)
}

/// The path after the binding's address, and the query, as they were sent.
fn path_after(parts: &Parts, binding: &BindingId) -> String {
    let path = parts.uri.path();
    let address = format!("/hooks/{binding}");
    let rest = path.split_once(&address).map_or("", |(_, rest)| rest);
    let rest = if rest.is_empty() { "/" } else { rest };
    match parts.uri.query() {
        Some(query) => format!("{rest}?{query}"),
        None => rest.to_owned(),
    }
}

/// The headers that are text, names in lower case; without what gives access to this desk, which is
/// no plugin's to see.
fn headers(parts: &Parts) -> Vec<(String, String)> {
    let texts = parts.headers.iter().filter_map(|(name, value)| {
        let value = value.to_str().ok()?;
        let is_ours =
            name == header::COOKIE || (name == header::AUTHORIZATION && value.contains("wright_"));
        if is_ours {
            return None;
        }
        Some((name.as_str().to_owned(), value.to_owned()))
    });
    texts.collect()
}

fn reply(reply: HttpReply) -> Result<Response, Problem> {
    let status = StatusCode::from_u16(reply.status)
        .ok()
        .filter(|status| status.as_u16() >= 200);
    let Some(status) = status else {
        tracing::warn!(
            status = reply.status,
            "a plugin answered a request from outside with no such status"
        );
        return Err(Problem::internal());
    };
    let mut response = (status, reply.body).into_response();
    let headers = response.headers_mut();
    headers.remove(header::CONTENT_TYPE);
    for (name, value) in reply.headers {
        let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value))
        else {
            continue;
        };
        if PASSED_ON.contains(&name) || name.as_str().starts_with("x-") {
            headers.insert(name, value);
        }
    }
    // A page from here would be of one origin with the web app.
    headers.insert(
        header::CONTENT_SECURITY_POLICY,
        HeaderValue::from_static("sandbox; default-src 'none'"),
    );
    Ok(response)
}

#[cfg(test)]
mod tests {
    use engine::port::HttpReply;
    use http::Request;
    use model::id::BindingId;

    use super::{path_after, reply};

    #[test]
    fn a_plugin_is_told_what_comes_after_its_address() {
        let binding = BindingId::new("webhook").expect("a binding's id");
        let said = |uri: &str| {
            let (parts, ()) = Request::get(uri).body(()).expect("a request").into_parts();
            path_after(&parts, &binding)
        };
        assert_eq!(said("/api/v1/hooks/webhook"), "/");
        assert_eq!(
            said("/hooks/webhook/a%2Fb/hooks/webhook?x=1"),
            "/a%2Fb/hooks/webhook?x=1"
        );
    }

    #[test]
    fn a_plugin_s_answer_cannot_act_for_the_server() {
        let headers = [
            ("Set-Cookie", "a=b"),
            ("Content-Type", "text/html"),
            ("X-Seen", "1"),
            ("Location", "/x"),
        ];
        let headers = headers
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .to_vec();
        let response = reply(HttpReply {
            status: 202,
            headers,
            body: b"ok".to_vec(),
        })
        .expect("it is an answer");
        let names: Vec<_> = response
            .headers()
            .keys()
            .map(http::HeaderName::as_str)
            .collect();
        assert_eq!(names, ["content-type", "x-seen", "content-security-policy"]);
        assert!(
            reply(HttpReply {
                status: 101,
                headers: vec![],
                body: vec![]
            })
            .is_err()
        );
    }
}
