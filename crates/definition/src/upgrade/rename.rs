//! Carrying over what the new base calls otherwise: in keys, in names, in expressions and templates.
//!
//! It is done with the old base, so that a rename alone counts as no change of it, and with the
//! adaptation, whose texts are edited.

use std::collections::BTreeMap;

use super::edit::{Edits, Piece};
use super::homes::Root;
use super::laid::{Laid, is_own, kind_of, root};
use super::names::{Form, Of, Text, of_keys, of_text};
use super::resolve::{Renamer, Resolved, Why};
use super::steps;
use super::words::{Placed, Word, template_words, words};
use crate::overlay::DefinitionKind;
use crate::source::{Entry, Kind, Map, Node, Span};

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

impl Renamer<'_> {
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
                homes: self.homes.of(kind, &own),
                records: match kind {
                    DefinitionKind::Scenario => steps::records(&self.homes, &own),
                    _ => BTreeMap::new(),
                },
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
}

/// The way through one definition.
struct Walk<'w, 'a> {
    renamer: &'w Renamer<'a>,
    kind: DefinitionKind,
    /// The path of the definition, as the old base calls it.
    own: &'w [String],
    homes: Vec<Root>,
    /// Of a scenario: what the record of each step may be of.
    records: BTreeMap<String, Vec<Root>>,
    /// The keys on the way, as the adaptation has them.
    keys: Vec<String>,
    /// The path on the way, by the names of today.
    today: Vec<String>,
    found: &'w mut Found,
}

impl Walk<'_, '_> {
    fn node(&mut self, node: &Node) -> Node {
        let map = match &node.kind {
            Kind::Map(map) => map,
            Kind::List(items) => return self.list(node.span, items),
            _ => return node.clone(),
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

    /// The texts of a list; they stand for what its key says.
    fn list(&mut self, span: Span, items: &[Node]) -> Node {
        let mut carried = Vec::with_capacity(items.len());
        for item in items {
            let pieces = match item.as_text() {
                Some(text) => self.changes(text, item),
                None => Vec::new(),
            };
            carried.push(with(item, &pieces));
            if !pieces.is_empty() {
                self.found.edits.change_item(item, pieces);
            }
        }
        let kind = Kind::List(carried);
        Node { span, kind }
    }

    /// What a key is called today.
    fn key(&mut self, key: &str, entry: &Entry, map: &Map) -> String {
        let (kind, _, here) = self.place();
        if self.kind == DefinitionKind::Scenario && steps::are_promises(&here) {
            return self.promise(key, entry, map);
        }
        let named = self.of_keys(kind, &here);
        let keys = here.iter().map(|key| (*key).to_owned()).collect();
        // A translation says nothing of a part that its language has no text for: what a text stands
        // under is a word of the language, and the same in every version.
        let (part, is_name) = match kind == self.kind {
            true => (Of::Entry(keys), named.is_some()),
            false if entry.value.as_text().is_some() => return key.to_owned(),
            false => (Of::Part(keys), true),
        };
        let named = || named.as_ref().map(|of| self.resolve(of, key));
        let resolved = match self.resolve(&part, key) {
            Resolved::To(path, name) => Resolved::To(path, name),
            other => match named() {
                None | Some(Resolved::Same) => other,
                Some(named) => named,
            },
        };
        match resolved {
            Resolved::Same => key.to_owned(),
            Resolved::To(path, name) => {
                let of = vec![(path, name.clone())];
                self.called(key, entry, map, &name, of)
            }
            Resolved::Not(path, why) => {
                // A removal of what the new base removed, too, names nothing any more.
                if is_name && entry.value.kind != Kind::Null {
                    self.wanting(&[key], path, entry.key, why);
                }
                key.to_owned()
            }
        }
    }

    /// Gives a key its name of today, where that is free; `of` is what was renamed.
    fn called(
        &mut self,
        key: &str,
        entry: &Entry,
        map: &Map,
        name: &str,
        of: Vec<(Vec<String>, String)>,
    ) -> String {
        if map.contains_key(name) {
            for (path, _) in of {
                self.wanting(&[key], path, entry.key, Why::Taken);
            }
            return key.to_owned();
        }
        self.found.edits.rename(entry, name);
        for (path, name) in of {
            self.named(path, &name, entry.key);
        }
        name.to_owned()
    }

    /// What the key of a promise is called today: a service level and its target.
    fn promise(&mut self, key: &str, entry: &Entry, map: &Map) -> String {
        let Some((level, target)) = key.split_once('/') else {
            return key.to_owned();
        };
        let parts = [
            (Of::Definition(DefinitionKind::ServiceLevel), level),
            (Of::Target(level.to_owned()), target),
        ];
        let (mut names, mut renamed) = (Vec::new(), Vec::new());
        for (of, name) in parts {
            match self.resolve(&of, name) {
                Resolved::Same => names.push(name.to_owned()),
                Resolved::To(path, name) => {
                    names.push(name.clone());
                    renamed.push((path, name));
                }
                Resolved::Not(path, why) => {
                    self.wanting(&[key], path, entry.key, why);
                    return key.to_owned();
                }
            }
        }
        if renamed.is_empty() {
            return key.to_owned();
        }
        self.called(key, entry, map, &names.join("/"), renamed)
    }

    /// What the keys of the map at the end of the way name.
    fn of_keys(&self, kind: DefinitionKind, here: &[&str]) -> Option<Of> {
        match (kind, here) {
            (DefinitionKind::Scenario, _) => steps::of_keys(here, self.form()),
            (DefinitionKind::Translation, [folder]) => kind_of(folder).map(Of::Definition),
            _ => of_keys(kind, here),
        }
    }

    /// The definition that the way leads through, and the keys on the way within it: in a translation
    /// those of what it translates.
    fn place(&self) -> (DefinitionKind, Root, Vec<&str>) {
        if self.kind == DefinitionKind::Translation
            && let [folder, id, rest @ ..] = self.keys.as_slice()
            && let Some(kind) = kind_of(folder)
        {
            return (
                kind,
                root(kind, id),
                rest.iter().map(String::as_str).collect(),
            );
        }
        let keys = self.keys.iter().map(String::as_str).collect();
        (self.kind, self.own.to_vec(), keys)
    }

    /// What the step of a scenario, on the way, fills in.
    fn form(&self) -> Option<Form> {
        let [steps, step, ..] = self.keys.as_slice() else {
            return None;
        };
        let is_step = steps == "steps";
        is_step.then(|| steps::form(&self.renamer.homes, self.own, step))?
    }

    /// A text by the names of today. The way ends with its key.
    fn text(&mut self, text: &str, entry: &Entry) -> Node {
        let pieces = self.changes(text, &entry.value);
        let node = with(&entry.value, &pieces);
        if !pieces.is_empty() {
            self.found.edits.change(entry, pieces);
        }
        node
    }

    /// What changes of a text.
    fn changes(&mut self, text: &str, node: &Node) -> Vec<Piece> {
        match self.meaning() {
            None => Vec::new(),
            Some(Text::Name(of)) => {
                let whole = (0, text.len());
                self.piece(&of, text, whole, node).into_iter().collect()
            }
            Some(Text::Expression) => self.pieces(&words(text), node),
            Some(Text::Earlier) => {
                let of_this_version = |placed: &Placed<'_>| {
                    matches!(placed.word, Word::Text(_) | Word::Argument { .. })
                };
                let words = words(text).into_iter().filter(of_this_version);
                self.pieces(&words.collect::<Vec<_>>(), node)
            }
            Some(Text::Template) => self.pieces(&template_words(text), node),
        }
    }

    /// What the text at the end of the way stands for.
    fn meaning(&self) -> Option<Text> {
        let (kind, _, here) = self.place();
        if let [above @ .., _, "place", "before" | "after"] = &here[..] {
            let keys = above.iter().map(|key| (*key).to_owned()).collect();
            let named = self.of_keys(kind, above);
            return Some(Text::Name(named.unwrap_or(Of::Entry(keys))));
        }
        match (self.kind, kind) {
            (DefinitionKind::Scenario, _) => steps::of_text(&here, self.form()),
            // A translation has texts for people, of which those of notices name things.
            (DefinitionKind::Translation, kind) => {
                let is_notice = kind == DefinitionKind::Notice;
                is_notice.then(|| of_text(kind, &here))?
            }
            _ => of_text(kind, &here),
        }
    }

    /// What the expression at the end of the way gives the name of, where it gives one.
    fn given(&self) -> Option<Of> {
        let here: Vec<&str> = self.keys.iter().map(String::as_str).collect();
        match &here[..] {
            ["calendar", "cel"] => Some(Of::Definition(DefinitionKind::Calendar)),
            ["states", _, "cel"] if self.kind == DefinitionKind::Migration => Some(Of::State),
            ["fields", field, "cel"] if self.kind == DefinitionKind::Migration => {
                Some(Of::Choice((*field).to_owned()))
            }
            [.., "set" | "then", field, "cel"] | ["fields", field, "value"] => {
                Some(Of::Choice((*field).to_owned()))
            }
            _ => None,
        }
    }

    fn pieces(&mut self, words: &[Placed<'_>], node: &Node) -> Vec<Piece> {
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
                Word::Compared {
                    with: "record.team",
                    text,
                } => (Of::Definition(DefinitionKind::Team), text),
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
            self.piece(&of, name, (placed.start, placed.end), node)
        });
        each.collect()
    }

    /// The change of one name within a text, where it is called otherwise today.
    fn piece(
        &mut self,
        of: &Of,
        name: &str,
        (start, end): (usize, usize),
        node: &Node,
    ) -> Option<Piece> {
        match self.resolve(of, name) {
            Resolved::Same => None,
            Resolved::To(path, new) => {
                self.named(path, &new, node.span);
                Some(Piece { start, end, new })
            }
            Resolved::Not(path, why) => {
                self.wanting(&[], path, node.span, why);
                None
            }
        }
    }

    fn resolve(&self, of: &Of, name: &str) -> Resolved {
        let (kind, own, _) = self.place();
        let homes = match self.kind {
            DefinitionKind::Scenario => self.of_step(),
            DefinitionKind::Translation => self.renamer.homes.of(kind, &own),
            _ => self.other().unwrap_or_else(|| self.homes.clone()),
        };
        self.renamer.resolve(of, name, &homes, &own)
    }

    /// What the record may be of that the step of a scenario, on the way, is about, or all steps that
    /// are about such records.
    fn of_step(&self) -> Vec<Root> {
        let homes = &self.renamer.homes;
        if let [given, _, workflow, ..] = self.keys.as_slice()
            && given == "given"
        {
            return homes.workflow(workflow);
        }
        let step = match steps::found_from(homes, self.own, &self.keys) {
            Some(step) => Some(step),
            None => self.keys.get(1).cloned(),
        };
        let records = step.and_then(|step| self.records.get(&step));
        records.cloned().unwrap_or_default()
    }

    /// The workflow of the other record that an effect or a task is about, on the way to its fields.
    fn other(&self) -> Option<Vec<Root>> {
        let homes = &self.renamer.homes;
        // An expression there speaks of the record that it stands in, as does a kind of link that leads
        // to others, and what a task needs. The link of a new record is called as that record calls it.
        let keys: Vec<&str> = self.keys.iter().map(String::as_str).collect();
        match &keys[..] {
            [.., "set", _] => {}
            [.., "cel" | "when" | "needs"] | [.., "each", "link"] => return None,
            _ => {}
        }
        if let [.., state, tasks, with_parent] = self.keys.as_slice()
            && tasks == "tasks"
            && with_parent == "with-parent"
        {
            return Some(homes.handed_out(&[self.own.to_vec()], state, "*"));
        }
        let at = self.keys.windows(3).position(|keys| {
            (keys[0] == "effects" && (keys[2] == "create" || keys[2] == "each"))
                || (keys[0] == "tasks" && keys[1] == "each")
        })?;
        let here = [self.own, &self.keys[..at + 3]].concat();
        let said = |key: &str| homes.said(&[&here[..], &[key.to_owned()]].concat());
        // The workflow's own id is named here, not something in it.
        match said("workflow") {
            Some(workflow) => Some(homes.workflow(workflow)),
            None => Some(homes.linked(said("link")?)),
        }
    }

    fn named(&mut self, path: Vec<String>, to: &str, span: Span) {
        let to = to.to_owned();
        self.found.renamed.push(Named { path, to, span });
    }

    fn wanting(&mut self, further: &[&str], named: Vec<String>, span: Span, why: Why) {
        let mut at = self.today.clone();
        at.extend(further.iter().map(|key| (*key).to_owned()));
        if why == Why::Gone && self.is_no_news(&at, &named) {
            return;
        }
        self.found.wanting.push(Wanting {
            at,
            named,
            span,
            why,
        });
    }

    /// Whether what is gone is told of what stands above already, or of what it was within, or wanted
    /// by nobody: a scenario that is not run may name it.
    fn is_no_news(&self, at: &[String], named: &[String]) -> bool {
        let skip = || [self.own, &["skip".to_owned()]].concat();
        if self.kind == DefinitionKind::Scenario && self.renamer.homes.has(&skip()) {
            return true;
        }
        let last = self.found.wanting.last();
        last.filter(|it| it.why == Why::Gone).is_some_and(|it| {
            is_within(at, &it.at) || (*at == *it.at && is_within(named, &it.named))
        })
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

fn is_within(path: &[String], above: &[String]) -> bool {
    path.len() > above.len() && path.starts_with(above)
}

/// A text with its changes made.
fn with(node: &Node, pieces: &[Piece]) -> Node {
    let mut node = node.clone();
    if let Kind::Text { value, .. } = &mut node.kind {
        for piece in pieces.iter().rev() {
            value.replace_range(piece.start..piece.end, &piece.new);
        }
    }
    node
}
