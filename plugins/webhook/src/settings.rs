//! What the process owner can set.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Deserialize;
use servicewright_sdk::IsoDuration;

/// Where events go, whose requests are believed, and what the headers are called.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Settings {
    pub(crate) deliver: Option<Deliver>,
    pub(crate) receive: Option<Receive>,
    pub(crate) headers: HeaderNames,
}

/// Where events go.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Deliver {
    pub(crate) url: String,
    /// The secret that signs; nothing is signed without one.
    #[serde(default)]
    pub(crate) secret: Option<String>,
    /// More headers, in whose values `{{secret:name}}` stands for a secret.
    #[serde(default)]
    pub(crate) headers: BTreeMap<String, String>,
    #[serde(default = "ten_seconds")]
    pub(crate) timeout: IsoDuration,
    /// Where in the response the receiver's own name for the record stands, as a JSON pointer.
    #[serde(default)]
    pub(crate) reference: Option<String>,
}

fn ten_seconds() -> IsoDuration {
    IsoDuration(Duration::from_secs(10))
}

/// Whose requests are believed.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Receive {
    /// The secret that the sender signs with.
    pub(crate) secret: String,
    /// The one before, for as long as the sender may still use it.
    #[serde(default)]
    pub(crate) previous_secret: Option<String>,
    /// How far the sender's clock may be off, and how late a request may be.
    #[serde(default = "five_minutes")]
    pub(crate) tolerance: IsoDuration,
}

fn five_minutes() -> IsoDuration {
    IsoDuration(Duration::from_mins(5))
}

/// What the headers are called, both ways.
#[derive(Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct HeaderNames {
    pub(crate) signature: String,
    pub(crate) timestamp: String,
    pub(crate) delivery: String,
}

impl Default for HeaderNames {
    fn default() -> Self {
        Self {
            signature: "servicewright-signature".to_owned(),
            timestamp: "servicewright-timestamp".to_owned(),
            delivery: "servicewright-delivery".to_owned(),
        }
    }
}
