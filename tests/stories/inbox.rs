//! The inbox: everybody finds what they were told, newest first, and what they have read stays read,
//! whatever becomes of the server. Nobody sees what another was told, or what they may no longer see.

use serde_json::{Value, json};
use tempfile::TempDir;
use test_support::{Client, Server};

use crate::packs;

const HEADER: &str = "apiVersion: servicewright/v1
kind: Pack
id: desk
version: 1.0.0
title: Desk
zone: UTC
roles: { agent: { title: Agent } }
";

const WORKFLOW: &str = r#"apiVersion: servicewright/v1
kind: Workflow
id: fault
title: Fault
number: FLT
see: { agent: true, requester: true, watcher: true }
edit: { agent: true }
fields:
  summary: { type: string, minLength: 1, maxLength: 200 }
create:
  report: { title: Report, to: open, permit: { anyone: true }, form: { summary: { required: true } }, effects: { tell: { notice: known } } }
states:
  open:
    title: Open
    category: open
    transitions: { mend: { title: Mend, to: mended, permit: { agent: true }, effects: { tell: { notice: mended } } } }
  mended: { title: Mended, category: closed, outcome: done }
"#;

const KNOWN: &str = "apiVersion: servicewright/v1
kind: Notice
id: known
to: { requester: true }
subject: \"{{ record.id }} is known\"
text: \"We look at: {{ summary }}\"
";

const MENDED: &str = "apiVersion: servicewright/v1
kind: Notice
id: mended
to: { requester: true, watcher: true }
subject: \"{{ record.id }} is mended\"
text: It works again.
";

fn pack() -> TempDir {
    packs::folder(&[
        ("pack.yaml", HEADER),
        ("workflows/fault.yaml", WORKFLOW),
        ("notices/known.yaml", KNOWN),
        ("notices/mended.yaml", MENDED),
    ])
}

fn desk() -> Server {
    let server = Server::start();
    let folder = pack();
    let installed = server.wright(&["pack", "install", folder.path().to_str().expect("a path")]);
    assert!(
        installed.status.success(),
        "{}",
        String::from_utf8_lossy(&installed.stderr)
    );
    server
}

async fn report(client: &Client, summary: &str) -> String {
    let fields = json!({ "summary": summary });
    client.create("fault", "report", fields).await.id()
}

/// The subjects in an inbox, newest first, those that are unread with a star.
async fn subjects(client: &Client, query: &str) -> Vec<String> {
    let page = client
        .get(&format!("/api/v1/inbox{query}"))
        .await
        .expect(200);
    let items = page["items"].as_array().expect("items").iter();
    let subject = |item: &Value| {
        let star = if item["read"] == true { "" } else { "*" };
        format!("{star}{}", item["subject"].as_str().unwrap_or("-"))
    };
    items.map(subject).collect()
}

async fn mark(client: &Client, body: Value) -> u64 {
    let left = client.post("/api/v1/inbox/read", &body).await.expect(200);
    left["unread"].as_u64().expect("a number")
}

#[tokio::test]
async fn everybody_finds_what_they_were_told_and_only_that() {
    let server = desk();
    let (ada, bram) = (server.client("ada", ""), server.client("bram", ""));
    let carla = server.client("carla", "agent");
    let first = report(&ada, "The printer jams").await;
    let second = report(&ada, "No network").await;
    let watch = format!("/api/v1/records/{first}/watchers");
    let _ = carla
        .post(&watch, &json!({ "person": "bram" }))
        .await
        .expect(200);
    let _ = carla
        .transition(&first, "mend", json!({}))
        .await
        .expect(200);

    let page = ada.get("/api/v1/inbox").await.expect(200);
    assert_eq!(page["unread"], 3);
    let newest = &page["items"][0];
    assert_eq!(newest["record"], first.as_str());
    assert_eq!(newest["notice"], "mended");
    assert_eq!(newest["title"], "The printer jams");
    assert_eq!(newest["text"], "It works again.");
    assert!(newest["at"].as_str().is_some_and(|at| at.ends_with('Z')));
    assert_eq!(page["items"][2]["text"], "We look at: The printer jams");
    let mended = format!("{first} is mended");
    assert_eq!(subjects(&bram, "").await, [format!("*{mended}")]);
    assert_eq!(subjects(&carla, "").await, [""; 0]);

    let known = |record: &str| format!("*{record} is known");
    let of_first = subjects(&ada, &format!("?record={first}")).await;
    assert_eq!(of_first, [format!("*{mended}"), known(&first)]);
    let part = ada.get("/api/v1/inbox?limit=2").await.expect(200);
    let next = part["next"].as_str().expect("there is more");
    assert_eq!(next, part["items"][1]["id"]);
    let rest = subjects(&ada, &format!("?limit=2&cursor={next}")).await;
    assert_eq!(rest, [known(&first)]);

    let single = json!({ "items": [newest["id"], "99999.0"] });
    assert_eq!(mark(&ada, single).await, 2);
    let unread = subjects(&ada, "?unread=true").await;
    assert_eq!(unread, [known(&second), known(&first)]);
    assert_eq!(mark(&ada, json!({ "through": newest["id"] })).await, 0);
    assert_eq!(mark(&ada, json!({ "through": "99999.0" })).await, 0);
    // Nothing is read before it is told, and nobody reads for another.
    let third = report(&ada, "No sound").await;
    assert_eq!(subjects(&ada, "?unread=true").await, [known(&third)]);
    assert_eq!(subjects(&bram, "").await, [format!("*{mended}")]);

    let wrong = ada
        .post("/api/v1/inbox/read", &json!({ "through": "last" }))
        .await;
    assert_eq!(wrong.status, 422, "{}", wrong.body);
    let wrong = ada.get("/api/v1/inbox?cursor=last").await;
    assert_eq!(wrong.status, 400, "{}", wrong.body);
}

#[tokio::test]
async fn a_record_that_someone_may_no_longer_see_shows_no_text() {
    let server = desk();
    let (ada, carla) = (server.client("ada", ""), server.client("carla", "agent"));
    let fault = report(&ada, "A secret of ours").await;
    let path = format!("/api/v1/records/{fault}");
    let _ = carla
        .patch(&path, &json!({ "requester": "bram" }))
        .await
        .expect(200);
    let page = ada.get("/api/v1/inbox").await.expect(200);
    let item = page["items"][0].as_object().expect("an item");
    let keys: Vec<_> = item.keys().map(String::as_str).collect();
    assert_eq!(keys, ["id", "record", "at", "read"]);
    // Once they see it again, it says what it said.
    let watch = format!("{path}/watchers");
    let _ = carla
        .post(&watch, &json!({ "person": "ada" }))
        .await
        .expect(200);
    assert_eq!(subjects(&ada, "").await, [format!("*{fault} is known")]);
}

#[tokio::test]
async fn an_inbox_and_what_was_read_of_it_outlive_a_kill_and_the_loss_of_the_views() {
    let mut server = desk();
    let ada = server.client("ada", "");
    let mut expected: Vec<String> = Vec::new();
    for round in 0..5 {
        let mut last = String::new();
        for turn in 0..4 {
            last = report(&ada, &format!("{round}.{turn}")).await;
            expected.insert(0, format!("*{last} is known"));
        }
        let page = ada.get("/api/v1/inbox?limit=3").await.expect(200);
        assert_eq!(page["items"][0]["record"], last.as_str());
        let (second, third) = (&page["items"][1]["id"], &page["items"][2]["id"]);
        let body = if round % 2 == 0 {
            expected[1..]
                .iter_mut()
                .for_each(|it| it.retain(|c| c != '*'));
            json!({ "through": second })
        } else {
            expected[2].retain(|c| c != '*');
            json!({ "items": [third] })
        };
        let left = mark(&ada, body).await;
        // What was acknowledged is there, though nothing was closed in order.
        server.kill();
        if round % 2 == 1 {
            std::fs::remove_file(server.data().join("views.redb")).expect("there are views");
        }
        server.restart();
        assert_eq!(
            subjects(&ada, "?limit=200").await,
            expected,
            "round {round}"
        );
        let stars = expected.iter().filter(|it| it.starts_with('*')).count();
        assert_eq!(left, stars as u64);
        let page = ada.get("/api/v1/inbox?limit=1").await.expect(200);
        assert_eq!(page["unread"], left);
    }
}
