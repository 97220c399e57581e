//! What there is to tell of what was in force when: every change, with the plugins that it bound.

use std::collections::VecDeque;

use anyhow::Result;
use engine::port::Store as _;
use model::journal::Item;
use serde_json::{Value, json};
use store::RedbStore;

/// The most changes that are told at once.
const MAX_CHANGES: usize = 1_000;

/// Every change of what is in force, from the journal, oldest first; of more than can be told, the last.
pub(super) fn told(store: &RedbStore) -> Result<Value> {
    let mut changes = VecDeque::new();
    let mut after = 0;
    loop {
        let items = store.journal(after, 1_000)?;
        let Some((last, _)) = items.last() else { break };
        after = *last;
        for (position, item) in items {
            let Item::Configuration {
                at,
                actor,
                active,
                what,
                bindings,
            } = item
            else {
                continue;
            };
            if changes.len() == MAX_CHANGES {
                changes.pop_front();
            }
            changes.push_back(json!({
                "position": position, "at": at, "actor": actor, "what": what,
                "configuration": active, "bindings": bindings,
            }));
        }
    }
    Ok(json!({ "changes": changes }))
}
