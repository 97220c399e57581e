//! Links: made from one side, told to the other, and what a step has linked records do.

use definition::compile::{Computed, Each, LinkSide};
use model::command::Who;
use model::event::Event;
use model::id::{LinkKind, RecordId};
use model::record::{EffectCall, Link, Record};
use serde_json::Map;

use super::take::list;
use super::{Interrupt, Result, Step};
use crate::rejection::{InputFault, Rejection};

/// How many links a record may have.
const MOST_LINKS: usize = 1_000;

impl Step<'_> {
    /// Links to another record by a kind of link, as it is called from here; the other is told.
    pub(super) fn link(&mut self, kind: &LinkKind, target: &RecordId) -> Result<()> {
        if self.input.record.is_some() && !self.may(&self.input.workflow.edit) {
            return Err(self.forbidden("link", "a right to edit").into());
        }
        if *target == self.record.id {
            return Err(Rejection::not_possible("a record is not linked to itself").into());
        }
        let Some(side) = self.input.workflow.links.get(kind).cloned() else {
            return Err(self.unknown_kind(kind));
        };
        self.check_target(kind, &side, target)?;
        let link = Link {
            kind: side.kind.clone(),
            target: target.clone(),
            inverse: side.inverse,
        };
        if self.make_link(link)? {
            let back = !side.alike && !side.inverse;
            let call = EffectCall::LinkBack {
                kind: side.kind,
                target: target.clone(),
                inverse: back,
            };
            self.due(call);
        }
        Ok(())
    }

    /// Notes a link that was made from the other side.
    pub(super) fn link_back(&mut self, link: Link) -> Result<()> {
        self.make_link(link).map(|_| ())
    }

    /// Makes a link; says whether it is a new one.
    fn make_link(&mut self, link: Link) -> Result<bool> {
        if self.record.links.contains(&link) {
            return Ok(false);
        }
        if self.record.links.len() >= MOST_LINKS {
            let message = format!("it has {MOST_LINKS} links: no more can be made");
            return Err(Rejection::not_possible(message).into());
        }
        self.emit(Event::Linked {
            kind: link.kind,
            target: link.target,
            inverse: link.inverse,
        });
        Ok(true)
    }

    fn unknown_kind(&self, kind: &LinkKind) -> Interrupt {
        let workflow = self.input.workflow;
        let known: Vec<String> = workflow.links.keys().map(ToString::to_string).collect();
        let message = format!(
            "`{}` has no kind of link `{kind}`; it has: {}",
            workflow.id,
            list(&known)
        );
        let faults = vec![InputFault::of("kind", message)];
        Rejection::Invalid { faults }.into()
    }

    /// Holds a link to where its kind leads. What workflows make themselves may be older than that.
    fn check_target(&self, kind: &LinkKind, side: &LinkSide, target: &RecordId) -> Result<()> {
        let invalid = |message: String| -> Interrupt {
            let faults = vec![InputFault::of("target", message)];
            Rejection::Invalid { faults }.into()
        };
        if self.actor().who == Who::Timer {
            return Ok(());
        }
        let Some(other) = self.ledger.record(target) else {
            return Err(invalid(format!("there is no record {target}")));
        };
        if side.to.contains(&other.workflow) {
            return Ok(());
        }
        let to: Vec<String> = side.to.iter().map(ToString::to_string).collect();
        Err(invalid(format!(
            "`{kind}` leads to {}; {target} is of `{}`",
            list(&to),
            other.workflow
        )))
    }

    /// Has each linked record that it concerns take a transition.
    pub(super) fn take_each(&mut self, each: &Each, place: &str) {
        let Some(side) = self.input.workflow.links.get(&each.link) else {
            let message = format!("there is no kind of link `{}`", each.link);
            self.failed(place.to_owned(), message);
            return;
        };
        let targets: Vec<RecordId> = self
            .record
            .links_of(&side.kind, side.inverse)
            .cloned()
            .collect();
        for target in targets {
            if let Some(other) = self.ledger.record(&target) {
                self.take_linked(each, &other, place);
            }
        }
    }

    fn take_linked(&mut self, each: &Each, other: &Record, place: &str) {
        let concerns = each.when.as_ref().is_none_or(|when| {
            let holds = when.holds(&self.scope().of_linked(other));
            holds.unwrap_or_else(|error| {
                self.failed(format!("{place}, {}", other.id), error.to_string());
                false
            })
        });
        if !concerns {
            return;
        }
        let mut input = Map::new();
        for (field, computed) in &each.set {
            let given = match computed {
                Computed::Literal(value) => Ok(value.to_json()),
                Computed::Expression(expression) => expression
                    .evaluate(&self.scope().of_linked(other))
                    .map(|term| term.to_json()),
            };
            match given {
                Ok(json) => {
                    input.insert(field.to_string(), json);
                }
                Err(error) => self.failed(format!("{place}, set {field}"), error.to_string()),
            }
        }
        self.due(EffectCall::Take {
            target: other.id.clone(),
            transition: each.transition.clone(),
            input,
        });
    }
}
