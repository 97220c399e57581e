//! What is asked at a hook and what may be answered: the contract of `wit/`, as plain data.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::definition::Category;
use crate::id::{
    BindingId, CalendarId, FieldId, PersonId, RecordId, ServiceLevelId, StageId, TargetId,
    WorkflowId,
};
use crate::{Digest, Duration, Instant, Value};

/// A point where a plugin may be asked.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
#[schemars(inline)]
pub enum Hook {
    /// Who must agree.
    Approval,
    /// Who gets the work.
    Routing,
    /// What is promised.
    ServiceLevel,
    /// Told of events.
    Delivery,
    /// Hears requests from outside.
    Webhook,
    /// Runs at times.
    Schedule,
}

impl Hook {
    /// Every hook.
    pub const ALL: [Self; 6] = [
        Self::Approval,
        Self::Routing,
        Self::ServiceLevel,
        Self::Delivery,
        Self::Webhook,
        Self::Schedule,
    ];

    /// Its name in definitions and in the contract.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Approval => "approval",
            Self::Routing => "routing",
            Self::ServiceLevel => "service-level",
            Self::Delivery => "delivery",
            Self::Webhook => "webhook",
            Self::Schedule => "schedule",
        }
    }

    /// Whether its answer follows from its input alone.
    pub const fn is_pure(self) -> bool {
        matches!(self, Self::Approval | Self::Routing | Self::ServiceLevel)
    }
}

/// A record as a plugin sees it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RecordView {
    /// Its number; none while it is being created.
    pub id: Option<RecordId>,
    /// Its workflow.
    pub workflow: WorkflowId,
    /// Its state.
    pub state: String,
    /// The part of its life.
    pub category: Category,
    /// Its version; 0 while it is being created.
    pub version: u64,
    /// Who asked for it.
    pub requester: Option<PersonId>,
    /// Who works on it.
    pub assignee: Option<PersonId>,
    /// The team it is with.
    pub team: Option<String>,
    /// When it was created.
    pub opened_at: Instant,
    /// When it last changed.
    pub updated_at: Instant,
    /// When it entered its state.
    pub state_since: Instant,
    /// Its fields.
    pub fields: BTreeMap<FieldId, Value>,
}

/// What the server says of a call itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Call {
    /// The same for every attempt at one call.
    pub id: String,
    /// 1 for the first attempt.
    pub attempt: u32,
    /// The time of the command.
    pub now: Instant,
    /// The only source of chance.
    pub seed: u64,
    /// Who caused the call.
    pub actor: String,
}

/// A question to a binding at a pure hook.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Question {
    /// The binding that is asked.
    pub binding: BindingId,
    /// The record as it would stand without the answer.
    pub subject: RecordView,
    /// What is asked.
    pub ask: Ask,
}

/// What is asked of a pure hook.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ask {
    /// Who gets the work.
    Route,
    /// The goals of these targets.
    Targets {
        /// The service level.
        service_level: ServiceLevelId,
        /// The targets to answer for.
        targets: Vec<TargetId>,
        /// The service level's calendar.
        calendar: CalendarId,
    },
    /// Who must agree.
    Approve {
        /// The transition that led here.
        transition: String,
        /// What its form was given.
        input: BTreeMap<FieldId, Value>,
        /// Votes of earlier rounds, oldest first.
        votes: Vec<PastVote>,
    },
}

impl Ask {
    /// The hook that answers it.
    pub const fn hook(&self) -> Hook {
        match self {
            Self::Route => Hook::Routing,
            Self::Targets { .. } => Hook::ServiceLevel,
            Self::Approve { .. } => Hook::Approval,
        }
    }
}

/// A vote of an earlier round; abstentions are none.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PastVote {
    /// The stage it was given in.
    pub stage: StageId,
    /// Who gave it.
    pub person: PersonId,
    /// For or against.
    pub approves: bool,
    /// When.
    pub at: Instant,
    /// Why.
    pub comment: Option<String>,
}

/// A plugin's answer, not yet checked against the desk.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Answer {
    /// Who gets the work.
    Assignment {
        /// The team.
        team: String,
        /// One of its members.
        assignee: Option<String>,
        /// Why, for people.
        reason: String,
    },
    /// The goals of targets.
    Targets(Vec<TargetAnswer>),
    /// Approved without asking anyone.
    Approve {
        /// Why, for people.
        reason: String,
    },
    /// Rejected without asking anyone.
    Reject {
        /// Why, for people.
        reason: String,
    },
    /// To be asked, one stage after the other.
    Ask(Vec<StageAnswer>),
}

/// The goal of one target, as a plugin answers it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TargetAnswer {
    /// The target.
    pub target: String,
    /// Its goal.
    pub goal: GoalAnswer,
    /// Shares of the goal, in percent, at which a warning is given.
    pub warn_at_percent: Vec<u32>,
    /// Why, for people.
    pub reason: String,
}

/// A goal, as a plugin answers it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum GoalAnswer {
    /// Within so much time.
    Within(TimeLimitAnswer),
    /// By an instant that no pause moves.
    DueAt(Instant),
}

/// A length of time in a calendar, or as time passes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TimeLimitAnswer {
    /// How long.
    pub duration: Duration,
    /// The calendar it is counted in.
    pub calendar: Option<String>,
}

/// One round of votes, as a plugin answers it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StageAnswer {
    /// Its id.
    pub id: String,
    /// Who is asked.
    pub approvers: Vec<ApproverAnswer>,
    /// How many must approve.
    pub quorum: QuorumAnswer,
    /// How long there is.
    pub timeout: Option<TimeLimitAnswer>,
    /// Why these are asked, for people.
    pub reason: String,
}

/// An approver, as a plugin answers it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ApproverAnswer {
    /// One person.
    User(String),
    /// The members of a team.
    Team(String),
    /// Everyone with a role.
    Role(String),
}

/// A quorum, as a plugin answers it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum QuorumAnswer {
    /// Everyone.
    All,
    /// One.
    Any,
    /// This many.
    Count(u32),
    /// This share, rounded up.
    Percent(u32),
}

/// What came of asking.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Reply {
    /// The component that was asked; none where the binding has none that works.
    pub component: Option<Digest>,
    /// Its answer, or why there is none.
    pub answer: Result<Answer, Failure>,
    /// How long the call took, in microseconds.
    pub micros: u64,
    /// What it looked up, by kind and id, with the digest of what it found.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lookups: Vec<crate::journal::Lookup>,
}

/// Why a plugin gave no answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Failure {
    /// What kind of failure.
    pub kind: FailureKind,
    /// What an operator should know; no secret in it.
    pub message: String,
    /// When to ask again, where the plugin said so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after: Option<Duration>,
}

/// The kinds of failure of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FailureKind {
    /// The record lacks what the plugin needs.
    InvalidInput,
    /// The binding's settings or grants are wrong.
    Misconfigured,
    /// Something outside did not answer.
    Unavailable,
    /// The plugin said that it failed.
    Internal,
    /// The guest trapped.
    Trap,
    /// Its processor time or its time altogether ran out.
    Timeout,
    /// It asked for more memory than it may have.
    Memory,
    /// It made too many host calls, or answered too much.
    Limit,
    /// No such binding, or its component does not load.
    Missing,
    /// Too many calls are under way.
    Busy,
    /// Its answer does not fit the desk, such as a team that does not exist.
    Refused,
}

impl FailureKind {
    /// Whether asking again may help.
    pub const fn is_passing(self) -> bool {
        !matches!(
            self,
            Self::InvalidInput | Self::Misconfigured | Self::Refused
        )
    }
}
