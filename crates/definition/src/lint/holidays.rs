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

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use crate::lint::lint;
    use crate::pack::Pack;

    #[test]
    fn dates_of_holidays_that_no_calendar_uses_are_looked_at_too() {
        let files = [
            (
                "pack.yaml",
                "kind: Pack\nid: desk\nversion: 1.0.0\ntitle: Desk\nzone: UTC\n",
            ),
            (
                "holidays/belgium.yaml",
                "kind: Holidays\nid: belgium\nrecurring:\n  new-year:\n    first: \"2026-01-02\"\n    repeats: FREQ=MONTHLY;BYMONTHDAY=1\n",
            ),
        ];
        let files = files.map(|(path, text)| (path.to_owned(), text.to_owned()));
        let pack = Pack::read(&BTreeMap::from(files)).expect("it can be read");
        let found = lint(&pack);
        let told: Vec<String> = found
            .iter()
            .map(|one| format!("{}:{} {}: {}", one.file, one.line, one.rule, one.message))
            .collect();
        assert_eq!(
            told,
            [
                "holidays/belgium.yaml:2 never-used: nothing in the pack names the holidays `belgium`",
                "holidays/belgium.yaml:5 calendar: the rule does not give 2026-01-02, with which it is to begin; the next that it gives is 2026-02-01",
            ]
        );
    }
}
