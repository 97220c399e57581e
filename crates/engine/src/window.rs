//! A planned window and what it meets: freezes, maintenance hours, and the windows of others.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use calendar::Calendar;
use definition::compile::{Definitions, FieldKind, Workflow};
use model::directory::{Key, Thing};
use model::id::{DirectoryId, RecordId};
use model::record::{LONGEST_WINDOW, PlannedWindow, Record};
use model::{Instant, Value};
use serde_json::Value as Json;

use crate::directory::Ledger;
use crate::port::WindowsQuery;

/// How many records a window is told to meet at most.
pub(crate) const MOST_CONFLICTS: usize = 100;
/// The attribute that names the calendars in whose open time a thing is not changed.
const FREEZE: &str = "freeze";
/// The attribute that names the calendar in whose open time alone a thing is changed.
const MAINTENANCE: &str = "maintenance";
/// The attribute, and the kind, of where a thing is: what counts there counts for it.
const SITE: &str = "site";

/// Why the fields of a record tell no window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NoWindow {
    /// One of them is not set.
    Unset,
    /// It is over before it begins.
    NotInOrder,
    /// It is longer than a window may be.
    TooLong,
}

/// The window that the fields of a record tell, whether it counts for others or not; none too where
/// the workflow has none.
pub(crate) fn told(workflow: &Workflow, record: &Record) -> Result<PlannedWindow, NoWindow> {
    let window = workflow.window.as_ref().ok_or(NoWindow::Unset)?;
    let at = |field| match record.field(field) {
        Value::Instant(at) => Ok(*at),
        _ => Err(NoWindow::Unset),
    };
    let (from, to) = (at(window.from.as_str())?, at(window.to.as_str())?);
    if from >= to {
        return Err(NoWindow::NotInOrder);
    }
    if to.since(from) > LONGEST_WINDOW {
        return Err(NoWindow::TooLong);
    }
    let affects = window.affects.iter().flat_map(|field| {
        let kind = workflow.fields.get(field).map(|field| &field.kind);
        let (kind, ids) = match (kind, record.field(field.as_str())) {
            (Some(FieldKind::Reference(kind)), Value::Text(id)) => {
                (Some(kind), std::slice::from_ref(id))
            }
            (Some(FieldKind::References(kind)), Value::Texts(ids)) => (Some(kind), ids.as_slice()),
            _ => (None, [].as_slice()),
        };
        let keys = ids.iter().filter_map(move |id| {
            Some(Key {
                kind: kind?.clone(),
                id: DirectoryId::new(id).ok()?,
            })
        });
        keys.collect::<Vec<_>>()
    });
    Ok(PlannedWindow {
        from,
        to,
        affects: affects.collect(),
    })
}

/// What windows that disturb certain things have to keep to. A calendar that is named and not there
/// speaks against every window: nobody knows what it would say.
pub(crate) struct Rules<'a> {
    /// By their names, the calendars in whose open time nothing is done.
    pub(crate) freezes: BTreeMap<String, Option<&'a Calendar>>,
    /// By whose they are, the calendars in whose open time alone it is done.
    pub(crate) maintenance: BTreeMap<Key, (String, Option<&'a Calendar>)>,
}

impl<'a> Rules<'a> {
    /// What a workflow says, and what the things say that are affected.
    pub(crate) fn of(
        definitions: &'a Definitions,
        workflow: &Workflow,
        affects: &BTreeSet<Key>,
        ledger: &Ledger<'_>,
    ) -> Self {
        let general = workflow.window.iter().flat_map(|it| &it.freezes);
        let mut rules = Self {
            freezes: general.map(|id| (id.to_string(), None)).collect(),
            maintenance: BTreeMap::new(),
        };
        for key in affects {
            let thing = ledger.thing(key.kind.as_str(), key.id.as_str());
            let site = thing.as_ref().and_then(|thing| thing.text(SITE));
            let site = site.and_then(|site| ledger.thing(SITE, site));
            for thing in thing.iter().chain(&site) {
                rules
                    .freezes
                    .extend(named(thing, FREEZE).map(|name| (name.to_owned(), None)));
                let hours = named(thing, MAINTENANCE).next();
                if let Some(hours) = hours.filter(|_| !rules.maintenance.contains_key(key)) {
                    rules
                        .maintenance
                        .insert(key.clone(), (hours.to_owned(), None));
                }
            }
        }
        let known = |name: &str| definitions.calendars.get(name).map(|it| &it.calendar);
        for (name, calendar) in &mut rules.freezes {
            *calendar = known(name);
        }
        for (name, calendar) in rules.maintenance.values_mut() {
            *calendar = known(name);
        }
        rules
    }

    /// The freezes that a window touches.
    pub(crate) fn freezes(&self, window: &PlannedWindow) -> Vec<String> {
        let touched = self.freezes.iter().filter(|(_, calendar)| {
            calendar.is_none_or(|calendar| {
                calendar.between(window.from, window.to) > model::Duration::ZERO
            })
        });
        touched.map(|(name, _)| name.clone()).collect()
    }

    /// What is affected and has maintenance hours that a window leaves.
    pub(crate) fn outside(&self, window: &PlannedWindow) -> Vec<Key> {
        let length = window.to.since(window.from);
        let left = self.maintenance.iter().filter(|(_, (_, calendar))| {
            calendar.is_none_or(|calendar| calendar.between(window.from, window.to) < length)
        });
        left.map(|(key, _)| key.clone()).collect()
    }

    /// The calendars that are named and not there.
    pub(crate) fn unknown(&self) -> BTreeSet<&str> {
        let freezes = self.freezes.iter().filter(|(_, it)| it.is_none());
        let hours = self.maintenance.values().filter(|(_, it)| it.is_none());
        let freezes = freezes.map(|(name, _)| name.as_str());
        freezes
            .chain(hours.map(|(name, _)| name.as_str()))
            .collect()
    }
}

/// What an attribute names: a text, or the texts of a list.
fn named<'t>(thing: &'t Thing, attribute: &str) -> impl Iterator<Item = &'t str> {
    let value = thing.0.get(attribute);
    let list = value.and_then(Json::as_array).into_iter().flatten();
    value.into_iter().chain(list).filter_map(Json::as_str)
}

/// A record whose window another one meets: they overlap, and both disturb the same thing.
#[derive(Clone, Debug)]
pub(crate) struct Conflict {
    pub(crate) record: Arc<Record>,
    pub(crate) from: Instant,
    pub(crate) to: Instant,
    /// What both disturb.
    pub(crate) affects: BTreeSet<Key>,
}

/// The records whose windows a window meets, its own record left aside: the first hundred, in the order
/// in which their windows begin.
pub(crate) fn conflicts(
    ledger: &Ledger<'_>,
    window: &PlannedWindow,
    own: Option<&RecordId>,
) -> Vec<Conflict> {
    let mut met = BTreeMap::new();
    for key in &window.affects {
        let query = WindowsQuery {
            affects: Some(key.clone()),
            from: window.from,
            to: window.to,
            limit: MOST_CONFLICTS + 1,
        };
        for planned in ledger.windows(&query) {
            if own != Some(&planned.record) {
                let shared: &mut BTreeSet<Key> = met.entry(planned).or_default();
                shared.insert(key.clone());
            }
        }
    }
    let each = met.into_iter().take(MOST_CONFLICTS);
    let each = each.filter_map(|(planned, affects)| {
        Some(Conflict {
            record: ledger.record(&planned.record)?,
            from: planned.from,
            to: planned.to,
            affects,
        })
    });
    each.collect()
}
