//! What a plugin is shown that is asked again: of the moments before its entry, the one that the
//! journal says it saw, by the digests of what it found.

use std::cell::RefCell;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use definition::compile::Definitions;
use futures::future::BoxFuture;
use model::directory::Key;
use model::hook::RecordView;
use model::id::{
    BindingId, DirectoryId, DirectoryKind, FieldId, PersonId, RecordId, TeamId, WorkflowId,
};
use model::journal::{self, LookedUp, Lookup};
use model::{Digest, Duration, Instant, Value};
use serde::Serialize;
use serde_json::{Map, Value as Json};

use super::past::Past;
use crate::decide::view;
use crate::port::found::{self, FoundMember};
use crate::port::{Load, LookupError, Member, Store, Surroundings};
use crate::surroundings::{business_add, calendar, directory_kind, members_of, teams, unavailable};

/// How many moments a look-up is tried at.
const MOMENTS: usize = 2_000;
/// How many moments a look-up of records is tried at, which takes longer.
const MOMENTS_OF_RECORDS: usize = 64;
/// How many links of a record are followed, as by a call that counts.
const LINKS: usize = 100;

/// The desk as one call saw it.
pub(crate) struct Shown {
    store: Arc<dyn Store>,
    past: Arc<Mutex<Past>>,
    definitions: Arc<Definitions>,
    /// What the entry says was looked up, in the order of the decisions that did.
    lookups: Vec<Lookup>,
    /// The last position before the entry.
    before: u64,
    /// How many moments a look-up is tried at.
    moments: usize,
    /// What was asked for that cannot be told of the past.
    untold: Mutex<Option<String>>,
}

impl Shown {
    pub(crate) const fn new(
        store: Arc<dyn Store>,
        past: Arc<Mutex<Past>>,
        definitions: Arc<Definitions>,
        lookups: Vec<Lookup>,
        before: u64,
    ) -> Self {
        Self {
            store,
            past,
            definitions,
            lookups,
            before,
            moments: MOMENTS,
            untold: Mutex::new(None),
        }
    }

    /// The same, where a look-up that the journal does not know is no surprise: it is tried at so many
    /// moments only.
    pub(crate) const fn looking_back(mut self, moments: usize) -> Self {
        self.moments = moments;
        self
    }

    /// What was asked for that cannot be told of the past, where anything was.
    pub(super) fn untold(&self) -> Option<String> {
        let untold = self.untold.lock();
        untold.unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn past(&self) -> MutexGuard<'_, Past> {
        self.past.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The first of these that is what the journal says was found. Where none is, what stood last
    /// before the entry, which is the first, and a note that it is something else.
    fn seen<T>(
        &self,
        what: &LookedUp,
        is: impl Fn(&T, Option<Digest>) -> bool,
        tries: impl Iterator<Item = Result<T, LookupError>>,
    ) -> Result<T, LookupError> {
        let expected = self.lookups.iter().filter(|lookup| lookup.what == *what);
        let expected: Vec<_> = expected.map(|lookup| lookup.found).collect();
        let (mut first, mut best) = (None, None);
        for found in tries {
            let found = found?;
            // The earliest decision that is still to be asked saw the first of them.
            match expected.iter().position(|expected| is(&found, *expected)) {
                Some(0) => return Ok(found),
                Some(rank) if best.as_ref().is_none_or(|(best, _)| rank < *best) => {
                    best = Some((rank, found));
                }
                _ if first.is_none() => first = Some(found),
                _ => {}
            }
            if expected.is_empty() {
                break;
            }
        }
        if best.is_none() && !expected.is_empty() {
            self.cannot_tell(what);
        }
        let seen = best.map(|(_, found)| found).or(first);
        seen.ok_or(LookupError::Unavailable)
    }

    fn cannot_tell(&self, what: &LookedUp) {
        let mut untold = self.untold.lock().unwrap_or_else(PoisonError::into_inner);
        untold.get_or_insert_with(|| told(what));
    }

    /// Records as they stood at one of the last positions.
    fn records_seen<T: Serialize>(
        &self,
        what: &LookedUp,
        moments: impl IntoIterator<Item = u64>,
        read: impl Fn(&mut Past, u64) -> Result<T, LookupError>,
    ) -> Result<T, LookupError> {
        let most = MOMENTS_OF_RECORDS.min(self.moments);
        let moments = moments.into_iter().take(most);
        let tries = moments.map(|at| read(&mut self.past(), at));
        self.seen(what, |found, digest| found::digest(found) == digest, tries)
    }

    /// Every position before the entry, the last first.
    fn moments(&self) -> impl Iterator<Item = u64> + use<> {
        (0..=self.before).rev()
    }

    /// The members of a team at moments of the directory and of its members' loads, which are not read
    /// in one step.
    fn members_at(
        &self,
        team: &TeamId,
        now: Instant,
        (things_at, loads_at): (u64, Option<u64>),
    ) -> Result<(Vec<FoundMember>, Vec<PersonId>), LookupError> {
        let past = self.past();
        let mut people = Vec::new();
        let thing = |of: &str, id: &str| {
            let key = thing_key(&directory_kind(of)?, id)?;
            past.thing(&key, things_at).map_err(unavailable)
        };
        let loads_at = loads_at.unwrap_or(self.before);
        let loads = |of: &[PersonId]| {
            people = of.to_vec();
            Ok(of
                .iter()
                .map(|person| past.load(person, loads_at))
                .collect())
        };
        let members = members_of(&self.definitions, team.as_str(), now, thing, loads)?;
        Ok((members.into_iter().map(FoundMember).collect(), people))
    }
}

impl Shown {
    /// What is read of the directory to tell a team's members, as it stood last.
    fn read_for_members(&self, team: &TeamId) -> Result<Vec<Key>, LookupError> {
        let past = self.past();
        let keys = RefCell::new(Vec::new());
        let thing = |of: &str, id: &str| {
            let key = thing_key(&directory_kind(of)?, id)?;
            keys.borrow_mut().push(key.clone());
            past.thing(&key, self.before).map_err(unavailable)
        };
        let loads = |of: &[PersonId]| Ok(vec![Load::default(); of.len()]);
        members_of(
            &self.definitions,
            team.as_str(),
            Instant::EPOCH,
            thing,
            loads,
        )?;
        Ok(keys.into_inner())
    }
}

impl Surroundings for Shown {
    fn thing(
        &self,
        of: &DirectoryKind,
        id: &str,
    ) -> Result<Option<Map<String, Json>>, LookupError> {
        let Ok(key) = thing_key(of, id) else {
            return Ok(None);
        };
        let moments = self.past().moments_of_thing(&key, self.before);
        let tries = moments.into_iter().take(self.moments).map(|at| {
            let thing = self.past().thing(&key, at).map_err(unavailable)?;
            Ok(thing.map(|thing| thing.0))
        });
        // What the engine itself read of the directory has a digest of the stored form.
        let is = |thing: &Option<Map<_, _>>, digest| {
            let of_stored = |thing| Digest::of(&journal::encode(thing));
            thing.as_ref().and_then(found::digest) == digest
                || thing.as_ref().map(of_stored) == digest
        };
        self.seen(&LookedUp::Thing(key.clone()), is, tries)
    }

    fn teams(&self) -> Result<Vec<String>, LookupError> {
        Ok(teams(&self.definitions))
    }

    fn members(&self, team: &str, now: Instant) -> Result<Vec<Member>, LookupError> {
        let Some((id, _)) = self.definitions.teams.get_key_value(team) else {
            return Err(LookupError::Invalid(format!("there is no team `{team}`")));
        };
        let keys = self.read_for_members(id)?;
        let moments = self.past().moments_of_things(&keys, self.before);
        let tries = moments.into_iter().flat_map(|things_at| {
            let newest = self.members_at(id, now, (things_at, None));
            let people = newest.as_ref().map(|(_, people)| people.clone());
            let moments = self
                .past()
                .moments_of_loads(&people.unwrap_or_default(), self.before);
            let earlier = moments.into_iter().skip(1).map(move |loads_at| {
                let members = self.members_at(id, now, (things_at, Some(loads_at)));
                members.map(|(members, _)| members)
            });
            std::iter::once(newest.map(|(members, _)| members)).chain(earlier)
        });
        let is = |members: &Vec<_>, digest| found::digest(members) == digest;
        let seen = self.seen(&found::members(team), is, tries.take(self.moments))?;
        Ok(seen.into_iter().map(|found| found.0).collect())
    }

    fn linked(&self, id: &str, kind: &str) -> Result<Vec<RecordView>, LookupError> {
        let Ok(record) = RecordId::new(id) else {
            return Ok(Vec::new());
        };
        self.records_seen(&found::linked(id, kind), self.moments(), |past, at| {
            let Some(record) = past.record(&record, at).map_err(unavailable)? else {
                return Ok(Vec::new());
            };
            let links = record.links.iter();
            let links = links.filter(|link| link.kind.as_str() == kind).take(LINKS);
            let targets = links.filter_map(|link| past.record(&link.target, at).transpose());
            targets
                .map(|record| Ok(view(&*record.map_err(unavailable)?, false)))
                .collect()
        })
    }

    fn alike(
        &self,
        workflow: &str,
        fields: &[(FieldId, Value)],
        since: Instant,
    ) -> Result<Vec<RecordView>, LookupError> {
        let of = WorkflowId::new(workflow);
        let of = of.map_err(|error| LookupError::Invalid(error.to_string()))?;
        let moments = self.past().moments_of_workflow(&of, self.before);
        let what = found::alike(workflow, fields, since);
        self.records_seen(&what, moments, |past, at| {
            let records = past.alike(&of, fields, since, at).map_err(unavailable)?;
            Ok(records.iter().map(|record| view(record, false)).collect())
        })
    }

    fn referenced(
        &self,
        binding: &BindingId,
        reference: &str,
    ) -> Result<Option<RecordView>, LookupError> {
        // A name once given stays with its record.
        let id = self.store.by_reference(binding, reference);
        let Some(id) = id.map_err(unavailable)? else {
            return Ok(None);
        };
        let is_named = |(by, name): &(BindingId, String)| by == binding && name == reference;
        self.records_seen(&found::referenced(reference), self.moments(), |past, at| {
            let record = past.record(&id, at).map_err(unavailable)?;
            let record = record.filter(|record| record.references.iter().any(is_named));
            Ok(record.map(|record| view(&record, false)))
        })
    }

    fn business_add(
        &self,
        calendar: &str,
        start: Instant,
        duration: Duration,
    ) -> Result<Instant, LookupError> {
        business_add(&self.definitions, calendar, start, duration)
    }

    fn business_between(
        &self,
        id: &str,
        start: Instant,
        end: Instant,
    ) -> Result<Duration, LookupError> {
        Ok(calendar(&self.definitions, id)?.between(start, end))
    }

    // What only integrations have, none of whose calls is asked again.

    fn key_value(&self, _: &BindingId, _: &str) -> Result<Option<Vec<u8>>, LookupError> {
        Err(LookupError::Unavailable)
    }

    fn compare_and_set(
        &self,
        _: &BindingId,
        _: &str,
        _: Option<Vec<u8>>,
        _: Option<Vec<u8>>,
    ) -> BoxFuture<'_, Result<bool, LookupError>> {
        Box::pin(std::future::ready(Err(LookupError::Unavailable)))
    }

    fn keys(&self, _: &BindingId, _: &str, _: Option<&str>) -> Result<Vec<String>, LookupError> {
        Err(LookupError::Unavailable)
    }
}

fn thing_key(kind: &DirectoryKind, id: &str) -> Result<Key, LookupError> {
    let id = DirectoryId::new(id).map_err(|error| LookupError::Invalid(error.to_string()))?;
    let kind = kind.clone();
    Ok(Key { kind, id })
}

/// The look-ups of the entry that are left once a decision has made these.
pub(super) fn without(mut lookups: Vec<Lookup>, made: &[Lookup]) -> Vec<Lookup> {
    for lookup in made {
        if let Some(at) = lookups.iter().position(|it| it == lookup) {
            lookups.remove(at);
        }
    }
    lookups
}

/// What was looked up, in words.
fn told(what: &LookedUp) -> String {
    match what {
        LookedUp::Thing(key) => format!("{} {}", key.kind, key.id),
        LookedUp::Role(role) => format!("role {role}"),
        LookedUp::Record(record) => format!("record {record}"),
        LookedUp::Query(query) => query.clone(),
    }
}
