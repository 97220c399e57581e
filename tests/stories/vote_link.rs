//! Votes by link: a channel that is granted links hands each approver one of their own. Whoever follows it
//! sees what is asked and changes nothing; who posts the form has voted, once, whatever becomes of the
//! server in between.

use std::process::{Command, Output};
use std::sync::Arc;
use std::time::Duration;

use reqwest::{Method, Response};
use serde_json::{Value, json};
use tempfile::TempDir;
use test_support::{Client, Server, Setup, binary};
use tokio::sync::Barrier;

use crate::listener::Listener;
use crate::packs;

const HEADER: &str = "apiVersion: servicewright/v1
kind: Pack
id: desk
version: 1.0.0
title: Desk
zone: Europe/Brussels
roles: { agent: { title: Agent } }
";

const WORKFLOW: &str = r#"apiVersion: servicewright/v1
kind: Workflow
id: change
title: Change
number: CHG
see: { agent: true, requester: true }
edit: { agent: true }
fields:
  summary: { type: string, minLength: 1, maxLength: 200 }
create:
  propose: { to: authorise, permit: { anyone: true }, form: { summary: { required: true } } }
states:
  authorise:
    category: waiting
    approval:
      stages:
        manager:
          approvers: { boss: { manager-of: requester } }
          quorum: { all: true }
          comment: { reject: true }
          effects: { tell: { notice: your-vote } }
          timeout: { time: P30D }
        cab:
          approvers: { board: { team: change-board } }
          quorum: { count: 2 }
          effects: { tell: { notice: your-vote } }
          timers: { remind: { wait: { time: P1D }, repeat: true, effects: { tell: { notice: your-vote } } } }
          timeout: { time: P30D }
      then: { approved: schedule, rejected: refuse, expired: give-up, unreachable: give-up, nobody-asked: give-up }
    transitions:
      schedule: { to: scheduled }
      refuse: { to: refused }
      give-up: { to: given-up }
      rework: { to: drafted, permit: { requester: true } }
  drafted:
    category: open
    transitions: { submit: { to: authorise, permit: { requester: true } } }
  scheduled: { category: closed, outcome: done }
  refused: { category: closed, outcome: refused }
  given-up: { category: closed, outcome: expired }
"#;

const YOUR_VOTE: &str = "apiVersion: servicewright/v1
kind: Notice
id: your-vote
to: { approver: true }
subject: \"{{ record.id }} waits for your vote\"
text: \"The stage {{ approval.stage }} asks you: {{ summary }}\"
";

const BOARD: &str = "apiVersion: servicewright/v1
kind: Team
id: change-board
title: Change board
";

/// A desk where mona manages rita, and carla, dirk and emma are the board.
struct Desk {
    server: Server,
    outside: Listener,
    administrator: Client,
    rita: Client,
    keys: TempDir,
}

impl Desk {
    async fn start() -> Self {
        let keys = tempfile::tempdir().expect("a folder");
        let key = key_in(&keys, "key");
        let address = "https://desk.example/it/";
        let setup = Setup::new().arguments(&["--secrets-key-file", &key, "--log", "debug"]);
        Self::start_with(setup.arguments(&["--public-url", address]), keys).await
    }

    async fn start_with(setup: Setup, keys: TempDir) -> Self {
        let server = setup.start();
        let outside = Listener::start().await;
        let origin = &outside.origin;
        let folder = packs::folder(&[
            ("pack.yaml", HEADER),
            ("workflows/change.yaml", WORKFLOW),
            ("notices/your-vote.yaml", YOUR_VOTE),
            ("teams/change-board.yaml", BOARD),
            (
                "plugins/mail.yaml",
                &packs::channel("mail", "change", origin, "  vote-links: true\n"),
            ),
            (
                "plugins/chat.yaml",
                &packs::channel("chat", "change", origin, ""),
            ),
        ]);
        let folder = folder.path().to_str().expect("a path of text");
        done(&server.wright(&["pack", "install", folder]));
        let administrator = server.client("root", "administrator,agent");
        for (id, more) in [
            ("rita", json!({ "manager": "mona" })),
            ("mona", json!({})),
            ("carla", json!({})),
            ("dirk", json!({})),
            ("emma", json!({})),
            ("ada", json!({})),
        ] {
            let path = format!("/api/v1/directory/user/{id}");
            let _ = administrator.put(&path, &more).await.expect(200);
        }
        let rita = server.client("rita", "");
        let desk = Self {
            server,
            outside,
            administrator,
            rita,
            keys,
        };
        desk.put_on_board(&["carla", "dirk", "emma"]).await;
        desk
    }

    async fn put_on_board(&self, people: &[&str]) {
        let members = people.iter().map(|id| ((*id).to_owned(), json!({})));
        let board = json!({ "members": members.collect::<serde_json::Map<_, _>>() });
        let path = "/api/v1/directory/team/change-board";
        let _ = self.administrator.put(path, &board).await.expect(200);
    }

    /// Rita proposes a change; gives its number.
    async fn propose(&self, summary: &str) -> String {
        let fields = json!({ "summary": summary });
        self.rita.create("change", "propose", fields).await.id()
    }

    /// The events of a record that a channel was told, once they are enough.
    async fn told(
        &self,
        channel: &str,
        number: &str,
        enough: impl Fn(&[Value]) -> bool,
    ) -> Vec<Value> {
        let read = |heard: &[axum::body::Bytes]| {
            let events = heard.iter().map(|body| {
                let event: Value = serde_json::from_slice(body).expect("a CloudEvent");
                event
            });
            let of_record = events.filter(|event| event["subject"] == number);
            of_record.collect::<Vec<_>>()
        };
        let path = format!("/{channel}");
        let heard = self.outside.wait_for(&path, |heard| enough(&read(heard)));
        read(&heard.await)
    }

    /// The nth link that mail was handed for a person and a stage, as the path of the desk itself.
    async fn link(&self, number: &str, stage: &str, nth: usize, person: &str) -> String {
        let of_person = |told: &[Value]| {
            let links = told
                .iter()
                .filter_map(|event| event["data"]["vote_links"][person].as_array());
            let of_stage = links.flatten().filter(|link| link["stage"] == stage);
            of_stage.cloned().collect::<Vec<Value>>()
        };
        let enough = |told: &[Value]| of_person(told).len() >= nth;
        let links = of_person(&self.told("mail", number, enough).await);
        let url = links[nth - 1]["url"].as_str().expect("a link");
        let path = url.strip_prefix("https://desk.example/it");
        let path = path.unwrap_or_else(|| panic!("not of the desk: {url}"));
        path.to_owned()
    }

    /// Whoever holds a link brings no token.
    fn stranger(&self) -> Client {
        self.server.client_with("")
    }

    async fn open(&self, link: &str) -> Page {
        Page::of(self.stranger().request(Method::GET, link)).await
    }

    async fn post(&self, link: &str, form: &str) -> Page {
        Page::of(posting(&self.stranger(), link, form)).await
    }

    /// The record and all its entries, once nothing is left to be told outside.
    async fn all_of(&self, number: &str) -> (Value, Vec<Value>) {
        loop {
            let history = self.rita.history(number).await;
            let count = |kind: &str| {
                let all = history.iter().flat_map(events);
                all.filter(|event| event["kind"] == kind).count()
            };
            if count("effect-due") == count("effect-done") {
                return (self.rita.record(number).await, history);
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}

/// A key for secrets in a new file; gives its path.
fn key_in(folder: &TempDir, name: &str) -> String {
    let path = folder.path().join(name);
    let path = path.to_str().expect("a path of text").to_owned();
    let made = Command::new(binary())
        .args(["secret", "key", &path])
        .output();
    assert!(made.expect("it runs").status.success());
    path
}

#[track_caller]
fn done(output: &Output) {
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{told}");
}

/// The events of an entry.
fn events(entry: &Value) -> impl Iterator<Item = &Value> {
    let events = entry["events"].as_array();
    events.map_or(&[][..], Vec::as_slice).iter()
}

fn posting(client: &Client, link: &str, form: &str) -> reqwest::RequestBuilder {
    let request = client.request(Method::POST, link);
    let kind = ("Content-Type", "application/x-www-form-urlencoded");
    request.header(kind.0, kind.1).body(form.to_owned())
}

/// A page as a browser gets it.
#[derive(Debug)]
struct Page {
    status: u16,
    text: String,
}

impl Page {
    async fn of(request: reqwest::RequestBuilder) -> Self {
        let response = request.send().await.expect("an answer");
        assert_closed(&response);
        Self {
            status: response.status().as_u16(),
            text: response.text().await.expect("a page"),
        }
    }

    /// The page, which must have this status and say all of this.
    #[track_caller]
    fn says(self, status: u16, all: &[&str]) -> Self {
        assert_eq!(self.status, status, "{}", self.text);
        for part in all {
            assert!(self.text.contains(part), "no `{part}` in {}", self.text);
        }
        self
    }
}

/// Nothing keeps the page, frames it, indexes it or is told where it was.
fn assert_closed(response: &Response) {
    let header = |name: &str| {
        let value = response.headers().get(name);
        value.and_then(|it| it.to_str().ok()).unwrap_or_default()
    };
    assert_eq!(header("content-type"), "text/html; charset=utf-8");
    assert_eq!(header("cache-control"), "no-store");
    assert_eq!(header("referrer-policy"), "no-referrer");
    assert_eq!(header("x-content-type-options"), "nosniff");
    assert!(header("x-robots-tag").contains("noindex"));
    let policy = header("content-security-policy");
    for part in [
        "default-src 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    ] {
        assert!(policy.contains(part), "{policy}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_is_looked_at_as_often_as_one_likes_and_votes_once() {
    let mut desk = Desk::start().await;
    let number = desk.propose("<b>A new disk</b> & \"more\"").await;
    let link = desk.link(&number, "manager", 1, "mona").await;
    let any = |told: &[Value]| !told.is_empty();
    let told = desk.told("mail", &number, any).await;
    assert_eq!(told[0]["data"]["recipients"], json!(["mona"]));
    assert_eq!(told[0]["data"]["vote_links"]["mona"][0]["stage"], "manager");
    let told = desk.told("chat", &number, any).await;
    let data = &told[0]["data"];
    assert!(data.get("vote_links").is_none(), "{data}");
    assert!(!data.to_string().contains("/vote/"), "{data}");

    // A scanner follows links; the server is killed; nothing comes of it but the page.
    let before = desk.all_of(&number).await;
    for _ in 0..3 {
        let page = desk.open(&link).await;
        page.says(
            200,
            &[
                "<html lang=\"en\">",
                "Change CHG-1 waits for your vote",
                "&lt;b&gt;A new disk&lt;&#x2f;b&gt; &amp; &quot;more&quot;",
                "<dd>manager</dd>",
                "<dd>mona</dd>",
                "<label for=\"comment\">Comment <span>(needed to reject)</span></label>",
                "<button type=\"submit\" name=\"vote\" value=\"approve\">",
            ],
        );
        let head = desk.stranger().request(Method::HEAD, &link);
        let page = Page::of(head).await.says(200, &[]);
        assert_eq!(page.text, "");
    }
    assert_eq!(desk.all_of(&number).await, before);
    desk.server.kill();
    desk.server.restart();
    assert_eq!(desk.all_of(&number).await, before);

    // The stage wants to know why; what was typed is not lost.
    let page = desk.post(&link, "vote=reject&comment=+").await;
    let why = "The stage manager wants to know why: whoever votes reject says so in a comment.";
    page.says(422, &["role=\"alert\"", why]);
    let page = desk.post(&link, "comment=%3C%2Ftextarea%3Ewait").await;
    let page = page.says(422, &["Say how you vote", "&lt;&#x2f;textarea&gt;wait"]);
    assert!(!page.text.contains("</textarea>wait"));
    let page = desk.post(&link, "vote=maybe").await;
    page.says(422, &["Say how you vote"]);
    let long = format!("vote=approve&comment={}", "x".repeat(10_001));
    let page = desk.post(&link, &long).await;
    page.says(422, &["at most 10,000 characters"]);
    let page = desk.post(&link, &"x".repeat(100_000)).await;
    page.says(413, &["too large"]);
    let json = desk.stranger().request(Method::POST, &link);
    let page = Page::of(json.json(&json!({ "vote": "approve" }))).await;
    page.says(415, &["as a form"]);
    assert_eq!(desk.all_of(&number).await, before);

    let page = desk.post(&link, "vote=approve&comment=Go+on.").await;
    page.says(
        200,
        &[
            "Your vote is given",
            "mona approved CHG-1 in the stage manager.",
            "With it the stage is decided.",
        ],
    );
    let given = desk.all_of(&number).await;
    assert_eq!(given.0["approval"]["stages"][0]["id"], "cab");
    for again in ["vote=approve", "vote=reject&comment=No"] {
        let page = desk.post(&link, again).await;
        page.says(410, &["The vote was given: mona approved CHG-1"]);
    }
    desk.open(&link).await.says(410, &["good no more"]);
    assert_eq!(desk.all_of(&number).await, given);

    // It is on record how it came.
    let entry = given.1.iter().find(|entry| entry["what"] == "vote");
    let entry = entry.expect("a vote");
    assert_eq!(entry["input"]["by_link"], true, "{entry}");
    let voted = events(entry).find(|event| event["kind"] == "voted");
    let voted = voted.expect("a vote");
    assert_eq!(voted["person"], "mona");
    assert_eq!(voted["by_link"], true);
    let explained = format!("/api/v1/records/{number}/explanation");
    let explained = desk.rita.get(&explained).await.expect(200);
    let said = explained.body.to_string();
    let sentence = "approved in the stage `manager` by link: Go on.";
    assert!(said.contains(sentence), "{said}");

    // The token is in nobody's books.
    let token = link.rsplit('/').next().expect("a token");
    assert!(!desk.server.log().contains(token));
    assert!(!said.contains(token));
    assert!(!json!(given.1).to_string().contains(token));
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_who_post_a_link_at_once_one_votes() {
    let desk = Desk::start().await;
    let number = desk.propose("A new disk").await;
    let link = desk.link(&number, "manager", 1, "mona").await;
    let many = 16;
    let barrier = Arc::new(Barrier::new(many));
    let posts = (0..many).map(|_| {
        let (client, link) = (desk.stranger(), link.clone());
        let barrier = Arc::clone(&barrier);
        tokio::spawn(async move {
            barrier.wait().await;
            Page::of(posting(&client, &link, "vote=approve")).await
        })
    });
    let posts: Vec<_> = posts.collect();
    let mut statuses = Vec::new();
    for post in posts {
        let page = post.await.expect("it is answered");
        if page.status == 410 {
            assert!(page.text.contains("The vote was given"), "{}", page.text);
        }
        statuses.push(page.status);
    }
    statuses.sort_unstable();
    assert_eq!(statuses[0], 200);
    assert_eq!(statuses[1..], [410; 15]);
    let history = desk.rita.history(&number).await;
    let voted = history.iter().flat_map(events);
    assert_eq!(voted.filter(|event| event["kind"] == "voted").count(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_not_signed_here_is_nothing() {
    let desk = Desk::start().await;
    let number = desk.propose("A new disk").await;
    let link = desk.link(&number, "manager", 1, "mona").await;
    let before = desk.all_of(&number).await;
    let (start, end) = link.split_at(link.len() - 1);
    let other = if end == "A" { "B" } else { "A" };
    let middle = link.len() / 2;
    let swapped = if &link[middle..=middle] == "x" {
        "y"
    } else {
        "x"
    };
    for tampered in [
        format!("{start}{other}"),
        format!("{}{swapped}{}", &link[..middle], &link[middle + 1..]),
        format!("{link}A"),
        start.to_owned(),
        "/vote/x".to_owned(),
        "/vote/%FF%00".to_owned(),
        format!("/vote/{}", "A".repeat(5_000)),
    ] {
        for page in [
            desk.open(&tampered).await,
            desk.post(&tampered, "vote=approve").await,
        ] {
            let page = page.says(404, &["There is nothing at this address."]);
            assert!(!page.text.contains(&number), "{}", page.text);
        }
    }
    assert_eq!(desk.all_of(&number).await, before);

    // The key made anew: what was given out is as nothing, and the next is good.
    done(&desk.server.wright(&["token", "revoke-vote-links"]));
    let page = desk.post(&link, "vote=approve").await;
    page.says(404, &["There is nothing at this address."]);
    let other = desk.propose("Another disk").await;
    let link = desk.link(&other, "manager", 1, "mona").await;
    // It is sealed like the secrets, under whichever key those are, and is none of them.
    let new = key_in(&desk.keys, "new");
    done(&desk.server.wright(&["secret", "rekey", &new]));
    let page = desk.post(&link, "vote=approve").await;
    page.says(200, &["Your vote is given"]);
    let listed = desk.server.wright(&["secret", "list"]);
    assert_eq!(String::from_utf8_lossy(&listed.stdout).trim(), "");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_happens_to_a_vote_happens_to_its_links() {
    let mut desk = Desk::start().await;
    let [mona, carla, dirk] =
        ["mona", "carla", "dirk"].map(|person| desk.server.client(person, ""));
    let number = desk.propose("A new disk").await;
    let at = |what: &str| format!("/api/v1/records/{number}/{what}");
    let first = desk.link(&number, "manager", 1, "mona").await;
    let absence = |periods: Value| {
        let body = json!({ "periods": periods });
        let mona = mona.clone();
        async move {
            mona.put("/api/v1/directory/absence/mona", &body)
                .await
                .expect(200)
        }
    };
    let away = json!({ "leave": {
        "from": "2020-01-01T00:00:00Z", "to": "2099-01-01T00:00:00Z", "substitute": "emma",
    } });

    // Emma stands in, as long as mona is away.
    let _ = absence(away.clone()).await;
    let instead = desk.link(&number, "manager", 1, "emma").await;
    let page = desk.open(&instead).await;
    page.says(200, &["<dd>emma</dd>", "In the place of", "<dd>mona</dd>"]);
    let _ = absence(json!({})).await;
    let page = desk.post(&instead, "vote=approve").await;
    page.says(410, &["emma does not stand in for mona any more."]);
    let _ = absence(away).await;
    let page = desk.post(&instead, "vote=approve").await;
    page.says(
        200,
        &["emma approved CHG-1 in the stage manager, in the place of mona."],
    );
    let page = desk.post(&first, "vote=reject&comment=No").await;
    page.says(
        410,
        &["emma approved CHG-1 in the stage manager, in the place of mona"],
    );

    // Whose vote is handed on, taken back or lost.
    let of_carla = desk.link(&number, "cab", 1, "carla").await;
    let of_dirk = desk.link(&number, "cab", 1, "dirk").await;
    let page = desk.post(&of_carla, "vote=approve").await;
    page.says(200, &["Your vote is given"]);
    let _ = carla
        .post(&at("votes/recall"), &json!({}))
        .await
        .expect(200);
    let page = desk.post(&of_carla, "vote=approve").await;
    page.says(410, &["taken back or lost since"]);
    let handed = json!({ "to": "ada" });
    let _ = dirk.post(&at("votes/reassign"), &handed).await.expect(200);
    let page = desk.post(&of_dirk, "vote=approve").await;
    page.says(410, &["dirk handed the vote on"]);
    let of_ada = desk.link(&number, "cab", 1, "ada").await;
    let of_emma = desk.link(&number, "cab", 1, "emma").await;

    // The reminder of the day after brings carla one that is good.
    desk.server.kill();
    desk.server
        .set_variable("WRIGHT_TEST_CLOCK_AHEAD", "P1DT1H");
    desk.server.restart();
    let anew = desk.link(&number, "cab", 2, "carla").await;
    assert_ne!(anew, of_carla);
    let page = desk.post(&of_carla, "vote=approve").await;
    page.says(410, &["taken back or lost since"]);
    let page = desk.post(&anew, "vote=approve").await;
    page.says(
        200,
        &[
            "carla approved CHG-1 in the stage cab.",
            "As long as the stage is not decided, you can take it back",
        ],
    );

    // Who leaves the board and comes back has the vote again, and not by the link that was used.
    desk.put_on_board(&["dirk", "emma"]).await;
    let page = desk.post(&anew, "vote=approve").await;
    assert_eq!(page.status, 410, "{}", page.text);
    desk.put_on_board(&["carla", "dirk", "emma"]).await;
    let back = desk.link(&number, "cab", 3, "carla").await;
    let page = desk.post(&anew, "vote=approve").await;
    page.says(410, &["taken back or lost since"]);
    let page = desk.post(&back, "vote=approve").await;
    page.says(200, &["carla approved CHG-1 in the stage cab."]);

    // Whoever leaves the directory takes the links along.
    let left = desk.administrator.delete("/api/v1/directory/user/ada");
    let _ = left.await.expect(204);
    let page = desk.post(&of_ada, "vote=approve").await;
    page.says(410, &["ada is not asked any more in the stage cab"]);
    let record = desk.rita.record(&number).await;
    assert_eq!(record["state"], "authorise", "nobody's leaving approves");
    let page = desk.post(&of_emma, "vote=approve").await;
    page.says(200, &["emma approved CHG-1 in the stage cab."]);
    let record = desk.rita.record(&number).await;
    assert_eq!(record["state"], "scheduled");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stage_that_opens_anew_takes_no_links_of_before() {
    let desk = Desk::start().await;
    let number = desk.propose("A new disk").await;
    let link = desk.link(&number, "manager", 1, "mona").await;
    for name in ["rework", "submit"] {
        let taken = desk.rita.transition(&number, name, json!({})).await;
        let _ = taken.expect(200);
    }
    let page = desk.post(&link, "vote=approve").await;
    page.says(410, &["takes no votes any more"]);
    let second = desk.link(&number, "manager", 2, "mona").await;
    assert_ne!(link, second);
    let page = desk.post(&second, "vote=reject&comment=No+need").await;
    page.says(200, &["mona rejected CHG-1"]);
    // The vote that decided the stage is told of all the same.
    let page = desk.post(&second, "vote=approve").await;
    page.says(410, &["The vote was given: mona rejected CHG-1"]);
    let record = desk.rita.record(&number).await;
    assert_eq!(record["state"], "refused");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_an_address_or_a_key_there_are_no_links() {
    let keys = tempfile::tempdir().expect("a folder");
    let key = key_in(&keys, "key");
    let without_address = Setup::new().arguments(&["--secrets-key-file", &key]);
    let without_key = Setup::new().arguments(&["--public-url", "https://desk.example"]);
    for (setup, missing) in [
        (without_address, "--public-url"),
        (without_key, "wright secret key"),
    ] {
        let keys = tempfile::tempdir().expect("a folder");
        let desk = Desk::start_with(setup, keys).await;
        // The log says so as it is put in force, before anybody waits for a link.
        let mut patience = 100;
        while !desk.server.log().contains(missing) {
            assert!(patience > 0, "{}", desk.server.log());
            patience -= 1;
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        let number = desk.propose("A new disk").await;
        let any = |told: &[Value]| !told.is_empty();
        let told = desk.told("mail", &number, any).await;
        assert!(told[0]["data"].get("vote_links").is_none(), "{}", told[0]);
        let page = desk.open("/vote/x").await;
        page.says(404, &["There is nothing at this address."]);
    }
}
