//! The report of a replay: CSV, one line per case, in the order in which the cases begin.

use std::io::Write;

use definition::compile::Definitions;
use model::id::TargetId;
use model::record::{Clock, ClockStatus, Record, Verdict};
use model::{Duration, Instant};

use super::case::Case;

/// Writes the report as things stand at `end`.
pub(super) fn write(
    to: impl Write,
    cases: &[Case],
    targets: &[TargetId],
    definitions: &Definitions,
    end: Instant,
) -> Result<(), csv::Error> {
    let mut csv = csv::Writer::from_writer(to);
    let mut header: Vec<String> = [
        "case",
        "record",
        "events",
        "applied",
        "refused",
        "final_state",
    ]
    .map(str::to_owned)
    .to_vec();
    for target in targets {
        header.extend(["elapsed_s", "due", "verdict"].map(|what| format!("{target}_{what}")));
    }
    csv.write_record(&header)?;
    for case in cases {
        let record = case.record.as_deref();
        let text = |of: fn(&Record) -> String| record.map(of).unwrap_or_default();
        let mut line = vec![
            case.name.clone(),
            text(|record| record.id.to_string()),
            case.events.to_string(),
            case.applied.to_string(),
            case.refused.to_string(),
            text(|record| record.state.to_string()),
        ];
        for target in targets {
            let clock = record
                .and_then(|record| record.clocks.iter().find(|clock| clock.target == *target));
            line.extend(
                clock.map_or_else(Default::default, |clock| cells(clock, definitions, end)),
            );
        }
        csv.write_record(&line)?;
    }
    csv.flush()?;
    Ok(())
}

/// Elapsed, due and verdict of a clock.
fn cells(clock: &Clock, definitions: &Definitions, end: Instant) -> [String; 3] {
    let verdict = match clock.verdict() {
        Verdict::Met => "met",
        Verdict::Breached => "breached",
        Verdict::Running => "running",
        Verdict::Cancelled => "cancelled",
    };
    [
        elapsed(clock, definitions, end).as_secs().to_string(),
        clock.due.map(Instant::to_seconds_text).unwrap_or_default(),
        verdict.to_owned(),
    ]
}

/// The time that a clock has used by `end`.
pub(crate) fn elapsed(clock: &Clock, definitions: &Definitions, end: Instant) -> Duration {
    if clock.status != ClockStatus::Running {
        return clock.elapsed;
    }
    let pinned = clock.calendars.last().and_then(Option::as_ref);
    let calendar = pinned.and_then(|pinned| {
        let calendar = &definitions.calendars.get(&pinned.id)?.calendar;
        let zone = pinned.zone.as_ref().and_then(|zone| zone.parse().ok());
        Some(zone.map_or_else(|| calendar.clone(), |zone| calendar.in_zone(zone)))
    });
    let stretch = calendar.map_or_else(
        || end.since(clock.since),
        |calendar| calendar.between(clock.since, end),
    );
    clock.elapsed.saturating_add(stretch)
}
