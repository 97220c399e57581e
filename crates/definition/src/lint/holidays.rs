//! Holidays by themselves: that they have dates, and that those recur as they say. Of those that
//! calendars use, the calendars tell it.

use std::collections::BTreeSet;

use calendar::recurring;

use super::Rules;
use crate::compile::{Fault, Spot};
use crate::overlay::DefinitionKind;
use crate::pack::Pack;

pub(super) fn check(pack: &Pack, faults: &mut Vec<Fault>) {
    let calendars = pack.calendars.values();
    let used: BTreeSet<_> = calendars.flat_map(|it| it.value.uses.keys()).collect();
    for (id, holidays) in &pack.holidays {
        let mut rules = Rules::of(DefinitionKind::Holidays, id.as_str(), faults);
        let stands = |key| holidays.tree.root.get(key).is_some();
        if !stands("holidays") && !stands("recurring") {
            let message = "these holidays have no dates: neither `holidays` nor `recurring`";
            rules.error("calendar", &[], message).spot = Spot::Value;
        }
        if used.contains(id) {
            continue;
        }
        for (name, said) in &holidays.value.recurring {
            if let Err(error) = recurring::dates(said) {
                let path = ["recurring", name.as_str(), error.key()];
                rules.error("calendar", &path, error.to_string()).spot = Spot::Value;
            }
        }
    }
}
