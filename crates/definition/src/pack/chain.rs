//! A pack and its bases: loading each level's files, and laying the levels over each other.

use std::collections::BTreeMap;

use indexmap::IndexMap;
use indexmap::map::Entry as Slot;
use model::Digest;
use model::id::PackId;

use super::canonical::canonical;
use super::fragments;
use super::layout::{Place, Written, header, place};
use super::recurring;
use super::renamed::Renames;
use super::{MAX_FILES, MAX_PACK_BYTES, PackRef};
use crate::overlay::{DefinitionKind, merge as overlay, refuse_nulls};
use crate::source::{Diagnostic, Diagnostics, FileId, Kind, Node, Sources, load as load_file};

/// How many packs may stand on each other.
pub const MAX_CHAIN: usize = 8;

/// What the header of a base says of itself alone, which is not handed up to what extends it.
pub(crate) const OWN: [&str; 5] = ["id", "version", "title", "extends", "renamed"];

/// One pack of the chain as its own files have it.
pub(crate) struct Level {
    pub(crate) id: PackId,
    pub(crate) header: Node,
    pub(crate) definitions: Definitions,
}

/// A definition after merging.
pub(crate) struct Merged {
    pub(crate) kind: DefinitionKind,
    pub(crate) id: String,
    pub(crate) root: Node,
    pub(super) canonical: String,
    pub(super) digest: Digest,
}

/// A pack after merging.
pub(crate) struct MergedPack {
    pub(crate) header: Node,
    pub(crate) chain: Vec<PackRef>,
    pub(crate) definitions: Vec<Merged>,
    /// What each pack of the chain has renamed.
    pub(crate) renames: Renames,
}

/// Definitions as files have them, by kind and id.
pub(crate) type Definitions = IndexMap<(DefinitionKind, String), Node>;

/// The first step: every file of every level, the lowest base first.
pub(crate) fn load(
    files: &BTreeMap<String, String>,
    sources: &mut Sources,
) -> Result<Vec<Level>, Diagnostics> {
    check_bounds(files)?;
    let mut found = Diagnostics::new();
    let depth = files
        .keys()
        .map(|path| base_prefix(path).matches('/').count())
        .max()
        .unwrap_or_default();
    if depth >= MAX_CHAIN {
        let message = format!("more than {MAX_CHAIN} packs stand on each other");
        return Err(Diagnostic::of_file("base/", "too-deep", message).into());
    }
    let mut levels = Vec::new();
    for level in (0..=depth).rev() {
        let prefix = "base/".repeat(level);
        let own = files.iter().filter(|(path, _)| base_prefix(path) == prefix);
        levels.extend(load_level(&prefix, own, sources, &mut found));
    }
    found.into_result(Some(levels))
}

fn check_bounds(files: &BTreeMap<String, String>) -> Result<(), Diagnostic> {
    let bytes: usize = files.values().map(String::len).sum();
    if files.len() > MAX_FILES {
        let message = format!(
            "the pack has {} files; {MAX_FILES} is the most",
            files.len()
        );
        return Err(Diagnostic::of_file("pack.yaml", "too-large", message));
    }
    if bytes > MAX_PACK_BYTES {
        let message = format!(
            "the files of the pack have {bytes} bytes together; {MAX_PACK_BYTES} is the most"
        );
        return Err(Diagnostic::of_file("pack.yaml", "too-large", message));
    }
    Ok(())
}

/// The part of a path that says how far down the chain it belongs: `base/` as often as it begins so.
fn base_prefix(path: &str) -> &str {
    let mut rest = path;
    while let Some(below) = rest.strip_prefix("base/") {
        rest = below;
    }
    &path[..path.len() - rest.len()]
}

fn load_level<'f>(
    prefix: &str,
    files: impl Iterator<Item = (&'f String, &'f String)>,
    sources: &mut Sources,
    found: &mut Diagnostics,
) -> Option<Level> {
    let mut own_header: Option<Written> = None;
    let mut definitions = Definitions::new();
    let mut ids: Vec<FileId> = Vec::new();
    let mut has_header = false;
    for (path, text) in files {
        let kind = match place(path, &path[prefix.len()..], text) {
            Ok(Place::Header) => DefinitionKind::Pack,
            Ok(Place::Definition(kind)) => kind,
            Ok(Place::Other) => continue,
            Err(diagnostic) => {
                found.push(diagnostic);
                continue;
            }
        };
        has_header |= kind == DefinitionKind::Pack;
        let file = sources.add(path, None, text);
        ids.push(file);
        for Written { kind, id, node } in load_definitions(file, kind, sources, found) {
            if kind == DefinitionKind::Pack {
                match &own_header {
                    Some(first) => {
                        let message = "a second header; the first stands at";
                        found.push(twice(message, &node, &first.node, sources));
                    }
                    None => own_header = Some(Written { kind, id, node }),
                }
                continue;
            }
            match definitions.entry((kind, id)) {
                Slot::Occupied(first) => {
                    let message =
                        format!("a second {kind} `{}`; the first stands at", first.key().1);
                    found.push(twice(&message, &node, first.get(), sources));
                }
                Slot::Vacant(slot) => {
                    slot.insert(node);
                }
            }
        }
    }
    if !has_header {
        let help =
            "a pack's header begins: `kind: Pack`, `id: my-pack`, `version: 1.0.0`, `title: …`";
        let path = format!("{prefix}pack.yaml");
        found.push(Diagnostic::of_file(&path, "missing-file", "`pack.yaml` is missing").help(help));
    }
    let Written { id, node, .. } = own_header?;
    let id = PackId::new(&id).ok()?;
    for file in ids {
        sources.set_pack(file, &id);
    }
    Some(Level {
        id,
        header: node,
        definitions,
    })
}

/// The definitions of one file, those with a sound header.
fn load_definitions(
    file: FileId,
    kind: DefinitionKind,
    sources: &Sources,
    found: &mut Diagnostics,
) -> Vec<Written> {
    let Some(documents) = load_file(sources, file, found) else {
        return Vec::new();
    };
    if documents.is_empty() {
        let message = format!("the file holds no definition; here stands a {kind}");
        let path = &sources.file(file).path;
        found.push(Diagnostic::of_file(path, "empty-document", message));
    }
    let read = |document| header(document, file, kind, sources, found);
    documents.into_iter().filter_map(read).collect()
}

fn twice(message: &str, second: &Node, first: &Node, sources: &Sources) -> Diagnostic {
    let span = |node: &Node| node.get("id").map_or(node.span, |id| id.span);
    let message = format!("{message} {}", sources.place(span(first)));
    sources.error(span(second), "duplicate-definition", message)
}

/// The first two steps for an adaptation, which is kept apart: what its own files say, and what
/// all that is below it comes to. Nothing below, where nothing stands in `base/`.
pub(crate) fn apart(
    files: &BTreeMap<String, String>,
    sources: &mut Sources,
) -> Result<(Level, Option<MergedPack>), Diagnostics> {
    let mut levels = load(files, sources)?;
    let own = levels
        .pop()
        .expect("what was loaded without a fault has a header");
    let below = (!levels.is_empty())
        .then(|| lay(levels, None, sources))
        .transpose()?;
    Ok((own, below))
}

/// The second step: each level laid over what is below it, from the bottom.
pub(crate) fn merge(levels: Vec<Level>, sources: &Sources) -> Result<MergedPack, Diagnostics> {
    let top = levels.len().checked_sub(1);
    lay(levels, top, sources)
}

/// Lays levels over each other. The one at `top`, where it is among them, has nothing above it.
fn lay(
    levels: Vec<Level>,
    top: Option<usize>,
    sources: &Sources,
) -> Result<MergedPack, Diagnostics> {
    let mut found = Diagnostics::new();
    let mut chain: Vec<PackRef> = Vec::new();
    let mut written: Vec<Definitions> = Vec::new();
    let mut definitions = Definitions::new();
    let mut header: Option<Node> = None;
    let mut renames = Renames::default();
    let mut last = Vec::new();
    for (index, level) in levels.into_iter().enumerate() {
        check_extends(
            &level,
            chain.last(),
            top == Some(index),
            sources,
            &mut found,
        );
        // Laid over another base than it was made for, it would only break in ways that mislead.
        if found.has_errors() {
            return found.into_result(None);
        }
        if let Some(pack) = chain.iter().find(|pack| pack.id == level.id) {
            let message = format!("the pack `{}` stands on itself", pack.id);
            found.push(sources.error(level.header.span, "extends", message));
        }
        let version = version(&level, sources, &mut found);
        renames.add(&level.header);
        let merged_header = merge_header(header.take(), &level, sources, &mut found);
        written.push(level.definitions);
        definitions = laid(&written, sources, &mut found);
        // Whatever follows a fault down here would be held to the wrong digest.
        if found.has_errors() {
            return found.into_result(None);
        }
        last = canonical_all(&definitions);
        let digest = pack_digest(&merged_header, &last);
        chain.push(PackRef {
            id: level.id,
            version,
            digest,
        });
        header = Some(merged_header);
    }
    let definitions = definitions
        .into_iter()
        .zip(last)
        .map(|(((kind, id), root), (_, canonical, digest))| Merged {
            kind,
            id,
            root,
            canonical,
            digest,
        })
        .collect();
    let merged = header.map(|header| MergedPack {
        header,
        chain,
        definitions,
        renames: Renames::default(),
    });
    found.into_result(merged.map(|merged| MergedPack {
        renames: renames.left_in(&merged),
        ..merged
    }))
}

/// The definitions of all levels laid over each other, parts of others first: a definition has what it
/// uses from the level on that says so, and the levels above it patch the whole.
fn laid(levels: &[Definitions], sources: &Sources, found: &mut Diagnostics) -> Definitions {
    let mut all = Definitions::new();
    for parts in [true, false] {
        for level in levels {
            let these = level
                .iter()
                .filter(|((kind, _), _)| fragments::is_part(*kind) == parts);
            for ((kind, id), node) in these {
                let key = (*kind, id.clone());
                let used = fragments::used(*kind, node);
                let mut laid = node.clone();
                if let Some(base) = all.get(&key) {
                    fragments::stay(*kind, base, node, sources, found);
                    laid.clone_from(base);
                    overlay(*kind, &mut laid, node, sources, found);
                } else if used.is_empty() && !kind.is_patch() {
                    refuse_nulls(node, sources, found);
                }
                if !used.is_empty() {
                    laid = fragments::under(*kind, &laid, &used, &all, sources, found);
                }
                all.insert(key, laid);
            }
        }
    }
    recurring::settle(&mut all);
    all
}

/// Holds an adaptation that is kept apart to what it was made for.
pub(crate) fn check_base(
    own: &Level,
    below: &MergedPack,
    sources: &Sources,
) -> Result<(), Diagnostics> {
    let mut found = Diagnostics::new();
    check_extends(own, below.chain.last(), true, sources, &mut found);
    found.into_result(Some(()))
}

/// Holds what a level says it extends to what stands in its `base/`.
fn check_extends(
    level: &Level,
    base: Option<&PackRef>,
    is_top: bool,
    sources: &Sources,
    found: &mut Diagnostics,
) {
    let extends = level.header.as_map().and_then(|map| map.get("extends"));
    let (entry, base) = match (extends, base) {
        (None, None) => return,
        // A base without its own base has been merged with it already; its digest tells if not.
        (Some(_), None) if !is_top => return,
        (Some(entry), None) => {
            let message = "the pack that this one extends does not stand in `base/`";
            let help = "put its folder there: base/pack.yaml, base/workflows/, …";
            found.push(sources.error(entry.key, "extends", message).help(help));
            return;
        }
        (None, Some(base)) => {
            let message = "there is a pack in `base/`, but this one extends none";
            let help = format!(
                "add `extends: {{ pack: {}, version: {}, digest: \"{}\" }}`",
                base.id, base.version, base.digest
            );
            found.push(
                sources
                    .error(level.header.span, "extends", message)
                    .help(help),
            );
            return;
        }
        (Some(entry), Some(base)) => (entry, base),
    };
    let digest = base.digest.to_string();
    for (key, right) in [
        ("pack", base.id.as_str()),
        ("version", &base.version),
        ("digest", &digest),
    ] {
        let said = entry.value.get(key);
        if said.and_then(Node::as_text) == Some(right) {
            continue;
        }
        let message = match (said, key) {
            (None, _) => format!("`extends` does not say the {key} of the pack in `base/`"),
            (Some(_), "digest") => {
                "the pack in `base/` has another digest: it is not the one that was adapted"
                    .to_owned()
            }
            (Some(_), _) => format!(
                "the pack in `base/` has another {}",
                if key == "pack" { "id" } else { key }
            ),
        };
        let span = said.map_or(entry.key, |said| said.span);
        let help = format!("if it is the one that is meant, write `{key}: {right}`");
        found.push(sources.error(span, "extends", message).help(help));
        // A pack of another name has another digest, too; one of the two says all.
        return;
    }
}

fn version(level: &Level, sources: &Sources, found: &mut Diagnostics) -> String {
    let Some(node) = level.header.get("version") else {
        found.push(sources.error(
            level.header.span,
            "missing-key",
            "`version` is missing here",
        ));
        return String::new();
    };
    let is_part = |part: &str| {
        part == "0"
            || (part.len() <= 9
                && !part.starts_with('0')
                && !part.is_empty()
                && part.bytes().all(|b| b.is_ascii_digit()))
    };
    match node.as_text() {
        Some(text) if text.split('.').count() == 3 && text.split('.').all(is_part) => {
            text.to_owned()
        }
        _ => {
            let message = "a version has three numbers, such as 1.0.0";
            found.push(sources.error(node.span, "value", message));
            String::new()
        }
    }
}

/// A level's header over what its base hands up: roles, zone, language, server.
fn merge_header(
    base: Option<Node>,
    level: &Level,
    sources: &Sources,
    found: &mut Diagnostics,
) -> Node {
    let Some(mut base) = base else {
        refuse_nulls(&level.header, sources, found);
        return level.header.clone();
    };
    if let Kind::Map(map) = &mut base.kind {
        map.retain(|key, _| !OWN.contains(&key.as_str()));
    }
    base.span = level.header.span;
    overlay(
        DefinitionKind::Pack,
        &mut base,
        &level.header,
        sources,
        found,
    );
    base
}

fn canonical_all(definitions: &Definitions) -> Vec<(String, String, Digest)> {
    let each = definitions.iter().map(|((kind, id), root)| {
        let text = canonical(*kind, root);
        let digest = Digest::of(text.as_bytes());
        (format!("{kind}/{id}"), text, digest)
    });
    each.collect()
}

/// The digest of a pack: over its canonical header and the digest of each definition by kind and id.
fn pack_digest(header: &Node, definitions: &[(String, String, Digest)]) -> Digest {
    let by_name: BTreeMap<&str, String> = definitions
        .iter()
        .map(|(name, _, digest)| (name.as_str(), digest.to_string()))
        .collect();
    let definitions = serde_json::to_string(&by_name).expect("a map of texts is plain data");
    Digest::of_parts(&[
        canonical(DefinitionKind::Pack, header).as_bytes(),
        definitions.as_bytes(),
    ])
}
