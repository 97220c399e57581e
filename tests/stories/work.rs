//! Work that one record hands to others: a new joiner of the catalogue with tasks that wait for each
//! other, tasks that end with what handed them out, faults that go with their cause.

use std::time::Duration;

use serde_json::{Value as Json, json};
use test_support::{Client, Server};

use crate::packs;

const HEADER: &str = "apiVersion: servicewright/v1
kind: Pack
id: house
version: 1.0.0
title: House
zone: UTC
roles: { agent: { title: Agent }, manager: { title: Manager } }
";

const TASK: &str = r"kind: Workflow
id: chore
title: Chore
number: CHR
use: { closing: true }
see: { agent: true }
edit: { agent: true }
fields: { summary: { type: string }, order: { type: string } }
create:
  begin: { to: open, form: { summary: { required: true }, order: {}, team: {} } }
states:
  open:
    category: open
    transitions:
      finish: { to: done, permit: { agent: true } }
      fail: { to: failed, permit: { agent: true } }
  done: { category: closed, outcome: done }
  failed: { category: closed, outcome: failed }
";

const CLOSING: &str = "kind: Fragment
id: closing
states: { cancelled: { category: closed, outcome: cancelled } }
anywhere: { cancel: { to: cancelled, from: { open: true } } }
";

const REQUEST: &str = r#"kind: Workflow
id: wish
title: Wish
number: WSH
see: { requester: true, agent: true }
edit: { agent: true }
groups:
  parcel: { title: Sending it, when: "input.delivery == 'post'" }
fields:
  summary:  { type: string }
  delivery: { options: { desk: {}, post: {} }, default: desk }
  address:  { type: string, minLength: 3, group: parcel }
  hurdles:  { type: array, decided-by: hurdles }
tables:
  hurdles:
    hit: collect
    gives: { hurdles: true }
    rows:
      far:    { when: "delivery == 'post'", then: { hurdles: [customs] } }
      nobody: { when: "record.assignee == null", then: { hurdles: [nobody-has-it] } }
create:
  ask:
    to: fulfil
    permit: { anyone: true }
    form: { summary: { required: true }, delivery: {}, address: { required: true } }
states:
  fulfil:
    category: open
    transitions:
      deliver: { to: delivered, permit: { agent: true } }
      withdraw: { to: withdrawn, permit: { requester: true } }
      rework: { to: stuck }
  stuck: { category: waiting, transitions: { resume: { to: fulfil, permit: { agent: true } } } }
  delivered: { category: closed, outcome: done }
  withdrawn: { category: closed, outcome: withdrawn }
"#;

const JOINER: &str = r#"kind: CatalogueItem
id: newcomer
of: wish
title: New joiner
description: Somebody begins to work here.
group: People
offer: "'manager' in actor.roles"
fields:
  name:   { type: string, minLength: 1 }
  laptop: { type: boolean, default: true }
create: { ask: { form: { summary: null, delivery: null, address: null, name: { required: true }, laptop: {} } } }
states:
  fulfil:
    tasks:
      each:
        account: { workflow: chore, set: { summary: { cel: "'Account for ' + name" } } }
        laptop:  { workflow: chore, when: "laptop", set: { summary: Prepare the laptop } }
        desk:
          workflow: chore
          needs: { account: true }
          set: { summary: Desk and badge, order: { cel: "string(tasks.filter(t, t.outcome == 'done').size())" } }
      then: { all: deliver, failed: rework }
      with-parent: cancel
    transitions: { deliver: { permit: null } }
"#;

const FAULT: &str = r#"kind: Workflow
id: fault
title: Fault
number: FLT
see: { anyone: true }
edit: { agent: true }
links:
  caused_by: { to: { cause: true }, inverse: causes }
  duplicates: { to: { fault: true }, inverse: duplicated_by }
fields: { summary: { type: string }, answer: { type: string } }
create: { report: { to: new, permit: { anyone: true }, form: { summary: { required: true } } } }
states:
  new:
    category: open
    transitions:
      answer:
        to: closed
        permit: { agent: true }
        form: { answer: { required: true } }
        require: { no-copies: { when: "links.duplicated_by.all(l, l.category != 'closed')", say: A copy is closed already. } }
        effects:
          copies: { each: { link: duplicated_by, do: follow, set: { answer: { cel: "'As ' + record.id + ': ' + answer" } } } }
      by-cause: { to: closed, form: { answer: { required: true } } }
      follow: { to: closed, form: { answer: { required: true } } }
  closed: { category: closed, outcome: done }
"#;

const CAUSE: &str = r#"kind: Workflow
id: cause
title: Cause
number: CSE
see: { agent: true }
edit: { agent: true }
fields: { summary: { type: string }, remedy: { type: string } }
create: { find: { to: known, permit: { agent: true }, form: { summary: {} } } }
states:
  known:
    category: open
    transitions:
      fix:
        to: fixed
        permit: { agent: true }
        form: { remedy: { required: true }, with_faults: { type: boolean, default: true } }
        effects:
          faults:
            each:
              link: causes
              when: "it.category != 'closed' && input.with_faults"
              do: by-cause
              set: { answer: { cel: "it.id + ': ' + remedy" } }
  fixed: { category: closed, outcome: done }
"#;

fn house() -> (Server, tempfile::TempDir) {
    let folder = packs::folder(&[
        ("pack.yaml", HEADER),
        ("workflows/chore.yaml", TASK),
        ("workflows/wish.yaml", REQUEST),
        ("workflows/fault.yaml", FAULT),
        ("workflows/cause.yaml", CAUSE),
        ("catalogue/newcomer.yaml", JOINER),
        ("fragments/closing.yaml", CLOSING),
    ]);
    let server = Server::start();
    let path = folder.path().to_str().expect("a path of text");
    let installed = server.wright(&["pack", "install", path]);
    let said = String::from_utf8_lossy(&installed.stderr);
    assert!(installed.status.success(), "{said}");
    (server, folder)
}

/// A record once this holds of it.
async fn once(client: &Client, record: &str, holds: impl Fn(&Json) -> bool) -> Json {
    for _ in 0..600 {
        let found = client.record(record).await;
        if holds(&found) {
            return found;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("it never came to that: {}", client.record(record).await);
}

/// Asks for a new joiner; the request once its first tasks have begun.
async fn joiner(server: &Server, fields: Json) -> Json {
    let manager = server.client("mia", "manager");
    let body = json!({ "workflow": "wish", "item": "newcomer", "fields": fields });
    let request = manager
        .post("/api/v1/records", &body)
        .await
        .expect(201)
        .id();
    once(&manager, &request, |found| {
        found["tasks"]["account"]["record"].is_string()
    })
    .await
}

fn task(request: &Json, task: &str) -> String {
    let record = request["tasks"][task]["record"].as_str();
    record
        .unwrap_or_else(|| panic!("no record of {task}: {request}"))
        .to_owned()
}

#[tokio::test]
async fn a_new_joiner_is_tasks_that_are_joined() {
    let (server, _folder) = house();
    let ada = server.client("ada", "agent");
    let offered = |answer: &Json| {
        let mut items = answer["items"].as_array().expect("items").iter();
        items.find(|item| item["id"] == "newcomer").cloned()
    };
    let to_ada = ada.get("/api/v1/catalogue").await.expect(200).body;
    assert_eq!(offered(&to_ada), None, "it is offered to managers");
    let mia = server.client("mia", "manager");
    let to_mia = mia.get("/api/v1/catalogue").await.expect(200).body;
    let item = offered(&to_mia).expect("she is a manager");
    assert_eq!(item["title"], "New joiner");
    let form = &item["begin"][0]["form"];
    assert_eq!(form["required"], json!(["name"]));
    assert!(form["properties"].get("address").is_none(), "{form}");
    let body = json!({ "workflow": "wish", "item": "newcomer", "fields": { "name": "Noor" } });
    let refused = ada.post("/api/v1/records", &body).await.expect(403);
    assert!(
        refused.body["detail"]
            .as_str()
            .expect("a text")
            .contains("offered")
    );

    let request = joiner(&server, json!({ "name": "Noor", "laptop": true })).await;
    let id = request["id"].as_str().expect("an id").to_owned();
    assert_eq!(request["item"], "newcomer");
    assert_eq!(
        request["tasks"]["desk"]["status"], "waiting",
        "it needs the account"
    );
    let account = task(&request, "account");
    let begun = ada.record(&account).await;
    assert_eq!(begun["fields"]["summary"], "Account for Noor");
    assert_eq!(
        (&begun["parent"], &begun["requester"]),
        (&json!(id), &json!("mia"))
    );

    let _ = ada
        .transition(&account, "finish", json!({}))
        .await
        .expect(200);
    let request = once(&ada, &id, |found| {
        found["tasks"]["desk"]["record"].is_string()
    })
    .await;
    let desk = ada.record(&task(&request, "desk")).await;
    assert_eq!(
        desk["fields"]["order"], "1",
        "one task had ended well by then"
    );
    let _ = ada
        .transition(&task(&request, "desk"), "finish", json!({}))
        .await
        .expect(200);
    assert_eq!(
        ada.record(&id).await["state"],
        "fulfil",
        "the laptop is not ready"
    );
    let request = once(&ada, &id, |found| {
        found["tasks"]["laptop"]["record"].is_string()
    })
    .await;
    let _ = ada
        .transition(&task(&request, "laptop"), "finish", json!({}))
        .await
        .expect(200);
    let done = once(&ada, &id, |found| found["state"] == "delivered").await;
    assert_eq!(done["outcome"], "done");
}

#[tokio::test]
async fn what_is_not_wanted_is_not_handed_out_and_a_failure_is_heard_of() {
    let (server, _folder) = house();
    let ada = server.client("ada", "agent");
    let request = joiner(&server, json!({ "name": "Noor", "laptop": false })).await;
    let id = request["id"].as_str().expect("an id").to_owned();
    assert!(request["tasks"].get("laptop").is_none(), "{request}");
    let account = task(&request, "account");
    let _ = ada
        .transition(&account, "fail", json!({}))
        .await
        .expect(200);
    let stuck = once(&ada, &id, |found| found["state"] == "stuck").await;
    assert_eq!(stuck["tasks"]["account"]["outcome"], "failed");
    assert_eq!(
        stuck["tasks"]["desk"]["status"], "dropped",
        "it was never begun"
    );
    // Taken up again, its tasks are handed out again.
    let _ = ada.transition(&id, "resume", json!({})).await.expect(200);
    let again = once(&ada, &id, |found| {
        let record = &found["tasks"]["account"]["record"];
        record.is_string() && *record != json!(account)
    })
    .await;
    assert_eq!(again["tasks"]["account"]["status"], "open");
}

#[tokio::test]
async fn tasks_end_with_what_handed_them_out() {
    let (server, _folder) = house();
    let (ada, mia) = (
        server.client("ada", "agent"),
        server.client("mia", "manager"),
    );
    let request = joiner(&server, json!({ "name": "Noor" })).await;
    let id = request["id"].as_str().expect("an id").to_owned();
    let request = once(&ada, &id, |found| {
        found["tasks"]["laptop"]["record"].is_string()
    })
    .await;
    let _ = mia.transition(&id, "withdraw", json!({})).await.expect(200);
    for name in ["account", "laptop"] {
        let ended = once(&ada, &task(&request, name), |found| {
            found["category"] == "closed"
        })
        .await;
        assert_eq!(
            (&ended["state"], &ended["outcome"]),
            (&json!("cancelled"), &json!("cancelled"))
        );
    }
    let dead = server
        .client("root", "administrator")
        .get("/api/v1/effects?state=dead")
        .await;
    assert_eq!(dead.expect(200).body["effects"], json!([]));
}

#[tokio::test]
async fn faults_go_with_their_cause_and_copies_with_their_original() {
    let (server, _folder) = house();
    let ada = server.client("ada", "agent");
    let mut faults = Vec::new();
    for summary in ["first", "second", "copy of second"] {
        let fault = ada
            .create("fault", "report", json!({ "summary": summary }))
            .await;
        faults.push(fault.expect(201).id());
    }
    let cause = ada
        .create("cause", "find", json!({}))
        .await
        .expect(201)
        .id();
    let link = |kind: &str, target: &str| json!({ "kind": kind, "target": target });
    let path = |record: &str| format!("/api/v1/records/{record}/links");
    // From either side.
    let _ = ada
        .post(&path(&faults[0]), &link("caused_by", &cause))
        .await
        .expect(200);
    let _ = ada
        .post(&path(&cause), &link("causes", &faults[1]))
        .await
        .expect(200);
    let _ = ada
        .post(&path(&faults[2]), &link("duplicates", &faults[1]))
        .await
        .expect(200);
    for (record, kind, target, said) in [
        (
            &faults[0],
            "caused_bye",
            &cause,
            "it has: caused_by, duplicated_by, duplicates",
        ),
        (&faults[0], "caused_by", &faults[1], "leads to cause"),
        (
            &faults[0],
            "caused_by",
            &"CSE-99".to_owned(),
            "there is no record CSE-99",
        ),
        (&faults[0], "duplicates", &faults[0], "not linked to itself"),
    ] {
        let refused = ada.post(&path(record), &link(kind, target)).await;
        assert!(refused.body.to_string().contains(said), "{}", refused.body);
    }
    let linked = once(&ada, &cause, |found| {
        found["links"].as_array().map(Vec::len) == Some(2)
    })
    .await;
    assert!(
        linked["links"]
            .as_array()
            .expect("links")
            .iter()
            .all(|link| link["inverse"] == true)
    );
    let _ = once(&ada, &faults[1], |found| {
        found["links"].as_array().map(Vec::len) == Some(2)
    })
    .await;

    let _ = ada
        .transition(&faults[1], "answer", json!({ "answer": "Done." }))
        .await
        .expect(200);
    let copy = once(&ada, &faults[2], |found| found["state"] == "closed").await;
    assert_eq!(copy["fields"]["answer"], format!("As {}: Done.", faults[1]));

    let fixed = json!({ "remedy": "A new fan." });
    let _ = ada.transition(&cause, "fix", fixed).await.expect(200);
    let first = once(&ada, &faults[0], |found| found["state"] == "closed").await;
    assert_eq!(
        first["fields"]["answer"],
        format!("{}: A new fan.", faults[0])
    );
    assert_eq!(
        ada.record(&faults[1]).await["fields"]["answer"],
        "Done.",
        "it was closed before"
    );
    let verified = server.wright(&["verify"]);
    assert!(verified.status.success());
}

#[tokio::test]
async fn a_form_asks_for_what_concerns_the_answer() {
    let (server, _folder) = house();
    let rita = server.client("rita", "");
    let ask = |fields: Json| json!({ "workflow": "wish", "create": "ask", "fields": fields });
    let desk = rita
        .post("/api/v1/records", &ask(json!({ "summary": "A mouse" })))
        .await;
    assert_eq!(
        desk.expect(201).body["fields"]["hurdles"],
        json!(["nobody-has-it"])
    );
    let post = json!({ "summary": "A mouse", "delivery": "post" });
    let refused = rita.post("/api/v1/records", &ask(post)).await.expect(422);
    assert!(
        refused
            .body
            .to_string()
            .contains("/fields/address: it is required")
            || refused.body["faults"].to_string().contains("address"),
        "{}",
        refused.body
    );
    let with_address =
        json!({ "summary": "A mouse", "delivery": "post", "address": "Rue Haute 1" });
    let sent = rita
        .post("/api/v1/records", &ask(with_address))
        .await
        .expect(201);
    assert_eq!(
        sent.body["fields"]["hurdles"],
        json!(["customs", "nobody-has-it"])
    );
    let astray = json!({ "summary": "A mouse", "address": "Rue Haute 1" });
    let refused = rita.post("/api/v1/records", &ask(astray)).await.expect(422);
    assert!(
        refused.body.to_string().contains("does not hold"),
        "{}",
        refused.body
    );
}
