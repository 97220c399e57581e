//! A data folder that nobody writes to, opened to be read and left as it is: the truth alone, without
//! the views that a server makes of it.

use std::fmt;
use std::path::{Path, PathBuf};
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
use model::journal::{Entry, Item};
use model::record::{EffectKey, Record};
use model::{Digest, Instant, Value};
use redb::{ReadOnlyDatabase, ReadTransaction, ReadableDatabase};

use crate::reads::{MOST, entries_of, items_after, read_active, read_record};
use crate::truth::{self, BLOBS, DIRECTORY, JOURNAL, failed, last_position, thing_key};
use crate::views::guarded;

/// Why a folder cannot be read as it is.
#[derive(Clone, Debug)]
pub enum ArchiveError {
    /// There are no data in it.
    Missing(PathBuf),
    /// A server has it open.
    InUse(PathBuf),
    /// The server that had it open did not close it.
    NotClosed(PathBuf),
    /// It does not read.
    Store(StoreError),
}

impl fmt::Display for ArchiveError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing(folder) => {
                let folder = folder.display();
                write!(f, "{folder} is no data folder: it has no truth.redb")
            }
            Self::InUse(folder) => {
                let folder = folder.display();
                write!(
                    f,
                    "a server has the data in {folder} open: stop it, or copy the folder while it is stopped and name the copy"
                )
            }
            Self::NotClosed(folder) => {
                let folder = folder.display();
                write!(
                    f,
                    "the data in {folder} were not closed in order, and reading leaves them as they are: run `wright verify --data {folder}` once, which puts them in order, there or in a copy of the folder"
                )
            }
            Self::Store(_) => f.write_str("the data do not read"),
        }
    }
}

impl std::error::Error for ArchiveError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Store(error) => Some(error),
            _ => None,
        }
    }
}

impl From<StoreError> for ArchiveError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

/// What is kept in a data folder, for reading. What only views tell, such as lists and queues, is
/// answered with an error, and so is every commit.
pub struct Archive {
    truth: ReadOnlyDatabase,
    position: u64,
}

impl Archive {
    /// Opens the data in a folder. Nothing is written there, not even a lock file.
    ///
    /// # Errors
    /// Where there are none, another process has them open, or they have to be put in order first.
    pub fn open(folder: &Path, cache_bytes: usize) -> Result<Self, ArchiveError> {
        let path = folder.join("truth.redb");
        if !path.is_file() {
            return Err(ArchiveError::Missing(folder.to_owned()));
        }
        let opened = guarded(|| {
            let mut builder = redb::Builder::new();
            Ok(builder.set_cache_size(cache_bytes).open_read_only(&path))
        });
        let truth = opened?.map_err(|error| match error {
            redb::DatabaseError::RepairAborted => ArchiveError::NotClosed(folder.to_owned()),
            redb::DatabaseError::DatabaseAlreadyOpen => ArchiveError::InUse(folder.to_owned()),
            error => ArchiveError::Store(failed("opening the truth")(error)),
        })?;
        let mut archive = Self { truth, position: 0 };
        archive.position = archive.read(|reading| {
            truth::check_schema(reading)?;
            let journal = reading
                .open_table(JOURNAL)
                .map_err(failed("reading the journal"))?;
            last_position(&journal)
        })?;
        Ok(archive)
    }

    fn read<T>(
        &self,
        read: impl FnOnce(&ReadTransaction) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        guarded(|| {
            let reading = self
                .truth
                .begin_read()
                .map_err(failed("reading the truth"))?;
            read(&reading)
        })
    }
}

/// Only the views tell it, and an archive has none.
fn untold<T>(doing: &'static str) -> Result<T, StoreError> {
    Err(StoreError::Failed {
        doing,
        cause: "the data were opened only to be read, without their views".into(),
    })
}

impl Store for Archive {
    fn is_ready(&self) -> bool {
        true
    }

    fn record(&self, id: &RecordId) -> Result<Option<Arc<Record>>, StoreError> {
        let read = self.read(|reading| read_record(reading, id))?;
        Ok(read.map(|(record, _)| record))
    }

    fn history(
        &self,
        id: &RecordId,
        after_version: u64,
        limit: usize,
    ) -> Result<Vec<(u64, Entry)>, StoreError> {
        self.read(|reading| entries_of(reading, id, after_version, limit.min(MOST)))
    }

    fn journal(&self, after: u64, limit: usize) -> Result<Vec<(u64, Item)>, StoreError> {
        if after >= self.position {
            return Ok(Vec::new());
        }
        self.read(|reading| items_after(reading, after, self.position, limit.min(MOST)))
    }

    fn position(&self) -> Result<u64, StoreError> {
        Ok(self.position)
    }

    fn reserve_number(&self, _: &str) -> Result<RecordId, StoreError> {
        untold("reserving a number")
    }

    fn remembered(&self, _: &str) -> Result<Option<Remembered>, StoreError> {
        untold("looking up an idempotency key")
    }

    fn commit(&self, _: Commit) -> BoxFuture<'static, Result<Committed, CommitError>> {
        let refused = untold("committing").map_err(CommitError::Store);
        Box::pin(std::future::ready(refused))
    }

    fn list(&self, _: &ListQuery) -> Result<Page, StoreError> {
        untold("listing records")
    }

    fn due(&self, _: Instant, _: usize) -> Result<Vec<DueRecord>, StoreError> {
        untold("reading what is due")
    }

    fn effects_due(&self, _: Instant, _: usize) -> Result<Vec<DueRecord>, StoreError> {
        untold("reading the effects that are due")
    }

    fn effects_dead(
        &self,
        _: Option<(RecordId, EffectKey)>,
        _: usize,
    ) -> Result<Vec<(RecordId, EffectKey)>, StoreError> {
        untold("reading dead effects")
    }

    fn awaiting_approval(
        &self,
        _: Option<&RecordId>,
        _: usize,
    ) -> Result<Vec<RecordId>, StoreError> {
        untold("reading open approvals")
    }

    fn by_reference(&self, _: &BindingId, _: &str) -> Result<Option<RecordId>, StoreError> {
        untold("looking up a reference")
    }

    fn alike(
        &self,
        _: &WorkflowId,
        _: &[(FieldId, Value)],
        _: Instant,
    ) -> Result<Vec<Arc<Record>>, StoreError> {
        untold("looking for records alike")
    }

    fn loads_of(&self, _: &[PersonId]) -> Result<Vec<Load>, StoreError> {
        untold("reading the loads of people")
    }

    fn windows(&self, _: &WindowsQuery) -> Result<Windows, StoreError> {
        untold("reading planned windows")
    }

    fn inbox(
        &self,
        _: &PersonId,
        _: Option<InboxPlace>,
        _: usize,
    ) -> Result<Vec<InboxRow>, StoreError> {
        untold("reading an inbox")
    }

    fn inbox_read(&self, _: &PersonId) -> Result<InboxRead, StoreError> {
        untold("reading an inbox")
    }

    fn digest(&self, _: &PersonId) -> Result<DigestState, StoreError> {
        untold("reading digests")
    }

    fn thing(&self, key: &Key) -> Result<Option<Arc<FoundThing>>, StoreError> {
        let doing = "reading the directory";
        self.read(|reading| {
            let table = reading.open_table(DIRECTORY).map_err(failed(doing))?;
            let row = table.get(thing_key(key).as_slice());
            let row = row.map_err(failed(doing))?;
            let thing = row.map(|row| crate::follow::read_thing(row.value()));
            Ok(thing.transpose()?.map(|thing| Arc::new(thing.into())))
        })
    }

    fn things(
        &self,
        _: &DirectoryKind,
        _: Option<&DirectoryId>,
        _: usize,
    ) -> Result<Vec<(DirectoryId, Thing)>, StoreError> {
        untold("listing the directory")
    }

    fn people_with_role(&self, _: &RoleId) -> Result<Vec<PersonId>, StoreError> {
        untold("reading who has a role")
    }

    fn teams_of(&self, _: &PersonId) -> Result<Vec<TeamId>, StoreError> {
        untold("reading the teams of a person")
    }

    fn blob(&self, digest: &Digest) -> Result<Option<Vec<u8>>, StoreError> {
        let doing = "reading what is stored by digest";
        self.read(|reading| {
            let table = reading.open_table(BLOBS).map_err(failed(doing))?;
            let row = table.get(digest.as_bytes().as_slice());
            Ok(row.map_err(failed(doing))?.map(|row| row.value().to_vec()))
        })
    }

    fn signature(&self, _: &Digest) -> Result<Option<Vec<u8>>, StoreError> {
        untold("reading a signature")
    }

    fn active(&self) -> Result<Option<Digest>, StoreError> {
        self.read(read_active)
    }

    fn key_value(&self, _: &BindingId, _: &str) -> Result<Option<Vec<u8>>, StoreError> {
        untold("reading a key-value space")
    }

    fn keys(
        &self,
        _: &BindingId,
        _: &str,
        _: Option<&str>,
        _: usize,
    ) -> Result<Vec<String>, StoreError> {
        untold("reading a key-value space")
    }

    fn token(&self, _: &Digest) -> Result<Option<TokenRecord>, StoreError> {
        untold("reading a token")
    }

    fn sealed_secret(
        &self,
        _: &BindingId,
        _: &SecretId,
    ) -> Result<Option<SealedSecret>, StoreError> {
        untold("reading secrets")
    }

    fn sealed_secrets(
        &self,
        _: Option<(&BindingId, &SecretId)>,
        _: usize,
    ) -> Result<Vec<(BindingId, SecretId, SealedSecret)>, StoreError> {
        untold("reading secrets")
    }

    fn sealed_link_key(&self) -> Result<Option<SealedSecret>, StoreError> {
        untold("reading secrets")
    }
}
