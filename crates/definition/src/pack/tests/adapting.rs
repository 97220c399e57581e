//! Adaptations: what they change, what they may not, and what they stand on.

#![allow(
    clippy::needless_raw_string_hashes,
    clippy::too_many_lines,
    reason = "what is expected stands in full, as expect-test writes it"
)]

use expect_test::{Expect, expect};

use super::{Files, PACK, base, chain, check, extend, files};
use crate::pack::Pack;
use crate::source::emit;

/// The base, with an adaptation of its incident.
#[expect(
    clippy::needless_pass_by_value,
    reason = "reads as expect![…] at each use"
)]
fn check_patch(body: &str, expected: Expect) {
    let patch = format!("kind: Workflow\nid: incident\n{body}");
    let adapted = extend(&base(), "ours", &[("workflows/incident.yaml", &patch)]);
    match Pack::read(&adapted) {
        Ok(pack) => expected.assert_eq(&marked(&pack, "ours")),
        Err(found) => expected.assert_eq(&found.to_string()),
    }
}

/// The lines of the incident that a pack wrote.
fn marked(pack: &Pack, by: &str) -> String {
    let (_, text) = pack.show("incident", true).remove(0);
    text.lines()
        .filter(|line| line.starts_with(by))
        .fold(String::new(), |all, line| all + line + "\n")
}

#[test]
fn each_pack_of_a_chain_tells_what_it_says() {
    let pack = Pack::read(&chain()).expect("sound");
    let ids: Vec<String> = pack
        .chain
        .iter()
        .map(|pack| format!("{} {}", pack.id, pack.version))
        .collect();
    assert_eq!(ids, ["itil 1.0.0", "group 2.0.0", "country 2.0.0"]);
    assert!(
        pack.header.roles.contains_key("agent"),
        "roles are handed up"
    );
    expect![[r#"
        itil    | apiVersion: servicewright/v1
        itil    | kind: Workflow
        itil    | id: incident
        itil    | title: Incident
        itil    | number: INC
        itil    | fields:
        itil    |   summary:
        itil    |     type: string
        group   |     label: What happened?
        itil    |   impact:
        itil    |     options:
        itil    |       high: {}
        itil    |     default: low
        itil    |   priority:
        itil    |     options:
        itil    |       p1: {}
        itil    |       p4: {}
        itil    |     decided-by: priority
        country |   cost_centre:
        country |     type: string
        country |     pattern: "^[0-9]{4}$"
        itil    | tables:
        itil    |   priority:
        itil    |     hit: first
        itil    |     gives:
        itil    |       priority: true
        itil    |     rows:
        group   |       vip:
        group   |         when: requester_vip
        group   |         then:
        group   |           priority: p1
        itil    |       everything-down:
        itil    |         when: impact == 'high'
        itil    |         then:
        itil    |           priority: p1
        itil    |       rest:
        itil    |         when: "true"
        itil    |         then:
        itil    |           priority: p4
        itil    | create:
        itil    |   report:
        itil    |     to: new
        itil    |     permit:
        itil    |       anyone: true
        itil    |     form:
        itil    |       summary:
        itil    |         required: true
        itil    | states:
        itil    |   new:
        itil    |     category: open
        itil    |     transitions:
        group   |       triage:
        group   |         to: triage
        group   |         permit:
        group   |           agent: true
        group   |   triage:
        group   |     category: open
        group   |     transitions:
        group   |       start:
        group   |         to: done
        group   |         permit:
        group   |           agent: true
        country |         require:
        country |           coded:
        country |             when: cost_centre != null
        country |             say: Give it.
        itil    |   review:
        itil    |     category: waiting
        itil    |     approval:
        itil    |       by:
        itil    |         plugin: advisory
        itil    |       stages:
        itil    |         boss:
        itil    |           approvers:
        itil    |             boss:
        itil    |               manager-of: requester
        itil    |           quorum:
        itil    |             all: true
        itil    |           timeout:
        itil    |             time: P3D
        itil    |       then:
        itil    |         approved: close
        itil    |     transitions:
        itil    |       close:
        itil    |         to: done
        itil    |     timers:
        itil    |       remind:
        itil    |         wait:
        itil    |           business: PT16H
        itil    |           calendar: office
        itil    |         effects:
        itil    |           remind:
        itil    |             notice: waiting
        itil    |   done:
        itil    |     category: closed
        itil    |     outcome: done
    "#]]
    .assert_eq(&pack.show("incident", true)[0].1);
}

#[test]
fn a_base_may_be_a_chain_or_the_chain_merged() {
    let chained = Pack::read(&chain()).expect("sound");
    let below: Files = chain()
        .iter()
        .filter_map(|(path, text)| Some((path.strip_prefix("base/")?.to_owned(), text.clone())))
        .collect();
    let below = Pack::read(&below).expect("sound");
    let mut flat: Files = chain()
        .into_iter()
        .filter(|(path, _)| !path.starts_with("base/"))
        .collect();
    flat.insert("base/pack.yaml".to_owned(), emit(&below.tree.root));
    flat.insert(
        "base/workflows/all.yaml".to_owned(),
        below.show("incident", false).remove(0).1,
    );
    let flat = Pack::read(&flat).expect("sound");
    assert_eq!(flat.digest, chained.digest);
    assert_eq!(
        flat.workflows["incident"].canonical,
        chained.workflows["incident"].canonical
    );
}

#[test]
fn removing_nothing_is_an_error() {
    check_patch(
        "states: { new: { transitions: { strat: null } }, nwe: null }\nnothing: null\n",
        expect![[r#"
        error[removes-nothing]: `strat: null` removes nothing: the base has no `states.new.transitions.strat`
         --> workflows/incident.yaml:3:33
          |
        3 | states: { new: { transitions: { strat: null } }, nwe: null }
          |                                 ^^^^^
          = help: did you mean `start`?

        error[removes-nothing]: `nwe: null` removes nothing: the base has no `states.nwe`
         --> workflows/incident.yaml:3:50
          |
        3 | states: { new: { transitions: { strat: null } }, nwe: null }
          |                                                  ^^^
          = help: did you mean `new`?

        error[removes-nothing]: `nothing: null` removes nothing: the base has no `nothing`
         --> workflows/incident.yaml:4:1
          |
        4 | nothing: null
          | ^^^^^^^"#]],
    );
    check_patch(
        "states: { extra: { category: open, title: null } }\n",
        expect![[r#"
        error[removes-nothing]: `title: null` removes nothing: the base has no `states.extra.title`
         --> workflows/incident.yaml:3:36
          |
        3 | states: { extra: { category: open, title: null } }
          |                                    ^^^^^"#]],
    );
}

#[test]
fn new_keys_go_last_or_where_they_are_placed() {
    check_patch(
        "states: { a: { place: { before: done }, category: open }, b: { category: open } }\n",
        expect![[r#"
        ours |   a:
        ours |     category: open
        ours |   b:
        ours |     category: open
    "#]],
    );
    check_patch(
        "states: { a: { place: { before: dune }, category: open }, new: { place: { after: done } } }\n",
        expect![[r#"
        error[place]: `a` cannot be placed beside `dune`, which is not here
         --> workflows/incident.yaml:3:33
          |
        3 | states: { a: { place: { before: dune }, category: open }, new: { place: { after: done } } }
          |                                 ^^^^
          = help: did you mean `done`?

        error[place]: `new` is in the base already; `place` is for new keys
         --> workflows/incident.yaml:3:82
          |
        3 | states: { a: { place: { before: dune }, category: open }, new: { place: { after: done } } }
          |                                                                                  ^^^^"#]],
    );
    let order = |body: &str| {
        let patch = format!("kind: Workflow\nid: incident\nfields: {body}\n");
        let pack = Pack::read(&extend(
            &base(),
            "ours",
            &[("workflows/incident.yaml", &patch)],
        ))
        .expect("sound");
        pack.workflows["incident"]
            .value
            .fields
            .keys()
            .map(ToString::to_string)
            .collect::<Vec<_>>()
            .join(" ")
    };
    let field = |id: &str, side: &str, of: &str| {
        format!("{id}: {{ place: {{ {side}: {of} }}, type: string }}")
    };
    let (a, b) = (
        field("a", "after", "summary"),
        field("b", "after", "summary"),
    );
    assert_eq!(
        order(&format!("{{ {a}, {b} }}")),
        "summary a b impact priority"
    );
    let (a, b) = (
        field("a", "before", "summary"),
        field("b", "before", "summary"),
    );
    assert_eq!(
        order(&format!("{{ {a}, {b} }}")),
        "a b summary impact priority"
    );
    let (a, b) = (field("a", "after", "priority"), field("b", "before", "a"));
    assert_eq!(
        order(&format!("{{ {b}, {a} }}")),
        "summary impact priority b a"
    );
    check_patch(
        "fields: { a: { place: { before: b }, type: string }, b: { place: { after: a }, type: string } }\n",
        expect![[r#"
        error[place]: `a` is to stand beside `b`, which is to stand beside it in turn
         --> workflows/incident.yaml:3:33
          |
        3 | fields: { a: { place: { before: b }, type: string }, b: { place: { after: a }, type: string } }
          |                                 ^"#]],
    );
    assert_eq!(
        order("{ place: { type: string } }"),
        "summary impact priority place",
        "a field may be called so"
    );
}

#[test]
fn a_choice_is_replaced_whole() {
    check_patch(
        "states:\n  review:\n    timers: { remind: { wait: { time: PT2H } } }\n    approval:\n      by: { plugin: other }\n      stages: { boss: { approvers: { boss: { team: cab } }, quorum: { count: 1 }, timeout: { business: PT8H, calendar: office } } }\n",
        expect![[r#"
            ours |       by:
            ours |         plugin: other
            ours |             boss:
            ours |               team: cab
            ours |           quorum:
            ours |             count: 1
            ours |           timeout:
            ours |             business: PT8H
            ours |             calendar: office
            ours |         wait:
            ours |           time: PT2H
        "#]],
    );
    check_patch(
        "states: { review: { timers: { remind: { wait: { time: null, business: PT1H } } } } }\n",
        expect![[r#"
        error[null]: `null` is never a value, and here is nothing that it could remove
         --> workflows/incident.yaml:3:55
          |
        3 | states: { review: { timers: { remind: { wait: { time: null, business: PT1H } } } } }
          |                                                       ^^^^
          = help: leave the key out"#]],
    );
}

#[test]
fn the_base_is_held_to_what_is_extended() {
    let good = chain();
    let change = |path: &str, from: &str, to: &str| {
        let mut files = good.clone();
        let text = files[path].replace(from, to);
        assert_ne!(text, files[path]);
        files.insert(path.to_owned(), text);
        files
    };
    check(
        &change("base/workflows/incident.yaml", "What happened?", "What?"),
        expect![[r#"
        error[extends]: the pack in `base/` has another digest: it is not the one that was adapted
         --> pack.yaml:5:49
          |
        5 |  { pack: group, version: 2.0.0, digest: "sha256:6bbd40a1957a598652129382aada590ea16c03f5a91a18bf4a258a483a5df2d5" }
          |                                         ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
          = help: if it is the one that is meant, write `digest: sha256:c7ca9ac44ca1400b7ec158b866da2aa87b6fcb103d88665bae8170dc5e5eb87e`"#]],
    );
    check(
        &change("pack.yaml", "pack: group", "pack: grup"),
        expect![[r#"
        error[extends]: the pack in `base/` has another id
         --> pack.yaml:5:18
          |
        5 | extends: { pack: grup, version: 2.0.0, digest: "sha256:6bbd40a1957a598652129382aada590ea16c03f5a91a18bf4a258a483a5df2d5"
          |                  ^^^^
          = help: if it is the one that is meant, write `pack: group`"#]],
    );
    check(
        &change("pack.yaml", "extends:", "# extends:"),
        expect![[r#"
        error[extends]: there is a pack in `base/`, but this one extends none
         --> pack.yaml:1:1
          |
        1 | kind: Pack
          | ^^^^^^^^^^
          = help: add `extends: { pack: group, version: 2.0.0, digest: "sha256:6bbd40a1957a598652129382aada590ea16c03f5a91a18bf4a258a483a5df2d5" }`"#]],
    );
    let mut alone = good.clone();
    alone.retain(|path, _| !path.starts_with("base/"));
    check(
        &alone,
        expect![[r#"
        error[extends]: the pack that this one extends does not stand in `base/`
         --> pack.yaml:5:1
          |
        5 | extends: { pack: group, version: 2.0.0, digest: "sha256:6bbd40a1957a598652129382aada590ea16c03f5a91a18bf4a258a483a5df2d5
          | ^^^^^^^
          = help: put its folder there: base/pack.yaml, base/workflows/, …"#]],
    );
    let deep = files(&[(&format!("{}pack.yaml", "base/".repeat(40)), PACK)]);
    check(
        &deep,
        expect![[r#"
        error[too-deep]: more than 8 packs stand on each other
         --> base/:1:1"#]],
    );
}
