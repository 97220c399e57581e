//! From what people keep in the directory to a rota that can be asked, within bounds.

use model::definition::{Calendar as CalendarDefinition, Hours, Weekday};
use model::id::ShiftId;
use model::rota::{Layer as Definition, Rota as RotaDefinition, Shift};
use model::{Duration, Instant};
use thiserror::Error;

use super::Rota;
use super::layer::{Layer, LayerHours, Plan, Shifts, Turns};
use crate::{Calendar, CalendarError, DAY};

/// How many layers a rota may have.
pub const MOST_LAYERS: usize = 20;
/// How many people may take turns in a layer.
pub const MOST_PEOPLE: usize = 200;
/// How many overrides a rota, and how many shifts a layer may have.
pub const MOST_SHIFTS: usize = 1_000;
/// How many people a rota may name in all.
pub const MOST_NAMED: usize = 500;
/// The longest turn, in days.
const LONGEST_TURN: u32 = 366;
const MINUTE: i64 = 60_000;

/// Why a rota cannot be used.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("at `/{place}`: {problem}")]
pub struct RotaError {
    /// Where, such as `layers/nights/turn`.
    pub place: String,
    /// What is wrong there.
    pub problem: RotaProblem,
}

/// What is wrong with a rota.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum RotaProblem {
    /// The zone, or the hours.
    #[error(transparent)]
    Clock(#[from] CalendarError),
    /// More than there may be.
    #[error("{count} {what}; at most {most} are allowed")]
    TooMany {
        /// What there is too much of.
        what: &'static str,
        /// How many there are.
        count: usize,
        /// How many there may be.
        most: usize,
    },
    /// Neither turns nor shifts, or half of a rotation.
    #[error("a layer has `people`, `start` and `turn` for people who take turns, or `shifts`")]
    NoPlan,
    /// Turns and shifts at once.
    #[error("a layer has either `people` who take turns, or `shifts`; remove one of them")]
    TwoPlans,
    /// A turn of no days, of hours, or of more than a year.
    #[error("a turn is a number of days from P1D to P{LONGEST_TURN}D, such as P7D or P1W")]
    Turn,
    /// It ends before it begins.
    #[error("it ends at {to}, which is not after its beginning at {from}")]
    Backwards {
        /// When it begins.
        from: Instant,
        /// When it ends.
        to: Instant,
    },
}

impl RotaProblem {
    fn at(self, place: impl Into<String>) -> RotaError {
        RotaError {
            place: place.into(),
            problem: self,
        }
    }
}

pub(super) fn compile(rota: &RotaDefinition) -> Result<Rota, RotaError> {
    let zone = crate::compile::zone(&rota.zone);
    let zone = zone.map_err(|error| RotaProblem::from(error).at("zone"))?;
    bounded("layers", rota.layers.len(), MOST_LAYERS, "layers")?;
    let layers = rota.layers.iter().map(|(id, source)| {
        let place = format!("layers/{id}");
        let plan = plan(source, zone, &place)?;
        let hours = hours(source, &rota.zone, &place)?;
        Ok(Layer {
            id: id.clone(),
            plan,
            hours,
        })
    });
    let compiled = Rota {
        zone,
        layers: layers.collect::<Result<_, RotaError>>()?,
        overrides: shifts(&rota.overrides, "overrides", "overrides")?,
    };
    let named = compiled.people().len();
    bounded("", named, MOST_NAMED, "people in all")?;
    Ok(compiled)
}

fn bounded(place: &str, count: usize, most: usize, what: &'static str) -> Result<(), RotaError> {
    if count <= most {
        return Ok(());
    }
    Err(RotaProblem::TooMany { what, count, most }.at(place))
}

fn plan(source: &Definition, zone: chrono_tz::Tz, place: &str) -> Result<Plan, RotaError> {
    let turns = !source.people.is_empty()
        || source.start.is_some()
        || source.turn.is_some()
        || source.end.is_some();
    if !turns && !source.shifts.is_empty() {
        let place = format!("{place}/shifts");
        return Ok(Plan::Shifts(shifts(&source.shifts, &place, "shifts")?));
    }
    if !source.shifts.is_empty() {
        return Err(RotaProblem::TwoPlans.at(place));
    }
    let (Some(start), Some(turn), false) = (source.start, source.turn, source.people.is_empty())
    else {
        return Err(RotaProblem::NoPlan.at(place));
    };
    let people = source.people.len();
    bounded(&format!("{place}/people"), people, MOST_PEOPLE, "people")?;
    if turn.time != Duration::ZERO || !(1..=LONGEST_TURN).contains(&turn.days) {
        return Err(RotaProblem::Turn.at(format!("{place}/turn")));
    }
    if let Some(to) = source.end.filter(|end| *end <= start) {
        return Err(RotaProblem::Backwards { from: start, to }.at(format!("{place}/end")));
    }
    Ok(Plan::Turns(Turns {
        zone,
        people: source.people.clone(),
        start,
        days: turn.days,
        end: source.end,
    }))
}

fn hours(source: &Definition, zone: &str, place: &str) -> Result<Option<LayerHours>, RotaError> {
    if source.hours.is_empty() {
        return Ok(None);
    }
    let calendar = CalendarDefinition {
        zone: zone.to_owned(),
        hours: source.hours.clone(),
        ..CalendarDefinition::default()
    };
    let calendar = Calendar::compile(&calendar)
        .map_err(|error| RotaProblem::from(error).at(format!("{place}/hours")))?;
    let mut edges: [Vec<i64>; 7] = Default::default();
    for (weekday, number) in Weekday::ALL.into_iter().zip(0..) {
        let hours = source.hours.get(&weekday);
        for hours in hours.into_iter().flat_map(|hours| hours.values()) {
            let closes = closing_day(*hours, number);
            edges[number].push(i64::from(hours.from()) * MINUTE);
            edges[closes].push(i64::from(hours.to()) * MINUTE % DAY);
        }
    }
    Ok(Some(LayerHours { calendar, edges }))
}

/// The weekday on which an interval closes that opens on one; midnight is the beginning of a day.
fn closing_day(hours: Hours, opens: usize) -> usize {
    let is_next = hours.closes_next_day() || i64::from(hours.to()) * MINUTE == DAY;
    (opens + usize::from(is_next)) % 7
}

fn shifts<'a>(
    source: impl IntoIterator<Item = (&'a ShiftId, &'a Shift), IntoIter: ExactSizeIterator>,
    place: &str,
    what: &'static str,
) -> Result<Shifts, RotaError> {
    let each = source.into_iter();
    bounded(place, each.len(), MOST_SHIFTS, what)?;
    let mut shifts = Vec::with_capacity(each.len());
    for (id, shift) in each {
        let Shift { from, to, .. } = *shift;
        if to <= from {
            return Err(RotaProblem::Backwards { from, to }.at(format!("{place}/{id}/to")));
        }
        shifts.push((id.clone(), shift.clone()));
    }
    shifts.sort_by(|(one, a), (other, b)| (a.from, one).cmp(&(b.from, other)));
    Ok(Shifts(shifts))
}
