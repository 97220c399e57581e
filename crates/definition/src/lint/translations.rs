//! What a translation leaves out: texts that a definition has for people, where the translation has
//! others of that definition.
//!
//! A definition of which a translation says nothing is left to its own language on purpose. What is
//! shown by its id alone, such as an option without a label, has no text that could be translated.

use model::definition::{CatalogueItem, Field, Notice, Transition, Workflow};
use model::id::LanguageTag;

use super::Rules;
use crate::compile::{Definitions, Fault, Translation};
use crate::overlay::DefinitionKind;
use crate::pack::Pack;

/// How many of the texts that are missing are told by their path.
const TOLD: usize = 3;

/// A text for people, and where in its definition it stands.
type Said<'d> = (Vec<String>, &'d str);

pub(super) fn check(pack: &Pack, compiled: &Definitions, faults: &mut Vec<Fault>) {
    for (tag, source) in &pack.translations {
        // One with a fault was not compiled: nobody could say what it has.
        let is_faulty =
            |it: &Fault| it.kind == DefinitionKind::Translation && it.id == tag.as_str();
        let Some(translation) = compiled.translations.get(tag) else {
            continue;
        };
        if faults.iter().any(is_faulty) {
            continue;
        }
        let mut left = Left {
            translation,
            paths: Vec::new(),
        };
        left.out(pack, &source.value);
        tell(tag, &left.paths, faults);
    }
}

fn tell(tag: &LanguageTag, paths: &[Vec<String>], faults: &mut Vec<Fault>) {
    let Some(first) = paths.first() else { return };
    let told = paths.iter().take(TOLD);
    let told: Vec<String> = told.map(|path| format!("`{}`", path.join("/"))).collect();
    let told = told.join(", ");
    let message = match paths.len() {
        1 => format!("{told} is not translated"),
        count if count <= TOLD => format!("{count} texts are not translated: {told}"),
        count => format!(
            "{count} texts are not translated: {told} and {} more",
            count - TOLD
        ),
    };
    let definition: Vec<&str> = first.iter().take(2).map(String::as_str).collect();
    let mut rules = Rules::of(DefinitionKind::Translation, tag.as_str(), faults);
    rules.warning("untranslated", &definition, message).help =
        Some("until they are, they are shown in the language of the pack".to_owned());
}

/// What a translation leaves out.
struct Left<'t> {
    translation: &'t Translation,
    /// The paths of the texts, in the order of the definitions.
    paths: Vec<Vec<String>>,
}

impl Left<'_> {
    fn out(&mut self, pack: &Pack, source: &model::definition::Translation) {
        for (id, it) in &pack.workflows {
            if source.workflows.contains_key(id.as_str()) {
                self.of("workflows", id.as_str(), of_workflow(&it.value));
            }
        }
        for (id, it) in &pack.catalogue {
            if source.catalogue.contains_key(id.as_str()) {
                let (item, whole) = (&it.item.value, &it.workflow.value);
                let common = pack.workflows.get(&item.of);
                let common = common.map_or_else(Vec::new, |it| of_workflow(&it.value));
                let is_translated = source.workflows.contains_key(item.of.as_str());
                let mut own = of_item(item);
                own.extend(of_workflow(whole).into_iter().filter(|said| {
                    // What the workflow says is translated there, and told there where it is not.
                    !(is_translated && common.contains(said))
                }));
                self.of("catalogue", id.as_str(), own);
            }
        }
        for (id, it) in &pack.notices {
            if source.notices.contains_key(id.as_str()) {
                self.of("notices", id.as_str(), of_notice(&it.value));
            }
        }
        for (id, it) in &pack.teams {
            if source.teams.contains_key(id.as_str()) {
                let title = (vec!["title".to_owned()], it.value.title.as_str());
                self.of("teams", id.as_str(), vec![title]);
            }
        }
    }

    /// Adds those of a definition's texts that the translation has not.
    fn of(&mut self, folder: &str, id: &str, texts: Vec<Said<'_>>) {
        for (path, text) in texts {
            let path = [vec![folder.to_owned(), id.to_owned()], path].concat();
            let keys: Vec<&str> = path.iter().map(String::as_str).collect();
            if has_words(text) && self.translation.text(&keys).is_none() {
                self.paths.push(path);
            }
        }
    }
}

/// Whether a text says something in a language: it has letters outside the brackets of a template.
fn has_words(text: &str) -> bool {
    let mut rest = text;
    while let Some(open) = rest.find('{') {
        let closing = match rest.as_bytes().get(open + 1) {
            Some(b'{') => "}}",
            Some(b'%') => "%}",
            Some(b'#') => "#}",
            _ => "{",
        };
        if rest[..open].contains(char::is_alphabetic) {
            return true;
        }
        let inner = &rest[open + 1..];
        rest = match inner.find(closing) {
            Some(close) if closing != "{" => &inner[close + closing.len()..],
            _ => inner,
        };
    }
    rest.contains(char::is_alphabetic)
}

/// The texts of a workflow that people see, in the order in which they stand.
pub(super) fn of_workflow(workflow: &Workflow) -> Vec<Said<'_>> {
    let mut texts = Collected::default();
    texts.add(&["title"], Some(&workflow.title));
    for (id, group) in &workflow.groups {
        texts.add(&["groups", id.as_str(), "title"], Some(&group.title));
        texts.add(&["groups", id.as_str(), "help"], group.help.as_ref());
    }
    for (id, field) in &workflow.fields {
        texts.field(&["fields", id.as_str()], field);
    }
    for (id, way) in &workflow.create {
        texts.transition(&["create", id.as_str()], way);
    }
    for (id, state) in &workflow.states {
        let at = ["states", id.as_str()];
        texts.add(&[at[0], at[1], "title"], state.title.as_ref());
        for (id, transition) in &state.transitions {
            texts.transition(&[at[0], at[1], "transitions", id.as_str()], transition);
        }
    }
    for (id, transition) in &workflow.anywhere {
        texts.transition(&["anywhere", id.as_str()], transition);
    }
    texts.0
}

/// What an item of the catalogue says of itself, but for its title, which its workflow has too.
fn of_item(item: &CatalogueItem) -> Vec<Said<'_>> {
    let mut texts = Collected::default();
    texts.add(&["description"], item.description.as_ref());
    texts.add(&["group"], item.group.as_ref());
    texts.0
}

fn of_notice(notice: &Notice) -> Vec<Said<'_>> {
    let mut texts = Collected::default();
    texts.add(&["subject"], Some(&notice.subject));
    texts.add(&["text"], Some(&notice.text));
    texts.0
}

#[derive(Default)]
struct Collected<'d>(Vec<Said<'d>>);

impl<'d> Collected<'d> {
    fn add(&mut self, path: &[&str], text: Option<&'d String>) {
        let path = path.iter().map(|key| (*key).to_owned()).collect();
        self.0.extend(text.map(|text| (path, text.as_str())));
    }

    fn transition(&mut self, at: &[&str], transition: &'d Transition) {
        self.add(&[at, &["title"]].concat(), transition.title.as_ref());
        for (id, field) in &transition.form {
            self.field(&[at, &["form", id.as_str()]].concat(), field);
        }
        for (id, it) in &transition.require {
            self.add(
                &[at, &["require", id.as_str(), "say"]].concat(),
                Some(&it.say),
            );
        }
    }

    fn field(&mut self, at: &[&str], field: &'d Field) {
        self.add(&[at, &["label"]].concat(), field.label.as_ref());
        self.add(&[at, &["help"]].concat(), field.help.as_ref());
        for (id, option) in &field.options {
            let path = [at, &["options", id.as_str(), "label"]].concat();
            self.add(&path, option.label.as_ref());
        }
    }
}
