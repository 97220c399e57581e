//! Looking up people, teams and whatever else the desk keeps, as far as the binding was granted it.
//!
//! A look-up sees the desk as it is when it is made. A kind that was not granted is
//! [`Error::Misconfigured`](crate::Error::Misconfigured).

use crate::{Fields, Instant, Record, Result, host};

/// Somebody the desk knows.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Person {
    /// Their id.
    pub id: String,
    /// Their name, for people to read.
    pub name: String,
    /// The id of whom they report to.
    pub manager: Option<String>,
    /// The id of the organisation they belong to.
    pub organisation: Option<String>,
    /// What else the desk keeps about them.
    pub facts: Fields,
}

impl Person {
    /// Somebody of this id, and nothing else known: for tests.
    pub fn new(id: &str) -> Self {
        Self {
            id: id.to_owned(),
            name: id.to_owned(),
            manager: None,
            organisation: None,
            facts: Fields::new(),
        }
    }

    /// The same, reporting to this person: for tests.
    #[must_use]
    pub fn manager(mut self, id: &str) -> Self {
        self.manager = Some(id.to_owned());
        self
    }

    /// The same, belonging to this organisation: for tests.
    #[must_use]
    pub fn organisation(mut self, id: &str) -> Self {
        self.organisation = Some(id.to_owned());
        self
    }
}

/// Somebody in a team.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Member {
    /// Their id.
    pub user: String,
    /// What they know how to do.
    pub skills: Vec<String>,
    /// Whether they are at work just now.
    pub on_shift: bool,
    /// How many records that are not resolved they are assigned to.
    pub open_records: u32,
    /// When a record was last assigned to them.
    pub last_assigned_at: Option<Instant>,
    /// What else the desk keeps about them: `on-call`, whether they are, where the team has a rota;
    /// `absent`, true while they are out of office; `skill-levels`, a JSON object from skill to level,
    /// where any has another level than 1.
    pub facts: Fields,
}

impl Member {
    /// Somebody at work, without skills or records: for tests.
    pub fn new(user: &str) -> Self {
        Self {
            user: user.to_owned(),
            skills: Vec::new(),
            on_shift: true,
            open_records: 0,
            last_assigned_at: None,
            facts: Fields::new(),
        }
    }

    /// The same with these skills: for tests.
    #[must_use]
    pub fn skills<const N: usize>(mut self, skills: [&str; N]) -> Self {
        self.skills = skills.map(str::to_owned).into();
        self
    }

    /// The same with so many open records: for tests.
    #[must_use]
    pub fn open_records(mut self, count: u32) -> Self {
        self.open_records = count;
        self
    }

    /// The same, at work or not: for tests.
    #[must_use]
    pub fn on_shift(mut self, on_shift: bool) -> Self {
        self.on_shift = on_shift;
        self
    }

    /// The same, last assigned a record at this time: for tests.
    #[must_use]
    pub fn last_assigned_at(mut self, at: Instant) -> Self {
        self.last_assigned_at = Some(at);
        self
    }
}

/// The person of this id, where the desk knows one. Needs `user` granted.
///
/// # Errors
/// Where it was not granted.
pub fn user(id: &str) -> Result<Option<Person>> {
    host::user(id)
}

/// The ids of all teams. Needs `team` granted.
///
/// # Errors
/// Where it was not granted.
pub fn teams() -> Result<Vec<String>> {
    host::teams()
}

/// Everybody in a team; nobody where there is no such team. Needs `team` granted.
///
/// # Errors
/// Where it was not granted.
pub fn members(team: &str) -> Result<Vec<Member>> {
    host::members(team)
}

/// Whatever else the desk keeps: an `organisation`, a `contract`, a `service`. Needs that kind granted.
///
/// # Errors
/// Where it was not granted.
pub fn find(kind: &str, id: &str) -> Result<Option<Fields>> {
    host::find(kind, id)
}

/// The records that the links of this kind lead to. Needs `record` granted.
///
/// # Errors
/// Where it was not granted.
pub fn linked(id: &str, kind: &str) -> Result<Vec<Record>> {
    host::linked(id, kind)
}

/// Records of a workflow that hold exactly these values and changed since then, the latest first,
/// up to 100. Needs `record` granted.
///
/// # Errors
/// Where it was not granted.
pub fn alike(workflow: &str, fields: impl Into<Fields>, since: Instant) -> Result<Vec<Record>> {
    host::alike(workflow, fields.into(), since)
}

/// The record that this binding knows by this reference, as it stands just now. Needs `record` granted.
///
/// # Errors
/// Where it was not granted.
pub fn referenced(reference: &str) -> Result<Option<Record>> {
    host::referenced(reference)
}
