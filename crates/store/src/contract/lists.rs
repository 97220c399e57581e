//! Lists, records that are alike, and what people carry.

use engine::port::{ListQuery, Sort, Store};
use model::Value;
use model::definition::Category;
use model::id::PersonId;

use super::samples::{at, begin, id, step};
use super::{Case, Place, made};

pub(super) const CASES: &[Case] = &[
    ("a list has what matches, in order", lists_what_matches),
    ("parts of a list make up the whole", parts_make_the_whole),
    (
        "a record that changed stands where it is now",
        moves_in_lists,
    ),
    ("alike records have the same values", alike),
    ("a person's load counts what is not done", load),
];

fn numbers(store: &dyn Store, query: &ListQuery) -> Vec<String> {
    let page = store.list(query).unwrap();
    page.records
        .iter()
        .map(|record| record.id.to_string())
        .collect()
}

fn all() -> ListQuery {
    ListQuery {
        limit: 100,
        ..ListQuery::default()
    }
}

fn lists_what_matches(place: &dyn Place) {
    let store = place.open();
    made(
        &*store,
        begin("INC-1", at(1), |r| {
            r.team = Some(id("desk"));
            r.assignee = Some(id("ada"));
        }),
    );
    made(
        &*store,
        begin("INC-2", at(2), |r| {
            r.team = Some(id("desk"));
            r.requester = Some(id("rita"));
            r.state = id("waiting");
            r.category = Category::Waiting;
        }),
    );
    made(
        &*store,
        begin("CHG-1", at(3), |r| {
            r.workflow = id("change");
            r.assignee = Some(id("ada"));
            r.requester = Some(id("rita"));
        }),
    );
    assert_eq!(numbers(&*store, &all()), ["CHG-1", "INC-2", "INC-1"]);
    let ascending = ListQuery {
        sort: Sort::UpdatedAscending,
        ..all()
    };
    assert_eq!(numbers(&*store, &ascending), ["INC-1", "INC-2", "CHG-1"]);

    let check = |expected: &[&str], change: &dyn Fn(&mut ListQuery)| {
        let mut query = all();
        change(&mut query);
        assert_eq!(numbers(&*store, &query), expected, "{query:?}");
    };
    check(&["INC-2", "INC-1"], &|q| q.workflow = Some(id("incident")));
    check(&["INC-2"], &|q| q.state = Some(id("waiting")));
    check(&["CHG-1", "INC-1"], &|q| q.category = Some(Category::Open));
    check(&["INC-2", "INC-1"], &|q| q.team = Some(id("desk")));
    check(&["CHG-1", "INC-1"], &|q| q.assignee = Some(id("ada")));
    check(&["CHG-1", "INC-2"], &|q| q.requester = Some(id("rita")));
    check(&["INC-1"], &|q| {
        q.assignee = Some(id("ada"));
        q.workflow = Some(id("incident"));
    });
    check(&["INC-2"], &|q| {
        q.team = Some(id("desk"));
        q.category = Some(Category::Waiting);
    });
    check(&[], &|q| q.team = Some(id("des")));
    check(&[], &|q| {
        q.assignee = Some(id("ada"));
        q.category = Some(Category::Closed);
    });
}

fn parts_make_the_whole(place: &dyn Place) {
    let store = place.open();
    for number in 1..=25 {
        // Several changed at the same instant.
        let when = at(number / 4);
        made(
            &*store,
            begin(&format!("INC-{number}"), when, |r| {
                r.team = (number % 3 != 0).then(|| id("desk"));
            }),
        );
    }
    for sort in [Sort::UpdatedDescending, Sort::UpdatedAscending] {
        for team in [None, Some(id("desk"))] {
            let mut query = ListQuery {
                team,
                sort,
                ..all()
            };
            let whole = numbers(&*store, &query);
            assert_eq!(whole.len(), if query.team.is_some() { 17 } else { 25 });
            query.limit = 4;
            let mut parts = Vec::new();
            loop {
                let page = store.list(&query).unwrap();
                assert!(page.records.len() <= 4);
                parts.extend(page.records.iter().map(|record| record.id.to_string()));
                query.after = page.next;
                if query.after.is_none() {
                    break;
                }
            }
            assert_eq!(parts, whole);
        }
    }
}

fn moves_in_lists(place: &dyn Place) {
    let store = place.open();
    let one = made(
        &*store,
        begin("INC-1", at(1), |r| r.team = Some(id("desk"))),
    );
    made(
        &*store,
        begin("INC-2", at(2), |r| r.team = Some(id("desk"))),
    );
    let desk = ListQuery {
        team: Some(id("desk")),
        ..all()
    };
    let one = made(&*store, step(&one, at(3), |_| {}));
    assert_eq!(numbers(&*store, &desk), ["INC-1", "INC-2"]);
    let one = made(&*store, step(&one, at(4), |r| r.team = Some(id("network"))));
    assert_eq!(numbers(&*store, &desk), ["INC-2"]);
    assert_eq!(numbers(&*store, &all()), ["INC-1", "INC-2"]);
    // Away and back within one instant.
    let one = made(&*store, step(&one, at(4), |r| r.team = Some(id("desk"))));
    let one = made(&*store, step(&one, at(4), |r| r.team = None));
    made(&*store, step(&one, at(4), |r| r.team = Some(id("desk"))));
    assert_eq!(numbers(&*store, &desk), ["INC-1", "INC-2"]);
    drop(store);
    let store = place.open();
    assert_eq!(numbers(&*store, &desk), ["INC-1", "INC-2"]);
}

fn alike(place: &dyn Place) {
    let store = place.open();
    for number in 1..=10 {
        made(
            &*store,
            begin(&format!("INC-{number}"), at(number), |r| {
                let service = if number % 2 == 0 { "vpn" } else { "e-mail" };
                r.fields.insert(id("service"), Value::from(service));
                if number == 6 {
                    r.workflow = id("change");
                }
            }),
        );
    }
    let find = |fields: &[(_, _)], since| {
        let found = store.alike(&id("incident"), fields, at(since)).unwrap();
        found.iter().map(|r| r.id.to_string()).collect::<Vec<_>>()
    };
    let vpn = (id("service"), Value::from("vpn"));
    assert_eq!(
        find(std::slice::from_ref(&vpn), 0),
        ["INC-10", "INC-8", "INC-4", "INC-2"]
    );
    assert_eq!(
        find(std::slice::from_ref(&vpn), 4),
        ["INC-10", "INC-8", "INC-4"]
    );
    assert_eq!(
        find(&[vpn, (id("impact"), Value::from("high"))], 0),
        [""; 0]
    );
    assert_eq!(find(&[(id("impact"), Value::Null)], 9), ["INC-10", "INC-9"]);
}

fn load(place: &dyn Place) {
    let store = place.open();
    let ada = id("ada");
    let load = |person: &PersonId| store.loads_of(std::slice::from_ref(person)).unwrap()[0];
    assert_eq!(load(&ada), (0, None));
    let one = made(
        &*store,
        begin("INC-1", at(1), |r| r.assignee = Some(id("ada"))),
    );
    let two = made(&*store, begin("INC-2", at(2), |_| {}));
    let two = made(&*store, step(&two, at(3), |r| r.assignee = Some(id("ada"))));
    assert_eq!(load(&ada), (2, Some(at(3))));
    let one = made(
        &*store,
        step(&one, at(4), |r| r.category = Category::Waiting),
    );
    assert_eq!(load(&ada), (2, Some(at(3))));
    let one = made(
        &*store,
        step(&one, at(5), |r| r.category = Category::Resolved),
    );
    assert_eq!(load(&ada), (1, Some(at(3))));
    made(
        &*store,
        step(&two, at(6), |r| r.assignee = Some(id("bram"))),
    );
    assert_eq!(load(&ada), (0, Some(at(3))));
    assert_eq!(load(&id("bram")), (1, Some(at(6))));
    made(&*store, step(&one, at(7), |r| r.category = Category::Open));
    drop(store);
    let store = place.open();
    let loads = store.loads_of(&[ada, id("bram")]).unwrap();
    assert_eq!(loads, [(1, Some(at(3))), (1, Some(at(6)))]);
}
