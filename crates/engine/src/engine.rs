//! The engine: the ports, the definitions in force, and what wakes its workers.

use std::collections::{BTreeSet, HashMap};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock, Weak};

use calendar::Calendar;
use definition::compile::{Definitions, ServiceLevel, Workflow};
use model::command::{Actor, Create, Who};
use model::directory::{Key, kind};
use model::id::{
    CatalogueItemId, DirectoryId, DirectoryKind, PersonId, RecordId, RoleId, WorkflowId,
};
use model::journal::Entry;
use model::record::Record;
use model::{ByteSize, Digest, Instant};
use tokio::sync::{Notify, watch};

use crate::decide::{Past, Pinned};
use crate::directory::{Directory, MOST_OF_REQUESTER};
use crate::error::EngineError;
use crate::library::{Library, Versions};
use crate::on_call::CompiledRota;
use crate::origins::Origins;
use crate::port::{
    Clock, ClockDoubt, FoundThing, LinkKeys, ListQuery, Load, Plugins, Sort, Store, StoreError,
    TokenRecord, Windows, WindowsQuery,
};
use crate::rejection::Rejection;

/// How much the key-value space of a binding may hold, where the operator says nothing else.
const SPACE: ByteSize = ByteSize::from_bytes(16 << 20);

/// Runs records: the use cases around the decision. Clones share it.
#[derive(Clone)]
pub struct Engine(pub(crate) Arc<Inner>);

pub(crate) struct Inner {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) plugins: Arc<dyn Plugins>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) library: Library,
    /// Rotas of the directory, compiled.
    rotas: Versions<CompiledRota>,
    definitions: RwLock<Arc<Definitions>>,
    keys: Mutex<HashMap<String, Weak<tokio::sync::Mutex<()>>>>,
    position: watch::Sender<u64>,
    pub(crate) timers_changed: Notify,
    pub(crate) effects_changed: Notify,
    pub(crate) origins: Origins,
    pub(crate) installing: tokio::sync::Mutex<()>,
    /// Held while a rota is read and written again, so that of two who plan at once nobody's is lost.
    pub(crate) planning: tokio::sync::Mutex<()>,
    ready: AtomicBool,
    space_ceiling: AtomicU64,
    public_address: RwLock<Option<Arc<str>>>,
    link_keys: RwLock<Option<Arc<dyn LinkKeys>>>,
}

impl Engine {
    /// Opens the engine on a store: compiles what is installed and puts its bindings to use.
    ///
    /// # Errors
    /// Where the store fails, what is installed does not compile, or a binding cannot be put to use.
    pub async fn open(
        store: Arc<dyn Store>,
        plugins: Arc<dyn Plugins>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, EngineError> {
        let library = Library::new(store.clone());
        let definitions = library.active()?;
        let engine = Self::over(store, plugins, clock, library, definitions.clone())?;
        engine.set_up_bindings(&definitions).await?;
        engine.0.ready.store(true, Ordering::Release);
        Ok(engine)
    }

    /// An engine under definitions that are compiled already, of which the store keeps nothing: for
    /// trying them out on a desk that is thrown away. Its bindings are as they are set up.
    ///
    /// # Errors
    /// Where the store fails.
    pub fn trial(
        store: Arc<dyn Store>,
        plugins: Arc<dyn Plugins>,
        clock: Arc<dyn Clock>,
        definitions: Arc<Definitions>,
    ) -> Result<Self, EngineError> {
        let library = Library::new(store.clone());
        let engine = Self::over(store, plugins, clock, library, definitions)?;
        engine.0.ready.store(true, Ordering::Release);
        Ok(engine)
    }

    fn over(
        store: Arc<dyn Store>,
        plugins: Arc<dyn Plugins>,
        clock: Arc<dyn Clock>,
        library: Library,
        definitions: Arc<Definitions>,
    ) -> Result<Self, EngineError> {
        let position = watch::Sender::new(store.position()?);
        Ok(Self(Arc::new(Inner {
            store,
            plugins,
            clock,
            library,
            rotas: Versions::default(),
            definitions: RwLock::new(definitions),
            keys: Mutex::default(),
            position,
            timers_changed: Notify::new(),
            effects_changed: Notify::new(),
            origins: Origins::default(),
            installing: tokio::sync::Mutex::default(),
            planning: tokio::sync::Mutex::default(),
            ready: AtomicBool::new(false),
            space_ceiling: AtomicU64::new(SPACE.bytes()),
            public_address: RwLock::default(),
            link_keys: RwLock::default(),
        })))
    }

    /// Whether it serves: it has started, and its store answers.
    pub fn is_ready(&self) -> bool {
        self.0.ready.load(Ordering::Acquire) && self.0.store.is_ready()
    }

    /// Sets how much the key-value space of a binding may hold, whatever it is granted.
    pub fn set_space_ceiling(&self, ceiling: ByteSize) {
        self.0
            .space_ceiling
            .store(ceiling.bytes(), Ordering::Relaxed);
    }

    /// Sets where people find the desk, such as `https://desk.example`: links to records begin so.
    pub fn set_public_address(&self, address: &str) {
        let mut kept = self
            .0
            .public_address
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        *kept = Some(address.into());
    }

    /// Sets where the key is kept that links for votes are signed with. Without it no link is good.
    pub fn set_link_keys(&self, keys: Arc<dyn LinkKeys>) {
        let kept = self.0.link_keys.write();
        *kept.unwrap_or_else(PoisonError::into_inner) = Some(keys);
    }

    pub(crate) fn link_keys(&self) -> Option<Arc<dyn LinkKeys>> {
        let kept = self.0.link_keys.read();
        kept.unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn space_ceiling(&self) -> ByteSize {
        ByteSize::from_bytes(self.0.space_ceiling.load(Ordering::Relaxed))
    }

    /// The definitions in force.
    pub fn definitions(&self) -> Arc<Definitions> {
        self.0
            .definitions
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    pub(crate) fn replace_definitions(&self, definitions: Arc<Definitions>) {
        *self
            .0
            .definitions
            .write()
            .unwrap_or_else(PoisonError::into_inner) = definitions;
    }

    /// The journal's last position, as it rises.
    pub fn positions(&self) -> watch::Receiver<u64> {
        self.0.position.subscribe()
    }

    pub(crate) fn committed(&self, position: u64) {
        self.0.position.send_if_modified(|last| {
            let rises = position > *last;
            *last = position.max(*last);
            rises
        });
    }

    /// The present time.
    pub fn now(&self) -> Instant {
        self.0.clock.now()
    }

    /// What the machine's clock shows and is not believed, where that is so.
    pub fn clock_doubt(&self) -> Option<ClockDoubt> {
        self.0.clock.doubt()
    }

    /// A person as an actor: with these roles, those of the directory, and their teams.
    ///
    /// # Errors
    /// Where the store fails.
    pub fn actor(&self, person: &PersonId, roles: &BTreeSet<RoleId>) -> Result<Actor, EngineError> {
        let mut roles = roles.clone();
        if let (Ok(kind), Ok(id)) = (
            DirectoryKind::new(kind::USER),
            DirectoryId::new(person.as_str()),
        ) && let Some(thing) = self.0.store.thing(&Key { kind, id })?
        {
            let named = thing.0.get("roles").and_then(serde_json::Value::as_array);
            let named = named
                .into_iter()
                .flatten()
                .filter_map(|role| RoleId::new(role.as_str()?).ok());
            roles.extend(named);
        }
        let teams = self.0.store.teams_of(person)?.into_iter().collect();
        Ok(Actor {
            who: Who::Person(person.clone()),
            roles,
            teams,
        })
    }

    /// What a bearer token stands for, by the digest of its secret; none once it has ended.
    ///
    /// # Errors
    /// Where the store fails.
    pub fn token(&self, secret: &Digest) -> Result<Option<TokenRecord>, EngineError> {
        let token = self.0.store.token(secret)?;
        let now = self.now();
        Ok(token.filter(|token| token.expires_at.is_none_or(|expires| now < expires)))
    }

    /// The version of its workflow that a record runs under.
    pub(crate) fn workflow_of(
        &self,
        definitions: &Definitions,
        record: &Record,
    ) -> Result<Arc<Workflow>, EngineError> {
        self.0.library.workflow_of(definitions, record)
    }

    /// The version of its workflow that a record runs under.
    ///
    /// # Errors
    /// Where that is not stored, or does not compile any more.
    pub fn workflow_of_record(&self, record: &Record) -> Result<Arc<Workflow>, EngineError> {
        self.workflow_of(&self.definitions(), record)
    }

    /// The directory of its store.
    pub(crate) fn directory(&self) -> StoreDirectory<'_> {
        StoreDirectory {
            store: &*self.0.store,
            rotas: &self.0.rotas,
        }
    }

    /// A lock that those who use one idempotency key wait for, so that one of them does the work.
    pub(crate) fn key_lock(&self, key: &str) -> Arc<tokio::sync::Mutex<()>> {
        let mut keys = self.0.keys.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(lock) = keys.get(key).and_then(Weak::upgrade) {
            return lock;
        }
        if keys.len() > 10_000 {
            keys.retain(|_, lock| lock.strong_count() > 0);
        }
        let lock = Arc::new(tokio::sync::Mutex::new(()));
        keys.insert(key.to_owned(), Arc::downgrade(&lock));
        lock
    }

    /// The workflow by which a record begins: that of the catalogue's item, where one is asked for.
    pub(crate) fn workflow_to_begin(
        definitions: &Definitions,
        create: &Create,
    ) -> Result<Arc<Workflow>, EngineError> {
        let workflow = definitions.in_force(&create.workflow, create.item.as_ref());
        let none = || match &create.item {
            Some(item) => Rejection::not_found("catalogue item", item),
            None => Rejection::not_found("workflow", &create.workflow),
        };
        Ok(workflow.cloned().ok_or_else(none)?)
    }

    /// A workflow with its texts in the language that is liked best, where that is not its own.
    pub(crate) fn spoken(
        definitions: &Definitions,
        workflow: Arc<Workflow>,
        item: Option<&CatalogueItemId>,
        languages: &[String],
    ) -> Arc<Workflow> {
        match definitions.translation(languages) {
            Some(translation) => Arc::new(translation.workflow(&workflow, item)),
            None => workflow,
        }
    }

    /// The languages in which a person would read: what they prefer, or else what the directory says in
    /// its attribute `language`.
    ///
    /// # Errors
    /// Where the store fails.
    pub fn languages(&self, actor: &Actor) -> Result<Vec<String>, EngineError> {
        let id = actor
            .person()
            .and_then(|person| DirectoryId::new(person.as_str()).ok());
        let Some(id) = id else {
            return Ok(Vec::new());
        };
        for of in [kind::PREFERENCE, kind::USER] {
            let Ok(kind) = DirectoryKind::new(of) else {
                continue;
            };
            let id = id.clone();
            let thing = self.0.store.thing(&Key { kind, id })?;
            if let Some(language) = thing.as_ref().and_then(|thing| thing.text("language")) {
                return Ok(vec![language.to_owned()]);
            }
        }
        Ok(Vec::new())
    }

    /// The workflow of this name in force.
    pub(crate) fn active_workflow(
        definitions: &Definitions,
        id: &str,
    ) -> Result<Arc<Workflow>, EngineError> {
        let workflow = definitions.workflows.get(id).cloned();
        Ok(workflow.ok_or_else(|| Rejection::not_found("workflow", id))?)
    }
}

/// The store's directory, as decisions read it.
pub(crate) struct StoreDirectory<'a> {
    store: &'a dyn Store,
    rotas: &'a Versions<CompiledRota>,
}

impl Directory for StoreDirectory<'_> {
    fn thing(&self, key: &Key) -> Result<Option<Arc<FoundThing>>, StoreError> {
        self.store.thing(key)
    }

    fn rota(&self, thing: &FoundThing) -> Option<CompiledRota> {
        let digest = thing.digest();
        let known = self.rotas.get(&digest);
        known.or_else(|| Some(self.rotas.keep(digest, CompiledRota::of(thing)?)))
    }

    fn people_with_role(&self, role: &RoleId) -> Result<Vec<PersonId>, StoreError> {
        self.store.people_with_role(role)
    }

    fn record(&self, id: &RecordId) -> Result<Option<Arc<Record>>, StoreError> {
        self.store.record(id)
    }

    fn loads(&self, people: &[PersonId]) -> Result<Vec<Load>, StoreError> {
        self.store.loads_of(people)
    }

    fn windows(&self, query: &WindowsQuery) -> Result<Windows, StoreError> {
        self.store.windows(query)
    }

    fn last_assignee(
        &self,
        workflow: &WorkflowId,
        requester: &PersonId,
        aside: &RecordId,
    ) -> Result<Option<PersonId>, StoreError> {
        let query = ListQuery {
            workflow: Some(workflow.clone()),
            requester: Some(requester.clone()),
            sort: Sort::UpdatedDescending,
            limit: MOST_OF_REQUESTER,
            ..ListQuery::default()
        };
        let mut records = self.store.list(&query)?.records.into_iter();
        let assignee =
            |record: Arc<Record>| record.assignee.clone().filter(|_| record.id != *aside);
        Ok(records.find_map(assignee))
    }
}

/// The journal of a record, as the store has it.
pub(crate) struct StorePast<'a> {
    pub(crate) store: &'a dyn Store,
    pub(crate) id: Option<&'a RecordId>,
}

impl Past for StorePast<'_> {
    fn each(&self, show: &mut dyn FnMut(&Entry)) -> Result<(), StoreError> {
        let Some(id) = self.id else { return Ok(()) };
        let mut after = 0;
        loop {
            let entries = self.store.history(id, after, 200)?;
            let Some((_, last)) = entries.last() else {
                return Ok(());
            };
            after = last.version;
            for (_, entry) in &entries {
                show(entry);
            }
        }
    }
}

impl Pinned for Inner {
    fn service_level(&self, digest: &Digest) -> Option<Arc<ServiceLevel>> {
        let definitions = self
            .definitions
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        self.library.service_level(&definitions, digest)
    }

    fn calendar(&self, digest: &Digest) -> Option<Calendar> {
        self.library.calendar(digest)
    }

    fn public_address(&self) -> Option<Arc<str>> {
        let kept = self.public_address.read();
        kept.unwrap_or_else(PoisonError::into_inner).clone()
    }
}
