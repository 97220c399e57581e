//! The desk as it stood: what is kept of the journal while it is walked through, so that the directory,
//! people's loads and other records can be told as of any of the last positions.
//!
//! A plugin was shown the desk as of a moment before its entry was committed, with the entries of
//! others in between. So the state is not kept as of one position, but by where it changed.

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::sync::Arc;

use model::definition::Category;
use model::directory::{Key, Thing};
use model::event::Event;
use model::id::{FieldId, PersonId, RecordId, WorkflowId};
use model::journal::{self, Entry, Item};
use model::record::Record;
use model::{Instant, Value};

use super::recent::{Bounds, Recent};
use crate::apply::fold;
use crate::port::{Load, Store, StoreError};

/// How many positions back the desk can be told: more than are committed while a plugin thinks.
const WINDOW: u64 = 10_000;
/// How many entries of a record are read at once.
const ENTRIES: usize = 200;
/// How many records are kept as they stood.
const RECORDS: usize = 8_000;
/// A search for records alike looks at so many of a workflow, those that changed last, and finds so
/// many.
const RECENT: usize = 2_000;
const ALIKE: usize = 100;

/// The desk as it stood at the last positions.
pub(crate) struct Past {
    store: Arc<dyn Store>,
    /// How many positions back it can be told.
    window: u64,
    /// Where things of the directory changed.
    things: HashMap<Key, VecDeque<u64>>,
    /// How much people had from where on.
    loads: HashMap<PersonId, VecDeque<(u64, Load)>>,
    /// Who works on what is not done. Records that are done are read again should they come back.
    live: HashMap<RecordId, Option<PersonId>>,
    /// The workflow whose records have a prefix; none where that is not one alone.
    workflows: HashMap<String, Option<WorkflowId>>,
    /// The records of each workflow that changed last.
    recent: HashMap<WorkflowId, Recent>,
    /// Records as they stood at a position, the last of theirs before it.
    records: HashMap<RecordId, (u64, Arc<Record>)>,
}

impl Past {
    pub(crate) fn new(store: Arc<dyn Store>) -> Self {
        Self::within(store, WINDOW)
    }

    /// One that can tell the desk as of any position at all.
    pub(crate) fn whole(store: Arc<dyn Store>) -> Self {
        Self::within(store, u64::MAX)
    }

    fn within(store: Arc<dyn Store>, window: u64) -> Self {
        Self {
            store,
            window,
            things: HashMap::new(),
            loads: HashMap::new(),
            live: HashMap::new(),
            workflows: HashMap::new(),
            recent: HashMap::new(),
            records: HashMap::new(),
        }
    }

    /// Goes on by one position.
    pub(crate) fn follow(&mut self, position: u64, item: &Item) -> Result<(), StoreError> {
        match item {
            Item::Directory { change, .. } => {
                let changes = self.things.entry(change.key.clone()).or_default();
                changes.push_back(position);
                forget(changes, position.saturating_sub(self.window), |at| *at);
            }
            Item::Record { id, entry, .. } => self.follow_record(position, id, entry)?,
            Item::Configuration { .. } => {}
        }
        Ok(())
    }

    /// A thing of the directory as it stood.
    pub(super) fn thing(&self, key: &Key, at: u64) -> Result<Option<Thing>, StoreError> {
        let changes = self.things.get(key);
        let last = changes.and_then(|changes| changes.iter().rev().find(|change| **change <= at));
        let Some(position) = last else {
            return Ok(None);
        };
        match self.store.journal(position - 1, 1)?.pop() {
            Some((_, Item::Directory { change, .. })) => Ok(change.thing),
            _ => Err(StoreError::Damaged(
                "the journal has not what it had before".to_owned(),
            )),
        }
    }

    /// How much a person had.
    pub(crate) fn load(&self, person: &PersonId, at: u64) -> Load {
        let Some(loads) = self.loads.get(person) else {
            return Load::default();
        };
        let after = loads.partition_point(|(position, _)| *position <= at);
        let last = after.checked_sub(1).and_then(|last| loads.get(last));
        last.map(|(_, load)| *load).unwrap_or_default()
    }

    /// The positions up to `before` at each of which a thing stood differently, the last first.
    pub(super) fn moments_of_thing(&self, key: &Key, before: u64) -> Vec<u64> {
        self.moments_of_things(std::slice::from_ref(key), before)
    }

    /// The positions up to `before` at each of which one of these things stood differently, the last
    /// first.
    pub(super) fn moments_of_things(&self, keys: &[Key], before: u64) -> Vec<u64> {
        let changes = keys.iter().filter_map(|key| self.things.get(key));
        moments(changes.flatten().copied(), before)
    }

    /// The positions up to `before` at each of which these people had different amounts, the last
    /// first.
    pub(crate) fn moments_of_loads(&self, people: &[PersonId], before: u64) -> Vec<u64> {
        let changes = people.iter().filter_map(|person| self.loads.get(person));
        moments(changes.flatten().map(|(position, _)| *position), before)
    }

    /// A record as it stood; none where it had not begun.
    pub(super) fn record(
        &mut self,
        id: &RecordId,
        at: u64,
    ) -> Result<Option<Arc<Record>>, StoreError> {
        let known = self.records.get(id).filter(|(position, _)| *position <= at);
        let (mut position, mut record) = match known {
            Some((position, record)) => (*position, Some(Record::clone(record))),
            None => (0, None),
        };
        'read: loop {
            let after = record.as_ref().map_or(0, |record| record.version);
            let entries = self.store.history(id, after, ENTRIES)?;
            if entries.is_empty() {
                break;
            }
            for (next, entry) in entries {
                if next > at {
                    break 'read;
                }
                let encoded = journal::encode(&entry);
                let folded = fold(record, id, &entry, &encoded)
                    .map_err(|error| StoreError::Damaged(error.to_string()))?;
                (position, record) = (next, Some(folded));
            }
        }
        let record = record.map(Arc::new);
        if let Some(record) = &record {
            if self.records.len() >= RECORDS {
                self.records.clear();
            }
            let kept = (position, Arc::clone(record));
            self.records.insert(id.clone(), kept);
        }
        Ok(record)
    }

    fn follow_record(
        &mut self,
        position: u64,
        id: &RecordId,
        entry: &Entry,
    ) -> Result<(), StoreError> {
        self.follow_changed(position, id, entry)?;
        let (mut category, mut assignee) = (None, None);
        for event in &entry.events {
            match event {
                Event::Created { category: of, .. } | Event::Entered { category: of, .. } => {
                    category = Some(*of);
                }
                Event::Assigned { assignee: to, .. } => assignee = Some(to.clone()),
                _ => {}
            }
        }
        let before = self.live.get(id).cloned();
        let is_live = category.map_or(before.is_some(), |category| {
            matches!(category, Category::Open | Category::Waiting)
        });
        let carried = if !is_live {
            self.live.remove(id);
            None
        } else if before.is_none() && entry.version > 1 {
            // It was done, and comes back.
            let record = self.record(id, position)?;
            let carrier = record.and_then(|record| record.assignee.clone());
            self.live.insert(id.clone(), carrier.clone());
            carrier
        } else {
            let carrier = self.live.entry(id.clone()).or_default();
            if let Some(assignee) = assignee {
                *carrier = assignee;
            }
            carrier.clone()
        };
        let carried_before = before.flatten();
        if carried_before != carried {
            self.change_load(position, carried_before, -1);
            self.change_load(position, carried, 1);
        }
        if let Some(person) = entry.assigned() {
            let at = Some(entry.command.at);
            self.set_load(position, person, |(count, _)| (count, at));
        }
        Ok(())
    }

    /// Takes note of when a record changed, among those of its workflow.
    fn follow_changed(
        &mut self,
        position: u64,
        id: &RecordId,
        entry: &Entry,
    ) -> Result<(), StoreError> {
        let workflow = self.workflow_of(id, entry)?;
        let recent = self.recent.entry(workflow).or_default();
        let bounds = Bounds {
            records: RECENT,
            positions: self.window,
        };
        recent.changed(position, id, entry.command.at, bounds);
        Ok(())
    }

    /// The workflow of a record, which it keeps for ever.
    fn workflow_of(&mut self, id: &RecordId, entry: &Entry) -> Result<WorkflowId, StoreError> {
        let prefix = id.as_str().split_once('-');
        let prefix = prefix.map_or("", |(prefix, _)| prefix);
        if let Some(Event::Created { workflow, .. }) = entry.events.first() {
            match self.workflows.get(prefix) {
                None => {
                    let only = Some(workflow.clone());
                    self.workflows.insert(prefix.to_owned(), only);
                }
                Some(Some(only)) if only == workflow => {}
                // Another one has taken the prefix over.
                Some(_) => {
                    self.workflows.insert(prefix.to_owned(), None);
                }
            }
        }
        if let Some(Some(only)) = self.workflows.get(prefix) {
            return Ok(only.clone());
        }
        let record = self.store.record(id)?;
        let record =
            record.ok_or_else(|| StoreError::Damaged(format!("there is no record {id}")))?;
        Ok(record.workflow.clone())
    }

    /// Records of a workflow with these values as they stood, changed since, the last first.
    pub(super) fn alike(
        &mut self,
        workflow: &WorkflowId,
        fields: &[(FieldId, Value)],
        since: Instant,
        at: u64,
    ) -> Result<Vec<Arc<Record>>, StoreError> {
        let mut alike = Vec::new();
        let places = self.recent.get(workflow).map(|recent| recent.as_of(at));
        for place in places.unwrap_or_default() {
            if place.changed < since || alike.len() == ALIKE {
                break;
            }
            let Some(record) = self.record(&place.id, at)? else {
                continue;
            };
            if fields
                .iter()
                .all(|(field, value)| record.field(field.as_str()) == value)
            {
                alike.push(record);
            }
        }
        Ok(alike)
    }

    /// The positions up to `before` at each of which other records of a workflow had changed, the last
    /// first.
    pub(super) fn moments_of_workflow(&self, workflow: &WorkflowId, before: u64) -> Vec<u64> {
        let recent = self.recent.get(workflow).into_iter();
        let changes = recent.flat_map(|recent| &recent.changes);
        moments(changes.map(|change| change.position), before)
    }

    fn change_load(&mut self, position: u64, person: Option<PersonId>, by: i32) {
        if let Some(person) = person {
            self.set_load(position, &person, |(count, last)| {
                (count.saturating_add_signed(by), last)
            });
        }
    }

    fn set_load(&mut self, position: u64, person: &PersonId, to: impl FnOnce(Load) -> Load) {
        let loads = self.loads.entry(person.clone()).or_default();
        let present = loads.back().copied();
        let load = to(present.map(|(_, load)| load).unwrap_or_default());
        match loads.back_mut().filter(|(at, _)| *at == position) {
            Some(last) => last.1 = load,
            None => loads.push_back((position, load)),
        }
        let first = position.saturating_sub(self.window);
        forget(loads, first, |(at, _)| *at);
    }
}

/// Forgets what was no more at the first position that can still be asked for.
fn forget<T>(changes: &mut VecDeque<T>, first: u64, at: impl Fn(&T) -> u64) {
    while changes.get(1).is_some_and(|second| at(second) <= first) {
        changes.pop_front();
    }
}

/// The last position before each change, and `before` itself, the last first.
fn moments(changes: impl Iterator<Item = u64>, before: u64) -> Vec<u64> {
    let first = before.saturating_sub(WINDOW);
    let ends = changes.filter(|change| (first + 1..=before).contains(change));
    let moments: BTreeSet<u64> = ends.map(|change| change - 1).chain([before]).collect();
    moments.into_iter().rev().collect()
}
