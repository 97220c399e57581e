//! Scenarios name things of the pack and of their own desk: that all of it exists.

use std::collections::BTreeMap;

use chrono_tz::Tz;
use indexmap::IndexMap;
use model::definition::{
    Begin, Deed, Expect, Moment, Scenario, Step, Take, Task, Things, Transition, Turnover, Whose,
    Workflow,
};
use model::directory::kind;
use model::id::{ScenarioId, StepId, TaskId, TransitionId};
use serde_json::{Map, Value as Json};

use super::Rules;
use crate::compile::{Fault, Spot};
use crate::overlay::DefinitionKind;
use crate::pack::Pack;
use crate::scenario::{Beginning, BeginningError, MAX_STEPS, beginning, instant};
use crate::source::Severity;

/// What an update may name beside fields.
const RELATIONS: [&str; 3] = ["assignee", "team", "requester"];

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
            Deed::Create(_) | Deed::Comment(_) | Deed::Vote(_) => {}
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

    fn expect(&mut self, id: &'p StepId, expect: &'p Expect, workflow: Option<&'p Workflow>) {
        let at = |key: &'p str| vec!["steps", id.as_str(), "expect", key];
        if let Some(team) = &expect.team {
            let known = ids(&self.pack.teams);
            self.name_at_value(&at("team"), team.as_str(), &known, "team");
        }
        for (key, person) in [
            ("assignee", &expect.assignee),
            ("requester", &expect.requester),
        ] {
            if let Some(person) = person {
                self.person(&at(key), person.as_str());
            }
        }
        for (notice, told) in &expect.notified {
            let mut path = at("notified");
            path.push(notice.as_str());
            self.name(&path, notice.as_str(), &ids(&self.pack.notices), "notice");
            if let model::definition::Notified::People(people) = told {
                self.people(&path, people.keys());
            }
        }
        for binding in expect.told.keys() {
            let mut path = at("told");
            path.push(binding.as_str());
            self.name(&path, binding.as_str(), &ids(&self.pack.plugins), "binding");
        }
        self.people(&at("seen"), expect.seen.keys());
        for (clock, expected) in &expect.clocks {
            let mut path = at("clocks");
            path.push(clock);
            self.clock(&path, clock);
            path.push("due");
            self.moment(&path, expected.due);
        }
        for (kind, counts) in &expect.links {
            for workflow in counts.keys() {
                let mut path = at("links");
                path.extend([kind.as_str(), workflow.as_str()]);
                self.name(
                    &path,
                    workflow.as_str(),
                    &ids(&self.pack.workflows),
                    "workflow",
                );
            }
        }
        if let Some(approval) = &expect.approval {
            let mut path = at("approval");
            path.push("asked");
            self.people(&path, approval.asked.keys());
        }
        if let Some(workflow) = workflow {
            self.expect_of(id, expect, workflow);
        }
    }

    /// What is expected of a record whose workflow is known.
    fn expect_of(&mut self, id: &'p StepId, expect: &'p Expect, workflow: &'p Workflow) {
        let at = |key: &'p str| vec!["steps", id.as_str(), "expect", key];
        if let Some(state) = &expect.state {
            self.name_at_value(
                &at("state"),
                state.as_str(),
                &ids(&workflow.states),
                "state",
            );
        }
        if let Some(outcome) = &expect.outcome {
            let known = workflow.states.values().filter_map(|it| it.outcome.clone());
            let known: Vec<String> = known.collect();
            self.name_at_value(&at("outcome"), outcome, &known, "outcome");
        }
        for (field, path) in expect
            .fields
            .keys()
            .map(|field| (field.as_str(), "fields"))
            .chain(expect.unset.keys().map(|field| (field.as_str(), "unset")))
        {
            let mut path = at(path);
            path.push(field);
            self.name(&path, field, &named(workflow), "field");
        }
        for task in expect.tasks.keys() {
            let known: Vec<String> = tasks(workflow).map(|(id, _)| id.to_string()).collect();
            let mut path = at("tasks");
            path.push(task.as_str());
            self.name(&path, task.as_str(), &known, "task");
        }
        for transition in expect.may.keys() {
            let mut path = at("may");
            path.push(transition.as_str());
            self.transition(&path, transition, workflow);
        }
        let stage = expect.approval.as_ref().and_then(|it| it.stage.as_ref());
        let approvals = || {
            workflow
                .states
                .values()
                .filter_map(|it| it.approval.as_ref())
        };
        // A plugin names its own stages.
        if let Some(stage) = stage.filter(|_| approvals().all(|it| it.by.is_none())) {
            let known = approvals().flat_map(|it| it.stages.keys().map(ToString::to_string));
            let known: Vec<String> = known.collect();
            let mut path = at("approval");
            path.push("stage");
            self.name_at_value(&path, stage.as_str(), &known, "stage");
        }
    }

    fn clock(&mut self, path: &[&str], clock: &str) {
        let levels = self.pack.service_levels.iter();
        let known: Vec<String> = levels
            .flat_map(|(level, it)| {
                let targets = it.value.targets.keys();
                targets.map(move |target| format!("{level}/{target}"))
            })
            .collect();
        self.name(path, clock, &known, "target of a service level");
    }

    fn directory(&mut self, path: &[&str], things: &'p Things) {
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

    fn people<'a>(&mut self, path: &[&str], people: impl Iterator<Item = &'a model::id::PersonId>) {
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

    fn person(&mut self, path: &[&str], person: &str) {
        self.name_at_value(path, person, &self.users.clone(), "user in its directory");
    }

    fn moment(&mut self, path: &[&str], moment: Option<Moment>) {
        if moment.is_some_and(|moment| instant(moment, self.zone).is_none()) {
            let message = "the clocks of the pack's zone skip this time";
            self.rules.error("scenario", path, message).spot = Spot::Value;
        }
    }

    fn workflow(&mut self, path: &[&str], id: &str) -> Option<&'p Workflow> {
        let found = self.pack.workflows.get(id).map(|it| &it.value);
        if found.is_none() {
            self.name_at_value(path, id, &ids(&self.pack.workflows), "workflow");
        }
        found
    }

    fn transition(&mut self, path: &[&str], id: &TransitionId, workflow: &Workflow) -> bool {
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

    fn inputs(
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
    fn name(&mut self, path: &[&str], name: &str, known: &[String], what: &str) {
        if !known.iter().any(|known| known == name) {
            let message = format!("there is no {what} `{name}`");
            self.push(path, Spot::Key, message, name, known);
        }
    }

    fn name_at_value(&mut self, path: &[&str], name: &str, known: &[String], what: &str) {
        if !known.iter().any(|known| known == name) {
            let message = format!("there is no {what} `{name}`");
            self.unknown(path, message, name, known);
        }
    }

    fn unknown(&mut self, path: &[&str], message: String, name: &str, known: &[String]) {
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

fn ids<I: std::fmt::Display, T>(all: &IndexMap<I, T>) -> Vec<String> {
    all.keys().map(ToString::to_string).collect()
}

/// What an expectation or an update may name of a record.
fn named(workflow: &Workflow) -> Vec<String> {
    let fields = workflow.fields.keys().map(ToString::to_string);
    fields
        .chain(RELATIONS.into_iter().map(str::to_owned))
        .collect()
}

fn transitions(workflow: &Workflow) -> impl Iterator<Item = (&TransitionId, &Transition)> {
    let own = workflow.states.values().flat_map(|it| &it.transitions);
    own.chain(&workflow.anywhere)
}

/// Every task that the states of a workflow hand out.
fn tasks(workflow: &Workflow) -> impl Iterator<Item = (&TaskId, &Task)> {
    let states = workflow.states.values();
    states
        .filter_map(|state| state.tasks.as_ref())
        .flat_map(|tasks| &tasks.each)
}
