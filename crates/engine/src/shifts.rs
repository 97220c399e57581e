//! Shifts between rotas and the files of other tools: who is meant by what a file says, what an import
//! puts in the place of what, and what an export calls people.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use calendar::start_of_day;
use chrono_tz::Tz;
use model::command::Actor;
use model::definition::Date;
use model::directory::{Person, Roster};
use model::id::{DirectoryId, LayerId, PersonId, ShiftId};
use model::rota::{Layer, Shift};
use model::{Digest, Instant};

use crate::directory::Ledger;
use crate::engine::Engine;
use crate::error::EngineError;
use crate::on_call::KnownRota;
use crate::overrides::may_not;
use crate::rejection::{InputFault, Rejection};

/// What an address of a person begins with in files.
const PERSON: &str = "urn:servicewright:person:";
/// What the ids of shifts begin with that came from a file.
const FROM_FILE: &str = "file-";
/// How many faults of a file are told.
const MOST_FAULTS: usize = 20;

/// Where the shifts of a file go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ImportInto {
    /// Among the overrides: in the place of those that came from a file before.
    Overrides,
    /// Into a layer of given shifts: in the place of all that it has. A layer that is not there yet is
    /// laid over the others.
    Layer(LayerId),
}

/// An event of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Imported {
    /// What the file calls it.
    pub uid: String,
    /// What may name whose shift it is, the surest first: addresses, then its title.
    pub who: Vec<String>,
    /// When.
    pub when: When,
}

/// When an event of a file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// From an instant until another.
    Time(Instant, Instant),
    /// Whole days on the clocks of the rota's zone, up to but not including the second.
    Days(Date, Date),
}

/// What a rota, or a person, is called in files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named {
    /// For people.
    pub name: String,
    /// For programs.
    pub address: String,
}

/// What files call a person, so that they are known again.
pub fn person_address(person: &PersonId) -> String {
    let mut address = PERSON.to_owned();
    for byte in person.as_str().bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~@".contains(&byte) {
            address.push(char::from(byte));
        } else {
            let _ = write!(address, "%{byte:02X}");
        }
    }
    address
}

/// Whom an address names, where it is one of ours or an e-mail address; else it is a name as it stands.
fn named(text: &str) -> Option<String> {
    let text = text.trim();
    if let Some(rest) = text.strip_prefix(PERSON) {
        return decoded(rest);
    }
    let is_mail = text
        .get(..7)
        .is_some_and(|it| it.eq_ignore_ascii_case("mailto:"));
    Some(if is_mail {
        text[7..].to_owned()
    } else {
        text.to_owned()
    })
}

fn decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let digit = |byte: u8| char::from(byte).to_digit(16);
        let (high, low) = (digit(rest.next()?)?, digit(rest.next()?)?);
        bytes.push(u8::try_from(high * 16 + low).ok()?);
    }
    String::from_utf8(bytes).ok()
}

impl Engine {
    /// The zone on whose clocks a rota is read.
    ///
    /// # Errors
    /// Where there is no such rota, or the store fails.
    pub fn rota_zone(&self, _actor: &Actor, rota: &DirectoryId) -> Result<Tz, EngineError> {
        Ok(self.known_rota(rota)?.zone())
    }

    /// What people are called in files.
    ///
    /// # Errors
    /// Where the store fails.
    pub fn names_in_files<'p>(
        &self,
        people: impl IntoIterator<Item = &'p PersonId>,
    ) -> Result<BTreeMap<PersonId, Named>, EngineError> {
        let directory = self.directory();
        let ledger = Ledger::new(&directory);
        let each = people.into_iter().map(|person| {
            let known = ledger.person(person).map(|person| person.name);
            let name = known.filter(|name| !name.is_empty());
            let named = Named {
                name: name.unwrap_or_else(|| person.to_string()),
                address: person_address(person),
            };
            (person.clone(), named)
        });
        let names = each.collect();
        ledger.fault().map_or(Ok(()), Err)?;
        Ok(names)
    }

    /// Puts the shifts of a file into a rota; says how many there are.
    ///
    /// # Errors
    /// Where there is no such rota, the actor may not change it, an event names nobody whom the desk
    /// knows, the rota would not be one any more, or the store fails. Nothing is changed then.
    pub async fn import_shifts(
        &self,
        actor: &Actor,
        rota: &DirectoryId,
        into: &ImportInto,
        events: &[Imported],
    ) -> Result<usize, EngineError> {
        let _alone = self.0.planning.lock().await;
        let known = self.known_rota(rota)?;
        if !self.plans_for(actor, &known.source.team)? {
            return Err(may_not(actor, "change the rota", &known.source.team));
        }
        let shifts = self.shifts_of(&known, events)?;
        let count = shifts.len();
        let mut source = known.source.as_ref().clone();
        match into {
            ImportInto::Overrides => {
                let overrides = &mut source.overrides;
                overrides.retain(|id, shift| shift.taken || !id.as_str().starts_with(FROM_FILE));
                overrides.extend(shifts);
            }
            ImportInto::Layer(id) => {
                let layer = source.layers.entry(id.clone()).or_default();
                if !layer.people.is_empty() {
                    let message = format!(
                        "the people of the layer `{id}` take turns: shifts of a file go into a layer of their own"
                    );
                    return Err(Rejection::not_possible(message).into());
                }
                *layer = Layer {
                    shifts,
                    title: layer.title.take(),
                    hours: std::mem::take(&mut layer.hours),
                    ..Layer::default()
                };
            }
        }
        self.write_rota(actor, rota, &source).await?;
        Ok(count)
    }

    fn shifts_of(
        &self,
        rota: &KnownRota,
        events: &[Imported],
    ) -> Result<BTreeMap<ShiftId, Shift>, EngineError> {
        let directory = self.directory();
        let ledger = Ledger::new(&directory);
        let known = known_people(rota, &ledger);
        let (mut shifts, mut faults) = (BTreeMap::new(), Vec::new());
        for (place, event) in events.iter().enumerate() {
            match shift_of(rota, &ledger, &known, event) {
                Ok((id, shift)) => {
                    shifts.insert(id, shift);
                }
                Err(message) => faults.push(InputFault {
                    pointer: format!("/events/{place}"),
                    message,
                }),
            }
        }
        ledger.fault().map_or(Ok(()), Err)?;
        if faults.is_empty() {
            return Ok(shifts);
        }
        faults.truncate(MOST_FAULTS);
        Err(Rejection::Invalid { faults }.into())
    }
}

/// The people of the rota and of its team by what files may call them, in lower case.
fn known_people(rota: &KnownRota, ledger: &Ledger<'_>) -> BTreeMap<String, PersonId> {
    let roster: Roster = ledger.roster(&rota.source.team);
    let named = rota.rota.people().into_iter().cloned();
    let people: Vec<PersonId> = roster.members.into_keys().chain(named).collect();
    let mut known = BTreeMap::new();
    for person in &people {
        let Some(Person { name, facts, .. }) = ledger.person(person) else {
            continue;
        };
        let email = facts.get("email").and_then(serde_json::Value::as_str);
        for text in [Some(name.as_str()), email].into_iter().flatten() {
            known.insert(text.to_lowercase(), person.clone());
        }
    }
    // An id counts more than what somebody else is called.
    let ids = people.into_iter();
    known.extend(ids.map(|person| (person.as_str().to_lowercase(), person)));
    known
}

fn shift_of(
    rota: &KnownRota,
    ledger: &Ledger<'_>,
    known: &BTreeMap<String, PersonId>,
    event: &Imported,
) -> Result<(ShiftId, Shift), String> {
    let person = event
        .who
        .iter()
        .filter_map(|who| named(who))
        .find_map(|who| {
            let of_team = known.get(&who.to_lowercase()).cloned();
            of_team.or_else(|| {
                let person = PersonId::new(&who).ok()?;
                ledger.person(&person).map(|_| person)
            })
        });
    let shown: String = event.who.join(", ").chars().take(200).collect();
    let person = person.ok_or_else(|| {
        format!("nobody whom the desk knows is meant by `{shown}`: name a person by their id, name or e-mail address")
    })?;
    let zone = rota.zone();
    let span = match event.when {
        When::Time(from, to) => Some((from, to)),
        When::Days(from, to) => start_of_day(zone, from).zip(start_of_day(zone, to)),
    };
    let (from, to) = span
        .filter(|(from, to)| from < to)
        .ok_or_else(|| format!("the event of {person} does not last: it ends as it begins"))?;
    let place = from.millis().to_string();
    let digest = Digest::of_parts(&[event.uid.as_bytes(), place.as_bytes()]).to_string();
    let short: String = digest.chars().rev().take(16).collect();
    let id = ShiftId::new(&format!("{FROM_FILE}{short}")).map_err(|error| error.to_string())?;
    let shift = Shift {
        from,
        to,
        person,
        taken: false,
    };
    Ok((id, shift))
}

#[cfg(test)]
mod tests {
    use model::id::PersonId;

    use super::{named, person_address};

    #[test]
    fn who_is_written_is_known_again() {
        for id in ["ada", "ada@desk.example", "Ada Lovelace; (é) 100%", "a%41"] {
            let person = PersonId::new(id).expect("an id");
            assert_eq!(named(&person_address(&person)).as_deref(), Some(id));
        }
        assert_eq!(
            named("MAILTO:ada@desk.example").as_deref(),
            Some("ada@desk.example")
        );
        assert_eq!(named(" Ada ").as_deref(), Some("Ada"));
        assert_eq!(named("urn:servicewright:person:a%4"), None);
        assert_eq!(named("urn:servicewright:person:%FF"), None);
    }
}
