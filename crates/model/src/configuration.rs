//! What is installed: which version of each definition is in force, by digest. The definitions
//! themselves are stored by digest and never change.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::Digest;
use crate::id::{
    BindingId, CalendarId, NoticeId, PackId, RoleId, ServiceLevelId, TeamId, WorkflowId,
};

/// The set of definitions in force.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Configuration {
    /// The packs they come from.
    pub packs: BTreeMap<PackId, InstalledPack>,
    /// The workflows.
    pub workflows: BTreeMap<WorkflowId, Installed>,
    /// The service levels.
    pub service_levels: BTreeMap<ServiceLevelId, Installed>,
    /// The calendars.
    pub calendars: BTreeMap<CalendarId, Installed>,
    /// The teams.
    pub teams: BTreeMap<TeamId, Installed>,
    /// The notices.
    pub notices: BTreeMap<NoticeId, Installed>,
    /// The bindings.
    pub bindings: BTreeMap<BindingId, InstalledBinding>,
}

/// A pack as it was installed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct InstalledPack {
    /// Its version.
    pub version: String,
    /// What people call it.
    pub title: String,
    /// Its digest, that of the packs it adapts included.
    pub digest: Digest,
    /// The packs it adapts, from the bottom.
    pub chain: Vec<PackId>,
    /// The zone of its calendar days.
    pub zone: String,
    /// The roles it names.
    pub roles: BTreeMap<RoleId, String>,
}

/// A definition in force.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Installed {
    /// The pack it comes from.
    pub pack: PackId,
    /// The digest of its canonical form, under which it is stored.
    pub digest: Digest,
}

/// A binding in force.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InstalledBinding {
    /// The pack it comes from.
    pub pack: PackId,
    /// The digest of its definition.
    pub digest: Digest,
    /// The digest of its component, under which that is stored.
    pub component: Digest,
    /// Who vouched for the component when it was put in force.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provenance: Option<Provenance>,
}

/// Who vouches for a component.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Provenance {
    /// It ships inside the server.
    Shipped,
    /// Somebody whom the operator trusts has signed it.
    Signed {
        /// How the operator calls them.
        by: String,
        /// Their key, by the digest of its DER form.
        key: Digest,
    },
    /// It is signed with a key that the operator does not know, which is worth no more than none.
    Stranger {
        /// The key that the signature names, where it names one.
        key: Option<Digest>,
    },
    /// Nobody has signed it.
    Unsigned,
}

impl fmt::Display for Provenance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Shipped => f.write_str("shipped with the server"),
            Self::Signed { by, .. } => write!(f, "signed by {by}"),
            Self::Stranger { key: Some(key) } => write!(f, "signed with the unknown key {key}"),
            Self::Stranger { key: None } => f.write_str("signed with an unknown key"),
            Self::Unsigned => f.write_str("not signed"),
        }
    }
}
