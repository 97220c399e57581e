//! An event of a record's history as clients see it: its kind, and what belongs to that kind.

use model::definition::Choice;
use model::event::{ClockKey, EscalationEnded, Event as ModelEvent};
use model::hook::Failure;

use serde::Serialize;
use serde_json::{Map, Value, json};
use utoipa::ToSchema;

use super::approval::Approval;
use super::clock::Clock;
use super::effect::Call;
use super::record::Natural;
use super::window::{ThingName, Window};

/// Something that happened to a record.
#[derive(Serialize, ToSchema)]
pub struct Event {
    /// What happened, such as `entered`, `field-set` or `clock-paused`.
    #[schema(example = "entered")]
    kind: &'static str,
    /// What belongs to that kind.
    #[serde(flatten)]
    #[schema(value_type = std::collections::BTreeMap<String, Value>)]
    data: Map<String, Value>,
}

impl From<&ModelEvent> for Event {
    fn from(event: &ModelEvent) -> Self {
        let (kind, data) = record(event)
            .or_else(|| approval(event))
            .or_else(|| task(event))
            .or_else(|| clock(event))
            .or_else(|| escalation(event))
            .or_else(|| window(event))
            .unwrap_or_else(|| effect(event));
        let Value::Object(data) = data else {
            unreachable!("what belongs to an event is always an object");
        };
        Self { kind, data }
    }
}

/// Where the record stands in the change calendar, and what it met there.
fn window(event: &ModelEvent) -> Option<(&'static str, Value)> {
    let ModelEvent::WindowPlanned {
        window,
        freezes,
        outside,
        conflicts,
    } = event
    else {
        return None;
    };
    let outside: Vec<_> = outside.iter().map(ThingName).collect();
    let window = window.as_ref().map(Window::from);
    let met =
        json!({ "window": window, "freezes": freezes, "outside": outside, "conflicts": conflicts });
    Some(("window-planned", met))
}

/// What happened to the record itself.
fn record(event: &ModelEvent) -> Option<(&'static str, Value)> {
    Some(match event {
        ModelEvent::Created {
            workflow,
            definition,
            via,
            state,
            category,
            outcome,
            requester,
            item,
            parent,
        } => (
            "created",
            json!({
                "workflow": workflow, "definition": definition, "item": item, "parent": parent,
                "transition": via, "to": state, "category": category, "outcome": outcome,
                "requester": requester,
            }),
        ),
        ModelEvent::Entered {
            via,
            from,
            to,
            category,
            outcome,
        } => (
            "entered",
            json!({ "transition": via, "from": from, "to": to, "category": category, "outcome": outcome }),
        ),
        ModelEvent::Migrated {
            from,
            to,
            migration,
            left,
            entered,
            category,
            outcome,
        } => (
            "migrated",
            json!({
                "definition": to, "definition_before": from, "migration": migration,
                "from": left, "to": entered, "category": category, "outcome": outcome,
            }),
        ),
        ModelEvent::Stayed { via } => ("stayed", json!({ "transition": via })),
        ModelEvent::FieldSet { field, value, by } => (
            "field-set",
            json!({ "field": field, "value": Natural(value), "by": by }),
        ),
        ModelEvent::OverrideCleared { field } => ("override-cleared", json!({ "field": field })),
        ModelEvent::Assigned {
            team,
            assignee,
            reason,
        } => (
            "assigned",
            json!({ "team": team, "assignee": assignee, "reason": reason }),
        ),
        ModelEvent::RequesterSet { requester } => {
            ("requester-set", json!({ "requester": requester }))
        }
        ModelEvent::Commented { text, public } => {
            ("commented", json!({ "text": text, "public": public }))
        }
        ModelEvent::Linked {
            kind,
            target,
            inverse,
        } => (
            "linked",
            json!({ "link": kind, "target": target, "inverse": inverse }),
        ),
        ModelEvent::Watched { person, watches } => {
            ("watched", json!({ "person": person, "watches": watches }))
        }
        ModelEvent::Referred { binding, reference } => (
            "referred",
            json!({ "binding": binding, "reference": reference }),
        ),
        ModelEvent::TimerSet { timer, due } => ("timer-set", json!({ "timer": timer, "due": due })),
        ModelEvent::TimerCleared { timer } => ("timer-cleared", json!({ "timer": timer })),
        ModelEvent::TimerFired { timer, due } => {
            ("timer-fired", json!({ "timer": timer, "due": due }))
        }
        ModelEvent::Notified {
            notice,
            to,
            subject,
            text,
        } => (
            "notified",
            json!({ "notice": notice, "to": to, "subject": subject, "text": text }),
        ),
        ModelEvent::Addressed { event, ways } => {
            ("addressed", json!({ "event": event, "ways": ways }))
        }
        _ => return None,
    })
}

/// What became of the tasks that a record handed out.
fn task(event: &ModelEvent) -> Option<(&'static str, Value)> {
    Some(match event {
        ModelEvent::TasksSet { tasks } => ("tasks-set", json!({ "tasks": tasks })),
        ModelEvent::TaskOpened { task, effect } => {
            ("task-opened", json!({ "task": task, "effect": effect }))
        }
        ModelEvent::TaskBegun { task, record } => {
            ("task-begun", json!({ "task": task, "record": record }))
        }
        ModelEvent::TaskEnded {
            task,
            record,
            outcome,
        } => (
            "task-ended",
            json!({ "task": task, "record": record, "outcome": outcome }),
        ),
        ModelEvent::TaskDropped { task } => ("task-dropped", json!({ "task": task })),
        _ => return None,
    })
}

fn approval(event: &ModelEvent) -> Option<(&'static str, Value)> {
    Some(match event {
        ModelEvent::StageOpened { approval } => (
            "stage-opened",
            json!({ "approval": Approval::from(approval.as_ref()) }),
        ),
        ModelEvent::Voted {
            stage,
            person,
            choice,
            by,
            comment,
            by_link,
        } => (
            "voted",
            json!({
                "stage": stage, "person": person, "approves": choice.approves(),
                "abstains": *choice == Choice::Abstain, "by": by, "comment": comment,
                "by_link": by_link,
            }),
        ),
        ModelEvent::VoteRecalled {
            stage,
            person,
            lost,
        } => (
            "vote-recalled",
            json!({ "stage": stage, "person": person, "lost": lost }),
        ),
        ModelEvent::VoteReassigned {
            stage,
            from,
            to,
            comment,
        } => (
            "vote-reassigned",
            json!({ "stage": stage, "from": from, "to": to, "comment": comment }),
        ),
        ModelEvent::Substituted {
            stage, substitutes, ..
        } => (
            "substituted",
            json!({ "stage": stage, "substitutes": substitutes }),
        ),
        ModelEvent::InformationAsked { stage, question } => (
            "information-asked",
            json!({ "stage": stage, "person": question.person, "question": question.text }),
        ),
        ModelEvent::InformationGiven { stage, due } => {
            ("information-given", json!({ "stage": stage, "due": due }))
        }
        ModelEvent::StageTimerSet { stage, timer, due } => (
            "stage-timer-set",
            json!({ "stage": stage, "timer": timer, "due": due }),
        ),
        ModelEvent::StageTimerFired { stage, timer, due } => (
            "stage-timer-fired",
            json!({ "stage": stage, "timer": timer, "due": due }),
        ),
        ModelEvent::Entitled {
            stage,
            entitled,
            lost,
        } => (
            "entitled",
            json!({ "stage": stage, "entitled": entitled, "lost": lost }),
        ),
        ModelEvent::StageEnded {
            stage,
            outcome,
            due,
        } => (
            "stage-ended",
            json!({ "stage": stage, "outcome": outcome, "due": due }),
        ),
        ModelEvent::ApprovalEnded { outcome, reason } => (
            "approval-ended",
            json!({ "outcome": outcome, "reason": reason }),
        ),
        _ => return None,
    })
}

fn clock(event: &ModelEvent) -> Option<(&'static str, Value)> {
    let of = |clock: &ClockKey, mut data: Value| {
        data["service_level"] = json!(clock.service_level);
        data["target"] = json!(clock.target);
        data
    };
    Some(match event {
        ModelEvent::ClockSet { clock } => {
            ("clock-set", json!({ "clock": Clock::from(clock.as_ref()) }))
        }
        ModelEvent::ClockPaused {
            clock,
            elapsed,
            due,
        } => (
            "clock-paused",
            of(clock, json!({ "elapsed_s": elapsed.as_secs(), "due": due })),
        ),
        ModelEvent::ClockResumed { clock, due, .. } => {
            ("clock-resumed", of(clock, json!({ "due": due })))
        }
        ModelEvent::ClockStopped {
            clock,
            elapsed,
            due,
        } => (
            "clock-stopped",
            of(clock, json!({ "elapsed_s": elapsed.as_secs(), "due": due })),
        ),
        ModelEvent::ClockCancelled { clock, elapsed } => (
            "clock-cancelled",
            of(clock, json!({ "elapsed_s": elapsed.as_secs() })),
        ),
        ModelEvent::Warned { clock, warning, at } => {
            ("warned", of(clock, json!({ "warning": warning, "at": at })))
        }
        ModelEvent::Breached { clock, at } => ("breached", of(clock, json!({ "at": at }))),
        _ => return None,
    })
}

/// Who was told that it waits to be acknowledged, and how that ended.
fn escalation(event: &ModelEvent) -> Option<(&'static str, Value)> {
    Some(match event {
        ModelEvent::Escalated {
            team,
            step,
            round,
            told,
            reason,
            due,
            was_due,
        } => (
            "escalated",
            json!({
                "team": team, "step": step, "round": round, "told": told, "reason": reason, "due": due,
                "was_due": was_due,
            }),
        ),
        ModelEvent::EscalationEnded { how, reason } => {
            let (how, by) = match how {
                EscalationEnded::Acknowledged(person) => ("acknowledged", Some(person)),
                EscalationEnded::Withdrawn => ("withdrawn", None),
                EscalationEnded::Exhausted => ("exhausted", None),
            };
            (
                "escalation-ended",
                json!({ "how": how, "by": by, "reason": reason }),
            )
        }
        _ => return None,
    })
}

/// What is to be done outside, and what came of it; and whatever kind is new to this interface.
fn effect(event: &ModelEvent) -> (&'static str, Value) {
    match event {
        ModelEvent::EffectDue { effect, call, at } => {
            let what = Call::from(call);
            (
                "effect-due",
                json!({ "effect": effect, "call": what, "at": at }),
            )
        }
        ModelEvent::EffectFailed {
            effect,
            failure,
            next_at,
        } => (
            "effect-failed",
            json!({ "effect": effect, "failure": failed(failure), "next_at": next_at }),
        ),
        ModelEvent::EffectDead { effect, failure } => (
            "effect-dead",
            json!({ "effect": effect, "failure": failed(failure) }),
        ),
        ModelEvent::EffectRedriven { effect, at } => {
            ("effect-redriven", json!({ "effect": effect, "at": at }))
        }
        ModelEvent::EffectDone { effect, component } => (
            "effect-done",
            json!({ "effect": effect, "component": component }),
        ),
        _ => ("other", json!({})),
    }
}

/// A failure of a plugin.
pub(crate) fn failed(failure: &Failure) -> Value {
    json!({ "kind": failure.kind, "message": failure.message })
}
