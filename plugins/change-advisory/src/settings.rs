//! What the process owner can set; the defaults fit the change workflow of the `itil` pack.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Deserialize;
use servicewright_sdk::{IsoDuration, TimeLimit};

const DAY: Duration = Duration::from_hours(24);

/// How risk is counted and who is asked.
#[derive(Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Settings {
    pub(crate) fields: FieldNames,
    pub(crate) points: Points,
    pub(crate) thresholds: Thresholds,
    pub(crate) freeze: Freeze,
    pub(crate) history: History,
    pub(crate) manager: Manager,
    pub(crate) board: Board,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            fields: FieldNames::default(),
            points: Points::default(),
            thresholds: Thresholds::default(),
            freeze: Freeze::Named("freeze".to_owned()),
            history: History::default(),
            manager: Manager::default(),
            board: Board::default(),
        }
    }
}

/// What the workflow calls the fields that are read.
#[derive(Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct FieldNames {
    pub(crate) impact: String,
    pub(crate) affected: String,
    pub(crate) start: String,
    pub(crate) end: String,
    /// The workflow's own rating, which the plugin never goes below.
    pub(crate) rating: String,
    pub(crate) outcome: String,
}

impl Default for FieldNames {
    fn default() -> Self {
        Self {
            impact: "impact".to_owned(),
            affected: "affected".to_owned(),
            start: "planned_start".to_owned(),
            end: "planned_end".to_owned(),
            rating: "risk".to_owned(),
            outcome: "outcome".to_owned(),
        }
    }
}

/// How much each thing weighs.
#[derive(Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Points {
    pub(crate) impact: BTreeMap<String, u32>,
    pub(crate) rating: BTreeMap<String, u32>,
    /// For every affected service but the first.
    pub(crate) service: u32,
    /// For a window that touches the freeze.
    pub(crate) freeze: u32,
    /// For a change without a whole window, where there is a freeze to touch.
    pub(crate) unplanned: u32,
    /// For every past failure of the same kind.
    pub(crate) failure: u32,
}

impl Default for Points {
    fn default() -> Self {
        let levels = [("low", 0), ("medium", 2), ("high", 4)];
        let levels: BTreeMap<_, _> = levels
            .map(|(level, points)| (level.to_owned(), points))
            .into();
        Self {
            impact: levels.clone(),
            rating: levels,
            service: 1,
            freeze: 4,
            unplanned: 2,
            failure: 2,
        }
    }
}

/// From how many points on somebody is asked.
#[derive(Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Thresholds {
    pub(crate) manager: u32,
    pub(crate) board: u32,
}

impl Default for Thresholds {
    fn default() -> Self {
        Self {
            manager: 2,
            board: 4,
        }
    }
}

/// The calendar that is open while nothing may change, or `false` for none.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(crate) enum Freeze {
    Named(String),
    Switched(bool),
}

impl Freeze {
    /// Its id; `true` names none, and so means the usual one.
    pub(crate) fn calendar(&self) -> Option<&str> {
        match self {
            Self::Named(id) => Some(id),
            Self::Switched(true) => Some("freeze"),
            Self::Switched(false) => None,
        }
    }
}

/// Which earlier changes count as failures of the same kind.
#[derive(Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct History {
    /// Fields in which they are the same; none switches the look back off.
    pub(crate) same: Vec<String>,
    pub(crate) failed: Vec<String>,
    pub(crate) within: IsoDuration,
}

impl Default for History {
    fn default() -> Self {
        Self {
            same: vec!["kind".to_owned()],
            failed: vec!["failed".to_owned(), "backed-out".to_owned()],
            within: IsoDuration(180 * DAY),
        }
    }
}

/// How the manager is asked.
#[derive(Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Manager {
    /// Asked in place of a manager whom nobody knows.
    pub(crate) stand_in_role: String,
    pub(crate) timeout: IsoDuration,
    pub(crate) calendar: Option<String>,
}

impl Default for Manager {
    fn default() -> Self {
        Self {
            stand_in_role: "change-manager".to_owned(),
            timeout: IsoDuration(3 * DAY),
            calendar: None,
        }
    }
}

impl Manager {
    pub(crate) fn limit(&self) -> TimeLimit {
        limit(self.timeout, self.calendar.as_ref())
    }
}

/// How the change advisory board is asked.
#[derive(Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Board {
    pub(crate) team: String,
    pub(crate) quorum_percent: u32,
    pub(crate) timeout: IsoDuration,
    pub(crate) calendar: Option<String>,
}

impl Default for Board {
    fn default() -> Self {
        Self {
            team: "cab".to_owned(),
            quorum_percent: 50,
            timeout: IsoDuration(7 * DAY),
            calendar: None,
        }
    }
}

impl Board {
    pub(crate) fn limit(&self) -> TimeLimit {
        limit(self.timeout, self.calendar.as_ref())
    }
}

fn limit(timeout: IsoDuration, calendar: Option<&String>) -> TimeLimit {
    TimeLimit {
        duration: timeout.0,
        calendar: calendar.cloned(),
    }
}
