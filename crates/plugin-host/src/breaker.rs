//! A circuit breaker per binding and hook: a plugin that keeps failing is not asked for a while, so
//! that it costs nothing, and is then tried with one call at a time until it answers again.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use model::hook::{Failure, FailureKind};
use tokio::time::Instant;

use crate::figures::outcome;

/// How many failures in a row open it.
const FAILURES: u32 = 5;
/// How long it stays open at first; each probe that fails doubles that.
const FIRST_REST: Duration = Duration::from_secs(5);
/// How many probes fail in a row until it is no use to go on.
const PROBES: u32 = 3;
/// How long it stays open at most.
const LONGEST_REST: Duration = Duration::from_mins(5);

/// Whether a hook of a binding is asked at present.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BreakerState {
    /// It is asked.
    Closed,
    /// It failed too often and is left alone for so long.
    Open {
        /// How long there is still to go.
        remaining: Duration,
    },
    /// One call is trying whether it answers again.
    Probing,
}

impl BreakerState {
    /// Its name: `closed`, `open` or `probing`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::Open { .. } => "open",
            Self::Probing => "probing",
        }
    }
}

#[derive(Debug, Default)]
pub(crate) struct Breaker {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    failures: u32,
    last: String,
    /// While open: until when, and how long this rest is.
    rest: Option<(Instant, Duration)>,
    probing: bool,
    /// How many probes failed since it opened.
    failed_probes: u32,
}

/// Leave to make one call. Dropped without a result, as when a caller goes away, it changes nothing
/// but that another call may probe.
#[derive(Debug)]
pub(crate) struct Permit<'a> {
    breaker: &'a Breaker,
    probe: bool,
}

impl Breaker {
    /// Leave to call, or why not now.
    pub(crate) fn permit(&self) -> Result<Permit<'_>, Failure> {
        let mut state = self.lock();
        let Some((until, _)) = state.rest else {
            return Ok(Permit {
                breaker: self,
                probe: false,
            });
        };
        let remaining = until.saturating_duration_since(Instant::now());
        if remaining.is_zero() && !state.probing {
            state.probing = true;
            return Ok(Permit {
                breaker: self,
                probe: true,
            });
        }
        let millis = u64::try_from(remaining.as_millis()).unwrap_or(u64::MAX);
        Err(Failure {
            kind: FailureKind::Unavailable,
            message: format!(
                "it failed {} times in a row and is left alone for now; the last time: {}",
                state.failures, state.last
            ),
            retry_after: Some(model::Duration::from_millis(millis)),
        })
    }

    pub(crate) fn state(&self) -> BreakerState {
        let state = self.lock();
        match state.rest {
            None => BreakerState::Closed,
            Some(_) if state.probing => BreakerState::Probing,
            Some((until, _)) => BreakerState::Open {
                remaining: until.saturating_duration_since(Instant::now()),
            },
        }
    }

    /// Forgets what was.
    pub(crate) fn reset(&self) {
        *self.lock() = State::default();
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Permit<'_> {
    /// Takes note of how the call went. Says why it is no use to go on, once it is.
    pub(crate) fn done(self, failure: Option<&Failure>) -> Option<String> {
        let mut state = self.breaker.lock();
        match failure {
            // Being too busy to be called tells nothing about the plugin.
            Some(failure) if failure.kind == FailureKind::Busy => {}
            Some(failure) if counts(failure.kind) => {
                state.failures = state.failures.saturating_add(1);
                state.last.clone_from(&failure.message);
                let rest = match state.rest {
                    Some((_, rest)) if self.probe => Some((rest * 2).min(LONGEST_REST)),
                    None if state.failures >= FAILURES => Some(FIRST_REST),
                    _ => None,
                };
                if let Some(rest) = rest {
                    state.rest = Some((Instant::now() + rest, rest));
                }
                state.failed_probes += u32::from(self.probe);
                let is_last = self.probe && state.failed_probes == PROBES;
                // What the plugin said may be personal, and this is kept: the binding's log tells it.
                return is_last.then(|| {
                    let (failures, last) = (state.failures, outcome(Some(failure)));
                    format!(
                        "it failed {failures} times in a row, and still after {PROBES} rests, the last time: {last}"
                    )
                });
            }
            _ => *state = State::default(),
        }
        None
    }
}

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        if self.probe {
            self.breaker.lock().probing = false;
        }
    }
}

/// Whether a failure speaks against the plugin, and not against a record, a setting or the world.
pub(crate) const fn counts(kind: FailureKind) -> bool {
    matches!(
        kind,
        FailureKind::Trap | FailureKind::Timeout | FailureKind::Memory | FailureKind::Limit
    )
}

#[cfg(test)]
mod tests {
    use super::{Breaker, BreakerState, FAILURES, FIRST_REST};
    use crate::failure::failure;
    use model::hook::FailureKind;

    fn fail(breaker: &Breaker) {
        let failure = failure(FailureKind::Trap, "it gave up");
        breaker.permit().unwrap().done(Some(&failure));
    }

    #[tokio::test(start_paused = true)]
    async fn it_opens_after_repeated_failures_and_closes_after_a_probe() {
        let breaker = Breaker::default();
        (0..FAILURES).for_each(|_| fail(&breaker));
        let refused = breaker.permit().unwrap_err();
        assert_eq!(refused.kind, FailureKind::Unavailable);
        assert!(
            refused.message.contains("5 times in a row"),
            "{}",
            refused.message
        );

        tokio::time::advance(FIRST_REST).await;
        let probe = breaker.permit().unwrap();
        assert_eq!(breaker.state(), BreakerState::Probing);
        assert!(breaker.permit().is_err(), "one probe at a time");
        probe.done(None);
        assert_eq!(breaker.state(), BreakerState::Closed);
    }

    #[tokio::test(start_paused = true)]
    async fn a_failed_probe_rests_twice_as_long() {
        let breaker = Breaker::default();
        (0..FAILURES).for_each(|_| fail(&breaker));
        tokio::time::advance(FIRST_REST).await;
        fail(&breaker);
        let remaining = FIRST_REST * 2;
        assert_eq!(breaker.state(), BreakerState::Open { remaining });
    }

    #[tokio::test(start_paused = true)]
    async fn it_says_when_it_is_no_use_to_go_on() {
        let breaker = Breaker::default();
        (0..FAILURES).for_each(|_| fail(&breaker));
        let probe = async |rest| {
            tokio::time::advance(rest).await;
            let failure = failure(FailureKind::Trap, "it gave up");
            breaker.permit().unwrap().done(Some(&failure))
        };
        assert_eq!(probe(FIRST_REST).await, None);
        assert_eq!(probe(FIRST_REST * 2).await, None);
        let why = probe(FIRST_REST * 4).await.unwrap();
        assert!(why.contains("8 times in a row"), "{why}");
        assert!(why.ends_with("the last time: trap"), "{why}");
        assert_eq!(probe(FIRST_REST * 8).await, None, "it says so once");
        breaker.reset();
        assert_eq!(breaker.state(), BreakerState::Closed);
    }

    #[tokio::test]
    async fn an_error_that_the_plugin_reports_does_not_count() {
        let breaker = Breaker::default();
        for _ in 0..FAILURES * 2 {
            let failure = failure(FailureKind::InvalidInput, "no impact");
            breaker.permit().unwrap().done(Some(&failure));
        }
        assert_eq!(breaker.state(), BreakerState::Closed);
    }

    #[tokio::test(start_paused = true)]
    async fn a_probe_that_is_given_up_lets_another_try() {
        let breaker = Breaker::default();
        (0..FAILURES).for_each(|_| fail(&breaker));
        tokio::time::advance(FIRST_REST).await;
        drop(breaker.permit().unwrap());
        assert!(breaker.permit().is_ok());
    }
}
