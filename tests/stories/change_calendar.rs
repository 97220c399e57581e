//! Works are planned beside each other: whoever comes second is told, however close behind; what is
//! frozen and taken is seen by all, whose it is by those concerned; and the next free window is found.

use futures::future::join_all;
use serde_json::{Value, json};
use test_support::{Answer, Client, Server, repository};

/// A Monday in winter, by the clocks of Brussels, far enough ahead that it is never over.
const MONDAY: &str = "2098-03-03";

fn at(time: &str) -> String {
    format!("{MONDAY}T{time}:00Z")
}

async fn desk() -> (Server, Client, Client, Client) {
    let server = Server::start();
    let pack = repository().join("tests/cases/change-calendar");
    let installed = server.wright(&["pack", "install", pack.to_str().expect("a path of text")]);
    let told = String::from_utf8_lossy(&installed.stderr).into_owned();
    assert!(installed.status.success(), "{told}");
    let administrator = server.client("root", "administrator");
    for (path, thing) in [
        ("site/ghent", json!({ "maintenance": "nights" })),
        ("service/mail", json!({ "name": "Mail" })),
        ("service/tills", json!({ "site": "ghent" })),
        ("service/odd", json!({ "freeze": "nowhere" })),
        ("user/rita", json!({ "roles": ["planner"] })),
        ("user/ada", json!({ "roles": ["planner", "agent"] })),
    ] {
        let path = format!("/api/v1/directory/{path}");
        let _ = administrator.put(&path, &thing).await.expect(200);
    }
    let rita = server.client("rita", "planner");
    let ada = server.client("ada", "planner,agent");
    let vera = server.client("vera", "");
    (server, rita, ada, vera)
}

fn work(from: &str, to: &str, services: &[&str]) -> Value {
    let fields =
        json!({ "summary": "New disks", "services": services, "starts": at(from), "ends": at(to) });
    json!({ "workflow": "work", "create": "plan", "fields": fields })
}

async fn plan(client: &Client, from: &str, to: &str, services: &[&str]) -> Answer {
    client
        .post("/api/v1/records", &work(from, to, services))
        .await
}

async fn read(client: &Client, path: &str) -> Value {
    client
        .get(&format!("/api/v1/{path}"))
        .await
        .expect(200)
        .body
}

fn records(windows: &Value) -> Vec<&str> {
    let windows = windows.as_array().into_iter().flatten();
    windows.filter_map(|it| it["record"].as_str()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn of_those_who_plan_at_once_one_is_first() {
    let (mut server, rita, ada, _) = desk().await;
    for round in 0..6 {
        let (from, to) = (format!("{round:02}:00"), format!("{round:02}:50"));
        let clients = [&rita, &ada].into_iter().cycle().take(12);
        let asked = clients.map(|client| plan(client, &from, &to, &["mail"]));
        let answers = join_all(asked).await;
        let planned = answers.iter().filter(|it| it.status == 201).count();
        assert_eq!(planned, 1, "exactly one has the mail from {from} to {to}");
        for refused in answers.iter().filter(|it| it.status != 201) {
            assert_eq!(refused.status, 409, "{}", refused.body);
            let told = refused.body.to_string();
            assert!(told.contains("Others do something there then."), "{told}");
        }
    }

    // Views are made anew of the journal, and say the same.
    server.kill();
    std::fs::remove_file(server.data().join("views.redb")).expect("there are views");
    server.restart();
    let late = plan(&ada, "03:30", "04:10", &["mail"]).await.expect(409);
    assert!(late.body.to_string().contains("Others do something there"));
    let _ = plan(&ada, "03:50", "04:00", &["mail"]).await.expect(201);
    let path = format!("change-calendar?from={}&to={}", at("00:00"), at("06:00"));
    let calendar = read(&rita, &path).await;
    let windows = calendar["windows"].as_array().map(Vec::len);
    assert_eq!(windows, Some(7), "those of others too");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_taken_is_seen_by_all_and_whose_it_is_by_some() {
    let (_server, rita, ada, vera) = desk().await;
    let first = plan(&rita, "21:00", "22:00", &["mail", "tills"])
        .await
        .expect(201);
    let number = first.id();
    assert_eq!(
        first["window"]["affects"],
        json!(["service:mail", "service:tills"])
    );

    let part = format!("from={}&to={}", at("00:00"), at("23:59"));
    let seen = read(
        &ada,
        &format!("change-calendar?{part}&affects=service:tills"),
    )
    .await;
    assert_eq!(records(&seen["windows"]), [number.as_str()]);
    assert_eq!(seen["windows"][0]["state"], "planned");
    let taken = read(
        &vera,
        &format!("change-calendar?{part}&affects=service:tills"),
    )
    .await;
    assert_eq!(taken["windows"][0]["from"], seen["windows"][0]["from"]);
    assert_eq!(records(&taken["windows"]), [""; 0], "not whose it is");
    let elsewhere = read(&ada, &format!("change-calendar?{part}&affects=service:odd")).await;
    assert_eq!(elsewhere["windows"], json!([]));
    assert_eq!(
        elsewhere["freezes"][0]["freeze"], "nowhere",
        "nobody knows it, so it counts"
    );

    let week = "from=2098-03-03T00:00:00Z&to=2098-03-10T00:00:00Z";
    let seen = read(&ada, &format!("change-calendar?{week}")).await;
    let saturday = json!([{ "from": "2098-03-07T23:00:00Z", "to": "2098-03-08T23:00:00Z", "freeze": "sales" }]);
    assert_eq!(seen["freezes"], saturday);
    let exported = ada
        .get(&format!("/api/v1/change-calendar.ics?{week}"))
        .await;
    assert!(exported.header("content-type").starts_with("text/calendar"));
    let text = exported.expect(200).body;
    let text = text.as_str().expect("a text");
    for line in [
        &format!("SUMMARY:{number} (planned)"),
        "SUMMARY:Freeze: sales",
        "DTSTART:20980303T210000Z",
    ] {
        assert!(text.contains(line), "{line}: {text}");
    }

    // A draft looks at what it would meet, and counts for nobody.
    let fields = json!({ "summary": "New memory", "services": ["mail"], "starts": at("21:30"), "ends": at("21:45") });
    let draft = ada.create("work", "draft", fields).await;
    let window = read(&ada, &format!("records/{}/window", draft.id())).await;
    assert_eq!(window["counts"], false);
    assert_eq!(records(&window["conflicts"]), [number.as_str()]);
    assert_eq!(window["conflicts"][0]["affects"], json!(["service:mail"]));
    let own = read(&rita, &format!("records/{number}/window")).await;
    assert_eq!(own["conflicts"], json!([]));

    let explained = read(&rita, &format!("records/{number}/explanation")).await;
    let told = explained.to_string();
    let sentence = format!(
        "planned from {} to {}, and may disturb service mail, service tills",
        at("21:00"),
        at("22:00")
    );
    assert!(told.contains(&sentence), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_next_free_window_suits_all_that_is_affected() {
    let (_server, rita, ada, vera) = desk().await;
    let _ = plan(&rita, "19:30", "21:00", &["mail"]).await.expect(201);
    let _ = plan(&ada, "21:30", "23:00", &["tills"]).await.expect(201);
    let ask = |more: &str| format!("change-calendar/earliest?after={}&{more}", at("12:00"));
    let both = "workflow=work&affects=service:mail,service:tills";

    let half = read(&vera, &ask(&format!("{both}&length=PT30M"))).await;
    assert_eq!(half["from"], at("19:00"), "the night begins, {half}");
    let hour = read(&vera, &ask(&format!("{both}&length=PT1H"))).await;
    assert_eq!(
        (hour["from"].as_str(), hour["to"].as_str()),
        (Some(&*at("23:00")), Some("2098-03-04T00:00:00Z"))
    );
    assert_eq!(hour["maintenance"], json!(["nights"]));
    assert_eq!(hour["taken"], 2);
    // No night is that long; Sunday is, with the night that leads to Monday.
    let long = read(&vera, &ask(&format!("{both}&length=PT24H"))).await;
    assert_eq!(long["from"], "2098-03-08T23:00:00Z", "{long}");
    let never = read(&vera, &ask(&format!("{both}&length=PT48H"))).await;
    assert_eq!(never["from"], Value::Null);

    let fields = json!({ "summary": "New memory", "services": ["mail"], "starts": at("20:00"), "ends": at("20:45") });
    let draft = ada.create("work", "draft", fields).await;
    let own = read(&ada, &ask(&format!("record={}", draft.id()))).await;
    assert_eq!(own["from"], at("12:00"), "as long as its own window");

    for (asked, told) in [
        ("workflow=work&affects=mail&length=PT1H", "service:payments"),
        (
            "affects=service:mail&length=PT1H",
            "name a `record` or a `workflow`",
        ),
        ("workflow=work&affects=service:mail", "say how long"),
        (
            "workflow=work&affects=service:odd&length=PT1H",
            "there is no calendar `nowhere`",
        ),
        ("workflow=nothing&length=PT1H", "nothing"),
        (
            "workflow=work&length=PT1H&until=2097-01-01T00:00:00Z",
            "it is not after",
        ),
    ] {
        let answer = ada.get(&format!("/api/v1/{}", ask(asked))).await;
        assert!(answer.status >= 400, "{asked}");
        assert!(
            answer.body.to_string().contains(told),
            "{asked}: {}",
            answer.body
        );
    }
}
