//! What of the directory is not for everybody: why somebody is away is for them, their manager and
//! administrators; how somebody wants to be told is for them and administrators.

use serde_json::{Value, json};
use test_support::{Client, Server};

const OF_ADA: &str = "/api/v1/directory/absence/ada";

/// Ada and dirk are away, each for a reason; mona manages ada.
async fn desk() -> (Server, Client) {
    let server = Server::start();
    let admin = server.client("root", "administrator");
    for (path, thing) in [
        ("user/mona", json!({ "name": "Mona" })),
        ("user/ada", json!({ "name": "Ada", "manager": "mona" })),
        ("user/dirk", json!({ "name": "Dirk" })),
        ("absence/ada", absence("emma", Some("An operation"))),
        ("absence/dirk", absence("ada", Some("Parental leave"))),
        (
            "preference/ada",
            json!({ "channels": { "mail-ada": "never" } }),
        ),
        ("preference/dirk", json!({ "language": "nl" })),
    ] {
        let path = format!("/api/v1/directory/{path}");
        let _ = admin.put(&path, &thing).await.expect(200);
    }
    (server, admin)
}

fn absence(substitute: &str, reason: Option<&str>) -> Value {
    let mut period = json!({
        "from": "2026-03-02T00:00:00Z", "to": "2026-03-09T00:00:00Z", "substitute": substitute,
    });
    if let Some(reason) = reason {
        period["reason"] = json!(reason);
    }
    json!({ "periods": { "away": period } })
}

#[tokio::test]
async fn why_somebody_is_away_is_for_them_their_manager_and_administrators() {
    let (server, admin) = desk().await;
    let (ada, mona) = (server.client("ada", ""), server.client("mona", ""));
    let carla = server.client("carla", "agent");
    let whole = absence("emma", Some("An operation"));
    for client in [&admin, &ada, &mona] {
        let read = client.get(OF_ADA).await.expect(200);
        assert_eq!(read.body, whole);
    }
    // Desks need to know that she is away, until when, and who stands in; not why.
    let read = carla.get(OF_ADA).await.expect(200);
    assert_eq!(read.body, absence("emma", None));

    let listed = async |client: &Client| {
        let list = client.get("/api/v1/directory/absence").await.expect(200);
        let things = list["things"].as_array().expect("things").clone();
        let each = things.into_iter();
        let reasons = each.map(|thing| thing["attributes"]["periods"]["away"]["reason"].clone());
        reasons.collect::<Vec<_>>()
    };
    let (hers, his) = (json!("An operation"), json!("Parental leave"));
    assert_eq!(listed(&admin).await, [hers.clone(), his]);
    assert_eq!(listed(&ada).await, [hers.clone(), Value::Null]);
    assert_eq!(listed(&mona).await, [hers, Value::Null]);
    assert_eq!(listed(&carla).await, [Value::Null, Value::Null]);
}

#[tokio::test]
async fn how_somebody_wants_to_be_told_is_for_them_and_administrators() {
    let (server, admin) = desk().await;
    let (ada, mona) = (server.client("ada", ""), server.client("mona", "agent"));
    let hers = json!({ "channels": { "mail-ada": "never" } });
    for client in [&admin, &ada] {
        let read = client.get("/api/v1/directory/preference/ada").await;
        assert_eq!(read.expect(200).body, hers);
    }
    let own = ada.get("/api/v1/me/preferences").await.expect(200);
    assert_eq!(own.body, hers);
    // Whether there are any is not told either.
    for of in ["preference/ada", "preference/nobody", "preference"] {
        let refused = mona.get(&format!("/api/v1/directory/{of}")).await;
        assert_eq!(refused.status, 403, "{of}: {}", refused.body);
    }
    let all = admin.get("/api/v1/directory/preference").await.expect(200);
    assert_eq!(all["things"].as_array().map(Vec::len), Some(2));
}
