//! Inboxes: what people were told, newest first, and what of it they have read.

use engine::port::{
    Commit, CommitError, DigestState, InboxPlace, InboxRead, MOST_IN_INBOX, PendingDigest, Store,
};

use super::samples::{at, begin, commit, id, step, telling};
use super::{Case, Place, made, together, try_commit};

pub(super) const CASES: &[Case] = &[
    ("what people are told is in their inbox", told),
    ("an inbox is read in parts, newest first", parts),
    ("an inbox holds so many notices and no more", bounded),
    ("what has been read is kept", read),
    ("how far digests have come is kept", digests),
];

fn places(store: &dyn Store, person: &str) -> Vec<String> {
    let rows = store.inbox(&id(person), None, 10_000).unwrap();
    rows.iter().map(|row| row.place.to_string()).collect()
}

fn told(place: &dyn Place) {
    let store = place.open();
    let first = begin("INC-1", at(5), |_| {});
    let first = made(&*store, telling(&first, &[&["ada", "bram"], &["ada"]]));
    made(&*store, step(&first, at(6), |_| {}));
    made(
        &*store,
        telling(&begin("INC-2", at(7), |_| {}), &[&["bram"]]),
    );
    drop(store);
    for _ in 0..2 {
        let store = place.open();
        assert_eq!(places(&*store, "ada"), ["1.1", "1.0"]);
        assert_eq!(places(&*store, "bram"), ["3.0", "1.0"]);
        // The beginning of a name is not the name.
        assert_eq!(places(&*store, "a"), [""; 0]);
        let rows = store.inbox(&id("bram"), None, 1).unwrap();
        assert_eq!(rows[0].record, id("INC-2"));
        assert_eq!(rows[0].at, at(7));
    }
}

fn parts(place: &dyn Place) {
    let store = place.open();
    let all = (1..=5).map(|number| {
        let begun = begin(&format!("INC-{number}"), at(number), |_| {});
        commit(telling(&begun, &[&["ada"]]))
    });
    for answer in together(&*store, all.collect()) {
        answer.unwrap();
    }
    let part = |before: Option<&str>, limit| {
        let before = before.map(id::<InboxPlace>);
        let rows = store.inbox(&id("ada"), before, limit).unwrap();
        rows.iter()
            .map(|row| row.place.to_string())
            .collect::<Vec<_>>()
    };
    assert_eq!(part(None, 2), ["5.0", "4.0"]);
    assert_eq!(part(Some("4.0"), 2), ["3.0", "2.0"]);
    assert_eq!(part(Some("2.0"), 2), ["1.0"]);
    assert_eq!(part(Some("1.0"), 2), [""; 0]);
    assert_eq!(part(None, 0), [""; 0]);
}

fn bounded(place: &dyn Place) {
    let store = place.open();
    let most = i64::try_from(MOST_IN_INBOX).unwrap();
    let all = (1..=most + 3).map(|number| {
        let begun = begin(&format!("INC-{number}"), at(number), |_| {});
        commit(telling(&begun, &[&["ada"]]))
    });
    for answer in together(&*store, all.collect()) {
        answer.unwrap();
    }
    made(
        &*store,
        telling(&begin("CHG-1", at(0), |_| {}), &[&["bram"]]),
    );
    drop(store);
    let store = place.open();
    let kept = places(&*store, "ada");
    assert_eq!(kept.len(), MOST_IN_INBOX);
    assert_eq!(kept.last().unwrap(), "4.0");
    assert_eq!(kept[0], format!("{}.0", most + 3));
    assert_eq!(places(&*store, "bram").len(), 1);
}

fn read(place: &dyn Place) {
    let store = place.open();
    let mark = |through: &str, also: &[&str]| InboxRead {
        through: id(through),
        also: also.iter().map(|place| id(place)).collect(),
    };
    let put = |expected: &InboxRead, read: &InboxRead| Commit::InboxRead {
        person: id("ada"),
        expected: expected.clone(),
        read: read.clone(),
    };
    let none = InboxRead::default();
    assert_eq!(store.inbox_read(&id("ada")).unwrap(), none);
    let first = mark("3.0", &["5.1", "7.0"]);
    assert_eq!(try_commit(&*store, put(&none, &first)).unwrap().position, 0);
    let answer = try_commit(&*store, put(&none, &mark("4.0", &[])));
    assert!(matches!(answer, Err(CommitError::Conflict)), "{answer:?}");
    drop(store);
    let store = place.open();
    assert_eq!(store.inbox_read(&id("ada")).unwrap(), first);
    assert_eq!(store.inbox_read(&id("bram")).unwrap(), none);
    let second = mark("7.0", &[]);
    try_commit(&*store, put(&first, &second)).unwrap();
    assert_eq!(store.inbox_read(&id("ada")).unwrap(), second);
}

fn digests(place: &dyn Place) {
    let store = place.open();
    let state = |due, open: &[&str]| DigestState {
        due: at(due),
        through: id("7.0"),
        open: open
            .iter()
            .map(|binding| PendingDigest {
                binding: id(binding),
                due: at(due),
                after: id("3.1"),
                through: id("7.0"),
                attempts: 1,
                next_at: at(due + 1),
                dead: Some("gone".to_owned()),
            })
            .collect(),
    };
    let put = |expected: &DigestState, state: &DigestState| Commit::Digest {
        person: id("ada"),
        expected: expected.clone(),
        state: state.clone(),
    };
    let none = DigestState::default();
    assert_eq!(store.digest(&id("ada")).unwrap(), none);
    let first = state(5, &["mail", "chat"]);
    assert_eq!(try_commit(&*store, put(&none, &first)).unwrap().position, 0);
    let answer = try_commit(&*store, put(&none, &state(6, &[])));
    assert!(matches!(answer, Err(CommitError::Conflict)), "{answer:?}");
    drop(store);
    let store = place.open();
    assert_eq!(store.digest(&id("ada")).unwrap(), first);
    assert_eq!(store.digest(&id("bram")).unwrap(), none);
}
