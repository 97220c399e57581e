//! Outgoing HTTP for integrations. A request goes where a grant says and nowhere else: its origin is
//! checked, its host resolved once, each address checked, and the connection made to a checked address.
//! Redirects are handed to the guest, which may make a new request; that is checked like any other.
//! Secrets are put in on the way out, where their grants let them go, and blanked in what comes back.

mod address;
mod body;
mod connect;
mod origin;
mod secret;

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use http::uri::Scheme;
use http::{Method, Uri};
use model::hook::FailureKind;
use model::id::SecretId;
use wasmtime_wasi_http::{Error, RequestOptions, WasiBody, WasiHttpHooks};

pub(crate) use self::connect::Client;
pub(crate) use self::origin::Origin;

use self::body::Filling;
use self::connect::{Request, Target, Timeouts, Together};
use self::secret::{Fault, Place};
use crate::active::Bound;
use crate::failure::printable;
use crate::options::{SecretValue, Secrets};

/// How many requests one call may make.
const REQUESTS: u32 = 50;
/// How long a connection may take, where the guest asks for no less.
const CONNECT: Duration = Duration::from_secs(5);

/// The way out for one call.
pub(crate) struct Outgoing {
    client: Arc<Client>,
    bound: Arc<Bound>,
    secrets: Secrets,
    /// Whether this call may make requests at all.
    open: bool,
    requests: u32,
    /// What went out, in every spelling, and must not come back.
    sent: Vec<SecretValue>,
    /// The first one; whether a body can take a secret shows only while the request is under way.
    refusal: Arc<OnceLock<Refusal>>,
    /// Made for the first request: most calls make none.
    together: Option<Arc<Together>>,
}

type Sent = Box<dyn Future<Output = Result<Received, Error>> + Send>;
type Received = (
    http::Response<WasiBody>,
    Box<dyn Future<Output = Result<(), Error>> + Send>,
);

impl Outgoing {
    pub(crate) fn new(
        client: Arc<Client>,
        bound: Arc<Bound>,
        secrets: Secrets,
        open: bool,
    ) -> Self {
        Self {
            client,
            bound,
            secrets,
            open,
            requests: 0,
            sent: Vec::new(),
            refusal: Arc::default(),
            together: None,
        }
    }

    /// The value of a secret, which must not reach the guest.
    pub(crate) fn secret(&self, id: &SecretId) -> Option<SecretValue> {
        (self.secrets)(&self.bound.id, id)
    }

    /// Takes texts for secrets that went out: they were handed to the guest, and are for nobody else.
    pub(crate) fn hide(&mut self, texts: &[String]) {
        let texts = texts.iter().map(|text| SecretValue::new(text.as_bytes()));
        self.sent.extend(texts);
    }

    /// The text without any secret that went out in this call.
    pub(crate) fn blank(&self, text: String) -> String {
        secret::blank_text(text, &self.sent)
    }

    /// Why a request was refused or came to nothing, where one did: the guest learns less.
    pub(crate) fn trouble(&self) -> Option<String> {
        match (self.refusal.get(), &self.together) {
            (Some((_, refusal)), _) => Some(refusal.clone()),
            (None, Some(together)) => together.trouble(),
            (None, None) => None,
        }
    }

    /// Checks a request and makes it ready to go.
    fn prepare(
        &mut self,
        mut request: http::Request<WasiBody>,
        options: Option<RequestOptions>,
    ) -> Result<Request, Refusal> {
        self.requests += 1;
        if self.requests > REQUESTS {
            let message = format!("it made more than {REQUESTS} requests in one call");
            return Err((FailureKind::Limit, message));
        }
        let target = Target::of(request.uri())
            .and_then(|target| plain(&request).map(|()| target))
            .map_err(|message| (FailureKind::InvalidInput, message.to_owned()))?;
        let grant = self
            .bound
            .granted
            .http
            .iter()
            .filter(|origin| self.open && origin.covers(&target))
            .max_by_key(|origin| origin.is_exact())
            .ok_or_else(|| {
                let message = format!("the binding does not grant requests to {target}");
                (FailureKind::Misconfigured, message)
            })?;
        let trust = grant.trust();
        let fillings = self
            .fill(&mut request, &target)
            .map_err(|fault| (FailureKind::Misconfigured, format!("{fault}, to {target}")))?;
        if !self.sent.is_empty() {
            // What comes back compressed could not be searched for what went out.
            let identity = http::HeaderValue::from_static("identity");
            request
                .headers_mut()
                .insert(http::header::ACCEPT_ENCODING, identity);
        }
        let asked = options.unwrap_or_default();
        Ok(Request {
            client: Arc::clone(&self.client),
            target,
            trust,
            message: request,
            fillings,
            refusal: Arc::clone(&self.refusal),
            timeouts: Timeouts {
                connect: asked.connect_timeout.unwrap_or(CONNECT).min(CONNECT),
                first_byte: asked.first_byte_timeout,
            },
            sent: self.sent.clone(),
            together: Arc::clone(
                self.together
                    .get_or_insert_with(|| Arc::new(Together::new())),
            ),
        })
    }

    /// Puts the secrets in that the request names, and tells what is still to go into its body.
    fn fill(
        &mut self,
        request: &mut http::Request<WasiBody>,
        target: &Target,
    ) -> Result<Vec<Filling>, Fault> {
        let mut used = Vec::new();
        let find = |id: &SecretId, place| self.find(id, place, target);
        let fillings = body::take(request.headers_mut(), |id| find(id, Place::Body))?;
        used.extend(fillings.iter().map(|filling| filling.secret().clone()));
        for value in request.headers_mut().values_mut() {
            let (filled, secrets) = secret::fill(value, |id| find(id, Place::Header))?;
            *value = filled;
            used.extend(secrets);
        }
        if let Some(path) = request.uri().path_and_query() {
            let (filled, secrets) = secret::fill_address(path, |id| find(id, Place::Address))?;
            if !secrets.is_empty() {
                let mut parts = request.uri().clone().into_parts();
                parts.path_and_query = Some(filled);
                *request.uri_mut() = Uri::from_parts(parts).map_err(|_| Fault::MalformedAddress)?;
                used.extend(secrets);
            }
        }
        self.sent.extend(used.iter().flat_map(secret::spellings));
        Ok(fillings)
    }

    /// A secret that may go to this place of a request to this target.
    fn find(&self, id: &SecretId, place: Place, target: &Target) -> Result<SecretValue, Fault> {
        let grant = self
            .bound
            .granted
            .secrets
            .get(id)
            .ok_or(Fault::NotGranted)?;
        if !grant.origins.iter().any(|origin| origin.covers(target)) {
            return Err(Fault::OtherHost);
        }
        match place {
            Place::Address if !grant.url => return Err(Fault::NotInAddresses),
            Place::Body if !grant.body => return Err(Fault::NotInBodies),
            _ => {}
        }
        self.secret(id).ok_or(Fault::Missing)
    }
}

pub(crate) type Refusal = (FailureKind, String);

/// Whether a request is for the target itself, and asks it for no way on or for what it was sent.
fn plain<T>(request: &http::Request<T>) -> Result<(), &'static str> {
    if [Method::CONNECT, Method::TRACE].contains(request.method()) {
        return Err("a request's method is neither CONNECT nor TRACE");
    }
    let path = request.uri().path_and_query();
    if path.is_some_and(|path| !path.as_str().starts_with('/')) {
        return Err("a request's path begins with a slash");
    }
    Ok(())
}

impl WasiHttpHooks for Outgoing {
    fn send_request(
        &mut self,
        request: http::Request<WasiBody>,
        options: Option<RequestOptions>,
        _: Box<dyn Future<Output = Result<(), Error>> + Send>,
    ) -> Sent {
        match self.prepare(request, options) {
            Ok(request) => Box::new(async move {
                let together = Arc::clone(&request.together);
                let response = request.send().await;
                let response = response.inspect_err(|error| together.note(error))?;
                // The whole response is there, so nothing is left to be driven.
                let rest: Box<dyn Future<Output = _> + Send> = Box::new(std::future::ready(Ok(())));
                Ok((response, rest))
            }),
            Err((kind, message)) => {
                // The first tells what is wrong; the others would be a way to fill the log.
                if self.refusal.get().is_none() {
                    let (binding, said) = (self.bound.id.as_str(), printable(&message));
                    tracing::warn!(target: "plugin", binding, "a request was refused: {said}");
                }
                let _ = self.refusal.set((kind, message));
                Box::new(std::future::ready(Err(Error::HttpRequestDenied)))
            }
        }
    }

    fn is_supported_scheme(&mut self, scheme: &Scheme) -> bool {
        *scheme == Scheme::HTTP || *scheme == Scheme::HTTPS
    }
}
