//! 'As judged then' and 'as judged now' side by side: a record's clocks as its journal has them, and as
//! they would be, had today's definitions been in force when it began. Nothing is changed.

use std::collections::{BTreeMap, HashMap};
use std::sync::Mutex;

use model::command::Actor;
use model::definition::Plugin;
use model::hook::{Hook, Question, Reply};
use model::id::{BindingId, RecordId, WorkflowId};
use model::journal::{self, Decision, Entry, HookDecision};
use model::record::{Clock, Record};
use model::{Digest, Instant};
use serde::{Deserialize, Serialize};

use crate::decide::{Answers, Judging, judge};
use crate::engine::Engine;
use crate::error::EngineError;
use crate::port::{ListQuery, Sort};
use crate::rejection::Rejection;
use crate::simulate::RecordDifference as Difference;
use crate::simulate::clock_differences;

/// The longest journal that is judged.
const MOST_ENTRIES: u64 = 20_000;
/// How many records are judged at a time.
const MOST_RECORDS: usize = 50;

/// A record's clocks, then and now.
#[derive(Clone, Debug, Serialize)]
pub struct JudgedAgain {
    /// The record.
    pub record: RecordId,
    /// Its clocks as they were judged.
    pub then: Vec<Clock>,
    /// Its clocks as today's definitions judge them.
    pub now: Vec<Clock>,
    /// What differs: goal, verdict and due time, by service level and target.
    pub differences: Vec<Difference>,
    /// What could not be judged as it would have been: an expression that fails, a plugin whose answer is
    /// not known, so that its fallback counts.
    pub notes: Vec<String>,
}

/// Which records are judged, a part at a time.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct ClocksQuery {
    /// Of this workflow.
    pub workflow: Option<WorkflowId>,
    /// Changed at or after this instant.
    pub since: Option<Instant>,
    /// After this place.
    pub after: Option<(Instant, RecordId)>,
}

/// A part of the records that are judged.
#[derive(Clone, Debug, Default)]
pub struct ClocksPage {
    /// What each comes to.
    pub records: Vec<JudgedAgain>,
    /// Where the next part begins; none at the end.
    pub next: Option<(Instant, RecordId)>,
}

impl Engine {
    /// Judges a record that the actor may see again.
    ///
    /// # Errors
    /// Where there is none that they may see, its journal has more than 20,000 entries, or the store
    /// fails.
    pub fn judged_again(&self, actor: &Actor, id: &RecordId) -> Result<JudgedAgain, EngineError> {
        let record = self.record(actor, id)?;
        if record.version > MOST_ENTRIES {
            let message = format!(
                "the journal of {id} has {} entries; at most {MOST_ENTRIES} are judged again",
                record.version
            );
            return Err(Rejection::not_possible(message).into());
        }
        let mut entries = Vec::new();
        while let Some(entry) = self.next_entries(id, &entries, record.version)? {
            entries.extend(entry);
        }
        let definitions = self.definitions();
        let workflow = self.workflow_of(&definitions, &record)?;
        let answers = Journaled::of(self, &entries);
        let judged = judge(Judging {
            id,
            workflow: &workflow,
            definitions: &definitions,
            directory: &self.directory(),
            entries: &entries,
            answers: &answers,
            until: self.now().max(record.updated_at),
        })?;
        let now = Record {
            clocks: judged.clocks,
            ..(*record).clone()
        };
        Ok(JudgedAgain {
            record: id.clone(),
            differences: clock_differences(&record, &now),
            then: record.clocks.clone(),
            now: now.clocks,
            notes: judged.notes,
        })
    }

    /// Judges records again, those that changed last coming first.
    ///
    /// # Errors
    /// Where the store fails. A record whose journal is too long is told in its notes.
    pub fn clocks_again(
        &self,
        actor: &Actor,
        query: &ClocksQuery,
    ) -> Result<ClocksPage, EngineError> {
        let list = ListQuery {
            workflow: query.workflow.clone(),
            sort: Sort::UpdatedDescending,
            limit: MOST_RECORDS,
            after: query.after.clone(),
            ..ListQuery::default()
        };
        let page = self.list(actor, &list, None)?;
        let mut judged = ClocksPage {
            records: Vec::new(),
            next: page.next,
        };
        for listed in page.records {
            // Those that follow changed before it.
            if query.since.is_some_and(|since| listed.updated_at < since) {
                judged.next = None;
                break;
            }
            let again = self.judged_again(actor, &listed.id);
            judged.records.push(match again {
                Ok(again) => again,
                Err(EngineError::Rejected(rejection)) => JudgedAgain {
                    record: listed.id.clone(),
                    then: listed.clocks.clone(),
                    now: Vec::new(),
                    differences: Vec::new(),
                    notes: vec![rejection.to_string()],
                },
                Err(error) => return Err(error),
            });
        }
        Ok(judged)
    }

    /// The entries that come next, up to a version of the record.
    fn next_entries(
        &self,
        id: &RecordId,
        known: &[Entry],
        version: u64,
    ) -> Result<Option<Vec<Entry>>, EngineError> {
        let after = known.last().map_or(0, |entry| entry.version);
        if after >= version {
            return Ok(None);
        }
        let entries = self.0.store.history(id, after, 200)?;
        let entries: Vec<Entry> = entries
            .into_iter()
            .map(|(_, entry)| entry)
            .filter(|entry| entry.version <= version)
            .collect();
        Ok((!entries.is_empty()).then_some(entries))
    }
}

/// What plugins answered, where they would answer the same today: the component, the settings and the
/// question are the same.
struct Journaled<'a> {
    engine: &'a Engine,
    /// By the digest of the question: the answer, and the configuration that was in force.
    answers: HashMap<Digest, (&'a HookDecision, Digest)>,
    /// Whether the settings of a binding are today's, by what was in force.
    same_settings: Mutex<BTreeMap<(Digest, BindingId), bool>>,
}

impl<'a> Journaled<'a> {
    fn of(engine: &'a Engine, entries: &'a [Entry]) -> Self {
        let mut answers = HashMap::new();
        for entry in entries {
            for decision in &entry.decisions {
                if let Decision::Hook(hook) = decision
                    && hook.hook == Hook::ServiceLevel
                {
                    answers.insert(hook.input, (hook, entry.configuration));
                }
            }
        }
        Self {
            engine,
            answers,
            same_settings: Mutex::default(),
        }
    }

    /// Whether a binding has the settings that it had under a configuration.
    fn has_same_settings(&self, configuration: Digest, binding: &BindingId) -> bool {
        let key = (configuration, binding.clone());
        let lock = || self.same_settings.lock();
        if let Ok(known) = lock()
            && let Some(known) = known.get(&key)
        {
            return *known;
        }
        let settings = || {
            let library = &self.engine.0.library;
            let then = library.configuration_of(&configuration).ok()?;
            let text = library.text(&then.bindings.get(binding)?.digest).ok()?;
            let plugin: Plugin = definition::pack::from_canonical(&text).ok()?;
            Some(plugin.settings)
        };
        let definitions = self.engine.definitions();
        let today = definitions.bindings.get(binding);
        let is_same = today.is_some_and(|today| settings() == Some(today.plugin.settings.clone()));
        if let Ok(mut known) = lock() {
            known.insert(key, is_same);
        }
        is_same
    }
}

impl Answers for Journaled<'_> {
    fn answer(&self, _: &Entry, question: &Question) -> Option<Reply> {
        let (hook, configuration) = self.answers.get(&Digest::of(&journal::encode(question)))?;
        let definitions = self.engine.definitions();
        let today = definitions.bindings.get(&question.binding)?;
        if hook.component != Some(today.installed.component)
            || !self.has_same_settings(*configuration, &question.binding)
        {
            return None;
        }
        let answer = match (&hook.failure, &hook.answer) {
            (Some(failure), _) => Err(failure.clone()),
            (None, Some(answer)) => Ok(answer.clone()),
            (None, None) => return None,
        };
        Some(Reply {
            component: hook.component,
            answer,
            micros: 0,
            lookups: Vec::new(),
        })
    }
}
