//! Applying events: a record is the fold of its journal, and nothing else.

mod approval;

use std::collections::{BTreeMap, BTreeSet};

use model::event::{ClockKey, Event};
use model::id::{RecordId, WorkflowId};
use model::journal::{self, Entry};
use model::record::{
    Clock, ClockGoal, ClockStatus, Escalation, Link, PendingEffect, Record, Stretch, Task,
    TaskStatus,
};
use model::{Digest, Instant};
use thiserror::Error;

/// A journal that does not fold: it is damaged.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum FoldError {
    /// The first entry does not begin a record.
    #[error("the journal of {0} does not begin with its creation")]
    NoBeginning(RecordId),
    /// An entry's version does not follow the one before.
    #[error("the journal of {record} goes from version {from} to {to}")]
    Gap {
        /// The record.
        record: RecordId,
        /// The version before.
        from: u64,
        /// The version of the entry.
        to: u64,
    },
    /// An entry does not carry the hash of the one before.
    #[error("the journal of {record} was changed before version {version}")]
    Chain {
        /// The record.
        record: RecordId,
        /// The version whose entry does not fit.
        version: u64,
    },
}

/// The record after an entry, given the record before it and the entry in its stored form.
///
/// # Errors
/// Where the entry does not follow: another version, another hash, or no creation first.
pub fn fold(
    before: Option<Record>,
    id: &RecordId,
    entry: &Entry,
    encoded: &[u8],
) -> Result<Record, FoldError> {
    let from = before.as_ref().map_or(0, |record| record.version);
    if entry.version != from + 1 {
        return Err(FoldError::Gap {
            record: id.clone(),
            from,
            to: entry.version,
        });
    }
    if entry.previous
        != before
            .as_ref()
            .map_or_else(Digest::default, |record| record.head)
    {
        return Err(FoldError::Chain {
            record: id.clone(),
            version: entry.version,
        });
    }
    let mut events = entry.events.iter();
    let mut record = match before {
        Some(record) => record,
        None => events
            .next()
            .and_then(|event| begin(id, event, entry.command.at))
            .ok_or_else(|| FoldError::NoBeginning(id.clone()))?,
    };
    for event in events {
        apply(&mut record, event, entry.command.at);
    }
    record.version = entry.version;
    record.updated_at = entry.command.at;
    record.head = journal::entry_hash(id, encoded);
    Ok(record)
}

/// The record that a creation begins; none where the event is no creation.
pub(crate) fn begin(id: &RecordId, event: &Event, at: Instant) -> Option<Record> {
    let Event::Created {
        workflow,
        definition,
        state,
        category,
        outcome,
        requester,
        item,
        parent,
        ..
    } = event
    else {
        return None;
    };
    Some(Record {
        id: id.clone(),
        workflow: workflow.clone(),
        definition: *definition,
        item: item.clone(),
        parent: parent.clone(),
        state: state.clone(),
        category: *category,
        outcome: outcome.clone(),
        version: 0,
        requester: requester.clone(),
        assignee: None,
        team: None,
        created_at: at,
        updated_at: at,
        state_since: at,
        fields: BTreeMap::new(),
        overridden: BTreeSet::new(),
        watchers: BTreeSet::new(),
        links: Vec::new(),
        window: None,
        references: Vec::new(),
        past_votes: Vec::new(),
        approval: None,
        escalation: None,
        tasks: BTreeMap::new(),
        clocks: Vec::new(),
        timers: BTreeMap::new(),
        effects: BTreeMap::new(),
        head: Digest::default(),
    })
}

/// What one event does to a record.
pub(crate) fn apply(record: &mut Record, event: &Event, at: Instant) {
    match event {
        Event::Created { .. }
        | Event::Stayed { .. }
        | Event::Commented { .. }
        | Event::Notified { .. }
        | Event::Addressed { .. } => {}
        Event::Entered { .. } | Event::Migrated { .. } => apply_move(record, event, at),
        Event::FieldSet { field, value, by } => {
            if value.is_null() {
                record.fields.remove(field);
            } else {
                record.fields.insert(field.clone(), value.clone());
            }
            if *by == model::event::SetBy::Override {
                record.overridden.insert(field.clone());
            }
        }
        Event::OverrideCleared { field } => {
            record.overridden.remove(field);
        }
        Event::Assigned { team, assignee, .. } => {
            record.team.clone_from(team);
            record.assignee.clone_from(assignee);
        }
        Event::RequesterSet { requester } => record.requester.clone_from(requester),
        Event::Linked {
            kind,
            target,
            inverse,
        } => {
            record.links.push(Link {
                kind: kind.clone(),
                target: target.clone(),
                inverse: *inverse,
            });
        }
        Event::Watched { person, watches } => {
            if *watches {
                record.watchers.insert(person.clone());
            } else {
                record.watchers.remove(person);
            }
        }
        Event::WindowPlanned { window, .. } => record.window.clone_from(window),
        Event::Referred { binding, reference } => {
            record.references.push((binding.clone(), reference.clone()));
        }
        Event::StageOpened { .. }
        | Event::StageEnded { .. }
        | Event::Voted { .. }
        | Event::VoteRecalled { .. }
        | Event::VoteReassigned { .. }
        | Event::Entitled { .. }
        | Event::Substituted { .. }
        | Event::InformationAsked { .. }
        | Event::InformationGiven { .. }
        | Event::StageTimerSet { .. }
        | Event::StageTimerFired { .. }
        | Event::ApprovalEnded { .. } => {
            approval::apply(record, event, at);
        }
        Event::Escalated { .. } | Event::EscalationEnded { .. } => {
            apply_escalation(record, event, at);
        }
        Event::TasksSet { .. }
        | Event::TaskOpened { .. }
        | Event::TaskBegun { .. }
        | Event::TaskEnded { .. }
        | Event::TaskDropped { .. } => apply_tasks(record, event),
        Event::ClockSet { .. }
        | Event::ClockPaused { .. }
        | Event::ClockResumed { .. }
        | Event::ClockStopped { .. }
        | Event::ClockCancelled { .. }
        | Event::Warned { .. }
        | Event::Breached { .. } => apply_clock(record, event, at),
        Event::TimerSet { timer, due } => {
            record.timers.insert(timer.clone(), *due);
        }
        Event::TimerCleared { timer } | Event::TimerFired { timer, .. } => {
            record.timers.remove(timer);
        }
        Event::EffectDue { .. }
        | Event::EffectFailed { .. }
        | Event::EffectDead { .. }
        | Event::EffectRedriven { .. }
        | Event::EffectDone { .. } => apply_effect(record, event),
    }
}

fn apply_escalation(record: &mut Record, event: &Event, at: Instant) {
    let Event::Escalated {
        team,
        step,
        round,
        told,
        due,
        ..
    } = event
    else {
        record.escalation = None;
        return;
    };
    let open = record.escalation.take().filter(|open| open.team == *team);
    let (mut all, since) =
        open.map_or_else(|| (BTreeSet::new(), at), |open| (open.told, open.since));
    all.extend(told.iter().cloned());
    record.escalation = Some(Escalation {
        team: team.clone(),
        step: step.clone(),
        round: *round,
        told: all,
        since,
        due: *due,
    });
}

/// A record comes to a state, by a transition or under another version of its workflow.
fn apply_move(record: &mut Record, event: &Event, at: Instant) {
    match event {
        Event::Entered {
            to,
            category,
            outcome,
            ..
        } => {
            record.state = to.clone();
            record.category = *category;
            record.outcome.clone_from(outcome);
            record.state_since = at;
            approval::close(record);
        }
        Event::Migrated {
            to,
            entered,
            category,
            outcome,
            ..
        } => {
            if record.state != *entered {
                record.state_since = at;
            }
            record.definition = *to;
            record.state = entered.clone();
            record.category = *category;
            record.outcome.clone_from(outcome);
        }
        _ => {}
    }
}

fn apply_tasks(record: &mut Record, event: &Event) {
    if let Event::TasksSet { tasks } = event {
        let waiting = |workflow: &WorkflowId| Task {
            workflow: workflow.clone(),
            status: TaskStatus::Waiting,
            begun: None,
            record: None,
            outcome: None,
        };
        let each = tasks
            .iter()
            .map(|(task, workflow)| (task.clone(), waiting(workflow)));
        record.tasks = each.collect();
        return;
    }
    let (Event::TaskOpened { task, .. }
    | Event::TaskBegun { task, .. }
    | Event::TaskEnded { task, .. }
    | Event::TaskDropped { task }) = event
    else {
        return;
    };
    let Some(task) = record.tasks.get_mut(task) else {
        return;
    };
    match event {
        Event::TaskOpened { effect, .. } => {
            task.status = TaskStatus::Open;
            task.begun = Some(*effect);
        }
        Event::TaskBegun { record, .. } => task.record = Some(record.clone()),
        Event::TaskEnded {
            record, outcome, ..
        } => {
            task.status = TaskStatus::Ended;
            task.record = Some(record.clone());
            task.outcome = Some(outcome.clone());
        }
        _ => task.status = TaskStatus::Dropped,
    }
}

fn apply_clock(record: &mut Record, event: &Event, at: Instant) {
    match event {
        Event::ClockSet { clock } => {
            let place = record.clocks.iter().position(|old| {
                old.service_level == clock.service_level && old.target == clock.target
            });
            match place {
                Some(place) => record.clocks[place] = (**clock).clone(),
                None => record.clocks.push((**clock).clone()),
            }
        }
        Event::ClockPaused {
            clock,
            elapsed,
            due,
        } => {
            let Some(clock) = clock_mut(record, clock) else {
                return;
            };
            end_stretch(clock, at);
            clock.status = ClockStatus::Paused;
            clock.elapsed = *elapsed;
            if matches!(clock.goal, Some(ClockGoal::Within(_))) {
                clock.due = *due;
                clock.breach_at = None;
                clock.warnings.clear();
            }
        }
        Event::ClockResumed {
            clock,
            due,
            breach_at,
            warnings,
        } => {
            let Some(clock) = clock_mut(record, clock) else {
                return;
            };
            clock.status = ClockStatus::Running;
            clock.since = at;
            clock.due = *due;
            clock.breach_at = *breach_at;
            clock.warnings.clone_from(warnings);
        }
        Event::ClockStopped {
            clock,
            elapsed,
            due,
        } => {
            let Some(clock) = clock_mut(record, clock) else {
                return;
            };
            end_stretch(clock, at);
            clock.status = ClockStatus::Stopped;
            clock.elapsed = *elapsed;
            clock.due = *due;
            clock.breach_at = None;
            clock.warnings.clear();
        }
        Event::ClockCancelled { clock, elapsed } => {
            let Some(clock) = clock_mut(record, clock) else {
                return;
            };
            end_stretch(clock, at);
            clock.status = ClockStatus::Cancelled;
            clock.elapsed = *elapsed;
            clock.breach_at = None;
            clock.warnings.clear();
        }
        Event::Warned { clock, warning, .. } => {
            let Some(clock) = clock_mut(record, clock) else {
                return;
            };
            clock.warnings.remove(warning);
            clock.warned.insert(warning.clone());
        }
        Event::Breached { clock, at } => {
            let Some(clock) = clock_mut(record, clock) else {
                return;
            };
            clock.breached_at = Some(*at);
        }
        _ => {}
    }
}

/// Ends the stretch that a running clock is in.
fn end_stretch(clock: &mut Clock, at: Instant) {
    if clock.status == ClockStatus::Running {
        if at > clock.since {
            let calendar =
                u16::try_from(clock.calendars.len().saturating_sub(1)).unwrap_or(u16::MAX);
            clock.stretches.push(Stretch {
                from: clock.since,
                to: at,
                calendar,
            });
        }
        clock.since = at;
    }
}

fn clock_mut<'a>(record: &'a mut Record, key: &ClockKey) -> Option<&'a mut Clock> {
    record
        .clocks
        .iter_mut()
        .find(|clock| clock.service_level == key.service_level && clock.target == key.target)
}

fn apply_effect(record: &mut Record, event: &Event) {
    match event {
        Event::EffectDue { effect, call, at } => {
            let pending = PendingEffect {
                call: call.clone(),
                attempts: 0,
                next_at: *at,
                dead: false,
                error: None,
            };
            record.effects.insert(*effect, pending);
        }
        Event::EffectFailed {
            effect,
            failure,
            next_at,
        } => {
            if let Some(pending) = record.effects.get_mut(effect) {
                pending.attempts += 1;
                pending.next_at = *next_at;
                pending.error = Some(failure.message.clone());
            }
        }
        Event::EffectDead { effect, failure } => {
            if let Some(pending) = record.effects.get_mut(effect) {
                pending.attempts += 1;
                pending.dead = true;
                pending.error = Some(failure.message.clone());
            }
        }
        Event::EffectRedriven { effect, at } => {
            if let Some(pending) = record.effects.get_mut(effect) {
                pending.attempts = 0;
                pending.dead = false;
                pending.next_at = *at;
            }
        }
        Event::EffectDone { effect, .. } => {
            record.effects.remove(effect);
        }
        _ => {}
    }
}
