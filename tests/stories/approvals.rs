//! A change that two stages must approve, as people live with it: a substitute votes, a vote is taken
//! back and another handed on, the server is killed, somebody leaves, and at last nobody answers in time.

use serde_json::{Value, json};
use test_support::{Client, Server, repository};

async fn desk() -> (Server, Client) {
    let server = Server::start();
    let pack = repository().join("tests/cases/approvals");
    let installed = server.wright(&["pack", "install", pack.to_str().expect("a path of text")]);
    let told = String::from_utf8_lossy(&installed.stderr).into_owned();
    assert!(installed.status.success(), "{told}");
    let administrator = server.client("root", "administrator,agent");
    for (id, more) in [
        ("rita", json!({ "manager": "mona" })),
        ("mona", json!({})),
        ("carla", json!({})),
        ("dirk", json!({})),
        ("emma", json!({})),
        ("ada", json!({ "roles": ["agent"] })),
    ] {
        put(&administrator, "user", id, &more, 200).await;
    }
    let members = json!({ "members": { "carla": {}, "dirk": {}, "ada": {} } });
    put(&administrator, "team", "change-board", &members, 200).await;
    (server, administrator)
}

/// Puts a thing into the directory, as which the answer is to have this status.
async fn put(client: &Client, kind: &str, id: &str, thing: &Value, status: u16) {
    let path = format!("/api/v1/directory/{kind}/{id}");
    let _ = client.put(&path, thing).await.expect(status);
}

/// The record as an accepted change left it.
async fn done(client: &Client, path: &str, body: &Value) -> Value {
    client.post(path, body).await.expect(200).body
}

fn stages(record: &Value) -> Vec<&str> {
    let stages = record["approval"]["stages"].as_array();
    let stages = stages.into_iter().flatten();
    stages.filter_map(|stage| stage["id"].as_str()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn two_stages_with_a_substitute_a_leaver_a_recall_and_an_expiry() {
    let (mut server, administrator) = desk().await;
    let [rita, mona, carla, dirk, emma] =
        ["rita", "mona", "carla", "dirk", "emma"].map(|person| server.client(person, ""));
    let leave = json!({ "periods": { "leave": {
        "from": "2020-01-01T00:00:00Z", "to": "2099-01-01T00:00:00Z", "substitute": "emma",
    } } });
    put(&carla, "absence", "mona", &leave, 403).await;
    put(&mona, "absence", "mona", &leave, 200).await;

    let change = rita
        .create("change", "propose", json!({ "summary": "A new disk" }))
        .await;
    let number = change.id();
    let at = |what: &str| format!("/api/v1/records/{number}/{what}");
    assert_eq!(stages(&change.body), ["manager"]);
    let first = &change["approval"]["stages"][0];
    assert_eq!(first["substitutes"], json!({ "mona": "emma" }));

    let yes = json!({ "approves": true });
    let neither = carla.post(&at("votes"), &json!({})).await.expect(422);
    assert!(
        neither.body.to_string().contains("abstains"),
        "{}",
        neither.body
    );
    let _ = rita.post(&at("votes"), &yes).await.expect(403);
    let voted = done(&emma, &at("votes"), &yes).await;
    assert_eq!(stages(&voted), ["cab"], "the second stage is opened");

    done(&carla, &at("votes"), &yes).await;
    let recalled = done(&carla, &at("votes/recall"), &json!({})).await;
    assert_eq!(recalled["approval"]["stages"][0]["votes"], json!([]));
    let handed = json!({ "to": "emma", "comment": "It is her system." });
    done(&dirk, &at("votes/reassign"), &handed).await;
    let gone = dirk.get(&format!("/api/v1/records/{number}")).await;
    let _ = gone.expect(404);
    done(&emma, &at("votes"), &yes).await;

    server.kill();
    server.restart();
    let standing = rita.record(&number).await;
    let stage = &standing["approval"]["stages"][0];
    assert_eq!(stage["votes"][0]["person"], "emma", "it is on disk");
    assert_eq!(stage["reassigned"], json!({ "dirk": "emma" }));
    assert_eq!(stage["needed"], 2);

    let left = administrator.delete("/api/v1/directory/user/emma").await;
    let _ = left.expect(204);
    let standing = rita.record(&number).await;
    let stage = &standing["approval"]["stages"][0];
    assert_eq!(stage["votes"], json!([]), "who leaves takes the vote along");
    assert_eq!(stage["entitled"], json!(["ada", "carla"]));
    assert_eq!(standing["state"], "authorise", "and approves nothing");

    server.kill();
    server.set_variable("WRIGHT_TEST_CLOCK_AHEAD", "P8D");
    server.restart();
    let expired = until_it_is(&rita, &number, "expired").await;
    assert_eq!(expired["outcome"], "expired");
    let explained = rita.get(&at("explanation")).await.expect(200);
    let told = explained["decisions"].as_array().expect("decisions");
    let told: Vec<String> = told
        .iter()
        .map(|it| {
            format!(
                "{} {}",
                it["by"].as_str().unwrap_or(""),
                it["what"].as_str().unwrap_or("")
            )
        })
        .collect();
    for sentence in [
        "emma approved in the stage `manager` in the place of mona.",
        "carla took back their vote in the stage `cab`.",
        "dirk handed their vote in the stage `cab` on to emma: It is her system.",
        "approval the stage `cab` asks ada and carla from now on.",
    ] {
        assert!(
            told.iter().any(|it| it == sentence),
            "{sentence}: {told:#?}"
        );
    }
    let history = rita.history(&number).await;
    let events = history
        .iter()
        .flat_map(|entry| entry["events"].as_array().into_iter().flatten());
    let ended: Vec<_> = events
        .filter(|event| event["kind"] == "stage-ended")
        .collect();
    assert_eq!(ended.len(), 2);
    assert!(ended[1]["due"].is_string(), "when it was due: {}", ended[1]);
}

/// Waits until a record is in a state: what was due while the server was down is done as it starts.
async fn until_it_is(client: &Client, number: &str, state: &str) -> Value {
    for _ in 0..600 {
        let record = client.record(number).await;
        if record["state"] == state {
            return record;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    panic!("{number} does not come to `{state}`");
}
