//! The past judged again: a record's journal is walked entry by entry, and at each the clocks are looked
//! at by the same rules by which a command looks at them. Nothing else follows from it: no effect is
//! caused and no transition taken.
//!
//! It serves twice. A target that says `change: recompute` has its clock counted as if the goal and the
//! calendar of now had been those of always. And whoever asks gets all clocks of a record as they would
//! be, had today's definitions been in force when it began.

use std::sync::Arc;

use calendar::Calendar;
use definition::compile::{Definitions, ServiceLevel, Target, Workflow};
use model::event::Event;
use model::hook::{Failure, FailureKind, Question, Reply};
use model::id::{RecordId, TargetId};
use model::journal::{Decision, Entry};
use model::record::{Clock, Record};
use model::{Digest, Instant};

use super::promises::Promise;
use super::{Input, Interrupt, NoPast, Past, Pinned, Step, changes_promise};
use crate::apply::{apply, begin};
use crate::directory::{Directory, Ledger};
use crate::port::StoreError;

/// How many entries of one record may be walked for one decision, all recountings together.
const MOST_MOMENTS: u64 = 20_000;
/// How many may be walked again while a whole journal is judged.
const MOST_MOMENTS_OF_ALL: u64 = 200_000;
/// How many warnings and breaches are given between two entries.
const MOST_WAKES: u32 = 10_000;
/// How many notes are kept.
const MOST_NOTES: usize = 200;

/// One target of a service level with one promise, by which alone the past is judged.
#[derive(Clone, Debug)]
pub(super) struct Only {
    pub(super) level: Arc<ServiceLevel>,
    pub(super) target: TargetId,
    pub(super) promise: Promise,
}

/// What is judged, and by what.
#[derive(Clone, Copy)]
pub struct Judging<'a> {
    /// The record.
    pub id: &'a RecordId,
    /// Its workflow, for what its fields are.
    pub workflow: &'a Workflow,
    /// The definitions by which it is judged.
    pub definitions: &'a Definitions,
    /// The directory.
    pub directory: &'a dyn Directory,
    /// Its journal.
    pub entries: &'a [Entry],
    /// What plugins answered.
    pub answers: &'a dyn Answers,
    /// Time runs up to here.
    pub until: Instant,
}

/// What plugins are taken to answer about the past.
pub trait Answers: Sync {
    /// The answer to a question that came up at an entry; none: the definition's own fallback counts.
    fn answer(&self, entry: &Entry, question: &Question) -> Option<Reply>;
}

/// What a record's clocks come to.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct JudgedClocks {
    /// The clocks, in the order in which they began.
    pub clocks: Vec<Clock>,
    /// What could not be told as a command would have: expressions that fail, plugins without an answer.
    pub notes: Vec<String>,
}

/// Judges a record's clocks again from its journal. Nothing is changed.
///
/// # Errors
/// Where the directory does not answer.
pub fn judge(judging: Judging<'_>) -> std::result::Result<JudgedClocks, StoreError> {
    let ledger = Ledger::new(judging.directory);
    let mut walk = Walk {
        id: judging.id,
        workflow: judging.workflow,
        definitions: judging.definitions,
        pinned: &NothingPinned,
        directory: judging.directory,
        answers: Some(judging.answers),
        ledger: &ledger,
        only: None,
        record: None,
        moments_left: MOST_MOMENTS_OF_ALL,
        notes: Vec::new(),
    };
    for (place, entry) in judging.entries.iter().enumerate() {
        let past = Earlier(&judging.entries[..place]);
        walk.entry(entry, &past);
    }
    if let Some(last) = judging.entries.last() {
        let past = Earlier(judging.entries);
        walk.wake_until(
            judging
                .until
                .saturating_add(model::Duration::from_millis(1)),
            last,
            &past,
        );
    }
    if let Some(fault) = ledger.fault() {
        return Err(fault);
    }
    let clocks = walk.record.map(|record| record.clocks).unwrap_or_default();
    Ok(JudgedClocks {
        clocks,
        notes: walk.notes,
    })
}

/// The first entries of a journal.
struct Earlier<'a>(&'a [Entry]);

impl Past for Earlier<'_> {
    fn each(&self, show: &mut dyn FnMut(&Entry)) -> std::result::Result<(), StoreError> {
        self.0.iter().for_each(show);
        Ok(())
    }
}

/// Clocks of today are pinned to what is in force today.
struct NothingPinned;

impl Pinned for NothingPinned {
    fn service_level(&self, _: &Digest) -> Option<Arc<ServiceLevel>> {
        None
    }

    fn calendar(&self, _: &Digest) -> Option<Calendar> {
        None
    }
}

/// A journal on its way, with clocks of its own.
struct Walk<'a> {
    id: &'a RecordId,
    workflow: &'a Workflow,
    definitions: &'a Definitions,
    pinned: &'a dyn Pinned,
    directory: &'a dyn Directory,
    answers: Option<&'a dyn Answers>,
    ledger: &'a Ledger<'a>,
    only: Option<Only>,
    /// The record so far.
    record: Option<Record>,
    /// How many entries of its past may still be walked again.
    moments_left: u64,
    notes: Vec<String>,
}

impl Walk<'_> {
    /// Does what is due before an entry, then what the entry does, and looks at the clocks.
    fn entry(&mut self, entry: &Entry, past: &dyn Past) {
        let at = entry.command.at;
        if self.only.is_none() {
            self.wake_until(at, entry, past);
        }
        let mut events = entry.events.iter();
        let after = match &self.record {
            Some(record) => Some(record.clone()),
            None => events.next().and_then(|first| begin(self.id, first, at)),
        };
        let Some(mut after) = after else { return };
        let mut changes = false;
        for event in events.filter(|event| !is_of_clocks(event)) {
            changes |= changes_promise(&after, event);
            apply(&mut after, event, at);
        }
        self.look(&after, changes, entry, past);
        if let Some(record) = &mut self.record {
            record.version = entry.version;
            record.updated_at = at;
        }
    }

    /// Looks at the clocks of the record as an entry left it.
    fn look(&mut self, after: &Record, changes: bool, entry: &Entry, past: &dyn Past) {
        let before = self.record.take();
        let mut replies: Vec<Reply> = Vec::new();
        let looked = loop {
            let input = self.input(before.as_ref(), entry, &replies, past);
            let mut step = Step {
                only: self.only.clone(),
                is_judging: true,
                changes_promise: changes,
                moments_left: self.moments_left,
                ..Step::of(input, self.ledger, after.clone())
            };
            match step.look_at_clocks() {
                Err(Interrupt::Ask(question)) => {
                    let known = self.answers.and_then(|all| all.answer(entry, &question));
                    if known.is_none() {
                        self.note(format!(
                            "at {}: what `{}` would answer is not known, its fallback counts",
                            entry.command.at.to_seconds_text(),
                            question.binding
                        ));
                    }
                    replies.push(known.unwrap_or_else(no_answer));
                }
                _ => break (step.record, step.decisions, step.moments_left),
            }
        };
        let (record, decisions, moments_left) = looked;
        self.moments_left = moments_left;
        self.record = Some(record);
        for decision in decisions {
            if let Decision::Failed { place, message } = decision {
                self.note(format!(
                    "at {}: {place}: {message}",
                    entry.command.at.to_seconds_text()
                ));
            }
        }
    }

    /// Gives the warnings and breaches that are due before an instant, each at its own time.
    fn wake_until(&mut self, until: Instant, entry: &Entry, past: &dyn Past) {
        for _ in 0..MOST_WAKES {
            let Some(record) = self.record.take() else {
                return;
            };
            let clocks = record.clocks.iter();
            let due =
                clocks.filter_map(|clock| Some((clock.next_due()?, super::clocks::key(clock))));
            let Some((due, key)) = due.min().filter(|(due, _)| *due < until) else {
                self.record = Some(record);
                return;
            };
            let command = model::command::Command {
                at: due.max(record.updated_at),
                ..entry.command.clone()
            };
            let input = Input {
                command: &command,
                ..self.input(Some(&record), entry, &[], past)
            };
            let mut step = Step {
                is_judging: true,
                ..Step::of(input, self.ledger, record.clone())
            };
            let now = step.now();
            step.wake_clock(&key, now);
            self.record = Some(step.record);
        }
    }

    fn input<'b>(
        &'b self,
        before: Option<&'b Record>,
        entry: &'b Entry,
        replies: &'b [Reply],
        past: &'b dyn Past,
    ) -> Input<'b> {
        Input {
            record: before,
            workflow: self.workflow,
            definitions: self.definitions,
            pinned: self.pinned,
            directory: self.directory,
            past,
            command: &entry.command,
            replies,
            number: Some(self.id),
        }
    }

    fn note(&mut self, note: String) {
        if self.notes.len() < MOST_NOTES && !self.notes.contains(&note) {
            self.notes.push(note);
        }
    }
}

impl Step<'_> {
    /// The clock of a target as it would stand, had this been promised since the record began. None
    /// where it would never have started, or where the journal is too long to be walked, which is told.
    pub(super) fn relived(
        &mut self,
        level: &Arc<ServiceLevel>,
        target: &Target,
        promise: &Promise,
    ) -> Option<Clock> {
        let record = self.input.record?;
        if record.version > self.moments_left {
            self.failed(
                format!("target {}, change", target.id),
                format!(
                    "the journal is too long to count the clock again from it (at most {MOST_MOMENTS} entries for one decision): only the time in which it ran is"
                ),
            );
            return None;
        }
        self.moments_left -= record.version;
        let mut walk = Walk {
            id: &record.id,
            workflow: self.input.workflow,
            definitions: self.input.definitions,
            pinned: self.input.pinned,
            directory: self.input.directory,
            answers: None,
            ledger: self.ledger,
            only: Some(Only {
                level: level.clone(),
                target: target.id.clone(),
                promise: promise.clone(),
            }),
            record: None,
            moments_left: 0,
            notes: Vec::new(),
        };
        let read = self
            .input
            .past
            .each(&mut |entry| walk.entry(entry, &NoPast));
        self.ledger.kept(read)?;
        // Then the entry under way, as far as it has come.
        let before = walk.record.take();
        let clocks = before.map(|before| before.clocks).unwrap_or_default();
        let present = Record {
            clocks,
            ..self.record.clone()
        };
        let entry = Entry {
            version: record.version,
            previous: Digest::default(),
            command: self.input.command.clone(),
            idempotency: None,
            configuration: Digest::default(),
            lookups: Vec::new(),
            decisions: Vec::new(),
            events: Vec::new(),
        };
        walk.look(&present, false, &entry, &NoPast);
        let clocks = walk.record.map(|record| record.clocks).unwrap_or_default();
        let mut own = clocks.into_iter();
        own.find(|clock| clock.service_level == level.id && clock.target == target.id)
    }
}

/// How many entries a decision may walk.
pub(super) const fn moments() -> u64 {
    MOST_MOMENTS
}

/// Whether an event is of clocks, which are judged anew, or of effects, which cause nothing here.
const fn is_of_clocks(event: &Event) -> bool {
    matches!(
        event,
        Event::ClockSet { .. }
            | Event::ClockPaused { .. }
            | Event::ClockResumed { .. }
            | Event::ClockStopped { .. }
            | Event::ClockCancelled { .. }
            | Event::Warned { .. }
            | Event::Breached { .. }
    )
}

/// What stands for an answer that is not known.
fn no_answer() -> Reply {
    Reply {
        component: None,
        answer: Err(Failure {
            kind: FailureKind::Unavailable,
            message: "what it would have answered is not known".to_owned(),
            retry_after: None,
        }),
        micros: 0,
        lookups: Vec::new(),
    }
}
