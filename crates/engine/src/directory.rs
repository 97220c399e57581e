//! The directory, and other records, as a decision sees them: one snapshot, read through a ledger of what was read.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use model::Digest;
use model::absence::Absences;
use model::directory::{Key, Person, Roster, Thing, kind};
use model::id::{DirectoryId, DirectoryKind, PersonId, RecordId, RoleId, TeamId};
use model::journal::{LookedUp, Lookup};
use model::record::Record;

use crate::port::StoreError;

/// Read-only directory data, as of one moment.
pub trait Directory: Sync {
    /// A thing.
    fn thing(&self, key: &Key) -> Result<Option<Thing>, StoreError>;
    /// Everyone with a role.
    fn people_with_role(&self, role: &RoleId) -> Result<Vec<PersonId>, StoreError>;
    /// Another record.
    fn record(&self, id: &RecordId) -> Result<Option<Arc<Record>>, StoreError>;
}

/// A directory together with what was read from it, for the journal.
pub(crate) struct Ledger<'a> {
    directory: &'a dyn Directory,
    read: Mutex<Vec<Lookup>>,
    fault: Mutex<Option<StoreError>>,
}

/// How many look-ups one command may make.
const MOST_LOOKUPS: usize = 2_000;

impl<'a> Ledger<'a> {
    pub(crate) fn new(directory: &'a dyn Directory) -> Self {
        Self {
            directory,
            read: Mutex::default(),
            fault: Mutex::default(),
        }
    }

    /// A thing; none too where the store fails, which [`Ledger::fault`] tells.
    pub(crate) fn thing(&self, of: &str, id: &str) -> Option<Thing> {
        let key = Key {
            kind: DirectoryKind::new(of).ok()?,
            id: DirectoryId::new(id).ok()?,
        };
        let found = self.kept(self.directory.thing(&key))?;
        let digest = found
            .as_ref()
            .map(|thing| Digest::of(&model::journal::encode(thing)));
        self.note(LookedUp::Thing(key), digest);
        found
    }

    pub(crate) fn person(&self, id: &PersonId) -> Option<Person> {
        let thing = self.thing(kind::USER, id.as_str())?;
        serde_json::from_value(serde_json::Value::Object(thing.0)).ok()
    }

    pub(crate) fn roster(&self, team: &TeamId) -> Roster {
        self.thing(kind::TEAM, team.as_str())
            .and_then(|thing| serde_json::from_value(serde_json::Value::Object(thing.0)).ok())
            .unwrap_or_default()
    }

    /// When a person is out of office.
    pub(crate) fn absences(&self, person: &PersonId) -> Absences {
        self.thing(kind::ABSENCE, person.as_str())
            .and_then(|thing| serde_json::from_value(serde_json::Value::Object(thing.0)).ok())
            .unwrap_or_default()
    }

    pub(crate) fn people_with_role(&self, role: &RoleId) -> BTreeSet<PersonId> {
        let people = self
            .kept(self.directory.people_with_role(role))
            .unwrap_or_default();
        self.note(
            LookedUp::Role(role.clone()),
            Some(Digest::of(&model::journal::encode(&people))),
        );
        people.into_iter().collect()
    }

    /// Another record.
    pub(crate) fn record(&self, id: &RecordId) -> Option<Arc<Record>> {
        let found = self.kept(self.directory.record(id))?;
        let head = found.as_ref().map(|record| record.head);
        self.note(LookedUp::Record(id.clone()), head);
        found
    }

    /// What was read, each once.
    pub(crate) fn lookups(&self) -> Vec<Lookup> {
        self.read
            .lock()
            .map(|read| read.clone())
            .unwrap_or_default()
    }

    /// Why what was read cannot be relied on.
    pub(crate) fn fault(&self) -> Option<StoreError> {
        self.fault.lock().ok().and_then(|fault| fault.clone())
    }

    fn kept<T>(&self, result: Result<T, StoreError>) -> Option<T> {
        match result {
            Ok(value) => Some(value),
            Err(error) => {
                if let Ok(mut fault) = self.fault.lock() {
                    *fault = Some(error);
                }
                None
            }
        }
    }

    fn note(&self, what: LookedUp, found: Option<Digest>) {
        if let Ok(mut read) = self.read.lock()
            && read.len() < MOST_LOOKUPS
            && !read.iter().any(|lookup| lookup.what == what)
        {
            read.push(Lookup { what, found });
        }
    }
}
