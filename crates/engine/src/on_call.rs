//! Who is on call: a rota of the directory with the absences that bear on it, asked for an instant or
//! for a stretch of time.

use std::sync::Arc;

use calendar::rota::{Away, Rota};
pub use calendar::rota::{OnCall, Source, Span};
use chrono_tz::Tz;
use model::absence::Absences;
use model::command::Actor;
use model::directory::{Thing, kind};
use model::id::{DirectoryId, DirectoryKind, LayerId, PersonId, TeamId};
use model::{Duration, Instant};
use serde::{Deserialize, Serialize};

use crate::directory::Ledger;
use crate::engine::Engine;
use crate::error::EngineError;
use crate::rejection::{InputFault, Rejection};

/// The longest stretch of which a schedule is told.
const LONGEST_SCHEDULE: Duration = Duration::from_secs(366 * 86_400);
/// The most spans that a schedule has.
const MOST_SPANS: usize = 10_000;
/// How many rotas are looked through for those of a team at once.
const MOST_LOOKED_THROUGH: usize = 1_000;

/// A rota, as it is written and as it is asked.
#[derive(Clone)]
pub struct CompiledRota {
    pub(crate) source: Arc<model::rota::Rota>,
    pub(crate) rota: Arc<Rota>,
}

/// A rota of the directory, with the absences that bear on it.
pub(crate) struct KnownRota {
    pub(crate) id: DirectoryId,
    pub(crate) source: Arc<model::rota::Rota>,
    pub(crate) rota: Arc<Rota>,
    pub(crate) away: Away,
}

/// Who is on call by a rota at an instant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Duty {
    /// The rota.
    pub rota: DirectoryId,
    /// What people call it.
    pub title: Option<String>,
    /// The team whose work it is for.
    pub team: TeamId,
    /// Who; nobody in a gap.
    pub on_call: Option<OnCall>,
    /// Until when nothing changes, where that is within a year.
    pub until: Option<Instant>,
    /// Whom each layer has, the lowest first, whatever lies over it.
    pub layers: Vec<(LayerId, Option<OnCall>)>,
}

/// By which rotas it is asked who is on call, a part at a time.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct OnCallQuery {
    /// By those of this team.
    pub team: Option<TeamId>,
    /// By this one; by every rota where neither is said.
    pub rota: Option<DirectoryId>,
    /// By those after this id.
    pub after: Option<DirectoryId>,
    /// By at most so many.
    pub limit: usize,
}

/// Which part of a rota's schedule.
#[derive(Clone, Debug)]
pub struct ScheduleQuery {
    /// From when.
    pub from: Instant,
    /// Until when.
    pub to: Instant,
    /// One layer alone, whatever lies over it.
    pub layer: Option<LayerId>,
    /// Only the spans of this person.
    pub person: Option<PersonId>,
}

/// A part of a rota's schedule.
#[derive(Clone, Debug)]
pub struct Schedule {
    /// What people call the rota.
    pub title: Option<String>,
    /// The team whose work it is for.
    pub team: TeamId,
    /// Who is on call when, in order; gaps too, where it is not of one person.
    pub spans: Vec<Span>,
}

impl CompiledRota {
    /// A thing of the directory; none where it is no rota any more.
    pub(crate) fn of(thing: &Thing) -> Option<Self> {
        let source = model::rota::Rota::read(&thing.0).ok()?;
        let rota = Rota::compile(&source).ok()?;
        Some(Self {
            source: Arc::new(source),
            rota: Arc::new(rota),
        })
    }
}

impl KnownRota {
    /// A rota with the absences of its people, and of whoever stands in for them.
    pub(crate) fn of(
        id: DirectoryId,
        CompiledRota { source, rota }: CompiledRota,
        absences: impl Fn(&PersonId) -> Absences,
    ) -> Self {
        let mut away = Away::new();
        for person in rota.people() {
            let found = absences(person);
            if found.periods.is_empty() {
                continue;
            }
            let substitutes = found.periods.values();
            let substitutes = substitutes.filter_map(|period| period.substitute.clone());
            for substitute in substitutes {
                if !away.contains_key(&substitute) && !rota.people().contains(&substitute) {
                    let found = absences(&substitute);
                    away.insert(substitute, found);
                }
            }
            away.insert(person.clone(), found);
        }
        Self {
            id,
            source,
            rota,
            away,
        }
    }

    /// Who is on call at an instant.
    pub(crate) fn at(&self, at: Instant) -> Option<OnCall> {
        self.rota.at(at, &self.away)
    }

    /// Who is on call at an instant, and until when.
    pub(crate) fn until(&self, at: Instant) -> (Option<OnCall>, Option<Instant>) {
        self.rota.until(at, &self.away)
    }

    /// The zone on whose clocks turns change.
    pub(crate) fn zone(&self) -> Tz {
        self.rota.zone()
    }

    fn duty(&self, at: Instant) -> Duty {
        let (on_call, until) = self.until(at);
        let layers = self.rota.layers().map(|layer| {
            let on_call = self.rota.layer_at(layer, at, &self.away);
            (layer.clone(), on_call)
        });
        Duty {
            rota: self.id.clone(),
            title: self.source.title.clone(),
            team: self.source.team.clone(),
            layers: layers.collect(),
            on_call,
            until,
        }
    }
}

impl Ledger<'_> {
    /// A rota with the absences that bear on it.
    pub(crate) fn rota(&self, id: &DirectoryId) -> Option<KnownRota> {
        let compiled = self.compiled_rota(id)?;
        Some(KnownRota::of(id.clone(), compiled, |person| {
            self.absences(person)
        }))
    }
}

/// What says that somebody is on call, in words: `layer nights`.
pub(crate) fn by_words(by: &Source) -> String {
    match by {
        Source::Layer(layer) => format!("layer {layer}"),
        Source::Override(shift) => format!("override {shift}"),
    }
}

/// Until when, on the clocks of a zone, for the end of a sentence.
pub(crate) fn until_words(until: Instant, zone: Tz) -> String {
    let local = until.to_utc().with_timezone(&zone);
    format!(" until {} {zone}", local.format("%Y-%m-%d %H:%M"))
}

impl Engine {
    /// Who is on call at an instant by the rotas that are asked for, in order of id. The last id that was
    /// looked at is beside them, where there may be more.
    ///
    /// # Errors
    /// Where there is no such rota, or the store fails.
    pub fn on_call(
        &self,
        actor: &Actor,
        at: Instant,
        query: &OnCallQuery,
    ) -> Result<(Vec<Duty>, Option<DirectoryId>), EngineError> {
        let OnCallQuery {
            team,
            rota,
            after,
            limit,
        } = query;
        if let Some(rota) = rota {
            let duty = self.on_call_by(actor, at, rota)?;
            let is_of = team.as_ref().is_none_or(|team| *team == duty.team);
            return Ok((is_of.then_some(duty).into_iter().collect(), None));
        }
        let directory = self.directory();
        let ledger = Ledger::new(&directory);
        let rota = rota_kind()?;
        let rotas = self
            .0
            .store
            .things(&rota, after.as_ref(), MOST_LOOKED_THROUGH)?;
        let is_part = rotas.len() == MOST_LOOKED_THROUGH;
        let (mut duties, mut last) = (Vec::new(), None);
        for (id, thing) in rotas {
            if duties.len() == *limit {
                return Ok((duties, last));
            }
            last = Some(id.clone());
            let is_of = |team: &TeamId| thing.text("team") == Some(team.as_str());
            if !team.as_ref().is_none_or(is_of) {
                continue;
            }
            let Some(compiled) = CompiledRota::of(&thing) else {
                continue;
            };
            let known = KnownRota::of(id, compiled, |person| ledger.absences(person));
            duties.push(known.duty(at));
        }
        ledger.fault().map_or(Ok(()), Err)?;
        Ok((duties, last.filter(|_| is_part)))
    }

    /// Who is on call at an instant by one rota.
    ///
    /// # Errors
    /// Where there is no such rota, or the store fails.
    pub fn on_call_by(
        &self,
        _actor: &Actor,
        at: Instant,
        rota: &DirectoryId,
    ) -> Result<Duty, EngineError> {
        Ok(self.known_rota(rota)?.duty(at))
    }

    /// A part of a rota's schedule.
    ///
    /// # Errors
    /// Where there is no such rota or layer, the stretch ends before it begins or is longer than a year,
    /// there is more in it than a schedule may have, or the store fails.
    pub fn schedule(
        &self,
        _actor: &Actor,
        rota: &DirectoryId,
        query: &ScheduleQuery,
    ) -> Result<Schedule, EngineError> {
        let ScheduleQuery { from, to, .. } = *query;
        if to <= from {
            return Err(invalid("to", format!("it is not after `from`, {from}")));
        }
        if to.since(from) > LONGEST_SCHEDULE {
            return Err(invalid("to", "a schedule is of a year at most".to_owned()));
        }
        let known = self.known_rota(rota)?;
        let mut spans = match &query.layer {
            None => known.rota.schedule(from, to, &known.away),
            Some(layer) if known.rota.layers().any(|it| it == layer) => {
                known.rota.layer_schedule(layer, from, to, &known.away)
            }
            Some(layer) => return Err(Rejection::not_found("layer", layer).into()),
        };
        if let Some(person) = &query.person {
            spans.retain(|span| {
                let on_call = span.on_call.as_ref();
                on_call.is_some_and(|on_call| on_call.person == *person)
            });
        }
        if spans.len() > MOST_SPANS {
            let count = spans.len();
            let message =
                format!("there are {count} spans, at most {MOST_SPANS} are told: ask for less");
            return Err(invalid("to", message));
        }
        Ok(Schedule {
            title: known.source.title.clone(),
            team: known.source.team.clone(),
            spans,
        })
    }

    pub(crate) fn known_rota(&self, id: &DirectoryId) -> Result<KnownRota, EngineError> {
        let directory = self.directory();
        let ledger = Ledger::new(&directory);
        let known = ledger.rota(id);
        ledger.fault().map_or(Ok(()), Err)?;
        Ok(known.ok_or_else(|| Rejection::not_found("rota", id))?)
    }
}

fn rota_kind() -> Result<DirectoryKind, EngineError> {
    DirectoryKind::new(kind::ROTA)
        .map_err(|error| Rejection::not_possible(error.to_string()).into())
}

fn invalid(field: &str, message: String) -> EngineError {
    Rejection::Invalid {
        faults: vec![InputFault::of(field, message)],
    }
    .into()
}

/// Whether a thing of the directory is a rota that can be asked.
pub(crate) fn check_shape(thing: &Thing) -> Result<(), Rejection> {
    let invalid = |place: String, message: String| Rejection::Invalid {
        faults: vec![InputFault {
            pointer: format!("/{place}"),
            message,
        }],
    };
    let rota =
        model::rota::Rota::read(&thing.0).map_err(|error| invalid(error.place, error.message))?;
    Rota::compile(&rota)
        .map_err(|error| invalid(error.place, error.problem.to_string()))
        .map(drop)
}
