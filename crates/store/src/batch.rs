//! A batch of commits in one write of the truth: each is checked on its own against what is stored
//! and against those before it, and fails on its own.

use std::collections::{BTreeMap, HashMap};

use engine::port::{CommitError, Remembered, StoreError};
use model::Digest;
use model::id::{BindingId, PersonId, RecordId};
use redb::{ReadableTable, Table, TableDefinition, WriteTransaction};
use serde::de::DeserializeOwned;

use crate::bytes;
use crate::inbox::of_person;
use crate::prepare::{Prepared, PreparedDirectory, PreparedRecord, new_number};
use crate::truth::{
    ACTIVE, BLOBS, COUNTERS, DIGESTS, DIRECTORY, INBOX_READ, JOURNAL, JournalRow, KEYS, LINK_KEY,
    META, RECORDS, RecordRow, SECRETS, SIGNATURES, TOKENS, VALUES, VALUES_KEYS, VALUES_USED,
    failed,
};
use crate::views::KeyHash;

const DOING: &str = "writing the truth";

/// What views know of the keys and references in a batch, and what the batch itself adds to it.
#[derive(Debug, Default)]
pub(crate) struct Known {
    pub(crate) remembered: HashMap<KeyHash, Remembered>,
    pub(crate) references: HashMap<Vec<u8>, RecordId>,
    /// The last position at which a record with a planned window changed.
    pub(crate) windows_at: u64,
}

/// What became of each commit: its position in the journal, 0 for what has none.
pub(crate) type Outcomes = Vec<Result<u64, CommitError>>;

type Bytes = &'static [u8];

/// The tables that most commits write.
struct Tables<'t> {
    writing: &'t WriteTransaction,
    records: Table<'t, Bytes, Bytes>,
    journal: Table<'t, u64, Bytes>,
    blobs: Table<'t, Bytes, Bytes>,
}

/// Writes what can be written of a batch. An error is one of the database: nothing of the batch may
/// be committed then.
pub(crate) fn apply(
    writing: &WriteTransaction,
    batch: &mut [Prepared],
    known: &mut Known,
    position: &mut u64,
) -> Result<Outcomes, StoreError> {
    let mut tables = Tables {
        writing,
        records: writing.open_table(RECORDS).map_err(failed(DOING))?,
        journal: writing.open_table(JOURNAL).map_err(failed(DOING))?,
        blobs: writing.open_table(BLOBS).map_err(failed(DOING))?,
    };
    let mut outcomes = Vec::with_capacity(batch.len());
    let mut numbers = BTreeMap::new();
    for prepared in batch.iter_mut() {
        let outcome = match prepared {
            Prepared::Record(record) => tables.record(record, known, position)?,
            Prepared::Directory(change) => Ok(tables.directory(change, position)?),
            Prepared::Configuration {
                active,
                journal,
                blobs,
                signatures,
                ..
            } => {
                tables.signatures(signatures)?;
                Ok(tables.configuration(active, journal, blobs, position)?)
            }
            Prepared::Component { blobs, signatures } => {
                tables.blobs(blobs)?;
                tables.signatures(signatures)?;
                Ok(0)
            }
            Prepared::Value { .. } => tables.value(prepared)?,
            Prepared::Token { secret, token } => {
                tables.token(secret, token.as_deref())?;
                Ok(0)
            }
            Prepared::InboxRead {
                person,
                expected,
                read,
            } => tables.of_person(INBOX_READ, person, expected, read)?,
            Prepared::Digest {
                person,
                expected,
                state,
            } => tables.of_person(DIGESTS, person, expected, state)?,
            Prepared::Secrets { rows, link_key } => {
                tables.secrets(rows)?;
                tables.link_key(link_key.as_deref())?;
                Ok(0)
            }
        };
        if let (Ok(_), Some(id)) = (&outcome, new_number(prepared)) {
            let last: &mut u64 = numbers.entry(bytes::prefix(id).to_owned()).or_default();
            *last = (*last).max(id.number());
        }
        outcomes.push(outcome);
    }
    raise_counters(writing, &numbers)?;
    Ok(outcomes)
}

fn raise_counters(
    writing: &WriteTransaction,
    numbers: &BTreeMap<String, u64>,
) -> Result<(), StoreError> {
    if numbers.is_empty() {
        return Ok(());
    }
    let mut counters = writing.open_table(COUNTERS).map_err(failed(DOING))?;
    for (prefix, number) in numbers {
        let last = counters.get(prefix.as_str()).map_err(failed(DOING))?;
        if last.is_none_or(|last| last.value() < *number) {
            counters
                .insert(prefix.as_str(), number)
                .map_err(failed(DOING))?;
        }
    }
    Ok(())
}

/// Why a record's step is not taken, where it is not.
fn refusal(
    record: &PreparedRecord,
    known: &Known,
    stored: Option<(u64, u64)>,
) -> Option<CommitError> {
    if let Some((hash, _)) = &record.idempotency
        && let Some(remembered) = known.remembered.get(hash)
    {
        return Some(CommitError::Remembered(remembered.clone()));
    }
    if stored.map(|(version, _)| version) != record.before {
        return Some(CommitError::Conflict);
    }
    if record
        .windows_as_of
        .is_some_and(|as_of| as_of < known.windows_at)
    {
        return Some(CommitError::Conflict);
    }
    let names = record.references.iter();
    let mut others = names.filter_map(|reference| known.references.get(reference));
    let other = others.find(|other| **other != record.record.id);
    other.cloned().map(CommitError::Referenced)
}

impl Tables<'_> {
    fn record(
        &mut self,
        record: &mut PreparedRecord,
        known: &mut Known,
        position: &mut u64,
    ) -> Result<Result<u64, CommitError>, StoreError> {
        let stored = self.stored(record)?;
        if let Some(refused) = refusal(record, known, stored) {
            return Ok(Err(refused));
        }
        *position += 1;
        let previous = stored.map_or(0, |(_, position)| position);
        JournalRow::set_previous(&mut record.journal, previous);
        RecordRow::set_position(&mut record.row, *position);
        self.records
            .insert(record.key.as_slice(), record.row.as_slice())
            .map_err(failed(DOING))?;
        self.append(*position, &record.journal)?;
        self.blobs(&record.blobs)?;

        if let Some((hash, request)) = record.idempotency {
            let remembered = record.remembered(request, *position);
            known.remembered.insert(hash, remembered);
        }
        for reference in &record.references {
            let id = record.record.id.clone();
            known.references.insert(reference.clone(), id);
        }
        if record.has_window {
            known.windows_at = *position;
        }
        Ok(Ok(*position))
    }

    /// The version and the last position of the record as it stands, earlier commits included.
    fn stored(&self, record: &PreparedRecord) -> Result<Option<(u64, u64)>, StoreError> {
        let row = self
            .records
            .get(record.key.as_slice())
            .map_err(failed(DOING))?;
        let Some(row) = row else { return Ok(None) };
        let row = RecordRow::read(row.value())?;
        Ok(Some((row.version, row.position)))
    }

    fn append(&mut self, position: u64, row: &[u8]) -> Result<(), StoreError> {
        self.journal.insert(position, row).map_err(failed(DOING))?;
        Ok(())
    }

    /// Content never changes under its digest: what is there is not written again.
    fn blobs(&mut self, blobs: &[(Digest, Vec<u8>)]) -> Result<(), StoreError> {
        for (digest, content) in blobs {
            let key = digest.as_bytes().as_slice();
            let present = self.blobs.get(key).map_err(failed(DOING))?.is_some();
            if !present {
                self.blobs
                    .insert(key, content.as_slice())
                    .map_err(failed(DOING))?;
            }
        }
        Ok(())
    }

    fn signatures(&self, signatures: &[(Digest, Vec<u8>)]) -> Result<(), StoreError> {
        if signatures.is_empty() {
            return Ok(());
        }
        let mut table = self.writing.open_table(SIGNATURES).map_err(failed(DOING))?;
        for (component, signature) in signatures {
            table
                .insert(component.as_bytes().as_slice(), signature.as_slice())
                .map_err(failed(DOING))?;
        }
        Ok(())
    }

    fn directory(
        &mut self,
        change: &PreparedDirectory,
        position: &mut u64,
    ) -> Result<u64, StoreError> {
        let mut things = self.writing.open_table(DIRECTORY).map_err(failed(DOING))?;
        let row = change.row.as_slice();
        match &change.thing {
            Some(thing) => things.insert(row, thing.as_slice()),
            None => things.remove(row),
        }
        .map_err(failed(DOING))?;
        *position += 1;
        self.append(*position, &change.journal)?;
        Ok(*position)
    }

    fn configuration(
        &mut self,
        active: &Digest,
        journal: &[u8],
        blobs: &[(Digest, Vec<u8>)],
        position: &mut u64,
    ) -> Result<u64, StoreError> {
        self.blobs(blobs)?;
        let mut meta = self.writing.open_table(META).map_err(failed(DOING))?;
        meta.insert(ACTIVE, active.as_bytes().as_slice())
            .map_err(failed(DOING))?;
        *position += 1;
        self.append(*position, journal)?;
        Ok(*position)
    }

    fn token(&self, secret: &Digest, token: Option<&[u8]>) -> Result<(), StoreError> {
        let mut tokens = self.writing.open_table(TOKENS).map_err(failed(DOING))?;
        let row = secret.as_bytes().as_slice();
        match token {
            Some(token) => tokens.insert(row, token),
            None => tokens.remove(row),
        }
        .map_err(failed(DOING))?;
        Ok(())
    }

    /// What is kept of a person, where it is what was expected.
    fn of_person<T: DeserializeOwned + Default + PartialEq>(
        &self,
        table: TableDefinition<'static, Bytes, Bytes>,
        person: &PersonId,
        expected: &T,
        value: &[u8],
    ) -> Result<Result<u64, CommitError>, StoreError> {
        let mut table = self.writing.open_table(table).map_err(failed(DOING))?;
        let row = person.as_str().as_bytes();
        let present: Option<T> = {
            let present = table.get(row).map_err(failed(DOING))?;
            present.map(|row| of_person(row.value())).transpose()?
        };
        if present.unwrap_or_default() != *expected {
            return Ok(Err(CommitError::Conflict));
        }
        table.insert(row, value).map_err(failed(DOING))?;
        Ok(Ok(0))
    }

    fn secrets(&self, rows: &[(Vec<u8>, Option<Vec<u8>>)]) -> Result<(), StoreError> {
        let mut secrets = self.writing.open_table(SECRETS).map_err(failed(DOING))?;
        for (row, sealed) in rows {
            match sealed {
                Some(sealed) => secrets.insert(row.as_slice(), sealed.as_slice()),
                None => secrets.remove(row.as_slice()),
            }
            .map_err(failed(DOING))?;
        }
        Ok(())
    }

    fn link_key(&self, sealed: Option<&[u8]>) -> Result<(), StoreError> {
        let Some(sealed) = sealed else { return Ok(()) };
        let mut keys = self.writing.open_table(KEYS).map_err(failed(DOING))?;
        keys.insert(LINK_KEY, sealed).map_err(failed(DOING))?;
        Ok(())
    }

    fn value(&self, prepared: &Prepared) -> Result<Result<u64, CommitError>, StoreError> {
        let Prepared::Value {
            binding,
            row,
            expected,
            value,
            quota_bytes,
            quota_keys,
        } = prepared
        else {
            unreachable!("only called with a value");
        };
        let mut values = self.writing.open_table(VALUES).map_err(failed(DOING))?;
        let present = values.get(row.as_slice()).map_err(failed(DOING))?;
        let present = present.map(|value| value.value().to_vec());
        if present != *expected {
            return Ok(Err(CommitError::Conflict));
        }
        let key_bytes = row.len() - binding.as_str().len() - 1;
        let size = |value: &Option<Vec<u8>>| {
            let bytes = value.as_ref().map_or(0, |value| key_bytes + value.len());
            bytes as u64
        };
        let (used, keys) = (self.used(binding)?, self.keys(binding, &values)?);
        let used_after = used.saturating_sub(size(&present)) + size(value);
        let keys_after =
            keys.saturating_sub(u64::from(present.is_some())) + u64::from(value.is_some());
        // What shrinks may be written even where the quota was lowered below what is kept.
        let too_large = used_after > *quota_bytes && used_after > used;
        let too_many = keys_after > *quota_keys && keys_after > keys;
        if too_large || too_many {
            return Ok(Err(CommitError::Quota));
        }
        match value {
            Some(value) => values.insert(row.as_slice(), value.as_slice()),
            None => values.remove(row.as_slice()),
        }
        .map_err(failed(DOING))?;
        for (table, number) in [(VALUES_USED, used_after), (VALUES_KEYS, keys_after)] {
            let mut table = self.writing.open_table(table).map_err(failed(DOING))?;
            table
                .insert(binding.as_str(), number)
                .map_err(failed(DOING))?;
        }
        Ok(Ok(0))
    }

    /// How many keys a binding has. A store of before did not keep count: they are counted once.
    fn keys(
        &self,
        binding: &BindingId,
        values: &Table<'_, &'static [u8], &'static [u8]>,
    ) -> Result<u64, StoreError> {
        let table = self
            .writing
            .open_table(VALUES_KEYS)
            .map_err(failed(DOING))?;
        let known = table.get(binding.as_str()).map_err(failed(DOING))?;
        if let Some(known) = known {
            return Ok(known.value());
        }
        let first = bytes::pair(binding.as_str(), &[]);
        let rows = values
            .range::<&[u8]>(first.as_slice()..)
            .map_err(failed(DOING))?;
        let mut count = 0;
        for row in rows {
            let (key, _) = row.map_err(failed(DOING))?;
            if !key.value().starts_with(&first) {
                break;
            }
            count += 1;
        }
        Ok(count)
    }

    fn used(&self, binding: &BindingId) -> Result<u64, StoreError> {
        let used = self
            .writing
            .open_table(VALUES_USED)
            .map_err(failed(DOING))?;
        let used = used.get(binding.as_str()).map_err(failed(DOING))?;
        Ok(used.map_or(0, |used| used.value()))
    }
}
