//! One case of a log on its way through the engine: an event becomes a command, and what is due in
//! between is done at its own time.

use std::sync::Arc;

use engine::{Engine, EngineError, Rejection, Request};
use model::Instant;
use model::command::{Action, Actor, Create, Who};
use model::record::Record;
use serde_json::{Map, Value as Json};

use super::clock;
use super::log::Event;
use super::mapping::Mapping;

/// A case, and the record that it has become.
#[derive(Debug)]
pub(super) struct Case {
    /// Its name in the log.
    pub(super) name: String,
    /// Its record; none until an event has begun one.
    pub(super) record: Option<Arc<Record>>,
    /// The events it has in the log so far.
    pub(super) events: u64,
    /// Those that were applied.
    pub(super) applied: u64,
    /// Those that were refused.
    pub(super) refused: u64,
    /// The first refusal, for people.
    pub(super) first_refusal: Option<String>,
}

/// What is to be done with a case.
#[derive(Debug)]
pub(super) enum Step {
    /// Put the next event through.
    Event(Event),
    /// Do what is due by then.
    Wake(Instant),
}

/// The command that an event stands for.
enum Planned {
    Command(Box<Action>),
    /// The mapping knows no way.
    NoWay(String),
}

impl Case {
    pub(super) const fn new(name: String) -> Self {
        Self {
            name,
            record: None,
            events: 0,
            applied: 0,
            refused: 0,
            first_refusal: None,
        }
    }

    /// The next instant at which something is due of it.
    pub(super) fn next_due(&self) -> Option<Instant> {
        self.record.as_ref().and_then(|record| record.next_due())
    }

    /// Carries a step out. A refusal is counted; an error is a fault of the server.
    pub(super) async fn take(
        &mut self,
        engine: &Engine,
        mapping: &Mapping,
        step: Step,
    ) -> Result<(), EngineError> {
        match step {
            Step::Wake(until) => self.wake(engine, |due| due <= until).await,
            Step::Event(event) => {
                self.wake(engine, |due| due < event.time).await?;
                self.event(engine, mapping, event).await
            }
        }
    }

    async fn event(
        &mut self,
        engine: &Engine,
        mapping: &Mapping,
        event: Event,
    ) -> Result<(), EngineError> {
        self.events += 1;
        let action = match self.plan(mapping, &event) {
            Planned::NoWay(why) => {
                self.refuse(&event, &why);
                return Ok(());
            }
            Planned::Command(action) => *action,
        };
        let actor = Actor {
            who: Who::Person(event.actor.clone()),
            roles: mapping.actor.roles.clone(),
            teams: std::collections::BTreeSet::default(),
        };
        match clock::at(event.time, engine.execute(self.request(actor, action))).await {
            Ok(executed) => {
                self.applied += 1;
                self.record = Some(executed.record);
            }
            Err(EngineError::Rejected(rejection)) => self.refuse(&event, &told(&rejection)),
            Err(error) => return Err(error),
        }
        Ok(())
    }

    fn plan(&self, mapping: &Mapping, event: &Event) -> Planned {
        let Some(record) = &self.record else {
            let Some(via) = mapping.begin.name(&event.state) else {
                return Planned::NoWay(format!(
                    "the mapping has no way to begin in `{}`",
                    event.state
                ));
            };
            let said = event
                .fields(mapping, true)
                .filter(|(_, value)| !value.is_null());
            return Planned::Command(Box::new(Action::Create(Create {
                item: None,
                parent: None,
                workflow: mapping.workflow.clone(),
                via: Some(via),
                requester: None,
                fields: said
                    .map(|(id, value)| (id.to_owned(), value.clone()))
                    .collect(),
                link: None,
                reference: None,
            })));
        };
        let news = event
            .fields(mapping, false)
            .filter(|(id, value)| record.field(id).to_json() != **value);
        let news: Map<String, Json> = news
            .map(|(id, value)| (id.to_owned(), value.clone()))
            .collect();
        if record.state == event.state {
            // What changes nothing was done all the same, and the journal keeps it.
            return Planned::Command(Box::new(Action::Update { fields: news }));
        }
        match mapping.moves.name(&record.state, &event.state) {
            Some(name) => Planned::Command(Box::new(Action::Transition { name, input: news })),
            None => Planned::NoWay(format!(
                "the mapping has no move from `{}` to `{}`",
                record.state, event.state
            )),
        }
    }

    /// Does what is due, each thing at its own time, in order.
    async fn wake(
        &mut self,
        engine: &Engine,
        is_time: impl Fn(Instant) -> bool,
    ) -> Result<(), EngineError> {
        while let Some(due) = self.next_due().filter(|due| is_time(*due)) {
            let request = self.request(Actor::timer(), Action::Wake);
            let executed = clock::at(due, engine.execute(request)).await?;
            let stuck = executed.record.next_due() == Some(due) && executed.position == 0;
            self.record = Some(executed.record);
            if stuck {
                return Err(EngineError::Busy(format!(
                    "what is due of case {} at {due} stays due",
                    self.name
                )));
            }
        }
        Ok(())
    }

    fn request(&self, actor: Actor, action: Action) -> Request {
        let target = self.record.as_ref().map(|record| record.id.clone());
        Request {
            target,
            actor,
            action,
            idempotency: None,
            if_version: None,
            languages: Vec::new(),
        }
    }

    fn refuse(&mut self, event: &Event, why: &str) {
        self.refused += 1;
        if self.first_refusal.is_none() {
            self.first_refusal = Some(format!("row {} (case {}): {why}", event.row, self.name));
        }
    }
}

/// A refusal with what is wrong in the input.
fn told(rejection: &Rejection) -> String {
    let mut text = rejection.to_string();
    if let Rejection::Invalid { faults } = rejection {
        for fault in faults.iter().take(5) {
            text.extend(["; ", &fault.pointer, " ", &fault.message]);
        }
    }
    text
}
