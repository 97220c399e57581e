//! Digests: how far what a person was told has been gathered, and the messages that are on their way.

use model::Instant;
use model::id::BindingId;
use serde::{Deserialize, Serialize};

use super::inbox::InboxPlace;

/// How far the digests of a person have come.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DigestState {
    /// The last time of theirs for which was gathered what had come.
    pub due: Instant,
    /// The newest notice of their inbox that came before it.
    pub through: InboxPlace,
    /// The messages that were made of it and are not delivered.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub open: Vec<PendingDigest>,
}

impl Default for DigestState {
    fn default() -> Self {
        Self {
            due: Instant::EPOCH,
            through: InboxPlace::default(),
            open: Vec::new(),
        }
    }
}

/// One message to be delivered: what it says is gathered anew from the journal with each attempt, of the
/// notices between two places.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PendingDigest {
    /// By which binding.
    pub binding: BindingId,
    /// For which time: with the person and the binding the name of the message, the same for every attempt.
    pub due: Instant,
    /// The notices after this place …
    pub after: InboxPlace,
    /// … and up to this one.
    pub through: InboxPlace,
    /// How often it was tried.
    pub attempts: u32,
    /// When it is tried next.
    pub next_at: Instant,
    /// Why it was given up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dead: Option<String>,
}
