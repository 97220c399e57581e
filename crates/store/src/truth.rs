//! What cannot be derived: the tables of `truth.redb` and the form of their rows.

use std::path::Path;

use engine::port::StoreError;
use model::directory::Key;
use model::id::PersonId;
use model::journal::{Entry, Item, decode};
use model::record::Record;
use model::{Digest, Instant};
use redb::backends::InMemoryBackend;
use redb::{
    Database, Durability, ReadTransaction, ReadableDatabase, ReadableTable, TableDefinition,
    WriteTransaction,
};

use crate::bytes::{self, RecordKey};

type Bytes = &'static [u8];

/// What the file says of itself: `schema`, `store` and `active`.
pub(crate) const META: TableDefinition<&str, Bytes> = TableDefinition::new("meta");
/// Records by key: [`RecordRow`].
pub(crate) const RECORDS: TableDefinition<Bytes, Bytes> = TableDefinition::new("records");
/// The journal by position: [`JournalRow`].
pub(crate) const JOURNAL: TableDefinition<u64, Bytes> = TableDefinition::new("journal");
/// The last number of each prefix.
pub(crate) const COUNTERS: TableDefinition<&str, u64> = TableDefinition::new("counters");
/// Content by digest.
pub(crate) const BLOBS: TableDefinition<Bytes, Bytes> = TableDefinition::new("blobs");
/// Signatures by the digest of the component that each is of. Files of before they were kept lack
/// the table until the first.
pub(crate) const SIGNATURES: TableDefinition<Bytes, Bytes> = TableDefinition::new("signatures");
/// Tokens by the digest of their secret.
pub(crate) const TOKENS: TableDefinition<Bytes, Bytes> = TableDefinition::new("tokens");
/// Things by kind and id.
pub(crate) const DIRECTORY: TableDefinition<Bytes, Bytes> = TableDefinition::new("directory");
/// Values by binding and key.
pub(crate) const VALUES: TableDefinition<Bytes, Bytes> = TableDefinition::new("values");
/// How many bytes of keys and values a binding keeps.
pub(crate) const VALUES_USED: TableDefinition<&str, u64> = TableDefinition::new("values-used");

/// How many keys a binding keeps; counted anew where that is not known.
pub(crate) const VALUES_KEYS: TableDefinition<&str, u64> = TableDefinition::new("values-keys");
/// Secrets by binding and name, sealed. Stores that were made before have no such table until the first
/// is set.
pub(crate) const SECRETS: TableDefinition<Bytes, Bytes> = TableDefinition::new("secrets");

/// The desk's own keys by name, sealed. Stores that were made before have no such table until the first
/// is made.
pub(crate) const KEYS: TableDefinition<Bytes, Bytes> = TableDefinition::new("keys");
/// The row in [`KEYS`] of the key that links for votes are signed with.
pub(crate) const LINK_KEY: Bytes = b"vote-links";

/// What people have read of their inboxes, by person. Stores that were made before have no such table
/// until somebody has read something.
pub(crate) const INBOX_READ: TableDefinition<Bytes, Bytes> = TableDefinition::new("inbox-read");

/// How far the digests of people have come, by person. Stores that were made before have no such table
/// until the first is kept.
pub(crate) const DIGESTS: TableDefinition<Bytes, Bytes> = TableDefinition::new("digests");

/// The form of everything in the file. A server opens what is as old as this, nothing newer.
pub(crate) const SCHEMA: u32 = 1;
/// The key in [`META`] of the configuration in force.
pub(crate) const ACTIVE: &str = "active";
const SCHEMA_KEY: &str = "schema";
const STORE_KEY: &str = "store";

/// Which store this is: drawn when it is made, so that views of another one are known as such.
pub(crate) type StoreId = [u8; 16];

/// Says what was being done when the database failed.
pub(crate) fn failed<E: Into<redb::Error>>(doing: &'static str) -> impl Fn(E) -> StoreError {
    move |error| match error.into() {
        redb::Error::Corrupted(what) => StoreError::Damaged(what),
        redb::Error::DatabaseAlreadyOpen => StoreError::InUse,
        redb::Error::Io(error) if is_full(&error) => StoreError::Full,
        cause => StoreError::Failed {
            doing,
            cause: cause.to_string().into(),
        },
    }
}

/// Whether a write was refused for want of room, before anything of it could be lost.
fn is_full(error: &std::io::Error) -> bool {
    use std::io::ErrorKind::{FileTooLarge, QuotaExceeded, StorageFull};
    matches!(error.kind(), StorageFull | QuotaExceeded | FileTooLarge)
}

/// Says that stored bytes do not read.
pub(crate) fn damaged(what: &str) -> StoreError {
    StoreError::Damaged(what.to_owned())
}

/// Opens the truth, or makes it where there is none.
pub(crate) fn open(path: &Path, cache_bytes: usize) -> Result<(Database, StoreId), StoreError> {
    if path.exists() {
        refuse_newer(path)?;
    } else {
        create(path)?;
    }
    let database = redb::Builder::new()
        .set_cache_size(cache_bytes)
        .open(path)
        .map_err(failed("opening the truth"))?;
    let id = {
        let reading = database.begin_read().map_err(failed("opening the truth"))?;
        check_schema(&reading)?;
        let meta = reading
            .open_table(META)
            .map_err(failed("opening the truth"))?;
        let id = meta.get(STORE_KEY).map_err(failed("opening the truth"))?;
        id.and_then(|id| StoreId::try_from(id.value()).ok())
            .ok_or_else(|| damaged("the truth does not say which store it is of"))?
    };
    Ok((database, id))
}

/// A file that a newer server wrote is looked at without a write. One that was not closed in order
/// cannot be, and is checked once it is repaired.
fn refuse_newer(path: &Path) -> Result<(), StoreError> {
    match redb::Builder::new()
        .set_cache_size(1 << 20)
        .open_read_only(path)
    {
        Ok(database) => {
            let reading = database
                .begin_read()
                .map_err(failed("looking at the truth"))?;
            check_schema(&reading)
        }
        Err(redb::DatabaseError::RepairAborted) => Ok(()),
        Err(error) => Err(failed("looking at the truth")(error)),
    }
}

pub(crate) fn check_schema(reading: &ReadTransaction) -> Result<(), StoreError> {
    let meta = reading
        .open_table(META)
        .map_err(failed("reading the schema of the truth"))?;
    let found = meta
        .get(SCHEMA_KEY)
        .map_err(failed("reading the schema of the truth"))?
        .and_then(|row| row.value().try_into().ok())
        .map(u32::from_le_bytes)
        .ok_or_else(|| damaged("the truth does not say of which schema it is"))?;
    if found > SCHEMA {
        return Err(StoreError::Newer {
            found,
            known: SCHEMA,
        });
    }
    Ok(())
}

/// What people wrote is for the server's own user to read.
pub(crate) fn keep_private(path: &Path) -> std::io::Result<()> {
    #[cfg(unix)]
    {
        let permissions = std::os::unix::fs::PermissionsExt::from_mode(0o600);
        std::fs::set_permissions(path, permissions)?;
    }
    #[cfg(not(unix))]
    let _ = path;
    Ok(())
}

/// Makes the file under another name first: what is called the truth is whole.
fn create(path: &Path) -> Result<(), StoreError> {
    let doing = "making the truth";
    let io = |error: std::io::Error| failed::<redb::Error>(doing)(redb::Error::Io(error));
    let draft = path.with_extension("new");
    if draft.exists() {
        std::fs::remove_file(&draft).map_err(io)?;
    }
    let mut id = StoreId::default();
    getrandom::fill(&mut id).map_err(|error| StoreError::Failed {
        doing,
        cause: error.to_string().into(),
    })?;
    let database = Database::create(&draft).map_err(failed(doing))?;
    keep_private(&draft).map_err(io)?;
    make_tables(&database, id)?;
    drop(database);
    std::fs::rename(&draft, path).map_err(io)?;
    if let Some(folder) = path.parent() {
        let folder = std::fs::File::open(folder).map_err(io)?;
        folder.sync_all().map_err(io)?;
    }
    Ok(())
}

/// A truth in memory, which is gone with the process that has it open.
pub(crate) fn in_memory(cache_bytes: usize) -> Result<(Database, StoreId), StoreError> {
    let id = StoreId::default();
    let database = redb::Builder::new()
        .set_cache_size(cache_bytes)
        .create_with_backend(InMemoryBackend::new())
        .map_err(failed("making the truth"))?;
    make_tables(&database, id)?;
    Ok((database, id))
}

fn make_tables(database: &Database, id: StoreId) -> Result<(), StoreError> {
    let doing = "making the truth";
    let writing = begin(database, Durability::Immediate)?;
    {
        let mut meta = writing.open_table(META).map_err(failed(doing))?;
        meta.insert(SCHEMA_KEY, SCHEMA.to_le_bytes().as_slice())
            .map_err(failed(doing))?;
        meta.insert(STORE_KEY, id.as_slice())
            .map_err(failed(doing))?;
        for table in [
            RECORDS, BLOBS, SIGNATURES, TOKENS, DIRECTORY, VALUES, SECRETS, KEYS, INBOX_READ,
            DIGESTS,
        ] {
            writing.open_table(table).map_err(failed(doing))?;
        }
        writing.open_table(JOURNAL).map_err(failed(doing))?;
        for table in [COUNTERS, VALUES_USED, VALUES_KEYS] {
            writing.open_table(table).map_err(failed(doing))?;
        }
    }
    writing.commit().map_err(failed(doing))
}

/// Begins a write.
pub(crate) fn begin(
    database: &Database,
    durability: Durability,
) -> Result<WriteTransaction, StoreError> {
    let mut writing = database
        .begin_write()
        .map_err(failed("beginning a write"))?;
    writing
        .set_durability(durability)
        .map_err(failed("beginning a write"))?;
    Ok(writing)
}

/// A row of [`RECORDS`]: version and position of the last entry, eight bytes each, then the record.
pub(crate) struct RecordRow<'a> {
    pub(crate) version: u64,
    pub(crate) position: u64,
    pub(crate) encoded: &'a [u8],
}

impl<'a> RecordRow<'a> {
    const POSITION: usize = 8;
    const RECORD: usize = 16;

    pub(crate) fn read(row: &'a [u8]) -> Result<Self, StoreError> {
        let (Some(version), Some(position), Some(encoded)) = (
            number_at(row, 0),
            number_at(row, Self::POSITION),
            row.get(Self::RECORD..),
        ) else {
            return Err(damaged("a record's row is too short"));
        };
        Ok(Self {
            version,
            position,
            encoded,
        })
    }

    pub(crate) fn record(&self) -> Result<Record, StoreError> {
        decode(self.encoded).map_err(|error| not_read("a record", &error))
    }

    /// The row of a record, whose position is set later.
    pub(crate) fn write(record: &Record) -> Vec<u8> {
        let mut row = Vec::with_capacity(1024);
        row.extend_from_slice(&record.version.to_le_bytes());
        row.extend_from_slice(&[0; 8]);
        row.extend_from_slice(&model::journal::encode(record));
        row
    }

    pub(crate) fn set_position(row: &mut [u8], position: u64) {
        row[Self::POSITION..Self::RECORD].copy_from_slice(&position.to_le_bytes());
    }
}

/// A row of [`JOURNAL`].
pub(crate) enum JournalRow<'a> {
    /// An entry of a record: before the entry stands what following the journal needs.
    Record {
        key: &'a [u8],
        previous: u64,
        at: Instant,
        /// Who was given the record, where the entry gave it to someone.
        assigned: Option<&'a str>,
        entry: &'a [u8],
    },
    /// Anything else.
    Other { at: Instant, item: &'a [u8] },
}

const OF_RECORD: u8 = 1;
const OTHER: u8 = 2;

impl<'a> JournalRow<'a> {
    /// Where the position of the record's entry before stands in a row.
    pub(crate) const PREVIOUS: usize = 1;
    const AT: usize = 9;
    const KEY: usize = 17;

    pub(crate) fn read(row: &'a [u8]) -> Result<Self, StoreError> {
        Self::parse(row).ok_or_else(|| damaged("a row of the journal does not read"))
    }

    fn parse(row: &'a [u8]) -> Option<Self> {
        let previous = number_at(row, Self::PREVIOUS)?;
        let at = bytes::read_instant(row.get(Self::AT..Self::KEY)?).ok()?;
        let rest = &row[Self::KEY..];
        match row[0] {
            OF_RECORD => {
                let (key, rest) = short(rest)?;
                let (assigned, entry) = short(rest)?;
                let assigned = std::str::from_utf8(assigned).ok()?;
                Some(Self::Record {
                    key,
                    previous,
                    at,
                    assigned: (!assigned.is_empty()).then_some(assigned),
                    entry,
                })
            }
            OTHER => Some(Self::Other { at, item: rest }),
            _ => None,
        }
    }

    pub(crate) const fn at(&self) -> Instant {
        match self {
            Self::Record { at, .. } | Self::Other { at, .. } => *at,
        }
    }

    pub(crate) fn item(&self) -> Result<Item, StoreError> {
        match self {
            Self::Record {
                key,
                previous,
                entry,
                ..
            } => Ok(Item::Record {
                id: RecordKey::id(key)?,
                previous: *previous,
                entry: Box::new(read_entry(entry)?),
            }),
            Self::Other { item, .. } => {
                decode(item).map_err(|error| not_read("a row of the journal", &error))
            }
        }
    }

    /// The row of a record's entry, whose position before is set later.
    pub(crate) fn of_record(key: &RecordKey, entry: &Entry, encoded: &[u8]) -> Vec<u8> {
        let assigned = entry.assigned().map_or("", PersonId::as_str).as_bytes();
        let mut row = Vec::with_capacity(Self::KEY + 24 + assigned.len() + encoded.len());
        row.push(OF_RECORD);
        row.extend_from_slice(&[0; 8]);
        row.extend_from_slice(&bytes::instant(entry.command.at));
        for short in [key.as_slice(), assigned] {
            let length = u16::try_from(short.len()).expect("ids have at most 200 characters");
            row.extend_from_slice(&length.to_le_bytes());
            row.extend_from_slice(short);
        }
        row.extend_from_slice(encoded);
        row
    }

    pub(crate) fn other(at: Instant, item: &Item) -> Vec<u8> {
        let mut row = vec![OTHER];
        row.extend_from_slice(&[0; 8]);
        row.extend_from_slice(&bytes::instant(at));
        row.extend_from_slice(&model::journal::encode(item));
        row
    }

    pub(crate) fn set_previous(row: &mut [u8], previous: u64) {
        row[Self::PREVIOUS..Self::AT].copy_from_slice(&previous.to_le_bytes());
    }
}

/// Reads the stored form of an entry.
pub(crate) fn read_entry(encoded: &[u8]) -> Result<Entry, StoreError> {
    decode(encoded).map_err(|error| not_read("an entry of the journal", &error))
}

/// Says what does not read, and why.
pub(crate) fn not_read(what: &str, error: &dyn std::error::Error) -> StoreError {
    let cause = error
        .source()
        .map_or_else(|| error.to_string(), ToString::to_string);
    StoreError::Damaged(format!("{what} does not read: {cause}"))
}

/// The key of a thing.
pub(crate) fn thing_key(key: &Key) -> Vec<u8> {
    bytes::pair(key.kind.as_str(), key.id.as_str().as_bytes())
}

/// The last position of the journal.
pub(crate) fn last_position(journal: &impl ReadableTable<u64, Bytes>) -> Result<u64, StoreError> {
    let last = journal.last().map_err(failed("reading the journal"))?;
    Ok(last.map_or(0, |(position, _)| position.value()))
}

/// What views keep of a journal row, to know that they follow this journal and no other.
pub(crate) fn row_hash(row: &[u8]) -> Digest {
    Digest::of(row)
}

fn number_at(row: &[u8], at: usize) -> Option<u64> {
    let bytes = row.get(at..at + 8)?;
    bytes.try_into().ok().map(u64::from_le_bytes)
}

/// Bytes with their length in two bytes before them, and what comes after.
fn short(row: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = row.split_at_checked(2)?;
    let length = u16::from_le_bytes(length.try_into().ok()?);
    rest.split_at_checked(usize::from(length))
}
