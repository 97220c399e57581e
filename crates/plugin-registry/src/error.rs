//! What can go wrong between here and a registry.

use model::Digest;
use thiserror::Error;

/// A registry does not give or take what it should.
#[derive(Debug, Error)]
pub enum RegistryError {
    /// It does not answer.
    #[error("the registry {registry} cannot be reached: {doing} failed")]
    Unreachable {
        /// Which.
        registry: String,
        /// What was being done.
        doing: &'static str,
        /// Why it failed.
        #[source]
        cause: Box<dyn std::error::Error + Send + Sync>,
    },
    /// It takes too long.
    #[error("the registry {0} does not answer in time")]
    Late(String),
    /// It would be spoken to without TLS, and nobody asked for that.
    #[error("{0} would be spoken to without TLS: say --plain-http where that is meant")]
    Plain(String),
    /// TLS cannot be set up.
    #[error("TLS cannot be set up")]
    Tls(#[source] rustls::Error),
    /// Its answers lead in a circle, or to no place.
    #[error("the registry {0} sends on to nowhere")]
    Astray(String),
    /// It gives more than was asked for.
    #[error("the registry {registry} gives more than the {most_bytes} bytes that are allowed")]
    TooLarge {
        /// Which.
        registry: String,
        /// The bound.
        most_bytes: usize,
    },
    /// It asks for credentials, or refuses those it was given.
    #[error(
        "the registry {registry} does not allow it {how}: `docker login {registry}` puts credentials where they are looked for, Docker's config.json"
    )]
    Denied {
        /// Which.
        registry: String,
        /// With which credentials it was asked.
        how: &'static str,
    },
    /// Docker's configuration does not read.
    #[error("the credentials for {registry} in Docker's config.json cannot be used")]
    Credentials {
        /// For which registry.
        registry: String,
        /// Why not.
        #[source]
        cause: docker_credential::CredentialRetrievalError,
    },
    /// There is nothing of that name.
    #[error("there is no {0}: no such repository, tag or digest")]
    NotFound(String),
    /// It answers something else.
    #[error("the registry answered {status} to {doing}{told}")]
    Refused {
        /// What was being done.
        doing: &'static str,
        /// Its answer.
        status: u16,
        /// What it says of it, after a colon; empty where it says nothing.
        told: String,
    },
    /// What came is not what was named.
    #[error("{what} is {found}, and was asked for as {asked}: nothing of it is used")]
    Digest {
        /// Which part.
        what: &'static str,
        /// Its digest.
        found: Digest,
        /// The digest by which it was asked for.
        asked: Digest,
    },
    /// A tag does not name what it did.
    #[error(
        "the tag `{tag}` names {now} now, and not {asked} any more; leave the tag out to have what the digest names"
    )]
    TagMoved {
        /// The tag.
        tag: String,
        /// What it names.
        now: Digest,
        /// What was asked for.
        asked: Digest,
    },
    /// What is there is something else.
    #[error("{reference} is no component: {why}")]
    NotAComponent {
        /// What was asked for.
        reference: String,
        /// What it is instead.
        why: String,
    },
}
