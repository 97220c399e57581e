//! What is signed, and how a signature stands in its header.
//!
//! The signature is HMAC-SHA-256 over the timestamp, a full stop and the body, in hexadecimal digits
//! behind `sha256=`. The timestamp is in whole seconds since 1970. The server computes and compares;
//! the secret itself never comes here.

use servicewright_sdk::signing::{from_hex, hmac_sha256, to_hex, verify_hmac_sha256};
use servicewright_sdk::{Instant, Result};

use crate::settings::Receive;

const SCHEME: &str = "sha256=";

/// A sender may put several signatures in one header, while it goes from one secret to the next.
const MAX_SIGNATURES: usize = 4;

/// The timestamp that goes into the header and under the signature.
pub(crate) fn timestamp(now: Instant) -> String {
    now.millis().div_euclid(1000).to_string()
}

fn signed(timestamp: &str, body: &[u8]) -> Vec<u8> {
    [timestamp.as_bytes(), b".", body].concat()
}

/// The value of the signature header.
pub(crate) fn sign(secret: &str, timestamp: &str, body: &[u8]) -> Result<String> {
    let signature = hmac_sha256(secret, &signed(timestamp, body))?;
    Ok(format!("{SCHEME}{}", to_hex(&signature)))
}

/// Whether a request is from whom it says, and not an old one sent again; in words where not.
pub(crate) fn check(
    receive: &Receive,
    now: Instant,
    timestamp: Option<&str>,
    signatures: Option<&str>,
    body: &[u8],
) -> Result<std::result::Result<(), &'static str>> {
    let Some(timestamp) = timestamp else {
        return Ok(Err("the request has no timestamp"));
    };
    let Some(signatures) = signatures else {
        return Ok(Err("the request has no signature"));
    };
    let Some(sent) = timestamp
        .parse::<i64>()
        .ok()
        .and_then(|s| s.checked_mul(1000))
    else {
        return Ok(Err("the timestamp is not a number of seconds since 1970"));
    };
    let off = now.millis().abs_diff(sent);
    if u128::from(off) > receive.tolerance.0.as_millis() {
        return Ok(Err("the timestamp is too far from the present"));
    }
    let signed = signed(timestamp, body);
    let secrets = [Some(&receive.secret), receive.previous_secret.as_ref()];
    for signature in signatures.split(',').take(MAX_SIGNATURES) {
        let digits = signature.trim();
        let Some(signature) = from_hex(digits.strip_prefix(SCHEME).unwrap_or(digits)) else {
            continue;
        };
        for secret in secrets.into_iter().flatten() {
            if verify_hmac_sha256(secret, &signed, &signature)? {
                return Ok(Ok(()));
            }
        }
    }
    Ok(Err("the signature does not fit"))
}
