//! The component through the port, as the server calls it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use engine::port::{BindingSetup, LookupError, Member, Plugins as _, Staged, Surroundings};
use futures::future::BoxFuture;
use model::hook::{Ask, Call, Question, RecordView};
use model::id::{BindingId, DirectoryKind, FieldId};
use model::{Digest, Value};
use serde_json::{Map, Value as Json, json};
use servicewright_plugin_host::{CallLimits, Options, WasmPlugins};

use crate::question::{TEAM, members, record};

/// The component through the port.
pub(crate) struct Port {
    host: WasmPlugins,
    question: Question,
    desk: Arc<Desk>,
}

impl Port {
    pub(crate) async fn new(component: &[u8], settings: &Json) -> Self {
        // Time enough for an interpreter on a machine that has much else to do.
        let pure = CallLimits {
            cpu: Duration::from_secs(1),
            wall: Duration::from_secs(10),
            ..CallLimits::PURE
        };
        let options = Options {
            pure,
            ..Options::default()
        };
        let host = WasmPlugins::new(options).expect("a host");
        let plugin = json!({
            "component": { "file": "a.wasm" },
            "hooks": { "routing": true },
            "settings": settings,
            "grants": { "directory": { "team": true, "service": true, "user": true } },
        });
        let id = BindingId::new("router").expect("an id");
        let setup = BindingSetup {
            id: id.clone(),
            plugin: Arc::new(serde_json::from_value(plugin).expect("a plugin")),
            digest: Digest::of(component),
            component: component.into(),
            staged: Staged::default(),
        };
        host.set_up(vec![setup]).await.expect("it is set up");
        let question = Question {
            binding: id,
            subject: record(),
            ask: Ask::Route,
        };
        Self {
            host,
            question,
            desk: Arc::new(Desk),
        }
    }

    pub(crate) async fn call(&self) -> Duration {
        let call = Call {
            id: "call-1".to_owned(),
            attempt: 1,
            now: self.question.subject.opened_at,
            seed: 7,
            actor: "ann".to_owned(),
        };
        let begun = Instant::now();
        let reply = self.host.ask(call, &self.question, self.desk.clone()).await;
        let time = begun.elapsed();
        reply.answer.expect("an answer");
        time
    }
}

/// A desk with one team.
struct Desk;

impl Surroundings for Desk {
    fn thing(&self, _: &DirectoryKind, _: &str) -> Result<Option<Map<String, Json>>, LookupError> {
        Ok(None)
    }

    fn teams(&self) -> Result<Vec<String>, LookupError> {
        Ok(vec![TEAM.to_owned()])
    }

    fn members(&self, _: &str, _: model::Instant) -> Result<Vec<Member>, LookupError> {
        Ok(members().collect())
    }

    fn linked(&self, _: &str, _: &str) -> Result<Vec<RecordView>, LookupError> {
        Ok(Vec::new())
    }

    fn alike(
        &self,
        _: &str,
        _: &[(FieldId, Value)],
        _: model::Instant,
    ) -> Result<Vec<RecordView>, LookupError> {
        Ok(Vec::new())
    }

    fn referenced(&self, _: &BindingId, _: &str) -> Result<Option<RecordView>, LookupError> {
        Ok(None)
    }

    fn business_add(
        &self,
        _: &str,
        start: model::Instant,
        span: model::Duration,
    ) -> Result<model::Instant, LookupError> {
        Ok(start.saturating_add(span))
    }

    fn business_between(
        &self,
        _: &str,
        start: model::Instant,
        end: model::Instant,
    ) -> Result<model::Duration, LookupError> {
        Ok(end.since(start))
    }

    fn key_value(&self, _: &BindingId, _: &str) -> Result<Option<Vec<u8>>, LookupError> {
        Ok(None)
    }

    fn compare_and_set(
        &self,
        _: &BindingId,
        _: &str,
        _: Option<Vec<u8>>,
        _: Option<Vec<u8>>,
    ) -> BoxFuture<'_, Result<bool, LookupError>> {
        Box::pin(std::future::ready(Ok(false)))
    }

    fn keys(&self, _: &BindingId, _: &str, _: Option<&str>) -> Result<Vec<String>, LookupError> {
        Ok(Vec::new())
    }
}
