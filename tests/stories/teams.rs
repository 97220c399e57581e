//! A channel of Microsoft Teams is told of a change that waits for an agreement, by the binding that
//! docs/plugins/teams.md shows; the secret in the workflow's address is known to the server alone.

use serde_json::json;
use test_support::{Server, Setup, load_example_desk};

use crate::pages;
use crate::teams_workflow::{SIG, Workflow};

const ORIGIN: &str = "https://prod-00.westeurope.logic.azure.com";

#[tokio::test(flavor = "multi_thread")]
async fn a_channel_is_told_who_is_asked_and_how_it_ended() {
    let teams = Workflow::start().await;
    let server = desk(&teams, SIG).await;
    teams.be_busy(1);
    let number = risky_change(&server).await;
    let cards = teams.wait_for(1).await;
    let heading = &cards[0]["body"][0]["text"];
    assert_eq!(heading, &format!("{number} Replace the core switch"));
    assert_eq!(
        cards[0]["body"][1]["text"],
        "Waits for the agreement of carla, dirk, emma"
    );
    let facts = cards[0]["body"][2]["facts"].to_string();
    assert!(
        facts.contains(r#"{"title":"Risk","value":"high"}"#),
        "{facts}"
    );
    let link = format!("https://desk.example.com/api/v1/records/{number}");
    assert_eq!(cards[0]["actions"][0]["url"], link);

    let votes = format!("/api/v1/records/{number}/votes");
    for person in ["carla", "dirk"] {
        let voter = server.client(person, "");
        let _ = voter
            .post(&votes, &json!({ "approves": true }))
            .await
            .expect(200);
    }
    let cards = teams.wait_for(2).await;
    let text = cards[1]["body"][1]["text"].as_str().expect("a text");
    assert!(text.starts_with("Decided, approved: "), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_whose_secret_is_another_one_is_a_matter_for_the_operator() {
    let teams = Workflow::start().await;
    let wrong = "not the one that Teams gave";
    let server = desk(&teams, wrong).await;
    let _number = risky_change(&server).await;
    let root = server.client("root", "administrator");
    let begun = std::time::Instant::now();
    let dead = loop {
        assert!(begun.elapsed().as_secs() < 60, "no effect was given up");
        let listed = root.get("/api/v1/effects").await.expect(200).body;
        if let Some(dead) = listed["effects"].get(0) {
            break dead.to_string();
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    };
    assert!(dead.contains("check the secret in the address"), "{dead}");
    for text in [dead, server.log()] {
        assert!(
            !text.contains(wrong) && !text.contains("not%20the%20one"),
            "{text}"
        );
    }
}

/// A desk with the binding of the page, told of this workflow.
async fn desk(teams: &Workflow, sig: &str) -> Server {
    let server = Setup::new()
        .variable("WRIGHT_SECRET_TEAMS__SIG", sig)
        .start();
    let admin = server.client("admin", "administrator,agent");
    load_example_desk(&admin).await;
    let binding = pages::binding("teams").replace(ORIGIN, &teams.origin);
    pages::install(&server, "teams", &binding);
    server
}

async fn risky_change(server: &Server) -> String {
    let ada = server.client("ada", "");
    let change = json!({
        "summary": "Replace the core switch", "reason": "It fails under load", "kind": "network",
        "impact": "high", "affected": ["network", "vpn", "web-shop", "e-mail"],
        "planned_start": "2031-03-04T19:00:00Z", "planned_end": "2031-03-04T21:00:00Z",
        "implementation_plan": "Swap the switch, move the cables, test every floor.",
        "backout_plan": "Put the old switch back, which stays in the rack.",
    });
    ada.create("normal-change", "submit", change).await.id()
}
