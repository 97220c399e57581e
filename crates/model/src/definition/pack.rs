//! A pack: a versioned folder of definitions, perhaps an adaptation of another.

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Digest;
use crate::id::{PackId, RoleId};

/// The header of a pack, `pack.yaml`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Pack {
    /// Its version, `major.minor.patch`.
    #[schemars(regex(pattern = "^(0|[1-9][0-9]*)\\.(0|[1-9][0-9]*)\\.(0|[1-9][0-9]*)$"))]
    pub version: String,
    /// What people call it.
    pub title: String,
    /// The server versions that run it, such as `>=0.1`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server: Option<String>,
    /// The IANA zone of calendar days; an adaptation may leave it to its base.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zone: Option<String>,
    /// The language of its texts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
    /// The roles that permits may name.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub roles: IndexMap<RoleId, Role>,
    /// The pack that this one adapts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub extends: Option<Extends>,
    /// What earlier versions called otherwise, over all releases: from the path of a thing as they
    /// had it, its folder, id and keys with `/` between, to its last key now. So adaptations of an
    /// earlier version are renamed as they are upgraded:
    /// `workflows/incident/fields/contact: caller`.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub renamed: IndexMap<String, String>,
    /// What the linter is told of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lint: Option<Lint>,
}

/// What the linter is told of a pack.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(inline)]
pub struct Lint {
    /// Warnings that are right as they are: by the place, such as `workflows/incident/states/new`, and
    /// the rule, the reason.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub silence: IndexMap<String, IndexMap<String, String>>,
}

/// A role that people may have.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(inline)]
pub struct Role {
    /// What people call it.
    pub title: String,
}

/// The pack that an adaptation stands on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(inline)]
pub struct Extends {
    /// Its id.
    pub pack: PackId,
    /// Its version.
    pub version: String,
    /// Its digest.
    pub digest: Digest,
}
