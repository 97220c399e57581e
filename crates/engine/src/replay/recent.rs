//! The records of one workflow that changed last, as of any of the last positions.

use std::cmp::Ordering;
use std::collections::{BTreeSet, HashMap, VecDeque};

use model::Instant;
use model::id::RecordId;

/// The records that changed last, and what that was before each of the last changes.
#[derive(Default)]
pub(super) struct Recent {
    places: BTreeSet<Place>,
    changed: HashMap<RecordId, Instant>,
    pub(super) changes: VecDeque<Change>,
}

/// Where a record stands among those of its workflow: by when it changed, then by its number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) changed: Instant,
    pub(super) id: RecordId,
}

/// A change of a record, and what it took away.
pub(super) struct Change {
    pub(super) position: u64,
    now: Place,
    /// When the record had changed before, as far as that was known.
    before: Option<Place>,
    /// What there was no more room for.
    dropped: Option<Place>,
}

impl Recent {
    /// A record changed at a position.
    pub(super) fn changed(&mut self, position: u64, id: &RecordId, at: Instant, bounds: Bounds) {
        let now = Place {
            changed: at,
            id: id.clone(),
        };
        let before = self.changed.insert(id.clone(), at).map(|changed| Place {
            changed,
            id: id.clone(),
        });
        if let Some(before) = &before {
            self.places.remove(before);
        }
        self.places.insert(now.clone());
        let mut dropped = None;
        if self.places.len() > bounds.records {
            dropped = self.places.pop_first();
            if let Some(dropped) = &dropped {
                self.changed.remove(&dropped.id);
            }
        }
        self.changes.push_back(Change {
            position,
            now,
            before,
            dropped,
        });
        let first = position.saturating_sub(bounds.positions);
        while self.changes.front().is_some_and(|it| it.position <= first) {
            self.changes.pop_front();
        }
    }

    /// Those that had changed last as of a position, the last first.
    pub(super) fn as_of(&self, at: u64) -> Vec<Place> {
        let mut places = self.places.clone();
        for change in self.changes.iter().rev() {
            if change.position <= at {
                break;
            }
            places.remove(&change.now);
            places.extend(change.before.iter().chain(&change.dropped).cloned());
        }
        places.into_iter().rev().collect()
    }
}

/// How much is kept.
#[derive(Clone, Copy)]
pub(super) struct Bounds {
    /// So many records.
    pub(super) records: usize,
    /// So many positions back.
    pub(super) positions: u64,
}

impl Ord for Place {
    fn cmp(&self, other: &Self) -> Ordering {
        let key = |place: &Self| (place.changed, place.id.number());
        let by_key = key(self).cmp(&key(other));
        by_key.then_with(|| self.id.as_str().cmp(other.id.as_str()))
    }
}

impl PartialOrd for Place {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

#[cfg(test)]
mod tests {
    use model::Instant;
    use model::id::RecordId;

    use super::{Bounds, Recent};

    /// Changes of records, one at each position: the number of the record and when it changed.
    fn check(changes: &[(u64, i64)], at: u64, expected: &[&str]) {
        let bounds = Bounds {
            records: 3,
            positions: 5,
        };
        let mut recent = Recent::default();
        for (position, (number, changed)) in (1..).zip(changes) {
            let id = RecordId::numbered("INC", *number).unwrap();
            recent.changed(position, &id, Instant::from_millis(*changed), bounds);
        }
        let places = recent.as_of(at);
        let found: Vec<_> = places.iter().map(|place| place.id.as_str()).collect();
        assert_eq!(found, expected, "at {at}");
    }

    #[test]
    fn they_stand_as_they_did_at_each_position() {
        let changes = [(1, 10), (2, 20), (1, 30), (3, 30), (4, 40), (2, 50)];
        check(&changes, 6, &["INC-2", "INC-4", "INC-3"]);
        check(&changes, 5, &["INC-4", "INC-3", "INC-1"]);
        check(&changes, 4, &["INC-3", "INC-1", "INC-2"]);
        check(&changes, 3, &["INC-1", "INC-2"]);
        check(&changes, 2, &["INC-2", "INC-1"]);
        check(&changes, 1, &["INC-1"]);
    }

    #[test]
    fn those_that_change_at_the_same_time_stand_by_their_numbers() {
        check(&[(10, 5), (9, 5)], 2, &["INC-10", "INC-9"]);
    }
}
