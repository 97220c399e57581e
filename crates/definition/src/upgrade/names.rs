//! Where in a definition names stand, and of what: so that what is renamed is renamed wherever it
//! is named, and a name of what is gone is found.
//!
//! Known are, by the path at which they stand:
//! - **fields**: the keys of `form`, `set`, `gives` and `then`, what a `window` is told by, approvers by `manager-of` and
//!   `owner-of`; in expressions their names and `input.NAME`; in templates of notices their names;
//! - **options**: `default` of a field or in a form, what `set` and `then` give, what an expression
//!   holds a field against (`==`, `!=`, `in [...]`) or gives a field by itself;
//! - **states**: `to`, the keys of `from`, what an expression holds `record.state` against;
//! - **transitions**: `do` of timers, breaches and effects on linked records, `then` of an approval and
//!   of tasks, `with-parent`; **ways to begin**: `create` of an effect and of a task;
//! - **tables**: `decided-by`, `routing.by`, `goal`;
//! - **links**: `link` of effects; **tasks**: `needs`;
//! - **workflows**: `for` of a service level, `create` effects, tasks, what links lead to, `of`, events and
//!   commands of a binding;
//! - **fragments**: `use`;
//! - **calendars**: the freezes of a `window`, waits, timeouts, service levels and what their `cel` gives, teams, `open(…)` and
//!   `business(…)`;
//! - **teams, notices, bindings, roles**: wherever one is named by its id;
//! - **keys beside which something is placed**.
//!
//! Fragments and items of the catalogue are read like the workflows that they are laid under or over:
//! their keys, too, are those of the workflow. What an expression says of other records (`it`, `tasks`,
//! `links`) is not known: it may be of any workflow.
//!
//! A migration speaks of two versions. Of this one are the keys of `fields`, the states that are come
//! to, the options that are given, and the texts that its expressions give; of earlier ones the keys
//! of `states` and `drops`, and whatever its expressions read. A translation has the paths of what it
//! translates. What scenarios name is told in [`steps`](super::steps).

use super::laid::kind_of;
use crate::overlay::DefinitionKind;
use crate::pack::renamed::HEADER_ROOT;

/// What a name is a name of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Of {
    /// The entry of the map at these keys of the definition: what is laid over the base there.
    Entry(Vec<String>),
    /// What stands in the map at these keys of the definition, and is named there by its path.
    Part(Vec<String>),
    /// A field.
    Field,
    /// An option of a field.
    Choice(String),
    /// What a form asks for: a field, or an input of its own.
    Input(Form),
    /// An option of what a form asks for.
    InputChoice(Form, String),
    /// A state, or a category.
    State,
    /// A way to begin.
    Way,
    /// A transition that may be taken in a state; in any, where none is named.
    Transition(Option<String>),
    /// A table of this definition.
    Table,
    /// A kind of link, as it is called where it is declared.
    Link,
    /// A task.
    Task,
    /// A stage of an approval.
    Stage,
    /// A step of this scenario.
    Step,
    /// A target of a service level.
    Target(String),
    /// A definition.
    Definition(DefinitionKind),
    /// A role.
    Role,
}

/// Who asks for inputs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// A way to begin; any, where none is named.
    Way(Option<String>),
    /// A transition.
    Transition(String),
}

/// What a text stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Text {
    /// A name.
    Name(Of),
    /// An expression.
    Expression,
    /// An expression that reads a record under an earlier version of its workflow: only what it gives
    /// is of this one.
    Earlier,
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
    match path {
        [.., "effects", _, "create" | "each", "set"] | [.., "tasks", "each", _, "set"] => {
            return Some(Of::Field);
        }
        [.., "tasks", "each", _, "needs"] => return Some(Of::Task),
        _ => {}
    }
    match (kind, path) {
        (DefinitionKind::Calendar, ["use"]) => Some(Of::Definition(DefinitionKind::Holidays)),
        (_, ["use"]) if is_workflow(kind) => Some(Of::Definition(DefinitionKind::Fragment)),
        (_, ["links", _, "to"]) if is_workflow(kind) => {
            Some(Of::Definition(DefinitionKind::Workflow))
        }
        _ if is_workflow(kind) => of_workflow_keys(path),
        (DefinitionKind::ServiceLevel, ["for"])
        | (DefinitionKind::Team, ["escalation", "for"])
        | (DefinitionKind::Plugin, ["events", _, "workflows"] | ["grants", "commands"]) => {
            Some(Of::Definition(DefinitionKind::Workflow))
        }
        (DefinitionKind::Notice, ["to"]) => Some(Of::Role),
        (DefinitionKind::Migration, ["fields"]) => Some(Of::Field),
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
        ["window", "freezes"] => Some(Of::Definition(DefinitionKind::Calendar)),
        ["window", "affects"] | ["tables", _, "gives"] | ["tables", _, "rows", _, "then"] => {
            Some(Of::Field)
        }
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
        [.., "effects", _, "create", "create"] | [.., "tasks", "each", _, "create"] => {
            return Some(Text::Name(Of::Way));
        }
        [.., "effects", _, "each", "do"] | [.., "tasks", "with-parent"] => {
            return Some(Text::Name(Of::Transition(None)));
        }
        [.., "effects", _, "create" | "each", "link"] => return Some(Text::Name(Of::Link)),
        [.., "wait" | "timeout" | "within", "calendar"] => return names(DefinitionKind::Calendar),
        _ => {}
    }
    match kind {
        DefinitionKind::CatalogueItem | DefinitionKind::Migration if path == ["of"] => {
            names(DefinitionKind::Workflow)
        }
        DefinitionKind::Migration => match path {
            ["states", _] => Some(Text::Name(Of::State)),
            ["fields", field] => Some(Text::Name(Of::Choice((*field).to_owned()))),
            ["states" | "fields", _, "cel"] => Some(Text::Earlier),
            _ => None,
        },
        DefinitionKind::CatalogueItem if path == ["offer"] => Some(Text::Expression),
        _ if is_workflow(kind) => of_workflow_text(path),
        DefinitionKind::ServiceLevel => match path {
            ["calendar", "named" | "otherwise"] => names(DefinitionKind::Calendar),
            ["targets", _, "goal", "table"] => Some(Text::Name(Of::Table)),
            ["targets", _, "goal", "plugin"] => names(DefinitionKind::Plugin),
            ["targets", _, "breach", "do"] => Some(Text::Name(Of::Transition(None))),
            ["for", _]
            | ["calendar", "cel" | "of"]
            | ["zone"]
            | ["targets", _, "start" | "pause" | "stop"] => Some(Text::Expression),
            _ => of_any_expression(path),
        },
        DefinitionKind::Team => match path {
            ["calendar"] => names(DefinitionKind::Calendar),
            ["escalation", "for", _] => Some(Text::Expression),
            ["escalation", "notice"] => names(DefinitionKind::Notice),
            ["escalation", "steps", _, "whom", "on-call" | "team"] => names(DefinitionKind::Team),
            ["escalation", "steps", _, "whom", "role"] => Some(Text::Name(Of::Role)),
            ["escalation", "end", "do"] => Some(Text::Name(Of::Transition(None))),
            _ => of_any_expression(path),
        },
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
        ["window", "from" | "to"] => Some(Text::Name(Of::Field)),
        ["fields", field, "default"] | ["tables", _, "rows", _, "then", field] => choice(field),
        ["fields", _, "decided-by"]
        | ["routing", "by", "table"]
        | ["routing", "by", "members", "table"] => Some(Text::Name(Of::Table)),
        ["routing", "by", "plugin"] | ["states", _, "approval", "by", "plugin"] => {
            names(DefinitionKind::Plugin)
        }
        ["routing", "fallback", "team"] | ["routing", "by", "members", "team"] => {
            names(DefinitionKind::Team)
        }
        ["timers", _, "do"] => Some(Text::Name(Of::Transition(None))),
        ["states", state, "timers", _, "do"]
        | ["states", state, "approval", "stages", _, "timers", _, "do"]
        | ["states", state, "approval" | "tasks", "then", _] => {
            Some(Text::Name(Of::Transition(Some((*state).to_owned()))))
        }
        ["states", _, "approval", "stages", _, "beside"] => Some(Text::Name(Of::Stage)),
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
/// definitions that the name may be of, `own` the path of the one that it stands in.
pub(super) fn candidates(
    of: &Of,
    name: &str,
    homes: &[Vec<String>],
    own: &[String],
) -> Vec<Vec<String>> {
    let at = |root: &[String], within: &[&str]| -> Vec<String> {
        let within = within.iter().map(|key| (*key).to_owned());
        root.iter().cloned().chain(within).collect()
    };
    let in_homes = |within: &[&str]| homes.iter().map(|home| at(home, within)).collect();
    let together = |each: &[&[&str]]| each.iter().flat_map(|it| in_homes(it)).collect();
    match of {
        Of::Entry(keys) | Of::Part(keys) => {
            let keys = keys.iter().map(String::as_str).chain([name]);
            let keys: Vec<&str> = keys.collect();
            let here = at(own, &keys);
            let mut all: Vec<Vec<String>> = if lies_on_workflow(own) {
                in_homes(&keys)
            } else {
                Vec::new()
            };
            all.retain(|path| *path != here);
            all.insert(0, here);
            all
        }
        Of::Field => in_homes(&["fields", name]),
        Of::Choice(field) => in_homes(&["fields", field, "options", name]),
        Of::Input(form) => {
            let of_forms = |way: &[&str]| in_homes(&[way, &["form", name]].concat());
            let forms = form.ways().into_iter().flat_map(|way| of_forms(&way));
            [in_homes(&["fields", name]), forms.collect()].concat()
        }
        Of::InputChoice(form, input) => {
            let option = ["options", name];
            let of_forms = |way: &[&str]| in_homes(&[way, &["form", input], &option].concat());
            let forms = form.ways().into_iter().flat_map(|way| of_forms(&way));
            let field = ["fields", input.as_str(), "options", name];
            [in_homes(&field), forms.collect()].concat()
        }
        Of::State => in_homes(&["states", name]),
        Of::Way => in_homes(&["create", name]),
        Of::Transition(state) => {
            let state = state.as_deref().unwrap_or("*");
            together(&[&["states", state, "transitions", name], &["anywhere", name]])
        }
        Of::Table if lies_on_workflow(own) => in_homes(&["tables", name]),
        Of::Table => vec![at(own, &["tables", name])],
        Of::Link => in_homes(&["links", name]),
        Of::Task => in_homes(&["states", "*", "tasks", "each", name]),
        Of::Stage => in_homes(&["states", "*", "approval", "stages", name]),
        Of::Step => vec![at(own, &["steps", name])],
        Of::Target(level) => {
            let folder = DefinitionKind::ServiceLevel.folder().unwrap_or_default();
            vec![at(&[], &[folder, level, "targets", name])]
        }
        Of::Definition(kind) => vec![at(&[], &[kind.folder().unwrap_or_default(), name])],
        Of::Role => vec![at(&[], &[HEADER_ROOT, "roles", name])],
    }
}

impl Form {
    /// The paths at which it may stand in a workflow.
    fn ways(&self) -> Vec<Vec<&str>> {
        match self {
            Self::Way(way) => vec![vec!["create", way.as_deref().unwrap_or("*")]],
            Self::Transition(id) => {
                vec![vec!["states", "*", "transitions", id], vec!["anywhere", id]]
            }
        }
    }
}

/// Whether what stands at the path of a definition is a workflow, or laid under or over one.
fn lies_on_workflow(own: &[String]) -> bool {
    let folder = own.first().map_or("", String::as_str);
    kind_of(folder).is_some_and(is_workflow)
}
