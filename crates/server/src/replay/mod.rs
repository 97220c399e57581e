//! `wright replay`: an event log of another tool, driven through the real engine, plugins and store
//! with the log's own times as the clock. [`mapping`] says what the log means, [`log`] reads it.

mod case;
mod clock;
mod driver;
pub mod log;
pub mod mapping;
mod report;
#[cfg(test)]
mod tests;

use std::io::{self, BufWriter, IsTerminal as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use ::definition::pack::Pack;
use ::definition::source::Diagnostics;
use clap::Args;
use engine::{Engine, EngineError};
use indicatif::{ProgressBar, ProgressStyle};
use plugin_host::WasmPlugins;
use store::RedbStore;
use thiserror::Error;

pub(crate) use report::elapsed;

use crate::pack_files::{PackFiles, PackFilesError};
use case::Case;
use clock::LogClock;
use driver::Driver;
use log::{Events, LogError};
use mapping::{Mapping, MappingError};

/// The progress bar moves after so many events.
const PROGRESS_EVERY: u64 = 256;

/// What to replay, and where to.
#[derive(Args, Debug)]
pub struct ReplayArguments {
    /// The event log: CSV with a header and a row per event, compressed with gzip or not
    #[arg(value_name = "LOG")]
    pub event_log: PathBuf,
    /// What the log means; examples/volvo/README.md explains the format
    #[arg(long, value_name = "FILE", env = "WRIGHT_MAPPING")]
    pub mapping: PathBuf,
    /// A new folder for the records; without it they are thrown away in the end
    #[arg(long, value_name = "DIR", env = "WRIGHT_DATA")]
    pub data: Option<PathBuf>,
    /// The report, CSV with a line per case; standard output without it
    #[arg(long, value_name = "FILE", env = "WRIGHT_REPORT")]
    pub report: Option<PathBuf>,
}

/// Why a replay ended before its time.
#[derive(Debug, Error)]
pub enum ReplayError {
    /// The mapping cannot be used.
    #[error(transparent)]
    Mapping(#[from] MappingError),
    /// The log cannot be read.
    #[error(transparent)]
    Log(#[from] LogError),
    /// The pack's files cannot be had.
    #[error(transparent)]
    PackFiles(#[from] PackFilesError),
    /// The pack is not right.
    #[error("the pack of the mapping is not right:\n{0}")]
    Pack(Diagnostics),
    /// The mapping names a workflow that the pack does not have.
    #[error("the mapping puts events through the workflow `{0}`, which its pack does not have")]
    Workflow(String),
    /// The folder holds something already.
    #[error("{} is not empty: a replay wants a new folder", .0.display())]
    NotEmpty(PathBuf),
    /// The plugin host does not start.
    #[error("plugins cannot be run")]
    Plugins(#[from] plugin_host::Error),
    /// The store or the engine failed.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// The store cannot be opened.
    #[error(transparent)]
    Store(#[from] engine::port::StoreError),
    /// A file or folder cannot be written.
    #[error("cannot write {}", path.display())]
    Write {
        /// Which.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
}

/// What came of a replay.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Replayed {
    /// The cases.
    pub cases: u64,
    /// The events.
    pub events: u64,
    /// Those applied.
    pub applied: u64,
    /// Those refused.
    pub refused: u64,
    /// The first few refusals, for people.
    pub refusals: Vec<String>,
    /// How long it took.
    pub took: Duration,
}

/// Replays a log.
///
/// # Errors
/// Where the mapping, its pack or the log is not right, the folder is not new, or the server fails.
/// Refused events are no error.
pub async fn replay(arguments: &ReplayArguments) -> Result<Replayed, ReplayError> {
    let mapping = Arc::new(Mapping::read(&arguments.mapping)?);
    let read = Arc::new(AtomicU64::new(0));
    let events = Events::open(&arguments.event_log, &mapping, read.clone())?;
    let data = Data::new(arguments.data.as_deref())?;

    let store = Arc::new(RedbStore::open(data.path(), store::Options::default())?);
    let plugins = Arc::new(WasmPlugins::new(plugin_host::Options::default())?);
    let engine = Engine::open(store.clone(), plugins, Arc::new(LogClock)).await?;
    install(&engine, &mapping).await?;

    let bar = progress_bar(&arguments.event_log);
    let begun = Instant::now();
    let driver = Driver::new(engine.clone(), mapping.clone());
    let count = |events| {
        if events % PROGRESS_EVERY == 0 {
            bar.set_position(read.load(Ordering::Relaxed));
            bar.set_message(rate(events, begun.elapsed()));
        }
    };
    let (cases, end) = driver.run(events, count).await?;
    let took = begun.elapsed();
    bar.finish_and_clear();

    write_report(arguments.report.as_deref(), &cases, &mapping, &engine, end)?;
    store.close();
    Ok(summed(&cases, took))
}

async fn install(engine: &Engine, mapping: &Mapping) -> Result<(), ReplayError> {
    let files = PackFiles::read(&mapping.pack)?;
    let pack = Pack::read(&files.texts).map_err(ReplayError::Pack)?;
    if !pack.workflows.contains_key(&mapping.workflow) {
        return Err(ReplayError::Workflow(mapping.workflow.to_string()));
    }
    let component = |file: &str| files.component(file).map(<[u8]>::to_vec);
    engine.install("operator", &pack, &component).await?;
    Ok(())
}

fn write_report(
    path: Option<&Path>,
    cases: &[Case],
    mapping: &Mapping,
    engine: &Engine,
    end: model::Instant,
) -> Result<(), ReplayError> {
    let definitions = engine.definitions();
    let named = path.unwrap_or_else(|| Path::new("the standard output"));
    let failed = |source| ReplayError::Write {
        path: named.to_owned(),
        source,
    };
    let written = match path {
        Some(path) => {
            let file = std::fs::File::create(path).map_err(failed)?;
            report::write(
                BufWriter::new(file),
                cases,
                &mapping.targets,
                &definitions,
                end,
            )
        }
        None => report::write(
            io::stdout().lock(),
            cases,
            &mapping.targets,
            &definitions,
            end,
        ),
    };
    written.map_err(|error| failed(io::Error::other(error)))
}

fn summed(cases: &[Case], took: Duration) -> Replayed {
    let mut all = Replayed {
        cases: cases.len() as u64,
        took,
        ..Replayed::default()
    };
    for case in cases {
        all.events += case.events;
        all.applied += case.applied;
        all.refused += case.refused;
    }
    all.refusals = cases
        .iter()
        .filter_map(|case| case.first_refusal.clone())
        .take(5)
        .collect();
    all
}

impl Replayed {
    /// What came of it, in a line for people.
    pub fn told(&self) -> String {
        format!(
            "{} events of {} cases: {} applied, {} refused, in {:.1} s ({})",
            self.events,
            self.cases,
            self.applied,
            self.refused,
            self.took.as_secs_f64(),
            rate(self.events, self.took)
        )
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "a figure for people"
)]
fn rate(events: u64, took: Duration) -> String {
    format!(
        "{} events/s",
        (events as f64 / took.as_secs_f64().max(0.001)) as u64
    )
}

/// A bar over the bytes of the log, where a person watches.
fn progress_bar(log: &Path) -> ProgressBar {
    if !io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::new(std::fs::metadata(log).map_or(0, |metadata| metadata.len()));
    if let Ok(style) = ProgressStyle::with_template("{bar:40} {percent:>3} %  {msg}") {
        bar.set_style(style);
    }
    bar
}

/// Where the records go.
enum Data {
    Kept(PathBuf),
    Passing(tempfile::TempDir),
}

impl Data {
    fn new(kept: Option<&Path>) -> Result<Self, ReplayError> {
        let failed = |path: &Path| {
            let path = path.to_owned();
            move |source| ReplayError::Write { path, source }
        };
        let Some(path) = kept else {
            let folder = tempfile::Builder::new().prefix("wright-replay-").tempdir();
            return folder
                .map(Self::Passing)
                .map_err(failed(&std::env::temp_dir()));
        };
        std::fs::create_dir_all(path).map_err(failed(path))?;
        if std::fs::read_dir(path)
            .map_err(failed(path))?
            .next()
            .is_some()
        {
            return Err(ReplayError::NotEmpty(path.to_owned()));
        }
        Ok(Self::Kept(path.to_owned()))
    }

    fn path(&self) -> &Path {
        match self {
            Self::Kept(path) => path,
            Self::Passing(folder) => folder.path(),
        }
    }
}
