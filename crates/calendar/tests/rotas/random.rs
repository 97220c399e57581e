//! Random rotas around changes of clocks, with overrides and absences.

use std::collections::BTreeMap;

use model::Instant;
use model::absence::Absences;
use model::id::PersonId;
use model::rota::Rota;
use proptest::prelude::*;
use serde_json::{Value as Json, json};

use crate::{DAY, MINUTE};

const ZONES: [&str; 8] = [
    "UTC",
    "Europe/Brussels",
    "America/New_York",
    "Australia/Lord_Howe",
    "Pacific/Apia",
    "America/Sao_Paulo",
    "Asia/Gaza",
    "Asia/Kathmandu",
];
const PEOPLE: [&str; 5] = ["ada", "carla", "dirk", "emma", "finn"];
/// Instants at which a clock changes in one of [`ZONES`].
const CHANGES: [&str; 7] = [
    "2026-03-29T01:00:00Z",
    "2026-10-25T01:00:00Z",
    "2026-03-08T07:00:00Z",
    "2011-12-30T10:00:00Z",
    "2026-04-04T15:00:00Z",
    "2018-11-04T03:00:00Z",
    "2026-11-01T06:00:00Z",
];

/// A rota, absences, and a stretch of some days in which it is asked.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub(crate) rota: Rota,
    pub(crate) away: BTreeMap<PersonId, Absences>,
    pub(crate) from: i64,
    pub(crate) to: i64,
}

fn person() -> impl Strategy<Value = &'static str> {
    prop::sample::select(PEOPLE.to_vec())
}

fn text(at: i64) -> String {
    Instant::from_millis(at).to_string()
}

/// Minutes around an instant, on a coarse grid or a fine one.
fn around(middle: i64, days: i64) -> impl Strategy<Value = i64> {
    (-days * DAY..days * DAY, prop_oneof![Just(60), Just(1)])
        .prop_map(move |(by, grid)| (middle + by).div_euclid(grid * MINUTE) * grid * MINUTE)
}

fn hours() -> impl Strategy<Value = Json> {
    let interval = (0_u16..24, 0_u16..60, 0_u16..=24).prop_filter_map("of no length", |it| {
        let (from, minute, to) = it;
        let (from, to) = (format!("{from:02}:{minute:02}"), format!("{to:02}:00"));
        (from != to).then(|| format!("{from}-{to}"))
    });
    let days = prop::collection::vec((0_usize..7, interval), 0..6);
    days.prop_map(|days| {
        let names = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
        let mut hours = serde_json::Map::new();
        for (place, (day, interval)) in days.into_iter().enumerate() {
            let day = hours.entry(names[day]).or_insert_with(|| json!({}));
            day[format!("h{place}")] = json!(interval);
        }
        Json::Object(hours)
    })
}

/// Shifts of which no two begin at once.
fn shifts(middle: i64, most: usize) -> impl Strategy<Value = Json> {
    let shift = (around(middle, 4), 1..3 * 24 * 60_i64, person());
    prop::collection::vec(shift, 0..=most).prop_map(|shifts| {
        let mut by_begin = BTreeMap::new();
        for (from, minutes, person) in shifts {
            by_begin.insert(from, (from + minutes * MINUTE, person));
        }
        let each = by_begin
            .into_iter()
            .enumerate()
            .map(|(place, (from, (to, person)))| {
                let shift = json!({ "from": text(from), "to": text(to), "person": person });
                (format!("s{place}"), shift)
            });
        Json::Object(each.collect())
    })
}

fn layer(middle: i64) -> impl Strategy<Value = Json> {
    let people = prop::collection::vec(person(), 1..5);
    let turns = (
        people,
        around(middle, 20),
        1_u32..9,
        prop::option::of(around(middle, 3)),
    )
        .prop_map(|(people, start, days, end)| {
            let mut layer =
                json!({ "people": people, "start": text(start), "turn": format!("P{days}D") });
            if let Some(end) = end.filter(|end| *end > start) {
                layer["end"] = json!(text(end));
            }
            layer
        });
    let given = shifts(middle, 6)
        .prop_filter("no shifts", |shifts| {
            shifts.as_object().is_some_and(|it| !it.is_empty())
        })
        .prop_map(|shifts| json!({ "shifts": shifts }));
    (prop_oneof![3 => turns, 1 => given], hours()).prop_map(|(mut layer, hours)| {
        layer["hours"] = hours;
        layer
    })
}

fn absences(middle: i64) -> impl Strategy<Value = BTreeMap<PersonId, Absences>> {
    let period = (
        person(),
        around(middle, 3),
        1..40 * 60_i64,
        prop::option::of(person()),
    );
    prop::collection::vec(period, 0..5).prop_map(|periods| {
        let mut away: BTreeMap<PersonId, Absences> = BTreeMap::new();
        for (place, (person, from, minutes, substitute)) in periods.into_iter().enumerate() {
            let person = PersonId::new(person).expect("an id");
            let substitute = substitute.map(|id| PersonId::new(id).expect("an id"));
            let absence = model::absence::Absence {
                from: Instant::from_millis(from),
                to: Instant::from_millis(from + minutes * MINUTE),
                substitute: substitute.filter(|substitute| *substitute != person),
                reason: None,
            };
            let id = format!("p{place}").parse().expect("an id");
            away.entry(person).or_default().periods.insert(id, absence);
        }
        away
    })
}

pub(crate) fn asked() -> impl Strategy<Value = Asked> {
    let changes = CHANGES.map(|text| text.parse::<Instant>().expect("an instant").millis());
    let zone = prop::sample::select(ZONES.to_vec());
    (prop::sample::select(changes.to_vec()), zone).prop_flat_map(|(middle, zone)| {
        let layers = prop::collection::vec(layer(middle), 0..4);
        let stretch = (around(middle, 3), 1..5 * 24 * 60_i64);
        (layers, shifts(middle, 4), absences(middle), stretch).prop_map(
            move |(layers, overrides, away, (from, minutes))| {
                let layers: serde_json::Map<_, _> = layers
                    .into_iter()
                    .enumerate()
                    .map(|(place, layer)| (format!("l{place}"), layer))
                    .collect();
                let rota = json!({
                    "team": "network", "zone": zone, "layers": layers, "overrides": overrides,
                });
                let rota = Rota::read(rota.as_object().expect("a map")).expect("a rota");
                let to = from + minutes * MINUTE;
                Asked {
                    rota,
                    away,
                    from,
                    to,
                }
            },
        )
    })
}
