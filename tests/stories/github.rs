//! GitHub and the desk, set up as the page says: issues and incidents are one thing on two sides. What
//! stands in for GitHub checks each request as the real one does, and reports every change, the desk's
//! own too, signed like the real one.

use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::{Value as Json, json};
use test_support::{Answer, Client, Server, Setup};

use crate::page;

mod counterpart;
use counterpart::{Fault, GitHub, SECRET, TOKEN, signature};

/// How long something that must come may take.
const PATIENCE: Duration = Duration::from_mins(1);

#[tokio::test(flavor = "multi_thread")]
async fn an_issue_and_its_incident_are_one_thing() {
    let (github, server) = desk().await;
    let ada = server.client("ada", "agent");
    github.opens(7, "Login fails: Umlaut", &["bug"]).await;
    github
        .opens(12, "Straße is refused", &["service-desk"])
        .await;
    let found = listed(&ada).await;
    assert_eq!(found.len(), 1, "{found:?}");
    let incident = found[0]["id"].as_str().expect("an id").to_owned();
    let record = ada.record(&incident).await;
    assert_eq!(
        record["fields"]["summary"],
        "Straße is refused (acme/website#12)"
    );
    assert_eq!(record["team"], "applications");

    // Said there, said here; each once on each side.
    github.says(12, "It is the form.").await;
    let path = format!("/api/v1/records/{incident}/comments");
    let said = json!({ "text": "We are on it. 🙂", "public": true });
    let _ = ada.post(&path, &said).await.expect(200);
    let inside = json!({ "text": "Among us.", "public": false });
    let _ = ada.post(&path, &inside).await.expect(200);
    github
        .until("two comments", |it| it.comments(12).len() == 2)
        .await;

    // Closed there, resolved here; opened again there, and here.
    github.moves(12, "closed").await;
    assert_eq!(ada.record(&incident).await["state"], "resolved");
    github.moves(12, "reopened").await;
    assert_eq!(ada.record(&incident).await["state"], "in-progress");

    // Resolved here, closed there.
    let resolution = json!({ "resolution_code": "fixed", "resolution": "The form takes it now." });
    let _ = ada
        .transition(&incident, "resolve", resolution)
        .await
        .expect(200);
    github.until("a closed issue", |it| !it.is_open(12)).await;
    github.settled().await;

    let comments = github.comments(12);
    assert!(comments[1].starts_with("**ada** in "), "{comments:?}");
    assert!(comments[1].contains("We are on it. 🙂"), "{comments:?}");
    let history = ada.history(&incident).await;
    let said = |text: &str| {
        let has = |entry: &&Json| entry.to_string().contains(text);
        history.iter().filter(has).count()
    };
    assert_eq!((said("It is the form."), said("We are on it.")), (1, 1));
    assert_eq!(github.comments(12).len(), 2);
    assert_eq!(ada.record(&incident).await["state"], "resolved");
    assert_eq!(listed(&ada).await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_delivered_again_or_forged_changes_nothing() {
    let (github, server) = desk().await;
    let ada = server.client("ada", "agent");
    github.opens(12, "Login fails", &["service-desk"]).await;
    github.says(12, "It is the form.").await;
    github.moves(12, "closed").await;
    let incident = listed(&ada).await[0]["id"]
        .as_str()
        .expect("an id")
        .to_owned();
    let before = ada.record(&incident).await;
    assert_eq!(before["state"], "resolved");

    for (event, body) in github.delivered() {
        let again = send(&server, &event, &body, &signature(SECRET, &body)).await;
        assert!((200..300).contains(&again.status), "{}", again.body);
        let forged = send(&server, &event, &body, &signature("a guess", &body)).await;
        assert_eq!(forged.expect(401).body, "The signature does not fit.");
        let changed = body.replace("form", "norm").replace("Login", "Logout") + " ";
        let _ = send(&server, &event, &changed, &signature(SECRET, &body))
            .await
            .expect(401);
    }
    github.settled().await;
    let after = ada.record(&incident).await;
    assert_eq!(substance(after), substance(before));
    let history = ada.history(&incident).await;
    let said = |entry: &&Json| entry.to_string().contains("It is the form.");
    assert_eq!(history.iter().filter(said).count(), 1);
    assert_eq!(listed(&ada).await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_becomes_one_issue_though_answers_are_lost() {
    let (github, server) = desk().await;
    let ada = server.client("ada", "agent");
    // It asks to be left alone; then it makes the issue, and its answer is lost.
    github.fails_next(&[Fault::Limited, Fault::AnswerLost]);
    let fields = json!({ "summary": "The basket is empty", "category": "software" });
    let incident = ada.create("incident", "report", fields).await.id();
    let other = json!({ "summary": "The printer is empty", "category": "hardware" });
    let _ = ada.create("incident", "report", other).await;
    let path = format!("/api/v1/records/{incident}/comments");
    let said = json!({ "text": "Seen in all browsers.", "public": true });
    let _ = ada.post(&path, &said).await.expect(200);
    github
        .until("a comment", |it| it.comments(1).len() == 1)
        .await;
    github.settled().await;

    let issues = github.issues();
    assert_eq!(issues.len(), 1, "{issues:?}");
    assert_eq!(
        issues[0]["title"],
        format!("{incident}: The basket is empty")
    );
    assert_eq!(issues[0]["labels"], json!([{ "name": "service-desk" }]));
    assert_eq!(listed(&ada).await.len(), 2);

    github.moves(1, "closed").await;
    assert_eq!(ada.record(&incident).await["state"], "resolved");
}

/// A desk and a GitHub that know each other, set up as the page says.
async fn desk() -> (GitHub, Server) {
    let github = GitHub::start().await;
    let server = Setup::new()
        .variable("WRIGHT_SECRET_GITHUB__TOKEN", TOKEN)
        .variable("WRIGHT_SECRET_GITHUB__WEBHOOK", SECRET)
        .start();
    let api = github.origin.clone();
    page::install(&server, "github", &[("https://api.github.com", &api)]);
    github.reports_to(format!("{}/hooks/github", server.address()));
    (github, server)
}

async fn listed(ada: &Client) -> Vec<Json> {
    let path = "/api/v1/records?workflow=incident";
    let found = ada.get(path).await.expect(200);
    found.body["records"].as_array().expect("a list").clone()
}

/// A record without what counts its entries: what came of a delivery is an entry too.
fn substance(mut record: Json) -> Json {
    for counted in ["version", "updated_at"] {
        record[counted].take();
    }
    record
}

async fn send(server: &Server, event: &str, body: &str, signature: &str) -> Answer {
    let stranger = server.client_with("");
    let request = stranger
        .request(Method::POST, "/hooks/github")
        .header("content-type", "application/json")
        .header("x-github-event", event)
        .header("x-github-delivery", "another-id")
        .header("x-hub-signature-256", signature)
        .body(body.to_owned());
    Answer::of(request).await
}

/// Waits until something is so.
async fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < PATIENCE, "there was never {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
