//! Migrations: what states and fields become, compiled once for records of whatever earlier version.
//!
//! What an earlier version had is not known here, so that the names of expressions are taken as they
//! are; what they give is held to the present version when a record is moved.

use model::Digest;
use model::definition::{self, MigratedClocks, MigratedState, Setting};
use model::id::{FieldId, MigrationId, StateId, WorkflowId};

use super::compiler::Compiler;
use super::fault::{Fault, Spot};
use super::names::Names;
use super::types::{Computed, Migration, Workflow};
use crate::expression::{Scope, Type};
use crate::overlay::DefinitionKind;

/// Compiles a migration against the workflow whose records it moves.
pub(super) fn migration<'w>(
    id: &MigrationId,
    digest: Digest,
    source: &definition::Migration,
    workflow: impl Fn(&WorkflowId) -> Option<&'w Workflow>,
    names: &Names,
) -> Result<Option<Migration>, Vec<Fault>> {
    let lenient = names.clone().for_old_versions();
    let mut compiler = Compiler::new(DefinitionKind::Migration, id.as_str(), &lenient);
    let Some(workflow) = workflow(&source.of) else {
        // One that does not compile is told of by itself.
        if !names.workflows.contains_key(&source.of) {
            let known = names.workflows.keys().map(WorkflowId::as_str);
            let what = ("workflow", source.of.as_str());
            compiler.unknown(&["of"], Spot::Value, what, known);
        }
        return compiler.into_result(Some(None));
    };
    let states = states(&mut compiler, source, workflow);
    let fields = fields(&mut compiler, source, workflow);
    for dropped in source
        .drops
        .keys()
        .filter(|id| workflow.fields.contains_key(*id))
    {
        let message = format!("`{}` has the field `{dropped}`, which stays", workflow.id);
        compiler.key(&["drops", dropped.as_str()], "migration", message);
    }
    compiler.into_result(Some(Some(Migration {
        digest,
        states,
        fields,
        drops: source.drops.keys().cloned().collect(),
        clocks: source.clocks,
    })))
}

impl Migration {
    /// Takes in what another one of the same workflow says; gives the map and the key of whatever both
    /// say.
    pub(super) fn join(&mut self, other: Self) -> Vec<[String; 2]> {
        let mut both = Vec::new();
        for (from, to) in other.states {
            if self.states.iter().any(|(known, _)| *known == from) {
                both.push(["states".to_owned(), from.to_string()]);
            } else {
                self.states.push((from, to));
            }
        }
        for (field, value) in other.fields {
            if self.fields.iter().any(|(known, _)| *known == field) {
                both.push(["fields".to_owned(), field.to_string()]);
            } else {
                self.fields.push((field, value));
            }
        }
        self.drops.extend(other.drops);
        if other.clocks == MigratedClocks::Recompute {
            self.clocks = other.clocks;
        }
        self.digest = Digest::of(format!("{} {}", self.digest, other.digest).as_bytes());
        both
    }
}

fn states(
    compiler: &mut Compiler<'_>,
    source: &definition::Migration,
    workflow: &Workflow,
) -> Vec<(StateId, Computed)> {
    let mut states = Vec::new();
    for (from, to) in &source.states {
        let below = ["states", from.as_str()];
        match to {
            MigratedState::Named(to) if !workflow.states.contains_key(to) => {
                let known = workflow.states.keys().map(StateId::as_str);
                compiler.unknown(&below, Spot::Value, ("state", to.as_str()), known);
            }
            MigratedState::Named(to) => {
                let to = Computed::Literal(to.as_str().into());
                states.push((from.clone(), to));
            }
            MigratedState::Computed { cel } => {
                let below = ["states", from.as_str(), "cel"];
                let compiled = compiler.cel(&below, cel, &Scope::new(), &Type::Text);
                let to = compiled.map(Computed::Expression);
                states.extend(to.map(|to| (from.clone(), to)));
            }
        }
    }
    states
}

fn fields(
    compiler: &mut Compiler<'_>,
    source: &definition::Migration,
    workflow: &Workflow,
) -> Vec<(FieldId, Computed)> {
    let mut fields = Vec::new();
    for (id, setting) in &source.fields {
        let below = ["fields", id.as_str()];
        let Some(field) = workflow.fields.get(id) else {
            let known = workflow.fields.keys().map(FieldId::as_str);
            compiler.unknown(&below, Spot::Key, ("field", id.as_str()), known);
            continue;
        };
        if field.source.value.is_some() {
            let message = format!("`{id}` is computed; nothing else can set it");
            compiler.key(&below, "set", message);
            continue;
        }
        let computed = match setting {
            Setting::Computed { cel } => {
                let below = ["fields", id.as_str(), "cel"];
                let compiled = compiler.cel(&below, cel, &Scope::new(), &Type::Any);
                compiled.map(Computed::Expression)
            }
            Setting::Literal(_) => compiler.setting(&below, setting, field, &Scope::new()),
        };
        fields.extend(computed.map(|computed| (id.clone(), computed)));
    }
    fields
}
