//! Changes to the text of a file that leave all the rest of it as it was: comments, blank lines,
//! quotes, the order of keys.
//!
//! Each change is told by the key that it concerns. They are made twice, in the tree that was read
//! and in the text, and the text is read again: where that gives anything but the tree, the file is
//! refused and left to its author.

use std::collections::{HashMap, HashSet};

use crate::source::{
    Diagnostics, Entry, FileId, Kind, Map, Node, Sources, Span, emit, line_text, load, span_within,
};

/// A key, by its file and its first byte there.
pub(super) type At = (FileId, u32);

/// The key of an entry.
pub(super) const fn at(entry: &Entry) -> At {
    (entry.key.file, entry.key.start)
}

/// A part of a text that another takes the place of: from byte to byte of the text's value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Piece {
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) new: String,
}

/// What is to be changed.
#[derive(Clone, Debug, Default)]
pub(super) struct Edits {
    /// Keys that get another name.
    keys: HashMap<At, String>,
    /// Texts of which parts change: by their key, those of a list by where they stand themselves.
    texts: HashMap<At, Vec<Piece>>,
    /// Values in the place of others.
    values: HashMap<At, Node>,
    /// Entries that go.
    removed: HashSet<At>,
}

impl Edits {
    /// Gives a key another name.
    pub(super) fn rename(&mut self, entry: &Entry, name: &str) {
        self.keys.insert(at(entry), name.to_owned());
    }

    /// Changes parts of the text that is the value of an entry.
    pub(super) fn change(&mut self, entry: &Entry, pieces: Vec<Piece>) {
        self.texts.insert(at(entry), pieces);
    }

    /// Changes parts of a text that stands in a list.
    pub(super) fn change_item(&mut self, item: &Node, pieces: Vec<Piece>) {
        self.texts.insert(of_item(item), pieces);
    }

    /// Puts another text in the place of the one that is the value of an entry.
    pub(super) fn say(&mut self, entry: &Entry, new: &str) {
        let end = entry.value.as_text().map_or(0, str::len);
        let new = new.to_owned();
        self.change(entry, vec![Piece { start: 0, end, new }]);
    }

    /// Puts a value that fits on a line in the place of another.
    pub(super) fn replace(&mut self, at: At, value: Node) {
        self.values.insert(at, value);
    }

    /// Takes an entry out; a map of which nothing is left goes with it.
    pub(super) fn remove(&mut self, at: At) {
        self.removed.insert(at);
    }

    /// The tree as it is to be; nothing where nothing is left of it.
    fn applied(&self, node: &Node) -> Option<Node> {
        let map = match &node.kind {
            Kind::Map(map) => map,
            Kind::List(items) => return Some(self.applied_list(node.span, items)),
            _ => return Some(node.clone()),
        };
        let mut left = Map::new();
        for (key, entry) in map {
            let Some(value) = self.value(entry) else {
                continue;
            };
            let key = self.keys.get(&at(entry)).unwrap_or(key);
            let entry = Entry {
                key: entry.key,
                value,
            };
            left.insert(key.clone(), entry);
        }
        (map.is_empty() || !left.is_empty()).then_some(Node {
            span: node.span,
            kind: Kind::Map(left),
        })
    }

    fn applied_list(&self, span: Span, items: &[Node]) -> Node {
        let each = items.iter().map(|item| {
            let changed = self.item(item).and_then(|pieces| with(item, pieces));
            changed.unwrap_or_else(|| item.clone())
        });
        let kind = Kind::List(each.collect());
        Node { span, kind }
    }

    /// The changes of a text that stands in a list.
    fn item(&self, item: &Node) -> Option<&Vec<Piece>> {
        let is_text = item.as_text().is_some();
        is_text.then(|| self.texts.get(&of_item(item))).flatten()
    }

    fn value(&self, entry: &Entry) -> Option<Node> {
        if self.removed.contains(&at(entry)) {
            return None;
        }
        if let Some(value) = self.values.get(&at(entry)) {
            return Some(value.clone());
        }
        match self.texts.get(&at(entry)) {
            Some(pieces) => with(&entry.value, pieces),
            None => self.applied(&entry.value),
        }
    }

    /// The text of a file with the changes made. A document goes where `keep` says so of what is left
    /// of it; nothing is given where none stays.
    ///
    /// # Errors
    /// Where the changed text does not read as it should.
    pub(super) fn apply(
        &self,
        sources: &Sources,
        file: FileId,
        documents: &[Node],
        keep: impl Fn(&Node) -> bool,
    ) -> Result<Option<String>, Unsafe> {
        let text = &sources.file(file).text;
        let refused = || Unsafe(sources.file(file).path.to_string());
        let mut cuts = Vec::new();
        let mut expected = Vec::new();
        for (index, document) in documents.iter().enumerate() {
            match self
                .applied(document)
                .filter(|left| keep(left) || !keep(document))
            {
                Some(tree) => {
                    self.cut(document, text, sources, &mut cuts)
                        .ok_or_else(refused)?;
                    expected.push(tree);
                }
                None => cuts.push(Cut::whole(documents, index, text)),
            }
        }
        if expected.is_empty() {
            return Ok(None);
        }
        let changed = cut_out(text, cuts).ok_or_else(refused)?;
        if reads_as(&changed, &expected) {
            Ok(Some(changed))
        } else {
            Err(refused())
        }
    }

    /// The changes to the text of a map that stays.
    fn cut(&self, node: &Node, text: &str, sources: &Sources, cuts: &mut Vec<Cut>) -> Option<()> {
        let map = match &node.kind {
            Kind::Map(map) => map,
            Kind::List(items) => return self.cut_items(items, text, sources, cuts),
            _ => return Some(()),
        };
        let goes: Vec<bool> = map
            .values()
            .map(|entry| self.value(entry).is_none())
            .collect();
        let entries: Vec<&Entry> = map.values().collect();
        if text[node.span.start as usize..].starts_with('{') {
            cut_flow(&entries, &goes, text, cuts)?;
        } else {
            for (entry, _) in entries.iter().zip(&goes).filter(|(_, goes)| **goes) {
                cuts.push(lines_of(entry, text)?);
            }
        }
        for (entry, _) in entries.into_iter().zip(&goes).filter(|(_, goes)| !**goes) {
            if let Some(name) = self.keys.get(&at(entry)) {
                cuts.push(Cut::at(entry.key, line_text(name)));
            }
            if let Some(value) = self.values.get(&at(entry)) {
                cuts.push(value_cut(entry, &flow(value), text)?);
            } else if let Some(pieces) = self.texts.get(&at(entry)) {
                if let Some(within) = within(&entry.value, pieces, sources) {
                    cuts.extend(within);
                } else {
                    let changed = spliced(entry.value.as_text()?, pieces)?;
                    cuts.push(value_cut(entry, &line_text(&changed), text)?);
                }
            } else {
                self.cut(&entry.value, text, sources, cuts)?;
            }
        }
        Some(())
    }

    /// The changes to the texts of a list.
    fn cut_items(
        &self,
        items: &[Node],
        text: &str,
        sources: &Sources,
        cuts: &mut Vec<Cut>,
    ) -> Option<()> {
        for item in items {
            let Some(pieces) = self.item(item) else {
                continue;
            };
            if let Some(within) = within(item, pieces, sources) {
                cuts.extend(within);
                continue;
            }
            let changed = spliced(item.as_text()?, pieces)?;
            cuts.push(Cut {
                start: item.span.start as usize,
                end: end_of(item, text),
                new: line_text(&changed),
            });
        }
        Some(())
    }
}

/// The change of a text, made.
fn with(node: &Node, pieces: &[Piece]) -> Option<Node> {
    let mut node = node.clone();
    if let Kind::Text { value, .. } = &mut node.kind {
        *value = spliced(value, pieces)?;
    }
    Some(node)
}

/// Where an item of a list stands: a text there is no key, so that the two are never taken for
/// each other.
const fn of_item(item: &Node) -> At {
    (item.span.file, item.span.start)
}

/// A file that could not be changed safely.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Unsafe(pub(super) String);

/// A stretch of a file's text that another takes the place of.
#[derive(Clone, Debug)]
struct Cut {
    start: usize,
    end: usize,
    new: String,
}

impl Cut {
    const fn at(span: Span, new: String) -> Self {
        Self {
            start: span.start as usize,
            end: span.end as usize,
            new,
        }
    }

    /// A whole document, with the line that parts it from the next, or from the one before.
    fn whole(documents: &[Node], index: usize, text: &str) -> Self {
        let begins = |node: &Node| {
            let start = node.span.start as usize;
            line_start(text, start)
        };
        let start = if index == 0 {
            0
        } else {
            begins(&documents[index])
        };
        let end = documents.get(index + 1).map_or(text.len(), begins);
        let start = if index > 0 && end == text.len() {
            text[..start].rfind("---").unwrap_or(start)
        } else {
            start
        };
        Self {
            start,
            end,
            new: String::new(),
        }
    }
}

fn spliced(text: &str, pieces: &[Piece]) -> Option<String> {
    let cuts = pieces.iter().map(|piece| Cut {
        start: piece.start,
        end: piece.end,
        new: piece.new.clone(),
    });
    cut_out(text, cuts.collect())
}

/// The text with the cuts made; nothing where two of them touch the same.
fn cut_out(text: &str, mut cuts: Vec<Cut>) -> Option<String> {
    cuts.sort_by_key(|cut| (cut.start, cut.end));
    let mut changed = String::with_capacity(text.len());
    let mut reached = 0;
    for cut in cuts {
        changed.push_str(text.get(reached..cut.start)?);
        changed.push_str(&cut.new);
        reached = cut.end;
    }
    changed.push_str(text.get(reached..)?);
    Some(changed)
}

/// Whether a text reads as these documents, in the order of their keys too.
fn reads_as(text: &str, expected: &[Node]) -> bool {
    let mut sources = Sources::new();
    let file = sources.add("", None, text);
    let mut found = Diagnostics::new();
    let read = load(&sources, file, &mut found).unwrap_or_default();
    let texts = |nodes: &[Node]| -> Vec<String> {
        nodes
            .iter()
            .map(|node| node.to_json().to_string())
            .collect()
    };
    found.is_empty() && texts(&read) == texts(expected)
}

fn line_start(text: &str, at: usize) -> usize {
    text[..at].rfind('\n').map_or(0, |newline| newline + 1)
}

/// Just past the last byte of a value, without what a span may hold of the blanks behind it.
fn end_of(node: &Node, text: &str) -> usize {
    let (start, end) = (node.span.start as usize, node.span.end as usize);
    let is_flow = text[start..].starts_with(['{', '[']);
    let last = match &node.kind {
        Kind::Map(map) if !is_flow => map.values().map(|entry| end_of(&entry.value, text)).max(),
        Kind::List(items) if !is_flow => items.iter().map(|item| end_of(item, text)).max(),
        _ => None,
    };
    last.unwrap_or_else(|| start + text[start..end].trim_end().len())
}

/// The lines of an entry of a map in block style, with what is noted behind its value.
fn lines_of(entry: &Entry, text: &str) -> Option<Cut> {
    let key = entry.key.start as usize;
    let start = line_start(text, key);
    let last = end_of(&entry.value, text);
    let rest = text[last..].split('\n').next().unwrap_or_default();
    // Something else on its lines is more than can be told here.
    let alone = text[start..key].bytes().all(|byte| byte == b' ');
    let noted = rest.trim().is_empty() || rest.trim_start().starts_with('#');
    (alone && noted).then(|| Cut {
        start,
        end: (last + rest.len() + 1).min(text.len()),
        new: String::new(),
    })
}

/// The entries that go from a map in flow style, with their commas.
fn cut_flow(entries: &[&Entry], goes: &[bool], text: &str, cuts: &mut Vec<Cut>) -> Option<()> {
    let starts = |index: usize| entries[index].key.start as usize;
    let ends = |index: usize| end_of(&entries[index].value, text);
    let cut = |start, end| Cut {
        start,
        end,
        new: String::new(),
    };
    // Those behind the last that stays go with the comma before them.
    let Some(last) = goes.iter().rposition(|goes| !goes) else {
        return (!goes.contains(&true)).then_some(());
    };
    if last + 1 < entries.len() {
        let comma = text[..starts(last + 1)]
            .rfind(',')
            .filter(|at| *at >= ends(last))?;
        cuts.push(cut(comma, ends(entries.len() - 1)));
    }
    for index in (0..last).filter(|index| goes[*index]) {
        let comma = text[ends(index)..]
            .find(',')
            .map(|at| ends(index) + at + 1)?;
        let rest = &text[comma..];
        let end = comma + (rest.len() - rest.trim_start_matches(' ').len());
        // Alone on its line, it takes the line with it.
        let begin = line_start(text, starts(index));
        let alone = text[begin..starts(index)].trim().is_empty() && text[end..].starts_with('\n');
        cuts.push(if alone {
            cut(begin, end + 1)
        } else {
            cut(starts(index), end)
        });
    }
    Some(())
}

/// The whole value of an entry, from behind the colon.
fn value_cut(entry: &Entry, new: &str, text: &str) -> Option<Cut> {
    let key = entry.key.end as usize;
    let colon = key + text[key..].find(':')?;
    text[key..colon].trim().is_empty().then(|| Cut {
        start: colon + 1,
        end: end_of(&entry.value, text),
        new: format!(" {new}"),
    })
}

/// The pieces of a text where they stand in the file, if each can be told.
fn within(node: &Node, pieces: &[Piece], sources: &Sources) -> Option<Vec<Cut>> {
    let plain = |text: &str| {
        text.bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-_.:".contains(&byte))
    };
    let text = &sources.file(node.span.file).text;
    let value = node.as_text()?;
    let each = pieces.iter().map(|piece| {
        let old = value.get(piece.start..piece.end)?;
        let start = span_within(sources, node, piece.start)?.start as usize;
        let stands = text.get(start..start + old.len()) == Some(old);
        (stands && plain(&piece.new) && !piece.new.ends_with(':')).then(|| Cut {
            start,
            end: start + old.len(),
            new: piece.new.clone(),
        })
    });
    each.collect()
}

/// A value on one line.
fn flow(node: &Node) -> String {
    match &node.kind {
        Kind::Map(map) if !map.is_empty() => {
            let each = map
                .iter()
                .map(|(key, entry)| format!("{}: {}", line_text(key), flow(&entry.value)));
            format!("{{ {} }}", each.collect::<Vec<_>>().join(", "))
        }
        _ => emit(node).trim_end().to_owned(),
    }
}
