//! `wright simulate`: what changed definitions would have made of the history in a data folder, which is
//! only read.

#[cfg(test)]
mod desk;
#[cfg(test)]
mod kinds;
#[cfg(test)]
mod tests;

use std::fmt::Write as _;
use std::sync::Arc;

use anyhow::{Context as _, Result, anyhow};
use definition::lint::lint;
use definition::pack::Pack;
use engine::{Change, Kind, OfRecord, OfWorkflow, RecordDifference, Simulated, Trial, simulate};
use model::Instant;
use plugin_host::{Options, WasmPlugins};
use store::Archive;

use super::install::files;
use super::{Outcome, block_on, print};
use crate::cli::{Format, SimulateArguments};
use crate::desk::plugin_options;

/// Bytes of pages of the history kept in memory.
const CACHE_BYTES: usize = 256 << 20;
/// The longest bar of a histogram, in characters.
const BAR: u64 = 30;
/// How many lines a histogram of one thing has.
const LINES: usize = 12;
/// How many differences of a record are told to people.
const DIFFERENCES: usize = 8;

pub(super) fn run(arguments: &SimulateArguments, format: Format) -> Result<Outcome> {
    let simulated = block_on(simulated(arguments))?;
    print(format, &simulated, || told(&simulated))?;
    Ok(Outcome::Done)
}

async fn simulated(arguments: &SimulateArguments) -> Result<Simulated> {
    let files = files(&arguments.pack)?;
    let pack =
        Pack::read(&files.texts).map_err(|found| anyhow!("the pack is not right:\n{found}"))?;
    let found = lint(&pack);
    if found.has_errors() {
        return Err(anyhow!("the pack is not right:\n{found}"));
    }
    let archive = Archive::open(&arguments.against, CACHE_BYTES)?;
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let options = Options {
        // The folder of the data is left as it is.
        cache: arguments.plugin_cache.clone(),
        concurrent_calls: u32::try_from(threads * 2).unwrap_or(u32::MAX),
        breakers: false,
        ..plugin_options(&arguments.against, None)
    };
    let plugins = WasmPlugins::new(options)?;
    let trial = Trial {
        pack,
        components: Arc::new(move |file| files.component(file).map(<[u8]>::to_vec)),
        since: arguments.since,
        workflow: arguments.workflow.clone(),
        follow: arguments.follow,
        worst: usize::try_from(arguments.worst).unwrap_or(usize::MAX),
    };
    let simulated = simulate(Arc::new(archive), Arc::new(plugins), trial).await;
    simulated.context("the history cannot be simulated")
}

fn told(simulated: &Simulated) -> String {
    let (pack, version) = (&simulated.pack, &simulated.version);
    let total = simulated.total;
    let mut told = format!(
        "{pack} {version} on the history up to {}: {} records, {} the same, {} differ, {} of them diverged\n",
        minute(simulated.until),
        total.records,
        total.same,
        total.differ,
        total.diverged
    );
    let hooks = simulated.hooks;
    if hooks.journaled + hooks.afresh > 0 {
        let _ = writeln!(
            told,
            "plugins: {} answers of then, {} asked afresh, {} of them without an answer",
            hooks.journaled, hooks.afresh, hooks.failed
        );
    }
    table(&mut told, simulated);
    for (workflow, of) in &simulated.workflows {
        histograms(&mut told, workflow.as_str(), of);
    }
    if !simulated.worst.is_empty() {
        let count = simulated.worst.len();
        let _ = writeln!(told, "\nthe {count} that differ most");
    }
    for record in &simulated.worst {
        worst(&mut told, record);
    }
    told
}

/// A line a workflow: how many records, how many differ, and by which kind of difference.
fn table(told: &mut String, simulated: &Simulated) {
    let kinds: Vec<_> = Kind::ALL
        .into_iter()
        .filter(|kind| {
            simulated
                .workflows
                .values()
                .any(|of| of.kinds.contains_key(kind))
        })
        .collect();
    let widest = simulated.workflows.keys().map(|it| it.as_str().len()).max();
    let first = widest.unwrap_or_default().max("workflow".len());
    let _ = write!(
        told,
        "\n{:first$}  records     same   differ  diverged",
        "workflow"
    );
    for kind in &kinds {
        let _ = write!(told, "  {:>6}", kind.as_str());
    }
    told.push('\n');
    for (workflow, of) in &simulated.workflows {
        let counts = of.counts;
        let _ = write!(
            told,
            "{:first$}  {:>7}  {:>7}  {:>7}  {:>8}",
            workflow.as_str(),
            counts.records,
            counts.same,
            counts.differ,
            counts.diverged
        );
        for kind in &kinds {
            let width = kind.as_str().len().max(6);
            let records = of.kinds.get(kind).copied().unwrap_or_default();
            let _ = write!(told, "  {records:>width$}");
        }
        told.push('\n');
    }
}

/// For each thing that changed, from what to what, with a bar as long as there are many.
fn histograms(told: &mut String, workflow: &str, of: &OfWorkflow) {
    let things = of
        .changes
        .chunk_by(|a, b| (a.kind, &a.what) == (b.kind, &b.what));
    for changes in things {
        let Some(first) = changes.first() else {
            continue;
        };
        let _ = writeln!(told, "\n{workflow}: {} {}", first.kind.as_str(), first.what);
        let most = changes.iter().map(|it| it.records).max().unwrap_or(1);
        let shown = &changes[..changes.len().min(LINES)];
        let widest = shown.iter().map(|it| change(it).chars().count()).max();
        let width = widest.unwrap_or_default();
        for it in shown {
            let long = (it.records * BAR).div_ceil(most.max(1));
            let bar = "█".repeat(usize::try_from(long).unwrap_or_default());
            let text = change(it);
            let pad = " ".repeat(width.saturating_sub(text.chars().count()));
            let _ = writeln!(told, "  {text}{pad}  {:>7}  {bar}", it.records);
        }
        let rest: u64 = changes[shown.len()..].iter().map(|it| it.records).sum();
        if rest > 0 {
            let _ = writeln!(told, "  and {rest} more, changed otherwise");
        }
    }
}

fn change(change: &Change) -> String {
    if change.then.is_empty() {
        return change.now.clone();
    }
    format!("{} -> {}", change.then, change.now)
}

fn worst(told: &mut String, record: &OfRecord) {
    let _ = write!(told, "\n{} ({})", record.record, record.workflow);
    match &record.diverged {
        Some(diverged) => {
            let _ = writeln!(
                told,
                " diverged at {}: {}",
                minute(diverged.at),
                diverged.why
            );
        }
        None => told.push('\n'),
    }
    for difference in record.differences.iter().take(DIFFERENCES) {
        let _ = writeln!(told, "  {}", sentence(difference));
    }
    let more = record.differences.len().saturating_sub(DIFFERENCES) as u64 + record.more;
    if more > 0 {
        let _ = writeln!(told, "  and {more} more");
    }
}

/// A difference in a sentence: when, what, then, now, why.
fn sentence(difference: &RecordDifference) -> String {
    let RecordDifference {
        kind,
        what,
        then,
        now,
        ..
    } = difference;
    let mut told = format!("{} ", minute(difference.at));
    let _ = match kind {
        Kind::Impossible => write!(told, "`{what}`, taken {then}, is {now}"),
        Kind::Undecided => write!(told, "the approval {what} is undecided"),
        Kind::UnneededVote => write!(told, "the vote {what} is not needed"),
        Kind::Field | Kind::State | Kind::Route | Kind::Verdict => {
            write!(told, "{what} {now}, then {then}")
        }
        Kind::Approvers => write!(told, "approvers of {what}: {now}; then {then}"),
        Kind::Approval => write!(told, "the approval in {what} ended {now}, then {then}"),
        Kind::Goal => write!(told, "{what} within {now}, then {then}"),
        Kind::Due => write!(told, "{what} due {now}, then {then}"),
    };
    if !difference.lasts {
        told.push_str(", for a while");
    }
    if let Some(why) = &difference.why {
        let _ = write!(told, " ({why})");
    }
    told
}

/// An instant to the minute, in UTC.
fn minute(at: Instant) -> String {
    at.to_utc().format("%Y-%m-%d %H:%M").to_string()
}
