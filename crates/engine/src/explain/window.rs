//! The change calendar in sentences: when the work is planned, and what it meets.

use model::directory::Key;
use model::event::Event;
use model::record::PlannedWindow;

/// Where a record stands in the change calendar.
pub(super) fn standing(window: &PlannedWindow) -> String {
    format!("Its work is planned {}.", stretch(window))
}

/// How an event changed that, and what its window met then; none of other events.
pub(super) fn happened(event: &Event) -> Option<(String, String)> {
    let Event::WindowPlanned {
        window,
        freezes,
        outside,
        conflicts,
    } = event
    else {
        return None;
    };
    let by = "change calendar".to_owned();
    let Some(window) = window else {
        return Some((by, "its window counts no more.".to_owned()));
    };
    let mut said = vec![format!("planned {}", stretch(window))];
    if !freezes.is_empty() {
        said.push(format!("in a freeze ({})", freezes.join(", ")));
    }
    if !outside.is_empty() {
        said.push(format!(
            "outside the maintenance hours of {}",
            things(outside)
        ));
    }
    if !conflicts.is_empty() {
        let conflicts: Vec<_> = conflicts.iter().map(AsRef::as_ref).collect();
        said.push(format!("in conflict with {}", conflicts.join(", ")));
    }
    Some((by, format!("{}.", said.join("; "))))
}

fn stretch(window: &PlannedWindow) -> String {
    let (from, to) = (window.from.to_seconds_text(), window.to.to_seconds_text());
    if window.affects.is_empty() {
        return format!("from {from} to {to}, and disturbs nothing");
    }
    format!(
        "from {from} to {to}, and may disturb {}",
        things(&window.affects)
    )
}

fn things<'k>(keys: impl IntoIterator<Item = &'k Key>) -> String {
    let keys = keys.into_iter();
    let named: Vec<_> = keys.map(|key| format!("{} {}", key.kind, key.id)).collect();
    named.join(", ")
}
