//! What is remembered of a group between two notifications: which record is its present one, and what
//! it was told as. One small value a group. Each resolution forgets a few groups that are over, so that
//! what is remembered does not grow for ever.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use servicewright_sdk::{Error, Record, Result, directory, key_value};

use crate::notification::Alert;

/// Of how many alerts a group is told as; further ones are news each time.
const MAX_ALERTS: usize = 500;
/// How many other groups are looked at when one is resolved.
const SWEPT: usize = 5;

/// What a group was told as.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Seen {
    /// The present record's name.
    pub(crate) reference: String,
    /// When each alert began to fire, by fingerprint, and whether it still did.
    #[serde(default)]
    pub(crate) alerts: BTreeMap<String, (i64, bool)>,
    /// What the fields that follow the alerts were set to.
    #[serde(default)]
    pub(crate) followed: BTreeMap<String, Json>,
}

impl Seen {
    /// Whether this firing of an alert was told already.
    pub(crate) fn knows_firing(&self, alert: &Alert) -> bool {
        self.alerts
            .get(&alert.fingerprint)
            .is_some_and(|(started, _)| *started == alert.started_ms())
    }

    /// Whether this alert was told to be just so.
    pub(crate) fn knows(&self, alert: &Alert) -> bool {
        let told = self.alerts.get(&alert.fingerprint);
        told == Some(&(alert.started_ms(), alert.is_firing()))
    }

    /// Remembers these alerts, and no others.
    pub(crate) fn tell(&mut self, alerts: &[Alert]) {
        self.alerts = alerts
            .iter()
            .take(MAX_ALERTS)
            .map(|alert| {
                let told = (alert.started_ms(), alert.is_firing());
                (alert.fingerprint.clone(), told)
            })
            .collect();
    }
}

/// What is remembered of a group, and the bytes that hold it.
pub(crate) fn load(key: &str) -> Result<(Option<Seen>, Option<Vec<u8>>)> {
    let bytes = key_value::get(key)?;
    // What an older version wrote and this one cannot read is as good as nothing.
    let seen = bytes
        .as_deref()
        .and_then(|bytes| serde_json::from_slice(bytes).ok());
    Ok((seen, bytes))
}

/// Remembers something else of a group, or nothing any more.
///
/// # Errors
/// [`Error::Unavailable`] where another notification of the group was handled meanwhile: Alertmanager
/// sends this one again.
pub(crate) fn store(key: &str, before: Option<&[u8]>, seen: Option<&Seen>) -> Result<()> {
    let bytes = seen.map(serde_json::to_vec).transpose()?;
    if bytes.as_deref() == before {
        return Ok(());
    }
    if key_value::compare_and_set(key, before, bytes.as_deref())? {
        return Ok(());
    }
    Err(Error::unavailable(
        "another notification of this group is being handled: send it again",
    ))
}

/// Forgets groups whose alerts are resolved and whose records are done with, of the few that come
/// behind this one in the order of their names.
pub(crate) fn sweep(name: &str, may_forget: impl Fn(&Record) -> bool) -> Result<()> {
    let kind = name.split_inclusive(':').next().unwrap_or(name);
    for key in key_value::keys(kind, Some(name))?.iter().take(SWEPT) {
        let (Some(seen), bytes) = load(key)? else {
            continue;
        };
        if seen.alerts.values().any(|(_, is_firing)| *is_firing) {
            continue;
        }
        let record = directory::referenced(&seen.reference)?;
        if record.as_ref().is_none_or(&may_forget) {
            // Where it changed meanwhile, it is not over.
            key_value::compare_and_set(key, bytes.as_deref(), None)?;
        }
    }
    Ok(())
}
