//! The key that links for votes are signed with, and where it comes from.

use std::fmt;

use futures::future::BoxFuture;
use thiserror::Error;

/// A key that links for votes are signed with: 256 bits, drawn at random. It is never shown.
#[derive(Clone)]
pub struct LinkKey([u8; Self::BYTES]);

impl LinkKey {
    /// How many bytes a key has.
    pub const BYTES: usize = 32;

    /// A key of these bytes.
    pub const fn new(bytes: [u8; Self::BYTES]) -> Self {
        Self(bytes)
    }

    /// Its bytes.
    pub(crate) const fn bytes(&self) -> &[u8; Self::BYTES] {
        &self.0
    }
}

impl fmt::Debug for LinkKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LinkKey(…)")
    }
}

/// Why there is no key, and what to do about it.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("links for votes cannot be signed: {0}")]
pub struct LinkKeyError(pub String);

/// Where the key is kept.
pub trait LinkKeys: Send + Sync + 'static {
    /// The key; none where none was made yet, so that no link can be good.
    ///
    /// # Errors
    /// Where one was made and cannot be had.
    fn key(&self) -> Result<Option<LinkKey>, LinkKeyError>;

    /// The key; where there is none yet, one is made and durable before it is given.
    ///
    /// # Errors
    /// Where there is none and none can be made, or one was made and cannot be had.
    fn key_or_new(&self) -> BoxFuture<'_, Result<LinkKey, LinkKeyError>>;
}
