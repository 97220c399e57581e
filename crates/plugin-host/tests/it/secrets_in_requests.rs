//! Secrets in addresses and in bodies: where their grant lets them, for the hosts that they are bound to,
//! and kept from coming back. The plugins are the shipped `teams` and `pagerduty`, whose systems want it so.

use engine::port::{Delivery, Plugins as _};
use model::hook::{Failure, FailureKind};
use model::id::BindingId;
use serde_json::{Value as Json, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use crate::support::{Desk, binding, call, component, host, record};

/// A server that refuses every request and sends it back, as it came and with `more` behind it; and what
/// it heard.
async fn server(more: &'static str) -> (String, UnboundedReceiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let origin = format!("http://{}", listener.local_addr().unwrap());
    let (heard, hearing) = unbounded_channel();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut request = Vec::new();
            let mut bytes = [0; 4096];
            while !is_whole(&request) {
                match stream.read(&mut bytes).await {
                    Ok(count) if count > 0 => request.extend_from_slice(&bytes[..count]),
                    _ => break,
                }
            }
            let request = String::from_utf8_lossy(&request).into_owned();
            let answer = format!("{more} {}", request.replace("\r\n", " "));
            let _ = heard.send(request);
            let response = format!(
                "HTTP/1.1 400 Bad Request\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{answer}",
                answer.len()
            );
            let _ = stream.write_all(response.as_bytes()).await;
        }
    });
    (origin, hearing)
}

/// Whether a request is there to its end, by the length that it tells or its last chunk.
fn is_whole(request: &[u8]) -> bool {
    let text = String::from_utf8_lossy(request);
    let Some((head, body)) = text.split_once("\r\n\r\n") else {
        return false;
    };
    let head = head.to_ascii_lowercase();
    let length = head.split("content-length: ").nth(1);
    let length = length.and_then(|rest| rest.split("\r\n").next()?.parse::<usize>().ok());
    length.map_or_else(
        || body.ends_with("0\r\n\r\n"),
        |length| body.len() >= length,
    )
}

/// Delivers an event by a shipped plugin that this server refuses, which is told of by the failure.
async fn deliver(plugin: &str, settings: &Json, grants: &Json) -> Option<Failure> {
    let data = json!({ "specversion": "1.0", "data": { "actor": "ann", "change": null } });
    deliver_hidden(plugin, settings, grants, &data, &[]).await
}

/// The same, of an event of which these texts are for nobody but the plugin.
async fn deliver_hidden(
    plugin: &str,
    settings: &Json,
    grants: &Json,
    data: &Json,
    hidden: &[&str],
) -> Option<Failure> {
    let component = component(plugin)?;
    let more = json!({ "settings": settings, "grants": grants });
    let host = host(vec![binding("sender", &component, &["delivery"], more)]).await;
    let mut subject = record();
    subject.id = Some("INC-1".parse().unwrap());
    let delivery = Delivery {
        id: "event-1".to_owned(),
        kind: "servicewright.record.created".to_owned(),
        subject,
        references: Vec::new(),
        data: data.to_string(),
        hidden: hidden.iter().map(|text| (*text).to_owned()).collect(),
    };
    let id = BindingId::new("sender").unwrap();
    let delivered = host.deliver(&id, call(), delivery, Desk::shared()).await;
    Some(delivered.unwrap_err())
}

async fn by_address(origin: &str, secrets: &Json) -> Option<Failure> {
    let settings =
        json!({ "url": format!("{origin}/hook/{{{{secret:token}}}}?sig={{{{secret:key}}}}") });
    let grants = json!({ "http": { origin: true }, "secrets": secrets });
    deliver("teams", &settings, &grants).await
}

async fn by_body(origin: &str, secrets: &Json) -> Option<Failure> {
    let settings = json!({
        "send": { "url": format!("{origin}/v2/enqueue"), "routing_key": "token", "title": "impact" }
    });
    let mut grants = json!({
        "http": { origin: true },
        "secrets": secrets,
        "commands": { "incident": { "comment": true } },
    });
    // What the plugin asks for beside it.
    grants["secrets"]["other"] = json!({ "sign": true });
    deliver("pagerduty", &settings, &grants).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_in_an_address_goes_out_and_does_not_come_back() {
    let (origin, mut heard) = server("seen hunter2").await;
    let granted = json!({ "hosts": { &origin: true }, "url": true });
    let secrets = json!({ "token": granted, "key": granted });
    let Some(failure) = by_address(&origin, &secrets).await else {
        return;
    };
    let request = heard.recv().await.unwrap();
    assert!(
        request.starts_with("POST /hook/hunter2?sig=Jefe HTTP/1.1\r\n"),
        "{request}"
    );
    let said = failure.message;
    assert!(
        said.contains("seen [secret] POST /hook/[secret]?sig=[secret] HTTP"),
        "{said}"
    );
    assert!(
        !said.contains("hunter2") && !said.contains("Jefe"),
        "{said}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_event_hides_goes_out_and_is_not_told_of() {
    let (origin, mut heard) = server("seen /vote/bearer-1_2").await;
    let settings = json!({ "deliver": { "url": format!("{origin}/mail") } });
    let grants = json!({
        "http": { &origin: true },
        "secrets": { "other": { "sign": true } },
        "commands": { "incident": { "comment": true } },
    });
    let links = json!({ "emma": [{ "url": "https://desk.example/vote/bearer-1_2" }] });
    let data = json!({ "specversion": "1.0", "data": { "vote_links": links } });
    let hidden = ["bearer-1_2"];
    let Some(failure) = deliver_hidden("webhook", &settings, &grants, &data, &hidden).await else {
        return;
    };
    let request = heard.recv().await.unwrap();
    assert!(request.contains("/vote/bearer-1_2"), "{request}");
    let said = failure.message;
    assert!(said.contains("/vote/[secret]"), "{said}");
    assert!(!said.contains("bearer-1_2"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_in_a_body_goes_out_and_does_not_come_back() {
    let (origin, mut heard) = server("seen hunter2").await;
    let secrets = json!({ "token": { "hosts": { &origin: true }, "body": true } });
    let Some(failure) = by_body(&origin, &secrets).await else {
        return;
    };
    let request = heard.recv().await.unwrap();
    assert!(
        request.contains(r#"{"routing_key":"hunter2","event_action":"trigger""#),
        "{request}"
    );
    assert!(
        !request
            .to_ascii_lowercase()
            .contains("servicewright-secret"),
        "{request}"
    );
    let said = failure.message;
    assert!(
        said.contains("seen [secret]") && !said.contains("hunter2"),
        "{said}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn each_place_is_granted_by_itself() {
    let (origin, mut heard) = server("").await;
    let here = || json!({ &origin: true });
    let there = json!({ "https://chat.example": true });
    for (grant, says) in [
        (json!({ "hosts": here() }), "lacks `url: true`"),
        (
            json!({ "hosts": here(), "body": true }),
            "lacks `url: true`",
        ),
        (
            json!({ "hosts": there, "url": true }),
            "not bound to this host",
        ),
    ] {
        let secrets = json!({ "token": grant, "key": grant });
        let Some(failure) = by_address(&origin, &secrets).await else {
            return;
        };
        refused(&failure, says);
    }
    for (grant, says) in [
        (json!({ "hosts": here() }), "lacks `body: true`"),
        (
            json!({ "hosts": here(), "url": true }),
            "lacks `body: true`",
        ),
        (
            json!({ "hosts": there, "body": true }),
            "not bound to this host",
        ),
    ] {
        let Some(failure) = by_body(&origin, &json!({ "token": grant })).await else {
            return;
        };
        refused(&failure, says);
    }
    let Some(failure) = by_body(&origin, &json!({})).await else {
        return;
    };
    refused(&failure, "does not grant the secret");
    assert!(heard.try_recv().is_err(), "nothing went out");
}

fn refused(failure: &Failure, says: &str) {
    assert_eq!(failure.kind, FailureKind::Misconfigured);
    let message = &failure.message;
    assert!(message.contains(says), "{message}");
    assert!(
        !message.contains("hunter2") && !message.contains("Jefe"),
        "{message}"
    );
}
