//! The machine's clock, held to the time that passes: a wall clock that jumps is not believed before
//! it has stood by its jump for a while.
//!
//! Time passes by the machine's own count, which nobody sets and which goes on while it is suspended.
//! As long as the wall clock agrees with it, give or take [`TOLERANCE`], the wall clock is the time. Once
//! it does not, the count goes on from the time before, so that nothing is done early and nothing twice;
//! and when the wall clock has kept to the new time for [`CONFIRMED`], that is the time.

use std::sync::{Mutex, MutexGuard, PoisonError};

use model::{Duration, Instant};

use super::clock::{Clock, ClockDoubt, SystemClock};

/// How far the wall clock may be off before it is doubted: corrections stay below it.
const TOLERANCE: Duration = Duration::from_secs(60);
/// How long a wall clock has to keep to a jump until it is believed.
const CONFIRMED: Duration = Duration::from_secs(300);

/// What a machine says of time.
pub trait Machine: Send + Sync + 'static {
    /// What its wall clock shows.
    fn wall(&self) -> Instant;
    /// How long it has run since a moment that stays the same, suspended time left out.
    fn running(&self) -> Duration;
    /// How long it was suspended since that moment; zero where that cannot be told.
    fn suspended(&self) -> Duration;
}

/// The machine that this process runs on.
#[derive(Debug)]
pub struct ThisMachine {
    begun: std::time::Instant,
    /// How long it had been up when this process began to count, where it tells.
    up: Option<Duration>,
}

impl ThisMachine {
    /// Begins to count.
    pub fn new() -> Self {
        Self {
            begun: std::time::Instant::now(),
            up: up(),
        }
    }
}

impl Default for ThisMachine {
    fn default() -> Self {
        Self::new()
    }
}

impl Machine for ThisMachine {
    fn wall(&self) -> Instant {
        SystemClock.now()
    }

    fn running(&self) -> Duration {
        let running = self.begun.elapsed().as_millis();
        Duration::from_millis(u64::try_from(running).unwrap_or(u64::MAX))
    }

    fn suspended(&self) -> Duration {
        let up = self.up.zip(up());
        up.map_or(Duration::ZERO, |(before, now)| {
            now.saturating_sub(before).saturating_sub(self.running())
        })
    }
}

/// How long the machine is up, suspended time included, as Linux tells it.
fn up() -> Option<Duration> {
    let text = std::fs::read_to_string("/proc/uptime").ok()?;
    let (seconds, hundredths) = text.split_whitespace().next()?.split_once('.')?;
    let seconds: u64 = seconds.parse().ok()?;
    let hundredths: u64 = hundredths.parse().ok()?;
    Some(Duration::from_millis(
        seconds.checked_mul(1000)? + hundredths * 10,
    ))
}

/// A clock that follows a machine's wall clock except where that jumps.
#[derive(Debug)]
pub struct SteadyClock<M> {
    machine: M,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    /// The time that was agreed on last, and the count then.
    agreed: Instant,
    counted: Duration,
    /// How far the wall clock was off when it was last believed, in milliseconds.
    off: i64,
    suspended: Duration,
    told: Instant,
    doubt: Option<Doubt>,
}

/// A wall clock that is not believed.
#[derive(Clone, Copy, Debug)]
struct Doubt {
    /// How far it is off, in milliseconds.
    off: i64,
    /// The count when it came to that.
    since: Duration,
}

impl<M: Machine> SteadyClock<M> {
    /// Begins with what the wall clock shows: whoever starts the server vouches for it.
    pub fn new(machine: M) -> Self {
        let (wall, suspended) = (machine.wall(), machine.suspended());
        let counted = machine.running().saturating_add(suspended);
        let state = State {
            agreed: wall,
            counted,
            off: 0,
            suspended,
            told: wall,
            doubt: None,
        };
        Self {
            machine,
            state: Mutex::new(state),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<M: Machine> Clock for SteadyClock<M> {
    fn now(&self) -> Instant {
        let mut state = self.state();
        let (wall, running) = (self.machine.wall(), self.machine.running());
        let mut counted = running.saturating_add(state.suspended);
        let mut off = state.off_by(wall, counted);
        if off.unsigned_abs() > TOLERANCE.millis() {
            // Perhaps it was only suspended. That takes longer to tell, and so is asked last.
            state.suspended = self.machine.suspended();
            counted = running.saturating_add(state.suspended);
            off = state.off_by(wall, counted);
        }
        state.told = if off.unsigned_abs() <= TOLERANCE.millis() {
            state.believe(wall, off);
            if counted.saturating_sub(state.counted) >= CONFIRMED {
                state.suspended = self.machine.suspended();
                let counted = running.saturating_add(state.suspended);
                (state.agreed, state.counted, state.off) = (wall, counted, 0);
            }
            wall.max(state.told)
        } else if state.is_confirmed(counted, off) {
            tracing::warn!(%wall, before = %state.told, "the machine's clock has kept to its new time, which counts from now on");
            (state.agreed, state.counted, state.off) = (wall, counted, 0);
            state.doubt = None;
            wall
        } else {
            let off = state.off;
            state.expected(counted, off).max(state.told)
        };
        state.told
    }

    fn doubt(&self) -> Option<ClockDoubt> {
        let trusted = self.now();
        let wall = self.machine.wall();
        self.state().doubt.map(|_| ClockDoubt { wall, trusted })
    }
}

impl State {
    /// The time by the count alone, for a wall clock that is off by so much.
    fn expected(&self, counted: Duration, off: i64) -> Instant {
        let passed = counted.saturating_sub(self.counted);
        let time = self.agreed.saturating_add(passed);
        Instant::from_millis(time.millis().saturating_add(off))
    }

    fn off_by(&self, wall: Instant, counted: Duration) -> i64 {
        let expected = self.expected(counted, 0);
        wall.millis().saturating_sub(expected.millis())
    }

    fn believe(&mut self, wall: Instant, off: i64) {
        if self.doubt.take().is_some() {
            tracing::warn!(%wall, "the machine's clock has come back: its time counts again");
        }
        self.off = off;
    }

    /// Whether a wall clock that is off has been so, by as much, for long enough.
    fn is_confirmed(&mut self, counted: Duration, off: i64) -> bool {
        match self.doubt {
            Some(doubt) if is_near(doubt.off, off) => {
                counted.saturating_sub(doubt.since) >= CONFIRMED
            }
            _ => {
                self.doubt = Some(Doubt {
                    off,
                    since: counted,
                });
                let trusted = self.expected(counted, self.off);
                tracing::warn!(
                    off_seconds = off / 1000,
                    %trusted,
                    "the machine's clock has jumped: time is counted on from before until the clock comes back, or has kept to its new time for five minutes; a restart takes it as it is"
                );
                false
            }
        }
    }
}

const fn is_near(one: i64, other: i64) -> bool {
    one.abs_diff(other) <= TOLERANCE.millis()
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

    use model::{Duration, Instant};
    use proptest::prelude::*;

    use super::{CONFIRMED, Clock as _, Machine, SteadyClock, TOLERANCE};

    const BEGUN: i64 = 1_770_000_000_000;

    /// A machine whose hands are moved by hand.
    #[derive(Default)]
    struct Hands {
        running: AtomicU64,
        suspended: AtomicU64,
        off: AtomicI64,
    }

    impl Hands {
        fn run(&self, time: Duration) {
            self.running.fetch_add(time.millis(), Ordering::SeqCst);
        }

        fn suspend(&self, time: Duration) {
            self.suspended.fetch_add(time.millis(), Ordering::SeqCst);
        }

        fn set_off(&self, millis: i64) {
            self.off.store(millis, Ordering::SeqCst);
        }

        /// The time as it passes.
        fn time(&self) -> Instant {
            let passed = self.running().saturating_add(self.suspended());
            Instant::from_millis(BEGUN).saturating_add(passed)
        }
    }

    impl Machine for Hands {
        fn wall(&self) -> Instant {
            let off = self.off.load(Ordering::SeqCst);
            Instant::from_millis(self.time().millis() + off)
        }

        fn running(&self) -> Duration {
            Duration::from_millis(self.running.load(Ordering::SeqCst))
        }

        fn suspended(&self) -> Duration {
            Duration::from_millis(self.suspended.load(Ordering::SeqCst))
        }
    }

    fn second() -> Duration {
        Duration::from_secs(1)
    }

    #[test]
    fn a_jump_is_believed_once_it_was_kept_to() {
        for off in [86_400_000, -86_400_000] {
            let clock = SteadyClock::new(Hands::default());
            clock.machine.set_off(off);
            for _ in 0..CONFIRMED.as_secs() {
                assert_eq!(clock.now(), clock.machine.time());
                assert!(clock.doubt().is_some());
                clock.machine.run(second());
            }
            assert_eq!(clock.now(), clock.machine.wall());
            assert!(clock.doubt().is_none());
        }
    }

    #[test]
    fn time_in_which_the_machine_was_suspended_has_passed() {
        let clock = SteadyClock::new(Hands::default());
        for _ in 0..100 {
            // Also many short times, none of them noticed for itself.
            for length in [40, 40, 40, 36_000] {
                clock.machine.suspend(Duration::from_secs(length));
                assert_eq!(clock.now(), clock.machine.time());
                assert!(clock.doubt().is_none());
                clock.machine.run(Duration::from_secs(200));
            }
        }
    }

    #[test]
    fn a_clock_that_is_set_right_by_little_is_followed_and_never_goes_back() {
        let clock = SteadyClock::new(Hands::default());
        clock.machine.set_off(30_000);
        assert_eq!(clock.now(), clock.machine.wall());
        let before = clock.now();
        clock.machine.set_off(0);
        assert_eq!(clock.now(), before, "it stands still");
        clock.machine.run(Duration::from_secs(40));
        assert_eq!(clock.now(), clock.machine.wall());
    }

    #[test]
    fn a_clock_cannot_creep_ahead_faster_than_it_is_believed() {
        let clock = SteadyClock::new(Hands::default());
        let mut off = 0;
        for _ in 0..CONFIRMED.as_secs() - 1 {
            off += 59_000;
            clock.machine.set_off(off);
            clock.machine.run(second());
            let ahead = clock.now().since(clock.machine.time());
            assert!(ahead <= TOLERANCE, "{ahead}");
        }
    }

    proptest! {
        #[test]
        fn jumps_that_come_back_change_nothing(
            jumps in proptest::collection::vec(
                (1..2_000u64, prop_oneof![200_000..300_000_000i64, -300_000_000..-200_000i64], 1..CONFIRMED.as_secs(), 0..40_000u64),
                1..30,
            )
        ) {
            let clock = SteadyClock::new(Hands::default());
            let pass = |seconds: u64| -> Result<(), TestCaseError> {
                for _ in 0..seconds {
                    clock.machine.run(second());
                    prop_assert_eq!(clock.now(), clock.machine.time());
                }
                Ok(())
            };
            for (quiet, off, lasts, asleep) in jumps {
                pass(quiet)?;
                clock.machine.set_off(off);
                pass(lasts / 2)?;
                clock.machine.suspend(Duration::from_secs(asleep % 100));
                pass(1)?;
                clock.machine.set_off(0);
            }
            pass(1)?;
            prop_assert!(clock.doubt().is_none());
        }

        #[test]
        fn time_goes_on_as_it_passes_whatever_the_wall_clock_does(
            steps in proptest::collection::vec((0..20u64, prop_oneof![3 => Just(None), 1 => (-10_000_000..10_000_000i64).prop_map(Some)]), 1..200)
        ) {
            let clock = SteadyClock::new(Hands::default());
            let (mut before, mut time) = (clock.now(), clock.machine.time());
            let mut kept = Duration::ZERO;
            for (seconds, off) in steps {
                if let Some(off) = off {
                    clock.machine.set_off(off);
                    kept = Duration::ZERO;
                }
                for _ in 0..seconds {
                    clock.machine.run(second());
                    let now = clock.now();
                    if kept < CONFIRMED {
                        prop_assert!(now >= before, "it went back");
                        let (told, passed) = (now.since(before), clock.machine.time().since(time));
                        prop_assert!(told <= passed.saturating_add(TOLERANCE).saturating_add(TOLERANCE), "it jumped by {}", told);
                    }
                    (before, time) = (now, clock.machine.time());
                    kept = kept.saturating_add(second());
                }
            }
        }
    }
}
