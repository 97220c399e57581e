//! Answers with a number that is none: the contract says that numbers are finite.

use servicewright_sdk::commands::Command;
use servicewright_sdk::{Fields, Value};

pub(crate) fn commands() -> Vec<Command> {
    let fields = Fields::new().with("cost", Value::Number(f64::NAN));
    vec![Command::create("incident", fields)]
}
