//! Whether a request is from PagerDuty: `X-PagerDuty-Signature` has one or more signatures with commas
//! between them, each `v1=` and the hexadecimal HMAC-SHA-256 of the body. The server computes and
//! compares; the secret itself never comes here.

use servicewright_sdk::Result;
use servicewright_sdk::signing::{from_hex, verify_hmac_sha256};

use crate::settings::Receive;

const SCHEME: &str = "v1=";

/// PagerDuty signs with each of its secrets while it goes from one to the next.
const MAX_SIGNATURES: usize = 4;

/// Whether it is; in words where not.
pub(crate) fn check(
    receive: &Receive,
    signatures: Option<&str>,
    body: &[u8],
) -> Result<Result<(), &'static str>> {
    let Some(signatures) = signatures else {
        return Ok(Err("The request has no signature."));
    };
    let secrets = [Some(&receive.secret), receive.previous_secret.as_ref()];
    for signature in signatures.split(',').take(MAX_SIGNATURES) {
        let digits = signature.trim().strip_prefix(SCHEME);
        let Some(signature) = digits.and_then(from_hex) else {
            continue;
        };
        for secret in secrets.into_iter().flatten() {
            if verify_hmac_sha256(secret, body, &signature)? {
                return Ok(Ok(()));
            }
        }
    }
    Ok(Err("The signature does not fit."))
}
