//! Who is to be on call: a rota in each of the three zones, and a second line for all of them. Turns
//! change in the hour that clocks skip or show twice; people swap, and are away.

use std::collections::BTreeMap;

use chrono_tz::Tz;
use model::{Duration, Instant};
use serde_json::{Map, Value as Json, json};

use super::on_call::HandOvers;
use crate::chance::Chance;
use crate::desk::Desk;
use crate::minutes::Hours;

const MINUTE: i64 = 60_000;
const DAY: i64 = 1_440 * MINUTE;
/// For how long ahead people say when they swap.
pub(crate) const ANNOUNCED: Duration = Duration::from_secs(28 * 86_400);
const WEEKDAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

/// Everything that says who is on call; people by their numbers.
pub(crate) struct Rotas {
    pub(crate) rotas: Vec<Rota>,
    pub(crate) absences: BTreeMap<usize, Vec<Absence>>,
}

pub(crate) struct Rota {
    pub(crate) id: &'static str,
    /// The team that goes by it.
    pub(crate) team: &'static str,
    pub(crate) zone: Tz,
    /// A later one lies over those before it.
    pub(crate) layers: Vec<Layer>,
    pub(crate) overrides: Vec<Shift>,
}

pub(crate) struct Layer {
    id: &'static str,
    /// Those of a week; all of them without.
    pub(crate) hours: Option<Hours>,
    pub(crate) plan: Plan,
}

pub(crate) enum Plan {
    Turns(Turns),
    Shifts(Vec<Shift>),
}

pub(crate) struct Turns {
    pub(crate) people: Vec<usize>,
    pub(crate) start: Instant,
    pub(crate) days: i64,
    pub(crate) end: Option<Instant>,
    pub(crate) hand_overs: HandOvers,
}

#[derive(Clone)]
pub(crate) struct Shift {
    pub(crate) id: String,
    pub(crate) from: Instant,
    pub(crate) to: Instant,
    pub(crate) person: usize,
}

pub(crate) struct Absence {
    pub(crate) from: Instant,
    pub(crate) to: Instant,
    pub(crate) substitute: Option<usize>,
}

impl Rotas {
    /// Those of the time between two instants.
    pub(crate) fn new(from: Instant, to: Instant) -> Self {
        let mut chance = Chance(0x0ca11);
        let mut rotas = [brussels(to), new_york(to), sydney(to), second(from, to)];
        let mut absences = BTreeMap::new();
        for rota in &mut rotas {
            let people = rota.people();
            rota.overrides = overrides(&mut chance, from, to, &people);
            for person in people.iter().skip(1) {
                let away = absences_of(&mut chance, from, to, *person, &people);
                absences.insert(*person, away);
            }
        }
        Self {
            rotas: rotas.into(),
            absences,
        }
    }

    /// Puts the rotas into the directory as they are known at an instant, with the overrides of the
    /// weeks to come.
    pub(crate) async fn announce(&self, desk: &Desk, now: Instant) {
        let soon = now.saturating_add(ANNOUNCED);
        for rota in &self.rotas {
            desk.put("rota", rota.id, rota.thing(now, soon)).await;
        }
    }

    /// Puts into the directory when people are away.
    pub(crate) async fn put_absences(&self, desk: &Desk) {
        for (person, absences) in &self.absences {
            let periods = absences.iter().zip(1..).map(|(absence, number)| {
                let substitute = absence.substitute.map(name);
                let mut period = json!({ "from": absence.from, "to": absence.to });
                if let Some(substitute) = substitute {
                    period["substitute"] = json!(substitute);
                }
                (format!("absence-{number}"), period)
            });
            let periods: Map<String, Json> = periods.collect();
            let thing = json!({ "periods": periods });
            desk.put("absence", &name(*person), thing).await;
        }
    }
}

impl Rota {
    /// Everyone who takes turns or has shifts.
    fn people(&self) -> Vec<usize> {
        let mut people: Vec<usize> = Vec::new();
        for layer in &self.layers {
            match &layer.plan {
                Plan::Turns(turns) => people.extend(&turns.people),
                Plan::Shifts(shifts) => people.extend(shifts.iter().map(|shift| shift.person)),
            }
        }
        people.sort_unstable();
        people.dedup();
        people
    }

    fn thing(&self, now: Instant, soon: Instant) -> Json {
        let layers = self.layers.iter().map(|layer| {
            let mut thing = match &layer.plan {
                Plan::Turns(turns) => turns.thing(),
                Plan::Shifts(shifts) => json!({ "shifts": shifts_thing(shifts.iter()) }),
            };
            if let Some(hours) = &layer.hours {
                thing["hours"] = hours_thing(hours);
            }
            (layer.id.to_owned(), thing)
        });
        let layers: Map<String, Json> = layers.collect();
        let overrides = self.overrides.iter();
        let overrides = overrides.filter(|shift| shift.from < soon && now < shift.to);
        json!({
            "team": self.team,
            "zone": self.zone.name(),
            "layers": layers,
            "overrides": shifts_thing(overrides),
        })
    }
}

impl Turns {
    fn thing(&self) -> Json {
        let people: Vec<String> = self.people.iter().copied().map(name).collect();
        let mut thing = json!({
            "people": people,
            "start": self.start,
            "turn": format!("P{}D", self.days),
        });
        if let Some(end) = self.end {
            thing["end"] = json!(end);
        }
        thing
    }
}

pub(crate) fn name(person: usize) -> String {
    format!("person-{person}")
}

fn shifts_thing<'a>(shifts: impl Iterator<Item = &'a Shift>) -> Json {
    let each = shifts.map(|shift| {
        let thing = json!({ "from": shift.from, "to": shift.to, "person": name(shift.person) });
        (shift.id.clone(), thing)
    });
    Json::Object(each.collect())
}

fn hours_thing(hours: &Hours) -> Json {
    let clock = |minute: &u32| format!("{:02}:{:02}", minute / 60, minute % 60);
    let week = WEEKDAYS.iter().zip(hours.week).map(|(day, intervals)| {
        let each = intervals.iter().zip(1..).map(|((from, to), number)| {
            let text = format!("{}-{}", clock(from), clock(to));
            (format!("part-{number}"), json!(text))
        });
        ((*day).to_owned(), Json::Object(each.collect()))
    });
    let open = week.filter(|(_, intervals)| intervals.as_object().is_some_and(|it| !it.is_empty()));
    Json::Object(open.collect())
}

/// Weeks that change in the night in which clocks do, and nights of one day each over them.
fn brussels(to: Instant) -> Rota {
    const NIGHT: &[(u32, u32)] = &[(1080, 480)];
    let zone = chrono_tz::Europe::Brussels;
    let weeks = turns(zone, "2025-12-07T02:30:00+01:00", 7, &[3, 6, 9, 12], to);
    let nights = turns(zone, "2025-12-07T18:00:00+01:00", 1, &[9, 15, 12, 15], to);
    let layers = [("weeks", None, weeks), ("nights", Some([NIGHT; 7]), nights)];
    rota("brussels", "brussels", zone, layers)
}

/// Days that change at half past one, which clocks show twice in autumn, weekends over them, and
/// nobody in the evenings of Sundays.
fn new_york(to: Instant) -> Rota {
    const DAY: &[(u32, u32)] = &[(0, 1440)];
    const SUNDAY: &[(u32, u32)] = &[(0, 1020)];
    const WEEKEND: &[(u32, u32)] = &[(120, 720)];
    let zone = chrono_tz::America::New_York;
    let days = turns(
        zone,
        "2025-12-01T01:30:00-05:00",
        1,
        &[4, 7, 10, 13, 16],
        to,
    );
    let weekends = turns(zone, "2025-12-07T02:30:00-05:00", 7, &[16, 19], to);
    let layers = [
        ("days", Some([DAY, DAY, DAY, DAY, DAY, DAY, SUNDAY]), days),
        (
            "weekends",
            Some([&[], &[], &[], &[], &[], WEEKEND, WEEKEND]),
            weekends,
        ),
    ];
    rota("new-york-desk", "new-york", zone, layers)
}

/// Days that change at half past two, and a summer in which two others have the weeks.
fn sydney(to: Instant) -> Rota {
    let zone = chrono_tz::Australia::Sydney;
    let days = turns(zone, "2025-12-01T02:30:00+11:00", 1, &[5, 8, 11, 14, 8], to);
    let mut summer = turns(zone, "2026-01-05T09:00:00+11:00", 7, &[17, 20], to);
    summer.end = Some("2026-03-20T03:15:00Z".parse().expect("a time"));
    let layers = [("days", None, days), ("summer", None, summer)];
    rota("sydney", "sydney", zone, layers)
}

/// Three days each, and on Wednesdays somebody for half a day, one by one.
fn second(from: Instant, to: Instant) -> Rota {
    let zone = chrono_tz::America::New_York;
    let turns = turns(zone, "2025-12-01T02:30:00-05:00", 3, &[18, 22, 23, 24], to);
    let mut rota = rota("second", "board", zone, [("turns", None, turns)]);
    let wednesday: Instant = "2025-12-24T06:00:00Z".parse().expect("a time");
    let weeks = (0..).map(|week| later(wednesday, week * 7 * DAY));
    let weeks = weeks.skip_while(|at| *at < from).take_while(|at| *at < to);
    let shifts = weeks.zip(1..).map(|(at, number)| Shift {
        id: format!("wednesday-{number}"),
        from: at,
        to: later(at, DAY / 2),
        person: if number % 2 == 0 { 25 } else { 26 },
    });
    rota.layers.push(Layer {
        id: "wednesdays",
        hours: None,
        plan: Plan::Shifts(shifts.collect()),
    });
    rota
}

type Week = [&'static [(u32, u32)]; 7];

fn rota<const N: usize>(
    id: &'static str,
    team: &'static str,
    zone: Tz,
    layers: [(&'static str, Option<Week>, Turns); N],
) -> Rota {
    let layers = layers.into_iter().map(|(id, week, turns)| Layer {
        id,
        hours: week.map(|week| Hours {
            zone,
            week,
            holidays: &[],
        }),
        plan: Plan::Turns(turns),
    });
    Rota {
        id,
        team,
        zone,
        layers: layers.collect(),
        overrides: Vec::new(),
    }
}

fn turns(zone: Tz, start: &str, days: i64, people: &[usize], to: Instant) -> Turns {
    let start = start.parse().expect("a time");
    Turns {
        people: people.into(),
        start,
        days,
        end: None,
        hand_overs: HandOvers::counted(zone, start, days, to),
    }
}

/// Somebody steps in every nine days or so, at times two at once: whoever came last counts.
fn overrides(chance: &mut Chance, from: Instant, to: Instant, people: &[usize]) -> Vec<Shift> {
    let mut shifts = Vec::new();
    let mut at = later(from, minutes(chance, 100..2_000));
    while at < to {
        let one = Shift {
            id: format!("swap-{}", shifts.len()),
            from: at,
            to: later(at, minutes(chance, 60..2_400)),
            person: people[chance.below(people.len())],
        };
        if chance.below(3) == 0 {
            shifts.push(Shift {
                id: format!("within-{}", shifts.len()),
                from: later(at, minutes(chance, 0..2) * 30),
                to: later(at, minutes(chance, 60..1_200)),
                person: people[chance.below(people.len())],
            });
        }
        shifts.push(one);
        at = later(at, minutes(chance, 10_000..16_000));
    }
    shifts
}

/// Somebody is away for days or weeks some four times a year; half of the time somebody stands in.
fn absences_of(
    chance: &mut Chance,
    from: Instant,
    to: Instant,
    person: usize,
    people: &[usize],
) -> Vec<Absence> {
    let mut absences = Vec::new();
    let mut at = later(from, minutes(chance, 1_000..90_000));
    while at < to {
        let substitute = people[chance.below(people.len())];
        let stands_in = substitute != person && chance.below(2) == 0;
        absences.push(Absence {
            from: at,
            to: later(at, minutes(chance, 2_000..25_000)),
            substitute: stands_in.then_some(substitute),
        });
        at = later(at, minutes(chance, 80_000..160_000));
    }
    absences
}

fn minutes(chance: &mut Chance, range: std::ops::Range<usize>) -> i64 {
    let count = range.start + chance.below(range.len());
    i64::try_from(count).expect("few") * MINUTE
}

fn later(at: Instant, millis: i64) -> Instant {
    Instant::from_millis(at.millis() + millis)
}
