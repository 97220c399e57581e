//! Recorded history under other definitions: every record's journal is done again, what people and the
//! outside did at the time of then, what follows from it anew, and what comes out is compared with what
//! there is. Records are shared among threads; nothing is written.

mod asking;
mod chronicle;
mod course;
mod differences;
mod effects;
mod report;
mod today;
mod versions;

use std::num::NonZero;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};

use definition::pack::Pack;
use model::id::WorkflowId;
use model::{Digest, Instant};
use tokio::runtime::Handle;

use self::asking::Asking;
use self::chronicle::{Chosen, Chronicle};
use self::report::Sum;
use self::today::Today;
use self::versions::Versions;
use crate::error::EngineError;
use crate::port::{Plugins, Store};

pub(crate) use self::differences::clock_differences;
pub use self::report::{
    Change, Counts as RecordCounts, Difference as RecordDifference, Diverged, Hooks, Kind,
    OfRecord, OfWorkflow, Simulated,
};
pub use self::versions::Components;

/// How many records a thread takes at once.
const SHARE: usize = 16;
/// The most threads, whatever the machine has.
const THREADS: usize = 64;

/// What is to be tried.
pub struct Trial {
    /// The pack, in the place of its earlier versions and of the packs that it adapts.
    pub pack: Pack,
    /// The components that it brings, by the file names that its bindings use.
    pub components: Components,
    /// Only records that began since.
    pub since: Option<Instant>,
    /// Only records of this workflow.
    pub workflow: Option<WorkflowId>,
    /// Whether a record that diverged is put into its recorded state and judged on.
    pub follow: bool,
    /// How many of the records that differ most are told whole.
    pub worst: usize,
}

/// All that the courses of records share.
struct World {
    versions: Versions,
    chronicle: Chronicle,
    asking: Asking,
    /// The digest of what is in force today.
    latest: Digest,
    /// Whether a record that diverged is judged on.
    follow: bool,
}

/// Simulates a store's history under the definitions of a pack, on all cores. The plugins are set up
/// for it as they are needed, and should be nobody else's.
///
/// # Errors
/// Where the store fails, or what would keep the pack from being installed there. What a single record
/// comes to is told in the report.
pub async fn simulate(
    store: Arc<dyn Store>,
    plugins: Arc<dyn Plugins>,
    trial: Trial,
) -> Result<Simulated, EngineError> {
    let runtime = Handle::current();
    let work = tokio::task::spawn_blocking(move || run(&store, plugins, trial, runtime));
    match work.await {
        Ok(simulated) => simulated,
        Err(error) => std::panic::resume_unwind(error.into_panic()),
    }
}

fn run(
    store: &Arc<dyn Store>,
    plugins: Arc<dyn Plugins>,
    trial: Trial,
    runtime: Handle,
) -> Result<Simulated, EngineError> {
    let today = Today::of(&trial.pack);
    let versions = Versions::new(store.clone(), trial.pack, &trial.components)?;
    let latest = store.active()?.unwrap_or_default();
    let shows = versions.asks_plugins(&latest)?;
    let chosen = Chosen {
        since: trial.since,
        workflow: trial.workflow.as_ref(),
    };
    let chronicle = Chronicle::read(store, &chosen, shows, today)?;
    let world = World {
        versions,
        chronicle,
        asking: Asking::new(store.clone(), plugins, runtime),
        latest,
        follow: trial.follow,
    };
    let sum = judge_all(&world, trial.worst)?;
    let identical = sum.1;
    let (total, workflows, worst) = sum.0.finish();
    let pack = world.versions.pack();
    let count = |count: &AtomicU64| count.load(Ordering::Relaxed);
    Ok(Simulated {
        pack: pack.id.clone(),
        version: pack.header.version.clone(),
        digest: pack.digest,
        since: trial.since,
        workflow: trial.workflow,
        follow: trial.follow,
        position: world.chronicle.position,
        until: world.chronicle.end,
        total,
        identical,
        workflows,
        hooks: Hooks {
            journaled: count(&world.asking.journaled),
            afresh: count(&world.asking.afresh),
            failed: count(&world.asking.failed),
        },
        worst,
    })
}

/// Judges every record, on as many threads as the machine runs at once.
fn judge_all(world: &World, worst: usize) -> Result<(Sum, u64), EngineError> {
    let threads = std::thread::available_parallelism().map_or(1, NonZero::get);
    let (next, failed) = (AtomicUsize::new(0), AtomicBool::new(false));
    let identical = AtomicU64::new(0);
    let judge = || {
        let mut sum = Sum::new(worst);
        while !failed.load(Ordering::Relaxed) {
            let first = next.fetch_add(SHARE, Ordering::Relaxed);
            let records = &world.chronicle.records;
            if first >= records.len() {
                break;
            }
            for id in records[first..].iter().take(SHARE) {
                let chronicle = &world.chronicle;
                let judged = chronicle
                    .journal(id, chronicle.position)
                    .map_err(EngineError::from)
                    .and_then(|entries| course::judge(world, id, &entries));
                match judged {
                    Ok(None) => {}
                    Ok(Some((judged, is_identical))) => {
                        identical.fetch_add(u64::from(is_identical), Ordering::Relaxed);
                        sum.add(judged);
                    }
                    Err(error) => {
                        failed.store(true, Ordering::Relaxed);
                        return Err(error);
                    }
                }
            }
        }
        Ok(sum)
    };
    let sums = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..threads.min(THREADS))
            .map(|_| scope.spawn(judge))
            .collect();
        let joined = threads.into_iter().map(|thread| {
            thread
                .join()
                .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        });
        joined.collect::<Vec<_>>()
    });
    let mut all = Sum::new(worst);
    for sum in sums {
        all.merge(sum?);
    }
    Ok((all, identical.into_inner()))
}
