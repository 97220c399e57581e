//! Holidays: laid under the calendars that use them, with dates that recur.

#![allow(
    clippy::needless_raw_string_hashes,
    reason = "what is expected stands in full, as expect-test writes it"
)]

use expect_test::{Expect, expect};
use model::id::RecurringId;

use super::{PACK, extend, files};
use crate::pack::Pack;

const BELGIUM: &str = "kind: Holidays
id: belgium
title: Belgium
holidays:
  \"2026-05-01\": { name: Labour Day }
  \"2026-07-21\": { name: National Day }
  \"2026-12-24\": { name: Christmas Eve, hours: { morning: \"08:00-12:00\" } }
  \"2026-12-25\": { name: Christmas }
";
const FRANCE: &str = "kind: Holidays
id: france
holidays:
  \"2026-07-14\": { name: Fête nationale }
  \"2026-12-25\": { name: Noël }
";

/// The lines of the calendar, or what is wrong.
#[expect(
    clippy::needless_pass_by_value,
    reason = "reads as expect![…] at each use"
)]
fn check(calendar: &str, expected: Expect) {
    let office = format!("kind: Calendar\nid: office\nzone: Europe/Brussels\n{calendar}");
    let files = files(&[
        ("pack.yaml", PACK),
        ("holidays/belgium.yaml", BELGIUM),
        ("holidays/france.yaml", FRANCE),
        ("calendars/office.yaml", &office),
    ]);
    expected.assert_eq(&shown(&files));
}

fn shown(files: &super::Files) -> String {
    match Pack::read(files) {
        Ok(pack) => pack.show("office", false).remove(0).1,
        Err(found) => found.to_string(),
    }
}

#[test]
fn a_calendar_has_the_dates_that_it_uses_and_its_own_count_more() {
    check(
        "use: { belgium: true, france: true }\nholidays:\n  \"2026-05-01\": null\n  \"2026-12-24\": { name: Open }\n  \"2026-11-11\": {}\n",
        expect![[r#"
            kind: Calendar
            id: office
            zone: Europe/Brussels
            use:
              belgium: true
              france: true
            holidays:
              "2026-12-24":
                name: Open
              "2026-11-11": {}
              "2026-07-21":
                name: National Day
              "2026-12-25":
                name: Christmas
              "2026-07-14":
                name: Fête nationale
        "#]],
    );
}

#[test]
fn holidays_that_nobody_wrote_are_an_error() {
    check(
        "use: { belgum: true }\n",
        expect![[r#"
        error[unknown-name]: there are no holidays `belgum`
         --> calendars/office.yaml:4:8
          |
        4 | use: { belgum: true }
          |        ^^^^^^
          = help: did you mean `belgium`?"#]],
    );
    check(
        "holidays:\n  \"2026-05-01\": null\n",
        expect![[r#"
        error[null]: `null` is never a value, and here is nothing that it could remove
         --> calendars/office.yaml:5:17
          |
        5 |   "2026-05-01": null
          |                 ^^^^
          = help: leave the key out"#]],
    );
}

#[test]
fn other_hours_on_one_date_are_for_the_calendar_to_settle() {
    let both = FRANCE
        .replace("2026-12-25", "2026-12-24")
        .replace("france", "both");
    let files = |own: &str| {
        files(&[
            ("pack.yaml", PACK),
            ("holidays/belgium.yaml", BELGIUM),
            ("holidays/both.yaml", &both),
            (
                "calendars/office.yaml",
                &format!(
                    "kind: Calendar\nid: office\nzone: Europe/Brussels\nuse: {{ belgium: true, both: true }}\n{own}"
                ),
            ),
        ])
    };
    expect![[r#"
        error[fragment]: the holidays `both` and others that are used here have other hours on 2026-12-24
         --> calendars/office.yaml:4:23
          |
        4 | use: { belgium: true, both: true }
          |                       ^^^^
          = help: say in the calendar itself what is open on that date"#]].assert_eq(&shown(&files("")));
    expect![[r#"
        kind: Calendar
        id: office
        zone: Europe/Brussels
        use:
          belgium: true
          both: true
        holidays:
          "2026-12-24": {}
          "2026-05-01":
            name: Labour Day
          "2026-07-21":
            name: National Day
          "2026-12-25":
            name: Christmas
          "2026-07-14":
            name: Fête nationale
    "#]]
    .assert_eq(&shown(&files("holidays: { \"2026-12-24\": {} }\n")));
}

#[test]
fn an_adaptation_changes_holidays_of_its_base_and_what_calendars_use() {
    let base = files(&[
        ("pack.yaml", PACK),
        ("holidays/belgium.yaml", BELGIUM),
        (
            "calendars/office.yaml",
            "kind: Calendar\nid: office\nzone: Europe/Brussels\nuse: { belgium: true }\n",
        ),
    ]);
    let adapted = extend(
        &base,
        "ours",
        &[
            (
                "holidays/belgium.yaml",
                "kind: Holidays\nid: belgium\nholidays: { \"2026-07-21\": null, \"2026-07-22\": { name: The day after } }\n",
            ),
            ("holidays/france.yaml", FRANCE),
            (
                "calendars/office.yaml",
                "kind: Calendar\nid: office\nuse: { france: true }\nholidays: { \"2026-05-01\": null }\n",
            ),
        ],
    );
    expect![[r#"
        kind: Calendar
        id: office
        zone: Europe/Brussels
        use:
          belgium: true
          france: true
        holidays:
          "2026-12-24":
            name: Christmas Eve
            hours:
              morning: "08:00-12:00"
          "2026-12-25":
            name: Christmas
          "2026-07-22":
            name: The day after
          "2026-07-14":
            name: Fête nationale
    "#]]
    .assert_eq(&shown(&adapted));
    let taken = extend(
        &base,
        "ours",
        &[(
            "calendars/office.yaml",
            "kind: Calendar\nid: office\nuse: { belgium: null }\n",
        )],
    );
    expect![[r#"
        error[fragment]: the base uses the holidays `belgium`, and what it brought stays
         --> calendars/office.yaml:3:8
          |
        3 | use: { belgium: null }
          |        ^^^^^^^
          = help: remove with `null` what of it is not wanted"#]]
    .assert_eq(&shown(&taken));
}

#[test]
fn the_digest_of_a_calendar_follows_the_holidays_that_it_uses() {
    let with = |belgium: &str| {
        let files = files(&[
            ("pack.yaml", PACK),
            ("holidays/belgium.yaml", belgium),
            (
                "calendars/office.yaml",
                "kind: Calendar\nid: office\nzone: Europe/Brussels\nuse: { belgium: true }\n",
            ),
        ]);
        let pack = Pack::read(&files).expect("sound");
        pack.calendars["office"].digest
    };
    assert_eq!(
        with(BELGIUM),
        with(&BELGIUM.replace("title: Belgium\n", ""))
    );
    assert_ne!(with(BELGIUM), with(&BELGIUM.replace("07-21", "07-22")));
}

/// A company that closes from Christmas Eve on, and opens late on second Tuesdays.
const COMPANY: &str = "kind: Holidays
id: company
holidays:
  \"2026-12-28\": { name: Open day, hours: { day: \"09:00-17:00\" } }
  \"2026-11-02\": { name: Bridge }
recurring:
  closing: { name: Closing, first: \"2026-12-24\", days: 9, repeats: FREQ=YEARLY }
  patches: { first: \"2026-01-13\", repeats: FREQ=MONTHLY;BYDAY=2TU, hours: { late: \"12:00-17:00\" } }
";

fn company(more: &[(&str, &str)]) -> super::Files {
    let mut all = vec![("pack.yaml", PACK), ("holidays/company.yaml", COMPANY)];
    all.extend(more);
    files(&all)
}

#[test]
fn what_recurs_by_itself_counts_more_than_what_holidays_bring() {
    let own = "kind: Calendar
id: office
zone: Europe/Brussels
use: { company: true }
holidays: { \"2026-12-29\": { hours: { day: \"09:00-17:00\" } } }
recurring:
  patches: { first: \"2026-01-13\", repeats: FREQ=MONTHLY;BYDAY=2TU }
  stock: { first: \"2026-12-28\", days: 2, repeats: FREQ=YEARLY, hours: { all: \"00:00-24:00\" } }
";
    expect![[r#"
        kind: Calendar
        id: office
        zone: Europe/Brussels
        use:
          company: true
        holidays:
          "2026-12-29":
            hours:
              day: "09:00-17:00"
          "2026-11-02":
            name: Bridge
        recurring:
          patches:
            first: "2026-01-13"
            repeats: FREQ=MONTHLY;BYDAY=2TU
          stock:
            first: "2026-12-28"
            days: 2
            repeats: FREQ=YEARLY
            hours:
              all: "00:00-24:00"
          closing:
            name: Closing
            first: "2026-12-24"
            days: 9
            repeats: FREQ=YEARLY
    "#]]
    .assert_eq(&shown(&company(&[("calendars/office.yaml", own)])));
}

#[test]
fn an_adaptation_adds_before_what_holidays_bring_and_makes_its_own_what_it_changes() {
    let office = "kind: Calendar\nid: office\nzone: Europe/Brussels\nuse: { company: true }\n";
    let base = company(&[("calendars/office.yaml", office)]);
    let adapted = |patch: &str| {
        let patch = format!("kind: Calendar\nid: office\n{patch}");
        shown(&extend(&base, "ours", &[("calendars/office.yaml", &patch)]))
    };
    expect![[r#"
        kind: Calendar
        id: office
        zone: Europe/Brussels
        use:
          company: true
        holidays:
          "2026-11-02":
            name: Bridge
        recurring:
          stock:
            first: "2026-12-28"
            days: 2
            repeats: FREQ=YEARLY
          closing:
            name: Closing
            first: "2026-12-24"
            days: 9
            repeats: FREQ=YEARLY
    "#]]
    .assert_eq(&adapted(
        "recurring: { stock: { first: \"2026-12-28\", days: 2, repeats: FREQ=YEARLY }, patches: null }\n",
    ));
    expect![[r#"
        kind: Calendar
        id: office
        zone: Europe/Brussels
        use:
          company: true
        holidays:
          "2026-12-28":
            name: Ours
            hours:
              day: "09:00-17:00"
          "2026-11-02":
            name: Bridge
        recurring:
          stock:
            first: "2026-12-28"
            days: 2
            repeats: FREQ=YEARLY
          patches:
            first: "2026-01-13"
            repeats: FREQ=MONTHLY;BYDAY=2TU
          closing:
            name: Closing
            first: "2026-12-24"
            days: 9
            repeats: FREQ=YEARLY
    "#]]
    .assert_eq(&adapted(
        "holidays: { \"2026-12-28\": { name: Ours } }\nrecurring: { patches: { hours: null }, stock: { place: { before: patches }, first: \"2026-12-28\", days: 2, repeats: FREQ=YEARLY } }\n",
    ));
    expect![[r#"
        error[removes-nothing]: `patchs: null` removes nothing: the base has no `recurring.patchs`
         --> calendars/office.yaml:3:14
          |
        3 | recurring: { patchs: null }
          |              ^^^^^^
          = help: did you mean `patches`?"#]]
    .assert_eq(&adapted("recurring: { patchs: null }\n"));
}

#[test]
fn other_dates_by_one_name_are_for_the_calendar_to_settle() {
    let both = "kind: Holidays
id: other
recurring: { closing: { first: \"2026-12-24\", days: 8, repeats: FREQ=YEARLY }, patches: { name: Patches, first: \"2026-01-13\", repeats: FREQ=MONTHLY;BYDAY=2TU, hours: { late: \"12:00-17:00\" } } }
";
    let with = |own: &str| {
        let office = format!(
            "kind: Calendar\nid: office\nzone: Europe/Brussels\nuse: {{ company: true, other: true }}\n{own}"
        );
        shown(&company(&[
            ("holidays/other.yaml", both),
            ("calendars/office.yaml", &office),
        ]))
    };
    expect![[r#"
        error[fragment]: the holidays `other` and others that are used here have other dates or hours by the name `closing`
         --> calendars/office.yaml:4:23
          |
        4 | use: { company: true, other: true }
          |                       ^^^^^
          = help: say in the calendar itself what recurs by that name"#]].assert_eq(&with(""));
    expect![[r#"
        kind: Calendar
        id: office
        zone: Europe/Brussels
        use:
          company: true
          other: true
        recurring:
          closing:
            first: "2026-12-25"
            repeats: FREQ=YEARLY
          patches:
            first: "2026-01-13"
            repeats: FREQ=MONTHLY;BYDAY=2TU
            hours:
              late: "12:00-17:00"
        holidays:
          "2026-12-28":
            name: Open day
            hours:
              day: "09:00-17:00"
          "2026-11-02":
            name: Bridge
    "#]]
    .assert_eq(&with(
        "recurring: { closing: { first: \"2026-12-25\", repeats: FREQ=YEARLY } }\n",
    ));
}

#[test]
fn the_order_of_what_recurs_is_part_of_a_calendar_and_without_any_nothing_is() {
    let with = |recurring: &str| {
        let office = format!("kind: Calendar\nid: office\nzone: UTC\n{recurring}");
        let files = files(&[("pack.yaml", PACK), ("calendars/office.yaml", &office)]);
        let pack = Pack::read(&files).expect("sound");
        pack.calendars["office"].clone()
    };
    let (one, other) = (
        "b: { first: \"2026-01-01\", repeats: FREQ=YEARLY }",
        "a: { first: \"2026-01-02\", repeats: FREQ=YEARLY }",
    );
    let first = with(&format!("recurring: {{ {one}, {other} }}\n"));
    let second = with(&format!("recurring: {{ {other}, {one} }}\n"));
    assert_ne!(first.digest, second.digest);
    let read: model::definition::Calendar =
        crate::pack::from_canonical(&first.canonical).expect("it was written so");
    let ids: Vec<&str> = read.recurring.keys().map(RecurringId::as_str).collect();
    assert_eq!(ids, ["b", "a"]);
    assert_eq!(read, first.value);
    assert_eq!(
        with("").canonical,
        r#"{"id":"office","kind":"Calendar","zone":"UTC"}"#
    );
}
