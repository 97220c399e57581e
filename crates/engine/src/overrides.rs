//! Overrides of a rota, one at a time, as people arrange them from day to day: the team's manager puts
//! anybody on call, and whoever is in the team may take time over themselves. Nobody puts others on call.

use model::command::Actor;
use model::directory::{Key, Thing, kind};
use model::id::{DirectoryId, DirectoryKind, ShiftId, TeamId};
use model::rota::{Rota, Shift};
use serde_json::Value as Json;

use crate::desk::{ADMINISTRATOR, check_administrator};
use crate::directory::Ledger;
use crate::directory_rights::manages_team;
use crate::engine::Engine;
use crate::error::EngineError;
use crate::on_call::KnownRota;
use crate::rejection::{InputFault, Rejection};

/// How many overrides that are not over yet one person may have taken.
const MOST_TAKEN: usize = 50;

impl Engine {
    /// Lays an override over a rota, in the place of the one of that id, and says how it stands there.
    ///
    /// # Errors
    /// Where there is no such rota, the actor may not put that person on call, the override does not last
    /// or is one too many, or the store fails.
    pub async fn put_override(
        &self,
        actor: &Actor,
        rota: &DirectoryId,
        id: &ShiftId,
        shift: Shift,
    ) -> Result<Shift, EngineError> {
        let _alone = self.0.planning.lock().await;
        let known = self.known_rota(rota)?;
        let team = &known.source.team;
        let plans = self.plans_for(actor, team)?;
        let shift = Shift {
            taken: !plans,
            ..shift
        };
        if !plans {
            let there = known.source.overrides.get(id);
            if there.is_some_and(|there| !has_taken(actor, there)) {
                return Err(may_not(actor, "change the override", team));
            }
            if !has_taken(actor, &shift) {
                let action = format!("put {} on call", shift.person);
                return Err(may_not(actor, action, team));
            }
            self.check_may_take(&known, id, &shift)?;
        }
        if shift.to <= shift.from {
            let message = format!("it is not after `from`, {}", shift.from);
            let faults = vec![InputFault::of("to", message)];
            return Err(Rejection::Invalid { faults }.into());
        }
        let mut source = Rota::clone(&known.source);
        source.overrides.insert(id.clone(), shift.clone());
        self.write_rota(actor, rota, &source).await?;
        Ok(shift)
    }

    /// Takes an override off a rota, where it is there.
    ///
    /// # Errors
    /// Where there is no such rota, the override is not the actor's to take away, or the store fails.
    pub async fn remove_override(
        &self,
        actor: &Actor,
        rota: &DirectoryId,
        id: &ShiftId,
    ) -> Result<(), EngineError> {
        let _alone = self.0.planning.lock().await;
        let known = self.known_rota(rota)?;
        let mut source = Rota::clone(&known.source);
        let Some(there) = source.overrides.remove(id) else {
            return Ok(());
        };
        if !has_taken(actor, &there) && !self.plans_for(actor, &source.team)? {
            return Err(may_not(actor, "take the override away", &source.team));
        }
        self.write_rota(actor, rota, &source).await
    }

    /// Whether an actor plans the rotas of a team.
    pub(crate) fn plans_for(&self, actor: &Actor, team: &TeamId) -> Result<bool, EngineError> {
        let directory = self.directory();
        let ledger = Ledger::new(&directory);
        let plans =
            check_administrator(actor, "plan rotas").is_ok() || manages_team(actor, team, &ledger);
        ledger.fault().map_or(Ok(plans), |fault| Err(fault.into()))
    }

    /// Whether somebody may take time of a rota over: whoever is in its team or stands in it, and has not
    /// taken too much already.
    fn check_may_take(
        &self,
        rota: &KnownRota,
        id: &ShiftId,
        shift: &Shift,
    ) -> Result<(), EngineError> {
        let directory = self.directory();
        let ledger = Ledger::new(&directory);
        let person = &shift.person;
        let team = &rota.source.team;
        let is_of_it =
            ledger.roster(team).members.contains_key(person) || rota.rota.people().contains(person);
        ledger.fault().map_or(Ok(()), Err)?;
        if !is_of_it {
            return Err(Rejection::Forbidden {
                actor: person.to_string(),
                action: "take time of the rota over".to_owned(),
                right: format!("a member of the team `{team}`, or somebody in the rota"),
            }
            .into());
        }
        let now = self.now();
        let taken = rota.source.overrides.iter().filter(|(other, taken)| {
            *other != id && taken.taken && taken.person == *person && taken.to > now
        });
        if taken.count() >= MOST_TAKEN {
            let message = format!(
                "{person} has taken over {MOST_TAKEN} times that are not over yet: give one back first"
            );
            return Err(Rejection::not_possible(message).into());
        }
        Ok(())
    }

    /// Puts a rota in the place of the one of that id, for an actor who may.
    pub(crate) async fn write_rota(
        &self,
        actor: &Actor,
        id: &DirectoryId,
        rota: &Rota,
    ) -> Result<(), EngineError> {
        let unwritten = |error: String| Rejection::not_possible(format!("the rota: {error}"));
        let written = serde_json::to_value(rota).map_err(|error| unwritten(error.to_string()))?;
        let Json::Object(attributes) = written else {
            return Err(unwritten("it is no object".to_owned()).into());
        };
        let kind = DirectoryKind::new(kind::ROTA).map_err(|error| unwritten(error.to_string()))?;
        let key = Key {
            kind,
            id: id.clone(),
        };
        self.put_allowed(actor, key, Some(Thing(attributes)))
            .await?;
        Ok(())
    }
}

/// Whether an override is time that an actor took over themselves.
fn has_taken(actor: &Actor, shift: &Shift) -> bool {
    shift.taken && Some(&shift.person) == actor.person()
}

/// The refusal for who does not plan the rotas of a team.
pub(crate) fn may_not(actor: &Actor, action: impl Into<String>, team: &TeamId) -> EngineError {
    Rejection::Forbidden {
        actor: actor.id().to_string(),
        action: action.into(),
        right: format!("the manager of the team `{team}`, or the role `{ADMINISTRATOR}`"),
    }
    .into()
}
