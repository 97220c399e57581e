//! The touches of an adaptation, each held against the old base and the new one.
//!
//! A touch is a path with a value or a removal. A scalar, a list or a choice is one value; a map is
//! as many touches as it holds, so that what it does not say follows the base.

use super::edit::{At, at};
use super::laid::{Laid, is_own};
use crate::overlay::{DefinitionKind, Placement, placement, without_place};
use crate::pack::canonical::canonical_part;
use crate::source::{Entry, Kind, Map, Node, Span};

/// What becomes of a touch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// The bases agree there: it stays.
    Kept,
    /// The new base says the same.
    NotNeeded {
        /// Whether it would be wrong now, so that it cannot stay.
        must_go: bool,
    },
    /// The bases differ there.
    Changed,
    /// The new base has now what only the adaptation had.
    Added,
    /// The new base has it no more, or not that within which it stands: what is gone.
    Removed(Vec<String>),
    /// It stands beside a key that the new base has no more.
    Placed(String),
}

/// A touch with what is said of it.
#[derive(Clone, Debug)]
pub(super) struct Touch<'n> {
    pub(super) path: Vec<String>,
    pub(super) entry: &'n Entry,
    pub(super) old: Option<&'n Node>,
    pub(super) new: Option<&'n Node>,
    /// Whether it takes the place of the base's value whole, even where both are maps.
    pub(super) is_choice: bool,
    pub(super) verdict: Verdict,
}

impl Touch<'_> {
    pub(super) const fn at(&self) -> At {
        at(self.entry)
    }

    /// Where it stands: its value, or the key of what is removed.
    pub(super) const fn span(&self) -> Span {
        self.entry.key
    }
}

/// Every touch, and the definitions that are the adaptation's own.
pub(super) fn touches<'n>(
    old: &'n Laid,
    new: &'n Laid,
    ours: &'n Laid,
) -> (Vec<Touch<'n>>, Vec<Vec<String>>) {
    let (mut touches, mut own) = (Vec::new(), Vec::new());
    for (kind, root, node) in ours.trees() {
        let (before, after) = (old.tree(&root), new.tree(&root));
        if before.is_none() && after.is_none() {
            own.push(root);
            continue;
        }
        let Some(map) = node.as_map() else { continue };
        let mut walk = Walk {
            kind,
            root: root.len(),
            only_ours_before: before.is_none(),
            gone: (before.is_some() && after.is_none()).then(|| root.clone()),
            path: root,
            touches: &mut touches,
        };
        walk.map(map, before, after, false);
    }
    (touches, own)
}

struct Walk<'w, 'n> {
    kind: DefinitionKind,
    /// How many keys of the path lead to the definition.
    root: usize,
    /// Whether the old base had no such definition at all.
    only_ours_before: bool,
    /// The highest thing above that the new base has no more.
    gone: Option<Vec<String>>,
    path: Vec<String>,
    touches: &'w mut Vec<Touch<'n>>,
}

impl<'n> Walk<'_, 'n> {
    fn map(&mut self, map: &'n Map, old: Option<&'n Node>, new: Option<&'n Node>, placed: bool) {
        for (key, entry) in map {
            let is_own = self.path.len() == self.root && is_own(self.kind, key);
            if is_own || (placed && key == "place") {
                continue;
            }
            self.path.push(key.clone());
            let before = old.and_then(|node| node.get(key));
            let after = new.and_then(|node| node.get(key));
            let beside = [old, new].map(|node| node.and_then(Node::as_map));
            self.entry(key, entry, before, after, beside);
            self.path.pop();
        }
    }

    fn entry(
        &mut self,
        key: &str,
        entry: &'n Entry,
        old: Option<&'n Node>,
        new: Option<&'n Node>,
        beside: [Option<&'n Map>; 2],
    ) {
        let parts = entry.value.as_map().filter(|map| {
            let lies_over_map =
                |node: Option<&Node>| node.is_none_or(|node| node.as_map().is_some());
            !map.is_empty() && !self.is_choice() && lies_over_map(old) && lies_over_map(new)
        });
        let placed = placement(key, &entry.value).filter(|_| old.is_none());
        if let Some(placed) = &placed {
            self.placed(entry, placed, new, beside);
        }
        let Some(parts) = parts else {
            let verdict = match placed {
                Some(_) => self.judge(&without_place(&entry.value), old, new),
                None => self.judge(&entry.value, old, new),
            };
            self.touch(entry, old, new, verdict);
            return;
        };
        let above = self.gone.clone();
        if old.is_some() && new.is_none() && self.gone.is_none() {
            self.gone = Some(self.path.clone());
        }
        self.map(parts, old, new, placed.is_some());
        self.gone = above;
    }

    /// The wish of a new key to stand beside another.
    fn placed(
        &mut self,
        entry: &'n Entry,
        placed: &Placement,
        new: Option<&Node>,
        [old_beside, new_beside]: [Option<&Map>; 2],
    ) {
        let place = entry.value.as_map().and_then(|map| map.get("place"));
        let Some(place) = place else { return };
        let has = |map: Option<&Map>| map.is_some_and(|map| map.contains_key(&placed.sibling));
        let verdict = if new.is_some() || self.gone.is_some() {
            // The order of a map that is gone, or of a key that has its place, is no wish any more.
            Verdict::NotNeeded { must_go: true }
        } else if has(old_beside) && !has(new_beside) {
            Verdict::Placed(placed.sibling.clone())
        } else {
            Verdict::Kept
        };
        self.path.push("place".to_owned());
        self.touch(place, None, None, verdict);
        self.path.pop();
    }

    fn judge(&self, ours: &Node, old: Option<&Node>, new: Option<&Node>) -> Verdict {
        let says = |node: &Node| canonical_part(self.kind, node, &self.path[self.root..]);
        let bases_agree = old.map(says) == new.map(says);
        let is_removal = ours.kind == Kind::Null;
        let is_nothing = ours.as_map().is_some_and(Map::is_empty);
        let are_maps = [old, new].map(|node| node.is_some_and(|node| node.as_map().is_some()));
        match new {
            None if is_removal => return Verdict::NotNeeded { must_go: true },
            Some(_) if is_nothing && are_maps == [true, true] && !self.is_choice() => {
                return Verdict::NotNeeded { must_go: false };
            }
            Some(new) if !is_removal && says(new) == says(ours) => {
                return Verdict::NotNeeded { must_go: false };
            }
            _ => {}
        }
        if let Some(gone) = &self.gone {
            return Verdict::Removed(gone.clone());
        }
        match (old, new) {
            (None, None) if self.only_ours_before => Verdict::Added,
            _ if bases_agree => Verdict::Kept,
            (None, _) => Verdict::Added,
            (Some(_), None) => Verdict::Removed(self.path.clone()),
            _ => Verdict::Changed,
        }
    }

    fn is_choice(&self) -> bool {
        self.kind.is_choice(&self.path[self.root..])
    }

    fn touch(
        &mut self,
        entry: &'n Entry,
        old: Option<&'n Node>,
        new: Option<&'n Node>,
        verdict: Verdict,
    ) {
        self.touches.push(Touch {
            path: self.path.clone(),
            entry,
            old,
            new,
            is_choice: self.is_choice(),
            verdict,
        });
    }
}
