//! Stories of whole replays: a small log written here, and the real one where it is at hand.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use expect_test::expect;
use model::{Duration, Instant};

use super::{ReplayArguments, ReplayError, Replayed, replay};
use crate::embedded;

/// Two cases: one is taken at once, waits for the user over the first of May, and is closed; the
/// other is queued first, resolved, and taken up again.
const SMALL: &str = "\
case,seq,time,status,substatus,impact,product,group,team_line,function_division,resource,resource_country,country
A,1,2012-04-30T08:00:00Z,Accepted,In Progress,High,P1,G1,L1,F1,Ada,Sweden,se
B,1,2012-04-30T14:00:00Z,Queued,Awaiting Assignment,Major,P2,G2,L1,,Siebel,0,0
A,2,2012-04-30T14:00:00Z,Accepted,Wait - User,High,P1,G1,L1,F1,Ada,Sweden,se
B,2,2012-04-30T14:00:00Z,Queued,Awaiting Assignment,Major,P2,G3,L1,,Siebel,0,0
B,3,2012-05-02T07:30:00Z,Accepted,In Progress,Major,P2,G3,L1,F2,-,0,0
A,3,2012-05-02T08:00:00Z,Accepted,In Progress,High,P1,G1,L1,F1,Ada,Sweden,se
A,4,2012-05-02T10:00:00Z,Completed,Resolved,High,P1,G1,L1,F1,Ada,Sweden,se
B,4,2012-05-02T12:30:00Z,Completed,Resolved,Major,P2,G3,L1,F2,Bo,Sweden,0
B,5,2012-05-02T13:00:00Z,Accepted,In Progress,Major,P2,G3,L1,F2,Bo,Sweden,0
A,5,2012-05-07T23:00:00Z,Completed,Closed,High,P1,G1,L1,F1,Siebel,0,se
";

fn example(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../examples/volvo")
        .join(name)
}

/// Replays in a folder of its own; gives what came of it and the report. None where the binary
/// carries no plugins, which the example's pack puts to use.
async fn replayed(log: &Path, mapping: &Path) -> Option<(Replayed, String)> {
    if embedded::plugin("skills-router.wasm").is_none() {
        eprintln!("skipped: build the plugins first, with `cargo xtask build --plugins`");
        return None;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let arguments = ReplayArguments {
        event_log: log.to_owned(),
        mapping: mapping.to_owned(),
        data: Some(folder.path().join("data")),
        report: Some(folder.path().join("report.csv")),
    };
    let replayed = replay(&arguments).await.expect("replayed");
    let report = std::fs::read_to_string(folder.path().join("report.csv")).expect("a report");
    Some((replayed, report))
}

async fn replayed_small(mapping: &Path) -> Option<(Replayed, String)> {
    let folder = tempfile::tempdir().expect("a folder");
    let log = folder.path().join("small.csv");
    std::fs::write(&log, SMALL).expect("written");
    replayed(&log, mapping).await
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_promised_is_counted_in_the_calendar_of_the_mapping() {
    // High gives 8 hours. Round the clock A used 6 before the wait and 2 after it; in office hours,
    // open from 6 to 16 UTC and closed on the first of May, the same. Major gives 4 hours, and
    // the goal of B is used up on the day it began, or on the morning after the holiday.
    let Some((_, round_the_clock)) = replayed_small(&example("mapping-24x7.yaml")).await else {
        return;
    };
    expect![[r#"
        case,record,events,applied,refused,final_state,resolution_elapsed_s,resolution_due,resolution_verdict,response_elapsed_s,response_due,response_verdict
        A,INC-1,5,5,0,completed-closed,28800,2012-05-02T10:00:00Z,met,0,2012-04-30T10:00:00Z,met
        B,INC-2,5,5,0,accepted-in-progress,167400,2012-04-30T18:00:00Z,breached,149400,2012-04-30T15:00:00Z,breached
    "#]]
    .assert_eq(&round_the_clock);
    let Some((_, office)) = replayed_small(&example("mapping-office.yaml")).await else {
        return;
    };
    expect![[r#"
        case,record,events,applied,refused,final_state,resolution_elapsed_s,resolution_due,resolution_verdict,response_elapsed_s,response_due,response_verdict
        A,INC-1,5,5,0,completed-closed,28800,2012-05-02T10:00:00Z,met,0,2012-04-30T10:00:00Z,met
        B,INC-2,5,5,0,accepted-in-progress,30600,2012-05-02T08:00:00Z,breached,12600,2012-04-30T15:00:00Z,breached
    "#]]
    .assert_eq(&office);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_move_that_the_workflow_does_not_have_is_refused_and_the_case_goes_on() {
    let folder = tempfile::tempdir().expect("a folder");
    let log = folder.path().join("small.csv");
    // Nothing leads from completed to assigned but from `Resolved`; from `In Call` nothing does.
    let text = SMALL
        .replace("Completed,Resolved,High", "Completed,In Call,High")
        .replace("Completed,Closed,High", "Accepted,Assigned,High");
    std::fs::write(&log, text).expect("written");
    let Some((replayed, report)) = replayed(&log, &example("mapping-24x7.yaml")).await else {
        return;
    };
    assert_eq!(
        (replayed.events, replayed.applied, replayed.refused),
        (10, 9, 1)
    );
    assert!(
        report.contains("\nA,INC-1,5,4,1,completed-in-call,"),
        "{report}"
    );
    let told = replayed.refusals.join("\n");
    assert!(told.starts_with("row 11 (case A): "), "{told}");
    assert!(told.contains("to-accepted-assigned"), "{told}");
}

#[tokio::test]
async fn a_folder_that_holds_something_is_left_alone() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("mine"), "").expect("written");
    let log = folder.path().join("small.csv");
    std::fs::write(&log, SMALL).expect("written");
    let arguments = ReplayArguments {
        event_log: log,
        mapping: example("mapping-24x7.yaml"),
        data: Some(folder.path().to_owned()),
        report: None,
    };
    assert!(matches!(
        replay(&arguments).await,
        Err(ReplayError::NotEmpty(_))
    ));
}

/// The whole log of the example, held to a reckoning of its own: round the clock, business time is
/// time as it passes.
#[tokio::test(flavor = "multi_thread")]
async fn the_real_log_is_replayed_whole_and_as_a_plain_count_says() {
    let log =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/volvo-incidents.csv.gz");
    if !log.exists() {
        eprintln!("skipped: {} is not there", log.display());
        return;
    }
    let Some((replayed, report)) = replayed(&log, &example("mapping-24x7.yaml")).await else {
        return;
    };
    assert_eq!(
        (replayed.events, replayed.applied, replayed.refused),
        (65_533, 65_533, 0)
    );

    let cases = plain_cases(&log);
    let end = cases
        .values()
        .flatten()
        .map(|event| event.time)
        .max()
        .expect("events");
    let mut lines = csv::Reader::from_reader(report.as_bytes());
    let mut seen = 0;
    for line in lines.records() {
        let line = line.expect("a line");
        let events = &cases[&line[0]];
        let resolution = count(
            events,
            end,
            [4, 8, 24, 40],
            |state| state.starts_with("Completed"),
            |state| state.contains("/Wait"),
        );
        let response = count(
            events,
            end,
            [1, 2, 4, 8],
            |state| state == "Accepted/In Progress",
            |_| false,
        );
        let reported = |from: usize| (line[from].to_owned(), line[from + 2].to_owned());
        assert_eq!(reported(6), resolution, "resolution of {}", &line[0]);
        assert_eq!(reported(9), response, "response of {}", &line[0]);
        seen += 1;
    }
    assert_eq!(seen, 7_554);
}

struct PlainEvent {
    time: Instant,
    state: String,
    impact: String,
}

fn plain_cases(log: &Path) -> HashMap<String, Vec<PlainEvent>> {
    let file = std::fs::File::open(log).expect("opened");
    let mut csv = csv::Reader::from_reader(flate2::read::GzDecoder::new(file));
    let mut cases: HashMap<String, Vec<PlainEvent>> = HashMap::new();
    for row in csv.records() {
        let row = row.expect("a row");
        let event = PlainEvent {
            time: row[2].parse().expect("a time"),
            state: format!("{}/{}", &row[3], &row[4]),
            impact: row[5].to_owned(),
        };
        cases.entry(row[0].to_owned()).or_default().push(event);
    }
    cases
}

/// Seconds used and verdict, from the events alone.
fn count(
    events: &[PlainEvent],
    end: Instant,
    hours: [u64; 4],
    stops: impl Fn(&str) -> bool,
    pauses: impl Fn(&str) -> bool,
) -> (String, String) {
    let place = ["Major", "High", "Medium", "Low"]
        .iter()
        .position(|impact| *impact == events[0].impact);
    let goal = hours[place.expect("an impact")] * 3_600;
    let mut used = Duration::ZERO;
    let mut stopped = false;
    for (place, event) in events.iter().enumerate() {
        stopped = stops(&event.state);
        if stopped {
            break;
        }
        if !pauses(&event.state) {
            let until = events.get(place + 1).map_or(end, |next| next.time);
            used = used.saturating_add(until.since(event.time));
        }
    }
    let verdict = match (used.as_secs() > goal, stopped) {
        (true, _) => "breached",
        (false, true) => "met",
        (false, false) => "running",
    };
    (used.as_secs().to_string(), verdict.to_owned())
}
