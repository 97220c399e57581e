//! What a hook has done, in figures that cost a call next to nothing to keep: counters, and how the
//! times of its calls are spread. Nothing here locks or grows.

use std::sync::atomic::{AtomicU64, Ordering};

use model::Digest;
use model::hook::{Failure, FailureKind, Hook};
use model::id::BindingId;

use crate::breaker::BreakerState;

/// What a hook of a binding has done since it was set up on its component.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HookFigures {
    /// The binding.
    pub binding: BindingId,
    /// The hook.
    pub hook: Hook,
    /// The component it runs on.
    pub component: Digest,
    /// How many calls were made.
    pub calls: u64,
    /// How many of them gave no answer.
    pub failures: u64,
    /// How many ended how, by name: `answered`, or the kind of failure. Only those that came up.
    pub outcomes: Vec<(&'static str, u64)>,
    /// How long they took together, in microseconds.
    pub micros: u64,
    /// The time that half of them stayed within, in microseconds, to an eighth; none without calls.
    pub p50_micros: Option<u64>,
    /// The time that 99 in 100 of them stayed within, in microseconds, to an eighth.
    pub p99_micros: Option<u64>,
    /// Whether it is being asked at present.
    pub breaker: BreakerState,
}

/// The counters of one hook.
#[derive(Debug, Default)]
pub(crate) struct Figures {
    times: Spread,
    micros: AtomicU64,
    answered: AtomicU64,
    failed: [AtomicU64; KINDS.len()],
}

/// Every way to fail, by name. A kind that is not named here counts as the last.
const KINDS: [(FailureKind, &str); 11] = [
    (FailureKind::InvalidInput, "invalid-input"),
    (FailureKind::Misconfigured, "misconfigured"),
    (FailureKind::Unavailable, "unavailable"),
    (FailureKind::Internal, "internal"),
    (FailureKind::Trap, "trap"),
    (FailureKind::Timeout, "timeout"),
    (FailureKind::Memory, "memory"),
    (FailureKind::Limit, "limit"),
    (FailureKind::Missing, "missing"),
    (FailureKind::Busy, "busy"),
    (FailureKind::Refused, "refused"),
];

/// What an answer is called among the outcomes.
const ANSWERED: &str = "answered";

/// How a call ended, in one word of few.
pub(crate) fn outcome(failure: Option<&Failure>) -> &'static str {
    failure.map_or(ANSWERED, |failure| KINDS[place(failure.kind)].1)
}

fn place(kind: FailureKind) -> usize {
    let known = KINDS.iter().position(|(of, _)| *of == kind);
    known.unwrap_or(KINDS.len() - 1)
}

impl Figures {
    /// Counts a call.
    pub(crate) fn count(&self, micros: u64, failure: Option<&Failure>) {
        let ended = failure.map_or(&self.answered, |failure| &self.failed[place(failure.kind)]);
        ended.fetch_add(1, Ordering::Relaxed);
        self.micros.fetch_add(micros, Ordering::Relaxed);
        self.times.add(micros);
    }

    /// What there is to say of the hook.
    pub(crate) fn of(
        &self,
        binding: &BindingId,
        hook: Hook,
        component: Digest,
        breaker: BreakerState,
    ) -> HookFigures {
        let answered = self.answered.load(Ordering::Relaxed);
        let failed = KINDS.iter().zip(&self.failed);
        let failed = failed.map(|((_, name), count)| (*name, count.load(Ordering::Relaxed)));
        let outcomes: Vec<_> = std::iter::once((ANSWERED, answered))
            .chain(failed)
            .filter(|(_, count)| *count > 0)
            .collect();
        let calls = outcomes.iter().map(|(_, count)| count).sum();
        HookFigures {
            binding: binding.clone(),
            hook,
            component,
            calls,
            failures: calls - answered,
            outcomes,
            micros: self.micros.load(Ordering::Relaxed),
            p50_micros: self.times.within(50),
            p99_micros: self.times.within(99),
            breaker,
        }
    }
}

/// How many counters a doubling of time has.
const PARTS: usize = 8;
/// The doublings that are told apart: up to a minute and more. What takes longer counts as that long.
const DOUBLINGS: usize = 24;
const BUCKETS: usize = PARTS * (DOUBLINGS + 1);

/// How numbers are spread, as a log-linear histogram: each doubling has eight counters of one width,
/// so that a number is known to an eighth of itself, in 1.6 KB.
#[derive(Debug)]
struct Spread([AtomicU64; BUCKETS]);

impl Default for Spread {
    fn default() -> Self {
        Self([const { AtomicU64::new(0) }; BUCKETS])
    }
}

impl Spread {
    fn add(&self, number: u64) {
        self.0[bucket(number)].fetch_add(1, Ordering::Relaxed);
    }

    /// The number that this share of all, in percent, stays within: the upper end of its counter.
    fn within(&self, percent: u64) -> Option<u64> {
        let counts = self.0.each_ref().map(|count| count.load(Ordering::Relaxed));
        let all: u64 = counts.iter().sum();
        let wanted = (u128::from(all) * u128::from(percent)).div_ceil(100);
        let mut seen = 0;
        let reached = counts.iter().position(|count| {
            seen += u128::from(*count);
            seen >= wanted
        });
        reached.filter(|_| all > 0).map(upper_end)
    }
}

/// Where a number is counted. Below [`PARTS`] each has a counter of its own.
fn bucket(number: u64) -> usize {
    let number = usize::try_from(number).unwrap_or(usize::MAX);
    let doubling = (number / PARTS).checked_ilog2().map_or(0, |log| log + 1);
    let part = match doubling {
        0 => number,
        _ => (number >> (doubling - 1)) - PARTS,
    };
    (doubling as usize * PARTS + part).min(BUCKETS - 1)
}

/// The largest number that is counted there.
const fn upper_end(bucket: usize) -> u64 {
    let (doubling, part) = (bucket / PARTS, bucket % PARTS);
    if doubling == 0 {
        part as u64
    } else {
        (((PARTS + part + 1) as u64) << (doubling - 1)) - 1
    }
}

#[cfg(test)]
mod tests {
    use super::{BUCKETS, Figures, KINDS, Spread, bucket, outcome, upper_end};
    use crate::breaker::BreakerState;
    use crate::failure::failure;
    use model::Digest;
    use model::hook::Hook;
    use model::id::BindingId;

    #[test]
    fn each_number_is_counted_where_it_belongs_to_an_eighth() {
        for number in (0..100_000).chain([10_000_000, 60_000_000]) {
            let end = upper_end(bucket(number));
            assert!(number <= end && end - number <= number / 8, "{number}");
        }
        assert_eq!(bucket(u64::MAX), BUCKETS - 1);
        let ends: Vec<_> = (0..BUCKETS).map(upper_end).collect();
        assert!(ends.is_sorted_by(|a, b| a < b), "{ends:?}");
    }

    #[test]
    fn a_share_of_the_numbers_stays_within() {
        let spread = Spread::default();
        assert_eq!(spread.within(50), None);
        (1..=1_000).for_each(|number| spread.add(number));
        let within = |percent| spread.within(percent).unwrap();
        assert!((500..=562).contains(&within(50)), "{}", within(50));
        assert!((990..=1_114).contains(&within(99)), "{}", within(99));
        spread.add(0);
        assert!(within(1) > 0);
    }

    #[test]
    fn every_kind_of_failure_is_counted_under_its_own_name() {
        let figures = Figures::default();
        figures.count(10, None);
        for (kind, name) in KINDS {
            let failure = failure(kind, "no");
            assert_eq!(outcome(Some(&failure)), name);
            assert_eq!(serde_json::to_value(kind).unwrap(), name);
            figures.count(20, Some(&failure));
        }
        let binding = BindingId::new("router").unwrap();
        let closed = BreakerState::Closed;
        let told = figures.of(&binding, Hook::Routing, Digest::default(), closed);
        assert_eq!((told.calls, told.failures), (12, 11));
        assert!(told.outcomes.iter().all(|(_, count)| *count == 1));
        assert_eq!(told.p99_micros, Some(21), "the end of its counter");
    }
}
