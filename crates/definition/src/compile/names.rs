//! The names that definitions use of each other.

use std::collections::{BTreeMap, BTreeSet};

use indexmap::IndexMap;
use model::definition::{Field, Plugin, Workflow};
use model::hook::Hook;
use model::id::{
    BindingId, CalendarId, FieldId, NoticeId, RoleId, TeamId, TransitionId, WorkflowId,
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
    /// The ways to begin.
    pub create: Vec<TransitionId>,
}

impl From<&Workflow> for KnownWorkflow {
    fn from(workflow: &Workflow) -> Self {
        Self {
            fields: workflow.fields.clone(),
            create: workflow.create.keys().cloned().collect(),
        }
    }
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
