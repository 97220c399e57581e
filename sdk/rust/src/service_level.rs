//! The hook that says what was promised, and by when. Pure.

use std::time::Duration;

pub use crate::{Call, Fields, Instant, Record, Result, TimeLimit};

/// Answers when a clock is set, or has to be set again.
///
/// Where the answer is an error, the goal in the service level applies.
pub trait ServiceLevel {
    /// Goals for the targets that the agreement names.
    ///
    /// # Errors
    /// Where the plugin cannot tell.
    fn targets(call: &Call, record: &Record, agreement: &Agreement) -> Result<Vec<Target>>;
}

/// The service level that asks.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Agreement {
    /// The id of the service level.
    pub id: String,
    /// The targets that want a goal, such as `resolution`. No others may be answered for.
    pub targets: Vec<String>,
    /// The calendar that the service level counts in, unless a goal names another.
    pub calendar: String,
    /// What later servers say beyond the rest.
    pub facts: Fields,
}

impl Agreement {
    /// An agreement with these targets: for tests.
    pub fn new(id: &str, targets: &[&str], calendar: &str) -> Self {
        Self {
            id: id.to_owned(),
            targets: targets.iter().map(|&target| target.to_owned()).collect(),
            calendar: calendar.to_owned(),
            facts: Fields::new(),
        }
    }
}

/// What was promised for one target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// Which target.
    pub id: String,
    /// By when.
    pub goal: Goal,
    /// How much of the goal may be used up before somebody is warned, in percent, rising.
    pub warn_at_percent: Vec<u32>,
    /// A sentence that people read and the journal keeps.
    pub reason: String,
}

/// By when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Goal {
    /// Within so much time; the clock stands still while the record waits.
    Within(TimeLimit),
    /// At one instant, that no waiting moves.
    DueAt(Instant),
}

impl Goal {
    /// Within so much business time of a calendar.
    pub fn within(duration: Duration, calendar: impl Into<String>) -> Self {
        Self::Within(TimeLimit::in_calendar(duration, calendar))
    }
}
