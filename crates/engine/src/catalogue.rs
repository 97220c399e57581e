//! The catalogue: what an actor is offered, and the ways to ask for it.

use definition::compile::{CatalogueItem, Definitions};
use definition::expression::{Term, Variables};
use model::command::Actor;
use model::id::{CatalogueItemId, WorkflowId};
use model::{Duration, Instant};

use crate::desk::{Available, ways_of};
use crate::engine::Engine;
use crate::scope::actor_term;

/// Something that can be asked for.
#[derive(Clone, Debug)]
pub struct Offered {
    /// Its id.
    pub id: CatalogueItemId,
    /// What people ask for.
    pub title: String,
    /// A sentence or two about it.
    pub description: Option<String>,
    /// The heading under which it stands.
    pub group: Option<String>,
    /// The workflow that it is an item of.
    pub workflow: WorkflowId,
    /// The ways in which the actor may ask for it, each with its form.
    pub ways: Vec<Available>,
}

impl Engine {
    /// The items of the catalogue that an actor is offered and may ask for, by heading and title, in the
    /// language liked best.
    pub fn catalogue(&self, actor: &Actor, languages: &[String]) -> Vec<Offered> {
        let definitions = self.definitions();
        let translation = definitions.translation(languages);
        let looking = Looking {
            definitions: &definitions,
            actor,
            now: self.now(),
        };
        let offered = definitions
            .catalogue
            .values()
            .filter(|item| looking.is_offered(item));
        let mut offered: Vec<Offered> = offered
            .map(|item| {
                let spoken = |key: &str, own: &str| {
                    let text =
                        translation.and_then(|it| it.text(&["catalogue", item.id.as_str(), key]));
                    text.unwrap_or(own).to_owned()
                };
                let workflow = Self::spoken(
                    &definitions,
                    item.workflow.clone(),
                    Some(&item.id),
                    languages,
                );
                Offered {
                    id: item.id.clone(),
                    title: spoken("title", &item.title),
                    description: item
                        .description
                        .as_deref()
                        .map(|own| spoken("description", own)),
                    group: item.group.as_deref().map(|own| spoken("group", own)),
                    workflow: item.workflow.id.clone(),
                    ways: ways_of(actor, &workflow),
                }
            })
            .filter(|item| !item.ways.is_empty())
            .collect();
        offered.sort_by(|one, other| (&one.group, &one.title).cmp(&(&other.group, &other.title)));
        offered
    }
}

/// Someone who looks at the catalogue, as what it offers may depend on them.
struct Looking<'a> {
    definitions: &'a Definitions,
    actor: &'a Actor,
    now: Instant,
}

impl Looking<'_> {
    /// Whether an item is offered; one whose condition fails is not.
    fn is_offered(&self, item: &CatalogueItem) -> bool {
        let offer = item.offer.as_ref();
        offer.is_none_or(|offer| offer.holds(self).unwrap_or(false))
    }
}

impl Variables for Looking<'_> {
    fn variable(&self, name: &str) -> Option<Term> {
        match name {
            "actor" => Some(actor_term(self.actor)),
            "now" => Some(Term::Instant(self.now)),
            _ => None,
        }
    }

    fn member(&self, _name: &str, _member: &str) -> Option<Term> {
        None
    }

    fn open(&self, calendar: &str, at: Instant) -> Option<bool> {
        let known = self.definitions.calendars.get(calendar)?;
        Some(known.calendar.is_open(at))
    }

    fn business(&self, calendar: &str, from: Instant, to: Instant) -> Option<Duration> {
        let known = self.definitions.calendars.get(calendar)?;
        Some(known.calendar.between(from, to))
    }
}
