//! The linter: what could run, but would leave records stuck, rows unread or people unasked.
//!
//! Definitions are compiled first, which finds unknown names and ill-typed expressions. The rules
//! here look at those that compile, one story a file: where records can go ([`states`]), who or what
//! moves them ([`moves`]), who must agree ([`approvals`]), which work is handed out ([`tasks`]), what
//! tables answer ([`tables`]), when clocks stop ([`clocks`]), in which business days ([`days`]), when
//! nobody works ([`holidays`]), what notices say ([`notices`]), what translations leave out ([`translations`]), that scenarios name what
//! exists ([`scenarios`]), what nothing names ([`unused`]), and who is there to do it all
//! ([`staffing`]). [`rules`] lists every rule, and [`silence`] takes out what a pack has judged to be
//! right.

mod approvals;
mod clocks;
mod days;
mod graph;
mod holidays;
mod moves;
mod notices;
pub mod rules;
mod scenarios;
mod silence;
mod staffing;
mod states;
mod tables;
mod tasks;
#[cfg(test)]
pub(crate) mod tests;
mod translations;
mod unused;

use std::collections::{BTreeMap, BTreeSet};

use model::Digest;
use model::id::WorkflowId;

use crate::compile::{Definitions, Fault, Installable, Spot, compile_all};
use crate::overlay::DefinitionKind;
use crate::pack::Pack;
use crate::source::{Diagnostics, Severity, Tree};
use graph::Graph;

pub use staffing::Staff;

/// Finds what is wrong with the definitions of a pack that could be read, in the order of its files.
pub fn lint(pack: &Pack) -> Diagnostics {
    lint_with(pack, None, Vec::new())
}

/// The same with what is found elsewhere, and held against those who are there.
pub fn lint_with(pack: &Pack, staff: Option<&Staff>, elsewhere: Vec<Fault>) -> Diagnostics {
    let installable = Installable::of_pack(pack, |_, _| Digest::default());
    let (compiled, mut faults) = compile_all(&installable);
    judge(&installable, &compiled, &mut faults);
    // What could not be compiled names what it names all the same, but nobody could say what.
    if compiled.workflows.len() == installable.workflows.len() {
        unused::check(pack, &mut faults);
        for (id, workflow) in &compiled.workflows {
            let mut rules = Rules::of(DefinitionKind::Workflow, id.as_str(), &mut faults);
            unused::fields(workflow, pack, &compiled, &mut rules);
        }
    }
    if let Some(staff) = staff {
        staffing::check(pack, &compiled, staff, &mut faults);
    }
    holidays::check(pack, &mut faults);
    translations::check(pack, &compiled, &mut faults);
    scenarios::check(pack, &mut faults);
    faults.extend(elsewhere);
    silence::apply(pack, &mut faults);
    let mut found = Diagnostics::new();
    for fault in faults {
        found.push(match tree(pack, fault.kind, &fault.id) {
            Some(tree) => fault.locate(tree),
            None => fault.locate(&pack.tree),
        });
    }
    found.sort();
    found
}

/// Finds what is wrong with definitions that are to be in force together, of whatever packs. What is
/// an [error](Severity::Error) keeps them from being installed.
pub fn faults(installable: &Installable) -> Vec<Fault> {
    let (compiled, mut faults) = compile_all(installable);
    judge(installable, &compiled, &mut faults);
    faults
}

/// Looks at what compiled by the rules of judgement.
fn judge(installable: &Installable, compiled: &Definitions, faults: &mut Vec<Fault>) {
    numbers(installable, faults);
    let mut graphs: BTreeMap<&WorkflowId, Graph<'_>> = compiled
        .workflows
        .iter()
        .map(|(id, workflow)| (id, Graph::of(workflow, compiled)))
        .collect();
    let mut stuck = BTreeSet::new();
    for (id, graph) in &graphs {
        let mut rules = Rules::of(DefinitionKind::Workflow, id.as_str(), faults);
        if states::check(graph, &mut rules) {
            stuck.insert(*id);
        }
        moves::check(graph, &mut rules);
        approvals::check(graph, &mut rules);
        tables::check_workflow(graph.workflow, &mut rules);
        tasks::check(graph, &compiled.workflows, &mut rules);
        days::check_workflow(graph.workflow, compiled, &mut rules);
    }
    items(compiled, faults);
    // Where records are held fast, clocks run on; that is no fault of theirs.
    graphs.retain(|id, _| !stuck.contains(id));
    for (id, level) in &compiled.service_levels {
        let mut rules = Rules::of(DefinitionKind::ServiceLevel, id.as_str(), faults);
        clocks::check(level, &graphs, &mut rules);
        tables::check_service_level(level, &mut rules);
        days::check_service_level(level, compiled, &mut rules);
    }
    let all_known = compiled.workflows.len() == installable.workflows.len();
    notices::check(compiled, all_known, faults);
}

/// What is wrong with the workflows of catalogue items alone: what their common workflow has is told
/// there.
fn items(compiled: &Definitions, faults: &mut Vec<Fault>) {
    for (id, item) in &compiled.catalogue {
        let mut found = Vec::new();
        let graph = Graph::of(&item.workflow, compiled);
        let mut rules = Rules::of(DefinitionKind::CatalogueItem, id.as_str(), &mut found);
        states::check(&graph, &mut rules);
        moves::check(&graph, &mut rules);
        approvals::check(&graph, &mut rules);
        tables::check_workflow(graph.workflow, &mut rules);
        tasks::check(&graph, &compiled.workflows, &mut rules);
        days::check_workflow(graph.workflow, compiled, &mut rules);
        faults.extend(found);
    }
    let common: BTreeSet<(&'static str, Vec<String>, String)> = faults
        .iter()
        .filter(|fault| fault.kind == DefinitionKind::Workflow)
        .map(|fault| (fault.rule, fault.path.clone(), fault.message.clone()))
        .collect();
    faults.retain(|fault| {
        fault.kind != DefinitionKind::CatalogueItem
            || !common.contains(&(fault.rule, fault.path.clone(), fault.message.clone()))
    });
}

/// Two workflows must not number their records alike.
fn numbers(installable: &Installable, faults: &mut Vec<Fault>) {
    let mut taken = BTreeMap::new();
    for (id, version) in &installable.workflows {
        let number = version.definition.number.as_str();
        if let Some(other) = taken.insert(number, id) {
            let message = format!("the records of `{other}` are numbered {number} too");
            Rules::of(DefinitionKind::Workflow, id.as_str(), faults).error(
                "duplicate-number",
                &["number"],
                message,
            );
        }
    }
}

fn tree<'p>(pack: &'p Pack, kind: DefinitionKind, id: &str) -> Option<&'p Tree> {
    pack.trees()
        .find(|(of, own, _)| *of == kind && *own == id)
        .map(|(_, _, tree)| tree)
}

/// What the rules find in one definition.
struct Rules<'f> {
    kind: DefinitionKind,
    id: String,
    found: &'f mut Vec<Fault>,
}

impl<'f> Rules<'f> {
    fn of(kind: DefinitionKind, id: &str, found: &'f mut Vec<Fault>) -> Self {
        Self {
            kind,
            id: id.to_owned(),
            found,
        }
    }

    fn error(
        &mut self,
        rule: &'static str,
        path: &[&str],
        message: impl Into<String>,
    ) -> &mut Fault {
        self.add(Severity::Error, rule, path, message.into())
    }

    fn warning(
        &mut self,
        rule: &'static str,
        path: &[&str],
        message: impl Into<String>,
    ) -> &mut Fault {
        self.add(Severity::Warning, rule, path, message.into())
    }

    fn add(
        &mut self,
        severity: Severity,
        rule: &'static str,
        path: &[&str],
        message: String,
    ) -> &mut Fault {
        self.found.push(Fault {
            kind: self.kind,
            id: self.id.clone(),
            rule,
            severity,
            path: path.iter().map(|key| (*key).to_owned()).collect(),
            spot: Spot::Key,
            message,
            help: None,
        });
        self.found.last_mut().expect("pushed just now")
    }
}
