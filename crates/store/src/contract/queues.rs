//! What is due, effects to be tried, dead effects, and open approvals.

use engine::port::{DueRecord, Store};

use super::samples::{approval, at, begin, effect, effect_key, id, step};
use super::{Case, Place, made};

pub(super) const CASES: &[Case] = &[
    ("what is due comes in order of time", due_in_order),
    ("an effect is due until it is done or dead", effects_due),
    ("dead effects are read in parts", effects_dead),
    ("open approvals are found", approvals),
];

fn records(due: &[DueRecord]) -> Vec<String> {
    due.iter().map(|due| due.record.to_string()).collect()
}

fn due_in_order(place: &dyn Place) {
    let store = place.open();
    let set = |number: &str, second| {
        begin(number, at(0), |r| {
            r.timers.insert(id("auto-close"), at(second));
        })
    };
    let one = made(&*store, set("INC-1", 30));
    made(&*store, set("INC-2", 10));
    made(&*store, set("INC-3", 20));
    made(&*store, begin("INC-4", at(0), |_| {}));
    let due = |store: &dyn Store, second, limit| records(&store.due(at(second), limit).unwrap());
    assert_eq!(due(&*store, 9, 10), [""; 0]);
    assert_eq!(due(&*store, 20, 10), ["INC-2", "INC-3"]);
    assert_eq!(due(&*store, 60, 10), ["INC-2", "INC-3", "INC-1"]);
    assert_eq!(due(&*store, 60, 1), ["INC-2"]);
    assert_eq!(store.due(at(60), 1).unwrap()[0].due, at(10));

    made(
        &*store,
        step(&one, at(1), |r| {
            r.timers.insert(id("auto-close"), at(5));
        }),
    );
    assert_eq!(due(&*store, 60, 10), ["INC-1", "INC-2", "INC-3"]);
    drop(store);
    let store = place.open();
    assert_eq!(due(&*store, 60, 10), ["INC-1", "INC-2", "INC-3"]);
}

fn effects_due(place: &dyn Place) {
    let store = place.open();
    let one = made(
        &*store,
        begin("INC-1", at(0), |r| {
            r.effects.insert(effect_key(1, 0), effect(at(5), false));
            r.effects.insert(effect_key(1, 1), effect(at(10), false));
        }),
    );
    made(
        &*store,
        begin("INC-2", at(0), |r| {
            r.effects.insert(effect_key(1, 0), effect(at(7), false));
        }),
    );
    let due = |second| records(&store.effects_due(at(second), 10).unwrap());
    assert_eq!(due(4), [""; 0]);
    assert_eq!(due(10), ["INC-1", "INC-2"]);
    let one = made(
        &*store,
        step(&one, at(1), |r| {
            r.effects.remove(&effect_key(1, 0));
        }),
    );
    assert_eq!(due(10), ["INC-2", "INC-1"]);
    made(
        &*store,
        step(&one, at(2), |r| {
            r.effects.insert(effect_key(1, 1), effect(at(10), true));
        }),
    );
    assert_eq!(due(10), ["INC-2"]);
    assert!(store.due(at(100), 10).unwrap().is_empty());
}

fn effects_dead(place: &dyn Place) {
    let store = place.open();
    for number in 1..=3 {
        made(
            &*store,
            begin(&format!("INC-{number}"), at(0), |r| {
                r.effects.insert(effect_key(1, 0), effect(at(1), true));
                r.effects.insert(effect_key(1, 1), effect(at(1), false));
                r.effects.insert(effect_key(1, 2), effect(at(1), true));
            }),
        );
    }
    let whole = store.effects_dead(None, 100).unwrap();
    assert_eq!(whole.len(), 6);
    assert_eq!(whole[1], (id("INC-1"), effect_key(1, 2)));
    let mut parts = Vec::new();
    while let part @ [_, ..] = &*store.effects_dead(parts.last().cloned(), 4).unwrap() {
        parts.extend_from_slice(part);
    }
    assert_eq!(parts, whole);

    let one = store.record(&id("INC-1")).unwrap().unwrap();
    made(&*store, step(&one, at(1), |r| r.effects.clear()));
    assert_eq!(store.effects_dead(None, 100).unwrap(), whole[2..]);
}

fn approvals(place: &dyn Place) {
    let store = place.open();
    for number in 1..=4 {
        made(
            &*store,
            begin(&format!("CHG-{number}"), at(0), |r| {
                r.approval = (number != 2).then(|| approval(at(0)));
            }),
        );
    }
    let found = |after: Option<&str>, limit| {
        let after = after.map(id);
        let found = store.awaiting_approval(after.as_ref(), limit).unwrap();
        found.iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    assert_eq!(found(None, 10), ["CHG-1", "CHG-3", "CHG-4"]);
    assert_eq!(found(None, 2), ["CHG-1", "CHG-3"]);
    assert_eq!(found(Some("CHG-3"), 10), ["CHG-4"]);
    let three = store.record(&id("CHG-3")).unwrap().unwrap();
    made(&*store, step(&three, at(1), |r| r.approval = None));
    assert_eq!(found(None, 10), ["CHG-1", "CHG-4"]);
}
