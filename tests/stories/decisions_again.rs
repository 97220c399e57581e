//! Any decision can be asked again: more than a thousand records are routed by one logic in three
//! languages, while people come and go and have more and less to do. The server is stopped, everybody
//! has left, and every question is put once more: the answers are those of then, to the letter.

#[path = "decisions_again/desk.rs"]
mod desk;
#[path = "decisions_again/routers.rs"]
mod routers;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Output;

use futures::{StreamExt as _, stream};
use serde_json::{Value as Json, json};
use tempfile::TempDir;
use test_support::{Client, Server, binary, guest, load_example_desk};

use crate::packs;

/// How many records each of the three routes.
const RECORDS: usize = 350;
/// How many each routes whose settings say that it looks at other records, and routes again once it
/// is linked to one.
const LINKED: usize = 8;
/// How many decisions each makes.
const EACH: u64 = (RECORDS + 2 * LINKED) as u64;
/// How many of all may have no answer to compare: what a limit ended that counts time, on a machine
/// that has much else to do.
const SPARED: u64 = 50;
/// How many are created at the same time.
const AT_ONCE: usize = 8;
/// After how many records people come and go.
const ROTA: usize = 35;

/// A binding that needs nothing.
const ROUTED: &str = "apiVersion: servicewright/v1
kind: Plugin
id: our-router
title: Our router
component: { file: our-router.wasm }
hooks: { routing: true }
";

const LANGUAGES: [&str; 3] = ["rust", "javascript", "python"];

#[tokio::test(flavor = "multi_thread")]
async fn decisions_of_three_languages_are_the_same_when_they_are_asked_again() {
    let folder = tempfile::tempdir().expect("a folder");
    let Some(components) = desk::built(&folder) else {
        return;
    };
    let mut server = Server::start();
    install(
        &server,
        desk::pack(&components, "hours: 7, records: false").path(),
    );
    let given = worked(&server).await;
    assert!(given.len() >= 5, "work went to many: {given:?}");
    install(
        &server,
        desk::pack(&components, "hours: 3, records: true").path(),
    );
    worked_on_others(&server).await;
    leave(&server).await;
    assert!(server.stop().success());
    // What this server compiled need not be compiled again.
    let compiled = binary().with_file_name("story-plugin-cache");
    let cache = server.data().join("plugin-cache");
    std::os::unix::fs::symlink(compiled, cache).expect("a link");

    let (replayed, told) = replay(&server, &[]);
    let total = &replayed["total"];
    let all = EACH * LANGUAGES.len() as u64;
    assert_eq!(total["decisions"], all, "{told}");
    assert_eq!(total["different"], 0, "{told}");
    check_asked(&replayed, all);
    assert_eq!(replayed["bindings"].as_array().map(Vec::len), Some(3));

    // What the others were asked, the one in Rust answers to the letter as they did.
    let rust = components["rust"].to_str().expect("a path");
    for language in ["javascript", "python"] {
        let binding = format!("in-{language}");
        let (replayed, told) = replay(&server, &[&binding, "--component", rust]);
        assert_eq!(replayed["total"]["different"], 0, "{language}: {told}");
        assert_eq!(replayed["total"]["decisions"], EACH, "{told}");
        check_asked(&replayed, EACH);
    }
    another_component_is_shown_by_what_it_answers(&server, &folder);
    good(&server.wright(&["verify"]));
}

/// A component that decides otherwise: every decision differs, and the command says so.
fn another_component_is_shown_by_what_it_answers(server: &Server, folder: &TempDir) {
    let other = folder.path().join("other.wasm");
    fs::write(&other, guest::router("editors", "Somebody has to.")).expect("written");
    let other = other.to_str().expect("a path");
    let arguments = ["plugin", "replay", "in-rust", "--component", other];
    let replayed = server.wright(&[&arguments[..], &["--format", "json"]].concat());
    assert_eq!(replayed.status.code(), Some(1), "{}", said(&replayed));
    let replayed: Json = serde_json::from_slice(&replayed.stdout).expect("JSON");
    let total = &replayed["total"];
    assert_eq!(total["different"], total["asked"], "{total}");
    check_asked(&replayed, EACH);
    let first = &replayed["differences"][0];
    assert_eq!(first["then"]["answer"]["assignment"]["team"], "writers");
    let now = json!({ "team": "editors", "assignee": null, "reason": "Somebody has to." });
    assert_eq!(first["now"]["answer"]["assignment"], now);
    let listed = replayed["differences"].as_array().map(Vec::len);
    assert_eq!(listed, Some(100), "not all of them");

    let told = server.wright(&arguments);
    assert_eq!(told.status.code(), Some(1));
    let told = said(&told);
    assert!(told.contains("more that differ"), "{told}");
    let later = [
        "plugin",
        "replay",
        "in-rust",
        "--since",
        "2100-01-01T00:00:00Z",
    ];
    let nothing = server.wright(&later);
    assert_eq!(nothing.status.code(), Some(1));
    let told = said(&nothing);
    assert!(
        told.contains("no decision of a binding `in-rust`"),
        "{told}"
    );
    let broken = ["plugin", "replay", "in-rust", "--component", "Cargo.toml"];
    let told = said(&server.wright(&broken));
    assert!(told.contains("not a WebAssembly component"), "{told}");
}

/// Creates the records, some of which are done with and taken up again, while people come and go.
/// Says who was given any.
async fn worked(server: &Server) -> BTreeSet<String> {
    let ada = server.client("ada", "agent,administrator");
    let work = (0..RECORDS * LANGUAGES.len()).map(|number| {
        let ada = ada.clone();
        async move {
            if number % ROTA == 0 {
                people(&ada, rota(number / ROTA)).await;
            }
            let language = LANGUAGES[number % LANGUAGES.len()];
            let summary = format!("Note {number}{}", ", at length and more".repeat(number % 2));
            let note = ada
                .create(language, "write", json!({ "summary": summary }))
                .await;
            if number % 4 == 0 {
                let _ = ada
                    .transition(&note.id(), "finish", json!({}))
                    .await
                    .expect(200);
            }
            if number % 8 == 0 {
                let _ = ada
                    .transition(&note.id(), "resume", json!({}))
                    .await
                    .expect(200);
            }
            note["assignee"].as_str().map(str::to_owned)
        }
    });
    let given = stream::iter(work).buffer_unordered(AT_ONCE);
    given.filter_map(std::future::ready).collect().await
}

/// Creates records one after the other, links each to one that goes on, and routes it again.
async fn worked_on_others(server: &Server) {
    let ada = server.client("ada", "agent");
    for language in LANGUAGES {
        let mut other: Option<String> = None;
        for number in 0..LINKED {
            let summary = format!("Another {number}");
            let note = ada.create(language, "write", json!({ "summary": summary }));
            let note = note.await.id();
            if let Some(other) = &other {
                let link = json!({ "kind": "related", "target": other });
                let path = format!("/api/v1/records/{note}/links");
                let _ = ada.post(&path, &link).await.expect(200);
            }
            let _ = ada.transition(&note, "again", json!({})).await.expect(200);
            if let Some(other) = other.replace(note) {
                let _ = ada
                    .transition(&other, "finish", json!({}))
                    .await
                    .expect(200);
            }
        }
    }
}

/// The members of the team in a part of the year: some leave, some come, some work by night.
fn rota(part: usize) -> Json {
    let everybody = ["ann", "bea", "carla", "dan", "eve", "finn"];
    let members = everybody.iter().enumerate();
    let members = members.filter(|(place, _)| !(place + part).is_multiple_of(3));
    let members = members.map(|(place, person)| {
        let member = match (place + part) % 4 {
            0 => json!({ "shift": "nights" }),
            1 => json!({ "skills": ["heavy"], "shift": "daily" }),
            _ => json!({ "skills": ["light", "heavy"] }),
        };
        ((*person).to_owned(), member)
    });
    members.collect::<serde_json::Map<_, _>>().into()
}

async fn people(client: &Client, members: Json) {
    let roster = json!({ "members": members });
    let put = client.put("/api/v1/directory/team/writers", &roster);
    let _ = put.await.expect(200);
}

/// Everybody has left: asked today, the plugins would name nobody.
async fn leave(server: &Server) {
    let ada = server.client("ada", "agent,administrator");
    people(&ada, json!({ "gil": {} })).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_failed_and_what_was_of_another_version_is_asked_again_while_the_server_runs() {
    let server = Server::start();
    let ada = server.client("ada", "agent");
    let write = async || {
        let note = ada.create("note", "write", json!({ "summary": "Routed" }));
        note.await["created_at"]
            .as_str()
            .expect("a time")
            .to_owned()
    };
    let folder = tempfile::tempdir().expect("a folder");
    let component = folder.path().join("router.wasm");
    let component = component.to_str().expect("a path");
    let put = |bytes: Vec<u8>| {
        fs::write(component, bytes).expect("written");
        let pack = packs::routed_by("our-router", ROUTED, Path::new(component));
        install(&server, pack.path());
    };
    // It traps until it is left alone; then nobody is asked.
    put(guest::trapping_router());
    for _ in 0..7 {
        write().await;
    }
    // The desk does not take its answer, which is one all the same.
    put(guest::router("nowhere", "Lost."));
    for _ in 0..2 {
        write().await;
    }
    put(guest::router("writers", "Well."));
    let since = write().await;
    write().await;

    let (replayed, told) = replay(&server, &[]);
    let total = &replayed["total"];
    assert_eq!(total["decisions"], 11, "{told}");
    assert_eq!(total["different"], 0, "{told}");
    let bindings = replayed["bindings"].as_array().expect("a list");
    assert_eq!(bindings.len(), 4, "nobody, and three versions: {told}");
    for of in bindings {
        let was_asked = of["component"].is_string();
        assert_eq!(of["not_asked"] == 0, was_asked, "{told}");
        assert_eq!(of["reasons"]["nobody-asked"].is_object(), !was_asked);
    }

    fs::write(component, guest::trapping_router()).expect("written");
    let arguments = ["our-router", "--since", &since, "--component", component];
    let replayed = server.wright(&[&["plugin", "replay"], &arguments[..]].concat());
    assert_eq!(replayed.status.code(), Some(1));
    let told = said(&replayed);
    assert!(
        told.starts_with("2 decisions, 2 asked again, 0 identical, 2 different"),
        "{told}"
    );
    assert!(
        told.contains(r#""reason":"Well.""#) && told.contains(r#""kind":"trap""#),
        "{told}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn approvals_and_promises_are_asked_again_as_work_is() {
    let server = Server::start();
    let admin = server.client("admin", "administrator,agent");
    load_example_desk(&admin).await;
    let change = json!({
        "summary": "Replace the core switch", "reason": "It fails under load", "kind": "network",
        "impact": "high", "affected": ["network", "vpn", "web-shop", "e-mail"],
        "planned_start": "2031-03-04T19:00:00Z", "planned_end": "2031-03-04T21:00:00Z",
        "implementation_plan": "Swap the switch, move the cables, test every floor.",
        "backout_plan": "Put the old switch back, which stays in the rack.",
    });
    let ada = server.client("ada", "");
    let change = ada.create("normal-change", "submit", change).await;
    assert_eq!(change["approval"]["by"], "change-advisory");
    let incident = json!({
        "summary": "Nothing prints", "category": "network", "impact": "high", "urgency": "high",
        "customer": "brewery",
    });
    let _ = ada.create("incident", "log", incident).await;
    // What they were told of is not there any more.
    for kind in ["contract", "organisation", "service", "team", "user"] {
        let things = admin.get(&format!("/api/v1/directory/{kind}")).await;
        for thing in things.expect(200)["things"].as_array().expect("a list") {
            let id = thing["id"].as_str().expect("an id");
            let path = format!("/api/v1/directory/{kind}/{id}");
            let _ = admin.delete(&path).await.expect(204);
        }
    }
    let (replayed, told) = replay(&server, &[]);
    let total = &replayed["total"];
    assert_eq!(total["asked"], total["decisions"], "{told}");
    assert_eq!(total["identical"], total["decisions"], "{told}");
    let asked = replayed["bindings"].as_array().expect("a list").iter();
    let asked: Vec<_> = asked.map(|of| of["binding"].clone()).collect();
    assert_eq!(
        asked,
        ["change-advisory", "contract-hours", "skills-router"]
    );
}

/// Asks again what was decided: the report, and the command's own words where it is not understood.
fn replay(server: &Server, arguments: &[&str]) -> (Json, String) {
    let command = ["plugin", "replay", "--format", "json"];
    let replayed = server.wright(&[&command[..], arguments].concat());
    let told = said(&replayed);
    assert!(replayed.status.success(), "{told}");
    let report = serde_json::from_slice(&replayed.stdout).expect("JSON");
    (report, told)
}

/// All were asked but what limits ended that count time, and each of those says so.
fn check_asked(replayed: &Json, all: u64) {
    let total = &replayed["total"];
    let asked = total["asked"].as_u64().expect("a number");
    assert!(asked + SPARED >= all, "{replayed}");
    assert_eq!(total["not_asked"], all - asked, "{total}");
    for of in replayed["bindings"].as_array().expect("a list") {
        for (reason, told) in of["reasons"].as_object().into_iter().flatten() {
            let of_time = ["ended-by-a-limit", "nobody-asked", "no-answer-in-time"];
            assert!(of_time.contains(&reason.as_str()), "{reason}: {told}");
        }
    }
}

fn install(server: &Server, pack: &Path) {
    good(&server.wright(&["pack", "install", pack.to_str().expect("a path")]));
}

fn good(output: &Output) {
    assert!(output.status.success(), "{}", said(output));
}

fn said(output: &Output) -> String {
    let (out, err) = (&output.stdout, &output.stderr);
    String::from_utf8_lossy(out).into_owned() + &String::from_utf8_lossy(err)
}
