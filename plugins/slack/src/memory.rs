//! What is remembered of a record between calls: where its message is, and the agreement that it waits
//! for. An open record costs some hundred bytes; of closed ones only the last few are kept.

use serde::{Deserialize, Serialize};
use servicewright_sdk::delivery::Event;

use servicewright_sdk::{Category, Error, Result, key_value};

use crate::api::Posted;
use crate::event::{Agreement, Happening, Vote};

/// Where the last closed records are kept, all in one value.
const CLOSED: &str = "closed";
/// So many of them: what follows a close in the same step still finds its message.
const MOST_CLOSED: usize = 200;
/// So many votes are shown.
const MOST_VOTES: usize = 50;
/// Of what somebody said with a vote, as much is shown.
const MAX_COMMENT_CHARS: usize = 200;

/// What is remembered of a record.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Told {
    /// The version of the record that its message shows.
    pub(crate) version: u64,
    channel: String,
    ts: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) approval: Option<Approval>,
}

/// The agreement that a record waits for, or that was reached.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Approval {
    pub(crate) stage: String,
    /// The version with which the stage opened: the same stage may open again, much later.
    pub(crate) round: u64,
    /// The state that waits.
    state: String,
    pub(crate) needed: u32,
    /// Who is asked; none where they are too many to keep.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) entitled: Option<Vec<String>>,
    pub(crate) votes: Vec<Cast>,
    /// How it ended and why, once it has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) ended: Option<(String, String)>,
}

/// A vote that was cast.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Cast {
    pub(crate) stage: String,
    pub(crate) person: String,
    pub(crate) approves: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) comment: Option<String>,
}

impl Told {
    /// What is remembered of this record.
    ///
    /// # Errors
    /// Where the memory cannot be reached.
    pub(crate) fn of(record: &str) -> Result<Option<Self>> {
        if let Some(bytes) = key_value::get(&key(record))? {
            return Ok(serde_json::from_slice(&bytes).ok());
        }
        let closed = closed(key_value::get(CLOSED)?.as_deref());
        let found = closed.into_iter().find(|(of, _)| of == record);
        Ok(found.map(|(_, told)| told))
    }

    /// Where its message is, once there is one.
    pub(crate) fn place(&self) -> Option<Posted> {
        (!self.ts.is_empty()).then(|| Posted {
            channel: self.channel.clone(),
            ts: self.ts.clone(),
        })
    }

    /// Whether its message is this one.
    pub(crate) fn is_at(&self, channel: &str, ts: &str) -> bool {
        self.channel == channel && self.ts == ts
    }

    pub(crate) fn posted(&mut self, place: Posted) {
        (self.channel, self.ts) = (place.channel, place.ts);
    }

    /// Takes in what happened.
    pub(crate) fn note(&mut self, happening: &Happening, event: &Event) {
        self.version = event.record.version;
        match &happening.agreement {
            Some(Agreement::Asked(stage)) => {
                let before = self
                    .approval
                    .take()
                    .filter(|before| before.ended.is_none() && before.state == event.record.state);
                self.approval = Some(Approval {
                    stage: stage.id.clone(),
                    round: event.record.version,
                    state: event.record.state.clone(),
                    needed: stage.needed,
                    entitled: stage.entitled.clone(),
                    votes: before.map(|before| before.votes).unwrap_or_default(),
                    ended: None,
                });
            }
            Some(Agreement::Voted(vote)) => {
                if let Some(approval) = &mut self.approval {
                    approval.cast(vote);
                }
            }
            Some(Agreement::Ended { outcome, reason }) => {
                if let Some(approval) = &mut self.approval {
                    approval.ended = Some((outcome.clone(), reason.clone()));
                    approval.entitled = None;
                }
            }
            // Whoever took the record elsewhere took the question back.
            None => {
                let left = |approval: &Approval| {
                    approval.ended.is_none() && approval.state != event.record.state
                };
                if self.approval.as_ref().is_some_and(left) {
                    self.approval = None;
                }
            }
        }
    }

    /// Keeps it for the next call.
    ///
    /// # Errors
    /// Where the memory is full or cannot be reached.
    pub(crate) fn keep(&self, event: &Event, record: &str) -> Result<()> {
        if event.record.category != Category::Closed {
            let bytes = serde_json::to_vec(self)?;
            return key_value::update(&key(record), |_| Ok(Some(bytes.clone())));
        }
        let last = Self {
            approval: None,
            ..self.clone()
        };
        key_value::update(CLOSED, |present| {
            let mut all = closed(present.as_deref());
            all.retain(|(of, _)| of != record);
            all.push((record.to_owned(), last.clone()));
            let surplus = all.len().saturating_sub(MOST_CLOSED);
            all.drain(..surplus);
            Ok(Some(serde_json::to_vec(&all).map_err(Error::from)?))
        })?;
        key_value::update(&key(record), |_| Ok(None))
    }
}

impl Approval {
    /// Whether votes are taken.
    pub(crate) const fn is_open(&self) -> bool {
        self.ended.is_none()
    }

    /// Whether this person has voted in the stage that is open.
    pub(crate) fn has_vote_of(&self, person: &str) -> bool {
        self.votes
            .iter()
            .any(|cast| cast.stage == self.stage && cast.person == person)
    }

    fn cast(&mut self, vote: &Vote) {
        self.votes
            .retain(|cast| (&cast.stage, &cast.person) != (&vote.stage, &vote.person));
        if self.votes.len() >= MOST_VOTES {
            self.votes.remove(0);
        }
        let comment = vote.comment.as_ref();
        self.votes.push(Cast {
            stage: vote.stage.clone(),
            person: vote.person.clone(),
            approves: vote.approves,
            comment: comment.map(|said| said.chars().take(MAX_COMMENT_CHARS).collect()),
        });
    }
}

fn key(record: &str) -> String {
    format!("record/{record}")
}

/// The closed records, the latest last; none where the value is not one of this version.
fn closed(value: Option<&[u8]>) -> Vec<(String, Told)> {
    value
        .and_then(|bytes| serde_json::from_slice(bytes).ok())
        .unwrap_or_default()
}
