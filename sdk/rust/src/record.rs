//! The record that a hook is asked about.

use crate::{Fields, FromValue, Instant, Result, Value};

/// The part of its life a record is in, under whatever name the workflow gives the state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Category {
    /// Somebody is to work on it.
    Open,
    /// It waits for somebody or something else.
    Waiting,
    /// The work is done; the requester may still say otherwise.
    Resolved,
    /// It is over.
    Closed,
}

/// A record as the running step would leave it, were the answer asked for not needed: form, `set`,
/// computed fields and decision tables are already applied.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Record {
    /// The number people quote, such as `INC-1042`; none while the record is being created.
    pub id: Option<String>,
    /// Which workflow it follows.
    pub workflow: String,
    /// The state it is in.
    pub state: String,
    /// What that state means.
    pub category: Category,
    /// Counts committed changes; 0 while the record is being created.
    pub version: u64,
    /// The person it is for.
    pub requester: Option<String>,
    /// The person who works on it.
    pub assignee: Option<String>,
    /// The team that works on it.
    pub team: Option<String>,
    /// When it was created.
    pub opened_at: Instant,
    /// When it last changed.
    pub updated_at: Instant,
    /// When it came into its present state.
    pub state_since: Instant,
    /// What its workflow has it hold.
    pub fields: Fields,
    /// What later servers say beyond the rest.
    pub facts: Fields,
}

impl Record {
    /// A field, as the type wanted; see [`Fields::get`].
    ///
    /// # Errors
    /// [`Error::InvalidInput`](crate::Error::InvalidInput) naming the field, where it is empty
    /// (unless an `Option` is wanted) or of another type.
    pub fn field<'a, T: FromValue<'a>>(&'a self, id: &str) -> Result<T> {
        self.fields.get(id)
    }

    /// The same record with this field: for tests.
    #[must_use]
    pub fn with(mut self, id: impl Into<String>, value: impl Into<Value>) -> Self {
        self.fields.set(id, value);
        self
    }
}
