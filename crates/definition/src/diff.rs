//! What differs between two packs, path by path, once each is laid over its bases.

use std::collections::BTreeSet;
use std::fmt;

use serde::Serialize;

use crate::overlay::{DefinitionKind, HEADER};
use crate::pack::Pack;
use crate::pack::canonical::canonical_part;
use crate::source::{Map, Node, Sources, Tree};
use crate::upgrade::{Value, root};

/// One thing that differs.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Difference {
    /// The path: the folder of the kind, the id, the keys; the header's begins with `pack`.
    pub path: String,
    /// In what way.
    pub kind: DifferenceKind,
    /// What the old pack says; of an order, the keys.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub old: Option<Value>,
    /// What the new pack says; of an order, the keys.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub new: Option<Value>,
}

/// In what way something differs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum DifferenceKind {
    /// Only the new pack has it.
    Added,
    /// Only the old pack has it.
    Removed,
    /// Both have it, with another value.
    Changed,
    /// Both have the same keys, in another order that means something.
    Order,
}

/// What differs between two packs, in the order of paths.
pub fn diff(old: &Pack, new: &Pack) -> Vec<Difference> {
    let mut found = Vec::new();
    let paths: BTreeSet<(Vec<String>, DefinitionKind)> = trees(old)
        .chain(trees(new))
        .map(|(kind, path, _)| (path, kind))
        .collect();
    for (path, kind) in paths {
        let tree = |pack| {
            trees(pack)
                .find(|(_, at, _)| *at == path)
                .map(|(.., tree)| tree)
        };
        let mut walk = Walk {
            kind,
            root: path.len(),
            sources: [&old.tree.sources, &new.tree.sources],
            path: path.clone(),
            found: &mut found,
        };
        walk.node(
            tree(old).map(|tree| &tree.root),
            tree(new).map(|tree| &tree.root),
        );
    }
    found.sort_by(|a, b| a.path.cmp(&b.path));
    found
}

fn trees(pack: &Pack) -> impl Iterator<Item = (DefinitionKind, Vec<String>, &Tree)> {
    let header = (
        DefinitionKind::Pack,
        root(DefinitionKind::Pack, ""),
        &pack.tree,
    );
    let definitions = pack
        .trees()
        .map(|(kind, id, tree)| (kind, root(kind, id), tree));
    std::iter::once(header).chain(definitions)
}

struct Walk<'w> {
    kind: DefinitionKind,
    /// How many keys of the path lead to the definition.
    root: usize,
    sources: [&'w Sources; 2],
    path: Vec<String>,
    found: &'w mut Vec<Difference>,
}

impl Walk<'_> {
    fn node(&mut self, old: Option<&Node>, new: Option<&Node>) {
        let keys = &self.path[self.root..];
        let maps = old.and_then(Node::as_map).zip(new.and_then(Node::as_map));
        if let Some((before, after)) = maps.filter(|_| !self.kind.is_choice(keys)) {
            self.order((old, before), (new, after));
            self.entries(before, after);
            return;
        }
        let kind = match (old, new) {
            (Some(old), Some(new)) => {
                let says = |node| canonical_part(self.kind, node, keys);
                if says(old) == says(new) {
                    return;
                }
                DifferenceKind::Changed
            }
            (None, _) => DifferenceKind::Added,
            (_, None) => DifferenceKind::Removed,
        };
        let value =
            |node: Option<&Node>, sources| node.map(|node| Value::of(sources, node, node.span));
        let [before, after] = self.sources;
        self.found.push(Difference {
            path: self.path.join("/"),
            kind,
            old: value(old, before),
            new: value(new, after),
        });
    }

    fn entries(&mut self, old: &Map, new: &Map) {
        let keys: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
        for key in keys {
            if self.path.len() == self.root && HEADER.contains(&key.as_str()) && key != "id" {
                continue;
            }
            self.path.push(key.clone());
            let value = |map: &'_ Map| map.get(key).map(|entry| entry.value.clone());
            self.node(value(old).as_ref(), value(new).as_ref());
            self.path.pop();
        }
    }

    /// Whether the keys that both have stand in another order, where that means something.
    fn order(&mut self, (old, before): (Option<&Node>, &Map), (new, after): (Option<&Node>, &Map)) {
        if !self.kind.is_ordered(&self.path[self.root..]) {
            return;
        }
        let common = |map: &Map, other: &Map| -> Vec<String> {
            map.keys()
                .filter(|key| other.contains_key(*key))
                .cloned()
                .collect()
        };
        let orders = [common(before, after), common(after, before)];
        if orders[0] == orders[1] {
            return;
        }
        let [before, after] = orders;
        let value = |node: Option<&Node>, sources, keys: Vec<String>| {
            node.map(|node| Value {
                value: keys.into(),
                ..Value::of(sources, node, node.span)
            })
        };
        self.found.push(Difference {
            path: self.path.join("/"),
            kind: DifferenceKind::Order,
            old: value(old, self.sources[0], before),
            new: value(new, self.sources[1], after),
        });
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (sign, what) = match self.kind {
            DifferenceKind::Added => ('+', ""),
            DifferenceKind::Removed => ('-', ""),
            DifferenceKind::Changed => ('~', ""),
            DifferenceKind::Order => ('~', ": another order"),
        };
        write!(f, "{sign} {}{what}", self.path)?;
        for (which, value) in [("old", &self.old), ("new", &self.new)] {
            if let Some(value) = value {
                write!(f, "\n    {which}  {value}")?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(
        clippy::needless_raw_string_hashes,
        reason = "expect! writes its snapshots with them"
    )]

    use std::collections::BTreeMap;

    use expect_test::expect;

    use super::{Pack, diff};

    fn pack(version: &str, incident: &str, team: &str) -> Pack {
        let files = [
            (
                "pack.yaml",
                format!("kind: Pack\nid: base\nversion: {version}\ntitle: Base\nzone: UTC\n"),
            ),
            (
                "workflows/incident.yaml",
                format!(
                    "kind: Workflow\nid: incident\ntitle: Incident\nnumber: INC\n{incident}\ncreate: {{ report: {{ to: new }} }}\n"
                ),
            ),
            ("teams/team.yaml", format!("kind: Team\n{team}")),
        ];
        let files: BTreeMap<String, String> = files
            .into_iter()
            .map(|(path, text)| (path.to_owned(), text))
            .collect();
        Pack::read(&files).unwrap_or_else(|found| panic!("{found}"))
    }

    #[test]
    fn each_difference_is_told_once_with_both_values() {
        let old = pack(
            "1.0.0",
            "fields: { a: { type: string }, b: { type: string }, c: { type: string } }\nstates: { new: { category: open, timers: { t: { wait: { time: P1D }, repeat: true } } }, old: { category: closed } }",
            "id: desk\ntitle: Desk\n",
        );
        let new = pack(
            "1.1.0",
            "fields: { b: { type: string }, a: { maxLength: 3, type: string } }\nstates: { new: { timers: { t: { wait: { time: P2D }, repeat: true } }, category: open } }",
            "id: office\ntitle: Desk\n",
        );
        let told: Vec<String> = diff(&old, &new).iter().map(ToString::to_string).collect();
        expect![[r#"
            ~ pack/version
                old  "1.0.0"  (pack.yaml:3:10)
                new  "1.1.0"  (pack.yaml:3:10)
            - teams/desk
                old  {"kind":"Team","id":"desk","title":"Desk"}  (teams/team.yaml:1:1)
            + teams/office
                new  {"kind":"Team","id":"office","title":"Desk"}  (teams/team.yaml:1:1)
            ~ workflows/incident/fields: another order
                old  ["a","b"]  (workflows/incident.yaml:5:9)
                new  ["b","a"]  (workflows/incident.yaml:5:9)
            + workflows/incident/fields/a/maxLength
                new  3  (workflows/incident.yaml:5:48)
            - workflows/incident/fields/c
                old  {"type":"string"}  (workflows/incident.yaml:5:56)
            ~ workflows/incident/states/new/timers/t/wait
                old  {"time":"P1D"}  (workflows/incident.yaml:6:55)
                new  {"time":"P2D"}  (workflows/incident.yaml:6:39)
            - workflows/incident/states/old
                old  {"category":"closed"}  (workflows/incident.yaml:6:95)
        "#]]
        .assert_eq(&(told.join("\n") + "\n"));
        assert_eq!(diff(&old, &old), []);
    }

    #[test]
    fn the_order_of_dates_that_recur_is_told_and_each_by_its_keys() {
        let pack = |recurring: &str| {
            let calendar =
                format!("kind: Calendar\nid: office\nzone: UTC\nrecurring:\n  {recurring}\n");
            let header = "kind: Pack\nid: base\nversion: 1.0.0\ntitle: Base\nzone: UTC\n";
            let files = [("pack.yaml", header), ("calendars/office.yaml", &calendar)];
            let files = files.map(|(path, text)| (path.to_owned(), text.to_owned()));
            Pack::read(&BTreeMap::from(files)).unwrap_or_else(|found| panic!("{found}"))
        };
        let old = pack(
            "a: { first: \"2026-01-01\", repeats: FREQ=YEARLY }\n  b: { first: \"2026-01-02\", repeats: FREQ=YEARLY }",
        );
        let new = pack(
            "b: { first: \"2026-01-02\", repeats: FREQ=YEARLY }\n  a: { first: \"2026-01-01\", days: 2, repeats: FREQ=YEARLY }",
        );
        let told: Vec<String> = diff(&old, &new).iter().map(ToString::to_string).collect();
        expect![[r#"
            ~ calendars/office/recurring: another order
                old  ["a","b"]  (calendars/office.yaml:5:3)
                new  ["b","a"]  (calendars/office.yaml:5:3)
            + calendars/office/recurring/a/days
                new  2  (calendars/office.yaml:6:35)
        "#]]
        .assert_eq(&(told.join("\n") + "\n"));
    }
}
