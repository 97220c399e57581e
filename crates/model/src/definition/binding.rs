//! A binding: a plugin put to use, with its settings, grants and limits.

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Cel;
use crate::id::{DirectoryKind, SecretId, WorkflowId};
use crate::{ByteSize, Digest, Duration};

/// A plugin put to use.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Plugin {
    /// What people call it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// The component that answers.
    pub component: Component,
    /// The hooks it is used for, of those it exports.
    pub hooks: IndexMap<crate::hook::Hook, bool>,
    /// With `delivery`: the events it is told of.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub events: IndexMap<crate::event::EventKind, EventFilter>,
    /// With `schedule`: how often it runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schedule: Option<Schedule>,
    /// Its settings, valid by the plugin's own schema.
    #[serde(default, skip_serializing_if = "serde_json::Map::is_empty")]
    pub settings: serde_json::Map<String, serde_json::Value>,
    /// What it may reach.
    #[serde(default)]
    pub grants: Grants,
    /// What it may use up; never more than the operator's ceiling.
    #[serde(default)]
    pub limits: Limits,
}

/// Which component a binding uses.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(inline)]
pub enum Component {
    /// A file of the pack's `plugins` folder, or one that the server ships.
    File(String),
    /// One installed before.
    Digest(Digest),
}

/// Which events of a kind are delivered.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(inline)]
pub struct EventFilter {
    /// Only those for whose record this holds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub when: Option<Cel>,
    /// Only those of these workflows; all where it is empty.
    #[serde(skip_serializing_if = "IndexMap::is_empty")]
    pub workflows: IndexMap<WorkflowId, bool>,
}

/// How often a binding's `schedule` hook runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(inline)]
pub struct Schedule {
    /// The time from one run to the next, at least a minute.
    pub every: Duration,
}

/// What a binding may reach. What is not granted is refused.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
#[schemars(inline)]
pub struct Grants {
    /// Origins for outgoing HTTP, `scheme://host[:port]`, exact or with `*.` before the host.
    #[serde(skip_serializing_if = "IndexMap::is_empty")]
    pub http: IndexMap<String, bool>,
    /// Secrets, each bound to the origins it may be sent to.
    #[serde(skip_serializing_if = "IndexMap::is_empty")]
    pub secrets: IndexMap<SecretId, SecretGrant>,
    /// Kinds of the directory that it may look up.
    #[serde(skip_serializing_if = "IndexMap::is_empty")]
    pub directory: IndexMap<DirectoryKind, bool>,
    /// Commands it may give, per workflow: `create`, `transition`, `update`, `assign`, `vote`, `comment`, `link`.
    #[serde(skip_serializing_if = "IndexMap::is_empty")]
    pub commands: IndexMap<WorkflowId, IndexMap<String, bool>>,
    /// Whether it may give commands on behalf of people.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub act_as: bool,
    /// Whether it is given links by which those whom a notice asks for a vote can give it. Whoever has such
    /// a link can vote.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub vote_links: bool,
    /// Whether it has a key-value space, and how large one.
    #[serde(skip_serializing_if = "KeyValueGrant::is_none")]
    pub key_value: KeyValueGrant,
}

/// A key-value space: `true` for one of the usual size, or how much it may hold. The operator's
/// ceiling holds all the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
#[schemars(inline)]
pub enum KeyValueGrant {
    /// One of the usual size, 1 MiB and 10,000 keys; `false` for none.
    Usual(bool),
    /// One that holds so much.
    Within(KeyValueQuota),
}

/// How much a key-value space may hold.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(inline)]
pub struct KeyValueQuota {
    /// The bytes of its keys and values together, such as `64KiB`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bytes: Option<ByteSize>,
    /// How many keys.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub keys: Option<u32>,
}

impl Default for KeyValueGrant {
    fn default() -> Self {
        Self::Usual(false)
    }
}

impl KeyValueGrant {
    /// The bytes that a space of the usual size holds.
    pub const USUAL_BYTES: ByteSize = ByteSize::from_bytes(1 << 20);
    /// The keys that a space of the usual size holds.
    pub const USUAL_KEYS: u32 = 10_000;

    /// Whether there is no space at all.
    pub const fn is_none(&self) -> bool {
        matches!(self, Self::Usual(false))
    }

    /// The bytes and keys that the space may hold; none where there is no space.
    pub fn quota(&self) -> Option<(ByteSize, u32)> {
        let quota = match self {
            Self::Usual(false) => return None,
            Self::Usual(true) => KeyValueQuota::default(),
            Self::Within(quota) => *quota,
        };
        let bytes = quota.bytes.unwrap_or(Self::USUAL_BYTES);
        Some((bytes, quota.keys.unwrap_or(Self::USUAL_KEYS)))
    }
}

/// Where a secret may go.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(inline)]
pub struct SecretGrant {
    /// The origins whose requests may carry it, in a header.
    #[serde(skip_serializing_if = "IndexMap::is_empty")]
    pub hosts: IndexMap<String, bool>,
    /// Whether the path and the query of an address may carry it too; servers and proxies tend to log those.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub url: bool,
    /// Whether a JSON body may carry it too.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub body: bool,
    /// Whether it may sign and verify messages.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub sign: bool,
}

/// What one call may use up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(inline)]
pub struct Limits {
    /// Processor time of the guest.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cpu: Option<Duration>,
    /// Time from call to answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wall: Option<Duration>,
    /// Memory, in MiB.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 4096))]
    pub memory_mib: Option<u32>,
}

#[cfg(test)]
mod tests {
    use super::Grants;
    use crate::ByteSize;

    #[test]
    fn a_key_value_space_is_granted_in_its_usual_size_or_in_another() {
        let quota = |text: &str| {
            let grants: Grants = serde_json::from_str(text).unwrap();
            assert_eq!(serde_json::to_string(&grants).unwrap(), text);
            grants.key_value.quota()
        };
        let mib = |mib: u64| ByteSize::from_bytes(mib << 20);
        assert_eq!(quota("{}"), None);
        assert_eq!(quota(r#"{"key-value":true}"#), Some((mib(1), 10_000)));
        let both = r#"{"key-value":{"bytes":"2MiB","keys":5}}"#;
        assert_eq!(quota(both), Some((mib(2), 5)));
        let keys = r#"{"key-value":{"keys":5}}"#;
        assert_eq!(quota(keys), Some((mib(1), 5)));
        for wrong in [
            r#"{"key-value":{"byte":"1MiB"}}"#,
            r#"{"key-value":{"bytes":"1 MB"}}"#,
        ] {
            assert!(serde_json::from_str::<Grants>(wrong).is_err(), "{wrong}");
        }
    }
}
