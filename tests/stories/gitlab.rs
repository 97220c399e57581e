//! GitLab and the desk, set up as the page says: issues and incidents are one thing on two sides. What
//! stands in for GitLab checks each request as the real one does, and reports every change, the desk's
//! own too, with the token of the webhook.

use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::{Value as Json, json};
use test_support::{Answer, Client, Server, Setup};

use crate::page;

mod counterpart;
use counterpart::{Fault, GitLab, SECRET, TOKEN};

/// How long something that must come may take.
const PATIENCE: Duration = Duration::from_mins(1);

#[tokio::test(flavor = "multi_thread")]
async fn an_issue_and_its_incident_are_one_thing() {
    let (gitlab, server) = desk().await;
    let ada = server.client("ada", "agent");
    gitlab.opens(7, "Login fails: Umlaut", &["bug"]).await;
    gitlab
        .opens(12, "Straße is refused", &["service-desk"])
        .await;
    let found = listed(&ada).await;
    assert_eq!(found.len(), 1, "{found:?}");
    let incident = found[0]["id"].as_str().expect("an id").to_owned();
    let record = ada.record(&incident).await;
    assert_eq!(
        record["fields"]["summary"],
        "Straße is refused (acme/web/site#12)"
    );
    assert_eq!(record["team"], "applications");

    // Said there, said here; each once on each side.
    gitlab.says(12, "It is the form.").await;
    let path = format!("/api/v1/records/{incident}/comments");
    let said = json!({ "text": "We are on it. 🙂", "public": true });
    let _ = ada.post(&path, &said).await.expect(200);
    let inside = json!({ "text": "Among us.", "public": false });
    let _ = ada.post(&path, &inside).await.expect(200);
    gitlab
        .until("two comments", |it| it.comments(12).len() == 2)
        .await;

    // Closed there, resolved here; opened again there, and here.
    gitlab.moves(12, "closed").await;
    assert_eq!(ada.record(&incident).await["state"], "resolved");
    gitlab.moves(12, "reopened").await;
    assert_eq!(ada.record(&incident).await["state"], "in-progress");

    // Resolved here, closed there.
    let resolution = json!({ "resolution_code": "fixed", "resolution": "The form takes it now." });
    let _ = ada
        .transition(&incident, "resolve", resolution)
        .await
        .expect(200);
    gitlab.until("a closed issue", |it| !it.is_open(12)).await;
    gitlab.settled().await;

    let comments = gitlab.comments(12);
    assert!(comments[1].starts_with("**ada** in "), "{comments:?}");
    assert!(comments[1].contains("We are on it. 🙂"), "{comments:?}");
    let history = ada.history(&incident).await;
    let said = |text: &str| {
        let has = |entry: &&Json| entry.to_string().contains(text);
        history.iter().filter(has).count()
    };
    assert_eq!((said("It is the form."), said("We are on it.")), (1, 1));
    assert_eq!(gitlab.comments(12).len(), 2);
    assert_eq!(ada.record(&incident).await["state"], "resolved");
    assert_eq!(listed(&ada).await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_delivered_again_or_forged_changes_nothing() {
    let (gitlab, server) = desk().await;
    let ada = server.client("ada", "agent");
    gitlab.opens(12, "Login fails", &["service-desk"]).await;
    gitlab.says(12, "It is the form.").await;
    gitlab.moves(12, "closed").await;
    let incident = listed(&ada).await[0]["id"]
        .as_str()
        .expect("an id")
        .to_owned();
    let before = ada.record(&incident).await;
    assert_eq!(before["state"], "resolved");

    for (event, body) in gitlab.delivered() {
        let again = send(&server, &event, &body, SECRET).await;
        assert!((200..300).contains(&again.status), "{}", again.body);
        let forged = send(&server, &event, &body, "a guess").await;
        assert_eq!(
            forged.expect(401).body,
            "This needs the secret token that was agreed on."
        );
    }
    gitlab.settled().await;
    let after = ada.record(&incident).await;
    assert_eq!(substance(after), substance(before));
    let history = ada.history(&incident).await;
    let said = |entry: &&Json| entry.to_string().contains("It is the form.");
    assert_eq!(history.iter().filter(said).count(), 1);
    assert_eq!(listed(&ada).await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_becomes_one_issue_though_answers_are_lost() {
    let (gitlab, server) = desk().await;
    let ada = server.client("ada", "agent");
    // It asks to be left alone; then it makes the issue, and its answer is lost.
    gitlab.fails_next(&[Fault::Limited, Fault::AnswerLost]);
    let fields = json!({ "summary": "The basket is empty", "category": "software" });
    let incident = ada.create("incident", "report", fields).await.id();
    let other = json!({ "summary": "The printer is empty", "category": "hardware" });
    let _ = ada.create("incident", "report", other).await;
    let path = format!("/api/v1/records/{incident}/comments");
    let said = json!({ "text": "Seen in all browsers.", "public": true });
    let _ = ada.post(&path, &said).await.expect(200);
    gitlab
        .until("a comment", |it| it.comments(1).len() == 1)
        .await;
    gitlab.settled().await;

    let issues = gitlab.issues();
    assert_eq!(issues.len(), 1, "{issues:?}");
    assert_eq!(
        issues[0]["title"],
        format!("{incident}: The basket is empty")
    );
    assert_eq!(issues[0]["labels"], json!(["service-desk"]));
    assert_eq!(listed(&ada).await.len(), 2);

    gitlab.moves(1, "closed").await;
    assert_eq!(ada.record(&incident).await["state"], "resolved");
}

/// A desk and a GitLab that know each other, set up as the page says.
async fn desk() -> (GitLab, Server) {
    let gitlab = GitLab::start().await;
    let server = Setup::new()
        .variable("WRIGHT_SECRET_GITLAB__TOKEN", TOKEN)
        .variable("WRIGHT_SECRET_GITLAB__WEBHOOK", SECRET)
        .start();
    let site = gitlab.origin.clone();
    page::install(&server, "gitlab", &[("https://gitlab.com", &site)]);
    gitlab.reports_to(format!("{}/hooks/gitlab", server.address()));
    (gitlab, server)
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

async fn send(server: &Server, event: &str, body: &str, token: &str) -> Answer {
    let stranger = server.client_with("");
    let request = stranger
        .request(Method::POST, "/hooks/gitlab")
        .header("content-type", "application/json")
        .header("x-gitlab-event", event)
        .header("x-gitlab-token", token)
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
