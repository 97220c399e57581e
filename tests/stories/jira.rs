//! Jira and the desk, set up as the page says: issues and incidents are in step, and what Jira did not
//! report is found. What stands in for Jira checks each request as the real one does, and reports every
//! change, the desk's own too, signed like the real one.

use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::{Value as Json, json};
use test_support::{Answer, Client, Server, Setup};

use crate::page;

mod counterpart;
use counterpart::{Fault, Jira, SECRET, TOKEN, signature};

/// How long something that must come may take: a schedule runs once a minute at most.
const PATIENCE: Duration = Duration::from_mins(3);

#[tokio::test(flavor = "multi_thread")]
async fn an_issue_and_its_incident_are_in_step() {
    let (jira, server) = desk().await;
    let ada = server.client("ada", "agent");
    jira.opens("OPS-7", "Not for the desk", &["bug"]).await;
    jira.opens("OPS-12", "Straße is refused", &["service-desk"])
        .await;
    let incident = only(&ada).await;
    let record = ada.record(&incident).await;
    assert_eq!(record["fields"]["summary"], "Straße is refused (OPS-12)");
    assert_eq!(record["team"], "applications");

    // Said there, said here; each once on each side.
    jira.says("OPS-12", "It is the form.").await;
    let path = format!("/api/v1/records/{incident}/comments");
    let said = json!({ "text": "We are on it. 🙂", "public": true });
    let _ = ada.post(&path, &said).await.expect(200);
    until("two comments", || jira.comments("OPS-12").len() == 2).await;

    // Moved there, and here.
    jira.moves("OPS-12", "In Progress").await;
    assert_eq!(ada.record(&incident).await["state"], "in-progress");
    let resolution = json!({ "resolution_code": "fixed", "resolution": "The form takes it now." });
    let _ = ada
        .transition(&incident, "resolve", resolution)
        .await
        .expect(200);
    until("a done issue", || jira.status("OPS-12") == "Done").await;
    jira.settled().await;

    assert_eq!(ada.record(&incident).await["state"], "resolved");
    let comments = jira.comments("OPS-12");
    assert_eq!(comments.len(), 2, "{comments:?}");
    assert!(comments[1].starts_with("ada in "), "{comments:?}");
    assert!(comments[1].contains("We are on it. 🙂"), "{comments:?}");
    let history = ada.history(&incident).await;
    let has = |entry: &&Json| entry.to_string().contains("We are on it.");
    assert_eq!(history.iter().filter(has).count(), 1);
    let _ = only(&ada).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_jira_says_again_or_a_stranger_says_changes_nothing() {
    let (jira, server) = desk().await;
    let ada = server.client("ada", "agent");
    jira.opens("OPS-12", "Login fails", &["service-desk"]).await;
    jira.says("OPS-12", "It is the form.").await;
    jira.moves("OPS-12", "Done").await;
    let incident = only(&ada).await;
    let before = ada.record(&incident).await;
    assert_eq!(before["state"], "resolved");
    for body in jira.delivered() {
        let again = send(&server, &body, &signature(SECRET, &body)).await;
        assert!((200..300).contains(&again.status), "{}", again.body);
        let forged = send(&server, &body, &signature("a guess", &body)).await;
        assert_eq!(forged.expect(401).body, "The signature does not fit.");
    }
    jira.settled().await;
    let after = ada.record(&incident).await;
    assert_eq!(substance(after), substance(before));
    let history = ada.history(&incident).await;
    let said = |entry: &&Json| entry.to_string().contains("It is the form.");
    assert_eq!(history.iter().filter(said).count(), 1);
    let _ = only(&ada).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_becomes_one_issue_though_answers_are_lost() {
    let (jira, server) = desk().await;
    let ada = server.client("ada", "agent");
    jira.fails_next(&[Fault::Limited, Fault::AnswerLost]);
    let fields = json!({ "summary": "The basket is empty", "category": "software" });
    let incident = ada.create("incident", "report", fields).await.id();
    let _ = ada
        .transition(&incident, "start", json!({}))
        .await
        .expect(200);
    until("an issue in progress", || {
        jira.status("OPS-1") == "In Progress"
    })
    .await;
    jira.settled().await;
    assert_eq!(jira.issues().len(), 1);
    let summary = format!("{incident}: The basket is empty");
    assert_eq!(jira.issues()[0]["fields"]["summary"], summary);
    assert_eq!(only(&ada).await, incident);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_jira_did_not_report_is_found() {
    let (jira, server) = desk().await;
    let ada = server.client("ada", "agent");
    jira.opens("OPS-12", "Login fails", &["service-desk"]).await;
    let known = only(&ada).await;
    jira.keeps_silent();
    jira.moves("OPS-12", "In Progress").await;
    jira.opens("OPS-13", "Unheard of", &["service-desk"]).await;
    let begun = Instant::now();
    while listed(&ada).await.len() < 2 || ada.record(&known).await["state"] != "in-progress" {
        assert!(begun.elapsed() < PATIENCE, "{}", server.log());
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

/// A desk and a Jira that know each other, set up as the page says.
async fn desk() -> (Jira, Server) {
    let jira = Jira::start().await;
    let server = Setup::new()
        .variable("WRIGHT_SECRET_JIRA__TOKEN", TOKEN)
        .variable("WRIGHT_SECRET_JIRA__WEBHOOK", SECRET)
        .start();
    let others = [
        ("https://example.atlassian.net", jira.origin.as_str()),
        ("every: PT5M", "every: PT1M"),
    ];
    page::install(&server, "jira", &others);
    jira.reports_to(format!("{}/hooks/jira", server.address()));
    (jira, server)
}

async fn listed(ada: &Client) -> Vec<Json> {
    let path = "/api/v1/records?workflow=incident";
    let found = ada.get(path).await.expect(200);
    found.body["records"].as_array().expect("a list").clone()
}

/// The one incident that there is.
async fn only(ada: &Client) -> String {
    let found = listed(ada).await;
    assert_eq!(found.len(), 1, "{found:?}");
    found[0]["id"].as_str().expect("an id").to_owned()
}

/// A record without what counts its entries: what came of a delivery is an entry too.
fn substance(mut record: Json) -> Json {
    for counted in ["version", "updated_at"] {
        record[counted].take();
    }
    record
}

async fn send(server: &Server, body: &str, signature: &str) -> Answer {
    let stranger = server.client_with("");
    let request = stranger
        .request(Method::POST, "/hooks/jira")
        .header("content-type", "application/json")
        .header("x-hub-signature", signature)
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
