//! Teams, and notices to people.

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Escalation;
use crate::id::CalendarId;

/// A team that work can be given to. Its members are directory data.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Team {
    /// What people call it.
    pub title: String,
    /// When it works.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub calendar: Option<CalendarId>,
    /// Who is told, one after the other, of work that nobody takes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub escalation: Option<Box<Escalation>>,
}

/// A message to people, rendered from a record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Notice {
    /// Who gets it: `requester`, `assignee`, `team`, `watcher`, `approver`, or a role.
    pub to: IndexMap<String, bool>,
    /// Whether it goes by every binding, whatever those who get it prefer.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub mandatory: bool,
    /// One line, a template.
    #[schemars(length(min = 1, max = 500))]
    pub subject: String,
    /// The message, a template.
    #[schemars(length(min = 1, max = 20_000))]
    pub text: String,
}
