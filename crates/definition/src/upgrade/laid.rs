//! All definitions of a pack as trees, found by path.

use indexmap::IndexMap;

use crate::overlay::{DefinitionKind, HEADER};
use crate::pack::chain::{Definitions, Level, MergedPack, OWN};
use crate::pack::renamed::HEADER_ROOT;
use crate::source::{Kind, Node};

/// The header and the definitions of a pack, or what an adaptation says of them.
#[derive(Clone, Debug)]
pub(super) struct Laid {
    /// The header, `pack.yaml`.
    pub(super) header: Node,
    /// The definitions by kind and id.
    pub(super) definitions: Definitions,
}

impl Laid {
    pub(super) fn of_merged(pack: MergedPack) -> Self {
        let each = pack.definitions.into_iter();
        Self {
            header: pack.header,
            definitions: each.map(|it| ((it.kind, it.id), it.root)).collect(),
        }
    }

    pub(super) fn of_level(level: Level) -> Self {
        Self {
            header: level.header,
            definitions: level.definitions,
        }
    }

    /// Header and definitions, each with the path at which it stands.
    pub(super) fn trees(&self) -> impl Iterator<Item = (DefinitionKind, Vec<String>, &Node)> {
        let header = (
            DefinitionKind::Pack,
            vec![HEADER_ROOT.to_owned()],
            &self.header,
        );
        let definitions = self
            .definitions
            .iter()
            .map(|((kind, id), node)| (*kind, root(*kind, id), node));
        std::iter::once(header).chain(definitions)
    }

    /// The tree that stands at the path of a header or a definition.
    pub(super) fn tree(&self, root: &[String]) -> Option<&Node> {
        match root {
            [header] if header == HEADER_ROOT => Some(&self.header),
            [folder, id] => self.definitions.get(&(kind_of(folder)?, id.clone())),
            _ => None,
        }
    }

    /// The value at a path.
    pub(super) fn get(&self, path: &[String]) -> Option<&Node> {
        let length = if path.first()? == HEADER_ROOT { 1 } else { 2 };
        let (root, keys) = path.split_at_checked(length)?;
        let tree = self.tree(root)?;
        keys.iter().try_fold(tree, |node, key| node.get(key))
    }

    /// Whether something other than a removal stands at a path.
    pub(super) fn has(&self, path: &[String]) -> bool {
        self.get(path).is_some_and(|node| node.kind != Kind::Null)
    }

    /// The paths that exist, of those that a path with `*` in the place of keys stands for.
    pub(super) fn matching(&self, path: &[String]) -> Vec<Vec<String>> {
        let Some(star) = path.iter().position(|key| key == "*") else {
            return self.has(path).then(|| path.to_vec()).into_iter().collect();
        };
        let map = self.get(&path[..star]).and_then(Node::as_map);
        let keys = map.into_iter().flat_map(IndexMap::keys);
        let each = keys.flat_map(|key| {
            let mut path = path.to_vec();
            path[star].clone_from(key);
            self.matching(&path)
        });
        each.collect()
    }
}

/// The path of a definition.
pub(crate) fn root(kind: DefinitionKind, id: &str) -> Vec<String> {
    match kind.folder() {
        Some(folder) => vec![folder.to_owned(), id.to_owned()],
        None => vec![HEADER_ROOT.to_owned()],
    }
}

/// The kind of the definitions that stand in a folder.
pub(super) fn kind_of(folder: &str) -> Option<DefinitionKind> {
    let mut kinds = DefinitionKind::ALL.into_iter();
    kinds.find(|kind| kind.folder() == Some(folder))
}

/// Whether a key at the root of a definition says what it is, and so is no touch.
pub(super) fn is_own(kind: DefinitionKind, key: &str) -> bool {
    HEADER.contains(&key) || (kind == DefinitionKind::Pack && OWN.contains(&key))
}
