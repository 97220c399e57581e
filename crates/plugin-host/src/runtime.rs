//! The WebAssembly engine: what guests may be made of, the pool their instances come from, and the
//! thread whose ticks measure their processor time.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::{JoinHandle, Thread};
use std::time::Duration;

use wasmtime::{Config, Enabled, Engine, InstanceAllocationStrategy, PoolingAllocationConfig};

use crate::options::{Error, Options};

/// How long a tick of the processor's clock is.
pub(crate) const TICK: Duration = Duration::from_millis(1);
/// How many ticks the thread goes on after the last call, since the next is often near.
const TICKS_WITHOUT_CALLS: u32 = 500;
/// How many bytes of a memory stay with its slot from one call to the next, cleared by writing zeros;
/// what is beyond is given back to the system, which takes longer. Where the system tells which pages
/// were written to (Linux 6.7), only those are cleared, and more of them may stay.
const MEMORY_KEPT: usize = 256 << 10;
const MEMORY_KEPT_BY_PAGE: usize = 4 << 20;

/// An engine for calls within these limits.
pub(crate) fn engine(options: &Options) -> Result<Engine, Error> {
    allow_files();
    let mut config = config();
    config.allocation_strategy(InstanceAllocationStrategy::Pooling(pool(options)));
    Engine::new(&config).map_err(Error::Engine)
}

/// Each component that is loaded keeps a file open: as many may be as whoever started this process
/// allows, and not only as many as are usual.
#[cfg(unix)]
fn allow_files() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let allowed = getrlimit(Resource::Nofile);
    let all = Rlimit {
        current: allowed.maximum,
        maximum: allowed.maximum,
    };
    if let Err(error) = setrlimit(Resource::Nofile, all) {
        tracing::debug!(%error, "the number of open files stays limited");
    }
}

#[cfg(not(unix))]
fn allow_files() {}

/// What compiled code depends on.
pub(crate) fn config() -> Config {
    let mut config = Config::new();
    config
        .epoch_interruption(true)
        .wasm_memory64(false)
        .wasm_relaxed_simd(false)
        .cranelift_nan_canonicalization(true)
        // A trap says what the guest did; where in it, only its author could tell.
        .wasm_backtrace_max_frames(None)
        .generate_address_map(false);
    // Nothing else walks through a guest's frames. With many components it would cost ever more to tell
    // the system of each how that is done. Windows wants to know.
    if !cfg!(windows) {
        config.native_unwind_info(false);
    }
    config
}

fn pool(options: &Options) -> PoolingAllocationConfig {
    // One more, for a component that is being tried out.
    let calls = options.concurrent_calls.max(2).saturating_add(1);
    let memory = options.pure.memory.max(options.integration.memory);
    let memory_kept = if PoolingAllocationConfig::is_pagemap_scan_available() {
        MEMORY_KEPT_BY_PAGE
    } else {
        MEMORY_KEPT
    };
    let mut pool = PoolingAllocationConfig::new();
    pool.total_component_instances(calls)
        .total_stacks(calls)
        // Most components are three core instances, those of interpreters some dozens.
        .total_core_instances(calls.saturating_mul(40))
        .max_core_instances_per_component(60)
        .total_memories(calls.saturating_mul(2))
        .max_memories_per_component(8)
        .total_tables(calls.saturating_mul(4))
        .max_tables_per_component(20)
        .table_elements(50_000)
        .max_memory_size(memory)
        .max_unused_warm_slots(8)
        .pagemap_scan(Enabled::Auto)
        .linear_memory_keep_resident(memory_kept)
        .table_keep_resident(16 << 10);
    pool
}

/// The processor's clock for guests: it ticks while calls run and rests while none do.
pub(crate) struct Ticker {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct Shared {
    calls: AtomicUsize,
    resting: AtomicBool,
    stop: AtomicBool,
}

/// Keeps the clock ticking.
pub(crate) struct Ticking<'a>(&'a Shared);

impl Ticker {
    pub(crate) fn start(engine: &Engine) -> Result<Self, Error> {
        let shared = Arc::new(Shared::default());
        let (engine, of_thread) = (engine.weak(), Arc::clone(&shared));
        let thread = std::thread::Builder::new()
            .name("plugin-clock".to_owned())
            .spawn(move || {
                let mut ticks_left = TICKS_WITHOUT_CALLS;
                while !of_thread.stop.load(Ordering::Acquire) {
                    if of_thread.calls.load(Ordering::SeqCst) > 0 {
                        ticks_left = TICKS_WITHOUT_CALLS;
                    } else if ticks_left > 0 {
                        ticks_left -= 1;
                    } else {
                        of_thread.rest();
                        ticks_left = TICKS_WITHOUT_CALLS;
                        continue;
                    }
                    std::thread::sleep(TICK);
                    let Some(engine) = engine.upgrade() else {
                        return;
                    };
                    engine.increment_epoch();
                }
            })
            .map_err(Error::Thread)?;
        Ok(Self {
            shared,
            thread: Some(thread),
        })
    }

    /// Keeps it ticking for one call.
    pub(crate) fn tick(&self) -> Ticking<'_> {
        self.shared.calls.fetch_add(1, Ordering::SeqCst);
        if self.shared.resting.load(Ordering::SeqCst) {
            self.thread().inspect(|thread| thread.unpark());
        }
        Ticking(&self.shared)
    }

    fn thread(&self) -> Option<&Thread> {
        self.thread.as_ref().map(JoinHandle::thread)
    }
}

impl Shared {
    /// Waits for a call. A call that begins between the two looks at `calls` sees that it rests.
    fn rest(&self) {
        self.resting.store(true, Ordering::SeqCst);
        while self.calls.load(Ordering::SeqCst) == 0 && !self.stop.load(Ordering::Acquire) {
            std::thread::park();
        }
        self.resting.store(false, Ordering::SeqCst);
    }
}

impl Drop for Ticking<'_> {
    fn drop(&mut self) {
        self.0.calls.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Drop for Ticker {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::Release);
        if let Some(thread) = self.thread.take() {
            thread.thread().unpark();
            // A clock that panicked has nothing more to say.
            let _ = thread.join();
        }
    }
}
