//! Escalation: whoever is to be told of work that nobody has taken yet, one step after the other, until
//! somebody acknowledges it. The open step and when the next one is due are part of the record, like a
//! timer, so that nothing is lost with the process.

use std::collections::BTreeSet;

use definition::compile::Escalation as Policy;
use model::Instant;
use model::command::{Action, Who};
use model::definition::Whom;
use model::event::{EscalationEnded, Event};
use model::id::{DirectoryId, PersonId, TeamId};
use model::record::Escalation;

use super::{MOST_STEPS, Result, Step};
use crate::on_call::{by_words, until_words};
use crate::scope::Scope;

/// The most people who are told in one step.
const MOST_TOLD: usize = 200;

impl<'a> Step<'a> {
    /// Begins, ends or leaves the escalation of where the entry left the record.
    pub(super) fn look_at_escalation(&mut self) -> Result<()> {
        for _ in 0..MOST_STEPS {
            let policy = self.policy();
            let applies = policy.is_some_and(|(team, policy)| self.covers(team, policy));
            if let Some(open) = &self.record.escalation {
                let ended = self.why_ended(open, applies);
                if let Some((how, reason)) = ended {
                    self.emit(Event::EscalationEnded { how, reason });
                }
            }
            let Some((team, policy)) = policy.filter(|_| applies) else {
                return Ok(());
            };
            if self.record.escalation.is_some() || !self.comes_to(team, policy) {
                return Ok(());
            }
            self.escalated.insert(team.clone());
            if self.tell(team, policy, (0, 0), None) {
                return Ok(());
            }
            self.exhausted(policy, &format!("nobody can be told for {team}"))?;
            self.settle()?;
            self.look_at_clocks()?;
        }
        Ok(())
    }

    /// Does what is due: the next step, or the end.
    pub(super) fn escalation_due(&mut self, due: Instant) -> Result<()> {
        let Some(open) = self.record.escalation.clone() else {
            return Ok(());
        };
        let Some((team, policy)) = self.policy().filter(|(team, _)| **team == open.team) else {
            self.emit(Event::EscalationEnded {
                how: EscalationEnded::Withdrawn,
                reason: "the team has no such escalation any more".to_owned(),
            });
            return Ok(());
        };
        let place = policy.steps.get_index_of(&open.step);
        let next = place.map_or(policy.steps.len(), |place| place + 1);
        if !self.tell(team, policy, (next, open.round), Some(due)) {
            let reason = format!("nobody acknowledged it after {} was told", open.step);
            self.exhausted(policy, &reason)?;
        }
        Ok(())
    }

    /// What the record's team says, where that is for records of its workflow.
    fn policy(&self) -> Option<(&'a TeamId, &'a Policy)> {
        let team = self.record.team.as_ref()?;
        let (team, policy) = self.input.definitions.escalations.get_key_value(team)?;
        policy
            .covers
            .contains_key(&self.record.workflow)
            .then_some((team, policy))
    }

    /// Whether a team's escalation is for the record as it stands.
    fn covers(&mut self, team: &TeamId, policy: &Policy) -> bool {
        let Some(when) = policy.covers.get(&self.record.workflow) else {
            return false;
        };
        let holds = when.holds(&self.still());
        holds.unwrap_or_else(|error| {
            let place = format!("team {team}, escalation, for");
            self.failed(place, error.to_string());
            false
        })
    }

    /// What a condition may name that changes only with the record.
    fn still(&self) -> Scope<'_> {
        Scope {
            now: None,
            it: None,
            input: None,
            ..self.scope()
        }
    }

    /// Whether the record comes to the team, or under its escalation, with this entry, and nobody has
    /// taken it in the same breath.
    fn comes_to(&self, team: &TeamId, policy: &Policy) -> bool {
        let held = self.input.record.is_some_and(|before| {
            let when = policy.covers.get(&before.workflow);
            before.team.as_ref() == Some(team)
                && when.is_some_and(|when| {
                    let scope = Scope {
                        record: before,
                        ..self.still()
                    };
                    when.holds(&scope).unwrap_or(false)
                })
        });
        let is_taken = self.actor().person().is_some()
            && self.record.assignee.as_ref() == self.actor().person()
            && self.record.requester.as_ref() != self.actor().person();
        !held && !is_taken && !self.escalated.contains(team)
    }

    fn why_ended(&self, open: &Escalation, applies: bool) -> Option<(EscalationEnded, String)> {
        if self.record.team.as_ref() != Some(&open.team) {
            let reason = format!("it is no longer with {}", open.team);
            return Some((EscalationEnded::Withdrawn, reason));
        }
        if let Some(person) = self.acknowledges(open) {
            let reason = format!("{person} took it");
            return Some((EscalationEnded::Acknowledged(person.clone()), reason));
        }
        let reason = "it no longer has to be acknowledged";
        (!applies).then(|| (EscalationEnded::Withdrawn, reason.to_owned()))
    }

    /// Who acknowledges with this command: by taking a transition of the record, or by giving it to
    /// themselves.
    fn acknowledges(&self, open: &Escalation) -> Option<&'a PersonId> {
        let Who::Person(person) = &self.actor().who else {
            return None;
        };
        let is_theirs = self.record.assignee.as_ref() == Some(person);
        let concerns =
            is_theirs || open.told.contains(person) || self.actor().teams.contains(&open.team);
        let is_one = match &self.input.command.action {
            Action::Transition { .. } => concerns,
            Action::Update { fields } => is_theirs && fields.contains_key("assignee"),
            _ => false,
        };
        is_one.then_some(person)
    }

    /// Tells those of a step, or of the next that has anybody; whether anyone was told.
    fn tell(
        &mut self,
        team: &TeamId,
        policy: &Policy,
        (mut place, mut round): (usize, u32),
        was_due: Option<Instant>,
    ) -> bool {
        let most = policy.steps.len() * (usize::try_from(policy.repeat).unwrap_or(0) + 1);
        for _ in 0..=most {
            if place >= policy.steps.len() {
                if round >= policy.repeat {
                    return false;
                }
                (place, round) = (0, round + 1);
            }
            let Some((id, step)) = policy.steps.get_index(place) else {
                return false;
            };
            let (told, reason) = self.whom(&step.whom);
            if told.is_empty() {
                self.failed(format!("team {team}, escalation, step {id}"), reason);
                place += 1;
                continue;
            }
            let due = self.wait_ends(&step.within, self.now());
            self.emit(Event::Escalated {
                team: team.clone(),
                step: id.clone(),
                round,
                told: told.iter().cloned().collect(),
                reason,
                due,
                was_due,
            });
            self.notify_people(&policy.notice, told, &format!("team {team}, escalation"));
            return true;
        }
        false
    }

    /// Ends it without anybody's acknowledgement, with all that this causes.
    fn exhausted(&mut self, policy: &'a Policy, reason: &str) -> Result<()> {
        self.emit(Event::EscalationEnded {
            how: EscalationEnded::Exhausted,
            reason: reason.to_owned(),
        });
        self.cause(&policy.effects, "the end of the escalation");
        if let Some(transition) = &policy.transition
            && self
                .input
                .workflow
                .transition(&self.record.state, transition.as_str())
                .is_some()
        {
            self.follow(transition, reason)?;
        }
        Ok(())
    }

    /// Who is told, and why those; or why nobody is.
    fn whom(&self, whom: &Whom) -> (BTreeSet<PersonId>, String) {
        let (people, why) = match whom {
            Whom::OnCall(team) => {
                let roster = self.ledger.roster(team);
                return self.on_call_by(roster.rota_of(team), &format!("on call for {team}"));
            }
            Whom::Rota(rota) => {
                return self.on_call_by(rota.as_str(), &format!("on call by {rota}"));
            }
            Whom::Team(team) => {
                let members = self.ledger.roster(team).members.into_keys().collect();
                (members, format!("everyone in {team}"))
            }
            Whom::Role(role) => {
                let people = self.ledger.people_with_role(role);
                (people, format!("everyone with the role {role}"))
            }
            Whom::User(person) => return self.person_or_substitute(person),
        };
        let here = people.into_iter().take(MOST_TOLD);
        let here: BTreeSet<_> = here.filter(|person| !self.is_away(person)).collect();
        if here.is_empty() {
            return (here, format!("{why} is out of office, or there is nobody"));
        }
        (here, why)
    }

    fn on_call_by(&self, rota: &str, what: &str) -> (BTreeSet<PersonId>, String) {
        let known = DirectoryId::new(rota)
            .ok()
            .and_then(|id| self.ledger.rota(&id));
        let Some(known) = known else {
            return (BTreeSet::new(), format!("there is no rota `{rota}`"));
        };
        let (on_call, until) = known.until(self.now());
        let Some(on_call) = on_call else {
            return (
                BTreeSet::new(),
                format!("nobody is on call by the rota {rota}"),
            );
        };
        let instead = on_call.instead_of.as_ref();
        let instead = instead.map_or_else(String::new, |turn| format!(" instead of {turn}"));
        let until = until.map_or_else(String::new, |until| until_words(until, known.zone()));
        let why = format!("{what}{instead} ({}){until}", by_words(&on_call.by));
        (BTreeSet::from([on_call.person]), why)
    }

    fn person_or_substitute(&self, person: &PersonId) -> (BTreeSet<PersonId>, String) {
        let absences = self.ledger.absences(person);
        let Some(absence) = absences.at(self.now()) else {
            return (
                BTreeSet::from([person.clone()]),
                "named by the step".to_owned(),
            );
        };
        match &absence.substitute {
            Some(substitute) if !self.is_away(substitute) => {
                let why = format!("instead of {person}, who is out of office");
                (BTreeSet::from([substitute.clone()]), why)
            }
            _ => (BTreeSet::new(), format!("{person} is out of office")),
        }
    }
}
