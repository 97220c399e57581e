//! What is drawn of a workflow, and that any workflow can be.

#![expect(clippy::needless_raw_string_hashes, reason = "expect-test writes them")]

use std::path::Path;

use expect_test::expect;
use proptest::prelude::*;

use super::layout::Layout;
use super::{Graph, TooLarge};
use crate::pack::Pack;
use crate::schema::tests::read_folder;

const CHANGE: &str = r##"
kind: Workflow
id: change
title: "Change <of> \"things\""
number: CHG
fields: { reason: { type: string } }
create: { propose: { title: Propose it, to: asked, permit: { anyone: true }, form: { reason: {} } } }
states:
  asked:
    category: waiting
    approval:
      stages: { boss: { approvers: { boss: { manager-of: requester } }, quorum: { all: true }, timeout: { time: P3D } } }
      then: { approved: go, rejected: stop, expired: stop, unreachable: stop, nobody-asked: stop }
    transitions:
      go: { to: working }
      stop: { to: closed }
      remark: { title: Add a remark, permit: { agent: true } }
  working:
    category: open
    transitions:
      ask-again: { to: asked, permit: { agent: true } }
      finish: { to: closed, permit: { agent: true } }
    timers: { late: { wait: { time: P9D }, do: finish } }
  closed: { title: All over, category: closed, outcome: done }
anywhere:
  cancel: { title: Cancel, to: closed, from: { open: true, waiting: true }, permit: { requester: true } }
"##;

fn change() -> Graph {
    let pack = "kind: Pack\nid: p\nversion: 1.0.0\ntitle: P\nzone: UTC\nroles: { agent: { title: Agent } }\n";
    let files = [
        ("pack.yaml", pack),
        ("workflows/change.yaml", CHANGE.trim_start()),
    ];
    let files = files.map(|(path, text)| (path.to_owned(), text.to_owned()));
    let pack = Pack::read(&files.into()).unwrap_or_else(|found| panic!("{found}"));
    Graph::of(&pack.workflows["change"].value)
}

#[test]
fn a_workflow_as_mermaid() {
    expect![[r#"
        ---
        title: "Change #60;of#62; #34;things#34;"
        ---
        flowchart TD
          b0(["Propose it"]):::begin
          s0["<b>Asked</b><br/>Add a remark<br/>asks boss"]:::waiting
          s1["<b>Working</b>"]:::open
          s2["<b>All over</b>"]:::closed
          b0 --> s0
          s0 == "Go (approved)" ==> s1
          s0 == "Stop (rejected, expired, unreachable, nobody-asked)" ==> s2
          s1 -- "Ask again" --> s0
          s1 -- "Finish" --> s2
          s1 -. "after 9 days" .-> s2
          anywhere["<b>Anywhere</b><br/>Cancel: from open, waiting to closed"]:::anywhere
          classDef open fill:#dcebfb,stroke:#2f6fb0,color:#1a1a1a
          classDef waiting fill:#fdeecb,stroke:#a87a12,color:#1a1a1a
          classDef resolved fill:#dff2dc,stroke:#3f8a3a,color:#1a1a1a
          classDef closed fill:#e4e4e4,stroke:#6a6a6a,color:#1a1a1a
          classDef begin fill:#ffffff,stroke:#1a1a1a,color:#1a1a1a
          classDef anywhere fill:#ffffff,stroke:#8a8a8a,color:#1a1a1a,stroke-dasharray:4
    "#]]
    .assert_eq(&change().mermaid());
}

#[test]
fn a_workflow_as_a_drawing() {
    let svg = change().svg().expect("drawn");
    assert!(svg.starts_with("<svg ") && svg.ends_with("</svg>\n"));
    assert!(
        svg.contains("Change &lt;of&gt; &quot;things&quot;"),
        "{svg}"
    );
    for said in [
        "All over",
        "Propose it",
        "Add a remark",
        "asks boss",
        "from open, waiting to closed",
    ] {
        assert!(svg.contains(said), "{said}: {svg}");
    }
    // Each way is drawn once: one begins, four lead on, each past its label.
    assert_eq!(svg.matches("class=\"way\"").count(), 1 + 4 * 2);
}

#[test]
fn every_workflow_that_ships_can_be_drawn() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../packs/itil");
    let pack = Pack::read(&read_folder(&folder)).unwrap_or_else(|found| panic!("{found}"));
    for (id, workflow) in &pack.workflows {
        let graph = Graph::of(&workflow.value);
        let svg = graph.svg().expect("drawn");
        for node in &graph.nodes {
            assert!(
                svg.contains(&node.title) || node.title.contains(' '),
                "{id}: {}",
                node.title
            );
        }
    }
}

#[test]
fn what_would_take_too_many_points_is_refused() {
    let count = 3_000;
    let sizes = vec![(10.0, 10.0); count];
    let edges: Vec<(usize, usize)> = (1..count).flat_map(|to| [(to - 1, to), (0, to)]).collect();
    assert_eq!(Layout::of(&sizes, &edges).err(), Some(TooLarge));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, failure_persistence: None, ..ProptestConfig::default() })]

    /// No two vertices of a layer overlap, and every way leads from its beginning to its end, a layer a
    /// step.
    #[test]
    fn nothing_stands_on_anything_else(edges in prop::collection::vec((0_usize..14, 0_usize..14), 0..40)) {
        let edges: Vec<(usize, usize)> = edges.into_iter().filter(|(from, to)| from != to).collect();
        let sizes: Vec<(f64, f64)> = (0..14).map(|nth| (20.0 + f64::from(nth) * 9.0, 30.0)).collect();
        let layout = Layout::of(&sizes, &edges).expect("few");
        for (one, vertex) in layout.vertices.iter().enumerate() {
            for other in &layout.vertices[one + 1..] {
                let apart = (vertex.x - other.x).abs() - f64::midpoint(vertex.width, other.width);
                prop_assert!(vertex.layer != other.layer || apart > 10.0, "{vertex:?} {other:?}");
            }
        }
        for (way, (from, to)) in layout.ways.iter().zip(&edges) {
            prop_assert_eq!(way.through.first(), Some(from));
            prop_assert_eq!(way.through.last(), Some(to));
            for pair in way.through.windows(2) {
                let (one, other) = (&layout.vertices[pair[0]], &layout.vertices[pair[1]]);
                prop_assert_eq!(one.layer.abs_diff(other.layer), 1);
            }
        }
    }
}
