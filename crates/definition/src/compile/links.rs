//! Kinds of link, as each is called from the records of one workflow: those that it declares, and the
//! inverses of those that others declare.

use std::collections::BTreeMap;

use model::definition::{LinkType, Workflow};
use model::id::{LinkKind, WorkflowId};

use super::compiler::Compiler;
use super::fault::Spot;
use super::names::Names;
use super::types::LinkSide;

type Sides = BTreeMap<LinkKind, LinkSide>;

/// The kinds of link of a workflow's records, by what each is called from them.
pub(super) fn links(compiler: &mut Compiler<'_>, id: &WorkflowId, source: &Workflow) -> Sides {
    let names = compiler.names;
    let mut sides = Sides::new();
    compiler.within("links", |compiler| {
        for (kind, link) in &source.links {
            compiler.within(kind.as_str(), |compiler| known_ends(compiler, link));
            let label = link.label.clone().unwrap_or_else(|| kind.to_string());
            let side = LinkSide {
                kind: kind.clone(),
                inverse: false,
                alike: link.inverse == *kind,
                to: ends(link).cloned().collect(),
                label,
            };
            add(compiler, &mut sides, kind, kind, side);
            if ends(link).any(|end| end == id) {
                inverse(compiler, &mut sides, kind, link, id);
            }
        }
        for (other, known) in names.workflows.iter().filter(|(other, _)| *other != id) {
            let leading_here = |(_, link): &(&LinkKind, &LinkType)| ends(link).any(|end| end == id);
            for (kind, link) in known.links.iter().filter(leading_here) {
                inverse(compiler, &mut sides, kind, link, other);
            }
        }
    });
    sides
}

/// Adds what a link is called from the side that it leads to.
fn inverse(
    compiler: &mut Compiler<'_>,
    sides: &mut Sides,
    kind: &LinkKind,
    link: &LinkType,
    from: &WorkflowId,
) {
    // What both sides call alike is one thing, whichever side it was made from.
    let is_alike = link.inverse == *kind;
    let label = link
        .back
        .clone()
        .unwrap_or_else(|| link.inverse.to_string());
    let side = LinkSide {
        kind: kind.clone(),
        inverse: !is_alike,
        alike: is_alike,
        to: [from.clone()].into(),
        label,
    };
    add(compiler, sides, &link.inverse, kind, side);
}

/// Adds a side; one that is there already must be of the same kind and direction.
fn add(
    compiler: &mut Compiler<'_>,
    sides: &mut Sides,
    name: &LinkKind,
    declared: &LinkKind,
    side: LinkSide,
) {
    let Some(known) = sides.get_mut(name) else {
        sides.insert(name.clone(), side);
        return;
    };
    if known.kind == side.kind && known.inverse == side.inverse {
        known.to.extend(side.to);
        return;
    }
    let (of, other) = (known.kind.clone(), side.kind);
    let message = format!("`{name}` would mean two kinds of link from here: `{of}` and `{other}`");
    let below: &[&str] = &[declared.as_str()];
    let fault = compiler.fault(below, Spot::Key, "link", message);
    compiler.push(
        fault.help(
            "declare a kind of link on one side only; the other side knows it by its inverse",
        ),
    );
}

fn known_ends(compiler: &mut Compiler<'_>, link: &LinkType) {
    let names: &Names = compiler.names;
    if names.lenient {
        return;
    }
    if ends(link).next().is_none() {
        compiler.key(&["to"], "link", "a link that leads to nothing");
    }
    let unknown = |end: &&WorkflowId| !names.workflows.contains_key(*end);
    for end in ends(link).filter(unknown) {
        let known = names.workflows.keys().map(WorkflowId::as_str);
        compiler.unknown(
            &["to", end.as_str()],
            Spot::Key,
            ("workflow", end.as_str()),
            known,
        );
    }
}

fn ends(link: &LinkType) -> impl Iterator<Item = &WorkflowId> {
    let leads = link.to.iter().filter(|(_, leads)| **leads);
    leads.map(|(workflow, _)| workflow)
}
