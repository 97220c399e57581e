//! Planned windows: found by what they affect, and what was decided by them is held to them.

use std::sync::Arc;

use engine::port::{CommitError, RecordCommit, Store, WindowsQuery};
use model::record::{LONGEST_WINDOW, Record};

use super::samples::{at, begin, commit, step, thing, window};
use super::{Case, Place, made, together};

pub(super) const CASES: &[Case] = &[
    ("windows are found by what they affect", found),
    ("the longest window is found at its end", longest),
    ("a step that looked at windows is held to them", held_to),
];

fn names(
    store: &dyn Store,
    affects: Option<&str>,
    from: i64,
    to: i64,
    limit: usize,
) -> Vec<String> {
    let query = WindowsQuery {
        affects: affects.map(thing),
        from: at(from),
        to: at(to),
        limit,
    };
    let found = store.windows(&query).unwrap().windows;
    found.iter().map(|it| it.record.to_string()).collect()
}

fn planned(number: &str, from: i64, to: i64, services: &[&str]) -> RecordCommit {
    begin(number, at(0), |r| {
        r.window = Some(window(from, to, services));
    })
}

fn found(place: &dyn Place) {
    let store = place.open();
    let one = made(&*store, planned("CHG-1", 20, 30, &["mail", "web"]));
    made(&*store, planned("CHG-2", 10, 25, &["web"]));
    made(&*store, planned("CHG-3", 10, 25, &[]));
    made(&*store, begin("CHG-4", at(0), |_| {}));
    assert_eq!(names(&*store, Some("web"), 0, 100, 9), ["CHG-2", "CHG-1"]);
    assert_eq!(names(&*store, Some("web"), 0, 100, 1), ["CHG-2"]);
    assert_eq!(names(&*store, Some("mail"), 0, 100, 9), ["CHG-1"]);
    assert_eq!(names(&*store, None, 0, 100, 9), ["CHG-2", "CHG-3", "CHG-1"]);
    // What ends as another begins does not touch it.
    assert_eq!(names(&*store, Some("web"), 25, 30, 9), ["CHG-1"]);
    assert_eq!(names(&*store, Some("web"), 0, 20, 9), ["CHG-2"]);
    assert_eq!(names(&*store, Some("we"), 0, 100, 9), [""; 0]);
    assert_eq!(names(&*store, Some("web"), 50, 50, 9), [""; 0]);

    made(
        &*store,
        step(&one, at(1), |r| r.window = Some(window(40, 50, &["mail"]))),
    );
    assert_eq!(names(&*store, Some("web"), 0, 100, 9), ["CHG-2"]);
    assert_eq!(names(&*store, Some("mail"), 0, 100, 9), ["CHG-1"]);
    assert_eq!(names(&*store, Some("mail"), 0, 40, 9), [""; 0]);
    drop(store);
    let store = place.open();
    assert_eq!(names(&*store, Some("mail"), 0, 100, 9), ["CHG-1"]);
}

fn longest(place: &dyn Place) {
    let store = place.open();
    let end = i64::try_from(LONGEST_WINDOW.as_secs()).unwrap();
    made(&*store, planned("CHG-1", 0, end, &["mail"]));
    assert_eq!(names(&*store, Some("mail"), end - 1, end, 9), ["CHG-1"]);
    assert_eq!(names(&*store, Some("mail"), end, end + 1, 9), [""; 0]);
}

fn held_to(place: &dyn Place) {
    let store = place.open();
    let look = |store: &dyn Store| {
        let query = WindowsQuery {
            affects: Some(thing("mail")),
            from: at(0),
            to: at(100),
            limit: 9,
        };
        store.windows(&query).unwrap().as_of
    };
    let having_looked = |as_of: u64, commit: RecordCommit| RecordCommit {
        windows_as_of: Some(as_of),
        ..commit
    };
    // Both looked, and saw nothing: one of them is planned.
    let as_of = look(&*store);
    let both = ["CHG-1", "CHG-2"]
        .map(|number| commit(having_looked(as_of, planned(number, 10, 20, &["mail"]))));
    let answers = together(&*store, both.to_vec());
    assert!(
        matches!(answers[..], [Ok(_), Err(CommitError::Conflict)]),
        "{answers:?}"
    );
    let one: Arc<Record> = store.record(&"CHG-1".parse().unwrap()).unwrap().unwrap();

    // Whoever looks again sees it, and is held to what that one does next.
    let as_of = look(&*store);
    made(
        &*store,
        step(&one, at(1), |r| r.state = "implement".parse().unwrap()),
    );
    let late = having_looked(as_of, planned("CHG-2", 10, 20, &["mail"]));
    let answers = together(&*store, vec![commit(late)]);
    assert!(
        matches!(answers[..], [Err(CommitError::Conflict)]),
        "{answers:?}"
    );

    // What has no window is in nobody's way.
    let as_of = look(&*store);
    made(&*store, begin("INC-1", at(2), |_| {}));
    made(
        &*store,
        having_looked(as_of, planned("CHG-2", 30, 40, &["mail"])),
    );
}
