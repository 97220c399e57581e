//! What becomes of an issue here: it opens a record, says something about it, or moves it.
//!
//! A message that is sent again changes nothing: a record is found by the issue's name, a comment is
//! carried out under an id made of what is signed, and a record that is already where the issue is has
//! no steps left to take.

use std::collections::BTreeMap;

use serde::Deserialize;
use servicewright_sdk::commands::{Change, Command, Subject};
use servicewright_sdk::webhook::Reply;
use servicewright_sdk::{Record, Result, Value, directory};

use crate::fields::{self, Mapping, Source};
use crate::steps::{self, Steps};
use crate::text::{clip, fill, said};

/// How long a comment may become, in characters.
const MAX_COMMENT_CHARS: usize = 20_000;

/// What the settings say of messages from there.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Intake {
    /// The workflow of new records.
    pub workflow: String,
    /// What a new record holds.
    #[serde(default)]
    pub fields: Mapping,
    /// The team that a new record is given to; without one it is routed as the workflow says.
    #[serde(default)]
    pub team: Option<Source>,
    /// How a comment reads here.
    #[serde(default = "usual_comment")]
    pub comment: String,
    /// Whether the requester sees comments from there.
    #[serde(default)]
    pub public: bool,
    /// Where a record goes when the issue moves: by the name of the move, by the state of the record.
    #[serde(default)]
    pub moves: BTreeMap<String, Steps>,
}

fn usual_comment() -> String {
    "{who}, {url}:\n\n{text}".to_owned()
}

/// What happened to an issue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Happened {
    /// It is one that the desk wants to know of.
    Opened,
    /// Somebody said something; `text` is among the names.
    Commented,
    /// It moved: `closed`, `reopened`, or the name of a status.
    Moved(String),
}

/// A message about an issue, in the words of this side.
#[derive(Clone, Debug)]
pub struct Message {
    /// The issue's name, by which the binding knows the record.
    pub reference: String,
    /// What happened.
    pub happened: Happened,
    /// The same each time that this message is sent, and never that of another.
    pub id: String,
    /// What may stand in templates: `key`, `title`, `body`, `url`, `who`, `text`.
    pub names: BTreeMap<&'static str, String>,
}

impl Message {
    fn name(&self, name: &str) -> Option<String> {
        self.names.get(name).cloned()
    }
}

/// The answer to a message, and what is to be done.
///
/// # Errors
/// Where records may not be looked up.
pub fn take(intake: &Intake, message: &Message) -> Result<Reply> {
    let record = directory::referenced(&message.reference)?;
    let commands = commands(intake, message, record.as_ref());
    if commands.is_empty() {
        return Ok(said(202, "there is nothing to do"));
    }
    let delivery = match (&message.happened, &record) {
        // What a move asks for depends on where the record is.
        (Happened::Moved(_), Some(record)) => format!("{}/{}", message.id, record.state),
        _ => message.id.clone(),
    };
    Ok(said(200, "taken").delivery(delivery).commands(commands))
}

/// What a message asks for, of the record that it is about.
pub fn commands(intake: &Intake, message: &Message, record: Option<&Record>) -> Vec<Command> {
    let subject = Subject::reference(&message.reference);
    match (&message.happened, record) {
        (Happened::Opened, None) => open(intake, message, subject),
        (Happened::Commented, Some(_)) => comment(intake, message, subject).into_iter().collect(),
        (Happened::Moved(to), Some(record)) => {
            let steps = intake.moves.get(to);
            let value_of = |name: &str| message.name(name);
            steps.map_or_else(Vec::new, |steps| {
                steps::commands(steps, record, &subject, &value_of)
            })
        }
        (Happened::Opened, Some(_)) | (Happened::Commented | Happened::Moved(_), None) => {
            Vec::new()
        }
    }
}

fn open(intake: &Intake, message: &Message, subject: Subject) -> Vec<Command> {
    let value_of = |name: &str| message.name(name);
    let fields = fields::of(&intake.fields, &value_of);
    let create = Command::create(&intake.workflow, fields).reference(&message.reference);
    let team = intake.team.as_ref();
    let team = match team.and_then(|team| team.value(&value_of)) {
        Some(Value::Text(team)) => Some(team),
        _ => None,
    };
    let assign = team.map(|team| {
        let assignee = None;
        Command::change(subject, Change::Assign { team, assignee })
    });
    std::iter::once(create).chain(assign).collect()
}

fn comment(intake: &Intake, message: &Message, subject: Subject) -> Option<Command> {
    let text = message.name("text").unwrap_or_default();
    if text.trim().is_empty() {
        return None;
    }
    let text = fill(&intake.comment, |name| message.name(name));
    let command = Command::comment(subject, clip(&text, MAX_COMMENT_CHARS));
    Some(if intake.public {
        command.public()
    } else {
        command
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use servicewright_sdk::commands::{Change, Command, Subject};
    use servicewright_sdk::testing::{self, Desk};
    use servicewright_sdk::webhook::Reply;
    use servicewright_sdk::{Fields, Record};

    use super::{Happened, Intake, Message, take};

    fn intake() -> Intake {
        serde_json::from_value(json!({
            "workflow": "incident",
            "fields": { "summary": { "text": "{title}", "at_most": 10 } },
            "team": "applications",
            "moves": { "closed": { "new": [{ "transition": "start" }] } },
        }))
        .unwrap()
    }

    fn message(happened: Happened) -> Message {
        let names = [
            ("title", "Straße gesperrt"),
            ("who", "octocat"),
            ("url", "https://x.example/1"),
            ("text", "Seen {title}"),
        ];
        Message {
            reference: "a/b#1".to_owned(),
            happened,
            id: "issue/1".to_owned(),
            names: names.map(|(name, text)| (name, text.to_owned())).into(),
        }
    }

    fn taken(happened: Happened, record: Option<Record>) -> Reply {
        let desk = match record {
            Some(record) => Desk::new().referenced("a/b#1", record),
            None => Desk::new(),
        };
        let _desk = desk.install();
        take(&intake(), &message(happened)).unwrap()
    }

    fn record() -> Record {
        let mut record = testing::record("incident");
        record.id = Some("INC-1".to_owned());
        record
    }

    fn subject() -> Subject {
        Subject::reference("a/b#1")
    }

    #[test]
    fn an_issue_opens_one_record_for_its_team() {
        let reply = taken(Happened::Opened, None);
        let fields = Fields::new().with("summary", "Straße […]");
        let assign = Change::Assign {
            team: "applications".to_owned(),
            assignee: None,
        };
        assert_eq!(
            reply.commands,
            [
                Command::create("incident", fields).reference("a/b#1"),
                Command::change(subject(), assign),
            ]
        );
        assert_eq!(reply.delivery.as_deref(), Some("issue/1"));
        assert_eq!(taken(Happened::Opened, Some(record())).commands, []);
    }

    #[test]
    fn a_comment_says_who_and_where_and_is_not_public_by_itself() {
        let reply = taken(Happened::Commented, Some(record()));
        let text = "octocat, https://x.example/1:\n\nSeen {title}";
        assert_eq!(reply.commands, [Command::comment(subject(), text)]);
    }

    #[test]
    fn a_move_takes_a_record_on_from_where_it_is() {
        let moved = |to: &str, record| taken(Happened::Moved(to.to_owned()), record);
        let reply = moved("closed", Some(record()));
        let start = Command::transition(subject(), "start", Fields::new());
        assert_eq!(reply.commands, [start]);
        assert_eq!(reply.delivery.as_deref(), Some("issue/1/new"));
        assert_eq!(moved("reopened", Some(record())).commands, []);
    }

    #[test]
    fn what_the_desk_does_not_know_changes_nothing() {
        for happened in [Happened::Commented, Happened::Moved("closed".to_owned())] {
            let reply = taken(happened, None);
            assert_eq!((reply.response.status, reply.delivery), (202, None));
        }
    }
}
