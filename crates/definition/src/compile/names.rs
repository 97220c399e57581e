//! The names that definitions use of each other.

use std::collections::{BTreeMap, BTreeSet};

use indexmap::IndexMap;
use model::definition::{Field, LinkType, Plugin, Transition, Workflow};
use model::hook::Hook;
use model::id::{
    BindingId, CalendarId, FieldId, LinkKind, NoticeId, RoleId, TeamId, TransitionId, WorkflowId,
};

/// What is known beside the definition that is compiled.
#[derive(Clone, Debug, Default)]
pub struct Names {
    /// The calendars.
    pub calendars: BTreeSet<CalendarId>,
    /// The teams.
    pub teams: BTreeSet<TeamId>,
    /// The roles that the packs name.
    pub roles: BTreeSet<RoleId>,
    /// The notices.
    pub notices: BTreeSet<NoticeId>,
    /// The bindings, each with the hooks it is used for.
    pub bindings: BTreeMap<BindingId, BTreeSet<Hook>>,
    /// The workflows, as far as others name what is in them.
    pub workflows: BTreeMap<WorkflowId, KnownWorkflow>,
    /// Whether a name that is not known is let pass: a record keeps the version of its workflow,
    /// and that may name what has gone since. It then means nobody and nothing.
    pub lenient: bool,
}

/// What others may name of a workflow.
#[derive(Clone, Debug, Default)]
pub struct KnownWorkflow {
    /// Its fields.
    pub fields: IndexMap<FieldId, Field>,
    /// The ways to begin, each with what its form asks for.
    pub create: IndexMap<TransitionId, Form>,
    /// Its transitions, each with what the forms of all that are called so ask for.
    pub transitions: BTreeMap<TransitionId, Form>,
    /// The kinds of link that it declares.
    pub links: IndexMap<LinkKind, LinkType>,
}

/// What a form asks for.
pub type Form = IndexMap<FieldId, Field>;

impl From<&Workflow> for KnownWorkflow {
    fn from(workflow: &Workflow) -> Self {
        let create = workflow.create.iter();
        let in_states = workflow.states.values().map(|state| &state.transitions);
        let mut transitions: BTreeMap<TransitionId, Form> = BTreeMap::new();
        for (id, transition) in in_states.chain([&workflow.anywhere]).flatten() {
            let form = transitions.entry(id.clone()).or_default();
            form.extend(asked(workflow, transition));
        }
        Self {
            fields: workflow.fields.clone(),
            create: create
                .map(|(id, way)| (id.clone(), asked(workflow, way).collect()))
                .collect(),
            transitions,
            links: workflow.links.clone(),
        }
    }
}

/// What a form asks for: fields of the workflow, or inputs of its own.
fn asked(workflow: &Workflow, transition: &Transition) -> impl Iterator<Item = (FieldId, Field)> {
    transition.form.iter().map(|(id, own)| {
        let field = workflow.fields.get(id).unwrap_or(own);
        (id.clone(), field.clone())
    })
}

impl Names {
    /// The same names for a version that was in force before: what it names may have gone.
    #[must_use]
    pub fn for_old_versions(mut self) -> Self {
        self.lenient = true;
        self
    }
}

/// The hooks that a binding is used for.
pub fn hooks(plugin: &Plugin) -> BTreeSet<Hook> {
    plugin
        .hooks
        .iter()
        .filter(|(_, used)| **used)
        .map(|(hook, _)| *hook)
        .collect()
}
