//! The hook that decides who has to agree before a record goes on. Pure.

pub use crate::{Call, Fields, Instant, Record, Result, TimeLimit};

/// Answers for the states that need agreement.
///
/// Asked once, as a record enters such a state; when its votes are in, the workflow goes on by
/// itself. Where the answer is an error, the stages in the workflow are voted on instead.
pub trait Approval {
    /// Whether anybody has to be asked, and who.
    ///
    /// # Errors
    /// Where the plugin cannot tell.
    fn decide(call: &Call, record: &Record, request: &Request) -> Result<Verdict>;
}

/// What is put to the vote.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Request {
    /// The transition that asks.
    pub transition: String,
    /// What the form of that transition was given.
    pub input: Fields,
    /// All votes in earlier rounds about this record, the oldest first.
    pub votes: Vec<Vote>,
}

impl Request {
    /// A request of this transition, with nothing given and no votes yet: for tests.
    pub fn new(transition: impl Into<String>) -> Self {
        Self {
            transition: transition.into(),
            input: Fields::new(),
            votes: Vec::new(),
        }
    }
}

/// A vote somebody gave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Vote {
    /// The stage it was given in.
    pub stage: String,
    /// Who gave it.
    pub user: String,
    /// Whether it was for or against.
    pub approves: bool,
    /// When it was given.
    pub at: Instant,
    /// Why, in the voter's words.
    pub reason: Option<String>,
}

/// The answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Nobody has to be asked; a sentence says why not.
    Approve(String),
    /// It is not to be; a sentence says why not.
    Reject(String),
    /// These are to be asked, stage after stage.
    Ask(Vec<Stage>),
}

/// One round of voting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stage {
    /// Its name, one of a kind within the answer.
    pub id: String,
    /// Who may vote. Neither the actor nor the requester has a vote, even if named.
    pub approvers: Vec<Approver>,
    /// How many of them have to agree.
    pub quorum: Quorum,
    /// Once this is over without a decision, the approval has expired.
    pub timeout: Option<TimeLimit>,
    /// Why these are asked: a sentence that approvers read and the journal keeps.
    pub reason: String,
}

impl Stage {
    /// A stage in which all of these have to agree, for this reason, in whatever time it takes.
    pub fn new(
        id: impl Into<String>,
        approvers: impl Into<Vec<Approver>>,
        reason: impl Into<String>,
    ) -> Self {
        Self {
            id: id.into(),
            approvers: approvers.into(),
            quorum: Quorum::All,
            timeout: None,
            reason: reason.into(),
        }
    }

    /// The same with another quorum.
    #[must_use]
    pub fn quorum(mut self, quorum: Quorum) -> Self {
        self.quorum = quorum;
        self
    }

    /// The same with a time limit.
    #[must_use]
    pub fn timeout(mut self, timeout: impl Into<Option<TimeLimit>>) -> Self {
        self.timeout = timeout.into();
        self
    }
}

/// Somebody who may vote.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Approver {
    /// The person of this id.
    User(String),
    /// Everybody in the team of this id.
    Team(String),
    /// Everybody who has this role.
    Role(String),
}

impl Approver {
    /// The person of this id.
    pub fn user(id: impl Into<String>) -> Self {
        Self::User(id.into())
    }

    /// Everybody in the team of this id.
    pub fn team(id: impl Into<String>) -> Self {
        Self::Team(id.into())
    }

    /// Everybody who has this role.
    pub fn role(id: impl Into<String>) -> Self {
        Self::Role(id.into())
    }
}

/// How many approvers have to agree; fixed as the stage opens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quorum {
    /// Every one of them.
    All,
    /// One of them.
    Any,
    /// So many of them.
    Count(u32),
    /// So many of a hundred of them, rounded up.
    Percent(u32),
}
