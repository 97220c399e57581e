//! Fragments: parts of workflows, laid under those that use them.

use super::chain::Definitions;
use crate::overlay::{DefinitionKind, HEADER, merge};
use crate::source::{Diagnostics, Entry, Kind, Node, Sources, nearest};

/// The key under which a workflow names the fragments that it uses.
const USE: &str = "use";

/// The fragments that this text of a workflow, or of a patch on one, adds, in the order of their ids.
pub(super) fn used(kind: DefinitionKind, node: &Node) -> Vec<(String, Entry)> {
    let named = node.get(USE).filter(|_| kind == DefinitionKind::Workflow);
    let mut used: Vec<(String, Entry)> = named
        .and_then(Node::as_map)
        .into_iter()
        .flatten()
        .filter(|(_, entry)| entry.value.kind == Kind::Boolean(true))
        .map(|(id, entry)| (id.clone(), entry.clone()))
        .collect();
    used.sort_by(|(one, _), (other, _)| one.cmp(other));
    used
}

/// Refuses to take out a fragment that the base uses: what it brought is part of the base.
pub(super) fn stay(base: &Node, patch: &Node, sources: &Sources, found: &mut Diagnostics) {
    let used = |id: &str| base.get(USE).is_some_and(|used| used.get(id).is_some());
    let removed = patch.get(USE).and_then(Node::as_map).into_iter().flatten();
    for (id, entry) in removed {
        if used(id) && entry.value.kind != Kind::Boolean(true) {
            let message = format!("the base uses the fragment `{id}`, and what it brought stays");
            let diagnostic = sources.error(entry.key, "fragment", message);
            found.push(diagnostic.help("remove with `null` what of it is not wanted"));
        }
    }
}

/// A workflow with fragments laid under it: where both say something, the workflow's own counts, and
/// stands first.
pub(super) fn under(
    workflow: &Node,
    used: &[(String, Entry)],
    all: &Definitions,
    sources: &Sources,
    found: &mut Diagnostics,
) -> Node {
    let mut ground = Node {
        span: workflow.span,
        kind: Kind::Map(header(workflow).collect()),
    };
    for (id, entry) in used {
        let key = (DefinitionKind::Fragment, id.clone());
        let Some(fragment) = all.get(&key) else {
            let known = all
                .keys()
                .filter(|(kind, _)| *kind == DefinitionKind::Fragment);
            let near = nearest(id, known.map(|(_, id)| id.as_str()));
            let message = format!("there is no fragment `{id}`");
            found.push(
                sources
                    .error(entry.key, "unknown-name", message)
                    .suggest(near),
            );
            continue;
        };
        if let Some(path) = both_say(&ground, fragment, &mut Vec::new()) {
            let message =
                format!("the fragment `{id}` and another that is used here both say `{path}`");
            found.push(sources.error(entry.key, "fragment", message));
        }
        merge(
            DefinitionKind::Workflow,
            &mut ground,
            fragment,
            sources,
            found,
        );
    }
    merge(
        DefinitionKind::Workflow,
        &mut ground,
        workflow,
        sources,
        found,
    );
    own_first(&mut ground, workflow);
    ground
}

/// Puts the keys that a workflow has itself before those that only its fragments have.
fn own_first(laid: &mut Node, workflow: &Node) {
    let (Kind::Map(laid), Some(own)) = (&mut laid.kind, workflow.as_map()) else {
        return;
    };
    laid.sort_by_cached_key(|key, _| own.get_index_of(key).unwrap_or(usize::MAX));
    for (key, entry) in own {
        if let Some(below) = laid.get_mut(key) {
            own_first(&mut below.value, &entry.value);
        }
    }
}

fn header(node: &Node) -> impl Iterator<Item = (String, Entry)> + '_ {
    let map = node.as_map().into_iter().flatten();
    map.filter(|(key, _)| HEADER.contains(&key.as_str()))
        .map(|(key, entry)| (key.clone(), entry.clone()))
}

/// The first path at which both have something that is no map.
fn both_say(one: &Node, other: &Node, path: &mut Vec<String>) -> Option<String> {
    let (Some(these), Some(those)) = (one.as_map(), other.as_map()) else {
        return Some(path.join("."));
    };
    let at_root = path.is_empty();
    for (key, entry) in those {
        let Some(own) = these.get(key) else { continue };
        if at_root && HEADER.contains(&key.as_str()) {
            continue;
        }
        path.push(key.clone());
        let found = both_say(&own.value, &entry.value, path);
        path.pop();
        if found.is_some() {
            return found;
        }
    }
    None
}
