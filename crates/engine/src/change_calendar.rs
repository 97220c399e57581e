//! The change calendar: what is planned when, what is frozen, what a window meets, and when the next
//! one is free.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use calendar::{Bounds, Calendar};
use definition::compile::{Definitions, Workflow};
use model::command::Actor;
use model::directory::Key;
use model::id::{RecordId, WorkflowId};
use model::record::{LONGEST_WINDOW, PlannedWindow, Record};
use model::{Duration, Instant};

use crate::directory::Ledger;
use crate::engine::Engine;
use crate::error::EngineError;
use crate::port::WindowsQuery;
use crate::rejection::{InputFault, Rejection};
use crate::window::{self, Rules};

/// The most windows that are looked through for one answer, for each thing that is affected.
const MOST_WINDOWS: usize = 2_000;
/// The most stretches of freezes in one answer.
const MOST_FREEZES: usize = 2_000;
/// The most things that may be asked for at once.
const MOST_THINGS: usize = 50;
/// To what the first instant of a proposed window is rounded up.
const MINUTE: i64 = 60_000;

/// Which part of the change calendar.
#[derive(Clone, Debug)]
pub struct CalendarQuery {
    /// From when.
    pub from: Instant,
    /// Until when: at most 366 days later.
    pub to: Instant,
    /// Only what affects one of these things; everything without any.
    pub affects: BTreeSet<Key>,
}

/// A part of the change calendar.
#[derive(Clone, Debug, Default)]
pub struct ChangeCalendar {
    /// The windows, in the order in which they begin.
    pub windows: Vec<Planned>,
    /// What is frozen, in the order in which it begins.
    pub freezes: Vec<Frozen>,
}

/// A window, and whose it is.
#[derive(Clone, Debug)]
pub struct Planned {
    /// When the work begins.
    pub from: Instant,
    /// When it is over.
    pub to: Instant,
    /// What may be disturbed.
    pub affects: BTreeSet<Key>,
    /// Whose it is; none where the actor may not see the record.
    pub record: Option<Arc<Record>>,
}

/// A stretch of time in which a freeze is in force.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Frozen {
    /// Its first instant, or that of the part that was asked for.
    pub from: Instant,
    /// The first instant after it, or after the part.
    pub to: Instant,
    /// The freeze, by the name of its calendar.
    pub freeze: String,
}

/// The window of a record, and what it meets.
#[derive(Clone, Debug)]
pub struct RecordWindow {
    /// The window that its fields tell; none where they tell none.
    pub window: Option<PlannedWindow>,
    /// Whether it counts for others.
    pub counts: bool,
    /// The freezes that it touches, by the names of their calendars.
    pub freezes: Vec<String>,
    /// What is affected and has maintenance hours that it leaves.
    pub outside: Vec<Key>,
    /// The windows of others that it meets, with what both affect.
    pub conflicts: Vec<Planned>,
    /// Calendars that are named and not there: each counts as if it spoke against the window.
    pub unknown: Vec<String>,
}

/// Which window is looked for.
#[derive(Clone, Debug, Default)]
pub struct FreeQuery {
    /// For this record: what it affects, and as long as its window is.
    pub record: Option<RecordId>,
    /// For a record of this workflow, whose freezes count.
    pub workflow: Option<WorkflowId>,
    /// What is affected.
    pub affects: BTreeSet<Key>,
    /// How long it is.
    pub length: Option<Duration>,
    /// The earliest instant at which it may begin; now without it.
    pub after: Option<Instant>,
    /// When it has to be over at the latest; 366 days later without it.
    pub until: Option<Instant>,
}

/// The earliest window that is free.
#[derive(Clone, Debug)]
pub struct Free {
    /// From when until when; none where there is none in the time that was looked at.
    pub window: Option<(Instant, Instant)>,
    /// From when it was looked for.
    pub after: Instant,
    /// Until when.
    pub until: Instant,
    /// The freezes that were kept to, by the names of their calendars.
    pub freezes: Vec<String>,
    /// The maintenance hours that were kept to, by the names of their calendars.
    pub maintenance: BTreeSet<String>,
    /// How many windows of others there are in that time.
    pub taken: usize,
}

impl Engine {
    /// A part of the change calendar.
    ///
    /// # Errors
    /// Where the part ends before it begins, is longer than 366 days or has too much in it, or the store
    /// fails.
    pub fn change_calendar(
        &self,
        actor: &Actor,
        query: &CalendarQuery,
    ) -> Result<ChangeCalendar, EngineError> {
        check_stretch(query.from, query.to)?;
        check_things(&query.affects)?;
        let definitions = self.definitions();
        let directory = self.directory();
        let ledger = Ledger::new(&directory);
        let mut planned = BTreeSet::new();
        let things = query.affects.iter().cloned().map(Some);
        let all = query.affects.is_empty().then_some(None);
        for thing in things.chain(all) {
            planned.extend(windows(&ledger, thing, query.from, query.to)?);
        }
        let mut found = ChangeCalendar::default();
        for planned in planned {
            let Some(record) = ledger.record(&planned.record) else {
                continue;
            };
            let affects = record.window.as_ref();
            let affects = affects.map(|it| it.affects.clone()).unwrap_or_default();
            found.windows.push(Planned {
                from: planned.from,
                to: planned.to,
                affects,
                record: self.seen_by(&definitions, actor, record)?,
            });
        }
        for (freeze, calendar) in freezes(&definitions, &query.affects, &ledger) {
            let room = MOST_FREEZES - found.freezes.len();
            let stretches = open_stretches(&freeze, calendar, query, room)?;
            found.freezes.extend(stretches);
        }
        found.freezes.sort();
        ledger.fault().map_or(Ok(found), |fault| Err(fault.into()))
    }

    /// The window of a record that the actor may see, and what it meets now.
    ///
    /// # Errors
    /// Where there is no such record, its workflow has no window, or the store fails.
    pub fn window_of(&self, actor: &Actor, id: &RecordId) -> Result<RecordWindow, EngineError> {
        let record = self.record(actor, id)?;
        let definitions = self.definitions();
        let workflow = self.workflow_of(&definitions, &record)?;
        check_has_window(&workflow)?;
        let Ok(window) = window::told(&workflow, &record) else {
            return Ok(RecordWindow {
                window: None,
                counts: false,
                freezes: Vec::new(),
                outside: Vec::new(),
                conflicts: Vec::new(),
                unknown: Vec::new(),
            });
        };
        let directory = self.directory();
        let ledger = Ledger::new(&directory);
        let rules = Rules::of(&definitions, &workflow, &window.affects, &ledger);
        let mut conflicts = Vec::new();
        for met in window::conflicts(&ledger, &window, Some(id)) {
            conflicts.push(Planned {
                from: met.from,
                to: met.to,
                affects: met.affects,
                record: self.seen_by(&definitions, actor, met.record)?,
            });
        }
        let found = RecordWindow {
            counts: record.window.is_some(),
            freezes: rules.freezes(&window),
            outside: rules.outside(&window),
            conflicts,
            unknown: rules.unknown().into_iter().map(str::to_owned).collect(),
            window: Some(window),
        };
        ledger.fault().map_or(Ok(found), |fault| Err(fault.into()))
    }

    /// The earliest window in which nothing is frozen, all that is affected is in its maintenance hours,
    /// and nobody else disturbs any of it.
    ///
    /// # Errors
    /// Where the query names neither a record that the actor may see nor a workflow with a window, or
    /// no length, the time to look through is longer than 366 days, a calendar that is named is not
    /// there, there are too many windows in it, or the store fails.
    pub fn earliest_window(&self, actor: &Actor, query: &FreeQuery) -> Result<Free, EngineError> {
        check_things(&query.affects)?;
        let definitions = self.definitions();
        let record = query.record.as_ref();
        let record = record.map(|id| self.record(actor, id)).transpose()?;
        let workflow = match (&record, &query.workflow) {
            (Some(record), _) => self.workflow_of(&definitions, record)?,
            (None, Some(workflow)) => Self::active_workflow(&definitions, workflow.as_str())?,
            (None, None) => {
                let message = "name a `record` or a `workflow`, by whose freezes it is free";
                return Err(invalid("workflow", message));
            }
        };
        check_has_window(&workflow)?;
        let told = record
            .as_ref()
            .map(|record| window::told(&workflow, record));
        let own = told.and_then(Result::ok);
        let length = query
            .length
            .or(own.as_ref().map(|own| own.to.since(own.from)));
        let length =
            length.filter(|length| (Duration::from_millis(1)..=LONGEST_WINDOW).contains(length));
        let Some(length) = length else {
            let message = "say how long the window is, such as `PT2H`; at most 366 days";
            return Err(invalid("length", message));
        };
        let mut affects = query.affects.clone();
        affects.extend(own.into_iter().flat_map(|own| own.affects));
        let after = whole_minute(query.after.unwrap_or_else(|| self.now()));
        let until = query
            .until
            .unwrap_or_else(|| after.saturating_add(LONGEST_WINDOW));
        check_stretch(after, until)?;
        let directory = self.directory();
        let ledger = Ledger::new(&directory);
        let rules = Rules::of(&definitions, &workflow, &affects, &ledger);
        if let Some(unknown) = rules.unknown().first() {
            let message =
                format!("there is no calendar `{unknown}`, by which it would be told what is free");
            return Err(Rejection::not_possible(message).into());
        }
        let mut taken = BTreeSet::new();
        for thing in &affects {
            let others = windows(&ledger, Some(thing.clone()), after, until)?;
            taken.extend(
                others
                    .into_iter()
                    .filter(|it| Some(&it.record) != query.record.as_ref()),
            );
        }
        ledger.fault().map_or(Ok(()), Err)?;
        let maintenance = rules.maintenance.values();
        let bounds = Bounds {
            freezes: rules.freezes.values().copied().flatten().collect(),
            maintenance: maintenance.clone().filter_map(|(_, it)| *it).collect(),
            taken: taken.iter().map(|it| (it.from, it.to)).collect(),
        };
        let from = bounds.earliest(after, length, until).map_err(|error| {
            let message = format!("{error}: ask for less time, or for a shorter window");
            invalid("until", message)
        })?;
        Ok(Free {
            window: from.map(|from| (from, from.saturating_add(length))),
            after,
            until,
            freezes: rules.freezes.keys().cloned().collect(),
            maintenance: maintenance.map(|(name, _)| name.clone()).collect(),
            taken: taken.len(),
        })
    }

    /// A record, where the actor may see it.
    fn seen_by(
        &self,
        definitions: &Definitions,
        actor: &Actor,
        record: Arc<Record>,
    ) -> Result<Option<Arc<Record>>, EngineError> {
        Ok(self.sees(definitions, actor, &record)?.then_some(record))
    }
}

/// The windows that affect a thing, or all of them.
fn windows(
    ledger: &Ledger<'_>,
    affects: Option<Key>,
    from: Instant,
    to: Instant,
) -> Result<Vec<crate::port::PlannedFor>, EngineError> {
    let query = WindowsQuery {
        affects,
        from,
        to,
        limit: MOST_WINDOWS + 1,
    };
    let found = ledger.windows(&query);
    if found.len() > MOST_WINDOWS {
        let message =
            format!("there are more than {MOST_WINDOWS} windows in it: ask for less time");
        return Err(invalid("to", message));
    }
    Ok(found)
}

/// The freezes of all workflows in force, and of certain things.
fn freezes<'d>(
    definitions: &'d Definitions,
    affects: &BTreeSet<Key>,
    ledger: &Ledger<'_>,
) -> BTreeMap<String, Option<&'d Calendar>> {
    let with_window = definitions
        .workflows
        .values()
        .filter(|it| it.window.is_some());
    let rules = with_window.map(|workflow| Rules::of(definitions, workflow, affects, ledger));
    rules.flat_map(|rules| rules.freezes).collect()
}

/// The stretches in which a freeze is in force; of one whose calendar is not there, all of the time.
fn open_stretches(
    freeze: &str,
    calendar: Option<&Calendar>,
    query: &CalendarQuery,
    room: usize,
) -> Result<Vec<Frozen>, EngineError> {
    let stretch = |from, to| Frozen {
        from,
        to,
        freeze: freeze.to_owned(),
    };
    let Some(calendar) = calendar else {
        return Ok(vec![stretch(query.from, query.to)]);
    };
    let (mut stretches, mut at) = (Vec::new(), query.from);
    while let Some(from) = calendar.next_open(at).filter(|from| *from < query.to) {
        let to = calendar.next_closed(from, query.to).unwrap_or(query.to);
        stretches.push(stretch(from, to));
        if stretches.len() > room {
            let message =
                format!("there are more than {MOST_FREEZES} freezes in it: ask for less time");
            return Err(invalid("to", message));
        }
        at = to;
    }
    Ok(stretches)
}

fn check_stretch(from: Instant, to: Instant) -> Result<(), EngineError> {
    if to <= from {
        return Err(invalid("to", format!("it is not after {from}")));
    }
    if to.since(from) > LONGEST_WINDOW {
        return Err(invalid("to", "it is more than 366 days later".to_owned()));
    }
    Ok(())
}

fn check_things(affects: &BTreeSet<Key>) -> Result<(), EngineError> {
    if affects.len() > MOST_THINGS {
        let message = format!("at most {MOST_THINGS} things may be asked for at once");
        return Err(invalid("affects", message));
    }
    Ok(())
}

fn check_has_window(workflow: &Workflow) -> Result<(), Rejection> {
    if workflow.window.is_some() {
        return Ok(());
    }
    Err(Rejection::not_possible(format!(
        "records of the workflow `{}` have no window: its definition says nothing under `window`",
        workflow.id
    )))
}

fn whole_minute(at: Instant) -> Instant {
    let minutes = at.millis().div_euclid(MINUTE) + i64::from(at.millis().rem_euclid(MINUTE) > 0);
    Instant::from_millis(minutes.saturating_mul(MINUTE))
}

fn invalid(field: &str, message: impl Into<String>) -> EngineError {
    Rejection::Invalid {
        faults: vec![InputFault::of(field, message.into())],
    }
    .into()
}
