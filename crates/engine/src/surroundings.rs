//! What plugins may look up of the desk: the directory, other records, business time, their own state.

use std::sync::Arc;

use definition::compile::Definitions;
use futures::FutureExt;
use futures::future::BoxFuture;
use model::absence::Absences;
use model::directory::{Key, Roster, Thing, kind};
use model::hook::RecordView;
use model::id::{
    BindingId, DirectoryId, DirectoryKind, FieldId, PersonId, RecordId, TeamId, WorkflowId,
};
use model::skills::Skills;
use model::{ByteSize, Duration, Instant, Value};
use serde_json::{Map, Value as Json};

use crate::decide::view;
use crate::engine::Engine;
use crate::on_call::{CompiledRota, KnownRota};
use crate::port::{Commit, CommitError, Load, LookupError, Member, StoreError, Surroundings};

/// How many keys a binding's space may have at most, whatever it is granted.
const MOST_KEYS: u32 = 100_000;

/// The desk as one call sees it.
pub(crate) struct DeskSurroundings {
    engine: Engine,
    definitions: Arc<Definitions>,
}

impl DeskSurroundings {
    pub(crate) const fn new(engine: Engine, definitions: Arc<Definitions>) -> Self {
        Self {
            engine,
            definitions,
        }
    }

    /// How much the key-value space of a binding may hold: what it was granted, up to the ceiling.
    fn quota(&self, binding: &BindingId) -> (ByteSize, u32) {
        let granted = self.definitions.bindings.get(binding);
        let granted = granted.and_then(|it| it.plugin.grants.key_value.quota());
        let (bytes, keys) = granted.unwrap_or_default();
        (bytes.min(self.engine.space_ceiling()), keys.min(MOST_KEYS))
    }
}

/// The teams, by id.
pub(crate) fn teams(definitions: &Definitions) -> Vec<String> {
    definitions.teams.keys().map(ToString::to_string).collect()
}

/// The members of a team, given how things of the directory and how much people have are found out.
pub(crate) fn members_of(
    definitions: &Definitions,
    team: &str,
    now: Instant,
    thing: impl Fn(&str, &str) -> Result<Option<Thing>, LookupError>,
    loads: impl FnOnce(&[PersonId]) -> Result<Vec<Load>, LookupError>,
) -> Result<Vec<Member>, LookupError> {
    let Some((id, definition)) = definitions.teams.get_key_value(team) else {
        return Err(LookupError::Invalid(format!("there is no team `{team}`")));
    };
    let roster: Roster = read(thing(kind::TEAM, id.as_str())?);
    let people: Vec<PersonId> = roster.members.keys().cloned().collect();
    let loads = loads(&people)?;
    let rota = rota_of(id, &roster, &thing)?;
    let on_call = rota.map(|rota| rota.at(now).map(|on_call| on_call.person));
    let mut members = Vec::with_capacity(people.len());
    for ((person, member), (open_records, last_assigned_at)) in
        roster.members.into_iter().zip(loads)
    {
        let absences: Absences = read(thing(kind::ABSENCE, person.as_str())?);
        let shift = member.shift.as_ref().or(definition.calendar.as_ref());
        let on_shift = shift.is_none_or(|shift| {
            calendar(definitions, shift.as_str()).is_ok_and(|calendar| calendar.is_open(now))
        });
        let is_on_call = on_call
            .as_ref()
            .map(|on_call| *on_call == Some(person.clone()));
        members.push(Member {
            user: person.to_string(),
            facts: facts(&member.skills, is_on_call, absences.at(now).is_some()),
            skills: member.skills.names().map(str::to_owned).collect(),
            on_shift,
            open_records,
            last_assigned_at,
        });
    }
    members.sort_by(|a, b| a.user.cmp(&b.user));
    Ok(members)
}

/// What is known of a member beside what every desk knows of all: only what there is, so that a desk
/// without rotas, absences and levels shows what it always did.
fn facts(skills: &Skills, is_on_call: Option<bool>, is_absent: bool) -> Map<String, Json> {
    let mut facts = Map::new();
    if let Some(is_on_call) = is_on_call {
        facts.insert("on-call".to_owned(), is_on_call.into());
    }
    if is_absent {
        facts.insert("absent".to_owned(), true.into());
    }
    if skills.0.values().any(|level| *level != 1) {
        facts.insert("skill-levels".to_owned(), serde_json::json!(skills));
    }
    facts
}

/// A team's rota, where it has one.
fn rota_of(
    team: &TeamId,
    roster: &Roster,
    thing: &impl Fn(&str, &str) -> Result<Option<Thing>, LookupError>,
) -> Result<Option<KnownRota>, LookupError> {
    let id = roster.rota_of(team);
    let Some(rota) = thing(kind::ROTA, id)? else {
        return Ok(None);
    };
    let fault = std::cell::RefCell::new(None);
    let absences = |person: &PersonId| match thing(kind::ABSENCE, person.as_str()) {
        Ok(found) => read(found),
        Err(error) => {
            *fault.borrow_mut() = Some(error);
            Absences::default()
        }
    };
    let Ok(id) = DirectoryId::new(id) else {
        return Ok(None);
    };
    let known = CompiledRota::of(&rota).map(|rota| KnownRota::of(id, rota, absences));
    fault.into_inner().map_or(Ok(known), Err)
}

/// A thing of a built-in kind; an empty one where it is not there, or not of its shape any more.
fn read<T: Default + serde::de::DeserializeOwned>(thing: Option<Thing>) -> T {
    let read = thing.and_then(|thing| serde_json::from_value(Json::Object(thing.0)).ok());
    read.unwrap_or_default()
}

/// The instant after so much business time in a calendar.
pub(crate) fn business_add(
    definitions: &Definitions,
    id: &str,
    start: Instant,
    duration: Duration,
) -> Result<Instant, LookupError> {
    let never = || {
        LookupError::Invalid(format!(
            "the calendar `{id}` has no business time within ten years"
        ))
    };
    calendar(definitions, id)?
        .add(start, duration)
        .ok_or_else(never)
}

/// A calendar in force.
pub(crate) fn calendar<'a>(
    definitions: &'a Definitions,
    id: &str,
) -> Result<&'a calendar::Calendar, LookupError> {
    let pinned = definitions.calendars.get(id);
    pinned
        .map(|pinned| &pinned.calendar)
        .ok_or_else(|| LookupError::Invalid(format!("there is no calendar `{id}`")))
}

/// A kind of the directory.
pub(crate) fn directory_kind(of: &str) -> Result<DirectoryKind, LookupError> {
    DirectoryKind::new(of).map_err(|error| LookupError::Invalid(error.to_string()))
}

#[expect(clippy::needless_pass_by_value, reason = "the signature of `map_err`")]
pub(crate) fn unavailable(error: StoreError) -> LookupError {
    tracing::warn!(%error, "a look-up of a plugin failed");
    LookupError::Unavailable
}

impl Surroundings for DeskSurroundings {
    fn thing(
        &self,
        of: &DirectoryKind,
        id: &str,
    ) -> Result<Option<Map<String, Json>>, LookupError> {
        let Ok(id) = DirectoryId::new(id) else {
            return Ok(None);
        };
        let key = Key {
            kind: of.clone(),
            id,
        };
        Ok(self
            .engine
            .0
            .store
            .thing(&key)
            .map_err(unavailable)?
            .map(|thing| thing.0.clone()))
    }

    fn teams(&self) -> Result<Vec<String>, LookupError> {
        Ok(teams(&self.definitions))
    }

    fn members(&self, team: &str, now: Instant) -> Result<Vec<Member>, LookupError> {
        let store = &self.engine.0.store;
        let absence = directory_kind(kind::ABSENCE)?;
        // Most desks have few absences, and many have none: then none is looked for.
        let nobody_away = store.things(&absence, None, 1).map_err(unavailable)?;
        let nobody_away = nobody_away.is_empty();
        let thing = |of: &str, id: &str| {
            if nobody_away && of == kind::ABSENCE {
                return Ok(None);
            }
            let Ok(id) = DirectoryId::new(id) else {
                return Ok(None);
            };
            let kind = directory_kind(of)?;
            let found = store.thing(&Key { kind, id }).map_err(unavailable)?;
            Ok(found.map(|found| Thing::clone(&found)))
        };
        members_of(&self.definitions, team, now, thing, |people| {
            store.loads_of(people).map_err(unavailable)
        })
    }

    fn linked(&self, id: &str, kind: &str) -> Result<Vec<RecordView>, LookupError> {
        let Ok(id) = RecordId::new(id) else {
            return Ok(Vec::new());
        };
        let Some(record) = self.engine.0.store.record(&id).map_err(unavailable)? else {
            return Ok(Vec::new());
        };
        let targets = record
            .links
            .iter()
            .filter(|link| link.kind.as_str() == kind)
            .take(100);
        let found = targets.filter_map(|link| self.engine.0.store.record(&link.target).transpose());
        found
            .map(|record| {
                record
                    .map(|record| view(&record, false))
                    .map_err(unavailable)
            })
            .collect()
    }

    fn alike(
        &self,
        workflow: &str,
        fields: &[(FieldId, Value)],
        since: Instant,
    ) -> Result<Vec<RecordView>, LookupError> {
        let workflow =
            WorkflowId::new(workflow).map_err(|error| LookupError::Invalid(error.to_string()))?;
        let alike = self
            .engine
            .0
            .store
            .alike(&workflow, fields, since)
            .map_err(unavailable)?;
        Ok(alike.iter().map(|record| view(record, false)).collect())
    }

    fn referenced(
        &self,
        binding: &BindingId,
        reference: &str,
    ) -> Result<Option<RecordView>, LookupError> {
        let store = &self.engine.0.store;
        let Some(id) = store
            .by_reference(binding, reference)
            .map_err(unavailable)?
        else {
            return Ok(None);
        };
        let record = store.record(&id).map_err(unavailable)?;
        Ok(record.map(|record| view(&record, false)))
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
        calendar: &str,
        start: Instant,
        end: Instant,
    ) -> Result<Duration, LookupError> {
        Ok(self::calendar(&self.definitions, calendar)?.between(start, end))
    }

    fn key_value(&self, binding: &BindingId, key: &str) -> Result<Option<Vec<u8>>, LookupError> {
        self.engine
            .0
            .store
            .key_value(binding, key)
            .map_err(unavailable)
    }

    fn compare_and_set(
        &self,
        binding: &BindingId,
        key: &str,
        expected: Option<Vec<u8>>,
        value: Option<Vec<u8>>,
    ) -> BoxFuture<'_, Result<bool, LookupError>> {
        let (bytes, keys) = self.quota(binding);
        let commit = Commit::KeyValue {
            binding: binding.clone(),
            key: key.to_owned(),
            expected,
            value,
            quota_bytes: bytes.bytes(),
            quota_keys: keys.into(),
        };
        let committing = self.engine.0.store.commit(commit);
        async move {
            match committing.await {
                Ok(_) => Ok(true),
                Err(CommitError::Conflict) => Ok(false),
                Err(CommitError::Quota) => Err(LookupError::Invalid(format!(
                    "the key-value space is full: it holds {bytes} and {keys} keys"
                ))),
                Err(CommitError::Store(error)) => Err(unavailable(error)),
                Err(_) => Err(LookupError::Unavailable),
            }
        }
        .boxed()
    }

    fn keys(
        &self,
        binding: &BindingId,
        prefix: &str,
        after: Option<&str>,
    ) -> Result<Vec<String>, LookupError> {
        self.engine
            .0
            .store
            .keys(binding, prefix, after, 100)
            .map_err(unavailable)
    }
}
