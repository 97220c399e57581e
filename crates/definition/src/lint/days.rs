//! Business time told in days, in calendars that do not say how much a day is; timers that are spread
//! over more time than they wait.

use model::Duration;
use model::definition::{Goal, Wait, WarningPoint};
use model::id::CalendarId;
use model::time::Period;

use super::Rules;
use crate::compile::{CalendarChoice, Definitions, ServiceLevel, Timer, Workflow};

pub(super) fn check_workflow(workflow: &Workflow, all: &Definitions, rules: &mut Rules<'_>) {
    let mut days = Days { all, rules };
    for (id, timer) in &workflow.timers {
        days.timer(&["timers", id.as_str()], timer);
    }
    for (id, state) in &workflow.states {
        for (timer, said) in &state.timers {
            days.timer(&["states", id.as_str(), "timers", timer.as_str()], said);
        }
        for (stage, said) in state.approval.iter().flat_map(|approval| &approval.stages) {
            let at = ["states", id.as_str(), "approval", "stages", stage.as_str()];
            for (timer, said) in &said.timers {
                days.timer(&[&at[..], &["timers", timer.as_str()]].concat(), said);
            }
            if let Some(wait) = &said.source.timeout {
                days.wait(&[&at[..], &["timeout"]].concat(), wait);
            }
        }
    }
}

pub(super) fn check_service_level(level: &ServiceLevel, all: &Definitions, rules: &mut Rules<'_>) {
    // Which calendar an expression or a thing gives is known only when it does.
    let (CalendarChoice::Named(calendar)
    | CalendarChoice::Of {
        otherwise: calendar,
        ..
    }) = &level.calendar
    else {
        return;
    };
    let mut days = Days { all, rules };
    for (table, rows) in &level.tables {
        for row in rows {
            days.period(
                &[
                    "tables",
                    table.as_str(),
                    "rows",
                    row.id.as_str(),
                    "then",
                    "goal",
                ],
                row.goal,
                calendar,
            );
        }
    }
    for (id, target) in &level.targets {
        let goal = match &target.goal {
            Goal::Plugin { fallback, .. } => fallback,
            goal => goal,
        };
        if let Goal::Business(period) = goal {
            days.period(&["targets", id.as_str(), "goal"], *period, calendar);
        }
        for (warning, said) in &target.warnings {
            if let WarningPoint::Left(period) = said.point {
                days.period(
                    &["targets", id.as_str(), "warnings", warning.as_str(), "left"],
                    period,
                    calendar,
                );
            }
        }
    }
}

struct Days<'d, 'r, 'f> {
    all: &'d Definitions,
    rules: &'r mut Rules<'f>,
}

impl Days<'_, '_, '_> {
    fn timer(&mut self, path: &[&str], timer: &Timer) {
        let wait: Vec<&str> = path.iter().copied().chain(["wait"]).collect();
        self.wait(&wait, &timer.wait);
        let length = self.length(&timer.wait);
        if let Some(jitter) = timer.jitter.filter(|jitter| *jitter > length) {
            let path: Vec<&str> = path.iter().copied().chain(["jitter"]).collect();
            let message =
                format!("the spread `{jitter}` is longer than the wait, which is {length}");
            self.rules.warning("wide-jitter", &path, message).help =
                Some("spread it over less, or wait longer".to_owned());
        }
    }

    /// How long a wait is, its days those of its calendar.
    fn length(&self, wait: &Wait) -> Duration {
        const DAY: Duration = Duration::from_secs(86_400);
        match wait {
            Wait::Time(period) => period.with_day(DAY),
            Wait::Business { period, calendar } => {
                let known = self.all.calendars.get(calendar);
                let day = known.and_then(|known| known.calendar.day());
                period.with_day(day.unwrap_or(DAY))
            }
        }
    }

    fn wait(&mut self, path: &[&str], wait: &Wait) {
        if let Wait::Business { period, calendar } = wait {
            self.period(path, *period, calendar);
        }
    }

    fn period(&mut self, path: &[&str], period: Period, calendar: &CalendarId) {
        let known = self.all.calendars.get(calendar);
        if period.days > 0 && known.is_some_and(|known| known.calendar.day().is_none()) {
            let message = format!(
                "`{period}` counts in days, and the calendar `{calendar}` does not say how much a day is"
            );
            self.rules.error("no-business-day", path, message).help =
                Some("give the calendar a `day: PT8H`, or write hours".to_owned());
        }
    }
}
