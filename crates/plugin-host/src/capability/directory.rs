//! Looking things up, within the kinds that the binding was granted. What was looked up and the
//! digest of what was found go into the journal, so that a replay can tell whether it sees the same.

use engine::port::found::{self, FoundMember, digest};
use engine::port::{LookupError, Member};
use model::directory::{Key, kind};
use model::hook::RecordView;
use model::id::{DirectoryId, DirectoryKind, FieldId};
use model::journal::LookedUp;
use model::{Instant, Value};
use serde::Serialize;
use serde_json::{Map, Value as Json};

use super::{NAME, named, refused};
use crate::contract::v1::bindings::contract::directory::{self, Host, Person};
use crate::contract::v1::bindings::contract::types::{Field, PluginError, RecordView as View};
use crate::contract::v1::convert::{question, value};
use crate::guest::Guest;

/// The kind under which records are granted.
const RECORD: &str = "record";
/// How many values a search for records may name.
const SEARCHED: usize = 50;

type Answer<T> = wasmtime::Result<Result<T, PluginError>>;

impl Host for Guest {
    fn user(&mut self, id: String) -> Answer<Option<Person>> {
        self.budget.host_call()?;
        Ok(self.look_up(kind::USER, &id).map(|thing| {
            let mut facts = thing?;
            let mut text = |name: &str| match facts.shift_remove(name) {
                Some(Json::String(text)) => Some(text),
                _ => None,
            };
            let (name, manager) = (text("name"), text("manager"));
            let organisation = text("organisation");
            Some(Person {
                id,
                name: name.unwrap_or_default(),
                manager,
                organisation,
                facts: fields(facts),
            })
        }))
    }

    fn teams(&mut self) -> Answer<Vec<String>> {
        self.budget.host_call()?;
        Ok(self.query(kind::TEAM, found::teams(), |guest| guest.around.teams()))
    }

    fn members(&mut self, team: String) -> Answer<Vec<directory::Member>> {
        self.budget.host_call()?;
        if let Err(error) = named("a team", &team) {
            return Ok(Err(error));
        }
        let found = self.query(kind::TEAM, found::members(&team), |guest| {
            let members = guest.around.members(&team, guest.now)?;
            Ok(members.into_iter().map(FoundMember).collect::<Vec<_>>())
        });
        Ok(found.map(|members| members.into_iter().map(|found| member(found.0)).collect()))
    }

    fn find(&mut self, kind: String, id: String) -> Answer<Option<Vec<Field>>> {
        self.budget.host_call()?;
        Ok(self.look_up(&kind, &id).map(|thing| thing.map(fields)))
    }

    fn linked(&mut self, id: String, kind: String) -> Answer<Vec<View>> {
        self.budget.host_call()?;
        if let Err(error) = named("a record", &id).and(named("a kind of link", &kind)) {
            return Ok(Err(error));
        }
        let what = found::linked(&id, &kind);
        let found = self.query(RECORD, what, |guest| guest.around.linked(&id, &kind));
        Ok(found.map(|records| views(&records)))
    }

    fn alike(&mut self, workflow: String, fields: Vec<Field>, since: i64) -> Answer<Vec<View>> {
        self.budget.host_call()?;
        let wanted = match named("a workflow", &workflow).and_then(|()| searched(fields)) {
            Ok(wanted) => wanted,
            Err(error) => return Ok(Err(error)),
        };
        let since = Instant::from_millis(since);
        let what = found::alike(&workflow, &wanted, since);
        let found = self.query(RECORD, what, |guest| {
            guest.around.alike(&workflow, &wanted, since)
        });
        Ok(found.map(|records| views(&records)))
    }

    fn referenced(&mut self, reference: String) -> Answer<Option<View>> {
        self.budget.host_call()?;
        if let Err(error) = named("a reference", &reference) {
            return Ok(Err(error));
        }
        let what = found::referenced(&reference);
        let found = self.query(RECORD, what, |guest| {
            guest.around.referenced(&guest.bound.id, &reference)
        });
        Ok(found.map(|record| record.as_ref().map(question::record)))
    }
}

impl Guest {
    /// A thing of a kind that the binding may look up.
    fn look_up(&mut self, kind: &str, id: &str) -> Result<Option<Map<String, Json>>, PluginError> {
        let kind = self.granted(kind)?;
        // What is no id names nothing.
        let Ok(id) = DirectoryId::new(id) else {
            return Ok(None);
        };
        let thing = self
            .around
            .thing(&kind, id.as_str())
            .map_err(|error| refused(&error))?;
        let found = thing.as_ref().and_then(digest);
        self.note(LookedUp::Thing(Key { kind, id }), found);
        Ok(thing)
    }

    /// A question to the directory that names no single thing.
    fn query<T: Serialize>(
        &mut self,
        kind: &str,
        what: LookedUp,
        ask: impl FnOnce(&Self) -> Result<T, LookupError>,
    ) -> Result<T, PluginError> {
        self.granted(kind)?;
        let answer = ask(self).map_err(|error| refused(&error))?;
        let found = digest(&answer);
        self.note(what, found);
        Ok(answer)
    }

    fn granted(&self, kind: &str) -> Result<DirectoryKind, PluginError> {
        DirectoryKind::new(kind)
            .ok()
            .filter(|kind| self.bound.granted.directory.contains(kind))
            .ok_or_else(|| {
                let kind: String = kind.chars().take(64).collect();
                PluginError::Misconfigured(format!(
                    "the binding does not grant looking up `{kind}` in the directory"
                ))
            })
    }
}

/// What a search compares with.
fn searched(fields: Vec<Field>) -> Result<Vec<(FieldId, Value)>, PluginError> {
    let invalid = |message: String| PluginError::InvalidInput(message);
    if fields.len() > SEARCHED {
        return Err(invalid(format!("a search for more than {SEARCHED} values")));
    }
    fields
        .into_iter()
        .map(|field| {
            let id = FieldId::new(&field.id).map_err(|error| invalid(error.to_string()))?;
            let found = value::from_guest(field.value, NAME)
                .map_err(|stop| invalid(format!("the value of `{id}`: {stop}")))?;
            Ok((id, found))
        })
        .collect()
}

fn member(member: Member) -> directory::Member {
    directory::Member {
        user: member.user,
        skills: member.skills,
        on_shift: member.on_shift,
        open_records: member.open_records,
        last_assigned_at: member.last_assigned_at.map(Instant::millis),
        facts: fields(member.facts),
    }
}

fn views(records: &[RecordView]) -> Vec<View> {
    records.iter().map(question::record).collect()
}

fn fields(attributes: Map<String, Json>) -> Vec<Field> {
    attributes
        .into_iter()
        .map(|(id, json)| Field {
            id,
            value: value::of_json(json),
        })
        .collect()
}
