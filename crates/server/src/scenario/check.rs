//! What is expected, held to what was found: each thing that differs is told with both.

use std::collections::BTreeSet;

use definition::compile::Workflow;
use engine::EngineError;
use model::Value;
use model::definition::{Expect, ExpectApproval, ExpectClock, Notified, Refusal};
use model::event::Event;
use model::id::{NoticeId, PersonId, StepId};
use model::journal::Entry;
use model::record::{ClockGoal, EffectCall, OpenStage, Record};
use serde_json::Value as Json;

use super::desk::Desk;
use super::plan::Plan;
use super::run::{Refused, Unmet};
use crate::replay;

/// What there is after a step.
pub(super) struct Found<'f> {
    pub(super) plan: &'f Plan,
    pub(super) desk: &'f Desk,
    pub(super) step: &'f StepId,
    pub(super) record: Option<&'f Record>,
    pub(super) actor: Option<&'f PersonId>,
    pub(super) refused: Option<&'f Refused>,
}

impl Found<'_> {
    /// Everything that is not as expected.
    ///
    /// # Errors
    /// Where the store fails.
    pub(super) fn against(&self, expect: &Expect) -> Result<Vec<Unmet>, EngineError> {
        let mut unmet = Differences {
            found: self,
            unmet: Vec::new(),
        };
        if let Some(refused) = &expect.refused {
            unmet.refused(refused, self.refused);
        }
        let rest = Expect {
            refused: None,
            ..expect.clone()
        };
        if rest.is_empty() {
            return Ok(unmet.unmet);
        }
        let Some(record) = self.record else {
            unmet.add(&[], "there is no record of which to expect anything");
            return Ok(unmet.unmet);
        };
        unmet.record(expect, record);
        let news = self.desk.news(&record.id)?;
        for (notice, expected) in &expect.notified {
            unmet.notified(notice, expected, &news);
        }
        for (binding, expected) in &expect.told {
            let told = news.iter().flat_map(|entry| &entry.events).any(|event| {
                matches!(event, Event::EffectDue { call: EffectCall::Deliver { binding: of, .. }, .. } if of == binding)
            });
            unmet.whether(&["told", binding.as_str()], *expected, told);
        }
        if let Some(approval) = &expect.approval {
            unmet.approval(approval, record);
        }
        for (name, expected) in &expect.clocks {
            unmet.clock(name, expected, record);
        }
        unmet.tasks(expect, record);
        unmet.links(expect, record)?;
        unmet.possible(expect, record)?;
        Ok(unmet.unmet)
    }

    fn workflow(&self, record: &Record) -> Option<std::sync::Arc<Workflow>> {
        self.desk.engine.workflow_of_record(record).ok()
    }
}

struct Differences<'f> {
    found: &'f Found<'f>,
    unmet: Vec<Unmet>,
}

impl Differences<'_> {
    fn add(&mut self, path: &[&str], message: impl Into<String>) {
        let Found { plan, step, .. } = self.found;
        let path = [&["steps", step.as_str(), "expect"], path].concat();
        let name = path[3..].join(".");
        let message = message.into();
        let message = if name.is_empty() {
            message
        } else {
            format!("{name}: {message}")
        };
        self.unmet.push(Unmet {
            step: Some((*step).clone()),
            position: plan.position(&path),
            message,
        });
    }

    fn differs(&mut self, path: &[&str], expected: &str, found: Option<&str>) {
        if found != Some(expected) {
            let found = found.map_or_else(|| "none".to_owned(), |found| format!("`{found}`"));
            self.add(path, format!("expected `{expected}`, found {found}"));
        }
    }

    fn whether(&mut self, path: &[&str], expected: bool, found: bool) {
        if expected != found {
            self.add(path, format!("expected {expected}, found {found}"));
        }
    }

    fn refused(&mut self, expected: &Refusal, found: Option<&Refused>) {
        let Some(refused) = found else {
            let message = "expected to be refused, but it was done";
            self.add(&["refused"], message);
            return;
        };
        let Refused { code, text, inputs } = refused;
        match expected {
            Refusal::Told(told) if code == told || text.contains(told) => {}
            Refusal::Told(told) => self.add(
                &["refused"],
                format!("expected `{told}`, but it is refused ({code}): {text}"),
            ),
            Refusal::Inputs(expected) => {
                for (input, expected) in expected {
                    if *expected != inputs.contains(input) {
                        let word = if *expected { "refused" } else { "accepted" };
                        self.add(
                            &["refused", input],
                            format!("expected to be {word}, but it is refused ({code}): {text}"),
                        );
                    }
                }
            }
        }
    }

    /// What stands in the record itself.
    fn record(&mut self, expect: &Expect, record: &Record) {
        let people = |person: &Option<PersonId>| person.as_ref().map(ToString::to_string);
        let outcome = || {
            let workflow = self.found.workflow(record)?;
            workflow.states.get(&record.state)?.outcome.clone()
        };
        let outcome = expect.outcome.is_some().then(outcome).flatten();
        let texts = [
            (
                "state",
                expect.state.as_ref().map(ToString::to_string),
                Some(record.state.to_string()),
            ),
            (
                "category",
                expect.category.map(|it| it.as_str().to_owned()),
                Some(record.category.as_str().to_owned()),
            ),
            ("outcome", expect.outcome.clone(), outcome),
            (
                "team",
                expect.team.as_ref().map(ToString::to_string),
                record.team.as_ref().map(ToString::to_string),
            ),
            (
                "assignee",
                people(&expect.assignee),
                people(&record.assignee),
            ),
            (
                "requester",
                people(&expect.requester),
                people(&record.requester),
            ),
        ];
        for (key, expected, found) in texts {
            if let Some(expected) = expected {
                self.differs(&[key], &expected, found.as_deref());
            }
        }
        for (field, expected) in &expect.fields {
            let found = of_record(record, field);
            if !self.is(expected, &found) {
                let found = match &found {
                    Value::Null => "none".to_owned(),
                    found => found.to_json().to_string(),
                };
                self.add(
                    &["fields", field],
                    format!("expected {expected}, found {found}"),
                );
            }
        }
        for (field, unset) in &expect.unset {
            let found = of_record(record, field.as_str());
            if *unset != found.is_null() {
                let expected = if *unset { "none" } else { "some value" };
                let found = found.to_json();
                self.add(
                    &["unset", field.as_str()],
                    format!("expected {expected}, found {found}"),
                );
            }
        }
    }

    /// Whether a value is the one expected, however it is written.
    fn is(&self, expected: &Json, found: &Value) -> bool {
        match (expected, found) {
            (Json::String(text), Value::Instant(found)) => {
                let moment = text.parse().ok();
                moment.and_then(|moment| self.found.plan.instant(moment)) == Some(*found)
            }
            (Json::Number(expected), Value::Integer(_) | Value::Number(_)) => {
                expected.as_f64() == found.to_json().as_f64()
            }
            (expected, found) => *expected == found.to_json(),
        }
    }

    fn notified(&mut self, notice: &NoticeId, expected: &Notified, news: &[Entry]) {
        let given: Vec<&Vec<PersonId>> = news
            .iter()
            .flat_map(|entry| &entry.events)
            .filter_map(|event| match event {
                Event::Notified { notice: of, to, .. } if of == notice && !to.is_empty() => {
                    Some(to)
                }
                _ => None,
            })
            .collect();
        let path = ["notified", notice.as_str()];
        let people: BTreeSet<&PersonId> = given.iter().copied().flatten().collect();
        match expected {
            Notified::Somebody(expected) => self.whether(&path, *expected, !given.is_empty()),
            Notified::Times(times) => {
                if usize::try_from(*times).ok() != Some(given.len()) {
                    let found = given.len();
                    self.add(&path, format!("expected {times} times, found {found}"));
                }
            }
            Notified::People(expected) => {
                for (person, expected) in expected {
                    let path = [path[0], path[1], person.as_str()];
                    self.whether(&path, *expected, people.contains(person));
                }
            }
        }
    }

    fn approval(&mut self, expected: &ExpectApproval, record: &Record) {
        let open = || record.approval.iter().flat_map(|it| &it.stages);
        let named = open().find(|stage| expected.stage.as_ref() == Some(&stage.plan.id));
        let stage = named.or_else(|| open().next());
        if let Some(expected) = expected.open {
            self.whether(&["approval", "open"], expected, stage.is_some());
        }
        if let Some(id) = &expected.stage {
            let found = stage.map(|stage| stage.plan.id.as_str());
            self.differs(&["approval", "stage"], id.as_str(), found);
        }
        if let Some(due) = &expected.due {
            let plan = self.found.plan;
            let due = plan.instant(*due).map(|at| plan.shown(at));
            let found = stage.and_then(OpenStage::expires);
            let found = found.map(|at| plan.shown(at));
            let path = ["approval", "due"];
            self.differs(&path, &due.unwrap_or_default(), found.as_deref());
        }
        if let Some(needed) = expected.needed {
            let found = stage.map(|stage| stage.needed.to_string());
            self.differs(
                &["approval", "needed"],
                &needed.to_string(),
                found.as_deref(),
            );
        }
        for (person, asked) in &expected.asked {
            let found = stage.is_some_and(|stage| stage.asks(person));
            self.whether(&["approval", "asked", person.as_str()], *asked, found);
        }
    }

    fn clock(&mut self, name: &str, expected: &ExpectClock, record: &Record) {
        let found = record
            .clocks
            .iter()
            .find(|clock| format!("{}/{}", clock.service_level, clock.target) == name);
        let present = expected.present.unwrap_or(true);
        if present != found.is_some() {
            let path = ["clocks", name];
            let found = if present { "none" } else { "one" };
            let expected = if present { "a clock" } else { "none" };
            self.add(&path, format!("expected {expected}, found {found}"));
            return;
        }
        let Some(clock) = found else { return };
        let Found { plan, desk, .. } = self.found;
        let path = |key: &'static str| ["clocks", name, key];
        if let Some(verdict) = expected.verdict {
            let (expected, found) = (word(&verdict), word(&clock.verdict()));
            self.differs(&path("verdict"), &expected, Some(&found));
        }
        if let Some(status) = expected.status {
            let (expected, found) = (word(&status), word(&clock.status));
            self.differs(&path("status"), &expected, Some(&found));
        }
        if let Some(due) = expected.due {
            let expected = plan.instant(due).map(|at| plan.shown(at));
            let found = clock.due.map(|at| plan.shown(at));
            self.differs(
                &path("due"),
                &expected.unwrap_or_default(),
                found.as_deref(),
            );
        }
        if let Some(elapsed) = expected.elapsed {
            let found = replay::elapsed(clock, &desk.engine.definitions(), desk.now());
            let seconds = |it: model::Duration| model::Duration::from_secs(it.as_secs());
            let found = seconds(found).to_string();
            self.differs(
                &path("elapsed"),
                &seconds(elapsed).to_string(),
                Some(&found),
            );
        }
        if let Some(goal) = expected.goal {
            let found = match clock.goal {
                Some(ClockGoal::Within(goal)) => Some(goal.to_string()),
                Some(ClockGoal::DueAt(at)) => Some(plan.shown(at)),
                None => None,
            };
            self.differs(&path("goal"), &goal.to_string(), found.as_deref());
        }
    }

    fn tasks(&mut self, expect: &Expect, record: &Record) {
        for (task, expected) in &expect.tasks {
            let known = record.tasks.get(task);
            let status = known.map_or("none", |task| task.status.as_str());
            let outcome = known.and_then(|task| task.outcome.as_deref());
            if expected != status && Some(expected.as_str()) != outcome {
                let found = outcome.unwrap_or(status);
                let message = format!("expected {expected}, found {found}");
                self.add(&["tasks", task.as_str()], message);
            }
        }
    }

    fn links(&mut self, expect: &Expect, record: &Record) -> Result<(), EngineError> {
        for (kind, counts) in &expect.links {
            let linked = self.found.desk.linked(record, kind)?;
            for (workflow, count) in counts {
                let of = linked.iter().filter(|target| target.workflow == *workflow);
                let found = of.count();
                if usize::try_from(*count).ok() != Some(found) {
                    self.add(
                        &["links", kind.as_str(), workflow.as_str()],
                        format!("expected {count}, found {found}"),
                    );
                }
            }
        }
        Ok(())
    }

    /// What people may do with the record, and who may see it.
    fn possible(&mut self, expect: &Expect, record: &Record) -> Result<(), EngineError> {
        let desk = self.found.desk;
        for (person, expected) in &expect.seen {
            let person = (desk.person(person)?, person.as_str());
            let seen = match desk.engine.record(&person.0, &record.id) {
                Ok(_) => true,
                Err(EngineError::Rejected(_)) => false,
                Err(error) => return Err(error),
            };
            self.whether(&["seen", person.1], *expected, seen);
        }
        if expect.may.is_empty() {
            return Ok(());
        }
        let Some(actor) = self.found.actor else {
            self.add(&["may"], "the step does not say who: write `as:`");
            return Ok(());
        };
        let available = match desk.engine.available(&desk.person(actor)?, &record.id, &[]) {
            Ok(available) => available,
            Err(EngineError::Rejected(_)) => Vec::new(),
            Err(error) => return Err(error),
        };
        for (transition, expected) in &expect.may {
            let found = available.iter().find(|it| it.name == *transition);
            let found = found.is_some_and(|it| it.unmet.is_empty());
            self.whether(&["may", transition.as_str()], *expected, found);
        }
        Ok(())
    }
}

/// The value of a field, or of what an update names beside fields.
fn of_record(record: &Record, field: &str) -> Value {
    let text = |text: Option<String>| text.map_or(Value::Null, Value::Text);
    match field {
        "team" => text(record.team.as_ref().map(ToString::to_string)),
        "assignee" => text(record.assignee.as_ref().map(ToString::to_string)),
        "requester" => text(record.requester.as_ref().map(ToString::to_string)),
        field => record.field(field).clone(),
    }
}

/// A word of the language, as it is written.
fn word(value: &impl serde::Serialize) -> String {
    let json = serde_json::to_value(value).unwrap_or_default();
    json.as_str().unwrap_or_default().to_owned()
}
