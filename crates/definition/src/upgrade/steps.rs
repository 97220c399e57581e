//! Where in a scenario names stand, and of which records' workflows.
//!
//! A step is about a record: the one that it creates, that of another step, one found from there by
//! a link or as a task, or else the first that was created. By its workflow the names of the step are
//! understood: transitions, states, fields and their options, inputs of forms, tasks, links, stages.

use std::collections::BTreeMap;

use super::homes::{Homes, Root};
use super::laid::root;
use super::names::{Form, Of, Text};
use crate::overlay::DefinitionKind;

/// What the keys of the map at a path of a scenario name. `form` is what the step there fills in.
pub(super) fn of_keys(path: &[&str], form: Option<Form>) -> Option<Of> {
    let inputs = || form.map_or(Of::Field, Of::Input);
    match path {
        ["given", "directory", "team"]
        | ["steps", _, "do", "directory", "put" | "remove", "team"] => {
            Some(Of::Definition(DefinitionKind::Team))
        }
        ["given", "silent"] | ["steps", _, "expect", "told"] => {
            Some(Of::Definition(DefinitionKind::Plugin))
        }
        ["steps", _, "do", "create", "fields"]
        | ["steps", _, "do", "transition", "input"]
        | ["steps", _, "expect", "refused"] => Some(inputs()),
        ["given", "filled", _]
        | ["steps", _, "do", "update", "fields" | "clear"]
        | ["steps", _, "expect", "fields" | "unset"] => Some(Of::Field),
        ["steps", _, "expect", "notified"] => Some(Of::Definition(DefinitionKind::Notice)),
        ["steps", _, "expect", "tasks"] => Some(Of::Task),
        ["steps", _, "expect", "links"] => Some(Of::Link),
        ["given", "filled" | "before"] | ["steps", _, "expect", "links", _] => {
            Some(Of::Definition(DefinitionKind::Workflow))
        }
        ["given", "before", _] | ["steps", _, "expect", "may"] => Some(Of::Transition(None)),
        _ => None,
    }
}

/// Whether the keys of the map at a path of a scenario name promises: a service level and a target.
pub(super) fn are_promises(path: &[&str]) -> bool {
    matches!(path, ["steps", _, "expect", "clocks"])
}

/// What the text at a path of a scenario stands for.
pub(super) fn of_text(path: &[&str], form: Option<Form>) -> Option<Text> {
    let of = match path {
        ["given", "before", _, _] => Of::Transition(None),
        ["given", "like"] => Of::Definition(DefinitionKind::Scenario),
        ["given", "directory", thing @ ..] | ["steps", _, "do", "directory", "put", thing @ ..] => {
            of_thing(thing)?
        }
        ["steps", _, "do", deed @ ..] => of_deed(deed, form)?,
        ["steps", _, "record", whose @ ..] => of_whose(whose)?,
        ["steps", _, "expect", "state"] => Of::State,
        ["steps", _, "expect", "team"] => Of::Definition(DefinitionKind::Team),
        ["given", "filled", _, field] | ["steps", _, "expect", "fields", field] => {
            Of::Choice((*field).to_owned())
        }
        ["steps", _, "expect", "approval", "stage"] => Of::Stage,
        _ => return None,
    };
    Some(Text::Name(of))
}

fn of_deed(path: &[&str], form: Option<Form>) -> Option<Of> {
    match path {
        ["create", "workflow"] => Some(Of::Definition(DefinitionKind::Workflow)),
        ["create", "item"] => Some(Of::Definition(DefinitionKind::CatalogueItem)),
        ["create", "via"] => Some(Of::Way),
        ["transition", "id"] => Some(Of::Transition(None)),
        ["create", "fields", input] | ["transition", "input", input] => {
            Some(Of::InputChoice(form?, (*input).to_owned()))
        }
        ["update", "fields", field] => Some(Of::Choice((*field).to_owned())),
        ["link", "kind"] => Some(Of::Link),
        ["link", "to", whose @ ..] => of_whose(whose),
        _ => None,
    }
}

fn of_whose(path: &[&str]) -> Option<Of> {
    match path {
        [] | ["step"] => Some(Of::Step),
        ["link"] => Some(Of::Link),
        ["task"] => Some(Of::Task),
        ["workflow"] => Some(Of::Definition(DefinitionKind::Workflow)),
        _ => None,
    }
}

/// What a text within a thing of the directory names.
fn of_thing(path: &[&str]) -> Option<Of> {
    match path {
        ["user", _, "roles"] => Some(Of::Role),
        ["team", _, "members", _, "shift"] | ["contract", _, "calendar"] => {
            Some(Of::Definition(DefinitionKind::Calendar))
        }
        ["service", _, "team"] => Some(Of::Definition(DefinitionKind::Team)),
        _ => None,
    }
}

/// What the step of a scenario fills in.
pub(super) fn form(homes: &Homes<'_>, own: &[String], step: &str) -> Option<Form> {
    let said = |keys| homes.said(&within(own, step, keys)).map(str::to_owned);
    if let Some(transition) = said(&["do", "transition", "id"]) {
        return Some(Form::Transition(transition));
    }
    let creates = homes.has(&within(own, step, &["do", "create"]));
    creates.then(|| Form::Way(said(&["do", "create", "via"])))
}

/// The workflows that the record of each step of a scenario may be of, by step.
pub(super) fn records(homes: &Homes<'_>, own: &[String]) -> BTreeMap<String, Vec<Root>> {
    let mut about: BTreeMap<String, Vec<Root>> = BTreeMap::new();
    let mut first = None;
    for step in homes.keys(&[own, &["steps".to_owned()]].concat()) {
        let created = homes.said(&within(own, step, &["do", "create", "workflow"]));
        let roots = match created {
            Some(workflow) => begun(homes, own, step, workflow),
            None => whose(homes, &within(own, step, &["record"]), &about)
                .or_else(|| first.clone())
                .unwrap_or_default(),
        };
        let refused = homes.has(&within(own, step, &["expect", "refused"]));
        if created.is_some() && first.is_none() && !refused {
            first = Some(roots.clone());
        }
        about.insert(step.clone(), roots);
    }
    about
}

/// What a record is of that a step begins: of the item of the catalogue, too.
fn begun(homes: &Homes<'_>, own: &[String], step: &str, workflow: &str) -> Vec<Root> {
    let item = homes.said(&within(own, step, &["do", "create", "item"]));
    let item = item.map(|item| root(DefinitionKind::CatalogueItem, item));
    let workflow = homes.workflow(workflow);
    item.into_iter().chain(workflow).collect()
}

/// The record that stands at a path, where one does: of another step, or found from there.
fn whose(
    homes: &Homes<'_>,
    at: &[String],
    about: &BTreeMap<String, Vec<Root>>,
) -> Option<Vec<Root>> {
    let said = |key: &str| homes.said(&[at, &[key.to_owned()]].concat());
    if let Some(step) = homes.said(at) {
        return Some(about.get(step).cloned().unwrap_or_default());
    }
    let from = about.get(said("step")?).cloned().unwrap_or_default();
    let found = match (said("workflow"), said("task"), said("link")) {
        (Some(workflow), ..) => homes.workflow(workflow),
        (None, Some(task), _) => homes.handed_out(&from, "*", task),
        (None, None, Some(link)) => homes.linked(link),
        (None, None, None) => Vec::new(),
    };
    Some(found)
}

/// The step from whose record a link or a task is named at the end of a way through a scenario; the
/// way's own step without it.
pub(super) fn found_from(homes: &Homes<'_>, own: &[String], keys: &[String]) -> Option<String> {
    let here: Vec<&str> = keys.iter().map(String::as_str).collect();
    let (["steps", _, "record", "link" | "task"]
    | ["steps", _, "do", "link", "to", "link" | "task"]) = &here[..]
    else {
        return None;
    };
    let (_, above) = keys.split_last()?;
    let step = homes.said(&[own, above, &["step".to_owned()]].concat());
    step.map(str::to_owned)
}

fn within(own: &[String], step: &str, keys: &[&str]) -> Vec<String> {
    let keys = ["steps", step].into_iter().chain(keys.iter().copied());
    let keys = keys.map(str::to_owned);
    own.iter().cloned().chain(keys).collect()
}
