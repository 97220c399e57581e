//! Upgrading an adaptation to another version of the pack that it extends.
//!
//! Three things are held together: the old base, which the adaptation carries in `base/`; the new
//! base; and what the adaptation says, its *touches*. What the new base calls otherwise is renamed
//! first ([`rename`](self)); then each touch is not needed any more, kept, or in conflict. Where no
//! conflict is left, the adaptation's own files are edited in place, so that comments and layout
//! stay, its `extends` says the new version, and the new base is what stands in `base/`. Whatever
//! it does not touch follows the new base by itself: nothing of the base was ever copied.
//!
//! The result is read again before it is given: what was not understood is refused, never written.

mod edit;
mod error;
mod homes;
mod laid;
mod names;
mod rename;
mod report;
mod resolve;
mod steps;
#[cfg(test)]
mod tests;
mod touch;
mod words;

use std::collections::{BTreeMap, BTreeSet, HashSet};

use crate::overlay::DefinitionKind;
use crate::pack::chain::{MergedPack, apart, check_base};
use crate::pack::{Pack, PackRef};
use crate::source::{Diagnostics, Entry, Kind, Map, Node, Sources, load};
use edit::{Edits, Unsafe};
use laid::Laid;
use rename::{Found, Named, Wanting};
use resolve::{Renamer, Why};
use touch::{Touch, Verdict, touches};

pub use error::UpgradeError;
pub(crate) use laid::root;
pub use report::{Conflict, ConflictKind, NotNeeded, Place, Renamed, Report, Value, Version};

/// Whose value is taken where both have one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The adaptation's.
    Ours,
    /// The new base's.
    Theirs,
}

/// How the conflicts at a path, and at all that is within it, are resolved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Take {
    /// The path, as a conflict shows it.
    pub path: String,
    /// Whose value is taken.
    pub side: Side,
}

/// What is to be upgraded, to what.
#[derive(Clone, Copy, Debug)]
pub struct Request<'r> {
    /// The files of the adaptation, `base/` included.
    pub files: &'r BTreeMap<String, String>,
    /// The files of the new base, its own `base/` included.
    pub base: &'r BTreeMap<String, String>,
    /// How conflicts are resolved; of two that fit, the longer path counts.
    pub takes: &'r [Take],
    /// Whether touches that are not needed are taken out.
    pub prune: bool,
}

/// An upgrade: what becomes of each touch, and the files where nothing is left to be decided.
#[derive(Clone, Debug)]
pub struct Upgrade {
    /// What becomes of each touch.
    pub report: Report,
    /// The files of the upgraded adaptation, `base/` included; none where a conflict is left.
    pub files: Option<BTreeMap<String, String>>,
}

/// Upgrades an adaptation.
///
/// # Errors
/// Where either pack is not right, the new base is not a version of the old one, a path to be taken
/// is in no conflict, a file cannot be edited without doubt, or the result is not right as a pack.
pub fn upgrade(request: &Request<'_>) -> Result<Upgrade, UpgradeError> {
    let upgrade = upgrade_unread(request)?;
    if let Some(files) = &upgrade.files {
        Pack::read(files).map_err(UpgradeError::Result)?;
    }
    Ok(upgrade)
}

/// Upgrades an adaptation, whose result may yet be wrong as a pack.
fn upgrade_unread(request: &Request<'_>) -> Result<Upgrade, UpgradeError> {
    let mut sources = Sources::new();
    let (level, below) = apart(request.files, &mut sources).map_err(UpgradeError::Adaptation)?;
    let below = below.ok_or(UpgradeError::NoBase)?;
    check_base(&level, &below, &sources).map_err(UpgradeError::Adaptation)?;
    let mut new_sources = Sources::new();
    let above = over(request);
    let (_, new) = apart(&above, &mut new_sources).map_err(UpgradeError::Base)?;
    let new = new.ok_or(UpgradeError::NoBase)?;
    let (from, to) = versions(&below, &new)?;

    let work = Work {
        request,
        sources: &sources,
        new_sources: &new_sources,
        to: to.clone(),
    };
    let renames = new.renames.clone();
    let (old, new, ours) = (
        Laid::of_merged(below),
        Laid::of_merged(new),
        Laid::of_level(level),
    );
    let renamer = Renamer::new(&old, &ours, &new, &renames);
    let mut found = Found::default();
    let ours_today = renamer.carry_over(&ours, &mut found);
    let old_today = renamer.carry_over(&old, &mut Found::default());
    let (touches, own) = touches(&old_today, &new, &ours_today);
    work.decide(found, &touches, &own, &ours_today, (from, to))
}

/// The files with the new base in the place of the old one.
fn over(request: &Request<'_>) -> BTreeMap<String, String> {
    let own = request
        .files
        .iter()
        .filter(|(path, _)| !path.starts_with("base/"));
    let own = own.map(|(path, text)| (path.clone(), text.clone()));
    let base = request.base.iter();
    let base = base.map(|(path, text)| (format!("base/{path}"), text.clone()));
    own.chain(base).collect()
}

fn versions(old: &MergedPack, new: &MergedPack) -> Result<(PackRef, PackRef), UpgradeError> {
    let last = |pack: &MergedPack| pack.chain.last().cloned().ok_or(UpgradeError::NoBase);
    let (old, new) = (last(old)?, last(new)?);
    if old.id == new.id {
        return Ok((old, new));
    }
    Err(UpgradeError::OtherPack {
        extended: old.id,
        given: new.id,
    })
}

/// What all steps of an upgrade look at.
struct Work<'w> {
    request: &'w Request<'w>,
    sources: &'w Sources,
    new_sources: &'w Sources,
    to: PackRef,
}

impl Work<'_> {
    fn decide(
        &self,
        found: Found,
        touches: &[Touch<'_>],
        own: &[Vec<String>],
        ours: &Laid,
        (from, to): (PackRef, PackRef),
    ) -> Result<Upgrade, UpgradeError> {
        let mut edits = found.edits;
        let mut report = Report::new(Version::of(from), Version::of(to));
        report.own = own.iter().map(|path| path.join("/")).collect();
        report.renamed = self.renamed(&found.renamed);
        let mut used = BTreeSet::new();
        for touch in touches {
            self.settle(touch, &mut edits, &mut report, &mut used);
        }
        let paths: HashSet<&[String]> = touches.iter().map(|touch| &touch.path[..]).collect();
        let settled = report.conflicts.iter().map(|it| it.path.clone());
        let settled: HashSet<String> = settled.collect();
        for wanting in &found.wanting {
            // What is said of a choice is said of the touch that the choice is.
            let ends = (1..=wanting.at.len()).map(|end| &wanting.at[..end]);
            let mut above = ends.clone();
            let at = above
                .find(|path| paths.contains(path))
                .unwrap_or(&wanting.at);
            // Of what stands within a conflict, or is one, that it names what is gone is no news.
            let mut within = ends.filter(|path| path.len() <= at.len());
            if wanting.why == Why::Gone && within.any(|path| settled.contains(&path.join("/"))) {
                continue;
            }
            self.settle_wanting(wanting, at, ours, &mut edits, &mut report, &mut used);
        }
        report.sort();
        let unused = self
            .request
            .takes
            .iter()
            .find(|take| !used.contains(&take.path));
        if let Some(take) = unused {
            let near = report.conflicts.iter().map(|it| it.path.as_str());
            let near = crate::source::nearest(&take.path, near).map(str::to_owned);
            let path = take.path.clone();
            return Err(UpgradeError::NoConflict { path, near });
        }
        let files = report
            .conflicts
            .is_empty()
            .then(|| self.files(&mut edits, ours))
            .transpose()?;
        Ok(Upgrade { report, files })
    }

    fn renamed(&self, named: &[Named]) -> Vec<Renamed> {
        let each = named.iter().map(|named| Renamed {
            path: named.path.join("/"),
            to: named.to.clone(),
            place: Place::of(self.sources, named.span),
        });
        each.collect()
    }

    /// Whose value is taken at a path.
    fn taken(&self, path: &str, used: &mut BTreeSet<String>) -> Option<Side> {
        let within = |take: &&Take| {
            path.strip_prefix(&take.path)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        let fitting = self.request.takes.iter().filter(within);
        let take = fitting.max_by_key(|take| take.path.len())?;
        used.extend(
            self.request
                .takes
                .iter()
                .filter(within)
                .map(|take| take.path.clone()),
        );
        Some(take.side)
    }

    /// What becomes of a touch: into the report, and into the edits.
    fn settle(
        &self,
        touch: &Touch<'_>,
        edits: &mut Edits,
        report: &mut Report,
        used: &mut BTreeSet<String>,
    ) {
        let path = touch.path.join("/");
        let kind = match &touch.verdict {
            Verdict::Kept => {
                report.kept.push(path);
                return;
            }
            Verdict::NotNeeded { must_go } => {
                let dropped = *must_go || self.request.prune;
                if dropped {
                    edits.remove(touch.at());
                }
                let place = Place::of(self.sources, touch.span());
                report.not_needed.push(NotNeeded {
                    path,
                    dropped,
                    place,
                });
                return;
            }
            Verdict::Changed => ConflictKind::Changed,
            Verdict::Added => ConflictKind::Added,
            Verdict::Removed(_) => ConflictKind::Removed,
            Verdict::Placed(_) => ConflictKind::Place,
        };
        match (self.taken(&path, used), kind) {
            (Some(Side::Theirs), _) => {
                edits.remove(touch.at());
                report.taken_theirs.push(path);
            }
            (Some(Side::Ours), kind) if kind != ConflictKind::Place => {
                if let Some(value) = emptied(touch) {
                    edits.replace(touch.at(), value);
                }
                report.taken_ours.push(path);
            }
            _ => report.conflicts.push(self.conflict(touch, path, kind)),
        }
    }

    fn conflict(&self, touch: &Touch<'_>, path: String, kind: ConflictKind) -> Conflict {
        let base = |node: Option<&Node>, sources: &Sources| {
            node.map(|node| Value::of(sources, node, node.span))
        };
        let about = match &touch.verdict {
            Verdict::Removed(gone) => Some(gone.join("/")),
            Verdict::Placed(sibling) => Some(sibling.clone()),
            _ => None,
        };
        Conflict {
            path,
            kind,
            about,
            old: base(touch.old, self.sources),
            new: base(touch.new, self.new_sources).map(Value::of_new_base),
            ours: Value::of(self.sources, &touch.entry.value, touch.span()),
        }
    }

    /// A name that cannot be carried over is a conflict of the touch that it stands in.
    fn settle_wanting(
        &self,
        wanting: &Wanting,
        at: &[String],
        ours: &Laid,
        edits: &mut Edits,
        report: &mut Report,
        used: &mut BTreeSet<String>,
    ) {
        let Some(entry) = entry_at(ours, at) else {
            return;
        };
        let path = at.join("/");
        let kind = match &wanting.why {
            Why::Taken => ConflictKind::Renamed,
            Why::Gone => ConflictKind::Reference,
            Why::Several => ConflictKind::Ambiguous,
        };
        match self.taken(&path, used) {
            Some(Side::Theirs) => {
                edits.remove(edit::at(entry));
                report.taken_theirs.push(path);
            }
            Some(Side::Ours) if kind != ConflictKind::Renamed => report.taken_ours.push(path),
            _ => report.conflicts.push(Conflict {
                path,
                kind,
                about: Some(wanting.named.join("/")),
                old: None,
                new: None,
                ours: Value::of(self.sources, &entry.value, wanting.span),
            }),
        }
    }

    /// The files of the upgraded adaptation.
    fn files(
        &self,
        edits: &mut Edits,
        ours: &Laid,
    ) -> Result<BTreeMap<String, String>, UpgradeError> {
        let extends = ours.header.get("extends").and_then(Node::as_map);
        let extends = extends.ok_or(UpgradeError::NoBase)?;
        let digest = self.to.digest.to_string();
        for (key, value) in [("version", &self.to.version), ("digest", &digest)] {
            let entry = extends.get(key).ok_or(UpgradeError::NoBase)?;
            edits.say(entry, value);
        }
        let mut files = over(self.request);
        let own = self
            .request
            .files
            .keys()
            .filter(|path| !path.starts_with("base/"));
        for path in own {
            // What is no definition is not among the sources, and stays as it is.
            let Some(file) = self.sources.find(path) else {
                continue;
            };
            let documents = load(self.sources, file, &mut Diagnostics::new()).unwrap_or_default();
            match edits.apply(self.sources, file, &documents, says_something) {
                Ok(Some(changed)) => files.insert(path.clone(), changed),
                Ok(None) => files.remove(path),
                Err(Unsafe(file)) => return Err(UpgradeError::Edit { file }),
            };
        }
        Ok(files)
    }
}

fn entry_at<'l>(ours: &'l Laid, path: &[String]) -> Option<&'l Entry> {
    let (last, above) = path.split_last()?;
    ours.get(above)?.as_map()?.get(last)
}

/// Whether a document is a pack's header, or says more than which definition it patches.
fn says_something(document: &Node) -> bool {
    let Some(map) = document.as_map() else {
        return true;
    };
    let is_header =
        document.get("kind").and_then(Node::as_text) == Some(DefinitionKind::Pack.as_str());
    is_header
        || map
            .keys()
            .any(|key| !crate::overlay::HEADER.contains(&key.as_str()))
}

/// An empty map lies over whatever the new base has: to stay empty it removes all that.
fn emptied(touch: &Touch<'_>) -> Option<Node> {
    let is_empty = touch.entry.value.as_map().is_some_and(Map::is_empty) && !touch.is_choice;
    let there = touch
        .new?
        .as_map()
        .filter(|map| is_empty && !map.is_empty())?;
    let span = touch.entry.value.span;
    let null = |key: &String| {
        let value = Node {
            span,
            kind: Kind::Null,
        };
        (key.clone(), Entry { key: span, value })
    };
    let nulls: Map = there.keys().map(null).collect();
    Some(Node {
        span,
        kind: Kind::Map(nulls),
    })
}
