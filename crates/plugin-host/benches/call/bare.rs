//! The component on wasmtime alone: a fresh instance from the pool for each call, with an epoch deadline
//! and a memory limit. Look-ups are answered, and WASI is there, as far as a guest comes to it.

use std::time::{Duration, Instant};

use engine::port::Member;
use serde_json::Value as Json;
use wasmtime::component::{Component, HasSelf, Linker, ResourceTable};
use wasmtime::{
    Config, Enabled, Engine, InstanceAllocationStrategy, PoolingAllocationConfig, Store,
};
use wasmtime::{StoreLimits, StoreLimitsBuilder, UpdateDeadline};
use wasmtime_wasi::{WasiCtx, WasiCtxBuilder, WasiCtxView, WasiView};

use crate::question::{TEAM, members, record};

mod bindings {
    #![allow(missing_docs, clippy::pedantic, reason = "generated from the contract")]
    wasmtime::component::bindgen!({
        path: "../../wit/v1/plugin.wit",
        world: "router",
        exports: { default: async },
    });
}

use bindings::servicewright::plugin::types::{self, PluginError};
use bindings::servicewright::plugin::{business_time, directory, log};

/// The component on wasmtime alone.
pub(crate) struct Bare {
    engine: Engine,
    template: bindings::RouterPre<State>,
    call: types::Call,
    subject: types::RecordView,
}

/// What compiling came to.
pub(crate) struct Compiled {
    pub(crate) time: Duration,
    pub(crate) bytes: usize,
}

struct State {
    limits: StoreLimits,
    table: ResourceTable,
    /// Made when the guest first needs it, as in the port.
    wasi: Option<WasiCtx>,
}

impl Bare {
    pub(crate) fn new(component: &[u8], settings: &Json) -> (Self, Compiled) {
        let engine = engine();
        let begun = Instant::now();
        let component = Component::from_binary(&engine, component).expect("it compiles");
        let compiled = Compiled {
            time: begun.elapsed(),
            bytes: component.serialize().expect("it was compiled here").len(),
        };
        let mut linker = Linker::<State>::new(&engine);
        log::add_to_linker::<_, HasSelf<State>>(&mut linker, |state| state).expect("links");
        business_time::add_to_linker::<_, HasSelf<State>>(&mut linker, |state| state)
            .expect("links");
        directory::add_to_linker::<_, HasSelf<State>>(&mut linker, |state| state).expect("links");
        wasmtime_wasi::p2::add_to_linker_async(&mut linker).expect("links");
        let template = linker.instantiate_pre(&component).expect("links");
        let bare = Self {
            engine,
            template: bindings::RouterPre::new(template).expect("a router"),
            call: types::Call {
                id: "call-1".to_owned(),
                attempt: 1,
                now: record().opened_at.millis(),
                seed: 7,
                actor: "ann".to_owned(),
                settings: settings.to_string(),
                facts: Vec::new(),
            },
            subject: subject(),
        };
        (bare, compiled)
    }

    pub(crate) async fn call(&self) -> Duration {
        let begun = Instant::now();
        let state = State {
            limits: StoreLimitsBuilder::new().memory_size(32 << 20).build(),
            table: ResourceTable::new(),
            wasi: None,
        };
        let mut store = Store::new(&self.engine, state);
        store.limiter(|state| &mut state.limits);
        store.set_epoch_deadline(1);
        store.epoch_deadline_callback(|_| Ok(UpdateDeadline::Yield(1)));
        let instance = self
            .template
            .instantiate_async(&mut store)
            .await
            .expect("an instance");
        let routing = instance.servicewright_plugin_routing();
        let answered = routing
            .call_route(&mut store, &self.call, &self.subject)
            .await;
        drop(store);
        let time = begun.elapsed();
        answered.expect("no trap").expect("an answer");
        time
    }
}

/// The engine, with a pool as the port has it.
fn engine() -> Engine {
    let mut pool = PoolingAllocationConfig::new();
    pool.total_component_instances(64)
        .total_stacks(64)
        .total_memories(128)
        .table_elements(50_000)
        .max_memory_size(64 << 20)
        .pagemap_scan(Enabled::Auto)
        .linear_memory_keep_resident(4 << 20)
        .table_keep_resident(16 << 10);
    let mut config = Config::new();
    config
        .epoch_interruption(true)
        .allocation_strategy(InstanceAllocationStrategy::Pooling(pool));
    let engine = Engine::new(&config).expect("an engine");
    let ticking = engine.weak();
    std::thread::spawn(move || {
        while let Some(engine) = ticking.upgrade() {
            engine.increment_epoch();
            drop(engine);
            std::thread::sleep(Duration::from_millis(1));
        }
    });
    engine
}

/// The record, in the contract's words.
fn subject() -> types::RecordView {
    let record = record();
    let fields = record.fields.iter().map(|(id, value)| types::Field {
        id: id.to_string(),
        value: types::Value::Text(value.as_text().unwrap_or_default().to_owned()),
    });
    types::RecordView {
        id: None,
        workflow: record.workflow.to_string(),
        state: record.state.clone(),
        category: types::StateCategory::Open,
        version: 0,
        requester: None,
        assignee: None,
        team: None,
        opened_at: record.opened_at.millis(),
        updated_at: record.opened_at.millis(),
        state_since: record.opened_at.millis(),
        fields: fields.collect(),
        facts: Vec::new(),
    }
}

impl WasiView for State {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView {
            ctx: self
                .wasi
                .get_or_insert_with(|| WasiCtxBuilder::new().build()),
            table: &mut self.table,
        }
    }
}

impl types::Host for State {}

impl log::Host for State {
    fn write(&mut self, _: log::Level, _: String) {}
}

impl business_time::Host for State {
    fn add(&mut self, _: String, start: i64, _: u64) -> Result<i64, PluginError> {
        Ok(start)
    }

    fn between(&mut self, _: String, _: i64, _: i64) -> Result<u64, PluginError> {
        Ok(0)
    }
}

impl directory::Host for State {
    fn user(&mut self, _: String) -> Result<Option<directory::Person>, PluginError> {
        Ok(None)
    }

    fn teams(&mut self) -> Result<Vec<String>, PluginError> {
        Ok(vec![TEAM.to_owned()])
    }

    fn members(&mut self, _: String) -> Result<Vec<directory::Member>, PluginError> {
        let member = |member: Member| directory::Member {
            user: member.user,
            skills: member.skills,
            on_shift: member.on_shift,
            open_records: member.open_records,
            last_assigned_at: None,
            facts: Vec::new(),
        };
        Ok(members().map(member).collect())
    }

    fn find(&mut self, _: String, _: String) -> Result<Option<Vec<types::Field>>, PluginError> {
        Ok(None)
    }

    fn linked(&mut self, _: String, _: String) -> Result<Vec<types::RecordView>, PluginError> {
        Ok(Vec::new())
    }

    fn referenced(&mut self, _: String) -> Result<Option<types::RecordView>, PluginError> {
        Ok(None)
    }

    fn alike(
        &mut self,
        _: String,
        _: Vec<types::Field>,
        _: i64,
    ) -> Result<Vec<types::RecordView>, PluginError> {
        Ok(Vec::new())
    }
}
