//! What a record, or a thing of the directory, puts into the views: the rows of indexes and queues.
//!
//! It is kept beside the rows, so that they can be moved without the state that they came from, and
//! so that a reader can tell a row that counts from one that is only waiting to be swept.

use std::collections::BTreeSet;

use engine::port::StoreError;
use model::Instant;
use model::definition::Category;
use model::directory::{Key, Thing, kind};
use model::id::{BindingId, PersonId, StateId, TeamId, WorkflowId};
use model::record::{EffectKey, PlannedWindow, Record};
use serde::{Deserialize, Serialize};

use crate::bytes::{self, RecordKey};
use crate::truth::not_read;
use crate::windows;

/// The indexes behind lists. Each row is the tag, the value and a zero byte, when the record last
/// changed, and its key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Index {
    Updated = b'u',
    Workflow = b'w',
    State = b's',
    Category = b'c',
    Team = b't',
    Assignee = b'a',
    Requester = b'r',
}

/// The tags of all other rows.
pub(crate) mod tag {
    /// Something due of a record: instant, key.
    pub(crate) const DUE: u8 = b'D';
    /// An effect to be tried: instant, key.
    pub(crate) const EFFECT: u8 = b'E';
    /// A dead effect: key, version, place.
    pub(crate) const DEAD: u8 = b'X';
    /// An open approval: key.
    pub(crate) const APPROVAL: u8 = b'A';
    /// A binding's name for a record: binding, name; holds the key.
    pub(crate) const REFERENCE: u8 = b'R';
    /// Someone with a role: role, person.
    pub(crate) const ROLE: u8 = b'O';
    /// A member of a team: person, team.
    pub(crate) const MEMBER: u8 = b'M';
    /// How much a person has: person; holds count and instant.
    pub(crate) const LOAD: u8 = b'L';
    /// Something that a person was told: person, position, place; holds when and the record's key.
    pub(crate) const INBOX: u8 = b'N';
    /// How many notices a person's inbox holds: person.
    pub(crate) const INBOX_COUNT: u8 = b'n';
    /// An idempotency key: its hash; holds what was done.
    pub(crate) const REMEMBERED: u8 = b'K';
    /// A planned window: what it may disturb, when it begins, key; holds when it is over.
    pub(crate) const WINDOW: u8 = b'W';
    /// When an idempotency key was used: instant, hash.
    pub(crate) const REMEMBERED_AT: u8 = b'P';
}

/// What a record puts into the views.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Contribution {
    pub(crate) workflow: WorkflowId,
    pub(crate) state: StateId,
    pub(crate) category: Category,
    pub(crate) team: Option<TeamId>,
    pub(crate) assignee: Option<PersonId>,
    pub(crate) requester: Option<PersonId>,
    pub(crate) updated: Instant,
    due: Option<Instant>,
    effect: Option<Instant>,
    dead: Vec<(u64, u32)>,
    approval: bool,
    references: Vec<(BindingId, String)>,
    window: Option<PlannedWindow>,
}

impl Contribution {
    pub(crate) fn of(record: &Record) -> Self {
        let dead = record.effects.iter().filter(|(_, effect)| effect.dead);
        Self {
            workflow: record.workflow.clone(),
            state: record.state.clone(),
            category: record.category,
            team: record.team.clone(),
            assignee: record.assignee.clone(),
            requester: record.requester.clone(),
            updated: record.updated_at,
            due: record.next_due(),
            effect: record.next_effect(),
            dead: dead.map(|(key, _)| (key.version, key.index)).collect(),
            approval: record.approval.is_some(),
            references: record.references.clone(),
            window: record.window.clone(),
        }
    }

    pub(crate) fn write(&self) -> Vec<u8> {
        rmp_serde::to_vec(self).expect("plain data has no value that cannot be written")
    }

    pub(crate) fn read(bytes: &[u8]) -> Result<Self, StoreError> {
        rmp_serde::from_slice(bytes).map_err(|error| not_read("a row of the views", &error))
    }

    /// The rows of indexes that lists read.
    fn listed(&self, key: &RecordKey) -> Vec<Vec<u8>> {
        let mut rows = Vec::with_capacity(7);
        let mut push = |index, value| rows.push(index_row(index, value, self.updated, key));
        push(Index::Updated, "");
        push(Index::Workflow, self.workflow.as_str());
        push(Index::State, self.state.as_str());
        push(Index::Category, self.category.as_str());
        if let Some(team) = &self.team {
            push(Index::Team, team.as_str());
        }
        if let Some(assignee) = &self.assignee {
            push(Index::Assignee, assignee.as_str());
        }
        if let Some(requester) = &self.requester {
            push(Index::Requester, requester.as_str());
        }
        rows
    }

    /// The rows of queues and references, with what they hold.
    fn queued(&self, key: &RecordKey) -> Vec<(Vec<u8>, Vec<u8>)> {
        let mut rows = Vec::new();
        let mut push = |row| rows.push((row, Vec::new()));
        if let Some(due) = self.due {
            push(queue_row(tag::DUE, due, key));
        }
        if let Some(effect) = self.effect {
            push(queue_row(tag::EFFECT, effect, key));
        }
        for (version, index) in &self.dead {
            let effect = EffectKey {
                version: *version,
                index: *index,
            };
            push(dead_row(key.as_slice(), Some(effect)));
        }
        if self.approval {
            push(approval_row(Some(key.as_slice())));
        }
        for (binding, reference) in &self.references {
            let row = reference_row(binding, reference);
            rows.push((row, key.as_slice().to_vec()));
        }
        rows.extend(
            self.window
                .iter()
                .flat_map(|window| windows::rows(window, key)),
        );
        rows
    }

    /// Who carries the record, as long as there is something to do about it.
    fn carrier(&self) -> Option<&PersonId> {
        let live = matches!(self.category, Category::Open | Category::Waiting);
        self.assignee.as_ref().filter(|_| live)
    }
}

/// How the views change with a record.
#[derive(Debug, Default)]
pub(crate) struct Change {
    /// Rows of lists that no longer count: readers skip them, so they are swept when many are.
    pub(crate) stale: Vec<Vec<u8>>,
    /// Rows to be removed at once.
    pub(crate) gone: Vec<Vec<u8>>,
    /// Rows to be written.
    pub(crate) new: Vec<(Vec<u8>, Vec<u8>)>,
    /// Who carries one more or fewer.
    pub(crate) loads: Vec<(PersonId, i64)>,
    /// What is remembered of the record.
    pub(crate) memory: Vec<u8>,
}

impl Change {
    pub(crate) fn between(
        key: &RecordKey,
        before: Option<&Contribution>,
        after: &Contribution,
    ) -> Self {
        let mut change = Self {
            memory: after.write(),
            ..Self::default()
        };
        let was = before.map(|before| before.listed(key)).unwrap_or_default();
        let is = after.listed(key);
        change.stale = was
            .iter()
            .filter(|row| !is.contains(row))
            .cloned()
            .collect();
        let new = is.into_iter().filter(|row| !was.contains(row));
        change.new = new.map(|row| (row, Vec::new())).collect();
        let was = before.map(|before| before.queued(key)).unwrap_or_default();
        let is = after.queued(key);
        let gone = was.iter().filter(|row| !is.contains(row));
        change.gone = gone.map(|(row, _)| row.clone()).collect();
        change
            .new
            .extend(is.into_iter().filter(|row| !was.contains(row)));
        let carried = before.and_then(Contribution::carrier);
        if carried != after.carrier() {
            let less = carried.map(|person| (person.clone(), -1));
            let more = after.carrier().map(|person| (person.clone(), 1));
            change.loads = less.into_iter().chain(more).collect();
        }
        change
    }
}

/// What a thing of the directory puts into the views: who has a role, who is in a team.
pub(crate) fn of_thing(key: &Key, thing: Option<&Thing>) -> BTreeSet<Vec<u8>> {
    let Some(thing) = thing else {
        return BTreeSet::new();
    };
    let id = key.id.as_str();
    match key.kind.as_str() {
        kind::USER => names(thing, "roles")
            .map(|role| role_row(role, Some(id)))
            .collect(),
        kind::TEAM => names(thing, "members")
            .map(|person| member_row(person, Some(id)))
            .collect(),
        _ => BTreeSet::new(),
    }
}

/// What an attribute names: the texts of a list, or the keys of a map.
fn names<'a>(thing: &'a Thing, attribute: &str) -> impl Iterator<Item = &'a str> {
    let value = thing.0.get(attribute);
    let list = value.and_then(serde_json_list).into_iter().flatten();
    let map = value.and_then(|value| value.as_object());
    let keys = map.into_iter().flatten().filter_map(|(name, value)| {
        let named = !value.is_null() && value.as_bool() != Some(false);
        named.then_some(name.as_str())
    });
    // A name that holds a zero byte is no id, and would be read as two.
    list.chain(keys).filter(|name| !name.contains('\0'))
}

fn serde_json_list(value: &serde_json::Value) -> Option<impl Iterator<Item = &str>> {
    let list = value.as_array()?;
    Some(list.iter().filter_map(serde_json::Value::as_str))
}

/// Where the memory of a thing's rows stands. Keys of records begin with a capital.
pub(crate) fn thing_memory(thing_key: &[u8]) -> Vec<u8> {
    let mut key = vec![b'd'];
    key.extend_from_slice(thing_key);
    key
}

/// All rows of an index with one value begin so.
pub(crate) fn index_prefix(index: Index, value: &str) -> Vec<u8> {
    let mut row = Vec::with_capacity(2 + value.len() + 24);
    row.push(index as u8);
    row.extend_from_slice(value.as_bytes());
    row.push(0);
    row
}

pub(crate) fn index_row(index: Index, value: &str, updated: Instant, key: &RecordKey) -> Vec<u8> {
    let mut row = index_prefix(index, value);
    row.extend_from_slice(&bytes::instant(updated));
    row.extend_from_slice(key.as_slice());
    row
}

fn queue_row(tag: u8, at: Instant, key: &RecordKey) -> Vec<u8> {
    let mut row = Vec::with_capacity(25);
    row.push(tag);
    row.extend_from_slice(&bytes::instant(at));
    row.extend_from_slice(key.as_slice());
    row
}

/// The row of a dead effect; without one, what stands before all of the record.
pub(crate) fn dead_row(key: &[u8], effect: Option<EffectKey>) -> Vec<u8> {
    let mut row = vec![tag::DEAD];
    row.extend_from_slice(key);
    if let Some(effect) = effect {
        row.extend_from_slice(&effect.version.to_be_bytes());
        row.extend_from_slice(&effect.index.to_be_bytes());
    }
    row
}

/// The row of an open approval; without a record, what all begin with.
pub(crate) fn approval_row(key: Option<&[u8]>) -> Vec<u8> {
    let mut row = vec![tag::APPROVAL];
    row.extend_from_slice(key.unwrap_or_default());
    row
}

pub(crate) fn reference_row(binding: &BindingId, reference: &str) -> Vec<u8> {
    tagged(tag::REFERENCE, binding.as_str(), reference.as_bytes())
}

/// The row of someone with a role; without them, what all of the role begin with.
pub(crate) fn role_row(role: &str, person: Option<&str>) -> Vec<u8> {
    tagged(tag::ROLE, role, person.unwrap_or_default().as_bytes())
}

/// The row of a membership; without a team, what all of the person begin with.
pub(crate) fn member_row(person: &str, team: Option<&str>) -> Vec<u8> {
    tagged(tag::MEMBER, person, team.unwrap_or_default().as_bytes())
}

pub(crate) fn load_row(person: &PersonId) -> Vec<u8> {
    tagged(tag::LOAD, person.as_str(), b"")
}

pub(crate) fn tagged(tag: u8, first: &str, second: &[u8]) -> Vec<u8> {
    let mut row = Vec::with_capacity(2 + first.len() + second.len());
    row.push(tag);
    row.extend_from_slice(first.as_bytes());
    row.push(0);
    row.extend_from_slice(second);
    row
}
