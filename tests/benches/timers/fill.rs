//! Fills a store with records of which each waits for a timer, through the engine and the store's own
//! commits, at a time that is turned by hand.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use definition::pack::Pack;
use engine::port::ManualClock;
use engine::{Engine, Request};
use futures::future::join_all;
use model::command::{Action, Actor, Create, Who};
use model::id::{PersonId, WorkflowId};
use serde_json::{Map, json};
use store::RedbStore;
use tokio::task::JoinSet;

use crate::figures::rate;
use crate::no_plugins::NoPlugins;
use crate::{DUE_A_SECOND, LEAD, since_epoch};

/// How many records begin at once.
const AT_ONCE: u64 = 64;

const PACK: &str = "apiVersion: servicewright/v1
kind: Pack
id: waiting
version: 1.0.0
title: Records that wait
zone: UTC
";

/// A workflow whose records settle by themselves after a wait.
fn workflow(id: &str, number: &str, wait: &str) -> String {
    format!(
        "apiVersion: servicewright/v1
kind: Workflow
id: {id}
title: Waiting
number: {number}
see: {{ anyone: true }}
fields: {{ summary: {{ type: string }} }}
create: {{ begin: {{ to: begun, permit: {{ anyone: true }}, form: {{ summary: {{}} }} }} }}
states:
  begun:
    category: open
    transitions: {{ settle: {{ to: settled }} }}
    timers: {{ settle: {{ {wait}, do: settle }} }}
  settled: {{ category: closed, outcome: done }}
"
    )
}

/// Begins `pending` records whose timers are due in weeks, and `due` whose timers are due soon, so many
/// a second; says from when on, since 1970.
pub(crate) async fn fill(data: &Path, pending: u64, due: u64) -> Duration {
    let store = RedbStore::open(data, store::Options::default()).expect("the store opens");
    let store = Arc::new(store);
    let now = || millis(since_epoch());
    let clock = Arc::new(ManualClock::at(now()));
    let engine = Engine::open(store.clone(), Arc::new(NoPlugins), clock.clone())
        .await
        .expect("an engine");
    install(&engine).await;

    let begun = Instant::now();
    let left = Arc::new(AtomicU64::new(pending));
    let mut workers = JoinSet::new();
    for _ in 0..AT_ONCE {
        let (engine, left) = (engine.clone(), left.clone());
        workers.spawn(async move {
            let one_less = |left: u64| left.checked_sub(1);
            while left
                .fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_less)
                .is_ok()
            {
                begin(&engine, "later").await;
            }
        });
    }
    workers.join_all().await;
    println!(
        "fill: {pending} records with a pending timer each: {:.0}/s",
        rate(pending, begun.elapsed())
    );

    let first = since_epoch() + LEAD;
    for number in (0..due).step_by(usize::try_from(AT_ONCE).expect("few")) {
        let comes = first + Duration::from_millis(number * 1_000 / DUE_A_SECOND);
        clock.set(millis(comes.saturating_sub(Duration::from_hours(1))));
        let several = number..due.min(number + AT_ONCE);
        join_all(several.map(|_| begin(&engine, "soon"))).await;
    }
    drop(engine);
    let closing = tokio::task::spawn_blocking(move || store.close());
    closing.await.expect("the store closes");
    first
}

fn millis(time: Duration) -> model::Instant {
    model::Instant::from_millis(i64::try_from(time.as_millis()).expect("it is soon"))
}

async fn install(engine: &Engine) {
    let files = BTreeMap::from([
        ("pack.yaml".to_owned(), PACK.to_owned()),
        (
            "workflows/later.yaml".to_owned(),
            workflow("later", "LTR", "wait: { time: P30D }, jitter: P20D"),
        ),
        (
            "workflows/soon.yaml".to_owned(),
            workflow("soon", "SOO", "wait: { time: PT1H }"),
        ),
    ]);
    let pack = Pack::read(&files).expect("a pack");
    let none = |_: &str| None::<Vec<u8>>;
    let installed = engine.install("bench", &pack, &none).await;
    installed.expect("it is installed");
}

async fn begin(engine: &Engine, workflow: &str) {
    let summary = json!("The printer prints nothing, and nobody has looked at it yet");
    let create = Create {
        workflow: WorkflowId::new(workflow).expect("a workflow"),
        item: None,
        via: None,
        requester: None,
        fields: Map::from_iter([("summary".to_owned(), summary)]),
        parent: None,
        link: None,
        reference: None,
    };
    let request = Request {
        target: None,
        actor: Actor {
            who: Who::Person(PersonId::new("ada").expect("a person")),
            roles: BTreeSet::new(),
            teams: BTreeSet::new(),
        },
        action: Action::Create(create),
        idempotency: None,
        if_version: None,
        languages: Vec::new(),
    };
    engine.execute(request).await.expect("it is carried out");
}
