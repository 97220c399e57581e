//! Names that are carried over.

use expect_test::{Expect, expect};

use super::{BASE, Files, OURS, adapted, pack, run, told};
use crate::pack::Pack;

const RENAMED: &str = "renamed:
  workflows/incident/fields/contact: caller
  workflows/incident/states/pending: waiting-user
  workflows/incident/states/pending/transitions/reply: answer
  workflows/incident/fields/impact/options/high: site
";

fn renamed_base() -> String {
    BASE.replace("contact", "caller")
        .replace("pending", "waiting-user")
        .replace("reply", "answer")
        .replace("high", "site")
}

fn check(ours: &str, base: &str, expected: &Expect) {
    let old = pack("1.0.0", "", BASE);
    let new = pack("1.1.0", RENAMED, base);
    let upgraded = run(&adapted(&old, &format!("{OURS}{ours}")), &new, &[], false);
    match upgraded {
        Ok(upgraded) => expected.assert_eq(&told(&upgraded)),
        Err(error) => expected.assert_eq(&format!("{error}\n")),
    }
}

#[test]
#[expect(clippy::too_many_lines, reason = "the report of it all is long")]
fn names_are_carried_over_wherever_they_stand() {
    let ours = "
fields:
  contact: { label: \"Who is 'contact'?\" }   # the contact
  origin: { place: { after: contact }, type: string }
  loud: { type: boolean, value: \"impact in ['low', \\\"high\\\"] && contact != null && record.state == 'pending'\" }
tables:
  weight:
    hit: first
    gives: { impact: true }
    rows:
      known: { when: 'impact == ''high'' || contact == ''contact''', then: { impact: high } }
      other: { when: \"true\", then: { impact: low, contact: nobody } }
create: { report: { form: { contact: { required: true }, impact: { default: high } } } }
states:
  pending:
    title: On hold
    transitions: { reply: { title: Call back, set: { contact: { cel: \"contact + '!'\" }, impact: { cel: \"contact == '' ? 'low' : 'high'\" } } } }
    timers: { late: { wait: { time: P9D }, do: reply } }
  new:
    transitions:
      wait:
        to: pending
        permit: { anyone: true }
        require:
          called:
            when: |
              // who is the contact?
              contact != null
            say: The contact is missing.
anywhere: { nudge: { from: { pending: true, open: true }, permit: { agent: true } } }
";
    check(
        ours,
        &renamed_base(),
        &expect![[r#"
            from base 1.0.0 to base 1.1.0
            renamed     workflows/incident/fields/contact is `caller` now  (workflows/incident.yaml:5:3)
            renamed     workflows/incident/fields/contact is `caller` now  (workflows/incident.yaml:6:29)
            renamed     workflows/incident/fields/contact is `caller` now  (workflows/incident.yaml:7:33)
            renamed     workflows/incident/fields/contact is `caller` now  (workflows/incident.yaml:13:22)
            renamed     workflows/incident/fields/contact is `caller` now  (workflows/incident.yaml:14:51)
            renamed     workflows/incident/fields/contact is `caller` now  (workflows/incident.yaml:15:29)
            renamed     workflows/incident/fields/contact is `caller` now  (workflows/incident.yaml:19:54)
            renamed     workflows/incident/fields/contact is `caller` now  (workflows/incident.yaml:19:70)
            renamed     workflows/incident/fields/contact is `caller` now  (workflows/incident.yaml:19:104)
            renamed     workflows/incident/fields/contact is `caller` now  (workflows/incident.yaml:29:15)
            renamed     workflows/incident/fields/impact/options/high is `site` now  (workflows/incident.yaml:7:33)
            renamed     workflows/incident/fields/impact/options/high is `site` now  (workflows/incident.yaml:13:22)
            renamed     workflows/incident/fields/impact/options/high is `site` now  (workflows/incident.yaml:13:86)
            renamed     workflows/incident/fields/impact/options/high is `site` now  (workflows/incident.yaml:15:77)
            renamed     workflows/incident/fields/impact/options/high is `site` now  (workflows/incident.yaml:19:104)
            renamed     workflows/incident/states/pending is `waiting-user` now  (workflows/incident.yaml:7:33)
            renamed     workflows/incident/states/pending is `waiting-user` now  (workflows/incident.yaml:17:3)
            renamed     workflows/incident/states/pending is `waiting-user` now  (workflows/incident.yaml:24:13)
            renamed     workflows/incident/states/pending is `waiting-user` now  (workflows/incident.yaml:32:30)
            renamed     workflows/incident/states/pending/transitions/reply is `answer` now  (workflows/incident.yaml:19:20)
            renamed     workflows/incident/states/pending/transitions/reply is `answer` now  (workflows/incident.yaml:20:48)
            kept        workflows/incident/anywhere/nudge/from/open
            kept        workflows/incident/anywhere/nudge/from/waiting-user
            kept        workflows/incident/anywhere/nudge/permit/agent
            kept        workflows/incident/create/report/form/caller/required
            kept        workflows/incident/create/report/form/impact/default
            kept        workflows/incident/fields/caller/label
            kept        workflows/incident/fields/loud/type
            kept        workflows/incident/fields/loud/value
            kept        workflows/incident/fields/origin/place
            kept        workflows/incident/fields/origin/type
            kept        workflows/incident/states/new/transitions/wait/permit/anyone
            kept        workflows/incident/states/new/transitions/wait/require/called/say
            kept        workflows/incident/states/new/transitions/wait/require/called/when
            kept        workflows/incident/states/new/transitions/wait/to
            kept        workflows/incident/states/waiting-user/timers/late/do
            kept        workflows/incident/states/waiting-user/timers/late/wait
            kept        workflows/incident/states/waiting-user/title
            kept        workflows/incident/states/waiting-user/transitions/answer/set/caller/cel
            kept        workflows/incident/states/waiting-user/transitions/answer/set/impact/cel
            kept        workflows/incident/states/waiting-user/transitions/answer/title
            kept        workflows/incident/tables/weight/gives/impact
            kept        workflows/incident/tables/weight/hit
            kept        workflows/incident/tables/weight/rows/known/then/impact
            kept        workflows/incident/tables/weight/rows/known/when
            kept        workflows/incident/tables/weight/rows/other/then/caller
            kept        workflows/incident/tables/weight/rows/other/then/impact
            kept        workflows/incident/tables/weight/rows/other/when
            27 kept, 0 not needed, 21 renamed, 0 in conflict
            ---
            kind: Workflow
            id: incident

            fields:
              caller: { label: "Who is 'contact'?" }   # the contact
              origin: { place: { after: caller }, type: string }
              loud: { type: boolean, value: "impact in ['low', \"site\"] && caller != null && record.state == 'waiting-user'" }
            tables:
              weight:
                hit: first
                gives: { impact: true }
                rows:
                  known: { when: 'impact == ''site'' || caller == ''contact''', then: { impact: site } }
                  other: { when: "true", then: { impact: low, caller: nobody } }
            create: { report: { form: { caller: { required: true }, impact: { default: site } } } }
            states:
              waiting-user:
                title: On hold
                transitions: { answer: { title: Call back, set: { caller: { cel: "caller + '!'" }, impact: { cel: "caller == '' ? 'low' : 'site'" } } } }
                timers: { late: { wait: { time: P9D }, do: answer } }
              new:
                transitions:
                  wait:
                    to: waiting-user
                    permit: { anyone: true }
                    require:
                      called:
                        when: |
                          // who is the contact?
                          caller != null
                        say: The contact is missing.
            anywhere: { nudge: { from: { waiting-user: true, open: true }, permit: { agent: true } } }
        "#]],
    );
}

#[test]
fn a_base_that_renames_and_changes_is_in_conflict_by_todays_path() {
    let ours = "fields: { contact: { label: Customer } }\n";
    let base = renamed_base().replace("label: Contact", "label: Caller");
    check(
        ours,
        &base,
        &expect![[r#"
        from base 1.0.0 to base 1.1.0
        renamed     workflows/incident/fields/contact is `caller` now  (workflows/incident.yaml:3:11)
        conflict    workflows/incident/fields/caller/label: the new base changed it too
          old base  "Contact"  (base/workflows/incident.yaml:7:35)
          new base  "Caller"  (workflows/incident.yaml:7:34)
          ours      "Customer"  (workflows/incident.yaml:3:22)
        0 kept, 0 not needed, 1 renamed, 1 in conflict
    "#]],
    );
}

#[test]
fn what_would_take_the_name_of_something_else_is_left_to_the_author() {
    let ours = "fields: { contact: { label: Customer }, caller: { type: string } }\n";
    check(
        ours,
        &renamed_base(),
        &expect![[r#"
        from base 1.0.0 to base 1.1.0
        not needed  workflows/incident/fields/caller/type  (workflows/incident.yaml:3:51)
        kept        workflows/incident/fields/contact/label
        conflict    workflows/incident/fields/contact: `workflows/incident/fields/contact` is called otherwise now, and what it is called stands there already
          ours      {"label":"Customer"}  (workflows/incident.yaml:3:11)
        1 kept, 1 not needed, 0 renamed, 1 in conflict
    "#]],
    );
}

/// A base of several kinds that name each other, before and after nearly all of them are renamed.
fn kinds(today: bool) -> Files {
    let name = |text: &str| {
        let names = [
            ("desk", "front-desk"),
            ("office", "office-hours"),
            ("received", "thanks"),
            ("incident", "fault"),
            ("agent", "worker"),
            ("triage", "sorting"),
            ("weights", "weighing"),
        ];
        names.iter().fold(text.to_owned(), |text, (old, new)| {
            if today { text.replace(old, new) } else { text }
        })
    };
    let workflow = "kind: Workflow
id: incident
title: Fault
number: FLT
fields: { summary: { type: string }, impact: { options: { low: {}, high: {} }, decided-by: weights } }
tables: { weights: { hit: first, gives: { impact: true }, rows: { all: { when: \"true\", then: { impact: low } } } } }
routing: { fallback: { team: desk } }
create: { report: { to: triage, permit: { agent: true }, form: { summary: { required: true } }, effects: { tell: { notice: received } } } }
states: { triage: { category: open, transitions: { close: { to: closed, permit: { agent: true } } } }, closed: { category: closed, outcome: done } }
";
    let level = "kind: ServiceLevel
id: standard
type: sla
for: { incident: \"true\" }
calendar: { named: office }
targets: { resolution: { start: \"true\", stop: \"record.state == 'closed'\", goal: { business: PT8H } } }
";
    let header = "kind: Pack\nid: base\nversion: 1.0.0\ntitle: Base\nzone: UTC\nroles: { agent: { title: Worker } }\n";
    let renamed = "renamed:
  teams/desk: front-desk
  calendars/office: office-hours
  notices/received: thanks
  workflows/incident: fault
  workflows/incident/states/triage: sorting
  workflows/fault/tables/weights: weighing
  pack/roles/agent: worker
";
    let mut header = name(header);
    if today {
        header = header.replace("1.0.0", "1.1.0") + renamed;
    }
    let files = [
        ("workflows/w.yaml", name(workflow)),
        ("service-levels/s.yaml", name(level)),
        (
            "teams/t.yaml",
            name("kind: Team\nid: desk\ntitle: Desk\ncalendar: office\n"),
        ),
        (
            "calendars/c.yaml",
            name("kind: Calendar\nid: office\nzone: UTC\nalways: true\n"),
        ),
        (
            "notices/n.yaml",
            name(
                "kind: Notice\nid: received\nto: { agent: true }\nsubject: \"{{ record.id }}\"\ntext: \"{{ summary }}\"\n",
            ),
        ),
    ];
    let mut all: Files = files
        .into_iter()
        .map(|(path, text)| (path.to_owned(), text))
        .collect();
    all.insert("pack.yaml".to_owned(), header);
    all
}

#[test]
fn definitions_of_every_kind_are_carried_over_with_all_that_names_them() {
    let old = kinds(false);
    let ours = "# Ours.
kind: Workflow
id: incident  # of the base
see: { agent: \"open('office', record.created_at)\" }
routing: { fallback: { team: desk } }
fields: { impact: { decided-by: weights } }
states: { triage: { timers: { late: { wait: { business: PT2H, calendar: office }, do: close, effects: { tell: { notice: received } } } } } }
";
    let mut files = adapted(&old, ours);
    let further = [
        (
            "teams/ours.yaml",
            "kind: Team\nid: second\ntitle: Second\ncalendar: office\n---\n# The first.\nkind: Team\nid: desk\ntitle: First\n",
        ),
        (
            "notices/ours.yaml",
            "kind: Notice\nid: received\ntext: >\n  Thank you for\n  {{ summary }}.\n",
        ),
        (
            "service-levels/ours.yaml",
            "kind: ServiceLevel\nid: standard\nfor: { incident: \"record.state != 'triage'\" }\ncalendar: { cel: \"'office'\" }\n",
        ),
    ];
    files.extend(further.map(|(path, text)| (path.to_owned(), text.to_owned())));
    let upgraded = run(&files, &kinds(true), &[], false).unwrap_or_else(|error| panic!("{error}"));
    assert!(upgraded.report.conflicts.is_empty(), "{}", upgraded.report);
    let files = upgraded.files.expect("nothing is in conflict");
    let own = files
        .iter()
        .filter(|(path, _)| !path.starts_with("base/") && *path != "pack.yaml");
    let told: Vec<String> = own.map(|(path, text)| format!("{path}\n{text}")).collect();
    expect![[r#"
        notices/ours.yaml
        kind: Notice
        id: thanks
        text: >
          Thank you for
          {{ summary }}.

        service-levels/ours.yaml
        kind: ServiceLevel
        id: standard
        for: { fault: "record.state != 'sorting'" }
        calendar: { cel: "'office-hours'" }

        teams/ours.yaml
        kind: Team
        id: second
        title: Second
        calendar: office-hours
        ---
        # The first.
        kind: Team
        id: front-desk
        title: First

        workflows/incident.yaml
        # Ours.
        kind: Workflow
        id: fault  # of the base
        see: { worker: "open('office-hours', record.created_at)" }
        routing: { fallback: { team: front-desk } }
        fields: { impact: { decided-by: weighing } }
        states: { sorting: { timers: { late: { wait: { business: PT2H, calendar: office-hours }, do: close, effects: { tell: { notice: thanks } } } } } }
    "#]].assert_eq(&told.join("\n"));
}

#[test]
fn what_was_renamed_again_and_again_is_found_from_every_version() {
    let old = pack("1.0.0", "", BASE);
    let base = BASE.replace("contact", "reporter");
    for renamed in [
        "  workflows/incident/fields/contact: caller\n  workflows/incident/fields/caller: reporter\n",
        "  workflows/incident/fields/contact: reporter\n  workflows/incident/fields/caller: reporter\n",
    ] {
        let new = pack("1.2.0", &format!("renamed:\n{renamed}"), &base);
        let files = adapted(
            &old,
            &format!("{OURS}fields: {{ contact: {{ label: Who }} }}\n"),
        );
        let upgraded = run(&files, &new, &[], false).unwrap_or_else(|error| panic!("{error}"));
        let files = upgraded.files.expect("nothing is in conflict");
        assert!(
            files["workflows/incident.yaml"].ends_with("fields: { reporter: { label: Who } }\n")
        );
    }
}

#[test]
fn a_rename_that_does_not_fit_the_pack_is_told_with_its_place() {
    let renamed = "renamed:
  workflows/incident/fields/summary: title
  workflows/incident/fields/gone: summmary
  workflows/incident/fields/lost: summary/label
  workflow/incident/fields/contact: caller
  workflows: other
  pack/roles: x
  workflows//fields/a: b
  workflows/incident/states/old: elsewhere
";
    let found = Pack::read(&pack("1.1.0", renamed, BASE)).expect_err("nothing fits");
    let told: Vec<String> = found
        .iter()
        .map(|it| {
            format!(
                "{}:{}:{}: {} ({})",
                it.file,
                it.line,
                it.column,
                it.message,
                it.help.as_deref().unwrap_or("-")
            )
        })
        .collect();
    expect![[r#"
        pack.yaml:8:3: `summary` is called so still: nothing was renamed (take the line out, or rename it)
        pack.yaml:9:35: there is no `workflows/incident/fields/summmary`, which this was renamed to (did you mean `summary`?)
        pack.yaml:10:35: a new name is the last key alone, without the path before it (-)
        pack.yaml:11:3: `workflow` is no folder of definitions, did you mean `workflows`? (a path is the folder, the id and the keys: `workflows/incident/fields/contact`)
        pack.yaml:12:3: `workflows` names no definition: a path goes on with its id (a path is the folder, the id and the keys: `workflows/incident/fields/contact`)
        pack.yaml:13:3: a rename in the header reads `pack/roles/old-name: new-name` (a path is the folder, the id and the keys: `workflows/incident/fields/contact`)
        pack.yaml:14:3: `workflows//fields/a` has an empty part between two `/` (a path is the folder, the id and the keys: `workflows/incident/fields/contact`)
        pack.yaml:15:34: there is no `workflows/incident/states/elsewhere`, which this was renamed to (if it has been removed since, take the line out)
    "#]].assert_eq(&(told.join("\n") + "\n"));
}

#[test]
fn an_adaptation_of_an_adaptation_takes_the_next_version_of_its_own_base() {
    // The group adapts the base, the country the group; the group is upgraded first.
    let group = adapted(
        &pack("1.0.0", "", BASE),
        &format!("{OURS}fields: {{ contact: {{ label: Who }} }}\n"),
    );
    let digest = Pack::read(&group).expect("the group reads").digest;
    let mut country: Files = group
        .iter()
        .map(|(path, text)| (format!("base/{path}"), text.clone()))
        .collect();
    country.insert(
        "pack.yaml".to_owned(),
        format!("kind: Pack\nid: country\nversion: 1.0.0\ntitle: Country\nextends: {{ pack: ours, version: 2.0.0, digest: \"{digest}\" }}\n"),
    );
    country.insert(
        "workflows/incident.yaml".to_owned(),
        format!("{OURS}fields: {{ contact: {{ label: Wie }} }}\n"),
    );
    let new = pack("1.1.0", RENAMED, &renamed_base());
    let upgraded = run(&group, &new, &[], false).unwrap_or_else(|error| panic!("{error}"));
    let mut group = upgraded.files.expect("nothing is in conflict");
    // Whoever releases the group's pack says what it calls otherwise now.
    let header = group.get_mut("pack.yaml").expect("it has a header");
    *header = header.replace("version: 2.0.0", "version: 2.1.0") + RENAMED;
    let upgraded = run(&country, &group, &[], false).unwrap_or_else(|error| panic!("{error}"));
    let country = upgraded.files.expect("nothing is in conflict");
    let pack = Pack::read(&country).expect("it reads");
    let versions: Vec<&str> = pack
        .chain
        .iter()
        .map(|pack| pack.version.as_str())
        .collect();
    assert_eq!(versions, ["1.1.0", "2.1.0", "1.0.0"]);
    assert!(country["workflows/incident.yaml"].ends_with("fields: { caller: { label: Wie } }\n"));
}

/// The files of a country's adaptation of a group's.
fn country(group: &Files, ours: &str) -> Files {
    let pack = Pack::read(group).expect("the group reads");
    let (version, digest) = (&pack.header.version, pack.digest);
    let below = group.iter();
    let below = below.map(|(path, text)| (format!("base/{path}"), text.clone()));
    let mut files: Files = below.collect();
    let header = format!(
        "kind: Pack\nid: country\nversion: 1.0.0\ntitle: Country\nextends: {{ pack: ours, version: {version}, digest: \"{digest}\" }}\n"
    );
    files.insert("pack.yaml".to_owned(), header);
    files.insert("workflows/incident.yaml".to_owned(), ours.to_owned());
    files
}

#[test]
fn what_the_lowest_pack_renames_is_renamed_all_the_way_up() {
    let renamed = "renamed: { workflows/incident/fields/contact: caller }\n";
    let old = pack("1.0.0", "", BASE);
    let new = pack("1.1.0", renamed, &BASE.replace("contact", "caller"));
    for (adds, expected) in [
        ("", "caller: { label: Who rang }"),
        // What the group calls so today is meant, not what the base once called so.
        (
            "  contact: { type: string, label: Contact }\n",
            "contact: { label: Who rang }",
        ),
    ] {
        let group = adapted(
            &old,
            &format!("{OURS}fields:\n  summary: {{ maxLength: 120 }}\n"),
        );
        let upgraded = run(&group, &new, &[], false).expect("the group is upgraded");
        let mut later = upgraded.files.expect("without a conflict");
        let header = later.get_mut("pack.yaml").expect("a header");
        *header = header.replace("version: 2.0.0", "version: 2.1.0");
        later
            .get_mut("workflows/incident.yaml")
            .expect("it stays")
            .push_str(adds);
        let country = country(
            &group,
            &format!("{OURS}fields: {{ contact: {{ label: Who rang }} }}\n"),
        );
        let upgraded = run(&country, &later, &[], false).expect("the country is upgraded");
        assert!(told(&upgraded).contains(expected), "{}", told(&upgraded));
    }
}
