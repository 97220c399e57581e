//! Why a command is refused. Nothing of a refused command is kept.

use model::id::RecordId;
use thiserror::Error;

/// A refusal, in words for who asked.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum Rejection {
    /// There is no such thing, or the actor may not know of it.
    #[error("there is no {what} `{id}`")]
    NotFound {
        /// What was asked for, such as `record`.
        what: &'static str,
        /// Which.
        id: String,
    },
    /// The actor lacks a right.
    #[error("{actor} may not {action}: it takes {right}")]
    Forbidden {
        /// Who.
        actor: String,
        /// What they wanted.
        action: String,
        /// What it takes.
        right: String,
    },
    /// The record is not where the command needs it.
    #[error("{message}")]
    NotPossible {
        /// Why, and what is possible.
        message: String,
    },
    /// The form, or a field, is not filled in rightly.
    #[error("the input is not accepted")]
    Invalid {
        /// What is wrong, each at its JSON pointer.
        faults: Vec<InputFault>,
    },
    /// The record is not of the version that the command was meant for.
    #[error("{record} is at version {found}, not {expected}: look again and repeat")]
    Version {
        /// The record.
        record: RecordId,
        /// The version asked for.
        expected: u64,
        /// Its version.
        found: u64,
    },
    /// The idempotency key stands for something else.
    #[error("this idempotency key was used for another request")]
    KeyReused,
}

/// What is wrong at one place of the input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InputFault {
    /// Where, as a JSON pointer into what was sent.
    pub pointer: String,
    /// What.
    pub message: String,
}

impl InputFault {
    /// A fault of a field.
    pub(crate) fn of(field: &str, message: impl Into<String>) -> Self {
        Self {
            pointer: format!("/{}", field.replace('~', "~0").replace('/', "~1")),
            message: message.into(),
        }
    }
}

impl Rejection {
    pub(crate) fn not_found(what: &'static str, id: impl std::fmt::Display) -> Self {
        let id = format!("{id:.200}");
        Self::NotFound { what, id }
    }

    pub(crate) fn not_possible(message: impl Into<String>) -> Self {
        Self::NotPossible {
            message: message.into(),
        }
    }
}
