//! What an integration may ask the server to do.
//!
//! ```
//! use servicewright_sdk::Fields;
//! use servicewright_sdk::commands::{Command, Subject};
//!
//! let ticket = Subject::reference("alert-17");
//! let commands = [
//!     Command::create("incident", [("summary", "Disk full")]).reference("alert-17"),
//!     Command::comment(ticket.clone(), "Seen by the monitoring.").public(),
//!     Command::transition(ticket, "start", Fields::new()).on_behalf_of("ann"),
//! ];
//! assert_eq!(commands.len(), 3);
//! ```

use crate::Fields;

/// A record, by one of two names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Subject {
    /// By its number, such as `INC-1042`.
    Id(String),
    /// By the name that this binding gave it for the outside world.
    Reference(String),
}

impl Subject {
    /// The record of this number.
    pub fn id(id: impl Into<String>) -> Self {
        Self::Id(id.into())
    }

    /// The record that this binding knows by this reference.
    pub fn reference(reference: impl Into<String>) -> Self {
        Self::Reference(reference.into())
    }
}

/// One thing to do.
///
/// Commands run in order; the first that is refused ends the list. Each is safe to repeat: its
/// idempotency key is made of the call's id and its place in the list.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Command {
    /// The person who said so out there, for a binding granted `act-as`; otherwise the binding speaks.
    pub on_behalf_of: Option<String>,
    /// What to do.
    pub action: Action,
}

/// What to do.
#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    /// Create a record.
    Create {
        /// The workflow it is to follow.
        workflow: String,
        /// What it is to hold.
        fields: Fields,
        /// A name for it. If a record of this binding already has this reference, none is created.
        reference: Option<String>,
    },
    /// Change a record.
    Change(Subject, Change),
}

/// A change of one record.
#[derive(Clone, Debug, PartialEq)]
pub enum Change {
    /// Take a transition.
    Transition {
        /// Which.
        name: String,
        /// What its form asks for.
        input: Fields,
    },
    /// Give fields new values.
    Update(Fields),
    /// Hand it to a team, and to somebody in it.
    Assign {
        /// The team.
        team: String,
        /// Somebody of that team.
        assignee: Option<String>,
    },
    /// Vote on it.
    Vote {
        /// For or against.
        approves: bool,
        /// Why.
        reason: Option<String>,
    },
    /// Say something about it.
    Comment {
        /// What.
        text: String,
        /// Whether the requester sees it.
        public: bool,
    },
    /// Link it to another record.
    Link {
        /// The kind of the link, which the workflow defines.
        kind: String,
        /// The other record.
        target: Subject,
    },
    /// Give it one more reference, together with the other commands of the call.
    Refer(String),
}

impl Command {
    /// Creates a record of a workflow.
    pub fn create(workflow: impl Into<String>, fields: impl Into<Fields>) -> Self {
        Self::of(Action::Create {
            workflow: workflow.into(),
            fields: fields.into(),
            reference: None,
        })
    }

    /// Takes a transition.
    pub fn transition(subject: Subject, name: impl Into<String>, input: impl Into<Fields>) -> Self {
        let (name, input) = (name.into(), input.into());
        Self::change(subject, Change::Transition { name, input })
    }

    /// Gives fields new values.
    pub fn update(subject: Subject, fields: impl Into<Fields>) -> Self {
        Self::change(subject, Change::Update(fields.into()))
    }

    /// Says something about a record, to its agents only.
    pub fn comment(subject: Subject, text: impl Into<String>) -> Self {
        let change = Change::Comment {
            text: text.into(),
            public: false,
        };
        Self::change(subject, change)
    }

    /// Gives a record one more reference.
    pub fn refer(subject: Subject, reference: impl Into<String>) -> Self {
        Self::change(subject, Change::Refer(reference.into()))
    }

    /// Any change of a record.
    pub fn change(subject: Subject, change: Change) -> Self {
        Self::of(Action::Change(subject, change))
    }

    fn of(action: Action) -> Self {
        Self {
            on_behalf_of: None,
            action,
        }
    }

    /// The same, said by a person; needs the `act-as` grant.
    #[must_use]
    pub fn on_behalf_of(mut self, person: impl Into<String>) -> Self {
        self.on_behalf_of = Some(person.into());
        self
    }

    /// The same creation under this reference; nothing else has one.
    #[must_use]
    pub fn reference(mut self, name: impl Into<String>) -> Self {
        if let Action::Create { reference, .. } = &mut self.action {
            *reference = Some(name.into());
        }
        self
    }

    /// The same comment, seen by the requester too; nothing else is public.
    #[must_use]
    pub fn public(mut self) -> Self {
        if let Action::Change(_, Change::Comment { public, .. }) = &mut self.action {
            *public = true;
        }
        self
    }
}
