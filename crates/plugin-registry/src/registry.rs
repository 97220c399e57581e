//! A repository in an OCI registry: manifests and blobs, by the distribution specification 1.1. What
//! comes is held against the digest by which it was asked for.

use std::fs::File;
use std::io::{BufReader, ErrorKind};
use std::path::PathBuf;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use bytes::Bytes;
use docker_credential::{CredentialRetrievalError, DockerCredential};
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, LOCATION, WWW_AUTHENTICATE};
use http::{HeaderMap, HeaderValue, Method, Request, StatusCode, Uri};
use model::Digest;
use serde::Deserialize;
use tokio::sync::Mutex;

use crate::error::RegistryError;
use crate::http::{Answer, Http, resolve};
use crate::reference::Reference;

/// The largest manifest, in bytes: what registries have to take.
const MAX_MANIFEST: usize = 4 << 20;
/// The largest answer that is no content, in bytes.
const MAX_WORDS: usize = 64 << 10;
/// How Docker's configuration calls the registry `docker.io`.
const DOCKER_HUB: &str = "https://index.docker.io/v1/";

/// What manifests are.
pub(crate) const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
/// What lists of manifests are.
pub(crate) const INDEX: &str = "application/vnd.oci.image.index.v1+json";

/// What is done with a repository, and so what is asked to be allowed.
#[derive(Clone, Copy)]
pub(crate) enum Access {
    Pull,
    Push,
}

/// A repository in a registry.
pub(crate) struct Repository {
    http: Http,
    registry: String,
    name: String,
    credentials: Option<DockerCredential>,
    access: Access,
    /// What the registry accepted last.
    authorization: Mutex<Option<HeaderValue>>,
}

impl Repository {
    /// The repository of a reference, with the credentials that Docker has for its registry.
    pub(crate) fn new(
        reference: &Reference,
        plain_http: bool,
        access: Access,
    ) -> Result<Self, RegistryError> {
        Ok(Self {
            access,
            http: Http::new(plain_http)?,
            registry: reference.registry.clone(),
            name: reference.repository.clone(),
            credentials: credentials(&reference.registry)?,
            authorization: Mutex::new(None),
        })
    }

    /// A manifest by tag or digest, and its digest; none where there is none.
    pub(crate) async fn manifest(
        &self,
        reference: &str,
        kind: &'static str,
    ) -> Result<Option<(Digest, Bytes)>, RegistryError> {
        let mut request = self.request(Method::GET, &format!("manifests/{reference}"))?;
        request
            .headers_mut()
            .insert(ACCEPT, HeaderValue::from_static(kind));
        let answer = self.send(request, MAX_MANIFEST).await?;
        if answer.status == StatusCode::NOT_FOUND {
            return Ok(None);
        }
        let body = expect(answer, StatusCode::OK, "a question for a manifest")?.body;
        let found = Digest::of(&body);
        match reference.parse::<Digest>() {
            Ok(asked) if asked != found => Err(RegistryError::Digest {
                what: "the manifest that came",
                found,
                asked,
            }),
            _ => Ok(Some((found, body))),
        }
    }

    /// Content by digest.
    pub(crate) async fn blob(
        &self,
        asked: &Digest,
        most_bytes: usize,
    ) -> Result<Bytes, RegistryError> {
        let request = self.request(Method::GET, &format!("blobs/{asked}"))?;
        let answer = self.send(request, most_bytes).await?;
        let body = expect(answer, StatusCode::OK, "a question for content")?.body;
        let found = Digest::of(&body);
        if found == *asked {
            Ok(body)
        } else {
            Err(RegistryError::Digest {
                what: "the content that came",
                found,
                asked: *asked,
            })
        }
    }

    /// The manifests that say to be about another, as an index; none where the registry does not
    /// keep such a list by itself.
    pub(crate) async fn referrers(&self, of: &Digest) -> Result<Option<Bytes>, RegistryError> {
        let request = self.request(Method::GET, &format!("referrers/{of}"))?;
        let answer = self.send(request, MAX_MANIFEST).await?;
        Ok((answer.status == StatusCode::OK).then_some(answer.body))
    }

    /// Puts content into the repository, where it is not there yet.
    pub(crate) async fn push_blob(&self, content: Bytes) -> Result<(), RegistryError> {
        let digest = Digest::of(&content);
        let request = self.request(Method::HEAD, &format!("blobs/{digest}"))?;
        if self.send(request, MAX_WORDS).await?.status == StatusCode::OK {
            return Ok(());
        }
        let request = self.request(Method::POST, "blobs/uploads/")?;
        let began = self.send(request, MAX_WORDS).await?;
        let began = expect(began, StatusCode::ACCEPTED, "beginning an upload")?;
        let at = began.headers.get(LOCATION);
        let at = at.ok_or_else(|| RegistryError::Astray(self.registry.clone()))?;
        let at = resolve(&self.uri("blobs/uploads/")?, at)?;
        let joint = if at.query().is_some() { '&' } else { '?' };
        let at = format!("{at}{joint}digest={digest}");
        let mut request = Request::new(content);
        *request.method_mut() = Method::PUT;
        *request.uri_mut() = self.parsed(&at)?;
        let kind = HeaderValue::from_static("application/octet-stream");
        request.headers_mut().insert(CONTENT_TYPE, kind);
        let answer = self.send(request, MAX_WORDS).await?;
        expect(answer, StatusCode::CREATED, "an upload").map(drop)
    }

    /// Puts a manifest into the repository under a tag or its digest.
    pub(crate) async fn push_manifest(
        &self,
        reference: &str,
        kind: &'static str,
        manifest: Bytes,
    ) -> Result<(), RegistryError> {
        let mut request = self.request(Method::PUT, &format!("manifests/{reference}"))?;
        *request.body_mut() = manifest;
        let kind = HeaderValue::from_static(kind);
        request.headers_mut().insert(CONTENT_TYPE, kind);
        let answer = self.send(request, MAX_WORDS).await?;
        expect(answer, StatusCode::CREATED, "a manifest").map(drop)
    }

    fn request(&self, method: Method, path: &str) -> Result<Request<Bytes>, RegistryError> {
        let mut request = Request::new(Bytes::new());
        *request.method_mut() = method;
        *request.uri_mut() = self.uri(path)?;
        Ok(request)
    }

    fn uri(&self, path: &str) -> Result<Uri, RegistryError> {
        let (registry, name) = (&self.registry, &self.name);
        // The registry that Docker calls `docker.io` answers elsewhere.
        let host = match registry.as_str() {
            "docker.io" => "registry-1.docker.io",
            other => other,
        };
        let scheme = self.http.scheme(host);
        self.parsed(&format!("{scheme}://{host}/v2/{name}/{path}"))
    }

    fn parsed(&self, uri: &str) -> Result<Uri, RegistryError> {
        let astray = |_| RegistryError::Astray(self.registry.clone());
        uri.parse().map_err(astray)
    }

    /// Sends a request; where the registry asks who it is from, it is told once and asked again.
    async fn send(
        &self,
        mut request: Request<Bytes>,
        most_bytes: usize,
    ) -> Result<Answer, RegistryError> {
        let mut accepted = self.authorization.lock().await;
        let is_ours = request.uri().authority() == self.uri("")?.authority();
        if let Some(authorization) = accepted.clone().filter(|_| is_ours) {
            request.headers_mut().insert(AUTHORIZATION, authorization);
        }
        let answer = self.http.send(request.clone(), most_bytes).await?;
        if answer.status != StatusCode::UNAUTHORIZED || !is_ours {
            return Ok(answer);
        }
        let authorization = self.authorization(&answer.headers).await?;
        request
            .headers_mut()
            .insert(AUTHORIZATION, authorization.clone());
        let answer = self.http.send(request, most_bytes).await?;
        if matches!(
            answer.status,
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN
        ) {
            return Err(self.denied());
        }
        *accepted = Some(authorization);
        Ok(answer)
    }

    fn denied(&self) -> RegistryError {
        let how = match self.credentials {
            Some(_) => "with the credentials it was given",
            None => "without credentials",
        };
        RegistryError::Denied {
            registry: self.registry.clone(),
            how,
        }
    }

    /// What answers the registry's challenge.
    async fn authorization(&self, headers: &HeaderMap) -> Result<HeaderValue, RegistryError> {
        let challenges = headers.get_all(WWW_AUTHENTICATE).iter();
        let mut challenges = challenges.filter_map(|value| Challenge::parse(value.to_str().ok()?));
        match challenges.next() {
            Some(Challenge::Basic) => self.basic().ok_or_else(|| self.denied()),
            Some(Challenge::Bearer { realm, service }) => self.token(&realm, &service).await,
            None => Err(self.denied()),
        }
    }

    fn basic(&self) -> Option<HeaderValue> {
        let Some(DockerCredential::UsernamePassword(user, password)) = &self.credentials else {
            return None;
        };
        let said = BASE64.encode(format!("{user}:{password}"));
        secret(&format!("Basic {said}"))
    }

    /// A token from where the registry says that they are given.
    async fn token(&self, realm: &str, service: &str) -> Result<HeaderValue, RegistryError> {
        let mut query = form_urlencoded::Serializer::new(String::new());
        if !service.is_empty() {
            query.append_pair("service", service);
        }
        let actions = match self.access {
            Access::Pull => "pull",
            Access::Push => "pull,push",
        };
        query.append_pair("scope", &format!("repository:{}:{actions}", self.name));
        let mut request = Request::new(Bytes::new());
        let uri = if let Some(DockerCredential::IdentityToken(token)) = &self.credentials {
            *request.method_mut() = Method::POST;
            query.append_pair("grant_type", "refresh_token");
            query.append_pair("client_id", "wright");
            query.append_pair("refresh_token", token);
            let form = HeaderValue::from_static("application/x-www-form-urlencoded");
            request.headers_mut().insert(CONTENT_TYPE, form);
            *request.body_mut() = query.finish().into();
            realm.to_owned()
        } else {
            if let Some(basic) = self.basic() {
                request.headers_mut().insert(AUTHORIZATION, basic);
            }
            format!("{realm}?{}", query.finish())
        };
        *request.uri_mut() = self.parsed(&uri)?;
        let answer = self.http.send(request, MAX_WORDS).await?;
        let token: Option<Token> = serde_json::from_slice(&answer.body).ok();
        let token = token
            .filter(|_| answer.status == StatusCode::OK)
            .and_then(|token| token.token.or(token.access_token))
            .and_then(|token| secret(&format!("Bearer {token}")));
        token.ok_or_else(|| self.denied())
    }
}

/// A token as it is given.
#[derive(Deserialize)]
struct Token {
    token: Option<String>,
    access_token: Option<String>,
}

/// How a registry asks who a request is from.
#[derive(Debug, PartialEq, Eq)]
enum Challenge {
    Basic,
    Bearer { realm: String, service: String },
}

impl Challenge {
    fn parse(text: &str) -> Option<Self> {
        let (scheme, parameters) = text.split_once(' ').unwrap_or((text, ""));
        if scheme.eq_ignore_ascii_case("basic") {
            return Some(Self::Basic);
        }
        if !scheme.eq_ignore_ascii_case("bearer") {
            return None;
        }
        let named = |wanted: &str| {
            let mut rest = parameters;
            while let Some((name, after)) = rest.split_once("=\"") {
                let (value, after) = after.split_once('"')?;
                if name.trim_matches([',', ' ']).eq_ignore_ascii_case(wanted) {
                    return Some(value.to_owned());
                }
                rest = after;
            }
            None
        };
        Some(Self::Bearer {
            realm: named("realm")?,
            service: named("service").unwrap_or_default(),
        })
    }
}

/// A header that no log shows.
fn secret(text: &str) -> Option<HeaderValue> {
    let mut value = HeaderValue::from_str(text).ok()?;
    value.set_sensitive(true);
    Some(value)
}

/// The credentials that Docker's `config.json` has for a registry, or its helper; none where it has
/// none, or is not there.
fn credentials(registry: &str) -> Result<Option<DockerCredential>, RegistryError> {
    let known_as = match registry {
        "docker.io" => DOCKER_HUB,
        other => other,
    };
    let unusable = |cause| RegistryError::Credentials {
        registry: registry.to_owned(),
        cause,
    };
    let file = match docker_config().map(File::open) {
        None => return Ok(None),
        Some(Err(error)) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Some(Err(_)) => return Err(unusable(CredentialRetrievalError::ConfigReadError)),
        Some(Ok(file)) => BufReader::new(file),
    };
    match docker_credential::get_credential_from_reader(file, known_as) {
        Ok(found) => Ok(Some(found)),
        Err(CredentialRetrievalError::NoCredentialConfigured) => Ok(None),
        Err(cause) => Err(unusable(cause)),
    }
}

/// Where Docker keeps its `config.json`.
fn docker_config() -> Option<PathBuf> {
    let folder = std::env::var_os("DOCKER_CONFIG").map(PathBuf::from);
    let folder = folder.or_else(|| Some(std::env::home_dir()?.join(".docker")));
    folder.map(|folder| folder.join("config.json"))
}

/// The answer, where it is the one that was meant.
fn expect(answer: Answer, meant: StatusCode, doing: &'static str) -> Result<Answer, RegistryError> {
    if answer.status == meant {
        return Ok(answer);
    }
    let said: Option<Errors> = serde_json::from_slice(&answer.body).ok();
    let said = said.and_then(|said| said.errors.into_iter().next());
    let told = said.map_or_else(String::new, |error| {
        let printable = error.message.chars().filter(|letter| !letter.is_control());
        format!(": {}", printable.take(200).collect::<String>())
    });
    Err(RegistryError::Refused {
        doing,
        status: answer.status.as_u16(),
        told,
    })
}

/// Errors as the distribution specification writes them.
#[derive(Deserialize)]
struct Errors {
    errors: Vec<Error>,
}

#[derive(Deserialize)]
struct Error {
    #[serde(default)]
    message: String,
}

#[cfg(test)]
mod tests {
    use super::Challenge;

    #[test]
    fn challenges_say_where_tokens_are_given() {
        let bearer = |realm: &str, service: &str| {
            Some(Challenge::Bearer {
                realm: realm.to_owned(),
                service: service.to_owned(),
            })
        };
        for (text, meant) in [
            ("Basic realm=\"a registry\"", Some(Challenge::Basic)),
            (
                r#"Bearer realm="https://auth.example/token",service="registry.example",scope="repository:a:pull""#,
                bearer("https://auth.example/token", "registry.example"),
            ),
            (
                r#"bearer service="a", realm="https://auth.example/token?a=b""#,
                bearer("https://auth.example/token?a=b", "a"),
            ),
            ("Bearer scope=\"a\"", None),
            ("Bearer realm=\"unclosed", None),
            ("Negotiate", None),
        ] {
            assert_eq!(Challenge::parse(text), meant, "{text}");
        }
    }
}
