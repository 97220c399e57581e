//! A desk that speaks two languages: forms, refusals, the catalogue and messages in the one that each
//! person reads.

use serde_json::json;
use test_support::{Client, Server};

use crate::packs;

const HEADER: &str = "apiVersion: servicewright/v1
kind: Pack
id: window
version: 1.0.0
title: Window
zone: UTC
language: en
roles: { agent: { title: Agent } }
";

const PANE: &str = r#"kind: Workflow
id: pane
title: Window pane
number: PNE
see: { anyone: true }
edit: { agent: true }
fields:
  summary: { type: string, minLength: 1, label: What is broken? }
  size: { options: { small: { label: Small }, large: { label: Large } }, label: Size }
create: { report: { title: Report, to: new, permit: { anyone: true }, form: { summary: { required: true }, size: {} }, effects: { tell: { notice: seen } } } }
states:
  new:
    title: New
    category: open
    transitions:
      mend:
        title: Mend
        to: mended
        permit: { agent: true }
        require: { sized: { when: "size != null", say: Measure it first. } }
  mended: { title: Mended, category: closed, outcome: done }
"#;

const SEEN: &str = "kind: Notice
id: seen
to: { requester: true, watcher: true }
subject: \"{{ record.id }} is known\"
text: We look at it.
";

const FRENCH: &str = r#"kind: Translation
id: fr
title: Français
workflows:
  pane:
    title: Vitre
    fields: { summary: { label: "Qu'est-ce qui est cassé ?" }, size: { options: { large: { label: Grande } } } }
    create: { report: { title: Signaler } }
    states: { new: { transitions: { mend: { title: Réparer, require: { sized: { say: Mesurez-la d'abord. } } } } } }
notices: { seen: { subject: "{{ record.id }} est connu" } }
"#;

/// The same client, reading other languages.
fn reading(client: &Client, languages: &str, path: &str) -> reqwest::RequestBuilder {
    client
        .request(reqwest::Method::GET, path)
        .header("Accept-Language", languages)
}

fn window(translation: &str) -> tempfile::TempDir {
    packs::folder(&[
        ("pack.yaml", HEADER),
        ("workflows/pane.yaml", PANE),
        ("notices/seen.yaml", SEEN),
        ("translations/fr.yaml", translation),
    ])
}

#[tokio::test]
async fn each_reads_in_their_own_language() {
    let server = Server::start();
    let folder = window(FRENCH);
    let path = folder.path().to_str().expect("a path of text");
    assert!(server.wright(&["pack", "install", path]).status.success());
    let (ada, root) = (
        server.client("ada", "agent"),
        server.client("root", "administrator"),
    );
    for (person, language) in [("luc", json!("fr")), ("rita", json!(null))] {
        let thing = if language.is_null() {
            json!({})
        } else {
            json!({ "language": language })
        };
        let _ = root
            .put(&format!("/api/v1/directory/user/{person}"), &thing)
            .await
            .expect(200);
    }

    let read = |languages: &'static str| {
        let request = reading(&ada, languages, "/api/v1/workflows/pane");
        async move { test_support::Answer::of(request).await.expect(200).body["begin"][0].clone() }
    };
    let french = read("fr-BE, en;q=0.5").await;
    assert_eq!(french["title"], "Signaler");
    let fields = &french["form"]["properties"];
    assert_eq!(fields["summary"]["title"], "Qu'est-ce qui est cassé ?");
    assert_eq!(fields["size"]["oneOf"][1]["title"], "Grande");
    assert_eq!(
        fields["size"]["oneOf"][0]["title"], "Small",
        "not translated"
    );
    assert_eq!(read("en, fr;q=0.9").await["title"], "Report");
    assert_eq!(read("de").await["title"], "Report");

    let (luc, rita) = (server.client("luc", ""), server.client("rita", ""));
    let pane = luc
        .create("pane", "report", json!({ "summary": "Crack" }))
        .await
        .expect(201)
        .id();
    let _ = rita
        .post(&format!("/api/v1/records/{pane}/watchers"), &json!({}))
        .await
        .expect(200);
    let own = luc
        .get(&format!("/api/v1/records/{pane}/transitions"))
        .await
        .expect(200);
    assert_eq!(own.body["transitions"], json!([]));
    let transitions = reading(&ada, "fr", &format!("/api/v1/records/{pane}/transitions"));
    let may = test_support::Answer::of(transitions).await.expect(200).body;
    assert_eq!(may["transitions"][0]["title"], "Réparer");
    assert_eq!(
        may["transitions"][0]["unmet"],
        json!(["Mesurez-la d'abord."])
    );
    let refused = ada
        .request(
            reqwest::Method::POST,
            &format!("/api/v1/records/{pane}/transitions/mend"),
        )
        .header("Accept-Language", "fr")
        .json(&json!({}));
    let refused = test_support::Answer::of(refused).await.expect(409).body;
    assert_eq!(refused["detail"], "Mesurez-la d'abord.");
    let refused = ada
        .transition(&pane, "mend", json!({}))
        .await
        .expect(409)
        .body;
    assert_eq!(refused["detail"], "Measure it first.");

    let history = ada.history(&pane).await;
    let told = |entry: &serde_json::Value| -> Vec<(String, String)> {
        let events = entry["events"].as_array().expect("events").iter();
        let notified = events.filter(|event| event["kind"] == "notified");
        notified
            .map(|event| {
                (
                    event["to"].to_string(),
                    event["subject"].as_str().expect("text").to_owned(),
                )
            })
            .collect()
    };
    assert_eq!(
        told(&history[0]),
        [(r#"["luc"]"#.to_owned(), format!("{pane} est connu"))]
    );
}

#[test]
fn a_translation_has_texts_of_what_there_is() {
    for (right, wrong, said) in [
        (
            "  pane:\n",
            "  pain:\n",
            "there is no definition in `workflows`: `pain`",
        ),
        (
            "size: { options",
            "sise: { options",
            "there is no part `sise`",
        ),
        (
            "title: Vitre",
            "number: VTR",
            "`number` is no text for people",
        ),
        ("est connu", "est {{ connu", "the template"),
    ] {
        let folder = window(&FRENCH.replace(right, wrong));
        let path = folder.path().to_str().expect("a path of text");
        let linted = std::process::Command::new(test_support::binary())
            .args(["pack", "lint", path])
            .output()
            .expect("it runs");
        let found = String::from_utf8_lossy(&linted.stdout);
        assert!(!linted.status.success(), "{found}");
        assert!(found.contains("translations/fr.yaml"), "{found}");
        assert!(found.contains(said) || said == "the template", "{found}");
    }
}
