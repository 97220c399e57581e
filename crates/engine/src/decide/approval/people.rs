//! Who may vote in a stage: those it asks who are in the directory, those to whom votes were handed on,
//! and who stands in for whom while they are out of office. Never the requester, nor as a substitute,
//! unless the stage says so.

use std::collections::{BTreeMap, BTreeSet};

use model::Instant;
use model::definition::Approver;
use model::event::Event;
use model::id::{PersonId, StageId};
use model::record::{OpenStage, ResolvedApprover, StagePlan};

use super::super::Step;

impl Step<'_> {
    pub(super) fn resolve(&self, approver: &Approver) -> ResolvedApprover {
        let person = match approver {
            Approver::User(person) => Some(person.clone()),
            Approver::Team(team) => return ResolvedApprover::Team(team.clone()),
            Approver::Role(role) => return ResolvedApprover::Role(role.clone()),
            Approver::ManagerOf(of) => {
                let person = match of.as_str() {
                    "requester" => self.record.requester.clone(),
                    "assignee" => self.record.assignee.clone(),
                    field => self
                        .record
                        .field(field)
                        .as_text()
                        .and_then(|id| PersonId::new(id).ok()),
                };
                person
                    .and_then(|person| self.ledger.person(&person))
                    .and_then(|person| person.manager)
            }
            Approver::OwnerOf(field) => self.owner_of(field),
        };
        person.map_or(ResolvedApprover::Nobody, ResolvedApprover::Person)
    }

    fn owner_of(&self, field: &str) -> Option<PersonId> {
        let kind = self
            .input
            .workflow
            .fields
            .get(field)?
            .source
            .reference
            .as_ref()?;
        let thing = self
            .ledger
            .thing(kind.as_str(), self.record.field(field).as_text()?)?;
        PersonId::new(thing.text("owner")?).ok()
    }

    /// Whether someone may have a vote in a stage at all.
    pub(super) fn may_have_vote(&self, plan: &StagePlan, person: &PersonId) -> bool {
        (plan.allow_self || self.record.requester.as_ref() != Some(person))
            && self.ledger.person(person).is_some()
    }

    /// Who may vote in their own right, given who handed their vote on to whom.
    pub(super) fn entitled(
        &self,
        plan: &StagePlan,
        reassigned: &BTreeMap<PersonId, PersonId>,
    ) -> BTreeSet<PersonId> {
        let mut people = BTreeSet::new();
        for approver in &plan.approvers {
            match approver {
                ResolvedApprover::Person(person) => {
                    people.insert(person.clone());
                }
                ResolvedApprover::Team(team) => {
                    people.extend(self.ledger.roster(team).members.into_keys());
                }
                ResolvedApprover::Role(role) => people.extend(self.ledger.people_with_role(role)),
                ResolvedApprover::Nobody => {}
            }
        }
        // A vote can be handed on only by who would have it.
        let handed_on = reassigned
            .iter()
            .filter(|(first, _)| people.contains(*first) && self.may_have_vote(plan, first));
        let handed_on: Vec<_> = handed_on.collect();
        for (first, _) in &handed_on {
            people.remove(*first);
        }
        people.extend(handed_on.into_iter().map(|(_, holder)| holder.clone()));
        people.retain(|person| self.may_have_vote(plan, person));
        people
    }

    /// Who stands in for those of them who are out of office now, and when the next absence begins or
    /// ends. Whoever votes in their own right stands in for nobody: one person, one vote.
    pub(super) fn substitutes(
        &self,
        plan: &StagePlan,
        entitled: &BTreeSet<PersonId>,
    ) -> (BTreeMap<PersonId, PersonId>, Option<Instant>) {
        let now = self.now();
        let (mut substitutes, mut look_at) = (BTreeMap::new(), None::<Instant>);
        for person in entitled {
            let absences = self.ledger.absences(person);
            let next = absences.next_change(now);
            look_at = [look_at, next].into_iter().flatten().min();
            let substitute = absences.at(now).and_then(|it| it.substitute.as_ref());
            if let Some(substitute) = substitute
                && !entitled.contains(substitute)
                && self.may_have_vote(plan, substitute)
            {
                substitutes.insert(person.clone(), substitute.clone());
            }
        }
        (substitutes, look_at)
    }

    /// Sees who may vote now in every open stage: who left, or lost the right, loses the vote; who is
    /// asked from now on is told.
    pub(in crate::decide) fn look_at_entitlement(&mut self) {
        for id in self.open_ids() {
            self.look_at_stage(&id);
        }
    }

    fn look_at_stage(&mut self, id: &StageId) {
        let Some(stage) = self.open_stage(id).cloned() else {
            return;
        };
        let before = asked(&stage);
        let entitled = self.entitled(&stage.plan, &stage.reassigned);
        let (substitutes, look_at) = self.substitutes(&stage.plan, &entitled);
        if entitled != stage.entitled {
            let lost = stage.votes.keys().filter(|it| !entitled.contains(*it));
            self.emit(Event::Entitled {
                stage: id.clone(),
                lost: lost.cloned().collect(),
                entitled: entitled.into_iter().collect(),
            });
        }
        if (&substitutes, look_at) != (&stage.substitutes, stage.look_at) {
            self.emit(Event::Substituted {
                stage: id.clone(),
                substitutes,
                look_at,
            });
        }
        self.look_at_given_instead(id);
        self.count_votes(id);
        if let Some(open) = self.open_stage(id) {
            let asked = asked(open).difference(&before).cloned().collect();
            self.tell_asked(id, asked);
        }
    }

    /// A vote given in somebody's place stands as long as the absence stands that gave the right to it,
    /// and whoever gave it may have a vote.
    fn look_at_given_instead(&mut self, id: &StageId) {
        let Some(stage) = self.open_stage(id) else {
            return;
        };
        let given = stage
            .votes
            .iter()
            .filter_map(|(person, vote)| Some((person, vote.by.as_ref()?, vote.at)));
        let lost = given.filter(|(person, by, at)| {
            let absences = self.ledger.absences(person);
            let substitute = absences.at(*at).and_then(|it| it.substitute.as_ref());
            substitute != Some(by) || !self.may_have_vote(&stage.plan, by)
        });
        let lost: Vec<PersonId> = lost.map(|(person, ..)| person.clone()).collect();
        for person in lost {
            self.emit(Event::VoteRecalled {
                stage: id.clone(),
                person,
                lost: true,
            });
        }
    }
}

/// Everybody whom a stage asks, in their own right or in someone's place.
fn asked(stage: &OpenStage) -> BTreeSet<PersonId> {
    let own = stage.entitled.iter();
    own.chain(stage.substitutes.values()).cloned().collect()
}
