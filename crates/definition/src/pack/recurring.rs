//! Calendars in which dates recur, once all is laid: what is their own counts more than what the
//! holidays bring that they use, be it a single date or one that recurs.
//!
//! In a calendar a single date counts more than one that recurs, and of those that recur the one that
//! stands first. So what recurs by itself is put before what holidays bring, and single dates of
//! holidays on which it recurs are taken out. Where something comes from is told by where it was written:
//! an adaptation that changes what holidays brought has made it its own.

use std::collections::BTreeSet;

use calendar::recurring::dates;
use model::definition::{Date, Recurring};

use super::chain::Definitions;
use super::fragments::{HOLIDAYS, RECURRING, used};
use crate::overlay::DefinitionKind;
use crate::source::{Entry, Kind, Map, Node};

/// The most sets of dates that recur of which one calendar is looked through. One with more is refused.
const MOST: usize = 100;

/// Puts own dates that recur first in every calendar, and takes out what does not count beside them.
pub(super) fn settle(all: &mut Definitions) {
    let calendars = all.iter().filter(|((kind, _), calendar)| {
        *kind == DefinitionKind::Calendar && calendar.get(RECURRING).is_some()
    });
    let settled: Vec<_> = calendars
        .filter_map(|(key, calendar)| Some((key.clone(), settled(calendar, all)?)))
        .collect();
    all.extend(settled);
}

/// A calendar that uses holidays, settled.
fn settled(calendar: &Node, all: &Definitions) -> Option<Node> {
    let holidays: Vec<&Node> = used(DefinitionKind::Calendar, calendar)
        .into_iter()
        .filter_map(|(id, _)| all.get(&(DefinitionKind::Holidays, id)))
        .collect();
    if holidays.is_empty() {
        return None;
    }
    let is_own = |under: &str, key: &str, entry: &Entry| {
        let mut brought = holidays
            .iter()
            .filter_map(|set| entries(set, under)?.get(key));
        !brought.any(|brought| brought == entry)
    };
    let mut settled = calendar.clone();
    let mut taken = BTreeSet::new();
    if let Some(recurring) = entries_mut(&mut settled, RECURRING) {
        let (own, brought): (Map, Map) = std::mem::take(recurring)
            .into_iter()
            .partition(|(id, entry)| is_own(RECURRING, id, entry));
        taken = recurring_on(&own);
        recurring.extend(own.into_iter().chain(brought));
    }
    if let Some(single) = entries_mut(&mut settled, HOLIDAYS) {
        single.retain(|date, entry| !taken.contains(date) || is_own(HOLIDAYS, date, entry));
    }
    Some(settled)
}

fn entries<'n>(node: &'n Node, key: &str) -> Option<&'n Map> {
    node.get(key).and_then(Node::as_map)
}

fn entries_mut<'n>(node: &'n mut Node, key: &str) -> Option<&'n mut Map> {
    let Kind::Map(map) = &mut node.kind else {
        return None;
    };
    match &mut map.get_mut(key)?.value.kind {
        Kind::Map(entries) => Some(entries),
        _ => None,
    }
}

/// The dates on which something recurs, as they are written. What is wrong with it is told later.
fn recurring_on(own: &Map) -> BTreeSet<String> {
    let each = own.values().take(MOST).map_while(|entry| {
        let recurring: Recurring = serde_json::from_value(entry.value.to_json()).ok()?;
        dates(&recurring).ok()
    });
    each.flatten().map(|date: Date| date.to_string()).collect()
}
