//! A binding as it is deployed: the version in force, perhaps another one that is being tried beside
//! it, and whether it is asked at all.

use std::sync::{Arc, OnceLock};

use engine::port::{BindingSetup, Incident, Staged, Surroundings};
use model::hook::{Answer, Call, Failure, FailureKind, Hook, Question};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tracing::Instrument as _;

use crate::active::Bound;
use crate::call::{Input, Output};
use crate::caller::{Caller, Performed};
use crate::failure::failure;
use crate::trial::Trial;

/// How many calls of versions that are tried run at once beside those that count.
const TRIED_AT_ONCE: usize = 4;
/// How many incidents wait to be made durable.
const INCIDENTS: usize = 256;

/// A binding as it is deployed.
pub(crate) struct Deployed {
    pub(crate) bound: Arc<Bound>,
    pub(crate) trial: Option<Arc<Trial>>,
    /// Why it is not asked, where it is not.
    quarantine: OnceLock<String>,
    /// Why it was not to be asked from the first.
    settled: Option<String>,
}

impl Deployed {
    pub(crate) fn new(bound: Arc<Bound>, trial: Option<Arc<Trial>>, staged: &Staged) -> Self {
        let settled = staged.quarantine.clone();
        Self {
            bound,
            trial,
            quarantine: settled.clone().map_or_else(OnceLock::new, OnceLock::from),
            settled,
        }
    }

    /// Whether it is made of these, under this setup: then it goes on, with what it has learnt.
    pub(crate) fn is(
        &self,
        bound: &Arc<Bound>,
        trial: Option<&Arc<Trial>>,
        setup: &BindingSetup,
    ) -> bool {
        let same_trial = match (&self.trial, trial) {
            (Some(own), Some(trial)) => Arc::ptr_eq(own, trial),
            (own, trial) => own.is_none() && trial.is_none(),
        };
        Arc::ptr_eq(&self.bound, bound) && same_trial && self.settled == setup.staged.quarantine
    }

    /// Why it is not asked, where it is not.
    pub(crate) fn quarantine(&self) -> Option<&str> {
        self.quarantine.get().map(String::as_str)
    }
}

/// Makes calls to bindings as they are deployed.
pub(crate) struct Dispatcher {
    pub(crate) caller: Caller,
    room_for_trials: Arc<Semaphore>,
    incidents: mpsc::Sender<Incident>,
}

impl Dispatcher {
    /// A dispatcher, and where it tells of what it did by itself.
    pub(crate) fn new(caller: Caller) -> (Self, mpsc::Receiver<Incident>) {
        let (incidents, told) = mpsc::channel(INCIDENTS);
        let dispatcher = Self {
            caller,
            room_for_trials: Arc::new(Semaphore::new(TRIED_AT_ONCE)),
            incidents,
        };
        (dispatcher, told)
    }

    /// Makes one call.
    pub(crate) async fn perform(
        self: &Arc<Self>,
        deployed: &Deployed,
        hook: Hook,
        call: &Call,
        around: Arc<dyn Surroundings>,
        input: Input<'_>,
    ) -> Performed {
        if let Some(why) = deployed.quarantine() {
            let id = &deployed.bound.id;
            let message = format!("it is in quarantine until `wright plugin release {id}`: {why}");
            return Performed::nobody(FailureKind::Unavailable, message);
        }
        // Only the first attempt: where the version that is tried spoils it, the next one is safe.
        let trial = deployed.trial.as_ref();
        let trial =
            trial.filter(|trial| (hook.is_pure() || call.attempt == 1) && trial.takes(call));
        match (trial, input) {
            (None, input) => self.in_force(deployed, hook, call, around, input).await,
            (Some(trial), Input::Question(question)) => {
                self.beside(deployed, trial, call, around, question).await
            }
            (Some(trial), input) => self.first(deployed, trial, hook, call, around, input).await,
        }
    }

    /// Asks the version in force.
    async fn in_force(
        &self,
        deployed: &Deployed,
        hook: Hook,
        call: &Call,
        around: Arc<dyn Surroundings>,
        input: Input<'_>,
    ) -> Performed {
        let bound = &deployed.bound;
        let performed = self.caller.perform(bound, hook, call, around, input).await;
        if let Some(why) = &performed.hopeless
            && deployed.quarantine.set(why.clone()).is_ok()
        {
            let (binding, component) = (bound.id.clone(), bound.digest);
            tracing::error!(%binding, %component, why, "a plugin is in quarantine");
            let why = why.clone();
            self.tell(Incident::Quarantined {
                binding,
                component,
                why,
            });
        }
        performed
    }

    /// Asks the version in force, whose answer counts, and then, beside what follows from it, the one
    /// that is tried.
    async fn beside(
        self: &Arc<Self>,
        deployed: &Deployed,
        trial: &Arc<Trial>,
        call: &Call,
        around: Arc<dyn Surroundings>,
        question: &Question,
    ) -> Performed {
        let hook = question.ask.hook();
        let input = Input::Question(question);
        let performed = self
            .in_force(deployed, hook, call, Arc::clone(&around), input)
            .await;
        let Ok(place) = Arc::clone(&self.room_for_trials).try_acquire_owned() else {
            trial.skipped();
            return performed;
        };
        let asked = Asked {
            dispatcher: Arc::clone(self),
            trial: Arc::clone(trial),
            call: call.clone(),
            question: question.clone(),
            present: answer(&performed),
        };
        tokio::spawn(asked.again(around, place).in_current_span());
        performed
    }

    /// Hands a call of an integration to the version that is tried, and where that fails, to the one
    /// in force.
    async fn first(
        &self,
        deployed: &Deployed,
        trial: &Trial,
        hook: Hook,
        call: &Call,
        around: Arc<dyn Surroundings>,
        input: Input<'_>,
    ) -> Performed {
        let performed = self
            .caller
            .perform(&trial.bound, hook, call, Arc::clone(&around), input.clone())
            .await;
        let Some(failure) = performed.ended.failure() else {
            trial.answered();
            return performed;
        };
        let again = Call {
            attempt: call.attempt + 1,
            ..call.clone()
        };
        let second = self.in_force(deployed, hook, &again, around, input).await;
        // What both fail at is not the version's fault, unless it is one that no plugin should have.
        let is_own = second.ended.failure().is_none() || crate::breaker::counts(failure.kind);
        if failure.kind == FailureKind::Busy {
            trial.skipped();
        } else if is_own && let Some(why) = trial.failed(failure) {
            self.withdrawn(trial, why);
        }
        second
    }

    fn withdrawn(&self, trial: &Trial, why: String) {
        let (binding, component) = (trial.bound.id.clone(), trial.bound.digest);
        tracing::error!(%binding, %component, why, "a version is tried no more");
        self.tell(Incident::CanaryWithdrawn {
            binding,
            component,
            why,
        });
    }

    fn tell(&self, incident: Incident) {
        if self.incidents.try_send(incident).is_err() {
            tracing::error!("too much happens at once: something of it is forgotten at a restart");
        }
    }
}

/// A question that was answered, and is to be asked once more.
struct Asked {
    dispatcher: Arc<Dispatcher>,
    trial: Arc<Trial>,
    call: Call,
    question: Question,
    present: Result<Answer, Failure>,
}

impl Asked {
    async fn again(self, around: Arc<dyn Surroundings>, _place: OwnedSemaphorePermit) {
        let (dispatcher, trial, question) = (&self.dispatcher, &self.trial, &self.question);
        let hook = question.ask.hook();
        let performed = dispatcher
            .caller
            .perform(
                &trial.bound,
                hook,
                &self.call,
                around,
                Input::Question(question),
            )
            .await;
        let number = question.subject.id.as_ref().map(ToString::to_string);
        let record = number.unwrap_or_else(|| format!("a new {}", question.subject.workflow));
        let of = (hook, &self.call, record.as_str());
        if let Some(why) = trial.compare(of, &self.present, &answer(&performed)) {
            dispatcher.withdrawn(trial, why);
        }
    }
}

fn answer(performed: &Performed) -> Result<Answer, Failure> {
    match &performed.ended.result {
        Ok(Output::Answer(answer)) => Ok(answer.clone()),
        Ok(_) => Err(failure(
            FailureKind::Internal,
            "the answer is that of another hook",
        )),
        Err(failure) => Err(failure.clone()),
    }
}
