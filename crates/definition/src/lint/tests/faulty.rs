//! Packs with one fault each: exactly that is found, at its line, by its rule.

use std::collections::{BTreeMap, BTreeSet};

use model::directory::{Key, Thing};
use model::id::{DirectoryId, DirectoryKind};

use super::cases::{Case, cases, sound};
use crate::lint::rules::all;
use crate::lint::{Staff, lint_with};
use crate::pack::Pack;

/// Rules that a small pack cannot break.
const WITHOUT_A_CASE: [(&str, &str); 1] = [(
    "too-large",
    "it takes a file of a mebibyte, which the tests of the loader write",
)];
/// Rules of the command line, which knows what it ships.
const OF_THE_COMMAND_LINE: [&str; 1] = ["missing-component"];

fn all_cases() -> Vec<Case> {
    cases(|files| Pack::read(files).expect("it is sound").digest.to_string())
}

/// `file:line rule` of everything that is found.
fn found(files: &BTreeMap<String, String>) -> Vec<String> {
    let found = match Pack::read(files) {
        Ok(pack) => lint_with(&pack, Some(&staff(files)), Vec::new()),
        Err(found) => found,
    };
    let told = found.iter();
    told.map(|one| format!("{}:{} {}", one.file, one.line, one.rule))
        .collect()
}

/// Who is there, by the files `directory/KIND.json` beside the pack.
fn staff(files: &BTreeMap<String, String>) -> Staff {
    let mut things = BTreeMap::new();
    for (path, text) in files {
        let path = path.strip_prefix("base/").unwrap_or(path);
        let Some(kind) = path.strip_prefix("directory/") else {
            continue;
        };
        let kind = kind
            .strip_suffix(".json")
            .and_then(|it| DirectoryKind::new(it).ok());
        let kind = kind.expect("a kind");
        let all: BTreeMap<String, Thing> = serde_json::from_str(text).expect("things by id");
        things.extend(all.into_iter().map(|(id, thing)| {
            let id = DirectoryId::new(&id).expect("an id");
            (
                Key {
                    kind: kind.clone(),
                    id,
                },
                thing,
            )
        }));
    }
    Staff::of(&things)
}

#[test]
fn nothing_is_found_in_the_sound_pack() {
    assert_eq!(found(&sound()), [""; 0]);
}

#[test]
fn exactly_the_one_fault_is_found() {
    let cases = all_cases();
    assert!(cases.len() >= 40);
    let mut wrong = Vec::new();
    for case in &cases {
        let rule = case.expected.split_once(' ').expect("place and rule").1;
        let elsewhere = OF_THE_COMMAND_LINE.contains(&rule);
        let found = found(&case.files);
        let right = if elsewhere {
            found.is_empty()
        } else {
            found == [case.expected.clone()]
        };
        if !right {
            wrong.push(format!(
                "{}: expected {}, found {found:?}",
                case.name, case.expected
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_rule_has_a_case() {
    let cases = all_cases();
    let shown: BTreeSet<&str> = cases
        .iter()
        .filter_map(|case| Some(case.expected.split_once(' ')?.1))
        .collect();
    let missing: Vec<&str> = all()
        .map(|rule| rule.id)
        .filter(|id| !shown.contains(id) && WITHOUT_A_CASE.iter().all(|(without, _)| without != id))
        .collect();
    assert!(missing.is_empty(), "without a case: {missing:?}");
}
