//! Asks for ten thousand records at once.

use servicewright_sdk::Fields;
use servicewright_sdk::commands::Command;

pub(crate) fn commands() -> Vec<Command> {
    (0..10_000)
        .map(|_| Command::create("incident", Fields::new()))
        .collect()
}
