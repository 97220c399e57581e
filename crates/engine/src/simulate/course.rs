//! The course of one record: its journal once more, under the definitions that are tried. Beside it goes
//! the record as it was, folded from the same journal, to which it is compared.
//!
//! What people and the outside did is done again at the time of then. What is due in between is done at
//! its own time; only where the journal says that the same instant was served late, it is served as
//! late, since how busy a server was is none of the definitions' doing.

use std::collections::BTreeSet;
use std::sync::Arc;

use definition::compile::Workflow;
use model::command::{Action, Actor, Command, Who};
use model::event::Event;
use model::hook::Reply;
use model::id::{RecordId, WorkflowId};
use model::journal::{Decision, Entry};
use model::record::Record;
use model::{Duration, Instant};

use super::World;
use super::asking::Moment;
use super::chronicle::DirectoryThen;
use super::differences::{Approvals, Differences, Reasons};
use super::effects::Effects;
use super::report::{Difference, Diverged, Judged, Kind};
use super::versions::{PinnedThen, Version};
use crate::apply::{apply, begin};
use crate::decide::{self, DecideError, Decided, Input, Outcome};
use crate::engine::Engine;
use crate::error::EngineError;
use crate::rejection::Rejection;

/// How many things that are due are done of one record.
const MOST_WAKES: u32 = 100_000;

/// One record under way.
pub(super) struct Course<'w> {
    world: &'w World,
    id: &'w RecordId,
    workflow: WorkflowId,
    /// The record as it was.
    recorded: Option<Record>,
    /// The record as it would have been.
    simulated: Option<Record>,
    /// What approvals the whole journal of the record has.
    all_then: Approvals,
    then: Approvals,
    now: Approvals,
    effects: Effects,
    /// The directory changes after which the journal says that its approval was looked at.
    looked_at: BTreeSet<u64>,
    /// The directory changes up to here have been looked at.
    seen: u64,
    /// The position of the last entry that was done again, and the one that comes next.
    position: u64,
    next: u64,
    /// What is due cannot be done until something else has been.
    is_stuck: bool,
    wakes: u32,
    differences: Differences,
    diverged: Option<Diverged>,
    /// It is judged no further.
    is_over: bool,
    /// It is to be put where it was, once the entry that it cannot follow has been folded.
    is_off: bool,
}

/// How something that was tried again ended.
enum Tried {
    Done(Box<Decided>),
    Nothing,
    Refused(Rejection),
}

/// Runs a record's journal again, and says what came of it, and whether the record would be what it is to
/// the last. None where the journal does not begin it.
pub(super) fn judge(
    world: &World,
    id: &RecordId,
    entries: &[(u64, Entry)],
) -> Result<Option<(Judged, bool)>, EngineError> {
    let Some((first, entry)) = entries.first() else {
        return Ok(None);
    };
    let Some(Event::Created { workflow, .. }) = entry.events.first() else {
        return Ok(None);
    };
    let mut course = Course {
        world,
        id,
        workflow: workflow.clone(),
        recorded: None,
        simulated: None,
        all_then: Approvals::default(),
        then: Approvals::default(),
        now: Approvals::default(),
        effects: Effects::default(),
        looked_at: BTreeSet::new(),
        seen: *first,
        position: *first,
        next: *first,
        is_stuck: false,
        wakes: 0,
        differences: Differences::default(),
        diverged: None,
        is_over: false,
        is_off: false,
    };
    for (_, entry) in entries {
        course.all_then.follow(&entry.events, entry.command.at);
        if let Action::DirectoryChanged { position } = entry.command.action {
            course.looked_at.insert(position);
        }
    }
    for (position, entry) in entries {
        course.next = *position;
        course.repeat(*position, entry)?;
        course.position = *position;
        if course.is_over {
            break;
        }
    }
    course.finish().map(Some)
}

impl Course<'_> {
    /// Does again what an entry says was done.
    fn repeat(&mut self, position: u64, entry: &Entry) -> Result<(), EngineError> {
        if matches!(entry.command.action, Action::Wake) {
            self.repeat_wake(position, entry)?;
            if !self.is_over {
                self.fold(entry);
                self.put_back(position, entry)?;
            }
            return Ok(());
        }
        self.advance(entry.command.at)?;
        if self.is_over {
            return Ok(());
        }
        let decisions = if self.is_off {
            Vec::new()
        } else {
            self.repeat_command(position, entry)?
        };
        if self.is_over {
            return Ok(());
        }
        self.fold(entry);
        self.put_back(position, entry)?;
        if !self.is_over {
            self.look(entry.command.at, &entry.decisions, &decisions);
        }
        Ok(())
    }

    /// What was due then is due now, and is done as late as it was; or it is not.
    fn repeat_wake(&mut self, position: u64, entry: &Entry) -> Result<(), EngineError> {
        let Some(due) = self.recorded.as_ref().and_then(Record::next_due) else {
            return Ok(());
        };
        self.advance(due)?;
        let is_due = |record: &Record| record.next_due() == Some(due);
        if !self.is_over && !self.is_off && self.simulated.as_ref().is_some_and(is_due) {
            self.wake(due, Some((position, entry)))?;
        }
        Ok(())
    }

    /// Does what is due before an instant, each thing at its own time, and looks at open approvals
    /// wherever the directory changed.
    fn advance(&mut self, until: Instant) -> Result<(), EngineError> {
        while !self.is_over && !self.is_off {
            let Some(record) = &self.simulated else {
                return Ok(());
            };
            let due = record.next_due().filter(|due| *due < until);
            let due = due.filter(|_| !self.is_stuck);
            let limit = due.unwrap_or(until);
            let chronicle = &self.world.chronicle;
            if record.approval.is_none() {
                // Who may vote is of no concern until something waits for a vote.
                self.seen = self
                    .seen
                    .max(chronicle.last_people_change(self.next, limit));
            }
            let change = chronicle.people_change_after(self.seen);
            let change = change.filter(|(at, when)| *at < self.next && *when <= limit);
            match (change, due) {
                (Some((at, when)), _) => {
                    self.seen = at;
                    if record.approval.is_some() && !self.looked_at.contains(&at) {
                        self.directory_changed(at, when)?;
                    }
                }
                (None, Some(due)) => self.wake(due, None)?,
                (None, None) => return Ok(()),
            }
        }
        Ok(())
    }

    fn directory_changed(&mut self, position: u64, at: Instant) -> Result<(), EngineError> {
        let command = Command {
            actor: Actor::timer(),
            at: self.not_before(at),
            action: Action::DirectoryChanged { position },
        };
        if let Tried::Done(decided) = self.try_again(&command, position, None)? {
            self.accept(*decided, command.at);
        }
        Ok(())
    }

    /// Does the earliest thing that is due: as the entry says it was done, or at its own time.
    fn wake(&mut self, due: Instant, entry: Option<(u64, &Entry)>) -> Result<(), EngineError> {
        if let Some(record) = &self.simulated
            && let Some(approval) = &record.approval
            && let mut stages = approval.stages.iter()
            && let Some(stage) = stages.find(|stage| stage.expires() == Some(due))
            && record.timers.values().all(|timer| *timer != due)
            && !self.all_then.asked(&record.state, &stage.plan.id)
        {
            // Nobody was asked then: that nobody answered in time says nothing.
            self.undecided(due);
            return Ok(());
        }
        let at = self.not_before(entry.map_or(due, |(_, entry)| entry.command.at));
        let before = match entry {
            Some((position, _)) => position - 1,
            None => self.position_at(at),
        };
        let command = Command {
            actor: Actor::timer(),
            at,
            action: Action::Wake,
        };
        let entry = entry.map(|(_, entry)| entry);
        match self.try_again(&command, before, entry)? {
            Tried::Done(decided) => self.accept(*decided, at),
            Tried::Nothing | Tried::Refused(_) => self.is_stuck = true,
        }
        self.wakes += 1;
        if self.wakes > MOST_WAKES {
            let why = format!("more than {MOST_WAKES} things are due of it");
            self.diverge(at, why);
        }
        Ok(())
    }

    /// The last position before something that the journal does not have.
    fn position_at(&self, at: Instant) -> u64 {
        let reached = self.world.chronicle.position_at(at);
        reached.clamp(self.position, self.next.max(self.position + 1) - 1)
    }

    /// A record's entries never go back in time.
    fn not_before(&self, at: Instant) -> Instant {
        let last = self.simulated.as_ref().map(|record| record.updated_at);
        last.map_or(at, |last| at.max(last))
    }

    /// Does again what someone did; gives what was decided of it.
    fn repeat_command(
        &mut self,
        position: u64,
        entry: &Entry,
    ) -> Result<Vec<Decision>, EngineError> {
        let Some(action) = self.effects.action(&entry.command.action) else {
            return Ok(Vec::new());
        };
        let command = Command {
            actor: entry.command.actor.clone(),
            at: self.not_before(entry.command.at),
            action,
        };
        match self.try_again(&command, position - 1, Some(entry))? {
            Tried::Done(mut decided) => {
                let decisions = std::mem::take(&mut decided.decisions);
                self.accept(*decided, command.at);
                Ok(decisions)
            }
            Tried::Nothing => Ok(Vec::new()),
            Tried::Refused(rejection) => {
                self.refused(&command, &rejection);
                Ok(Vec::new())
            }
        }
    }

    fn accept(&mut self, decided: Decided, at: Instant) {
        self.now.follow(&decided.events, at);
        self.effects.follow_now(&decided.events);
        self.simulated = Some(decided.record);
        self.is_stuck = false;
    }

    /// The record as it was, after an entry.
    fn fold(&mut self, entry: &Entry) {
        self.then.follow(&entry.events, entry.command.at);
        self.effects.follow_then(&entry.events);
        let at = entry.command.at;
        let mut events = entry.events.iter();
        let record = match self.recorded.take() {
            Some(record) => Some(record),
            None => events.next().and_then(|first| begin(self.id, first, at)),
        };
        self.recorded = record.map(|mut record| {
            for event in events {
                apply(&mut record, event, at);
            }
            record.version = entry.version;
            record.updated_at = at;
            record
        });
    }

    fn look(&mut self, at: Instant, then: &[Decision], now: &[Decision]) {
        let (Some(before), Some(after)) = (&self.recorded, &self.simulated) else {
            return;
        };
        let version = self.world.versions.under(&self.world.latest);
        let workflow = version.ok().and_then(|version| {
            let item = after.item.as_ref();
            version.definitions.in_force(&after.workflow, item).cloned()
        });
        let reasons = Reasons {
            workflow: workflow.as_deref(),
            then,
            now,
        };
        self.differences.look(before, after, at, reasons);
    }

    /// What is refused is told. A move, a change of fields or a beginning that is leaves the recorded
    /// course; what else is changes nothing of what comes.
    fn refused(&mut self, command: &Command, rejection: &Rejection) {
        let (what, diverges) = match &command.action {
            Action::Vote { .. } => {
                self.unneeded(command, rejection);
                return;
            }
            Action::Transition { name, .. } => (name.to_string(), true),
            Action::Create(create) => {
                let via = create.via.as_ref();
                (via.map_or("create".to_owned(), ToString::to_string), true)
            }
            Action::Update { .. } => ("update".to_owned(), true),
            Action::Comment { .. }
            | Action::Link { .. }
            | Action::Watch { .. }
            | Action::RecallVote { .. }
            | Action::ReassignVote { .. }
            | Action::AskInformation { .. }
            | Action::Refer { .. } => (command.action.name().to_owned(), false),
            // It moves nothing by itself.
            Action::Wake
            | Action::EffectResult { .. }
            | Action::Redrive { .. }
            | Action::TaskEnded { .. }
            | Action::Migrate(_)
            | Action::DirectoryChanged { .. } => return,
        };
        // A move that waits for an approval on which nobody was asked to vote is not what is wrong.
        if let Some(record) = &self.simulated
            && let Some(stage) = record.approval.iter().find_map(|it| it.stages.first())
            && diverges
            && !self.all_then.asked(&record.state, &stage.plan.id)
        {
            self.undecided(command.at);
            return;
        }
        let why = told(rejection);
        let state = |record: &Option<Record>| {
            let record = record.as_ref();
            record.map_or("none".to_owned(), |record| record.state.to_string())
        };
        self.differences.happened(Difference {
            kind: Kind::Impossible,
            what: what.clone(),
            at: command.at,
            then: format!("from {}", state(&self.recorded)),
            now: format!("refused in {}", state(&self.simulated)),
            lasts: true,
            shift_s: None,
            why: Some(why.clone()),
        });
        if diverges {
            self.diverge(command.at, format!("`{what}` is refused: {why}"));
        }
    }

    fn unneeded(&mut self, command: &Command, rejection: &Rejection) {
        let who = command.actor.id();
        let state = self.simulated.as_ref().map(|record| record.state.clone());
        let state = state.map_or(String::new(), |state| state.to_string());
        self.differences.happened(Difference {
            kind: Kind::UnneededVote,
            what: format!("{state}/{who}"),
            at: command.at,
            then: "voted".to_owned(),
            now: "not asked".to_owned(),
            lasts: true,
            shift_s: None,
            why: Some(told(rejection)),
        });
    }

    /// An approval that history has no votes for.
    fn undecided(&mut self, at: Instant) {
        let Some(record) = &self.simulated else {
            return;
        };
        let Some(stage) = record.approval.iter().find_map(|it| it.stages.first()) else {
            return;
        };
        let what = format!("{}/{}", record.state, stage.plan.id);
        let people: Vec<_> = stage.entitled.iter().take(10).collect();
        let people: Vec<_> = people.iter().map(ToString::to_string).collect();
        let why = format!(
            "the stage `{}` asks {}, and nobody voted on it then",
            stage.plan.id,
            people.join(", ")
        );
        let opened_at = stage.opened_at;
        self.differences.happened(Difference {
            kind: Kind::Undecided,
            what,
            at: opened_at,
            then: "not asked".to_owned(),
            now: "undecided".to_owned(),
            lasts: true,
            shift_s: None,
            why: Some(why.clone()),
        });
        self.diverge(at, why);
    }

    fn diverge(&mut self, at: Instant, why: String) {
        if self.diverged.is_none() {
            self.diverged = Some(Diverged { at, why });
        }
        self.is_off = true;
        self.is_over = !self.world.follow;
    }

    /// Puts a record that could not follow where it was after the entry.
    fn put_back(&mut self, position: u64, entry: &Entry) -> Result<(), EngineError> {
        if !std::mem::take(&mut self.is_off) {
            return Ok(());
        }
        let Some(recorded) = self.recorded.take() else {
            return Ok(());
        };
        let command = Command {
            at: self.not_before(entry.command.at),
            ..entry.command.clone()
        };
        let put = |input: Input<'_>| decide::put(input, &recorded);
        let tried = self.try_by(&command, position - 1, Some(entry), &put);
        self.recorded = Some(recorded);
        match tried? {
            Tried::Done(decided) => self.accept(*decided, command.at),
            Tried::Nothing | Tried::Refused(_) => self.is_over = true,
        }
        Ok(())
    }

    /// Decides what a command does to the record as it would be.
    fn try_again(
        &self,
        command: &Command,
        before: u64,
        entry: Option<&Entry>,
    ) -> Result<Tried, EngineError> {
        let by = |input: Input<'_>| {
            if input.replies.is_empty() && !may_see(input)? {
                return Err(Rejection::not_found("record", self.id).into());
            }
            decide::decide(input)
        };
        self.try_by(command, before, entry, &by)
    }

    fn try_by(
        &self,
        command: &Command,
        before: u64,
        entry: Option<&Entry>,
        by: &dyn Fn(Input<'_>) -> Result<Outcome, DecideError>,
    ) -> Result<Tried, EngineError> {
        let world = self.world;
        let configuration = entry.map_or_else(
            || world.chronicle.configuration(before),
            |entry| entry.configuration,
        );
        let version = world.versions.under(&configuration)?;
        let workflow = match (&self.simulated, &command.action) {
            (Some(record), _) => world.versions.workflow_of(&version.definitions, record)?,
            (None, Action::Create(create)) => {
                match Engine::workflow_to_begin(&version.definitions, create) {
                    Ok(workflow) => workflow,
                    Err(EngineError::Rejected(rejection)) => return Ok(Tried::Refused(rejection)),
                    Err(error) => return Err(error),
                }
            }
            (None, _) => return Ok(Tried::Nothing),
        };
        let moment = Moment {
            version: &version,
            entry,
            before,
        };
        match self.decide(&workflow, &version, moment, command, by) {
            Ok(Some(decided)) => Ok(Tried::Done(decided)),
            Ok(None) => Ok(Tried::Nothing),
            Err(EngineError::Rejected(rejection)) => Ok(Tried::Refused(rejection)),
            Err(error) => Err(error),
        }
    }

    fn decide(
        &self,
        workflow: &Arc<Workflow>,
        version: &Version,
        moment: Moment<'_>,
        command: &Command,
        by: &dyn Fn(Input<'_>) -> Result<Outcome, DecideError>,
    ) -> Result<Option<Box<Decided>>, EngineError> {
        let world = self.world;
        let definitions = &*version.definitions;
        let directory = DirectoryThen {
            chronicle: &world.chronicle,
            before: moment.before,
            lookups: moment.entry.map_or(&[], |entry| &entry.lookups),
        };
        let pinned = PinnedThen {
            versions: &world.versions,
            definitions,
        };
        let mut replies: Vec<Reply> = Vec::new();
        loop {
            let input = Input {
                record: self.simulated.as_ref(),
                workflow,
                definitions,
                pinned: &pinned,
                directory: &directory,
                command,
                replies: &replies,
                number: Some(self.id),
            };
            match by(input)? {
                Outcome::Ask(question) => {
                    let (versions, chronicle) = (&world.versions, &world.chronicle);
                    let asking = &world.asking;
                    let reply = asking.answer(versions, chronicle, moment, command, &question)?;
                    replies.push(reply);
                }
                // It has its number.
                Outcome::Number | Outcome::Nothing => return Ok(None),
                Outcome::Decided(decided) => return Ok(Some(decided)),
            }
        }
    }

    /// Lets time run on to the end, and compares what is there.
    fn finish(mut self) -> Result<(Judged, bool), EngineError> {
        if !self.is_over {
            let end = self.world.chronicle.end;
            let after = end.saturating_add(Duration::from_millis(1));
            // What was due and had not been done when the server stopped is not done here either.
            let left = self.recorded.as_ref().and_then(Record::next_due);
            self.next = self.world.chronicle.position + 1;
            self.advance(left.map_or(after, |left| left.min(after)))?;
        }
        let is_open = |record: &Option<Record>| {
            let record = record.as_ref();
            record.is_some_and(|record| record.approval.is_some())
        };
        let waits = is_open(&self.simulated) && !is_open(&self.recorded);
        if !self.is_over && !self.is_off && waits {
            self.undecided(self.world.chronicle.end);
        }
        if !self.is_over && !self.is_off {
            self.look(self.world.chronicle.end, &[], &[]);
            if let (Some(then), Some(now)) = (&self.recorded, &self.simulated) {
                self.differences.look_at_clocks(then, now);
            }
        }
        let whole = !self.is_over && !self.is_off;
        Approvals::compare(&self.then, &self.now, whole, &mut self.differences);
        let is_identical = self.is_identical();
        let judged = Judged {
            record: self.id.clone(),
            workflow: self.workflow,
            diverged: self.diverged,
            differences: self.differences.finish(),
        };
        Ok((judged, is_identical))
    }

    /// Whether the record would be what it is, to the last stretch of its clocks.
    fn is_identical(&self) -> bool {
        let (Some(then), Some(now)) = (&self.recorded, &self.simulated) else {
            return false;
        };
        self.differences.is_empty() && then == now
    }
}

/// Whether whoever gives the command may see the record.
fn may_see(input: Input<'_>) -> Result<bool, DecideError> {
    let Some(record) = input.record else {
        return Ok(true);
    };
    if !matches!(input.command.actor.who, Who::Person(_)) {
        return Ok(true);
    }
    let is_asked = record.approval.as_ref().is_some_and(|approval| {
        let person = input.command.actor.person();
        person.is_some_and(|person| approval.asks(person))
    });
    Ok(is_asked || decide::permits(input, record, &input.workflow.see)?)
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
