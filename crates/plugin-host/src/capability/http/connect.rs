//! One request and its whole response, over a connection of its own to a checked address.

use std::fmt;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use bytes::Bytes;
use http::Uri;
use http::uri::PathAndQuery;
use http_body_util::{BodyExt as _, Full, LengthLimitError, Limited};
use model::hook::FailureKind;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use wasmtime_wasi_http::io::TokioIo;
use wasmtime_wasi_http::{Error, WasiBody};

use super::address::Trust;
use super::body::{self, Filling};
use super::origin::{split_port, unbracketed};
use super::{Refusal, secret};
use crate::options::{Exchange, SecretValue};

/// How large the body of a request or a response may be, in bytes.
const BODY: usize = 8 << 20;
/// How large the head of a response may be, in bytes.
const HEAD: usize = 64 << 10;

/// What all requests share: whom to trust, and what answers in the place of the network.
pub(crate) struct Client {
    tls: TlsConnector,
    exchange: Option<Exchange>,
}

impl Client {
    /// Trusts the authorities that the public trusts, and these.
    pub(crate) fn new(
        extra_authorities: &[Vec<u8>],
        exchange: Option<Exchange>,
    ) -> Result<Self, rustls::Error> {
        let mut roots = RootCertStore {
            roots: webpki_roots::TLS_SERVER_ROOTS.into(),
        };
        for authority in extra_authorities {
            roots.add(CertificateDer::from(authority.clone()))?;
        }
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(Self {
            tls: TlsConnector::from(Arc::new(config)),
            exchange,
        })
    }
}

/// Where a request goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Target {
    pub(super) tls: bool,
    /// In lower case, an IPv6 address without its brackets.
    pub(super) host: String,
    pub(super) port: u16,
}

impl Target {
    pub(super) fn of(uri: &Uri) -> Result<Self, &'static str> {
        let tls = match uri.scheme_str() {
            Some("https") => true,
            Some("http") => false,
            _ => return Err("a request is neither https nor http"),
        };
        let authority = uri.authority().ok_or("a request names no host")?.as_str();
        if authority.contains('@') {
            return Err("a request has a user in its address");
        }
        let (host, port) = split_port(authority).ok_or("a request's port is no port")?;
        if host.is_empty() {
            return Err("a request names no host");
        }
        Ok(Self {
            tls,
            host: unbracketed(host).to_ascii_lowercase(),
            port: port.unwrap_or(if tls { 443 } else { 80 }),
        })
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.tls { "https" } else { "http" };
        let (open, close) = if self.host.contains(':') {
            ("[", "]")
        } else {
            ("", "")
        };
        write!(f, "{scheme}://{open}{}{close}:{}", self.host, self.port)
    }
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Timeouts {
    pub(super) connect: Duration,
    pub(super) first_byte: Option<Duration>,
}

/// A request that was checked and is ready to go.
pub(super) struct Request {
    pub(super) client: Arc<Client>,
    pub(super) target: Target,
    pub(super) trust: Trust,
    pub(super) message: http::Request<WasiBody>,
    /// What is still to go into the body.
    pub(super) fillings: Vec<Filling>,
    /// Where to say why the body cannot take it.
    pub(super) refusal: Arc<OnceLock<Refusal>>,
    pub(super) timeouts: Timeouts,
    pub(super) sent: Vec<SecretValue>,
}

trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

impl Request {
    pub(super) async fn send(self) -> Result<http::Response<WasiBody>, Error> {
        let (mut parts, mut body) = self.message.into_parts();
        if !self.fillings.is_empty() {
            body = match body::fill(body, &self.fillings).await? {
                Ok(body) => body,
                Err(message) => {
                    let message = format!("{message}, to {}", self.target);
                    let _ = self.refusal.set((FailureKind::InvalidInput, message));
                    return Err(Error::HttpRequestDenied);
                }
            };
        }
        if let Some(exchange) = &self.client.exchange {
            let request = http::Request::from_parts(parts, body);
            return exchanged(exchange, request, &self.sent).await;
        }
        let connecting = connect(&self.client, &self.target, self.trust);
        let stream = timeout(self.timeouts.connect, connecting)
            .await
            .map_err(|_| Error::ConnectionTimeout)??;
        let (mut sender, connection) = hyper::client::conn::http1::Builder::new()
            .max_buf_size(HEAD)
            .handshake::<_, Limited<WasiBody>>(TokioIo::new(stream))
            .await
            .map_err(Error::Hyper)?;
        // It ends with the handle, and so with the call.
        let _driving = wasmtime_wasi::runtime::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(%error, "a plugin's connection ended");
            }
        });
        // What follows the host is all that a server is sent.
        let path = parts.uri.path_and_query().cloned();
        parts.uri = Uri::from(path.unwrap_or_else(|| PathAndQuery::from_static("/")));
        let request = http::Request::from_parts(parts, Limited::new(body, BODY));
        let sending = sender.send_request(request);
        let response = match self.timeouts.first_byte {
            Some(limit) => timeout(limit, sending)
                .await
                .map_err(|_| Error::HttpResponseTimeout)?,
            None => sending.await,
        };
        receive(response.map_err(Error::Hyper)?, &self.sent).await
    }
}

/// The answer of what stands in for the network.
async fn exchanged(
    exchange: &Exchange,
    request: http::Request<WasiBody>,
    sent: &[SecretValue],
) -> Result<http::Response<WasiBody>, Error> {
    let (parts, body) = request.into_parts();
    let body = Limited::new(body, BODY)
        .collect()
        .await
        .map_err(|_| Error::HttpRequestBodySize(Some(BODY as u64)))?;
    let request = http::Request::from_parts(parts, body.to_bytes());
    let response = exchange(&request).ok_or(Error::ConnectionRefused)?;
    receive(response.map(Full::new), sent).await
}

async fn connect(client: &Client, target: &Target, trust: Trust) -> Result<Box<dyn Stream>, Error> {
    let stream = open(target, trust).await?;
    // Requests are small and answers awaited: nothing is gained by collecting.
    stream.set_nodelay(true).map_err(Error::Connect)?;
    if !target.tls {
        return Ok(Box::new(stream));
    }
    let name =
        ServerName::try_from(target.host.clone()).map_err(|_| Error::HttpRequestUriInvalid)?;
    let stream = client.tls.connect(name, stream).await;
    Ok(Box::new(stream.map_err(Error::Tls)?))
}

/// Connects to the first address that is admitted and answers.
async fn open(target: &Target, trust: Trust) -> Result<TcpStream, Error> {
    let mut last = Error::DestinationIpProhibited;
    for address in resolve(target).await? {
        if !trust.admits(address.ip()) {
            let host = target.host.as_str();
            tracing::warn!(target: "plugin", %address, host, "an address was refused");
            continue;
        }
        match TcpStream::connect(address).await {
            Ok(stream) => return Ok(stream),
            Err(error) => last = Error::Connect(error),
        }
    }
    Err(last)
}

async fn resolve(target: &Target) -> Result<Vec<SocketAddr>, Error> {
    let (host, port) = (target.host.as_str(), target.port);
    if let Ok(address) = host.parse::<IpAddr>() {
        return Ok(vec![SocketAddr::new(address, port)]);
    }
    let found = tokio::net::lookup_host((host, port)).await;
    Ok(found.map_err(|_| unknown_host())?.collect())
}

fn unknown_host() -> Error {
    Error::DnsError {
        rcode: Some("no address".to_owned()),
        info_code: None,
    }
}

/// Takes the whole response in, so that no secret can hide between two of its parts.
async fn receive<B>(
    response: http::Response<B>,
    sent: &[SecretValue],
) -> Result<http::Response<WasiBody>, Error>
where
    B: http_body::Body<Data = Bytes>,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let (mut parts, body) = response.into_parts();
    let body = Limited::new(body, BODY)
        .collect()
        .await
        .map_err(|error| match error.downcast::<LengthLimitError>() {
            Ok(_) => Error::HttpResponseBodySize(Some(BODY as u64)),
            Err(error) => Error::Connect(io::Error::other(error)),
        })?;
    for value in parts.headers.values_mut() {
        let blanked = secret::blank(Bytes::copy_from_slice(value.as_bytes()), sent);
        if blanked != value.as_bytes() {
            *value = http::HeaderValue::from_maybe_shared(blanked)
                .unwrap_or_else(|_| http::HeaderValue::from_static(""));
        }
    }
    let body = Full::new(secret::blank(body.to_bytes(), sent));
    // The length may have changed, and the guest is handed the body as it is.
    if !sent.is_empty() {
        parts.headers.remove(http::header::CONTENT_LENGTH);
    }
    let body = body.map_err(|never| match never {}).boxed_unsync();
    Ok(http::Response::from_parts(parts, body))
}
