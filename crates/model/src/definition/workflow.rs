//! A workflow: the fields of a kind of record, its states, and the moves between them.

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    Approval, Cel, Effect, Field, Group, LinkType, MemberRouting, Permit, Setting, Tasks, Wait,
    Window,
};
use crate::Duration;
use crate::id::{
    BindingId, EffectName, FieldId, FragmentId, GroupId, LinkKind, PracticeId, RequirementId,
    RowId, StateId, TableId, TeamId, TimerId, TransitionId,
};

/// The definition of a kind of record.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Workflow {
    /// What people call it.
    pub title: String,
    /// The ITIL practice that it serves.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub practice: Option<PracticeId>,
    /// What stands before the number of its records, such as `INC`.
    #[schemars(regex(pattern = "^[A-Z][A-Z0-9]{1,7}$"))]
    pub number: String,
    /// Who may see its records: roles, or relations to the record.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub see: IndexMap<String, Permit>,
    /// Who may change fields outside forms. Whoever ever may, whatever the condition, may also begin a
    /// record for somebody else.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub edit: IndexMap<String, Permit>,
    /// The fragments that are laid under it.
    #[serde(rename = "use", default, skip_serializing_if = "IndexMap::is_empty")]
    pub uses: IndexMap<FragmentId, bool>,
    /// The sections of its forms, in order.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub groups: IndexMap<GroupId, Group>,
    /// Its fields, in order.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub fields: IndexMap<FieldId, Field>,
    /// The kinds of link that its records have to others.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub links: IndexMap<LinkKind, LinkType>,
    /// When the work of a record is to be done, for the change calendar.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub window: Option<Window>,
    /// Its decision tables.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub tables: IndexMap<TableId, Table>,
    /// Who gets the work.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub routing: Option<Routing>,
    /// The ways to begin: transitions from nowhere.
    pub create: IndexMap<TransitionId, Transition>,
    /// Its states.
    pub states: IndexMap<StateId, State>,
    /// Transitions open in several states.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub anywhere: IndexMap<TransitionId, Transition>,
    /// Timers that run in whatever state, while their condition holds.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub timers: IndexMap<TimerId, Timer>,
}

/// Which part of its life a record is in, whatever the workflow calls the state.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
#[schemars(inline)]
pub enum Category {
    /// Being worked on.
    Open,
    /// Waiting for someone or something.
    Waiting,
    /// Done, and not yet final.
    Resolved,
    /// Final.
    Closed,
}

impl Category {
    /// Every category.
    pub const ALL: [Self; 4] = [Self::Open, Self::Waiting, Self::Resolved, Self::Closed];

    /// Its name in definitions.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Waiting => "waiting",
            Self::Resolved => "resolved",
            Self::Closed => "closed",
        }
    }
}

/// A step of a workflow.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct State {
    /// What people see; the id where it is absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// Its part of a record's life.
    pub category: Category,
    /// How a record that ends here ended; `done` is success.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<String>,
    /// Who must agree before the record goes on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approval: Option<Approval>,
    /// The work that is handed out on entering it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tasks: Option<Tasks>,
    /// The moves out of it, or within it.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub transitions: IndexMap<TransitionId, Transition>,
    /// Timers set on entering and dropped on leaving.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub timers: IndexMap<TimerId, Timer>,
}

impl State {
    /// Its timers, and those of the stages of its approval.
    pub fn all_timers(&self) -> impl Iterator<Item = (&TimerId, &Timer)> {
        let stages = self.approval.iter().flat_map(|it| it.stages.values());
        self.timers.iter().chain(stages.flat_map(|it| &it.timers))
    }
}

/// A named move between states.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Transition {
    /// What people see; the id where it is absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// Where it leads; without it the record stays.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<StateId>,
    /// Of a transition under `anywhere`: the states or categories that it leaves from; all without it.
    #[serde(skip_serializing_if = "IndexMap::is_empty")]
    pub from: IndexMap<String, bool>,
    /// Which roles or relations may take it; none means only timers, approvals and the workflow itself.
    #[serde(skip_serializing_if = "IndexMap::is_empty")]
    pub permit: IndexMap<String, Permit>,
    /// Taken by itself as soon as all its requirements hold.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub automatic: bool,
    /// What the actor fills in: fields of the record, or inputs kept in the journal only.
    #[serde(skip_serializing_if = "IndexMap::is_empty")]
    pub form: IndexMap<FieldId, Field>,
    /// What must hold.
    #[serde(skip_serializing_if = "IndexMap::is_empty")]
    pub require: IndexMap<RequirementId, Requirement>,
    /// What it sets.
    #[serde(skip_serializing_if = "IndexMap::is_empty")]
    pub set: IndexMap<FieldId, Setting>,
    /// Whether routing is asked.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub route: bool,
    /// What it causes outside.
    #[serde(skip_serializing_if = "IndexMap::is_empty")]
    pub effects: IndexMap<EffectName, Effect>,
}

/// A condition of a transition.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(inline)]
pub struct Requirement {
    /// What must be true.
    pub when: Cel,
    /// What to tell who is refused.
    pub say: String,
}

/// A decision table.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Table {
    /// Which row answers.
    pub hit: Hit,
    /// What each row may give.
    pub gives: IndexMap<FieldId, bool>,
    /// The rows, in order.
    pub rows: IndexMap<RowId, Row>,
}

/// Which rows of a table answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(inline)]
pub enum Hit {
    /// The first row that holds.
    First,
    /// The only row that holds; where more than one does, none answers, and the journal says so.
    Unique,
    /// Every row that holds: what they give is put together, in the order of the rows.
    Collect,
}

/// A row of a decision table.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(inline)]
pub struct Row {
    /// When it answers.
    pub when: Cel,
    /// What it gives.
    pub then: IndexMap<FieldId, Setting>,
}

/// Who gets the work.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Routing {
    /// Who decides; the fallback where nobody does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<RoutingBy>,
    /// Who gets it where no valid answer comes.
    pub fallback: RoutingFallback,
}

/// Who decides on the team.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(inline)]
pub enum RoutingBy {
    /// A binding.
    Plugin(BindingId),
    /// A table of the workflow that gives `team`.
    Table(TableId),
    /// A rule of the server's own that chooses a member.
    Members(Box<MemberRouting>),
}

/// The team of last resort.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(inline)]
pub struct RoutingFallback {
    /// Its id.
    pub team: TeamId,
}

/// Something to happen after a while.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Timer {
    /// It runs only while this holds, and begins anew when it holds again.
    #[serde(rename = "while", default, skip_serializing_if = "Option::is_none")]
    pub condition: Option<Cel>,
    /// How long.
    pub wait: Wait,
    /// Spreads it over so much time after the wait, each record at a moment of its own that never
    /// changes; exactly when the wait is over without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jitter: Option<Duration>,
    /// Whether it is set again after it fired.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub repeat: bool,
    /// The transition it takes.
    #[serde(rename = "do", default, skip_serializing_if = "Option::is_none")]
    pub transition: Option<TransitionId>,
    /// What it causes outside.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub effects: IndexMap<EffectName, Effect>,
}
