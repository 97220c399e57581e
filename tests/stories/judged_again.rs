//! A contract is switched, then what it promises is changed: the record shows what each promise came to,
//! and the operator sees it as it was judged then and as it would be judged now.

use serde_json::{Value, json};
use test_support::{Server, copy_folder, repository};

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn of<'v>(clocks: &'v Value, level: &str) -> &'v Value {
    let mut clocks = list(clocks).iter();
    clocks
        .find(|clock| clock["service_level"] == level && clock["target"] == "resolution")
        .unwrap_or(&Value::Null)
}

#[tokio::test]
async fn promises_are_judged_then_and_now_side_by_side() {
    let folder = tempfile::tempdir().expect("a folder");
    let pack = folder.path().join("cases");
    copy_folder(&repository().join("tests/cases/service-levels"), &pack);
    let server = Server::start();
    let install = || {
        let output = server.wright(&["pack", "install", pack.to_str().expect("a path of text")]);
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{told}");
    };
    install();
    let admin = server.client("ada", "agent,administrator");
    let rita = server.client("rita", "");
    for (id, tier) in [("gold-one", "gold"), ("silver-one", "silver")] {
        let path = format!("/api/v1/directory/contract/{id}");
        let put = admin.put(&path, &json!({ "name": id, "tier": tier })).await;
        assert!(put.status < 300, "{:?}", put.body);
    }
    let fields = json!({ "summary": "The screen is dark", "contract": "gold-one" });
    let ticket = rita.create("ticket", "report", fields).await.id();
    let _ = admin
        .transition(&ticket, "start", json!({}))
        .await
        .expect(200);
    let _ = admin
        .transition(&ticket, "ask", json!({}))
        .await
        .expect(200);
    let path = format!("/api/v1/records/{ticket}");
    let switch = json!({ "fields": { "contract": "silver-one" } });
    let switched = admin.patch(&path, &switch).await.expect(200);
    assert_eq!(of(&switched["clocks"], "gold")["verdict"], "cancelled");
    assert_eq!(of(&switched["clocks"], "silver")["took_over"], "gold");
    assert_eq!(of(&switched["clocks"], "silver")["status"], "paused");

    let history = admin.history(&ticket).await;
    let kinds: Vec<&Value> = history
        .iter()
        .flat_map(|entry| list(&entry["events"]))
        .map(|event| &event["kind"])
        .collect();
    assert!(kinds.contains(&&json!("clock-cancelled")), "{kinds:?}");
    let said = server.wright(&["explain", &ticket]);
    let said = String::from_utf8_lossy(&said.stdout).into_owned();
    assert!(
        said.contains("target resolution of gold: cancelled, the service level does not cover the record any more")
            && said.contains("target resolution of silver: promised PT16H in office, taken over from gold"),
        "{said}"
    );

    let judged = format!("{path}/service-levels");
    let same = admin.get(&judged).await.expect(200);
    assert_eq!(same["then"], same["now"], "nothing has changed");
    assert_eq!(same["differences"], json!([]));
    assert_eq!(same["notes"], json!([]));

    let file = pack.join("service-levels/silver.yaml");
    let silver = std::fs::read_to_string(&file).expect("a service level");
    std::fs::write(&file, silver.replace("PT16H", "PT20H")).expect("written");
    let before = admin.record(&ticket).await;
    install();
    let other = admin.get(&judged).await.expect(200);
    assert_eq!(of(&other["then"], "silver")["goal"]["within"], "PT16H");
    assert_eq!(of(&other["now"], "silver")["goal"]["within"], "PT20H");
    let goals: Vec<&Value> = list(&other["differences"])
        .iter()
        .filter(|difference| difference["what"] == "goal")
        .map(|difference| &difference["clock"])
        .collect();
    assert_eq!(goals, [&json!("silver/resolution")]);
    assert_eq!(admin.record(&ticket).await, before, "nothing was touched");
    let _ = rita.get(&judged).await.expect(200);
    let _ = server.client("vera", "").get(&judged).await.expect(404);

    let told = server.wright(&["clocks", &ticket]);
    let told = String::from_utf8_lossy(&told.stdout).into_owned();
    assert!(
        told.contains("goal of silver/resolution: PT16H in office, now PT20H in office")
            && told.ends_with("1 judged, 1 of them otherwise now\n"),
        "{told}"
    );
    let told = server.wright(&["clocks", "--workflow", "ticket", "--format", "json"]);
    let told: Value = serde_json::from_slice(&told.stdout).expect("JSON");
    assert_eq!((&told["judged"], &told["differ"]), (&json!(1), &json!(1)));
    assert_eq!(told["records"][0]["record"], ticket.as_str());
    let none = server.wright(&[
        "clocks",
        "--since",
        "2999-01-01T00:00:00Z",
        "--format",
        "json",
    ]);
    let none: Value = serde_json::from_slice(&none.stdout).expect("JSON");
    assert_eq!(none["judged"], 0);
}

#[tokio::test]
async fn what_a_plugin_promised_counts_again_and_is_not_guessed() {
    let server = Server::start();
    let admin = server.client("ada", "agent,administrator");
    for (path, thing) in [
        (
            "organisation/brewery",
            json!({ "name": "Brewery", "contract": "brewery-gold" }),
        ),
        (
            "contract/brewery-gold",
            json!({ "name": "Gold", "organisation": "brewery", "tier": "gold" }),
        ),
    ] {
        let put = admin
            .put(&format!("/api/v1/directory/{path}"), &thing)
            .await;
        assert!(put.status < 300, "{:?}", put.body);
    }
    let fields = json!({ "summary": "No orders", "category": "software", "impact": "medium", "urgency": "medium", "customer": "brewery" });
    let incident = admin.create("incident", "log", fields).await.id();
    let _ = admin
        .transition(&incident, "start", json!({}))
        .await
        .expect(200);
    let path = format!("/api/v1/records/{incident}/service-levels");
    let same = admin.get(&path).await.expect(200);
    assert!(!of(&same["then"], "contract").is_null(), "{:?}", same.body);
    assert_eq!(same["then"], same["now"], "what it answered counts");
    assert_eq!(same["notes"], json!([]));

    // With other settings nobody can tell what it would have answered.
    let folder = tempfile::tempdir().expect("a folder");
    let pack = folder.path().join("itil");
    copy_folder(&repository().join("packs/itil"), &pack);
    let file = pack.join("plugins/contract-hours.yaml");
    let binding = std::fs::read_to_string(&file).expect("a binding");
    std::fs::write(&file, binding + "settings: { warn_at_percent: [80] }\n").expect("written");
    let installed = server.wright(&["pack", "install", pack.to_str().expect("a path of text")]);
    assert!(
        installed.status.success(),
        "{}",
        String::from_utf8_lossy(&installed.stderr)
    );
    let other = admin.get(&path).await.expect(200);
    assert_eq!(of(&other["now"], "contract")["goal"]["within"], "PT16H");
    assert!(of(&other["now"], "contract")["reason"].is_null());
    let notes = other["notes"].to_string();
    assert!(
        notes.contains("what `contract-hours` would answer is not known, its fallback counts"),
        "{notes}"
    );
}
