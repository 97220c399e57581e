//! Business time: weekly hours, holidays and zones; exact addition and difference. And turns on call,
//! which change by the same clocks ([`rota`]).
//!
//! An instant is business time if and only if the local clock at that instant shows a time inside
//! an interval. Two facts make that cheap to count. On the axis of local clock time the open hours
//! form a set that knows no zones ([`local`]): whole weeks of it are one multiplication, and
//! holidays are corrections to it, summed up beforehand; dates that recur are told singly first
//! ([`recurring`]). And a zone is a few hundred spans of
//! instants in which clocks run at one offset ([`zone`]), so the business time before each span's
//! start can be summed up beforehand too. What then remains of `between` is two look-ups and a
//! subtraction; `add` is the same function inverted. Neither walks over time, so neither costs more
//! over a century than over a minute.

mod compile;
mod days;
mod free;
mod local;
pub mod recurring;
pub mod rota;
mod search;
mod zone;

pub use days::{add_days, next_time, start_of_day};
use std::fmt;
use std::sync::Arc;

use chrono_tz::Tz;
use model::{Duration, Instant};

pub use compile::CalendarError;
pub use free::{Bounds, TooMuch};

use local::LocalHours;

const DAY: i64 = 86_400_000;
/// Ten years with at most three leap days: whoever waits longer for business time waits for ever.
const TEN_YEARS: i64 = 3653 * DAY;
/// The years 1 to 9999; there is no business time outside them.
const FIRST: i64 = -62_135_596_800_000;
const LAST: i64 = 253_402_300_799_999;

/// A calendar compiled for counting. Clones share it.
#[derive(Clone)]
pub struct Calendar(Arc<Compiled>);

struct Compiled {
    zone: Tz,
    day: Option<Duration>,
    hours: Arc<LocalHours>,
    /// In order, the first from [`FIRST`]; never empty.
    spans: Box<[Span]>,
    /// In order.
    deserts: Box<[Desert]>,
}

/// Instants from `start` until the next span, in which the local clock is `offset` ahead of UTC.
struct Span {
    start: i64,
    offset: i64,
    /// Business time from [`FIRST`] to `start`.
    before: i64,
    /// What to add to the business time on the local axis to have that since [`FIRST`].
    shift: i64,
}

/// Instants of ten years and more without business time.
struct Desert {
    from: i64,
    to: i64,
}

impl Calendar {
    /// Compiles a definition.
    ///
    /// # Errors
    /// Where the zone is unknown, `always` and `hours` stand together, a business day is no time
    /// or over 24 hours, there are over 24 intervals on a day or over 10,000 dates, single ones and those
    /// that recur, or where dates do not recur as they say.
    pub fn compile(definition: &model::definition::Calendar) -> Result<Self, CalendarError> {
        compile::compile(definition).map(|compiled| Self(Arc::new(compiled)))
    }

    /// The earliest instant at which `duration` of business time has passed since `start`; `start`
    /// itself for no duration. `None` where that never comes: where the wait for more business time
    /// would at some point be ten years or longer, or go past the year 9999.
    pub fn add(&self, start: Instant, duration: Duration) -> Option<Instant> {
        if duration == Duration::ZERO {
            return Some(start);
        }
        let from = start.millis().max(FIRST);
        if from > LAST {
            return None;
        }
        let duration = i64::try_from(duration.millis())
            .ok()
            .filter(|duration| *duration <= LAST - FIRST)?;
        let goal = self.0.business_before(from) + duration;
        let due = self.0.reach(goal)?;
        if self.0.dies_of_thirst(from, due) {
            None
        } else {
            Some(Instant::from_millis(due))
        }
    }

    /// The business time in `[start, end)`; zero where `end` is not after `start`.
    pub fn between(&self, start: Instant, end: Instant) -> Duration {
        let (start, end) = (
            start.millis().clamp(FIRST, LAST),
            end.millis().clamp(FIRST, LAST),
        );
        if end <= start {
            return Duration::ZERO;
        }
        let passed = self.0.business_before(end) - self.0.business_before(start);
        Duration::from_millis(passed.unsigned_abs())
    }

    /// Whether an instant is business time.
    pub fn is_open(&self, at: Instant) -> bool {
        (FIRST..=LAST).contains(&at.millis()) && self.0.is_open(at.millis())
    }

    /// The first instant at or after `at` that is business time; `None` where there is none within
    /// ten years.
    pub fn next_open(&self, at: Instant) -> Option<Instant> {
        let from = at.millis().max(FIRST);
        if from > LAST {
            return None;
        }
        if self.0.is_open(from) {
            return Some(Instant::from_millis(from));
        }
        // The first millisecond of business time to come ends one after it begins.
        let open = self.0.reach(self.0.business_before(from) + 1)? - 1;
        (open - from < TEN_YEARS).then_some(Instant::from_millis(open))
    }

    /// The first instant at or after `at`, and before `until`, that is no business time.
    pub fn next_closed(&self, at: Instant, until: Instant) -> Option<Instant> {
        // How much of the time since `at` was closed only ever grows.
        let closed_by = |end: i64| {
            let end = Instant::from_millis(end);
            end.since(at) > self.between(at, end)
        };
        let (mut low, mut high) = (at.millis(), until.millis());
        if low >= high || !closed_by(high) {
            return None;
        }
        while high - low > 1 {
            let middle = low + (high - low) / 2;
            if closed_by(middle) {
                high = middle;
            } else {
                low = middle;
            }
        }
        Some(Instant::from_millis(low))
    }

    /// The same hours and holidays, read on the clocks of another zone.
    #[must_use]
    pub fn in_zone(&self, zone: Tz) -> Self {
        if zone == self.0.zone {
            return self.clone();
        }
        let hours = Arc::clone(&self.0.hours);
        Self(Arc::new(Compiled::new(zone, self.0.day, hours)))
    }

    /// How much business time a business day is, where this calendar has one.
    pub fn day(&self) -> Option<Duration> {
        self.0.day
    }

    /// The zone whose clocks the hours are read on.
    pub fn zone(&self) -> Tz {
        self.0.zone
    }
}

impl fmt::Debug for Calendar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Calendar")
            .field("zone", &self.0.zone)
            .finish_non_exhaustive()
    }
}

impl Compiled {
    fn new(zone: Tz, day: Option<Duration>, hours: Arc<LocalHours>) -> Self {
        let mut spans: Vec<Span> = Vec::new();
        for offset in zone::offsets(zone) {
            let before = spans.last().map_or(0, |last| {
                last.shift + hours.before(offset.start + last.offset)
            });
            let shift = before - hours.before(offset.start + offset.ahead);
            spans.push(Span {
                start: offset.start,
                offset: offset.ahead,
                before,
                shift,
            });
        }
        let mut compiled = Self {
            zone,
            day,
            hours,
            spans: spans.into(),
            deserts: Box::default(),
        };
        compiled.deserts = compiled
            .hours
            .closed_for_years()
            .into_iter()
            .filter_map(|inside| compiled.desert_around(inside))
            .collect();
        compiled
    }

    fn span_at(&self, at: i64) -> &Span {
        search::last(&self.spans, |span| span.start <= at)
            .expect("the first span starts at the first instant")
    }

    /// Business time from [`FIRST`] to `at`.
    fn business_before(&self, at: i64) -> i64 {
        let span = self.span_at(at);
        span.shift + self.hours.before(at + span.offset)
    }

    /// The earliest instant with this much business time, more than none, before it.
    fn reach(&self, goal: i64) -> Option<i64> {
        let span = search::last(&self.spans, |span| span.before < goal)?;
        let instant = self.hours.reach(goal - span.shift)? - span.offset;
        (instant <= LAST).then_some(instant)
    }

    fn is_open(&self, at: i64) -> bool {
        self.hours.is_open(at + self.span_at(at).offset)
    }

    /// All of the closed time around an instant, if it is ten years or longer and ends.
    fn desert_around(&self, inside: i64) -> Option<Desert> {
        let inside = inside.clamp(FIRST, LAST);
        let passed = self.business_before(inside);
        let from = if passed == 0 {
            FIRST
        } else {
            self.reach(passed)?
        };
        let to = self.reach(passed + 1)? - 1;
        (to - from >= TEN_YEARS).then_some(Desert { from, to })
    }

    /// Whether ten years without business time lie on the way.
    fn dies_of_thirst(&self, from: i64, due: i64) -> bool {
        let ahead = self.deserts.partition_point(|desert| desert.to <= from);
        self.deserts[ahead..]
            .iter()
            .take_while(|desert| desert.to < due)
            .any(|desert| desert.to - desert.from.max(from) >= TEN_YEARS)
    }
}

#[cfg(test)]
mod tests {
    use model::{Duration, Instant};
    use serde_json::json;

    use super::Calendar;
    use super::search::steps;

    /// Steps of `between` and `add` from 2000 over this many hours of an office with holidays.
    fn steps_over(hours: u64) -> u32 {
        let day = json!({ "morning": "08:00-12:00", "noon": "13:00-17:00" });
        let first = chrono::NaiveDate::from_ymd_opt(1990, 1, 1).expect("a date");
        let holidays: serde_json::Map<_, _> = first
            .iter_days()
            .step_by(29)
            .take(1_000)
            .map(|date| (date.to_string(), json!({})))
            .collect();
        let definition = json!({
            "zone": "Europe/Brussels",
            "hours": { "mon": day, "tue": day, "wed": day, "thu": day, "fri": day },
            "holidays": holidays,
        });
        let definition = serde_json::from_value(definition).expect("well-formed");
        let calendar = Calendar::compile(&definition).expect("within bounds");
        let start: Instant = "2000-01-01T00:00:00Z".parse().expect("an instant");
        let duration = Duration::from_secs(hours * 3600);
        let (due, adding) = steps::of(|| calendar.add(start, duration).expect("comes"));
        let (passed, counting) = steps::of(|| calendar.between(start, due));
        assert_eq!(passed, duration);
        adding + counting
    }

    #[test]
    fn a_thousand_years_cost_no_more_than_a_minute() {
        // Two look-ups each, of a span among 365, an exception among 1,000 and a stretch.
        for hours in [1, 8, 2_000, 20_000, 2_000_000] {
            let steps = steps_over(hours);
            assert!(steps <= 100, "{steps} steps over {hours} hours");
        }
    }
}
