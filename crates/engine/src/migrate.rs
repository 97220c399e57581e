//! Moving the records in flight of a workflow to the version in force: in batches, many at a time, each
//! an entry of its own. A walk that broke off is begun again; what has been moved is passed over.

use futures::StreamExt as _;
use futures::stream;
use model::command::{Action, Actor, Command, Migrate as Order, WayBack, Who};
use model::definition::{Category, MigratedClocks};
use model::event::Event;
use model::id::{FieldId, RecordId, WorkflowId};
use model::journal::Entry;
use model::record::Record;
use model::{Digest, Instant, Value};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;

use crate::engine::Engine;
use crate::error::EngineError;
use crate::execute::Request;
use crate::port::{ListQuery, Sort};

/// How many records are moved at the same time.
const AT_ONCE: usize = 64;
/// How many entries of a record's history are read at a time.
const ENTRIES: usize = 200;
/// The parts of a record's life in which it is in flight.
const IN_FLIGHT: [Category; 3] = [Category::Open, Category::Waiting, Category::Resolved];

/// What is to be moved.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Migration {
    /// The workflow.
    pub workflow: WorkflowId,
    /// What becomes of clocks, where not what the migration says.
    pub clocks: Option<MigratedClocks>,
    /// Whether it is only found out what would become of each.
    pub dry_run: bool,
    /// Where the walk goes on; at the beginning without it.
    pub after: Option<Place>,
    /// How many records are looked at in this batch.
    pub limit: usize,
}

/// A place in the walk over records.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    category: Category,
    record: Option<(Instant, RecordId)>,
}

/// What came of a batch.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Batch {
    /// The records that were moved, or would be.
    pub moved: Vec<RecordId>,
    /// How many were there already.
    pub there: usize,
    /// Those that cannot be moved, each with why; they are as they were.
    pub stuck: Vec<(RecordId, String)>,
    /// Where the walk goes on; none at its end.
    pub next: Option<Place>,
}

enum Came {
    Moved,
    There,
    Stuck(String),
}

impl Engine {
    /// Moves a batch of the records in flight of a workflow to the version in force, or says what would
    /// become of each.
    ///
    /// # Errors
    /// Where there is no such workflow, or the store fails.
    pub async fn migrate(&self, what: &Migration) -> Result<Batch, EngineError> {
        let definitions = self.definitions();
        Self::active_workflow(&definitions, what.workflow.as_str())?;
        let place = what.after.clone().unwrap_or(Place {
            category: IN_FLIGHT[0],
            record: None,
        });
        let query = ListQuery {
            workflow: Some(what.workflow.clone()),
            category: Some(place.category),
            sort: Sort::UpdatedAscending,
            limit: what.limit.clamp(1, 5_000),
            after: place.record,
            ..ListQuery::default()
        };
        let page = self.0.store.list(&query)?;
        let mut batch = Batch {
            next: match page.next {
                Some(next) => Some(Place {
                    category: place.category,
                    record: Some(next),
                }),
                None => following(place.category).map(|category| Place {
                    category,
                    record: None,
                }),
            },
            ..Batch::default()
        };
        let moving = page.records.into_iter().map(|record| async move {
            let came = self.migrate_record(&record, what).await;
            (record.id.clone(), came)
        });
        let mut moving = stream::iter(moving).buffered(AT_ONCE);
        while let Some((record, came)) = moving.next().await {
            match came? {
                Came::Moved => batch.moved.push(record),
                Came::There => batch.there += 1,
                Came::Stuck(why) => batch.stuck.push((record, why)),
            }
        }
        Ok(batch)
    }

    async fn migrate_record(&self, record: &Record, what: &Migration) -> Result<Came, EngineError> {
        let definitions = self.definitions();
        let in_force = definitions.in_force(&record.workflow, record.item.as_ref());
        let Some(to) = in_force.map(|workflow| workflow.digest) else {
            return Ok(Came::Stuck(
                "its catalogue item is not offered any more".to_owned(),
            ));
        };
        if record.definition == to {
            return Ok(Came::There);
        }
        let order = Order {
            to,
            clocks: what.clocks,
            back: self.way_back(record, &to)?,
        };
        let actor = Actor {
            who: Who::Operator,
            ..Actor::timer()
        };
        let done = if what.dry_run {
            self.would_migrate(record, actor, order).await
        } else {
            self.execute(Request {
                target: Some(record.id.clone()),
                actor,
                action: Action::Migrate(order),
                idempotency: None,
                if_version: None,
                languages: Vec::new(),
            })
            .await
            .map(|executed| executed.position > 0)
        };
        match done {
            Ok(true) => Ok(Came::Moved),
            Ok(false) => Ok(Came::There),
            Err(EngineError::Store(error)) => Err(error.into()),
            Err(error) => Ok(Came::Stuck(crate::chain(&error))),
        }
    }

    /// Whether a record could be moved; nothing is kept of it.
    async fn would_migrate(
        &self,
        record: &Record,
        actor: Actor,
        order: Order,
    ) -> Result<bool, EngineError> {
        let definitions = self.definitions();
        let workflow = self.workflow_of(&definitions, record)?;
        let command = Command {
            actor,
            at: self.time_for(Some(record)),
            action: Action::Migrate(order),
        };
        let decided = self
            .decide(&definitions, &workflow, Some(record), &command)
            .await?;
        Ok(decided.is_some())
    }

    /// What moved the record away from a version, where it was moved from that very version.
    fn way_back(&self, record: &Record, to: &Digest) -> Result<Option<WayBack>, EngineError> {
        let mut after = 0;
        let mut found = None;
        loop {
            let entries = self.0.store.history(&record.id, after, ENTRIES)?;
            let Some((_, last)) = entries.last() else {
                break;
            };
            after = last.version;
            let moves = entries
                .into_iter()
                .filter(|(_, entry)| moved(entry).is_some());
            found = moves.last().map(|(_, entry)| entry).or(found);
        }
        let Some(entry) = found else {
            return Ok(None);
        };
        let Some((from, into, left, entered)) = moved(&entry) else {
            return Ok(None);
        };
        if from != *to || into != record.definition {
            return Ok(None);
        }
        let before = self.record_at(&record.id, entry.version - 1)?;
        Ok(Some(WayBack {
            from: left.clone(),
            to: entered.clone(),
            fields: changed(&before, &entry),
        }))
    }
}

fn following(category: Category) -> Option<Category> {
    let mut parts = IN_FLIGHT.into_iter().skip_while(|part| *part != category);
    parts.nth(1)
}

/// The move of an entry: from which version to which, and from which state to which.
fn moved(entry: &Entry) -> Option<(Digest, Digest, &model::id::StateId, &model::id::StateId)> {
    entry.events.iter().find_map(|event| match event {
        Event::Migrated {
            from,
            to,
            left,
            entered,
            ..
        } => Some((*from, *to, left, entered)),
        _ => None,
    })
}

/// The fields that an entry changed, each with its value before and after.
fn changed(before: &Arc<Record>, entry: &Entry) -> BTreeMap<FieldId, (Value, Value)> {
    let mut changed = BTreeMap::new();
    for event in &entry.events {
        if let Event::FieldSet { field, value, .. } = event {
            let was = before.field(field.as_str()).clone();
            changed.insert(field.clone(), (was, value.clone()));
        }
    }
    changed
}
