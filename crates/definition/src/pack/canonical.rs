//! The canonical form of a definition, of which its digest is taken: JSON with keys sorted, except
//! where their order means something.
//!
//! `apiVersion` is not part of it: it says how to read the file, not what the definition is. What
//! a file writes out although it is the default stays: the form follows the text, so that a digest
//! never changes because the program's defaults do.

use serde_json::Value;

use crate::overlay::DefinitionKind;
use crate::source::{Kind, Map, Node};

/// The canonical form of a definition, header included, as compact JSON.
pub(super) fn canonical(kind: DefinitionKind, root: &Node) -> String {
    let mut path = Vec::new();
    let mut value = sorted(kind, root, &mut path);
    if let Value::Object(map) = &mut value {
        map.shift_remove("apiVersion");
    }
    value.to_string()
}

/// A part of a definition, which stands at `path` in it, in canonical order as compact JSON.
pub(crate) fn canonical_part(kind: DefinitionKind, part: &Node, path: &[String]) -> String {
    sorted(kind, part, &mut path.to_vec()).to_string()
}

fn sorted(kind: DefinitionKind, node: &Node, path: &mut Vec<String>) -> Value {
    match &node.kind {
        Kind::Map(map) => {
            let keys = key_order(kind, map, path);
            let entries = keys.into_iter().map(|key| {
                path.push(key.clone());
                let value = sorted(kind, &map[key].value, path);
                path.pop();
                (key.clone(), value)
            });
            Value::Object(entries.collect())
        }
        // What stands in a list is a plain value; no path leads into one.
        Kind::List(items) => items
            .iter()
            .map(|item| sorted(kind, item, &mut vec!["[]".to_owned()]))
            .collect(),
        _ => node.to_json(),
    }
}

/// The keys of a map in canonical order. Of transitions, those that are tried by themselves keep
/// their order, behind the others.
fn key_order<'m>(kind: DefinitionKind, map: &'m Map, path: &[String]) -> Vec<&'m String> {
    let mut keys: Vec<&String> = map.keys().collect();
    if kind.is_ordered(path) {
        return keys;
    }
    let automatic = |key: &String| {
        map[key]
            .value
            .get("automatic")
            .is_some_and(|value| value.kind == Kind::Boolean(true))
    };
    if kind.holds_transitions(path) {
        keys.sort_by(|a, b| match (automatic(a), automatic(b)) {
            (true, true) => std::cmp::Ordering::Equal,
            (false, false) => a.cmp(b),
            (a, b) => a.cmp(&b),
        });
    } else {
        keys.sort();
    }
    keys
}
