//! What follows from the truth: the file `views.redb`, which may be thrown away at any time.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use engine::port::{Remembered, StoreError};
use model::{Digest, Duration, Instant};
use redb::backends::InMemoryBackend;
use redb::{Database, ReadableTable, TableDefinition};

use crate::bytes::{self, RecordKey};
use crate::contribution::tag;
use crate::truth::{StoreId, damaged, failed};

type Bytes = &'static [u8];

/// Rows of indexes and queues, each kind with its tag before it.
pub(crate) const ROWS: TableDefinition<Bytes, Bytes> = TableDefinition::new("rows");
/// What each record and thing put into [`ROWS`].
pub(crate) const MEMORY: TableDefinition<Bytes, Bytes> = TableDefinition::new("memory");
/// One row: how far the views have followed.
pub(crate) const FOLLOWED: TableDefinition<u8, Bytes> = TableDefinition::new("followed");

/// Raised with every change of the rows: views of another form are built anew.
const FORM: u8 = 3;

/// How far views have followed which journal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Followed {
    pub(crate) store: StoreId,
    /// The position of the last entry that they show.
    pub(crate) position: u64,
    /// The hash of that row of the journal.
    pub(crate) hash: Digest,
    /// The latest instant of any entry, by which idempotency keys are forgotten.
    pub(crate) latest: Instant,
}

impl Followed {
    /// Where views begin.
    pub(crate) fn nothing(store: StoreId) -> Self {
        Self {
            store,
            position: 0,
            hash: Digest::default(),
            latest: Instant::from_millis(i64::MIN),
        }
    }

    pub(crate) fn write(&self) -> Vec<u8> {
        let mut row = vec![FORM];
        row.extend_from_slice(&self.store);
        row.extend_from_slice(&self.position.to_le_bytes());
        row.extend_from_slice(self.hash.as_bytes());
        row.extend_from_slice(&bytes::instant(self.latest));
        row
    }

    fn read(row: &[u8]) -> Option<Self> {
        let (form, row) = row.split_first()?;
        let (store, row) = row.split_first_chunk()?;
        let (position, row) = row.split_first_chunk()?;
        let (hash, row) = row.split_first_chunk()?;
        if *form != FORM {
            return None;
        }
        Some(Self {
            store: *store,
            position: u64::from_le_bytes(*position),
            hash: Digest::from_bytes(*hash),
            latest: bytes::read_instant(row).ok()?,
        })
    }
}

/// Makes empty views, in place of whatever is there; in memory where there is no path.
pub(crate) fn create(path: Option<&Path>, cache_bytes: usize) -> Result<Database, StoreError> {
    let doing = "making the views";
    let database = match path {
        Some(path) => create_file(path, cache_bytes)?,
        None => redb::Builder::new()
            .set_cache_size(cache_bytes)
            .create_with_backend(InMemoryBackend::new())
            .map_err(failed(doing))?,
    };
    let writing = crate::truth::begin(&database, redb::Durability::None)?;
    for table in [ROWS, MEMORY] {
        writing.open_table(table).map_err(failed(doing))?;
    }
    writing.open_table(FOLLOWED).map_err(failed(doing))?;
    writing.commit().map_err(failed(doing))?;
    Ok(database)
}

fn create_file(path: &Path, cache_bytes: usize) -> Result<Database, StoreError> {
    let doing = "making the views";
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            return Err(failed::<redb::Error>(doing)(redb::Error::Io(error)));
        }
        _ => {}
    }
    let database = redb::Builder::new()
        .set_cache_size(cache_bytes)
        .create(path)
        .map_err(failed(doing))?;
    crate::truth::keep_private(path)
        .map_err(|error| failed::<redb::Error>(doing)(redb::Error::Io(error)))?;
    Ok(database)
}

/// Opens views and says how far they followed. None where there are none that can be used: absent,
/// damaged, of another form, or cut off while they were being built.
///
/// The database answers some damage with a panic, which is caught here as it is in [`guarded`].
pub(crate) fn open(
    path: Option<&Path>,
    cache_bytes: usize,
) -> Result<Option<(Database, Followed)>, StoreError> {
    let Some(path) = path.filter(|path| path.exists()) else {
        return Ok(None);
    };
    let opened = guarded(|| {
        let database = redb::Builder::new()
            .set_cache_size(cache_bytes)
            .open(path)
            .map_err(failed("opening the views"))?;
        let followed = followed(&database)?;
        Ok((database, followed))
    });
    match opened {
        Ok((database, Some(followed))) => Ok(Some((database, followed))),
        Ok((_, None)) => Ok(None),
        Err(StoreError::InUse) => Err(StoreError::InUse),
        Err(error) => {
            tracing::warn!(%error, "the views do not open");
            Ok(None)
        }
    }
}

fn followed(database: &Database) -> Result<Option<Followed>, StoreError> {
    use redb::ReadableDatabase;
    let doing = "reading how far the views followed";
    let reading = database.begin_read().map_err(failed(doing))?;
    let table = match reading.open_table(FOLLOWED) {
        Err(redb::TableError::TableDoesNotExist(_)) => return Ok(None),
        table => table.map_err(failed(doing))?,
    };
    let row = table.get(0).map_err(failed(doing))?;
    Ok(row.and_then(|row| Followed::read(row.value())))
}

/// Runs what reads or writes a file that may be damaged, and makes a panic of the database an error.
pub(crate) fn guarded<T>(work: impl FnOnce() -> Result<T, StoreError>) -> Result<T, StoreError> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|panic| {
        let message = panic
            .downcast_ref::<String>()
            .map(String::as_str)
            .or_else(|| panic.downcast_ref::<&str>().copied());
        Err(damaged(message.unwrap_or("the database panicked")))
    })
}

/// The hash under which an idempotency key is kept: keys may be long.
pub(crate) type KeyHash = [u8; 16];

pub(crate) fn key_hash(key: &str) -> KeyHash {
    let digest = Digest::of(key.as_bytes());
    let (hash, _) = digest
        .as_bytes()
        .split_first_chunk()
        .expect("a digest has 32 bytes");
    *hash
}

/// The row of an idempotency key.
pub(crate) fn remembered_row(hash: &KeyHash) -> Vec<u8> {
    let mut row = vec![tag::REMEMBERED];
    row.extend_from_slice(hash);
    row
}

/// The row that says when an idempotency key was used.
pub(crate) fn remembered_at_row(at: Instant, hash: &KeyHash) -> Vec<u8> {
    let mut row = vec![tag::REMEMBERED_AT];
    row.extend_from_slice(&bytes::instant(at));
    row.extend_from_slice(hash);
    row
}

/// What the row of an idempotency key holds, and when the key was used.
pub(crate) fn write_remembered(at: Instant, remembered: &Remembered) -> Vec<u8> {
    let mut row = Vec::with_capacity(8 + 32 + 16 + 16);
    row.extend_from_slice(&bytes::instant(at));
    row.extend_from_slice(remembered.request.as_bytes());
    row.extend_from_slice(&remembered.version.to_le_bytes());
    row.extend_from_slice(&remembered.position.to_le_bytes());
    row.extend_from_slice(RecordKey::new(&remembered.record).as_slice());
    row
}

pub(crate) fn read_remembered(row: &[u8]) -> Result<(Instant, Remembered), StoreError> {
    let parse = || {
        let (at, row) = row.split_at_checked(8)?;
        let (request, row) = row.split_first_chunk()?;
        let (version, row) = row.split_first_chunk()?;
        let (position, key) = row.split_first_chunk()?;
        let remembered = Remembered {
            request: Digest::from_bytes(*request),
            record: RecordKey::id(key).ok()?,
            version: u64::from_le_bytes(*version),
            position: u64::from_le_bytes(*position),
        };
        Some((bytes::read_instant(at).ok()?, remembered))
    };
    parse().ok_or_else(|| damaged("an idempotency key does not read"))
}

/// The last instant whose idempotency keys are forgotten, when the latest entry is of this instant.
pub(crate) fn forgotten_until(latest: Instant, remember_for: Duration) -> Instant {
    let span = i64::try_from(remember_for.millis()).unwrap_or(i64::MAX);
    Instant::from_millis(latest.millis().saturating_sub(span))
}

/// What was done under an idempotency key, unless that is so long ago that it is forgotten.
pub(crate) fn remembered(
    rows: &impl ReadableTable<Bytes, Bytes>,
    hash: &KeyHash,
    forgotten_until: Instant,
) -> Result<Option<Remembered>, StoreError> {
    let row = rows
        .get(remembered_row(hash).as_slice())
        .map_err(failed("looking up an idempotency key"))?;
    let Some(row) = row else { return Ok(None) };
    let (at, remembered) = read_remembered(row.value())?;
    Ok((at > forgotten_until).then_some(remembered))
}

/// How many live records a person carries, and when they were last given one.
pub(crate) fn read_load(row: &[u8]) -> Result<(u32, Option<Instant>), StoreError> {
    let parse = || {
        let (count, last) = row.split_first_chunk()?;
        let last = match last {
            [] => None,
            last => Some(bytes::read_instant(last).ok()?),
        };
        Some((u32::from_le_bytes(*count), last))
    };
    parse().ok_or_else(|| damaged("the load of a person does not read"))
}

pub(crate) fn write_load(count: u32, last: Option<Instant>) -> Vec<u8> {
    let mut row = count.to_le_bytes().to_vec();
    if let Some(last) = last {
        row.extend_from_slice(&bytes::instant(last));
    }
    row
}
