//! A record: where one incident, request or change stands. It is the fold of its journal.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::definition::{Category, Choice, CreateEffect, Rejects};
use crate::directory::Key;
use crate::event::EventKind;
use crate::id::{
    BindingId, CalendarId, CatalogueItemId, EscalationStepId, FieldId, LinkKind, PersonId,
    RecordId, RoleId, ServiceLevelId, StageId, StateId, TargetId, TaskId, TeamId, TimerId,
    TransitionId, WarningId, WorkflowId,
};
use crate::{Digest, Duration, Instant, Value};

/// One incident, request, problem, change, …
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// Its number.
    pub id: RecordId,
    /// Its workflow, and the version of it that it runs under.
    pub workflow: WorkflowId,
    /// The digest of that version.
    pub definition: Digest,
    /// The item of the catalogue that was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub item: Option<CatalogueItemId>,
    /// The record that it is a task of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<TaskOf>,
    /// Its state.
    pub state: StateId,
    /// The part of its life that the state is in.
    pub category: Category,
    /// How it ended, where its state says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<String>,
    /// Rises by one with every journal entry; 1 once created.
    pub version: u64,
    /// Who asked for it.
    pub requester: Option<PersonId>,
    /// Who works on it.
    pub assignee: Option<PersonId>,
    /// The team it is with.
    pub team: Option<TeamId>,
    /// When it was created.
    pub created_at: Instant,
    /// When it last changed.
    pub updated_at: Instant,
    /// When it entered its state.
    pub state_since: Instant,
    /// Its fields that are set.
    pub fields: BTreeMap<FieldId, Value>,
    /// Decided fields that were set by hand.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub overridden: BTreeSet<FieldId>,
    /// Who follows it.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub watchers: BTreeSet<PersonId>,
    /// Its links, in both directions.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub links: Vec<Link>,
    /// When its work is planned, where that counts for others.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub window: Option<PlannedWindow>,
    /// What bindings call it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub references: Vec<(BindingId, String)>,
    /// The votes of rounds that ended, the last hundred, oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub past_votes: Vec<crate::hook::PastVote>,
    /// The agreement that its state waits for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approval: Option<Approval>,
    /// Who was told that it waits to be acknowledged, and when the next are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub escalation: Option<Escalation>,
    /// The tasks that its state handed out, or the last state that handed out any.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub tasks: BTreeMap<TaskId, Task>,
    /// The running and ended measures of its promises.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub clocks: Vec<Clock>,
    /// When its timers are due.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub timers: BTreeMap<TimerId, Instant>,
    /// What is still to be done outside.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub effects: BTreeMap<EffectKey, PendingEffect>,
    /// The hash of its last journal entry.
    pub head: Digest,
}

/// The longest that a planned window may be.
pub const LONGEST_WINDOW: Duration = Duration::from_secs(366 * 86_400);

/// When the work of a record is planned, and what it may disturb.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedWindow {
    /// When it begins.
    pub from: Instant,
    /// When it is over: after `from`, by at most [`LONGEST_WINDOW`].
    pub to: Instant,
    /// What may be disturbed.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub affects: BTreeSet<Key>,
}

/// A link to another record.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Link {
    /// How.
    pub kind: LinkKind,
    /// To which.
    pub target: RecordId,
    /// Whether it was made from the other side.
    #[serde(default)]
    pub inverse: bool,
}

/// What a record is a task of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaskOf {
    /// The record that handed it out.
    pub record: RecordId,
    /// Which of its tasks.
    pub task: TaskId,
    /// The effect by which it was handed out, so that one of another round is not taken for it.
    pub begun: EffectKey,
}

/// A task that a state handed out, as its record knows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Task {
    /// Its workflow.
    pub workflow: WorkflowId,
    /// How far it has come.
    pub status: TaskStatus,
    /// The effect by which it was handed out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub begun: Option<EffectKey>,
    /// Its own record, once that has begun.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub record: Option<RecordId>,
    /// How it ended; `done` is success.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<String>,
}

/// How far a task has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TaskStatus {
    /// It waits for those that it needs.
    Waiting,
    /// It was handed out.
    Open,
    /// It has ended.
    Ended,
    /// It was not waited for: the record went on without it.
    Dropped,
}

impl TaskStatus {
    /// Its name in expressions and the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Open => "open",
            Self::Ended => "ended",
            Self::Dropped => "dropped",
        }
    }
}

/// How a task ends that ends well.
pub const DONE: &str = "done";

/// An approval under way.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(from = "ApprovalKept", into = "ApprovalKept")]
pub struct Approval {
    /// The binding that set the stages; the definition where there is none.
    pub by: Option<BindingId>,
    /// The stages that are open: one, or several that opened beside each other.
    pub stages: Vec<OpenStage>,
    /// What a plugin asked for after it; the definition's stages are looked up when their turn comes.
    pub next: Vec<StagePlan>,
}

impl Approval {
    /// An open stage.
    pub fn stage(&self, id: &StageId) -> Option<&OpenStage> {
        self.stages.iter().find(|stage| stage.plan.id == *id)
    }

    /// Whether this person is asked: in their own right, or in someone's place.
    pub fn asks(&self, person: &PersonId) -> bool {
        self.stages.iter().any(|stage| stage.asks(person))
    }
}

/// How an approval is written: what opened beside the first stage came later, and whoever reads the
/// stage that opens, plugins among them, finds it where it always was.
#[derive(Serialize, Deserialize)]
struct ApprovalKept {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    by: Option<BindingId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    stage: Option<OpenStage>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    beside: Vec<OpenStage>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    next: Vec<StagePlan>,
}

impl From<ApprovalKept> for Approval {
    fn from(kept: ApprovalKept) -> Self {
        Self {
            by: kept.by,
            stages: kept.stage.into_iter().chain(kept.beside).collect(),
            next: kept.next,
        }
    }
}

impl From<Approval> for ApprovalKept {
    fn from(approval: Approval) -> Self {
        let mut stages = approval.stages.into_iter();
        Self {
            by: approval.by,
            stage: stages.next(),
            beside: stages.collect(),
            next: approval.next,
        }
    }
}

/// A stage that is to be asked.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StagePlan {
    /// Its id.
    pub id: StageId,
    /// Who is asked.
    pub approvers: Vec<ResolvedApprover>,
    /// How many must approve, of those asked.
    pub quorum: crate::definition::Quorum,
    /// What a rejection does.
    pub rejects: Rejects,
    /// How long there is.
    pub timeout: Option<crate::definition::Wait>,
    /// Whether the requester may vote too.
    pub allow_self: bool,
}

/// An approver, with relations to the record resolved.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ResolvedApprover {
    /// One person.
    Person(PersonId),
    /// The members of a team.
    Team(TeamId),
    /// Everyone with a role.
    Role(RoleId),
    /// Nobody: the relation led to no one.
    Nobody,
}

/// A stage whose votes are being taken.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OpenStage {
    /// What was planned.
    pub plan: StagePlan,
    /// When it opened.
    pub opened_at: Instant,
    /// The version of the record in which it opened; 0 where that was before this was kept.
    #[serde(default, skip_serializing_if = "is_unknown")]
    pub opened_in: u64,
    /// How many approvals it needs, fixed as it opened.
    pub needed: u32,
    /// Who may vote.
    pub entitled: BTreeSet<PersonId>,
    /// The votes so far, one a person, by whose vote it is.
    pub votes: BTreeMap<PersonId, Vote>,
    /// When it expires.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due: Option<Instant>,
    /// Who handed their vote on, and to whom.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub reassigned: BTreeMap<PersonId, PersonId>,
    /// Who is out of office, and who stands in for them.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub substitutes: BTreeMap<PersonId, PersonId>,
    /// When somebody's absence begins or ends next.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub look_at: Option<Instant>,
    /// When its timers are due.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub timers: BTreeMap<TimerId, Instant>,
    /// The question that waits for the requester's answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub question: Option<AskedFor>,
    /// How many votes of each were taken back or lost, by which a link for a vote is good once.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub recalled: BTreeMap<PersonId, u32>,
}

impl OpenStage {
    /// Whether this person may vote: in their own right, or in someone's place.
    pub fn asks(&self, person: &PersonId) -> bool {
        self.entitled.contains(person) || self.substitutes.values().any(|it| it == person)
    }

    /// Whose vote this person gave, or had given for them.
    pub fn given_by(&self, person: &PersonId) -> Option<&PersonId> {
        let mut votes = self.votes.iter();
        let given =
            votes.find(|(whose, vote)| *whose == person || vote.by.as_ref() == Some(person));
        given.map(|(whose, _)| whose)
    }

    /// Whose votes this person may give now, one of them: their own, or those of whom they stand in for.
    pub fn may_give(&self, person: &PersonId) -> Vec<&PersonId> {
        if self.given_by(person).is_some() {
            return Vec::new();
        }
        if let Some(own) = self.entitled.get(person) {
            return vec![own];
        }
        let stands_in = self.substitutes.iter().filter(|(_, it)| *it == person);
        let principals = stands_in.map(|(principal, _)| principal);
        principals
            .filter(|principal| !self.votes.contains_key(*principal))
            .collect()
    }

    /// Those whose votes are still awaited, and those who stand in for them.
    pub fn awaited(&self) -> BTreeSet<PersonId> {
        let silent = self
            .entitled
            .iter()
            .filter(|person| !self.votes.contains_key(*person));
        silent
            .flat_map(|person| [Some(person), self.substitutes.get(person)])
            .flatten()
            .cloned()
            .collect()
    }

    /// When it expires, unless it stands still.
    pub fn expires(&self) -> Option<Instant> {
        let is_held = self
            .question
            .as_ref()
            .is_some_and(|question| question.holds);
        self.due.filter(|_| !is_held)
    }

    /// The instants at which something of it is due.
    fn dues(&self) -> impl Iterator<Item = Instant> {
        let timers = self.timers.values().copied();
        timers.chain(self.expires()).chain(self.look_at)
    }
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "the signature that serde calls"
)]
const fn is_unknown(version: &u64) -> bool {
    *version == 0
}

/// A question that an approver asked before voting.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AskedFor {
    /// Who asked.
    pub person: PersonId,
    /// When.
    pub at: Instant,
    /// What.
    pub text: String,
    /// Whether the stage's timeout stands still meanwhile.
    #[serde(default)]
    pub holds: bool,
}

/// A team's work that waits for somebody to acknowledge it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Escalation {
    /// The team whose escalation it is.
    pub team: TeamId,
    /// The step that is open.
    pub step: EscalationStepId,
    /// How often the steps were gone through before.
    pub round: u32,
    /// Everyone who was told so far.
    pub told: BTreeSet<PersonId>,
    /// When it began.
    pub since: Instant,
    /// When the next step is due; never where the step's wait has no end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due: Option<Instant>,
}

/// A vote.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Vote {
    /// For or against, or neither.
    #[serde(rename = "approves", with = "approves")]
    pub choice: Choice,
    /// Who gave it, where someone stood in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<PersonId>,
    /// When.
    pub at: Instant,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
    /// Whether it came by a link.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub by_link: bool,
}

/// How a vote is written: `true`, `false`, or nothing where it is neither.
pub(crate) mod approves {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use crate::definition::Choice;

    #[expect(
        clippy::trivially_copy_pass_by_ref,
        reason = "the signature that serde calls"
    )]
    pub(crate) fn serialize<S: Serializer>(choice: &Choice, to: S) -> Result<S::Ok, S::Error> {
        choice.approves().serialize(to)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Choice, D::Error> {
        let approves = Option::<bool>::deserialize(from)?;
        Ok(approves.map_or(Choice::Abstain, Choice::of))
    }
}

/// The running measure of one target.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Clock {
    /// The service level, and the version of it that it runs under.
    pub service_level: ServiceLevelId,
    /// The digest of that version.
    pub definition: Digest,
    /// The target.
    pub target: TargetId,
    /// The calendars it has been counted in, the present one last; none as time passes.
    pub calendars: Vec<Option<ClockCalendar>>,
    /// What was promised; none where no goal applies.
    pub goal: Option<ClockGoal>,
    /// Why that goal, where a plugin or a table said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The service level whose clock of the same target it took over from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub took_over: Option<ServiceLevelId>,
    /// Whether it runs.
    pub status: ClockStatus,
    /// When it started.
    pub started_at: Instant,
    /// The time used in the stretches that ended.
    pub elapsed: Duration,
    /// Where it runs: the beginning of the present stretch. Where not: the end of the last one.
    pub since: Instant,
    /// The stretches that ended.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub stretches: Vec<Stretch>,
    /// When the goal is used up; unknown while paused with goal left.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due: Option<Instant>,
    /// While it runs: the instant at which it is breached.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub breach_at: Option<Instant>,
    /// While it runs: the warnings still to be given, and when.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub warnings: BTreeMap<WarningId, Instant>,
    /// The warnings given.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub warned: BTreeSet<WarningId>,
    /// Shares of the goal, in percent, at which a plugin wants a warning.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warn_at_percent: Vec<u32>,
    /// When it was breached.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub breached_at: Option<Instant>,
}

/// A calendar, and the version of it that a clock is counted in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClockCalendar {
    /// The calendar.
    pub id: CalendarId,
    /// The digest of its version.
    pub digest: Digest,
    /// The zone that it is read in, where that is not its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zone: Option<String>,
}

/// What a clock was promised.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ClockGoal {
    /// So much time in its calendar.
    Within(Duration),
    /// By an instant that no pause moves.
    DueAt(Instant),
}

/// Whether a clock runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(inline)]
pub enum ClockStatus {
    /// It counts.
    Running,
    /// It stands still.
    Paused,
    /// It ended.
    Stopped,
    /// It ended unjudged: its service level does not cover the record any more.
    Cancelled,
}

/// A stretch of time, half open, in which a clock ran.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stretch {
    /// Its first instant.
    pub from: Instant,
    /// The first instant after it.
    pub to: Instant,
    /// The place of its calendar among the clock's.
    pub calendar: u16,
}

/// The verdict on a clock, as reports give it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(inline)]
pub enum Verdict {
    /// Stopped within the goal.
    Met,
    /// More than the goal was used.
    Breached,
    /// Neither yet.
    Running,
    /// Neither, and it will not be: the promise was withdrawn.
    Cancelled,
}

impl Clock {
    /// The verdict as it stands.
    pub const fn verdict(&self) -> Verdict {
        match (self.breached_at, self.status) {
            (Some(_), _) => Verdict::Breached,
            (None, ClockStatus::Stopped) => Verdict::Met,
            (None, ClockStatus::Cancelled) => Verdict::Cancelled,
            _ => Verdict::Running,
        }
    }

    /// The next instant at which something is due of it: a warning, or just after its breach.
    pub fn next_due(&self) -> Option<Instant> {
        self.dues().min()
    }

    /// The instants at which something is due of it.
    fn dues(&self) -> impl Iterator<Item = Instant> {
        let breach = match self.breached_at {
            None => self
                .breach_at
                .map(|at| at.saturating_add(Duration::from_millis(1))),
            Some(_) => None,
        };
        self.warnings.values().copied().chain(breach)
    }
}

impl Record {
    /// The earliest instant at which something of the record itself is due: a timer, a clock, a stage, a
    /// step of an escalation.
    pub fn next_due(&self) -> Option<Instant> {
        self.dues().min()
    }

    /// The instant at which something of it is due once the earliest thing is done; the same instant
    /// again where two things are due at once.
    pub fn due_after_next(&self) -> Option<Instant> {
        let mut earliest = [None, None];
        for due in self.dues() {
            match earliest {
                [None, _] => earliest = [Some(due), None],
                [Some(first), _] if due < first => earliest = [Some(due), Some(first)],
                [_, None] => earliest[1] = Some(due),
                [_, Some(second)] => earliest[1] = Some(second.min(due)),
            }
        }
        earliest[1]
    }

    /// The instants at which something of it is due.
    fn dues(&self) -> impl Iterator<Item = Instant> {
        let timers = self.timers.values().copied();
        let clocks = self.clocks.iter().flat_map(Clock::dues);
        let stages = self.approval.iter().flat_map(|approval| &approval.stages);
        let stages = stages.flat_map(OpenStage::dues);
        let escalation = self.escalation.iter().filter_map(|it| it.due);
        timers.chain(clocks).chain(stages).chain(escalation)
    }

    /// The earliest instant at which one of its effects is to be tried.
    pub fn next_effect(&self) -> Option<Instant> {
        self.ready_effects().map(|(_, effect)| effect.next_at).min()
    }

    /// The effects that may be tried once their time has come: deliveries to one binding go in order,
    /// so that only the first of them is among these; dead ones hold nothing up.
    pub fn ready_effects(&self) -> impl Iterator<Item = (EffectKey, &PendingEffect)> {
        let mut told: BTreeSet<&BindingId> = BTreeSet::new();
        self.effects
            .iter()
            .filter(|(_, effect)| !effect.dead)
            .filter_map(move |(key, effect)| match &effect.call {
                EffectCall::Deliver { binding, .. } => {
                    told.insert(binding).then_some((*key, effect))
                }
                EffectCall::Create { .. }
                | EffectCall::LinkBack { .. }
                | EffectCall::Take { .. }
                | EffectCall::TaskEnded { .. } => Some((*key, effect)),
            })
    }

    /// What this binding calls the record.
    pub fn references_of(&self, binding: &BindingId) -> impl Iterator<Item = &str> {
        self.references
            .iter()
            .filter(move |(of, _)| of == binding)
            .map(|(_, reference)| reference.as_str())
    }

    /// The records that it is linked to by a kind of link, seen from its declared side or its inverse.
    pub fn links_of(&self, kind: &LinkKind, inverse: bool) -> impl Iterator<Item = &RecordId> {
        let of = move |link: &&Link| link.kind == *kind && link.inverse == inverse;
        self.links.iter().filter(of).map(|link| &link.target)
    }

    /// A field's value; `Null` where it is not set.
    pub fn field(&self, id: &str) -> &Value {
        self.fields.get(id).unwrap_or(&Value::Null)
    }
}

/// Which effect of a record: the version that caused it, and its place there. Written `7.1`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EffectKey {
    /// The version of the record that caused it.
    pub version: u64,
    /// Its place among the effects of that version.
    pub index: u32,
}

/// Not two numbers joined by a dot.
#[derive(Clone, Copy, Debug, thiserror::Error, PartialEq, Eq)]
#[error("an effect of a record reads `7.1`: the version that caused it and its place there")]
pub struct EffectKeyError;

impl fmt::Display for EffectKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.version, self.index)
    }
}

impl FromStr for EffectKey {
    type Err = EffectKeyError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (version, index) = text.split_once('.').ok_or(EffectKeyError)?;
        let wrong = |_| EffectKeyError;
        Ok(Self {
            version: version.parse().map_err(wrong)?,
            index: index.parse().map_err(wrong)?,
        })
    }
}

impl Serialize for EffectKey {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for EffectKey {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// Something still to be done outside.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PendingEffect {
    /// What.
    pub call: EffectCall,
    /// How often it was tried.
    pub attempts: u32,
    /// When it is to be tried next.
    pub next_at: Instant,
    /// Whether it was given up; an operator may redrive it.
    #[serde(default)]
    pub dead: bool,
    /// What went wrong last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// What an effect does.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum EffectCall {
    /// Tells a binding of an event of the version that caused it.
    Deliver {
        /// The binding.
        binding: BindingId,
        /// The kind of event.
        kind: EventKind,
        /// The place of the event among those of the version.
        event: u32,
    },
    /// Creates a record.
    Create {
        /// What the definition says, its settings computed.
        create: CreateEffect,
        /// The task that it is, where it is one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        task: Option<TaskId>,
    },
    /// Tells the other record of a link.
    LinkBack {
        /// How.
        kind: LinkKind,
        /// The other record.
        target: RecordId,
        /// Whether the other record has it from its other side.
        #[serde(default = "yes")]
        inverse: bool,
    },
    /// Has another record take a transition.
    Take {
        /// The other record.
        target: RecordId,
        /// Which.
        transition: TransitionId,
        /// What is filled into its form.
        input: serde_json::Map<String, serde_json::Value>,
    },
    /// Tells the record whose task this one is that it has ended.
    TaskEnded {
        /// What it was a task of.
        of: TaskOf,
        /// How it ended.
        outcome: String,
    },
}

const fn yes() -> bool {
    true
}
