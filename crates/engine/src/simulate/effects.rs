//! Which effect of a simulated record is which of the recorded one: the same call, as often as it was
//! made before. So the result that an effect had then is the result that it has now, though the entry
//! that caused it may have another number.

use std::collections::HashMap;

use model::command::Action;
use model::event::Event;
use model::record::{EffectCall, EffectKey, TaskOf};

/// What is called, and how often the same was before.
type Place = (String, u32);

/// The effects of one record.
#[derive(Default)]
pub(super) struct Effects {
    then: HashMap<EffectKey, Place>,
    now: HashMap<Place, EffectKey>,
    count_then: HashMap<String, u32>,
    count_now: HashMap<String, u32>,
}

impl Effects {
    /// Takes note of what a recorded entry caused.
    pub(super) fn follow_then(&mut self, events: &[Event]) {
        for (key, call) in caused(events) {
            let place = place(&mut self.count_then, call);
            self.then.insert(key, place);
        }
    }

    /// Takes note of what was caused now.
    pub(super) fn follow_now(&mut self, events: &[Event]) {
        for (key, call) in caused(events) {
            let place = place(&mut self.count_now, call);
            self.now.insert(place, key);
        }
    }

    /// The command with the effect that it is about now; none where there is no such effect.
    pub(super) fn action(&self, action: &Action) -> Option<Action> {
        let now = |effect: &EffectKey| self.now.get(self.then.get(effect)?).copied();
        Some(match action {
            Action::EffectResult { effect, result } => Action::EffectResult {
                effect: now(effect)?,
                result: result.clone(),
            },
            Action::Redrive { effect } => Action::Redrive {
                effect: now(effect)?,
            },
            Action::TaskEnded {
                of,
                record,
                outcome,
            } => Action::TaskEnded {
                of: TaskOf {
                    begun: now(&of.begun)?,
                    ..of.clone()
                },
                record: record.clone(),
                outcome: outcome.clone(),
            },
            // The definitions that are tried count from the beginning.
            Action::Migrate(_) => return None,
            other => other.clone(),
        })
    }
}

fn caused(events: &[Event]) -> impl Iterator<Item = (EffectKey, String)> {
    events.iter().filter_map(|event| match event {
        Event::EffectDue { effect, call, .. } => Some((*effect, named(call))),
        _ => None,
    })
}

fn place(counts: &mut HashMap<String, u32>, call: String) -> Place {
    let count = counts.entry(call.clone()).or_default();
    *count += 1;
    (call, *count)
}

/// What an effect does, without the version that caused it.
fn named(call: &EffectCall) -> String {
    match call {
        EffectCall::Deliver { binding, kind, .. } => format!("deliver {binding} {}", kind.as_str()),
        EffectCall::Create { create, task } => match task {
            Some(task) => format!("task {task} {}", create.workflow),
            None => format!("create {}", create.workflow),
        },
        EffectCall::LinkBack { kind, target, .. } => format!("link {kind} {target}"),
        EffectCall::Take {
            target, transition, ..
        } => format!("take {transition} {target}"),
        EffectCall::TaskEnded { of, .. } => format!("ended {} {}", of.record, of.task),
    }
}

#[cfg(test)]
mod tests {
    use model::Instant;
    use model::command::{Action, EffectDone};
    use model::event::Event;
    use model::record::{EffectCall, EffectKey};

    use super::Effects;

    const fn key(version: u64, index: u32) -> EffectKey {
        EffectKey { version, index }
    }

    fn link(effect: EffectKey, target: &str) -> Event {
        Event::EffectDue {
            effect,
            call: EffectCall::LinkBack {
                kind: "about".parse().expect("a kind"),
                target: target.parse().expect("a number"),
                inverse: true,
            },
            at: Instant::EPOCH,
        }
    }

    fn now(effects: &Effects, effect: EffectKey) -> Option<EffectKey> {
        let result = Ok(EffectDone::default());
        match effects.action(&Action::EffectResult { effect, result }) {
            Some(Action::EffectResult { effect, .. }) => Some(effect),
            _ => None,
        }
    }

    #[test]
    fn a_result_goes_to_the_same_call_as_often_as_it_was_made() {
        let mut effects = Effects::default();
        effects.follow_then(&[link(key(2, 0), "INC-1"), link(key(2, 1), "INC-2")]);
        effects.follow_then(&[link(key(5, 0), "INC-1")]);
        // A step more came before, and the second of the two is not made now.
        effects.follow_now(&[link(key(3, 0), "INC-1")]);
        effects.follow_now(&[link(key(7, 0), "INC-1")]);
        assert_eq!(now(&effects, key(2, 0)), Some(key(3, 0)));
        assert_eq!(now(&effects, key(5, 0)), Some(key(7, 0)));
        assert_eq!(now(&effects, key(2, 1)), None);
    }
}
