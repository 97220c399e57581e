//! Scenarios name things of the pack and of their own desk: that all of it exists.

mod expect;
mod names;

use std::collections::BTreeMap;

use chrono_tz::Tz;
use model::definition::{Begin, Deed, Scenario, Step, Take, Task, Turnover, Whose, Workflow};
use model::directory::kind;
use model::id::{ScenarioId, StepId, TaskId, WorkflowId};

use self::names::{ids, named, tasks, transitions};
use super::Rules;
use crate::compile::{Fault, Spot};
use crate::overlay::DefinitionKind;
use crate::pack::Pack;
use crate::scenario::{Beginning, BeginningError, MAX_STEPS, beginning};

pub(super) fn check(pack: &Pack, faults: &mut Vec<Fault>) {
    let zone = pack
        .header
        .zone
        .as_deref()
        .and_then(|zone| zone.parse().ok());
    for (id, it) in &pack.scenarios {
        // What is not run may name what has gone.
        if it.value.skip.is_some() {
            continue;
        }
        let mut rules = Rules::of(DefinitionKind::Scenario, id.as_str(), faults);
        let found = match beginning(&pack.scenarios, &it.value) {
            Ok(found) => found,
            Err(error) => {
                let path = ["given", "like"];
                let known = pack.scenarios.keys().map(ScenarioId::as_str);
                let fault = rules.error("scenario", &path, error.to_string());
                fault.spot = Spot::Value;
                if let BeginningError::Unknown(like) = &error {
                    let told = fault.clone().suggest(like.as_str(), known);
                    fault.help = told.help;
                }
                continue;
            }
        };
        if found.skip.is_some() {
            continue;
        }
        let mut checker = Checker {
            pack,
            zone: zone.unwrap_or(chrono_tz::UTC),
            scenario: &it.value,
            given: &found,
            users: users(&found, &it.value),
            created: BTreeMap::new(),
            first: None,
            rules,
        };
        checker.check();
    }
}

/// Everyone whom the directory of a scenario knows at some time.
fn users(given: &Beginning, scenario: &Scenario) -> Vec<String> {
    let put = scenario.steps.values().filter_map(|step| match &step.deed {
        Some(Deed::Directory(turnover)) => Some(&turnover.put),
        _ => None,
    });
    let all = std::iter::once(&given.directory).chain(put);
    all.filter_map(|things| things.get(kind::USER))
        .flat_map(|users| users.keys().map(ToString::to_string))
        .collect()
}

struct Checker<'p, 'f> {
    pack: &'p Pack,
    zone: Tz,
    scenario: &'p Scenario,
    given: &'p Beginning,
    users: Vec<String>,
    /// The workflow of the record of each step so far that creates one.
    created: BTreeMap<&'p StepId, Option<&'p Workflow>>,
    first: Option<&'p StepId>,
    rules: Rules<'f>,
}

impl<'p> Checker<'p, '_> {
    fn check(&mut self) {
        let scenario = self.scenario;
        self.directory(&["given", "directory"], &scenario.given.directory);
        self.moment(&["given", "at"], scenario.given.at);
        for binding in scenario.given.silent.keys() {
            let path = ["given", "silent", binding.as_str()];
            self.name(&path, binding.as_str(), &ids(&self.pack.plugins), "binding");
        }
        self.habits();
        if scenario.steps.is_empty() {
            return;
        }
        if self.given.at.is_none() {
            let message = "it does not say when it begins";
            let fault = self.rules.error("scenario", &["given"], message);
            fault.help = Some("write `given: { at: \"2026-03-02T09:00\" }`".to_owned());
        }
        if scenario.steps.len() > MAX_STEPS {
            let message = format!("a scenario has at most {MAX_STEPS} steps");
            self.rules.error("too-large", &["steps"], message);
            return;
        }
        for (id, step) in &scenario.steps {
            self.step(id, step);
        }
        if scenario.steps.values().all(|step| step.expect.is_empty()) {
            let message = "it expects nothing, so that it can hardly fail";
            self.rules.warning("expects-nothing", &["steps"], message);
        }
    }

    /// What it says of all steps.
    fn habits(&mut self) {
        let given = &self.scenario.given;
        for (workflow, inputs) in &given.filled {
            let path = ["given", "filled", workflow.as_str()];
            let versions = self.versions(&path, workflow);
            let forms = versions.iter().flat_map(|workflow| {
                let ways = workflow.create.values().map(|way| &way.form);
                ways.chain(transitions(workflow).map(|(_, it)| &it.form))
            });
            let asked: Vec<String> = forms.flat_map(ids).collect();
            if !versions.is_empty() {
                self.inputs(&path, inputs, &asked, "no form asks for");
            }
        }
        for (workflow, before) in &given.before {
            let path = ["given", "before", workflow.as_str()];
            let versions = self.versions(&path, workflow);
            let known = versions.iter().flat_map(|workflow| transitions(workflow));
            let known: Vec<String> = known.map(|(id, _)| id.to_string()).collect();
            if versions.is_empty() {
                continue;
            }
            for (id, first) in before {
                let path = [&path[..], &[id.as_str()]].concat();
                self.name(&path, id.as_str(), &known, "transition");
                self.name_at_value(&path, first.as_str(), &known, "transition");
            }
        }
    }

    /// A workflow, and what items of the catalogue make of it.
    fn versions(&mut self, path: &[&str], id: &WorkflowId) -> Vec<&'p Workflow> {
        if !self.pack.workflows.contains_key(id) {
            self.name(path, id.as_str(), &ids(&self.pack.workflows), "workflow");
        }
        let own = self.pack.workflows.get(id).map(|it| &it.value);
        let items = self.pack.catalogue.values();
        let items = items.filter(|it| it.item.value.of == *id);
        own.into_iter()
            .chain(items.map(|it| &it.workflow.value))
            .collect()
    }

    fn step(&mut self, id: &'p StepId, step: &'p Step) {
        let at = |key: &'static str| ["steps", id.as_str(), key];
        if step.after.is_some() && step.at.is_some() {
            let message = "a step says `after` or `at`, not both";
            self.rules.error("scenario", &at("at"), message);
        }
        self.moment(&at("at"), step.at);
        match &step.actor {
            Some(person) => self.person(&at("as"), person.as_str()),
            None if !matches!(step.deed, None | Some(Deed::Directory(_))) => {
                let message = "it does not say who does it";
                let fault = self.rules.error("scenario", &at("do"), message);
                fault.help = Some("write `as:` and a person of the directory".to_owned());
            }
            None => {}
        }
        let creates = match &step.deed {
            Some(Deed::Create(begin)) => Some(self.begin(id, begin, step.expect.refused.is_some())),
            _ => None,
        };
        let workflow = match creates {
            Some(workflow) => workflow,
            None => self.record(id, step),
        };
        if let Some(deed) = &step.deed {
            self.deed(id, deed, workflow, step.expect.refused.is_some());
        }
        if creates.is_some() && step.expect.refused.is_none() {
            self.created.insert(id, workflow);
            self.first.get_or_insert(id);
        }
        self.expect(id, &step.expect, workflow);
    }

    /// The workflow of the record that a step is about, where that can be told.
    fn record(&mut self, id: &'p StepId, step: &'p Step) -> Option<&'p Workflow> {
        let path = ["steps", id.as_str(), "record"];
        match &step.record {
            Some(whose) => self.whose(&path, whose),
            None => match self.first {
                Some(first) => self.created.get(first).copied().flatten(),
                None if matches!(step.deed, None | Some(Deed::Directory(_)))
                    && step.expect.is_empty() =>
                {
                    None
                }
                None => {
                    let message = "no step before it has created a record";
                    self.rules.error("scenario", &path[..2], message);
                    None
                }
            },
        }
    }

    fn whose(&mut self, path: &[&str], whose: &'p Whose) -> Option<&'p Workflow> {
        let step = whose.step();
        let known = self.created.get(step).copied();
        if known.is_none() {
            let message = format!("no step `{step}` before it has created a record");
            let known: Vec<String> = self.created.keys().map(ToString::to_string).collect();
            self.unknown(path, message, step.as_str(), &known);
        }
        match whose {
            Whose::Step(_) => known.flatten(),
            Whose::Linked(linked) => {
                if linked.link.is_some() == linked.task.is_some() {
                    let message = "a record is found by `link` or as a `task`, by one of the two";
                    self.rules.error("scenario", path, message);
                }
                if let Some(task) = &linked.task {
                    let handed_out = known.flatten().into_iter().flat_map(tasks);
                    let handed_out: Vec<(&TaskId, &Task)> = handed_out.collect();
                    let found = handed_out.iter().find(|(id, _)| *id == task);
                    let at: Vec<&str> = path.iter().copied().chain(["task"]).collect();
                    if found.is_none() && known.flatten().is_some() {
                        let known = handed_out.iter().map(|(id, _)| id.to_string());
                        let known: Vec<String> = known.collect();
                        self.name_at_value(&at, task.as_str(), &known, "task");
                    }
                    return self.workflow(&at, found?.1.workflow.as_str());
                }
                let id = linked.workflow.as_ref()?;
                let path: Vec<&str> = path.iter().copied().chain(["workflow"]).collect();
                self.workflow(&path, id.as_str())
            }
        }
    }

    fn begin(&mut self, id: &'p StepId, begin: &'p Begin, refused: bool) -> Option<&'p Workflow> {
        let within = |key: &'static str| ["steps", id.as_str(), "do", "create", key];
        if let Some(requester) = &begin.requester {
            self.person(&within("requester"), requester.as_str());
        }
        let workflow = self.workflow(&within("workflow"), begin.workflow.as_str())?;
        let workflow = match begin
            .item
            .as_ref()
            .map(|item| self.pack.catalogue.get(item))
        {
            None => workflow,
            Some(Some(item)) => &item.workflow.value,
            Some(None) => {
                let item = begin.item.as_ref().map_or("", |item| item.as_str());
                let known = ids(&self.pack.catalogue);
                self.name_at_value(&within("item"), item, &known, "catalogue item");
                return None;
            }
        };
        let Some(via) = &begin.via else {
            return Some(workflow);
        };
        let Some(way) = workflow.create.get(via) else {
            let message = format!("`{}` has no way to begin `{via}`", begin.workflow);
            let known = ids(&workflow.create);
            self.unknown(&within("via"), message, via.as_str(), &known);
            return Some(workflow);
        };
        if !refused {
            let asked: Vec<String> = way.form.keys().map(ToString::to_string).collect();
            self.inputs(
                &within("fields"),
                &begin.fields,
                &asked,
                "the form does not ask for",
            );
        }
        Some(workflow)
    }

    fn deed(
        &mut self,
        id: &'p StepId,
        deed: &'p Deed,
        workflow: Option<&'p Workflow>,
        refused: bool,
    ) {
        match deed {
            Deed::Create(_)
            | Deed::Comment(_)
            | Deed::Vote(_)
            | Deed::RecallVote(_)
            | Deed::ReassignVote(_)
            | Deed::AskInformation(_) => {}
            Deed::Transition(take) => self.take(id, take, workflow, refused),
            Deed::Update(change) => {
                let fields = ["steps", id.as_str(), "do", "update", "fields"];
                let clear = ["steps", id.as_str(), "do", "update", "clear"];
                if let Some(workflow) = workflow.filter(|_| !refused) {
                    self.inputs(
                        &fields,
                        &change.fields,
                        &named(workflow),
                        "there is no field",
                    );
                    for field in change.clear.keys() {
                        self.name(
                            &[&clear[..], &[field.as_str()]].concat(),
                            field.as_str(),
                            &named(workflow),
                            "field",
                        );
                    }
                }
            }
            Deed::Link(join) => {
                self.whose(&["steps", id.as_str(), "do", "link", "to"], &join.to);
            }
            Deed::Watch(follow) => {
                if let Some(person) = &follow.person {
                    let path = ["steps", id.as_str(), "do", "watch", "person"];
                    self.person(&path, person.as_str());
                }
            }
            Deed::Directory(Turnover { put, .. }) => {
                self.directory(&["steps", id.as_str(), "do", "directory", "put"], put);
            }
        }
    }

    fn take(
        &mut self,
        id: &'p StepId,
        take: &'p Take,
        workflow: Option<&'p Workflow>,
        refused: bool,
    ) {
        let Some(workflow) = workflow else { return };
        let path = ["steps", id.as_str(), "do", "transition", "id"];
        if !self.transition(&path, &take.id, workflow) || refused {
            return;
        }
        let forms = transitions(workflow).filter(|(of, _)| **of == take.id);
        let asked = forms.flat_map(|(_, it)| it.form.keys().map(ToString::to_string));
        let asked: Vec<String> = asked.collect();
        let path = ["steps", id.as_str(), "do", "transition", "input"];
        self.inputs(&path, &take.input, &asked, "the form does not ask for");
    }
}
