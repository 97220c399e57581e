//! Translations: texts by the path of what they stand for, and workflows with their texts in another
//! language, which behave like the ones they are of.

use std::collections::BTreeMap;

use indexmap::IndexMap;
use model::definition::{self, Texts};
use model::id::{CatalogueItemId, LanguageTag, NoticeId};
use serde_json::Value;

use super::compiler::Compiler;
use super::definitions::Installable;
use super::fault::{Fault, Spot};
use super::names::Names;
use super::notice::notice;
use super::types::{Definitions, Notice, State, Transition, Workflow};
use crate::overlay::DefinitionKind;

/// The keys under which texts for people stand.
const TEXT_KEYS: [&str; 9] = [
    "title",
    "label",
    "help",
    "say",
    "back",
    "description",
    "group",
    "subject",
    "text",
];

/// The texts of definitions in one language.
#[derive(Clone, Debug, Default)]
pub struct Translation {
    /// What the language is called by those who speak it.
    pub title: String,
    /// The notices that are translated.
    pub notices: BTreeMap<NoticeId, Notice>,
    texts: BTreeMap<String, String>,
}

impl Translation {
    /// Adds the texts of another pack.
    pub(super) fn add(&mut self, other: Self) {
        self.title = other.title;
        self.notices.extend(other.notices);
        self.texts.extend(other.texts);
    }

    /// The text at a path, such as `workflows`, `incident`, `title`.
    pub fn text(&self, path: &[&str]) -> Option<&str> {
        self.texts.get(&path.join("/")).map(String::as_str)
    }

    /// A workflow with its texts in this language, as far as they are translated: those of an item of
    /// the catalogue first.
    pub fn workflow(&self, workflow: &Workflow, item: Option<&CatalogueItemId>) -> Workflow {
        let mut spoken = workflow.clone();
        let mut roots = vec![format!("workflows/{}", workflow.id)];
        roots.extend(item.map(|item| format!("catalogue/{item}")));
        for root in roots {
            Speaker {
                texts: &self.texts,
                root,
            }
            .workflow(&mut spoken);
        }
        spoken
    }
}

impl Definitions {
    /// The translation for whoever would read these languages, the one they like best first; none where
    /// the definitions' own language is as good.
    pub fn translation(&self, languages: &[String]) -> Option<&Translation> {
        let own = |tag: &str| {
            let mut packs = self.packs.values();
            packs.any(|pack| {
                pack.language
                    .as_deref()
                    .is_some_and(|own| own.eq_ignore_ascii_case(tag))
            })
        };
        for wanted in languages {
            let wanted = wanted.to_ascii_lowercase();
            let primary = wanted.split('-').next().unwrap_or_default();
            for tag in [wanted.as_str(), primary] {
                if let Some(translation) = self.translations.get(tag) {
                    return Some(translation);
                }
                if own(tag) {
                    return None;
                }
            }
        }
        None
    }
}

/// Puts the texts under a path into compiled definitions.
struct Speaker<'t> {
    texts: &'t BTreeMap<String, String>,
    root: String,
}

impl Speaker<'_> {
    fn put(&self, place: &str, text: &mut String) {
        if let Some(translated) = self.texts.get(&format!("{}/{place}", self.root)) {
            text.clone_from(translated);
        }
    }

    fn workflow(&self, workflow: &mut Workflow) {
        self.put("title", &mut workflow.title);
        for (id, group) in &mut workflow.groups {
            self.put(&format!("groups/{id}/title"), &mut group.title);
            if let Some(help) = &mut group.help {
                self.put(&format!("groups/{id}/help"), help);
            }
        }
        for (id, field) in &mut workflow.fields {
            self.field(&format!("fields/{id}"), field);
        }
        for (id, way) in &mut workflow.create {
            self.transition(&format!("create/{id}"), way);
        }
        for (id, state) in &mut workflow.states {
            self.state(&format!("states/{id}"), state);
        }
        for (id, transition) in &mut workflow.anywhere {
            self.transition(&format!("anywhere/{id}"), transition);
        }
    }

    fn state(&self, place: &str, state: &mut State) {
        self.put(&format!("{place}/title"), &mut state.title);
        for (id, transition) in &mut state.transitions {
            self.transition(&format!("{place}/transitions/{id}"), transition);
        }
    }

    fn transition(&self, place: &str, transition: &mut Transition) {
        self.put(&format!("{place}/title"), &mut transition.title);
        for requirement in &mut transition.require {
            let id = &requirement.id;
            self.put(&format!("{place}/require/{id}/say"), &mut requirement.say);
        }
        for (id, part) in &mut transition.form {
            // A form shows a field as the workflow has it, where it says nothing of its own.
            self.field(&format!("fields/{id}"), &mut part.field);
            self.field(&format!("{place}/form/{id}"), &mut part.field);
        }
    }

    fn field(&self, place: &str, field: &mut super::field::Field) {
        self.put(&format!("{place}/label"), &mut field.label);
        if let Some(help) = &mut field.source.help {
            self.put(&format!("{place}/help"), help);
        }
        if let super::field::FieldKind::Options(options) = &mut field.kind {
            for (id, label) in options {
                self.put(&format!("{place}/options/{id}/label"), label);
            }
        }
    }
}

/// Compiles a translation against the definitions whose texts it has.
pub(super) fn translation(
    id: &LanguageTag,
    source: &definition::Translation,
    input: &Installable,
    names: &Names,
) -> Result<Translation, Vec<Fault>> {
    let mut compiler = Compiler::new(DefinitionKind::Translation, id.as_str(), names);
    let mut translation = Translation {
        title: source.title.clone(),
        ..Translation::default()
    };
    for (kind, texts) in [
        ("workflows", &source.workflows),
        ("catalogue", &source.catalogue),
        ("notices", &source.notices),
        ("teams", &source.teams),
    ] {
        compiler.within(kind, |compiler| {
            all_of(compiler, kind, texts, input, &mut translation.texts);
        });
    }
    for id in source.notices.keys() {
        let Ok(id) = NoticeId::new(id) else { continue };
        let Some(version) = input.notices.get(&id) else {
            continue;
        };
        let mut spoken = version.definition.clone();
        let path = |key: &'static str| ["notices", id.as_str(), key];
        for (key, text) in [("subject", &mut spoken.subject), ("text", &mut spoken.text)] {
            if let Some(translated) = translation.text(&path(key)) {
                translated.clone_into(text);
            }
        }
        match notice(&id, &spoken, names) {
            Ok(compiled) => {
                translation.notices.insert(id, compiled);
            }
            Err(faults) => {
                for fault in faults {
                    let key = fault.path.first().map_or("text", String::as_str).to_owned();
                    compiler.value(&["notices", id.as_str(), &key], fault.rule, fault.message);
                }
            }
        }
    }
    compiler.into_result(Some(translation))
}

fn all_of(
    compiler: &mut Compiler<'_>,
    kind: &str,
    texts: &IndexMap<String, Texts>,
    input: &Installable,
    found: &mut BTreeMap<String, String>,
) {
    for (id, texts) in texts {
        let Some(definition) = plain(kind, id, input) else {
            let known = ids(kind, input);
            let known = known.iter().map(String::as_str);
            let what = format!("definition in `{kind}`:");
            compiler.unknown(&[id], Spot::Key, (&what, id), known);
            continue;
        };
        let mut path = vec![kind.to_owned(), id.clone()];
        walk(compiler, texts, Some(&definition), &mut path, found);
    }
}

/// Takes the texts of a tree, each held to what it stands for.
fn walk(
    compiler: &mut Compiler<'_>,
    texts: &Texts,
    definition: Option<&Value>,
    path: &mut Vec<String>,
    found: &mut BTreeMap<String, String>,
) {
    let Texts::Of(members) = texts else { return };
    for (key, member) in members {
        path.push(key.clone());
        let below: Vec<&str> = path[1..].iter().map(String::as_str).collect();
        match member {
            Texts::Text(text) if TEXT_KEYS.contains(&key.as_str()) => {
                found.insert(path.join("/"), text.clone());
            }
            Texts::Text(_) => {
                let message = format!("`{key}` is no text for people");
                compiler.key(&below, "translation", message);
            }
            Texts::Of(_) => {
                let inner = definition.and_then(|definition| definition.get(key));
                if inner.is_some_and(Value::is_object) {
                    walk(compiler, member, inner, path, found);
                } else {
                    let known = definition.and_then(Value::as_object);
                    let known = known.into_iter().flatten().map(|(key, _)| key.as_str());
                    compiler.unknown(&below, Spot::Key, ("part", key), known);
                }
            }
        }
        path.pop();
    }
}

/// A definition as plain data.
fn plain(kind: &str, id: &str, input: &Installable) -> Option<Value> {
    match kind {
        "workflows" => serde_json::to_value(&input.workflows.get(id)?.definition).ok(),
        "catalogue" => serde_json::to_value(&input.catalogue.get(id)?.workflow).ok(),
        "notices" => serde_json::to_value(&input.notices.get(id)?.definition).ok(),
        _ => serde_json::to_value(&input.teams.get(id)?.definition).ok(),
    }
}

fn ids(kind: &str, input: &Installable) -> Vec<String> {
    match kind {
        "workflows" => input.workflows.keys().map(ToString::to_string).collect(),
        "catalogue" => input.catalogue.keys().map(ToString::to_string).collect(),
        "notices" => input.notices.keys().map(ToString::to_string).collect(),
        _ => input.teams.keys().map(ToString::to_string).collect(),
    }
}
