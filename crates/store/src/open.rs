//! A store that is open: the folder, its two files, and what readers and the writer share.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::thread::JoinHandle;

use engine::port::{FoundThing, StoreError};
use model::id::RecordId;
use model::record::Record;
use model::{Duration, Instant};
use redb::{Database, ReadableDatabase};
use tokio::sync::Semaphore;

use crate::bytes::prefix;
use crate::cache::Cache;
use crate::follow::Source;
use crate::truth::{self, COUNTERS, StoreId, failed};
use crate::views::guarded;
use crate::writer::{Message, Writer};

/// Bytes of things of the directory kept decoded, counted as they are stored.
const THINGS_BYTES: usize = 8 << 20;

/// How a store uses memory and when it writes.
#[derive(Clone, Debug)]
pub struct Options {
    /// Bytes of pages of the truth kept in memory.
    pub truth_cache_bytes: usize,
    /// Bytes of pages of the views kept in memory.
    pub views_cache_bytes: usize,
    /// Bytes of records kept decoded, counted as they are stored; in memory they take some three
    /// times as much.
    pub record_cache_bytes: usize,
    /// At most so many commits share one write.
    pub batch_limit: usize,
    /// At most so many commits wait; more wait for a place.
    pub queue_limit: usize,
    /// Views are made durable after so many entries of the journal, which is what a start after a
    /// crash has to follow at most.
    pub checkpoint_entries: u64,
    /// Views are made durable after so long, if anything changed.
    pub checkpoint_interval: std::time::Duration,
    /// How long an idempotency key answers, by the time of the commands.
    pub remember_for: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            truth_cache_bytes: 64 << 20,
            views_cache_bytes: 64 << 20,
            record_cache_bytes: 64 << 20,
            batch_limit: 256,
            queue_limit: 1_024,
            checkpoint_entries: 100_000,
            checkpoint_interval: std::time::Duration::from_secs(5),
            remember_for: Duration::from_millis(7 * 24 * 3_600_000),
        }
    }
}

/// The store on redb. It is closed in order by [`close`](Self::close), or when it is dropped.
pub struct RedbStore {
    pub(crate) shared: Arc<Shared>,
    pub(crate) messages: Sender<Message>,
    pub(crate) places: Arc<Semaphore>,
    writer: Mutex<Option<JoinHandle<()>>>,
}

impl RedbStore {
    /// Opens the store in a folder, or makes one there. Views that are behind the truth are brought
    /// up, those that cannot be used are built anew, before this returns.
    ///
    /// # Errors
    ///
    /// [`StoreError::Newer`] where a newer server wrote the folder, in which nothing is changed then;
    /// [`StoreError::InUse`] where another process has it open; otherwise what failed.
    pub fn open(folder: &Path, options: Options) -> Result<Self, StoreError> {
        std::fs::create_dir_all(folder)
            .map_err(|error| failed("making the data folder")(redb::Error::Io(error)))?;
        let truth_path = folder.join("truth.redb");
        let views_path = folder.join("views.redb");
        let truth = guarded(|| truth::open(&truth_path, options.truth_cache_bytes))?;
        Self::start(truth, Some((truth_path, views_path)), options)
    }

    /// A new store in memory, which is gone once it is dropped: for trying definitions out.
    ///
    /// # Errors
    ///
    /// What failed.
    pub fn in_memory(options: Options) -> Result<Self, StoreError> {
        let truth = guarded(|| truth::in_memory(options.truth_cache_bytes))?;
        Self::start(truth, None, options)
    }

    fn start(
        (truth, store): (Database, StoreId),
        paths: Option<(PathBuf, PathBuf)>,
        options: Options,
    ) -> Result<Self, StoreError> {
        let (truth_path, views_path) = paths.unzip();
        let source = Source {
            truth: &truth,
            store,
            path: views_path.as_deref(),
            cache_bytes: options.views_cache_bytes,
            remember_for: options.remember_for,
        };
        let (views, followed) = guarded(|| source.open())?;
        let (truth, views) = (Arc::new(truth), Arc::new(views));

        let (messages, todo) = channel();
        let shared = Arc::new(Shared {
            truth_path,
            views_path,
            truth: RwLock::new(Some(Arc::clone(&truth))),
            views: RwLock::new(Some(Arc::clone(&views))),
            records: Cache::new(options.record_cache_bytes),
            things: Cache::new(THINGS_BYTES),
            numbers: Numbers::default(),
            position: AtomicU64::new(followed.position),
            latest: AtomicI64::new(followed.latest.millis()),
            remember_for: options.remember_for,
        });
        let places = Arc::new(Semaphore::new(options.queue_limit));
        let thread_failed =
            |error| failed("starting the thread that writes")(redb::Error::Io(error));
        let writer = Writer::new(Arc::clone(&shared), options, store, truth, views, followed)
            .map_err(thread_failed)?;
        let writer = std::thread::Builder::new()
            .name("store-writer".to_owned())
            .spawn(move || writer.run(&todo))
            .map_err(thread_failed)?;
        Ok(Self {
            shared,
            messages,
            places,
            writer: Mutex::new(Some(writer)),
        })
    }

    /// Closes the store in order: what was accepted is answered, views are made durable, files are
    /// let go. Everything asked afterwards is answered with [`StoreError::Closed`]. Waits for the
    /// thread that writes.
    pub fn close(&self) {
        self.places.close();
        // Where the writer is gone there is nobody to tell.
        let _ = self.messages.send(Message::Close);
        let writer = self
            .writer
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if let Some(writer) = writer
            && writer.join().is_err()
        {
            tracing::error!("the thread that writes panicked");
        }
        self.shared.take_views();
        self.shared.take_truth();
    }
}

impl Drop for RedbStore {
    fn drop(&mut self) {
        self.close();
    }
}

/// What readers and the writer share.
pub(crate) struct Shared {
    /// Where the truth lies; none where it is in memory.
    pub(crate) truth_path: Option<PathBuf>,
    pub(crate) views_path: Option<PathBuf>,
    truth: RwLock<Option<Arc<Database>>>,
    views: RwLock<Option<Arc<Database>>>,
    pub(crate) records: Cache<RecordId, Arc<Record>>,
    /// Things of the directory by their row; that there is none is kept too.
    pub(crate) things: Cache<Vec<u8>, Option<Arc<FoundThing>>>,
    pub(crate) numbers: Numbers,
    position: AtomicU64,
    latest: AtomicI64,
    pub(crate) remember_for: Duration,
}

impl Shared {
    pub(crate) fn truth(&self) -> Result<Arc<Database>, StoreError> {
        present(&self.truth, "reading the truth")
    }

    pub(crate) fn views(&self) -> Result<Arc<Database>, StoreError> {
        present(&self.views, "reading the views")
    }

    /// Whether both files are open.
    pub(crate) fn is_whole(&self) -> bool {
        [&self.truth, &self.views].iter().all(|slot| {
            slot.read()
                .unwrap_or_else(PoisonError::into_inner)
                .is_some()
        })
    }

    pub(crate) fn give_truth(&self, database: Arc<Database>) {
        replace(&self.truth, Some(database));
    }

    pub(crate) fn give_views(&self, database: Arc<Database>) {
        replace(&self.views, Some(database));
    }

    pub(crate) fn take_truth(&self) {
        replace(&self.truth, None);
    }

    pub(crate) fn take_views(&self) {
        replace(&self.views, None);
    }

    pub(crate) fn position(&self) -> u64 {
        self.position.load(Ordering::Acquire)
    }

    pub(crate) fn publish_position(&self, position: u64) {
        self.position.store(position, Ordering::Release);
    }

    /// The latest instant of any entry, by which idempotency keys are forgotten.
    pub(crate) fn latest(&self) -> Instant {
        Instant::from_millis(self.latest.load(Ordering::Acquire))
    }

    pub(crate) fn publish_latest(&self, latest: Instant) {
        self.latest.store(latest.millis(), Ordering::Release);
    }
}

type Slot = RwLock<Option<Arc<Database>>>;

fn present(slot: &Slot, doing: &'static str) -> Result<Arc<Database>, StoreError> {
    let database = slot.read().unwrap_or_else(PoisonError::into_inner).clone();
    database.ok_or_else(|| StoreError::Failed {
        doing,
        cause: "it is closed, or being brought up after a failure".into(),
    })
}

fn replace(slot: &Slot, database: Option<Arc<Database>>) {
    *slot.write().unwrap_or_else(PoisonError::into_inner) = database;
}

/// The numbers given to records. What was reserved and not used is known only here.
#[derive(Default)]
pub(crate) struct Numbers(Mutex<HashMap<String, u64>>);

impl Numbers {
    /// The next number under a prefix.
    pub(crate) fn next(&self, prefix: &str, truth: &Database) -> Result<u64, StoreError> {
        let mut numbers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(last) = numbers.get_mut(prefix) {
            *last += 1;
            return Ok(*last);
        }
        let doing = "reading the last number of a prefix";
        let reading = truth.begin_read().map_err(failed(doing))?;
        let counters = reading.open_table(COUNTERS).map_err(failed(doing))?;
        let last = counters.get(prefix).map_err(failed(doing))?;
        let next = last.map_or(0, |last| last.value()) + 1;
        numbers.insert(prefix.to_owned(), next);
        Ok(next)
    }

    /// A number was used, perhaps one that was never reserved.
    pub(crate) fn used(&self, id: &RecordId) {
        let mut numbers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(last) = numbers.get_mut(prefix(id)) {
            *last = (*last).max(id.number());
        }
    }

    /// Whatever was reserved is asked of the truth again.
    pub(crate) fn forget(&self) {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clear();
    }
}
