//! How incidents and records know each other, and what a webhook of version 3 says.
//!
//! A record's alert has a deduplication key made of the desk's name and the record's number, which
//! PagerDuty tells as the incident's key. Everything else goes by the incident's own id, which the
//! record has as a reference.

use serde::Deserialize;
use serde_json::Value as Json;
use servicewright_sdk::{OrInvalid, Result};

/// The key of a record's alert; far below PagerDuty's 255 characters.
pub(crate) fn dedup_key(source: &str, record: &str) -> String {
    format!("{source}/{record}")
}

/// The reference of an incident's record.
pub(crate) fn reference(incident: &str) -> String {
    format!("incident/{incident}")
}

/// One more for a record that began as an incident.
pub(crate) fn origin(incident: &str) -> String {
    format!("origin/{incident}")
}

/// Whether a reference says that the record began as an incident.
pub(crate) fn began_there(reference: &str) -> bool {
    reference.starts_with("origin/")
}

#[derive(Deserialize)]
struct Body {
    event: Told,
}

/// An event of PagerDuty.
#[derive(Debug, Deserialize)]
pub(crate) struct Told {
    pub(crate) id: String,
    event_type: String,
    pub(crate) occurred_at: String,
    #[serde(default)]
    agent: Option<Named>,
    #[serde(default)]
    data: Json,
}

#[derive(Debug, Deserialize)]
struct Named {
    #[serde(default)]
    summary: Option<String>,
    #[serde(default, rename = "type")]
    kind: String,
}

/// What is told of an incident itself.
#[derive(Debug, Deserialize)]
pub(crate) struct Incident {
    pub(crate) id: String,
    #[serde(default)]
    pub(crate) html_url: Option<String>,
    #[serde(default)]
    pub(crate) number: Option<u64>,
    #[serde(default)]
    #[serde(rename = "incident_key")]
    key: Option<String>,
    #[serde(default)]
    pub(crate) title: Option<String>,
    #[serde(default)]
    service: Option<Named>,
    #[serde(default)]
    assignees: Vec<Named>,
    #[serde(default)]
    escalation_policy: Option<Named>,
    #[serde(default)]
    priority: Option<Named>,
    #[serde(default)]
    pub(crate) urgency: Option<String>,
}

/// What is told of something below an incident: a note, a status update, a responder.
#[derive(Debug, Deserialize)]
pub(crate) struct Below {
    pub(crate) incident: Reference,
    #[serde(default)]
    content: Option<String>,
    #[serde(default)]
    message: Option<String>,
    #[serde(default)]
    user: Option<Named>,
    #[serde(default)]
    state: Option<String>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Reference {
    pub(crate) id: String,
}

impl Told {
    /// # Errors
    /// Where the body is none of PagerDuty's.
    pub(crate) fn read(body: &[u8]) -> Result<Self> {
        let Body { event } =
            serde_json::from_slice(body).or_invalid("the body is not one of PagerDuty's")?;
        Ok(event)
    }

    /// What happened to an incident, such as `acknowledged`; none where it is not about one.
    pub(crate) fn what(&self) -> Option<&str> {
        self.event_type.strip_prefix("incident.")
    }

    /// Whether a person did it. The rest is what integrations did, this desk's own among them.
    pub(crate) fn is_by_a_person(&self) -> bool {
        let agent = self.agent.as_ref();
        agent.is_some_and(|agent| agent.kind == "user_reference")
    }

    /// Who did it, for people.
    pub(crate) fn by(&self) -> &str {
        let agent = self.agent.as_ref();
        agent
            .and_then(|agent| agent.summary.as_deref())
            .unwrap_or("PagerDuty")
    }

    /// # Errors
    /// Where it tells of no incident.
    pub(crate) fn incident(&self) -> Result<Incident> {
        serde_json::from_value(self.data.clone()).or_invalid("the event tells of no incident")
    }

    /// # Errors
    /// Where it tells of nothing below an incident.
    pub(crate) fn below(&self) -> Result<Below> {
        serde_json::from_value(self.data.clone()).or_invalid("the event belongs to no incident")
    }
}

impl Incident {
    /// The record that it is the alert of, where it began at this desk.
    pub(crate) fn record(&self, source: &str) -> Option<&str> {
        let key = self.key.as_deref()?;
        let record = key.strip_prefix(source)?.strip_prefix('/')?;
        (!record.is_empty()).then_some(record)
    }

    /// What happened to it, in a sentence.
    pub(crate) fn sentence(&self, what: &str, by: &str) -> String {
        match what {
            "triggered" => match &self.html_url {
                Some(address) => format!("An incident in PagerDuty: {address}"),
                None => "An incident in PagerDuty".to_owned(),
            },
            "reassigned" | "escalated" => {
                let names = self.assignees.iter();
                let names: Vec<&str> = names.filter_map(|named| named.summary.as_deref()).collect();
                let whom = if names.is_empty() {
                    "nobody".to_owned()
                } else {
                    names.join(", ")
                };
                format!("PagerDuty: {what} to {whom} by {by}")
            }
            "delegated" => {
                let policy = self.escalation_policy.as_ref();
                let policy = policy.and_then(|named| named.summary.as_deref());
                let policy = policy.unwrap_or("nobody");
                format!("PagerDuty: delegated to {policy} by {by}")
            }
            "priority_updated" => {
                let priority = self.priority.as_ref();
                let priority = priority.and_then(|named| named.summary.as_deref());
                format!("PagerDuty: priority {} by {by}", priority.unwrap_or("none"))
            }
            other => format!("PagerDuty: {other} by {by}"),
        }
    }

    /// Where it comes from, for a record that is made of it.
    pub(crate) fn provenance(&self) -> String {
        let mut words = "PagerDuty incident".to_owned();
        if let Some(number) = self.number {
            words = format!("{words} #{number}");
        }
        let service = self.service.as_ref();
        if let Some(service) = service.and_then(|named| named.summary.as_deref()) {
            words = format!("{words} of {service}");
        }
        match &self.html_url {
            Some(address) => format!("{words}: {address}"),
            None => words,
        }
    }
}

impl Below {
    /// What was said, in a sentence.
    pub(crate) fn sentence(&self, what: &str, by: &str) -> Option<String> {
        let whom = self
            .user
            .as_ref()
            .and_then(|named| named.summary.as_deref());
        let whom = whom.unwrap_or("a team");
        let said = self.message.as_deref().unwrap_or_default();
        Some(match what {
            "annotated" => {
                let note = self.content.as_deref()?;
                format!("{by} noted in PagerDuty: {note}")
            }
            "status_update_published" => format!("{by} told the stakeholders in PagerDuty: {said}"),
            "responder.added" => format!("PagerDuty: {by} asked {whom} to help: {said}"),
            "responder.replied" => {
                let state = self.state.as_deref().unwrap_or("no answer");
                format!("PagerDuty: {whom} replied, {state}: {said}")
            }
            _ => return None,
        })
    }
}
