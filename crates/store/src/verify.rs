//! Checking everything that is stored: that each record is what its journal says, and that the
//! journal is whole. It reads in short steps, and may run while others write.

use engine::port::StoreError;
use model::Digest;
use model::id::RecordId;
use model::journal::{Entry, entry_hash};
use model::record::Record;
use redb::{ReadTransaction, ReadableTable};

use crate::bytes::RecordKey;
use crate::open::RedbStore;
use crate::reads::positions;
use crate::truth::{JOURNAL, JournalRow, RECORDS, RecordRow, failed, last_position, read_entry};

const DOING: &str = "verifying the store";
/// Records, or rows of the journal, looked at in one snapshot.
const STEP: usize = 500;
/// A report says at most so many problems in words.
const SAID: usize = 100;

/// What was found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct VerifyReport {
    /// How many records were folded.
    pub records: u64,
    /// How many entries they have.
    pub entries: u64,
    /// The last position of the journal.
    pub position: u64,
    /// What is wrong; the first hundred of it.
    pub problems: Vec<Problem>,
    /// How much is wrong.
    pub problem_count: u64,
}

/// Something that is not as it should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// With which record, where it is with one.
    pub record: Option<RecordId>,
    /// What, for people.
    pub what: String,
}

impl VerifyReport {
    fn problem(&mut self, record: Option<&RecordId>, what: String) {
        self.problem_count += 1;
        if self.problems.len() < SAID {
            let record = record.cloned();
            self.problems.push(Problem { record, what });
        }
    }
}

/// Applies an entry: what the record was, its id, the entry, and its stored form.
pub type Fold<'a> = &'a dyn Fn(Option<Record>, &RecordId, &Entry, &[u8]) -> Result<Record, String>;

impl RedbStore {
    /// Folds the journal of every record with `fold`, and holds the outcome against what is stored:
    /// the state, the chain of hashes, versions and positions without a gap.
    ///
    /// # Errors
    ///
    /// What kept the store from being read at all; what is wrong with its content is in the report.
    pub fn verify(&self, fold: Fold<'_>) -> Result<VerifyReport, StoreError> {
        let mut report = VerifyReport::default();
        let in_journal = self.verify_journal(&mut report)?;
        let mut after: Option<Vec<u8>> = None;
        loop {
            let last =
                self.truth(|reading| verify_records(reading, after.as_deref(), fold, &mut report))?;
            if last.is_none() {
                break;
            }
            after = last;
        }
        // Entries that were added meanwhile are counted with their record alone, those of a record
        // that is wrong are not counted.
        let added = self.shared.position() - report.position;
        if report.problem_count == 0 && !(in_journal..=in_journal + added).contains(&report.entries)
        {
            let what = format!(
                "the journal holds {in_journal} entries of records, the records lead to {}",
                report.entries
            );
            report.problem(None, what);
        }
        Ok(report)
    }

    /// Reads the journal from end to end; how many entries of records it has.
    fn verify_journal(&self, report: &mut VerifyReport) -> Result<u64, StoreError> {
        let until = self
            .truth(|reading| last_position(&reading.open_table(JOURNAL).map_err(failed(DOING))?))?;
        report.position = until;
        let mut entries = 0;
        let mut expected = 1;
        while expected <= until {
            expected = self.truth(|reading| {
                let journal = reading.open_table(JOURNAL).map_err(failed(DOING))?;
                let rows = journal.range(expected..=until).map_err(failed(DOING))?;
                let mut next = expected;
                for row in rows.take(STEP) {
                    let (position, row) = row.map_err(failed(DOING))?;
                    let position = position.value();
                    if position != next {
                        report.problem(
                            None,
                            format!("the journal lacks {next} to {}", position - 1),
                        );
                    }
                    match JournalRow::read(row.value()) {
                        Ok(JournalRow::Record { .. }) => entries += 1,
                        Ok(row @ JournalRow::Other { .. }) => {
                            if let Err(error) = row.item() {
                                report.problem(None, format!("position {position}: {error}"));
                            }
                        }
                        Err(error) => report.problem(None, format!("position {position}: {error}")),
                    }
                    next = position + 1;
                }
                Ok(if next == expected { until + 1 } else { next })
            })?;
        }
        Ok(entries)
    }
}

/// Verifies some records after a key; the last of them, where there may be more.
fn verify_records(
    reading: &ReadTransaction,
    after: Option<&[u8]>,
    fold: Fold<'_>,
    report: &mut VerifyReport,
) -> Result<Option<Vec<u8>>, StoreError> {
    use std::ops::Bound::{Excluded, Unbounded};
    let records = reading.open_table(RECORDS).map_err(failed(DOING))?;
    let journal = reading.open_table(JOURNAL).map_err(failed(DOING))?;
    let first = after.map_or(Unbounded, Excluded);
    let rows = records
        .range::<&[u8]>((first, Unbounded))
        .map_err(failed(DOING))?;
    let mut last = None;
    for row in rows.take(STEP) {
        let (key, row) = row.map_err(failed(DOING))?;
        let id = RecordKey::id(key.value())?;
        report.records += 1;
        match verify_record(&id, row.value(), &journal, fold) {
            Ok(entries) => report.entries += entries,
            Err(what) => report.problem(Some(&id), what),
        }
        last = Some(key.value().to_vec());
    }
    Ok(last)
}

/// How many entries a record has, or what is wrong with it.
fn verify_record(
    id: &RecordId,
    row: &[u8],
    journal: &impl ReadableTable<u64, &'static [u8]>,
    fold: Fold<'_>,
) -> Result<u64, String> {
    let said = |error: StoreError| error.to_string();
    let row = RecordRow::read(row).map_err(said)?;
    let stored = row.record().map_err(said)?;
    if stored.id != *id || stored.version != row.version {
        return Err("its row and its content do not agree on what it is".to_owned());
    }
    let key = RecordKey::new(id);
    let mut folded = None;
    let mut before = (0, Digest::default());
    let mut version = 0;
    for position in positions(journal, &row, 0, usize::MAX).map_err(said)? {
        version += 1;
        let entry_row = journal.get(position).map_err(failed(DOING)).map_err(said)?;
        let entry_row = entry_row.ok_or("an entry is missing")?;
        let JournalRow::Record {
            key: of,
            previous,
            entry: encoded,
            ..
        } = JournalRow::read(entry_row.value()).map_err(said)?
        else {
            return Err(format!("position {position} is no entry of a record"));
        };
        let entry = read_entry(encoded).map_err(said)?;
        if of != key.as_slice() {
            return Err(format!("position {position} is of another record"));
        }
        if previous != before.0 || entry.version != version {
            return Err(format!("version {version} does not follow the one before"));
        }
        if entry.previous != before.1 {
            return Err(format!(
                "version {version} carries another hash than the entry before has"
            ));
        }
        before = (position, entry_hash(id, encoded));
        folded = Some(fold(folded.take(), id, &entry, encoded)?);
    }
    if stored.head != before.1 {
        return Err("it carries another hash than its last entry has".to_owned());
    }
    if folded.as_ref() != Some(&stored) {
        return Err("its journal leads to another state than the stored one".to_owned());
    }
    Ok(version)
}
