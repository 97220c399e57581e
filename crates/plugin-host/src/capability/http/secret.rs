//! Secrets on their way out, and kept from coming back: `{{secret:name}}` in the value of a header, and
//! in the path and the query of an address. How one gets into a body is told in `body`.

use bytes::Bytes;
use http::HeaderValue;
use http::uri::PathAndQuery;
use model::id::SecretId;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_encode};
use thiserror::Error;

use crate::options::SecretValue;

const OPENING: &str = "{{secret:";
const CLOSING: &str = "}}";
/// What stands where a secret stood.
const BLANK: &[u8] = b"[secret]";
/// All but the unreserved characters of RFC 3986: a secret is one part of an address, never several.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// Where in a request a secret goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    Header,
    Address,
    Body,
}

/// Why a secret is not sent.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub(crate) enum Fault {
    #[error("the binding does not grant the secret")]
    NotGranted,
    #[error("the secret is not bound to this host")]
    OtherHost,
    #[error("the binding lets the secret go out in no address: its grant lacks `url: true`")]
    NotInAddresses,
    #[error("the binding lets the secret go out in no body: its grant lacks `body: true`")]
    NotInBodies,
    #[error("the secret has no value on this server")]
    Missing,
    #[error("the header with a secret is not one")]
    Malformed,
    #[error("the address with a secret is not one")]
    MalformedAddress,
    #[error("what is to go into the body is not told as the secret's name and a JSON pointer")]
    MalformedRequest,
}

/// Puts secrets in the place of their names, and tells which. Without any, the value stays as it is.
pub(crate) fn fill(
    value: &HeaderValue,
    find: impl FnMut(&SecretId) -> Result<SecretValue, Fault>,
) -> Result<(HeaderValue, Vec<SecretValue>), Fault> {
    let Some(text) = value.to_str().ok().filter(|text| text.contains(OPENING)) else {
        return Ok((value.clone(), Vec::new()));
    };
    let as_it_is = |secret: &SecretValue| secret.bytes().to_vec();
    let (filled, used) = replace(text, Fault::Malformed, as_it_is, find)?;
    let mut value = HeaderValue::from_bytes(&filled).map_err(|_| Fault::Malformed)?;
    value.set_sensitive(true);
    Ok((value, used))
}

/// The same for what follows the host of an address. Each secret is percent-encoded as a whole.
pub(crate) fn fill_address(
    path: &PathAndQuery,
    find: impl FnMut(&SecretId) -> Result<SecretValue, Fault>,
) -> Result<(PathAndQuery, Vec<SecretValue>), Fault> {
    if !path.as_str().contains(OPENING) {
        return Ok((path.clone(), Vec::new()));
    }
    let encoded = |secret: &SecretValue| encode(secret).into_bytes();
    let (filled, used) = replace(path.as_str(), Fault::MalformedAddress, encoded, find)?;
    let path = PathAndQuery::from_maybe_shared(Bytes::from(filled))
        .map_err(|_| Fault::MalformedAddress)?;
    Ok((path, used))
}

fn replace(
    text: &str,
    malformed: Fault,
    encode: impl Fn(&SecretValue) -> Vec<u8>,
    mut find: impl FnMut(&SecretId) -> Result<SecretValue, Fault>,
) -> Result<(Vec<u8>, Vec<SecretValue>), Fault> {
    let mut used = Vec::new();
    let mut filled = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once(OPENING) {
        let (name, after) = after.split_once(CLOSING).ok_or(malformed)?;
        let id = SecretId::new(name).map_err(|_| Fault::NotGranted)?;
        let secret = find(&id)?;
        filled.extend_from_slice(before.as_bytes());
        filled.extend_from_slice(&encode(&secret));
        used.push(secret);
        rest = after;
    }
    filled.extend_from_slice(rest.as_bytes());
    Ok((filled, used))
}

fn encode(secret: &SecretValue) -> String {
    percent_encode(secret.bytes(), RESERVED).to_string()
}

/// A secret in all the spellings in which a server may send it back: as it is, as it stands in an
/// address, and as it stands in JSON.
pub(crate) fn spellings(secret: &SecretValue) -> Vec<SecretValue> {
    let encoded = encode(secret);
    let mut texts = vec![encoded.to_ascii_lowercase(), encoded];
    if let Ok(text) = std::str::from_utf8(secret.bytes()) {
        let json = serde_json::Value::from(text).to_string();
        let json = json.trim_matches('"').to_owned();
        texts.push(json.replace('/', "\\/"));
        texts.push(json);
    }
    texts.sort();
    texts.dedup();
    let others = texts
        .into_iter()
        .map(|text| SecretValue::new(text.into_bytes()))
        .filter(|other| other != secret);
    std::iter::once(secret.clone()).chain(others).collect()
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
    use super::{Fault, blank_text, fill, fill_address, is_in_name, spellings};
    use crate::options::SecretValue;
    use http::HeaderValue;
    use http::uri::PathAndQuery;

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
    fn a_secret_in_an_address_is_one_part_of_it_whatever_it_holds() {
        let path = "/in/{{secret:hook}}/run?v=1&sig={{secret:sig}}#x";
        let path: PathAndQuery = path.parse().unwrap();
        let (filled, used) = fill_address(&path, |id| {
            Ok(secret(match id.as_str() {
                "hook" => "a/../b?c=d#e",
                _ => "p+q&r=%20é",
            }))
        })
        .unwrap();
        assert_eq!(
            filled.as_str(),
            "/in/a%2F..%2Fb%3Fc%3Dd%23e/run?v=1&sig=p%2Bq%26r%3D%2520%C3%A9"
        );
        assert_eq!(used.len(), 2);
        let plain = PathAndQuery::from_static("/a?b={c}");
        let (same, used) = fill_address(&plain, |_| Err(Fault::Missing)).unwrap();
        assert_eq!((same, used.len()), (plain, 0));
        let open = PathAndQuery::from_static("/{{secret:a}");
        assert_eq!(
            fill_address(&open, |_| Ok(secret("x"))).unwrap_err(),
            Fault::MalformedAddress
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

    #[test]
    fn nor_does_it_in_another_spelling() {
        let sent = spellings(&secret("a/\"b\"+é"));
        for echoed in [
            "a/\"b\"+é",
            "a%2F%22b%22%2B%C3%A9",
            "a%2f%22b%22%2b%c3%a9",
            "a/\\\"b\\\"+é",
            "a\\/\\\"b\\\"+é",
        ] {
            assert_eq!(
                blank_text(format!("<{echoed}>"), &sent),
                "<[secret]>",
                "{echoed}"
            );
        }
        assert_eq!(spellings(&secret("hunter2")).len(), 1);
    }
}
