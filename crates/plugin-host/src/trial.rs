//! A version that is being tried on a share of the calls. No record depends on it: a pure hook is
//! asked a second time on it, beside the call whose answer counts, and the two answers are compared;
//! an integration's call goes to it, and is made again on the version in force where it fails.
//!
//! Which calls it is tried on follows from their ids, so that every attempt of a call is alike.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use engine::port::Candidate;
use model::Digest;
use model::configuration::Share;
use model::hook::{Answer, Call, Failure, FailureKind, Hook};
use model::id::BindingId;

use crate::active::Bound;
use crate::figures::{HookFigures, outcome};

/// How many failures end a trial.
const FAILURES: u64 = 5;
/// How many differences are remembered.
const DIFFERENCES: usize = 20;

/// How the trial of a version goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrialFigures {
    /// The binding.
    pub binding: BindingId,
    /// The component that is tried.
    pub component: Digest,
    /// The share of the calls that it is tried on.
    pub share: Share,
    /// How often it answered what the version in force did.
    pub same: u64,
    /// How often it answered something else.
    pub different: u64,
    /// How often it answered a call of an integration, which nothing can be compared with.
    pub answered: u64,
    /// How often it failed where the version in force did not.
    pub failed: u64,
    /// How often it was passed over, as it was busy with other calls.
    pub skipped: u64,
    /// Why it is tried no more, where it is not.
    pub withdrawn: Option<String>,
    /// What differed last, oldest first.
    pub differences: Vec<Difference>,
    /// What each hook has done on it.
    pub hooks: Vec<HookFigures>,
}

/// Two versions answered differently, or one did not. It says where and not what: values may be
/// personal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// The hook.
    pub hook: Hook,
    /// The id of the call.
    pub call: String,
    /// The record, or its workflow where it has no number yet.
    pub record: String,
    /// What differs, such as `team`, or how the version that is tried failed.
    pub what: String,
}

/// A version that is being tried.
pub(crate) struct Trial {
    pub(crate) bound: Arc<Bound>,
    share: Share,
    same: AtomicU64,
    different: AtomicU64,
    answered: AtomicU64,
    failed: AtomicU64,
    skipped: AtomicU64,
    noted: AtomicU64,
    withdrawn: OnceLock<String>,
    differences: Mutex<VecDeque<Difference>>,
}

impl Trial {
    pub(crate) fn new(bound: Arc<Bound>, candidate: &Candidate) -> Self {
        let withdrawn = candidate.withdrawn.clone();
        Self {
            bound,
            share: candidate.share,
            same: AtomicU64::default(),
            different: AtomicU64::default(),
            answered: AtomicU64::default(),
            failed: AtomicU64::default(),
            skipped: AtomicU64::default(),
            noted: AtomicU64::default(),
            withdrawn: withdrawn.map_or_else(OnceLock::new, OnceLock::from),
            differences: Mutex::default(),
        }
    }

    /// Whether it is what this candidate would make: then it goes on.
    pub(crate) fn is(&self, candidate: &Candidate) -> bool {
        self.bound.digest == candidate.digest
            && self.share == candidate.share
            && self.withdrawn.get().is_some() == candidate.withdrawn.is_some()
    }

    /// Whether it is to be tried on this call.
    pub(crate) fn takes(&self, call: &Call) -> bool {
        self.withdrawn.get().is_none() && within(self.share, &call.id)
    }

    /// It answered a call of an integration.
    pub(crate) fn answered(&self) {
        self.answered.fetch_add(1, Ordering::Relaxed);
    }

    /// It was passed over.
    pub(crate) fn skipped(&self) {
        self.skipped.fetch_add(1, Ordering::Relaxed);
    }

    /// Takes note of two answers to one question. Says why the trial is over, once it is.
    pub(crate) fn compare(
        &self,
        (hook, call, record): (Hook, &Call, &str),
        present: &Result<Answer, Failure>,
        candidate: &Result<Answer, Failure>,
    ) -> Option<String> {
        let what = match (present, candidate) {
            (_, Err(failure)) if failure.kind == FailureKind::Busy => {
                self.skipped();
                return None;
            }
            (Err(_), Err(_)) => String::new(),
            (Ok(_), Err(failure)) => {
                let what = format!("no answer: {}", outcome(Some(failure)));
                self.note(hook, call, record, what);
                return self.failed(failure);
            }
            (Err(failure), Ok(_)) => {
                format!("an answer in the place of {}", outcome(Some(failure)))
            }
            (Ok(present), Ok(candidate)) => differing(present, candidate).join(", "),
        };
        if what.is_empty() {
            self.same.fetch_add(1, Ordering::Relaxed);
        } else {
            self.different.fetch_add(1, Ordering::Relaxed);
            self.note(hook, call, record, what);
        }
        None
    }

    /// It failed where the version in force would not, or did not. Says why the trial is over, once
    /// it is.
    pub(crate) fn failed(&self, failure: &Failure) -> Option<String> {
        let failed = self.failed.fetch_add(1, Ordering::Relaxed) + 1;
        if failed < FAILURES {
            return None;
        }
        // What the plugin said may be personal, and this is kept: the binding's log tells it.
        let last = outcome(Some(failure));
        let why = format!("it failed {failed} times, the last time: {last}");
        self.withdrawn.set(why.clone()).ok().map(|()| why)
    }

    /// Remembers a difference. It is logged while there are few, and then ever more seldom.
    fn note(&self, hook: Hook, call: &Call, record: &str, what: String) {
        let noted = self.noted.fetch_add(1, Ordering::Relaxed) + 1;
        if noted <= DIFFERENCES as u64 || noted.is_power_of_two() {
            tracing::warn!(
                binding = self.bound.id.as_str(),
                component = self.bound.digest_text,
                hook = hook.as_str(),
                record,
                what,
                "the version that is tried answers differently"
            );
        }
        let mut differences = self.lock();
        if differences.len() == DIFFERENCES {
            differences.pop_front();
        }
        differences.push_back(Difference {
            hook,
            call: call.id.clone(),
            record: record.to_owned(),
            what,
        });
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<Difference>> {
        let differences = self.differences.lock();
        differences.unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn failures(&self) -> u64 {
        self.failed.load(Ordering::Relaxed)
    }

    pub(crate) fn figures(&self) -> TrialFigures {
        let differences = self.lock();
        TrialFigures {
            binding: self.bound.id.clone(),
            component: self.bound.digest,
            share: self.share,
            same: self.same.load(Ordering::Relaxed),
            different: self.different.load(Ordering::Relaxed),
            answered: self.answered.load(Ordering::Relaxed),
            failed: self.failures(),
            skipped: self.skipped.load(Ordering::Relaxed),
            withdrawn: self.withdrawn.get().cloned(),
            differences: differences.iter().cloned().collect(),
            hooks: self.bound.figures(),
        }
    }
}

/// Whether a call is within a share of all calls.
fn within(share: Share, call: &str) -> bool {
    let digest = Digest::of(call.as_bytes());
    let mut number = [0; 8];
    number.copy_from_slice(&digest.as_bytes()[..8]);
    u64::from_le_bytes(number) % 100 < u64::from(share.percent())
}

/// What differs between two answers, by name. Reasons are told to people and decide nothing.
fn differing(present: &Answer, candidate: &Answer) -> Vec<&'static str> {
    let mut differing = Vec::new();
    match (present, candidate) {
        (
            Answer::Assignment { team, assignee, .. },
            Answer::Assignment {
                team: other_team,
                assignee: other_assignee,
                ..
            },
        ) => {
            differing.extend((team != other_team).then_some("team"));
            differing.extend((assignee != other_assignee).then_some("assignee"));
        }
        (Answer::Targets(targets), Answer::Targets(others)) => {
            let decided = |targets: &[model::hook::TargetAnswer]| {
                let mut targets = targets.to_vec();
                for target in &mut targets {
                    target.reason.clear();
                }
                targets
            };
            differing.extend((decided(targets) != decided(others)).then_some("targets"));
        }
        (Answer::Ask(stages), Answer::Ask(others)) => {
            let decided = |stages: &[model::hook::StageAnswer]| {
                let mut stages = stages.to_vec();
                for stage in &mut stages {
                    stage.reason.clear();
                }
                stages
            };
            differing.extend((decided(stages) != decided(others)).then_some("stages"));
        }
        (Answer::Approve { .. }, Answer::Approve { .. })
        | (Answer::Reject { .. }, Answer::Reject { .. }) => {}
        _ => differing.push("verdict"),
    }
    differing
}

#[cfg(test)]
mod tests {
    use super::{differing, within};
    use model::configuration::Share;
    use model::hook::Answer;

    #[test]
    fn the_share_of_the_calls_is_about_what_was_asked_for() {
        for percent in [1, 10, 50, 100] {
            let share = Share::try_from(percent).unwrap();
            let taken = (0..10_000).filter(|call| within(share, &format!("call-{call}")));
            let expected = usize::from(percent) * 100;
            assert!(taken.count().abs_diff(expected) <= 200, "{percent}");
        }
    }

    #[test]
    fn answers_differ_by_what_they_decide() {
        let assignment = |team: &str, assignee: &str, reason: &str| Answer::Assignment {
            team: team.to_owned(),
            assignee: Some(assignee.to_owned()),
            reason: reason.to_owned(),
        };
        let answer = assignment("network", "ann", "She knows it.");
        let nothing: [&str; 0] = [];
        let same = assignment("network", "ann", "She is on shift.");
        assert_eq!(differing(&answer, &same), nothing);
        let other = assignment("desk", "bo", "She knows it.");
        assert_eq!(differing(&answer, &other), ["team", "assignee"]);
        let approve = Answer::Approve {
            reason: String::new(),
        };
        let reject = Answer::Reject {
            reason: String::new(),
        };
        assert_eq!(differing(&approve, &reject), ["verdict"]);
        assert_eq!(differing(&approve, &approve), nothing);
    }
}
