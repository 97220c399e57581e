//! The change calendar, as clients see it.

use std::collections::BTreeSet;

use engine::{ChangeCalendar, Free, Frozen, Planned as EnginePlanned, RecordWindow};
use model::directory::Key;
use model::id::{RecordId, StateId, WorkflowId};
use model::record::PlannedWindow;
use model::{Instant, definition::Category};
use serde::{Serialize, Serializer};
use utoipa::ToSchema;

use super::record::CategoryName;

/// A thing of the directory, as queries name it too: its kind, a colon and its id.
pub(crate) struct ThingName<'a>(pub(crate) &'a Key);

impl Serialize for ThingName<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&format_args!("{}:{}", self.0.kind, self.0.id))
    }
}

fn names(keys: &BTreeSet<Key>) -> Vec<ThingName<'_>> {
    keys.iter().map(ThingName).collect()
}

/// When the work of a record is planned.
#[derive(Serialize, ToSchema)]
pub struct Window<'a> {
    /// When it begins.
    #[schema(value_type = String, format = DateTime)]
    from: Instant,
    /// When it is over.
    #[schema(value_type = String, format = DateTime)]
    to: Instant,
    /// What may be disturbed.
    #[schema(value_type = Vec<String>, example = json!(["service:payments"]))]
    affects: Vec<ThingName<'a>>,
}

impl<'a> From<&'a PlannedWindow> for Window<'a> {
    fn from(window: &'a PlannedWindow) -> Self {
        Self {
            from: window.from,
            to: window.to,
            affects: names(&window.affects),
        }
    }
}

/// A window in the change calendar. Whose it is is told to whoever may see the record; everybody is told
/// that the time is taken.
#[derive(Serialize, ToSchema)]
pub struct Planned<'a> {
    /// When the work begins.
    #[schema(value_type = String, format = DateTime)]
    from: Instant,
    /// When it is over.
    #[schema(value_type = String, format = DateTime)]
    to: Instant,
    /// What may be disturbed; of a conflict, what both windows disturb.
    #[schema(value_type = Vec<String>)]
    affects: Vec<ThingName<'a>>,
    /// Whose it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, example = "CHG-17")]
    record: Option<&'a RecordId>,
    /// The record's workflow.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    workflow: Option<&'a WorkflowId>,
    /// The record's state.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    state: Option<&'a StateId>,
    /// The part of its life that the state is in.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<CategoryName>)]
    category: Option<Category>,
}

impl<'a> From<&'a EnginePlanned> for Planned<'a> {
    fn from(planned: &'a EnginePlanned) -> Self {
        let record = planned.record.as_deref();
        Self {
            from: planned.from,
            to: planned.to,
            affects: names(&planned.affects),
            record: record.map(|record| &record.id),
            workflow: record.map(|record| &record.workflow),
            state: record.map(|record| &record.state),
            category: record.map(|record| record.category),
        }
    }
}

/// A stretch of time in which a freeze is in force.
#[derive(Serialize, ToSchema)]
pub struct Freeze<'a> {
    /// Its first instant, or that of the part that was asked for.
    #[schema(value_type = String, format = DateTime)]
    from: Instant,
    /// The first instant after it, or after the part.
    #[schema(value_type = String, format = DateTime)]
    to: Instant,
    /// The calendar in whose open time it is in force.
    #[schema(example = "freeze")]
    #[serde(rename = "freeze")]
    calendar: &'a str,
}

impl<'a> From<&'a Frozen> for Freeze<'a> {
    fn from(frozen: &'a Frozen) -> Self {
        Self {
            from: frozen.from,
            to: frozen.to,
            calendar: &frozen.freeze,
        }
    }
}

/// A part of the change calendar.
#[derive(Serialize, ToSchema)]
#[schema(as = ChangeCalendar)]
pub struct Calendar<'a> {
    /// Its first instant.
    #[schema(value_type = String, format = DateTime)]
    from: Instant,
    /// The first instant after it.
    #[schema(value_type = String, format = DateTime)]
    to: Instant,
    /// What is planned, in the order in which it begins.
    windows: Vec<Planned<'a>>,
    /// What is frozen, in the order in which it begins.
    freezes: Vec<Freeze<'a>>,
}

impl<'a> Calendar<'a> {
    pub(crate) fn of(from: Instant, to: Instant, found: &'a ChangeCalendar) -> Self {
        Self {
            from,
            to,
            windows: found.windows.iter().map(Planned::from).collect(),
            freezes: found.freezes.iter().map(Freeze::from).collect(),
        }
    }
}

/// The window of a record, and what it meets now.
#[derive(Serialize, ToSchema)]
#[schema(as = RecordWindow)]
pub struct OfRecord<'a> {
    /// The window that the record's fields tell; null where they tell none.
    window: Option<Window<'a>>,
    /// Whether it counts for others yet, or still.
    counts: bool,
    /// The freezes that it touches, by the names of their calendars.
    freezes: &'a [String],
    /// What is affected and has maintenance hours that the window leaves.
    #[schema(value_type = Vec<String>)]
    outside: Vec<ThingName<'a>>,
    /// The windows of others that it meets, at most a hundred.
    conflicts: Vec<Planned<'a>>,
    /// Calendars that the definition or the directory names, and that are not there: each counts as if
    /// it spoke against the window.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    unknown: &'a [String],
}

impl<'a> From<&'a RecordWindow> for OfRecord<'a> {
    fn from(found: &'a RecordWindow) -> Self {
        Self {
            window: found.window.as_ref().map(Window::from),
            counts: found.counts,
            freezes: &found.freezes,
            outside: found.outside.iter().map(ThingName).collect(),
            conflicts: found.conflicts.iter().map(Planned::from).collect(),
            unknown: &found.unknown,
        }
    }
}

/// The earliest window that is free.
#[derive(Serialize, ToSchema)]
pub struct FreeWindow<'a> {
    /// When it begins; null where there is none in the time that was looked through.
    #[schema(value_type = Option<String>, format = DateTime)]
    from: Option<Instant>,
    /// When it is over.
    #[schema(value_type = Option<String>, format = DateTime)]
    to: Option<Instant>,
    /// From when it was looked for.
    #[schema(value_type = String, format = DateTime)]
    after: Instant,
    /// Until when.
    #[schema(value_type = String, format = DateTime)]
    until: Instant,
    /// The calendars in whose open time nothing was taken for free.
    freezes: &'a [String],
    /// The calendars within whose open time it lies.
    maintenance: &'a BTreeSet<String>,
    /// How many windows of others there are in the time that was looked through.
    taken: usize,
}

impl<'a> From<&'a Free> for FreeWindow<'a> {
    fn from(found: &'a Free) -> Self {
        Self {
            from: found.window.map(|(from, _)| from),
            to: found.window.map(|(_, to)| to),
            after: found.after,
            until: found.until,
            freezes: &found.freezes,
            maintenance: &found.maintenance,
            taken: found.taken,
        }
    }
}
