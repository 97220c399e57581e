//! Which transitions take a record where its counterpart is, from whichever state it is in.
//!
//! A plugin does not know the workflow. The settings therefore say for each state which transitions
//! lead to the goal, in order. A state that they do not name is one in which nothing is to be done: the
//! record is there already, or people decide.

use std::collections::BTreeMap;

use serde::Deserialize;
use servicewright_sdk::Record;
use servicewright_sdk::commands::{Command, Subject};

use crate::fields::{self, Mapping};

/// The transitions to take, by the state that the record is in.
pub type Steps = BTreeMap<String, Vec<Step>>;

/// One transition.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// Its name.
    pub transition: String,
    /// What its form is given.
    #[serde(default)]
    pub input: Mapping,
}

/// The commands that take the record on from where it is; none where nothing is to be done.
pub fn commands(
    steps: &Steps,
    record: &Record,
    subject: &Subject,
    value_of: &dyn Fn(&str) -> Option<String>,
) -> Vec<Command> {
    let taken = steps.get(&record.state).into_iter().flatten();
    taken
        .map(|step| {
            let input = fields::of(&step.input, value_of);
            Command::transition(subject.clone(), &step.transition, input)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use servicewright_sdk::commands::{Command, Subject};
    use servicewright_sdk::{Fields, testing};

    use super::{Steps, commands};

    #[test]
    fn the_state_says_which_transitions_lead_on() {
        let steps: Steps = serde_json::from_value(json!({
            "new": [
                { "transition": "start" },
                { "transition": "resolve", "input": { "resolution": "Closed by {who}." } },
            ],
        }))
        .unwrap();
        let subject = Subject::reference("a/b#1");
        let who = |name: &str| (name == "who").then(|| "octocat".to_owned());
        let mut record = testing::record("incident");
        let resolved = Fields::new().with("resolution", "Closed by octocat.");
        assert_eq!(
            commands(&steps, &record, &subject, &who),
            [
                Command::transition(subject.clone(), "start", Fields::new()),
                Command::transition(subject.clone(), "resolve", resolved),
            ]
        );
        record.state = "resolved".to_owned();
        assert_eq!(commands(&steps, &record, &subject, &who), []);
    }
}
