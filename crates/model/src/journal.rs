//! The journal: for every accepted command, what was asked, what was looked up and answered, and
//! what came of it. A record is the fold of its entries; each entry carries the hash of the one before.

use serde::{Deserialize, Serialize};

use crate::command::{Action, Command, IdempotencyKey};
use crate::configuration::Provenance;
use crate::definition::Grants;
use crate::directory::{Change, Key};
use crate::event::Event;
use crate::hook::{Answer, Failure, Hook};
use crate::id::{BindingId, PersonId, RecordId, RowId, TableId, TransitionId};
use crate::{Digest, Duration, Instant};

/// What is done within a second of its time is done on time.
const NOTABLE_DELAY: Duration = Duration::from_secs(1);

/// One accepted command on one record, and all that followed from it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// The record's version after it.
    pub version: u64,
    /// The hash of the record's entry before; all zeros for the first.
    pub previous: Digest,
    /// What was asked.
    pub command: Command,
    /// The key under which it was asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub idempotency: Option<IdempotencyKey>,
    /// The digest of the definitions in force: the installed set of packs.
    pub configuration: Digest,
    /// What was read beyond the record.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lookups: Vec<Lookup>,
    /// What tables and plugins answered.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub decisions: Vec<Decision>,
    /// What came of it.
    pub events: Vec<Event>,
}

impl Entry {
    /// Who was given the record by it, the last where it was given on at once.
    pub fn assigned(&self) -> Option<&PersonId> {
        self.events.iter().rev().find_map(|event| match event {
            Event::Assigned { assignee, .. } => assignee.as_ref(),
            _ => None,
        })
    }

    /// Of an entry that did what was due: when the first of it was.
    pub fn was_due(&self) -> Option<Instant> {
        match self.command.action {
            Action::Wake => self.events.iter().find_map(Event::was_due),
            _ => None,
        }
    }

    /// How much later than it was due something in this entry was done, where that is more than a
    /// second: the server was down, or busy.
    pub fn delay(&self, due: Instant) -> Option<Duration> {
        Some(self.command.at.since(due)).filter(|delay| *delay > NOTABLE_DELAY)
    }
}

/// Something that was read beyond the record.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Lookup {
    /// Where.
    pub what: LookedUp,
    /// The digest of what was found; none where nothing was.
    pub found: Option<Digest>,
}

/// Where something was looked up.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LookedUp {
    /// A thing in the directory.
    Thing(Key),
    /// Everyone with a role.
    Role(crate::id::RoleId),
    /// Another record.
    Record(RecordId),
    /// A question of a plugin to the directory, as it was put.
    Query(String),
}

/// An answer at a hook or from a table.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Decision {
    /// A decision table.
    Table {
        /// Which.
        table: TableId,
        /// The row that answered, the first where several did; none where none did.
        row: Option<RowId>,
        /// The other rows that answered.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        more: Vec<RowId>,
    },
    /// A plugin at a hook.
    Hook(HookDecision),
    /// An expression that failed, and so was not true.
    Failed {
        /// Where it stands, such as `table priority, row vip`.
        place: String,
        /// What went wrong.
        message: String,
    },
    /// A transition that the workflow took by itself.
    Automatic {
        /// Which.
        transition: TransitionId,
        /// Why.
        reason: String,
    },
}

/// What a plugin was asked and answered.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct HookDecision {
    /// The hook.
    pub hook: Hook,
    /// The binding.
    pub binding: BindingId,
    /// The component that answered.
    pub component: Option<Digest>,
    /// The digest of the question, under which it is stored.
    pub input: Digest,
    /// The answer.
    pub answer: Option<Answer>,
    /// Why there is none that counts, so that the fallback was taken.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<Failure>,
    /// How long it took, in microseconds.
    pub micros: u64,
}

/// What a position of the journal holds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Item {
    /// An entry of a record.
    Record {
        /// Which record.
        id: RecordId,
        /// The position of its entry before; 0 for the first.
        previous: u64,
        /// The entry.
        entry: Box<Entry>,
    },
    /// A change of the directory.
    Directory {
        /// When.
        at: Instant,
        /// Who.
        actor: String,
        /// What.
        change: Change,
    },
    /// A change of what is installed.
    Configuration {
        /// When.
        at: Instant,
        /// Who.
        actor: String,
        /// The digest of what is in force from now on.
        active: Digest,
        /// What was done, for people.
        what: String,
        /// The plugins that it bound.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        bindings: Vec<BoundPlugin>,
    },
}

impl Item {
    /// When it came to the journal.
    pub const fn at(&self) -> Instant {
        match self {
            Self::Record { entry, .. } => entry.command.at,
            Self::Directory { at, .. } | Self::Configuration { at, .. } => *at,
        }
    }
}

/// A plugin as an installation put it to use.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BoundPlugin {
    /// The binding.
    pub binding: BindingId,
    /// The digest of its component.
    pub component: Digest,
    /// Who vouched for the component.
    pub provenance: Provenance,
    /// What it was granted.
    pub grants: Grants,
}

/// What is stored does not read: it is damaged, or was written by something else.
#[derive(Debug, thiserror::Error)]
#[error("stored data does not read")]
pub struct DecodeError(#[source] rmp_serde::decode::Error);

/// The stored form: `MessagePack` with named fields, which old and new versions both read.
pub fn encode<T: Serialize>(value: &T) -> Vec<u8> {
    rmp_serde::to_vec_named(value).expect("plain data has no value that cannot be written")
}

/// Reads the stored form.
pub fn decode<T: serde::de::DeserializeOwned>(bytes: &[u8]) -> Result<T, DecodeError> {
    rmp_serde::from_slice(bytes).map_err(DecodeError)
}

/// The hash of an entry in its stored form, which the record's next entry carries.
pub fn entry_hash(record: &RecordId, encoded: &[u8]) -> Digest {
    Digest::of_parts(&[record.as_str().as_bytes(), encoded])
}
