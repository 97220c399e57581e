//! Touches that are kept, not needed and in conflict, and what becomes of the files.

use expect_test::{Expect, expect};

use super::{BASE, OURS, adapted, pack, run, told};
use crate::pack::Pack;
use crate::upgrade::{Side, UpgradeError};

/// Upgrades what `ours` says of the base to a base in which `before` reads `after`.
fn check(
    ours: &str,
    changes: &[(&str, &str)],
    sides: &[(&str, Side)],
    prune: bool,
    expected: &Expect,
) {
    let old = pack("1.0.0", "", BASE);
    let mut text = BASE.to_owned();
    for (before, after) in changes {
        assert!(text.contains(before), "the base says {before}");
        text = text.replace(before, after);
    }
    let new = pack("1.1.0", "", &text);
    let ours = format!("{OURS}{ours}");
    let upgraded = run(&adapted(&old, &ours), &new, sides, prune);
    match upgraded {
        Ok(upgraded) => expected.assert_eq(&told(&upgraded)),
        Err(error) => expected.assert_eq(&format!("{error}\n")),
    }
}

const LONGER: (&str, &str) = (
    "maxLength: 200, label: Summary",
    "maxLength: 300, label: Summary",
);

#[test]
fn what_the_base_left_alone_is_kept_and_the_rest_follows_it() {
    let ours = "
# What our desk calls things.
fields:
  summary: { label: In a sentence }  # shorter
  cost_centre: { type: string, pattern: \"^[0-9]{4}$\" }

states:
  new: { transitions: { start: null, begin: { to: in-progress, permit: { anyone: true } } } }
";
    check(
        ours,
        &[LONGER],
        &[],
        false,
        &expect![[r#"
        from base 1.0.0 to base 1.1.0
        kept        workflows/incident/fields/cost_centre/pattern
        kept        workflows/incident/fields/cost_centre/type
        kept        workflows/incident/fields/summary/label
        kept        workflows/incident/states/new/transitions/begin/permit/anyone
        kept        workflows/incident/states/new/transitions/begin/to
        kept        workflows/incident/states/new/transitions/start
        6 kept, 0 not needed, 0 renamed, 0 in conflict
        ---
        kind: Workflow
        id: incident

        # What our desk calls things.
        fields:
          summary: { label: In a sentence }  # shorter
          cost_centre: { type: string, pattern: "^[0-9]{4}$" }

        states:
          new: { transitions: { start: null, begin: { to: in-progress, permit: { anyone: true } } } }
    "#]],
    );
}

#[test]
fn what_the_base_says_now_is_not_needed_and_pruned_where_that_is_asked_for() {
    let ours = "
fields:
  # People write more.
  summary:
    maxLength: 300  # was 200
    label: In a sentence
  impact: { default: high, label: How many }
";
    let changes = [LONGER, ("default: low", "default: high")];
    check(
        ours,
        &changes,
        &[],
        false,
        &expect![[r#"
        from base 1.0.0 to base 1.1.0
        not needed  workflows/incident/fields/impact/default  (workflows/incident.yaml:9:13)
        not needed  workflows/incident/fields/summary/maxLength  (workflows/incident.yaml:7:5)
        kept        workflows/incident/fields/impact/label
        kept        workflows/incident/fields/summary/label
        2 kept, 2 not needed, 0 renamed, 0 in conflict
        ---
        kind: Workflow
        id: incident

        fields:
          # People write more.
          summary:
            maxLength: 300  # was 200
            label: In a sentence
          impact: { default: high, label: How many }
    "#]],
    );
    check(
        ours,
        &changes,
        &[],
        true,
        &expect![[r#"
        from base 1.0.0 to base 1.1.0
        not needed  workflows/incident/fields/impact/default, taken out  (workflows/incident.yaml:9:13)
        not needed  workflows/incident/fields/summary/maxLength, taken out  (workflows/incident.yaml:7:5)
        kept        workflows/incident/fields/impact/label
        kept        workflows/incident/fields/summary/label
        2 kept, 2 not needed, 0 renamed, 0 in conflict
        ---
        kind: Workflow
        id: incident

        fields:
          # People write more.
          summary:
            label: In a sentence
          impact: { label: How many }
    "#]],
    );
    let all = "fields: { summary: { maxLength: 300 } }\n";
    check(
        all,
        &changes,
        &[],
        true,
        &expect![[r#"
        from base 1.0.0 to base 1.1.0
        not needed  workflows/incident/fields/summary/maxLength, taken out  (workflows/incident.yaml:3:22)
        0 kept, 1 not needed, 0 renamed, 0 in conflict
        ---
        (no file)
    "#]],
    );
}

#[test]
fn a_value_that_both_changed_is_in_conflict_until_one_is_taken() {
    let ours = "fields: { summary: { maxLength: 100, label: Short } }\n";
    let at = "workflows/incident/fields/summary/maxLength";
    check(
        ours,
        &[LONGER],
        &[],
        false,
        &expect![[r#"
        from base 1.0.0 to base 1.1.0
        kept        workflows/incident/fields/summary/label
        conflict    workflows/incident/fields/summary/maxLength: the new base changed it too
          old base  200  (base/workflows/incident.yaml:6:39)
          new base  300  (workflows/incident.yaml:6:39)
          ours      100  (workflows/incident.yaml:3:22)
        1 kept, 0 not needed, 0 renamed, 1 in conflict
    "#]],
    );
    check(
        ours,
        &[LONGER],
        &[(at, Side::Ours)],
        false,
        &expect![[r#"
        from base 1.0.0 to base 1.1.0
        kept        workflows/incident/fields/summary/label
        ours        workflows/incident/fields/summary/maxLength
        1 kept, 0 not needed, 0 renamed, 0 in conflict
        ---
        kind: Workflow
        id: incident
        fields: { summary: { maxLength: 100, label: Short } }
    "#]],
    );
    check(
        ours,
        &[LONGER],
        &[("workflows/incident", Side::Theirs)],
        false,
        &expect![[r#"
            from base 1.0.0 to base 1.1.0
            kept        workflows/incident/fields/summary/label
            theirs      workflows/incident/fields/summary/maxLength
            1 kept, 0 not needed, 0 renamed, 0 in conflict
            ---
            kind: Workflow
            id: incident
            fields: { summary: { label: Short } }
        "#]],
    );
    check(
        ours,
        &[LONGER],
        &[("workflows/incident/fields/sumary/maxLength", Side::Ours)],
        false,
        &expect![[r#"
            nothing is in conflict at `workflows/incident/fields/sumary/maxLength`; did you mean `workflows/incident/fields/summary/maxLength`?
        "#]],
    );
}

#[test]
fn a_removal_is_of_a_whole_subtree() {
    let ours = "states: { new: { transitions: { start: null, begin: { to: in-progress } } } }\n";
    let start = "start: { to: in-progress, permit: { anyone: true } }";
    check(
        ours,
        &[(start, "start: { to: in-progress, permit: { agent: true } }")],
        &[],
        false,
        &expect![[r#"
            from base 1.0.0 to base 1.1.0
            kept        workflows/incident/states/new/transitions/begin/to
            conflict    workflows/incident/states/new/transitions/start: the new base changed it too
              old base  {"to":"in-progress","permit":{"anyone":true}}  (base/workflows/incident.yaml:15:14)
              new base  {"to":"in-progress","permit":{"agent":true}}  (workflows/incident.yaml:15:14)
              ours      null  (workflows/incident.yaml:3:33)
            1 kept, 0 not needed, 0 renamed, 1 in conflict
        "#]],
    );
    check(
        ours,
        &[(start, "go: { to: in-progress, permit: { anyone: true } }")],
        &[],
        false,
        &expect![[r#"
            from base 1.0.0 to base 1.1.0
            not needed  workflows/incident/states/new/transitions/start, taken out  (workflows/incident.yaml:3:33)
            kept        workflows/incident/states/new/transitions/begin/to
            1 kept, 1 not needed, 0 renamed, 0 in conflict
            ---
            kind: Workflow
            id: incident
            states: { new: { transitions: { begin: { to: in-progress } } } }
        "#]],
    );
}

#[test]
fn what_stands_within_or_beside_or_names_what_is_gone_is_in_conflict() {
    let gone = [
        (
            "      pause: { to: pending, permit: { anyone: true } }\n",
            "",
        ),
        (
            "  pending:\n    category: waiting\n    transitions:\n      reply: { to: in-progress, permit: { anyone: true } }\n",
            "",
        ),
        ("  contact: { type: string, label: Contact }\n", ""),
        (", contact: {} }", " }"),
        ("contact != null", "summary != null"),
    ];
    let ours = "
fields: { origin: { place: { after: contact }, type: string } }
states:
  pending: { title: On hold }
  new: { transitions: { wait: { to: pending, permit: { agent: \"contact != ''\" } } } }
";
    check(
        ours,
        &gone,
        &[],
        false,
        &expect![[r#"
            from base 1.0.0 to base 1.1.0
            kept        workflows/incident/fields/origin/type
            conflict    workflows/incident/fields/origin/place: it is to stand beside `contact`, which the new base has no more
              ours      {"after":"contact"}  (workflows/incident.yaml:4:21)
            conflict    workflows/incident/states/new/transitions/wait/permit/agent: it names `workflows/incident/fields/contact`, which the new base has no more
              ours      "contact != ''"  (workflows/incident.yaml:7:63)
            conflict    workflows/incident/states/new/transitions/wait/to: it names `workflows/incident/states/pending`, which the new base has no more
              ours      "pending"  (workflows/incident.yaml:7:37)
            conflict    workflows/incident/states/pending/title: the new base has no `workflows/incident/states/pending` any more
              old base  nothing
              new base  nothing
              ours      "On hold"  (workflows/incident.yaml:6:14)
            1 kept, 0 not needed, 0 renamed, 4 in conflict
        "#]],
    );
    let theirs = [
        ("workflows/incident/fields/origin/place", Side::Theirs),
        ("workflows/incident/states/pending", Side::Theirs),
        (
            "workflows/incident/states/new/transitions/wait",
            Side::Theirs,
        ),
    ];
    check(
        ours,
        &gone,
        &theirs,
        false,
        &expect![[r#"
            from base 1.0.0 to base 1.1.0
            kept        workflows/incident/fields/origin/type
            theirs      workflows/incident/fields/origin/place
            theirs      workflows/incident/states/new/transitions/wait/permit/agent
            theirs      workflows/incident/states/new/transitions/wait/to
            theirs      workflows/incident/states/pending/title
            1 kept, 0 not needed, 0 renamed, 0 in conflict
            ---
            kind: Workflow
            id: incident

            fields: { origin: { type: string } }
        "#]],
    );
}

#[test]
fn what_both_added_is_held_together_value_by_value() {
    let ours = "
fields: { room: { place: { before: impact }, type: string, label: Room, maxLength: 10 } }
create: { report: { form: { impact: {} } } }
";
    let changes = [
        (
            "  contact:",
            "  room: { type: string, label: Where }\n  contact:",
        ),
        ("contact: {} }", "contact: {}, impact: { required: true } }"),
    ];
    check(
        ours,
        &changes,
        &[],
        false,
        &expect![[r#"
        from base 1.0.0 to base 1.1.0
        not needed  workflows/incident/fields/room/place, taken out  (workflows/incident.yaml:4:19)
        not needed  workflows/incident/fields/room/type  (workflows/incident.yaml:4:46)
        kept        workflows/incident/fields/room/maxLength
        conflict    workflows/incident/create/report/form/impact: the new base has it now, too
          old base  nothing
          new base  {"required":true}  (workflows/incident.yaml:11:106)
          ours      {}  (workflows/incident.yaml:5:29)
        conflict    workflows/incident/fields/room/label: the new base has it now, too
          old base  nothing
          new base  "Where"  (workflows/incident.yaml:7:32)
          ours      "Room"  (workflows/incident.yaml:4:60)
        1 kept, 2 not needed, 0 renamed, 2 in conflict
    "#]],
    );
    check(
        ours,
        &changes,
        &[("workflows", Side::Ours)],
        false,
        &expect![[r#"
            from base 1.0.0 to base 1.1.0
            not needed  workflows/incident/fields/room/place, taken out  (workflows/incident.yaml:4:19)
            not needed  workflows/incident/fields/room/type  (workflows/incident.yaml:4:46)
            kept        workflows/incident/fields/room/maxLength
            ours        workflows/incident/create/report/form/impact
            ours        workflows/incident/fields/room/label
            1 kept, 2 not needed, 0 renamed, 0 in conflict
            ---
            kind: Workflow
            id: incident

            fields: { room: { type: string, label: Room, maxLength: 10 } }
            create: { report: { form: { impact: { required: null } } } }
        "#]],
    );
}

#[test]
fn the_header_moves_with_the_base_and_keeps_its_comments() {
    let old = pack("1.0.0", "", BASE);
    let new = pack(
        "1.1.0",
        "",
        &BASE.replace("maxLength: 200", "maxLength: 300"),
    );
    let files = adapted(
        &old,
        &format!("{OURS}fields: {{ summary: {{ label: S }} }}\n"),
    );
    let upgraded = run(&files, &new, &[], false).expect("it is upgraded");
    let files = upgraded.files.expect("nothing is in conflict");
    let digest = Pack::read(&new).expect("the new base reads").digest;
    assert_eq!(
        files["pack.yaml"],
        format!(
            "# Ours.\nkind: Pack\nid: ours\nversion: 2.0.0\ntitle: Ours  # what people say\nextends: {{ pack: base, version: 1.1.0, digest: \"{digest}\" }}\n"
        )
    );
    assert_eq!(
        files["base/workflows/incident.yaml"],
        new["workflows/incident.yaml"]
    );
}

#[test]
fn a_pack_that_extends_none_or_another_is_not_upgraded() {
    let base = pack("1.0.0", "", BASE);
    assert!(matches!(
        run(&base, &base, &[], false),
        Err(UpgradeError::NoBase)
    ));
    let files = adapted(&base, OURS);
    let mut other = base.clone();
    other.insert(
        "pack.yaml".to_owned(),
        base["pack.yaml"].replace("id: base", "id: other"),
    );
    assert!(matches!(
        run(&files, &other, &[], false),
        Err(UpgradeError::OtherPack { .. })
    ));
}

#[test]
fn a_base_that_was_altered_is_not_the_one_that_was_adapted() {
    let old = pack("1.0.0", "", BASE);
    let mut files = adapted(&old, OURS);
    let altered = BASE.replace(LONGER.0, LONGER.1);
    files.insert("base/workflows/incident.yaml".to_owned(), altered);
    let refused = run(&files, &pack("1.1.0", "", BASE), &[], false);
    let Err(UpgradeError::Adaptation(why)) = refused else {
        panic!("{refused:?}");
    };
    let why = why.to_string();
    assert!(
        why.contains("the pack in `base/` has another digest"),
        "{why}"
    );
}

#[test]
fn dates_that_recur_are_adapted_by_their_ids_and_carried_over() {
    let base = |version: &str, further: &str, recurring: &str| {
        let mut files = pack(version, further, BASE);
        let office = format!("kind: Calendar\nid: office\nzone: UTC\nrecurring:\n{recurring}");
        files.insert("calendars/office.yaml".to_owned(), office);
        files
    };
    let old = base(
        "1.0.0",
        "",
        "  closing: { first: \"2026-12-24\", days: 8, repeats: FREQ=YEARLY }\n  patches: { first: \"2026-01-13\", repeats: FREQ=MONTHLY;BYDAY=2TU }\n",
    );
    let new = base(
        "1.1.0",
        "renamed: { calendars/office/recurring/closing: year-end }\n",
        "  year-end: { name: Closing, first: \"2026-12-24\", days: 8, repeats: FREQ=YEARLY }\n  patches: { first: \"2026-01-06\", repeats: FREQ=MONTHLY;BYDAY=1TU }\n",
    );
    let mut ours = adapted(&old, OURS);
    let office = "kind: Calendar\nid: office\nrecurring:\n  closing: { days: 9 }\n  stock: { first: \"2026-12-31\", repeats: FREQ=YEARLY, place: { before: closing } }\n";
    ours.insert("calendars/office.yaml".to_owned(), office.to_owned());
    let upgraded = run(&ours, &new, &[], false).expect("nothing is in conflict");
    let report = upgraded.report.to_string();
    let files = upgraded.files.unwrap_or_else(|| panic!("{report}"));
    expect![[r#"
        kind: Calendar
        id: office
        recurring:
          year-end: { days: 9 }
          stock: { first: "2026-12-31", repeats: FREQ=YEARLY, place: { before: year-end } }
    "#]]
    .assert_eq(&files["calendars/office.yaml"]);
    let pack = Pack::read(&files).unwrap_or_else(|found| panic!("{found}"));
    let recurring = &pack.calendars["office"].value.recurring;
    let told: Vec<String> = recurring
        .iter()
        .map(|(id, said)| format!("{id} {} {} {}", said.first, said.days, said.repeats))
        .collect();
    expect![[r#"
        stock 2026-12-31 1 FREQ=YEARLY
        year-end 2026-12-24 9 FREQ=YEARLY
        patches 2026-01-06 1 FREQ=MONTHLY;BYDAY=1TU"#]]
    .assert_eq(&told.join("\n"));
}
