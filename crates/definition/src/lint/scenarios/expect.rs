//! What a scenario expects names things that there are.

use model::definition::{Expect, Notified, Workflow};
use model::id::StepId;

use super::Checker;
use super::names::{ids, named, tasks};

impl<'p> Checker<'p, '_> {
    pub(super) fn expect(
        &mut self,
        id: &'p StepId,
        expect: &'p Expect,
        workflow: Option<&'p Workflow>,
    ) {
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
            if let Notified::People(people) = told {
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
}
