//! From the text of a file to what happens between two dates.

use std::collections::{BTreeMap, BTreeSet};

use calcard::icalendar::{
    ICalendar, ICalendarComponent, ICalendarComponentType, ICalendarDuration, ICalendarEntry,
    ICalendarParameterName, ICalendarPeriod, ICalendarProperty, ICalendarRecurrenceRule,
    ICalendarStatus, ICalendarValue,
};
use calcard::{Entry, Parser};
use chrono::{NaiveDateTime, TimeDelta};
use chrono_tz::Tz;
use model::Instant;
use model::definition::Date;
use thiserror::Error;

use crate::moment::{Moment, Zones, instant, midnight};
use crate::repeat::{self, LeftOut};

/// The longest file read.
pub const MAX_BYTES: usize = 4 << 20;
/// The most events in a file, each change of one repetition counted as one.
pub const MAX_EVENTS: usize = 20_000;
/// The most events in a file that repeat by a rule.
pub const MAX_REPEATING: usize = 500;
/// The most starts that a rule may give from its first one to the end of the window.
pub const MAX_STEPS: usize = 20_000;
/// The most events told.
pub const MAX_TOLD: usize = 50_000;
/// The most attendees told of one event.
pub const MAX_ATTENDEES: usize = 100;
/// The most that is kept of a text of the file.
pub const MAX_TEXT_CHARS: usize = 500;

/// The dates between which events are told: from the first, up to but not including the second,
/// by the clocks of each event's own zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// The first date told.
    pub from: Date,
    /// The first date no longer told.
    pub to: Date,
}

/// What a file says of a window of time.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct File {
    /// What happens, by its start; one that repeats is told once for each time.
    pub events: Vec<Event>,
    /// What could not be read, in the order of the file.
    pub skipped: Vec<Skipped>,
}

/// Something that happens once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// What the file calls the event, the same for all of its repetitions; empty where it does not say.
    pub uid: String,
    /// Its name; empty where it has none.
    pub summary: String,
    /// When.
    pub span: Span,
    /// Who takes part.
    pub attendees: Vec<Attendee>,
}

/// When an event happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Span {
    /// Whole days, wherever one is: from the first, up to but not including the second.
    Days(Date, Date),
    /// From an instant, up to but not including another; nothing lasts where they are the same.
    Time(Instant, Instant),
}

/// Someone who takes part in an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attendee {
    /// Their name, where the file says it.
    pub name: Option<String>,
    /// Their address, such as `mailto:ada@desk.example`.
    pub address: String,
}

/// An event that could not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Skipped {
    /// What the file calls it.
    pub uid: String,
    /// Its name.
    pub summary: String,
    /// Why.
    pub reason: Reason,
}

/// Why an event could not be read.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum Reason {
    /// It has no `DTSTART`.
    #[error("it does not say when it starts")]
    NoStart,
    /// A time of it does not exist.
    #[error("it has a time that does not exist")]
    Time,
    /// Its zone is not known by name, nor told by the file.
    #[error("its zone `{0}` is not known; an IANA zone, such as Europe/Brussels, is")]
    Zone(String),
    /// It ends before it starts.
    #[error("it ends before it starts")]
    Backwards,
    /// Its rule of repetition makes no sense.
    #[error("its rule of repetition is not understood")]
    Rule,
    /// It repeats too often to be told singly.
    #[error("it repeats more often than daily")]
    TooOften,
    /// Its rule gives too many starts.
    #[error("it repeats more than {MAX_STEPS} times before the end of the dates asked for")]
    TooManyTimes,
    /// It changes a repetition and all later ones.
    #[error(
        "it changes a repetition and all later ones, which is not read; end the one and begin another"
    )]
    ThisAndFuture,
}

/// Why a file could not be read.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum ReadError {
    /// It is too long.
    #[error("the file has {0} bytes; at most {MAX_BYTES} are read")]
    TooLong(usize),
    /// It holds no calendar.
    #[error("this is no iCalendar file: there is no BEGIN:VCALENDAR in it")]
    NoCalendar,
    /// It holds too many events.
    #[error("the file has more than {MAX_EVENTS} events")]
    TooManyEvents,
    /// It holds too many rules.
    #[error("the file has more than {MAX_REPEATING} events that repeat by a rule")]
    TooManyRepeating,
    /// Too much happens.
    #[error("the file tells of more than {MAX_TOLD} events between these dates; ask for fewer")]
    TooManyTold,
}

/// Reads a file. Times that name no zone are read on the clocks of `zone`.
///
/// An event that repeats lasts each time as long on the clock as it does the first time: a shift from
/// 18:00 to 08:00 ends at 08:00 also in the night in which the clocks are changed. One that is
/// cancelled is left out.
///
/// # Errors
/// Where the text is no calendar, or past the bounds of this module.
pub fn read(text: &str, window: Window, zone: Tz) -> Result<File, ReadError> {
    if text.len() > MAX_BYTES {
        return Err(ReadError::TooLong(text.len()));
    }
    let calendars = calendars(text);
    if calendars.is_empty() {
        return Err(ReadError::NoCalendar);
    }
    let count = |is: fn(&ICalendarComponent) -> bool| {
        let components = calendars.iter().flat_map(|calendar| &calendar.components);
        components
            .filter(|component| is_event(component) && is(component))
            .count()
    };
    if count(|_| true) > MAX_EVENTS {
        return Err(ReadError::TooManyEvents);
    }
    if count(|event| event.property(&ICalendarProperty::Rrule).is_some()) > MAX_REPEATING {
        return Err(ReadError::TooManyRepeating);
    }
    let mut file = File::default();
    for calendar in &calendars {
        let reading = Reading {
            zones: Zones {
                of_file: calendar.build_tz_resolver(),
                floating: zone,
            },
            window,
        };
        reading.read(calendar, &mut file)?;
    }
    file.events
        .sort_by(|one, other| (one.span, &one.uid).cmp(&(other.span, &other.uid)));
    Ok(file)
}

/// All calendars of a text; whatever stands between them is passed over.
fn calendars(text: &str) -> Vec<ICalendar> {
    let mut parser = Parser::new(text);
    let mut found = Vec::new();
    loop {
        match parser.entry() {
            Entry::ICalendar(calendar) => found.push(calendar),
            Entry::Eof => return found,
            _ => {}
        }
    }
}

fn is_event(component: &ICalendarComponent) -> bool {
    component.component_type == ICalendarComponentType::VEvent
}

struct Reading<'a> {
    zones: Zones<'a>,
    window: Window,
}

/// One `VEVENT` as it stands.
struct Written<'a> {
    component: &'a ICalendarComponent,
    uid: &'a str,
    start: Moment,
    /// How long on the clock.
    lasts: TimeDelta,
    rule: Option<&'a ICalendarRecurrenceRule>,
    /// Of a change to one repetition: which.
    changes: Option<Moment>,
    is_cancelled: bool,
}

impl Reading<'_> {
    fn read(&self, calendar: &ICalendar, file: &mut File) -> Result<(), ReadError> {
        let mut events = Vec::new();
        let mut changes: BTreeMap<&str, Vec<Moment>> = BTreeMap::new();
        for component in calendar.components.iter().filter(|one| is_event(one)) {
            match self.written(component) {
                Ok(event) => {
                    if let Some(changed) = event.changes {
                        changes.entry(event.uid).or_default().push(changed);
                    }
                    events.push(event);
                }
                Err(reason) => file.skipped.push(skipped(component, reason)),
            }
        }
        for event in events.iter().filter(|event| !event.is_cancelled) {
            let changed = changes.get(event.uid).map_or(&[][..], Vec::as_slice);
            match self.tell(event, changed) {
                Ok(told) => file.events.extend(told),
                Err(reason) => file.skipped.push(skipped(event.component, reason)),
            }
            if file.events.len() > MAX_TOLD {
                return Err(ReadError::TooManyTold);
            }
        }
        Ok(())
    }

    fn written<'a>(&self, component: &'a ICalendarComponent) -> Result<Written<'a>, Reason> {
        let first = |property| component.property(&property);
        let moment = |property| match first(property) {
            Some(entry) => self.zones.first(entry),
            None => Ok(None),
        };
        let changes = moment(ICalendarProperty::RecurrenceId)?;
        if first(ICalendarProperty::RecurrenceId).is_some_and(is_range) {
            return Err(Reason::ThisAndFuture);
        }
        let start = moment(ICalendarProperty::Dtstart)?.ok_or(Reason::NoStart)?;
        let lasts = match moment(ICalendarProperty::Dtend)? {
            Some(end) => Some(end.local_in(start.zone) - start.local),
            None => first(ICalendarProperty::Duration).and_then(duration),
        };
        let lasts = match lasts {
            None if start.is_date => TimeDelta::days(1),
            None => TimeDelta::zero(),
            // Some tools write the last day itself as the end.
            Some(lasts) if start.is_date => lasts.max(TimeDelta::days(1)),
            Some(lasts) => lasts,
        };
        if lasts < TimeDelta::zero() {
            return Err(Reason::Backwards);
        }
        let rule = match first(ICalendarProperty::Rrule).map(|entry| entry.values.first()) {
            None => None,
            Some(Some(ICalendarValue::RecurrenceRule(rule))) => Some(&**rule),
            Some(_) => return Err(Reason::Rule),
        };
        let status = first(ICalendarProperty::Status).and_then(|entry| entry.values.first());
        Ok(Written {
            component,
            uid: text(component, &ICalendarProperty::Uid),
            start,
            lasts,
            rule: rule.filter(|_| changes.is_none()),
            changes,
            is_cancelled: status == Some(&ICalendarValue::Status(ICalendarStatus::Cancelled)),
        })
    }

    /// Each time that an event happens within the window. What is changed is told by its change.
    fn tell(&self, event: &Written<'_>, changed: &[Moment]) -> Result<Vec<Event>, Reason> {
        let end = midnight(self.window.to.naive());
        let mut starts = BTreeSet::new();
        match event.rule {
            Some(rule) => starts.extend(repeat::starts(rule, event.start, end)?),
            None => {
                starts.insert(event.start.local);
            }
        }
        let mut lengths = BTreeMap::new();
        let mut left_out = LeftOut::default();
        if event.changes.is_none() {
            for (start, lasts) in self.added(event)? {
                starts.insert(start);
                lengths.insert(start, lasts);
            }
            for entry in event.component.properties(&ICalendarProperty::Exdate) {
                for value in &entry.values {
                    if let ICalendarValue::PartialDateTime(value) = value {
                        left_out.leave_out(self.zones.moment(entry, value)?, event.start);
                    }
                }
            }
            for moment in changed {
                left_out.leave_out(*moment, event.start);
            }
        }
        let (summary, attendees) = (summary(event.component), attendees(event.component));
        let told = starts
            .into_iter()
            .filter(|start| !left_out.contains(*start));
        let told = told.filter_map(|start| {
            let lasts = lengths.get(&start).copied().unwrap_or(event.lasts);
            Some(Event {
                uid: shortened(event.uid),
                summary: summary.clone(),
                span: self.span(event.start, start, lasts)?,
                attendees: attendees.clone(),
            })
        });
        Ok(told.take(MAX_TOLD + 1).collect())
    }

    /// The starts that `RDATE` adds, each with how long it lasts.
    fn added(&self, event: &Written<'_>) -> Result<Vec<(NaiveDateTime, TimeDelta)>, Reason> {
        let zone = event.start.zone;
        let mut added = Vec::new();
        for entry in event.component.properties(&ICalendarProperty::Rdate) {
            for value in &entry.values {
                let (start, lasts) = match value {
                    ICalendarValue::PartialDateTime(start) => {
                        (self.zones.moment(entry, start)?, event.lasts)
                    }
                    ICalendarValue::Period(ICalendarPeriod::Range { start, end }) => {
                        let start = self.zones.moment(entry, start)?;
                        let end = self.zones.moment(entry, end)?;
                        (start, end.local_in(start.zone) - start.local)
                    }
                    ICalendarValue::Period(ICalendarPeriod::Duration { start, duration }) => {
                        let lasts = length(duration).ok_or(Reason::Time)?;
                        (self.zones.moment(entry, start)?, lasts)
                    }
                    _ => return Err(Reason::Time),
                };
                if lasts < TimeDelta::zero() {
                    return Err(Reason::Backwards);
                }
                added.push((start.local_in(zone), lasts));
            }
        }
        Ok(added)
    }

    /// When one repetition happens; none outside the window.
    fn span(&self, first: Moment, start: NaiveDateTime, lasts: TimeDelta) -> Option<Span> {
        let end = start.checked_add_signed(lasts)?;
        let (from, to) = (
            midnight(self.window.from.naive()),
            midnight(self.window.to.naive()),
        );
        if start >= to || end < from || (end == from && start < from) {
            return None;
        }
        if first.is_date {
            return Some(Span::Days(
                Date::from_naive(start.date())?,
                Date::from_naive(end.date())?,
            ));
        }
        let (from, to) = (instant(start, first.zone), instant(end, first.zone));
        Some(Span::Time(from, to.max(from)))
    }
}

/// Whether a change says that it is one to all later repetitions too.
fn is_range(entry: &ICalendarEntry) -> bool {
    entry
        .parameters(&ICalendarParameterName::Range)
        .next()
        .is_some()
}

fn duration(entry: &ICalendarEntry) -> Option<TimeDelta> {
    match entry.values.first() {
        Some(ICalendarValue::Duration(duration)) => length(duration),
        _ => None,
    }
}

fn length(duration: &ICalendarDuration) -> Option<TimeDelta> {
    let hours = i64::from(duration.weeks) * 168 + i64::from(duration.days) * 24;
    let minutes = (hours + i64::from(duration.hours)) * 60 + i64::from(duration.minutes);
    let seconds = minutes * 60 + i64::from(duration.seconds);
    TimeDelta::try_seconds(if duration.neg { -seconds } else { seconds })
}

fn text<'a>(component: &'a ICalendarComponent, property: &ICalendarProperty) -> &'a str {
    let value = component
        .property(property)
        .and_then(|entry| entry.values.first());
    value.and_then(ICalendarValue::as_text).unwrap_or_default()
}

fn shortened(text: &str) -> String {
    text.trim().chars().take(MAX_TEXT_CHARS).collect()
}

fn summary(component: &ICalendarComponent) -> String {
    shortened(text(component, &ICalendarProperty::Summary))
}

fn attendees(component: &ICalendarComponent) -> Vec<Attendee> {
    let entries = component.properties(&ICalendarProperty::Attendee);
    let attendees = entries.filter_map(|entry| {
        let name = entry
            .parameters(&ICalendarParameterName::Cn)
            .find_map(|value| value.as_text());
        Some(Attendee {
            name: name.map(shortened),
            address: shortened(entry.values.first()?.as_text()?),
        })
    });
    attendees.take(MAX_ATTENDEES).collect()
}

fn skipped(component: &ICalendarComponent, reason: Reason) -> Skipped {
    Skipped {
        uid: shortened(text(component, &ICalendarProperty::Uid)),
        summary: summary(component),
        reason,
    }
}
