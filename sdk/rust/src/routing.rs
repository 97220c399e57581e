//! The hook that decides who should work on a record. Pure.

pub use crate::{Call, Record, Result};

/// Answers when a record is created, or a transition asks for it to be routed.
///
/// Teams and people come from [`directory`](crate::directory). Where the answer is an error, or names
/// a team that does not exist, the fallback in the workflow applies.
pub trait Routing {
    /// Who should work on it.
    ///
    /// # Errors
    /// Where the plugin cannot tell.
    fn route(call: &Call, record: &Record) -> Result<Assignment>;
}

/// The answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assignment {
    /// The team.
    pub team: String,
    /// Somebody of that team; without one, the record waits for somebody to take it.
    pub assignee: Option<String>,
    /// A sentence that people read and the journal keeps.
    pub reason: String,
}
