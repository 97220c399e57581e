//! Changes a record that the binding may not touch, in its own name or in that of a person.

use servicewright_sdk::commands::{Command, Subject};

use crate::Task;

pub(crate) fn commands(task: &Task) -> Vec<Command> {
    let comment = Command::comment(Subject::id(task.about.clone()), "It was me");
    vec![match task.header.as_str() {
        "" => comment,
        person => comment.on_behalf_of(person),
    }]
}
