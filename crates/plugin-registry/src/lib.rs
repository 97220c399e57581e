//! Plugins between people: components signed with keys, and carried by OCI registries.
//!
//! A signature is a Sigstore bundle, as `cosign sign-blob --key` makes it; a component lies in a
//! registry as a Wasm OCI artifact, its signature beside it as a referrer. Everything that comes from
//! a registry, a signature or a key file is a stranger's until it was checked.

mod error;
mod exchange;
mod files;
mod http;
mod key;
mod layout;
mod metadata;
mod reference;
mod registry;
mod sealed;
mod signature;
mod trust;

pub use error::RegistryError;
pub use exchange::{Pulled, pull, push};
pub use files::{read, write_private};
pub use key::{KeyError, PublicKey, SigningKey};
pub use metadata::{Dependency, Metadata};
pub use reference::{Reference, ReferenceError};
pub use signature::{MAX_SIGNATURE_BYTES, Signature, SignatureError, file_beside};
pub use trust::{Refusal, Trust, TrustError, Unsigned};
