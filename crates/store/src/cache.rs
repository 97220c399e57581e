//! What was used of late, decoded: records, and things of the directory. It is here only as it was
//! acknowledged, or as it was read before any later commit of it: a reader that was overtaken leaves the
//! cache alone.

use std::collections::HashMap;
use std::hash::{BuildHasher, Hash};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Each shard has its own lock, so that readers rarely meet.
const SHARDS: usize = 64;

/// A cache of values that are shared, bounded by the stored size of what it holds. What was not asked
/// for while half of it filled anew is dropped.
pub(crate) struct Cache<K, V> {
    shards: Vec<Mutex<Shard<K, V>>>,
    hasher: std::hash::RandomState,
    shard_bytes: usize,
}

struct Shard<K, V> {
    recent: HashMap<K, Held<V>>,
    older: HashMap<K, Held<V>>,
    recent_bytes: usize,
    /// Rises with every commit of something of the shard.
    commits: u64,
}

struct Held<V> {
    value: V,
    bytes: usize,
}

/// What a reader that found nothing shows when it brings what it read.
#[derive(Clone, Copy)]
pub(crate) struct Ticket(u64);

impl<K: Clone + Eq + Hash, V: Clone> Cache<K, V> {
    pub(crate) fn new(bytes: usize) -> Self {
        Self {
            shards: std::iter::repeat_with(|| Mutex::new(Shard::new(0)))
                .take(SHARDS)
                .collect(),
            hasher: std::hash::RandomState::new(),
            shard_bytes: bytes / SHARDS,
        }
    }

    pub(crate) fn get(&self, key: &K) -> Result<V, Ticket> {
        let mut shard = self.shard(key);
        if let Some(held) = shard.recent.get(key) {
            return Ok(held.value.clone());
        }
        let Some(held) = shard.older.remove(key) else {
            return Err(Ticket(shard.commits));
        };
        let value = held.value.clone();
        shard.hold(key, held, self.shard_bytes);
        Ok(value)
    }

    /// Keeps what was read, unless it may have been committed since.
    pub(crate) fn fill(&self, ticket: Ticket, key: &K, value: V, bytes: usize) {
        let mut shard = self.shard(key);
        if shard.commits == ticket.0 {
            shard.put(key, value, bytes, self.shard_bytes);
        }
    }

    /// Replaces something by what is now durable.
    pub(crate) fn committed(&self, key: &K, value: V, bytes: usize) {
        let mut shard = self.shard(key);
        shard.commits += 1;
        shard.put(key, value, bytes, self.shard_bytes);
    }

    /// Forgets something of which another version is now durable.
    pub(crate) fn forget(&self, key: &K) {
        let mut shard = self.shard(key);
        shard.commits += 1;
        shard.remove(key);
    }

    /// Forgets everything, and what readers are about to bring.
    pub(crate) fn clear(&self) {
        for shard in &self.shards {
            let mut shard = shard.lock().unwrap_or_else(PoisonError::into_inner);
            *shard = Shard::new(shard.commits + 1);
        }
    }

    fn shard(&self, key: &K) -> MutexGuard<'_, Shard<K, V>> {
        let hash = self.hasher.hash_one(key);
        let index = usize::try_from(hash % SHARDS as u64).expect("less than 64");
        // A shard is whole between any two of its steps.
        self.shards[index]
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl<K: Clone + Eq + Hash, V> Shard<K, V> {
    fn new(commits: u64) -> Self {
        Self {
            recent: HashMap::new(),
            older: HashMap::new(),
            recent_bytes: 0,
            commits,
        }
    }

    fn remove(&mut self, key: &K) {
        self.older.remove(key);
        if let Some(held) = self.recent.remove(key) {
            self.recent_bytes -= held.bytes;
        }
    }

    fn put(&mut self, key: &K, value: V, bytes: usize, limit: usize) {
        self.remove(key);
        self.hold(key, Held { value, bytes }, limit);
    }

    fn hold(&mut self, key: &K, held: Held<V>, limit: usize) {
        if held.bytes > limit / 2 {
            return;
        }
        if self.recent_bytes + held.bytes > limit / 2 {
            self.older = std::mem::take(&mut self.recent);
            self.recent_bytes = 0;
        }
        self.recent_bytes += held.bytes;
        self.recent.insert(key.clone(), held);
    }
}
