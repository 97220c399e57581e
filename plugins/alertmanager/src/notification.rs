//! What Alertmanager sends: version 4 of its webhook payload, as the page on `webhook_config` has it.

use std::collections::BTreeMap;

use serde::Deserialize;
use servicewright_sdk::Instant;

/// The version that this plugin reads.
const VERSION: &str = "4";
/// How many alerts one notification may have; `max_alerts` there keeps it smaller.
const MAX_ALERTS: usize = 1_000;

/// Labels or annotations.
pub(crate) type Pairs = BTreeMap<String, String>;

/// One group of alerts, as it stands.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Notification {
    version: String,
    pub(crate) group_key: String,
    /// How many alerts were left out, because of `max_alerts`.
    #[serde(default)]
    pub(crate) truncated_alerts: u64,
    #[serde(default)]
    pub(crate) receiver: String,
    #[serde(default)]
    pub(crate) group_labels: Pairs,
    #[serde(default)]
    pub(crate) common_labels: Pairs,
    #[serde(default)]
    pub(crate) common_annotations: Pairs,
    #[serde(default, rename = "externalURL")]
    pub(crate) external_url: String,
    pub(crate) alerts: Vec<Alert>,
}

/// One alert.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Alert {
    pub(crate) status: Status,
    pub(crate) labels: Pairs,
    #[serde(default)]
    pub(crate) annotations: Pairs,
    pub(crate) starts_at: String,
    #[serde(default, rename = "generatorURL")]
    pub(crate) generator_url: String,
    /// The name of its labels: the same each time that it fires.
    pub(crate) fingerprint: String,
}

/// Whether an alert fires.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Status {
    Firing,
    Resolved,
}

impl Notification {
    /// Reads a body; says in words why not.
    pub(crate) fn read(body: &[u8]) -> Result<Self, String> {
        let read: Self = serde_json::from_slice(body)
            .map_err(|error| format!("the body is no notification of Alertmanager: {error}"))?;
        if read.version != VERSION {
            return Err(format!(
                "the notification is of version `{:.20}`, and version 4 is understood",
                read.version
            ));
        }
        if read.alerts.is_empty() {
            return Err("the notification has no alerts".to_owned());
        }
        if read.alerts.len() > MAX_ALERTS {
            return Err(format!(
                "the notification has {} alerts, at most {MAX_ALERTS} are taken: set `max_alerts` in Alertmanager",
                read.alerts.len()
            ));
        }
        for alert in &read.alerts {
            let is_name = |c: char| c.is_ascii_hexdigit();
            if alert.fingerprint.is_empty()
                || alert.fingerprint.len() > 64
                || !alert.fingerprint.chars().all(is_name)
            {
                return Err("an alert has no fingerprint of hexadecimal digits".to_owned());
            }
            if alert.started().is_none() {
                return Err("an alert's `startsAt` is no time".to_owned());
            }
        }
        Ok(read)
    }
}

impl Alert {
    /// When it began to fire.
    pub(crate) fn started(&self) -> Option<Instant> {
        self.starts_at.parse().ok()
    }

    /// The same in milliseconds.
    pub(crate) fn started_ms(&self) -> i64 {
        self.started().map_or(0, Instant::millis)
    }

    /// Whether it fires.
    pub(crate) fn is_firing(&self) -> bool {
        self.status == Status::Firing
    }
}
