//! Planned windows in the views: a row under each thing that a record may disturb, and one under none,
//! in the order in which the windows begin.

use engine::port::{PlannedFor, StoreError, Windows, WindowsQuery};
use model::Instant;
use model::directory::Key;
use model::record::{LONGEST_WINDOW, PlannedWindow};
use redb::ReadableTable;

use crate::bytes::{self, RecordKey};
use crate::contribution::{tag, tagged};
use crate::truth::{damaged, failed};

const DOING: &str = "reading planned windows";

/// The rows of a record's window, with what they hold: when it is over.
pub(crate) fn rows(window: &PlannedWindow, key: &RecordKey) -> Vec<(Vec<u8>, Vec<u8>)> {
    let things = window.affects.iter().map(Some);
    let under = std::iter::once(None).chain(things);
    let rows = under.map(|thing| {
        let mut row = prefix(thing);
        row.extend_from_slice(&bytes::instant(window.from));
        row.extend_from_slice(key.as_slice());
        (row, bytes::instant(window.to).to_vec())
    });
    rows.collect()
}

/// What all rows under a thing begin with: no kind holds a slash, and no id a zero byte.
fn prefix(thing: Option<&Key>) -> Vec<u8> {
    let name = thing.map_or_else(String::new, |thing| format!("{}/{}", thing.kind, thing.id));
    tagged(tag::WINDOW, &name, b"")
}

/// The windows that touch a stretch of time. No window is longer than [`LONGEST_WINDOW`], so that those
/// which began earlier than that are over.
pub(crate) fn read(
    rows: &impl ReadableTable<&'static [u8], &'static [u8]>,
    query: &WindowsQuery,
    as_of: u64,
) -> Result<Windows, StoreError> {
    let broken = || damaged("the row of a planned window does not read");
    let prefix = prefix(query.affects.as_ref());
    let at = |instant: Instant| [prefix.as_slice(), &bytes::instant(instant)].concat();
    let longest = i64::try_from(LONGEST_WINDOW.millis()).unwrap_or(i64::MAX);
    let first = Instant::from_millis(query.from.millis().saturating_sub(longest));
    let mut found = Windows {
        as_of,
        windows: Vec::new(),
    };
    if query.from >= query.to {
        return Ok(found);
    }
    let range = rows
        .range::<&[u8]>(at(first).as_slice()..at(query.to).as_slice())
        .map_err(failed(DOING))?;
    for row in range {
        let (key, to) = row.map_err(failed(DOING))?;
        let to = bytes::read_instant(to.value())?;
        if to <= query.from {
            continue;
        }
        let (from, record) = key.value()[prefix.len()..]
            .split_at_checked(8)
            .ok_or_else(broken)?;
        found.windows.push(PlannedFor {
            from: bytes::read_instant(from)?,
            record: RecordKey::id(record)?,
            to,
        });
        if found.windows.len() >= query.limit {
            break;
        }
    }
    Ok(found)
}
