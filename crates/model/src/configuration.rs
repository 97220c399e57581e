//! What is installed: which version of each definition is in force, by digest. The definitions
//! themselves are stored by digest and never change.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::Digest;
use crate::id::{
    BindingId, CalendarId, CatalogueItemId, LanguageTag, MigrationId, NoticeId, PackId, RoleId,
    ServiceLevelId, TeamId, WorkflowId,
};

/// The set of definitions in force.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Configuration {
    /// The packs they come from.
    pub packs: BTreeMap<PackId, InstalledPack>,
    /// The workflows.
    pub workflows: BTreeMap<WorkflowId, Installed>,
    /// The items of the catalogue.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub catalogue: BTreeMap<CatalogueItemId, InstalledItem>,
    /// The migrations.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub migrations: BTreeMap<MigrationId, Installed>,
    /// The translations, of each language those of all packs.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub translations: BTreeMap<LanguageTag, Vec<Installed>>,
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
    /// The language of its texts, where it says which.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
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

/// An item of the catalogue in force.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InstalledItem {
    /// The pack it comes from.
    pub pack: PackId,
    /// The digest of what it says of itself.
    pub digest: Digest,
    /// The digest of its workflow with the item laid over it.
    pub workflow: Digest,
}

/// A binding in force.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InstalledBinding {
    /// The pack it comes from.
    pub pack: PackId,
    /// The digest of its definition.
    pub digest: Digest,
    /// The digest of the component in force, under which that is stored.
    pub component: Digest,
    /// What is settled about its versions beyond that, where anything is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deployment: Option<Deployment>,
    /// Who vouched for the component in force when it was put there.
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

/// What is settled about the versions of a binding's component, beside the one in force.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deployment {
    /// The component that the pack brought, where an operator has put another one in force.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub packed: Option<Digest>,
    /// The components that were in force before, the latest last.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub earlier: Vec<Digest>,
    /// A version that is being tried.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub canary: Option<Canary>,
    /// Why the binding is not asked, where it is not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quarantine: Option<String>,
}

/// A version of a component that is tried on a share of the calls.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Canary {
    /// The digest of the component.
    pub component: Digest,
    /// The share of the calls.
    pub share: Share,
    /// Why it is tried no more, where it is not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub withdrawn: Option<String>,
}

/// A share of calls, from 1 to 100 percent. It is written as `10%`, or as the number alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "u8", into = "u8")]
pub struct Share(u8);

/// Not a share.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("a share is from 1% to 100%")]
pub struct NotAShare;

impl Share {
    /// In percent.
    pub const fn percent(self) -> u8 {
        self.0
    }
}

impl TryFrom<u8> for Share {
    type Error = NotAShare;

    fn try_from(percent: u8) -> Result<Self, NotAShare> {
        if (1..=100).contains(&percent) {
            Ok(Self(percent))
        } else {
            Err(NotAShare)
        }
    }
}

impl From<Share> for u8 {
    fn from(share: Share) -> Self {
        share.0
    }
}

impl FromStr for Share {
    type Err = NotAShare;

    fn from_str(text: &str) -> Result<Self, NotAShare> {
        let number = text.strip_suffix('%').unwrap_or(text);
        number.parse::<u8>().map_err(|_| NotAShare)?.try_into()
    }
}

impl fmt::Display for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}%", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::{InstalledBinding, Share};

    #[test]
    fn a_share_is_a_part_of_the_calls() {
        for (text, percent) in [("1%", Some(1)), ("10", Some(10)), ("100%", Some(100))] {
            assert_eq!(text.parse().ok().map(Share::percent), percent);
        }
        for text in ["0%", "101", "half", "-1", "%", "10%%", ""] {
            assert!(text.parse::<Share>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_binding_of_which_nothing_is_settled_is_written_as_ever() {
        let digest = "sha256:0000000000000000000000000000000000000000000000000000000000000000";
        let text = format!(r#"{{"pack":"itil","digest":"{digest}","component":"{digest}"}}"#);
        let read: InstalledBinding = serde_json::from_str(&text).unwrap();
        assert_eq!((&read.deployment, &read.provenance), (&None, &None));
        assert_eq!(serde_json::to_string(&read).unwrap(), text);
    }
}
