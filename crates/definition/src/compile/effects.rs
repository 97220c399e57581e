//! What a step causes outside its record.

use indexmap::IndexMap;
use model::definition::{CreateEffect, Effect as Source};
use model::hook::Hook;
use model::id::{EffectName, FieldId, TransitionId, WorkflowId};

use super::compiler::Compiler;
use super::fault::Spot;
use super::fields::stand_alone;
use super::names::Names;
use super::types::Effect;
use crate::expression::Scope;
use crate::overlay::DefinitionKind;

/// Compiles effects, standing above their key `effects`.
pub(super) fn effects(
    compiler: &mut Compiler<'_>,
    sources: &IndexMap<EffectName, Source>,
    scope: &Scope,
) -> IndexMap<EffectName, Effect> {
    compiler.within("effects", |compiler| {
        let mut effects = IndexMap::new();
        for (name, source) in sources {
            let effect = compiler.within(name.as_str(), |compiler| effect(compiler, source, scope));
            effects.extend(effect.map(|effect| (name.clone(), effect)));
        }
        effects
    })
}

fn effect(compiler: &mut Compiler<'_>, source: &Source, scope: &Scope) -> Option<Effect> {
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
            compiler.within("create", |compiler| create(compiler, source, scope))
        }
    }
}

fn create(compiler: &mut Compiler<'_>, source: &CreateEffect, scope: &Scope) -> Option<Effect> {
    let names = compiler.names;
    let effect = |set| Effect::Create {
        workflow: source.workflow.clone(),
        create: source.create.clone(),
        set,
        link: source.link.clone(),
    };
    let Some(target) = names.workflows.get(&source.workflow) else {
        if names.lenient {
            // Nothing can be created; what the fields would be is beside the point.
            return Some(effect(Vec::new()));
        }
        let known = names.workflows.keys().map(WorkflowId::as_str);
        compiler.unknown(
            &["workflow"],
            Spot::Value,
            ("workflow", source.workflow.as_str()),
            known,
        );
        return None;
    };
    if let Some(create) = &source.create
        && !names.lenient
        && !target.create.contains(create)
    {
        let known = target.create.iter().map(TransitionId::as_str);
        let what = format!("way to begin in the workflow `{}`:", source.workflow);
        compiler.unknown(&["create"], Spot::Value, (&what, create.as_str()), known);
    }
    let mut set = Vec::new();
    for (id, setting) in &source.set {
        let Some(field) = target.fields.get(id) else {
            if !names.lenient {
                let known = target.fields.keys().map(FieldId::as_str);
                let what = format!("field in the workflow `{}`:", source.workflow);
                compiler.unknown(
                    &["set", id.as_str()],
                    Spot::Key,
                    (&what, id.as_str()),
                    known,
                );
            }
            continue;
        };
        // What is wrong with the other workflow's field is said where that is compiled.
        let nothing = Names::default();
        let mut aside = Compiler::new(DefinitionKind::Workflow, source.workflow.as_str(), &nothing);
        let Some(field) = stand_alone(&mut aside, id, field) else {
            continue;
        };
        if field.source.value.is_some() {
            compiler.key(
                &["set", id.as_str()],
                "set",
                format!("`{id}` is computed; nothing else can set it"),
            );
        }
        let computed = compiler.setting(&["set", id.as_str()], setting, &field, scope);
        set.extend(computed.map(|computed| (id.clone(), computed)));
    }
    Some(effect(set))
}
