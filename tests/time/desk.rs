//! A desk: the real engine and store with the pack of these tests, a clock that is given, no plugins.

use std::collections::BTreeSet;
use std::sync::Arc;

use definition::pack::Pack;
use engine::port::{Clock, Store as _};
use engine::{Engine, EngineError, Executed, Request};
use model::Instant;
use model::command::{Action, Actor, Who};
use model::directory::{Key, Thing};
use model::id::{DirectoryId, DirectoryKind, PersonId, RecordId, RoleId};
use model::journal::Item;
use serde_json::Value as Json;
use store::RedbStore;

use crate::no_plugins::NoPlugins;

pub(crate) struct Desk {
    pub(crate) engine: Engine,
    pub(crate) store: Arc<RedbStore>,
}

impl Desk {
    pub(crate) async fn open(clock: Arc<dyn Clock>) -> Self {
        let options = store::Options::default();
        let store = Arc::new(RedbStore::in_memory(options).expect("a store"));
        let engine = Engine::open(store.clone(), Arc::new(NoPlugins), clock).await;
        let engine = engine.expect("an engine");
        let folder = test_support::repository().join("tests/time/pack");
        let pack = Pack::read(&test_support::texts(&folder)).expect("the pack of these tests");
        let none = |_: &str| None::<Vec<u8>>;
        engine
            .install("test", &pack, &none)
            .await
            .expect("it is installed");
        Self { engine, store }
    }

    /// All that the journal holds, in order.
    pub(crate) fn journal(&self) -> impl Iterator<Item = (u64, Item)> {
        let mut after = 0;
        let parts = std::iter::from_fn(move || {
            let items = self.store.journal(after, 500).expect("it is read");
            after = items.last()?.0;
            Some(items)
        });
        parts.flatten()
    }

    pub(crate) async fn put(&self, kind: &str, id: &str, thing: Json) {
        let operator = Actor {
            who: Who::Operator,
            ..Actor::timer()
        };
        let key = Key {
            kind: DirectoryKind::new(kind).expect("a kind"),
            id: DirectoryId::new(id).expect("an id"),
        };
        let Json::Object(thing) = thing else {
            panic!("a thing is an object")
        };
        let put = self.engine.put_thing(&operator, key, Some(Thing(thing)));
        put.await.expect("it is put");
    }

    /// When something is due next.
    pub(crate) fn next_due(&self) -> Option<Instant> {
        let all = Instant::from_millis(i64::MAX);
        let due = self.store.due(all, 1).expect("it is read");
        due.first().map(|due| due.due)
    }

    pub(crate) async fn act(
        &self,
        person: &PersonId,
        is_agent: bool,
        target: Option<RecordId>,
        action: Action,
    ) -> Result<Executed, EngineError> {
        let roles: BTreeSet<RoleId> = if is_agent {
            [RoleId::new("agent").expect("a role")].into()
        } else {
            BTreeSet::new()
        };
        let actor = Actor {
            who: Who::Person(person.clone()),
            roles,
            teams: BTreeSet::new(),
        };
        let request = Request {
            target,
            actor,
            action,
            idempotency: None,
            if_version: None,
            languages: Vec::new(),
        };
        self.engine.execute(request).await
    }
}
