//! Reading the desk, as far as an actor may: records, lists, histories, what can be done, the directory.

use std::collections::BTreeMap;
use std::sync::Arc;

use definition::compile::{Definitions, FormField, Transition, Workflow};
use definition::expression::{Expression, Type};
use model::absence::Absences;
use model::command::{Action, Actor, Command, Who};
use model::directory::{Change, Key, Roster, Thing, kind};
use model::id::{PersonId, RecordId, RoleId, StateId, TransitionId};
use model::journal::{Entry, Item};
use model::preference::Preferences;
use model::record::{EffectKey, PendingEffect, Record};
use serde_json::{Value as Json, json};

use crate::cloud_event;
use crate::decide::{self, Input};
use crate::directory::Ledger;
use crate::engine::Engine;
use crate::error::EngineError;
use crate::execute::Request;
use crate::on_call;
use crate::port::{Commit, CommitError, DirectoryCommit, ListQuery, Page};
use crate::rejection::{InputFault, Rejection};
use crate::scope::Scope;

/// The role that may change the directory, redrive effects and install packs over HTTP.
pub const ADMINISTRATOR: &str = "administrator";
/// How many records a list looks through for those that an actor may see.
const MOST_LOOKED_THROUGH: usize = 5_000;

/// What an actor may do with a record now.
#[derive(Clone, Debug, serde::Serialize)]
pub struct Available {
    /// The transition.
    pub name: TransitionId,
    /// What people call it.
    pub title: String,
    /// Where it leads; none where the record stays.
    pub to: Option<StateId>,
    /// What its form asks for, as JSON Schema.
    pub form: Json,
    /// The requirements that do not hold yet, in words.
    pub unmet: Vec<String>,
}

impl Engine {
    /// A record that the actor may see.
    ///
    /// # Errors
    /// Where there is none that they may see, or the store fails.
    pub fn record(&self, actor: &Actor, id: &RecordId) -> Result<Arc<Record>, EngineError> {
        let record = self
            .0
            .store
            .record(id)?
            .ok_or_else(|| Rejection::not_found("record", id))?;
        let definitions = self.definitions();
        if self.sees(&definitions, actor, &record)? {
            Ok(record)
        } else {
            Err(Rejection::not_found("record", id).into())
        }
    }

    pub(crate) fn sees(
        &self,
        definitions: &Definitions,
        actor: &Actor,
        record: &Record,
    ) -> Result<bool, EngineError> {
        let workflow = self.workflow_of(definitions, record)?;
        let command = Command {
            actor: actor.clone(),
            at: self.now(),
            action: Action::Wake,
        };
        self.may_see(definitions, &workflow, record, &command)
    }

    /// Records that the actor may see and for which `filter` holds, in keyset order. A page may be
    /// short, even empty, and still have a next one.
    ///
    /// # Errors
    /// Where the filter is not an expression over the workflow's fields, or the store fails.
    pub fn list(
        &self,
        actor: &Actor,
        query: &ListQuery,
        filter: Option<&str>,
    ) -> Result<Page, EngineError> {
        let definitions = self.definitions();
        let filter = filter
            .map(|source| Self::filter(&definitions, query, source))
            .transpose()?;
        let command = Command {
            actor: actor.clone(),
            at: self.now(),
            action: Action::Wake,
        };
        let directory = self.directory();
        let ledger = Ledger::new(&directory);
        let (mut page, mut after, mut looked) = (Page::default(), query.after.clone(), 0);
        while page.records.len() < query.limit && looked < MOST_LOOKED_THROUGH {
            let wanted = ListQuery {
                after: after.take(),
                limit: query.limit.max(1),
                ..query.clone()
            };
            let part = self.0.store.list(&wanted)?;
            looked += part.records.len().max(1);
            for record in part.records {
                let place = (record.updated_at, record.id.clone());
                let workflow = self.workflow_of(&definitions, &record)?;
                let fits = self.may_see(&definitions, &workflow, &record, &command)?
                    && filter.as_ref().is_none_or(|filter| {
                        let scope = Scope {
                            record: &record,
                            workflow: &workflow,
                            definitions: &definitions,
                            ledger: &ledger,
                            input: None,
                            actor: Some(actor),
                            now: Some(command.at),
                            it: None,
                        };
                        filter.holds(&scope).unwrap_or(false)
                    });
                if fits {
                    page.records.push(record);
                }
                if page.records.len() == query.limit {
                    page.next = Some(place);
                    return Ok(page);
                }
            }
            after.clone_from(&part.next);
            page.next = part.next;
            if after.is_none() {
                break;
            }
        }
        Ok(page)
    }

    fn filter(
        definitions: &Definitions,
        query: &ListQuery,
        source: &str,
    ) -> Result<Expression, EngineError> {
        let invalid = |message: String| {
            EngineError::from(Rejection::Invalid {
                faults: vec![InputFault::of("filter", message)],
            })
        };
        let Some(workflow) = &query.workflow else {
            return Err(invalid(
                "a filter needs `workflow`, whose fields it reads".to_owned(),
            ));
        };
        let workflow = Self::active_workflow(definitions, workflow.as_str())?;
        let names = workflow.scope(&definitions.names);
        Expression::compile(source, &names, &Type::Boolean)
            .map_err(|error| invalid(error.to_string()))
    }

    /// A record's entries after a version, each with its position in the journal.
    ///
    /// # Errors
    /// Where there is no such record that the actor may see, or the store fails.
    pub fn history(
        &self,
        actor: &Actor,
        id: &RecordId,
        after_version: u64,
        limit: usize,
    ) -> Result<Vec<(u64, Entry)>, EngineError> {
        self.record(actor, id)?;
        Ok(self.0.store.history(id, after_version, limit)?)
    }

    /// What the actor may do with a record now, each with its form, in the language liked best.
    ///
    /// # Errors
    /// Where there is no such record that the actor may see, or the store fails.
    pub fn available(
        &self,
        actor: &Actor,
        id: &RecordId,
        languages: &[String],
    ) -> Result<Vec<Available>, EngineError> {
        let record = self.record(actor, id)?;
        let definitions = self.definitions();
        let workflow = self.workflow_of(&definitions, &record)?;
        let workflow = Self::spoken(&definitions, workflow, record.item.as_ref(), languages);
        let command = Command {
            actor: actor.clone(),
            at: self.now(),
            action: Action::Wake,
        };
        let directory = self.directory();
        let input = Input {
            record: Some(&record),
            workflow: &workflow,
            definitions: &definitions,
            pinned: &*self.0,
            directory: &directory,
            past: &crate::decide::NoPast,
            command: &command,
            replies: &[],
            number: None,
        };
        let mut available = Vec::new();
        for transition in workflow
            .transitions(&record.state)
            .filter(|transition| !transition.permit.0.is_empty())
        {
            if decide::permits(input, &record, &transition.permit)? {
                available.push(Available {
                    name: transition.id.clone(),
                    title: transition.title.clone(),
                    to: transition.to.clone(),
                    form: form_schema(&workflow, transition),
                    unmet: decide::unmet(input, &record, transition)?,
                });
            }
        }
        Ok(available)
    }

    /// The ways in which the actor may begin a record of a workflow, each with its form.
    ///
    /// # Errors
    /// Where there is no such workflow.
    pub fn ways_to_begin(
        &self,
        actor: &Actor,
        workflow: &str,
        languages: &[String],
    ) -> Result<Vec<Available>, EngineError> {
        let definitions = self.definitions();
        let workflow = Self::active_workflow(&definitions, workflow)?;
        let workflow = Self::spoken(&definitions, workflow, None, languages);
        Ok(ways_of(actor, &workflow))
    }

    /// The canonical form of an installed definition.
    ///
    /// # Errors
    /// Where the store fails.
    pub fn source(&self, digest: &model::Digest) -> Result<Option<Json>, EngineError> {
        let Some(bytes) = self.0.store.blob(digest)? else {
            return Ok(None);
        };
        Ok(serde_json::from_slice(&bytes).ok())
    }

    /// What happened after a position, as `CloudEvents`, and the position reached. Each event is beside
    /// the position from which to ask for those after it.
    ///
    /// # Errors
    /// Where the store fails.
    pub fn events(
        &self,
        actor: &Actor,
        after: u64,
        limit: usize,
    ) -> Result<(Vec<(u64, Json)>, u64), EngineError> {
        let definitions = self.definitions();
        let mut events = Vec::new();
        let mut reached = after;
        let mut seen: BTreeMap<RecordId, bool> = BTreeMap::new();
        for (position, item) in self.0.store.journal(after, limit)? {
            reached = position;
            let Item::Record { id, entry, .. } = item else {
                continue;
            };
            let Some(now) = self.0.store.record(&id)? else {
                continue;
            };
            let may_see = match seen.get(&id) {
                Some(may_see) => *may_see,
                None => self.sees(&definitions, actor, &now)?,
            };
            seen.insert(id.clone(), may_see);
            let is_public = |place: u32| {
                let event = entry
                    .events
                    .get(usize::try_from(place).unwrap_or(usize::MAX));
                !matches!(
                    event,
                    Some(model::event::Event::Commented { public: false, .. })
                )
            };
            if !may_see {
                continue;
            }
            let then = self.record_at(&id, entry.version)?;
            let edits = self.may_edit(&definitions, actor, &now)?;
            let kinds: Vec<_> = cloud_event::kinds(&entry)
                .into_iter()
                .filter(|(_, place)| edits || is_public(*place))
                .collect();
            for (number, (kind, place)) in kinds.iter().enumerate() {
                // Whoever resumes within an entry hears all of it again: at least once.
                let resume = if number + 1 == kinds.len() {
                    position
                } else {
                    position - 1
                };
                events.push((resume, cloud_event::of(&id, &entry, *kind, *place, &then)));
            }
        }
        Ok((events, reached))
    }

    /// Whether the actor may edit a record: what only agents see is for them.
    ///
    /// # Errors
    /// Where the store fails.
    pub fn may_edit(
        &self,
        definitions: &Definitions,
        actor: &Actor,
        record: &Record,
    ) -> Result<bool, EngineError> {
        let workflow: Arc<Workflow> = self.workflow_of(definitions, record)?;
        let command = Command {
            actor: actor.clone(),
            at: self.now(),
            action: Action::Wake,
        };
        let directory = self.directory();
        let input = Input {
            record: Some(record),
            workflow: &workflow,
            definitions,
            pinned: &*self.0,
            directory: &directory,
            past: &crate::decide::NoPast,
            command: &command,
            replies: &[],
            number: None,
        };
        Ok(decide::permits(input, record, &workflow.edit)?)
    }

    /// Dead effects after one of them.
    ///
    /// # Errors
    /// Where the actor is no administrator, or the store fails.
    pub fn effects_dead(
        &self,
        actor: &Actor,
        after: Option<(RecordId, EffectKey)>,
        limit: usize,
    ) -> Result<Vec<(RecordId, EffectKey, PendingEffect)>, EngineError> {
        check_administrator(actor, "see dead effects")?;
        let mut dead = Vec::new();
        for (id, key) in self.0.store.effects_dead(after, limit)? {
            if let Some(effect) = self
                .0
                .store
                .record(&id)?
                .and_then(|record| record.effects.get(&key).cloned())
            {
                dead.push((id, key, effect));
            }
        }
        Ok(dead)
    }

    /// Changes the directory, then looks again at every open approval: who lost a right loses the vote.
    ///
    /// # Errors
    /// Where the actor may not change it, the thing does not have the shape of its kind, or the store fails.
    pub async fn put_thing(
        &self,
        actor: &Actor,
        key: Key,
        thing: Option<Thing>,
    ) -> Result<u64, EngineError> {
        let _alone = match key.kind.as_str() {
            kind::ROTA => Some(self.0.planning.lock().await),
            _ => None,
        };
        self.check_may_change(actor, &key, thing.as_ref())?;
        self.put_allowed(actor, key, thing).await
    }

    /// Changes the directory for an actor who may.
    pub(crate) async fn put_allowed(
        &self,
        actor: &Actor,
        key: Key,
        thing: Option<Thing>,
    ) -> Result<u64, EngineError> {
        if let Some(thing) = &thing {
            check_shape(&key, thing)?;
        }
        let of = key.kind.clone();
        let change = Change { key, thing };
        let commit = Commit::Directory(DirectoryCommit {
            at: self.now(),
            actor: actor.id().to_string(),
            change,
        });
        let committed = self
            .0
            .store
            .commit(commit)
            .await
            .map_err(|error| match error {
                CommitError::Store(error) => EngineError::from(error),
                error => EngineError::Busy(error.to_string()),
            })?;
        self.committed(committed.position);
        if [kind::USER, kind::TEAM, kind::ABSENCE].contains(&of.as_str()) {
            self.look_at_approvals(committed.position).await?;
        }
        Ok(committed.position)
    }

    pub(crate) async fn look_at_approvals(&self, position: u64) -> Result<(), EngineError> {
        let mut after = None;
        loop {
            let part = self.0.store.awaiting_approval(after.as_ref(), 200)?;
            let Some(last) = part.last().cloned() else {
                return Ok(());
            };
            for record in part {
                let request = Request {
                    target: Some(record),
                    actor: Actor::timer(),
                    action: Action::DirectoryChanged { position },
                    idempotency: None,
                    if_version: None,
                    languages: Vec::new(),
                };
                match self.execute(request).await {
                    Ok(_) => {}
                    Err(EngineError::Store(error)) => return Err(error.into()),
                    Err(error) => {
                        tracing::warn!(
                            error = &error as &dyn std::error::Error,
                            "an open approval cannot be looked at"
                        );
                    }
                }
            }
            after = Some(last);
        }
    }
}

/// The ways in which an actor may begin a record of a workflow.
pub(crate) fn ways_of(actor: &Actor, workflow: &Workflow) -> Vec<Available> {
    let has = |way: &&Transition| {
        way.permit.0.iter().any(|permit| match &permit.right {
            definition::compile::Right::Role(role) => actor.roles.contains(role),
            definition::compile::Right::Anyone | definition::compile::Right::Requester => true,
            _ => false,
        })
    };
    let ways = workflow.create.values().filter(has).map(|way| Available {
        name: way.id.clone(),
        title: way.title.clone(),
        to: way.to.clone(),
        form: form_schema(workflow, way),
        unmet: Vec::new(),
    });
    ways.collect()
}

/// Whether an actor is an administrator, or the operator.
///
/// # Errors
/// Where they are not.
pub fn check_administrator(actor: &Actor, action: &str) -> Result<(), Rejection> {
    let is_one = matches!(actor.who, Who::Operator)
        || RoleId::new(ADMINISTRATOR).is_ok_and(|role| actor.roles.contains(&role));
    if is_one {
        return Ok(());
    }
    Err(Rejection::Forbidden {
        actor: actor.id().to_string(),
        action: action.to_owned(),
        right: format!("the role `{ADMINISTRATOR}`"),
    })
}

/// Whether a thing of a built-in kind has the attributes that the server reads in the shape it reads them.
fn check_shape(key: &Key, thing: &Thing) -> Result<(), Rejection> {
    let invalid = |field: &str, message: String| Rejection::Invalid {
        faults: vec![InputFault::of(field, message)],
    };
    if thing.0.len() > 200
        || serde_json::to_vec(&thing.0).map_or(true, |bytes| bytes.len() > 1 << 18)
    {
        return Err(invalid(
            "",
            "a thing has at most 200 attributes and 256 KiB".to_owned(),
        ));
    }
    let json = || Json::Object(thing.0.clone());
    match key.kind.as_str() {
        kind::USER => {
            PersonId::new(key.id.as_str()).map_err(|error| invalid("", error.to_string()))?;
            serde_json::from_value::<model::directory::Person>(json())
                .map_err(|error| invalid("", error.to_string()))?;
        }
        kind::TEAM => {
            let roster = serde_json::from_value::<Roster>(json())
                .map_err(|error| invalid("", error.to_string()))?;
            if roster.members.len() > 5_000 {
                return Err(invalid(
                    "members",
                    "a team has at most 5,000 members".to_owned(),
                ));
            }
            for (person, member) in &roster.members {
                let wrong = |message| invalid("members", format!("{person}: {message}"));
                member.skills.check().map_err(wrong)?;
            }
        }
        kind::ROTA => on_call::check_shape(thing)?,
        kind::PREFERENCE => {
            PersonId::new(key.id.as_str()).map_err(|error| invalid("", error.to_string()))?;
            let preferences = serde_json::from_value::<Preferences>(json())
                .map_err(|error| invalid("", error.to_string()))?;
            preferences
                .check()
                .map_err(|(field, message)| invalid(field, message))?;
            let zone = preferences.zone.as_deref().unwrap_or("UTC");
            if zone.parse::<chrono_tz::Tz>().is_err() {
                let message = "a zone is one of the IANA time zones, such as Europe/Brussels";
                return Err(invalid("zone", message.to_owned()));
            }
        }
        kind::ABSENCE => {
            let person =
                PersonId::new(key.id.as_str()).map_err(|error| invalid("", error.to_string()))?;
            let absences = serde_json::from_value::<Absences>(json())
                .map_err(|error| invalid("", error.to_string()))?;
            absences
                .check(&person)
                .map_err(|message| invalid("periods", message))?;
        }
        _ => {}
    }
    Ok(())
}

/// The JSON Schema of a transition's form. What is asked for only under conditions carries them as
/// `x-when`, expressions over `input` that the server holds the form to; `x-group` names the section in
/// which a field stands, and `x-groups` tells the sections in their order.
fn form_schema(workflow: &Workflow, transition: &Transition) -> Json {
    let property = |part: &FormField| {
        let mut schema = part.field.schema();
        if let Some(group) = &part.field.source.group {
            schema["x-group"] = json!(group);
        }
        if !part.when.is_empty() {
            let when: Vec<&str> = part.when.iter().map(Expression::source).collect();
            schema["x-when"] = json!(when);
            schema["x-required"] = json!(part.required);
        }
        schema
    };
    let properties: serde_json::Map<_, _> = transition
        .form
        .iter()
        .map(|(id, part)| (id.to_string(), property(part)))
        .collect();
    let required: Vec<_> = transition
        .form
        .iter()
        .filter(|(_, part)| part.required && part.when.is_empty())
        .map(|(id, _)| id)
        .collect();
    let mut schema = json!({ "type": "object", "properties": properties, "required": required, "additionalProperties": false });
    let groups = workflow.groups.iter().filter(|(id, _)| {
        let mut parts = transition.form.values();
        parts.any(|part| part.field.source.group.as_ref() == Some(*id))
    });
    let groups: Vec<Json> = groups
        .map(|(id, group)| json!({ "id": id, "title": group.title, "help": group.help }))
        .collect();
    if !groups.is_empty() {
        schema["x-groups"] = groups.into();
    }
    schema
}
