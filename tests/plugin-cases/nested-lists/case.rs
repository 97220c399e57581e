//! Lists of lists of lists: each is short enough, and all of them together are not.

use servicewright_sdk::Fields;
use servicewright_sdk::approval::{Approver, Stage};
use servicewright_sdk::commands::Command;
use servicewright_sdk::service_level::{Goal, Target};

pub(crate) fn stages() -> Vec<Stage> {
    let approvers: Vec<Approver> = (0..501).map(|_| Approver::user("ann")).collect();
    let stage = |number: u32| Stage::new(number.to_string(), approvers.clone(), "x");
    (0..20).map(stage).collect()
}

pub(crate) fn targets() -> Vec<Target> {
    let target = |number: u32| Target {
        id: number.to_string(),
        goal: Goal::within(std::time::Duration::from_secs(1), "office"),
        warn_at_percent: (0..100).collect(),
        reason: String::new(),
    };
    (0..500).map(target).collect()
}

pub(crate) fn commands() -> Vec<Command> {
    let texts: Vec<String> = vec![String::new(); 500];
    let fields: Fields = (0..500)
        .map(|number: u32| (number.to_string(), texts.clone()))
        .collect();
    (0..20)
        .map(|_| Command::create("incident", fields.clone()))
        .collect()
}
