//! Routing to a member by the server's own rule: who may get the work, and who of them gets it, with
//! the reason in words.

use std::collections::BTreeMap;

use definition::compile::{Routing, SkillNeeded};
use model::Instant;
use model::definition::{Among, MemberRouting, Prefer};
use model::directory::{Member, Roster};
use model::id::{DirectoryId, PersonId, TeamId};

use super::Step;
use super::routing::known_team;
use crate::on_call::{by_words, until_words};
use crate::port::Load;

/// Who gets it: a team, perhaps one of its members, and why.
type Chosen = (TeamId, Option<PersonId>, String);

/// Somebody who may get the work.
struct Candidate {
    person: PersonId,
    load: Load,
}

impl Step<'_> {
    /// Chooses a member; nothing where no team is told.
    pub(super) fn choose_member(&mut self, rule: &MemberRouting) -> Option<Chosen> {
        let team = self.team_of(rule)?;
        let roster = self.ledger.roster(&team);
        let (people, why) = self.considered(rule, &team, &roster);
        let needed = self.skills_needed();
        let able = able(people, &roster, &needed);
        let mut candidates = self.with_loads(able, rule);
        let count = candidates.len();
        let sticky = self.sticky(rule, &mut candidates);
        candidates.sort_by(|one, other| rule_key(rule, one).cmp(&rule_key(rule, other)));
        let mut skipped = Vec::new();
        for (place, candidate) in sticky
            .iter()
            .map(|(it, _)| it)
            .chain(&candidates)
            .enumerate()
        {
            // Rotas see to absences themselves, with substitutes.
            if rule.among != Among::OnCall && self.is_away(&candidate.person) {
                skipped.push(format!("{} is out of office", candidate.person));
                continue;
            }
            let mut parts = vec![why.clone()];
            parts.extend(skill_words(&needed, roster.members.get(&candidate.person)));
            match &sticky {
                Some((_, words)) if place == 0 => parts.push((*words).to_owned()),
                _ => parts.push(load_words(rule, candidate, count)),
            }
            parts.extend(skipped);
            return Some((team, Some(candidate.person.clone()), parts.join(", ")));
        }
        let mut parts = vec![nobody_words(rule, &why, &needed)];
        parts.extend(skipped);
        Some((team, None, parts.join("; ")))
    }

    fn team_of(&mut self, rule: &MemberRouting) -> Option<TeamId> {
        let definitions = self.input.definitions;
        if let Some(team) = &rule.team {
            return known_team(definitions, team.as_str());
        }
        if let Some(id) = &rule.table {
            let table = self.input.workflow.tables.get(id)?;
            let team = self.table_gives(table, "team")?;
            return known_team(definitions, team.as_text()?);
        }
        let fallback = self.input.workflow.routing.as_ref().map(|it| &it.fallback);
        let team = self.record.team.as_ref().or(fallback)?;
        known_team(definitions, team.as_str())
    }

    /// Who is considered, and why those, in words. The requester never is.
    fn considered(
        &self,
        rule: &MemberRouting,
        team: &TeamId,
        roster: &Roster,
    ) -> (Vec<PersonId>, String) {
        let now = self.now();
        let (people, why): (Vec<PersonId>, _) = match rule.among {
            Among::Everyone => (
                roster.members.keys().cloned().collect(),
                "a member".to_owned(),
            ),
            Among::OnShift => {
                let at_work = roster.members.iter();
                let at_work = at_work.filter(|(_, member)| self.is_on_shift(team, member, now));
                let people = at_work.map(|(person, _)| person.clone()).collect();
                (people, "on shift".to_owned())
            }
            Among::OnCall => self.on_call(team, roster, now),
        };
        let requester = self.record.requester.as_ref();
        let people = people
            .into_iter()
            .filter(|person| Some(person) != requester);
        (people.collect(), why)
    }

    fn on_call(&self, team: &TeamId, roster: &Roster, now: Instant) -> (Vec<PersonId>, String) {
        let id = roster.rota_of(team);
        let rota = DirectoryId::new(id).ok();
        let Some(known) = rota.and_then(|id| self.ledger.rota(&id)) else {
            return (Vec::new(), format!("there is no rota `{id}`"));
        };
        let (on_call, until) = known.until(now);
        let Some(on_call) = on_call else {
            return (Vec::new(), format!("nobody is on call by the rota {id}"));
        };
        let instead = on_call.instead_of.as_ref();
        let instead = instead.map_or_else(String::new, |turn| format!(" instead of {turn}"));
        let until = until.map_or_else(String::new, |until| until_words(until, known.zone()));
        let by = by_words(&on_call.by);
        let why = format!("on call for {team}{instead} ({by}){until}");
        (vec![on_call.person], why)
    }

    fn is_on_shift(&self, team: &TeamId, member: &Member, now: Instant) -> bool {
        let definitions = self.input.definitions;
        let of_team = definitions
            .teams
            .get(team)
            .and_then(|team| team.calendar.as_ref());
        member.shift.as_ref().or(of_team).is_none_or(|shift| {
            let calendar = definitions.calendars.get(shift);
            calendar.is_some_and(|pinned| pinned.calendar.is_open(now))
        })
    }

    pub(super) fn is_away(&self, person: &PersonId) -> bool {
        self.ledger.absences(person).at(self.now()).is_some()
    }

    /// The skills that this record takes.
    fn skills_needed(&mut self) -> Vec<SkillNeeded> {
        let routing: Option<&Routing> = self.input.workflow.routing.as_ref();
        let all = routing.map_or(&[][..], |routing| &routing.skills);
        let needed = all.iter().filter(|skill| match &skill.when {
            None => true,
            Some(when) => self.holds(when, || format!("routing, skill {}", skill.name)),
        });
        needed.cloned().collect()
    }

    /// What each of them has, without those who have as much as anyone may.
    fn with_loads(&self, people: Vec<PersonId>, rule: &MemberRouting) -> Vec<Candidate> {
        if people.is_empty() {
            return Vec::new();
        }
        let loads = self.ledger.loads(&people);
        let candidates = people.into_iter().zip(loads);
        let candidates = candidates.map(|(person, load)| Candidate { person, load });
        let has_room = |it: &Candidate| rule.most_open.is_none_or(|most| it.load.0 < most);
        candidates.filter(has_room).collect()
    }

    /// Takes the one out whom the work sticks to, with why.
    fn sticky(
        &self,
        rule: &MemberRouting,
        candidates: &mut Vec<Candidate>,
    ) -> Option<(Candidate, &'static str)> {
        if !rule.sticky || candidates.is_empty() {
            return None;
        }
        let mut by_person: BTreeMap<&PersonId, usize> = BTreeMap::new();
        for (place, candidate) in candidates.iter().enumerate() {
            by_person.insert(&candidate.person, place);
        }
        let own = self
            .record
            .assignee
            .as_ref()
            .and_then(|it| by_person.get(it));
        if let Some(place) = own.copied() {
            return Some((candidates.remove(place), "who had it before"));
        }
        let requester = self.record.requester.as_ref()?;
        let workflow = &self.record.workflow;
        let last = self
            .ledger
            .last_assignee(workflow, requester, &self.record.id)?;
        let place = *by_person.get(&last)?;
        Some((candidates.remove(place), "who had the requester's last one"))
    }
}

/// Those who have every skill that it takes.
fn able(people: Vec<PersonId>, roster: &Roster, needed: &[SkillNeeded]) -> Vec<PersonId> {
    let has = |person: &PersonId, skill: &SkillNeeded| {
        let member = roster.members.get(person);
        let level = member.and_then(|member| member.skills.level(&skill.name));
        level.is_some_and(|level| level >= skill.level)
    };
    let able = people.into_iter();
    let able = able.filter(|person| needed.iter().all(|skill| has(person, skill)));
    able.collect()
}

/// What tells candidates apart, the first of whom gets the work. Who never had one comes before all
/// others, and where nothing else tells two apart, their ids do.
fn rule_key<'c>(
    rule: &MemberRouting,
    candidate: &'c Candidate,
) -> (Option<i64>, u32, Option<i64>, &'c PersonId) {
    let (open, last) = candidate.load;
    let last = last.map(Instant::millis);
    match rule.prefer {
        Prefer::LeastLoaded => (None, open, last, &candidate.person),
        Prefer::RoundRobin => (last, open, None, &candidate.person),
    }
}

fn skill_words(needed: &[SkillNeeded], member: Option<&Member>) -> Vec<String> {
    let words = needed.iter().map(|skill| {
        let level = member.and_then(|member| member.skills.level(&skill.name));
        let level = level.filter(|level| *level > 1);
        let level = level.map_or_else(String::new, |level| format!(" level {level}"));
        format!("skill {}{level}", skill.name)
    });
    words.collect()
}

fn load_words(rule: &MemberRouting, candidate: &Candidate, count: usize) -> String {
    let open = match candidate.load.0 {
        0 => "no open record".to_owned(),
        1 => "1 open record".to_owned(),
        open => format!("{open} open records"),
    };
    match (count, rule.prefer) {
        (1, _) => open,
        (_, Prefer::LeastLoaded) => format!("{open}, the fewest of {count} people"),
        (_, Prefer::RoundRobin) => format!("whose turn it is of {count} people"),
    }
}

fn nobody_words(rule: &MemberRouting, why: &str, needed: &[SkillNeeded]) -> String {
    let skills: Vec<String> = needed
        .iter()
        .map(|skill| format!("{} at level {}", skill.name, skill.level))
        .collect();
    let with = match skills.as_slice() {
        [] => String::new(),
        skills => format!(" with the skills {}", skills.join(", ")),
    };
    match rule.among {
        Among::OnCall => format!("nobody{with} can be given it: {why}"),
        Among::OnShift => format!("nobody{with} is on shift and has room for it"),
        Among::Everyone => format!("nobody{with} has room for it"),
    }
}
