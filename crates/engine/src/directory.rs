//! The directory, and other records, as a decision sees them: one snapshot, read through a ledger of what was read.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use model::Digest;
use model::absence::Absences;
use model::directory::{Key, Person, Roster, kind};
use model::id::{DirectoryId, DirectoryKind, PersonId, RecordId, RoleId, TeamId, WorkflowId};
use model::journal::{LookedUp, Lookup};
use model::preference::Preferences;
use model::record::Record;
use serde::Deserialize;

use crate::on_call::CompiledRota;
use crate::port::{FoundThing, Load, PlannedFor, StoreError, Windows, WindowsQuery, found};

/// Read-only directory data, as of one moment.
pub trait Directory: Sync {
    /// A thing.
    fn thing(&self, key: &Key) -> Result<Option<Arc<FoundThing>>, StoreError>;
    /// A rota that was found, ready to be asked; none where it is not one any more.
    fn rota(&self, thing: &FoundThing) -> Option<CompiledRota> {
        CompiledRota::of(thing)
    }
    /// Everyone with a role.
    fn people_with_role(&self, role: &RoleId) -> Result<Vec<PersonId>, StoreError>;
    /// Another record.
    fn record(&self, id: &RecordId) -> Result<Option<Arc<Record>>, StoreError>;
    /// How much each of these people has.
    fn loads(&self, people: &[PersonId]) -> Result<Vec<Load>, StoreError>;
    /// Planned windows that touch a stretch of time.
    fn windows(&self, query: &WindowsQuery) -> Result<Windows, StoreError>;
    /// Who has the record of a workflow that changed last of those for a requester that anybody has,
    /// this one left aside. Looks at no more than [`MOST_OF_REQUESTER`] of them.
    fn last_assignee(
        &self,
        workflow: &WorkflowId,
        requester: &PersonId,
        aside: &RecordId,
    ) -> Result<Option<PersonId>, StoreError>;
}

/// How many records of a requester are looked at for who had the last one.
pub(crate) const MOST_OF_REQUESTER: usize = 50;

/// A directory together with what was read from it, for the journal.
pub(crate) struct Ledger<'a> {
    directory: &'a dyn Directory,
    read: Mutex<Vec<Lookup>>,
    /// The earliest position as of which windows were read.
    windows_as_of: Mutex<Option<u64>>,
    fault: Mutex<Option<StoreError>>,
}

/// How many look-ups one command may make.
const MOST_LOOKUPS: usize = 2_000;

impl<'a> Ledger<'a> {
    pub(crate) fn new(directory: &'a dyn Directory) -> Self {
        Self {
            directory,
            read: Mutex::default(),
            windows_as_of: Mutex::default(),
            fault: Mutex::default(),
        }
    }

    /// A thing; none too where the store fails, which [`Ledger::fault`] tells.
    pub(crate) fn thing(&self, of: &str, id: &str) -> Option<Arc<FoundThing>> {
        let key = Key {
            kind: DirectoryKind::new(of).ok()?,
            id: DirectoryId::new(id).ok()?,
        };
        let found = self.kept(self.directory.thing(&key))?;
        let digest = found.as_ref().map(|found| found.digest());
        self.note(LookedUp::Thing(key), digest);
        found
    }

    /// A rota, ready to be asked.
    pub(crate) fn compiled_rota(&self, id: &DirectoryId) -> Option<CompiledRota> {
        self.directory.rota(&*self.thing(kind::ROTA, id.as_str())?)
    }

    /// A thing of a kind that most people have none of: noted only where there is one, so that notices
    /// to many do not fill the journal with what is not there.
    fn rare(&self, of: &str, person: &PersonId) -> Option<Arc<FoundThing>> {
        let key = Key {
            kind: DirectoryKind::new(of).ok()?,
            id: DirectoryId::new(person.as_str()).ok()?,
        };
        let thing = self.kept(self.directory.thing(&key))??;
        self.note(LookedUp::Thing(key), Some(thing.digest()));
        Some(thing)
    }

    /// How a person hears of notices.
    pub(crate) fn preferences(&self, person: &PersonId) -> Preferences {
        self.rare(kind::PREFERENCE, person)
            .and_then(|thing| Deserialize::deserialize(&thing.0).ok())
            .unwrap_or_default()
    }

    pub(crate) fn person(&self, id: &PersonId) -> Option<Person> {
        let thing = self.thing(kind::USER, id.as_str())?;
        Person::deserialize(&thing.0).ok()
    }

    pub(crate) fn roster(&self, team: &TeamId) -> Roster {
        self.thing(kind::TEAM, team.as_str())
            .and_then(|thing| Deserialize::deserialize(&thing.0).ok())
            .unwrap_or_default()
    }

    /// When a person is out of office.
    pub(crate) fn absences(&self, person: &PersonId) -> Absences {
        self.rare(kind::ABSENCE, person)
            .and_then(|thing| Deserialize::deserialize(&thing.0).ok())
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

    /// How much each of these people has.
    pub(crate) fn loads(&self, people: &[PersonId]) -> Vec<Load> {
        let loads = self.kept(self.directory.loads(people)).unwrap_or_default();
        self.note(found::loads(people), found::digest(&loads));
        loads
    }

    /// The planned windows that touch a stretch of time, in the order in which they begin.
    pub(crate) fn windows(&self, query: &WindowsQuery) -> Vec<PlannedFor> {
        let Some(found) = self.kept(self.directory.windows(query)) else {
            return Vec::new();
        };
        if let Ok(mut as_of) = self.windows_as_of.lock() {
            *as_of = Some(as_of.map_or(found.as_of, |known| known.min(found.as_of)));
        }
        self.note(found::windows(query), found::digest(&found.windows));
        found.windows
    }

    /// The position as of which windows were read, where they were.
    pub(crate) fn windows_as_of(&self) -> Option<u64> {
        self.windows_as_of.lock().ok().and_then(|as_of| *as_of)
    }

    /// Who has the requester's last record of a workflow.
    pub(crate) fn last_assignee(
        &self,
        workflow: &WorkflowId,
        requester: &PersonId,
        aside: &RecordId,
    ) -> Option<PersonId> {
        let assignee = self.directory.last_assignee(workflow, requester, aside);
        let assignee = self.kept(assignee)?;
        let digest = assignee.as_ref().and_then(found::digest);
        self.note(found::last_assignee(workflow, requester), digest);
        assignee
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

    /// Keeps why something else that was read cannot be relied on.
    pub(crate) fn kept<T>(&self, result: Result<T, StoreError>) -> Option<T> {
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
