//! A new version of a workflow comes in force while its records are in flight: they are moved to it while
//! people go on working, the server is killed half way, and what cannot be moved is told and left alone.
//!
//! Two thousand records; `WRIGHT_MIGRATED_RECORDS` asks for more.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use futures::future::join_all;
use serde_json::{Value as Json, json};
use test_support::{Client, Server};

use crate::packs;

const RECORDS: usize = 2_000;
/// How many clients create and work at once.
const CLIENTS: usize = 32;

const HEADER: &str = "apiVersion: servicewright/v1
kind: Pack
id: parcels
version: 1.0.0
title: Parcels
zone: UTC
roles: { agent: { title: Agent } }
";

const EARLIER: &str = r#"kind: Workflow
id: parcel
title: Parcel
number: PCL
see: { anyone: true }
edit: { agent: true }
fields:
  summary: { type: string }
  contact: { type: string }
  floor:   { type: string }
  size:    { options: { small: {}, large: {}, huge: {} }, default: small }
create: { bring: { to: here, permit: { anyone: true }, form: { summary: {}, contact: {}, floor: {}, size: {} } } }
states:
  here:
    category: open
    transitions:
      carry: { to: under-way, permit: { agent: true } }
      note: { permit: { agent: true }, form: { summary: {} } }
    timers: { remind: { wait: { time: P30D }, repeat: true, effects: {} , do: note-late } }
  under-way: { category: open, transitions: { give: { to: given, permit: { agent: true } }, note: { permit: { agent: true }, form: { summary: {} } } } }
  given: { category: closed, outcome: done }
anywhere: { note-late: { from: { open: true } } }
"#;

fn later() -> String {
    EARLIER
        .replace("contact: { type: string }", "caller:  { type: string }\n  heavy:   { type: boolean, value: \"size == 'large'\" }\n  place:   { options: { house: {}, street: {} }, default: house }")
        .replace("  floor:   { type: string }\n", "")
        .replace("contact: {}, floor: {}", "caller: {}")
        .replace(", huge: {}", "")
        .replace("under-way: { category: open, transitions: {", "out: { category: open, transitions: { give: { to: given, permit: { agent: true } }, note: { permit: { agent: true }, form: { summary: {} } } } }\n  in-house: { category: open, transitions: { leave: { to: out, permit: { agent: true } },")
        .replace("to: under-way", "to: in-house")
}

/// Two, as where an adaptation has one beside that of its base.
const MIGRATION: &str = r#"kind: Migration
id: parcel-to-2
title: Under way is two states
of: parcel
states:
  under-way: { cel: "floor != null ? 'in-house' : 'out'" }
---
kind: Migration
id: people
title: Whom to call
of: parcel
fields:
  caller: { cel: contact }
drops: { floor: It is part of the way in the house. }
"#;

fn folder(version: &str, workflow: &str, migration: Option<&str>) -> tempfile::TempDir {
    let header = HEADER.replace("1.0.0", version);
    let mut files = vec![
        ("pack.yaml", header.as_str()),
        ("workflows/parcel.yaml", workflow),
    ];
    files.extend(migration.map(|migration| ("migrations/parcel-to-2.yaml", migration)));
    packs::folder(&files)
}

fn install(server: &Server, folder: &tempfile::TempDir) {
    let path = folder.path().to_str().expect("a path of text");
    let installed = server.wright(&["pack", "install", path]);
    let said = String::from_utf8_lossy(&installed.stderr);
    assert!(installed.status.success(), "{said}");
}

/// What `wright pack migrate` says, and whether nothing was stuck.
fn migrate(server: &Server, arguments: &[&str]) -> (bool, Json) {
    let mut all = vec!["--format", "json", "pack", "migrate", "parcel"];
    all.extend_from_slice(arguments);
    let done = server.wright(&all);
    let said = serde_json::from_slice(&done.stdout);
    let said = said.unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&done.stderr)));
    (done.status.success(), said)
}

fn stuck(said: &Json) -> BTreeSet<String> {
    let by_reason = said["stuck"].as_object().expect("by reason").values();
    let records = by_reason.flat_map(|records| records.as_array().expect("records"));
    records
        .map(|record| record.as_str().expect("a number").to_owned())
        .collect()
}

/// Begins parcels: every seventh is huge, every third is under way, every second has a floor.
async fn begin(ada: &Client, count: usize) -> Vec<String> {
    let next = AtomicUsize::new(0);
    let begin = || async {
        let mut begun = Vec::new();
        loop {
            let number = next.fetch_add(1, Ordering::SeqCst);
            if number >= count {
                return begun;
            }
            let size = if number.is_multiple_of(7) {
                "huge"
            } else {
                "small"
            };
            let mut fields =
                json!({ "summary": format!("{number}"), "contact": "rita", "size": size });
            if number.is_multiple_of(2) {
                fields["floor"] = json!("3");
            }
            let parcel = ada.create("parcel", "bring", fields).await.expect(201).id();
            if number.is_multiple_of(3) {
                let _ = ada
                    .transition(&parcel, "carry", json!({}))
                    .await
                    .expect(200);
            }
            begun.push(parcel);
        }
    };
    join_all((0..CLIENTS).map(|_| begin())).await.concat()
}

/// Works on the parcels until it is over; gives how many notes were acknowledged on each.
async fn work(
    ada: Client,
    parcels: Arc<Vec<String>>,
    begin: usize,
    over: Arc<AtomicBool>,
) -> Vec<(String, String)> {
    let mut noted = Vec::new();
    for turn in 0.. {
        if over.load(Ordering::SeqCst) {
            break;
        }
        let parcel = &parcels[(begin + turn * 37) % parcels.len()];
        let summary = format!("{begin}-{turn}");
        let path = format!("/api/v1/records/{parcel}/transitions/note");
        let body = json!({ "input": { "summary": summary } });
        match test_support::Answer::try_of(ada.request(reqwest::Method::POST, &path).json(&body))
            .await
        {
            Ok(answer) if answer.status == 200 => noted.push((parcel.clone(), summary)),
            Ok(answer) => panic!("{}", answer.body),
            Err(_) => tokio::time::sleep(std::time::Duration::from_millis(20)).await,
        }
    }
    noted
}

#[tokio::test(flavor = "multi_thread")]
async fn records_in_flight_are_moved_while_people_work() {
    let count = std::env::var("WRIGHT_MIGRATED_RECORDS").ok();
    let count = count.map_or(RECORDS, |text| text.parse().expect("a number of records"));
    let mut server = Server::start();
    install(&server, &folder("1.0.0", EARLIER, None));
    let ada = server.client("ada", "agent");
    let parcels = Arc::new(begin(&ada, count).await);
    let huge: BTreeSet<String> = {
        let mut huge = BTreeSet::new();
        for parcel in parcels.iter() {
            if ada.record(parcel).await["fields"]["size"] == "huge" {
                huge.insert(parcel.clone());
            }
        }
        huge
    };
    install(&server, &folder("2.0.0", &later(), Some(MIGRATION)));

    let before = ada.record(&parcels[1]).await;
    let (all, tried) = migrate(&server, &["--dry-run"]);
    assert!(!all);
    assert_eq!(tried["moved"], count - huge.len());
    assert_eq!(stuck(&tried), huge);
    let why = tried["stuck"]
        .as_object()
        .expect("by reason")
        .keys()
        .next()
        .expect("one")
        .clone();
    assert!(
        why.contains("the field `size` has no option `huge`"),
        "{why}"
    );
    assert_eq!(
        ada.record(&parcels[1]).await,
        before,
        "a dry run changes nothing"
    );

    let over = Arc::new(AtomicBool::new(false));
    let working: Vec<_> = (0..4)
        .map(|number| {
            tokio::spawn(work(
                ada.clone(),
                Arc::clone(&parcels),
                number,
                Arc::clone(&over),
            ))
        })
        .collect();
    let data = server.data().to_owned();
    let mut moving = std::process::Command::new(test_support::binary())
        .args(["pack", "migrate", "parcel", "--batch", "50", "--data"])
        .arg(&data)
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .spawn()
        .expect("it starts");
    // Half way: some are there, and some are not.
    loop {
        let first = ada
            .get("/api/v1/records?workflow=parcel&limit=1&state=in-house")
            .await;
        if !first.expect(200).body["records"]
            .as_array()
            .expect("a list")
            .is_empty()
        {
            break;
        }
    }
    server.kill();
    server.restart();
    let _ = moving.wait();
    let (all, said) = migrate(&server, &[]);
    over.store(true, Ordering::SeqCst);
    let noted: Vec<_> = join_all(working)
        .await
        .into_iter()
        .flat_map(|noted| noted.expect("no panic"))
        .collect();
    assert!(!all, "the huge ones stay");
    assert_eq!(stuck(&said), huge);
    assert!(!noted.is_empty());
    check(&ada, &parcels, &huge, &noted).await;
    let (all, again) = migrate(&server, &[]);
    assert_eq!((all, &again["moved"]), (false, &json!(0)));
    assert!(server.wright(&["verify"]).status.success());
}

/// None lost, none moved twice, what could not be moved untouched, what was acknowledged there.
async fn check(
    ada: &Client,
    parcels: &[String],
    huge: &BTreeSet<String>,
    noted: &[(String, String)],
) {
    for parcel in parcels {
        let history = ada.history(parcel).await;
        let moves = history
            .iter()
            .filter(|entry| entry["what"] == "migrate")
            .count();
        assert_eq!(moves, usize::from(!huge.contains(parcel)), "{parcel}");
        let record = ada.record(parcel).await;
        let fields = &record["fields"];
        if huge.contains(parcel) {
            assert_eq!(fields["contact"], "rita");
            continue;
        }
        assert_eq!(
            (&fields["caller"], &fields["place"]),
            (&json!("rita"), &json!("house"))
        );
        assert!(fields.get("contact").is_none() && fields.get("floor").is_none());
        assert_eq!(fields["heavy"], false, "it is computed");
        let had_floor = history[0]["input"]["fields"].get("floor").is_some();
        match record["state"].as_str().expect("a state") {
            "here" => assert_eq!(
                record["timers"].as_object().map(serde_json::Map::len),
                Some(1)
            ),
            "in-house" => assert!(had_floor, "{parcel}"),
            "out" => assert!(!had_floor, "{parcel}"),
            other => panic!("{parcel} is in {other}"),
        }
        let said: BTreeSet<&str> = history
            .iter()
            .filter_map(|entry| entry["input"]["summary"].as_str())
            .collect();
        for (_, note) in noted.iter().filter(|(of, _)| of == parcel) {
            assert!(said.contains(note.as_str()), "{parcel} has lost {note}");
        }
    }
}

#[tokio::test]
async fn what_was_moved_goes_back() {
    let server = Server::start();
    let earlier = folder("1.0.0", EARLIER, None);
    install(&server, &earlier);
    let ada = server.client("ada", "agent");
    let fields = json!({ "summary": "A box", "contact": "rita", "floor": "3" });
    let parcel = ada.create("parcel", "bring", fields).await.expect(201).id();
    let _ = ada
        .transition(&parcel, "carry", json!({}))
        .await
        .expect(200);
    let before = ada.record(&parcel).await;
    install(&server, &folder("2.0.0", &later(), Some(MIGRATION)));
    assert!(migrate(&server, &[]).0);
    assert_eq!(ada.record(&parcel).await["state"], "in-house");
    let explained = ada
        .get(&format!("/api/v1/records/{parcel}/explanation"))
        .await;
    let explained = explained.expect(200).body.to_string();
    let told = "to another version of its workflow, from `under-way` to `in-house`.";
    assert!(explained.contains(told), "{explained}");
    install(&server, &earlier);
    let (all, said) = migrate(&server, &[]);
    assert!(all, "{said}");
    let after = ada.record(&parcel).await;
    for key in ["state", "fields", "definition", "timers"] {
        assert_eq!(after[key], before[key], "{key}");
    }
    let history = ada.history(&parcel).await;
    let last = history.last().expect("entries");
    assert_eq!(last["events"][0]["kind"], "migrated");
    assert!(last["events"][0]["definition_before"].is_string());
}
