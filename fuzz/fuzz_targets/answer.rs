//! Whatever guests may answer, at every hook: measured by the plugin host, and what passes put to the
//! engine, which decides what fits the desk. Each decision is folded, and must be the same then.
#![no_main]
#![allow(
    dead_code,
    reason = "the desk is that of the engine's tests, which do more with it"
)]

// The engine's tests know it by its whole name.
extern crate engine as servicewright_engine;

#[path = "../../crates/engine/tests/laws/desk.rs"]
mod desk;

use std::cell::RefCell;

use model::hook::{Failure, FailureKind, Reply};
use plugin_host::fuzzing::Answers;
use serde_json::json;

use desk::Desk;

const PACK: &str = "kind: Pack\nid: desk\nversion: 1.0.0\ntitle: Desk\nzone: Europe/Brussels\nroles: { agent: { title: Agent } }\n";
const WORKFLOW: &str = "kind: Workflow
id: change
title: Change
number: CHG
see: { anyone: true }
edit: { agent: true }
fields: { summary: { type: string } }
routing: { by: { plugin: stranger }, fallback: { team: cab } }
create: { ask: { to: authorise, permit: { anyone: true }, route: true } }
states:
  authorise:
    category: waiting
    approval:
      by: { plugin: stranger }
      stages: { board: { approvers: { cab: { team: cab } }, quorum: { percent: 50 }, timeout: { time: P7D } } }
      then: { approved: go, rejected: refuse, expired: refuse, unreachable: refuse, nobody-asked: go }
    transitions:
      go: { to: approved }
      refuse: { to: rejected }
  approved: { category: closed }
  rejected: { category: closed }
";
const LEVEL: &str = "kind: ServiceLevel
id: standard
title: Standard
type: sla
for: { change: \"true\" }
calendar: { named: office }
targets:
  decision:
    start: \"true\"
    stop: \"record.category == 'closed'\"
    goal: { plugin: stranger, fallback: { business: PT8H } }
";
const OFFICE: &str = "kind: Calendar
id: office
title: Office
zone: Europe/Brussels
hours: { mon: { day: \"09:00-17:00\" }, fri: { day: \"09:00-16:00\" } }
";
const STRANGER: &str = "kind: Plugin\nid: stranger\ncomponent: { file: a.wasm }\nhooks: { routing: true, approval: true, service-level: true }\n";

thread_local! {
    static DESK: RefCell<Desk> = RefCell::new(desk());
}

fn desk() -> Desk {
    let mut desk = Desk::new(&[
        ("pack.yaml", PACK),
        ("workflows/change.yaml", WORKFLOW),
        ("service-levels/standard.yaml", LEVEL),
        ("calendars/office.yaml", OFFICE),
        ("plugins/stranger.yaml", STRANGER),
        ("teams/cab.yaml", "kind: Team\nid: cab\ntitle: Board\n"),
    ]);
    desk.people("cab", &["ada", "ben", "cleo", "dan"]);
    desk
}

fn reply(answer: Result<model::hook::Answer, Failure>) -> Reply {
    Reply {
        component: None,
        answer,
        micros: 5,
        lookups: Vec::new(),
    }
}

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let answers = Answers::of(bytes);
    DESK.with_borrow_mut(|desk| {
        desk.record = None;
        desk.replies.clear();
        desk.replies.extend(answers.pure.into_iter().map(reply));
        // Whatever is asked beyond that gets no answer.
        desk.replies.extend((0..20).map(|_| {
            reply(Err(Failure {
                kind: FailureKind::Trap,
                message: "no more".to_owned(),
                retry_after: None,
            }))
        }));
        if desk.create("eve", "change", json!({})).is_ok() {
            // A round may have been opened for whoever the answer named.
            for person in ["ada", "ben"] {
                let _ = desk.vote(person, true);
            }
        }
    });
});
