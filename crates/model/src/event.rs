//! Events: what came of a command. Applied in order they give the record.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::definition::{Category, Choice, Outcome};
use crate::directory::Key;
use crate::hook::Failure;
use crate::id::{
    BindingId, CatalogueItemId, EscalationStepId, FieldId, LinkKind, NoticeId, PersonId, RecordId,
    ServiceLevelId, StageId, StateId, TargetId, TaskId, TeamId, TimerId, TransitionId, WarningId,
    WorkflowId,
};
use crate::preference::Ways;
use crate::record::{Approval, AskedFor, Clock, EffectCall, EffectKey, PlannedWindow, TaskOf};
use crate::{Digest, Duration, Instant, Value};

/// Something that happened to a record.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Event {
    /// It began.
    Created {
        /// Its workflow.
        workflow: WorkflowId,
        /// The version of the workflow that it runs under.
        definition: Digest,
        /// The way it began.
        via: TransitionId,
        /// Its first state.
        state: StateId,
        /// The state's part of its life.
        category: Category,
        /// How a record that ends there ended.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        outcome: Option<String>,
        /// Who asked for it.
        requester: Option<PersonId>,
        /// The item of the catalogue that was asked for.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        item: Option<CatalogueItemId>,
        /// What it is a task of.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        parent: Option<TaskOf>,
    },
    /// A transition was taken that leads to a state.
    Entered {
        /// The transition.
        via: TransitionId,
        /// The state it left.
        from: StateId,
        /// The state it entered.
        to: StateId,
        /// That state's part of its life.
        category: Category,
        /// How a record that ends there ended.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        outcome: Option<String>,
    },
    /// A transition was taken that leads nowhere else.
    Stayed {
        /// The transition.
        via: TransitionId,
    },
    /// It came under another version of its workflow.
    Migrated {
        /// The version it ran under.
        from: Digest,
        /// The version it runs under.
        to: Digest,
        /// The migration that said how, where there was one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        migration: Option<Digest>,
        /// The state it was in.
        left: StateId,
        /// The state it is in.
        entered: StateId,
        /// That state's part of its life.
        category: Category,
        /// How a record that ends there ended.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        outcome: Option<String>,
    },
    /// A field changed.
    FieldSet {
        /// Which.
        field: FieldId,
        /// To what.
        value: Value,
        /// By what.
        by: SetBy,
    },
    /// A field that a table decides is left to the table again.
    OverrideCleared {
        /// Which.
        field: FieldId,
    },
    /// It is with another team or person.
    Assigned {
        /// The team.
        team: Option<TeamId>,
        /// The person.
        assignee: Option<PersonId>,
        /// Why, for people.
        reason: String,
    },
    /// It is for someone else.
    RequesterSet {
        /// Whom.
        requester: Option<PersonId>,
    },
    /// Someone said something.
    Commented {
        /// What.
        text: String,
        /// Whether the requester sees it.
        public: bool,
    },
    /// It was linked.
    Linked {
        /// How.
        kind: LinkKind,
        /// To which.
        target: RecordId,
        /// Whether from the other side.
        inverse: bool,
    },
    /// Someone follows it, or no longer does.
    Watched {
        /// Who.
        person: PersonId,
        /// Whether they do.
        watches: bool,
    },
    /// It stands otherwise in the change calendar, or no longer does.
    WindowPlanned {
        /// Its window.
        window: Option<PlannedWindow>,
        /// The freezes that the window touches, by the names of their calendars.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        freezes: Vec<String>,
        /// What is affected and has maintenance hours that the window leaves.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        outside: Vec<Key>,
        /// The records whose windows it meets.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        conflicts: Vec<RecordId>,
    },
    /// A binding has a name for it.
    Referred {
        /// The binding.
        binding: BindingId,
        /// Its name.
        reference: String,
    },
    /// A stage of an approval opened, or several beside each other.
    StageOpened {
        /// The approval as it stands.
        approval: Box<Approval>,
    },
    /// Someone voted.
    Voted {
        /// The stage.
        stage: StageId,
        /// Whose vote it is.
        person: PersonId,
        /// For or against, or neither.
        #[serde(rename = "approves", with = "crate::record::approves")]
        choice: Choice,
        /// Who gave it, where someone stood in.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        by: Option<PersonId>,
        /// Why.
        comment: Option<String>,
        /// Whether it came by a link.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        by_link: bool,
    },
    /// A vote was taken back before the stage was decided.
    VoteRecalled {
        /// The stage.
        stage: StageId,
        /// Whose vote it was.
        person: PersonId,
        /// Whether it was lost, with the right of who stood in.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        lost: bool,
    },
    /// Someone handed their vote on.
    VoteReassigned {
        /// The stage.
        stage: StageId,
        /// Whose vote it was.
        from: PersonId,
        /// Whose it is.
        to: PersonId,
        /// Why.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        comment: Option<String>,
    },
    /// Others than before stand in for those who are out of office.
    Substituted {
        /// The stage.
        stage: StageId,
        /// Who stands in, by for whom.
        substitutes: BTreeMap<PersonId, PersonId>,
        /// When somebody's absence begins or ends next.
        look_at: Option<Instant>,
    },
    /// An approver wants to know something before voting.
    InformationAsked {
        /// The stage.
        stage: StageId,
        /// What, by whom and when.
        question: AskedFor,
    },
    /// What an approver wanted to know was answered, or is of no more concern.
    InformationGiven {
        /// The stage.
        stage: StageId,
        /// When the stage expires now.
        due: Option<Instant>,
    },
    /// A timer of a stage was set.
    StageTimerSet {
        /// The stage.
        stage: StageId,
        /// Which.
        timer: TimerId,
        /// When it is due.
        due: Instant,
    },
    /// A timer of a stage fired.
    StageTimerFired {
        /// The stage.
        stage: StageId,
        /// Which.
        timer: TimerId,
        /// When it was due.
        due: Instant,
    },
    /// Those who may vote in the open stage are others now; whoever left lost their vote.
    Entitled {
        /// The stage.
        stage: StageId,
        /// Who may vote.
        entitled: Vec<PersonId>,
        /// Whose votes were lost with the right.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        lost: Vec<PersonId>,
    },
    /// A stage ended.
    StageEnded {
        /// The stage.
        stage: StageId,
        /// How.
        outcome: Outcome,
        /// Where it expired: when that was due.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        due: Option<Instant>,
    },
    /// The approval ended.
    ApprovalEnded {
        /// How.
        outcome: Outcome,
        /// Why, for people.
        reason: String,
    },
    /// People were told that the record waits to be acknowledged.
    Escalated {
        /// The team whose escalation it is.
        team: TeamId,
        /// The step.
        step: EscalationStepId,
        /// How often the steps were gone through before.
        round: u32,
        /// Who was told.
        told: Vec<PersonId>,
        /// Why those, for people.
        reason: String,
        /// Until when they have to acknowledge it.
        due: Option<Instant>,
        /// When the step was due, where one came before it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        was_due: Option<Instant>,
    },
    /// The record waits for nobody's acknowledgement any more.
    EscalationEnded {
        /// How.
        how: EscalationEnded,
        /// Why, for people.
        reason: String,
    },
    /// The state hands out these tasks; those of before are forgotten.
    TasksSet {
        /// Each with its workflow.
        tasks: BTreeMap<TaskId, WorkflowId>,
    },
    /// A task was handed out.
    TaskOpened {
        /// Which.
        task: TaskId,
        /// The effect that begins it.
        effect: EffectKey,
    },
    /// A task's own record has begun.
    TaskBegun {
        /// Which.
        task: TaskId,
        /// Its record.
        record: RecordId,
    },
    /// A task ended.
    TaskEnded {
        /// Which.
        task: TaskId,
        /// Its record.
        record: RecordId,
        /// How; `done` is success.
        outcome: String,
    },
    /// A task is not waited for any more.
    TaskDropped {
        /// Which.
        task: TaskId,
    },
    /// A clock was set, or set anew.
    ClockSet {
        /// The clock as it stands.
        clock: Box<Clock>,
    },
    /// A clock stood still.
    ClockPaused {
        /// Which.
        clock: ClockKey,
        /// The time used so far.
        elapsed: Duration,
        /// When the goal was used up, where it was.
        due: Option<Instant>,
    },
    /// A clock went on.
    ClockResumed {
        /// Which.
        clock: ClockKey,
        /// When its goal is used up.
        due: Option<Instant>,
        /// When it is breached.
        breach_at: Option<Instant>,
        /// When its warnings are given.
        warnings: BTreeMap<WarningId, Instant>,
    },
    /// A clock ended.
    ClockStopped {
        /// Which.
        clock: ClockKey,
        /// The time used.
        elapsed: Duration,
        /// When the goal was, or would have been, used up.
        due: Option<Instant>,
    },
    /// A clock was given up: its service level does not cover the record any more.
    ClockCancelled {
        /// Which.
        clock: ClockKey,
        /// The time used.
        elapsed: Duration,
    },
    /// A warning was given.
    Warned {
        /// Of which clock.
        clock: ClockKey,
        /// Which warning.
        warning: WarningId,
        /// The instant it was due.
        at: Instant,
    },
    /// More than the goal was used.
    Breached {
        /// Of which clock.
        clock: ClockKey,
        /// The exact instant.
        at: Instant,
    },
    /// A timer was set.
    TimerSet {
        /// Which.
        timer: TimerId,
        /// When it is due.
        due: Instant,
    },
    /// A timer was dropped.
    TimerCleared {
        /// Which.
        timer: TimerId,
    },
    /// A timer fired.
    TimerFired {
        /// Which.
        timer: TimerId,
        /// When it was due.
        due: Instant,
    },
    /// People are told.
    Notified {
        /// The notice.
        notice: NoticeId,
        /// Who.
        to: Vec<PersonId>,
        /// Its subject, rendered.
        subject: String,
        /// Its text, rendered.
        text: String,
    },
    /// Some of those whom a notice of this entry tells something prefer to hear of it otherwise than at
    /// once, by some of the bindings that are told of it.
    Addressed {
        /// The place of the notice among the events of the entry.
        event: u32,
        /// How, for each of them.
        ways: Ways,
    },
    /// Something is to be done outside.
    EffectDue {
        /// Which effect.
        effect: EffectKey,
        /// What.
        call: EffectCall,
        /// When.
        at: Instant,
    },
    /// An effect did not work, and will be tried again.
    EffectFailed {
        /// Which.
        effect: EffectKey,
        /// Why.
        failure: Failure,
        /// When it is tried again.
        next_at: Instant,
    },
    /// An effect was given up.
    EffectDead {
        /// Which.
        effect: EffectKey,
        /// Why.
        failure: Failure,
    },
    /// An operator wants a dead effect tried again.
    EffectRedriven {
        /// Which.
        effect: EffectKey,
        /// When.
        at: Instant,
    },
    /// An effect was done.
    EffectDone {
        /// Which.
        effect: EffectKey,
        /// The component that did it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        component: Option<Digest>,
    },
}

/// How an escalation ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum EscalationEnded {
    /// Somebody took the record.
    Acknowledged(PersonId),
    /// It no longer had to be acknowledged, or not by this team.
    Withdrawn,
    /// Nobody did in any step.
    Exhausted,
}

/// What set a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SetBy {
    /// Its default.
    Default,
    /// A form.
    Form,
    /// The transition.
    Set,
    /// Its own expression.
    Value,
    /// A decision table.
    Table,
    /// Someone who may edit it.
    Edit,
    /// Someone who may override the table.
    Override,
    /// A move to another version of the workflow.
    Migration,
}

/// Which clock of a record.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ClockKey {
    /// The service level.
    pub service_level: ServiceLevelId,
    /// The target.
    pub target: TargetId,
}

/// The kinds of event that bindings subscribe to, and that the event stream names.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
#[schemars(inline)]
pub enum EventKind {
    /// A record began.
    Created,
    /// A transition was taken.
    Transitioned,
    /// Fields changed.
    Updated,
    /// It is with another team or person.
    Assigned,
    /// Someone said something.
    Commented,
    /// It was linked.
    Linked,
    /// Someone is asked to approve.
    ApprovalAsked,
    /// Someone voted.
    Voted,
    /// An approval ended.
    ApprovalDecided,
    /// A warning was given.
    Warned,
    /// A target was breached.
    Breached,
    /// People were told that it waits to be acknowledged.
    Escalated,
    /// People are told something.
    Notice,
    /// A person is told at once what came since the last time. It is of no record, and in no stream.
    Digest,
    /// A transition's effect names the binding.
    Effect,
}

impl EventKind {
    /// Its name in definitions.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Transitioned => "transitioned",
            Self::Updated => "updated",
            Self::Assigned => "assigned",
            Self::Commented => "commented",
            Self::Linked => "linked",
            Self::ApprovalAsked => "approval-asked",
            Self::Voted => "voted",
            Self::ApprovalDecided => "approval-decided",
            Self::Warned => "warned",
            Self::Breached => "breached",
            Self::Escalated => "escalated",
            Self::Notice => "notice",
            Self::Digest => "digest",
            Self::Effect => "effect",
        }
    }
}

impl Event {
    /// When what it tells of was due, where that was so at an instant of its own.
    pub const fn was_due(&self) -> Option<Instant> {
        match self {
            Self::TimerFired { due, .. } | Self::StageTimerFired { due, .. } => Some(*due),
            Self::StageEnded { due, .. } => *due,
            Self::Warned { at, .. } | Self::Breached { at, .. } => Some(*at),
            _ => None,
        }
    }

    /// The kind under which others hear of it; none for what concerns the record alone.
    pub const fn kind(&self) -> Option<EventKind> {
        Some(match self {
            Self::Created { .. } => EventKind::Created,
            Self::Entered { .. } | Self::Stayed { .. } => EventKind::Transitioned,
            Self::Migrated { .. }
            | Self::FieldSet { .. }
            | Self::OverrideCleared { .. }
            | Self::RequesterSet { .. } => EventKind::Updated,
            Self::Assigned { .. } => EventKind::Assigned,
            Self::Commented { .. } => EventKind::Commented,
            Self::Linked { .. } => EventKind::Linked,
            Self::StageOpened { .. } => EventKind::ApprovalAsked,
            Self::Voted { .. } => EventKind::Voted,
            Self::ApprovalEnded { .. } => EventKind::ApprovalDecided,
            Self::Warned { .. } => EventKind::Warned,
            Self::Breached { .. } => EventKind::Breached,
            Self::Escalated { .. } => EventKind::Escalated,
            Self::Notified { .. } => EventKind::Notice,
            _ => return None,
        })
    }
}
