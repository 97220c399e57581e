//! Escalation: whom a team's work is brought to, one step after the other, until somebody takes it.

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Cel, Effect, Wait};
use crate::id::{
    DirectoryId, EffectName, EscalationStepId, NoticeId, PersonId, RoleId, TeamId, TransitionId,
    WorkflowId,
};

/// Who is told that a record of the team waits to be acknowledged, and who next where nobody does.
/// Somebody acknowledges it who was told, is in the team or works on it, by taking a transition of it or
/// by giving it to themselves.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(inline)]
pub struct Escalation {
    /// Which records, by workflow: those with the team for which this holds. It begins when it begins to
    /// hold, or the record comes to the team; it ends, whoever was told, when it does not hold any more.
    #[serde(rename = "for")]
    pub covers: IndexMap<WorkflowId, Cel>,
    /// What people are told. It goes to those of each step, whoever it names itself.
    pub notice: NoticeId,
    /// The steps, in order.
    pub steps: IndexMap<EscalationStepId, EscalationStep>,
    /// How often the steps are gone through again after the last.
    #[serde(default, skip_serializing_if = "is_none")]
    #[schemars(range(max = 20))]
    pub repeat: u32,
    /// What happens once nobody acknowledged it in any step.
    #[serde(default, skip_serializing_if = "EscalationEnd::is_empty")]
    pub end: EscalationEnd,
}

/// A step of an escalation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(inline)]
pub struct EscalationStep {
    /// Who is told. Where that is nobody, the next step comes at once.
    pub whom: Whom,
    /// How long they have to acknowledge it.
    pub within: Wait,
}

/// Who is told in a step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(inline)]
pub enum Whom {
    /// Whoever is on call for a team, by its rota.
    OnCall(TeamId),
    /// Whoever is on call by a rota.
    Rota(DirectoryId),
    /// Every member of a team who is not out of office.
    Team(TeamId),
    /// Everyone with a role who is not out of office.
    Role(RoleId),
    /// One person, or their substitute while they are out of office.
    User(PersonId),
}

/// What happens once nobody acknowledged.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(inline)]
pub struct EscalationEnd {
    /// The transition that is taken, where the record's state has it.
    #[serde(rename = "do", skip_serializing_if = "Option::is_none")]
    pub transition: Option<TransitionId>,
    /// What it causes.
    #[serde(skip_serializing_if = "IndexMap::is_empty")]
    pub effects: IndexMap<EffectName, Effect>,
}

impl EscalationEnd {
    fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "what serde calls it with"
)]
const fn is_none(count: &u32) -> bool {
    *count == 0
}
