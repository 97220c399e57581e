//! Rotas as people write them.

use std::fmt::Write as _;

use model::Instant;
use model::id::PersonId;
use serde_json::{Value as Json, json};
use servicewright_calendar::rota::{Away, Rota, Source};

fn instant(text: &str) -> Instant {
    text.parse().expect("an instant")
}

fn read(rota: &Json) -> model::rota::Rota {
    model::rota::Rota::read(rota.as_object().expect("a map")).expect("a rota")
}

/// The schedule of a rota as lines.
fn lines(rota: &Json, away: &Json, from: &str, to: &str) -> String {
    let rota = Rota::compile(&read(rota)).expect("within bounds");
    let away: Away = serde_json::from_value(away.clone()).expect("absences");
    let mut lines = String::new();
    for span in rota.schedule(instant(from), instant(to), &away) {
        let who = span.on_call.map_or_else(
            || "nobody".to_owned(),
            |on_call| {
                let instead = on_call.instead_of;
                let instead = instead.map_or_else(String::new, |turn| format!(" for {turn}"));
                let by = match on_call.by {
                    Source::Layer(layer) => layer.to_string(),
                    Source::Override(id) => format!("override {id}"),
                };
                format!("{}{instead} ({by})", on_call.person)
            },
        );
        let from = span.from.to_seconds_text();
        writeln!(lines, "{from} {who}").expect("a text takes any");
    }
    lines
}

/// Days and nights: whoever has the week has its days, and two others take turns at night.
fn days_and_nights() -> Json {
    let night = json!({ "night": "18:00-08:00" });
    let each = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"].map(|day| (day, night.clone()));
    let nights: serde_json::Map<_, _> = each
        .into_iter()
        .map(|(day, it)| (day.to_owned(), it))
        .collect();
    json!({
        "team": "network",
        "zone": "Europe/Brussels",
        "layers": {
            "days": { "people": ["ada", "carla"], "start": "2026-03-23T08:00:00+01:00", "turn": "P1W" },
            "nights": {
                "people": ["dirk", "emma"], "start": "2026-03-23T18:00:00+01:00", "turn": "P1D",
                "hours": nights,
            },
        },
    })
}

#[test]
fn nights_lie_over_days_and_begin_at_six_whatever_the_clocks_do() {
    let found = lines(
        &days_and_nights(),
        &json!({}),
        "2026-03-28T12:00:00Z",
        "2026-03-30T20:00:00Z",
    );
    // The clocks go forward on the 29th: six in the evening is five o'clock in UTC before, four after.
    let expected = "\
2026-03-28T12:00:00Z ada (days)
2026-03-28T17:00:00Z emma (nights)
2026-03-29T06:00:00Z ada (days)
2026-03-29T16:00:00Z dirk (nights)
2026-03-30T06:00:00Z carla (days)
2026-03-30T16:00:00Z emma (nights)
";
    assert_eq!(found, expected);
}

#[test]
fn who_is_away_is_stood_in_for_by_a_substitute_or_by_the_next_in_turn() {
    let mut rota = days_and_nights();
    rota["overrides"] = json!({
        "swap": { "from": "2026-03-28T20:00:00Z", "to": "2026-03-28T22:00:00Z", "person": "finn" },
    });
    let away = json!({
        "ada": { "periods": { "holiday": {
            "from": "2026-03-28T00:00:00Z", "to": "2026-03-29T12:00:00Z", "substitute": "gina" } } },
        "emma": { "periods": { "course": {
            "from": "2026-03-28T17:00:00Z", "to": "2026-03-29T06:00:00Z" } } },
        "finn": { "periods": { "ill": {
            "from": "2026-03-28T21:00:00Z", "to": "2026-03-29T06:00:00Z" } } },
    });
    let found = lines(&rota, &away, "2026-03-28T12:00:00Z", "2026-03-29T14:00:00Z");
    let expected = "\
2026-03-28T12:00:00Z gina for ada (days)
2026-03-28T17:00:00Z dirk for emma (nights)
2026-03-28T20:00:00Z finn (override swap)
2026-03-28T21:00:00Z dirk for emma (nights)
2026-03-29T06:00:00Z gina for ada (days)
2026-03-29T12:00:00Z ada (days)
";
    assert_eq!(found, expected);
}

#[test]
fn where_no_layer_has_anybody_there_is_a_gap() {
    let rota = json!({
        "team": "network", "zone": "UTC",
        "layers": { "mornings": {
            "people": ["ada"], "start": "2026-01-05T00:00:00Z", "turn": "P1D",
            "hours": { "mon": { "am": "08:00-12:00" } }, "end": "2026-01-12T09:00:00Z",
        } },
    });
    let found = lines(
        &rota,
        &json!({}),
        "2026-01-05T00:00:00Z",
        "2026-01-20T00:00:00Z",
    );
    let expected = "\
2026-01-05T00:00:00Z nobody
2026-01-05T08:00:00Z ada (mornings)
2026-01-05T12:00:00Z nobody
2026-01-12T08:00:00Z ada (mornings)
2026-01-12T09:00:00Z nobody
";
    assert_eq!(found, expected);
}

#[test]
fn where_everyone_of_a_layer_is_away_the_layer_below_has_the_call() {
    let away = json!({
        "dirk": { "periods": { "a": { "from": "2026-03-28T00:00:00Z", "to": "2026-03-30T00:00:00Z" } } },
        "emma": { "periods": { "a": {
            "from": "2026-03-28T00:00:00Z", "to": "2026-03-30T00:00:00Z", "substitute": "dirk" } } },
    });
    let rota = Rota::compile(&read(&days_and_nights())).expect("within bounds");
    let away: Away = serde_json::from_value(away).expect("absences");
    let found = rota
        .at(instant("2026-03-28T20:00:00Z"), &away)
        .expect("somebody");
    assert_eq!(found.person, PersonId::new("ada").expect("an id"));
}

#[test]
fn what_cannot_be_used_is_refused_with_where_and_what_would_be_right() {
    let turns = |more: Json| {
        let mut layer =
            json!({ "people": ["ada"], "start": "2026-01-05T09:00:00Z", "turn": "P7D" });
        for (key, value) in more.as_object().expect("a map") {
            layer[key] = value.clone();
        }
        json!({ "team": "network", "zone": "UTC", "layers": { "days": layer } })
    };
    let backwards =
        json!({ "from": "2026-01-06T00:00:00Z", "to": "2026-01-05T00:00:00Z", "person": "ada" });
    let many: Vec<String> = (0..201).map(|number| format!("p{number}")).collect();
    let mut brussels = turns(json!({}));
    brussels["zone"] = json!("brussels");
    let mut overridden = turns(json!({}));
    overridden["overrides"] = json!({ "swap": backwards });
    for (rota, message) in [
        (
            brussels,
            "at `/zone`: `brussels` is not an IANA time zone, such as Europe/Brussels",
        ),
        (
            turns(json!({ "turn": "PT12H" })),
            "at `/layers/days/turn`: a turn is a number of days from P1D to P366D, such as P7D or P1W",
        ),
        (
            turns(json!({ "turn": "P400D" })),
            "at `/layers/days/turn`: a turn is a number of days from P1D to P366D, such as P7D or P1W",
        ),
        (
            turns(json!({ "people": [] })),
            "at `/layers/days`: a layer has `people`, `start` and `turn` for people who take turns, or `shifts`",
        ),
        (
            turns(json!({ "shifts": { "a": backwards } })),
            "at `/layers/days`: a layer has either `people` who take turns, or `shifts`; remove one of them",
        ),
        (
            turns(json!({ "people": many })),
            "at `/layers/days/people`: 201 people; at most 200 are allowed",
        ),
        (
            turns(json!({ "end": "2026-01-05T09:00:00Z" })),
            "at `/layers/days/end`: it ends at 2026-01-05T09:00:00Z, which is not after its beginning at 2026-01-05T09:00:00Z",
        ),
        (
            overridden,
            "at `/overrides/swap/to`: it ends at 2026-01-05T00:00:00Z, which is not after its beginning at 2026-01-06T00:00:00Z",
        ),
    ] {
        let error = Rota::compile(&read(&rota)).expect_err("refused");
        assert_eq!(error.to_string(), message);
    }
}
