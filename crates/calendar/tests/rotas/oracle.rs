//! A slow rota to compare with: it looks at the clock on the wall, a minute at a time.

use std::collections::BTreeMap;

use chrono::{DateTime, Datelike as _, NaiveDateTime, TimeDelta, TimeZone as _, Timelike as _};
use chrono_tz::Tz;
use model::absence::Absences;
use model::definition::{Hours, Weekday};
use model::id::PersonId;
use model::rota::{Layer, Rota, Shift};

use crate::MINUTE;

type Away = BTreeMap<PersonId, Absences>;

/// Who is on call at each minute of a stretch, and instead of whom, as the guide says it.
pub(crate) fn minutes(rota: &Rota, away: &Away, from: i64, to: i64) -> Vec<Option<String>> {
    let zone: Tz = rota.zone.parse().expect("a zone");
    let mut turns: Vec<Walk<'_>> = rota.layers.values().map(Walk::of).collect();
    let first = turns.iter().filter_map(Walk::start).chain([from]).min();
    let mut at = first.unwrap_or(from);
    let mut found = Vec::new();
    while at < to {
        let utc = DateTime::from_timestamp_millis(at).expect("an instant");
        let local = zone.from_utc_datetime(&utc.naive_utc()).naive_local();
        for walk in &mut turns {
            walk.go_on(at, local);
        }
        if at >= from {
            found.push(on_call(rota, &turns, away, at, local));
        }
        at += MINUTE;
    }
    found
}

fn on_call(
    rota: &Rota,
    turns: &[Walk<'_>],
    away: &Away,
    at: i64,
    local: NaiveDateTime,
) -> Option<String> {
    let overriding = shift_at(rota.overrides.values(), at);
    if let Some(found) = overriding.and_then(|person| there(std::slice::from_ref(person), away, at))
    {
        return Some(found);
    }
    let layers = rota.layers.values().zip(turns).rev();
    for (layer, walk) in layers {
        if !layer.hours.is_empty() && !is_open(layer, local) {
            continue;
        }
        let in_turn = match shift_at(layer.shifts.values(), at) {
            Some(person) => vec![person.clone()],
            None => walk.in_turn(at),
        };
        if let Some(found) = there(&in_turn, away, at) {
            return Some(found);
        }
    }
    None
}

/// The shifts of the tests never begin at the same instant.
fn shift_at<'a>(shifts: impl Iterator<Item = &'a Shift>, at: i64) -> Option<&'a PersonId> {
    let running = shifts.filter(|shift| shift.from.millis() <= at && at < shift.to.millis());
    let last = running.max_by_key(|shift| shift.from);
    last.map(|shift| &shift.person)
}

/// The first who is there or has a substitute who is.
fn there(in_turn: &[PersonId], away: &Away, at: i64) -> Option<String> {
    let at = model::Instant::from_millis(at);
    let is_away = |person: &PersonId| away.get(person).and_then(|absences| absences.at(at));
    for person in in_turn {
        let who = match is_away(person) {
            None => person,
            Some(absence) => match &absence.substitute {
                Some(substitute) if is_away(substitute).is_none() => substitute,
                _ => continue,
            },
        };
        if *who == in_turn[0] {
            return Some(who.to_string());
        }
        return Some(format!("{who} for {}", in_turn[0]));
    }
    None
}

fn is_open(layer: &Layer, local: NaiveDateTime) -> bool {
    let minute = u16::try_from(local.hour() * 60 + local.minute()).expect("below 1440");
    let of = |days_ago: u32| -> Vec<Hours> {
        let number = (local.weekday().num_days_from_monday() + 7 - days_ago) % 7;
        let weekday = Weekday::ALL[usize::try_from(number).expect("a weekday")];
        let hours = layer.hours.get(&weekday);
        hours
            .into_iter()
            .flat_map(|hours| hours.values().copied())
            .collect()
    };
    let today = of(0)
        .into_iter()
        .any(|hours| hours.from() <= minute && (hours.closes_next_day() || minute < hours.to()));
    let since_yesterday = |hours: Hours| hours.closes_next_day() && minute < hours.to();
    today || of(1).into_iter().any(since_yesterday)
}

/// Turns counted by walking along: a turn is over once the clock on the wall has shown its end.
struct Walk<'a> {
    layer: &'a Layer,
    first: Option<NaiveDateTime>,
    shown: Option<NaiveDateTime>,
}

impl<'a> Walk<'a> {
    fn of(layer: &'a Layer) -> Self {
        Self {
            layer,
            first: None,
            shown: None,
        }
    }

    fn start(&self) -> Option<i64> {
        self.layer.start.map(model::Instant::millis)
    }

    fn go_on(&mut self, at: i64, local: NaiveDateTime) {
        if self.start().is_none_or(|start| at < start) {
            return;
        }
        self.first.get_or_insert(local);
        self.shown = Some(self.shown.map_or(local, |shown| shown.max(local)));
    }

    fn in_turn(&self, at: i64) -> Vec<PersonId> {
        let (Some(first), Some(shown)) = (self.first, self.shown) else {
            return Vec::new();
        };
        if self.layer.end.is_some_and(|end| at >= end.millis()) {
            return Vec::new();
        }
        let days = i64::from(self.layer.turn.expect("a turn").days);
        let mut over = 0;
        while first + TimeDelta::days(days * (over + 1)) <= shown {
            over += 1;
        }
        let people = &self.layer.people;
        let place = usize::try_from(over).expect("small") % people.len();
        people[place..]
            .iter()
            .chain(&people[..place])
            .cloned()
            .collect()
    }
}
