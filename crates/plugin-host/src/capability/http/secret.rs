//! Secrets on their way out, and kept from coming back: `{{secret:name}}` in a header's value.

use bytes::Bytes;
use http::HeaderValue;
use model::id::SecretId;
use thiserror::Error;

use crate::options::SecretValue;

const OPENING: &str = "{{secret:";
const CLOSING: &str = "}}";
/// What stands where a secret stood.
const BLANK: &[u8] = b"[secret]";

/// Why a secret is not sent.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub(crate) enum Fault {
    #[error("the binding does not grant the secret")]
    NotGranted,
    #[error("the secret is not bound to this host")]
    OtherHost,
    #[error("the secret has no value on this server")]
    Missing,
    #[error("the header with a secret is not one")]
    Malformed,
}

/// Puts secrets in the place of their names, and tells which. Without any, the value stays as it is.
pub(crate) fn fill(
    value: &HeaderValue,
    mut find: impl FnMut(&SecretId) -> Result<SecretValue, Fault>,
) -> Result<(HeaderValue, Vec<SecretValue>), Fault> {
    let mut used = Vec::new();
    let Some(mut rest) = value.to_str().ok().filter(|text| text.contains(OPENING)) else {
        return Ok((value.clone(), used));
    };
    let mut filled = Vec::with_capacity(rest.len());
    while let Some((before, after)) = rest.split_once(OPENING) {
        let (name, after) = after.split_once(CLOSING).ok_or(Fault::Malformed)?;
        let id = SecretId::new(name).map_err(|_| Fault::NotGranted)?;
        let secret = find(&id)?;
        filled.extend_from_slice(before.as_bytes());
        filled.extend_from_slice(secret.bytes());
        used.push(secret);
        rest = after;
    }
    filled.extend_from_slice(rest.as_bytes());
    let mut value = HeaderValue::from_bytes(&filled).map_err(|_| Fault::Malformed)?;
    value.set_sensitive(true);
    Ok((value, used))
}

/// The bytes without any of the secrets. The longest goes first: a shorter one may be a part of it.
pub(crate) fn blank(bytes: Bytes, secrets: &[SecretValue]) -> Bytes {
    let mut longest_first: Vec<_> = secrets.iter().collect();
    longest_first.sort_by_key(|secret| std::cmp::Reverse(secret.bytes().len()));
    longest_first.into_iter().fold(bytes, |bytes, secret| {
        let secret = secret.bytes();
        if secret.is_empty() || find(&bytes, secret).is_none() {
            return bytes;
        }
        let mut kept = Vec::with_capacity(bytes.len());
        let mut rest = &bytes[..];
        while let Some(at) = find(rest, secret) {
            kept.extend_from_slice(&rest[..at]);
            kept.extend_from_slice(BLANK);
            rest = &rest[at + secret.len()..];
        }
        kept.extend_from_slice(rest);
        Bytes::from(kept)
    })
}

pub(crate) fn blank_text(text: String, secrets: &[SecretValue]) -> String {
    if secrets.is_empty() {
        return text;
    }
    let blanked = blank(Bytes::from(text), secrets);
    String::from_utf8_lossy(&blanked).into_owned()
}

/// Whether a header's name, which is in lower case by now, has a secret in it.
pub(crate) fn is_in_name(name: &str, secrets: &[SecretValue]) -> bool {
    secrets.iter().any(|secret| {
        let secret = secret.bytes().to_ascii_lowercase();
        !secret.is_empty() && find(name.as_bytes(), &secret).is_some()
    })
}

fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    let first = wanted[0];
    let mut from = 0;
    while let Some(at) = bytes[from..].iter().position(|byte| *byte == first) {
        let at = from + at;
        if bytes[at..].starts_with(wanted) {
            return Some(at);
        }
        from = at + 1;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::{Fault, blank_text, fill, is_in_name};
    use crate::options::SecretValue;
    use http::HeaderValue;

    fn secret(text: &str) -> SecretValue {
        SecretValue::new(text.as_bytes())
    }

    #[test]
    fn secrets_take_the_place_of_their_names() {
        let value = HeaderValue::from_static("Bearer {{secret:chat-token}}, {{secret:b}}.");
        let (filled, used) = fill(&value, |id| Ok(secret(&format!("<{id}>")))).unwrap();
        assert_eq!(filled.as_bytes(), b"Bearer <chat-token>, <b>.");
        assert_eq!(used.len(), 2);
    }

    #[test]
    fn a_secret_that_must_not_go_out_stops_the_request() {
        let value = HeaderValue::from_static("{{secret:a}}");
        assert_eq!(
            fill(&value, |_| Err(Fault::OtherHost)).unwrap_err(),
            Fault::OtherHost
        );
        let split = fill(&value, |_| Ok(secret("a\r\nx-admin: 1")));
        assert_eq!(split.unwrap_err(), Fault::Malformed);
        let open = HeaderValue::from_static("{{secret:a");
        assert_eq!(
            fill(&open, |_| Ok(secret("x"))).unwrap_err(),
            Fault::Malformed
        );
    }

    #[test]
    fn a_headers_name_may_have_a_secret_in_it() {
        let sent = [secret(""), secret("Hunter2")];
        assert!(is_in_name("x-hunter2-y", &sent));
        assert!(!is_in_name("x-hunter", &sent));
    }

    #[test]
    fn what_went_out_does_not_come_back() {
        let sent = [secret("hunter2"), secret("")];
        let text = "got hunter2, hunhunter2!".to_owned();
        assert_eq!(blank_text(text, &sent), "got [secret], hun[secret]!");
    }
}
