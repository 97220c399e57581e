//! What a command does, decided purely: record, definitions, command and answers in, events out.
//!
//! A decision that needs a plugin's answer ends with the question; the use case asks, and decides
//! again with the answer beside it. The same input gives the same output, byte for byte.
//!
//! One step goes: form, `set`, computed fields, tables, state, routing, approval. Steps that follow
//! by themselves (an approval that is decided at once, automatic transitions) come after it in the
//! same entry. Clocks, timers and subscriptions look once at where the entry left the record.

pub(crate) mod addressing;
mod approval;
mod change;
mod clocks;
mod effects;
mod escalation;
mod judge;
mod links;
mod members;
mod migrate;
mod promises;
mod put;
mod routing;
mod take;
mod tasks;
mod timers;
mod values;
mod waits;
mod window;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

pub use judge::{Answers, JudgedClocks, Judging, judge};
pub(crate) use put::put;

use calendar::Calendar;
use definition::compile::{Definitions, Permits, Right, ServiceLevel, Workflow};
use definition::expression::{Expression, Term};
use model::command::{Action, Actor, Command, Who};
use model::definition::Outcome as ApprovalOutcome;
use model::event::Event;
use model::hook::{Answer, Ask, Failure, FailureKind, Question, RecordView, Reply};
use model::id::{BindingId, FieldId, RecordId, TeamId};
use model::journal::{self, Decision, Entry, HookDecision, Lookup};
use model::record::{EffectKey, Link, Record};
use model::{Digest, Instant, Value};

use crate::apply::{apply, begin};
use crate::directory::{Directory, Ledger};
use crate::port::StoreError;
use crate::rejection::Rejection;
use crate::scope::Scope;

/// How many names a binding may have for one record.
const MOST_REFERENCES: usize = 100;
/// How many bytes such a name may have.
const LONGEST_REFERENCE: usize = 500;
/// How many steps may follow one another in one entry.
const MOST_STEPS: usize = 16;

/// All that a decision depends on.
#[derive(Clone, Copy)]
pub struct Input<'a> {
    /// The record; none where it begins.
    pub record: Option<&'a Record>,
    /// The version of its workflow that it runs under.
    pub workflow: &'a Workflow,
    /// The definitions in force.
    pub definitions: &'a Definitions,
    /// Versions of service levels and calendars that clocks are pinned to.
    pub pinned: &'a dyn Pinned,
    /// The directory.
    pub directory: &'a dyn Directory,
    /// The journal of the record so far.
    pub past: &'a dyn Past,
    /// What is asked.
    pub command: &'a Command,
    /// The answers so far, in the order of the questions.
    pub replies: &'a [Reply],
    /// The number of a record that begins, once it has one.
    pub number: Option<&'a RecordId>,
}

/// Versions of definitions that are named by digest.
pub trait Pinned: Sync {
    /// A version of a service level.
    fn service_level(&self, digest: &Digest) -> Option<Arc<ServiceLevel>>;
    /// A version of a calendar.
    fn calendar(&self, digest: &Digest) -> Option<Calendar>;
    /// Where people find the desk, such as `https://desk.example`; none where nobody said so.
    fn public_address(&self) -> Option<Arc<str>> {
        None
    }
}

/// The journal of a record, as a decision reads it.
pub trait Past: Sync {
    /// Shows the record's entries, oldest first, to the last.
    ///
    /// # Errors
    /// Where the store fails.
    fn each(&self, show: &mut dyn FnMut(&Entry)) -> std::result::Result<(), StoreError>;
}

/// No journal: of a record that begins, or for what needs none.
pub struct NoPast;

impl Past for NoPast {
    fn each(&self, _: &mut dyn FnMut(&Entry)) -> std::result::Result<(), StoreError> {
        Ok(())
    }
}

impl Past for Vec<Entry> {
    fn each(&self, show: &mut dyn FnMut(&Entry)) -> std::result::Result<(), StoreError> {
        self.iter().for_each(show);
        Ok(())
    }
}

/// Where a decision ends.
#[derive(Debug)]
pub enum Outcome {
    /// It needs an answer: decide again with it.
    Ask(Box<Question>),
    /// The record begins and needs its number: decide again with it.
    Number,
    /// It is decided.
    Decided(Box<Decided>),
    /// There is nothing to do: no entry is made.
    Nothing,
}

/// What a command does.
#[derive(Debug)]
pub struct Decided {
    /// The record afterwards; its `head` is still that of before.
    pub record: Record,
    /// What came of it.
    pub events: Vec<Event>,
    /// What tables and plugins answered.
    pub decisions: Vec<Decision>,
    /// What was read beyond the record.
    pub lookups: Vec<Lookup>,
    /// The questions to plugins in their stored form, by digest.
    pub questions: Vec<(Digest, Vec<u8>)>,
    /// The position as of which planned windows of others were read, where they were.
    pub windows_as_of: Option<u64>,
}

/// Why a decision goes no further.
#[derive(Debug)]
enum Interrupt {
    Ask(Box<Question>),
    Number,
    Nothing,
    Reject(Rejection),
}

impl From<Rejection> for Interrupt {
    fn from(rejection: Rejection) -> Self {
        Self::Reject(rejection)
    }
}

type Result<T, E = Interrupt> = std::result::Result<T, E>;

/// Why there is no decision.
#[derive(Clone, Debug, thiserror::Error)]
pub enum DecideError {
    /// The command is refused.
    #[error(transparent)]
    Rejected(#[from] Rejection),
    /// The directory could not be read.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Decides what a command does.
///
/// # Errors
/// [`DecideError::Rejected`] where it is refused; [`DecideError::Store`] where the directory does not answer.
pub fn decide(input: Input<'_>) -> std::result::Result<Outcome, DecideError> {
    let ledger = Ledger::new(input.directory);
    let result = Step::begin(input, &ledger).and_then(Step::run);
    if let Some(fault) = ledger.fault() {
        return Err(fault.into());
    }
    match result {
        Ok(mut decided) => {
            decided.lookups = ledger.lookups();
            decided.windows_as_of = ledger.windows_as_of();
            Ok(Outcome::Decided(Box::new(decided)))
        }
        Err(Interrupt::Ask(question)) => Ok(Outcome::Ask(question)),
        Err(Interrupt::Number) => Ok(Outcome::Number),
        Err(Interrupt::Nothing) => Ok(Outcome::Nothing),
        Err(Interrupt::Reject(rejection)) => Err(rejection.into()),
    }
}

/// Whether an actor has one of these rights on a record as it stands.
///
/// # Errors
/// Where the directory does not answer.
pub fn permits(
    input: Input<'_>,
    record: &Record,
    permits: &Permits,
) -> std::result::Result<bool, StoreError> {
    let ledger = Ledger::new(input.directory);
    let scope = Scope {
        record,
        workflow: input.workflow,
        definitions: input.definitions,
        ledger: &ledger,
        input: None,
        actor: Some(&input.command.actor),
        now: Some(input.command.at),
        it: None,
    };
    let holds = has_right(&input.command.actor, record, permits, |when| {
        when.holds(&scope).unwrap_or(false)
    });
    ledger.fault().map_or(Ok(holds), Err)
}

/// The requirements of a transition that do not hold on a record as it stands, form left aside.
///
/// # Errors
/// Where the directory does not answer.
pub fn unmet(
    input: Input<'_>,
    record: &Record,
    transition: &definition::compile::Transition,
) -> std::result::Result<Vec<String>, StoreError> {
    let ledger = Ledger::new(input.directory);
    let empty = BTreeMap::new();
    let scope = Scope {
        record,
        workflow: input.workflow,
        definitions: input.definitions,
        ledger: &ledger,
        input: Some(&empty),
        actor: Some(&input.command.actor),
        now: Some(input.command.at),
        it: None,
    };
    let asked: BTreeSet<&str> = transition.form.keys().map(FieldId::as_str).collect();
    let unmet = transition
        .require
        .iter()
        .filter(|requirement| {
            !requirement
                .when
                .references()
                .iter()
                .any(|name| asked.contains(&**name) || &**name == "input")
        })
        .filter(|requirement| !requirement.when.holds(&scope).unwrap_or(false))
        .map(|requirement| requirement.say.clone())
        .collect();
    ledger.fault().map_or(Ok(unmet), Err)
}

fn has_right(
    actor: &Actor,
    record: &Record,
    permits: &Permits,
    mut holds: impl FnMut(&Expression) -> bool,
) -> bool {
    match actor.who {
        Who::Binding(_) | Who::Operator | Who::Timer => true,
        Who::Person(ref person) => permits.0.iter().any(|permit| {
            let has = match &permit.right {
                Right::Anyone => true,
                Right::Requester => record.requester.as_ref() == Some(person),
                Right::Assignee => record.assignee.as_ref() == Some(person),
                Right::Team => record
                    .team
                    .as_ref()
                    .is_some_and(|team| actor.teams.contains(team)),
                Right::Watcher => record.watchers.contains(person),
                Right::Role(role) => actor.roles.contains(role),
            };
            has && permit.when.as_ref().is_none_or(&mut holds)
        }),
    }
}

/// A decision under way: the record as far as the events so far have brought it.
struct Step<'a> {
    input: Input<'a>,
    ledger: &'a Ledger<'a>,
    record: Record,
    /// What the form of the transition under way was given, inputs included.
    form: BTreeMap<FieldId, Value>,
    events: Vec<Event>,
    decisions: Vec<Decision>,
    questions: Vec<(Digest, Vec<u8>)>,
    /// How many answers have been used.
    answered: usize,
    /// How many effects are due so far.
    effects: u32,
    /// Fields that changed since the tables were last asked.
    changed: BTreeSet<FieldId>,
    /// Whether the requester, the team or any field changed in this entry.
    changes_promise: bool,
    /// The one promise that is looked at, where the past is judged by it.
    only: Option<judge::Only>,
    /// Whether warnings and breaches are noted and cause nothing.
    is_judging: bool,
    /// How many entries of the past may still be walked.
    moments_left: u64,
    /// An approval that ended and whose transition is still to be taken.
    ended: Option<ApprovalOutcome>,
    /// Whom a stage tells something, while it does.
    asked: Option<approval::Asked>,
    /// Whether a state was entered in this entry, so that its timers are to be set.
    entered: bool,
    /// Of a wake: when what it does was due. What is due later has a wake of its own.
    woken_for: Option<Instant>,
    /// Clocks that were breached in this entry, whose transition is still to be taken.
    escalations: Vec<model::event::ClockKey>,
    /// The teams whose escalation began in this entry.
    escalated: BTreeSet<TeamId>,
}

impl<'a> Step<'a> {
    fn begin(input: Input<'a>, ledger: &'a Ledger<'a>) -> Result<Self> {
        let record = match input.record {
            Some(record) => record.clone(),
            None => placeholder(input)?,
        };
        let mut step = Self::of(input, ledger, record);
        if input.record.is_none() {
            step.entered = true;
        }
        Ok(step)
    }

    /// A step on a record as far as it has come.
    fn of(input: Input<'a>, ledger: &'a Ledger<'a>, record: Record) -> Self {
        Self {
            input,
            ledger,
            record,
            form: BTreeMap::new(),
            events: Vec::new(),
            decisions: Vec::new(),
            questions: Vec::new(),
            answered: 0,
            effects: 0,
            changed: BTreeSet::new(),
            changes_promise: false,
            only: None,
            is_judging: false,
            moments_left: judge::moments(),
            ended: None,
            asked: None,
            entered: false,
            woken_for: None,
            escalations: Vec::new(),
            escalated: BTreeSet::new(),
        }
    }

    fn run(mut self) -> Result<Decided> {
        let is_quiet = self.dispatch()?;
        if is_quiet && self.events.is_empty() {
            return Err(Interrupt::Nothing);
        }
        // What came of an effect moves nothing by itself, and is always kept.
        if !matches!(
            self.input.command.action,
            Action::EffectResult { .. } | Action::Redrive { .. }
        ) {
            self.settle()?;
        }
        self.look_at_clocks()?;
        self.escalate()?;
        self.look_at_escalation()?;
        self.look_at_window();
        self.look_at_timers();
        self.notify_subscribers();
        self.record.version += 1;
        self.record.updated_at = self.now();
        Ok(Decided {
            record: self.record,
            events: self.events,
            decisions: self.decisions,
            lookups: Vec::new(),
            questions: self.questions,
            windows_as_of: None,
        })
    }

    /// Does what the command asks; says whether it is one that leaves no entry where nothing came of it.
    fn dispatch(&mut self) -> Result<bool> {
        let command = self.input.command;
        match &command.action {
            Action::Create(create) => self.create(create)?,
            Action::Transition { name, input } => self.transition(name, input)?,
            Action::Update { fields } => self.update(fields)?,
            Action::Comment { text, public } => self.comment(text, *public)?,
            Action::Link {
                kind,
                target,
                inverse,
            } if self.actor().who == Who::Timer => self.link_back(Link {
                kind: kind.clone(),
                target: target.clone(),
                inverse: *inverse,
            })?,
            Action::Link { kind, target, .. } => self.link(kind, target)?,
            Action::Watch { person, watches } => self.watch(person, *watches)?,
            Action::Vote {
                choice,
                comment,
                stage,
                instead_of,
                link,
            } => self.vote(
                *choice,
                comment.as_deref(),
                stage.as_ref(),
                instead_of.as_ref(),
                link.is_some(),
            )?,
            Action::RecallVote { stage } => self.recall_vote(stage.as_ref())?,
            Action::ReassignVote {
                stage,
                from,
                to,
                comment,
            } => self.reassign_vote(stage.as_ref(), from.as_ref(), to, comment.as_deref())?,
            Action::AskInformation { stage, question } => {
                self.ask_information(stage.as_ref(), question)?;
            }
            Action::Wake => {
                self.wake()?;
                return Ok(true);
            }
            Action::EffectResult { effect, result } => {
                self.effect_result(*effect, result);
                return Ok(true);
            }
            Action::TaskEnded {
                of,
                record,
                outcome,
            } => {
                self.task_ended(of, record, outcome);
                return Ok(true);
            }
            Action::Migrate(migrate) => self.migrate(migrate)?,
            Action::Redrive { effect } => self.redrive(*effect)?,
            Action::DirectoryChanged { .. } => {
                self.look_at_entitlement();
                return Ok(true);
            }
            Action::Refer { binding, reference } => {
                if self.record.references_of(binding).count() >= MOST_REFERENCES
                    || reference.len() > LONGEST_REFERENCE
                {
                    let message = format!(
                        "a binding has at most {MOST_REFERENCES} names for a record, of at most {LONGEST_REFERENCE} bytes each"
                    );
                    return Err(Rejection::not_possible(message).into());
                }
                if self
                    .record
                    .references_of(binding)
                    .all(|known| known != reference)
                {
                    self.emit(Event::Referred {
                        binding: binding.clone(),
                        reference: reference.clone(),
                    });
                }
            }
        }
        Ok(false)
    }

    /// Takes the steps that follow by themselves.
    fn settle(&mut self) -> Result<()> {
        for _ in 0..MOST_STEPS {
            let moved = match self.ended.take() {
                Some(outcome) => self.take_outcome(outcome)?,
                None => self.join_tasks()? || self.take_automatic()?,
            };
            if !moved {
                return Ok(());
            }
        }
        if matches!(
            self.input.command.action,
            Action::Wake | Action::DirectoryChanged { .. } | Action::TaskEnded { .. }
        ) {
            // Nobody is there to be refused: the record stays where it came to.
            self.ended = None;
            let message = format!("more than {MOST_STEPS} steps follow one another");
            self.failed("steps".to_owned(), message);
            return Ok(());
        }
        Err(Rejection::not_possible(format!(
            "more than {MOST_STEPS} steps follow one another by themselves: the workflow goes round in circles"
        ))
        .into())
    }

    /// Takes the transitions of the clocks that were breached, where the record's state has them.
    fn escalate(&mut self) -> Result<()> {
        for _ in 0..MOST_STEPS {
            let Some(key) = self.escalations.pop() else {
                break;
            };
            let Some(transition) = self.breach_transition(&key) else {
                continue;
            };
            let workflow = self.input.workflow;
            if workflow
                .transition(&self.record.state, transition.as_str())
                .is_some()
            {
                self.follow(
                    &transition,
                    &format!("the target {} was breached", key.target),
                )?;
                self.settle()?;
                self.look_at_clocks()?;
            }
        }
        Ok(())
    }

    fn now(&self) -> Instant {
        self.input.command.at
    }

    fn actor(&self) -> &'a Actor {
        &self.input.command.actor
    }

    fn emit(&mut self, event: Event) {
        self.changes_promise |= changes_promise(&self.record, &event);
        if let Event::FieldSet { field, .. } = &event {
            self.changed.insert(field.clone());
        }
        apply(&mut self.record, &event, self.input.command.at);
        self.events.push(event);
    }

    fn scope(&self) -> Scope<'_> {
        Scope {
            record: &self.record,
            workflow: self.input.workflow,
            definitions: self.input.definitions,
            ledger: self.ledger,
            input: Some(&self.form),
            actor: Some(&self.input.command.actor),
            now: Some(self.input.command.at),
            it: None,
        }
    }

    /// Whether an expression holds; one that fails does not, and the journal says so.
    fn holds(&mut self, expression: &Expression, place: impl FnOnce() -> String) -> bool {
        let result = expression.holds(&self.scope());
        result.unwrap_or_else(|error| {
            self.failed(place(), error.to_string());
            false
        })
    }

    /// The value of an expression; none where it fails, and the journal says so.
    fn evaluate(
        &mut self,
        expression: &Expression,
        place: impl FnOnce() -> String,
    ) -> Option<Term> {
        let result = expression.evaluate(&self.scope());
        result
            .map_err(|error| self.failed(place(), error.to_string()))
            .ok()
    }

    fn failed(&mut self, place: String, message: String) {
        self.decisions.push(Decision::Failed { place, message });
    }

    fn may(&self, permits: &Permits) -> bool {
        let scope = self.scope();
        has_right(self.actor(), &self.record, permits, |when| {
            when.holds(&scope).unwrap_or(false)
        })
    }

    /// The key of the next effect of this entry.
    fn next_effect(&mut self) -> EffectKey {
        let key = EffectKey {
            version: self.record.version + 1,
            index: self.effects,
        };
        self.effects += 1;
        key
    }

    fn view(&self) -> RecordView {
        view(&self.record, self.input.record.is_none())
    }

    /// Asks a binding. The answer is given to `check`, which says what the desk makes of it or why it
    /// does not fit; what is journaled follows from that. None is: take the fallback.
    fn ask<T>(
        &mut self,
        binding: &BindingId,
        ask: Ask,
        check: impl FnOnce(&Self, &Answer) -> std::result::Result<T, String>,
    ) -> Result<Option<T>> {
        let hook = ask.hook();
        let question = Question {
            binding: binding.clone(),
            subject: self.view(),
            ask,
        };
        let Some(reply) = self.input.replies.get(self.answered) else {
            return Err(Interrupt::Ask(Box::new(question)));
        };
        self.answered += 1;
        let bytes = journal::encode(&question);
        let input = Digest::of(&bytes);
        self.questions.push((input, bytes));
        let (answer, checked, failure) = match &reply.answer {
            Ok(answer) => match check(self, answer) {
                Ok(checked) => (Some(answer.clone()), Some(checked), None),
                Err(message) => {
                    let failure = Failure {
                        kind: FailureKind::Refused,
                        message,
                        retry_after: None,
                    };
                    (Some(answer.clone()), None, Some(failure))
                }
            },
            Err(failure) => (None, None, Some(failure.clone())),
        };
        self.decisions.push(Decision::Hook(HookDecision {
            hook,
            binding: binding.clone(),
            component: reply.component,
            input,
            answer,
            failure,
            micros: reply.micros,
        }));
        Ok(checked)
    }
}

/// Whether an event changes what goals and calendars are told by.
fn changes_promise(record: &Record, event: &Event) -> bool {
    match event {
        Event::FieldSet { .. } | Event::RequesterSet { .. } => true,
        Event::Assigned { team, .. } => record.team != *team,
        _ => false,
    }
}

/// A record as plugins see it.
pub(crate) fn view(record: &Record, is_beginning: bool) -> RecordView {
    RecordView {
        id: (!is_beginning).then(|| record.id.clone()),
        workflow: record.workflow.clone(),
        state: record.state.to_string(),
        category: record.category,
        version: record.version,
        requester: record.requester.clone(),
        assignee: record.assignee.clone(),
        team: record.team.as_ref().map(ToString::to_string),
        opened_at: record.created_at,
        updated_at: record.updated_at,
        state_since: record.state_since,
        fields: record.fields.clone(),
    }
}

/// A record before its first event; its creation replaces all of it.
fn placeholder(input: Input<'_>) -> Result<Record> {
    let Action::Create(_) = &input.command.action else {
        return Err(Rejection::not_possible("a record begins with its creation").into());
    };
    let number = match input.number {
        Some(number) => number.clone(),
        None => RecordId::numbered(&input.workflow.number, 1)
            .map_err(|error| Rejection::not_possible(error.to_string()))?,
    };
    let (state, first) = input.workflow.states.first().ok_or_else(|| {
        Rejection::not_possible(format!("the workflow {} has no states", input.workflow.id))
    })?;
    let created = Event::Created {
        workflow: input.workflow.id.clone(),
        definition: input.workflow.digest,
        via: model::id::TransitionId::new("begin").expect("a valid id"),
        state: state.clone(),
        category: first.category,
        outcome: None,
        requester: None,
        item: None,
        parent: None,
    };
    begin(&number, &created, input.command.at).ok_or_else(|| {
        Interrupt::Reject(Rejection::not_possible("a record begins with its creation"))
    })
}
