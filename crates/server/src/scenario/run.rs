//! One scenario, run: each step at its time, what it does, and what came of it held to what was
//! expected.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use api::Problem;
use definition::compile::Definitions;
use definition::source::Position;
use engine::{EngineError, Rejection};
use model::command::{Action, Create};
use model::definition::{Choice, Deed, Step, Whose};
use model::id::{PersonId, RecordId, StepId, WorkflowId};
use model::record::Record;

use super::check::Found;
use super::desk::Desk;
use super::plan::{Plan, keyed};
use super::plugins::{OfDesk, Shared};

/// What came of a scenario.
#[derive(Clone, Debug, Default)]
pub(crate) struct Outcome {
    /// What was not as expected; where it is empty, the scenario passed.
    pub(crate) unmet: Vec<Unmet>,
    /// The workflows of which it had records.
    pub(crate) workflows: BTreeSet<WorkflowId>,
}

/// Something that was not as expected.
#[derive(Clone, Debug)]
pub(crate) struct Unmet {
    /// The step.
    pub(crate) step: Option<StepId>,
    /// Where it was expected.
    pub(crate) position: Position,
    /// What was expected, and what was found instead.
    pub(crate) message: String,
}

/// Why a step went no further.
pub(super) enum Stop {
    /// Something is as nobody expected; the steps after it would only tell consequences.
    Unmet(Vec<&'static str>, String),
    /// The desk failed.
    Failed(EngineError),
}

impl From<EngineError> for Stop {
    fn from(error: EngineError) -> Self {
        Self::Failed(error)
    }
}

/// Runs a scenario on a desk of its own. With `hurried`, what was not as expected first ends it.
pub(crate) async fn run(
    plan: &Plan,
    definitions: Arc<Definitions>,
    plugins: Arc<Shared>,
    hurried: bool,
) -> Outcome {
    let mut outcome = Outcome::default();
    let begun = begin(plan, definitions, plugins).await;
    let desk = match begun {
        Ok(desk) => desk,
        Err(error) => {
            outcome.unmet.push(Unmet {
                step: None,
                position: plan.position(&["given"]),
                message: format!("the desk cannot be set up: {}", told(&error)),
            });
            return outcome;
        }
    };
    let mut running = Running {
        plan,
        desk,
        created: BTreeMap::new(),
        first: None,
    };
    let mut at = plan.begins;
    for (id, step) in plan.steps() {
        let result = running.step(id, step, &mut at).await;
        let unmet = match result {
            Ok(found) => {
                outcome.unmet.extend(found);
                hurried && !outcome.unmet.is_empty()
            }
            Err(stop) => {
                let (path, message) = match stop {
                    Stop::Unmet(path, message) => (path, message),
                    Stop::Failed(error) => (Vec::new(), told(&error)),
                };
                let path = [&["steps", id.as_str()], &path[..]].concat();
                outcome.unmet.push(Unmet {
                    step: Some(id.clone()),
                    position: plan.position(&path),
                    message,
                });
                true
            }
        };
        if unmet {
            break;
        }
    }
    if let Ok(records) = running.desk.records() {
        let workflows = records.iter().map(|record| record.workflow.clone());
        outcome.workflows = workflows.collect();
    }
    outcome
}

async fn begin(
    plan: &Plan,
    definitions: Arc<Definitions>,
    plugins: Arc<Shared>,
) -> Result<Desk, EngineError> {
    let plugins = OfDesk {
        shared: plugins,
        silent: plan.silent.clone(),
    };
    let desk = Desk::new(definitions, Arc::new(plugins), plan.begins)?;
    let things = plan.directory.iter().cloned();
    desk.put(things.map(|(key, thing)| (key, Some(thing))))
        .await?;
    Ok(desk)
}

pub(super) struct Running<'p> {
    pub(super) plan: &'p Plan,
    pub(super) desk: Desk,
    /// The record that each step created.
    created: BTreeMap<StepId, RecordId>,
    first: Option<RecordId>,
}

impl Running<'_> {
    /// Carries out a step; gives what was not as expected.
    async fn step(
        &mut self,
        id: &StepId,
        step: &Step,
        at: &mut model::Instant,
    ) -> Result<Vec<Unmet>, Stop> {
        let Some(time) = self.plan.time_of(step, *at) else {
            return Err(Stop::Unmet(vec!["at"], "there is no such time".to_owned()));
        };
        if time < *at {
            let message = format!(
                "the step before is at {} already",
                self.plan.shown(self.desk.now())
            );
            return Err(Stop::Unmet(vec!["at"], message));
        }
        *at = time;
        self.desk.run_until(time).await?;
        let refused = self.act(id, step).await?;
        if let Some(refused) = &refused
            && step.expect.refused.is_none()
        {
            let message = format!("it is refused ({}): {}", refused.code, refused.text);
            return Err(Stop::Unmet(vec!["do"], message));
        }
        let record = match (&step.deed, &refused) {
            (Some(Deed::Create(_)), Some(_)) => None,
            (Some(Deed::Create(_)), None) => self.created.get(id).cloned(),
            _ => self.meant(step)?,
        };
        let record = match record {
            Some(record) => self.desk.record(&record)?,
            None => None,
        };
        let found = Found {
            plan: self.plan,
            desk: &self.desk,
            step: id,
            record: record.as_deref(),
            actor: step.actor.as_ref(),
            refused: refused.as_ref(),
        };
        let unmet = found.against(&step.expect)?;
        if let Some(record) = &record {
            self.desk.step_ended(&record.id)?;
        }
        Ok(unmet)
    }

    /// Does what a step says; says how it was refused, where it was.
    async fn act(&mut self, id: &StepId, step: &Step) -> Result<Option<Refused>, Stop> {
        let Some(deed) = &step.deed else {
            return Ok(None);
        };
        let result = match (deed, &step.actor) {
            (Deed::Directory(turnover), _) => {
                let put = keyed(&turnover.put);
                let put = put.into_iter().map(|(key, thing)| (key, Some(thing)));
                let gone = turnover.remove.iter().flat_map(|(kind, all)| {
                    let gone = all.iter().filter(|(_, gone)| **gone);
                    gone.map(|(id, _)| {
                        let (kind, id) = (kind.clone(), id.clone());
                        (model::directory::Key { kind, id }, None)
                    })
                });
                let changes: Vec<_> = put.chain(gone).collect();
                match self.desk.put(changes).await {
                    Ok(()) => Ok(self.desk.run_until(self.desk.now()).await?),
                    Err(error) => Err(error),
                }
            }
            (_, None) => {
                let message = "it does not say who does it".to_owned();
                return Err(Stop::Unmet(vec!["do"], message));
            }
            (deed, Some(person)) => self.person_acts(id, step, deed, person).await?,
        };
        match result {
            Ok(()) => Ok(None),
            Err(error) => match Refused::of(&error) {
                Some(refused) => Ok(Some(refused)),
                None => Err(Stop::Failed(error)),
            },
        }
    }

    async fn person_acts(
        &mut self,
        id: &StepId,
        step: &Step,
        deed: &Deed,
        person: &PersonId,
    ) -> Result<Result<(), EngineError>, Stop> {
        let action = match deed {
            Deed::Create(begin) => Action::Create(Create {
                workflow: begin.workflow.clone(),
                item: begin.item.clone(),
                parent: None,
                via: begin.via.clone(),
                requester: begin.requester.clone(),
                fields: self.begun_with(begin),
                link: None,
                reference: None,
            }),
            Deed::Transition(take) => {
                if let Err(refused) = self.lead_up(step, take, person).await? {
                    return Ok(Err(refused));
                }
                Action::Transition {
                    name: take.id.clone(),
                    input: self.taken_with(step, take)?,
                }
            }
            Deed::Update(change) => {
                let cleared = change.clear.iter().filter(|(_, clear)| **clear);
                let cleared = cleared.map(|(id, _)| (id.to_string(), serde_json::Value::Null));
                let mut fields = change.fields.clone();
                fields.extend(cleared);
                Action::Update { fields }
            }
            Deed::Comment(say) => Action::Comment {
                text: say.text.clone(),
                public: say.public,
            },
            Deed::Link(join) => Action::Link {
                kind: join.kind.clone(),
                target: self.whose(&join.to, &["do", "link", "to"])?,
                inverse: false,
            },
            Deed::Vote(ballot) => Action::Vote {
                choice: Choice::told(ballot.approves, ballot.abstains).ok_or_else(|| {
                    let message = "a vote says either `approves` or `abstains: true`".to_owned();
                    Stop::Unmet(vec!["do", "vote"], message)
                })?,
                comment: ballot.comment.clone(),
                stage: ballot.stage.clone(),
                instead_of: ballot.instead_of.clone(),
                link: None,
            },
            Deed::RecallVote(recalled) => Action::RecallVote {
                stage: recalled.stage.clone(),
            },
            Deed::ReassignVote(reassigned) => Action::ReassignVote {
                stage: reassigned.stage.clone(),
                from: reassigned.from.clone(),
                to: reassigned.to.clone(),
                comment: reassigned.comment.clone(),
            },
            Deed::AskInformation(query) => Action::AskInformation {
                stage: query.stage.clone(),
                question: query.question.clone(),
            },
            Deed::Watch(follow) => Action::Watch {
                person: follow.person.clone().unwrap_or_else(|| person.clone()),
                watches: !follow.ends,
            },
            // It is nobody's deed, and was carried out before.
            Deed::Directory(_) => return Ok(Ok(())),
        };
        let creates = matches!(deed, Deed::Create(_));
        let target = if creates { None } else { self.meant(step)? };
        if target.is_none() && !creates {
            let message = "no step before it has created a record".to_owned();
            return Err(Stop::Unmet(vec!["do"], message));
        }
        let acted = self.desk.act(person, target, action).await;
        Ok(acted.map(|record| {
            if creates {
                self.first.get_or_insert_with(|| record.clone());
                self.created.insert(id.clone(), record);
            }
        }))
    }

    /// The record that a step is about.
    pub(super) fn meant(&self, step: &Step) -> Result<Option<RecordId>, Stop> {
        match &step.record {
            None => Ok(self.first.clone()),
            Some(whose) => self.whose(whose, &["record"]).map(Some),
        }
    }

    fn whose(&self, whose: &Whose, path: &[&'static str]) -> Result<RecordId, Stop> {
        let missing = |message: String| Stop::Unmet(path.to_vec(), message);
        let step = whose.step();
        let record = self.created.get(step);
        let record =
            record.ok_or_else(|| missing(format!("the step `{step}` created no record")))?;
        let Whose::Linked(linked) = whose else {
            return Ok(record.clone());
        };
        let Some(from) = self.desk.record(record)? else {
            return Err(missing(format!("{record} is gone")));
        };
        let found = match (&linked.link, &linked.task) {
            (Some(kind), None) => self.desk.linked(&from, kind)?,
            (None, Some(task)) => {
                let task = from.tasks.get(task).and_then(|task| task.record.as_ref());
                let task = task.map(|task| self.desk.record(task)).transpose()?;
                task.flatten().into_iter().collect()
            }
            _ => Vec::new(),
        };
        let fits = |found: &&Arc<Record>| {
            let wanted = linked.workflow.as_ref();
            wanted.is_none_or(|workflow| *workflow == found.workflow)
        };
        if let Some(found) = found.iter().find(fits) {
            return Ok(found.id.clone());
        }
        let what = match (&linked.link, &linked.task) {
            (Some(kind), _) => format!("such link `{kind}`"),
            (None, Some(task)) => format!("task `{task}` that has begun"),
            (None, None) => "such record".to_owned(),
        };
        Err(missing(format!("{record} has no {what}")))
    }
}

/// A refusal, as the interface tells it.
pub(super) struct Refused {
    pub(super) code: &'static str,
    pub(super) text: String,
    /// The inputs that were not accepted.
    pub(super) inputs: BTreeSet<String>,
}

impl Refused {
    fn of(error: &EngineError) -> Option<Self> {
        let EngineError::Rejected(rejection) = error else {
            return None;
        };
        let mut inputs = BTreeSet::new();
        let text = match rejection {
            Rejection::Invalid { faults } => {
                let names = faults.iter().map(|fault| {
                    let name = fault.pointer.trim_start_matches('/');
                    name.split('/').next().unwrap_or_default().to_owned()
                });
                inputs.extend(names);
                let each = faults
                    .iter()
                    .map(|fault| format!("{}: {}", fault.pointer, fault.message));
                each.collect::<Vec<_>>().join("; ")
            }
            other => other.to_string(),
        };
        let code = Problem::from(rejection.clone()).code().as_str();
        Some(Self { code, text, inputs })
    }
}

/// What went wrong, in one line.
fn told(error: &EngineError) -> String {
    Refused::of(error).map_or_else(|| engine::chain(error), |refused| refused.text)
}
