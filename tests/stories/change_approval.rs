//! A change of high risk waits for the change advisory board, half of which must agree; two votes
//! let it go on, and its history says which plugin asked for them, in which version, and why.

use serde_json::{Value, json};
use test_support::{Server, load_example_desk};

#[tokio::test(flavor = "multi_thread")]
async fn a_risky_change_waits_for_two_votes_of_the_board() {
    let server = Server::start();
    let admin = server.client("admin", "administrator,agent");
    load_example_desk(&admin).await;
    let ada = server.client("ada", "");
    let (carla, dirk, rita) = (
        server.client("carla", ""),
        server.client("dirk", ""),
        server.client("rita", ""),
    );

    let change = ada
        .create(
            "normal-change",
            "submit",
            json!({
                "summary": "Replace the core switch", "reason": "It fails under load", "kind": "network",
                "impact": "high", "affected": ["network", "vpn", "web-shop", "e-mail"],
                "planned_start": "2031-03-04T19:00:00Z", "planned_end": "2031-03-04T21:00:00Z",
                "implementation_plan": "Swap the switch, move the cables, test every floor.",
                "backout_plan": "Put the old switch back, which stays in the rack.",
            }),
        )
        .await;
    let number = change.id();
    assert_eq!(change["state"], "authorise");
    assert_eq!(change["fields"]["risk"], "high");
    let approval = &change["approval"];
    assert_eq!(approval["by"], "change-advisory");
    assert_eq!(approval["stages"][0]["id"], "cab");
    assert_eq!(
        approval["stages"][0]["needed"], 2,
        "half of three, rounded up"
    );
    assert_eq!(
        approval["stages"][0]["entitled"],
        json!(["carla", "dirk", "emma"])
    );

    let votes = format!("/api/v1/records/{number}/votes");
    let yes = json!({ "approves": true, "comment": "The plan is sound." });
    let outsider = rita.post(&votes, &yes).await;
    assert!([403, 404].contains(&outsider.status), "{}", outsider.body);
    let own = ada.post(&votes, &yes).await;
    assert!(
        [403, 409].contains(&own.status),
        "nobody approves their own: {}",
        own.body
    );
    let once = carla.post(&votes, &yes).await.expect(200);
    assert_eq!(once["state"], "authorise", "one vote is not enough");
    let twice = dirk.post(&votes, &yes).await.expect(200);
    assert_eq!(twice["state"], "scheduled");
    assert!(twice["approval"].is_null());

    let history = ada.history(&number).await;
    let asked = decisions(&history[0])
        .iter()
        .find(|it| it["binding"] == "change-advisory");
    let asked = asked.expect("the plugin was asked as it was submitted");
    assert_eq!(asked["hook"], "approval");
    assert_eq!(asked["fallback"], false);
    let reason = asked["reason"].as_str().expect("it says why");
    assert!(
        reason.contains("board") && reason.contains("impact is high"),
        "{reason}"
    );

    let listed = server.wright(&["plugin", "list", "--format", "json"]);
    let listed: Value = serde_json::from_slice(&listed.stdout).expect("JSON");
    let bindings = listed["bindings"].as_array().expect("bindings");
    let binding = bindings
        .iter()
        .find(|it| it["id"] == "change-advisory")
        .expect("in use");
    assert_eq!(
        binding["component"], asked["component"],
        "the digest names what answered"
    );
    let hook = &binding["hooks"][0];
    assert_eq!(
        (&hook["hook"], &hook["calls"]),
        (&"approval".into(), &1.into())
    );
    assert_eq!(
        (&hook["failures"], &hook["breaker"]),
        (&0.into(), &"closed".into())
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rejection_of_the_whole_board_refuses_the_change() {
    let server = Server::start();
    let admin = server.client("admin", "administrator,agent");
    load_example_desk(&admin).await;
    let ada = server.client("ada", "");
    let change = json!({
        "summary": "Open the firewall to all", "reason": "It is easier", "kind": "security",
        "impact": "high", "affected": ["network", "vpn", "web-shop", "identity"],
        "planned_start": "2031-03-04T19:00:00Z", "planned_end": "2031-03-04T21:00:00Z",
        "implementation_plan": "Remove every rule, one after the other.",
        "backout_plan": "Put the rules back from the copy.",
    });
    let number = ada.create("normal-change", "submit", change).await.id();
    let votes = format!("/api/v1/records/{number}/votes");
    let mut state = Value::Null;
    for person in ["carla", "dirk", "emma"] {
        let voter = server.client(person, "");
        let answer = voter.post(&votes, &json!({ "approves": false })).await;
        if answer.status == 200 {
            state = answer["state"].clone();
        }
    }
    assert_eq!(state, "rejected");
}

fn decisions(entry: &Value) -> &[Value] {
    entry["decisions"].as_array().expect("decisions")
}
