//! Times as a file writes them: dates, local times in a zone, instants.

use calcard::common::PartialDateTime;
use calcard::common::timezone::Tz as FoundZone;
use calcard::icalendar::timezone::TzResolver;
use calcard::icalendar::{ICalendarEntry, ICalendarValue};
use chrono::{NaiveDateTime, NaiveTime, Offset as _, TimeDelta, TimeZone as _};
use chrono_tz::Tz;
use model::Instant;

use crate::read::Reason;

/// A time on the clocks of a zone, or a whole date, whose time is then midnight.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Moment {
    pub(crate) local: NaiveDateTime,
    pub(crate) zone: Tz,
    pub(crate) is_date: bool,
}

/// Which zone a name in the file means.
pub(crate) struct Zones<'a> {
    pub(crate) of_file: TzResolver<&'a str>,
    /// That of times without one.
    pub(crate) floating: Tz,
}

impl Zones<'_> {
    /// The first time that a property says; none where it says none.
    pub(crate) fn first(&self, entry: &ICalendarEntry) -> Result<Option<Moment>, Reason> {
        match entry.values.first() {
            Some(ICalendarValue::PartialDateTime(value)) => self.moment(entry, value).map(Some),
            _ => Ok(None),
        }
    }

    /// A time that a property says.
    pub(crate) fn moment(
        &self,
        entry: &ICalendarEntry,
        value: &PartialDateTime,
    ) -> Result<Moment, Reason> {
        Moment::of(value, self.zone(entry)?)
    }

    /// The zone that a property names.
    pub(crate) fn zone(&self, entry: &ICalendarEntry) -> Result<Tz, Reason> {
        let Some(name) = entry.tz_id() else {
            return Ok(self.floating);
        };
        match self.of_file.resolve(name) {
            Some(FoundZone::Tz(zone)) => Ok(zone),
            _ => Err(Reason::Zone(name.chars().take(60).collect())),
        }
    }
}

impl Moment {
    /// A time as it is written, in this zone where it does not say its own.
    pub(crate) fn of(value: &PartialDateTime, zone: Tz) -> Result<Self, Reason> {
        let found = value.to_date_time().ok_or(Reason::Time)?;
        let moment = match found.offset {
            Some(offset) => Self {
                local: found
                    .date_time
                    .checked_sub_offset(offset)
                    .ok_or(Reason::Time)?,
                zone: Tz::UTC,
                is_date: false,
            },
            None => Self {
                local: found.date_time,
                zone,
                is_date: !value.has_time(),
            },
        };
        Ok(moment)
    }

    /// The local time of the same instant in another zone; a date is the same date everywhere.
    pub(crate) fn local_in(self, zone: Tz) -> NaiveDateTime {
        if self.is_date || self.zone == zone {
            return self.local;
        }
        let utc = instant(self.local, self.zone).to_utc();
        utc.with_timezone(&zone).naive_local()
    }
}

/// The instant at which the clocks of a zone show a time. Of one that they show twice, the first;
/// one that they skip is read as if they had not been changed yet (RFC 5545, 3.3.5).
pub(crate) fn instant(local: NaiveDateTime, zone: Tz) -> Instant {
    if let Some(found) = zone.from_local_datetime(&local).earliest() {
        return Instant::from_utc(found.to_utc());
    }
    // No zone skips more than a day.
    let before = local
        .checked_sub_signed(TimeDelta::days(2))
        .and_then(|before| zone.from_local_datetime(&before).latest());
    let utc = before.map_or(local, |before| {
        local
            .checked_sub_offset(before.offset().fix())
            .unwrap_or(local)
    });
    Instant::from_utc(utc.and_utc())
}

/// The first time of a local date.
pub(crate) fn midnight(date: chrono::NaiveDate) -> NaiveDateTime {
    date.and_time(NaiveTime::MIN)
}
