//! Carrying over what the new base calls otherwise: in keys, in names, in expressions and templates.
//!
//! It is done with the old base, so that a rename alone counts as no change of it, and with the
//! adaptation, whose texts are edited.

use std::collections::{BTreeMap, BTreeSet};

use super::edit::{Edits, Piece};
use super::laid::{Laid, is_own, root};
use super::names::{Of, Text, candidates, of_keys, of_text};
use super::words::{Placed, Word, template_words, words};
use crate::overlay::DefinitionKind;
use crate::pack::renamed::Renames;
use crate::source::{Entry, Kind, Map, Node, Span};

/// What is to be known to carry names over.
pub(super) struct Renamer<'a> {
    old: &'a Laid,
    ours: &'a Laid,
    new: &'a Laid,
    renames: &'a Renames,
    /// The workflows whose records a notice is sent for.
    senders: BTreeMap<String, BTreeSet<String>>,
}

/// What came of a tree beside the tree itself.
#[derive(Default)]
pub(super) struct Found {
    pub(super) edits: Edits,
    pub(super) renamed: Vec<Named>,
    pub(super) wanting: Vec<Wanting>,
}

/// A name that was carried over.
pub(super) struct Named {
    /// The path of what was renamed.
    pub(super) path: Vec<String>,
    pub(super) to: String,
    pub(super) span: Span,
}

/// A name that cannot be carried over.
pub(super) struct Wanting {
    /// Where the name stands, by the path of today.
    pub(super) at: Vec<String>,
    /// The path of what it named.
    pub(super) named: Vec<String>,
    pub(super) span: Span,
    pub(super) why: Why,
}

/// Why a name cannot be carried over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Why {
    /// What it named is gone.
    Gone,
    /// It named several things, which are called differently now.
    Several,
    /// What it is to be called is there already.
    Taken,
}

enum Resolved {
    Same,
    To(Vec<String>, String),
    Not(Vec<String>, Why),
}

impl<'a> Renamer<'a> {
    pub(super) fn new(old: &'a Laid, ours: &'a Laid, new: &'a Laid, renames: &'a Renames) -> Self {
        let mut senders = BTreeMap::new();
        for laid in [old, ours] {
            for (kind, root, node) in laid.trees() {
                let homes = match kind {
                    DefinitionKind::Workflow => vec![root[1].clone()],
                    DefinitionKind::ServiceLevel => covered(&[old, ours], &root),
                    _ => continue,
                };
                each_notice(node, &mut |notice| {
                    let senders: &mut BTreeSet<String> =
                        senders.entry(notice.to_owned()).or_default();
                    senders.extend(homes.iter().cloned());
                });
            }
        }
        Self {
            old,
            ours,
            new,
            renames,
            senders,
        }
    }

    /// The same definitions by the names of today.
    pub(super) fn carry_over(&self, laid: &Laid, found: &mut Found) -> Laid {
        let mut header = laid.header.clone();
        let mut definitions = crate::pack::chain::Definitions::new();
        for (kind, own, node) in laid.trees() {
            let today = self.renames.path(&own);
            let today = if self.old.tree(&own).is_some() {
                today
            } else {
                own.clone()
            };
            let mut walk = Walk {
                renamer: self,
                kind,
                own: &own,
                homes: self.homes(kind, &own),
                keys: Vec::new(),
                today: today.clone(),
                found,
            };
            let mut tree = walk.node(node);
            if kind == DefinitionKind::Pack {
                header = tree;
                continue;
            }
            if today != own {
                walk.renamed_id(&mut tree, node, &today[1]);
            }
            definitions.insert((kind, today[1].clone()), tree);
        }
        Laid {
            header,
            definitions,
        }
    }

    /// The workflows of whose records a definition speaks.
    fn homes(&self, kind: DefinitionKind, own: &[String]) -> Vec<String> {
        let all = || {
            let ids = [self.old, self.ours]
                .into_iter()
                .flat_map(|laid| laid.definitions.keys());
            let ids = ids.filter(|(kind, _)| *kind == DefinitionKind::Workflow);
            let ids: BTreeSet<String> = ids.map(|(_, id)| id.clone()).collect();
            ids.into_iter().collect()
        };
        match kind {
            DefinitionKind::Workflow => vec![own[1].clone()],
            DefinitionKind::Fragment => self.users(&own[1]),
            DefinitionKind::CatalogueItem => self.of(own).into_iter().collect(),
            DefinitionKind::ServiceLevel => covered(&[self.old, self.ours], own),
            DefinitionKind::Notice => match self.senders.get(&own[1]) {
                Some(senders) => senders.iter().cloned().collect(),
                None => all(),
            },
            DefinitionKind::Plugin => all(),
            _ => Vec::new(),
        }
    }

    /// The workflows that use a fragment.
    fn users(&self, fragment: &str) -> Vec<String> {
        let mut users = BTreeSet::new();
        for (kind, root, node) in [self.old, self.ours].iter().flat_map(|laid| laid.trees()) {
            let used = node
                .get("use")
                .is_some_and(|used| used.get(fragment).is_some());
            if kind == DefinitionKind::Workflow && used {
                users.insert(root[1].clone());
            }
        }
        users.into_iter().collect()
    }

    /// The workflows that a kind of link may lead to, from whichever side it is called so.
    fn linked(&self, name: &str) -> Vec<String> {
        let mut ends = BTreeSet::new();
        for (kind, root, node) in [self.old, self.ours].iter().flat_map(|laid| laid.trees()) {
            let links = node.get("links").and_then(Node::as_map);
            for (own, entry) in links.into_iter().flatten() {
                let inverse = entry.value.get("inverse").and_then(Node::as_text);
                let to = entry.value.get("to").and_then(Node::as_map);
                if kind == DefinitionKind::Workflow && own == name {
                    ends.extend(to.into_iter().flatten().map(|(to, _)| to.clone()));
                }
                if kind == DefinitionKind::Workflow && inverse == Some(name) {
                    ends.insert(root[1].clone());
                }
            }
        }
        ends.into_iter().collect()
    }

    /// The workflow that an item of the catalogue is of.
    fn of(&self, own: &[String]) -> Option<String> {
        let path = [own, &["of".to_owned()]].concat();
        let said = [self.ours, self.old];
        let said = said.iter().find_map(|laid| laid.get(&path)?.as_text());
        said.map(str::to_owned)
    }

    /// What the old base calls so, and what it is called today.
    fn resolve(&self, of: &Of, name: &str, homes: &[String], own: &[String]) -> Resolved {
        let candidates = candidates(of, name, homes, own);
        let known: Vec<Vec<String>> = candidates
            .iter()
            .flat_map(|path| self.old.matching(path))
            .collect();
        let Some(first) = known.first() else {
            return Resolved::Same;
        };
        let today = known.iter().map(|path| self.renames.path(path));
        let there: Vec<Vec<String>> = today.filter(|path| self.new.has(path)).collect();
        let names: BTreeSet<&String> = there.iter().filter_map(|path| path.last()).collect();
        // What the adaptation has of its own by that name may be meant as well.
        let ours = || {
            let mut all = candidates.iter().flat_map(|path| self.ours.matching(path));
            all.any(|path| !known.contains(&path))
        };
        match names.len() {
            0 if matches!(of, Of::Entry(_)) || ours() => Resolved::Same,
            0 => Resolved::Not(first.clone(), Why::Gone),
            1 if names.first().is_some_and(|only| *only == name) => Resolved::Same,
            1 => Resolved::To(
                first.clone(),
                names.first().map_or_else(String::new, |it| (*it).clone()),
            ),
            _ => Resolved::Not(first.clone(), Why::Several),
        }
    }
}

/// The workflows that a service level covers.
fn covered(all: &[&Laid], own: &[String]) -> Vec<String> {
    let path = [own, &["for".to_owned()]].concat();
    let maps = all.iter().filter_map(|laid| laid.get(&path)?.as_map());
    let ids: BTreeSet<&String> = maps.flat_map(|map| map.keys()).collect();
    ids.into_iter().cloned().collect()
}

fn each_notice(node: &Node, found: &mut impl FnMut(&str)) {
    let Some(map) = node.as_map() else { return };
    for (key, entry) in map {
        if key == "effects" {
            let effects = entry
                .value
                .as_map()
                .into_iter()
                .flat_map(|map| map.values());
            let notices = effects.filter_map(|effect| effect.value.get("notice")?.as_text());
            notices.for_each(&mut *found);
        }
        each_notice(&entry.value, found);
    }
}

/// The way through one definition.
struct Walk<'w, 'a> {
    renamer: &'w Renamer<'a>,
    kind: DefinitionKind,
    /// The path of the definition, as the old base calls it.
    own: &'w [String],
    homes: Vec<String>,
    /// The keys on the way, as the adaptation has them.
    keys: Vec<String>,
    /// The path on the way, by the names of today.
    today: Vec<String>,
    found: &'w mut Found,
}

impl Walk<'_, '_> {
    fn node(&mut self, node: &Node) -> Node {
        let Kind::Map(map) = &node.kind else {
            return node.clone();
        };
        let mut carried = Map::new();
        for (key, entry) in map {
            if self.keys.is_empty() && is_own(self.kind, key) {
                carried.insert(key.clone(), entry.clone());
                continue;
            }
            let name = self.key(key, entry, map);
            self.keys.push(key.clone());
            self.today.push(name.clone());
            let value = match entry.value.as_text() {
                Some(text) => self.text(text, entry),
                None => self.node(&entry.value),
            };
            self.keys.pop();
            self.today.pop();
            let key = entry.key;
            carried.insert(name, Entry { key, value });
        }
        Node {
            span: node.span,
            kind: Kind::Map(carried),
        }
    }

    /// What a key is called today.
    fn key(&mut self, key: &str, entry: &Entry, map: &Map) -> String {
        let here: Vec<&str> = self.keys.iter().map(String::as_str).collect();
        let entry_of = Of::Entry([self.own, &self.keys].concat());
        let named = of_keys(self.kind, &here);
        // A removal of what the new base removed, too, names nothing any more.
        let of_names = named.filter(|_| entry.value.kind != Kind::Null);
        let resolved = match self.resolve(&entry_of, key) {
            Resolved::Same => {
                of_keys(self.kind, &here).map_or(Resolved::Same, |of| self.resolve(&of, key))
            }
            other => other,
        };
        match resolved {
            Resolved::Same => key.to_owned(),
            Resolved::To(path, name) if map.contains_key(&name) => {
                self.wanting(&[key], path, entry.key, Why::Taken);
                key.to_owned()
            }
            Resolved::To(path, name) => {
                self.found.edits.rename(entry, &name);
                self.named(path, &name, entry.key);
                name
            }
            Resolved::Not(path, why) => {
                if of_names.is_some() {
                    self.wanting(&[key], path, entry.key, why);
                }
                key.to_owned()
            }
        }
    }

    /// A text by the names of today. The way ends with its key.
    fn text(&mut self, text: &str, entry: &Entry) -> Node {
        let pieces = match self.meaning() {
            None => Vec::new(),
            Some(Text::Name(of)) => {
                let whole = (0, text.len());
                self.piece(&of, text, whole, entry).into_iter().collect()
            }
            Some(Text::Expression) => self.pieces(&words(text), entry),
            Some(Text::Template) => self.pieces(&template_words(text), entry),
        };
        let mut node = entry.value.clone();
        if let Kind::Text { value, .. } = &mut node.kind
            && !pieces.is_empty()
        {
            for piece in pieces.iter().rev() {
                value.replace_range(piece.start..piece.end, &piece.new);
            }
            self.found.edits.change(entry, pieces);
        }
        node
    }

    /// What the text at the end of the way stands for.
    fn meaning(&self) -> Option<Text> {
        let here: Vec<&str> = self.keys.iter().map(String::as_str).collect();
        if let [above @ .., _, "place", "before" | "after"] = &here[..] {
            let map = &self.keys[..above.len()];
            let entry_of = Of::Entry([self.own, map].concat());
            return Some(Text::Name(of_keys(self.kind, above).unwrap_or(entry_of)));
        }
        of_text(self.kind, &here)
    }

    /// What the expression at the end of the way gives the name of, where it gives one.
    fn given(&self) -> Option<Of> {
        let here: Vec<&str> = self.keys.iter().map(String::as_str).collect();
        match &here[..] {
            ["calendar", "cel"] => Some(Of::Definition(DefinitionKind::Calendar)),
            [.., "set" | "then", field, "cel"] | ["fields", field, "value"] => {
                Some(Of::Choice((*field).to_owned()))
            }
            _ => None,
        }
    }

    fn pieces(&mut self, words: &[Placed<'_>], entry: &Entry) -> Vec<Piece> {
        let given = self.given();
        let each = words.iter().filter_map(|placed| {
            let (of, name) = match placed.word {
                Word::Name(name)
                | Word::Member {
                    root: "input",
                    name,
                } => (Of::Field, name),
                Word::Compared {
                    with: "record.state",
                    text,
                } => (Of::State, text),
                Word::Compared { with, text } => {
                    let field = with.strip_prefix("input.").unwrap_or(with);
                    (Of::Choice(field.to_owned()), text)
                }
                Word::Argument {
                    function: "open" | "business",
                    text,
                } => (Of::Definition(DefinitionKind::Calendar), text),
                Word::Text(text) => (given.clone()?, text),
                Word::Member { .. } | Word::Argument { .. } => return None,
            };
            self.piece(&of, name, (placed.start, placed.end), entry)
        });
        each.collect()
    }

    /// The change of one name within a text, where it is called otherwise today.
    fn piece(
        &mut self,
        of: &Of,
        name: &str,
        (start, end): (usize, usize),
        entry: &Entry,
    ) -> Option<Piece> {
        match self.resolve(of, name) {
            Resolved::Same => None,
            Resolved::To(path, new) => {
                self.named(path, &new, entry.value.span);
                Some(Piece { start, end, new })
            }
            Resolved::Not(path, why) => {
                self.wanting(&[], path, entry.value.span, why);
                None
            }
        }
    }

    fn resolve(&self, of: &Of, name: &str) -> Resolved {
        let homes = self.other().unwrap_or_else(|| self.homes.clone());
        self.renamer.resolve(of, name, &homes, self.own)
    }

    /// The workflow of the other record that an effect or a task is about, on the way to its fields.
    fn other(&self) -> Option<Vec<String>> {
        // An expression there speaks of the record that it stands in.
        if self
            .keys
            .last()
            .is_some_and(|key| key == "cel" || key == "when")
        {
            return None;
        }
        if let [.., state, tasks, with_parent] = self.keys.as_slice()
            && tasks == "tasks"
            && with_parent == "with-parent"
        {
            return Some(self.handed_out(state));
        }
        let at = self.keys.windows(3).position(|keys| {
            (keys[0] == "effects" && (keys[2] == "create" || keys[2] == "each"))
                || (keys[0] == "tasks" && keys[1] == "each")
        })?;
        let here = [self.own, &self.keys[..at + 3]].concat();
        let said = |key: &str| {
            let path = [&here[..], &[key.to_owned()]].concat();
            let said = [self.renamer.ours, self.renamer.old];
            let said = said.iter().find_map(|laid| laid.get(&path)?.as_text());
            said.map(str::to_owned)
        };
        // The workflow's own id is named here, not something in it.
        said("workflow")
            .map(|workflow| vec![workflow])
            .or_else(|| Some(self.renamer.linked(&said("link")?)))
    }

    /// The workflows of the tasks that a state hands out.
    fn handed_out(&self, state: &str) -> Vec<String> {
        let within = ["states", state, "tasks", "each"].map(str::to_owned);
        let path = [self.own, &within[..]].concat();
        let all = [self.renamer.ours, self.renamer.old];
        let tasks = all.iter().filter_map(|laid| laid.get(&path)?.as_map());
        let said = tasks.flat_map(|tasks| tasks.values());
        let said = said.filter_map(|task| task.value.get("workflow")?.as_text());
        let workflows: BTreeSet<String> = said.map(str::to_owned).collect();
        workflows.into_iter().collect()
    }

    fn named(&mut self, path: Vec<String>, to: &str, span: Span) {
        let to = to.to_owned();
        self.found.renamed.push(Named { path, to, span });
    }

    fn wanting(&mut self, further: &[&str], named: Vec<String>, span: Span, why: Why) {
        let mut at = self.today.clone();
        at.extend(further.iter().map(|key| (*key).to_owned()));
        self.found.wanting.push(Wanting {
            at,
            named,
            span,
            why,
        });
    }

    /// Gives a definition its id of today.
    fn renamed_id(&mut self, tree: &mut Node, before: &Node, id: &str) {
        let Some(entry) = before.as_map().and_then(|map| map.get("id")) else {
            return;
        };
        self.found.edits.say(entry, id);
        let path = root(self.kind, &self.own[1]);
        self.named(path, id, entry.value.span);
        if let Kind::Map(map) = &mut tree.kind
            && let Some(Kind::Text { value, .. }) =
                map.get_mut("id").map(|entry| &mut entry.value.kind)
        {
            id.clone_into(value);
        }
    }
}
