//! Bringing views up to the truth: from the journal where they are behind, from the beginning where
//! they are missing, damaged, ahead or of another store.

use std::collections::BTreeSet;
use std::path::Path;

use engine::port::{Remembered, StoreError};
use model::command::IdempotencyKey;
use model::directory::{Key, Thing};
use model::id::PersonId;
use model::journal::{Item, decode};
use model::{Duration, Instant};
use redb::{Database, Durability, ReadTransaction, ReadableDatabase, ReadableTable};
use serde::Deserialize;

use crate::bytes::RecordKey;
use crate::contribution::{Change, Contribution, of_thing, thing_memory};
use crate::inbox::told_by;
use crate::stage::Staging;
use crate::truth::{
    DIRECTORY, JOURNAL, JournalRow, RECORDS, RecordRow, StoreId, begin, damaged, failed,
    last_position, not_read, row_hash, thing_key,
};
use crate::views::{self, Followed, MEMORY, guarded, key_hash};

const DOING: &str = "bringing the views up";
/// Rows written together while views are built: enough that neighbours share their pages.
const ROWS_AT_ONCE: usize = 200_000;
/// Entries followed together by views that are behind.
const ENTRIES_AT_ONCE: usize = 10_000;

/// What views need to be brought up.
pub(crate) struct Source<'a> {
    pub(crate) truth: &'a Database,
    pub(crate) store: StoreId,
    /// Where the views lie; none where they are in memory.
    pub(crate) path: Option<&'a Path>,
    pub(crate) cache_bytes: usize,
    pub(crate) remember_for: Duration,
}

impl Source<'_> {
    /// Opens the views and brings them up, or builds them anew.
    pub(crate) fn open(&self) -> Result<(Database, Followed), StoreError> {
        if let Some((database, followed)) = views::open(self.path, self.cache_bytes)? {
            if self.belongs(&followed)? {
                match guarded(|| self.catch_up(&database, followed)) {
                    Ok(followed) => return Ok((database, followed)),
                    Err(error) => tracing::warn!(%error, "the views do not follow"),
                }
            } else {
                tracing::warn!("the views are not of this truth");
            }
        }
        self.build()
    }

    /// Whether views follow this journal: they are of this store, not ahead of it, and the row at
    /// which they stand is the one that they saw. A restored backup has another one there.
    fn belongs(&self, followed: &Followed) -> Result<bool, StoreError> {
        if followed.store != self.store {
            return Ok(false);
        }
        if followed.position == 0 {
            return Ok(true);
        }
        let reading = self.truth.begin_read().map_err(failed(DOING))?;
        let journal = reading.open_table(JOURNAL).map_err(failed(DOING))?;
        let row = journal.get(followed.position).map_err(failed(DOING))?;
        Ok(row.is_some_and(|row| row_hash(row.value()) == followed.hash))
    }

    /// Follows the journal from where views stand. What a record puts into them is taken from the
    /// record as it is now: following an entry twice, or late, comes to the same.
    fn catch_up(&self, views: &Database, mut followed: Followed) -> Result<Followed, StoreError> {
        let reading = self.truth.begin_read().map_err(failed(DOING))?;
        let journal = reading.open_table(JOURNAL).map_err(failed(DOING))?;
        let last = last_position(&journal)?;
        while followed.position < last {
            let mut staging = Staging::default();
            let mut seen = Seen::default();
            let rows = journal
                .range(followed.position + 1..)
                .map_err(failed(DOING))?;
            for row in rows.take(ENTRIES_AT_ONCE) {
                let (position, row) = row.map_err(failed(DOING))?;
                followed.position = position.value();
                followed.hash = row_hash(row.value());
                let row = JournalRow::read(row.value())?;
                followed.latest = followed.latest.max(row.at());
                self.note(followed.position, &row, followed.latest, &mut staging)?;
                seen.note(&row)?;
            }
            seen.stage(&reading, views, &mut staging)?;
            let last_part = followed.position == last;
            self.write(views, staging, Some(&followed), last_part)?;
        }
        Ok(followed)
    }

    /// Builds views from nothing.
    pub(crate) fn build(&self) -> Result<(Database, Followed), StoreError> {
        tracing::info!("building the views");
        let views = views::create(self.path, self.cache_bytes)?;
        let reading = self.truth.begin_read().map_err(failed(DOING))?;
        let mut staging = Staging::default();

        let records = reading.open_table(RECORDS).map_err(failed(DOING))?;
        for row in records.iter().map_err(failed(DOING))? {
            let (key, row) = row.map_err(failed(DOING))?;
            let record = RecordRow::read(row.value())?.record()?;
            let key = checked_key(key.value(), &record.id)?;
            let change = Change::between(&key, None, &Contribution::of(&record));
            staging.change(key.as_slice(), change);
            self.write_full(&views, &mut staging)?;
        }
        let directory = reading.open_table(DIRECTORY).map_err(failed(DOING))?;
        for row in directory.iter().map_err(failed(DOING))? {
            let (key, thing) = row.map_err(failed(DOING))?;
            let after = of_thing(
                &read_thing_key(key.value())?,
                Some(&read_thing(thing.value())?),
            );
            staging.thing(thing_memory(key.value()), &BTreeSet::new(), &after);
            self.write_full(&views, &mut staging)?;
        }
        let journal = reading.open_table(JOURNAL).map_err(failed(DOING))?;
        let mut followed = Followed::nothing(self.store);
        for row in journal.iter().map_err(failed(DOING))? {
            let (position, row) = row.map_err(failed(DOING))?;
            followed.position = position.value();
            let row = JournalRow::read(row.value())?;
            followed.latest = followed.latest.max(row.at());
            self.note(followed.position, &row, followed.latest, &mut staging)?;
            self.write_full(&views, &mut staging)?;
        }
        if let Some(row) = journal.get(followed.position).map_err(failed(DOING))? {
            followed.hash = row_hash(row.value());
        }
        self.write(&views, staging, Some(&followed), true)?;
        Ok((views, followed))
    }

    /// What an entry alone says: an idempotency key, who was given the record, and who was told what.
    fn note(
        &self,
        position: u64,
        row: &JournalRow<'_>,
        latest: Instant,
        staging: &mut Staging,
    ) -> Result<(), StoreError> {
        let JournalRow::Record {
            key,
            at,
            assigned,
            entry,
            ..
        } = row
        else {
            return Ok(());
        };
        if let Some(assigned) = assigned {
            let person = PersonId::new(assigned)
                .map_err(|error| not_read("a row of the journal", &error))?;
            staging.assigned(person, *at);
        }
        for told in told_by(entry)? {
            let (person, arrived) = told.at(position, *at, RecordKey::new(&RecordKey::id(key)?));
            staging.told(person, arrived);
        }
        if *at <= views::forgotten_until(latest, self.remember_for) {
            return Ok(());
        }
        let glance: Glance =
            decode(entry).map_err(|error| not_read("an entry of the journal", &error))?;
        if let Some(key_used) = glance.idempotency {
            let remembered = Remembered {
                request: key_used.request,
                record: RecordKey::id(key)?,
                version: glance.version,
                position,
            };
            staging.remember(&key_hash(&key_used.key), *at, &remembered);
        }
        Ok(())
    }

    /// Writes what has been staged once that is much.
    fn write_full(&self, views: &Database, staging: &mut Staging) -> Result<(), StoreError> {
        if staging.len() < ROWS_AT_ONCE {
            return Ok(());
        }
        self.write(views, std::mem::take(staging), None, false)
    }

    fn write(
        &self,
        views: &Database,
        staging: Staging,
        followed: Option<&Followed>,
        durable: bool,
    ) -> Result<(), StoreError> {
        let durability = if durable {
            Durability::Immediate
        } else {
            Durability::None
        };
        let writing = begin(views, durability)?;
        let written = staging.write(&writing, followed, self.remember_for, None)?;
        // What fell stale on the way is few, and is removed at once.
        written.remove_stale(&writing)?;
        writing.commit().map_err(failed(DOING))
    }
}

/// As much of an entry as idempotency needs.
#[derive(Deserialize)]
struct Glance {
    version: u64,
    #[serde(default)]
    idempotency: Option<IdempotencyKey>,
}

/// What entries were about, to be looked at once.
#[derive(Default)]
struct Seen {
    records: BTreeSet<Vec<u8>>,
    things: Vec<Key>,
}

impl Seen {
    fn note(&mut self, row: &JournalRow<'_>) -> Result<(), StoreError> {
        match row {
            JournalRow::Record { key, .. } => {
                self.records.insert(key.to_vec());
            }
            JournalRow::Other { .. } => {
                if let Item::Directory { change, .. } = row.item()? {
                    self.things.push(change.key);
                }
            }
        }
        Ok(())
    }

    fn stage(
        self,
        truth: &ReadTransaction,
        views: &Database,
        staging: &mut Staging,
    ) -> Result<(), StoreError> {
        let views = views.begin_read().map_err(failed(DOING))?;
        let memory = views.open_table(MEMORY).map_err(failed(DOING))?;
        let records = truth.open_table(RECORDS).map_err(failed(DOING))?;
        for key in &self.records {
            let row = records.get(key.as_slice()).map_err(failed(DOING))?;
            let row = row.ok_or_else(|| damaged("the journal names a record that is not there"))?;
            let record = RecordRow::read(row.value())?.record()?;
            let before = memory.get(key.as_slice()).map_err(failed(DOING))?;
            let before = before
                .map(|row| Contribution::read(row.value()))
                .transpose()?;
            let after = Contribution::of(&record);
            let change = Change::between(&checked_key(key, &record.id)?, before.as_ref(), &after);
            staging.change(key, change);
        }
        let directory = truth.open_table(DIRECTORY).map_err(failed(DOING))?;
        for key in self.things.into_iter().collect::<BTreeSet<_>>() {
            let row = thing_key(&key);
            let memory_key = thing_memory(&row);
            let before = memory.get(memory_key.as_slice()).map_err(failed(DOING))?;
            let before = before
                .map(|row| read_thing_memory(row.value()))
                .transpose()?
                .unwrap_or_default();
            let thing = directory.get(row.as_slice()).map_err(failed(DOING))?;
            let thing = thing.map(|row| read_thing(row.value())).transpose()?;
            staging.thing(memory_key, &before, &of_thing(&key, thing.as_ref()));
        }
        Ok(())
    }
}

fn checked_key(stored: &[u8], id: &model::id::RecordId) -> Result<RecordKey, StoreError> {
    let key = RecordKey::new(id);
    if key.as_slice() == stored {
        Ok(key)
    } else {
        Err(damaged("a record stands in the place of another"))
    }
}

fn read_thing_key(key: &[u8]) -> Result<Key, StoreError> {
    let parse = || {
        let text = std::str::from_utf8(key).ok()?;
        let (kind, id) = text.split_once('\0')?;
        Some(Key {
            kind: kind.parse().ok()?,
            id: id.parse().ok()?,
        })
    };
    parse().ok_or_else(|| damaged("the key of a thing does not read"))
}

pub(crate) fn read_thing(row: &[u8]) -> Result<Thing, StoreError> {
    decode(row).map_err(|error| not_read("a thing of the directory", &error))
}

/// The rows that a thing put into the views.
pub(crate) fn read_thing_memory(row: &[u8]) -> Result<BTreeSet<Vec<u8>>, StoreError> {
    rmp_serde::from_slice(row).map_err(|error| not_read("a row of the views", &error))
}
