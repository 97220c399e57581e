//! What came of asking again, by binding and component: how many answers were the same, which differed,
//! and what could not be asked, and why.

use std::collections::BTreeMap;

use model::hook::{Answer, Failure, Hook};
use model::id::{BindingId, RecordId};
use model::{Digest, Instant};
use serde::Serialize;

/// How many differences are told.
const DIFFERENCES: usize = 100;
/// How many bytes they may have altogether, as JSON.
const DIFFERENCES_BYTES: usize = 4 << 20;

/// What came of asking again what a journal holds.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Replayed {
    /// The position of the journal up to which it went.
    pub position: u64,
    /// All together.
    pub total: Counts,
    /// By binding, and by the component that was asked.
    pub bindings: Vec<OfBinding>,
    /// The first answers that differed, in the order of the journal.
    pub differences: Vec<Difference>,
    #[serde(skip)]
    differences_bytes: usize,
}

/// How many decisions there were, and what came of them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// How many decisions the journal holds.
    pub decisions: u64,
    /// How many were asked again, and can be compared.
    pub asked: u64,
    /// How many answers were the same.
    pub identical: u64,
    /// How many were not.
    pub different: u64,
    /// How many could not be asked.
    pub not_asked: u64,
}

/// What came of asking a component again for a binding.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct OfBinding {
    /// The binding.
    pub binding: BindingId,
    /// The component that was asked; none where nobody had been.
    pub component: Option<Digest>,
    /// How many.
    #[serde(flatten)]
    pub counts: Counts,
    /// Why decisions could not be asked, by kind.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub reasons: BTreeMap<&'static str, Reason>,
}

/// Why some decisions could not be asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Reason {
    /// How many.
    pub count: u64,
    /// Why, in a sentence; where they differ, of the first.
    pub why: String,
    /// The record of the first.
    pub record: RecordId,
    /// Its position in the journal.
    pub position: u64,
}

/// A question that was answered otherwise than then.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Difference {
    /// The record.
    pub record: RecordId,
    /// Its version after the decision.
    pub version: u64,
    /// The position in the journal.
    pub position: u64,
    /// When it was decided.
    pub at: Instant,
    /// The hook.
    pub hook: Hook,
    /// The binding.
    pub binding: BindingId,
    /// What was answered then.
    pub then: Given,
    /// What is answered now.
    pub now: Given,
}

/// What came of a question.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Given {
    /// An answer.
    Answer(Answer),
    /// None, and why.
    Failure(Failure),
}

/// Why a decision could not be asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotAsked {
    /// Nobody was asked then either: there was no such binding, it was left alone, or too much was
    /// under way.
    #[error("nobody had been asked: {0}")]
    Nobody(String),
    /// A limit ended the call, which depends on how fast the machine was.
    #[error("the call had ended by a limit: {0}")]
    Limit(String),
    /// The question is not stored.
    #[error("the question is not stored, or does not read")]
    Question,
    /// The definitions that were in force cannot be had.
    #[error("the definitions of then cannot be had: {0}")]
    Definitions(String),
    /// Definitions changed while the question was asked, so that it is not known which settings held.
    #[error("the binding was being changed when it was asked")]
    Changing,
    /// The component is not stored.
    #[error("the component is not stored")]
    Component,
    /// The component cannot be put to use as the binding was.
    #[error("the component cannot be put to use: {0}")]
    Unfit(String),
    /// What the plugin looked up cannot be told as it was.
    #[error("what it looked up cannot be told as it was then: {0}")]
    Lookup(String),
    /// It found no time to answer, or no place, which depends on what else the machine does.
    #[error("it gave no answer in time, which may be different on a machine with less to do: {0}")]
    Time(String),
}

impl NotAsked {
    /// Its name in reports.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Nobody(_) => "nobody-asked",
            Self::Limit(_) => "ended-by-a-limit",
            Self::Question => "question-missing",
            Self::Definitions(_) => "definitions-missing",
            Self::Changing => "binding-changing",
            Self::Component => "component-missing",
            Self::Unfit(_) => "component-unfit",
            Self::Lookup(_) => "look-up-lost",
            Self::Time(_) => "no-answer-in-time",
        }
    }
}

/// What came of one decision.
pub(super) enum Again {
    Identical,
    Different { then: Given, now: Given },
    NotAsked(NotAsked),
}

/// Which decision.
pub(super) struct Place<'a> {
    pub(super) record: &'a RecordId,
    pub(super) version: u64,
    pub(super) position: u64,
    pub(super) at: Instant,
    pub(super) hook: Hook,
    pub(super) binding: &'a BindingId,
}

impl Counts {
    fn add(&mut self, again: &Again) {
        self.decisions += 1;
        let (asked, of_kind) = match again {
            Again::Identical => (1, &mut self.identical),
            Again::Different { .. } => (1, &mut self.different),
            Again::NotAsked(_) => (0, &mut self.not_asked),
        };
        *of_kind += 1;
        self.asked += asked;
    }
}

impl Replayed {
    /// Takes note of what came of a decision.
    pub(super) fn add(&mut self, place: &Place<'_>, component: Option<Digest>, again: Again) {
        self.total.add(&again);
        let of = self.of(place.binding, component);
        of.counts.add(&again);
        match again {
            Again::Identical => {}
            Again::NotAsked(why) => {
                let reason = of.reasons.entry(why.as_str()).or_insert_with(|| Reason {
                    count: 0,
                    why: why.to_string(),
                    record: place.record.clone(),
                    position: place.position,
                });
                reason.count += 1;
            }
            Again::Different { then, now } => self.differ(place, then, now),
        }
    }

    fn of(&mut self, binding: &BindingId, component: Option<Digest>) -> &mut OfBinding {
        let key = |of: &OfBinding| (of.binding.clone(), of.component);
        let wanted = (binding.clone(), component);
        let at = match self.bindings.binary_search_by_key(&wanted, key) {
            Ok(at) => at,
            Err(at) => {
                let of = OfBinding {
                    binding: wanted.0,
                    component,
                    counts: Counts::default(),
                    reasons: BTreeMap::new(),
                };
                self.bindings.insert(at, of);
                at
            }
        };
        &mut self.bindings[at]
    }

    /// Keeps a difference as long as there is room.
    fn differ(&mut self, place: &Place<'_>, then: Given, now: Given) {
        if self.differences.len() == DIFFERENCES || self.differences_bytes > DIFFERENCES_BYTES {
            return;
        }
        let difference = Difference {
            record: place.record.clone(),
            version: place.version,
            position: place.position,
            at: place.at,
            hook: place.hook,
            binding: place.binding.clone(),
            then,
            now,
        };
        let bytes = serde_json::to_vec(&difference).map_or(0, |text| text.len());
        self.differences_bytes += bytes;
        if self.differences_bytes <= DIFFERENCES_BYTES {
            self.differences.push(difference);
        }
    }
}
