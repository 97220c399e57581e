//! What plugins may look up of the desk: the directory, other records, business time, their own state.

use std::sync::Arc;

use definition::compile::Definitions;
use futures::FutureExt;
use futures::future::BoxFuture;
use model::directory::{Key, Roster, kind};
use model::hook::RecordView;
use model::id::{
    BindingId, DirectoryId, DirectoryKind, FieldId, PersonId, RecordId, TeamId, WorkflowId,
};
use model::{ByteSize, Duration, Instant, Value};
use serde_json::{Map, Value as Json};

use crate::decide::view;
use crate::engine::Engine;
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

/// The members of a team, given how its roster and how much people have are found out.
pub(crate) fn members_of(
    definitions: &Definitions,
    team: &str,
    now: Instant,
    roster: impl FnOnce(&TeamId) -> Result<Option<Map<String, Json>>, LookupError>,
    loads: impl FnOnce(&[PersonId]) -> Result<Vec<Load>, LookupError>,
) -> Result<Vec<Member>, LookupError> {
    let Some((id, definition)) = definitions.teams.get_key_value(team) else {
        return Err(LookupError::Invalid(format!("there is no team `{team}`")));
    };
    let roster = match roster(id)? {
        Some(thing) => serde_json::from_value(Json::Object(thing)).unwrap_or_default(),
        None => Roster::default(),
    };
    let people: Vec<PersonId> = roster.members.keys().cloned().collect();
    let loads = loads(&people)?;
    let member = |((person, member), (open_records, last_assigned_at)): (
        (PersonId, model::directory::Member),
        Load,
    )| {
        let shift = member.shift.as_ref().or(definition.calendar.as_ref());
        let on_shift = shift.is_none_or(|shift| {
            calendar(definitions, shift.as_str()).is_ok_and(|calendar| calendar.is_open(now))
        });
        Member {
            user: person.to_string(),
            skills: member.skills,
            on_shift,
            open_records,
            last_assigned_at,
        }
    };
    let mut members: Vec<_> = roster.members.into_iter().zip(loads).map(member).collect();
    members.sort_by(|a, b| a.user.cmp(&b.user));
    Ok(members)
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

/// The kind of thing that a team's roster is.
pub(crate) fn team_kind() -> Result<DirectoryKind, LookupError> {
    DirectoryKind::new(kind::TEAM).map_err(|error| LookupError::Invalid(error.to_string()))
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
            .map(|thing| thing.0))
    }

    fn teams(&self) -> Result<Vec<String>, LookupError> {
        Ok(teams(&self.definitions))
    }

    fn members(&self, team: &str, now: Instant) -> Result<Vec<Member>, LookupError> {
        let roster = |team: &TeamId| self.thing(&team_kind()?, team.as_str());
        let loads = |people: &[PersonId]| self.engine.0.store.loads_of(people);
        members_of(&self.definitions, team, now, roster, |people| {
            loads(people).map_err(unavailable)
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
