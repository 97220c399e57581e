//! A component is tried before it is put to use: it has to start within its limits, and one that
//! comes in the place of another has to stand a call with an empty record. What it answers does not
//! matter, and an error that it tells of is an answer: only a trap, or a limit that it broke, shows
//! that no call would go better.

use std::collections::BTreeMap;
use std::sync::Arc;

use engine::port::{InspectError, LookupError, Member, Surroundings};
use futures::future::BoxFuture;
use model::definition::Category;
use model::hook::{Ask, Call, Hook, Question, RecordView};
use model::id::{BindingId, CalendarId, DirectoryKind, FieldId, ServiceLevelId, WorkflowId};
use model::{Duration, Instant, Value};
use serde_json::{Map, Value as Json};

use crate::active::Bound;
use crate::breaker;
use crate::call::{self, Input};
use crate::caller::Caller;

/// What everything is called that a call with an empty record has to name.
const NAME: &str = "self-test";

/// Tries whether each hook starts within its limits.
pub(crate) async fn start(caller: &Caller, bound: &Arc<Bound>) -> Result<(), InspectError> {
    for (hook, _) in bound.hooks() {
        let Some(template) = bound.loaded.template(hook) else {
            continue;
        };
        let circumstances = caller.circumstances(bound, hook, Instant::EPOCH, 0, Arc::new(Nothing));
        call::try_out(caller.place(bound, hook), template, circumstances)
            .await
            .map_err(|failure| {
                InspectError::Compile(format!("it does not start: {}", failure.message))
            })?;
    }
    Ok(())
}

/// Calls each pure hook with an empty record. Integrations are not called: what they do is done.
pub(crate) async fn stand(caller: &Caller, bound: &Arc<Bound>) -> Result<(), InspectError> {
    for (hook, _) in bound.hooks() {
        let (Some(template), Some(ask)) = (bound.loaded.template(hook), ask(hook)) else {
            continue;
        };
        let question = Question {
            binding: bound.id.clone(),
            subject: empty(),
            ask,
        };
        let call = Call {
            id: NAME.to_owned(),
            attempt: 1,
            now: Instant::EPOCH,
            seed: 0,
            actor: "timer".to_owned(),
        };
        let circumstances =
            caller.circumstances(bound, hook, call.now, call.seed, Arc::new(Nothing));
        let place = caller.place(bound, hook);
        let ended = call::run(
            place,
            template,
            circumstances,
            &call,
            Input::Question(&question),
        )
        .await;
        if let Some(failure) = ended.failure().filter(|it| breaker::counts(it.kind)) {
            let (hook, message) = (hook.as_str(), &failure.message);
            return Err(InspectError::SelfTest(format!(
                "at the hook {hook}, {message}"
            )));
        }
    }
    Ok(())
}

fn ask(hook: Hook) -> Option<Ask> {
    Some(match hook {
        Hook::Routing => Ask::Route,
        Hook::Approval => Ask::Approve {
            transition: NAME.to_owned(),
            input: BTreeMap::new(),
            votes: Vec::new(),
        },
        Hook::ServiceLevel => Ask::Targets {
            service_level: ServiceLevelId::new(NAME).expect("a valid id"),
            targets: Vec::new(),
            calendar: CalendarId::new(NAME).expect("a valid id"),
        },
        Hook::Delivery | Hook::Webhook | Hook::Schedule => return None,
    })
}

fn empty() -> RecordView {
    RecordView {
        id: None,
        workflow: WorkflowId::new(NAME).expect("a valid id"),
        state: NAME.to_owned(),
        category: Category::Open,
        version: 0,
        requester: None,
        assignee: None,
        team: None,
        opened_at: Instant::EPOCH,
        updated_at: Instant::EPOCH,
        state_since: Instant::EPOCH,
        fields: BTreeMap::new(),
    }
}

/// Surroundings in which nothing can be looked up, for a component that is only tried out.
struct Nothing;

impl Surroundings for Nothing {
    fn thing(&self, _: &DirectoryKind, _: &str) -> Result<Option<Map<String, Json>>, LookupError> {
        Err(LookupError::Unavailable)
    }

    fn teams(&self) -> Result<Vec<String>, LookupError> {
        Err(LookupError::Unavailable)
    }

    fn members(&self, _: &str, _: Instant) -> Result<Vec<Member>, LookupError> {
        Err(LookupError::Unavailable)
    }

    fn linked(&self, _: &str, _: &str) -> Result<Vec<RecordView>, LookupError> {
        Err(LookupError::Unavailable)
    }

    fn alike(
        &self,
        _: &str,
        _: &[(FieldId, Value)],
        _: Instant,
    ) -> Result<Vec<RecordView>, LookupError> {
        Err(LookupError::Unavailable)
    }

    fn referenced(&self, _: &BindingId, _: &str) -> Result<Option<RecordView>, LookupError> {
        Err(LookupError::Unavailable)
    }

    fn business_add(&self, _: &str, _: Instant, _: Duration) -> Result<Instant, LookupError> {
        Err(LookupError::Unavailable)
    }

    fn business_between(&self, _: &str, _: Instant, _: Instant) -> Result<Duration, LookupError> {
        Err(LookupError::Unavailable)
    }

    fn key_value(&self, _: &BindingId, _: &str) -> Result<Option<Vec<u8>>, LookupError> {
        Err(LookupError::Unavailable)
    }

    fn compare_and_set(
        &self,
        _: &BindingId,
        _: &str,
        _: Option<Vec<u8>>,
        _: Option<Vec<u8>>,
    ) -> BoxFuture<'_, Result<bool, LookupError>> {
        Box::pin(std::future::ready(Err(LookupError::Unavailable)))
    }

    fn keys(&self, _: &BindingId, _: &str, _: Option<&str>) -> Result<Vec<String>, LookupError> {
        Err(LookupError::Unavailable)
    }
}
