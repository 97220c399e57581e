//! Whether a request is from the Alertmanager that shares the token: as its `http_config` shows it, by
//! `Authorization: Bearer` (RFC 6750) or `Authorization: Basic` (RFC 7617). The token itself never
//! comes here; the server compares.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use servicewright_sdk::Result;
use servicewright_sdk::signing::is_secret;
use servicewright_sdk::webhook::Request;

use crate::settings::Authentication;

/// Whether the request shows what it has to.
pub(crate) fn is_genuine(expected: &Authentication, request: &Request) -> Result<bool> {
    let Some((scheme, shown)) = request
        .header("authorization")
        .and_then(|header| header.trim().split_once(' '))
    else {
        return Ok(false);
    };
    let shown = shown.trim();
    match expected {
        Authentication::Bearer {
            token,
            previous_token,
        } if scheme.eq_ignore_ascii_case("bearer") => {
            is_one_of(token, previous_token.as_ref(), shown.as_bytes())
        }
        Authentication::Basic {
            username,
            password,
            previous_password,
        } if scheme.eq_ignore_ascii_case("basic") => {
            let Ok(decoded) = STANDARD.decode(shown) else {
                return Ok(false);
            };
            // A name has no colon, a password may.
            let Some(colon) = decoded.iter().position(|byte| *byte == b':') else {
                return Ok(false);
            };
            let (name, shown) = (&decoded[..colon], &decoded[colon + 1..]);
            let fits = is_one_of(password, previous_password.as_ref(), shown)?;
            Ok(fits && name == username.as_bytes())
        }
        _ => Ok(false),
    }
}

fn is_one_of(secret: &str, previous: Option<&String>, shown: &[u8]) -> Result<bool> {
    if is_secret(secret, shown)? {
        return Ok(true);
    }
    previous.map_or(Ok(false), |secret| is_secret(secret, shown))
}

/// What a sender that shows nothing right is asked for.
pub(crate) const fn challenge(expected: &Authentication) -> &'static str {
    match expected {
        Authentication::Bearer { .. } => "Bearer realm=\"alertmanager\"",
        Authentication::Basic { .. } => "Basic realm=\"alertmanager\", charset=\"UTF-8\"",
    }
}
