//! The port: reads on snapshots, and commits handed to the writer.

use std::collections::VecDeque;
use std::sync::Arc;

use engine::port::{
    Commit, CommitError, Committed, DigestState, DueRecord, FoundThing, InboxPlace, InboxRead,
    InboxRow, ListQuery, Load, Page, Remembered, SealedSecret, Store, StoreError, TokenRecord,
    Windows, WindowsQuery,
};
use futures::future::BoxFuture;
use model::directory::{Key, Thing};
use model::id::{
    BindingId, DirectoryId, DirectoryKind, FieldId, PersonId, RecordId, RoleId, SecretId, TeamId,
    WorkflowId,
};
use model::journal::{Entry, Item, decode};
use model::record::{EffectKey, Record};
use model::{Digest, Instant, Value};
use redb::{ReadTransaction, ReadableDatabase, ReadableTable, TableDefinition};
use serde::de::DeserializeOwned;
use tokio::sync::oneshot;

use crate::bytes::{self, RecordKey, after_prefix};
use crate::contribution::{
    approval_row, dead_row, load_row, member_row, reference_row, role_row, tag,
};
use crate::follow::read_thing;
use crate::inbox;
use crate::open::RedbStore;
use crate::prepare::Prepared;
use crate::truth::{
    ACTIVE, BLOBS, DIGESTS, DIRECTORY, INBOX_READ, JOURNAL, JournalRow, KEYS, LINK_KEY, META,
    RECORDS, RecordRow, SECRETS, SIGNATURES, TOKENS, VALUES, damaged, failed, not_read, read_entry,
    thing_key,
};
use crate::views::{self, ROWS, guarded, key_hash, read_load};
use crate::windows;
use crate::writer::{Message, Waiting};

/// A call answers with at most so much, whatever it is asked for.
pub(crate) const MOST: usize = 10_000;
/// What keeping a thing costs beside what it holds; most that are asked for are not there.
const ENTRY_BYTES: usize = 64;

type Bytes = &'static [u8];

impl Store for RedbStore {
    fn is_ready(&self) -> bool {
        !self.places.is_closed() && self.shared.is_whole()
    }

    fn record(&self, id: &RecordId) -> Result<Option<Arc<Record>>, StoreError> {
        match self.shared.records.get(id) {
            Ok(record) => Ok(Some(record)),
            Err(ticket) => {
                let read = self.truth(|reading| read_record(reading, id))?;
                Ok(read.map(|(record, bytes)| {
                    self.shared.records.fill(ticket, id, record.clone(), bytes);
                    record
                }))
            }
        }
    }

    fn history(
        &self,
        id: &RecordId,
        after_version: u64,
        limit: usize,
    ) -> Result<Vec<(u64, Entry)>, StoreError> {
        self.truth(|reading| entries_of(reading, id, after_version, limit.min(MOST)))
    }

    fn journal(&self, after: u64, limit: usize) -> Result<Vec<(u64, Item)>, StoreError> {
        // What is durable and not yet answered is not shown.
        let until = self.shared.position();
        if after >= until {
            return Ok(Vec::new());
        }
        self.truth(|reading| items_after(reading, after, until, limit.min(MOST)))
    }

    fn position(&self) -> Result<u64, StoreError> {
        Ok(self.shared.position())
    }

    fn reserve_number(&self, prefix: &str) -> Result<RecordId, StoreError> {
        if !model::id::is_prefix(prefix) {
            return Err(StoreError::Failed {
                doing: "reserving a number",
                cause: "the prefix is not 2 to 8 capitals and digits".into(),
            });
        }
        let truth = self.open_truth()?;
        let number = self.shared.numbers.next(prefix, &truth)?;
        RecordId::numbered(prefix, number).map_err(|_| damaged("the numbers of a prefix ran out"))
    }

    fn remembered(&self, key: &str) -> Result<Option<Remembered>, StoreError> {
        let until = views::forgotten_until(self.shared.latest(), self.shared.remember_for);
        self.rows(|rows| views::remembered(rows, &key_hash(key), until))
    }

    fn commit(&self, commit: Commit) -> BoxFuture<'static, Result<Committed, CommitError>> {
        let prepared = Prepared::new(commit);
        let places = Arc::clone(&self.places);
        let messages = self.messages.clone();
        Box::pin(async move {
            let prepared = prepared?;
            let closed = || CommitError::Store(StoreError::Closed);
            let place = places.acquire_owned().await.map_err(|_| closed())?;
            let (reply, answer) = oneshot::channel();
            let waiting = Waiting {
                prepared,
                reply,
                place,
            };
            messages
                .send(Message::Commit(Box::new(waiting)))
                .map_err(|_| closed())?;
            answer.await.unwrap_or_else(|_| Err(closed()))
        })
    }

    fn list(&self, query: &ListQuery) -> Result<Page, StoreError> {
        self.list_records(query)
    }

    fn due(&self, until: Instant, limit: usize) -> Result<Vec<DueRecord>, StoreError> {
        self.queue(tag::DUE, until, limit)
    }

    fn effects_due(&self, until: Instant, limit: usize) -> Result<Vec<DueRecord>, StoreError> {
        self.queue(tag::EFFECT, until, limit)
    }

    fn effects_dead(
        &self,
        after: Option<(RecordId, EffectKey)>,
        limit: usize,
    ) -> Result<Vec<(RecordId, EffectKey)>, StoreError> {
        let all = dead_row(&[], None);
        let after =
            after.map(|(id, effect)| dead_row(RecordKey::new(&id).as_slice(), Some(effect)));
        self.beginning(ROWS, &all, after.as_deref(), limit, |row, _| {
            let broken = || damaged("a dead effect's row does not read");
            let (key, index) = row.split_last_chunk::<4>().ok_or_else(broken)?;
            let (key, version) = key.split_last_chunk::<8>().ok_or_else(broken)?;
            let effect = EffectKey {
                version: u64::from_be_bytes(*version),
                index: u32::from_be_bytes(*index),
            };
            Ok((RecordKey::id(key)?, effect))
        })
    }

    fn awaiting_approval(
        &self,
        after: Option<&RecordId>,
        limit: usize,
    ) -> Result<Vec<RecordId>, StoreError> {
        let after = after.map(|id| approval_row(Some(RecordKey::new(id).as_slice())));
        let all = approval_row(None);
        self.beginning(ROWS, &all, after.as_deref(), limit, |key, _| {
            RecordKey::id(key)
        })
    }

    fn by_reference(
        &self,
        binding: &BindingId,
        reference: &str,
    ) -> Result<Option<RecordId>, StoreError> {
        self.rows(|rows| {
            let row = rows
                .get(reference_row(binding, reference).as_slice())
                .map_err(failed("looking up a reference"))?;
            row.map(|row| RecordKey::id(row.value())).transpose()
        })
    }

    fn alike(
        &self,
        workflow: &WorkflowId,
        fields: &[(FieldId, Value)],
        since: Instant,
    ) -> Result<Vec<Arc<Record>>, StoreError> {
        self.records_alike(workflow, fields, since)
    }

    fn loads_of(&self, people: &[PersonId]) -> Result<Vec<Load>, StoreError> {
        self.rows(|rows| {
            let load = |person| {
                let row = rows
                    .get(load_row(person).as_slice())
                    .map_err(failed("reading the load of a person"))?;
                let load = row.map(|row| read_load(row.value())).transpose()?;
                Ok(load.unwrap_or_default())
            };
            people.iter().map(load).collect()
        })
    }

    fn windows(&self, query: &WindowsQuery) -> Result<Windows, StoreError> {
        // Read first: what is seen then is of this position at least.
        let as_of = self.shared.position();
        self.rows(|rows| windows::read(rows, query, as_of))
    }

    fn inbox(
        &self,
        person: &PersonId,
        before: Option<InboxPlace>,
        limit: usize,
    ) -> Result<Vec<InboxRow>, StoreError> {
        self.rows(|rows| inbox::read(rows, person, before, limit))
    }

    fn inbox_read(&self, person: &PersonId) -> Result<InboxRead, StoreError> {
        self.of_person(INBOX_READ, person)
    }

    fn digest(&self, person: &PersonId) -> Result<DigestState, StoreError> {
        self.of_person(DIGESTS, person)
    }

    fn thing(&self, key: &Key) -> Result<Option<Arc<FoundThing>>, StoreError> {
        let row = thing_key(key);
        match self.shared.things.get(&row) {
            Ok(thing) => Ok(thing),
            Err(ticket) => {
                let read = |holds: &[u8]| Ok((read_thing(holds)?, holds.len()));
                let (thing, bytes) = self.row(DIRECTORY, &row, read)?.unzip();
                let thing = thing.map(|thing| Arc::new(FoundThing::from(thing)));
                let bytes = ENTRY_BYTES + row.len() + bytes.unwrap_or_default();
                self.shared.things.fill(ticket, &row, thing.clone(), bytes);
                Ok(thing)
            }
        }
    }

    fn things(
        &self,
        kind: &DirectoryKind,
        after: Option<&DirectoryId>,
        limit: usize,
    ) -> Result<Vec<(DirectoryId, Thing)>, StoreError> {
        let all = bytes::pair(kind.as_str(), b"");
        let after = after.map(|id| bytes::pair(kind.as_str(), id.as_str().as_bytes()));
        self.beginning(DIRECTORY, &all, after.as_deref(), limit, |id, thing| {
            Ok((text(id)?.parse().map_err(|_| no_id())?, read_thing(thing)?))
        })
    }

    fn people_with_role(&self, role: &RoleId) -> Result<Vec<PersonId>, StoreError> {
        let all = role_row(role.as_str(), None);
        self.beginning(ROWS, &all, None, MOST, |person, _| {
            text(person)?.parse().map_err(|_| no_id())
        })
    }

    fn teams_of(&self, person: &PersonId) -> Result<Vec<TeamId>, StoreError> {
        let all = member_row(person.as_str(), None);
        self.beginning(ROWS, &all, None, MOST, |team, _| {
            text(team)?.parse().map_err(|_| no_id())
        })
    }

    fn blob(&self, digest: &Digest) -> Result<Option<Vec<u8>>, StoreError> {
        self.row(BLOBS, digest.as_bytes(), |row| Ok(row.to_vec()))
    }

    fn signature(&self, component: &Digest) -> Result<Option<Vec<u8>>, StoreError> {
        self.truth(|reading| {
            let doing = "reading a signature";
            let table = match reading.open_table(SIGNATURES) {
                Ok(table) => table,
                Err(redb::TableError::TableDoesNotExist(_)) => return Ok(None),
                Err(error) => return Err(failed(doing)(error)),
            };
            let row = table.get(component.as_bytes().as_slice());
            let row = row.map_err(failed(doing))?;
            Ok(row.map(|row| row.value().to_vec()))
        })
    }

    fn active(&self) -> Result<Option<Digest>, StoreError> {
        self.truth(read_active)
    }

    fn key_value(&self, binding: &BindingId, key: &str) -> Result<Option<Vec<u8>>, StoreError> {
        let row = bytes::pair(binding.as_str(), key.as_bytes());
        self.row(VALUES, &row, |value| Ok(value.to_vec()))
    }

    fn keys(
        &self,
        binding: &BindingId,
        prefix: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<String>, StoreError> {
        let all = bytes::pair(binding.as_str(), prefix.as_bytes());
        let after = after.map(|key| bytes::pair(binding.as_str(), key.as_bytes()));
        self.beginning(VALUES, &all, after.as_deref(), limit, |rest, _| {
            Ok(format!("{prefix}{}", text(rest)?))
        })
    }

    fn token(&self, secret: &Digest) -> Result<Option<TokenRecord>, StoreError> {
        self.row(TOKENS, secret.as_bytes(), |row| {
            decode(row).map_err(|error| not_read("a token", &error))
        })
    }

    fn sealed_secret(
        &self,
        binding: &BindingId,
        secret: &SecretId,
    ) -> Result<Option<SealedSecret>, StoreError> {
        let row = bytes::pair(binding.as_str(), secret.as_str().as_bytes());
        self.secrets(|secrets| {
            let found = secrets.get(row.as_slice()).map_err(failed(SECRETS_READ))?;
            found.map(|row| sealed(row.value())).transpose()
        })
        .map(Option::flatten)
    }

    fn sealed_secrets(
        &self,
        after: Option<(&BindingId, &SecretId)>,
        limit: usize,
    ) -> Result<Vec<(BindingId, SecretId, SealedSecret)>, StoreError> {
        use std::ops::Bound::{Excluded, Unbounded};
        let after = after
            .map(|(binding, secret)| bytes::pair(binding.as_str(), secret.as_str().as_bytes()));
        let first = after.as_deref().map_or(Unbounded, Excluded);
        let found = self.secrets(|secrets| {
            let rows = secrets
                .range::<&[u8]>((first, Unbounded))
                .map_err(failed(SECRETS_READ))?;
            let rows = rows.take(limit.min(MOST)).map(|row| {
                let (key, holds) = row.map_err(failed(SECRETS_READ))?;
                let (binding, secret) = secret_key(key.value())?;
                Ok((binding, secret, sealed(holds.value())?))
            });
            rows.collect::<Result<Vec<_>, StoreError>>()
        });
        Ok(found?.unwrap_or_default())
    }

    fn sealed_link_key(&self) -> Result<Option<SealedSecret>, StoreError> {
        let found = self.kept_later(KEYS, SECRETS_READ, |keys| {
            let found = keys.get(LINK_KEY).map_err(failed(SECRETS_READ))?;
            found.map(|row| sealed(row.value())).transpose()
        });
        found.map(Option::flatten)
    }
}

const SECRETS_READ: &str = "reading secrets";
const OF_PERSON_READ: &str = "reading what is kept of a person";

fn sealed(row: &[u8]) -> Result<SealedSecret, StoreError> {
    decode(row).map_err(|error| not_read("a secret", &error))
}

/// Whose secret stands under a key, and which.
fn secret_key(key: &[u8]) -> Result<(BindingId, SecretId), StoreError> {
    let parts = std::str::from_utf8(key).ok().and_then(|key| {
        let (binding, secret) = key.split_once('\0')?;
        Some((BindingId::new(binding).ok()?, SecretId::new(secret).ok()?))
    });
    parts.ok_or_else(|| damaged("the key of a secret does not read"))
}

/// What the reads are made of.
impl RedbStore {
    fn open_truth(&self) -> Result<Arc<redb::Database>, StoreError> {
        self.shared
            .truth()
            .map_err(|error| self.unless_closed(error))
    }

    fn unless_closed(&self, error: StoreError) -> StoreError {
        if self.places.is_closed() {
            StoreError::Closed
        } else {
            error
        }
    }

    /// Reads one snapshot of the truth.
    pub(crate) fn truth<T>(
        &self,
        read: impl FnOnce(&ReadTransaction) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let truth = self.open_truth()?;
        guarded(|| {
            let reading = truth.begin_read().map_err(failed("reading the truth"))?;
            read(&reading)
        })
    }

    /// Reads one snapshot of the views. Views that do not read are built anew by the writer.
    pub(crate) fn views<T>(
        &self,
        read: impl FnOnce(&ReadTransaction) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let views = self
            .shared
            .views()
            .map_err(|error| self.unless_closed(error))?;
        let result = guarded(|| {
            let reading = views.begin_read().map_err(failed("reading the views"))?;
            read(&reading)
        });
        if result.is_err() {
            let damaged = Message::ViewsDamaged(Arc::downgrade(&views));
            // Where the writer is gone, the store is being closed.
            let _ = self.messages.send(damaged);
        }
        result
    }

    fn rows<T>(
        &self,
        read: impl FnOnce(&redb::ReadOnlyTable<Bytes, Bytes>) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        self.views(|reading| {
            let rows = reading
                .open_table(ROWS)
                .map_err(failed("reading the views"))?;
            read(&rows)
        })
    }

    /// Reads secrets; none where there is no table for them yet.
    fn secrets<T>(
        &self,
        read: impl FnOnce(&redb::ReadOnlyTable<Bytes, Bytes>) -> Result<T, StoreError>,
    ) -> Result<Option<T>, StoreError> {
        self.kept_later(SECRETS, SECRETS_READ, read)
    }

    /// What is kept of a person; what it is by default where that is nothing.
    fn of_person<T: DeserializeOwned + Default>(
        &self,
        table: TableDefinition<Bytes, Bytes>,
        person: &PersonId,
    ) -> Result<T, StoreError> {
        let row = person.as_str().as_bytes();
        let read = self.kept_later(table, OF_PERSON_READ, |table| {
            let found = table.get(row).map_err(failed(OF_PERSON_READ))?;
            found.map(|row| inbox::of_person(row.value())).transpose()
        });
        Ok(read?.flatten().unwrap_or_default())
    }

    /// Reads a table that stores of before lack; none where it is not there yet.
    fn kept_later<T>(
        &self,
        table: TableDefinition<Bytes, Bytes>,
        doing: &'static str,
        read: impl FnOnce(&redb::ReadOnlyTable<Bytes, Bytes>) -> Result<T, StoreError>,
    ) -> Result<Option<T>, StoreError> {
        self.truth(|reading| match reading.open_table(table) {
            Ok(table) => read(&table).map(Some),
            Err(redb::TableError::TableDoesNotExist(_)) => Ok(None),
            Err(error) => Err(failed(doing)(error)),
        })
    }

    /// One row of the truth.
    fn row<T>(
        &self,
        table: TableDefinition<Bytes, Bytes>,
        key: &[u8],
        read: impl FnOnce(&[u8]) -> Result<T, StoreError>,
    ) -> Result<Option<T>, StoreError> {
        self.truth(|reading| {
            let doing = "reading the truth";
            let table = reading.open_table(table).map_err(failed(doing))?;
            let row = table.get(key).map_err(failed(doing))?;
            row.map(|row| read(row.value())).transpose()
        })
    }

    /// Rows whose key begins so, after one of them; `read` is given what follows the beginning, and
    /// what the row holds.
    fn beginning<T>(
        &self,
        table: TableDefinition<Bytes, Bytes>,
        prefix: &[u8],
        after: Option<&[u8]>,
        limit: usize,
        read: impl Fn(&[u8], &[u8]) -> Result<T, StoreError>,
    ) -> Result<Vec<T>, StoreError> {
        use redb::TableHandle;
        use std::ops::Bound::{Excluded, Included, Unbounded};
        let doing = "reading rows in order";
        let scan = |reading: &ReadTransaction| {
            let table = reading.open_table(table).map_err(failed(doing))?;
            let end = after_prefix(prefix);
            let first = match after {
                Some(after) if after >= prefix => Excluded(after),
                _ => Included(prefix),
            };
            let last = end.as_deref().map_or(Unbounded, Excluded);
            // A range that begins at its end, or after it, is none.
            if let (Excluded(first), Some(last)) = (first, &end)
                && first >= last.as_slice()
            {
                return Ok(Vec::new());
            }
            let rows = table.range::<&[u8]>((first, last)).map_err(failed(doing))?;
            let mut found = Vec::new();
            for row in rows.take(limit.min(MOST)) {
                let (key, holds) = row.map_err(failed(doing))?;
                found.push(read(&key.value()[prefix.len()..], holds.value())?);
            }
            Ok(found)
        };
        if table.name() == ROWS.name() {
            self.views(scan)
        } else {
            self.truth(scan)
        }
    }

    fn queue(&self, tag: u8, until: Instant, limit: usize) -> Result<Vec<DueRecord>, StoreError> {
        let doing = "reading what is due";
        let mut last = vec![tag];
        last.extend_from_slice(&bytes::instant(until));
        last.push(u8::MAX);
        self.rows(|rows| {
            let rows = rows
                .range([tag].as_slice()..=last.as_slice())
                .map_err(failed(doing))?;
            let mut found = Vec::new();
            for row in rows.take(limit.min(MOST)) {
                let (row, _) = row.map_err(failed(doing))?;
                let (at, key) = row.value()[1..]
                    .split_at_checked(8)
                    .ok_or_else(|| damaged("a row of a queue does not read"))?;
                found.push(DueRecord {
                    due: bytes::read_instant(at)?,
                    record: RecordKey::id(key)?,
                });
            }
            Ok(found)
        })
    }
}

/// Reads a record's entries after a version from a snapshot of the truth, oldest first, each with its
/// position.
pub(crate) fn entries_of(
    reading: &ReadTransaction,
    id: &RecordId,
    after_version: u64,
    limit: usize,
) -> Result<Vec<(u64, Entry)>, StoreError> {
    let doing = "reading a history";
    let records = reading.open_table(RECORDS).map_err(failed(doing))?;
    let journal = reading.open_table(JOURNAL).map_err(failed(doing))?;
    let key = RecordKey::new(id);
    let Some(row) = records.get(key.as_slice()).map_err(failed(doing))? else {
        return Ok(Vec::new());
    };
    let row = RecordRow::read(row.value())?;
    let positions = positions(&journal, &row, after_version, limit)?;
    let entry = |position| {
        let row = journal.get(position).map_err(failed(doing))?;
        let row = row.ok_or_else(missing)?;
        match JournalRow::read(row.value())? {
            JournalRow::Record { entry, .. } => Ok((position, read_entry(entry)?)),
            JournalRow::Other { .. } => Err(missing()),
        }
    };
    positions.into_iter().map(entry).collect()
}

/// Reads what a snapshot of the truth holds in its journal after a position and up to another one.
pub(crate) fn items_after(
    reading: &ReadTransaction,
    after: u64,
    until: u64,
    limit: usize,
) -> Result<Vec<(u64, Item)>, StoreError> {
    let doing = "reading the journal";
    let journal = reading.open_table(JOURNAL).map_err(failed(doing))?;
    let rows = journal.range(after + 1..=until).map_err(failed(doing))?;
    let item = |row: Result<_, _>| {
        let (position, row): (redb::AccessGuard<'_, u64>, redb::AccessGuard<'_, Bytes>) =
            row.map_err(failed(doing))?;
        Ok((position.value(), JournalRow::read(row.value())?.item()?))
    };
    rows.take(limit).map(item).collect()
}

/// Reads the digest of the configuration in force from a snapshot of the truth.
pub(crate) fn read_active(reading: &ReadTransaction) -> Result<Option<Digest>, StoreError> {
    let doing = "reading the configuration in force";
    let meta = reading.open_table(META).map_err(failed(doing))?;
    let Some(row) = meta.get(ACTIVE).map_err(failed(doing))? else {
        return Ok(None);
    };
    let digest = row.value().try_into();
    let digest = digest.map_err(|_| damaged("the configuration in force does not read"))?;
    Ok(Some(Digest::from_bytes(digest)))
}

/// Reads a record from a snapshot of the truth, and says how large it is there.
pub(crate) fn read_record(
    reading: &ReadTransaction,
    id: &RecordId,
) -> Result<Option<(Arc<Record>, usize)>, StoreError> {
    let doing = "reading a record";
    let records = reading.open_table(RECORDS).map_err(failed(doing))?;
    let key = RecordKey::new(id);
    let Some(row) = records.get(key.as_slice()).map_err(failed(doing))? else {
        return Ok(None);
    };
    let record = RecordRow::read(row.value())?.record()?;
    Ok(Some((Arc::new(record), row.value().len())))
}

/// The positions of a record's entries after a version, oldest first. The journal leads backwards,
/// so that those that are not asked for are passed on the way.
pub(crate) fn positions(
    journal: &impl ReadableTable<u64, Bytes>,
    row: &RecordRow<'_>,
    after_version: u64,
    limit: usize,
) -> Result<VecDeque<u64>, StoreError> {
    let mut positions = VecDeque::new();
    let (mut version, mut position) = (row.version, row.position);
    while version > after_version {
        positions.push_front(position);
        positions.truncate(limit);
        let entry = journal
            .get(position)
            .map_err(failed("reading a history"))?
            .ok_or_else(missing)?;
        let JournalRow::Record { previous, .. } = JournalRow::read(entry.value())? else {
            return Err(missing());
        };
        // Every step leads to an earlier entry, so that a damaged one cannot lead in circles.
        if previous >= position {
            return Err(missing());
        }
        version -= 1;
        position = previous;
    }
    Ok(positions)
}

fn missing() -> StoreError {
    damaged("the journal lacks an entry of a record")
}

fn text(bytes: &[u8]) -> Result<&str, StoreError> {
    std::str::from_utf8(bytes).map_err(|_| no_id())
}

fn no_id() -> StoreError {
    damaged("an id in a key does not read")
}
