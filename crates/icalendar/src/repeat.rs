//! The starts of a repeating event: its rule, and the dates added to it and left out of it.

use std::collections::BTreeSet;

use calcard::common::PartialDateTime;
use calcard::common::timezone::Tz as FoundZone;
use calcard::icalendar::{
    ICalendar, ICalendarComponent, ICalendarComponentType, ICalendarEntry, ICalendarFrequency,
    ICalendarProperty, ICalendarRecurrenceRule, ICalendarValue,
};
use chrono::{Datelike as _, NaiveDate, NaiveDateTime, NaiveTime, Timelike as _};

use crate::moment::Moment;
use crate::read::{MAX_STEPS, Reason};

/// The most times a day at which one rule may repeat.
const MAX_TIMES_A_DAY: usize = 24;

/// The starts that a rule gives before `end`, on the clocks of the zone of the first one.
///
/// # Errors
/// Where the rule makes no sense, repeats more often than daily, or has more than [`MAX_STEPS`] starts
/// by then.
pub(crate) fn starts(
    rule: &ICalendarRecurrenceRule,
    first: Moment,
    end: NaiveDateTime,
) -> Result<Vec<NaiveDateTime>, Reason> {
    if rule.freq > ICalendarFrequency::Daily || times_a_day(rule) > MAX_TIMES_A_DAY {
        return Err(Reason::TooOften);
    }
    if rule.rscale.is_some() || rule.skip.is_some() || rule.interval == Some(0) {
        return Err(Reason::Rule);
    }
    let until = until(rule, first)?;
    let last = until.map_or(end, |until| until.min(end));
    if last < first.local {
        return Ok(Vec::new());
    }
    // Both in local time, so that neither a change of the clocks nor a zone comes between them.
    let mut rule = rule.clone();
    rule.until = Some(written(last));
    let alone = ICalendar {
        components: vec![ICalendarComponent {
            component_type: ICalendarComponentType::VEvent,
            entries: vec![
                entry(
                    ICalendarProperty::Dtstart,
                    ICalendarValue::PartialDateTime(Box::new(written(first.local))),
                ),
                entry(
                    ICalendarProperty::Rrule,
                    ICalendarValue::RecurrenceRule(Box::new(rule)),
                ),
            ],
            component_ids: Vec::new(),
        }],
    };
    let expanded = alone.expand_dates(FoundZone::Floating, MAX_STEPS + 1);
    if !expanded.errors.is_empty() {
        return Err(Reason::Rule);
    }
    if expanded.events.len() > MAX_STEPS {
        return Err(Reason::TooManyTimes);
    }
    let starts = expanded.events.iter();
    Ok(starts.map(|event| event.start.naive_local()).collect())
}

fn times_a_day(rule: &ICalendarRecurrenceRule) -> usize {
    let count = |list: &[u8]| list.iter().collect::<BTreeSet<_>>().len().max(1);
    count(&rule.byhour) * count(&rule.byminute) * count(&rule.bysecond)
}

/// The last local time at which the rule may give a start; a date includes all of it.
fn until(rule: &ICalendarRecurrenceRule, first: Moment) -> Result<Option<NaiveDateTime>, Reason> {
    let Some(until) = &rule.until else {
        return Ok(None);
    };
    let until = Moment::of(until, first.zone)?;
    let local = until.local_in(first.zone);
    let includes_day = until.is_date || first.is_date;
    let last = NaiveTime::from_hms_opt(23, 59, 59).expect("a time of day");
    Ok(Some(if includes_day {
        local.date().and_time(last)
    } else {
        local
    }))
}

fn written(local: NaiveDateTime) -> PartialDateTime {
    let small = |number: u32| u8::try_from(number).ok();
    PartialDateTime {
        year: u16::try_from(local.year()).ok(),
        month: small(local.month()),
        day: small(local.day()),
        hour: small(local.hour()),
        minute: small(local.minute()),
        second: small(local.second()),
        ..PartialDateTime::default()
    }
}

/// A whole date.
pub(crate) fn written_date(date: NaiveDate) -> PartialDateTime {
    PartialDateTime {
        hour: None,
        minute: None,
        second: None,
        ..written(date.and_time(NaiveTime::MIN))
    }
}

fn entry(name: ICalendarProperty, value: ICalendarValue) -> ICalendarEntry {
    ICalendarEntry {
        name,
        params: Vec::new(),
        values: vec![value],
    }
}

/// Starts that are left out: single ones, and all of a date.
#[derive(Default)]
pub(crate) struct LeftOut {
    times: BTreeSet<NaiveDateTime>,
    dates: BTreeSet<NaiveDate>,
}

impl LeftOut {
    /// Leaves out what a moment says, on the clocks of the event's first start.
    pub(crate) fn leave_out(&mut self, moment: Moment, first: Moment) {
        if moment.is_date {
            self.dates.insert(moment.local.date());
        } else if first.is_date {
            self.dates.insert(moment.local_in(first.zone).date());
        } else {
            self.times.insert(moment.local_in(first.zone));
        }
    }

    pub(crate) fn contains(&self, start: NaiveDateTime) -> bool {
        self.times.contains(&start) || self.dates.contains(&start.date())
    }
}
