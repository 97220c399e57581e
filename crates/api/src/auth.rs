//! Who asks: a bearer token, known by the digest of its secret alone.

use engine::Engine;
use http::{HeaderMap, HeaderValue, header};
use model::Digest;
use model::command::Actor;

use crate::{Code, Problem, tag};

/// Who asks, as of this request.
#[derive(Clone, Debug)]
pub(crate) struct Caller {
    /// The actor, with the roles and teams they have now.
    pub(crate) actor: Actor,
    /// The digest of the token's secret.
    pub(crate) secret: Digest,
}

/// Finds out who asks.
pub(crate) fn identify(engine: &Engine, headers: &HeaderMap) -> Result<Caller, Problem> {
    let Some(value) = tag::one(headers, &header::AUTHORIZATION)? else {
        return Err(stranger("there is no `Authorization` header", "Bearer"));
    };
    let (scheme, token) = value.split_once(' ').unwrap_or((value, ""));
    let token = token.trim();
    if !scheme.eq_ignore_ascii_case("bearer") || token.is_empty() {
        return Err(stranger(
            "the `Authorization` header should read `Bearer` and a token",
            "Bearer",
        ));
    }
    recognise(engine, Digest::of(token.as_bytes()))
}

/// Whom the secret of this digest stands for.
pub(crate) fn recognise(engine: &Engine, secret: Digest) -> Result<Caller, Problem> {
    let Some(token) = engine.token(&secret)? else {
        return Err(stranger(
            "the token is not known here, or has ended",
            "Bearer error=\"invalid_token\"",
        ));
    };
    let actor = engine.actor(&token.actor, &token.roles)?;
    Ok(Caller { actor, secret })
}

fn stranger(detail: &str, challenge: &'static str) -> Problem {
    Problem::new(Code::Unauthenticated, detail).with_header(
        header::WWW_AUTHENTICATE,
        HeaderValue::from_static(challenge),
    )
}
