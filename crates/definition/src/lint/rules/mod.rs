//! Every rule that a definition is held to: what it finds, why that matters, a fault and its cure.
//!
//! Rules of [`form`] keep a file from being read, those of [`meaning`] keep what was read from being
//! run, and those of [`judgement`] look at what could run, and would leave records stuck, rows unread
//! or people unasked. What is found carries the id of its rule; none is without one.

mod form;
mod judgement;
mod meaning;
mod page;
#[cfg(test)]
mod tests;

use serde::Serialize;

pub use page::{page, told};

/// A rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Rule {
    /// Its id, a kebab-case word that tools may match; it stays.
    pub id: &'static str,
    /// How much it matters.
    pub weight: Weight,
    /// What it finds.
    pub finds: &'static str,
    /// Why that is worth telling.
    pub why: &'static str,
    /// An example of a fault.
    pub fault: &'static str,
    /// The same, put right.
    pub cure: &'static str,
}

/// A rule whose finding is an error always.
const fn error(
    id: &'static str,
    finds: &'static str,
    why: &'static str,
    fault: &'static str,
    cure: &'static str,
) -> Rule {
    rule(id, Weight::Error, finds, why, fault, cure)
}

const fn rule(
    id: &'static str,
    weight: Weight,
    finds: &'static str,
    why: &'static str,
    fault: &'static str,
    cure: &'static str,
) -> Rule {
    Rule {
        id,
        weight,
        finds,
        why,
        fault,
        cure,
    }
}

/// How much what a rule finds matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Weight {
    /// An error always: the pack is not installed.
    Error,
    /// A warning always. It can be silenced with a reason.
    Warning,
    /// An error where it is certain, a warning where it may be meant.
    Either,
}

impl Weight {
    /// In the words of the page.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Either => "error or warning",
        }
    }
}

/// Where a rule is at work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// While files are read and laid over each other.
    Form,
    /// While what was read is turned into what can run.
    Meaning,
    /// Once everything could run.
    Judgement,
}

impl Part {
    /// Every part, in the order in which packs pass them.
    pub const ALL: [Self; 3] = [Self::Form, Self::Meaning, Self::Judgement];

    /// Its rules, by id.
    pub const fn rules(self) -> &'static [Rule] {
        match self {
            Self::Form => form::RULES,
            Self::Meaning => meaning::RULES,
            Self::Judgement => judgement::RULES,
        }
    }
}

/// Every rule.
pub fn all() -> impl Iterator<Item = &'static Rule> {
    Part::ALL.into_iter().flat_map(Part::rules)
}

/// The rule of this id.
pub fn find(id: &str) -> Option<&'static Rule> {
    all().find(|rule| rule.id == id)
}
