//! What a simulation says: totals by workflow, how many records changed from what to what, and the
//! records that differ most, each with every difference. The names of its fields stay what they are.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use model::id::{PackId, RecordId, WorkflowId};
use model::{Digest, Instant};
use serde::Serialize;

/// How many differences of a record are told.
const MOST_OF_RECORD: usize = 50;
/// How many changes of one thing are told apart; the others are counted together.
const MOST_CHANGES: usize = 200;

/// What a simulation came to.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Simulated {
    /// The pack that was tried.
    pub pack: PackId,
    /// Its version.
    pub version: String,
    /// Its digest.
    pub digest: Digest,
    /// Only records that began since then, where the simulation was asked so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<Instant>,
    /// Only records of this workflow, where it was asked so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub workflow: Option<WorkflowId>,
    /// Whether records that diverged were put into their recorded state and judged on.
    pub follow: bool,
    /// The last position of the journal.
    pub position: u64,
    /// The latest instant of the journal, at which every record is looked at last.
    pub until: Instant,
    /// Over all workflows.
    pub total: Counts,
    /// How many records would be what they are to the last instant.
    pub identical: u64,
    /// By workflow.
    pub workflows: BTreeMap<WorkflowId, OfWorkflow>,
    /// How plugins were answered for.
    pub hooks: Hooks,
    /// The records that differ most, those that diverged first.
    pub worst: Vec<OfRecord>,
}

/// How many records there are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// All that were judged.
    pub records: u64,
    /// Those of which nothing is reported.
    pub same: u64,
    /// Those of which anything is, the diverged among them.
    pub differ: u64,
    /// Those whose recorded course is not possible any more.
    pub diverged: u64,
}

impl Counts {
    fn add(&mut self, judged: &Judged) {
        self.records += 1;
        if judged.differences.is_empty() {
            self.same += 1;
        } else {
            self.differ += 1;
        }
        self.diverged += u64::from(judged.diverged.is_some());
    }

    fn merge(&mut self, other: Self) {
        self.records += other.records;
        self.same += other.same;
        self.differ += other.differ;
        self.diverged += other.diverged;
    }
}

/// The records of one workflow.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct OfWorkflow {
    /// How many there are.
    #[serde(flatten)]
    pub counts: Counts,
    /// How many have a difference of each kind.
    pub kinds: BTreeMap<Kind, u64>,
    /// From what to what, most records first within each thing.
    pub changes: Vec<Change>,
}

/// A change that records have in common.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Change {
    /// Its kind.
    pub kind: Kind,
    /// What changed, such as `priority`.
    pub what: String,
    /// What it was; empty for instants, whose shift is told alone.
    pub then: String,
    /// What it is now, or by how much it is shifted; `others` for those that are not told apart.
    pub now: String,
    /// How many records.
    pub records: u64,
}

/// How questions to plugins were answered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Hooks {
    /// By the answer that the journal holds.
    pub journaled: u64,
    /// By the plugin, asked afresh.
    pub afresh: u64,
    /// Those of them to which the plugin gave no answer, so that the fallback was taken.
    pub failed: u64,
}

/// One record.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct OfRecord {
    /// Its number.
    pub record: RecordId,
    /// Its workflow.
    pub workflow: WorkflowId,
    /// Where its recorded course first became impossible.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub diverged: Option<Diverged>,
    /// What differs, in the order in which it began to; at most 50.
    pub differences: Vec<Difference>,
    /// How many more there are.
    #[serde(skip_serializing_if = "is_none")]
    pub more: u64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks so")]
const fn is_none(count: &u64) -> bool {
    *count == 0
}

/// Where a record left its recorded course.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Diverged {
    /// When.
    pub at: Instant,
    /// Why, in a sentence.
    pub why: String,
}

/// The kinds of difference.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// A move, or a change of fields, that is refused now.
    Impossible,
    /// An approval that nobody voted on, because nobody was asked then.
    Undecided,
    /// A vote that is not asked for now.
    UnneededVote,
    /// A field.
    Field,
    /// The state.
    State,
    /// The team or the assignee.
    Route,
    /// Who is asked to approve, or how many must.
    Approvers,
    /// How an approval ended.
    Approval,
    /// Whether a promise was kept.
    Verdict,
    /// What was promised: a target, or its goal and calendar.
    Goal,
    /// When a goal is used up.
    Due,
}

impl Kind {
    /// Every kind, in the order in which they are told.
    pub const ALL: [Self; 11] = [
        Self::Impossible,
        Self::Undecided,
        Self::UnneededVote,
        Self::Field,
        Self::State,
        Self::Route,
        Self::Approvers,
        Self::Approval,
        Self::Verdict,
        Self::Goal,
        Self::Due,
    ];

    /// Its name in the report.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Impossible => "impossible",
            Self::Undecided => "undecided",
            Self::UnneededVote => "unneeded-vote",
            Self::Field => "field",
            Self::State => "state",
            Self::Route => "route",
            Self::Approvers => "approvers",
            Self::Approval => "approval",
            Self::Verdict => "verdict",
            Self::Goal => "goal",
            Self::Due => "due",
        }
    }
}

/// One difference of a record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// Its kind.
    pub kind: Kind,
    /// What differs, such as `priority`, `team` or `standard/resolution`.
    pub what: String,
    /// When it began to.
    pub at: Instant,
    /// What it was; at the end where it lasts.
    pub then: String,
    /// What it is now; at the end where it lasts.
    pub now: String,
    /// Whether it still differs at the end.
    pub lasts: bool,
    /// By how many seconds an instant is later now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shift_s: Option<i64>,
    /// Why, in a sentence, where that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
}

impl Difference {
    /// What is counted together: from what, to what.
    fn change(&self) -> (String, String) {
        match self.shift_s {
            Some(shift) => (String::new(), shift_told(shift).to_owned()),
            None if self.kind == Kind::Due => {
                let is_known = |text: &str| if text == "none" { "none" } else { "known" };
                (
                    is_known(&self.then).to_owned(),
                    is_known(&self.now).to_owned(),
                )
            }
            None => (self.then.clone(), self.now.clone()),
        }
    }
}

/// The bucket of a shift, in words.
const fn shift_told(seconds: i64) -> &'static str {
    const HOUR: i64 = 3_600;
    match seconds {
        ..=-604_801 => "earlier by more than 7 d",
        -604_800..=-86_401 => "earlier by 1 to 7 d",
        -86_400..=-14_401 => "earlier by 4 to 24 h",
        -14_400..=-3_601 => "earlier by 1 to 4 h",
        -3_600..=-1 => "earlier by up to 1 h",
        0..=HOUR => "later by up to 1 h",
        3_601..=14_400 => "later by 1 to 4 h",
        14_401..=86_400 => "later by 4 to 24 h",
        86_401..=604_800 => "later by 1 to 7 d",
        _ => "later by more than 7 d",
    }
}

/// What came of one record.
#[derive(Clone, Debug)]
pub(super) struct Judged {
    pub(super) record: RecordId,
    pub(super) workflow: WorkflowId,
    pub(super) diverged: Option<Diverged>,
    pub(super) differences: Vec<Difference>,
}

/// What a thread has judged so far.
pub(super) struct Sum {
    most_worst: usize,
    total: Counts,
    workflows: BTreeMap<WorkflowId, SumOfWorkflow>,
    worst: Vec<OfRecord>,
}

#[derive(Default)]
struct SumOfWorkflow {
    counts: Counts,
    kinds: BTreeMap<Kind, u64>,
    changes: BTreeMap<(Kind, String), BTreeMap<(String, String), u64>>,
}

impl Sum {
    pub(super) const fn new(most_worst: usize) -> Self {
        Self {
            most_worst,
            total: Counts {
                records: 0,
                same: 0,
                differ: 0,
                diverged: 0,
            },
            workflows: BTreeMap::new(),
            worst: Vec::new(),
        }
    }

    pub(super) fn add(&mut self, judged: Judged) {
        self.total.add(&judged);
        let of = self.workflows.entry(judged.workflow.clone()).or_default();
        of.counts.add(&judged);
        if judged.differences.is_empty() {
            return;
        }
        for kind in Kind::ALL {
            if judged.differences.iter().any(|it| it.kind == kind) {
                *of.kinds.entry(kind).or_default() += 1;
            }
        }
        for difference in &judged.differences {
            let key = (difference.kind, difference.what.clone());
            let counted = of.changes.entry(key).or_default();
            count(counted, difference.change(), 1);
        }
        let Judged {
            record,
            workflow,
            diverged,
            mut differences,
        } = judged;
        let more = differences.len().saturating_sub(MOST_OF_RECORD) as u64;
        differences.truncate(MOST_OF_RECORD);
        self.worst.push(OfRecord {
            record,
            workflow,
            diverged,
            differences,
            more,
        });
        // So that it is seldom put in order, and never grows far.
        if self.worst.len() > self.most_worst.saturating_mul(2).max(64) {
            self.keep_worst();
        }
    }

    /// Keeps those that differ most: first those that diverged, then those with the most differences,
    /// then by number.
    fn keep_worst(&mut self) {
        self.worst.sort_by_cached_key(|of| {
            (
                of.diverged.is_none(),
                Reverse(of.differences.len() as u64 + of.more),
                of.workflow.clone(),
                of.record.number(),
            )
        });
        self.worst.truncate(self.most_worst);
    }

    pub(super) fn merge(&mut self, other: Self) {
        self.total.merge(other.total);
        for (workflow, more) in other.workflows {
            let of = self.workflows.entry(workflow).or_default();
            of.counts.merge(more.counts);
            for (kind, records) in more.kinds {
                *of.kinds.entry(kind).or_default() += records;
            }
            for (key, changes) in more.changes {
                let counted = of.changes.entry(key).or_default();
                for (change, records) in changes {
                    count(counted, change, records);
                }
            }
        }
        self.worst.extend(other.worst);
        self.keep_worst();
    }

    pub(super) fn finish(mut self) -> (Counts, BTreeMap<WorkflowId, OfWorkflow>, Vec<OfRecord>) {
        self.keep_worst();
        let workflows = self.workflows.into_iter();
        let workflows = workflows.map(|(workflow, of)| (workflow, of.told()));
        (self.total, workflows.collect(), self.worst)
    }
}

impl SumOfWorkflow {
    fn told(self) -> OfWorkflow {
        let mut told = Vec::new();
        for ((kind, what), changes) in self.changes {
            let mut changes: Vec<_> = changes.into_iter().collect();
            changes.sort_by_key(|(_, records)| Reverse(*records));
            told.extend(changes.into_iter().map(|((then, now), records)| Change {
                kind,
                what: what.clone(),
                then,
                now,
                records,
            }));
        }
        OfWorkflow {
            counts: self.counts,
            kinds: self.kinds,
            changes: told,
        }
    }
}

fn count(counted: &mut BTreeMap<(String, String), u64>, change: (String, String), records: u64) {
    let is_known = counted.contains_key(&change);
    let change = if is_known || counted.len() < MOST_CHANGES {
        change
    } else {
        (String::new(), "others".to_owned())
    };
    *counted.entry(change).or_default() += records;
}

#[cfg(test)]
mod tests {
    use model::Instant;
    use model::id::{RecordId, WorkflowId};

    use super::{Difference, Diverged, Judged, Kind, MOST_CHANGES, Sum, shift_told};

    fn difference(kind: Kind, what: &str, then: &str, now: &str) -> Difference {
        Difference {
            kind,
            what: what.to_owned(),
            at: Instant::EPOCH,
            then: then.to_owned(),
            now: now.to_owned(),
            lasts: true,
            shift_s: None,
            why: None,
        }
    }

    fn judged(number: u64, diverges: bool, differences: Vec<Difference>) -> Judged {
        Judged {
            record: RecordId::numbered("INC", number).expect("a number"),
            workflow: WorkflowId::new("incident").expect("an id"),
            diverged: diverges.then(|| Diverged {
                at: Instant::EPOCH,
                why: String::new(),
            }),
            differences,
        }
    }

    #[test]
    fn a_shift_is_told_by_how_far_it_goes() {
        let told = [
            -700_000, -90_000, -20_000, -4_000, -1, 1, 3_600, 3_601, 90_000, 700_000,
        ];
        assert_eq!(
            told.map(shift_told),
            [
                "earlier by more than 7 d",
                "earlier by 1 to 7 d",
                "earlier by 4 to 24 h",
                "earlier by 1 to 4 h",
                "earlier by up to 1 h",
                "later by up to 1 h",
                "later by up to 1 h",
                "later by 1 to 4 h",
                "later by 1 to 7 d",
                "later by more than 7 d",
            ]
        );
    }

    #[test]
    fn the_worst_come_first_whichever_thread_had_them() {
        let one = |now: &str| vec![difference(Kind::Field, "priority", "p3", now)];
        let two = vec![
            difference(Kind::Route, "team", "network", "workplace"),
            difference(Kind::Field, "priority", "p3", "p1"),
        ];
        let (mut sum, mut other) = (Sum::new(3), Sum::new(3));
        sum.add(judged(1, false, one("p1")));
        sum.add(judged(2, false, Vec::new()));
        sum.add(judged(9, false, one("p2")));
        other.add(judged(3, true, one("p1")));
        other.add(judged(4, false, two));
        sum.merge(other);
        let (total, workflows, worst) = sum.finish();
        let numbers: Vec<_> = worst.iter().map(|of| of.record.as_str()).collect();
        assert_eq!(numbers, ["INC-3", "INC-4", "INC-1"]);
        let counts = (total.records, total.same, total.differ, total.diverged);
        assert_eq!(counts, (5, 1, 4, 1));
        let of = &workflows["incident"];
        assert_eq!(of.kinds[&Kind::Field], 4);
        let told: Vec<_> = of
            .changes
            .iter()
            .map(|it| (&*it.what, &*it.now, it.records))
            .collect();
        assert_eq!(
            told,
            [
                ("priority", "p1", 3),
                ("priority", "p2", 1),
                ("team", "workplace", 1)
            ]
        );
    }

    #[test]
    fn a_thing_that_changes_in_too_many_ways_is_counted_together() {
        let mut sum = Sum::new(0);
        let many = MOST_CHANGES as u64 + 50;
        for number in 1..=many {
            let field = difference(Kind::Field, "text", "none", &number.to_string());
            sum.add(judged(number, false, vec![field]));
        }
        let (total, workflows, worst) = sum.finish();
        assert!(worst.is_empty());
        let changes = &workflows["incident"].changes;
        assert_eq!(changes.len(), MOST_CHANGES + 1);
        assert_eq!((&*changes[0].now, changes[0].records), ("others", 50));
        assert_eq!(total.differ, many);
    }
}
