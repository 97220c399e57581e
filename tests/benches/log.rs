//! A log of real incidents: replayed, every journal folded, and the history simulated under
//! another priority table and another calendar. Folding reads all that a simulation reads, and is its
//! limit. `cargo xtask bench --only log` builds what it needs and runs it; the log lies beside the
//! repository, or nothing is measured.

use std::process::{Command, Output};
use std::time::{Duration, Instant};

use test_support::{binary, copy_folder, repository};

/// How many events the log has.
const EVENTS: u32 = 65_533;

/// Another row of the priority table, and offices that close an hour sooner.
const CHANGES: [(&str, &str, &str); 2] = [
    (
        "workflows/incident.yaml",
        "      major-impact:",
        "      from-sweden: { place: { before: high-impact-high }, when: \"impact == 'high' && country == 'se'\", then: { priority: p1 } }\n      major-impact:",
    ),
    ("calendars/office.yaml", "08:00-18:00", "08:00-17:00"),
];

fn main() {
    let repository = repository();
    let log = repository.join("../shared/data/volvo-incidents.csv.gz");
    if !log.exists() {
        println!("log: skipped, {} is not there", log.display());
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let [data, report, changed] = ["data", "report.csv", "pack"].map(|it| folder.path().join(it));
    let example = repository.join("examples/volvo");
    let (replayed, _) = timed(
        Command::new(binary())
            .arg("replay")
            .arg(&log)
            .arg("--mapping")
            .arg(example.join("mapping-office.yaml"))
            .arg("--data")
            .arg(&data)
            .arg("--report")
            .arg(report),
    );
    println!(
        "replay: {EVENTS} events in {replayed:.1?}, {:.0} events/s (target 15,000)",
        f64::from(EVENTS) / replayed.as_secs_f64()
    );

    let verify = ["verify", "--data"];
    let (folded, _) = timed(Command::new(binary()).args(verify).arg(&data));
    println!("limit: every journal read and folded in {folded:.1?}");

    copy_folder(&example, &changed);
    for (file, from, to) in CHANGES {
        let path = changed.join(file);
        let text = std::fs::read_to_string(&path).expect("a file of the example");
        assert!(text.contains(from), "{file} has {from}");
        std::fs::write(&path, text.replace(from, to)).expect("written");
    }
    let cache = folder.path().join("plugins");
    for plugins in ["compiled first", "compiled before"] {
        let mut simulate = Command::new(binary());
        simulate.arg("simulate").arg(&changed);
        simulate.arg("--against").arg(&data);
        simulate.arg("--plugin-cache").arg(&cache);
        let (simulated, output) = timed(simulate.args(["--format", "json"]));
        let told: serde_json::Value =
            serde_json::from_slice(&output.stdout).expect("a report in JSON");
        println!(
            "simulate: {} records in {simulated:.1?} (target 10 s), plugins {plugins}: {} differ; {} answers of then, {} asked afresh",
            told["total"]["records"],
            told["total"]["differ"],
            told["hooks"]["journaled"],
            told["hooks"]["afresh"]
        );
    }
}

fn timed(command: &mut Command) -> (Duration, Output) {
    let begun = Instant::now();
    let output = command.output().expect("the binary runs");
    let took = begun.elapsed();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {said}");
    (took, output)
}
