//! A fresh desk in virtual time: the real engine on a real store, and a clock that is turned by hand
//! from one thing that is due to the next.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use definition::compile::Definitions;
use engine::port::{Clock as _, ListQuery, ManualClock, Plugins, Sort, Store as _};
use engine::{Engine, EngineError, Request};
use model::Instant;
use model::command::{Action, Actor, Who};
use model::directory::{Key, Thing};
use model::id::{LinkKind, PersonId, RecordId};
use model::journal::Entry;
use model::record::Record;
use store::RedbStore;

/// How many things that are due are done between two steps. A definition that never comes to rest
/// ends here.
const MOST_DUE: usize = 5_000;
/// Desks are small: so many bytes of pages and records are kept in memory.
const CACHE_BYTES: usize = 4 << 20;
/// How many records of a desk are looked at.
const MOST_RECORDS: usize = 1_000;
/// How many entries of a record are read at once.
const ENTRIES: usize = 200;

/// A desk of its own for one scenario.
pub(super) struct Desk {
    pub(super) engine: Engine,
    store: Arc<RedbStore>,
    clock: Arc<ManualClock>,
    /// Up to where each record was looked at by a step that was about it.
    looked_at: HashMap<RecordId, u64>,
}

impl Desk {
    /// A desk under these definitions, with nothing in it, at this instant.
    ///
    /// # Errors
    /// Where the store fails.
    pub(super) fn new(
        definitions: Arc<Definitions>,
        plugins: Arc<dyn Plugins>,
        at: Instant,
    ) -> Result<Self, EngineError> {
        let store = Arc::new(RedbStore::in_memory(store::Options {
            truth_cache_bytes: CACHE_BYTES,
            views_cache_bytes: CACHE_BYTES,
            record_cache_bytes: CACHE_BYTES,
            ..store::Options::default()
        })?);
        let clock = Arc::new(ManualClock::at(at));
        let engine = Engine::trial(store.clone(), plugins, clock.clone(), definitions)?;
        Ok(Self {
            engine,
            store,
            clock,
            looked_at: HashMap::new(),
        })
    }

    /// Puts things into the directory, or takes them out.
    ///
    /// # Errors
    /// Where one has not the shape of its kind, or the store fails.
    pub(super) async fn put(
        &self,
        things: impl IntoIterator<Item = (Key, Option<Thing>)>,
    ) -> Result<(), EngineError> {
        let operator = Actor {
            who: Who::Operator,
            roles: BTreeSet::new(),
            teams: BTreeSet::new(),
        };
        for (key, thing) in things {
            self.engine.put_thing(&operator, key, thing).await?;
        }
        Ok(())
    }

    /// Lets time run on: whatever is due by then is done at its own time, the earliest first, with all
    /// that it causes. Then it is that time.
    ///
    /// # Errors
    /// Where something that is due cannot be done, or more is due than a desk ever has.
    pub(super) async fn run_until(&self, until: Instant) -> Result<(), EngineError> {
        for _ in 0..MOST_DUE {
            let effect = self.store.effects_due(until, 1)?.into_iter().next();
            let due = self.store.due(until, 1)?.into_iter().next();
            // What was caused happens before what comes next.
            let is_effect = match (&effect, &due) {
                (None, None) => {
                    self.clock.set(until);
                    return Ok(());
                }
                (Some(effect), Some(due)) => effect.due <= due.due,
                (effect, _) => effect.is_some(),
            };
            let Some(next) = (if is_effect { effect } else { due }) else {
                continue;
            };
            self.clock.set(self.clock.now().max(next.due));
            if is_effect {
                self.engine.try_effects(&next.record).await?;
            } else {
                self.wake(next.record).await?;
            }
        }
        Err(EngineError::Busy(format!(
            "more than {MOST_DUE} things are due: the definitions never come to rest"
        )))
    }

    async fn wake(&self, record: RecordId) -> Result<(), EngineError> {
        let request = Request {
            target: Some(record),
            actor: Actor::timer(),
            action: Action::Wake,
            idempotency: None,
            if_version: None,
            languages: Vec::new(),
        };
        self.engine.execute(request).await.map(drop)
    }

    /// Carries out what a person does, with what it causes at once.
    ///
    /// # Errors
    /// Where it is refused, or the store fails.
    pub(super) async fn act(
        &self,
        person: &PersonId,
        target: Option<RecordId>,
        action: Action,
    ) -> Result<RecordId, EngineError> {
        let request = Request {
            target,
            actor: self.person(person)?,
            action,
            idempotency: None,
            if_version: None,
            languages: Vec::new(),
        };
        let executed = self.engine.execute(request).await?;
        self.run_until(self.clock.now()).await?;
        Ok(executed.record.id.clone())
    }

    /// A person with their roles and teams of now.
    ///
    /// # Errors
    /// Where the store fails.
    pub(super) fn person(&self, person: &PersonId) -> Result<Actor, EngineError> {
        self.engine.actor(person, &BTreeSet::new())
    }

    /// A record as it stands.
    ///
    /// # Errors
    /// Where the store fails.
    pub(super) fn record(&self, id: &RecordId) -> Result<Option<Arc<Record>>, EngineError> {
        Ok(self.store.record(id)?)
    }

    /// The records that a record is linked to by a kind of link, as it is called from there.
    ///
    /// # Errors
    /// Where the store fails.
    pub(super) fn linked(
        &self,
        record: &Record,
        kind: &LinkKind,
    ) -> Result<Vec<Arc<Record>>, EngineError> {
        let workflow = self.engine.workflow_of_record(record)?;
        let Some(side) = workflow.links.get(kind) else {
            return Ok(Vec::new());
        };
        let mut linked = Vec::new();
        for target in record.links_of(&side.kind, side.inverse) {
            linked.extend(self.record(target)?);
        }
        Ok(linked)
    }

    /// The present time.
    pub(super) fn now(&self) -> Instant {
        self.clock.now()
    }

    /// What became of a record since the last step that was about it.
    ///
    /// # Errors
    /// Where the store fails.
    pub(super) fn news(&self, id: &RecordId) -> Result<Vec<Entry>, EngineError> {
        let looked_at = self.looked_at.get(id).copied().unwrap_or_default();
        let (mut after, mut news) = (0, Vec::new());
        loop {
            let entries = self.store.history(id, after, ENTRIES)?;
            let Some((_, last)) = entries.last() else {
                return Ok(news);
            };
            after = last.version;
            let new = entries.into_iter().filter(|(at, _)| *at > looked_at);
            news.extend(new.map(|(_, entry)| entry));
        }
    }

    /// A step that was about a record has ended: what follows is news of it.
    ///
    /// # Errors
    /// Where the store fails.
    pub(super) fn step_ended(&mut self, about: &RecordId) -> Result<(), EngineError> {
        let position = self.store.position()?;
        self.looked_at.insert(about.clone(), position);
        Ok(())
    }

    /// All records, whatever made them.
    ///
    /// # Errors
    /// Where the store fails.
    pub(super) fn records(&self) -> Result<Vec<Arc<Record>>, EngineError> {
        let query = ListQuery {
            sort: Sort::UpdatedAscending,
            limit: MOST_RECORDS,
            ..ListQuery::default()
        };
        Ok(self.store.list(&query)?.records)
    }
}
