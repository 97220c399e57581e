//! Of which workflows' records a definition speaks, and so where the things that it names are defined.

use std::collections::{BTreeMap, BTreeSet};

use super::laid::{Laid, root};
use crate::overlay::DefinitionKind;
use crate::source::{Kind, Node};

/// The path of a definition.
pub(super) type Root = Vec<String>;

/// What the adaptation and its old base say of whose records a definition is about.
pub(super) struct Homes<'a> {
    old: &'a Laid,
    ours: &'a Laid,
    /// The workflows whose records a notice is sent for.
    senders: BTreeMap<String, BTreeSet<String>>,
}

impl<'a> Homes<'a> {
    pub(super) fn new(old: &'a Laid, ours: &'a Laid) -> Self {
        let senders = BTreeMap::new();
        let mut homes = Self { old, ours, senders };
        for (kind, root, node) in homes.trees() {
            let workflows = match kind {
                DefinitionKind::Workflow => vec![root[1].clone()],
                DefinitionKind::ServiceLevel => homes.covered(&root),
                DefinitionKind::Team => homes.escalated(&root),
                _ => continue,
            };
            if kind == DefinitionKind::Team {
                let notice =
                    homes.said(&[&root[..], &["escalation", "notice"].map(str::to_owned)].concat());
                let senders =
                    notice.map(|notice| homes.senders.entry(notice.to_owned()).or_default());
                if let Some(senders) = senders {
                    senders.extend(workflows.iter().cloned());
                }
            }
            each_notice(node, &mut |notice| {
                let senders = homes.senders.entry(notice.to_owned()).or_default();
                senders.extend(workflows.iter().cloned());
            });
        }
        homes
    }

    fn trees(&self) -> impl Iterator<Item = (DefinitionKind, Root, &'a Node)> + use<'a> {
        [self.old, self.ours].into_iter().flat_map(Laid::trees)
    }

    /// The text at a path: the adaptation's, else the base's.
    pub(super) fn said(&self, path: &[String]) -> Option<&'a str> {
        let both = [self.ours, self.old];
        both.iter().find_map(|laid| laid.get(path)?.as_text())
    }

    /// Whether something stands at a path.
    pub(super) fn has(&self, path: &[String]) -> bool {
        [self.ours, self.old].iter().any(|laid| laid.has(path))
    }

    /// The keys at a path: the base's, then those that the adaptation adds.
    pub(super) fn keys(&self, path: &[String]) -> Vec<&'a String> {
        let mut keys: Vec<&String> = Vec::new();
        for laid in [self.old, self.ours] {
            let map = laid.get(path).and_then(Node::as_map);
            let there = map.into_iter().flatten();
            let there = there.filter(|(_, entry)| entry.value.kind != Kind::Null);
            for (key, _) in there {
                if !keys.contains(&key) {
                    keys.push(key);
                }
            }
        }
        keys
    }

    /// The texts at the paths that one with `*` in the place of keys stands for.
    pub(super) fn all_said(&self, path: &[String]) -> BTreeSet<&'a str> {
        let each = [self.ours, self.old].into_iter().flat_map(|laid| {
            let paths = laid.matching(path).into_iter();
            paths.filter_map(|path| laid.get(&path)?.as_text())
        });
        each.collect()
    }

    /// The definitions in which the things are that a definition names: workflows, and what is laid
    /// under or over them.
    pub(super) fn of(&self, kind: DefinitionKind, own: &[String]) -> Vec<Root> {
        match kind {
            DefinitionKind::Workflow => self.workflow(&own[1]),
            DefinitionKind::Fragment => {
                let users = self.users(&own[1]);
                let users = users.iter().map(|id| root(DefinitionKind::Workflow, id));
                std::iter::once(own.to_vec()).chain(users).collect()
            }
            DefinitionKind::CatalogueItem => self.item(own),
            DefinitionKind::Migration => {
                let of = [own, &["of".to_owned()]].concat();
                let of = self.said(&of);
                of.map_or_else(Vec::new, |id| self.workflow(id))
            }
            DefinitionKind::ServiceLevel => self.workflows(self.covered(own)),
            DefinitionKind::Team => self.workflows(self.escalated(own)),
            DefinitionKind::Notice => match self.senders.get(&own[1]) {
                Some(senders) => self.workflows(senders),
                None => self.every(),
            },
            DefinitionKind::Plugin => self.every(),
            _ => Vec::new(),
        }
    }

    /// A workflow, and the fragments that are laid under it.
    pub(super) fn workflow(&self, id: &str) -> Vec<Root> {
        let own = root(DefinitionKind::Workflow, id);
        let fragments = self.keys(&[&own[..], &["use".to_owned()]].concat());
        let fragments = fragments
            .into_iter()
            .map(|id| root(DefinitionKind::Fragment, id));
        let fragments: Vec<Root> = fragments.collect();
        std::iter::once(own).chain(fragments).collect()
    }

    /// An item of the catalogue, and the workflow that it lies over.
    pub(super) fn item(&self, own: &[String]) -> Vec<Root> {
        let of = self.said(&[own, &["of".to_owned()]].concat());
        let workflow = of.map_or_else(Vec::new, |id| self.workflow(id));
        std::iter::once(own.to_vec()).chain(workflow).collect()
    }

    /// Every workflow.
    pub(super) fn every(&self) -> Vec<Root> {
        let workflows = self
            .trees()
            .filter(|(kind, ..)| *kind == DefinitionKind::Workflow);
        let ids: BTreeSet<String> = workflows.map(|(_, root, _)| root[1].clone()).collect();
        self.workflows(&ids)
    }

    fn workflows(&self, ids: impl IntoIterator<Item = impl AsRef<str>>) -> Vec<Root> {
        let each = ids.into_iter().flat_map(|id| self.workflow(id.as_ref()));
        each.collect()
    }

    /// The workflows that use a fragment.
    fn users(&self, fragment: &str) -> BTreeSet<String> {
        let mut users = BTreeSet::new();
        for (kind, root, node) in self.trees() {
            let used = node
                .get("use")
                .is_some_and(|used| used.get(fragment).is_some());
            if kind == DefinitionKind::Workflow && used {
                users.insert(root[1].clone());
            }
        }
        users
    }

    /// The workflows that a kind of link may lead to, from whichever side it is called so.
    pub(super) fn linked(&self, name: &str) -> Vec<Root> {
        let mut ends = BTreeSet::new();
        for (kind, root, node) in self.trees() {
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
        self.workflows(&ends)
    }

    /// The workflows of the tasks that a state hands out; `*` is any state, and any task.
    pub(super) fn handed_out(&self, by: &[Root], state: &str, task: &str) -> Vec<Root> {
        let within = ["states", state, "tasks", "each", task, "workflow"].map(str::to_owned);
        let said = by
            .iter()
            .flat_map(|by| self.all_said(&[&by[..], &within].concat()));
        let ids: BTreeSet<&str> = said.collect();
        self.workflows(ids)
    }

    /// The workflows that a service level covers.
    fn covered(&self, own: &[String]) -> Vec<String> {
        let keys = self.keys(&[own, &["for".to_owned()]].concat());
        keys.into_iter().cloned().collect()
    }

    /// The workflows whose records a team's escalation is for.
    fn escalated(&self, own: &[String]) -> Vec<String> {
        let below = ["escalation", "for"].map(str::to_owned);
        let keys = self.keys(&[own, &below].concat());
        keys.into_iter().cloned().collect()
    }
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
