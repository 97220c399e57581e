//! Whom a record is given to, and who is told that it waits, held against who was on call then. Each
//! step comes once, at the instant at which the one before it ended.

use std::collections::BTreeSet;

use model::Instant;
use model::command::Action;
use model::event::{EscalationEnded, Event};
use model::id::PersonId;
use model::record::Escalation;

use super::check::{Page, Story};
use super::people::{SITES, Sites, ZONE};
use crate::minutes::days_later;

const MINUTE: i64 = 60_000;
/// How often the steps are gone through again.
const REPEAT: u32 = 1;

/// What an escalation says, written down once more.
struct Policy<'s> {
    sites: &'s Sites,
    site: usize,
}

/// A record that waits to be acknowledged, as far as its entries have brought it.
#[derive(Clone, Debug)]
pub(crate) struct Waiting {
    step: usize,
    round: u32,
    told: BTreeSet<PersonId>,
    pub(crate) due: Instant,
}

impl Policy<'_> {
    const fn steps(&self) -> [&'static str; 3] {
        match self.site {
            2 => ["first", "second", "everyone"],
            _ => ["first", "second", "lead"],
        }
    }

    fn whom(&self, step: usize, at: Instant) -> BTreeSet<PersonId> {
        let rotas = &self.sites.rotas;
        match self.steps()[step] {
            "first" => rotas.of_team(SITES[self.site], at).into_iter().collect(),
            "second" => rotas
                .on_call(rotas.rota("second"), at)
                .into_iter()
                .collect(),
            "lead" => BTreeSet::from([self.sites.people[self.site].id.clone()]),
            _ => {
                let members = self.sites.members(SITES[self.site]);
                let here = members.filter(|person| !rotas.is_away(person.number, at));
                here.map(|person| person.id.clone()).collect()
            }
        }
    }

    fn ends(&self, step: usize, at: Instant) -> Instant {
        let later = |minutes: i64| Instant::from_millis(at.millis() + minutes * MINUTE);
        match (self.steps()[step], self.site) {
            ("first", _) => later(20),
            ("second", 1) => self.sites.minutes[1].add(at, 60 * MINUTE),
            ("second", _) => later(40),
            ("lead", _) => later(120),
            _ => days_later(ZONE, at, 1),
        }
    }

    /// The step at this place, or the next that has anybody to tell.
    fn tell(&self, mut step: usize, mut round: u32, at: Instant) -> Option<Waiting> {
        loop {
            if step == self.steps().len() {
                (step, round) = (0, round + 1);
            }
            if round > REPEAT {
                return None;
            }
            let told = self.whom(step, at);
            if !told.is_empty() {
                let due = self.ends(step, at);
                return Some(Waiting {
                    step,
                    round,
                    told,
                    due,
                });
            }
            step += 1;
        }
    }
}

impl Story {
    /// Whether somebody has to acknowledge it as it stands.
    pub(crate) fn has_to_be_taken(&self) -> bool {
        self.workflow == "incident" && self.state == "new" && self.priority != "p3"
    }
}

impl Page<'_> {
    const fn policy(&self) -> Policy<'_> {
        Policy {
            sites: self.sites,
            site: self.story.site,
        }
    }

    fn at(&self) -> Instant {
        self.entry.command.at
    }

    /// Holds an entry to whom the record is with after it.
    pub(crate) fn check_assignment(&mut self, before: Option<&PersonId>) {
        let at = self.at();
        let is_routed = self.entry.events.iter().any(|event| match event {
            Event::Created { workflow, .. } => workflow.as_str() == "incident",
            Event::Entered { via, .. } => via.as_str() == "reopen",
            Event::Stayed { via } => via.as_str() == "pass-on",
            _ => false,
        });
        let expected = if is_routed {
            self.found.routed += 1;
            let on_call = self.sites.rotas.of_team(SITES[self.story.site], at);
            on_call.filter(|person| Some(person) != self.story.requester.as_ref())
        } else if self.takes("take") {
            self.entry.command.actor.person().cloned()
        } else {
            before.cloned()
        };
        if is_routed && expected.is_none() {
            self.found.given_to_nobody += 1;
        }
        let id = self.id;
        assert_eq!(
            self.story.assignee, expected,
            "{id} at {at}: whom it is with"
        );
        if self.story.workflow == "incident" {
            let team = self.story.team.as_deref();
            assert_eq!(team, Some(SITES[self.story.site]), "{id} at {at}: its team");
        }
    }

    fn takes(&self, transition: &str) -> bool {
        let taken =
            self.entry.events.iter().any(
                |event| matches!(event, Event::Entered { via, .. } if via.as_str() == transition),
            );
        taken && self.entry.command.actor.person().is_some()
    }

    /// Somebody was told: whoever was on call at this instant, and not before the step was due.
    pub(crate) fn follow_escalated(&mut self, event: &Event) {
        let Event::Escalated {
            step,
            round,
            told,
            due,
            was_due,
            ..
        } = event
        else {
            return;
        };
        let (at, id) = (self.at(), self.id);
        let before = self.story.waiting.take();
        assert_eq!(
            before.as_ref().map(|it| it.due),
            *was_due,
            "{id} at {at}: a step follows one"
        );
        let next = match &before {
            None => {
                self.found.escalations += 1;
                self.policy().tell(0, 0, at)
            }
            Some(before) => {
                assert_eq!(at, before.due, "{id}: a step comes on time");
                self.policy().tell(before.step + 1, before.round, at)
            }
        };
        let mut next = next.unwrap_or_else(|| panic!("{id} at {at}: there is no step {step}"));
        let name = self.policy().steps()[next.step];
        assert_eq!(
            (step.as_str(), *round),
            (name, next.round),
            "{id} at {at}: its step"
        );
        let those: BTreeSet<PersonId> = told.iter().cloned().collect();
        assert_eq!(those, next.told, "{id} at {at}: who is told by {step}");
        assert_eq!(
            *due,
            Some(next.due),
            "{id} at {at}: until when {step} is waited for"
        );
        next.told
            .extend(before.into_iter().flat_map(|before| before.told));
        *self.found.told.entry(name).or_default() += 1;
        self.story.waiting = Some(next);
    }

    /// It is waited for no more: somebody took it, it is over, or everyone was told in vain.
    pub(crate) fn follow_end(&mut self, how: &EscalationEnded) {
        let (at, id) = (self.at(), self.id);
        let before = self.story.waiting.take();
        let before = before.unwrap_or_else(|| panic!("{id} at {at}: it did not wait"));
        let acknowledged = self.acknowledges(&before);
        match how {
            EscalationEnded::Exhausted => {
                assert_eq!(at, before.due, "{id}: it ends on time");
                let next = self.policy().tell(before.step + 1, before.round, at);
                assert!(
                    next.is_none(),
                    "{id} at {at}: there is another step {next:?}"
                );
                let passed_on = self.entry.events.iter().any(
                    |event| matches!(event, Event::Stayed { via } if via.as_str() == "pass-on"),
                );
                assert!(passed_on, "{id} at {at}: it is passed on");
                self.story.in_vain = true;
                self.found.in_vain += 1;
            }
            EscalationEnded::Acknowledged(person) => {
                assert_eq!(
                    Some(person),
                    acknowledged.as_ref(),
                    "{id} at {at}: who took it"
                );
                self.found.acknowledged += 1;
            }
            EscalationEnded::Withdrawn => {
                assert_eq!(acknowledged, None, "{id} at {at}: somebody took it");
                assert!(
                    !self.story.has_to_be_taken(),
                    "{id} at {at}: it still waits"
                );
                self.found.withdrawn += 1;
            }
        }
    }

    /// Who takes a transition and was told, or has the record by it.
    fn acknowledges(&self, waiting: &Waiting) -> Option<PersonId> {
        let person = self.entry.command.actor.person()?;
        let acts = matches!(self.entry.command.action, Action::Transition { .. });
        let concerned =
            waiting.told.contains(person) || self.story.assignee.as_ref() == Some(person);
        (acts && concerned).then(|| person.clone())
    }

    /// After an entry it is waited for exactly where that began and has not ended, and nothing is late.
    pub(crate) fn check_waiting(&mut self, had_to_be_taken: bool) {
        let (at, id) = (self.at(), self.id);
        let has_to_be_taken = self.story.has_to_be_taken();
        if !(had_to_be_taken && has_to_be_taken) {
            self.story.in_vain = false;
        }
        let waits = has_to_be_taken && !self.story.in_vain;
        let waiting = self.story.waiting.as_ref();
        assert_eq!(waiting.is_some(), waits, "{id} at {at}: whether it waits");
        if let Some(waiting) = waiting {
            assert!(waiting.due >= at, "{id} at {at}: {waiting:?} was due");
        }
    }
}

impl Waiting {
    /// Holds what a record says of it at the end to what was reckoned.
    pub(crate) fn check(
        waiting: Option<&Self>,
        story: &Story,
        sites: &Sites,
        of: Option<&Escalation>,
    ) {
        let policy = Policy {
            sites,
            site: story.site,
        };
        let reckoned = waiting.map(|it| {
            let step = policy.steps()[it.step];
            (step, it.round, it.told.clone(), Some(it.due))
        });
        let kept = of.map(|it| (it.step.as_str(), it.round, it.told.clone(), it.due));
        assert_eq!(kept, reckoned, "who was told of it");
    }
}
