//! A clock as clients see it: one promise on one record, and how it stands.

use model::Instant;
use model::id::{CalendarId, ServiceLevelId, TargetId};
use model::record::{ClockGoal, ClockStatus as ModelStatus, Verdict as ModelVerdict};
use serde::Serialize;
use utoipa::ToSchema;

/// The running measure of one target.
#[derive(Serialize, ToSchema)]
pub struct Clock<'a> {
    /// The service level.
    #[schema(value_type = String)]
    service_level: &'a ServiceLevelId,
    /// The target.
    #[schema(value_type = String, example = "resolution")]
    target: &'a TargetId,
    /// Whether it runs.
    status: ClockStatus,
    /// What was promised; absent where no goal applies.
    #[serde(skip_serializing_if = "Option::is_none")]
    goal: Option<Goal>,
    /// Why that goal, where a plugin or a table said.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a str>,
    /// The calendar that its time is counted in; absent where time just passes.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    calendar: Option<&'a CalendarId>,
    /// The zone that the calendar is read in, where that is not its own.
    #[serde(skip_serializing_if = "Option::is_none")]
    zone: Option<&'a str>,
    /// The service level whose clock of the same target it took over from.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    took_over: Option<&'a ServiceLevelId>,
    /// When it started.
    #[schema(value_type = String, format = DateTime)]
    started_at: Instant,
    /// The time used, in whole seconds, up to `since`.
    elapsed_s: u64,
    /// While it runs, the beginning of the present stretch; else the end of the last one.
    #[schema(value_type = String, format = DateTime)]
    since: Instant,
    /// When the goal is, or was, used up; absent while that is not known.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    due: Option<Instant>,
    /// The verdict as it stands.
    verdict: Verdict,
    /// The exact instant at which it was breached.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    breached_at: Option<Instant>,
}

/// Whether a clock runs.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ClockStatus {
    /// It counts.
    Running,
    /// It stands still.
    Paused,
    /// It ended.
    Stopped,
    /// It ended unjudged: its service level does not cover the record any more.
    Cancelled,
}

/// What was promised.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Goal {
    /// So much time in its calendar, an ISO 8601 duration such as `PT8H`.
    Within(String),
    /// By an instant, RFC 3339, that no pause moves.
    DueAt(String),
}

/// The verdict on a clock.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// Stopped within the goal.
    Met,
    /// More than the goal was used.
    Breached,
    /// Neither yet.
    Running,
    /// Neither, and it will not be: the promise was withdrawn.
    Cancelled,
}

impl<'a> From<&'a model::record::Clock> for Clock<'a> {
    fn from(clock: &'a model::record::Clock) -> Self {
        let calendar = clock.calendars.last().and_then(Option::as_ref);
        Self {
            service_level: &clock.service_level,
            target: &clock.target,
            status: match clock.status {
                ModelStatus::Running => ClockStatus::Running,
                ModelStatus::Paused => ClockStatus::Paused,
                ModelStatus::Stopped => ClockStatus::Stopped,
                ModelStatus::Cancelled => ClockStatus::Cancelled,
            },
            goal: clock.goal.map(|goal| match goal {
                ClockGoal::Within(duration) => Goal::Within(duration.to_string()),
                ClockGoal::DueAt(instant) => Goal::DueAt(instant.to_string()),
            }),
            reason: clock.reason.as_deref(),
            calendar: calendar.map(|calendar| &calendar.id),
            zone: calendar.and_then(|calendar| calendar.zone.as_deref()),
            took_over: clock.took_over.as_ref(),
            started_at: clock.started_at,
            elapsed_s: clock.elapsed.as_secs(),
            since: clock.since,
            due: clock.due,
            verdict: match clock.verdict() {
                ModelVerdict::Met => Verdict::Met,
                ModelVerdict::Breached => Verdict::Breached,
                ModelVerdict::Running => Verdict::Running,
                ModelVerdict::Cancelled => Verdict::Cancelled,
            },
            breached_at: clock.breached_at,
        }
    }
}
