//! What a scenario's beginning says of all its steps: what forms are filled in with where a step says
//! nothing, and what is taken before a transition that is not possible yet. Said once where scenarios
//! begin, it lets an adaptation ask for more, or put a step between two, and keep the scenarios of its
//! base.

use std::collections::BTreeMap;
use std::sync::Arc;

use definition::compile::{Transition, Workflow};
use engine::EngineError;
use model::command::Action;
use model::definition::{Begin, Step, Take};
use model::id::{PersonId, RecordId, TransitionId};
use model::record::Record;
use serde_json::{Map, Value as Json};

use super::run::{Running, Stop};

/// How many transitions may be taken before one.
const MAX_BEFORE: usize = 8;

/// A record with its workflow.
type About = (Arc<Record>, Arc<Workflow>);

impl Running<'_> {
    /// What a record is begun with. Where the step does not say by which way, all must ask for what is
    /// filled in.
    pub(super) fn begun_with(&self, begin: &Begin) -> Map<String, Json> {
        let definitions = self.desk.engine.definitions();
        let workflow = definitions.in_force(&begin.workflow, begin.item.as_ref());
        workflow.map_or_else(
            || begin.fields.clone(),
            |workflow| {
                let is_meant =
                    |way: &&Transition| begin.via.as_ref().is_none_or(|via| way.id == *via);
                let ways: Vec<&Transition> = workflow.create.values().filter(is_meant).collect();
                self.filled(workflow, &ways, &begin.fields)
            },
        )
    }

    /// What a transition is taken with.
    pub(super) fn taken_with(&self, step: &Step, take: &Take) -> Result<Map<String, Json>, Stop> {
        let Some((record, workflow)) = self.about(step)? else {
            return Ok(take.input.clone());
        };
        let transition = workflow.transition(&record.state, take.id.as_str());
        let forms: Vec<&Transition> = transition.into_iter().collect();
        Ok(self.filled(&workflow, &forms, &take.input))
    }

    fn filled(
        &self,
        workflow: &Workflow,
        forms: &[&Transition],
        said: &Map<String, Json>,
    ) -> Map<String, Json> {
        let mut inputs = said.clone();
        for (field, value) in self.plan.filled.get(&workflow.id).into_iter().flatten() {
            let ask = |form: &&Transition| form.form.contains_key(field.as_str());
            if !forms.is_empty() && forms.iter().all(ask) && !inputs.contains_key(field) {
                inputs.insert(field.clone(), value.clone());
            }
        }
        inputs
    }

    /// Takes what comes before a transition that is not possible in the record's state.
    pub(super) async fn lead_up(
        &self,
        step: &Step,
        take: &Take,
        person: &PersonId,
    ) -> Result<Result<(), EngineError>, Stop> {
        let Some((record, workflow)) = self.about(step)? else {
            return Ok(Ok(()));
        };
        let Some(before) = self.plan.before.get(&workflow.id) else {
            return Ok(Ok(()));
        };
        for name in leading_up(&workflow, &record, before, &take.id) {
            let action = Action::Transition {
                name: name.clone(),
                input: self.taken_with(
                    step,
                    &Take {
                        id: name,
                        input: Map::new(),
                    },
                )?,
            };
            if let Err(error) = self.desk.act(person, Some(record.id.clone()), action).await {
                return Ok(Err(error));
            }
        }
        Ok(Ok(()))
    }

    /// The record that a step is about, with its workflow.
    fn about(&self, step: &Step) -> Result<Option<About>, Stop> {
        let id: Option<RecordId> = self.meant(step)?;
        let Some(record) = id.map(|id| self.desk.record(&id)).transpose()?.flatten() else {
            return Ok(None);
        };
        let workflow = self.desk.engine.workflow_of_record(&record)?;
        Ok(Some((record, workflow)))
    }
}

/// The transitions to take before one, the first of them possible in the record's state; none where
/// that is possible itself, or nothing leads to it.
fn leading_up(
    workflow: &Workflow,
    record: &Record,
    before: &BTreeMap<TransitionId, TransitionId>,
    wanted: &TransitionId,
) -> Vec<TransitionId> {
    let mut names = vec![wanted.clone()];
    while names.len() <= MAX_BEFORE + 1 {
        let Some(first) = names.last() else { break };
        if workflow.transition(&record.state, first.as_str()).is_some() {
            names.reverse();
            names.pop();
            return names;
        }
        let Some(earlier) = before.get(first) else {
            break;
        };
        names.push(earlier.clone());
    }
    Vec::new()
}
