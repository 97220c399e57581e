//! Outgoing HTTP goes where a grant says, with secrets for the hosts that they are bound to.

use model::hook::FailureKind;
use serde_json::{Value as Json, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use crate::support::{all_grants, binding, component, host, run};

/// A server that answers every request with its head, or sends it somewhere else.
async fn server(redirect: bool) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let mut head = Vec::new();
                let mut bytes = [0; 1024];
                while !head.windows(4).any(|end| end == b"\r\n\r\n") {
                    match stream.read(&mut bytes).await {
                        Ok(count) if count > 0 => head.extend_from_slice(&bytes[..count]),
                        _ => return,
                    }
                }
                let status = if redirect {
                    "302 Found\r\nlocation: http://127.0.0.1:1/"
                } else {
                    "200 OK"
                };
                let response = format!(
                    "HTTP/1.1 {status}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
                    head.len()
                );
                let _ = stream.write_all(response.as_bytes()).await;
                let _ = stream.write_all(&head).await;
            });
        }
    });
    port
}

/// Sends a request with this header to this address, with these grants.
async fn request(
    url: &str,
    header: &str,
    http: Json,
    secrets: Json,
) -> Option<Result<String, model::hook::Failure>> {
    let component = component("hostile")?;
    let mut grants = all_grants();
    grants["http"] = http;
    grants["secrets"] = secrets;
    grants["secrets"]["key"] = json!({ "sign": true });
    let more = json!({
        "settings": { "do": "request", "url": url, "header": header },
        "grants": grants,
    });
    let host = host(vec![binding("sender", &component, &["schedule"], more)]).await;
    Some(run(&host, "sender").await)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_goes_where_it_is_granted() {
    let port = server(false).await;
    let origin = format!("http://127.0.0.1:{port}");
    let http = json!({ &origin: true });
    let Some(sent) = request(&format!("{origin}/a?b=1"), "plain", http, json!({})).await else {
        return;
    };
    let sent = sent.unwrap();
    assert!(sent.contains("200 POST /a?b=1 HTTP/1.1"), "{sent}");
    assert!(sent.contains("authorization: plain"), "{sent}");
    assert!(sent.contains(&format!("host: 127.0.0.1:{port}")), "{sent}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_goes_nowhere_else() {
    let port = server(false).await;
    let granted = json!({ "http://127.0.0.1:1": true, "http://*.example": true });
    let url = format!("http://127.0.0.1:{port}/");
    let Some(refused) = request(&url, "plain", granted, json!({})).await else {
        return;
    };
    let refused = refused.unwrap_err();
    assert!(
        refused
            .message
            .contains("does not grant requests to http://127.0.0.1"),
        "{}",
        refused.message
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redirect_is_handed_to_the_plugin() {
    let port = server(true).await;
    let origin = format!("http://localhost:{port}");
    let http = json!({ &origin: true });
    let Some(sent) = request(&format!("{origin}/"), "plain", http, json!({})).await else {
        return;
    };
    assert!(sent.unwrap().contains("302 "));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_goes_out_to_its_host_and_does_not_come_back() {
    let port = server(false).await;
    let origin = format!("http://127.0.0.1:{port}");
    let http = json!({ &origin: true });
    let secrets = json!({ "token": { "hosts": { &origin: true } } });
    let header = "Bearer {{secret:token}}";
    let Some(sent) = request(&format!("{origin}/"), header, http, secrets).await else {
        return;
    };
    let sent = sent.unwrap();
    assert!(sent.contains("authorization: Bearer [secret]"), "{sent}");
    assert!(!sent.contains("hunter2"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_goes_to_no_other_host() {
    let port = server(false).await;
    let origin = format!("http://127.0.0.1:{port}");
    let http = json!({ &origin: true });
    for (secrets, says) in [
        (
            json!({ "token": { "hosts": { "https://chat.example": true } } }),
            "not bound to this host",
        ),
        (json!({}), "does not grant the secret"),
    ] {
        let header = "Bearer {{secret:token}}";
        let sent = request(&format!("{origin}/"), header, http.clone(), secrets).await;
        let Some(sent) = sent else { return };
        let failure = sent.unwrap_err();
        assert!(failure.message.contains(says), "{}", failure.message);
        assert_ne!(failure.kind, FailureKind::Trap);
    }
}
