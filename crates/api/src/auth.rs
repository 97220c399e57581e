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
    /// The languages in which they would read, the one liked best first.
    pub(crate) languages: Vec<String>,
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
    let mut caller = recognise(engine, Digest::of(token.as_bytes()))?;
    let accepted = languages(headers);
    if !accepted.is_empty() {
        caller.languages = accepted;
    }
    Ok(caller)
}

/// The most languages of a request that are looked at.
const MOST_LANGUAGES: usize = 20;

/// The languages that a request accepts (RFC 9110, 12.5.4), the one of the highest weight first; those
/// of no weight, and `*`, are left out.
fn languages(headers: &HeaderMap) -> Vec<String> {
    let value = headers.get(header::ACCEPT_LANGUAGE);
    let value = value
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let weighed = value.split(',').take(MOST_LANGUAGES).filter_map(|range| {
        let mut parts = range.split(';').map(str::trim);
        let tag = parts.next().filter(|tag| !tag.is_empty() && *tag != "*")?;
        let weight = parts
            .find_map(|part| part.strip_prefix("q="))
            .unwrap_or("1");
        let weight: f32 = weight.parse().ok()?;
        (weight > 0.0).then(|| (tag.to_owned(), weight))
    });
    let mut weighed: Vec<(String, f32)> = weighed.collect();
    weighed.sort_by(|(_, one), (_, other)| other.total_cmp(one));
    weighed.into_iter().map(|(tag, _)| tag).collect()
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
    let languages = engine.languages(&actor)?;
    Ok(Caller {
        actor,
        secret,
        languages,
    })
}

fn stranger(detail: &str, challenge: &'static str) -> Problem {
    Problem::new(Code::Unauthenticated, detail).with_header(
        header::WWW_AUTHENTICATE,
        HeaderValue::from_static(challenge),
    )
}

#[cfg(test)]
mod tests {
    use http::{HeaderMap, HeaderValue, header};

    use super::languages;

    #[test]
    fn the_language_of_the_highest_weight_comes_first() {
        let accepted = |value: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::ACCEPT_LANGUAGE, HeaderValue::from_static(value));
            languages(&headers).join(" ")
        };
        assert_eq!(
            accepted("fr-BE, fr;q=0.9, en;q=0.8, *;q=0.1"),
            "fr-BE fr en"
        );
        assert_eq!(accepted("en;q=0.5,nl"), "nl en");
        assert_eq!(accepted("de;q=0, x;q=much,"), "");
        assert_eq!(languages(&HeaderMap::new()), [""; 0]);
    }
}
