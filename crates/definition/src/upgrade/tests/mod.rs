//! What becomes of adaptations, by example and by law.

#![allow(
    clippy::needless_raw_string_hashes,
    reason = "expect! writes its snapshots with them"
)]

mod examples;
mod laws;
mod references;
mod renames;

use std::collections::BTreeMap;

use super::{Request, Side, Take, Upgrade, UpgradeError, upgrade};
use crate::pack::Pack;

type Files = BTreeMap<String, String>;

/// The smallest workflow that a pack can hold, with the fields and states given besides.
const BASE: &str = "\
kind: Workflow
id: incident
title: Incident
number: INC
fields:
  summary: { type: string, maxLength: 200, label: Summary }
  contact: { type: string, label: Contact }
  impact: { options: { low: {}, high: {} }, default: low, label: Impact }
create:
  report: { to: new, permit: { anyone: true }, form: { summary: { required: true }, contact: {} } }
states:
  new:
    category: open
    transitions:
      start: { to: in-progress, permit: { anyone: true } }
  in-progress:
    category: open
    transitions:
      pause: { to: pending, permit: { anyone: true } }
      close: { to: closed, permit: { anyone: true }, require: { known: { when: \"contact != null\", say: Who called? } } }
    timers:
      slow: { wait: { time: P3D }, do: close }
  pending:
    category: waiting
    transitions:
      reply: { to: in-progress, permit: { anyone: true } }
  closed: { category: closed, outcome: done }
";

const OURS: &str = "kind: Workflow\nid: incident\n";

fn header(version: &str, further: &str) -> String {
    format!(
        "kind: Pack\nid: base\nversion: {version}\ntitle: Base\nzone: UTC\nroles: {{ agent: {{ title: Agent }} }}\n{further}"
    )
}

fn pack(version: &str, further: &str, workflow: &str) -> Files {
    Files::from([
        ("pack.yaml".to_owned(), header(version, further)),
        ("workflows/incident.yaml".to_owned(), workflow.to_owned()),
    ])
}

fn adapted(base: &Files, ours: &str) -> Files {
    let digest = Pack::read(base).expect("the old base reads").digest;
    let header = format!(
        "# Ours.\nkind: Pack\nid: ours\nversion: 2.0.0\ntitle: Ours  # what people say\nextends: {{ pack: base, version: 1.0.0, digest: \"{digest}\" }}\n"
    );
    let below = base
        .iter()
        .map(|(path, text)| (format!("base/{path}"), text.clone()));
    let mut files: Files = below.collect();
    files.insert("pack.yaml".to_owned(), header);
    files.insert("workflows/incident.yaml".to_owned(), ours.to_owned());
    files
}

fn takes(takes: &[(&str, Side)]) -> Vec<Take> {
    let each = takes.iter().map(|(path, side)| Take {
        path: (*path).to_owned(),
        side: *side,
    });
    each.collect()
}

fn run(
    files: &Files,
    base: &Files,
    sides: &[(&str, Side)],
    prune: bool,
) -> Result<Upgrade, UpgradeError> {
    upgrade(&Request {
        files,
        base,
        takes: &takes(sides),
        prune,
    })
}

/// The report, and where nothing is in conflict what became of the adaptation's workflow.
fn told(upgraded: &Upgrade) -> String {
    let mut told = format!("{}\n", upgraded.report);
    if let Some(files) = &upgraded.files {
        told += "---\n";
        told += files
            .get("workflows/incident.yaml")
            .map_or("(no file)\n", String::as_str);
    }
    told
}
