//! Where in a definition names stand, and of what: so that what is renamed is renamed wherever it
//! is named, and a name of what is gone is found.
//!
//! Known are, by the path at which they stand:
//! - **fields**: the keys of `form`, `set`, `gives` and `then`, approvers by `manager-of` and
//!   `owner-of`; in expressions their names and `input.NAME`; in templates of notices their names;
//! - **options**: `default` of a field or in a form, what `set` and `then` give, what an expression
//!   holds a field against (`==`, `!=`, `in [...]`) or gives a field by itself;
//! - **states**: `to`, the keys of `from`, what an expression holds `record.state` against;
//! - **transitions**: `do` of timers, breaches and effects on linked records, `then` of an approval and
//!   of tasks, `with-parent`, `create` of an effect and of a task;
//! - **tables**: `decided-by`, `routing.by`, `goal`;
//! - **workflows**: `for` of a service level, `create` effects, tasks, what links lead to, `of`, events and
//!   commands of a binding;
//! - **fragments**: `use`;
//! - **calendars**: waits, timeouts, service levels and what their `cel` gives, teams, `open(…)` and
//!   `business(…)`;
//! - **teams, notices, bindings, roles**: wherever one is named by its id;
//! - **keys beside which something is placed**.
//!
//! Fragments and items of the catalogue are read like the workflows that they are laid under or over.
//! What an expression says of other records (`it`, `tasks`, `links`) is not known: it may be of any
//! workflow. What scenarios, migrations and translations name is left to the linter.

use crate::overlay::DefinitionKind;
use crate::pack::renamed::HEADER_ROOT;

/// What a name is a name of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Of {
    /// The entry of a map that itself stands at this path.
    Entry(Vec<String>),
    /// A field.
    Field,
    /// An option of a field.
    Choice(String),
    /// A state, or a category.
    State,
    /// A transition that may be taken in a state; in any, where none is named.
    Transition(Option<String>),
    /// A table of this definition.
    Table,
    /// A definition.
    Definition(DefinitionKind),
    /// A role.
    Role,
}

/// What a text stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Text {
    /// A name.
    Name(Of),
    /// An expression.
    Expression,
    /// A template of a notice.
    Template,
}

/// What follows a transition's id in a path.
fn in_transition<'p>(path: &'p [&'p str]) -> Option<&'p [&'p str]> {
    match path {
        ["create" | "anywhere", _, rest @ ..] | ["states", _, "transitions", _, rest @ ..] => {
            Some(rest)
        }
        _ => None,
    }
}

/// What the keys of the map at a path of a definition name.
pub(super) fn of_keys(kind: DefinitionKind, path: &[&str]) -> Option<Of> {
    if let [.., "effects", _, "create" | "each", "set"] | [.., "tasks", "each", _, "set"] = path {
        return Some(Of::Field);
    }
    match (kind, path) {
        (_, ["use"]) if is_workflow(kind) => Some(Of::Definition(DefinitionKind::Fragment)),
        (_, ["links", _, "to"]) if is_workflow(kind) => {
            Some(Of::Definition(DefinitionKind::Workflow))
        }
        _ if is_workflow(kind) => of_workflow_keys(path),
        (DefinitionKind::ServiceLevel, ["for"])
        | (DefinitionKind::Plugin, ["events", _, "workflows"] | ["grants", "commands"]) => {
            Some(Of::Definition(DefinitionKind::Workflow))
        }
        (DefinitionKind::Notice, ["to"]) => Some(Of::Role),
        _ => None,
    }
}

/// Whether it is a workflow, or laid under or over one.
pub(super) const fn is_workflow(kind: DefinitionKind) -> bool {
    matches!(
        kind,
        DefinitionKind::Workflow | DefinitionKind::Fragment | DefinitionKind::CatalogueItem
    )
}

fn of_workflow_keys(path: &[&str]) -> Option<Of> {
    match in_transition(path).unwrap_or_default() {
        ["form" | "set"] => return Some(Of::Field),
        ["form", field, "options"] => return Some(Of::Choice((*field).to_owned())),
        ["permit"] => return Some(Of::Role),
        ["from"] => return Some(Of::State),
        _ => {}
    }
    match path {
        ["see" | "edit"] | ["fields", _, "override" | "edit"] => Some(Of::Role),
        ["tables", _, "gives"] | ["tables", _, "rows", _, "then"] => Some(Of::Field),
        _ => None,
    }
}

/// What the text at a path of a definition stands for.
pub(super) fn of_text(kind: DefinitionKind, path: &[&str]) -> Option<Text> {
    let names = |kind| Some(Text::Name(Of::Definition(kind)));
    match path {
        [.., "effects", _, "notice"] => return names(DefinitionKind::Notice),
        [.., "effects", _, "plugin"] => return names(DefinitionKind::Plugin),
        [.., "effects", _, "create", "workflow"] | [.., "tasks", "each", _, "workflow"] => {
            return names(DefinitionKind::Workflow);
        }
        [.., "effects", _, "create", "create"]
        | [.., "effects", _, "each", "do"]
        | [.., "tasks", "each", _, "create"]
        | [.., "tasks", "with-parent"] => return Some(Text::Name(Of::Transition(None))),
        [.., "wait" | "timeout", "calendar"] => return names(DefinitionKind::Calendar),
        _ => {}
    }
    match kind {
        DefinitionKind::CatalogueItem | DefinitionKind::Migration if path == ["of"] => {
            names(DefinitionKind::Workflow)
        }
        DefinitionKind::CatalogueItem if path == ["offer"] => Some(Text::Expression),
        _ if is_workflow(kind) => of_workflow_text(path),
        DefinitionKind::ServiceLevel => match path {
            ["calendar", "named"] => names(DefinitionKind::Calendar),
            ["targets", _, "goal", "table"] => Some(Text::Name(Of::Table)),
            ["targets", _, "goal", "plugin"] => names(DefinitionKind::Plugin),
            ["targets", _, "breach", "do"] => Some(Text::Name(Of::Transition(None))),
            ["for", _] | ["calendar", "cel"] | ["targets", _, "start" | "pause" | "stop"] => {
                Some(Text::Expression)
            }
            _ => of_any_expression(path),
        },
        DefinitionKind::Team if path == ["calendar"] => names(DefinitionKind::Calendar),
        DefinitionKind::Notice if matches!(path, ["subject" | "text"]) => Some(Text::Template),
        DefinitionKind::Plugin if matches!(path, ["events", _, "when"]) => Some(Text::Expression),
        _ => None,
    }
}

fn of_workflow_text(path: &[&str]) -> Option<Text> {
    let choice = |field: &&str| Some(Text::Name(Of::Choice((*field).to_owned())));
    let names = |kind| Some(Text::Name(Of::Definition(kind)));
    match in_transition(path).unwrap_or_default() {
        ["to"] => return Some(Text::Name(Of::State)),
        ["permit", _] => return Some(Text::Expression),
        ["set", field] | ["form", field, "default"] => return choice(field),
        _ => {}
    }
    match path {
        ["see" | "edit", _] | ["fields", _, "override" | "edit", _] => Some(Text::Expression),
        ["fields", field, "default"] | ["tables", _, "rows", _, "then", field] => choice(field),
        ["fields", _, "decided-by"] | ["routing", "by", "table"] => Some(Text::Name(Of::Table)),
        ["routing", "by", "plugin"] | ["states", _, "approval", "by", "plugin"] => {
            names(DefinitionKind::Plugin)
        }
        ["routing", "fallback", "team"] => names(DefinitionKind::Team),
        ["timers", _, "do"] => Some(Text::Name(Of::Transition(None))),
        ["states", state, "timers", _, "do"]
        | ["states", state, "approval" | "tasks", "then", _] => {
            Some(Text::Name(Of::Transition(Some((*state).to_owned()))))
        }
        ["states", _, "approval", "stages", _, "approvers", _, by] => match *by {
            "team" => names(DefinitionKind::Team),
            "role" => Some(Text::Name(Of::Role)),
            "manager-of" | "owner-of" => Some(Text::Name(Of::Field)),
            _ => None,
        },
        _ => of_any_expression(path),
    }
}

/// `when`, `while`, `value` and `cel` hold expressions wherever they are words of the language,
/// which they are not as keys of what is set.
fn of_any_expression(path: &[&str]) -> Option<Text> {
    match path {
        [.., "set" | "then" | "options" | "for", _] => None,
        [.., "when" | "while" | "value" | "cel"] => Some(Text::Expression),
        _ => None,
    }
}

/// Where names of this kind may be defined: paths in which `*` stands for any key. `homes` are the
/// workflows that the name may be of, `own` the path of the definition that it stands in.
pub(super) fn candidates(
    of: &Of,
    name: &str,
    homes: &[String],
    own: &[String],
) -> Vec<Vec<String>> {
    let in_workflows = |within: &[&str]| -> Vec<Vec<String>> {
        let each = homes.iter().map(|home| {
            let path = ["workflows", home.as_str()]
                .into_iter()
                .chain(within.iter().copied());
            path.map(str::to_owned).collect()
        });
        each.collect()
    };
    match of {
        Of::Entry(map) => vec![[&map[..], &[name.to_owned()]].concat()],
        Of::Field => in_workflows(&["fields", name]),
        Of::Choice(field) => in_workflows(&["fields", field, "options", name]),
        Of::State => in_workflows(&["states", name]),
        Of::Transition(state) => {
            let state = state.as_deref().unwrap_or("*");
            let mut all = in_workflows(&["states", state, "transitions", name]);
            all.extend(in_workflows(&["anywhere", name]));
            all.extend(in_workflows(&["create", name]));
            all
        }
        Of::Table => vec![[own, &["tables".to_owned(), name.to_owned()]].concat()],
        Of::Definition(kind) => {
            let folder = kind.folder().unwrap_or_default();
            vec![vec![folder.to_owned(), name.to_owned()]]
        }
        Of::Role => vec![[HEADER_ROOT, "roles", name].map(str::to_owned).to_vec()],
    }
}
