//! What happened to a record, as `CloudEvents` 1.0 in JSON: for bindings, and for the event stream.

use model::event::{Event, EventKind};
use model::id::RecordId;
use model::journal::Entry;
use model::record::Record;
use serde_json::{Value as Json, json};

/// The `CloudEvents` type of a kind of event.
pub(crate) fn type_of(kind: EventKind) -> String {
    format!("servicewright.record.{}", kind.as_str())
}

/// An event of an entry, with the record as the entry left it.
pub(crate) fn of(id: &RecordId, entry: &Entry, kind: EventKind, place: u32, then: &Record) -> Json {
    let event = entry
        .events
        .get(usize::try_from(place).unwrap_or(usize::MAX));
    let fields: serde_json::Map<String, Json> = then
        .fields
        .iter()
        .map(|(id, value)| (id.to_string(), value.to_json()))
        .collect();
    json!({
        "specversion": "1.0",
        "id": format!("{id}/{}/{place}", entry.version),
        "source": "/api/v1/records",
        "type": type_of(kind),
        "subject": id,
        "time": entry.command.at,
        "datacontenttype": "application/json",
        "data": {
            "record": {
                "id": id, "workflow": then.workflow, "state": then.state, "category": then.category,
                "version": entry.version, "requester": then.requester, "assignee": then.assignee, "team": then.team,
                "fields": fields,
            },
            "actor": entry.command.actor.id(),
            "command": entry.command.action.name(),
            "change": event,
        },
    })
}

/// The kinds of event in an entry, each with the place of its first.
pub(crate) fn kinds(entry: &Entry) -> Vec<(EventKind, u32)> {
    let mut kinds: Vec<(EventKind, u32)> = Vec::new();
    for (place, event) in entry.events.iter().enumerate() {
        if let Some(kind) = Event::kind(event)
            && kinds.iter().all(|(known, _)| *known != kind)
        {
            kinds.push((kind, u32::try_from(place).unwrap_or(u32::MAX)));
        }
    }
    kinds
}
