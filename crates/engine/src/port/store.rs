//! The Store port: records, their journal, definitions and the directory, durable.
//!
//! Reads see what was acknowledged, and never wait for a writer. [`Store::commit`] answers once the
//! commit is durable and every projection shows it.

use std::sync::Arc;

use futures::future::BoxFuture;
use model::definition::Category;
use model::directory::{Change, Key, Thing};
use model::id::{
    BindingId, DirectoryId, DirectoryKind, FieldId, PersonId, RecordId, RoleId, SecretId, StateId,
    TeamId, WorkflowId,
};
use model::journal::{BoundPlugin, Entry, Item};
use model::record::{EffectKey, Record};
use model::{Digest, Instant, Value};
use thiserror::Error;

use super::digest::DigestState;
use super::inbox::{InboxPlace, InboxRead, InboxRow};
use super::windows::{Windows, WindowsQuery};

/// Where everything durable is kept.
pub trait Store: Send + Sync + 'static {
    /// Whether reads and commits can be answered. Not while it brings itself up again, nor after a
    /// failure that only an operator can put right.
    fn is_ready(&self) -> bool;

    /// A record as it stands.
    fn record(&self, id: &RecordId) -> Result<Option<Arc<Record>>, StoreError>;

    /// A record's entries after a version, oldest first, each with its position; at most `limit`.
    fn history(
        &self,
        id: &RecordId,
        after_version: u64,
        limit: usize,
    ) -> Result<Vec<(u64, Entry)>, StoreError>;

    /// What the journal holds after a position, in order; at most `limit`.
    fn journal(&self, after: u64, limit: usize) -> Result<Vec<(u64, Item)>, StoreError>;

    /// The last position of the journal; 0 where it is empty.
    fn position(&self) -> Result<u64, StoreError>;

    /// Reserves the next number for records with this prefix. A number that no commit uses is given
    /// again after a restart.
    fn reserve_number(&self, prefix: &str) -> Result<RecordId, StoreError>;

    /// What was committed under an idempotency key.
    fn remembered(&self, key: &str) -> Result<Option<Remembered>, StoreError>;

    /// Makes one change durable. Commits waiting at the same time share one write; they stand in the
    /// journal in the order in which they were first polled.
    fn commit(&self, commit: Commit) -> BoxFuture<'static, Result<Committed, CommitError>>;

    /// Records in keyset order.
    fn list(&self, query: &ListQuery) -> Result<Page, StoreError>;

    /// Records of which something is due by `until`, in due order; at most `limit`.
    fn due(&self, until: Instant, limit: usize) -> Result<Vec<DueRecord>, StoreError>;

    /// Records with an effect to be tried by `until`, in order of time; at most `limit`.
    fn effects_due(&self, until: Instant, limit: usize) -> Result<Vec<DueRecord>, StoreError>;

    /// Dead effects after one of them, in order of record; at most `limit`.
    fn effects_dead(
        &self,
        after: Option<(RecordId, EffectKey)>,
        limit: usize,
    ) -> Result<Vec<(RecordId, EffectKey)>, StoreError>;

    /// Records with an open approval, after one of them; at most `limit`.
    fn awaiting_approval(
        &self,
        after: Option<&RecordId>,
        limit: usize,
    ) -> Result<Vec<RecordId>, StoreError>;

    /// The record that a binding calls so.
    fn by_reference(
        &self,
        binding: &BindingId,
        reference: &str,
    ) -> Result<Option<RecordId>, StoreError>;

    /// Records of a workflow with these very field values, updated since, newest first; at most 100.
    /// Looks at no more than the 2,000 records of the workflow that changed last.
    fn alike(
        &self,
        workflow: &WorkflowId,
        fields: &[(FieldId, Value)],
        since: Instant,
    ) -> Result<Vec<Arc<Record>>, StoreError>;

    /// How much each of these people has, all of it as of one moment.
    fn loads_of(&self, people: &[PersonId]) -> Result<Vec<Load>, StoreError>;

    /// Planned windows that touch a stretch of time.
    fn windows(&self, query: &WindowsQuery) -> Result<Windows, StoreError>;

    /// What a person was told and still has in their inbox, newest first, before a place; at most `limit`.
    fn inbox(
        &self,
        person: &PersonId,
        before: Option<InboxPlace>,
        limit: usize,
    ) -> Result<Vec<InboxRow>, StoreError>;

    /// What a person has read of their inbox.
    fn inbox_read(&self, person: &PersonId) -> Result<InboxRead, StoreError>;

    /// How far the digests of a person have come.
    fn digest(&self, person: &PersonId) -> Result<DigestState, StoreError>;

    /// A thing in the directory.
    fn thing(&self, key: &Key) -> Result<Option<Arc<FoundThing>>, StoreError>;

    /// Things of a kind after an id, in order of id; at most `limit`.
    fn things(
        &self,
        kind: &DirectoryKind,
        after: Option<&DirectoryId>,
        limit: usize,
    ) -> Result<Vec<(DirectoryId, Thing)>, StoreError>;

    /// Everyone in the directory with a role.
    fn people_with_role(&self, role: &RoleId) -> Result<Vec<PersonId>, StoreError>;

    /// The teams that a person is a member of.
    fn teams_of(&self, person: &PersonId) -> Result<Vec<TeamId>, StoreError>;

    /// Content stored by digest: a definition, a hook input, a component.
    fn blob(&self, digest: &Digest) -> Result<Option<Vec<u8>>, StoreError>;

    /// The signature that is kept with a component.
    fn signature(&self, component: &Digest) -> Result<Option<Vec<u8>>, StoreError>;

    /// The digest of the configuration in force.
    fn active(&self) -> Result<Option<Digest>, StoreError>;

    /// A value of a binding's key-value space.
    fn key_value(&self, binding: &BindingId, key: &str) -> Result<Option<Vec<u8>>, StoreError>;

    /// Keys of a binding's space that begin so, after one of them; at most `limit`.
    fn keys(
        &self,
        binding: &BindingId,
        prefix: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<String>, StoreError>;

    /// The token whose secret has this digest.
    fn token(&self, secret: &Digest) -> Result<Option<TokenRecord>, StoreError>;

    /// A binding's secret, as it is sealed.
    fn sealed_secret(
        &self,
        binding: &BindingId,
        secret: &SecretId,
    ) -> Result<Option<SealedSecret>, StoreError>;

    /// Secrets as they are sealed, in order of binding and name, after one of them; at most `limit`.
    fn sealed_secrets(
        &self,
        after: Option<(&BindingId, &SecretId)>,
        limit: usize,
    ) -> Result<Vec<(BindingId, SecretId, SealedSecret)>, StoreError>;

    /// The key that links for votes are signed with, as it is sealed.
    fn sealed_link_key(&self) -> Result<Option<SealedSecret>, StoreError>;
}

/// A change to be made durable.
#[derive(Clone, Debug)]
pub enum Commit {
    /// A record and its journal entry.
    Record(Box<RecordCommit>),
    /// A directory change and its place in the journal.
    Directory(DirectoryCommit),
    /// Another configuration in force, and the content it names.
    Configuration {
        /// When.
        at: Instant,
        /// Who.
        actor: String,
        /// What was done, for people.
        what: String,
        /// The digest of the configuration.
        active: Digest,
        /// The plugins that it bound.
        bindings: Vec<BoundPlugin>,
        /// Content by digest: the configuration and what it names, as far as it is new.
        blobs: Vec<(Digest, Vec<u8>)>,
        /// Signatures by the digest of the component that each is of.
        signatures: Vec<(Digest, Vec<u8>)>,
    },
    /// A component, named by nothing yet.
    Component {
        /// Its digest.
        digest: Digest,
        /// The component.
        component: Vec<u8>,
        /// Its signature; where there is none, one that was kept before stays.
        signature: Option<Vec<u8>>,
    },
    /// A write to a binding's key-value space, where the present value is the expected one.
    KeyValue {
        /// Whose space.
        binding: BindingId,
        /// Which key.
        key: String,
        /// What it must hold; none is absent.
        expected: Option<Vec<u8>>,
        /// What it holds afterwards; none is absent.
        value: Option<Vec<u8>>,
        /// How many bytes of keys and values the space may hold.
        quota_bytes: u64,
        /// How many keys it may hold.
        quota_keys: u64,
    },
    /// A token.
    Token {
        /// The digest of its secret.
        secret: Digest,
        /// What it stands for; none revokes it.
        token: Option<TokenRecord>,
    },
    /// What a person has read of their inbox, where the present mark is the expected one.
    InboxRead {
        /// Whose inbox.
        person: PersonId,
        /// What was read before.
        expected: InboxRead,
        /// What is read now.
        read: InboxRead,
    },
    /// How far the digests of a person have come, where they are where they were expected.
    Digest {
        /// Whose.
        person: PersonId,
        /// How far they had come.
        expected: DigestState,
        /// How far they have come now.
        state: DigestState,
    },
    /// Secrets of bindings, none in the place of one takes it out, and the desk's own key, all at once.
    Secrets {
        /// The secrets.
        secrets: Vec<(BindingId, SecretId, Option<SealedSecret>)>,
        /// The key that links for votes are signed with; without one, what is kept stays.
        link_key: Option<SealedSecret>,
    },
}

/// A record's step.
#[derive(Clone, Debug)]
pub struct RecordCommit {
    /// The record that was read; none where it begins.
    pub before: Option<Arc<Record>>,
    /// The record after the entry, `head` included.
    pub after: Arc<Record>,
    /// The entry.
    pub entry: Entry,
    /// The entry in its stored form, whose hash is `after.head`.
    pub encoded_entry: Vec<u8>,
    /// Hook inputs by digest.
    pub blobs: Vec<(Digest, Vec<u8>)>,
    /// The position as of which planned windows of others were looked at, where they were: the step is
    /// not taken once a record with one has changed since.
    pub windows_as_of: Option<u64>,
}

/// A directory change.
#[derive(Clone, Debug)]
pub struct DirectoryCommit {
    /// When.
    pub at: Instant,
    /// Who.
    pub actor: String,
    /// What.
    pub change: Change,
}

/// A commit that is durable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Committed {
    /// Its position in the journal; 0 for what has none.
    pub position: u64,
}

/// Why a commit was not made. Nothing of it is stored.
#[derive(Debug, Error)]
pub enum CommitError {
    /// The record, the planned windows or the key are not what was read.
    #[error("the record was changed by someone else")]
    Conflict,
    /// The idempotency key was used before.
    #[error("the idempotency key was used before")]
    Remembered(Remembered),
    /// The binding already has a record of this reference.
    #[error("the reference already names {0}")]
    Referenced(RecordId),
    /// The key-value space is full.
    #[error("the key-value space is full")]
    Quota,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What was committed under an idempotency key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remembered {
    /// The digest of what was asked.
    pub request: Digest,
    /// The record.
    pub record: RecordId,
    /// Its version after the command.
    pub version: u64,
    /// The position of the entry in the journal.
    pub position: u64,
}

/// The store cannot do what was asked.
#[derive(Clone, Debug, Error)]
pub enum StoreError {
    /// Reading or writing failed.
    #[error("the store failed while {doing}: {cause}")]
    Failed {
        /// What was being done.
        doing: &'static str,
        /// What the database said.
        cause: Arc<str>,
    },
    /// The disk takes no more. What was acknowledged is kept, and writing goes on once there is room.
    #[error("the disk is full: nothing was changed; make room, and try again")]
    Full,
    /// Stored data does not read.
    #[error("stored data is damaged: {0}")]
    Damaged(String),
    /// The data was written by a newer version of the server.
    #[error(
        "the data is of schema {found}, this server knows up to {known}: use the newer server; nothing was changed"
    )]
    Newer {
        /// The schema of the data.
        found: u32,
        /// The newest schema that this server knows.
        known: u32,
    },
    /// Another server has the data open.
    #[error("the data folder is in use by another server")]
    InUse,
    /// The store is closed.
    #[error("the store is closed")]
    Closed,
}

/// Which records to list.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ListQuery {
    /// Of this workflow.
    pub workflow: Option<WorkflowId>,
    /// In this state.
    pub state: Option<StateId>,
    /// In this part of their life.
    pub category: Option<Category>,
    /// With this team.
    pub team: Option<TeamId>,
    /// With this person.
    pub assignee: Option<PersonId>,
    /// For this person.
    pub requester: Option<PersonId>,
    /// In this order.
    pub sort: Sort,
    /// At most so many.
    pub limit: usize,
    /// After this place.
    pub after: Option<(Instant, RecordId)>,
}

/// The order of a list.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Sort {
    /// Changed last comes first.
    #[default]
    UpdatedDescending,
    /// Changed first comes first.
    UpdatedAscending,
}

/// A part of a list.
#[derive(Clone, Debug, Default)]
pub struct Page {
    /// Its records.
    pub records: Vec<Listed>,
    /// Where the next part begins; none at the end.
    pub next: Option<(Instant, RecordId)>,
}

/// A record in a list.
pub type Listed = Arc<Record>;

/// How many records in `open` or `waiting` a person has, and when they were last given one.
pub type Load = (u32, Option<Instant>);

/// A thing of the directory as it was found, shared by all who look at it.
#[derive(Clone, Debug, PartialEq)]
pub struct FoundThing {
    thing: Thing,
    digest: Digest,
}

impl FoundThing {
    /// The digest of its stored form.
    pub const fn digest(&self) -> Digest {
        self.digest
    }
}

impl From<Thing> for FoundThing {
    fn from(thing: Thing) -> Self {
        let digest = Digest::of(&model::journal::encode(&thing));
        Self { thing, digest }
    }
}

impl std::ops::Deref for FoundThing {
    type Target = Thing;

    fn deref(&self) -> &Thing {
        &self.thing
    }
}

/// A record of which something is due.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct DueRecord {
    /// When.
    pub due: Instant,
    /// Which.
    pub record: RecordId,
}

/// A secret as it is kept: sealed under a key that the store never sees.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct SealedSecret {
    /// The digest of the key, to tell one from another.
    pub key: Digest,
    /// When it was set.
    pub set_at: Instant,
    /// What only the key opens.
    pub sealed: Vec<u8>,
}

/// What a bearer token stands for.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct TokenRecord {
    /// Who presents it.
    pub actor: PersonId,
    /// Their roles.
    pub roles: std::collections::BTreeSet<RoleId>,
    /// When it was made.
    pub created_at: Instant,
    /// When it ends.
    pub expires_at: Option<Instant>,
    /// What it is for, in the words of who made it.
    pub title: String,
}
