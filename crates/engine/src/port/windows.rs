//! Planned windows, as the change calendar has them.

use model::Instant;
use model::directory::Key;
use model::id::RecordId;
use serde::Serialize;

/// Which planned windows are looked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WindowsQuery {
    /// Those that may disturb this thing; all without it.
    pub affects: Option<Key>,
    /// Those that end after this instant.
    pub from: Instant,
    /// Those that begin before this instant.
    pub to: Instant,
    /// At most so many.
    pub limit: usize,
}

/// A planned window.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct PlannedFor {
    /// When the work begins.
    pub from: Instant,
    /// Whose work it is.
    pub record: RecordId,
    /// When the work is over.
    pub to: Instant,
}

/// Planned windows, in the order in which they begin.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Windows {
    /// The position of the journal that they show at least.
    pub as_of: u64,
    /// The windows.
    pub windows: Vec<PlannedFor>,
}
