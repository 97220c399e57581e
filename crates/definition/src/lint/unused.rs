//! What a pack has and nothing in it names: definitions, roles, and fields that stay empty.

use std::collections::BTreeSet;

use model::definition::Plugin;
use model::hook::Hook;
use model::id::FieldId;

use super::Rules;
use crate::compile::{Definitions, Fault, Workflow, hooks};
use crate::overlay::DefinitionKind;
use crate::pack::Pack;
use crate::source::{Kind, Node};

/// Roles that the server itself asks for.
pub(super) const OF_THE_SERVER: [&str; 1] = ["administrator"];
/// Keys whose texts are for people, in which a name is only a word.
const PROSE: [&str; 7] = [
    "title",
    "label",
    "help",
    "say",
    "description",
    "name",
    "practice",
];

/// Tells of definitions and roles of the pack itself that nothing names. What a base has, others may use.
pub(super) fn check(pack: &Pack, faults: &mut Vec<Fault>) {
    let mut named = BTreeSet::new();
    for (kind, id, tree) in pack.trees() {
        let mut words = BTreeSet::new();
        gather(&tree.root, &mut words);
        named.extend(words.into_iter().map(|word| (word, kind, id.to_owned())));
    }
    let is_named = |own: DefinitionKind, id: &str| {
        let from = (id.to_owned(), DefinitionKind::Pack, String::new());
        let with = named.range(from..).take_while(|(word, ..)| word == id);
        let mut others = with.filter(|(_, kind, by)| !(*kind == own && by == id));
        others.next().is_some()
    };
    let routed = plugins(pack).any(|plugin| hooks(plugin).contains(&Hook::Routing));
    for (kind, id, tree) in pack.trees() {
        let unused = match kind {
            DefinitionKind::Fragment
            | DefinitionKind::Notice
            | DefinitionKind::Calendar
            | DefinitionKind::Holidays => true,
            // A plugin that routes may give work to any team.
            DefinitionKind::Team => !routed,
            DefinitionKind::Plugin => pack.plugins.get(id).is_some_and(|it| waits(&it.value)),
            _ => false,
        } && tree.position(&[]).pack.as_ref() == Some(&pack.id)
            && !is_named(kind, id);
        if unused {
            let message = format!("nothing in the pack names the {} `{id}`", called(kind));
            Rules::of(kind, id, faults).warning("never-used", &["id"], message);
        }
    }
    for role in pack.header.roles.keys() {
        let path = ["roles", role.as_str()];
        let own = pack.tree.position(&path).pack.as_ref() == Some(&pack.id);
        let known = OF_THE_SERVER.contains(&role.as_str());
        if own && !known && !is_named(DefinitionKind::Pack, role.as_str()) {
            let message = format!("nothing in the pack names the role `{role}`");
            Rules::of(DefinitionKind::Pack, pack.id.as_str(), faults).warning(
                "never-used",
                &path,
                message,
            );
        }
    }
}

fn plugins(pack: &Pack) -> impl Iterator<Item = &Plugin> {
    pack.plugins.values().map(|it| &it.value)
}

/// Whether a plugin does nothing before a definition asks it.
fn waits(plugin: &Plugin) -> bool {
    let by_itself = [Hook::Delivery, Hook::Webhook, Hook::Schedule];
    !by_itself.iter().any(|hook| hooks(plugin).contains(hook))
}

const fn called(kind: DefinitionKind) -> &'static str {
    match kind {
        DefinitionKind::Fragment => "fragment",
        DefinitionKind::Notice => "notice",
        DefinitionKind::Calendar => "calendar",
        DefinitionKind::Holidays => "holidays",
        DefinitionKind::Team => "team",
        _ => "binding",
    }
}

/// Tells of fields of the pack itself that nobody can fill in and that nothing names.
pub(super) fn fields(workflow: &Workflow, pack: &Pack, all: &Definitions, rules: &mut Rules<'_>) {
    let empty = |id: &FieldId| {
        let field = &workflow.fields[id];
        let source = &field.source;
        let edited = match &source.edit {
            Some(own) => !own.is_empty(),
            None => !workflow.edit.0.is_empty(),
        };
        !(edited
            || source.default.is_some()
            || source.value.is_some()
            || source.decided_by.is_some())
    };
    let own = |id: &FieldId| {
        let tree = pack.workflows.get(&workflow.id).map(|it| &it.tree);
        let position = tree.map(|tree| tree.position(&["fields", id.as_str()]));
        position.is_some_and(|position| position.pack.as_ref() == Some(&pack.id))
    };
    let fields = workflow.fields.keys();
    let mut silent: Vec<&FieldId> = fields.filter(|id| empty(id) && own(id)).collect();
    if silent.is_empty() {
        return;
    }
    let mut named = BTreeSet::new();
    for (_, _, tree) in pack.trees() {
        let Some(map) = tree.root.as_map() else {
            continue;
        };
        for (key, entry) in map {
            match (key.as_str(), &entry.value.kind) {
                // That a field is declared does not use it; what stands in its declaration does.
                ("fields", Kind::Map(fields)) => fields
                    .values()
                    .for_each(|field| gather(&field.value, &mut named)),
                _ => gather(&entry.value, &mut named),
            }
        }
    }
    // Plugins that may issue commands may edit.
    let granted = |id: &_| {
        let mut bindings = all.bindings.values();
        bindings.any(|binding| binding.plugin.grants.commands.contains_key(id))
    };
    silent.retain(|id| !named.contains(id.as_str()) && !granted(&workflow.id));
    for id in silent {
        let message = format!("nobody can fill in `{id}`, and nothing sets or reads it");
        rules
            .warning("idle-field", &["fields", id.as_str()], message)
            .help = Some("ask for it in a form, or take it out".to_owned());
    }
}

/// The names that a tree may mean: its keys, its texts, and the words of its expressions.
fn gather(node: &Node, words: &mut BTreeSet<String>) {
    match &node.kind {
        Kind::Map(map) => {
            for (key, entry) in map {
                words.insert(key.clone());
                if !PROSE.contains(&key.as_str()) || entry.value.as_text().is_none() {
                    gather(&entry.value, words);
                }
            }
        }
        Kind::List(items) => items.iter().for_each(|item| gather(item, words)),
        Kind::Text { value, .. } => {
            words.insert(value.clone());
            let separates = |c: char| !(c.is_alphanumeric() || c == '_' || c == '-');
            words.extend(value.split(separates).map(str::to_owned));
            // `a-b` is a subtraction in an expression.
            let separates = |c: char| !(c.is_alphanumeric() || c == '_');
            words.extend(value.split(separates).map(str::to_owned));
        }
        _ => {}
    }
}
