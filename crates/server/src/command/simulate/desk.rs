//! Weeks at the example desk, on the real engine, store and plugins, with a clock that is turned by hand:
//! incidents, changes and requests, with votes, timers and breaches, and people who come and go.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use definition::pack::Pack;
use engine::port::{ManualClock, Store as _};
use engine::{Engine, Request};
use model::command::{Action, Actor, Create};
use model::definition::Choice;
use model::directory::{Key, Thing};
use model::id::{PersonId, RecordId};
use model::{Duration, Instant};
use plugin_host::{Options, WasmPlugins};
use serde_json::{Map, Value as Json, json};
use store::RedbStore;
use tempfile::TempDir;
use tokio::sync::OnceCell;

use crate::embedded;
use crate::pack_files::PackFiles;

/// How late this server does what is due.
const LATE: Duration = Duration::from_millis(7);

/// What happened at the desk, in a folder that nobody has open.
pub(super) struct History {
    folder: TempDir,
}

impl History {
    pub(super) fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// Where plugins are kept compiled.
    pub(super) fn cache(&self) -> PathBuf {
        self.folder.path().join("cache")
    }
}

/// The history, made once for all tests; none where the binary carries no plugins.
pub(super) async fn history() -> Option<&'static History> {
    static HISTORY: OnceCell<History> = OnceCell::const_new();
    if embedded::plugin("skills-router.wasm").is_none() {
        eprintln!("skipped: build the plugins first, with `cargo xtask build --plugins`");
        return None;
    }
    Some(HISTORY.get_or_init(made).await)
}

async fn made() -> History {
    let history = History {
        folder: tempfile::tempdir().expect("a folder"),
    };
    let store = RedbStore::open(&history.data(), store::Options::default()).expect("a store");
    let store = Arc::new(store);
    let options = Options {
        cache: Some(history.cache()),
        ..Options::default()
    };
    let plugins = Arc::new(WasmPlugins::new(options).expect("plugins"));
    let clock = Arc::new(ManualClock::at(at("2026-03-02T08:00:00Z")));
    let engine = Engine::open(store.clone(), plugins, clock.clone());
    let desk = Desk {
        engine: engine.await.expect("an engine"),
        store,
        clock,
    };
    desk.open().await;
    desk.incidents().await;
    desk.changes().await;
    desk.requests().await;
    desk.another_pack().await;
    desk.leave().await;
    desk.store.close();
    history
}

pub(super) fn at(text: &str) -> Instant {
    text.parse().expect("an instant")
}

const NOTE: &str = "apiVersion: servicewright/v1
kind: Workflow
id: note
title: Note
practice: incident-management
number: NTE
see: { agent: true }
edit: { agent: true }
links: { about: { to: { note: true }, inverse: notes } }
fields:
  text: { type: string, label: Text }
  size: { options: { short: {}, long: {} }, decided-by: size }
tables:
  size:
    hit: first
    gives: { size: true }
    rows: { said: { when: \"text != null\", then: { size: RULE } }, rest: { when: \"true\", then: { size: short } } }
create:
  write: { to: open, permit: { agent: true }, form: { text: { required: true } } }
states:
  open:
    category: open
    transitions: { done: { to: closed, permit: { agent: true } } }
    timers: { nag: { wait: { time: PT6H }, repeat: true } }
  closed: { category: closed, outcome: done }
";

/// The pack of their own.
pub(super) fn notes(rule: &str) -> PackFiles {
    let header = "apiVersion: servicewright/v1\nkind: Pack\nid: notes\nversion: 1.0.0\ntitle: Notes\nserver: '>=0.1'\nzone: Europe/Brussels\nlanguage: en\nroles: { agent: { title: Agent } }\n";
    let mut files = PackFiles::default();
    let texts = &mut files.texts;
    texts.insert("pack.yaml".to_owned(), header.to_owned());
    let workflow = NOTE.replace("RULE", rule);
    texts.insert("workflows/note.yaml".to_owned(), workflow);
    files
}

struct Desk {
    engine: Engine,
    store: Arc<RedbStore>,
    clock: Arc<ManualClock>,
}

impl Desk {
    async fn install(&self, files: &PackFiles) {
        let pack = Pack::read(&files.texts).expect("a pack");
        let component = |file: &str| files.component(file).map(<[u8]>::to_vec);
        let installed = self.engine.install("operator", &pack, &component);
        installed.await.expect("installed");
    }

    async fn open(&self) {
        self.install(&PackFiles::shipped("itil").expect("it ships"))
            .await;
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/directory");
        for kind in ["user", "team", "service", "organisation", "contract"] {
            let file = folder.join(format!("{kind}.json"));
            let text = fs::read_to_string(file).expect("a file");
            let things: Map<String, Json> = serde_json::from_str(&text).expect("things");
            for (id, thing) in things {
                self.put(kind, &id, Some(thing)).await;
            }
        }
    }

    async fn put(&self, kind: &str, id: &str, thing: Option<Json>) {
        let key = Key {
            kind: kind.parse().expect("a kind"),
            id: id.parse().expect("an id"),
        };
        let thing = thing.map(|thing| match thing {
            Json::Object(thing) => Thing(thing),
            other => panic!("no thing: {other}"),
        });
        let operator = Actor {
            who: model::command::Who::Operator,
            ..Actor::timer()
        };
        let put = self.engine.put_thing(&operator, key, thing);
        put.await.expect("put");
    }

    fn actor(&self, who: &str) -> Actor {
        let person: PersonId = who.parse().expect("a person");
        let actor = self.engine.actor(&person, &BTreeSet::new());
        actor.expect("an actor")
    }

    async fn run(&self, who: &str, target: Option<&RecordId>, action: Action) -> RecordId {
        let request = Request {
            target: target.cloned(),
            actor: self.actor(who),
            action,
            idempotency: None,
            if_version: None,
            languages: Vec::new(),
        };
        let executed = self.engine.execute(request).await;
        let executed = executed.unwrap_or_else(|error| panic!("{who}: {error}"));
        executed.record.id.clone()
    }

    async fn create(&self, who: &str, workflow: &str, via: &str, fields: Json) -> RecordId {
        let create = Create {
            workflow: workflow.parse().expect("a workflow"),
            via: Some(via.parse().expect("a way")),
            requester: None,
            fields: object(fields),
            link: None,
            reference: None,
            item: None,
            parent: None,
        };
        self.run(who, None, Action::Create(create)).await
    }

    /// Asks for an item of the catalogue.
    async fn ask(&self, who: &str, item: &str, fields: Json) -> RecordId {
        let create = Create {
            workflow: "request".parse().expect("a workflow"),
            via: Some("ask".parse().expect("a way")),
            requester: None,
            fields: object(fields),
            link: None,
            reference: None,
            item: Some(item.parse().expect("an item")),
            parent: None,
        };
        self.run(who, None, Action::Create(create)).await
    }

    async fn take(&self, who: &str, record: &RecordId, name: &str, input: Json) {
        let action = Action::Transition {
            name: name.parse().expect("a transition"),
            input: object(input),
        };
        self.run(who, Some(record), action).await;
    }

    async fn vote(&self, who: &str, record: &RecordId, approves: bool) {
        let comment = Some("Read it.".to_owned());
        let action = Action::Vote {
            choice: Choice::of(approves),
            comment,
            stage: None,
            instead_of: None,
            link: None,
        };
        self.run(who, Some(record), action).await;
    }

    /// Lets time run on; what is due is done a little late.
    async fn until(&self, time: &str) {
        let until = at(time);
        loop {
            let due = self.store.due(until, 1).expect("what is due");
            let Some(next) = due.into_iter().next() else {
                break;
            };
            let late = next.due.saturating_add(LATE);
            self.clock.set(late.max(self.engine.now()));
            let wake = Request {
                target: Some(next.record),
                actor: Actor::timer(),
                action: Action::Wake,
                idempotency: None,
                if_version: None,
                languages: Vec::new(),
            };
            self.engine.execute(wake).await.expect("woken");
        }
        self.clock.set(until.max(self.engine.now()));
    }

    async fn incidents(&self) {
        self.until("2026-03-02T09:00:00Z").await;
        let vpn = json!({
            "summary": "The VPN drops", "category": "network", "service": "vpn", "urgency": "high",
        });
        let vpn = self.create("rita", "incident", "report", vpn).await;
        let mail = json!({ "summary": "No mail", "category": "software", "service": "e-mail" });
        let mail = self.create("vera", "incident", "report", mail).await;
        let brewery = json!({
            "summary": "Orders stand still", "category": "software", "service": "erp",
            "impact": "medium", "urgency": "high", "customer": "brewery",
        });
        let brewery = self.create("ada", "incident", "log", brewery).await;
        self.until("2026-03-02T09:40:00Z").await;
        self.take("nora", &vpn, "start", json!({})).await;
        self.take("alba", &mail, "start", json!({})).await;
        let question = json!({ "question": "Which mailbox is it?" });
        self.take("alba", &mail, "ask-user", question).await;
        let comment = Action::Comment {
            text: "It comes and goes.".to_owned(),
            public: true,
        };
        self.run("rita", Some(&vpn), comment).await;
        let urgent = json!({ "urgency": "medium" });
        let fields = object(urgent);
        self.run("nora", Some(&vpn), Action::Update { fields })
            .await;

        self.until("2026-03-02T10:00:00Z").await;
        let shop = json!({
            "summary": "The shop is down", "category": "software", "service": "web-shop",
            "impact": "high", "urgency": "high",
        });
        let shop = self.create("ada", "incident", "log", shop).await;
        self.take("mona", &shop, "declare-major", json!({})).await;
        self.take("amir", &shop, "start", json!({})).await;
        self.until("2026-03-02T16:30:00Z").await;
        self.take("mona", &shop, "stand-down", json!({})).await;
        let done = json!({ "resolution_code": "fixed", "resolution": "Started it once more." });
        self.take("amir", &shop, "resolve", done.clone()).await;
        self.take("nora", &vpn, "resolve", done.clone()).await;
        let reopened = json!({ "what_remains": "It drops again." });
        self.until("2026-03-03T09:00:00Z").await;
        self.take("rita", &vpn, "reopen", reopened).await;
        self.take("nora", &vpn, "resolve", done.clone()).await;
        self.take("rita", &vpn, "confirm", json!({})).await;
        self.take("amir", &brewery, "start", json!({})).await;
        self.take("amir", &brewery, "resolve", done).await;
    }

    async fn changes(&self) {
        let change = |summary: &str, impact: &str, affected: Json| {
            json!({
                "summary": summary, "reason": "It fails under load", "kind": "network",
                "impact": impact, "affected": affected,
                "planned_start": "2026-03-05T19:00:00Z", "planned_end": "2026-03-05T21:00:00Z",
                "implementation_plan": "Swap the switch, move the cables.",
                "backout_plan": "Put the old switch back.",
            })
        };
        let services = json!(["network", "vpn", "web-shop", "e-mail"]);
        let high = change("Replace the core switch", "high", services);
        let high = self.create("nora", "normal-change", "submit", high).await;
        let medium = change("Another firmware", "medium", json!(["vpn"]));
        let medium = self.create("nora", "normal-change", "submit", medium).await;
        let low = change("Tidy the cables", "low", json!(["printing"]));
        self.create("nils", "normal-change", "submit", low).await;
        self.until("2026-03-03T11:00:00Z").await;
        self.vote("mona", &high, true).await;
        self.vote("carla", &high, true).await;
        self.vote("dirk", &high, true).await;
        self.vote("mona", &medium, false).await;
        self.until("2026-03-05T19:05:00Z").await;
        self.take("nora", &high, "begin", json!({})).await;
        self.take("nora", &high, "complete", json!({})).await;
    }

    async fn requests(&self) {
        self.until("2026-03-06T08:30:00Z").await;
        let ask = |summary: &str| json!({ "summary": summary, "category": "hardware" });
        let laptop = self.create("rita", "request", "ask", ask("A laptop")).await;
        let screen = self.create("rita", "request", "ask", ask("A screen")).await;
        let phone = self.create("rita", "request", "ask", ask("A phone")).await;
        let chair = self.create("rita", "request", "ask", ask("A chair")).await;
        for (request, cost) in [(&laptop, 3_000), (&screen, 500), (&chair, 90)] {
            self.take("wout", request, "estimate", json!({ "cost": cost }))
                .await;
        }
        self.until("2026-03-06T12:00:00Z").await;
        self.vote("rob", &laptop, true).await;
        self.vote("finn", &laptop, true).await;
        self.vote("rob", &screen, true).await;
        let delivered = json!({ "delivered": "It lies on the desk." });
        self.take("wout", &laptop, "deliver", delivered.clone())
            .await;
        self.take("wout", &screen, "deliver", delivered.clone())
            .await;
        let mailbox = json!({ "address": "orders@desk.example", "owner": "rita" });
        let mailbox = self.ask("rita", "shared-mailbox", mailbox).await;
        self.take("wout", &mailbox, "deliver", delivered).await;
        // The chair expires. Of the phone, whoever might agree leaves.
        self.until("2026-03-12T09:00:00Z").await;
        self.take("wout", &phone, "estimate", json!({ "cost": 700 }))
            .await;
        self.put("user", "rob", None).await;
        self.take("mona", &phone, "agree", json!({})).await;
    }

    /// A pack of their own beside the shipped one, in two versions; a record keeps the one that it began
    /// under. Notes are linked to each other, which is told by effects.
    async fn another_pack(&self) {
        self.install(&notes("long")).await;
        let old = json!({ "text": "Ask them again." });
        let old = self.create("ada", "note", "write", old).await;
        self.install(&notes("short")).await;
        let new = json!({ "text": "Call back." });
        let new = self.create("ada", "note", "write", new).await;
        for (note, other) in [(&old, &new), (&new, &old)] {
            let action = Action::Link {
                kind: "about".parse().expect("a kind"),
                target: other.clone(),
                inverse: false,
            };
            self.run("ada", Some(note), action).await;
        }
        self.work().await;
        self.until("2026-03-13T09:00:00Z").await;
        self.take("ada", &old, "done", json!({})).await;
        self.take("ada", &new, "done", json!({})).await;
    }

    /// Lets the engine do what is to be done outside.
    async fn work(&self) {
        let mut positions = self.engine.positions();
        let done = async {
            let far = Instant::from_millis(i64::MAX);
            while !self.store.effects_due(far, 1).expect("effects").is_empty() {
                positions.changed().await.expect("it runs");
            }
        };
        self.engine.run(done).await;
    }

    /// In the end nobody is left: what was decided, was decided while they were there.
    async fn leave(&self) {
        self.until("2026-03-27T17:00:00Z").await;
        for team in ["network", "applications", "workplace", "cab", "finance"] {
            self.put("team", team, Some(json!({ "members": {} }))).await;
        }
        for user in ["mona", "carla", "finn", "nora"] {
            self.put("user", user, None).await;
        }
    }
}

fn object(json: Json) -> Map<String, Json> {
    match json {
        Json::Object(map) => map,
        other => panic!("no object: {other}"),
    }
}
