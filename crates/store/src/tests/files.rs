//! Files after a crash, a restored backup, damage, or a newer server.

use std::fs;
use std::sync::Arc;

use engine::port::{Commit, CommitError, Committed, ListQuery, MOST_IN_INBOX, Store, StoreError};
use model::Duration;
use model::record::Record;

use super::{Folder, assert_views_follow, rows, small};
use crate::contract::samples::{at, begin, commit, fold, id, reference, step, telling, under_key};
use crate::{Options, RedbStore};

fn wait(
    answer: futures::future::BoxFuture<'static, Result<Committed, CommitError>>,
) -> Result<Committed, CommitError> {
    tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap()
        .block_on(answer)
}

fn commit_to(store: &RedbStore, commit: Commit) -> Committed {
    wait(store.commit(commit)).unwrap()
}

/// Some records, with a bit of everything.
fn fill(store: &RedbStore, numbers: std::ops::Range<i64>) -> Vec<Arc<Record>> {
    numbers
        .map(|number| {
            let first = begin(&format!("INC-{number}"), at(number), |r| {
                r.team = Some(id("desk"));
                r.timers.insert(id("auto-close"), at(number + 60));
                r.references.push(reference("mail", &number.to_string()));
            });
            let first = under_key(&first, &format!("key {number}"));
            let second = step(&first.after, at(number + 1), |r| {
                r.assignee = Some(id("ada"));
                r.timers.clear();
            });
            let last = Arc::clone(&second.after);
            commit_to(store, commit(first));
            commit_to(store, commit(second));
            last
        })
        .collect()
}

/// Everything that was acknowledged is there, and can be found.
fn assert_whole(store: &RedbStore, records: &[Arc<Record>]) {
    for record in records {
        assert_eq!(store.record(&record.id).unwrap().as_ref(), Some(record));
        let name = record.id.number().to_string();
        let named = store.by_reference(&id("mail"), &name).unwrap();
        assert_eq!(named.as_ref(), Some(&record.id));
        let key = format!("key {name}");
        assert_eq!(store.remembered(&key).unwrap().unwrap().record, record.id);
    }
    let count = u32::try_from(records.len()).unwrap();
    assert_eq!(store.loads_of(&[id("ada")]).unwrap()[0].0, count);
    assert_eq!(store.position().unwrap(), 2 * u64::from(count));
    let report = store.verify(&fold).unwrap();
    assert_eq!(report.problems, []);
    assert_eq!(report.records, u64::from(count));
    assert_eq!(report.entries, 2 * u64::from(count));
}

#[test]
fn a_crash_loses_nothing_that_was_acknowledged() {
    let folder = Folder::new();
    let store = folder.store();
    let mut records = fill(&store, 1..20);
    // What the files are while the store is open is what a crash leaves.
    for round in 0..3 {
        let crashed = Folder::new();
        fs::copy(folder.truth(), crashed.truth()).unwrap();
        fs::copy(folder.views(), crashed.views()).unwrap();
        assert_whole(&crashed.store(), &records);
        assert_views_follow(&crashed);
        records.extend(fill(&store, 20 + round * 5..25 + round * 5));
    }
}

#[test]
fn views_that_are_behind_follow_the_journal() {
    let folder = Folder::new();
    let mut records = fill(&folder.store(), 1..10);
    let old = fs::read(folder.views()).unwrap();
    records.extend(fill(&folder.store(), 10..20));
    fs::write(folder.views(), old).unwrap();
    assert_whole(&folder.store(), &records);
    assert_views_follow(&folder);
}

#[test]
fn a_full_inbox_is_the_same_when_views_follow_and_when_they_are_built() {
    let folder = Folder::new();
    let store = folder.store();
    let most = i64::try_from(MOST_IN_INBOX).unwrap();
    let tell = |numbers: std::ops::RangeInclusive<i64>| {
        let told = numbers.map(|number| {
            let begun = begin(&format!("INC-{number}"), at(number), |_| {});
            store.commit(commit(telling(&begun, &[&["ada", "bram"], &["ada"]])))
        });
        let answers = futures::future::join_all(told);
        let runtime = tokio::runtime::Builder::new_current_thread().build();
        for answer in runtime.unwrap().block_on(answers) {
            answer.unwrap();
        }
    };
    tell(1..=most / 2);
    let behind = fs::read(folder.views()).unwrap();
    tell(most / 2 + 1..=most + 7);
    let inbox = |store: &RedbStore| {
        let of = |person| store.inbox(&id(person), None, 10_000).unwrap();
        (of("ada"), of("bram"))
    };
    let told = inbox(&store);
    assert_eq!((told.0.len(), told.1.len()), (MOST_IN_INBOX, MOST_IN_INBOX));
    store.close();
    fs::write(folder.views(), behind).unwrap();
    assert_eq!(inbox(&folder.store()), told);
    assert_views_follow(&folder);
    assert_eq!(inbox(&folder.store()), told);
}

#[test]
fn views_that_are_ahead_are_built_anew() {
    let folder = Folder::new();
    let records = fill(&folder.store(), 1..10);
    let backup = fs::read(folder.truth()).unwrap();
    fill(&folder.store(), 10..20);
    fs::write(folder.truth(), backup).unwrap();
    assert_whole(&folder.store(), &records);
    assert_views_follow(&folder);
}

#[test]
fn views_of_a_past_that_was_restored_away_are_built_anew() {
    let folder = Folder::new();
    let mut records = fill(&folder.store(), 1..10);
    let backup = fs::read(folder.truth()).unwrap();
    fill(&folder.store(), 10..20);
    let views = fs::read(folder.views()).unwrap();
    fs::write(folder.truth(), backup).unwrap();
    records.extend(fill(&folder.store(), 30..40));
    // As many entries, and others.
    fs::write(folder.views(), views).unwrap();
    assert_whole(&folder.store(), &records);
    assert_views_follow(&folder);
}

#[test]
fn views_of_another_store_are_built_anew() {
    let (folder, other) = (Folder::new(), Folder::new());
    let records = fill(&folder.store(), 1..10);
    fill(&other.store(), 1..10);
    fs::copy(other.views(), folder.views()).unwrap();
    assert_whole(&folder.store(), &records);
    assert_views_follow(&folder);
}

#[test]
fn views_that_are_lost_or_damaged_are_built_anew() {
    let folder = Folder::new();
    let records = fill(&folder.store(), 1..30);
    let whole = fs::read(folder.views()).unwrap();
    let damaged: [Option<Vec<u8>>; 5] = [
        None,
        Some(Vec::new()),
        Some(b"no database".repeat(1_000)),
        Some(whole[..whole.len() / 2].to_vec()),
        Some(garbled(&whole)),
    ];
    for views in damaged {
        match views {
            None => fs::remove_file(folder.views()).unwrap(),
            Some(views) => fs::write(folder.views(), views).unwrap(),
        }
        let store = folder.store();
        // Damage may show only when a row is read; the views are built anew then.
        for _ in 0..1_000 {
            let query = ListQuery {
                limit: 100,
                ..ListQuery::default()
            };
            let read = store
                .loads_of(&[id("ada")])
                .and_then(|_| store.remembered("key 1"))
                .and_then(|_| store.list(&query));
            if read.is_ok() {
                break;
            }
            std::thread::yield_now();
            while !store.is_ready() {
                std::thread::yield_now();
            }
        }
        assert_whole(&store, &records);
        store.close();
        assert_views_follow(&folder);
    }
}

/// Every page after the first has other bytes in its middle.
fn garbled(file: &[u8]) -> Vec<u8> {
    let mut file = file.to_vec();
    for page in file.chunks_mut(4_096).skip(1) {
        let middle = page.len() / 2;
        for byte in &mut page[middle / 2..middle] {
            *byte = byte.wrapping_add(85);
        }
    }
    file
}

#[test]
fn views_that_are_found_damaged_at_work_do_not_fail_commits() {
    let folder = Folder::new();
    let store = folder.store();
    let mut records = fill(&store, 1..10);
    let present = store.shared.views().unwrap();
    store
        .messages
        .send(crate::writer::Message::ViewsDamaged(Arc::downgrade(
            &present,
        )))
        .unwrap();
    drop(present);
    records.extend(fill(&store, 10..20));
    assert!(store.is_ready());
    assert_whole(&store, &records);
    store.close();
    assert_views_follow(&folder);
}

fn fail_truth(store: &RedbStore, error: StoreError) {
    let message = crate::writer::Message::FailTruth(error);
    store.messages.send(message).unwrap();
}

#[test]
fn a_truth_that_cannot_be_trusted_stays_closed_until_it_is_started_again() {
    let folder = Folder::new();
    let store = folder.store();
    let records = fill(&store, 1..10);
    let error = StoreError::Failed {
        doing: "committing the truth",
        cause: "input/output error".into(),
    };
    fail_truth(&store, error);
    let more = begin("INC-10", at(10), |_| {});
    let refused = wait(store.commit(commit(more.clone())));
    assert!(matches!(
        refused,
        Err(CommitError::Store(StoreError::Failed { .. }))
    ));
    assert!(!store.is_ready());
    assert!(store.record(&id("INC-1")).is_err());
    drop(store);
    assert_whole(&folder.store(), &records);
}

#[test]
fn a_truth_on_a_full_disk_is_opened_again() {
    let folder = Folder::new();
    let store = folder.store();
    let mut records = fill(&store, 1..10);
    fail_truth(&store, StoreError::Full);
    records.extend(fill(&store, 10..20));
    assert_whole(&store, &records);
    assert_eq!(store.reserve_number("INC").unwrap(), id("INC-20"));
    store.close();
    assert_views_follow(&folder);
}

#[test]
fn data_of_a_newer_server_is_refused_and_left_alone() {
    let folder = Folder::new();
    fill(&folder.store(), 1..5);
    {
        let database = redb::Database::open(folder.truth()).unwrap();
        let writing = database.begin_write().unwrap();
        {
            let mut meta = writing.open_table(crate::truth::META).unwrap();
            meta.insert("schema", 2_u32.to_le_bytes().as_slice())
                .unwrap();
        }
        writing.commit().unwrap();
    }
    let before = (
        fs::read(folder.truth()).unwrap(),
        fs::read(folder.views()).unwrap(),
    );
    let Err(error) = RedbStore::open(folder.path(), small()) else {
        panic!("it was opened");
    };
    assert!(matches!(error, StoreError::Newer { found: 2, known: 1 }));
    let after = (
        fs::read(folder.truth()).unwrap(),
        fs::read(folder.views()).unwrap(),
    );
    assert!(before == after);
}

#[test]
fn a_folder_is_open_once() {
    let folder = Folder::new();
    let store = folder.store();
    let again = RedbStore::open(folder.path(), small());
    assert!(matches!(again, Err(StoreError::InUse)));
    drop(store);
    folder.store();
}

#[test]
fn a_closed_store_says_so() {
    let folder = Folder::new();
    let store = folder.store();
    fill(&store, 1..2);
    store.close();
    store.close();
    assert!(!store.is_ready());
    let answer = wait(store.commit(commit(begin("INC-7", at(0), |_| {}))));
    assert!(matches!(
        answer,
        Err(CommitError::Store(StoreError::Closed))
    ));
    assert!(matches!(store.active(), Err(StoreError::Closed)));
    let list = store.list(&ListQuery::default());
    assert!(matches!(list, Err(StoreError::Closed)));
}

#[test]
fn a_key_is_forgotten_after_its_time_and_not_before() {
    let folder = Folder::new();
    let options = Options {
        remember_for: Duration::from_millis(10_000),
        ..small()
    };
    let open = || RedbStore::open(folder.path(), options.clone()).unwrap();
    let keyed = |number: &str, second, key: &str| {
        commit(under_key(&begin(number, at(second), |_| {}), key))
    };
    let store = open();
    commit_to(&store, keyed("INC-1", 0, "once"));
    let again = wait(store.commit(keyed("INC-2", 9, "once")));
    assert!(matches!(again, Err(CommitError::Remembered(_))));
    commit_to(&store, keyed("INC-2", 9, "other"));
    assert!(store.remembered("once").unwrap().is_some());
    commit_to(&store, keyed("INC-3", 10, "third"));
    assert!(store.remembered("once").unwrap().is_none());
    store.close();
    fs::remove_file(folder.views()).unwrap();

    let store = open();
    assert!(store.remembered("once").unwrap().is_none());
    assert!(store.remembered("other").unwrap().is_some());
    commit_to(&store, keyed("INC-4", 11, "once"));
    let remembered = store.remembered("once").unwrap().unwrap();
    assert_eq!(remembered.record, id("INC-4"));
    store.close();
    // Only what counts is kept: two keys, each with its time, besides what three of them left.
    let kept = rows(&folder.views());
    let keys = kept
        .iter()
        .filter(|(row, _)| row[0] == b'K' && row.len() == 17);
    assert_eq!(keys.count(), 3);
}

#[test]
fn verifying_tells_what_is_wrong() {
    let folder = Folder::new();
    let store = folder.store();
    fill(&store, 1..4);
    let report = store
        .verify(&|_, record, entry, encoded| {
            let mut folded = fold(None, record, entry, encoded)?;
            folded.version = 9;
            Ok(folded)
        })
        .unwrap();
    assert_eq!(report.problem_count, 3);
    assert_eq!(report.problems[0].record, Some(id("INC-1")));
    store.close();

    let database = redb::Database::open(folder.truth()).unwrap();
    let writing = database.begin_write().unwrap();
    {
        let mut journal = writing.open_table(crate::truth::JOURNAL).unwrap();
        journal.remove(2).unwrap();
    }
    writing.commit().unwrap();
    drop(database);
    let report = folder.store().verify(&fold).unwrap();
    assert_eq!(report.problem_count, 2, "{:?}", report.problems);
    assert!(report.problems[0].what.contains("lacks 2"));
    assert_eq!(report.problems[1].record, Some(id("INC-1")));
}
