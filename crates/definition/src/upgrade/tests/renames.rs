//! Names that are carried over.

use expect_test::{Expect, expect};

use super::{BASE, OURS, adapted, pack, run, told};

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
    transitions: { reply: { title: Call back, set: { contact: { cel: \"contact + '!'\" } } } }
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
        renamed     workflows/incident/fields/contact is `caller` now  (workflows/incident.yaml:29:15)
        renamed     workflows/incident/fields/impact/options/high is `site` now  (workflows/incident.yaml:7:33)
        renamed     workflows/incident/fields/impact/options/high is `site` now  (workflows/incident.yaml:13:22)
        renamed     workflows/incident/fields/impact/options/high is `site` now  (workflows/incident.yaml:13:86)
        renamed     workflows/incident/fields/impact/options/high is `site` now  (workflows/incident.yaml:15:77)
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
        kept        workflows/incident/states/waiting-user/transitions/answer/title
        kept        workflows/incident/tables/weight/gives/impact
        kept        workflows/incident/tables/weight/hit
        kept        workflows/incident/tables/weight/rows/known/then/impact
        kept        workflows/incident/tables/weight/rows/known/when
        kept        workflows/incident/tables/weight/rows/other/then/caller
        kept        workflows/incident/tables/weight/rows/other/then/impact
        kept        workflows/incident/tables/weight/rows/other/when
        26 kept, 0 not needed, 19 renamed, 0 in conflict
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
            transitions: { answer: { title: Call back, set: { caller: { cel: "caller + '!'" } } } }
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
