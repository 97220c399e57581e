//! A team's rota over HTTP: who is on call at any instant, the schedule as others subscribe to it and as
//! it is read in again, work that goes to whoever is on call, and an escalation that a killed server goes
//! on with.

use std::process::Command;
use std::time::{Duration, Instant};

use futures::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};
use test_support::{Answer, Client, Server, binary, copy_folder, repository};

/// How long something that is due may take to be done.
const PATIENCE: Duration = Duration::from_mins(1);

fn pack() -> std::path::PathBuf {
    repository().join("tests/packs/on-call")
}

#[test]
fn the_scenarios_of_people_on_call_pass() {
    let output = Command::new(binary())
        .args(["pack", "test"])
        .arg(pack())
        .args(["--format", "json"])
        .output()
        .expect("wright runs");
    let report: Value = serde_json::from_slice(&output.stdout).expect("a report");
    assert!(output.status.success(), "{report:#}");
    assert_eq!(report["failed"], 0, "{report:#}");
    assert_eq!(report["passed"], 9, "{report:#}");
    let lint = Command::new(binary())
        .args(["pack", "lint"])
        .arg(pack())
        .output();
    let lint = lint.expect("wright runs");
    let told = String::from_utf8_lossy(&lint.stdout).into_owned();
    assert!(
        lint.status.success() && told.contains("nothing is wrong"),
        "{told}"
    );
}

/// A server with a pack of on-call work, and its administrator.
fn desk(pack: &std::path::Path) -> (Server, Client) {
    let server = Server::start();
    let installed = server.wright(&["pack", "install", pack.to_str().expect("a path of text")]);
    let told = String::from_utf8_lossy(&installed.stderr).into_owned();
    assert!(installed.status.success(), "{told}");
    let administrator = server.client("root", "administrator");
    (server, administrator)
}

async fn put(client: &Client, kind: &str, id: &str, thing: Value) {
    let path = format!("/api/v1/directory/{kind}/{id}");
    let _ = client.put(&path, &thing).await.expect(200);
}

/// A rota of two who take turns by the week, and one of them on call until long after today.
fn rota() -> Value {
    json!({
        "title": "Network, around the clock",
        "team": "backbone",
        "zone": "Europe/Brussels",
        "layers": {
            "weeks": { "people": ["ada", "carla"], "start": "2026-03-23T09:00:00+01:00", "turn": "P1W" },
        },
        "overrides": {
            "swap": { "from": "2026-03-28T12:00:00Z", "to": "2026-03-28T20:00:00Z", "person": "dirk" },
        },
    })
}

async fn people(administrator: &Client) {
    for (id, name) in [
        ("ada", "Ada"),
        ("carla", "Carla; of the network"),
        ("dirk", "Dirk"),
    ] {
        put(
            administrator,
            "user",
            id,
            json!({ "name": name, "roles": ["agent"] }),
        )
        .await;
    }
    let members = json!({ "ada": { "skills": { "cisco": 3 } }, "carla": {}, "dirk": {} });
    put(
        administrator,
        "team",
        "backbone",
        json!({ "members": members }),
    )
    .await;
}

#[tokio::test]
async fn people_arrange_their_time_on_call_among_themselves() {
    const NIGHT: (&str, &str) = ("2026-04-02T18:00:00Z", "2026-04-03T06:00:00Z");
    let (server, administrator) = desk(&pack());
    people(&administrator).await;
    let members = json!({ "ada": {}, "carla": {}, "dirk": {} });
    let roster = json!({ "members": members, "manager": "mona" });
    put(&administrator, "team", "backbone", roster).await;
    put(&administrator, "rota", "backbone", rota()).await;
    let on_call = async |at: &str| {
        let path = format!("/api/v1/on-call?team=backbone&at={at}");
        let found = administrator.get(&path).await.expect(200);
        found["rotas"][0]["on_call"]["person"].clone()
    };
    let of = |id: &str| format!("/api/v1/rotas/backbone/overrides/{id}");
    let night = |person: &str| json!({ "from": NIGHT.0, "to": NIGHT.1, "person": person });
    let (mona, dirk) = (server.client("mona", ""), server.client("dirk", "agent"));
    let (ada, stranger) = (server.client("ada", "agent"), server.client("zoe", "agent"));

    // Dirk takes carla's night over; nobody needs to say who asks.
    let took = json!({ "from": NIGHT.0, "to": NIGHT.1 });
    let taken = dirk.put(&of("night"), &took).await.expect(200);
    assert_eq!(
        taken.body,
        json!({ "from": NIGHT.0, "to": NIGHT.1, "person": "dirk", "taken": true })
    );
    assert_eq!(on_call("2026-04-02T20:00:00Z").await, "dirk");
    assert_eq!(on_call("2026-04-03T07:00:00Z").await, "carla");
    assert_eq!(
        on_call("2026-03-28T13:00:00Z").await,
        "dirk",
        "what was there"
    );

    // Nobody puts others on call, changes what others took, or takes what is none of theirs.
    let right = "it takes the manager of the team `backbone`, or the role `administrator`";
    for (client, id, body, said) in [
        (&dirk, "other", night("ada"), format!("dirk may not put ada on call: {right}")),
        (&ada, "night", night("ada"), format!("ada may not change the override: {right}")),
        (&dirk, "swap", night("dirk"), format!("dirk may not change the override: {right}")),
        (
            &stranger,
            "other",
            night("zoe"),
            "zoe may not take time of the rota over: it takes a member of the team `backbone`, or somebody in the rota".to_owned(),
        ),
    ] {
        let refused = client.put(&of(id), &body).await;
        assert_eq!(refused.status, 403, "{}", refused.body);
        assert_eq!(refused["detail"], said);
    }
    for (client, id) in [(&ada, "night"), (&dirk, "swap"), (&stranger, "night")] {
        let refused = client.delete(&of(id)).await;
        assert_eq!(refused.status, 403, "{}", refused.body);
    }
    let backwards = json!({ "from": NIGHT.1, "to": NIGHT.0 });
    let refused = dirk.put(&of("night"), &backwards).await;
    assert_eq!(refused.status, 422, "{}", refused.body);
    assert_eq!(refused["errors"][0]["pointer"], "/to");

    // The manager puts carla on call again, whose time it is not to give back; dirk cannot undo it.
    let put = mona.put(&of("night"), &night("carla")).await.expect(200);
    assert_eq!(put["taken"], false);
    assert_eq!(on_call("2026-04-02T20:00:00Z").await, "carla");
    let carla = server.client("carla", "agent");
    assert_eq!(carla.delete(&of("night")).await.status, 403);
    assert_eq!(dirk.put(&of("night"), &took).await.status, 403);
    assert_eq!(mona.delete(&of("night")).await.status, 204);
    let _ = dirk.put(&of("night"), &took).await.expect(200);
    assert_eq!(dirk.delete(&of("night")).await.status, 204);
    assert_eq!(dirk.delete(&of("night")).await.status, 204, "asked twice");
    assert!(on_call("2026-04-02T20:00:00Z").await == "carla");

    // A whole rota is the manager's to write where it is the team's, and no other team's way in.
    let whole = "/api/v1/directory/rota/backbone";
    let _ = mona.put(whole, &rota()).await.expect(200);
    let mut foreign = rota();
    foreign["team"] = json!("disks");
    for (path, thing) in [
        (whole, &foreign),
        ("/api/v1/directory/rota/disks", &rota()),
        ("/api/v1/directory/rota/disks", &foreign),
    ] {
        let refused = mona.put(path, thing).await;
        assert_eq!(refused.status, 403, "{}", refused.body);
    }
    assert_eq!(ada.put(whole, &rota()).await.status, 403);
    let team = "/api/v1/directory/team/backbone";
    let refused = mona
        .put(team, &json!({ "members": {}, "manager": "mona" }))
        .await;
    assert_eq!(refused.status, 403, "{}", refused.body);

    // Of many who lay overrides at once nobody's is lost.
    let hours = (0..20).map(|hour| {
        let (mona, path) = (&mona, of(&format!("hour-{hour}")));
        let body = json!({ "from": format!("2026-05-01T{hour:02}:00:00Z"),
            "to": format!("2026-05-01T{hour:02}:30:00Z"), "person": "ada" });
        async move { mona.put(&path, &body).await.status }
    });
    assert!(join_all(hours).await.iter().all(|status| *status == 200));
    let read = administrator.get(whole).await.expect(200);
    assert_eq!(
        read["overrides"].as_object().map(serde_json::Map::len),
        Some(21)
    );
    assert_eq!(mona.delete(whole).await.status, 204);
}

#[tokio::test]
async fn who_is_on_call_is_told_for_any_instant_and_as_a_schedule() {
    let (server, administrator) = desk(&pack());
    people(&administrator).await;
    put(&administrator, "rota", "backbone", rota()).await;

    // The clocks go forward on the 29th: nine in the morning is seven o'clock in UTC.
    let at = |at: &str| format!("/api/v1/on-call?team=backbone&at={at}");
    let found = administrator
        .get(&at("2026-03-30T06:59:59Z"))
        .await
        .expect(200);
    assert_eq!(
        found["rotas"][0]["on_call"],
        json!({ "person": "ada", "layer": "weeks" })
    );
    assert_eq!(found["rotas"][0]["until"], "2026-03-30T07:00:00Z");
    let found = administrator
        .get(&at("2026-03-30T07:00:00Z"))
        .await
        .expect(200);
    assert_eq!(found["rotas"][0]["on_call"]["person"], "carla");
    let found = administrator
        .get(&at("2026-03-28T13:00:00Z"))
        .await
        .expect(200);
    assert_eq!(
        found["rotas"][0]["on_call"],
        json!({ "person": "dirk", "override": "swap" })
    );
    assert_eq!(found["rotas"][0]["layers"][0]["on_call"]["person"], "ada");
    // The command line says the same, beside the server that has the folder open.
    let arguments = [
        "on-call",
        "--team",
        "backbone",
        "--at",
        "2026-03-28T13:00:00Z",
    ];
    let told = server.wright(&[&arguments[..], &["--format", "json"]].concat());
    let by_command: Value = serde_json::from_slice(&told.stdout).expect("a report");
    assert_eq!(by_command, found.body);
    let told = server.wright(&["on-call", "backbone", "--at", "2026-03-30T07:00:00Z"]);
    let told = String::from_utf8_lossy(&told.stdout).into_owned();
    let line = "backbone  backbone  carla    layer weeks  2026-04-06T07:00:00Z";
    assert!(told.lines().any(|it| it == line), "{told}");
    let none = server.wright(&["on-call", "nights"]);
    assert!(!none.status.success());
    let refused = String::from_utf8_lossy(&none.stderr).into_owned();
    assert!(refused.contains("rota `nights`"), "{refused}");

    let away = json!({ "periods": { "holiday": {
        "from": "2026-03-29T00:00:00Z", "to": "2026-04-01T00:00:00Z", "substitute": "dirk" } } });
    put(&administrator, "absence", "carla", away).await;
    let path = "/api/v1/rotas/backbone/schedule?from=2026-03-28T00:00:00Z&to=2026-04-02T00:00:00Z";
    let schedule = administrator.get(path).await.expect(200);
    let told: Vec<_> = schedule["spans"]
        .as_array()
        .expect("spans")
        .iter()
        .map(|span| {
            let on_call = &span["on_call"];
            let text = |value: &Value| value.as_str().unwrap_or("-").to_owned();
            (
                text(&span["from"]),
                text(&on_call["person"]),
                text(&on_call["instead_of"]),
            )
        })
        .collect();
    let expected = [
        ("2026-03-28T00:00:00Z", "ada", "-"),
        ("2026-03-28T12:00:00Z", "dirk", "-"),
        ("2026-03-28T20:00:00Z", "ada", "-"),
        ("2026-03-30T07:00:00Z", "dirk", "carla"),
        ("2026-04-01T00:00:00Z", "carla", "-"),
    ];
    let expected =
        expected.map(|(from, who, instead)| (from.to_owned(), who.to_owned(), instead.to_owned()));
    assert_eq!(told, expected);

    let refused = administrator
        .get("/api/v1/rotas/backbone/schedule?from=2026-01-01T00:00:00Z&to=2028-01-01T00:00:00Z")
        .await;
    assert_eq!(refused.status, 422, "{}", refused.body);
    let refused = administrator.get("/api/v1/rotas/storage/schedule").await;
    assert_eq!(refused.status, 404);
    let wrong = json!({ "team": "backbone", "zone": "Europe/Brussels", "layers": { "weeks": { "people": ["ada"] } } });
    let refused = administrator
        .put("/api/v1/directory/rota/backbone", &wrong)
        .await
        .expect(422);
    assert_eq!(refused["errors"][0]["pointer"], "/layers/weeks");
}

/// A body of iCalendar.
async fn put_calendar(client: &Client, path: &str, text: String) -> Answer {
    let request = client.request(Method::PUT, path);
    Answer::of(request.header("content-type", "text/calendar").body(text)).await
}

/// Who is on call when, without what says so.
fn spans(schedule: &Answer) -> Vec<(Value, Value, Value)> {
    let spans = schedule["spans"].as_array().expect("spans");
    let told = spans.iter().map(|span| {
        (
            span["from"].clone(),
            span["to"].clone(),
            span["on_call"]["person"].clone(),
        )
    });
    told.collect()
}

#[tokio::test]
async fn a_schedule_that_is_exported_and_read_in_again_is_the_same() {
    let (server, administrator) = desk(&pack());
    people(&administrator).await;
    put(&administrator, "rota", "backbone", rota()).await;
    let stretch = "from=2026-03-23T08:00:00Z&to=2026-06-01T00:00:00Z";
    let export = format!("/api/v1/rotas/backbone/schedule.ics?{stretch}");
    let file = administrator.get(&export).await.expect(200);
    assert_eq!(file.header("content-type"), "text/calendar; charset=utf-8");
    let text = file.body.as_str().expect("a text").to_owned();
    assert!(
        text.contains("SUMMARY:Carla\\; of the network: Network\\, around the clock\r\n"),
        "{text}"
    );
    assert!(text.lines().all(|line| line.len() <= 75), "{text}");

    put(
        &administrator,
        "rota",
        "copy",
        json!({ "team": "backbone", "zone": "Europe/Brussels" }),
    )
    .await;
    let copy = format!("/api/v1/rotas/copy/layers/read/shifts.ics?{stretch}");
    let read = put_calendar(&administrator, &copy, text.clone())
        .await
        .expect(200);
    let events = text.matches("BEGIN:VEVENT").count();
    assert_eq!(read["shifts"], events);
    // Read once more it is still the same.
    let _ = put_calendar(&administrator, &copy, text.clone())
        .await
        .expect(200);
    let schedule = |rota: &str| format!("/api/v1/rotas/{rota}/schedule?{stretch}");
    let first = administrator.get(&schedule("backbone")).await.expect(200);
    let second = administrator.get(&schedule("copy")).await.expect(200);
    assert_eq!(spans(&first), spans(&second));
    assert_eq!(spans(&first).len(), 12);

    // The same span has the same name in a file that begins in the middle of it.
    let later =
        "/api/v1/rotas/backbone/schedule.ics?from=2026-03-26T00:00:00Z&to=2026-03-27T00:00:00Z";
    let part = administrator.get(later).await.expect(200);
    let uid = |text: &str| {
        let line = text.lines().find(|line| line.starts_with("UID:"));
        line.map(str::to_owned)
    };
    assert_eq!(uid(part.body.as_str().expect("a text")), uid(&text));

    // A file of another tool: people by their names or addresses, days on the clocks of the rota.
    let foreign = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//x//y//EN\r\nBEGIN:VEVENT\r\nUID:1\r\n\
        DTSTAMP:20260101T000000Z\r\nDTSTART;VALUE=DATE:20260401\r\nDTEND;VALUE=DATE:20260402\r\n\
        SUMMARY:dirk\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n";
    let overrides = format!("/api/v1/rotas/backbone/overrides.ics?{stretch}");
    let read = put_calendar(&administrator, &overrides, foreign.to_owned())
        .await
        .expect(200);
    assert_eq!(read["shifts"], 1);
    let found = administrator
        .get("/api/v1/on-call?rota=backbone&at=2026-03-31T22:00:00Z")
        .await;
    assert_eq!(found["rotas"][0]["on_call"]["person"], "dirk");
    assert_eq!(found["rotas"][0]["until"], "2026-04-01T22:00:00Z");
    // What people put there by hand stays.
    let found = administrator
        .get("/api/v1/on-call?rota=backbone&at=2026-03-28T13:00:00Z")
        .await;
    assert_eq!(found["rotas"][0]["on_call"]["override"], "swap");

    let stranger = foreign.replace("SUMMARY:dirk", "SUMMARY:nobody at all");
    let refused = put_calendar(&administrator, &overrides, stranger)
        .await
        .expect(422);
    assert_eq!(refused["errors"][0]["pointer"], "/events/0");
    let refused = put_calendar(&administrator, &overrides, "hello".to_owned()).await;
    assert_eq!(refused.status, 422);
    let agent = server.client("ada", "agent");
    let refused = put_calendar(&agent, &overrides, foreign.to_owned()).await;
    assert_eq!(refused.status, 403);
}

#[tokio::test]
async fn work_goes_to_whoever_is_on_call_and_says_why() {
    let (server, administrator) = desk(&pack());
    people(&administrator).await;
    put(&administrator, "rota", "backbone", rota()).await;
    let rita = server.client("rita", "agent");
    let fields = json!({ "summary": "A port is down", "device": "router" });
    let alert = rita.create("alert", "raise", fields).await;
    let now = administrator
        .get("/api/v1/on-call?rota=backbone")
        .await
        .expect(200);
    let rota = &now["rotas"][0];
    assert_eq!(alert["team"], "backbone");
    assert_eq!(alert["assignee"], rota["on_call"]["person"]);
    let path = format!("/api/v1/records/{}/explanation", alert.id());
    let explained = rita.get(&path).await.expect(200);
    let decisions = explained["decisions"].as_array().expect("decisions");
    let said = decisions.iter().find(|it| it["by"] == "assignment");
    let said = said
        .and_then(|it| it["what"].as_str())
        .expect("why")
        .to_owned();
    assert!(
        said.contains("on call for backbone (layer weeks) until 20")
            && said.contains("09:00 Europe/Brussels, no open record"),
        "{said}"
    );
    // What was found is in the journal; that nobody is away is not noted of everybody.
    let entry = &rita.history(&alert.id()).await[0];
    let looked = entry["lookups"].to_string();
    for read in ["rota", "loads "] {
        assert!(looked.contains(read), "{looked}");
    }
}

#[tokio::test]
async fn an_escalation_goes_on_after_the_server_was_killed() {
    let folder = tempfile::tempdir().expect("a folder");
    let quick = folder.path().join("on-call");
    copy_folder(&pack(), &quick);
    let teams = quick.join("teams/teams.yaml");
    let text = std::fs::read_to_string(&teams).expect("the teams");
    let text = text.replace("PT10M", "PT2S").replace("PT15M", "PT10M");
    std::fs::write(&teams, text).expect("written");
    let (mut server, administrator) = desk(&quick);
    people(&administrator).await;
    put(&administrator, "rota", "backbone", rota()).await;
    let second = json!({ "team": "backbone", "zone": "UTC", "layers": {
        "all": { "people": ["dirk"], "start": "2026-01-01T00:00:00Z", "turn": "P1D" } } });
    put(&administrator, "rota", "backbone-second", second).await;
    let rita = server.client("rita", "agent");
    let fields = json!({ "summary": "The core is down", "device": "router", "priority": "p1" });
    let alert = rita.create("alert", "raise", fields).await;
    assert_eq!(alert["escalation"]["step"], "first", "{}", alert.body);
    server.kill();
    server.restart();

    let begun = Instant::now();
    let told = loop {
        let record = rita.record(&alert.id()).await;
        if record["escalation"]["step"] == "second" {
            break record["escalation"]["told"].clone();
        }
        assert!(begun.elapsed() < PATIENCE, "{record}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    };
    assert!(
        told.as_array()
            .is_some_and(|told| told.contains(&json!("dirk"))),
        "{told}"
    );
    let dirk = server.client("dirk", "agent");
    let _ = dirk
        .transition(&alert.id(), "start", json!({}))
        .await
        .expect(200);
    let history = rita.history(&alert.id()).await;
    let events: Vec<Value> = history
        .iter()
        .flat_map(|entry| entry["events"].as_array().cloned().unwrap_or_default())
        .filter(|event| {
            event["kind"]
                .as_str()
                .is_some_and(|kind| kind.starts_with("escalat"))
        })
        .collect();
    let told = |event: &Value| {
        (
            event["kind"].clone(),
            event["step"].clone(),
            event["by"].clone(),
        )
    };
    let told: Vec<_> = events.iter().map(told).collect();
    assert_eq!(
        told,
        [
            (json!("escalated"), json!("first"), Value::Null),
            (json!("escalated"), json!("second"), Value::Null),
            (json!("escalation-ended"), Value::Null, json!("dirk")),
        ]
    );
    // The second step was due when the first one's time was over, whenever the server got to it.
    assert_eq!(events[1]["was_due"], events[0]["due"]);
    assert!(rita.record(&alert.id()).await["escalation"].is_null());
}

#[tokio::test]
async fn what_was_routed_and_escalated_is_the_same_when_it_is_simulated() {
    let (mut server, administrator) = desk(&pack());
    people(&administrator).await;
    put(&administrator, "rota", "backbone", rota()).await;
    let agents = ["ada", "carla", "dirk", "emma", "finn"].map(|name| server.client(name, "agent"));
    for round in 0..6 {
        let asked = agents.iter().map(|agent| async move {
            let summary = json!({ "summary": "Which cable?" });
            let question = agent.create("question", "ask", summary.clone()).await;
            let _ = agent.create("errand", "send", summary).await;
            let fields = json!({ "summary": "Down", "device": "router", "priority": "p1" });
            let alert = agent.create("alert", "raise", fields).await;
            (question, alert)
        });
        for (place, (question, alert)) in join_all(asked).await.into_iter().enumerate() {
            if (place + round) % 2 == 0 {
                let _ = agents[0].transition(&alert.id(), "start", json!({})).await;
                let _ = agents[1]
                    .transition(&question.id(), "answer", json!({}))
                    .await;
            }
        }
        // People come and go meanwhile.
        let away = json!({ "periods": { "ill": {
            "from": "2020-01-01T00:00:00Z", "to": "2099-01-01T00:00:00Z", "substitute": "dirk" } } });
        let (who, path) = (["ada", "carla"][round % 2], "/api/v1/directory/absence");
        if round % 3 == 2 {
            let removed = administrator.delete(&format!("{path}/{who}")).await;
            let _ = removed.expect(204);
        } else {
            put(&administrator, "absence", who, away).await;
        }
    }
    assert!(server.stop().success());
    let folder = pack();
    let data = server.data().to_str().expect("a path of text").to_owned();
    let arguments = [
        "simulate",
        folder.to_str().expect("a path of text"),
        "--against",
        &data,
        "--format",
        "json",
    ];
    let output = Command::new(binary())
        .args(arguments)
        .output()
        .expect("wright runs");
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{told}");
    let report: Value = serde_json::from_slice(&output.stdout).expect("a report");
    assert_eq!(report["total"]["records"], 90, "{report:#}");
    assert_eq!(report["identical"], 90, "{report:#}");
    let whole = Command::new(binary())
        .args(["verify", "--data", &data])
        .output();
    assert!(whole.expect("wright runs").status.success());
}
