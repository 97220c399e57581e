//! What a decision costs through the port, beside a bare call of the same component with the same
//! look-ups: a fresh instance from the pool each time, with an epoch deadline and a memory limit.
//! The record is of 2 KiB in 20 fields.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use engine::port::{BindingSetup, LookupError, Member, Plugins as _, Staged, Surroundings};
use futures::future::BoxFuture;
use model::definition::Category;
use model::hook::{Ask, Call, Question, RecordView};
use model::id::{BindingId, DirectoryKind, FieldId, WorkflowId};
use model::{Digest, Value};
use serde_json::{Map, Value as Json, json};
use servicewright_plugin_host::{Options, WasmPlugins};
use wasmtime::component::{Component, HasSelf, Linker};
use wasmtime::{
    Config, Enabled, Engine, InstanceAllocationStrategy, PoolingAllocationConfig, Store,
};
use wasmtime::{StoreLimits, StoreLimitsBuilder, UpdateDeadline};

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

const WARM_UP: usize = 500;
const CALLS: usize = 5_000;

fn main() {
    let target = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("..");
    let folder = std::env::var_os("WRIGHT_PLUGINS").map_or(target.join("plugins"), PathBuf::from);
    let Ok(component) = std::fs::read(folder.join("skills-router.wasm")) else {
        println!("skipped: skills-router is not built; `cargo xtask build --plugins` does it");
        return;
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    runtime.block_on(async {
        let bare = Bare::new(&component);
        let port = Port::new(&component).await;
        // Taken in turns, so that what disturbs the machine disturbs both.
        let (mut bare_times, mut port_times) = (Vec::new(), Vec::new());
        for round in 0..WARM_UP + CALLS {
            let bare_time = bare.call().await;
            let port_time = port.call().await;
            if round >= WARM_UP {
                bare_times.push(bare_time);
                port_times.push(port_time);
            }
        }
        for (share, name) in [(50, "p50"), (99, "p99")] {
            let (bare, port) = (at(&mut bare_times, share), at(&mut port_times, share));
            let ratio = port.as_secs_f64() / bare.as_secs_f64();
            println!(
                "decision call {name}: bare {bare:?}, through the port {port:?}, {ratio:.2} times"
            );
        }
    });
}

/// The time that this share of calls, in percent, stays within.
fn at(times: &mut [Duration], share: usize) -> Duration {
    times.sort_unstable();
    times[(times.len() * share / 100).min(times.len() - 1)]
}

/// 20 fields, about 2 KiB.
fn record() -> RecordView {
    let now = model::Instant::from_millis(1_700_000_000_000);
    let fields: BTreeMap<FieldId, Value> = (0..20)
        .map(|number| {
            let id = FieldId::new(&format!("field_{number}")).expect("an id");
            (id, Value::Text("x".repeat(90)))
        })
        .collect();
    RecordView {
        id: None,
        workflow: WorkflowId::new("incident").expect("an id"),
        state: "new".to_owned(),
        category: Category::Open,
        version: 0,
        requester: None,
        assignee: None,
        team: None,
        opened_at: now,
        updated_at: now,
        state_since: now,
        fields,
    }
}

/// The component through the port.
struct Port {
    host: WasmPlugins,
    question: Question,
    desk: Arc<Desk>,
}

impl Port {
    async fn new(component: &[u8]) -> Self {
        let host = WasmPlugins::new(Options::default()).expect("a host");
        let plugin = json!({
            "component": { "file": "a.wasm" },
            "hooks": { "routing": true },
            "grants": { "directory": { "team": true, "service": true, "user": true } },
        });
        let id = BindingId::new("router").expect("an id");
        let setup = BindingSetup {
            id: id.clone(),
            plugin: Arc::new(serde_json::from_value(plugin).expect("a plugin")),
            digest: Digest::of(component),
            component: component.into(),
            staged: Staged::default(),
        };
        host.set_up(vec![setup]).await.expect("it is set up");
        let question = Question {
            binding: id,
            subject: record(),
            ask: Ask::Route,
        };
        Self {
            host,
            question,
            desk: Arc::new(Desk),
        }
    }

    async fn call(&self) -> Duration {
        let call = Call {
            id: "call-1".to_owned(),
            attempt: 1,
            now: self.question.subject.opened_at,
            seed: 7,
            actor: "ann".to_owned(),
        };
        let begun = Instant::now();
        let reply = self.host.ask(call, &self.question, self.desk.clone()).await;
        let time = begun.elapsed();
        reply.answer.expect("an answer");
        time
    }
}

/// The component on wasmtime alone.
struct Bare {
    engine: Engine,
    template: bindings::RouterPre<State>,
    call: types::Call,
    subject: types::RecordView,
}

struct State {
    limits: StoreLimits,
}

impl Bare {
    fn new(component: &[u8]) -> Self {
        let mut pool = PoolingAllocationConfig::new();
        pool.total_component_instances(64)
            .total_stacks(64)
            .total_memories(128)
            .max_memory_size(64 << 20)
            .pagemap_scan(Enabled::Auto)
            .linear_memory_keep_resident(4 << 20)
            .table_keep_resident(16 << 10);
        let mut config = Config::new();
        config
            .epoch_interruption(true)
            .allocation_strategy(InstanceAllocationStrategy::Pooling(pool));
        let engine = Engine::new(&config).expect("an engine");
        let ticking = engine.clone();
        std::thread::spawn(move || {
            loop {
                std::thread::sleep(Duration::from_millis(1));
                ticking.increment_epoch();
            }
        });
        let component = Component::from_binary(&engine, component).expect("it compiles");
        let mut linker = Linker::<State>::new(&engine);
        log::add_to_linker::<_, HasSelf<State>>(&mut linker, |state| state).expect("links");
        business_time::add_to_linker::<_, HasSelf<State>>(&mut linker, |state| state)
            .expect("links");
        directory::add_to_linker::<_, HasSelf<State>>(&mut linker, |state| state).expect("links");
        linker
            .define_unknown_imports_as_traps(&component)
            .expect("links");
        let template = linker.instantiate_pre(&component).expect("links");
        let record = record();
        let fields = record.fields.iter().map(|(id, value)| types::Field {
            id: id.to_string(),
            value: types::Value::Text(value.as_text().unwrap_or_default().to_owned()),
        });
        Self {
            engine,
            template: bindings::RouterPre::new(template).expect("a router"),
            call: types::Call {
                id: "call-1".to_owned(),
                attempt: 1,
                now: record.opened_at.millis(),
                seed: 7,
                actor: "ann".to_owned(),
                settings: "{}".to_owned(),
                facts: Vec::new(),
            },
            subject: types::RecordView {
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
            },
        }
    }

    async fn call(&self) -> Duration {
        let begun = Instant::now();
        let limits = StoreLimitsBuilder::new().memory_size(32 << 20).build();
        let mut store = Store::new(&self.engine, State { limits });
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
        Ok(vec!["service-desk".to_owned()])
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

fn members() -> impl Iterator<Item = Member> {
    (0..8).map(|number| Member {
        user: format!("person-{number}"),
        skills: vec!["network".to_owned(), "storage".to_owned()],
        on_shift: number % 2 == 0,
        open_records: number,
        last_assigned_at: None,
    })
}

/// A desk with one team.
struct Desk;

impl Surroundings for Desk {
    fn thing(&self, _: &DirectoryKind, _: &str) -> Result<Option<Map<String, Json>>, LookupError> {
        Ok(None)
    }

    fn teams(&self) -> Result<Vec<String>, LookupError> {
        Ok(vec!["service-desk".to_owned()])
    }

    fn members(&self, _: &str, _: model::Instant) -> Result<Vec<Member>, LookupError> {
        Ok(members().collect())
    }

    fn linked(&self, _: &str, _: &str) -> Result<Vec<RecordView>, LookupError> {
        Ok(Vec::new())
    }

    fn alike(
        &self,
        _: &str,
        _: &[(FieldId, Value)],
        _: model::Instant,
    ) -> Result<Vec<RecordView>, LookupError> {
        Ok(Vec::new())
    }

    fn referenced(&self, _: &BindingId, _: &str) -> Result<Option<RecordView>, LookupError> {
        Ok(None)
    }

    fn business_add(
        &self,
        _: &str,
        start: model::Instant,
        span: model::Duration,
    ) -> Result<model::Instant, LookupError> {
        Ok(start.saturating_add(span))
    }

    fn business_between(
        &self,
        _: &str,
        start: model::Instant,
        end: model::Instant,
    ) -> Result<model::Duration, LookupError> {
        Ok(end.since(start))
    }

    fn key_value(&self, _: &BindingId, _: &str) -> Result<Option<Vec<u8>>, LookupError> {
        Ok(None)
    }

    fn compare_and_set(
        &self,
        _: &BindingId,
        _: &str,
        _: Option<Vec<u8>>,
        _: Option<Vec<u8>>,
    ) -> BoxFuture<'_, Result<bool, LookupError>> {
        Box::pin(std::future::ready(Ok(false)))
    }

    fn keys(&self, _: &BindingId, _: &str, _: Option<&str>) -> Result<Vec<String>, LookupError> {
        Ok(Vec::new())
    }
}
