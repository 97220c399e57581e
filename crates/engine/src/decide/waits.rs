//! How long waits are: calendar days of the pack's zone, or business time in a named calendar.

use calendar::Calendar;
use model::Instant;
use model::definition::Wait;
use model::time::Period;

use super::Step;

impl Step<'_> {
    /// When a wait that begins at `from` ends; none where it never does, and the journal says so.
    pub(super) fn wait_ends(&mut self, wait: &Wait, from: Instant) -> Option<Instant> {
        let ends = match wait {
            Wait::Time(period) => calendar::add_days(self.input.workflow.zone, from, period.days)
                .map(|at| at.saturating_add(period.time)),
            Wait::Business { period, calendar } => {
                let calendar = self
                    .input
                    .definitions
                    .calendars
                    .get(calendar)
                    .map(|pinned| &pinned.calendar);
                calendar.and_then(|calendar| calendar.add(from, length_in(calendar, *period)))
            }
        };
        if ends.is_none() {
            self.failed("wait".to_owned(), "it never ends: its calendar is not known, or has no business time within ten years".to_owned());
        }
        ends
    }
}

fn length_in(calendar: &Calendar, period: Period) -> model::Duration {
    crate::clock::length(Some(calendar), period)
}
