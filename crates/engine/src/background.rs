//! The workers: what is due is done, effects are tried, schedules run, until the server stops.

use std::collections::{BTreeSet, HashMap};
use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration as StdDuration;

use definition::compile::{Definitions, Recipient};
use futures::StreamExt;
use futures::stream::FuturesUnordered;
use model::command::{Action, Actor, Create, EffectDone, IdempotencyKey};
use model::definition::{Category, Setting};
use model::event::{Event, EventKind};
use model::hook::{Call, Failure, FailureKind, Hook};
use model::id::{BindingId, RecordId, TransitionId};
use model::record::{EffectCall, EffectKey, PendingEffect, Record, TaskOf};
use model::{Digest, Duration, Instant};
use serde_json::{Map, Value as Json};
use tokio::sync::{Notify, Semaphore};
use tracing::Instrument;

use crate::ballot;
use crate::cloud_event;
use crate::decide::{addressing, view};
use crate::engine::Engine;
use crate::error::EngineError;
use crate::execute::Request;
use crate::port::{Delivery, DueRecord, StoreError};
use crate::surroundings::DeskSurroundings;
use crate::turn::Turn;

/// How many records are woken, and how many have effects tried, at the same time.
const AT_ONCE: usize = 64;
/// The longest that a worker sleeps: a clock that was set is noticed within it.
const LONGEST_SLEEP: StdDuration = StdDuration::from_secs(1);
/// The wait after the store failed.
const AFTER_FAULT: StdDuration = StdDuration::from_millis(500);

impl Engine {
    /// Runs the workers until `stop`; what they have begun by then is finished.
    pub async fn run(&self, stop: impl Future<Output = ()> + Send) {
        // The directory may have changed just before the last stop.
        let position = self.0.store.position();
        if let Err(error) = match position {
            Ok(position) => self.look_at_approvals(position).await,
            Err(error) => Err(error.into()),
        } {
            tracing::error!(
                error = &error as &dyn std::error::Error,
                "open approvals cannot be looked at"
            );
        }
        let (sender, receiver) = tokio::sync::watch::channel(false);
        let workers = async {
            tokio::join!(
                self.run_timers(receiver.clone()),
                self.run_effects(receiver.clone()),
                self.run_schedules(receiver.clone()),
                self.run_digests(receiver.clone())
            );
        };
        let stopping = async {
            stop.await;
            sender.send_replace(true);
            std::future::pending::<()>().await;
        };
        tokio::select! {
            () = workers => {}
            () = stopping => {}
            () = self.run_incidents() => {}
        }
    }

    async fn run_timers(&self, mut stop: Stop) {
        let mut resting = Resting::default();
        while !*stop.borrow() {
            match self.wake_due(&mut resting).await {
                Ok(0) => {
                    let next = self.0.store.due(Instant::from_millis(i64::MAX), 1);
                    let next = next
                        .ok()
                        .and_then(|due| due.first().map(|due| due.due))
                        .filter(|due| *due > self.now());
                    self.sleep_until(next, &self.0.timers_changed, &mut stop)
                        .await;
                }
                Ok(_) => {}
                Err(error) => {
                    tracing::error!(
                        error = &error as &dyn std::error::Error,
                        "timers cannot be fired"
                    );
                    tokio::time::sleep(AFTER_FAULT).await;
                }
            }
        }
    }

    /// Does all that is due of records by now, in due order, as the workers do; says how many records
    /// it woke. For whoever turns the clock by hand.
    ///
    /// # Errors
    /// Where the store fails.
    pub async fn do_what_is_due_by_now(&self) -> Result<usize, StoreError> {
        let mut resting = Resting::default();
        let mut woken = 0;
        loop {
            match self.wake_due(&mut resting).await? {
                0 => return Ok(woken),
                more => woken += more,
            }
        }
    }

    /// Does what is due by now, a batch at a time, so that the journal has it in due order; says how
    /// many records it woke. The records of a batch are woken side by side and committed in turn.
    async fn wake_due(&self, resting: &mut Resting) -> Result<usize, StoreError> {
        let due = self.0.store.due(self.now(), AT_ONCE + resting.0.len())?;
        let ready = due.into_iter().filter(|due| !resting.holds(due));
        let ready = self.side_by_side(ready.take(AT_ONCE))?;
        let row = Turn::row(ready.len());
        let mut waking: FuturesUnordered<_> = ready
            .into_iter()
            .zip(row)
            .map(|(due, turn)| async move { (self.wake(&due.record, turn).await, due) })
            .collect();
        let mut woken = 0;
        while let Some((result, due)) = waking.next().await {
            match result {
                Ok(()) => {
                    resting.0.remove(&due.record);
                    woken += 1;
                }
                Err(EngineError::Store(error)) => return Err(error),
                Err(error) => {
                    let rest = resting.begin(&due);
                    tracing::warn!(error = &error as &dyn std::error::Error, record = %due.record, ?rest, "what is due cannot be done, and rests");
                }
            }
        }
        Ok(woken)
    }

    /// The first of what is due, in due order, that can be done in one batch: nothing else of these
    /// records comes before the last of it. Timers that a batch sets are later than all of it.
    fn side_by_side(
        &self,
        due: impl Iterator<Item = DueRecord>,
    ) -> Result<Vec<DueRecord>, StoreError> {
        let mut batch: Vec<DueRecord> = Vec::new();
        let mut until = Instant::from_millis(i64::MAX);
        for due in due {
            if due.due > until {
                break;
            }
            let record = self.0.store.record(&due.record)?;
            let next = record.and_then(|record| record.due_after_next());
            until = next.map_or(until, |next| next.min(until));
            batch.push(due);
        }
        Ok(batch)
    }

    async fn wake(&self, record: &RecordId, turn: Turn) -> Result<(), EngineError> {
        let actor = Actor::timer();
        let request = Request {
            target: Some(record.clone()),
            actor,
            action: Action::Wake,
            idempotency: None,
            if_version: None,
            languages: Vec::new(),
        };
        self.execute_in_turn(request, Some(turn)).await.map(|_| ())
    }

    async fn run_effects(&self, mut stop: Stop) {
        let under_way: Arc<Mutex<BTreeSet<RecordId>>> = Arc::default();
        let places = Arc::new(Semaphore::new(AT_ONCE));
        while !*stop.borrow() {
            let due = match self.0.store.effects_due(self.now(), AT_ONCE * 4) {
                Ok(due) => due,
                Err(error) => {
                    tracing::error!(%error, "effects cannot be read");
                    tokio::time::sleep(AFTER_FAULT).await;
                    continue;
                }
            };
            let mut began = false;
            for DueRecord { record, .. } in due {
                if !lock(&under_way).insert(record.clone()) {
                    continue;
                }
                let Ok(place) = places.clone().acquire_owned().await else {
                    return;
                };
                began = true;
                let engine = self.clone();
                let leased = Leased {
                    under_way: under_way.clone(),
                    record: record.clone(),
                    engine: self.clone(),
                };
                tokio::spawn(async move {
                    if let Err(error) = engine.try_effects(&record).await {
                        tracing::warn!(error = &error as &dyn std::error::Error, %record, "an effect's result cannot be kept");
                        tokio::time::sleep(AFTER_FAULT).await;
                    }
                    drop(leased);
                    drop(place);
                });
            }
            if !began {
                let next = self
                    .0
                    .store
                    .effects_due(Instant::from_millis(i64::MAX), 1)
                    .ok();
                let next = next
                    .and_then(|due| due.first().map(|due| due.due))
                    .filter(|due| *due > self.now());
                self.sleep_until(next, &self.0.effects_changed, &mut stop)
                    .await;
            }
        }
        // What has begun is finished: all places are free again then.
        drop(
            places
                .acquire_many(u32::try_from(AT_ONCE).unwrap_or(u32::MAX))
                .await,
        );
    }

    /// Tries the effects of a record whose time has come. The workers do; so does whoever turns the
    /// clock by hand.
    ///
    /// # Errors
    /// Where what came of one cannot be kept.
    pub async fn try_effects(&self, id: &RecordId) -> Result<(), EngineError> {
        let Some(record) = self.0.store.record(id)? else {
            return Ok(());
        };
        let now = self.now();
        let ready: Vec<_> = record
            .ready_effects()
            .filter(|(_, effect)| effect.next_at <= now)
            .map(|(key, effect)| (key, effect.clone()))
            .collect();
        let versions: Vec<_> = ready.iter().map(|(key, _)| key.version).collect();
        for (key, effect) in ready {
            let origin = self.0.origins.of(id, key.version);
            let origin = origin.as_ref().and_then(tracing::Span::id);
            let span = tracing::info_span!(parent: origin, "effect", record = %id, effect = %key, attempt = effect.attempts + 1);
            let result = self
                .try_effect(&record, key, &effect)
                .instrument(span)
                .await;
            let result = match result {
                Ok(result) => result,
                Err(EngineError::Store(error)) => return Err(error.into()),
                Err(EngineError::Busy(message)) => Err(failure(FailureKind::Busy, message)),
                Err(error) => Err(failure(FailureKind::Refused, crate::chain(&error))),
            };
            let action = Action::EffectResult {
                effect: key,
                result,
            };
            self.execute(Request {
                target: Some(id.clone()),
                actor: Actor::timer(),
                action,
                idempotency: None,
                if_version: None,
                languages: Vec::new(),
            })
            .await?;
        }
        self.0.origins.forget(id, &versions);
        Ok(())
    }

    async fn try_effect(
        &self,
        record: &Record,
        key: EffectKey,
        effect: &PendingEffect,
    ) -> Result<Result<EffectDone, Failure>, EngineError> {
        let unit = format!("{}/{key}", record.id);
        match &effect.call {
            EffectCall::Deliver { binding, event, .. } => {
                self.deliver(record, key, effect, binding, *event, &unit)
                    .await
            }
            EffectCall::Create { create, task } => {
                let fields = create
                    .set
                    .iter()
                    .filter_map(|(field, setting)| match setting {
                        Setting::Literal(value) => Some((field.to_string(), value.clone())),
                        Setting::Computed { .. } => None,
                    });
                let action = Action::Create(Create {
                    workflow: create.workflow.clone(),
                    item: None,
                    parent: task.clone().map(|task| TaskOf {
                        record: record.id.clone(),
                        task,
                        begun: key,
                    }),
                    via: create.create.clone(),
                    requester: record.requester.clone(),
                    fields: fields.collect(),
                    link: create.link.clone().map(|kind| (kind, record.id.clone())),
                    reference: None,
                });
                let executed = self.execute_once(None, action, &unit).await?;
                Ok(Ok(EffectDone {
                    created: Some(executed),
                    ..EffectDone::default()
                }))
            }
            EffectCall::LinkBack {
                kind,
                target,
                inverse,
            } => {
                let action = Action::Link {
                    kind: kind.clone(),
                    target: record.id.clone(),
                    inverse: *inverse,
                };
                self.execute_once(Some(target.clone()), action, &unit)
                    .await?;
                Ok(Ok(EffectDone::default()))
            }
            EffectCall::Take {
                target,
                transition,
                input,
            } => {
                self.take(target, transition, input, &unit).await?;
                Ok(Ok(EffectDone::default()))
            }
            EffectCall::TaskEnded { of, outcome } => {
                let action = Action::TaskEnded {
                    of: of.clone(),
                    record: record.id.clone(),
                    outcome: outcome.clone(),
                };
                self.execute_once(Some(of.record.clone()), action, &unit)
                    .await?;
                Ok(Ok(EffectDone::default()))
            }
        }
    }

    /// Has another record take a transition. One that is closed has nothing left to take.
    async fn take(
        &self,
        target: &RecordId,
        transition: &TransitionId,
        input: &Map<String, Json>,
        unit: &str,
    ) -> Result<(), EngineError> {
        let other = self.0.store.record(target)?;
        if other.is_some_and(|other| other.category == Category::Closed) {
            return Ok(());
        }
        let action = Action::Transition {
            name: transition.clone(),
            input: input.clone(),
        };
        self.execute_once(Some(target.clone()), action, unit)
            .await?;
        Ok(())
    }

    async fn execute_once(
        &self,
        target: Option<RecordId>,
        action: Action,
        unit: &str,
    ) -> Result<RecordId, EngineError> {
        let request = Digest::of(&model::journal::encode(&action));
        let idempotency = Some(IdempotencyKey {
            key: format!("effect:{unit}"),
            request,
        });
        let executed = self
            .execute(Request {
                target,
                actor: Actor::timer(),
                action,
                idempotency,
                if_version: None,
                languages: Vec::new(),
            })
            .await?;
        Ok(executed.record.id.clone())
    }

    async fn deliver(
        &self,
        record: &Record,
        key: EffectKey,
        effect: &PendingEffect,
        binding: &BindingId,
        event: u32,
        unit: &str,
    ) -> Result<Result<EffectDone, Failure>, EngineError> {
        let definitions = self.definitions();
        let Some(bound) = definitions
            .bindings
            .get(binding)
            .filter(|bound| bound.plugin.hooks.get(&Hook::Delivery) == Some(&true))
        else {
            return Ok(Err(failure(
                FailureKind::Missing,
                format!("there is no binding `{binding}` with the delivery hook"),
            )));
        };
        let then = self.record_at(&record.id, key.version)?;
        let entries = self.0.store.history(&record.id, key.version - 1, 1)?;
        let Some((_, entry)) = entries.first() else {
            return Ok(Err(failure(
                FailureKind::Refused,
                "its journal entry is missing".to_owned(),
            )));
        };
        let EffectCall::Deliver { kind, .. } = &effect.call else {
            return Ok(Err(failure(
                FailureKind::Refused,
                "it is no delivery".to_owned(),
            )));
        };
        let mut cloud_event = cloud_event::of(&record.id, entry, *kind, event, &then);
        let mut hidden = Vec::new();
        if *kind == EventKind::Notice {
            let recipients = addressing::recipients(&entry.events, event, binding);
            cloud_event["data"]["recipients"] = serde_json::json!(recipients);
            if bound.plugin.grants.vote_links && asks_for_votes(&definitions, &entry.events, event)
            {
                let links = self.vote_links(binding, record, &recipients).await;
                if !links.is_empty() {
                    cloud_event["data"]["vote_links"] = serde_json::json!(links);
                }
                hidden = ballot::tokens(&links);
            }
        }
        let delivery = Delivery {
            id: unit.to_owned(),
            kind: cloud_event::type_of(*kind),
            subject: view(&then, false),
            references: record.references_of(binding).map(str::to_owned).collect(),
            data: cloud_event.to_string(),
            hidden,
        };
        let call = Call {
            id: unit.to_owned(),
            attempt: effect.attempts + 1,
            now: self.now(),
            seed: u64::from(effect.attempts),
            actor: entry.command.actor.id().to_string(),
        };
        let around = Arc::new(DeskSurroundings::new(self.clone(), definitions.clone()));
        match self
            .0
            .plugins
            .deliver(binding, call, delivery, around)
            .await
        {
            Ok(reply) => {
                self.carry_out(&definitions, bound, unit, reply.commands)
                    .await?;
                Ok(Ok(reply.done))
            }
            Err(failure) => Ok(Err(failure)),
        }
    }

    /// Runs each binding's schedule, first as long after the start as from one run to the next.
    async fn run_schedules(&self, mut stop: Stop) {
        let mut next: HashMap<BindingId, Instant> = HashMap::new();
        while !*stop.borrow() {
            let definitions = self.definitions();
            let now = self.now();
            let scheduled = definitions
                .bindings
                .values()
                .filter_map(|binding| Some((binding, binding.plugin.schedule?)));
            for (binding, schedule) in scheduled
                .filter(|(binding, _)| binding.plugin.hooks.get(&Hook::Schedule) == Some(&true))
            {
                let every = schedule.every.max(Duration::from_secs(60));
                let due = *next
                    .entry(binding.id.clone())
                    .or_insert_with(|| now.saturating_add(every));
                if due > now {
                    continue;
                }
                next.insert(binding.id.clone(), now.saturating_add(every));
                let unit = format!("schedule:{due}");
                let call = Call {
                    id: format!("{}:{unit}", binding.id),
                    attempt: 1,
                    now,
                    seed: now.millis().unsigned_abs(),
                    actor: "timer".to_owned(),
                };
                let around = Arc::new(DeskSurroundings::new(self.clone(), definitions.clone()));
                let result = match self.0.plugins.run_schedule(&binding.id, call, around).await {
                    Ok(reply) => {
                        self.carry_out(&definitions, binding, &unit, reply.commands)
                            .await
                    }
                    Err(failure) => Err(EngineError::Plugin(failure.message)),
                };
                if let Err(error) = result {
                    tracing::warn!(error = &error as &dyn std::error::Error, binding = %binding.id, "a schedule did not run through");
                }
            }
            next.retain(|id, _| {
                definitions.bindings.get(id).is_some_and(|binding| {
                    binding.plugin.schedule.is_some()
                        && binding.plugin.hooks.get(&Hook::Schedule) == Some(&true)
                })
            });
            let soonest = next.values().min().copied();
            self.sleep_until(soonest, &Notify::new(), &mut stop).await;
        }
    }

    async fn run_digests(&self, mut stop: Stop) {
        let mut next = self.now();
        while !*stop.borrow() {
            if next <= self.now() {
                match self.send_digests().await {
                    Ok(soonest) => next = soonest,
                    Err(error) => {
                        tracing::error!(
                            error = &error as &dyn std::error::Error,
                            "digests cannot be sent"
                        );
                        tokio::time::sleep(AFTER_FAULT).await;
                    }
                }
            }
            self.sleep_until(Some(next), &Notify::new(), &mut stop)
                .await;
        }
    }

    async fn sleep_until(&self, next: Option<Instant>, changed: &Notify, stop: &mut Stop) {
        let wait = next.map_or(LONGEST_SLEEP, |next| {
            next.since(self.now()).to_std().min(LONGEST_SLEEP)
        });
        tokio::select! {
            () = tokio::time::sleep(wait) => {}
            () = changed.notified() => {}
            _ = stop.changed() => {}
        }
    }
}

/// Records of which what is due could not be done: each rests, longer after every failure, until
/// something else is due of it.
#[derive(Default)]
struct Resting(HashMap<RecordId, Rest>);

struct Rest {
    due: Instant,
    failures: u32,
    until: std::time::Instant,
}

impl Resting {
    const FIRST: StdDuration = StdDuration::from_millis(100);
    const LONGEST: StdDuration = StdDuration::from_mins(5);
    /// More are not remembered, and tried as if they had not failed.
    const MOST: usize = 10_000;

    fn holds(&self, due: &DueRecord) -> bool {
        self.0
            .get(&due.record)
            .is_some_and(|rest| rest.due == due.due && std::time::Instant::now() < rest.until)
    }

    /// Lets a record rest; says for how long.
    fn begin(&mut self, due: &DueRecord) -> StdDuration {
        if self.0.len() >= Self::MOST {
            self.0.clear();
        }
        let before = self.0.get(&due.record).filter(|rest| rest.due == due.due);
        let failures = before.map_or(0, |rest| rest.failures);
        let length = Self::LONGEST.min(Self::FIRST * 2_u32.saturating_pow(failures.min(20)));
        let rest = Rest {
            due: due.due,
            failures: failures + 1,
            until: std::time::Instant::now() + length,
        };
        self.0.insert(due.record.clone(), rest);
        length
    }
}

/// A record whose effects are being tried. It is given back however that ends.
struct Leased {
    under_way: Arc<Mutex<BTreeSet<RecordId>>>,
    record: RecordId,
    engine: Engine,
}

impl Drop for Leased {
    fn drop(&mut self) {
        lock(&self.under_way).remove(&self.record);
        self.engine.0.effects_changed.notify_one();
    }
}

/// Whether a notice goes to those who are asked to vote.
fn asks_for_votes(definitions: &Definitions, events: &[Event], place: u32) -> bool {
    let at = usize::try_from(place).unwrap_or(usize::MAX);
    let Some(Event::Notified { notice, .. }) = events.get(at) else {
        return false;
    };
    let notice = definitions.notices.get(notice);
    notice.is_some_and(|notice| notice.to.contains(&Recipient::Approver))
}

type Stop = tokio::sync::watch::Receiver<bool>;

fn lock(under_way: &Mutex<BTreeSet<RecordId>>) -> std::sync::MutexGuard<'_, BTreeSet<RecordId>> {
    under_way.lock().unwrap_or_else(PoisonError::into_inner)
}

const fn failure(kind: FailureKind, message: String) -> Failure {
    Failure {
        kind,
        message,
        retry_after: None,
    }
}

#[cfg(test)]
mod tests {
    use model::Instant;
    use model::id::RecordId;

    use super::{DueRecord, Resting};

    #[test]
    fn what_cannot_be_done_rests_longer_each_time_until_something_else_is_due() {
        let due = |number, at| DueRecord {
            record: RecordId::new(number).expect("a number"),
            due: Instant::from_millis(at),
        };
        let (stuck, other) = (due("INC-1", 5), due("INC-2", 5));
        let mut resting = Resting::default();
        let rests: Vec<_> = (0..14).map(|_| resting.begin(&stuck)).collect();
        assert_eq!(rests[..3], [1, 2, 4].map(|times| Resting::FIRST * times));
        assert_eq!(rests[13], Resting::LONGEST);
        assert!(resting.holds(&stuck) && !resting.holds(&other));
        let repaired = due("INC-1", 9);
        assert!(!resting.holds(&repaired));
        assert_eq!(resting.begin(&repaired), Resting::FIRST);
    }
}
