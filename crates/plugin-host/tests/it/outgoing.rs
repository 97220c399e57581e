//! Outgoing HTTP goes where a grant says, with secrets for the hosts that they are bound to.

use model::hook::FailureKind;
use serde_json::{Value as Json, json};

use crate::server::Server;
use crate::support::{all_grants, binding, component, host, run};

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
    let port = Server::Echo.start().await;
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
    let port = Server::Echo.start().await;
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
    let port = Server::Redirect.start().await;
    let origin = format!("http://localhost:{port}");
    let http = json!({ &origin: true });
    let Some(sent) = request(&format!("{origin}/"), "plain", http, json!({})).await else {
        return;
    };
    assert!(sent.unwrap().contains("302 "));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_goes_out_to_its_host_and_does_not_come_back() {
    let port = Server::Echo.start().await;
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
    let port = Server::Echo.start().await;
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
