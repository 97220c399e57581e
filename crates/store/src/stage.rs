//! What a batch changes in the views, collected in memory and then written in the order of the rows.

use std::collections::{BTreeMap, BTreeSet};

use engine::port::{Remembered, StoreError};
use model::id::PersonId;
use model::{Duration, Instant};
use redb::{ReadableTable, Table, WriteTransaction};

use crate::bytes;
use crate::contribution::{Change, load_row, tag};
use crate::inbox::{Arrived, Inboxes};
use crate::truth::failed;
use crate::views::{
    self, FOLLOWED, Followed, KeyHash, MEMORY, ROWS, read_load, remembered_at_row, remembered_row,
    write_load, write_remembered,
};

const DOING: &str = "writing the views";
/// So many forgotten idempotency keys are swept with a batch.
const SWEPT_KEYS: usize = 512;

/// Changes of the views, not yet written.
#[derive(Default)]
pub(crate) struct Staging {
    rows: BTreeMap<Vec<u8>, Option<Vec<u8>>>,
    stale: BTreeSet<Vec<u8>>,
    memory: BTreeMap<Vec<u8>, Option<Vec<u8>>>,
    loads: BTreeMap<PersonId, Load>,
    inboxes: Inboxes,
}

#[derive(Debug, Default)]
struct Load {
    more: i64,
    last: Option<Instant>,
}

/// Rows of lists that no longer count and still stand in the views. Readers skip them; sweeping
/// many at once costs far fewer pages than removing each as it falls.
pub(crate) type Stale = BTreeSet<Vec<u8>>;

impl Staging {
    pub(crate) fn change(&mut self, memory_key: &[u8], change: Change) {
        for row in change.stale {
            self.rows.remove(&row);
            self.stale.insert(row);
        }
        for row in change.gone {
            self.rows.insert(row, None);
        }
        for (row, holds) in change.new {
            self.stale.remove(&row);
            self.rows.insert(row, Some(holds));
        }
        for (person, more) in change.loads {
            self.loads.entry(person).or_default().more += more;
        }
        self.memory.insert(memory_key.to_vec(), Some(change.memory));
    }

    pub(crate) fn remember(&mut self, hash: &KeyHash, at: Instant, remembered: &Remembered) {
        let holds = write_remembered(at, remembered);
        self.rows.insert(remembered_row(hash), Some(holds));
        self.rows
            .insert(remembered_at_row(at, hash), Some(Vec::new()));
    }

    pub(crate) fn assigned(&mut self, person: PersonId, at: Instant) {
        self.loads.entry(person).or_default().last = Some(at);
    }

    /// What people are told by an entry comes into their inboxes.
    pub(crate) fn told(&mut self, person: PersonId, arrived: Arrived) {
        self.inboxes.add(person, arrived);
    }

    /// What a thing of the directory puts into the views, where it is other than before.
    pub(crate) fn thing(
        &mut self,
        memory_key: Vec<u8>,
        before: &BTreeSet<Vec<u8>>,
        after: &BTreeSet<Vec<u8>>,
    ) {
        for row in before.difference(after) {
            self.rows.insert(row.clone(), None);
        }
        for row in after.difference(before) {
            self.rows.insert(row.clone(), Some(Vec::new()));
        }
        let memory = (!after.is_empty())
            .then(|| rmp_serde::to_vec(after).expect("bytes can always be written"));
        self.memory.insert(memory_key, memory);
    }

    /// How many rows are waiting to be written.
    pub(crate) fn len(&self) -> usize {
        self.rows.len() + self.memory.len() + self.inboxes.len()
    }

    /// Writes everything, and how far the views have followed with it; nothing of that while they
    /// are being built. What falls stale is noted only once the caller has committed: see
    /// [`Written::settle`].
    pub(crate) fn write(
        self,
        writing: &WriteTransaction,
        followed: Option<&Followed>,
        remember_for: Duration,
        sweep: Option<&Stale>,
    ) -> Result<Written, StoreError> {
        let mut rows = writing.open_table(ROWS).map_err(failed(DOING))?;
        for row in sweep.into_iter().flatten() {
            rows.remove(row.as_slice()).map_err(failed(DOING))?;
        }
        let mut added = Vec::new();
        for (row, holds) in self.rows {
            put(&mut rows, &row, holds.as_deref())?;
            if holds.is_some() {
                added.push(row);
            }
        }
        for (person, load) in self.loads {
            add_load(&mut rows, &person, &load)?;
        }
        self.inboxes.write(&mut rows)?;
        if let Some(followed) = followed {
            let until = views::forgotten_until(followed.latest, remember_for);
            forget(&mut rows, until)?;
            let mut table = writing.open_table(FOLLOWED).map_err(failed(DOING))?;
            table
                .insert(0, followed.write().as_slice())
                .map_err(failed(DOING))?;
        }
        let mut memory = writing.open_table(MEMORY).map_err(failed(DOING))?;
        for (key, holds) in &self.memory {
            put(&mut memory, key, holds.as_deref())?;
        }
        Ok(Written {
            added,
            stale: self.stale,
            swept: sweep.is_some(),
        })
    }
}

/// What was written and is about to be committed.
#[derive(Debug)]
pub(crate) struct Written {
    added: Vec<Vec<u8>>,
    stale: BTreeSet<Vec<u8>>,
    swept: bool,
}

impl Written {
    /// Takes note of what no longer counts, once the write is committed.
    pub(crate) fn settle(self, stale: &mut Stale) {
        if self.swept {
            stale.clear();
        } else {
            for row in &self.added {
                stale.remove(row);
            }
        }
        stale.extend(self.stale);
    }

    /// Removes what no longer counts, where it is not kept for later.
    pub(crate) fn remove_stale(self, writing: &WriteTransaction) -> Result<(), StoreError> {
        let mut rows = writing.open_table(ROWS).map_err(failed(DOING))?;
        for row in &self.stale {
            put(&mut rows, row, None)?;
        }
        Ok(())
    }
}

pub(crate) type Rows<'a> = Table<'a, &'static [u8], &'static [u8]>;

pub(crate) fn put(
    table: &mut Rows<'_>,
    row: &[u8],
    holds: Option<&[u8]>,
) -> Result<(), StoreError> {
    match holds {
        Some(holds) => table.insert(row, holds).map_err(failed(DOING))?,
        None => table.remove(row).map_err(failed(DOING))?,
    };
    Ok(())
}

fn add_load(rows: &mut Rows<'_>, person: &PersonId, load: &Load) -> Result<(), StoreError> {
    let row = load_row(person);
    let present = rows.get(row.as_slice()).map_err(failed(DOING))?;
    let (count, last) = present
        .map(|row| read_load(row.value()))
        .transpose()?
        .unwrap_or_default();
    let count = u32::try_from(i64::from(count) + load.more).unwrap_or_default();
    let last = load.last.or(last);
    let holds = (count > 0 || last.is_some()).then(|| write_load(count, last));
    put(rows, &row, holds.as_deref())
}

/// Sweeps idempotency keys that are forgotten: some with each batch, so that none waits for many.
fn forget(rows: &mut Rows<'_>, until: Instant) -> Result<(), StoreError> {
    let first = [tag::REMEMBERED_AT];
    let mut last = vec![tag::REMEMBERED_AT];
    last.extend_from_slice(&bytes::instant(until));
    last.extend_from_slice(&[u8::MAX; 16]);
    let mut forgotten = Vec::new();
    for row in rows
        .range(first.as_slice()..=last.as_slice())
        .map_err(failed(DOING))?
        .take(SWEPT_KEYS)
    {
        let (row, _) = row.map_err(failed(DOING))?;
        forgotten.push(row.value().to_vec());
    }
    for row in forgotten {
        put(rows, &row, None)?;
        let mut key = vec![tag::REMEMBERED];
        key.extend_from_slice(row.get(9..).unwrap_or_default());
        // The key may have been used anew since.
        let used_then = match rows.get(key.as_slice()).map_err(failed(DOING))? {
            Some(holds) => holds.value().get(..8) == row.get(1..9),
            None => false,
        };
        if used_then {
            put(rows, &key, None)?;
        }
    }
    Ok(())
}
