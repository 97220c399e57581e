//! A desk: the real engine and store with the pack of these tests, a clock that is given, no plugins.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::mpsc::sync_channel;

use definition::pack::Pack;
use engine::port::{Clock, Store as _};
use engine::{Engine, EngineError, Executed, Request};
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

    /// All that the journal holds, in order; what comes next is read while this is looked at.
    pub(crate) fn journal(&self) -> impl Iterator<Item = (u64, Item)> {
        let until = self.store.position().expect("it is read");
        let store = self.store.clone();
        let (read, parts) = sync_channel(4);
        std::thread::spawn(move || {
            let mut after = 0;
            while after < until {
                let items = store.journal(after, 500).expect("it is read");
                after = items.last().expect("there is more").0;
                if read.send(items).is_err() {
                    return;
                }
            }
        });
        let mut items = parts.into_iter().flatten();
        (1..=until).map(move |position| {
            let item = items.next().expect("all of it is read");
            assert_eq!(item.0, position, "nothing is left out");
            item
        })
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

    /// Does the first thing that is due of a record.
    pub(crate) async fn wake(&self, record: &RecordId) -> Result<Executed, EngineError> {
        self.execute(Actor::timer(), Some(record.clone()), Action::Wake)
            .await
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
        self.execute(actor, target, action).await
    }

    async fn execute(
        &self,
        actor: Actor,
        target: Option<RecordId>,
        action: Action,
    ) -> Result<Executed, EngineError> {
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
