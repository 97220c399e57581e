//! A record's promises as they were judged and as today's definitions judge them, as clients see them.

use engine::{JudgedAgain, Kind, RecordDifference as EngineDifference};
use model::Instant;
use model::id::RecordId;
use serde::Serialize;
use utoipa::ToSchema;

use super::clock::Clock;

/// The clocks of a record, then and now.
#[derive(Serialize, ToSchema)]
pub struct ServiceLevels<'a> {
    /// The record.
    #[schema(value_type = String)]
    record: &'a RecordId,
    /// As they were judged: by the definitions of then, as the journal has it.
    then: Vec<Clock<'a>>,
    /// As they are judged now: the same journal under the definitions in force.
    now: Vec<Clock<'a>>,
    /// What differs.
    differences: Vec<ClockDifference<'a>>,
    /// What could not be judged as it would have been, such as a plugin whose answer is not known, so
    /// that its fallback counts.
    notes: &'a [String],
}

/// One difference between the two.
#[derive(Serialize, ToSchema)]
pub struct ClockDifference<'a> {
    /// The service level and the target.
    #[schema(example = "standard/resolution")]
    clock: &'a str,
    /// What of it differs: `goal`, `verdict` or `due`.
    #[schema(value_type = String)]
    what: Kind,
    /// What it was.
    then: &'a str,
    /// What it is now.
    now: &'a str,
    /// By how many seconds it is due later now.
    #[serde(skip_serializing_if = "Option::is_none")]
    shift_s: Option<i64>,
    /// Why.
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<&'a str>,
    /// When the clock began.
    #[schema(value_type = String, format = DateTime)]
    since: Instant,
}

impl<'a> From<&'a JudgedAgain> for ServiceLevels<'a> {
    fn from(judged: &'a JudgedAgain) -> Self {
        Self {
            record: &judged.record,
            then: judged.then.iter().map(Clock::from).collect(),
            now: judged.now.iter().map(Clock::from).collect(),
            differences: judged
                .differences
                .iter()
                .map(ClockDifference::from)
                .collect(),
            notes: &judged.notes,
        }
    }
}

impl<'a> From<&'a EngineDifference> for ClockDifference<'a> {
    fn from(difference: &'a EngineDifference) -> Self {
        Self {
            clock: &difference.what,
            what: difference.kind,
            then: &difference.then,
            now: &difference.now,
            shift_s: difference.shift_s,
            why: difference.why.as_deref(),
            since: difference.at,
        }
    }
}
