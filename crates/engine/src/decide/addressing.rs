//! Who hears of a notice, in which language, and by which binding: those who are at work, as each of
//! them prefers.

use std::collections::BTreeMap;

use definition::compile::Binding;
use model::event::{Event, EventKind};
use model::hook::Hook;
use model::id::{BindingId, PersonId, TeamId};
use model::preference::{Preferences, Way, Ways};

use super::Step;

impl Step<'_> {
    /// The members of a team who are not out of office; all of them where nobody is there.
    pub(super) fn members_at_work(&self, team: &TeamId) -> Vec<PersonId> {
        let members: Vec<PersonId> = self.ledger.roster(team).members.into_keys().collect();
        let is_away = |person: &PersonId| self.ledger.absences(person).at(self.now()).is_some();
        let at_work: Vec<_> = members.iter().filter(|it| !is_away(it)).cloned().collect();
        if at_work.is_empty() { members } else { at_work }
    }

    /// The language that a person reads: what they prefer, or else what the directory says of them.
    pub(super) fn language_of(&self, person: &PersonId) -> Option<String> {
        self.ledger.preferences(person).language.or_else(|| {
            let facts = self.ledger.person(person)?.facts;
            Some(facts.get("language")?.as_str()?.to_owned())
        })
    }

    /// Notes of each notice of this entry who hears of it otherwise than at once, by the bindings that
    /// are told of notices. Nobody's preference stands against a notice that is mandatory.
    pub(super) fn address_notices(&mut self) {
        let definitions = self.input.definitions;
        let hears = |binding: &&Binding| {
            binding.plugin.hooks.get(&Hook::Delivery) == Some(&true)
                && binding.events.iter().any(|subscription| {
                    subscription.kind == EventKind::Notice
                        && (subscription.workflows.is_empty()
                            || subscription.workflows.contains(&self.record.workflow))
                })
        };
        let hearing: Vec<_> = definitions.bindings.values().filter(hears).collect();
        if hearing.is_empty() {
            return;
        }
        let mut known: BTreeMap<PersonId, Preferences> = BTreeMap::new();
        let mut addressed = Vec::new();
        for (event, place) in self.events.iter().zip(0..) {
            let Event::Notified { notice, to, .. } = event else {
                continue;
            };
            if definitions
                .notices
                .get(notice)
                .is_some_and(|it| it.mandatory)
            {
                continue;
            }
            let mut ways = Ways::new();
            for person in to {
                let preferences = known
                    .entry(person.clone())
                    .or_insert_with(|| self.ledger.preferences(person));
                let by = |binding: &&Binding| {
                    let way = match preferences.way(notice, &binding.id) {
                        Way::Digest if !gathers(binding) => Way::AtOnce,
                        way => way,
                    };
                    (way != Way::AtOnce).then(|| (binding.id.clone(), way))
                };
                let of_person: BTreeMap<_, _> = hearing.iter().filter_map(by).collect();
                if !of_person.is_empty() {
                    ways.insert(person.clone(), of_person);
                }
            }
            if !ways.is_empty() {
                addressed.push(Event::Addressed { event: place, ways });
            }
        }
        for event in addressed {
            self.emit(event);
        }
    }
}

/// Whether a binding takes digests; one that does not is told at once instead.
pub(crate) fn gathers(binding: &Binding) -> bool {
    let mut events = binding.events.iter();
    events.any(|subscription| subscription.kind == EventKind::Digest)
}

/// How those whom a notice tells something hear of it, where it is otherwise than at once.
fn ways(events: &[Event], notice: u32) -> Option<&Ways> {
    events.iter().find_map(|event| match event {
        Event::Addressed { event, ways } if *event == notice => Some(ways),
        _ => None,
    })
}

/// Whom a binding tells of the notice that stands at a place among the events of an entry.
pub(crate) fn recipients<'e>(
    events: &'e [Event],
    notice: u32,
    binding: &BindingId,
) -> Vec<&'e PersonId> {
    let at = usize::try_from(notice).unwrap_or(usize::MAX);
    let Some(Event::Notified { to, .. }) = events.get(at) else {
        return Vec::new();
    };
    let ways = ways(events, notice);
    let is_at_once = |person: &&PersonId| {
        let of_person = ways.and_then(|ways| ways.get(*person));
        of_person.is_none_or(|of_person| !of_person.contains_key(binding))
    };
    to.iter().filter(is_at_once).collect()
}

/// Whether a binding is told of a notice: not where it has nobody left to tell. What goes to nobody in
/// person is for whoever reads what the binding writes.
pub(super) fn is_wanted(events: &[Event], notice: u32, binding: &BindingId) -> bool {
    let at = usize::try_from(notice).unwrap_or(usize::MAX);
    let is_to_nobody = matches!(events.get(at), Some(Event::Notified { to, .. }) if to.is_empty());
    is_to_nobody || !recipients(events, notice, binding).is_empty()
}

/// Who hears of a notice and how, in words: `ada: by chat; carla: in a digest by mail; dirk: in the inbox
/// only`. Nothing where
/// nobody prefers anything.
pub(crate) fn in_words(events: &[Event], notice: u32) -> Option<String> {
    let ways = ways(events, notice)?;
    let at = usize::try_from(notice).unwrap_or(usize::MAX);
    let Some(Event::Notified { to, .. }) = events.get(at) else {
        return None;
    };
    let told = events.iter().filter_map(|event| match event {
        Event::EffectDue {
            call: model::record::EffectCall::Deliver { binding, event, .. },
            ..
        } if *event == notice => Some(binding),
        _ => None,
    });
    let told: Vec<&BindingId> = told.collect();
    let nothing = BTreeMap::new();
    let each = to.iter().map(|person| {
        let of_person = ways.get(person).unwrap_or(&nothing);
        let at_once = told.iter().filter(|it| !of_person.contains_key(**it));
        let at_once: Vec<&str> = at_once.map(|it| it.as_str()).collect();
        let digested = of_person.iter().filter(|(_, way)| **way == Way::Digest);
        let digested: Vec<&str> = digested.map(|(it, _)| it.as_str()).collect();
        let mut how = Vec::new();
        if !at_once.is_empty() {
            how.push(format!("by {}", at_once.join(" and ")));
        }
        if !digested.is_empty() {
            how.push(format!("in a digest by {}", digested.join(" and ")));
        }
        if how.is_empty() {
            how.push("in the inbox only".to_owned());
        }
        format!("{person}: {}", how.join(", "))
    });
    Some(each.collect::<Vec<_>>().join("; "))
}

#[cfg(test)]
mod tests {
    use model::Instant;
    use model::event::{Event, EventKind};
    use model::preference::{Way, Ways};
    use model::record::{EffectCall, EffectKey};

    use super::{in_words, is_wanted, recipients};

    fn id<T: std::str::FromStr>(text: &str) -> T {
        text.parse().unwrap_or_else(|_| panic!("`{text}` is an id"))
    }

    fn notified(to: &[&str]) -> Event {
        Event::Notified {
            notice: id("mended"),
            to: to.iter().copied().map(id).collect(),
            subject: String::new(),
            text: String::new(),
        }
    }

    fn addressed(others: &[(&str, &str, Way)]) -> Event {
        let mut ways = Ways::new();
        for (person, binding, way) in others {
            let of_person = ways.entry(id(person)).or_default();
            of_person.insert(id(binding), *way);
        }
        Event::Addressed { event: 0, ways }
    }

    fn due(binding: &str) -> Event {
        Event::EffectDue {
            effect: EffectKey {
                version: 1,
                index: 0,
            },
            call: EffectCall::Deliver {
                binding: id(binding),
                kind: EventKind::Notice,
                event: 0,
            },
            at: Instant::EPOCH,
        }
    }

    #[test]
    fn a_binding_tells_those_who_want_to_hear_of_it_that_way() {
        let others = [
            ("ada", "mail", Way::Never),
            ("dirk", "chat", Way::Never),
            ("dirk", "mail", Way::Never),
            ("carla", "mail", Way::Digest),
        ];
        let events = [
            notified(&["ada", "carla", "dirk"]),
            addressed(&others),
            due("chat"),
        ];
        let by = |binding: &str| {
            let people = recipients(&events, 0, &id(binding)).into_iter();
            people.map(AsRef::as_ref).collect::<Vec<&str>>()
        };
        assert_eq!(by("chat"), ["ada", "carla"]);
        assert_eq!(by("mail"), [""; 0]);
        assert!(is_wanted(&events, 0, &id("chat")) && !is_wanted(&events, 0, &id("mail")));
        let said = in_words(&events, 0).expect("some prefer something");
        assert_eq!(
            said,
            "ada: by chat; carla: by chat, in a digest by mail; dirk: in the inbox only"
        );
    }

    #[test]
    fn what_goes_to_nobody_in_person_is_told_all_the_same() {
        assert!(is_wanted(&[notified(&[])], 0, &id("chat")));
        assert!(is_wanted(&[notified(&["ada"])], 0, &id("chat")));
        assert_eq!(in_words(&[notified(&["ada"]), due("chat")], 0), None);
    }
}
