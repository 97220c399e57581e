//! Whether a request is from Slack: `X-Slack-Signature` is `v0=` and the hexadecimal HMAC-SHA-256 of
//! `v0`, the timestamp and the body with colons between them. The server computes and compares; the
//! secret itself never comes here.

use servicewright_sdk::signing::{from_hex, verify_hmac_sha256};
use servicewright_sdk::webhook::Request;
use servicewright_sdk::{Instant, Result};

use crate::settings::Clicks;

const VERSION: &str = "v0";

/// Whether it is, and not an old one sent again; in words where not.
pub(crate) fn check(
    clicks: &Clicks,
    now: Instant,
    request: &Request,
) -> Result<Result<(), &'static str>> {
    let Some(timestamp) = request.header("x-slack-request-timestamp") else {
        return Ok(Err("The request has no timestamp."));
    };
    let Some(signature) = request.header("x-slack-signature") else {
        return Ok(Err("The request has no signature."));
    };
    let seconds = timestamp.parse::<i64>().ok();
    let Some(sent) = seconds.and_then(|seconds| seconds.checked_mul(1000)) else {
        return Ok(Err("The timestamp is not a number of seconds since 1970."));
    };
    let off = now.millis().abs_diff(sent);
    if u128::from(off) > clicks.tolerance.0.as_millis() {
        return Ok(Err("The timestamp is too far from the present."));
    }
    let digits = signature.strip_prefix(VERSION);
    let digits = digits.and_then(|digits| digits.strip_prefix('='));
    let Some(signature) = digits.and_then(from_hex) else {
        return Ok(Err("The signature is not `v0=` and hexadecimal digits."));
    };
    let signed = [
        VERSION.as_bytes(),
        b":",
        timestamp.as_bytes(),
        b":",
        &request.body,
    ]
    .concat();
    if verify_hmac_sha256(&clicks.secret, &signed, &signature)? {
        Ok(Ok(()))
    } else {
        Ok(Err("The signature does not fit."))
    }
}
