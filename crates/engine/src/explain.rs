//! Why a record is where it is: every decision, by what, from what, in sentences and as data.

mod approval;
mod window;

use model::command::{Action, Actor};
use model::event::{EscalationEnded, Event};
use model::hook::{Answer, Hook};
use model::id::RecordId;
use model::journal::{Decision, Entry, HookDecision};
use model::record::{Clock, ClockGoal, ClockStatus, Record};
use model::{Digest, Duration, Instant};
use serde::Serialize;

use crate::decide::addressing;
use crate::engine::Engine;
use crate::error::EngineError;

/// How many entries an explanation goes through; a longer history is explained from there on.
const MOST_ENTRIES: usize = 2_000;

/// Why a record is where it is.
#[derive(Clone, Debug, Serialize)]
pub struct Explanation {
    /// The record.
    pub record: RecordId,
    /// Where it stands, and what it waits for, in a sentence each.
    pub now: Vec<String>,
    /// What was decided, oldest first.
    pub decisions: Vec<Explained>,
}

/// One decision.
#[derive(Clone, Debug, Serialize)]
pub struct Explained {
    /// When.
    pub at: Instant,
    /// When it was due, where that was more than a second before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub due: Option<Instant>,
    /// The record's version after it.
    pub version: u64,
    /// Who or what decided: `table priority`, `plugin skills-router`, a person.
    pub by: String,
    /// What was decided, in a sentence.
    pub what: String,
    /// The component that answered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub component: Option<Digest>,
    /// The digest of what it was asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub input: Option<Digest>,
    /// How long it took, in microseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub micros: Option<u64>,
}

impl Engine {
    /// Explains a record that the actor may see.
    ///
    /// # Errors
    /// Where there is none that they may see, or the store fails.
    pub fn explain(&self, actor: &Actor, id: &RecordId) -> Result<Explanation, EngineError> {
        let record = self.record(actor, id)?;
        let mut decisions = Vec::new();
        let mut after = 0;
        while decisions.len() < MOST_ENTRIES {
            let entries = self.0.store.history(id, after, 200)?;
            let Some((_, last)) = entries.last() else {
                break;
            };
            after = last.version;
            for (_, entry) in &entries {
                explain_entry(entry, &mut decisions);
            }
        }
        Ok(Explanation {
            record: id.clone(),
            now: now(&record),
            decisions,
        })
    }
}

fn now(record: &Record) -> Vec<String> {
    let mut now = vec![format!(
        "{} is in the state `{}` ({}) since {}.",
        record.id,
        record.state,
        record.category.as_str(),
        record.state_since.to_seconds_text()
    )];
    if let Some(team) = &record.team {
        let who = record
            .assignee
            .as_ref()
            .map_or_else(|| "nobody in particular".to_owned(), ToString::to_string);
        now.push(format!(
            "It is with the team {team}, and {who} works on it."
        ));
    }
    let stages = record.approval.iter().flat_map(|it| &it.stages);
    now.extend(stages.map(approval::waiting));
    now.extend(record.window.as_ref().map(window::standing));
    if let Some(open) = &record.escalation {
        let told: Vec<_> = open.told.iter().map(ToString::to_string).collect();
        let due = open.due.map_or_else(String::new, |due| {
            format!(", the next ones at {}", due.to_seconds_text())
        });
        now.push(format!(
            "It waits to be acknowledged since {}; told so far: {}{due}.",
            open.since.to_seconds_text(),
            told.join(", ")
        ));
    }
    for clock in &record.clocks {
        let status = match clock.status {
            ClockStatus::Running => "runs",
            ClockStatus::Paused => "is paused",
            ClockStatus::Stopped => "has stopped",
            ClockStatus::Cancelled => "was cancelled",
        };
        let due = match (clock.status, clock.due) {
            (ClockStatus::Cancelled, _) => format!("had used {}", whole_seconds(clock.elapsed)),
            (_, None) => "has no due time while it waits".to_owned(),
            (_, Some(due)) => format!("is due {}", due.to_seconds_text()),
        };
        let breach = clock.breached_at.map_or_else(String::new, |at| {
            format!(", and was breached at {}", at.to_seconds_text())
        });
        let why = clock
            .reason
            .as_ref()
            .map_or_else(String::new, |reason| format!(" ({reason})"));
        now.push(format!(
            "The target `{}` of {} {status} and {due}{breach}{why}.",
            clock.target, clock.service_level
        ));
    }
    let dead = record.effects.values().filter(|effect| effect.dead).count();
    if dead > 0 {
        now.push(format!(
            "{dead} of its effects were given up, and wait for an operator."
        ));
    }
    now
}

fn explain_entry(entry: &Entry, explained: &mut Vec<Explained>) {
    let mut push = |by: String, what: String, hook: Option<&HookDecision>| {
        explained.push(Explained {
            at: entry.command.at,
            due: None,
            version: entry.version,
            by,
            // A reason of a plugin may be a sentence of its own.
            what: format!("{}.", what.trim_end_matches('.')),
            component: hook.and_then(|hook| hook.component),
            input: hook.map(|hook| hook.input),
            micros: hook.map(|hook| hook.micros),
        });
    };
    let actor = entry.command.actor.id().to_string();
    match &entry.command.action {
        Action::Create(create) => push(actor, format!("began it as {}.", create.workflow), None),
        Action::Transition { name, .. } => push(actor, format!("took `{name}`."), None),
        _ => {}
    }
    for decision in &entry.decisions {
        match decision {
            Decision::Table { table, row, more } => {
                let rows: Vec<String> = row
                    .iter()
                    .chain(more)
                    .map(|row| format!("`{row}`"))
                    .collect();
                let said = match rows.as_slice() {
                    [] => "no row answered.".to_owned(),
                    [row] => format!("the row {row} answered."),
                    rows => format!("the rows {} answered.", rows.join(", ")),
                };
                push(format!("table {table}"), said, None);
            }
            Decision::Hook(hook) => push(
                format!("plugin {}", hook.binding),
                hook_sentence(hook),
                Some(hook),
            ),
            Decision::Failed { place, message } => push(
                place.clone(),
                format!("could not be told: {message}."),
                None,
            ),
            Decision::Automatic { transition, reason } => {
                push(
                    "the workflow".to_owned(),
                    format!("took `{transition}`: {reason}."),
                    None,
                );
            }
        }
    }
    for (event, place) in entry.events.iter().zip(0..) {
        let said = approval::happened(event, &entry.command);
        match said.or_else(|| window::happened(event)) {
            Some((by, what)) => push(by, what, None),
            None => explain_event(event, &mut push),
        }
        if let Event::Notified { notice, .. } = event
            && let Some(said) = addressing::in_words(&entry.events, place)
        {
            push(format!("notice {notice}"), format!("{said}."), None);
        }
    }
    for event in &entry.events {
        explain_delay(entry, event, explained);
    }
}

/// What was due and was done late: both times.
fn explain_delay(entry: &Entry, event: &Event, explained: &mut Vec<Explained>) {
    let Some((due, delay)) = event
        .was_due()
        .and_then(|due| Some((due, entry.delay(due)?)))
    else {
        return;
    };
    let (by, what) = match event {
        Event::TimerFired { timer, .. } => (format!("timer {timer}"), "it"),
        Event::StageTimerFired { stage, timer, .. } => {
            (format!("timer {timer} of the stage {stage}"), "it")
        }
        Event::StageEnded { stage, .. } => (format!("stage {stage}"), "its end"),
        Event::Warned { clock, warning, .. } => (
            format!("target {}", clock.target),
            &*format!("the warning `{warning}`"),
        ),
        Event::Breached { clock, .. } => (format!("target {}", clock.target), "its breach"),
        _ => return,
    };
    let (due_text, at) = (due.to_seconds_text(), entry.command.at.to_seconds_text());
    let delay = Duration::from_secs(delay.as_secs());
    explained.push(Explained {
        at: entry.command.at,
        due: Some(due),
        version: entry.version,
        by,
        what: format!("{what} was due at {due_text}, and came at {at}, {delay} late."),
        component: None,
        input: None,
        micros: None,
    });
}

/// What an event says beyond the decisions that led to it.
fn explain_event(event: &Event, push: &mut impl FnMut(String, String, Option<&HookDecision>)) {
    match event {
        Event::Assigned {
            team,
            assignee,
            reason,
        } => {
            let team = team
                .as_ref()
                .map_or_else(|| "no team".to_owned(), ToString::to_string);
            let who = assignee
                .as_ref()
                .map_or_else(String::new, |who| format!(", to {who}"));
            push(
                "assignment".to_owned(),
                format!("to {team}{who}: {reason}."),
                None,
            );
        }
        Event::Migrated { left, entered, .. } => {
            let states = if left == entered {
                String::new()
            } else {
                format!(", from `{left}` to `{entered}`")
            };
            push(
                "migration".to_owned(),
                format!("to another version of its workflow{states}."),
                None,
            );
        }
        Event::ClockSet { clock } => push(
            format!("target {} of {}", clock.target, clock.service_level),
            promised(clock),
            None,
        ),
        Event::ClockCancelled { clock, elapsed } => push(
            format!("target {} of {}", clock.target, clock.service_level),
            format!(
                "cancelled, the service level does not cover the record any more; {} of it were used.",
                whole_seconds(*elapsed)
            ),
            None,
        ),
        Event::Escalated {
            step,
            told,
            reason,
            due,
            ..
        } => {
            let told: Vec<_> = told.iter().map(ToString::to_string).collect();
            let due = due.map_or_else(String::new, |due| {
                format!("; to be acknowledged until {}", due.to_seconds_text())
            });
            let what = format!("the step `{step}` told {}: {reason}{due}.", told.join(", "));
            push("escalation".to_owned(), what, None);
        }
        Event::EscalationEnded { how, reason } => {
            let how = match how {
                EscalationEnded::Acknowledged(_) => "acknowledged",
                EscalationEnded::Withdrawn => "withdrawn",
                EscalationEnded::Exhausted => "at its end",
            };
            push("escalation".to_owned(), format!("{how}: {reason}."), None);
        }
        Event::Breached { clock, at } => {
            push(
                format!("target {}", clock.target),
                format!("breached at {}.", at.to_seconds_text()),
                None,
            );
        }
        _ => {}
    }
}

/// What a clock promises from here on, and what was used before.
fn promised(clock: &Clock) -> String {
    let calendar = clock.calendars.last().and_then(Option::as_ref);
    let calendar = calendar.map_or_else(String::new, |calendar| {
        let zone = calendar.zone.as_ref();
        let zone = zone.map_or_else(String::new, |zone| format!(" on the clocks of {zone}"));
        format!(" in {}{zone}", calendar.id)
    });
    let goal = match clock.goal {
        None => "nothing".to_owned(),
        Some(ClockGoal::Within(goal)) => format!("{goal}{calendar}"),
        Some(ClockGoal::DueAt(at)) => format!("by {}", at.to_seconds_text()),
    };
    let why = clock
        .reason
        .as_ref()
        .map_or_else(String::new, |reason| format!(" ({reason})"));
    let over = clock
        .took_over
        .as_ref()
        .map_or_else(String::new, |before| format!(", taken over from {before}"));
    let used = if clock.elapsed == Duration::ZERO {
        String::new()
    } else {
        format!(", {} of it used before", whole_seconds(clock.elapsed))
    };
    let due = clock.due.map_or_else(String::new, |due| {
        format!(", due {}", due.to_seconds_text())
    });
    format!("promised {goal}{why}{over}{used}{due}.")
}

/// A duration as reports have it.
fn whole_seconds(duration: Duration) -> Duration {
    Duration::from_secs(duration.as_secs())
}

fn hook_sentence(hook: &HookDecision) -> String {
    let asked = match hook.hook {
        Hook::Approval => "asked who must agree",
        Hook::Routing => "asked who gets the work",
        Hook::ServiceLevel => "asked what is promised",
        Hook::Delivery | Hook::Webhook | Hook::Schedule => "told",
    };
    if let Some(failure) = &hook.failure {
        return format!(
            "{asked}: no answer that counts ({}), so that the fallback was taken.",
            failure.message
        );
    }
    let answer = match &hook.answer {
        Some(Answer::Assignment {
            team,
            assignee,
            reason,
        }) => {
            let who = assignee
                .as_ref()
                .map_or_else(String::new, |who| format!(", {who}"));
            format!("{team}{who}: {reason}")
        }
        Some(Answer::Targets(targets)) => {
            let each: Vec<_> = targets
                .iter()
                .map(|target| format!("{}: {}", target.target, target.reason))
                .collect();
            each.join("; ")
        }
        Some(Answer::Approve { reason }) => format!("approve: {reason}"),
        Some(Answer::Reject { reason }) => format!("reject: {reason}"),
        Some(Answer::Ask(stages)) => {
            let each: Vec<_> = stages
                .iter()
                .map(|stage| format!("{} ({})", stage.id, stage.reason.trim_end_matches('.')))
                .collect();
            format!("ask {}", each.join(", then "))
        }
        None => "no answer".to_owned(),
    };
    format!("{asked}: {answer}.")
}
