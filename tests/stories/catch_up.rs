//! The server is killed, and is down while thousands of timers come due: once it runs again, all of
//! it is done in the order in which it was due, once, with both times on record. It is killed again
//! and again while it catches up.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use futures::stream::{self, StreamExt as _};
use serde_json::{Value, json};
use tempfile::TempDir;
use test_support::{Client, Server};

use crate::kill::random;
use crate::packs;

const RECORDS: u32 = 3_000;
/// Records begin in one of so many states, each with a wait of its own.
const WAITS: u32 = 12;
/// How many requests are under way at once.
const AT_ONCE: usize = 16;
/// How often the server is killed while it catches up.
const KILLS: u32 = 4;
/// How long it may take to catch up.
const PATIENCE: Duration = Duration::from_mins(4);

/// Something that came due and was done.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Done {
    position: u64,
    due: String,
    at: String,
    timer: String,
    record: String,
}

#[tokio::test(flavor = "multi_thread")]
async fn what_came_due_while_the_server_was_down_is_done_in_due_order() {
    let mut server = Server::start();
    let folder = pack();
    let folder = folder.path().to_str().expect("a path of text");
    let installed = server.wright(&["pack", "install", folder]);
    let said = String::from_utf8_lossy(&installed.stderr);
    assert!(installed.status.success(), "{said}");
    let ada = server.client("ada", "agent");
    let set = begin(&ada).await;

    server.kill();
    server.set_variable("WRIGHT_TEST_CLOCK_AHEAD", "PT5H");
    for _ in 0..KILLS {
        server.restart();
        tokio::time::sleep(Duration::from_millis(random() % 400)).await;
        server.kill();
    }
    server.restart();
    settled(&ada).await;

    let histories = histories(&ada, set.keys()).await;
    let mut done = Vec::new();
    for (record, history) in &histories {
        let of_record = done_of(record, history);
        let fired: BTreeMap<_, _> = of_record
            .iter()
            .map(|done| (done.timer.clone(), done.due.clone()))
            .collect();
        assert_eq!(of_record.len(), fired.len(), "{record} fired twice");
        assert_eq!(fired, set[record], "{record} fires what was set, as set");
        done.extend(of_record);
    }
    done.sort();
    for two in done.windows(2) {
        assert!(two[0].due <= two[1].due, "not in due order: {two:#?}");
    }
    assert!(
        done.iter().all(|done| done.at > done.due),
        "each stands beside the time at which it was done"
    );
    told(&server, &done[0].record);
    let whole = server.wright(&["verify"]);
    let said = String::from_utf8_lossy(&whole.stdout);
    assert!(whole.status.success(), "{said}");
}

/// A pack whose notes settle by themselves after a wait that depends on how they begin, routed by a
/// plugin as they do; those that wait long are reminded of before.
fn pack() -> TempDir {
    let create = |number: u32| {
        format!(
            "  write-{number}: {{ to: waits-{number}, permit: {{ anyone: true }}, form: {{ summary: {{ required: true }} }} }}\n"
        )
    };
    let state = |number: u32| {
        let minutes = 10 + (number * 7) % WAITS * 9;
        format!(
            "  waits-{number}:\n    category: open\n    transitions: {{ settle: {{ to: done, route: true }} }}\n    timers: {{ settle: {{ wait: {{ time: PT{minutes}M }}, do: settle }} }}\n"
        )
    };
    let create: String = (0..WAITS).map(create).collect();
    let states: String = (0..WAITS).map(state).collect();
    let workflow = format!(
        "apiVersion: servicewright/v1
kind: Workflow
id: note
title: Note
number: NTE
see: {{ anyone: true }}
fields:
  summary: {{ type: string, minLength: 1, maxLength: 200 }}
routing: {{ by: {{ plugin: note-router }}, fallback: {{ team: writers }} }}
create:
{create}states:
{states}  done: {{ category: closed, outcome: done }}
timers: {{ reminder: {{ while: \"record.category == 'open'\", wait: {{ time: PT47M }} }} }}
"
    );
    packs::routed_note(&workflow)
}

/// Begins all records; for each, what is due of it and when.
async fn begin(client: &Client) -> BTreeMap<String, BTreeMap<String, String>> {
    let creating = (0..RECORDS).map(|number| async move {
        let via = format!("write-{}", number % WAITS);
        let fields = json!({ "summary": format!("note {number}") });
        client.create("note", &via, fields).await.id()
    });
    let records: Vec<String> = stream::iter(creating)
        .buffer_unordered(AT_ONCE)
        .collect()
        .await;
    let histories = histories(client, records.iter()).await;
    let set = |history: &Vec<Value>| {
        let set = events(history, "timer-set").map(|(_, event)| named(event));
        let set: BTreeMap<_, _> = set.collect();
        let settles = set["settle"].clone();
        // Whoever is settled is not reminded of any more.
        set.into_iter().filter(|(_, due)| *due <= settles).collect()
    };
    histories
        .iter()
        .map(|(record, history)| (record.clone(), set(history)))
        .collect()
}

async fn histories(
    client: &Client,
    records: impl Iterator<Item = &String>,
) -> BTreeMap<String, Vec<Value>> {
    let reading =
        records.map(|record| async move { (record.clone(), client.history(record).await) });
    stream::iter(reading)
        .buffer_unordered(AT_ONCE)
        .collect()
        .await
}

fn events<'a>(
    history: &'a [Value],
    kind: &'static str,
) -> impl Iterator<Item = (&'a Value, &'a Value)> {
    history.iter().flat_map(move |entry| {
        let events = entry["events"].as_array().into_iter().flatten();
        let events = events.filter(move |event| event["kind"] == kind);
        events.map(move |event| (entry, event))
    })
}

/// A timer and its time.
fn named(event: &Value) -> (String, String) {
    let timer = event["timer"].as_str().expect("a name").to_owned();
    (timer, time(&event["due"]))
}

/// A time of which the text has its order: all with milliseconds.
fn time(value: &Value) -> String {
    let text = value.as_str().expect("a time");
    match text.strip_suffix('Z') {
        Some(whole) if !whole.contains('.') => format!("{whole}.000Z"),
        _ => text.to_owned(),
    }
}

fn done_of(record: &str, history: &[Value]) -> Vec<Done> {
    events(history, "timer-fired")
        .map(|(entry, event)| {
            let (timer, due) = named(event);
            assert_eq!(time(&entry["due"]), due, "the entry says when it was due");
            Done {
                position: entry["position"].as_u64().expect("a number"),
                due,
                at: time(&entry["at"]),
                timer,
                record: record.to_owned(),
            }
        })
        .collect()
}

/// Waits until nothing is open.
async fn settled(client: &Client) {
    let begun = Instant::now();
    loop {
        let open = client
            .get("/api/v1/records?workflow=note&category=open&limit=1")
            .await
            .expect(200);
        if open["records"].as_array().is_some_and(Vec::is_empty) {
            return;
        }
        assert!(begun.elapsed() < PATIENCE, "not all that was due is done");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// The explanation tells both times.
fn told(server: &Server, record: &str) {
    let explained = server.wright(&["explain", record]);
    let text = String::from_utf8_lossy(&explained.stdout).into_owned();
    let late = text.lines().find(|line| line.contains("  timer settle: "));
    let late = late.unwrap_or_else(|| panic!("nothing of the timer: {text}"));
    let is_told = late.contains(": it was due ") && late.contains(", and came at ");
    assert!(is_told && late.ends_with(" late."), "{late}");
}
