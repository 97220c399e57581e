//! Preferences: each person says by which bindings they hear of what. Bindings are told whom to tell,
//! the explanation says why, the inbox has everything, and what is mandatory goes to all.

use serde_json::{Value, json};
use tempfile::TempDir;
use test_support::{Client, Server};

use crate::listener::Listener;
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
  report: { title: Report, to: open, permit: { anyone: true }, form: { summary: { required: true } } }
states:
  open:
    title: Open
    category: open
    transitions:
      nag: { title: Nag, permit: { agent: true }, effects: { tell: { notice: nagged } } }
      evacuate: { title: Evacuate, permit: { agent: true }, effects: { tell: { notice: evacuated } } }
      mend: { title: Mend, to: mended, permit: { agent: true } }
  mended: { title: Mended, category: closed, outcome: done }
"#;

const NAGGED: &str = "apiVersion: servicewright/v1
kind: Notice
id: nagged
to: { watcher: true }
subject: \"{{ record.id }} goes on\"
text: Still.
";

const EVACUATED: &str = "apiVersion: servicewright/v1
kind: Notice
id: evacuated
to: { watcher: true }
mandatory: true
subject: Leave the house
text: Now.
";

fn pack(origin: &str) -> TempDir {
    packs::folder(&[
        ("pack.yaml", HEADER),
        ("workflows/fault.yaml", WORKFLOW),
        ("notices/nagged.yaml", NAGGED),
        ("notices/evacuated.yaml", EVACUATED),
        (
            "plugins/chat.yaml",
            &packs::channel("chat", "fault", origin, ""),
        ),
        (
            "plugins/mail.yaml",
            &packs::channel("mail", "fault", origin, ""),
        ),
    ])
}

/// Whom a binding was told to tell, by each delivery of a notice.
async fn told(outside: &Listener, path: &str, count: usize) -> Vec<(String, Value)> {
    let heard = outside.wait_for(path, |heard| heard.len() >= count).await;
    let read = |body: &axum::body::Bytes| {
        let event: Value = serde_json::from_slice(body).expect("a CloudEvent");
        let notice = event["data"]["change"]["notified"]["notice"]
            .as_str()
            .unwrap_or_default();
        (notice.to_owned(), event["data"]["recipients"].clone())
    };
    heard.iter().map(read).collect()
}

async fn prefer(client: &Client, preferences: Value) -> Value {
    let answer = client.put("/api/v1/me/preferences", &preferences).await;
    answer.expect(200).body
}

#[tokio::test]
async fn everybody_hears_of_things_as_they_prefer() {
    let outside = Listener::start().await;
    let mut server = Server::start();
    let folder = pack(&outside.origin);
    let installed = server.wright(&["pack", "install", folder.path().to_str().expect("a path")]);
    let said = String::from_utf8_lossy(&installed.stderr).into_owned();
    assert!(installed.status.success(), "{said}");
    let admin = server.client("admin", "administrator,agent");
    let (ada, carla) = (server.client("ada", ""), server.client("carla", ""));
    let dirk = server.client("dirk", "");

    assert_eq!(
        ada.get("/api/v1/me/preferences").await.expect(200).body,
        json!({})
    );
    let mail_never = json!({ "channels": { "mail": "never" } });
    assert_eq!(prefer(&carla, mail_never.clone()).await, mail_never);
    let muted = json!({ "notices": { "nagged": { "default": "never" }, "evacuated": { "default": "never" } } });
    prefer(&dirk, muted.clone()).await;
    // What was acknowledged is on disk.
    server.kill();
    server.restart();
    assert_eq!(
        dirk.get("/api/v1/me/preferences").await.expect(200).body,
        muted
    );

    let fault = admin
        .create("fault", "report", json!({ "summary": "It smokes" }))
        .await
        .id();
    for person in ["ada", "carla", "dirk"] {
        let body = json!({ "person": person });
        let path = format!("/api/v1/records/{fault}/watchers");
        let _ = admin.post(&path, &body).await.expect(200);
    }
    for step in ["nag", "evacuate"] {
        let _ = admin.transition(&fault, step, json!({})).await.expect(200);
    }
    let all = json!(["ada", "carla", "dirk"]);
    let nagged = |to: Value| ("nagged".to_owned(), to);
    let evacuated = ("evacuated".to_owned(), all);
    let by_chat = told(&outside, "/chat", 2).await;
    assert_eq!(
        by_chat,
        [nagged(json!(["ada", "carla"])), evacuated.clone()]
    );
    let by_mail = told(&outside, "/mail", 2).await;
    assert_eq!(by_mail, [nagged(json!(["ada"])), evacuated.clone()]);
    // The inbox has everything, always.
    let inbox = dirk.get("/api/v1/inbox").await.expect(200);
    let notices: Vec<_> = inbox["items"].as_array().expect("items").iter().collect();
    assert_eq!(notices[1]["notice"], "nagged");
    assert_eq!(notices[0]["notice"], "evacuated");

    let path = format!("/api/v1/records/{fault}/explanation");
    let explained = admin.get(&path).await.expect(200);
    let decisions = explained["decisions"].as_array().expect("decisions").iter();
    let why: Vec<_> = decisions.filter(|it| it["by"] == "notice nagged").collect();
    assert_eq!(why.len(), 1, "{explained:?}");
    assert_eq!(
        why[0]["what"],
        "ada: by chat and mail; carla: by chat; dirk: in the inbox only."
    );

    // Nobody is left to be told by mail: nothing is sent there.
    prefer(
        &ada,
        json!({ "default": "never", "channels": { "chat": "at-once" } }),
    )
    .await;
    for step in ["nag", "evacuate"] {
        let _ = admin.transition(&fault, step, json!({})).await.expect(200);
    }
    assert_eq!(told(&outside, "/mail", 3).await[2], evacuated);
    assert_eq!(told(&outside, "/chat", 4).await.len(), 4);
    let whole = server.wright(&["verify"]);
    assert!(
        whole.status.success(),
        "{}",
        String::from_utf8_lossy(&whole.stdout)
    );
}

#[tokio::test]
async fn preferences_are_a_persons_own() {
    let server = Server::start();
    let (ada, carla) = (server.client("ada", ""), server.client("carla", "agent"));
    let admin = server.client("admin", "administrator");
    let of_ada = "/api/v1/directory/preference/ada";
    let refused = carla.put(of_ada, &json!({ "default": "never" })).await;
    assert_eq!(refused.status, 403, "{}", refused.body);
    let own = ada.put(of_ada, &json!({ "language": "nl" })).await;
    assert_eq!(own.status, 200, "{}", own.body);
    let by_admin = admin.put(of_ada, &json!({ "language": "fr" })).await;
    assert_eq!(by_admin.status, 200, "{}", by_admin.body);
    let kept = ada.get("/api/v1/me/preferences").await.expect(200);
    assert_eq!(kept.body, json!({ "language": "fr" }));
    // Whose digests were given up is for administrators, and so is trying them again.
    let given_up = admin.get("/api/v1/digests").await.expect(200);
    assert_eq!(given_up.body, json!({ "digests": [] }));
    assert_eq!(carla.get("/api/v1/digests").await.status, 403);
    let redrive = "/api/v1/digests/ada/redrive";
    assert_eq!(carla.post(redrive, &json!({})).await.status, 403);
    assert_eq!(admin.post(redrive, &json!({})).await.status, 404);
    for (wrong, pointer) in [
        (json!({ "default": "sometimes" }), "/default"),
        (json!({ "language": "Klingon!" }), "/language"),
        (json!({ "mute": true }), "/mute"),
        (json!({ "channels": { "Mail!": "never" } }), "/"),
    ] {
        let answer = ada.put("/api/v1/me/preferences", &wrong).await;
        assert_eq!(answer.status, 422, "{wrong}: {}", answer.body);
        assert_eq!(answer["errors"][0]["pointer"], pointer, "{}", answer.body);
    }
}
