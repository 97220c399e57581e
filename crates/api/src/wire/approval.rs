//! An approval as clients see it: the stage that is open, who may vote, and how it stands.

use std::collections::{BTreeMap, BTreeSet};

use model::Instant;
use model::definition::{Choice, Quorum as ModelQuorum, Rejects};
use model::id::{BindingId, PersonId, StageId};
use model::record::{OpenStage, ResolvedApprover, StagePlan};
use serde::Serialize;
use utoipa::ToSchema;

/// An approval under way.
#[derive(Serialize, ToSchema)]
pub struct Approval<'a> {
    /// The binding that set the stages; absent where the definition did.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    by: Option<&'a BindingId>,
    /// The stages that are open: one, or several beside each other.
    stages: Vec<Stage<'a>>,
    /// The stages that a plugin asked for after it.
    next: Vec<PlannedStage<'a>>,
}

/// A stage whose votes are being taken.
#[derive(Serialize, ToSchema)]
pub struct Stage<'a> {
    /// What is asked, and of whom.
    #[serde(flatten)]
    plan: PlannedStage<'a>,
    /// When it opened.
    #[schema(value_type = String, format = DateTime)]
    opened_at: Instant,
    /// How many approvals it needs.
    needed: u32,
    /// Who may vote in their own right.
    #[schema(value_type = Vec<String>)]
    entitled: &'a BTreeSet<PersonId>,
    /// The votes so far, one a person.
    votes: Vec<Vote<'a>>,
    /// When it expires; absent where it does not, or while it stands still for a question.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    due: Option<Instant>,
    /// Who stands in for those who are out of office, by for whom.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    #[schema(value_type = BTreeMap<String, String>)]
    substitutes: &'a BTreeMap<PersonId, PersonId>,
    /// Who handed their vote on, and to whom.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    #[schema(value_type = BTreeMap<String, String>)]
    reassigned: &'a BTreeMap<PersonId, PersonId>,
    /// The question that waits for the requester's answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    question: Option<Question<'a>>,
}

/// A question that an approver asked before voting.
#[derive(Serialize, ToSchema)]
pub struct Question<'a> {
    /// Who asked.
    #[schema(value_type = String)]
    person: &'a PersonId,
    /// When.
    #[schema(value_type = String, format = DateTime)]
    at: Instant,
    /// What.
    text: &'a str,
}

/// A stage that is, or is to be, asked.
#[derive(Serialize, ToSchema)]
pub struct PlannedStage<'a> {
    /// Its id.
    #[schema(value_type = String)]
    id: &'a StageId,
    /// Who is asked.
    approvers: Vec<Approver<'a>>,
    /// How many of them must approve.
    quorum: Quorum,
    /// What a rejection does: `final` ends the stage, `outvoted` counts against the quorum only.
    #[schema(value_type = String)]
    rejects: Rejects,
    /// Whether the requester may vote too.
    allow_self: bool,
}

/// Who is asked.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Approver<'a> {
    /// One person.
    Person(&'a str),
    /// The members of a team.
    Team(&'a str),
    /// Everyone with a role.
    Role(&'a str),
    /// A relation that led to no one.
    Nobody(bool),
}

/// How many must approve.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Quorum {
    /// Everyone who is asked.
    All(bool),
    /// One of them.
    Any(bool),
    /// This many.
    Count(u32),
    /// This share, in percent, rounded up.
    Percent(u32),
}

/// A vote.
#[derive(Serialize, ToSchema)]
pub struct Vote<'a> {
    /// Whose it is.
    #[schema(value_type = String)]
    person: &'a PersonId,
    /// For or against; absent where neither.
    #[serde(skip_serializing_if = "Option::is_none")]
    approves: Option<bool>,
    /// Whether it is neither.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    abstains: bool,
    /// Who gave it, where someone stood in.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    by: Option<&'a PersonId>,
    /// When.
    #[schema(value_type = String, format = DateTime)]
    at: Instant,
    /// Why.
    #[serde(skip_serializing_if = "Option::is_none")]
    comment: Option<&'a str>,
    /// Whether it came by a link.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    by_link: bool,
}

impl<'a> From<&'a model::record::Approval> for Approval<'a> {
    fn from(approval: &'a model::record::Approval) -> Self {
        Self {
            by: approval.by.as_ref(),
            stages: approval.stages.iter().map(Stage::from).collect(),
            next: approval.next.iter().map(PlannedStage::from).collect(),
        }
    }
}

impl<'a> From<&'a OpenStage> for Stage<'a> {
    fn from(stage: &'a OpenStage) -> Self {
        let votes = stage.votes.iter().map(|(person, vote)| Vote {
            person,
            approves: vote.choice.approves(),
            abstains: vote.choice == Choice::Abstain,
            by: vote.by.as_ref(),
            at: vote.at,
            comment: vote.comment.as_deref(),
            by_link: vote.by_link,
        });
        Self {
            plan: PlannedStage::from(&stage.plan),
            opened_at: stage.opened_at,
            needed: stage.needed,
            entitled: &stage.entitled,
            votes: votes.collect(),
            due: stage.expires(),
            substitutes: &stage.substitutes,
            reassigned: &stage.reassigned,
            question: stage.question.as_ref().map(|question| Question {
                person: &question.person,
                at: question.at,
                text: &question.text,
            }),
        }
    }
}

impl<'a> From<&'a StagePlan> for PlannedStage<'a> {
    fn from(plan: &'a StagePlan) -> Self {
        let approvers = plan.approvers.iter().map(|approver| match approver {
            ResolvedApprover::Person(person) => Approver::Person(person.as_str()),
            ResolvedApprover::Team(team) => Approver::Team(team.as_str()),
            ResolvedApprover::Role(role) => Approver::Role(role.as_str()),
            ResolvedApprover::Nobody => Approver::Nobody(true),
        });
        Self {
            id: &plan.id,
            approvers: approvers.collect(),
            quorum: match plan.quorum {
                ModelQuorum::All(all) => Quorum::All(all),
                ModelQuorum::Any(any) => Quorum::Any(any),
                ModelQuorum::Count(count) => Quorum::Count(count),
                ModelQuorum::Percent(percent) => Quorum::Percent(percent),
            },
            rejects: plan.rejects,
            allow_self: plan.allow_self,
        }
    }
}
