//! Who is on call, reckoned the slow way: hand-overs are counted one after the other on the local
//! clock, and whose hours it is is read from that clock. Nothing of the product's own rotas is used.

use chrono::TimeDelta;
use chrono_tz::Tz;
use engine::ScheduleQuery;
use model::command::Actor;
use model::id::{DirectoryId, PersonId};
use model::{Duration, Instant};

use super::rotas::{Absence, Layer, Plan, Rota, Rotas, Shift, Turns, name};
use crate::desk::Desk;
use crate::minutes::{Hours, days_later};

const TEN_MINUTES: Duration = Duration::from_secs(600);

/// When the turns of a layer began, one after the other.
pub(crate) struct HandOvers(Vec<Instant>);

impl HandOvers {
    pub(crate) fn counted(zone: Tz, start: Instant, days: i64, to: Instant) -> Self {
        let turns = (0..).map(|turn| days_later(zone, start, turn * days));
        Self(turns.take_while(|begins| *begins < to).collect())
    }

    /// How many there were up to an instant.
    fn until(&self, at: Instant) -> usize {
        self.0.partition_point(|begins| *begins <= at)
    }
}

impl Rotas {
    pub(crate) fn rota(&self, id: &str) -> &Rota {
        let mut rotas = self.rotas.iter();
        rotas.find(|rota| rota.id == id).expect("a rota")
    }

    /// Who is on call for a team.
    pub(crate) fn of_team(&self, team: &str, at: Instant) -> Option<PersonId> {
        let mut rotas = self.rotas.iter();
        let rota = rotas.find(|rota| rota.team == team).expect("a rota");
        self.on_call(rota, at)
    }

    /// Who is on call by a rota; nobody in a gap.
    pub(crate) fn on_call(&self, rota: &Rota, at: Instant) -> Option<PersonId> {
        let swapped = last_begun(&rota.overrides, at);
        let swapped = swapped.and_then(|person| self.first_there(&[person], at));
        let by_layers = || {
            let mut layers = rota.layers.iter().rev();
            layers.find_map(|layer| self.first_there(&in_turn(layer, at), at))
        };
        let person = swapped.or_else(by_layers)?;
        Some(PersonId::new(&name(person)).expect("an id"))
    }

    /// Holds what the desk says of who is on call to what is reckoned, every ten minutes of a time: its
    /// schedule, and around a change of the clock its answer for the instant.
    pub(crate) fn check_schedules(&self, desk: &Desk, from: Instant, to: Instant) {
        let query = ScheduleQuery {
            from,
            to,
            layer: None,
            person: None,
        };
        for rota in &self.rotas {
            let id = DirectoryId::new(rota.id).expect("an id");
            let schedule = desk.engine.schedule(&Actor::timer(), &id, &query);
            let mut at = from;
            for span in schedule.expect("it is told").spans {
                assert_eq!(span.from, at, "{}: nothing is left out", rota.id);
                let on_call = span.on_call.map(|on_call| on_call.person);
                while at < span.to {
                    assert_eq!(on_call, self.on_call(rota, at), "{} at {at}", rota.id);
                    if clock_is_changed_around(rota.zone, at) {
                        let duty = desk.engine.on_call_by(&Actor::timer(), at, &id);
                        let asked = duty.expect("it is told").on_call;
                        let asked = asked.map(|on_call| on_call.person);
                        assert_eq!(asked, on_call, "{} at {at}", rota.id);
                    }
                    at = at.saturating_add(TEN_MINUTES).min(span.to);
                }
            }
            assert_eq!(at, to, "{}: it is told to the end", rota.id);
        }
    }

    pub(crate) fn is_away(&self, person: usize, at: Instant) -> bool {
        self.absence(person, at).is_some()
    }

    /// Of those whose turn it is, one after the other, the first who is there or has a substitute who is.
    fn first_there(&self, people: &[usize], at: Instant) -> Option<usize> {
        people.iter().find_map(|person| {
            let Some(absence) = self.absence(*person, at) else {
                return Some(*person);
            };
            let substitute = absence.substitute;
            substitute.filter(|substitute| !self.is_away(*substitute, at))
        })
    }

    fn absence(&self, person: usize, at: Instant) -> Option<&Absence> {
        let mut absences = self.absences.get(&person)?.iter();
        absences.find(|it| it.from <= at && at < it.to)
    }
}

/// Whether the local clock is put forward or back within three hours.
fn clock_is_changed_around(zone: Tz, at: Instant) -> bool {
    let ahead = |hours: i64| {
        let near = at.to_utc() + TimeDelta::hours(hours);
        let local = near.with_timezone(&zone).naive_local();
        local - near.naive_utc()
    };
    ahead(-3) != ahead(3)
}

/// Whose turn it is in a layer, and who comes after them, once round.
fn in_turn(layer: &Layer, at: Instant) -> Vec<usize> {
    let is_open = |hours: &Hours| hours.is_open(at.to_utc());
    if !layer.hours.as_ref().is_none_or(is_open) {
        return Vec::new();
    }
    match &layer.plan {
        Plan::Turns(turns) => turns.in_turn(at),
        Plan::Shifts(shifts) => last_begun(shifts, at).into_iter().collect(),
    }
}

impl Turns {
    fn in_turn(&self, at: Instant) -> Vec<usize> {
        let begun = self.hand_overs.until(at);
        if begun == 0 || self.end.is_some_and(|end| end <= at) {
            return Vec::new();
        }
        let round = self
            .people
            .iter()
            .cycle()
            .skip((begun - 1) % self.people.len());
        round.take(self.people.len()).copied().collect()
    }
}

/// Of several at once the one that began last; of those that began together the last by id.
fn last_begun(shifts: &[Shift], at: Instant) -> Option<usize> {
    let covering = shifts.iter().filter(|it| it.from <= at && at < it.to);
    let last = covering.max_by_key(|it| (it.from, it.id.as_str()));
    last.map(|shift| shift.person)
}
