//! `wright pack migrate`: the records in flight of a workflow, moved to the version in force batch by
//! batch. Broken off, it is begun again: what has been moved is passed over.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::io::IsTerminal as _;

use anyhow::{Context as _, Result};
use engine::{Batch, Migration};
use indicatif::{ProgressBar, ProgressStyle};
use model::id::RecordId;
use serde::Serialize;

use super::{Outcome, block_on, print};
use crate::admin::{self, Ask};
use crate::cli::{Format, MigrateArguments};

/// How many records that cannot be moved are told of one by one, for each reason.
const MAX_SHOWN: usize = 10;

/// What came of it.
#[derive(Debug, Default, Serialize)]
struct Report {
    /// Whether it was only found out what would become of each record.
    dry_run: bool,
    /// How many records were moved, or would be.
    moved: usize,
    /// How many run under the version in force already.
    there: usize,
    /// The records that cannot be moved, by why; they are as they were.
    stuck: BTreeMap<String, BTreeSet<RecordId>>,
}

/// Moves the records in flight of a workflow.
pub(super) fn run(arguments: MigrateArguments, format: Format) -> Result<Outcome> {
    let report = block_on(walk(arguments))?;
    print(format, &report, || told(&report))?;
    Ok(Outcome::done_if(report.stuck.is_empty()))
}

async fn walk(arguments: MigrateArguments) -> Result<Report> {
    let mut what = Migration {
        workflow: arguments.workflow,
        clocks: arguments.clocks.map(Into::into),
        dry_run: arguments.dry_run,
        after: None,
        limit: arguments.batch,
    };
    let mut report = Report {
        dry_run: what.dry_run,
        ..Report::default()
    };
    let mut moved = BTreeSet::new();
    let progress = progress();
    loop {
        let ask = Ask::Migrate(what.clone());
        let answer = admin::ask(&arguments.data.data, ask).await?;
        let batch: Batch =
            serde_json::from_value(answer).context("the server is of another version")?;
        progress.inc(batch.moved.len() as u64);
        // A record that changes meanwhile comes up again further on.
        report.there += batch.there;
        moved.extend(batch.moved);
        for (record, why) in batch.stuck {
            report.stuck.values_mut().for_each(|records| {
                records.remove(&record);
            });
            report.stuck.entry(why).or_default().insert(record);
        }
        match batch.next {
            Some(next) => what.after = Some(next),
            None => break,
        }
    }
    progress.finish_and_clear();
    report.stuck.retain(|_, records| !records.is_empty());
    report.moved = moved.len();
    if !report.dry_run {
        report.there = report.there.saturating_sub(report.moved);
    }
    Ok(report)
}

fn progress() -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("{spinner} {pos} moved, {per_sec}");
    let bar = ProgressBar::new_spinner();
    match style {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}

fn told(report: &Report) -> String {
    let stuck: usize = report.stuck.values().map(BTreeSet::len).sum();
    let (moved, cannot) = if report.dry_run {
        ("would be moved", "could not be")
    } else {
        ("moved", "cannot be, and are as they were")
    };
    let mut text = format!(
        "{} {moved}, {} there already, {stuck} {cannot}\n",
        report.moved, report.there
    );
    for (why, records) in &report.stuck {
        let shown: Vec<&str> = records
            .iter()
            .take(MAX_SHOWN)
            .map(RecordId::as_str)
            .collect();
        let more = match records.len().saturating_sub(MAX_SHOWN) {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        let _ = writeln!(text, "  {}{more}: {why}", shown.join(", "));
    }
    text
}
