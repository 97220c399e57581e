//! A desk in memory, bindings, what is asked of them, and where components are found.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use engine::port::{
    BindingSetup, Delivery, HttpRequest, LookupError, Member, Plugins as _, Staged, Surroundings,
};
use futures::future::BoxFuture;
use model::definition::Category;
use model::hook::{Answer, Ask, Call, Failure, Hook, Question, RecordView, Reply};
use model::id::{
    BindingId, CalendarId, DirectoryKind, FieldId, ServiceLevelId, TargetId, WorkflowId,
};
use model::{Digest, Duration, Instant, Value};
use serde_json::{Map, Value as Json, json};
use servicewright_plugin_host::{Options, SecretValue, WasmPlugins};

/// The value of the secret `token`, which must never be seen.
pub(crate) const SECRET: &str = "hunter2";

/// The component of a plugin, with its manifest, or none where it has not been built.
pub(crate) fn component(name: &str) -> Option<Arc<[u8]>> {
    let target = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("..");
    let folders = std::env::var_os("WRIGHT_PLUGINS")
        .map(PathBuf::from)
        .into_iter()
        .chain([target.join("plugins"), target.join("plugin-cases")]);
    for folder in folders {
        for file in [
            format!("{name}.wasm"),
            format!("{}.wasm", name.replace('-', "_")),
        ] {
            if let Ok(bytes) = std::fs::read(folder.join(file)) {
                return Some(bytes.into());
            }
        }
    }
    eprintln!("skipped: the plugin `{name}` is not built; `cargo xtask build --plugins` does it");
    None
}

/// The component as its compiler made it: it asks for nothing, and gets whatever it is granted.
pub(crate) fn without_manifest(component: &[u8]) -> Arc<[u8]> {
    use wasmparser::{Parser, Payload};
    let mut depth = 0_usize;
    for payload in Parser::new(0).parse_all(component) {
        match payload.unwrap() {
            Payload::ModuleSection { .. } | Payload::ComponentSection { .. } => depth += 1,
            Payload::End(_) => depth = depth.saturating_sub(1),
            // It is the last section; its name and the lengths before it go with it.
            Payload::CustomSection(section)
                if depth == 0 && section.name() == "servicewright:manifest" =>
            {
                let length = component.len() - section.range().start;
                let head = 1 + leb128_bytes(length);
                return component[..section.range().start - head].into();
            }
            _ => {}
        }
    }
    panic!("the component has no manifest")
}

/// How many bytes a length takes up.
fn leb128_bytes(length: usize) -> usize {
    (usize::BITS - length.leading_zeros()).div_ceil(7) as usize
}

/// A binding of a component, used for these hooks.
pub(crate) fn binding(id: &str, component: &Arc<[u8]>, hooks: &[&str], more: Json) -> BindingSetup {
    let mut definition = json!({
        "component": { "file": "a.wasm" },
        "hooks": hooks.iter().map(|hook| ((*hook).to_owned(), json!(true))).collect::<Map<_, _>>(),
    });
    let entries = definition.as_object_mut().unwrap();
    let Json::Object(more) = more else {
        panic!("a binding's entries are an object")
    };
    entries.extend(more);
    BindingSetup {
        id: BindingId::new(id).unwrap(),
        plugin: Arc::new(serde_json::from_value(definition).unwrap()),
        digest: Digest::of(component),
        component: Arc::clone(component),
        staged: Staged::default(),
    }
}

/// Everything that the hostile plugin's manifest asks for.
pub(crate) fn all_grants() -> Json {
    json!({
        "directory": { "team": true },
        "http": { "https://desk.example": true },
        "key-value": true,
        "secrets": { "key": { "sign": true } },
        "commands": { "incident": { "create": true } },
    })
}

/// A binding of the hostile plugin that does this, at both of its hooks.
pub(crate) fn hostile(component: &Arc<[u8]>, what: &str) -> BindingSetup {
    let settings = json!({ "do": what, "url": "https://desk.example/" });
    let more = json!({ "settings": settings, "grants": all_grants() });
    binding(what, component, &["routing", "schedule"], more)
}

/// A host with options for tests and these bindings.
pub(crate) async fn host(bindings: Vec<BindingSetup>) -> WasmPlugins {
    host_with(Options::default(), bindings).await
}

pub(crate) async fn host_with(options: Options, bindings: Vec<BindingSetup>) -> WasmPlugins {
    let secrets: BTreeMap<&str, &str> = BTreeMap::from([("key", "Jefe"), ("token", SECRET)]);
    let compiled = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("compiled");
    let host = WasmPlugins::new(Options {
        // What one test has compiled need not be compiled by the next.
        cache: Some(options.cache.clone().unwrap_or(compiled)),
        secrets: Arc::new(move |_, id| {
            let value = secrets.get(id.as_str())?;
            Some(SecretValue::new(value.as_bytes()))
        }),
        ..options
    })
    .unwrap();
    host.set_up(bindings).await.unwrap();
    host
}

pub(crate) fn call() -> Call {
    Call {
        id: "call-1".to_owned(),
        attempt: 1,
        now: Instant::from_millis(1_700_000_000_000),
        seed: 7,
        actor: "ann".to_owned(),
    }
}

pub(crate) fn record() -> RecordView {
    let now = call().now;
    RecordView {
        id: None,
        workflow: WorkflowId::new("incident").unwrap(),
        state: "new".to_owned(),
        category: Category::Open,
        version: 0,
        requester: None,
        assignee: None,
        team: None,
        opened_at: now,
        updated_at: now,
        state_since: now,
        fields: BTreeMap::from([(FieldId::new("impact").unwrap(), Value::from("high"))]),
    }
}

pub(crate) fn question(binding: &str, ask: Ask) -> Question {
    Question {
        binding: BindingId::new(binding).unwrap(),
        subject: record(),
        ask,
    }
}

/// Asks a binding who gets the work.
pub(crate) async fn route(host: &WasmPlugins, binding: &str) -> Reply {
    host.ask(call(), &question(binding, Ask::Route), Desk::shared())
        .await
}

/// Why a binding does not say who gets the work.
pub(crate) async fn failure(host: &WasmPlugins, binding: &str) -> Failure {
    route(host, binding).await.answer.expect_err("it fails")
}

/// The reason a binding gives for who gets the work.
pub(crate) async fn reason(host: &WasmPlugins, binding: &str) -> String {
    match route(host, binding).await.answer {
        Ok(Answer::Assignment { reason, .. }) => reason,
        other => panic!("{binding} answered {other:?}"),
    }
}

/// Runs a binding's schedule: the summary of the incident that it creates, or why it does not.
pub(crate) async fn run(host: &WasmPlugins, binding: &str) -> Result<String, Failure> {
    let id = BindingId::new(binding).unwrap();
    let reply = host.run_schedule(&id, call(), Desk::shared()).await?;
    Ok(format!("{:?}", reply.commands))
}

/// Asks a binding at any hook. What it answers is told as text.
pub(crate) async fn ask(
    host: &WasmPlugins,
    hook: Hook,
    binding: &str,
    desk: &Arc<Desk>,
) -> Result<String, Failure> {
    let id = BindingId::new(binding).unwrap();
    let around = Arc::clone(desk) as Arc<dyn Surroundings>;
    let pure = |ask| async {
        let reply = host
            .ask(call(), &question(binding, ask), around.clone())
            .await;
        reply.answer.map(|answer| format!("{answer:?}"))
    };
    match hook {
        Hook::Routing => pure(Ask::Route).await,
        Hook::Approval => {
            let ask = Ask::Approve {
                transition: "submit".to_owned(),
                input: [].into(),
                votes: Vec::new(),
            };
            pure(ask).await
        }
        Hook::ServiceLevel => {
            let ask = Ask::Targets {
                service_level: ServiceLevelId::new("standard").unwrap(),
                targets: vec![TargetId::new("resolution").unwrap()],
                calendar: CalendarId::new("office").unwrap(),
            };
            pure(ask).await
        }
        Hook::Delivery => {
            let delivery = Delivery {
                id: "event-1".to_owned(),
                kind: "com.example.created".to_owned(),
                subject: record(),
                references: Vec::new(),
                data: "{}".to_owned(),
                hidden: Vec::new(),
            };
            let reply = host.deliver(&id, call(), delivery, around).await?;
            Ok(format!("{:?}", reply.commands))
        }
        Hook::Webhook => {
            let request = HttpRequest {
                method: "POST".to_owned(),
                path: "/".to_owned(),
                headers: Vec::new(),
                body: b"{}".to_vec(),
            };
            let reply = host.receive(&id, call(), request, around).await?;
            Ok(format!("{reply:?}"))
        }
        Hook::Schedule => {
            let reply = host.run_schedule(&id, call(), around).await?;
            Ok(format!("{:?}", reply.commands))
        }
    }
}

/// A desk with one team, in memory.
#[derive(Default)]
pub(crate) struct Desk {
    things: BTreeMap<(String, String), Json>,
    values: Mutex<BTreeMap<String, Vec<u8>>>,
    /// How long reckoning in a calendar takes.
    pause: std::time::Duration,
}

impl Desk {
    /// One whose calendars take a while.
    pub(crate) fn slow() -> Arc<Self> {
        Arc::new(Self {
            pause: std::time::Duration::from_millis(2),
            ..Self::default()
        })
    }

    /// A value of its key-value space.
    pub(crate) fn value(&self, key: &str) -> Option<Vec<u8>> {
        self.values.lock().unwrap().get(key).cloned()
    }

    pub(crate) fn shared() -> Arc<Self> {
        let user = json!({ "name": "Ann", "manager": "bo", "vip": true });
        let organisation = json!({ "name": "Mill", "contract": "gold" });
        let things = [
            ("user", "ann", user),
            ("user", "bo", json!({ "name": "Bo" })),
            ("organisation", "mill", organisation),
        ]
        .map(|(kind, id, thing)| ((kind.to_owned(), id.to_owned()), thing));
        Arc::new(Self {
            things: things.into(),
            ..Self::default()
        })
    }
}

impl Surroundings for Desk {
    fn thing(
        &self,
        kind: &DirectoryKind,
        id: &str,
    ) -> Result<Option<Map<String, Json>>, LookupError> {
        let thing = self.things.get(&(kind.to_string(), id.to_owned()));
        Ok(thing.and_then(Json::as_object).cloned())
    }

    fn teams(&self) -> Result<Vec<String>, LookupError> {
        Ok(vec!["desk".to_owned(), "service-desk".to_owned()])
    }

    fn members(&self, team: &str, _: Instant) -> Result<Vec<Member>, LookupError> {
        let member = |user: &str, open_records| Member {
            user: user.to_owned(),
            skills: vec!["network".to_owned()],
            on_shift: true,
            open_records,
            last_assigned_at: None,
            facts: serde_json::Map::new(),
        };
        match team {
            "desk" | "service-desk" => Ok(vec![member("ann", 3), member("bo", 1)]),
            _ => Err(LookupError::Invalid(format!("there is no team `{team}`"))),
        }
    }

    fn linked(&self, _: &str, _: &str) -> Result<Vec<RecordView>, LookupError> {
        Ok(Vec::new())
    }

    fn alike(
        &self,
        _: &str,
        _: &[(FieldId, Value)],
        _: Instant,
    ) -> Result<Vec<RecordView>, LookupError> {
        Ok(Vec::new())
    }

    fn referenced(
        &self,
        _: &BindingId,
        reference: &str,
    ) -> Result<Option<RecordView>, LookupError> {
        Ok((reference == "known").then(record))
    }

    fn business_add(
        &self,
        _: &str,
        start: Instant,
        span: Duration,
    ) -> Result<Instant, LookupError> {
        std::thread::sleep(self.pause);
        Ok(start.saturating_add(span))
    }

    fn business_between(&self, _: &str, a: Instant, b: Instant) -> Result<Duration, LookupError> {
        Ok(b.since(a))
    }

    fn key_value(&self, _: &BindingId, key: &str) -> Result<Option<Vec<u8>>, LookupError> {
        Ok(self.values.lock().unwrap().get(key).cloned())
    }

    fn compare_and_set(
        &self,
        _: &BindingId,
        key: &str,
        expected: Option<Vec<u8>>,
        value: Option<Vec<u8>>,
    ) -> BoxFuture<'_, Result<bool, LookupError>> {
        let key = key.to_owned();
        Box::pin(async move {
            let mut values = self.values.lock().unwrap();
            let as_expected = values.get(&key) == expected.as_ref();
            if as_expected {
                match value {
                    Some(value) => values.insert(key, value),
                    None => values.remove(&key),
                };
            }
            Ok(as_expected)
        })
    }

    fn keys(&self, _: &BindingId, _: &str, _: Option<&str>) -> Result<Vec<String>, LookupError> {
        Ok(self.values.lock().unwrap().keys().cloned().collect())
    }
}
