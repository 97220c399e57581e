//! The hook that tells the outside world what happened.

pub use crate::commands::Command;
pub use crate::{Call, Record, Result};

/// Answers for every event that the binding subscribes to: at least once, and in order within a record.
///
/// After an [`unavailable`](crate::Error::Unavailable) or [`internal`](crate::Error::Internal) error
/// the server tries again with the same [`Call::id`], later and later, and at last puts the event
/// where an operator sees it. After the other two it does so at once.
pub trait Delivery {
    /// Tells somebody, and says what is to be done about the answer.
    ///
    /// # Errors
    /// Where it could not be told.
    fn deliver(call: &Call, event: &Event) -> Result<Vec<Command>>;
}

/// Something that happened to a record.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Event {
    /// Its id, one of a kind.
    pub id: String,
    /// What happened, as a `CloudEvents` type.
    pub kind: String,
    /// The record once it had happened.
    pub record: Record,
    /// The names this binding knows the record by.
    pub references: Vec<String>,
    /// The change as a `CloudEvents` event, in JSON.
    pub data: String,
}

impl Event {
    /// An event about a record that the binding has no reference for: for tests.
    pub fn new(id: &str, kind: &str, record: Record, data: impl Into<String>) -> Self {
        Self {
            id: id.to_owned(),
            kind: kind.to_owned(),
            record,
            references: Vec::new(),
            data: data.into(),
        }
    }
}
