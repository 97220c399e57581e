//! The one thread that writes: it takes the commits that wait, makes them durable together, brings
//! the views up behind them, and only then answers.

use std::collections::{BTreeSet, HashMap};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use engine::port::{CommitError, Committed, StoreError};
use redb::{Database, Durability, ReadableDatabase, WriteTransaction};
use tokio::sync::{OwnedSemaphorePermit, oneshot};

use crate::batch::{self, Known, Outcomes};
use crate::bytes::RecordKey;
use crate::follow::{Source, read_thing_memory};
use crate::open::{Options, Shared};
use crate::prepare::{Prepared, PreparedDirectory, new_number};
use crate::stage::{Staging, Stale, Written};
use crate::truth::{self, StoreId, begin, failed, row_hash};
use crate::views::{self, Followed, MEMORY, ROWS, guarded};

/// Rows of lists that no longer count are swept once they are so many.
const SWEEP: usize = 8_192;
/// A batch of at least so many has its views staged while another thread syncs the truth; handing
/// over costs more than it saves where there is less.
const OVERLAP: usize = 4;
/// How often files that the disk had no room for are tried again, while nothing is asked.
const OPEN_AGAIN: Duration = Duration::from_secs(1);
/// How long a file may still be read after it was taken away.
const LAST_READERS: Duration = Duration::from_secs(2);

/// What the writer is asked.
pub(crate) enum Message {
    Commit(Box<Waiting>),
    /// These views were found damaged.
    ViewsDamaged(Weak<Database>),
    /// Finish in order.
    Close,
    /// Behave as if the last write of the truth had failed like this.
    #[cfg(test)]
    FailTruth(StoreError),
}

/// A commit and who waits for it.
pub(crate) struct Waiting {
    pub(crate) prepared: Prepared,
    pub(crate) reply: oneshot::Sender<Result<Committed, CommitError>>,
    /// Its place in the queue, free again once it is answered.
    pub(crate) place: OwnedSemaphorePermit,
}

pub(crate) struct Writer {
    shared: Arc<Shared>,
    options: Options,
    store: StoreId,
    /// None after a failure, until it is opened again.
    truth: Option<Arc<Database>>,
    /// Whether nobody but an operator may open the truth again.
    given_up: bool,
    /// None until they are built anew.
    views: Option<Arc<Database>>,
    position: u64,
    /// The last position at which a record with a planned window changed; where nobody has looked
    /// before, the position at the start.
    windows_at: u64,
    followed: Followed,
    stale: Stale,
    syncer: Syncer,
    /// Entries that the views show and would have to follow again after a crash.
    unsaved: u64,
    saved_at: Instant,
}

impl Writer {
    pub(crate) fn new(
        shared: Arc<Shared>,
        options: Options,
        store: StoreId,
        truth: Arc<Database>,
        views: Arc<Database>,
        followed: Followed,
    ) -> std::io::Result<Self> {
        Ok(Self {
            shared,
            options,
            store,
            truth: Some(truth),
            given_up: false,
            views: Some(views),
            position: followed.position,
            windows_at: followed.position,
            followed,
            stale: Stale::new(),
            syncer: Syncer::start()?,
            unsaved: 0,
            saved_at: Instant::now(),
        })
    }

    pub(crate) fn run(mut self, messages: &Receiver<Message>) {
        let mut waiting = Vec::new();
        let mut open = true;
        while open {
            let message = messages.recv_timeout(self.until_checkpoint());
            let mut next = match message {
                Ok(message) => Some(message),
                Err(RecvTimeoutError::Timeout) => None,
                Err(RecvTimeoutError::Disconnected) => break,
            };
            while let Some(message) = next {
                match message {
                    Message::Commit(commit) => waiting.push(*commit),
                    Message::ViewsDamaged(which) => self.views_damaged(&which),
                    Message::Close => open = false,
                    #[cfg(test)]
                    Message::FailTruth(error) => {
                        let truth = self.truth.clone().expect("it is open");
                        self.truth_failed(truth, error);
                    }
                }
                let full = waiting.len() >= self.options.batch_limit || !open;
                next = (!full).then(|| messages.try_recv().ok()).flatten();
            }
            if self.truth.is_none() && !self.given_up {
                self.open_again();
            }
            if self.views.is_none() {
                self.build_views();
            }
            if !waiting.is_empty() {
                self.commit(&mut waiting);
            }
            if self.until_checkpoint().is_zero() {
                self.checkpoint();
            }
        }
        self.finish();
    }

    /// A truth in memory is gone with the process, whatever is done for it.
    fn is_in_memory(&self) -> bool {
        self.shared.truth_path.is_none()
    }

    /// A reader found damage; others may have found the same, in views that are replaced by now.
    fn views_damaged(&mut self, which: &Weak<Database>) {
        let present = self.views.as_ref().map(Arc::as_ptr);
        if present == Some(which.as_ptr()) {
            self.views = None;
        }
    }

    fn until_checkpoint(&self) -> Duration {
        if self.truth.is_none() && self.given_up {
            return Duration::from_mins(1);
        }
        if self.truth.is_none() || self.views.is_none() {
            return OPEN_AGAIN;
        }
        if self.unsaved == 0 {
            return Duration::from_mins(1);
        }
        if self.unsaved >= self.options.checkpoint_entries {
            return Duration::ZERO;
        }
        let interval = self.options.checkpoint_interval;
        interval.saturating_sub(self.saved_at.elapsed())
    }

    /// Commits what waits and answers everyone.
    fn commit(&mut self, waiting: &mut Vec<Waiting>) {
        let (mut batch, replies): (Vec<_>, Vec<_>) = waiting
            .drain(..)
            .map(|waiting| (waiting.prepared, (waiting.reply, waiting.place)))
            .unzip();
        let outcomes = match self.write(&mut batch) {
            Ok(outcomes) => outcomes,
            Err(error) => {
                let failed = |_| Err(CommitError::Store(error.clone()));
                batch.iter().map(failed).collect()
            }
        };
        for ((reply, place), outcome) in replies.into_iter().zip(outcomes) {
            drop(place);
            // Whoever asked may have gone away; the commit stands all the same.
            let _ = reply.send(outcome.map(|position| Committed { position }));
        }
    }

    /// Writes a batch. An error says that nothing of it was acknowledged.
    fn write(&mut self, batch: &mut [Prepared]) -> Result<Outcomes, StoreError> {
        let truth = self.truth.clone().ok_or_else(|| self.why_closed())?;
        let mut known = self.known(batch)?;
        known.windows_at = self.windows_at;
        let durability = if self.is_in_memory() {
            Durability::None
        } else {
            Durability::Immediate
        };
        let mut position = self.position;
        let written = guarded(|| {
            let writing = begin(&truth, durability)?;
            let outcomes = batch::apply(&writing, batch, &mut known, &mut position)?;
            Ok((writing, outcomes))
        });
        let (writing, outcomes) = match written {
            Ok(written) => written,
            Err(error) => return Err(self.truth_failed(truth, error)),
        };
        if outcomes.iter().all(Result::is_err) {
            drop(writing);
            return Ok(outcomes);
        }

        let overlap = batch.len() >= OVERLAP && !self.is_in_memory();
        let mut synced = Ok(());
        if overlap {
            self.syncer.begin(writing);
        } else {
            synced = sync(writing);
        }
        let staged = if synced.is_ok() {
            self.stage(batch, &outcomes, position)
        } else {
            Err(unavailable())
        };
        if overlap {
            synced = self.syncer.wait();
        }
        if let Err(error) = synced {
            drop(staged);
            return Err(self.truth_failed(truth, error));
        }
        self.position = position;
        self.windows_at = known.windows_at;
        let shown = staged.and_then(|staged| staged.map_or(Ok(()), |staged| self.show(staged)));
        if let Err(error) = shown {
            tracing::error!(%error, "the views cannot be written");
            self.views = None;
            self.build_views();
        }
        self.publish(batch, &outcomes);
        Ok(outcomes)
    }

    /// What the views know of the keys and references of a batch. Views that fail are built anew.
    fn known(&mut self, batch: &[Prepared]) -> Result<Known, StoreError> {
        let looks = |prepared: &Prepared| match prepared {
            Prepared::Record(record) => {
                record.idempotency.is_some() || !record.references.is_empty()
            }
            _ => false,
        };
        if !batch.iter().any(looks) {
            return Ok(Known::default());
        }
        let known = self.look_up(batch);
        if known.is_ok() {
            return known;
        }
        self.views = None;
        self.build_views();
        self.look_up(batch)
    }

    fn look_up(&self, batch: &[Prepared]) -> Result<Known, StoreError> {
        let views = self.views.as_ref().ok_or_else(unavailable)?;
        let doing = "looking up what a commit must not repeat";
        guarded(|| {
            let reading = views.begin_read().map_err(failed(doing))?;
            let rows = reading.open_table(ROWS).map_err(failed(doing))?;
            let mut known = Known::default();
            for prepared in batch {
                let Prepared::Record(record) = prepared else {
                    continue;
                };
                if let Some((hash, _)) = record.idempotency {
                    let latest = self.followed.latest.max(record.at);
                    let until = views::forgotten_until(latest, self.options.remember_for);
                    if let Some(remembered) = views::remembered(&rows, &hash, until)? {
                        known.remembered.insert(hash, remembered);
                    }
                }
                for reference in &record.references {
                    let row = rows.get(reference.as_slice()).map_err(failed(doing))?;
                    if let Some(row) = row {
                        let id = RecordKey::id(row.value())?;
                        known.references.insert(reference.clone(), id);
                    }
                }
            }
            Ok(known)
        })
    }

    /// Writes into the views what a batch changes, not yet committed; nothing where the journal does
    /// not grow by it.
    fn stage(
        &self,
        batch: &mut [Prepared],
        outcomes: &Outcomes,
        position: u64,
    ) -> Result<Option<Staged>, StoreError> {
        if position == self.position {
            return Ok(None);
        }
        let views = self.views.as_ref().ok_or_else(unavailable)?;
        guarded(|| {
            let mut followed = self.followed;
            let mut staging = Staging::default();
            let mut things = HashMap::new();
            for (prepared, outcome) in batch.iter_mut().zip(outcomes) {
                let Ok(at) = outcome else { continue };
                let when = prepared.at().unwrap_or(followed.latest);
                followed.latest = followed.latest.max(when);
                if *at == position {
                    followed.hash = prepared.journal().map_or(followed.hash, row_hash);
                }
                match prepared {
                    Prepared::Record(record) => {
                        let change = std::mem::take(&mut record.change);
                        staging.change(record.key.as_slice(), change);
                        if let Some((hash, request)) = record.idempotency {
                            let remembered = record.remembered(request, *at);
                            staging.remember(&hash, record.at, &remembered);
                        }
                        if let Some(person) = record.assigned.take() {
                            staging.assigned(person, record.at);
                        }
                        for told in std::mem::take(&mut record.told) {
                            let (person, arrived) = told.at(*at, record.at, record.key);
                            staging.told(person, arrived);
                        }
                    }
                    Prepared::Directory(change) => {
                        stage_thing(views, change, &mut things, &mut staging)?;
                    }
                    _ => {}
                }
            }
            followed.position = position;
            let writing = begin(views, Durability::None)?;
            let sweep = (self.stale.len() >= SWEEP).then_some(&self.stale);
            let written =
                staging.write(&writing, Some(&followed), self.options.remember_for, sweep)?;
            Ok(Some(Staged {
                writing,
                written,
                followed,
            }))
        })
    }

    /// Commits staged views, now that the truth behind them is durable.
    fn show(&mut self, staged: Staged) -> Result<(), StoreError> {
        let Staged {
            writing,
            written,
            followed,
        } = staged;
        guarded(|| writing.commit().map_err(failed("committing the views")))?;
        written.settle(&mut self.stale);
        self.unsaved += followed.position - self.followed.position;
        self.followed = followed;
        Ok(())
    }

    /// Lets readers know of what is now durable.
    fn publish(&self, batch: &[Prepared], outcomes: &Outcomes) {
        for (prepared, outcome) in batch.iter().zip(outcomes) {
            if outcome.is_err() {
                continue;
            }
            if let Prepared::Record(record) = prepared {
                let bytes = record.row.len();
                self.shared
                    .records
                    .committed(&record.record.id, record.record.clone(), bytes);
            }
            if let Prepared::Directory(change) = prepared {
                self.shared.things.forget(&change.row);
            }
            if let Some(id) = new_number(prepared) {
                self.shared.numbers.used(id);
            }
        }
        self.shared.publish_position(self.position);
        self.shared.publish_latest(self.followed.latest);
    }

    /// Makes the views durable as far as they are.
    fn checkpoint(&mut self) {
        let Some(views) = &self.views else { return };
        let saved = guarded(|| {
            // The database keeps account of what is not durable, and can forget it then.
            if let Some(truth) = self.truth.as_ref().filter(|_| self.is_in_memory()) {
                sync(begin(truth, Durability::Immediate)?)?;
            }
            let writing = begin(views, Durability::Immediate)?;
            let written = Staging::default().write(
                &writing,
                Some(&self.followed),
                self.options.remember_for,
                Some(&self.stale),
            )?;
            writing.commit().map_err(failed("saving the views"))?;
            Ok(written)
        });
        self.saved_at = Instant::now();
        match saved {
            Ok(written) => {
                written.settle(&mut self.stale);
                self.unsaved = 0;
            }
            Err(error) => {
                tracing::error!(%error, "the views cannot be saved");
                self.views = None;
                self.build_views();
            }
        }
    }

    /// Throws the views away and builds them anew from the truth.
    fn build_views(&mut self) {
        let Some(truth) = &self.truth else { return };
        self.shared.take_views();
        self.stale.clear();
        let source = source(&self.shared, &self.options, self.store, truth);
        match guarded(|| source.build()) {
            Ok((views, followed)) => self.views_built(views, followed),
            Err(error) => tracing::error!(%error, "the views cannot be built"),
        }
    }

    fn views_built(&mut self, views: Database, followed: Followed) {
        let views = Arc::new(views);
        self.followed = followed;
        self.unsaved = 0;
        self.saved_at = Instant::now();
        self.views = Some(Arc::clone(&views));
        self.shared.give_views(views);
    }

    /// After a failed write the database refuses everything: it is closed. Where the disk was full
    /// it is opened again before the next batch; whether the failed batch is in it will be seen then.
    /// After any other failure it stays closed: a file system that could not write may show what it
    /// never wrote, so that what reads well now may be gone after the next failure of power.
    fn truth_failed(&mut self, truth: Arc<Database>, error: StoreError) -> StoreError {
        self.given_up = !matches!(error, StoreError::Full);
        if self.given_up {
            tracing::error!(%error, "the truth cannot be written: look at the disk, then start the server again; until then nothing is served");
        } else {
            tracing::error!(%error, "the truth cannot be written for now");
        }
        self.truth = None;
        self.shared.take_truth();
        self.shared.records.clear();
        self.shared.things.clear();
        last_reader(truth);
        error
    }

    fn open_again(&mut self) {
        let Some(path) = &self.shared.truth_path else {
            tracing::error!("a truth in memory does not open again");
            return;
        };
        let opened = guarded(|| {
            let (truth, _) = truth::open(path, self.options.truth_cache_bytes)?;
            Ok(Arc::new(truth))
        });
        let truth = match opened {
            Ok(truth) => truth,
            Err(error) => {
                tracing::error!(%error, "the truth does not open again");
                return;
            }
        };
        let acknowledged = self.position;
        // What no longer counts is known only here, and is swept before the views are closed.
        self.checkpoint();
        self.shared.take_views();
        if let Some(views) = self.views.take() {
            last_reader(views);
        }
        self.stale.clear();
        let source = source(&self.shared, &self.options, self.store, &truth);
        match guarded(|| source.open()) {
            Ok((_, followed)) if followed.position < acknowledged => {
                self.given_up = true;
                tracing::error!(
                    acknowledged,
                    found = followed.position,
                    "the truth has lost what was acknowledged: look at the disk; nothing is served"
                );
            }
            Ok((views, followed)) => {
                self.position = followed.position;
                self.shared.publish_position(followed.position);
                self.shared.publish_latest(followed.latest);
                self.views_built(views, followed);
                self.shared.numbers.forget();
                self.shared.give_truth(Arc::clone(&truth));
                self.truth = Some(truth);
                tracing::info!("the truth is open again");
            }
            Err(error) => tracing::error!(%error, "the views cannot be brought up"),
        }
    }

    /// What to answer while the truth is closed.
    fn why_closed(&self) -> StoreError {
        if self.given_up {
            StoreError::Failed {
                doing: "writing",
                cause: "it failed before, and waits for an operator to start it again".into(),
            }
        } else {
            StoreError::Full
        }
    }

    fn finish(mut self) {
        if self.unsaved > 0 || !self.stale.is_empty() {
            self.checkpoint();
        }
        self.shared.take_views();
        self.shared.take_truth();
        for database in [self.views.take(), self.truth.take()].into_iter().flatten() {
            last_reader(database);
        }
    }
}

/// Views with a batch written into them.
struct Staged {
    writing: WriteTransaction,
    written: Written,
    followed: Followed,
}

/// A thing's rows: what it had before is in the views, or came with the same batch.
fn stage_thing(
    views: &Database,
    change: &PreparedDirectory,
    things: &mut HashMap<Vec<u8>, BTreeSet<Vec<u8>>>,
    staging: &mut Staging,
) -> Result<(), StoreError> {
    let doing = "reading what a thing put into the views";
    let before = if let Some(before) = things.get(&change.memory_key) {
        before.clone()
    } else {
        let reading = views.begin_read().map_err(failed(doing))?;
        let memory = reading.open_table(MEMORY).map_err(failed(doing))?;
        let row = memory
            .get(change.memory_key.as_slice())
            .map_err(failed(doing))?;
        let before = row.map(|row| read_thing_memory(row.value())).transpose()?;
        before.unwrap_or_default()
    };
    staging.thing(change.memory_key.clone(), &before, &change.after);
    things.insert(change.memory_key.clone(), change.after.clone());
    Ok(())
}

fn source<'a>(
    shared: &'a Shared,
    options: &Options,
    store: StoreId,
    truth: &'a Database,
) -> Source<'a> {
    Source {
        truth,
        store,
        path: shared.views_path.as_deref(),
        cache_bytes: options.views_cache_bytes,
        remember_for: options.remember_for,
    }
}

fn sync(writing: WriteTransaction) -> Result<(), StoreError> {
    guarded(|| writing.commit().map_err(failed("committing the truth")))
}

fn unavailable() -> StoreError {
    StoreError::Failed {
        doing: "writing",
        cause: "the store failed before and is being opened again".into(),
    }
}

/// Lets go of a file, and waits for those who still read it, so that it is closed in order.
fn last_reader(database: Arc<Database>) {
    let since = Instant::now();
    while Arc::strong_count(&database) > 1 && since.elapsed() < LAST_READERS {
        std::thread::sleep(Duration::from_millis(1));
    }
    drop(database);
}

/// A thread that makes the truth durable while the writer stages the views.
struct Syncer {
    work: SyncSender<WriteTransaction>,
    done: Receiver<Result<(), StoreError>>,
}

impl Syncer {
    fn start() -> std::io::Result<Self> {
        let (work, todo) = sync_channel::<WriteTransaction>(1);
        let (report, done) = sync_channel(1);
        std::thread::Builder::new()
            .name("store-sync".to_owned())
            .spawn(move || {
                for writing in todo {
                    if report.send(sync(writing)).is_err() {
                        break;
                    }
                }
            })?;
        Ok(Self { work, done })
    }

    fn begin(&self, writing: WriteTransaction) {
        // Were the thread gone, the transaction would be dropped here, and `wait` would say so.
        let _ = self.work.send(writing);
    }

    fn wait(&self) -> Result<(), StoreError> {
        self.done.recv().unwrap_or_else(|_| Err(unavailable()))
    }
}
