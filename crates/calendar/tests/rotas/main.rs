//! The laws of rotas, over random ones around changes of clocks, and some examples.

mod examples;
mod oracle;
mod random;

use model::Instant;
use proptest::prelude::*;
use servicewright_calendar::rota::{Away, OnCall, Rota, Source, Span};

use random::{Asked, asked};

const MINUTE: i64 = 60_000;
const DAY: i64 = 24 * 60 * MINUTE;

fn told(on_call: Option<&OnCall>) -> Option<String> {
    on_call.map(|on_call| match &on_call.instead_of {
        None => on_call.person.to_string(),
        Some(turn) => format!("{} for {turn}", on_call.person),
    })
}

fn schedule(asked: &Asked) -> (Rota, Vec<Span>) {
    let rota = Rota::compile(&asked.rota).expect("within bounds");
    let (from, to) = (
        Instant::from_millis(asked.from),
        Instant::from_millis(asked.to),
    );
    let spans = rota.schedule(from, to, &asked.away);
    (rota, spans)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn who_is_on_call_is_what_the_clock_on_the_wall_says_minute_by_minute(asked in asked()) {
        let (_, spans) = schedule(&asked);
        let minutes = oracle::minutes(&asked.rota, &asked.away, asked.from, asked.to);
        let mut at = asked.from;
        for expected in minutes {
            let span = spans.iter().find(|span| span.from.millis() <= at && at < span.to.millis());
            let found = span.and_then(|span| told(span.on_call.as_ref()));
            prop_assert_eq!(&found, &expected, "{} in {:#?}", Instant::from_millis(at), asked);
            at += MINUTE;
        }
    }

    #[test]
    fn a_schedule_leaves_no_time_out_and_takes_none_twice(asked in asked()) {
        let (_, spans) = schedule(&asked);
        let mut reached = asked.from;
        for pair in spans.windows(2) {
            prop_assert_ne!(&pair[0].on_call, &pair[1].on_call);
        }
        for span in &spans {
            prop_assert_eq!(span.from.millis(), reached);
            prop_assert!(span.from < span.to);
            reached = span.to.millis();
        }
        prop_assert_eq!(reached, asked.to);
    }

    #[test]
    fn a_schedule_says_what_each_of_its_instants_says(
        asked in asked(), places in prop::collection::vec(0.0..1.0, 20),
    ) {
        let (rota, spans) = schedule(&asked);
        let edges = spans.iter().flat_map(|span| [span.from.millis(), span.to.millis() - 1]);
        #[expect(clippy::cast_possible_truncation, clippy::cast_precision_loss, reason = "any instant will do")]
        let anywhere = places.iter().map(|place| asked.from + ((asked.to - asked.from) as f64 * place) as i64);
        for at in edges.chain(anywhere) {
            let at = Instant::from_millis(at);
            let span = spans.iter().find(|span| span.from <= at && at < span.to).expect("no hole");
            prop_assert_eq!(&rota.at(at, &asked.away), &span.on_call);
            let (now, until) = rota.until(at, &asked.away);
            prop_assert_eq!(&now, &span.on_call);
            if span.to.millis() < asked.to {
                prop_assert_eq!(until, Some(span.to));
            }
        }
    }

    #[test]
    fn an_override_of_someone_who_is_there_counts_more_than_any_layer(asked in asked()) {
        let (_, spans) = schedule(&asked);
        for span in spans {
            let overriding = asked.rota.overrides.values().filter(|shift| shift.from <= span.from && span.from < shift.to);
            let last = overriding.max_by_key(|shift| shift.from);
            let Some(shift) = last else { continue };
            let is_away = asked.away.get(&shift.person).is_some_and(|absences| absences.at(span.from).is_some());
            if !is_away {
                let on_call = span.on_call.expect("somebody");
                prop_assert_eq!(&on_call.person, &shift.person);
                prop_assert!(matches!(on_call.by, Source::Override(_)));
            }
        }
    }

    #[test]
    fn everyone_has_as_many_turns_as_anyone(
        zone in prop::sample::select(vec!["Europe/Brussels", "America/New_York", "Australia/Lord_Howe"]),
        start in 1_700_000_000_000_i64..1_800_000_000_000, days in 1_u32..15, rounds in 1_u32..20,
    ) {
        let people = ["ada", "carla", "dirk"];
        let layer = serde_json::json!({
            "people": people, "start": Instant::from_millis(start).to_string(), "turn": format!("P{days}D"),
        });
        let rota = serde_json::json!({ "team": "network", "zone": zone, "layers": { "all": layer } });
        let rota = model::rota::Rota::read(rota.as_object().expect("a map")).expect("a rota");
        let compiled = Rota::compile(&rota).expect("within bounds");
        let end = servicewright_calendar::add_days(
            compiled.zone(), Instant::from_millis(start), days * rounds * 3,
        );
        let spans = compiled.schedule(Instant::from_millis(start), end.expect("before the end of time"), &Away::new());
        prop_assert_eq!(spans.len(), usize::try_from(rounds * 3).expect("few"));
        for (place, span) in spans.iter().enumerate() {
            let on_call = span.on_call.as_ref().expect("somebody");
            prop_assert_eq!(on_call.person.as_str(), people[place % 3]);
            // A day has 23 to 25 hours.
            let hours = (span.to.millis() - span.from.millis()) / (60 * MINUTE);
            prop_assert!((hours - i64::from(days) * 24).abs() <= 1);
        }
    }
}
