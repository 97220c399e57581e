//! Carrying out a command: read, decide, ask, commit; start over where the record changed meanwhile.

use std::sync::Arc;

use definition::compile::{Definitions, Workflow};
use model::command::{Action, Actor, Command, IdempotencyKey, Who};
use model::hook::{Call, Question, Reply};
use model::id::{CatalogueItemId, RecordId};
use model::journal::{self, Entry};
use model::record::Record;
use model::{Digest, Instant};
use tracing::Instrument;

use crate::apply;
use crate::ballot;
use crate::decide::{self, Decided, Input, Outcome};
use crate::desk::check_administrator;
use crate::engine::{Engine, StorePast};
use crate::error::EngineError;
use crate::port::{Commit, CommitError, RecordCommit, Remembered};
use crate::rejection::Rejection;
use crate::surroundings::DeskSurroundings;
use crate::turn::{Turn, hand_over};

/// How often a command is decided where the record changes meanwhile.
const MOST_TRIES: u32 = 3;
/// How many things that are due are done before a command on the same record.
const MOST_DUE: u32 = 100;

/// A command to be carried out.
#[derive(Clone, Debug)]
pub struct Request {
    /// The record; none where it begins.
    pub target: Option<RecordId>,
    /// Who asks.
    pub actor: Actor,
    /// What.
    pub action: Action,
    /// The key under which it is carried out once.
    pub idempotency: Option<IdempotencyKey>,
    /// The version of the record that it is meant for.
    pub if_version: Option<u64>,
    /// The languages in which whoever asks would read why it is refused, the one liked best first.
    pub languages: Vec<String>,
}

/// A command that was carried out, and is durable.
#[derive(Clone, Debug)]
pub struct Executed {
    /// The record as the command left it.
    pub record: Arc<Record>,
    /// The position of its entry in the journal; 0 where there was nothing to do.
    pub position: u64,
    /// Whether it had been carried out before, under the same key.
    pub replayed: bool,
}

impl Engine {
    /// Carries out a command. The reply comes once it is durable.
    ///
    /// # Errors
    /// Where it is refused, the store fails, or the record changed three times meanwhile.
    pub async fn execute(&self, request: Request) -> Result<Executed, EngineError> {
        self.execute_in_turn(request, None).await
    }

    /// Carries out a command, whose commit waits for its turn where it has one. A command that has to
    /// be decided again, because the record changed meanwhile, has lost its turn.
    pub(crate) async fn execute_in_turn(
        &self,
        request: Request,
        turn: Option<Turn>,
    ) -> Result<Executed, EngineError> {
        let span = tracing::info_span!(
            "command",
            action = request.action.name(),
            record = request.target.as_ref().map(tracing::field::display),
            actor = %request.actor.id(),
        );
        self.execute_within(request, turn).instrument(span).await
    }

    async fn execute_within(
        &self,
        request: Request,
        mut turn: Option<Turn>,
    ) -> Result<Executed, EngineError> {
        let lock = request
            .idempotency
            .as_ref()
            .map(|key| self.key_lock(&key.key));
        let _one_at_a_time = match &lock {
            Some(lock) => Some(lock.lock().await),
            None => None,
        };
        if let Some(key) = &request.idempotency
            && let Some(remembered) = self.0.store.remembered(&key.key)?
        {
            return self.repeat(key, &remembered);
        }
        for _ in 0..MOST_TRIES {
            if let Some(id) = &request.target
                && !matches!(request.action, Action::Wake)
            {
                self.do_what_is_due(id).await?;
            }
            match self.attempt(&request, &mut turn).await? {
                Attempt::Done(executed) => return Ok(executed),
                Attempt::Conflict => {}
            }
        }
        let record = request
            .target
            .map_or_else(|| "it".to_owned(), |id| id.to_string());
        Err(EngineError::Busy(format!(
            "{record} is being changed by others all the time: try again"
        )))
    }

    /// Does what is due of a record before anything else is done with it.
    async fn do_what_is_due(&self, id: &RecordId) -> Result<(), EngineError> {
        for _ in 0..MOST_DUE {
            let due = self
                .0
                .store
                .record(id)?
                .and_then(|record| record.next_due());
            if due.is_none_or(|due| due >= self.now()) {
                return Ok(());
            }
            let wake = Request {
                target: Some(id.clone()),
                actor: Actor::timer(),
                action: Action::Wake,
                idempotency: None,
                if_version: None,
                languages: Vec::new(),
            };
            match self.attempt(&wake, &mut None).await {
                Ok(_) => {}
                Err(EngineError::Store(error)) => return Err(error.into()),
                Err(error) => {
                    // A command may be what puts the record right again.
                    tracing::warn!(error = &error as &dyn std::error::Error, record = %id, "what is due cannot be done");
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    async fn attempt(
        &self,
        request: &Request,
        turn: &mut Option<Turn>,
    ) -> Result<Attempt, EngineError> {
        let definitions = self.definitions();
        let before = match &request.target {
            None => None,
            Some(id) => Some(
                self.0
                    .store
                    .record(id)?
                    .ok_or_else(|| Rejection::not_found("record", id))?,
            ),
        };
        let workflow = match (&before, &request.action) {
            (Some(record), _) => self.workflow_of(&definitions, record)?,
            (None, Action::Create(create)) => Self::workflow_to_begin(&definitions, create)?,
            (None, _) => {
                return Err(Rejection::not_possible("a record begins with its creation").into());
            }
        };
        let workflow = Self::spoken(
            &definitions,
            workflow,
            item(before.as_deref(), &request.action),
            &request.languages,
        );
        let command = Command {
            actor: request.actor.clone(),
            at: self.time_for(before.as_deref()),
            action: request.action.clone(),
        };
        if let Some(record) = &before {
            self.check_access(&definitions, &workflow, record, &command)?;
            ballot::check_link(record, &command)?;
            if let Some(expected) = request
                .if_version
                .filter(|expected| *expected != record.version)
            {
                return Err(Rejection::Version {
                    record: record.id.clone(),
                    expected,
                    found: record.version,
                }
                .into());
            }
        }
        let Some(decided) = self
            .decide(&definitions, &workflow, before.as_deref(), &command)
            .await?
        else {
            let record = before
                .ok_or_else(|| Rejection::not_possible("a record begins with its creation"))?;
            return Ok(Attempt::Done(Executed {
                record,
                position: 0,
                replayed: false,
            }));
        };
        self.commit(
            before,
            command,
            request.idempotency.clone(),
            definitions.digest,
            decided,
            turn,
        )
        .await
    }

    /// The time of a command: the clock's, and never before the record's last entry.
    pub(crate) fn time_for(&self, record: Option<&Record>) -> Instant {
        let now = self.now();
        record.map_or(now, |record| now.max(record.updated_at))
    }

    /// Whether the actor may know of the record. To try effects again takes an administrator, whoever
    /// may see the record.
    fn check_access(
        &self,
        definitions: &Definitions,
        workflow: &Workflow,
        record: &Record,
        command: &Command,
    ) -> Result<(), EngineError> {
        if matches!(command.action, Action::Redrive { .. }) {
            return Ok(check_administrator(&command.actor, "try effects again")?);
        }
        if self.may_see(definitions, workflow, record, command)? {
            Ok(())
        } else {
            Err(Rejection::not_found("record", &record.id).into())
        }
    }

    pub(crate) fn may_see(
        &self,
        definitions: &Definitions,
        workflow: &Workflow,
        record: &Record,
        command: &Command,
    ) -> Result<bool, EngineError> {
        if !matches!(command.actor.who, Who::Person(_)) {
            return Ok(true);
        }
        // Whoever is asked to approve has to see what.
        let is_asked = record.approval.as_ref().is_some_and(|approval| {
            command
                .actor
                .person()
                .is_some_and(|person| approval.asks(person))
        });
        let directory = self.directory();
        let input = Input {
            record: Some(record),
            workflow,
            definitions,
            pinned: &*self.0,
            directory: &directory,
            past: &decide::NoPast,
            command,
            replies: &[],
            number: None,
        };
        Ok(is_asked || decide::permits(input, record, &workflow.see)?)
    }

    /// Decides, asking plugins and for a number as often as the decision needs it; none where nothing is to be done.
    pub(crate) async fn decide(
        &self,
        definitions: &Arc<Definitions>,
        workflow: &Arc<Workflow>,
        before: Option<&Record>,
        command: &Command,
    ) -> Result<Option<Box<Decided>>, EngineError> {
        let mut replies: Vec<Reply> = Vec::new();
        let mut number = None;
        loop {
            let outcome = {
                let directory = self.directory();
                decide::decide(Input {
                    record: before,
                    workflow,
                    definitions,
                    pinned: &*self.0,
                    directory: &directory,
                    past: &StorePast {
                        store: &*self.0.store,
                        id: before.map(|before| &before.id),
                    },
                    command,
                    replies: &replies,
                    number: number.as_ref(),
                })?
            };
            match outcome {
                Outcome::Ask(question) => {
                    let call = call_for(&question, command);
                    let around = Arc::new(DeskSurroundings::new(self.clone(), definitions.clone()));
                    replies.push(self.0.plugins.ask(call, &question, around).await);
                }
                // Records are numbered in the order in which they begin, however long plugins think
                // about them.
                Outcome::Number => number = Some(self.0.store.reserve_number(&workflow.number)?),
                Outcome::Decided(mut decided) => {
                    decided
                        .lookups
                        .extend(replies.into_iter().flat_map(|reply| reply.lookups));
                    return Ok(Some(decided));
                }
                Outcome::Nothing => return Ok(None),
            }
        }
    }

    async fn commit(
        &self,
        before: Option<Arc<Record>>,
        command: Command,
        idempotency: Option<IdempotencyKey>,
        configuration: Digest,
        decided: Box<Decided>,
        turn: &mut Option<Turn>,
    ) -> Result<Attempt, EngineError> {
        let Decided {
            mut record,
            events,
            decisions,
            lookups,
            questions,
            windows_as_of,
        } = *decided;
        let entry = Entry {
            version: record.version,
            previous: before
                .as_ref()
                .map_or_else(Digest::default, |before| before.head),
            command,
            idempotency,
            configuration,
            lookups,
            decisions,
            events,
        };
        let encoded_entry = journal::encode(&entry);
        record.head = journal::entry_hash(&record.id, &encoded_entry);
        let after = Arc::new(record);
        let (due_before, effect_before) = before.as_ref().map_or((None, None), |before| {
            (before.next_due(), before.next_effect())
        });
        let key = entry.idempotency.clone();
        let commit = RecordCommit {
            before,
            after: after.clone(),
            entry,
            encoded_entry,
            blobs: questions,
            windows_as_of,
        };
        let committing = self.0.store.commit(Commit::Record(Box::new(commit)));
        let committing = committing.instrument(tracing::info_span!("commit"));
        match hand_over(turn, committing).await {
            Ok(committed) => {
                self.committed(committed.position);
                if after.effects.keys().any(|key| key.version == after.version) {
                    self.0.origins.remember(&after.id, after.version);
                }
                if after.next_due() != due_before {
                    self.0.timers_changed.notify_one();
                }
                if after.next_effect() != effect_before {
                    self.0.effects_changed.notify_one();
                }
                Ok(Attempt::Done(Executed {
                    record: after,
                    position: committed.position,
                    replayed: false,
                }))
            }
            Err(CommitError::Conflict) => Ok(Attempt::Conflict),
            Err(CommitError::Remembered(remembered)) => match &key {
                Some(key) => self.repeat(key, &remembered).map(Attempt::Done),
                None => Ok(Attempt::Conflict),
            },
            Err(CommitError::Referenced(existing)) => {
                let record = self
                    .0
                    .store
                    .record(&existing)?
                    .ok_or_else(|| Rejection::not_found("record", &existing))?;
                Ok(Attempt::Done(Executed {
                    record,
                    position: 0,
                    replayed: true,
                }))
            }
            Err(CommitError::Quota) => Err(EngineError::Busy("the store refuses more".to_owned())),
            Err(CommitError::Store(error)) => Err(error.into()),
        }
    }

    /// The answer that a key was given before.
    fn repeat(
        &self,
        key: &IdempotencyKey,
        remembered: &Remembered,
    ) -> Result<Executed, EngineError> {
        if key.request != remembered.request {
            return Err(Rejection::KeyReused.into());
        }
        let record = self.record_at(&remembered.record, remembered.version)?;
        Ok(Executed {
            record,
            position: remembered.position,
            replayed: true,
        })
    }

    /// A record as it stood at a version: the fold of its journal up to there.
    pub(crate) fn record_at(
        &self,
        id: &RecordId,
        version: u64,
    ) -> Result<Arc<Record>, EngineError> {
        if let Some(record) = self
            .0
            .store
            .record(id)?
            .filter(|record| record.version == version)
        {
            return Ok(record);
        }
        let mut record = None;
        let mut after = 0;
        while after < version {
            let limit = usize::try_from(version - after)
                .unwrap_or(usize::MAX)
                .min(200);
            let entries = self.0.store.history(id, after, limit)?;
            if entries.is_empty() {
                break;
            }
            for (_, entry) in entries {
                let encoded = journal::encode(&entry);
                after = entry.version;
                let folded = apply::fold(record, id, &entry, &encoded)
                    .map_err(|error| EngineError::Installed(error.to_string()))?;
                record = Some(folded);
            }
        }
        record
            .map(Arc::new)
            .ok_or_else(|| Rejection::not_found("record", id).into())
    }
}

/// The item of the catalogue that a record is of, or is to be of.
fn item<'a>(before: Option<&'a Record>, action: &'a Action) -> Option<&'a CatalogueItemId> {
    match (before, action) {
        (Some(record), _) => record.item.as_ref(),
        (None, Action::Create(create)) => create.item.as_ref(),
        (None, _) => None,
    }
}

enum Attempt {
    Done(Executed),
    Conflict,
}

/// The call for a question: its id and its chance follow from what is asked and when.
pub(crate) fn call_for(question: &Question, command: &Command) -> Call {
    let digest = Digest::of_parts(&[
        &journal::encode(question),
        &command.at.millis().to_le_bytes(),
    ]);
    let bytes = digest.as_bytes();
    let mut seed = [0; 8];
    seed.copy_from_slice(&bytes[..8]);
    Call {
        id: digest.to_string().split_off("sha256:".len()),
        attempt: 1,
        now: command.at,
        seed: u64::from_le_bytes(seed),
        actor: command.actor.id().to_string(),
    }
}
