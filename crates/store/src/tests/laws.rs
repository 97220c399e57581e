//! Whatever is committed, in whatever order: views that followed every commit are those that are
//! built from the truth alone.

use std::collections::BTreeMap;
use std::sync::Arc;

use engine::port::{Commit, CommitError, PlannedFor, Store, WindowsQuery};
use futures::future::join_all;
use model::definition::Category;
use model::record::Record;
use proptest::prelude::*;
use serde_json::json;

use super::{Folder, assert_views_follow};
use crate::RedbStore;
use crate::contract::samples::{
    approval, at, begin, commit, directory, effect, effect_key, fold, id, reference, step, telling,
    thing, under_key, window,
};

/// One thing that happens.
#[derive(Clone, Debug)]
enum Happening {
    /// A record begins, or takes a step.
    Step {
        record: u8,
        facets: Facets,
        key: Option<u8>,
        told: Option<u8>,
    },
    /// Someone's roles change, or a team's members.
    Directory { thing: u8, names: Vec<u8> },
    /// What was sent so far is waited for.
    Wait,
    /// The store is closed and opened again.
    Restart,
}

#[derive(Clone, Debug)]
struct Facets {
    second: i64,
    state: u8,
    category: u8,
    team: Option<u8>,
    assignee: Option<u8>,
    due: Option<u8>,
    effects: Vec<(u8, bool)>,
    approval: bool,
    reference: Option<u8>,
    window: Option<(i64, i64, Vec<u8>)>,
}

fn happening() -> impl Strategy<Value = Happening> {
    let maybe = || prop::option::of(0..3_u8);
    let effects = prop::collection::vec((0..20_u8, any::<bool>()), 0..3);
    let facets = (
        0..30_i64,
        0..3_u8,
        0..4_u8,
        maybe(),
        maybe(),
        maybe(),
        effects,
    );
    let things = prop::collection::vec(0..3_u8, 0..3);
    let window = prop::option::of((0..40_i64, 1..20_i64, things));
    let facets = (facets, any::<bool>(), maybe(), window);
    let facets = facets.prop_map(|(most, approval, reference, window)| {
        let (second, state, category, team, assignee, due, effects) = most;
        Facets {
            second,
            state,
            category,
            team,
            assignee,
            due,
            effects,
            approval,
            reference,
            window,
        }
    });
    let step = (1..6_u8, facets, prop::option::of(0..5_u8), maybe());
    let step = step.prop_map(|(record, facets, key, told)| Happening::Step {
        record,
        facets,
        key,
        told,
    });
    let names = prop::collection::vec(0..4_u8, 0..3);
    let directory =
        (0..4_u8, names).prop_map(|(thing, names)| Happening::Directory { thing, names });
    prop_oneof![
        12 => step,
        2 => directory,
        3 => Just(Happening::Wait),
        1 => Just(Happening::Restart),
    ]
}

impl Facets {
    fn set(&self, record: &mut Record) {
        record.state = id(&format!("state-{}", self.state));
        record.category = Category::ALL[usize::from(self.category)];
        record.team = self.team.map(|team| id(&format!("team-{team}")));
        record.assignee = self.assignee.map(|person| id(&format!("person {person}")));
        record.timers = self
            .due
            .map(|due| (id("timer"), at(i64::from(due))))
            .into_iter()
            .collect();
        let effects = self.effects.iter().zip(0..);
        record.effects = effects
            .map(|((second, dead), place)| {
                let key = effect_key(record.version + 1, place);
                (key, effect(at(i64::from(*second)), *dead))
            })
            .collect();
        record.approval = self.approval.then(|| approval(at(0)));
        let names = self
            .reference
            .map(|name| reference("mail", &name.to_string()));
        record.references = names.into_iter().collect();
        record.window = self.window.as_ref().map(|(from, length, things)| {
            let things: Vec<_> = things.iter().map(|it| format!("service-{it}")).collect();
            let things: Vec<_> = things.iter().map(String::as_str).collect();
            window(*from, from + length, &things)
        });
    }
}

fn change(thing: u8, names: &[u8]) -> Commit {
    let names = |prefix: &str| {
        let names = names.iter().map(|name| format!("{prefix}{name}"));
        names.collect::<Vec<_>>()
    };
    if thing < 2 {
        let roles = (!names("").is_empty()).then(|| json!({ "roles": names("role-") }));
        directory("user", &format!("person {thing}"), roles)
    } else {
        let members: BTreeMap<_, _> = names("person ")
            .into_iter()
            .map(|n| (n, json!({})))
            .collect();
        directory(
            "team",
            &format!("team-{thing}"),
            Some(json!({ "members": members })),
        )
    }
}

fn play(happenings: Vec<Happening>) {
    let folder = Folder::new();
    let mut store = folder.store();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    let mut expected: BTreeMap<u8, Arc<Record>> = BTreeMap::new();
    let mut sent: Vec<(Option<u8>, Commit)> = Vec::new();
    for happening in happenings.into_iter().chain([Happening::Wait]) {
        match happening {
            Happening::Step {
                record,
                facets,
                key,
                told,
            } => {
                // A record takes one step at a time, so that it is known what each leads to.
                if sent.iter().any(|(of, _)| *of == Some(record)) {
                    continue;
                }
                let when = at(facets.second);
                let taken = match expected.get(&record) {
                    Some(before) => step(before, when, |r| facets.set(r)),
                    None => begin(&format!("INC-{record}"), when, |r| facets.set(r)),
                };
                let taken = match key {
                    Some(key) => under_key(&taken, &key.to_string()),
                    None => taken,
                };
                let taken = match told {
                    Some(person) => telling(&taken, &[&[&format!("person {person}")], &["ada"]]),
                    None => taken,
                };
                sent.push((Some(record), commit(taken)));
            }
            Happening::Directory { thing, names } => sent.push((None, change(thing, &names))),
            Happening::Wait | Happening::Restart => {
                let answers = sent.iter().map(|(_, commit)| store.commit(commit.clone()));
                let answers = runtime.block_on(join_all(answers));
                for ((record, commit), answer) in sent.drain(..).zip(answers) {
                    match (answer, commit) {
                        (Ok(_), Commit::Record(step)) => {
                            expected.insert(record.unwrap(), step.after);
                        }
                        (
                            Ok(_) | Err(CommitError::Remembered(_) | CommitError::Referenced(_)),
                            _,
                        ) => {}
                        (Err(error), _) => panic!("{error}"),
                    }
                }
                if matches!(happening, Happening::Restart) {
                    store.close();
                    store = folder.store();
                }
            }
        }
    }
    for record in expected.values() {
        assert_eq!(store.record(&record.id).unwrap().as_ref(), Some(record));
    }
    assert_windows(&store, &expected);
    assert_eq!(store.verify(&fold).unwrap().problems, []);
    store.close();
    assert_views_follow(&folder);
}

/// The windows that are found are those of the records.
fn assert_windows(store: &RedbStore, records: &BTreeMap<u8, Arc<Record>>) {
    let services = (0..3).map(|it| Some(thing(&format!("service-{it}"))));
    for affects in services.chain([None]) {
        for from in (0..60).step_by(7) {
            let query = WindowsQuery {
                affects: affects.clone(),
                from: at(from),
                to: at(from + 10),
                limit: 100,
            };
            let windows = records.values().filter_map(|record| {
                let window = record.window.as_ref()?;
                let concerns = affects
                    .as_ref()
                    .is_none_or(|it| window.affects.contains(it));
                let meets = window.from < query.to && query.from < window.to;
                (concerns && meets).then(|| PlannedFor {
                    from: window.from,
                    record: record.id.clone(),
                    to: window.to,
                })
            });
            let mut windows: Vec<_> = windows.collect();
            windows.sort();
            assert_eq!(store.windows(&query).unwrap().windows, windows);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn views_are_what_the_truth_says(happenings in prop::collection::vec(happening(), 1..60)) {
        play(happenings);
    }
}
