//! What an expression can name: the fields of the record, the record itself, the form, the actor, now.

use std::collections::BTreeMap;

use definition::compile::{Definitions, FieldKind, Workflow};
use definition::expression::{Term, Variables};
use model::command::Actor;
use model::id::FieldId;
use model::record::Record;
use model::{Duration, Instant, Value};

use crate::directory::Ledger;
use crate::window::{self, Conflict, Rules};

/// The names of one evaluation.
#[derive(Clone, Copy)]
pub(crate) struct Scope<'a> {
    pub(crate) record: &'a Record,
    pub(crate) workflow: &'a Workflow,
    pub(crate) definitions: &'a Definitions,
    pub(crate) ledger: &'a Ledger<'a>,
    pub(crate) input: Option<&'a BTreeMap<FieldId, Value>>,
    pub(crate) actor: Option<&'a Actor>,
    pub(crate) now: Option<Instant>,
    /// The linked record that `it` is.
    pub(crate) it: Option<&'a Record>,
}

impl<'a> Scope<'a> {
    /// The same where `it` is this record.
    pub(crate) const fn of_linked(self, it: &'a Record) -> Self {
        Self {
            it: Some(it),
            ..self
        }
    }

    /// The records that this one is linked to by a kind of link, as it is called from here.
    fn linked(&self, kind: &str) -> Option<Term> {
        let side = self.workflow.links.get(kind)?;
        let found = self.record.links_of(&side.kind, side.inverse);
        let found = found.filter_map(|target| self.ledger.record(target));
        Some(Term::List(found.map(|record| summary(&record)).collect()))
    }

    fn tasks(&self) -> Term {
        let each = self.record.tasks.iter().map(|(id, task)| {
            let maybe =
                |text: Option<&str>| text.map_or(Term::Null, |text| Term::Text(text.to_owned()));
            Term::map([
                ("id", Term::Text(id.to_string())),
                ("record", maybe(task.record.as_ref().map(AsRef::as_ref))),
                ("workflow", Term::Text(task.workflow.to_string())),
                ("status", Term::Text(task.status.as_str().to_owned())),
                ("outcome", maybe(task.outcome.as_deref())),
            ])
        });
        Term::List(each.collect())
    }

    fn record_member(&self, member: &str) -> Option<Term> {
        let text = |text: &str| Term::Text(text.to_owned());
        let maybe = |id: Option<&str>| id.map_or(Term::Null, text);
        Some(match member {
            "id" => text(self.record.id.as_str()),
            "state" => text(self.record.state.as_str()),
            "category" => text(self.record.category.as_str()),
            "requester" => maybe(self.record.requester.as_ref().map(AsRef::as_ref)),
            "assignee" => maybe(self.record.assignee.as_ref().map(AsRef::as_ref)),
            "team" => maybe(self.record.team.as_ref().map(AsRef::as_ref)),
            "created_at" => Term::Instant(self.record.created_at),
            _ => return None,
        })
    }

    /// What the planned window of the record meets; null where its fields tell none.
    fn window_member(&self, member: &str) -> Option<Term> {
        if !WINDOW.contains(&member) {
            return None;
        }
        let Ok(window) = window::told(self.workflow, self.record) else {
            return Some(Term::Null);
        };
        let rules = || {
            Rules::of(
                self.definitions,
                self.workflow,
                &window.affects,
                self.ledger,
            )
        };
        Some(match member {
            "freezes" => Term::texts(rules().freezes(&window)),
            "outside" => {
                let outside = rules().outside(&window);
                Term::texts(outside.iter().map(|key| key.id.to_string()))
            }
            _ => {
                let met = window::conflicts(self.ledger, &window, Some(&self.record.id));
                Term::List(met.iter().map(conflict).collect())
            }
        })
    }

    fn field(&self, name: &str) -> Option<Term> {
        let field = self.workflow.fields.get(name)?;
        let value = self.record.field(name);
        Some(match (&field.kind, value) {
            (FieldKind::Reference(kind), Value::Text(id)) => self.reference(kind.as_str(), id),
            _ => Term::from(value),
        })
    }

    /// A reference as an object: its id, and what its kind declares.
    fn reference(&self, kind: &str, id: &str) -> Term {
        let mut members = BTreeMap::new();
        for (known, attributes) in model::directory::BUILT_IN {
            if *known == kind {
                members.extend(
                    attributes
                        .iter()
                        .map(|name| ((*name).to_owned(), Term::Null)),
                );
            }
        }
        if let Some(thing) = self.ledger.thing(kind, id) {
            members.extend(
                thing
                    .0
                    .iter()
                    .map(|(name, value)| (name.clone(), Term::from(value))),
            );
        }
        members.insert("id".to_owned(), Term::Text(id.to_owned()));
        Term::Map(members)
    }
}

/// An actor, as expressions see them.
pub(crate) fn actor_term(actor: &Actor) -> Term {
    let members = ACTOR.iter();
    Term::map(members.filter_map(|member| Some((*member, actor_member(actor, member)?))))
}

fn actor_member(actor: &Actor, member: &str) -> Option<Term> {
    Some(match member {
        "id" => Term::Text(actor.id().to_string()),
        "roles" => Term::texts(actor.roles.iter().map(ToString::to_string)),
        "teams" => Term::texts(actor.teams.iter().map(ToString::to_string)),
        _ => return None,
    })
}

/// Another record, as far as expressions see it.
fn summary(record: &Record) -> Term {
    Term::map(of_other(record))
}

fn of_other(record: &Record) -> [(&'static str, Term); 5] {
    let outcome = record.outcome.clone().map_or(Term::Null, Term::Text);
    [
        ("id", Term::Text(record.id.to_string())),
        ("workflow", Term::Text(record.workflow.to_string())),
        ("state", Term::Text(record.state.to_string())),
        ("category", Term::Text(record.category.as_str().to_owned())),
        ("outcome", outcome),
    ]
}

/// A record whose window this one's meets.
fn conflict(met: &Conflict) -> Term {
    let window = [
        ("from", Term::Instant(met.from)),
        ("to", Term::Instant(met.to)),
    ];
    Term::map(of_other(&met.record).into_iter().chain(window))
}

const WINDOW: [&str; 3] = ["freezes", "outside", "conflicts"];

const RECORD: [&str; 7] = [
    "id",
    "state",
    "category",
    "requester",
    "assignee",
    "team",
    "created_at",
];
const ACTOR: [&str; 3] = ["id", "roles", "teams"];

impl Variables for Scope<'_> {
    fn variable(&self, name: &str) -> Option<Term> {
        match name {
            "record" => {
                Some(Term::map(RECORD.iter().filter_map(|member| {
                    Some((*member, self.record_member(member)?))
                })))
            }
            "actor" => self.actor.map(actor_term),
            "input" => {
                let input = self.input?;
                Some(Term::map(
                    input
                        .iter()
                        .map(|(id, value)| (id.to_string(), Term::from(value))),
                ))
            }
            "now" => self.now.map(Term::Instant),
            "tasks" => Some(self.tasks()),
            "links" => {
                Some(Term::map(self.workflow.links.keys().filter_map(|kind| {
                    Some((kind.as_str(), self.linked(kind.as_str())?))
                })))
            }
            "it" => self.it.map(summary),
            "window" if self.workflow.window.is_some() => {
                let members = WINDOW.iter();
                Some(Term::map(members.filter_map(|member| {
                    Some((*member, self.window_member(member)?))
                })))
            }
            field => self.field(field),
        }
    }

    fn member(&self, name: &str, member: &str) -> Option<Term> {
        match name {
            "record" => self.record_member(member),
            "actor" => actor_member(self.actor?, member),
            "input" => self.input?.get(member).map(Term::from),
            "links" => self.linked(member),
            "window" if self.workflow.window.is_some() => self.window_member(member),
            _ => None,
        }
    }

    fn open(&self, calendar: &str, at: Instant) -> Option<bool> {
        Some(
            self.definitions
                .calendars
                .get(calendar)?
                .calendar
                .is_open(at),
        )
    }

    fn business(&self, calendar: &str, from: Instant, to: Instant) -> Option<Duration> {
        Some(
            self.definitions
                .calendars
                .get(calendar)?
                .calendar
                .between(from, to),
        )
    }
}
