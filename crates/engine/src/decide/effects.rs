//! Effects: notices rendered, deliveries and records due, subscribers told, and what came of trying.

use std::collections::BTreeSet;
use std::time::Duration as StdDuration;

use definition::compile::{Effect, Notice, Recipient};
use indexmap::IndexMap;
use model::command::EffectDone;
use model::definition::CreateEffect;
use model::event::{Event, EventKind};
use model::hook::{Failure, Hook};
use model::id::{EffectName, NoticeId, PersonId};
use model::record::{EffectCall, EffectKey, OpenStage};
use model::{Digest, Duration, Instant};

use super::{Result, Step, addressing};
use crate::notice;
use crate::rejection::Rejection;

/// How often an effect is tried before it is given up.
const MOST_ATTEMPTS: u32 = 15;
/// The wait after the first failure; it doubles with each, up to [`LONGEST_WAIT`].
const FIRST_WAIT: StdDuration = StdDuration::from_secs(1);
const LONGEST_WAIT: StdDuration = StdDuration::from_hours(1);
/// The longest wait that a plugin may ask for.
const LONGEST_ASKED: Duration = Duration::from_secs(86_400);
/// How many effects one entry may cause.
const MOST_EFFECTS: u32 = 200;

impl<'a> Step<'a> {
    /// Causes what a transition, a timer or a target declares.
    pub(super) fn cause(&mut self, effects: &IndexMap<EffectName, Effect>, place: &str) {
        if self.is_judging {
            return;
        }
        for (name, effect) in effects {
            let place = format!("{place}, effect {name}");
            match effect {
                Effect::Notice(notice) => self.notify(notice, &place),
                Effect::Plugin(binding) => {
                    let event =
                        u32::try_from(self.events.len().saturating_sub(1)).unwrap_or(u32::MAX);
                    let call = EffectCall::Deliver {
                        binding: binding.clone(),
                        kind: EventKind::Effect,
                        event,
                    };
                    self.due(call);
                }
                Effect::Each(each) => self.take_each(each, &place),
                Effect::Create {
                    workflow,
                    create,
                    set,
                    link,
                } => {
                    let create = CreateEffect {
                        workflow: workflow.clone(),
                        create: create.clone(),
                        set: self.settings(set, &place),
                        link: link.clone(),
                    };
                    self.due(EffectCall::Create { create, task: None });
                }
            }
        }
    }

    /// Has something done; none where the entry causes too much already.
    pub(super) fn due(&mut self, call: EffectCall) -> Option<EffectKey> {
        if self.effects >= MOST_EFFECTS {
            self.failed(
                "effects".to_owned(),
                format!("one entry causes at most {MOST_EFFECTS}"),
            );
            return None;
        }
        let effect = self.next_effect();
        self.emit(Event::EffectDue {
            effect,
            call,
            at: self.now(),
        });
        Some(effect)
    }

    /// Tells people, by a notice rendered from the record as it stands.
    fn notify(&mut self, id: &NoticeId, place: &str) {
        let Some(notice) = self.input.definitions.notices.get(id) else {
            self.failed(place.to_owned(), format!("there is no notice `{id}`"));
            return;
        };
        let mut to = BTreeSet::new();
        for recipient in &notice.to {
            match recipient {
                Recipient::Requester => to.extend(self.record.requester.clone()),
                Recipient::Assignee => to.extend(self.record.assignee.clone()),
                Recipient::Watcher => to.extend(self.record.watchers.iter().cloned()),
                Recipient::Team => {
                    let teams = self.record.team.iter();
                    to.extend(teams.flat_map(|team| self.members_at_work(team)));
                }
                Recipient::Approver => {
                    if let Some(asked) = &self.asked {
                        to.extend(asked.people.iter().cloned());
                    } else {
                        let open = self.record.approval.iter().flat_map(|it| &it.stages);
                        to.extend(open.flat_map(OpenStage::awaited));
                    }
                }
                Recipient::Role(role) => to.extend(self.ledger.people_with_role(role)),
                Recipient::Person(person) => {
                    to.insert(person.clone());
                }
            }
        }
        self.notify_people(id, to, place);
    }

    /// Tells these people by a notice, whoever it names itself.
    pub(super) fn notify_people(&mut self, id: &NoticeId, to: BTreeSet<PersonId>, place: &str) {
        let Some(notice) = self.input.definitions.notices.get(id) else {
            self.failed(place.to_owned(), format!("there is no notice `{id}`"));
            return;
        };
        let to: BTreeSet<PersonId> = to.into_iter().take(1_000).collect();
        for (notice, to) in self.by_language(notice, to) {
            let address = self.input.pinned.public_address();
            let (actor, now) = (self.actor(), self.now());
            let stage = self.asked.as_ref().map(|asked| &asked.stage);
            let address = address.as_deref();
            match notice::render(notice, &self.record, actor, now, address, stage) {
                Ok((subject, text)) => self.emit(Event::Notified {
                    notice: id.clone(),
                    to,
                    subject,
                    text,
                }),
                Err(message) => self.failed(place.to_owned(), message),
            }
        }
    }

    /// A notice for whom it goes to, in the language that the directory says of each where it is
    /// translated to that; at least once, even where it goes to nobody.
    fn by_language(
        &self,
        notice: &'a Notice,
        to: BTreeSet<PersonId>,
    ) -> Vec<(&'a Notice, Vec<PersonId>)> {
        let definitions = self.input.definitions;
        let mut translations = definitions.translations.values();
        if !translations.any(|translation| translation.notices.contains_key(&notice.id)) {
            return vec![(notice, to.into_iter().collect())];
        }
        let mut groups: Vec<(&Notice, Vec<PersonId>)> = Vec::new();
        for person in to {
            let language = self.language_of(&person);
            let translation = definitions.translation(language.as_slice());
            let spoken = translation.and_then(|translation| translation.notices.get(&notice.id));
            let spoken = spoken.unwrap_or(notice);
            match groups
                .iter_mut()
                .find(|(known, _)| std::ptr::eq(*known, spoken))
            {
                Some((_, people)) => people.push(person),
                None => groups.push((spoken, vec![person])),
            }
        }
        if groups.is_empty() {
            groups.push((notice, Vec::new()));
        }
        groups
    }

    /// Makes the events of this entry due to the bindings that are told of them, each kind once.
    pub(super) fn notify_subscribers(&mut self) {
        let definitions = self.input.definitions;
        let mut happened: Vec<(EventKind, u32)> = Vec::new();
        for (place, event) in self.events.iter().enumerate() {
            let Some(kind) = event.kind() else { continue };
            if kind == EventKind::Notice || happened.iter().all(|(known, _)| *known != kind) {
                happened.push((kind, u32::try_from(place).unwrap_or(u32::MAX)));
            }
        }
        self.address_notices();
        for binding in definitions.bindings.values() {
            if binding.plugin.hooks.get(&Hook::Delivery) != Some(&true) {
                continue;
            }
            for subscription in &binding.events {
                let concerns = subscription.workflows.is_empty()
                    || subscription.workflows.contains(&self.record.workflow);
                if !concerns || happened.iter().all(|(kind, _)| *kind != subscription.kind) {
                    continue;
                }
                let holds = match &subscription.when {
                    None => true,
                    Some(when) => self.holds(when, || {
                        format!(
                            "binding {}, event {}",
                            binding.id,
                            subscription.kind.as_str()
                        )
                    }),
                };
                if holds {
                    for (kind, event) in happened
                        .iter()
                        .filter(|(kind, _)| *kind == subscription.kind)
                    {
                        if *kind == EventKind::Notice
                            && !addressing::is_wanted(&self.events, *event, &binding.id)
                        {
                            continue;
                        }
                        self.due(EffectCall::Deliver {
                            binding: binding.id.clone(),
                            kind: *kind,
                            event: *event,
                        });
                    }
                }
            }
        }
    }

    /// Notes what came of an effect: done, to be tried again, or given up.
    pub(super) fn effect_result(
        &mut self,
        effect: EffectKey,
        result: &std::result::Result<EffectDone, Failure>,
    ) {
        let Some(pending) = self
            .record
            .effects
            .get(&effect)
            .filter(|pending| !pending.dead)
        else {
            return;
        };
        match result {
            Ok(done) => {
                let task = match &pending.call {
                    EffectCall::Create { task, .. } => task.clone(),
                    _ => None,
                };
                self.emit(Event::EffectDone {
                    effect,
                    component: done.component,
                });
                if let (Some(task), Some(record)) = (task, &done.created) {
                    self.task_begun(&task, effect, record);
                }
            }
            Err(failure) if failure.kind.is_passing() && pending.attempts + 1 < MOST_ATTEMPTS => {
                let next_at = self.next_attempt(effect, pending.attempts, failure.retry_after);
                self.emit(Event::EffectFailed {
                    effect,
                    failure: failure.clone(),
                    next_at,
                });
            }
            Err(failure) => self.emit(Event::EffectDead {
                effect,
                failure: failure.clone(),
            }),
        }
    }

    /// Twice as long with every attempt, between half of it and all of it by a number that the effect
    /// itself gives, and never sooner than the plugin asked.
    fn next_attempt(&self, effect: EffectKey, attempts: u32, asked: Option<Duration>) -> Instant {
        let whole = FIRST_WAIT
            .saturating_mul(2u32.saturating_pow(attempts))
            .min(LONGEST_WAIT);
        let whole = u64::try_from(whole.as_millis()).unwrap_or(u64::MAX);
        let spread = Digest::of(format!("{} {effect} {attempts}", self.record.id).as_bytes());
        let jitter = u64::from(u16::from_le_bytes([
            spread.as_bytes()[0],
            spread.as_bytes()[1],
        ]));
        let wait = whole / 2 + whole / 2 * jitter / u64::from(u16::MAX);
        let asked = asked.unwrap_or_default().min(LONGEST_ASKED);
        self.now()
            .saturating_add(Duration::from_millis(wait).max(asked))
    }

    /// Tries a dead effect again.
    pub(super) fn redrive(&mut self, effect: EffectKey) -> Result<()> {
        match self.record.effects.get(&effect) {
            Some(pending) if pending.dead => {
                self.emit(Event::EffectRedriven {
                    effect,
                    at: self.now(),
                });
                Ok(())
            }
            Some(_) => Err(Rejection::not_possible(format!(
                "the effect {effect} is not dead: it is being tried"
            ))
            .into()),
            None => Err(Rejection::not_found("effect", effect).into()),
        }
    }
}
