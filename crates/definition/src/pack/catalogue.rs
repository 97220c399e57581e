//! Items of the catalogue: each is laid over the workflow that it is an item of.

use std::sync::Arc;

use indexmap::IndexMap;
use model::Digest;
use model::definition::{CatalogueItem, Workflow};
use model::id::{CatalogueItemId, WorkflowId};

use super::canonical::canonical;
use super::chain::Merged;
use super::{Item, Shelf, Sourced, body};
use crate::overlay::{DefinitionKind, HEADER, merge};
use crate::source::{Kind, Node, Tree, nearest, read};

impl Shelf<'_> {
    /// The items of the catalogue, each laid over its workflow.
    pub(super) fn items(
        &mut self,
        workflows: &IndexMap<WorkflowId, Sourced<Workflow>>,
    ) -> IndexMap<CatalogueItemId, Item> {
        let items: Vec<Merged> = self
            .definitions
            .extract_if(.., |merged| merged.kind == DefinitionKind::CatalogueItem)
            .collect();
        let mut catalogue = IndexMap::new();
        for merged in items {
            let Ok(id) = merged.id.parse() else { continue };
            catalogue.extend(self.item(merged, workflows).map(|item| (id, item)));
        }
        catalogue
    }

    fn item(
        &mut self,
        merged: Merged,
        workflows: &IndexMap<WorkflowId, Sourced<Workflow>>,
    ) -> Option<Item> {
        let own = kept(&merged.root, |key| CatalogueItem::KEYS.contains(&key));
        let value: CatalogueItem = read(&own, self.sources, self.found)?;
        let Some(below) = workflows.get(&value.of) else {
            let span = merged.root.get("of").map_or(merged.root.span, |of| of.span);
            let message = format!("there is no workflow `{}`", value.of);
            let near = nearest(value.of.as_str(), workflows.keys().map(WorkflowId::as_str));
            let unknown = self.sources.error(span, "unknown-name", message);
            self.found.push(unknown.suggest(near));
            return None;
        };
        let patch = kept(&merged.root, |key| {
            key == "title" || !(CatalogueItem::KEYS.contains(&key) || HEADER.contains(&key))
        });
        let mut root = below.tree.root.clone();
        let before = self.found.len();
        merge(
            DefinitionKind::Workflow,
            &mut root,
            &patch,
            self.sources,
            self.found,
        );
        if self.found.len() > before {
            return None;
        }
        let workflow: Workflow = read(&body(&root), self.sources, self.found)?;
        let text = canonical(DefinitionKind::Workflow, &root);
        let tree = |root: Node| Tree {
            root,
            sources: Arc::clone(self.sources),
        };
        Some(Item {
            item: Sourced {
                value,
                digest: merged.digest,
                canonical: merged.canonical,
                tree: tree(merged.root),
            },
            workflow: Sourced {
                value: workflow,
                digest: Digest::of(text.as_bytes()),
                canonical: text,
                tree: tree(root),
            },
        })
    }
}

/// The entries of a map whose keys are wanted.
fn kept(node: &Node, wanted: impl Fn(&str) -> bool) -> Node {
    let mut kept = node.clone();
    if let Kind::Map(map) = &mut kept.kind {
        map.retain(|key, _| wanted(key));
    }
    kept
}
