//! Who may read and change what of the directory. Most of it is for everybody to read and for
//! administrators to change; what concerns a person alone is theirs, and rotas are their team's manager's.

use model::command::Actor;
use model::directory::{Key, Thing, kind};
use model::id::{DirectoryId, DirectoryKind, PersonId, TeamId};
use serde_json::Value as Json;

use crate::desk::check_administrator;
use crate::directory::Ledger;
use crate::engine::Engine;
use crate::error::EngineError;
use crate::rejection::Rejection;

impl Engine {
    /// A thing in the directory, as far as the actor may see it.
    ///
    /// # Errors
    /// Where the actor may not read it, whether it is there or not, or the store fails.
    pub fn thing(&self, actor: &Actor, key: &Key) -> Result<Option<Thing>, EngineError> {
        check_may_read(actor, &key.kind, Some(&key.id))?;
        let found = self.0.store.thing(key)?;
        let found = found.map(|found| (key.id.clone(), Thing::clone(&found)));
        let shown = self.shown(actor, &key.kind, found)?;
        Ok(shown.into_iter().next().map(|(_, thing)| thing))
    }

    /// Things of a kind after an id, as far as the actor may see them.
    ///
    /// # Errors
    /// Where the actor may not read all of that kind, or the store fails.
    pub fn things(
        &self,
        actor: &Actor,
        of: &DirectoryKind,
        after: Option<&DirectoryId>,
        limit: usize,
    ) -> Result<Vec<(DirectoryId, Thing)>, EngineError> {
        check_may_read(actor, of, None)?;
        let found = self.0.store.things(of, after, limit)?;
        self.shown(actor, of, found)
    }

    /// Whether an actor may change a thing: what concerns a person alone is theirs to say, a rota is planned
    /// by its team's manager, and all else takes an administrator.
    pub(crate) fn check_may_change(
        &self,
        actor: &Actor,
        key: &Key,
        thing: Option<&Thing>,
    ) -> Result<(), EngineError> {
        let is_allowed = match key.kind.as_str() {
            kind::ABSENCE | kind::PREFERENCE => is_own(actor, &key.id),
            kind::ROTA => self.may_plan(actor, key, thing)?,
            _ => false,
        };
        if is_allowed {
            return Ok(());
        }
        Ok(check_administrator(actor, "change the directory")?)
    }

    /// Whether an actor manages the team of a rota as it is and as it is to be. A new rota is only theirs to
    /// make where it is the one that the team goes by.
    fn may_plan(
        &self,
        actor: &Actor,
        key: &Key,
        thing: Option<&Thing>,
    ) -> Result<bool, EngineError> {
        let directory = self.directory();
        let ledger = Ledger::new(&directory);
        let team_of = |thing: &Thing| TeamId::new(thing.text("team")?).ok();
        let manages =
            |thing: &Thing| team_of(thing).is_some_and(|team| manages_team(actor, &team, &ledger));
        let goes_by_it = |thing: &Thing| {
            team_of(thing)
                .is_some_and(|team| ledger.roster(&team).rota_of(&team) == key.id.as_str())
        };
        let there = ledger.thing(kind::ROTA, key.id.as_str());
        let allowed = match (there, thing) {
            (Some(there), Some(to_be)) => manages(&there) && manages(to_be),
            (Some(there), None) => manages(&there),
            (None, Some(to_be)) => manages(to_be) && goes_by_it(to_be),
            (None, None) => false,
        };
        ledger
            .fault()
            .map_or(Ok(allowed), |fault| Err(fault.into()))
    }

    /// The things without what the actor may not see of them: why somebody is away, who is neither the
    /// actor nor managed by them.
    fn shown(
        &self,
        actor: &Actor,
        of: &DirectoryKind,
        found: impl IntoIterator<Item = (DirectoryId, Thing)>,
    ) -> Result<Vec<(DirectoryId, Thing)>, EngineError> {
        let mut things: Vec<_> = found.into_iter().collect();
        let sees_all = check_administrator(actor, "see why people are away").is_ok();
        if of.as_str() != kind::ABSENCE || sees_all {
            return Ok(things);
        }
        let directory = self.directory();
        let ledger = Ledger::new(&directory);
        for (id, thing) in &mut things {
            if !is_own(actor, id) && !manages(actor, id, &ledger) {
                withhold_reasons(thing);
            }
        }
        ledger.fault().map_or(Ok(things), |fault| Err(fault.into()))
    }
}

/// Whether an actor may read a thing of a kind, or all of them: how people want to be told is for each
/// alone to see, beside administrators.
fn check_may_read(
    actor: &Actor,
    of: &DirectoryKind,
    id: Option<&DirectoryId>,
) -> Result<(), Rejection> {
    if of.as_str() != kind::PREFERENCE || id.is_some_and(|id| is_own(actor, id)) {
        return Ok(());
    }
    check_administrator(actor, "read what others prefer")
}

/// Whether a thing that has a person's id is the actor's own.
fn is_own(actor: &Actor, id: &DirectoryId) -> bool {
    let person = actor.person();
    person.is_some_and(|person| person.as_str() == id.as_str())
}

/// Whether an actor is the manager of a team.
pub(crate) fn manages_team(actor: &Actor, team: &TeamId, ledger: &Ledger<'_>) -> bool {
    let manager = ledger.roster(team).manager;
    manager.is_some() && manager.as_ref() == actor.person()
}

fn manages(actor: &Actor, id: &DirectoryId, ledger: &Ledger<'_>) -> bool {
    let person = PersonId::new(id.as_str()).ok();
    let known = person.and_then(|person| ledger.person(&person));
    let manager = known.and_then(|known| known.manager);
    manager.is_some() && manager.as_ref() == actor.person()
}

fn withhold_reasons(absences: &mut Thing) {
    let periods = absences.0.get_mut("periods").and_then(Json::as_object_mut);
    for period in periods.into_iter().flat_map(|periods| periods.values_mut()) {
        if let Some(period) = period.as_object_mut() {
            period.remove("reason");
        }
    }
}
