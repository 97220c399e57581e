//! `wright clocks`: the promises of records as they were judged, and as the definitions in force judge
//! them from the same journal.

use std::fmt::Write as _;

use anyhow::{Context as _, Result};
use engine::ClocksQuery;
use model::Instant;
use model::id::RecordId;
use serde::Serialize;
use serde_json::Value;

use super::{Outcome, block_on, list, print, text};
use crate::admin::{self, Ask};
use crate::cli::{ClocksArguments, Format};

/// What came of it.
#[derive(Debug, Default, Serialize)]
struct Report {
    /// How many records were judged.
    judged: usize,
    /// How many of them come to something else now.
    differ: usize,
    /// The records: all that were named; else those that come to something else, or could not be judged in
    /// full.
    records: Vec<Value>,
}

pub(super) fn run(arguments: ClocksArguments, format: Format) -> Result<Outcome> {
    let report = block_on(walk(arguments))?;
    print(format, &report, || told(&report))?;
    Ok(Outcome::Done)
}

async fn walk(arguments: ClocksArguments) -> Result<Report> {
    let mut report = Report::default();
    let data = &arguments.data.data;
    for record in &arguments.records {
        let ask = Ask::Clocks {
            record: Some(record.clone()),
            query: ClocksQuery::default(),
        };
        let answer = admin::ask(data, ask).await?;
        report.add(&answer, true);
    }
    if !arguments.records.is_empty() {
        return Ok(report);
    }
    let mut query = ClocksQuery {
        workflow: arguments.workflow,
        since: arguments.since,
        after: None,
    };
    loop {
        let ask = Ask::Clocks {
            record: None,
            query: query.clone(),
        };
        let mut answer = admin::ask(data, ask).await?;
        report.add(&answer, false);
        let next: Option<(Instant, RecordId)> = serde_json::from_value(answer["next"].take())
            .context("the server is of another version")?;
        match next {
            Some(next) => query.after = Some(next),
            None => return Ok(report),
        }
    }
}

impl Report {
    fn add(&mut self, answer: &Value, is_named: bool) {
        for record in list(answer, "records") {
            let differs = !list(record, "differences").is_empty();
            self.judged += 1;
            self.differ += usize::from(differs);
            if is_named || differs || !list(record, "notes").is_empty() {
                self.records.push(record.clone());
            }
        }
    }
}

fn told(report: &Report) -> String {
    let mut told = String::new();
    for record in &report.records {
        let _ = writeln!(told, "{}", text(record, "record"));
        for clock in list(record, "now") {
            let of = |clock: &Value| {
                format!("{}/{}", text(clock, "service_level"), text(clock, "target"))
            };
            let then = list(record, "then")
                .iter()
                .find(|then| of(then) == of(clock));
            let _ = writeln!(
                told,
                "  {}\n    then {}\n    now  {}",
                of(clock),
                then.map_or_else(|| "none".to_owned(), clock_told),
                clock_told(clock)
            );
        }
        for difference in list(record, "differences") {
            let why = text(difference, "why");
            let why = if why.is_empty() {
                String::new()
            } else {
                format!(" ({why})")
            };
            let _ = writeln!(
                told,
                "  {} of {}: {}, now {}{why}",
                text(difference, "what"),
                text(difference, "clock"),
                text(difference, "then"),
                text(difference, "now"),
            );
        }
        for note in list(record, "notes").iter().filter_map(Value::as_str) {
            let _ = writeln!(told, "  note: {note}");
        }
    }
    let _ = writeln!(
        told,
        "{} judged, {} of them otherwise now",
        report.judged, report.differ
    );
    told
}

fn clock_told(clock: &Value) -> String {
    let goal = clock.get("goal").and_then(Value::as_object);
    let goal = goal
        .and_then(|goal| goal.values().next())
        .and_then(Value::as_str);
    let mut told = format!("{}, {}", text(clock, "verdict"), text(clock, "status"));
    let _ = write!(told, ", goal {}", goal.unwrap_or("none"));
    for (name, called) in [
        ("calendar", "in"),
        ("zone", "on the clocks of"),
        ("due", "due"),
        ("breached_at", "breached"),
    ] {
        let value = text(clock, name);
        if !value.is_empty() {
            let _ = write!(told, " {called} {value}");
        }
    }
    let used = clock
        .get("elapsed_s")
        .and_then(Value::as_u64)
        .unwrap_or_default();
    let _ = write!(told, ", {} used", model::Duration::from_secs(used));
    told
}

#[cfg(test)]
mod tests {
    use expect_test::expect;
    use serde_json::json;

    use super::{Report, told};

    #[test]
    fn both_verdicts_stand_side_by_side() {
        let clock = |goal: &str, verdict: &str, due: &str| {
            json!({
                "service_level": "standard", "target": "resolution", "status": "stopped", "goal": { "within": goal },
                "calendar": "office", "started_at": "2026-03-02T08:00:00Z", "elapsed_s": 10_800,
                "since": "2026-03-02T11:00:00Z", "due": due, "verdict": verdict,
            })
        };
        let mut report = Report::default();
        report.add(
            &json!({ "records": [
                { "record": "INC-1", "then": [clock("PT2H", "breached", "2026-03-02T10:00:00Z")],
                  "now": [clock("PT4H", "met", "2026-03-02T12:00:00Z")],
                  "differences": [{ "clock": "standard/resolution", "what": "verdict", "then": "breached", "now": "met",
                                    "why": "the row p1 of the table goals" }],
                  "notes": ["at 2026-03-02T08:00:00Z: what `contract-hours` would answer is not known, its fallback counts"] },
                { "record": "INC-2", "then": [], "now": [], "differences": [], "notes": [] },
            ] }),
            false,
        );
        expect![[r"
            INC-1
              standard/resolution
                then breached, stopped, goal PT2H in office due 2026-03-02T10:00:00Z, PT3H used
                now  met, stopped, goal PT4H in office due 2026-03-02T12:00:00Z, PT3H used
              verdict of standard/resolution: breached, now met (the row p1 of the table goals)
              note: at 2026-03-02T08:00:00Z: what `contract-hours` would answer is not known, its fallback counts
            2 judged, 1 of them otherwise now
        "]]
        .assert_eq(&told(&report));
    }
}
