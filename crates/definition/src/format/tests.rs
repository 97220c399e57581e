//! Formatting changes how files look, once, and never what they say.

use std::collections::BTreeMap;
use std::path::Path;

use expect_test::{Expect, expect};
use proptest::prelude::*;

use super::{FormatError, format};
use crate::pack::Pack;
use crate::schema::tests::read_folder;

fn check(text: &str, expected: &Expect) {
    let formatted = format(text).unwrap_or_else(|error| panic!("{error}: {text}"));
    expected.assert_eq(&formatted);
    assert_eq!(format(&formatted).expect("formatted"), formatted);
}

#[test]
fn indentation_blanks_and_brackets_come_into_one_style() {
    check(
        "\n\n# what it is about\r\nkind:   Workflow\nid: incident\napiVersion: servicewright/v1   \n\n\n\nstates:\n    new:  #first\n        category: open\n        # the ways on\n        transitions:\n            start: {to: working,permit: {agent: true}, route:  true }\n            #last\n    working: { category: open,\n       transitions: {} }\nlist: [ a,b , c ]\nempty: {  }\n\n\n",
        &expect![[r##"
            # what it is about
            apiVersion: servicewright/v1
            kind:   Workflow
            id: incident

            states:
              new:  # first
                category: open
                # the ways on
                transitions:
                  start: { to: working, permit: { agent: true }, route:  true }
                  # last
              working: { category: open,
                 transitions: {} }
            list: [a, b, c]
            empty: {}
        "##]],
    );
}

#[test]
fn texts_stay_as_they_are() {
    check(
        "kind: Notice\nid: told\nsubject: \"a  {b}, 'c' #d\"\nto: { 'it''s': \"x,y\", b: don't }\ntext: |\n    First  line,no change {here}\n\n\n      deeper #no comment\nother: a {plain,text} # said\n",
        &expect![[r##"
            kind: Notice
            id: told
            subject: "a  {b}, 'c' #d"
            to: { 'it''s': "x,y", b: don't }
            text: |
                First  line,no change {here}


                  deeper #no comment
            other: a {plain,text}  # said
        "##]],
    );
}

#[test]
fn several_definitions_in_a_file_stay_apart() {
    check(
        "id: a\nkind: Team\ntitle: A\n---\n\ntitle: B\nkind: Team\nid: b\n",
        &expect![[r#"
            kind: Team
            id: a
            title: A
            ---

            kind: Team
            id: b
            title: B
        "#]],
    );
}

#[test]
fn what_cannot_be_read_is_left_alone() {
    assert!(matches!(format("kind: ["), Err(FormatError::Unreadable(_))));
}

/// The packs of the repository, by folder.
fn packs() -> Vec<(String, BTreeMap<String, String>)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut found = Vec::new();
    for parent in ["packs", "examples"] {
        for entry in std::fs::read_dir(root.join(parent)).expect("a folder") {
            let folder = entry.expect("an entry").path();
            if folder.join("pack.yaml").exists() {
                found.push((folder.display().to_string(), read_folder(&folder)));
            }
        }
    }
    found
}

fn is_yaml(path: &str) -> bool {
    Path::new(path).extension().is_some_and(|end| end == "yaml")
}

#[test]
fn no_pack_of_the_repository_changes_its_digest() {
    let mut packs_read = 0;
    for (folder, files) in packs() {
        let mut formatted = files.clone();
        for (path, text) in formatted.iter_mut().filter(|(path, _)| is_yaml(path)) {
            let once = format(text).unwrap_or_else(|error| panic!("{folder}/{path}: {error}"));
            assert_eq!(format(&once).expect("formatted"), once, "{folder}/{path}");
            *text = once;
        }
        // Adaptations of shipped packs have no base beside them.
        if let (Ok(before), Ok(after)) = (Pack::read(&files), Pack::read(&formatted)) {
            assert_eq!(before.digest, after.digest, "{folder}");
            packs_read += 1;
        }
    }
    assert!(packs_read > 0);
}

/// A file of the repository with its blanks disturbed where they mean nothing.
fn disturbed() -> impl Strategy<Value = (String, String)> {
    let texts: Vec<String> = packs()
        .into_iter()
        .flat_map(|(_, files)| files.into_iter().filter(|(path, _)| is_yaml(path)))
        .map(|(_, text)| text)
        .collect();
    let choices = prop::collection::vec(0_u8..6, 400);
    (prop::sample::select(texts), choices).prop_map(|(text, choices)| {
        let mut choices = choices.into_iter().cycle();
        let mut blocks = false;
        let mut out = String::new();
        for line in text.lines() {
            blocks |= line.ends_with('|') || line.ends_with('>');
            let column = line.len() - line.trim_start().len();
            let wide = " ".repeat(column * 2);
            match choices.next() {
                _ if blocks => out.push_str(line),
                Some(0) => {
                    out.push_str(line);
                    out.push_str("   ");
                }
                Some(1) => {
                    out.push('\n');
                    out.push_str(line);
                }
                Some(2 | 3) if !line.contains(['"', '#']) => {
                    let inside = line.trim_start().replace("{ ", "{").replace(" }", "}");
                    out.push_str(&" ".repeat(column));
                    out.push_str(&inside);
                }
                Some(_) => out.push_str(line),
                None => out.push_str(&wide),
            }
            out.push('\n');
        }
        (text, out)
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn formatting_twice_is_formatting_once((text, disturbed) in disturbed()) {
        let once = format(&disturbed).expect("it reads as before");
        prop_assert_eq!(format(&once).expect("formatted"), once.clone());
        let told = |text: &str| super::documents(text).expect("read").iter().map(|it| it.to_json().to_string()).collect::<Vec<_>>();
        prop_assert_eq!(told(&once).len(), told(&text).len());
        prop_assert!(super::same(&super::documents(&text).expect("read"), &super::documents(&once).expect("read")));
    }

    #[test]
    fn whatever_the_text_it_ends_and_says_the_same(text in "[a-c:{}\\[\\],'\"#| \n-]{0,60}") {
        if let Ok(once) = format(&text) {
            let again = format(&once).expect("what was formatted can be read");
            prop_assert_eq!(&again, &once);
        }
    }
}
