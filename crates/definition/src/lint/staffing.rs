//! A pack held against a directory: teams without people, roles that nobody has, votes that cannot be had,
//! calendars that are not there.

use std::collections::{BTreeMap, BTreeSet};
use std::slice;

use model::definition::{Approver, Quorum};
use model::directory::{Key, Person, Roster, Thing, kind};
use model::id::{PersonId, RoleId, StageId, StateId, TeamId};

use serde_json::Value as Json;

use super::Rules;
use super::unused::OF_THE_SERVER;
use crate::compile::{Definitions, Fault, Stage, Workflow};
use crate::overlay::DefinitionKind;
use crate::pack::Pack;

/// Who is there.
#[derive(Clone, Debug, Default)]
pub struct Staff {
    people: BTreeMap<PersonId, BTreeSet<RoleId>>,
    teams: BTreeMap<TeamId, BTreeSet<PersonId>>,
    /// The calendars that things name, each with the first that does.
    calendars: BTreeMap<String, String>,
}

/// The attributes by which things of any kind name calendars, one or a list of them.
const NAMING_CALENDARS: [&str; 2] = ["freeze", "maintenance"];

impl Staff {
    /// The people and teams of a directory. What is no person and no roster is passed over: the server
    /// tells of it where it is loaded.
    pub fn of<'t>(things: impl IntoIterator<Item = (&'t Key, &'t Thing)>) -> Self {
        let mut staff = Self::default();
        for (key, thing) in things {
            for attribute in NAMING_CALENDARS {
                let names = thing.0.get(attribute).into_iter();
                let names = names.flat_map(|value| {
                    value
                        .as_array()
                        .map_or(slice::from_ref(value), Vec::as_slice)
                });
                for name in names.filter_map(Json::as_str) {
                    staff.names_calendar(name, attribute, key);
                }
            }
            let value = Json::Object(thing.0.clone());
            if key.kind.as_str() == kind::USER {
                let person: Person = serde_json::from_value(value).unwrap_or_default();
                if let Ok(id) = PersonId::new(key.id.as_str()) {
                    staff.people.insert(id, person.roles.into_iter().collect());
                }
            } else if key.kind.as_str() == kind::TEAM {
                let roster: Roster = serde_json::from_value(value).unwrap_or_default();
                for (person, member) in &roster.members {
                    if let Some(shift) = &member.shift {
                        let whose = format!("shift of {person}");
                        staff.names_calendar(shift.as_str(), &whose, key);
                    }
                }
                if let Ok(id) = TeamId::new(key.id.as_str()) {
                    staff.teams.insert(id, roster.members.into_keys().collect());
                }
            }
        }
        staff
    }

    fn names_calendar(&mut self, name: &str, by: &str, of: &Key) {
        let calendars = self.calendars.entry(name.to_owned());
        let _ = calendars.or_insert_with(|| format!("the {by} in the {} `{}`", of.kind, of.id));
    }

    fn with_role<'s>(&'s self, role: &'s RoleId) -> impl Iterator<Item = &'s PersonId> {
        let people = self.people.iter();
        people
            .filter(|(_, roles)| roles.contains(role))
            .map(|(id, _)| id)
    }

    fn members(&self, team: &TeamId) -> impl Iterator<Item = &PersonId> {
        self.teams.get(team).into_iter().flatten()
    }
}

pub(super) fn check(pack: &Pack, all: &Definitions, staff: &Staff, faults: &mut Vec<Fault>) {
    for id in pack
        .teams
        .keys()
        .filter(|id| staff.members(id).next().is_none())
    {
        let message = format!("nobody is a member of the team `{id}`");
        Rules::of(DefinitionKind::Team, id.as_str(), faults)
            .warning("empty-team", &["id"], message)
            .help = Some("give it members in the directory".to_owned());
    }
    for role in pack.header.roles.keys() {
        // The server's own come with tokens.
        if OF_THE_SERVER.contains(&role.as_str()) {
            continue;
        }
        if staff.with_role(role).next().is_none() {
            let message = format!("nobody has the role `{role}`");
            Rules::of(DefinitionKind::Pack, pack.id.as_str(), faults)
                .warning("role-of-nobody", &["roles", role.as_str()], message)
                .help = Some("give it to someone in the directory".to_owned());
        }
    }
    for (name, by) in &staff.calendars {
        if !all.calendars.contains_key(name.as_str()) {
            let message = format!("there is no calendar `{name}`, which is {by}");
            Rules::of(DefinitionKind::Pack, pack.id.as_str(), faults)
                .warning("unknown-calendar", &["id"], message)
                .help = Some("name one of the pack, or add the calendar".to_owned());
        }
    }
    for (id, workflow) in &all.workflows {
        approvals(
            workflow,
            staff,
            &mut Rules::of(DefinitionKind::Workflow, id.as_str(), faults),
        );
    }
}

fn approvals(workflow: &Workflow, staff: &Staff, rules: &mut Rules<'_>) {
    for (state, said) in &workflow.states {
        for (id, stage) in said.approval.iter().flat_map(|approval| &approval.stages) {
            unknown_people((state, id), stage, staff, rules);
            quorum((state, id), stage, staff, rules);
        }
    }
}

fn unknown_people(
    (state, id): (&StateId, &StageId),
    stage: &Stage,
    staff: &Staff,
    rules: &mut Rules<'_>,
) {
    for (name, approver) in &stage.source.approvers {
        let Approver::User(person) = approver else {
            continue;
        };
        if !staff.people.contains_key(person) {
            let path = [
                "states",
                state.as_str(),
                "approval",
                "stages",
                id.as_str(),
                "approvers",
                name.as_str(),
            ];
            let message = format!("there is no `{person}` in the directory");
            rules.warning("unknown-person", &path, message);
        }
    }
}

/// How many could be asked is known where nobody is found by way of the record.
fn quorum((state, id): (&StateId, &StageId), stage: &Stage, staff: &Staff, rules: &mut Rules<'_>) {
    let mut asked: BTreeSet<&PersonId> = BTreeSet::new();
    for approver in stage.source.approvers.values() {
        match approver {
            Approver::User(person) => {
                asked.extend(staff.people.get_key_value(person).map(|(id, _)| id));
            }
            Approver::Team(team) => asked.extend(staff.members(team)),
            Approver::Role(role) => asked.extend(staff.with_role(role)),
            Approver::ManagerOf(_) | Approver::OwnerOf(_) => return,
        }
    }
    let needed = match stage.source.quorum {
        Quorum::Count(count) => usize::try_from(count).unwrap_or(usize::MAX),
        // Whoever is there suffices, if anyone is.
        Quorum::All(_) | Quorum::Any(_) | Quorum::Percent(_) => 1,
    };
    if needed > asked.len() {
        let path = [
            "states",
            state.as_str(),
            "approval",
            "stages",
            id.as_str(),
            "quorum",
        ];
        let people = match asked.len() {
            0 => "there is nobody to ask".to_owned(),
            1 => "there is one person to ask".to_owned(),
            more => format!("there are {more} people to ask"),
        };
        let message = format!("`{id}` needs {needed} to approve, and {people}");
        rules.warning("unreachable-quorum", &path, message);
    }
}
