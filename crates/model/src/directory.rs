//! Directory data: the people, organisations, contracts, services and teams that a desk works for
//! and with. It is no part of a pack; its changes are journaled.

use std::collections::BTreeMap;

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};

use crate::id::{CalendarId, DirectoryId, DirectoryKind, PersonId, RoleId, TeamId};
use crate::skills::Skills;

/// A thing in the directory: open attributes, of which the built-in kinds have some with a meaning.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Thing(pub serde_json::Map<String, serde_json::Value>);

impl Thing {
    /// A text attribute.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name).and_then(serde_json::Value::as_str)
    }
}

/// The kinds with attributes that the server itself reads.
pub mod kind {
    /// A person: `name`, `email`, `manager`, `organisation`, `roles`, `vip`, `site`.
    pub const USER: &str = "user";
    /// An organisation: `name`, `contract`, `vip`.
    pub const ORGANISATION: &str = "organisation";
    /// A contract: `name`, `organisation`, `tier`, `calendar`, `zone`.
    pub const CONTRACT: &str = "contract";
    /// A service: `name`, `owner`, `team`, `criticality`; `site`, `freeze` and `maintenance` for the change
    /// calendar, which other kinds may have as well.
    pub const SERVICE: &str = "service";
    /// A team's people: `members`, by person; its `manager`, who plans its rotas; and its `rota`, where that
    /// has another id than the team.
    pub const TEAM: &str = "team";
    /// When a person is out of office: `periods`, see [`Absences`](crate::absence::Absences).
    pub const ABSENCE: &str = "absence";
    /// Who is on call: `team`, `zone`, `layers`, `overrides`, see [`Rota`](crate::rota::Rota).
    pub const ROTA: &str = "rota";
    /// How a person hears of notices: see [`Preferences`](crate::preference::Preferences).
    pub const PREFERENCE: &str = "preference";
}

/// The attributes of the built-in kinds; other kinds have whatever they are given.
pub const BUILT_IN: &[(&str, &[&str])] = &[
    (
        kind::USER,
        &[
            "name",
            "email",
            "manager",
            "organisation",
            "roles",
            "vip",
            "site",
        ],
    ),
    (kind::ORGANISATION, &["name", "contract", "vip"]),
    (
        kind::CONTRACT,
        &["name", "organisation", "tier", "calendar", "zone"],
    ),
    (
        kind::SERVICE,
        &[
            "name",
            "owner",
            "team",
            "criticality",
            "site",
            "freeze",
            "maintenance",
        ],
    ),
    (kind::TEAM, &["members", "manager", "rota"]),
    (kind::ABSENCE, &["periods"]),
    (
        kind::ROTA,
        &["title", "team", "zone", "layers", "overrides"],
    ),
    (
        kind::PREFERENCE,
        &[
            "language", "zone", "default", "channels", "notices", "digest",
        ],
    ),
];

/// The address of a thing.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Key {
    /// Its kind.
    pub kind: DirectoryKind,
    /// Its id within the kind.
    pub id: DirectoryId,
}

/// A team's people, as `team` things hold them.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Roster {
    /// Its members.
    #[serde(default)]
    pub members: IndexMap<PersonId, Member>,
    /// Who answers for it, and plans its rotas.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub manager: Option<PersonId>,
    /// The rota that says who of it is on call; the one with the team's own id without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rota: Option<DirectoryId>,
}

impl Roster {
    /// The id of the rota that says who of it is on call.
    pub fn rota_of<'a>(&'a self, team: &'a TeamId) -> &'a str {
        self.rota
            .as_ref()
            .map_or(team.as_str(), DirectoryId::as_str)
    }
}

/// A member of a team.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Member {
    /// What they are good at.
    #[serde(default)]
    pub skills: Skills,
    /// When they work: a calendar; the team's own without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shift: Option<CalendarId>,
}

/// What is known of a person.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Person {
    /// Their name.
    #[serde(default)]
    pub name: String,
    /// Who they report to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub manager: Option<PersonId>,
    /// Where they belong.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub organisation: Option<DirectoryId>,
    /// What they may do.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub roles: Vec<RoleId>,
    /// Everything else.
    #[serde(flatten)]
    pub facts: BTreeMap<String, serde_json::Value>,
}

/// A change of the directory.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Change {
    /// What changed.
    pub key: Key,
    /// What it is now; nothing once it is removed.
    pub thing: Option<Thing>,
}

/// A team and a person, as routing names them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Assignment {
    /// The team.
    pub team: Option<TeamId>,
    /// One of its members.
    pub assignee: Option<PersonId>,
}
