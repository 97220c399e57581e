//! A Prometheus Alertmanager and the desk, set up as the page says: a group of alerts is one incident,
//! from the first firing to the last resolution. The Alertmanager is a real one, where this machine has
//! it; what it would not do is sent by hand.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::{Value as Json, json};
use tempfile::TempDir;
use test_support::{Answer, Client, Server, Setup};

use crate::page;

const TOKEN: &str = "what Alertmanager and the desk share";
const PROGRAMS: [&str; 2] = ["prometheus-alertmanager", "alertmanager"];
/// How long something that must come may take.
const PATIENCE: Duration = Duration::from_mins(1);

#[tokio::test(flavor = "multi_thread")]
async fn a_real_alertmanager_opens_follows_and_resolves_an_incident() {
    let server = desk();
    let ada = server.client("ada", "agent");
    let Some(alertmanager) = Alertmanager::start(&server) else {
        eprintln!(
            "skipped: there is no Alertmanager here; Debian has it as prometheus-alertmanager"
        );
        return;
    };

    alertmanager.fires("db-1", "warning").await;
    let found = incidents(&ada, |found| found.len() == 1).await;
    let incident = found[0]["id"].as_str().expect("an id").to_owned();
    // It is given to the team right after it was made.
    let is_given = |record: &Json| record["team"] == "infrastructure";
    let record = changed(&ada, &incident, is_given).await;
    assert_eq!(
        record["fields"]["summary"],
        "DiskFull: Disk of db-1 is full"
    );
    assert_eq!(record["fields"]["impact"], "medium");

    // Another one joins, and is worse.
    alertmanager.fires("db-2", "critical").await;
    let worse = |record: &Json| record["fields"]["impact"] == "high";
    let record = changed(&ada, &incident, worse).await;
    assert_eq!(record["state"], "new");
    let said = ada.history(&incident).await;
    let is_told = said
        .iter()
        .any(|entry| entry.to_string().contains("2 firing, 0 resolved"));
    assert!(is_told, "{said:?}");

    // One of two is over, then both.
    alertmanager.ends("db-1", "warning").await;
    alertmanager.ends("db-2", "critical").await;
    let record = changed(&ada, &incident, |record| record["state"] == "resolved").await;
    assert_eq!(record["fields"]["resolution_code"], "fixed");

    // It fires anew: an incident of its own.
    alertmanager.fires("db-1", "warning").await;
    let found = incidents(&ada, |found| found.len() == 2).await;
    assert!(
        found.iter().any(|record| record["state"] == "new"),
        "{found:?}"
    );
    assert_eq!(ada.record(&incident).await["state"], "resolved");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_sent_again_changes_nothing_and_what_a_stranger_sends_neither() {
    let server = desk();
    let ada = server.client("ada", "agent");
    let firing = notification("firing");
    for forged in [None, Some("Bearer a guess"), Some("Basic YTpi")] {
        let _ = send(&server, &firing, forged).await.expect(401);
    }
    assert_eq!(listed(&ada).await, Vec::<Json>::new());

    let genuine = format!("Bearer {TOKEN}");
    for (try_, status) in [200, 202, 202].into_iter().enumerate() {
        let answer = send(&server, &firing, Some(&genuine)).await;
        assert_eq!(answer.status, status, "{try_}: {}", answer.body);
    }
    let found = listed(&ada).await;
    assert_eq!(found.len(), 1, "{found:?}");
    let incident = found[0]["id"].as_str().expect("an id").to_owned();

    let resolved = notification("resolved");
    let _ = send(&server, &resolved, Some(&genuine)).await.expect(200);
    let record = ada.record(&incident).await;
    assert_eq!(record["state"], "resolved");
    for again in [&firing, &resolved, &firing] {
        let _ = send(&server, again, Some(&genuine)).await.expect(202);
    }
    assert_eq!(ada.record(&incident).await, record);
    assert_eq!(listed(&ada).await.len(), 1);

    let _ = send(&server, "{}", Some(&genuine)).await.expect(400);
}

fn desk() -> Server {
    let server = Setup::new()
        .variable("WRIGHT_SECRET_ALERTMANAGER__TOKEN", TOKEN)
        .start();
    page::install(&server, "alertmanager", &[]);
    server
}

async fn listed(ada: &Client) -> Vec<Json> {
    let path = "/api/v1/records?workflow=incident";
    let found = ada.get(path).await.expect(200);
    found.body["records"].as_array().expect("a list").clone()
}

/// The incidents, once they are as they must become.
async fn incidents(ada: &Client, enough: impl Fn(&[Json]) -> bool) -> Vec<Json> {
    let begun = Instant::now();
    loop {
        let found = listed(ada).await;
        if enough(&found) {
            return found;
        }
        assert!(begun.elapsed() < PATIENCE, "there are only {found:?}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// A record, once it is as it must become.
async fn changed(ada: &Client, id: &str, enough: impl Fn(&Json) -> bool) -> Json {
    let begun = Instant::now();
    loop {
        let record = ada.record(id).await;
        if enough(&record) {
            return record;
        }
        assert!(begun.elapsed() < PATIENCE, "it is still {record}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

async fn send(server: &Server, body: &str, authorization: Option<&str>) -> Answer {
    let stranger = server.client_with("");
    let mut request = stranger
        .request(Method::POST, "/hooks/alertmanager")
        .header("content-type", "application/json")
        .body(body.to_owned());
    if let Some(value) = authorization {
        request = request.header("authorization", value);
    }
    Answer::of(request).await
}

/// As Alertmanager would send it.
fn notification(status: &str) -> String {
    let labels = json!({ "alertname": "DiskFull", "instance": "db-1", "severity": "warning" });
    let alert = json!({
        "status": status,
        "labels": labels,
        "annotations": { "summary": "Disk full" },
        "startsAt": "2026-01-05T08:00:00.000Z",
        "endsAt": "0001-01-01T00:00:00Z",
        "generatorURL": "",
        "fingerprint": "c6eadffa33fcdf37",
    });
    json!({
        "version": "4",
        "groupKey": "{}:{alertname=\"DiskFull\"}",
        "truncatedAlerts": 0,
        "status": status,
        "receiver": "desk",
        "groupLabels": { "alertname": "DiskFull" },
        "commonLabels": labels,
        "commonAnnotations": { "summary": "Disk full" },
        "externalURL": "http://alertmanager.example",
        "alerts": [alert],
    })
    .to_string()
}

/// A real one, as long as the story is told.
struct Alertmanager {
    process: Child,
    origin: String,
    http: reqwest::Client,
    _folder: TempDir,
}

impl Alertmanager {
    /// Starts one that is set up as the page says, where there is one on this machine.
    fn start(server: &Server) -> Option<Self> {
        let folder = tempfile::tempdir().expect("a folder");
        let file = |name: &str| folder.path().join(name).display().to_string();
        std::fs::write(file("token"), TOKEN).expect("written");
        let page = page::blocks("alertmanager", "yaml").remove(1);
        let configuration = page
            .replace("https://desk.example.com", &server.address())
            .replace("/etc/alertmanager/desk-token", &file("token"))
            // What takes it minutes by default.
            .replace(
                "group_by: [alertname]\n",
                "group_by: [alertname]\n  group_wait: 50ms\n  group_interval: 200ms\n",
            );
        std::fs::write(file("alertmanager.yml"), configuration).expect("written");
        let spawned = PROGRAMS.iter().find_map(|program| {
            Command::new(program)
                .arg(format!("--config.file={}", file("alertmanager.yml")))
                .arg(format!("--storage.path={}", file("data")))
                .args([
                    "--web.listen-address=127.0.0.1:0",
                    "--cluster.listen-address=",
                ])
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .stderr(Stdio::piped())
                .spawn()
                .ok()
        });
        let mut process = spawned?;
        let errors = process.stderr.take().expect("it is piped");
        let (sender, address) = mpsc::channel();
        std::thread::spawn(move || {
            for line in BufReader::new(errors).lines().map_while(Result::ok) {
                if line.contains("Listening on")
                    && let Some((_, address)) = line.split_once("address=")
                {
                    // Only the first one is waited for.
                    let _ = sender.send(address.trim_matches('"').to_owned());
                }
            }
        });
        let address = address.recv_timeout(PATIENCE).expect("it listens");
        let http = reqwest::Client::builder().no_proxy().build();
        Some(Self {
            process,
            origin: format!("http://{address}"),
            http: http.expect("a client"),
            _folder: folder,
        })
    }

    async fn fires(&self, instance: &str, severity: &str) {
        self.post(&alert(instance, severity)).await;
    }

    async fn ends(&self, instance: &str, severity: &str) {
        let mut alert = alert(instance, severity);
        // An end in the past, whatever the clock says.
        alert["endsAt"] = json!("2026-01-05T08:00:01Z");
        alert["startsAt"] = json!("2026-01-05T08:00:00Z");
        self.post(&alert).await;
    }

    async fn post(&self, alert: &Json) {
        let url = format!("{}/api/v2/alerts", self.origin);
        let sent = self.http.post(url).json(&json!([alert])).send().await;
        let status = sent.expect("an answer").status();
        assert!(status.is_success(), "{status}");
    }
}

fn alert(instance: &str, severity: &str) -> Json {
    json!({
        "labels": { "alertname": "DiskFull", "instance": instance, "severity": severity, "team": "db" },
        "annotations": { "summary": format!("Disk of {instance} is full") },
        "generatorURL": "http://prometheus.example/graph",
    })
}

impl Drop for Alertmanager {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
