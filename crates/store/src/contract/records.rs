//! Records, their journal, numbers, idempotency keys and references.

use std::collections::BTreeSet;

use engine::port::{CommitError, Store};
use model::Digest;
use model::journal::Item;
use model::record::Record;

use super::samples::{at, begin, commit, id, reference, step, under_key};
use super::{Case, Place, made, together, try_commit};

pub(super) const CASES: &[Case] = &[
    ("a record reads back as it was committed", reads_back),
    ("a history is read in parts, oldest first", history_in_parts),
    ("the journal has everything in order", journal_in_order),
    (
        "a step from a version that has passed is refused",
        stale_step,
    ),
    ("steps sent together see each other", steps_together),
    ("a key is used once, however often it is sent", key_once),
    ("a key is remembered after a restart", key_after_restart),
    ("a reference names one record", reference_names_one),
    ("numbers are given once, and again if unused", numbers),
    ("records begun at once are all there", many_at_once),
];

fn reads_back(place: &dyn Place) {
    let store = place.open();
    assert_eq!(store.record(&id("INC-1")).unwrap(), None);
    let first = made(&*store, begin("INC-1", at(0), |_| {}));
    let second = made(
        &*store,
        step(&first, at(1), |r| r.assignee = Some(id("ada"))),
    );
    assert_eq!(store.record(&id("INC-1")).unwrap(), Some(second.clone()));
    drop(store);

    let store = place.open();
    assert_eq!(store.record(&id("INC-1")).unwrap(), Some(second));
    assert_eq!(store.record(&id("INC-2")).unwrap(), None);
    assert_eq!(store.position().unwrap(), 2);
}

fn history_in_parts(place: &dyn Place) {
    let store = place.open();
    let mut record = made(&*store, begin("INC-1", at(0), |_| {}));
    let mut other = made(&*store, begin("INC-2", at(0), |_| {}));
    for second in 1..10 {
        record = made(&*store, step(&record, at(second), |_| {}));
        other = made(&*store, step(&other, at(second), |_| {}));
    }
    let versions = |after, limit| {
        let history = store.history(&id("INC-1"), after, limit).unwrap();
        let versions = history.iter().map(|(_, entry)| entry.version);
        versions.collect::<Vec<_>>()
    };
    assert_eq!(versions(0, 3), [1, 2, 3]);
    assert_eq!(versions(3, 3), [4, 5, 6]);
    assert_eq!(versions(8, 10), [9, 10]);
    assert_eq!(versions(10, 10), [0; 0]);
    assert_eq!(versions(0, 100).len(), 10);
    assert!(store.history(&id("INC-3"), 0, 10).unwrap().is_empty());
    let positions = store.history(&id("INC-2"), 0, 100).unwrap();
    assert!(
        positions
            .iter()
            .map(|(position, _)| position % 2)
            .all(|odd| odd == 0)
    );
}

fn journal_in_order(place: &dyn Place) {
    let store = place.open();
    assert_eq!(store.position().unwrap(), 0);
    assert!(store.journal(0, 10).unwrap().is_empty());
    let first = begin("INC-1", at(0), |_| {});
    let record = made(&*store, first.clone());
    made(&*store, begin("INC-2", at(1), |_| {}));
    let last = step(&record, at(2), |_| {});
    made(&*store, last.clone());

    let journal = store.journal(0, 10).unwrap();
    let positions: Vec<_> = journal.iter().map(|(position, _)| *position).collect();
    assert_eq!(positions, [1, 2, 3]);
    let expected = |id: &str, previous, entry| Item::Record {
        id: super::samples::id(id),
        previous,
        entry: Box::new(entry),
    };
    assert_eq!(journal[0].1, expected("INC-1", 0, first.entry));
    assert_eq!(journal[2].1, expected("INC-1", 1, last.entry));
    assert_eq!(store.journal(1, 1).unwrap()[0].0, 2);
    assert!(store.journal(3, 10).unwrap().is_empty());
    assert_eq!(store.position().unwrap(), 3);
}

fn stale_step(place: &dyn Place) {
    let store = place.open();
    let first = made(&*store, begin("INC-1", at(0), |_| {}));
    let second = made(&*store, step(&first, at(1), |_| {}));
    for refused in [
        step(&first, at(2), |_| {}),
        begin("INC-1", at(2), |_| {}),
        step(&made_up("INC-9"), at(2), |_| {}),
    ] {
        let answer = try_commit(&*store, commit(refused));
        assert!(matches!(answer, Err(CommitError::Conflict)), "{answer:?}");
    }
    assert_eq!(store.record(&id("INC-1")).unwrap(), Some(second));
    assert_eq!(store.position().unwrap(), 2);
}

fn made_up(number: &str) -> std::sync::Arc<Record> {
    begin(number, at(0), |_| {}).after
}

fn steps_together(place: &dyn Place) {
    let store = place.open();
    let first = begin("INC-1", at(0), |_| {});
    let second = step(&first.after, at(1), |_| {});
    let rival = step(&first.after, at(1), |r| r.team = Some(id("desk")));
    let third = step(&second.after, at(2), |r| r.assignee = Some(id("ada")));
    let last = third.after.clone();
    let all = [first, second, rival, third].map(commit).to_vec();
    let answers = together(&*store, all);
    let positions: Vec<_> = answers
        .iter()
        .map(|answer| answer.as_ref().ok().map(|made| made.position))
        .collect();
    assert_eq!(positions, [Some(1), Some(2), None, Some(3)]);
    assert!(matches!(answers[2], Err(CommitError::Conflict)));
    assert_eq!(store.record(&id("INC-1")).unwrap(), Some(last));
    assert_eq!(store.history(&id("INC-1"), 0, 10).unwrap().len(), 3);
}

fn key_once(place: &dyn Place) {
    let store = place.open();
    let attempts = (1..=100)
        .map(|number| {
            let number = format!("INC-{number}");
            commit(under_key(&begin(&number, at(0), |_| {}), "ada/once"))
        })
        .collect();
    let answers = together(&*store, attempts);
    let made: Vec<_> = answers.iter().flatten().collect();
    assert_eq!(made.len(), 1);
    let remembered = store.remembered("ada/once").unwrap().unwrap();
    assert_eq!(remembered.position, made[0].position);
    assert_eq!(remembered.version, 1);
    assert_eq!(remembered.request, Digest::of(b"ada/once"));
    for answer in &answers {
        match answer {
            Ok(_) => {}
            Err(CommitError::Remembered(same)) => assert_eq!(*same, remembered),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(store.position().unwrap(), 1);
    assert_eq!(store.remembered("ada/other").unwrap(), None);
}

fn key_after_restart(place: &dyn Place) {
    let store = place.open();
    let first = made(
        &*store,
        under_key(&begin("INC-1", at(0), |_| {}), "ada/create"),
    );
    made(
        &*store,
        under_key(&step(&first, at(60), |_| {}), "ada/step"),
    );
    let remembered = store.remembered("ada/step").unwrap();
    drop(store);

    let store = place.open();
    assert_eq!(store.remembered("ada/step").unwrap(), remembered);
    let again = under_key(&begin("INC-2", at(120), |_| {}), "ada/create");
    let answer = try_commit(&*store, commit(again));
    let Err(CommitError::Remembered(remembered)) = answer else {
        panic!("{answer:?}");
    };
    assert_eq!(remembered.record, id("INC-1"));
    assert_eq!(remembered.version, 1);
}

fn reference_names_one(place: &dyn Place) {
    let store = place.open();
    let named = |number: &str, name: &str| {
        let names = vec![reference("mail", name)];
        begin(number, at(0), |r| r.references = names)
    };
    let one = made(&*store, named("INC-1", "a"));
    let all = [
        named("INC-2", "a"),
        named("INC-3", "b"),
        named("INC-4", "b"),
    ];
    let answers = together(&*store, all.map(commit).to_vec());
    assert!(matches!(&answers[0], Err(CommitError::Referenced(to)) if *to == id("INC-1")));
    assert!(answers[1].is_ok());
    assert!(matches!(&answers[2], Err(CommitError::Referenced(to)) if *to == id("INC-3")));

    let more = step(&one, at(1), |r| r.references.push(reference("mail", "c")));
    made(&*store, more);
    let find = |binding: &str, name| store.by_reference(&id(binding), name).unwrap();
    assert_eq!(find("mail", "a"), Some(id("INC-1")));
    assert_eq!(find("mail", "b"), Some(id("INC-3")));
    assert_eq!(find("mail", "c"), Some(id("INC-1")));
    assert_eq!(find("mail", "d"), None);
    assert_eq!(find("chat", "a"), None);
}

fn numbers(place: &dyn Place) {
    let store = place.open();
    let next = |store: &dyn Store, prefix| store.reserve_number(prefix).unwrap().to_string();
    assert_eq!(next(&*store, "INC"), "INC-1");
    assert_eq!(next(&*store, "INC"), "INC-2");
    assert_eq!(next(&*store, "CHG"), "CHG-1");
    made(&*store, begin("INC-2", at(0), |_| {}));
    assert_eq!(next(&*store, "INC"), "INC-3");
    made(&*store, begin("INC-10", at(0), |_| {}));
    assert_eq!(next(&*store, "INC"), "INC-11");
    drop(store);

    let store = place.open();
    assert_eq!(next(&*store, "INC"), "INC-11");
    assert_eq!(next(&*store, "CHG"), "CHG-1");
    assert!(store.reserve_number("x").is_err());
}

fn many_at_once(place: &dyn Place) {
    let store = place.open();
    let all: BTreeSet<_> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..8)
            .map(|_| {
                scope.spawn(|| {
                    let mut made_here = Vec::new();
                    for round in 0..20 {
                        let number = store.reserve_number("INC").unwrap();
                        let first = made(&*store, begin(number.as_str(), at(round), |_| {}));
                        let last = made(&*store, step(&first, at(round + 1), |_| {}));
                        // What was acknowledged is read.
                        assert_eq!(store.record(&number).unwrap(), Some(last));
                        made_here.push(number);
                    }
                    made_here
                })
            })
            .collect();
        threads
            .into_iter()
            .flat_map(|thread| thread.join().expect("every commit is made"))
            .collect()
    });
    assert_eq!(all.len(), 160);
    assert_eq!(store.position().unwrap(), 320);
    drop(store);
    let store = place.open();
    for number in &all {
        assert_eq!(store.record(number).unwrap().unwrap().version, 2);
    }
    assert_eq!(store.journal(0, 1_000).unwrap().len(), 320);
}
