//! What a binding may ask the desk to do is what it was granted, command by command and workflow by
//! workflow, and a person's name is not to be had without a grant either.

use reqwest::Method;
use serde_json::{Value as Json, json};
use test_support::{Answer, Client, Server, Setup};

use crate::{packs, webhook};

const KEY: &str = "what they sign with";

/// A command about a record, with its name in grants and whether the desk carries it out here.
fn commands(record: &str) -> Vec<(&'static str, Json, bool)> {
    vec![
        (
            "create",
            json!({ "create": { "workflow": "note", "fields": { "summary": "From outside" } }, "reference": "one" }),
            true,
        ),
        (
            "update",
            json!({ "record": record, "update": { "summary": "Once more" } }),
            true,
        ),
        (
            "assign",
            json!({ "record": record, "assign": { "team": "writers" } }),
            true,
        ),
        (
            "comment",
            json!({ "record": record, "comment": { "text": "Hello" } }),
            true,
        ),
        (
            "link",
            json!({ "record": record, "link": { "kind": "relates_to", "record": record } }),
            false,
        ),
        // Nothing is put to the vote.
        (
            "vote",
            json!({ "record": record, "vote": { "approves": true } }),
            false,
        ),
        (
            "transition",
            json!({ "record": record, "transition": { "name": "finish" } }),
            true,
        ),
    ]
}

/// Two bindings for each command: one that is granted it, and one that is granted all the others, and
/// this one on records of another workflow.
fn bindings() -> Vec<(String, Json)> {
    let names: Vec<&str> = commands("").iter().map(|(name, ..)| *name).collect();
    let mut bindings = Vec::new();
    for name in &names {
        let granted = json!({ "note": { *name: true } });
        let others: serde_json::Map<String, Json> = names
            .iter()
            .map(|other| ((*other).to_owned(), json!(other != name)))
            .collect();
        let withheld = json!({ "note": others, "memo": { *name: true } });
        bindings.push((format!("with-{name}"), json!({ "commands": granted })));
        bindings.push((format!("without-{name}"), json!({ "commands": withheld })));
    }
    let comment = json!({ "note": { "comment": true } });
    bindings.push((
        "acting".to_owned(),
        json!({ "commands": comment, "act-as": true }),
    ));
    bindings.push(("not-acting".to_owned(), json!({ "commands": comment })));
    bindings
}

/// A desk with these bindings, and a note.
async fn desk() -> (Server, Client, String) {
    let mut setup = Setup::new();
    for (id, _) in bindings() {
        let id = id.replace('-', "_").to_uppercase();
        setup = setup.variable(&format!("WRIGHT_SECRET_{id}__KEY"), KEY);
    }
    let server = setup.start();
    let pack = packs::heard(&bindings());
    let installed = server.wright(&["pack", "install", pack.path().to_str().expect("a path")]);
    let said = String::from_utf8_lossy(&installed.stderr);
    assert!(installed.status.success(), "{said}");
    let ada = server.client("ada", "agent");
    let note = ada
        .create("note", "write", json!({ "summary": "A note" }))
        .await
        .id();
    (server, ada, note)
}

/// What the desk says to a binding's command.
async fn send(server: &Server, binding: &str, command: &Json) -> Answer {
    let body = json!({ "id": format!("delivery-{command}"), "commands": [command] }).to_string();
    let request = server
        .client_with("")
        .request(Method::POST, &format!("/hooks/{binding}"));
    let signed = webhook::signature(&body, KEY).into_iter();
    let request = signed.fold(request, |request, (name, value)| {
        request.header(name, value)
    });
    Answer::of(request.body(body)).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_binding_gives_the_commands_that_it_was_granted_and_no_others() {
    let (server, ada, note) = desk().await;
    for (name, command, possible) in commands(&note) {
        let before = ada.history(&note).await.len();
        let refused = send(&server, &format!("without-{name}"), &command)
            .await
            .expect(403);
        let grant = format!("commands: {{ note: {{ {name}: true }} }}");
        assert!(
            refused.body.to_string().contains(&grant),
            "{name}: {}",
            refused.body
        );
        assert_eq!(
            ada.history(&note).await.len(),
            before,
            "{name} changed nothing"
        );

        let taken = send(&server, &format!("with-{name}"), &command).await;
        if possible {
            assert_eq!(taken.status, 200, "{name}: {}", taken.body);
        } else {
            // Another matter than a grant.
            assert_ne!(taken.status, 403, "{name}: {}", taken.body);
        }
    }
    let history = ada.history(&note).await;
    let by = |name: &str| history.iter().any(|entry| entry.to_string().contains(name));
    assert!(by("with-comment") && !by("without-comment"), "{history:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_binding_speaks_for_a_person_only_where_it_may_act_for_people() {
    let (server, ada, note) = desk().await;
    let comment = json!({ "record": note, "comment": { "text": "Said elsewhere", "public": true }, "on_behalf_of": "ada" });
    let refused = send(&server, "not-acting", &comment).await.expect(403);
    assert!(
        refused.body.to_string().contains("act-as"),
        "{}",
        refused.body
    );
    let _ = send(&server, "acting", &comment).await.expect(200);
    let history = ada.history(&note).await;
    let said = history
        .iter()
        .filter(|entry| entry.to_string().contains("Said elsewhere"));
    let said: Vec<&Json> = said.collect();
    assert_eq!(said.len(), 1, "{history:?}");
    assert!(said[0].to_string().contains("ada"), "{}", said[0]);

    // In somebody's name is under their rights: who may not see a record cannot speak of it.
    let finish =
        json!({ "record": note, "transition": { "name": "finish" }, "on_behalf_of": "ada" });
    let refused = send(&server, "acting", &finish).await.expect(403);
    assert!(
        refused.body.to_string().contains("transition: true"),
        "{}",
        refused.body
    );
}
