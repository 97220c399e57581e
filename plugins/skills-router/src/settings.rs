//! What the process owner can set; the defaults fit the incident and request workflows of the
//! `itil` pack.

use std::collections::BTreeMap;

use serde::Deserialize;

/// For each field, what each of its values stands for.
pub(crate) type ByValue<T> = BTreeMap<String, BTreeMap<String, T>>;

/// Whom to choose, and from where.
#[derive(Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Settings {
    pub(crate) prefer: Prefer,
    pub(crate) assign: Assign,
    pub(crate) off_shift: OffShift,
    /// Which team, by the values of fields; the first field in the alphabet that says one counts.
    pub(crate) teams: ByValue<String>,
    /// A reference to a service, whose team sees to it.
    pub(crate) service_field: String,
    pub(crate) default_team: String,
    /// Which skills are needed, by the values of fields.
    pub(crate) skills: ByValue<Vec<String>>,
    /// Fields that hold needed skills themselves.
    pub(crate) skill_fields: Vec<String>,
    /// Fields whose value may be the name of a skill: it counts where somebody has it.
    pub(crate) hint_fields: Vec<String>,
    /// Whether who worked on it last goes on with it.
    pub(crate) keep_assignee: bool,
    /// Whoever has so many open records is given no more.
    pub(crate) max_open_records: Option<u32>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            prefer: Prefer::LeastLoaded,
            assign: Assign::Person,
            off_shift: OffShift::Wait,
            teams: ByValue::new(),
            service_field: "service".to_owned(),
            default_team: "service-desk".to_owned(),
            skills: ByValue::new(),
            skill_fields: vec!["skills".to_owned()],
            hint_fields: vec!["category".to_owned()],
            keep_assignee: true,
            max_open_records: None,
        }
    }
}

/// Who comes first among those who can do it.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Prefer {
    /// Who has the fewest open records.
    LeastLoaded,
    /// Who has gone longest without a new one.
    RoundRobin,
}

/// How far routing goes.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Assign {
    /// To a person where there is one.
    Person,
    /// To a team only.
    Team,
}

/// What happens while nobody who can do it is at work.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum OffShift {
    /// It waits for somebody of the team to take it.
    Wait,
    /// It is given to somebody all the same.
    Assign,
}
