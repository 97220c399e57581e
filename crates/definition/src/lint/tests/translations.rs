//! What the linter says of translations that have some of a definition's texts.

use std::collections::BTreeMap;
use std::fmt::Write;

use expect_test::{Expect, expect};
use model::Digest;
use model::id::{CatalogueItemId, LanguageTag};

use super::{sound, told};
use crate::compile::{Definitions, Installable, compile_all};
use crate::lint::lint;
use crate::lint::translations::of_workflow;
use crate::pack::Pack;

const WINDOW: &str = "kind: Workflow
id: pane
title: Pane
number: PAN
groups: { where: { title: Where it is, help: As well as you know. } }
fields:
  summary: { type: string, label: What is broken?, help: In a few words., group: where }
  size: { options: { small: { label: Small }, large: { label: Large }, other: {} } }
create:
  report: { title: Report, to: new, permit: { anyone: true }, form: { summary: { label: What broke? }, size: {} } }
states:
  new:
    title: Just broken
    category: open
    transitions:
      mend:
        title: Mend
        to: mended
        permit: { agent: true }
        require: { sized: { when: \"size != null\", say: Measure it first. } }
        form: { glass: { options: { clear: { label: Clear } }, label: Which glass? } }
  mended: { title: Mended, category: closed, outcome: done }
anywhere: { note: { title: Note, permit: { agent: true }, form: { size: {} } } }
";

const ITEM: &str = "kind: CatalogueItem
id: shop-window
title: A shop window
description: Of a shop.
group: Windows
of: pane
fields: { shop: { type: string, label: Which shop? }, summary: { label: What is broken in the shop? } }
create: { report: { form: { shop: {} } } }
";

/// The sound pack with a workflow and an item that have all kinds of texts, and a translation.
fn pack(translation: &str) -> BTreeMap<String, String> {
    let mut files = sound();
    let translation = format!("kind: Translation\nid: fr\ntitle: Français\n{translation}");
    for (path, text) in [
        ("workflows/pane.yaml", WINDOW),
        ("catalogue/shop-window.yaml", ITEM),
        ("translations/fr.yaml", &translation),
    ] {
        files.insert(path.to_owned(), text.to_owned());
    }
    files
}

fn check(translation: &str, expected: &Expect) {
    let files = pack(translation);
    let pack = Pack::read(&files).unwrap_or_else(|found| panic!("{found}"));
    expected.assert_eq(&told(&files, &lint(&pack)));
}

#[test]
fn nothing_is_said_of_a_definition_that_is_left_as_it_is() {
    check("", &expect![[""]]);
    check("teams: { desk: { title: Bureau } }\n", &expect![[""]]);
}

#[test]
fn a_few_of_the_texts_are_told_and_how_many_there_are() {
    check(
        "workflows: { pane: { title: Vitre } }\n",
        &expect![[r#"
        warning[untranslated] translations/fr.yaml:4 at `pane: { title: Vitre } }`
          15 texts are not translated: `workflows/pane/groups/where/title`, `workflows/pane/groups/where/help`, `workflows/pane/fields/summary/label` and 12 more
          help: until they are, they are shown in the language of the pack
    "#]],
    );
    check(
        "workflows:\n  incident: { title: Panne }\nnotices: { told: { subject: Connu } }\ncatalogue: { shop-window: { title: Vitrine } }\n",
        &expect![[r#"
            warning[untranslated] translations/fr.yaml:7 at `shop-window: { title: Vi`
              18 texts are not translated: `catalogue/shop-window/description`, `catalogue/shop-window/group`, `catalogue/shop-window/groups/where/title` and 15 more
              help: until they are, they are shown in the language of the pack
        "#]],
    );
}

#[test]
fn what_is_wrong_with_a_translation_is_told_alone() {
    check(
        "workflows: { pane: { number: V } }\n",
        &expect![[r#"
        error[translation] translations/fr.yaml:4 at `number: V } }`
          `number` is no text for people
    "#]],
    );
}

#[test]
fn an_item_has_the_texts_of_its_workflow_and_its_own() {
    let pack_of = Pack::read(&pack("")).expect("it reads");
    let texts = of_workflow(&pack_of.workflows["pane"].value);
    let workflow = tree("workflows", "pane", texts.iter().map(|(path, _)| path));
    check(
        &format!(
            "{workflow}catalogue: {{ shop-window: {{ title: Vitrine, fields: {{ shop: {{ label: Quelle boutique ? }} }} }} }}\n"
        ),
        &expect![[r#"
            warning[untranslated] translations/fr.yaml:47 at `shop-window: { title: Vi`
              3 texts are not translated: `catalogue/shop-window/description`, `catalogue/shop-window/group`, `catalogue/shop-window/fields/summary/label`
              help: until they are, they are shown in the language of the pack
        "#]],
    );
}

#[test]
fn what_is_told_is_what_a_translation_can_change() {
    let read = Pack::read(&pack("")).expect("it reads");
    let texts = of_workflow(&read.workflows["pane"].value);
    let mut paths: Vec<Vec<String>> = texts.into_iter().map(|(path, _)| path).collect();
    assert_eq!(paths.len(), 16);
    let workflow = tree("workflows", "pane", paths.iter());
    check(&workflow, &expect![[""]]);
    let (compiled, tag) = compiled(&workflow);
    let spoken = compiled.translations[&tag].workflow(&compiled.workflows["pane"], None);
    assert_all_are_spoken(&format!("{spoken:?}"), &paths);

    let item = CatalogueItemId::new("shop-window").expect("an id");
    let texts = of_workflow(&read.catalogue[&item].workflow.value);
    paths = texts.into_iter().map(|(path, _)| path).collect();
    paths.extend([vec!["description".to_owned()], vec!["group".to_owned()]]);
    let translated = tree("catalogue", "shop-window", paths.iter());
    check(&translated, &expect![[""]]);
    paths.truncate(paths.len() - 2);
    let (compiled, tag) = self::compiled(&translated);
    let workflow = &compiled.catalogue[&item].workflow;
    let spoken = compiled.translations[&tag].workflow(workflow, Some(&item));
    assert_all_are_spoken(&format!("{spoken:?}"), &paths);
}

/// Holds each path to standing among what is shown, as the text that [`tree`] gives it.
fn assert_all_are_spoken(shown: &str, paths: &[Vec<String>]) {
    for path in paths {
        let text = format!("\"Le {}\"", path.join(" "));
        assert!(shown.contains(&text), "{text} in {shown}");
    }
}

fn compiled(translation: &str) -> (Definitions, LanguageTag) {
    let read = Pack::read(&pack(translation)).unwrap_or_else(|found| panic!("{found}"));
    let (compiled, _) = compile_all(&Installable::of_pack(&read, |_, _| Digest::default()));
    (compiled, LanguageTag::new("fr").expect("a language"))
}

/// A translation with a text at each path.
fn tree<'p>(folder: &str, id: &str, paths: impl Iterator<Item = &'p Vec<String>>) -> String {
    let mut text = format!("{folder}:\n  {id}:\n");
    let mut above: Vec<String> = Vec::new();
    for path in paths {
        let (last, keys) = path.split_last().expect("a path has keys");
        let common = above
            .iter()
            .zip(keys)
            .take_while(|(one, other)| one == other);
        let common = common.count();
        for (depth, key) in keys.iter().enumerate().skip(common) {
            let _ = writeln!(text, "{:indent$}{key}:", "", indent = 4 + 2 * depth);
        }
        let indent = 4 + 2 * keys.len();
        let _ = writeln!(text, "{:indent$}{last}: Le {}", "", path.join(" "));
        above = keys.to_vec();
    }
    text
}
