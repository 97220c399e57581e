//! Parts of definitions, laid under those that use them: fragments under workflows, holidays under
//! calendars.

use super::chain::Definitions;
use crate::overlay::{DefinitionKind, HEADER, merge};
use crate::source::{Diagnostics, Entry, Kind, Map, Node, Sources, nearest};

/// The key under which a definition names the parts that it uses.
const USE: &str = "use";

/// The key under which holidays stand, in a calendar and in a file of their own.
pub(super) const HOLIDAYS: &str = "holidays";
/// The key under which dates that recur stand there.
pub(super) const RECURRING: &str = "recurring";

/// The kind of the parts that definitions of this kind may use.
const fn part(kind: DefinitionKind) -> Option<DefinitionKind> {
    match kind {
        DefinitionKind::Workflow => Some(DefinitionKind::Fragment),
        DefinitionKind::Calendar => Some(DefinitionKind::Holidays),
        _ => None,
    }
}

/// Whether definitions of this kind are parts of others.
pub(super) const fn is_part(kind: DefinitionKind) -> bool {
    matches!(kind, DefinitionKind::Fragment | DefinitionKind::Holidays)
}

const fn called(part: DefinitionKind) -> &'static str {
    match part {
        DefinitionKind::Holidays => "holidays",
        _ => "fragment",
    }
}

/// The parts that this text of a definition, or of a patch on one, adds, in the order of their ids.
pub(super) fn used(kind: DefinitionKind, node: &Node) -> Vec<(String, Entry)> {
    let named = node.get(USE).filter(|_| part(kind).is_some());
    let mut used: Vec<(String, Entry)> = named
        .and_then(Node::as_map)
        .into_iter()
        .flatten()
        .filter(|(_, entry)| entry.value.kind == Kind::Boolean(true))
        .map(|(id, entry)| (id.clone(), entry.clone()))
        .collect();
    used.sort_by(|(one, _), (other, _)| one.cmp(other));
    used
}

/// Refuses to take out a part that the base uses: what it brought is part of the base.
pub(super) fn stay(
    kind: DefinitionKind,
    base: &Node,
    patch: &Node,
    sources: &Sources,
    found: &mut Diagnostics,
) {
    let Some(part) = part(kind).map(called) else {
        return;
    };
    let used = |id: &str| base.get(USE).is_some_and(|used| used.get(id).is_some());
    let removed = patch.get(USE).and_then(Node::as_map).into_iter().flatten();
    for (id, entry) in removed {
        if used(id) && entry.value.kind != Kind::Boolean(true) {
            let message = format!("the base uses the {part} `{id}`, and what it brought stays");
            let diagnostic = sources.error(entry.key, "fragment", message);
            found.push(diagnostic.help("remove with `null` what of it is not wanted"));
        }
    }
}

/// A definition with parts laid under it: where both say something, its own counts, and stands first.
/// A date of a calendar's own replaces that of its holidays whole, and so do dates that recur by an id.
pub(super) fn under(
    kind: DefinitionKind,
    own: &Node,
    used: &[(String, Entry)],
    all: &Definitions,
    sources: &Sources,
    found: &mut Diagnostics,
) -> Node {
    let Some(of) = part(kind) else {
        return own.clone();
    };
    let mut ground = Node {
        span: own.span,
        kind: Kind::Map(header(own).collect()),
    };
    for (id, entry) in used {
        let key = (of, id.clone());
        let Some(part) = all.get(&key) else {
            let known = all.keys().filter(|(kind, _)| *kind == of);
            let near = nearest(id, known.map(|(_, id)| id.as_str()));
            let message = match of {
                DefinitionKind::Holidays => format!("there are no holidays `{id}`"),
                _ => format!("there is no fragment `{id}`"),
            };
            found.push(
                sources
                    .error(entry.key, "unknown-name", message)
                    .suggest(near),
            );
            continue;
        };
        let part = match of {
            DefinitionKind::Holidays => &only_new(part, &ground, own, (id, entry), sources, found),
            _ => part,
        };
        if let Some(path) = both_say(&ground, part, &mut Vec::new()) {
            let message = format!(
                "the {} `{id}` and another that is used here both say `{path}`",
                called(of)
            );
            found.push(sources.error(entry.key, "fragment", message));
        }
        merge(kind, &mut ground, part, sources, found);
    }
    merge(kind, &mut ground, own, sources, found);
    own_first(&mut ground, own);
    ground
}

/// What of holidays neither the calendar itself has nor other holidays that it uses, single dates and
/// those that recur.
fn only_new(
    holidays: &Node,
    ground: &Node,
    own: &Node,
    used: (&str, &Entry),
    sources: &Sources,
    found: &mut Diagnostics,
) -> Node {
    let mut node = Node::empty_map(holidays.span);
    for key in [HOLIDAYS, RECURRING] {
        let Some(stands) = holidays.as_map().and_then(|map| map.get(key)) else {
            continue;
        };
        let new = new_entries(key, &stands.value, ground, own, used, sources, found);
        if let Kind::Map(map) = &mut node.kind {
            let mut entry = stands.clone();
            entry.value.kind = Kind::Map(new);
            map.insert(key.to_owned(), entry);
        }
    }
    node
}

/// Two sets of holidays may name a date differently. That they open at different hours, or on different
/// dates by one id, is for the calendar to settle.
fn new_entries(
    key: &str,
    all: &Node,
    ground: &Node,
    own: &Node,
    (id, entry): (&str, &Entry),
    sources: &Sources,
    found: &mut Diagnostics,
) -> Map {
    let entries = |node: &Node| node.get(key).and_then(Node::as_map).cloned();
    let (mine, others) = (
        entries(own).unwrap_or_default(),
        entries(ground).unwrap_or_default(),
    );
    let mut new = all.as_map().cloned().unwrap_or_default();
    new.retain(|name, said| {
        if let Some(own) = mine.get(name) {
            return own.value.kind == Kind::Null && !others.contains_key(name);
        }
        let Some(other) = others.get(name) else {
            return true;
        };
        if !alike(&other.value, &said.value) {
            let (message, help) = if key == HOLIDAYS {
                (
                    format!("the holidays `{id}` and others that are used here have other hours on {name}"),
                    "say in the calendar itself what is open on that date",
                )
            } else {
                (
                    format!("the holidays `{id}` and others that are used here have other dates or hours by the name `{name}`"),
                    "say in the calendar itself what recurs by that name",
                )
            };
            found.push(sources.error(entry.key, "fragment", message).help(help));
        }
        false
    });
    new
}

/// Whether two entries say the same, whatever they are called.
fn alike(one: &Node, other: &Node) -> bool {
    let said = |node: &Node| {
        let mut said = node.to_json();
        if let Some(said) = said.as_object_mut() {
            said.shift_remove("name");
        }
        said
    };
    said(one) == said(other)
}

/// Puts the keys that a definition has itself before those that only its parts have.
fn own_first(laid: &mut Node, own: &Node) {
    let (Kind::Map(laid), Some(own)) = (&mut laid.kind, own.as_map()) else {
        return;
    };
    laid.sort_by_cached_key(|key, _| own.get_index_of(key).unwrap_or(usize::MAX));
    for (key, entry) in own {
        if let Some(below) = laid.get_mut(key) {
            own_first(&mut below.value, &entry.value);
        }
    }
}

fn header(node: &Node) -> impl Iterator<Item = (String, Entry)> + '_ {
    let map = node.as_map().into_iter().flatten();
    map.filter(|(key, _)| HEADER.contains(&key.as_str()))
        .map(|(key, entry)| (key.clone(), entry.clone()))
}

/// The first path at which both have something that is no map.
fn both_say(one: &Node, other: &Node, path: &mut Vec<String>) -> Option<String> {
    let (Some(these), Some(those)) = (one.as_map(), other.as_map()) else {
        return Some(path.join("."));
    };
    let at_root = path.is_empty();
    for (key, entry) in those {
        let Some(own) = these.get(key) else { continue };
        if at_root && HEADER.contains(&key.as_str()) {
            continue;
        }
        path.push(key.clone());
        let found = both_say(&own.value, &entry.value, path);
        path.pop();
        if found.is_some() {
            return found;
        }
    }
    None
}
