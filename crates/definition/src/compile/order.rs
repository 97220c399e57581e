//! What depends on what, put in an order in which everything comes after what it depends on.

use std::collections::{BTreeMap, BTreeSet};

/// The outcome of putting in order.
pub(super) enum Order<K> {
    /// Each after those it depends on.
    Sorted(Vec<K>),
    /// Some depend on each other, in this circle.
    Circle(Vec<K>),
}

/// Puts keys in order, as near to the one given as what each depends on allows. Dependencies on
/// what is not among the keys count for nothing.
pub(super) fn in_order<'k, K: Ord + Clone + 'k>(
    keys: impl IntoIterator<Item = &'k K>,
    before: &BTreeMap<K, BTreeSet<K>>,
) -> Order<K> {
    let mut waiting: Vec<&K> = keys.into_iter().collect();
    let mut left: BTreeSet<&K> = waiting.iter().copied().collect();
    let mut sorted = Vec::with_capacity(waiting.len());
    while !waiting.is_empty() {
        let is_ready = |key: &&K| {
            before
                .get(*key)
                .is_none_or(|reads| reads.iter().all(|read| !left.contains(read)))
        };
        let Some(index) = waiting.iter().position(is_ready) else {
            return Order::Circle(circle(&waiting, before));
        };
        let key = waiting.remove(index);
        left.remove(key);
        sorted.push(key.clone());
    }
    Order::Sorted(sorted)
}

/// A circle among keys each of which depends on another.
fn circle<K: Ord + Clone>(keys: &[&K], before: &BTreeMap<K, BTreeSet<K>>) -> Vec<K> {
    let mut way: Vec<&K> = vec![keys[0]];
    loop {
        let last = way[way.len() - 1];
        let reads = &before[last];
        let next = keys
            .iter()
            .copied()
            .find(|key| reads.contains(*key))
            .expect("each depends on one of them");
        if let Some(start) = way.iter().position(|key| *key == next) {
            return way[start..]
                .iter()
                .chain([&next])
                .map(|key| (*key).clone())
                .collect();
        }
        way.push(next);
    }
}
