//! A slow calendar to compare with.

use chrono::{DateTime, Datelike as _, NaiveDate, TimeZone as _, Timelike as _};
use chrono_tz::Tz;
use model::definition::{Calendar as Definition, Date, Hours, Weekday};

use crate::MINUTE;
use crate::recurring::singly;

/// Reads the definition as the page about clocks says it, one minute at a time: look at the local
/// clock, then at the intervals that open today and those of yesterday that go over midnight.
/// Exact for zones whose clocks change on whole minutes.
pub(crate) struct Oracle {
    definition: Definition,
    zone: Tz,
}

impl Oracle {
    pub(crate) fn new(definition: &Definition) -> Self {
        Self {
            definition: singly(definition),
            zone: definition.zone.parse().expect("a zone"),
        }
    }

    pub(crate) fn is_open(&self, at: i64) -> bool {
        let utc = DateTime::from_timestamp_millis(at)
            .expect("an instant")
            .naive_utc();
        let local = self.zone.from_utc_datetime(&utc).naive_local();
        let minute = u16::try_from(local.hour() * 60 + local.minute()).expect("below 1440");
        let opens_today = |hours: Hours| {
            hours.from() <= minute && (hours.closes_next_day() || minute < hours.to())
        };
        let spills = |hours: Hours| hours.closes_next_day() && minute < hours.to();
        let today = local.date();
        let yesterday = today.pred_opt().expect("not the first date");
        self.openings(today).into_iter().any(opens_today)
            || self.openings(yesterday).into_iter().any(spills)
    }

    fn openings(&self, date: NaiveDate) -> Vec<Hours> {
        if let Some(holiday) =
            Date::from_naive(date).and_then(|date| self.definition.holidays.get(&date))
        {
            return holiday.hours.values().copied().collect();
        }
        if self.definition.always {
            return vec!["00:00-24:00".parse().expect("hours")];
        }
        let weekday = Weekday::ALL[date.weekday().num_days_from_monday() as usize];
        self.definition
            .hours
            .get(&weekday)
            .map(|hours| hours.values().copied().collect())
            .unwrap_or_default()
    }

    pub(crate) fn between(&self, start: i64, end: i64) -> u64 {
        let mut total = 0;
        let mut at = start;
        while at < end {
            let next = (at.div_euclid(MINUTE) * MINUTE + MINUTE).min(end);
            if self.is_open(at) {
                total += next - at;
            }
            at = next;
        }
        total.unsigned_abs()
    }

    /// The earliest instant, no later than `limit`, with `goal` of business time since `start`.
    pub(crate) fn add(&self, start: i64, goal: u64, limit: i64) -> Option<i64> {
        let mut left = i64::try_from(goal).expect("short");
        let mut at = start;
        while left > 0 && at < limit {
            let next = at.div_euclid(MINUTE) * MINUTE + MINUTE;
            if self.is_open(at) {
                if left <= next - at {
                    return Some(at + left);
                }
                left -= next - at;
            }
            at = next;
        }
        (left == 0).then_some(at)
    }
}
