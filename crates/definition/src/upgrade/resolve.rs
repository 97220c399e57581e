//! What something that the old base has is called today.

use std::collections::BTreeSet;

use super::homes::{Homes, Root};
use super::laid::{Laid, kind_of, root};
use super::names::{Of, candidates, is_workflow};
use crate::overlay::DefinitionKind;
use crate::pack::renamed::Renames;

/// What is to be known to carry names over.
pub(super) struct Renamer<'a> {
    pub(super) old: &'a Laid,
    ours: &'a Laid,
    new: &'a Laid,
    pub(super) renames: &'a Renames,
    pub(super) homes: Homes<'a>,
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

/// What a name is called today.
pub(super) enum Resolved {
    /// The same, or it is no name of the base's.
    Same,
    /// Otherwise: the path of what it names, and the name.
    To(Vec<String>, String),
    /// That cannot be told: the path of what it named, and why.
    Not(Vec<String>, Why),
}

impl<'a> Renamer<'a> {
    pub(super) fn new(old: &'a Laid, ours: &'a Laid, new: &'a Laid, renames: &'a Renames) -> Self {
        Self {
            old,
            ours,
            new,
            renames,
            homes: Homes::new(old, ours),
        }
    }

    /// What the old base calls so, and what it is called today.
    pub(super) fn resolve(&self, of: &Of, name: &str, homes: &[Root], own: &[String]) -> Resolved {
        let mut candidates = candidates(of, name, homes, own);
        if self.is_team(of, homes, own) {
            candidates.push(root(DefinitionKind::Team, name));
        }
        let known: Vec<Vec<String>> = candidates
            .iter()
            .flat_map(|path| self.old.matching(path))
            .collect();
        let Some(first) = known.first() else {
            return Resolved::Same;
        };
        let today = known.iter().map(|path| self.today(path));
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

    /// The path today of what once stood at this one. What lies under or over a workflow is called as
    /// the workflow calls it, where no line says so of itself.
    fn today(&self, path: &[String]) -> Vec<String> {
        let mut today = self.renames.path(path);
        let kind = kind_of(&path[0]).filter(|kind| is_workflow(*kind));
        let (Some(kind), false) = (kind, self.new.has(&today)) else {
            return today;
        };
        let (own, keys) = path.split_at(2);
        let others = self.homes.of(kind, own).into_iter();
        for other in others.filter(|other| other != own) {
            let there = self.renames.path(&[&other[..], keys].concat());
            let pairs = today.iter_mut().zip(path).zip(there).skip(own.len());
            for ((name, old), new) in pairs.filter(|((name, old), _)| *name == *old) {
                if new != *old {
                    *name = new;
                }
            }
        }
        today
    }

    /// Whether what is given is the id of a team: of a field that refers to one, or of the relation.
    fn is_team(&self, of: &Of, homes: &[Root], own: &[String]) -> bool {
        let (field, places) = match of {
            Of::Choice(field) => (field, candidates(&Of::Field, field, homes, own)),
            Of::InputChoice(form, input) => {
                let of = Of::Input(form.clone());
                (input, candidates(&of, input, homes, own))
            }
            _ => return false,
        };
        let refers = ["ref".to_owned()];
        let said = places
            .iter()
            .flat_map(|path| self.homes.all_said(&[&path[..], &refers].concat()));
        let kinds: BTreeSet<&str> = said.collect();
        let is_field = || {
            let mut laid = [self.old, self.ours].into_iter();
            laid.any(|laid| places.iter().any(|path| !laid.matching(path).is_empty()))
        };
        kinds.contains(TEAM) || (field == TEAM && !is_field())
    }
}

/// The kind of thing in the directory that is a team, and the relation of a record to one.
const TEAM: &str = "team";
