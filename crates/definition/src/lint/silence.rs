//! Warnings that a pack has judged to be right as they are, each with a reason in `pack.yaml`.

use std::collections::BTreeSet;

use super::Rules;
use super::rules::{Weight, find};
use crate::compile::Fault;
use crate::overlay::DefinitionKind;
use crate::pack::Pack;
use crate::source::{Severity, nearest};

/// What stands for `pack.yaml` in the place of a silence.
const HEADER: &str = "pack";

/// Takes out what the pack silences, and tells of silences that are wrong or hide nothing.
pub(super) fn apply(pack: &Pack, faults: &mut Vec<Fault>) {
    let Some(lint) = &pack.header.lint else {
        return;
    };
    let mut found = Vec::new();
    let mut rules = Rules::of(DefinitionKind::Pack, pack.id.as_str(), &mut found);
    let mut silenced = BTreeSet::new();
    for (place, reasons) in &lint.silence {
        for (rule, reason) in reasons {
            let path = ["lint", "silence", place.as_str(), rule.as_str()];
            if let Some((message, help)) = wrong(rule, reason) {
                rules.error("silence", &path, message).help = help;
                continue;
            }
            let hides = |fault: &Fault| {
                fault.severity == Severity::Warning
                    && fault.rule == rule
                    && is_at_or_below(&place_of(fault), place)
            };
            let before = silenced.len();
            let hidden = faults.iter().enumerate().filter(|(_, fault)| hides(fault));
            silenced.extend(hidden.map(|(index, _)| index));
            // A silence of the base is the base's to take out.
            if silenced.len() == before && is_own(pack, &path) {
                let message = format!("`{rule}` finds nothing at `{place}` to be silent about");
                rules.warning("idle-silence", &path, message).help =
                    Some("take the silence out".to_owned());
            }
        }
    }
    let mut index = 0;
    faults.retain(|_| {
        index += 1;
        !silenced.contains(&(index - 1))
    });
    faults.extend(found);
}

/// What is wrong with a silence, and what would be right.
fn wrong(rule: &str, reason: &str) -> Option<(String, Option<String>)> {
    match find(rule) {
        None => {
            let near = nearest(rule, super::rules::all().map(|rule| rule.id));
            let help = near.map(|near| format!("did you mean `{near}`?"));
            Some((format!("there is no rule `{rule}`"), help))
        }
        Some(known) if known.weight == Weight::Error => {
            let message = format!("what `{rule}` finds is an error, and no error can be silenced");
            Some((message, None))
        }
        Some(_) if reason.trim().is_empty() => {
            let message = format!("`{rule}` is silenced without a reason");
            Some((message, Some("say why it is right as it is".to_owned())))
        }
        Some(_) => None,
    }
}

/// Where a fault is found, as silences name it.
fn place_of(fault: &Fault) -> String {
    let mut place = match fault.kind.folder() {
        Some(folder) => format!("{folder}/{}", fault.id),
        None => HEADER.to_owned(),
    };
    for key in &fault.path {
        place.push('/');
        place.push_str(key);
    }
    place
}

fn is_at_or_below(place: &str, silenced: &str) -> bool {
    let rest = place.strip_prefix(silenced.trim_end_matches('/'));
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

fn is_own(pack: &Pack, path: &[&str]) -> bool {
    pack.tree.position(path).pack.as_ref() == Some(&pack.id)
}
