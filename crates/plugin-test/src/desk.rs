//! The desk of a case: answers a plugin's look-ups from what the case says.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use calendar::Calendar;
use engine::port::{LookupError, Member, Surroundings};
use futures::future::BoxFuture;
use model::directory::kind;
use model::hook::RecordView;
use model::id::{BindingId, DirectoryKind, FieldId};
use model::{Duration, Instant, Value};
use serde_json::{Map, Value as Json, json};

use crate::case::{DeskInput, MemberInput};

/// As many as a server lists in one answer.
const LIST_LIMIT: usize = 100;

pub(crate) struct Desk {
    written: DeskInput,
    calendars: BTreeMap<String, Calendar>,
    records: Vec<RecordView>,
    values: Mutex<BTreeMap<String, Vec<u8>>>,
}

impl Desk {
    /// The desk as a case has it, or what is wrong with one of its calendars.
    pub(crate) fn new(written: &DeskInput, now: Instant) -> Result<Self, String> {
        let calendars = written.calendars.iter().map(|(id, definition)| {
            let calendar = Calendar::compile(definition)
                .map_err(|error| format!("the calendar `{id}` is not right: {error}"))?;
            Ok((id.clone(), calendar))
        });
        let values = written.key_value.iter();
        Ok(Self {
            calendars: calendars.collect::<Result<_, String>>()?,
            records: written
                .records
                .iter()
                .map(|record| record.to_view(now))
                .collect(),
            values: Mutex::new(
                values
                    .map(|(key, value)| (key.clone(), value.clone().into_bytes()))
                    .collect(),
            ),
            written: written.clone(),
        })
    }

    fn values(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, Vec<u8>>> {
        self.values.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn calendar(&self, id: &str) -> Result<&Calendar, LookupError> {
        let found = self.calendars.get(id);
        found.ok_or_else(|| LookupError::Invalid(format!("there is no calendar `{id}`")))
    }
}

impl Surroundings for Desk {
    fn thing(
        &self,
        kind: &DirectoryKind,
        id: &str,
    ) -> Result<Option<Map<String, Json>>, LookupError> {
        let things = self.written.directory.get(kind);
        let found = things.and_then(|things| {
            let mut things = things.iter();
            things.find_map(|(of, thing)| (of.as_str() == id).then(|| thing.clone()))
        });
        // A team is also a thing of the directory: its members.
        let team = (kind.as_str() == kind::TEAM)
            .then(|| self.written.teams.get(id))
            .flatten();
        Ok(found.or_else(|| team.map(roster)))
    }

    fn teams(&self) -> Result<Vec<String>, LookupError> {
        Ok(self.written.teams.keys().cloned().collect())
    }

    fn members(&self, team: &str, _: Instant) -> Result<Vec<Member>, LookupError> {
        let Some(members) = self.written.teams.get(team) else {
            return Err(LookupError::Invalid(format!("there is no team `{team}`")));
        };
        let member = |(user, member): (&String, &MemberInput)| Member {
            user: user.clone(),
            skills: member.skills.clone(),
            on_shift: !member.off_shift,
            open_records: member.open_records,
            last_assigned_at: member.last_assigned_at,
            facts: member.facts.clone(),
        };
        Ok(members.iter().map(member).collect())
    }

    fn linked(&self, id: &str, kind: &str) -> Result<Vec<RecordView>, LookupError> {
        let named =
            |record: &&RecordView, id: &str| record.id.as_ref().is_some_and(|of| of.as_str() == id);
        let from = self.written.records.iter();
        let targets = from
            .filter(|record| record.id.as_ref().is_some_and(|of| of.as_str() == id))
            .filter_map(|record| record.links.get(kind))
            .flatten();
        Ok(targets
            .filter_map(|target| {
                self.records
                    .iter()
                    .find(|record| named(record, target.as_str()))
            })
            .take(LIST_LIMIT)
            .cloned()
            .collect())
    }

    fn alike(
        &self,
        workflow: &str,
        fields: &[(FieldId, Value)],
        since: Instant,
    ) -> Result<Vec<RecordView>, LookupError> {
        let mut alike: Vec<RecordView> = self
            .records
            .iter()
            .filter(|record| record.workflow.as_str() == workflow && record.updated_at >= since)
            .filter(|record| {
                let mut fields = fields.iter();
                fields.all(|(id, value)| record.fields.get(id).unwrap_or(&Value::Null) == value)
            })
            .cloned()
            .collect();
        alike.sort_by_key(|record| std::cmp::Reverse(record.updated_at));
        alike.truncate(LIST_LIMIT);
        Ok(alike)
    }

    fn referenced(
        &self,
        _: &BindingId,
        reference: &str,
    ) -> Result<Option<RecordView>, LookupError> {
        let mut records = self.written.records.iter().zip(&self.records);
        let found =
            records.find(|(written, _)| written.references.iter().any(|of| of == reference));
        Ok(found.map(|(_, record)| record.clone()))
    }

    fn business_add(
        &self,
        calendar: &str,
        start: Instant,
        duration: Duration,
    ) -> Result<Instant, LookupError> {
        self.calendar(calendar)?
            .add(start, duration)
            .ok_or_else(|| {
                let message =
                    format!("the calendar `{calendar}` has no business time within ten years");
                LookupError::Invalid(message)
            })
    }

    fn business_between(
        &self,
        calendar: &str,
        start: Instant,
        end: Instant,
    ) -> Result<Duration, LookupError> {
        Ok(self.calendar(calendar)?.between(start, end))
    }

    fn key_value(&self, _: &BindingId, key: &str) -> Result<Option<Vec<u8>>, LookupError> {
        Ok(self.values().get(key).cloned())
    }

    fn compare_and_set(
        &self,
        _: &BindingId,
        key: &str,
        expected: Option<Vec<u8>>,
        value: Option<Vec<u8>>,
    ) -> BoxFuture<'_, Result<bool, LookupError>> {
        let mut values = self.values();
        let as_expected = values.get(key) == expected.as_ref();
        if as_expected {
            match value {
                Some(value) => values.insert(key.to_owned(), value),
                None => values.remove(key),
            };
        }
        Box::pin(std::future::ready(Ok(as_expected)))
    }

    fn keys(
        &self,
        _: &BindingId,
        prefix: &str,
        after: Option<&str>,
    ) -> Result<Vec<String>, LookupError> {
        let values = self.values();
        let keys = values.keys().filter(|key| {
            key.starts_with(prefix) && after.is_none_or(|after| key.as_str() > after)
        });
        Ok(keys.take(LIST_LIMIT).cloned().collect())
    }
}

fn roster(members: &BTreeMap<String, MemberInput>) -> Map<String, Json> {
    let members: Map<String, Json> = members
        .iter()
        .map(|(person, member)| (person.clone(), json!({ "skills": member.skills })))
        .collect();
    Map::from_iter([("members".to_owned(), Json::Object(members))])
}
