//! A request that is sent again is answered again, not done again: at once, many times over, and
//! after the server has been killed.

use futures::future::join_all;
use serde_json::json;
use test_support::Server;

#[tokio::test(flavor = "multi_thread")]
async fn the_same_request_a_hundred_times_is_done_once() {
    let mut server = Server::start();
    let ada = server.client("ada", "agent");
    let body = json!({
        "workflow": "incident", "create": "log",
        "fields": { "summary": "No network on the third floor", "category": "network", "impact": "high", "urgency": "high" },
    });
    let all = (0..100).map(|_| ada.post_once("/api/v1/records", "call-4711", &body));
    let answers = join_all(all).await;
    let first = answers[0].clone().expect(201);
    for answer in answers {
        let answer = answer.expect(201);
        assert_eq!(answer.body, first.body);
        assert_eq!(answer.header("etag"), first.header("etag"));
        assert_eq!(answer.header("location"), first.header("location"));
    }

    // The record goes on; the answer to the old request stays what it was.
    let _ = ada
        .transition(&first.id(), "start", json!({}))
        .await
        .expect(200);
    server.kill();
    server.restart();
    let again = ada
        .post_once("/api/v1/records", "call-4711", &body)
        .await
        .expect(201);
    assert_eq!(again.body, first.body);

    let mut other = body.clone();
    other["fields"]["urgency"] = json!("low");
    let reused = ada
        .post_once("/api/v1/records", "call-4711", &other)
        .await
        .expect(409);
    assert_eq!(reused["code"], "idempotency");
    let bram = server.client("bram", "agent");
    let his = bram
        .post_once("/api/v1/records", "call-4711", &body)
        .await
        .expect(201);
    assert_ne!(his.id(), first.id(), "a key is the actor's own");

    let page = ada
        .get("/api/v1/records?workflow=incident")
        .await
        .expect(200);
    assert_eq!(page["records"].as_array().map(Vec::len), Some(2));
    let history = ada.history(&first.id()).await;
    let created = history.iter().filter(|entry| entry["what"] == "create");
    assert_eq!(created.count(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_kind_of_post_is_done_once_under_a_key() {
    let server = Server::start();
    let ada = server.client("ada", "agent");
    let fields =
        json!({ "summary": "A noise", "category": "hardware", "impact": "low", "urgency": "low" });
    let number = ada.create("incident", "log", fields).await.id();
    let path = |what: &str| format!("/api/v1/records/{number}/{what}");
    let asked = [
        (path("transitions/start"), json!({ "input": {} })),
        (path("comments"), json!({ "text": "It squeaks." })),
        (path("watchers"), json!({ "person": "bram" })),
    ];
    for (path, body) in asked {
        let first = ada.post_once(&path, &path, &body).await.expect(200);
        let second = ada.post_once(&path, &path, &body).await.expect(200);
        assert_eq!(first.body, second.body, "{path}");
    }
    assert_eq!(ada.record(&number).await["version"], 4);
}
