//! Records that were used of late, decoded. A record is here only as it was acknowledged, or as it
//! was read before any later commit of it: a reader that was overtaken leaves the cache alone.

use std::collections::HashMap;
use std::hash::BuildHasher;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use model::id::RecordId;
use model::record::Record;

/// Each shard has its own lock, so that readers rarely meet.
const SHARDS: usize = 64;

/// A cache bounded by the stored size of what it holds. What was not asked for while half of it
/// filled anew is dropped.
pub(crate) struct Cache {
    shards: Vec<Mutex<Shard>>,
    hasher: std::hash::RandomState,
    shard_bytes: usize,
}

#[derive(Default)]
struct Shard {
    recent: HashMap<RecordId, Held>,
    older: HashMap<RecordId, Held>,
    recent_bytes: usize,
    /// Rises with every commit of a record of the shard.
    commits: u64,
}

struct Held {
    record: Arc<Record>,
    bytes: usize,
}

/// What a reader that found nothing shows when it brings what it read.
#[derive(Clone, Copy)]
pub(crate) struct Ticket(u64);

impl Cache {
    pub(crate) fn new(bytes: usize) -> Self {
        Self {
            shards: std::iter::repeat_with(Mutex::default)
                .take(SHARDS)
                .collect(),
            hasher: std::hash::RandomState::new(),
            shard_bytes: bytes / SHARDS,
        }
    }

    pub(crate) fn get(&self, id: &RecordId) -> Result<Arc<Record>, Ticket> {
        let mut shard = self.shard(id);
        if let Some(held) = shard.recent.get(id) {
            return Ok(Arc::clone(&held.record));
        }
        let Some(held) = shard.older.remove(id) else {
            return Err(Ticket(shard.commits));
        };
        let record = Arc::clone(&held.record);
        shard.hold(id, held, self.shard_bytes);
        Ok(record)
    }

    /// Keeps what was read, unless the record may have been committed since.
    pub(crate) fn fill(&self, ticket: Ticket, record: &Arc<Record>, bytes: usize) {
        let mut shard = self.shard(&record.id);
        if shard.commits == ticket.0 {
            shard.put(record, bytes, self.shard_bytes);
        }
    }

    /// Replaces a record by what is now durable.
    pub(crate) fn committed(&self, record: &Arc<Record>, bytes: usize) {
        let mut shard = self.shard(&record.id);
        shard.commits += 1;
        shard.put(record, bytes, self.shard_bytes);
    }

    /// Forgets everything, and what readers are about to bring.
    pub(crate) fn clear(&self) {
        for shard in &self.shards {
            let mut shard = shard.lock().unwrap_or_else(PoisonError::into_inner);
            let commits = shard.commits + 1;
            *shard = Shard {
                commits,
                ..Shard::default()
            };
        }
    }

    fn shard(&self, id: &RecordId) -> MutexGuard<'_, Shard> {
        let hash = self.hasher.hash_one(id);
        let index = usize::try_from(hash % SHARDS as u64).expect("less than 64");
        // A shard is whole between any two of its steps.
        self.shards[index]
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl Shard {
    fn put(&mut self, record: &Arc<Record>, bytes: usize, limit: usize) {
        self.older.remove(&record.id);
        if let Some(held) = self.recent.remove(&record.id) {
            self.recent_bytes -= held.bytes;
        }
        let record = Arc::clone(record);
        let id = record.id.clone();
        self.hold(&id, Held { record, bytes }, limit);
    }

    fn hold(&mut self, id: &RecordId, held: Held, limit: usize) {
        if held.bytes > limit / 2 {
            return;
        }
        if self.recent_bytes + held.bytes > limit / 2 {
            self.older = std::mem::take(&mut self.recent);
            self.recent_bytes = 0;
        }
        self.recent_bytes += held.bytes;
        self.recent.insert(id.clone(), held);
    }
}
