//! What a pack calls otherwise than its earlier versions did: `renamed` in its header, read and
//! checked.
//!
//! A path is the folder of a kind, the id of a definition and the keys within it, with `/` between;
//! of the header it begins with `pack`. Its parts are the names of the version that had it, or the
//! names of today. What was renamed twice is found either way: by two lines, or by one that was
//! kept up to date.

use std::collections::HashMap;

use super::chain::MergedPack;
use crate::overlay::DefinitionKind;
use crate::source::{Diagnostics, Entry, Node, Sources, nearest};

/// The first part of a path into the header of a pack.
pub(crate) const HEADER_ROOT: &str = "pack";
/// How many renames a pack may list.
const MAX_RENAMES: usize = 1_000;
/// How often one thing may have been renamed.
const MAX_STEPS: usize = 32;

/// What a pack and the packs below it have renamed.
#[derive(Clone, Debug, Default)]
pub struct Renames(HashMap<String, String>);

impl Renames {
    /// Takes in those that a header lists; what is not well formed is left out.
    pub(super) fn add(&mut self, header: &Node) {
        let listed = entries(header).filter_map(|(path, entry)| {
            let name = entry.value.as_text()?;
            let is_sound = malformed(path).is_none() && is_key(name);
            is_sound.then(|| (path.clone(), name.to_owned()))
        });
        self.0.extend(listed);
    }

    /// Those whose old name nothing has in a pack: what a level has added since under an old name is
    /// called so.
    pub(super) fn left_in(mut self, pack: &MergedPack) -> Self {
        self.0.retain(|old, _| {
            let parts: Vec<String> = old.split('/').map(str::to_owned).collect();
            at(pack, &parts).is_none()
        });
        self
    }

    /// Whether nothing was renamed.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The last key of a path today, where it is another.
    fn last(&self, path: &[String]) -> Option<&str> {
        let above = path.split_last().map(|(_, above)| above.join("/"))?;
        let mut current = path.join("/");
        let mut name = None;
        for _ in 0..MAX_STEPS {
            let Some(next) = self.0.get(&current) else {
                break;
            };
            name = Some(next.as_str());
            current = format!("{above}/{next}");
        }
        name
    }

    /// The path today of what once stood at this one.
    pub fn path(&self, old: &[String]) -> Vec<String> {
        let mut new: Vec<String> = Vec::with_capacity(old.len());
        for (index, key) in old.iter().enumerate() {
            new.push(key.clone());
            let name = self.last(&old[..=index]).or_else(|| self.last(&new));
            if let Some(name) = name {
                name.clone_into(&mut new[index]);
            }
        }
        new
    }
}

fn entries(header: &Node) -> impl Iterator<Item = (&String, &Entry)> {
    let listed = header.get("renamed").and_then(Node::as_map);
    listed.into_iter().flatten()
}

/// What stands at a path of a merged pack.
fn at<'p>(pack: &'p MergedPack, path: &[String]) -> Option<&'p Node> {
    let (root, keys) = match path {
        [root, keys @ ..] if root == HEADER_ROOT => (&pack.header, keys),
        [folder, id, keys @ ..] => {
            let mut all = pack.definitions.iter();
            let it = all.find(|it| it.kind.folder() == Some(folder) && it.id == *id)?;
            (&it.root, keys)
        }
        _ => return None,
    };
    keys.iter().try_fold(root, |node, key| node.get(key))
}

/// Why a text is no path that could have been renamed.
fn malformed(path: &str) -> Option<String> {
    let parts: Vec<&str> = path.split('/').collect();
    if parts.iter().any(|part| part.is_empty()) {
        return Some(format!("`{path}` has an empty part between two `/`"));
    }
    if parts[0] == HEADER_ROOT {
        let rest = "a rename in the header reads `pack/roles/old-name: new-name`";
        return (parts.len() < 3).then(|| rest.to_owned());
    }
    let folders = || DefinitionKind::ALL.iter().filter_map(|kind| kind.folder());
    if !folders().any(|folder| folder == parts[0]) {
        let meant = nearest(parts[0], folders());
        let meant = meant.map_or_else(String::new, |folder| format!(", did you mean `{folder}`?"));
        return Some(format!("`{}` is no folder of definitions{meant}", parts[0]));
    }
    (parts.len() < 2).then(|| format!("`{path}` names no definition: a path goes on with its id"))
}

fn is_key(name: &str) -> bool {
    !name.is_empty() && !name.contains('/')
}

/// Holds the renames of a pack to what it holds.
pub(super) fn check(pack: &MergedPack, sources: &Sources, found: &mut Diagnostics) {
    if entries(&pack.header).count() > MAX_RENAMES {
        let message = format!("more than {MAX_RENAMES} renames are listed");
        found.push(sources.error(pack.header.span, "too-large", message));
        return;
    }
    for (path, entry) in entries(&pack.header) {
        if let Some(message) = malformed(path) {
            let help =
                "a path is the folder, the id and the keys: `workflows/incident/fields/contact`";
            found.push(sources.error(entry.key, "renamed", message).help(help));
            continue;
        }
        let parts: Vec<String> = path.split('/').map(str::to_owned).collect();
        if let Some(diagnostic) = misfit(pack, &parts, entry, sources) {
            found.push(diagnostic);
        }
    }
}

/// What is wrong with a rename whose path is well formed.
fn misfit(
    pack: &MergedPack,
    old: &[String],
    entry: &Entry,
    sources: &Sources,
) -> Option<crate::source::Diagnostic> {
    let name = entry.value.as_text()?;
    let (last, above) = old.split_last()?;
    if !is_key(name) {
        let message = "a new name is the last key alone, without the path before it";
        return Some(sources.error(entry.value.span, "renamed", message));
    }
    let renames = &pack.renames;
    let beside = |name: &str| [renames.path(above), vec![name.to_owned()]].concat();
    if at(pack, &beside(last)).is_some() {
        let message = format!("`{last}` is called so still: nothing was renamed");
        let help = "take the line out, or rename it";
        return Some(sources.error(entry.key, "renamed", message).help(help));
    }
    let new = renames.path(old);
    if at(pack, &new).is_some() {
        return None;
    }
    let message = format!("there is no `{}`, which this was renamed to", new.join("/"));
    let parent = at(pack, &renames.path(above)).and_then(Node::as_map);
    let near = parent.and_then(|map| nearest(name, map.keys().map(String::as_str)));
    let diagnostic = sources.error(entry.value.span, "renamed", message);
    Some(match near {
        Some(near) => diagnostic.suggest(Some(near)),
        None => diagnostic.help("if it has been removed since, take the line out"),
    })
}
