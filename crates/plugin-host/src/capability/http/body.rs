//! Secrets on their way into a JSON body. The plugin says where one goes, by a header that stays here:
//! the secret's name and a JSON pointer (RFC 6901) to a string of the body, whose place it takes.
//!
//! A placeholder in the text of the body would be simpler to write and less safe: whoever may put
//! words into a record could put one there, and have the secret shown wherever those words end up.

use bytes::Bytes;
use http::{HeaderMap, HeaderName, header};
use http_body_util::{BodyExt as _, Full, LengthLimitError, Limited};
use model::id::SecretId;
use serde_json::Value as Json;
use wasmtime_wasi_http::{Error, WasiBody};

use super::secret::Fault;
use crate::options::SecretValue;

/// Says which secret goes where in the body, once for each.
const HEADER: HeaderName = HeaderName::from_static("servicewright-secret-in-body");
/// How many secrets one body may take.
const MOST: usize = 8;
/// How large a body that takes one may be, in bytes.
const BODY: usize = 64 << 10;

/// What is to be put into a body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Filling {
    pointer: String,
    secret: SecretValue,
}

/// Takes out of the headers what is to go into the body. The length, where one was told, goes with it.
pub(super) fn take(
    headers: &mut HeaderMap,
    mut find: impl FnMut(&SecretId) -> Result<SecretValue, Fault>,
) -> Result<Vec<Filling>, Fault> {
    let asked: Vec<_> = headers.get_all(HEADER).into_iter().cloned().collect();
    if asked.is_empty() {
        return Ok(Vec::new());
    }
    if asked.len() > MOST {
        return Err(Fault::MalformedRequest);
    }
    headers.remove(HEADER);
    headers.remove(header::CONTENT_LENGTH);
    let filling = |value: http::HeaderValue| {
        let text = value.to_str().map_err(|_| Fault::MalformedRequest)?;
        let (name, pointer) = text.split_once(' ').ok_or(Fault::MalformedRequest)?;
        if !pointer.starts_with('/') {
            return Err(Fault::MalformedRequest);
        }
        let id = SecretId::new(name).map_err(|_| Fault::NotGranted)?;
        Ok(Filling {
            pointer: pointer.to_owned(),
            secret: find(&id)?,
        })
    };
    asked.into_iter().map(filling).collect()
}

impl Filling {
    pub(super) const fn secret(&self) -> &SecretValue {
        &self.secret
    }
}

/// The whole body with the secrets in their places, or why it cannot take them.
pub(super) async fn fill(
    body: WasiBody,
    fillings: &[Filling],
) -> Result<Result<WasiBody, String>, Error> {
    let bytes = match Limited::new(body, BODY).collect().await {
        Ok(whole) => whole.to_bytes(),
        Err(error) if error.is::<LengthLimitError>() => {
            return Ok(Err(format!(
                "a body that takes a secret has at most {BODY} bytes"
            )));
        }
        Err(error) => {
            return Err(match error.downcast::<Error>() {
                Ok(error) => *error,
                Err(_) => Error::ConnectionTerminated,
            });
        }
    };
    Ok(filled(&bytes, fillings).map(|bytes| {
        let body = Full::new(Bytes::from(bytes));
        body.map_err(|never| match never {}).boxed_unsync()
    }))
}

fn filled(bytes: &[u8], fillings: &[Filling]) -> Result<Vec<u8>, String> {
    let mut json: Json = serde_json::from_slice(bytes)
        .map_err(|_| "a body that takes a secret has to be JSON".to_owned())?;
    for Filling { pointer, secret } in fillings {
        let shown: String = pointer.chars().take(64).collect();
        let place = json
            .pointer_mut(pointer)
            .filter(|place| place.is_string())
            .ok_or_else(|| format!("the body has no string at {shown}, where a secret is to go"))?;
        let secret = std::str::from_utf8(secret.bytes())
            .map_err(|_| format!("the secret for {shown} is no text, as JSON needs it"))?;
        *place = Json::from(secret);
    }
    serde_json::to_vec(&json).map_err(|_| "the body cannot be written".to_owned())
}

#[cfg(test)]
mod tests {
    use http::HeaderMap;
    use serde_json::json;

    use super::{BODY, Error, Fault, Filling, WasiBody, fill, filled, take};
    use crate::options::SecretValue;
    use bytes::Bytes;
    use http_body_util::{BodyExt as _, Full};

    fn filling(pointer: &str, secret: &str) -> Filling {
        Filling {
            pointer: pointer.to_owned(),
            secret: SecretValue::new(secret.as_bytes()),
        }
    }

    fn headers(values: &[&'static str]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert("content-length", "3".parse().unwrap());
        for value in values {
            headers.append("servicewright-secret-in-body", value.parse().unwrap());
        }
        headers
    }

    #[test]
    fn the_header_says_what_goes_where_and_stays_here() {
        let mut asked = headers(&["routing-key /routing_key", "other /a/0"]);
        let found = take(&mut asked, |id| {
            Ok(SecretValue::new(id.as_str().as_bytes()))
        });
        assert_eq!(
            found.unwrap(),
            [
                filling("/routing_key", "routing-key"),
                filling("/a/0", "other")
            ]
        );
        assert!(asked.is_empty());
        let mut nothing = headers(&[]);
        assert_eq!(take(&mut nothing, |_| Err(Fault::Missing)), Ok(Vec::new()));
        assert_eq!(nothing.len(), 1, "the length stays");
    }

    #[test]
    fn what_the_header_does_not_say_well_is_refused() {
        for wrong in ["key", "key routing_key", "key "] {
            let found = take(&mut headers(&[wrong]), |_| Err(Fault::Missing));
            assert_eq!(found, Err(Fault::MalformedRequest), "{wrong}");
        }
        let many = take(&mut headers(&["key /a"; 9]), |_| Err(Fault::Missing));
        assert_eq!(many, Err(Fault::MalformedRequest));
        let unknown = take(&mut headers(&["KEY /a"]), |_| Err(Fault::Missing));
        assert_eq!(unknown, Err(Fault::NotGranted));
    }

    #[test]
    fn a_secret_goes_where_it_was_told_and_nowhere_that_the_text_says() {
        let body = json!({ "routing_key": "", "summary": "{{secret:key}} \"é\"", "n": 12_345_678_901_i64 });
        let sent = filled(
            body.to_string().as_bytes(),
            &[filling("/routing_key", "a\"\\\n")],
        )
        .unwrap();
        let sent: serde_json::Value = serde_json::from_slice(&sent).unwrap();
        let expected = json!({ "routing_key": "a\"\\\n", "summary": "{{secret:key}} \"é\"", "n": 12_345_678_901_i64 });
        assert_eq!(sent, expected);
    }

    #[test]
    fn a_body_that_cannot_take_it_says_why() {
        let why = |body: &str| filled(body.as_bytes(), &[filling("/a/b", "x")]).unwrap_err();
        assert_eq!(why("a=b"), "a body that takes a secret has to be JSON");
        for body in ["{}", r#"{"a":{"b":1}}"#, r#"["a","b"]"#] {
            assert_eq!(
                why(body),
                "the body has no string at /a/b, where a secret is to go"
            );
        }
    }

    #[tokio::test]
    async fn a_large_body_takes_none() {
        let body = |size: usize| -> WasiBody {
            let text = format!("{{\"a\":\"{}\"}}", "x".repeat(size - 8));
            Full::new(Bytes::from(text))
                .map_err(|never| -> Error { match never {} })
                .boxed_unsync()
        };
        let fits = fill(body(BODY), &[filling("/a", "x")]).await.unwrap();
        assert!(fits.is_ok());
        let large = fill(body(BODY + 1), &[filling("/a", "x")]).await.unwrap();
        assert_eq!(
            large.err().as_deref(),
            Some("a body that takes a secret has at most 65536 bytes")
        );
    }
}
