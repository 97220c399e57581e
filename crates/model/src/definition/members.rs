//! Routing to members of a team, without a plugin: who of them may get the work, and who gets it.

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Cel;
use crate::id::{TableId, TeamId};

/// How a member of a team is chosen.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
#[schemars(inline)]
pub struct MemberRouting {
    /// The team. Without it and `table`, the one that the record is with; the team of last resort where
    /// it is with none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub team: Option<TeamId>,
    /// A table of the workflow that gives `team`, in the place of a team.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub table: Option<TableId>,
    /// Which members are considered. Who is out of office, and the requester, never are.
    #[serde(skip_serializing_if = "Among::is_usual")]
    pub among: Among,
    /// Who of them gets it.
    #[serde(skip_serializing_if = "Prefer::is_usual")]
    pub prefer: Prefer,
    /// Whether whoever has the record already keeps it, and else whoever had the requester's last record
    /// of this workflow gets it, as long as they are among those considered.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub sticky: bool,
    /// The skills that it takes, by name.
    #[serde(skip_serializing_if = "IndexMap::is_empty")]
    pub skills: IndexMap<String, SkillNeeded>,
    /// Who has so many open records, or more, gets no other.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 100_000))]
    pub most_open: Option<u32>,
}

/// A skill that it takes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(inline)]
pub struct SkillNeeded {
    /// The lowest level that will do; any without it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 10))]
    pub level: Option<u8>,
    /// When it is needed; always without it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub when: Option<Cel>,
}

/// Which members are considered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(inline)]
pub enum Among {
    /// Those whose shift it is.
    #[default]
    OnShift,
    /// Whoever is on call by the team's rota.
    OnCall,
    /// Every one.
    Everyone,
}

impl Among {
    #[expect(
        clippy::trivially_copy_pass_by_ref,
        reason = "what serde calls it with"
    )]
    fn is_usual(&self) -> bool {
        *self == Self::default()
    }
}

/// Who of several gets the work.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(inline)]
pub enum Prefer {
    /// Who has the fewest open records; of several who waited longest.
    #[default]
    LeastLoaded,
    /// Who waited longest for a record; of several who has the fewest.
    RoundRobin,
}

impl Prefer {
    #[expect(
        clippy::trivially_copy_pass_by_ref,
        reason = "what serde calls it with"
    )]
    fn is_usual(&self) -> bool {
        *self == Self::default()
    }
}
