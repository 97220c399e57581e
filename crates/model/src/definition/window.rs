//! Planned windows: when the work of a record is to be done, and what may be disturbed by it.

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Cel;
use crate::id::{CalendarId, FieldId};

/// What makes records of a workflow part of the change calendar.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Window {
    /// The field that holds when the work begins, an instant.
    pub from: FieldId,
    /// The field that holds when it is over, an instant.
    pub to: FieldId,
    /// The fields that name what may be disturbed: services, sites, or other things of the directory.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub affects: IndexMap<FieldId, bool>,
    /// The window counts for others only while this holds; while the record is open or waiting without it.
    #[serde(rename = "while", default, skip_serializing_if = "Option::is_none")]
    pub condition: Option<Cel>,
    /// The calendars whose open time is frozen, whatever is affected. Things of the directory have further
    /// ones as their `freeze`.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub freezes: IndexMap<CalendarId, bool>,
}
