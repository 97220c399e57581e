//! Approval: who must agree before a record goes on, and what follows each way it can end.

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Cel, Effect, Timer, Wait};
use crate::id::{
    ApproverId, BindingId, EffectName, PersonId, RoleId, StageId, TeamId, TimerId, TransitionId,
};

/// The agreement that a state asks for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Approval {
    /// The binding whose verdict replaces the stages, which are its fallback.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<ApprovalBy>,
    /// Rounds of votes, one after the other where none says `beside`.
    pub stages: IndexMap<StageId, Stage>,
    /// The transition that follows each outcome.
    pub then: IndexMap<Outcome, TransitionId>,
}

/// Who decides on the stages.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(inline)]
pub enum ApprovalBy {
    /// A binding.
    Plugin(BindingId),
}

/// One round of votes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Stage {
    /// The stage is asked only where this holds as it would open.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub when: Option<Cel>,
    /// The stage before it with which it opens; both must approve. Without it, it opens after all those
    /// before it have approved.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub beside: Option<StageId>,
    /// Who is asked.
    pub approvers: IndexMap<ApproverId, Approver>,
    /// How many must approve.
    pub quorum: Quorum,
    /// What a rejection does.
    #[serde(default, skip_serializing_if = "Rejects::is_final")]
    pub rejects: Rejects,
    /// After this long without a decision the approval has expired.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout: Option<Wait>,
    /// Whether the requester may vote too.
    #[serde(rename = "self", default, skip_serializing_if = "std::ops::Not::not")]
    pub allow_self: bool,
    /// The votes that need a comment.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub comment: IndexMap<Choice, bool>,
    /// What becomes of a question that an approver asks before voting.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub information: Option<Information>,
    /// What it causes as it opens, and again for whoever is asked later: a substitute, someone to whom a
    /// vote was handed on, someone new in the team.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub effects: IndexMap<EffectName, Effect>,
    /// What happens while it is not decided: reminders, escalations.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub timers: IndexMap<TimerId, Timer>,
}

/// What becomes of a question that an approver asks before voting.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(inline)]
pub struct Information {
    /// Whether the stage's timeout stands still until the requester has answered.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub holds: bool,
    /// What the question causes.
    #[serde(skip_serializing_if = "IndexMap::is_empty")]
    pub effects: IndexMap<EffectName, Effect>,
}

/// What a vote says.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
#[schemars(inline)]
pub enum Choice {
    /// For.
    Approve,
    /// Against.
    Reject,
    /// Neither: who abstains is no longer counted on.
    Abstain,
}

impl Choice {
    /// For or against.
    pub const fn of(approves: bool) -> Self {
        if approves {
            Self::Approve
        } else {
            Self::Reject
        }
    }

    /// What is told by whether a vote approves or abstains; none where it is both or neither.
    pub const fn told(approves: Option<bool>, abstains: bool) -> Option<Self> {
        match (approves, abstains) {
            (Some(approves), false) => Some(Self::of(approves)),
            (None, true) => Some(Self::Abstain),
            _ => None,
        }
    }

    /// Whether it is for or against; none where it is neither.
    pub const fn approves(self) -> Option<bool> {
        match self {
            Self::Approve => Some(true),
            Self::Reject => Some(false),
            Self::Abstain => None,
        }
    }

    /// Its name in definitions.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Approve => "approve",
            Self::Reject => "reject",
            Self::Abstain => "abstain",
        }
    }

    /// What somebody did who voted so.
    pub const fn done(self) -> &'static str {
        match self {
            Self::Approve => "approved",
            Self::Reject => "rejected",
            Self::Abstain => "abstained",
        }
    }
}

/// Who is asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(inline)]
pub enum Approver {
    /// One person.
    User(PersonId),
    /// The members of a team.
    Team(TeamId),
    /// Everyone in the directory with a role.
    Role(RoleId),
    /// The manager of `requester`, `assignee`, or of the person that a field names.
    ManagerOf(String),
    /// The owner of the thing that a field names.
    OwnerOf(String),
}

/// How many must approve.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(inline)]
pub enum Quorum {
    /// Everyone who is asked.
    All(bool),
    /// One of them.
    Any(bool),
    /// This many.
    Count(#[schemars(range(min = 1, max = 1000))] u32),
    /// This share of those asked, rounded up.
    Percent(#[schemars(range(min = 1, max = 100))] u32),
}

/// What a rejection does to its stage.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(inline)]
pub enum Rejects {
    /// The first one ends it.
    #[default]
    Final,
    /// It counts against the quorum only.
    Outvoted,
}

impl Rejects {
    #[expect(
        clippy::trivially_copy_pass_by_ref,
        reason = "the signature that serde calls"
    )]
    fn is_final(&self) -> bool {
        *self == Self::Final
    }
}

/// A way in which an approval ends.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
#[schemars(inline)]
pub enum Outcome {
    /// Every stage reached its quorum, or a plugin approved.
    Approved,
    /// A stage was rejected, or a plugin rejected.
    Rejected,
    /// A stage was not decided in time.
    Expired,
    /// A stage can no longer reach its quorum.
    Unreachable,
    /// No stage applied.
    NobodyAsked,
}

impl Outcome {
    /// Every outcome.
    pub const ALL: [Self; 5] = [
        Self::Approved,
        Self::Rejected,
        Self::Expired,
        Self::Unreachable,
        Self::NobodyAsked,
    ];

    /// Its name in definitions.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Approved => "approved",
            Self::Rejected => "rejected",
            Self::Expired => "expired",
            Self::Unreachable => "unreachable",
            Self::NobodyAsked => "nobody-asked",
        }
    }
}
