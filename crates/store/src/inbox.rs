//! Inboxes: a row for each notice that a person was told, the last [`MOST_IN_INBOX`] of them. What a
//! notice says stands in the journal alone.

use std::collections::BTreeMap;

use engine::port::{InboxPlace, InboxRow, MOST_IN_INBOX, StoreError};
use model::Instant;
use model::event::Event;
use model::id::PersonId;
use model::journal::decode;
use redb::ReadableTable;
use serde::de::DeserializeOwned;

use crate::bytes::{self, RecordKey, after_prefix};
use crate::contribution::{tag, tagged};
use crate::reads::MOST;
use crate::stage::{Rows, put};
use crate::truth::{damaged, failed, not_read, read_entry};

const DOING: &str = "reading an inbox";
const WRITING: &str = "writing the views";

/// Someone whom an event of an entry tells something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Told {
    person: PersonId,
    event: u32,
}

/// A notice that comes into an inbox.
pub(crate) struct Arrived {
    place: InboxPlace,
    at: Instant,
    record: RecordKey,
}

impl Told {
    /// What comes into whose inbox, where the entry stands there in the journal.
    pub(crate) fn at(self, position: u64, at: Instant, record: RecordKey) -> (PersonId, Arrived) {
        let event = self.event;
        let place = InboxPlace { position, event };
        (self.person, Arrived { place, at, record })
    }
}

/// Whom the events of an entry tell something.
pub(crate) fn told(events: &[Event]) -> Vec<Told> {
    let mut told = Vec::new();
    for (event, place) in events.iter().zip(0..) {
        if let Event::Notified { to, .. } = event {
            told.extend(to.iter().map(|person| Told {
                person: person.clone(),
                event: place,
            }));
        }
    }
    told
}

/// The same of an entry in its stored form. Most tell nobody anything, and are not decoded: an event
/// is a map with its name as the key, so that one that tells people holds these bytes.
pub(crate) fn told_by(entry: &[u8]) -> Result<Vec<Told>, StoreError> {
    const NAME: &[u8] = b"\xa8notified";
    if !entry.windows(NAME.len()).any(|bytes| bytes == NAME) {
        return Ok(Vec::new());
    }
    Ok(told(&read_entry(entry)?.events))
}

/// What comes into inboxes, not yet written.
#[derive(Default)]
pub(crate) struct Inboxes {
    arrived: BTreeMap<PersonId, Vec<Arrived>>,
    count: usize,
}

impl Inboxes {
    pub(crate) fn add(&mut self, person: PersonId, arrived: Arrived) {
        self.arrived.entry(person).or_default().push(arrived);
        self.count += 1;
    }

    pub(crate) const fn len(&self) -> usize {
        self.count
    }

    /// Writes the rows, and takes out the oldest of inboxes that hold too many. Entries come in the
    /// order of the journal, so that views that followed it hold the same as views that are built.
    pub(crate) fn write(self, rows: &mut Rows<'_>) -> Result<(), StoreError> {
        for (person, arrived) in self.arrived {
            let count_row = tagged(tag::INBOX_COUNT, person.as_str(), b"");
            let mut count = {
                let held = rows.get(count_row.as_slice()).map_err(failed(WRITING))?;
                held.map(|held| read_count(held.value())).transpose()?
            }
            .unwrap_or_default();
            for notice in arrived {
                let (row, holds) = (row(&person, notice.place), notice.write());
                let held = rows.insert(row.as_slice(), holds.as_slice());
                count += u64::from(held.map_err(failed(WRITING))?.is_none());
            }
            let prefix = tagged(tag::INBOX, person.as_str(), b"");
            while count > MOST_IN_INBOX as u64 {
                let oldest = {
                    let first = rows.range::<&[u8]>(prefix.as_slice()..);
                    let first = first.map_err(failed(WRITING))?.next().transpose();
                    first
                        .map_err(failed(WRITING))?
                        .map(|(row, _)| row.value().to_vec())
                };
                let oldest = oldest.filter(|row| row.starts_with(&prefix));
                let oldest = oldest.ok_or_else(|| damaged("an inbox holds less than it says"))?;
                put(rows, &oldest, None)?;
                count -= 1;
            }
            put(rows, &count_row, Some(&count.to_le_bytes()))?;
        }
        Ok(())
    }
}

impl Arrived {
    fn write(&self) -> Vec<u8> {
        let mut holds = bytes::instant(self.at).to_vec();
        holds.extend_from_slice(self.record.as_slice());
        holds
    }
}

/// Reads an inbox, newest first, before a place.
pub(crate) fn read(
    rows: &impl ReadableTable<&'static [u8], &'static [u8]>,
    person: &PersonId,
    before: Option<InboxPlace>,
    limit: usize,
) -> Result<Vec<InboxRow>, StoreError> {
    let prefix = tagged(tag::INBOX, person.as_str(), b"");
    let end = match before {
        Some(before) => row(person, before),
        None => after_prefix(&prefix).unwrap_or_default(),
    };
    let found = rows
        .range::<&[u8]>(prefix.as_slice()..end.as_slice())
        .map_err(failed(DOING))?;
    let found = found.rev().take(limit.min(MOST)).map(|found| {
        let (row, holds) = found.map_err(failed(DOING))?;
        let (at, record) = holds
            .value()
            .split_at_checked(8)
            .ok_or_else(|| damaged("a row of an inbox does not read"))?;
        Ok(InboxRow {
            place: read_place(&row.value()[prefix.len()..])?,
            at: bytes::read_instant(at)?,
            record: RecordKey::id(record)?,
        })
    });
    found.collect()
}

/// Reads what is kept of a person: what they have read, how far their digests have come.
pub(crate) fn of_person<T: DeserializeOwned>(row: &[u8]) -> Result<T, StoreError> {
    decode(row).map_err(|error| not_read("what is kept of a person", &error))
}

fn row(person: &PersonId, place: InboxPlace) -> Vec<u8> {
    let mut row = tagged(tag::INBOX, person.as_str(), &place.position.to_be_bytes());
    row.extend_from_slice(&place.event.to_be_bytes());
    row
}

fn read_place(bytes: &[u8]) -> Result<InboxPlace, StoreError> {
    let parse = || {
        let (position, event) = bytes.split_first_chunk()?;
        Some(InboxPlace {
            position: u64::from_be_bytes(*position),
            event: u32::from_be_bytes(event.try_into().ok()?),
        })
    };
    parse().ok_or_else(|| damaged("a row of an inbox does not read"))
}

fn read_count(held: &[u8]) -> Result<u64, StoreError> {
    let held = held.try_into().map(u64::from_le_bytes);
    held.map_err(|_| damaged("the count of an inbox does not read"))
}

#[cfg(test)]
mod tests {
    use model::event::Event;
    use model::journal::encode;

    use super::{told, told_by};
    use crate::contract::samples::{at, begin, id};

    #[test]
    fn whom_an_entry_tells_is_read_from_its_stored_form() {
        let mut entry = begin("INC-1", at(0), |record| record.assignee = Some(id("ada"))).entry;
        assert_eq!(told_by(&encode(&entry)).unwrap(), []);
        entry.events.push(Event::Notified {
            notice: id("resolved"),
            to: vec![id("ada"), id("bram")],
            subject: "It works".to_owned(),
            text: "again".to_owned(),
        });
        let found = told_by(&encode(&entry)).unwrap();
        assert_eq!(found, told(&entry.events));
        let people: Vec<_> = found.iter().map(|told| told.person.as_str()).collect();
        assert_eq!(people, ["ada", "bram"]);
        assert!(found.iter().all(|told| told.event == 1));
    }
}
