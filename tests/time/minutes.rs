//! Business time reckoned the slow way: every minute of a year and more is looked up on the local
//! clock, and those that stand inside an interval are counted. Nothing of the product's own calendars
//! is used.

use chrono::{DateTime, Datelike as _, NaiveDate, NaiveDateTime, TimeDelta, Timelike as _, Utc};
use chrono_tz::Tz;
use model::Instant;

const MINUTE: i64 = 60_000;
/// Minutes of the local day from and to; where `to` is not later, it is of the day after.
type Interval = (u32, u32);

/// Opening hours as somebody would write them down, and nothing derived from them.
pub(crate) struct Hours {
    pub(crate) zone: Tz,
    /// From Monday on.
    pub(crate) week: [&'static [Interval]; 7],
    /// Days that have hours of their own, or none.
    pub(crate) holidays: &'static [(&'static str, &'static [Interval])],
}

/// How much business time there was before each minute.
pub(crate) struct Minutes {
    first: i64,
    before: Vec<u32>,
}

impl Hours {
    fn of(&self, day: NaiveDate) -> &'static [Interval] {
        let text = day.to_string();
        let holiday = self.holidays.iter().find(|(holiday, _)| *holiday == text);
        let week = self.week[day.weekday().num_days_from_monday() as usize];
        holiday.map_or(week, |(_, hours)| hours)
    }

    /// Whether the local clock shows a time inside an interval.
    pub(crate) fn is_open(&self, at: DateTime<Utc>) -> bool {
        let local = at.with_timezone(&self.zone).naive_local();
        let minute = local.hour() * 60 + local.minute();
        let of_today = self.of(local.date()).iter();
        let is_in = |(from, to): &Interval| minute >= *from && (to <= from || minute < *to);
        let yesterday = local.date().pred_opt().expect("a day before");
        let of_yesterday = self.of(yesterday).iter();
        let is_left = |(from, to): &Interval| to <= from && minute < *to;
        of_today.clone().any(is_in) || of_yesterday.clone().any(is_left)
    }
}

impl Minutes {
    pub(crate) fn of(hours: &Hours, from: Instant, to: Instant) -> Self {
        let first = from.millis().div_euclid(MINUTE);
        let last = to.millis().div_euclid(MINUTE);
        let mut before = vec![0];
        let mut sum = 0;
        for minute in first..last {
            let at = DateTime::from_timestamp_millis(minute * MINUTE).expect("a time");
            sum += u32::from(hours.is_open(at));
            before.push(sum);
        }
        Self { first, before }
    }

    /// Milliseconds of business time before an instant.
    fn used_before(&self, at: Instant) -> i64 {
        let place = usize::try_from(at.millis().div_euclid(MINUTE) - self.first).expect("in range");
        let [before, after] = [self.before[place], self.before[place + 1]];
        let part = i64::from(after - before) * at.millis().rem_euclid(MINUTE);
        i64::from(before) * MINUTE + part
    }

    pub(crate) fn between(&self, from: Instant, to: Instant) -> i64 {
        self.used_before(to) - self.used_before(from)
    }

    /// The earliest instant at which so much business time has passed since another.
    pub(crate) fn add(&self, from: Instant, millis: i64) -> Instant {
        if millis == 0 {
            return from;
        }
        let wanted = self.used_before(from) + millis;
        let place = self
            .before
            .partition_point(|before| i64::from(*before) * MINUTE < wanted);
        let missing = wanted - i64::from(self.before[place - 1]) * MINUTE;
        let minute = self.first + i64::try_from(place).expect("few") - 1;
        Instant::from_millis(minute * MINUTE + missing)
    }

    /// The first instant from this one on that is business time.
    pub(crate) fn next_open(&self, from: Instant) -> Instant {
        let after = self.add(from, 1);
        Instant::from_millis(after.millis() - 1)
    }
}

/// The instant at which the local clock shows the same time so many days later, found by looking at
/// one minute after the other: the first of two, and the end of the gap where it shows it never.
pub(crate) fn days_later(zone: Tz, from: Instant, days: i64) -> Instant {
    let local = |millis: i64| -> NaiveDateTime {
        let at = DateTime::from_timestamp_millis(millis).expect("a time");
        at.with_timezone(&zone).naive_local()
    };
    let wanted = local(from.millis()) + TimeDelta::days(days);
    let about = from.millis() + days * 1_440 * MINUTE;
    let near = (-180..=180).map(|minutes| about + minutes * MINUTE);
    let same = near.clone().find(|millis| local(*millis) == wanted);
    let jumped = || {
        let past = near.clone().find(|millis| local(*millis) > wanted);
        let past = past.expect("no zone is turned by more than three hours");
        // The jump itself is at a whole minute.
        past - past.rem_euclid(MINUTE)
    };
    Instant::from_millis(same.unwrap_or_else(jumped))
}
