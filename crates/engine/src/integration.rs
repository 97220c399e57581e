//! What integrations ask for, carried out under the binding's own rights, each command once.

use std::sync::Arc;

use definition::compile::{Binding, Definitions};
use model::Digest;
use model::command::{Action, Actor, Create, IdempotencyKey, Who};
use model::definition::Choice;
use model::hook::{Call, Hook};
use model::id::{BindingId, LinkKind, PersonId, RecordId, TransitionId, WorkflowId};
use model::journal;
use serde_json::{Map, Value as Json, json};

use crate::engine::Engine;
use crate::error::EngineError;
use crate::execute::Request;
use crate::port::{
    HttpReply, HttpRequest, IntegrationAction, IntegrationCommand, NewRecord, Subject,
    SubjectChange,
};
use crate::rejection::Rejection;
use crate::surroundings::DeskSurroundings;

/// How many commands one call may give.
const MOST_COMMANDS: usize = 100;

impl Engine {
    /// Hands a request from outside to a binding, and carries out what it makes of it. The reply goes
    /// out once that is durable.
    ///
    /// # Errors
    /// Where there is no such binding, it gave no answer, or a command was refused.
    pub async fn receive(
        &self,
        id: &BindingId,
        request: HttpRequest,
    ) -> Result<HttpReply, EngineError> {
        let definitions = self.definitions();
        let binding = definitions
            .bindings
            .get(id)
            .filter(|binding| binding.plugin.hooks.get(&Hook::Webhook) == Some(&true));
        let binding = binding.ok_or_else(|| Rejection::not_found("binding with a webhook", id))?;
        let now = self.now();
        let digest = Digest::of_parts(&[
            request.method.as_bytes(),
            request.path.as_bytes(),
            &request.body,
            &now.millis().to_le_bytes(),
        ]);
        let call_id = digest.to_string().split_off("sha256:".len());
        let call = Call {
            id: call_id.clone(),
            attempt: 1,
            now,
            seed: now.millis().unsigned_abs(),
            actor: format!("binding:{id}"),
        };
        let around = Arc::new(DeskSurroundings::new(self.clone(), definitions.clone()));
        let reply = self.0.plugins.receive(id, call, request, around).await;
        let reply = reply.map_err(|failure| EngineError::Plugin(failure.message))?;
        let unit = reply
            .delivery
            .as_ref()
            .map_or(call_id, |delivery| format!("delivery:{delivery}"));
        self.carry_out(&definitions, binding, &unit, reply.commands)
            .await?;
        Ok(reply.response)
    }

    /// Carries out a call's commands in order; the first one refused ends the list.
    pub(crate) async fn carry_out(
        &self,
        definitions: &Definitions,
        binding: &Binding,
        unit: &str,
        commands: Vec<IntegrationCommand>,
    ) -> Result<(), EngineError> {
        if commands.len() > MOST_COMMANDS {
            let message = format!(
                "it gave {} commands, at most {MOST_COMMANDS} are possible",
                commands.len()
            );
            return Err(Rejection::not_possible(message).into());
        }
        for (place, command) in commands.into_iter().enumerate() {
            let request = self.to_request(definitions, binding, command)?;
            let what = Digest::of(&journal::encode(&request.action));
            let key = format!("binding:{}:{unit}:{place}", binding.id);
            // Keys have a bound, and a sender's id of a delivery has none.
            let key = if key.len() > 200 {
                Digest::of(key.as_bytes()).to_string()
            } else {
                key
            };
            let request = Request {
                idempotency: Some(IdempotencyKey { key, request: what }),
                ..request
            };
            self.execute(request).await?;
        }
        Ok(())
    }

    fn to_request(
        &self,
        definitions: &Definitions,
        binding: &Binding,
        command: IntegrationCommand,
    ) -> Result<Request, EngineError> {
        let actor = self.actor_of(binding, command.on_behalf_of.as_deref())?;
        let (target, workflow, action) = match command.action {
            IntegrationAction::Create(new) => {
                let workflow = definitions
                    .workflows
                    .get_key_value(new.workflow.as_str())
                    .map(|(id, _)| id.clone());
                let workflow =
                    workflow.ok_or_else(|| Rejection::not_found("workflow", &new.workflow))?;
                (None, workflow.clone(), create(binding, workflow, new))
            }
            IntegrationAction::Change(subject, change) => {
                let id = self.resolve(&binding.id, &subject)?;
                let record = self
                    .0
                    .store
                    .record(&id)?
                    .ok_or_else(|| Rejection::not_found("record", &id))?;
                let action = self.to_action(binding, change)?;
                (Some(id), record.workflow.clone(), action)
            }
        };
        check_grant(binding, &workflow, &action)?;
        Ok(Request {
            target,
            actor,
            action,
            idempotency: None,
            if_version: None,
            languages: Vec::new(),
        })
    }

    fn actor_of(&self, binding: &Binding, person: Option<&str>) -> Result<Actor, EngineError> {
        let Some(person) = person else {
            return Ok(Actor {
                who: Who::Binding(binding.id.clone()),
                ..Actor::timer()
            });
        };
        if !binding.plugin.grants.act_as {
            return Err(forbidden(binding, "act for a person", "the grant `act-as`").into());
        }
        let person = PersonId::new(person).map_err(|_| Rejection::not_found("person", person))?;
        self.actor(&person, &std::collections::BTreeSet::new())
    }

    fn resolve(&self, binding: &BindingId, subject: &Subject) -> Result<RecordId, EngineError> {
        match subject {
            Subject::Id(id) => {
                Ok(RecordId::new(id).map_err(|_| Rejection::not_found("record", id))?)
            }
            Subject::Reference(reference) => {
                let id = self.0.store.by_reference(binding, reference)?;
                Ok(id.ok_or_else(|| Rejection::not_found("record of the reference", reference))?)
            }
        }
    }

    fn to_action(&self, binding: &Binding, change: SubjectChange) -> Result<Action, EngineError> {
        Ok(match change {
            SubjectChange::Transition { name, input } => Action::Transition {
                name: TransitionId::new(&name)
                    .map_err(|_| Rejection::not_found("transition", &name))?,
                input: to_map(input),
            },
            SubjectChange::Update(fields) => Action::Update {
                fields: to_map(fields),
            },
            SubjectChange::Assign { team, assignee } => {
                let mut fields = Map::new();
                fields.insert("team".to_owned(), Json::String(team));
                fields.insert("assignee".to_owned(), json!(assignee));
                Action::Update { fields }
            }
            SubjectChange::Vote { approves, comment } => Action::Vote {
                choice: Choice::of(approves),
                comment,
                stage: None,
                instead_of: None,
                link: None,
            },
            SubjectChange::Comment { text, public } => Action::Comment { text, public },
            SubjectChange::Link { kind, target } => Action::Link {
                kind: LinkKind::new(&kind)
                    .map_err(|error| Rejection::not_possible(error.to_string()))?,
                target: self.resolve(&binding.id, &target)?,
                inverse: false,
            },
            SubjectChange::Refer(reference) => Action::Refer {
                binding: binding.id.clone(),
                reference,
            },
        })
    }
}

fn create(binding: &Binding, workflow: WorkflowId, new: NewRecord) -> Action {
    Action::Create(Create {
        workflow,
        item: None,
        parent: None,
        via: None,
        requester: None,
        fields: to_map(new.fields),
        link: None,
        reference: new
            .reference
            .map(|reference| (binding.id.clone(), reference)),
    })
}

fn to_map(fields: Vec<(String, model::Value)>) -> Map<String, Json> {
    fields
        .into_iter()
        .map(|(id, value)| (id, value.to_json()))
        .collect()
}

/// Whether the binding was granted this command on records of this workflow.
fn check_grant(binding: &Binding, workflow: &WorkflowId, action: &Action) -> Result<(), Rejection> {
    let name = match action {
        Action::Refer { .. } => {
            let granted = binding.plugin.grants.commands.get(workflow);
            if granted.is_some_and(|commands| commands.values().any(|granted| *granted)) {
                return Ok(());
            }
            let right = format!("a grant of commands on {workflow}");
            return Err(forbidden(binding, "refer", &right));
        }
        Action::Update { fields }
            if fields.len() == 2
                && fields.contains_key("team")
                && fields.contains_key("assignee") =>
        {
            "assign"
        }
        action => action.name(),
    };
    let granted = binding
        .plugin
        .grants
        .commands
        .get(workflow)
        .and_then(|commands| commands.get(name));
    if granted == Some(&true) {
        return Ok(());
    }
    Err(forbidden(
        binding,
        &format!("{name} on {workflow}"),
        &format!("the grant `commands: {{ {workflow}: {{ {name}: true }} }}`"),
    ))
}

fn forbidden(binding: &Binding, action: &str, right: &str) -> Rejection {
    Rejection::Forbidden {
        actor: format!("the binding {}", binding.id),
        action: action.to_owned(),
        right: right.to_owned(),
    }
}
