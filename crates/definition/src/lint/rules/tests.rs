//! Every id that is told is a rule, every rule is told somewhere, and the page is that of the rules.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::{Part, all, find, page};

#[test]
fn each_part_lists_its_rules_once_in_order() {
    for part in Part::ALL {
        let ids: Vec<&str> = part.rules().iter().map(|rule| rule.id).collect();
        let mut sorted = ids.clone();
        sorted.sort_unstable();
        assert_eq!(ids, sorted);
    }
    let ids: BTreeSet<&str> = all().map(|rule| rule.id).collect();
    assert_eq!(ids.len(), all().count());
    for rule in all() {
        assert_eq!(find(rule.id), Some(rule));
        for text in [rule.finds, rule.why] {
            assert!(text.ends_with('.'), "{}: {text}", rule.id);
        }
        assert!(
            !rule.fault.is_empty() && rule.fault != rule.cure,
            "{}",
            rule.id
        );
    }
}

#[test]
fn the_published_page_is_that_of_the_rules() {
    let path: PathBuf = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/lint.md");
    if std::env::var_os("UPDATE_SCHEMAS").is_some() {
        std::fs::write(&path, page()).expect("the page can be written");
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        committed == page(),
        "{} is out of date: run this test with UPDATE_SCHEMAS=1",
        path.display()
    );
}

/// What takes the id of a rule.
const TELLERS: [&str; 16] = [
    "error(",
    "warning(",
    "error_at_key(",
    "error_in(",
    "warning_in(",
    "fault(",
    "of_file(",
    "Fault::new(",
    "Self::new(",
    "Self::unknown(",
    ".value(",
    ".key(",
    ".found(",
    "rules.add(",
    "about(",
    "rule:",
];

#[test]
fn every_id_in_the_sources_is_a_rule_and_every_rule_is_in_them() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut told = BTreeSet::new();
    let mut quoted = BTreeSet::new();
    for (path, text) in sources(&source) {
        for teller in TELLERS {
            for (at, _) in text.match_indices(teller) {
                let arguments = arguments(&text[at + teller.len()..]);
                if let Some(id) = arguments.iter().find_map(|argument| word(argument)) {
                    told.insert((id.to_owned(), path.clone()));
                }
            }
        }
        quoted.extend(text.split('"').map(str::to_owned));
    }
    assert!(told.len() > 60, "too few are found: {}", told.len());
    let unknown: Vec<_> = told.iter().filter(|(id, _)| find(id).is_none()).collect();
    assert!(
        unknown.is_empty(),
        "no rule says what these mean: {unknown:?}"
    );
    // The command line finds it, which knows what it ships.
    let elsewhere = ["missing-component"];
    let untold: Vec<&str> = all()
        .map(|rule| rule.id)
        .filter(|id| !quoted.contains(*id) && !elsewhere.contains(id))
        .collect();
    assert!(untold.is_empty(), "nothing finds these: {untold:?}");
}

/// The files of the crate but its tests and the rules themselves.
fn sources(folder: &Path) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut open = vec![folder.to_owned()];
    while let Some(next) = open.pop() {
        for entry in std::fs::read_dir(&next).expect("a folder of the crate") {
            let path = entry.expect("an entry").path();
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            if path.is_dir() {
                if !["tests", "rules", "expression"].contains(&&*name) {
                    open.push(path);
                }
            } else if name != "tests.rs" {
                let text = std::fs::read_to_string(&path).expect("a source");
                let text = text.split("#[cfg(test)]\nmod tests {").next();
                found.push((
                    path.display().to_string(),
                    text.unwrap_or_default().to_owned(),
                ));
            }
        }
    }
    found
}

/// The arguments of a call, up to its closing bracket.
fn arguments(text: &str) -> Vec<String> {
    let (mut all, mut depth, mut quoted, mut escaped) = (vec![String::new()], 1, false, false);
    for character in text.chars().take(2_000) {
        let last = all.last_mut().expect("one at least");
        if quoted {
            last.push(character);
            quoted = escaped || character != '"';
            escaped = !escaped && character == '\\';
            continue;
        }
        match character {
            '"' => quoted = true,
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' => depth -= 1,
            ',' if depth == 1 => {
                all.push(String::new());
                continue;
            }
            _ => {}
        }
        if depth == 0 {
            break;
        }
        last.push(character);
    }
    all
}

/// The kebab-case word that an argument is, where it is one in quotes.
fn word(argument: &str) -> Option<&str> {
    let word = argument.trim().strip_prefix('"')?.strip_suffix('"')?;
    let kebab = word.starts_with(|c: char| c.is_ascii_lowercase())
        && word.chars().all(|c| c.is_ascii_lowercase() || c == '-');
    kebab.then_some(word)
}
