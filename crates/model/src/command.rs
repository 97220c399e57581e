//! Commands: what an actor asks of a record.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};
use smol_str::SmolStr;

use crate::definition::{Choice, MigratedClocks};
use crate::hook::Failure;
use crate::id::{
    BindingId, CatalogueItemId, FieldId, LinkKind, PersonId, RecordId, RoleId, StageId, StateId,
    TeamId, TransitionId, WorkflowId,
};
use crate::record::{EffectKey, TaskOf};
use crate::{Digest, Instant, Value};

/// Who asked, with what they were at the time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Actor {
    /// What kind of actor, and which.
    pub who: Who,
    /// Their roles.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub roles: BTreeSet<RoleId>,
    /// The teams they are in.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub teams: BTreeSet<TeamId>,
}

/// The kinds of actor.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Who {
    /// A person.
    Person(PersonId),
    /// A plugin's binding, perhaps for a person.
    Binding(BindingId),
    /// A timer, a clock or an effect of the record itself.
    Timer,
    /// The operator, at the command line.
    Operator,
}

impl Actor {
    /// The timers and effects of records themselves.
    pub const fn timer() -> Self {
        Self {
            who: Who::Timer,
            roles: BTreeSet::new(),
            teams: BTreeSet::new(),
        }
    }

    /// Who they are as text: a person's id, `binding:…`, `timer` or `operator`.
    pub fn id(&self) -> SmolStr {
        match &self.who {
            Who::Person(person) => SmolStr::new(person.as_str()),
            Who::Binding(binding) => smol_str::format_smolstr!("binding:{binding}"),
            Who::Timer => SmolStr::new_static("timer"),
            Who::Operator => SmolStr::new_static("operator"),
        }
    }

    /// The person, where it is one.
    pub const fn person(&self) -> Option<&PersonId> {
        if let Who::Person(person) = &self.who {
            Some(person)
        } else {
            None
        }
    }
}

/// What is asked, by whom and when.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Command {
    /// Who asks.
    pub actor: Actor,
    /// When.
    pub at: Instant,
    /// What.
    pub action: Action,
}

/// What can be asked of a record.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[expect(
    clippy::large_enum_variant,
    reason = "a command is made once and not kept in numbers"
)]
pub enum Action {
    /// Begin a record.
    Create(Create),
    /// Take a transition.
    Transition {
        /// Its id.
        name: TransitionId,
        /// What its form asks for.
        input: Map<String, Json>,
    },
    /// Change fields outside forms; `null` clears.
    Update {
        /// The fields, and `assignee`, `team`, `requester`.
        fields: Map<String, Json>,
    },
    /// Say something.
    Comment {
        /// What.
        text: String,
        /// Whether the requester sees it.
        public: bool,
    },
    /// Link to another record.
    Link {
        /// How.
        kind: LinkKind,
        /// To which.
        target: RecordId,
        /// Whether it was made from the other side.
        #[serde(default)]
        inverse: bool,
    },
    /// Follow, or no longer follow, the record.
    Watch {
        /// Who.
        person: PersonId,
        /// Whether they do.
        watches: bool,
    },
    /// Approve, reject or abstain.
    Vote {
        /// For or against, or neither.
        #[serde(rename = "approves", with = "crate::record::approves")]
        choice: Choice,
        /// Why.
        comment: Option<String>,
        /// The stage, where the actor is asked in several.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        stage: Option<StageId>,
        /// In whose place, where not for themselves.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        instead_of: Option<PersonId>,
        /// The link that it came by, where it came by one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        link: Option<LinkUse>,
    },
    /// Take a vote back, before its stage is decided.
    RecallVote {
        /// The stage, where the actor voted in several.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        stage: Option<StageId>,
    },
    /// Hand a vote on to somebody else.
    ReassignVote {
        /// The stage, where several are open.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        stage: Option<StageId>,
        /// Whose, where not the actor's own.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        from: Option<PersonId>,
        /// To whom.
        to: PersonId,
        /// Why.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        comment: Option<String>,
    },
    /// Ask the requester something before voting.
    AskInformation {
        /// The stage, where the actor is asked in several.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        stage: Option<StageId>,
        /// What.
        question: String,
    },
    /// What is due is done: the earliest timer, clock or stage.
    Wake,
    /// What came of an effect.
    EffectResult {
        /// Which effect.
        effect: EffectKey,
        /// Its end, or why not yet.
        result: Result<EffectDone, Failure>,
    },
    /// A task of the record has ended.
    TaskEnded {
        /// What it was a task of.
        of: TaskOf,
        /// Its record.
        record: RecordId,
        /// How; `done` is success.
        outcome: String,
    },
    /// Come under another version of the workflow.
    Migrate(Migrate),
    /// Try a dead effect again.
    Redrive {
        /// Which effect.
        effect: EffectKey,
    },
    /// Someone's rights changed: open approvals are looked at again.
    DirectoryChanged {
        /// The position of the change in the journal.
        position: u64,
    },
    /// A binding's own name for the record, from now on.
    Refer {
        /// The binding.
        binding: BindingId,
        /// Its name for the record.
        reference: String,
    },
}

impl Action {
    /// Its name in the API and in grants.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Create(_) => "create",
            Self::Transition { .. } => "transition",
            Self::Update { .. } => "update",
            Self::Comment { .. } => "comment",
            Self::Link { .. } => "link",
            Self::Watch { .. } => "watch",
            Self::Vote { .. } => "vote",
            Self::RecallVote { .. } => "recall-vote",
            Self::ReassignVote { .. } => "reassign-vote",
            Self::AskInformation { .. } => "ask-information",
            Self::Wake => "wake",
            Self::EffectResult { .. } => "effect-result",
            Self::TaskEnded { .. } => "task-ended",
            Self::Migrate(_) => "migrate",
            Self::Redrive { .. } => "redrive",
            Self::DirectoryChanged { .. } => "directory-changed",
            Self::Refer { .. } => "refer",
        }
    }
}

/// What a link for a vote was given for, beside whose vote it is: by this it is good once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LinkUse {
    /// When the stage opened.
    pub opened_at: Instant,
    /// The version of the record in which the stage opened.
    pub opened_in: u64,
    /// How many votes of the person were taken back before.
    pub recalled: u32,
}

/// How a record is to begin.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Create {
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
    pub fields: Map<String, Json>,
    /// What it is a task of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<TaskOf>,
    /// A link that it begins with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link: Option<(LinkKind, RecordId)>,
    /// A binding's own name for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<(BindingId, String)>,
}

/// How a record is to come under another version of its workflow.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Migrate {
    /// The digest of that version, the one in force.
    pub to: Digest,
    /// What becomes of its clocks, where not what the migration says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clocks: Option<MigratedClocks>,
    /// Where it came from, where it goes back to a version from which it was moved.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub back: Option<WayBack>,
}

/// What a move to another version did to a record, so that it can be undone.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct WayBack {
    /// The state that it was in before.
    pub from: StateId,
    /// The state that it came to.
    pub to: StateId,
    /// The fields that were changed, each with its value before and after.
    pub fields: BTreeMap<FieldId, (Value, Value)>,
}

/// How an effect ended well.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct EffectDone {
    /// The record that it created.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created: Option<RecordId>,
    /// The component that delivered it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub component: Option<Digest>,
    /// What it looked like to the outside: how long it took, in microseconds.
    #[serde(default)]
    pub micros: u64,
}

/// A key under which a command is carried out once.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct IdempotencyKey {
    /// The key as it was given, with the actor who gave it before it.
    pub key: String,
    /// The digest of what was asked, so that the key does not answer something else.
    pub request: Digest,
}
