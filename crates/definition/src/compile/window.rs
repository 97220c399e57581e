//! The planned window of a workflow's records: by which fields it is told, and what is frozen for it.

use std::collections::BTreeSet;

use indexmap::IndexMap;
use model::definition;
use model::id::{CalendarId, FieldId};

use super::compiler::Compiler;
use super::fault::Spot;
use super::field::{Field, FieldKind};
use super::scope::{Scopes, WINDOW};
use super::types::Window;

type Fields = IndexMap<FieldId, Field>;

/// The window, where the workflow has one.
pub(super) fn window(
    compiler: &mut Compiler<'_>,
    source: &definition::Workflow,
    fields: &Fields,
    scopes: &Scopes,
) -> Option<Window> {
    let source = source.window.as_ref()?;
    if fields.contains_key(WINDOW) {
        let message = "a field may not be called `window` where the workflow has one: expressions mean that by it";
        compiler.key(&["fields", WINDOW], "window", message);
    }
    Some(compiler.within(WINDOW, |compiler| {
        assemble(compiler, source, fields, scopes)
    }))
}

fn assemble(
    compiler: &mut Compiler<'_>,
    source: &definition::Window,
    fields: &Fields,
    scopes: &Scopes,
) -> Window {
    let is_instant = |kind: &FieldKind| matches!(kind, FieldKind::Instant);
    for (key, field) in [("from", &source.from), ("to", &source.to)] {
        let wanted = "no instant: it needs `format: date-time`";
        known(
            compiler,
            (&[key], Spot::Value),
            field,
            fields,
            is_instant,
            wanted,
        );
    }
    if source.from == source.to {
        compiler.value(&["to"], "window", "it begins and ends by the same field");
    }
    for field in source.affects.keys() {
        let names_things =
            |kind: &FieldKind| matches!(kind, FieldKind::Reference(_) | FieldKind::References(_));
        let at = ["affects", field.as_str()];
        let wanted = "nothing of the directory: it needs `ref`";
        known(
            compiler,
            (&at, Spot::Key),
            field,
            fields,
            names_things,
            wanted,
        );
    }
    for calendar in source.freezes.keys() {
        compiler.calendar_key(&["freezes", calendar.as_str()], calendar);
    }
    let condition = source.condition.as_ref();
    Window {
        from: source.from.clone(),
        to: source.to.clone(),
        affects: named(&source.affects),
        condition: condition.and_then(|cel| compiler.condition(&["while"], cel, &scopes.clock)),
        freezes: named::<CalendarId>(&source.freezes),
    }
}

/// Holds a name to the fields that hold what it takes.
fn known(
    compiler: &mut Compiler<'_>,
    (below, spot): (&[&str], Spot),
    name: &FieldId,
    fields: &Fields,
    fits: impl Fn(&FieldKind) -> bool,
    wanted: &str,
) {
    match fields.get(name) {
        Some(field) if fits(&field.kind) => {}
        Some(field) => {
            let message = format!("`{name}` is {}, {wanted}", field.kind.name());
            let fault = compiler.fault(below, spot, "window", message);
            compiler.push(fault);
        }
        None => {
            let fitting = fields.values().filter(|field| fits(&field.kind));
            let fitting = fitting.map(|field| field.id.as_str());
            compiler.unknown(below, spot, ("field", name.as_str()), fitting);
        }
    }
}

fn named<T: Clone + Ord>(source: &IndexMap<T, bool>) -> BTreeSet<T> {
    let named = source.iter().filter(|(_, counts)| **counts);
    named.map(|(name, _)| name.clone()).collect()
}
