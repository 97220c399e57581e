//! The first hour of a desk: an incident is logged, prioritised by a table, routed by a plugin that
//! says why, worked on, resolved and confirmed; and afterwards everything can be read.

use serde_json::{Value, json};
use test_support::{Server, load_example_desk};

#[tokio::test(flavor = "multi_thread")]
async fn an_incident_goes_from_a_call_to_its_end() {
    let server = Server::start();
    let admin = server.client("admin", "administrator,agent");
    load_example_desk(&admin).await;
    let (ada, amir) = (server.client("ada", ""), server.client("amir", ""));
    let vera = server.client("vera", "");

    let logged = ada
        .post(
            "/api/v1/records",
            &json!({
                "workflow": "incident", "create": "log", "requester": "vera",
                "fields": {
                    "summary": "The web shop is slow at the checkout", "category": "software",
                    "service": "web-shop", "impact": "high", "urgency": "medium",
                },
            }),
        )
        .await
        .expect(201);
    let number = logged.id();
    assert_eq!(number, "INC-1");
    assert_eq!(logged.header("location"), "/api/v1/records/INC-1");
    assert_eq!(logged.header("etag"), "\"v1\"");
    assert_eq!(
        logged["fields"]["priority"], "p2",
        "the table reads impact and urgency"
    );
    assert_eq!(logged["team"], "applications");
    assert_eq!(
        logged["assignee"], "amir",
        "who has the skills and is on shift"
    );
    assert!(!logged["clocks"].as_array().expect("clocks").is_empty());

    let moves = amir
        .get("/api/v1/records/INC-1/transitions")
        .await
        .expect(200);
    let names: Vec<_> = list(&moves["transitions"])
        .iter()
        .map(|it| &it["name"])
        .collect();
    assert!(names.contains(&&json!("start")), "{names:?}");
    let started = amir
        .transition(&number, "start", json!({}))
        .await
        .expect(200);
    assert_eq!(started["state"], "in-progress");
    let input = json!({ "resolution_code": "fixed", "resolution": "A slow query got an index." });
    let resolved = amir.transition(&number, "resolve", input).await.expect(200);
    assert_eq!(resolved["category"], "resolved");
    let closed = vera
        .transition(&number, "confirm", json!({}))
        .await
        .expect(200);
    assert_eq!(closed["state"], "closed");

    let history = amir.history(&number).await;
    let asked: Vec<_> = history
        .iter()
        .filter(|entry| entry["actor"]["kind"] == "person")
        .collect();
    let who: Vec<_> = asked
        .iter()
        .filter_map(|entry| entry["actor"]["id"].as_str())
        .collect();
    assert_eq!(who, ["ada", "amir", "amir", "vera"]);
    let routed = list(&history[0]["decisions"])
        .iter()
        .find(|decision| decision["kind"] == "hook" && decision["hook"] == "routing")
        .expect("the plugin was asked");
    assert_eq!(routed["binding"], "skills-router");
    assert!(text(&routed["component"]).starts_with("sha256:"));
    assert!(!text(&routed["reason"]).is_empty());

    let told = amir
        .get("/api/v1/records/INC-1/explanation")
        .await
        .expect(200);
    let by: Vec<_> = list(&told["decisions"])
        .iter()
        .map(|it| text(&it["by"]))
        .collect();
    assert!(
        by.contains(&"table priority") && by.contains(&"plugin skills-router"),
        "{by:?}"
    );
    let said = server.wright(&["explain", "INC-1"]);
    let said = String::from_utf8_lossy(&said.stdout).into_owned();
    assert!(
        said.contains("plugin skills-router") && said.contains("`resolve`"),
        "{said}"
    );

    let mine = amir
        .get("/api/v1/records?workflow=incident&assignee=amir")
        .await
        .expect(200);
    assert_eq!(list(&mine["records"]).len(), 1);
    let whole = server.wright(&["verify"]);
    assert!(
        whole.status.success(),
        "{}",
        String::from_utf8_lossy(&whole.stdout)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_but_health_is_open_to_strangers() {
    let server = Server::start();
    let stranger = server.client_with("");
    let _ = stranger.get("/health/live").await.expect(200);
    let _ = stranger.get("/health/ready").await.expect(200);
    for path in [
        "/api/v1/records",
        "/api/v1/workflows",
        "/api/v1/directory/user",
        "/api/v1/events",
    ] {
        let refused = stranger.get(path).await.expect(401);
        assert_eq!(refused["code"], "unauthenticated", "{path}");
    }
    let other = server.client("rita", "");
    let ada = server.client("ada", "agent");
    let fields = json!({ "summary": "A secret of the desk", "category": "other", "impact": "low", "urgency": "low" });
    let number = ada.create("incident", "log", fields).await.id();
    let hidden = other
        .get(&format!("/api/v1/records/{number}"))
        .await
        .expect(404);
    assert_eq!(
        hidden["code"], "not-found",
        "what one may not see is not there"
    );
}

fn list(value: &Value) -> &[Value] {
    value.as_array().expect("a list")
}

fn text(value: &Value) -> &str {
    value.as_str().expect("a text")
}
