//! One plugin that does whatever a plugin should not. Its settings say which case, and each case has
//! a folder of its own beside this one, with what it does and a `case.yaml` that says how the server
//! ends it. It exports every hook, so that a pure hook and an integration of the same component can be
//! seen to be held apart.
//!
//! Cases that no Rust compiler would let through are WebAssembly text, assembled by the tests.
#![allow(
    clippy::unnecessary_wraps,
    reason = "every case is run alike, those too that cannot fail on the way"
)]

use std::time::Duration;

use serde::Deserialize;
use servicewright_sdk::approval::{self, Approval, Verdict};
use servicewright_sdk::commands::Command;
use servicewright_sdk::delivery::{Delivery, Event};
use servicewright_sdk::routing::{Assignment, Routing};
use servicewright_sdk::schedule::Schedule;
use servicewright_sdk::service_level::{Agreement, Goal, ServiceLevel, Target};
use servicewright_sdk::webhook::{self, Reply, Response, Webhook};
use servicewright_sdk::{Call, Fields, Record, Result};

mod probes;
mod raw;

#[path = "../allocate/case.rs"]
mod allocate;
#[path = "../chatter/case.rs"]
mod chatter;
#[path = "../clock-calls/case.rs"]
mod clock_calls;
#[path = "../commands/case.rs"]
mod commands;
#[path = "../loop/case.rs"]
mod endless_loop;
#[path = "../exit/case.rs"]
mod exit;
#[path = "../flood/case.rs"]
mod flood;
#[path = "../guess/case.rs"]
mod guess;
#[path = "../half-write/case.rs"]
mod half_write;
#[path = "../header-flood/case.rs"]
mod header_flood;
#[path = "../hoarded-responses/case.rs"]
mod hoarded_responses;
#[path = "../host-calls/case.rs"]
mod host_calls;
#[path = "../huge-answer/case.rs"]
mod huge_answer;
#[path = "../huge-lists/case.rs"]
mod huge_lists;
#[path = "../journal-flood/case.rs"]
mod journal_flood;
#[path = "../many-requests/case.rs"]
mod many_requests;
#[path = "../nested-lists/case.rs"]
mod nested_lists;
#[path = "../not-a-number/case.rs"]
mod not_a_number;
#[path = "../not-its-record/case.rs"]
mod not_its_record;
#[path = "../recurse/case.rs"]
mod recurse;
#[path = "../redirect/case.rs"]
mod redirect;
#[path = "../refusal-flood/case.rs"]
mod refusal_flood;
#[path = "../resource-leak/case.rs"]
mod resource_leak;
#[path = "../secret-echo/case.rs"]
mod secret_echo;
#[path = "../sleep/case.rs"]
mod sleep;
#[path = "../trap/case.rs"]
mod trap;
#[path = "../wrong-team/case.rs"]
mod wrong_team;

/// What it is to do.
#[derive(Deserialize)]
struct Task {
    #[serde(rename = "do")]
    what: String,
    #[serde(default)]
    url: String,
    #[serde(default)]
    header: String,
    /// A record, a person or a team, where the case is about one.
    #[serde(default)]
    about: String,
}

/// The plugin, at each of its hooks.
pub struct Hostile;

impl Routing for Hostile {
    fn route(call: &Call, record: &Record) -> Result<Assignment> {
        let task: Task = call.settings()?;
        Ok(Assignment {
            team: wrong_team::team(&task).to_owned(),
            assignee: None,
            reason: run(&task, &record.workflow)?,
        })
    }
}

impl Approval for Hostile {
    fn decide(call: &Call, record: &Record, _: &approval::Request) -> Result<Verdict> {
        let task: Task = call.settings()?;
        if task.what == "nested-lists" {
            return Ok(Verdict::Ask(nested_lists::stages()));
        }
        run(&task, &record.workflow).map(Verdict::Approve)
    }
}

impl ServiceLevel for Hostile {
    fn targets(call: &Call, record: &Record, agreement: &Agreement) -> Result<Vec<Target>> {
        let task: Task = call.settings()?;
        if task.what == "nested-lists" {
            return Ok(nested_lists::targets());
        }
        let reason = run(&task, &record.workflow)?;
        let target = |id: &String| Target {
            id: id.clone(),
            goal: Goal::within(Duration::from_hours(8), "office"),
            warn_at_percent: Vec::new(),
            reason: reason.clone(),
        };
        Ok(agreement.targets.iter().map(target).collect())
    }
}

impl Delivery for Hostile {
    fn deliver(call: &Call, event: &Event) -> Result<Vec<Command>> {
        asked(&call.settings()?, &event.record.workflow)
    }
}

impl Webhook for Hostile {
    fn receive(call: &Call, _: &webhook::Request) -> Result<Reply> {
        let commands = asked(&call.settings()?, "nothing")?;
        Ok(Reply::new(Response::text(200, "taken")).commands(commands))
    }
}

impl Schedule for Hostile {
    fn run(call: &Call) -> Result<Vec<Command>> {
        asked(&call.settings()?, "nothing")
    }
}

/// What an integration asks the server to do: to keep what came of it as an incident's summary, where
/// the case is not about the commands themselves.
fn asked(task: &Task, workflow: &str) -> Result<Vec<Command>> {
    match task.what.as_str() {
        "not-a-number" => Ok(not_a_number::commands()),
        "commands" => Ok(commands::commands()),
        "nested-lists" => Ok(nested_lists::commands()),
        "not-its-record" => Ok(not_its_record::commands(task)),
        _ => {
            let fields = Fields::new().with("summary", run(task, workflow)?);
            Ok(vec![Command::create("incident", fields)])
        }
    }
}

/// Does what the settings say, and tells what came of it where it comes to an end.
fn run(task: &Task, workflow: &str) -> Result<String> {
    match task.what.as_str() {
        "allocate" => allocate::run(),
        "chatter" => chatter::run(),
        "clock-calls" => clock_calls::run(),
        "exit" => exit::run(),
        "flood" => flood::run(),
        "guess" => guess::run(),
        "half-write" => half_write::run(),
        "header-flood" => header_flood::run(task),
        "hoarded-responses" => hoarded_responses::run(task),
        "host-calls" => host_calls::run(),
        "huge-answer" => huge_answer::run(100_000),
        "enormous-answer" => huge_answer::run(20 << 20),
        "huge-lists" => huge_lists::run(),
        "journal-flood" => journal_flood::run(),
        "loop" => endless_loop::run(),
        "many-requests" => many_requests::run(task),
        "raw" => raw::run(task),
        "recurse" => recurse::run(),
        "redirect" => redirect::run(task),
        "refusal-flood" => refusal_flood::run(),
        "resource-leak" => resource_leak::run(),
        "secret-echo" => secret_echo::run(task),
        "sleep" => sleep::run(),
        "trap" => trap::run(),
        _ => probes::run(task, workflow),
    }
}

servicewright_sdk::export_approval!(Hostile);
servicewright_sdk::export_delivery!(Hostile);
servicewright_sdk::export_routing!(Hostile);
servicewright_sdk::export_schedule!(Hostile);
servicewright_sdk::export_service_level!(Hostile);
servicewright_sdk::export_webhook!(Hostile);
