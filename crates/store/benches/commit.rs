//! What a durable commit costs: 64 in flight on some open records among many, beside one write of
//! 4 KiB with its sync, which is the limit of the machine at that moment.
//!
//! `STORE_BENCH_RECORDS` sets how many records there are (20,000), `STORE_BENCH_OPEN` how many of
//! them are worked on (20,000).

use std::fs::File;
use std::io::{Seek, SeekFrom, Write};
use std::sync::Arc;
use std::time::{Duration, Instant};

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use engine::port::{ListQuery, RecordCommit, Store};
use futures::StreamExt;
use futures::stream::FuturesUnordered;
use model::command::{Action, Actor, Command, IdempotencyKey};
use model::definition::Category;
use model::event::Event;
use model::journal::{Entry, encode, entry_hash};
use model::record::Record;
use model::{Digest, Value};
use servicewright_store::contract::samples::{at, commit, id, new_record};
use servicewright_store::{Options, RedbStore};

const IN_FLIGHT: usize = 64;

fn setting(name: &str, default: usize) -> usize {
    let set = std::env::var(name).ok();
    set.and_then(|text| text.parse().ok()).unwrap_or(default)
}

/// A desk at work: each step moves one open record on, as the engine would commit it.
struct Desk {
    store: RedbStore,
    open: Vec<Arc<Record>>,
    random: u64,
    clock: i64,
    runtime: tokio::runtime::Runtime,
}

impl Desk {
    fn new(store: RedbStore) -> Self {
        Self {
            store,
            open: Vec::new(),
            random: 0x9e37_79b9_7f4a_7c15,
            clock: 0,
            runtime: tokio::runtime::Builder::new_current_thread()
                .build()
                .expect("a runtime without I/O needs nothing"),
        }
    }

    fn random(&mut self) -> u64 {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        self.random
    }

    /// Anything less than a bound.
    fn below(&mut self, bound: usize) -> usize {
        let random = self.random() % u64::try_from(bound).expect("a small number");
        usize::try_from(random).expect("less than the bound")
    }

    fn begin(&mut self, number: usize) -> RecordCommit {
        let mut record = new_record(&format!("INC-{number}"), at(self.clock));
        let text = "It worked yesterday, and today it does not. ".repeat(10);
        record.fields.insert(id("description"), Value::Text(text));
        for (field, value) in [("impact", "high"), ("urgency", "low"), ("priority", "p3")] {
            record.fields.insert(id(field), Value::from(value));
        }
        record.requester = Some(id(&format!("person-{}", number % 5_000)));
        self.step(None, record)
    }

    fn next(&mut self, which: usize) -> RecordCommit {
        let before = Arc::clone(&self.open[which]);
        let mut record = Record::clone(&before);
        record.state = id(["new", "in-progress", "waiting-user"][self.below(3)]);
        record.category = [Category::Open, Category::Waiting][self.below(2)];
        record.team = Some(id(["desk", "network", "applications"][self.below(3)]));
        record.assignee = Some(id(&format!("agent-{}", self.below(200))));
        let wait = i64::try_from(self.below(100_000)).expect("a small number");
        let due = at(self.clock + wait);
        record.timers.insert(id("auto-close"), due);
        self.step(Some(before), record)
    }

    fn step(&mut self, before: Option<Arc<Record>>, mut record: Record) -> RecordCommit {
        self.clock += 1;
        let now = at(self.clock);
        record.version += 1;
        record.updated_at = now;
        let key = format!("client/{:016x}{:016x}", self.random(), self.clock);
        let request = Digest::of(key.as_bytes());
        let entry = Entry {
            version: record.version,
            previous: before.as_ref().map_or_else(Digest::default, |b| b.head),
            command: Command {
                actor: Actor::timer(),
                at: now,
                action: Action::Comment {
                    text: "The usual. ".repeat(20),
                    public: true,
                },
            },
            idempotency: Some(IdempotencyKey { key, request }),
            configuration: Digest::of(b"configuration"),
            lookups: Vec::new(),
            decisions: Vec::new(),
            events: vec![Event::Assigned {
                team: record.team.clone(),
                assignee: record.assignee.clone(),
                reason: "The least busy.".to_owned(),
            }],
        };
        let encoded_entry = encode(&entry);
        record.head = entry_hash(&record.id, &encoded_entry);
        RecordCommit {
            before,
            after: Arc::new(record),
            entry,
            encoded_entry,
            blobs: Vec::new(),
            windows_as_of: None,
        }
    }

    /// Fills the store; the last `open` records are worked on.
    fn fill(&mut self, records: usize, open: usize) {
        let mut number = 0;
        while number < records {
            let count = 1_024.min(records - number);
            let steps: Vec<_> = (1..=count).map(|n| self.begin(number + n)).collect();
            number += count;
            let keep = records - open;
            let kept = steps
                .iter()
                .filter(|step| step.after.id.number() > keep as u64);
            self.open.extend(kept.map(|step| Arc::clone(&step.after)));
            let answers = steps
                .into_iter()
                .map(|step| self.store.commit(commit(step)));
            for answer in self.runtime.block_on(futures::future::join_all(answers)) {
                answer.expect("nothing stands against it");
            }
        }
    }

    /// Makes so many commits, 64 of them in flight at any time.
    fn work(&mut self, commits: u64) -> Duration {
        let runtime = std::mem::replace(
            &mut self.runtime,
            tokio::runtime::Builder::new_current_thread()
                .build()
                .expect("a runtime without I/O needs nothing"),
        );
        let since = Instant::now();
        runtime.block_on(async {
            let mut flying = FuturesUnordered::new();
            let mut busy = std::collections::HashSet::new();
            let mut sent = 0;
            while sent < commits || !flying.is_empty() {
                while sent < commits && flying.len() < IN_FLIGHT.min(self.open.len()) {
                    let mut which = self.below(self.open.len());
                    while !busy.insert(which) {
                        which = self.below(self.open.len());
                    }
                    let step = self.next(which);
                    let after = Arc::clone(&step.after);
                    let answer = self.store.commit(commit(step));
                    flying.push(async move { (which, after, answer.await) });
                    sent += 1;
                }
                if let Some((which, after, answer)) = flying.next().await {
                    answer.expect("nothing stands against it");
                    busy.remove(&which);
                    self.open[which] = after;
                }
            }
        });
        self.runtime = runtime;
        since.elapsed()
    }
}

fn benches(criterion: &mut Criterion) {
    let records = setting("STORE_BENCH_RECORDS", 20_000);
    let open = setting("STORE_BENCH_OPEN", 20_000).min(records);
    let folder = tempfile::tempdir().expect("a temporary folder");

    let mut file = File::create(folder.path().join("probe")).expect("a file");
    let page = [7_u8; 4_096];
    file.write_all(&page.repeat(256)).expect("space for 1 MiB");
    file.sync_all().expect("a sync");
    criterion.bench_function("limit: one 4 KiB write and fdatasync", |bencher| {
        bencher.iter(|| {
            file.seek(SeekFrom::Start(0)).expect("a seek");
            file.write_all(&page).expect("a write");
            file.sync_data().expect("a sync");
        });
    });

    let store = RedbStore::open(folder.path(), Options::default()).expect("a new store");
    let mut desk = Desk::new(store);
    let since = Instant::now();
    desk.fill(records, open);
    println!("{records} records made in {:?}", since.elapsed());

    let mut group = criterion.benchmark_group(format!("{records} records, {open} open"));
    group.throughput(Throughput::Elements(1));
    group
        .sample_size(10)
        .measurement_time(Duration::from_secs(10));
    group.bench_function("one durable commit of 64 in flight", |bencher| {
        bencher.iter_custom(|commits| desk.work(commits));
    });
    let which = desk.open[0].id.clone();
    group.bench_function("reading a record", |bencher| {
        bencher.iter(|| desk.store.record(&which));
    });
    let query = ListQuery {
        team: Some(id("desk")),
        limit: 50,
        ..ListQuery::default()
    };
    group.bench_function("listing 50 records of a team", |bencher| {
        bencher.iter(|| desk.store.list(&query).expect("a list"));
    });
    group.finish();
    desk.store.close();
    for name in ["truth.redb", "views.redb"] {
        let bytes = std::fs::metadata(folder.path().join(name)).map(|meta| meta.len());
        println!("{name}: {} bytes", bytes.unwrap_or_default());
    }
    println!("last position: {}", desk.clock);
}

criterion_group!(commit_bench, benches);
criterion_main!(commit_bench);
