//! A monitoring system and the desk, by the example pack: alerts become incidents, each once, and
//! what becomes of them is told, signed both ways; what is not taken is tried again or kept.

use axum::body::Bytes;
use axum::http::{HeaderMap, StatusCode};
use hmac::{Hmac, KeyInit as _, Mac as _};
use reqwest::Method;
use serde_json::{Value as Json, json};
use sha2::Sha256;
use tempfile::TempDir;
use test_support::{Answer, Server, Setup, repository};

use crate::listener::Listener;

const INCOMING: &str = "what monitoring signs with";
const OUTGOING: &str = "what the desk signs with";
const PATH: &str = "/servicewright";

#[tokio::test(flavor = "multi_thread")]
async fn an_alert_becomes_one_incident_however_often_it_is_sent() {
    let monitoring = Listener::start().await;
    let server = desk(&monitoring);
    let ada = server.client("ada", "agent");

    let create = json!({ "create": { "workflow": "incident", "fields": { "summary": "Disk full on db-3" } }, "reference": "alert-17" });
    let alert = json!({ "id": "delivery-1", "commands": [create] }).to_string();
    for _ in 0..3 {
        let taken = send(&server, &alert, &signature(&alert, INCOMING)).await;
        assert_eq!(taken.expect(200).body, json!({ "commands": 1 }));
    }
    // Another delivery, and the same alert.
    let again = alert.replace("delivery-1", "delivery-2");
    let _ = send(&server, &again, &signature(&again, INCOMING))
        .await
        .expect(200);
    let comment = json!({ "comment": { "text": "Still full" }, "reference": "alert-17" });
    let comment = json!({ "id": "delivery-3", "commands": [comment] }).to_string();
    for _ in 0..2 {
        let _ = send(&server, &comment, &signature(&comment, INCOMING))
            .await
            .expect(200);
    }

    let found = ada
        .get("/api/v1/records?workflow=incident")
        .await
        .expect(200);
    let found = found.body["records"].as_array().expect("a list").clone();
    assert_eq!(found.len(), 1, "{found:?}");
    let history = ada.history(found[0]["id"].as_str().expect("an id")).await;
    let said = |entry: &Json| entry.to_string().contains("Still full");
    assert_eq!(history.iter().filter(|entry| said(entry)).count(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_stranger_sends_changes_nothing() {
    let monitoring = Listener::start().await;
    let server = desk(&monitoring);
    let create = json!({ "create": { "workflow": "incident", "fields": { "summary": "x" } }, "reference": "a" });
    let alert = json!({ "id": "delivery-1", "commands": [create] }).to_string();

    let forged = send(&server, &alert, &signature(&alert, "a guess")).await;
    assert_eq!(forged.expect(401).body, "The signature does not fit.");
    let other = alert.replace("\"x\"", "\"y\"");
    let _ = send(&server, &other, &signature(&alert, INCOMING))
        .await
        .expect(401);
    // Signed well, and more than the binding is granted.
    let create = json!({ "create": { "workflow": "request", "fields": { "summary": "x" } }, "reference": "b" });
    let more = json!({ "id": "delivery-2", "commands": [create] }).to_string();
    let refused = send(&server, &more, &signature(&more, INCOMING)).await;
    assert_eq!(refused.status, 403, "{}", refused.body);

    let ada = server.client("ada", "agent");
    let found = ada.get("/api/v1/records").await.expect(200);
    assert_eq!(found.body["records"], json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_taken_is_tried_again_and_what_is_refused_waits_for_an_operator() {
    let monitoring = Listener::start().await;
    // Busy at first, and then of another mind.
    monitoring.answer(&[StatusCode::SERVICE_UNAVAILABLE, StatusCode::BAD_REQUEST]);
    let server = desk(&monitoring);
    let ada = server.client("ada", "agent");
    let created = ada
        .create(
            "incident",
            "report",
            json!({ "summary": "Told to the world" }),
        )
        .await;
    monitoring.wait_for(PATH, |heard| heard.len() == 2).await;

    let root = server.client("root", "administrator");
    let begun = std::time::Instant::now();
    let dead = loop {
        assert!(begun.elapsed().as_secs() < 60, "no effect was given up");
        let listed = root.get("/api/v1/effects").await.expect(200).body;
        if let Some(dead) = listed["effects"].get(0) {
            break dead.clone();
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    };
    assert!(
        dead.to_string().contains("the receiver answered 400"),
        "{dead}"
    );
    let redrive = format!(
        "/api/v1/effects/{}/redrive",
        dead["id"].as_str().expect("an id")
    );
    let not_hers = ada.post(&redrive, &json!({})).await;
    assert_eq!(not_hers.status, 403, "{}", not_hers.body);
    let _ = root.post(&redrive, &json!({})).await.expect(200);

    monitoring.wait_for(PATH, |heard| heard.len() == 3).await;
    let told = monitoring.requests(PATH);
    let id = |(headers, _): &(HeaderMap, Bytes)| headers["servicewright-delivery"].clone();
    assert!(told.iter().all(|request| id(request) == id(&told[0])));
    for (headers, body) in &told {
        let text = |name: &str| headers[name].to_str().expect("text").to_owned();
        let expected = hmac(OUTGOING, &text("servicewright-timestamp"), body);
        assert_eq!(
            text("servicewright-signature"),
            format!("sha256={expected}")
        );
        let event: Json = serde_json::from_slice(body).expect("an event");
        assert_eq!(event["specversion"], "1.0");
        assert_eq!(event["subject"], created.id());
    }
}

/// A desk that runs by the example pack, told of this listener.
fn desk(monitoring: &Listener) -> Server {
    let server = Setup::new()
        .variable("WRIGHT_SECRET_MONITORING__INCOMING", INCOMING)
        .variable("WRIGHT_SECRET_MONITORING__OUTGOING", OUTGOING)
        .start();
    let pack = pack(&monitoring.origin);
    let folder = pack.path().to_str().expect("a path of text");
    let installed = server.wright(&["pack", "install", folder]);
    let said = String::from_utf8_lossy(&installed.stderr);
    assert!(installed.status.success(), "{said}");
    server
}

/// The example, with another address in it.
fn pack(origin: &str) -> TempDir {
    let example = repository().join("examples/monitoring");
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::create_dir(folder.path().join("plugins")).expect("a folder");
    for file in ["pack.yaml", "plugins/monitoring.yaml"] {
        let text = std::fs::read_to_string(example.join(file)).expect("the example");
        let text = text.replace("https://monitoring.example.com", origin);
        std::fs::write(folder.path().join(file), text).expect("written");
    }
    folder
}

/// The headers of a request: the time, and the body signed with it.
pub(crate) fn signature(body: &str, secret: &str) -> [(&'static str, String); 2] {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    let now = now.expect("after 1970").as_secs().to_string();
    let signature = format!("sha256={}", hmac(secret, &now, body.as_bytes()));
    [
        ("servicewright-timestamp", now),
        ("servicewright-signature", signature),
    ]
}

fn hmac(secret: &str, timestamp: &str, body: &[u8]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("any length");
    mac.update(timestamp.as_bytes());
    mac.update(b".");
    mac.update(body);
    let digits = mac.finalize().into_bytes();
    digits
        .iter()
        .fold(String::new(), |hex, byte| hex + &format!("{byte:02x}"))
}

async fn send(server: &Server, body: &str, headers: &[(&'static str, String)]) -> Answer {
    let stranger = server.client_with("");
    let mut request = stranger
        .request(Method::POST, "/hooks/monitoring")
        .body(body.to_owned());
    for (name, value) in headers {
        request = request.header(*name, value);
    }
    Answer::of(request).await
}
