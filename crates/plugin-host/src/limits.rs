//! What a call may use up: the limits in force for it, and the counters that hold it to them.
//!
//! Each limit has its own guard, because each way of using too much shows somewhere else: memory
//! where it grows, processor time at the epoch's ticks, host calls where they arrive.

use std::sync::Arc;
use std::time::Duration;

use model::definition::Limits;
use model::hook::FailureKind;
use wasmtime::ResourceLimiter;

use crate::failure::Stop;
use crate::lane::{Lane, Turn};
use crate::options::{CallLimits, Options};

/// How many elements all tables of one call may have.
const TABLE_ELEMENTS: usize = 200_000;
/// How many lines a call may log; further ones are dropped, and a last line says so.
pub(crate) const LOG_LINES: u32 = 200;
/// How many bytes a call may log.
pub(crate) const LOG_BYTES: usize = 64 << 10;
/// How often a call may ask whether something is a secret: enough for a few senders with an old and
/// a new token each, and useless for guessing.
pub(crate) const COMPARISONS: u32 = 16;
/// How many bytes of what a call looked up the journal keeps.
const NOTED: usize = 256 << 10;

/// The limits in force for one kind of hook of a binding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct InForce {
    pub(crate) call: CallLimits,
    /// How often the guest may call the server.
    pub(crate) host_calls: u32,
    /// How often it may call what WASI offers, which is finer-grained.
    pub(crate) wasi_calls: u32,
    /// How many bytes it may hand over in one host call or answer.
    pub(crate) handed_over: usize,
}

impl InForce {
    /// What the binding asks for, or what such hooks start with, and never more than the ceiling.
    pub(crate) fn new(options: &Options, asked: &Limits, pure: bool) -> Self {
        let (start, ceiling) = if pure {
            (CallLimits::PURE, options.pure)
        } else {
            (CallLimits::INTEGRATION, options.integration)
        };
        let millisecond = Duration::from_millis(1);
        let cpu = asked.cpu.map_or(start.cpu, model::Duration::to_std);
        let wall = asked.wall.map_or(start.wall, model::Duration::to_std);
        let memory = asked
            .memory_mib
            .map_or(start.memory, |mib| (mib as usize) << 20);
        Self {
            call: CallLimits {
                cpu: cpu.min(ceiling.cpu).max(millisecond),
                wall: wall.min(ceiling.wall).max(millisecond),
                memory: memory.min(ceiling.memory),
            },
            host_calls: if pure { 2_000 } else { 10_000 },
            wasi_calls: if pure { 20_000 } else { 200_000 },
            handed_over: if pure { 1 << 20 } else { 16 << 20 },
        }
    }
}

/// Counts what a call did and stops it when it did too much.
#[derive(Debug)]
pub(crate) struct Budget {
    limits: InForce,
    host_calls: u32,
    wasi_calls: u32,
    comparisons: u32,
    log_lines: u32,
    log_bytes: usize,
    noted: usize,
    /// Its place among those that take long, once it is one of them.
    turn: Option<Arc<Turn>>,
}

/// Whether a line still fits in the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Logged {
    Whole,
    /// It is the first that does not.
    Full,
    Dropped,
}

impl Budget {
    pub(crate) const fn new(limits: InForce) -> Self {
        Self {
            limits,
            host_calls: 0,
            wasi_calls: 0,
            comparisons: 0,
            log_lines: 0,
            log_bytes: 0,
            noted: 0,
            turn: None,
        }
    }

    /// Counts what the journal has to keep of a look-up, in bytes. The next host call is refused when
    /// it is too much.
    pub(crate) const fn note(&mut self, bytes: usize) {
        self.noted = self.noted.saturating_add(bytes);
    }

    /// The call takes long: it goes on when it has its turn.
    pub(crate) fn turn(&mut self, lane: &Lane) -> Arc<Turn> {
        Arc::clone(self.turn.get_or_insert_with(|| lane.turn()))
    }

    /// What the guest waits for now is not the processor.
    fn give_back(&self) {
        if let Some(turn) = &self.turn {
            turn.give_back();
        }
    }

    /// Counts a call of the guest to the server.
    pub(crate) fn host_call(&mut self) -> Result<(), Stop> {
        self.give_back();
        self.host_calls += 1;
        if self.host_calls > self.limits.host_calls {
            let limit = self.limits.host_calls;
            return Err(Stop::new(
                FailureKind::Limit,
                format!("it called the server more than {limit} times"),
            ));
        }
        if self.noted > NOTED {
            return Err(Stop::new(
                FailureKind::Limit,
                format!("what it looked up takes more than the {NOTED} bytes that are kept of it"),
            ));
        }
        Ok(())
    }

    /// Counts a comparison with a secret.
    pub(crate) fn comparison(&mut self) -> Result<(), Stop> {
        self.comparisons += 1;
        if self.comparisons <= COMPARISONS {
            return Ok(());
        }
        Err(Stop::new(
            FailureKind::Limit,
            format!("it asked more than {COMPARISONS} times whether something is a secret"),
        ))
    }

    /// Counts a call of the guest to WASI. Such a call cannot be refused on the spot: the next tick
    /// of the processor's clock does it.
    pub(crate) fn wasi_call(&mut self) {
        self.give_back();
        self.wasi_calls = self.wasi_calls.saturating_add(1);
    }

    /// What the ticks look at.
    pub(crate) fn check(&self) -> Result<(), Stop> {
        if self.wasi_calls <= self.limits.wasi_calls {
            return Ok(());
        }
        let limit = self.limits.wasi_calls;
        Err(Stop::new(
            FailureKind::Limit,
            format!("it called WASI more than {limit} times"),
        ))
    }

    /// Counts a line for the log.
    pub(crate) fn log(&mut self, bytes: usize) -> Logged {
        let was_full = self.log_lines > LOG_LINES || self.log_bytes > LOG_BYTES;
        self.log_lines = self.log_lines.saturating_add(1);
        self.log_bytes = self.log_bytes.saturating_add(bytes);
        if was_full {
            Logged::Dropped
        } else if self.log_lines > LOG_LINES || self.log_bytes > LOG_BYTES {
            Logged::Full
        } else {
            Logged::Whole
        }
    }
}

/// Sums what all memories and tables of a call take; wasmtime's own limits count each by itself.
#[derive(Debug)]
pub(crate) struct MemoryLimit {
    limit: usize,
    memory: usize,
    elements: usize,
    denied: bool,
}

impl MemoryLimit {
    pub(crate) const fn new(limit: usize) -> Self {
        Self {
            limit,
            memory: 0,
            elements: 0,
            denied: false,
        }
    }

    /// What all memories of the call take, in bytes.
    pub(crate) const fn bytes(&self) -> usize {
        self.memory
    }

    /// Whether the guest was refused memory, which most guests answer with a trap.
    pub(crate) const fn denied(&self) -> bool {
        self.denied
    }
}

impl ResourceLimiter for MemoryLimit {
    fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        let more = desired.saturating_sub(current);
        let fits = self.memory.saturating_add(more) <= self.limit
            && maximum.is_none_or(|maximum| desired <= maximum);
        if fits {
            self.memory += more;
        } else {
            self.denied = true;
        }
        Ok(fits)
    }

    fn table_growing(
        &mut self,
        current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        let more = desired.saturating_sub(current);
        let fits = self.elements.saturating_add(more) <= TABLE_ELEMENTS
            && maximum.is_none_or(|maximum| desired <= maximum);
        if fits {
            self.elements += more;
        } else {
            self.denied = true;
        }
        Ok(fits)
    }

    fn instances(&self) -> usize {
        100
    }

    fn tables(&self) -> usize {
        100
    }

    fn memories(&self) -> usize {
        8
    }
}

#[cfg(test)]
mod tests {
    use super::{Budget, COMPARISONS, InForce, LOG_LINES, Logged, MemoryLimit};
    use crate::options::Options;
    use model::definition::Limits;
    use std::time::Duration;
    use wasmtime::ResourceLimiter;

    #[test]
    fn a_binding_lowers_its_limits_and_never_raises_them_past_the_ceiling() {
        let asked = Limits {
            cpu: Some(model::Duration::from_millis(10)),
            wall: Some(model::Duration::from_secs(3600)),
            memory_mib: Some(4096),
        };
        let limits = InForce::new(&Options::default(), &asked, true).call;
        assert_eq!(limits.cpu, Duration::from_millis(10));
        assert_eq!(limits.wall, Duration::from_secs(1));
        assert_eq!(limits.memory, 32 << 20);
    }

    #[test]
    fn memories_count_together() {
        let mut limit = MemoryLimit::new(1000);
        assert!(limit.memory_growing(0, 600, None).unwrap());
        assert!(limit.memory_growing(0, 400, None).unwrap());
        assert!(!limit.denied());
        assert!(!limit.memory_growing(400, 401, None).unwrap());
        assert!(limit.denied());
    }

    #[test]
    fn secrets_are_compared_too_rarely_to_be_guessed() {
        let limits = InForce::new(&Options::default(), &Limits::default(), false);
        let mut budget = Budget::new(limits);
        for _ in 0..COMPARISONS {
            assert!(budget.comparison().is_ok());
        }
        let stop = budget.comparison().unwrap_err();
        assert!(stop.to_string().contains("whether something is a secret"));
    }

    #[test]
    fn a_flood_of_log_lines_is_cut_off_once() {
        let limits = InForce::new(&Options::default(), &Limits::default(), true);
        let mut budget = Budget::new(limits);
        let lines: Vec<_> = (0..=LOG_LINES + 1).map(|_| budget.log(10)).collect();
        let whole = lines.iter().filter(|line| **line == Logged::Whole).count();
        assert_eq!(whole, LOG_LINES as usize);
        assert_eq!(lines[LOG_LINES as usize..], [Logged::Full, Logged::Dropped]);
    }
}
