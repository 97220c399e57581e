//! Who is on call is called out by PagerDuty and works from there, by the binding that
//! docs/plugins/pagerduty.md shows: what is done on one side shows on the other, once.

use reqwest::Method;
use serde_json::{Value as Json, json};
use test_support::{Answer, Client, Server, Setup, load_example_desk};

use crate::pagerduty_account::{Account, KEY, WEBHOOK, integration, maeve, signed};
use crate::pages;

#[tokio::test(flavor = "multi_thread")]
async fn an_incident_calls_out_who_is_on_call_and_they_work_from_there() {
    let pagerduty = Account::start().await;
    let server = desk(&pagerduty).await;
    let ada = server.client("ada", "agent");
    pagerduty.be_busy(1);
    let number = log(&ada, "high").await;
    let key = format!("desk/{number}");
    pagerduty.wait_for(&key, "triggered").await;
    let alert = &pagerduty.events(&key)[0];
    assert_eq!(alert["payload"]["severity"], "critical");
    assert_eq!(
        alert["payload"]["summary"],
        format!("{number} The disk is full")
    );
    assert_eq!(alert["payload"]["custom_details"]["Impact"], "high");
    // What can wait wakes nobody.
    let minor = log(&ada, "low").await;

    // PagerDuty says that the incident is there, and then what Maeve does.
    let tell = |what: &str, agent: Json| pagerduty.tell(what, "PGR0VU2", &key, &agent);
    let (body, headers) = tell("triggered", integration());
    let _ = send(&server, &body, &headers).await.expect(200);
    let (body, headers) = tell("acknowledged", maeve());
    for _ in 0..2 {
        let _ = send(&server, &body, &headers).await.expect(200);
    }
    assert_eq!(ada.record(&number).await["state"], "in-progress");
    let (body, headers) = tell("annotated", maeve());
    let _ = send(&server, &body, &headers).await.expect(200);
    assert_eq!(
        said(&ada, &number, "Maeve noted in PagerDuty: The second disk").await,
        1
    );
    assert_eq!(
        said(&ada, &number, "acme.pagerduty.com/incidents/PGR0VU2").await,
        1
    );

    // It is resolved at the desk; that PagerDuty resolved it for that reason is no news here.
    let input = json!({ "resolution_code": "fixed", "resolution": "The disk was replaced." });
    let _ = ada.transition(&number, "resolve", input).await.expect(200);
    pagerduty.wait_for(&key, "resolved").await;
    let (body, headers) = tell("resolved", integration());
    let _ = send(&server, &body, &headers).await.expect(200);
    let actions: Vec<Json> = pagerduty
        .events(&key)
        .iter()
        .map(|event| event["event_action"].clone())
        .collect();
    assert_eq!(
        actions,
        ["trigger", "resolve"],
        "what PagerDuty did is not told back"
    );
    assert_eq!(pagerduty.incidents(), 1, "{minor} is not among them");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_incident_of_pagerduty_becomes_one_record_that_is_not_sent_back() {
    let pagerduty = Account::start().await;
    // Told of everything, so that it is the plugin that keeps what is theirs from going back.
    let server = desk_with(&pagerduty, &[(WHEN, "")]).await;
    let ada = server.client("ada", "agent");
    let tell = |what: &str| pagerduty.tell(what, "PT4KHLK", "baf7cf21b1da41b4", &maeve());
    let (body, headers) = tell("triggered");
    for _ in 0..3 {
        let _ = send(&server, &body, &headers).await.expect(200);
    }
    for what in ["acknowledged", "resolved"] {
        let (body, headers) = tell(what);
        let _ = send(&server, &body, &headers).await.expect(200);
    }
    let found = ada
        .get("/api/v1/records?workflow=incident")
        .await
        .expect(200);
    let found = found.body["records"].as_array().expect("a list").clone();
    assert_eq!(found.len(), 1, "{found:?}");
    let record = ada.record(found[0]["id"].as_str().expect("an id")).await;
    assert_eq!(record["state"], "resolved");
    assert_eq!(record["fields"]["summary"], "The disk is full");
    assert_eq!(record["fields"]["category"], "server");
    let from = record["fields"]["description"]
        .as_str()
        .expect("where it is from");
    assert!(
        from.starts_with("PagerDuty incident #2 of Storage: https://"),
        "{from}"
    );

    // What is done at the desk with a record of theirs stays here; one of the desk goes out after it.
    let number = record["id"].as_str().expect("an id");
    let input = json!({ "what_remains": "It is full again." });
    let _ = ada.transition(number, "reopen", input).await.expect(200);
    let number = log(&ada, "high").await;
    pagerduty
        .wait_for(&format!("desk/{number}"), "triggered")
        .await;
    assert_eq!(pagerduty.incidents(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_stranger_sends_changes_nothing() {
    let pagerduty = Account::start().await;
    let server = desk(&pagerduty).await;
    let (body, genuine) = pagerduty.tell("triggered", "PT4KHLK", "baf7cf21", &maeve());
    let refused = send(&server, &body, &signed(&body, &["a guess"])).await;
    assert_eq!(refused.expect(401).body, "The signature does not fit.");
    let other = body.replace("The disk is full", "All is well");
    let _ = send(&server, &other, &genuine).await.expect(401);
    let ada = server.client("ada", "agent");
    let found = ada.get("/api/v1/records").await.expect(200);
    assert_eq!(found.body["records"], json!([]));
    // While the secret changes, PagerDuty signs with both.
    let both = signed(&body, &["the next one", WEBHOOK]);
    let _ = send(&server, &body, &both).await.expect(200);
}

/// What the page's binding says of the events it is told of.
const WHEN: &str = ", when: \"priority in ['p1', 'p2']\"";

/// A desk with the binding of the page, told of this account.
async fn desk(pagerduty: &Account) -> Server {
    desk_with(pagerduty, &[]).await
}

/// The same with other words in the binding.
async fn desk_with(pagerduty: &Account, changes: &[(&str, &str)]) -> Server {
    let server = Setup::new()
        .variable("WRIGHT_SECRET_PAGERDUTY__ROUTING_KEY", KEY)
        .variable("WRIGHT_SECRET_PAGERDUTY__WEBHOOK", WEBHOOK)
        .start();
    let admin = server.client("admin", "administrator,agent");
    load_example_desk(&admin).await;
    let url = format!("  send:\n    url: {}/v2/enqueue\n", pagerduty.origin);
    let mut binding = pages::binding("pagerduty")
        .replace("https://events.pagerduty.com", &pagerduty.origin)
        .replace("  send:\n", &url);
    for (words, others) in changes {
        assert!(binding.contains(words), "the page says otherwise: {words}");
        binding = binding.replace(words, others);
    }
    pages::install(&server, "pagerduty", &binding);
    server
}

async fn log(agent: &Client, impact: &str) -> String {
    let fields = json!({ "summary": "The disk is full", "category": "server", "impact": impact, "urgency": impact });
    agent.create("incident", "log", fields).await.id()
}

/// How often this was said about a record.
async fn said(agent: &Client, number: &str, words: &str) -> usize {
    let history = agent.history(number).await;
    let has_it = |entry: &&Json| entry["events"].to_string().contains(words);
    history.iter().filter(has_it).count()
}

async fn send(server: &Server, body: &str, headers: &[(String, String)]) -> Answer {
    let stranger = server.client_with("");
    let mut request = stranger
        .request(Method::POST, "/hooks/pagerduty")
        .body(body.to_owned());
    for (name, value) in headers {
        request = request.header(name, value);
    }
    Answer::of(request).await
}
