//! A change waits for the board, whose members vote from Slack, by the binding that docs/plugins/slack.md
//! shows: each in their own name, each once, and nobody else.

use reqwest::Method;
use serde_json::{Value as Json, json};
use test_support::{Answer, Server, Setup, load_example_desk};

use crate::pages;
use crate::slack_workspace::{SIGNING, TOKEN, Workspace, buttons, signed};

const CARLA: &str = "U0CARLA01";
const DIRK: &str = "U0DIRK001";
/// Known to the desk, and not asked.
const RITA: &str = "U0RITA001";

#[tokio::test(flavor = "multi_thread")]
async fn the_board_votes_from_slack() {
    let slack = Workspace::start().await;
    let server = desk(&slack).await;
    let ada = server.client("ada", "");
    slack.be_busy(1);
    let number = risky_change(&server).await;

    let (ts, message) = slack.wait_for(|message| buttons(message).len() == 2).await;
    assert_eq!(slack.refused(), 1, "what was not taken at first came again");
    let text = message.to_string();
    assert!(
        text.contains(&format!(
            "/records/{number}|{number}>* Replace the core switch"
        )),
        "{text}"
    );
    assert!(
        text.contains(&format!("<@{CARLA}>, <@{DIRK}>, emma")),
        "{text}"
    );
    assert!(text.contains("*Risk*\\nhigh"), "{text}");

    let (click, headers) = counted(&slack, &server, &ts, &number).await;
    let votes = ada.record(&number).await["approval"]["stages"][0]["votes"].clone();
    assert_eq!(votes.as_array().map(Vec::len), Some(1), "{votes}");
    assert!(
        votes.to_string().contains("carla") && votes.to_string().contains("Slack"),
        "{votes}"
    );
    let shows = format!("<@{CARLA}> approved");
    slack
        .wait_for(|message| message.to_string().contains(&shows))
        .await;

    // The same click once more, as Slack sends what it had no answer to.
    let mut again = headers.clone();
    again.push(("x-slack-retry-num".to_owned(), "1".to_owned()));
    let _ = send(&server, &click, &again).await.expect(200);
    assert_eq!(voted(&server, &number).await, ["carla"]);

    let (click, headers) = slack.click(&ts, DIRK, "approve");
    let _ = send(&server, &click, &headers).await.expect(200);
    assert_eq!(ada.record(&number).await["state"], "scheduled");
    assert_eq!(voted(&server, &number).await, ["carla", "dirk"]);
    // What happened in one step comes as one event after the other.
    let shows = format!("<@{DIRK}> approved");
    let (_, message) = slack
        .wait_for(|message| {
            let text = message.to_string();
            text.contains("*Approved*") && text.contains(&shows)
        })
        .await;
    assert_eq!(buttons(&message), Vec::<Json>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_else_s_click_counts() {
    let slack = Workspace::start().await;
    let server = desk(&slack).await;
    let number = risky_change(&server).await;
    let (ts, _) = slack.wait_for(|message| buttons(message).len() == 2).await;

    // In the name of carla, and not from Slack.
    let (click, genuine) = slack.click(&ts, CARLA, "approve");
    let forged = signed("application/x-www-form-urlencoded", &click, "a guess");
    let refused = send(&server, &click, &forged).await.expect(401);
    assert_eq!(refused.body, "The signature does not fit.");
    let other = click.replace("approve", "reject");
    let _ = send(&server, &other, &genuine).await.expect(401);
    assert_eq!(slack.whispers(), Vec::<Json>::new());

    for (user, says) in [
        ("U0STRANGER", "The desk does not know you"),
        (RITA, "You are not among those"),
    ] {
        let before = slack.whispers().len();
        let (click, headers) = slack.click(&ts, user, "approve");
        let _ = send(&server, &click, &headers).await.expect(200);
        let whispers = slack.whispers();
        assert_eq!(whispers.len(), before + 1);
        assert_eq!(whispers[before]["user"], user);
        assert!(whispers[before].to_string().contains(says), "{whispers:?}");
    }
    assert_eq!(voted(&server, &number).await, Vec::<String>::new());
    assert_eq!(slack.messages().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn slack_finds_the_address_to_be_the_desks() {
    let slack = Workspace::start().await;
    let server = desk(&slack).await;
    let test = json!({ "token": "x", "challenge": "3eZbrw1aBm2rZgRNFdxV2595E9CY3gmdALWMmHkvFXO7tYXAYM8P", "type": "url_verification" });
    let test = test.to_string();
    let answer = send(&server, &test, &signed("application/json", &test, SIGNING)).await;
    let answer = answer.expect(200);
    assert_eq!(
        answer.body,
        "3eZbrw1aBm2rZgRNFdxV2595E9CY3gmdALWMmHkvFXO7tYXAYM8P"
    );
    assert_eq!(answer.header("content-type"), "text/plain; charset=utf-8");
}

/// A desk with the binding of the page, told of this workspace.
async fn desk(slack: &Workspace) -> Server {
    let server = Setup::new()
        .variable("WRIGHT_SECRET_SLACK__TOKEN", TOKEN)
        .variable("WRIGHT_SECRET_SLACK__SIGNING", SIGNING)
        .start();
    let admin = server.client("admin", "administrator,agent");
    load_example_desk(&admin).await;
    let binding = pages::binding("slack")
        .replace("https://slack.com", &slack.origin)
        .replace(
            "settings:\n",
            &format!("settings:\n  api: {}/api\n", slack.origin),
        );
    pages::install(&server, "slack", &binding);
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

/// A click of carla that counts. Slack has the message a moment before the plugin has noted where it
/// is, and a click that comes in between does not.
async fn counted(
    slack: &Workspace,
    server: &Server,
    ts: &str,
    number: &str,
) -> (String, Vec<(String, String)>) {
    for _ in 0..100 {
        let (click, headers) = slack.click(ts, CARLA, "approve");
        let _ = send(server, &click, &headers).await.expect(200);
        if !voted(server, number).await.is_empty() {
            return (click, headers);
        }
    }
    panic!("carla's click never counts");
}

/// Who has voted, by the record's history.
async fn voted(server: &Server, number: &str) -> Vec<String> {
    let history = server.client("ada", "").history(number).await;
    let events = history
        .iter()
        .filter_map(|entry| entry["events"].as_array());
    let votes = events.flatten().filter(|event| event["kind"] == "voted");
    votes
        .map(|vote| {
            let known = ["carla", "dirk", "emma", "rita"];
            let text = vote.to_string();
            let who = known.iter().find(|person| text.contains(*person));
            who.map_or(text.clone(), |person| (*person).to_owned())
        })
        .collect()
}

async fn send(server: &Server, body: &str, headers: &[(String, String)]) -> Answer {
    let stranger = server.client_with("");
    let mut request = stranger
        .request(Method::POST, "/hooks/slack")
        .body(body.to_owned());
    for (name, value) in headers {
        request = request.header(name, value);
    }
    Answer::of(request).await
}
