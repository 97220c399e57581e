//! Requests to the hosts that the binding grants. For integrations.
//!
//! Redirects are not followed: one comes back as the 3xx that it is. A secret gets into a header by
//! `{{secret:name}}`, which the server replaces on the way out; into the path and the query of the
//! address too, where its grant says `url: true`; and into a JSON body by [`Request::secret_in_body`].

use std::time::Duration;

use crate::{Error, Result, host};

/// How much of a response is read.
pub const MAX_RESPONSE_BYTES: usize = 4 * 1024 * 1024;

/// What is sent.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Request {
    /// The method, in capitals.
    pub method: String,
    /// The whole address, beginning with `https://` or `http://`.
    pub url: String,
    /// Names and values.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
    /// How long to wait for the connection, for the first byte and between bytes.
    pub timeout: Option<Duration>,
}

impl Request {
    /// Any method.
    pub fn new(method: impl Into<String>, url: impl Into<String>) -> Self {
        Self {
            method: method.into(),
            url: url.into(),
            headers: Vec::new(),
            body: Vec::new(),
            timeout: None,
        }
    }

    /// A `GET`.
    pub fn get(url: impl Into<String>) -> Self {
        Self::new("GET", url)
    }

    /// A `POST` of this body.
    pub fn post(url: impl Into<String>, body: impl Into<Vec<u8>>) -> Self {
        Self {
            body: body.into(),
            ..Self::new("POST", url)
        }
    }

    /// The same with one more header.
    #[must_use]
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// The same with a secret in its body: on the way out the server puts it in place of the string that
    /// a JSON pointer (RFC 6901) leads to. The grant of the secret has to say `body: true`, and the body
    /// to be JSON of at most 64 KiB.
    #[must_use]
    pub fn secret_in_body(self, secret: &str, pointer: &str) -> Self {
        self.header(
            "servicewright-secret-in-body",
            format!("{secret} {pointer}"),
        )
    }

    /// The same with a time limit.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// Sends it and waits for the whole response, whatever its status.
    ///
    /// # Errors
    /// [`Error::Misconfigured`] where the address is none or its host was not granted;
    /// [`Error::Unavailable`] where no response came, or one over [`MAX_RESPONSE_BYTES`].
    pub fn send(&self) -> Result<Response> {
        self.target()?;
        host::send(self)
    }

    /// Whether it is encrypted, the host with its port, and the path with the query.
    pub(crate) fn target(&self) -> Result<(bool, &str, &str)> {
        let (encrypted, rest) = if let Some(rest) = self.url.strip_prefix("https://") {
            (true, rest)
        } else if let Some(rest) = self.url.strip_prefix("http://") {
            (false, rest)
        } else {
            return Err(self.no_address());
        };
        let rest = rest.split('#').next().unwrap_or_default();
        let (authority, path) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
        if authority.is_empty() || authority.contains('@') {
            return Err(self.no_address());
        }
        Ok((encrypted, authority, path))
    }

    fn no_address(&self) -> Error {
        Error::Misconfigured(format!("`{}` is not an HTTP address", self.url))
    }
}

/// What came back.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Response {
    /// The HTTP status.
    pub status: u16,
    /// Names and values.
    pub headers: Vec<(String, String)>,
    /// The whole body.
    pub body: Vec<u8>,
}

impl Response {
    /// A response: for tests.
    pub fn new(status: u16, body: impl Into<Vec<u8>>) -> Self {
        Self {
            status,
            headers: Vec::new(),
            body: body.into(),
        }
    }

    /// The same with one more header: for tests.
    #[must_use]
    pub fn with_header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// Whether the status is 2xx.
    pub const fn is_success(&self) -> bool {
        self.status >= 200 && self.status < 300
    }

    /// The first header of this name, in whichever case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(key, _)| key.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    /// How long the other side asks to be left alone, where it says so in seconds.
    pub fn retry_after(&self) -> Option<Duration> {
        let seconds = self.header("retry-after")?.trim().parse().ok()?;
        Some(Duration::from_secs(seconds))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_taken_apart() {
        let parts = |url: &str| {
            Request::get(url)
                .target()
                .map(|(encrypted, host, path)| (encrypted, host.to_owned(), path.to_owned()))
                .ok()
        };
        let part = |encrypted, host: &str, path: &str| Some((encrypted, host.into(), path.into()));
        assert_eq!(parts("https://a.example"), part(true, "a.example", ""));
        assert_eq!(
            parts("http://a.example:80/b?c=d#e"),
            part(false, "a.example:80", "/b?c=d")
        );
        assert_eq!(parts("https://a.example?c"), part(true, "a.example", "?c"));
        assert_eq!(parts("ftp://a.example"), None);
        assert_eq!(parts("https://"), None);
        assert_eq!(parts("https://ann:secret@a.example"), None);
    }
}
