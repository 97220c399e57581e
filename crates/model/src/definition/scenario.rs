//! A scenario: what happens at a desk, step by step in virtual time, and what is expected of it.

use std::fmt;
use std::str::FromStr;

use chrono::NaiveDateTime;
use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Map, Value as Json};
use thiserror::Error;

use super::Category;
use crate::id::{
    BindingId, CatalogueItemId, DirectoryId, DirectoryKind, FieldId, LinkKind, NoticeId, PersonId,
    ScenarioId, StageId, StateId, StepId, TaskId, TeamId, TransitionId, WorkflowId,
};
use crate::record::{ClockStatus, Verdict};
use crate::time::Period;
use crate::{Duration, Instant};

/// What happens at a desk, and what is expected of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// What it tells, in a sentence.
    pub title: String,
    /// Why it is not run, nor those that are like it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub skip: Option<String>,
    /// How it begins.
    #[serde(default, skip_serializing_if = "Given::is_empty")]
    pub given: Given,
    /// What happens, in order. Without any, the scenario is only a desk for others to begin at.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub steps: IndexMap<StepId, Step>,
}

/// Things of the directory, by kind and id, in the shape in which the directory takes them.
pub type Things = IndexMap<DirectoryKind, IndexMap<DirectoryId, Map<String, Json>>>;

/// How a scenario begins.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(inline)]
pub struct Given {
    /// Another scenario whose beginning this one shares; what is said here counts more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub like: Option<ScenarioId>,
    /// When it begins.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at: Option<Moment>,
    /// Who and what is in the directory.
    #[serde(skip_serializing_if = "IndexMap::is_empty")]
    pub directory: Things,
    /// Bindings that give no answer, so that what falls back for them is seen.
    #[serde(skip_serializing_if = "IndexMap::is_empty")]
    pub silent: IndexMap<BindingId, bool>,
    /// What forms that ask for it are filled in with where a step says nothing, by workflow and field.
    #[serde(skip_serializing_if = "IndexMap::is_empty")]
    pub filled: IndexMap<WorkflowId, Map<String, Json>>,
    /// What the same person takes first where a transition is not possible yet, by workflow and
    /// transition.
    #[serde(skip_serializing_if = "IndexMap::is_empty")]
    pub before: IndexMap<WorkflowId, IndexMap<TransitionId, TransitionId>>,
}

impl Given {
    fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// One thing that happens, and what is expected then.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Step {
    /// How long after the step before; at once without it. Days are calendar days of the pack's zone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<Period>,
    /// When, in the place of `after`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at: Option<Moment>,
    /// Who does it.
    #[serde(rename = "as", skip_serializing_if = "Option::is_none")]
    pub actor: Option<PersonId>,
    /// The record that it is about; that of the first step that created one without it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub record: Option<Whose>,
    /// What is done; nothing but waiting without it.
    #[serde(rename = "do", skip_serializing_if = "Option::is_none")]
    pub deed: Option<Deed>,
    /// What is expected afterwards.
    #[serde(skip_serializing_if = "Expect::is_empty")]
    pub expect: Expect,
}

/// Which record a step is about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Whose {
    /// The record that this step created.
    Step(StepId),
    /// A record that another led to: one that it is linked to, or a task of it.
    Linked(Linked),
}

impl Whose {
    /// The step from whose record one begins.
    pub const fn step(&self) -> &StepId {
        match self {
            Self::Step(step) => step,
            Self::Linked(linked) => &linked.step,
        }
    }
}

/// A record found by a link, or as a task.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(inline)]
pub struct Linked {
    /// The step whose record has the link, or handed out the task.
    pub step: StepId,
    /// The kind of link, as it is called from that record; the first one where there are several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link: Option<LinkKind>,
    /// The task, in the place of a link.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub task: Option<TaskId>,
    /// The workflow of the record that is meant; any without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workflow: Option<WorkflowId>,
}

/// What somebody does.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(inline)]
pub enum Deed {
    /// Begins a record.
    Create(Begin),
    /// Takes a transition.
    Transition(Take),
    /// Changes fields outside forms.
    Update(Change),
    /// Says something.
    Comment(Say),
    /// Links the record to that of another step.
    Link(Join),
    /// Votes.
    Vote(Ballot),
    /// Takes a vote back.
    RecallVote(Recalled),
    /// Hands a vote on.
    ReassignVote(Reassigned),
    /// Asks the requester something before voting.
    AskInformation(Query),
    /// Follows the record, or no longer does.
    Watch(Follow),
    /// Changes the directory.
    Directory(Turnover),
}

/// The beginning of a record.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(inline)]
pub struct Begin {
    /// The kind of record.
    pub workflow: WorkflowId,
    /// The item of the catalogue that is asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub item: Option<CatalogueItemId>,
    /// The way to begin; the first that the actor may take without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub via: Option<TransitionId>,
    /// For whom, where not for the actor.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub requester: Option<PersonId>,
    /// What its form asks for.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub fields: Map<String, Json>,
}

/// A transition, taken.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(inline)]
pub struct Take {
    /// Which.
    pub id: TransitionId,
    /// What its form asks for.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub input: Map<String, Json>,
}

/// A change of fields.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(inline)]
pub struct Change {
    /// The fields, and `assignee`, `team`, `requester`.
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub fields: Map<String, Json>,
    /// Those that are emptied.
    #[serde(skip_serializing_if = "IndexMap::is_empty")]
    pub clear: IndexMap<FieldId, bool>,
}

/// A remark.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(inline)]
pub struct Say {
    /// What is said.
    pub text: String,
    /// Whether the requester sees it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub public: bool,
}

/// A link to the record of another step.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(inline)]
pub struct Join {
    /// The kind of link.
    pub kind: LinkKind,
    /// The record that is linked to.
    pub to: Whose,
}

/// A vote.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(inline)]
pub struct Ballot {
    /// For or against.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approves: Option<bool>,
    /// Neither, in the place of `approves`.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub abstains: bool,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
    /// The stage, where the actor is asked in several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stage: Option<StageId>,
    /// In whose place, where the actor stands in for several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instead_of: Option<PersonId>,
}

/// A vote that is taken back.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(inline)]
pub struct Recalled {
    /// The stage, where the actor voted in several.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stage: Option<StageId>,
}

/// A vote that is handed on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(inline)]
pub struct Reassigned {
    /// To whom.
    pub to: PersonId,
    /// Whose, where not the actor's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<PersonId>,
    /// The stage, where they are asked in several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stage: Option<StageId>,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
}

/// A question before a vote.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(inline)]
pub struct Query {
    /// What.
    pub question: String,
    /// The stage, where the actor is asked in several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stage: Option<StageId>,
}

/// Following a record.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(inline)]
pub struct Follow {
    /// Who, where not the actor.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub person: Option<PersonId>,
    /// Whether they no longer do.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub ends: bool,
}

/// A change of the directory, by its administrator.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(inline)]
pub struct Turnover {
    /// What is put there, whole.
    #[serde(skip_serializing_if = "IndexMap::is_empty")]
    pub put: Things,
    /// What is taken out.
    #[serde(skip_serializing_if = "IndexMap::is_empty")]
    pub remove: IndexMap<DirectoryKind, IndexMap<DirectoryId, bool>>,
}

/// What is expected of a record after a step. What is not said is not looked at.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(inline)]
pub struct Expect {
    /// The step is refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refused: Option<Refusal>,
    /// The state it is in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<StateId>,
    /// The part of its life.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub category: Option<Category>,
    /// How it ended: the outcome of its state.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outcome: Option<String>,
    /// The team it is with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub team: Option<TeamId>,
    /// Who works on it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub assignee: Option<PersonId>,
    /// For whom it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub requester: Option<PersonId>,
    /// The values of fields.
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub fields: Map<String, Json>,
    /// Fields, `team`, `assignee` or `requester`, that are not set.
    #[serde(skip_serializing_if = "IndexMap::is_empty")]
    pub unset: IndexMap<FieldId, bool>,
    /// The agreement that it waits for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub approval: Option<ExpectApproval>,
    /// Its promises, by service level and target, such as `standard/resolution`.
    #[serde(skip_serializing_if = "IndexMap::is_empty")]
    pub clocks: IndexMap<String, ExpectClock>,
    /// The notices given of it since the last step that was about it.
    #[serde(skip_serializing_if = "IndexMap::is_empty")]
    pub notified: IndexMap<NoticeId, Notified>,
    /// The bindings that were told of it since the last step that was about it.
    #[serde(skip_serializing_if = "IndexMap::is_empty")]
    pub told: IndexMap<BindingId, bool>,
    /// The tasks that it handed out: how far each has come (`waiting`, `open`, `ended`, `dropped`), or
    /// how it ended (`done`, ...); `none` where it was not handed out.
    #[serde(skip_serializing_if = "IndexMap::is_empty")]
    pub tasks: IndexMap<TaskId, String>,
    /// How many records of a workflow it is linked to, by kind of link as it is called from the record.
    #[serde(skip_serializing_if = "IndexMap::is_empty")]
    pub links: IndexMap<LinkKind, IndexMap<WorkflowId, u32>>,
    /// The transitions that the actor may take now, or may not.
    #[serde(skip_serializing_if = "IndexMap::is_empty")]
    pub may: IndexMap<TransitionId, bool>,
    /// Whether these people may see it.
    #[serde(skip_serializing_if = "IndexMap::is_empty")]
    pub seen: IndexMap<PersonId, bool>,
}

impl Expect {
    /// Whether nothing is expected.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// How a step is refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
#[schemars(inline)]
pub enum Refusal {
    /// The code of the problem, or a part of what is told.
    Told(String),
    /// The inputs that are not accepted, and those that are.
    Inputs(IndexMap<String, bool>),
}

/// What is expected of an approval.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(inline)]
pub struct ExpectApproval {
    /// Whether one is open at all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub open: Option<bool>,
    /// A stage that is open; what else is expected is of it. Of the first one without it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stage: Option<StageId>,
    /// How many must approve.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub needed: Option<u32>,
    /// Who may vote, in their own right or in someone's place, and who may not.
    #[serde(skip_serializing_if = "IndexMap::is_empty")]
    pub asked: IndexMap<PersonId, bool>,
    /// When the stage expires.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub due: Option<Moment>,
}

/// What is expected of a promise.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(inline)]
pub struct ExpectClock {
    /// Whether the record has it at all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub present: Option<bool>,
    /// Whether it was kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub verdict: Option<Verdict>,
    /// Whether it runs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<ClockStatus>,
    /// When it is due.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub due: Option<Moment>,
    /// How much of it is used, in whole seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub elapsed: Option<Duration>,
    /// How much there is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub goal: Option<Duration>,
}

/// Who was told by a notice.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
#[schemars(inline)]
pub enum Notified {
    /// Somebody, or nobody.
    Somebody(bool),
    /// Somebody, so many times.
    Times(u32),
    /// These people, and not those.
    People(IndexMap<PersonId, bool>),
}

/// An instant as a scenario writes it: by the clocks of the pack's zone, or with an offset.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// What the clocks of the pack's zone show.
    Local(NaiveDateTime),
    /// An instant.
    Exact(Instant),
}

/// Not a moment.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("`{0}` is no moment such as 2026-03-02T09:00, or 2026-03-02T09:00:00+01:00 with an offset")]
pub struct MomentError(String);

const LOCAL: [&str; 2] = ["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"];

impl FromStr for Moment {
    type Err = MomentError;

    fn from_str(text: &str) -> Result<Self, MomentError> {
        let local = LOCAL
            .iter()
            .find_map(|form| NaiveDateTime::parse_from_str(text, form).ok());
        match local {
            Some(local) => Ok(Self::Local(local)),
            None => match text.parse() {
                Ok(instant) => Ok(Self::Exact(instant)),
                Err(_) => Err(MomentError(text.chars().take(80).collect())),
            },
        }
    }
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Local(local) => write!(f, "{}", local.format(LOCAL[1])),
            Self::Exact(instant) => instant.fmt(f),
        }
    }
}

impl Serialize for Moment {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Moment {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

impl JsonSchema for Moment {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Moment".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "string",
            "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}(:[0-9]{2}(\\.[0-9]+)?(Z|[+-][0-9]{2}:[0-9]{2})?)?$"
        })
    }
}

#[cfg(test)]
mod tests {
    use super::Moment;

    #[test]
    fn a_moment_is_local_unless_it_says_otherwise() {
        for (text, local) in [
            ("2026-03-02T09:00", true),
            ("2026-03-02T09:00:30", true),
            ("2026-03-02T09:00:00+01:00", false),
            ("2026-03-02T08:00:00Z", false),
        ] {
            let moment: Moment = text.parse().expect("a moment");
            assert_eq!(matches!(moment, Moment::Local(_)), local, "{text}");
            assert_eq!(moment.to_string().parse(), Ok(moment));
        }
        for wrong in ["", "09:00", "2026-03-02", "2026-02-30T09:00", "tomorrow"] {
            assert!(wrong.parse::<Moment>().is_err(), "{wrong}");
        }
    }
}
