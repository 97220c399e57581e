//! Rotas: who is on call at an instant, and from when until when.
//!
//! A rota is layers, a later one over those before it, and overrides over all of them. Who is on call
//! is told for an instant alone ([`Rota::at`]); a schedule ([`Rota::schedule`]) is the same question put
//! once to each stretch in which the answer cannot change, which are cut where any turn, hour,
//! override or absence begins or ends.
//!
//! Turns change at the same time of day on the rota's clocks, whatever those clocks do: at the earlier
//! instant where a clock shows that time twice, and where it skips it, at the instant at which it jumps
//! past it. Hours are read as a calendar reads them.

mod compile;
mod layer;
mod schedule;

use std::collections::{BTreeMap, BTreeSet};

use chrono_tz::Tz;
use model::Instant;
use model::absence::Absences;
use model::id::{LayerId, PersonId, ShiftId};

pub use compile::{MOST_LAYERS, MOST_NAMED, MOST_PEOPLE, MOST_SHIFTS, RotaError, RotaProblem};

use layer::{Layer, Shifts};

/// A rota compiled for asking.
#[derive(Clone, Debug)]
pub struct Rota {
    zone: Tz,
    /// The lowest first.
    layers: Vec<Layer>,
    overrides: Shifts,
}

/// When people are out of office, by person; who is not there is never away.
pub type Away = BTreeMap<PersonId, Absences>;

/// Somebody on call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OnCall {
    /// Who.
    pub person: PersonId,
    /// Whose turn it is, where that one is out of office.
    pub instead_of: Option<PersonId>,
    /// What says so.
    pub by: Source,
}

/// What says that somebody is on call.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Source {
    /// A layer.
    Layer(LayerId),
    /// An override.
    Override(ShiftId),
}

/// A stretch of time, half open, in which one and the same is on call, or nobody.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Span {
    /// Its first instant.
    pub from: Instant,
    /// The first instant after it.
    pub to: Instant,
    /// Who; nobody in a gap.
    pub on_call: Option<OnCall>,
}

impl Rota {
    /// Compiles a rota.
    ///
    /// # Errors
    /// Where its zone is unknown, a layer has neither turns nor shifts or both, a turn is no number of
    /// days from 1 to 366, something ends before it begins, or there is more of anything than the bounds
    /// of this module allow.
    pub fn compile(rota: &model::rota::Rota) -> Result<Self, RotaError> {
        compile::compile(rota)
    }

    /// The zone on whose clocks turns change.
    pub const fn zone(&self) -> Tz {
        self.zone
    }

    /// Everyone whom it names: those whose absences change who is on call, beside their substitutes.
    pub fn people(&self) -> BTreeSet<&PersonId> {
        let layers = self.layers.iter().flat_map(Layer::people);
        layers.chain(self.overrides.people()).collect()
    }

    /// The ids of its layers, the lowest first.
    pub fn layers(&self) -> impl Iterator<Item = &LayerId> {
        self.layers.iter().map(|layer| &layer.id)
    }

    /// Who is on call at an instant: whom an override says, else the highest layer that has anybody.
    /// Whoever is out of office is stood in for by their substitute; where there is none, or that one is
    /// out of office too, the next in the layer's turn is on call, or whom a lower layer says.
    pub fn at(&self, at: Instant, away: &Away) -> Option<OnCall> {
        let overridden = self.overrides.at(at).and_then(|(id, person)| {
            let found = present(std::iter::once(person), at, away)?;
            Some(on_call(found, Source::Override(id.clone())))
        });
        overridden.or_else(|| {
            let mut layers = self.layers.iter().rev();
            layers.find_map(|layer| layer_at(layer, at, away))
        })
    }

    /// Whom a layer has on call at an instant, whatever lies over it.
    pub fn layer_at(&self, layer: &LayerId, at: Instant, away: &Away) -> Option<OnCall> {
        let layer = self.layers.iter().find(|known| known.id == *layer)?;
        layer_at(layer, at, away)
    }
}

fn layer_at(layer: &Layer, at: Instant, away: &Away) -> Option<OnCall> {
    let found = present(layer.in_turn(at), at, away)?;
    Some(on_call(found, Source::Layer(layer.id.clone())))
}

fn on_call((person, instead_of): (&PersonId, Option<&PersonId>), by: Source) -> OnCall {
    OnCall {
        person: person.clone(),
        instead_of: instead_of.cloned(),
        by,
    }
}

/// The first of these who is there, or has a substitute who is; and whose turn it was, where that was
/// someone else's.
fn present<'a>(
    in_turn: impl Iterator<Item = &'a PersonId>,
    at: Instant,
    away: &'a Away,
) -> Option<(&'a PersonId, Option<&'a PersonId>)> {
    let absence_of = |person: &PersonId| away.get(person).and_then(|absences| absences.at(at));
    let mut first = None;
    for person in in_turn {
        let turn = *first.get_or_insert(person);
        let there = match absence_of(person) {
            None => Some(person),
            Some(absence) => {
                let substitute = absence.substitute.as_ref();
                substitute.filter(|substitute| absence_of(substitute).is_none())
            }
        };
        if let Some(there) = there {
            return Some((there, (there != turn).then_some(turn)));
        }
    }
    None
}
