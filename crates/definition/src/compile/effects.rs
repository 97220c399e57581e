//! What a step causes outside its record.

use std::collections::BTreeMap;

use indexmap::IndexMap;
use model::definition::{CreateEffect, EachEffect, Effect as Source, Field as Asked, Setting};
use model::hook::Hook;
use model::id::{EffectName, FieldId, LinkKind, TransitionId, WorkflowId};

use super::compiler::Compiler;
use super::fault::Spot;
use super::field::Field;
use super::fields::{slot, slot_field, stand_alone};
use super::names::{Form, Names};
use super::scope::linked;
use super::types::{Computed, Each, Effect, LinkSide};
use crate::expression::Scope;
use crate::overlay::DefinitionKind;

/// What effects are compiled against.
#[derive(Clone, Copy)]
pub(super) struct Around<'a> {
    /// What their expressions may name.
    pub(super) scope: &'a Scope,
    /// The kinds of link of the record that causes them; none where that may be of several workflows.
    pub(super) links: Option<&'a BTreeMap<LinkKind, LinkSide>>,
}

/// Compiles effects, standing above their key `effects`.
pub(super) fn effects(
    compiler: &mut Compiler<'_>,
    sources: &IndexMap<EffectName, Source>,
    around: Around<'_>,
) -> IndexMap<EffectName, Effect> {
    compiler.within("effects", |compiler| {
        let mut effects = IndexMap::new();
        for (name, source) in sources {
            let effect =
                compiler.within(name.as_str(), |compiler| effect(compiler, source, around));
            effects.extend(effect.map(|effect| (name.clone(), effect)));
        }
        effects
    })
}

fn effect(compiler: &mut Compiler<'_>, source: &Source, around: Around<'_>) -> Option<Effect> {
    match source {
        Source::Notice(notice) => {
            compiler.notice(&["notice"], notice);
            Some(Effect::Notice(notice.clone()))
        }
        Source::Plugin(binding) => {
            compiler.binding(&["plugin"], binding, Hook::Delivery);
            Some(Effect::Plugin(binding.clone()))
        }
        Source::Create(source) => {
            compiler.within("create", |compiler| create(compiler, source, around.scope))
        }
        Source::Each(source) => compiler.within("each", |compiler| each(compiler, source, around)),
    }
}

fn create(compiler: &mut Compiler<'_>, source: &CreateEffect, scope: &Scope) -> Option<Effect> {
    let lenient = compiler.names.lenient;
    let set = match begins_with(compiler, &source.workflow, source.create.as_ref()) {
        Some(form) => fill(compiler, &source.workflow, form, &source.set, scope),
        // Nothing can be created; what the fields would be is beside the point.
        None if lenient => Vec::new(),
        None => return None,
    };
    Some(Effect::Create {
        workflow: source.workflow.clone(),
        create: source.create.clone(),
        set,
        link: source.link.clone(),
    })
}

/// What the way to begin asks for by which records of a workflow are begun; standing where `workflow`
/// and `create` are said.
pub(super) fn begins_with<'n>(
    compiler: &mut Compiler<'n>,
    workflow: &WorkflowId,
    create: Option<&TransitionId>,
) -> Option<&'n Form> {
    let names = compiler.names;
    let Some(target) = names.workflows.get(workflow) else {
        if !names.lenient {
            let known = names.workflows.keys().map(WorkflowId::as_str);
            let what = ("workflow", workflow.as_str());
            compiler.unknown(&["workflow"], Spot::Value, what, known);
        }
        return None;
    };
    let way = match create {
        Some(create) => target.create.get(create),
        None => target.create.values().next(),
    };
    if let (None, Some(create), false) = (way, create, names.lenient) {
        let known = target.create.keys().map(TransitionId::as_str);
        let what = format!("way to begin in the workflow `{workflow}`:");
        compiler.unknown(&["create"], Spot::Value, (&what, create.as_str()), known);
    }
    way
}

fn each(compiler: &mut Compiler<'_>, source: &EachEffect, around: Around<'_>) -> Option<Effect> {
    let names = compiler.names;
    let Some(links) = around.links else {
        let message = "an effect on linked records belongs in a workflow, which knows its links";
        compiler.key(&[], "effect", message);
        return None;
    };
    let side = links.get(&source.link);
    if side.is_none() && !names.lenient {
        let known = links.keys().map(LinkKind::as_str);
        let what = ("kind of link", source.link.as_str());
        compiler.unknown(&["link"], Spot::Value, what, known);
    }
    let scope = around.scope.clone().with("it", linked());
    let when = source
        .when
        .as_ref()
        .and_then(|cel| compiler.condition(&["when"], cel, &scope));
    let mut set = Vec::new();
    for workflow in side.into_iter().flat_map(|side| &side.to) {
        let Some(target) = names.workflows.get(workflow) else {
            continue;
        };
        match target.transitions.get(&source.transition) {
            Some(form) => set = fill(compiler, workflow, form, &source.set, &scope),
            None if names.lenient => {}
            None => {
                let known = target.transitions.keys().map(TransitionId::as_str);
                let what = format!("transition in the workflow `{workflow}`:");
                let what = (what.as_str(), source.transition.as_str());
                compiler.unknown(&["do"], Spot::Value, what, known);
            }
        }
    }
    Some(Effect::Each(Each {
        link: source.link.clone(),
        when,
        transition: source.transition.clone(),
        set,
    }))
}

/// Compiles what is filled into the form of another workflow, standing above its key `set`.
pub(super) fn fill(
    compiler: &mut Compiler<'_>,
    workflow: &WorkflowId,
    form: &Form,
    settings: &IndexMap<FieldId, Setting>,
    scope: &Scope,
) -> Vec<(FieldId, Computed)> {
    let mut set = Vec::new();
    for (id, setting) in settings {
        let Some(asked) = form.get(id) else {
            if !compiler.names.lenient {
                let known = form.keys().map(FieldId::as_str);
                let what = format!("field that `{workflow}` asks for there:");
                let below = ["set", id.as_str()];
                compiler.unknown(&below, Spot::Key, (&what, id.as_str()), known);
            }
            continue;
        };
        let Some(field) = own_or_stand_alone(workflow, id, asked) else {
            continue;
        };
        let computed = compiler.setting(&["set", id.as_str()], setting, &field, scope);
        set.extend(computed.map(|computed| (id.clone(), computed)));
    }
    set
}

/// What another workflow's form asks for, as far as it stands alone. What is wrong with it is said where
/// that workflow is compiled.
fn own_or_stand_alone(workflow: &WorkflowId, id: &FieldId, asked: &Asked) -> Option<Field> {
    if let Some(own) = slot(id) {
        return Some(slot_field(&own));
    }
    let nothing = Names::default();
    let mut aside = Compiler::new(DefinitionKind::Workflow, workflow.as_str(), &nothing);
    stand_alone(&mut aside, id, asked)
}
