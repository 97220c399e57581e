//! What expressions may name, by where they stand.

use std::collections::BTreeMap;

use indexmap::IndexMap;
use model::definition::Category;
use model::id::{CalendarId, FieldId, LinkKind, RoleId, TeamId};
use model::record::TaskStatus;

use super::field::Field;
use super::names::Names;
use super::types::LinkSide;
use crate::expression::{Scope, Type, is_usable_name};

/// Names that no field and no input may have: expressions and `set` keep them for other things.
pub(super) const RESERVED: [&str; 10] = [
    "record",
    "input",
    "actor",
    "now",
    "tasks",
    "links",
    "it",
    "assignee",
    "team",
    "requester",
];

/// What expressions call the planned window of a record, where its workflow has one.
pub(super) const WINDOW: &str = "window";

/// Why a field or an input may not have this name.
pub(super) fn reserved(name: &str) -> Option<&'static str> {
    if RESERVED.contains(&name) {
        Some("names something of every record or expression")
    } else if is_usable_name(name) {
        None
    } else {
        Some("is a word of CEL's own")
    }
}

/// The scopes of one workflow.
#[derive(Clone, Debug)]
pub(super) struct Scopes {
    /// What changes only with the record: of a timer's `while` and of clocks.
    pub(super) clock: Scope,
    /// With who acts and when, and the records that are linked.
    pub(super) full: Scope,
}

impl Scopes {
    pub(super) fn of<'s>(
        fields: &IndexMap<FieldId, Field>,
        states: impl IntoIterator<Item = &'s str>,
        links: &BTreeMap<LinkKind, LinkSide>,
        has_window: bool,
        names: &Names,
    ) -> Self {
        let fields = fields
            .values()
            .map(|field| (field.id.as_str(), field.term_type()));
        let clock = clock(fields, states, names);
        let kinds = links.keys().map(|kind| (kind.as_str(), linked().list()));
        let links = Type::object("links", kinds);
        let mut full = with_actor(clock.clone(), names).with("links", links);
        if has_window {
            full.add(WINDOW, window());
        }
        Self { clock, full }
    }

    /// The scope of what a transition does with what its form asks for.
    pub(super) fn with_input<'f>(&self, form: impl IntoIterator<Item = &'f Field>) -> Scope {
        let inputs = form
            .into_iter()
            .map(|field| (field.id.as_str(), field.kind.given_type().nullable()));
        let input = Type::object("the form", inputs);
        self.full.clone().with("input", input)
    }
}

/// A scope of these fields and `record`.
pub(super) fn clock<'f, 's>(
    fields: impl IntoIterator<Item = (&'f str, Type)>,
    states: impl IntoIterator<Item = &'s str>,
    names: &Names,
) -> Scope {
    let calendars = names.calendars.iter().map(CalendarId::as_str);
    let mut scope = Scope::new()
        .with_calendars(calendars)
        .with("record", record(states, names))
        .with("tasks", task().list());
    for (name, kind) in fields {
        scope.add(name, kind);
    }
    scope
}

/// What may be said of whoever looks at the catalogue.
pub(super) fn offer(names: &Names) -> Scope {
    let calendars = names.calendars.iter().map(CalendarId::as_str);
    with_actor(Scope::new().with_calendars(calendars), names)
}

/// The same with who acts and when.
pub(super) fn with_actor(scope: Scope, names: &Names) -> Scope {
    scope.with("actor", actor(names)).with_now()
}

fn record<'s>(states: impl IntoIterator<Item = &'s str>, names: &Names) -> Type {
    let team = known(names, names.teams.iter().map(TeamId::as_str));
    Type::object(
        "record",
        [
            ("id", Type::Text),
            ("state", Type::options(states)),
            (
                "category",
                Type::options(Category::ALL.map(Category::as_str)),
            ),
            ("requester", Type::Text.nullable()),
            ("assignee", Type::Text.nullable()),
            ("team", team.nullable()),
            ("created_at", Type::Instant),
        ],
    )
}

/// Another record, as far as expressions see it.
pub(super) fn linked() -> Type {
    Type::object("a linked record", of_other())
}

/// What is known of any other record.
fn of_other() -> [(&'static str, Type); 5] {
    let category = Type::options(Category::ALL.map(Category::as_str));
    [
        ("id", Type::Text),
        ("workflow", Type::Text),
        ("state", Type::Text),
        ("category", category),
        ("outcome", Type::Text.nullable()),
    ]
}

/// The planned window of a record. Its members are null as long as there is none, so that nobody takes
/// a window that was not told for one that is free.
fn window() -> Type {
    Type::object(
        WINDOW,
        [
            ("freezes", Type::Text.list().nullable()),
            ("outside", Type::Text.list().nullable()),
            ("conflicts", conflict().list().nullable()),
        ],
    )
}

/// A record whose window meets that of this one.
fn conflict() -> Type {
    let window = [("from", Type::Instant), ("to", Type::Instant)];
    Type::object("a record in conflict", of_other().into_iter().chain(window))
}

/// A task, as its record knows it.
fn task() -> Type {
    let status = [
        TaskStatus::Waiting,
        TaskStatus::Open,
        TaskStatus::Ended,
        TaskStatus::Dropped,
    ];
    Type::object(
        "a task",
        [
            ("id", Type::Text),
            ("record", Type::Text.nullable()),
            ("workflow", Type::Text),
            ("status", Type::options(status.map(TaskStatus::as_str))),
            ("outcome", Type::Text.nullable()),
        ],
    )
}

fn actor(names: &Names) -> Type {
    let roles = known(names, names.roles.iter().map(RoleId::as_str));
    let teams = known(names, names.teams.iter().map(TeamId::as_str));
    Type::object(
        "actor",
        [
            ("id", Type::Text),
            ("roles", roles.list()),
            ("teams", teams.list()),
        ],
    )
}

/// One of these; any text where they may have changed since, or there are none.
fn known<'n>(names: &Names, ids: impl Iterator<Item = &'n str>) -> Type {
    let mut ids = ids.peekable();
    if names.lenient || ids.peek().is_none() {
        Type::Text
    } else {
        Type::options(ids)
    }
}

impl super::types::Workflow {
    /// The names that an expression about any of its records may use, such as the filter of a list.
    pub fn scope(&self, names: &Names) -> Scope {
        let states = self.states.keys().map(AsRef::as_ref);
        Scopes::of(
            &self.fields,
            states,
            &self.links,
            self.window.is_some(),
            names,
        )
        .full
    }

    /// The names of what changes only with its records.
    pub(super) fn record_scope(&self, names: &Names) -> Scope {
        let states = self.states.keys().map(AsRef::as_ref);
        Scopes::of(
            &self.fields,
            states,
            &self.links,
            self.window.is_some(),
            names,
        )
        .clock
    }
}
