//! One request and its whole response, over a connection of its own to a checked address.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::Uri;
use http::uri::PathAndQuery;
use http_body_util::{BodyExt as _, Full, Limited};
use model::hook::FailureKind;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::Semaphore;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use wasmtime_wasi_http::io::TokioIo;
use wasmtime_wasi_http::{Error, WasiBody};

use super::address::Trust;
use super::body::{self, Filling};
use super::origin::{split_port, unbracketed};
use super::{Refusal, secret};
use crate::options::{Exchange, Options, Resolver, SecretValue};

/// How large the body of a request or a response may be, in bytes.
const BODY: usize = 8 << 20;
/// How large the bodies of all responses to one call may be together, in bytes: they stay with the
/// server until the guest takes them.
const BODIES: usize = 32 << 20;
/// How many requests of one call are under way at once; the next ones wait.
const AT_ONCE: usize = 8;
/// How large the head of a response may be, in bytes.
const HEAD: usize = 64 << 10;

/// What all requests share: whom to trust, who knows the addresses of hosts, and what answers in the
/// place of the network.
pub(crate) struct Client {
    tls: TlsConnector,
    resolver: Option<Resolver>,
    exchange: Option<Exchange>,
}

impl Client {
    /// Trusts the authorities that the public trusts, and these.
    pub(crate) fn new(options: &Options) -> Result<Self, rustls::Error> {
        let mut roots = RootCertStore {
            roots: webpki_roots::TLS_SERVER_ROOTS.into(),
        };
        for authority in &options.extra_authorities {
            roots.add(CertificateDer::from(authority.clone()))?;
        }
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(Self {
            tls: TlsConnector::from(Arc::new(config)),
            resolver: options.resolver.clone(),
            exchange: options.exchange.clone(),
        })
    }

    /// The addresses of a target's host; an address that is written out is its own.
    async fn resolve(&self, target: &Target) -> Result<Vec<SocketAddr>, Error> {
        let (host, port) = (target.host.as_str(), target.port);
        if let Ok(address) = host.parse::<IpAddr>() {
            return Ok(vec![SocketAddr::new(address, port)]);
        }
        let found = match &self.resolver {
            Some(resolver) => resolver(host).await.map(|addresses| {
                let addresses = addresses.into_iter();
                addresses
                    .map(|address| SocketAddr::new(address, port))
                    .collect()
            }),
            None => tokio::net::lookup_host((host, port))
                .await
                .map(Iterator::collect),
        };
        found.map_err(|_| unknown_host())
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
    pub(super) together: Arc<Together>,
}

/// What the requests of one call share.
pub(super) struct Together {
    /// How many bytes of bodies came back.
    received: AtomicUsize,
    under_way: Semaphore,
    /// What the last one came to that came to nothing.
    trouble: Mutex<Option<String>>,
}

impl Together {
    pub(super) fn new() -> Self {
        Self {
            received: AtomicUsize::new(0),
            under_way: Semaphore::new(AT_ONCE),
            trouble: Mutex::new(None),
        }
    }

    pub(super) fn note(&self, error: &Error) {
        *self.trouble.lock().unwrap_or_else(PoisonError::into_inner) = Some(error.to_string());
    }

    pub(super) fn trouble(&self) -> Option<String> {
        let trouble = self.trouble.lock();
        trouble.unwrap_or_else(PoisonError::into_inner).clone()
    }
}

trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

impl Request {
    pub(super) async fn send(self) -> Result<http::Response<WasiBody>, Error> {
        let _under_way = self.together.under_way.acquire().await;
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
            return exchanged(exchange, request, &self.sent, &self.together).await;
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
        let response = response.map_err(Error::Hyper)?;
        let response = response.map(|body| body.map_err(Error::Hyper));
        receive(response, &self.sent, &self.together).await
    }
}

/// The answer of what stands in for the network.
async fn exchanged(
    exchange: &Exchange,
    request: http::Request<WasiBody>,
    sent: &[SecretValue],
    together: &Together,
) -> Result<http::Response<WasiBody>, Error> {
    let (parts, body) = request.into_parts();
    let body = Limited::new(body, BODY)
        .collect()
        .await
        .map_err(|_| Error::HttpRequestBodySize(Some(BODY as u64)))?;
    let request = http::Request::from_parts(parts, body.to_bytes());
    let response = exchange(&request).ok_or(Error::ConnectionRefused)?;
    let response = response.map(|body| Full::new(body).map_err(|never| match never {}));
    receive(response, sent, together).await
}

async fn connect(client: &Client, target: &Target, trust: Trust) -> Result<Box<dyn Stream>, Error> {
    let stream = open(client, target, trust).await?;
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
async fn open(client: &Client, target: &Target, trust: Trust) -> Result<TcpStream, Error> {
    let mut last = Error::DestinationIpProhibited;
    for address in client.resolve(target).await? {
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
    together: &Together,
) -> Result<http::Response<WasiBody>, Error>
where
    B: http_body::Body<Data = Bytes, Error = Error> + Unpin,
{
    let (mut parts, body) = response.into_parts();
    let body = whole(body, together).await?;
    // Names cannot be blanked: one with a secret in it would be another name.
    let names: Vec<_> = parts.headers.keys().cloned().collect();
    for name in names {
        if secret::is_in_name(name.as_str(), sent) {
            parts.headers.remove(name);
        }
    }
    for value in parts.headers.values_mut() {
        let blanked = secret::blank(Bytes::copy_from_slice(value.as_bytes()), sent);
        if blanked != value.as_bytes() {
            *value = http::HeaderValue::from_maybe_shared(blanked)
                .unwrap_or_else(|_| http::HeaderValue::from_static(""));
        }
    }
    let body = Full::new(secret::blank(body, sent));
    // The length may have changed, and the guest is handed the body as it is.
    if !sent.is_empty() {
        parts.headers.remove(http::header::CONTENT_LENGTH);
    }
    let body = body.map_err(|never| match never {}).boxed_unsync();
    Ok(http::Response::from_parts(parts, body))
}

/// A body, where it is no larger than it may be, by itself and with the others of its call.
async fn whole<B>(mut body: B, together: &Together) -> Result<Bytes, Error>
where
    B: http_body::Body<Data = Bytes, Error = Error> + Unpin,
{
    let mut whole = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let frame = frame?;
        let Some(data) = frame.data_ref() else {
            continue;
        };
        let received = together.received.fetch_add(data.len(), Ordering::Relaxed);
        if whole.len() + data.len() > BODY {
            return Err(Error::HttpResponseBodySize(Some(BODY as u64)));
        }
        if received + data.len() > BODIES {
            let message = format!("the answers of a call have more than {BODIES} bytes together");
            return Err(Error::InternalError(Some(message)));
        }
        whole.extend_from_slice(data);
    }
    Ok(whole.freeze())
}
