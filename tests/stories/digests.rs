//! Digests: at a person's own time one message gathers what came since the last, once for each time
//! whatever becomes of the server, and nothing where nothing came. Told in virtual time, on a real store
//! that is opened anew wherever the server may die.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use definition::compile::Installable;
use definition::pack::Pack;
use engine::port::{
    BindingSetup, Delivery, HttpRequest, InspectError, Inspection, IntegrationReply, ManualClock,
    Plugins, Store as _, Surroundings, WebhookReply,
};
use engine::{Engine, Request};
use futures::future::BoxFuture;
use model::command::{Action, Actor, Create, Who};
use model::directory::{Key, Thing};
use model::hook::{Call, Failure, FailureKind, Question, Reply};
use model::id::{BindingId, RecordId};
use model::{Digest, Instant};
use serde_json::{Value, json};
use store::RedbStore;
use tempfile::TempDir;

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
id: fault
title: Fault
number: FLT
see: { agent: true, requester: true, watcher: true }
edit: { agent: true }
fields:
  summary: { type: string, minLength: 1, maxLength: 200 }
create:
  report: { title: Report, to: open, permit: { anyone: true }, form: { summary: { required: true } }, effects: { tell: { notice: known } } }
states:
  open:
    title: Open
    category: open
    transitions: { mend: { title: Mend, to: mended, permit: { agent: true } } }
  mended: { title: Mended, category: closed, outcome: done }
"#;

const KNOWN: &str = "apiVersion: servicewright/v1
kind: Notice
id: known
to: { requester: true }
subject: \"{{ record.id }} is known\"
text: \"We look at: {{ summary }}\"
";

fn binding(id: &str, events: &str) -> String {
    format!(
        "apiVersion: servicewright/v1
kind: Plugin
id: {id}
title: Channel
component: {{ digest: \"{}\" }}
hooks: {{ delivery: true }}
events: {events}
",
        Digest::default()
    )
}

/// A plugin that keeps what it is told, and fails as often as it is bidden.
#[derive(Default)]
struct Outside {
    told: Mutex<Vec<(String, String, Value)>>,
    failures: Mutex<u32>,
}

impl Plugins for Outside {
    fn inspect(&self, _: &[u8]) -> Result<Inspection, InspectError> {
        Err(InspectError::NotAComponent("there are none".to_owned()))
    }

    fn set_up(&self, _: Vec<BindingSetup>) -> BoxFuture<'_, Result<(), (BindingId, InspectError)>> {
        Box::pin(async { Ok(()) })
    }

    fn ask<'a>(
        &'a self,
        _: Call,
        _: &'a Question,
        _: Arc<dyn Surroundings>,
    ) -> BoxFuture<'a, Reply> {
        unreachable!("no binding answers questions")
    }

    fn deliver(
        &self,
        binding: &BindingId,
        call: Call,
        delivery: Delivery,
        _: Arc<dyn Surroundings>,
    ) -> BoxFuture<'_, Result<IntegrationReply, Failure>> {
        let data = serde_json::from_str(&delivery.data).expect("a CloudEvent");
        let binding = binding.to_string();
        assert_eq!(call.id, delivery.id);
        Box::pin(async move {
            self.told
                .lock()
                .expect("sound")
                .push((binding, delivery.id, data));
            let mut failures = self.failures.lock().expect("sound");
            if *failures > 0 {
                *failures -= 1;
                return Err(Failure {
                    kind: FailureKind::Busy,
                    message: "not now".to_owned(),
                    retry_after: None,
                });
            }
            Ok(IntegrationReply::default())
        })
    }

    fn receive(
        &self,
        _: &BindingId,
        _: Call,
        _: HttpRequest,
        _: Arc<dyn Surroundings>,
    ) -> BoxFuture<'_, Result<WebhookReply, Failure>> {
        unreachable!("no binding hears requests")
    }

    fn run_schedule(
        &self,
        _: &BindingId,
        _: Call,
        _: Arc<dyn Surroundings>,
    ) -> BoxFuture<'_, Result<IntegrationReply, Failure>> {
        unreachable!("no binding runs by itself")
    }
}

struct Desk {
    folder: TempDir,
    outside: Arc<Outside>,
    clock: Arc<ManualClock>,
    /// None while the server is down.
    running: Option<(Engine, Arc<RedbStore>)>,
}

fn at(text: &str) -> Instant {
    text.parse().expect("an instant")
}

fn key(kind: &str, id: &str) -> Key {
    Key {
        kind: kind.parse().expect("a kind"),
        id: id.parse().expect("an id"),
    }
}

fn person(id: &str, roles: &[&str]) -> Actor {
    Actor {
        who: Who::Person(id.parse().expect("a person")),
        roles: roles
            .iter()
            .map(|role| role.parse().expect("a role"))
            .collect(),
        teams: BTreeSet::new(),
    }
}

impl Desk {
    fn new(now: &str) -> Self {
        let mut desk = Self {
            folder: tempfile::tempdir().expect("a folder"),
            outside: Arc::default(),
            clock: Arc::new(ManualClock::at(at(now))),
            running: None,
        };
        desk.start();
        desk
    }

    fn start(&mut self) {
        let files = [
            ("pack.yaml", HEADER.to_owned()),
            ("workflows/fault.yaml", WORKFLOW.to_owned()),
            ("notices/known.yaml", KNOWN.to_owned()),
            (
                "plugins/mail.yaml",
                binding("mail", "{ notice: {}, digest: {} }"),
            ),
            ("plugins/chat.yaml", binding("chat", "{ notice: {} }")),
        ];
        let files = files.map(|(path, text)| (path.to_owned(), text)).into();
        let pack = Pack::read(&files).unwrap_or_else(|faults| panic!("{faults:?}"));
        let installable = Installable::of_pack(&pack, |_, _| Digest::default());
        let definitions = definition::compile::definitions(&installable);
        let definitions = definitions.unwrap_or_else(|faults| panic!("{faults:#?}"));
        let options = store::Options::default();
        let store = RedbStore::open(self.folder.path(), options).expect("it opens");
        let store = Arc::new(store);
        let (outside, clock) = (self.outside.clone(), self.clock.clone());
        let engine = Engine::trial(store.clone(), outside, clock, Arc::new(definitions));
        self.running = Some((engine.expect("it opens"), store));
    }

    /// Ends the server where it stands: what its files are while it has them open is what a crash
    /// leaves.
    fn restart(&mut self) {
        let crashed = tempfile::tempdir().expect("a folder");
        for file in ["truth.redb", "views.redb"] {
            let (from, to) = (self.folder.path().join(file), crashed.path().join(file));
            std::fs::copy(from, to).expect("it is copied");
        }
        self.running = None;
        self.folder = crashed;
        self.start();
    }

    fn engine(&self) -> &Engine {
        &self.running.as_ref().expect("it runs").0
    }

    async fn prefer(&self, of: &str, preferences: Value) {
        let Value::Object(thing) = preferences else {
            panic!("preferences are a map");
        };
        let actor = person(of, &[]);
        let put = self
            .engine()
            .put_thing(&actor, key("preference", of), Some(Thing(thing)));
        put.await.expect("they are kept");
    }

    async fn ask(&self, target: Option<&RecordId>, actor: Actor, action: Action) -> RecordId {
        let request = Request {
            target: target.cloned(),
            actor,
            action,
            idempotency: None,
            if_version: None,
            languages: Vec::new(),
        };
        let executed = self.engine().execute(request).await.expect("it is done");
        self.engine()
            .try_effects(&executed.record.id)
            .await
            .expect("it is told");
        executed.record.id.clone()
    }

    async fn report(&self, who: &str, summary: &str) -> RecordId {
        let create = Create {
            workflow: "fault".parse().expect("an id"),
            item: None,
            parent: None,
            via: None,
            requester: None,
            fields: [("summary".to_owned(), json!(summary))]
                .into_iter()
                .collect(),
            link: None,
            reference: None,
        };
        self.ask(None, person(who, &[]), Action::Create(create))
            .await
    }

    /// What time it is, and what is sent then.
    async fn at(&self, now: &str) -> Instant {
        self.clock.set(at(now));
        self.engine().send_digests().await.expect("the store works")
    }

    /// What was told since this was asked last, each by binding, name, and what of it is of interest.
    fn told(&self) -> Vec<String> {
        let told = std::mem::take(&mut *self.outside.told.lock().expect("sound"));
        let line = |(binding, id, data): &(String, String, Value)| {
            let data = &data["data"];
            match data["items"].as_array() {
                None => format!("{binding} at once to {}", data["recipients"]),
                Some(items) => {
                    let texts = items
                        .iter()
                        .map(|item| item["text"].as_str().unwrap_or("-"));
                    let texts: Vec<_> = texts.collect();
                    format!("{id}: {} to {}", texts.join(" | "), data["recipients"])
                }
            }
        };
        told.iter().map(line).collect()
    }
}

fn daily() -> Value {
    json!({ "channels": { "mail": "digest", "chat": "never" }, "digest": { "every": "day", "at": "08:00" } })
}

#[tokio::test]
async fn one_message_gathers_what_came_since_the_last() {
    let desk = Desk::new("2026-03-28T10:00:00Z");
    desk.prefer("ada", daily()).await;
    desk.prefer("dirk", json!({ "default": "digest" })).await;
    desk.report("ada", "The printer jams").await;
    desk.report("ada", "No network").await;
    // Nobody prefers anything for carla, and chat takes no digests.
    desk.report("carla", "No sound").await;
    desk.report("dirk", "No light").await;
    assert_eq!(
        desk.told(),
        [
            r#"chat at once to ["carla"]"#,
            r#"mail at once to ["carla"]"#,
            r#"chat at once to ["dirk"]"#,
        ]
    );
    assert_eq!(
        desk.at("2026-03-29T05:59:59Z").await,
        at("2026-03-29T06:00:00Z")
    );
    assert_eq!(desk.told(), [""; 0]);
    // Told between the time and the worker's coming, this waits for the next.
    desk.clock.set(at("2026-03-29T06:00:00Z"));
    desk.report("ada", "No water").await;
    desk.at("2026-03-29T06:00:01Z").await;
    let mut told = desk.told();
    told.sort_unstable();
    assert_eq!(
        told,
        [
            r#"digest:ada:2026-03-29T06:00:00Z:mail: We look at: The printer jams | We look at: No network to ["ada"]"#,
            r#"digest:dirk:2026-03-29T06:00:00Z:mail: We look at: No light to ["dirk"]"#,
        ]
    );
    for _ in 0..3 {
        desk.at("2026-03-29T20:00:00Z").await;
    }
    assert_eq!(desk.told(), [""; 0]);
    desk.at("2026-03-30T06:00:00Z").await;
    assert_eq!(
        desk.told(),
        [r#"digest:ada:2026-03-30T06:00:00Z:mail: We look at: No water to ["ada"]"#]
    );
    // Where nothing came, nothing is sent.
    desk.at("2026-03-31T06:00:00Z").await;
    assert_eq!(desk.told(), [""; 0]);
}

#[tokio::test]
async fn a_message_tells_of_nothing_that_its_reader_may_no_longer_see() {
    let desk = Desk::new("2026-03-28T10:00:00Z");
    desk.prefer("ada", daily()).await;
    let secret = desk.report("ada", "A secret").await;
    desk.report("ada", "No network").await;
    let fields = [("requester".to_owned(), json!("carla"))]
        .into_iter()
        .collect();
    let agent = person("emma", &["agent"]);
    desk.ask(Some(&secret), agent.clone(), Action::Update { fields })
        .await;
    desk.at("2026-03-29T06:00:00Z").await;
    assert_eq!(
        desk.told(),
        [r#"digest:ada:2026-03-29T06:00:00Z:mail: We look at: No network to ["ada"]"#]
    );
    // Where nothing is left of it, nothing is sent, now or later.
    let secret = desk.report("ada", "Another secret").await;
    let fields = [("requester".to_owned(), json!("carla"))]
        .into_iter()
        .collect();
    desk.ask(Some(&secret), agent, Action::Update { fields })
        .await;
    for day in 29..=31 {
        desk.at(&format!("2026-03-{day}T06:00:00Z")).await;
    }
    assert_eq!(desk.told(), [""; 0]);
}

#[tokio::test]
async fn a_message_is_tried_until_it_arrives_under_one_name_and_times_gone_by_are_one() {
    let mut desk = Desk::new("2026-03-28T10:00:00Z");
    desk.prefer("ada", daily()).await;
    desk.report("ada", "The printer jams").await;
    *desk.outside.failures.lock().expect("sound") = 3;
    let message =
        r#"digest:ada:2026-03-29T06:00:00Z:mail: We look at: The printer jams to ["ada"]"#;
    assert_eq!(
        desk.at("2026-03-29T06:00:00Z").await,
        at("2026-03-29T06:00:01Z")
    );
    assert_eq!(desk.told(), [message]);
    // The server dies after each attempt, and goes on where it was.
    desk.restart();
    assert_eq!(
        desk.at("2026-03-29T06:00:00.500Z").await,
        at("2026-03-29T06:00:01Z")
    );
    assert_eq!(desk.told(), [""; 0]);
    assert_eq!(
        desk.at("2026-03-29T06:00:01Z").await,
        at("2026-03-29T06:00:03Z")
    );
    desk.restart();
    desk.at("2026-03-29T06:00:03Z").await;
    desk.restart();
    desk.at("2026-03-29T06:00:07Z").await;
    assert_eq!(desk.told(), [message; 3]);
    desk.restart();
    desk.at("2026-03-29T06:00:08Z").await;
    assert_eq!(desk.told(), [""; 0]);
    // Down over three of its times: one message, for the last of them.
    desk.report("ada", "No network").await;
    desk.restart();
    desk.at("2026-04-01T12:00:00Z").await;
    assert_eq!(
        desk.told(),
        [r#"digest:ada:2026-04-01T06:00:00Z:mail: We look at: No network to ["ada"]"#]
    );
    // A clock that jumps back sends nothing again.
    desk.at("2026-03-30T12:00:00Z").await;
    desk.at("2026-04-01T12:00:01Z").await;
    assert_eq!(desk.told(), [""; 0]);
}

#[tokio::test]
async fn a_message_that_never_arrives_is_given_up_and_kept_for_who_asks() {
    let desk = Desk::new("2026-03-28T10:00:00Z");
    desk.prefer("ada", daily()).await;
    desk.report("ada", "The printer jams").await;
    *desk.outside.failures.lock().expect("sound") = 100;
    let mut next = desk.at("2026-03-29T06:00:00Z").await;
    // Looked after every minute at least, for more than six hours.
    for _ in 0..400 {
        desk.clock.set(next);
        next = desk.engine().send_digests().await.expect("the store works");
    }
    assert_eq!(desk.told().len(), 15);
    let (_, store) = desk.running.as_ref().expect("it runs");
    let state = store
        .digest(&"ada".parse().expect("a person"))
        .expect("it reads");
    assert_eq!(state.open[0].dead.as_deref(), Some("not now"));

    // An administrator sees it, and has it tried again once the binding works.
    let (engine, admin) = (desk.engine(), person("root", &["administrator"]));
    let given_up = || {
        let (given_up, next) = engine.digests_given_up(&admin, None, 50).expect("it reads");
        assert_eq!(next, None);
        let each = given_up.into_iter();
        let each = each.map(|it| {
            format!(
                "{} by {}: {} ({})",
                it.person, it.binding, it.error, it.attempts
            )
        });
        each.collect::<Vec<_>>()
    };
    assert_eq!(given_up(), ["ada by mail: not now (15)"]);
    let ada = "ada".parse().expect("a person");
    let agent = person("emma", &["agent"]);
    assert!(engine.digests_given_up(&agent, None, 50).is_err());
    assert!(engine.redrive_digests(&agent, &ada).await.is_err());
    *desk.outside.failures.lock().expect("sound") = 0;
    let again = engine
        .redrive_digests(&admin, &ada)
        .await
        .expect("it is tried again");
    assert_eq!(again.len(), 1);
    engine.send_digests().await.expect("the store works");
    assert_eq!(
        desk.told(),
        [r#"digest:ada:2026-03-29T06:00:00Z:mail: We look at: The printer jams to ["ada"]"#]
    );
    assert!(given_up().is_empty());
    let none = engine
        .redrive_digests(&admin, &ada)
        .await
        .expect_err("there is none");
    assert_eq!(
        none.to_string(),
        "there is no digest that was given up, of `ada`"
    );
}
