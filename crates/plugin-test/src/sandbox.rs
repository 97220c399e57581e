//! The sandbox: one built component in the real host, asked case by case.

use std::sync::Arc;
use std::time::Instant as Clock;

use engine::port::{
    BindingSetup, Delivery, HttpRequest, InspectError, Inspection, Plugins as _, Staged,
    Surroundings,
};
use indexmap::IndexMap;
use model::definition::{Component, Grants, KeyValueGrant, Plugin, SecretGrant};
use model::hook::{Ask, Hook, Question};
use model::id::{DirectoryKind, SecretId, WorkflowId};
use plugin_host::{Options, WasmPlugins};
use serde_json::{Value as Json, json};

use crate::case::{self, Case};
use crate::compare::{Difference, differences};
use crate::desk::Desk;
use crate::outside::Outside;
use crate::{Error, Suite, log, outcome};

/// A component, ready to be asked.
pub struct Sandbox {
    host: WasmPlugins,
    outside: Outside,
    component: Arc<[u8]>,
    inspection: Inspection,
    /// Where its compiled code lies, so that every case but the first finds it.
    _compiled: tempfile::TempDir,
}

/// What came of one case.
#[derive(Clone, Debug)]
pub struct Ran {
    /// The outcome, in the contract's words.
    pub outcome: Json,
    /// How long the call took, in microseconds.
    pub micros: u64,
    /// Where it is not what was expected; none where nothing is.
    pub differences: Vec<Difference>,
    /// Whether anything was expected at all.
    pub expected: bool,
}

impl Sandbox {
    /// A sandbox for a component.
    ///
    /// # Errors
    /// Where it is none, or the sandbox does not start.
    pub fn new(component: Vec<u8>) -> Result<Self, Error> {
        let compiled = tempfile::tempdir().map_err(Error::Temporary)?;
        let outside = Outside::default();
        let host = WasmPlugins::new(Options {
            cache: Some(compiled.path().to_owned()),
            secrets: outside.secrets(),
            exchange: Some(outside.exchange()),
            ..Options::default()
        })?;
        let inspection = host.inspect(&component)?;
        Ok(Self {
            host,
            outside,
            component: component.into(),
            inspection,
            _compiled: compiled,
        })
    }

    /// What the component is.
    pub const fn inspection(&self) -> &Inspection {
        &self.inspection
    }

    /// Asks a case of a suite, and holds what came of it to what is expected.
    pub async fn run(&self, suite: &Suite, name: &str, case: &Case) -> Ran {
        let (outcome, micros) = self.ask(case).await;
        let expected = suite.expected(name, case);
        Ran {
            micros,
            differences: expected
                .as_ref()
                .map(|expected| differences(expected, &outcome))
                .unwrap_or_default(),
            expected: expected.is_some(),
            outcome,
        }
    }

    /// Asks one case: its outcome, and how long the call took in microseconds.
    pub async fn ask(&self, case: &Case) -> (Json, u64) {
        self.outside.becomes(case);
        let desk = match Desk::new(&case.desk, case.call.to_call().now) {
            Ok(desk) => Arc::new(desk),
            Err(message) => return (json!({ "refused": { "message": message } }), 0),
        };
        let Some(hook) = self.hook(case) else {
            let message =
                "the component has several hooks: the case has to say which `hook` it asks";
            return (json!({ "refused": { "message": message } }), 0);
        };
        if let Err(error) = self.set_up(case, hook).await {
            return (json!({ "refused": { "message": error.to_string() } }), 0);
        }
        let begun = Clock::now();
        let (mut outcome, lines) = log::gathered(self.call(case, hook, desk)).await;
        let micros = u64::try_from(begun.elapsed().as_micros()).unwrap_or(u64::MAX);
        if !lines.is_empty() {
            outcome["log"] = json!(lines);
        }
        let (sent, missing) = self.outside.told();
        if !sent.is_empty() {
            outcome["requests"] = json!(sent);
        }
        if !missing.is_empty() {
            outcome["requests-missing"] = json!(missing);
        }
        (outcome, micros)
    }

    fn hook(&self, case: &Case) -> Option<Hook> {
        let only = match self.inspection.hooks.as_slice() {
            [hook] => Some(*hook),
            _ => None,
        };
        case.hook.or(only)
    }

    /// Binds the component as a pack would that grants all it asks for.
    async fn set_up(&self, case: &Case, hook: Hook) -> Result<(), InspectError> {
        let setup = BindingSetup {
            id: case::binding(),
            plugin: Arc::new(Plugin {
                title: None,
                component: Component::Digest(self.inspection.digest),
                hooks: IndexMap::from([(hook, true)]),
                events: IndexMap::new(),
                schedule: None,
                settings: case.settings.clone(),
                grants: self.grants(case),
                limits: case.limits,
            }),
            digest: self.inspection.digest,
            component: Arc::clone(&self.component),
            staged: Staged::default(),
        };
        let set_up = self.host.set_up(vec![setup]).await;
        set_up.map_err(|(_, error)| error)
    }

    /// All that the manifest asks for; the outside as far as the case has it.
    fn grants(&self, case: &Case) -> Grants {
        let asked = self.inspection.manifest.as_ref();
        let asked = asked.map_or(&Json::Null, |manifest| &manifest["capabilities"]);
        let mut http: IndexMap<String, bool> = case
            .http
            .iter()
            .filter_map(|exchange| origin(&exchange.request.url))
            .map(|origin| (origin, true))
            .collect();
        let mut secrets: IndexMap<SecretId, SecretGrant> = case
            .secrets
            .keys()
            .filter_map(|id| SecretId::new(id).ok())
            .map(|id| (id, secret(&http)))
            .collect();
        // Where the case has nothing to reach or to sign with, it is bound all the same.
        if asked["http"] == true && http.is_empty() {
            http.insert("https://nowhere.invalid".to_owned(), true);
        }
        if asked["signing"] == true && secrets.is_empty() {
            secrets.extend(SecretId::new("unused").map(|id| (id, secret(&http))));
        }
        let directory = asked["directory"].as_object().into_iter().flatten();
        let directory = directory
            .filter_map(|(kind, wanted)| Some((DirectoryKind::new(kind).ok()?, wanted == true)));
        let create = IndexMap::from([("create".to_owned(), true)]);
        let commands = WorkflowId::new("incident").map(|workflow| (workflow, create));
        Grants {
            directory: directory.collect(),
            commands: commands.into_iter().collect(),
            act_as: true,
            vote_links: false,
            key_value: KeyValueGrant::Usual(true),
            http,
            secrets,
        }
    }

    async fn call(&self, case: &Case, hook: Hook, desk: Arc<dyn Surroundings>) -> Json {
        let (binding, call) = (case::binding(), case.call.to_call());
        let subject = case.record.to_view(call.now);
        let result = match hook {
            Hook::Approval | Hook::Routing | Hook::ServiceLevel => {
                let question = Question {
                    binding,
                    subject,
                    ask: ask(case, hook),
                };
                let reply = self.host.ask(call, &question, desk).await;
                reply.answer.map(|answer| outcome::answer(&answer))
            }
            Hook::Delivery => {
                let event = &case.event;
                let delivery = Delivery {
                    id: event.id.clone().unwrap_or_else(|| "event-1".to_owned()),
                    kind: event
                        .kind
                        .clone()
                        .unwrap_or_else(|| "servicewright.record.created".to_owned()),
                    subject,
                    references: event.references.clone(),
                    data: event.data.to_string(),
                    hidden: Vec::new(),
                };
                let reply = self.host.deliver(&binding, call, delivery, desk).await;
                reply.map(|reply| outcome::commands(&reply.commands))
            }
            Hook::Webhook => {
                let reply = self.host.receive(&binding, call, request(case), desk).await;
                reply.map(|reply| outcome::reply(&reply))
            }
            Hook::Schedule => {
                let reply = self.host.run_schedule(&binding, call, desk).await;
                reply.map(|reply| outcome::commands(&reply.commands))
            }
        };
        result.unwrap_or_else(|failure| outcome::failure(&failure))
    }
}

fn secret(hosts: &IndexMap<String, bool>) -> SecretGrant {
    SecretGrant {
        hosts: hosts.clone(),
        sign: true,
        ..SecretGrant::default()
    }
}

fn ask(case: &Case, hook: Hook) -> Ask {
    match hook {
        Hook::Approval => Ask::Approve {
            transition: case.approval.transition.clone(),
            input: case::values(&case.approval.input),
            votes: case.approval.votes.clone(),
        },
        Hook::ServiceLevel => Ask::Targets {
            service_level: case.service_level.id.clone(),
            targets: case.service_level.targets.clone(),
            calendar: case.service_level.calendar.clone(),
        },
        _ => Ask::Route,
    }
}

fn request(case: &Case) -> HttpRequest {
    let request = &case.request;
    HttpRequest {
        method: request.method.clone().unwrap_or_else(|| "POST".to_owned()),
        path: request.path.clone(),
        headers: request
            .headers
            .iter()
            .map(|(name, value)| (name.to_lowercase(), value.clone()))
            .collect(),
        body: request.body.bytes(),
    }
}

/// `https://chat.example:8443/a?b` has the origin `https://chat.example:8443`.
fn origin(url: &str) -> Option<String> {
    let uri: http::Uri = url.parse().ok()?;
    Some(format!("{}://{}", uri.scheme_str()?, uri.authority()?))
}
