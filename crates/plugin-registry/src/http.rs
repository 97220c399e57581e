//! One request to a registry and its whole answer, over a connection of its own. Every step has its
//! time, every answer its bound; TLS is checked against the authorities that the public trusts.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{AUTHORIZATION, HOST, LOCATION, USER_AGENT};
use http::uri::PathAndQuery;
use http::{HeaderMap, HeaderValue, Method, Request, StatusCode, Uri};
use http_body_util::{BodyExt as _, Full, LengthLimitError, Limited};
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use crate::error::RegistryError;

/// How long connecting may take.
const CONNECTED: Duration = Duration::from_secs(15);
/// How long an answer may take, its body included: a component of 64 MiB at 220 KiB a second.
const ANSWERED: Duration = Duration::from_mins(5);
/// How large the head of an answer may be, in bytes.
const HEAD: usize = 64 << 10;
/// How often a download may lead somewhere else.
const REDIRECTS: usize = 5;

/// Sends requests.
pub(crate) struct Http {
    tls: TlsConnector,
    plain: bool,
}

/// An answer, taken in whole.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

impl Http {
    /// `plain` allows requests without TLS to any host; without it they go to this machine alone.
    pub(crate) fn new(plain: bool) -> Result<Self, RegistryError> {
        let roots = RootCertStore {
            roots: webpki_roots::TLS_SERVER_ROOTS.into(),
        };
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(RegistryError::Tls)?
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(Self {
            tls: TlsConnector::from(Arc::new(config)),
            plain,
        })
    }

    /// The scheme by which a registry is spoken to.
    pub(crate) fn scheme(&self, registry: &str) -> &'static str {
        if self.plain || is_this_machine(registry) {
            "http"
        } else {
            "https"
        }
    }

    /// Sends a request. A download is followed where it leads, without its credentials where that is
    /// another host.
    pub(crate) async fn send(
        &self,
        mut request: Request<Bytes>,
        most_bytes: usize,
    ) -> Result<Answer, RegistryError> {
        for _ in 0..=REDIRECTS {
            let answer = self.send_once(&request, most_bytes).await?;
            let leads = answer.status.is_redirection() && request.method() == Method::GET;
            let Some(to) = answer.headers.get(LOCATION).filter(|_| leads) else {
                return Ok(answer);
            };
            let to = resolve(request.uri(), to)?;
            if to.authority() != request.uri().authority() {
                request.headers_mut().remove(AUTHORIZATION);
            }
            *request.uri_mut() = to;
        }
        let uri = request.uri();
        Err(RegistryError::Astray(
            uri.host().unwrap_or_default().to_owned(),
        ))
    }

    async fn send_once(
        &self,
        request: &Request<Bytes>,
        most_bytes: usize,
    ) -> Result<Answer, RegistryError> {
        let uri = request.uri();
        let host = uri.authority().map(ToString::to_string).unwrap_or_default();
        let failed = |doing| {
            let registry = host.clone();
            move |cause: Box<dyn std::error::Error + Send + Sync>| RegistryError::Unreachable {
                registry,
                doing,
                cause,
            }
        };
        let late = || RegistryError::Late(host.clone());
        let stream = timeout(CONNECTED, self.connect(uri)).await;
        let stream = stream.map_err(|_| late())??;
        let answering = async {
            let (mut sender, connection) = hyper::client::conn::http1::Builder::new()
                .max_buf_size(HEAD)
                .handshake(TokioIo::new(stream))
                .await
                .map_err(|error| failed("speaking to it")(error.into()))?;
            // It ends with the answer; where it breaks before, the request fails and says so.
            let driving = tokio::spawn(connection);
            let response = sender.send_request(as_sent(request)).await;
            let response = response.map_err(|error| failed("asking it")(error.into()))?;
            let (parts, body) = response.into_parts();
            let body = Limited::new(body, most_bytes).collect().await;
            driving.abort();
            let body = body.map_err(|error| match error.downcast::<LengthLimitError>() {
                Ok(_) => RegistryError::TooLarge {
                    registry: host.clone(),
                    most_bytes,
                },
                Err(error) => failed("reading its answer")(error),
            })?;
            Ok(Answer {
                status: parts.status,
                headers: parts.headers,
                body: body.to_bytes(),
            })
        };
        timeout(ANSWERED, answering).await.map_err(|_| late())?
    }

    async fn connect(&self, uri: &Uri) -> Result<Box<dyn Stream>, RegistryError> {
        let authority = uri.authority().map(http::uri::Authority::as_str);
        let authority = authority.unwrap_or_default();
        let is_plain = uri.scheme_str() == Some("http");
        if is_plain && !self.plain && !is_this_machine(authority) {
            return Err(RegistryError::Plain(authority.to_owned()));
        }
        let host = uri.host().unwrap_or_default();
        let host = host.trim_start_matches('[').trim_end_matches(']');
        let port = uri.port_u16().unwrap_or(if is_plain { 80 } else { 443 });
        let failed = |cause: std::io::Error| RegistryError::Unreachable {
            registry: authority.to_owned(),
            doing: "connecting to it",
            cause: cause.into(),
        };
        let stream = TcpStream::connect((host, port)).await.map_err(failed)?;
        stream.set_nodelay(true).map_err(failed)?;
        if is_plain {
            return Ok(Box::new(stream));
        }
        let name = ServerName::try_from(host.to_owned())
            .map_err(|error| failed(std::io::Error::other(error)))?;
        let stream = self.tls.connect(name, stream).await.map_err(failed)?;
        Ok(Box::new(stream))
    }
}

/// The request as it goes over the wire: the path alone, and whom it is for.
fn as_sent(request: &Request<Bytes>) -> Request<Full<Bytes>> {
    let uri = request.uri();
    let path = uri.path_and_query().cloned();
    let path = path.unwrap_or_else(|| PathAndQuery::from_static("/"));
    let mut sent = Request::new(Full::new(request.body().clone()));
    *sent.method_mut() = request.method().clone();
    *sent.uri_mut() = Uri::from(path);
    *sent.headers_mut() = request.headers().clone();
    let host = uri.authority().map(http::uri::Authority::as_str);
    if let Ok(host) = HeaderValue::from_str(host.unwrap_or_default()) {
        sent.headers_mut().insert(HOST, host);
    }
    let agent = concat!("wright/", env!("CARGO_PKG_VERSION"));
    let agent = HeaderValue::from_static(agent);
    sent.headers_mut().insert(USER_AGENT, agent);
    sent
}

/// Where an answer leads: another host, or another path of the same one.
pub(crate) fn resolve(from: &Uri, location: &HeaderValue) -> Result<Uri, RegistryError> {
    let astray = || RegistryError::Astray(from.host().unwrap_or_default().to_owned());
    let text = location.to_str().map_err(|_| astray())?;
    let mut parts = from.clone().into_parts();
    if let Some(path) = text.strip_prefix('/').filter(|path| !path.starts_with('/')) {
        let path = format!("/{path}").parse::<PathAndQuery>();
        parts.path_and_query = Some(path.map_err(|_| astray())?);
        return Uri::from_parts(parts).map_err(|_| astray());
    }
    let to: Uri = text.parse().map_err(|_| astray())?;
    let is_web = matches!(to.scheme_str(), Some("http" | "https"));
    let has_user = to
        .authority()
        .is_none_or(|host| host.as_str().contains('@'));
    if is_web && !has_user {
        Ok(to)
    } else {
        Err(astray())
    }
}

/// Whether a host, perhaps with a port, is this machine itself, by its name or address.
pub(crate) fn is_this_machine(host: &str) -> bool {
    let Ok(authority) = host.parse::<http::uri::Authority>() else {
        return false;
    };
    let host = authority.host().trim_matches(['[', ']']);
    host == "localhost"
        || host
            .parse::<IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use http::{HeaderValue, Uri};

    use super::{is_this_machine, resolve};

    #[test]
    fn only_this_machine_is_spoken_to_without_tls() {
        for (host, is) in [
            ("localhost:5000", true),
            ("127.0.0.1", true),
            ("[::1]:5000", true),
            ("registry.example", false),
            ("localhost.example:5000", false),
            ("127.0.0.1.example", false),
            ("10.0.0.1:5000", false),
        ] {
            assert_eq!(is_this_machine(host), is, "{host}");
        }
    }

    #[test]
    fn answers_lead_to_paths_and_to_other_hosts() {
        let from: Uri = "https://registry.example/v2/a/blobs/uploads/"
            .parse()
            .expect("a URI");
        for (location, to) in [
            (
                "/v2/a/uploads/1?s=2",
                Some("https://registry.example/v2/a/uploads/1?s=2"),
            ),
            ("https://store.example/1", Some("https://store.example/1")),
            ("//store.example/1", None),
            ("https://ada:word@store.example/1", None),
            ("file:///etc/passwd", None),
            ("uploads/1", None),
        ] {
            let found = resolve(&from, &HeaderValue::from_static(location));
            assert_eq!(
                found.ok().map(|to| to.to_string()).as_deref(),
                to,
                "{location}"
            );
        }
    }
}
