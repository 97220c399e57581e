//! Laying the files of an adaptation over those of its base.
//!
//! A file with the kind and id of one in the base is a merge patch (RFC 7396): maps merge key by
//! key, `null` removes, everything else replaces. Beyond the standard, removing what is not there
//! is an error, a choice is replaced whole, and new keys go last or to `place: { before: x }`.
//! Nothing is copied without its span, so every part of the result still tells where it was
//! written, and by that in which pack.

mod explain;
mod shape;
#[cfg(test)]
mod tests;

use std::collections::{HashMap, HashSet};

use crate::source::{Diagnostics, Entry, Kind, MAX_DIAGNOSTICS, Map, Node, Sources, Span, nearest};

pub use explain::explain;
pub use shape::DefinitionKind;

/// The keys of a definition's header, in which a patch only names what it patches.
pub(crate) const HEADER: [&str; 3] = ["apiVersion", "kind", "id"];

/// Lays a patch over a definition of its kind. What is wrong is added to `diagnostics`; the rest
/// is laid over all the same.
pub fn merge(
    kind: DefinitionKind,
    base: &mut Node,
    patch: &Node,
    sources: &Sources,
    diagnostics: &mut Diagnostics,
) {
    let mut merge = Merge {
        kind,
        sources,
        diagnostics,
        path: Vec::new(),
    };
    merge.lay(base, patch);
}

/// Reports every `null` of a definition that patches nothing.
pub fn refuse_nulls(node: &Node, sources: &Sources, diagnostics: &mut Diagnostics) {
    match &node.kind {
        Kind::Null => {
            let message = "`null` is never a value, and here is nothing that it could remove";
            diagnostics.push(
                sources
                    .error(node.span, "null", message)
                    .help("leave the key out"),
            );
        }
        Kind::Map(map) => map
            .values()
            .for_each(|entry| refuse_nulls(&entry.value, sources, diagnostics)),
        Kind::List(items) => items
            .iter()
            .for_each(|item| refuse_nulls(item, sources, diagnostics)),
        _ => {}
    }
}

/// How many new keys of one map may be placed: each moves those behind it.
const MAX_PLACEMENTS: usize = 1_000;

struct Merge<'a> {
    kind: DefinitionKind,
    sources: &'a Sources,
    diagnostics: &'a mut Diagnostics,
    path: Vec<String>,
}

/// A wish to stand beside another key.
pub(crate) struct Placement {
    key: String,
    before: bool,
    pub(crate) sibling: String,
    span: Span,
}

impl Merge<'_> {
    fn lay(&mut self, base: &mut Node, patch: &Node) {
        let Kind::Map(changes) = &patch.kind else {
            refuse_nulls(patch, self.sources, self.diagnostics);
            base.clone_from(patch);
            return;
        };
        if self.kind.is_choice(&self.path) {
            refuse_nulls(patch, self.sources, self.diagnostics);
            base.clone_from(patch);
            return;
        }
        if base.as_map().is_none() {
            *base = Node::empty_map(patch.span);
        }
        let Kind::Map(entries) = &mut base.kind else {
            unreachable!("it was made a map just now")
        };
        let mut placements = Vec::new();
        for (key, change) in changes {
            if self.path.is_empty() && HEADER.contains(&key.as_str()) && entries.contains_key(key) {
                continue;
            }
            self.path.push(key.clone());
            self.lay_entry(entries, key, change, &mut placements);
            self.path.pop();
        }
        self.place(entries, placements);
    }

    fn lay_entry(
        &mut self,
        entries: &mut Map,
        key: &str,
        change: &Entry,
        placements: &mut Vec<Placement>,
    ) {
        if change.value.kind == Kind::Null {
            self.remove(entries, key, change);
            return;
        }
        // What a patch places stands beside something of what it patches.
        let placement = placement(key, &change.value).filter(|_| !self.kind.is_patch());
        if let Some(entry) = entries.get_mut(key) {
            if let Some(placement) = placement {
                let message = format!("`{key}` is in the base already; `place` is for new keys");
                self.diagnostics
                    .push(self.sources.error(placement.span, "place", message));
            }
            // A scalar's line is the patch's now; a map's key stays where it was first written.
            if change.value.as_map().is_none() || self.kind.is_choice(&self.path) {
                entry.key = change.key;
            }
            self.lay(&mut entry.value, &change.value);
            return;
        }
        let mut value = Node::empty_map(change.value.span);
        match placement {
            Some(placement) => {
                placements.push(placement);
                self.lay(&mut value, &without_place(&change.value));
            }
            None => self.lay(&mut value, &change.value),
        }
        entries.insert(
            key.to_owned(),
            Entry {
                key: change.key,
                value,
            },
        );
    }

    /// Removes a key; a patch that does not have it keeps the wish, for what it is laid over.
    fn remove(&mut self, entries: &mut Map, key: &str, change: &Entry) {
        if entries.shift_remove(key).is_some() {
            return;
        }
        if self.kind.is_patch() {
            entries.insert(key.to_owned(), change.clone());
            return;
        }
        let message = format!(
            "`{key}: null` removes nothing: the base has no `{}`",
            self.path.join(".")
        );
        let near = self.nearest(key, entries);
        self.diagnostics.push(
            self.sources
                .error(change.key, "removes-nothing", message)
                .suggest(near),
        );
    }

    /// The key that was probably meant; not looked for once so much is wrong that nobody reads it.
    fn nearest<'e>(&self, key: &str, entries: &'e Map) -> Option<&'e str> {
        let wanted = self.diagnostics.len() < MAX_DIAGNOSTICS;
        wanted
            .then(|| nearest(key, entries.keys().map(String::as_str)))
            .flatten()
    }

    /// Moves new keys beside the ones they name. Several placed after the same one keep their order.
    fn place(&mut self, entries: &mut Map, placements: Vec<Placement>) {
        if placements.len() > MAX_PLACEMENTS {
            let message = format!("more than {MAX_PLACEMENTS} keys are placed in one map");
            self.diagnostics
                .push(self.sources.error(placements[0].span, "too-large", message));
            return;
        }
        let mut last_after: HashMap<String, String> = HashMap::new();
        for Placement {
            key,
            before,
            sibling,
            span,
        } in self.in_order(placements)
        {
            if sibling == key || !entries.contains_key(&sibling) {
                let message =
                    format!("`{key}` cannot be placed beside `{sibling}`, which is not here");
                let near = self.nearest(&sibling, entries).filter(|near| *near != key);
                self.diagnostics
                    .push(self.sources.error(span, "place", message).suggest(near));
                continue;
            }
            let anchor = last_after
                .get(&sibling)
                .filter(|_| !before)
                .unwrap_or(&sibling);
            let from = entries
                .get_index_of(&key)
                .expect("what is placed was inserted before");
            let at = entries
                .get_index_of(anchor)
                .expect("an anchor is a key that was found");
            // Taking the key out first moves what follows it one to the front.
            let to = at - usize::from(from < at) + usize::from(!before);
            entries.move_index(from, to);
            if !before {
                last_after.insert(sibling, key);
            }
        }
    }

    /// Orders placements so that what others stand beside is placed before them.
    fn in_order(&mut self, mut waiting: Vec<Placement>) -> Vec<Placement> {
        let mut ordered = Vec::with_capacity(waiting.len());
        while !waiting.is_empty() {
            let moving: HashSet<String> = waiting
                .iter()
                .map(|placement| placement.key.clone())
                .collect();
            let is_free = |placement: &Placement| {
                placement.sibling == placement.key || !moving.contains(&placement.sibling)
            };
            let free: Vec<Placement> = waiting
                .extract_if(.., |placement| is_free(placement))
                .collect();
            if free.is_empty() {
                let Placement {
                    key, sibling, span, ..
                } = &waiting[0];
                let message = format!(
                    "`{key}` is to stand beside `{sibling}`, which is to stand beside it in turn"
                );
                self.diagnostics
                    .push(self.sources.error(*span, "place", message));
                break;
            }
            ordered.extend(free);
        }
        ordered
    }
}

/// `place: { before: x }` within a value, told from a field of that name by its shape.
pub(crate) fn placement(key: &str, value: &Node) -> Option<Placement> {
    let place = value.as_map()?.get("place")?;
    let map = place.value.as_map().filter(|map| map.len() == 1)?;
    let (side, sibling) = map.get_index(0)?;
    let before = match side.as_str() {
        "before" => true,
        "after" => false,
        _ => return None,
    };
    let (sibling, span) = (sibling.value.as_text()?.to_owned(), sibling.value.span);
    Some(Placement {
        key: key.to_owned(),
        before,
        sibling,
        span,
    })
}

pub(crate) fn without_place(value: &Node) -> Node {
    let mut rest = value.clone();
    if let Kind::Map(map) = &mut rest.kind {
        map.shift_remove("place");
    }
    rest
}
