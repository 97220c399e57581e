//! What a simulation has to know of a journal before it begins: which records there are, how the
//! directory and what is in force changed, and how the time went. It is gathered in one pass.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use model::directory::{Change, Key, Person, Thing, kind};
use model::event::Event;
use model::id::{PersonId, RecordId, RoleId, WorkflowId};
use model::journal::{Entry, Item, LookedUp, Lookup};
use model::record::{PlannedWindow, Record};
use model::{Digest, Instant};

use super::today::Today;
use crate::apply::{apply, begin};
use crate::directory::Directory;
use crate::port::{
    FoundThing, ListQuery, Load, PlannedFor, Store, StoreError, Windows, WindowsQuery, found,
};
use crate::replay::past::Past;

/// How many items of the journal are read at once.
const ITEMS: usize = 1_000;
/// How many entries of a record are read at once.
const ENTRIES: usize = 500;
/// The time of every so many positions is kept.
const MARK: u64 = 64;
/// How many things of the directory are kept as they stood.
const THINGS: usize = 20_000;
/// How many positions before its entry a decision may have read the directory at.
const JUST_BEFORE: u64 = 1_000;
/// At how many moments before its entry a decision may have found people with what they had.
const MOMENTS_OF_LOADS: usize = 200;
/// How many of a requester's records are looked at for who had the last one.
const LISTED: usize = 200;
/// At how many of a thing's changes that is looked for.
const TRIES: usize = 16;

/// Which records are judged.
pub(super) struct Chosen<'c> {
    /// Those that began since.
    pub(super) since: Option<Instant>,
    /// Those of this workflow.
    pub(super) workflow: Option<&'c WorkflowId>,
}

/// What is known of a journal.
pub(super) struct Chronicle {
    store: Arc<dyn Store>,
    /// What has been renamed since, where anything has.
    today: Option<Today>,
    /// The records to be judged, in the order in which they began.
    pub(super) records: Vec<RecordId>,
    /// The last position.
    pub(super) position: u64,
    /// The latest instant of any entry: how far time went.
    pub(super) end: Instant,
    /// Where people and teams changed, by position.
    people_changes: Vec<(u64, Instant)>,
    /// Where each thing changed.
    things: HashMap<Key, Vec<u64>>,
    /// Who was given a role or lost it, and where.
    roles: HashMap<RoleId, BTreeMap<PersonId, Vec<(u64, bool)>>>,
    /// Where the windows of records changed, and to what.
    windows: BTreeMap<RecordId, Vec<(u64, Option<PlannedWindow>)>>,
    /// What was in force from where on.
    configurations: Vec<(u64, Digest)>,
    /// How the time went.
    marks: Vec<(Instant, u64)>,
    /// Things as they stood, by the position of their change.
    found: Mutex<HashMap<u64, Option<Arc<FoundThing>>>>,
    /// What plugins are shown of the desk, where any is asked.
    pub(super) past: Option<Arc<Mutex<Past>>>,
}

impl Chronicle {
    /// Reads a journal to its end. `shows` says whether plugins are to be shown the desk of then.
    pub(super) fn read(
        store: &Arc<dyn Store>,
        chosen: &Chosen<'_>,
        shows: bool,
        today: Option<Today>,
    ) -> Result<Self, StoreError> {
        let position = store.position()?;
        let mut past = shows.then(|| Past::whole(store.clone()));
        let mut read = Self {
            store: store.clone(),
            today,
            records: Vec::new(),
            position: 0,
            end: Instant::EPOCH,
            people_changes: Vec::new(),
            things: HashMap::new(),
            roles: HashMap::new(),
            windows: BTreeMap::new(),
            configurations: Vec::new(),
            marks: Vec::new(),
            found: Mutex::default(),
            past: None,
        };
        while read.position < position {
            let items = store.journal(read.position, ITEMS)?;
            if items.is_empty() {
                break;
            }
            for (at, item) in items {
                read.follow(at, &item, chosen);
                if let Some(past) = &mut past {
                    past.follow(at, &item)?;
                }
                read.position = at;
            }
        }
        read.past = past.map(|past| Arc::new(Mutex::new(past)));
        Ok(read)
    }

    fn follow(&mut self, position: u64, item: &Item, chosen: &Chosen<'_>) {
        let at = match item {
            Item::Record { id, entry, .. } => {
                if let Some(Event::Created { workflow, .. }) = entry.events.first()
                    && chosen.since.is_none_or(|since| entry.command.at >= since)
                    && chosen
                        .workflow
                        .is_none_or(|wanted| *wanted == self.workflow(workflow))
                {
                    self.records.push(id.clone());
                }
                for event in &entry.events {
                    if let Event::WindowPlanned { window, .. } = event {
                        let changes = self.windows.entry(id.clone()).or_default();
                        changes.push((position, window.clone()));
                    }
                }
                entry.command.at
            }
            Item::Directory { at, change, .. } => {
                self.follow_directory(position, *at, change);
                *at
            }
            Item::Configuration { at, active, .. } => {
                self.configurations.push((position, *active));
                *at
            }
        };
        self.end = self.end.max(at);
        if position % MARK == 1 {
            self.marks.push((self.end, position));
        }
    }

    /// What a workflow is called today.
    fn workflow(&self, id: &WorkflowId) -> WorkflowId {
        let today = self.today.as_ref();
        today.map_or_else(|| id.clone(), |today| today.workflow(id))
    }

    /// A record's journal up to a position, by the names of today.
    pub(super) fn journal(
        &self,
        id: &RecordId,
        until: u64,
    ) -> Result<Vec<(u64, Entry)>, StoreError> {
        let (mut all, mut after) = (Vec::new(), 0);
        loop {
            let entries = self.store.history(id, after, ENTRIES)?;
            let is_last = entries.len() < ENTRIES;
            let before = all.len() + entries.len();
            after = entries.last().map_or(after, |(_, entry)| entry.version);
            all.extend(entries.into_iter().filter(|(at, _)| *at <= until));
            if is_last || all.len() < before {
                break;
            }
        }
        if let Some(today) = &self.today {
            today.journal(&mut all);
        }
        Ok(all)
    }

    fn follow_directory(&mut self, position: u64, at: Instant, change: &Change) {
        let key = &change.key;
        let changes = self.things.entry(key.clone()).or_default();
        changes.push(position);
        if [kind::USER, kind::TEAM].contains(&key.kind.as_str()) {
            self.people_changes.push((position, at));
        }
        if key.kind.as_str() != kind::USER {
            return;
        }
        let Ok(person) = PersonId::new(key.id.as_str()) else {
            return;
        };
        let mut has = roles_of(change.thing.as_ref());
        if let Some(today) = &self.today {
            let called: Vec<RoleId> = has.iter().filter_map(|role| today.role(role)).collect();
            has.extend(called);
        }
        for (role, people) in &mut self.roles {
            if let Some(changes) = people.get_mut(&person)
                && changes.last().is_some_and(|(_, has)| *has)
                && !has.contains(role)
            {
                changes.push((position, false));
            }
        }
        for role in has {
            let changes = self.roles.entry(role).or_default();
            let changes = changes.entry(person.clone()).or_default();
            if changes.last().is_none_or(|(_, has)| !*has) {
                changes.push((position, true));
            }
        }
    }

    /// The digest of what was in force as of a position.
    pub(super) fn configuration(&self, at: u64) -> Digest {
        let after = self
            .configurations
            .partition_point(|(position, _)| *position <= at);
        let last = after
            .checked_sub(1)
            .and_then(|it| self.configurations.get(it));
        last.map(|(_, digest)| *digest).unwrap_or_default()
    }

    /// The last position that an instant had reached, as near as it is kept.
    pub(super) fn position_at(&self, at: Instant) -> u64 {
        let after = self.marks.partition_point(|(mark, _)| *mark <= at);
        let last = after.checked_sub(1).and_then(|it| self.marks.get(it));
        last.map_or(0, |(_, position)| *position)
    }

    /// The first change of people or teams after a position.
    pub(super) fn people_change_after(&self, position: u64) -> Option<(u64, Instant)> {
        let next = self
            .people_changes
            .partition_point(|(at, _)| *at <= position);
        self.people_changes.get(next).copied()
    }

    /// The last change of people or teams before a position, of those up to an instant.
    pub(super) fn last_people_change(&self, before: u64, until: Instant) -> u64 {
        let is_past = |(position, at): &(u64, Instant)| *position < before && *at <= until;
        let after = self.people_changes.partition_point(is_past);
        let last = after
            .checked_sub(1)
            .and_then(|it| self.people_changes.get(it));
        last.map_or(0, |(position, _)| *position)
    }

    /// A thing as a change left it.
    fn left_by(&self, change: u64) -> Result<Option<Arc<FoundThing>>, StoreError> {
        let lock = || self.found.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(found) = lock().get(&change) {
            return Ok(found.clone());
        }
        let read = self.store.journal(change - 1, 1)?.pop();
        let Some((_, Item::Directory { change: made, .. })) = read else {
            let message = "the journal has not what it had before".to_owned();
            return Err(StoreError::Damaged(message));
        };
        let thing = made.thing.map(|thing| Arc::new(FoundThing::from(thing)));
        let mut found = lock();
        if found.len() >= THINGS {
            found.clear();
        }
        found.insert(change, thing.clone());
        Ok(thing)
    }
}

fn roles_of(thing: Option<&Thing>) -> Vec<RoleId> {
    let person = thing.and_then(|thing| {
        let json = serde_json::Value::Object(thing.0.clone());
        serde_json::from_value::<Person>(json).ok()
    });
    person.map(|person| person.roles).unwrap_or_default()
}

/// The directory as one decision read it.
pub(super) struct DirectoryThen<'d> {
    pub(super) chronicle: &'d Chronicle,
    /// The last position before the decision.
    pub(super) before: u64,
    /// What the journal says that it read.
    pub(super) lookups: &'d [Lookup],
}

impl DirectoryThen<'_> {
    /// What the journal says of a look-up, where it does.
    fn expected(&self, key: &Key) -> Option<&Lookup> {
        let is_it = |lookup: &&Lookup| matches!(&lookup.what, LookedUp::Thing(of) if of == key);
        self.lookups.iter().find(is_it)
    }
}

impl Directory for DirectoryThen<'_> {
    fn thing(&self, key: &Key) -> Result<Option<Arc<FoundThing>>, StoreError> {
        let Some(changes) = self.chronicle.things.get(key) else {
            return Ok(None);
        };
        let end = changes.partition_point(|change| *change <= self.before);
        let Some(last) = end.checked_sub(1).map(|last| changes[last]) else {
            return Ok(None);
        };
        let newest = self.chronicle.left_by(last)?;
        // A decision may have read what was changed by others just before its entry was made.
        if last + JUST_BEFORE < self.before {
            return Ok(newest);
        }
        let Some(Lookup { found, .. }) = self.expected(key) else {
            return Ok(newest);
        };
        let is_it =
            |thing: &Option<Arc<FoundThing>>| thing.as_ref().map(|thing| thing.digest()) == *found;
        if is_it(&newest) {
            return Ok(newest);
        }
        for change in changes[..end].iter().rev().skip(1).take(TRIES) {
            let earlier = self.chronicle.left_by(*change)?;
            if is_it(&earlier) {
                return Ok(earlier);
            }
        }
        Ok(newest.filter(|_| found.is_some()))
    }

    fn people_with_role(&self, role: &RoleId) -> Result<Vec<PersonId>, StoreError> {
        let people = self.chronicle.roles.get(role).into_iter().flatten();
        let has = |changes: &[(u64, bool)]| {
            let after = changes.partition_point(|(position, _)| *position <= self.before);
            let last = after.checked_sub(1).and_then(|last| changes.get(last));
            last.is_some_and(|(_, has)| *has)
        };
        let people = people.filter(|(_, changes)| has(changes));
        Ok(people.map(|(person, _)| person.clone()).collect())
    }

    /// How much people had as the decision says that it found, else just before it.
    fn loads(&self, people: &[PersonId]) -> Result<Vec<Load>, StoreError> {
        let Some(past) = &self.chronicle.past else {
            return Ok(vec![Load::default(); people.len()]);
        };
        let past = past.lock().unwrap_or_else(PoisonError::into_inner);
        let at =
            |at: u64| -> Vec<Load> { people.iter().map(|person| past.load(person, at)).collect() };
        let what = found::loads(people);
        let expected = self.lookups.iter().find(|lookup| lookup.what == what);
        if let Some(Lookup { found, .. }) = expected {
            let moments = past.moments_of_loads(people, self.before);
            let mut tried = moments.into_iter().take(MOMENTS_OF_LOADS).map(at);
            if let Some(loads) = tried.find(|loads| found::digest(loads) == *found) {
                return Ok(loads);
            }
        }
        Ok(at(self.before))
    }

    /// The windows of others as they were recorded then.
    fn windows(&self, query: &WindowsQuery) -> Result<Windows, StoreError> {
        let then = |changes: &[(u64, Option<PlannedWindow>)]| {
            let after = changes.partition_point(|(position, _)| *position <= self.before);
            let last = after.checked_sub(1).and_then(|last| changes.get(last));
            last.and_then(|(_, window)| window.clone())
        };
        let each = self.chronicle.windows.iter();
        let each = each.filter_map(|(record, changes)| Some((record, then(changes)?)));
        let touching = each.filter(|(_, window)| {
            let concerns = |key| window.affects.contains(key);
            window.from < query.to
                && query.from < window.to
                && query.affects.as_ref().is_none_or(concerns)
        });
        let mut windows: Vec<_> = touching
            .map(|(record, window)| PlannedFor {
                from: window.from,
                record: record.clone(),
                to: window.to,
            })
            .collect();
        windows.sort();
        windows.truncate(query.limit);
        Ok(Windows {
            as_of: self.before,
            windows,
        })
    }

    /// Who the decision says that it found, else who had it just before.
    fn last_assignee(
        &self,
        workflow: &WorkflowId,
        requester: &PersonId,
        aside: &RecordId,
    ) -> Result<Option<PersonId>, StoreError> {
        let what = found::last_assignee(workflow, requester);
        let expected = self.lookups.iter().find(|lookup| lookup.what == what);
        if expected.is_some_and(|lookup| lookup.found.is_none()) {
            return Ok(None);
        }
        let query = ListQuery {
            workflow: Some(workflow.clone()),
            requester: Some(requester.clone()),
            limit: LISTED,
            ..ListQuery::default()
        };
        let mut had = Vec::new();
        for now in self.chronicle.store.list(&query)?.records {
            if now.id == *aside || now.created_at > self.chronicle.end {
                continue;
            }
            if let Some(then) = self.record(&now.id)?
                && let Some(assignee) = &then.assignee
            {
                had.push((then.updated_at, assignee.clone()));
            }
        }
        had.sort_by_key(|(at, _)| std::cmp::Reverse(*at));
        let is_it = |assignee: &PersonId| {
            expected.is_none_or(|lookup| found::digest(assignee) == lookup.found)
        };
        let first = had.first().map(|(_, assignee)| assignee.clone());
        let found = had.into_iter().map(|(_, assignee)| assignee).find(is_it);
        Ok(found.or(first))
    }

    /// Another record as it was recorded then: records are simulated each by itself.
    fn record(&self, id: &RecordId) -> Result<Option<Arc<Record>>, StoreError> {
        let entries = self.chronicle.journal(id, self.before)?;
        let record = entries
            .iter()
            .fold(None, |record, (_, entry)| folded(record, id, entry));
        Ok(record.map(Arc::new))
    }
}

/// A record after an entry.
fn folded(before: Option<Record>, id: &RecordId, entry: &Entry) -> Option<Record> {
    let at = entry.command.at;
    let mut events = entry.events.iter();
    let mut record = match before {
        Some(record) => record,
        None => begin(id, events.next()?, at)?,
    };
    for event in events {
        apply(&mut record, event, at);
    }
    Some(record)
}
