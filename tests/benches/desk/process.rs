//! Commands in process: engine, store and plugins, 64 in flight, each durable before its answer.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use definition::pack::Pack;
use engine::port::SystemClock;
use engine::{Engine, Request};
use model::command::{Action, Actor, Create, Who};
use model::id::{PersonId, RecordId, RoleId, TransitionId, WorkflowId};
use serde_json::{Value as Json, json};
use tokio::task::JoinSet;

use crate::Plan;
use crate::figures::{rate, resident_of};

/// How many commands are under way at once.
const IN_FLIGHT: u64 = 64;
/// Of the records, those that the load works on.
const OPEN: u64 = 20_000;

/// A command: the record, where there is one already, and what to do with it.
type Next = (Option<RecordId>, Action);

pub(crate) fn run(plan: &Plan, sync: Duration) {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    let folder = tempfile::tempdir().expect("a folder");
    runtime.block_on(async {
        let engine = open(folder.path(), &plan.plugins).await;
        let mut records = 0;
        for aim in [OPEN, plan.records] {
            if aim > records {
                fill(&engine, aim - records).await;
                records = aim;
                let done = work(&engine, records, plan.load).await;
                println!(
                    "in process: {records} records, {OPEN} of them worked on, {IN_FLIGHT} in flight, one in eight a create: {:.0} commands/s (target 20,000; one at a time the disk allows {:.0}/s)",
                    rate(done, plan.load),
                    1.0 / sync.as_secs_f64(),
                );
                records += done / 8;
            }
        }
        let entries = engine.positions().borrow().max(1);
        println!(
            "disk: {} bytes for each of {entries} entries of the journal, record, indexes and room to grow included (target 1,024 for a transition)",
            bytes(folder.path()) / entries
        );
        println!("in process: resident {} MiB under this load (target 400)", resident_of("self"));
    });
}

async fn fill(engine: &Engine, records: u64) {
    let begun = Instant::now();
    let left = AtomicU64::new(records);
    let one_less = |left: u64| left.checked_sub(1);
    load(engine, move |_, _| {
        left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_less)
            .ok()
            .map(|_| create())
    })
    .await;
    println!(
        "in process: {records} creates, two plugin calls each, in {:.1} s: {:.0}/s",
        begun.elapsed().as_secs_f64(),
        rate(records, begun.elapsed())
    );
}

/// Commands on the youngest records for a while; says how many were done.
async fn work(engine: &Engine, records: u64, time: Duration) -> u64 {
    let until = Instant::now() + time;
    let first = records.saturating_sub(OPEN);
    load(engine, move |worker, turn| {
        (Instant::now() < until).then(|| step(worker, turn, first, records))
    })
    .await
}

/// What the files of the store take on disk.
fn bytes(folder: &Path) -> u64 {
    let files = std::fs::read_dir(folder).expect("the folder of the store");
    files
        .flatten()
        .filter_map(|file| Some(file.metadata().ok()?.len()))
        .sum()
}

async fn open(folder: &Path, plugins: &Path) -> Engine {
    let store =
        Arc::new(store::RedbStore::open(folder, store::Options::default()).expect("a store"));
    // As the server has it: what compiling takes is not this process's.
    let compiler = || {
        let mut command = std::process::Command::new(test_support::binary());
        command.arg("compile-plugin");
        Ok(command)
    };
    let options = plugin_host::Options {
        compiler: Some(Arc::new(compiler)),
        ..plugin_host::Options::default()
    };
    let host = Arc::new(plugin_host::WasmPlugins::new(options).expect("a host"));
    let engine = Engine::open(store, host, Arc::new(SystemClock))
        .await
        .expect("an engine");
    let folder = test_support::repository().join("packs/itil");
    let pack = Pack::read(&test_support::texts(&folder)).expect("the shipped pack");
    let component = |name: &str| std::fs::read(plugins.join(name)).ok();
    engine
        .install("bench", &pack, &component)
        .await
        .expect("the plugins are built: `cargo xtask build --plugins`");
    engine
}

/// Keeps [`IN_FLIGHT`] commands under way, each worker its own, while there is a next one; says how
/// many were done.
async fn load(
    engine: &Engine,
    next: impl Fn(u64, u64) -> Option<Next> + Send + Sync + 'static,
) -> u64 {
    let next = Arc::new(next);
    let mut workers = JoinSet::new();
    for worker in 0..IN_FLIGHT {
        let (engine, next) = (engine.clone(), next.clone());
        workers.spawn(async move {
            let mut done = 0;
            while let Some((target, action)) = next(worker, done) {
                let request = Request {
                    target,
                    actor: agent(),
                    action,
                    idempotency: None,
                    if_version: None,
                    languages: Vec::new(),
                };
                engine.execute(request).await.expect("it is carried out");
                done += 1;
            }
            done
        });
    }
    workers.join_all().await.into_iter().sum()
}

fn agent() -> Actor {
    let role = |name| RoleId::new(name).expect("a role");
    Actor {
        who: Who::Person(PersonId::new("agent").expect("a person")),
        roles: [role("agent"), role("administrator")].into(),
        teams: std::collections::BTreeSet::new(),
    }
}

fn create() -> Next {
    let fields = json!({ "summary": "The printer prints nothing", "description": "x".repeat(700), "urgency": "medium" });
    let create = Create {
        item: None,
        parent: None,
        workflow: WorkflowId::new("incident").expect("a workflow"),
        via: Some(TransitionId::new("report").expect("a way to begin")),
        requester: None,
        fields: map(fields),
        link: None,
        reference: None,
    };
    (None, Action::Create(create))
}

/// One command in eight creates; the others change records that are the worker's own.
fn step(worker: u64, turn: u64, first: u64, records: u64) -> Next {
    if turn.is_multiple_of(8) {
        return create();
    }
    let share = (records - first) / IN_FLIGHT;
    let number = first + worker * share + turn.wrapping_mul(2_654_435_761) % share.max(1) + 1;
    let id = RecordId::numbered("INC", number).expect("a number");
    let fields =
        map(json!({ "description": format!("Seen again, turn {turn}. {}", "x".repeat(600)) }));
    (Some(id), Action::Update { fields })
}

fn map(json: Json) -> serde_json::Map<String, Json> {
    match json {
        Json::Object(map) => map,
        _ => serde_json::Map::new(),
    }
}
