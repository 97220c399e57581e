//! One layer of a rota: whose turn it is, and when that may change.

use chrono_tz::Tz;
use model::Instant;
use model::id::{LayerId, PersonId, ShiftId};
use model::rota::Shift;

use crate::compile::weekday;
use crate::{Calendar, DAY, add_days, zone};

/// A layer compiled for asking.
#[derive(Clone, Debug)]
pub(super) struct Layer {
    pub(super) id: LayerId,
    pub(super) plan: Plan,
    pub(super) hours: Option<LayerHours>,
}

/// How a layer says whose time it is.
#[derive(Clone, Debug)]
pub(super) enum Plan {
    Turns(Turns),
    Shifts(Shifts),
}

/// People who take turns of so many days.
#[derive(Clone, Debug)]
pub(super) struct Turns {
    pub(super) zone: Tz,
    /// Never empty.
    pub(super) people: Vec<PersonId>,
    pub(super) start: Instant,
    pub(super) days: u32,
    pub(super) end: Option<Instant>,
}

/// The hours of a week to which a layer is restricted.
#[derive(Clone, Debug)]
pub(super) struct LayerHours {
    pub(super) calendar: Calendar,
    /// By weekday, Monday first: the times of day at which it may open or close, in milliseconds.
    pub(super) edges: [Vec<i64>; 7],
}

/// Shifts in order of when they begin.
#[derive(Clone, Debug, Default)]
pub(super) struct Shifts(pub(super) Vec<(ShiftId, Shift)>);

impl Layer {
    pub(super) fn people(&self) -> impl Iterator<Item = &PersonId> {
        let (turns, shifts) = match &self.plan {
            Plan::Turns(turns) => (Some(turns), None),
            Plan::Shifts(shifts) => (None, Some(shifts)),
        };
        let turns = turns.into_iter().flat_map(|turns| &turns.people);
        turns.chain(shifts.into_iter().flat_map(Shifts::people))
    }

    /// Whose turn it is at an instant, and who would follow, each once round; nobody where the layer has
    /// nobody then.
    pub(super) fn in_turn(&self, at: Instant) -> impl Iterator<Item = &PersonId> {
        let is_open = self
            .hours
            .as_ref()
            .is_none_or(|hours| hours.calendar.is_open(at));
        let (turns, shift) = match &self.plan {
            _ if !is_open => (None, None),
            Plan::Turns(turns) => (turns.place(at).map(|place| (turns, place)), None),
            Plan::Shifts(shifts) => (None, shifts.at(at).map(|(_, person)| person)),
        };
        let turns = turns.into_iter().flat_map(|(turns, place)| {
            let people = &turns.people;
            people[place..].iter().chain(&people[..place])
        });
        turns.chain(shift)
    }

    /// Instants within a stretch at which it may have somebody else, in no order.
    pub(super) fn edges(&self, from: Instant, to: Instant, edges: &mut Vec<Instant>) {
        match &self.plan {
            Plan::Turns(turns) => turns.edges(from, to, edges),
            Plan::Shifts(shifts) => shifts.edges(from, to, edges),
        }
        if let Some(hours) = &self.hours {
            hours.edges(from, to, edges);
        }
    }
}

impl Turns {
    /// The place among the people of whoever's turn it is.
    fn place(&self, at: Instant) -> Option<usize> {
        if self.end.is_some_and(|end| at >= end) {
            return None;
        }
        let turn = self.turn(at)?;
        let people = u64::try_from(self.people.len()).ok()?;
        usize::try_from(turn % people).ok()
    }

    /// How many turns ended before the one of an instant; none before the first.
    fn turn(&self, at: Instant) -> Option<u64> {
        if at < self.start {
            return None;
        }
        let local = |at: Instant| at.millis() + zone::ahead_at(self.zone, at.millis());
        let length = i64::from(self.days) * DAY;
        // By the clock on the wall; off by one at most around a change of that clock.
        let by_clock = (local(at) - local(self.start)).div_euclid(length);
        let mut turn = u64::try_from(by_clock).unwrap_or_default();
        while turn > 0 && self.begins(turn).is_none_or(|begins| begins > at) {
            turn -= 1;
        }
        while self.begins(turn + 1).is_some_and(|begins| begins <= at) {
            turn += 1;
        }
        Some(turn)
    }

    /// When a turn begins; never past the year 9999.
    fn begins(&self, turn: u64) -> Option<Instant> {
        let days = turn.checked_mul(u64::from(self.days))?;
        add_days(self.zone, self.start, u32::try_from(days).ok()?)
    }

    fn edges(&self, from: Instant, to: Instant, edges: &mut Vec<Instant>) {
        edges.push(self.start);
        edges.extend(self.end);
        let mut turn = self.turn(from).unwrap_or_default() + 1;
        while let Some(begins) = self.begins(turn).filter(|begins| *begins < to) {
            edges.push(begins);
            turn += 1;
        }
    }
}

impl LayerHours {
    /// Whether it is open changes only where the clock shows an edge, or jumps.
    fn edges(&self, from: Instant, to: Instant, edges: &mut Vec<Instant>) {
        let (from, to) = (from.millis(), to.millis());
        let offsets = zone::offsets(self.calendar.zone());
        for (place, offset) in offsets.iter().enumerate() {
            let end = offsets.get(place + 1).map_or(i64::MAX, |next| next.start);
            let (start, end) = (offset.start.max(from), end.min(to));
            if start >= end {
                continue;
            }
            edges.push(Instant::from_millis(start));
            let day = |at: i64| (at + offset.ahead).div_euclid(DAY);
            for number in day(start)..=day(end) {
                let times = self.edges[weekday(number)].iter();
                let instants = times.map(|time| number * DAY + time - offset.ahead);
                let inside = instants.filter(|at| (start..end).contains(at));
                edges.extend(inside.map(Instant::from_millis));
            }
        }
    }
}

impl Shifts {
    pub(super) fn people(&self) -> impl Iterator<Item = &PersonId> {
        self.0.iter().map(|(_, shift)| &shift.person)
    }

    /// Of the shifts of an instant the one that began last; of several that began at once the last by id.
    pub(super) fn at(&self, at: Instant) -> Option<(&ShiftId, &PersonId)> {
        let begun = self.0.partition_point(|(_, shift)| shift.from <= at);
        let mut begun = self.0[..begun].iter().rev();
        let (id, shift) = begun.find(|(_, shift)| at < shift.to)?;
        Some((id, &shift.person))
    }

    pub(super) fn edges(&self, from: Instant, to: Instant, edges: &mut Vec<Instant>) {
        let touching = self.0.iter().map(|(_, shift)| shift);
        let touching = touching.filter(|shift| shift.from < to && from < shift.to);
        edges.extend(touching.flat_map(|shift| [shift.from, shift.to]));
    }
}
