//! Transitions and ways to begin: who may take them, what they ask for, require, set and cause.

use std::collections::BTreeMap;

use indexmap::IndexMap;
use model::definition::{Category, Group, State as StateSource, Transition as Source};
use model::id::{FieldId, GroupId, LinkKind, StateId, TransitionId};

use super::compiler::Compiler;
use super::effects::{Around, effects};
use super::fault::Spot;
use super::field::Field;
use super::fields::{form, slot, slot_field};
use super::scope::Scopes;
use super::tables::given_team;
use super::types::{From, LinkSide, Requirement, Slot, Transition};
use crate::expression::Scope;

/// Where a transition stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// Under `create`.
    Create,
    /// In a state.
    State,
    /// Under `anywhere`.
    Anywhere,
}

/// What the transitions of a workflow are compiled against.
pub(super) struct Ground<'w> {
    pub(super) fields: &'w IndexMap<FieldId, Field>,
    pub(super) states: &'w IndexMap<StateId, StateSource>,
    pub(super) scopes: &'w Scopes,
    pub(super) groups: &'w IndexMap<GroupId, Group>,
    pub(super) links: &'w BTreeMap<LinkKind, LinkSide>,
    /// Whether the workflow says who gets the work.
    pub(super) routes: bool,
}

impl<'w> Ground<'w> {
    /// What effects see whose expressions may name what is in this scope.
    pub(super) fn around<'a>(&self, scope: &'a Scope) -> Around<'a>
    where
        'w: 'a,
    {
        let links = Some(self.links);
        Around { scope, links }
    }
}

/// Compiles the transitions at `key`.
pub(super) fn transitions(
    compiler: &mut Compiler<'_>,
    key: &str,
    sources: &IndexMap<TransitionId, Source>,
    place: Place,
    ground: &Ground<'_>,
) -> IndexMap<TransitionId, Transition> {
    compiler.within(key, |compiler| {
        let each = sources.iter().map(|(id, source)| {
            let compiled = compiler.within(id.as_str(), |compiler| {
                transition(compiler, id, source, place, ground)
            });
            (id.clone(), compiled)
        });
        each.collect()
    })
}

fn transition(
    compiler: &mut Compiler<'_>,
    id: &TransitionId,
    source: &Source,
    place: Place,
    ground: &Ground<'_>,
) -> Transition {
    stands_right(compiler, source, place, ground);
    let from = source
        .from
        .iter()
        .filter(|(_, counts)| **counts)
        .filter_map(|(name, _)| from(compiler, name, ground))
        .collect();
    let form = form(compiler, &source.form, ground);
    let fields = form.values().map(|asked| &asked.field);
    let scope = ground.scopes.with_input(fields);
    let permit = compiler.permits("permit", &source.permit, &ground.scopes.full);
    let mut require = Vec::new();
    for (id, requirement) in &source.require {
        let path = ["require", id.as_str(), "when"];
        if let Some(when) = compiler.condition(&path, &requirement.when, &scope) {
            require.push(Requirement {
                id: id.clone(),
                when,
                say: requirement.say.clone(),
            });
        }
    }
    let mut set = Vec::new();
    for (id, setting) in &source.set {
        let below = ["set", id.as_str()];
        let Some((slot, field)) = settable(compiler, &below, id, ground.fields) else {
            continue;
        };
        let computed = compiler.setting(&below, setting, &field, &scope);
        given_team(compiler, &below, id, setting);
        set.extend(computed.map(|computed| (slot, computed)));
    }
    Transition {
        id: id.clone(),
        title: source.title.clone().unwrap_or_else(|| id.to_string()),
        to: source.to.clone(),
        from,
        permit,
        automatic: source.automatic,
        form,
        require,
        set,
        route: source.route,
        effects: effects(compiler, &source.effects, ground.around(&scope)),
    }
}

/// Refuses what means nothing where the transition stands.
fn stands_right(compiler: &mut Compiler<'_>, source: &Source, place: Place, ground: &Ground<'_>) {
    match &source.to {
        Some(to) if !ground.states.contains_key(to) => {
            let known = ground.states.keys().map(StateId::as_str);
            compiler.unknown(&["to"], Spot::Value, ("state", to.as_str()), known);
        }
        None if place == Place::Create => {
            compiler.key(
                &[],
                "transition",
                "a way to begin needs a state `to` begin in",
            );
        }
        _ => {}
    }
    if !source.from.is_empty() && place != Place::Anywhere {
        compiler.key(
            &["from"],
            "transition",
            "`from` is for transitions under `anywhere`",
        );
    }
    if source.automatic && place == Place::Create {
        compiler.key(&["automatic"], "transition", "nothing begins by itself");
    }
    if source.automatic && source.form.values().any(|field| field.required) {
        let message = "what is taken by itself fills in no form";
        compiler.key(&["form"], "transition", message);
    }
    if source.route && !ground.routes {
        let fault = compiler
            .fault(
                &["route"],
                Spot::Key,
                "transition",
                "the workflow does not say who gets the work",
            )
            .help("it needs `routing: { fallback: { team: … } }`");
        compiler.push(fault);
    }
}

/// A state or a category. A category's name means the category, even where a state is called so.
fn from(compiler: &mut Compiler<'_>, name: &str, ground: &Ground<'_>) -> Option<From> {
    if let Some(category) = Category::ALL
        .into_iter()
        .find(|category| category.as_str() == name)
    {
        return Some(From::Category(category));
    }
    if let Some((state, _)) = ground.states.get_key_value(name) {
        return Some(From::State(state.clone()));
    }
    let categories = Category::ALL
        .iter()
        .map(|category| -> &str { category.as_str() });
    let known = ground.states.keys().map(StateId::as_str).chain(categories);
    compiler.unknown(
        &["from", name],
        Spot::Key,
        ("state or category", name),
        known,
    );
    None
}

/// What `set` may set, and the field that says with what.
fn settable(
    compiler: &mut Compiler<'_>,
    below: &[&str],
    id: &FieldId,
    fields: &IndexMap<FieldId, Field>,
) -> Option<(Slot, Field)> {
    if let Some(slot) = slot(id) {
        let field = slot_field(&slot);
        return Some((slot, field));
    }
    let Some(field) = fields.get(id) else {
        let known = fields
            .keys()
            .map(FieldId::as_str)
            .chain(["assignee", "team", "requester"]);
        compiler.unknown(below, Spot::Key, ("field", id.as_str()), known);
        return None;
    };
    if field.source.value.is_some() {
        compiler.key(
            below,
            "set",
            format!("`{id}` is computed; nothing else can set it"),
        );
    }
    if let Some(table) = &field.decided_by {
        compiler.key(
            below,
            "set",
            format!("the table `{table}` decides `{id}`; a step cannot"),
        );
    }
    Some((Slot::Field(id.clone()), field.clone()))
}
