//! A commit made ready by the thread that asks for it, so that the one that writes has little left
//! to do: every row is encoded, and how the views change is worked out.

use std::collections::BTreeSet;
use std::sync::Arc;

use engine::port::{
    Commit, DigestState, DirectoryCommit, InboxRead, RecordCommit, Remembered, StoreError,
};
use model::id::{BindingId, PersonId, RecordId};
use model::journal::Item;
use model::record::Record;
use model::{Digest, Instant};

use crate::bytes::{self, RecordKey};
use crate::contribution::{Change, Contribution, of_thing, reference_row, thing_memory};
use crate::inbox::{Told, told};
use crate::truth::{JournalRow, RecordRow, damaged, thing_key};
use crate::views::{KeyHash, key_hash};

/// A commit whose rows are ready.
pub(crate) enum Prepared {
    Record(Box<PreparedRecord>),
    Directory(PreparedDirectory),
    Configuration {
        at: Instant,
        active: Digest,
        journal: Vec<u8>,
        blobs: Vec<(Digest, Vec<u8>)>,
        signatures: Vec<(Digest, Vec<u8>)>,
    },
    Component {
        blobs: [(Digest, Vec<u8>); 1],
        signatures: Vec<(Digest, Vec<u8>)>,
    },
    Value {
        binding: BindingId,
        row: Vec<u8>,
        expected: Option<Vec<u8>>,
        value: Option<Vec<u8>>,
        quota_bytes: u64,
        quota_keys: u64,
    },
    Token {
        secret: Digest,
        token: Option<Vec<u8>>,
    },
    /// What a person has read of their inbox.
    InboxRead {
        person: PersonId,
        expected: InboxRead,
        read: Vec<u8>,
    },
    /// How far the digests of a person have come.
    Digest {
        person: PersonId,
        expected: DigestState,
        state: Vec<u8>,
    },
    /// Rows of secrets; none in the place of one takes it out.
    Secrets {
        rows: Vec<(Vec<u8>, Option<Vec<u8>>)>,
        /// The key of links; without one, what is kept stays.
        link_key: Option<Vec<u8>>,
    },
}

/// A record's step.
pub(crate) struct PreparedRecord {
    pub(crate) key: RecordKey,
    /// The version that has to be there; none where there may be no record.
    pub(crate) before: Option<u64>,
    pub(crate) record: Arc<Record>,
    pub(crate) row: Vec<u8>,
    pub(crate) journal: Vec<u8>,
    pub(crate) at: Instant,
    pub(crate) assigned: Option<PersonId>,
    pub(crate) idempotency: Option<(KeyHash, Digest)>,
    /// The rows of references that the record did not have before.
    pub(crate) references: Vec<Vec<u8>>,
    /// Who is told something by the entry.
    pub(crate) told: Vec<Told>,
    pub(crate) blobs: Vec<(Digest, Vec<u8>)>,
    pub(crate) change: Change,
    /// The position as of which planned windows were looked at.
    pub(crate) windows_as_of: Option<u64>,
    /// Whether the record has a planned window, or had one, so that others may have looked at it.
    pub(crate) has_window: bool,
}

impl PreparedRecord {
    pub(crate) fn remembered(&self, request: Digest, position: u64) -> Remembered {
        Remembered {
            request,
            record: self.record.id.clone(),
            version: self.record.version,
            position,
        }
    }
}

/// A directory change.
pub(crate) struct PreparedDirectory {
    pub(crate) at: Instant,
    pub(crate) row: Vec<u8>,
    pub(crate) thing: Option<Vec<u8>>,
    pub(crate) journal: Vec<u8>,
    pub(crate) memory_key: Vec<u8>,
    pub(crate) after: BTreeSet<Vec<u8>>,
}

impl Prepared {
    /// # Errors
    ///
    /// [`StoreError::Damaged`] where a record's version, entry and state do not belong together.
    pub(crate) fn new(commit: Commit) -> Result<Self, StoreError> {
        Ok(match commit {
            Commit::Record(commit) => Self::Record(Box::new(record(*commit)?)),
            Commit::Directory(commit) => Self::Directory(directory(commit)),
            Commit::Configuration {
                at,
                actor,
                what,
                active,
                bindings,
                blobs,
                signatures,
            } => {
                let item = Item::Configuration {
                    at,
                    actor,
                    active,
                    what,
                    bindings,
                };
                let journal = JournalRow::other(at, &item);
                Self::Configuration {
                    at,
                    active,
                    journal,
                    blobs,
                    signatures,
                }
            }
            Commit::Component {
                digest,
                component,
                signature,
            } => Self::Component {
                blobs: [(digest, component)],
                signatures: signature.map(|it| (digest, it)).into_iter().collect(),
            },
            Commit::KeyValue {
                binding,
                key,
                expected,
                value,
                quota_bytes,
                quota_keys,
            } => Self::Value {
                row: bytes::pair(binding.as_str(), key.as_bytes()),
                binding,
                expected,
                value,
                quota_bytes,
                quota_keys,
            },
            Commit::Token { secret, token } => Self::Token {
                secret,
                token: token.as_ref().map(model::journal::encode),
            },
            Commit::InboxRead {
                person,
                expected,
                read,
            } => Self::InboxRead {
                person,
                expected,
                read: model::journal::encode(&read),
            },
            Commit::Digest {
                person,
                expected,
                state,
            } => Self::Digest {
                person,
                expected,
                state: model::journal::encode(&state),
            },
            Commit::Secrets { secrets, link_key } => {
                let rows = secrets.into_iter().map(|(binding, secret, sealed)| {
                    let row = bytes::pair(binding.as_str(), secret.as_str().as_bytes());
                    (row, sealed.as_ref().map(model::journal::encode))
                });
                Self::Secrets {
                    rows: rows.collect(),
                    link_key: link_key.as_ref().map(model::journal::encode),
                }
            }
        })
    }

    /// Its row of the journal, where it has one.
    pub(crate) fn journal(&self) -> Option<&[u8]> {
        match self {
            Self::Record(record) => Some(&record.journal),
            Self::Directory(directory) => Some(&directory.journal),
            Self::Configuration { journal, .. } => Some(journal),
            Self::Component { .. }
            | Self::Value { .. }
            | Self::Token { .. }
            | Self::InboxRead { .. }
            | Self::Digest { .. }
            | Self::Secrets { .. } => None,
        }
    }

    /// When, where it has a row of the journal.
    pub(crate) fn at(&self) -> Option<Instant> {
        match self {
            Self::Record(record) => Some(record.at),
            Self::Directory(directory) => Some(directory.at),
            Self::Configuration { at, .. } => Some(*at),
            Self::Component { .. }
            | Self::Value { .. }
            | Self::Token { .. }
            | Self::InboxRead { .. }
            | Self::Digest { .. }
            | Self::Secrets { .. } => None,
        }
    }
}

fn record(commit: RecordCommit) -> Result<PreparedRecord, StoreError> {
    let RecordCommit {
        before,
        after,
        entry,
        encoded_entry,
        blobs,
        windows_as_of,
    } = commit;
    let read = before.as_ref().map(|before| before.version);
    let follows = before.as_ref().is_none_or(|before| before.id == after.id)
        && read.unwrap_or_default() + 1 == after.version
        && entry.version == after.version;
    if !follows {
        return Err(damaged(
            "a commit's entry does not lead from one state to the other",
        ));
    }
    debug_assert_eq!(
        after.head,
        model::journal::entry_hash(&after.id, &encoded_entry)
    );
    let key = RecordKey::new(&after.id);
    let was = before.as_deref().map(Contribution::of);
    let is = Contribution::of(&after);
    Ok(PreparedRecord {
        key,
        before: read,
        row: RecordRow::write(&after),
        journal: JournalRow::of_record(&key, &entry, &encoded_entry),
        at: entry.command.at,
        assigned: entry.assigned().cloned(),
        idempotency: entry
            .idempotency
            .as_ref()
            .map(|used| (key_hash(&used.key), used.request)),
        references: new_references(before.as_deref(), &after),
        told: told(&entry.events),
        blobs,
        change: Change::between(&key, was.as_ref(), &is),
        windows_as_of,
        has_window: has_window(before.as_deref()) || has_window(Some(&after)),
        record: after,
    })
}

fn has_window(record: Option<&Record>) -> bool {
    record.is_some_and(|record| record.window.is_some())
}

fn new_references(before: Option<&Record>, after: &Record) -> Vec<Vec<u8>> {
    let had = before.map_or(&[][..], |before| &before.references);
    let new = after.references.iter().filter(|named| !had.contains(named));
    new.map(|(binding, reference)| reference_row(binding, reference))
        .collect()
}

fn directory(commit: DirectoryCommit) -> PreparedDirectory {
    let DirectoryCommit { at, actor, change } = commit;
    let row = thing_key(&change.key);
    PreparedDirectory {
        at,
        thing: change.thing.as_ref().map(model::journal::encode),
        memory_key: thing_memory(&row),
        after: of_thing(&change.key, change.thing.as_ref()),
        journal: JournalRow::other(at, &Item::Directory { at, actor, change }),
        row,
    }
}

/// The prefixes and numbers of records that begin with these commits.
pub(crate) fn new_number(prepared: &Prepared) -> Option<&RecordId> {
    match prepared {
        Prepared::Record(record) if record.before.is_none() => Some(&record.record.id),
        _ => None,
    }
}
