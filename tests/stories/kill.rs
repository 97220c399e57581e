//! The server is killed at random moments under load, again and again: whatever it acknowledged is
//! there exactly once, what it did not is there once or not at all, and timers and effects go on.
//!
//! Ten rounds; `WRIGHT_KILL_ROUNDS` asks for more.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{BuildHasher as _, RandomState};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use futures::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};
use test_support::{Answer, Client, Server};

use crate::listener::Listener;
use crate::packs;

const ROUNDS: u32 = 10;
/// How many clients work at once.
const CLIENTS: u32 = 8;
/// The longest that a server lives after it began to answer, in milliseconds.
const LONGEST_LIFE: u64 = 600;
/// How long timers and effects may take to be through, after the last start.
const PATIENCE: Duration = Duration::from_mins(2);

/// A request, and the key under which it is done once.
struct Asked {
    path: String,
    key: String,
    body: Value,
}

/// What one client did until the server was gone.
#[derive(Default)]
struct Work {
    /// Comments by the record they are on; a record without any was only begun.
    done: BTreeMap<String, Vec<String>>,
    /// What was asked last, and never answered.
    open: Option<Asked>,
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_acknowledged_is_lost_or_done_twice() {
    let rounds = std::env::var("WRIGHT_KILL_ROUNDS").ok();
    let rounds = rounds.map_or(ROUNDS, |text| text.parse().expect("a number of rounds"));
    let outside = Listener::start().await;
    let mut server = Server::start();
    let folder = packs::told(&outside.origin);
    let folder = folder.path().to_str().expect("a path of text");
    let installed = server.wright(&["pack", "install", folder]);
    assert!(
        installed.status.success(),
        "{}",
        String::from_utf8_lossy(&installed.stderr)
    );
    let ada = server.client("ada", "agent");

    let mut notes = BTreeSet::new();
    let mut acknowledged = 0;
    for round in 0..rounds {
        let over = Arc::new(AtomicBool::new(false));
        let working = (0..CLIENTS).map(|number| {
            let client = ada.clone();
            let over = Arc::clone(&over);
            tokio::spawn(async move { work(client, round, number, &over).await })
        });
        let working: Vec<_> = working.collect();
        tokio::time::sleep(Duration::from_millis(20 + random() % LONGEST_LIFE)).await;
        server.kill();
        over.store(true, Ordering::SeqCst);
        server.restart();
        for done in join_all(working).await {
            let mut work = done.expect("a client does not panic");
            acknowledged += work
                .done
                .values()
                .map(|comments| 1 + comments.len())
                .sum::<usize>();
            finish(&ada, &mut work).await;
            for (note, comments) in work.done {
                check(&ada, &note, &comments).await;
                notes.insert(note);
            }
        }
        if rounds > ROUNDS {
            eprintln!(
                "round {} of {rounds}: {acknowledged} acknowledged so far",
                round + 1
            );
        }
    }
    assert!(acknowledged > 0, "the server never got to answer anything");

    let heard = settled(&ada, &outside, &notes).await;
    assert_eq!(all_notes(&ada).await, notes, "nothing was begun twice");
    for (note, ids) in heard {
        assert_eq!(
            ids.len(),
            1,
            "{note} was told of under several ids: {ids:?}"
        );
    }
    let whole = server.wright(&["verify"]);
    assert!(
        whole.status.success(),
        "{}",
        String::from_utf8_lossy(&whole.stdout)
    );
}

/// Begins notes and comments on them until the server does not answer.
async fn work(client: Client, round: u32, number: u32, over: &AtomicBool) -> Work {
    let mut work = Work::default();
    for turn in 0_u32.. {
        if over.load(Ordering::SeqCst) {
            break;
        }
        let name = format!("{round}-{number}-{turn}");
        let body = json!({ "workflow": "note", "create": "write", "fields": { "summary": name } });
        let asked = Asked {
            path: "/api/v1/records".to_owned(),
            key: format!("note-{name}"),
            body,
        };
        let Some(answer) = ask(&client, &asked).await else {
            work.open = Some(asked);
            return work;
        };
        let note = answer.expect(201).id();
        work.done.insert(note.clone(), Vec::new());
        for part in 0..3 {
            let text = format!("comment {part} on {name}");
            let asked = comment(&note, &text);
            let Some(answer) = ask(&client, &asked).await else {
                work.open = Some(asked);
                return work;
            };
            let _ = answer.expect(200);
            work.done.entry(note.clone()).or_default().push(text);
        }
    }
    work
}

fn comment(note: &str, text: &str) -> Asked {
    Asked {
        path: format!("/api/v1/records/{note}/comments"),
        key: text.to_owned(),
        body: json!({ "text": text }),
    }
}

/// Asks; none where the server went away over it.
async fn ask(client: &Client, asked: &Asked) -> Option<Answer> {
    let request = client.request(Method::POST, &asked.path);
    let request = request
        .header("Idempotency-Key", &asked.key)
        .json(&asked.body);
    Answer::try_of(request).await.ok()
}

/// Asks again what was never answered: under its key it is done once, now or then.
async fn finish(client: &Client, work: &mut Work) {
    let Some(asked) = work.open.take() else {
        return;
    };
    let answer = Answer::of(
        client
            .request(Method::POST, &asked.path)
            .header("Idempotency-Key", &asked.key)
            .json(&asked.body),
    )
    .await;
    assert!([200, 201].contains(&answer.status), "{}", answer.body);
    let comments = work.done.entry(answer.id()).or_default();
    comments.extend(asked.body["text"].as_str().map(str::to_owned));
}

/// Holds a note's history against what was acknowledged of it.
async fn check(client: &Client, note: &str, comments: &[String]) {
    let history = client.history(note).await;
    let of = |what: &'static str| history.iter().filter(move |entry| entry["what"] == what);
    assert_eq!(of("create").count(), 1, "{note} began once");
    let found: Vec<_> = of("comment")
        .filter_map(|entry| entry["input"]["text"].as_str())
        .collect();
    assert_eq!(found, comments, "{note} holds each comment once, in order");
    let versions: Vec<_> = history
        .iter()
        .filter_map(|entry| entry["version"].as_u64())
        .collect();
    let expected: Vec<_> = (1..=u64::try_from(versions.len()).expect("few")).collect();
    assert_eq!(versions, expected, "{note} has no gap");
}

/// Waits until every note's timer has fired and every note was told of; the ids it was told under.
async fn settled(
    client: &Client,
    outside: &Listener,
    notes: &BTreeSet<String>,
) -> BTreeMap<String, BTreeSet<String>> {
    let begun = Instant::now();
    loop {
        let open = client
            .get("/api/v1/records?workflow=note&category=open")
            .await
            .expect(200);
        let mut told: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for body in outside.heard("/told") {
            let event: Value = serde_json::from_slice(&body).expect("a CloudEvent");
            let text = |name: &str| event[name].as_str().unwrap_or_default().to_owned();
            told.entry(text("subject")).or_default().insert(text("id"));
        }
        let is_through = open["records"].as_array().is_some_and(Vec::is_empty)
            && notes.iter().all(|note| told.contains_key(note));
        if is_through {
            return told;
        }
        assert!(
            begun.elapsed() < PATIENCE,
            "timers or effects did not go on: {} of {} told of",
            told.len(),
            notes.len()
        );
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// The numbers of all notes there are.
async fn all_notes(client: &Client) -> BTreeSet<String> {
    let mut notes = BTreeSet::new();
    let mut cursor = String::new();
    loop {
        let path = format!("/api/v1/records?workflow=note&limit=100{cursor}");
        let page = client.get(&path).await.expect(200);
        let records = page["records"].as_array().expect("records");
        notes.extend(
            records
                .iter()
                .filter_map(|it| it["id"].as_str().map(str::to_owned)),
        );
        match page["next"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return notes,
        }
    }
}

pub(crate) fn random() -> u64 {
    RandomState::new().hash_one(())
}
