//! The names that a scenario uses, each held to what there is.

use indexmap::IndexMap;
use model::definition::{Moment, Task, Things, Transition, Workflow};
use model::directory::kind;
use model::id::{PersonId, TaskId, TransitionId};
use serde_json::{Map, Value as Json};

use super::Checker;
use crate::compile::{Fault, Spot};
use crate::overlay::DefinitionKind;
use crate::scenario::instant;
use crate::source::Severity;

/// What an update may name beside fields.
const RELATIONS: [&str; 3] = ["assignee", "team", "requester"];

impl<'p> Checker<'p, '_> {
    pub(super) fn directory(&mut self, path: &[&str], things: &'p Things) {
        for (of, all) in things {
            for (id, thing) in all {
                let path = [path, &[of.as_str(), id.as_str()]].concat();
                match of.as_str() {
                    kind::USER => self.roles(&path, thing),
                    kind::TEAM => {
                        self.name(&path, id.as_str(), &ids(&self.pack.teams), "team");
                        self.members(&path, thing);
                    }
                    _ => {}
                }
            }
        }
    }

    fn roles(&mut self, path: &[&str], user: &'p Map<String, Json>) {
        let known = ids(&self.pack.header.roles);
        let roles = user.get("roles").and_then(Json::as_array);
        for (index, role) in roles.into_iter().flatten().enumerate() {
            let Some(role) = role.as_str() else { continue };
            let index = index.to_string();
            let path = [path, &["roles", &index]].concat();
            self.name_at_value(&path, role, &known, "role");
        }
        if let Some(manager) = user.get("manager").and_then(Json::as_str) {
            self.person(&[path, &["manager"]].concat(), manager);
        }
    }

    fn members(&mut self, path: &[&str], team: &'p Map<String, Json>) {
        let members = team.get("members").and_then(Json::as_object);
        for (person, member) in members.into_iter().flatten() {
            let path = [path, &["members", person]].concat();
            self.name(&path, person, &self.users.clone(), "user in its directory");
            if let Some(shift) = member.get("shift").and_then(Json::as_str) {
                let path = [&path[..], &["shift"]].concat();
                self.name_at_value(&path, shift, &ids(&self.pack.calendars), "calendar");
            }
        }
    }

    pub(super) fn people<'a>(&mut self, path: &[&str], people: impl Iterator<Item = &'a PersonId>) {
        for person in people {
            let path = [path, &[person.as_str()]].concat();
            self.name(
                &path,
                person.as_str(),
                &self.users.clone(),
                "user in its directory",
            );
        }
    }

    pub(super) fn person(&mut self, path: &[&str], person: &str) {
        self.name_at_value(path, person, &self.users.clone(), "user in its directory");
    }

    pub(super) fn moment(&mut self, path: &[&str], moment: Option<Moment>) {
        if moment.is_some_and(|moment| instant(moment, self.zone).is_none()) {
            let message = "the clocks of the pack's zone skip this time";
            self.rules.error("scenario", path, message).spot = Spot::Value;
        }
    }

    pub(super) fn workflow(&mut self, path: &[&str], id: &str) -> Option<&'p Workflow> {
        let found = self.pack.workflows.get(id).map(|it| &it.value);
        if found.is_none() {
            self.name_at_value(path, id, &ids(&self.pack.workflows), "workflow");
        }
        found
    }

    pub(super) fn transition(
        &mut self,
        path: &[&str],
        id: &TransitionId,
        workflow: &Workflow,
    ) -> bool {
        let known: Vec<String> = transitions(workflow)
            .map(|(id, _)| id.to_string())
            .collect();
        let is_key = path.contains(&"may");
        if is_key {
            self.name(path, id.as_str(), &known, "transition");
        } else {
            self.name_at_value(path, id.as_str(), &known, "transition");
        }
        known.iter().any(|known| known == id.as_str())
    }

    pub(super) fn inputs(
        &mut self,
        path: &[&str],
        inputs: &Map<String, Json>,
        known: &[String],
        missing: &str,
    ) {
        for input in inputs.keys().filter(|input| !known.contains(*input)) {
            let path = [path, &[input.as_str()]].concat();
            let message = format!("{missing} `{input}`");
            self.push(&path, Spot::Key, message, input, known);
        }
    }

    /// A name that is a key.
    pub(super) fn name(&mut self, path: &[&str], name: &str, known: &[String], what: &str) {
        if !known.iter().any(|known| known == name) {
            let message = format!("there is no {what} `{name}`");
            self.push(path, Spot::Key, message, name, known);
        }
    }

    pub(super) fn name_at_value(
        &mut self,
        path: &[&str],
        name: &str,
        known: &[String],
        what: &str,
    ) {
        if !known.iter().any(|known| known == name) {
            let message = format!("there is no {what} `{name}`");
            self.unknown(path, message, name, known);
        }
    }

    pub(super) fn unknown(&mut self, path: &[&str], message: String, name: &str, known: &[String]) {
        self.push(path, Spot::Value, message, name, known);
    }

    fn push(&mut self, path: &[&str], spot: Spot, message: String, name: &str, known: &[String]) {
        let fault = Fault {
            kind: DefinitionKind::Scenario,
            id: self.rules.id.clone(),
            rule: "unknown-name",
            severity: Severity::Error,
            path: path.iter().map(|key| (*key).to_owned()).collect(),
            spot,
            message,
            help: None,
        };
        let fault = fault.suggest(name, known.iter().map(String::as_str));
        self.rules.found.push(fault);
    }
}

pub(super) fn ids<I: std::fmt::Display, T>(all: &IndexMap<I, T>) -> Vec<String> {
    all.keys().map(ToString::to_string).collect()
}

/// What an expectation or an update may name of a record.
pub(super) fn named(workflow: &Workflow) -> Vec<String> {
    let fields = workflow.fields.keys().map(ToString::to_string);
    fields
        .chain(RELATIONS.into_iter().map(str::to_owned))
        .collect()
}

pub(super) fn transitions(
    workflow: &Workflow,
) -> impl Iterator<Item = (&TransitionId, &Transition)> {
    let own = workflow.states.values().flat_map(|it| &it.transitions);
    own.chain(&workflow.anywhere)
}

/// Every task that the states of a workflow hand out.
pub(super) fn tasks(workflow: &Workflow) -> impl Iterator<Item = (&TaskId, &Task)> {
    let states = workflow.states.values();
    states
        .filter_map(|state| state.tasks.as_ref())
        .flat_map(|tasks| &tasks.each)
}
