//! The body of a request: what the sender wants done.
//!
//! ```json
//! { "id": "delivery-7",
//!   "commands": [
//!     { "create": { "workflow": "incident", "fields": { "summary": "Disk full" } }, "reference": "alert-17" },
//!     { "comment": { "text": "Seen again", "public": false }, "reference": "alert-17" },
//!     { "transition": { "name": "resolve", "input": { "resolution": "Cleaned up." } }, "record": "INC-1042" } ] }
//! ```
//! A `CloudEvents` event is taken too: its `id` names the delivery, its `data` has the commands.

use serde::Deserialize;
use serde_json::{Map, Value as Json};
use servicewright_sdk::commands::{Change, Command, Subject};
use servicewright_sdk::{Error, Fields, OrInvalid, Result};

/// As many commands are taken in one request.
const MAX_COMMANDS: usize = 100;

/// What a request says.
#[derive(Debug, PartialEq)]
pub(crate) struct Body {
    /// The sender's name for this delivery, where the body has it.
    pub(crate) id: Option<String>,
    pub(crate) commands: Vec<Command>,
}

#[derive(Deserialize)]
struct Wire {
    #[serde(default)]
    id: Option<String>,
    #[serde(default)]
    commands: Option<Vec<WireCommand>>,
    #[serde(default)]
    data: Option<WireData>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WireData {
    commands: Vec<WireCommand>,
}

/// One of the actions, and the record it is about by one of two names.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct WireCommand {
    record: Option<String>,
    reference: Option<String>,
    on_behalf_of: Option<String>,
    create: Option<WireCreate>,
    transition: Option<WireTransition>,
    update: Option<Map<String, Json>>,
    assign: Option<WireAssign>,
    vote: Option<WireVote>,
    comment: Option<WireComment>,
    link: Option<WireLink>,
    refer: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WireCreate {
    workflow: String,
    #[serde(default)]
    fields: Map<String, Json>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WireTransition {
    name: String,
    #[serde(default)]
    input: Map<String, Json>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WireAssign {
    team: String,
    #[serde(default)]
    assignee: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WireVote {
    approves: bool,
    #[serde(default)]
    reason: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WireComment {
    text: String,
    #[serde(default)]
    public: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WireLink {
    kind: String,
    #[serde(default)]
    record: Option<String>,
    #[serde(default)]
    reference: Option<String>,
}

impl Body {
    /// Reads it.
    ///
    /// # Errors
    /// [`Error::InvalidInput`] with what the sender got wrong, and where.
    pub(crate) fn read(bytes: &[u8]) -> Result<Self> {
        let wire: Wire = serde_json::from_slice(bytes).or_invalid("the body does not fit")?;
        let commands = wire
            .commands
            .or(wire.data.map(|data| data.commands))
            .or_invalid("the body has no `commands`")?;
        if commands.len() > MAX_COMMANDS {
            let message = format!("the body has more than {MAX_COMMANDS} commands");
            return Err(Error::InvalidInput(message));
        }
        let place = |(place, command): (usize, WireCommand)| {
            command
                .read()
                .map_err(|why| Error::InvalidInput(format!("`commands[{place}]` {why}")))
        };
        Ok(Self {
            id: wire.id,
            commands: commands
                .into_iter()
                .enumerate()
                .map(place)
                .collect::<Result<_>>()?,
        })
    }
}

impl WireCommand {
    fn read(mut self) -> Result<Command, &'static str> {
        let on_behalf_of = self.on_behalf_of.take();
        let command = if let Some(create) = self.create.take() {
            self.creation(create)?
        } else {
            let subject = subject(self.record.take(), self.reference.take())?;
            Command::change(subject, self.change()?)
        };
        Ok(match on_behalf_of {
            Some(person) => command.on_behalf_of(person),
            None => command,
        })
    }

    /// A creation always has a reference: without one, a delivery sent again would create it again.
    fn creation(mut self, create: WireCreate) -> Result<Command, &'static str> {
        let reference = self.reference.take().filter(|name| !name.is_empty());
        let reference = reference.ok_or("creates a record without a `reference` to know it by")?;
        if self.record.is_some() || self.take_changes().next().is_some() {
            return Err("creates a record and does something else too");
        }
        Ok(Command::create(create.workflow, fields(create.fields)).reference(reference))
    }

    fn change(mut self) -> Result<Change, &'static str> {
        let mut changes = self.take_changes();
        match (changes.next(), changes.next()) {
            (Some(change), None) => change,
            (Some(_), Some(_)) => Err("does several things, and may do one"),
            (None, _) => Err("does nothing"),
        }
    }

    /// Every change that it names, of which there should be one.
    fn take_changes(&mut self) -> impl Iterator<Item = Result<Change, &'static str>> + use<> {
        let transition = self.transition.take().map(|taken| Change::Transition {
            name: taken.name,
            input: fields(taken.input),
        });
        let update = self.update.take().map(|new| Change::Update(fields(new)));
        let assign = self.assign.take().map(|given| Change::Assign {
            team: given.team,
            assignee: given.assignee,
        });
        let vote = self.vote.take().map(|vote| Change::Vote {
            approves: vote.approves,
            reason: vote.reason,
        });
        let comment = self.comment.take().map(|said| Change::Comment {
            text: said.text,
            public: said.public,
        });
        let refer = self.refer.take().map(Change::Refer);
        let link = self.link.take().map(|link| {
            let kind = link.kind;
            let target = subject(link.record, link.reference)?;
            Ok(Change::Link { kind, target })
        });
        [transition, update, assign, vote, comment, refer]
            .into_iter()
            .flatten()
            .map(Ok)
            .chain(link)
    }
}

fn subject(record: Option<String>, reference: Option<String>) -> Result<Subject, &'static str> {
    match (record, reference) {
        (Some(id), None) => Ok(Subject::Id(id)),
        (None, Some(reference)) => Ok(Subject::Reference(reference)),
        (Some(_), Some(_)) => Err("names a record in two ways, and may in one"),
        (None, None) => Err("names no record"),
    }
}

fn fields(json: Map<String, Json>) -> Fields {
    json.into_iter().collect()
}
