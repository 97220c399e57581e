//! A simulation held to the truth: a log replayed under one pack, simulated under another, and the same
//! log replayed under that one too. What the simulation says differs is what differs between the two.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use engine::fold;
use engine::port::Store as _;
use engine::{Kind, RecordDifference, Simulated};
use flate2::read::MultiGzDecoder;
use model::command::Action;
use model::id::RecordId;
use model::journal::{Item, encode};
use model::record::Record;
use model::{Digest, Instant};
use store::Archive;

use super::simulated;
use crate::cli::SimulateArguments;
use crate::embedded;
use crate::replay::{ReplayArguments, replay};

fn example() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/volvo")
}

/// The real log; none where it is not at hand, or the binary carries no plugins.
fn log() -> Option<PathBuf> {
    let log =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/volvo-incidents.csv.gz");
    if !log.exists() {
        eprintln!("skipped: {} is not there", log.display());
        return None;
    }
    if embedded::plugin("skills-router.wasm").is_none() {
        eprintln!("skipped: build the plugins first, with `cargo xtask build --plugins`");
        return None;
    }
    Some(log)
}

/// The first lines of the log, in a file of its own.
fn slice(log: &Path, lines: usize, into: &Path) {
    let file = fs::File::open(log).expect("the log");
    let mut slice = fs::File::create(into).expect("a file");
    let all = BufReader::new(MultiGzDecoder::new(file)).lines();
    for line in all.take(lines) {
        writeln!(slice, "{}", line.expect("a line")).expect("written");
    }
}

/// The example's pack in a folder, with these words in the place of others, by file.
fn pack(folder: &Path, changes: &[(&str, &str, &str)]) {
    copy(&example(), folder);
    for (file, from, to) in changes {
        let path = folder.join(file);
        let text = fs::read_to_string(&path).expect("a file");
        assert!(text.contains(from), "{file} has {from}");
        fs::write(&path, text.replace(from, to)).expect("written");
    }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a folder");
    for entry in fs::read_dir(from).expect("a folder") {
        let path = entry.expect("an entry").path();
        let into = to.join(path.file_name().expect("a name"));
        if path.is_dir() {
            copy(&path, &into);
        } else {
            fs::copy(&path, &into).expect("copied");
        }
    }
}

async fn replayed(log: &Path, pack: &Path, data: &Path) {
    let arguments = ReplayArguments {
        event_log: log.to_owned(),
        mapping: pack.join("mapping-office.yaml"),
        data: Some(data.to_owned()),
        report: Some(data.with_extension("csv")),
    };
    let replayed = replay(&arguments).await.expect("replayed");
    assert_eq!(replayed.refused, 0);
}

fn arguments(pack: &Path, data: &Path) -> SimulateArguments {
    SimulateArguments {
        pack: pack.to_str().expect("a path of text").to_owned(),
        against: data.to_owned(),
        since: None,
        workflow: None,
        follow: false,
        worst: 1_000_000,
        plugin_cache: None,
    }
}

/// What is compared of a record at the end.
type Outcome = BTreeMap<String, String>;

fn outcome(record: &Record) -> Outcome {
    let mut outcome = passing(record);
    for clock in &record.clocks {
        let name = format!("{}/{}", clock.service_level, clock.target);
        let calendar = clock.calendars.last().and_then(Option::as_ref);
        let goal = (clock.goal, calendar.map(|calendar| calendar.id.clone()));
        let due = clock
            .due
            .map_or("none".to_owned(), Instant::to_seconds_text);
        outcome.insert(format!("goal {name}"), format!("{goal:?}"));
        outcome.insert(format!("verdict {name}"), format!("{:?}", clock.verdict()));
        outcome.insert(format!("due {name}"), due);
    }
    outcome
}

/// What is compared of a record after every event of the log.
fn passing(record: &Record) -> Outcome {
    let mut outcome: Outcome = record
        .fields
        .iter()
        .map(|(field, value)| (format!("field {field}"), value.to_json().to_string()))
        .collect();
    outcome.insert("state state".to_owned(), record.state.to_string());
    let (team, assignee) = (&record.team, &record.assignee);
    outcome.insert("route team".to_owned(), format!("{team:?}"));
    outcome.insert("route assignee".to_owned(), format!("{assignee:?}"));
    outcome
}

/// Of each record in a folder: what it came to, and what it was after every event.
fn outcomes(data: &Path) -> BTreeMap<RecordId, (Outcome, Vec<Outcome>)> {
    let archive = Archive::open(data, 64 << 20).expect("the data");
    let mut records: BTreeMap<RecordId, (Option<Record>, Vec<Outcome>)> = BTreeMap::new();
    let mut position = 0;
    loop {
        let items = archive.journal(position, 1_000).expect("the journal");
        let Some((last, _)) = items.last() else { break };
        position = *last;
        for (_, item) in items {
            let Item::Record { id, entry, .. } = item else {
                continue;
            };
            let (record, course) = records.entry(id.clone()).or_default();
            let folded = fold(record.take(), &id, &entry, &encode(&entry)).expect("it folds");
            if entry.command.action != Action::Wake {
                course.push(passing(&folded));
            }
            *record = Some(folded);
        }
    }
    let ends = records.into_iter().map(|(id, (record, course))| {
        let record = record.expect("a record");
        (id, (outcome(&record), course))
    });
    ends.collect()
}

fn differing(one: &Outcome, other: &Outcome) -> BTreeSet<String> {
    let names: BTreeSet<_> = one.keys().chain(other.keys()).collect();
    let differs = names
        .into_iter()
        .filter(|name| one.get(*name) != other.get(*name));
    differs.cloned().collect()
}

fn name(difference: &RecordDifference) -> String {
    format!("{} {}", difference.kind.as_str(), difference.what)
}

/// Holds what a simulation says to what two replays came to: record by record and thing by thing.
fn check(simulated: &Simulated, before: &Path, after: &Path) -> usize {
    let (before, after) = (outcomes(before), outcomes(after));
    assert!(
        before.keys().eq(after.keys()),
        "the records have the same numbers"
    );
    assert_eq!(simulated.total.records, before.len() as u64);
    assert_eq!(simulated.total.diverged, 0);
    let mut told: BTreeMap<_, _> = simulated.worst.iter().map(|of| (&of.record, of)).collect();
    assert_eq!(told.len() as u64, simulated.total.differ);
    let mut differ = 0;
    for (id, (end, course)) in &before {
        let (other_end, other_course) = &after[id];
        assert_eq!(course.len(), other_course.len(), "{id} has the same events");
        let lasting = differing(end, other_end);
        let steps = course.iter().zip(other_course);
        let ever: BTreeSet<_> = steps
            .flat_map(|(one, other)| differing(one, other))
            .collect();
        let of = told.remove(id);
        let differences = of.iter().flat_map(|of| &of.differences);
        let lasts = differences.clone().filter(|it| it.lasts);
        assert_eq!(lasts.map(name).collect::<BTreeSet<_>>(), lasting, "{id}");
        let all: BTreeSet<_> = differences.clone().map(name).collect();
        assert_eq!(all, ever.union(&lasting).cloned().collect(), "{id}");
        for it in differences.filter(|it| it.lasts && it.kind == Kind::Due) {
            assert_eq!(
                (&it.then, &it.now),
                (&end[&name(it)], &other_end[&name(it)])
            );
        }
        differ += usize::from(!lasting.is_empty());
    }
    assert!(told.is_empty(), "nothing else is told");
    differ
}

/// Another row of the priority table, and offices that close an hour sooner.
const CHANGES: &[(&str, &str, &str)] = &[
    (
        "workflows/incident.yaml",
        "      major-impact:",
        "      from-sweden: { place: { before: high-impact-high }, when: \"impact == 'high' && country == 'se'\", then: { priority: p1 } }\n      major-impact:",
    ),
    ("calendars/office.yaml", "08:00-18:00", "08:00-17:00"),
];

async fn held_to_two_replays(log: &Path) {
    let folder = tempfile::tempdir().expect("a folder");
    let [old, new, before, after] =
        ["old", "new", "before", "after"].map(|name| folder.path().join(name));
    pack(&old, &[]);
    pack(&new, CHANGES);
    replayed(log, &old, &before).await;
    replayed(log, &new, &after).await;
    let digests = || digests(&before);
    let files = digests();

    let same = simulated(&arguments(&old, &before))
        .await
        .expect("simulated");
    assert_eq!((same.total.differ, same.identical), (0, same.total.records));
    let begun = std::time::Instant::now();
    let changed = simulated(&arguments(&new, &before))
        .await
        .expect("simulated");
    let took = begun.elapsed();
    let differ = check(&changed, &before, &after);
    assert!(differ > 0 && changed.total.same > 0, "some differ, not all");
    for kind in [Kind::Field, Kind::Due, Kind::Verdict] {
        assert!(changed.workflows["incident"].kinds.contains_key(&kind));
    }
    assert_eq!(digests(), files, "the data are left as they were");
    eprintln!(
        "{} records, {} differ at the end, simulated in {:.1} s",
        changed.total.records,
        differ,
        took.as_secs_f64()
    );
}

pub(super) fn digests(folder: &Path) -> BTreeMap<PathBuf, Digest> {
    let files = fs::read_dir(folder).expect("a folder");
    let files = files.map(|file| {
        let path = file.expect("a file").path();
        let digest = Digest::of(&fs::read(&path).expect("a file"));
        (path, digest)
    });
    files.collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_differs_is_what_two_replays_come_to() {
    let Some(log) = log() else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let part = folder.path().join("part.csv");
    slice(&log, 4_000, &part);
    held_to_two_replays(&part).await;
}

/// All 7,554 cases: minutes where it is not optimised.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes minutes; run it optimised"]
async fn what_differs_in_the_whole_log_is_what_two_replays_come_to() {
    let Some(log) = log() else { return };
    held_to_two_replays(&log).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_that_is_in_use_or_none_is_told() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    let error = simulated(&arguments(&example(), &data))
        .await
        .expect_err("no data");
    assert!(error.to_string().contains("has no truth.redb"), "{error}");

    let store = store::RedbStore::open(&data, store::Options::default()).expect("a store");
    let error = simulated(&arguments(&example(), &data))
        .await
        .expect_err("in use");
    assert!(error.to_string().contains("stop it"), "{error}");
    // Copied while it was written to, it has not been closed in order.
    let copy = folder.path().join("copy");
    self::copy(&data, &copy);
    let error = simulated(&arguments(&example(), &copy))
        .await
        .expect_err("not closed");
    assert!(error.to_string().contains("wright verify"), "{error}");
    Arc::new(store).close();
}
